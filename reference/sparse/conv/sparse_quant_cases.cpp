// Cases, rejections and benchmark sizes of the rows of packed sparse weights.
#include "reference/sparse/conv/conv_rows.h"
#include "reference/sparse/conv/sparse_quant.h"

namespace plumb::sparse_quant {

using reference::kernel_call;
using reference::kFarKernels;
using reference::RelationKind;

namespace {

// A packed weight of {K} kernel rows, {in} and {out} channels, with {pad} whole groups that nobody reads.
constexpr const char* kPacked = R"(
  from   weight=u32.{W}.{l}.bits+{st}.{G}.{l}.{sx}+{st}.{G}.{l}.{bx} l=row st={t} sx=uniform bx=uniform pad=0 K=1
  from   W={K}x{K==1?out:words}x{K==1?words:out} G={K}x{K==1?out:groups}x{K==1?groups:out}
  from   groups={(in+g-1)/g+pad} words={groups*g*b/32} g=32 b=4 in=3 out=5
)";

constexpr const char* kConvInputs = R"(
  from   sites_in={c}.{n}x4.{v}.{sites}+i32.1.row.const-{a} x_in={t}.{n}x{in}.{l}.{x}
  from   w_in=u32.{W}.{l}.bits+{st}.{G}.{l}.{sx}+{st}.{G}.{l}.{bx} bias_in={B?biased:nobias}
  from   biased={t}.{out}.{v}.{x} nobias={m<0?'-':'none'} v={l=='broadcast'?'row':l}
  from   goal_in={m<0?'-':goals} goals={c}.{m}x4.row.{sites}+i32.1.row.const-{a==n?m:a==0?0:m-1}
  from   W={K}x{K==1?out:words}x{K==1?words:out} G={K}x{K==1?out:groups}x{K==1?groups:out}
  from   groups={(in+g-1)/g+pad} words={groups*g*b/32}
  from   n=50 a=46 in=3 out=5 g=32 b=4 pad=0 k=3: s=1: p=0: d=1: K=27 B=0 m=-1 l=row
  from   sites=sites_negative c=i32 t=f32 st={t}
)";

constexpr const char* kConvCases = R"(
  from   whole=0 x={whole?'int-2':'uniform'} sx={whole?'int-2':'uniform'} bx={whole?'int-5':'uniform'}
  from   steps={3: 1: 0: 1: 27, 2: 2: 0: 1: 8, 3: 2: 1: 1: 27, 3: 1: 1: 1: 27, 1: 1: 0: 1: 1, 1: 2: 0: 1: 1, 3: 1: 0: 2:
         27,
         2:3:1 1:2:1 0: 1:1:2 6, 1:3:5 1: 0: 1:2:1 15}
  smoke  n=24 a=22 k,s,p,d,K={steps} whole=1 m={both}
  smoke  n=24 a=22 k,s,p,d,K={2: 2: 0: 1: 8, 3: 2: 1: 1: 27, 1: 2: 0: 1: 1, 2:3:1 1:2:1 0: 1:1:2 6,
         1:3:5 1: 0: 1:2:1 15} m={both}
  ci     n=24 a=22 k,s,p,d,K={steps} t=f16 B=1 b=8 m={both}
  ci     n=70 a=68 in=5 out=7 k=3:1:3 K=9 whole=1 m={both}
         sites={sites_batches,sites_line,sites_block,sites_isolated,sites_duplicates,sites_extremes}
  ci     k=3:3:1 K=9 whole=1 sites={sites_negative,sites_extremes} c=i64 m={both}
  ci     n=30 a=27 k,s,p,d,K,sites,c={far} m={both}   # kernels beyond 32 rows, dilation above stride, reach 5
  # one kernel row is stored in another order than several, on every path
  ci     n=40 a=40 b={4,8} g={32,64,128} k,K={1: 1, 3:1:1 3} in={{g-3},{g+1}} out=6 sites=sites_block
  ci     in=9 out=4 pad=1 k,K={1: 1, 1:3:1 3} sites=sites_block x=uniform-3 t={f32,f16} st={f32,f16} B=1
  ci     in=32 out=3 b={4,8} k=1: K=1 s=2: sites=sites_block whole=1 m={both}
  # a row of codes is whole words of each output: any number of outputs must do
  ci     n=40 a=40 in=17 out={1,2,3,5,15,16,17,31,33,63,64,65,130} k=3:1:1 K=3 sites=sites_block B=1
  ci     n=40 a=40 in={1,7,8,15,16,31,32,33,127,129,160} out=6 b={in%2?8:4} k=3:1:1 K=3 sites=sites_block t=f16
  # rows around blocks
  ci     n={0,1,2,127,128,129,257} a={n} in=8 out=8 k=1:3:1 K=3 sites=sites_block whole=1 m={both}
  ci     n=20 a=0 k=3:1:1 K=3 whole=1 m={both}
  # values
  ci     n=30 a=28 in=40 out=12 k=3:3:1 K=9 sites=sites_block B=1 t={f32,f16}
         x={cancel,wide,special,const-1,int-9,tiny,huge,subnormal,lanes-41}
  # weights beyond the largest float, infinite biases beside them, and features that are 0; few of them to a sum, so
  # that
  # not every sum is NaN
  ci     n=90 a=86 t={f32,f16} in={1,3} k,K={1: 1, 3: 27} sx={order,const-3e38} bx=order x=int-1
  # scales that are not finite: a row without edges keeps its bias
  ci     n=30 a=28 in=40 out=12 k=3:3:1 K=9 sites=sites_block B=1 t,sx={f16 special, f32 wide} bx={sx} x=int-3
  # sums beyond 2^11, where an accumulator of half precision would stand still
  ci     n=20 a=20 in=512 out=4 k=3:1:1 K=3 sites=sites_block t=f16 x=const-1 sx=const-0 bx=const-1
  ci     n=20 a=18 in=4 out=6 k=1:3:1 K=3 l={@layouts} whole=1 m={both}
)";

