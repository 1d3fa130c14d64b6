// Keys parted into those below two bounds, between them and above, in order: a register of lanes at a time.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

#if defined(__AVX512F__)
static inline unsigned below(u32v a, u32v b) { return _mm512_cmplt_epu32_mask((__m512i)a, (__m512i)b); }
static inline unsigned below(u64v a, u64v b) { return _mm512_cmplt_epu64_mask((__m512i)a, (__m512i)b); }
static inline u32v packed(u32v v, unsigned lanes) {
  return (u32v)_mm512_maskz_compress_epi32(static_cast<__mmask16>(lanes), (__m512i)v);
}
static inline u64v packed(u64v v, unsigned lanes) {
  return (u64v)_mm512_maskz_compress_epi64(static_cast<__mmask8>(lanes), (__m512i)v);
}
#elif defined(__AVX2__)
// For each set of 8 lanes, a byte each: their numbers in order, then the others'.
struct Lanes8 {
  std::uint64_t order[256];
  constexpr Lanes8() : order() {
    for (unsigned set = 0; set < 256; ++set) {
      int at = 0;
      for (unsigned member = 2; member-- > 0;)
        for (unsigned lane = 0; lane < 8; ++lane)
          if ((set >> lane & 1U) == member) order[set] |= static_cast<std::uint64_t>(lane) << 8 * at++;
    }
  }
};
alignas(64) constexpr Lanes8 kLanes8;

static inline unsigned below(u32v a, u32v b) {
  return static_cast<unsigned>(_mm256_movemask_ps((__m256)(i32v)(a < b)));
}
static inline unsigned below(u64v a, u64v b) {
  return static_cast<unsigned>(_mm256_movemask_pd((__m256d)(i64v)(a < b)));
}
static inline u32v packed(u32v v, unsigned lanes) {
  const __m128i bytes = _mm_cvtsi64_si128(static_cast<long long>(kLanes8.order[lanes]));
  return (u32v)_mm256_permutevar8x32_epi32((__m256i)v, _mm256_cvtepu8_epi32(bytes));
}
static inline u64v packed(u64v v, unsigned lanes) {
  // Each lane is two of 32 bits.
  const unsigned spread = (lanes & 1) * 3 | (lanes & 2) * 6 | (lanes & 4) * 12 | (lanes & 8) * 24;
  return (u64v)packed((u32v)v, spread);
}
#else
static inline unsigned below(u32v a, u32v b) { return static_cast<unsigned>(_mm_movemask_ps((__m128)(i32v)(a < b))); }
static inline unsigned below(u64v a, u64v b) {
  unsigned lanes = 0;
  for (int l = 0; l < kF64; ++l) lanes |= static_cast<unsigned>(a[l] < b[l]) << l;
  return lanes;
}
template <class V>
static inline V packed(V v, unsigned lanes) {
  V out{};
  for (int l = 0, at = 0; l < static_cast<int>(sizeof(V) / sizeof(v[0])); ++l)
    if ((lanes >> l & 1U) != 0) out[at++] = v[l];
  return out;
}
#endif

template <class K>
struct Part {
  K* to;
  std::int64_t count = 0;
  template <class V>
  void take(V v, unsigned lanes) {  // writes a whole register
    const V p = packed(v, lanes);
    std::memcpy(to + count, &p, sizeof p);
    count += __builtin_popcount(lanes);
  }
  void take(K v, bool wanted) {
    to[count] = v;
    count += wanted;
  }
};

template <class V, class K, bool kIndexed>
static void split(const K* keys, const K* index, K base, std::int64_t n, K low, K high, K* left, K* middle,
                  K* middle_index, K* right, std::int64_t* counts) {
  constexpr int lanes = kVectorBytes / static_cast<int>(sizeof(K));
  constexpr unsigned all = (1U << lanes) - 1;
  const V lows = low - V{}, highs = high - V{};
  V steps;
  for (int l = 0; l < lanes; ++l) steps[l] = static_cast<K>(l);
  Part<K> l{left}, m{middle}, mi{middle_index}, r{right};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    V k, p;
    std::memcpy(&k, keys + i, sizeof k);
    p = k;
    if (kIndexed && index) std::memcpy(&p, index + i, sizeof p);
    if (kIndexed && !index) p = steps + (base + static_cast<K>(i));
    const unsigned less = below(k, lows), more = below(highs, k), same = all & ~(less | more);
    l.take(p, less);
    r.take(p, more);
    m.take(k, same);
    if (kIndexed) mi.take(p, same);
  }
  for (; i < n; ++i) {
    const K k = keys[i], p = !kIndexed ? k : index ? index[i] : base + static_cast<K>(i);
    l.take(p, k < low);
    r.take(p, high < k);
    m.take(k, low <= k && k <= high);
    if (kIndexed) mi.take(p, low <= k && k <= high);
  }
  counts[0] = l.count, counts[1] = m.count, counts[2] = r.count;
}

template <class V, class K>
static void census(const K* keys, std::int64_t n, K low, K high, std::int64_t* counts) {
  constexpr int lanes = kVectorBytes / static_cast<int>(sizeof(K));
  const V lows = low - V{}, highs = high - V{};
  V less{}, more{};  // n is below 2^31
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    V k;
    std::memcpy(&k, keys + i, sizeof k);
    less -= (V)(k < lows);
    more -= (V)(k > highs);
  }
  for (int l = 0; l < lanes; ++l) {
    counts[0] += static_cast<std::int64_t>(less[l]);
    counts[2] += static_cast<std::int64_t>(more[l]);
  }
  for (; i < n; ++i) counts[0] += keys[i]<low, counts[2] += keys[i]> high;
}

}  // namespace

// Parts n keys: below `low`, between the two bounds, above `high`. Each of the three places has room for n and a
// register more. With indices (`indexed`; null: base, base + 1, ..) those are what left and right get, and middle_index
// beside the keys in the middle. counts: how many went where.
void split_narrow(bool indexed, const std::uint32_t* keys, const std::uint32_t* index, std::uint32_t base,
                  std::int64_t n, std::uint32_t low, std::uint32_t high, std::uint32_t* left, std::uint32_t* middle,
                  std::uint32_t* middle_index, std::uint32_t* right, std::int64_t* counts) {
  const auto part = indexed ? split<u32v, std::uint32_t, true> : split<u32v, std::uint32_t, false>;
  part(keys, index, base, n, low, high, left, middle, middle_index, right, counts);
}
void split_wide(bool indexed, const std::uint64_t* keys, const std::uint64_t* index, std::uint64_t base, std::int64_t n,
                std::uint64_t low, std::uint64_t high, std::uint64_t* left, std::uint64_t* middle,
                std::uint64_t* middle_index, std::uint64_t* right, std::int64_t* counts) {
  const auto part = indexed ? split<u64v, std::uint64_t, true> : split<u64v, std::uint64_t, false>;
  part(keys, index, base, n, low, high, left, middle, middle_index, right, counts);
}

// Adds to counts[0] and counts[2] how many are below and above.
void split_counts_narrow(const std::uint32_t* keys, std::int64_t n, std::uint32_t low, std::uint32_t high,
                         std::int64_t* counts) {
  census<u32v>(keys, n, low, high, counts);
}
void split_counts_wide(const std::uint64_t* keys, std::int64_t n, std::uint64_t low, std::uint64_t high,
                       std::int64_t* counts) {
  census<u64v>(keys, n, low, high, counts);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
