// One tile of scores of one query: a step of softmax by running maxima.
#include "optimized/element.h"
#include "optimized/exp.h"
#include "optimized/vector.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class A>
using Lane = typename Vector<A>::type;

template <class A>
A largest_of(const A* s, std::int64_t n, A m) {
  constexpr int lanes = Vector<A>::lanes;
  Lane<A> v = splat(m);
  for (std::int64_t j = 0; j < n; j += lanes) v = larger(load(s + j), v);
  for (int k = 0; k < lanes; ++k) m = v[k] > m ? v[k] : m;
  return m;
}

// e^x of one number, x <= 0 or NaN.
template <class A>
A exponential(A x) {
  return exp_nonpositive(splat(x))[0];
}

template <class A>
A step(A* s, std::int64_t n, A* largest, A* total) {
  constexpr int lanes = Vector<A>::lanes;
  const A infinity = static_cast<A>(__builtin_inf());
  const std::int64_t room = (n + lanes - 1) / lanes * lanes;
  for (std::int64_t j = n; j < room; ++j) s[j] = -infinity;
  const A m = largest_of(s, room, *largest), base = m == -infinity ? 0 : m;
  const A factor = exponential(*largest - base);
  Lane<A> sum = {};
  for (std::int64_t j = 0; j < room; j += lanes) {
    const Lane<A> e = exp_nonpositive(load(s + j) - base);
    store(s + j, e);
    sum += e;
  }
  A lane[lanes];
  store(lane, sum);
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) lane[k] += lane[k + half];
  *total = *total * factor + lane[0];
  *largest = m;
  return factor;
}

template <class A>
void scale_of(A* x, std::int64_t n, A factor) {
  constexpr int lanes = Vector<A>::lanes;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(x + i, load(x + i) * factor);
  for (; i < n; ++i) x[i] *= factor;
}

template <class A>
void add_of(A* x, const A* y, std::int64_t n) {
  constexpr int lanes = Vector<A>::lanes;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(x + i, load(x + i) + load(y + i));
  for (; i < n; ++i) x[i] += y[i];
}

}  // namespace

// Scores become weights relative to the new maximum, their sum joins the total; returns by what earlier sums must be
// multiplied. s has room for whole registers.
float softmax_step(float* s, std::int64_t n, float* largest, float* total) { return step(s, n, largest, total); }
double softmax_step_f64(double* s, std::int64_t n, double* largest, double* total) {
  return step(s, n, largest, total);
}
void scale_values(float* x, std::int64_t n, float factor) { scale_of(x, n, factor); }
void scale_values_f64(double* x, std::int64_t n, double factor) { scale_of(x, n, factor); }
void add_values(float* x, const float* y, std::int64_t n) { add_of(x, y, n); }
void add_values_f64(double* x, const double* y, std::int64_t n) { add_of(x, y, n); }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
