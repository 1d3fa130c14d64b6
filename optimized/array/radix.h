// The parts of a radix sort on the processor: digits and their counts, and buckets of the key's range, which fit the
// cache and make work for every thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void bucket_ids_narrow(const std::uint32_t* keys, std::int64_t n, const std::uint32_t* splitters,
                                          int count, std::uint8_t* ids))
PLUMB_DECLARE_SIMD(void bucket_ids_wide(const std::uint64_t* keys, std::int64_t n, const std::uint64_t* splitters,
                                        int count, std::uint8_t* ids))

namespace cpu {

inline constexpr std::int64_t kRunBuckets = 32;
inline constexpr Limit kLateDigits{"sort.late_digits", 2,
                                   -4};  // bits by which a digit is narrower than a count of elements

// Uninitialised memory on whole cache lines; large ones ask for huge pages, since a pass writes to 256 places at
// once and would miss the translation cache on small ones.
struct Free {
  std::size_t align;
  void operator()(void* p) const { give_room(p, align); }
};
template <class T>
using Block = std::unique_ptr<T[], Free>;
template <class T>
Block<T> block(std::int64_t n) {
  constexpr std::size_t kLine = 64, kHuge = std::size_t{1} << 21;
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T), align = bytes >= kHuge ? kHuge : kLine;
  void* p = take_room(bytes, align);
#if defined(__linux__)
  if (align == kHuge) madvise(p, bytes, MADV_HUGEPAGE);
#endif
  return Block<T>(static_cast<T*>(p), Free{align});
}

// ---- Digits

inline constexpr int kMinDigitBits = 6, kMaxDigitBits = 11, kMaxDigits = 12;

// Of some keys, none of them missing.
template <class K>
struct Span {
  K least, most;
  Span(const K* keys, std::int64_t n) : least(keys[0]), most(keys[0]) {
    for (std::int64_t i = 0; i < n; ++i) {
      least = std::min(least, keys[i]);
      most = std::max(most, keys[i]);
    }
  }
  int bits() const { return static_cast<int>(std::bit_width(static_cast<K>(most - least))); }
};

// Some adjacent bits of a 32-bit window of the key.
struct Digit {
  int window, shift;
  std::uint32_t mask;
  template <class K>
  std::size_t of(K key) const {
    return static_cast<std::size_t>(key >> (32 * window + shift)) & mask;
  }
};

// Digits as wide as pays for n elements, of equal width within a window.
inline std::vector<Digit> plan(int bits, std::int64_t n) {
  const int counted = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n)));
  const int widest =
      std::clamp(counted - static_cast<int>(kLateDigits.of(counted - kMinDigitBits)), kMinDigitBits, kMaxDigitBits);
  std::vector<Digit> digits;
  for (int window = 0; 32 * window < bits; ++window) {
    const int here = std::min(bits - 32 * window, 32), passes = (here + widest - 1) / widest;
    for (int p = 0; p < passes; ++p) {
      const int begin = here * p / passes, end = here * (p + 1) / passes;
      digits.push_back({window, begin, (1u << (end - begin)) - 1});
    }
  }
  return digits;
}

using Counts = std::array<std::uint32_t, std::size_t{1} << kMaxDigitBits>;

template <class K, std::size_t kDigits>
void census(const K* keys, std::int64_t n, K least, const Digit* digits, Counts* counts) {
  std::array<Digit, kDigits> d;
  std::copy_n(digits, kDigits, d.begin());
  for (std::size_t i = 0; i < kDigits; ++i) std::fill_n(counts[i].begin(), d[i].mask + 1, 0u);
  for (std::int64_t e = 0; e < n; ++e) {
    const K key = keys[e] - least;
    for (std::size_t i = 0; i < kDigits; ++i) ++counts[i][d[i].of(key)];
  }
}

template <class K>
void census(const K* keys, std::int64_t n, K least, const std::vector<Digit>& digits, Counts* counts) {
  for (std::size_t i = 0; i < digits.size();) {
    const std::size_t left = digits.size() - i, take = std::min<std::size_t>(left, 4);
    const auto count = take == 1 ? census<K, 1> : take == 2 ? census<K, 2> : take == 3 ? census<K, 3> : census<K, 4>;
    count(keys, n, least, digits.data() + i, counts + i);
    i += take;
  }
}

// ---- Buckets

struct Range {
  std::int64_t begin, end;
};
inline Range chunk(std::int64_t n, std::int64_t chunks, std::int64_t i) {
  return {n * i / chunks, n * (i + 1) / chunks};
}

// One run: its keys, the original indices they came with (null: 0 .. n-1), and as much room again. Without
// other_index keys travel alone.
template <class K>
struct Run {
  K *keys, *other_keys;
  std::uint8_t* ids;
  std::int64_t n;
  std::uint32_t *index = nullptr, *other_index = nullptr;
};

template <class K>
Room<K> splitters_of(const K* keys, std::int64_t n) {
  constexpr std::int64_t kOver = 32;
  Room<K> sample(static_cast<std::size_t>(kOver * kRunBuckets));
  const std::int64_t step = std::max<std::int64_t>(1, n / static_cast<std::int64_t>(sample.size()));
  for (std::size_t i = 0; i < sample.size(); ++i) sample[i] = keys[static_cast<std::int64_t>(i) * step % n];
  std::sort(sample.begin(), sample.end());
  Room<K> out;
  for (std::int64_t b = 1; b < kRunBuckets; ++b) out.push_back(sample[static_cast<std::size_t>(b * kOver)]);
  return out;
}

// Distributes the run stably over buckets of the key's range, chunks of it at a time; returns where each begins.
template <class K>
std::vector<std::int64_t> split(const Run<K>& r, std::int64_t chunks) {
  const Room<K> splitters = splitters_of(r.keys, r.n);
  const int cuts = static_cast<int>(splitters.size());
  Room<std::array<std::int64_t, kRunBuckets>> next(static_cast<std::size_t>(chunks));
  parallel_each(chunks, [&](std::int64_t c) {
    const Range span = chunk(r.n, chunks, c);
    auto& count = next[static_cast<std::size_t>(c)];
    if constexpr (sizeof(K) == 4) {
      PLUMB_DISPATCH(bucket_ids_narrow)
      (r.keys + span.begin, span.end - span.begin, splitters.data(), cuts, r.ids + span.begin);
    } else {
      PLUMB_DISPATCH(bucket_ids_wide)
      (r.keys + span.begin, span.end - span.begin, splitters.data(), cuts, r.ids + span.begin);
    }
    count.fill(0);
    for (std::int64_t i = span.begin; i < span.end; ++i) ++count[r.ids[i]];
  });
  std::vector<std::int64_t> begins;
  std::int64_t sum = 0;
  for (std::size_t b = 0; b < kRunBuckets; ++b) {
    begins.push_back(sum);
    for (auto& count : next) sum += std::exchange(count[b], sum);
  }
  begins.push_back(sum);
  parallel_each(chunks, [&](std::int64_t c) {
    const Range span = chunk(r.n, chunks, c);
    auto at = next[static_cast<std::size_t>(c)];
    for (std::int64_t i = span.begin; i < span.end; ++i) {
      const std::int64_t to = at[r.ids[i]]++;
      r.other_keys[to] = r.keys[i];
      if (r.other_index) r.other_index[to] = r.index ? r.index[i] : static_cast<std::uint32_t>(i);
    }
  });
  return begins;
}

}  // namespace cpu
}  // namespace plumb
