// CPU routes of affine quantization.
#include <algorithm>
#include <vector>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/floats.h"
#include "optimized/linalg/gemm.h"
#include "optimized/quant/quant_kernels.h"

namespace plumb {
namespace {

using cpu::Floats;

bool small_float(Dtype t) { return t == Dtype::f32 || t == Dtype::f16 || t == Dtype::bf16; }

// The kernels of the instruction set in use.
struct Kernels {
  decltype(&base::to_floats) to_floats = PLUMB_DISPATCH(to_floats);
  decltype(&base::from_floats) from_floats = PLUMB_DISPATCH(from_floats);
  decltype(&base::quant_weights) weights = PLUMB_DISPATCH(quant_weights);
  decltype(&base::quant_expand) expand = PLUMB_DISPATCH(quant_expand);
  decltype(&base::quant_dot) dot = PLUMB_DISPATCH(quant_dot);
  decltype(&base::quant_columns) columns = PLUMB_DISPATCH(quant_columns);
  decltype(&base::quant_encode) encode = PLUMB_DISPATCH(quant_encode);
};

std::int64_t group_of(const Request& r) { return r.none("group_size") ? 64 : r.integer("group_size"); }
int bits_of(const Request& r) { return r.none("bits") ? 4 : static_cast<int>(r.integer("bits")); }

// A result as bytes: taken once, before any thread writes to it.
struct Target {
  std::byte* data;
  Element type;
  std::int64_t bytes;
  explicit Target(const Tensor& t)
      : data(t.write<std::byte>()), type(element_of(t.dtype())), bytes(info(t.dtype()).bytes) {}
  std::byte* at(std::int64_t element) const { return data + element * bytes; }
};

// ---------------------------------------------------------------------------- quantize, dequantize

constexpr Limit kBatch{"quant.batch", 64, 2};  // groups converted at a time

// Rows hold whole groups and whole words, so the whole tensor is one line of groups.
void quantize(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t group = group_of(c), groups = c[0].size() / group;
  const int bits = bits_of(c);
  const Element t = element_of(c.dtype(0));
  const Tensor w = contiguous(c[0]);
  auto* codes = out[0].write<std::uint8_t>();
  const auto* words = w.read<std::byte>();
  const Target scales(out[1]), biases(out[2]);
  const std::int64_t bytes = info(c.dtype(0)).bytes;
  const Kernels simd;
  parallel_for(groups, 1 << 14 >> (group / 64), [&](std::int64_t from, std::int64_t to) {
    const std::int64_t batch = kBatch.of(to - from);
    Room<float> values(static_cast<std::size_t>(batch * group));
    float s[kBatch.usual], b[kBatch.usual];
    for (std::int64_t g = from; g < to; g += batch) {
      const std::int64_t n = std::min(batch, to - g);
      simd.to_floats(t, words + g * group * bytes, n * group, values.data());
      simd.encode(values.data(), n, group, bits, quant_scale_limit(t), codes + g * group * bits / 8, s, b);
      simd.from_floats(s, n, t, scales.at(g));
      simd.from_floats(b, n, t, biases.at(g));
    }
  });
}

void dequantize(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t group = group_of(c), groups = out[0].size() / group;
  const int bits = bits_of(c);
  const Element product = element_of(c.dtype(1)), sum = element_of(promote(c.dtype(1), c.dtype(2)));
  const Target w(out[0]);
  const Tensor codes = contiguous(c[0]);
  const Floats s(c[1]), b(c[2]);
  const auto* bytes = codes.read<std::uint8_t>();
  const Kernels simd;
  parallel_for(groups, 256, [&](std::int64_t from, std::int64_t to) {
    simd.expand(bytes + from * group * bits / 8, bits, group, s.data() + from, b.data() + from, (to - from) * group,
                product, sum, w.type, w.at(from * group));
  });
}

// ---------------------------------------------------------------------------- quantized_matmul

// A batch of products x (m, k) times codes of an (n, k) or a (k, n) matrix. With one weight for the whole
// batch, the batch is part of m.
struct Product {
  Tensor x, codes;
  Floats s, b;
  std::int64_t group, m, n, k;
  std::int64_t row_bytes, row_groups, rows;  // of the packed weight
  int bits;
  bool transpose;
  const std::byte* x_data;
  const std::uint8_t* code_data;
  std::vector<std::int64_t> x_of, w_of;  // which matrix of each operand, per matrix of the result

