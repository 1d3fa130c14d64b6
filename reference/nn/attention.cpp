// Attention by scaled dot products: its row.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "reference/nn/wide.h"

namespace plumb {
namespace {

using namespace reference;

// Each of these types must be one that the result's holds already.
void check_type(const Request& r, std::string_view input, Dtype out) {
  if (r.has(input) && promote(r.dtype(r.index(input)), out) != out)
    r.fail(Reason::dtype, std::string(input) + " " + std::string(name(r.dtype(r.index(input)))) +
                              ": does not promote to " + std::string(name(out)));
}

void check_mask(const Request& r) {
  const std::string& mode = r.text("mask_mode");
  if (mode != "" && mode != "causal" && mode != "array")
    r.fail(Reason::attribute, "mask_mode is '" + mode + "': not '', 'causal' or 'array'");
  if (mode == "array" && !r.has("mask")) r.fail(Reason::attribute, "mask_mode is 'array', and there is no mask");
  if (!r.has("mask")) return;
  if (mode == "causal") r.fail(Reason::attribute, "mask_mode is 'causal', and there is a mask");
  const Shape& mask = r.shape(r.index("mask"));
  const Shape scores{r.size('B'), r.size('H'), r.size('L'), r.size('S')};
  if (mask.size() > 4) r.fail(Reason::rank, "mask " + to_string(mask) + ": more than 4 axes");
  for (std::size_t back = 1; back <= mask.size(); ++back)
    if (mask[mask.size() - back] != 1 && mask[mask.size() - back] != scores[4 - back])
      r.fail(Reason::shape, "mask " + to_string(mask) + " does not broadcast to " + to_string(scores));
}

std::vector<Spec> infer(const Request& r) {
  const std::int64_t H = r.size('H'), G = r.size('G');
  if (G == 0 ? H != 0 : H % G != 0)
    r.fail(Reason::shape, std::to_string(H) + " query heads are no multiple of " + std::to_string(G));
  if (!std::isfinite(to_float(r.number("scale")))) r.fail(Reason::attribute, "scale is " + shortest(r.number("scale")));
  check_mask(r);
  std::vector<Spec> out = r.outputs();
  check_type(r, "mask", out[0].dtype);
  check_type(r, "sinks", out[0].dtype);
  return out;
}

// One call, its operands in the type of the result.
template <class R>
struct Operands {
  std::int64_t B, H, G, L, S, D, E;
  Dtype out;
  R scale;
  bool causal;
  std::vector<R> q, k, v, added, sinks;  // added: a mask of numbers
  std::vector<char> kept;                // a mask of truth values
  std::int64_t steps[4] = {};            // of the mask, along the axes of the scores

  explicit Operands(const Call& c)
      : B(c.size('B')),
        H(c.size('H')),
        G(c.size('G')),
        L(c.size('L')),
        S(c.size('S')),
        D(c.size('D')),
        E(c.size('E')),
        out(output_specs(c)[0].dtype),
        scale(static_cast<R>(to_float(c.number("scale")))),
        causal(c.text("mask_mode") == "causal"),
        q(values<R>(c[0], out)),
        k(values<R>(c[1], out)),
        v(values<R>(c[2], out)) {
    if (c.has("sinks")) sinks = values<R>(c["sinks"], out);
    if (!c.has("mask")) return;
    const Shape& shape = c.shape(c.index("mask"));
    const Strides dense = row_major(shape);
    for (std::size_t d = 0; d < shape.size(); ++d) steps[4 - shape.size() + d] = shape[d] == 1 ? 0 : dense[d];
    if (c["mask"].dtype() != Dtype::boolean) {
      added = values<R>(c["mask"], out);
      return;
    }
    const Wide truths = widen(c["mask"]);
    if (const auto* keep = std::get_if<Unsigneds>(&truths)) kept.assign(keep->data.begin(), keep->data.end());
  }

