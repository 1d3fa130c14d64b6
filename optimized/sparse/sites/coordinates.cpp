// Operations on coordinates: sets, lookups and joins by a hash table, first-seen order by marking the lowest rows
// and compacting in two passes, Morton's order by radix sort of codes that are spread in vectors.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>

#include "core/route.h"
#include "optimized/array/sort.h"
#include "optimized/dispatch.h"
#include "optimized/sparse/sites/site_table.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void morton_narrow(const std::int32_t* rows, std::int64_t begin, std::int64_t end,
                                      std::uint64_t flip, std::uint64_t* codes))
PLUMB_DECLARE_SIMD(void morton_wide(const std::int64_t* rows, std::int64_t begin, std::int64_t end, std::uint64_t flip,
                                    std::uint64_t* codes))
PLUMB_DECLARE_SIMD(void floor_narrow(const std::int32_t* rows, std::int64_t begin, std::int64_t end,
                                     const std::int64_t* stride, std::int32_t* out))
PLUMB_DECLARE_SIMD(void shift_narrow(const std::int32_t* rows, std::int64_t begin, std::int64_t end,
                                     const std::int64_t* shift, std::int32_t* out))

namespace {

using namespace cpu;
using Outputs = std::vector<Tensor>;

constexpr std::int64_t kGrain = 4096;

// Dense rows of coordinates, kept alive.
struct Sites : Rows {
  Tensor held;
  explicit Sites(const Tensor& t) : held(contiguous(t)) {
    Rows::operator=({held.read<std::byte>(), held.dtype() == Dtype::i64, held.dim(0)});
  }
  Sites(const Call& call, std::size_t coords, std::size_t active) : Sites(call[coords]) {
    count = rows(held, call[active]).count;
  }
};

template <class T>
Rows made_rows(const T* data, std::int64_t n) {
  return {data, sizeof(T) == 8, n};
}

template <class T>
const T* sites_of(const Rows& rows) {
  return static_cast<const T*>(rows.data);
}

template <class T>
void copy_site(const T* from, T* to) {
  std::copy_n(from, 4, to);
}

// f(T) for the type of an input's coordinates
template <class F>
void typed(const Call& call, F&& f) {
  if (call.dtype(0) == Dtype::i64) f(std::int64_t{});
  else f(std::int32_t{});
}

void store_count(const Tensor& to, std::int64_t n) { *to.write<std::int32_t>() = static_cast<std::int32_t>(n); }

struct Flags : Block<std::uint8_t> {
  explicit Flags(std::int64_t n) : Block(n) {
    parallel_for(n, 16 * kGrain, [&](std::int64_t begin, std::int64_t end) { std::fill(data + begin, data + end, 0); });
  }
};

// keep(i, k) for the k-th flagged i of n; returns how many there are.
template <class Keep>
std::int64_t compact_flagged(const Flags& flag, std::int64_t n, Keep&& keep) {
  return compact(
      n, 0, [&](std::int64_t i) { return flag[i] != 0; }, keep);
}

template <class T>
std::int64_t store_flagged(const Flags& flag, const Rows& sites, T* out) {
  const T* from = sites_of<T>(sites);
  return compact_flagged(flag, sites.count,
                         [&](std::int64_t i, std::int64_t k) { copy_site(from + 4 * i, out + 4 * k); });
}

// The distinct sites, first seen first.
template <class T>
std::int64_t store_distinct(const Rows& sites, T* out) {
  const Flags lowest(sites.count);
  SiteTable(sites).mark_lowest(lowest.data);
  return store_flagged(lowest, sites, out);
}

// ---- Sets ----

void unique(const Call& call, Outputs& out) {
  typed(call, [&]<class T>(T) { store_count(out[1], store_distinct(Sites(call[0]), out[0].write<T>())); });
}

using Stride = std::array<std::int64_t, 3>;

Stride stride_of(const Call& call) {
  const std::vector<std::int64_t> v = call.list("stride");
  return v.size() == 1 ? Stride{v[0], v[0], v[0]} : Stride{v[0], v[1], v[2]};
}

bool powers_of_two(const Stride& s) {
  return std::all_of(s.begin(), s.end(),
                     [](std::int64_t v) { return std::has_single_bit(static_cast<std::uint64_t>(v)); });
}

Stride logarithms(const Stride& s) {
  Stride shift;
  std::transform(s.begin(), s.end(), shift.begin(),
                 [](std::int64_t v) { return std::countr_zero(static_cast<std::uint64_t>(v)); });
  return shift;
}

void floor_rows(const std::int32_t* rows, std::int64_t n, const Stride& s, std::int32_t* out) {
  const bool shifts = powers_of_two(s);
  const Stride by = shifts ? logarithms(s) : s;
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    if (shifts) PLUMB_DISPATCH(shift_narrow)(rows, begin, end, by.data(), out);
    else PLUMB_DISPATCH(floor_narrow)(rows, begin, end, by.data(), out);
  });
}

