// Losses: rows of text. Each is a program over other rows; `reduced` ends it.
#include <utility>

#include "reference/formula.h"

namespace plumb {
namespace {

using namespace reference;

// The last statement of the text names the loss of each element; the attribute says what is made of them.
std::string reduced(const Request& r, const std::string& text) {
  const std::string& how = r.text("reduction");
  if (how == "none") return text;
  if (how == "mean" || how == "sum") return text + "; out = " + how + "(l, axis=none, keepdims=false)";
  r.fail(Reason::attribute, "reduction '" + how + "' is none of none, mean, sum");
}

// Throws Error(shape) if two inputs differ in it.
void same_shape(const Request& r, std::string_view a, std::string_view b, const Shape& wanted) {
  const Shape& s = r.shape(r.index(b));
  if (s != wanted)
    r.fail(Reason::shape,
           std::string(b) + " is " + to_string(s) + ", but " + std::string(a) + " asks for " + to_string(wanted));
}

Shape without_axis(const Request& r) {
  Shape s = r.shape(0);
  s.erase(s.begin() + r.axis());
  return s;
}

std::string weighted(const Request& r, const std::string& text) {
  return r.has("weights") ? text + "; l = l*weights" : text;
}

// ---- the texts

// lse(z) - score, z = logits - max logits; score = z_t, or the sum of z_j t_j of probabilities. With a label_smoothing
// e, lse - (1 - e) score - e mean(z).
std::string cross_entropy(const Request& r) {
  const double smoothing = r.number("label_smoothing");
  if (!(smoothing >= 0 && smoothing < 1)) r.fail(Reason::attribute, "label_smoothing is not in [0, 1)");
  const bool probabilities = r.rank(1) == r.rank(0);
  same_shape(r, "logits", "targets", probabilities ? r.shape(0) : without_axis(r));
  if (!probabilities && is_inexact(r.dtype(1))) r.fail(Reason::dtype, "targets of one axis less are indices");
  if (r.has("weights")) same_shape(r, "the loss", "weights", without_axis(r));
  std::string text = "z = logits - max(logits); ";
  text += probabilities ? "score = sum(z*targets)" : "score = take_along_axis(z, expand_dims(targets))";
  text += smoothing > 0 ? "; a = log(sum(exp(z))) - (1 - label_smoothing)*score - label_smoothing*mean(z)"
                        : "; a = log(sum(exp(z))) - score";
  return reduced(r, weighted(r, text + "; l = squeeze(a)"));
}

std::string binary_cross_entropy(const Request& r) {
  return reduced(r, weighted(r,
                             "l = with_logits ? softplus(x) - x*t"
                             " : -(t*maximum(log(x), -100) + (1 - t)*maximum(log(1 - x), -100))"));
}

std::string l1_loss(const Request& r) { return reduced(r, "l = abs(x - t)"); }

std::string mse_loss(const Request& r) { return reduced(r, "l = square(x - t)"); }

std::string nll_loss(const Request& r) {
  same_shape(r, "x", "t", without_axis(r));
  return reduced(r, "l = -squeeze(take_along_axis(x, expand_dims(t)))");
}

// 0.9189385332046727 = log(2 pi) / 2
std::string gaussian_nll_loss(const Request& r) {
  return reduced(r,
                 "v = maximum(vars, eps); h = 0.5*(log(v) + square(t - x)/v); "
                 "l = full ? h + 0.9189385332046727 : h");
}

std::string kl_div_loss(const Request& r) {
  (void)r.axis();
  return reduced(r, "l = sum(exp(t)*(t - x), keepdims=false)");
}

std::string smooth_l1_loss(const Request& r) {
  return reduced(r, "d = abs(x - t); l = where(less(d, beta), 0.5*square(d)/beta, d - 0.5*beta)");
}

std::string triplet_loss(const Request& r) {
  (void)r.axis();
  return reduced(r,
                 "near = power(sum(power(abs(anchors - positives), p)) + eps, 1/p); "
                 "far = power(sum(power(abs(anchors - negatives), p)) + eps, 1/p); "
                 "l = squeeze(maximum(near - far + margin, 0))");
}

std::string hinge_loss(const Request& r) { return reduced(r, "l = maximum(1 - x*t, 0)"); }

std::string huber_loss(const Request& r) {
  return reduced(r, "d = abs(x - t); q = minimum(d, delta); l = 0.5*square(q) + delta*(d - q)");
}

// log cosh e = |e| + log(1 + e^(-2 |e|)) - log 2, which loses nothing where e is large
std::string log_cosh_loss(const Request& r) {
  return reduced(r, "e = abs(x - t); l = e + softplus(-2*e) - 0.6931471805599453");
}

std::string cosine_similarity_loss(const Request& r) {
  (void)r.axis();
  return reduced(r, "n = sqrt(sum(square(x1)))*sqrt(sum(square(x2))); l = squeeze(sum(x1*x2)/maximum(n, eps))");
}

std::string margin_ranking_loss(const Request& r) { return reduced(r, "l = maximum(0, -t*(x1 - x2) + margin)"); }

// ---- the cases

// Inputs of one shape. $x, $y: what the loss is made for, $z: a third input; $g: attributes to try.
constexpr const char* kPairs = R"(
  call   {t}.{s}.{l}.{x}+{u}.{s}.{m}.{y}$z/{g},reduction={how}
  from   t=f32 u={t} l=row m=row x=$x y=$y s=4x5 how=none g=-
  smoke  t={@floats,f64} how={none,mean,sum} g=$g
  smoke  s={s,0,1,2x1x7} how={none,sum}
  smoke  x={special-3,int-3} y={special-4,int-1} how={none,sum}
  smoke  u=i32 y=int-1 g=$g
  ci     l={@layouts} m={@layouts} s=3x4x5
  ci     t={f16,bf16,f64} l=[transposed,stepped,reversed] s=3x4x21 how={none,mean}
  ci     s={15,33,255,1025,4099} how={none,mean,sum}
  ci     t={f32,f64,f16,bf16} x=[tiny,subnormal,wide-6] y={x} s=33 g=$g
  ci     t={f16,bf16,f64,f32} u={f32,i8,f16} s=67 y=int-1 how={none,mean}
)";

// Lines along an axis, three inputs at most.
constexpr const char* kLines = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}$z/axis={axis},{g},reduction={how}
  from   t=f32 u=$u l=row m=row x=$x y=$y s=4x5 r=$r axis=1 how=none g=-
  smoke  t={@floats,f64} how={none,mean,sum} g=$g
  smoke  s,axis={4x5 0, 7 0, 1x1 1, 2x3x4 1, 2x3x4 -1, 2x3x4 -3, 0x3 1} how={none,sum}
  smoke  x={special-5,int-3}
  ci     l={@layouts} m={@layouts} s=3x4x5
  ci     t={f16,bf16,f64} l=[transposed,stepped,reversed] s=3x4x21 axis={0,1,2} how={none,mean}
  ci     s,axis={5x255 1, 255x5 0, 3x1025 -1, 1025x3 0} how={none,mean}
  ci     t={f32,f64,f16} x=[tiny,subnormal,wide-6] s=9x33 g=$g
)";

