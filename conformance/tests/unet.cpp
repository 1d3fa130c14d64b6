// A small network from end to end, on every tier: strided convolution and pooling downward, transposed convolution at
// an explicit target upward, skips by concatenation, rectifiers, a linear head. Each operation's result is compared
// with the run of the references within the bound that docs/bounds.md composes from the bounds of the operations.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/fill.h"
#include "core/lattice.h"
#include "core/route.h"

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

using Bounds = std::map<const void*, Reals>;  // by the storage of a reference result

bool inexact(const Tensor& t) { return t.defined() && is_inexact(t.dtype()); }

// |x| + b for each input that the network computed, |w| for each that it was given; `only_b`: b and 0 in their place,
// but |w| for the operand that multiplies. In f32, rounded up.
Call magnitudes(const Call& call, const Bounds& bounds, bool only_b) {
  std::vector<Tensor> in = call.in;
  const bool sum = call.op->name == "add";
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!inexact(in[i])) continue;
    const auto b = bounds.find(&in[i].storage());
    const bool constant_term = b == bounds.end() && (sum || call.op->inputs[i] == "bias?");
    Reals m = reals(widen(in[i]));
    for (std::int64_t k = 0; k < m.size(); ++k) {
      const double own = std::isfinite(m[k]) ? std::abs(m[k]) : 0, error = b == bounds.end() ? 0 : b->second[k];
      m[k] = (only_b && (constant_term || b != bounds.end()) ? error : own + error) * (1 + 0x1p-20);
    }
    in[i] = narrow(m, Dtype::f32);
  }
  return make_call(*call.op, std::move(in), call.attrs);
}

// How far a route may stray from the reference when its inputs stray as they may: docs/bounds.md.
Reals allowed(const Step& reference, const Step& route, std::size_t output, const Bounds& bounds) {
  const Call& call = reference.call;
  using Class = Tolerance::Class;
  const Class kind = call.op->tolerance.kind;
  const bool carries = std::any_of(call.in.begin(), call.in.end(),
                                   [&](const Tensor& t) { return t.defined() && bounds.contains(&t.storage()); });
  const Dtype type = reference.out[output].dtype();
  const Reals y = reals(widen(reference.out[output]));
  Reals b(y.shape);
  if (carries) b = reals(call.op->oracle(magnitudes(call, bounds, true))[output]);
  const double u = info(type).unit_roundoff();
  Reals G(y.shape);
  if (kind == Class::accumulate) G = reals(call.op->oracle(magnitudes(call, bounds, false))[output]);
  const std::int64_t n = kind == Class::accumulate ? call.op->tolerance.terms(call) : 0;
  for (std::int64_t k = 0; k < b.size(); ++k) {
    const double carried = std::isfinite(b[k]) ? b[k] : 0, c = std::abs(y[k]) + carried;
    double own = 0;
    if (kind == Class::accumulate)
      own = accumulate_bound(c, G[k], n, route.route->order ? route.route->order(call) : Order{}, type, 0x1p-53);
    if (kind != Class::exact) own += 2 * u * c + info(type).min_subnormal;  // both results are rounded
    b[k] = carried + own;
  }
  return b;
}

std::int64_t active_rows(const Step& s, std::size_t output) {
  const std::vector<Tensor> part = active(s.call, s.out);
  return part[output].rank() > 0 ? part[output].dim(0) : 1;
}

// Walks both runs; true rows of every result must agree: whole numbers exactly, features within their bound.
// Gives the worst error / allowed.
double compare_runs(const Trace& want, const Trace& got) {
  EXPECT_EQ(want.size(), got.size());
  Bounds bounds;
  std::map<const void*, std::int64_t> known;  // active rows of a reference result, for ops that work row by row
  double worst = 0;
  for (std::size_t i = 0; i < std::min(want.size(), got.size()); ++i) {
    EXPECT_EQ(want[i].call.op, got[i].call.op);
    for (std::size_t o = 0; o < want[i].out.size(); ++o) {
      const Tensor &a = want[i].out[o], &b = got[i].out[o];
      EXPECT_EQ(a.spec(), b.spec());
      const bool counted = want[i].call.op->active != nullptr;
      const std::int64_t rows = counted ? active_rows(want[i], o) : known.at(&want[i].call[0].storage());
      EXPECT_TRUE(!counted || rows == active_rows(got[i], o));
      known[&a.storage()] = rows;
      const std::int64_t elements = a.rank() > 1 ? rows * a.dim(1) : rows;
      if (!inexact(a)) {
        const Integers x = as_integers(widen(a)), y = as_integers(widen(b));
        EXPECT_TRUE(std::equal(x.data.begin(), x.data.begin() + elements, y.data.begin()))
            << want[i].call.op->name << " output " << o;
        continue;
      }
      const Reals x = reals(widen(a)), y = reals(widen(b)), bound = allowed(want[i], got[i], o, bounds);
      for (std::int64_t k = 0; k < elements; ++k) {
        const double error = std::abs(x[k] - y[k]), ratio = error == 0 ? 0 : error / bound[k];
        if (!(ratio <= worst)) worst = ratio;
        if (!(ratio <= 1)) {
          ADD_FAILURE() << want[i].call.op->name << " (step " << i << ", " << got[i].route->name << ") at " << k
                        << ": want " << x[k] << ", got " << y[k] << ", allowed " << bound[k];
          return worst;
        }
      }
      bounds[&a.storage()] = bound;
    }
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
  const Pass reference = whole_run(x, weights, Pool::avg, by_reference);
  double against_reference(const Pass& r) { return compare_runs(reference.trace, r.trace); }
};

TEST_P(Network, HasTheShapeItIsBuiltFor) {
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
  RecordProperty("worst", std::to_string(against_reference(r)));
}

TEST_P(Network, OnADevice) {
  if (current_device().tier == Tier::unavailable) GTEST_SKIP() << "no OpenCL device";
  const Pass r = whole_run(x, weights, Pool::avg, on_tier(Tier::gpu));
  EXPECT_TRUE(used(r.trace, "gpu."));
  RecordProperty("worst", std::to_string(against_reference(r)));
}

TEST_P(Network, OnADeviceThroughout) {
  if (current_device().tier == Tier::unavailable) GTEST_SKIP() << "no OpenCL device";
  const Pass r = whole_run(x, weights, Pool::avg, on_device);
  EXPECT_FALSE(used(r.trace, "cpu."));
  RecordProperty("worst", std::to_string(against_reference(r)));
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

// The judge of this file sees a fault: one voxel's feature off by four parts in a thousand, early on.
TEST(WholeNumbers, AreNotAFaultThatPasses) {
  const SparseTensor x = input(900, 16, Dtype::f32, "uniform");
  const Weights weights(Dtype::f32, "uniform", 0.12);
  const Pass reference = whole_run(x, weights, Pool::avg, by_reference);
  Pass r = whole_run(x, weights, Pool::avg, on_tier(Tier::unavailable));
  EXPECT_LE(compare_runs(reference.trace, r.trace), 1);
  r.trace[0].out[1].write<float>()[5] *= 1.004f;
  EXPECT_NONFATAL_FAILURE(compare_runs(reference.trace, r.trace), "allowed");
}

}  // namespace
}  // namespace plumb::lattice
