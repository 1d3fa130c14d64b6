// Dense convolutions, channels last: their rows, oracles and cases. The sparse ones have the plain names.
#include <algorithm>

#include "core/with_last.h"
#include "reference/array/conv/windows.h"

namespace plumb {
namespace {

using namespace reference;

constexpr std::int64_t kMost = (std::int64_t{1} << 31) - 1;

std::vector<Spec> infer(const Request& r, ConvKind kind) {
  const DenseConv s = dense_conv_of(r, kind);
  return spatial_outputs(r, s.axis, s.rank);
}

// Inputs 0 and 1 in the promoted type, given to f as arrays of one wide type.
template <class F>
Wide promoted(const Call& c, Dtype type, F&& f) {
  const Wide x = widen_as(c[0], type), w = widen_as(c[1], type);
  if (type == Dtype::f64) return f(std::get<Reals2>(x), std::get<Reals2>(w));
  return f(reals(x), reals(w));
}

// out[b,o,f] = sum over taps k and channels c of x[b, i(o,k), g Cg + c] w[f,k,c], g = f / Fg, over those k that meet an
// input element i; with flip the last tap of w comes first.
template <class T>
Wide slide(const DenseConv& s, const Array<T>& x, const Array<T>& w) {
  const std::int64_t N = s.axis[0].n * s.axis[1].n * s.axis[2].n, K = s.taps(), Cg = s.in_group();
  Array<T> out(s.output());
  std::int64_t at = 0;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for_each_position(s.axis, [&](const auto& o) {
      for (std::int64_t f = 0; f < s.out; ++f, ++at)
        for_each_tap(s.axis, o, [&](std::int64_t k, std::int64_t i) {
          const T* X = &x.data[0] + (b * N + i) * s.in + f / s.out_group() * Cg;
          const T* W = &w.data[0] + (f * K + (s.flip ? K - 1 - k : k)) * Cg;
          for (std::int64_t c = 0; c < Cg; ++c) out[at] += X[c] * W[c];
        });
    });
  return out;
}

std::vector<Wide> convolution(const Call& c, ConvKind kind) {
  const DenseConv s = dense_conv_of(c, kind);
  return {promoted(c, output_specs(c)[0].dtype, [&](const auto& x, const auto& w) { return slide(s, x, w); })};
}

// out[b, i stride + k dilation - padding, f] += x[b,i, g Cg + c] w[f,k,c], g = f / Fg: where that is within the output
template <class T>
Wide scatter(const Call& call, const DenseConv& s, const Array<T>& x, const Array<T>& w) {
  std::vector<std::int64_t> stride = per_axis(call, "stride", s.rank, 1),
                            pad = per_axis(call, "padding", s.rank, -kMost);
  std::vector<std::int64_t> dilation = per_axis(call, "dilation", s.rank, 1);
  for (auto* list : {&stride, &dilation}) list->insert(list->begin(), 3 - s.rank, 1);
  pad.insert(pad.begin(), 3 - s.rank, 0);
  const std::int64_t Cg = s.in_group();
  Array<T> out(s.output());
  const auto axis = [&](std::size_t d, auto&& f) {
    for (std::int64_t i = 0; i < s.axis[d].n; ++i)
      for (std::int64_t k = 0; k < s.axis[d].k; ++k)
        if (const std::int64_t o = i * stride[d] + k * dilation[d] - pad[d]; o >= 0 && o < s.axis[d].out()) f(i, k, o);
  };
  for (std::int64_t b = 0; b < s.batch; ++b)
    axis(0, [&](std::int64_t i0, std::int64_t k0, std::int64_t o0) {
      axis(1, [&](std::int64_t i1, std::int64_t k1, std::int64_t o1) {
        axis(2, [&](std::int64_t i2, std::int64_t k2, std::int64_t o2) {
          const std::int64_t i = ((b * s.axis[0].n + i0) * s.axis[1].n + i1) * s.axis[2].n + i2;
          const std::int64_t o = ((b * s.axis[0].out() + o0) * s.axis[1].out() + o1) * s.axis[2].out() + o2;
          const std::int64_t k = (k0 * s.axis[1].k + k1) * s.axis[2].k + k2;
          for (std::int64_t f = 0; f < s.out; ++f)
            for (std::int64_t c = 0; c < Cg; ++c)
              out[o * s.out + f] += x[i * s.in + f / s.out_group() * Cg + c] * w[(f * s.taps() + k) * Cg + c];
        });
      });
    });
  return out;
}

std::vector<Wide> transposed(const Call& c) {
  const DenseConv s = dense_conv_of(c, ConvKind::transposed);
  return {promoted(c, output_specs(c)[0].dtype, [&](const auto& x, const auto& w) { return scatter(c, s, x, w); })};
}

std::int64_t terms(const Call& c, ConvKind kind) {
  const DenseConv s = dense_conv_of(c, kind);
  return s.taps() * s.in_group();
}

Cost cost_of(const Call& c, ConvKind kind) {
  const DenseConv s = dense_conv_of(c, kind);
  // The products of the definition: of a transposed one, each input element meets each tap.
  const std::int64_t sites = kind == ConvKind::transposed ? s.axis[0].n * s.axis[1].n * s.axis[2].n : s.positions();
  return {2.0 * static_cast<double>(s.batch * sites * s.out) * static_cast<double>(s.taps() * s.in_group()),
          input_bytes(c) + output_bytes(c)};
}

// Four output channels of many.
std::optional<Spot> channels(const Call& c, std::uint64_t key) {
  if (c.integer("groups") != 1 || c.op->cost(c).flops < 1e8) return std::nullopt;
  Call part = make_call(*c.op, {c[0], spaced(c[1], 0, 4, key)}, c.attrs);
  return Spot{std::move(part),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], -1, 4, key)}; }};
}

