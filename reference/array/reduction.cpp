// Reductions and what is built on them: their rows, what they mean, and the inputs worth trying.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op.h"
#include "reference/array/reduce/cut.h"

namespace plumb {
namespace {

using namespace reference;

// ---- sum

std::int64_t plus(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class T>
T plus(T a, T b) {
  return a + b;
}

// s_l = sum of x_i over the elements i of line l
std::vector<Wide> sum(const Call& c) {
  const Cut lines = cut(c);
  const Shape out = c.outputs()[0].shape;
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        Array<T> s(out);
        for (std::int64_t i = 0; i < x.size(); ++i) {
          T& of_line = s[lines.line_of[static_cast<std::size_t>(i)]];
          of_line = plus(of_line, x[i]);
        }
        return {s};
      },
      widen(c[0]));
}

// ---- softmax

template <class T>
std::vector<T> maxima(const Array<T>& x, const Cut& lines) {
  std::vector<T> m(static_cast<std::size_t>(lines.lines), T(-std::numeric_limits<double>::infinity()));
  for (std::int64_t i = 0; i < x.size(); ++i) {
    T& of_line = m[static_cast<std::size_t>(lines.line_of[static_cast<std::size_t>(i)])];
    if (of_line < x[i]) of_line = x[i];
  }
  return m;
}

// m_l = max of x_i over line l,  y_i = e^(x_i - m_l) / sum of e^(x_j - m_l) over the line l of i
//
// A NaN stays in the sum; so does inf - inf, which makes lines that hold +inf, or nothing but -inf, NaN.
template <class T>
Array<T> softmax_of(const Array<T>& x, const Cut& lines) {
  using std::exp;
  const std::vector<T> m = maxima(x, lines);
  Array<T> y(x.shape);
  std::vector<T> total(m.size());
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const auto l = static_cast<std::size_t>(lines.line_of[static_cast<std::size_t>(i)]);
    y[i] = exp(x[i] - m[l]);
    total[l] += y[i];
  }
  for (std::int64_t i = 0; i < x.size(); ++i)
    y[i] /= total[static_cast<std::size_t>(lines.line_of[static_cast<std::size_t>(i)])];
  return y;
}

std::vector<Wide> softmax(const Call& c) {
  const Wide x = widen_as(c[0], at_least_float(c.dtype(0)));
  if (const auto* wide = std::get_if<Reals2>(&x)) return {softmax_of(*wide, cut(c))};
  return {softmax_of(std::get<Reals>(x), cut(c))};
}

constexpr double kInf = std::numeric_limits<double>::infinity();

double real_of(double x) { return x; }
double real_of(Double2 x) { return x.hi; }

// The running error of m, d_i = m - x_i, e_i, S = sum e_j, y_i = e_i / S, with every function and operation
// of the route's arithmetic (u its roundoff, k the ulps of its e^x, 1 ulp <= 2 u, h its depth):
//
//   |dy_i| / y_i <= u d_i + 2 k u                                        argument and function, numerator
//                 + gamma_h + sum_j y_j (u d_j) + 2 k u                  the same and the sum, denominator
//                 + 2 u                                                  the quotient, as e_i (1 / S)
//
// to first order: r / (1 - r) covers the rest. Where numbers are subnormal, each e_j may err by k eta and the
// quotient by eta. The oracle's own error is of the same form with k = 1, h = n and its own roundoff.
template <class T>
Allowances softmax_bound_of(const Array<T>& x, const Array<T>& y, const Cut& lines, const Order& order, Dtype out) {
  const double u = order.accumulator_roundoff(), own = std::is_same_v<T, double> ? 0x1p-53 : kDouble2Roundoff;
  const double eta = info(order.accumulator).min_subnormal, k = order.function_ulps;
  const double n = static_cast<double>(lines.length);
  const double sum_error = gamma(static_cast<double>(order.depth(lines.length)), u) + gamma(n, own);
  const std::vector<T> m = maxima(x, lines);
  std::vector<double> mean(m.size());  // sum_j y_j d_j
  const auto line = [&](std::int64_t i) {
    return static_cast<std::size_t>(lines.line_of[static_cast<std::size_t>(i)]);
  };
  const auto d = [&](std::int64_t i) {
    const double v = real_of(m[line(i)] - x[i]);
    return std::isfinite(v) ? v : 0;  // e^-inf is exact
  };
  for (std::int64_t i = 0; i < x.size(); ++i)
    if (const double v = real_of(y[i]) * d(i); std::isfinite(v)) mean[line(i)] += v;
  Allowances bound(x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const double c = real_of(y[i]);
    const double r = (u + own) * (d(i) + mean[line(i)]) + 2 * (2 * k * u + 2 * own) + sum_error + 2 * u + own;
    double& error = bound[i].error;
    error = (r < 1 ? c * r / (1 - r) : c > 0 ? kInf : 0) + (k + 1) * eta * (1 + n * c);
    if (info(out).precision < info(order.accumulator).precision)
      error += info(out).unit_roundoff() * (c + error) + info(out).min_subnormal / 2;
  }
  return bound;
}

