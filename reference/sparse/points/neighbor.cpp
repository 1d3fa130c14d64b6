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

constexpr std::int64_t kMaxI32 = std::numeric_limits<std::int32_t>::max();
constexpr double kMaxRadius = 1 << 30;

// Positions of the inputs; without queries, the sources are the queries.
enum : std::size_t { kSources, kActive, kQueries, kQueryActive };

std::int64_t queries_of(const Request& r) { return r.size(r.has(kQueries) ? 'M' : 'N'); }

std::vector<Spec> relation_specs(const Request& r, std::int64_t queries, std::int64_t each) {
  if (each > kMaxI32 || (queries > 0 && each > kMaxI32 / queries))
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
  if (!(radius >= 0 && radius <= kMaxRadius)) r.fail(Reason::attribute, "radius is " + shortest(radius));
  return static_cast<std::int64_t>(std::floor(static_cast<float>(radius * radius)));
}

// How many triples of whole numbers have squares that sum to at most r2; more than int32 holds: any such number.
std::int64_t ball(std::int64_t r2) {
  if (r2 > 1000000) return kMaxI32 + 1;
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
      if (c > static_cast<std::int64_t>(kMaxRadius) || c < -static_cast<std::int64_t>(kMaxRadius)) return false;
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
    for (std::int64_t c = 0; c < channels; ++c) out(e, c) = reals(features)(row, c);
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

constexpr const char* kInputs = R"(
  from   sources={c}.{n}x4.{l}.{x}+i32.1.row.const-{a} queries={m<0?'-':others}
         others={c}.{m}x4.{l}.{y}+i32.1.row.const-{b}
  from   n=90 a=85 m=40 b=37 x=sites_box-4 y={x} c=i32 l=row
)";

constexpr const char* kNearest = R"(
  smoke  k={1,3,8,16,17,40} m={40,-1}
  smoke  k=5 x=sites_batches c=i64
  from   k={5,20}
)";

constexpr const char* kNearestMore = R"(
  ci     n=600 a=600 k={2,15,31,32,33,64,200}
  ci     n=5000 a=4990 m=300 b=300 x=sites_surface-1 k=16
  nightly n=20000 a=20000 m=-1 x=sites_surface-1 k=16
)";

constexpr const char* kWithin = R"(
  from   most=-
  smoke  r={0.0,1.0,1.5,2.0,3.3} m={40,-1}
  smoke  r=2.5 most=5 x=sites_block
  from   r,most={1.5 -, 3.0 10}
)";

constexpr const char* kWithinMore = R"(
  # radii at and around the distances of a grid
  ci     n=400 a=400 x=sites_block r={0.99999999,0.9999,1.4142135,1.7320508075688772,2.2360679774997896,7.0,15.9}
         most={-,4}
  ci     m=9 b=9 r=25.0 most=7   # about as many offsets as are looked up one by one
  ci     n=150 a=149 x={int-40,sites_isolated-30,sites_extremes} r={30.0,1000.0,60000.5,1073741824.0} most={1,300}
  ci     n=5000 a=4990 m=300 b=300 x=sites_surface-1 r=2.0 most=-
  nightly n=20000 a=20000 m=-1 x=sites_surface-1 r=2.0 most=-
)";

// The same for both ops.
constexpr const char* kClouds = R"(
  # clouds that are dense, sparse, flat, thin, repeated, in many batches, and so far away that distances tie once
  # rounded
  from   x,y,c={sites_batches-3 sites_batches-3 i32, sites_line sites_line-20 i32, sites_plane sites_block i32,
         sites_surface-1 sites_block i32, sites_isolated sites_isolated-7 i32, sites_duplicates-5 sites_block i32,
         sites_duplicates-100 sites_block i32, sites_negative-1 sites_negative-1 i32, sites_extremes sites_extremes
         {i32,i64},
         int-2 int-3 i32, int-100000 int-100000 i32, sites_line sites_line-100000000 i32,
         sites_isolated-40000000 sites_isolated-30000001 i32, sites_isolated-1099511627776 sites_block i64,
         sites_block sites_isolated-1099511627776 i64,
         sites_isolated-2305843009213693952 sites_isolated-2305843009213693952 i64}
  ci     n,a,m,b={90 85 40 37, 700 690 60 60}
  # sizes about the thresholds of routes, counts below and above the rows, layouts
  from   x=sites_box-4 y={x} c=i32
  smoke  n=257 a=257 m=9 b=9
  ci     n={0,1,2,31,32,33,127,128,129,255,256,257,511,512,513} a={n} m=9 b=9
  ci     n=260 a={1,32,64,255,256} m=9 b=9
  ci     m={0,1,63,64,65,129,257} b={m}
  ci     a=0
  ci     b=0
  ci     n=300 a=280 m=-1 c={i32,i64}
  ci     x=sites_negative l={@layouts}
)";