// ---- convolve: two vectors

struct Overlap {
  std::int64_t out, first;  // elements of the result, and which of the whole product is the first
};

Overlap overlap(const Request& r) {
  const std::int64_t a = r.size('A'), v = r.size('B'), shorter = std::min(a, v), longer = std::max(a, v);
  const std::string& mode = r.text("mode");
  if (shorter == 0)
    r.fail(Reason::shape, to_string(r.shape(0)) + " and " + to_string(r.shape(1)) + ": nothing to slide");
  if (mode == "full") return {a + v - 1, 0};
  if (mode == "same") return {longer, (shorter - 1) / 2};
  if (mode == "valid") return {longer - shorter + 1, shorter - 1};
  r.fail(Reason::attribute, "mode is " + mode + ", not full, same or valid");
}

std::vector<Spec> infer_convolve(const Request& r) { return r.outputs({{'R', overlap(r).out}}); }

// out[j] = sum over i of a[i] v[j + first - i]
std::vector<Wide> convolve(const Call& call) {
  const Overlap s = overlap(call);
  const Spec spec = output_specs(call)[0];
  return {promoted(call, spec.dtype, [&]<class T>(const Array<T>& a, const Array<T>& v) -> Wide {
    Array<T> out(spec.shape);
    for (std::int64_t j = 0; j < s.out; ++j)
      for (std::int64_t i = 0; i < a.size(); ++i)
        if (const std::int64_t k = j + s.first - i; k >= 0 && k < v.size()) out[j] += a[i] * v[k];
    return out;
  })};
}

// ---- recorded calls

// Nested lists are text there: "[[1,0],[2,1]]" is 1:0:2:1.
bool recorded_general(Attrs& a) {
  const Attr* padding = a.find("padding");
  const auto* text = padding ? padding->get<std::string>() : nullptr;
  if (!text) return true;
  std::vector<std::int64_t> all;
  for (std::size_t i = 0; i < text->size(); ++i) {
    const bool negative = (*text)[i] == '-';
    std::size_t end = i + negative;
    std::int64_t v = 0;
    while (end < text->size() && (*text)[end] >= '0' && (*text)[end] <= '9' && v < 1 << 20)
      v = 10 * v + ((*text)[end++] - '0');
    if (end == i + negative) continue;
    all.push_back(negative ? -v : v);
    i = end - 1;
  }
  a.set("padding", all);
  return true;
}

// ---- cases

// {a}: the spatial extents of the input, {k} those of the kernel.
constexpr const char* kCall = R"(
  call   {t}.{n}x{a}x{c}.{l}.{x}+{u}.{f}x{k}x{d}.{wl}.{y}/{attrs}
  from   t=f32 u={t} n=2 d={c/g} l=row wl={l} x=int-3 y={x} s= p= e= g=1 floats={f16,bf16,f32,f64}
         attrs={own},groups={g}
)";

constexpr const char* kSlide = "from bare=2 own=stride={s},padding={p},dilation={e}\n";
constexpr const char* kGeneral =
    "from bare=2 i= flip= own=stride={s},padding={p},kernel_dilation={e},input_dilation={i},flip={flip}\n";