std::vector<Allowances> softmax_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype out = at_least_float(c.dtype(0));
  const Wide x = widen_as(c[0], out);
  if (const auto* wide = std::get_if<Reals2>(&x))
    return {softmax_bound_of(*wide, std::get<Reals2>(want[0]), cut(c), order, out)};
  return {softmax_bound_of(std::get<Reals>(x), std::get<Reals>(want[0]), cut(c), order, out)};
}

Cost softmax_cost(const Call& c) {
  const double n = static_cast<double>(c[0].size());
  return {5 * n, n * (info(c.dtype(0)).bytes + info(at_least_float(c.dtype(0))).bytes)};
}

// ---- cases

constexpr const char* kSumCases = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},keepdims={keep}
  from   t=f32 l=row axis= keep=
  smoke  t={@all} s=4x9 x=int-3
  smoke  t={@all} s=4x9 x=bits axis=0 keep=true
  # sums that leave the type, ends of the range in every lane
  smoke  t={bool,@integers} s=35x67 x=whole axis={0:,1:,0:1}
  ci     t={bool,@integers} s=69x68 x=lanes-69 axis={0:,1:,0:1}
  # every dtype in every layout, on each axis and on two
  ci     t={@all} l={@layouts} s=5x4x70 axis,x={-1 int-3, 0 uniform, 0:2 int-100}
  ci     t={@all} l={@layouts} s=5x4x70 axis=1 x=uniform keep=true
  # nothing to add, and nothing to add along
  ci     t={@all} s={0,0x3,3x0,2x0x3} x=int-3 keep={false,true} axis={0,-1}
  smoke  t={@all} s=s x=int-3
  ci     t={@all} s=3x2 x=int-3 axis=:
  smoke  s=65x2 l=reversed x=ramp axis=1
  # every subset of the axes, in the layouts that hide unit axes best
  from   four={,0:}{,1:}{,2:}{,3:} five={four}{,4:}
  smoke  s=2x1x3x1x4 x=int-3 axis={five==''?':':five}
  ci     s=2x1x3x1x4 x=int-3 axis={five==''?':':five} l={transposed,padded}
  smoke  s=3x17x5x19 x=uniform axis={four==''?':':four}
  ci     s=3x17x5x19 x=uniform axis={four==''?':':four} l={transposed,padded}
  # every other axis of many: none can be merged with its neighbour
  ci     s=2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2 x=int-3 axis=0:2:4:6:8:10:12:14:16
  smoke  s=2x3x2x3x2x3x2x3 x=int-3 axis=0:2:4:6 # as many as a kernel walks
  # around vectors, blocks and the parts of a sum
  from   n={1,2,3,15,16,17,31,32,33,63,64,65,127,128,129,255,257,511,513,1023,1025,2047,2049,4095,4096,4097,8191,8193}
  ci     t={f32,f64,bf16,i8,c64} s,x,axis={3x{n} uniform -1, {n}x5 uniform 0}
  ci     t={f32,f64,bf16,i8,c64} s={n} x=int-3
  ci     n={63,64,65,127,129,1025} s,x,axis={{n}x{w} wide 0, 2x{n}x{w} int-3 1}
         w={1,2,3,7,16,31,33,63,64,65,127,255,257,1025}
  # values that an accumulator loses, or that leave its range
  ci     t={f32,f16,bf16,f64,c64} s=69x68 x={tiny,huge,subnormal,whole,lanes-69} axis={0:,1:,0:1}
  ci     t={f32,f16} s={7x1001,1001x7,131x129} x={cancel,wide,special,const-1,positive,pow2-10} axis={0:,1:,0:1}
  ci     t,s={bf16 70000, f16 20000} x=const-1         # accumulated in the half type: 256
  ci     t=f16 s=20000x2 x=const-1 axis=0
  ci     t,x={u8 const-200, i8 const-100} s=300        # beyond the input's own range
  ci     t=i32 s=300 x=const-2147483647                # wraps
  from   n={65537,262143,262145,300001}
  ci     s={n} x={uniform,int-3}
  ci     s={n}x2 x=uniform axis=0
  nightly s,axis={5000x300 0, 3x1048576 1} x=wide
  nightly t,x={f64 cancel, c64 uniform} s=1048576
)";

constexpr const char* kSumBench = R"(
  call   {t}.{s}.row.uniform/axis={axis}
  ci     t=f32 s=16777216 axis=
  ci     t,s,axis={f32 4096x4096 1, f32 4096x4096 0, f16 4096x4096 1, f32 4096x128 1, f32 128x32000 0}
)";