void floor_rows(const std::int64_t* rows, std::int64_t n, const Stride& s, std::int64_t* out) {
  const bool shifts = powers_of_two(s);
  const Stride by = shifts ? logarithms(s) : s;
  const auto floored = [&](std::int64_t c, std::size_t a) {
    return shifts ? c >> by[a] : c / by[a] - (c % by[a] < 0 ? 1 : 0);
  };
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      out[4 * i] = rows[4 * i];
      for (std::size_t a = 0; a < 3; ++a)
        out[4 * i + static_cast<std::int64_t>(a) + 1] = floored(rows[4 * i + static_cast<std::int64_t>(a) + 1], a);
    }
  });
}

void downsample(const Call& call, Outputs& out) {
  typed(call, [&]<class T>(T) {
    const Sites in(call[0]);
    const Block<T> coarse(4 * in.count);
    floor_rows(sites_of<T>(in), in.count, stride_of(call), coarse.data);
    store_count(out[1], store_distinct(made_rows(coarse.data, in.count), out[0].write<T>()));
  });
}

void unite(const Call& call, Outputs& out) {
  typed(call, [&]<class T>(T) {
    const Sites lhs(call[0]), rhs(call[1]);
    const Block<T> both(4 * (lhs.count + rhs.count));
    const auto append = [&](const Rows& rows, T* to) {
      const T* from = sites_of<T>(rows);
      parallel_for(4 * rows.count, 16 * kGrain,
                   [&](std::int64_t begin, std::int64_t end) { std::copy(from + begin, from + end, to + begin); });
    };
    append(lhs, both.data);
    append(rhs, both.data + 4 * lhs.count);
    store_count(out[1], store_distinct(made_rows(both.data, lhs.count + rhs.count), out[0].write<T>()));
  });
}

// The rows of rhs mark the lowest rows of lhs that they meet.
void intersect(const Call& call, Outputs& out) {
  typed(call, [&]<class T>(T) {
    const Sites lhs(call[0]), rhs(call[1]);
    const SiteTable table(lhs);
    const Flags met(lhs.count);
    parallel_for(rhs.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      table.find(rhs, begin, end, [&](std::int64_t, std::int32_t row) {
        if (row >= 0) std::atomic_ref<std::uint8_t>(met[row]).store(1, std::memory_order_relaxed);
      });
    });
    store_count(out[1], store_flagged(met, lhs, out[0].write<T>()));
  });
}

// ---- Lookups ----

template <class Out, class Answer>
void look_up(const Call& call, Outputs& out, Answer&& answer) {
  const Sites in(call[0]), queries(call[1]);
  const SiteTable table(in);
  Out* to = out[0].write<Out>();
  parallel_for(queries.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    table.find(queries, begin, end, [&](std::int64_t q, std::int32_t row) { to[q] = answer(row); });
  });
}

void lookup(const Call& call, Outputs& out) {
  look_up<std::int32_t>(call, out, [](std::int32_t row) { return row; });
}
void contains(const Call& call, Outputs& out) {
  look_up<std::uint8_t>(call, out, [](std::int32_t row) { return static_cast<std::uint8_t>(row >= 0); });
}

// ---- Morton's order ----

void codes_of(const Tensor& rows, std::int64_t begin, std::int64_t end, std::uint64_t flip, std::uint64_t* codes) {
  if (rows.dtype() == Dtype::i64) PLUMB_DISPATCH(morton_wide)(rows.read<std::int64_t>(), begin, end, flip, codes);
  else PLUMB_DISPATCH(morton_narrow)(rows.read<std::int32_t>(), begin, end, flip, codes);
}

