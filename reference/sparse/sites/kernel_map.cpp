// Kernel offsets and dense views of relations: their rows, shape rules, oracles and cases. The geometry is that of
// reference/sparse/sites/relation.h.
#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "reference/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace reference;
using List = std::vector<std::int64_t>;

constexpr std::int64_t kWord = 32;  // kernel rows per word of a mask

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout = Layout::row) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}
std::optional<Input> rows(std::int64_t n) { return input(Dtype::i32, {1}, "const-" + std::to_string(n)); }

// ---- The offsets themselves ----

std::vector<Spec> infer_offsets(const Request& r) {
  const Geometry g = geometry(r, RelationKind::forward);
  for (std::size_t a = 0; a < 3; ++a)
    if ((g.size[a] - 1) * g.dilation[a] > std::numeric_limits<std::int32_t>::max())
      r.fail(Reason::attribute, "dilation " + std::to_string(g.dilation[a]) + " of " + std::to_string(g.size[a]) +
                                    " positions exceeds 2^31");
  return r.outputs({{'K', g.volume}});
}

// offsets[(x Ky + y) Kz + z] = ((x - cx) dx, (y - cy) dy, (z - cz) dz); c = k / 2 on centred odd axes, else 0
template <bool centred>
std::vector<Wide> offsets(const Call& call) {
  const Geometry g = geometry(call, RelationKind::forward);
  Triple c{0, 0, 0};
  for (std::size_t a = 0; a < 3; ++a)
    if (centred && g.size[a] % 2 == 1) c[a] = g.size[a] / 2;
  Integers out({g.volume, 3});
  for (std::int64_t x = 0; x < g.size[0]; ++x)
    for (std::int64_t y = 0; y < g.size[1]; ++y)
      for (std::int64_t z = 0; z < g.size[2]; ++z) {
        const std::int64_t k = (x * g.size[1] + y) * g.size[2] + z;
        out[3 * k] = (x - c[0]) * g.dilation[0];
        out[3 * k + 1] = (y - c[1]) * g.dilation[1];
        out[3 * k + 2] = (z - c[2]) * g.dilation[2];
      }
  return {out};
}

std::vector<Case> offset_cases() {
  std::vector<Case> c;
  for (const std::int64_t x : {1, 2, 3, 4, 5})
    for (const std::int64_t y : {1, 2, 3, 4, 5})
      for (const std::int64_t z : {1, 2, 3, 4, 5})
        c.push_back({{}, {{"kernel_size", List{x, y, z}}}, x * y * z < 16 ? Budget::smoke : Budget::ci});
  for (const List& size :
       {List{3}, List{2, 3, 1}, List{1, 2, 3}, List{4, 1, 5}, List{17, 16, 19}, List{1, 1, 129}, List{257, 1, 1}})
    for (const List& dilation : {List{1}, List{2}, List{1, 2, 3}, List{3, 1, 2}})
      c.push_back({{}, {{"kernel_size", size}, {"dilation", dilation}}});
  c.push_back({{}, {{"kernel_size", List{2, 1, 3}}, {"dilation", List{2147483647, 2147483647, 1073741823}}}});
  return c;
}

std::vector<Reject> offset_rejects() {
  return {{{{}, {{"kernel_size", List{0, 1, 1}}}}, Reason::attribute, "a kernel without extent"},
          {{{}, {{"kernel_size", List{3, 3}}}}, Reason::attribute, "two sizes for three axes"},
          {{{}, {{"dilation", List{1, -1, 1}}}}, Reason::attribute, "a negative dilation"},
          {{{}, {{"kernel_size", List{3, 1, 1}}, {"dilation", List{1073741824, 1, 1}}}},
           Reason::attribute,
           "offsets beyond int32"},
          {{{}, {{"kernel_size", List{1291, 1291, 1291}}}}, Reason::memory, "more kernel rows than int32 can number"}};
}

std::vector<Case> offset_bench() {
  return {{{}, {{"kernel_size", List{3, 3, 3}}}}, {{}, {{"kernel_size", List{101, 101, 101}}}}};
}

template <bool centred>
Op offset_row(std::string_view name, std::string_view equation) {
  return {.name = name,
          .signature = "-> offsets i32[K,3]",
          .attrs = {{"kernel_size", List{3, 3, 3}}, {"dilation", List{1, 1, 1}}},
          .equation = equation,
          .meaning = "an even axis counts from 0, also where odd axes are centred; offsets beyond int32 are refused",
          .infer = infer_offsets,
          .oracle = offsets<centred>,
          .cases = offset_cases,
          .rejects = offset_rejects,
          .bench = offset_bench,
          .tolerance = {Tolerance::Class::exact}};
}

