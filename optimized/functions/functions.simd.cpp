// Each function of optimized/functions.h over a run, by its place in kFunctionUlps.
#include "optimized/functions.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class T>
struct VectorOf {
  typedef f32v type;
};
template <>
struct VectorOf<double> {
  typedef f64v type;
};

// Calls f with vectors of x and y; the ragged end is padded by its own first element.
template <class T, class F>
inline void over(const T* x, const T* y, std::int64_t n, T* out, F f) {
  typedef typename VectorOf<T>::type V;
  const std::int64_t lanes = kVectorBytes / static_cast<int>(sizeof(T));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(out + i, f(load(x + i), load(y + i)));
  if (i == n) return;
  T a[kVectorBytes / sizeof(T)], b[kVectorBytes / sizeof(T)], r[kVectorBytes / sizeof(T)];
  for (std::int64_t j = 0; j < lanes; ++j) a[j] = x[i + j < n ? i + j : i], b[j] = y[i + j < n ? i + j : i];
  const V last = f(load(a), load(b));
  store(r, last);
  for (std::int64_t j = 0; i + j < n; ++j) out[i + j] = r[j];
}

#define PLUMB_ONE(name) return over(x, x, n, out, [](V v, V) { return name##_of(v); })
#define PLUMB_TWO(name) return over(x, y, n, out, [](V v, V w) { return name##_of(v, w); })
template <class T>
inline void run(int function, const T* x, const T* y, std::int64_t n, T* out) {
  typedef typename VectorOf<T>::type V;
  switch (function) {
    case 0: PLUMB_ONE(exp);
    case 1: PLUMB_ONE(expm1);
    case 2: PLUMB_ONE(log);
    case 3: PLUMB_ONE(log2);
    case 4: PLUMB_ONE(log10);
    case 5: PLUMB_ONE(log1p);
    case 6: PLUMB_ONE(sin);
    case 7: PLUMB_ONE(cos);
    case 8: PLUMB_ONE(tan);
    case 9: PLUMB_ONE(arcsin);
    case 10: PLUMB_ONE(arccos);
    case 11: PLUMB_ONE(arctan);
    case 12: PLUMB_ONE(sinh);
    case 13: PLUMB_ONE(cosh);
    case 14: PLUMB_ONE(tanh);
    case 15: PLUMB_ONE(arcsinh);
    case 16: PLUMB_ONE(arccosh);
    case 17: PLUMB_ONE(arctanh);
    case 18: PLUMB_ONE(erf);
    case 19: PLUMB_ONE(erfinv);
    case 20: PLUMB_ONE(sigmoid);
    case 21: PLUMB_ONE(sqrt);
    case 22: PLUMB_ONE(rsqrt);
    case 23: PLUMB_ONE(floor);
    case 24: PLUMB_ONE(ceil);
    case 25: PLUMB_ONE(trunc);
    case 26: PLUMB_ONE(round_even);
    case 27: PLUMB_TWO(power);
    case 28: PLUMB_TWO(arctan2);
    case 29: PLUMB_TWO(logaddexp);
    case 30: PLUMB_TWO(fmod);
    default: return;
  }
}
#undef PLUMB_ONE
#undef PLUMB_TWO

}  // namespace

void function_f32(int function, const float* x, const float* y, std::int64_t n, float* out) {
  run(function, x, y, n, out);
}
void function_f64(int function, const double* x, const double* y, std::int64_t n, double* out) {
  run(function, x, y, n, out);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
