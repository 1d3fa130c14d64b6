// Uniform numbers, whole numbers and truths: exact functions of the words of a key.
#include <algorithm>
#include <cmath>

#include "core/signature.h"
#include "reference/array/random/draws.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

// ---- uniform

constexpr std::initializer_list<Dtype> kSmallFloats = {Dtype::f32, Dtype::f16, Dtype::bf16};

std::vector<Spec> infer_uniform(const Request& r) {
  const Dtype t = drawn_dtype(r, kSmallFloats, "f16, bf16 or f32");
  const Shape shape = drawn_shape(r);
  check_broadcast(r, shape);
  return {{t, shape}};
}

// An input as numbers of the dtype; what it is if it is not given.
Reals bound(const Call& c, const char* input, double fallback, Dtype t) {
  if (!c.has(input)) return Reals({}, fallback);
  const Wide wide = widen_as(c[input], t);
  return reals(wide);
}

// out_i = u_i (high - low) + low
std::vector<Wide> uniform(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Reals low = bound(c, "low", 0, out.dtype), high = bound(c, "high", 1, out.dtype);
  return {between(c, low, high, out.shape, out.dtype)};
}

constexpr const char* kUniformCases = R"(
  call   {low}+{high}+u32.2.{v}.{x}/shape={s},dtype={t}
  from   t={f32,f16,bf16} v=row x=bits low=none high=none
  smoke  s={:,0:,1:,2:,3:,9:,3:0:2,2:3}
  smoke  s=5:3 low=f32.s.row.const--2 high={f32.s.row.const-3,i32.s.row.const-7,none}
  smoke  s=3:2 low=f32.2.row.uniform high=f32.3x1.row.int-9    # bounds broadcast
  smoke  s=40: low=f32.s.row.const-1 high=f32.s.row.const-1    # nothing between them
  smoke  s=67: x=const-0
  # both sides of a vector of counters, of a block and of a thread's share, odd and even
  ci     s={15,16,17,31,32,33,34,35,63,64,65,127,129,255,257,1025,2047,2048,2049,4099,32771}:
  ci     s=7:11:13
  ci     s=4:5 x=order v={@layouts}
  from   t=f32
  ci     s=6:10 l={@layouts} low=f32.6x10.{l}.int-5 high=f32.10.{l}.uniform-9
  ci     s=4:3:5 low={b}.3x1.row.int-2 high={b}.4x1x5.row.int-90 t={f32,f16,bf16}
         b={bool,u8,u16,u32,u64,i8,i16,i32,i64,f16,bf16,f64}
  ci     s=64:33 low=f32.64x1.row.{f} high=f32.33.row.{f} f={wide,tiny,huge,subnormal,special,lanes-5} t={f32,f16,bf16}
  ci     s=4:3 low=f32.4x3.row.int-5 high=f32.4x3.row.int-9
  ci     s=2:1:2:1:3:1:2:2 low=f32.1x2x1x3x1x2x1.row.int-9 high=f32.2x1x2x1x1x1x2x2.row.int-5   # eight axes
  ci     s=2:1:1:2:1:1:1:2:1 low=f32.2x1.row.int-3   # nine axes
  ci     s=300003: t={f32,bf16}
)";

constexpr const char* kUniformRejects = R"(
  call   {low}+{high}+u32.2.row.order/shape={s},dtype={t}
  from   low=f32.s.row.const-0 high=f32.s.row.const-1 s=2: t=f32
  dtype  t={i32,bool,c64}          # no real number
  dtype  t=f64                     # a word has 32 bits
  attribute t=half                 # no dtype
  shape  s=2:-1                    # negative extent
  shape  low=f32.3.row.uniform     # does not broadcast to the shape
  shape  high=f32.1x2.row.uniform  # an axis more than the shape
  shape  s=1: high=f32.2.row.uniform   # the shape would have to grow
)";

constexpr const char* kUniformBench = R"(
  ci     none+none+u32.2.row.order/shape={16384:,16777216:},dtype={f32,f16}
)";

// ---- bernoulli

std::vector<Spec> infer_bernoulli(const Request& r) {
  const Shape shape = drawn_shape(r, r.shape(0));
  check_broadcast(r, shape);
  return {{Dtype::boolean, shape}};
}

// out_i = (w_i < p_i 4294967808), both as numbers of F, the product rounded
std::vector<Wide> bernoulli(const Call& c) {
  constexpr double kBeyond = 4294967808;  // the number of binary32 after 2^32
  const Shape shape = output_specs(c)[0].shape;
  const Wide p = widen_as(c["p"], Dtype::f64);
  const Reals2& P = std::get<Reals2>(p);
  const bool wide = c.dtype(0) == Dtype::f64;
  Unsigneds out(shape);
  const std::vector<Word> w = words(c, out.size());
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const double product = P[broadcast_index(i, shape, P.shape)].hi * kBeyond;
    const Word word = w[static_cast<std::size_t>(i)];
    out[i] = wide ? word < product : static_cast<float>(word) < static_cast<float>(product);
  }
  return {out};
}

