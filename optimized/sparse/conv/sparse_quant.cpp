// Packed sparse weights on the CPU. A convolution sums blocks of outputs that lie near each other in cache, kernel row
// by kernel row; the weights of a kernel row are decoded once per block, into a panel that stays in cache.
#include <algorithm>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/linalg/gemm.h"
#include "optimized/quant/quant_kernels.h"
#include "optimized/sparse/conv/gather_product.h"
#include "optimized/sparse/conv/sparse_quant_kernels.h"

namespace plumb {
namespace {

using namespace cpu;

enum : std::size_t { kFeatures = 2, kWeight, kScales };  // of a convolution

// A packed weight, read: codes, and scales and biases as floats.
struct Packed {
  std::int64_t kernels, out, stored, words, groups, group, in;
  int bits;
  Tensor codes;
  Floats s, b;
  const std::uint32_t* data;

  Packed(const Call& c, std::size_t weight, std::int64_t kernel_rows, std::int64_t channels)
      : kernels(kernel_rows),
        in(channels),
        bits(static_cast<int>(c.integer("bits"))),
        codes(contiguous(c[weight])),
        s(c[weight + 1]),
        b(c[weight + 2]),
        data(codes.read<std::uint32_t>()) {
    const int last = kernels == 1 ? 2 : 1;
    words = codes.dim(last);
    out = codes.dim(3 - last);
    groups = c[weight + 1].dim(last);
    stored = words * 32 / bits;
    group = stored / groups;
  }
};

// ---------------------------------------------------------------------------- convolution

// n columns as n rows: what one kernel row stores by output, by word or group.
template <class T>
Room<T> turned(const T* from, std::int64_t rows, std::int64_t columns) {
  Room<T> to(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) to[static_cast<std::size_t>(c * rows + r)] = from[r * columns + c];
  return to;
}

// Panels that are decoded when a block of outputs comes to their kernel row.
class PackedPanels : public Weights {
 public:
  PackedPanels(const Call& call, std::size_t weight, std::int64_t kernels, std::int64_t channel_count)
      : PackedPanels(Packed(call, weight, kernels, channel_count)) {}

  const float* panel(std::int64_t k, std::int64_t column, float* scratch) const override {
    const std::int64_t groups = k * packed_.groups * packed_.out + column;
    PLUMB_DISPATCH(packed_panel)
    ({words_ + k * packed_.words * packed_.out + column, scales_ + groups, biases_ + groups, packed_.out, packed_.bits,
      packed_.group, packed_.in, std::min(width(column), packed_.out - column), width(column), scratch});
    return scratch;
  }

 private:
  explicit PackedPanels(Packed packed)
      : Weights(packed.in, packed.out),
        packed_(std::move(packed)),
        words_(packed_.data),
        scales_(packed_.s.data()),
        biases_(packed_.b.data()) {
    if (packed_.kernels != 1) return;
    turned_words_ = turned(words_, packed_.out, packed_.words);
    turned_scales_ = turned(scales_, packed_.out, packed_.groups);
    turned_biases_ = turned(biases_, packed_.out, packed_.groups);
    words_ = turned_words_.data(), scales_ = turned_scales_.data(), biases_ = turned_biases_.data();
  }

  Packed packed_;
  const std::uint32_t* words_;
  const float *scales_, *biases_;
  Room<std::uint32_t> turned_words_;
  Room<float> turned_scales_, turned_biases_;
};

void convolve(const Call& call, const ConvolutionPlan& plan, const std::vector<Tensor>& out) {
  plan.support.store(out);
  if (out[1].size() == 0) return;
  const Floats features(call["features"], call.dtype(kScales));
  const PackedPanels panels(call, kWeight, geometry(call).volume, call.shape(kFeatures)[1]);
  const Floats bias(call, "bias");
  const Factor factor{features.data(), &panels};
  plan.outputs.run({&factor, 1}, bias.values(), into_rows(out[1]));
}

// ---------------------------------------------------------------------------- linear

constexpr Limit kPanelDepth{"sparse_quant.panel_depth", 768, 128};  // of channels: a multiple of every group
constexpr Limit kPanelColumns{"sparse_quant.panel_columns", 128,
                              5};  // with the depth, a panel stays in the second-level cache
constexpr Limit kPanelRows{"sparse_quant.panel_rows", 512, 5};  // of features: what one task computes

struct Product {
  Packed w;
  Tensor features;
  Floats rounded;  // the features, where the scales are coarser
  GemmOperand x;
  Room<float> bias;

