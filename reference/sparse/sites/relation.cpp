#include "reference/sparse/sites/relation.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "core/budget.h"
#include "reference/sparse/sites/site_fills.h"

namespace plumb {
namespace reference {
namespace {

constexpr std::int64_t kMaxRows = std::numeric_limits<std::int32_t>::max();

// Coordinates live in int64 and wrap modulo 2^64, so that every value of every attribute is defined.
std::int64_t wrap(std::uint64_t x) { return static_cast<std::int64_t>(x); }
std::int64_t add(std::int64_t a, std::int64_t b) {
  return wrap(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t multiply(std::int64_t a, std::int64_t b) {
  return wrap(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

std::int64_t floor_divide(std::int64_t a, std::int64_t s) { return a / s - (a % s < 0 ? 1 : 0); }

Triple triple(const Request& r, std::string_view attr, std::int64_t least) {
  const std::vector<std::int64_t> v = r.list(attr);
  if (v.size() != 1 && v.size() != 3) r.fail(Reason::attribute, std::string(attr) + " needs one or three values");
  Triple t;
  for (std::size_t a = 0; a < 3; ++a) {
    t[a] = v.size() == 1 ? v[0] : v[a];
    if (t[a] < least || t[a] > kMaxRows) r.fail(Reason::attribute, std::string(attr) + " is " + std::to_string(t[a]));
  }
  return t;
}

bool has_attr(const Request& r, std::string_view attr) { return r.attrs.find(attr) != nullptr; }

// offsets: kernel rows with x outermost and z fastest. Per axis 0..k-1, or -(k/2)..k/2 for an odd size of
// a centred kind; times the dilation.
std::vector<Triple> offsets(const Geometry& g, bool centred) {
  std::vector<Triple> f;
  Triple origin;
  for (std::size_t a = 0; a < 3; ++a) origin[a] = centred && g.size[a] % 2 == 1 ? g.size[a] / 2 : 0;
  for (std::int64_t x = 0; x < g.size[0]; ++x)
    for (std::int64_t y = 0; y < g.size[1]; ++y)
      for (std::int64_t z = 0; z < g.size[2]; ++z)
        f.push_back(
            {(x - origin[0]) * g.dilation[0], (y - origin[1]) * g.dilation[1], (z - origin[2]) * g.dilation[2]});
  return f;
}

// c * stride + f - padding, the batch copied
Site reach(const Site& c, const Geometry& g, const Triple& f) {
  Site q{c[0]};
  for (std::size_t a = 0; a < 3; ++a) q[a + 1] = add(add(multiply(c[a + 1], g.stride[a]), f[a]), -g.padding[a]);
  return q;
}

struct Scatter {
  std::size_t operator()(const Site& c) const {
    std::uint64_t h = 0;
    for (const std::int64_t x : c) h = (h ^ static_cast<std::uint64_t>(x)) * 0x9E3779B97F4A7C15U, h ^= h >> 32;
    return h;
  }
};
// Looked up, never iterated: hash order cannot reach a result.
using Rows = std::unordered_map<Site, std::int64_t, Scatter>;

// site -> the lowest row that has it
Rows first_rows(const std::vector<Site>& rows) {
  Rows first;
  first.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) first.emplace(rows[i], static_cast<std::int64_t>(i));
  return first;
}

// The distinct floor(site / stride), in first-seen order.
std::vector<Site> coarsened(const std::vector<Site>& rows, const Geometry& g) {
  std::vector<Site> out;
  Rows seen;
  for (const Site& c : rows) {
    Site d{c[0]};
    for (std::size_t a = 0; a < 3; ++a) d[a + 1] = floor_divide(c[a + 1], g.stride[a]);
    if (seen.emplace(d, 0).second) out.push_back(d);
  }
  return out;
}

// edge (first row at out[o] * stride + f[k] - padding, o, k) wherever that row exists
Relation gathered(const std::vector<Site>& in, std::vector<Site> out, const Geometry& g) {
  const Rows first = first_rows(in);
  const std::vector<Triple> f = offsets(g, true);
  Relation r;
  for (std::size_t o = 0; o < out.size(); ++o)
    for (std::size_t k = 0; k < f.size(); ++k)
      if (const auto hit = first.find(reach(out[o], g, f[k])); hit != first.end())
        r.edges.push_back({hit->second, static_cast<std::int64_t>(o), static_cast<std::int64_t>(k)});
  r.out = std::move(out);
  return r;
}

// out = in * stride + f - padding, equal sites merged in first-seen order
Relation scattered(const std::vector<Site>& in, const Geometry& g, bool merge) {
  const std::vector<Triple> f = offsets(g, false);
  Rows seen;
  Relation r;
  for (std::size_t i = 0; i < in.size(); ++i)
    for (std::size_t k = 0; k < f.size(); ++k) {
      const Site q = reach(in[i], g, f[k]);
      std::int64_t o = static_cast<std::int64_t>(r.out.size());
      if (merge) o = seen.emplace(q, o).first->second;
      if (o == static_cast<std::int64_t>(r.out.size())) r.out.push_back(q);
      r.edges.push_back({static_cast<std::int64_t>(i), o, static_cast<std::int64_t>(k)});
    }
  std::stable_sort(r.edges.begin(), r.edges.end(), [](const Edge& a, const Edge& b) {
    return a.out != b.out ? a.out < b.out : a.kernel != b.kernel ? a.kernel < b.kernel : a.in < b.in;
  });
  return r;
}

// edge (first row at (out[t] + padding - f[k]) / stride, t, k) where the division is exact and the row exists
Relation inverted(const std::vector<Site>& in, const std::vector<Site>& targets, const Geometry& g) {
  const Rows first = first_rows(in);
  const std::vector<Triple> f = offsets(g, false);
  Relation r{{}, targets};
  for (std::size_t t = 0; t < targets.size(); ++t)
    for (std::size_t k = 0; k < f.size(); ++k) {
      Site q{targets[t][0]};
      bool exact = true;
      for (std::size_t a = 0; a < 3; ++a) {
        const std::int64_t v = add(add(targets[t][a + 1], g.padding[a]), -f[k][a]);
        exact = exact && v % g.stride[a] == 0;
        q[a + 1] = v / g.stride[a];
      }
      const auto hit = first.find(q);
      if (exact && hit != first.end())
        r.edges.push_back({hit->second, static_cast<std::int64_t>(t), static_cast<std::int64_t>(k)});
    }
  return r;
}

// stride > (size - 1) * dilation on every axis: distinct sites cannot meet, so nothing is merged
bool spread(const Geometry& g) {
  for (std::size_t a = 0; a < 3; ++a)
    if (g.stride[a] <= (g.size[a] - 1) * g.dilation[a]) return false;
  return true;
}

bool unit_step(const Geometry& g) { return g.stride == Triple{1, 1, 1} && g.padding == Triple{0, 0, 0}; }

}  // namespace

Geometry geometry(const Request& r, RelationKind kind) {
  Geometry g;
  g.size = triple(r, "kernel_size", 1);
  if (has_attr(r, "stride")) g.stride = triple(r, "stride", 1);
  if (has_attr(r, "padding")) g.padding = triple(r, "padding", 0);
  if (has_attr(r, "dilation")) g.dilation = triple(r, "dilation", 1);
  for (std::size_t a = 0; a < 3; ++a) {
    if (kind == RelationKind::submanifold && g.size[a] % 2 == 0)
      r.fail(Reason::attribute, "kernel_size " + std::to_string(g.size[a]) + " is even");
    if (g.volume > (kMaxRows - 1) / g.size[a]) r.fail(Reason::memory, "kernel rows exceed 2^31");
    g.volume *= g.size[a];
  }
  require_memory(r.op->name, "the offsets of " + std::to_string(g.volume) + " kernel rows",
                 static_cast<double>(g.volume) * sizeof(Triple));
  return g;
}

std::int64_t capacity(const Request& r, RelationKind kind, const Geometry& g, std::int64_t rows, std::int64_t targets) {
  const bool targeted = kind == RelationKind::target || kind == RelationKind::target_transposed;
  const std::int64_t out = targeted ? targets : rows;
  if (rows > kMaxRows / g.volume || out > kMaxRows / g.volume)
    r.fail(Reason::memory, std::to_string(std::max(rows, out)) + " rows times " + std::to_string(g.volume) +
                               " kernel rows exceed 2^31");
  return kind == RelationKind::transposed || kind == RelationKind::generative ? rows * g.volume : out;
}

std::vector<Site> active_sites(const Call& call, std::size_t coords, std::size_t active) {
  const Wide c = widen(call[coords]), n = widen(call[active]);
  std::vector<Site> sites(static_cast<std::size_t>(integers(n)[0]));
  for (std::size_t i = 0; i < sites.size(); ++i)
    for (std::size_t a = 0; a < 4; ++a) sites[i][a] = integers(c)(i, a);
  return sites;
}

Relation relate(RelationKind kind, const Geometry& g, const std::vector<Site>& in, const std::vector<Site>& targets) {
  switch (kind) {
    case RelationKind::forward:
    case RelationKind::submanifold: return gathered(in, unit_step(g) ? in : coarsened(in, g), g);
    case RelationKind::target: return gathered(in, targets, g);
    case RelationKind::transposed: return scattered(in, g, !spread(g));
    case RelationKind::generative: return scattered(in, g, false);
    case RelationKind::target_transposed: return inverted(in, targets, g);
  }
  return {};
}

std::string kernel_call(RelationKind kind, std::string_view inputs, std::string_view more) {
  std::string call = "call " + std::string(inputs) + "/kernel_size={k}";
  const bool submanifold = kind == RelationKind::submanifold, generative = kind == RelationKind::generative;
  if (!submanifold) call += ",stride={s}";
  if (!submanifold && !generative) call += ",padding={p}";
  if (!generative) call += ",dilation={d}";
  return call + std::string(more) + "\nfrom if=" + (submanifold ? "{K%2}" : "1");
}

const char* const kFarKernels = R"(
  from   far={5: 1: 0: 1: 125 sites_block i32, 5: 2: 1: 1: 125 sites_negative-1 i32, 5:5:3 3: 2: 4: 75 sites_extremes
         i64,
         3: 1: 0: 5: 27 sites_negative i32, 3: 2: 0: 3: 27 sites_block i32, 2: 1: 2: 3: 8 sites_negative i64,
         3:4:3 2:1:2 1: 1:3:5 36 sites_duplicates i32, 11:1:1 1: 0: 1: 11 sites_line-5 i32,
         1:3:11 1:2:1 0:1:5 1: 33 sites_extremes i32}
)";

bool drop_kind(Attrs& attrs, std::initializer_list<std::string_view> kinds) {
  const Attr* kind = attrs.find("kind");
  const std::string* text = kind ? kind->get<std::string>() : nullptr;
  if (!text || std::find(kinds.begin(), kinds.end(), *text) == kinds.end()) return false;
  Attrs kept;
  for (const auto& [key, value] : attrs)
    if (key != "kind") kept.set(key, value);
  attrs = kept;
  return true;
}

}  // namespace reference

namespace {

using namespace reference;

template <RelationKind kind>
std::vector<Spec> infer(const Request& r) {
  const Geometry g = geometry(r, kind);
  const std::int64_t n = r.size('N'), m = r.size('M'), out = capacity(r, kind, g, n, m);
  return r.outputs({{'E', (kind == RelationKind::target ? m : n) * g.volume}, {'R', out}, {'K', g.volume}});
}

// offsets[g] = edges in groups before g; ids = edge numbers by group, ascending within a group
void group(const std::vector<Edge>& edges, std::int64_t Edge::*member, Integers& offsets, Integers* ids) {
  for (const Edge& e : edges) ++offsets[e.*member + 1];
  for (std::int64_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
  std::vector<std::int64_t> next = offsets.data;
  for (std::size_t e = 0; ids && e < edges.size(); ++e)
    (*ids)[next[static_cast<std::size_t>(edges[e].*member)]++] = static_cast<std::int64_t>(e);
}

// The three parallel edge columns, the counts, and the same edges grouped by output, input and kernel row.
template <RelationKind kind>
std::vector<Wide> relation(const Call& call) {
  const std::vector<Spec> specs = infer<kind>(call);
  const std::vector<Site> in = active_sites(call, 0, 1);
  const std::vector<Site> targets = kind == RelationKind::target ? active_sites(call, 2, 3) : std::vector<Site>{};
  const Relation r = relate(kind, geometry(call, kind), in, targets);
  std::vector<Integers> out;
  for (const Spec& s : specs) out.emplace_back(s.shape);
  for (std::size_t e = 0; e < r.edges.size(); ++e) {
    const auto i = static_cast<std::int64_t>(e);
    out[0][i] = r.edges[e].in, out[1][i] = r.edges[e].out, out[2][i] = r.edges[e].kernel;
  }
  out[3][0] = static_cast<std::int64_t>(r.edges.size());
  out[3][1] = static_cast<std::int64_t>(r.out.size());
  for (std::size_t o = 0; o < r.out.size(); ++o)
    for (std::size_t a = 0; a < 4; ++a) out[5][static_cast<std::int64_t>(4 * o + a)] = r.out[o][a];
  group(r.edges, &Edge::out, out[4], nullptr);
  group(r.edges, &Edge::in, out[6], &out[7]);
  group(r.edges, &Edge::kernel, out[8], &out[9]);
  return {out.begin(), out.end()};
}

std::vector<std::int64_t> active_part(const Call&, const std::vector<Tensor>& out) {
  const std::int32_t* counts = out[3].read<std::int32_t>();
  const std::int64_t edges = std::clamp<std::int64_t>(counts[0], 0, out[0].dim(0));
  const std::int64_t rows = std::clamp<std::int64_t>(counts[1], 0, out[5].dim(0));
  return {edges, edges, edges, -1, rows + 1, rows, -1, edges, -1, edges};
}

template <RelationKind kind>
bool recorded(Attrs& attrs) {
  constexpr std::string_view kNames[] = {"forward", "submanifold", "target", "transposed", "generative"};
  return drop_kind(attrs, {kNames[static_cast<int>(kind)]});
}

constexpr const char* kInputs = R"(
  from   sites_in={c}.{n}x4.{l}.{sites}+i32.1.row.const-{a}
  from   goal_in={c}.{m}x4.{l}.{sites}+i32.1.row.const-{a==n?m:a==0?0:m-1} m={n/2+7}
  from   k=3: s=1: p=0: d=1: K=27 c=i32 l=row
)";

constexpr const char* kCases = R"(
  from   steps={3: 1: 0: 1: 27, 2: 2: 0: 1: 8, 3: 2: 0: 1: 27, 3: 2: 1: 1: 27, 3: 1: 1: 1: 27, 1: 1: 0: 1: 1, 1: 2: 0:
         1: 1,
         3: 4: 0: 1: 27, 3: 1: 0: 2: 27, 2: 1: 0: 1: 8, 3:2:2 3: 0: 1: 12, 2:3:1 1: 0: 1:2:1 6, 2:3:1 2:1:3 0:1:0 1: 6,
         4:2:3 3:2:1 1:0:2 1:1:2 24, 5:3:1 1:2:2 2:1:0 1: 15, 2:1:1 3:1:1 0: 2:1:1 2}
  # kernels odd, even and mixed, strides below, at and above the kernel's reach, padding, dilation
  smoke  k,s,p,d,K={steps} n=40 a=29 sites=sites_negative
  smoke  s={1:,2:} n=40 a=38 sites=sites_batches
  ci     k,s,p,d,K={steps} n=300 a=280 sites=sites_box-4
  # where the sites lie
  ci     k,s,p,d,K={3: 1: 0: 1: 27, 2: 2: 0: 1: 8, 3: 2: 1: 1: 27, 4:2:3 3:2:1 1:0:2 1:1:2 24} n=257 a=250
         sites={sites_box,sites_batches,sites_batches-3,sites_line,sites_plane,sites_block,sites_surface-1,
         sites_isolated,
         sites_isolated-7,sites_duplicates,sites_duplicates-400,sites_negative-1,sites_extremes}
  ci     k,s,K={3: 1: 27, 3: 2: 27, 3:2:2 3: 12} n=65 a=60 c=i64
         sites={sites_negative-2,sites_extremes,sites_isolated-1099511627776}
  # rows around blocks
  ci     s,sites={1: sites_box-2, 2: sites_block} n={0,1,2,63,64,65,255,256,513} a={{n},0,{n/2}}
  ci     s=2: n=50 a=45 sites=sites_negative l={@layouts}
  smoke  k,s,p,d,K,sites,c={far} n=40 a=37
  # one site under every kernel size up to 5: the numbering of kernel rows
  ci     k={kx}:{ky}:{kz} K={kx*ky*kz} kx={1..5} ky={1..5} kz={1..5} n=1 a=1 sites=sites_negative
  nightly n=20000 a=20000 sites=sites_surface-1
  nightly s=2: n=20000 a=19000 sites=sites_box
)";

constexpr const char* kRejects = R"(
  from   coords=i32.5x4.row.sites_box count=i32.1.row.const-5 q=-
  attribute q=kernel_size=0:1:1         # a kernel without extent
  attribute q=kernel_size=3:3           # two sizes for three axes
  memory q=kernel_size=1291:1291:1291   # more kernel rows than int32 can number
  memory q=kernel_size=1201:1201:1201   # more edges than int32 can number
)";

template <RelationKind kind>
std::string rejects() {
  std::string lines;
  const auto refuse = [&](const char* line) { lines.append("\n").append(line); };
  if (kind == RelationKind::submanifold) refuse("attribute q=kernel_size=2:1:1  # an even size has no centre");
  else refuse("attribute q=stride=0:1:1  # a stride of zero");
  if (kind != RelationKind::generative) refuse("attribute q=dilation=1:1:0  # a dilation of zero");
  if (kind != RelationKind::submanifold && kind != RelationKind::generative)
    refuse("attribute q=padding=0:-1:0  # a negative padding");
  return lines;
}

constexpr const char* kBench = R"(
  ci     n=100000 x={sites_surface,sites_surface-1,sites_box}
)";

constexpr const char* kSubmanifoldBench = R"(
  ci     n,x={170232 sites_scan-0, 57809 sites_scan-1, 14965 sites_scan-2}   # every voxel of a scan at 1, 2 and 4 mm
  nightly n=100000 x={layout_isolated,layout_line,layout_plane,layout_grid,layout_block-3,layout_block-8}
)";

