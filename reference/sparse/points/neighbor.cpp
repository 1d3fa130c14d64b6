// Nearest neighbours among sparse rows, neighbours within a radius, and the features of neighbours: their rows, shape
// rules, oracles and cases.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/text.h"
#include "reference/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace reference;

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
constexpr double kMostRadius = 1 << 30;

// Positions of the inputs; without queries, the sources are the queries.
enum : std::size_t { kSources, kActive, kQueries, kQueryActive };

std::int64_t queries_of(const Request& r) { return r.size(r.has(kQueries) ? 'M' : 'N'); }

std::vector<Spec> relation_specs(const Request& r, std::int64_t queries, std::int64_t each) {
  if (each > kMost || (queries > 0 && each > kMost / queries))
    r.fail(Reason::memory,
           std::to_string(queries) + " queries with " + std::to_string(each) + " neighbours exceed 2^31");
  return r.outputs({{'E', queries * each}, {'Q', queries}});
}

std::vector<Spec> infer_knn(const Request& r) {
  const std::int64_t queries = queries_of(r), k = r.integer("k");
  if (k <= 0) r.fail(Reason::attribute, "k is " + std::to_string(k));
  return relation_specs(r, queries, k);
}

// The largest squared distance within the radius: that of whole numbers up to float32(radius^2).
std::int64_t reach(const Request& r) {
  const double radius = r.number("radius");
  if (!(radius >= 0 && radius <= kMostRadius)) r.fail(Reason::attribute, "radius is " + shortest(radius));
  return static_cast<std::int64_t>(std::floor(static_cast<float>(radius * radius)));
}

// How many triples of whole numbers have squares that sum to at most r2; more than int32 holds: any such number.
std::int64_t ball(std::int64_t r2) {
  if (r2 > 1000000) return kMost + 1;
  std::int64_t n = 0, top = 0;  // the greatest z beside y = 0, and then beside each y: they fall as x and y rise
  while ((top + 1) * (top + 1) <= r2) ++top;
  for (std::int64_t x = 0; x * x <= r2; ++x) {
    while (x * x + top * top > r2) --top;
    std::int64_t z = top;
    for (std::int64_t y = 0; x * x + y * y <= r2; ++y) {
      while (x * x + y * y + z * z > r2) --z;
      n += (x > 0 ? 2 : 1) * (y > 0 ? 2 : 1) * (2 * z + 1);
    }
  }
  return n;
}

std::vector<Spec> infer_radius(const Request& r) {
  const std::int64_t queries = queries_of(r), r2 = reach(r);
  if (r.none("max_neighbors")) return relation_specs(r, queries, ball(r2));
  const std::int64_t most = r.integer("max_neighbors");
  if (most <= 0) r.fail(Reason::attribute, "max_neighbors is " + std::to_string(most));
  return relation_specs(r, queries, most);
}

struct Neighbor {
  float d2;
  std::int64_t row;
  bool operator<(const Neighbor& o) const { return d2 != o.d2 ? d2 < o.d2 : row < o.row; }
};

// q - s per axis, wrapping modulo 2^64
Triple difference(const Site& q, const Site& s) {
  Triple d;
  for (std::size_t a = 0; a < 3; ++a)
    d[a] = static_cast<std::int64_t>(static_cast<std::uint64_t>(q[a + 1]) - static_cast<std::uint64_t>(s[a + 1]));
  return d;
}

// (dx dx + dy dy) + dz dz, every step in binary32
float squared_distance(const Triple& d) {
  const float x = static_cast<float>(d[0]), y = static_cast<float>(d[1]), z = static_cast<float>(d[2]);
  const float xx = x * x, yy = y * y, zz = z * z;
  const float xy = xx + yy;
  return xy + zz;
}

std::vector<Wide> listed(const std::vector<Spec>& specs, const std::vector<std::vector<Neighbor>>& found) {
  Integers query(specs[0].shape), source(specs[1].shape), rank(specs[2].shape), offsets(specs[4].shape),
      counts(specs[5].shape);
  Reals d2(specs[3].shape);
  std::int64_t e = 0;
  for (std::size_t q = 0; q < found.size(); ++q) {
    for (std::size_t i = 0; i < found[q].size(); ++i, ++e) {
      query[e] = static_cast<std::int64_t>(q), source[e] = found[q][i].row, rank[e] = static_cast<std::int64_t>(i);
      d2[e] = found[q][i].d2;
    }
    offsets[static_cast<std::int64_t>(q) + 1] = e;
  }
  counts[0] = e;
  counts[1] = static_cast<std::int64_t>(found.size());
  return {query, source, rank, d2, offsets, counts};
}

