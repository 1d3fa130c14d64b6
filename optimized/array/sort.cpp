// Stable argsort on the processor. Short lines in numbers: sorting networks, one line per lane. Others: radix
// sort of order-preserving keys with their indices, after a split into buckets that fit the cache.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <numeric>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/sort.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void order_keys(Element, const unsigned char* x, std::int64_t stride, std::int64_t n,
                                   std::uint32_t* narrow, std::uint64_t* wide))
PLUMB_DECLARE_SIMD(void bucket_ids_narrow(const std::uint32_t* keys, std::int64_t n, const std::uint32_t* splitters,
                                          int count, std::uint8_t* ids))
PLUMB_DECLARE_SIMD(void bucket_ids_wide(const std::uint64_t* keys, std::int64_t n, const std::uint64_t* splitters,
                                        int count, std::uint8_t* ids))
PLUMB_DECLARE_SIMD(void network_narrow(const std::uint32_t* keys, std::int64_t lines, std::int64_t n,
                                       const std::uint16_t* pairs, std::int64_t count, std::uint32_t* out))
PLUMB_DECLARE_SIMD(void network_wide(const std::uint64_t* keys, std::int64_t lines, std::int64_t n,
                                     const std::uint16_t* pairs, std::int64_t count, std::uint32_t* out))
PLUMB_DECLARE_SIMD(std::int64_t network_lanes())

namespace {

constexpr std::int64_t kNetworkRows = 256;  // the longest line of a network
constexpr std::int64_t kNetworkLines = 4;   // fewer leave most lanes idle
constexpr std::int64_t kRunBuckets = 32;
constexpr Limit kParallelLine{"sort.parallel_line", 1 << 15, 12};  // a line worth several threads
constexpr Limit kSplitLine{"sort.split_line", 1 << 17, 20};        // a run that one thread sorts better in pieces
constexpr Limit kMaxDepth{"sort.depth", 3, 1};                     // of runs in runs
constexpr Limit kLateDigits{"sort.late_digits", 2, -4};  // bits by which a digit is narrower than a count of elements

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

// ---- Geometry: where line l of the input begins, and where its result goes ----

struct Geometry {
  Tensor x;  // one axis is sorted; all others enumerate lines in row-major order
  std::int64_t n = 0, stride = 0, lines = 0, inner = 1;
  Shape shape;
  Strides strides;

