// Reductions and what is built on them: their rows, what they mean, and the inputs worth trying.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"

namespace plumb {
namespace {

// The elements of a tensor, cut into lines along the listed axes: every element belongs to one line.
struct Cut {
  std::int64_t lines = 1, length = 1;
  std::vector<std::int64_t> line_of;  // per element in logical order
};

Cut cut(const Shape& shape, const std::vector<std::int64_t>& axes) {
  Cut c;
  std::vector<std::int64_t> step(shape.size(), 0);  // what one step along an axis adds to the line's number
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end()) {
      c.length *= shape[d];
    } else {
      step[d] = c.lines;
      c.lines *= shape[d];
    }
  }
  const std::int64_t n = count(shape);
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t rest = i, line = 0;
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) line += rest % shape[d] * step[d];
    c.line_of.push_back(line);
  }
  return c;
}

Cut cut(const Call& c) { return cut(c.shape(0), c.axes()); }

// ---- sum

std::int64_t plus(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class T>
T plus(T a, T b) {
  return a + b;
}

// s_l = sum of x_i over the elements i of line l
std::vector<Wide> sum(const Call& c) {
  const Cut lines = cut(c);
  const Shape out = c.outputs()[0].shape;
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        Array<T> s(out);
        for (std::int64_t i = 0; i < x.size(); ++i) {
          T& of_line = s[lines.line_of[static_cast<std::size_t>(i)]];
          of_line = plus(of_line, x[i]);
        }
        return {s};
      },
      widen(c[0]));
}

std::int64_t sum_terms(const Call& c) {
  std::int64_t n = 1;
  for (const std::int64_t d : c.axes()) n *= c.shape(0)[static_cast<std::size_t>(d)];
  return n;
}

Cost sum_cost(const Call& c) {
  const Spec out = c.outputs()[0];
  return {static_cast<double>(c[0].size()),
          static_cast<double>(c[0].size() * info(c.dtype(0)).bytes + count(out.shape) * info(out.dtype).bytes)};
}

// ---- softmax

template <class T>
std::vector<T> maxima(const Array<T>& x, const Cut& lines) {
  std::vector<T> m(static_cast<std::size_t>(lines.lines), T(-std::numeric_limits<double>::infinity()));
  for (std::int64_t i = 0; i < x.size(); ++i) {
    T& of_line = m[static_cast<std::size_t>(lines.line_of[static_cast<std::size_t>(i)])];
    if (of_line < x[i]) of_line = x[i];
  }
  return m;
}

// m_l = max of x_i over line l,  y_i = e^(x_i - m_l) / sum of e^(x_j - m_l) over the line l of i
//
// A NaN stays in the sum; so does inf - inf, which makes lines that hold +inf, or nothing but -inf, NaN.
template <class T>
Array<T> softmax_of(const Array<T>& x, const Cut& lines) {
  using std::exp;
  const std::vector<T> m = maxima(x, lines);
  Array<T> y(x.shape);
  std::vector<T> total(m.size());
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const auto l = static_cast<std::size_t>(lines.line_of[static_cast<std::size_t>(i)]);
    y[i] = exp(x[i] - m[l]);
    total[l] += y[i];
  }
  for (std::int64_t i = 0; i < x.size(); ++i)
    y[i] /= total[static_cast<std::size_t>(lines.line_of[static_cast<std::size_t>(i)])];
  return y;
}

std::vector<Wide> softmax(const Call& c) {
  const Wide x = widen_as(c[0], at_least_float(c.dtype(0)));
  if (const auto* wide = std::get_if<Reals2>(&x)) return {softmax_of(*wide, cut(c))};
  return {softmax_of(std::get<Reals>(x), cut(c))};
}

constexpr double kInf = std::numeric_limits<double>::infinity();

double real_of(double x) { return x; }
double real_of(Double2 x) { return x.hi; }

