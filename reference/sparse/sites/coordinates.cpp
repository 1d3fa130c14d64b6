// Operations on coordinates alone: sets, lookups, Morton's order, octants and their occupancy, joins. The oracles
// look sites up in an ordered map, one by one.
#include "reference/sparse/sites/coordinates.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>

#include "reference/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace coordinates;
using reference::Site;
using Sites = std::vector<Site>;

constexpr std::int64_t kMaxRows = std::numeric_limits<std::int32_t>::max();

std::int64_t floor_divide(std::int64_t a, std::int64_t s) { return a / s - (a % s < 0 ? 1 : 0); }

// ---- Shapes ----

void check_capacity(const Request& r, std::int64_t rows) {
  if (rows > kMaxRows) r.fail(Reason::memory, std::to_string(rows) + " rows exceed 2^31");
}

std::array<std::int64_t, 3> stride_of(const Request& r) {
  const std::vector<std::int64_t> v = r.list("stride");
  if (v.size() != 1 && v.size() != 3) r.fail(Reason::attribute, "stride needs one or three values");
  std::array<std::int64_t, 3> s;
  for (std::size_t a = 0; a < 3; ++a) {
    s[a] = v.size() == 1 ? v[0] : v[a];
    if (s[a] < 1 || s[a] > kMaxRows) r.fail(Reason::attribute, "stride is " + std::to_string(s[a]));
  }
  return s;
}

enum class Join { inner, left, right, outer };

Join join_of(const Request& r) {
  const std::string& text = r.text("join");
  if (text == "inner") return Join::inner;
  if (text == "left") return Join::left;
  if (text == "right") return Join::right;
  if (text == "outer") return Join::outer;
  r.fail(Reason::attribute, "join is " + text);
}

// ---- What oracles read and write ----

Sites all_sites(const Call& call, std::size_t i) {
  const Wide wide = widen(call[i]);
  Sites sites(static_cast<std::size_t>(call.shape(i)[0]));
  for (std::size_t n = 0; n < sites.size(); ++n)
    for (std::size_t a = 0; a < 4; ++a) sites[n][a] = integers(wide)(n, a);
  return sites;
}

Wide stored(const Sites& sites, std::int64_t capacity) {
  Integers out({capacity, 4});
  for (std::size_t n = 0; n < sites.size(); ++n)
    for (std::size_t a = 0; a < 4; ++a) out(n, a) = sites[n][a];
  return out;
}

Wide stored(const std::vector<std::int64_t>& values, std::int64_t capacity) {
  Integers out({capacity});
  std::copy(values.begin(), values.end(), out.data.begin());
  return out;
}

Wide single(std::size_t n) { return Integers({1}, static_cast<std::int64_t>(n)); }

// Modulo 2^32, as int32.
std::int64_t wrap32(std::int64_t x) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(x)); }
Site wrap32(const Site& c) { return {wrap32(c[0]), wrap32(c[1]), wrap32(c[2]), wrap32(c[3])}; }

// site -> the lowest row that has it
using Rows = std::map<Site, std::int64_t>;
Rows lowest(const Sites& sites) {
  Rows first;
  for (std::size_t i = 0; i < sites.size(); ++i) first.emplace(sites[i], static_cast<std::int64_t>(i));
  return first;
}

std::int64_t row_in(const Rows& rows, const Site& c) {
  const auto hit = rows.find(c);
  return hit == rows.end() ? -1 : hit->second;
}

// Each site once, in first-seen order.
Sites distinct(const Sites& sites) {
  Sites out;
  const Rows first = lowest(sites);
  for (std::size_t i = 0; i < sites.size(); ++i)
    if (first.at(sites[i]) == static_cast<std::int64_t>(i)) out.push_back(sites[i]);
  return out;
}

std::vector<Wide> set_of(const Sites& sites, std::int64_t capacity) {
  return {stored(sites, capacity), single(sites.size())};
}

std::vector<std::int64_t> active_set(const Call&, const std::vector<Tensor>& out) {
  const std::int64_t n = std::clamp<std::int64_t>(out[1].read<std::int32_t>()[0], 0, out[0].dim(0));
  std::vector<std::int64_t> active(out.size(), n);
  active[1] = -1;
  return active;
}

