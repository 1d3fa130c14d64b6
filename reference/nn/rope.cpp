// Rotary position embedding: its row.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "reference/nn/wide.h"

namespace plumb {
namespace {

using namespace reference;

double f32_of(const Request& r, std::string_view attr) { return static_cast<double>(to_float(r.number(attr))); }

void check_offset(const Request& r) {
  if (!r.has("offset")) return;
  if (!r.none("offset")) r.fail(Reason::attribute, "offset is given twice, as an attribute and as an input");
  const std::size_t i = r.index("offset");
  if (r.rank(i) > 1) r.fail(Reason::rank, "offset " + to_string(r.shape(i)) + ": neither [] nor [B]");
  const std::int64_t n = count(r.shape(i)), B = r.shape(0)[0];
  if (n != 1 && n != B)
    r.fail(Reason::shape, "offset " + to_string(r.shape(i)) + ": neither 1 nor B = " + std::to_string(B));
}

std::vector<Spec> infer(const Request& r) {
  const std::int64_t dims = r.integer("dims"), D = r.shape(0).back();
  if (dims < 2 || dims % 2 != 0 || dims > D)
    r.fail(Reason::attribute,
           "dims is " + std::to_string(dims) + ": not even, or not in [2, " + std::to_string(D) + "]");
  if (r.has("freqs") != r.none("base")) r.fail(Reason::attribute, "one of base and freqs must be given, and one alone");
  if (r.has("freqs") && r.size('H') != dims / 2)
    r.fail(Reason::shape, "freqs [" + std::to_string(r.size('H')) + "]: not half of dims = " + std::to_string(dims));
  if (!r.has("freqs") && !(f32_of(r, "base") > 0 && f32_of(r, "base") < std::numeric_limits<double>::infinity()))
    r.fail(Reason::attribute, "base is " + shortest(r.number("base")));
  if (!std::isfinite(f32_of(r, "scale"))) r.fail(Reason::attribute, "scale is " + shortest(r.number("scale")));
  check_offset(r);
  if (!r.none("offset")) (void)r.integer("offset");
  return r.outputs();
}

// The features that turn together: i and i + h, or 2 i and 2 i + 1; h = dims / 2.
struct Pairs {
  std::int64_t half, step, apart;
  explicit Pairs(const Call& c)
      : half(c.integer("dims") / 2), step(c.flag("traditional") ? 2 : 1), apart(c.flag("traditional") ? 1 : half) {}
};

// angle(b, t, i) = (t + offset_b) * scale * base^(-i / h), or (t + offset_b) * scale / freqs_i; h = dims / 2
class Angles {
 public:
  explicit Angles(const Call& c)
      : scale_(static_cast<long double>(f32_of(c, "scale"))), half_(c.integer("dims") / 2), offsets_(offsets_of(c)) {
    if (c.has("freqs")) {
      freqs_ = exact_values(c["freqs"]);
      return;
    }
    const auto base = static_cast<long double>(f32_of(c, "base")), h = static_cast<long double>(half_);
    for (std::int64_t i = 0; i < half_; ++i) freqs_.push_back(std::pow(base, static_cast<long double>(i) / h));
  }

  long double operator()(std::int64_t b, std::int64_t t, std::int64_t i) const {
    return position(b, t) * scale_ / freqs_[static_cast<std::size_t>(i)];
  }
  long double position(std::int64_t b, std::int64_t t) const {
    return static_cast<long double>(t) + offsets_[offsets_.size() == 1 ? 0 : static_cast<std::size_t>(b)];
  }

 private:
  static std::vector<long double> offsets_of(const Call& c) {
    if (!c.has("offset")) return {c.none("offset") ? 0.0L : static_cast<long double>(c.integer("offset"))};
    return exact_values(c["offset"]);
  }

