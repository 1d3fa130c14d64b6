// Packed weights of sparse layers: codes of 4 or 8 bits with a scale and a bias per group of input channels. Their
// packing, and the products and convolutions with them. The geometry is that of reference/sparse/sites/relation.h.
#include "reference/sparse/conv/sparse_quant.h"
#include "core/with_last.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/sparse/conv/conv_rows.h"

namespace plumb {
namespace {

using namespace reference;
using namespace sparse_quant;

// Codes stand little end first in words of 32 bits: channel a of a kernel row and an output channel at bits
// (a bits) mod 32 of its word (a bits) div 32; group g holds the channels g group .. (g + 1) group - 1.
//   one kernel row   weight (1, Cout, W), scales and biases (1, Cout, G)
//   K > 1 of them    weight (K, W, Cout), scales and biases (K, G, Cout)
struct Packing {
  std::int64_t kernels = 1, bits = 4, group = 64, in = 1, out = 1, stored = 64;  // stored: channels with their padding
  std::int64_t words() const { return stored * bits / 32; }
  std::int64_t groups() const { return stored / group; }
  // Position of entry i of the n words or groups of kernel row k and output c.
  std::int64_t at(std::int64_t k, std::int64_t c, std::int64_t i, std::int64_t n) const {
    return kernels == 1 ? c * n + i : (k * n + i) * out + c;
  }
  Shape shape(std::int64_t n) const { return kernels == 1 ? Shape{1, out, n} : Shape{kernels, n, out}; }
};

bool among(std::int64_t v, const auto& list) { return std::ranges::find(list, v) != std::end(list); }

std::int64_t bits_of(const Request& r) {
  const std::int64_t bits = r.integer("bits");
  if (!among(bits, kBits)) r.fail(Reason::attribute, "bits is " + std::to_string(bits));
  return bits;
}

void check_group(const Request& r, std::int64_t group) {
  if (!among(group, kGroups)) r.fail(Reason::attribute, "group_size is " + std::to_string(group));
}

// An attribute that only repeats what the shapes say.
void check_stated(const Request& r, std::string_view attr, std::int64_t is) {
  if (r.none(attr)) return;
  const std::int64_t stated = r.integer(attr);
  if (stated <= 0) r.fail(Reason::attribute, std::string(attr) + " is " + std::to_string(stated));
  if (stated != is)
    r.fail(Reason::shape,
           std::string(attr) + " is " + std::to_string(stated) + " where there are " + std::to_string(is));
}

// The packed weight at inputs weight, weight + 1, weight + 2. in: what it is applied to, 0 for all that it stores.
Packing packing(const Request& r, std::size_t weight, std::int64_t kernels, std::int64_t in) {
  Packing p{.kernels = kernels, .bits = bits_of(r)};
  if (!r.none("group_size")) check_group(r, r.integer("group_size"));
  const Shape &w = r.shape(weight), &s = r.shape(weight + 1);
  if (w[0] != kernels)
    r.fail(Reason::shape, "codes " + to_string(w) + " for " + std::to_string(kernels) + " kernel rows");
  const std::size_t last = kernels == 1 ? 2 : 1;  // the axis of words and of groups
  p.out = w[3 - last];
  p.stored = w[last] * 32 / p.bits;
  if (p.out == 0 || p.stored == 0) r.fail(Reason::shape, "codes " + to_string(w) + " without channels");
  if (s[3 - last] != p.out || s[last] == 0 || p.stored % s[last] != 0)
    r.fail(Reason::shape, "scales " + to_string(s) + " for codes " + to_string(w));
  p.group = p.stored / s[last];
  if (!among(p.group, kGroups)) r.fail(Reason::shape, "groups of " + std::to_string(p.group) + " channels");
  check_stated(r, "group_size", p.group);
  check_stated(r, "storage_in_channels", p.stored);
  check_stated(r, "out_channels", p.out);
  p.in = in;
  if (in == 0) p.in = r.none("in_channels") ? p.stored : r.integer("in_channels");
  if (!r.none("in_channels") && r.integer("in_channels") <= 0)
    r.fail(Reason::attribute, "in_channels is " + std::to_string(r.integer("in_channels")));
  check_stated(r, "in_channels", p.in);
  if (p.in > p.stored)
    r.fail(Reason::shape, std::to_string(p.in) + " channels where " + std::to_string(p.stored) + " are stored");
  return p;
}

std::uint64_t code_at(const Packing& p, const Unsigneds& words, std::int64_t k, std::int64_t a, std::int64_t c) {
  const std::uint64_t word = words[p.at(k, c, a * p.bits / 32, p.words())];
  return word >> (a * p.bits % 32) & ((1u << p.bits) - 1);
}

// ---------------------------------------------------------------------------- products

// What becomes of a weight, its exact value and that of q |s| + |b|: itself, or the latter.
double value_of(double exact, double) { return std::isfinite(to_float(exact)) ? exact : to_float(exact); }
double magnitude_of(double exact, double absolute) { return std::isfinite(to_float(exact)) ? absolute : 0; }
using Taken = double (*)(double exact, double absolute);

// W[k,a,c] = q[k,a,c] s[k,g,c] + b[k,g,c], g = a div group: exact but for the rounding of binary64, and infinite where
// f32 would be
Reals weights(const Call& call, std::size_t weight, const Packing& p, Taken taken) {
  const Wide codes = widen(call[weight]), scales = widen(call[weight + 1]), biases = widen(call[weight + 2]);
  const Unsigneds& q = unsigneds(codes);
  const Reals &s = reals(scales), &b = reals(biases);
  Reals W({p.kernels, p.in, p.out});
  for (std::int64_t k = 0; k < p.kernels; ++k)
    for (std::int64_t a = 0; a < p.in; ++a)
      for (std::int64_t c = 0; c < p.out; ++c) {
        const std::int64_t g = p.at(k, c, a / p.group, p.groups());
        const auto code = static_cast<double>(code_at(p, q, k, a, c));
        W(k, a, c) = taken(code * s[g] + b[g], code * std::abs(s[g]) + std::abs(b[g]));
      }
  return W;
}

// X as it is multiplied: rounded to the dtype of the scales.
Reals features_of(const Call& call, std::size_t features, std::size_t weight) {
  return reals(widen_as(call[features], call.dtype(weight + 1)));
}

// ---------------------------------------------------------------------------- convolutions

std::vector<Spec> infer_conv(const Request& r, RelationKind base) {
  const ConvSites s = check_sites(r, base);
  const std::int64_t A = r.size('A');
  if (A == 0) r.fail(Reason::shape, "features without channels");
  return r.outputs({{'R', s.M}, {'C', packing(r, kWeight, s.g.volume, A).out}});
}

// Y[o,c] = bias[c] + sum over edges (i,o,k), over a, of X[i,a] W[k,a,c]; X and bias of one call, W of the other
std::vector<Wide> convolved(const Call& call, const Call& packed, Taken taken, RelationKind base) {
  const std::vector<Spec> specs = infer_conv(call, base);
  const Relation r = relation_of(call, base);
  const Packing p = packing(call, kWeight, geometry(call, base).volume, call.shape(kFeatures)[1]);
  const Reals X = features_of(call, kFeatures, kWeight), W = weights(packed, kWeight, p, taken);
  Reals Y(specs[1].shape);
  if (call.has(kBias)) {
    const Wide bias = widen(call[kBias]);
    for (std::size_t o = 0; o < r.out.size(); ++o)
      for (std::int64_t c = 0; c < p.out; ++c) Y(o, c) = reals(bias)[c];
  }
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < p.in; ++a)
      for (std::int64_t c = 0; c < p.out; ++c) Y(e.out, c) += X(e.in, a) * W(e.kernel, a, c);
  return {coords_of(r, specs[0].shape[0]), Y, counts_of(r)};
}

std::vector<Wide> convolution(const Call& call, RelationKind base) { return convolved(call, call, value_of, base); }
std::vector<Wide> convolution_magnitude(const Call& call, RelationKind base) {
  return convolved(absolute(call), call, magnitude_of, base);
}

// Four output channels of many; the rows are whole.
Spot few_channels(const Call& c, std::size_t weight, std::uint64_t key, int output) {
  const int axis = c.shape(weight)[0] == 1 ? 1 : 2;
  std::vector<Tensor> in = c.in;
  for (std::size_t i = weight; i < weight + 3; ++i) in[i] = spaced(in[i], axis, 4, key);
  if (c.has(weight + 3)) in[weight + 3] = spaced(in[weight + 3], 0, 4, key);
  Attrs attrs = c.attrs;
  attrs.set("out_channels", kNone);
  return Spot{make_call(*c.op, std::move(in), attrs), [key, output](const std::vector<Tensor>& out) {
                std::vector<Tensor> part = out;
                Tensor& y = part[static_cast<std::size_t>(output)];
                y = spaced(y, -1, 4, key);
                return part;
              }};
}
std::optional<Spot> conv_spot(const Call& c, std::uint64_t key) { return few_channels(c, kWeight, key, 1); }

template <RelationKind base>
bool recorded(Attrs& attrs) {
  if (base == RelationKind::transposed) return drop_kind(attrs, {"transposed"});  // without targets
  return recorded_kind(base, attrs);
}

constexpr std::string_view kConvMeaning =
    "features are rounded to the dtype of the scales; weights are exact, and infinite where f32 would be; sums in at "
    "least f32 are rounded once to the dtype of the features; codes of one kernel row are stored (1,Cout,W) on every "
    "path; any Cout; padding channels are never read; no targets for the transposed kinds; "
    "rows beyond counts[1] are unspecified";

void set_packing(Attrs& attrs) {
  attrs.set("bits", 4);
  for (const char* a : {"group_size", "in_channels", "out_channels", "storage_in_channels"}) attrs.set(a, kNone);
}

template <RelationKind base>
Op conv_row(std::string_view name, std::string_view equation) {
  Attrs attrs = kernel_attrs(base);
  set_packing(attrs);
  return {.name = name,
          .signature = kSites + ", features T[N,A], weight u32[K,P,Q], scales U[K,G,H], biases U[K,G,H], bias? T[C]" +
                       (base == RelationKind::forward ? ", (" + reference::kTargets + ")?" : "") + " -> " +
                       kConvOutputs,
          .types = "I: i32 i64; T, U: f16 f32",
          .attrs = std::move(attrs),
          .equation = equation,
          .meaning = kConvMeaning,
          .infer = with_last<infer_conv, base>,
          .oracle = with_last<convolution, base>,
          .cases = conv_cases(base),
          .rejects = conv_rejects(base),
          .bench = conv_bench(base),
          .cost = [](const Call& c) { return conv_cost(c, base, infer_conv(c, base), 2); },
          .tolerance = {.kind = Tolerance::Class::accumulate,
                        .terms = [](const Call& c) { return conv_terms(c, base); },
                        .magnitude = with_last<convolution_magnitude, base>},
          .active = active_outputs,
          .spot = conv_spot,
          .corpus = "sparse_quantized_conv",
          .corpus_call = recorded<base>};
}

// ---------------------------------------------------------------------------- linear

std::vector<Spec> infer_linear(const Request& r) {
  const std::int64_t A = r.size('A');
  if (A == 0) r.fail(Reason::shape, "features without channels");
  (void)packing(r, 1, 1, A);
  return r.outputs();
}

// Y[i,c] = bias[c] + sum over a of X[i,a] W[a,c]; X and bias of one call, W of the other
std::vector<Wide> multiplied(const Call& call, const Call& packed, Taken taken) {
  const Packing p = packing(call, 1, 1, call.shape(0)[1]);
  const Reals X = features_of(call, 0, 1), W = weights(packed, 1, p, taken);
  Reals Y(infer_linear(call)[0].shape);
  const Wide bias = call.has(4) ? widen(call[4]) : Wide(Reals(Shape{p.out}));
  for (std::int64_t i = 0; i < Y.shape[0]; ++i)
    for (std::int64_t c = 0; c < p.out; ++c) {
      double sum = reals(bias)[c];
      for (std::int64_t a = 0; a < p.in; ++a) sum += X(i, a) * W(0, a, c);
      Y(i, c) = sum;
    }
  return {Y};
}

std::vector<Wide> linear(const Call& call) { return multiplied(call, call, value_of); }
std::vector<Wide> linear_magnitude(const Call& call) { return multiplied(absolute(call), call, magnitude_of); }

std::int64_t linear_terms(const Call& c) { return c.shape(0)[1] + (c.has(4) ? 1 : 0); }
std::optional<Spot> linear_spot(const Call& c, std::uint64_t key) { return few_channels(c, 1, key, 0); }

Cost linear_cost(const Call& call) {
  const Spec out = infer_linear(call)[0];
  return {2.0 * static_cast<double>(count(out.shape) * call.shape(0)[1]), input_bytes(call) + output_bytes(call)};
}

// ---------------------------------------------------------------------------- quantize, dequantize

// The axes of an unpacked weight: (Cout,Cin), (K,Cin,Cout) or (Cout,Kx,Ky,Kz,Cin).
struct Layout3 {
  std::int64_t kernels, in, out, step_k, step_a, step_c;
};

Layout3 kernel_major(std::int64_t kernels, std::int64_t in, std::int64_t out) {
  return {kernels, in, out, in * out, out, 1};
}
Layout3 channels_last(std::int64_t kernels, std::int64_t in, std::int64_t out) {
  return {kernels, in, out, in, 1, kernels * in};
}

Layout3 unpacked(const Request& r) {
  const Shape& w = r.shape(0);
  if (w.size() == 2) return channels_last(1, w[1], w[0]);
  if (w.size() == 3) return kernel_major(w[0], w[1], w[2]);
  return channels_last(w[1] * w[2] * w[3], w[4], w[0]);
}

Packing new_packing(const Request& r) {
  const Layout3 l = unpacked(r);
  if (count(r.shape(0)) == 0) r.fail(Reason::shape, "an empty weight " + to_string(r.shape(0)));
  Packing p{.kernels = l.kernels, .bits = bits_of(r), .in = l.in, .out = l.out};
  p.group = r.none("group_size") ? (l.in >= 64 ? 64 : 32) : r.integer("group_size");
  check_group(r, p.group);
  p.stored = (l.in + p.group - 1) / p.group * p.group;
  return p;
}

std::vector<Spec> infer_quantize(const Request& r) {
  const Packing p = new_packing(r);
  return {{Dtype::u32, p.shape(p.words())}, {r.dtype(0), p.shape(p.groups())}, {r.dtype(0), p.shape(p.groups())}};
}

double round_to(Dtype t, double x) {
  return t == Dtype::f16 ? half_to_float(to_half(x)) : static_cast<double>(to_float(x));
}

// To the 24 bits of f32, whatever the exponent; as if once, after a rounding to the 53 of binary64.
double in_24_bits(double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  const double ulp = std::ldexp(1.0, std::ilogb(x) - 23);
  return std::nearbyint(x / ulp) * ulp;
}

struct Affine {
  double s, b;
};

// Each step rounded to 24 bits: L = 2^bits - 1, m = min w, M = max w, s = max((M - m)/L, 1e-7), negated unless |m| >
// |M|; the edge e is m if |m| > |M|, else M; q0 = rint(e/s); s = e/q0 and b = e if q0 != 0, else b = 0
Affine affine_of(const std::vector<double>& w, double L) {
  const auto [m, M] = std::minmax_element(w.begin(), w.end());
  double s = std::max(in_24_bits(in_24_bits(*M - *m) / L), static_cast<double>(1e-7F));
  const bool use_min = std::abs(*m) > std::abs(*M);
  if (!use_min) s = -s;
  const double e = use_min ? *m : *M, q0 = std::nearbyint(in_24_bits(e / s));
  return q0 != 0 ? Affine{in_24_bits(e / q0), e} : Affine{s, 0};
}

// code = clip(rint((w - b)/s), 0, L)
std::uint64_t code_of(double w, Affine g, double L) {
  const double q = std::nearbyint(in_24_bits(in_24_bits(w - g.b) / g.s));
  return q > 0 ? static_cast<std::uint64_t>(std::min(q, L)) : 0;
}

// A group that holds a number that is not finite has scale and bias NaN and codes 0.
std::vector<Wide> quantize(const Call& call) {
  const Packing p = new_packing(call);
  const Layout3 l = unpacked(call);
  const Reals w = reals(widen(call[0]));
  const double L = p.bits == 4 ? 15 : 255;
  Unsigneds codes(p.shape(p.words()));
  Reals scales(p.shape(p.groups())), biases(p.shape(p.groups()));
  for (std::int64_t k = 0; k < p.kernels; ++k)
    for (std::int64_t c = 0; c < p.out; ++c)
      for (std::int64_t g = 0; g < p.groups(); ++g) {
        std::vector<double> values(static_cast<std::size_t>(p.group), 0.0);
        for (std::int64_t i = 0; i < p.group; ++i)
          if (const std::int64_t a = g * p.group + i; a < p.in)
            values[static_cast<std::size_t>(i)] = w[k * l.step_k + a * l.step_a + c * l.step_c];
        const std::int64_t group = p.at(k, c, g, p.groups());
        scales[group] = biases[group] = std::numeric_limits<double>::quiet_NaN();
        if (!std::ranges::all_of(values, [](double v) { return std::isfinite(v); })) continue;
        const Affine f = affine_of(values, L);
        for (std::int64_t i = 0; i < p.group; ++i) {
          const std::int64_t bit = (g * p.group + i) * p.bits;
          codes[p.at(k, c, bit / 32, p.words())] |= code_of(values[static_cast<std::size_t>(i)], f, L) << (bit % 32);
        }
        scales[group] = round_to(call.dtype(0), f.s);
        biases[group] = round_to(call.dtype(0), f.b);
      }
  return {codes, scales, biases};
}

struct Unpacked {
  Packing p;
  Layout3 l;
  Shape shape;
};

Unpacked unpacking(const Request& r) {
  const Geometry g = geometry(r, RelationKind::forward);
  const std::string& layout = r.text("layout");
  const Packing p = packing(r, 0, g.volume, 0);
  if (layout == "kernel_major") return {p, kernel_major(p.kernels, p.in, p.out), {p.kernels, p.in, p.out}};
  if (layout == "dense_5d")
    return {p, channels_last(p.kernels, p.in, p.out), {p.out, g.size[0], g.size[1], g.size[2], p.in}};
  if (layout != "linear") r.fail(Reason::attribute, "layout " + layout);
  if (p.kernels != 1) r.fail(Reason::attribute, "layout linear for " + std::to_string(p.kernels) + " kernel rows");
  return {p, channels_last(1, p.in, p.out), {p.out, p.in}};
}

std::vector<Spec> infer_dequantize(const Request& r) { return {{r.dtype(1), unpacking(r).shape}}; }

// w = round(round(code s) + b)
std::vector<Wide> dequantize(const Call& call) {
  const Unpacked u = unpacking(call);
  const Packing& p = u.p;
  const Wide codes = widen(call[0]), scales = widen(call[1]), biases = widen(call[2]);
  const Dtype t = call.dtype(1);
  Reals w(u.shape);
  for (std::int64_t k = 0; k < p.kernels; ++k)
    for (std::int64_t a = 0; a < p.in; ++a)
      for (std::int64_t c = 0; c < p.out; ++c) {
        const std::int64_t g = p.at(k, c, a / p.group, p.groups());
        const auto code = static_cast<double>(code_at(p, unsigneds(codes), k, a, c));
        w[k * u.l.step_k + a * u.l.step_a + c * u.l.step_c] =
            round_to(t, round_to(t, code * reals(scales)[g]) + reals(biases)[g]);
      }
  return {w};
}

Op quantizing_row() {
  return {
      .name = "quantize_weight",
      .signature = "weight T[C,A | K,A,C | C,X,Y,Z,A] -> weight u32[K,P,Q], scales T[K,G,H], biases T[K,G,H]",
      .types = "T: f16 f32",
      .attrs = {{"group_size", kNone}, {"bits", 4}},
      .equation =
          "per kernel row, output and group of input channels, zeros behind the last: m = min w, M = max w, "
          "s = max((M - m)/L, 1e-7), L = 2^bits - 1; e = m if |m| > |M|, else e = M, s = -s; q0 = rint(e/s); "
          "s = e/q0, b = e if q0 != 0, else b = 0; code = clip(rint((w - b)/s), 0, L)",
      .meaning =
          "in the 24 bits of f32 but of any exponent, ties to even, codes from the unrounded s and b; padding zeros "
          "count in min and max; a group with NaN or an infinity has scale and bias NaN and codes 0; group_size "
          "none: 64 from 64 channels on, else 32; an empty weight is refused",
      .infer = infer_quantize,
      .oracle = quantize,
      .cases = kQuantizeCases,
      .rejects = kQuantizeRejects,
      .bench = kQuantizeBench,
      .tolerance = {}};
}

Op dequantizing_row() {
  Attrs layout{{"kernel_size", std::vector<std::int64_t>{1, 1, 1}}, {"layout", "kernel_major"}};
  set_packing(layout);
  return {.name = "dequantize_weight",
          .signature = "weight u32[K,P,Q], scales U[K,G,H], biases U[K,G,H] -> weight U[C,A | K,A,C | C,X,Y,Z,A]",
          .types = "U: f16 f32",
          .attrs = layout,
          .equation = "w[k,a,c] = round(round(q[k,a,c] s[k,g,c]) + b[k,g,c]), g = a div group",
          .meaning =
              "product and sum each rounded to the dtype of the scales; padding removed; layout linear gives "
              "(Cout,Cin), kernel_major (K,Cin,Cout), dense_5d (Cout,Kx,Ky,Kz,Cin); linear needs one kernel row",
          .infer = infer_dequantize,
          .oracle = dequantize,
          .cases = dequantize_cases(),
          .rejects = dequantize_rejects(),
          .bench = dequantize_bench(),
          .tolerance = {}};
}

Op product_row() {
  Attrs plain;
  set_packing(plain);
  return {
      .name = "quantized_linear",
      .signature =
          "features T[N,A], weight u32[1,C,W], scales U[1,C,G], biases U[1,C,G], bias? V[C] -> features P[N,C]",
      .types = "T, U, V: f16 f32; P = promote(T, V)",
      .attrs = plain,
      .equation = "Y[i,c] = bias[c] + sum_a X[i,a] (q[a,c] s[g,c] + b[g,c]), g = a div group",
      .meaning =
          "features are rounded to the dtype of the scales; weights are exact, and infinite where f32 would be; one "
          "rounding at the end, to the dtype of the features, "
          "or to the one that features and bias promote to; padding channels are never read",
      .infer = infer_linear,
      .oracle = linear,
      .cases = linear_cases(),
      .rejects = linear_rejects(),
      .bench = linear_bench(),
      .cost = linear_cost,
      .tolerance = {.kind = Tolerance::Class::accumulate, .terms = linear_terms, .magnitude = linear_magnitude},
      .spot = linear_spot};
}

}  // namespace

std::vector<Op> sparse_quant_ops() {
  return {
      quantizing_row(),
      dequantizing_row(),
      product_row(),
      conv_row<RelationKind::forward>(
          "quantized_conv3d",
          "Y[o] = bias + sum over edges (i,o,k) of the forward relation of X[i] (q[k] s[k] + b[k]); of the target "
          "relation if "
          "targets are given"),
      conv_row<RelationKind::submanifold>(
          "quantized_subm_conv3d",
          "Y[o] = bias + sum over edges (i,o,k) of the submanifold relation of X[i] (q[k] s[k] + b[k])"),
      conv_row<RelationKind::transposed>(
          "quantized_conv_transpose3d",
          "Y[o] = bias + sum over edges (i,o,k) of the transposed relation of X[i] (q[k] s[k] + b[k])"),
      conv_row<RelationKind::generative>(
          "quantized_generative_conv_transpose3d",
          "Y[o] = bias + X[i] (q[k] s[k] + b[k]) for the edge (i,o,k) of the generative relation"),
  };
}

}  // namespace plumb
