// Vectors of normal numbers with given means and covariances.
#include <cmath>
#include <limits>

#include "core/signature.h"
#include "reference/array/random/draws.h"
#include "reference/array/random/quantile.h"
#include "reference/index.h"
#include "reference/linalg/orthogonal/jacobi.h"

namespace plumb {
namespace {

using namespace reference;

constexpr double kUlp = 0x1p-23;     // of binary32, relative, at most
constexpr double kOracle = 0x1p-50;  // relative error of what the C library makes of exact numbers

std::vector<Spec> infer(const Request& r) {
  Shape shape = broadcast(r.op->name, drawn_shape(r), r.letters->broadcast);
  shape.push_back(r.size('N'));
  if (count(shape) > std::int64_t{1} << 32)
    r.fail(Reason::unsupported, to_string(shape) + " passes the 2^32 words of one key");
  return {{Dtype::f32, shape}};
}

// The input as numbers of binary32.
template <class T>
Array<T> as_f32(const Call& c, const char* input) {
  const Wide wide = widen_as(c[input], Dtype::f32);
  const Reals& x = reals(wide);
  Array<T> out(x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) out[i] = T(x[i]);
  return out;
}

// R = sum over s_k > 0 of u_k sqrt(s_k) v_k^T, where C = sum of u_k s_k v_k^T.
Dense<double> root(const Dense<Double2>& c, const Decomposition<Double2>& d) {
  Dense<double> r(c.rows, c.columns);
  for (std::int64_t i = 0; i < r.rows; ++i) {
    for (std::int64_t j = 0; j < r.columns; ++j) {
      Double2 sum(0.0);
      for (std::int64_t k = 0; k < c.rows; ++k) {
        const Double2 s = d.rows.norms[static_cast<std::size_t>(k)];  // J C = S V
        if (s > Double2(0.0)) sum += d.rows.j(k, i) * d.rows.w(k, j) / sqrt(s);
      }
      r(i, j) = static_cast<double>(sum) * std::exp2(0.5 * d.exponent);
    }
  }
  return r;
}

// How far, in the Frobenius norm, R of C + E may lie from R of C, ||E|| <= e. R is the odd square root f of the
// symmetric matrix of blocks 0, C, C^T, 0. With its eigenvalues l_a and those m_b of the other one, and w_ab^2 the
// squares of inner products of their vectors, whose sum is 2 n,
//   2 ||R' - R||^2 = sum w_ab^2 (f(l_a) - f(m_b))^2,   2 ||E||^2 = sum w_ab^2 (l_a - m_b)^2
// and |f(l) - f(m)| <= sqrt 2 |l - m|^(1/2), so that ||R' - R||^2 <= 2 sqrt n ||E|| (Cauchy and Schwarz); and
// |f(l) - f(m)| <= |l - m| / sqrt s, where no |l|, |m| is below s.
double moved_root(double n, double least, double e) {
  const double holder = std::sqrt(2 * std::sqrt(n) * e);
  return least > e ? std::min(holder, e / std::sqrt(least - e)) : holder;
}

// Of one matrix: the root, its norm, and how far that of a route may lie from it. A route rounds U S V^T of binary64,
// of which svd is allowed 30 n u ||C||_1 for each column of the product, and 30 n u for each of U^T U - I and V^T V -
// I: in Frobenius norms, where ||X||_F <= sqrt n ||X||_1 and ||C||_1 <= sqrt n ||C||_F,
//   C + E = U' S V'^T with orthogonal U', V', ||E|| <= 90 n^2 u ||C||, and U sqrt(S) V^T as far from R' as 70 n^2 u
//   ||R||
struct Root {
  Dense<double> r;
  double strays;
};

Root root_of(const Call& c, const Array<Double2>& cov, std::int64_t m) {
  const Dense<Double2> x = matrix(cov, m);
  if (!all_finite(x)) c.fail(Reason::domain, "matrix " + std::to_string(m) + " has an element that is not finite");
  const Decomposition<Double2> d = decompose(x);
  Root out{root(x, d), 0};
  double squares = 0, own = 0;
  for (const Double2& e : x.data) squares += std::ldexp(e.hi, -d.exponent) * std::ldexp(e.hi, -d.exponent);
  for (const double e : out.r.data) own += e * e;
  const auto n = static_cast<double>(x.rows);
  const double e = 90 * n * n * 0x1p-53 * std::sqrt(squares);
  const double least = d.rows.norms.empty() ? 0 : static_cast<double>(d.rows.norms.back());
  out.strays = moved_root(n, least, e) * std::exp2(0.5 * d.exponent) + 70 * n * n * 0x1p-53 * std::sqrt(own);
  return out;
}

std::vector<Root> roots(const Call& c) {
  const auto cov = as_f32<Double2>(c, "cov");
  std::vector<Root> all;
  for (std::int64_t m = 0; m < matrices(cov.shape); ++m) all.push_back(root_of(c, cov, m));
  return all;
}

// The matrix that meets row i of the result.
std::size_t matrix_of(std::int64_t i, const Shape& out, const Shape& cov) {
  const Shape rows(out.begin(), out.end() - 1), batch(cov.begin(), cov.end() - 2);
  return static_cast<std::size_t>(broadcast_index(i, rows, batch));
}

// z_i = S y_i, erf y_i = u_i, S the number of binary32 nearest to sqrt 2
Reals normal_numbers(const Call& c, const Shape& shape) {
  Reals z = symmetric(c, shape);
  for (double& x : z.data) x = static_cast<double>(erf_quantile(x)) * static_cast<double>(std::sqrt(2.0F));
  return z;
}

// x_j = mean_j + sum over i of z_i R_ij
std::vector<Wide> multivariate_normal(const Call& c) {
  const Shape shape = output_specs(c)[0].shape;
  const auto mean = as_f32<double>(c, "mean");
  const std::vector<Root> all = roots(c);
  const Reals z = normal_numbers(c, shape);
  Reals x(shape);
  const std::int64_t n = c.size('N');
  for (std::int64_t e = 0; e < x.size(); ++e) {
    const std::int64_t row = e / n, j = e % n;
    const Dense<double>& R = all[matrix_of(row, shape, c["cov"].shape())].r;
    x[e] = mean[broadcast_index(e, shape, mean.shape)];
    for (std::int64_t i = 0; i < n; ++i) x[e] += z[row * n + i] * R(i, j);
  }
  return {x};
}

// z_i strays by k ulps and two roundings, R by `strays`, seen along z, and by the rounding of its elements; the rest is
// a sum of n + 1 terms.
std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Reals& x = reals(want[0]);
  const auto mean = as_f32<double>(c, "mean");
  const std::vector<Root> all = roots(c);
  const Reals z = normal_numbers(c, x.shape);
  const DtypeInfo& t = info(Dtype::f32);
  const double u = t.unit_roundoff(), each = order.function_ulps * kUlp + kOracle, off = each + 2 * u * (1 + each);
  Allowances out(x.shape);
  const std::int64_t n = c.size('N');
  for (std::int64_t e = 0; e < x.size(); ++e) {
    const std::int64_t row = e / n, j = e % n;
    const double m = std::abs(mean[broadcast_index(e, x.shape, mean.shape)]);
    if (!std::isfinite(m)) continue;  // it is the result
    const Root& own = all[matrix_of(row, x.shape, c["cov"].shape())];
    double G = 0, squares = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double a = std::abs(z[row * n + i]);
      G += a * std::abs(own.r(i, j)), squares += a * a;
    }
    const double terms = (1 + off) * (1 + u) * G + (1 + off) * std::sqrt(squares) * own.strays;
    const double moved = terms - G, most = m + terms;
    out[e].error = moved + accumulate_bound(x[e], most, n + 1, order, Dtype::f32, 0x1p-53) + u * moved;
    out[e].overflow = may_overflow(most, n + 1, order) || std::abs(x[e]) + out[e].error > t.max;
  }
  return {out};
}

