// Lines of elements to doubles or floats and back.
#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// kF32 consecutive elements as floats.
inline f32v values_of(const float* p) { return load(p); }
inline f32v values_of(const Half* p) { return load_half(&p->bits); }
inline f32v values_of(const Bf16* p) { return load_bf16(&p->bits); }

inline void put_values(float* p, f32v v) { store(p, v); }
inline void put_values(double* p, f32v v) {
  const Values wide = wide_of(v);
  std::memcpy(p, wide.part, sizeof wide.part);
}

template <class S, class A>
void read_of(const S* x, std::int64_t step, std::int64_t n, A* to) {
  std::int64_t i = 0;
  if (step == 1)
    for (; i + kF32 <= n; i += kF32) put_values(to + i, values_of(x + i));
  for (; i < n; ++i) to[i] = element<A>(x + i * step);
}

void copy_doubles(const double* x, std::int64_t step, std::int64_t n, double* to) {
  if (step == 1 && n > 0) {
    std::memcpy(to, x, static_cast<std::size_t>(n) * sizeof(double));
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) to[i] = x[i * step];
}

// To f32, and through it to the halves: with what was lost in the last bit, so that they are rounded once.
inline f32v floats_of(const double* p, bool odd) {
  f64v part[2];
  std::memcpy(part, p, sizeof part);
  const f32h half[2] = {odd ? rounded_to_odd(part[0]) : __builtin_convertvector(part[0], f32h),
                        odd ? rounded_to_odd(part[1]) : __builtin_convertvector(part[1], f32h)};
  f32v whole;
  std::memcpy(&whole, half, sizeof whole);
  return whole;
}
inline f32v floats_of(const float* p, bool) { return load(p); }

template <class A, class S>
void write_of(const A* from, std::int64_t n, S* y) {
  constexpr bool odd = sizeof(S) == 2;
  std::int64_t i = 0;
  for (; i + kF32 <= n; i += kF32) store_elements(y + i, floats_of(from + i, odd));
  if (i == n) return;
  A rest[kF32] = {};
  std::memcpy(rest, from + i, static_cast<std::size_t>(n - i) * sizeof(A));
  S last[kF32];
  store_elements(last, floats_of(rest, odd));
  std::memcpy(y + i, last, static_cast<std::size_t>(n - i) * sizeof(S));
}

}  // namespace

void line_to_doubles(Element t, const void* x, std::int64_t step, std::int64_t n, double* to) {
  if (t == Element::f64) return copy_doubles(static_cast<const double*>(x), step, n, to);
  with_small_float(t, [&](auto s) { read_of(static_cast<const decltype(s)*>(x), step, n, to); });
}
void line_to_floats(Element t, const void* x, std::int64_t step, std::int64_t n, float* to) {
  with_small_float(t, [&](auto s) { read_of(static_cast<const decltype(s)*>(x), step, n, to); });
}
void line_of_doubles(Element t, const double* from, std::int64_t n, void* y) {
  if (t == Element::f64) return copy_doubles(from, 1, n, static_cast<double*>(y));
  with_small_float(t, [&](auto s) { write_of(from, n, static_cast<decltype(s)*>(y)); });
}
void line_of_floats(Element t, const float* from, std::int64_t n, void* y) {
  with_small_float(t, [&](auto s) { write_of(from, n, static_cast<decltype(s)*>(y)); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