// The running error of m, d_i = m - x_i, e_i, S = sum e_j, y_i = e_i / S, with every function and operation
// of the route's arithmetic (u its roundoff, k the ulps of its e^x, 1 ulp <= 2 u, h its depth):
//
//   |dy_i| / y_i <= u d_i + 2 k u                                        argument and function, numerator
//                 + gamma_h + sum_j y_j (u d_j) + 2 k u                  the same and the sum, denominator
//                 + 2 u                                                  the quotient, as e_i (1 / S)
//
// to first order: r / (1 - r) covers the rest. Where numbers are subnormal, each e_j may err by k eta and the
// quotient by eta. The oracle's own error is of the same form with k = 1, h = n and its own roundoff.
template <class T>
Allowances softmax_bound_of(const Array<T>& x, const Array<T>& y, const Cut& lines, const Order& order, Dtype out) {
  const double u = order.accumulator_roundoff(), own = std::is_same_v<T, double> ? 0x1p-53 : kDouble2Roundoff;
  const double eta = info(order.accumulator).min_subnormal, k = order.function_ulps;
  const double n = static_cast<double>(lines.length);
  const double sum_error = gamma(static_cast<double>(order.depth(lines.length)), u) + gamma(n, own);
  const std::vector<T> m = maxima(x, lines);
  std::vector<double> mean(m.size());  // sum_j y_j d_j
  const auto line = [&](std::int64_t i) {
    return static_cast<std::size_t>(lines.line_of[static_cast<std::size_t>(i)]);
  };
  const auto d = [&](std::int64_t i) {
    const double v = real_of(m[line(i)] - x[i]);
    return std::isfinite(v) ? v : 0;  // e^-inf is exact
  };
  for (std::int64_t i = 0; i < x.size(); ++i)
    if (const double v = real_of(y[i]) * d(i); std::isfinite(v)) mean[line(i)] += v;
  Allowances bound(x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const double c = real_of(y[i]);
    const double r = (u + own) * (d(i) + mean[line(i)]) + 2 * (2 * k * u + 2 * own) + sum_error + 2 * u + own;
    double& error = bound[i].error;
    error = (r < 1 ? c * r / (1 - r) : c > 0 ? kInf : 0) + (k + 1) * eta * (1 + n * c);
    if (info(out).precision < info(order.accumulator).precision)
      error += info(out).unit_roundoff() * (c + error) + info(out).min_subnormal / 2;
  }
  return bound;
}

std::vector<Allowances> softmax_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype out = at_least_float(c.dtype(0));
  const Wide x = widen_as(c[0], out);
  if (const auto* wide = std::get_if<Reals2>(&x))
    return {softmax_bound_of(*wide, std::get<Reals2>(want[0]), cut(c), order, out)};
  return {softmax_bound_of(std::get<Reals>(x), std::get<Reals>(want[0]), cut(c), order, out)};
}

Cost softmax_cost(const Call& c) {
  const double n = static_cast<double>(c[0].size());
  return {5 * n, n * (info(c.dtype(0)).bytes + info(at_least_float(c.dtype(0))).bytes)};
}

// ---- cases

std::vector<Dtype> dtypes(bool complex) {
  std::vector<Dtype> all;
  for (const DtypeInfo& t : all_dtypes())
    if (complex || t.kind != Kind::complex) all.push_back(t.dtype);
  return all;
}

using Axes = std::vector<std::int64_t>;

Case one(Dtype t, Shape shape, std::string fill, Attrs attrs, Budget budget = Budget::ci, Layout layout = Layout::row) {
  return {{Input{t, std::move(shape), layout, std::move(fill)}}, std::move(attrs), budget};
}

// Every subset of the axes of a shape with unit axes, in the layouts that hide them best.
void subset_cases(std::vector<Case>& cases, const Shape& shape, const std::string& fill) {
  for (int mask = 0; mask < 1 << shape.size(); ++mask) {
    Axes axes;
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (mask >> d & 1) axes.push_back(static_cast<std::int64_t>(d));
    for (const Layout l : {Layout::row, Layout::transposed, Layout::padded})
      cases.push_back(one(Dtype::f32, shape, fill, {{"axis", axes}}, l == Layout::row ? Budget::smoke : Budget::ci, l));
  }
}

// Every other axis of many: none can be merged with its neighbour.
Case alternate(std::int64_t rank, const std::string& fill) {
  Axes axes;
  for (std::int64_t d = 0; d < rank; d += 2) axes.push_back(d);
  return one(Dtype::f32, Shape(static_cast<std::size_t>(rank), 2), fill, {{"axis", axes}});
}

void sum_length_cases(std::vector<Case>& cases) {
  const std::int64_t lengths[] = {1,   2,   3,   15,  16,  17,   31,   32,   33,   63,   64,   65,   127,  128,
                                  129, 255, 257, 511, 513, 1023, 1025, 2047, 2049, 4095, 4096, 4097, 8191, 8193};
  for (const std::int64_t n : lengths)
    for (const Dtype t : {Dtype::f32, Dtype::f64, Dtype::bf16, Dtype::i8, Dtype::c64}) {
      cases.push_back(one(t, {3, n}, "uniform", {{"axis", -1}}));
      cases.push_back(one(t, {n, 5}, "uniform", {{"axis", 0}}));
      cases.push_back(one(t, {n}, "int-3", {}));
    }
  for (const std::int64_t n : {63, 64, 65, 127, 129, 1025})
    for (const std::int64_t width : {1, 2, 3, 7, 16, 31, 33, 63, 64, 65, 127, 255, 257, 1025}) {
      cases.push_back(one(Dtype::f32, {n, width}, "wide", {{"axis", 0}}));
      cases.push_back(one(Dtype::f32, {2, n, width}, "int-3", {{"axis", 1}}));
    }
}