constexpr const char* kBenchPairs = R"(
  ci     f32.1024x1024.row.$x+f32.1024x1024.row.$y$b/reduction={mean,none}
)";

constexpr const char* kBenchLines = R"(
  ci     f32.1024x1024.row.$x+$b/axis=1,reduction=mean
)";

// Positions along an axis of d, for each of the r lines.
constexpr const char* kIndexed = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.index-{d}/axis={axis},reduction={how}
  from   t=f32 u=i32 l=row m=row x=$x s=4x5 r=4 d=5 axis=1 how=none
  smoke  t={@floats,f64} how={none,mean,sum}
  smoke  s,r,d,axis={4x5 5 4 0, 2x3x4 2x4 3 1, 2x3x4 2x3 4 -1, 2x3x4 3x4 2 -3, 0x3 0 3 1} how={none,sum}
  smoke  x={special-5,int-3} u={u8,i64}
  ci     l={@layouts} m={@layouts} s=3x4x5 r=3x4 axis=2
  ci     t={f16,bf16,f64} u={u8,i16,u32,u64} l=[transposed,stepped,reversed] s=3x4x21 r=3x21 d=4 how={none,mean}
  ci     s,r,d,axis={5x255 5 255 1, 255x5 5 255 0, 3x1025 3 1025 -1, 1025x3 1025 3 1} how={none,mean}
  ci     t={f32,f64,f16} x=[tiny,subnormal,wide-6] s=9x33 r=9 d=33
)";
constexpr const char* kRejectIndices = R"(
  domain    c=i32.3.row.const-4    # the first class behind the last
  domain    c=i32.3.row.const--5   # the first before the first
  shape     c=i32.4.row.index-3    # indices of another shape
  shape     c=i32.3x1.row.index-3 axis=0   # of the other axis
)";
constexpr const char* kRejectWeights = R"(
  call   f32.3x4.row.uniform+{c}+{w}/axis=1,label_smoothing={e}
  from   c=i32.3.row.index-4 w=- e=-
  attribute e=1.0                   # nothing would be left of the target
  attribute e=-0.25                 # nor more than all
  attribute e=nan                   # not a number
  shape     w=f32.4.row.uniform     # a weight for each loss
  shape     c=f32.3x5.row.uniform   # probabilities of another shape
  dtype     c=f32.3.row.index-3     # indices that are no whole numbers
)";
constexpr const char* kWeights = R"(
  call   {t}.{s}.row.{x}+{u}.{r}.row.{y}+{w}/axis={axis},label_smoothing={e},reduction={how}
  from   t=f32 u=i32 x=uniform-6 y=index-{d} w=- s=4x5 r=4 d=5 axis=1 e=- how=none
  smoke  t={@floats,f64} w={t}.{r}.row.positive e={0.3,-} how={none,mean,sum}
  smoke  u={t} r={s} y={positive,below-2} t={@floats,f64} e={-,0.25} how={none,mean}
  smoke  x={masked-2,masked-8,special-5,uniform-80} how={none,mean} e={-,0.3}
  smoke  u=f32 r={s} x={masked-2,near-10000} y={below-2,positive}
  ci     t={f32,f16,f64} s,r,d={5x1025 5 1025, 9x33 9 33} e={-,0.3} w=f32.{r}.row.uniform how={none,mean}
  ci     t={f32,bf16,f64} u=f32 s=6x67x5 r={s} y=positive axis={0,1,2} how={none,sum}
  ci     t={f32,f16} x={near-1000,near-10000,uniform-30} s=9x33 r=9 d=33
)";

