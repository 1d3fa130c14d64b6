// Sparse rows: the inputs worth trying, the calls to refuse, the sizes worth timing.
#include "reference/sparse/rows/sparse_rows.h"

namespace plumb::rows {
namespace {

// {coords}, their {active} rows and the features {x_in}.
constexpr const char* kInputs = R"(
  from   coords={c}.{n}x4.{l}.{sites} active=i32.1.row.const-{a} x_in={t}.{n}x{ch}.{l}.{x}
  from   n=60 a=55 ch=5 sites=sites_negative x=order t=f32 c=i32 l=row
)";

constexpr const char* kLarge = R"(
  from   n=150000 a={n} sites=sites_surface-1 x=uniform
)";

constexpr const char* kCollated = R"(
  call   {p}+{q}+{r}+{s}/-
  from   p={n=='-'?n:p_in} q={m=='-'?m:q_in} r={o=='-'?o:r_in} s={u=='-'?u:s_in}
  from   p_in={c}.{n}x3.{l}.order+{t}.{n}x{ch}.{l}.order q_in={c}.{m}x3.{l}.order+{t}.{m}x{ch}.{l}.order
  from   r_in={c}.{o}x3.{l}.order+{t}.{o}x{ch}.{l}.order s_in={c}.{u}x3.{l}.order+{t}.{u}x{ch}.{l}.order
  from   t={f32,f16} c={i32,i64} ch=3 l=row
)";

constexpr const char* kMergeCases = R"(
  call   {coords}+{x_in}+{a<0?none:active}/duplicate_reduction={how}
  from   none=- how=mean both={f32,f16} widths={i32,i64}
  smoke  sites=sites_duplicates-3 x=special-40 t={both} c={widths} how={none,mean}
  smoke  n=30 a=-1 sites=sites_duplicates x=uniform t={both} c={widths}
  ci     n=300 a=291 ch=7 t={both} c={widths} x={uniform,int-9,cancel,wide,tiny,huge,subnormal,lanes}
         sites={sites_duplicates,sites_duplicates-3,sites_duplicates-500,sites_negative-1,sites_batches-3,
         sites_extremes,
         sites_block}
  # rows and channels around vectors, blocks and scans
  ci     n={0,1,2,63,64,65,257,1025,2049,4097} a={{n},0,{n/2},-1} ch=3 sites=sites_duplicates x=int-3
  ci     ch={0,1,2,7,8,9,15,16,17,31,33,64,65} sites=sites_duplicates x=uniform t={both}
  ci     sites=sites_duplicates x=uniform t={both} l={@layouts}
  ci     n=5000 a=5000 ch=2 sites=sites_duplicates-5000 x=const-16 t=f16
)";

constexpr const char* kMergeRejects = R"(
  call   {coords}+{x}+i32.1.row.const-8/duplicate_reduction={how}
  from   coords=i32.8x4.row.sites_negative x={t}.{xs}.row.order t=f32 xs=8x5 how=mean
  attribute how=sum                         # an unknown reduction
)";

constexpr const char* kMergeBench = R"(
  call   {coords}+{x_in}+{active}/duplicate_reduction=mean
  ci     ch,t,sites={32 f32 sites_surface-1, 32 f32 sites_duplicates-4, 64 f16 sites_duplicates}
)";

constexpr const char* kCollateCases = R"(
  smoke  n,m,o,u={5 - - -, 4 7 - -, 3 0 2 -, 0 0 - -, 6 1 0 9, 0 - - -}
  ci     n=65 m=64 o=130 u=- ch={0,1,2,16,33}
  ci     n=5000 m=4097 o=- u=-
  ci     n=5 m=9 o=4 u=- l={@layouts}
)";

constexpr const char* kCollateRejects = R"(
  call   i32.4x3.row.order+f32.4x3.row.order+{gap}+{coords}+{x}/-
  from   gap=- coords=i32.5x3.row.order x=f32.5x3.row.order
  arity  gap=none+none           # a gap
)";

constexpr const char* kCollateBench = R"(
  ci     n=50000 m=40000 o=60000 u=- ch=32 t=f32 c=i32
  ci     n=75000 m=75000 o=- u=- ch=64 t=f16 c=i32
)";

