#include "optimized/vector.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class T>
void scale_add(const T* s, T alpha, const T* c, T beta, std::int64_t n, T* out) {
  constexpr int lanes = Vector<T>::lanes;
  const auto a = splat(alpha), b = splat(beta);
  std::int64_t i = 0;
  if (c) {
    for (; i + lanes <= n; i += lanes) store(out + i, a * load(s + i) + b * load(c + i));
    for (; i < n; ++i) out[i] = alpha * s[i] + beta * c[i];
  } else {
    for (; i + lanes <= n; i += lanes) store(out + i, a * load(s + i));
    for (; i < n; ++i) out[i] = alpha * s[i];
  }
}

}  // namespace

void scale_add_f32(const float* s, float alpha, const float* c, float beta, std::int64_t n, float* out) {
  scale_add(s, alpha, c, beta, n, out);
}
void scale_add_f64(const double* s, double alpha, const double* c, double beta, std::int64_t n, double* out) {
  scale_add(s, alpha, c, beta, n, out);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
