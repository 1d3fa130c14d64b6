// Arithmetic on rows of coordinates: Morton codes, and division that rounds down.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr std::uint64_t kAxis = (std::uint64_t{1} << 21) - 1;

// Two zeros between any two of 21 bits.
template <class U>
static inline U spread(U v) {
  v = (v | v << 32) & 0x1F00000000FFFFu;
  v = (v | v << 16) & 0x1F0000FF0000FFu;
  v = (v | v << 8) & 0x100F00F00F00F00Fu;
  v = (v | v << 4) & 0x10C30C30C30C30C3u;
  return (v | v << 2) & 0x1249249249249249u;
}

// b, x, y, z: of which only the bits that count are used.
template <class U>
static inline U morton(U b, U x, U y, U z) {
  return (spread<U>(x & kAxis) | spread<U>(y & kAxis) << 1 | spread<U>(z & kAxis) << 2) + (b << 60);
}

template <class T>
static void codes_of(const T* rows, std::int64_t begin, std::int64_t end, std::uint64_t flip, std::uint64_t* codes) {
  for (std::int64_t i = begin; i < end; ++i) {
    const T* c = rows + 4 * i;
    codes[i] = flip ^ morton<std::uint64_t>(static_cast<std::uint64_t>(c[0]), static_cast<std::uint64_t>(c[1]),
                                            static_cast<std::uint64_t>(c[2]), static_cast<std::uint64_t>(c[3]));
  }
}

// Every second word of two vectors, from the first or the second word on.
template <int kFirst>
static inline u64v every_second(u64v a, u64v b) {
#if defined(__AVX512F__)
  return __builtin_shuffle(a, b, u64v{0, 2, 4, 6, 8, 10, 12, 14} + kFirst);
#elif defined(__AVX2__)
  return __builtin_shuffle(a, b, u64v{0, 2, 4, 6} + kFirst);
#else
  return __builtin_shuffle(a, b, u64v{0, 2} + kFirst);
#endif
}

}  // namespace

// codes[i] = flip ^ code of row i, for rows [begin, end). Two words of 64 bits are a row: (b, x) and (y, z).
void morton_narrow(const std::int32_t* rows, std::int64_t begin, std::int64_t end, std::uint64_t flip,
                   std::uint64_t* codes) {
  std::int64_t i = begin;
  for (; i + kF64 <= end; i += kF64) {
    u64v low, high;
    std::memcpy(&low, rows + 4 * i, sizeof low);
    std::memcpy(&high, rows + 4 * i + 2 * kF64, sizeof high);
    const u64v bx = every_second<0>(low, high), yz = every_second<1>(low, high);
    const u64v code = morton<u64v>(bx, bx >> 32, yz, yz >> 32) ^ flip;
    std::memcpy(codes + i, &code, sizeof code);
  }
  codes_of(rows, i, end, flip, codes);
}

void morton_wide(const std::int64_t* rows, std::int64_t begin, std::int64_t end, std::uint64_t flip,
                 std::uint64_t* codes) {
  codes_of(rows, begin, end, flip, codes);
}

// out = (b, floor(x / s_x), floor(y / s_y), floor(z / s_z)) for rows [begin, end). A quotient of int32 is at least
// 2^-31 of itself away from the next whole number unless it is one, so binary64 rounds none of them up to it.
void floor_narrow(const std::int32_t* rows, std::int64_t begin, std::int64_t end, const std::int64_t* stride,
                  std::int32_t* out) {
  const double s[4] = {1, static_cast<double>(stride[0]), static_cast<double>(stride[1]),
                       static_cast<double>(stride[2])};
  for (std::int64_t i = begin; i < end; ++i)
    for (std::int64_t a = 0; a < 4; ++a) {
      const double q = static_cast<double>(rows[4 * i + a]) / s[a];
      const auto whole = static_cast<std::int32_t>(q);
      out[4 * i + a] = whole - (static_cast<double>(whole) > q);
    }
}

// The same by shifts, for powers of two.
void shift_narrow(const std::int32_t* rows, std::int64_t begin, std::int64_t end, const std::int64_t* shift,
                  std::int32_t* out) {
  const std::int32_t s[4] = {0, static_cast<std::int32_t>(shift[0]), static_cast<std::int32_t>(shift[1]),
                             static_cast<std::int32_t>(shift[2])};
  for (std::int64_t i = begin; i < end; ++i)
    for (std::int64_t a = 0; a < 4; ++a) out[4 * i + a] = rows[4 * i + a] >> s[a];
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
