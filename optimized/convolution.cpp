// Sparse convolution on the CPU: outputs in blocks of rows that lie near each other, each block summed in cache,
// kernel row by kernel row, straight from gathered input rows.
#include <algorithm>
#include <atomic>
#include <memory>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/convolution_kernels.h"
#include "optimized/relation.h"

namespace plumb {
namespace {

using namespace cpu;

enum : std::size_t { kCoords, kActive, kFeatures, kWeight, kBias, kTargets, kTargetActive };

// Pairs of one kernel row within one block: no output appears twice.
struct Run {
  std::int32_t kernel;
  std::int64_t begin, end;
};

struct Plan {
  std::int64_t rows_per_block = 0, blocks = 0;
  std::vector<std::int32_t> order;           // outputs, block by block
  std::vector<std::vector<Run>> runs;        // of each block
  Block<std::int32_t> in, out;               // of each pair: input row, output row within the block
  std::vector<std::int32_t> counts;          // edges, outputs
  std::vector<std::int64_t> out_coords;      // (outputs, 4)
};

// Rows of a block: about half of the second level cache for its sums.
std::int64_t block_rows(std::int64_t channels) { return std::clamp<std::int64_t>(131072 / std::max<std::int64_t>(channels, 1), 256, 2048); }

// Buckets the edges of a block's outputs by kernel row. An output that a kernel row reaches twice (repeated
// inputs of a merged relation) goes to a run of its own.
class BlockBuilder {
 public:
  BlockBuilder(Plan& plan, const Relation& r) : plan_(plan), r_(r), starts_(static_cast<std::size_t>(r.kernels) + 1) {}

  void build(std::int64_t block, std::int64_t at) {
    const std::int64_t first = block * plan_.rows_per_block, last = std::min(r_.outputs, first + plan_.rows_per_block);
    std::fill(starts_.begin(), starts_.end(), 0);
    each(first, last, [&](std::int64_t, std::int64_t e) { ++starts_[static_cast<std::size_t>(r_.kernel[e]) + 1]; });
    for (std::size_t k = 1; k < starts_.size(); ++k) starts_[k] += starts_[k - 1];
    std::vector<std::int64_t> next(starts_.begin(), starts_.end() - 1);
    each(first, last, [&](std::int64_t local, std::int64_t e) {
      const std::int64_t p = at + next[static_cast<std::size_t>(r_.kernel[e])]++;
      plan_.in[p] = r_.in[e];
      plan_.out[p] = static_cast<std::int32_t>(local);
    });
    for (std::size_t k = 0; k + 1 < starts_.size(); ++k)
      add_runs(block, static_cast<std::int32_t>(k), at + starts_[k], at + starts_[k + 1]);
  }

 private:
  template <class F>
  void each(std::int64_t first, std::int64_t last, F&& f) const {
    for (std::int64_t i = first; i < last; ++i) {
      const auto o = static_cast<std::size_t>(plan_.order[static_cast<std::size_t>(i)]);
      for (std::int64_t e = r_.offsets[o]; e < r_.offsets[o + 1]; ++e) f(i - first, e);
    }
  }

  void add_runs(std::int64_t block, std::int32_t k, std::int64_t begin, std::int64_t end) {
    std::vector<Run>& runs = plan_.runs[static_cast<std::size_t>(block)];
    while (begin < end) {
      std::vector<std::pair<std::int32_t, std::int32_t>> again;
      std::int64_t kept = begin;
      for (std::int64_t p = begin; p < end; ++p) {
        if (p > begin && plan_.out[p] == plan_.out[kept - 1]) {
          again.emplace_back(plan_.in[p], plan_.out[p]);
          continue;
        }
        plan_.in[kept] = plan_.in[p], plan_.out[kept] = plan_.out[p], ++kept;
      }
      runs.push_back({k, begin, kept});
      begin = kept;
      for (const auto& [in, out] : again) plan_.in[kept] = in, plan_.out[kept] = out, ++kept;
    }
  }

