// Arrays that grow: repeated, tiled, rolled, padded, with a part replaced by zeros, and sums of a diagonal.
#include <algorithm>

#include "reference/array/shape/movement.h"

namespace plumb {
namespace {

using namespace reference;
using Axes = std::vector<std::int64_t>;

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

// k modulo n, in [0, n)
std::int64_t modulo(std::int64_t k, std::int64_t n) { return (k % n + n) % n; }

// ---- Repeated ----

std::vector<Spec> infer_repeat(const Request& r) {
  const std::int64_t k = r.integer("repeats");
  if (k < 0) r.fail(Reason::attribute, std::to_string(k) + " repeats");
  Shape out = r.none("axis") ? Shape{count(r.shape(0))} : r.shape(0);
  std::int64_t& n = out[r.none("axis") ? 0 : at(r.axis())];
  n = product(r, n, k);
  return of_shape(r, out);
}

// out[i] = a[j], j = i / repeats on the axis; without one, of the flattened array
std::vector<Wide> repeat(const Call& c) {
  const std::int64_t k = c.integer("repeats");
  if (c.none("axis")) return moved(c, [&](const Index& i) { return index_at(i[0] / k, c.shape(0)); });
  return moved(c, [&](Index i) {
    i[at(c.axis())] /= k;
    return i;
  });
}

std::vector<Spec> infer_tile(const Request& r) {
  const std::vector<std::int64_t> reps = r.list("reps");
  const Shape& s = r.shape(0);
  Shape out(std::max(s.size(), reps.size()), 1);
  for (std::size_t d = 0; d < out.size(); ++d) {  // from the last axis
    const std::int64_t k = d < reps.size() ? reps[reps.size() - 1 - d] : 1;
    if (k < 0) r.fail(Reason::attribute, std::to_string(k) + " repeats");
    out[out.size() - 1 - d] = product(r, k, d < s.size() ? s[s.size() - 1 - d] : 1);
  }
  return of_shape(r, out);
}

// out[i] = a[j], j_d = i_d modulo n_d, axes aligned at the last
std::vector<Wide> tile(const Call& c) {
  const Shape& s = c.shape(0);
  return moved(c, [&](const Index& i) {
    Index j(i.end() - static_cast<std::ptrdiff_t>(s.size()), i.end());
    for (std::size_t d = 0; d < s.size(); ++d) j[d] %= s[d];
    return j;
  });
}

// ---- Rolled ----

std::vector<std::int64_t> shifts(const Request& r) {
  std::vector<std::int64_t> s = r.list("shift");
  if (r.none("axis")) return s;
  const std::size_t axes = r.list("axis").size();
  if (s.size() == 1) s.resize(axes, s[0]);
  if (s.size() < axes) r.fail(Reason::attribute, std::to_string(s.size()) + " shifts for " + std::to_string(axes));
  return s;
}

std::vector<Spec> infer_roll(const Request& r) {
  (void)shifts(r);
  if (!r.none("axis"))
    for (const std::int64_t a : r.list("axis")) (void)normal(r, a, r.rank(0));
  return of_shape(r, r.shape(0));
}

// out[i] = a[j], j = i - shift modulo n on each axis named; without one, of the flattened array
std::vector<Wide> roll(const Call& c) {
  const std::vector<std::int64_t> shift = shifts(c);
  const Shape& s = c.shape(0);
  if (c.none("axis"))
    return moved(c, [&](const Index& i) {
      std::int64_t p = position(i, s);
      for (const std::int64_t by : shift) p = modulo(p - modulo(by, count(s)), count(s));
      return index_at(p, s);
    });
  const Axes axes = c.list("axis");
  return moved(c, [&](Index i) {
    for (std::size_t k = 0; k < axes.size(); ++k) {
      const std::size_t d = at(normal(c, axes[k], c.rank(0)));
      i[d] = modulo(i[d] - modulo(shift[k], s[d]), s[d]);
    }
    return i;
  });
}

// ---- Padded ----

struct Widths {
  std::vector<std::int64_t> low, high;  // for each axis
};

// "[[1,2],[0,3]]" holds the same numbers as 1:2:0:3.
std::vector<std::int64_t> width_list(const Request& r) {
  const std::string* text = r.attrs.find("pad_width")->get<std::string>();
  if (!text) return r.list("pad_width");
  std::string flat;
  for (const char ch : *text)
    if (ch == ',') flat += ':';
    else if (ch != '[' && ch != ']' && ch != ' ') flat += ch;
  const Attr list = parse_attr(flat);
  const auto* numbers = list.get<std::vector<std::int64_t>>();
  if (!numbers) r.fail(Reason::attribute, "'pad_width' must be a list of pairs, got " + *text);
  return *numbers;
}

Widths widths(const Request& r) {
  std::vector<std::int64_t> w = width_list(r);
  const auto rank = static_cast<std::size_t>(r.rank(0));
  const bool pairs = r.attrs.find("pad_width")->get<std::string>();  // of which there is one for each axis
  if (w.size() == 1 && !pairs) w.push_back(w[0]);
  if ((pairs || w.size() != 2) && w.size() != 2 * rank)
    r.fail(Reason::attribute, std::to_string(w.size()) + " widths for rank " + std::to_string(rank));
  Widths both;
  for (std::size_t d = 0; d < rank; ++d) {
    both.low.push_back(w[w.size() == 2 ? 0 : 2 * d]);
    both.high.push_back(w[w.size() == 2 ? 1 : 2 * d + 1]);
  }
  for (const std::int64_t n : w)
    if (n < 0) r.fail(Reason::attribute, "a width of " + std::to_string(n));
  return both;
}

std::vector<Spec> infer_pad(const Request& r) {
  const Widths w = widths(r);
  const std::string& mode = r.text("mode");
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "symmetric")
    r.fail(Reason::attribute, "no mode '" + mode + "'; there are constant, edge, reflect and symmetric");
  Shape out = r.shape(0);
  for (std::size_t d = 0; d < out.size(); ++d) {
    if (mode != "constant" && out[d] == 0 && w.low[d] + w.high[d] > 0)
      r.fail(Reason::shape, "axis " + std::to_string(d) + " is empty: there is nothing to continue");
    out[d] = sum(r, sum(r, out[d], w.low[d]), w.high[d]);
  }
  return of_shape(r, out);
}

// Where the element comes from that stands at i, counted from the first of n elements; nothing: the constant.
//   edge       the nearest end
//   reflect    the line is mirrored at its ends, which stand once: period 2 (n - 1)
//   symmetric  they stand twice: period 2 n
std::optional<std::int64_t> inside(const std::string& mode, std::int64_t i, std::int64_t n) {
  if (i >= 0 && i < n) return i;
  if (mode == "edge") return std::clamp<std::int64_t>(i, 0, n - 1);
  if (mode == "constant") return std::nullopt;
  if (mode == "reflect" && n == 1) return 0;
  const std::int64_t turn = mode == "reflect" ? 2 * (n - 1) : 2 * n - 1;
  const std::int64_t j = modulo(i, mode == "reflect" ? turn : turn + 1);
  return j < n ? j : turn - j;
}

// out[i] = a[j], j_d = inside(i_d - low_d)
std::vector<Wide> pad(const Call& c) {
  const Widths w = widths(c);
  const From from = [&](const Index& i) -> std::optional<Source> {
    Index j(i.size());
    for (std::size_t d = 0; d < i.size(); ++d) {
      const auto place = inside(c.text("mode"), i[d] - w.low[d], c.shape(0)[d]);
      if (!place) return std::nullopt;
      j[d] = *place;
    }
    return Source{j};
  };
  return {moved({widen(c[0])}, output_specs(c)[0].shape, from, constant(c.number("value"), c.dtype(0)))};
}

// ---- Zeros on one side of a diagonal ----

// out[.., i, j] = a[.., i, j] where kept(j - i, k), else 0
template <bool (*kept)(std::int64_t, std::int64_t)>
std::vector<Wide> triangle(const Call& c) {
  const std::int64_t k = c.integer("k");
  const From from = [&](const Index& i) -> std::optional<Source> {
    if (kept(i.end()[-1] - i.end()[-2], k)) return Source{i};
    return std::nullopt;
  };
  return {moved({widen(c[0])}, c.shape(0), from, constant(0, c.dtype(0)))};
}

bool below(std::int64_t d, std::int64_t k) { return d <= k; }
bool above(std::int64_t d, std::int64_t k) { return d >= k; }

std::vector<Spec> infer_triangle(const Request& r) {
  (void)r.integer("k");
  return r.outputs();
}

std::vector<Spec> infer_diag(const Request& r) {
  const std::int64_t k = r.integer("k");
  const Shape& s = r.shape(0);
  if (s.empty() || s.size() > 2) r.fail(Reason::rank, to_string(s) + " is neither a line nor a matrix");
  if (s.size() == 1) {
    if (k == INT64_MIN) r.fail(Reason::memory, "a size of the result passes 2^63");
    const std::int64_t n = sum(r, s[0], k < 0 ? -k : k);
    return of_shape(r, {n, n});
  }
  return of_shape(r, {diagonal_length(s[0], s[1], k)});
}

// of a line: out[i, i + k] = a[i + min(k, 0)], else 0; of a matrix: out[i] = a[r, r + k], r = i + max(0, -k)
std::vector<Wide> diag(const Call& c) {
  const std::int64_t k = c.integer("k");
  const From from = [&](const Index& i) -> std::optional<Source> {
    if (c.rank(0) == 2) return Source{{i[0] + std::max<std::int64_t>(0, -k), i[0] + std::max<std::int64_t>(0, k)}};
    if (i[1] - i[0] != k) return std::nullopt;
    return Source{{i[0] + std::min<std::int64_t>(k, 0)}};
  };
  return {moved({widen(c[0])}, output_specs(c)[0].shape, from, constant(0, c.dtype(0)))};
}

// ---- Cases ----

constexpr const char* kRepeat = R"(
  call   {t}.{s}.{l}.{x}/repeats={k},axis={axis}
  from   t=f32 l=row x=ramp s=3x4x5 k=3 axis=1
  smoke  axis={,0,-1,2} k={0,1,2,9}
  smoke  s,axis={s -, 0x3 0, 3x0 0, 7 0}
  ci     s=2x1x3x1x2x1x3x2 axis={,6,7} l={@layouts} x=bits
  ci     s=67x65 axis={,0,1} k={2,7} t={u8,f16,f32,f64} l={row,transposed}
)";
constexpr const char* kRepeatRejects = R"(
  call   f32.2x3.row.ramp/repeats={k},axis={axis}
  from   axis=0
  attribute k=-1       # fewer than none
  attribute k=         # not given
  axis   k=2 axis=2    # beyond the rank
  memory k=9223372036854775807 axis=0  # a size that passes 2^63
)";

