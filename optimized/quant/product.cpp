#include "optimized/quant/product.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/array/operand.h"
#include "optimized/floats.h"
#include "optimized/linalg/gemm.h"
#include "optimized/quant/formats.h"
#include "optimized/quant/product_kernels.h"

namespace plumb::cpu {
namespace {

// The kernels of the instruction set in use.
struct Kernels {
  decltype(&base::to_floats) to_floats = PLUMB_DISPATCH(to_floats);
  decltype(&base::from_floats) from_floats = PLUMB_DISPATCH(from_floats);
  decltype(&base::quant_weights) weights = PLUMB_DISPATCH(quant_weights);
  decltype(&base::quant_dot) dot = PLUMB_DISPATCH(quant_dot);
  decltype(&base::quant_add_rows) add_rows = PLUMB_DISPATCH(quant_add_rows);
};

Shape leading(const Shape& s, std::size_t own) { return {s.begin(), s.end() - static_cast<std::ptrdiff_t>(own)}; }

// The flat place of an operand of shape `own` at flat place i of what it broadcasts to.
std::int64_t place_of(const Shape& whole, std::int64_t i, const Shape& own) {
  std::int64_t place = 0, step = 1;
  for (std::size_t d = 1; d <= whole.size(); ++d) {
    const std::int64_t extent = whole[whole.size() - d], at = i % extent;
    i /= extent;
    if (d > own.size()) break;
    const std::int64_t size = own[own.size() - d];
    if (size > 1) place += at * step;
    step *= size;
  }
  return place;
}

// Which matrix of an operand is met at each place of the batch.
std::vector<std::int64_t> chosen(const Call& c, std::string_view indices, const Shape& batch, const Shape& own) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(count(batch)));
  const bool given = c.op->name == "gather_qmm" && c.has(indices);
  if (!given) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = place_of(batch, static_cast<std::int64_t>(i), own);
    return all;
  }
  const Tensor& t = c[indices];
  const bool has_sign = info(t.dtype()).kind == Kind::signed_integer;
  const Tensor wide = as_dtype(t, has_sign ? Dtype::i64 : Dtype::u64);
  const auto* at = wide.read<std::int64_t>();
  const std::int64_t there = count(own);
  for (std::int64_t i = 0; i < wide.size(); ++i)
    if (at[i] < 0 || at[i] >= there)
      c.fail(Reason::domain,
             std::string(indices) + " holds " +
                 (has_sign ? std::to_string(at[i]) : std::to_string(static_cast<std::uint64_t>(at[i]))) + " at " +
                 std::to_string(i) + ": there are " + std::to_string(there) + " matrices");
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = at[place_of(batch, static_cast<std::int64_t>(i), t.shape())];
  return all;
}

// Consecutive rows of x that meet one matrix of weights.
struct Segment {
  std::int64_t w, x_row, y_row, rows;
};

// Rows of x (m, k) times codes of an (n, k) or a (k, n) matrix, segment by segment.
struct Product {
  Tensor x, codes, s, b;  // dense; b is undefined where the mode has none
  CodeFormat format;
  bool transpose;
  std::int64_t m, n, k;
  std::int64_t row_bytes, row_groups, rows;  // of a packed matrix
  const std::byte *x_data, *s_data, *b_data;
  const std::uint8_t* code_data;
  std::vector<Segment> segments;
  std::vector<std::int64_t>
      y_of;  // of rows that were brought into another order, where their matrices lie in the result

  Product(const Call& c, const Tensor& y);

  std::int64_t most_rows() const {
    std::int64_t most = 0;
    for (const Segment& g : segments) most = std::max(most, g.rows);
    return most;
  }
  const std::byte* x_at(std::int64_t row, std::int64_t column) const {
    return x_data + (row * k + column) * info(x.dtype()).bytes;
  }
  const std::uint8_t* codes_at(std::int64_t w, std::int64_t row, std::int64_t column) const {
    return code_data + (w * rows + row) * row_bytes + column * format.bits / 8;
  }
  std::int64_t group_at(std::int64_t w, std::int64_t row, std::int64_t column) const {
    return (w * rows + row) * row_groups + column / format.group;
  }

