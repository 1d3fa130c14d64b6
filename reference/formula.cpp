#include "reference/formula.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/unrounded.h"
#include "reference/index.h"

namespace plumb::reference {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// Where the extremes of a row lie over a box of its inputs.
enum class Extremes { corners, even, quotient, power, truth };
struct Rule {
  std::string_view row;
  Extremes extremes;
};
constexpr Rule kRules[] = {
    {"add", Extremes::corners},      {"subtract", Extremes::corners},    {"multiply", Extremes::corners},
    {"maximum", Extremes::corners},  {"minimum", Extremes::corners},     {"negative", Extremes::corners},
    {"exp", Extremes::corners},      {"log", Extremes::corners},         {"sqrt", Extremes::corners},
    {"softplus", Extremes::corners}, {"sum", Extremes::corners},         {"mean", Extremes::corners},
    {"max", Extremes::corners},      {"less", Extremes::truth},          {"where", Extremes::corners},
    {"squeeze", Extremes::corners},  {"expand_dims", Extremes::corners}, {"take_along_axis", Extremes::corners},
    {"abs", Extremes::even},         {"square", Extremes::even},         {"divide", Extremes::quotient},
    {"power", Extremes::power},
};

Extremes extremes_of(const Op& row) {
  for (const Rule& r : kRules)
    if (r.row == row.name) return r.extremes;
  throw std::logic_error("no rule says where the extremes of " + std::string(row.name) + " lie");
}

std::vector<Wide> run_oracle(const Call& c, const std::vector<Wide>& in) {
  const Unrounded values(c.in, in);
  std::vector<Wide> out = c.op->oracle(c);
  const std::vector<Spec> specs = output_specs(c);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = is_real(specs[i].dtype) ? alternative_of(out[i], specs[i].dtype) : widen(narrow(out[i], specs[i].dtype));
  return out;
}

// ---- the oracle

struct Exact {
  Tensor rounded;
  Wide value;
};
Dtype dtype_of(const Exact& x) { return x.rounded.dtype(); }

Tensor number_tensor(const Number& n, Dtype t) { return tensor(t, {}, {n.value}); }

std::vector<Wide> oracle(const Call& c) {
  const Program p = program_of(c);
  std::vector<Exact> inputs;
  for (const Tensor& t : program_inputs(p, c, c.in)) inputs.push_back({t, widen(t)});
  const auto number = [](const Number& n, Dtype t) {
    const Tensor x = number_tensor(n, t);
    return Exact{x, widen(x)};
  };
  const auto step = [&](std::size_t i, const std::vector<Exact>& in) {
    std::vector<Tensor> tensors;
    std::vector<Wide> values;
    for (const Exact& x : in) tensors.push_back(contiguous(x.rounded)), values.push_back(x.value);
    const Call call = make_call(*p.steps[i].op, tensors, p.steps[i].attrs);
    const std::vector<Spec> specs = output_specs(call);
    std::vector<Exact> out;
    for (Wide& w : run_oracle(call, values)) out.push_back({narrow(w, specs[out.size()].dtype), std::move(w)});
    return out;
  };
  std::vector<Wide> out;
  for (Exact& x : follow(p, inputs, number, step)) out.push_back(std::move(x.value));
  return out;
}

// ---- the bound

// What a route may hold in place of `want`: low <= value <= high by the element, NaN where nothing is known.
struct Enclosed {
  Tensor rounded;
  Wide want;
  Reals low, high;
  bool exact = true;           // low and high are what is wanted
  std::vector<char> overflow;  // of the last step: a partial sum may pass the largest number; empty: none does
};
Dtype dtype_of(const Enclosed& x) { return x.rounded.dtype(); }

Reals doubles(const Wide& w) {
  return std::visit(
      []<class T>(const Array<T>& a) {
        Reals out(a.shape);
        for (std::int64_t i = 0; i < out.size(); ++i) {
          if constexpr (std::is_same_v<T, Complex>) out[i] = a[i].real();
          else out[i] = static_cast<double>(a[i]);
        }
        return out;
      },
      w);
}

Enclosed exactly(const Tensor& t) {
  Enclosed x;
  x.rounded = contiguous(t), x.want = widen(t);
  x.low = x.high = doubles(x.want);
  return x;
}

// The end of an input as its oracle will see it.
Wide end_of(const Enclosed& x, const Reals& end) {
  if (x.exact) return x.want;
  if (x.rounded.dtype() != Dtype::boolean) return alternative_of(end, x.rounded.dtype());
  Unsigneds truths(end.shape);
  for (std::int64_t i = 0; i < end.size(); ++i) truths[i] = end[i] != 0;
  return truths;
}

// Beyond every error of numbers that an oracle made of exact ones in binary64.
double outward(double x, double by, double direction) {
  const double moved = x + direction * by;
  return by == 0 || !std::isfinite(moved) ? moved : std::nextafter(moved, direction * kInf);
}

void widen_by(Enclosed& x, std::int64_t i, double by) {
  if (by > 0 && std::isinf(x.low[i]) && x.low[i] == x.high[i]) return;  // an infinity is met
  x.low[i] = outward(x.low[i], by, -1), x.high[i] = outward(x.high[i], by, 1);
}

// NaN goes on through what follows, as it does in a route that holds one.
void unknown(Enclosed& x, std::int64_t i) {
  x.low[i] = x.high[i] = std::numeric_limits<double>::quiet_NaN();
  x.exact = false;
}

// One step: what it is asked, and for which arithmetic.
struct Asked {
  const Call& call;
  const std::vector<Enclosed>& in;
  const Order& order;
  bool last;  // what is beyond the largest number of its type is left to the judge, as in any row

