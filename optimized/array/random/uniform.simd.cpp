// Uniform numbers of blocks of words. Every array has room for whole vectors behind its n elements.
#include "optimized/array/random/units.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

void uniform_block(const std::uint32_t* w, const float* low, const float* high, std::int64_t n, Element t, float* out) {
  with_small_float(t, [&](auto s) {
    using S = decltype(s);
    for (std::int64_t i = 0; i < n; i += kF32)
      store(out + i, between<S>(unit_of<S>(load_words(w + i)), load(low + i), load(high + i)));
  });
}

// Whole numbers of binary32.
void uniform_floor_block(const std::uint32_t* w, const float* low, const float* high, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; i += kF32)
    store(out + i, floor_of(between<float>(unit_of<float>(load_words(w + i)), load(low + i), load(high + i))));
}

// 1 where the word is below the product of p and 2^32 + 512.
void bernoulli_block(const std::uint32_t* w, const float* p, std::int64_t n, std::uint8_t* out) {
  for (std::int64_t i = 0; i < n; i += kF32) {
    const i32v below = float_of(load_words(w + i)) < load(p + i) * 4294967808.0F;
    const auto bytes = __builtin_convertvector(below & 1, VectorOf<std::uint8_t, kF32>::type);
    std::memcpy(out + i, &bytes, sizeof bytes);
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
