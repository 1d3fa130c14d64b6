// Keys parted into those below two bounds, between them and above, in order: a register of lanes at a time.
#include "optimized/key_lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

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