// For each query the first `most` of its candidates by (d2, row).
template <class Candidate>
std::vector<Wide> nearest(const Call& call, const std::vector<Spec>& specs, std::int64_t most, Candidate&& candidate) {
  const std::vector<Site> sources = active_sites(call, kSources, kActive);
  const std::vector<Site> queries = call.has(kQueries) ? active_sites(call, kQueries, kQueryActive) : sources;
  std::vector<std::vector<Neighbor>> found;
  for (const Site& q : queries) {
    std::vector<Neighbor>& near = found.emplace_back();
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const Triple d = difference(q, sources[i]);
      if (sources[i][0] == q[0] && candidate(i, d)) near.push_back({squared_distance(d), static_cast<std::int64_t>(i)});
    }
    std::sort(near.begin(), near.end());
    if (std::ssize(near) > most) near.resize(static_cast<std::size_t>(most));
  }
  return listed(specs, found);
}

std::vector<Wide> knn(const Call& call) {
  return nearest(call, infer_knn(call), call.integer("k"), [](std::size_t, const Triple&) { return true; });
}

std::vector<Wide> within_radius(const Call& call) {
  const std::vector<Spec> specs = infer_radius(call);
  const std::int64_t r2 = reach(call), most = call.none("max_neighbors") ? ball(r2) : call.integer("max_neighbors");
  const std::vector<Site> sources = active_sites(call, kSources, kActive);
  std::map<Site, std::size_t> lowest;
  for (std::size_t i = 0; i < sources.size(); ++i) lowest.emplace(sources[i], i);
  return nearest(call, specs, most, [&](std::size_t i, const Triple& d) {
    for (const std::int64_t c : d)
      if (c > static_cast<std::int64_t>(kMostRadius) || c < -static_cast<std::int64_t>(kMostRadius)) return false;
    return lowest.at(sources[i]) == i && d[0] * d[0] + d[1] * d[1] + d[2] * d[2] <= r2;
  });
}

std::vector<std::int64_t> active_part(const Call&, const std::vector<Tensor>& out) {
  const std::int32_t* counts = out[5].read<std::int32_t>();
  const std::int64_t edges = std::clamp<std::int64_t>(counts[0], 0, out[0].dim(0));
  const std::int64_t queries = std::clamp<std::int64_t>(counts[1], 0, out[4].dim(0) - 1);
  return {edges, edges, edges, edges, queries + 1, -1};
}

// Some queries of many, spaced evenly; what belongs to them lies in scattered runs of the edges.
struct Queries {
  std::int64_t n, first, step;
  std::int64_t row(std::int64_t j) const { return first + j * step; }
};

std::vector<Tensor> edges_of(const Queries& chosen, const std::vector<Spec>& specs, const std::vector<Tensor>& all) {
  std::vector<Tensor> part;
  for (const Spec& s : specs) part.emplace_back(s);
  const auto* offsets = all[4].read<std::int32_t>();
  const auto bounded = [&](std::int32_t e) { return std::clamp<std::int64_t>(e, 0, all[0].dim(0)); };
  auto *query = part[0].write<std::int32_t>(), *to = part[4].write<std::int32_t>(),
       *counts = part[5].write<std::int32_t>();
  const std::int64_t room = specs[0].shape[0];
  std::int64_t e = 0;
  to[0] = 0;
  for (std::int64_t j = 0; j < chosen.n; ++j) {
    for (std::int64_t i = bounded(offsets[chosen.row(j)]); i < bounded(offsets[chosen.row(j) + 1]) && e < room;
         ++i, ++e) {
      const bool mine = all[0].read<std::int32_t>()[i] == chosen.row(j);
      query[e] = mine ? static_cast<std::int32_t>(j) : -1;
      for (const std::size_t column : {1U, 2U})
        part[column].write<std::int32_t>()[e] = all[column].read<std::int32_t>()[i];
      part[3].write<float>()[e] = all[3].read<float>()[i];
    }
    to[j + 1] = static_cast<std::int32_t>(e);
  }
  counts[0] = static_cast<std::int32_t>(e);
  counts[1] = static_cast<std::int32_t>(chosen.n);
  return part;
}

