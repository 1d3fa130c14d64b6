// The gated delta rule, a linear attention with a state: its row.
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/nn/wide.h"

namespace plumb {
namespace {

using namespace reference;

std::vector<Spec> infer(const Request& r) {
  const std::int64_t H = r.size('H'), G = r.size('G');
  if (G == 0 ? H != 0 : H % G != 0)
    r.fail(Reason::shape, std::to_string(H) + " value heads are no multiple of " + std::to_string(G));
  return r.outputs();
}

// One call. f(b, t, h) .. are elements of its operands.
struct Operands {
  std::int64_t B, L, G, H, D, E;
  Reals q, k, v, gamma, beta, state;
  std::vector<char> kept;

  explicit Operands(const Call& c)
      : B(c.size('B')),
        L(c.size('L')),
        G(c.size('G')),
        H(c.size('H')),
        D(c.size('D')),
        E(c.size('E')),
        q(reals(widen(c["q"]))),
        k(reals(widen(c["k"]))),
        v(reals(widen(c["v"]))),
        gamma(reals(widen(c["gamma"]))),
        beta(reals(widen(c["beta"]))),
        state(c.has("initial_state") ? reals(widen(c["initial_state"])) : Reals({B, H, E, D})) {
    if (!c.has("mask")) return;
    const Wide truths = widen(c["mask"]);
    for (const std::uint64_t keep : unsigneds(truths).data) kept.push_back(keep != 0);
  }
  bool keeps(std::int64_t b, std::int64_t t) const { return kept.empty() || kept[static_cast<std::size_t>(b * L + t)]; }
};

// For each row e of the state of head h, asking head g = h / (H / G) of q and k, step by step where the mask keeps t:
//   s' = gamma_t s,  r = beta_t (v_t[e] - s' . k_t),  s = s' + r k_t,  o_t[e] = s . q_t
std::vector<Wide> gated_delta_update(const Call& c) {
  Operands o(c);
  Reals out({o.B, o.L, o.H, o.E});
  for (std::int64_t b = 0; b < o.B; ++b)
    for (std::int64_t h = 0; h < o.H; ++h)
      for (std::int64_t e = 0; e < o.E; ++e)
        for (std::int64_t t = 0; t < o.L; ++t) {
          if (!o.keeps(b, t)) continue;
          const std::int64_t g = h / (o.H / o.G);
          double product = 0, sum = 0;
          for (std::int64_t d = 0; d < o.D; ++d) product += (o.state(b, h, e, d) *= o.gamma(b, t, h)) * o.k(b, t, g, d);
          const double r = o.beta(b, t, h) * (o.v(b, t, h, e) - product);
          for (std::int64_t d = 0; d < o.D; ++d) sum += (o.state(b, h, e, d) += r * o.k(b, t, g, d)) * o.q(b, t, g, d);
          out(b, t, h, e) = sum;
        }
  return {out, o.state};
}

// ---- bounds: docs/bounds.md, "A gated delta rule"

using Real = long double;  // in which no product on the way passes the largest number

Real norm(const std::vector<Real>& x) {
  Real sum = 0;
  for (const Real v : x) sum += v * v;
  return std::sqrt(sum);
}

// sum of (x_d + y_d) |z_d|
Real dot(const std::vector<Real>& x, const std::vector<Real>& y, const std::vector<double>& z) {
  Real sum = 0;
  for (std::size_t d = 0; d < x.size(); ++d) sum += (std::abs(x[d]) + y[d]) * std::abs(static_cast<Real>(z[d]));
  return sum;
}

// One row of a state: its exact values, and how far those of a route may lie from them, in the 2-norm and each.
class Row {
 public:
  Row(const std::vector<double>& s, double u, double depth, double eta)
      : s_(s.begin(), s.end()), each_(s.size()), none_(s.size()), u_(u), of_dot_(gamma(depth, u)), eta_(eta) {
    largest_ = norm(s_);
  }