  R at(const std::vector<R>& x, std::int64_t i) const { return x[static_cast<std::size_t>(i)]; }
  std::size_t mask_at(std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j) const {
    return static_cast<std::size_t>(b * steps[0] + h * steps[1] + i * steps[2] + j * steps[3]);
  }
  bool sees(std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j) const {
    if (causal && j > i + S - L) return false;
    return kept.empty() || kept[mask_at(b, h, i, j)];
  }
};

// One query: the keys that it sees, their scores, and their weights relative to the largest.
template <class R>
struct Query {
  std::vector<std::int64_t> keys;
  std::vector<R> scores, weights;
  R largest = -std::numeric_limits<R>::infinity(), sink = 0, total = 0;
  bool uniform = false;  // it sees none, and has no sink
};

// s_j = scale q . k_j + mask_j of the keys j that are seen; m the greatest of them and of the sink
// w_j = e^(s_j - m), total = sum of w_j + e^(sink - m)
template <class R>
Query<R> query_of(const Operands<R>& o, std::int64_t b, std::int64_t h, std::int64_t i) {
  using std::exp;
  Query<R> q;
  const std::int64_t g = h / (o.H / o.G), row = ((b * o.H + h) * o.L + i) * o.D;
  for (std::int64_t j = 0; j < o.S; ++j) {
    if (!o.sees(b, h, i, j)) continue;
    R s = 0;
    for (std::int64_t d = 0; d < o.D; ++d) s += o.at(o.q, row + d) * o.at(o.k, ((b * o.G + g) * o.S + j) * o.D + d);
    s *= o.scale;
    if (!o.added.empty()) s += o.added[o.mask_at(b, h, i, j)];
    q.keys.push_back(j);
    q.scores.push_back(s);
    if (s > q.largest) q.largest = s;
  }
  q.uniform = q.keys.empty() && o.sinks.empty();
  for (std::int64_t j = 0; j < o.S && q.uniform; ++j) q.keys.push_back(j), q.scores.push_back(0), q.largest = 0;
  if (!o.sinks.empty() && o.at(o.sinks, h) > q.largest) q.largest = o.at(o.sinks, h);
  if (!o.sinks.empty()) q.sink = exp(o.at(o.sinks, h) - q.largest);
  q.total = q.sink;
  for (const R s : q.scores) {
    q.weights.push_back(exp(s - q.largest));
    q.total += q.weights.back();
  }
  return q;
}

// Which of all queries, and which head of keys and values it asks.
struct Place {
  std::int64_t query, head;
};

template <class R, class F>
void for_queries(const Operands<R>& o, F&& f) {
  for (std::int64_t b = 0; b < o.B; ++b)
    for (std::int64_t h = 0; h < o.H; ++h)
      for (std::int64_t i = 0; i < o.L; ++i)
        f(query_of(o, b, h, i), Place{(b * o.H + h) * o.L + i, b * o.G + h / (o.H / o.G)});
}

// y_e = sum_j w_j v_je / total
template <class R>
Wide attended(const Call& c) {
  const Operands<R> o(c);
  std::vector<R> y(static_cast<std::size_t>(o.B * o.H * o.L * o.E));
  for_queries(o, [&](const Query<R>& q, Place at) {
    for (std::int64_t e = 0; e < o.E; ++e) {
      R sum = 0;
      for (std::size_t n = 0; n < q.keys.size(); ++n)
        sum += q.weights[n] * o.at(o.v, (at.head * o.S + q.keys[n]) * o.E + e);
      y[static_cast<std::size_t>(at.query * o.E + e)] = sum / q.total;
    }
  });
  return wide_of({o.B, o.H, o.L, o.E}, std::move(y));
}

std::vector<Wide> attention(const Call& c) {
  return {in_wide(output_specs(c)[0].dtype, [&](auto r) { return attended<decltype(r)>(c); })};
}

// ---- bounds: docs/bounds.md, "Attention"

struct Arithmetic {
  double u, k, eta, max;  // roundoff, ulps of e^x, smallest and largest number
  double h, tiles;        // depth of the sums over keys; how often they are scaled to a new maximum
  double last;            // roundings of the quotient
};

// What is known of one query beside its values: p_j, and by how much the routes' may exceed it, relative to the total.
struct Weights {
  std::vector<long double> p, excess;
  long double p_sink = 0, all = 0;  // all: the sum of the excesses, the sink's too
  bool overflow = false;
};

// sum_d |scale q_d k_d|, which bounds s_j and the errors of its sum
template <class R>
long double magnitude_of(const Operands<R>& o, std::int64_t q, std::int64_t k) {
  R G = 0;
  for (std::int64_t d = 0; d < o.D; ++d) G += std::abs(o.at(o.q, q + d) * o.at(o.k, k + d));
  const long double most = std::numeric_limits<long double>::max() / 4, sum = std::max(G, G * std::abs(o.scale));
  return sum < most ? sum : most;
}

// e^-x / total (e^r (1 + g) - 1), of which p is the first factor
long double grown(long double p, long double r, long double x, long double total, long double g) {
  if (r < 600 && x < 600) return p * (std::expm1(r) + g + std::expm1(r) * g);
  return std::max(0.0L, std::exp(r - x) / total * (1 + g) - p);
}

// How far the scores of a query may be off, and how far it is from the greatest to each of them.
struct Scores {
  std::vector<long double> off, below;
  long double top = 0, ahead = 0;  // what the greatest is off by, and how far another may come to lie above it
  bool overflow = false;
};

template <class R>
Scores scores_of(const Operands<R>& o, const Query<R>& q, const std::vector<long double>& G, const Arithmetic& a) {
  Scores s;
  const auto D = static_cast<double>(o.D);
  for (std::size_t n = 0; n < q.keys.size(); ++n) {
    const long double score = std::isfinite(q.scores[n]) ? std::abs(q.scores[n]) : 0;
    const long double of_dot = q.uniform ? 0 : gamma(D + 2, a.u) * G[n] + a.eta * (D + 2);
    s.off.push_back(of_dot + (o.added.empty() ? 0 : a.u * (score + of_dot)));
    s.below.push_back(q.largest - q.scores[n]);
    s.overflow = s.overflow || (!q.uniform && 2 * G[n] + score > a.max);
    if (s.below[n] == 0) s.top = std::max(s.top, s.off[n]);
  }
  for (std::size_t n = 0; n < s.off.size(); ++n)
    if (s.below[n] > 0) s.ahead = std::max(s.ahead, s.off[n] + s.top - s.below[n]);
  return s;
}

// Weights relative to that of the greatest score, whose own error is none of theirs.
template <class R>
Weights weights_of(const Operands<R>& o, const Query<R>& q, const std::vector<long double>& G, const Arithmetic& a) {
  Weights w;
  const Scores s = scores_of(o, q, G, a);
  w.overflow = s.overflow;
  const long double total = q.total, g = gamma(a.h, a.u), same = (1 + a.tiles) * 2 * a.k * a.u + a.tiles * a.u;
  const auto tops = std::count(s.below.begin(), s.below.end(), 0.0L) + (q.sink == 1);
  const auto strays = [&](long double p, long double x, long double off) {
    if (!std::isfinite(x)) return 0.0L;  // e^-inf is exact
    const long double own = x == 0 && tops == 1 ? 0 : off + s.top;
    return grown(p, own + a.u * (x + own + s.ahead) + same, x, total, g);
  };
  for (std::size_t n = 0; n < q.keys.size(); ++n) {
    w.p.push_back(q.weights[n] / total);
    w.excess.push_back(strays(w.p[n], s.below[n], s.off[n]));
    w.all += w.excess[n];
  }
  w.p_sink = q.sink / total;
  if (q.sink > 0) w.all += strays(w.p_sink, -std::log(static_cast<long double>(q.sink)), 0);
  return w;
}

// One element, whose values are v_j; in a type that has room for their sum.
Allowed strayed(const Weights& w, const std::vector<double>& v, double y, const Arithmetic& a) {
  long double sum = 0, magnitudes = 0, least = w.p_sink > 0 || v.empty() ? 0 : v[0], greatest = least;
  bool finite = true;
  for (std::size_t n = 0; n < v.size(); ++n) {
    const long double of = v[n], size = std::abs(of);
    finite = finite && std::isfinite(v[n]);
    sum += w.excess[n] * size;
    magnitudes += size;
    least = std::min(least, of), greatest = std::max(greatest, of);
  }
  if (!std::isfinite(y)) return {0, w.overflow || !finite};
  const long double all = w.all, size = std::abs(y), n = static_cast<long double>(v.size());
  long double error = all < 0.5L ? (sum + all * size) / (1 - all) : std::numeric_limits<long double>::infinity();
  const long double largest = std::max(std::abs(least), std::abs(greatest));
  error = std::min(error, greatest - least + gamma(2 * a.h + 4, a.u) * largest);  // a mean lies among its values
  error += gamma(2 + a.last, a.u) * (size + error);
  error += a.eta * ((a.k + 2 + a.tiles) * (magnitudes + n * size) + n + 2);
  return {static_cast<double>(error), w.overflow || 2 * magnitudes > a.max};
}

template <class R>
Allowances bound_of(const Call& c, const Wide& want, const Order& order) {
  const Operands<R> o(c);
  const DtypeInfo &acc = info(order.accumulator), &out = info(o.out);
  const double tiles = order.block > 0 ? std::ceil(static_cast<double>(o.S) / static_cast<double>(order.block)) : 1;
  const Arithmetic route{order.accumulator_roundoff(),
                         order.function_ulps,
                         acc.min_subnormal,
                         acc.max,
                         static_cast<double>(order.depth(o.S)),
                         std::max(0.0, tiles - 1),
                         static_cast<double>(order.epilogue)};
  const Arithmetic own{own_roundoff(o.out),      2, 0x1p-1074, std::numeric_limits<double>::max(),
                       static_cast<double>(o.S), 0, 0};
  Allowances allowed({o.B, o.H, o.L, o.E});
  for_queries(o, [&](const Query<R>& q, Place at) {
    std::vector<long double> G;
    std::vector<double> v(q.keys.size());
    for (const std::int64_t j : q.keys) G.push_back(magnitude_of(o, at.query * o.D, (at.head * o.S + j) * o.D));
    const Weights by_route = weights_of(o, q, G, route), by_oracle = weights_of(o, q, G, own);
    for (std::int64_t e = 0; e < o.E; ++e) {
      for (std::size_t n = 0; n < v.size(); ++n)
        v[n] = static_cast<double>(o.at(o.v, (at.head * o.S + q.keys[n]) * o.E + e));
      const double y = value_at(want, at.query * o.E + e);
      const Allowed here = strayed(by_route, v, y, route), ours = strayed(by_oracle, v, y, own);
      double error = here.error + ours.error;
      if (out.precision < acc.precision) error += out.unit_roundoff() * (std::abs(y) + error) + out.min_subnormal / 2;
      allowed[at.query * o.E + e] = {std::isfinite(y) ? error : 0, here.overflow};
    }
  });
  return allowed;
}

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  return {in_wide(output_specs(c)[0].dtype, [&](auto r) { return bound_of<decltype(r)>(c, want[0], order); })};
}

Cost attention_cost(const Call& c) {
  const auto of = [&](char letter) { return static_cast<double>(c.size(letter)); };
  double bytes = static_cast<double>(count(output_specs(c)[0].shape) * info(output_specs(c)[0].dtype).bytes);
  for (const Tensor& t : c.in)
    if (t.defined()) bytes += static_cast<double>(t.size() * info(t.dtype()).bytes);
  return {of('B') * of('H') * of('L') * of('S') * 2 * (of('D') + of('E')), bytes};
}

// ---- cases

constexpr const char* kInputs = R"(
  call   {t}.{b}x{h}x{n}x{d}.{l}.{x}+{u}.{b}x{g}x{s}x{d}.{l}.{x}+{w}.{b}x{g}x{s}x{e}.{l}.{y}+{mask}+{sinks}/{a}
  from   t=f32 u={t} w={t} b=2 h=2 g=2 n=5 s=7 d=8 e=8 l=row x=uniform-2
         y=uniform mask=none sinks=none float={@floats,f64} a=scale={scale},mask_mode={mode} scale=0.35
         mode= m=bool ms={n}x{s} mf=int-1 ml=row mask_of={m}.{ms}.{ml}.{mf}
)";