constexpr const char* kRejectPairs = R"(
  call   f32.3x4.row.uniform+f32.3x4.row.uniform$c/reduction={how}
  from   how=none
  attribute how=other   # no such reduction
)";
constexpr const char* kRejectLines = R"(
  call   f32.3x4.row.uniform+{c}/axis={axis},reduction={how}
  from   c=$c axis=1 how=none
  attribute how=other   # no such reduction
  axis      axis=2      # beyond the rank
  axis      axis=-3     # before the first
)";

// A loss by the element, or along an axis, with its own lines of cases and what stands for $x, $y, .. in all of them.
struct Loss {
  std::string_view name;
  FormulaText text;
  std::string inputs, types;
  Attrs attrs;
  std::string_view equation;
  std::vector<std::pair<std::string_view, std::string>> words;
  std::string_view meaning = "";
  std::string more = "";  // cases
  std::string own = "";   // cases in place of those that others have
  std::string refused = "";
};

std::string worded(std::string text, const Loss& l) {
  for (const auto& [word, by] : l.words)
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += by.size())
      text.replace(at, word.size(), by);
  for (const char* word : {"$z", "$b"})
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos;) text.erase(at, 2);
  return text;
}

Op row(const Loss& l) {
  const bool lines = l.attrs.find("axis") != nullptr;
  Op op;
  op.name = l.name;
  op.signature = l.inputs + " -> out F[*R]", op.types = l.types;
  op.attrs = l.attrs;
  op.equation = l.equation, op.meaning = l.meaning;
  op.cases = worded(!l.own.empty() ? l.own : (lines ? kLines : kPairs) + l.more, l);
  op.bench = worded(lines ? kBenchLines : kBenchPairs, l);
  op.rejects = worded((lines ? kRejectLines : kRejectPairs) + l.refused, l);
  return formula_row(std::move(op), l.text);
}

// ---- the rows

const std::string kPair = "x T[*S], t U[*S]", kFloats = "T: floats; U: integers floats; F = promote(T, U)",
                  kSigned = "T: floats; U: i8 i16 i32 i64 floats; F = promote(T, U)";