constexpr const char* kTile = R"(
  call   {t}.{s}.{l}.{x}/reps={k}
  from   t=f32 l=row x=ramp s=3x4x5 k=2:1:3
  smoke  k={1,2,2:3,2:1:1:2,0,:,3:0:2}
  smoke  s,k={s 3, s :, s 2:2, 0x3 2:2, 7 3:2}
  ci     s=2x1x3x1x2x1x3x2 k={2,2:1:1:3:1:2:1:2} l={@layouts} x=bits
  ci     s=67x65 k={2:3,1:2,3:1} t={u8,f16,f32,f64} l={row,transposed}
)";
constexpr const char* kTileRejects = R"(
  call   f32.2x3.row.ramp/reps={k}
  attribute k=-1       # fewer than none
  attribute k=         # not given
  memory k=9223372036854775807:1  # a size that passes 2^63
)";

constexpr const char* kRoll = R"(
  call   {t}.{s}.{l}.{x}/shift={k},axis={axis}
  from   t=f32 l=row x=ramp s=3x4x5 k=2 axis=1
  smoke  k={0,-1,4,12,-5,9223372036854775807} axis={1,-}
  smoke  k,axis={2 0:2, 1:-1 0:1, 1:2 -, 1:1 1:1, 1:2:3 0:1, 9223372036854775807:5 1:-2, -2 -1, 3 :}
  smoke  s,axis={s -, 0x3 0, 3x0 0, 0x3 -, 7 0, 1x5 0}
  ci     s=2x1x3x1x2x1x3x2 axis={-,6,0:2:4:6:7} l={@layouts} x=bits
  ci     s=67x129 axis={-,0,1,0:1} k=19 t={u8,f16,f32,f64} l={row,transposed}
)";
constexpr const char* kRollRejects = R"(
  call   f32.2x3.row.ramp/shift={k},axis={axis}
  from   k=1 axis=0
  axis   axis=2            # beyond the rank
  axis   axis=0:-3         # before the first
  attribute k=:            # no shift for the axis
  attribute k=1:2 axis=0:1:0  # two shifts for three axes
  attribute k=a            # not a number
)";