constexpr std::string_view kMeaning =
    "coordinates are (batch, x, y, z) and wrap modulo 2^64; kernel rows number z fastest; a repeated site is its "
    "lowest row; "
    "entries beyond the counts are unspecified";

template <RelationKind kind>
Op row(std::string_view name, const Attrs& attrs, std::string_view equation) {
  constexpr bool targets = kind == RelationKind::target;
  return {
      .name = name,
      .signature = kSites + (targets ? ", " + kTargets : "") +
                   " -> in_rows i32[E], out_rows i32[E], kernel_ids i32[E], counts i32[2], out_row_offsets i32[R+1], "
                   "out_coords I[R,4], in_row_offsets i32[N+1], in_edge_ids i32[E], kernel_row_offsets i32[K+1], "
                   "kernel_edge_ids i32[E]",
      .types = "I: i32 i64",
      .attrs = attrs,
      .equation = equation,
      .meaning = kMeaning,
      .infer = infer<kind>,
      .oracle = relation<kind>,
      .cases = {kernel_call(kind, targets ? "{sites_in}+{goal_in}" : "{sites_in}"), kInputs, kFarKernels, kCases},
      .rejects = {targets ? "call {coords}+{count}+i32.4x4.row.sites_box+i32.1.row.const-4/{q}"
                          : "call {coords}+{count}/{q}",
                  kRejects, rejects<kind>()},
      .bench = {targets ? "call i32.{n}x4.row.{x}+i32.1.row.const-{n}+i32.{n}x4.row.{x}+i32.1.row.const-{n}/-"
                        : "call i32.{n}x4.row.{x}+i32.1.row.const-{n}/-",
                kBench, kind == RelationKind::submanifold ? kSubmanifoldBench : ""},
      .tolerance = {Tolerance::Class::exact},
      .active = active_part,
      .corpus_call = recorded<kind>};
}

