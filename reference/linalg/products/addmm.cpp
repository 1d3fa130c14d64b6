// A scaled product and a scaled addend.
#include <cmath>

#include "reference/linalg/products/allowed.h"
#include "reference/linalg/products/labelled.h"
#include "reference/linalg/products/matrices.h"

namespace plumb {
namespace {

using namespace reference;

enum : std::size_t { kC, kA, kB };

float factor(const Request& r, std::string_view name) { return static_cast<float>(r.number(name)); }

std::vector<Spec> infer(const Request& r) {
  const std::vector<Spec> out = r.outputs();
  if (broadcast(r.op->name, r.shape(kC), out[0].shape) != out[0].shape)
    r.fail(Reason::shape, "c " + to_string(r.shape(kC)) + " does not broadcast to " + to_string(out[0].shape));
  return out;
}

template <class T>
T scaled(double alpha, T x) {
  return T(alpha) * x;
}
Double2 scaled(double alpha, Double2 x) { return std::isfinite(x.hi) ? Double2(alpha) * x : Double2(alpha * x.hi); }
Complex scaled(double alpha, Complex z) { return {alpha * z.real(), alpha * z.imag()}; }

template <class T>
Wide added(double alpha, const Array<T>& product, double beta, const Array<T>& c) {
  Array<T> out(product.shape);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    out[i] = scaled(alpha, product[i]);
    if (beta != 0) out[i] = out[i] + scaled(beta, c[broadcast_index(i, out.shape, c.shape)]);
  }
  return out;
}

// out_ij = alpha sum_p a_ip b_pj + beta c_ij; c is not read where beta is 0
Wide addmm_of(const Call& call, double alpha, double beta) {
  const Spec out = output_specs(call)[0];
  const Wide product = matrix_product(widen_as(call[kA], out.dtype), widen_as(call[kB], out.dtype), out.shape);
  const Wide c = widen_as(call[kC], out.dtype);
  return std::visit([&]<class T>(const Array<T>& p) -> Wide { return added(alpha, p, beta, std::get<Array<T>>(c)); },
                    product);
}

std::vector<Wide> addmm(const Call& c) { return {addmm_of(c, factor(c, "alpha"), factor(c, "beta"))}; }

std::vector<Allowances> bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const double alpha = std::abs(static_cast<double>(factor(c, "alpha")));
  const double beta = std::abs(static_cast<double>(factor(c, "beta")));
  const Call sizes = absolute(c);
  const Wide G = addmm_of(sizes, alpha, beta), before = addmm_of(sizes, 1, 0);
  const Dtype out = output_specs(c)[0].dtype;
  return {allowed({.want = &want[0],
                   .magnitude = &G,
                   .passing = &before,
                   .terms = real_terms(c.shape(kA).back(), out) + 1,
                   .order = order,
                   .out = out,
                   .exact = alpha == std::trunc(alpha) && beta == std::trunc(beta) && whole(c)})};
}

Cost addmm_cost(const Call& c) {
  const Spec out = output_specs(c)[0];
  const double per_term = out.dtype == Dtype::c64 ? 8 : 2;
  return {per_term * static_cast<double>(count(out.shape)) * static_cast<double>(c.shape(kA).back()),
          input_bytes(c) + output_bytes(c)};
}