constexpr const char* kPad = R"(
  call   {t}.{s}.{l}.{x}/pad_width={w},mode={mode},value={v}
  from   t=f32 l=row x=ramp s=3x4x5 w=1:2:0:3:4:1 mode= v=
  from   modes={constant,edge,reflect,symmetric}
  smoke  w={1,2:1,0} mode={modes}
  smoke  mode={modes} v=7.5
  # widths beyond the line, lines of one element
  smoke  s,w={5 13:12, 2 7:9, 1 3:4, 3x1 2:2:5:0} mode={modes}
  smoke  s,w={s 2, 0 2:2, 0x3 0:1:2:2}
  smoke  s=0x3 w=0:0:2:2 mode={modes}
  # the constant in each type: cut off, beyond the type, not a number
  smoke  t={@all} v={2.7,-2.0,1e30,inf,nan,-0.0} s=3 w=1:1
  ci     s=2x1x3x1x2x1x3x2 w=1:0:0:1:2:0:0:0:1:1:0:2:0:0:1:1 mode={modes} l={@layouts} x=bits
  ci     s=67x65 w=3:70:130:1 mode={modes} t={u8,f16,f32,f64} l={row,transposed}
)";
constexpr const char* kPadRejects = R"(
  call   f32.{s}.row.ramp/pad_width={w},mode={mode}
  from   s=2x3 w=1 mode=constant
  attribute w=-1           # a negative width
  attribute w=1:0:-2:0     # one of four is negative
  attribute w=1:2:3        # three widths for two axes
  attribute w=1:2:3:4:5:6  # six of them
  attribute w=wide         # not numbers
  attribute w=             # not given
  attribute mode=wrap      # no such mode
  shape  s=0x3 mode=edge       # nothing to repeat
  shape  s=0x3 mode=reflect    # nothing to mirror
  shape  s=3x0 mode=symmetric  # nothing to mirror
  memory w=9223372036854775807:0  # a size that passes 2^63
)";

