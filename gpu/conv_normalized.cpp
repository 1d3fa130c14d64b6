// Normalised sparse convolutions on the device: see add_products in kernels/edge_product.cl.
#include <memory>

#include "gpu/edge_product.h"

namespace plumb {
namespace {

using namespace gpu;

std::int32_t small(std::int64_t v) { return static_cast<std::int32_t>(v); }

bool one_point(const Geometry& g) {
  constexpr std::size_t kDilation = 9;
  return g.kernels == 1 && g.values[kDilation] == 1 && g.values[kDilation + 1] == 1 && g.values[kDilation + 2] == 1;
}

// [k][c]: sum over a of W[k,a,c]^2
BufferPtr add_norms(Steps& s, const Sum& sum, std::int64_t kernels) {
  const BufferPtr norms = scratch(static_cast<std::size_t>(4 * kernels * sum.columns));
  const Factor& f = sum.factors[0];
  Kernel k("edge_product", "sum_squares", "-DFROM_" + std::string(sum.dtype) + " -DCOLUMNS=16");
  k.arg(f.weight).arg(norms).arg(small(kernels)).arg(small(sum.channels)).arg(small(sum.columns));
  s.run(k.arg(f.strides.kernel).arg(f.strides.channel).arg(f.strides.column), kernels * sum.columns);
  return norms;
}

template <RelationKind base>
Job prepare(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const KernelEdges e(call, base);
  const auto steps = std::make_shared<Steps>();
  add_copy(*steps, e.coords, out[0]);
  add_copy(*steps, e.counts, out[2]);
  Sum sum;
  sum.source = e.in;
  sum.factors = {{dense(call["features"]), dense(call["weight"]), weight_strides(call)}};
  sum.channels = call.shape(call.index("features"))[1], sum.columns = out[1].dim(1);
  sum.dtype = name(out[1].dtype());
  sum.y = output(out[1]);
  if (call.has("bias")) sum.bias = dense(call["bias"]);
  if (base != RelationKind::submanifold || !one_point(e.geometry))
    sum.norms = add_norms(*steps, sum, e.geometry.kernels);
  sum.eps = static_cast<float>(call.number("eps"));
  add_sums(*steps, e, by_output(e), sum);
  return job(out, [steps] { steps->enqueue(); });
}

// OpenCL allows a root 3 ulp and a quotient 2.5.
Order chain(const Call&) {
  Order o;
  o.fma = true;
  o.function_ulps = 3;
  return o;
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op,
          .name = "gpu.edges",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost,
                      {Stage::shape_dtype, "under 65536 features: the launches cost more",
                       [](const Call& c, const Device&) {
                         const Shape& x = c.shape(c.index("features"));
                         return x[0] * x[1] >= 1 << 16;
                       }}},
          .order = chain,
          .prepare = prepare,
          .prepares = "the relation"};
}

}  // namespace

std::vector<Route> conv_normalized_gpu_routes() {
  using enum RelationKind;
  return {route("normalized_subm_conv3d", prepare<submanifold>),
          route("normalized_conv_transpose3d", prepare<transposed>),
          route("normalized_generative_conv_transpose3d", prepare<generative>)};
}

}  // namespace plumb
