// OpenCL routes of affine quantization.
#include <algorithm>
#include <string>
#include <vector>

#include "gpu/runtime.h"

namespace plumb {
namespace {

using gpu::BufferPtr;
using gpu::Kernel;
using gpu::Option;

bool small_float(Dtype t) { return t == Dtype::f32 || t == Dtype::f16 || t == Dtype::bf16; }

std::int32_t group_of(const Request& r) {
  return r.none("group_size") ? 64 : static_cast<std::int32_t>(r.integer("group_size"));
}
std::int32_t bits_of(const Request& r) { return r.none("bits") ? 4 : static_cast<std::int32_t>(r.integer("bits")); }

// Rows hold whole groups and whole words, so the whole tensor is one line of groups.
Job quantize(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t total = c[0].size();
  Kernel kernel("quant", "quantize", {{"QUANTIZE"}, {"X", c.dtype(0)}});
  kernel.arg(gpu::dense(c[0]));
  for (const Tensor& t : out) kernel.arg(gpu::output(t));
  kernel.arg(bits_of(c)).arg(group_of(c) / 32).arg(total);
  return gpu::job(out, [kernel, total] { kernel.run({static_cast<std::size_t>((total + 31) / 32)}, {64}); });
}

Job dequantize(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t units = out[0].size() / 8;
  Kernel kernel("quant", "dequantize", {{"DEQUANTIZE"}, {"X", c.dtype(1)}, {"Y", out[0].dtype()}});
  kernel.arg(gpu::dense(c[0])).arg(gpu::dense(c[1])).arg(gpu::dense(c[2])).arg(gpu::output(out[0]));
  kernel.arg(bits_of(c)).arg(group_of(c)).arg(units);
  return gpu::job(out, [kernel, units] { kernel.run({static_cast<std::size_t>(units)}, {64}); });
}

// A batch of products x (m, k) times an (n, k) or a (k, n) weight. With one weight for the whole batch, the
// batch is part of m.
struct Product {
  std::int32_t m, n, k;
  std::vector<std::int32_t> x_of, w_of;  // which matrix of each operand, per matrix of the result

  Product(const Call& c, const Spec& out) {
    const Shape &x = c.shape(0), &w = c.shape(1), &y = out.shape;
    m = x.size() == 1 ? 1 : static_cast<std::int32_t>(x[x.size() - 2]);
    n = static_cast<std::int32_t>(y.back());
    k = static_cast<std::int32_t>(x.back());
    const Shape batch(y.begin(), y.end() - (x.size() == 1 ? 1 : 2));
    const Shape w_batch(w.begin(), w.end() - 2), x_batch(x.begin(), x.end() - (x.size() == 1 ? 1 : 2));
    if (count(w_batch) == 1) {
      m *= static_cast<std::int32_t>(count(batch));
      x_of = w_of = {0};
      return;
    }
    for (std::int64_t i = 0; i < count(batch); ++i) {
      x_of.push_back(place(batch, i, x_batch));
      w_of.push_back(place(batch, i, w_batch));
    }
  }
  std::size_t matrices() const { return x_of.size(); }

