// Packed sparse weights on the CPU. A convolution sums blocks of outputs that lie near each other in cache, kernel row
// by kernel row; the weights of a kernel row are decoded once per block, into a panel that stays in cache.
#include <algorithm>
#include <atomic>
#include <memory>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/convolution_kernels.h"
#include "optimized/gemm.h"
#include "optimized/quant_kernels.h"
#include "optimized/relation.h"
#include "optimized/sparse_quant_kernels.h"

namespace plumb {
namespace {

using namespace cpu;

enum : std::size_t { kCoords, kActive, kFeatures, kWeight, kScales, kBiases, kBias, kTargets, kTargetActive };

int kind_of(Dtype t) { return t == Dtype::f32 ? 0 : 1; }

// A dense tensor of f32 or f16 as floats: its own storage if it is f32 and stays so.
class Floats {
 public:
  explicit Floats(const Tensor& t, Dtype rounded = Dtype::f32) : tensor_(contiguous(t)) {
    const std::int64_t n = t.size();
    if (n == 0) return;
    const bool half = t.dtype() == Dtype::f16;
    if (!half && rounded == Dtype::f32) {
      data_ = tensor_.read<float>();
      return;
    }
    own_ = Block<float>(n);
    data_ = own_.data;
    const auto* words = half ? tensor_.read<std::uint16_t>() : nullptr;
    const float* values = half ? nullptr : tensor_.read<float>();
    parallel_for(n, 1 << 15, [&](std::int64_t from, std::int64_t to) {
      if (half)
        PLUMB_DISPATCH(quant_to_f32)(words + from, 1, to - from, own_.data + from);
      else
        round_halves(values + from, to - from, own_.data + from);
    });
  }
  const float* data() const { return data_; }

 private:
  static void round_halves(const float* from, std::int64_t n, float* to) {
    std::uint16_t words[256];
    for (std::int64_t i = 0; i < n; i += 256) {
      const std::int64_t m = std::min<std::int64_t>(256, n - i);
      PLUMB_DISPATCH(quant_from_f32)(from + i, m, 1, words);
      PLUMB_DISPATCH(quant_to_f32)(words, 1, m, to + i);
    }
  }

  Tensor tensor_;
  Block<float> own_;
  const float* data_ = nullptr;
};

// A packed weight, read: codes, and scales and biases as floats.
struct Packed {
  std::int64_t kernels, out, stored, words, groups, group, in;
  int bits;
  Tensor codes;
  Floats s, b;
  const std::uint32_t* data;