  Plan& plan_;
  const Relation& r_;
  std::vector<std::int64_t> starts_;
};

Plan plan_of(const Relation& r, std::int64_t channels) {
  Plan plan;
  plan.rows_per_block = block_rows(channels);
  plan.blocks = (r.outputs + plan.rows_per_block - 1) / plan.rows_per_block;
  plan.order = nearby_order(r.out_rows);
  plan.runs.resize(static_cast<std::size_t>(plan.blocks));
  plan.in = Block<std::int32_t>(r.edges);
  plan.out = Block<std::int32_t>(r.edges);
  plan.counts = {static_cast<std::int32_t>(r.edges), static_cast<std::int32_t>(r.outputs)};
  std::vector<std::int64_t> starts{0};
  for (std::size_t i = 0; i < plan.order.size(); ++i) {
    const auto o = static_cast<std::size_t>(plan.order[i]);
    if (i > 0 && static_cast<std::int64_t>(i) % plan.rows_per_block == 0) starts.push_back(starts.back());
    starts.back() += r.offsets[o + 1] - r.offsets[o];
  }
  parallel_for(plan.blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    BlockBuilder builder(plan, r);
    for (std::int64_t b = begin; b < end; ++b) builder.build(b, b == 0 ? 0 : starts[static_cast<std::size_t>(b) - 1]);
  });
  plan.out_coords.resize(static_cast<std::size_t>(4 * r.outputs));
  for (std::int64_t o = 0; o < r.outputs; ++o)
    for (int a = 0; a < 4; ++a) plan.out_coords[static_cast<std::size_t>(4 * o + a)] = r.out_rows.at(o, a);
  return plan;
}

// Weights as panels of at most four vectors: panel[k][column block][c][lane], zero beyond the last channel.
struct Weights {
  std::int64_t lanes, in, out, kernels, padded;
  std::vector<float> panels;

  std::int64_t width(std::int64_t column) const { return std::min(padded - column, 4 * lanes); }
  const float* panel(std::int64_t k, std::int64_t column) const { return panels.data() + (k * padded + column) * in; }
};

Weights packed(const std::vector<float>& w, bool dense, std::int64_t kernels, std::int64_t in, std::int64_t out) {
  const std::int64_t lanes = PLUMB_DISPATCH(convolution_lanes)();
  Weights p{lanes, in, out, kernels, (out + lanes - 1) / lanes * lanes, {}};
  p.panels.assign(static_cast<std::size_t>(kernels * in * p.padded), 0.0f);
  parallel_for(kernels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      for (std::int64_t column = 0; column < p.padded; column += 4 * lanes) {
        float* to = p.panels.data() + (k * p.padded + column) * in;
        const std::int64_t width = p.width(column), used = std::min(width, out - column);
        for (std::int64_t c = 0; c < in; ++c)
          for (std::int64_t j = 0; j < used; ++j)
            to[c * width + j] = w[static_cast<std::size_t>(dense ? ((column + j) * kernels + k) * in + c
                                                                 : (k * in + c) * out + column + j)];
      }
  });
  return p;
}

std::vector<float> floats(const Tensor& t) {
  const Tensor d = contiguous(t);
  std::vector<float> v(static_cast<std::size_t>(d.size()));
  if (d.size() == 0) return v;
  if (d.dtype() == Dtype::f32)
    std::copy_n(d.read<float>(), v.size(), v.data());
  else
    PLUMB_DISPATCH(halves_to_floats)(d.read<std::uint16_t>(), d.size(), v.data());
  return v;
}

// Features as rows of floats: in place if they are that already.
struct Features {
  Tensor dense;
  Block<float> copy;
  const float* data = nullptr;

  explicit Features(const Tensor& t) : dense(contiguous(t)) {
    if (dense.size() == 0) return;
    data = dense.dtype() == Dtype::f32 ? dense.read<float>() : nullptr;
    if (data) return;
    copy = Block<float>(dense.size());
    const std::uint16_t* from = dense.read<std::uint16_t>();
    parallel_for(dense.size(), 65536, [&](std::int64_t begin, std::int64_t end) {
      PLUMB_DISPATCH(halves_to_floats)(from + begin, end - begin, copy.data + begin);
    });
    data = copy.data;
  }
};

class Convolution {
 public:
  Convolution(const Call& call, const Plan& plan, const Tensor& out)
      : plan_(plan), features_(call[kFeatures]), channels_(call.shape(kFeatures)[1]), out_channels_(out.dim(1)),
        weights_(packed(floats(call[kWeight]), call.text("weight_layout") == "dense_5d", geometry(call).volume, channels_, out_channels_)),
        bias_(static_cast<std::size_t>(weights_.padded), 0.0f), out_(out) {
    if (!call.has(kBias)) return;
    const std::vector<float> b = floats(call[kBias]);
    std::copy(b.begin(), b.end(), bias_.begin());
  }