constexpr const char* kMatrixCases = R"(
  # both sides of every condition of the routes for matrix units
  from   n=70 a=66 in=32 out=32 t=f16 sites=sites_block
  smoke  g=32
  ci     in={32,64} out={32,64} b={out==32?4:8} g={in}
  ci     in=64 n=200 a=190 sites=sites_surface-1 B=1      # two groups to a row
  ci     whole=1 x=int-1 m={both}
  ci     t,st={f32 f16, f16 f32}                          # rounded to f16, as the scales are
  ci     n=27 a=27 sx={special,wide-20,const-60000} B=1   # weights beyond or below what f16 holds
  ci     in={31,48,96}
  ci     out={16,31,48,96}
  ci     g=64                                             # half of what is stored is padding
  ci     pad=1
  ci     k,K={3:3:1 9, 5:3:1 15, 27:1:1 27}
  ci     d=2:
  ci     n={1,0} a={n}
  ci     x=special
  ci     n={127,128,129} a={n} x=int-1
  from   n=50 a=46 in=3 out=5 t=f32 sites=sites_negative
)";

constexpr const char* kNightly = R"(
  nightly n=8000 a=7990 in=64 out,b={32 8, 64 4} g=64 t=f16 sites=sites_surface-1
)";

// What every row that takes a packed weight refuses: {K} kernel rows of five outputs, two axes exchanged if {flat}.
constexpr const char* kPackingRejects = R"(
  from   W={wk}x{flat?wo:wl}x{flat?wl:wo}{wm} S={sk}x{flat?so:sl}x{flat?sl:so} Z={zk}x{flat?zo:zl}x{flat?zl:zo}
  from   weight={wt}.{W}.row.bits+{st}.{S}.row.uniform+{z} z={zt}.{Z}.row.uniform wt=u32 st=f32 zt={st} wm=
  from   wl=4 wo=5 wk={K} sl=1 so=5 sk={K} zl={sl} zo={so} zk={sk} b=4 q=-
  attribute b={5,2,0,16}             # no such width
  attribute q=group_size={48,16,0}   # no such group
  shape  q=group_size=64             # groups of another size
  shape  q=storage_in_channels=64    # another number of stored channels
  attribute ic=0                     # no input channels
  shape  ic=33                       # more channels than are stored
  shape  q=out_channels=6            # another number of outputs
  attribute q=out_channels=-5        # fewer than no outputs
  shape  wl=12                       # more words than the groups have
  shape  wl=0                        # no words
  shape  wo=0 so=0                   # no outputs
  shape  W={wk}x{flat?wl:wo}x{flat?wo:wl}  # the other order of axes
  shape  so=4                        # scales for fewer outputs
  arity  z=none                      # no biases
)";

constexpr const char* kConvGood = R"(
  from   k=3:1:1 s=1: p=0: d=1: K=3 sites=i32.8x4.row.sites_negative x={t}.{n}x{in}.row.uniform t=f32 n=8 in=3
  from   bias=f32.5.row.uniform goal=-
)";