  explicit Product(const Call& c, const Tensor& y)
      : x(contiguous(c[0])),
        codes(contiguous(c[1])),
        s(c[2]),
        b(c[3]),
        group(group_of(c)),
        bits(bits_of(c)),
        transpose(c.flag("transpose")),
        x_data(x.read<std::byte>()),
        code_data(codes.read<std::uint8_t>()) {
    rows = codes.dim(-2);
    row_bytes = 4 * codes.dim(-1);
    row_groups = c[2].dim(-1);
    const std::int64_t columns = row_groups * group;
    n = transpose ? rows : columns;
    k = transpose ? columns : rows;
    m = x.rank() == 1 ? 1 : x.dim(-2);
    const Shape& shape = y.shape();
    const Shape batch(shape.begin(), shape.end() - (x.rank() == 1 ? 1 : 2));
    const Shape x_batch = leading(x.shape()), w_batch = leading(codes.shape());
    if (count(w_batch) == 1) {
      m *= count(batch);
      x_of = w_of = {0};
      return;
    }
    for (std::int64_t i = 0; i < count(batch); ++i) {
      x_of.push_back(matrix_at(batch, i, x_batch));
      w_of.push_back(matrix_at(batch, i, w_batch));
    }
  }

  const std::byte* x_at(std::size_t i, std::int64_t row, std::int64_t column) const {
    return x_data + ((x_of[i] * m + row) * k + column) * info(x.dtype()).bytes;
  }
  const std::uint8_t* codes_at(std::size_t i, std::int64_t row, std::int64_t column) const {
    return code_data + (w_of[i] * rows + row) * row_bytes + column * bits / 8;
  }
  std::int64_t group_at(std::size_t i, std::int64_t row, std::int64_t column) const {
    return (w_of[i] * rows + row) * row_groups + column / group;
  }

 private:
  static Shape leading(const Shape& s) { return s.size() < 2 ? Shape() : Shape(s.begin(), s.end() - 2); }

