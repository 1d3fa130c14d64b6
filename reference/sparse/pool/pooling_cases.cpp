// What sparse pooling and its derivatives are tried on, refused for and timed with.
#include "reference/sparse/pool/pooling.h"

namespace plumb::reference {
namespace {

// A kind as the sweeps see it: kernel rows {K}, the {most} inputs of one that makes many outputs, {few} for any width,
// {unit} kernel rows of stride 1, and {both} without and with targets if it takes them.
constexpr const char* kPlain = "from K=8 most=1000000 few=30 unit=27 both=-1";
constexpr const char* kTransposed = "from K=8 most=40 few=30 unit=27 both={-1,{n/2+3}}";
constexpr const char* kTrilinear =
    "from K=27 most=20 few=5 unit=1 both={-1,{n/2+3}}";  // kernel rows of the stride alone

constexpr const char* kInputs = R"(
  from   sites_in={c}.{n}x4.{v}.{sites}+i32.1.row.const-{a} x_in={t}.{n}x{ch}.{l}.{x}
  from   y_in={t}.{rows}x{ch}.{l}.{y} y={x} v={l=='broadcast'?'row':l}
  from   goal_in={m<0?'-':goals} goals={c}.{m}x4.row.{sites}+i32.1.row.const-{a==n?m:a==0?0:m-1}
  from   n={N>most?most:N} a={N>most?A*most/N:A}    # fewer inputs where each makes many outputs
  from   N=60 A=55 ch=5 k=2: s=2: p=0: d=1: m=-1 l=row sites=sites_negative c=i32 t=f32 x=uniform
)";

constexpr const char* kSteps = R"(
  from   steps={2: 2: 0: 1: 8 f16, 3: 2: 0: 1: 27 f32, 3: 2: 1: 1: 27 f16, 3: 4: 0: 1: 27 f32, 1: 1: 0: 1: 1 f16,
         3: 1: 0: 1: 27 f32, 3: 1: 1: 2: 27 f16, 2:3:1 2:1:3 0:1:0 1:2:1 6 f32, 4:2:3 3:2:1 1:0:2 1:1:2 24 f16}
)";

constexpr const char* kTrilinearSteps = R"(
  from   steps={2: 2: 0: 1: 27 f16, 2: 1: 0: 1: 1 f32, 2: 3: 0: 1: 125 f16, 2: 2:1:3 0: 1: 15 f32}
  from   far={5: 1: 0: 1: 1 sites_block i32, 5: 2: 1: 1: 27 sites_negative-1 i32, 5:5:3 3: 2: 4: 125 sites_extremes i64,
         3: 1: 0: 5: 1 sites_negative i32, 3: 2: 0: 3: 27 sites_block i32, 2: 1: 2: 3: 1 sites_negative i64,
         3:4:3 2:1:2 1: 1:3:5 9 sites_duplicates i32, 11:1:1 1: 0: 1: 1 sites_line-5 i32,
         1:3:11 1:2:1 0:1:5 1: 3 sites_extremes i32}
)";

constexpr const char* kCases = R"(
  # windows that tile, overlap, leave gaps (inputs lost, outputs without edges), shift, dilate; whole numbers by turns
  smoke  N=40 A=37 ch=3 k,s,p,d,K,whole={steps} t={f32,f16} x={t==whole?'int-1':'uniform'} m={both}
  ci     N=40 A=37 ch=3 k,s,p,d,K,whole={steps} t={f32,f16} x={t==whole?'uniform':'int-1'} m={both}
  # where the sites lie
  ci     N=30 A=27 ch=3 k,s,p,d,K,sites,c={far} m={both}
  ci     N=130 A=128 ch=4 k=3: K=27 x=int-2 m={both}
         sites={sites_batches,sites_batches-3,sites_line,sites_plane,sites_block,sites_surface-1,sites_isolated,
         sites_duplicates,sites_duplicates-40,sites_extremes}
  ci     k=3: K=27 sites={sites_negative-1,sites_extremes,sites_isolated-1099511627776} c=i64 m={both}
  ci     k=3: s=1: K={unit} sites=sites_duplicates-3 m={both}   # repeated outputs, of repeated inputs
  # channels and rows around vectors and blocks
  ci     N={few} A={N} ch={0,1,4,7,8,9,15,16,17,31,32,33,64,130} sites=sites_block t={f32,f16}
  ci     N={0,1,2,127,128,129,513} A={N} ch=3 sites=sites_block x=int-3 m={both}
  ci     A,t={0 f16, 1 f32} m={both}
  # all below zero, all ones (the divisor), ties, what is not finite, what cancels; windows of nothing but -inf, some
  # of them beside others (masked-7) and all (masked-8)
  ci     N=50 A=45 ch=6 k=3: K=27 sites=sites_block t={f32,f16} m={both}
         x={const--2,const-1,special,cancel,wide,masked,masked-7,masked-8,tiny,huge,subnormal,lanes}
)";