constexpr const char* kTriangle = R"(
  call   {t}.{s}.{l}.{x}/k={k}
  from   t=f32 l=row x=ramp s=2x4x5 k=0
  smoke  k={1,-1,3,-3,5,-5,99,-99}
  smoke  s={1x1,0x3,3x0,5x4,4x4}
  ci     s=2x1x3x1x2x1x3x4 k={0,1,-1} l={@layouts} x=bits
  ci     s=67x129 k={0,31,-31} t={u8,f16,f32,f64} l={row,transposed,broadcast}
)";
constexpr const char* kTriangleRejects = R"(
  call   f32.2x3.row.ramp/k={k}
  attribute k=a        # not a number
)";

constexpr const char* kDiag = R"(
  call   {t}.{s}.{l}.{x}/k={k}
  from   t=f32 l=row x=ramp s=5 k=1
  smoke  s={5,4x6,6x4,1,1x1} k={0,2,-1,-3,4,-5,9}
  smoke  s={0,0x3,3x0} k={0,1,-1}
  ci     s=7x9 l={@layouts} k={0,2,-2} x=bits
  ci     t={u8,f16,f32,f64} s=70 k={0,3} l={row,reversed}
  ci     s=9000x2 k=-4096
  smoke  t={@all} s=4x6 x=bits
)";
constexpr const char* kDiagRejects = R"(
  call   f32.{s}.row.ramp/k={k}
  from   s=3 k=0
  rank   s=s           # no axis
  rank   s=2x3x4       # three axes
  attribute k=a        # not a number
  memory k=9223372036854775807   # a size that passes 2^63
  memory k=-9223372036854775807  # on the other side
)";

