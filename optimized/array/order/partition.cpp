// Selection on the processor. Short lines in numbers: sorting networks. Others: two keys from a sample bracket the
// place; what lies outside of them goes to its side of the result at once, and what lies between is all that is looked
// at again.
#include <cmath>
#include <cstring>

#include "core/route.h"
#include "optimized/array/radix.h"
#include "optimized/array/sort_values.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void split_narrow(bool indexed, const std::uint32_t* keys, const std::uint32_t* index,
                                     std::uint32_t base, std::int64_t n, std::uint32_t low, std::uint32_t high,
                                     std::uint32_t* left, std::uint32_t* middle, std::uint32_t* middle_index,
                                     std::uint32_t* right, std::int64_t* counts))
PLUMB_DECLARE_SIMD(void split_wide(bool indexed, const std::uint64_t* keys, const std::uint64_t* index,
                                   std::uint64_t base, std::int64_t n, std::uint64_t low, std::uint64_t high,
                                   std::uint64_t* left, std::uint64_t* middle, std::uint64_t* middle_index,
                                   std::uint64_t* right, std::int64_t* counts))
PLUMB_DECLARE_SIMD(void split_counts_narrow(const std::uint32_t* keys, std::int64_t n, std::uint32_t low,
                                            std::uint32_t high, std::int64_t* counts))
PLUMB_DECLARE_SIMD(void split_counts_wide(const std::uint64_t* keys, std::int64_t n, std::uint64_t low,
                                          std::uint64_t high, std::int64_t* counts))

namespace {

using namespace cpu;

constexpr Limit kDirect{"partition.direct", 256, 12};                   // candidates that are compared one by one
constexpr Limit kBlock{"partition.block", 2048, 16};                    // elements that are parted in the cache
constexpr Limit kParallelLine{"partition.parallel_line", 1 << 16, 24};  // a line worth several threads
constexpr Limit kLevels{"partition.levels", 24, 2};                     // of candidates among candidates
constexpr std::int64_t kSlack = 64;                                     // more than a register holds

// What goes to the result.
enum class Gives : std::uint8_t { values, indices, elements };  // elements: values by their indices

// The result's places of a line; those before `first` are not wanted.
struct Sink {
  Gives gives;
  const SortLines* g;
  std::int64_t line, first;
  unsigned char* out;

  template <class K>
  void put(const K* from, std::int64_t n, std::int64_t at) const {
    const std::int64_t skip = std::clamp<std::int64_t>(first - at, 0, n), stride = g->inner;
    const int bytes = gives == Gives::indices ? 4 : info(g->x.dtype()).bytes;
    unsigned char* to = out + (at + skip - first) * stride * bytes;
    from += skip, n -= skip;
    if (n == 0) return;
    if (gives == Gives::values) return values_of(element_of(g->x.dtype()), from, n, to, stride);
    const unsigned char* x = gives == Gives::elements ? element_at(*g, line, 0) : nullptr;
    for (std::int64_t i = 0; i < n; ++i) {
      const auto index = static_cast<std::uint32_t>(from[i]);
      if (x) std::memcpy(to + i * stride * bytes, x + index * g->stride * bytes, static_cast<std::size_t>(bytes));
      else std::memcpy(to + i * stride * bytes, &index, sizeof index);
    }
  }
};

// What is chosen from: a line's elements, or keys and indices that lie in memory.
template <class K>
struct Candidates {
  const Sink* sink;
  std::int64_t n;
  const K *keys = nullptr, *index = nullptr;
  std::shared_ptr<void> owner = nullptr;