constexpr const char* kGood = R"(
  from   sources={s}+{count} s=i32.8x4.row.sites_box-4 count=i32.1.row.const-8 queries={q}+{qc}
         q=i32.5x4.row.sites_box-4
  from   qc=i32.1.row.const-5
  from   sources=i32.90x4.row.sites_box-4+i32.1.row.const-85 queries=i32.40x4.row.sites_box-4+i32.1.row.const-37
)";

constexpr const char* kNearestRejects = R"(
  attribute k=0                     # k is 0
  attribute k=-3                    # a negative k
  memory k=268435456                # more edges than int32 can number
)";

constexpr const char* kWithinRejects = R"(
  attribute how=radius=-1.0           # a negative radius
  attribute how=radius=2e9            # a radius beyond 2^30
  attribute how=max_neighbors=0       # no neighbours
  attribute how=max_neighbors=-1      # a negative number of neighbours
  memory how=radius=300.0             # more edges than int32 can number
  memory how=radius=1e6               # a ball of more sites than int32 can number
)";

constexpr const char* kNearestBench = R"(
  ci     n=100000 a={n} m=-1 x=sites_surface-1 k={8,16,32}
  ci     n=100000 a={n} m=-1 x=sites_box k=8
  ci     n=400 a=400 m=20000 b=20000 k=8
)";

constexpr const char* kWithinBench = R"(
  ci     n=100000 a={n} m=-1 x=sites_surface-1 r,most={2.0 -, 1.0 -, 4.0 32}
  ci     n=100000 a={n} m=-1 x=sites_box r=2.0 most=-
  ci     n=400 a=400 m=20000 b=20000 r=2.0 most=-
)";

constexpr const char* kGatherCases = R"(
  call   {t}.{n}x{ch}.{l}.{x}+i32.{e}.{l=='broadcast'?'row':l}.index-{n}+i32.2.row.const-{count}/-
  from   t={f32,f16,bf16} l=row
  smoke  n=20 ch={1,3,8,16} e=60 count=55 x=special
  ci     n=50 ch={0,2,4,5,7,31,32,33,64,100} e=77 count=77 x=uniform
  ci     n=9 ch=6 e={0,1,2,63,64,65,257,1025} count={{e},0,{e/2}} x=int-9
  ci     n=30 ch=5 e=40 count=38 x=uniform l={@layouts}
)";

constexpr const char* kGatherRejects = R"(
  call   {x}+{rows}+{counts}/-
  from   x=f32.5x3.row.uniform rows=i32.6.row.index-5 counts=i32.2.row.const-6
  domain rows=i32.6.row.const-5     # a row behind the last
  domain rows=i32.6.row.const--1    # a negative row
)";

constexpr const char* kGatherBench = R"(
  ci     {f32,f16}.100000x64.row.uniform+i32.1600000.row.index-100000+i32.2.row.const-1600000/-
)";

constexpr const char* kNearestCall = "call {sources}+{queries}/k={k}";
constexpr const char* kWithinCall = "call {sources}+{queries}/radius={r},max_neighbors={most}";

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
  nearest.infer = infer_knn, nearest.oracle = knn,
  nearest.cases = {kNearestCall, kInputs, kNearest, kClouds, kNearestMore};
  nearest.rejects = {"from k=2", kNearestCall, kGood, kNearestRejects};
  nearest.bench = {kNearestCall, kInputs, kNearestBench};
  Op within = neighbor_row(
      "radius_relation", {{"radius", 1.0}, {"max_neighbors", kNone}},
      "for each query q the sources s of its batch with |q - s|^2 <= float32(radius^2), by (d2, row) as in "
      "knn_relation, the first max_neighbors of them",
      "the whole-number distance decides, so a radius just below a whole one may include its shell, and there "
      "is room for it; a repeated source is its lowest row; a radius is at most 2^30");
  within.infer = infer_radius, within.oracle = within_radius,
  within.cases = {kWithinCall, kInputs, kWithin, kClouds, kWithinMore};
  within.rejects = {"call {sources}+{queries}/{how}\nfrom how=radius=2.0", kGood, kWithinRejects};
  within.bench = {kWithinCall, kInputs, kWithinBench};
  Op gathered{.name = "gather_neighbor_features",
              .signature = "features T[N,C], source_rows i32[E], counts i32[2] counts E -> out T[E,C]",
              .types = "T: f16 bf16 f32",
              .attrs = {},
              .equation = "out[e,c] = features[source_rows[e],c] for e < counts[0]",
              .meaning = "entries beyond counts[0] are neither read nor specified; a row that is none is refused",
              .infer = infer_gather,
              .oracle = gather,
              .cases = kGatherCases,
              .rejects = kGatherRejects,
              .bench = kGatherBench,
              .tolerance = {Tolerance::Class::exact},
              .active = gathered_part,
              .spot = some_edges};
  return {nearest, within, gathered};
}

}  // namespace plumb
