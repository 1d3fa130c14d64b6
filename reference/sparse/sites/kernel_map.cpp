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
        out(k, 0) = (x - c[0]) * g.dilation[0];
        out(k, 1) = (y - c[1]) * g.dilation[1];
        out(k, 2) = (z - c[2]) * g.dilation[2];
      }
  return {out};
}

constexpr const char* kOffsetCases = R"(
  call   -/kernel_size={k},dilation={d}
  from   x={1..5} y={1..5} z={1..5} d=-
  smoke  k={x}:{y}:{z} if={x*y*z<16}
  ci     k={x}:{y}:{z}
  ci     k={3:,2:3:1,1:2:3,4:1:5,17:16:19,1:1:129,257:1:1} d={1:,2:,1:2:3,3:1:2}
  ci     k=2:1:3 d=2147483647:2147483647:1073741823
)";

constexpr const char* kOffsetRejects = R"(
  call   -/kernel_size={k},dilation={d}
  from   k=- d=-
  attribute k=0:1:1                   # a kernel without extent
  attribute k=3:3                     # two sizes for three axes
  attribute d=1:-1:1                  # a negative dilation
  attribute k=3:1:1 d=1073741824:1:1  # offsets beyond int32
  memory k=1291:1291:1291             # more kernel rows than int32 can number
)";

constexpr const char* kOffsetBench = R"(
  ci     -/kernel_size={3:3:3,101:101:101}
)";

template <bool centred>
Op offset_row(std::string_view name, std::string_view equation) {
  return {.name = name,
          .signature = "-> offsets i32[K,3]",
          .attrs = {{"kernel_size", List{3, 3, 3}}, {"dilation", List{1, 1, 1}}},
          .equation = equation,
          .meaning = "an even axis counts from 0, also where odd axes are centred; offsets beyond int32 are refused",
          .infer = infer_offsets,
          .oracle = offsets<centred>,
          .cases = kOffsetCases,
          .rejects = kOffsetRejects,
          .bench = kOffsetBench,
          .tolerance = {Tolerance::Class::exact}};
}

// ---- One order of kernel rows in terms of another ----

Triple position(const Wide& w, std::int64_t row) {
  const Integers& a = integers(w);
  return {a(row, 0), a(row, 1), a(row, 2)};
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

constexpr const char* kPermutationCases = R"(
  call   {t}.{n}x3.{l}.{x}+{t}.{n}x3.{l}.{x}/-
  from   t=i32 l=row x=offsets
  smoke  t={i32,i64} n={1,2,8,27,64,125}
  ci     t={i32,i64} n={1,2,8,27,64,125} x=offsets--2
  ci     n={0,3,31,32,33,127,128,129,255,256,257,1000,4096,5000} x=offsets--1
  ci     t=i64 n=100 x=offsets-9007199254740992
  ci     n=30 l={@layouts,!broadcast}
)";

constexpr const char* kPermutationRejects = R"(
  call   {a}+{b}/-
  from   a=i32.8x3.row.offsets b=i32.8x3.row.offsets
  domain b=i32.8x3.row.offsets-1    # other positions
  domain a=i32.8x3.row.const-1      # a source that repeats
  domain b=i32.8x3.row.const-1      # a target that repeats
)";

constexpr const char* kPermutationBench = R"(
  ci     i32.{n}x3.row.offsets+i32.{n}x3.row.offsets/- n={27,200000}
)";

Op permutation_row() {
  return {.name = "kernel_row_permutation",
          .signature = "source I[N,3], target I[N,3] -> permutation i32[N]",
          .types = "I: i32 i64; N < 2^31",
          .attrs = {},
          .equation = "permutation[t] = s where source[s] = target[t]",
          .meaning = "both hold the same positions, each once; anything else is refused",
          .oracle = permutation,
          .cases = kPermutationCases,
          .rejects = kPermutationRejects,
          .bench = kPermutationBench,
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
  Integers map(specs[0].shape, -1), counts(specs[2].shape);
  Unsigneds bits(specs[1].shape);
  for (const Edge& e : r.edges) {
    map(e.out, e.kernel) = e.in;
    bits(e.out, e.kernel / kWord) |= std::uint64_t{1} << e.kernel % kWord;
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

constexpr const char* kMapInputs = R"(
  from   sites_in={c}.{n}x4.{l}.{sites}+i32.1.row.const-{a}
  from   goal_in={c}.{m}x4.{l}.{sites}+i32.1.row.const-{a==n?m:a==0?0:m-1} m={n/2+7}
  from   k=3: s=1: p=0: d=1: K=27 c=i32 l=row
)";

constexpr const char* kMapCases = R"(
  from   steps={3: 1: 0: 1: 27, 2: 2: 0: 1: 8, 3: 2: 0: 1: 27, 3: 2: 1: 1: 27, 3: 1: 1: 1: 27, 1: 1: 0: 1: 1, 3: 4: 0:
         1: 27,
         3: 1: 0: 2: 27, 2:3:1 1: 0: 1:2:1 6, 2:3:1 2:1:3 0:1:0 1: 6, 4:2:3 3:2:1 1:0:2 1:1:2 24, 1:1:31 1: 0: 1: 31,
         4:4:2 2: 0: 1: 32, 1:3:11 1: 0: 1: 33, 3:3:7 1: 0: 1: 63, 4:4:4 2: 1: 1: 64, 5:13:1 1: 0: 1: 65}
  # kernels odd, even and mixed, strides below, at and above the kernel's reach; one, two and three mask words
  smoke  k,s,p,d,K={steps} n=40 a=29 sites=sites_negative
  smoke  s,p={1: 0:, 2: 1:} n=40 a=38 sites=sites_batches
  ci     k,s,p,d,K={steps} n=200 a=190 sites=sites_box-3
  # where the sites lie
  ci     k,s,p,d,K={3: 1: 0: 1: 27, 2: 2: 0: 1: 8, 3: 2: 1: 1: 27, 4:2:3 3:2:1 1:0:2 1:1:2 24} n=130 a=125
         sites={sites_batches-3,sites_line,sites_plane,sites_block,sites_surface-1,sites_isolated,sites_duplicates,
         sites_duplicates-100,sites_extremes}
  ci     s={1:,2:} n=65 a=60 c=i64 sites={sites_negative-2,sites_extremes,sites_isolated-1099511627776}
  # rows around blocks
  ci     s,sites={1: sites_box-2, 2: sites_block} n={0,1,2,63,64,65,128,257} a={{n},0}
  smoke  k,s,p,d,K,sites,c={far} n=40 a=37
  ci     s=2: n=50 a=45 sites=sites_negative l={@layouts}
  nightly n=20000 a=20000 sites=sites_surface-1
)";

constexpr const char* kMapRejects = R"(
  from   coords=i32.5x4.row.sites_box count=i32.1.row.const-5 q=-
  attribute q=kernel_size=0:1:1         # a kernel without extent
  memory q=kernel_size=1201:1201:1201   # more entries than int32 can number
  attribute q=dilation=1:1:0            # a dilation of zero
)";

