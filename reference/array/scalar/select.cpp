// Operations that choose among numbers: by a condition, or by bounds.
#include "core/op.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

bool truth(Double2 x) { return !(x == Double2(0)); }
template <class T>
bool truth(T x) {
  return !(x == T(0));
}

// out_i = x_i where condition_i is not 0, else y_i, operands broadcast.
template <class C, class T>
Array<T> where_of(const Array<C>& condition, const Array<T>& x, const Array<T>& y, const Shape& shape) {
  Array<T> out(shape);
  for (std::int64_t i = 0; i < out.size(); ++i)
    out[i] = truth(condition[broadcast_index(i, shape, condition.shape)]) ? x[broadcast_index(i, shape, x.shape)]
                                                                          : y[broadcast_index(i, shape, y.shape)];
  return out;
}

std::vector<Wide> where(const Call& c) {
  const Spec out = c.outputs()[0];
  const Wide x = widen_as(c["x"], out.dtype), y = widen_as(c["y"], out.dtype);
  return std::visit(
      [&](const auto& condition) {
        return std::visit(
            [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
              return {where_of(condition, a, std::get<Array<T>>(y), out.shape)};
            },
            x);
      },
      widen(c["condition"]));
}

bool is_nan(double x) { return std::isnan(x); }
bool is_nan(Double2 x) { return isnan(x); }
template <class T>
bool is_nan(T) {
  return false;
}

// out_i = min(max(a_i, low_i), high_i), a bound that is not given being none. NaN beside any.
template <class T>
Array<T> clip_of(const Array<T>& a, const Array<T>* low, const Array<T>* high, const Shape& shape) {
  Array<T> out(shape);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    T& y = out[i] = a[broadcast_index(i, shape, a.shape)];
    if (low) {
      const T l = (*low)[broadcast_index(i, shape, low->shape)];
      if (!is_nan(y) && !(y > l)) y = l;
    }
    if (high) {
      const T h = (*high)[broadcast_index(i, shape, high->shape)];
      if (!is_nan(y) && !(y < h)) y = h;
    }
  }
  return out;
}

std::vector<Wide> clip(const Call& c) {
  const Spec out = c.outputs()[0];
  std::optional<Wide> low, high;
  if (c.has("a_min")) low = widen_as(c["a_min"], out.dtype);
  if (c.has("a_max")) high = widen_as(c["a_max"], out.dtype);
  return std::visit(
      [&]<class T>(const Array<T>& a) -> std::vector<Wide> {
        if constexpr (std::is_same_v<T, Complex>) {
          throw std::logic_error("clip is asked for complex numbers");
        } else {
          return {clip_of(a, low ? &std::get<Array<T>>(*low) : nullptr, high ? &std::get<Array<T>>(*high) : nullptr,
                          out.shape)};
        }
      },
      widen_as(c["a"], out.dtype));
}

std::vector<Spec> infer_clip(const Request& r) {
  if (!r.has("a_min") && !r.has("a_max")) r.fail(Reason::arity, "neither a_min nor a_max is given");
  return r.outputs();
}

Cost each_cost(const Call& c) {
  return {static_cast<double>(count(c.outputs()[0].shape)), input_bytes(c) + output_bytes(c)};
}

constexpr const char* kWhereCases = R"(
  call   {b}.{q}.{k}.{c}+{t}.{s}.{l}.{x}+{u}.{r}.{m}.{y}/-
  from   b=bool q={s} k=row c=int-1 t=f32 s=5x33 l=row x=uniform u={t} r={s} m=row y=special
  smoke  t={@all}
  smoke  b={@all} c={special,int-1}
  ci     t={@all} s=3x4x21 x=lanes y=bits
  ci     b={@all} c={lanes,tiny,bits} s=3x4x21
  ci     l={@layouts} m=[transposed,stepped,broadcast] k=[row,reversed,padded] s=3x4x21
  ci     k={@layouts} s=3x4x21 t=[u8,i16,f64,c64]
  ci     t,u={f16 bf16, i32 f16, bool u8, u64 i64, i8 u8, f64 c64, f32 c64, i64 f32, bool bf16} x=int-3 y=whole
  from   three={s s s, 7 s s, s 7 s, s s 7, 3x1 1x4 1, 1 2x3x4x5 4x1, 0 1 1, 1 0x3 1x3, 64x1 1x65 s,
         2x1x2x1x2x1x2x1x2 1x3x1x3x1x3x1x3x1 1}
  smoke  q,s,r={three}
  ci     t={f32,f16,u8,i64,c64} s={1,3,8~,16~,31,33,1023,1025,32767,32769}
)";

constexpr const char* kWhereBench = R"(
  ci     bool.1024x1024.row.int-1+f32.1024x1024.row.uniform+f32.1024x1024.row.uniform/-
)";

constexpr const char* kClipCases = R"(
  call   {t}.{s}.{l}.{x}+{low}+{high}/-
  from   t=f32 s=5x33 l=row x=special low={t}.s.row.const-1 high={t}.s.row.const-2
  smoke  t={@all,!c64}
  # one bound, bounds the wrong way round, bounds that are NaN or infinite
  smoke  low=none
  smoke  high=-
  smoke  low=f32.s.row.const-2 high=f32.s.row.const-1
  smoke  low=f32.5x33.row.special high=f32.5x33.row.uniform
  smoke  low=f32.5x33.row.uniform high=f32.5x33.row.special
  # bounds of a shape and of a type of their own
  ci     t={@all,!c64} low={t}.33.transposed.int-2 high=f32.5x1.row.int-3
  ci     t={@all,!c64} x=lanes s=69x68 low=none high={t}.68.row.int-1
  ci     l={@layouts} s=3x4x21 low=f32.4x1.row.uniform high=f64.3x1x21.stepped.uniform
  ci     s=2x3x2x3x2x3x2x3x2 l={transposed,padded} low=none   # more axes than a kernel takes
  ci     t={f32,f16,i16,u64,f64} s={1,3,8~,16~,31,33,1023,1025,32767,32769} x=uniform low={t}.s.row.const-1
  smoke  s={s,0,3x0x2} low=f32.s.row.const-1
)";

}  // namespace

std::vector<Op> select_ops() {
  Op choose;
  choose.name = "where";
  choose.signature = "condition C[...], x T[...], y U[...] -> out P[...]";
  choose.types = "C, T, U: all; P = promote(T, U)";
  choose.equation = "out_i = x_i where condition_i is not 0, else y_i";
  choose.meaning = "NaN is not 0; a complex number is 0 where both parts are, as MLX has it since 0.32.4";
  choose.oracle = where;
  choose.cases = kWhereCases, choose.bench = kWhereBench;
  choose.cost = each_cost;
  choose.tolerance.kind = Tolerance::Class::rounded;
  Op between;
  between.name = "clip";
  between.signature = "a T[...], a_min? U[...], a_max? V[...] -> out P[...]";
  between.types = "T, U, V: bool integers floats; P = promote(T, U, V)";
  between.equation = "out_i = min(max(a_i, a_min_i), a_max_i)";
  between.meaning = "NaN beside any; a_max where a_min is above it; a bound may be left out, not both";
  between.infer = infer_clip;
  between.oracle = clip;
  between.cases = kClipCases;
  between.rejects = "  call   f32.3.row.uniform/-\n  arity  # no bound\n";
  between.bench = "  ci     f32.1024x1024.row.uniform+f32.s.row.const-0.25+f32.s.row.const-1/-\n";
  between.cost = each_cost;
  between.tolerance.kind = Tolerance::Class::rounded;
  return {choose, between};
}

}  // namespace plumb