// ---- One order of kernel rows in terms of another ----

Triple position(const Wide& w, std::int64_t row) {
  const Integers& a = integers(w);
  return {a[3 * row], a[3 * row + 1], a[3 * row + 2]};
}

// p[t] = s where source[s] = target[t]
std::vector<Wide> permutation(const Call& call) {
  const Wide source = widen(call[0]), target = widen(call[1]);
  const std::int64_t n = call.shape(0)[0];
  std::map<Triple, std::int64_t> row;
  for (std::int64_t s = 0; s < n; ++s)
    if (!row.emplace(position(source, s), s).second) call.fail(Reason::domain, "the source repeats a position");
  Integers p({n});
  for (std::int64_t t = 0; t < n; ++t) {
    const auto hit = row.find(position(target, t));
    if (hit == row.end()) call.fail(Reason::domain, "a position of the target is not in the source, or is repeated");
    p[t] = hit->second;
    row.erase(hit);
  }
  return {p};
}

std::vector<Case> permutation_cases() {
  std::vector<Case> c;
  const auto add = [&](std::int64_t n, Dtype t, const char* fill, Budget b = Budget::ci, Layout l = Layout::row) {
    c.push_back({{input(t, {n, 3}, fill, l), input(t, {n, 3}, fill, l)}, {}, b});
  };
  for (const Dtype t : {Dtype::i32, Dtype::i64})
    for (const std::int64_t n : {1, 2, 8, 27, 64, 125}) add(n, t, "offsets", Budget::smoke), add(n, t, "offsets--2");
  for (const std::int64_t n : {0, 3, 31, 32, 33, 127, 128, 129, 255, 256, 257, 1000, 4096, 5000})
    add(n, Dtype::i32, "offsets--1");
  add(100, Dtype::i64, "offsets-9007199254740992");
  for (const Layout l : kLayouts)
    if (l != Layout::broadcast) add(30, Dtype::i32, "offsets", Budget::ci, l);
  return c;
}

std::vector<Reject> permutation_rejects() {
  const auto some = [](std::int64_t n, const char* fill) { return input(Dtype::i32, {n, 3}, fill); };
  return {{{{some(8, "offsets"), some(8, "offsets-1")}, {}}, Reason::domain, "other positions"},
          {{{some(8, "const-1"), some(8, "offsets")}, {}}, Reason::domain, "a source that repeats"},
          {{{some(8, "offsets"), some(8, "const-1")}, {}}, Reason::domain, "a target that repeats"}};
}

std::vector<Case> permutation_bench() {
  std::vector<Case> c;
  for (const std::int64_t n : {27, 200000})
    c.push_back({{input(Dtype::i32, {n, 3}, "offsets"), input(Dtype::i32, {n, 3}, "offsets")}, {}});
  return c;
}

Op permutation_row() {
  return {.name = "kernel_row_permutation",
          .signature = "source I[N,3], target I[N,3] -> permutation i32[N]",
          .types = "I: i32 i64; N < 2^31",
          .attrs = {},
          .equation = "permutation[t] = s where source[s] = target[t]",
          .meaning = "both hold the same positions, each once; anything else is refused",
          .oracle = permutation,
          .cases = permutation_cases,
          .rejects = permutation_rejects,
          .bench = permutation_bench,
          .tolerance = {Tolerance::Class::exact}};
}

// ---- The map of a relation ----

constexpr bool targeted(RelationKind kind) {
  return kind == RelationKind::target || kind == RelationKind::target_transposed;
}

template <RelationKind kind>
std::vector<Spec> infer_map(const Request& r) {
  const Geometry g = geometry(r, kind);
  const std::int64_t out = capacity(r, kind, g, r.size('N'), r.size('M'));
  return r.outputs({{'R', out}, {'K', g.volume}, {'W', (g.volume + kWord - 1) / kWord}});
}

// map[o,k] = i for the edge (i,o,k), else -1; bit k % 32 of masks[o, k / 32] is set where map[o,k] >= 0
template <RelationKind kind>
std::vector<Wide> map_of(const Call& call) {
  const std::vector<Spec> specs = infer_map<kind>(call);
  const std::vector<Site> targets = targeted(kind) ? active_sites(call, 2, 3) : std::vector<Site>{};
  const Relation r = relate(kind, geometry(call, kind), active_sites(call, 0, 1), targets);
  const std::int64_t K = specs[0].shape[1], words = specs[1].shape[1];
  Integers map(specs[0].shape, -1), counts(specs[2].shape);
  Unsigneds bits(specs[1].shape);
  for (const Edge& e : r.edges) {
    map[e.out * K + e.kernel] = e.in;
    bits[e.out * words + e.kernel / kWord] |= std::uint64_t{1} << e.kernel % kWord;
  }
  Integers masks(specs[1].shape);
  for (std::int64_t i = 0; i < masks.size(); ++i)
    masks[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits[i]));
  counts[0] = static_cast<std::int64_t>(r.edges.size());
  counts[1] = static_cast<std::int64_t>(r.out.size());
  return {map, masks, counts};
}