constexpr const char* kConvRejects = R"(
  attribute k=0:1:1               # a kernel without extent
  shape  k=5:1:1                  # another kernel
  shape  in=33                    # more channels than are stored
  shape  in=0                     # no channels
  shape  ic=4                     # features of other channels
  shape  bias=f32.6.row.uniform   # a bias of another length
)";

constexpr const char* kLinearCases = R"(
  call   {t}.{n}x{in}.{l}.{x}+{weight}+{bias}/bits={b}
  from   t=f32 x=uniform bias=-
  smoke  n=9 b={4,8} g={32,64,128} in={{g-3},{2*g+1}} out=7
  smoke  in=33 out=5 pad=1 t={f32,f16} st={f32,f16} x=uniform-3 n,bias={12 -, 2 f32.5.row.uniform, 12 f16.5.row.uniform}
  # rows and outputs around blocks
  ci     n={0,1,2,127,128,129,300} in=40 out=33 x=int-2 sx=int-2 bx=int-5
  ci     n=20 in=64 out={1,3,15,16,17,63,64,65,127,129} g=64 b=8 t=f16 st=f32
  # values
  ci     n=20 in=100 out=12 t={f32,f16} x={cancel,wide,special,const-1,int-9,tiny,huge,subnormal,lanes-101}
  ci     n=6 in=40 out=9 t=f16 sx=special bx=special x=int-3
  ci     n=20 in={1,3,40} out=9 t={f32,f16} sx={order,const-3e38} bx=order x=int-1   # weights beyond the largest float
  ci     n=3 in=4096 out=4 g=128 t=f16 sx=const-0 bx=const-1 x=const-1
  ci     n=9 in=40 out=33 x=int-2 sx=int-2 bx=int-5 l={@layouts}
  nightly n=3000 in=256 out=200 g=64 t=f16 st=f32
)";

constexpr const char* kLinearBench = R"(
  call   {t}.{n}x{in}.{l}.{x}+{weight}/bits={b}
  from   t=f32 x=uniform
  ci     n=200000 in=64 out=64 g=64 b={4,8} t=f16
  ci     n=100000 in=256 out=256 g=64
)";

constexpr const char* kLinearGood = R"(
  call   {x}+{weight}+{bias}/bits={b},{q},in_channels={ic}
  from   x={t}.{n}.row.uniform t=f32 n=8x3 bias=f32.5.row.uniform K=1
)";

constexpr const char* kLinearRejects = R"(
  shape  n=8x33                   # more channels than are stored
  shape  n=8x0                    # no channels
  shape  ic=4                     # features of other channels
  shape  bias=f32.6.row.uniform   # a bias of another length
)";

constexpr const char* kDequantizeCases = R"(
  call   {weight}/layout={ly},bits={b},kernel_size={k},in_channels={ic}
  from   ly,k,K={{linear,kernel_major,dense_5d} 1: 1, kernel_major 3:2:1 6, dense_5d 2:1:3 6} b={4,8} ic={in} t=f32
  smoke  g={32,64,128} in={g+5} out=7
  ci     g={32,64,128} in={g+5} out=7 t={f32,f16} ic={{in},}
  ci     in=33 out=4 t={f32,f16} sx={special,order,wide,int-9,uniform-900} bx={sx}
  ci     in=33 out=5 l={@layouts}
  ci     in=1 out={1,16,65} pad=1
)";

constexpr const char* kDequantizeBench = R"(
  call   {weight}/layout={ly},bits={b},kernel_size=3:
  ci     in=256 out=256 g=64 K=27 t,b,ly={f16 4 kernel_major, f32 8 dense_5d}
)";

constexpr const char* kDequantizeGood = R"(
  call   {weight}/layout={ly},bits={b},kernel_size={k},in_channels={ic},{q}
  from   ly=kernel_major k=3:1:1 K=3
)";

constexpr const char* kDequantizeRejects = R"(
  attribute ly=last     # an unknown layout
  attribute ly=linear   # three kernel rows in a matrix
  attribute k=3:0:1     # a kernel without extent
  shape  k=3:2:1        # another kernel
)";

constexpr const char* kConvCall = "{sites_in}+{x_in}+{w_in}+{bias_in}+{goal_in}";
constexpr const char* kUniform =
    "from whole=0 x=uniform sx=uniform bx=uniform sites=sites_surface a={n} in=64 out={in} g=64";