  Packed(const Call& c, std::size_t weight, std::int64_t kernel_rows, std::int64_t channels)
      : kernels(kernel_rows), in(channels), bits(static_cast<int>(c.integer("bits"))), codes(contiguous(c[weight])),
        s(c[weight + 1]), b(c[weight + 2]), data(codes.read<std::uint32_t>()) {
    const int last = kernels == 1 ? 2 : 1;
    words = codes.dim(last);
    out = codes.dim(3 - last);
    groups = c[weight + 1].dim(last);
    stored = words * 32 / bits;
    group = stored / groups;
  }
};

// ---------------------------------------------------------------------------- convolution

// Pairs of one kernel row within one block: no output appears twice.
struct Run {
  std::int32_t kernel;
  std::int64_t begin, end;
};

struct Plan {
  std::int64_t rows_per_block = 0, blocks = 0;
  std::vector<std::int32_t> order;      // outputs, block by block
  std::vector<std::vector<Run>> runs;   // of each block, by kernel row
  Block<std::int32_t> in, out;          // of each pair: input row, output row within the block
  std::vector<std::int32_t> counts;     // edges, outputs
  std::vector<std::int64_t> out_coords;  // (outputs, 4)
};

// Half of the second level cache for the sums of a block.
std::int64_t block_rows(std::int64_t channels) {
  return std::clamp<std::int64_t>(131072 / std::max<std::int64_t>(channels, 1), 256, 2048);
}

// The pairs of one block by kernel row, from `at` on. Pairs of a kernel row come by output, so that equal outputs
// (inputs that repeat in a merged relation) are neighbours, and part two runs.
void plan_block(Plan& plan, const Relation& r, std::int64_t block, std::int64_t at) {
  const std::int64_t first = block * plan.rows_per_block, last = std::min(r.outputs, first + plan.rows_per_block);
  const auto each = [&](auto&& f) {
    for (std::int64_t i = first; i < last; ++i) {
      const auto o = static_cast<std::size_t>(plan.order[static_cast<std::size_t>(i)]);
      for (std::int64_t e = r.offsets[o]; e < r.offsets[o + 1]; ++e) f(static_cast<std::int32_t>(i - first), e);
    }
  };
  std::vector<std::int64_t> starts(static_cast<std::size_t>(r.kernels) + 1);
  each([&](std::int32_t, std::int64_t e) { ++starts[static_cast<std::size_t>(r.kernel[e]) + 1]; });
  starts[0] = at;
  for (std::size_t k = 1; k < starts.size(); ++k) starts[k] += starts[k - 1];
  std::vector<std::int64_t> next = starts;
  each([&](std::int32_t local, std::int64_t e) {
    const std::int64_t p = next[static_cast<std::size_t>(r.kernel[e])]++;
    plan.in[p] = r.in[e];
    plan.out[p] = local;
  });
  std::vector<Run>& runs = plan.runs[static_cast<std::size_t>(block)];
  for (std::size_t k = 0; k + 1 < starts.size(); ++k)
    for (std::int64_t p = starts[k]; p < starts[k + 1]; ++p)
      if (p == starts[k] || plan.out[p] == plan.out[p - 1])
        runs.push_back({static_cast<std::int32_t>(k), p, p + 1});
      else
        runs.back().end = p + 1;
}

Plan plan_of(const Relation& r, std::int64_t channels) {
  Plan plan;
  plan.rows_per_block = block_rows(channels);
  plan.blocks = (r.outputs + plan.rows_per_block - 1) / plan.rows_per_block;
  plan.order = nearby_order(r.out_rows);
  plan.runs.resize(static_cast<std::size_t>(plan.blocks));
  plan.in = Block<std::int32_t>(r.edges);
  plan.out = Block<std::int32_t>(r.edges);
  plan.counts = {static_cast<std::int32_t>(r.edges), static_cast<std::int32_t>(r.outputs)};
  std::vector<std::int64_t> starts(static_cast<std::size_t>(plan.blocks) + 1);
  for (std::size_t i = 0; i < plan.order.size(); ++i) {
    const auto o = static_cast<std::size_t>(plan.order[i]);
    starts[i / static_cast<std::size_t>(plan.rows_per_block) + 1] += r.offsets[o + 1] - r.offsets[o];
  }
  for (std::size_t b = 1; b < starts.size(); ++b) starts[b] += starts[b - 1];
  parallel_for(plan.blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) plan_block(plan, r, b, starts[static_cast<std::size_t>(b)]);
  });
  plan.out_coords.resize(static_cast<std::size_t>(4 * r.outputs));
  for (std::int64_t o = 0; o < r.outputs; ++o)
    for (int a = 0; a < 4; ++a) plan.out_coords[static_cast<std::size_t>(4 * o + a)] = r.out_rows.at(o, a);
  return plan;
}

// n columns as n rows: what one kernel row stores by output, by word or group.
template <class T>
std::vector<T> turned(const T* from, std::int64_t rows, std::int64_t columns) {
  std::vector<T> to(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) to[static_cast<std::size_t>(c * rows + r)] = from[r * columns + c];
  return to;
}

class Convolution {
 public:
  Convolution(const Call& call, const Plan& plan, const Tensor& out)
      : plan_(plan), packed_(call, kWeight, geometry(call).volume, call.shape(kFeatures)[1]),
        x_(call[kFeatures], call.dtype(kScales)), lanes_(PLUMB_DISPATCH(convolution_lanes)()),
        padded_((packed_.out + lanes_ - 1) / lanes_ * lanes_), bias_(static_cast<std::size_t>(padded_), 0.0f),
        words_(packed_.data), scales_(packed_.s.data()), biases_(packed_.b.data()), out_(out) {
    if (packed_.kernels == 1) {
      turned_words_ = turned(words_, packed_.out, packed_.words);
      turned_scales_ = turned(scales_, packed_.out, packed_.groups);
      turned_biases_ = turned(biases_, packed_.out, packed_.groups);
      words_ = turned_words_.data(), scales_ = turned_scales_.data(), biases_ = turned_biases_.data();
    }
    if (!call.has(kBias)) return;
    const Floats b(call[kBias]);
    std::copy_n(b.data(), packed_.out, bias_.begin());
  }

