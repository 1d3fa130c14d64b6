// Cross products along an axis.
#include <algorithm>

#include "core/op.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

// The axis as counted from the end, which broadcasting keeps. Operands of different ranks must agree on it.
std::int64_t from_the_end(const Request& r) {
  const std::int64_t a = r.axis("axis", 0) - r.rank(0), b = r.axis("axis", 1) - r.rank(1);
  if (a != b)
    r.fail(Reason::axis, "axis " + std::to_string(r.integer("axis")) + " of " + to_string(r.shape(0)) + " and of " +
                             to_string(r.shape(1)) + " are different ones when they broadcast");
  return a;
}

// The shapes with size 1 along the axis, which all else broadcasts by.
Shape without(Shape s, std::int64_t axis) {
  s[static_cast<std::size_t>(static_cast<std::int64_t>(s.size()) + axis)] = 1;
  return s;
}

std::vector<Spec> infer(const Request& r) {
  const std::int64_t axis = from_the_end(r);
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const std::int64_t n = r.shape(i)[static_cast<std::size_t>(r.rank(i) + axis)];
    if (n != 2 && n != 3)
      r.fail(Reason::shape, to_string(r.shape(i)) + " has size " + std::to_string(n) + " along the axis: not 2 or 3");
  }
  Shape s = broadcast("cross", without(r.shape(0), axis), without(r.shape(1), axis));
  s[static_cast<std::size_t>(static_cast<std::int64_t>(s.size()) + axis)] = 3;
  return {{promote(r.dtype(0), r.dtype(1)), s}};
}

// Not operator*: C++ recovers infinities from complex NaN, the sum of products does not.
template <class T>
T times(T a, T b) {
  return a * b;
}
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}
template <class T>
T minus(T a, T b) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return static_cast<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  else return a - b;
}
std::int64_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

// c_i = a_j b_k - a_k b_j for (i, j, k) = (0, 1, 2), (1, 2, 0), (2, 0, 1); products with a component that there is not
// are left out.
template <class T>
Array<T> cross_of(const Array<T>& a, const Array<T>& b, const Shape& out, std::int64_t axis) {
  Array<T> c(out);
  const Lines to(out, static_cast<std::int64_t>(out.size()) + axis);
  const Lines of_a(a.shape, static_cast<std::int64_t>(a.shape.size()) + axis);
  const Lines of_b(b.shape, static_cast<std::int64_t>(b.shape.size()) + axis);
  const Shape all = without(out, axis), left = without(a.shape, axis), right = without(b.shape, axis);
  for (std::int64_t l = 0; l < to.count; ++l) {
    const auto x = of_a.line(a, broadcast_index(l, all, left)), y = of_b.line(b, broadcast_index(l, all, right));
    const auto z = to.line(c, l);
    const auto product = [&](std::int64_t j, std::int64_t k) {
      return j < of_a.size && k < of_b.size ? times(x(j), y(k)) : T(0);
    };
    for (std::int64_t i = 0; i < 3; ++i) {
      const std::int64_t j = (i + 1) % 3, k = (i + 2) % 3;
      z(i) = minus(product(j, k), product(k, j));
    }
  }
  return c;
}

std::vector<Wide> cross(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Wide a = widen_as(c[0], out.dtype), b = widen_as(c[1], out.dtype);
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        return {cross_of(x, std::get<Array<T>>(b), out.shape, from_the_end(c))};
      },
      a);
}

std::int64_t terms(const Call& c) { return output_specs(c)[0].dtype == Dtype::c64 ? 4 : 2; }

// |c_i| <= |a_j| |b_k| + |a_k| |b_j|: a cross product of moduli would subtract.
template <class T>
Array<double> sums_of_moduli(const Array<T>& a, const Array<T>& b, const Shape& out, std::int64_t axis) {
  const auto size = [](T v) {  // of the parts that are finite
    const auto part = [](double x) { return std::isfinite(x) ? std::abs(x) : 0; };
    if constexpr (std::is_same_v<T, Complex>) return std::hypot(part(v.real()), part(v.imag()));
    else return part(static_cast<double>(v));
  };
  Array<double> g(out), x(a.shape), y(b.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) x[i] = size(a[i]);
  for (std::int64_t i = 0; i < b.size(); ++i) y[i] = size(b[i]);
  const Lines to(out, static_cast<std::int64_t>(out.size()) + axis);
  const Lines of_x(x.shape, static_cast<std::int64_t>(x.shape.size()) + axis);
  const Lines of_y(y.shape, static_cast<std::int64_t>(y.shape.size()) + axis);
  for (std::int64_t l = 0; l < to.count; ++l) {
    const auto p = of_x.line(x, broadcast_index(l, without(out, axis), without(x.shape, axis)));
    const auto q = of_y.line(y, broadcast_index(l, without(out, axis), without(y.shape, axis)));
    const auto product = [&](std::int64_t j, std::int64_t k) {
      return j < of_x.size && k < of_y.size ? p(j) * q(k) : 0;
    };
    for (std::int64_t i = 0; i < 3; ++i)
      to.line(g, l)(i) = product((i + 1) % 3, (i + 2) % 3) + product((i + 2) % 3, (i + 1) % 3);
  }
  return g;
}

