// Discrete Fourier transforms of one axis, straight from the definition.
#include <cmath>
#include <numbers>
#include <utility>

#include "core/fill.h"
#include "core/fill_values.h"
#include "core/op.h"
#include "reference/array/fourier/dft.h"

namespace plumb {
namespace {

using namespace reference;

// The transform length: the attribute n, or what the axis gives. irfft counts its output.
std::int64_t length(const Request& r, Form form) {
  if (!r.none("n")) return r.integer("n");
  const std::int64_t size = r.shape(0)[static_cast<std::size_t>(r.axis())];
  return form == Form::real_inverse ? 2 * (size - 1) : size;
}

template <Form F>
std::vector<Spec> infer(const Request& r) {
  const std::string& norm = r.text("norm");
  if (norm != "backward" && norm != "ortho" && norm != "forward") r.fail(Reason::attribute, "norm=" + norm);
  const auto axis = static_cast<std::size_t>(r.axis());
  const std::int64_t n = length(r, F);
  if (n <= 0) r.fail(r.none("n") ? Reason::shape : Reason::attribute, "transform length " + std::to_string(n));
  Shape shape = r.shape(0);
  shape[axis] = length_out(n, F);
  return {{F == Form::real_inverse ? Dtype::f32 : Dtype::c64, shape}};
}

// X_k = s sum_j x_j e^(-+ 2 pi i j k / n), along one axis.
template <Form F>
std::vector<Wide> dft(const Call& c) {
  const Complexes x = complexes(widen_as(c[0], Dtype::c64));
  const std::int64_t n = length(c, F);
  const Complexes y = along(x, c.axis(), n, F, scale_of(F, c.text("norm"), static_cast<double>(n)));
  if (F != Form::real_inverse) return {y};
  Reals real(y.shape);
  for (std::int64_t i = 0; i < y.size(); ++i) real[i] = y[i].real();
  return {real};
}

template <Form F>
Cost flops(const Call& c) {
  const double n = static_cast<double>(length(c, F));
  double lines = 1;
  for (std::int64_t d : c[0].shape()) lines *= static_cast<double>(d);
  const std::int64_t size = c[0].dim(static_cast<int>(c.axis()));
  lines = size == 0 ? 0 : lines / static_cast<double>(size);
  const bool real = F == Form::real_forward || F == Form::real_inverse;
  const double in = info(c[0].dtype()).bytes, m = static_cast<double>(length_out(length(c, F), F));
  return {(real ? 2.5 : 5.0) * lines * n * std::max(1.0, std::log2(n)),
          lines * (in * static_cast<double>(size) + (F == Form::real_inverse ? 4 : 8) * m)};
}

// ---- cases ----

// What a form of the transform says before the sweeps: its natural input, real samples or a spectrum, of the width that
// gives n terms, whether n must be given then, and the lengths of which none is left out. Fewer are enough for the
// other forms, which are the same passes.
constexpr const char* kForms[] = {
    "from natural=c64 width={n} given= every={1..260}",
    "from natural=c64 width={n} given= every={1..130}",
    "from natural=f32 width={n} given= every={1..130}",
    "from natural=c64 width={n/2+1} given={n} every={1..130}",
};

constexpr const char* kCases = R"(
  call   {natural}.{lines}x{width}.row.{x}/n={given}
  from   x=uniform lines=2
  # every short length, and both sides of every seam at which a plan changes
  smoke  lines=3 n={1..9,12,13,16,17,30,37,64,100}
  ci     n={every}
  ci     n={343,512~,625,729,1000,1001,1009,1024~,1208,1331,2039,2048~,2197}
  ci     lines=1 n={4096~,6140,8192}
  nightly lines=1 n={261..2048}
  nightly lines=1 n={8191,8193,10007,14641,16384~,19683}
  ci     lines={1,3,4,7,8,9,15,16,17,31,33} n={8,60,101,256}   # around whole vectors of lines
  # lengths beyond the quadratic oracle's reach, judged by impulses: one nonzero term per line
  smoke  n={1,2,5,16,60,97} x=impulse
  ci     n={1009,4096,5000,8191,46339,46341,46349,51187,65536,65537,65539,100000,131072} x=impulse
  nightly lines=1 n={177147,262144,500009,823543,1048576~,1048583,2097152,4194304} x=impulse
  # all equal, all in one bin, magnitudes far apart, one bad line
  from   lines=3
  smoke  x={const-1,int-3,tone-5,wide} n=64
  ci     x={const-1,int-3,tone-5,wide} n={60,89,210}
  smoke  lines=5 n={8,15,53} x=nan_rows
  ci     lines=5 n={64,1009,1024} x=nan_rows
  ci     lines=66 x={tiny,huge,subnormal,whole,lanes} n={15,53,64}
  # answers of ordinary size whose sums are not, a line each of the large, the small and the rest
  smoke  lines=5 x={const-1e38,apart} n={7,8}
  ci     lines=5 x={const-1e38,apart} n={60,89,1009,4096}