  void run() {
    if (out_.size() == 0) return;
    auto* to = out_.write<std::byte>();
    std::atomic<std::int64_t> next{0};
    parallel_for(std::min<std::int64_t>(threads(), plan_.blocks), 1, [&](std::int64_t begin, std::int64_t end) {
      if (begin == end) return;
      const Block<float> sums(plan_.rows_per_block * padded_), panel(packed_.in * 4 * lanes_);
      for (std::int64_t b; (b = next++) < plan_.blocks;) block(b, sums.data, panel.data, to);
    });
  }

 private:
  void block(std::int64_t b, float* sums, float* panel, std::byte* to) const {
    const std::int64_t first = b * plan_.rows_per_block;
    const std::int64_t rows = std::min(plan_.rows_per_block, std::ssize(plan_.order) - first);
    for (std::int64_t r = 0; r < rows; ++r) std::copy(bias_.begin(), bias_.end(), sums + r * padded_);
    const std::vector<Run>& runs = plan_.runs[static_cast<std::size_t>(b)];
    for (std::size_t i = 0, last; i < runs.size(); i = last) {
      for (last = i; last < runs.size() && runs[last].kernel == runs[i].kernel;) ++last;
      add({runs.data() + i, runs.data() + last}, sums, panel);
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t at = plan_.order[static_cast<std::size_t>(first + r)] * packed_.out;
      PLUMB_DISPATCH(quant_from_f32)
      (sums + r * padded_, packed_.out, kind_of(out_.dtype()), to + at * info(out_.dtype()).bytes);
    }
  }

  // The runs of one kernel row. A part of its panel stays in the first level cache while the rows pass.
  void add(std::span<const Run> runs, float* sums, float* panel) const {
    constexpr std::int64_t kDepth = 128;
    const std::int64_t k = runs[0].kernel;
    for (std::int64_t column = 0; column < padded_; column += 4 * lanes_) {
      const std::int64_t width = std::min(padded_ - column, 4 * lanes_),
                         groups = k * packed_.groups * packed_.out + column;
      PLUMB_DISPATCH(packed_panel)
      ({words_ + k * packed_.words * packed_.out + column, scales_ + groups, biases_ + groups, packed_.out,
        packed_.bits, packed_.group, packed_.in, std::min(width, packed_.out - column), width, panel});
      for (std::int64_t c = 0; c < packed_.in; c += kDepth)
        for (const Run& run : runs)
          PLUMB_DISPATCH(convolution_tile)
          ({x_.data() + c, packed_.in, plan_.in.data + run.begin, plan_.out.data + run.begin, run.end - run.begin,
            panel + c * width, std::min(kDepth, packed_.in - c), width, sums + column, padded_});
    }
  }

  const Plan& plan_;
  Packed packed_;
  Floats x_;
  std::int64_t lanes_, padded_;
  std::vector<float> bias_;
  const std::uint32_t* words_;
  const float *scales_, *biases_;
  std::vector<std::uint32_t> turned_words_;
  std::vector<float> turned_scales_, turned_biases_;
  Tensor out_;
};

void store_support(const Plan& plan, const std::vector<Tensor>& out) {
  const auto store = [&](auto* to) {
    for (std::size_t i = 0; i < plan.out_coords.size(); ++i)
      to[i] = static_cast<std::remove_pointer_t<decltype(to)>>(plan.out_coords[i]);
  };
  if (!plan.out_coords.empty())
    out[0].dtype() == Dtype::i64 ? store(out[0].write<std::int64_t>()) : store(out[0].write<std::int32_t>());
  std::copy_n(plan.counts.data(), 2, out[2].write<std::int32_t>());
}

template <RelationKind base>
Job prepare(const Call& call, const std::vector<Spec>& specs) {
  const bool targeted = call.has(kTargets);
  const Tensor coords = contiguous(call[kCoords]), targets = targeted ? contiguous(call[kTargets]) : Tensor();
  const Rows in = rows(call, coords, call[kActive]);
  const Rows to = targeted ? rows(call, targets, call[kTargetActive]) : Rows{};
  const Relation r = build(targeted ? RelationKind::target : base, geometry(call), in, to);
  const auto plan = std::make_shared<Plan>(plan_of(r, specs[1].shape[1]));
  auto out = std::make_shared<std::vector<Tensor>>();
  for (const Spec& s : specs) out->emplace_back(s);
  return {[call, plan, out] {
            store_support(*plan, *out);
            Convolution(call, *plan, (*out)[1]).run();
          },
          [] {}, [out] { return *out; }};
}