std::optional<Spot> some_queries(const Call& c, std::uint64_t key) {
  constexpr std::int64_t kSome = 64;
  const std::size_t from = c.has(kQueries) ? kQueries : kSources;
  const std::int64_t active = c[from + 1].read<std::int32_t>()[0];
  if (active <= kSome) return std::nullopt;
  const std::int64_t step = active / kSome;
  const Queries chosen{kSome, static_cast<std::int64_t>(key % static_cast<std::uint64_t>(step)), step};
  const Tensor queries = spaced(c[from].view({active, 4}, c[from].strides()), 0, kSome, key);
  const Call part =
      make_call(*c.op, {c[kSources], c[kActive], queries, tensor(Dtype::i32, {1}, {double{kSome}})}, c.attrs);
  return Spot{part, [chosen, specs = output_specs(part)](const std::vector<Tensor>& out) {
                return edges_of(chosen, specs, out);
              }};
}

// ---- Features of neighbours ----

std::vector<Spec> infer_gather(const Request& r) {
  const std::int64_t channels = r.size('C'), edges = r.size('E');
  if (channels > 0 && edges > std::numeric_limits<std::int64_t>::max() / 16 / channels)
    r.fail(Reason::memory, std::to_string(edges) + " rows of " + std::to_string(channels) + " channels");
  return r.outputs();
}

std::int64_t edge_count(const Call& call) {
  const Wide counts = widen(call[2]);
  return integers(counts)[0];
}

// out[e,c] = features[rows[e],c]
std::vector<Wide> gather(const Call& call) {
  const Wide features = widen(call[0]), rows = widen(call[1]);
  const std::int64_t n = call.shape(0)[0], channels = call.shape(0)[1], edges = edge_count(call);
  Reals out(infer_gather(call)[0].shape);
  for (std::int64_t e = 0; e < edges; ++e) {
    const std::int64_t row = integers(rows)[e];
    if (row < 0 || row >= n) call.fail(Reason::domain, "row " + std::to_string(row) + " of " + std::to_string(n));
    for (std::int64_t c = 0; c < channels; ++c) out[e * channels + c] = reals(features)[row * channels + c];
  }
  return {out};
}

std::vector<std::int64_t> gathered_part(const Call& call, const std::vector<Tensor>&) { return {edge_count(call)}; }

// Some edges of many, where all are active.
std::optional<Spot> some_edges(const Call& c, std::uint64_t key) {
  constexpr std::int64_t kSome = 4096;
  if (edge_count(c) < c.shape(1)[0] || c.shape(1)[0] <= kSome) return std::nullopt;
  const Call part =
      make_call(*c.op, {c[0], spaced(c[1], 0, kSome, key), tensor(Dtype::i32, {2}, {double{kSome}, 0})}, c.attrs);
  return Spot{part,
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], 0, kSome, key)}; }};
}

// ---- Cases ----

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout = Layout::row) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}
std::optional<Input> rows(std::int64_t n) { return input(Dtype::i32, {1}, "const-" + std::to_string(n)); }

struct Trial {
  std::int64_t n = 90, active = 85, m = 40, query_active = 37;  // m < 0: the sources are the queries
  std::string sources = "sites_box-4", queries = "sites_box-4";
  Dtype type = Dtype::i32;
  Layout layout = Layout::row;
  Budget budget = Budget::ci;
};

Case described(const Trial& t, Attrs attrs) {
  Case c{{input(t.type, {t.n, 4}, t.sources, t.layout), rows(t.active)}, std::move(attrs), t.budget};
  if (t.m >= 0) c.in.insert(c.in.end(), {input(t.type, {t.m, 4}, t.queries, t.layout), rows(t.query_active)});
  return c;
}

