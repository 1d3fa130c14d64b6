// Medians along axes.
#include <algorithm>
#include <cmath>

#include "reference/array/order.h"
#include "reference/array/reduce/cut.h"

namespace plumb {
namespace {

using namespace reference;

// (a + b) / 2, which does not pass the largest number; -0 counts as +0. Of whole numbers it is exact.
double middle(double a, double b) { return std::abs(a) > 1 ? a / 2 + b / 2 : ((a + 0.0) + (b + 0.0)) / 2; }
Double2 middle(Double2 a, Double2 b) {
  if (isinf(a) || isinf(b)) return a.hi + b.hi;
  if (std::abs(a.hi) > 1) return a * Double2(0.5) + b * Double2(0.5);
  const Double2 sum = Double2(a.hi + 0.0) + Double2(b.hi + 0.0);
  return {sum.hi / 2, sum.lo / 2};
}
Complex middle(Complex a, Complex b) { return {middle(a.real(), b.real()), middle(a.imag(), b.imag())}; }
template <class T>
Double2 whole(T v) {  // 64 bits in two numbers of 53
  return Double2(static_cast<double>(v >> 32) * 0x1p32) + Double2(static_cast<double>(v & 0xFFFFFFFF));
}
Double2 middle(std::uint64_t a, std::uint64_t b) { return (whole(a) + whole(b)) * Double2(0.5); }
Double2 middle(std::int64_t a, std::int64_t b) { return (whole(a) + whole(b)) * Double2(0.5); }

// m_l = (x_j + x_k) / 2, x the sorted elements of line l from 0 on, j = (n - 1) / 2 and k = n / 2 rounded down
std::vector<Wide> median(const Call& c) {
  const Shape out = c.outputs()[0].shape;
  return std::visit(
      [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
        using M = decltype(middle(T(), T()));
        Array<M> m(out);
        for_lines(a, cut(c), [&](std::int64_t l, std::vector<T>& x) {
          const auto nan = std::find_if(x.begin(), x.end(), [](const T& v) { return unordered(v); });
          if (nan != x.end()) {
            m[l] = M(std::nan(""));
            if constexpr (std::is_same_v<M, Complex>) m[l] = {std::nan(""), std::nan("")};
            return;
          }
          std::sort(x.begin(), x.end(), [](const T& v, const T& w) { return below(v, w); });
          m[l] = middle(x[(x.size() - 1) / 2], x[x.size() / 2]);
        });
        return {m};
      },
      widen(c[0]));
}

std::vector<Spec> infer(const Request& r) {
  refuse_empty_lines(r, "median");
  return r.outputs();
}

constexpr const char* kCall = R"(
  call   {t}.{s}.{l}.{x}/axis={axis},keepdims={keep}
  from   types={@all} x1=int-3 x2=uniform x3=order
)";
constexpr const char* kMore = R"(
  smoke  t={@all} s={4x7,4x8,1x2,3x1} x=uniform axis=1            # one in the middle, and two
  smoke  t={@floats,f64,c64} s=5x6 x={special,huge,subnormal,int-1} axis={0,1}
  smoke  s={300,4100} x={uniform,int-2}                            # counted before it is searched
  ci     t={@all} s=3x{255,256,257,300} x={int-2,whole,bits} axis=1
  ci     t={@all} s=2x{2048,5001} x={int-2,uniform} axis=1
  ci     s={66000,70001} t={f32,u8,i64,f64,bf16} x={uniform,const,ramp,ramp-3,wide}
)";
constexpr const char* kRejectEmpty = R"(
  shape  a=f32.0x2.row.uniform axis=0     # the middle of nothing
  shape  a=f32.3x0x2.row.uniform axis=1   # nor of nothing in between
)";
constexpr const char* kBench = R"(
  call   {t}.{s}.row.uniform/axis={axis}
  ci     t=f32 s=16777216 axis=
  ci     t,s,axis={f32 1024x4096 1, f32 4096x1024 0, f16 65536x64 1}
)";

}  // namespace

std::vector<Op> median_ops() {
  Op op;
  op.name = "median";
  op.signature = "a T[...] -> out F[... over axis]";
  op.types = "T: all; F = float(T)";
  op.attrs = {{"axis", kNone}, {"keepdims", false}};
  op.equation =
      "m_l = (x_j + x_k) / 2, x the sorted a_i of line l from 0 on, j = (n - 1) / 2 and k = n / 2 rounded down";
  op.meaning =
      "the mean of the two in the middle is exact and rounded once (upstream converts to float first, and may "
      "overflow); "
      "any NaN makes one, of complex numbers in either part; complex by real, then imaginary part; -0 counts as +0; no "
      "median of an empty line: shape";
  op.infer = infer;
  op.oracle = median;
  op.cases = {kCall, kLineCases, kMore};
  op.rejects = {kAxisRejects, kRejectEmpty};
  op.bench = kBench;
  op.cost = line_cost;
  op.tolerance.kind = Tolerance::Class::rounded;
  return {op};
}

}  // namespace plumb
