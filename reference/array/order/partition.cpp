// Selection along an axis: partition, argpartition and topk. What lies on either side of the chosen place has no order
// of its own, so results are judged by the property that defines them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/op.h"
#include "reference/array/order.h"

namespace plumb {
namespace {

using namespace reference;

// k = kth, or kth + n, in [0, n)
std::int64_t place(const Request& r, std::int64_t n) {
  const std::int64_t kth = r.integer("kth");
  if (kth < -n || kth >= n)
    r.fail(Reason::attribute, "kth " + std::to_string(kth) + " is no place in a line of " + std::to_string(n));
  return kth < 0 ? kth + n : kth;
}

std::vector<Spec> infer_partition(const Request& r, Dtype out) {
  const Shape shape = ordered_shape(r);
  (void)place(r, lines_along(r, r.shape(0)).size);
  return {{out, shape}};
}
std::vector<Spec> infer_values(const Request& r) { return infer_partition(r, r.dtype(0)); }
std::vector<Spec> infer_indices(const Request& r) { return infer_partition(r, Dtype::u32); }

std::vector<Spec> infer_topk(const Request& r) {
  Shape shape = ordered_shape(r);
  const std::int64_t n = lines_along(r, r.shape(0)).size, k = r.integer("k");
  if (k < 0 || k > n) r.fail(Reason::attribute, "k " + std::to_string(k) + " is not in [0, " + std::to_string(n) + "]");
  shape[r.none("axis") ? 0 : static_cast<std::size_t>(r.axis())] = k;
  return {{r.dtype(0), shape}};
}

Lines lines_of_result(const Call& c, const Shape& shape) {
  return c.none("axis") ? Lines(shape, 0) : Lines(shape, c.axis());
}

// out_i = x(p_(n-m+i)) for i = 0..m-1, x(p_0) <= x(p_1) <= ...
std::vector<Wide> greatest(const Call& c) {
  const Lines along = lines_along(c, c.shape(0));
  const Shape shape = output_specs(c)[0].shape;
  return std::visit(
      [&]<class T>(const Array<T>& all) -> std::vector<Wide> {
        Array<T> result(shape);
        const Lines to = lines_of_result(c, shape);
        for (std::int64_t l = 0; l < to.count && to.size > 0; ++l) {
          const auto x = along.line(all, l);
          const std::vector<std::uint64_t> p = stable_order(x, along.size);
          const auto out = to.line(result, l);
          for (std::int64_t i = 0; i < to.size; ++i)
            out(i) = x(static_cast<std::int64_t>(p[static_cast<std::size_t>(along.size - to.size + i)]));
        }
        return {result};
      },
      widen(c[0]));
}

// The same, but all n in the order that they have, as upstream.
std::vector<Wide> greatest_or_all(const Call& c) {
  const Shape shape = output_specs(c)[0].shape;
  if (count(shape) != count(c.shape(0))) return greatest(c);
  return std::visit(
      [&]<class T>(const Array<T>& all) -> std::vector<Wide> {
        Array<T> result(shape);
        result.data = all.data;
        return {result};
      },
      widen(c[0]));
}

// out = p with x(p_0) <= x(p_1) <= ...
std::vector<Wide> ordered_indices(const Call& c) {
  const Lines along = lines_along(c, c.shape(0));
  Unsigneds result(output_specs(c)[0].shape);
  std::visit(
      [&](const auto& all) {
        for (std::int64_t l = 0; l < along.count; ++l) {
          const std::vector<std::uint64_t> p = stable_order(along.line(all, l), along.size);
          const auto out = along.line(result, l);
          for (std::int64_t i = 0; i < along.size; ++i) out(i) = p[static_cast<std::size_t>(i)];
        }
      },
      widen(c[0]));
  return {result};
}

// ---- The properties ----

// An order without ties but of equal bits, and of NaN with NaN: so a multiset has one sequence.
auto bits_of(double x) { return std::isnan(x) ? std::tuple(true, 0.0, false) : std::tuple(false, x, !std::signbit(x)); }
auto bits_of(Double2 x) { return bits_of(x.hi); }
auto bits_of(Complex x) { return std::tuple(bits_of(x.real()), bits_of(x.imag())); }
auto bits_of(std::uint64_t x) { return x; }
auto bits_of(std::int64_t x) { return x; }

template <class T>
bool before_or_tied(T a, T b) {
  if (before(a, b) || before(b, a)) return before(a, b);
  return bits_of(a) < bits_of(b);
}

template <class T>
std::vector<T> sorted_line(const Line<const T>& line, std::int64_t n) {
  std::vector<T> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(line(i));
  std::sort(v.begin(), v.end(), before_or_tied<T>);
  return v;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](T x, T y) { return bits_of(x) == bits_of(y); });
}