  std::int64_t base(std::int64_t line) const {
    std::int64_t offset = 0;
    for (std::size_t i = shape.size(); i-- > 0; line /= shape[i]) offset += line % shape[i] * strides[i];
    return offset;
  }
  std::int64_t out(std::int64_t line) const { return line / inner * n * inner + line % inner; }
};

Geometry geometry(const Call& c) {
  Tensor x = c[0];
  if (c.none("axis")) x = contiguous(x).view({x.size()}, {1});
  const auto axis = static_cast<std::size_t>(c.none("axis") ? 0 : c.axis());
  Geometry g{x, x.shape()[axis], x.strides()[axis], 1, 1, x.shape(), x.strides()};
  for (std::size_t i = axis + 1; i < g.shape.size(); ++i) g.inner *= g.shape[i];
  g.shape.erase(g.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  g.strides.erase(g.strides.begin() + static_cast<std::ptrdiff_t>(axis));
  g.lines = count(g.shape);
  return g;
}

// Keys of elements [begin, end) of a line, to keys[begin] ..
template <class K>
void encode(const Geometry& g, std::int64_t line, std::int64_t begin, std::int64_t end, K* keys) {
  const int bytes = info(g.x.dtype()).bytes;
  const unsigned char* x = g.x.read<unsigned char>() + (g.base(line) + begin * g.stride) * bytes;
  if constexpr (sizeof(K) == 4) {
    PLUMB_DISPATCH(order_keys)(element_of(g.x.dtype()), x, g.stride, end - begin, keys + begin, nullptr);
  } else {
    PLUMB_DISPATCH(order_keys)(element_of(g.x.dtype()), x, g.stride, end - begin, nullptr, keys + begin);
  }
}

// ---- Radix sort of one run of keys ----
//
// Elements travel as one 64-bit word: 32 bits of the key (less the least key of the run), then the index. A pass
// is stable, so passes from the lowest digit up sort by the whole key and keep equal keys in their order.

constexpr int kMinDigitBits = 6, kMaxDigitBits = 11, kMaxDigits = 12;

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
std::vector<Digit> plan(int bits, std::int64_t n) {
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

// Moves elements stably to the place that the counts make for their digit; `next` is used up.
template <class Source, class T>
void scatter(std::int64_t n, const Digit& digit, Counts& next, const Source& from, T* to) {
  std::uint32_t sum = 0;
  for (std::size_t b = 0; b <= digit.mask; ++b) sum += std::exchange(next[b], sum);
  const int shift = 32 + digit.shift;
  const std::uint64_t mask = digit.mask;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t pair = from(i);
    to[next[pair >> shift & mask]++] = static_cast<T>(pair);
  }
}

// out = the positions 0 .. n-1 in the order of their keys; a and b are buffers.
template <class K>
void radix(const K* keys, std::int64_t n, std::uint64_t* a, std::uint64_t* b, std::uint32_t* out) {
  K least = keys[0], most = keys[0];
  for (std::int64_t i = 0; i < n; ++i) {
    least = std::min(least, keys[i]);
    most = std::max(most, keys[i]);
  }
  std::vector<Digit> digits = plan(static_cast<int>(std::bit_width(static_cast<K>(most - least))), n);
  std::array<Counts, kMaxDigits> counts;
  census(keys, n, least, digits, counts.data());
  const auto pair = [=](int window, std::int64_t i) {
    const auto bits = static_cast<std::uint32_t>(static_cast<K>(keys[i] - least) >> (sizeof(K) == 8 ? 32 * window : 0));
    return static_cast<std::uint64_t>(bits) << 32 | static_cast<std::uint64_t>(i);
  };
  int window = -1;  // of the pairs in a; none yet
  std::size_t left = digits.size();
  for (std::size_t d = 0; d < digits.size(); ++d) {
    const Digit digit = digits[d];
    const bool last = --left == 0;
    const bool idle = counts[d][digit.of(static_cast<K>(keys[0] - least))] == n;  // one value of this digit
    if (idle && !last) continue;
    const auto from_keys = [=](std::int64_t i) { return pair(digit.window, i); };
    const auto from_pairs = [=](std::int64_t i) { return a[i]; };
    if (window >= 0 && window != digit.window) {
      for (std::int64_t i = 0; i < n; ++i) a[i] = from_keys(static_cast<std::uint32_t>(a[i]));
    }
    if (window < 0 && last) scatter(n, digit, counts[d], from_keys, out);
    if (window < 0 && !last) scatter(n, digit, counts[d], from_keys, b);
    if (window >= 0 && last) scatter(n, digit, counts[d], from_pairs, out);
    if (window >= 0 && !last) scatter(n, digit, counts[d], from_pairs, b);
    window = digit.window;
    std::swap(a, b);
  }
  if (digits.empty()) std::iota(out, out + n, 0u);
}

// ---- Buckets: runs that fit the cache, and work for every thread ----

struct Range {
  std::int64_t begin, end;
};
Range chunk(std::int64_t n, std::int64_t chunks, std::int64_t i) { return {n * i / chunks, n * (i + 1) / chunks}; }

// One run: its keys, the original indices they came with (null: 0 .. n-1), and as much room again.
template <class K>
struct Run {
  K *keys, *other_keys;
  std::uint32_t *index, *other_index;
  std::uint8_t* ids;
  std::uint64_t *a, *b;
  std::uint32_t* out;
  std::int64_t n;

  // Elements [begin, end) with the two sets of keys and indices exchanged.
  Run part(std::int64_t begin, std::int64_t end, std::uint32_t* room) const {
    return {other_keys + begin, keys + begin, other_index + begin, (index ? index : room) + begin,
            ids + begin,        a + begin,    b + begin,           out + begin,
            end - begin};
  }
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
      r.other_index[to] = r.index ? r.index[i] : static_cast<std::uint32_t>(i);
    }
  });
  return begins;
}