constexpr const char* kCases = R"(
  call   f32.{m}.row.{mx}+f32.{c}.{l}.{x}+u32.2.{v}.bits/shape={s}
  from   n=3 m={n} c={n}x{n} l=row v=row x=spd mx=uniform s=:
  smoke  n={0,1,2,3,5} s={:,0:,1:,4:,2:3}
  smoke  n=3 s=7: x={const-0,const-1,int-3,uniform,deficient-1}   # no rank, rank 1, neither symmetric nor definite
  smoke  m=4x1x2 c=3x2x2 s={:,5:1:1}                          # both broadcast, and the shape grows with them
  smoke  n=3 s=9: mx={special,int-5}
  ci     n={4,8,15,16,17,31,33,64} s=5:
  ci     n=6 s=40: x={spd-1e6,twins-1e8,singular-1e12,hilbert,deficient-2,pow2-30}
  ci     n=5 s=40: x={magnified-120,magnified--130,graded-60,subnormal,huge}
  ci     c=2x5x3x3 m=5x3 s={4:1:1,2:5} l={@layouts}
  ci     m=6x3 c=3x3 s=6: v={@layouts}
  ci     c=2x2 m=1x2x1x2x1x3x2 s=:                            # seven axes of means
  ci     n=2 s=2:1:1:2:1:1:1:2:1                                  # ten axes
  ci     n=3 s={63,64,65,1023,4099}:
  call   {a}.4.row.int-9+{b}.4x4.{l}.{x}+u32.2.row.order/shape=3:
  ci     a,b,x={bool f16 spd,u8 bf16 spd,u64 f64 spd,i64 i8 int-9,f16 u16 int-9,bf16 bool int-1,f64 f32 spd}
         l={row,transposed}
)";