  bool indexed() const { return sink->gives != Gives::values; }
  // Keys [begin, end), in `room` if they lie nowhere.
  const K* read(std::int64_t begin, std::int64_t end, K* room) const {
    if (keys) return keys + begin;
    if (indexed()) encode(*sink->g, sink->line, begin, end, room);
    else value_keys_of(*sink->g, sink->line, begin, end, room);
    return room;
  }
  K index_at(std::int64_t i) const { return index ? index[i] : static_cast<K>(i); }
};

template <class K>
struct Bounds {
  K low, high;
};
struct Sides {
  std::int64_t count[3] = {};  // below, between, above
};

template <class K>
Sides counted(const Candidates<K>& c, std::int64_t begin, std::int64_t end, Bounds<K> b) {
  K room[kBlock.usual];
  Sides s;
  const std::int64_t block = kBlock.of(end - begin);
  for (std::int64_t i = begin; i < end; i += block) {
    const std::int64_t n = std::min(block, end - i);
    const K* keys = c.read(i, i + n, room);
    if constexpr (sizeof(K) == 4) PLUMB_DISPATCH(split_counts_narrow)(keys, n, b.low, b.high, s.count);
    else PLUMB_DISPATCH(split_counts_wide)(keys, n, b.low, b.high, s.count);
  }
  s.count[1] = end - begin - s.count[0] - s.count[2];
  return s;
}

// Where the next elements of each side go: places of the result, and those between to memory.
template <class K>
struct Places {
  std::int64_t below, above;
  K *keys, *index;
};

template <class K>
void part(const Candidates<K>& c, std::int64_t begin, std::int64_t end, Bounds<K> b, Places<K> to) {
  constexpr std::int64_t kRoom = kBlock.usual + kSlack;
  K room[kBlock.usual], left[kRoom], middle[kRoom], middle_index[kRoom], right[kRoom];
  const std::int64_t block = kBlock.now();
  for (std::int64_t i = begin; i < end; i += block) {
    const std::int64_t n = std::min(block, end - i);
    const K *keys = c.read(i, i + n, room), *index = c.index ? c.index + i : nullptr;
    std::int64_t count[3];
    if constexpr (sizeof(K) == 4) {
      PLUMB_DISPATCH(split_narrow)
      (c.indexed(), keys, index, static_cast<K>(i), n, b.low, b.high, left, middle, middle_index, right, count);
    } else {
      PLUMB_DISPATCH(split_wide)
      (c.indexed(), keys, index, static_cast<K>(i), n, b.low, b.high, left, middle, middle_index, right, count);
    }
    c.sink->put(left, count[0], to.below);
    c.sink->put(right, count[2], to.above);
    to.below += count[0], to.above += count[2];
    std::copy_n(middle, count[1], to.keys);
    to.keys += count[1];
    if (!c.indexed()) continue;
    std::copy_n(middle_index, count[1], to.index);
    to.index += count[1];
  }
}

template <class K>
Room<K> sample_of(const Candidates<K>& c) {
  constexpr std::int64_t kLeast = 8, kMost = 4096, kShare = 64;
  Room<K> sample(static_cast<std::size_t>(std::clamp(c.n / kShare, kLeast, kMost)));
  const auto size = static_cast<std::int64_t>(sample.size());
  for (std::int64_t i = 0; i < size; ++i) {
    const std::int64_t at = c.n * i / size;
    K room;
    sample[static_cast<std::size_t>(i)] = *c.read(at, at + 1, &room);
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

// Keys between which the place k lies but for bad luck: three deviations of its rank in the sample to either side.
template <class K>
Bounds<K> bracket(const Room<K>& sample, std::int64_t n, std::int64_t k) {
  const auto size = static_cast<double>(sample.size());
  const double share = static_cast<double>(k) / static_cast<double>(n), at = share * size;
  const double reach = 1 + 3 * std::sqrt(size * share * (1 - share));
  const auto low = static_cast<std::int64_t>(std::floor(at - reach)), high = static_cast<std::int64_t>(at + reach);
  const bool last = high >= static_cast<std::int64_t>(sample.size());
  return {low < 0 ? K{0} : sample[static_cast<std::size_t>(low)],
          last ? static_cast<K>(~K{0}) : sample[static_cast<std::size_t>(high)]};
}

// The rest, by the library's selection.
template <class K>
void finish(const Candidates<K>& c, std::int64_t first, std::int64_t k) {
  Room<K> room(static_cast<std::size_t>(c.n));
  const K* keys = c.read(0, c.n, room.data());
  if (!c.indexed()) {
    if (keys != room.data()) std::copy_n(keys, c.n, room.data());
    std::nth_element(room.begin(), room.begin() + (k - first), room.end());
    return c.sink->put(room.data(), c.n, first);
  }
  Room<std::pair<K, K>> pairs(static_cast<std::size_t>(c.n));
  for (std::int64_t i = 0; i < c.n; ++i) pairs[static_cast<std::size_t>(i)] = {keys[i], c.index_at(i)};
  std::nth_element(pairs.begin(), pairs.begin() + (k - first), pairs.end());
  for (std::size_t i = 0; i < pairs.size(); ++i) room[i] = pairs[i].second;
  c.sink->put(room.data(), c.n, first);
}

// Bounds that hold the place k, with what lies where in each of the chunks.
template <class K>
struct Level {
  Bounds<K> bounds;
  std::vector<Sides> chunks;
  Sides all;

  Level(const Candidates<K>& c, std::int64_t first, std::int64_t k, std::int64_t parts) {
    const Room<K> sample = sample_of(c);
    bounds = bracket(sample, c.n, k - first);
    look(c, parts);
    if (all.count[1] > c.n / 2) {  // too many between: equal keys make most of them
      const double share = static_cast<double>(k - first) / static_cast<double>(c.n);
      bounds.low = bounds.high = sample[static_cast<std::size_t>(share * static_cast<double>(sample.size()))];
      look(c, parts);
    }
    const std::int64_t place = k - first;
    if (place < all.count[0]) bounds = {K{0}, static_cast<K>(bounds.low - 1)};
    else if (place >= all.count[0] + all.count[1]) bounds = {static_cast<K>(bounds.high + 1), static_cast<K>(~K{0})};
    else return;
    look(c, parts);
  }

 private:
  void look(const Candidates<K>& c, std::int64_t parts) {
    chunks.assign(static_cast<std::size_t>(parts), {});
    parallel_each(parts, [&](std::int64_t p) {
      const Range r = chunk(c.n, parts, p);
      chunks[static_cast<std::size_t>(p)] = counted(c, r.begin, r.end, bounds);
    });
    all = {};
    for (const Sides& s : chunks)
      for (int side = 0; side < 3; ++side) all.count[side] += s.count[side];
  }
};

// Those between, after the others have gone to their places.
template <class K>
Candidates<K> between(const Candidates<K>& c, const Level<K>& level, std::int64_t first) {
  const std::int64_t n = level.all.count[1];
  auto keys = std::make_shared<RawRoom<K>>(2 * n);
  Candidates<K> rest{c.sink, n, keys->get(), c.indexed() ? keys->get() + n : nullptr, keys};
  std::vector<Places<K>> to;
  Places<K> next{first, first + level.all.count[0] + n, keys->get(), keys->get() + n};
  for (const Sides& s : level.chunks) {
    to.push_back(next);
    next.below += s.count[0], next.keys += s.count[1], next.index += s.count[1], next.above += s.count[2];
  }
  const auto parts = static_cast<std::int64_t>(to.size());
  parallel_each(parts, [&](std::int64_t p) {
    const Range r = chunk(c.n, parts, p);
    part(c, r.begin, r.end, level.bounds, to[static_cast<std::size_t>(p)]);
  });
  return rest;
}

// Everything of a line to its side of the place k.
template <class K>
void select(const Sink& sink, std::int64_t k, std::int64_t parts) {
  Candidates<K> c{&sink, sink.g->n};
  std::int64_t first = 0;
  for (int depth = 0; c.n > kDirect.of(c.n) && depth < kLevels.of(depth + 1); ++depth) {
    const Level<K> level(c, first, k, parts);
    const Candidates<K> rest = between(c, level, first);
    first += level.all.count[0];
    if (level.bounds.low == level.bounds.high) return sink.put(rest.indexed() ? rest.index : rest.keys, rest.n, first);
    c = rest;
    parts = 1;
  }
  finish(c, first, k);
}

// kept: how many elements of each line are wanted, the greatest.
template <class K>
void select_lines(const SortLines& g, Gives gives, std::int64_t k, std::int64_t kept, unsigned char* out) {
  if (g.n == 0 || kept == 0) return;
  const std::int64_t bytes = gives == Gives::indices ? 4 : info(g.x.dtype()).bytes;
  const bool together = g.n >= kParallelLine.of(g.n) && g.lines < 2 * threads();
  const auto line = [&](std::int64_t l, std::int64_t parts) {
    const Sink sink{gives, &g, l, g.n - kept, out + g.out(l, kept) * bytes};
    select<K>(sink, k, parts);
  };
  if (together) {
    for (std::int64_t l = 0; l < g.lines; ++l) line(l, threads());
    return;
  }
  parallel_for(g.lines, 1 + (1 << 14) / g.n, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t l = begin; l < end; ++l) line(l, 1);
  });
}

void select_lines(const SortLines& g, Gives gives, std::int64_t k, std::int64_t kept, Tensor& out) {
  if (gives == Gives::values && g.x.dtype() == Dtype::c64) gives = Gives::elements;
  auto* to = out.write<unsigned char>();
  if (wide_keys(g.x.dtype())) select_lines<std::uint64_t>(g, gives, k, kept, to);
  else select_lines<std::uint32_t>(g, gives, k, kept, to);
}

std::int64_t place(const Call& c, std::int64_t n) {
  const std::int64_t kth = c.integer("kth");
  return kth < 0 ? kth + n : kth;
}

void partition(const Call& c, std::vector<Tensor>& out) {
  const SortLines g(c);
  select_lines(g, Gives::values, place(c, g.n), g.n, out[0]);
}
void argpartition(const Call& c, std::vector<Tensor>& out) {
  const SortLines g(c);
  select_lines(g, Gives::indices, place(c, g.n), g.n, out[0]);
}
// All of them stay in the order that they have.
bool all_wanted(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() != c[0].size()) return false;
  const Tensor x = contiguous(c[0]);
  std::memcpy(out[0].write<unsigned char>(), x.read<unsigned char>(),
              static_cast<std::size_t>(x.size() * info(x.dtype()).bytes));
  return true;
}