  void run() {
    void* to = out_.size() > 0 ? static_cast<void*>(out_.write<std::byte>()) : nullptr;
    if (!to) return;
    std::atomic<std::int64_t> next{0};
    parallel_for(std::min<std::int64_t>(threads(), plan_.blocks), 1, [&](std::int64_t begin, std::int64_t end) {
      if (begin == end) return;
      const Block<float> memory(plan_.rows_per_block * weights_.padded + 16);
      float* sums = memory.data + (16 - reinterpret_cast<std::uintptr_t>(memory.data) / 4 % 16) % 16;
      for (std::int64_t b; (b = next++) < plan_.blocks;) block(b, sums, to);
    });
  }

 private:
  void block(std::int64_t b, float* sums, void* to) const {
    const std::int64_t first = b * plan_.rows_per_block;
    const std::int64_t rows = std::min(plan_.rows_per_block, std::ssize(plan_.order) - first);
    for (std::int64_t r = 0; r < rows; ++r) std::copy(bias_.begin(), bias_.end(), sums + r * weights_.padded);
    for (const Run& run : plan_.runs[static_cast<std::size_t>(b)]) add(run, sums);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t at = plan_.order[static_cast<std::size_t>(first + r)] * out_channels_;
      const float* from = sums + r * weights_.padded;
      if (out_.dtype() == Dtype::f32)
        std::copy_n(from, out_channels_, static_cast<float*>(to) + at);
      else
        PLUMB_DISPATCH(floats_to_halves)(from, out_channels_, static_cast<std::uint16_t*>(to) + at);
    }
  }

  // Panels of weights stay in the first level cache while the run's rows pass.
  void add(const Run& run, float* sums) const {
    constexpr std::int64_t kDepth = 128;
    for (std::int64_t column = 0; column < weights_.padded; column += 4 * weights_.lanes)
      for (std::int64_t c = 0; c < channels_; c += kDepth) {
        const std::int64_t width = weights_.width(column);
        PLUMB_DISPATCH(convolution_tile)({features_.data + c, channels_, plan_.in.data + run.begin, plan_.out.data + run.begin,
                                          run.end - run.begin, weights_.panel(run.kernel, column) + c * width,
                                          std::min(kDepth, channels_ - c), width, sums + column, weights_.padded});
      }
  }

  const Plan& plan_;
  Features features_;
  std::int64_t channels_, out_channels_;
  Weights weights_;
  std::vector<float> bias_;
  Tensor out_;
};

void store_support(const Plan& plan, const std::vector<Tensor>& out) {
  const auto store = [&](auto* to) {
    for (std::size_t i = 0; i < plan.out_coords.size(); ++i) to[i] = static_cast<std::remove_pointer_t<decltype(to)>>(plan.out_coords[i]);
  };
  if (!plan.out_coords.empty())
    out[0].dtype() == Dtype::i64 ? store(out[0].write<std::int64_t>()) : store(out[0].write<std::int32_t>());
  std::copy_n(plan.counts.data(), 2, out[2].write<std::int32_t>());
}

RelationKind with_targets(RelationKind kind, bool targets) {
  if (!targets) return kind;
  return kind == RelationKind::forward ? RelationKind::target : RelationKind::target_transposed;
}

template <RelationKind base>
Job prepare(const Call& call, const std::vector<Spec>& specs) {
  const bool targeted = call.has(kTargets);
  const Tensor coords = contiguous(call[kCoords]), targets = targeted ? contiguous(call[kTargets]) : Tensor();
  const Rows in = rows(call, coords, call[kActive]);
  const Rows to = targeted ? rows(call, targets, call[kTargetActive]) : Rows{};
  const Relation r = build(with_targets(base, targeted), geometry(call), in, to);
  const auto plan = std::make_shared<Plan>(plan_of(r, specs[1].shape[1]));
  auto out = std::make_shared<std::vector<Tensor>>();
  for (const Spec& s : specs) out->emplace_back(s);
  return {[call, plan, out] {
            store_support(*plan, *out);
            Convolution(call, *plan, (*out)[1]).run();
          },
          [] {}, [out] { return *out; }};
}

// A product at a time, kernel row after kernel row, from the bias on; without fused instructions two roundings.
Order order(const Call&) {
  Order o;
  o.fma = isa() != Isa::base;
  return o;
}

template <RelationKind base>
Route route(std::string_view op) {
  return {.op = op, .name = "cpu.gather", .supports = {}, .prefers = {}, .order = order, .prepare = prepare<base>,
          .prepares = "the relation"};
}

}  // namespace

std::vector<Route> convolution_cpu_routes() {
  return {route<RelationKind::forward>("conv3d"), route<RelationKind::submanifold>("subm_conv3d"),
          route<RelationKind::transposed>("conv_transpose3d"), route<RelationKind::generative>("generative_conv_transpose3d")};
}

}  // namespace plumb
