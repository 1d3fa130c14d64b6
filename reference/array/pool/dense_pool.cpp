// Dense max and average pooling, channels last: rows, oracles and cases. The sparse ones have the plain names.
#include "core/with_last.h"
#include "reference/array/pool/pool_rows.h"

namespace plumb {
namespace reference {

std::vector<Allowances> mean_bound(const Wide& want, const Wide& G, std::int64_t n, std::int64_t taps,
                                   const Order& order, Dtype out) {
  const double eta = info(order.accumulator).min_subnormal;
  const auto bound = [&](const auto& value, const auto& size, double own, auto&& real) {
    Allowances all(value.shape);
    for (std::int64_t i = 0; i < all.size(); ++i) {
      const double g = real(size[i]);
      all[i] = {accumulate_bound(real(value[i]), g, n, order, out, own) + eta,
                may_overflow(g * static_cast<double>(taps), n, order)};
    }
    return std::vector<Allowances>{all};
  };
  if (const auto* wide = std::get_if<Reals2>(&want))
    return bound(*wide, std::get<Reals2>(G), kDouble2Roundoff, [](Double2 v) { return v.hi; });
  return bound(reals(want), reals(G), 0x1p-53, [](double v) { return v; });
}

const char* const kPoolExtents[3] = {"from b=9 a={b} k=3 q=2 v=2 rank=1\n",
                                     "from b=9 a=7x{b} k=3:2 q=2:1 v=1:1 rank=2\n",
                                     "from b=6 a=4x5x{b} k=2:1:3 q=1:2:2 v=1:0:1 rank=3\n"};
const char* const kPoolSignature[3] = {"input T[N,L,C]", "input T[N,H,L,C]", "input T[N,K,H,L,C]"};
const char* const kPoolOutput[3] = {"T[N,R,C]", "T[N,S,R,C]", "T[N,Q,S,R,C]"};
const char* const kPoolRefusals = R"(
  attribute k={0,-1,1:1:1:1}   # not from 1 on, or more values than axes
  attribute k=-                # nothing to slide
  attribute s={0,-1}           # not from 1 on
  attribute p=-1               # what lies outside cannot be less than nothing
  shape     k=20               # longer than the input
  shape     k=20 p=5           # and than the padded one
)";
const Attrs& pool_attrs() {
  static const Attrs attrs{{"kernel_size", kNone}, {"stride", kNone}, {"padding", 0}};
  return attrs;
}

}  // namespace reference

namespace {

using namespace reference;

std::vector<Spec> infer(const Request& r) {
  const DensePool p = dense_pool_of(r);
  return spatial_outputs(r, p.axis, p.rank);
}

// y[b,o,c] = the first of the greatest x[b, i, c] over the elements i of window o; -inf if there are none
std::vector<Wide> max_pool(const Call& c) {
  const DensePool p = dense_pool_of(c);
  return {std::visit(
      [&]<class T>(const Array<T>& x) -> Wide {
        if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Double2>) {
          Array<T> y(p.output(), T(-std::numeric_limits<double>::infinity()));
          const auto from = chosen(p, x);
          for (std::int64_t i = 0; i < y.size(); ++i)
            if (const std::int64_t at = from[static_cast<std::size_t>(i)]; at >= 0) y[i] = x[at];
          return y;
        }
        throw std::logic_error("pooling of what is not real");
      },
      widen(c[0]))};
}

// y[b,o,c] = (sum of x[b,i,c] over the elements i of window o) / number of taps
std::vector<Wide> avg_pool(const Call& c) {
  const DensePool p = dense_pool_of(c);
  const auto mean = [&]<class T>(const Array<T>& x) -> Wide {
    Array<T> y(p.output());
    for_each_member(p, [&](std::int64_t o, std::int64_t i) { y[o] += x[i]; });
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = quotient(y[i], p.taps());
    return y;
  };
  const Wide x = widen(c[0]);
  if (c.dtype(0) == Dtype::f64) return {mean(std::get<Reals2>(x))};
  return {mean(reals(x))};
}

std::vector<Allowances> avg_bound(const Call& c, const std::vector<Wide>& want, const Order& order) {
  const std::int64_t taps = dense_pool_of(c).taps();
  return mean_bound(want[0], avg_pool(absolute(c))[0], taps, taps, order, c.dtype(0));
}