  long double scale_;
  std::int64_t half_;
  std::vector<long double> freqs_, offsets_;
};

// Calls f(at, apart, b, t, i) for every pair of x (B, .., L, D): where its first element lies.
template <class F>
void for_pairs(const Call& c, F&& f) {
  const Shape& shape = c.shape(0);
  const std::int64_t B = shape[0], D = shape.back(), L = shape[shape.size() - 2],
                     lines = count(shape) / std::max<std::int64_t>(1, D);
  const Pairs pairs(c);
  for (std::int64_t l = 0; l < lines; ++l)
    for (std::int64_t i = 0; i < pairs.half; ++i) f(l * D + i * pairs.step, pairs.apart, l / (lines / B), l % L, i);
}

// (u, v) -> (u cos a - v sin a, u sin a + v cos a), a = angle(b, t, i); features from dims on stay
template <class R>
Wide turned(const Call& c) {
  const std::vector<R> x = values<R>(c[0], c.dtype(0));
  const Angles angle(c);
  std::vector<R> y = x;
  for_pairs(c, [&](std::int64_t at, std::int64_t apart, std::int64_t b, std::int64_t t, std::int64_t i) {
    const long double a = angle(b, t, i);
    const R cosine = static_cast<R>(std::cos(a)), sine = static_cast<R>(std::sin(a));
    const auto first = static_cast<std::size_t>(at), second = static_cast<std::size_t>(at + apart);
    y[first] = x[first] * cosine - x[second] * sine;
    y[second] = x[first] * sine + x[second] * cosine;
  });
  return wide_of(c.shape(0), std::move(y));
}

std::vector<Wide> rope(const Call& c) {
  return {in_wide(c.dtype(0), [&](auto r) { return turned<decltype(r)>(c); })};
}

// ---- bounds: docs/bounds.md, "A rotation"

// u c + v s where c and s err by k ulps of themselves and by an absolute `off`: in a type that has room for the sum.
Allowed rotated(long double u, long double v, double c, double s, double off, const Order& order, Dtype out) {
  const double r = order.accumulator_roundoff(), eta = info(order.accumulator).min_subnormal;
  const long double terms = std::abs(u * c) + std::abs(v * s);
  const long double e = (std::abs(u) + std::abs(v)) * off + terms * 2 * order.function_ulps * r;
  long double error = e + gamma(2, r) * (terms + e) + 2 * eta;
  if (info(out).precision < info(order.accumulator).precision)
    error += info(out).unit_roundoff() * (terms + error) + info(out).min_subnormal / 2;
  return {static_cast<double>(error), std::abs(u) + std::abs(v) > info(order.accumulator).max};
}

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>&, const Order& order) {
  const Dtype out = c.dtype(0);
  const std::vector<long double> x = exact_values(c[0]);
  const Angles angle(c);
  const double own = 4 * own_roundoff(out);
  Allowances allowed(c.shape(0));
  for_pairs(c, [&](std::int64_t at, std::int64_t apart, std::int64_t b, std::int64_t t, std::int64_t i) {
    const long double a = angle(b, t, i);
    const auto finite = [](long double v) { return std::isfinite(v) ? v : 0; };
    const auto number = [&](long double v) { return static_cast<double>(finite(v)); };
    const double of_angle = 0x1p-50 * std::abs(number(a)) + 0x1p-61 * std::abs(number(angle.position(b, t)));
    const double off = std::min(2.0, of_angle + order.twiddle_error + own);
    const long double u = finite(x[static_cast<std::size_t>(at)]), v = finite(x[static_cast<std::size_t>(at + apart)]);
    const double cosine = number(std::cos(a)), sine = number(std::sin(a));
    allowed[at] = rotated(u, v, cosine, sine, off, order, out);
    allowed[at + apart] = rotated(u, v, sine, cosine, off, order, out);
  });
  return {allowed};
}

Cost rope_cost(const Call& c) {
  const double n = static_cast<double>(c[0].size());
  return {3 * n, 2 * n * info(c.dtype(0)).bytes};
}

// ---- cases

constexpr const char* kInputs = R"(
  call   {t}.{s}.{l}.{x}+{os}+{fs}/dims={d},traditional={r},base={b},scale={scale},offset={at}
  from   os={o==''?'none':offset} fs={f==''?'none':freqs} t=f32 s=2x3x5x8 l=row x=uniform d=8 r={false,true}
         b={f==''?base:''} base=10000.0 scale=1.0 at= o= f=
         offset={o}.{k}.row.{p} k=1 p=const-3 freqs={f}.{d/2}.row.{z} z=positive-4 float={@floats,f64}
)";

