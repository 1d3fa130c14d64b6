// Stable argsort on the processor: least-significant-digit radix sort of order-preserving keys with their
// indices, and networks over many short lines.
#include <algorithm>
#include <array>
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

#include "core/pool.h"
#include "core/route.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void order_keys(int kind, int bytes, const unsigned char* x, std::int64_t stride, std::int64_t n,
                                   std::uint32_t* narrow, std::uint64_t* wide))
PLUMB_DECLARE_SIMD(void network_narrow(const std::uint32_t* keys, std::int64_t lines, std::int64_t n,
                                       const std::uint16_t* pairs, std::int64_t count, std::uint32_t* out))
PLUMB_DECLARE_SIMD(void network_wide(const std::uint64_t* keys, std::int64_t lines, std::int64_t n,
                                     const std::uint16_t* pairs, std::int64_t count, std::uint32_t* out))
PLUMB_DECLARE_SIMD(std::int64_t network_lanes())

namespace {

constexpr std::int64_t kNetworkRows = 256;     // the longest line of a network
constexpr std::int64_t kNetworkLines = 4;      // fewer leave most lanes idle
constexpr std::int64_t kParallelLine = 1 << 15;  // a line worth several threads
constexpr std::int64_t kBuckets = 256;

// Uninitialised memory on whole cache lines; large ones ask for huge pages, since a pass writes to 256 places at
// once and would miss the translation cache on small ones.
struct Free {
  void operator()(void* p) const { std::free(p); }
};
template <class T>
using Block = std::unique_ptr<T[], Free>;
template <class T>
Block<T> block(std::int64_t n) {
  constexpr std::size_t kLine = 64, kHuge = std::size_t{1} << 21;
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T), align = bytes >= kHuge ? kHuge : kLine;
  const std::size_t whole = (bytes + align) / align * align;
  void* p = std::aligned_alloc(align, whole);
  if (p == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  if (align == kHuge) madvise(p, whole, MADV_HUGEPAGE);
#endif
  return Block<T>(static_cast<T*>(p));
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

int kind_of(Dtype t) {
  if (t == Dtype::bf16) return 4;
  switch (info(t).kind) {
    case Kind::boolean: return 0;
    case Kind::unsigned_integer: return 1;
    case Kind::signed_integer: return 2;
    case Kind::real: return 3;
    case Kind::complex: return 5;
  }
  return 1;
}

// Keys of elements [begin, end) of a line, to keys[begin] ..
template <class K>
void encode(const Geometry& g, std::int64_t line, std::int64_t begin, std::int64_t end, K* keys) {
  const int bytes = info(g.x.dtype()).bytes;
  const unsigned char* x = g.x.read<unsigned char>() + (g.base(line) + begin * g.stride) * bytes;
  if constexpr (sizeof(K) == 4) {
    PLUMB_DISPATCH(order_keys)(kind_of(g.x.dtype()), bytes, x, g.stride, end - begin, keys + begin, nullptr);
  } else {
    PLUMB_DISPATCH(order_keys)(kind_of(g.x.dtype()), bytes, x, g.stride, end - begin, nullptr, keys + begin);
  }
}

// ---- Radix sort of one line ----
//
// Elements travel as one 64-bit word: the half of the key that holds the current digit, then the index. A pass
// is stable, so passes from the lowest digit up sort by the whole key and keep equal keys in index order.

using Counts = std::array<std::uint32_t, kBuckets>;

template <class K>
struct FromKeys {
  const K* keys;
  int half;
  std::uint64_t operator()(std::int64_t i) const {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(keys[i] >> (sizeof(K) == 8 ? 32 * half : 0))) << 32 |
           static_cast<std::uint64_t>(i);
  }
};
struct FromPairs {
  const std::uint64_t* pairs;
  std::uint64_t operator()(std::int64_t i) const { return pairs[i]; }
};
struct Range {
  std::int64_t begin, end;
};
Range chunk(std::int64_t n, std::int64_t chunks, std::int64_t i) { return {n * i / chunks, n * (i + 1) / chunks}; }

// One line's buffers, made once per job.
template <class K>
struct Scratch {
  Block<K> keys;
  Block<std::uint64_t> a, b;
  Block<std::uint32_t> sorted;  // where the result itself is not dense
  Scratch(std::int64_t n, bool dense)
      : keys(block<K>(n)), a(block<std::uint64_t>(n)), b(block<std::uint64_t>(n)), sorted(block<std::uint32_t>(dense ? 0 : n)) {}
};

// counts[chunk][digit] becomes where that chunk's first element with that digit goes.
void offsets(std::vector<Counts>& counts) {
  std::uint32_t sum = 0;
  for (std::size_t digit = 0; digit < kBuckets; ++digit) {
    for (Counts& c : counts) sum += std::exchange(c[digit], sum);
  }
}

// Counts of the digit at `shift` in each chunk.
std::vector<Counts> count_pairs(const std::uint64_t* pairs, std::int64_t n, int shift, std::int64_t chunks) {
  std::vector<Counts> counts(static_cast<std::size_t>(chunks));
  parallel_each(chunks, [&](std::int64_t c) {
    Counts count{};
    const Range r = chunk(n, chunks, c);
    for (std::int64_t i = r.begin; i < r.end; ++i) ++count[pairs[i] >> shift & (kBuckets - 1)];
    counts[static_cast<std::size_t>(c)] = count;
  });
  return counts;
}

// Moves elements stably to where `counts`, by chunk, makes room for their digit.
template <class Source, class T>
void scatter(std::int64_t n, int shift, std::vector<Counts> counts, const Source& from, T* to) {
  const auto chunks = static_cast<std::int64_t>(counts.size());
  offsets(counts);
  parallel_each(chunks, [&](std::int64_t c) {
    Counts next = counts[static_cast<std::size_t>(c)];
    const Range r = chunk(n, chunks, c);
    for (std::int64_t i = r.begin; i < r.end; ++i) {
      const std::uint64_t pair = from(i);
      to[next[pair >> shift & (kBuckets - 1)]++] = static_cast<T>(pair);
    }
  });
}

// Counts of every digit of the keys: by digit, then by chunk.
template <class K>
using Census = std::array<std::vector<Counts>, sizeof(K)>;

template <class K>
Census<K> census(const K* keys, std::int64_t n, std::int64_t chunks) {
  Census<K> all;
  for (auto& counts : all) counts.resize(static_cast<std::size_t>(chunks));
  parallel_each(chunks, [&](std::int64_t c) {
    std::array<Counts, sizeof(K)> count{};
    const Range r = chunk(n, chunks, c);
    for (std::int64_t i = r.begin; i < r.end; ++i) {
      for (std::size_t d = 0; d < sizeof(K); ++d) ++count[d][keys[i] >> (8 * d) & (kBuckets - 1)];
    }
    for (std::size_t d = 0; d < sizeof(K); ++d) all[d][static_cast<std::size_t>(c)] = count[d];
  });
  return all;
}

// The digits in which any two keys differ, lowest first: the others need no pass.
template <class K>
std::vector<int> digits(const Census<K>& all, K key) {
  std::vector<int> out;
  for (int d = 0; d < static_cast<int>(sizeof(K)); ++d) {
    std::int64_t others = 0;
    for (const Counts& c : all[static_cast<std::size_t>(d)]) {
      others += std::accumulate(c.begin(), c.end(), std::int64_t{0}) - c[key >> (8 * d) & (kBuckets - 1)];
    }
    if (others > 0) out.push_back(d);
  }
  return out;
}

// Exchanges the low half of the key for the high one.
template <class K>
void load_half(std::uint64_t* pairs, std::int64_t n, const K* keys, std::int64_t chunks) {
  parallel_for(chunks, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = chunk(n, chunks, first).begin; i < chunk(n, chunks, last - 1).end; ++i) {
      const auto index = static_cast<std::uint32_t>(pairs[i]);
      pairs[i] = FromKeys<K>{keys, 1}(index) >> 32 << 32 | index;
    }
  });
}

