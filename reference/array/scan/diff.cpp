// Differences of neighbours along an axis.
#include <algorithm>
#include <cmath>

#include "core/op.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

std::vector<Spec> infer(const Request& r) {
  const auto axis = static_cast<std::size_t>(r.axis());
  const std::int64_t n = r.integer("n");
  if (n < 0) r.fail(Reason::attribute, "n is negative: " + std::to_string(n));
  Shape shape = r.shape(0);
  shape[axis] = std::max<std::int64_t>(0, shape[axis] - n);
  return {{r.dtype(0), shape}};
}

std::int64_t minus(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
template <class T>
T minus(T a, T b) {
  return a - b;
}
Double2 minus(Double2 a, Double2 b) {  // of two doubles one operation, with the sign that IEEE 754 gives to zero
  return a.lo == 0 && b.lo == 0 && a.hi - b.hi == 0 ? Double2(a.hi - b.hi) : a - b;
}
template <class T>
T plus(T a, T b) {
  return a + b;
}

// One step along the axis: y_i = f(x_(i+1), x_i)
template <class T, class F>
Array<T> neighbours(const Array<T>& x, std::int64_t axis, F f) {
  Shape shape = x.shape;
  std::int64_t& size = shape[static_cast<std::size_t>(axis)];
  size = std::max<std::int64_t>(0, size - 1);
  Array<T> y(shape);
  const Lines from(x.shape, axis), to(shape, axis);
  for (std::int64_t l = 0; l < to.count && to.size > 0; ++l)
    for (std::int64_t i = 0; i < to.size; ++i) to.line(y, l)(i) = f(from.line(x, l)(i + 1), from.line(x, l)(i));
  return y;
}

// d^0_i = x_i, d^m_i = d^(m-1)_(i+1) - d^(m-1)_i; the result is d^n, of bool modulo 2
std::vector<Wide> diff(const Call& c) {
  return std::visit(
      [&]<class T>(Array<T> d) -> std::vector<Wide> {
        for (std::int64_t m = 1; m <= c.integer("n"); ++m)
          d = neighbours(d, c.axis(), [](T a, T b) { return minus(a, b); });
        if constexpr (std::is_same_v<T, std::uint64_t>)
          if (c.dtype(0) == Dtype::boolean)
            for (T& v : d.data) v &= 1;
        return {d};
      },
      widen(c[0]));
}

double size_of(double x) { return std::isfinite(x) ? std::abs(x) : 0; }
double size_of(Double2 x) { return size_of(x.hi); }
double size_of(Complex z) { return std::hypot(size_of(z.real()), size_of(z.imag())); }

// sum_k C(n,k) |x_(i+k)|
std::vector<Wide> magnitudes(const Call& c) {
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        if constexpr (std::is_integral_v<T>) {
          return {Reals(output_specs(c)[0].shape)};
        } else {
          Reals g(x.shape);
          std::transform(x.data.begin(), x.data.end(), g.data.begin(), [](T v) { return size_of(v); });
          for (std::int64_t m = 1; m <= c.integer("n"); ++m)
            g = neighbours(g, c.axis(), [](double a, double b) { return plus(a, b); });
          return {g};
        }
      },
      widen(c[0]));
}

Tolerance::Class class_of(const Call& c) {
  return c.integer("n") > 1 ? Tolerance::Class::accumulate : Tolerance::Class::rounded;
}

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/n={n},axis={axis}
  from   t=f32 l=row x=uniform n=1 axis=-1
  smoke  t={@all} s=3x7 x={int-3,uniform} n={1,2} axis={0,1}
  smoke  t={@all} s=5x35 x=bits
  smoke  s=4 n={0,3,4,6}                              # the elements, one difference, none
  ci     t={@all} l={@layouts} s=4x5x37 axis={0,1,2} n={1,3}
  ci     t={@all} s={0,0x3,3x0,1x4,4x1,2x0x3} axis={0,-1} x=int-3
  ci     t={@all} s=3x70 n=0 x=order l={row,stepped}
  ci     s=2x1x3x2x2x2x1x5 axis={0..7} n={1,2}
  ci     s=2x3x2x3x2x3x2x3x2 l={transposed,padded} axis={0,4}   # more axes than a kernel takes
  ci     s={1023,1024,1025,1026,2049} n={1,2}
  ci     s=40x70 axis={0,1} n={1,2,5,16} x={wide,cancel,special,lanes-5,tiny,subnormal,whole} t={f32,f16,bf16,f64,c64}
  ci     t={u8,i8,i64,u64} s=300 n={1,4,9} x=whole     # wraps
  ci     s=70001 n={1,2}
  nightly s={1048577,3x524289} n={1,2} t={f32,bf16,i32}
)";

constexpr const char* kRejects = R"(
  call   {a}/n={n},axis={axis}
  from   a=f32.2x3.row.uniform n=1 axis=-1
  axis   axis=2           # axis 2 of rank 2
  axis   axis=-3          # axis -3 of rank 2
  axis   a=f32.s.row.uniform  # a scalar has no axis
  attribute n=-1          # less than none
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/n={n},axis={axis}
  from   t=f32 n=1
  ci     s=16777216 axis=0 n={1,2}
  ci     s=4096x4096 axis={0,1}
)";

}  // namespace

std::vector<Op> diff_ops() {
  Op op;
  op.name = "diff";
  op.signature = "a T[*A] -> out T[*B]";
  op.types = "T: all";
  op.attrs = {{"n", 1}, {"axis", -1}};
  op.equation = "d^0_i = a_i, d^m_i = d^(m-1)_(i+1) - d^(m-1)_i along the axis; out = d^n";
  op.meaning =
      "as many elements fewer as n says, none if there are no more; integers wrap, bool is exclusive or; halves are "
      "subtracted in f32 and rounded once, where upstream rounds every difference";
  op.infer = infer;
  op.oracle = diff;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.when = class_of;
  op.tolerance.terms = [](const Call& c) { return c.integer("n"); };
  op.tolerance.magnitude = magnitudes;
  return {op};
}

}  // namespace plumb