std::vector<Op> differences() {
  return {
      row({"l1_loss",
           l1_loss,
           kPair,
           kFloats,
           {{"reduction", "mean"}},
           "l_i = |x_i - t_i|; out is l, its mean or its sum",
           {{"$x", "uniform-3"}, {"$y", "uniform-2"}, {"$g", "-"}, {"$c", ""}}}),
      row({"mse_loss",
           mse_loss,
           kPair,
           kFloats,
           {{"reduction", "mean"}},
           "l_i = (x_i - t_i)^2; out is l, its mean or its sum",
           {{"$x", "uniform-3"}, {"$y", "uniform-2"}, {"$g", "-"}, {"$c", ""}}}),
      row({"smooth_l1_loss",
           smooth_l1_loss,
           kPair,
           kFloats,
           {{"beta", 1.0}, {"reduction", "mean"}},
           "l_i = d_i^2 / (2 beta) where d_i = |x_i - t_i| < beta, else d_i - beta / 2; out is l, its "
           "mean or its sum",
           {{"$x", "uniform-3"}, {"$y", "uniform-2"}, {"$g", "beta={0.5,2.5}"}, {"$c", ""}}}),
      row({"huber_loss",
           huber_loss,
           kPair,
           kFloats,
           {{"delta", 1.0}, {"reduction", "none"}},
           "l_i = q_i^2 / 2 + delta (d_i - q_i), d_i = |x_i - t_i|, q_i = min(d_i, delta); out is l, its "
           "mean or its sum",
           {{"$x", "uniform-3"}, {"$y", "uniform-2"}, {"$g", "delta={0.5,2.5}"}, {"$c", ""}}}),
      row({"log_cosh_loss",
           log_cosh_loss,
           kPair,
           kFloats,
           {{"reduction", "none"}},
           "l_i = log cosh(x_i - t_i); out is l, its mean or its sum",
           {{"$x", "uniform-3"}, {"$y", "uniform-2"}, {"$g", "-"}, {"$c", ""}},
           "",
           "  smoke  x={uniform-200,const-0}\n"}),
  };
}

std::vector<Op> margins() {
  return {
      row({"hinge_loss",
           hinge_loss,
           kPair,
           kSigned,
           {{"reduction", "none"}},
           "l_i = max(1 - x_i t_i, 0); out is l, its mean or its sum",
           {{"$x", "uniform-3"}, {"$y", "int-1"}, {"$g", "-"}, {"$c", ""}}}),
      row({"margin_ranking_loss",
           margin_ranking_loss,
           "x1 T[*S], x2 U[*S], t V[*S]",
           "T: floats; U: i8 i16 i32 i64 floats; V: i8 i16 i32 i64 floats; F = promote(T, U, V)",
           {{"margin", 0.0}, {"reduction", "none"}},
           "l_i = max(-t_i (x1_i - x2_i) + margin, 0); out is l, its mean or its sum",
           {{"$x", "uniform-3"},
            {"$y", "uniform-2"},
            {"$z", "+{u}.{s}.row.int-1"},
            {"$g", "margin={0.5,-1.0}"},
            {"$b", "+f32.1024x1024.row.int-1"},
            {"$c", "+f32.3x4.row.int-1"}}}),
      row({"triplet_loss",
           triplet_loss,
           "anchors T[*S], positives U[*S], negatives V[*S]",
           "T: floats; U: floats; V: floats; F = promote(T, U, V)",
           {{"axis", -1}, {"p", 2.0}, {"margin", 1.0}, {"eps", 1e-6}, {"reduction", "none"}},
           "l = max(d(anchors, positives) - d(anchors, negatives) + margin, 0), d(a, b) = (sum over axis of |a_i - "
           "b_i|^p + eps)^(1/p); out is l, its mean or its sum",
           {{"$x", "uniform-2"},
            {"$y", "uniform-3"},
            {"$r", "{s}"},
            {"$u", "{t}"},
            {"$z", "+{u}.{s}.row.uniform-2"},
            {"$g", "p={3.0,1.0,2},margin=0.25,eps=0.5"},
            {"$b", "f32.1024x1024.row.uniform+f32.1024x1024.row.uniform"},
            {"$c", "f32.3x4.row.uniform+f32.3x4.row.uniform"}},
           "eps is added within the root"}),
  };
}