constexpr const char* kSpread = "from bare=-2 o= own=stride={s},padding={p},dilation={e},output_padding={o}\n";

// {size=d}: the extents of rank d: lists of one, two or three.
constexpr const char* kOne = "from b=9 a={b} k=3 q=2 w=41\n";
constexpr const char* kTwo = "from b=9 a=6x{b} k=3x2 q=2:1 w=5x9\n";
constexpr const char* kThree = "from b=5 a=5x5x{b} k=2x2x3 q=1:3:2 w=2x3x7\n";

constexpr const char* kCases = R"(
  smoke  t={floats} c=3 f=4 x={int-3,uniform}
  smoke  c=4 f=6 g=2 x=uniform s={q} p=1
  smoke  c=4 f=8 g=4 x=uniform e={q} p={q}          # one channel each: depthwise, with a multiplier of 2
  smoke  c=5 f=5 g=5 p=2 t={f32,f16}                # depthwise
  # operands are converted first, so each pair is judged in the promoted type; those of weights may be whole
  smoke  t,u={f16 f32, bf16 f16, f32 f64, f64 bf16, f16 i32, f32 bool, bf16 u8} c=3 f=4
  smoke  t,u={f32 bf16, f16 bf16} c=3 f=4 x=uniform
  # CV03, B35: strides, padding and dilation, each on its own and together
  ci     c=3 f=5 x=uniform s={1,2,3} p={0,2} e={1,2} b=11
  ci     c=3 f=5 s={q} p={q} e={q} b=13 t={floats}
  ci     n=1 a={w} k={w} p=1 c=2 f=3 x=uniform      # as long as the input
  # no two extents alike
  ci     n=2 c=3 f=7 a={apart} k={taps} x=uniform apart={rank==1?'9':rank==2?'6x9':'4x6x9'}
         taps={rank==1?'4':rank==2?'4x5':'2x4x5'}
  ci     c=2 f=3 p=-1 s={1,2} b=9 a={wide} wide={rank==1?'9':rank==2?'6x9':'5x5x7'}
  ci     n=1 c,f={33 1, 5 17, 17 34} x=uniform
  ci     c,f,g={8 4 2, 17 17 17, 34 34 2} p=1 x=uniform t={f32,f16}
  # CV05, B04: every layout, weights of another one; a transposed input is what reading NCHW in place gives
  ci     t={floats} l={@layouts} c=5 f=6 p=1
  ci     t={f32,bf16} wl={@layouts} c=5 f=6 x=uniform
  ci     l={@layouts} c=6 f=6 g={2,6} p=1 t={f32,f16} x=uniform
  # CV13, and what else a value may be: padding is absent, so that it makes no NaN of a weight that is not finite
  ci     c=17 f=18 p=2 t={f16,bf16,f32} x={special,wide,cancel,tiny,huge,subnormal,lanes-35,special-300}
  ci     c=17 f=18 p=2 t=f64 x={special,wide,cancel,tiny,lanes-35} y={x=='special'||x=='lanes-35'?'int-1':x}
  ci     c=4 f=5 p=1 t={f32,f16} y={special,special-50} x=uniform g=1
  ci     c=6 f=6 p=1 t={f32,f16} y=special-20 x=uniform g={2,6}
  ci     c=3 f=3 p=1 x=impulse-10000000000 y=uniform n={1,5}
  # B21: sums beyond 2^11 and 2^8, where an accumulator of half precision would stand still
  ci     n=1 c=2048 f=3 t={f16,bf16} x=const-1
  # nothing: no batch, no channels in, no channels out, no extent but padding
  ci     n,c,f={0 3 4, 2 0 4, 2 3 0} p=1 t={f32,f16}
  ci     c=3 f=4 p={bare} a={none} none={rank==1?'0':rank==2?'6x0':'0x4x5'}
)";

constexpr const char* kTileCases = R"(
  # channels around tiles of 4, 6, 8, 16, 32 and 64, pixels around tiles of 6, 64 and 96
  ci     n=1 c={1,2,15,16,17,33,64} f={1,3,7,8,9,15,16,17,31,32,33,63,64,65} x={c%2?'uniform':'int-3'} b=7
         t={(c+f)%3?'f32':(c+f)%2?'f16':'bf16'}
  ci     n={1,3} b={3,4,5,6,7,8,11,12,13,15,16,17,31,32,33,63,64,65,95,96,97} c=5 f=18 p=1 x=uniform
  ci     t=f64 c={1,4,9} f={3,4,5,8,9,17} x=uniform
  ci     c,f,g={6 6 3, 8 4 2, 4 8 2, 34 34 2, 32 64 2, 30 45 15, 17 17 17, 33 33 33, 130 130 130} p=1 x=uniform
         t={f32,f16}
)";