  // Returns the allowed error of the output.
  Real step(Real g, Real beta, Real v, const std::vector<double>& k, const std::vector<double>& q) {
    const Real K = norm({k.begin(), k.end()}), turn = std::max<Real>(1, std::abs(1 - beta * K * K));
    const Real n = static_cast<Real>(s_.size()), together = std::abs(g) * (off_ + u_ * (norm(s_) + off_)) + n * eta_;
    Real product = 0;
    for (std::size_t d = 0; d < s_.size(); ++d) {
      each_[d] = std::abs(g) * (each_[d] + u_ * (std::abs(s_[d]) + each_[d])) + eta_;
      s_[d] *= g;
      product += s_[d] * static_cast<Real>(k[d]);
    }
    const Real reached = std::min(dot(none_, each_, k), together * K);  // by what s' is off
    const Real rounded = of_dot_ * (dot(s_, none_, k) + reached) + n * eta_;
    const Real r = beta * (v - product), difference = std::abs(v - product) + reached + rounded;
    const Real of_r = std::abs(beta) * (rounded + 2 * u_ * difference) * (1 + u_) + eta_;  // beside what s' brings
    largest_ = std::max({largest_, norm(s_), std::abs(r) * std::max<Real>(1, K), dot(s_, none_, k), std::abs(v)});
    corrected(r, of_r, std::abs(beta) * reached, k);
    const Real added = (std::abs(r) + of_r + std::abs(beta) * reached) * K;
    off_ = turn * together + of_r * K + u_ * added + n * eta_;
    off_ = std::min(off_ + u_ * (norm(s_) + off_), norm(each_));
    for (Real& e : each_) e = std::min(e, off_);
    largest_ = std::max({largest_, norm(s_), dot(s_, none_, q)});
    const Real read = std::min(dot(none_, each_, q), off_ * norm({q.begin(), q.end()}));
    return read + of_dot_ * (dot(s_, none_, q) + read) + n * eta_;
  }
  Real off(std::int64_t d) const { return each_[static_cast<std::size_t>(d)]; }
  // No number on the way is larger than a few times this.
  Real largest() const { return largest_; }

 private:
  // s = s' + r k, where r is off by of_r and by what s' brings.
  void corrected(Real r, Real of_r, Real brought, const std::vector<double>& k) {
    for (std::size_t d = 0; d < s_.size(); ++d) {
      const Real by = std::abs(static_cast<Real>(k[d])), off = of_r + brought;
      s_[d] += r * static_cast<Real>(k[d]);
      each_[d] += off * by + u_ * (std::abs(r) + off) * by + eta_;
      each_[d] += u_ * (std::abs(s_[d]) + each_[d]);
    }
  }

  std::vector<Real> s_, each_, none_;
  Real u_, of_dot_, eta_, off_ = 0, largest_ = 0;
};

std::vector<double> line(const Reals& x, std::int64_t first, std::int64_t n) {
  return {x.data.begin() + first, x.data.begin() + first + n};
}

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Operands o(c);
  const DtypeInfo &acc = info(order.accumulator), &out = info(c.dtype(0));
  Allowances of_out({o.B, o.L, o.H, o.E}), of_state({o.B, o.H, o.E, o.D});
  for (std::int64_t row = 0; row < o.B * o.H * o.E; ++row) {
    const std::int64_t b = row / (o.H * o.E), h = row / o.E % o.H, e = row % o.E, g = h / (o.H / o.G);
    Row route(line(o.state, row * o.D, o.D), order.accumulator_roundoff(), static_cast<double>(order.depth(o.D)),
              acc.min_subnormal);
    Row own(line(o.state, row * o.D, o.D), 0x1p-53, static_cast<double>(o.D), 0x1p-1074);
    for (std::int64_t t = 0; t < o.L; ++t) {
      if (!o.keeps(b, t)) continue;
      const std::vector<double> k = line(o.k, ((b * o.L + t) * o.G + g) * o.D, o.D),
                                q = line(o.q, ((b * o.L + t) * o.G + g) * o.D, o.D);
      const auto next = [&](Row& r) { return r.step(o.gamma(b, t, h), o.beta(b, t, h), o.v(b, t, h, e), k, q); };
      auto error = static_cast<double>(next(route) + next(own));
      const double y = std::abs(value_at(want[0], ((b * o.L + t) * o.H + h) * o.E + e));
      if (out.precision < acc.precision) error += out.unit_roundoff() * (y + error) + out.min_subnormal / 2;
      const bool finite = std::isfinite(y), beyond = !(4 * route.largest() <= acc.max);
      of_out(b, t, h, e) = {finite && error == error ? error : std::numeric_limits<double>::infinity(), beyond};
    }
    for (std::int64_t d = 0; d < o.D; ++d) {
      auto off = static_cast<double>(route.off(d) + own.off(d));
      if (info(Dtype::f32).precision < acc.precision)
        off += info(Dtype::f32).unit_roundoff() * (std::abs(value_at(want[1], row * o.D + d)) + off) +
               info(Dtype::f32).min_subnormal / 2;
      of_state(b, h, e, d) = {off == off ? off : std::numeric_limits<double>::infinity(),
                              !(4 * route.largest() <= acc.max)};
    }
  }
  return {of_out, of_state};
}

Cost update_cost(const Call& c) {
  const auto of = [&](char letter) { return static_cast<double>(c.size(letter)); };
  double bytes =
      4 * of('B') * of('H') * of('D') * of('E') + of('B') * of('L') * of('H') * of('E') * info(c.dtype(0)).bytes;
  for (const Tensor& t : c.in)
    if (t.defined()) bytes += static_cast<double>(t.size() * info(t.dtype()).bytes);
  return {of('B') * of('L') * of('H') * of('D') * of('E') * 7, bytes};
}

// ---- cases

constexpr const char* kInputs = R"(
  call   {key}+{key}+{t}.{b}x{n}x{h}x{e}.{l}.{y}+{gate}.{z}+{gate}.{z}+{state}+{mask}/-
  from   key={t}.{b}x{n}x{g}x{d}.{l}.{x} gate={u}.{b}x{n}x{h}.{l}
         state={st?given:'none'} mask={mk?hides:'none'} st=0 mk=0
         given=f32.{b}x{h}x{e}x{d}.{l}.{w} hides=bool.{b}x{n}.{l}.{m}
  from   t=f32 u={t} b=2 n=5 h=2 g=2 d=6 e=7 l=row x=uniform y=uniform-4 z=positive w=uniform m=int-1
)";