// ---------------------------------------------------------------------------- linear

constexpr std::int64_t kPanelDepth = 768;    // of channels: a multiple of every group
constexpr std::int64_t kPanelColumns = 128;  // of outputs: with the depth, a panel stays in the second level cache
constexpr std::int64_t kPanelRows = 512;     // of features: what one task computes

struct Product {
  Packed w;
  Tensor features;
  Floats rounded;  // the features, where the scales are coarser
  GemmOperand x;
  std::vector<float> bias;

  explicit Product(const Call& c)
      : w(c, 1, 1, c.shape(0)[1]), features(contiguous(c[0])),
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
  thread_local std::vector<float> panel, block;
  panel.resize(kPanelDepth * kPanelColumns);
  block.resize(static_cast<std::size_t>(m * n));
  if (!p.bias.empty())
    for (std::int64_t r = 0; r < m; ++r) std::copy_n(p.bias.data() + n0, n, block.data() + r * n);
  for (std::int64_t k0 = 0; k0 < p.w.in; k0 += kPanelDepth) {
    const std::int64_t depth = std::min(kPanelDepth, p.w.stored - k0);
    for (std::int64_t j = 0; j < n; ++j) {
      const std::int64_t g = (n0 + j) * p.w.groups + k0 / p.w.group;
      const auto* codes = reinterpret_cast<const std::uint8_t*>(p.w.data + (n0 + j) * p.w.words) + k0 * p.w.bits / 8;
      PLUMB_DISPATCH(quant_weights)
      (codes, p.w.bits, p.w.group, p.w.s.data() + g, p.w.b.data() + g, depth, panel.data() + j * depth);
    }
    gemm(m, n, std::min(depth, p.w.in - k0), p.rows_from(m0, k0), {panel.data(), Dtype::f32, 1, depth}, block.data(), n,
         k0 > 0 || !p.bias.empty());
  }
  for (std::int64_t r = 0; r < m; ++r)
    PLUMB_DISPATCH(quant_from_f32)
    (block.data() + r * n, n, kind_of(type), to + ((m0 + r) * p.w.out + n0) * info(type).bytes);
}