 private:
  void segment(const Call&, const Shape& batch, const Shape& x_batch, const Shape& w_batch);
  void sort_by_weight(const std::vector<std::int64_t>& x_of, const std::vector<std::int64_t>& w_of);
};

Product::Product(const Call& c, const Tensor& y)
    : x(contiguous(c[0])),
      codes(contiguous(c[1])),
      s(contiguous(c[2])),
      b(c.has(3) ? contiguous(c[3]) : Tensor()),
      format(code_format(c)),
      transpose(c.flag("transpose")) {
  const Dtype t = x.dtype();
  if (t != Dtype::f32 && t != Dtype::f16 && t != Dtype::bf16) x = as_dtype(x, y.dtype());
  rows = codes.dim(-2), row_bytes = 4 * codes.dim(-1), row_groups = s.dim(-1);
  const std::int64_t columns = row_groups * format.group;
  n = transpose ? rows : columns, k = transpose ? columns : rows;
  m = x.rank() == 1 ? 1 : x.dim(-2);
  const std::size_t own = x.rank() == 1 ? 1 : 2;
  segment(c, leading(y.shape(), own), leading(c.shape(0), own), leading(codes.shape(), 2));
  x_data = x.read<std::byte>();
  s_data = s.read<std::byte>();
  b_data = b.defined() ? b.read<std::byte>() : nullptr;
  code_data = codes.read<std::uint8_t>();
}

void Product::segment(const Call& c, const Shape& batch, const Shape& x_batch, const Shape& w_batch) {
  const std::vector<std::int64_t> x_of = chosen(c, "lhs_indices", batch, x_batch),
                                  w_of = chosen(c, "rhs_indices", batch, w_batch);
  const auto matrices = static_cast<std::int64_t>(x_of.size());
  bool in_order = true;  // the matrices of x are those of the result, and those with one weight stand together
  for (std::size_t i = 0; i < x_of.size(); ++i)
    in_order &= x_of[i] == static_cast<std::int64_t>(i) && (i == 0 || w_of[i - 1] <= w_of[i]);
  if (!in_order && c.op->name == "gather_qmm") return sort_by_weight(x_of, w_of);
  for (std::int64_t i = 0; i < matrices; ++i) {
    const Segment next{w_of[static_cast<std::size_t>(i)], x_of[static_cast<std::size_t>(i)] * m, i * m, m};
    if (in_order && !segments.empty() && segments.back().w == next.w) segments.back().rows += m;
    else segments.push_back(next);
  }
}

// Copies the matrices of x into the order of their weights, so that each weight is decoded for all of its rows.
void Product::sort_by_weight(const std::vector<std::int64_t>& x_of, const std::vector<std::int64_t>& w_of) {
  y_of.resize(x_of.size());
  std::iota(y_of.begin(), y_of.end(), 0);
  const auto weight = [&](std::int64_t i) { return w_of[static_cast<std::size_t>(i)]; };
  std::stable_sort(y_of.begin(), y_of.end(), [&](std::int64_t a, std::int64_t c) { return weight(a) < weight(c); });
  const auto matrices = static_cast<std::int64_t>(x_of.size());
  const auto bytes = static_cast<std::size_t>(m * k * info(x.dtype()).bytes);
  const Tensor sorted(Spec{x.dtype(), {matrices * m, k}});
  auto* to = sorted.write<std::byte>();
  const auto* from = x.read<std::byte>();
  parallel_for(matrices, 1 + (1 << 16) / (1 + m * k), [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      if (bytes > 0)
        std::memcpy(to + i * bytes, from + static_cast<std::size_t>(x_of[static_cast<std::size_t>(y_of[i])]) * bytes,
                    bytes);
  });
  x = sorted;
  for (std::int64_t i = 0; i < matrices; ++i) {
    const std::int64_t w = weight(y_of[static_cast<std::size_t>(i)]);
    if (!segments.empty() && segments.back().w == w) segments.back().rows += m;
    else segments.push_back({w, i * m, i * m, m});
  }
}