Cost cost_of(const Call& c) {
  const DensePool p = dense_pool_of(c);
  return {static_cast<double>(p.taps()) * static_cast<double>(count(p.output())), input_bytes(c) + output_bytes(c)};
}

constexpr const char* kCall = R"(
  call   {t}.{n}x{a}x{c}.{l}.{x}/kernel_size={k},stride={s},padding={p}
  from   t=f32 n=2 c=3 l=row x=int-3 s= p= floats={f16,bf16,f32,f64}
)";

constexpr const char* kCases = R"(
  smoke  t={floats} x={int-3,uniform,special} s=1
  smoke  t={floats} x=uniform p={v}
  ci     s={1,2,3} p={0,{v}} t={f32,f16} x={int-3,uniform}
  ci     s={q} p={v} c=17 x=uniform t={floats}
  ci     k=1 s={1,2} x=uniform
  ci     t={floats} l={@layouts} s=1 c=5 x=uniform p={v}
  # B36: all negative, a window wholly in padding, ones where the divisor shows, channels beside 16
  ci     x=const--2 p={v} s=1 t={floats}
  ci     k=2 p=3 s={1,2} x={const-1,uniform} t={floats}
  ci     x=const-1 p={v} s={1,3}
  ci     n={1,2} c={1,7,8,15,16,17,31,32,33,63,64,65,130} s=1 x=uniform t={f32,bf16,f64}
  # whatever a value may be: NaN, infinities, ties of zeros, sums that leave the type
  ci     c=34 t={floats} s=1 p={v} x={special-2,lanes-34,tiny,huge,subnormal,cancel,wide}
  ci     c=3 n,a={0 {none}, 2 {none}} k=2 p=1 none={rank==1?'4':rank==2?'4x4':'2x4x3'}
  ci     c=0 s=1
)";

constexpr const char* kBench[] = {"ci x=uniform n=8 a=4096 c=64 k=2\n",
                                  "ci x=uniform n=1 a=112x112 c=64 k=3 s=2 p=1 t={f32,f16}\n",
                                  "ci x=uniform n=1 a=32x32x32 c=64 k=2\n"};

constexpr std::string_view kMax =
    "channels last; stride is kernel_size if it is none; padding is absent: a window that holds no element gives -inf; "
    "a "
    "NaN is the greatest, and of equal ones (-0 and 0 too) the first is taken; f16, bf16, f32 and f64";
constexpr std::string_view kAvg =
    "channels last; stride is kernel_size if it is none; the divisor is the number of taps, so that padding counts as "
    "zeros; halves are summed in f32, one division";

template <DensePooling kind>
Op row(std::string_view name, std::size_t rank) {
  Op op;
  op.name = name;
  op.signature = std::string(kPoolSignature[rank - 1]) + " -> out " + kPoolOutput[rank - 1];
  op.types = "T: floats";
  op.attrs = pool_attrs();
  op.equation = kind == DensePooling::max ? "out[b,o,c] = max of input[b, o stride - padding + k, c] over the taps k"
                                          : "out[b,o,c] = sum of input[b, o stride - padding + k, c] over the taps k, "
                                            "divided by their number";
  op.meaning = kind == DensePooling::max ? kMax : kAvg;
  op.infer = infer;
  op.oracle = kind == DensePooling::max ? max_pool : avg_pool;
  op.cases = {kCall, kPoolExtents[rank - 1], kCases};
  op.rejects = {kCall, kPoolExtents[rank - 1], kPoolRefusals};
  op.bench = {kCall, kPoolExtents[rank - 1], kBench[rank - 1]};
  op.cost = cost_of;
  if (kind == DensePooling::avg) op.tolerance.kind = Tolerance::Class::inherited, op.tolerance.bound = avg_bound;
  return op;
}

}  // namespace

std::vector<Op> dense_pool_ops() {
  using enum DensePooling;
  return {row<max>("dense_max_pool1d", 1), row<max>("dense_max_pool2d", 2), row<max>("dense_max_pool3d", 3),
          row<avg>("dense_avg_pool1d", 1), row<avg>("dense_avg_pool2d", 2), row<avg>("dense_avg_pool3d", 3)};
}

}  // namespace plumb