constexpr double kInf = std::numeric_limits<double>::infinity();

double number(Double2 x) { return x.hi; }
double number(Complex x) { return x.real(); }
template <class T>
double number(T x) {
  return static_cast<double>(x);
}

Deviation wrong(std::int64_t line, const char* what) {
  Deviation d;
  d.ratio = kInf, d.what = "line " + std::to_string(line) + " " + what;
  return d;
}

// y_j <= y_k <= y_l for j < k < l
template <class T, class Y>
Deviation parted(const Y& y, std::int64_t n, std::int64_t k, const std::function<std::int64_t(std::int64_t)>& flat) {
  Deviation d;
  for (std::int64_t j = 0; j < n; ++j) {
    if (j < k ? !before(y(k), y(j)) : !before(y(j), y(k))) continue;
    d.ratio = kInf, d.at = flat(j), d.want = number(y(k)), d.got = number(y(j));
    return d;
  }
  return d;
}

std::int64_t flat_index(const Lines& along, std::int64_t line, std::int64_t i) {
  return line / along.step * along.size * along.step + line % along.step + i * along.step;
}

// The line in another order, parted at k.
Deviation partition_error(const Call& c, const std::vector<Tensor>& got, const Order&) {
  const Lines along = lines_along(c, c.shape(0));
  const std::int64_t k = place(c, along.size);
  const Wide given = widen(got[0]);
  return std::visit(
      [&]<class T>(const Array<T>& a) {
        const auto& out = std::get<Array<T>>(given);
        for (std::int64_t l = 0; l < along.count; ++l) {
          const auto x = along.line(a, l), y = along.line(out, l);
          if (!same(sorted_line(x, along.size), sorted_line(y, along.size)))
            return wrong(l, "is no permutation of the input's");
          const auto flat = [&](std::int64_t i) { return flat_index(along, l, i); };
          if (Deviation d = parted<T>(y, along.size, k, flat); !d.ok()) return d;
        }
        Deviation right;
        right.compared = out.size();
        return right;
      },
      widen(c[0]));
}

// Indices of the line, each once, whose values are parted at k.
Deviation argpartition_error(const Call& c, const std::vector<Tensor>& got, const Order&) {
  const Lines along = lines_along(c, c.shape(0));
  const std::int64_t k = place(c, along.size), n = along.size;
  const Unsigneds out = unsigneds(widen(got[0]));
  return std::visit(
      [&]<class T>(const Array<T>& a) {
        for (std::int64_t l = 0; l < along.count; ++l) {
          const auto x = along.line(a, l);
          const auto p = along.line(out, l);
          std::vector<char> seen(static_cast<std::size_t>(n), 0);
          for (std::int64_t i = 0; i < n; ++i) {
            if (p(i) >= static_cast<std::uint64_t>(n) || seen[static_cast<std::size_t>(p(i))]++ != 0)
              return wrong(l, "has an index twice, or one beyond the line");
          }
          const auto y = [&](std::int64_t i) { return x(static_cast<std::int64_t>(p(i))); };
          const auto flat = [&](std::int64_t i) { return flat_index(along, l, i); };
          if (Deviation d = parted<T>(y, n, k, flat); !d.ok()) return d;
        }
        Deviation right;
        right.compared = out.size();
        return right;
      },
      widen(c[0]));
}

// Elements of the line, each at most as often as it is there, that sort as the k greatest do.
Deviation topk_error(const Call& c, const std::vector<Tensor>& got, const Order&) {
  const Lines along = lines_along(c, c.shape(0)), to = lines_of_result(c, got[0].shape());
  const Wide given = widen(got[0]);
  return std::visit(
      [&]<class T>(const Array<T>& a) {
        const auto& out = std::get<Array<T>>(given);
        for (std::int64_t l = 0; l < to.count && to.size > 0; ++l) {
          const std::vector<T> x = sorted_line(along.line(a, l), along.size), y = sorted_line(to.line(out, l), to.size);
          if (!std::includes(x.begin(), x.end(), y.begin(), y.end(), before_or_tied<T>))
            return wrong(l, "holds what the input's does not, or not so often");
          const auto tail = x.end() - to.size;
          if (!std::equal(tail, x.end(), y.begin(), [](T p, T q) { return !before(p, q) && !before(q, p); }))
            return wrong(l, "does not hold the greatest");
        }
        Deviation right;
        right.compared = out.size();
        return right;
      },
      widen(c[0]));
}

