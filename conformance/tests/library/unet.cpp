// A small network from end to end, on every tier: strided convolution and pooling downward, transposed convolution at
// an explicit target upward, skips by concatenation, rectifiers, a linear head. Each operation's result is compared
// with its oracle on the inputs that the run really gave it.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/fill.h"
#include "core/route.h"
#include "library/sparse.h"

namespace plumb::lattice {
namespace {

struct Step {
  Call call;
  const Route* route;
  std::vector<Tensor> out;
};
using Trace = std::vector<Step>;
using Choose = std::function<const Route*(const Call&)>;

Runner traced(Trace& to, Choose choose) {
  return [&to, choose = std::move(choose)](const Call& call) {
    const Route* route = choose(call);
    to.push_back({call, route, run(call, *route)});
    return to.back().out;
  };
}

const Route* by_reference(const Call& c) { return &find_route(*c.op, kReference); }

// The natural route on a machine of this tier, whose device is no host processor.
Choose on_tier(Tier tier) {
  return [tier](const Call& c) {
    Device d = current_device();
    d.facts.is_cpu = false;
    d.tier = tier;
    return select(c, d).route;
  };
}

// Routes of the device wherever there is one, whatever they prefer.
const Route* on_device(const Call& c) {
  for (const Route& r : routes(*c.op))
    if (r.needs != Tier::unavailable && refusal(r, c, current_device()).empty()) return &r;
  return select(c, current_device()).route;
}

// Weights of a network, in the order of their use.
class Weights {
 public:
  Weights(Dtype type, std::string fill, double scale) : type_(type), fill_(std::move(fill)), scale_(scale) {}
  Tensor operator()(Shape shape) {
    Wide w = widen(fill({Dtype::f32, std::move(shape)}, fill_, ++key_));
    for (double& v : std::get<Reals>(w).data) v *= scale_;
    return narrow(w, type_);
  }