// Scales and biases of consecutive groups as floats: in place if they are that already.
class Scales {
 public:
  explicit Scales(const Product& p) : p_(p) {}

  void at(std::int64_t group, std::int64_t n) {
    if (p_.format.coding == Coding::affine) {
      s = floats(p_.s, p_.s_data, group, n, s_room_);
      b = floats(p_.b, p_.b_data, group, n, b_room_);
      return;
    }
    s_room_.resize(static_cast<std::size_t>(n));
    scale_values(p_.format, reinterpret_cast<const std::uint8_t*>(p_.s_data) + group, n, s_room_.data());
    s = b = s_room_.data();  // biases are read by nobody
  }

  const float *s = nullptr, *b = nullptr;

 private:
  const float* floats(const Tensor& t, const std::byte* data, std::int64_t group, std::int64_t n,
                      Room<float>& room) const {
    const std::byte* first = data + group * info(t.dtype()).bytes;
    if (t.dtype() == Dtype::f32) return reinterpret_cast<const float*>(first);
    room.resize(static_cast<std::size_t>(n));
    simd_.to_floats(element_of(t.dtype()), first, n, room.data());
    return room.data();
  }

  const Product& p_;
  const Kernels simd_;
  Room<float> s_room_, b_room_;
};

// The result: floats first where it is narrower or in another order, brought into place at the end.
class Result {
 public:
  Result(const Product& p, const Tensor& out)
      : p_(p), out_(out), sums_(direct() ? 0 : out.size()), bytes_(out.write<std::byte>()) {
    y = direct() ? reinterpret_cast<float*>(bytes_) : sums_.get();
  }
  void finish() const {
    if (direct()) return;
    const std::int64_t each = p_.m * p_.n, size = info(out_.dtype()).bytes;
    if (each == 0) return;
    parallel_for(out_.size() / each, 1 + (1 << 16) / each, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t to = p_.y_of.empty() ? i : p_.y_of[static_cast<std::size_t>(i)];
        simd_.from_floats(y + i * each, each, element_of(out_.dtype()), bytes_ + to * each * size);
      }
    });
  }

  float* y;

 private:
  bool direct() const { return out_.dtype() == Dtype::f32 && p_.y_of.empty(); }
  const Product& p_;
  const Tensor& out_;
  const Kernels simd_;
  RawRoom<float> sums_;
  std::byte* bytes_;
};

// ---------------------------------------------------------------------------- panels

constexpr Limit kPanelDepth{"quant.panel_depth", 768,
                            128};  // of k: a multiple of every group and of the depth of the gemm
constexpr Limit kPanelColumns{"quant.panel_columns", 128,
                              32};                       // with the depth, a panel stays in the second-level cache
constexpr Limit kPanelRows{"quant.panel_rows", 512, 5};  // of m: what one task computes

// Weights [k0, k0 + depth) x [n0, n0 + columns), each n of a transposed weight in sequence.
GemmOperand fill_panel(const Product& p, std::int64_t w, std::int64_t k0, std::int64_t depth, std::int64_t n0,
                       std::int64_t columns, float* panel) {
  const std::int64_t lines = p.transpose ? columns : depth, length = p.transpose ? depth : columns;
  const std::int64_t line0 = p.transpose ? n0 : k0, first = p.transpose ? k0 : n0;
  const Kernels simd;
  Scales scales(p);
  for (std::int64_t line = 0; line < lines; ++line) {
    scales.at(p.group_at(w, line0 + line, first), length / p.format.group);
    simd.weights(p.codes_at(w, line0 + line, first), p.format, scales.s, scales.b, length, panel + line * length);
  }
  if (p.transpose) return {panel, Dtype::f32, 1, length};
  return {panel, Dtype::f32, length, 1};
}