constexpr const char* kBernoulliCases = R"(
  call   {t}.{p}.{l}.{f}+u32.2.{v}.{x}/shape={s}
  from   t={f32,f16,bf16,f64} v=row x=bits l=row p=s f=const-0.5 s=none
  smoke  s={none,:,0:,1:,2:,9:,2:3}
  smoke  s=50: f={const-0,const-1,const-2,const--1,const-nan,const-inf,const-0.1}
  smoke  p=4 s={none,3:4} f=uniform
  ci     s={15,16,17,31,32,33,63,64,65,127,129,257,1025,2049,4099,32771}: f=const-0.3
  ci     s=4:5 p=4x5 l={@layouts} f=uniform
  ci     s=40:33 p=40x1 f={uniform,special,tiny,huge,subnormal,lanes-3}
  ci     s=4:3 v={@layouts} x=order
  from   t=f32 p=s l=row f=const-0.5 s=none v=row x=bits
  ci     s=2:1:2:1:3:1:2:2 p=2x1x3x1x1x2 f=positive      # eight axes
  ci     s=2:1:1:2:1:1:1:2:1   # nine axes
  ci     s=300003: f=const-0.7
)";

constexpr const char* kBernoulliRejects = R"(
  call   f32.{p}.row.uniform+u32.2.row.order/shape={s}
  from   p=s s=2:
  shape  p=3            # does not broadcast to the shape
  shape  s=-1:          # negative extent
)";

constexpr const char* kBernoulliBench = R"(
  ci     f32.s.row.const-0.5+u32.2.row.order/shape={16384:,16777216:}
)";

// ---- randint

__extension__ typedef __int128 Whole;

std::vector<Spec> infer_randint(const Request& r) {
  const auto t = r.dtype_attr("dtype").value_or(Dtype::i32);
  if (!is_integer(t) && t != Dtype::boolean)
    r.fail(Reason::dtype, "dtype " + std::string(name(t)) + ": not a whole number");
  const Shape shape = drawn_shape(r);
  check_broadcast(r, shape);
  return {{t, shape}};
}

Whole whole(const Wide& x, std::int64_t i) {
  if (const auto* u = std::get_if<Unsigneds>(&x)) return static_cast<Whole>((*u)[i]);
  return static_cast<Whole>(integers(x)[i]);
}

// out_i = min(max(floor(v_i), low), high - 1) modulo 2^bits, v the numbers of binary32 between low and high; low if
// high <= low
std::vector<Wide> randint(const Call& c) {
  const Spec out = output_specs(c)[0];
  const Wide low = widen(c["low"]), high = widen(c["high"]);
  const auto floats = [](const Wide& x) {
    const Wide nearest = widen(narrow(x, Dtype::f32));
    return reals(nearest);
  };
  const Reals v = between(c, floats(low), floats(high), out.shape, Dtype::f32);
  Unsigneds y(out.shape);
  for (std::int64_t i = 0; i < v.size(); ++i) {
    const Whole least = whole(low, broadcast_index(i, out.shape, c.shape(0)));
    const Whole most = whole(high, broadcast_index(i, out.shape, c.shape(1))) - 1;
    const Whole x = most < least ? least : std::clamp(static_cast<Whole>(std::floor(v[i])), least, most);
    y[i] = out.dtype == Dtype::boolean ? x != 0 : static_cast<std::uint64_t>(x);
  }
  return {y};
}

