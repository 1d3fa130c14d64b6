// Normalisations on the device: see kernels/norms.cl.
#include <algorithm>

#include "core/with_last.h"
#include "gpu/sparse/rows/features.h"

namespace plumb {
namespace {

constexpr std::size_t kLanes = 32, kStrands = 4, kGroup = 128;  // as in norms.cl
constexpr Limit kBlock{"gpu.norms.block", 256, 4};              // rows of a column summed by one work-group, as there

gpu::Kernel kernel(std::string_view name, Dtype features) {
  return gpu::Kernel("norms", name, {{"X", features}, {"BLOCK", kBlock}});
}

// Per channel as floats, or a constant where it is not given.
gpu::BufferPtr vector_of(const Call& call, std::size_t input, float otherwise) {
  if (call.has(input)) return gpu::constants(gpu::floats_of(call[input]));
  return gpu::constants(std::vector<float>(static_cast<std::size_t>(call.shape(0)[1]), otherwise));
}

float eps_of(const Call& call) { return to_float(call.number("eps")); }

using Launch = std::function<void()>;

Launch scaled_columns(const Call& call, const gpu::BufferPtr& factor, const gpu::BufferPtr& centre,
                      const gpu::BufferPtr& correction, const gpu::BufferPtr& variance, const gpu::BufferPtr& scale,
                      const gpu::BufferPtr& bias, const Tensor& out) {
  const std::int64_t n = out.size();
  gpu::Kernel k = kernel("scale_columns", out.dtype());
  k.arg(gpu::dense(call[0]))
      .arg(n)
      .arg(out.dim(1))
      .arg(eps_of(call))
      .arg(factor)
      .arg(centre)
      .arg(correction)
      .arg(variance)
      .arg(scale)
      .arg(bias)
      .arg(gpu::output(out));
  return [k, n] { k.run({static_cast<std::size_t>(n)}, {kGroup}); };
}

Job batch_norm_features(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const auto all = [&](float v) {
    return gpu::constants(std::vector<float>(static_cast<std::size_t>(out[0].dim(1)), v));
  };
  return gpu::job(out, scaled_columns(call, all(1), vector_of(call, 3, 0), all(0), vector_of(call, 4, 0),
                                      vector_of(call, 1, 1), vector_of(call, 2, 0), out[0]));
}

enum : std::int32_t { kSums, kAgain, kSquares, kSpread };  // as in norms.cl

// Mean and variance of the columns over n rows, and as they were summed: of columns scaled by a factor.
struct Columns {
  gpu::BufferPtr partial, peaks, factor, centre, correction, spread, mean, variance;
};

Launch column_means(const Call& call, std::int64_t n, const Columns& to, std::int32_t mode) {
  const Dtype t = call.dtype(0);
  const std::int64_t channels = call.shape(0)[1], block = kBlock.of(n), blocks = (n + block - 1) / block;
  gpu::Kernel sum = kernel("sum_columns", t), join = kernel("join_blocks", t);
  sum.arg(gpu::dense(call[0])).arg(n).arg(channels).arg(to.centre).arg(to.correction).arg(to.spread);
  sum.arg(to.factor).arg(mode).arg(to.partial).arg(to.peaks);
  join.arg(to.partial).arg(to.peaks).arg(blocks).arg(channels).arg(n).arg(mode).arg(to.factor);
  join.arg(to.centre).arg(to.correction).arg(to.spread).arg(to.mean).arg(to.variance);
  const auto columns = static_cast<std::size_t>(channels), rows = static_cast<std::size_t>(blocks);
  return [sum, join, columns, rows] {
    sum.run({columns, rows * kStrands}, {kLanes, kStrands});
    join.run({columns * kGroup}, {kGroup});
  };
}

Columns columns_of(const Call& call, std::int64_t n, const std::vector<Tensor>& out) {
  const auto floats = [](std::int64_t count) { return gpu::scratch(static_cast<std::size_t>(4 * count)); };
  const std::int64_t channels = call.shape(0)[1], block = kBlock.of(n), blocks = (n + block - 1) / block;
  return {floats(blocks * channels), floats(blocks * channels), floats(channels),    floats(channels),
          floats(channels),          floats(channels),          gpu::output(out[1]), gpu::output(out[2])};
}

// No half is beyond what squares allow, so that only columns of floats may have to be summed again.
Job batch_norm(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = call.has(1) ? call[1].read<std::int32_t>()[0] : call.shape(0)[0];
  const Columns c = columns_of(call, n, out);
  std::vector<Launch> steps{column_means(call, n, c, kSums)};
  if (call.dtype(0) == Dtype::f32) steps.push_back(column_means(call, n, c, kAgain));
  steps.push_back(column_means(call, n, c, kSquares));
  steps.push_back(column_means(call, n, c, kSpread));
  steps.push_back(scaled_columns(call, c.factor, c.centre, c.correction, c.spread, vector_of(call, 2, 1),
                                 vector_of(call, 3, 0), out[0]));
  return gpu::job(out, [steps] {
    for (const Launch& step : steps) step();
  });
}

Job row_norm(const Call& call, const std::vector<Spec>& specs, bool centred) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t rows = out[0].dim(0), channels = out[0].dim(1);
  gpu::Kernel k = kernel("scale_rows", out[0].dtype());
  k.arg(gpu::dense(call[0]))
      .arg(rows)
      .arg(channels)
      .arg(std::int32_t{centred})
      .arg(eps_of(call))
      .arg(vector_of(call, 1, 1));
  k.arg(centred ? vector_of(call, 2, 0) : gpu::constants(std::vector<float>(static_cast<std::size_t>(channels), 0.0F)));
  k.arg(gpu::output(out[0]));
  const std::size_t items = channels > 0 ? kLanes : 0;
  return gpu::job(out, [k, items, rows] { k.run({items, static_cast<std::size_t>(rows)}, {kLanes, kStrands}); });
}

// rsqrt errs by 2 ulps, a quotient by 2.5 where it is not rounded correctly.
Order in_float() {
  Order o;
  o.function_ulps = 2;
  o.epilogue = 5;
  return o;
}
// Adding what is missing of four strands or of 128 block sums, zeros, rounds nothing: no sum passes more additions
// than blocks joined in sequence.
Order column_order(const Call&) {
  Order o = in_float();
  o.shape = Order::Shape::lanes;
  o.lanes = kStrands;
  o.block = kBlock.now();
  return o;
}
Order row_order(const Call&) {
  Order o = in_float();
  o.shape = Order::Shape::lanes;
  o.lanes = kLanes;
  return o;
}

Route route(std::string_view op, std::string_view route_name, Job (*prepare)(const Call&, const std::vector<Spec>&),
            Order (*order)(const Call&)) {
  return gpu::feature_route(op, route_name, "under 65536 elements: the launches cost more", prepare, order);
}

}  // namespace

std::vector<Route> norms_gpu_routes() {
  return {route("batch_norm_features", "gpu.columns", batch_norm_features, column_order),
          route("batch_norm", "gpu.columns", batch_norm, column_order),
          route("layer_norm_features", "gpu.rows", with_last<row_norm, true>, row_order),
          route("rms_norm_features", "gpu.rows", with_last<row_norm, false>, row_order)};
}

}  // namespace plumb