  Spec out() const { return output_specs(call)[0]; }
  bool rounds() const { return order.shape != Order::Shape::exact; }
};

// Sets low and high to the extremes of the step over the box of its inputs, as its oracle gives them.
void hull(const Asked& a, Enclosed& y) {
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < a.in.size(); ++i)
    if (!a.in[i].exact) free.push_back(i);
  y.low = y.high = doubles(y.want);
  if (free.empty()) return;
  for (std::size_t corner = 0; corner < std::size_t{1} << free.size(); ++corner) {
    std::vector<Wide> ends;
    for (const Enclosed& x : a.in) ends.push_back(x.want);
    for (std::size_t k = 0; k < free.size(); ++k) {
      const Enclosed& x = a.in[free[k]];
      ends[free[k]] = end_of(x, corner >> k & 1 ? x.high : x.low);
    }
    const Reals at = doubles(run_oracle(a.call, ends)[0]);
    for (std::int64_t i = 0; i < at.size(); ++i) {
      const bool meets = std::isnan(at[i]) == std::isnan(y.low[i]);
      if (!meets) unknown(y, i);
      else y.low[i] = std::min(y.low[i], at[i]), y.high[i] = std::max(y.high[i], at[i]);
    }
  }
}

// A truth about what is not known may be either.
void either(const Asked& a, Enclosed& y) {
  for (const Enclosed& x : a.in)
    for (std::int64_t i = 0; i < y.low.size() && !x.exact; ++i)
      if (std::isnan(x.low[broadcast_index(i, y.low.shape, x.low.shape)])) y.low[i] = 0, y.high[i] = 1;
}

// What corners do not show: an even function has its least inside, a quotient none where its denominator may be 0.
void inside(const Asked& a, Enclosed& y) {
  const Extremes rule = extremes_of(*a.call.op);
  if (rule == Extremes::corners) return;
  if (rule == Extremes::truth) return either(a, y);
  const Enclosed& x = a.in[rule == Extremes::quotient ? 1 : 0];
  if (x.exact) return;
  for (std::int64_t i = 0; i < y.low.size(); ++i) {
    const std::int64_t at = broadcast_index(i, y.low.shape, x.low.shape);
    const bool around = x.low[at] <= 0 && x.high[at] >= 0;
    if (rule == Extremes::even && around) y.low[i] = std::min(y.low[i], 0.0);
    if (rule == Extremes::quotient && around) unknown(y, i);
    if (rule == Extremes::power && x.low[at] < 0) unknown(y, i);
  }
}

// The numbers rounded to nearest: no others can come of what lies between, since rounding does not fall.
Reals nearest(const Reals& x, Dtype t) { return doubles(widen(narrow(x, t))); }

// Rounded ends instead of those of real numbers, but for what the judge itself allows of the largest number.
void round_ends(const Asked& a, Enclosed& y) {
  const Reals least = nearest(y.low, a.out().dtype), most = nearest(y.high, a.out().dtype);
  for (std::int64_t i = 0; i < y.low.size(); ++i) {
    if (std::isnan(y.low[i])) continue;
    const bool positive = y.low[i] >= 0;
    if (!a.last || std::isfinite(least[i])) y.low[i] = std::min(y.low[i], least[i]);
    if (!a.last || std::isfinite(most[i])) y.high[i] = std::max(y.high[i], most[i]);
    if (positive) y.low[i] = std::max(y.low[i], 0.0);  // the sign of a rounded number is that of the number
  }
}

