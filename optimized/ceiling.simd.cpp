#include <cstddef>

#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// Twelve independent chains hide the latency of the multiply-add on every processor met.
template <class V>
static double fma_chains(std::int64_t loops, V scale, V shift, int lanes) {
  alignas(64) V x[12];
#pragma GCC unroll 12
  for (int k = 0; k < 12; ++k) x[k] = scale + shift * static_cast<float>(k);
  for (std::int64_t i = 0; i < loops; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) x[k] = fma(x[k], scale, shift);
  }
  V sum = x[0];
#pragma GCC unroll 12
  for (int k = 1; k < 12; ++k) sum += x[k];
  volatile auto sink = sum[0];
  (void)sink;
  return static_cast<double>(loops) * 12 * 2 * lanes;
}

double fma_f32(std::int64_t loops) { return fma_chains(loops, splat(0.999F), splat(1e-3F), kF32); }
double fma_f64(std::int64_t loops) { return fma_chains(loops, splat(0.999), splat(1e-3), kF64); }

void copy_streaming(std::byte* to, const std::byte* from, std::int64_t bytes) {
#if defined(__AVX512F__)
  if ((reinterpret_cast<std::uintptr_t>(to) & 63) == 0) {
    for (std::int64_t i = 0; i < bytes; i += 64)
      _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), _mm512_loadu_si512(from + i));
    _mm_sfence();
    return;
  }
#elif defined(__AVX2__)
  if ((reinterpret_cast<std::uintptr_t>(to) & 31) == 0) {
    for (std::int64_t i = 0; i < bytes; i += 32)
      _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i),
                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)));
    _mm_sfence();
    return;
  }
#endif
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void read_bytes(const std::byte* from, std::int64_t bytes) {
  constexpr std::int64_t step = 4 * kVectorBytes;
  const auto* p = reinterpret_cast<const float*>(from);
  f32v a{}, b{}, c{}, d{};
  for (std::int64_t i = 0; i + step <= bytes; i += step, p += step / 4) {
    a += load(p);
    b += load(p + kF32);
    c += load(p + 2 * kF32);
    d += load(p + 3 * kF32);
  }
  volatile float sink = (a + b + c + d)[0];
  (void)sink;
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
