// Derivatives of sparse convolutions on the CPU. The gradient of features is the same product over the edges grouped
// by input, with transposed weights; the tangent is two products in one sum; the gradient of weights is a sum of outer
// products of gathered rows, by block of outputs and kernel row.
#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/sparse/conv/conv_gradient_kernels.h"
#include "optimized/sparse/conv/gather_product.h"

namespace plumb {
namespace {

using namespace cpu;

constexpr Limit kMaxParts{"conv_gradient.parts", 32, 3};       // of a sum over blocks
constexpr Limit kMemory{"conv_gradient.memory", 1 << 26, 64};  // sums of all parts
constexpr Limit kBatch{"conv_gradient.batch", 64, 6};          // pairs whose rows stay in cache while the tiles pass
constexpr Limit kRows{"conv_gradient.rows", 2048, 8};          // of a block of a sum over all rows

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// dW[k] = sum over edges (i,o,k) of X[i]^T G[o], over blocks of outputs that lie near each other, so that their rows
// stay in cache from one kernel row to the next. Parts, whose number follows from the sizes alone, are added in
// sequence.
class WeightGradient {
 public:
  WeightGradient(const GatherPlan& outputs, std::int64_t kernels, const Floats& x, std::int64_t rows, const Floats& g,
                 std::int64_t columns)
      : outputs_(outputs), x_(x), g_(g), rows_(rows), columns_(columns) {
    const std::int64_t lanes = PLUMB_DISPATCH(outer_lanes)();
    padded_ = (columns + lanes - 1) / lanes * lanes;
    size_ = kernels * rows * padded_;
    const std::int64_t blocks = std::max<std::int64_t>(1, outputs.blocks()), most = kMaxParts.of(blocks);
    const std::int64_t fit = kMemory.of(size_ * std::min(most, blocks)) / std::max<std::int64_t>(size_, 1);
    parts_ = std::clamp<std::int64_t>(std::min(most, fit), 1, blocks);
  }

  // Calls store(row, sums) for each of the (kernels, rows) lines of columns.
  void run(const std::function<void(std::int64_t, const float*)>& store) {
    if (size_ == 0) return;
    const Block<float> sums(parts_ * size_);
    parallel_each(parts_, [&](std::int64_t p) { sum(p, sums.data + p * size_); });
    parallel_for(size_ / padded_, 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t line = begin; line < end; ++line) {
        float* to = sums.data + line * padded_;
        for (std::int64_t p = 1; p < parts_; ++p)
          for (std::int64_t c = 0; c < columns_; ++c) to[c] += to[p * size_ + c];
        store(line, to);
      }
    });
  }

 private:
  void sum(std::int64_t part, float* to) const {
    Room<std::int32_t> out;
    std::fill_n(to, size_, 0.0F);
    for (std::int64_t b = outputs_.blocks() * part / parts_; b < outputs_.blocks() * (part + 1) / parts_; ++b)
      outputs_.each(b, [&](const GatherPlan::Pairs& p) {
        out.resize(index(p.count));
        for (std::int64_t i = 0; i < p.count; ++i) out[index(i)] = p.order[p.local[i]];
        PLUMB_DISPATCH(add_outer_products)
        ({x_.data(), g_.data(), p.source, out.data(), p.count, rows_, columns_, to + p.kernel * rows_ * padded_,
          padded_, kBatch.of(p.count)});
      });
  }

  const GatherPlan& outputs_;
  const Floats &x_, &g_;
  std::int64_t rows_, columns_, padded_, size_, parts_;
};

// sum over all rows, in blocks
Room<float> column_sums(const Floats& rows, std::int64_t n, std::int64_t columns) {
  const std::int64_t each = kRows.of(n), blocks = (n + each - 1) / each;
  Room<float> partial(index(blocks * columns), 0.0F), sums(index(columns), 0.0F);
  parallel_each(blocks, [&](std::int64_t b) {
    float* to = partial.data() + b * columns;
    for (std::int64_t i = b * each; i < std::min(n, (b + 1) * each); ++i)
      for (std::int64_t c = 0; c < columns; ++c) to[c] += rows.data()[i * columns + c];
  });
  for (std::int64_t b = 0; b < blocks; ++b)
    for (std::int64_t c = 0; c < columns; ++c) sums[index(c)] += partial[index(b * columns + c)];
  return sums;
}

void* begin_of(const Tensor& t) { return t.size() > 0 ? static_cast<void*>(t.write<std::byte>()) : nullptr; }

struct GradientPlan {
  GatherPlan inputs, outputs;
  std::int64_t active;  // input rows
};