  // The matrix of an operand at flat place i of the broadcast batch.
  static std::int64_t matrix_at(const Shape& batch, std::int64_t i, const Shape& own) {
    std::int64_t place = 0, step = 1;
    for (std::size_t d = 1; d <= batch.size(); ++d) {
      const std::int64_t extent = batch[batch.size() - d], axis = i % extent;
      i /= extent;
      if (d > own.size()) break;
      const std::int64_t size = own[own.size() - d];
      if (size > 1) place += axis * step;
      step *= size;
    }
    return place;
  }
};

constexpr Limit kPanelDepth{"quant.panel_depth", 768,
                            128};  // of k: a multiple of every group and of the depth of the gemm
constexpr Limit kPanelColumns{"quant.panel_columns", 128,
                              32};                       // with the depth, a panel stays in the second-level cache
constexpr Limit kPanelRows{"quant.panel_rows", 512, 5};  // of m: what one task computes

// Weights [k0, k0 + depth) x [n0, n0 + columns), each n of a transposed weight in sequence.
GemmOperand fill_panel(const Product& p, std::size_t i, std::int64_t k0, std::int64_t depth, std::int64_t n0,
                       std::int64_t columns, float* panel) {
  const std::int64_t lines = p.transpose ? columns : depth, length = p.transpose ? depth : columns;
  const std::int64_t line0 = p.transpose ? n0 : k0, first = p.transpose ? k0 : n0;
  const Kernels simd;
  for (std::int64_t line = 0; line < lines; ++line) {
    const std::int64_t g = p.group_at(i, line0 + line, first);
    simd.weights(p.codes_at(i, line0 + line, first), p.bits, p.group, p.s.data() + g, p.b.data() + g, length,
                 panel + line * length);
  }
  if (p.transpose) return {panel, Dtype::f32, 1, length};
  return {panel, Dtype::f32, length, 1};
}

// One block of the result: panel after panel of weights, each decoded once and multiplied.
void panel_block(const Product& p, std::size_t i, std::int64_t m0, std::int64_t m, std::int64_t n0, std::int64_t n,
                 const Target& y) {
  thread_local KeptRoom kept_panel, kept_block;
  KeptRoom::Lease<float> panel_lease, block_lease;
  const std::int64_t most = kPanelDepth.of(p.k);
  float* panel = kept_panel.get(most * n, panel_lease);
  const bool direct = y.type == Element::f32;
  const std::int64_t first = (static_cast<std::int64_t>(i) * p.m + m0) * p.n + n0, ldc = direct ? p.n : n;
  float* c = direct ? reinterpret_cast<float*>(y.at(first)) : kept_block.get(m * n, block_lease);
  const Kernels simd;
  std::int64_t k0 = 0;
  do {
    const std::int64_t depth = std::min(most, p.k - k0);
    const GemmOperand right = fill_panel(p, i, k0, depth, n0, n, panel);
    gemm(m, n, depth, {p.x_at(i, m0, k0), p.x.dtype(), p.k, 1}, right, c, ldc, k0 > 0);
    k0 += most;
  } while (k0 < p.k);
  for (std::int64_t r = 0; !direct && r < m; ++r) simd.from_floats(c + r * n, n, y.type, y.at(first + r * p.n));
}

void multiply_panels(const Call& c, std::vector<Tensor>& out) {
  const Product p(c, out[0]);
  const Target y(out[0]);
  const std::int64_t rows = kPanelRows.of(p.m), row_tasks = (p.m + rows - 1) / rows, most = kPanelColumns.of(p.n);
  // A group never straddles two panels; a transposed weight may be cut finer, so that every thread has work.
  const std::int64_t fair = (p.n / (2 * threads()) + 31) / 32 * 32;
  const std::int64_t whole = (most + p.group - 1) / p.group * p.group;
  const std::int64_t columns = p.transpose ? std::clamp<std::int64_t>(fair, 32, most) : whole;
  const std::int64_t column_tasks = (p.n + columns - 1) / columns, each = row_tasks * column_tasks;
  parallel_each(static_cast<std::int64_t>(p.x_of.size()) * each, [&](std::int64_t task) {
    const std::int64_t m0 = task % each / column_tasks * rows, n0 = task % column_tasks * columns;
    panel_block(p, static_cast<std::size_t>(task / each), m0, std::min(rows, p.m - m0), n0, std::min(columns, p.n - n0),
                y);
  });
}

constexpr int kFewRows = 4;  // rows of x that the narrow kernels take at once

// Rows of x as floats, and of the result as floats until they are rounded.
struct Narrow {
  Product p;
  Floats x;
  Room<float> sums;
  float* y;
  Narrow(const Call& c, const Tensor& out) : p(c, out), x(p.x), sums(out.dtype() == Dtype::f32 ? 0 : out.size()) {
    y = sums.empty() ? out.write<float>() : sums.data();
  }
  void finish(const Tensor& out) const {
    if (!sums.empty()) PLUMB_DISPATCH(from_floats)(sums.data(), out.size(), element_of(out.dtype()), Target(out).data);
  }
};

void multiply_dots(const Call& c, std::vector<Tensor>& out) {
  Narrow t(c, out[0]);
  const Product& p = t.p;
  const Kernels simd;
  const std::int64_t grain = 1 + (1 << 16) / (1 + p.k * p.m);
  for (std::size_t i = 0; i < p.x_of.size(); ++i)
    parallel_for(p.n, grain, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t j = from; j < to; ++j)
        for (std::int64_t m = 0; m < p.m; m += kFewRows) {
          const int rows = static_cast<int>(std::min<std::int64_t>(kFewRows, p.m - m));
          const std::int64_t g = p.group_at(i, j, 0);
          float y[kFewRows];
          simd.dot(t.x.data() + (p.x_of[i] * p.m + m) * p.k, p.k, rows, p.codes_at(i, j, 0), p.bits, p.group,
                   p.s.data() + g, p.b.data() + g, p.k, y);
          for (int r = 0; r < rows; ++r) t.y[(static_cast<std::int64_t>(i) * p.m + m + r) * p.n + j] = y[r];
        }
    });
  t.finish(out[0]);
}

