#include "optimized/gather_product.h"

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "core/pool.h"
#include "optimized/convolution_kernels.h"

namespace plumb::cpu {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Rows of a block: about half of the second level cache for its sums.
std::int64_t block_rows(std::int64_t columns) {
  return std::clamp<std::int64_t>(131072 / std::max<std::int64_t>(columns, 1), 256, 2048);
}

// The output row of each edge.
std::vector<std::int32_t> outputs_of(const Relation& r) {
  std::vector<std::int32_t> out(index(r.edges));
  for (std::int64_t o = 0; o < r.outputs; ++o)
    std::fill(out.begin() + r.offsets[index(o)], out.begin() + r.offsets[index(o) + 1], static_cast<std::int32_t>(o));
  return out;
}

std::vector<std::int32_t> picked(const std::int32_t* from, const std::vector<std::int32_t>& ids) {
  std::vector<std::int32_t> to(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) to[i] = from[ids[i]];
  return to;
}

}  // namespace

Incidence by_output(const Relation& r) {
  return {r.kernels, r.offsets, {r.in.data, r.in.data + r.edges}, {r.kernel.data, r.kernel.data + r.edges}};
}

Incidence by_input(const Relation& r, std::int64_t inputs) {
  std::vector<std::int32_t> offsets(index(inputs) + 1), ids(index(r.edges));
  group_edges(r.in.data, r.edges, inputs, offsets.data(), ids.data());
  return {r.kernels, std::move(offsets), picked(outputs_of(r).data(), ids), picked(r.kernel.data, ids)};
}

Floats::Floats(const Tensor& t) : dense_(contiguous(t)) {
  if (dense_.size() == 0) return;
  data_ = dense_.dtype() == Dtype::f32 ? dense_.read<float>() : nullptr;
  if (data_) return;
  copy_ = Block<float>(dense_.size());
  const std::uint16_t* from = dense_.read<std::uint16_t>();
  parallel_for(dense_.size(), 65536, [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(halves_to_floats)(from + begin, end - begin, copy_.data + begin);
  });
  data_ = copy_.data;
}

Panels::Panels(const float* w, WeightStrides s, std::int64_t kernels, std::int64_t channel_count, std::int64_t columns)
    : lanes(PLUMB_DISPATCH(convolution_lanes)()),
      channels(channel_count),
      padded((columns + lanes - 1) / lanes * lanes) {
  values.assign(index(kernels * channels * padded), 0.0F);
  parallel_for(kernels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      for (std::int64_t column = 0; column < padded; column += 4 * lanes) {
        float* to = values.data() + (k * padded + column) * channels;
        const std::int64_t used = std::min(width(column), columns - column);
        for (std::int64_t a = 0; a < channels; ++a)
          for (std::int64_t j = 0; j < used; ++j)
            to[a * width(column) + j] = w[k * s.kernel + a * s.channel + (column + j) * s.column];
      }
  });
}

GatherPlan::GatherPlan(const Incidence& edges, std::vector<std::int32_t> order, std::int64_t columns)
    : rows_(block_rows(columns)), order_(std::move(order)) {
  const std::int64_t blocks = (std::ssize(order_) + rows_ - 1) / rows_;
  runs_.resize(index(blocks));
  source_.resize(edges.source.size());
  local_.resize(edges.source.size());
  std::vector<std::int64_t> starts(index(blocks) + 1);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const std::size_t d = index(order_[i]), b = i / index(rows_);
    starts[b + 1] += edges.offsets[d + 1] - edges.offsets[d];
  }
  for (std::size_t b = 1; b < starts.size(); ++b) starts[b] += starts[b - 1];
  parallel_each(blocks, [&](std::int64_t b) { build(edges, b, starts[index(b)]); });
}

// A counting sort by (repetition, kernel row): an edge whose destination has met its kernel row before, which repeated
// coordinates bring about, goes to a later run.
void GatherPlan::build(const Incidence& edges, std::int64_t block, std::int64_t at) {
  const std::int64_t first = block * rows_, last = std::min<std::int64_t>(std::ssize(order_), first + rows_);
  std::vector<std::int64_t> starts(index(edges.kernels) + 1), met(index(edges.kernels));
  const auto each = [&](auto&& f) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::size_t d = index(order_[index(i)]);
      for (std::int32_t e = edges.offsets[d]; e < edges.offsets[d + 1]; ++e)
        f(i - first, edges.source[index(e)], edges.kernel[index(e)], met[index(edges.kernel[index(e)])]++);
      for (std::int32_t e = edges.offsets[d]; e < edges.offsets[d + 1]; ++e) met[index(edges.kernel[index(e)])] = 0;
    }
  };
  const auto bucket = [&](std::int32_t k, std::int64_t repetition) { return index(repetition * edges.kernels + k); };
  each([&](std::int64_t, std::int32_t, std::int32_t k, std::int64_t repetition) {
    if (starts.size() < bucket(0, repetition + 1) + 1) starts.resize(bucket(0, repetition + 1) + 1);
    ++starts[bucket(k, repetition) + 1];
  });
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  std::vector<std::int64_t> next(starts.begin(), starts.end());
  each([&](std::int64_t local, std::int32_t source, std::int32_t k, std::int64_t repetition) {
    const std::size_t p = index(at + next[bucket(k, repetition)]++);
    source_[p] = source;
    local_[p] = static_cast<std::int32_t>(local);
  });
  for (std::size_t i = 0; i + 1 < starts.size(); ++i)
    if (starts[i] < starts[i + 1])
      runs_[index(block)].push_back({static_cast<std::int32_t>(static_cast<std::int64_t>(i) % edges.kernels),
                                     at + starts[i], at + starts[i + 1]});
}

