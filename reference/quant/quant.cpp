// Group-wise quantization: packed codes with a scale, and for the affine mode a bias, per group of the last axis.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "reference/index.h"
#include "reference/quant/quant.h"

namespace plumb {
namespace {

using namespace quant;
using namespace reference;

}  // namespace

Format quant::format(const Request& r) {
  const std::string& text = r.text("mode");
  const auto mode = std::find_if(std::begin(kModes), std::end(kModes), [&](const Mode& m) { return m.name == text; });
  if (mode == std::end(kModes)) r.fail(Reason::attribute, "no mode is named '" + text + "'");
  Format f{mode, mode->group, mode->bits};
  if (!r.none("group_size")) f.group = r.integer("group_size");
  if (!r.none("bits")) f.bits = r.integer("bits");
  if (f.group <= 0) r.fail(Reason::attribute, "group_size is " + std::to_string(f.group));
  if (f.bits <= 0) r.fail(Reason::attribute, "bits is " + std::to_string(f.bits));
  return f;
}

namespace {

void check(const Request& r, const Format& f) {
  const auto among = [](const auto& list, std::int64_t v) { return std::ranges::find(list, v) != std::end(list); };
  const bool group = f.affine() ? among(kGroups, f.group) : f.group == f.mode->group;
  const bool bits = f.affine() ? among(kBits, f.bits) : f.bits == f.mode->bits;
  if (!group) r.fail(Reason::attribute, "mode " + r.text("mode") + " has no group_size " + std::to_string(f.group));
  if (!bits) r.fail(Reason::attribute, "mode " + r.text("mode") + " has no bits " + std::to_string(f.bits));
}

void check_global_scale(const Request& r, const Format& f) {
  if (!r.has("global_scale")) return;
  const Spec& s = r.spec(r.index("global_scale"));
  if (!f.is("nvfp4")) r.fail(Reason::arity, "mode " + r.text("mode") + " takes no global_scale");
  if (count(s.shape) != 1) r.fail(Reason::shape, "global_scale has shape " + to_string(s.shape));
}

}  // namespace

Dtype quant::check_weight(const Request& r, const Format& f, std::size_t codes, std::size_t scales,
                          std::size_t biases) {
  const Shape &w = r.shape(codes), &s = r.shape(scales);
  check(r, f);
  Dtype value = Dtype::bf16;
  if (f.affine()) {
    if (!r.has(biases)) r.fail(Reason::arity, "mode affine needs biases");
    value = promote(r.dtype(scales), r.dtype(biases));
    if (!is_real(value)) r.fail(Reason::dtype, "scales and biases promote to " + std::string(name(value)));
  } else {
    if (r.has(biases)) r.fail(Reason::arity, "mode " + r.text("mode") + " takes no biases");
    if (r.dtype(scales) != Dtype::u8)
      r.fail(Reason::dtype, "scales are " + std::string(name(r.dtype(scales))) + ", not u8");
  }
  if (32 * w.back() != s.back() * f.group * f.bits)
    r.fail(Reason::shape, "scales " + to_string(s) + " for codes " + to_string(w));
  return value;
}

namespace {

// ---------------------------------------------------------------------------- numbers

constexpr std::uint64_t kNanE4m3 = 0x7f, kInfE8m0 = 0xff;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double round_to(Dtype t, double x) {
  switch (t) {
    case Dtype::f16: return half_to_float(to_half(x));
    case Dtype::bf16: return bf16_to_float(to_bf16(x));
    case Dtype::f32: return to_float(x);
    default: return x;
  }
}

// E2M1: a sign bit above eight magnitudes.
double e2m1(std::uint64_t code) {
  constexpr double magnitude[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  return code & 8 ? -magnitude[code & 7] : magnitude[code & 7];
}

// E4M3: sign, exponent biased by 7, three bits of fraction; the largest magnitude is NaN, none is infinite.
double e4m3(std::uint64_t code) {
  if ((code & 0x7f) == kNanE4m3) return kNan;
  const auto e = static_cast<int>(code >> 3 & 15), m = static_cast<int>(code & 7);
  const double magnitude = e == 0 ? std::ldexp(m, -9) : std::ldexp(8 + m, e - 10);
  return code & 0x80 ? -magnitude : magnitude;
}

// The nearest E4M3 number, ties to even; everything from 448 on, and NaN, becomes 448 with its sign.
std::uint64_t to_e4m3(double x) {
  const std::uint64_t sign = std::signbit(x) ? 0x80 : 0;
  const double a = std::abs(x);
  if (!(a < 448)) return sign | 0x7e;
  const int e = std::max(a > 0 ? std::ilogb(a) : -6, -6);
  const double m = std::nearbyint(std::ldexp(a, 3 - e));  // in units of the last place; 16 carries into e
  return sign | static_cast<std::uint64_t>((e + 7) * 8 + static_cast<int>(m) - 8);
}

// E8M0: a power of two, the largest code standing for infinity.
double e8m0(std::uint64_t code) {
  if (code == kInfE8m0) return std::numeric_limits<double>::infinity();
  return std::ldexp(1.0, std::max(static_cast<int>(code), 0) - 127);
}

// The rows of words, along the last axis.
Lines rows_of(const Unsigneds& codes) { return {codes.shape, std::ssize(codes.shape) - 1}; }

// Bits [i bits, (i + 1) bits) of a row of words, least significant first.
std::uint64_t code_at(Line<const std::uint64_t> row, std::int64_t i, std::int64_t bits) {
  std::uint64_t code = 0;
  for (std::int64_t j = 0; j < bits; ++j) {
    const std::int64_t at = i * bits + j;
    code |= (row(at / 32) >> (at % 32) & 1) << j;
  }
  return code;
}

void put_code(Line<std::uint64_t> row, std::int64_t i, std::int64_t bits, std::uint64_t code) {
  for (std::int64_t j = 0; j < bits; ++j) {
    const std::int64_t at = i * bits + j;
    row(at / 32) |= (code >> j & 1) << (at % 32);
  }
}

Reals real_values(const Tensor& t) {
  if (t.dtype() == Dtype::f32 || t.dtype() == Dtype::f16 || t.dtype() == Dtype::bf16) return reals(widen(t));
  const Wide w = widen_as(t, Dtype::f64);  // whole numbers too
  const auto& wide = std::get<Reals2>(w);
  Reals r(wide.shape);
  std::transform(wide.data.begin(), wide.data.end(), r.data.begin(), [](Double2 x) { return x.hi; });
  return r;
}

double scalar(const Tensor& t) { return real_values(t)[0]; }

// ---------------------------------------------------------------------------- quantize

std::vector<Spec> infer_quantize(const Request& r) {
  const Format f = format(r);
  Shape w = r.shape(0);
  const std::int64_t k = w.back();
  if (k % f.group != 0)
    r.fail(Reason::shape, "the last axis of " + to_string(w) + " is no multiple of " + std::to_string(f.group));
  check_global_scale(r, f);
  check(r, f);
  Shape s = w;
  w.back() = k * f.bits / 32;
  s.back() = k / f.group;
  if (!f.affine()) return {{Dtype::u32, w}, {Dtype::u8, s}};
  return {{Dtype::u32, w}, {r.dtype(0), s}, {r.dtype(0), s}};
}

// To the 24 bits of float32, whatever the exponent. A sum, difference or quotient of two float32 numbers that binary64
// rounded first is so rounded as if once: 53 >= 2 * 24 + 2 (Figueroa 1995).
double round24(double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int e = std::ilogb(x);
  return std::ldexp(std::nearbyint(std::ldexp(x, 23 - e)), e - 23);
}

struct Affine {
  double s, b;
};

// One group w, each step rounded to 24 bits:
//   one bit   s = max(max w - min w, 1e-7), b = min w
//   more      s = max((max w - min w) / n, 1e-7), n = 2^bits - 1; the anchor e = min w if |min w| > |max w|, else
//             e = max w and s = -s; q0 = rint(e / s); s = e / q0 and b = e if q0 != 0, else b = 0
Affine affine_group(std::span<const double> w, std::int64_t bits) {
  const double low = *std::ranges::min_element(w), high = *std::ranges::max_element(w);
  const double n = std::ldexp(1.0, static_cast<int>(bits)) - 1;
  double s = std::max(round24(round24(high - low) / n), static_cast<double>(1e-7F));
  if (bits == 1) return {s, low};
  const bool from_low = std::abs(low) > std::abs(high);
  const double e = from_low ? low : high;
  if (!from_low) s = -s;
  const double q0 = std::nearbyint(round24(e / s));
  return q0 != 0 ? Affine{round24(e / q0), e} : Affine{s, 0};
}

// code = clamp(rint((w - b) / s), 0, n)
std::uint64_t affine_code(double w, Affine g, std::int64_t bits) {
  const double n = std::ldexp(1.0, static_cast<int>(bits)) - 1;
  return static_cast<std::uint64_t>(std::clamp(std::nearbyint(round24(round24(w - g.b) / g.s)), 0.0, n));
}

bool all_finite(std::span<const double> w) {
  return std::ranges::all_of(w, [](double x) { return std::isfinite(x); });
}

// r = max |w| / largest element, k = ceil(log2 r) in w's dtype T, 0 for r = 0; the scale is 2^k, stored as k + 127.
// A subnormal r has exponents below -127, which no byte holds: then k = -127.
std::uint64_t power_of_two_scale(Dtype t, double r, double& scale) {
  const int k = r == 0 ? 0 : static_cast<int>(std::clamp(std::ceil(round_to(t, std::log2(r))), -127.0, 127.0));
  scale = std::ldexp(1.0, k);
  return static_cast<std::uint64_t>(std::int64_t{k} + 127);
}

// The first E2M1 number at the least distance: ties go to the smaller magnitude; 0 if no distance is a number.
std::uint64_t to_e2m1(Dtype t, double y) {
  std::uint64_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint64_t code = 0; code < 16; ++code) {
    const double distance = std::abs(round_to(t, y - e2m1(code)));
    if (distance < least) least = distance, best = code;
  }
  return best;
}

// The scale byte and the codes of one group: y = w / scale [g], rounded to the nearest element. A group with a number
// that is not finite, or a product that overflows, is lost: codes 0 and a scale byte that makes NaN of them.
void float_group(const Format& f, Dtype t, std::span<const double> w, const double* global, Line<std::uint64_t> row,
                 std::int64_t first, std::uint64_t& byte) {
  double largest = 0;
  for (const double x : w) largest = std::max(largest, std::abs(x));
  const double r = round_to(t, largest / (f.bits == 8 ? 448 : 6));
  const double g = global ? round_to(Dtype::f32, 2688 / *global) : 1;  // 2688 = 448 * 6
  const Dtype element = global ? Dtype::f32 : t;
  const double relative = round_to(element, r * g);
  byte = f.is("nvfp4") ? kNanE4m3 : kInfE8m0;
  if (!all_finite(w) || !std::isfinite(relative)) return;
  std::uint64_t found = 0;
  double scale = 1;
  if (f.is("nvfp4")) found = to_e4m3(relative), scale = e4m3(found);
  else found = power_of_two_scale(t, r, scale);
  std::vector<double> y;
  for (const double x : w) y.push_back(round_to(element, round_to(t, x / scale) * g));
  if (scale != 0 && !all_finite(y)) return;
  byte = found;
  for (std::int64_t i = 0; i < f.group; ++i) {
    const double v = y[static_cast<std::size_t>(i)];
    put_code(row, first + i, f.bits, f.bits == 8 ? to_e4m3(v) : to_e2m1(element, v));
  }
}

// A group that holds a number that is not finite, or whose scale is none in the dtype of w, is lost: scale and bias are
// NaN and the codes 0.
std::vector<Wide> quantize(const Call& c) {
  const Format f = format(c);
  const Dtype t = c.dtype(0);
  const Reals w = reals(widen(c[0]));
  const std::vector<Spec> out = infer_quantize(c);
  const std::int64_t k = w.shape.back();
  Unsigneds codes(out[0].shape), bytes(out[1].shape);
  Reals scales(out[1].shape), biases(out[1].shape);
  double global = 1;
  if (c.has("global_scale")) global = scalar(c["global_scale"]);
  for (std::int64_t g = 0; g < scales.size(); ++g) {
    const std::int64_t row = g * f.group / k, first = g * f.group % k;
    const std::span<const double> values(&w.data[static_cast<std::size_t>(g * f.group)],
                                         static_cast<std::size_t>(f.group));
    const Line<std::uint64_t> words = rows_of(codes).line(codes, row);
    if (!f.affine()) {
      float_group(f, t, values, c.has("global_scale") ? &global : nullptr, words, first, bytes[g]);
      continue;
    }
    scales[g] = biases[g] = kNan;
    if (!all_finite(values)) continue;
    const Affine a = affine_group(values, f.bits);
    if (!std::isfinite(round_to(t, a.s))) continue;
    scales[g] = round_to(t, a.s), biases[g] = round_to(t, a.b);
    for (std::int64_t i = 0; i < f.group; ++i)
      put_code(words, first + i, f.bits, affine_code(values[static_cast<std::size_t>(i)], a, f.bits));
  }
  if (!f.affine()) return {codes, bytes};
  return {codes, scales, biases};
}

// ---------------------------------------------------------------------------- dequantize

Dtype dequantized_dtype(const Request& r, Dtype natural) { return r.dtype_attr("dtype").value_or(natural); }

std::vector<Spec> infer_dequantize(const Request& r) {
  const Format f = format(r);
  const Dtype natural = check_weight(r, f, 0, 1, 2);
  check_global_scale(r, f);
  const Dtype out = dequantized_dtype(r, natural);
  if (!is_real(out)) r.fail(Reason::attribute, "dtype " + std::string(name(out)) + " is not real");
  Shape w = r.shape(0);
  w.back() = 32 * w.back() / f.bits;
  return {{out, w}};
}

// w = round(round(code s) + b), the product in the dtype of s, the sum in the promoted dtype of s and b
Reals dequantize_affine(const Call& c, const Format& f, const Unsigneds& codes, Shape shape) {
  const Reals s = real_values(c[1]), b = real_values(c[2]);
  const Dtype product = c.dtype(1), sum = promote(c.dtype(1), c.dtype(2));
  Reals w(std::move(shape));
  for (std::int64_t i = 0; i < w.size(); ++i) {
    const std::int64_t k = w.shape.back(), g = i / f.group;
    const auto code = static_cast<double>(code_at(rows_of(codes).line(codes, i / k), i % k, f.bits));
    w[i] = round_to(sum, round_to(product, code * s[g]) + b[g]);
  }
  return w;
}

// The real number that a scale byte stands for.
double scale_value(const Format& f, std::uint64_t byte) { return f.is("nvfp4") ? e4m3(byte) : e8m0(byte); }
double element_value(const Format& f, std::uint64_t code) { return f.bits == 8 ? e4m3(code) : e2m1(code); }

// w = round(element scale), the scale first rounded to the dtype of w; a global scale multiplies it in float32.
Reals dequantize_float(const Call& c, const Format& f, const Unsigneds& codes, const Spec& out) {
  const Unsigneds s = unsigneds(widen(c[1]));
  const bool global = c.has("global_scale");
  const double factor = global ? round_to(Dtype::f32, scalar(c["global_scale"]) / 2688) : 1;
  Reals w(out.shape);
  for (std::int64_t i = 0; i < w.size(); ++i) {
    const std::int64_t k = w.shape.back(), g = i / f.group;
    const std::uint64_t code = code_at(rows_of(codes).line(codes, i / k), i % k, f.bits);
    const double scale = round_to(global ? Dtype::f32 : out.dtype, scale_value(f, s[g]) * factor);
    w[i] = round_to(global ? Dtype::f32 : out.dtype, element_value(f, code) * scale);
  }
  return w;
}

std::vector<Wide> dequantize(const Call& c) {
  const Format f = format(c);
  const Spec out = infer_dequantize(c)[0];
  const Unsigneds codes = unsigneds(widen(c[0]));
  Reals w = f.affine() ? dequantize_affine(c, f, codes, out.shape) : dequantize_float(c, f, codes, out);
  for (double& x : w.data) x = round_to(out.dtype, x);
  return {w};
}

// ---------------------------------------------------------------------------- quantized_matmul

struct Product {
  Shape batch, x_batch, w_batch;
  std::int64_t m, n, k;
  bool vector;  // x has one axis: so has the result
};

Product product(const Request& r, const Format& f) {
  const Shape &x = r.shape(0), &w = r.shape(1);
  const std::int64_t rows = w[w.size() - 2], columns = 32 * w.back() / f.bits;
  const bool transpose = r.flag("transpose");
  Product p;
  p.vector = x.size() == 1;
  p.m = p.vector ? 1 : x[x.size() - 2];
  p.n = transpose ? rows : columns;
  p.k = transpose ? columns : rows;
  if (!p.vector) p.x_batch.assign(x.begin(), x.end() - 2);
  p.w_batch.assign(w.begin(), w.end() - 2);
  if (x.back() != p.k)
    r.fail(Reason::shape, "the last axis of x " + to_string(x) + " is not the inner size " + std::to_string(p.k));
  p.batch = broadcast(r.op->name, p.x_batch, p.w_batch);
  return p;
}

}  // namespace

Dtype quant::product_dtype(const Request& r, const Format& f, Dtype weight) {
  const Dtype out = f.affine() ? promote(r.dtype(0), weight) : r.dtype(0);
  if (out != Dtype::f16 && out != Dtype::bf16 && out != Dtype::f32)
    r.fail(Reason::dtype, "the result would be " + std::string(name(out)) + ", not f16, bf16 or f32");
  return out;
}

namespace {

std::vector<Spec> infer_quantized_matmul(const Request& r) {
  const Format f = format(r);
  const Dtype out = product_dtype(r, f, check_weight(r, f, 1, 2, 3));
  const Product p = product(r, f);
  Shape shape = p.batch;
  if (!p.vector) shape.push_back(p.m);
  shape.push_back(p.n);
  return {{out, shape}};
}

}  // namespace

Reals quant::weights(const Call& c, const Format& f, Sign sign) {
  const Unsigneds codes = unsigneds(widen(c[1]));
  Shape shape = codes.shape;
  shape.back() = 32 * shape.back() / f.bits;
  Reals w(shape), s, b;
  Unsigneds bytes;
  if (f.affine()) s = real_values(c[2]), b = real_values(c[3]);
  else bytes = unsigneds(widen(c[2]));
  for (std::int64_t i = 0; i < w.size(); ++i) {
    const std::int64_t k = shape.back(), g = i / f.group;
    const std::uint64_t code = code_at(rows_of(codes).line(codes, i / k), i % k, f.bits);
    const double q = f.affine() ? static_cast<double>(code) : element_value(f, code);
    const double scale = f.affine() ? s[g] : scale_value(f, bytes[g]), bias = f.affine() ? b[g] : 0;
    const bool finite = std::isfinite(to_float(q * scale + bias));
    if (sign == Sign::kept) w[i] = finite ? q * scale + bias : round_to(Dtype::f32, q * scale + bias);
    else w[i] = finite ? std::abs(q) * std::abs(scale) + std::abs(bias) : 0;
  }
  return w;
}

namespace {

// out_mn = sum_k x_mk w_nk with transpose, sum_k x_mk w_kn without
Reals product_of(const Call& c, const Product& p, const Reals& x, const Reals& w) {
  const bool transpose = c.flag("transpose");
  Reals y(infer_quantized_matmul(c)[0].shape);
  for (std::int64_t b = 0; b < count(p.batch); ++b) {
    const auto xb = matrix(x, broadcast_index(b, p.batch, p.x_batch), p.m, p.k);
    const std::int64_t t = broadcast_index(b, p.batch, p.w_batch);
    const auto wb = transpose ? matrix(w, t, p.n, p.k) : matrix(w, t, p.k, p.n);
    const auto yb = matrix(y, b, p.m, p.n);
    for (std::int64_t m = 0; m < p.m; ++m)
      for (std::int64_t n = 0; n < p.n; ++n)
        for (std::int64_t k = 0; k < p.k; ++k) yb(m, n) += xb(m, k) * (transpose ? wb(n, k) : wb(k, n));
  }
  return y;
}

std::vector<Wide> quantized_matmul(const Call& c) {
  const Format f = format(c);
  const Reals x = reals(widen_as(c[0], infer_quantized_matmul(c)[0].dtype));
  return {product_of(c, product(c, f), x, weights(c, f, Sign::kept))};
}

// The signs of x and of the weights lie in integers and in codes too.
std::vector<Wide> quantized_matmul_magnitude(const Call& c) {
  const Format f = format(c);
  Reals x = reals(widen_as(c[0], infer_quantized_matmul(c)[0].dtype));
  for (double& v : x.data) v = std::isfinite(v) ? std::abs(v) : 0.0;
  return {product_of(c, product(c, f), x, weights(c, f, Sign::dropped))};
}

std::int64_t inner(const Call& c) { return c.shape(0).back(); }

// Eight rows of x, and where the weight is transposed 64 of its rows.
std::optional<Spot> quantized_matmul_spot(const Call& c, std::uint64_t key) {
  if (c.rank(0) < 2 || c.rank(1) != 2) return std::nullopt;
  const bool transposed = c.flag("transpose");
  std::vector<Tensor> in{spaced(c[0], -2, 8, key)};
  for (std::size_t i = 1; i < c.in.size(); ++i)
    in.push_back(c.has(i) && transposed ? spaced(c[i], -2, 64, key) : c.in[i]);
  return Spot{make_call(*c.op, std::move(in), c.attrs), [key, transposed](const std::vector<Tensor>& out) {
                const Tensor rows = spaced(out[0], -2, 8, key);
                return std::vector<Tensor>{transposed ? spaced(rows, -1, 64, key) : rows};
              }};
}

Cost quantized_matmul_cost(const Call& c) {
  const double products = static_cast<double>(count(infer_quantized_matmul(c)[0].shape) * inner(c));
  return {2 * products, input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> quant_ops() {
  Attrs attrs{{"group_size", kNone}, {"bits", kNone}, {"mode", "affine"}};
  Op quantizing;
  quantizing.name = "quantize";
  quantizing.signature = "w T[*B,M,K], global_scale? f32[*S] -> w_q u32[*B,M,W], scales Z[*B,M,G], biases T[*B,M,G]";
  quantizing.types = "T: f16 bf16 f32; Z: u8 f16 bf16 f32";
  quantizing.attrs = attrs;
  quantizing.equation =
      "s = max((max w - min w)/n, 1e-7), n = 2^bits - 1; with one bit b = min w, with more e = min w if |min w| > "
      "|max w|, else e = max w, s = -s; q0 = rint(e/s); s = e/q0, b = e if q0 != 0, else b = 0; w_q = "
      "clamp(rint((w - b)/s), 0, n). mxfp4, mxfp8: scale 2^k, k = ceil(log2(max|w| / largest element)) in [-127, 127], "
      "0 if w = 0; nvfp4: max|w| / 6 [g] as E4M3, g = 2688 / global_scale; w_q = the element nearest to w / scale [g]";
  quantizing.meaning =
      "per group, in the 24 bits of float32 but of any exponent, ties to even, the codes from the unrounded s and b; "
      "the other modes have two outputs and work in the dtype of w, log2 r too; a group with NaN or an infinity, or "
      "whose scale (or a product with global_scale) is not finite in the dtype of w, has codes 0 and a scale that "
      "makes NaN of them: NaN with bias NaN, E8M0 255, E4M3 0x7f; f64 is refused";
  quantizing.infer = infer_quantize, quantizing.oracle = quantize, quantizing.cases = kQuantizeCases;
  quantizing.rejects = kQuantizeRejects, quantizing.bench = kQuantizeBench;

  Op dequantizing;
  dequantizing.name = "dequantize";
  dequantizing.signature = "w_q u32[*B,M,W], scales U[*B,M,G], biases? V[*B,M,G], global_scale? f32[*S] -> w P[*B,M,K]";
  dequantizing.types = "U, V: bool integers floats; P: floats";
  dequantizing.attrs = attrs;
  dequantizing.attrs.set("dtype", kNone);
  dequantizing.equation = "w = round(round(w_q s) + b); in the other modes w = round(element scale)";
  dequantizing.meaning =
      "the product in the dtype of the scales, the sum in that of scales and biases, then the cast; E4M3 0x7f and 0xff "
      "are NaN, as elements and as scales; E8M0 255 is infinity, so that elements 0 under it are NaN; only the widths "
      "and groups of quantize; empty weights are accepted; with a global scale, float32 arithmetic cast to dtype";
  dequantizing.infer = infer_dequantize, dequantizing.oracle = dequantize, dequantizing.cases = kDequantizeCases;
  dequantizing.rejects = {"from lead=-", kWeightRejects, kDequantizeRejects}, dequantizing.bench = kDequantizeBench;

  Op product;
  product.name = "quantized_matmul";
  product.signature = "x T[...,M?,K], w_q u32[*B,R,W], scales U[*B,R,G], biases? V[*B,R,G] -> out P[...,M?,N]";
  product.types = "T: bool integers f16 bf16 f32; U, V: bool integers floats; P: f16 bf16 f32";
  product.attrs = attrs;
  product.attrs.set("transpose", true);
  product.equation = "out_mn = sum_k x_mk (w_q s + b)_nk with transpose, sum_k x_mk (w_q s + b)_kn without";
  product.meaning =
      "the exact weights, infinite where float32 would be; E4M3 0x7f and 0xff are NaN; f16 and bf16 sums are rounded "
      "once at the end, where MLX accumulates in the output dtype on the CPU; all batch axes of x and w broadcast, "
      "also for an x of rank 2 or less";
  product.infer = infer_quantized_matmul, product.oracle = quantized_matmul, product.cases = kProductCases;
  product.rejects = {"from lead={x} x=f32.2x64.row.uniform", kWeightRejects, kProductRejects};
  product.bench = kProductBench, product.cost = quantized_matmul_cost, product.spot = quantized_matmul_spot;
  product.tolerance.kind = Tolerance::Class::accumulate, product.tolerance.terms = inner;
  product.tolerance.magnitude = quantized_matmul_magnitude;
  return {quantizing, dequantizing, product};
}

}  // namespace plumb