void allow_rounding(const Asked& a, Enclosed& y) {
  const Dtype t = a.out().dtype;
  if (t == Dtype::f64 && a.rounds()) return;  // its oracle is that rounding already
  const Reals least = nearest(y.low, t), most = nearest(y.high, t);
  for (std::int64_t i = 0; i < y.low.size(); ++i) {
    const double size = std::max(std::abs(y.low[i]), std::abs(y.high[i]));
    const bool numbers = least[i] == y.low[i] && most[i] == y.high[i];  // of the type: the oracle did not round
    const bool positive = y.low[i] >= 0;
    if (numbers || !(size > 0) || !std::isfinite(size)) continue;
    widen_by(y, i, 0x1p-52 * size);
    if (positive) y.low[i] = std::max(y.low[i], 0.0);
  }
  if (a.rounds()) round_ends(a, y);
}

void allow_function(const Asked& a, Enclosed& y) {
  const Dtype t = a.out().dtype;
  const double own = 8 * (t == Dtype::f64 ? std::ldexp(1.0, -std::numeric_limits<long double>::digits) : 0x1p-53) +
                     (t == Dtype::f64 ? 0x1p-53 : 0);  // ends are doubles
  for (std::int64_t i = 0; i < y.low.size(); ++i) {
    const double size = std::max(std::abs(y.low[i]), std::abs(y.high[i]));
    if (!std::isfinite(size)) continue;
    widen_by(y, i, a.rounds() ? function_bound(size, a.order, t, own) : 2 * own * size);
    if (a.rounds() && !a.last && !(std::max(-y.low[i], y.high[i]) <= info(t).max)) unknown(y, i);
  }
}

// The inputs as far from 0 as they may be, and 0 where nothing is known, as in absolute().
std::vector<Wide> farthest(const std::vector<Enclosed>& in) {
  std::vector<Wide> out;
  for (const Enclosed& x : in) {
    Reals most(x.low.shape);
    for (std::int64_t i = 0; i < most.size(); ++i) {
      const double size = std::max(std::abs(x.low[i]), std::abs(x.high[i]));
      most[i] = std::isfinite(size) ? size : 0;
    }
    out.push_back(is_real(x.rounded.dtype()) ? alternative_of(most, x.rounded.dtype()) : x.want);
  }
  return out;
}

// A sum of whole numbers that its accumulator holds is exact in every order.
bool whole(const std::vector<Enclosed>& in) {
  return std::all_of(in.begin(), in.end(), [](const Enclosed& x) {
    return x.exact && std::all_of(x.low.data.begin(), x.low.data.end(),
                                  [](double v) { return std::isfinite(v) && v == std::trunc(v); });
  });
}

// The largest G for which sums of whole numbers are exact, whatever their order.
double exact_limit(const Order& o) {
  int bits = info(o.accumulator).precision;
  if (o.partial) bits = std::min(bits, info(*o.partial).precision);
  if (o.input_rounding) bits = std::min(bits, info(*o.input_rounding).precision);
  return std::ldexp(1.0, bits);
}

// What a route may err by in the sums G of what is as far from 0 as it may be.
Allowances sum_bound(const Asked& a, const std::vector<Wide>& most, const std::vector<Wide>& sums) {
  const Tolerance& row = a.call.op->tolerance;
  const Dtype t = a.out().dtype;
  const Reals G = doubles(sums[0]);
  const double oracle = t == Dtype::f64 ? kDouble2Roundoff : 0x1p-53;
  const bool accumulate = row.of(a.call) == Tolerance::Class::accumulate;
  if (a.rounds() && !accumulate) {
    const Unrounded values(a.call.in, most);
    return row.bound(a.call, sums, a.order)[0];
  }
  Allowances own(G.shape);
  const std::int64_t n = accumulate ? row.terms(a.call) : a.call[0].size();
  for (std::int64_t i = 0; i < G.size(); ++i) {
    own[i].error = a.rounds() ? accumulate_bound(G[i], G[i], n, a.order, t, oracle)
                              : gamma(static_cast<double>(n) + 3, oracle) * G[i];  // the oracle's own
    own[i].overflow = may_overflow(G[i], n, a.order);
  }
  return own;
}