void weight_gradient(const Call& call, const GradientPlan& plan, const Floats& cotangent, const Tensor& to) {
  if (to.size() == 0) return;
  const std::int64_t in = call.shape(call.index("features"))[1], out = call.shape(call.index("cotangent"))[1];
  const WeightStrides s = weight_strides(call);
  const Floats features(call["features"]);
  void* data = begin_of(to);
  WeightGradient(plan.outputs, geometry(call).volume, features, in, cotangent, out)
      .run([&](std::int64_t line, const float* sums) {
        const std::int64_t at = line / in * s.kernel + line % in * s.channel;
        if (s.column == 1) return store_floats(sums, out, to.dtype(), data, at);
        for (std::int64_t c = 0; c < out; ++c) store_floats(sums + c, 1, to.dtype(), data, at + c * s.column);
      });
}

void feature_gradient(const Call& call, const GradientPlan& plan, const Floats& cotangent, const Tensor& to) {
  if (to.size() == 0) return;
  const std::int64_t in = to.dim(1), out = call.shape(call.index("cotangent"))[1];
  const std::int64_t bytes = info(to.dtype()).bytes;
  const WeightStrides s = weight_strides(call);
  const Floats weight(call["weight"]);
  const Panels transposed(weight.data(), {s.kernel, s.column, s.channel}, geometry(call).volume, out, in);
  const Factor factor{cotangent.data(), &transposed};
  plan.inputs.run({&factor, 1}, {}, into_rows(to));
  std::memset(to.write<std::byte>() + plan.active * in * bytes, 0, index((to.dim(0) - plan.active) * in * bytes));
}

template <RelationKind base>
Job vjp(const Call& call, const std::vector<Spec>& specs) {
  const CallRelation r(call, base);
  const std::int64_t given = call.shape(call.index("cotangent"))[0];
  if (given < r.edges.outputs)
    call.fail(Reason::domain,
              std::to_string(given) + " cotangent rows for " + std::to_string(r.edges.outputs) + " outputs");
  const std::int64_t channels = specs[0].shape[1];
  const auto plan = std::make_shared<GradientPlan>(
      GradientPlan{{by_input(r.edges, r.in.count), nearby_order(r.in), channels},
                   {by_output(r.edges), nearby_order(r.edges.out_rows), channels + specs[2].shape[0]},
                   r.in.count});
  const auto out = std::make_shared<std::vector<Tensor>>();
  for (const Spec& s : specs) out->emplace_back(s);
  return {[call, plan, out] {
            const Floats cotangent(call["cotangent"]);
            feature_gradient(call, *plan, cotangent, (*out)[0]);
            weight_gradient(call, *plan, cotangent, (*out)[1]);
            const Tensor& bias = (*out)[2];
            const Shape& g = call.shape(call.index("cotangent"));
            store_floats(column_sums(cotangent, g[0], g[1]).data(), bias.size(), bias.dtype(), begin_of(bias), 0);
          },
          [] {}, [out] { return *out; }};
}

void tangent(const Call& call, const ConvolutionPlan& plan, const std::vector<Tensor>& out) {
  plan.support.store(out);
  const Tensor& to = out[1];
  if (to.size() == 0) return;
  const Shape& x = call.shape(call.index("features"));
  const std::int64_t width = to.dim(1), volume = geometry(call).volume;
  const Floats features(call["features"]), tangent_features(call["tangent_features"]);
  const Floats weight(call["weight"]), tangent_weight(call["tangent_weight"]);
  const Panels w(weight.data(), weight_strides(call), volume, x[1], width);
  const Panels v(tangent_weight.data(), weight_strides(call), volume, x[1], width);
  const Factor factors[] = {{tangent_features.data(), &w}, {features.data(), &v}};
  const Floats bias(call, "tangent_bias");
  plan.outputs.run(factors, bias.values(), into_rows(to));
}

template <RelationKind base>
Job jvp(const Call& call, const std::vector<Spec>& specs) {
  return convolution_job<ConvolutionPlan>(call, specs, base, tangent);
}

}  // namespace

// One chain is the longest of the orders that occur: parts of a sum are added in fewer steps than there are terms.
std::vector<Route> conv_gradient_cpu_routes() {
  using enum RelationKind;
  return {gather_route("conv3d_vjp", vjp<forward>),
          gather_route("subm_conv3d_vjp", vjp<submanifold>),
          gather_route("conv_transpose3d_vjp", vjp<transposed>),
          gather_route("generative_conv_transpose3d_vjp", vjp<generative>),
          gather_route("conv3d_jvp", jvp<forward>),
          gather_route("subm_conv3d_jvp", jvp<submanifold>),
          gather_route("conv_transpose3d_jvp", jvp<transposed>),
          gather_route("generative_conv_transpose3d_jvp", jvp<generative>)};
}

}  // namespace plumb
