// Cases, rejections and benchmark sizes of the quantization rows.
#include "reference/quant/quant.h"

namespace plumb::quant {

const char* const kQuantizeCases = R"(
  call   {t}.{s}.{l}.{x}/group_size={g},bits={b}
  from   t=f32 l=row x=uniform b={1,2,3,4,5,6,8} g={32,64,128}
  smoke  s=2x{2*g}
  ci     t={@floats} s=3x{3*g} x=groups          # QM14, B08: zeros, ties, an outlier in each group
  ci     t={@floats} s=2x2x{g} x=uniform-300
  ci     t={@floats} s=5x128 l={@layouts} g=64 b=3
  ci     s={64~,129}x32 x=int-9 g=32 b=5         # around one work-group's share and the least share of a thread
  smoke  s={0x64,3x0,0x0,1x2x0x64} g=64 b={1,2,5}
  smoke  s=2x64 x={wide,cancel,pow2-30,const-0,const-1,ramp} g=32 b={1,4}
  ci     s=129x1024 g=128 b=6
  nightly s=1024x4096 g=64 b=4
  # groups that are lost, in one lane or in all, ranges that overflow float32, and ties
  smoke  s=4x128 x={special,order,huge-1} g=32
  ci     s=4x128 x={special,order,huge-1} g=32 t={f16,bf16}
  smoke  s=4x128 x={const-3e38,const-6e4,special-100,int-2,int-9} g=64 b={1,2,8}
  ci     s=4x128 x={const-3e38,const-6e4,special-100,int-2,int-9} g=64 b={1,2,8} t={f16,bf16}
  # NaN, infinities and extremes in each lane by turns, one to a group
  smoke  s=225x32 x=lanes-33 g=32 b={1,4}
  ci     s=225x32 x=lanes-33 g=32 b={1,4} t={f16,bf16}
  ci     t={@floats} s,x,g={449x64 lanes-65 64, 897x128 lanes-129 128} b={1,4}
  # the modes that fix both
  call   {t}.{s}.row.{x}+{global}/mode={m}
  smoke  t={@floats} s=3x64 m={mxfp4,mxfp8,nvfp4} global=
         x={uniform,groups,pow2-6,int-9,wide-30,special,order,lanes-33,const-3e38,huge-1,wide-140}
  smoke  t={f32,bf16} s=2x48 m=nvfp4 global=f32.1.row.const-3
  ci     t={@floats} s=129x64 m={mxfp4,mxfp8,nvfp4} global= x={uniform,wide-30}   # more groups than a work-group takes
  ci     t=f32 s=2x65x32 m={mxfp4,mxfp8,nvfp4} global= x={groups,pow2-140,subnormal,tiny,order}
  ci     t={@floats} s=67x16 m=nvfp4 global=f32.s.row.const-{5,3000} x={uniform-9,huge,wide-30}
)";

const char* const kQuantizeRejects = R"(
  call   {w}+{global}/{p},{q}
  from   w=f32.2x64.row.uniform global=- p=- q=-
  attribute p=mode=mxfp5                  # unknown mode
  shape  w=f32.2x48.row.uniform p=group_size=32  # ragged last group
  attribute p=group_size=0                # empty groups
  attribute w=f32.2x96.row.uniform p=group_size=48  # no such group size
  attribute p=bits=7                      # no such width
  attribute p=bits=0                      # no bits
  attribute p=mode=mxfp4 q=group_size=64  # the mode fixes the group size
  attribute p=mode=mxfp8 q=bits=4         # the mode fixes the width
  attribute p=mode=nvfp4 q=group_size=32  # the mode fixes the group size
  arity  p=mode=mxfp4 global=f32.s.row.uniform  # a global scale without nvfp4
  shape  p=mode=nvfp4 global=f32.2.row.uniform  # two global scales
)";

const char* const kQuantizeBench = R"(
  ci     {t}.4096x4096.row.uniform/group_size=64,bits={b} t,b={f32 4, f32 8, f16 3}
)";

// Calls whose weights are refused, for both ops that take some; {lead} holds the inputs before them.
const char* const kWeightRejects = R"(
  call   {lead}+{w}+{s}+{z}+{global}/{p},{q}
  from   w=u32.3x8.row.bits s=f32.3x1.row.uniform z={s} global= p= q=
  attribute p=mode=mxfp5                  # unknown mode
  attribute p=bits=7                      # no such width
  attribute p=bits=-4                     # a negative width
  attribute p=group_size=0                # empty groups
  attribute p=group_size=16               # no such group size
  shape  p=group_size=32                  # too few scales
  shape  p=bits=8                         # too many scales
  arity  z=-                              # no biases
  dtype  s=i32.3x1.row.uniform            # integer scales
  arity  p=mode=mxfp4 q=group_size=32     # biases in mode mxfp4
  from   s=u8.3x2.row.bits z=-
  dtype  p=mode=mxfp4 s=f32.3x2.row.bits  # scales are not bytes
  attribute p=mode=mxfp4 q=bits=8         # the mode fixes the width
  attribute p=mode=nvfp4 q=group_size=32  # the mode fixes the group size
  from   s=f32.3x1.row.uniform z={s}
)";