std::vector<Fill> every_site_fill() {
  std::vector<Fill> all = reference::site_fills();
  for (const Fill& f : reference::layout_fills()) all.push_back(f);
  return all;
}

}  // namespace

std::vector<Op> relation_ops() {
  using List = std::vector<std::int64_t>;
  const List ones{1, 1, 1}, twos{2, 2, 2}, threes{3, 3, 3}, zeros{0, 0, 0};
  const Attrs gather{{"kernel_size", threes}, {"stride", ones}, {"padding", zeros}, {"dilation", ones}};
  const Attrs scatter{{"kernel_size", twos}, {"stride", twos}, {"padding", zeros}, {"dilation", ones}};
  std::vector<Op> ops{
      row<RelationKind::forward>("forward_relation", gather,
                                 "edge (i,o,k) where in[i] = out[o] * stride + f[k] - padding; out = in if stride is 1 "
                                 "and padding 0, else the "
                                 "distinct floor(in / stride), first seen first; f centred on odd axes"),
      row<RelationKind::submanifold>("submanifold_relation", {{"kernel_size", threes}, {"dilation", ones}},
                                     "edge (i,o,k) where in[i] = in[o] + f[k]; every size odd, f centred"),
      row<RelationKind::target>(
          "target_relation", gather,
          "edge (i,o,k) where in[i] = target[o] * stride + f[k] - padding; f centred on odd axes"),
      row<RelationKind::transposed>("transposed_relation", scatter,
                                    "edge (i,o,k) where out[o] = in[i] * stride + f[k] - padding; f = 0..size-1 times "
                                    "dilation; equal sites are one "
                                    "output, first seen first, unless stride exceeds the reach of f on every axis"),
      row<RelationKind::generative>("generative_relation", {{"kernel_size", twos}, {"stride", twos}},
                                    "edge (i,o,k) with o = i * K + k, out[o] = in[i] * stride + f[k]; f = 0..size-1"),
  };
  ops.front().fills = every_site_fill;
  return ops;
}

}  // namespace plumb