// Sorts s.keys; the indices in order go to out.
template <class K>
void radix(Scratch<K>& s, std::int64_t n, std::int64_t chunks, std::uint32_t* out) {
  Census<K> all = census(s.keys.get(), n, chunks);
  const std::vector<int> places = digits(all, s.keys[0]);
  if (places.empty()) return std::iota(out, out + n, 0u);
  std::uint64_t *from = s.a.get(), *to = s.b.get();
  for (std::size_t p = 0; p < places.size(); ++p) {
    const int half = places[p] / 4, shift = 32 + 8 * (places[p] % 4);
    const bool first = p == 0, last = p + 1 == places.size();
    if (!first && half != places[p - 1] / 4) load_half(from, n, s.keys.get(), chunks);
    // After the first pass a chunk holds other elements than the census saw; one chunk holds all of them.
    auto counts = first || chunks == 1 ? std::move(all[static_cast<std::size_t>(places[p])])
                                       : count_pairs(from, n, shift, chunks);
    const FromKeys<K> keys{s.keys.get(), half};
    if (first && last) scatter(n, shift, std::move(counts), keys, out);
    if (first && !last) scatter(n, shift, std::move(counts), keys, to);
    if (!first && last) scatter(n, shift, std::move(counts), FromPairs{from}, out);
    if (!first && !last) scatter(n, shift, std::move(counts), FromPairs{from}, to);
    std::swap(from, to);
  }
}

