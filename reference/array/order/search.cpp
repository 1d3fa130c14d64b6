// Where values stand in a sorted sequence.
#include <algorithm>

#include "core/fill.h"
#include "core/op.h"
#include "reference/array/order.h"

namespace plumb {
namespace {

using namespace reference;

bool is_right(const Request& r) {
  const std::string& side = r.text("side");
  if (side != "left" && side != "right") r.fail(Reason::attribute, "side '" + side + "' is neither left nor right");
  return side == "right";
}

std::vector<Spec> infer(const Request& r) {
  (void)is_right(r);
  if (r.size('N') > std::numeric_limits<std::uint32_t>::max())
    r.fail(Reason::unsupported, "a sequence of " + std::to_string(r.size('N')) + " elements passes 32-bit indices");
  return r.outputs();
}

// left:  out_j = how many s_i are before v_j
// right: out_j = how many s_i are not after v_j
std::vector<Wide> searchsorted(const Call& c) {
  const Dtype common = promote(c.dtype(0), c.dtype(1));
  const bool right = is_right(c);
  const Wide sequence = widen_as(c[0], common), values = widen_as(c[1], common);
  return std::visit(
      [&]<class T>(const Array<T>& s) -> std::vector<Wide> {
        const auto& v = std::get<Array<T>>(values);
        Unsigneds out(v.shape);
        for (std::int64_t j = 0; j < v.size(); ++j)
          for (std::int64_t i = 0; i < s.size(); ++i) out[j] += right ? !before(v[j], s[i]) : before(s[i], v[j]);
        return {out};
      },
      sequence);
}

// The values of another fill in ascending order: p = 0 of `order`, else whole numbers in [-p, p].
Wide ascending(const Spec& spec, std::uint64_t key, double p) {
  const std::string other = p == 0 ? "order" : "int-" + std::to_string(static_cast<std::int64_t>(p));
  Wide values = widen(fill(spec, other, key));
  std::visit([]<class T>(Array<T>& a) { std::stable_sort(a.data.begin(), a.data.end(), before<T>); }, values);
  return values;
}

std::vector<Fill> more_fills() {
  return {{"ascending", "sorted: of `order`, or whole numbers in [-p, p] if p > 0", 0, {0, 0x1p31}, ascending}};
}

constexpr const char* kCases = R"(
  call   {t}.{n}.{l}.{x}+{u}.{s}.{m}.{y}/side={side}
  from   t=f32 u={t} n=17 s=9 l=row m=row x=ascending y=order side=left
  # nothing to look for, nowhere to look, one element
  smoke  n={0,1,2} s={0,1,s,3x0} side={left,right}
  smoke  t={@all} n=17 s=3x5 side={left,right}
  smoke  t={@all} n=33 s=2x9 x=ascending-3 y=int-4 side={left,right}
  smoke  n=7 s=40                                    # more values than there are elements
  # two types meet in the promoted one, in which neighbours may become equal
  smoke  t,u={i32 f32, f32 i32, u64 i64, i8 u8, bool f16, f16 bf16, f64 f32, c64 f32, f32 c64, u64 f16, f64 c64,
         i64 f64} n=40 s=31 side=[left,right]
  ci     t={@all} u={@all} n=23 s=11 side=[left,right]
  # both operands in every layout
  ci     t={f32,u8,i64,f16,c64} n=37 s=5x4x3 l={@layouts} side=[left,right]
         m=[row,transposed,stepped,reversed,broadcast,padded]
  # powers of two and their neighbours, where halving ends
  ci     t={f32,i64} n={3,4,5,7,8,9,15,16,31,32,63,64,65,127,128,255,256,257,1023,1024,1025} s=33 side=[left,right]
         x=[ascending,ascending-50] y=[order,int-51]
  # work that threads share, and vectors of queries
  ci     n=300 s={7,8,9,15,16,17,63,64,65,1000,4099} y=[order,uniform] side=[left,right]
  ci     t={f32,u16,f64,c64} n=4097 s=2049 side={left,right}
  ci     t,u={f32 f32, i8 f32} n=40001 s=3 side={left,right}   # few queries of a long sequence
  nightly t={f32,u64} n=100003 s=1003
)";

constexpr const char* kRejects = R"(
  call   f32.{n}.row.ascending+f32.{s}.row.order/side={side}
  from   n=4 s=3 side=left
  attribute side=middle   # no such side
  attribute side=none     # a side that is not said
  rank   n=2x2            # a sequence has one axis
)";

constexpr const char* kBench = R"(
  call   f32.{n}.row.ascending-2000000000+f32.{s}.row.uniform-1000000000/side=left
  ci     n,s={1048576 1048576, 1024 4194304, 16777216 1000}
)";

// Of large calls: some of the values, which all the sequence answers.
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  if (c[1].rank() != 1 || c[1].size() < 64) return std::nullopt;
  constexpr std::int64_t kFew = 16;
  Call small = make_call(*c.op, {c[0], spaced(c[1], 0, kFew, key)}, c.attrs);
  return Spot{std::move(small),
              [key](const std::vector<Tensor>& out) { return std::vector<Tensor>{spaced(out[0], 0, kFew, key)}; }};
}

}  // namespace

std::vector<Op> search_ops() {
  Op op;
  op.name = "searchsorted";
  op.signature = "sequence T[N], values U[*S] -> out u32[*S]";
  op.types = "T, U: all";
  op.attrs = {{"side", "left"}};
  op.equation = "left: out_j = how many sequence_i are before values_j; right: how many are not after it";
  op.meaning =
      "the order of sort (NaN last and equal to NaN, zeros equal, complex lexicographic) in the promoted dtype; "
      "the sequence is ascending in that order, and of another one nothing is said";
  op.infer = infer;
  op.oracle = searchsorted;
  op.fills = more_fills;
  op.cases = kCases;
  op.rejects = kRejects;
  op.bench = kBench;
  op.spot = spot;
  op.tolerance.kind = Tolerance::Class::exact;
  return {op};
}

}  // namespace plumb
