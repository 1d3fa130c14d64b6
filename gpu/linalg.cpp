// OpenCL routes of the dense products.
#include <algorithm>
#include <string>

#include "gpu/runtime.h"

namespace plumb {
namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

bool unit(std::int64_t extent, std::int64_t stride) { return extent <= 1 || stride == 1; }

// One operand on the device as batches of matrices: a vector is a matrix of one row or one column.
struct Operand {
  gpu::BufferPtr data;
  std::int64_t rows, columns, row, column, offset;  // strides and offset in elements
  Shape batch;
  Strides step;

  Operand(const Tensor& t, bool left, bool row_major) : Operand(t, geometry(t, left)) {
    const bool direct = row_major ? unit(columns, column) : unit(columns, column) || unit(rows, row);
    if (direct && row >= 0 && column >= 0) return;
    *this = Operand(t, dense_geometry(t, left));
    data = gpu::dense(t);
  }

 private:
  struct Geometry {
    Shape shape;
    Strides strides;
    std::int64_t offset;
  };
  Operand(const Tensor& t, const Geometry& g)
      : rows(g.shape[g.shape.size() - 2]), columns(g.shape.back()), row(g.strides[g.strides.size() - 2]),
        column(g.strides.back()), offset(g.offset), batch(g.shape.begin(), g.shape.end() - 2),
        step(g.strides.begin(), g.strides.end() - 2) {
    if (columns <= 1) column = 1;  // the stride of a unit axis is anything
    if (rows <= 1) row = columns;
    data = gpu::input(t);
  }
  static Geometry geometry(const Tensor& t, bool left) {
    return matrix({t.shape(), t.strides(), gpu::element_offset(t)}, left);
  }
  static Geometry dense_geometry(const Tensor& t, bool left) { return matrix({t.shape(), row_major(t.shape()), 0}, left); }
  static Geometry matrix(Geometry g, bool left) {
    if (g.shape.size() > 1) return g;
    g.shape.insert(left ? g.shape.begin() : g.shape.end(), 1);
    g.strides.insert(left ? g.strides.begin() : g.strides.end(), 1);
    return g;
  }
};

struct Product {
  Operand a, b;
  std::int64_t m, n, k, matrices;
  std::vector<std::int64_t> offsets;  // of a and b for every matrix of the batch
  Dtype dtype;

  Product(const Call& call, bool row_major)
      : a(call[0], true, row_major), b(call[1], false, row_major), m(a.rows), n(b.columns), k(a.columns),
        dtype(call.dtype(0)) {
    const Shape batch = broadcast("matmul", a.batch, b.batch);
    matrices = count(batch);
    for (std::int64_t t = 0; t < matrices; ++t) {
      offsets.push_back(a.offset + step_to(t, batch, a));
      offsets.push_back(b.offset + step_to(t, batch, b));
    }
  }

 private:
  static std::int64_t step_to(std::int64_t t, const Shape& batch, const Operand& x) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < batch.size(); ++d) {
      const std::int64_t extent = batch[batch.size() - 1 - d], i = t % extent;
      t /= extent;
      if (d < x.batch.size() && x.batch[x.batch.size() - 1 - d] != 1) offset += i * x.step[x.step.size() - 1 - d];
    }
    return offset;
  }
};

constexpr std::int64_t kSide = 16;       // as in kernels/linalg.cl
constexpr std::int64_t kEnough = 100;    // work-groups that occupy a large device
constexpr std::int64_t kBatches = 32768;  // matrices per launch: the third axis of a grid is short

// The largest register block that still gives every compute unit something to do.
std::int64_t registers_of(const Product& p) {
  const bool wide = p.dtype == Dtype::f64 || p.dtype == Dtype::c64;
  for (std::int64_t r = wide ? 4 : 8; r > 2; r /= 2)
    if (divide_up(p.m, kSide * r) * divide_up(p.n, kSide * r) * p.matrices >= kEnough) return r;
  return 2;
}

