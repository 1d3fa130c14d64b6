// Sorted values on the processor. Short lines in numbers: sorting networks, one line per lane. Others: keys that travel
// alone, sorted by quicksort over vectors, or, by the base instruction set, by their digits. Complex numbers follow
// their stable order.
#include "optimized/array/sort_values.h"

#include <cstring>

#include "core/route.h"
#include "optimized/array/order/quick.h"
#include "optimized/array/radix.h"
#include "optimized/array/sort_lines.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void network_keys_narrow(std::uint32_t* keys, std::int64_t lines, std::int64_t n,
                                            const std::uint16_t* pairs, std::int64_t count))
PLUMB_DECLARE_SIMD(void network_keys_wide(std::uint64_t* keys, std::int64_t lines, std::int64_t n,
                                          const std::uint16_t* pairs, std::int64_t count))
PLUMB_DECLARE_SIMD(std::int64_t network_keys_lanes(std::int64_t bytes))

namespace {

using namespace cpu;

constexpr Limit kParallelValues{"sort.parallel_values", 1 << 15, 12};  // a line worth several threads
constexpr Limit kQuickLeaf{"sort.quick_leaf", 256, 12};                // keys that a network sorts
constexpr Limit kQuickCached{"sort.quick_cached", 1 << 14, 24};  // keys that are in the cache once they are sorted
constexpr Limit kQuickLuck{"sort.quick_luck", 64, 1};            // levels before a range is halved

// ---- Zeros: keys know both apart, the order does not ----

constexpr std::int64_t kPiece = 1024;

// f(keys, n, zeros) for pieces of a line.
template <class K, class F>
void for_each_piece(const SortLines& g, std::int64_t line, F&& f) {
  K keys[kPiece];
  for (std::int64_t i = 0; i < g.n; i += kPiece) {
    const std::int64_t n = std::min(kPiece, g.n - i);
    const int zeros = value_keys_of(g, line, i, i + n, keys);
    f(keys, n, zeros);
  }
}

// Puts the zeros of a sorted line, of which the last `kept` values are at `out`, into the order that they came in.
template <class K>
void restore_zeros(const SortLines& g, std::int64_t line, std::int64_t kept, unsigned char* out, std::int64_t stride) {
  const int bytes = info(g.x.dtype()).bytes;
  const K positive = K{1} << (8 * bytes - 1), negative = positive - 1;
  std::int64_t at = kept - g.n;
  for_each_piece<K>(g, line, [&](const K* keys, std::int64_t n, int) {
    for (std::int64_t i = 0; i < n; ++i) at += keys[i] < negative;
  });
  for_each_piece<K>(g, line, [&](const K* keys, std::int64_t n, int zeros) {
    for (std::int64_t i = 0; i < n && zeros != 0; ++i) {
      if (keys[i] != negative && keys[i] != positive) continue;
      if (at >= 0) values_of(element_of(g.x.dtype()), keys + i, 1, out + at * stride * bytes, stride);
      ++at;
    }
  });
}

// ---- Radix sort ----

// f(sorted, n) for the keys in their order; `other` is a buffer.
template <class K, class F>
void radix(K* keys, K* other, std::int64_t n, const F& f) {
  const Span<K> span(keys, n);
  const std::vector<Digit> digits = plan(span.bits(), n);
  std::array<Counts, kMaxDigits> counts;
  census(keys, n, span.least, digits, counts.data());
  if (digits.size() == 1) {
    std::int64_t at = 0;
    for (std::uint32_t d = 0; d <= digits[0].mask; ++d) {
      std::fill_n(keys + at, counts[0][d], static_cast<K>(span.least + d));
      at += counts[0][d];
    }
    return f(keys, n);
  }
  for (std::size_t d = 0; d < digits.size(); ++d) {
    const Digit digit = digits[d];
    Counts& next = counts[d];
    if (next[digit.of(static_cast<K>(keys[0] - span.least))] == n) continue;  // one value of this digit
    std::uint32_t sum = 0;
    for (std::size_t b = 0; b <= digit.mask; ++b) sum += std::exchange(next[b], sum);
    for (std::int64_t i = 0; i < n; ++i) other[next[digit.of(static_cast<K>(keys[i] - span.least))]++] = keys[i];
    std::swap(keys, other);
  }
  f(keys, n);
}

// ---- Quicksort ----

// f(sorted, begin, n) for parts that follow one another. Not for processors of the base set.
template <class K, class F>
void quick(K* keys, K* other, std::int64_t n, const F& f) {
  const QuickLimits limits{kQuickLeaf.of(n), kQuickCached.of(n), static_cast<int>(kQuickLuck.now())};
  const SortedPart<K> done = [](void* context, const K* sorted, std::int64_t begin, std::int64_t many) {
    (*static_cast<const F*>(context))(sorted, begin, many);
  };
  auto* context = const_cast<F*>(&f);
  int deepest = 0;
  if constexpr (sizeof(K) == 4) deepest = PLUMB_DISPATCH(quick_sort_narrow)(keys, other, n, limits, done, context);
  else deepest = PLUMB_DISPATCH(quick_sort_wide)(keys, other, n, limits, done, context);
  (void)kQuickLuck.of(deepest);
}

template <class K>
std::int64_t part(const K* x, K* y, std::int64_t n, K bound) {
  if constexpr (sizeof(K) == 4) return PLUMB_DISPATCH(part_narrow)(x, y, n, bound);
  else return PLUMB_DISPATCH(part_wide)(x, y, n, bound);
}

// A line in pieces for threads: each parts its chunk about the same bounds, then pieces are brought together.
template <class K>
class Pieces {
 public:
  Pieces(const Run<K>& r, std::int64_t chunks) : r_(r), bounds_(splitters_of(r.keys, r.n)) {
    parts_.resize(static_cast<std::size_t>(chunks));
    parallel_each(chunks, [&](std::int64_t c) {
      const Range span = chunk(r.n, chunks, c);
      divide(r.keys, r.other_keys, span, {0, kRunBuckets}, parts_[static_cast<std::size_t>(c)]);
    });
    std::vector<Ranges> from = parts_;
    std::int64_t at = 0;
    for (std::size_t b = 0; b < kRunBuckets; ++b) {
      begins_[b] = at;
      for (Ranges& p : parts_) {
        const std::int64_t n = p[b].end - p[b].begin;
        p[b] = {at, at + n};
        at += n;
      }
    }
    begins_[kRunBuckets] = at;
    parallel_each(chunks, [&](std::int64_t c) {
      const auto i = static_cast<std::size_t>(c);
      for (std::size_t b = 0; b < kRunBuckets; ++b)
        std::copy(r.other_keys + from[i][b].begin, r.other_keys + from[i][b].end, r.keys + parts_[i][b].begin);
    });
  }

