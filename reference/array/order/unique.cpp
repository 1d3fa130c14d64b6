// The distinct values of an array.
#include <algorithm>
#include <cmath>

#include "core/op.h"
#include "reference/array/order.h"

namespace plumb {
namespace {

using namespace reference;

// Whether a whole number is one of an integer dtype.
bool holds(Dtype t, std::int64_t v) {
  const Tensor there = narrow(Integers({1}, v), t);
  return as_integers(widen(there))[0] == v && (v >= 0 || info(t).kind != Kind::unsigned_integer);
}

std::vector<Spec> infer(const Request& r) {
  const std::int64_t size = r.integer("size");
  if (size < 0) r.fail(Reason::attribute, "size " + std::to_string(size) + " is negative");
  const std::int64_t n = count(r.shape(0));
  if (n > std::numeric_limits<std::uint32_t>::max())
    r.fail(Reason::unsupported, std::to_string(n) + " elements pass 32-bit indices");
  if (r.none("fill_value")) {
    if (n == 0 && size > 0) r.fail(Reason::attribute, "fill_value is missing: there is no value to fill with");
    return r.outputs({{'N', size}});
  }
  const double fill = r.number("fill_value");
  const Attr* given = r.attrs.find("fill_value");
  if (const auto* whole = given->get<std::int64_t>(); whole && is_integer(r.dtype(0)) && !holds(r.dtype(0), *whole))
    r.fail(Reason::attribute, "fill_value " + std::to_string(*whole) + " is no " + std::string(name(r.dtype(0))));
  (void)fill;
  return r.outputs({{'N', size}});
}

// The fill as an element of the input's wide type: truncated and saturated where that is an integer.
Wide fill_of(const Call& c) {
  const auto* whole = c.attrs.find("fill_value")->get<std::int64_t>();
  const Wide given = whole ? Wide(Integers({1}, *whole)) : Wide(Reals({1}, c.number("fill_value")));
  return widen(narrow(given, c.dtype(0)));
}

// Two of a group, so that every NaN is one of its own.
template <class T>
bool equal(T a, T b) {
  return !unordered(a) && !unordered(b) && !below(a, b) && !below(b, a);
}

// Groups g = 0, 1, .. of equal elements, ascending; m = size. With p the stable order of the flattened x, and p(g) the
// first of group g:
//   values_g  = x(p(g)),  indices_g = p(g),  counts_g = how many are in group g                    g < m
//   inverse_i = min(g, m-1), 0 if m = 0, g the group of x_i
//   beyond the last group: the fill, or x(p(0));  indices p(0), 0 if x is empty;  counts 0
template <class T>
std::vector<Wide> unique_of(const Array<T>& x, const std::vector<Spec>& specs, std::int64_t m, const T* fill) {
  Array<T> values(specs[0].shape);
  Unsigneds indices(specs[1].shape), inverse(specs[2].shape);
  Integers counts(specs[3].shape);
  const std::vector<std::uint64_t> p = stable_order(Line<const T>(x.data.data(), 1), x.size());
  std::int64_t groups = 0;
  for (std::size_t j = 0; j < p.size(); ++j) {
    const auto i = static_cast<std::int64_t>(p[j]);
    if (j == 0 || !equal(x[static_cast<std::int64_t>(p[j - 1])], x[i])) {
      if (groups < m) values[groups] = x[i], indices[groups] = p[j];
      ++groups;
    }
    if (groups <= m) ++counts[groups - 1];
    inverse[i] = static_cast<std::uint64_t>(std::max<std::int64_t>(std::min(groups - 1, m - 1), 0));
  }
  for (std::int64_t g = groups; g < m; ++g) {
    values[g] = fill ? *fill : x[static_cast<std::int64_t>(p[0])];
    indices[g] = p.empty() ? 0 : p[0];
  }
  return {values, indices, inverse, counts};
}

std::vector<Wide> unique(const Call& c) {
  const bool filled = !c.none("fill_value");
  const Wide fill = filled ? fill_of(c) : Wide();
  return std::visit(
      [&]<class T>(const Array<T>& x) {
        const T* one = filled ? std::get<Array<T>>(fill).data.data() : nullptr;
        return unique_of(x, output_specs(c), c.integer("size"), one);
      },
      widen(c[0]));
}

constexpr const char* kCases = R"(
  call   {t}.{s}.{l}.{x}/size={m},fill_value={f}
  from   t=f32 l=row x=order f=
  # nothing, one element, room for none, for fewer and for more than there are
  smoke  t={f32,u8,c64} s,m,f={0 0 -, 0 3 7, s 1 -, s 3 -, 1 0 -, 3x0 2 0, 5 0 -, 2x3 1 -, 2x3 9 -1.5, 2x3 9 2}
  smoke  t={@all} s=3x17 x={order,int-3} m={4,60}
  smoke  t={@all} s=40 x=int-2 m=7 f={1,2.75}
  ci     t={@all} l={@layouts} s=5x4x3 x=[order,int-5] m=[20,70]
  ci     t={@all} s=35x34 x=lanes-35 m=[5,1190]
  ci     t={@all} s=3x70 x={subnormal,whole,huge} m=[100,300]
  # around vectors, tiles of work-groups and blocks; all equal, all different
  ci     t={f32,i64} n={2,3,255,256,257,1023,1025,2047,2048,2049,4095,4097} s={n} x={order,ramp,const} m={n}
  ci     t,s={f32 70001, f64 32769, u8 33000, c64 32769} x={uniform,order,int-2,ramp-1000} m={1000,40000}
  nightly t={f32,u64} s=1048577 m=1048577
)";

constexpr const char* kRejects = R"(
  call   {t}.{s}.row.order/size={m},fill_value={f}
  from   t=u8 s=4 m=3 f=
  attribute m=-1           # fewer than none
  attribute m=             # how many is not said
  attribute f=300          # a fill that the type does not hold
  attribute f=-1           # nor this one
  attribute t=f32 s=0 m=2  # nothing to fill with
  attribute f=none_at_all  # no number
)";

constexpr const char* kBench = R"(
  ci     f32.{1048576,16777216}.row.int-1000/size=2001
  ci     i32.1048576.row.bits/size=1048576
)";

}  // namespace

std::vector<Op> unique_ops() {
  Op op;
  op.name = "unique";
  op.signature = "a T[*A] -> values T[N], indices u32[N], inverse u32[*A], counts i32[N]";
  op.types = "T: all";
  op.attrs = {{"size", kNone}, {"fill_value", kNone}};
  op.equation =
      "groups of equal elements of the flattened array, ascending: values_g their first element, indices_g its "
      "position, counts_g how many they are; inverse_i = min(group of a_i, size - 1)";
  op.meaning =
      "always size values: cut to the smallest, or filled with fill_value (none: the smallest value), index "
      "of the smallest, count 0; every NaN is a group of its own; zeros are equal; a fraction as fill of "
      "integers is truncated and saturated, a whole number that the type lacks refused; size 0 has inverse 0";
  op.infer = infer;
  op.oracle = unique;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.tolerance.kind = Tolerance::Class::exact;
  return {op};
}

}  // namespace plumb