// Clouds that are dense, sparse, flat, thin, repeated, in many batches, and so far away that distances tie once
// rounded.
const Trial kClouds[] = {
    {.sources = "sites_batches-3", .queries = "sites_batches-3"},
    {.sources = "sites_line", .queries = "sites_line-20"},
    {.sources = "sites_plane", .queries = "sites_block"},
    {.sources = "sites_surface-1", .queries = "sites_block"},
    {.sources = "sites_isolated", .queries = "sites_isolated-7"},
    {.sources = "sites_duplicates-5", .queries = "sites_block"},
    {.sources = "sites_duplicates-100", .queries = "sites_block"},
    {.sources = "sites_negative-1", .queries = "sites_negative-1"},
    {.sources = "sites_extremes", .queries = "sites_extremes"},
    {.sources = "sites_extremes", .queries = "sites_extremes", .type = Dtype::i64},
    {.sources = "int-2", .queries = "int-3"},
    {.sources = "int-100000", .queries = "int-100000"},
    {.sources = "sites_line", .queries = "sites_line-100000000"},
    {.sources = "sites_isolated-40000000", .queries = "sites_isolated-30000001"},
    {.sources = "sites_isolated-1099511627776", .queries = "sites_block", .type = Dtype::i64},
    {.sources = "sites_block", .queries = "sites_isolated-1099511627776", .type = Dtype::i64},
    {.sources = "sites_isolated-2305843009213693952",
     .queries = "sites_isolated-2305843009213693952",
     .type = Dtype::i64},
};

// The same for both ops: clouds, sizes about the thresholds of routes, counts below and above the rows, layouts.
template <class Add>
void sweep(Add&& add) {
  for (const Trial& cloud : kClouds) {
    Trial large = cloud;
    large.n = 700, large.active = 690, large.m = 60, large.query_active = 60;
    add(cloud);
    add(large);
  }
  for (const std::int64_t n : {0, 1, 2, 31, 32, 33, 127, 128, 129, 255, 256, 257, 511, 512, 513})
    add(Trial{.n = n, .active = n, .m = 9, .query_active = 9, .budget = n == 257 ? Budget::smoke : Budget::ci});
  for (const std::int64_t a : {1, 32, 64, 255, 256}) add(Trial{.n = 260, .active = a, .m = 9, .query_active = 9});
  for (const std::int64_t m : {0, 1, 63, 64, 65, 129, 257}) add(Trial{.m = m, .query_active = m});
  add(Trial{.active = 0});
  add(Trial{.query_active = 0});
  add(Trial{.n = 300, .active = 280, .m = -1});
  add(Trial{.n = 300, .active = 280, .m = -1, .type = Dtype::i64});
  for (const Layout l : kLayouts) add(Trial{.sources = "sites_negative", .queries = "sites_negative", .layout = l});
}

std::vector<Case> knn_cases() {
  std::vector<Case> c;
  const auto add = [&](const Trial& t, std::int64_t k) { c.push_back(described(t, {{"k", k}})); };
  for (const std::int64_t k : {1, 3, 8, 16, 17, 40})
    for (const std::int64_t m : {40, -1}) add({.m = m, .budget = Budget::smoke}, k);
  add({.sources = "sites_batches", .queries = "sites_batches", .type = Dtype::i64, .budget = Budget::smoke}, 5);
  for (const std::int64_t k : {5, 20}) sweep([&](const Trial& t) { add(t, k); });
  for (const std::int64_t k : {2, 15, 31, 32, 33, 64, 200}) add({.n = 600, .active = 600}, k);
  add({.n = 5000,
       .active = 4990,
       .m = 300,
       .query_active = 300,
       .sources = "sites_surface-1",
       .queries = "sites_surface-1"},
      16);
  add({.n = 20000, .active = 20000, .m = -1, .sources = "sites_surface-1", .budget = Budget::nightly}, 16);
  return c;
}