constexpr const char* kRejects = R"(
  call   f32.{m}.row.uniform+f32.{c}.row.{x}+u32.2.row.order/shape={s},dtype={t}
  from   m=2 c=2x2 x=spd s=3: t=f32
  dtype  t={f16,bf16,f64,i32,c64}  # binary32 alone
  attribute t=half                 # no dtype
  shape  s=2:-1                    # negative extent
  shape  m=3x2 s=2:                # does not broadcast with the shape
  shape  m=3x2 c=4x2x2             # nor with each other
  domain x=const-nan               # a covariance that is not finite
  domain x=const-inf s=0:          # even where nothing is drawn
)";

constexpr const char* kBench = R"(
  ci     f32.3.row.uniform+f32.3x3.row.spd+u32.2.row.order/shape=1048576:
  ci     f32.64.row.uniform+f32.64x64.row.spd+u32.2.row.order/shape={64:,65536:}
)";

// The product; the root and the numbers drawn are less wherever there are many rows.
Cost cost_of(const Call& c) {
  const auto elements = static_cast<double>(count(output_specs(c)[0].shape));
  return {2 * elements * static_cast<double>(c.size('N')), input_bytes(c) + output_bytes(c)};
}

std::vector<Spec> infer_typed(const Request& r) {
  (void)drawn_dtype(r, {Dtype::f32}, "f32");
  return infer(r);
}

}  // namespace

std::vector<Op> multivariate_ops() {
  Op op;
  op.name = "multivariate_normal";
  op.signature = "mean M[...,N], cov C[...,N,N], key u32[2] -> out f32[*S]";
  op.types = "M, C: bool integers floats";
  op.attrs = {{"shape", Shape{}}, {"dtype", "f32"}};
  op.equation = "out_j = mean_j + sum over i of z_i R_ij, R = U sqrt(S) V^T, U S V^T = cov, z = normal(*S) of f32";
  op.meaning =
      "mean and cov become f32 first; *S: what shape and the axes before the last of mean, the last two of cov "
      "broadcast to, then N; R is the symmetric root of a positive semidefinite cov and is defined for every other, "
      "whatever the signs of vectors; a cov that is not finite is an error";
  op.infer = infer_typed;
  op.oracle = multivariate_normal;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = cost_of;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