constexpr const char* kCases = R"(
  smoke  t={float} mode={,causal} h=6 g=3
  smoke  t={float} sinks={t}.{h}.row.uniform x=int-2 y=int-3
  smoke  mask={mask_of} m={bool,f32,i8} mode={,array} mf=int-1
  # every dtype in every layout, groups of heads
  ci     t={float} l={@layouts} h=4 n=6 d=10 e=7 mode={,causal}
  ci     l={@layouts} ml={@layouts} mask={mask_of} m={bool,f16} ms={b}x{h}x{n}x{s} mf=int-1
  smoke  h=6 g={1,2,6} d=3 e=5 mode={,causal}
  # what is promoted
  smoke  t,u,w={f16 bf16 f16, f32 f16 bf16, f64 f32 f16, i32 f16 f16, f16 f16 u8, bool f32 i64}
  ci     t=f64 mask={mask_of} m={f16,f32,i64,u8,bool} sinks={f16,f32,i16,f64}.{h}.row.uniform
  # a mask repeats along the axes that it lacks; whole lines of it keep nothing
  smoke  mask={mask_of} ms={{n}x1,{n}x{s}} mf={int-1,const-0} sinks={none,f32.{h}.row.int-1}
  ci     mask={mask_of} m={bool,f32} ms={s,{s},1x{s},{n}x1,{h}x{n}x{s},{b}x1x{n}x{s},{b}x{h}x1x1,1x{h}x1x{s}} mf=int-1
  ci     mask={mask_of} m=f32 mf={masked-4,masked-7,masked-8,special-5,uniform-100,const--3e38}
         sinks={none,f32.{h}.row.masked-4}
  smoke  mask={mask_of} m=f32 mf={masked-6,masked-8}
  # queries beside keys: the last one sees all of them, and the first ones none where there are more queries
  smoke  mode=causal n,s={1 5, 5 1, 7 3, 3 7, 4 4}
  ci     mode=causal n={1,2,31,32,33,65} s={1,2,31,33,64,130}
  smoke  n,s={4 37, 40 3}                          # beyond a tile of keys, and of queries
  # what no query sees must not be looked at
  smoke  mode=causal y={special-3,special-9} x=int-2
  smoke  mask={mask_of} y=special-5 mf={int-1,const-0} x=int-2
  ci     mask={mask_of} y=special-5 x=special-9 mf=int-1 n=40 s=70
  # no queries, no keys, no features
  smoke  b,n,s,d,e={0 5 7 8 8, 2 0 7 8 8, 2 5 0 8 8, 2 5 7 0 8, 2 5 7 8 0, 2 5 0 8 0} sinks={none,f32.{h}.row.uniform}
  smoke  h,g={0 0, 0 2}
  # around vectors, tiles of keys and of queries, heads of any size
  ci     d={1,2,3,7,8,9,15,16,17,31,32,33,63,64,65,72,96,127,128,130} n=3 s=9
  ci     e={1,2,3,7,8,9,15,16,17,31,32,33,63,64,65,72,96,127,128,130} n=3 s=9
  ci     s={1,2,3,15,16,17,31,32,33,63,64,65,127,128,129,255,256,257,300,513} b=1 mode={,causal}
  ci     n={1,2,3,15,16,17,31,32,33,63,64,65,100,129} b=1 h=4 mode={,causal}
  ci     t={f16,f64} b=1 n=33 s=270 d=20 e=70 mode=causal
  ci     b=1 n=20 s=270 mask={mask_of} m={bool,f32} mf={int-1,masked-5}
  # weights that are far apart, scores that leave the range, values that do
  ci     t={float} scale={0.0,-1.0,8.0} x=uniform-4 s=40
  ci     t={float} x={special-40,huge,tiny,subnormal,wide,cancel,order,lanes-41,near} n=9 s=40 y=int-3
  ci     t={float} y={special-40,huge,tiny,subnormal,wide,cancel,order} n=9 s=40
  ci     sinks={t}.{h}.row.{special-2,huge,uniform-100} t={float} s=20
  nightly t={float} b=1 h=8 n=200 s=1500 d=64 e=64 mode={,causal}
)";

