// What optimized/array/fft.cpp asks of the vector kernels in fft.simd.cpp.
//
// A panel holds one transform per vector lane: row j is the real parts of element j of all lanes, then
// the imaginary parts, so 2 lanes() floats. Every pass works on whole vectors, whatever the length.
#pragma once

#include <cstdint>

namespace plumb {

// One Stockham pass (decimation in frequency): rows q + s (p + m j) of x, j < radix, go to rows
// q + s (radix p + k) of y, k < radix, times w^(p k), for p < m and q < s.
struct FftPass {
  int radix;
  std::int64_t m, s;
  const float* twiddles;   // for each p: w^(p k), k = 1 .. radix-1, as (re, im)
  const float* constants;  // odd radices: cos(2 pi i / radix), i < radix, then the sines
};

#define PLUMB_FFT_KERNELS                                                                                            \
  int fft_lanes();                                                                                                   \
  /* The bits of the largest |x|. */                                                                                 \
  std::uint32_t fft_largest(const float* x, std::int64_t n);                                                         \
  /* Runs the passes, the first from x to y and so on in turn; returns where the result lies. */                     \
  float* fft_run(const FftPass* passes, int count, float* x, float* y);                                              \
  /* Panel from lanes() lines, each `rows` complex numbers long and dense. `swap` exchanges re and im. A load */     \
  /* raises largest[lane] to the bits of the largest |part| (fft_range.h). */                                        \
  void fft_load_lines(const float* const* line, std::int64_t rows, bool swap, float* panel, std::uint32_t* largest); \
  /* Every part of a lane times scale[lane], plus poison[lane]. */                                                   \
  void fft_store_lines(const float* panel, std::int64_t rows, bool swap, const float* scale, const float* poison,    \
                       int lanes, float* const* line);                                                               \
  /* Panel from `lanes` neighbours: row j begins at base + j * step (floats). */                                     \
  void fft_load_columns(const float* base, std::int64_t step, std::int64_t rows, bool swap, int lanes, float* panel, \
                        std::uint32_t* largest);                                                                     \
  void fft_store_columns(const float* panel, std::int64_t rows, bool swap, const float* scale, const float* poison,  \
                         int lanes, std::int64_t step, float* base);                                                 \
  /* Multiplies every row by the factors of the lanes. */                                                            \
  void fft_scale(float* panel, std::int64_t rows, const float* by);                                                  \
  /* Multiplies row j by the complex number at factor + 2 j; swaps re and im before or after. */                     \
  void fft_multiply(float* panel, const float* factor, std::int64_t rows, bool swap_before, bool swap_after);        \
  /* Four-step turn: panel rows k1 times twiddle rows become lanes k1 of the panels at `to`, row j2 = lane. */       \
  void fft_turn(const float* panel, const float* twiddles, std::int64_t rows, int lanes, std::int64_t panel_floats,  \
                float* to);

}  // namespace plumb