constexpr const char* kCases = R"(
  smoke  t={@floats} st={0,1} mk={0,1}
  smoke  x=int-1 y=int-2 z=int-1 w=int-3 st=1
  smoke  h=3 g=3 st=1   # no two extents alike
  smoke  h=6 g={1,2,3} u=f32 t={f32,bf16}
  # every dtype in every layout
  ci     t={@floats} l={@layouts} st=1 mk=1
  ci     t={@floats} u={@floats} h=4
  # no steps, no heads, no features; a mask that keeps nothing
  smoke  b,n,h,g,d,e={0 5 2 2 6 7, 2 0 2 2 6 7, 2 5 0 0 6 7, 2 5 0 2 6 7, 2 5 2 2 0 7, 2 5 2 2 6 0} st={0,1}
  smoke  mk=1 m={const-0,const-1} st=1
  # around vectors, the lanes of a row and the rows of a thread
  smoke  e=35 n=2
  ci     d={1,2,3,4,7,8,9,15,16,17,31,32,33,63,64,65,127,128,130,257,1025} n=3 e=3
  ci     e={1,2,3,4,5,7,8,9,15,16,17,31,32,33,63,64,65,127,128,130} n=3 d=5 st=1
  ci     n={1,2,3,33,130} d=9 e=9 z={positive,const-1} x=uniform
  # a state that a step turns around, that fades, that leaves the range
  ci     t={@floats} x={uniform-3,special-20,tiny,subnormal,wide,huge} n=4 st=1
  ci     z={uniform-2,const-0,special-9} y={wide,special-9} n=4
  nightly t={@floats} b=2 n=200 h=4 g=2 d=128 e=128 z=const-0.02
)";

constexpr const char* kRejects = R"(
  call   f32.2x5x{g}x6.row.uniform+f32.2x5x{g}x6.row.uniform+f32.2x5x3x7.row.uniform+{z}+{z}/-
  from   z=f32.2x5x3.row.positive
  shape  g={2,6}   # value heads that key heads cannot share evenly
)";

constexpr const char* kBench = R"(
  ci     t={f32,bf16} b=1 n=512 h=16 g=8 d=128 e=128 z=const-0.02 x=uniform y=uniform
)";

}  // namespace

std::vector<Op> gated_delta_ops() {
  Op op;
  op.name = "gated_delta_update";
  op.signature =
      "q T[B,L,G,D], k T[B,L,G,D], v T[B,L,H,E], gamma U[B,L,H], beta U[B,L,H], initial_state? f32[B,H,E,D], mask? "
      "bool[B,L] -> out T[B,L,H,E], state f32[B,H,E,D]";
  op.types = "T, U: f16 bf16 f32";
  op.equation = "S = gamma_t S; S += beta_t (v_t - S k_t) k_t^T; out_t = S q_t, for t = 0..L-1, S (E,D) of each head";
  op.meaning =
      "S begins with 0 or initial_state, is kept in f32 and returned; head h of v asks head h / (H / G) of q and k; a "
      "step that mask hides leaves S alone and gives 0; no steps give initial_state (upstream: an error); q, k and v "
      "have "
      "one type, gamma and beta another; f64, which upstream keeps in a state of f64, is refused: the state is f32";
  op.infer = infer;
  op.oracle = gated_delta_update;
  op.cases = {kInputs, kCases};
  op.rejects = kRejects;
  op.bench = {kInputs, kBench};
  op.cost = update_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