constexpr const char* kRejects = R"(
  call   {q}+{k}+f32.2x2x7x6.row.uniform+{mask}+{sinks}/scale={scale},mask_mode={mode}
  from   q=f32.2x{h}x5x8.row.uniform k=f32.2x2x7x8.row.uniform h=4 mask=none sinks=none scale=0.5 mode=
  shape     h={3,1}                                # heads that no key head can share evenly
  attribute mode=banded                            # no such mode
  attribute mode=array                             # an array without one
  attribute mode=causal mask=bool.5x7.row.int-1    # two masks
  attribute scale={,inf}                           # no scale
  shape     mask={bool.5x6,f32.4x7,f32.3x5x7,bool.4x4x5x7}.row.int-1  # a mask that does not fit
  rank      mask=bool.1x1x1x5x7.row.int-1          # more axes than scores have
  dtype     mask=f64.5x7.row.int-1                 # a mask wider than the result
  dtype     sinks=f64.{h}.row.int-1                # sinks wider than the result
)";

constexpr const char* kBench = R"(
  from   b=1 n=1024 s=1024 d=64 e=64
  ci     b,h,g={8 1 1, 1 16 4}
  ci     t=f16 mode=causal h=16 g=16
  ci     h=32 g=8 n=1 s=4096 d=128 e=128
)";

}  // namespace

