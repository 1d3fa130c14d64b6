// Derivatives of sparse pooling on the device: gradients are sums over the edges of each input row, without atomics.
#include "core/with_last.h"
#include "gpu/sparse/pool/pooling.h"

namespace plumb {
namespace {

using namespace gpu;

void add_linear_gradient(Steps& s, const Call& call, const Windows& w, const Tensor& out) {
  RowKernel k("pool_gradient", out.dtype(), w.inputs, out.dim(1));
  k.kernel.arg(dense(call["cotangent"])).arg(output(out)).arg(w.input_offsets).arg(w.input_edges).arg(w.edges.out);
  bind_scale(k.kernel, w);
  s.run(k.kernel, k.items);
}

void add_max_gradient(Steps& s, const Call& call, const Windows& w, const Tensor& out) {
  const BufferPtr x = dense(call["features"]), best = ints(w.rows * out.dim(1)), share = ints(w.rows * out.dim(1));
  RowKernel ties("pool_ties", out.dtype(), w.rows, out.dim(1));
  ties.kernel.arg(x).arg(dense(call["cotangent"])).arg(best).arg(share).arg(w.edges.offsets).arg(w.edges.in);
  s.run(ties.kernel, ties.items);
  RowKernel k("pool_selected", out.dtype(), w.inputs, out.dim(1));
  k.kernel.arg(x).arg(best).arg(share).arg(output(out)).arg(w.input_offsets).arg(w.input_edges).arg(w.edges.out);
  s.run(k.kernel, k.items);
}

// The tangents of the winners.
void add_max_tangent(Steps& s, const Call& call, const Windows& w, const Tensor& out) {
  RowKernel k("pool_winners", out.dtype(), w.rows, out.dim(1));
  k.kernel.arg(dense(call["features"])).arg(dense(call["tangent"])).arg(output(out));
  k.kernel.arg(w.edges.offsets).arg(w.edges.in);
  s.run(k.kernel, k.items);
}

Job prepare_vjp(const Call& call, const std::vector<Spec>& specs, Pooling kind) {
  const std::vector<Tensor> out = outputs(specs);
  const Geometry geometry = pooling_geometry(call, kind);
  const std::int64_t n = call.shape(0)[0];
  const bool targeted = geometry.kind == RelationKind::target_transposed;
  const std::int64_t room = geometry.scatters() ? n * geometry.kernels : targeted ? call["target_coords"].dim(0) : n;
  const Windows w(call, kind, room, true);
  if (call["cotangent"].dim(0) < w.rows)
    call.fail(Reason::domain, std::to_string(call["cotangent"].dim(0)) + " rows of cotangent for " +
                                  std::to_string(w.rows) + " active rows");
  const auto steps = std::make_shared<Steps>();
  if (kind == Pooling::max) add_max_gradient(*steps, call, w, out[0]);
  else add_linear_gradient(*steps, call, w, out[0]);
  return job(out, [steps] { steps->enqueue(); });
}

Job prepare_jvp(const Call& call, const std::vector<Spec>& specs, Pooling kind) {
  const std::vector<Tensor> out = outputs(specs);
  const Windows w(call, kind, specs[0].shape[0], false);
  const auto steps = std::make_shared<Steps>();
  add_copy(*steps, w.edges.counts, out[1], 8);
  if (kind == Pooling::max) add_max_tangent(*steps, call, w, out[0]);
  else add_sums(*steps, w, call["tangent"], out[0]);
  return job(out, [steps] { steps->enqueue(); });
}

// Before a term is summed, a quotient is rounded; behind weights its weight too, and three times its divisor.
template <Pooling kind>
Order vjp_order(const Call&) {
  Order o;
  if (kind != Pooling::sum) o.prologue = 1;
  if (kind == Pooling::trilinear) o.fma = true, o.prologue = 5;
  return o;
}

template <Pooling kind>
Route vjp_route(std::string_view op) {
  return pooling_route(op, with_last<prepare_vjp, kind>, vjp_order<kind>);
}

template <Pooling kind>
Route jvp_route(std::string_view op) {
  return pooling_route(op, with_last<prepare_jvp, kind>, kForwardOrder<kind>);
}

}  // namespace

std::vector<Route> pooling_gradient_gpu_routes() {
  return {vjp_route<Pooling::sum>("sum_pool3d_vjp"),
          vjp_route<Pooling::max>("max_pool3d_vjp"),
          vjp_route<Pooling::avg>("avg_pool3d_vjp"),
          vjp_route<Pooling::transposed>("pool_transpose3d_vjp"),
          vjp_route<Pooling::trilinear>("trilinear_upsample3d_vjp"),
          jvp_route<Pooling::sum>("sum_pool3d_jvp"),
          jvp_route<Pooling::max>("max_pool3d_jvp"),
          jvp_route<Pooling::avg>("avg_pool3d_jvp")};
}

}  // namespace plumb