// ---- Sets ----

std::vector<Wide> unique(const Call& call) { return set_of(distinct(all_sites(call, 0)), call.shape(0)[0]); }

std::vector<Spec> infer_downsample(const Request& r) {
  (void)stride_of(r);
  return r.outputs();
}

// out = the distinct (b, floor(x / s_x), floor(y / s_y), floor(z / s_z)), first seen first
std::vector<Wide> downsample(const Call& call) {
  Sites sites = all_sites(call, 0);
  const auto s = stride_of(call);
  for (Site& c : sites)
    for (std::size_t a = 0; a < 3; ++a) c[a + 1] = floor_divide(c[a + 1], s[a]);
  return set_of(distinct(sites), call.shape(0)[0]);
}

// out = the distinct sites of lhs followed by rhs
std::vector<Wide> unite(const Call& call) {
  Sites sites = all_sites(call, 0);
  const Sites more = all_sites(call, 1);
  sites.insert(sites.end(), more.begin(), more.end());
  return set_of(distinct(sites), std::ssize(sites));
}

// out = the distinct sites of lhs that rhs has
std::vector<Wide> intersect(const Call& call) {
  const Rows there = lowest(all_sites(call, 1));
  Sites common;
  for (const Site& c : distinct(all_sites(call, 0)))
    if (there.contains(c)) common.push_back(c);
  return set_of(common, call.shape(0)[0]);
}

// ---- Lookups ----

// rows[q] = min {i : coords[i] = queries[q]}, or -1
std::vector<Wide> lookup(const Call& call) {
  const Rows there = lowest(all_sites(call, 0));
  std::vector<std::int64_t> out;
  for (const Site& q : all_sites(call, 1)) out.push_back(row_in(there, q));
  return {stored(out, std::ssize(out))};
}

std::vector<Wide> contains(const Call& call) {
  const Rows there = lowest(all_sites(call, 0));
  Unsigneds out({call.shape(1)[0]});
  const Sites queries = all_sites(call, 1);
  for (std::size_t q = 0; q < queries.size(); ++q) out.data[q] = there.contains(queries[q]);
  return {out};
}

// ---- Morton's order ----

// code = sum over i < 21 of (bit i of x) 2^(3i) + (bit i of y) 2^(3i+1) + (bit i of z) 2^(3i+2), + b 2^60, mod 2^64
std::int64_t morton(const Site& c) {
  std::uint64_t code = static_cast<std::uint64_t>(c[0]) << 60;
  for (int i = 0; i < 21; ++i)
    for (int a = 0; a < 3; ++a)
      code += (static_cast<std::uint64_t>(c[static_cast<std::size_t>(a) + 1]) >> i & 1) << (3 * i + a);
  return static_cast<std::int64_t>(code);
}

std::vector<std::int64_t> codes_of(const Sites& sites) {
  std::vector<std::int64_t> codes;
  for (const Site& c : sites) codes.push_back(morton(c));
  return codes;
}

// order = the permutation p with code[p_0] <= code[p_1] <= ..., the lower row first among equals
std::vector<std::int64_t> order_of(const std::vector<std::int64_t>& codes) {
  std::vector<std::int64_t> order(codes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return codes[static_cast<std::size_t>(a)] < codes[static_cast<std::size_t>(b)];
  });
  return order;
}

std::vector<Wide> morton_codes(const Call& call) { return {stored(codes_of(all_sites(call, 0)), call.shape(0)[0])}; }

std::vector<Wide> morton_order(const Call& call) {
  return {stored(order_of(codes_of(all_sites(call, 0))), call.shape(0)[0])};
}

std::vector<Wide> morton_sort(const Call& call) {
  const Sites sites = all_sites(call, 0);
  const std::vector<std::int64_t> order = order_of(codes_of(sites));
  Sites sorted;
  std::vector<std::int64_t> inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    sorted.push_back(sites[static_cast<std::size_t>(order[i])]);
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
  const std::int64_t n = std::ssize(order);
  return {stored(sorted, n), stored(order, n), stored(inverse, n)};
}