// ---- Cases ----

// {m}: the longest line that the axis leaves; {k}: a place in it.
constexpr const char* kPartitionCases = R"(
  call   {t}.{s}.{l}.{x}/kth={k},axis={axis}
  from   t=f32 l=row x=order axis=-1 k=0
  # one element, no axis, no line
  smoke  t={f32,u8,c64} s,k,axis={1 0 -1, s 0 none, 3x1 -1 1, 0x5 2 1, 1x1x5x1 -3 2, 4x1 3 0, 2x3 4 none}
  # every dtype in every layout, on axes that are first, middle and last, by turns
  from   t,i={bool 0, u8 1, u16 2, u32 3, u64 4, i8 5, i16 6, i32 7, i64 8, f16 9, bf16 10, f32 11, f64 12, c64 13}
  from   l,j={row 0, transposed 1, stepped 2, offset 3, reversed 4, broadcast 5, padded 6}
  from   turn={(i+j)%4} along={turn==3?'none':turn} at={turn==0?2:turn==1?17:turn==2?-1:100}
  smoke  t=f32 i=11 l=transposed j=1 s=3x41x2 axis={along} k={at} x={(i+j)%3==0?'int-3':'order'}
  ci     s=3x41x2 axis={along} k={at} x={(i+j)%3==0?'int-3':'order'}
  from   t=f32 l=row
  smoke  t={@all} s=3x17 k=5
  smoke  t={@all} s=7x2 x=int-3 axis=0 k=-2
  ci     t={@all} s=3x70 x=[subnormal,whole,huge] k=[0,33,-1,69]
  ci     t={@all} s=35x34 x=lanes-35 k=[0,9,17,30,33]
  # around the ends of vector networks and of blocks, and each place of a short line
  smoke  t={f32,u8,i64} n={3,17} s={n} k={n/2}
  smoke  s=1000 k=500 x={order,uniform}              # candidates among candidates
  ci     s=5x9 k={0..8}
  ci     n={2,15,16,31,33,255,256,257,511,513,1023,1025,2047,2048,2049,4095,4097,8193} s={n} k=[{n/2},{n-1}]
  ci     t=i64 n={257,2047,4097} s={n} k={{n/2},{n-1}}
  ci     t={f32,u64} n={31,65,256,257,513,2049} s=5x{n} k=[{n/3},0,{n-2}]
  ci     n={2,33,257,4097} s=2x{n}x3 x=int-2 axis=1 k=[{n/2},{n-1}]
  # lines that several threads or work-groups share; ties, runs, and what a sample cannot see
  ci     t,s,k={f32 70001 35000, f64 32769 100} x={order,int-2,ramp-1000,const}
  ci     t,s,k={f16 70001 9, c64 32769 -5} x=order
  ci     s=2x32769x4 axis=1 k=16384
  ci     t=i32 s=70001 l=stepped k=69999
  nightly t={f32,u16,u64,c64} s=1048577 k=524288
)";

constexpr const char* kTopkCases = R"(
  call   {t}.{s}.{l}.{x}/k={k},axis={axis}
  from   t=f32 l=row x=order axis=-1 k=1
  # none, one, all; no axis, no line
  smoke  t={f32,u8,c64} s,k,axis={1 1 -1, 1 0 -1, s 1 none, s 0 none, 3x0 0 1, 3x0 0 0, 0x5 2 1, 1x1x5x1 5 2, 4x1 3 0,
         2x3 4 none}
  from   t,i={bool 0, u8 1, u16 2, u32 3, u64 4, i8 5, i16 6, i32 7, i64 8, f16 9, bf16 10, f32 11, f64 12, c64 13}
  from   l,j={row 0, transposed 1, stepped 2, offset 3, reversed 4, broadcast 5, padded 6}
  from   turn={(i+j)%4} along={turn==3?'none':turn} at={turn==0?2:turn==1?7:turn==2?1:100}
  smoke  t=f32 i=11 l=transposed j=1 s=3x41x2 axis={along} k={at} x={(i+j)%3==0?'int-3':'order'}
  ci     s=3x41x2 axis={along} k={at} x={(i+j)%3==0?'int-3':'order'}
  from   t=f32 l=row
  smoke  t={@all} s=3x17 k=5
  smoke  t={@all} s=7x2 x=int-3 axis=0 k=6
  ci     t={@all} s=3x70 x=[subnormal,whole,huge] k=[1,33,69,2]
  ci     t={@all} s=35x34 x=lanes-35 k=[1,9,17,30,33]
  ci     s=5x9 k={0..9}
  ci     n={2,15,16,31,33,255,256,257,511,513,1023,1025,2047,2048,2049,4095,4097,8193} s={n} k=[{n/2},1]
  ci     t=i64 n={257,2047,4097} s={n} k={{n/2},1}
  ci     t={f32,u64} n={31,65,256,257,513,2049} s=5x{n} k=[{n/3},{n},{n-2}]
  ci     n={2,33,257,4097} s=2x{n}x3 x=int-2 axis=1 k=[{n/2},{n-1}]
  ci     t,s,k={f32 70001 40, f64 32769 32000} x={order,int-2,ramp-1000,const}
  ci     t,s,k={f16 70001 69990, c64 32769 5} x=order
  ci     s=2x32769x4 axis=1 k=100
  ci     t=i32 s=70001 l=stepped k=70000
  nightly t={f32,u16,u64,c64} s=1048577 k={64,524288}
)";