std::vector<Case> radius_cases() {
  std::vector<Case> c;
  const auto add = [&](const Trial& t, double radius, std::int64_t most) {
    Attrs attrs{{"radius", radius}};
    if (most > 0) attrs.set("max_neighbors", most);
    c.push_back(described(t, attrs));
  };
  for (const double radius : {0.0, 1.0, 1.5, 2.0, 3.3})
    for (const std::int64_t m : {40, -1}) add({.m = m, .budget = Budget::smoke}, radius, -1);
  add({.sources = "sites_block", .queries = "sites_block", .budget = Budget::smoke}, 2.5, 5);
  sweep([&](const Trial& t) { add(t, 1.5, -1); });
  sweep([&](const Trial& t) { add(t, 3.0, 10); });
  for (const double radius : {0.99999999, 0.9999, 1.4142135, 1.7320508075688772, 2.2360679774997896, 7.0, 15.9})
    for (const std::int64_t most : {-1, 4})
      add({.n = 400, .active = 400, .sources = "sites_block", .queries = "sites_block"}, radius, most);
  add({.m = 9, .query_active = 9}, 25.0, 7);  // about as many offsets as are looked up one by one
  for (const double radius : {30.0, 1000.0, 60000.5, 1073741824.0})
    for (const std::int64_t most : {1, 300})
      for (const char* fill : {"int-40", "sites_isolated-30", "sites_extremes"})
        add({.n = 150, .active = 149, .sources = fill, .queries = fill}, radius, most);
  add({.n = 5000,
       .active = 4990,
       .m = 300,
       .query_active = 300,
       .sources = "sites_surface-1",
       .queries = "sites_surface-1"},
      2.0, -1);
  add({.n = 20000, .active = 20000, .m = -1, .sources = "sites_surface-1", .budget = Budget::nightly}, 2.0, -1);
  return c;
}

std::vector<Reject> knn_rejects() {
  std::vector<Reject> r;
  r.push_back({described({}, {{"k", 0}}), Reason::attribute, "k is 0"});
  r.push_back({described({}, {{"k", -3}}), Reason::attribute, "a negative k"});
  r.push_back({described({}, {{"k", std::int64_t{1} << 28}}), Reason::memory, "more edges than int32 can number"});
  return r;
}

std::vector<Reject> radius_rejects() {
  std::vector<Reject> r;
  r.push_back({described({}, {{"radius", -1.0}}), Reason::attribute, "a negative radius"});
  r.push_back({described({}, {{"radius", 2e9}}), Reason::attribute, "a radius beyond 2^30"});
  r.push_back({described({}, {{"max_neighbors", 0}}), Reason::attribute, "no neighbours"});
  r.push_back({described({}, {{"max_neighbors", -1}}), Reason::attribute, "a negative number of neighbours"});
  r.push_back({described({}, {{"radius", 300.0}}), Reason::memory, "more edges than int32 can number"});
  r.push_back({described({}, {{"radius", 1e6}}), Reason::memory, "a ball of more sites than int32 can number"});
  return r;
}

template <std::size_t variants>
std::vector<Case> point_bench(const Attrs (&attrs)[variants]) {
  std::vector<Case> c;
  for (const Attrs& a : attrs)
    c.push_back(described({.n = 100000, .active = 100000, .m = -1, .sources = "sites_surface-1"}, a));
  c.push_back(described({.n = 100000, .active = 100000, .m = -1, .sources = "sites_box"}, attrs[0]));
  c.push_back(described({.n = 400, .active = 400, .m = 20000, .query_active = 20000}, attrs[0]));
  return c;
}

std::vector<Case> knn_bench() {
  const Attrs attrs[] = {{{"k", 8}}, {{"k", 16}}, {{"k", 32}}};
  return point_bench(attrs);
}

std::vector<Case> radius_bench() {
  const Attrs attrs[] = {{{"radius", 2.0}}, {{"radius", 1.0}}, {{"radius", 4.0}, {"max_neighbors", 32}}};
  return point_bench(attrs);
}

constexpr Dtype kTypes[] = {Dtype::f32, Dtype::f16, Dtype::bf16};

Case gathering(Dtype t, std::int64_t n, std::int64_t channels, std::int64_t edges, std::int64_t count,
               const char* values, Budget b = Budget::ci, Layout l = Layout::row) {
  const std::string pick = "index-" + std::to_string(n);
  return {
      {input(t, {n, channels}, values, l), input(Dtype::i32, {edges}, pick, l == Layout::broadcast ? Layout::row : l),
       input(Dtype::i32, {2}, "const-" + std::to_string(count))},
      {},
      b};
}

