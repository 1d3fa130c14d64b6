// Cases, rejections and benchmark sizes of products with matrices that indices choose.
#include "reference/quant/quant.h"

namespace plumb::quant {

// x holds a matrices of m rows, w e matrices; c is the axis that is packed, r the other one.
const char* const kGatherCases = R"(
  call   {t}.{x}.{xl}.{xx}+u32.{w}x{r}x{c*b/32}.{l}.bits+{s}.{w}x{r}x{c/g}.{l}.{sx}+{z}+{lhs}+{rhs}/{how},{sorted}
  from   how=transpose={turn?'-':'false'},group_size={g},bits={b},mode={mode} sorted=- mode=- t=f32 l=row xl=row
  from   x={a}x{m}x{k} k={turn?c:r} xx={int?'int-3':'uniform'} sx={int?'int-2':'uniform'} s={t} int=1 turn={1,0}
  from   z={s}.{w}x{r}x{c/g}.{l}.{zx} zx={int?'int-3':'uniform'} a=4 w={e} e=3 m=2 g=32 b=4 r=5 c=64 n=7
  from   lhs={it}.{n}.{il}.index-{a} rhs={it}.{n}.{il}.index-{e} it=u32 il=row
  # every width and orientation, ragged on the free axes; each index alone; neither
  smoke  b={1,2,3,4,5,6,8} r=[5,7] int=[0,1] n=[7,3]
  smoke  lhs=none x=7x2x{k}
  smoke  rhs=- lhs={it}.3.row.index-{a} r=9
  smoke  lhs=- rhs=- x=2x3x2x{k} w=2x3
  smoke  lhs=- rhs=- x={k} int=0
  # indices that broadcast, that are flat over two axes of batch, of every dtype, of no axis, of none at all
  smoke  lhs=u32.2x1.row.index-4 rhs=i32.3.row.index-3
  smoke  lhs=none rhs=i64.2x1.row.index-6 x=3x2x{k} w=2x3
  smoke  lhs=i64.4.row.index-6 rhs=none x=2x3x2x{k} w=4 r=3
  smoke  it={@integers} n=3 int=0 turn=1
  smoke  lhs=u32.s.row.const-2 rhs=u32.s.row.const-1
  smoke  n=0
  smoke  m=0
  smoke  turn,r,c={1 0 64, 0 0 64, 1 5 0}
  # GM02, B10: sorted or said to be; all to one matrix, and matrices that nobody asks for
  smoke  rhs={it}.{n}.row.{ascending-2,const-2} sorted=sorted_indices=true n=9 m=1
  smoke  sorted=sorted_indices=true n=9 m=1
  ci     rhs={it}.{n}.row.ascending-2 lhs=none x={n}x1x{k} n={33,65} sorted={-,sorted_indices=true} int=0
  ci     m={1,3,4,5,8,9,33} r={1,8,31,33} turn=1 c=96 int={m%2}
  ci     m={1,3,4,5,8,9,33} r={33,96} turn=0 c=96 int={m%2}
  ci     m=[1,2] n=70 e=2 r=33 int=0 t={@floats}
  # GM03: K around tiles, whose tail belongs to the remainder
  ci     n=20 m=1 turn,r,c={1 6 32, 1 6 96, 1 6 1056, 0 33 32, 0 1057 32}
  # GM01, GM02, B04: layouts of all, matrices and rows that are sliced
  ci     l={@layouts} xl={l} il={l} int=[0,1]
  ci     t={@floats} s={@floats} b=6 int=0 turn=[1,0]
  smoke  t={bool,@integers} s=[f32,f16,bf16] turn=1 int=1
  smoke  s=i16 z=f32.{w}x{r}x{c/g}.row.{zx} turn=1 int=1   # scales of whole numbers
  ci     m=[1,11] xx={cancel,wide,special,huge} g=64 int=0 turn,r,c={1 7 512, 0 512 64}
  nightly lhs=none x={n}x1x{k} n=32833 e=2 turn=[1,0] r=[3,32] c=32   # GM04: more matrices than a launch takes
  # the modes that fix the group and the width
  call   {t}.4x{m}x{k}.{l}.uniform+u32.3x{r}x{c*b/32}.{l}.bits+u8.3x{r}x{c/g}.{l}.index-{top}+none{lr}/{how}
  from   lr=+u32.7.row.index-4+u32.7.row.index-3 how=transpose={turn?'-':'false'},mode={mode} top=[100,250]
         t=f32 l=row r=5 c=64 k={turn?c:r} m=2 turn={1,0}
  smoke  mode,g,b={mxfp4 32 4, mxfp8 32 8, nvfp4 16 4} t={@floats}
  smoke  mode=nvfp4 g=16 b=4 c={16,48} r=7
  ci     mode,g,b={mxfp4 32 4, mxfp8 32 8, nvfp4 16 4} l={@layouts} m=[1,9]
)";

const char* const kGatherRejects = R"(
  from   w=u32.3x3x8.row.bits s=f32.3x3x1.row.uniform p= q= global=
  call   {x}+{w}+{s}+{z}+{lhs}+{rhs}/{p},{q}
  from   x=f32.2x2x64.row.uniform z={s} lhs=u32.4.row.index-2 rhs=u32.4.row.index-3
  rank   x=f32.64.row.uniform             # a vector, but indices
  shape  x=f32.2x2x128.row.uniform        # inner sizes differ
  shape  lhs=u32.2.row.const-0            # indices do not broadcast
  shape  lhs=none                         # two matrices of x for four indices
  shape  rhs=- lhs=u32.2.row.const-0      # three matrices of w for two indices
  domain lhs=u32.4.row.const-2            # the first behind the matrices of x
  domain rhs=u32.4.row.const-3            # the first behind the matrices of w
  domain rhs=i32.4.row.const--1           # negative
  domain rhs=i64.4.row.const-4294967296   # 0 in 32 bits
  domain rhs=u64.4.row.whole              # beyond signed numbers
  domain rhs=i32.4.transposed.ramp        # the last of some
  domain w=u32.0x3x8.row.bits s=f32.0x3x1.row.uniform  # no matrix to choose
  dtype  s=f64.3x3x1.row.uniform z=f32.3x3x1.row.uniform  # f64 scales
)";

const char* const kGatherBench = R"(
  call   {t}.{a}x{m}x{k}.row.uniform+u32.{e}x{n}x{k/8}.row.bits+{t}.{e}x{n}x{k/64}.row.uniform+{z}+{lhs}+{rhs}/{sorted}
  from   z={t}.{e}x{n}x{k/64}.row.uniform lhs=u32.{p}.row.index-{a} rhs=u32.{p}.row.{order} t=f32 sorted=- m=1
  from   order=index-{e} e=8 n=1024 k=1024 a=64 p=128
  ci     order=ascending-7 sorted=sorted_indices=true
  ci     order=[index-8] p=8 a=8
  ci     m=32 p=16 a=16
)";

}  // namespace plumb::quant