constexpr const char* kPruneCases = R"(
  call   {coords}+{active}+{x_in}+i32.{m}.{l}.{picks}/-
  from   both={f32,f16} widths={i32,i64}
  smoke  t={both} c={widths} m,picks={55 ramp, 40 ramp-7, 0 ramp}
  ci     n=130 a=101 ch={0,1,3,8,33} t={both} c={widths} m=300 picks=positive
  ci     n=130 a=101 x=subnormal t={both} c={widths} m=300 picks=ramp-101
  ci     n={1,2,64,257} a={n} m={n} picks=ramp
  ci     n,a={9 0, 9 5, 0 0} m=0 picks=ramp
  ci     n=5000 a=5000 ch=3 m=9000 picks=ramp-4999
  ci     t={both} l={@layouts} m=40 picks=ramp-50
)";

constexpr const char* kPruneRejects = R"(
  call   {coords}+i32.1.row.const-6+{x}+{picks}/-
  from   coords=i32.8x4.row.sites_negative x=f32.8x5.row.order picks=i32.4.row.ramp
  domain picks=i32.4.row.const-6            # an inactive row
  domain picks=i32.4.row.const--1           # a negative row
)";

constexpr const char* kPruneBench = R"(
  call   {coords}+{active}+{x_in}+i32.100000.row.{picks}/-
  ci     ch,t,picks={32 f32 ramp, 64 f16 ramp-77777}
)";

constexpr const char* kMaskCases = R"(
  call   {coords}+{active}+{x_in}+bool.{n}.{l}.{mask}/-
  from   both={f32,f16} widths={i32,i64}
  smoke  a=60 t={both} c={widths} mask={int-1,const-0,const-1,ramp-3}
  ci     n=300 a=300 ch=17 t={both} c={widths} mask={int-1,const-0,const-1,ramp-3}
  ci     n={0,1,2,63,64,65,255,2047,2048,2049,4096,4097,9000} a={n} ch=2 x=int-3 mask=int-1
  ci     n={33,65,2049,4097} a={n-1} ch=2 x=int-3 mask=ramp-{n-1}   # the one inactive row is not kept
  ci     n=70 a=0 mask=const-0
  ci     a=60 ch={0,1,31,64} mask=int-1
  ci     a=60 t={both} l={@layouts} mask=int-1
)";

constexpr const char* kMaskRejects = R"(
  call   {coords}+i32.1.row.const-6+f32.8x5.row.order+{mask}/-
  from   coords=i32.8x4.row.sites_negative mask=bool.8.row.const-0
  domain mask=bool.8.row.const-1            # a mask over inactive rows
)";

constexpr const char* kMaskBench = R"(
  call   {coords}+{active}+{x_in}+bool.{n}.row.{mask}/-
  ci     ch,t,mask={32 f32 int-1, 64 f16 ramp-8}
)";

constexpr const char* kCropCases = R"(
  call   {coords}+{active}+{x_in}/min_coord={low},max_coord={high}
  from   both={f32,f16} widths={i32,i64}
  from   low,high={-2:-5:0 3:5:4, 0:0:0 0:0:0, -5:-5:-5 5:5:5, -9:1:-3 -1:1:9, 6:-5:-5 9:5:5, -5:-5:-5 -5:5:5}
  smoke  t={both} c={widths}
  ci     t={both} c={widths} n=1400 a=1390 ch=2 sites=sites_negative-1
  # borders at the ends of both integer types
  ci     c={widths} n=343 sites=sites_extremes a,low,high={340 -2147483648:-1:0 2147483647:2147483647:1,
         343 -9223372036854775808:-9223372036854775808:0 9223372036854775807:9223372036854775807:9223372036854775807,
         343 2147483647:-2147483647:-2147483648 2147483647:2147483646:2147483646}
  ci     n={0,1,64,65,2048,2049,4097,9000} a={{n},{n/2},0} ch=3 sites=sites_block x=int-3 low=-3:-9:-1 high=4:0:9
  ci     t={both} l={@layouts} low=-2:-5:0 high=3:5:4
)";

constexpr const char* kCropRejects = R"(
  call   {coords}+i32.1.row.const-6+f32.8x5.row.order/min_coord={low},max_coord={high}
  from   coords=i32.8x4.row.sites_negative low=0:0:0 high=1:1:1
  attribute low=0:2:0                       # an empty axis
  attribute high=1:1                        # two coordinates
)";