void sum_value_cases(std::vector<Case>& cases) {
  for (const char* fill : {"tiny", "huge", "subnormal", "whole", "lanes-69"})
    for (const Axes& axes : {Axes{0}, Axes{1}, Axes{0, 1}})
      for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::f64, Dtype::c64})
        cases.push_back(one(t, {69, 68}, fill, {{"axis", axes}}));
  for (const char* fill : {"cancel", "wide", "special", "const-1", "positive", "pow2-10"})
    for (const Shape& shape : {Shape{7, 1001}, Shape{1001, 7}, Shape{131, 129}})
      for (const Axes& axes : {Axes{0}, Axes{1}, Axes{0, 1}})
        for (const Dtype t : {Dtype::f32, Dtype::f16}) cases.push_back(one(t, shape, fill, {{"axis", axes}}));
  cases.push_back(one(Dtype::bf16, {70000}, "const-1", {}));  // accumulated in the half type: 256
  cases.push_back(one(Dtype::f16, {20000}, "const-1", {}));
  cases.push_back(one(Dtype::f16, {20000, 2}, "const-1", {{"axis", 0}}));
  cases.push_back(one(Dtype::u8, {300}, "const-200", {}));  // beyond the input's own range
  cases.push_back(one(Dtype::i8, {300}, "const-100", {}));
  cases.push_back(one(Dtype::i32, {300}, "const-2147483647", {}));  // wraps
  for (const std::int64_t n : {65537, 262143, 262145, 300001}) {
    cases.push_back(one(Dtype::f32, {n}, "uniform", {}));
    cases.push_back(one(Dtype::f32, {n}, "int-3", {}));
    cases.push_back(one(Dtype::f32, {n, 2}, "uniform", {{"axis", 0}}));
  }
  cases.push_back(one(Dtype::f32, {5000, 300}, "wide", {{"axis", 0}}, Budget::nightly));
  cases.push_back(one(Dtype::f32, {3, 1 << 20}, "wide", {{"axis", 1}}, Budget::nightly));
  cases.push_back(one(Dtype::f64, {1 << 20}, "cancel", {}, Budget::nightly));
  cases.push_back(one(Dtype::c64, {1 << 20}, "uniform", {}, Budget::nightly));
}

std::vector<Case> sum_cases() {
  std::vector<Case> cases;
  for (const Dtype t : dtypes(true)) {
    cases.push_back(one(t, {4, 9}, "int-3", {}, Budget::smoke));
    cases.push_back(one(t, {4, 9}, "bits", {{"axis", 0}, {"keepdims", true}}, Budget::smoke));
    if (!is_inexact(t))  // sums that leave the type, ends of the range in every lane
      for (const Axes& axes : {Axes{0}, Axes{1}, Axes{0, 1}}) {
        cases.push_back(one(t, {35, 67}, "whole", {{"axis", axes}}, Budget::smoke));
        cases.push_back(one(t, {69, 68}, "lanes-69", {{"axis", axes}}));
      }
    for (const Layout l : kLayouts) {
      cases.push_back(one(t, {5, 4, 70}, "int-3", {{"axis", -1}}, Budget::ci, l));
      cases.push_back(one(t, {5, 4, 70}, "uniform", {{"axis", 0}}, Budget::ci, l));
      cases.push_back(one(t, {5, 4, 70}, "int-100", {{"axis", Axes{0, 2}}}, Budget::ci, l));
      cases.push_back(one(t, {5, 4, 70}, "uniform", {{"axis", 1}, {"keepdims", true}}, Budget::ci, l));
    }
    for (const Shape& shape : {Shape{0}, Shape{0, 3}, Shape{3, 0}, Shape{2, 0, 3}})
      for (const bool keep : {false, true}) {
        cases.push_back(one(t, shape, "int-3", {{"axis", 0}, {"keepdims", keep}}));
        cases.push_back(one(t, shape, "int-3", {{"axis", -1}, {"keepdims", keep}}));
      }
    cases.push_back(one(t, {}, "int-3", {}, Budget::smoke));
    cases.push_back(one(t, {3, 2}, "int-3", {{"axis", Axes{}}}));
  }
  cases.push_back(one(Dtype::f32, {65, 2}, "ramp", {{"axis", 1}}, Budget::smoke, Layout::reversed));
  subset_cases(cases, {2, 1, 3, 1, 4}, "int-3");
  subset_cases(cases, {3, 17, 5, 19}, "uniform");
  cases.push_back(alternate(18, "int-3"));
  sum_length_cases(cases);
  sum_value_cases(cases);
  return cases;
}