  explicit Product(const Call& c)
      : w(c, 1, 1, c.shape(0)[1]),
        features(contiguous(c[0])),
        rounded(c[0].dtype() == Dtype::f32 ? c[0] : c[2], c[0].dtype() == Dtype::f32 ? c.dtype(2) : Dtype::f32) {
    const bool half = c.dtype(0) == Dtype::f16;
    x = {half ? static_cast<const void*>(features.size() > 0 ? features.read<std::uint16_t>() : nullptr)
              : rounded.data(),
         c.dtype(0), w.in, 1};
    if (!c.has(4)) return;
    const Floats b(c[4]);
    bias.assign(b.data(), b.data() + w.out);
  }
  GemmOperand rows_from(std::int64_t row, std::int64_t channel) const {
    const std::int64_t at = (row * w.in + channel) * info(x.dtype).bytes;
    return {static_cast<const std::byte*>(x.data) + at, x.dtype, w.in, 1};
  }
};

// Rows [m0, m0 + m) and outputs [n0, n0 + n): panel after panel of weights, each decoded once and multiplied.
void product_block(const Product& p, std::int64_t m0, std::int64_t m, std::int64_t n0, std::int64_t n, Dtype type,
                   std::byte* to) {
  thread_local KeptRoom kept_panel, kept_block;
  KeptRoom::Lease<float> panel_lease, block_lease;
  const std::int64_t most = kPanelDepth.of(p.w.in);
  float* panel = kept_panel.get(most * n, panel_lease);
  float* block = kept_block.get(m * n, block_lease);
  if (!p.bias.empty())
    for (std::int64_t r = 0; r < m; ++r) std::copy_n(p.bias.data() + n0, n, block + r * n);
  for (std::int64_t k0 = 0; k0 < p.w.in; k0 += most) {
    const std::int64_t depth = std::min(most, p.w.stored - k0);
    for (std::int64_t j = 0; j < n; ++j) {
      const std::int64_t g = (n0 + j) * p.w.groups + k0 / p.w.group;
      const auto* codes = reinterpret_cast<const std::uint8_t*>(p.w.data + (n0 + j) * p.w.words) + k0 * p.w.bits / 8;
      PLUMB_DISPATCH(quant_weights)
      (codes, {Coding::affine, p.w.bits, p.w.group}, p.w.s.data() + g, p.w.b.data() + g, depth, panel + j * depth);
    }
    gemm(m, n, std::min(depth, p.w.in - k0), p.rows_from(m0, k0), {panel, Dtype::f32, 1, depth}, block, n,
         k0 > 0 || !p.bias.empty());
  }
  for (std::int64_t r = 0; r < m; ++r) PLUMB_DISPATCH(from_floats)
  (block + r * n, n, element_of(type), to + ((m0 + r) * p.w.out + n0) * info(type).bytes);
}

void linear(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Product p(c);
  const std::int64_t rows = out[0].dim(0), m = kPanelRows.of(rows), n = kPanelColumns.of(p.w.out);
  const std::int64_t row_tasks = (rows + m - 1) / m, column_tasks = (p.w.out + n - 1) / n;
  auto* to = out[0].write<std::byte>();
  parallel_each(row_tasks * column_tasks, [&](std::int64_t task) {
    const std::int64_t m0 = task / column_tasks * m, n0 = task % column_tasks * n;
    product_block(p, m0, std::min(m, rows - m0), n0, std::min(n, p.w.out - n0), out[0].dtype(), to);
  });
}

// ---------------------------------------------------------------------------- quantize, dequantize

// Where an unpacked weight has element (kernel row, channel, output).
struct Axes {
  std::int64_t kernels, in, out, step_k, step_a, step_c;
};
Axes axes_of(const Shape& w) {
  if (w.size() == 3) return {w[0], w[1], w[2], w[1] * w[2], w[2], 1};
  const std::int64_t kernels = w.size() == 2 ? 1 : w[1] * w[2] * w[3], in = w.back();
  return {kernels, in, w[0], in, 1, kernels * in};
}

constexpr Limit kOutputs{"sparse_quant.outputs", 16, 3};  // outputs of one kernel row that a task takes

template <class F>
void each_task(const Axes& x, F&& f) {
  const std::int64_t each = kOutputs.of(x.out), parts = (x.out + each - 1) / each;
  parallel_for(x.kernels * parts, 1 + (1 << 12) / (each * x.in), [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i) f(i / parts, i % parts * each, std::min(each, x.out - i % parts * each));
  });
}

void quantize(const Call& c, std::vector<Tensor>& out) {
  const Axes x = axes_of(c.shape(0));
  const Floats w(c[0]);
  const int bits = static_cast<int>(c.integer("bits")), last = x.kernels == 1 ? 2 : 1;
  const Element t = element_of(c.dtype(0));
  const std::int64_t words = out[0].dim(last), groups = out[1].dim(last), stored = words * 32 / bits;
  const bool one = x.kernels == 1;
  auto* codes = out[0].write<std::uint32_t>();
  auto *scales = out[1].write<std::byte>(), *biases = out[2].write<std::byte>();
  const std::int64_t bytes = info(c.dtype(0)).bytes;
  each_task(x, [&](std::int64_t k, std::int64_t c0, std::int64_t n) {
    Room<float> values(static_cast<std::size_t>(n * stored)), s(static_cast<std::size_t>(n * groups)), b(s.size());
    Room<std::uint32_t> packed(static_cast<std::size_t>(n * words));
    for (std::int64_t a = 0; a < x.in; ++a)
      for (std::int64_t j = 0; j < n; ++j)
        values[static_cast<std::size_t>(j * stored + a)] = w.data()[k * x.step_k + a * x.step_a + (c0 + j) * x.step_c];
    PLUMB_DISPATCH(quant_encode)
    (values.data(), n * groups, stored / groups, bits, quant_scale_limit(t),
     reinterpret_cast<std::uint8_t*>(packed.data()), s.data(), b.data());
    if (one) {
      std::copy(packed.begin(), packed.end(), codes + c0 * words);
      PLUMB_DISPATCH(from_floats)(s.data(), n * groups, t, scales + c0 * groups * bytes);
      PLUMB_DISPATCH(from_floats)(b.data(), n * groups, t, biases + c0 * groups * bytes);
      return;
    }
    for (std::int64_t i = 0; i < words; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        codes[(k * words + i) * x.out + c0 + j] = packed[static_cast<std::size_t>(j * words + i)];
    const Room<float> turned_s = turned(s.data(), n, groups), turned_b = turned(b.data(), n, groups);
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t at = ((k * groups + g) * x.out + c0) * bytes;
      PLUMB_DISPATCH(from_floats)(turned_s.data() + g * n, n, t, scales + at);
      PLUMB_DISPATCH(from_floats)(turned_b.data() + g * n, n, t, biases + at);
    }
  });
}

void dequantize(const Call& c, std::vector<Tensor>& out) {
  const Axes x = axes_of(out[0].shape());
  const Packed p(c, 0, x.kernels, x.in);
  const Element t = element_of(out[0].dtype());
  const std::int64_t bytes = info(out[0].dtype()).bytes,
                     step = p.kernels == 1 ? 1 : x.out;  // between words of an output
  auto* to = out[0].write<std::byte>();
  each_task(x, [&](std::int64_t k, std::int64_t c0, std::int64_t n) {
    Room<float> lines(static_cast<std::size_t>(x.step_c == 1 ? 0 : n * x.in));  // channels adjacent
    const auto place = [&](std::int64_t c1, std::int64_t count) {
      return p.kernels == 1 ? c1 * count : k * count * x.out + c1;
    };
    for (std::int64_t a = 0; a < x.in; ++a) {
      float v[kOutputs.usual];
      for (std::int64_t j = 0; j < n; ++j) {
        const std::uint32_t word = p.data[place(c0 + j, p.words) + a * p.bits / 32 * step];
        v[j] = static_cast<float>(word >> (a * p.bits % 32) & ((1U << p.bits) - 1)) *
               p.s.data()[place(c0 + j, p.groups) + a / p.group * step];
      }
      PLUMB_DISPATCH(round_floats)(v, n, t, v);
      for (std::int64_t j = 0; j < n; ++j) v[j] += p.b.data()[place(c0 + j, p.groups) + a / p.group * step];
      if (x.step_c == 1) PLUMB_DISPATCH(from_floats)(v, n, t, to + (k * x.step_k + a * x.step_a + c0) * bytes);
      else
        for (std::int64_t j = 0; j < n; ++j) lines[static_cast<std::size_t>(j * x.in + a)] = v[j];
    }
    for (std::int64_t j = 0; x.step_c != 1 && j < n; ++j) PLUMB_DISPATCH(from_floats)
    (lines.data() + j * x.in, x.in, t, to + (k * x.step_k + (c0 + j) * x.step_c) * bytes);
  });
}

// ---------------------------------------------------------------------------- orders and routes

// A weight is rounded once more before it is multiplied, twice without fused instructions: to binary64 and binary32.
Order decoded(Order o) {
  o.fma = isa() != Isa::base;
  o.prologue = o.fma ? 1 : 2;
  return o;
}
// A product at a time, kernel row after kernel row, from the bias on.
Order conv_order(const Call&) { return decoded(Order()); }
// Block sums, begun with the bias.
Order linear_order(const Call&) {
  Order o = decoded(gemm_order(Dtype::f32));
  o.epilogue = 1;
  return o;
}

template <RelationKind base>
Route route(std::string_view op) {
  const auto prepare = [](const Call& call, const std::vector<Spec>& specs) {
    return convolution_job<ConvolutionPlan>(call, specs, base, convolve);
  };
  return gather_route(op, prepare, "cpu.packed", conv_order);
}

}  // namespace

std::vector<Route> sparse_quant_cpu_routes() {
  return {{.op = "quantize_weight", .name = "cpu.vector", .supports = {}, .prefers = {}, .prepare = host<quantize>},
          {.op = "dequantize_weight", .name = "cpu.vector", .supports = {}, .prefers = {}, .prepare = host<dequantize>},
          {.op = "quantized_linear",
           .name = "cpu.panel",
           .supports = {},
           .prefers = {},
           .order = linear_order,
           .prepare = host<linear>},
          route<RelationKind::forward>("quantized_conv3d"),
          route<RelationKind::submanifold>("quantized_subm_conv3d"),
          route<RelationKind::transposed>("quantized_conv_transpose3d"),
          route<RelationKind::generative>("quantized_generative_conv_transpose3d")};
}

}  // namespace plumb