constexpr const char* kCases = R"(
  smoke  t={float} x={uniform,special}
  smoke  d={2,4,6,8} s=2x3x6x8
  smoke  at=7 scale={0.5,-2.0} base={2.5,1e6}
  smoke  f={float} scale=2.0 at=1
  smoke  o,k={i32 2, i64 1, u8 s}
  smoke  o={@integers} k=2 p=index-9
  # every dtype in every layout; the axes between batch and positions share the angles
  ci     t={float} l={@layouts} s={3x4x5x10,3x5x10} d={6,10}
  ci     s=1x2x1x3x1x2x3x8 l={@layouts}
  smoke  s=1x2x1x3x1x2x3x8 d=4
  ci     o={@integers} k={3,1,s} p=index-100 s=3x2x4x6 d=6
  # nothing to turn
  smoke  s={0x3x4,2x0x8,0x2x3x6,2x3x0x4} d=4
  # dims around vectors, positions around threads, and far from the first
  ci     s=2x3x5x{d} d={2,4,6,14,16,18,30,32,34,62,64,66,126,128,130}
  ci     s=2x3x4x{d+1} d={2,14,16,18,32,34,64,130}
  ci     s=1x2x{1,2,3,63,64,65,255,257,1030}x12 d=10
  ci     t={float} at={1000,100003,2147483647,-5} s=1x1x9x64 d=64
  ci     o=i64 k=2 p={const-1000000000000,const--7} d=4
  ci     t={float} base={1.0,1e-3,1e30} scale={1.0,1e6}
  ci     f=f32 z={special,tiny,huge-2,wide} s=1x2x5x64 d=64 at=3
  # values that leave a range
  ci     t={float} s=20x3x8 x={huge,tiny,subnormal,wide,cancel,int-9,order}
  ci     s=3x2x33x128 d=128
  nightly t={float} s=2x8x4096x128 d=128
)";

constexpr const char* kRejects = R"(
  call   f32.2x3x8.row.uniform+{o}+{f}/dims={d},base={b},scale={s},offset={at}
  from   o=none f=none d=8 b=10000.0 s=1.0 at=
  attribute d={0,-2,7,10}            # no even number of features that there are
  attribute b=                       # neither base nor freqs
  attribute f=f32.4.row.uniform      # both
  attribute b={0.0,-1.0,inf}         # a base that has no powers
  attribute s=inf                    # a scale that leaves no position
  attribute o=i32.s.row.const-1 at=3 # two offsets
  attribute at=last                  # an offset that is no number
  shape     o=i32.3.row.const-1      # neither one offset nor one for each of the batch
  rank      o=i32.2x1.row.const-1    # a matrix of offsets
  shape     f=f32.3.row.uniform b=   # not half as many as dims
)";

constexpr const char* kBench = R"(
  ci     t,s,d={f32 2x32x1024x128 128, f16 2x32x1024x128 128}
)";

}  // namespace

std::vector<Op> rope_ops() {
  Op op;
  op.name = "rope";
  op.signature = "x T[B,*M,L,D], offset? I[*O], freqs? F[H] -> out T[B,*M,L,D]";
  op.types = "T, F: floats; I: integers";
  op.attrs = {{"dims", kNone}, {"traditional", false}, {"base", kNone}, {"scale", 1.0}, {"offset", kNone}};
  op.equation =
      "(u, v) -> (u cos a - v sin a, u sin a + v cos a), a = (t + offset) scale base^(-i/h) or (t + offset) scale / "
      "freqs_i, t the position along L, h = dims / 2";
  op.meaning =
      "pairs are features i and i + h, of traditional 2 i and 2 i + 1; features from dims on are copied; offset, 0 if "
      "not given, is a number or an input of one or of B; base and scale are rounded to f32; angles are exact to 2^-50 "
      "and neither they nor their cosines are rounded to x's type; base must be positive";
  op.infer = infer;
  op.oracle = rope;
  op.cases = {kInputs, kCases};
  op.rejects = kRejects;
  op.bench = {kInputs, kBench};
  op.cost = rope_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