std::vector<Reject> axis_rejects() {
  return {
      {one(Dtype::f32, {2, 3}, "uniform", {{"axis", 2}}), Reason::axis, "axis 2 of rank 2"},
      {one(Dtype::f32, {2, 3}, "uniform", {{"axis", -3}}), Reason::axis, "axis -3 of rank 2"},
      {one(Dtype::f32, {2, 3}, "uniform", {{"axis", Axes{0, 5}}}), Reason::axis, "one of two axes is out of range"},
      {one(Dtype::f32, {2, 3}, "uniform", {{"axis", Axes{0, 0}}}), Reason::axis, "an axis is named twice"},
      {one(Dtype::f32, {2, 3}, "uniform", {{"axis", Axes{1, -1}}}), Reason::axis,
       "an axis is named twice, once from the end"},
      {one(Dtype::f32, {}, "uniform", {{"axis", 0}}), Reason::axis, "a scalar has no axis"},
      {one(Dtype::f32, {2, 3}, "uniform", {{"axis", "last"}}), Reason::attribute, "the axis is not a number"},
  };
}

std::vector<Case> sum_bench() {
  return {one(Dtype::f32, {1 << 24}, "uniform", {}),
          one(Dtype::f32, {4096, 4096}, "uniform", {{"axis", 1}}),
          one(Dtype::f32, {4096, 4096}, "uniform", {{"axis", 0}}),
          one(Dtype::f16, {4096, 4096}, "uniform", {{"axis", 1}}),
          one(Dtype::f32, {4096, 128}, "uniform", {{"axis", 1}}),
          one(Dtype::f32, {128, 32000}, "uniform", {{"axis", 0}})};
}

void softmax_row_cases(std::vector<Case>& cases) {
  const std::int64_t lengths[] = {1,    2,    3,    7,    8,    15,   16,   17,   31,   33,  63,
                                  64,   65,   127,  128,  129,  255,  256,  257,  511,  513, 1023,
                                  1024, 1025, 2047, 2049, 4095, 4096, 4097, 5000, 8191, 8193};
  for (const std::int64_t n : lengths) {
    cases.push_back(one(Dtype::f32, {3, n}, "uniform-10", {{"axis", -1}}));
    cases.push_back(one(Dtype::f32, {3, n}, "special-1000", {{"axis", -1}}));
    cases.push_back(one(Dtype::f32, {3, n}, "masked-4", {{"axis", -1}}));
    cases.push_back(one(Dtype::f16, {3, n}, "uniform-10", {{"axis", -1}}));
    cases.push_back(one(Dtype::f64, {3, n}, "uniform-10", {{"axis", -1}}));
    cases.push_back(one(Dtype::f32, {n, 19}, "uniform-10", {{"axis", 0}}));
    cases.push_back(one(Dtype::f32, {n, 3}, "uniform-10", {{"axis", 0}}));
  }
  for (const std::int64_t n : {127, 128, 129, 1025, 4097, 5000}) {
    cases.push_back(one(Dtype::f32, {2, n}, "masked-8", {{"axis", -1}}));  // nothing but -inf
    cases.push_back(one(Dtype::f32, {2, n}, "uniform-10000", {{"axis", -1}}));
    cases.push_back(one(Dtype::f32, {2, n}, "const-1", {{"axis", -1}}));
    cases.push_back(one(Dtype::bf16, {2, n}, "masked-8", {{"axis", -1}}));
  }
  cases.push_back(one(Dtype::bf16, {2, 512}, "const-3", {{"axis", -1}}));  // each must be 1 / 512
  cases.push_back(one(Dtype::f32, {100003}, "uniform-10", {}));
  cases.push_back(one(Dtype::f16, {2, 70001}, "uniform-10", {{"axis", 1}}));
  cases.push_back(one(Dtype::f32, {3, 1 << 20}, "uniform-10", {{"axis", 1}}, Budget::nightly));
  cases.push_back(one(Dtype::f32, {50000, 40}, "uniform-10", {{"axis", 0}}, Budget::nightly));
}