// B35: the step response of each tap: transposed against the forward map.
constexpr const char* kGeneralCases = R"(
  smoke  c=3 f=4 i={q} p={rank==1?'1:2':rank==2?'1:0:2:1':'1:0:2:0:2:1'} flip={false,true}
  smoke  c=4 f=4 g=2 i=2 s={q} p=2 e=2 x=uniform flip=true
  ci     c=3 f=2 i={1,2,3} s={1,2,3} e={1,2} p=2 x=uniform flip={i==2?'true':'false'}
  ci     c=3 f=2 i={1,2} p={rank==1?'-1:2':rank==2?'-1:1:2:-2':'1:0:-1:0:1:-1'}   # negative padding crops
  ci     c=3 f=2 i=2 p={rank==1?'-2:-1':rank==2?'-1:-2':'0:-1:-1'}
  ci     n=1 c=1 f=1 i=2 s=3 p=3 x=impulse y=ramp flip={false,true}
  ci     c=33 f=17 i={q} s={q} p=3 t={f16,f64} x=uniform
)";

// CV12, B35: dilation with stride, and output padding; padding beyond the kernel, negative output padding.
constexpr const char* kSpreadCases = R"(
  smoke  c=3 f=4 s={q} o={1,0} p=1
  smoke  n=1 c=1 f=1 s=2 e=2 p={0,2} o={0,1} x=impulse y=ramp
  ci     c=3 f=5 s={1,2,3} p={0,2} e={1,2} o={0,1} x=uniform
  ci     c=3 f=5 s={q} o={q} e={q} t={floats}
  ci     c=2 f=3 s=2 p=3 o={0,1} x=uniform b=6
  ci     c=2 f=3 s=2 o=-1 p={0,-2}
  ci     c=33 f=17 s=2 p=1 o=1 t={f16,f64} x=uniform
  ci     c=6 f=9 g=3 s={q} x=uniform
)";

constexpr const char* kGood = "from c=4 f=6 g=1 x=int-3 y=int-3\n";

constexpr const char* kRefusals = R"(
  shape  d=3                 # the weight's channels are not those of the input
  shape  g=2 d=4             # nor those of a group
  shape  g=3 d=1             # 4 channels in 3 groups
  shape  g=4 d=1             # 6 output channels in 4 groups
  attribute g={0,-1} d=4        # no groups
  attribute s={0,-1,2147483648}   # not from 1 to 31 bits
  attribute e={0,-1}       # not from 1 on
  attribute p={1:1:1:1:1,2147483648}   # more values than axes, beyond 31 bits
  attribute s=1:1:1:1     # more values than axes
)";
constexpr const char* kKernelRefusals = R"(
  # longer than the input by one, and by less than the stride (upstream computes with missing taps)
  shape  a={long} k={longer} s={1,2,3}
)";
// An extent of 1 short, in the last axis.
constexpr const char* kLong1 = "from long=4 longer=5\n";
constexpr const char* kLong2 = "from long=6x4 longer=1x5\n";
constexpr const char* kLong3 = "from long=3x4x4 longer=1x1x5\n";

constexpr const char* kRank1 = "from rank=1\n";
constexpr const char* kRank2 = "from rank=2\n";
constexpr const char* kRank3 = "from rank=3\n";

// ResNet-50, and a depthwise one
constexpr const char* kBench2 = R"(
  from   x=uniform n=1 k=3x3 p=1 a={b}x{b} f={c}
  ci     t={f32,f16,bf16} b=56 c=64
  ci     b=14 c=256
  nightly t={f32,f16,bf16} b,c={28 128, 14 256, 7 512}
  nightly t={f32,f16,bf16} b,c,f,k,s,p={224 3 64 7x7 2 3, 56 64 256 1x1 1 0, 56 256 64 1x1 1 0, 56 128 128 3x3 2 1,
         14 1024 256 1x1 1 0, 7 512 2048 1x1 1 0, 56 256 512 1x1 2 0}
  nightly t={f32,f16} n=8 b=56 c=64
  ci     b=56 c=128 g=128
)";
constexpr const char* kBench1 = "ci x=uniform n=8 a=4096 c=64 f=64 k=3 p=1\n";
constexpr const char* kBench3 = "ci x=uniform n=1 a=16x32x32 c=32 f=32 k=3x3x3 p=1\n";
constexpr const char* kBenchUp =
    "ci x=uniform n=1 a={rank==1?'1024':rank==2?'28x28':'8x12x12'} c=64 f=64 "
    "k={rank==1?'3':rank==2?'3x3':'3x3x3'} s=2 p=1 o=1\n";