 private:
  // Of the operand's matrix under flat index i of the broadcast batch.
  static std::int32_t place(const Shape& batch, std::int64_t i, const Shape& own) {
    const Strides steps = row_major(own);
    std::int64_t at = 0;
    for (std::size_t d = batch.size(); d-- > 0; i /= batch[d]) {
      const std::size_t missing = batch.size() - own.size();
      if (d >= missing && own[d - missing] > 1) at += i % batch[d] * steps[d - missing];
    }
    return static_cast<std::int32_t>(at);
  }
};

Kernel product_kernel(const Call& c, const Tensor& out, const Product& p, std::string_view name, const Option& size) {
  Kernel kernel("quant", name, {size, {"X", out.dtype()}});
  for (const Tensor& t : c.in) kernel.arg(gpu::dense(t));
  kernel.arg(gpu::output(out)).arg(gpu::constants(p.x_of)).arg(gpu::constants(p.w_of));
  return kernel.arg(p.m).arg(p.n).arg(p.k).arg(group_of(c));
}

constexpr std::size_t kNarrowRows = 4, kTileColumns = 128;  // as in kernels/quant.cl

std::size_t blocks(std::int64_t n, std::size_t size) { return (static_cast<std::size_t>(n) + size - 1) / size; }

Job multiply_rows(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const Product p(c, specs[0]);
  const Kernel kernel = product_kernel(c, out[0], p, "dot_rows", {"BITS", bits_of(c)});
  return gpu::job(out, [kernel, p] {
    if (p.n > 0) kernel.run({32, static_cast<std::size_t>(p.n), blocks(p.m, kNarrowRows) * p.matrices()}, {32, 4, 1});
  });
}

Job multiply_columns(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const Product p(c, specs[0]);
  const Kernel kernel = product_kernel(c, out[0], p, "dot_columns", {"BITS", bits_of(c)});
  return gpu::job(out, [kernel, p] {
    kernel.run({static_cast<std::size_t>(p.n) / 8, 32, blocks(p.m, kNarrowRows) * p.matrices()}, {4, 32, 1});
  });
}

template <std::size_t tile>
Job multiply_tiles(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const Product p(c, specs[0]);
  Kernel kernel = product_kernel(c, out[0], p, "multiply", {"TILE", tile});
  kernel.arg(bits_of(c)).arg(std::int32_t{c.flag("transpose")});
  return gpu::job(out, [kernel, p] {
    kernel.run({blocks(p.n, kTileColumns) * 16, blocks(p.m, tile) * 16, p.matrices()}, {16, 16, 1});
  });
}

// ---------------------------------------------------------------------------- orders and conditions

// Weights are rounded once when they are decoded, by an fma.
Order narrow_order(std::int64_t lane_terms) {
  Order o;
  o.shape = Order::Shape::lanes, o.lanes = 32, o.fma = true;
  o.prologue = 1 + static_cast<int>(lane_terms);
  return o;
}
// A lane takes whole units of eight terms: up to seven more than its share.
Order row_order(const Call&) { return narrow_order(7); }
Order column_order(const Call&) { return narrow_order(0); }
Order tile_order(const Call&) {
  Order o;
  o.fma = true, o.prologue = 1;
  return o;
}

// The rows of x that share a weight.
std::int64_t rows_of(const Call& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  const bool shared = std::all_of(w.begin(), w.end() - 2, [](std::int64_t n) { return n == 1; });
  if (shared) return count(Shape(x.begin(), x.end() - 1));
  return x.size() == 1 ? 1 : x[x.size() - 2];
}

std::int64_t weights(const Call& c) { return 32 * c[1].size() / bits_of(c); }

const Condition kAffine{Stage::family, "the mode is not affine",
                        [](const Call& c, const Device&) { return c.text("mode") == "affine"; }};
const Condition kDoubles{Stage::capability, "the device has no fp64, whose division rounds correctly",
                         [](const Call&, const Device& d) { return d.fp64; }};
const Condition kOneDtype{Stage::shape_dtype, "x, scales and biases are not of one dtype among f32, f16, bf16",
                          [](const Call& c, const Device&) {
                            const Dtype t = c.dtype(2);
                            return small_float(t) && c.dtype(0) == t && c.dtype(3) == t;
                          }};
const Condition kPlainScales{Stage::shape_dtype,
                             "scales, biases and result are not f32, f16 or bf16, the first two alike",
                             [](const Call& c, const Device&) {
                               const auto to = c.dtype_attr("dtype");
                               return small_float(c.dtype(1)) && c.dtype(1) == c.dtype(2) && (!to || small_float(*to));
                             }};
const Condition kTransposed{Stage::relation, "the weight is not transposed",
                            [](const Call& c, const Device&) { return c.flag("transpose"); }};
const Condition kUpright{Stage::relation, "the weight is transposed",
                         [](const Call& c, const Device&) { return !c.flag("transpose"); }};
const Condition kIndexable{
    Stage::shape_dtype, "an axis or the number of rows exceeds 32 bits",  // with the rest of its last tile
    [](const Call& c, const Device&) { return rows_of(c) <= INT32_MAX - 512 && weights(c) / 8 < INT32_MAX; }};
const Condition kManyNumbers{Stage::shape_dtype, "under 65536 numbers",
                             [](const Call& c, const Device&) { return c[0].size() * 32 / bits_of(c) >= 65536; }};
const Condition kManyInputs{Stage::shape_dtype, "under 65536 numbers",
                            [](const Call& c, const Device&) { return c[0].size() >= 65536; }};
const Condition kManyProducts{Stage::shape_dtype, "under 262144 multiply-adds", [](const Call& c, const Device&) {
                                return static_cast<double>(rows_of(c)) * weights(c) >= 262144;
                              }};
const Condition kFewRows{Stage::shape_dtype, "more than 48 rows share a weight",
                         [](const Call& c, const Device&) { return rows_of(c) <= 48; }};
const Condition kLowRows{Stage::shape_dtype, "more than 256 rows share a weight",
                         [](const Call& c, const Device&) { return rows_of(c) <= 256; }};

}  // namespace

std::vector<Route> quant_gpu_routes() {
  const std::vector<Condition> product{kAffine, kOneDtype, kIndexable};
  const std::vector<Condition> transposed{kAffine, kTransposed, kOneDtype, kIndexable};
  const std::vector<Condition> upright{kAffine, kUpright, kOneDtype, kIndexable};
  const std::vector<Condition> narrow{gpu::kNotHost, kFewRows, kManyProducts};
  const std::vector<Condition> low{gpu::kNotHost, kLowRows, kManyProducts};
  constexpr auto gpu = Tier::gpu;
  return {
      {"quantize", "gpu.units", gpu, gpu, {kAffine, kDoubles}, {gpu::kNotHost, kManyInputs}, nullptr, quantize},
      {"dequantize",
       "gpu.units",
       gpu,
       gpu,
       {kAffine, kPlainScales},
       {gpu::kNotHost, kManyNumbers},
       nullptr,
       dequantize},
      {"quantized_matmul", "gpu.rows", gpu, gpu, transposed, narrow, row_order, multiply_rows},
      {"quantized_matmul", "gpu.columns", gpu, gpu, upright, narrow, column_order, multiply_columns},
      {"quantized_matmul", "gpu.low_tiles", gpu, gpu, product, low, tile_order, multiply_tiles<32>},
      {"quantized_matmul",
       "gpu.tiles",
       gpu,
       gpu,
       product,
       {gpu::kNotHost, kManyProducts},
       tile_order,
       multiply_tiles<128>},
  };
}

}  // namespace plumb