  ci     lines=1 x={const-1,tone-5,tone-1000,wide} n={1024,2039,4096}
  smoke  lines=1 n=324 x={uniform,wide-62}   # two steps of more columns than a vector, some far above others
  call   {t}.{s}.{l}.{x}/axis={axis},n={n},norm={norm}
  from   t={natural} l=row axis= n= norm=
  # shorter and longer than the input, odd and even
  smoke  s=3x8 n={1,2,3,7,8,9}
  ci     s=3x{8,9,64} n={1,2,3,7,8,9,15,16,17,40,64,101,128}
  smoke  s=2x33 n=4 norm={backward,ortho,forward}
  ci     s=2x33 n={15,37,48,512} norm={backward,ortho,forward}
  # every axis
  smoke  s=3x5x7x2 axis=0 l={row,transposed}
  ci     s=3x5x7x2 axis={1,2,3,-1,-2,-3,-4} l={row,transposed}
  ci     s,axis,n={2x24x{inner} 1 24, 20x{inner} 0 23, 300x{inner} -2 270} inner={1,15,16,17,40}
  # one element, unit axes, nothing at all
  smoke  s=4
  smoke  s=1x1x9x1 axis=2
  smoke  s={0x4,3x0x4}
  smoke  s=4x0 axis=0
  smoke  s=2x0 n=4
  ci     s=2x0 n=101 norm=ortho
  # every dtype and layout
  from   t,x={{bool,@integers} int-9, {@all,!bool,!@integers} uniform}
  smoke  s=3x9
  ci     s=5x20x3 l=transposed axis=1 n=26
  ci     s=17x64 l=offset
  from   t,x={{f32,c64,f64} uniform, i16 int-9}
  smoke  s=4x6 l={@layouts}
  ci     s=2x18x40 l={@layouts} axis=1
  ci     s=19x128 l={@layouts}
)";

constexpr const char* kBench = R"(
  call   {natural}.{lines}x{width}.row.{x}/n={given}
  from   x={n>8192?'impulse':'uniform'}    # longer ones are beyond the oracle: it can follow impulses
  smoke  n=1024 lines=256
  ci     n,lines={64 4096, 4096 64, 1000 256, 1009 256, 65536 4, 1048576 1}
  nightly n,lines={256 1024, 10007 8, 100000 4, 1024 4096, 4096 4096, 65536 256, 1048576 64, 16777216 1, 1000 4096,
         1009 4096, 19683 512}
)";

constexpr const char* kRejects = R"(
  call   f32.{s}.row.uniform/axis={axis},n={n},norm={norm}
  from   s=2x4 axis= n= norm=
  attribute n=0             # no terms
  attribute n=-3            # a negative length
  axis   axis=2             # axis beyond the rank
  axis   axis=-3 n=4        # axis before the first
  attribute norm=unitary    # no such norm
  attribute n=2.5           # a fractional length
  shape  s=3x0              # nothing to transform and no length given
)";

constexpr const char* kInverseRejects = R"(
  shape  s=3x1              # one bin stands for no samples
)";

// A few lines of many.
template <Form F>
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  const auto n = static_cast<double>(length(c, F));
  if (c[0].rank() != 2 || c.axis() != 1 || static_cast<double>(c[0].dim(0)) * n * n < 3e8) return std::nullopt;
  return Spot{make_call(*c.op, {spaced(c[0], 0, 4, key)}, c.attrs),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], 0, 4, key)}; }};
}

constexpr std::string_view kMeaning =
    "single precision: any input is converted to c64 first, so f64 loses digits, as in MLX; a line with a NaN or an "
    "infinity has no finite result";

template <Form F>
Op row(std::string_view name, std::string_view equation) {
  Op op;
  op.name = name;
  op.signature = F == Form::real_inverse ? "a T[*A] -> out f32[*S]" : "a T[*A] -> out c64[*S]";
  op.types = "T: all";
  op.attrs = {{"n", kNone}, {"axis", -1}, {"norm", "backward"}};
  op.equation = equation;
  op.meaning = kMeaning;
  op.infer = infer<F>;
  op.oracle = dft<F>;
  constexpr const char* form = kForms[static_cast<int>(F)];
  op.cases = {form, kCases};
  op.rejects = F == Form::real_inverse ? Rejects{kRejects, kInverseRejects} : Rejects{kRejects};
  op.bench = {form, kBench};
  op.spot = spot<F>;
  op.cost = flops<F>;
  op.tolerance.kind = Tolerance::Class::normwise;
  op.tolerance.axis = [](const Call& c) { return c.axis(); };
  return op;
}

// A pure oscillation: p turns along the last axis.
Wide tone(const Spec& spec, std::uint64_t, double p) {
  const std::int64_t n = spec.shape.empty() ? 1 : spec.shape.back();
  const auto angle = [&](std::int64_t i) {
    return 2 * std::numbers::pi * std::fmod(p * static_cast<double>(i % n), static_cast<double>(n)) /
           static_cast<double>(n);
  };
  if (!is_complex(spec.dtype)) return real_fill(spec, [&](std::int64_t i) { return std::cos(angle(i)); });
  Complexes a(spec.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) a[i] = {std::cos(angle(i)), std::sin(angle(i))};
  return a;
}

std::vector<Fill> fft_fills() {
  constexpr double kWhole = 0x1p62;  // the end of whole numbers
  return {
      // clang-format off
      {"tone",             "one oscillation of p turns along the last axis", 1, {-kWhole, kWhole}, tone},
      // clang-format on
  };
}

}  // namespace

std::vector<Op> fft_ops() {
  std::vector<Op> ops{
      row<Form::forward>("fft", "X_k = s sum_j x_j e^(-2 pi i j k / n); s = 1, 1/sqrt n, 1/n"),
      row<Form::inverse>("ifft", "x_j = s sum_k X_k e^(2 pi i j k / n); s = 1/n, 1/sqrt n, 1"),
      row<Form::real_forward>("rfft", "X_k for k <= n/2 of real x: the rest is conjugate"),
      row<Form::real_inverse>("irfft",
                              "the n real samples of the half spectrum; imaginary parts of bins 0, n/2 ignored"),
  };
  ops.front().fills = fft_fills;
  return ops;
}

}  // namespace plumb