void linear(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Product p(c);
  const std::int64_t rows = out[0].dim(0), row_tasks = (rows + kPanelRows - 1) / kPanelRows;
  const std::int64_t column_tasks = (p.w.out + kPanelColumns - 1) / kPanelColumns;
  auto* to = out[0].write<std::byte>();
  parallel_each(row_tasks * column_tasks, [&](std::int64_t task) {
    const std::int64_t m0 = task / column_tasks * kPanelRows, n0 = task % column_tasks * kPanelColumns;
    product_block(p, m0, std::min(kPanelRows, rows - m0), n0, std::min(kPanelColumns, p.w.out - n0), out[0].dtype(),
                  to);
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

constexpr std::int64_t kOutputs = 16;  // outputs of one kernel row that a task takes

template <class F>
void each_task(const Axes& x, F&& f) {
  const std::int64_t parts = (x.out + kOutputs - 1) / kOutputs;
  parallel_for(x.kernels * parts, 1 + (1 << 12) / (kOutputs * x.in), [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i)
      f(i / parts, i % parts * kOutputs, std::min(kOutputs, x.out - i % parts * kOutputs));
  });
}

void quantize(const Call& c, std::vector<Tensor>& out) {
  const Axes x = axes_of(c.shape(0));
  const Floats w(c[0]);
  const int bits = static_cast<int>(c.integer("bits")), kind = kind_of(c.dtype(0)), last = x.kernels == 1 ? 2 : 1;
  const std::int64_t words = out[0].dim(last), groups = out[1].dim(last), stored = words * 32 / bits;
  const bool one = x.kernels == 1;
  auto* codes = out[0].write<std::uint32_t>();
  auto *scales = out[1].write<std::byte>(), *biases = out[2].write<std::byte>();
  const std::int64_t bytes = info(c.dtype(0)).bytes;
  each_task(x, [&](std::int64_t k, std::int64_t c0, std::int64_t n) {
    std::vector<float> values(static_cast<std::size_t>(n * stored)), s(static_cast<std::size_t>(n * groups)),
        b(s.size());
    std::vector<std::uint32_t> packed(static_cast<std::size_t>(n * words));
    for (std::int64_t a = 0; a < x.in; ++a)
      for (std::int64_t j = 0; j < n; ++j)
        values[static_cast<std::size_t>(j * stored + a)] = w.data()[k * x.step_k + a * x.step_a + (c0 + j) * x.step_c];
    PLUMB_DISPATCH(quant_encode)
    (values.data(), n * groups, stored / groups, bits, reinterpret_cast<std::uint8_t*>(packed.data()), s.data(),
     b.data());
    if (one) {
      std::copy(packed.begin(), packed.end(), codes + c0 * words);
      PLUMB_DISPATCH(quant_from_f32)(s.data(), n * groups, kind, scales + c0 * groups * bytes);
      PLUMB_DISPATCH(quant_from_f32)(b.data(), n * groups, kind, biases + c0 * groups * bytes);
      return;
    }
    for (std::int64_t i = 0; i < words; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        codes[(k * words + i) * x.out + c0 + j] = packed[static_cast<std::size_t>(j * words + i)];
    const std::vector<float> turned_s = turned(s.data(), n, groups), turned_b = turned(b.data(), n, groups);
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t at = ((k * groups + g) * x.out + c0) * bytes;
      PLUMB_DISPATCH(quant_from_f32)(turned_s.data() + g * n, n, kind, scales + at);
      PLUMB_DISPATCH(quant_from_f32)(turned_b.data() + g * n, n, kind, biases + at);
    }
  });
}

void round_line(float* v, std::int64_t n, int kind) {
  if (kind == 0) return;
  std::uint16_t words[kOutputs];
  PLUMB_DISPATCH(quant_from_f32)(v, n, kind, words);
  PLUMB_DISPATCH(quant_to_f32)(words, kind, n, v);
}

void dequantize(const Call& c, std::vector<Tensor>& out) {
  const Axes x = axes_of(out[0].shape());
  const Packed p(c, 0, x.kernels, x.in);
  const int kind = kind_of(out[0].dtype());
  const std::int64_t bytes = info(out[0].dtype()).bytes,
                     step = p.kernels == 1 ? 1 : x.out;  // between words of an output
  auto* to = out[0].write<std::byte>();
  each_task(x, [&](std::int64_t k, std::int64_t c0, std::int64_t n) {
    std::vector<float> lines(static_cast<std::size_t>(x.step_c == 1 ? 0 : n * x.in));  // channels adjacent
    const auto place = [&](std::int64_t c1, std::int64_t count) {
      return p.kernels == 1 ? c1 * count : k * count * x.out + c1;
    };
    for (std::int64_t a = 0; a < x.in; ++a) {
      float v[kOutputs];
      for (std::int64_t j = 0; j < n; ++j) {
        const std::uint32_t word = p.data[place(c0 + j, p.words) + a * p.bits / 32 * step];
        v[j] = static_cast<float>(word >> (a * p.bits % 32) & ((1U << p.bits) - 1)) *
               p.s.data()[place(c0 + j, p.groups) + a / p.group * step];
      }
      round_line(v, n, kind);
      for (std::int64_t j = 0; j < n; ++j) v[j] += p.b.data()[place(c0 + j, p.groups) + a / p.group * step];
      if (x.step_c == 1)
        PLUMB_DISPATCH(quant_from_f32)(v, n, kind, to + (k * x.step_k + a * x.step_a + c0) * bytes);
      else
        for (std::int64_t j = 0; j < n; ++j) lines[static_cast<std::size_t>(j * x.in + a)] = v[j];
    }
    for (std::int64_t j = 0; x.step_c != 1 && j < n; ++j)
      PLUMB_DISPATCH(quant_from_f32)
      (lines.data() + j * x.in, x.in, kind, to + (k * x.step_k + (c0 + j) * x.step_c) * bytes);
  });
}

// ---------------------------------------------------------------------------- orders and routes

// A weight is rounded once more before it is multiplied, twice without fused instructions.
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
  return {.op = op, .name = "cpu.packed", .supports = {}, .prefers = {}, .order = conv_order, .prepare = prepare<base>,
          .prepares = "the relation"};
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