void topk(const Call& c, std::vector<Tensor>& out) {
  if (all_wanted(c, out)) return;
  const SortLines g(c);
  const std::int64_t k = c.integer("k");
  select_lines(g, Gives::values, g.n - k, k, out[0]);
}

// ---- Sorted lines are parted at every place

void partition_networks(const Call& c, std::vector<Tensor>& out) {
  const SortLines g(c);
  sort_values_by_networks(g, g.n, out[0].write<unsigned char>());
}
void argpartition_networks(const Call& c, std::vector<Tensor>& out) {
  argsort_by_networks(SortLines(c), out[0].write<std::uint32_t>());
}
void topk_networks(const Call& c, std::vector<Tensor>& out) {
  if (all_wanted(c, out)) return;
  sort_values_by_networks(SortLines(c), c.integer("k"), out[0].write<unsigned char>());
}

Order nothing_rounded(const Call&) { return Order::oracle(); }

const Condition kShort{Stage::shape_dtype, "a line is longer than 256",
                       [](const Call& c, const Device&) { return line_length(c) <= kNetworkRows; }};
const Condition kMany{Stage::shape_dtype, "under 4 lines",
                      [](const Call& c, const Device&) { return c[0].size() >= kNetworkLines * line_length(c); }};
const Condition kReal{Stage::shape_dtype, "complex",
                      [](const Call& c, const Device&) { return c.dtype(0) != Dtype::c64; }};

Route networks(std::string_view op, std::vector<Condition> supports,
               Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op,
          .name = "cpu.network",
          .supports = std::move(supports),
          .prefers = {kMany},
          .order = nothing_rounded,
          .prepare = prepare};
}
Route selection(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op, .name = "cpu.select", .supports = {}, .prefers = {}, .order = nothing_rounded, .prepare = prepare};
}

}  // namespace

std::vector<Route> partition_cpu_routes() {
  return {
      networks("partition", {kReal, kShort}, host<partition_networks>), selection("partition", host<partition>),
      networks("argpartition", {kShort}, host<argpartition_networks>),  selection("argpartition", host<argpartition>),
      networks("topk", {kReal, kShort}, host<topk_networks>),           selection("topk", host<topk>)};
}

}  // namespace plumb
