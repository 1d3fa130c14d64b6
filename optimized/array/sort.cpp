// Stable argsort on the processor. Short lines in numbers: sorting networks, one line per lane. Others: radix
// sort of order-preserving keys with their indices, after a split into buckets that fit the cache.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/radix.h"
#include "optimized/array/sort.h"
#include "optimized/array/sort_lines.h"
#include "optimized/array/sort_values.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void network_narrow(const std::uint32_t* keys, std::int64_t lines, std::int64_t n,
                                       const std::uint16_t* pairs, std::int64_t count, std::uint32_t* out))
PLUMB_DECLARE_SIMD(void network_wide(const std::uint64_t* keys, std::int64_t lines, std::int64_t n,
                                     const std::uint16_t* pairs, std::int64_t count, std::uint32_t* out))
PLUMB_DECLARE_SIMD(std::int64_t network_lanes())

namespace {

using namespace cpu;

constexpr Limit kParallelLine{"sort.parallel_line", 1 << 15, 12};  // a line worth several threads
constexpr Limit kSplitLine{"sort.split_line", 1 << 17, 20};        // a run that one thread sorts better in pieces
constexpr Limit kMaxDepth{"sort.depth", 3, 1};                     // of runs in runs

// ---- Radix sort of one run of keys ----
//
// Elements travel as one 64-bit word: 32 bits of the key (less the least key of the run), then the index. A pass
// is stable, so passes from the lowest digit up sort by the whole key and keep equal keys in their order.

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
  const Span<K> span(keys, n);
  const K least = span.least;
  std::vector<Digit> digits = plan(span.bits(), n);
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

// A run whose result is indices, and buffers for it.
template <class K>
struct Indexed {
  Run<K> run;
  std::uint64_t *a, *b;
  std::uint32_t* out;

  // Elements [begin, end) with the two sets of keys and indices exchanged.
  Indexed part(std::int64_t begin, std::int64_t end, std::uint32_t* room) const {
    return {{run.other_keys + begin, run.keys + begin, run.ids + begin, end - begin, run.other_index + begin,
             (run.index ? run.index : room) + begin},
            a + begin,
            b + begin,
            out + begin};
  }
};

template <class K>
void sort_run(const Indexed<K>& r, std::uint32_t* room, std::int64_t chunks, int depth) {
  const std::int64_t n = r.run.n;
  if ((n < kSplitLine.of(n) && chunks == 1) || depth == kMaxDepth.of(depth + 1)) {
    radix(r.run.keys, n, r.a, r.b, r.out);
    if (r.run.index == nullptr) return;
    for (std::int64_t i = 0; i < n; ++i) r.out[i] = r.run.index[r.out[i]];
    return;
  }
  const std::vector<std::int64_t> begins = split(r.run, chunks);
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
  const Run<K> run{s.keys.get(), s.other_keys.get(), s.ids.get(), n, nullptr, s.index.get()};
  sort_run(Indexed<K>{run, s.a.get(), s.b.get(), to}, s.other_index.get(), chunks, 0);
}

template <class K>
void sort_line(const SortLines& g, std::int64_t line, std::int64_t chunks, Scratch<K>& s, std::uint32_t* out) {
  parallel_each(chunks, [&](std::int64_t c) {
    const Range part = chunk(g.n, chunks, c);
    encode(g, line, part.begin, part.end, s.keys.get() + part.begin);
  });
  out += g.out(line);
  std::uint32_t* to = g.inner == 1 ? out : s.sorted.get();
  sort_keys(g.n, chunks, s, to);
  if (g.inner == 1) return;
  for (std::int64_t i = 0; i < g.n; ++i) out[i * g.inner] = to[i];
}

template <class K>
using Radix = EachLine<Scratch<K>, std::uint32_t, sort_line<K>>;
bool worth_threads(const SortLines& g) { return g.n >= kParallelLine.of(g.n); }

Job prepare_radix(const Call& c, const std::vector<Spec>& specs) {
  const SortLines g(c);
  const Tensor out(specs[0]);
  return wide_keys(c.dtype(0)) ? Radix<std::uint64_t>::job(g, worth_threads(g), out)
                               : Radix<std::uint32_t>::job(g, worth_threads(g), out);
}

// ---- Networks over short lines ----

template <class K>
void network_group(const SortLines& g, std::int64_t first, std::int64_t lines, const Room<std::uint16_t>& pairs,
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
void network(const SortLines& g, std::uint32_t* to) {
  const std::int64_t lanes = PLUMB_DISPATCH(network_lanes)(), groups = (g.lines + lanes - 1) / lanes;
  if (g.n == 0 || g.lines == 0) return;
  const Room<std::uint16_t> pairs = comparators(g.n);
  const std::int64_t grain = 1 + (1 << 13) / (g.n * lanes);
  parallel_for(groups, grain, [&](std::int64_t first, std::int64_t last) {
    Room<K> keys(static_cast<std::size_t>(lanes * g.n));
    Room<std::uint32_t> sorted(keys.size());
    for (std::int64_t i = first; i < last; ++i) {
      network_group(g, i * lanes, std::min(lanes, g.lines - i * lanes), pairs, keys, sorted, to);
    }
  });
}

void prepare_networks(const Call& c, std::vector<Tensor>& out) {
  argsort_by_networks(SortLines(c), out[0].write<std::uint32_t>());
}

template <class K>
void argsort_keys(std::int64_t n, const std::function<void(std::int64_t, std::int64_t, K*)>& make, std::uint32_t* out) {
  if (n == 0) return;
  const std::int64_t chunks = n >= kParallelLine.of(n) ? threads() : 1;
  Scratch<K> s(n);
  parallel_each(chunks,
                [&](std::int64_t c) { make(chunk(n, chunks, c).begin, chunk(n, chunks, c).end, s.keys.get()); });
  sort_keys(n, chunks, s, out);
}

}  // namespace

cpu::SortLines::SortLines(const Call& c)
    : SortLines(c.none("axis") ? contiguous(c[0]).view({c[0].size()}, {1}) : c[0], c.none("axis") ? 0 : c.axis()) {}

cpu::SortLines::SortLines(const Tensor& t, std::int64_t along) : x(t), shape(t.shape()), strides(t.strides()) {
  const auto axis = static_cast<std::size_t>(along);
  n = shape[axis], stride = strides[axis];
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(axis));
  lines = count(shape);
}