template <class K>
void sort_run(const Run<K>& r, std::uint32_t* room, std::int64_t chunks, int depth) {
  if ((r.n < kSplitLine.of(r.n) && chunks == 1) || depth == kMaxDepth.of(depth + 1)) {
    radix(r.keys, r.n, r.a, r.b, r.out);
    if (r.index == nullptr) return;
    for (std::int64_t i = 0; i < r.n; ++i) r.out[i] = r.index[r.out[i]];
    return;
  }
  const std::vector<std::int64_t> begins = split(r, chunks);
  parallel_each(kRunBuckets, [&](std::int64_t b) {
    const auto i = static_cast<std::size_t>(b);
    if (begins[i] < begins[i + 1]) sort_run(r.part(begins[i], begins[i + 1], room), nullptr, 1, depth + 1);
  });
}

// One line's buffers, made once per job.
template <class K>
struct Scratch {
  Block<K> keys, other_keys;
  Block<std::uint32_t> index, other_index, sorted;
  Block<std::uint8_t> ids;
  Block<std::uint64_t> a, b;
  explicit Scratch(std::int64_t n)
      : keys(block<K>(n)),
        other_keys(block<K>(n)),
        index(block<std::uint32_t>(n)),
        other_index(block<std::uint32_t>(n)),
        sorted(block<std::uint32_t>(n)),
        ids(block<std::uint8_t>(n)),
        a(block<std::uint64_t>(n)),
        b(block<std::uint64_t>(n)) {}
};

// The keys of one line are in s.keys.
template <class K>
void sort_keys(std::int64_t n, std::int64_t chunks, Scratch<K>& s, std::uint32_t* to) {
  const Run<K> whole{
      s.keys.get(), s.other_keys.get(), nullptr, s.index.get(), s.ids.get(), s.a.get(), s.b.get(), to, n};
  sort_run(whole, s.other_index.get(), chunks, 0);
}

template <class K>
void sort_line(const Geometry& g, std::int64_t line, std::int64_t chunks, Scratch<K>& s, std::uint32_t* out) {
  parallel_each(chunks, [&](std::int64_t c) {
    encode(g, line, chunk(g.n, chunks, c).begin, chunk(g.n, chunks, c).end, s.keys.get());
  });
  out += g.out(line);
  std::uint32_t* to = g.inner == 1 ? out : s.sorted.get();
  sort_keys(g.n, chunks, s, to);
  if (g.inner == 1) return;
  for (std::int64_t i = 0; i < g.n; ++i) out[i * g.inner] = to[i];
}

// Many lines: each thread its own; few long ones: all threads on each in turn.
template <class K>
Job radix_job(const Geometry& g, const Tensor& out) {
  const bool together = g.n >= kParallelLine.of(g.n) && g.lines < 2 * threads();
  const std::int64_t slots = together ? 1 : std::clamp<std::int64_t>(g.lines, 1, threads());
  const std::int64_t chunks = together ? threads() : 1;
  auto scratch = std::make_shared<std::vector<Scratch<K>>>();
  for (std::int64_t i = 0; i < slots; ++i) scratch->emplace_back(g.n);
  auto launch = [g, out, scratch, slots, chunks] {
    std::uint32_t* to = out.write<std::uint32_t>();
    if (g.n == 0) return;
    const auto lines_of = [&](std::int64_t slot) {
      const Range r = chunk(g.lines, slots, slot);
      for (std::int64_t l = r.begin; l < r.end; ++l) {
        sort_line(g, l, chunks, (*scratch)[static_cast<std::size_t>(slot)], to);
      }
    };
    if (slots == 1) return lines_of(0);
    parallel_each(slots, lines_of);
  };
  return {launch, [] {}, [out] { return std::vector<Tensor>{out}; }};
}

bool is_wide(const Call& c) { return info(c.dtype(0)).bytes == 8; }

Job prepare_radix(const Call& c, const std::vector<Spec>& specs) {
  const Geometry g = geometry(c);
  const Tensor out(specs[0]);
  return is_wide(c) ? radix_job<std::uint64_t>(g, out) : radix_job<std::uint32_t>(g, out);
}

// ---- Networks over short lines ----

