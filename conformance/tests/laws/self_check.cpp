// The judge judged by the oracles, for every row and every extreme fill: the oracle rounded to the output type passes
// its own judge, and with one element moved by twice the allowed error it fails, in every output, at the first, the
// middle, the last and a drawn element, by the order of the oracle and by that of every route.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <set>

#include "conformance/check.h"
#include "core/fill.h"
#include "core/pool.h"

namespace plumb {
namespace {

constexpr const char* kExtremes[] = {"special-3", "order", "wide-100", "tiny", "huge", "subnormal", "whole"};

// Fills that stand for any values, so that an extreme one may take their place; coordinates, counts, codes and
// matrices of a kind are none.
bool replaceable(const std::optional<Input>& in) {
  constexpr std::string_view any[] = {"uniform", "int",    "positive", "cancel", "pow2",    "wide", "special",
                                      "ramp",    "masked", "groups",   "order",  "impulse", "tone", "nan_rows"};
  if (!in || !is_inexact(in->dtype)) return false;
  const std::string name = in->fill.substr(0, in->fill.find('-'));
  return std::find(std::begin(any), std::end(any), name) != std::end(any);
}

// The first smoke cases of each combination of element types, with every value extreme.
std::vector<Case> extremes_of(const Op& op) {
  std::vector<Case> all;
  std::map<std::string, int> taken;
  for (const Case& c : cases_of(op, Budget::smoke)) {
    std::string types;
    std::int64_t elements = 0;
    for (const auto& in : c.in)
      types += in ? std::string(name(in->dtype)) + " " : "- ", elements += in ? count(in->shape) : 0;
    if (elements == 0 || elements > 20000 || ++taken[types] > 2) continue;
    if (std::none_of(c.in.begin(), c.in.end(), replaceable)) continue;
    for (const char* fill : kExtremes) {
      all.push_back(c);
      for (auto& in : all.back().in)
        if (replaceable(in)) in->fill = fill;
    }
  }
  return all;
}

struct Truth {
  Call call;
  std::vector<Wide> want, magnitude;
  std::vector<Tensor> out;
};

std::vector<Tensor> rounded(const Call& call, const std::vector<Wide>& want) {
  const std::vector<Spec> specs = output_specs(call);
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < specs.size(); ++i) out.push_back(narrow(want[i], specs[i].dtype));
  return out;
}

Deviation judged(const Truth& t, const Order& order, const std::vector<Tensor>& out) {
  return compare(t.call, t.want, t.magnitude, order, out);
}

// One element of a fresh copy of an output, as a number: the real part of a complex one.
class Element {
 public:
  Element(const Tensor& t, std::int64_t i) : copy_(t.spec()), at_(copy_.view({1}, {1}, i)) {
    std::memcpy(copy_.write<std::byte>(), contiguous(t).read<std::byte>(),
                static_cast<std::size_t>(t.size() * info(t.dtype()).bytes));
  }
  double value() const {
    const Wide w = widen(at_);
    return std::visit(
        [](const auto& a) {
          if constexpr (std::is_same_v<std::decay_t<decltype(a.data[0])>, Complex>) return a.data[0].real();
          else return static_cast<double>(a.data[0]);
        },
        w);
  }
  void set(double v) { put(narrow(Reals({1}, v), copy_.dtype())); }
  void flip() { *at_.write<std::uint8_t>() ^= 1; }
  const Tensor& whole() const { return copy_; }

 private:
  void put(const Tensor& one) {
    std::memcpy(at_.write<std::byte>(), one.read<std::byte>(), static_cast<std::size_t>(info(copy_.dtype()).bytes));
  }
  Tensor copy_, at_;
};

class Trial {
 public:
  Trial(const Truth& t, const Order& order, std::string label) : t_(t), order_(order), label_(std::move(label)) {}

  void at(std::size_t output, std::int64_t i) {
    Element e(t_.out[output], i);
    const double right = e.value();
    std::vector<Tensor> out = t_.out;
    out[output] = e.whole();
    const auto fails = [&] { return !judged(t_, order_, out).ok(); };
    const std::string where = label_ + " output " + std::to_string(output) + " element " + std::to_string(i);
    if (!is_inexact(out[output].dtype())) {
      e.flip();
      EXPECT_TRUE(fails()) << where << ": a bit changed";
      return;
    }
    if (!std::isfinite(right)) {
      // What is finite and only rounds to an infinity may be small beside a coarse route's bound.
      if (std::isfinite(exact(output, i))) return;
      e.set(0);
      EXPECT_TRUE(fails()) << where << ": 0 in place of " << right;
      return;
    }
    moved(e, right, out, where);
  }