const char* const kDequantizeCases = R"(
  call   u32.{at}{r}x{c*b/32}.{l}.bits+{s}.{groups}.{l}.{sx}+{z}.{groups}.{l}.{zx}/dtype={to},group_size={g},bits={b}
  from   groups={at}{r}x{c/g}
  from   at= l=row s=f32 z=f32 sx=uniform zx=uniform to=- b={1,2,3,4,5,6,8} g={32,64,128}
  smoke  r=2 c={2*g}
  ci     at=2x r=3 c={g} s={@floats} z={s} sx={uniform,special} zx={sx}
  smoke  r=1 c=64 g=32 b=5 s={f32,f16,bf16,f64} z={f32,f16,bf16,f64} sx=uniform-9 to={-,f32,f16,bf16,f64}
  ci     at=2x r=5 c=192 g=64 b={3,4} l={@layouts}
  ci     r={0,1,7,31,33,65} c=96 g=32 b=6 sx=int-2 zx=int-5
  smoke  r=3 c=0 g=64 b=4
  ci     r=129 c=1024 g=128 b=3
  nightly r=1024 c=4096 g=64 b=4
  # the modes that fix both
  call   u32.3x{64*b/32}.row.bits+u8.3x{64/g}.row.bits+{bias}+{global}/mode={mode},dtype={to}
  from   to={-,f32,f16,bf16,f64} bias=- global=-
  smoke  mode,g,b={mxfp4 32 4, mxfp8 32 8, nvfp4 16 4}
  smoke  mode=nvfp4 g=16 b=4 bias=none global=f32.s.row.const-5
  call   u32.{s}x{c*b/32}.{l}.bits+u8.{s}x{c/g}.{l}.bits/mode={mode},dtype={to}
  from   to={f32,f16,bf16} l=row mode,g,b={mxfp4 32 4, mxfp8 32 8, nvfp4 16 4}
  ci     s={65,2x3} c={32,480}
  ci     s=2x5 c=96 l={@layouts} to=f32
)";

const char* const kDequantizeRejects = R"(
  from   p=group_size=64 q=bits=4
  call   {w}+{s}+{z}+{global}/{to},{p},{q}
  attribute to=dtype=i32                  # integers asked for
  attribute to=dtype=c64                  # complex asked for
  arity  global=f32.s.row.uniform to=     # a global scale in mode affine
)";

const char* const kDequantizeBench = R"(
  ci     u32.4096x{4096*b/32}.row.bits+{t}.4096x64.row.uniform+{t}.4096x64.row.uniform/group_size=64,bits={b} b={4,8,3}
         t={f32,f16}
)";