bool fours(const Product& p) {
  if (p.dtype != Dtype::f32 && p.dtype != Dtype::f64) return false;
  std::int64_t all = p.a.row | p.b.row | p.k | p.n;
  for (const std::int64_t o : p.offsets) all |= o;
  return all % 4 == 0 && p.a.column == 1 && p.b.column == 1;
}

Job tiled(const Call& call, const std::vector<Spec>& specs) {
  auto out = gpu::outputs(specs);
  if (out[0].size() == 0) return gpu::job(out, [] {});
  const Product p(call, false);
  const gpu::BufferPtr c = gpu::output(out[0]);
  if (p.k == 0) return gpu::job(out, [c] { gpu::fill_zero(c); });
  const std::int64_t r = registers_of(p), tile = kSide * r;
  const std::string options = "-DFROM_" + std::string(name(p.dtype)) + " -DREGISTERS=" + std::to_string(r) +
                              (r > 2 && fours(p) ? " -DWIDE" : "");
  const gpu::BufferPtr offsets = gpu::constants(p.offsets);
  std::vector<std::pair<gpu::Kernel, std::size_t>> launches;
  for (std::int64_t first = 0; first < p.matrices; first += kBatches) {
    gpu::Kernel kernel("linalg", "tiled", options);
    kernel.arg(p.a.data).arg(p.b.data).arg(c).arg(offsets).arg(static_cast<std::int32_t>(first))
        .arg(static_cast<std::int32_t>(p.m)).arg(static_cast<std::int32_t>(p.n)).arg(static_cast<std::int32_t>(p.k))
        .arg(p.a.row).arg(p.a.column).arg(p.b.row).arg(p.b.column);
    launches.emplace_back(std::move(kernel), static_cast<std::size_t>(std::min(kBatches, p.matrices - first)));
  }
  const auto columns = static_cast<std::size_t>(kSide * divide_up(p.n, tile));
  const auto rows = static_cast<std::size_t>(kSide * divide_up(p.m, tile));
  return gpu::job(out, [launches, rows, columns] {
    for (const auto& [kernel, matrices] : launches) kernel.run({columns, rows, matrices}, {kSide, kSide, 1});
  });
}

Order tiled_order(const Call& call) {
  Order o;
  o.accumulator = call.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = true;
  return o;
}

std::int64_t flops(const Call& call) { return static_cast<std::int64_t>(cost(call).flops); }

bool fits_32_bits(const Call& call) {
  for (const Tensor& t : call.in)
    for (const std::int64_t extent : t.shape())
      if (extent > INT32_MAX - 512) return false;
  return true;
}

constexpr Condition kOneDtype{Stage::shape_dtype, "an operand must be converted first",
                              [](const Call& c, const Device&) { return c.dtype(0) == c.dtype(1); }};
constexpr Condition kExtents{Stage::shape_dtype, "an extent exceeds 32 bits",
                             [](const Call& c, const Device&) { return fits_32_bits(c); }};
constexpr Condition kFp64{Stage::capability, "the device has no binary64",
                          [](const Call& c, const Device& d) { return c.dtype(0) != Dtype::f64 || d.fp64; }};
constexpr Condition kAccelerator{Stage::device, "the device is the host processor: a CPU route is the better choice",
                                 [](const Call&, const Device& d) { return !d.facts.is_cpu; }};
constexpr Condition kLarge{Stage::shape_dtype, "fewer than 2^24 operations",
                           [](const Call& c, const Device&) { return flops(c) >= 1 << 24; }};

}  // namespace

std::vector<Route> linalg_gpu_routes() {
  return {{.op = "matmul",
           .name = "gpu.tiled",
           .tier = Tier::gpu,
           .needs = Tier::gpu,
           .supports = {kOneDtype, kExtents, kFp64},
           .prefers = {kAccelerator, kLarge},
           .order = tiled_order,
           .prepare = tiled}};
}

}  // namespace plumb