void GatherPlan::run(std::span<const Factor> factors, const std::function<void(std::int64_t, float*)>& store) const {
  constexpr std::int64_t kDepth = 128;  // channels of a panel that stay in the first level cache
  const std::int64_t padded = factors[0].weights->padded, blocks = std::ssize(runs_);
  std::atomic<std::int64_t> taken{0};
  parallel_for(std::min<std::int64_t>(threads(), blocks), 1, [&](std::int64_t begin, std::int64_t end) {
    if (begin == end) return;
    const Block<float> memory(rows_ * padded + 16);
    float* sums = memory.data + (16 - reinterpret_cast<std::uintptr_t>(memory.data) / 4 % 16) % 16;
    for (std::int64_t b; (b = taken++) < blocks;) {
      const std::int64_t first = b * rows_, rows = std::min<std::int64_t>(rows_, std::ssize(order_) - first);
      std::fill_n(sums, rows * padded, 0.0F);
      each(b, [&](const Pairs& p) {
        for (const Factor& f : factors)
          for (std::int64_t column = 0; column < padded; column += 4 * f.weights->lanes)
            for (std::int64_t a = 0; a < f.weights->channels; a += kDepth) {
              const std::int64_t width = f.weights->width(column);
              PLUMB_DISPATCH(convolution_tile)
              ({f.rows + a, f.weights->channels, p.source, p.local, p.count,
                f.weights->at(p.kernel, column) + a * width, std::min(kDepth, f.weights->channels - a), width,
                sums + column, padded});
            }
      });
      for (std::int64_t i = 0; i < rows; ++i) store(order_[index(first + i)], sums + i * padded);
    }
  });
}

void store_floats(const float* from, std::int64_t n, Dtype type, void* to, std::int64_t offset) {
  if (type == Dtype::f32)
    std::copy_n(from, n, static_cast<float*>(to) + offset);
  else
    PLUMB_DISPATCH(floats_to_halves)(from, n, static_cast<std::uint16_t*>(to) + offset);
}

Order gather_order() {
  Order o;
  o.fma = isa() != Isa::base;
  return o;
}

RelationKind targeted(RelationKind base, bool targets) {
  if (!targets) return base;
  return base == RelationKind::forward ? RelationKind::target : RelationKind::target_transposed;
}

CallRelation::CallRelation(const Call& call, RelationKind base) : coords(contiguous(call["coords"])) {
  const bool takes = base == RelationKind::forward || base == RelationKind::transposed;
  const bool given = takes && call.has("target_coords");
  in = rows(call, coords, call["active_rows"]);
  Rows to;
  if (given) {
    targets = contiguous(call["target_coords"]);
    to = rows(call, targets, call["target_active_rows"]);
  }
  edges = build(targeted(base, given), geometry(call), in, to);
}

WeightStrides weight_strides(const Request& r) {
  const Shape& w = r.shape(r.index("weight"));
  if (r.text("weight_layout") == "dense_5d") return {w[4], 1, w[1] * w[2] * w[3] * w[4]};
  return {w[1] * w[2], w[2], 1};
}

Support::Support(const Relation& r)
    : coords(index(4 * r.outputs)), counts{static_cast<std::int32_t>(r.edges), static_cast<std::int32_t>(r.outputs)} {
  for (std::int64_t o = 0; o < r.outputs; ++o)
    for (int a = 0; a < 4; ++a) coords[index(4 * o + a)] = r.out_rows.at(o, a);
}

void Support::store(const std::vector<Tensor>& out) const {
  const auto to = [&](auto* p) {
    for (std::size_t i = 0; i < coords.size(); ++i) p[i] = static_cast<std::remove_pointer_t<decltype(p)>>(coords[i]);
  };
  if (!coords.empty())
    out[0].dtype() == Dtype::i64 ? to(out[0].write<std::int64_t>()) : to(out[0].write<std::int32_t>());
  std::copy_n(counts, 2, out[2].write<std::int32_t>());
}

}  // namespace plumb::cpu