std::vector<Case> softmax_cases() {
  std::vector<Case> cases;
  for (const Dtype t : dtypes(false)) {
    cases.push_back(one(t, {3, 9}, "uniform-3", {{"axis", -1}}, Budget::smoke));
    cases.push_back(one(t, {9, 3}, "int-3", {{"axis", 0}, {"precise", true}}, Budget::smoke));
    for (const Layout l : kLayouts) {
      cases.push_back(one(t, {4, 5, 37}, "uniform-3", {{"axis", -1}}, Budget::ci, l));
      cases.push_back(one(t, {4, 5, 37}, "uniform-3", {{"axis", 0}}, Budget::ci, l));
      cases.push_back(one(t, {4, 5, 37}, "uniform-3", {{"axis", 1}}, Budget::ci, l));
      cases.push_back(one(t, {4, 5, 37}, "special", {{"axis", Axes{0, 2}}}, Budget::ci, l));
    }
    cases.push_back(one(t, {}, "int-3", {}, Budget::smoke));
    cases.push_back(one(t, {0, 3}, "int-3", {{"axis", -1}}));
    cases.push_back(one(t, {3, 0}, "int-3", {{"axis", -1}}));
    cases.push_back(one(t, {64, 3}, "special", {{"axis", -1}}));
    cases.push_back(one(t, {3, 64}, "special", {{"axis", 0}}));
    cases.push_back(one(t, {64, 33}, "special-40", {{"axis", 0}}));
    for (const char* fill : {"tiny", "huge", "subnormal", "lanes-34"})
      for (const std::int64_t axis : {0, 1}) cases.push_back(one(t, {34, 33}, fill, {{"axis", axis}}));
    cases.push_back(one(t, {64, 33}, "masked-7", {{"axis", 1}}));
    cases.push_back(one(t, {3, 2}, "int-3", {{"axis", Axes{}}}));
  }
  subset_cases(cases, {2, 1, 3, 1, 4}, "uniform-4");
  subset_cases(cases, {3, 17, 5, 19}, "uniform-20");
  cases.push_back(alternate(18, "uniform-4"));
  softmax_row_cases(cases);
  return cases;
}

std::vector<Case> softmax_bench() {
  return {one(Dtype::f32, {4096, 4096}, "uniform-10", {{"axis", -1}}),
          one(Dtype::f32, {65536, 128}, "uniform-10", {{"axis", -1}}),
          one(Dtype::f16, {4096, 4096}, "uniform-10", {{"axis", -1}}),
          one(Dtype::f32, {4096, 4096}, "uniform-10", {{"axis", 0}}), one(Dtype::f32, {1 << 24}, "uniform-10", {})};
}

Op sum_row() {
  Op op;
  op.name = "sum";
  op.signature = "a T[...] -> out S[... over axis]";
  op.types = "T: all; S = accumulator(T)";
  op.attrs = {{"axis", kNone}, {"keepdims", false}};
  op.equation = "s_l = sum of a_i over the elements i of line l; an empty line gives 0";
  op.meaning =
      "f16 and bf16 accumulate in f32 and round once, as MLX has it since 0.32.3; bool and signed "
      "integers up to 32 bits give i32, unsigned ones u32; integers wrap; an empty axis list gives the elements in the "
      "output dtype (upstream keeps the input's)";
  op.oracle = sum;
  op.cases = sum_cases;
  op.rejects = axis_rejects;
  op.bench = sum_bench;
  op.cost = sum_cost;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = sum_terms;
  return op;
}

Op softmax_row() {
  Op op;
  op.name = "softmax";
  op.signature = "a T[*S] -> out F[*S]";
  op.types = "T: bool integers floats; F = float(T)";
  op.attrs = {{"axis", kNone}, {"precise", false}};
  op.equation =
      "y_i = e^(a_i - m) / sum_j e^(a_j - m), m = max_j a_j, j over the line of i along all listed axes jointly";
  op.meaning =
      "integers and bool give f32 on every axis (upstream casts back to the integer off the last axis); halves compute "
      "in f32 and round once, so precise changes nothing; complex input is refused";
  op.oracle = softmax;
  op.cases = softmax_cases;
  op.rejects = axis_rejects;
  op.bench = softmax_bench;
  op.cost = softmax_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = softmax_bound;
  return op;
}

}  // namespace

std::vector<Op> reduction_ops() { return {sum_row(), softmax_row()}; }

}  // namespace plumb