constexpr const char* kSoftmaxCases = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},precise={precise}
  from   t=f32 l=row axis=-1 precise= real={@all,!c64}
  smoke  t={real} s=3x9 x=uniform-3
  smoke  t={real} s=9x3 x=int-3 axis=0 precise=true
  # every dtype in every layout, on each axis and on two
  ci     t={real} l={@layouts} s=4x5x37 axis={-1,0,1} x=uniform-3
  ci     t={real} l={@layouts} s=4x5x37 axis=0:2 x=special
  # a scalar, nothing, and lines of which some hold no number
  smoke  t={real} s=s x=int-3 axis=
  ci     t={real} s={0x3,3x0} x=int-3
  ci     t={real} s,axis,x={64x3 -1 special, 3x64 0 special, 64x33 0 special-40, 64x33 1 masked-7}
  ci     t={real} s=34x33 x={tiny,huge,subnormal,lanes-34} axis={0,1}
  ci     t={real} s=3x2 x=int-3 axis=:
  # every subset of the axes, in the layouts that hide unit axes best
  from   four={,0:}{,1:}{,2:}{,3:} five={four}{,4:}
  smoke  s=2x1x3x1x4 x=uniform-4 axis={five==''?':':five}
  ci     s=2x1x3x1x4 x=uniform-4 axis={five==''?':':five} l={transposed,padded}
  smoke  s=3x17x5x19 x=uniform-20 axis={four==''?':':four}
  ci     s=3x17x5x19 x=uniform-20 axis={four==''?':':four} l={transposed,padded}
  # every other axis of many: none can be merged with its neighbour
  ci     s=2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2 x=uniform-4 axis=0:2:4:6:8:10:12:14:16
  # around vectors, blocks and the lines that are kept in registers
  from   n={1,2,3,7,8,15,16,17,31,33,63,64,65,127,128,129,255,256,257,511,513,1023,1024,1025,2047,2049,4095,4096,4097,
         5000,
         8191,8193}
  ci     s=3x{n} x={uniform-10,special-1000,masked-4}
  ci     s=3x{n} t={f16,f64} x=uniform-10
  ci     s={n}x{19,3} axis=0 x=uniform-10
  from   n={127,128,129,1025,4097,5000}
  ci     s=2x{n} t,x={f32 masked-8, f32 uniform-10000, f32 const-1, bf16 masked-8}   # masked-8: nothing but -inf
  ci     t=bf16 s=2x512 x=const-3                                                    # each must be 1 / 512
  ci     s=100003 x=uniform-10 axis=
  ci     t=f16 s=2x70001 x=uniform-10 axis=1
  nightly s,axis={3x1048576 1, 50000x40 0} x=uniform-10
)";

constexpr const char* kSoftmaxBench = R"(
  call   {t}.{s}.row.uniform-10/axis={axis}
  ci     t,s,axis={f32 4096x4096 -1, f32 65536x128 -1, f16 4096x4096 -1, f32 4096x4096 0}
  ci     t=f32 s=16777216 axis=
)";

Op sum_row() {
  Op op;
  op.name = "sum";
  op.signature = "a T[...] -> out S[... over axis]";
  op.types = "T: all; S = accumulator(T)";
  op.attrs = {{"axis", kNone}, {"keepdims", false}};
  op.equation = "s_l = sum of a_i over the elements i of line l; an empty line gives 0";
  op.meaning =
      "f16 and bf16 accumulate in f32 and round once, as MLX has it since 0.32.3; bool and signed "
      "integers up to 32 bits give i32, unsigned ones u32; integers wrap; an empty axis list gives the elements in the "
      "output dtype (upstream keeps the input's)";
  op.oracle = sum;
  op.cases = kSumCases;
  op.rejects = kAxisRejects;
  op.bench = kSumBench;
  op.cost = line_cost;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = line_length;
  return op;
}

Op softmax_row() {
  Op op;
  op.name = "softmax";
  op.signature = "a T[*S] -> out F[*S]";
  op.types = "T: bool integers floats; F = float(T)";
  op.attrs = {{"axis", kNone}, {"precise", false}};
  op.equation =
      "y_i = e^(a_i - m) / sum_j e^(a_j - m), m = max_j a_j, j over the line of i along all listed axes jointly";
  op.meaning =
      "integers and bool give f32 on every axis (upstream casts back to the integer off the last axis); halves compute "
      "in f32 and round once, so precise changes nothing; complex input is refused";
  op.oracle = softmax;
  op.cases = kSoftmaxCases;
  op.rejects = kAxisRejects;
  op.bench = kSoftmaxBench;
  op.cost = softmax_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = softmax_bound;
  return op;
}

}  // namespace

std::vector<Op> reduction_ops() { return {sum_row(), softmax_row()}; }

}  // namespace plumb