template <class K>
void sort_line(const Geometry& g, std::int64_t line, std::int64_t chunks, Scratch<K>& s, std::uint32_t* out) {
  parallel_for(chunks, 1, [&](std::int64_t first, std::int64_t last) {
    encode(g, line, chunk(g.n, chunks, first).begin, chunk(g.n, chunks, last - 1).end, s.keys.get());
  });
  out += g.out(line);
  if (g.inner == 1) return radix(s, g.n, chunks, out);
  radix(s, g.n, chunks, s.sorted.get());
  for (std::int64_t i = 0; i < g.n; ++i) out[i * g.inner] = s.sorted[static_cast<std::size_t>(i)];
}

// Many lines: each thread its own; few long ones: all threads on each in turn.
template <class K>
Job radix_job(const Geometry& g, const Tensor& out) {
  const bool split = g.n >= kParallelLine && g.lines < 2 * threads();
  const std::int64_t slots = split ? 1 : std::clamp<std::int64_t>(g.lines, 1, threads());
  const std::int64_t chunks = split ? threads() : 1;
  auto scratch = std::make_shared<std::vector<Scratch<K>>>();
  for (std::int64_t i = 0; i < slots; ++i) scratch->emplace_back(g.n, g.inner == 1);
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
std::vector<std::uint16_t> comparators(std::int64_t n) {
  std::vector<std::uint16_t> pairs;
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
void network_group(const Geometry& g, std::int64_t first, std::int64_t lines, const std::vector<std::uint16_t>& pairs,
                   std::vector<K>& keys, std::vector<std::uint32_t>& sorted, std::uint32_t* out) {
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
    for (std::int64_t i = 0; i < g.n; ++i) out[g.out(first + l) + i * g.inner] = sorted[static_cast<std::size_t>(l * g.n + i)];
  }
}

template <class K>
void network(const Call& c, std::vector<Tensor>& out) {
  const Geometry g = geometry(c);
  const std::int64_t lanes = PLUMB_DISPATCH(network_lanes)(), groups = (g.lines + lanes - 1) / lanes;
  if (g.n == 0 || g.lines == 0) return;
  const std::vector<std::uint16_t> pairs = comparators(g.n);
  std::uint32_t* to = out[0].write<std::uint32_t>();
  const std::int64_t grain = 1 + (1 << 13) / (g.n * lanes);
  parallel_for(groups, grain, [&](std::int64_t first, std::int64_t last) {
    std::vector<K> keys(static_cast<std::size_t>(lanes * g.n));
    std::vector<std::uint32_t> sorted(keys.size());
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
