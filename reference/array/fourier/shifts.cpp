// What belongs to a spectrum besides its values: the order of its bins, and their frequencies.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "reference/array/shape/movement.h"

namespace plumb {
namespace {

using namespace reference;
using Axes = std::vector<std::int64_t>;

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

// ---- The bin of frequency 0 to the middle, and back ----

// As they are named, one perhaps twice; none: all.
Axes axes_of(const Request& r) {
  Axes axes(at(r.rank(0)));
  std::iota(axes.begin(), axes.end(), 0);
  if (r.none("axes")) return axes;
  axes = r.list("axes");
  for (std::int64_t& a : axes) a = normal(r, a, r.rank(0));
  return axes;
}

std::vector<Spec> infer_shift(const Request& r) {
  (void)axes_of(r);
  return of_shape(r, r.shape(0));
}

// out[i] = a[j], j_d = (i_d - h) mod n_d, h = floor(n_d / 2), once for each time that d is named
std::vector<Wide> fftshift(const Call& c) {
  return moved(c, [&](Index i) {
    for (const std::int64_t d : axes_of(c)) {
      const std::int64_t n = c.shape(0)[at(d)], h = n / 2;
      i[at(d)] = (i[at(d)] - h + n) % n;
    }
    return i;
  });
}

// out[i] = a[j], j_d = (i_d + h) mod n_d
std::vector<Wide> ifftshift(const Call& c) {
  return moved(c, [&](Index i) {
    for (const std::int64_t d : axes_of(c)) {
      const std::int64_t n = c.shape(0)[at(d)], h = n / 2;
      i[at(d)] = (i[at(d)] + h) % n;
    }
    return i;
  });
}

constexpr const char* kShiftCases = R"(
  call   {t}.{s}.{l}.{x}/axes={axes}
  from   t=f32 l=row x=ramp s=3x4x5 axes=
  smoke  axes={0,1,-1,0:2,2:0,-1:0}
  smoke  axes={0:0,1:1:1,2:-1,:}      # an axis that is named again shifts again; none named, nothing moves
  smoke  s={s,1,2,7,0x3,1x1,8x9}
  ci     s=2x1x3x1x2x1x5x4 axes={,0:4:7,6} l={@layouts} x=bits
  ci     s=67x129 axes={0,1,0:1} t={u8,f16,f32,f64}
  ci     s={256~}x3 axes=0
)";
constexpr const char* kShiftRejects = R"(
  call   f32.{s}.row.ramp/axes={axes}
  from   s=2x3
  axis   axes=2        # beyond the rank
  axis   axes=0:-3     # before the first
  axis   s=s axes=0    # a scalar has no axes
  attribute axes=all   # not a list
)";
constexpr const char* kShiftBench = "ci f32.{4096x4096,16777216}.row.uniform/-";

Op shift_row(std::string_view name, std::string_view equation, Oracle oracle) {
  Op op = movement(name, {{"axes", kNone}}, equation, infer_shift, oracle,
                   {{kShiftCases, kEveryInput}, kShiftRejects, kShiftBench});
  op.meaning =
      "axes none: all; an axis that is named twice is shifted twice; a scalar or nothing at all stays as it is";
  return op;
}

// ---- Frequencies of the bins ----

bool half(const Request& r) { return r.op->name == "rfftfreq"; }

std::vector<Spec> infer_frequencies(const Request& r) {
  const std::int64_t n = r.integer("n");
  const double d = r.number("d");
  if (n <= 0) r.fail(Reason::attribute, "n is " + std::to_string(n));
  if (n > std::numeric_limits<std::int32_t>::max())
    r.fail(Reason::memory, std::to_string(n) + " bins: more than 2^31 - 1");
  const double step = 1 / (static_cast<double>(n) * d);
  if (d == 0 || !std::isfinite(d) || !(std::abs(step) <= std::numeric_limits<float>::max()))
    r.fail(Reason::attribute, "d is " + to_string(Attr(d)) + ": 1 / (n d) is no number of f32");
  return {{Dtype::f32, {half(r) ? n / 2 + 1 : n}}};
}

// out_i = k / (n d), k = i, from (n + 1) / 2 on i - n; of rfftfreq k = i throughout
std::vector<Wide> frequencies(const Call& c) {
  Reals f(output_specs(c)[0].shape);
  const std::int64_t n = c.integer("n");
  for (std::int64_t i = 0; i < f.size(); ++i) {
    const std::int64_t k = half(c) || i < (n + 1) / 2 ? i : i - n;
    f[i] = static_cast<double>(k) / (static_cast<double>(n) * c.number("d"));
  }
  return {f};
}

// The product n d, its inverse, k and the product with it are rounded: gamma_4 of the value, by the route and by the
// oracle; then it is rounded to the output.
std::vector<Allowances> frequencies_bound(const Call&, const std::vector<Wide>& want, const Order& order) {
  const Reals& f = reals(want[0]);
  const DtypeInfo& out = info(Dtype::f32);
  Allowances bound(f.shape);
  for (std::int64_t i = 0; i < f.size(); ++i) {
    const double size = std::abs(f[i]), error = (gamma(4, order.accumulator_roundoff()) + gamma(4, 0x1p-53)) * size;
    bound[i].error = error + out.unit_roundoff() * (size + error) + out.min_subnormal / 2;
  }
  return {bound};
}

constexpr const char* kFrequencyCases = R"(
  call   -/n={n},d={d}
  from   d=1.0
  smoke  n={1..9,35} d={1.0,0.25,-3.0}
  smoke  n=7 d={1e30,1e-30,-1e38,2}
  ci     n={1023,1024,1025,2047,2048,2049,16384~,70001} d={0.1,-7.5}
  ci     n={10,1025} d=3e44                                 # subnormal frequencies
  nightly n=33554433 d=0.3                                  # more than a float counts
)";
constexpr const char* kFrequencyRejects = R"(
  call   -/n={n},d={d}
  from   n=4 d=1.0
  attribute n=0          # no bins
  attribute n=-3         # fewer than none
  attribute n=none       # how many is not said
  attribute n=2.5        # a fractional number
  attribute d=0.0        # no spacing
  attribute d=nan        # no number
  attribute d=inf        # no number
  attribute d=1e-40      # frequencies beyond f32
  memory n=3000000000    # longer than 2^31
)";

Op frequency_row(std::string_view name, std::string_view equation) {
  Op op;
  op.name = name;
  op.signature = "-> out f32[N]";
  op.attrs = {{"n", kNone}, {"d", 1.0}};
  op.equation = equation;
  op.meaning = "d where 1 / (n d) is no number of f32 is refused (upstream gives infinities, and NaN for bin 0)";
  op.infer = infer_frequencies;
  op.oracle = frequencies;
  op.cases = kFrequencyCases;
  op.rejects = kFrequencyRejects;
  op.bench = "ci -/n={1048576,16777216}";
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = frequencies_bound;
  return op;
}

}  // namespace

std::vector<Op> shifts_ops() {
  return {shift_row("fftshift", "out_i = a_j, j_d = (i_d - floor(n_d / 2)) mod n_d on the axes", fftshift),
          shift_row("ifftshift", "out_i = a_j, j_d = (i_d + floor(n_d / 2)) mod n_d on the axes", ifftshift),
          frequency_row("fftfreq", "out_i = k / (n d), k = i for i < (n + 1) / 2, else i - n"),
          frequency_row("rfftfreq", "out_i = i / (n d) for i <= n / 2")};
}

}  // namespace plumb