 private:
  static Tensor fill(const Spec& s, const std::string& name, std::uint64_t key) { return plumb::fill(s, name, key); }
  Dtype type_;
  std::string fill_;
  double scale_;
  std::uint64_t key_ = 100;
};

constexpr KernelSpec kDown{.size = {2, 2, 2}, .stride = {2, 2, 2}};
constexpr Triple kThree{3, 3, 3};

// Two levels down and up again. Weights are drawn in the order of the lines.
SparseTensor network(const SparseTensor& x, Weights weight, Pool pool, const Runner& r) {
  const std::int64_t c = x.channels();
  const auto block = [&](const SparseTensor& in, std::int64_t out) {
    const Tensor w = weight({27, in.channels(), out}), bias = weight({out});
    return activation(subm_conv3d(in, w, bias, kThree, {1, 1, 1}, r), "relu", r);
  };
  const auto up = [&](const SparseTensor& in, const SparseTensor& to) {
    const Tensor w = weight({8, in.channels(), c});
    return sparse_cat(conv_transpose3d(in, w, {}, kDown, to, r), to, Kind::inner, r);
  };
  const SparseTensor fine = block(x, c);
  const Tensor w = weight({8, c, 2 * c}), bias = weight({2 * c});
  const SparseTensor middle = block(conv3d(fine, w, bias, kDown, {}, r), 2 * c);
  const SparseTensor coarse = block(pool3d(pool, middle, kDown, r), 2 * c);
  const SparseTensor out = block(up(block(up(coarse, middle), c), fine), c);
  const Tensor head = weight({5, c}), head_bias = weight({5});
  return linear(out, head, head_bias, r);
}

SparseTensor input(std::int64_t n, std::int64_t channels, Dtype type, const std::string& values) {
  const Tensor coords = fill({Dtype::i32, {n, 4}}, "sites_scan-2", 1),
               active = tensor(Dtype::i32, {1}, {static_cast<double>(n - 7)});
  return {coords, narrow(widen(fill({Dtype::f32, {n, channels}}, values, 2)), type), {.active_rows = active}};
}

// Every step is judged by its oracle on the inputs that this run gave it, within the bound of its own class and order:
// nothing is composed, so a fault of the last step weighs as much as one of the first. Gives the worst error / allowed.
double judge_steps(const Trace& trace) {
  double worst = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const Step& s = trace[i];
    const Deviation d =
        compare(s.call, s.call.op->oracle(s.call), magnitude(s.call), order_of(*s.route, s.call), s.out);
    EXPECT_TRUE(d.ok()) << s.call.op->name << " (step " << i << ", " << s.route->name << "): " << to_string(d);
    EXPECT_EQ(d.unbounded, 0) << s.call.op->name << " (step " << i << ")";
    worst = std::max(worst, d.ratio);
  }
  return worst;
}

bool used(const Trace& t, std::string_view prefix) {
  return std::any_of(t.begin(), t.end(), [&](const Step& s) { return s.route->name.starts_with(prefix); });
}

struct Pass {
  Trace trace;
  SparseTensor out;
};
Pass whole_run(const SparseTensor& x, const Weights& w, Pool pool, const Choose& choose) {
  Trace t;
  SparseTensor out = network(x, w, pool, traced(t, choose));
  return {std::move(t), std::move(out)};
}

class Network : public ::testing::TestWithParam<Dtype> {
 protected:
  const SparseTensor x = input(4200, 16, GetParam(), "uniform");
  const Weights weights{GetParam(), "uniform", 0.12};
};

TEST_P(Network, HasTheShapeItIsBuiltFor) {
  const Pass reference = whole_run(x, weights, Pool::avg, by_reference);
  EXPECT_TRUE(reference.out.same_coords(x)) << "down and up again to the very coordinates it began with";
  EXPECT_EQ(reference.out.channels(), 5);
  const Wide y = widen(reference.out.feats());
  double largest = 0;
  for (const double v : reals(y).data) largest = std::max(largest, std::abs(v));
  EXPECT_GT(largest, 0.1) << "not a network of zeros";
  EXPECT_LT(largest, 1e4);
}

TEST_P(Network, OnTheProcessor) {
  const Pass r = whole_run(x, weights, Pool::avg, on_tier(Tier::unavailable));
  EXPECT_TRUE(used(r.trace, "cpu."));
  EXPECT_FALSE(used(r.trace, "reference"));
  RecordProperty("worst", std::to_string(judge_steps(r.trace)));
}

TEST_P(Network, OnADevice) {
  if (current_device().tier == Tier::unavailable) GTEST_SKIP() << "no OpenCL device";
  const Pass r = whole_run(x, weights, Pool::avg, on_tier(Tier::gpu));
  EXPECT_TRUE(used(r.trace, "gpu."));
  RecordProperty("worst", std::to_string(judge_steps(r.trace)));
}

TEST_P(Network, OnADeviceThroughout) {
  if (current_device().tier == Tier::unavailable) GTEST_SKIP() << "no OpenCL device";
  const Pass r = whole_run(x, weights, Pool::avg, on_device);
  EXPECT_FALSE(used(r.trace, "cpu."));
  RecordProperty("worst", std::to_string(judge_steps(r.trace)));
}

INSTANTIATE_TEST_SUITE_P(Types, Network, ::testing::Values(Dtype::f32, Dtype::f16),
                         [](const auto& i) { return std::string(name(i.param)); });

// Whole numbers, greatest values in place of averages: nothing is rounded anywhere, so every tier gives the same bits.
TEST(WholeNumbers, GoThroughTheNetworkExactly) {
  const SparseTensor x = input(900, 4, Dtype::f32, "int-1");
  const Weights weights(Dtype::f32, "int-1", 1);
  const Pass reference = whole_run(x, weights, Pool::max, by_reference);
  const std::int64_t elements = x.active_count() * 5;
  const float* want = reference.out.feats().read<float>();
  EXPECT_LT(std::abs(*std::max_element(want, want + elements)), 0x1p24f);
  std::vector<Choose> others{on_tier(Tier::unavailable)};
  if (current_device().tier != Tier::unavailable) others.emplace_back(on_device);
  for (const Choose& choose : others) {
    const Pass r = whole_run(x, weights, Pool::max, choose);
    EXPECT_TRUE(std::equal(want, want + elements, r.out.feats().read<float>()));
  }
}

// A fault of one part in a hundred in one feature is seen in whatever step it is made, the last one too.
TEST(WholeNumbers, AreNotAFaultThatPasses) {
  const SparseTensor x = input(900, 16, Dtype::f32, "uniform");
  const Weights weights(Dtype::f32, "uniform", 0.12);
  Pass r = whole_run(x, weights, Pool::avg, on_tier(Tier::unavailable));
  EXPECT_LE(judge_steps(r.trace), 1);
  for (const std::size_t step : {std::size_t{0}, r.trace.size() / 2, r.trace.size() - 1}) {
    Step& s = r.trace[step];
    for (Tensor& t : s.out) {
      if (t.dtype() != Dtype::f32 || t.size() == 0) continue;
      float& y = t.write<float>()[5];
      const float right = std::exchange(y, y * 1.01F + 1e-3F);
      EXPECT_NONFATAL_FAILURE(judge_steps({s}), "error/allowed");
      y = right;
    }
  }
}

}  // namespace
}  // namespace plumb::lattice
