// Sparse convolutions: their rows, shape rules, oracle and cases. The geometry is that of
// reference/sparse/sites/relation.h.
#include "core/with_last.h"
#include "reference/sparse/conv/conv_rows.h"

namespace plumb {
namespace {

using namespace reference;

constexpr std::size_t kFeatures = 2, kWeight = 3, kBias = 4;  // positions of inputs

std::vector<Spec> infer(const Request& r, RelationKind base) {
  return r.outputs({{'R', check_convolution(r, base).M}});
}

// Y[o,c] = bias[c] + sum over edges (i,o,k), over a, of X[i,a] W[k,a,c]
std::vector<Wide> convolution(const Call& call, RelationKind base) {
  const ConvShape s = check_convolution(call, base);
  const Relation r = relation_of(call, base);
  const Wide features = widen(call[kFeatures]), weight = widen(call[kWeight]);
  const Reals& X = reals(features);
  const auto W = s.weight(reals(weight));
  Reals Y({s.M, s.C});
  if (call.has(kBias)) {
    const Wide bias = widen(call[kBias]);
    for (std::size_t o = 0; o < r.out.size(); ++o)
      for (std::int64_t c = 0; c < s.C; ++c) Y(o, c) = reals(bias)[c];
  }
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < s.A; ++a)
      for (std::int64_t c = 0; c < s.C; ++c) Y(e.out, c) += X(e.in, a) * W(e.kernel, a, c);
  return {coords_of(r, s.M), Y, counts_of(r)};
}

constexpr const char* kInputs = "{sites_in}+{x_in}+{w_in}+{bias_in}+{goal_in}";

constexpr const char* kCases = R"(
  # the kernel's geometry, in both layouts of a weight
  smoke  n=60 a=55 t={f32,f16} dense,B,x={0 0 int-3, 1 1 uniform} m={both}
         k,s,p,d,K,cube={3: 1: 0: 1: 27 3x3x3, 2: 2: 0: 1: 8 2x2x2, 3: 2: 1: 1: 27 3x3x3, 3: 1: 1: 1: 27 3x3x3,
         1: 1: 0: 1: 1 1x1x1, 1: 2: 0: 1: 1 1x1x1, 3: 1: 0: 2: 27 3x3x3, 2:3:1 1:2:1 0: 1:1:2 6 2x3x1,
         4:2:3 3:2:1 1:0:2 1:1:2 24 4x2x3, 1:3:5 1: 0: 1:2:1 15 1x3x5}
  # where the sites lie
  smoke  n=60 a=55 sites={sites_batches,sites_duplicates} m={both}
  ci     k,s,p,d,K,sites,c={far} m={both} t,x,B={f32 uniform 1, f16 int-3 0}
  ci     n=130 a=128 in=7 out=9 m={both}
         sites={sites_batches,sites_line,sites_plane,sites_block,sites_surface-1,sites_isolated,sites_duplicates,
         sites_extremes}
  ci     n=60 a=55 sites={sites_negative,sites_extremes} c=i64 m={both}
  # channels around tiles

  ci     n=90 a=90 sites=sites_block in={1,3,15,16,17,31,32,33,64,65} out={1,3,15,16,17,31,32,33,64,65}
         t={in<out?'f16':'f32'}
         B={(in+out+1)%2} x={B?'int-2':'uniform'}
  ci     n=70 a=66 in={16,32,64,128,48,80,130} out={in} sites=sites_surface-1 x=uniform t={f32,f16}
  ci     n=60 a=55 in={0,5} out={5-in} x=uniform B=1
  # rows around blocks
  smoke  n=6 a=6 in=16 out=16 sites=sites_block m={both}
  ci     n={0,1,2,5,6,7,15,16,17,63,64,65,127,128,129,255,256,257,513,1025} a={n} in=16 out=16 sites=sites_block
         t={f32,f16}
         m={both}
  ci     n=40 a=0 x=uniform t={f32,f16} m={both}
  # values and layouts
  ci     n=120 a=110 in=32 out=24 sites=sites_block B=1 t={f32,f16} m={both}
         x={cancel,wide,special,const-1,int-9,tiny,huge,subnormal,lanes-33}
  ci     n=60 a=55 in=16 out=16 w={special,const-1} t={f32,f16}
  # more targets than edges, all of them computed anew where a weight is not finite
  ci     n=130 a=2 in=7 out=9 sites=sites_line w=special t={f32,f16} m={both}
  # sums beyond 2^11, where an accumulator of half precision would stand still
  ci     n=30 a=30 in=1024 out=16 sites=sites_block x=const-1 t={f32,f16}
  ci     n=60 a=55 in=4 out=6 l={@layouts} dense={0,1} B=1 t={f32,f16} m={both}
  # one site of value 1 under weights that count kernel rows
  ci     n=1 a=1 in=1 out=1 k={kx}:{ky}:{kz} K={kx*ky*kz} kx={1,2,3,4} ky={1,2,3} kz={1,2,5} x=const-1 w=ramp
  nightly n=20000 a=19990 in={33,64} out={in} sites=sites_surface-1 x=uniform t={f32,f16} m={both}
  nightly n=6250 a=6250 in=64 out=64 k=2:2:2 K=8 s=2: sites=sites_block x=const-1 t=f16 m={both}
)";

