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
// Asked for sites, never walked: no result depends on its order.
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
    for (std::size_t a = 0; a < 4; ++a) sites[i][a] = integers(c)[static_cast<std::int64_t>(4 * i + a)];
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

std::vector<FarKernel> far_kernels() {
  return {
      {{5}, {1}, {0}, {1}, "sites_block"},
      {{5}, {2}, {1}, {1}, "sites_negative-1"},
      {{5, 5, 3}, {3}, {2}, {4}, "sites_extremes", Dtype::i64},
      {{3}, {1}, {0}, {5}, "sites_negative"},
      {{3}, {2}, {0}, {3}, "sites_block"},
      {{2}, {1}, {2}, {3}, "sites_negative", Dtype::i64},
      {{3, 4, 3}, {2, 1, 2}, {1}, {1, 3, 5}, "sites_duplicates"},
      {{11, 1, 1}, {1}, {0}, {1}, "sites_line-5"},
      {{1, 3, 11}, {1, 2, 1}, {0, 1, 5}, {1}, "sites_extremes"},
  };
}

std::int64_t active_targets(std::int64_t inputs, std::int64_t active, std::int64_t m) {
  return active == inputs ? m : active == 0 ? 0 : std::max<std::int64_t>(0, m - 1);
}

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

using List = std::vector<std::int64_t>;

std::optional<Input> sites(std::int64_t n, std::string fill, Dtype t = Dtype::i32, Layout layout = Layout::row) {
  return Input{t, {n, 4}, layout, std::move(fill)};
}
std::optional<Input> rows(std::int64_t n) { return Input{Dtype::i32, {1}, Layout::row, "const-" + std::to_string(n)}; }

struct Steps {
  List size, stride{1}, padding{0}, dilation{1};
};

// Kernels odd, even and mixed; strides below, at and above the kernel's reach; padding; dilation.
const Steps kSteps[] = {
    {{3}},
    {{2}, {2}},
    {{3}, {2}},
    {{3}, {2}, {1}},
    {{3}, {1}, {1}},
    {{1}},
    {{1}, {2}},
    {{3}, {4}},
    {{3}, {1}, {0}, {2}},
    {{2}},
    {{3, 2, 2}, {3}},
    {{2, 3, 1}, {1}, {0}, {1, 2, 1}},
    {{2, 3, 1}, {2, 1, 3}, {0, 1, 0}},
    {{4, 2, 3}, {3, 2, 1}, {1, 0, 2}, {1, 1, 2}},
    {{5, 3, 1}, {1, 2, 2}, {2, 1, 0}},
    {{2, 1, 1}, {3, 1, 1}, {0}, {2, 1, 1}},
};

template <RelationKind kind>
Attrs steps(const Steps& s) {
  if (kind == RelationKind::submanifold) return {{"kernel_size", s.size}, {"dilation", s.dilation}};
  if (kind == RelationKind::generative) return {{"kernel_size", s.size}, {"stride", s.stride}};
  return {{"kernel_size", s.size}, {"stride", s.stride}, {"padding", s.padding}, {"dilation", s.dilation}};
}

template <RelationKind kind>
bool allowed(const Steps& s) {
  return kind != RelationKind::submanifold ||
         std::all_of(s.size.begin(), s.size.end(), [](auto k) { return k % 2 == 1; });
}

const std::string kFills[] = {"sites_box",        "sites_batches",    "sites_batches-3",      "sites_line",
                              "sites_plane",      "sites_block",      "sites_surface-1",      "sites_isolated",
                              "sites_isolated-7", "sites_duplicates", "sites_duplicates-400", "sites_negative-1",
                              "sites_extremes"};

template <RelationKind kind>
class Cases {
 public:
  std::vector<Case> all() {
    for (const Steps& s : kSteps) add(s, 40, 29, "sites_negative", Dtype::i32, Budget::smoke);
    for (const Steps& s : {kSteps[0], kSteps[2]}) add(s, 40, 38, "sites_batches", Dtype::i32, Budget::smoke);
    for (const Steps& s : kSteps) add(s, 300, 280, "sites_box-4");
    for (const std::string& f : kFills)
      for (const Steps& s : {kSteps[0], kSteps[1], kSteps[3], kSteps[13]}) add(s, 257, 250, f);
    for (const char* f : {"sites_negative-2", "sites_extremes", "sites_isolated-1099511627776"})
      for (const Steps& s : {kSteps[0], kSteps[2], kSteps[10]}) add(s, 65, 60, f, Dtype::i64);
    for (const std::int64_t n : {0, 1, 2, 63, 64, 65, 255, 256, 513})
      for (const std::int64_t a : List{n, 0, n / 2})
        add(kSteps[0], n, a, "sites_box-2"), add(kSteps[2], n, a, "sites_block");
    for (const Layout l : kLayouts) add(kSteps[2], 50, 45, "sites_negative", Dtype::i32, Budget::ci, l);
    for (const FarKernel& f : far_kernels())
      add({f.size, f.stride, f.padding, f.dilation}, 40, 37, f.sites, f.coords, Budget::smoke);
    impulses();
    add(kSteps[0], 20000, 20000, "sites_surface-1", Dtype::i32, Budget::nightly);
    add(kSteps[2], 20000, 19000, "sites_box", Dtype::i32, Budget::nightly);
    return std::move(cases_);
  }

