// Sums of diagonals.
#include <algorithm>

#include "core/signature.h"
#include "reference/array/shape/movement.h"

namespace plumb {
namespace {

using namespace reference;

struct Planes {
  std::size_t rows, columns;  // axes
  std::int64_t offset;
};

Planes planes(const Request& r) {
  return {static_cast<std::size_t>(r.axis("axis1")), static_cast<std::size_t>(r.axis("axis2")), r.integer("offset")};
}

// What elements are cast to before they are added.
Dtype summed_as(const Request& r) { return r.dtype_attr("dtype").value_or(r.dtype(0)); }

std::int64_t length(const Request& r) {
  const Planes p = planes(r);
  return diagonal_length(r.shape(0)[p.rows], r.shape(0)[p.columns], p.offset);
}

std::vector<Spec> infer(const Request& r) {
  if (r.rank(0) < 2) r.fail(Reason::rank, to_string(r.shape(0)) + " has no two axes");
  const Planes p = planes(r);
  if (p.rows == p.columns) r.fail(Reason::axis, std::to_string(p.rows) + " is named twice");
  Shape out = r.shape(0);
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(std::max(p.rows, p.columns)));
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(std::min(p.rows, p.columns)));
  return {{accumulator(summed_as(r)), out}};
}

std::int64_t plus(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class T>
T plus(T a, T b) {
  return a + b;
}

// t[i..] = sum of a[i.., k + max(0, -offset), k + max(0, offset)] over k, on axis1 and axis2
template <class T>
Array<T> sums(const Call& c, const Array<T>& a) {
  const Planes p = planes(c);
  Array<T> t(output_specs(c)[0].shape);
  for (std::int64_t i = 0; i < t.size(); ++i) {
    Index at = index_at(i, t.shape);
    at.insert(at.begin() + static_cast<std::ptrdiff_t>(std::min(p.rows, p.columns)), 0);
    at.insert(at.begin() + static_cast<std::ptrdiff_t>(std::max(p.rows, p.columns)), 0);
    for (std::int64_t k = 0; k < length(c); ++k) {
      at[p.rows] = k + std::max<std::int64_t>(0, -p.offset);
      at[p.columns] = k + std::max<std::int64_t>(0, p.offset);
      t[i] = plus(t[i], a[position(at, a.shape)]);
    }
  }
  return t;
}

std::vector<Wide> trace(const Call& c) {
  return std::visit([&](const auto& a) -> std::vector<Wide> { return {sums(c, a)}; }, widen_as(c[0], summed_as(c)));
}

double size_of(double x) { return std::isfinite(x) ? std::abs(x) : 0; }
double size_of(Double2 x) { return size_of(x.hi); }
double size_of(Complex z) { return std::hypot(size_of(z.real()), size_of(z.imag())); }

// Of elements once they are cast.
std::vector<Wide> size_of_terms(const Call& c) {
  return std::visit(
      [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
        if constexpr (std::is_integral_v<T>) return {Reals(output_specs(c)[0].shape)};
        else {
          Reals size(a.shape);
          std::transform(a.data.begin(), a.data.end(), size.data.begin(), [](T v) { return size_of(v); });
          return {sums(c, size)};
        }
      },
      widen_as(c[0], summed_as(c)));
}

Cost trace_cost(const Call& c) {
  const double n = static_cast<double>(count(output_specs(c)[0].shape)) * static_cast<double>(length(c));
  return {n, n * info(c.dtype(0)).bytes + output_bytes(c)};
}

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/offset={k},axis1={i},axis2={j},dtype={to}
  from   t=f32 l=row x=int-3 s=4x6x5 k=0 i=0 j=1 to=
  smoke  t={@all} s=4x6 x=int-3
  smoke  t={@all} s=5x3x4 x=bits i=2 j=0
  smoke  x=uniform k={1,-1,3,5,6,-3,-4,99,-99}
  smoke  i,j={0 2, 2 0, -1 1, 1 2} k={0,2,-2} x=uniform
  smoke  t={@floats,f64,c64} s=7x5 x=uniform k={0,1}
  smoke  s={4x4,1x1,0x3,3x0,2x3x0}
  smoke  t={f16,bf16,f32,u8} to={i8,u64,f16,f32,f64,bool,c64} x=int-100
  ci     t={@all} l=[row,transposed,stepped,reversed,broadcast,padded,offset] s=5x4x7
         i,j,x={0 1 int-3, 1 2 uniform, 2 0 int-100}
  smoke  l={@layouts} s=5x4x7 i=1 j=2 x=uniform
  ci     t={@all} to=[f16,i8,u64,f32,bool,c64,bf16,i32,f64,u8,i64] s=7x5 x=[bits,special,whole]
  ci     s=2x4x3x1x2x1x3x5 i,j,k={1 7 1, 7 1 1, 2 6 -1} l={@layouts}
  ci     s=2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2x2 i,j={0 1, 3 12} l={row,transposed}   # none can be merged
  # lines around lanes, blocks and parts of a sum
  ci     s={n}x{n+2} n={15,16,17,63,65,127,129,255,257,513,1025} t=[f32,f64,bf16] x=[uniform,int-3]
  ci     s=67x65x67 i=0 j=2 t={u8,f16,f32,f64} x=uniform
  ci     t={f32,f16,c64} s=69x68x5 x={special,huge,tiny,wide}
  ci     t={i8,u8,bool,i32} s=300x300 x=whole           # beyond the range of the elements
  nightly s=4099x4099 x={uniform,wide}
)";

constexpr const char* kRejects = R"(
  call   f32.{s}.row.ramp/offset={k},axis1={i},axis2={j},dtype={to}
  from   s=2x3x4 k=0 i=0 j=1 to=
  axis   i=3             # beyond the rank
  axis   j=-4            # before the first
  axis   j=0             # one axis twice
  axis   i=-2            # one axis twice, once from the end
  rank   s=5             # no second axis
  attribute to=half      # no dtype
)";

}  // namespace

std::vector<Op> trace_ops() {
  Op op;
  op.name = "trace";
  op.signature = "a T[*A] -> out S[*R]";
  op.types = "T, S: all";
  op.attrs = {{"offset", 0}, {"axis1", 0}, {"axis2", 1}, {"dtype", kNone}};
  op.equation = "t[i..] = sum of a[i.., r, r + offset] over r, on axis1 and axis2";
  op.meaning =
      "elements become numbers of dtype first, as astype has it, and are added as sum has it: halves in f32, rounded "
      "once, bool and integers up to 32 bits as i32 or u32, wrapping";
  op.infer = infer;
  op.oracle = trace;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = "ci f32.4096x4096.row.uniform/-\n ci f32.64x64x4096.row.uniform/-";
  op.cost = trace_cost;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = [](const Call& c) { return length(c); };
  op.tolerance.magnitude = size_of_terms;
  return {op};
}

}  // namespace plumb