constexpr std::string_view kMeaning =
    "channels last; weight [F, kernel.., C / groups]; halves accumulate in f32 and round once; zeros of padding and "
    "dilation are absent, not multiplied: no weight that is inf or NaN meets them; negative padding crops; a kernel "
    "longer than the padded input is refused (upstream computes with the missing taps if it is longer by less than the "
    "stride); no channels give 0; groups in three dimensions too; whole weights are converted, complex ones refused";

constexpr std::string_view kUp =
    "as dense_conv; padding cuts places of the output, which upstream takes for elements of the input where it is "
    "larger than the kernel reaches; output_padding may be negative";

constexpr const char* kSignature[] = {"input T[N,L,C], weight U[F,X,D] -> out P[N,R,F]",
                                      "input T[N,H,L,C], weight U[F,Y,X,D] -> out P[N,S,R,F]",
                                      "input T[N,K,H,L,C], weight U[F,Z,Y,X,D] -> out P[N,Q,S,R,F]",
                                      ("input T[N,L,C | N,H,L,C | N,K,H,L,C], weight U[F,X,D | F,Y,X,D | F,Z,Y,X,D] -> "
                                       "out P[N,R,F | N,S,R,F | N,Q,S,R,F]")};
constexpr const char* kTypes = "T: floats; U: bool integers floats; P = promote(T, U)";

constexpr const char* kExtents[] = {kOne, kTwo, kThree};
constexpr const char* kRanks[] = {kRank1, kRank2, kRank3};
constexpr const char* kLonger[] = {kLong1, kLong2, kLong3};

const Attrs kSlideAttrs{{"stride", 1}, {"padding", 0}, {"dilation", 1}, {"groups", 1}};

template <ConvKind kind>
Op row(std::string_view name, std::string_view recorded, std::size_t signature) {
  Op op;
  op.name = name;
  op.signature = kSignature[signature];
  op.types = kTypes;
  op.meaning = kMeaning;
  op.infer = with_last<infer, kind>;
  op.oracle = with_last<convolution, kind>;
  op.cost = with_last<cost_of, kind>;
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = with_last<terms, kind>;
  op.tolerance.signed_values = true;
  op.spot = channels;
  op.corpus = recorded;
  return op;
}

Op plain_row(std::string_view name, std::string_view recorded, std::size_t rank) {
  Op op = row<ConvKind::plain>(name, recorded, rank - 1);
  op.attrs = kSlideAttrs;
  op.equation = "out[b,o,f] = sum over k, c of x[b, o stride + k dilation - padding, g Cg + c] w[f,k,c], g = f / Fg";
  op.cases = {kCall, kSlide, kRanks[rank - 1], kExtents[rank - 1], kCases, rank == 2 ? kTileCases : ""};
  op.rejects = {kCall, kSlide,    kRanks[rank - 1],  kExtents[rank - 1],
                kGood, kRefusals, kLonger[rank - 1], kKernelRefusals};
  op.bench = {kCall, kSlide, kExtents[rank - 1], rank == 1 ? kBench1 : rank == 2 ? kBench2 : kBench3};
  return op;
}

Op transposed_row(std::string_view name, std::string_view recorded, std::size_t rank) {
  Op op = row<ConvKind::transposed>(name, recorded, rank - 1);
  op.attrs = {{"stride", 1}, {"padding", 0}, {"dilation", 1}, {"output_padding", 0}, {"groups", 1}};
  op.equation =
      "out[b, i stride + k dilation - padding, f] = sum of x[b,i, g Cg + c] w[f,k,c] over i, k, c, g = f / Fg";
  op.meaning = kUp;
  op.oracle = transposed;
  op.cases = {kCall, kSpread, kRanks[rank - 1], kExtents[rank - 1], kCases, kSpreadCases};
  op.rejects = {kCall, kSpread, kExtents[rank - 1], kGood, kRefusals, "shape p=20 # nothing is left\n"};
  op.bench = {kCall, kSpread, kRanks[rank - 1], kExtents[rank - 1], kBenchUp};
  return op;
}

