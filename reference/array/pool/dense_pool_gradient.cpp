// Gradients of dense max and average pooling.
#include "reference/array/pool/pool_rows.h"

namespace plumb {
namespace {

using namespace reference;

constexpr std::size_t kCotangent = 1;

std::vector<Spec> infer(const Request& r) {
  const DensePool p = dense_pool_of(r);
  if (r.shape(kCotangent) != p.output())
    r.fail(Reason::shape, "cotangent " + to_string(r.shape(kCotangent)) + ": the output is " + to_string(p.output()));
  return r.outputs();
}

// dx[i] = sum of g[o] over the windows o that take element i
template <class T>
Wide of_max(const DensePool& p, const Array<T>& x, const Array<T>& g) {
  Array<T> dx(x.shape);
  const auto from = chosen(p, x);
  for (std::int64_t o = 0; o < g.size(); ++o)
    if (const std::int64_t at = from[static_cast<std::size_t>(o)]; at >= 0) dx[at] += g[o];
  return dx;
}

// dx[i] = (sum of g[o] over the windows o that hold element i) / number of taps
template <class T>
Wide of_avg(const DensePool& p, const Array<T>& x, const Array<T>& g) {
  Array<T> dx(x.shape);
  for_each_member(p, [&](std::int64_t o, std::int64_t i) { dx[i] += g[o]; });
  for (std::int64_t i = 0; i < dx.size(); ++i) dx[i] = quotient(dx[i], p.taps());
  return dx;
}

template <DensePooling kind>
std::vector<Wide> vjp(const Call& c) {
  const DensePool p = dense_pool_of(c);
  const Wide x = widen(c[0]), g = widen(c[kCotangent]);
  const auto answer = [&](const auto& X, const auto& G) {
    return kind == DensePooling::max ? of_max(p, X, G) : of_avg(p, X, G);
  };
  if (c.dtype(0) == Dtype::f64) return {answer(std::get<Reals2>(x), std::get<Reals2>(g))};
  return {answer(reals(x), reals(g))};
}

// Windows that may hold one element.
std::int64_t terms(const Call& c) {
  std::int64_t n = 1;
  for (const SpatialAxis& a : dense_pool_of(c).axis) n *= (a.k + a.stride - 1) / a.stride;
  return n;
}

// The input says which element is taken, and has no magnitude.
template <DensePooling kind>
std::vector<Wide> magnitude(const Call& c) {
  Call sizes = c;
  sizes.in[kCotangent] = absolute(c).in[kCotangent];
  return vjp<kind>(sizes);
}

std::vector<Allowances> avg_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  return mean_bound(want[0], magnitude<DensePooling::avg>(c)[0], terms(c), dense_pool_of(c).taps(), order, c.dtype(0));
}

Cost cost_of(const Call& c) {
  const DensePool p = dense_pool_of(c);
  return {static_cast<double>(p.taps()) * static_cast<double>(count(p.output())), input_bytes(c) + output_bytes(c)};
}

// One kernel extent m for all axes, the last extent b; {r}: the output.
constexpr const char* kCall = R"(
  call   {t}.{n}x{a}x{c}.{l}.{x}+{t}.{n}x{r}x{c}.{l}.{y}/kernel_size={m},stride={s},padding={p}
  from   t=f32 n=2 c=3 l=row x=int-3 y={x} m=2 s={m} p=0 b=8 h=5 e=4 floats={f16,bf16,f32,f64}
)";
constexpr const char* kExtents[] = {"from rank=1 a={b} r={(b+2*p-m)/s+1}\n",
                                    "from rank=2 a={h}x{b} r={(h+2*p-m)/s+1}x{(b+2*p-m)/s+1}\n",
                                    "from rank=3 a={e}x{h}x{b} r={(e+2*p-m)/s+1}x{(h+2*p-m)/s+1}x{(b+2*p-m)/s+1}\n"};

