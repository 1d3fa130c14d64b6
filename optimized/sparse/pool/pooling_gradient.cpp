// Derivatives of sparse pooling on the CPU: gradients are sums over the edges of each input row, so that no two
// threads write the same row.
#include <algorithm>

#include "core/pool.h"
#include "core/room.h"
#include "optimized/sparse/pool/pooling.h"

namespace plumb {
namespace {

using namespace cpu;

// The edges seen from the inputs: those of row i lie in [offsets[i], offsets[i+1]), ascending.
struct Inverse {
  Room<std::int32_t> offsets;
  Block<std::int32_t> out;
  Room<float> share;  // w / D of each edge, at most 1; empty without weights

  Inverse(const Windows& w, std::int64_t inputs)
      : offsets(static_cast<std::size_t>(inputs) + 1), out(w.relation.edges) {
    const Relation& r = w.relation;
    const Block<std::int32_t> ids(r.edges), row(r.edges);
    group_edges(r.in.data, r.edges, inputs, offsets.data(), ids.data);
    parallel_for(r.outputs, 4096, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o)
        std::fill(row.data + r.offsets[static_cast<std::size_t>(o)],
                  row.data + r.offsets[static_cast<std::size_t>(o) + 1], static_cast<std::int32_t>(o));
    });
    parallel_for(r.edges, 16384, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t j = begin; j < end; ++j) out[j] = row[ids[j]];
    });
    if (w.weight.empty()) return;
    share.resize(static_cast<std::size_t>(r.edges));
    for (std::int64_t j = 0; j < r.edges; ++j)
      share[static_cast<std::size_t>(j)] =
          w.weight[static_cast<std::size_t>(r.kernel[ids[j]])] / w.divisor[static_cast<std::size_t>(out[j])];
  }
};

struct Plan {
  Windows windows;
  Inverse inverse;

  Plan(const Call& call, Pooling kind) : windows(call, kind), inverse(windows, call.shape(0)[0]) {
    if (call["cotangent"].dim(0) < windows.relation.outputs)
      call.fail(Reason::domain, std::to_string(call["cotangent"].dim(0)) + " rows of cotangent for " +
                                    std::to_string(windows.relation.outputs) + " active rows");
  }
  PoolEdges by_input() const {
    return {inverse.offsets.data(), inverse.out.data, nullptr, inverse.share.empty() ? nullptr : inverse.share.data(),
            nullptr};
  }
};

// sum over edges of w / D times G; without weights of G / D, these quotients once for each output row
void linear_gradient(const Plan& plan, const Tensor& cotangent, const Tensor& out) {
  PoolJob job{plan.by_input(), pool_rows(cotangent), pool_output(out), out.dim(1), 0, 0};
  Block<float> quotients;
  if (plan.inverse.share.empty() && !plan.windows.divisor.empty()) {
    const std::int64_t rows = plan.windows.relation.outputs;
    quotients = Block<float>(rows * job.channels);
    PoolJob scale{plan.windows.edges(), {}, {quotients.data, false}, job.channels, 0, 0};
    scale.seed = job.x;
    run_rows(PLUMB_DISPATCH(pool_scale), scale, rows);
    job.x = {quotients.data, false};
  }
  run_rows(PLUMB_DISPATCH(pool_sum), job, out.dim(0));
}

void max_gradient(const Plan& plan, const Tensor& features, const Tensor& cotangent, const Tensor& out) {
  const std::int64_t rows = plan.windows.relation.outputs, channels = out.dim(1);
  const Block<float> best(rows * channels), share(rows * channels);
  PoolJob ties{plan.windows.edges(), pool_rows(features), {share.data, false}, channels, 0, 0};
  ties.seed = pool_rows(cotangent);
  ties.best = best.data;
  run_rows(PLUMB_DISPATCH(pool_ties), ties, rows);
  PoolJob job{plan.by_input(), ties.x, pool_output(out), channels, 0, 0};
  job.bests = best.data;
  job.share = share.data;
  run_rows(PLUMB_DISPATCH(pool_selected), job, out.dim(0));
}

template <Pooling kind>
Job prepare_vjp(const Call& call, const std::vector<Spec>& specs) {
  const auto plan = std::make_shared<Plan>(call, kind);
  const auto out = fresh(specs);
  return {[call, plan, out] {
            const Tensor cotangent = contiguous(call["cotangent"]);
            if (kind == Pooling::max) max_gradient(*plan, contiguous(call["features"]), cotangent, (*out)[0]);
            else linear_gradient(*plan, cotangent, (*out)[0]);
          },
          [] {}, [out] { return *out; }};
}

// Windows whose edges come in order of the input row, which for one output is the order of in * K + k.
std::shared_ptr<Windows> by_rank(const Call& call, Pooling kind) {
  auto w = std::make_shared<Windows>(call, kind);
  Relation& r = w->relation;
  if (kind != Pooling::max) return w;
  parallel_for(r.outputs, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o)
      std::sort(r.in.data + r.offsets[static_cast<std::size_t>(o)],
                r.in.data + r.offsets[static_cast<std::size_t>(o) + 1]);
  });
  return w;
}

template <Pooling kind>
Job prepare_jvp(const Call& call, const std::vector<Spec>& specs) {
  const std::shared_ptr<Windows> windows = by_rank(call, kind);
  const auto out = fresh(specs);
  return {[call, windows, out] {
            store_counts(*windows, (*out)[1]);
            const Tensor features = contiguous(call["features"]), tangent = contiguous(call["tangent"]);
            PoolJob job{windows->edges(),
                        pool_rows(kind == Pooling::max ? features : tangent),
                        pool_output((*out)[0]),
                        features.dim(1),
                        0,
                        0};
            job.seed = pool_rows(tangent);
            run_rows(kind == Pooling::max ? PLUMB_DISPATCH(pool_winners) : PLUMB_DISPATCH(pool_sum), job,
                     windows->relation.outputs);
          },
          [] {}, [out] { return *out; }};
}

// Before a term is summed, a quotient is rounded; behind weights its two sides too.
template <Pooling kind>
Order vjp_order(const Call&) {
  Order o;
  if (kind != Pooling::sum) o.prologue = 1;
  if (kind == Pooling::trilinear) o.fma = isa() != Isa::base, o.prologue = 3;
  return o;
}

Order sum_order(const Call&) { return {}; }
Order mean_order(const Call&) {
  Order o;
  o.epilogue = 1;
  return o;
}

template <Pooling kind>
Route vjp_route(std::string_view op) {
  return {.op = op,
          .name = "cpu.rows",
          .supports = {},
          .prefers = {},
          .order = vjp_order<kind>,
          .prepare = prepare_vjp<kind>,
          .prepares = "the relation"};
}

template <Pooling kind>
Route jvp_route(std::string_view op) {
  return {.op = op,
          .name = "cpu.rows",
          .supports = {},
          .prefers = {},
          .order = kind == Pooling::max   ? nullptr
                   : kind == Pooling::avg ? mean_order
                                          : sum_order,
          .prepare = prepare_jvp<kind>,
          .prepares = "the relation"};
}

}  // namespace

std::vector<Route> pooling_gradient_cpu_routes() {
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