std::vector<Op> attention_ops() {
  Op op;
  op.name = "scaled_dot_product_attention";
  op.signature = "q Q[B,H,L,D], k K[B,G,S,D], v V[B,G,S,E], mask? M[...], sinks? W[H] -> out P[B,H,L,E]";
  op.types = "Q, K, V, M, W: bool integers floats; P = promote(Q, K, V): floats";
  op.attrs = {{"scale", kNone}, {"mask_mode", ""}};
  op.equation =
      "out_i = sum_j w_j v_j / (sum_j w_j + e^(sink_h - m)), w_j = e^(s_j - m), s_j = scale q_i . k_j + mask_ij, m the "
      "largest of s_j and sink_h; head h of q asks head h / (H / G) of k and v";
  op.meaning =
      "causal: query i sees the keys up to i + S - L; a key that causal or a mask of truth values hides counts for "
      "nothing, whatever it holds; a query that sees none gets the mean of all v, with a sink 0; a mask of numbers is "
      "added, nothing but -inf is NaN; operands are promoted first, mask and sinks must promote to their type; halves "
      "compute in f32 and round once; scale is rounded to f32; no keys: NaN, with a sink 0";
  op.infer = infer;
  op.oracle = attention;
  op.cases = {kInputs, kCases};
  op.rejects = kRejects;
  op.bench = {kInputs, kBench};
  op.cost = attention_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
