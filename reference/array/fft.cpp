// Discrete Fourier transforms of one axis, straight from the definition.
#include <cmath>
#include <numbers>
#include <utility>

#include "core/fill.h"
#include "core/fill_values.h"
#include "core/op.h"

namespace plumb {
namespace {

enum class Form : std::uint8_t { forward, inverse, real_forward, real_inverse };

// e^(2 pi i r / n) for r = 0 .. n-1. The angle is folded into [0, pi/4], where sine and cosine of the
// rounded argument are accurate, so that roots a quarter, a half and an eighth apart are exact images.
std::vector<Complex> roots(std::int64_t n) {
  std::vector<Complex> w(static_cast<std::size_t>(n));
  for (std::int64_t r = 0; r < n; ++r) {
    const std::int64_t octant = 8 * r / n;           // of eight
    const std::int64_t quarters = (octant + 1) / 2;  // the nearest multiple of a quarter turn
    const std::int64_t rest = 4 * r - quarters * n;  // what is left of the angle, times 4/n of a turn, at most n/2
    const double a = std::numbers::pi * static_cast<double>(std::abs(rest)) / (2.0 * static_cast<double>(n));
    const Complex v(std::cos(a), rest < 0 ? -std::sin(a) : std::sin(a));
    const Complex turned[] = {v, {-v.imag(), v.real()}, {-v.real(), -v.imag()}, {v.imag(), -v.real()}};
    w[static_cast<std::size_t>(r)] = turned[quarters % 4];
  }
  return w;
}

// y_k = scale * sum over j < n of x_j e^(sign 2 pi i j k / n), for k < y.size(). Zero terms add nothing
// and are passed over, so that an impulse of any length can be judged.
void transform(const std::vector<Complex>& x, std::vector<Complex>& y, const std::vector<Complex>& w, int sign,
               double scale) {
  const std::size_t n = w.size();
  std::vector<double> re(y.size(), 0.0), im(y.size(), 0.0);
  for (std::size_t j = 0; j < n; ++j) {
    if (x[j] == Complex(0, 0)) continue;
    const double a = x[j].real(), b = x[j].imag();
    std::size_t r = 0;  // j k mod n
    for (std::size_t k = 0; k < y.size(); ++k) {
      const double c = w[r].real(), s = sign * w[r].imag();
      re[k] += a * c - b * s;
      im[k] += a * s + b * c;
      r += j;
      if (r >= n) r -= n;
    }
  }
  for (std::size_t k = 0; k < y.size(); ++k) y[k] = {re[k] * scale, im[k] * scale};
}

double scale_of(Form form, const std::string& norm, std::int64_t n) {
  const bool inverse = form == Form::inverse || form == Form::real_inverse;
  if (norm == "ortho") return 1.0 / std::sqrt(static_cast<double>(n));
  return (norm == "forward") != inverse ? 1.0 / static_cast<double>(n) : 1.0;
}

// The transform length: the attribute n, or what the axis gives. irfft counts its output.
std::int64_t length(const Request& r, Form form) {
  if (!r.none("n")) return r.integer("n");
  const std::int64_t size = r.shape(0)[static_cast<std::size_t>(r.axis())];
  return form == Form::real_inverse ? 2 * (size - 1) : size;
}

std::int64_t length_out(std::int64_t n, Form form) { return form == Form::real_forward ? n / 2 + 1 : n; }

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

// The n terms of one line: the first entries of the input, then zeros. For irfft the missing half is the
// conjugate of the given one, and bins 0 and n/2 count by their real parts.
std::vector<Complex> terms(const Complexes& x, std::int64_t first, std::int64_t step, std::int64_t size, std::int64_t n,
                           Form form) {
  std::vector<Complex> t(static_cast<std::size_t>(n));
  const std::int64_t used = std::min(size, form == Form::real_inverse ? n / 2 + 1 : n);
  for (std::int64_t j = 0; j < used; ++j) {
    const Complex v = x[first + j * step];
    const bool own_image = form == Form::real_inverse && 2 * j % n == 0;
    t[static_cast<std::size_t>(j)] = form == Form::real_forward || own_image ? Complex(v.real(), 0) : v;
    if (form == Form::real_inverse && !own_image) t[static_cast<std::size_t>(n - j)] = std::conj(v);
  }
  return t;
}

// X_k = s sum_j x_j e^(-+ 2 pi i j k / n), along one axis.
template <Form F>
std::vector<Wide> dft(const Call& c) {
  const Complexes x = complexes(widen_as(c[0], Dtype::c64));
  const auto axis = static_cast<std::size_t>(c.axis());
  const std::int64_t n = length(c, F), size = x.shape[axis], m = length_out(n, F);
  const int sign = F == Form::forward || F == Form::real_forward ? -1 : 1;
  const double scale = scale_of(F, c.text("norm"), n);
  Shape shape = x.shape;
  shape[axis] = m;
  Complexes y(shape);
  std::int64_t inner = 1;
  for (std::size_t d = axis + 1; d < shape.size(); ++d) inner *= shape[d];
  const std::vector<Complex> w = roots(n);
  std::vector<Complex> line(static_cast<std::size_t>(m));
  const std::int64_t lines = y.size() == 0 ? 0 : y.size() / m;
  for (std::int64_t l = 0; l < lines; ++l) {
    const std::int64_t o = l / inner, i = l % inner;
    transform(terms(x, o * size * inner + i, inner, size, n, F), line, w, sign, scale);
    for (std::int64_t k = 0; k < m; ++k) y[(o * m + k) * inner + i] = line[static_cast<std::size_t>(k)];
  }
  if (F != Form::real_inverse) return {y};
  Reals real(shape);
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

// A real transform's natural input: real samples, or the half spectrum that gives n samples.
struct Maker {
  Form form;
  std::vector<Case> cases;

  bool spectrum() const { return form == Form::real_inverse; }
  Dtype natural() const { return form == Form::real_forward ? Dtype::f32 : Dtype::c64; }
  void add(Budget budget, Input in, Attrs attrs = {}) { cases.push_back({{std::move(in)}, std::move(attrs), budget}); }
  // lines transforms of length n along the last axis
  void length(Budget budget, std::int64_t lines, std::int64_t n, const char* fill = "uniform") {
    if (spectrum()) return add(budget, {natural(), {lines, n / 2 + 1}, Layout::row, fill}, {{"n", n}});
    add(budget, {natural(), {lines, n}, Layout::row, fill});
  }
};

// Every short length, and both sides of every seam at which a plan changes.
void lengths(Maker& m) {
  for (std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 30, 37, 64, 100}) m.length(Budget::smoke, 3, n);
  const std::int64_t every = m.form == Form::forward ? 260 : 130;  // the others are the same passes
  for (std::int64_t n = 1; n <= every; ++n) m.length(Budget::ci, 2, n);
  for (std::int64_t n :
       {343, 511, 512, 513, 625, 729, 1000, 1001, 1009, 1023, 1024, 1025, 1208, 1331, 2039, 2047, 2048, 2049, 2197})
    m.length(Budget::ci, 2, n);
  for (std::int64_t n : {4095, 4096, 4097, 6140, 8192}) m.length(Budget::ci, 1, n);
  for (std::int64_t n = 261; n <= 2048; ++n) m.length(Budget::nightly, 1, n);
  for (std::int64_t n : {8191, 8193, 10007, 14641, 16383, 16384, 16385, 19683}) m.length(Budget::nightly, 1, n);
  // Around whole vectors of lines.
  for (std::int64_t lines : {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33})
    for (std::int64_t n : {8, 60, 101, 256}) m.length(Budget::ci, lines, n);
}

// Lengths beyond the quadratic oracle's reach, judged by impulses: one nonzero term per line.
void impulses(Maker& m) {
  for (std::int64_t n : {1, 2, 5, 16, 60, 97}) m.length(Budget::smoke, 2, n, "impulse");
  for (std::int64_t n : {1009, 4096, 5000, 8191, 46339, 46341, 46349, 51187, 65536, 65537, 65539, 100000, 131072})
    m.length(Budget::ci, 2, n, "impulse");
  for (std::int64_t n : {177147, 262144, 500009, 823543, 1048575, 1048576, 1048577, 1048583, 2097152, 4194304})
    m.length(Budget::nightly, 1, n, "impulse");
}

// Inputs that stress the arithmetic: all equal, all in one bin, magnitudes far apart, one bad line.
void values(Maker& m) {
  for (const char* fill : {"const-1", "int-3", "tone-5", "wide"})
    for (std::int64_t n : {60, 64, 89, 210}) m.length(n == 64 ? Budget::smoke : Budget::ci, 3, n, fill);
  for (std::int64_t n : {8, 15, 53, 64, 1009, 1024}) m.length(n < 60 ? Budget::smoke : Budget::ci, 5, n, "nan_rows");
  for (const char* fill : {"tiny", "huge", "subnormal", "whole", "lanes"})
    for (std::int64_t n : {15, 53, 64}) m.length(Budget::ci, 66, n, fill);
  // Answers of ordinary size whose sums are not; a line each of the large, the small and the rest.
  for (const char* fill : {"const-1e38", "apart"})
    for (std::int64_t n : {7, 8, 60, 89, 1009, 4096}) m.length(n < 10 ? Budget::smoke : Budget::ci, 5, n, fill);
  for (const char* fill : {"const-1", "tone-5", "tone-1000", "wide"})
    for (std::int64_t n : {1024, 2039, 4096}) m.length(Budget::ci, 1, n, fill);
}

// Shorter and longer than the input, odd and even; every norm; every axis; nothing at all.
void attributes(Maker& m) {
  for (std::int64_t n : {1, 2, 3, 7, 8, 9, 15, 16, 17, 40, 64, 101, 128})
    for (std::int64_t size : {8, 9, 64})
      m.add(size == 8 && n < 10 ? Budget::smoke : Budget::ci, {m.natural(), {3, size}}, {{"n", n}});
  for (const char* norm : {"backward", "ortho", "forward"})
    for (std::int64_t n : {4, 15, 37, 48, 512})
      m.add(n == 4 ? Budget::smoke : Budget::ci, {m.natural(), {2, 33}}, {{"n", n}, {"norm", norm}});
  for (std::int64_t axis : {0, 1, 2, 3, -1, -2, -3, -4})
    for (Layout layout : {Layout::row, Layout::transposed})
      m.add(axis == 0 ? Budget::smoke : Budget::ci, {m.natural(), {3, 5, 7, 2}, layout}, {{"axis", axis}});
  for (std::int64_t inner : {1, 15, 16, 17, 40}) {
    m.add(Budget::ci, {m.natural(), {2, 24, inner}}, {{"axis", 1}, {"n", 24}});
    m.add(Budget::ci, {m.natural(), {20, inner}}, {{"axis", 0}, {"n", 23}});
    m.add(Budget::ci, {m.natural(), {300, inner}}, {{"axis", -2}, {"n", 270}});
  }
  m.length(Budget::smoke, 1, 324);             // one line in two steps, each of more columns than a vector holds
  m.length(Budget::smoke, 1, 324, "wide-62");  // some of its columns far above the others
  m.add(Budget::smoke, {m.natural(), {4}});
  m.add(Budget::smoke, {m.natural(), {1, 1, 9, 1}}, {{"axis", 2}});
  m.add(Budget::smoke, {m.natural(), {0, 4}});
  m.add(Budget::smoke, {m.natural(), {3, 0, 4}});
  m.add(Budget::smoke, {m.natural(), {4, 0}}, {{"axis", 0}});
  m.add(Budget::smoke, {m.natural(), {2, 0}}, {{"n", 4}});
  m.add(Budget::ci, {m.natural(), {2, 0}}, {{"n", 101}, {"norm", "ortho"}});
}

void layouts(Maker& m) {
  for (const DtypeInfo& t : all_dtypes()) {
    const char* fill = t.kind == Kind::boolean || is_integer(t.dtype) ? "int-9" : "uniform";
    m.add(Budget::smoke, {t.dtype, {3, 9}, Layout::row, fill});
    m.add(Budget::ci, {t.dtype, {5, 20, 3}, Layout::transposed, fill}, {{"axis", 1}, {"n", 26}});
    m.add(Budget::ci, {t.dtype, {17, 64}, Layout::offset, fill});
  }
  for (Layout layout : kLayouts)
    for (Dtype t : {Dtype::f32, Dtype::c64, Dtype::i16, Dtype::f64}) {
      m.add(Budget::smoke, {t, {4, 6}, layout, t == Dtype::i16 ? "int-9" : "uniform"});
      m.add(Budget::ci, {t, {2, 18, 40}, layout, t == Dtype::i16 ? "int-9" : "uniform"}, {{"axis", 1}});
      m.add(Budget::ci, {t, {19, 128}, layout, t == Dtype::i16 ? "int-9" : "uniform"});
    }
}

template <Form F>
std::vector<Case> cases() {
  Maker m{F, {}};
  lengths(m);
  impulses(m);
  values(m);
  attributes(m);
  layouts(m);
  return std::move(m.cases);
}

// Lengths beyond the quadratic oracle's reach are timed on impulses, which it can follow.
template <Form F>
std::vector<Case> bench() {
  using Sizes = std::initializer_list<std::pair<std::int64_t, std::int64_t>>;
  Maker m{F, {}};
  const auto add = [&](Budget budget, const Sizes& sizes) {
    for (auto [n, lines] : sizes) m.length(budget, lines, n, n > 8192 ? "impulse" : "uniform");
  };
  add(Budget::smoke, {{1024, 256}});
  add(Budget::ci, {{64, 4096}, {4096, 64}, {1000, 256}, {1009, 256}, {65536, 4}, {1048576, 1}});
  add(Budget::nightly, {{256, 1024},
                        {10007, 8},
                        {100000, 4},
                        {1024, 4096},
                        {4096, 4096},
                        {65536, 256},
                        {1048576, 64},
                        {16777216, 1},
                        {1000, 4096},
                        {1009, 4096},
                        {19683, 512}});
  return std::move(m.cases);
}

// A few lines of many.
template <Form F>
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  const auto n = static_cast<double>(length(c, F));
  if (c[0].rank() != 2 || c.axis() != 1 || static_cast<double>(c[0].dim(0)) * n * n < 3e8) return std::nullopt;
  return Spot{make_call(*c.op, {spaced(c[0], 0, 4, key)}, c.attrs),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], 0, 4, key)}; }};
}

template <Form F>
std::vector<Reject> rejects() {
  const auto call = [](Shape shape, Attrs attrs) {
    return Case{{Input{Dtype::f32, std::move(shape)}}, std::move(attrs)};
  };
  std::vector<Reject> out{
      {call({2, 4}, {{"n", 0}}), Reason::attribute, "no terms"},
      {call({2, 4}, {{"n", -3}}), Reason::attribute, "a negative length"},
      {call({2, 4}, {{"axis", 2}}), Reason::axis, "axis beyond the rank"},
      {call({2, 4}, {{"axis", -3}, {"n", 4}}), Reason::axis, "axis before the first"},
      {call({2, 4}, {{"norm", "unitary"}}), Reason::attribute, "no such norm"},
      {call({2, 4}, {{"n", 2.5}}), Reason::attribute, "a fractional length"},
      {call({3, 0}, {}), Reason::shape, "nothing to transform and no length given"},
  };
  if (F == Form::real_inverse) out.push_back({call({3, 1}, {}), Reason::shape, "one bin stands for no samples"});
  return out;
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
  op.cases = cases<F>;
  op.rejects = rejects<F>;
  op.bench = bench<F>;
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
