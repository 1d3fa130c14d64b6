// Cases of the coordinate rows: what has gone wrong in tables of coordinates elsewhere, on every shape of input.
#include "reference/sparse/sites/coordinates.h"

namespace plumb::coordinates {
namespace {

// {one} set of coordinates, {two} for rows that take a second one, and the count of {all} rows of the first.
constexpr const char* kInputs = R"(
  from   one={c}.{n}x4.{l}.{x} two={c}.{m}x4.{l}.{y} all=i32.1.row.const-{n}
  from   c=i32 m={n/2+3} y={x} l=row if=1
)";

constexpr const char* kKinds = R"(
  smoke  n=40 x=sites_negative
  smoke  n=30 x=sites_batches-3
  smoke  n=33 x=sites_duplicates c=i64
  smoke  n=9 x=const--1 m=2
  smoke  n=0 x=sites_box m=3
  # what has gone wrong in tables of coordinates elsewhere
  ci     n=257 x={sites_box,sites_batches,sites_batches-3,sites_line,sites_plane,sites_surface-1,sites_isolated,
         sites_isolated-7,sites_duplicates,sites_duplicates-400,sites_negative-1,sites_extremes,bits,sites_colliding}
  ci     n={65,400} c=i64
         x={sites_negative-2,sites_extremes,sites_isolated-1099511627776,sites_duplicates,bits,sites_colliding}
  # const--1 has the bits of an empty slot, the others those of the ends of int32
  ci     n,c={1 i32, 50 i32, 5 i64} x={const--1,const-0,const-2147483647,const--2147483648}
  # about a vector, about the runs of a scan (2048) and of a thread (4096), and about a table's powers of two
  ci     n={0,1,2,3,7,8,9,15,17,63,64,65,127,128,255,256,257,1023,1024,1025,2047,2048,2049}
         x={sites_block,sites_duplicates-3}
  ci     n=20 x=sites_line m={0,1,2,512,513} y=sites_line-5
  ci     n=50 x=sites_negative l={@layouts}
  ci     n=50 x=sites_duplicates c=i64 l={transposed,padded}
  ci     n=300 x=sites_colliding c={i32,i64} m=300 y=sites_colliding-200
  ci     n=1331 x=sites_negative        # a full box: every site has its own key
  ci     n=2662 x=sites_negative-1 m=1331
  ci     n=30000 x=sites_duplicates-2 m=9000
  ci     n=20000 x={const--1,sites_duplicates-400}   # many for one slot
  ci     n=8193 x=sites_box-2 c=i64 m=4097
  nightly n=200000 x=sites_surface-1
)";

constexpr const char* kSingleBench = R"(
  ci     i32.{n}x4.row.{x}/- n,x={100000 sites_surface, 100000 sites_surface-1, 200000 sites_duplicates-4}
)";

constexpr const char* kDownsampleCases = R"(
  ci     n,x,c={1331 sites_negative i32, 300 sites_extremes {i32,i64}, 300 bits {i32,i64}}
         s={2:,3:,2:3:1,1:,4:1:7,64:,2147483647:}
)";

constexpr const char* kDownsampleRejects = R"(
  attribute s={0:1:1,1:1:-2,2:2,:,1:2147483648:1}  # a stride that is not one or three positive int32
)";

constexpr const char* kDownsampleBench = R"(
  ci     i32.{n}x4.row.{x}/stride={s} n,x,s={100000 sites_surface -, 200000 sites_surface-1 -, 100000 sites_surface-1
         3:3:3}
)";

constexpr const char* kPairBench = R"(
  ci     i32.100000x4.row.{x}+i32.{m}x4.row.{x}/- x,m={sites_surface 100000, sites_surface-1 200000}
)";

constexpr const char* kOccupancyDownsampleCases = R"(
  # counts that are all, none and most
  ci     n={1,65,300,2049} x=sites_negative-1 all=i32.1.row.const-{a} a={{n},0,{n-n/8}}
)";

constexpr const char* kOccupancyDownsampleBench = R"(
  ci     i32.{n}x4.row.{x}+i32.1.row.const-{n}/- n,x={100000 sites_surface, 200000 sites_surface-1}
)";

constexpr const char* kOccupancyExpandCases = R"(
  # counts that are all, none and most
  ci     n={1,65,300,2049} x=sites_negative-1 all=i32.1.row.const-{a} a={{n},0,{n-n/8}}
         bits={const-255,const-0,const-256,bits}
)";

constexpr const char* kOccupancyExpandBench = R"(
  ci     i32.{n}x4.row.sites_surface+i32.1.row.const-{n}+i32.{n}.row.int-255/- n={25000,100000}
)";

constexpr const char* kChildBench = R"(
  ci     i32.{n}x4.row.{x}+i32.{n}.row.int-7/- n,x={100000 sites_surface, 200000 sites_box}
)";

constexpr const char* kAlignmentCases = R"(
  ci     i32.65x4.row.{d}+i32.1.row.const-{a}+i32.40x4.row.sites_duplicates-2+i32.1.row.const-{b}/join={j}
         j={join} d=sites_duplicates-3 a={65,0,57} b={40,0,35} if=1
)";

constexpr const char* kAlignmentRejects = R"(
  attribute join=cross            # an unknown join
)";

constexpr const char* kAlignmentBench = R"(
  call   i32.{n}x4.row.{x}+i32.1.row.const-{n}+i32.{m}x4.row.sites_surface-1+i32.1.row.const-{m}/join={join}
  from   m=100000
  ci     n,x,join={100000 sites_surface-1 inner, 100000 sites_surface-1 outer, 200000 sites_surface left}
)";

}  // namespace

Cases single_cases() { return {"call {one}/-", kInputs, kKinds}; }
Cases single_bench() { return kSingleBench; }

Cases downsample_cases() { return {"call {one}/stride={s}", kInputs, "from s=2:", kKinds, kDownsampleCases}; }
Rejects downsample_rejects() { return {"call {a}/stride={s}", "from a=i32.5x4.row.sites_box s=-", kDownsampleRejects}; }
Cases downsample_bench() { return kDownsampleBench; }

Cases pair_cases() { return {"call {one}+{two}/-", kInputs, kKinds}; }
Cases pair_bench() { return kPairBench; }

Cases occupancy_downsample_cases() { return {"call {one}+{all}/-", kInputs, kKinds, kOccupancyDownsampleCases}; }
Cases occupancy_downsample_bench() { return kOccupancyDownsampleBench; }

Cases occupancy_expand_cases() {
  return {"call {one}+{all}+i32.{n}.{l}.{bits}/-", kInputs, "from bits=int-255", kKinds, kOccupancyExpandCases};
}
Cases occupancy_expand_bench() { return kOccupancyExpandBench; }

Cases child_cases() { return {"call {one}+i32.{n}.{l}.int-20/-", kInputs, kKinds}; }
Cases child_bench() { return kChildBench; }

Cases alignment_cases() {
  return {
      "call {one}+{all}+{two}+i32.1.row.const-{m}/join={join}", kInputs,
      "from join={inner,left,right,outer} one_sided={join=='left'||join=='right'} if={c=='i32'&&(n<=500||!one_sided)}",
      kKinds, kAlignmentCases};
}
Rejects alignment_rejects() {
  return {"call {a}+{n}+{b}+{m}/join={join}",
          "from a=i32.5x4.row.sites_box n=i32.1.row.const-5 b=i32.5x4.row.sites_box m=i32.1.row.const-5 join=-",
          kAlignmentRejects};
}
Cases alignment_bench() { return kAlignmentBench; }

}  // namespace plumb::coordinates