// ---- Octants ----

// 2 p + (bit 0, bit 1, bit 2 of the child index)
Site child_of(const Site& parent, std::int64_t child) {
  Site c = wrap32(parent);
  for (std::size_t a = 0; a < 3; ++a) c[a + 1] = 2 * c[a + 1] + (child >> a & 1);
  return wrap32(c);
}

// parents = the distinct floor(c / 2), first seen first; occupancy = OR of 2^(child index) over their active children
std::vector<Wide> occupancy_downsample(const Call& call) {
  Sites parents;
  std::vector<std::int64_t> bits, occupancy;
  for (const Site& active : reference::active_sites(call, 0, 1)) {
    const Site c = wrap32(active);
    Site p{c[0]};
    std::int64_t child = 0;
    for (std::size_t a = 0; a < 3; ++a) p[a + 1] = floor_divide(c[a + 1], 2), child += (c[a + 1] - 2 * p[a + 1]) << a;
    parents.push_back(p);
    bits.push_back(std::int64_t{1} << child);
  }
  const Sites out = distinct(parents);
  const Rows at = lowest(out);
  occupancy.resize(out.size());
  for (std::size_t i = 0; i < parents.size(); ++i) occupancy[static_cast<std::size_t>(at.at(parents[i]))] |= bits[i];
  const std::int64_t n = call.shape(0)[0];
  return {stored(out, n), single(out.size()), stored(occupancy, n)};
}

// For each active parent, for each set bit c < 8 of its occupancy, ascending: the child c.
std::vector<Wide> occupancy_expand(const Call& call) {
  const Sites parents = reference::active_sites(call, 0, 1);
  const Wide wide = widen(call[2]);
  Sites out;
  std::vector<std::int64_t> parent, child;
  for (std::size_t p = 0; p < parents.size(); ++p)
    for (std::int64_t c = 0; c < 8; ++c)
      if (integers(wide)[static_cast<std::int64_t>(p)] >> c & 1) {
        out.push_back(child_of(parents[p], c));
        parent.push_back(static_cast<std::int64_t>(p));
        child.push_back(c);
      }
  const std::int64_t n = 8 * call.shape(0)[0];
  return {stored(out, n), single(out.size()), stored(parent, n), stored(child, n)};
}

std::vector<Wide> child_coords(const Call& call) {
  const Sites parents = all_sites(call, 0);
  const Wide wide = widen(call[1]);
  Sites out;
  for (const Site& p : parents) out.push_back(child_of(p, integers(wide)[std::ssize(out)]));
  return {stored(out, std::ssize(out))};
}

// ---- Joins ----

std::vector<Spec> infer_alignment(const Request& r) {
  const Join join = join_of(r);
  const std::int64_t n = r.size('N'), m = r.size('M');
  const std::int64_t out = join == Join::right ? m : join == Join::outer ? n + m : n;
  check_capacity(r, std::max({n, m, out}));
  return r.outputs({{'R', out}});
}

// (site, l, r): l and r the lowest rows of the site in lhs and rhs, or -1, but its own row for the side that drives.
// inner: lhs rows that rhs has. left: lhs rows. right: rhs rows. outer: lhs rows, then rhs rows that lhs lacks.
std::vector<Wide> alignment(const Call& call) {
  const Join join = join_of(call);
  const Sites lhs = reference::active_sites(call, 0, 1), rhs = reference::active_sites(call, 2, 3);
  const Rows left = lowest(lhs), right = lowest(rhs);
  Sites out;
  std::vector<std::int64_t> l, r;
  for (std::size_t i = 0; i < lhs.size() && join != Join::right; ++i) {
    const std::int64_t match = row_in(right, lhs[i]);
    if (join == Join::inner && match < 0) continue;
    out.push_back(lhs[i]), l.push_back(static_cast<std::int64_t>(i)), r.push_back(match);
  }
  for (std::size_t i = 0; i < rhs.size() && (join == Join::right || join == Join::outer); ++i) {
    const std::int64_t match = row_in(left, rhs[i]);
    if (join == Join::outer && match >= 0) continue;
    out.push_back(rhs[i]), l.push_back(match), r.push_back(static_cast<std::int64_t>(i));
  }
  const std::int64_t n = infer_alignment(call)[0].shape[0];
  return {stored(out, n), single(out.size()), stored(l, n), stored(r, n)};
}