void morton_codes(const Call& call, Outputs& out) {
  const Tensor rows = contiguous(call[0]);
  auto* codes = reinterpret_cast<std::uint64_t*>(out[0].write<std::int64_t>());
  parallel_for(rows.dim(0), kGrain,
               [&](std::int64_t begin, std::int64_t end) { codes_of(rows, begin, end, 0, codes); });
}

// The order of signed codes is that of unsigned ones with the sign bit flipped.
void sort_rows(const Tensor& rows, std::int32_t* order) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  radix_argsort(
      rows.dim(0),
      [&](std::int64_t begin, std::int64_t end, std::uint64_t* keys) { codes_of(rows, begin, end, kSign, keys); },
      reinterpret_cast<std::uint32_t*>(order));
}

void morton_order(const Call& call, Outputs& out) { sort_rows(contiguous(call[0]), out[0].write<std::int32_t>()); }

void morton_sort(const Call& call, Outputs& out) {
  std::int32_t *order = out[1].write<std::int32_t>(), *inverse = out[2].write<std::int32_t>();
  typed(call, [&]<class T>(T) {
    const Sites in(call[0]);
    sort_rows(in.held, order);
    const T* from = sites_of<T>(in);
    T* sorted = out[0].write<T>();
    parallel_for(in.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        copy_site(from + 4 * std::int64_t{order[i]}, sorted + 4 * i);
        inverse[order[i]] = static_cast<std::int32_t>(i);
      }
    });
  });
}

// ---- Octants ----

std::int32_t wrap32(std::int64_t x) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(x)); }

// Bit 0, 1, 2 from the low bits of x, y, z.
template <class T>
int child_index(const T* site) {
  return static_cast<int>((site[1] & 1) | (site[2] & 1) << 1 | (site[3] & 1) << 2);
}

template <class T>
void child_site(const T* parent, int child, std::int32_t* to) {
  to[0] = wrap32(parent[0]);
  for (int a = 0; a < 3; ++a)
    to[a + 1] = static_cast<std::int32_t>(2 * static_cast<std::uint32_t>(wrap32(parent[a + 1])) +
                                          static_cast<std::uint32_t>(child >> a & 1));
}

// floor(site / 2) of the sites modulo 2^32
template <class T>
Block<std::int32_t> parents_of(const T* sites, std::int64_t n) {
  Block<std::int32_t> parents(4 * n);
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      parents[4 * i] = wrap32(sites[4 * i]);
      for (std::int64_t a = 1; a < 4; ++a) parents[4 * i + a] = wrap32(sites[4 * i + a]) >> 1;
    }
  });
  return parents;
}

void occupancy_downsample(const Call& call, Outputs& out) {
  typed(call, [&]<class T>(T) {
    const Sites in(call, 0, 1);
    const T* sites = sites_of<T>(in);
    const Block<std::int32_t> parents = parents_of(sites, in.count), number(in.count);
    const Rows parent_rows = made_rows(parents.data, in.count);
    const SiteTable table(parent_rows);
    const Flags lowest(in.count);
    table.mark_lowest(lowest.data);
    std::int32_t *coords = out[0].write<std::int32_t>(), *occupancy = out[2].write<std::int32_t>();
    store_count(out[1], compact_flagged(lowest, in.count, [&](std::int64_t i, std::int64_t k) {
                  copy_site(parents.data + 4 * i, coords + 4 * k);
                  number[i] = static_cast<std::int32_t>(k);
                  occupancy[k] = 0;
                }));
    parallel_for(in.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      table.find(parent_rows, begin, end, [&](std::int64_t i, std::int32_t first) {
        const std::atomic_ref<std::int32_t> bits(occupancy[number[first]]);
        bits.fetch_or(1 << child_index(sites + 4 * i), std::memory_order_relaxed);
      });
    });
  });
}

void occupancy_expand(const Call& call, Outputs& out) {
  const Tensor held = contiguous(call[2]);
  const std::int32_t* bits = held.read<std::int32_t>();
  std::int32_t *coords = out[0].write<std::int32_t>(), *parent = out[2].write<std::int32_t>(),
               *child = out[3].write<std::int32_t>();
  const auto set = [&](std::int64_t p) { return static_cast<std::uint32_t>(bits[p]) & 255; };
  typed(call, [&]<class T>(T) {
    const Sites in(call, 0, 1);
    const T* sites = sites_of<T>(in);
    const auto count = [&](std::int64_t begin, std::int64_t end) {
      std::int64_t n = 0;
      for (std::int64_t p = begin; p < end; ++p) n += std::popcount(set(p));
      return n;
    };
    store_count(out[1], compact_runs(in.count, count, [&](std::int64_t begin, std::int64_t end, std::int64_t k) {
                  for (std::int64_t p = begin; p < end; ++p)
                    for (std::uint32_t left = set(p); left != 0; left &= left - 1, ++k) {
                      child[k] = std::countr_zero(left);
                      parent[k] = static_cast<std::int32_t>(p);
                      child_site(sites + 4 * p, child[k], coords + 4 * k);
                    }
                }));
  });
}