std::vector<std::int64_t> active_part(const Call&, const std::vector<Tensor>& out) {
  const std::int64_t n = std::clamp<std::int64_t>(out[2].read<std::int32_t>()[1], 0, out[0].dim(0));
  return {n, n, -1};
}

struct Steps {
  List size, stride{1}, padding{0}, dilation{1};
};

// Kernels odd, even and mixed; strides below, at and above the kernel's reach; one, two and three mask words.
const Steps kSteps[] = {
    {{3}},
    {{2}, {2}},
    {{3}, {2}},
    {{3}, {2}, {1}},
    {{3}, {1}, {1}},
    {{1}},
    {{3}, {4}},
    {{3}, {1}, {0}, {2}},
    {{2, 3, 1}, {1}, {0}, {1, 2, 1}},
    {{2, 3, 1}, {2, 1, 3}, {0, 1, 0}},
    {{4, 2, 3}, {3, 2, 1}, {1, 0, 2}, {1, 1, 2}},
    {{1, 1, 31}},
    {{4, 4, 2}, {2}},
    {{1, 3, 11}},
    {{3, 3, 7}},
    {{4, 4, 4}, {2}, {1}},
    {{5, 13, 1}},
};

template <RelationKind kind>
bool allowed(const Steps& s) {
  return kind != RelationKind::submanifold ||
         std::all_of(s.size.begin(), s.size.end(), [](auto k) { return k % 2 == 1; });
}

template <RelationKind kind>
class Cases {
 public:
  std::vector<Case> all() {
    for (const Steps& s : kSteps) add(s, 40, 29, "sites_negative", Dtype::i32, Budget::smoke);
    for (const Steps& s : {kSteps[0], kSteps[3]}) add(s, 40, 38, "sites_batches", Dtype::i32, Budget::smoke);
    for (const Steps& s : kSteps) add(s, 200, 190, "sites_box-3");
    for (const char* f : {"sites_batches-3", "sites_line", "sites_plane", "sites_block", "sites_surface-1",
                          "sites_isolated", "sites_duplicates", "sites_duplicates-100", "sites_extremes"})
      for (const Steps& s : {kSteps[0], kSteps[1], kSteps[3], kSteps[10]}) add(s, 130, 125, f);
    for (const char* f : {"sites_negative-2", "sites_extremes", "sites_isolated-1099511627776"})
      for (const Steps& s : {kSteps[0], kSteps[2]}) add(s, 65, 60, f, Dtype::i64);
    for (const std::int64_t n : {0, 1, 2, 63, 64, 65, 128, 257})
      for (const std::int64_t a : List{n, 0}) add(kSteps[0], n, a, "sites_box-2"), add(kSteps[2], n, a, "sites_block");
    for (const FarKernel& f : far_kernels())
      add({f.size, f.stride, f.padding, f.dilation}, 40, 37, f.sites, f.coords, Budget::smoke);
    for (const Layout l : kLayouts) add(kSteps[2], 50, 45, "sites_negative", Dtype::i32, Budget::ci, l);
    add(kSteps[0], 20000, 20000, "sites_surface-1", Dtype::i32, Budget::nightly);
    return std::move(cases_);
  }

  static Attrs attrs(const Steps& s) {
    if (kind == RelationKind::submanifold) return {{"kernel_size", s.size}, {"dilation", s.dilation}};
    return {{"kernel_size", s.size}, {"stride", s.stride}, {"padding", s.padding}, {"dilation", s.dilation}};
  }

 private:
  void add(const Steps& s, std::int64_t n, std::int64_t a, const std::string& fill, Dtype t = Dtype::i32,
           Budget budget = Budget::ci, Layout layout = Layout::row) {
    if (!allowed<kind>(s)) return;
    Case c{{input(t, {n, 4}, fill, layout), rows(a)}, attrs(s), budget};
    if (targeted(kind)) {
      const std::int64_t m = n / 2 + 7;
      c.in.insert(c.in.end(), {input(t, {m, 4}, fill, layout), rows(active_targets(n, a, m))});
    }
    cases_.push_back(c);
  }
  std::vector<Case> cases_;
};

