// Discrete Fourier transforms of several axes, one after the other.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "reference/array/fourier/blocks.h"
#include "reference/array/shape/movement.h"

namespace plumb {
namespace reference {
namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

Form form_of(const Request& r) {
  const std::string_view op = r.op->name;
  if (op[0] == 'f') return Form::forward;
  if (op[0] == 'r') return Form::real_forward;
  return op[1] == 'r' ? Form::real_inverse : Form::inverse;
}

// None: the last two, or all of those that transform any number.
std::vector<std::int64_t> axes_of(const Request& r) {
  const std::int64_t rank = r.rank(0);
  if (!r.none("axes")) return normal(r, r.list("axes"), rank);
  const bool two = r.op->name.back() == '2';
  if (rank < (two ? 2 : 1)) r.fail(Reason::rank, to_string(r.shape(0)) + " has too few axes");
  std::vector<std::int64_t> axes(at(two ? 2 : rank));
  std::iota(axes.begin(), axes.end(), two ? rank - 2 : 0);
  return axes;
}

}  // namespace

Transforms transforms_of(const Request& r) {
  const std::string& norm = r.text("norm");
  if (norm != "backward" && norm != "ortho" && norm != "forward") r.fail(Reason::attribute, "norm=" + norm);
  const bool given = !r.none("s");
  if (given && r.none("axes") && r.op->name.back() == 'n') r.fail(Reason::attribute, "s without axes");
  Transforms t;
  t.form = form_of(r);
  t.axes = axes_of(r);
  if (t.axes.empty()) r.fail(Reason::axis, "no axis to transform");
  if (given) t.lengths = r.list("s");
  for (std::size_t k = 0; !given && k < t.axes.size(); ++k) {
    const std::int64_t size = r.shape(0)[at(t.axes[k])];
    t.lengths.push_back(t.form == Form::real_inverse && k + 1 == t.axes.size() ? 2 * (size - 1) : size);
  }
  if (t.lengths.size() != t.axes.size())
    r.fail(Reason::attribute, std::to_string(t.lengths.size()) + " lengths for " + std::to_string(t.axes.size()));
  for (const std::int64_t n : t.lengths) {
    if (n <= 0) r.fail(given ? Reason::attribute : Reason::shape, "transform length " + std::to_string(n));
    t.terms *= static_cast<double>(n);
  }
  t.scale = scale_of(t.form, norm, t.terms);
  return t;
}

}  // namespace reference

namespace {

using namespace reference;

std::vector<Spec> infer(const Request& r) {
  const Transforms t = transforms_of(r);
  Shape shape = r.shape(0);
  for (std::size_t k = 0; k < t.axes.size(); ++k)
    shape[at(t.axes[k])] = k + 1 == t.axes.size() ? length_out(t.lengths[k], t.form) : t.lengths[k];
  return {{t.form == Form::real_inverse ? Dtype::f32 : Dtype::c64, shape}};
}

// X_(k_1 .. k_d) = s sum over j_1 < n_1, .., j_d < n_d of x_(j_1 .. j_d) e^(-+ 2 pi i (j_1 k_1 / n_1 + .. + j_d k_d /
// n_d)): the sums over one index after the other. Real numbers give a half spectrum on the last axis first, and come
// from one at last.
std::vector<Wide> transformed(const Call& c) {
  const Transforms t = transforms_of(c);
  Complexes x = complexes(widen_as(c[0], Dtype::c64));
  const std::size_t last = t.axes.size() - 1;
  const bool real_first = t.form == Form::real_forward, real_last = t.form == Form::real_inverse;
  const Form others = real_first ? Form::forward : real_last ? Form::inverse : t.form;
  if (!real_last) x = along(x, t.axes[last], t.lengths[last], t.form, 1);
  for (std::size_t k = last; k-- > 0;) x = along(x, t.axes[k], t.lengths[k], others, 1);
  if (real_last) x = along(x, t.axes[last], t.lengths[last], t.form, 1);
  for (Complex& v : x.data) v *= t.scale;
  if (!real_last) return {x};
  Reals y(x.shape);
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = x[i].real();
  return {y};
}

Cost flops(const Call& c) {
  const Transforms t = transforms_of(c);
  const Spec out = output_specs(c)[0];
  double blocks = 1, levels = 0;
  for (std::size_t d = 0; d < c[0].shape().size(); ++d)
    if (std::find(t.axes.begin(), t.axes.end(), static_cast<std::int64_t>(d)) == t.axes.end())
      blocks *= static_cast<double>(c[0].shape()[d]);
  for (const std::int64_t n : t.lengths) levels += std::log2(static_cast<double>(n));
  const bool real = t.form == Form::real_forward || t.form == Form::real_inverse;
  return {(real ? 2.5 : 5.0) * blocks * t.terms * std::max(1.0, levels),
          static_cast<double>(c[0].size() * info(c.dtype(0)).bytes + count(out.shape) * info(out.dtype).bytes)};
}

// ---- cases ----

// The input that is natural for a form.
constexpr const char* kComplex = "from natural=c64";
constexpr const char* kReal = "from natural=f32";

// Both sides of where plans change, on the first axis and on the last; long lines of few terms, some beyond a panel.
// The other forms are the same passes.
constexpr const char* kLengths = R"(
  call   {t}.{s}.row.{x}/s={n},axes={axes}
  from   t={natural} x=uniform n= axes=
  ci     s={7..9,15..17,31..33,60,64~,97,101,128~}x3
  ci     s=3x{7..9,15..17,31..33,60,64~,97,101,128~}
  ci     s=4x{1023,1024,1025} x=impulse
  ci     s=3x4 n={4097:2,4099:2,8192:2,2:4099,2:8192} axes=0:1
)";

