// Hadamard transforms of the last axis, straight from the definition.
#include <algorithm>
#include <bit>
#include <cmath>

#include "core/op.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

using Signs = std::vector<std::vector<int>>;  // of a matrix, 1 and -1

// ---- H_m. Those that are no power of two are fixed by the row's meaning: Hadamard matrices are many.

// The matrix whose row i is the given one, moved i places to the right.
Signs circulant(const std::string& row) {
  const std::size_t n = row.size();
  Signs c(n, std::vector<int>(n));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) c[i][j] = row[(j + n - i) % n] == '+' ? 1 : -1;
  return c;
}

// Williamson 1944: [A B C D, -B A -D C, -C D A -B, -D -C B A].
Signs williamson(const std::string (&rows)[4]) {
  constexpr int kBlock[4][4] = {{0, 1, 2, 3}, {1, 0, 3, 2}, {2, 3, 0, 1}, {3, 2, 1, 0}};
  constexpr int kSign[4][4] = {{1, 1, 1, 1}, {-1, 1, -1, 1}, {-1, 1, 1, -1}, {-1, -1, 1, 1}};
  const std::size_t n = rows[0].size();
  Signs blocks[4], h(4 * n, std::vector<int>(4 * n));
  for (int k = 0; k < 4; ++k) blocks[k] = circulant(rows[k]);
  for (std::size_t i = 0; i < 4 * n; ++i)
    for (std::size_t j = 0; j < 4 * n; ++j) h[i][j] = kSign[i / n][j / n] * blocks[kBlock[i / n][j / n]][i % n][j % n];
  return h;
}

// Paley 1933, the second construction, over the squares 1 and 4 modulo 5: each entry s of the symmetric conference
// matrix becomes s [1 1, 1 -1], and its zeros [1 -1, -1 -1].
Signs paley() {
  const auto conference = [](std::size_t i, std::size_t j) {
    if (i == j) return 0;
    if (i == 0 || j == 0) return 1;
    const std::size_t d = (j + 5 - i) % 5;
    return d == 1 || d == 4 ? 1 : -1;
  };
  constexpr int kOne[2][2] = {{1, 1}, {1, -1}}, kZero[2][2] = {{1, -1}, {-1, -1}};
  Signs h(12, std::vector<int>(12));
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t j = 0; j < 12; ++j) {
      const int s = conference(i / 2, j / 2);
      h[i][j] = s == 0 ? kZero[i % 2][j % 2] : s * kOne[i % 2][j % 2];
    }
  return h;
}

Signs signs_of(std::int64_t m) {
  if (m == 12) return paley();
  if (m == 20) return williamson({"+----", "+----", "++--+", "+-++-"});
  if (m == 28) return williamson({"+------", "++----+", "+-+--+-", "+--++--"});
  return {{1}};
}

// n = m 2^k.
std::int64_t odd_part(std::int64_t n) {
  for (const std::int64_t m : {12, 20, 28})
    if (n % m == 0 && std::has_single_bit(static_cast<std::uint64_t>(n / m))) return m;
  return n > 0 && std::has_single_bit(static_cast<std::uint64_t>(n)) ? 1 : 0;
}

Dtype type_of(const Request& r) { return at_least_float(r.dtype(0)); }

std::vector<Spec> infer(const Request& r) {
  (void)(r.none("scale") ? 0 : r.number("scale"));
  const std::int64_t n = r.rank(0) == 0 ? 1 : r.shape(0).back();
  if (odd_part(n) == 0) r.fail(Reason::shape, "length " + std::to_string(n) + " is not m 2^k with m of 1, 12, 20, 28");
  return {{type_of(r), r.shape(0)}};
}

std::int64_t length(const Request& r) { return r.rank(0) == 0 ? 1 : r.shape(0).back(); }

// s in the arithmetic of the result: f32 but for f64.
double scale_of(const Request& r) {
  const double s = r.none("scale") ? 1 / std::sqrt(static_cast<double>(length(r))) : r.number("scale");
  return type_of(r) == Dtype::f64 ? s : static_cast<double>(static_cast<float>(s));
}

double times(double s, double x) { return s * x; }
Double2 times(double s, Double2 x) { return Double2(s) * x; }
Complex times(double s, Complex x) { return {s * x.real(), s * x.imag()}; }