constexpr const char* kPartitionRejects = R"(
  call   f32.{s}.row.order/kth={k},axis={axis}
  from   s=4x3 k=0 axis=-1
  axis   s=s             # no axis to part along
  axis   axis=2          # axis beyond the rank
  axis   axis=-3         # axis before the first
  attribute k=3          # a place beyond the line
  attribute k=-4         # a place before the line
  attribute s=3x0        # no place in an empty line
  attribute k=           # which place is not said
)";

constexpr const char* kTopkRejects = R"(
  call   f32.{s}.row.order/k={k},axis={axis}
  from   s=4x3 k=1 axis=-1
  axis   s=s             # no axis to choose along
  axis   axis=2          # axis beyond the rank
  attribute k=4          # more than there are
  attribute k=-1         # fewer than none
  attribute k=           # how many is not said
)";

constexpr const char* kPartitionBench = R"(
  call   {t}.{s}.row.uniform/kth={k},axis=-1
  ci     t=f32 s,k={1048576 524288, 16777216 8388608, 16384x64 32, 1024x4096 2048}
  ci     t=u64 s=1048576 k=524288
)";

constexpr const char* kTopkBench = R"(
  call   f32.{s}.row.uniform/k={k},axis=-1
  ci     s,k={1048576 100, 16777216 100, 16384x64 8, 256x32000 50}
)";

Op partition_row() {
  Op op;
  op.name = "partition";
  op.signature = "a T[*A] -> out T[*S]";
  op.types = "T: all";
  op.attrs = {{"kth", kNone}, {"axis", -1}};
  op.equation =
      "out: the elements of each line in an order with out_j <= out_k <= out_l for j < k < l, k = kth, or "
      "kth + n if kth < 0; axis none: of the flattened array";
  op.meaning =
      "the order of sort: NaN greatest, zeros equal; on either side of k any order is right, and results are "
      "judged by the property and by being a permutation";
  op.infer = infer_values;
  op.oracle = greatest;
  op.cases = kPartitionCases;
  op.rejects = kPartitionRejects;
  op.bench = kPartitionBench;
  op.tolerance.kind = Tolerance::Class::residual;
  op.tolerance.residual = partition_error;
  return op;
}

Op argpartition_row() {
  Op op = partition_row();
  op.name = "argpartition";
  op.signature = "a T[*A] -> out u32[*S]";
  op.equation =
      "out: the indices of each line, each once, with a[out_j] <= a[out_k] <= a[out_l] for j < k < l, k = kth, "
      "or kth + n if kth < 0; axis none: of the flattened array";
  op.meaning =
      "the order of sort: NaN greatest, zeros equal; equal elements may stand anywhere among each other, and "
      "on either side of k any order is right: judged by the property";
  op.infer = infer_indices;
  op.oracle = ordered_indices;
  op.tolerance.residual = argpartition_error;
  return op;
}

Op topk_row() {
  Op op = partition_row();
  op.name = "topk";
  op.attrs = {{"k", kNone}, {"axis", -1}};
  op.equation =
      "out: k elements of each line such that none of the others is greater; axis none: of the flattened array";
  op.meaning =
      "the order of sort: NaN greatest, zeros equal; in any order, and judged as a multiset; k = n gives the elements "
      "in "
      "the order that they have, k 0 an empty axis";
  op.infer = infer_topk;
  op.oracle = greatest_or_all;
  op.cases = kTopkCases;
  op.rejects = kTopkRejects;
  op.bench = kTopkBench;
  op.tolerance.residual = topk_error;
  return op;
}

}  // namespace

std::vector<Op> partition_ops() { return {partition_row(), argpartition_row(), topk_row()}; }

}  // namespace plumb
