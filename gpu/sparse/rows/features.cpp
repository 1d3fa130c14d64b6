// Operations on feature matrices on the device: see kernels/features.cl.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gpu/sparse/rows/features.h"

namespace plumb {
namespace gpu {

std::vector<float> floats_of(const Tensor& vector) {
  const Tensor given = contiguous(vector);
  std::vector<float> v(static_cast<std::size_t>(given.dim(0)));
  for (std::size_t c = 0; c < v.size(); ++c)
    v[c] = given.dtype() == Dtype::f16 ? half_to_float(given.read<std::uint16_t>()[c]) : given.read<float>()[c];
  return v;
}

Route feature_route(std::string_view op, std::string_view name, std::string_view yields,
                    Job (*prepare)(const Call&, const std::vector<Spec>&), Order (*order)(const Call&)) {
  return {.op = op,
          .name = name,
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost,
                      {Stage::shape_dtype, yields,
                       [](const Call& c, const Device&) { return count(c.shape(0)) >= 1 << 16; }}},
          .order = order,
          .prepare = prepare};
}

}  // namespace gpu

namespace {

// One size for all: a device that compiles a kernel anew for each group size does so once.
constexpr std::size_t kGroup = 128;

// ---- linear

gpu::BufferPtr bias_of(const Call& call) {
  return gpu::constants(call.has(2) ? gpu::floats_of(call[2]) : std::vector<float>{0});
}

Job linear(const Call& call, const std::vector<Spec>& specs) {
  constexpr std::int64_t kTile = 64, kSide = 16;  // as in features.cl
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t rows = out[0].dim(0), channels = out[0].dim(1);
  // On a host processor unrolling costs its compiler seconds and gains nothing.
  const int unroll = current_device().facts.is_cpu ? 1 : 4;
  gpu::Kernel k("features", "linear", {{"X", call.dtype(0)}, {"Y", out[0].dtype()}, {"UNROLL", unroll}});
  k.arg(gpu::dense(call[0])).arg(gpu::dense(call[1])).arg(bias_of(call)).arg(std::int32_t{call.has(2)}).arg(rows);
  k.arg(static_cast<std::int32_t>(call.shape(0)[1])).arg(static_cast<std::int32_t>(channels)).arg(gpu::output(out[0]));
  const auto x = static_cast<std::size_t>((channels + kTile - 1) / kTile * kSide);
  const auto y = static_cast<std::size_t>((rows + kTile - 1) / kTile * kSide);
  return gpu::job(out, [k, x, y] { k.run({x, y}, {kSide, kSide}); });
}

Order linear_order(const Call& call) {
  Order o;
  o.fma = true;
  o.epilogue = call.has(2) ? 1 : 0;
  return o;
}

// ---- activation

std::int32_t kind_of(const Call& call) {  // as in features.cl
  constexpr std::string_view kinds[] = {"relu", "sigmoid", "tanh", "silu", "gelu", "leaky_relu", "softplus"};
  const std::string& way = call.text("approximate");
  const bool gelu = call.text("kind") == "gelu";
  if (gelu && way == "tanh") return 7;
  if (gelu && way == "fast") return 8;
  return static_cast<std::int32_t>(std::find(std::begin(kinds), std::end(kinds), call.text("kind")) -
                                   std::begin(kinds));
}

// The largest float that is not above the cut: no float lies between the two.
float cut_of(const Call& call) {
  const double cut = call.number("threshold") / call.number("beta");
  const auto f = static_cast<float>(cut);
  return f > cut ? std::nextafter(f, -std::numeric_limits<float>::infinity()) : f;
}

Job activation(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t n = out[0].size();
  gpu::Kernel k("features", "activate", {{"X", call.dtype(0)}, {"Y", call.dtype(0)}});
  k.arg(kind_of(call))
      .arg(gpu::dense(call[0]))
      .arg(n)
      .arg(static_cast<float>(call.number("alpha")))
      .arg(static_cast<float>(call.number("beta")));
  k.arg(cut_of(call)).arg(gpu::output(out[0]));
  return gpu::job(out, [k, n] { k.run({static_cast<std::size_t>(n)}, {kGroup}); });
}

// What OpenCL C 1.2 grants its functions (section 7.4): erfc 16 ulps, exp and expm1 3, log1p 2, a quotient 2.5.
Order activation_order(const Call& call) {
  constexpr std::int32_t kErfc = 4;
  Order o;
  o.function_ulps = kind_of(call) == kErfc ? 16 : 3;
  o.epilogue = 5;
  return o;
}

// ---- dropout

Job dropout(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const Dtype t = call.dtype(0);
  const double p = call.number("p");
  const std::int64_t n = out[0].size(), h = n / 2, gap = h + n % 2;
  const gpu::BufferPtr x = gpu::dense(call[0]), y = gpu::output(out[0]);
  if (!call.flag("training") || p == 0) {
    gpu::Kernel copy("features", "copy_values", {{"X", t}, {"Y", t}});
    copy.arg(x).arg(n).arg(y);
    return gpu::job(out, [copy, n] { copy.run({static_cast<std::size_t>(n)}, {kGroup}); });
  }
  const float scale = t == Dtype::f16 ? half_to_float(to_half(1 / (1 - p))) : to_float(1 / (1 - p));
  gpu::Kernel k("features", "dropout", {{"X", t}, {"Y", t}});
  k.arg(x)
      .arg(gpu::dense(call[1]))
      .arg(h)
      .arg(gap)
      .arg(static_cast<std::uint64_t>(std::ceil(p * 0x1p32)))
      .arg(scale)
      .arg(y);
  return gpu::job(out, [k, gap] { k.run({static_cast<std::size_t>(gap)}, {kGroup}); });
}

Route route(std::string_view op, std::string_view route_name, Job (*prepare)(const Call&, const std::vector<Spec>&),
            Order (*order)(const Call&)) {
  return gpu::feature_route(op, route_name, "under 65536 elements: a launch costs more", prepare, order);
}

}  // namespace

std::vector<Route> features_gpu_routes() {
  Route tiled = route("linear", "gpu.tiled", linear, linear_order);
  tiled.supports = {{Stage::shape_dtype, "the channels exceed 32 bits", [](const Call& c, const Device&) {
                       return std::max(c.shape(0)[1], c.shape(1)[0]) <= std::numeric_limits<std::int32_t>::max() - 64;
                     }}};
  return {tiled, route("activation", "gpu.each", activation, activation_order),
          route("dropout", "gpu.threefry", dropout, nullptr)};
}

}  // namespace plumb
