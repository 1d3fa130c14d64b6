// Sums of few weighted rows: channels across lanes, a block of them in registers over all terms.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kBlock = 4;  // registers of a block

typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

template <class V>
static inline V load_as(const float* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

static inline f32v fused(f32v a, f32v b, f32v c) { return fma(a, b, c); }
#if defined(__AVX2__)
static inline Four fused(Four a, Four b, Four c) { return (Four)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c); }
#endif
static inline float fused(float a, float b, float c) {
#if defined(__FMA__)
  return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
#else
  return a * b + c;
#endif
}

// N registers of channels from c on: sum[c] of at least `n` terms, in order, onto what out holds if `more`.
template <class V, int N>
static inline void add_block(const float* table, std::int64_t channels, const std::int64_t* at, const float* w, int n,
                             bool more, std::int64_t c, float* out) {
  constexpr std::int64_t kLanes = sizeof(V) / sizeof(float);
  alignas(64) V sum[N];
  for (int k = 0; k < N; ++k) sum[k] = more ? load_as<V>(out + c + k * kLanes) : V{};
  for (int i = 0; i < n; ++i) {
    const float* row = table + at[i] * channels + c;
    for (int k = 0; k < N; ++k) sum[k] = fused(V{} + w[i], load_as<V>(row + k * kLanes), sum[k]);
  }
  for (int k = 0; k < N; ++k) std::memcpy(out + c + k * kLanes, &sum[k], sizeof(V));
}

static inline void add_rows(const float* table, std::int64_t channels, const std::int64_t* at, const float* w, int n,
                            bool more, float* out) {
  std::int64_t c = 0;
  for (; c + kBlock * kF32 <= channels; c += kBlock * kF32)
    add_block<f32v, kBlock>(table, channels, at, w, n, more, c, out);
  for (; c + kF32 <= channels; c += kF32) add_block<f32v, 1>(table, channels, at, w, n, more, c, out);
#if defined(__AVX2__)
  for (; c + 4 <= channels; c += 4) add_block<Four, 1>(table, channels, at, w, n, more, c, out);
#endif
  for (; c < channels; ++c) add_block<float, 1>(table, channels, at, w, n, more, c, out);
}

}  // namespace

void interpolate_rows(const float* table, std::int64_t channels, std::int64_t count, const std::int32_t* rows,
                      const float* weights, std::int64_t begin, std::int64_t end, float* out) {
  std::int64_t at[8];
  float w[8];
  for (std::int64_t p = begin; p < end; ++p) {
    int n = 0;
    for (int j = 0; j < 8; ++j) {
      const std::int32_t row = rows[8 * p + j];
      if (row < 0 || row >= count) continue;
      at[n] = row;
      w[n++] = weights[8 * p + j];
    }
    add_rows(table, channels, at, w, n, false, out + p * channels);
  }
}

void sum_groups(const float* table, std::int64_t channels, const std::int32_t* offsets, const std::int32_t* ids,
                const float* weights, std::int64_t begin, std::int64_t end, std::int64_t most, float* out) {
  constexpr int kTerms = 64;
  const int terms = most < kTerms ? static_cast<int>(most) : kTerms;
  std::int64_t at[kTerms];
  float w[kTerms];
  for (std::int64_t v = begin; v < end; ++v) {
    const std::int32_t first = offsets[v], last = offsets[v + 1];
    for (std::int32_t from = first; from == first || from < last; from += terms) {
      const int n = last - from < terms ? last - from : terms;
      for (int i = 0; i < n; ++i) {
        at[i] = ids[from + i] / 8;
        w[i] = weights[ids[from + i]];
      }
      add_rows(table, channels, at, w, n, from != first, out + v * channels);
    }
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
