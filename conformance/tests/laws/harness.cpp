// The harness judged, from the rows and their cases alone: what the comparator lets pass, what the oracles make of
// inputs with a known answer, whether each route is asked at all, extents that cannot hide an exchange, rows beyond
// the active ones, and the order of rows.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "conformance/check.h"
#include "core/fill.h"

namespace plumb {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

// A call with the oracle's answer, and a perfect route's outputs: the answer rounded once.
struct Answered {
  Call call;
  std::vector<Wide> want, magnitude;
  std::vector<Tensor> out;
  Order order;
};

Order declared(const Call& call) {
  for (const Route& r : routes(*call.op))
    if (r.needs == Tier::unavailable && r.order) return r.order(call);
  return {};
}

Answered answered(const Call& call) {
  Answered a{call, call.op->oracle(call), magnitude(call), {}, declared(call)};
  const std::vector<Spec> specs = output_specs(call);
  for (std::size_t i = 0; i < specs.size(); ++i) a.out.push_back(narrow(a.want[i], specs[i].dtype));
  return a;
}
Answered answered(const Op& op, const Case& c) { return answered(make_call(op, realize(op, c), c.attrs)); }

bool accepted(const Answered& a, const std::vector<Tensor>& out) {
  return compare(a.call, a.want, a.magnitude, a.order, out).ok();
}

Tensor copy(const Tensor& t) {
  Tensor c(t.spec());
  const Tensor dense = contiguous(t);
  if (t.size() > 0)
    std::memcpy(c.write<std::byte>(), dense.read<std::byte>(),
                static_cast<std::size_t>(t.size() * info(t.dtype()).bytes));
  return c;
}

double real_part(const Wide& w, std::int64_t i) {
  return std::visit(
      [&]<class T>(const Array<T>& a) -> double {
        if constexpr (std::is_same_v<T, Complex>) return a[i].real();
        else return static_cast<double>(a[i]);
      },
      w);
}

// One element of an output replaced.
Tensor with(const Tensor& t, std::int64_t i, double value) {
  Tensor out = copy(t);
  const auto bytes = static_cast<std::size_t>(info(t.dtype()).bytes);
  const Tensor one = tensor(t.dtype(), {1}, {value});
  std::memcpy(out.write<std::byte>() + static_cast<std::size_t>(i) * bytes, one.read<std::byte>(), bytes);
  return out;
}

// ---- The comparator

// What comes out where what was wanted: each class of bound by an op that has it, one element, exact in f32.
struct Pair {
  double want, got;
};
constexpr double kMax = std::numeric_limits<float>::max();
const double kValues[] = {kNan, kInf, -kInf, 0.0, -0.0, 1, -1, kMax, -kMax, 0x1p-126};

bool alike(const Pair& p, bool zeros_have_signs) {
  if (std::isnan(p.want) || std::isnan(p.got)) return std::isnan(p.want) && std::isnan(p.got);
  return p.want == p.got && (!zeros_have_signs || std::signbit(p.want) == std::signbit(p.got));
}

TEST(Harness, ASumOfOneTermPassesForItselfAlone) {
  for (const double want : kValues)
    for (const double got : kValues) {
      if (std::abs(want) == kMax && !std::isfinite(got)) continue;  // it may have overflowed on the way
      const Answered a = answered(make_call("sum", {tensor(Dtype::f32, {1}, {want})}));
      EXPECT_EQ(accepted(a, {tensor(Dtype::f32, {}, {got})}), alike({want, got}, false)) << got << " for " << want;
    }
}

// x + -0 is x, also for -0.
TEST(Harness, ARoundedSumPassesForItselfAlone) {
  for (const double want : kValues)
    for (const double got : kValues) {
      const Answered a = answered(make_call("add", {tensor(Dtype::f32, {1}, {want}), tensor(Dtype::f32, {1}, {-0.0})}));
      EXPECT_EQ(accepted(a, {tensor(Dtype::f32, {1}, {got})}), alike({want, got}, true)) << got << " for " << want;
    }
}

// Every class at once: in the answer to every smallest case, an element that is finite gives way to nothing else.
TEST(Harness, NothingStandsForAFiniteElement) {
  std::map<std::string, int> asked;
  for (const Op& op : ops())
    for (const Case& c : cases_of(op, Budget::smoke)) {
      if (asked[std::string(op.name)] >= 3) break;
      const Answered a = answered(op, c);
      const std::vector<Tensor> part = active(a.call, a.out);
      for (std::size_t i = 0; i < a.out.size(); ++i) {
        if (!is_inexact(a.out[i].dtype()) || part[i].size() == 0) continue;
        const Wide values = widen(part[i]);
        for (const std::int64_t at : {std::int64_t{0}, part[i].size() / 2, part[i].size() - 1}) {
          if (!(std::abs(real_part(values, at)) < info(a.out[i].dtype()).max / 1024)) continue;
          for (const double bad : {kNan, kInf, -kInf}) {
            std::vector<Tensor> out = a.out;
            out[i] = with(a.out[i], at, bad);
            EXPECT_FALSE(accepted(a, out)) << id(op, c) << ": " << bad << " in output " << i << " at " << at;
          }
          ++asked[std::string(op.name)];
        }
      }
    }
  for (const Op& op : ops()) {
    const std::vector<Case> cases = cases_of(op, Budget::smoke);
    const bool inexact = std::any_of(cases.begin(), cases.end(), [&](const Case& c) {
      const std::vector<Spec> specs = output_specs(make_call(op, hollow(c), c.attrs));
      return std::any_of(specs.begin(), specs.end(), [](const Spec& s) { return is_inexact(s.dtype); });
    });
    EXPECT_EQ(asked[std::string(op.name)] > 0, inexact) << op.name;
  }
}

// ---- Closed forms

struct Known {
  const char* id;
  double (*at)(std::int64_t i);  // of the first output that is not whole numbers, or of the only one
};

const Known kKnown[] = {
    {"add/f32.7.row.ramp+f32.7.row.ramp/-", [](std::int64_t i) { return 2.0 * double(i); }},
    {"reciprocal/f64.5.row.const-0.125/-", [](std::int64_t) { return 8.0; }},
    {"sum/f32.101.row.ramp/axis=0", [](std::int64_t) { return 5050.0; }},
    {"sum/f64.2x3x5.row.ramp/axis=0:2",  // 15 a + 5 b + c over a < 2, c < 5
     [](std::int64_t b) { return 15.0 * 5 + 2.0 * 5 * 5 * double(b) + 2.0 * 10; }},
    {"softmax/f64.3x8.row.const-7/axis=-1", [](std::int64_t) { return 0.125; }},
    {"argsort/f32.2x11.row.ramp/axis=-1", [](std::int64_t i) { return double(i % 11); }},
    {"matmul/f32.3x5.row.const-2+f32.5x7.row.const-3/-", [](std::int64_t) { return 30.0; }},
    // sum over k of (5 i + k)(3 k + j): sums of k and of k^2 up to 4 are 10 and 30
    {"matmul/f64.2x5.row.ramp+f64.5x3.row.ramp/-",
     [](std::int64_t at) {
       const double i = double(at / 3), j = double(at % 3);
       return 5 * i * (3 * 10 + 5 * j) + 3 * 30 + 10 * j;
     }},
    {"fft/c64.1x6.row.const-2/-", [](std::int64_t i) { return i == 0 ? 12.0 : 0.0; }},
    {"ifft/c64.1x6.row.const-2/-", [](std::int64_t i) { return i == 0 ? 2.0 : 0.0; }},
    {"fft/c64.2x8.row.tone-3/-", [](std::int64_t i) { return i % 8 == 3 ? 8.0 : 0.0; }},
    {"linear/f32.4x5.row.const-2+f32.3x5.row.const-3+f32.3.row.ramp/-",
     [](std::int64_t i) { return 30.0 + double(i % 3); }},
    {"layer_norm_features/f32.3x4.row.const-9+none+f32.4.row.ramp/-", [](std::int64_t i) { return double(i % 4); }},
    // 27 sites of a cube: a corner has 8 neighbours, an edge 12, a face 18, the middle 27; all of them are 343 = 7^3
    {"subm_conv3d/i32.27x4.row.layout_grid-3+i32.1.row.const-27+f32.27x1.row.const-1+f32.27x1x1.row.const-1/-",
     [](std::int64_t i) {
       const auto reach = [](std::int64_t x) { return x == 1 ? 3.0 : 2.0; };
       return reach(i % 3) * reach(i / 3 % 3) * reach(i / 9);
     }},
    {"sum_pool3d/i32.8x4.row.layout_grid-2+i32.1.row.const-8+f32.8x1.row.ramp/-", [](std::int64_t) { return 28.0; }},
    {"avg_pool3d/i32.8x4.row.layout_grid-2+i32.1.row.const-8+f32.8x1.row.ramp/-", [](std::int64_t) { return 3.5; }},
    {"max_pool3d/i32.8x4.row.layout_grid-2+i32.1.row.const-8+f32.8x1.row.ramp/-", [](std::int64_t) { return 7.0; }},
};

TEST(Harness, OraclesAgreeWithClosedForms) {
  for (const Known& k : kKnown) {
    const Parsed p = parse_case(k.id);
    const Answered a = answered(*p.op, p.call);
    const std::vector<Tensor> out = active(a.call, a.out);
    const auto real = std::find_if(out.begin(), out.end(), [](const Tensor& t) { return is_inexact(t.dtype()); });
    const Tensor& t = real == out.end() ? out.front() : *real;
    ASSERT_GT(t.size(), 0) << k.id;
    const Wide w = widen(t);
    for (std::int64_t i = 0; i < t.size(); ++i)
      EXPECT_NEAR(real_part(w, i), k.at(i), 1e-6 * std::max(1.0, std::abs(k.at(i)))) << k.id << " at " << i;
  }
}

// ---- Every route is asked

TEST(Harness, EveryRouteServesSomeOfTheSmallestCases) {
  for (const Op& op : ops()) {
    std::map<std::string_view, int> served;
    for (const Case& c : cases_of(op, Budget::smoke)) {
      const Call call = make_call(op, hollow(c), c.attrs);
      for (const Route& r : routes(op)) served[r.name] += refusal(r, call, current_device()).empty();
    }
    for (const Route& r : routes(op))
      EXPECT_EQ(served[r.name] > 0, current_device().tier >= r.needs) << op.name << " " << r.name;
  }
}

bool whole(const Tensor& t) {
  if (!is_inexact(t.dtype())) return true;
  const Wide w = widen(t);
  for (std::int64_t i = 0; i < t.size(); ++i)
    if (const double x = real_part(w, i); x != std::trunc(x)) return false;
  return true;
}

// Whole numbers are the same in every float type: sums of them alone cannot tell what precision the inputs were kept
// in.
TEST(Harness, AQuarterOfTheSmallestSumsIsOfNumbersThatAreNotWhole) {
  for (const Op& op : ops()) {
    if (op.tolerance.kind != Tolerance::Class::accumulate) continue;
    std::map<Dtype, std::pair<int, int>> broken_of_all;
    for (const Case& c : cases_of(op, Budget::smoke)) {
      std::map<Dtype, bool> of;
      for (const Tensor& t : realize(op, c))
        if (t.defined() && is_inexact(t.dtype()) && t.size() > 0) of[t.dtype()] |= !whole(t);
      for (const auto& [dtype, broken] : of) broken_of_all[dtype].first += broken, ++broken_of_all[dtype].second;
    }
    for (const auto& [dtype, n] : broken_of_all)
      EXPECT_GE(4 * n.first, n.second) << op.name << " " << name(dtype) << ": " << n.first << " of " << n.second;
  }
}

// ---- Extents

bool refused(const Op& op, const Case& c) {
  try {
    (void)make_call(op, hollow(c), c.attrs);
  } catch (const Error&) {
    return true;
  }
  return false;
}

// Whether an op demands that an axis be 1, or two of them equal: no case has them otherwise, and it is an error.
class Demands {
 public:
  explicit Demands(const Op& op) : op_(op), cases_(cases_of(op, Budget::nightly)) {}