 private:
  double exact(std::size_t output, std::int64_t i) const {
    return std::visit(
        [&](const auto& a) {
          if constexpr (std::is_same_v<std::decay_t<decltype(a.data[0])>, Complex>) return a[i].real();
          else return static_cast<double>(a[i]);
        },
        t_.want[output]);
  }

  // Moves the element away in doubling steps, what is large towards 0. The first that is refused must not be beyond
  // twice what was allowed.
  void moved(Element& e, double right, std::vector<Tensor>& out, const std::string& where) {
    const DtypeInfo& type = info(is_complex(out[0].dtype()) ? Dtype::f32 : e.whole().dtype());
    double step = std::max(type.min_subnormal, 2 * type.unit_roundoff() * std::abs(right));
    const double first = step;
    for (; std::isfinite(step) && step <= 4 * type.max; step *= 2) {
      e.set((right < 0) == (std::abs(right) < type.max / 2) ? right - step : right + step);
      const Deviation d = judged(t_, order_, out);
      if (d.unbounded > 0) return;
      if (d.ok()) continue;
      if (std::isfinite(d.allowed) && std::isfinite(d.ratio)) {
        EXPECT_LE(step, std::max(8 * first, 4 * d.allowed)) << where << ": refused late";
      }
      return;
    }
    ADD_FAILURE() << where << ": no error is refused, right " << right;
  }

  const Truth& t_;
  const Order order_;
  const std::string label_;
};

struct Counts {
  std::atomic<int> judged{0}, invalid{0}, mistrusted{0};
};

void check_orders(const Op& op, const Truth& t, const std::string& text) {
  std::set<std::string> seen;
  for (const Route& r : routes(op)) {
    if (!refusal(r, t.call, current_device()).empty() || !seen.insert(to_string(order_of(r, t.call))).second) continue;
    Trial trial(t, order_of(r, t.call), text + "@" + std::string(r.name));
    const std::vector<Tensor> part = active(t.call, t.out);
    for (std::size_t o = 0; o < part.size(); ++o) {
      const std::int64_t n = part[o].size();
      if (n == 0) continue;
      const auto drawn = static_cast<std::int64_t>(draw(hash(text), o) % static_cast<std::uint64_t>(n));
      for (const std::int64_t i : std::set<std::int64_t>{0, n / 2, n - 1, drawn}) trial.at(o, i);
    }
  }
}

void check_case(const Op& op, const Case& c, Counts& counts) {
  const std::string text = id(op, c);
  Truth t;
  try {
    t.call = make_call(op, realize(op, c), c.attrs);
    t.want = op.oracle(t.call);
    t.magnitude = magnitude(t.call);
    t.out = rounded(t.call, t.want);
  } catch (const Error&) {  // such values are no input of this op
    ++counts.invalid;
    return;
  }
  const Deviation own = judged(t, Order::oracle(), t.out);
  EXPECT_TRUE(own.ok()) << text << ": the oracle does not pass its own judge: " << to_string(own);
  ++counts.judged;
  counts.mistrusted += own.unbounded > 0;
  if (own.unbounded == 0) check_orders(op, t, text);
}

TEST(SelfCheck, EveryOraclePassesItsOwnJudgeAndNoMovedElementDoes) {
  for (const Op& op : ops()) {
    const std::vector<Case> cases = extremes_of(op);
    Counts counts;
    parallel_each(std::ssize(cases),
                  [&](std::int64_t i) { check_case(op, cases[static_cast<std::size_t>(i)], counts); });
    EXPECT_FALSE(too_many(counts.mistrusted, counts.judged))
        << op.name << ": " << counts.mistrusted << " of " << counts.judged << " extreme cases have no finite bound";
    EXPECT_TRUE(cases.empty() || counts.judged > 0) << op.name << ": no extreme values are a valid input";
    RecordProperty(std::string(op.name), std::to_string(counts.judged));
  }
}

}  // namespace
}  // namespace plumb