// Sums: what the row's own class allows of inputs that are as large as any in the box; it grows with |x|.
void allow_sum(const Asked& a, Enclosed& y) {
  const Dtype t = a.out().dtype;
  const std::vector<Wide> most = farthest(a.in), sums = run_oracle(a.call, most);
  const Reals G = doubles(sums[0]);
  const double limit = exact_limit(a.order);
  const bool accumulate = a.call.op->tolerance.of(a.call) == Tolerance::Class::accumulate;
  if (accumulate && whole(a.in) && std::all_of(G.data.begin(), G.data.end(), [&](double g) { return g <= limit; }))
    return allow_rounding(a, y);
  const Allowances own = sum_bound(a, most, sums);
  y.overflow.assign(y.low.data.size(), 0);
  for (std::int64_t i = 0; i < y.low.size(); ++i) {
    if (std::isnan(y.low[i])) continue;
    const bool positive = y.low[i] >= 0;
    y.overflow[static_cast<std::size_t>(i)] = own[i].overflow;
    const double half = t == Dtype::f64 ? 0x1p-53 * std::max(std::abs(y.low[i]), std::abs(y.high[i])) : 0;  // of a pair
    widen_by(y, i, own[i].error + (std::isfinite(half) ? half : 0));
    if (positive) y.low[i] = std::max(y.low[i], 0.0);                // sums of numbers from 0 on are none below
    const bool met = std::isinf(y.low[i]) && y.low[i] == y.high[i];  // an infinity of the inputs is no overflow
    const bool beyond = a.rounds() && !met && !(std::max(-y.low[i], y.high[i]) <= info(t).max);
    if (!a.last && (own[i].overflow || beyond)) unknown(y, i);
  }
}

void allow(const Asked& a, Enclosed& y) {
  using Class = Tolerance::Class;
  const Class kind = a.call.op->tolerance.of(a.call);
  if (!is_real(a.out().dtype) || kind == Class::exact) return;
  if (kind == Class::rounded) allow_rounding(a, y);
  else if (kind == Class::function) allow_function(a, y);
  else allow_sum(a, y);
}

Enclosed enclosed(const Asked& a) {
  std::vector<Wide> wants;
  for (const Enclosed& x : a.in) wants.push_back(x.want);
  Enclosed y;
  y.want = run_oracle(a.call, wants)[0];
  y.rounded = narrow(y.want, a.out().dtype);
  hull(a, y);
  inside(a, y);
  allow(a, y);
  const Reals want = doubles(y.want);
  const auto same = [](double x, double z) { return x == z || (std::isnan(x) && std::isnan(z)); };
  for (std::int64_t i = 0; i < want.size() && y.exact; ++i)
    y.exact = same(y.low[i], want[i]) && same(y.high[i], want[i]);
  return y;
}

// How far the ends lie from what is wanted. Where everything between rounds to one infinity, that is wanted, whatever
// the distances beyond.
Allowances distances(const Enclosed& y, const Order& order) {
  const Dtype t = y.rounded.dtype();
  const Reals want = doubles(y.want), rounded = nearest(want, t), least = nearest(y.low, t), most = nearest(y.high, t);
  Allowances out(want.shape);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    out[i].overflow = !y.overflow.empty() && y.overflow[static_cast<std::size_t>(i)] != 0;
    if (!std::isfinite(rounded[i])) {
      const bool met = least[i] == rounded[i] && most[i] == rounded[i];
      out[i].overflow |= std::isinf(rounded[i]) && !met;
      if (met || !std::isfinite(want[i])) continue;
    }
    double error = std::max(y.high[i] - want[i], want[i] - y.low[i]) * (1 + 0x1p-50);
    if (t == Dtype::f64) error += 0x1p-53 * std::abs(want[i]);  // the lower half of the pair
    if (order.shape == Order::Shape::exact)
      error += info(t).unit_roundoff() * (std::abs(want[i]) + error) + info(t).min_subnormal / 2;
    out[i].error = std::isnan(error) ? kInf : error;
  }
  return out;
}

// The tensor, or a copy where an input before it is the same one: each input has ends of its own.
Tensor apart(const Tensor& t, const std::vector<Tensor>& before) {
  const bool again =
      std::any_of(before.begin(), before.end(), [&](const Tensor& b) { return &b.storage() == &t.storage(); });
  return again ? narrow(widen(t), t.dtype()) : t;
}

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>&, const Order& order) {
  const Program p = program_of(c);
  std::vector<Enclosed> inputs;
  for (const Tensor& t : program_inputs(p, c, c.in)) inputs.push_back(exactly(t));
  const auto number = [](const Number& n, Dtype t) { return exactly(number_tensor(n, t)); };
  const auto step = [&](std::size_t i, const std::vector<Enclosed>& in) {
    std::vector<Tensor> tensors;
    for (const Enclosed& x : in) tensors.push_back(apart(x.rounded, tensors));
    const Call call = make_call(*p.steps[i].op, tensors, p.steps[i].attrs);
    return std::vector{enclosed({call, in, order, i + 1 == p.steps.size()})};
  };
  std::vector<Allowances> out;
  for (const Enclosed& y : follow(p, inputs, number, step)) out.push_back(distances(y, order));
  return out;
}

}  // namespace

Op formula_row(Op row, FormulaText text) {
  set_formula(row.name, text);
  row.infer = formula_infer;
  row.oracle = oracle;
  row.cost = formula_cost;
  row.tolerance.kind = Tolerance::Class::inherited, row.tolerance.bound = bound;
  return row;
}

}  // namespace plumb::reference
