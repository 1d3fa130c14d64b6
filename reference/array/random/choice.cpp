// Orders and choices: permutations, and numbers of a discrete distribution.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/signature.h"
#include "reference/array/random/draws.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

// ---- permutation_n, permutation

// The positions 0 .. n-1 in the order of n words; equal words keep their order.
std::vector<std::int64_t> order_of(const Call& c, std::int64_t n) {
  const std::vector<Word> w = words(c, n);
  std::vector<std::int64_t> p(w.size());
  std::iota(p.begin(), p.end(), 0);
  std::stable_sort(p.begin(), p.end(), [&](std::int64_t i, std::int64_t j) {
    return w[static_cast<std::size_t>(i)] < w[static_cast<std::size_t>(j)];
  });
  return p;
}

void check_count(const Request& r, std::int64_t n) {
  if (n > std::numeric_limits<std::int32_t>::max())
    r.fail(Reason::unsupported, std::to_string(n) + " positions pass 31 bits");
}

std::vector<Spec> infer_permutation_n(const Request& r) {
  const std::int64_t n = r.integer("n");
  if (n < 0) r.fail(Reason::attribute, "n " + std::to_string(n) + " is negative");
  check_count(r, n);
  return r.outputs({{'R', n}});
}

// out_i = p_i
std::vector<Wide> permutation_n(const Call& c) {
  Unsigneds out(output_specs(c)[0].shape);
  const std::vector<std::int64_t> p = order_of(c, out.size());
  for (std::int64_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint64_t>(p[static_cast<std::size_t>(i)]);
  return {out};
}

constexpr const char* kPermutationNCases = R"(
  call   u32.2.{v}.{x}/n={n}
  from   v=row x=bits
  smoke  n={0,1,2,3,8,33}
  smoke  n=8 x=const-0
  ci     n=5 x=order v={@layouts}
  ci     n={31,63,64,65,255,256,257,2047,2048,2049,2050,4097,40001}
  ci     n=200000   # some words are equal
)";

constexpr const char* kPermutationNRejects = R"(
  call   u32.2.row.order/n={n}
  attribute n=-1   # negative
)";

constexpr const char* kPermutationNBench = R"(
  ci     u32.2.row.order/n={16384,4194304}
)";

std::vector<Spec> infer_permutation(const Request& r) {
  check_count(r, r.shape(0)[static_cast<std::size_t>(r.axis())]);
  return r.outputs();
}

// out_i = a_(p_i) along the axis
std::vector<Wide> permutation(const Call& c) {
  const std::int64_t axis = c.axis();
  const std::vector<std::int64_t> p = order_of(c, c.shape(0)[static_cast<std::size_t>(axis)]);
  Wide out = std::visit(
      [&]<class T>(const Array<T>& a) -> Wide {
        Array<T> y(a.shape);
        const Lines lines(a.shape, axis);
        for (std::int64_t l = 0; l < lines.count; ++l) {
          const auto from = lines.line(a, l);
          const auto to = lines.line(y, l);
          for (std::int64_t i = 0; i < lines.size; ++i) to(i) = from(p[static_cast<std::size_t>(i)]);
        }
        return y;
      },
      widen(c[0]));
  return {std::move(out)};
}

constexpr const char* kPermutationCases = R"(
  call   {t}.{s}.{l}.{x}+u32.2.{v}.bits/axis={a}
  from   t=f32 l=row x=order v=row a=0
  smoke  t={@all} s=7x3
  smoke  s={0,1,5,0x3,3x0} x=ramp
  smoke  s=4x6x5 a={0,1,2,-1,-3}
  ci     s=6x5x4 l={@layouts} a={0,1,2} v={l=='broadcast'?'row':l}
  ci     s={63,64,65,255,256,257,2049,4097}x{1,3} t={u8,f16,f64,c64}
  ci     s=3x{65,300} a=1 t={u8,f16,f32,c64}
  ci     s=2x1x3x2x1x2x2x3 a={0,3,-1}     # eight axes
  ci     s=70000 x=ramp
)";

constexpr const char* kPermutationRejects = R"(
  call   f32.{s}.row.uniform+u32.2.row.order/axis={a}
  from   s=3x4 a=0
  axis   a={2,-3}   # beyond the axes
  axis   s=s        # a scalar has none
)";

constexpr const char* kPermutationBench = R"(
  ci     f32.{4194304,65536x64}.row.uniform+u32.2.row.order/axis=0
)";

// ---- categorical

// The distributions as an array whose axis `axis` has n entries, and the shape T of the choices, over which its other
// axes broadcast; `offset` is where T would have that axis.
struct Choice {
  Shape logits, T;
  std::int64_t axis = 0, n = 0, offset = 0;
  bool single = false;  // one distribution, and T has axes: by its cumulative sums
};