constexpr const char* kSeeds = R"(
  ci     N=50 A=45 k=3: K=27 sites=sites_block x={const--2,special,masked-7,masked-8,int-1} y=uniform t={f32,f16}
         m={both}
)";

constexpr const char* kLast = R"(
  ci     N=24 A=20 x=int-3 t={f32,f16} l={@layouts} m={both}
  nightly N=5000 A=4990 ch=33 sites=sites_surface-1 t={f32,f16} most=1000000 m={both}
)";

constexpr const char* kHalfSums = R"(
  # sums beyond 2^11, where an accumulator of half precision would stand still
  ci     N=343 A=343 ch=2 k=7: K=343 s=7: sites=sites_block x=const-24 t=f16
)";

constexpr const char* kRejects = R"(
  from   coords={c}.8x{cols}.row.{f} c=i32 cols=4 f=sites_negative count={ct}.{cn}.row.const-8 ct=i32 cn=1
  from   x={t}.{xs}.row.uniform t=f32 xs=8x3 y={u}.{rows}x{ch}.row.uniform u=f32 ch=3 goal=- k=2: s=2: p=0: d=1:
  attribute s=0:                # a stride of zero
  attribute s=1:2               # two strides
)";

constexpr const char* kKernelRejects = R"(
  attribute k=2:0:2             # a kernel without extent
  memory k=2000:                # kernel rows beyond 2^31
  attribute p=-1:               # a negative padding
  attribute d=0:                # a dilation of zero
)";

constexpr const char* kSeedRejects = R"(
  shape  rows={R+1}             # more seeds than there can be rows
)";

bool expands(Pooling kind) { return kind == Pooling::transposed || kind == Pooling::trilinear; }

std::string call(Pooling kind, const std::string& inputs) {
  return "call " + inputs +
         (kind == Pooling::trilinear ? "/stride={s}" : "/kernel_size={k},stride={s},padding={p},dilation={d}");
}

std::string inputs_of(Pooling kind, Derivative d) {
  std::string text =
      call(kind, d == Derivative::none ? "{sites_in}+{x_in}+{goal_in}" : "{sites_in}+{x_in}+{y_in}+{goal_in}");
  text += "\nfrom rows=";
  text += d == Derivative::jvp ? "{n}" : expands(kind) ? "{m<0?n*K:m}" : "{m<0?n:m}";
  return text + "\n" + (kind == Pooling::trilinear ? kTrilinear : expands(kind) ? kTransposed : kPlain);
}

}  // namespace

Cases pooling_cases(Pooling kind, Derivative d) {
  return {inputs_of(kind, d),
          kInputs,
          kSteps,
          kFarKernels,
          kind == Pooling::trilinear ? kTrilinearSteps : "",
          kCases,
          d == Derivative::none ? "" : kSeeds,
          kLast,
          expands(kind) ? "" : kHalfSums};
}

Rejects pooling_rejects(Pooling kind, Derivative d) {
  const bool seeds = d != Derivative::none, trilinear = kind == Pooling::trilinear;
  const bool many = expands(kind) && d == Derivative::vjp;
  return {call(kind, seeds ? "{coords}+{count}+{x}+{y}+{goal}" : "{coords}+{count}+{x}+{goal}"),
          many ? trilinear ? "from R=216 rows=216" : "from R=64 rows=64" : "from R=8 rows=8",
          kRejects,
          trilinear ? "memory s=2000:  # kernel rows beyond 2^31" : kKernelRejects,
          seeds ? kSeedRejects : "",
          d == Derivative::vjp ? "domain rows=0  # a cotangent without the active rows" : ""};
}

Cases pooling_bench(Pooling kind, Derivative d) {
  const char* rows = kind == Pooling::trilinear ? "from N=10000" : expands(kind) ? "from N=50000" : "from N=200000";
  return {inputs_of(kind, d),
          kInputs,
          rows,
          "from A={N} most=1000000",
          "ci ch=64 sites=sites_surface t={f32,f16}",
          expands(kind) ? "" : "ci ch=32 k=3: K=27 sites=sites_surface-1"};
}

}  // namespace plumb::reference
