// Sorted values on the processor. Short lines in numbers: sorting networks, one line per lane. Others: radix sort of
// keys that travel alone, after a split into buckets where a line is long. Complex numbers follow their stable order.
#include "optimized/array/sort_values.h"

#include <cstring>

#include "core/route.h"
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
constexpr Limit kSplitValues{"sort.split_values", 1 << 21, 20};        // a run that one thread sorts better in pieces
constexpr Limit kValuesDepth{"sort.values_depth", 2, 1};               // of runs in runs

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

// f(sorted, begin, n) for parts that follow one another; `begin` is that of the run.
template <class K, class F>
void sort_run(const Run<K>& r, std::int64_t begin, std::int64_t chunks, int depth, const F& f) {
  if ((r.n < kSplitValues.of(r.n) && chunks == 1) || depth == kValuesDepth.of(depth + 1))
    return radix(r.keys, r.other_keys, r.n, [&](const K* sorted, std::int64_t n) { f(sorted, begin, n); });
  const std::vector<std::int64_t> begins = split(r, chunks);
  parallel_each(kRunBuckets, [&](std::int64_t b) {
    const std::int64_t first = begins[static_cast<std::size_t>(b)], n = begins[static_cast<std::size_t>(b) + 1] - first;
    if (n > 0) sort_run(Run<K>{r.other_keys + first, r.keys + first, r.ids + first, n}, begin + first, 1, depth + 1, f);
  });
}

template <class K>
struct Scratch {
  Block<K> keys, other;
  Block<std::uint8_t> ids;
  explicit Scratch(std::int64_t n) : keys(block<K>(n)), other(block<K>(n)), ids(block<std::uint8_t>(n)) {}
};

template <class K>
void sort_line(const SortLines& g, std::int64_t line, std::int64_t chunks, Scratch<K>& s, unsigned char* all) {
  const Element type = element_of(g.x.dtype());
  const int bytes = info(g.x.dtype()).bytes;
  unsigned char* out = all + g.out(line) * bytes;
  std::vector<int> zeros(static_cast<std::size_t>(chunks));
  parallel_each(chunks, [&](std::int64_t c) {
    const Range part = chunk(g.n, chunks, c);
    zeros[static_cast<std::size_t>(c)] = value_keys_of(g, line, part.begin, part.end, s.keys.get() + part.begin);
  });
  const Run<K> run{s.keys.get(), s.other.get(), s.ids.get(), g.n};
  sort_run(run, 0, chunks, 0, [&](const K* sorted, std::int64_t begin, std::int64_t n) {
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