Shape without(Shape s, std::int64_t axis) {
  s.erase(s.begin() + axis);
  return s;
}

Choice choice_of(const Request& r) {
  Choice c;
  c.logits = r.shape(0);
  c.axis = r.axis();
  c.n = c.logits[static_cast<std::size_t>(c.axis)];
  if (!r.none("num_samples")) c.logits.push_back(1);
  const Shape rest = without(c.logits, c.axis);
  c.T = r.none("shape") ? rest : drawn_shape(r);
  if (!r.none("num_samples")) c.T.back() = r.integer("num_samples");
  c.offset = c.axis + static_cast<std::int64_t>(c.T.size()) - static_cast<std::int64_t>(rest.size());
  c.single = count(c.logits) == c.n && !c.T.empty();
  return c;
}

std::vector<Spec> infer_categorical(const Request& r) {
  if (!r.none("shape") && !r.none("num_samples")) r.fail(Reason::attribute, "shape and num_samples are both given");
  if (!r.none("num_samples") && r.integer("num_samples") < 0)
    r.fail(Reason::attribute, "num_samples " + std::to_string(r.integer("num_samples")) + " is negative");
  const Choice c = choice_of(r);
  if (c.n == 0) r.fail(Reason::shape, to_string(r.shape(0)) + ": the axis has no entry to choose");
  check_count(r, c.n);
  const Shape rest = without(c.logits, c.axis);
  if (broadcast(r.op->name, c.T, r.none("num_samples") ? rest : c.T) != c.T)
    r.fail(Reason::shape, to_string(rest) + " does not broadcast to " + to_string(c.T));
  if (count(c.T) > (std::int64_t{1} << 32) / (c.single ? 1 : c.n))
    r.fail(Reason::unsupported, to_string(c.T) + " passes the 2^32 words of one key");
  return {{Dtype::u32, c.T}};
}

constexpr double kNever = -std::numeric_limits<double>::infinity();

// The logits x of a line as they count: NaN is never chosen; where the largest is infinite, those that equal it are
// chosen alike, and the others never.
std::vector<double> counted(std::vector<double> x) {
  for (double& v : x)
    if (std::isnan(v)) v = kNever;
  const double m = *std::max_element(x.begin(), x.end());
  if (std::isinf(m))
    for (double& v : x) v = v == m ? 0 : kNever;
  return x;
}

// The last k with c_k <= u_t c_n, c_k the sum of e^(x_j - max x) for j < k
Unsigneds by_sums(const Call& call, const Choice& c, const Reals2& logits) {
  std::vector<double> x;
  for (const Double2 v : logits.data) x.push_back(v.hi);
  x = counted(x);
  const double m = *std::max_element(x.begin(), x.end());
  std::vector<double> sums{0};
  for (const double v : x) sums.push_back(sums.back() + std::exp(v - m));
  Unsigneds out(c.T);
  const Reals u = units(call, c.T, Dtype::f32);
  for (std::int64_t t = 0; t < out.size(); ++t)
    for (std::size_t k = 0; k < x.size(); ++k)
      if (sums[k] <= u[t] * sums.back()) out[t] = k;
  return out;
}

// The first k with the largest x_k - log(-log u_(t,k)), of those that may be chosen
Unsigneds by_gumbel(const Call& call, const Choice& c, const Reals2& logits) {
  Shape drawn = c.T;
  drawn.insert(drawn.begin() + c.offset, c.n);
  const Reals u = units(call, drawn, Dtype::f32);
  Unsigneds out(c.T);
  const Lines lines(drawn, c.offset);
  for (std::int64_t t = 0; t < lines.count; ++t) {
    std::vector<double> x;
    const std::int64_t first = t / lines.step * c.n * lines.step + t % lines.step;
    for (std::int64_t k = 0; k < c.n; ++k)
      x.push_back(logits[broadcast_index(first + k * lines.step, drawn, c.logits)].hi);
    x = counted(x);
    const auto numbers = lines.line(u, t);
    const auto score = [&](std::int64_t k) { return x[static_cast<std::size_t>(k)] - std::log(-std::log(numbers(k))); };
    std::int64_t best = -1;
    for (std::int64_t k = 0; k < c.n; ++k)
      if (x[static_cast<std::size_t>(k)] > kNever && (best < 0 || score(k) > score(best))) best = k;
    out[t] = static_cast<std::uint64_t>(best);
  }
  return out;
}

std::vector<Wide> categorical(const Call& call) {
  const Choice c = choice_of(call);
  const Wide wide = widen_as(call["logits"], Dtype::f64);
  Reals2 logits = std::get<Reals2>(wide);
  logits.shape = c.logits;
  return {c.single ? by_sums(call, c, logits) : by_gumbel(call, c, logits)};
}