void child_coords(const Call& call, Outputs& out) {
  const Tensor held = contiguous(call[1]);
  const std::int32_t* child = held.read<std::int32_t>();
  std::int32_t* to = out[0].write<std::int32_t>();
  typed(call, [&]<class T>(T) {
    const Sites in(call[0]);
    const T* sites = sites_of<T>(in);
    parallel_for(in.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) child_site(sites + 4 * i, child[i] & 7, to + 4 * i);
    });
  });
}

// ---- Joins ----

// Of each row of one side, the lowest row of the same site on the other, or -1.
Block<std::int32_t> matches(const Rows& side, const Rows& other) {
  Block<std::int32_t> match(side.count);
  SiteTable(other).find(side, match.data);
  return match;
}

// What is written at output position k of a join: the site, its own row and its match.
struct Joined {
  std::int32_t *coords, *own, *match;
  void store(const Rows& side, std::int64_t i, std::int32_t found, std::int64_t k) const {
    copy_site(sites_of<std::int32_t>(side) + 4 * i, coords + 4 * k);
    own[k] = static_cast<std::int32_t>(i);
    match[k] = found;
  }
};

// The rows of one side that stay by their match, from position `from` on; gives the next position.
template <class Keep>
std::int64_t join_side(const Rows& side, const Rows& other, const Joined& to, std::int64_t from, Keep&& keep) {
  const Block<std::int32_t> match = matches(side, other);
  return compact(
      side.count, from, [&](std::int64_t i) { return keep(match[i]); },
      [&](std::int64_t i, std::int64_t k) { to.store(side, i, match[i], k); });
}

void alignment(const Call& call, Outputs& out) {
  const Sites lhs(call, 0, 1), rhs(call, 2, 3);
  std::int32_t *coords = out[0].write<std::int32_t>(), *l = out[2].write<std::int32_t>(),
               *r = out[3].write<std::int32_t>();
  const std::string& join = call.text("join");
  const auto all = [](std::int32_t) { return true; };
  const auto met = [](std::int32_t row) { return row >= 0; };
  const auto alone = [](std::int32_t row) { return row < 0; };
  std::int64_t n = 0;
  if (join == "inner") n = join_side(lhs, rhs, {coords, l, r}, 0, met);
  if (join == "left" || join == "outer") n = join_side(lhs, rhs, {coords, l, r}, 0, all);
  if (join == "right") n = join_side(rhs, lhs, {coords, r, l}, 0, all);
  if (join == "outer") n = join_side(rhs, lhs, {coords, r, l}, n, alone);
  store_count(out[1], n);
}

template <void (*F)(const Call&, Outputs&)>
Route route(std::string_view op, std::string_view name) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .prepare = host<F>};
}

}  // namespace

std::vector<Route> coordinates_cpu_routes() {
  return {route<downsample>("downsample_coords", "cpu.hash"),
          route<unite>("union_coords", "cpu.hash"),
          route<intersect>("intersection_coords", "cpu.hash"),
          route<unique>("unique_coords", "cpu.hash"),
          route<lookup>("lookup_coords", "cpu.hash"),
          route<contains>("contains_coords", "cpu.hash"),
          route<lookup>("inverse_map", "cpu.hash"),
          route<morton_codes>("morton_codes", "cpu.spread"),
          route<morton_order>("morton_order", "cpu.radix"),
          route<morton_sort>("morton_sort_coords", "cpu.radix"),
          route<occupancy_downsample>("occupancy_downsample", "cpu.hash"),
          route<occupancy_expand>("occupancy_expand", "cpu.scan"),
          route<child_coords>("child_coords_from_indices", "cpu.rows"),
          route<alignment>("sparse_alignment", "cpu.hash")};
}

}  // namespace plumb