constexpr const char* kCases = R"(
  smoke  t={floats} x={int-3,uniform} s={1,2}
  smoke  t={f32,f16} x=int-1 y=uniform m=3 s=1 p=1        # ties: the first of them is taken
  ci     m={1,2,3} s={1,2,3} p={0,1} x={int-1,uniform} y=uniform t={f32,f16}
  ci     t={floats} m=3 s=2 p=1 c=17 x=uniform
  ci     t={floats} l={@layouts} m=3 s=1 p=1 c=5 x=uniform
  ci     m=2 p=3 s={1,2} x={const-1,uniform} t={floats}   # windows wholly in padding
  ci     x=const--2 m=3 s=1 p=1 y=uniform
  ci     n={1,2} c={1,7,8,15,16,17,31,32,33,63,64,65,130} m=3 s=1 p=1 x=int-2 y=uniform t={f32,bf16,f64}
  ci     c=34 t={floats} m=3 s=1 p=1 x={special-2,lanes-34} y={uniform,special-3}
  ci     c=34 t={floats} m=3 s=1 p=1 x=uniform y={tiny,huge,subnormal,cancel,wide}
  ci     t={f16,bf16} b=80 m=64 s=1 h=64 e=64 c=1 n=1 x=const-1 if={rank==1}
  ci     n=0
  ci     c=0 s=1
)";

constexpr const char* kRefusals = R"(
  from   n=1
  shape  r={rank==1?'3':rank==2?'2x3':'2x2x3'}     # not the output's extent
  attribute m=2:2:2:2 s=2 r={rank==1?'4':rank==2?'2x4':'2x2x4'}   # more values than axes
)";

constexpr const char* kBench[] = {"ci x=uniform n=8 b=4096 c=64\n",
                                  "ci x=uniform n=1 h=112 b=112 c=64 m=3 s=2 p=1 t={f32,f16}\n",
                                  "ci x=uniform n=1 e=32 h=32 b=32 c=64\n"};

template <DensePooling kind>
Op row(std::string_view name, std::size_t rank) {
  constexpr bool max = kind == DensePooling::max;
  Op op;
  op.name = name;
  op.signature = std::string(kPoolSignature[rank - 1]) + ", cotangent " + kPoolOutput[rank - 1] + " -> grad_" +
                 kPoolSignature[rank - 1];
  op.types = "T: floats";
  op.attrs = pool_attrs();
  op.equation = max ? "grad_input[i] = sum of cotangent[o] over the windows o that take input[i]"
                    : "grad_input[i] = (sum of cotangent[o] over the windows o that hold input[i]) / number of taps";
  op.meaning = max ? "of equal ones, and of several NaN, the first in the window takes the whole cotangent (upstream "
                     "shares it); halves are summed in f32 and rounded once"
                   : "the input gives its shape alone; padding counts in the divisor; halves are summed in f32";
  op.infer = infer;
  op.oracle = vjp<kind>;
  op.cases = {kCall, kExtents[rank - 1], kCases};
  op.rejects = {kCall, kExtents[rank - 1], kRefusals};
  op.bench = {kCall, kExtents[rank - 1], kBench[rank - 1]};
  op.cost = cost_of;
  op.tolerance.kind = max ? Tolerance::Class::accumulate : Tolerance::Class::inherited;
  if (max) op.tolerance.terms = terms, op.tolerance.magnitude = magnitude<kind>;
  else op.tolerance.bound = avg_bound;
  return op;
}

}  // namespace

std::vector<Op> dense_pool_gradient_ops() {
  using enum DensePooling;
  return {row<max>("dense_max_pool1d_vjp", 1), row<max>("dense_max_pool2d_vjp", 2),
          row<max>("dense_max_pool3d_vjp", 3), row<avg>("dense_avg_pool1d_vjp", 1),
          row<avg>("dense_avg_pool2d_vjp", 2), row<avg>("dense_avg_pool3d_vjp", 3)};
}

}  // namespace plumb