double size_of(double x) { return std::abs(x); }
double size_of(Double2 x) { return std::abs(x.hi); }
double size_of(Complex z) { return std::max(std::abs(z.real()), std::abs(z.imag())); }

// Sums of the largest f64 numbers pass the range of their halves: terms are made smaller, and sums larger again.
constexpr double kLarge = 0x1p960, kSmaller = 0x1p-64;

// y_i = s sum_j H_ij x_j, H_ij = M_(i / p)(j / p) (-1)^(bits that i mod p and j mod p have in common), p = 2^k.
// Terms that are 0 add nothing and are passed over, so that an impulse of any length can be judged.
template <class T>
Array<T> transform(const Call& c, const Array<T>& x) {
  const std::int64_t n = length(c), m = odd_part(n), p = n / m;
  const Signs M = signs_of(m);
  const double s = scale_of(c);
  Array<T> y(x.shape);
  std::vector<T> sums(static_cast<std::size_t>(n));
  for (std::int64_t first = 0; first < x.size(); first += n) {
    std::fill(sums.begin(), sums.end(), T{});
    double most = 0;
    for (std::int64_t j = 0; j < n; ++j) most = std::max(most, size_of(x[first + j]));
    const double down = most > kLarge && std::isfinite(most) ? kSmaller : 1;
    for (std::int64_t j = 0; j < n; ++j) {
      const T v = times(down, x[first + j]);
      if (v == T{}) continue;
      for (std::int64_t i = 0; i < n; ++i) {
        const int outer = M[static_cast<std::size_t>(i / p)][static_cast<std::size_t>(j / p)];
        const int common = std::popcount(static_cast<std::uint64_t>(i % p & j % p));
        T& sum = sums[static_cast<std::size_t>(i)];
        sum = (outer > 0) == (common % 2 == 0) ? sum + v : sum - v;
      }
    }
    for (std::int64_t i = 0; i < n; ++i) y[first + i] = times(s, times(1 / down, sums[static_cast<std::size_t>(i)]));
  }
  return y;
}

std::vector<Wide> hadamard(const Call& c) {
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        if constexpr (std::is_integral_v<T>) throw std::logic_error("hadamard_transform of whole numbers");
        else return {transform(c, x)};
      },
      widen_as(c[0], type_of(c)));
}

// ---- the bound

// Each of the n terms passes h sums (Order::levels) on its way, s G what their magnitudes add up to. Whole numbers
// whose magnitudes add up to no more than 2^p are added exactly. A factor that is no power of two is rounded once more.
//
//   |d| <= gamma_(h+1) s G, or gamma_1 |c| where sums are exact, and eta / 2
Allowed allowed(double c, long double G, bool exact, const Call& call, const Order& order, Dtype out) {
  const DtypeInfo &acc = info(order.accumulator), &to = info(is_complex(out) ? Dtype::f32 : out);
  const double u = order.accumulator_roundoff(), s = std::abs(scale_of(call));
  int exponent = 0;
  const double factor = std::frexp(s, &exponent) == 0.5 || s == 0 ? 0 : 1;
  const double own = out == Dtype::f64 ? kDouble2Roundoff : 0x1p-53, n = static_cast<double>(length(call));
  Allowed a;
  a.overflow = 2 * G * std::max(1.0, s) > acc.max;
  a.error =
      exact ? gamma(factor, u) * c : static_cast<double>((gamma(order.levels + factor, u) + gamma(n, own)) * s * G);
  if (factor != 0 || s * G < acc.min_normal * 2) a.error += acc.min_subnormal / 2;
  if (to.precision < acc.precision) a.error += to.unit_roundoff() * (c + a.error) + to.min_subnormal / 2;
  return a;
}

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const Dtype out = type_of(c);
  const std::int64_t n = length(c);
  const double most = std::ldexp(1.0, info(order.accumulator).precision);
  Allowances all(c.shape(0));
  std::visit(
      [&]<class T>(const Array<T>& y) {
        if constexpr (!std::is_integral_v<T>) {
          const Wide wide = widen_as(c[0], out);
          const auto& x = std::get<Array<T>>(wide);
          for (std::int64_t first = 0; first < x.size(); first += n) {
            long double G = 0;
            bool whole = true;
            for (std::int64_t j = 0; j < n; ++j) {
              const double v = size_of(x[first + j]);
              if constexpr (std::is_same_v<T, Complex>)
                whole &= std::trunc(x[first + j].real()) == x[first + j].real() &&
                         std::trunc(x[first + j].imag()) == x[first + j].imag();
              else whole &= std::trunc(v) == v;
              if (std::isfinite(v)) G += v;
            }
            for (std::int64_t i = first; i < first + n; ++i)
              all[i] = allowed(size_of(y[i]), G, whole && G <= most, c, order, out);
          }
        }
      },
      want[0]);
  return {all};
}

