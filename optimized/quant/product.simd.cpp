// Weights from packed codes, and sums of products with them.
#include "optimized/quant/product_kernels.h"
#include "optimized/quant/unpack.h"

namespace plumb {

namespace PLUMB_ISA_NAME {
namespace {

template <int bits>
void affine_weights(const std::uint8_t* codes, std::int64_t group, const float* s, const float* b, std::int64_t n,
                    float* out) {
  for_each_unit<bits>(codes, group, s, b, n, [&](const Unit& u, f32v scale, f32v bias, std::int64_t i) {
    for (int p = 0; p < kParts; ++p) store(out + i + p * kF32, decoded(u.v[p], scale, bias));
  });
}

template <int bits, class Element>
inline void float_weights(const std::uint8_t* codes, std::int64_t group, const float* s, std::int64_t n, float* out,
                          Element&& element) {
  for (std::int64_t i = 0, g = 0; i < n; ++g) {
    const f32v scale = splat(s[g]);
    for (const std::int64_t end = i + group; i < end; i += kF32)
      store(out + i, element(codes_at<bits>(codes + i * bits / 8)) * scale);
  }
}

void weights(const std::uint8_t* codes, const CodeFormat& f, const float* s, const float* b, std::int64_t n,
             float* out) {
  switch (f.coding) {
    case Coding::affine:
      return with_bits(f.bits, [&](auto w) { affine_weights<w.number>(codes, f.group, s, b, n, out); });
    case Coding::e2m1: return float_weights<4>(codes, f.group, s, n, out, e2m1);
    case Coding::e4m3: return float_weights<8>(codes, f.group, s, n, out, e4m3);
  }
}

// The sum of 32 numbers by halves.
inline float join(const f32v* v) {
  float t[kUnit];
  std::memcpy(t, v, sizeof t);
  for (int half = kUnit / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) t[i] += t[i + half];
  return t[0];
}

// Of four bits the weights need no room on their way.
template <int rows>
void dot_of_four_bits(const float* x, std::int64_t ldx, const std::uint8_t* codes, std::int64_t group, const float* s,
                      const float* b, std::int64_t k, f32v (*sums)[kParts]) {
  f32v mine[rows][kParts] = {};
  const auto add = [&](const Unit& u, f32v scale, f32v bias, std::int64_t i) {
    for (int p = 0; p < kParts; ++p) {
      const f32v w = decoded(u.v[p], scale, bias);
      for (int r = 0; r < rows; ++r) mine[r][p] = fma(load(x + r * ldx + i + p * kF32), w, mine[r][p]);
    }
  };
  if (group != 64) {
    for_each_unit<4>(codes, group, s, b, k, add);
  } else {
    for (std::int64_t g = 0; g < k / 64; ++g) {
      const f32v scale = splat(s[g]), bias = splat(b[g]);
      __builtin_prefetch(codes + 32 * g + 2048);  // a row may be a page, where the processor's own prefetching ends
      add(unit_at<4>(codes + 32 * g), scale, bias, 64 * g);
      add(unit_at<4>(codes + 32 * g + 16), scale, bias, 64 * g + 32);
    }
  }
  std::memcpy(sums, mine, sizeof mine);
}

constexpr std::int64_t kChunk = 512;  // weights that wait for their sum: whole groups

template <int rows>
void add_chunk(const float* x, std::int64_t ldx, const float* w, std::int64_t n, f32v (*sums)[kParts]) {
  f32v mine[rows][kParts];
  std::memcpy(mine, sums, sizeof mine);
  std::int64_t i = 0;
  for (; i + kUnit <= n; i += kUnit)
    for (int p = 0; p < kParts; ++p)
      for (int r = 0; r < rows; ++r)
        mine[r][p] = fma(load(x + r * ldx + i + p * kF32), load(w + i + p * kF32), mine[r][p]);
  for (int p = 0; i < n; ++p, i += kF32)  // half a unit, of groups of 16
    for (int r = 0; r < rows; ++r) mine[r][p] = fma(load(x + r * ldx + i), load(w + i), mine[r][p]);
  std::memcpy(sums, mine, sizeof mine);
}

template <int rows>
void dot(const float* x, std::int64_t ldx, const std::uint8_t* codes, const CodeFormat& f, const float* s,
         const float* b, std::int64_t k, float* y) {
  f32v sums[rows][kParts] = {};
  if (f.coding == Coding::affine && f.bits == 4) {
    dot_of_four_bits<rows>(x, ldx, codes, f.group, s, b, k, sums);
  } else {
    alignas(kVectorBytes) float w[kChunk];
    for (std::int64_t i = 0; i < k; i += kChunk) {
      const std::int64_t n = k - i < kChunk ? k - i : kChunk, g = i / f.group;
      weights(codes + i * f.bits / 8, f, s + g, b + g, n, w);
      add_chunk<rows>(x + i, ldx, w, n, sums);
    }
  }
  for (int r = 0; r < rows; ++r) y[r] = join(sums[r]);
}

template <int depth>
void add_rows(const float* w, std::int64_t ldw, std::int64_t n, const float* x, float* y) {
  f32v factor[depth];
  for (int d = 0; d < depth; ++d) factor[d] = splat(x[d]);
  for (std::int64_t j = 0; j < n; j += kF32) {
    f32v sum = load(y + j);
    for (int d = 0; d < depth; ++d) sum = fma(factor[d], load(w + d * ldw + j), sum);
    store(y + j, sum);
  }
}

template <class F>
inline void with_four(int n, F&& f) {
  switch (n) {
    case 1: return f(Constant<1>());
    case 2: return f(Constant<2>());
    case 3: return f(Constant<3>());
    default: return f(Constant<4>());
  }
}

}  // namespace

void quant_weights(const std::uint8_t* codes, CodeFormat f, const float* s, const float* b, std::int64_t n,
                   float* out) {
  weights(codes, f, s, b, n, out);
}

void quant_dot(const float* x, std::int64_t ldx, int rows, const std::uint8_t* codes, CodeFormat f, const float* s,
               const float* b, std::int64_t k, float* y) {
  with_four(rows, [&](auto height) { dot<height.number>(x, ldx, codes, f, s, b, k, y); });
}

void quant_add_rows(const float* w, std::int64_t ldw, int depth, std::int64_t n, const float* x, std::int64_t ldx,
                    std::int64_t rows, float* y, std::int64_t ldy) {
  with_four(depth, [&](auto d) {
    for (std::int64_t r = 0; r < rows; ++r) add_rows<d.number>(w, ldw, n, x + r * ldx, y + r * ldy);
  });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