  // f(sorted, begin, n) for parts of the whole, on any thread.
  template <class F>
  void sort(const F& f) const {
    parallel_each(kRunBuckets, [&](std::int64_t b) {
      const std::int64_t first = begins_[static_cast<std::size_t>(b)];
      const std::int64_t n = begins_[static_cast<std::size_t>(b) + 1] - first;
      const auto mine = [&](const K* sorted, std::int64_t begin, std::int64_t many) { f(sorted, first + begin, many); };
      if (n > 0) quick(r_.keys + first, r_.other_keys + first, n, mine);
    });
  }

 private:
  using Ranges = std::array<Range, kRunBuckets>;
  // Keys of x in a range, to the buckets of one: an odd number of times to the other place, so that they end there.
  void divide(K* x, K* y, Range keys, Range buckets, Ranges& to) const {
    if (buckets.end - buckets.begin == 1) {
      to[static_cast<std::size_t>(buckets.begin)] = keys;
      return;
    }
    const std::int64_t half = (buckets.begin + buckets.end) / 2;
    const K bound = bounds_[static_cast<std::size_t>(half - 1)];
    const std::int64_t first = part(x + keys.begin, y + keys.begin, keys.end - keys.begin, bound);
    divide(y, x, {keys.begin, keys.begin + first}, {buckets.begin, half}, to);
    divide(y, x, {keys.begin + first, keys.end}, {half, buckets.end}, to);
  }

  Run<K> r_;
  Room<K> bounds_;
  std::vector<Ranges> parts_;
  std::array<std::int64_t, kRunBuckets + 1> begins_{};
};
static_assert(kRunBuckets == 32, "parted five times, an odd number");

// f(sorted, begin, n) for parts of the whole, on any thread.
template <class K, class F>
void sort_run(const Run<K>& r, std::int64_t chunks, const F& f) {
  if (isa() == Isa::base) radix(r.keys, r.other_keys, r.n, [&](const K* sorted, std::int64_t n) { f(sorted, 0, n); });
  else if (chunks > 1) Pieces<K>(r, chunks).sort(f);
  else quick(r.keys, r.other_keys, r.n, f);
}

template <class K>
struct Scratch {
  Block<K> keys, other;
  explicit Scratch(std::int64_t n) : keys(block<K>(n)), other(block<K>(n)) {}
};

template <class K>
void sort_line(const SortLines& g, std::int64_t line, std::int64_t chunks, Scratch<K>& s, unsigned char* all) {
  const Element type = element_of(g.x.dtype());
  const int bytes = info(g.x.dtype()).bytes;
  unsigned char* out = all + g.out(line) * bytes;
  std::vector<int> zeros(static_cast<std::size_t>(chunks));
  parallel_each(chunks, [&](std::int64_t c) {
    const Range part = chunk(g.n, chunks, c);
    for (std::int64_t i = part.begin; i < part.end; i += kPiece)
      zeros[static_cast<std::size_t>(c)] |= value_keys_of(g, line, i, std::min(i + kPiece, part.end), s.keys.get() + i);
  });
  const Run<K> run{s.keys.get(), s.other.get(), nullptr, g.n};
  sort_run(run, chunks, [&](const K* sorted, std::int64_t begin, std::int64_t n) {
    values_of(type, sorted, n, out + begin * g.inner * bytes, g.inner);
  });
  int both = 0;
  for (const int z : zeros) both |= z;
  if (both == kBothZeros) restore_zeros<K>(g, line, g.n, out, g.inner);
}

template <class K>
using Radix = EachLine<Scratch<K>, unsigned char, sort_line<K>>;
bool worth_threads(const SortLines& g) { return g.n >= kParallelValues.of(g.n); }

// ---- Complex numbers ----

void sort_complex(const Call& c, std::vector<Tensor>& out) {
  const SortLines g(c);
  Room<std::uint32_t> order(static_cast<std::size_t>(g.lines * g.n));
  argsort_lines(g, order.data());
  auto* to = out[0].write<std::uint64_t>();
  parallel_for(g.lines, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t l = first; l < last; ++l) {
      const std::int64_t at = g.out(l);
      parallel_for(g.n, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
        const unsigned char* x = element_at(g, l, 0);
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t from = order[static_cast<std::size_t>(at + i * g.inner)];
          std::memcpy(to + at + i * g.inner, x + from * g.stride * 8, 8);
        }
      });
    }
  });
}