// One block of the result: panel after panel of weights, each decoded once and multiplied.
void panel_block(const Product& p, const Segment& g, std::int64_t m0, std::int64_t m, std::int64_t n0, std::int64_t n,
                 float* y) {
  thread_local KeptRoom kept_panel;
  KeptRoom::Lease<float> lease;
  const std::int64_t most = kPanelDepth.of(p.k);
  float* panel = kept_panel.get(most * n, lease);
  std::int64_t k0 = 0;
  do {
    const std::int64_t depth = std::min(most, p.k - k0);
    const GemmOperand right = fill_panel(p, g.w, k0, depth, n0, n, panel);
    gemm(m, n, depth, {p.x_at(g.x_row + m0, k0), p.x.dtype(), p.k, 1}, right, y + (g.y_row + m0) * p.n + n0, p.n,
         k0 > 0);
    k0 += most;
  } while (k0 < p.k);
}

struct Task {
  std::size_t segment;
  std::int64_t m0;
};

void multiply_panels(const Call& c, std::vector<Tensor>& out) {
  const Product p(c, out[0]);
  Result result(p, out[0]);
  const std::int64_t rows = kPanelRows.of(p.most_rows()), most = kPanelColumns.of(p.n);
  // A group never straddles two panels; a transposed weight may be cut finer, so that every thread has work.
  const std::int64_t fair = (p.n / (2 * threads()) + 31) / 32 * 32;
  const std::int64_t whole = (most + p.format.group - 1) / p.format.group * p.format.group;
  const std::int64_t columns = p.transpose ? std::clamp<std::int64_t>(fair, 32, most) : whole;
  const std::int64_t each = (p.n + columns - 1) / columns;
  std::vector<Task> tasks;
  for (std::size_t g = 0; g < p.segments.size(); ++g)
    for (std::int64_t m0 = 0; m0 < p.segments[g].rows; m0 += rows) tasks.push_back({g, m0});
  parallel_each(static_cast<std::int64_t>(tasks.size()) * each, [&](std::int64_t i) {
    const Task& t = tasks[static_cast<std::size_t>(i / each)];
    const Segment& g = p.segments[t.segment];
    const std::int64_t n0 = i % each * columns;
    panel_block(p, g, t.m0, std::min(rows, g.rows - t.m0), n0, std::min(columns, p.n - n0), result.y);
  });
  result.finish();
}

// ---------------------------------------------------------------------------- few rows

constexpr int kFewRows = 4;  // rows of x that meet a weight at once

void multiply_dots(const Call& c, std::vector<Tensor>& out) {
  const Product p(c, out[0]);
  Result result(p, out[0]);
  const Floats x(p.x);
  const std::int64_t grain = 1 + (1 << 16) / (1 + p.k * std::max<std::int64_t>(1, p.most_rows()));
  parallel_for(static_cast<std::int64_t>(p.segments.size()) * p.n, grain, [&](std::int64_t from, std::int64_t to) {
    const Kernels simd;
    Scales scales(p);
    for (std::int64_t at = from; at < to; ++at) {
      const Segment& g = p.segments[static_cast<std::size_t>(at / p.n)];
      const std::int64_t j = at % p.n;
      scales.at(p.group_at(g.w, j, 0), p.row_groups);
      for (std::int64_t r = 0; r < g.rows; r += kFewRows) {
        const int rows = static_cast<int>(std::min<std::int64_t>(kFewRows, g.rows - r));
        float y[kFewRows];
        simd.dot(x.data() + (g.x_row + r) * p.k, p.k, rows, p.codes_at(g.w, j, 0), p.format, scales.s, scales.b, p.k,
                 y);
        for (int i = 0; i < rows; ++i) result.y[(g.y_row + r + i) * p.n + j] = y[i];
      }
    }
  });
  result.finish();
}

constexpr std::int64_t kDeep = 4;                     // rows of weights that are decoded together
constexpr Limit kColumns{"quant.columns", 512, 128};  // columns of a task: whole groups

// Columns [n0, n0 + n) of a segment's result, in sequence over k.
void columns_block(const Product& p, const Segment& g, const float* x, std::int64_t n0, std::int64_t n, float* y) {
  const Kernels simd;
  Scales scales(p);
  Room<float> w(static_cast<std::size_t>(kDeep * n));
  for (std::int64_t r = 0; r < g.rows; ++r) std::fill_n(y + r * p.n, n, 0.0F);
  for (std::int64_t k0 = 0; k0 < p.k; k0 += kDeep) {
    const std::int64_t depth = std::min(kDeep, p.k - k0);
    for (std::int64_t d = 0; d < depth; ++d) {
      scales.at(p.group_at(g.w, k0 + d, n0), n / p.format.group);
      simd.weights(p.codes_at(g.w, k0 + d, n0), p.format, scales.s, scales.b, n, w.data() + d * n);
    }
    simd.add_rows(w.data(), n, static_cast<int>(depth), n, x + k0, p.k, g.rows, y, p.n);
  }
}