constexpr const char* kCategoricalCases = R"(
  call   {t}.{s}.{l}.{x}+u32.2.{v}.bits/axis={a},shape={o},num_samples={n}
  from   t=f32 l=row x=uniform-3 v=row a=-1 o=none n=none
  smoke  s={1,10,2x4,4x3x5} n={none,0,1,5}
  smoke  s=3x4x5 a={0,1,2,-2} n={none,3}
  smoke  s={5,1x5} o={9:,2:3:4}
  smoke  s=4x3 a=0 o={3:,5:3,2:2:3}
  smoke  s=3x5 a=-1 o=2:3
  smoke  s=0x4
  smoke  s=9 n=20 x={const-0,const--inf,const-nan,const-inf,special-3,masked-7}
  smoke  s=9x9 x={const-0,const--inf,const-nan,const-inf,special-3,masked-7}
  ci     s={7,6x7} n={none,30} t={bool,u8,u16,u32,u64,i8,i16,i32,i64,f16,bf16,f64} x={uniform-3,order}
  ci     s=4x5x6 a={0,1,2} l={@layouts}
  ci     s=20 n=50 l={stepped,reversed,offset}
  ci     s={15,16,17,31,33,63,64,65,127,129,255,257,1023,1024,1025,4099} n={none,70}
  ci     s=3x{63,64,65,257,1025,2049} n={none,2,17}
  ci     s={40x17,17x40} a=0 n={none,18}
  ci     s=300x20 x={wide,huge,subnormal,tiny,lanes-7}
  ci     s=400 n=3000
  ci     s=2x1x3x1x2x1x2x4 a={2,-1}     # eight axes
  ci     s=5 o=2:1:1:2:1:1:1:2:1           # nine
)";

constexpr const char* kCategoricalRejects = R"(
  call   {t}.{s}.row.uniform+u32.2.row.order/axis={a},shape={o},num_samples={n}
  from   t=f32 s=3x4 a=-1 o=none n=none
  axis   a={2,-3}        # beyond the axes
  axis   s=s             # a scalar has none
  attribute o=3: n=2     # either a shape or a number
  attribute n=-1         # a negative number
  shape  s=3x0           # nothing to choose
  shape  o=2:            # the distributions do not broadcast to it
  shape  o=-3:           # negative extent
)";

constexpr const char* kCategoricalBench = R"(
  ci     f32.64x32768.row.uniform-3+u32.2.row.order/-
  ci     f32.32768.row.uniform-3+u32.2.row.order/num_samples=1048576
)";

}  // namespace

std::vector<Op> choice_ops() {
  return {
      {
          .name = "permutation_n",
          .signature = "key u32[2] -> out u32[R]",
          .attrs = {{"n", 1}},
          .equation = "out = argsort(w), w = random_bits(key, [n])",
          .meaning = "the numbers 0 .. n-1 in random order; equal words keep their order; n = 0 gives none",
          .infer = infer_permutation_n,
          .oracle = permutation_n,
          .cases = kPermutationNCases,
          .rejects = kPermutationNRejects,
          .bench = kPermutationNBench,
          .tolerance = {.kind = Tolerance::Class::exact},
      },
      {
          .name = "permutation",
          .signature = "a T[*S], key u32[2] -> out T[*S]",
          .types = "T: all",
          .attrs = {{"axis", 0}},
          .equation = "out_i = a_(p_i) along the axis, p = permutation_n(key, n)",
          .meaning = "whole slices move; a scalar has no axis",
          .infer = infer_permutation,
          .oracle = permutation,
          .cases = kPermutationCases,
          .rejects = kPermutationRejects,
          .bench = kPermutationBench,
          .tolerance = {.kind = Tolerance::Class::exact},
      },
      {
          .name = "categorical",
          .signature = "logits T[*L], key u32[2] -> out u32[*S]",
          .types = "T: bool integers floats",
          .attrs = {{"axis", -1}, {"shape", kNone}, {"num_samples", kNone}},
          .equation = "one distribution and a shape with axes: out_t = the last k with c_k <= u_t c_n, c_k = sum over "
                      "j < k of e^(x_j - max x), u = uniform(0, 1, S) of f32; else out_t = the first k with the "
                      "largest x_k - log(-log u_(t,k)), u = uniform(0, 1, S with the axis) of f32",
          .meaning = "decided in f64, where MLX decides in f32; S is the logits' shape without the axis, followed by "
                     "num_samples if that is given, or the attribute; NaN is never chosen; where the largest logit is "
                     "infinite, those equal to it are chosen alike, all of them if every one is -inf",
          .infer = infer_categorical,
          .oracle = categorical,
          .cases = kCategoricalCases,
          .rejects = kCategoricalRejects,
          .bench = kCategoricalBench,
          .tolerance = {.kind = Tolerance::Class::exact},
      },
  };
}

}  // namespace plumb