const char* const kProductCases = R"(
  call   {t}.{x}.{xl}.{xx}+u32.{at}{r}x{c*b/32}.{l}.{wx}+{s}.{at}{r}x{c/g}.{l}.{sx}+{z}.{at}{r}x{c/g}.{l}.{zx}/{how}
  from   how=transpose={turn?'-':'false'},group_size={g==64?'-':g},bits={b==4?'-':b}
  from   t=f32 s={t} z={s} l=row xl={l} at= wx=bits int=1 turn={1,0} g=32 b=4
  from   x={m}x{k} k={turn?c:r} xx={int?'int-3':'uniform'} sx={int?'int-2':'uniform'} zx={int?'int-3':'uniform'}
  # QM01, QM02, QM18, B07: every width, group and orientation, ragged on the free axes
  smoke  b={1,2,3,4,5,6,8} g={32,64,128} m,r,int={1 3 1, 2 5 0} c={m*g}
  ci     b={1,2,3,4,5,6,8} g={32,64,128} m={1,9,33} r=33 c={3*g}
  ci     b={1,2,3,4,5,6,8} g={32,64,128} t,m,r,c,int={f16 3 7 {2*g} 0, bf16 17 31 {g} 0, f16 65 9 {g} 1}
  # QM04, QM05, QM24: around tiles and thresholds, each axis on its own
  ci     m={1,2,3,4,5,7,8,9,15,16,17,31,32,33,47,48,49,63,64,65,127,128,129} int={m%2} turn,r,c={1 96 128, 0 128 96}
  ci     m={1,17} r={1..9,31,32,33,63,64,65,96,127,129,131} c=64 turn,b,int={1 5 1, 0 6 0}
  ci     m={1,3,12} k={32,64,2080,1056,736,768,800} int={1,0} turn=1 r=9 c={k} b=3
  ci     m={1,3,12} k={33,65,2081,1057,737,769,801} int={1,0} turn=0 r={k} c=32 b=8
  ci     m={1,16} turn=0 r=33 c={224,256,288} b=2
  # QM09, QM12, B04: layouts and batches
  ci     l={@layouts} m={2,19} r=64 c=64 b={4,5}
  from   turn,r,c={1 6 64, 0 64 96} xl=row xx=int-3
  smoke  x={64,2x64,3x2x64,3x1x64,2x1x9x64,0x2x64}
  ci     x={64,2x64,3x2x64,3x1x64,2x1x9x64,0x2x64} at=1x
  ci     x,at={64 2x, 2x64 2x, 3x2x64 3x, 3x1x64 3x, 2x1x9x64 2x}
  ci     x={3x9x64,3x2x64} at=3x l=broadcast
  ci     x,at={2x1x2x64 3x, 2x1x17x64 1x3x}
  smoke  x=2x3x2x64 at=2x3x
  from   turn={1,0} xl={l} xx={int?'int-3':'uniform'}
  # values that a narrow sum or an early rounding loses
  ci     xx={cancel,wide,const-1,pow2-4,special,tiny,huge,subnormal,lanes-513} m={1,11} g=64 int=0 turn,r,c={1 64 512, 0
         512 64}
  # scales and biases that are not finite, weights beyond the largest float, and features that are 0 there; short sums,
  # so
  # that not every one is NaN
  ci     sx={special-40,order,const-3e38} zx={sx} xx=int-1 t={@floats} m,b={1 1, 11 4, 60 4} turn,r,c={1 64 32, 0 2 32}
  # sums that a 16-bit accumulator would lose: all weights are 1
  ci     t={f16,bf16} m={1,12} xx=const-1 wx=const-286331153 sx=const-1 zx=const-0 turn,r,c={1 32 4096, 0 4096 32}

  ci     t={@floats} s={@floats} z={@floats} m={1,10} turn=1 r=5 c=64 b=6 int=0
  smoke  t={bool,@integers} s={@floats} m=2 turn=1 r=3 c=32 b=2
  smoke  s=[i16,f32] z=[f32,u8] m=2 turn=1 r=3 c=32 b=2   # scales or biases of whole numbers
  # the modes that fix the group and the width
  smoke  {t}.{x}.row.uniform+u32.5x{64*b/32}.row.bits+u8.5x{64/g}.row.int-9/transpose={turn?'-':'false'},mode={mode}
         mode,g,b={mxfp4 32 4, mxfp8 32 8, nvfp4 16 4} t={@floats} m={1,4} x={m}x{turn?64:5}
  # nothing to add, and large ones
  smoke  m,r,c={0 32 32, 2 0 32}
  smoke  m=2 turn,r,c={1 32 0, 0 32 0}
  nightly m={1,4,128} int=0 g=64 r=1024 c=1024
  nightly m={1,4,128} int=0 g=128 b=3 t=f16 turn,r,c={1 512 2048, 0 2048 512}
  # QM06, QM07: rows and columns around tiles, fewer than 8 rows of weights, groups of 16 that end in half a unit of 32
  # codes, scales over their range
  call   {t}.{x}.{xl}.{xx}+u32.{at}{r}x{c*b/32}.{l}.bits+u8.{at}{r}x{c/g}.{l}.{sx}/{how}
  from   how=transpose={turn?'-':'false'},mode={mode} t=f32 at= l=row xl={l} xx=uniform sx=index-{top} top=[60,180,250]
         turn=1 x={m}x{turn?c:r}
  from   mode,g,b={mxfp4 32 4, mxfp8 32 8, nvfp4 16 4}
  smoke  mode=nvfp4 g=16 b=4 m=[1,9] c={16,48,80} r=[7,3]
  ci     m={1,2,5,9,33} turn,r,c={1 5 96, 1 7 64, 1 33 544, 0 33 96, 0 5 256, 0 131 32}
  ci     m={1,17} mode=nvfp4 g=16 b=4 turn,r,c={1 6 16, 1 33 528, 0 33 16, 0 9 48, 0 65 144}
  ci     l={@layouts} m={2,19} turn=[1,0] r=64 c=64
  ci     x=2x1x3x64 at=3x r=6 c=64 l={row,broadcast}
)";

const char* const kProductRejects = R"(
  shape  x=f32.2x128.row.uniform            # inner sizes differ
  shape  x=f32.3x2x64.row.uniform w=u32.2x3x8.row.bits s=f32.2x3x1.row.uniform  # batches do not broadcast
  dtype  s=f64.3x1.row.uniform z=f32.3x1.row.uniform  # f64 scales
  dtype  x=i32.2x64.row.uniform s=u8.3x2.row.bits z= p=mode=mxfp4  # integer x with a result of its own dtype
)";

const char* const kProductBench = R"(
  call   {t}.{m}x{k}.row.uniform+u32.{r}x{c*b/32}.row.bits+{t}.{r}x{c/64}.row.uniform+{t}.{r}x{c/64}.row.uniform/{how}
  from   how=transpose={turn?'-':'false'},bits={b==4?'-':b} turn=1 t=f32 b=4 r={n} c={n} k={n} n=4096
  ci     m={1,4,16,128}
  ci     m={128,512} n=1024
  ci     m={1,128} n=1024 b=8
  ci     m={1,128} turn=0
  ci     m={1,128} t=f16
  ci     m=128 t=bf16
  nightly m=1 r=16384 c=8192 k=8192              # larger than the caches
)";

}  // namespace plumb::quant