 private:
  // One site under every kernel size up to 5: the numbering of kernel rows.
  void impulses() {
    for (const std::int64_t x : {1, 2, 3, 4, 5})
      for (const std::int64_t y : {1, 2, 3, 4, 5})
        for (const std::int64_t z : {1, 2, 3, 4, 5}) add({{x, y, z}}, 1, 1, "sites_negative");
  }
  void add(const Steps& s, std::int64_t n, std::int64_t a, const std::string& fill, Dtype t = Dtype::i32,
           Budget budget = Budget::ci, Layout layout = Layout::row) {
    if (!allowed<kind>(s)) return;
    Case c{{sites(n, fill, t, layout), rows(a)}, steps<kind>(s), budget};
    if (kind == RelationKind::target) {
      const std::int64_t m = n / 2 + 7;
      c.in.push_back(sites(m, fill, t, layout));
      c.in.push_back(rows(active_targets(n, a, m)));
    }
    cases_.push_back(c);
  }
  std::vector<Case> cases_;
};

template <RelationKind kind>
std::vector<Case> cases() {
  return Cases<kind>().all();
}

template <RelationKind kind>
std::vector<Reject> rejects() {
  const std::optional<Input> targets = kind == RelationKind::target ? sites(4, "sites_box") : std::nullopt;
  const std::optional<Input> count = kind == RelationKind::target ? rows(4) : std::nullopt;
  std::vector<Reject> r;
  const auto add = [&](std::optional<Input> c, std::optional<Input> a, Attrs attrs, Reason reason, const char* why) {
    Case call{{c, a}, std::move(attrs)};
    if (targets) call.in.insert(call.in.end(), {targets, count});
    r.push_back({call, reason, why});
  };
  const auto good = sites(5, "sites_box"), all = rows(5);
  add(good, all, {{"kernel_size", List{0, 1, 1}}}, Reason::attribute, "a kernel without extent");
  add(good, all, {{"kernel_size", List{3, 3}}}, Reason::attribute, "two sizes for three axes");
  add(good, all, {{"kernel_size", List{1291, 1291, 1291}}}, Reason::memory, "more kernel rows than int32 can number");
  add(good, all, {{"kernel_size", List{1201, 1201, 1201}}}, Reason::memory, "more edges than int32 can number");
  if (kind == RelationKind::submanifold)
    add(good, all, {{"kernel_size", List{2, 1, 1}}}, Reason::attribute, "an even size has no centre");
  if (kind != RelationKind::submanifold)
    add(good, all, {{"stride", List{0, 1, 1}}}, Reason::attribute, "a stride of zero");
  if (kind != RelationKind::generative)
    add(good, all, {{"dilation", List{1, 1, 0}}}, Reason::attribute, "a dilation of zero");
  if (kind != RelationKind::submanifold && kind != RelationKind::generative)
    add(good, all, {{"padding", List{0, -1, 0}}}, Reason::attribute, "a negative padding");
  return r;
}

template <RelationKind kind>
std::vector<Case> bench() {
  std::vector<Case> c;
  const auto add = [&](std::int64_t n, const char* fill, Budget budget = Budget::ci) {
    Case one{{sites(n, fill), rows(n)}, {}, budget};
    if (kind == RelationKind::target) one.in.insert(one.in.end(), {sites(n, fill), rows(n)});
    c.push_back(one);
  };
  for (const char* fill : {"sites_surface", "sites_surface-1", "sites_box"}) add(100000, fill);
  if (kind != RelationKind::submanifold) return c;
  add(170232, "sites_scan-0");  // every voxel of a scan at 1, 2 and 4 mm
  add(57809, "sites_scan-1");
  add(14965, "sites_scan-2");
  for (const char* fill :
       {"layout_isolated", "layout_line", "layout_plane", "layout_grid", "layout_block-3", "layout_block-8"})
    add(100000, fill, Budget::nightly);
  return c;
}

constexpr std::string_view kMeaning =
    "coordinates are (batch, x, y, z) and wrap modulo 2^64; kernel rows number z fastest; a repeated site is its "
    "lowest row; "
    "entries beyond the counts are unspecified";

template <RelationKind kind>
Op row(std::string_view name, Attrs attrs, std::string_view equation) {
  return {
      .name = name,
      .signature = kSites + (kind == RelationKind::target ? ", " + kTargets : "") +
                   " -> in_rows i32[E], out_rows i32[E], kernel_ids i32[E], counts i32[2], out_row_offsets i32[R+1], "
                   "out_coords I[R,4], in_row_offsets i32[N+1], in_edge_ids i32[E], kernel_row_offsets i32[K+1], "
                   "kernel_edge_ids i32[E]",
      .types = "I: i32 i64",
      .attrs = std::move(attrs),
      .equation = equation,
      .meaning = kMeaning,
      .infer = infer<kind>,
      .oracle = relation<kind>,
      .cases = cases<kind>,
      .rejects = rejects<kind>,
      .bench = bench<kind>,
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