Op general_row() {
  Op op = row<ConvKind::general>("dense_conv_general", "conv_general", 3);
  op.attrs = {{"stride", 1},         {"padding", 0}, {"kernel_dilation", 1},
              {"input_dilation", 1}, {"groups", 1},  {"flip", false}};
  op.equation =
      "out[b,o,f] = sum over k, c of xpad[b, o stride + k kernel_dilation, g Cg + c] w[f,k,c], g = f / Fg; xpad: the "
      "input, input_dilation apart, padded; flip: the last tap of w first";
  op.cases = {kCall,         kGeneral, kRank1,
              kOne,          kCases,   kGeneralCases,
              kRank2,        kTwo,     "smoke c=3 f=4 t={floats} p=1 x={int-3,uniform}\n",
              kGeneralCases, kRank3,   kThree,
              kGeneralCases};
  op.rejects = {kCall,
                kGeneral,
                kRank2,
                kTwo,
                kGood,
                kRefusals,
                "attribute i={0,-1} # not from 1 on\n attribute p=1:1:1 # neither two nor four\n",
                kLong2,
                kKernelRefusals};
  op.bench = {kCall, kGeneral, kTwo, "ci x=uniform n=1 a=28x28 k=3x3 c=64 f=64 i=2 p=1\n"};
  op.corpus_call = recorded_general;
  return op;
}

Op convolve_row() {
  Op op;
  op.name = "convolve";
  op.signature = "a T[A], v U[B] -> out P[R]";
  op.types = kTypes;
  op.attrs = {{"mode", "full"}};
  op.equation =
      "out[j] = sum over i of a[i] v[j + first - i]; first: 0 of full, (m - 1) / 2 of same, m - 1 of valid, m the "
      "shorter length";
  op.meaning =
      "modes of NumPy; same has the longer length; halves accumulate in f32 and round once; whole v is converted";
  op.infer = infer_convolve;
  op.oracle = convolve;
  op.cases = R"(
    call   {t}.{a}.{l}.{x}+{u}.{v}.{l}.{x}/mode={m}
    from   t=f32 u={t} l=row x=int-3 m={full,same,valid} floats={f16,bf16,f32,f64}
    smoke  t={floats} a=9 v=4 x={int-3,uniform}
    smoke  a,v={1 1, 5 5, 4 9, 7 2, 2 7} x=uniform
    smoke  t,u={f16 f32, f32 i16, bf16 f16, f32 f64} a=11 v=3
    ci     t={floats} a=37 v=8 l={@layouts}
    ci     a=130 v={1,6,7,63,64,65,129,130,131} x=uniform t={f32,f64}
    ci     a=67 v=20 t={floats} x={special,wide,cancel,tiny,huge,subnormal}
    ci     t={f16,bf16} a=5000 v=4099 m=valid x=const-1
    nightly a=100003 v=31 x=uniform
  )";
  op.rejects = R"(
    call   {t}.{a}.row.int-3+{t}.{v}.row.int-3/mode={m}
    from   t=f32 a=4 v=2 m=full
    shape  a=0          # nothing to slide over
    shape  v=0          # nothing that slides
    attribute m=other   # no such mode
  )";
  op.bench = "call f32.{a}.row.uniform+f32.{v}.row.uniform/mode=same\n ci a=1000003 v=31\n nightly a=65536 v=4096";
  op.cost = [](const Call& c) -> Cost {
    const double shorter = static_cast<double>(std::min(c[0].size(), c[1].size()));
    return {2 * shorter * static_cast<double>(overlap(c).out), input_bytes(c) + output_bytes(c)};
  };
  op.tolerance.kind = Tolerance::Class::accumulate;
  op.tolerance.terms = [](const Call& c) { return std::min(c[0].size(), c[1].size()); };
  op.tolerance.signed_values = true;
  return op;
}

}  // namespace

std::vector<Op> dense_conv_ops() {
  return {plain_row("dense_conv1d", "conv1d", 1),
          plain_row("dense_conv2d", "conv2d", 2),
          plain_row("dense_conv3d", "conv3d", 3),
          general_row(),
          transposed_row("dense_conv_transpose1d", "conv_transpose1d", 1),
          transposed_row("dense_conv_transpose2d", "conv_transpose2d", 2),
          transposed_row("dense_conv_transpose3d", "conv_transpose3d", 3),
          convolve_row()};
}

}  // namespace plumb