std::int64_t cpu::SortLines::base(std::int64_t line) const {
  std::int64_t offset = 0;
  for (std::size_t i = shape.size(); i-- > 0; line /= shape[i]) offset += line % shape[i] * strides[i];
  return offset;
}

std::int64_t cpu::line_length(const Call& c) {
  return c.none("axis") ? count(c.shape(0)) : c.shape(0)[static_cast<std::size_t>(c.axis())];
}

// Batcher's merge exchange (Knuth, TAOCP 5.2.2, algorithm M), for any n.
Room<std::uint16_t> cpu::comparators(std::int64_t n) {
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

void cpu::argsort_by_networks(const SortLines& g, std::uint32_t* out) {
  wide_keys(g.x.dtype()) ? network<std::uint64_t>(g, out) : network<std::uint32_t>(g, out);
}

void cpu::argsort_lines(const SortLines& g, std::uint32_t* out) {
  if (g.n <= kNetworkRows && g.lines >= kNetworkLines) return argsort_by_networks(g, out);
  if (wide_keys(g.x.dtype())) Radix<std::uint64_t>(g, worth_threads(g))(out);
  else Radix<std::uint32_t>(g, worth_threads(g))(out);
}

void cpu::radix_argsort(std::int64_t n, const std::function<void(std::int64_t, std::int64_t, std::uint64_t*)>& make,
                        std::uint32_t* out) {
  argsort_keys(n, make, out);
}
void cpu::radix_argsort(std::int64_t n, const std::function<void(std::int64_t, std::int64_t, std::uint32_t*)>& make,
                        std::uint32_t* out) {
  argsort_keys(n, make, out);
}

std::vector<Route> sort_cpu_routes() {
  std::vector<Route> all{
      {
          .op = "argsort",
          .name = "cpu.network",
          .supports = {{Stage::shape_dtype, "a line is longer than 256",
                        [](const Call& c, const Device&) { return line_length(c) <= kNetworkRows; }}},
          .prefers = {{Stage::shape_dtype, "under 4 lines",
                       [](const Call& c, const Device&) { return c[0].size() >= kNetworkLines * line_length(c); }}},
          .prepare = host<prepare_networks>,
      },
      {
          .op = "argsort",
          .name = "cpu.radix",
          .supports = {},
          .prefers = {},
          .prepare = prepare_radix,
      },
  };
  for (Route& r : cpu::sort_value_routes()) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