constexpr const char* kTriangleBench = "ci f32.4096x4096.row.uniform/k=0";

}  // namespace

std::vector<Op> pad_ops() {
  Op repeats = movement(
      "repeat", {{"repeats", kNone}, {"axis", kNone}}, "out_i = a_j, j = floor(i / repeats) on the axis", infer_repeat,
      repeat,
      {{kRepeat, kEveryInput}, kRepeatRejects, "call f32.4096x2048.row.uniform/repeats=2,axis={axis}\n ci axis={0,1}"});
  repeats.meaning = "axis none: of the flattened array";
  Op tiles = movement("tile", {{"reps", kNone}}, "out_i = a_j, j_d = i_d mod n_d", infer_tile, tile,
                      {{kTile, kEveryInput}, kTileRejects, "ci f32.2048x2048.row.uniform/reps=2:2"});
  tiles.meaning = "axes align at the last: the shorter of shape and reps is continued by ones in front";
  Op rolled = movement(
      "roll", {{"shift", kNone}, {"axis", kNone}}, "out_i = a_j, j = (i - shift) mod n on each axis", infer_roll, roll,
      {{kRoll, kEveryInput}, kRollRejects, "call f32.4096x4096.row.uniform/shift=1000,axis={axis}\n ci axis={-,0,1}"});
  rolled.meaning =
      "axis none: of the flattened array, in the shape that it had, by the sum of the shifts; one shift is "
      "that of all axes, shifts of an axis that stands twice add up, shifts beyond the axes are ignored";
  Op padded = movement(
      "pad", {{"pad_width", kNone}, {"mode", "constant"}, {"value", 0.0}},
      "out_i = a_j, j_d = i_d - low_d; outside as mode says", infer_pad, pad,
      {{kPad, kEveryInput},
       kPadRejects,
       "call f32.4096x4096.row.uniform/pad_width=8:8,mode={mode}\n ci mode={constant,edge,reflect,symmetric}"});
  padded.meaning =
      "pad_width: one for all, low:high for all axes, or both for each axis, also as [[low,high],..]; edge: "
      "the nearest element; reflect: period 2(n-1); symmetric: period 2n; on an empty axis a constant alone; "
      "the value is cut to a whole number and held within the type, NaN is 0 there";
  Op lower = movement("tril", {{"k", 0}}, "out_(..,i,j) = a_(..,i,j) where j - i <= k, else 0", infer_triangle,
                      triangle<below>, {{kTriangle, kEveryInput}, kTriangleRejects, kTriangleBench});
  Op upper = movement("triu", {{"k", 0}}, "out_(..,i,j) = a_(..,i,j) where j - i >= k, else 0", infer_triangle,
                      triangle<above>, {{kTriangle, kEveryInput}, kTriangleRejects, kTriangleBench});
  lower.signature = upper.signature = "a T[*B,M,N] -> out T[*B,M,N]";
  Op diagonal = movement("diag", {{"k", 0}},
                         "of a line: out_(i,j) = a_(min(i,j)) where j - i = k, else 0; of a matrix: "
                         "out_i = a_(r,r+k), r = i + max(0, -k)",
                         infer_diag, diag,
                         {{kDiag, kEveryInput}, kDiagRejects, "call f32.{s}.row.uniform/k=0\n ci s={4096,4096x4096}"});
  return {repeats, tiles, rolled, padded, lower, upper, diagonal};
}

}  // namespace plumb