std::vector<Case> gather_cases() {
  std::vector<Case> c;
  for (const Dtype t : kTypes) {
    for (const std::int64_t channels : {1, 3, 8, 16})
      c.push_back(gathering(t, 20, channels, 60, 55, "special", Budget::smoke));
    for (const std::int64_t channels : {0, 2, 4, 5, 7, 31, 32, 33, 64, 100})
      c.push_back(gathering(t, 50, channels, 77, 77, "uniform"));
    for (const std::int64_t edges : {0, 1, 2, 63, 64, 65, 257, 1025})
      for (const std::int64_t count : {edges, std::int64_t{0}, edges / 2})
        c.push_back(gathering(t, 9, 6, edges, count, "int-9"));
    for (const Layout l : kLayouts) c.push_back(gathering(t, 30, 5, 40, 38, "uniform", Budget::ci, l));
  }
  return c;
}

std::vector<Reject> gather_rejects() {
  const auto good = input(Dtype::f32, {5, 3}, "uniform"), counts = input(Dtype::i32, {2}, "const-6");
  return {
      {{{good, input(Dtype::i32, {6}, "const-5"), counts}, {}}, Reason::domain, "a row behind the last"},
      {{{good, input(Dtype::i32, {6}, "const--1"), counts}, {}}, Reason::domain, "a negative row"},
  };
}

std::vector<Case> gather_bench() {
  std::vector<Case> c;
  for (const Dtype t : {Dtype::f32, Dtype::f16}) c.push_back(gathering(t, 100000, 64, 1600000, 1600000, "uniform"));
  return c;
}

Op neighbor_row(std::string_view name, Attrs attrs, std::string_view equation, std::string_view meaning) {
  return {.name = name,
          .signature =
              "source_coords I[N,4], source_active_rows i32[1] counts N, "
              "(query_coords I[M,4], query_active_rows i32[1] counts M)? -> query_rows i32[E], "
              "source_rows i32[E], neighbor_ids i32[E], squared_distances f32[E], row_offsets i32[Q+1], "
              "counts i32[2]",
          .types = "I: i32 i64; N < 2^31",
          .attrs = std::move(attrs),
          .equation = equation,
          .meaning = meaning,
          .tolerance = {Tolerance::Class::exact},
          .active = active_part,
          .spot = some_queries};
}

}  // namespace

std::vector<Op> neighbor_ops() {
  Op nearest =
      neighbor_row("knn_relation", {{"k", 1}},
                   "for each query q the first k sources s of its batch by (d2, row), d2 = (dx dx + dy dy) + dz dz in "
                   "binary32, dx = float(q.x - s.x)",
                   "exact for every number of sources, and d2 is squared; repeated sources all count; differences wrap "
                   "modulo 2^64; without queries the sources are the queries; entries beyond counts are unspecified");
  nearest.infer = infer_knn, nearest.oracle = knn, nearest.cases = knn_cases;
  nearest.rejects = knn_rejects, nearest.bench = knn_bench;
  Op within = neighbor_row(
      "radius_relation", {{"radius", 1.0}, {"max_neighbors", kNone}},
      "for each query q the sources s of its batch with |q - s|^2 <= float32(radius^2), by (d2, row) as in "
      "knn_relation, the first max_neighbors of them",
      "the whole-number distance decides, so a radius just below a whole one may include its shell, and there "
      "is room for it; a repeated source is its lowest row; a radius is at most 2^30");
  within.infer = infer_radius, within.oracle = within_radius, within.cases = radius_cases;
  within.rejects = radius_rejects, within.bench = radius_bench;
  Op gathered{.name = "gather_neighbor_features",
              .signature = "features T[N,C], source_rows i32[E], counts i32[2] counts E -> out T[E,C]",
              .types = "T: f16 bf16 f32",
              .attrs = {},
              .equation = "out[e,c] = features[source_rows[e],c] for e < counts[0]",
              .meaning = "entries beyond counts[0] are neither read nor specified; a row that is none is refused",
              .infer = infer_gather,
              .oracle = gather,
              .cases = gather_cases,
              .rejects = gather_rejects,
              .bench = gather_bench,
              .tolerance = {Tolerance::Class::exact},
              .active = gathered_part,
              .spot = some_edges};
  return {nearest, within, gathered};
}

}  // namespace plumb