constexpr const char* kRandintCases = R"(
  call   {low}+{high}+u32.2.{v}.{x}/shape={s},dtype={t}
  from   t=i32 v=row x=bits low=i32.s.row.const-0 high=i32.s.row.const-10
  smoke  s={:,0:,1:,2:,3:,9:,3:0:2,2:3}
  smoke  s=31: t={u8,u16,u32,u64,i8,i16,i64,bool}
  smoke  s=40: low=i32.s.row.const--5 high=i32.s.row.const-300 t={u8,u64,i8,i64,bool}   # bounds that do not fit
  smoke  s=20: low=i32.s.row.const-7 high=i32.s.row.const-{h} h={7,6,-3,8}     # nothing, or one number, between them
  smoke  s=20: low=i32.s.row.const-{m} high=i32.s.row.const-{h} t=bool m,h={0 2,0 1,1 2,1 1,2 0}
  smoke  s=99: low=i32.s.row.const-16777216 high=i32.s.row.const-16777218      # beyond 24 bits: both are drawn
  smoke  s=60: low=i64.s.row.const-{m} high=i64.s.row.const-{h} t=i64 m,h={0 1099511627776,1099511627776 1099511628800}
  smoke  s=33: low=u64.s.row.const-9223372036854775808 high=u64.s.row.const-18446744073709549568 t=u64
  smoke  s=2:3 low=i32.3.row.int-9 high=i32.2x1.row.int-9                      # bounds broadcast
  ci     s=40:20 low={b}.40x1.row.whole high={b}.20.row.whole b={bool,u8,u16,u32,u64,i8,i16,i32,i64} t={b}   # the ends
  ci     s=40:20 low={b}.40x1.row.whole high={b}.20.row.whole b={u32,u64,i64} t={u8,i16,u64,i64,bool}
  ci     s={15,16,17,31,32,33,63,64,65,127,129,257,1025,2049,4099,32771}:
  ci     s=4:5 x=order v={@layouts} low=i32.4x5.{v}.int-9 high=i32.5.row.int-90
  ci     s=2:1:2:1:3:1:2:2 low=i16.1x2x1x3x1x2x1.row.int-9 high=i16.2x1x2x1x1x1x2x2.row.int-50   # eight axes
  ci     s=2:1:1:2:1:1:1:2:1   # nine axes
  ci     s=300003:
)";

constexpr const char* kRandintRejects = R"(
  call   {low}+{high}+u32.2.row.order/shape={s},dtype={t}
  from   low=i32.s.row.const-0 high=i32.s.row.const-9 s=2: t=i32
  dtype  t={f32,f16,c64}         # no whole number
  attribute t=whole              # no dtype
  shape  s=2:-1                  # negative extent
  shape  low=i32.3.row.int-3     # does not broadcast to the shape
)";

constexpr const char* kRandintBench = R"(
  ci     i32.s.row.const-0+i32.s.row.const-1000+u32.2.row.order/shape={16384:,16777216:},dtype=i32
)";

}  // namespace

std::vector<Op> uniform_ops() {
  return {
      {
          .name = "uniform",
          .signature = "low? L[...], high? H[...], key u32[2] -> out F[*S]",
          .types = "L, H: bool integers floats; F: f16 bf16 f32",
          .attrs = {{"shape", Shape{}}, {"dtype", "f32"}},
          .equation = "out_i = u_i (high - low) + low, u_i = min(w_i / 2^32, 1 - 2^-p), w = random_bits(key, shape)",
          .meaning = "low and high (0 and 1) become numbers of the dtype first, then the difference, the product and "
                     "the sum are rounded each; w_i is rounded to f32, u_i to the dtype, p its significant bits; words "
                     "have 32 bits for every dtype, hence no f64; out may be high where the sum rounds up to it",
          .infer = infer_uniform,
          .oracle = uniform,
          .cases = kUniformCases,
          .rejects = kUniformRejects,
          .bench = kUniformBench,
          .tolerance = {.kind = Tolerance::Class::exact},
      },
      {
          .name = "bernoulli",
          .signature = "p P[...], key u32[2] -> out bool[*S]",
          .types = "P: floats",
          .attrs = {{"shape", kNone}},
          .equation = "out_i = (w_i < p_i 4294967808), w = random_bits(key, shape)",
          .meaning =
              "the constant is the f32 after 2^32, so that p = 1 is always true; w_i and the product are rounded "
              "to f32, to f64 if p is; NaN is never true; the shape is that of p if none is given",
          .infer = infer_bernoulli,
          .oracle = bernoulli,
          .cases = kBernoulliCases,
          .rejects = kBernoulliRejects,
          .bench = kBernoulliBench,
          .tolerance = {.kind = Tolerance::Class::exact},
      },
      {
          .name = "randint",
          .signature = "low L[...], high L[...], key u32[2] -> out I[*S]",
          .types = "L, I: bool integers",
          .attrs = {{"shape", Shape{}}, {"dtype", "i32"}},
          .equation = "out_i = min(max(floor(v_i), low), high - 1), v = uniform(low, high, shape) of f32",
          .meaning = "a whole number of [low, high) becomes one of the dtype at last, modulo 2^bits (bool: x != 0), so "
                     "that 0 and 256 give every u8; high <= low gives low; v has 24 bits, so that wide ranges are "
                     "drawn in steps; MLX clamps after it has wrapped, and gives one number where a bound does not fit",
          .infer = infer_randint,
          .oracle = randint,
          .cases = kRandintCases,
          .rejects = kRandintRejects,
          .bench = kRandintBench,
          .tolerance = {.kind = Tolerance::Class::exact},
      },
  };
}

}  // namespace plumb