constexpr const char* kGood = "from bias={bt}.{bs}.row.{y} bt={t} bs=5 y=uniform";

constexpr const char* kRefusals = R"(
  shape  wl=dense_5d ws=5x1x9x3x3  # 27 kernel rows, of another kernel
  shape  bs=6                      # a bias of another length
)";

// Down and up: a surface, and a scan to where it came from.
constexpr const char* kForwardBench = R"(
  ci     n=200000 t={f32,f16} k=2: K=8 s=2:
  ci     n=170232 sites=sites_scan-0 k=2: K=8 s=2:
)";
constexpr const char* kSubmanifoldBench = R"(
  ci     n=200000 t={f32,f16}
  nightly n=200000 in={16,32,128} t={f32,f16}
  ci     n=200000 sites=sites_surface-1
  nightly n=200000 in={32,128} sites=sites_surface-1
  nightly n=50000 in={16,64,128}
  nightly n=1000000 in={16,32,64,128} t=f16
  nightly n=1000000 in={16,32,64}
  ci     n,sites={170232 sites_scan-0, 57809 sites_scan-1, 14965 sites_scan-2}   # every voxel at 1, 2 and 4 mm
  nightly n=170232 sites=sites_scan-0 t=f16
  nightly n=100000 sites=layout_{isolated,line,plane,grid,block-2,block-3,block-4,block-8}
)";
constexpr const char* kTransposedBench = R"(
  ci     n=25000 t={f32,f16} k=2: K=8 s=2:
  ci     n=14965 sites=sites_scan-2 k=2: K=8 s=2: m=0 goals=i32.57809x4.row.sites_scan-1+i32.1.row.const-57809
)";
constexpr const char* kGenerativeBench = R"(
  ci     n=25000 t={f32,f16} k=2: K=8 s=2:
)";

constexpr const char* bench(RelationKind base) {
  if (base == RelationKind::forward) return kForwardBench;
  if (base == RelationKind::submanifold) return kSubmanifoldBench;
  return base == RelationKind::transposed ? kTransposedBench : kGenerativeBench;
}

constexpr std::string_view kMeaning =
    "f16 is summed in at least f32 and rounded once; the sizes of a dense_5d weight must be those of the kernel; rows "
    "beyond "
    "counts[1] are unspecified; relations as in the relation rows";

template <RelationKind base>
Op row(std::string_view name, std::string_view equation) {
  return {
      .name = name,
      .signature = conv_signature(base, kWeighted + ", bias? T[C]", kConvOutputs),
      .types = kConvTypes,
      .attrs = conv_attrs(base),
      .equation = equation,
      .meaning = kMeaning,
      .infer = with_last<infer, base>,
      .oracle = with_last<convolution, base>,
      .cases = {conv_call(base, kInputs), kConvInputs, kFarKernels, kCases},
      .rejects = {kGood, conv_refusals(base, "{coords}+i32.1.row.const-8+{x}+{w}+{bias}+{goal}"), kRefusals},
      .bench = {conv_call(base, kInputs), kConvInputs, kConvTimed, bench(base)},
      .cost = [](const Call& c) { return conv_cost(c, base, infer(c, base), 2); },
      .tolerance = {.kind = Tolerance::Class::accumulate, .terms = [](const Call& c) { return conv_terms(c, base); }},
      .active = active_outputs,
      .spot = [](const Call& c, std::uint64_t key) { return output_channels(c, {"weight"}, "bias", key); },
      .corpus = "sparse_conv",
      .corpus_call = [](Attrs& a) { return recorded_kind(base, a); }};
}

}  // namespace

std::vector<Op> convolution_ops() {
  using enum RelationKind;
  return {
      row<forward>("conv3d",
                   "Y[o] = bias + sum over edges (i,o,k) of the forward relation of X[i] W[k]; of the target relation "
                   "if targets are given"),
      row<submanifold>("subm_conv3d", "Y[o] = bias + sum over edges (i,o,k) of the submanifold relation of X[i] W[k]"),
      row<transposed>("conv_transpose3d",
                      "Y[o] = bias + sum over edges (i,o,k) of the transposed relation of X[i] W[k]; with targets, "
                      "edges where target[o] + padding - f[k] = in[i] * stride, f = 0..size-1 times dilation"),
      row<generative>("generative_conv_transpose3d",
                      "Y[o] = bias + X[i] W[k] for the edge (i,o,k) of the generative relation"),
  };
}

}  // namespace plumb