std::vector<Wide> magnitude_of(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Wide a = widen_as(c[0], out.dtype), b = widen_as(c[1], out.dtype);
  return std::visit(
      [&]<class T>(const Array<T>& x) -> std::vector<Wide> {
        const Array<double> g = sums_of_moduli(x, std::get<Array<T>>(b), out.shape, from_the_end(c));
        Array<std::conditional_t<std::is_same_v<T, double>, double, T>> typed(out.shape);
        for (std::int64_t i = 0; i < g.size(); ++i) typed[i] = T(g[i]);
        return {typed};
      },
      a);
}

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}/axis={axis}
  from   t=f32 u={t} l=row m={l} x=uniform y={x} axis= s=4x3 r={s}
  # every dtype, two components or three on either side
  smoke  t={@all,!bool} s=4x{2,3} r=4x{2,3} x=[int-3,uniform]
  smoke  s,r,axis={3 3 0, 2 2 0, 3 2 -1, 3x5 3x5 0, 5x3x2 5x2x2 1, 7x3 3 -1, 2 6x1x3 -1}
  smoke  s,r={2x1x3 1x3x3, 4x1x2 1x5x3, 3x1x1x3 2x1x3}                 # other axes broadcast
  smoke  s,r={0x3 0x3, 0x3 1x2, 3x0x3 0x3}
  smoke  t={f32,f64,c64,f16} s=40x3 r=40x{2,3} x=[special,lanes-7,huge,tiny]
  # products that cancel
  ci     t={f32,f64,bf16,c64} s=300x3 x=[cancel,near,wide,huge,tiny]
  ci     t={i8,u8,i64,u64,i32} s=300x3 x=whole
  ci     t={f32,c64,i16} s=5x3x7 axis=1 l={@layouts} m=[row,transposed,{l}] x=[uniform,int-9]
  ci     t={@all,!bool} u=[i32,f16,u8,c64,i64,f32,bf16,u64,f64,i16] s=9x3 x=[uniform,int-9]
  ci     t={f32,f64,i32,c64} n={1,2,3,7,8,9,15,16,17,31,33,65} s=[3x{n},{n}x3] axis=[0,1]
  ci     s=2x2x2x2x2x2x2x2x2x3x2x2x2x2x2x2x2x2 r=2x1x2x1x2x1x2x1x2x3x2x1x2x1x2x1x2x1 axis=9   # too many to merge
  ci     s={40001x3,3x20001} r=[40001x3,3x1] axis=[1,0]
)";

constexpr const char* kRejects = R"(
  call   {a}+{b}/axis={axis}
  from   a=f32.4x3.row.uniform b=f32.4x3.row.uniform axis=
  axis   axis={2,-3}                           # axis out of range
  axis   b=f32.3.row.uniform axis=1            # of one of them
  axis   a=f32.3x3.row.uniform b=f32.3.row.uniform axis=0   # another axis once they broadcast
  axis   a=f32.s.row.uniform                   # a scalar has none
  shape  axis=0                                # size 4 along the axis
  shape  a=f32.4x1.row.uniform                 # size 1 along the axis: it does not broadcast
  shape  b=f32.5x3.row.uniform                 # 4 and 5 do not broadcast
  shape  b=f32.4x0.row.uniform                 # nothing along the axis
  attribute axis=last                          # not a number
)";

constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform+{t}.{s}.row.uniform/axis={axis}
  ci     t=f32 s,axis={4194304x3 1, 3x4194304 0}
)";

Cost flops(const Call& c) {
  const double n = static_cast<double>(count(output_specs(c)[0].shape));
  return {3 * n, input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> cross_ops() {
  Op op;
  op.name = "cross";
  op.signature = "a T[*A], b U[*B] -> cross P[*S]";
  op.types = "T, U: integers floats c64; P = promote(T, U)";
  op.attrs = {{"axis", -1}};
  op.equation =
      "c_i = a_j b_k - a_k b_j along the axis, (i, j, k) = (0, 1, 2), (1, 2, 0), (2, 0, 1); components 2 that are "
      "missing are 0";
  op.meaning =
      "size 2 or 3 along the axis, three in the result; a missing component makes no product, so that no infinity "
      "meets its 0; whole numbers wrap, complex ones are not conjugated; bool is refused, and so is an axis that two "
      "ranks understand differently (upstream gives what comes of it)";
  op.infer = infer;
  op.oracle = cross;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.cost = flops;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = terms;
  op.tolerance.magnitude = magnitude_of;
  op.tolerance.signed_values = true;
  return {op};
}

}  // namespace plumb
