// Gradients of the dense convolutions: of the input and of the weight.
#include "core/with_last.h"
#include "reference/array/conv/windows.h"

namespace plumb {
namespace {

using namespace reference;

constexpr std::size_t kInput = 0, kWeight = 1, kCotangent = 2;

DenseConv shape_of(const Request& r) { return dense_conv_of(r, ConvKind::general); }

std::vector<Spec> infer(const Request& r) {
  const DenseConv s = shape_of(r);
  if (r.shape(kCotangent) != s.output())
    r.fail(Reason::shape, "cotangent " + to_string(r.shape(kCotangent)) + ": the output is " + to_string(s.output()));
  return r.outputs();
}

template <class T>
struct Operands {
  const Array<T>&x, &w, &g;
};

// f(x index, w index, g index) of each product of the convolution: out[b,o,f] += x[b,i,c] w[f,k,c]
template <class F>
void for_each_product(const DenseConv& s, F&& f) {
  const std::int64_t N = s.axis[0].n * s.axis[1].n * s.axis[2].n, K = s.taps(), Cg = s.in_group();
  std::int64_t at = 0;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for_each_position(s.axis, [&](const auto& o) {
      for (std::int64_t c_out = 0; c_out < s.out; ++c_out, ++at)
        for_each_tap(s.axis, o, [&](std::int64_t k, std::int64_t i) {
          const std::int64_t x = (b * N + i) * s.in + c_out / s.out_group() * Cg;
          const std::int64_t w = (c_out * K + (s.flip ? K - 1 - k : k)) * Cg;
          for (std::int64_t c = 0; c < Cg; ++c) f(x + c, w + c, at);
        });
    });
}

// dx[b,i,c] = sum of g[b,o,f] w[f,k,c] over the o, f, k whose product has x[b,i,c]
template <class T>
Wide of_input(const DenseConv& s, const Operands<T>& in) {
  Array<T> dx(in.x.shape);
  for_each_product(s, [&](std::int64_t x, std::int64_t w, std::int64_t g) { dx[x] += in.g[g] * in.w[w]; });
  return dx;
}

// dw[f,k,c] = sum of x[b,i,c] g[b,o,f] over the b, o whose product has w[f,k,c]
template <class T>
Wide of_weight(const DenseConv& s, const Operands<T>& in) {
  Array<T> dw(in.w.shape);
  for_each_product(s, [&](std::int64_t x, std::int64_t w, std::int64_t g) { dw[w] += in.x[x] * in.g[g]; });
  return dw;
}

std::vector<Wide> vjp(const Call& c, std::size_t input) {
  const DenseConv s = shape_of(c);
  const Wide x = widen(c[kInput]), w = widen(c[kWeight]), g = widen(c[kCotangent]);
  const auto answer = [&]<class T>(const Operands<T>& in) {
    return input == kInput ? of_input(s, in) : of_weight(s, in);
  };
  if (c.dtype(0) == Dtype::f64)
    return {answer(Operands<Double2>{std::get<Reals2>(x), std::get<Reals2>(w), std::get<Reals2>(g)})};
  return {answer(Operands<double>{reals(x), reals(w), reals(g)})};
}

std::int64_t terms(const Call& c, std::size_t input) {
  const DenseConv s = shape_of(c);
  return input == kInput ? s.taps() * s.out_group() : s.batch * s.positions();
}

Cost cost_of(const Call& c) {
  const DenseConv s = shape_of(c);
  return {2.0 * static_cast<double>(s.batch * s.positions() * s.out) * static_cast<double>(s.taps() * s.in_group()),
          input_bytes(c) + output_bytes(c)};
}

// Four input channels of many.
std::optional<Spot> channels(const Call& c, std::uint64_t key) {
  if (c.integer("groups") != 1 || c.op->cost(c).flops < 1e8) return std::nullopt;
  Call part = make_call(*c.op, {spaced(c[0], -1, 4, key), spaced(c[1], -1, 4, key), c[2]}, c.attrs);
  return Spot{std::move(part),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], -1, 4, key)}; }};
}

// A dilation is that of the kernel in recorded calls, whose convolution has no other.
bool recorded(Attrs& a) {
  Attrs renamed;
  for (const auto& [name, value] : a) renamed.set(name == "dilation" ? "kernel_dilation" : name, value);
  a = renamed;
  return true;
}

// ---- cases

// Two axes of h x m elements under a kernel of kh x kw.
constexpr const char* kCall = R"(
  call   {t}.{n}x{a}x{c}.{l}.{x}+{t}.{f}x{k}x{d}.{l}.{y}+{t}.{n}x{r}x{f}.{l}.{z}/{attrs}
  from   t=f32 n=2 d={c/g} l=row x=int-3 y={x} z={x} s=1 p=0 e=1 g=1 i=1 flip= c=3 f=4 floats={f16,bf16,f32,f64}
         attrs=stride={s},padding={p},kernel_dilation={e},input_dilation={i},groups={g},flip={flip}
         h=6 m=9 kh=3 kw=2 a={h}x{m} k={kh}x{kw}
         r={((h-1)*i+2*p-e*(kh-1))/s+1}x{((m-1)*i+2*p-e*(kw-1))/s+1}
)";

