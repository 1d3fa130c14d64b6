// The pointwise projection on the device: the routes of matmul, on views. The gradient of weights, with few rows and
// columns and a long sum, is one of edge_product.cl.
#include <memory>

#include "core/with_last.h"
#include "gpu/sparse/conv/edge_product.h"

namespace plumb {
namespace {

enum : std::size_t { kFeatures, kWeight, kCotangent };

Tensor transposed(const Tensor& t) { return t.view({t.dim(1), t.dim(0)}, {t.strides()[1], t.strides()[0]}); }

Job product(std::string_view route, const Tensor& a, const Tensor& b) {
  const Call call = make_call("matmul", {a, b});
  return find_route(*call.op, route).prepare(call, output_specs(call));
}

Job tiled(const Call& c, const std::vector<Spec>&) {
  return product("gpu.tiled", c[kFeatures], transposed(c[kWeight]));
}
Job mma(const Call& c, const std::vector<Spec>&) { return product("gpu.mma", c[kFeatures], transposed(c[kWeight])); }

Job vjp(const Call& c, const std::vector<Spec>& specs, bool matrix) {
  const Job features = product(matrix ? "gpu.mma" : "gpu.tiled", c[kCotangent], c[kWeight]);
  const Tensor weight(specs[1]);
  const Shape& g = c.shape(kCotangent);
  const auto steps = std::make_shared<gpu::Steps>();
  gpu::RowProducts p;
  p.x = gpu::dense(c[kCotangent]), p.g = gpu::dense(c[kFeatures]);
  p.offsets = gpu::constants<std::int32_t>({0, static_cast<std::int32_t>(g[0])});
  p.longest = g[0], p.rows = g[1], p.columns = c.shape(kFeatures)[1];
  p.dtype = c.dtype(kFeatures);
  p.matrix = matrix;
  gpu::add_row_products(*steps, p, {0, p.columns, 1}, weight);
  const Job weights = gpu::job({weight}, [steps] { steps->enqueue(); });
  return {[features, weights] {
            features.launch();
            weights.launch();
          },
          features.wait,
          [features, weights] {
            return std::vector<Tensor>{features.fetch()[0], weights.fetch()[0]};
          }};
}

Order chain(const Call&) {
  Order o;
  o.fma = true;
  return o;
}

Order mma_order(const Call&) {
  Order o = chain({});
  o.truncating = true;
  return o;
}

constexpr std::uint64_t kMmaLocalBytes = 48 << 10;
constexpr Condition kHalf{Stage::shape_dtype, "features are not f16",
                          [](const Call& c, const Device&) { return c.dtype(kFeatures) == Dtype::f16; }};
constexpr Condition kLocal{Stage::capability, "work-groups of 256 with 48 KiB of local memory do not fit",
                           [](const Call&, const Device& d) {
                             return d.facts.local_bytes >= kMmaLocalBytes && d.facts.max_work_group >= 256;
                           }};
constexpr Condition kLarge{Stage::shape_dtype, "fewer than 2^22 products", [](const Call& c, const Device&) {
                             const Shape &x = c.shape(kFeatures), &w = c.shape(kWeight);
                             return static_cast<double>(x[0]) * static_cast<double>(x[1]) * static_cast<double>(w[0]) >=
                                    0x1p22;
                           }};

}  // namespace

std::vector<Route> pointwise_gpu_routes() {
  return {{.op = "pointwise_projection",
           .name = "gpu.mma",
           .tier = Tier::neural_accelerator,
           .needs = Tier::gpu,
           .supports = {gpu::kExtentsFitInt, kHalf, kLocal},
           .prefers = {gpu::kNotHost, kLarge},
           .order = mma_order,
           .prepare = mma},
          {.op = "pointwise_projection",
           .name = "gpu.tiled",
           .tier = Tier::gpu,
           .needs = Tier::gpu,
           .supports = {gpu::kExtentsFitInt},
           .prefers = {gpu::kNotHost, kLarge},
           .order = chain,
           .prepare = tiled},
          {.op = "pointwise_projection_vjp",
           .name = "gpu.mma",
           .tier = Tier::neural_accelerator,
           .needs = Tier::gpu,
           .supports = {gpu::kExtentsFitInt, kHalf, kLocal},
           .prefers = {gpu::kNotHost, kLarge},
           .order = mma_order,
           .prepare = with_last<vjp, true>},
          {.op = "pointwise_projection_vjp",
           .name = "gpu.tiled",
           .tier = Tier::gpu,
           .needs = Tier::gpu,
           .supports = {gpu::kExtentsFitInt},
           .prefers = {gpu::kNotHost, kLarge},
           .order = chain,
           .prepare = with_last<vjp, false>}};
}

}  // namespace plumb