constexpr const char* kMany = R"(
  call   {t}.{s}.{l}.{x}/s={n},axes={axes},norm={norm}
  from   t={natural} l=row x=uniform n= axes= norm=
  smoke  s={5,3x4,2x3x5,1x6,1x1x2}
  smoke  s=4x6x3 axes={0:1,1:0,2:0,-2:,1:2:0}
  # cut and padded, each axis by itself, and a single bin
  smoke  s=4x6 n={3:4,5:9,4:3,1:2,8:1,9:17} axes=0:1
  smoke  s=3x10 n=3:1 axes=0:1
  smoke  s=3x7x2 axes=1:0 norm={backward,ortho,forward}
  ci     s=2x5x3x4 n={3:7:5,6:2:2} axes={0:2:3,3:1:2} norm={ortho,forward}
  ci     s,n,axes={3x{a} - -, {a}x3 - -, 3x4 2:4099 0:1} a={16,33,97}
  ci     s=2x{8,17,33}x{15,16,17,40} axes=1:2
  ci     s=4x{1023,1024,1025} x=impulse
  # every axis and pair of axes, in memory of any order, and those that others lie between
  ci     s=3x5x7x2 axes={0:1,0:2,0:3,1:2,1:3,2:3,3:1,2:0,0:} l={row,transposed}
  ci     s=3x6x5 axes=0:2 l={@layouts}
  ci     s=2x1x3x1x2x1x3x4 axes={,7:2:4} l={row,transposed}
  smoke  s=2x3x1x2x3x1x2x3x2x3 axes=1:3:6:8     # blocks and lines by turns
  # one term, nothing at all
  smoke  s={0x4x3,4x0x3} axes={2:,-1:}
  smoke  s={0x4x3,2x0x5} n=3:4 axes=1:2
  # a line that is not finite is its block's affair, and so is one that is large
  smoke  s=4x1x9 axes=1:2 x=nan_rows
  ci     s=3x5x17 axes=1:2 x=nan_rows
  smoke  s=5x1x8 axes=1:2 x={apart,const-1e38} norm={backward,ortho}
  smoke  s=3x2x3x4 axes=1:3 x=apart             # large blocks and tiny ones, numbered by two axes
  ci     s=5x3x8 axes={0:2,1:2} x={apart,huge,tiny,subnormal,wide,lanes} norm={backward,ortho,forward}
  smoke  s=3x8 x={huge,int-3} axes=1:0
  # every dtype
  smoke  t,x={{bool,@integers} int-9, {@all,!bool,!@integers} uniform} s=3x5
  smoke  t=f64 s=4x3 l=transposed
)";

constexpr const char* kTwo = R"(
  call   {t}.{s}.{l}.{x}/s={n},axes={axes},norm={norm}
  from   t={natural} l=row x=uniform n= axes= norm=
  smoke  s={3x4,2x3x5,3x1x2}
  smoke  s=4x6 n={3:4,5:9}
  smoke  s=4x6x3 axes={0:1,-1:0,1:2:0} norm={ortho,forward}
  ci     s=17x33 l={@layouts}
  ci     s=3x{16,97}x{8,33}
  smoke  s=0x4x3
  smoke  s=2x3x9 x=nan_rows-1
  smoke  s=5x1x8 x={apart,const-1e38}
  smoke  t,x={{bool,@integers} int-9, {@all,!bool,!@integers} uniform} s=3x5
)";