template <RelationKind kind>
std::vector<Case> map_cases() {
  return Cases<kind>().all();
}

template <RelationKind kind>
std::vector<Reject> map_rejects() {
  std::vector<Reject> r;
  const auto add = [&](std::optional<Input> c, std::optional<Input> a, Attrs attrs, Reason reason, const char* why) {
    Case call{{c, a}, std::move(attrs)};
    if (targeted(kind)) call.in.insert(call.in.end(), {input(Dtype::i32, {4, 4}, "sites_box"), rows(4)});
    r.push_back({call, reason, why});
  };
  const auto good = input(Dtype::i32, {5, 4}, "sites_box"), all = rows(5);
  add(good, all, {{"kernel_size", List{0, 1, 1}}}, Reason::attribute, "a kernel without extent");
  add(good, all, {{"kernel_size", List{1201, 1201, 1201}}}, Reason::memory, "more entries than int32 can number");
  add(good, all, {{"dilation", List{1, 1, 0}}}, Reason::attribute, "a dilation of zero");
  if (kind == RelationKind::submanifold)
    add(good, all, {{"kernel_size", List{2, 1, 1}}}, Reason::attribute, "an even size has no centre");
  if (kind != RelationKind::submanifold)
    add(good, all, {{"stride", List{0, 1, 1}}}, Reason::attribute, "a stride of zero");
  if (kind != RelationKind::submanifold)
    add(good, all, {{"padding", List{0, -1, 0}}}, Reason::attribute, "a negative padding");
  return r;
}

template <RelationKind kind>
std::vector<Case> map_bench() {
  std::vector<Case> c;
  for (const char* fill : {"sites_surface", "sites_surface-1"}) {
    Case one{{input(Dtype::i32, {100000, 4}, fill), rows(100000)}, {}};
    if (targeted(kind)) one.in.insert(one.in.end(), {input(Dtype::i32, {100000, 4}, fill), rows(100000)});
    c.push_back(one);
  }
  return c;
}

template <RelationKind kind>
bool recorded(Attrs& attrs) {
  if (kind == RelationKind::target_transposed) return drop_kind(attrs, {"target_transposed"});
  constexpr std::string_view kNames[] = {"forward", "submanifold", "target"};
  return drop_kind(attrs, {kNames[static_cast<int>(kind) % 3]});
}

template <RelationKind kind>
Op map_row(std::string_view name, Attrs attrs, std::string_view equation) {
  return {
      .name = name,
      .signature = kSites + (targeted(kind) ? ", " + kTargets : "") +
                   " -> out_in_map i32[R,K], row_masks i32[R,W], counts i32[2]",
      .types = "I: i32 i64",
      .attrs = std::move(attrs),
      .equation = equation,
      .meaning =
          "bit k % 32 of word k / 32 tells whether map[o,k] is a row; counts = [edges, outputs]; rows from there on "
          "hold -1 and no bits; relations as in the relation rows",
      .infer = infer_map<kind>,
      .oracle = map_of<kind>,
      .cases = map_cases<kind>,
      .rejects = map_rejects<kind>,
      .bench = map_bench<kind>,
      .tolerance = {Tolerance::Class::exact},
      .active = active_part,
      .corpus = kind == RelationKind::target_transposed ? "target_transposed_map" : "forward_map",
      .corpus_call = recorded<kind>};
}

// ---- A map whose rows are sorted by mask ----

std::vector<Spec> infer_sorted(const Request& r) {
  const std::int64_t K = r.size('K');
  if (K > kWord) r.fail(Reason::shape, std::to_string(K) + " kernel rows do not fit one mask word");
  return r.outputs({{'J', 4 * ((r.size('N') + 63) / 64)}});
}

// m[o] = bits k where map[o,k] >= 0, as a signed word; order = stable argsort of m; sorted = map[order];
// kv = its transpose; tiles[j] = the bits that occur in sorted rows 16 j .. 16 j + 15
std::vector<Wide> sorted_view(const Call& call) {
  const std::vector<Spec> specs = infer_sorted(call);
  const Wide wide = widen(call[0]);
  const Integers& map = integers(wide);
  const std::int64_t n = specs[1].shape[0], K = specs[1].shape[1];
  std::vector<std::int32_t> m(static_cast<std::size_t>(n));
  for (std::int64_t o = 0; o < n; ++o) {
    std::uint32_t bits = 0;
    for (std::int64_t k = 0; k < K; ++k)
      if (map[o * K + k] >= 0) bits |= std::uint32_t{1} << k;
    m[static_cast<std::size_t>(o)] = static_cast<std::int32_t>(bits);
  }
  std::vector<std::int64_t> order(m.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return m[static_cast<std::size_t>(a)] < m[static_cast<std::size_t>(b)];
  });
  Integers reorder(specs[0].shape), sorted(specs[1].shape), kv(specs[2].shape), tiles(specs[3].shape);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t o = order[static_cast<std::size_t>(i)];
    reorder[i] = o;
    for (std::int64_t k = 0; k < K; ++k) sorted[i * K + k] = kv[k * n + i] = map[o * K + k];
    tiles[i / 16] = static_cast<std::int32_t>(tiles[i / 16] | m[static_cast<std::size_t>(o)]);
  }
  return {reorder, sorted, kv, tiles};
}