void multiply_columns(const Call& c, std::vector<Tensor>& out) {
  const Product p(c, out[0]);
  Result result(p, out[0]);
  const Floats x(p.x);
  const std::int64_t fair = (p.n / (2 * threads()) + 127) / 128 * 128;
  const std::int64_t columns = std::clamp<std::int64_t>(fair, 128, kColumns.of(p.n)),
                     each = (p.n + columns - 1) / columns;
  parallel_each(static_cast<std::int64_t>(p.segments.size()) * each, [&](std::int64_t i) {
    const Segment& g = p.segments[static_cast<std::size_t>(i / each)];
    const std::int64_t n0 = i % each * columns;
    columns_block(p, g, x.data() + g.x_row * p.k, n0, std::min(columns, p.n - n0), result.y + g.y_row * p.n + n0);
  });
  result.finish();
}

// ---------------------------------------------------------------------------- orders and conditions

// An affine weight is rounded once more before it is multiplied, twice without an fma: to binary64 and to binary32. The
// weights of the other modes are floats.
Order decoded(Order o, const Call& c) {
  o.fma = isa() != Isa::base;
  if (c.text("mode") == "affine") o.prologue = o.fma ? 1 : 2;
  return o;
}
Order panel_order(const Call& c) { return decoded(gemm_order(Dtype::f32), c); }
Order dot_order(const Call& c) {
  Order o;
  o.shape = Order::Shape::lanes, o.lanes = 32;
  return decoded(o, c);
}
Order column_order(const Call& c) { return decoded(Order(), c); }

// About how many rows of x share a weight, as far as shapes say.
std::int64_t rows_of(const Call& c) {
  const Shape out = output_specs(c)[0].shape;
  const std::int64_t n = std::max<std::int64_t>(1, out.back());
  return count(out) / n / std::max<std::int64_t>(1, count(leading(c.shape(1), 2)));
}

const Condition kSmallScales{Stage::shape_dtype, "scales or biases are not f32, f16 or bf16, or bytes of their mode",
                             [](const Call& c, const Device&) {
                               const auto small = [](Dtype t) {
                                 return t == Dtype::f32 || t == Dtype::f16 || t == Dtype::bf16;
                               };
                               return c.text("mode") != "affine" || (small(c.dtype(2)) && small(c.dtype(3)));
                             }};
const Condition kTransposed{Stage::relation, "the weight is not transposed",
                            [](const Call& c, const Device&) { return c.flag("transpose"); }};
const Condition kUpright{Stage::relation, "the weight is transposed",
                         [](const Call& c, const Device&) { return !c.flag("transpose"); }};
const Condition kFewForDots{Stage::shape_dtype, "more than 8 rows share a weight",
                            [](const Call& c, const Device&) { return rows_of(c) <= 8; }};
const Condition kFewForColumns{Stage::shape_dtype, "more than 8 rows share a weight",
                               [](const Call& c, const Device&) { return rows_of(c) <= 8; }};

}  // namespace

std::vector<Route> quantized_products(std::string_view op) {
  const std::vector<Condition> any{kSmallScales}, transposed{kTransposed, kSmallScales},
      upright{kUpright, kSmallScales};
  constexpr auto cpu = Tier::unavailable;
  return {
      {op, "cpu.dot", cpu, cpu, transposed, {kFewForDots}, dot_order, host<multiply_dots>},
      {op, "cpu.columns", cpu, cpu, upright, {kFewForColumns}, column_order, host<multiply_columns>},
      {op, "cpu.panel", cpu, cpu, any, {}, panel_order, host<multiply_panels>},
  };
}

}  // namespace plumb::cpu
