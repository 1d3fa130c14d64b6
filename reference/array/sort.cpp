// Order along an axis. A family of comparisons: no arithmetic, so every route must agree bit for bit.
#include "core/op.h"
#include "reference/array/order.h"

namespace plumb {
namespace {

using namespace reference;

// out = p with x(p_0) <= x(p_1) <= ... along the axis, and p_i < p_(i+1) where the two are equal.
template <class T>
Unsigneds argsort_of(const Array<T>& all, const Lines& along, Shape shape) {
  Unsigneds result(std::move(shape));
  for (std::int64_t l = 0; l < along.count; ++l) {
    const std::vector<std::uint64_t> p = stable_order(along.line(all, l), along.size);
    const auto out = along.line(result, l);
    for (std::int64_t i = 0; i < along.size; ++i) out(i) = p[static_cast<std::size_t>(i)];
  }
  return result;
}

// out_i = x(p_i), p as above
template <class T>
Array<T> sort_of(const Array<T>& all, const Lines& along, Shape shape) {
  Array<T> result(std::move(shape));
  for (std::int64_t l = 0; l < along.count; ++l) {
    const auto x = along.line(all, l);
    const std::vector<std::uint64_t> p = stable_order(x, along.size);
    const auto out = along.line(result, l);
    for (std::int64_t i = 0; i < along.size; ++i) out(i) = x(static_cast<std::int64_t>(p[static_cast<std::size_t>(i)]));
  }
  return result;
}

std::vector<Spec> infer_argsort(const Request& r) { return {{Dtype::u32, ordered_shape(r)}}; }
std::vector<Spec> infer_sort(const Request& r) { return {{r.dtype(0), ordered_shape(r)}}; }

std::vector<Wide> argsort(const Call& c) {
  const Lines l = lines_along(c, c.shape(0));
  return std::visit([&](const auto& x) -> std::vector<Wide> { return {argsort_of(x, l, ordered_shape(c))}; },
                    widen(c[0]));
}

std::vector<Wide> sort(const Call& c) {
  const Lines l = lines_along(c, c.shape(0));
  return std::visit([&](const auto& x) -> std::vector<Wide> { return {sort_of(x, l, ordered_shape(c))}; }, widen(c[0]));
}

// ---- Cases ----

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/axis={axis}
  from   t=f32 l=row x=order axis=-1
  # nothing, one element, no axis
  smoke  t={f32,u8,c64} s,axis={0 -1, 3x0 1, 3x0 0, 0x5 none, s none, 1x1x5x1 2, 4x1 1}
  # every dtype in every layout, on axes that are first, middle and last, by turns
  from   t,i={bool 0, u8 1, u16 2, u32 3, u64 4, i8 5, i16 6, i32 7, i64 8, f16 9, bf16 10, f32 11, f64 12, c64 13}
  from   l,j={row 0, transposed 1, stepped 2, offset 3, reversed 4, broadcast 5, padded 6}
  from   turn={(i+j)%4} along={turn==3?'none':turn}
  smoke  t=f32 i=11 l=transposed j=1 s=3x41x2 axis={along} x={(i+j)%3==0?'int-3':'order'}
  ci     s=3x41x2 axis={along} x={(i+j)%3==0?'int-3':'order'}
  smoke  t=f32 i=11 l=transposed j=1 s=2x37x3 axis=1 if={turn!=1}
  ci     s=2x37x3 axis=1 if={turn!=1}
  from   t=f32 l=row
  smoke  t={@all} s=3x17
  smoke  t={@all} s=7x2 x=int-3 axis=0
  smoke  t={@all} s=3x70 x={subnormal,whole,huge}
  ci     t={@all} s=35x34 x=lanes-35
  # around the ends of vector networks, of work-group tiles and of chunks: 256, 2048 and their neighbours
  smoke  t={f32,u8,i64} s={1,2,3,15,17}
  smoke  s={257,513}
  from   odd={1,3,15,17,31,33,65,129,255,257,513,1023,1025,2047,2049,4095,4097}
  from   even={2,32,64,256,1024,2048}
  ci     t={f32,u8,i64} s={{odd},{even}}
  ci     t={f32,u8,i64} s=9x{odd}
  ci     t={f32,u8,i64} s=2x{even}x3 x=int-2 axis=1
  smoke  s=33x19
  ci     t={f32,c64} s={1,2,4,7,8,9,15,16,17,31,33}x19
  # lines that several threads or work-groups share
  ci     t={@all} s=33000
  ci     t,s={f32 70001, f64 32769} x={uniform,order,int-2,ramp,ramp-1000,const}
  ci     s=2x32769x4 axis=1
  ci     t=f16 s=3x32769 l=reversed axis=1
  ci     t=i32 s=131073 l=stepped
  nightly t={f32,u16,u64,c64} s=1048577
)";

constexpr const char* kSortCases = R"(
  call   {t}.{s}.{l}.{x}/axis={axis}
  from   t=f32 l=row x=order axis=-1
  # nothing, one element, no axis
  smoke  t={f32,u8,c64} s,axis={0 -1, 3x0 0, s none, 1x1x5x1 2}
  # every dtype in every layout, on axes that are first, middle and last, by turns
  from   t,i={bool 0, u8 1, u16 2, u32 3, u64 4, i8 5, i16 6, i32 7, i64 8, f16 9, bf16 10, f32 11, f64 12, c64 13}
  from   l,j={row 0, transposed 1, stepped 2, offset 3, reversed 4, broadcast 5, padded 6}
  from   turn={(i+j)%4} along={turn==3?'none':turn}
  ci     s=3x41x2 axis={along} x={(i+j)%3==0?'int-3':'order'}
  from   t=f32 l=row
  smoke  t={@all} s=5x17
  smoke  t={@all} s=7x2 x=int-3 axis=0
  smoke  t={@all} s=3x270 x=[subnormal,whole,huge]
  ci     t={@all} s=35x34 x=lanes-35
  # around the ends of vector networks, of work-group tiles and of chunks: 256, 2048 and their neighbours
  ci     t={f32,i64} s={2,3,15,16,17,255,256,257,513,2047,2048,2049,4097}
  ci     t={f32,u8,i64} s=9x{2,15,16,17,33,65,256,257,513}
  ci     t=f32 s={1,4,7,8,9,15,16,17,31,33}x19
  ci     s=2x{2,32,65,257,2048}x3 x=int-2 axis=1
  # zeros of both signs and NaN of every pattern among others, in lines of each kind
  ci     t={f16,bf16,f32,f64,c64} s={5x70,2x3001} x={special-2,lanes-2}
  # lines that several threads or work-groups share
  ci     t={f32,u16,i64} s=33000
  ci     t,s={f32 70001, f64 32769} x={order,int-2,ramp-1000,const}
  ci     s=2x32769x4 axis=1
  ci     t=i32 s=40001 l=stepped
  nightly t={f32,u16,u64,c64} s={1048577,3000001}
)";