std::vector<Case> sorted_cases() {
  std::vector<Case> c;
  const auto add = [&](std::int64_t n, std::int64_t k, std::string fill, Budget b = Budget::ci,
                       Layout l = Layout::row) {
    c.push_back({{input(Dtype::i32, {n, k}, std::move(fill), l)}, {}, b});
  };
  for (const std::int64_t k : {1, 8, 27, 32}) add(70, k, "int-9", Budget::smoke), add(70, k, "const--1", Budget::smoke);
  for (const std::int64_t n : {0, 1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 2047, 2048, 2049, 4100})
    for (const std::int64_t k : {3, 27}) add(n, k, "int-1");
  for (const std::int64_t k : {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 25, 31, 32})
    add(300, k, "int-100"), add(300, k, "const-5");
  for (const Layout l : kLayouts) add(90, 27, "int-4", Budget::ci, l);
  add(140000, 4, "int-1", Budget::nightly);
  return c;
}

std::vector<Reject> sorted_rejects() {
  return {{{{input(Dtype::i32, {5, 33}, "int-3")}, {}}, Reason::shape, "33 kernel rows"}};
}

std::vector<Case> sorted_bench() {
  return {{{input(Dtype::i32, {200000, 27}, "int-100")}, {}}, {{input(Dtype::i32, {200000, 8}, "int-100")}, {}}};
}

Op sorted_row() {
  return {.name = "sorted_implicit_gemm_view",
          .signature =
              "out_in_map i32[N,K] -> reorder_rows i32[N], sorted_out_in_map i32[N,K], "
              "sorted_kv_out_in_map i32[K,N], tile_masks i32[J]",
          .types = "N < 2^31",
          .attrs = {},
          .equation =
              "m[o] = bits k where map[o,k] >= 0; reorder = argsort m; sorted = map[reorder]; kv = its transpose; "
              "tiles[j] = m[reorder[16 j]] | ... | m[reorder[16 j + 15]], whole tiles of 64 rows",
          .meaning =
              "m is a signed word, so with 32 kernel rows bit 31 sorts first; ties keep their order; any negative "
              "entry is absent",
          .infer = infer_sorted,
          .oracle = sorted_view,
          .cases = sorted_cases,
          .rejects = sorted_rejects,
          .bench = sorted_bench,
          .tolerance = {Tolerance::Class::exact}};
}

}  // namespace

std::vector<Op> kernel_map_ops() {
  const List ones{1, 1, 1}, twos{2, 2, 2}, threes{3, 3, 3}, zeros{0, 0, 0};
  const Attrs gather{{"kernel_size", threes}, {"stride", ones}, {"padding", zeros}, {"dilation", ones}};
  const Attrs scatter{{"kernel_size", twos}, {"stride", twos}, {"padding", zeros}, {"dilation", ones}};
  return {
      offset_row<true>(
          "kernel_offsets",
          "offsets[(x Ky + y) Kz + z] = ((x - cx) dx, (y - cy) dy, (z - cz) dz), c = k / 2 if k is odd, else 0"),
      offset_row<false>("indexed_kernel_offsets", "offsets[(x Ky + y) Kz + z] = (x dx, y dy, z dz)"),
      permutation_row(),
      map_row<RelationKind::forward>("forward_map", gather,
                                     "map[o,k] = i for the edge (i,o,k) of the forward relation, else -1"),
      map_row<RelationKind::submanifold>("submanifold_map", {{"kernel_size", threes}, {"dilation", ones}},
                                         "map[o,k] = i for the edge (i,o,k) of the submanifold relation, else -1"),
      map_row<RelationKind::target>("target_map", gather,
                                    "map[o,k] = i for the edge (i,o,k) of the target relation, else -1"),
      map_row<RelationKind::target_transposed>(
          "target_transposed_map", scatter,
          "map[o,k] = i where in[i] * stride = target[o] + padding - f[k], else -1; f = 0..size-1 times dilation"),
      sorted_row(),
  };
}

}  // namespace plumb
