// Derivatives of sparse convolutions on the CPU. The gradient of features is the same product over the edges grouped
// by input, with transposed weights; the tangent is two products in one sum; the gradient of weights is a dense product
// per kernel row, over gathered rows.
#include <algorithm>
#include <cstring>
#include <memory>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/gather_product.h"
#include "optimized/gemm.h"

namespace plumb {
namespace {

using namespace cpu;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// A part of the edges of one kernel row.
struct Part {
  std::int64_t kernel, begin, end;
};

// Parts whose sums are added in sequence: their number follows from the edges alone, so that results do too.
std::vector<Part> parts_of(const KernelEdges& edges) {
  constexpr std::int64_t kLeast = 4096, kMost = 128;  // edges of a part, parts of all kernel rows
  const std::int64_t kernels = std::ssize(edges.offsets) - 1;
  std::vector<Part> parts;
  for (std::int64_t k = 0; k < kernels; ++k) {
    const std::int64_t first = edges.offsets[index(k)], n = edges.offsets[index(k) + 1] - first;
    const std::int64_t count = std::clamp<std::int64_t>(n / kLeast, 1, std::max<std::int64_t>(1, kMost / kernels));
    for (std::int64_t p = 0; p < count; ++p) parts.push_back({k, first + n * p / count, first + n * (p + 1) / count});
  }
  return parts;
}

// dW[k] = sum over edges (i,o,k) of X[i]^T G[o]
class WeightGradient {
 public:
  WeightGradient(const KernelEdges& edges, const Tensor& x, const Tensor& g)
      : edges_(edges), x_(contiguous(x)), g_(contiguous(g)), rows_(x_.dim(1)), columns_(g_.dim(1)), parts_(parts_of(edges)),
        sums_(std::ssize(parts_) * rows_ * columns_) {}

  // (kernels, rows, columns) in f32
  std::vector<float> run() {
    const std::int64_t cell = rows_ * columns_, kernels = std::ssize(edges_.offsets) - 1;
    std::vector<float> out(index(kernels * cell), 0.0F);
    if (cell == 0) return out;
    parallel_each(std::ssize(parts_), [&](std::int64_t p) { sum(parts_[index(p)], sums_.data + p * cell); });
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      float* to = out.data() + parts_[p].kernel * cell;
      const float* from = sums_.data + static_cast<std::int64_t>(p) * cell;
      for (std::int64_t i = 0; i < cell; ++i) to[i] += from[i];
    }
    return out;
  }

 private:
  void sum(const Part& part, float* to) const {
    constexpr std::int64_t kGathered = 512;  // rows of either side that stay in the second level cache
    const std::int64_t bytes = info(x_.dtype()).bytes, n = std::min(kGathered, part.end - part.begin);
    std::fill_n(to, rows_ * columns_, 0.0F);
    std::vector<std::byte> x(index(n * rows_ * bytes)), g(index(n * columns_ * bytes));
    for (std::int64_t first = part.begin; first < part.end; first += kGathered) {
      const std::int64_t count = std::min(kGathered, part.end - first);
      gather(x_, edges_.in.data() + first, count, x.data());
      gather(g_, edges_.out.data() + first, count, g.data());
      gemm(rows_, columns_, count, {x.data(), x_.dtype(), 1, rows_}, {g.data(), g_.dtype(), columns_, 1}, to, columns_, true);
    }
  }

  static void gather(const Tensor& from, const std::int32_t* rows, std::int64_t n, std::byte* to) {
    const std::size_t row = index(from.dim(1) * info(from.dtype()).bytes);
    const std::byte* data = from.read<std::byte>();
    for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + index(i) * row, data + index(rows[i]) * row, row);
  }

  const KernelEdges& edges_;
  Tensor x_, g_;
  std::int64_t rows_, columns_;
  std::vector<Part> parts_;
  Block<float> sums_;  // of each part
};

// sum over all rows, in blocks
std::vector<float> column_sums(const Floats& rows, std::int64_t n, std::int64_t columns) {
  constexpr std::int64_t kRows = 2048;
  const std::int64_t blocks = (n + kRows - 1) / kRows;
  std::vector<float> partial(index(blocks * columns), 0.0F), sums(index(columns), 0.0F);
  parallel_each(blocks, [&](std::int64_t b) {
    float* to = partial.data() + b * columns;
    for (std::int64_t i = b * kRows; i < std::min(n, (b + 1) * kRows); ++i)
      for (std::int64_t c = 0; c < columns; ++c) to[c] += rows.data()[i * columns + c];
  });
  for (std::int64_t b = 0; b < blocks; ++b)
    for (std::int64_t c = 0; c < columns; ++c) sums[index(c)] += partial[index(b * columns + c)];
  return sums;
}

void* begin_of(const Tensor& t) { return t.size() > 0 ? static_cast<void*>(t.write<std::byte>()) : nullptr; }

struct GradientPlan {
  GatherPlan inputs;
  KernelEdges kernels;
  std::int64_t active;  // input rows
};

