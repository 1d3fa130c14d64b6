// Threefry-2x32-20 on vectors of consecutive counters: see draws.h.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kChains = 4;  // independent vectors in flight: one round waits for the round before

struct Key {
  std::uint32_t k[3];
};

static inline u32v rotate_left(u32v x, int r) { return x << r | x >> (32 - r); }
static inline std::uint32_t rotate_left(std::uint32_t x, int r) { return x << r | x >> (32 - r); }

template <class V, int kCount>
static inline void rounds(V* x0, V* x1, const int (&rotations)[4]) {
  for (int r : rotations) {
    for (int c = 0; c < kCount; ++c) {
      x0[c] += x1[c];
      x1[c] = rotate_left(x1[c], r) ^ x0[c];
    }
  }
}

template <class V, int kCount>
static inline void threefry(const Key& key, V* x0, V* x1) {
  constexpr int kEven[4] = {13, 15, 26, 6}, kOdd[4] = {17, 29, 16, 24};
  for (int c = 0; c < kCount; ++c) {
    x0[c] += key.k[0];
    x1[c] += key.k[1];
  }
#pragma GCC unroll 5
  for (int block = 0; block < 5; ++block) {
    if (block % 2 == 0) {
      rounds<V, kCount>(x0, x1, kEven);
    } else {
      rounds<V, kCount>(x0, x1, kOdd);
    }
    const std::uint32_t a = key.k[(block + 1) % 3], b = key.k[(block + 2) % 3] + static_cast<std::uint32_t>(block + 1);
    for (int c = 0; c < kCount; ++c) {
      x0[c] += a;
      x1[c] += b;
    }
  }
}

}  // namespace

void threefry_words(std::uint32_t k0, std::uint32_t k1, std::int64_t begin, std::int64_t end, std::int64_t gap,
                    unsigned char* first, unsigned char* second) {
  const Key key{{k0, k1, k0 ^ k1 ^ 0x1BD11BDAu}};
  u32v lane{};
  for (int l = 0; l < kF32; ++l) lane[l] = static_cast<std::uint32_t>(l);
  std::int64_t i = begin;
  for (; i + kChains * kF32 <= end; i += kChains * kF32) {
    alignas(kVectorBytes) u32v x0[kChains], x1[kChains];  // as a template argument the type is fully aligned
    for (int c = 0; c < kChains; ++c) {
      x0[c] = lane + static_cast<std::uint32_t>(i + c * kF32);
      x1[c] = x0[c] + static_cast<std::uint32_t>(gap);
    }
    threefry<u32v, kChains>(key, x0, x1);
    std::memcpy(first + 4 * (i - begin), x0, sizeof x0);
    std::memcpy(second + 4 * (i - begin), x1, sizeof x1);
  }
  for (; i < end; ++i) {
    auto x0 = static_cast<std::uint32_t>(i), x1 = static_cast<std::uint32_t>(i + gap);
    threefry<std::uint32_t, 1>(key, &x0, &x1);
    std::memcpy(first + 4 * (i - begin), &x0, 4);
    std::memcpy(second + 4 * (i - begin), &x1, 4);
  }
}

void threefry_pair(std::uint32_t k0, std::uint32_t k1, std::uint32_t c0, std::uint32_t c1, std::uint32_t* out) {
  const Key key{{k0, k1, k0 ^ k1 ^ 0x1BD11BDAu}};
  std::uint32_t x0 = c0, x1 = c1;
  threefry<std::uint32_t, 1>(key, &x0, &x1);
  out[0] = x0;
  out[1] = x1;
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