// ---- Rows ----

constexpr std::string_view kSet =
    "every row takes part, padding included; a repeated site is its lowest row; rows beyond the count are unspecified";
constexpr std::string_view kMorton =
    "the order of (batch, x, y, z) octants only for 0 <= batch < 8 and 0 <= coordinate < 2^20: beyond, codes of "
    "different "
    "sites may be equal; a batch from 8 on sorts before batch 0, a negative coordinate after every other; ties by row";
constexpr std::string_view kOctant =
    "int64 coordinates are taken modulo 2^32, the result is int32; rows beyond the count are unspecified";

constexpr const char* kPair = "lhs I[N,4], rhs I[M,4] -> coords I[N,4], count i32[1]";
constexpr const char* kOne = "coords I[N,4] -> coords I[N,4], count i32[1]";

Op set_row(std::string_view name, const char* signature, std::string_view equation) {
  const bool pair = signature != kOne;
  return {.name = name,
          .signature = signature,
          .types = pair ? "I: i32 i64; N, M < 2^31" : "I: i32 i64; N < 2^31",
          .attrs = {},
          .equation = equation,
          .meaning = kSet,
          .cases = pair ? pair_cases() : single_cases(),
          .bench = pair ? pair_bench() : single_bench(),
          .tolerance = {Tolerance::Class::exact},
          .active = active_set};
}

std::vector<Op> set_rows() {
  Op down = set_row("downsample_coords", kOne, "out = the distinct (b, floor(xyz / stride)), first seen first");
  down.attrs = {{"stride", std::vector<std::int64_t>{2, 2, 2}}};
  down.infer = infer_downsample, down.oracle = downsample;
  down.cases = downsample_cases(), down.rejects = downsample_rejects(), down.bench = downsample_bench();
  Op both = set_row("union_coords", "lhs I[N,4], rhs I[M,4] -> coords I[N+M,4], count i32[1]",
                    "out = the distinct rows of lhs, then of rhs, first seen first");
  both.types = "I: i32 i64; N+M < 2^31", both.oracle = unite;
  Op common = set_row("intersection_coords", kPair, "out = the distinct rows of lhs that rhs has, first seen first");
  common.oracle = intersect;
  Op once = set_row("unique_coords", kOne, "out = the distinct rows, first seen first");
  once.oracle = unique;
  return {down, both, common, once};
}

Op lookup_row(std::string_view name, const char* signature, std::string_view equation) {
  return {.name = name,
          .signature = signature,
          .types = "I: i32 i64; N, M < 2^31",
          .attrs = {},
          .equation = equation,
          .meaning = kSet,
          .oracle = lookup,
          .cases = pair_cases(),
          .bench = pair_bench(),
          .tolerance = {Tolerance::Class::exact}};
}

std::vector<Op> lookup_rows() {
  Op has = lookup_row("contains_coords", "coords I[N,4], queries I[M,4] -> found bool[M]",
                      "found[q] = whether coords has the row queries[q]");
  has.oracle = contains;
  return {lookup_row("lookup_coords", "coords I[N,4], queries I[M,4] -> rows i32[M]",
                     "rows[q] = min {i : coords[i] = queries[q]}, or -1"),
          has,
          lookup_row("inverse_map", "source I[N,4], target I[M,4] -> rows i32[M]",
                     "rows[t] = min {i : source[i] = target[t]}, or -1")};
}

Op morton_row(std::string_view name, const char* signature, std::string_view equation, Oracle oracle) {
  return {.name = name,
          .signature = signature,
          .types = "I: i32 i64; N < 2^31",
          .attrs = {},
          .equation = equation,
          .meaning = kMorton,
          .oracle = oracle,
          .cases = single_cases(),
          .bench = single_bench(),
          .tolerance = {Tolerance::Class::exact}};
}

