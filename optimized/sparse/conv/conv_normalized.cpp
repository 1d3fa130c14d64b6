// Normalised sparse convolutions on the CPU: the sums of gather_product.h, divided by the root of the norms of the
// kernel rows that an output met. A kernel row's norms are summed once, in binary64, where no square overflows.
#include <cmath>
#include <memory>

#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/sparse/conv/gather_product.h"

namespace plumb {
namespace {

using namespace cpu;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

struct Plan : ConvolutionPlan {
  Incidence edges;
  Plan(const Relation& r, const std::vector<Spec>& out) : ConvolutionPlan(r, out), edges(by_output(r)) {}
};

// [k][c]: sum over a of W[k,a,c]^2
Room<double> norms_of(const float* w, WeightStrides s, std::int64_t kernels, std::int64_t channels,
                      std::int64_t columns) {
  Room<double> norms(index(kernels * columns), 0.0);
  parallel_for(kernels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      for (std::int64_t a = 0; a < channels; ++a)
        for (std::int64_t c = 0; c < columns; ++c) {
          const double v = w[k * s.kernel + a * s.channel + c * s.column];
          norms[index(k * columns + c)] += v * v;
        }
  });
  return norms;
}

// sums[c] /= sqrt(eps + sum over the edges of output o of norms[k][c])
void normalize(const Incidence& edges, std::int64_t o, const Room<double>& norms, double eps, std::int64_t columns,
               float* sums) {
  thread_local Room<double> norm;
  norm.assign(index(columns), 0.0);
  for (std::int32_t e = edges.offsets[index(o)]; e < edges.offsets[index(o) + 1]; ++e) {
    const double* from = norms.data() + edges.kernel[index(e)] * columns;
    for (std::int64_t c = 0; c < columns; ++c) norm[index(c)] += from[c];
  }
  for (std::int64_t c = 0; c < columns; ++c) sums[c] = static_cast<float>(sums[c] / std::sqrt(norm[index(c)] + eps));
}

bool one_point(const Geometry& g) { return g.volume == 1 && g.dilation == std::array<std::int64_t, 3>{1, 1, 1}; }

template <RelationKind base>
void convolve(const Call& call, const Plan& plan, const std::vector<Tensor>& out) {
  plan.support.store(out);
  const Tensor& to = out[1];
  if (to.size() == 0) return;
  const std::int64_t channels = call.shape(call.index("features"))[1], width = to.dim(1),
                     volume = geometry(call).volume;
  const Floats features(call["features"]), weight(call["weight"]);
  const Panels panels(weight.data(), weight_strides(call), volume, channels, width);
  const bool plain = base == RelationKind::submanifold && one_point(geometry(call));
  const Room<double> norms = norms_of(weight.data(), weight_strides(call), volume, channels, width);
  const double eps = static_cast<float>(call.number("eps"));
  Room<float> bias(index(width), 0.0F);
  if (call.has("bias")) std::copy_n(Floats(call["bias"]).data(), width, bias.data());
  const Factor factor{features.data(), &panels};
  const auto store = into_rows(to);
  plan.outputs.run({&factor, 1}, {}, [&](const Sums& s) {
    for (std::int64_t i = 0; i < s.rows; ++i) {
      float* sums = s.values + i * s.padded;
      if (!plain) normalize(plan.edges, s.order[i], norms, eps, width, sums);
      for (std::int64_t c = 0; c < width; ++c) sums[c] += bias[index(c)];
    }
    store(s);
  });
}

template <RelationKind base>
Route route(std::string_view op) {
  return gather_route(op, [](const Call& call, const std::vector<Spec>& specs) {
    return convolution_job<Plan>(call, specs, base, convolve<base>);
  });
}

}  // namespace

std::vector<Route> conv_normalized_cpu_routes() {
  using enum RelationKind;
  return {route<submanifold>("normalized_subm_conv3d"), route<transposed>("normalized_conv_transpose3d"),
          route<generative>("normalized_generative_conv_transpose3d")};
}

}  // namespace plumb