constexpr const char* kCases = R"(
  call   {v}.{c}.{m}.{z}+{t}.{a}.{l}.{x}+{u}.{b}.{k}.{x}/alpha={alpha},beta={beta}
  from   t=f32 u={t} v={t} c=3x4 a=3x5 b=5x4 l=row k=row m=row x=uniform z={x} alpha=1 beta=1
         floats={f16,bf16,f32,f64,c64}
  smoke  t={floats} x={int-3,uniform,special} alpha=2 beta=-1
  smoke  alpha={0.5,-3,0,0.1} beta={0,0.25,-1,0.3}
  smoke  x=int-3 alpha=3 beta=-2 t={f32,f16}
  smoke  c={s,1,4,3x1,1x4,1x1}
  smoke  c,a,b={3 3x5 5, 4 5 5x4, s 5 5, 2x3x4 2x3x5 5x4, 3x4 2x3x5 5x4, 2x1x4 3x5 2x5x4, 2 3x2x5 5, 2x1x4 3x5 2x5x4}
  # MM08, B03: nothing to add up leaves beta c; MM10: c is not read where beta is 0, whatever is in it
  smoke  c,a,b={3x4 3x0 0x4, 4 3x0 0x4, 0x4 0x5 5x4, 3x0 3x5 5x0} beta={0,0.5,1,2} alpha={1,2}
  smoke  t={floats} z=const-nan beta=0
  smoke  t={f32,f16} z=const-inf beta=0 alpha={0,0.5}
  smoke  t,u,v={i32 i32 f32, f16 f16 f32, f32 f16 f16, bool f32 i8, i8 u8 bf16, f16 bf16 f16, f32 f32 c64, f64 f32 f32}
  smoke  l={@layouts} k={row,transposed} m={row,broadcast,reversed}
  # a sum that overflows f16 and is scaled before it is rounded: 2 100 512 0.125
  smoke  t={f16,bf16} a=2x512 b=512x3 c=2x3 x=const-10 z=uniform alpha=0.125
  # around the tiles of the routes, MM03, B01
  ci     t={floats} c,a,b={33x47 33x17 17x47, 47 129x33 33x47, 65x1 65x31 31x33, 1x129 1x97 97x129} x=[int-3,uniform]
         alpha=2 beta=-1
  ci     t={f32,f16,c64} l={@layouts} k=[row,stepped] m=[transposed,stepped,offset,padded] a=7x5 b=5x9 c=7x9
  ci     t={floats} x={wide,tiny,subnormal,cancel} c=6x7 a=6x13 b=13x7 alpha,beta={1 1, 2 -2}
  ci     t={f16,bf16,f32,c64} x=huge c=6x7 a=6x13 b=13x7 beta=-2   # f64 has no wider range to judge it in
  ci     t={f16,bf16} c=2 a=2x8192 b=8192 x=const-1         # MM06, B21: 8192 ones
  ci     t={f32,f16,c64} c=2x1x35 a=3x2x33x20 b=2x20x35 alpha=0.3 beta=0.7
  ci     t={f32,f16} c=1x2x1x3x2x1x1x5 a=1x2x1x3x2x1x4x3 b=3x5 m={@layouts}
  ci     a=1x2x1x1x1x1x1x3x5 b=5x4               # more axes than a kernel walks
  ci     t=f32 a=517x31 b=31x70 c=70
)";

constexpr const char* kRejects = R"(
  call   {v}.{c}.row.int-3+{t}.{a}.row.int-3+{t}.{b}.row.int-3/alpha={alpha}
  from   t=f32 v={t} c=3x4 a=3x5 b=5x4 alpha=1
  shape  c={2x3x4,3x3,2,5x1}   # c may not enlarge the result
  shape  c=1 a=5 b=5           # nor by an axis
  attribute alpha=big          # not a number
)";

}  // namespace

std::vector<Op> addmm_ops() {
  Op op;
  op.name = "addmm";
  op.signature = "c V[*C], a T[...,M?,K], b U[...,K,N?] -> out P[...,M?,N?]";
  op.types = "V, T, U: all; P = promote(V, T, U): floats c64";
  op.attrs = {{"alpha", 1.0}, {"beta", 1.0}};
  op.equation = "out_ij = alpha sum_p a_ip b_pj + beta c_ij";
  op.meaning =
      "alpha and beta are rounded to f32, for f64 operands too; all operands are promoted first; the sum is scaled "
      "before "
      "it is rounded to 16 bits; c broadcasts to the result, complex or not (upstream lets a complex c enlarge it, and "
      "refuses c of one axis beside a vector b); c is not read where beta is 0, without terms either (upstream then "
      "gives 0 c); alpha 0 keeps NaN and infinities of the product, as in IEEE 754 (upstream by its BLAS)";
  op.infer = infer;
  op.oracle = addmm;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench =
      "call {t}.{n}x{n}.row.uniform+{t}.{n}x{n}.row.uniform+{t}.{n}x{n}.row.uniform/alpha=0.5,beta=2\n"
      "  ci t={f32,f16} n=1024";
  op.cost = addmm_cost;
  op.tolerance.kind = Tolerance::Class::inherited;
  op.tolerance.bound = bound;
  return {op};
}

}  // namespace plumb
