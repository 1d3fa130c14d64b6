// Cases, rejects and benchmark sizes of the voxel rows.
#include "reference/sparse/points/voxel.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "core/fill.h"
#include "core/fill_values.h"

namespace plumb::reference {
namespace {

constexpr const char* kPointInputs = R"(
  from   points=f32.{n}x3.{l}.{p}+i32.{n}.{v}.{batch}+i32.1.row.const-{a} v={l=='broadcast'?'row':l}
  from   voxels=i32.{w}x4.{v}.{sites}+i32.1.row.const-{b} x_in=f32.{n}x{ch}.{l}.{x} y_in=f32.{g}x{ch}.{l}.{x}
         z_in=f32.{w}x{ch}.{l}.{x}
  from   n=60 a=55 ch=3 w=300 b=290 p=uniform-3 batch=const-0 sites=sites_negative x=uniform size=1.0: origin=0.0: l=row
         g={n}
)";

constexpr const char* kPointCases = R"(
  smoke  p={uniform-3,borders-0.5,int-3} x=int-3 size=0.5:
  smoke  p={special,lanes,huge,subnormal,tiny} batch=int-1
  smoke  p=uniform-2 size=0.75:1.0:1.5 origin=0.1:-0.2:0.0
  # on the borders of voxels and one unit in the last place to either side; on the grid; halfway
  ci     n=300 a=300 sites=sites_block origin={0.0:-0.0:0.0,0.2:-0.2:0.0} side,p={0.1 borders-0.100000, 0.05
         borders-0.050000,
         0.3 borders-0.300000, 0.7 borders-0.700000, 1.0 borders-1.000000, 3.0 borders-3.000000} size={side}:
  ci     n=300 a=300 p=borders-0.5 sites=sites_block
  ci     n=300 a=300 w=1331 b=1331 p=int-5 batch=int-1 x=int-3
  # rows and channels around vectors, blocks and scans
  ci     n={0,1,2,7,8,63,64,65,255,257,2047,2049,4095,4097} a={n} w={n} b={n} sites=sites_block x=int-3
  ci     a=0
  ci     a=1 b=1
  ci     b=0
  ci     w=0 b=0
  ci     n=40 a=40 ch={0,1,2,4,7,8,9,16,31,33,64,67} w=27 b=27 p=int-1 sites=sites_block
  ci     n=200 a=199 batch=int-2 x=int-3
         sites={sites_batches-3,sites_duplicates,sites_extremes,sites_line,sites_isolated-2}
  ci     n=500 a=500 p=const-0.25 batch=const--7   # one voxel
  ci     n=500 a=500 p=const-0.25 batch=ramp       # one voxel in each batch
)";

constexpr const char* kPointValues = R"(
  # values of features, of points and of extents
  ci     n=200 a=190 p=uniform-2 x={special,wide,cancel,const-1,int-9}
  ci     n=300 a=300 p={special-2,wide-40,bits,borders-1e30} sites=sites_extremes
  ci     n=300 a=300 p=pow2-40 sites=sites_extremes size=0.001:
  ci     n=200 a=200 p=special-2 size=1e-40:       # beneath the normal numbers
  ci     n=200 a=200 size=3e+38:
  ci     p=borders-0.5 batch=int-1 x=int-3 l={@layouts}
  nightly n=20000 a=19990 ch=17 w=20000 b=20000 p=shell-30 sites=sites_box
)";

constexpr const char* kPointRejects = R"(
  from   p=f32.8x3.row.uniform-3 batch=i32.8.row.const-0 count=i32.1.row.const-8 size=1.0: origin=0.0: word=-
  from   voxels=i32.9x4.row.sites_negative x={t}.{xs}.row.uniform y=f32.{ys}.row.uniform z={t}.{zs}.row.uniform
  from   t=f32 xs=8x3 ys=8x3 zs=9x3
  attribute size=0.0:                # voxels without extent
  attribute size=1.0:1.0:-1.0        # a negative extent
  attribute size=1e-60:              # 0 as float32
  attribute size=1.0:1.0             # two extents for three axes
  attribute origin=0.0:1e39:0.0      # infinite as float32
)";

constexpr const char* kMapRejects = R"(
  attribute word=interpolation=cubic # an unknown interpolation
)";
constexpr const char* kFeatureRejects = R"(
  attribute word=reduction=max       # an unknown reduction
)";
constexpr const char* kCotangentRejects = R"(
  shape  ys=9x3                      # more cotangents than points
)";
constexpr const char* kCornerCases = R"(
  from   weights=uniform x=uniform l=row ch=3
  smoke  n=33 w=20 ch=5 rows=int-22 weights={int-3,uniform,special} x={weights}
  smoke  n=40 w=9 ch=67 rows=const-7         # one voxel
  ci     n={0,1,2,7,63,64,65,257,513,4097} w=50 rows=int-60 weights=int-3 x=int-3
  ci     n=40 w={0,1,2,255,257,4097} rows=int-300
  ci     n=40 w=20 ch={0,1,2,4,7,8,9,16,31,33,64,67} rows=int-20 weights=positive
  ci     n=130 w=30 ch=9 rows=int-31 x={special,wide,cancel,const-1,int-9}
  ci     n=130 w=30 ch=9 rows=int-31 weights={special,wide,const-0.125} x=int-3
  ci     n=300 w=30 ch=9 rows={const-7,const--1,bits}
  ci     n=40 w=30 ch=6 rows=int-31 weights=int-3 x=int-3 l={@layouts}
  nightly n=20000 w=9000 ch=33 rows=int-9000
)";