std::vector<Op> likelihoods() {
  return {
      row({"binary_cross_entropy",
           binary_cross_entropy,
           "x T[*S], t U[*S], weights? W[*S]",
           "T: floats; U: integers floats; W: floats; F = promote(T, U, W)",
           {{"with_logits", true}, {"reduction", "mean"}},
           "l_i = log(1 + e^x_i) - x_i t_i of logits x; of probabilities -(t_i max(log x_i, -100) "
           "+ (1 - t_i) max(log(1 - x_i), -100)); times weights_i; out is l, its mean or its sum",
           {{"$x", "uniform-6"}, {"$y", "positive"}, {"$g", "with_logits=true"}, {"$c", ""}},
           "the mean is over the elements, not over the weights",
           R"(
  call   {t}.{s}.row.{x}+{u}.{s}.row.{y}+{w}/with_logits={log},reduction={how}
  from   t=f32 u={t} s=4x5 x=positive y=positive w=- log=false how=none
  smoke  t={@floats,f64} how={none,mean} y={positive,int-1}
  smoke  x={const-0,const-1} y={int-1,positive}    # the logarithms end at -100
  smoke  t={@floats,f64} log={true,false} w={t}.{s}.row.uniform-2 how={none,mean,sum}
  ci     s={33,1025} t={f32,f16} w=f32.{s}.row.positive how={none,mean}
)"}),
      row({"gaussian_nll_loss",
           gaussian_nll_loss,
           "x T[*S], t U[*S], vars V[*S]",
           "T: floats; U: integers floats; V: floats; F = promote(T, U, V)",
           {{"full", false}, {"eps", 1e-6}, {"reduction", "mean"}},
           "l_i = (log v_i + (t_i - x_i)^2 / v_i) / 2, v_i = max(vars_i, eps), with log(2 pi) / 2 more "
           "where full; out is l, its mean or its sum",
           {{"$x", "uniform-2"},
            {"$y", "uniform-3"},
            {"$z", "+{t}.{s}.row.positive-2"},
            {"$g", "full=true,eps=0.5"},
            {"$b", "+f32.1024x1024.row.positive"},
            {"$c", "+f32.3x4.row.positive"}}}),
      row({"kl_div_loss",
           kl_div_loss,
           kPair,
           "T: floats; U: floats; F = promote(T, U)",
           {{"axis", -1}, {"reduction", "none"}},
           "l = sum over axis of e^t_i (t_i - x_i); out is l, its mean or its sum",
           {{"$x", "uniform-3"},
            {"$y", "uniform-3"},
            {"$r", "{s}"},
            {"$u", "{t}"},
            {"$g", "-"},
            {"$b", "f32.1024x1024.row.uniform-3"},
            {"$c", "f32.3x4.row.uniform"}},
           "both are logarithms of probabilities"}),
  };
}

std::vector<Op> classes() {
  return {
      row({"nll_loss",
           nll_loss,
           "x T[*S], t I[*L]",
           "T: floats; I: integers; F = float(T)",
           {{"axis", -1}, {"reduction", "none"}},
           "l = -x at index t along axis; out is l, its mean or its sum",
           {{"$b", "i32.1024.row.index-1024"}, {"$c", "i32.3.row.index-3"}, {"$x", "uniform-6"}},
           "an index counts from the end where it is negative; one outside is an error of the call",
           "",
           kIndexed,
           kRejectIndices}),
      row({"cross_entropy",
           cross_entropy,
           "logits T[*S], targets U[*L], weights? W[*M]",
           "T: floats; U: integers floats; W: floats; F = promote(T, U, W)",
           {{"axis", -1}, {"label_smoothing", 0.0}, {"reduction", "none"}},
           "l = log(sum over axis of e^z_i) - (1 - e) s - e mean z, z = logits - max logits, e = label_smoothing, s = "
           "z "
           "at index targets, or the sum of z_i targets_i of probabilities, which have the shape of the logits; times "
           "weights; out is l, its mean or its sum",
           {{"$b", "i32.1024.row.index-1024"}, {"$c", "i32.3.row.index-3"}, {"$x", "uniform-6"}},
           "the mean is over the elements, not over the weights; a probability of 0 beside a logit of -inf gives NaN",
           "",
           std::string(kIndexed) + kWeights,
           std::string(kRejectIndices) + kRejectWeights}),
  };
}

std::vector<Op> similarities() {
  return {
      row({"cosine_similarity_loss",
           cosine_similarity_loss,
           "x1 T[*S], x2 U[*S]",
           "T: floats; U: floats; F = promote(T, U)",
           {{"axis", 1}, {"eps", 1e-8}, {"reduction", "none"}},
           "l = sum over axis of x1_i x2_i / max(|x1| |x2|, eps), |x| = sqrt(sum of x_i^2); out is l, its mean or its "
           "sum",
           {{"$x", "uniform-2"},
            {"$y", "uniform-3"},
            {"$r", "{s}"},
            {"$u", "{t}"},
            {"$g", "eps=0.5"},
            {"$b", "f32.1024x1024.row.uniform"},
            {"$c", "f32.3x4.row.uniform"}},
           "the similarity itself, not 1 less it",
           "  ci     x=huge y=const-0   # where squares overflow beside zeros\n"}),
  };
}

}  // namespace

std::vector<Op> losses_ops() {
  std::vector<Op> all;
  for (auto rows : {differences, margins, likelihoods, classes, similarities})
    for (Op& op : rows()) all.push_back(std::move(op));
  return all;
}

}  // namespace plumb