constexpr const char* bench(RelationKind base) {
  if (base == RelationKind::forward) return "ci n=200000 k=2: K=8 s=2: t,b={f16 4, f32 8}";
  if (base != RelationKind::submanifold) return "ci n=25000 k=2: K=8 s=2: t,b={f16 4, f32 8}";
  return "ci n=200000 b={4,8} t=f16\nnightly n=200000 in=32 g=32 t=f16\nci n=200000 t=f32";
}

}  // namespace

Cases conv_cases(RelationKind base) {
  const bool forward = base == RelationKind::forward, matrix = forward || base == RelationKind::submanifold;
  return {kernel_call(base, kConvCall, ",bits={b}"),
          forward ? "from both={-1,{n/2+3}}" : "from both=-1",
          kConvInputs,
          kFarKernels,
          kConvCases,
          matrix ? kMatrixCases : "",
          kNightly};
}

Rejects conv_rejects(RelationKind base) {
  const bool forward = base == RelationKind::forward;
  return {kernel_call(base, "{sites}+i32.1.row.const-8+{x}+{weight}+{bias}+{goal}", ",bits={b},{q},in_channels={ic}"),
          "from if=1 flat=0 ic=-",
          kConvGood,
          kPackingRejects,
          kConvRejects,
          base == RelationKind::submanifold ? "attribute k=2:3:3  # an even size has no centre" : "",
          forward ? "" : "arity goal=i32.4x4.row.sites_box+i32.1.row.const-4  # targets"};
}

Cases conv_bench(RelationKind base) {
  return {kernel_call(base, kConvCall, ",bits={b}"), "from if=1", kConvInputs, kUniform, bench(base)};
}

Cases linear_cases() { return {kPacked, kLinearCases}; }
Rejects linear_rejects() { return {kLinearGood, "from flat=1 ic=-", kPackingRejects, kLinearRejects}; }
Cases linear_bench() { return {kPacked, kLinearBench}; }

const char* const kQuantizeCases = R"(
  call   {t}.{s}.{l}.{x}/bits={b},group_size={g}
  from   t={f32,f16} l=row x=uniform b={4,8} g=32
  smoke  t=f32 g={-,32,64,128} s={3x70,4x33x5,3x1x2x2x40}
  ci     t=f16 g={-,32,64,128} s={3x70,4x33x5,3x1x2x2x40}
  # the default group, and one kernel row in each layout
  ci     t=f32 s=5x{1,31,32,63,64,65,129} g=- b=4
  ci     t=f32 s={1x33x6,6x1x1x1x33,1x1x1,1x1,2x1x1,1x2x1x1x1} g=- b=8
  # zeros, ties, groups that are lost, ranges that overflow float32
  ci     s={24x64,2x96x3} x,b={{groups,groups-64} 8, {const-0,const--2,const-1,ramp,pow2-12,wide,cancel,int-9,positive}
         4}
  ci     s={24x64,2x96x3,1x40x70} x,b={{special,special-100,order,const-3e38} 4, huge-1 8}
  # NaN, infinities and extremes in each lane by turns, one to a group
  smoke  t=f32 s=225x32 x=lanes-33 b=4
  ci     t=f16 s=225x32 x=lanes-33 b=4
  ci     t=f32 s={5x40,3x40x4,4x2x1x3x33} b=4 l={@layouts}
  ci     t=f16 s={{out}x32,2x32x{out}} out={15,16,17,63,64,65,129} b=8
)";

const char* const kQuantizeRejects = R"(
  call   {t}.{s}.row.uniform/{p}
  from   t=f32 s=4x64 p=
  attribute p=bits={5,2}        # no such width
  attribute p=group_size={16,256}  # no such group
  shape  s=0x64                 # no outputs
  shape  s=4x0                  # no inputs
  shape  s=0x4x4                # no kernel rows
)";

const char* const kQuantizeBench = R"(
  ci     {t}.{s}.row.uniform/group_size=64,bits={b} t,s,b={f32 27x256x256 4, f16 256x3x3x3x256 8}
)";

Cases dequantize_cases() { return {kPacked, kDequantizeCases}; }
Rejects dequantize_rejects() { return {kDequantizeGood, "from flat=0 ic=3", kPackingRejects, kDequantizeRejects}; }
Cases dequantize_bench() { return {kPacked, kDequantizeBench}; }

}  // namespace plumb::sparse_quant