void store_weight(const Call& call, const std::vector<float>& sums, const Tensor& to) {
  if (to.size() == 0) return;
  const WeightStrides s = weight_strides(call);
  const std::int64_t in = call.shape(call.index("features"))[1], out = call.shape(call.index("cotangent"))[1];
  if (s.column == 1) return store_floats(sums.data(), to.size(), to.dtype(), begin_of(to), 0);
  std::vector<float> arranged(sums.size());
  for (std::int64_t k = 0; k < to.size() / (in * out); ++k)
    for (std::int64_t a = 0; a < in; ++a)
      for (std::int64_t c = 0; c < out; ++c)
        arranged[index(k * s.kernel + a * s.channel + c * s.column)] = sums[index((k * in + a) * out + c)];
  store_floats(arranged.data(), to.size(), to.dtype(), begin_of(to), 0);
}

void feature_gradient(const Call& call, const GradientPlan& plan, const Floats& cotangent, const Tensor& to) {
  if (to.size() == 0) return;
  const std::int64_t in = to.dim(1), out = call.shape(call.index("cotangent"))[1];
  const std::int64_t bytes = info(to.dtype()).bytes;
  const WeightStrides s = weight_strides(call);
  const Floats weight(call["weight"]);
  const std::int64_t kernels = std::ssize(plan.kernels.offsets) - 1;
  const Panels transposed(weight.data(), {s.kernel, s.column, s.channel}, kernels, out, in);
  const Factor factor{cotangent.data(), &transposed};
  void* data = begin_of(to);
  plan.inputs.run({&factor, 1}, [&](std::int64_t i, const float* sums) { store_floats(sums, in, to.dtype(), data, i * in); });
  std::memset(static_cast<std::byte*>(data) + plan.active * in * bytes, 0, index((to.dim(0) - plan.active) * in * bytes));
}

template <RelationKind base>
Job vjp(const Call& call, const std::vector<Spec>& specs) {
  const CallRelation r(call, base);
  const std::int64_t given = call.shape(call.index("cotangent"))[0];
  if (given < r.edges.outputs)
    call.fail(Reason::domain, std::to_string(given) + " cotangent rows for " + std::to_string(r.edges.outputs) + " outputs");
  const auto plan = std::make_shared<GradientPlan>(
      GradientPlan{{by_input(r.edges, r.in.count), nearby_order(r.in), specs[0].shape[1]}, by_kernel(r.edges), r.in.count});
  const auto out = std::make_shared<std::vector<Tensor>>();
  for (const Spec& s : specs) out->emplace_back(s);
  return {[call, plan, out] {
            const Floats cotangent(call["cotangent"]);
            feature_gradient(call, *plan, cotangent, (*out)[0]);
            store_weight(call, WeightGradient(plan->kernels, call["features"], call["cotangent"]).run(), (*out)[1]);
            const Tensor& bias = (*out)[2];
            const Shape& g = call.shape(call.index("cotangent"));
            store_floats(column_sums(cotangent, g[0], g[1]).data(), bias.size(), bias.dtype(), begin_of(bias), 0);
          },
          [] {}, [out] { return *out; }};
}

struct TangentPlan {
  GatherPlan outputs;
  Support support;
};

void tangent(const Call& call, const TangentPlan& plan, const std::vector<Tensor>& out) {
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
  const Tensor given = call.has("tangent_bias") ? call["tangent_bias"] : tensor(to.dtype(), {width}, std::vector<double>(index(width)));
  const Floats bias(given);
  void* data = begin_of(to);
  plan.outputs.run(factors, [&](std::int64_t o, float* sums) {
    for (std::int64_t c = 0; c < width; ++c) sums[c] += bias.data()[c];
    store_floats(sums, width, to.dtype(), data, o * width);
  });
}

template <RelationKind base>
Job jvp(const Call& call, const std::vector<Spec>& specs) {
  const CallRelation r(call, base);
  const auto plan = std::make_shared<TangentPlan>(
      TangentPlan{{by_output(r.edges), nearby_order(r.edges.out_rows), specs[1].shape[1]}, Support(r.edges)});
  const auto out = std::make_shared<std::vector<Tensor>>();
  for (const Spec& s : specs) out->emplace_back(s);
  return {[call, plan, out] { tangent(call, *plan, *out); }, [] {}, [out] { return *out; }};
}

// One chain is the longest of the orders that occur: parts of a sum are added in fewer steps than there are terms.
Order order(const Call&) { return gather_order(); }

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op, .name = "cpu.gather", .supports = {}, .prefers = {}, .order = order, .prepare = prepare,
          .prepares = "the relation"};
}

}  // namespace

std::vector<Route> conv_gradient_cpu_routes() {
  using enum RelationKind;
  return {route("conv3d_vjp", vjp<forward>),
          route("subm_conv3d_vjp", vjp<submanifold>),
          route("conv_transpose3d_vjp", vjp<transposed>),
          route("generative_conv_transpose3d_vjp", vjp<generative>),
          route("conv3d_jvp", jvp<forward>),
          route("subm_conv3d_jvp", jvp<submanifold>),
          route("conv_transpose3d_jvp", jvp<transposed>),
          route("generative_conv_transpose3d_jvp", jvp<generative>)};
}

}  // namespace plumb