void multiply_columns(const Call& c, std::vector<Tensor>& out) {
  Narrow t(c, out[0]);
  const Product& p = t.p;
  const Kernels simd;
  const std::int64_t grain = 1 + (1 << 11) / (1 + p.k * p.m);
  for (std::size_t i = 0; i < p.x_of.size(); ++i)
    parallel_for(p.n / 32, grain, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t j = 32 * from; j < 32 * to; j += 32)
        for (std::int64_t m = 0; m < p.m; m += kFewRows) {
          const std::int64_t g = p.group_at(i, 0, j);
          simd.columns(t.x.data() + (p.x_of[i] * p.m + m) * p.k, p.k,
                       static_cast<int>(std::min<std::int64_t>(kFewRows, p.m - m)), p.codes_at(i, 0, j), p.row_bytes,
                       p.bits, p.s.data() + g, p.b.data() + g, p.row_groups, p.k,
                       t.y + (static_cast<std::int64_t>(i) * p.m + m) * p.n + j, p.n);
        }
    });
  t.finish(out[0]);
}

// ---------------------------------------------------------------------------- orders and conditions

// A weight is rounded once more before it is multiplied, twice without an fma: to binary64 and to binary32.
Order decoded(Order o) {
  o.fma = isa() != Isa::base;
  o.prologue = o.fma ? 1 : 2;
  return o;
}
Order panel_order(const Call&) { return decoded(gemm_order(Dtype::f32)); }
Order dot_order(const Call&) {
  Order o;
  o.shape = Order::Shape::lanes, o.lanes = 32;
  return decoded(o);
}
Order column_order(const Call&) { return decoded(Order()); }

// The rows of x that share a weight.
std::int64_t rows_of(const Call& c) {
  const Shape& w = c.shape(1);
  const bool shared = std::all_of(w.begin(), w.end() - 2, [](std::int64_t n) { return n == 1; });
  if (c.rank(0) == 1) return 1;
  return shared ? c[0].size() / std::max<std::int64_t>(1, c[0].dim(-1)) : c[0].dim(-2);
}

const Condition kAffine{Stage::family, "the mode is not affine",
                        [](const Call& c, const Device&) { return c.text("mode") == "affine"; }};
const Condition kSmallFloats{Stage::shape_dtype, "an operand or the result is not f32, f16 or bf16",
                             [](const Call& c, const Device&) {
                               const auto to = c.op->name == "dequantize" ? c.dtype_attr("dtype") : std::nullopt;
                               bool ok = !to || small_float(*to);
                               for (const Tensor& t : c.in)
                                 ok &= !t.defined() || t.dtype() == Dtype::u32 || small_float(t.dtype());
                               return ok && (c.op->name == "dequantize" || c.dtype(0) != Dtype::u32);
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

std::vector<Route> quant_cpu_routes() {
  const std::vector<Condition> any{kAffine, kSmallFloats}, transposed{kAffine, kTransposed, kSmallFloats},
      upright{kAffine, kUpright, kSmallFloats};
  constexpr auto cpu = Tier::unavailable;
  return {
      {"quantize", "cpu.vector", cpu, cpu, {kAffine}, {}, nullptr, host<quantize>},
      {"dequantize", "cpu.vector", cpu, cpu, any, {}, nullptr, host<dequantize>},
      {"quantized_matmul", "cpu.dot", cpu, cpu, transposed, {kFewForDots}, dot_order, host<multiply_dots>},
      {"quantized_matmul", "cpu.columns", cpu, cpu, upright, {kFewForColumns}, column_order, host<multiply_columns>},
      {"quantized_matmul", "cpu.panel", cpu, cpu, any, {}, panel_order, host<multiply_panels>},
  };
}

}  // namespace plumb