constexpr const char* kCases = R"(
  smoke  t={floats} x={int-3,uniform} s=2 p=1
  # one axis and three, with paddings of two sides, crops, and everything together
  smoke  a,k,r,s,p,e,i,flip={9 3 9 2 3:2 2 2 true, 9 3 4 2 0: 1 1 -, 3x4x5 2x1x3 4x2x3 1:2:1 1:0:0 1 1 true,
         8 2 4 1 -1:-2 1 1 -, 7 3 3 2 0:0 1 1 -} x=uniform
  smoke  c=4 f=6 g=2 kw=3 p=1 x=uniform t={f32,f16}
  smoke  c=5 f=5 g=5 kw=3 p=1 x=uniform t={f32,bf16}
  # B35: each on its own and together; strides that leave a rest unread
  ci     x={int-3,uniform} s={1,2,3} p={0,1,2} e={1,2} i={1,2} h=7
  ci     flip=true s={1,2} p=1 i={1,2} e=2 t={floats}
  ci     n=1 c=1 f=1 s=2 e=2 p=2 x=impulse y=ramp z={impulse,ramp}
  # channels around tiles, pixels around tiles and chunks
  ci     n=1 c={1,2,5,6,7,15,16,17,33,64} f={1,3,7,8,9,15,16,17,31,32,33,65} x={c%2?'uniform':'int-3'} p=1
         t={(c+f)%3?'f32':(c+f)%2?'f16':'bf16'}
  ci     n={1,3} h=1 kh=1 m={2,3,5,6,7,8,12,13,17,31,32,33,63,64,65,96,97,129,257} c=5 f=18 x=uniform
  ci     t=f64 c={1,4,9} f={3,4,5,8,9,17} x=uniform
  ci     c,f,g={6 6 3, 8 4 2, 4 8 2, 34 34 2, 32 64 2, 17 17 17, 33 33 33, 66 66 66} p=1 x=uniform t={f32,f16}
  # every layout: a transposed operand is what reading NCHW in place gives
  ci     t={floats} l={@layouts} c=5 f=6 p=1
  ci     l={@layouts} c=6 f=6 g={2,6} p=1 t={f32,f16} x=uniform
  # whatever a value may be; padding is absent, so that it makes no NaN of what is not finite
  ci     c=17 f=18 p=2 t={f16,bf16,f32} x={wide,cancel,tiny,huge,subnormal,lanes-35,special-300}
  ci     c=17 f=18 p=2 t=f64 x={wide,cancel,tiny}
  ci     c=6 f=6 g={1,2,6} p=2 x=uniform y={uniform,special-20} z={uniform,special-20} t={f32,f16}
  # B21: sums beyond 2^11 and 2^8, where an accumulator of half precision would stand still
  ci     n=1 c=1 f=1 h=64 m=64 kh=1 kw=1 t={f16,bf16} x=const-1
  ci     n=1 c=1 f=2048 kh=1 kw=1 t={f16,bf16} x=const-1
  ci     n,c,f={0 3 4, 2 0 4, 2 3 0} p=1 t={f32,f16}   # nothing
  ci     h=0 m=4 p=2
)";

constexpr const char* kRefusals = R"(
  from   r=4x8 n=1
  shape  r=4x7               # not the output's extent
  shape  r=5x8               # nor the other
  shape  d=2                 # the weight's channels are not those of the input
  shape  h=2                 # the kernel is longer than the input
  attribute s={0,-1}         # not from 1 on
  attribute g=0 d=3            # no groups
  attribute i=0              # not from 1 on
)";

// ResNet-50
constexpr const char* kBench = R"(
  from   x=uniform n=1 kh=3 kw=3 p=1 h={m} f={c}
  ci     t={f32,f16} m=56 c=64
  nightly t={f32,f16,bf16} m,c={28 128, 14 256, 7 512}
  nightly t={f32,f16} m,c,f,kh,kw,s,p={224 3 64 7 7 2 3, 56 64 256 1 1 1 0, 56 128 128 3 3 2 1}
)";

constexpr std::string_view kMeaning =
    "operands of one type: a promotion is differentiated as the cast that it is; halves accumulate in f32 and round "
    "once; zeros of padding and dilation are absent, not multiplied";

template <std::size_t input>
Op row(std::string_view name, std::string_view equation) {
  Op op;
  op.name = name;
  op.signature =
      "input T[N,L,C | N,H,L,C | N,K,H,L,C], weight T[F,X,D | F,Y,X,D | F,Z,Y,X,D], "
      "cotangent T[N,R,F | N,S,R,F | N,Q,S,R,F] -> ";
  op.signature +=
      input == kInput ? "grad_input T[N,L,C | N,H,L,C | N,K,H,L,C]" : "grad_weight T[F,X,D | F,Y,X,D | F,Z,Y,X,D]";
  op.types = "T: floats";
  op.attrs = {{"stride", 1},         {"padding", 0}, {"kernel_dilation", 1},
              {"input_dilation", 1}, {"groups", 1},  {"flip", false}};
  op.equation = equation;
  op.meaning = kMeaning;
  op.infer = infer;
  op.oracle = with_last<vjp, input>;
  op.cases = {kCall, kCases};
  op.rejects = {kCall, kRefusals};
  op.bench = {kCall, kBench};
  op.cost = cost_of;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = with_last<terms, input>;
  op.spot = channels;
  op.corpus = "conv2d_vjp";
  op.corpus_call = recorded;
  return op;
}

}  // namespace

std::vector<Op> dense_conv_gradient_ops() {
  return {row<kInput>("conv_input_vjp",
                      "grad_input[b,i,c] = sum of cotangent[b,o,f] w[f,k,c] over the o, f, k whose product in "
                      "dense_conv_general has input[b,i,c]"),
          row<kWeight>("conv_weight_vjp",
                       "grad_weight[f,k,c] = sum of input[b,i,c] cotangent[b,o,f] over the b, o whose product in "
                       "dense_conv_general has w[f,k,c]")};
}

}  // namespace plumb