Job prepare_radix(const Call& c, const std::vector<Spec>& specs) {
  if (c.dtype(0) == Dtype::c64) return host<sort_complex>(c, specs);
  const SortLines g(c);
  const Tensor out(specs[0]);
  return wide_keys(c.dtype(0)) ? Radix<std::uint64_t>::job(g, worth_threads(g), out)
                               : Radix<std::uint32_t>::job(g, worth_threads(g), out);
}

// ---- Networks over short lines ----

void run_network(std::uint32_t* keys, std::int64_t lines, std::int64_t n, const Room<std::uint16_t>& pairs) {
  PLUMB_DISPATCH(network_keys_narrow)(keys, lines, n, pairs.data(), static_cast<std::int64_t>(pairs.size() / 2));
}
void run_network(std::uint64_t* keys, std::int64_t lines, std::int64_t n, const Room<std::uint16_t>& pairs) {
  PLUMB_DISPATCH(network_keys_wide)(keys, lines, n, pairs.data(), static_cast<std::int64_t>(pairs.size() / 2));
}

template <class K>
void network(const SortLines& g, std::int64_t kept, unsigned char* to) {
  if (g.n == 0 || g.lines == 0 || kept == 0) return;
  const Element type = element_of(g.x.dtype());
  const int bytes = info(g.x.dtype()).bytes;
  const std::int64_t lanes = PLUMB_DISPATCH(network_keys_lanes)(sizeof(K)), groups = (g.lines + lanes - 1) / lanes;
  const Room<std::uint16_t> pairs = comparators(g.n);
  parallel_for(groups, 1 + (1 << 13) / (g.n * lanes), [&](std::int64_t first, std::int64_t last) {
    Room<K> keys(static_cast<std::size_t>(lanes * g.n));
    std::vector<int> zeros(static_cast<std::size_t>(lanes));
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t lines = std::min(lanes, g.lines - i * lanes);
      for (std::int64_t l = 0; l < lines; ++l)
        zeros[static_cast<std::size_t>(l)] = value_keys_of(g, i * lanes + l, 0, g.n, keys.data() + l * g.n);
      run_network(keys.data(), lines, g.n, pairs);
      for (std::int64_t l = 0; l < lines; ++l) {
        unsigned char* out = to + g.out(i * lanes + l, kept) * bytes;
        values_of(type, keys.data() + (l + 1) * g.n - kept, kept, out, g.inner);
        if (zeros[static_cast<std::size_t>(l)] == kBothZeros) restore_zeros<K>(g, i * lanes + l, kept, out, g.inner);
      }
    }
  });
}

void sort_networks(const Call& c, std::vector<Tensor>& out) {
  const SortLines g(c);
  sort_values_by_networks(g, g.n, out[0].write<unsigned char>());
}

}  // namespace

void cpu::sort_values_by_networks(const SortLines& g, std::int64_t kept, unsigned char* out) {
  wide_keys(g.x.dtype()) ? network<std::uint64_t>(g, kept, out) : network<std::uint32_t>(g, kept, out);
}

std::vector<Route> cpu::sort_value_routes() {
  return {
      {
          .op = "sort",
          .name = "cpu.network",
          .supports = {{Stage::shape_dtype, "complex",
                        [](const Call& c, const Device&) { return c.dtype(0) != Dtype::c64; }},
                       {Stage::shape_dtype, "a line is longer than 256",
                        [](const Call& c, const Device&) { return line_length(c) <= kNetworkRows; }}},
          .prefers = {{Stage::shape_dtype, "under 4 lines",
                       [](const Call& c, const Device&) { return c[0].size() >= kNetworkLines * line_length(c); }}},
          .prepare = host<sort_networks>,
      },
      {
          .op = "sort",
          .name = "cpu.radix",
          .supports = {},
          .prefers = {},
          .prepare = prepare_radix,
      },
  };
}

}  // namespace plumb