std::vector<Op> morton_rows() {
  return {morton_row("morton_codes", "coords I[N,4] -> codes i64[N]",
                     "code = b 2^60 + sum over i < 21 of bit i of x, y, z at 3i, 3i+1, 3i+2, modulo 2^64, signed",
                     morton_codes),
          morton_row("morton_order", "coords I[N,4] -> order i32[N]",
                     "order = p with code[p_0] <= code[p_1] <= ..., lower row first among equals", morton_order),
          morton_row("morton_sort_coords", "coords I[N,4] -> coords I[N,4], order i32[N], inverse_rows i32[N]",
                     "out = coords[order]; inverse_rows[order[i]] = i", morton_sort)};
}

std::vector<Op> octant_rows() {
  Op down{.name = "occupancy_downsample",
          .signature =
              "coords I[N,4], active_rows i32[1] counts N -> coords i32[N,4], active_rows i32[1], occupancy i32[N]",
          .types = "I: i32 i64; N < 2^31",
          .attrs = {},
          .equation =
              "parents = the distinct (b, floor(xyz / 2)), first seen first; occupancy = OR of 2^(x&1 | (y&1)<<1 | "
              "(z&1)<<2) over the children",
          .meaning = kOctant,
          .oracle = occupancy_downsample,
          .cases = occupancy_downsample_cases(),
          .bench = occupancy_downsample_bench(),
          .tolerance = {Tolerance::Class::exact},
          .active = active_set};
  Op expand = down;
  expand.name = "occupancy_expand";
  expand.signature =
      "coords I[N,4], active_rows i32[1] counts N, occupancy i32[N] -> coords i32[8N,4], active_rows i32[1], "
      "parent_rows i32[8N], child_indices i32[8N]";
  expand.types = "I: i32 i64; 8N < 2^31";
  expand.equation =
      "for each parent p, for each set bit c < 8 of its occupancy, ascending: (b, 2 p + bits 0, 1, 2 of c)";
  expand.oracle = occupancy_expand, expand.cases = occupancy_expand_cases();
  expand.bench = occupancy_expand_bench();
  Op child = down;
  child.name = "child_coords_from_indices";
  child.signature = "parent_coords I[N,4], child_indices i32[N] -> coords i32[N,4]";
  child.equation = "out[i] = (b, 2 p_i + bits 0, 1, 2 of c_i)";
  child.meaning = "only the low three bits of an index count; coordinates are taken modulo 2^32, the result is int32";
  child.oracle = child_coords;
  child.cases = child_cases(), child.bench = child_bench();
  child.active = nullptr;
  return {down, expand, child};
}

Op alignment_row() {
  return {.name = "sparse_alignment",
          .signature =
              "lhs_coords i32[N,4], lhs_active_rows i32[1] counts N, rhs_coords i32[M,4], "
              "rhs_active_rows i32[1] counts M -> coords i32[R,4], active_rows i32[1], lhs_rows i32[R], "
              "rhs_rows i32[R]",
          .attrs = {{"join", "inner"}},
          .equation =
              "inner: lhs rows that rhs has; left: lhs rows; right: rhs rows; outer: lhs rows, then rhs rows that "
              "lhs lacks; with their row in each side or -1",
          .meaning =
              "the driving side keeps repeated sites, each with its own row; the other side answers with its lowest "
              "row; rows beyond the count are unspecified",
          .infer = infer_alignment,
          .oracle = alignment,
          .cases = alignment_cases(),
          .rejects = alignment_rejects(),
          .bench = alignment_bench(),
          .tolerance = {Tolerance::Class::exact},
          .active = active_set};
}

}  // namespace

std::vector<Op> coordinates_ops() {
  std::vector<Op> all = set_rows();
  for (std::vector<Op> (*rows)() : {lookup_rows, morton_rows, octant_rows})
    for (Op& op : rows()) all.push_back(std::move(op));
  all.push_back(alignment_row());
  return all;
}

}  // namespace plumb