constexpr const char* kCropBench = R"(
  call   {coords}+{active}+{x_in}/min_coord={low},max_coord={high}
  ci     ch,t,low,high={32 f32 -1000:0:-1000 1000:1000:1000, 64 f16 -20:-20:-1000 20:20:1000}
)";

constexpr const char* kTopkCases = R"(
  call   {t}.{n}x{ch}.{l}.{x}+i32.{b}.{v}.{counts}+i32.{b}.{v}.{sizes}/rho={rho}
  from   t={f32,f16} ch=3 x=order l=row v={l=='broadcast'?'row':l} rho=1.0
  from   values={order,int-3,uniform,const-2,subnormal,huge,lanes}
  smoke  n=60 b=3 sizes=const-20 counts=const-7 rho={1.0,0.5,2.5,1e300} x={values} ch=2
  ci     n=45 b=10 sizes=ramp counts=positive rho=0.3 x={values}    # batches of 0, 1, .. 9 rows
  ci     n=241 b=34 sizes=ramp-16 counts=const-4 x={values}
  ci     n=3000 b=300 sizes=const-10 counts=const-3 x={values}
  ci     n=5000 b=1 sizes=const-5000 counts=const-700 x={values}
  ci     n=2200 b=2 sizes=const-1100 counts=const-1099 x={values}
  smoke  n=2 b=1 sizes=const-2 counts=const-100 x=int-9 ch=1
  ci     n={0,1,2,255,256,257,2047,2048,2049} b=1 sizes=const-{n} counts=const-100 x=int-9 ch=1
  ci     n=45 b=10 sizes=ramp counts=ramp ch=4 l={@layouts}
  ci     t=f32 n=0 b=0 sizes=const-0 counts=const-0
  ci     t=f32 n=0 b=3 sizes=const-0 counts=const-5
  ci     t=f32 n=10 b=1 sizes=const-10 counts=const-0
  ci     t=f32 n=10 b=1 sizes=const-10 counts=const-3 rho=0.99     # floor(2.97)
)";

constexpr const char* kTopkRejects = R"(
  call   {x}+{counts}+{sizes}/rho={rho}
  from   x=f32.12x3.row.order counts=i32.2.row.const-3 sizes=i32.2.row.const-6 rho=1.0
  attribute rho=0.0               # rho of 0
  attribute rho=-1.0              # a negative rho
  domain sizes=i32.2.row.const-5  # batches that miss rows
  domain sizes=i32.2.row.const-7  # batches of more rows than there are
  shape  x=f32.12x0.row.order     # no channel to rank by
)";

constexpr const char* kTopkBench = R"(
  ci     f32.150000x1.row.uniform+i32.1.row.const-50000+i32.1.row.const-150000/rho=1.0
  ci     f16.160000x4.row.uniform+i32.8.row.const-5000+i32.8.row.const-20000/rho=1.0
)";

}  // namespace

Cases merge_cases() { return {kInputs, kMergeCases}; }
Rejects merge_rejects() { return kMergeRejects; }
Cases merge_bench() { return {kInputs, kLarge, kMergeBench}; }

Cases collate_cases() { return {kCollated, kCollateCases}; }
Rejects collate_rejects() { return kCollateRejects; }
Cases collate_bench() { return {kCollated, kCollateBench}; }

Cases prune_cases() { return {kInputs, kPruneCases}; }
Rejects prune_rejects() { return kPruneRejects; }
Cases prune_bench() { return {kInputs, kLarge, kPruneBench}; }

Cases mask_cases() { return {kInputs, kMaskCases}; }
Rejects mask_rejects() { return kMaskRejects; }
Cases mask_bench() { return {kInputs, kLarge, kMaskBench}; }

Cases crop_cases() { return {kInputs, kCropCases}; }
Rejects crop_rejects() { return kCropRejects; }
Cases crop_bench() { return {kInputs, kLarge, kCropBench}; }

Cases topk_cases() { return {kTopkCases}; }
Rejects topk_rejects() { return kTopkRejects; }
Cases topk_bench() { return {kTopkBench}; }

}  // namespace plumb::rows