// Batcher's merge exchange (Knuth, TAOCP 5.2.2, algorithm M), for any n.
Room<std::uint16_t> comparators(std::int64_t n) {
  Room<std::uint16_t> pairs;
  std::int64_t top = 1;
  while (2 * top < n) top *= 2;
  for (std::int64_t p = top; p > 0 && n > 1; p /= 2) {
    std::int64_t q = top, r = 0, d = p;
    for (;;) {
      for (std::int64_t i = 0; i + d < n; ++i) {
        if ((i & p) != r) continue;
        pairs.push_back(static_cast<std::uint16_t>(i));
        pairs.push_back(static_cast<std::uint16_t>(i + d));
      }
      if (q == p) break;
      d = q - p;
      q /= 2;
      r = p;
    }
  }
  return pairs;
}

template <class K>
void network_group(const Geometry& g, std::int64_t first, std::int64_t lines, const Room<std::uint16_t>& pairs,
                   Room<K>& keys, Room<std::uint32_t>& sorted, std::uint32_t* out) {
  for (std::int64_t l = 0; l < lines; ++l) encode(g, first + l, 0, g.n, keys.data() + l * g.n);
  std::uint32_t* to = g.inner == 1 ? out + first * g.n : sorted.data();
  const auto count = static_cast<std::int64_t>(pairs.size() / 2);
  if constexpr (sizeof(K) == 4) {
    PLUMB_DISPATCH(network_narrow)(keys.data(), lines, g.n, pairs.data(), count, to);
  } else {
    PLUMB_DISPATCH(network_wide)(keys.data(), lines, g.n, pairs.data(), count, to);
  }
  if (g.inner == 1) return;
  for (std::int64_t l = 0; l < lines; ++l) {
    for (std::int64_t i = 0; i < g.n; ++i)
      out[g.out(first + l) + i * g.inner] = sorted[static_cast<std::size_t>(l * g.n + i)];
  }
}

template <class K>
void network(const Call& c, std::vector<Tensor>& out) {
  const Geometry g = geometry(c);
  const std::int64_t lanes = PLUMB_DISPATCH(network_lanes)(), groups = (g.lines + lanes - 1) / lanes;
  if (g.n == 0 || g.lines == 0) return;
  const Room<std::uint16_t> pairs = comparators(g.n);
  std::uint32_t* to = out[0].write<std::uint32_t>();
  const std::int64_t grain = 1 + (1 << 13) / (g.n * lanes);
  parallel_for(groups, grain, [&](std::int64_t first, std::int64_t last) {
    Room<K> keys(static_cast<std::size_t>(lanes * g.n));
    Room<std::uint32_t> sorted(keys.size());
    for (std::int64_t i = first; i < last; ++i) {
      network_group(g, i * lanes, std::min(lanes, g.lines - i * lanes), pairs, keys, sorted, to);
    }
  });
}

void sort_networks(const Call& c, std::vector<Tensor>& out) {
  is_wide(c) ? network<std::uint64_t>(c, out) : network<std::uint32_t>(c, out);
}

std::int64_t line_length(const Call& c) {
  return c.none("axis") ? c[0].size() : c.shape(0)[static_cast<std::size_t>(c.axis())];
}

}  // namespace

void cpu::radix_argsort(std::int64_t n, const std::function<void(std::int64_t, std::int64_t, std::uint64_t*)>& make,
                        std::uint32_t* out) {
  if (n == 0) return;
  const std::int64_t chunks = n >= kParallelLine.of(n) ? threads() : 1;
  Scratch<std::uint64_t> s(n);
  parallel_each(chunks,
                [&](std::int64_t c) { make(chunk(n, chunks, c).begin, chunk(n, chunks, c).end, s.keys.get()); });
  sort_keys(n, chunks, s, out);
}

std::vector<Route> sort_cpu_routes() {
  return {
      {
          .op = "argsort",
          .name = "cpu.network",
          .supports = {{Stage::shape_dtype, "a line is longer than 256",
                        [](const Call& c, const Device&) { return line_length(c) <= kNetworkRows; }}},
          .prefers = {{Stage::shape_dtype, "under 4 lines",
                       [](const Call& c, const Device&) { return c[0].size() >= kNetworkLines * line_length(c); }}},
          .prepare = host<sort_networks>,
      },
      {
          .op = "argsort",
          .name = "cpu.radix",
          .supports = {},
          .prefers = {},
          .prepare = prepare_radix,
      },
  };
}

}  // namespace plumb