constexpr const char* kEvenRejects = R"(
  attribute q=kernel_size=2:1:1         # an even size has no centre
)";

constexpr const char* kStepRejects = R"(
  attribute q=stride=0:1:1              # a stride of zero
  attribute q=padding=0:-1:0            # a negative padding
)";

template <RelationKind kind>
bool recorded(Attrs& attrs) {
  if (kind == RelationKind::target_transposed) return drop_kind(attrs, {"target_transposed"});
  constexpr std::string_view kNames[] = {"forward", "submanifold", "target"};
  return drop_kind(attrs, {kNames[static_cast<int>(kind) % 3]});
}

template <RelationKind kind>
Op map_row(std::string_view name, const Attrs& attrs, std::string_view equation) {
  return {
      .name = name,
      .signature = kSites + (targeted(kind) ? ", " + kTargets : "") +
                   " -> out_in_map i32[R,K], row_masks i32[R,W], counts i32[2]",
      .types = "I: i32 i64",
      .attrs = attrs,
      .equation = equation,
      .meaning =
          "bit k % 32 of word k / 32 tells whether map[o,k] is a row; counts = [edges, outputs]; rows from there on "
          "hold -1 and no bits; relations as in the relation rows",
      .infer = infer_map<kind>,
      .oracle = map_of<kind>,
      .cases = {kernel_call(kind, targeted(kind) ? "{sites_in}+{goal_in}" : "{sites_in}"), kMapInputs, kFarKernels,
                kMapCases},
      .rejects = {targeted(kind) ? "call {coords}+{count}+i32.4x4.row.sites_box+i32.1.row.const-4/{q}"
                                 : "call {coords}+{count}/{q}",
                  kMapRejects, kind == RelationKind::submanifold ? kEvenRejects : kStepRejects},
      .bench = {targeted(kind) ? "call i32.{n}x4.row.{x}+i32.1.row.const-{n}+i32.{n}x4.row.{x}+i32.1.row.const-{n}/-"
                               : "call i32.{n}x4.row.{x}+i32.1.row.const-{n}/-",
                "ci n=100000 x={sites_surface,sites_surface-1}"},
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
      if (map(o, k) >= 0) bits |= std::uint32_t{1} << k;
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
    for (std::int64_t k = 0; k < K; ++k) sorted(i, k) = kv(k, i) = map(o, k);
    tiles[i / 16] = static_cast<std::int32_t>(tiles[i / 16] | m[static_cast<std::size_t>(o)]);
  }
  return {reorder, sorted, kv, tiles};
}

constexpr const char* kSortedCases = R"(
  call   i32.{n}x{k}.{l}.{x}/-
  from   l=row
  smoke  n=70 k={1,8,27,32} x={int-9,const--1}
  ci     n={0,1,2,15,16,17,63,64,65,127,128,129,255,256,257,2047,2048,2049,4100} k={3,27} x=int-1
  ci     n=300 k={0,1,2,3,4,7,8,9,15,16,17,24,25,31,32} x={int-100,const-5}
  ci     n=90 k=27 x=int-4 l={@layouts}
  nightly n=140000 k=4 x=int-1
)";

constexpr const char* kSortedRejects = R"(
  shape  i32.5x33.row.int-3/-   # 33 kernel rows
)";

constexpr const char* kSortedBench = R"(
  ci     i32.200000x{27,8}.row.int-100/-
)";

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
          .cases = kSortedCases,
          .rejects = kSortedRejects,
          .bench = kSortedBench,
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
