// Packed sparse weights on the device: see kernels/sparse_quant.cl. The relation of a convolution is built on the
// device while a job is prepared; a launch casts the features and computes tiles of output rows straight from the
// codes.
#include <algorithm>
#include <string>

#include "core/with_last.h"
#include "gpu/sparse/conv/convolution.h"

namespace plumb {
namespace {

using namespace gpu;

enum : std::size_t { kFeatures = 2, kWeight = 3, kScales = 4 };

// What a packed weight holds, from its shapes.
struct Packed {
  std::int64_t kernels, in, out, groups, group;
  std::int32_t bits;
  Packed(const Call& c, std::size_t weight, std::int64_t kernel_rows, std::int64_t channels)
      : kernels(kernel_rows), in(channels), bits(small(c.integer("bits"))) {
    const std::size_t last = kernels == 1 ? 2 : 1;
    out = c.shape(weight)[3 - last];
    groups = c.shape(weight + 1)[last];
    group = c.shape(weight)[last] * 32 / bits / groups;
  }
  Kernel& describe(Kernel& k) const {
    return k.arg(small(kernels)).arg(small(in)).arg(small(out)).arg(small(groups)).arg(small(group)).arg(bits);
  }
};

Kernel kernel_of(std::string_view name, const Options& options = {"SETUP"}) {
  return Kernel("sparse_quant", name, options);
}

// One product of features with a packed weight, and what its kernels share.
struct Product {
  Packed w;
  std::int64_t rows = 0, padded = 0;  // of the features: their rows, and their channels in whole steps
  Dtype x_type, y_type;
  BufferPtr x{}, words{}, s{}, b{}, bias{}, bad{}, y{};