constexpr const char* kRejects = R"(
  call   f32.{s}.row.uniform/s={n},axes={axes},norm={norm}
  from   s=2x4x3 n= axes= norm=
  attribute n=4:0 axes=0:1      # no terms
  attribute n=-1:4 axes=0:1     # a negative length
  attribute n=4: axes=0:1       # one length for two axes
  attribute n=4:3:2 axes=0:1    # three for two
  axis   axes=0:3       # beyond the rank
  axis   axes=-4:       # before the first
  axis   axes=0:0       # one axis twice
  axis   axes=1:-2      # one axis twice, once from the end
  axis   axes=:         # no axis at all
  attribute norm=unitary        # no such norm
  shape  s=2x0x3 axes=0:1       # nothing to transform and no length given
)";
constexpr const char* kManyRejects = R"(
  attribute n=2:4:3             # lengths of axes that are not named
  rank   s=s                    # a scalar has no axes
)";
constexpr const char* kTwoRejects = R"(
  rank   s=5                    # no two axes
)";
constexpr const char* kInverseRejects = R"(
  shape  s=2x3x1 axes=1:2       # one bin stands for no samples
)";

constexpr const char* kBench = R"(
  call   {natural}.{s}.row.uniform/axes={axes}
  from   axes=1:2
  smoke  s=16x64x64
  ci     s={64x128x128,8x512x512,64x100x100}
  ci     s=64x64x64 axes=0:1:2
  nightly s={4x1024x1024,8x1009x60}
)";

// One block of many.
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  const Transforms t = transforms_of(c);
  if (std::find(t.axes.begin(), t.axes.end(), 0) != t.axes.end() || c[0].size() < 1 << 17) return std::nullopt;
  return Spot{make_call(*c.op, {spaced(c[0], 0, 1, key)}, c.attrs),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], 0, 1, key)}; }};
}

Op row(std::string_view name, std::string_view equation) {
  const bool two = name.back() == '2', half = name.substr(0, 2) == "ir";
  Op op;
  op.name = name;
  op.signature = half ? "a T[*A] -> out f32[*S]" : "a T[*A] -> out c64[*S]";
  op.types = "T: all";
  op.attrs = {{"s", kNone}, {"axes", kNone}, {"norm", "backward"}};
  op.equation = equation;
  op.meaning =
      two ? "axes none: the last two; single precision; no axis at all is refused (upstream returns a as it is)"
          : "axes none: all, and then no s; single precision; no axis at all is refused (upstream returns a as "
            "it is)";
  op.infer = infer;
  op.oracle = transformed;
  const char* natural = name[0] == 'r' ? kReal : kComplex;
  op.cases = {natural, two ? kTwo : kMany};
  if (name == "fftn") op.cases = {natural, kMany, kLengths};
  op.rejects = {kRejects, two ? kTwoRejects : kManyRejects};
  if (half) op.rejects = {kRejects, two ? kTwoRejects : kManyRejects, kInverseRejects};
  op.bench = {natural, kBench};
  op.spot = spot;
  op.cost = flops;
  op.tolerance.kind = Tolerance::Class::residual;
  op.tolerance.residual = judge_blocks;
  return op;
}

}  // namespace

std::vector<Op> fftn_ops() {
  std::vector<Op> ops;
  for (const char* forward : {"fft2", "fftn"})
    ops.push_back(row(forward,
                      "X_(k_1..k_d) = s sum x_(j_1..j_d) e^(-2 pi i (j_1 k_1/n_1 + .. + j_d k_d/n_d)); s = 1, "
                      "1/sqrt N, 1/N of N = n_1 .. n_d"));
  for (const char* inverse : {"ifft2", "ifftn"})
    ops.push_back(row(inverse,
                      "x_(j_1..j_d) = s sum X_(k_1..k_d) e^(2 pi i (j_1 k_1/n_1 + .. + j_d k_d/n_d)); s = 1/N, "
                      "1/sqrt N, 1"));
  for (const char* real : {"rfft2", "rfftn"})
    ops.push_back(row(real, "X_(k_1..k_d) of real x, k_d <= n_d/2 on the last axis named: the rest is conjugate"));
  for (const char* real : {"irfft2", "irfftn"})
    ops.push_back(row(real,
                      "the inverse over the other axes, then the n_d real samples of half spectra on the last axis "
                      "named; imaginary parts of bins 0, n_d/2 ignored"));
  return ops;
}

}  // namespace plumb