constexpr const char* kRejects = R"(
  call   f32.{s}.row.order/axis={axis}
  axis   s=s axis=-1    # no axis to sort along
  axis   s=4 axis=1     # axis beyond the rank
  axis   s=4x3 axis=-3  # axis before the first
)";

constexpr const char* kBench = R"(
  ci     f32.{1000,1048576,16777216}.row.uniform/axis=-1
  ci     u64.1048576.row.order/axis=-1
  ci     f32.{1024x1024,16384x64}.row.uniform/axis=-1
)";

}  // namespace

std::vector<Op> sort_ops() {
  Op argsort_row{
      .name = "argsort",
      .signature = "a T[*A] -> out u32[*S]",
      .types = "T: all",
      .attrs = {{"axis", -1}},
      .equation =
          "out = p with a[p_0] <= a[p_1] <= ... along the axis, lower index first among equals; "
          "axis none: of the flattened array",
      .meaning =
          "NaN after everything and equal to NaN; -0 equals +0; complex by real, then imaginary part; "
          "a line of length 0 gives an empty result",
      .infer = infer_argsort,
      .oracle = argsort,
      .cases = kCases,
      .rejects = kRejects,
      .bench = kBench,
      .tolerance = {.kind = Tolerance::Class::exact},
  };
  Op sort_row = argsort_row;
  sort_row.name = "sort";
  sort_row.signature = "a T[*A] -> out T[*S]";
  sort_row.equation = "out_i = a[p_i] with p = argsort(a) along the axis; axis none: of the flattened array";
  sort_row.meaning =
      "the order of argsort: NaN last, either of a complex number's parts being enough; zeros of both "
      "signs are equal and keep their order; a line of length 0 gives an empty result";
  sort_row.infer = infer_sort;
  sort_row.oracle = sort;
  sort_row.cases = kSortCases;
  return {argsort_row, sort_row};
}

}  // namespace plumb