  bool unit(std::size_t input, std::size_t axis) const {
    return all(input, {axis}, [&](const Shape& s) { return s[axis] == 1; });
  }
  bool equal(std::size_t input, std::size_t a, std::size_t b) const {
    return all(input, {a, b}, [&](const Shape& s) { return s[a] == s[b]; });
  }

 private:
  template <class Holds>
  bool all(std::size_t input, std::vector<std::size_t> axes, Holds&& holds) const {
    for (const Case& c : cases_) {
      if (c.in.size() <= input || !c.in[input]) continue;
      const Shape& s = c.in[input]->shape;
      if (s.size() <= *std::max_element(axes.begin(), axes.end())) continue;
      if (!holds(s)) return false;
      for (const std::size_t axis : axes) {
        Case changed = c;
        ++changed.in[input]->shape[axis];
        if (count(s) > 0 && !refused(op_, changed)) return false;
      }
    }
    return true;
  }

  const Op& op_;
  std::vector<Case> cases_;
};

// An exchange of axes, or of the extents of two, shows only where they differ.
TEST(Harness, EveryInputOfEveryOpHasACaseWithDistinctExtents) {
  for (const Op& op : ops()) {
    std::map<std::size_t, bool> distinct;
    const Demands demands(op);
    for (const Case& c : cases_of(op, Budget::ci))
      for (std::size_t i = 0; i < c.in.size() && i < op.inputs.size(); ++i) {
        if (!c.in[i] || c.in[i]->shape.size() < 2 || distinct[i]) continue;
        const Shape& s = c.in[i]->shape;
        bool all = true;
        for (std::size_t a = 0; all && a < s.size(); ++a)
          for (std::size_t b = a + 1; all && b < s.size(); ++b)
            all = (s[a] > 1 || demands.unit(i, a)) && (s[b] > 1 || demands.unit(i, b)) &&
                  (s[a] != s[b] || demands.equal(i, a, b));
        distinct[i] = all;
      }
    for (const auto& [i, yes] : distinct)
      EXPECT_TRUE(yes) << op.name << ": no case gives distinct extents to " << op.inputs[i];
  }
}

// ---- Rows beyond the active ones

// What lies behind the active rows of an output is nobody's business, what lies before is.
TEST(Harness, GarbageBehindTheActiveRowsOfAnOutputIsNotCompared) {
  int with_tails = 0;
  for (const Op& op : ops()) {
    if (!op.active) continue;
    for (const Case& c : cases_of(op, Budget::smoke)) {
      const Answered a = answered(op, c);
      const std::vector<Tensor> part = active(a.call, a.out);
      std::vector<Tensor> out;
      bool tail = false;
      for (std::size_t i = 0; i < a.out.size(); ++i) {
        out.push_back(copy(a.out[i]));
        const auto bytes = info(a.out[i].dtype()).bytes;
        const auto from = static_cast<std::size_t>(part[i].size() * bytes),
                   to = static_cast<std::size_t>(a.out[i].size() * bytes);
        if (from == to) continue;
        std::memset(out[i].write<std::byte>() + from, 0xA5, to - from);
        tail = true;
      }
      EXPECT_TRUE(accepted(a, out)) << id(op, c);
      with_tails += tail;
    }
  }
  EXPECT_GT(with_tails, 50);
}

std::size_t position(const Op& op, std::string_view input) {
  for (std::size_t i = 0; i < op.inputs.size(); ++i)
    if (op.inputs[i] == input || op.inputs[i] == std::string(input) + "?") return i;
  return op.inputs.size();
}

// The rows of `t` from `first` on filled with bytes that are NaN in every float and no likely coordinate.
Tensor with_garbage(const Tensor& t, std::int64_t first) {
  Tensor out = copy(t);
  const auto row = static_cast<std::size_t>(t.dim(0) == 0 ? 0 : t.size() / t.dim(0) * info(t.dtype()).bytes);
  const std::size_t from = static_cast<std::size_t>(first) * row, to = static_cast<std::size_t>(t.dim(0)) * row;
  if (to > from) std::memset(out.write<std::byte>() + from, 0xFF, to - from);
  return out;
}

// Coordinates and features behind the count of an input reach no output, in the oracle and on the natural route.
TEST(Harness, GarbageBehindTheActiveRowsOfAnInputReachesNothing) {
  std::map<std::string_view, int> tried;
  for (const Op& op : ops()) {
    const std::size_t coords = position(op, "coords"), count = position(op, "active_rows"),
                      features = position(op, "features");
    if (coords == op.inputs.size() || count == op.inputs.size()) continue;
    for (const Case& c : cases_of(op, Budget::smoke)) {
      if (tried[op.name] >= 4) break;
      if (c.in.size() <= count || !c.in[count]) continue;
      const Answered a = answered(op, c);
      const std::int64_t kept = a.call[count].read<std::int32_t>()[0];
      if (kept == a.call[coords].dim(0)) continue;
      ++tried[op.name];
      std::vector<Tensor> in = a.call.in;
      in[coords] = with_garbage(in[coords], kept);
      if (features < in.size() && in[features].defined()) in[features] = with_garbage(in[features], kept);
      const Call spoilt = make_call(op, in, c.attrs);
      EXPECT_TRUE(accepted(a, answered(spoilt).out)) << id(op, c) << " by the oracle";
      EXPECT_TRUE(accepted(a, run(spoilt))) << id(op, c) << " on the natural route";
    }
  }
  EXPECT_GT(tried.size(), 20U);
}

// ---- The order of rows

using Row = std::vector<double>;

// Rows (batch, x, y, z, features ...) in ascending order.
std::vector<Row> sorted_rows(const Tensor& coords, const Tensor& features) {
  const Wide c = widen(contiguous(coords)), f = widen(contiguous(features));
  std::vector<Row> rows(static_cast<std::size_t>(coords.dim(0)));
  for (std::int64_t i = 0; i < coords.dim(0); ++i) {
    Row& row = rows[static_cast<std::size_t>(i)];
    for (std::int64_t a = 0; a < 4; ++a) row.push_back(real_part(c, 4 * i + a));
    for (std::int64_t k = 0; k < features.dim(1); ++k) row.push_back(real_part(f, i * features.dim(1) + k));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Active row i becomes row (step i) mod n of the tensor; the tail stays.
Tensor permuted(const Tensor& t, std::int64_t n, std::int64_t step) {
  const Tensor from = copy(t);
  Tensor out = copy(t);
  const auto row = static_cast<std::size_t>(t.size() / t.dim(0) * info(t.dtype()).bytes);
  for (std::int64_t i = 0; i < n; ++i)
    std::memcpy(out.write<std::byte>() + static_cast<std::size_t>(i * step % n) * row,
                from.read<std::byte>() + static_cast<std::size_t>(i) * row, row);
  return out;
}

std::int64_t coprime_step(std::int64_t n) {
  std::int64_t step = n / 2 + 1;
  while (std::gcd(step, n) != 1) ++step;
  return step;
}

// Rows are compared in their order, which is part of the meaning; the set of them must not depend on that of the input.
TEST(Harness, PermutedInputRowsGiveTheSameRows) {
  std::map<std::string_view, int> tried;
  for (const Op& op : ops()) {
    const std::size_t coords = position(op, "coords"), count = position(op, "active_rows"),
                      features = position(op, "features");
    if (features == op.inputs.size() || count == op.inputs.size() || op.outputs[0] != "out_coords") continue;
    if (op.outputs.size() < 2 || op.outputs[1] != "features") continue;
    for (const Case& c : cases_of(op, Budget::smoke)) {
      if (c.in[coords]->fill != "sites_negative" || !c.in[features]->fill.starts_with("int-")) continue;
      const Answered a = answered(op, c);
      const std::int64_t n = a.call[count].read<std::int32_t>()[0];
      if (n < 3) continue;
      std::vector<Tensor> in = a.call.in;
      for (const std::size_t i : {coords, features}) in[i] = permuted(in[i], n, coprime_step(n));
      const Call call = make_call(op, in, c.attrs);
      const std::vector<Tensor> before = active(a.call, a.out), after = active(call, answered(call).out),
                                routed = active(call, run(call));
      EXPECT_EQ(sorted_rows(before[0], before[1]), sorted_rows(after[0], after[1])) << id(op, c);
      EXPECT_EQ(sorted_rows(before[0], before[1]), sorted_rows(routed[0], routed[1])) << id(op, c);
      ++tried[op.name];
    }
  }
  EXPECT_GE(tried.size(), 4U);
}

}  // namespace
}  // namespace plumb