Cost work(const Call& c) {
  const double n = static_cast<double>(c[0].size());
  return {n * std::max(1.0, std::log2(static_cast<double>(length(c)))), input_bytes(c) + output_bytes(c)};
}

// A few lines of many.
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  const auto n = static_cast<double>(length(c));
  if (c[0].rank() != 2 || static_cast<double>(c[0].dim(0)) * n * n < 3e8) return std::nullopt;
  return Spot{make_call(*c.op, {spaced(c[0], 0, 4, key)}, c.attrs),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], 0, 4, key)}; }};
}

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/scale={c}
  from   t=f32 l=row x=uniform c=
  # each matrix alone, doubled and with powers of two around the lanes of vectors
  smoke  s=3x{1,2,4,8,16,32,64,12,20,28,24,40,56}
  smoke  s=28x28 x=int-1 c=1.0
  smoke  s=2x{128,80,1536}
  ci     s=[5,33]x{m*p} m={1,12,20,28} p={1,2,4,8,16,32} x=[uniform,int-3]
  ci     s={1,7,8,9,17,33}x{1,4,12,40} x=uniform
  ci     s=2x{512,1536} x={uniform,wide}
  # every dtype in every layout
  smoke  t={@all} s=3x24 x=int-3
  ci     t={@all} s=5x{16,56} x={bits,special}
  smoke  l={@layouts} s=4x6x16
  ci     t={f32,c64,f64,i16,f16} l=[row,transposed,stepped,reversed,broadcast,padded,offset] s=[4x6x40,5x3x8]
  ci     t={f16,bf16,f32,f64,c64} s=35x32 x={tiny,huge,subnormal,whole,lanes-35} c={none,1.0}
  smoke  s={s,0x8,3x0x12,1x1x20,1}
  smoke  s=5x16 c={1.0,0.5,-3.0,0.0,1e-30}
  ci     t={f16,f64,c64} s=5x20 c={1.0,-0.3,1e30}
  # lines beyond what is held at once, of which impulses are judged
  ci     s=2x{4096,8192,12288,65536} x=impulse
  ci     t={f64,c64,f16} s=2x8192 x=impulse c=1.0
  ci     s=1x{131072,163840} x=impulse
  nightly s=2x{1024,3072,4096,12288,10240,14336,16384} x={uniform,int-3}
  nightly s=1x{16777216,29360128} x=impulse
)";

constexpr const char* kRejects = R"(
  call   f32.{s}.row.uniform/scale={c}
  from   s=2x8 c=1.0
  shape  s=2x6           # 3 2
  shape  s=2x36          # 9 2^2
  shape  s=2x240         # 15 2^4: two odd factors
  shape  s=2x0           # nothing
  shape  s=0             # nothing at all
  attribute c=large      # no number
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/-
  smoke  t=f32 s=256x1024
  ci     t=f32 s={65536x128,4096x4096,4096x5120}
  ci     t=f16 s=4096x4096
)";

}  // namespace

std::vector<Op> hadamard_ops() {
  Op op;
  op.name = "hadamard_transform";
  op.signature = "x T[*A] -> out F[*A]";
  op.types = "T: all; F = float(T)";
  op.attrs = {{"scale", kNone}};
  op.equation = "y_i = s sum_j H_ij x_j along the last axis, H = H_m x H_2 x .. x H_2 for n = m 2^k, H_2 = [1 1, 1 -1]";
  op.meaning =
      "m is 1, 12, 20 or 28; H_12 is Paley's second, H_20 and H_28 are Williamson's of +----, +----, ++--+, +-++- and "
      "+------, ++----+, +-+--+-, +--++--; s is 1/sqrt n unless given, in f32 but for f64; halves compute in f32 and "
      "round once; complex numbers stay so (upstream gives real parts); a scalar is a line of one";
  op.infer = infer;
  op.oracle = hadamard;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = work;
  op.spot = spot;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