  // What every kernel of a product starts with.
  Kernel& bind(Kernel& k) const { return k.arg(x).arg(words).arg(s).arg(b).arg(bias).arg(y).arg(y_type); }
};

void add_begin(Steps& s, const Call& c, std::size_t weight, const Support& u, const std::vector<Tensor>& out,
               Product& p) {
  const std::int64_t n = c[weight + 1].size();
  const bool any = u.coords != nullptr, bias = c.has(weight + 3);
  p.s = scratch(static_cast<std::size_t>(4 * n)), p.b = scratch(static_cast<std::size_t>(4 * n));
  p.bias = scratch(static_cast<std::size_t>(4 * p.w.out)), p.bad = ints(1);
  const std::int64_t words = any ? static_cast<std::int64_t>(out[0].storage().bytes() / 4) : 0;
  Kernel k = kernel_of("begin");
  k.arg(any ? u.coords : p.bad).arg(any ? output(out[0]) : p.bad).arg(words);
  k.arg(any ? u.counts : p.bad).arg(any ? output(out[2]) : p.bad).arg(std::int32_t{any ? 2 : 0});
  k.arg(dense(c[weight + 1])).arg(dense(c[weight + 2])).arg(c.dtype(weight + 1)).arg(n).arg(p.s).arg(p.b);
  k.arg(bias ? dense(c[weight + 3]) : p.bad).arg(bias ? c.dtype(weight + 3) : Dtype::f32).arg(std::int32_t{bias});
  s.run(k.arg(small(p.w.out)).arg(p.bias).arg(p.bad), std::max({words, n, p.w.out, std::int64_t{2}}));
}

Product add_operands(Steps& s, const Call& c, std::size_t features, std::int64_t kernels, const Support& u,
                     const std::vector<Tensor>& out, bool matrix) {
  const std::size_t weight = features + 1;
  const Tensor& y = out[u.coords ? 1 : 0];
  Product p{.w = Packed(c, weight, kernels, c.shape(features)[1]), .x_type = Dtype::f32, .y_type = y.dtype()};
  const Dtype given = c.dtype(features);
  if (given == Dtype::f16 || c.dtype(weight + 1) == Dtype::f16) p.x_type = Dtype::f16;
  p.rows = c.shape(features)[0], p.padded = rounded_up(p.w.in, 16);
  p.x = dense(c[features]);
  if (p.padded != p.w.in || given != p.x_type) {
    const BufferPtr cast = scratch(static_cast<std::size_t>(p.rows * p.padded * info(p.x_type).bytes));
    Kernel k = kernel_of("cast_rows");
    k.arg(p.x).arg(given).arg(cast).arg(p.x_type);
    s.run(k.arg(p.rows).arg(small(p.w.in)).arg(small(p.padded)), p.rows * p.padded);
    p.x = cast;
  }
  p.words = dense(c[weight]);
  add_begin(s, c, weight, u, out, p);
  Kernel check = kernel_of("check_weights");
  s.run(p.w.describe(check.arg(p.words).arg(p.s).arg(p.b)).arg(std::int32_t{matrix}).arg(p.bad),
        kernels * p.w.in * p.w.out);
  p.y = output(y);
  return p;
}

// Rows that tiles leave to a plain loop.
void add_plain_rows(Steps& s, const Product& p, const Support& u, std::int64_t rows) {
  Kernel k = kernel_of("compute_rows", {{"X", p.x_type}});
  p.w.describe(p.bind(k)).arg(small(p.padded)).arg(u.map).arg(u.spread).arg(rows);
  add_exceptions(s, k, u, p.bad, rows * p.w.out);
}

void add_plain_tiles(Steps& s, const Product& p, const Support& u, std::int64_t rows) {
  Kernel k = kernel_of("tiled", {{"X", p.x_type}});
  p.w.describe(p.bind(k)).arg(small(p.padded)).arg(u.map).arg(u.spread).arg(rows);
  k.arg(u.order ? u.order : p.bad).arg(std::int32_t{u.order != nullptr});
  add_tiles(s, k, rows, (p.w.out + 63) / 64);
}

void add_matrix_tiles(Steps& s, const Product& p, const Support& u, std::int64_t rows) {
  Kernel k = kernel_of("mma_sorted", {{"X", p.x_type}, {"MMA"}, {"BITS", p.w.bits}, {"COLUMNS", p.w.out}});
  p.bind(k).arg(small(p.w.kernels)).arg(small(p.w.in / 32)).arg(small(p.w.group)).arg(u.map).arg(u.order).arg(rows);
  add_tiles(s, k, rows, 1);
}

Job convolve(const Call& call, const std::vector<Spec>& specs, RelationKind base, bool matrix) {
  const std::vector<Tensor> out = outputs(specs);
  const std::int64_t rows = specs[1].shape[0];
  const Geometry g(call, kind_of(call, base));
  const Support u = build_support(call, g, rows);
  const auto steps = std::make_shared<Steps>();
  const Product p = add_operands(*steps, call, kFeatures, g.kernels, u, out, matrix);
  matrix ? add_matrix_tiles(*steps, p, u, rows) : add_plain_tiles(*steps, p, u, rows);
  add_plain_rows(*steps, p, u, rows);
  return job(out, [steps] { steps->enqueue(); });
}

// Every row meets itself under the one kernel row.
Job linear(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  Support u;
  u.spread = 1;
  u.map = ints(1);
  const auto steps = std::make_shared<Steps>();
  const Product p = add_operands(*steps, call, 0, 1, u, out, false);
  add_plain_tiles(*steps, p, u, p.rows);
  add_plain_rows(*steps, p, u, p.rows);
  return job(out, [steps] { steps->enqueue(); });
}

// ---------------------------------------------------------------------------- quantize, dequantize

// Where an unpacked weight has element (kernel row, channel, output).
struct Axes {
  std::int64_t kernels, in, out, step_k, step_a, step_c;
};
Axes axes_of(const Shape& w) {
  if (w.size() == 3) return {w[0], w[1], w[2], w[1] * w[2], w[2], 1};
  const std::int64_t kernels = w.size() == 2 ? 1 : w[1] * w[2] * w[3], in = w.back();
  return {kernels, in, w[0], in, 1, kernels * in};
}

void describe(Kernel& k, const Call& c, const Axes& x, std::int64_t groups, std::int64_t words) {
  const std::int32_t bits = small(c.integer("bits"));
  k.arg(small(x.kernels))
      .arg(small(x.in))
      .arg(small(x.out))
      .arg(small(groups))
      .arg(small(words * 32 / bits / groups))
      .arg(bits);
  k.arg(x.step_k).arg(x.step_a).arg(x.step_c);
}

Job quantize(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const Axes x = axes_of(c.shape(0));
  const std::size_t last = x.kernels == 1 ? 2 : 1;
  Kernel k = kernel_of("quantize", {"QUANTIZE"});
  k.arg(dense(c[0])).arg(c.dtype(0)).arg(output(out[0])).arg(output(out[1])).arg(output(out[2]));
  describe(k, c, x, specs[1].shape[last], specs[0].shape[last]);
  const auto items = static_cast<std::size_t>(count(specs[1].shape));
  return job(out, [k, items] { k.run({items}, {64}); });
}

Job dequantize(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const Axes x = axes_of(specs[0].shape);
  const std::size_t last = x.kernels == 1 ? 2 : 1;
  Kernel k = kernel_of("dequantize", {"DEQUANTIZE"});
  k.arg(dense(c[0])).arg(dense(c[1])).arg(dense(c[2])).arg(output(out[0])).arg(c.dtype(1));
  describe(k, c, x, c.shape(1)[last], c.shape(0)[last]);
  const auto items = static_cast<std::size_t>(count(specs[0].shape));
  return job(out, [k, items] { k.run({items}, {64}); });
}

// ---------------------------------------------------------------------------- orders and conditions

// A chain of fused products, each weight rounded once when it is decoded.
Order chain(const Call& c) {
  Order o = fused_chain(c);
  o.prologue = 1;
  return o;
}

// Matrix units take weights as halves.
Order matrix_chain(const Call& c) {
  Order o = truncating_chain(c);
  o.prologue = 1;
  o.input_rounding = Dtype::f16;
  return o;
}

std::int64_t elements(const Call& c, std::size_t input) { return c[input].size(); }

const Condition kManyWeights{Stage::shape_dtype, "under 65536 weights: a CPU route is done sooner",
                             [](const Call& c, const Device&) { return elements(c, 0) >= 1 << 16; }};
const Condition kManyCodes{
    Stage::shape_dtype, "under 65536 weights: a CPU route is done sooner",
    [](const Call& c, const Device&) { return elements(c, 0) * 32 / c.integer("bits") >= 1 << 16; }};
const Condition kDoubles{Stage::capability, "the device has no fp64, whose division rounds correctly",
                         [](const Call&, const Device& d) { return d.fp64; }};

bool one_of_two(std::int64_t n) { return n == 32 || n == 64; }
const Condition kHalves{Stage::shape_dtype, "scales are not f16, so weights have more digits than halves",
                        [](const Call& c, const Device&) { return c.dtype(kScales) == Dtype::f16; }};
const Condition kKernel27{Stage::shape_dtype, "the kernel does not have 27 rows",
                          [](const Call& c, const Device&) { return c.shape(kWeight)[0] == 27; }};
const Condition kInputs{Stage::shape_dtype, "input channels are neither 32 nor 64",
                        [](const Call& c, const Device&) { return one_of_two(c.shape(kFeatures)[1]); }};
const Condition kOutputs{Stage::shape_dtype, "output channels are neither 32 nor 64",
                         [](const Call& c, const Device&) { return one_of_two(c.shape(kWeight)[2]); }};
const Condition kUnpadded{Stage::storage, "input channels are stored with padding", [](const Call& c, const Device&) {
                            return c.shape(kWeight)[1] * 32 / c.integer("bits") == c.shape(kFeatures)[1];
                          }};

template <RelationKind base>
Route tiled(std::string_view op) {
  return relation_route(op, "gpu.tiled", Tier::gpu, chain, with_last<convolve, base, false>);
}

template <RelationKind base>
Route sorted(std::string_view op) {
  return relation_route(op, "gpu.mma_sorted", Tier::neural_accelerator, matrix_chain, with_last<convolve, base, true>,
                        {kHalves, kKernel27, kInputs, kOutputs, kUnpadded});
}

Route simple(std::string_view op, std::string_view name, std::vector<Condition> supports,
             const Condition& size_condition, Order (*order)(const Call&), Prepare prepare) {
  supports.push_back(kExtentsFitInt);
  return {.op = op,
          .name = name,
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = std::move(supports),
          .prefers = {kNotHost, size_condition},
          .order = order,
          .prepare = prepare};
}

}  // namespace

std::vector<Route> sparse_quant_gpu_routes() {
  return {simple("quantize_weight", "gpu.groups", {kDoubles}, kManyWeights, nullptr, quantize),
          simple("dequantize_weight", "gpu.elements", {}, kManyCodes, nullptr, dequantize),
          simple("quantized_linear", "gpu.tiled", {}, kWorthLaunch, chain, linear),
          sorted<RelationKind::forward>("quantized_conv3d"),
          tiled<RelationKind::forward>("quantized_conv3d"),
          sorted<RelationKind::submanifold>("quantized_subm_conv3d"),
          tiled<RelationKind::submanifold>("quantized_subm_conv3d"),
          tiled<RelationKind::transposed>("quantized_conv_transpose3d"),
          tiled<RelationKind::generative>("quantized_generative_conv_transpose3d")};
}

}  // namespace plumb