constexpr const char* kCornerBench = R"(
  ci     n=200000 w=100000 ch={4,64} rows=int-100000 weights=positive x=uniform l=row
)";

constexpr const char* kPointBench = "ci n=200000 p=shell-90\nnightly n=1000000 p=shell-90";
constexpr const char* kFeatureBench = "ci n=200000 ch={4,64} p=shell-90\nnightly n=1000000 p=shell-90";
constexpr const char* kMapBench = "ci n=200000 p=shell-108\nnightly n=1000000 p=shell-108";
constexpr const char* kVoxelBench = "ci n=200000 ch={4,64} p=shell-108\nnightly n=1000000 p=shell-108";

// A row that reads points: what follows them, and what of its cases is its own.
struct PointRow {
  std::string_view op;
  const char *inputs, *refused, *word, *more, *bench;
  std::vector<const char*> rejects;
};

const PointRow kPointRows[] = {
    {"sparse_quantize", "", "", "", "", kPointBench, {}},
    {"voxelize", "+{x_in}", "+{x}", "reduction={sum,mean}", "", kFeatureBench, {kFeatureRejects}},
    {"voxelize_vjp",
     "+{x_in}+{y_in}",
     "+{x}+{y}",
     "reduction={sum,mean}",
     "ci p=int-1 g=5",
     kFeatureBench,
     {kFeatureRejects, kCotangentRejects}},
    {"point_voxel_map",
     "+{voxels}",
     "+{voxels}+i32.1.row.const-9",
     "interpolation={nearest,linear}",
     "",
     kMapBench,
     {kMapRejects}},
    {"devoxelize",
     "+{voxels}+{z_in}",
     "+{voxels}+i32.1.row.const-9+{z}",
     "interpolation={nearest,linear}",
     "",
     kVoxelBench,
     {kMapRejects}},
};

void fill_in(Op& op, const PointRow& row) {
  const std::string call = "call {points}" + std::string(row.inputs) + "/voxel_size={size},origin={origin},{word}";
  op.cases = {call, kPointInputs, "from word=" + std::string(row.word), kPointCases, row.more, kPointValues};
  std::string rejects;
  for (const char* lines : row.rejects) rejects += lines;
  op.rejects = {"call {p}+{batch}+{count}" + std::string(row.refused) + "/voxel_size={size},origin={origin},{word}",
                kPointRejects, rejects};
  op.bench = {call, kPointInputs, "from word= a={n} w=200000 b={w} sites=sites_surface ch=4", row.bench};
}

void fill_in_corners(Op& op, bool cotangent) {
  const std::string call = std::string("call f32.{w}x{ch}.{l}.{x}+i32.{n}x8.{l}.{rows}+f32.{n}x8.{l}.{weights}") +
                           (cotangent ? "+f32.{n}x{ch}.{l}.{x}/-" : "/-");
  op.cases = {call, kCornerCases};
  op.bench = {call, kCornerBench};
}

// Multiples of p in float32, one third each: the multiple, the next number above, the next below.
Wide borders(const Spec& spec, std::uint64_t key, double p) {
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    const float on = (static_cast<float>(d % 17) - 8) * static_cast<float>(p);
    constexpr float kFar = std::numeric_limits<float>::max();
    const float way = (d >> 8) % 3 == 0 ? on : (d >> 8) % 3 == 1 ? kFar : -kFar;
    return static_cast<double>(std::nextafter(on, way));
  });
}

// Points (x, y, z) within 2% of a sphere of radius p, in no order.
Wide shell(const Spec& spec, std::uint64_t key, double p) {
  const std::int64_t axes = spec.shape.empty() ? 1 : spec.shape.back();
  return real_fill(spec, [&](std::int64_t i) {
    const auto point = static_cast<std::uint64_t>(i / std::max<std::int64_t>(1, axes));
    const double z = 2 * unit(key, 3 * point) - 1, turn = 2 * std::numbers::pi * unit(key, 3 * point + 1);
    const double radius = p * (1 + 0.04 * (unit(key, 3 * point + 2) - 0.5)), flat = std::sqrt(1 - z * z);
    return radius * (i % axes == 0 ? flat * std::cos(turn) : i % axes == 1 ? flat * std::sin(turn) : z);
  });
}

std::vector<Fill> point_fills() {
  return {
      // clang-format off
      {"borders",          "multiples of p in float32, and one ulp to either side", 1, {-3e38, 3e38}, borders},
      {"shell",            "points (x,y,z) near a sphere of radius p", 100, {0, 1e30}, shell},
      // clang-format on
  };
}

}  // namespace

void add_voxel_cases(Op& op) {
  for (const PointRow& row : kPointRows)
    if (op.name == row.op) fill_in(op, row);
  if (op.name == kPointRows[0].op) op.fills = point_fills;
  if (op.name.starts_with("interpolate_")) fill_in_corners(op, op.name.ends_with("_vjp"));
}

}  // namespace plumb::reference
