// OpenCL routes of the dense products.
#include "gpu/linalg/linalg.h"

#include <algorithm>
#include <string>

#include "gpu/linalg/pairs.h"

namespace plumb {

std::int64_t gpu::batch_offset(std::int64_t t, const Shape& batch, const Shape& own, const Strides& steps) {
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < batch.size(); ++d) {
    const std::int64_t extent = batch[batch.size() - 1 - d], i = t % extent;
    t /= extent;
    if (d < own.size() && own[own.size() - 1 - d] != 1) offset += i * steps[steps.size() - 1 - d];
  }
  return offset;
}

namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

bool unit(std::int64_t extent, std::int64_t stride) { return extent <= 1 || stride == 1; }

}  // namespace

bool gpu::fits_tiles(std::int64_t rows, std::int64_t columns, std::int64_t row, std::int64_t column) {
  return (unit(columns, column) || unit(rows, row)) && row >= 0 && column >= 0;
}

namespace {

// One operand on the device as batches of matrices: a vector is a matrix of one row or one column.
struct Operand {
  gpu::BufferPtr data;
  std::int64_t rows, columns, row, column, offset;  // strides and offset in elements
  Shape batch;
  Strides step;

  Operand(const Tensor& t, bool left, bool row_major) : Operand(t, geometry(t, left)) {
    if (gpu::fits_tiles(rows, columns, row, column) && (!row_major || unit(columns, column))) return;
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
      : rows(g.shape[g.shape.size() - 2]),
        columns(g.shape.back()),
        row(g.strides[g.strides.size() - 2]),
        column(g.strides.back()),
        offset(g.offset),
        batch(g.shape.begin(), g.shape.end() - 2),
        step(g.strides.begin(), g.strides.end() - 2) {
    if (columns <= 1) column = 1;  // the stride of a unit axis is anything
    if (rows <= 1) row = columns;
    data = gpu::input(t);
  }
  static Geometry geometry(const Tensor& t, bool left) {
    return matrix({t.shape(), t.strides(), gpu::element_offset(t)}, left);
  }
  static Geometry dense_geometry(const Tensor& t, bool left) {
    return matrix({t.shape(), row_major(t.shape()), 0}, left);
  }
  static Geometry matrix(Geometry g, bool left) {
    if (g.shape.size() > 1) return g;
    g.shape.insert(left ? g.shape.begin() : g.shape.end(), 1);
    g.strides.insert(left ? g.strides.begin() : g.strides.end(), 1);
    return g;
  }
};

gpu::MatrixPairs pairs_of(const Call& call, bool row_major) {
  const Operand a(call[0], true, row_major), b(call[1], false, row_major);
  const Shape batch = broadcast("matmul", a.batch, b.batch);
  gpu::MatrixPairs p{a.data, b.data, a.rows, b.columns, a.columns, a.row, a.column, b.row, b.column, call.dtype(0), {}};
  for (std::int64_t t = 0; t < count(batch); ++t) {
    p.offsets.push_back(a.offset + gpu::batch_offset(t, batch, a.batch, a.step));
    p.offsets.push_back(b.offset + gpu::batch_offset(t, batch, b.batch, b.step));
  }
  return p;
}

constexpr Limit kBatches{"gpu.linalg.batches", 32768, 2};  // matrices per launch: the outer axes of a grid are short

// The grid of one launch without its batch, and that of one work-group.
struct Grid {
  std::string_view family, kernel;
  gpu::Options options;
  std::size_t x, y, local_x, local_y;
};

// The same kernel over the whole batch; `strides` are the arguments that follow the extents.
Job launch_all(std::vector<Tensor> out, const gpu::MatrixPairs& p, const Grid& g,
               const std::vector<std::int64_t>& strides) {
  const gpu::BufferPtr c = gpu::output(out[0]), offsets = gpu::constants(p.offsets);
  std::vector<std::pair<gpu::Kernel, std::size_t>> launches;
  const std::int64_t matrices = p.count(), most = kBatches.of(matrices);
  for (std::int64_t first = 0; first < matrices; first += most) {
    gpu::Kernel kernel(g.family, g.kernel, g.options);
    kernel.arg(p.a).arg(p.b).arg(c).arg(offsets);
    for (const std::int64_t v : {first, p.m, p.n, p.k}) kernel.arg(static_cast<std::int32_t>(v));
    for (const std::int64_t v : strides) kernel.arg(v);
    launches.emplace_back(std::move(kernel), static_cast<std::size_t>(std::min(most, matrices - first)));
  }
  return gpu::job(std::move(out), [launches, g] {
    for (const auto& [kernel, some] : launches) kernel.run({g.x, g.y, some}, {g.local_x, g.local_y, 1});
  });
}

// Nothing to add up: zeros, or no elements at all.
Job zeros(std::vector<Tensor> out) {
  if (out[0].size() == 0) return gpu::job(std::move(out), [] {});
  const gpu::BufferPtr c = gpu::output(out[0]);
  return gpu::job(std::move(out), [c] { gpu::fill_zero(c); });
}

bool empty(const Call& call, const std::vector<Tensor>& out) { return out[0].size() == 0 || call.shape(0).back() == 0; }

constexpr std::int64_t kSide = 16;                       // as in kernels/linalg.cl
constexpr Limit kEnough{"gpu.linalg.enough", 100, 100};  // work-groups that occupy a large device

// The largest register block that still gives every compute unit something to do.
std::int64_t registers_of(const gpu::MatrixPairs& p) {
  const bool wide = p.dtype == Dtype::f64 || p.dtype == Dtype::c64;
  for (std::int64_t r = wide ? 4 : 8; r > 2; r /= 2)
    if (const std::int64_t groups = divide_up(p.m, kSide * r) * divide_up(p.n, kSide * r) * p.count();
        groups >= kEnough.of(groups))
      return r;
  return 2;
}

// All of what decides where rows begin, to ask for a common divisor.
std::int64_t row_starts(const gpu::MatrixPairs& p) {
  std::int64_t all = p.a_row | p.b_row;
  for (const std::int64_t o : p.offsets) all |= o;
  return all;
}

bool by_fours(const gpu::MatrixPairs& p) {
  const bool real = p.dtype == Dtype::f32 || p.dtype == Dtype::f64;
  return real && !p.ranges && p.a_column == 1 && p.b_column == 1 && (row_starts(p) | p.k | p.n) % 4 == 0;
}

gpu::Options tiled_options(const gpu::MatrixPairs& p, std::int64_t registers) {
  const DeviceFacts& device = current_device().facts;
  const bool wide = registers > 2 && by_fours(p);
  // On a host processor unrolling costs its compiler seconds and gains nothing.
  gpu::Options options{{"X", p.dtype},
                       {"REGISTERS", registers},
                       {"WIDE", wide},
                       {"UNROLL", device.is_cpu ? 1 : 2},
                       {"RANGES", p.ranges}};
  // Two work-groups of the largest kind share a multiprocessor.
  if (wide && registers == 8 && device.compute_capability > 0) options.compiler("-cl-nv-maxrregcount=128");
  return options;
}

}  // namespace

Job gpu::tiled_products(std::vector<Tensor> out, const MatrixPairs& p) {
  if (out[0].size() == 0 || p.k == 0) return zeros(std::move(out));
  const std::int64_t r = registers_of(p), tile = kSide * r;
  const Grid grid{"linalg",
                  "tiled",
                  tiled_options(p, r),
                  static_cast<std::size_t>(kSide * divide_up(p.n, tile)),
                  static_cast<std::size_t>(kSide * divide_up(p.m, tile)),
                  kSide,
                  kSide};
  return launch_all(std::move(out), p, grid, {p.a_row, p.a_column, p.b_row, p.b_column});
}

namespace {

Job tiled(const Call& call, const std::vector<Spec>& specs) {
  auto out = gpu::outputs(specs);
  if (empty(call, out)) return zeros(std::move(out));
  return gpu::tiled_products(std::move(out), pairs_of(call, false));
}

// Warps of a work-group and 16 x 8 tiles of a warp, as in kernels/linalg_mma.cl.
struct Warps {
  std::int64_t m, n, tiles_m, tiles_n;
  constexpr std::int64_t rows() const { return 16 * tiles_m * m; }
  constexpr std::int64_t columns() const { return 8 * tiles_n * n; }
  std::int64_t groups(const gpu::MatrixPairs& p) const { return divide_up(p.m, rows()) * divide_up(p.n, columns()); }
};
constexpr Warps kLargeWarps{2, 4, 4, 8}, kSmallWarps{2, 2, 2, 4}, kOneWarp{1, 1, 1, 8};
constexpr Limit kEnoughLarge{"gpu.linalg.enough_large", 66, 66};  // half the multiprocessors of a large device
constexpr Limit kRows{"gpu.linalg.mma_rows", kSmallWarps.rows(), kOneWarp.rows()};  // of the smallest tiles
// Steps of k in local memory, and tile columns that are walked together.
constexpr Limit kStages{"gpu.linalg.stages", 4, 2}, kPanel{"gpu.linalg.panel", 8, 2};
constexpr std::int64_t kStep = 16;

Warps warps_of(const gpu::MatrixPairs& p) {
  const std::int64_t large = kLargeWarps.groups(p) * p.count();
  if (large >= kEnoughLarge.of(large)) return kLargeWarps;
  return kRows.of(p.m) == kOneWarp.rows() ? kOneWarp : kSmallWarps;
}

Job mma(const Call& call, const std::vector<Spec>& specs) {
  auto out = gpu::outputs(specs);
  if (empty(call, out)) return zeros(std::move(out));
  const gpu::MatrixPairs p = pairs_of(call, true);
  const Warps w = warps_of(p);
  (void)kStages.of(divide_up(p.k, kStep));
  (void)kPanel.of(divide_up(p.n, w.columns()));
  const gpu::Options options{
      {"X", p.dtype},         {"WARPS_M", w.m},    {"WARPS_N", w.n},  {"TILES_M", w.tiles_m},
      {"TILES_N", w.tiles_n}, {"STAGES", kStages}, {"PANEL", kPanel}, {"ALIGNED", row_starts(p) % 8 == 0}};
  const std::int64_t items = 32 * w.m * w.n;
  const Grid grid{"linalg_mma",
                  "mma",
                  options,
                  static_cast<std::size_t>(items * w.groups(p)),
                  1,
                  static_cast<std::size_t>(items),
                  1};
  return launch_all(std::move(out), p, grid, {p.a_row, p.b_row});
}

Order tiled_order(const Call& call) {
  Order o;
  o.accumulator = call.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = true;
  return o;
}

// A matrix unit aligns the products of a step to the largest and truncates: each addition may lose a whole
// unit of the last place, not half of one.
Order mma_order(const Call&) {
  Order o;
  o.accumulator = Dtype::f32;
  o.fma = true;
  o.truncating = true;
  return o;
}

std::int64_t flops(const Call& call) { return static_cast<std::int64_t>(cost(call).flops); }

constexpr Condition kOneDtype{Stage::shape_dtype, "an operand must be converted first",
                              [](const Call& c, const Device&) { return c.dtype(0) == c.dtype(1); }};
constexpr Condition kSixteenBit{
    Stage::shape_dtype, "the operands are neither f16 nor bf16",
    [](const Call& c, const Device&) { return c.dtype(0) == Dtype::f16 || c.dtype(0) == Dtype::bf16; }};
constexpr std::uint64_t kMmaLocalBytes = 48 << 10;
constexpr Condition kLocal{Stage::capability, "work-groups of 256 with 48 KiB of local memory do not fit",
                           [](const Call&, const Device& d) {
                             return d.facts.local_bytes >= kMmaLocalBytes && d.facts.max_work_group >= 256;
                           }};
constexpr Condition kFp64{Stage::capability, "the device has no binary64",
                          [](const Call& c, const Device& d) { return c.dtype(0) != Dtype::f64 || d.fp64; }};
constexpr Condition kLarge{Stage::shape_dtype, "fewer than 2^24 operations",
                           [](const Call& c, const Device&) { return flops(c) >= 1 << 24; }};

}  // namespace

std::vector<Route> linalg_gpu_routes() {
  return {{.op = "matmul",
           .name = "gpu.mma",
           .tier = Tier::neural_accelerator,
           .needs = Tier::gpu,
           .supports = {kOneDtype, kSixteenBit, gpu::kExtentsFitInt, kLocal},
           .prefers = {gpu::kNotHost, kLarge},
           .order = mma_order,
           .prepare = mma},
          {.op = "matmul",
           .name = "gpu.tiled",
           .tier = Tier::gpu,
           .needs = Tier::gpu,
           .supports = {kOneDtype, gpu::kExtentsFitInt, kFp64},
           .prefers = {gpu::kNotHost, kLarge},
           .order = tiled_order,
           .prepare = tiled}};
}

}  // namespace plumb
