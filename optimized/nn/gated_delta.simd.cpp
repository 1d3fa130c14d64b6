// One step of the gated delta rule for some rows of a state, which lie side by side: s[d][e].
#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kParts = 4;  // partial sums over d

f32v joined(const f32v* s) { return (s[0] + s[2]) + (s[1] + s[3]); }

// s' = gamma s; returns s' . k
f32v fade(float* s, std::int64_t d, std::int64_t width, float gamma, const float* k) {
  f32v sum[kParts] = {};
  std::int64_t i = 0;
  const auto take = [&](int part) {
    const f32v v = load(s + i * width) * gamma;
    store(s + i * width, v);
    sum[part] = fma(v, splat(k[i]), sum[part]);
    ++i;
  };
  while (i + kParts <= d)
    for (int part = 0; part < kParts; ++part) take(part);
  for (int part = 0; i < d; ++part) take(part);
  return joined(sum);
}

// s += r k; returns s . q
f32v correct(float* s, std::int64_t d, std::int64_t width, f32v r, const float* k, const float* q) {
  f32v sum[kParts] = {};
  std::int64_t i = 0;
  const auto take = [&](int part) {
    const f32v v = fma(r, splat(k[i]), load(s + i * width));
    store(s + i * width, v);
    sum[part] = fma(v, splat(q[i]), sum[part]);
    ++i;
  };
  while (i + kParts <= d)
    for (int part = 0; part < kParts; ++part) take(part);
  for (int part = 0; i < d; ++part) take(part);
  return joined(sum);
}

}  // namespace

int delta_parts() { return kParts; }

// s' = gamma s, s = s' + beta (v - s' . k) k, out = s . q, for `width` rows, whole registers of them.
void delta_step(float* s, std::int64_t d, std::int64_t width, float gamma, float beta, const float* k, const float* q,
                const float* v, float* out) {
  for (std::int64_t e = 0; e < width; e += kF32) {
    const f32v r = (load(v + e) - fade(s + e, d, width, gamma, k)) * beta;
    store(out + e, correct(s + e, d, width, r, k, q));
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
