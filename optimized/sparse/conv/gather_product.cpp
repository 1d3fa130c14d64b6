#include "optimized/sparse/conv/gather_product.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/sparse/conv/convolution_kernels.h"

namespace plumb::cpu {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

constexpr std::int64_t kLine = 16;  // floats of a cache line
float* at_line(float* p) { return p + (kLine - reinterpret_cast<std::uintptr_t>(p) / sizeof(float) % kLine) % kLine; }

// Rows of a block: with the sums of the block before they stay in the second level cache.
constexpr Limit kBlockSums{"gather_product.block_sums", 131072, 96};
constexpr Limit kMinRows{"gather_product.least_rows", 256, 5}, kMaxRows{"gather_product.most_rows", 1024, 12};
constexpr Limit kDepth{"gather_product.depth", 128, 12};  // channels whose weights stay in the first level cache

std::int64_t block_rows(std::int64_t rows, std::int64_t columns) {
  const std::int64_t least = kMinRows.of(rows), most = kMaxRows.of(rows);
  return std::clamp<std::int64_t>(kBlockSums.of(rows * columns) / std::max<std::int64_t>(columns, 1), least, most);
}

// The output row of each edge.
Room<std::int32_t> outputs_of(const Relation& r) {
  Room<std::int32_t> out(index(r.edges));
  for (std::int64_t o = 0; o < r.outputs; ++o)
    std::fill(out.begin() + r.offsets[index(o)], out.begin() + r.offsets[index(o) + 1], static_cast<std::int32_t>(o));
  return out;
}

Room<std::int32_t> picked(const std::int32_t* from, const Room<std::int32_t>& ids) {
  Room<std::int32_t> to(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) to[i] = from[ids[i]];
  return to;
}

}  // namespace

Incidence by_output(const Relation& r) {
  return {r.kernels, r.offsets, {r.in.data, r.in.data + r.edges}, {r.kernel.data, r.kernel.data + r.edges}};
}

Incidence by_input(const Relation& r, std::int64_t inputs) {
  Room<std::int32_t> offsets(index(inputs) + 1), ids(index(r.edges));
  group_edges(r.in.data, r.edges, inputs, offsets.data(), ids.data());
  return {r.kernels, std::move(offsets), picked(outputs_of(r).data(), ids), picked(r.kernel.data, ids)};
}

Weights::Weights(std::int64_t channel_count, std::int64_t column_count)
    : lanes(PLUMB_DISPATCH(convolution_lanes)()),
      channels(channel_count),
      columns(column_count),
      padded((column_count + lanes - 1) / lanes * lanes) {}

Panels::Panels(const float* w, WeightStrides s, std::int64_t kernels, std::int64_t channel_count,
               std::int64_t column_count)
    : Weights(channel_count, column_count),
      memory_(kernels * channels * padded + kLine),
      values_(at_line(memory_.data)) {
  std::fill_n(values_, kernels * channels * padded, 0.0F);
  parallel_for(kernels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      for (std::int64_t column = 0; column < padded; column += 4 * lanes) {
        float* to = values_ + (k * padded + column) * channels;
        const std::int64_t used = std::min(width(column), columns - column);
        for (std::int64_t a = 0; a < channels; ++a)
          for (std::int64_t j = 0; j < used; ++j)
            to[a * width(column) + j] = w[k * s.kernel + a * s.channel + (column + j) * s.column];
      }
  });
}

GatherPlan::GatherPlan(const Incidence& edges, Room<std::int32_t> order, std::int64_t columns)
    : rows_(block_rows(std::ssize(order), columns)),
      order_(std::move(order)),
      source_(std::ssize(edges.source)),
      local_(std::ssize(edges.source)) {
  const std::int64_t blocks = (std::ssize(order_) + rows_ - 1) / rows_;
  runs_.resize(index(blocks));
  std::vector<std::int64_t> starts(index(blocks) + 1);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const std::size_t d = index(order_[i]), b = i / index(rows_);
    starts[b + 1] += edges.offsets[d + 1] - edges.offsets[d];
  }
  for (std::size_t b = 1; b < starts.size(); ++b) starts[b] += starts[b - 1];
  parallel_each(blocks, [&](std::int64_t b) { build(edges, b, starts[index(b)]); });
}

std::vector<GatherPlan::Run> GatherPlan::runs_of(std::vector<std::int64_t>& next, std::int64_t at) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < next.size(); ++i) {
    const std::int64_t begin = at;
    at += std::exchange(next[i], begin);
    if (begin < at) runs.push_back({static_cast<std::int32_t>(i), begin, at});
  }
  return runs;
}

// A counting sort by kernel row. Destinations that are near each other in space need not be so in memory: their edges
// are asked for ahead.
void GatherPlan::build(const Incidence& edges, std::int64_t block, std::int64_t at) {
  constexpr std::int64_t kAhead = 16;
  const std::int64_t rows = std::min<std::int64_t>(rows_, std::ssize(order_) - block * rows_);
  const std::int32_t *order = order_.data() + block * rows_, *offsets = edges.offsets.data();
  const std::int32_t *source = edges.source.data(), *kernel = edges.kernel.data();
  std::int32_t *sources = source_.data, *locals = local_.data;
  const auto each = [=](auto&& f) {
    for (std::int64_t i = 0; i < rows; ++i) {
      if (i + 2 * kAhead < rows) __builtin_prefetch(offsets + order[i + 2 * kAhead]);
      if (i + kAhead < rows) __builtin_prefetch(kernel + offsets[order[i + kAhead]]);
      if (i + kAhead < rows) __builtin_prefetch(source + offsets[order[i + kAhead]]);
      for (std::int32_t e = offsets[order[i]], end = offsets[order[i] + 1]; e < end; ++e) f(i, e);
    }
  };
  std::vector<std::int64_t> next(index(edges.kernels));
  each([&next, kernel](std::int64_t, std::int32_t e) { ++next[index(kernel[e])]; });
  std::vector<Run>& runs = runs_[index(block)] = runs_of(next, at);
  each([=, &next](std::int64_t i, std::int32_t e) {
    const std::int64_t p = next[index(kernel[e])]++;
    sources[p] = source[e];
    locals[p] = static_cast<std::int32_t>(i);
  });
  if (std::any_of(runs.begin(), runs.end(), [this](const Run& r) { return repeats(r); })) split(runs);
}

// Whether a destination meets the kernel row more than once, as repeated coordinates bring about.
bool GatherPlan::repeats(const Run& r) const {
  int same = 0;
  for (std::int64_t p = r.begin + 1; p < r.end; ++p) same |= local_[p] == local_[p - 1];
  return same != 0;
}

// A counting sort by repetition: pairs of one destination lie next to each other in a run, the first of them stays, the
// others go to later runs.
void GatherPlan::split(std::vector<Run>& runs) {
  const std::int64_t at = runs.front().begin, end = runs.back().end;
  const Room<std::int32_t> source(source_.data + at, source_.data + end), local(local_.data + at, local_.data + end);
  const auto each = [&](auto&& f) {
    for (std::size_t r = 0; r < runs.size(); ++r) {
      std::size_t bucket = r;
      for (std::int64_t p = runs[r].begin; p < runs[r].end; ++p) {
        const std::size_t from = index(p - at);
        bucket = p > runs[r].begin && local[from] == local[from - 1] ? bucket + runs.size() : r;
        f(from, bucket);
      }
    }
  };
  std::vector<std::int64_t> next;
  each([&](std::size_t, std::size_t bucket) {
    if (next.size() <= bucket) next.resize(bucket + 1);
    ++next[bucket];
  });
  std::vector<Run> parts = runs_of(next, at);
  for (Run& part : parts) part.kernel = runs[index(part.kernel) % runs.size()].kernel;
  each([&](std::size_t from, std::size_t bucket) {
    const std::int64_t to = next[bucket]++;
    source_[to] = source[from];
    local_[to] = local[from];
  });
  runs = std::move(parts);
}

namespace {

// Panels of weights stay in the first level cache while the pairs pass.
void add_pairs(const GatherPlan::Pairs& p, const Factor& f, std::span<const std::int32_t> later, float* scratch,
               float* sums) {
  const Weights& w = *f.weights;
  const std::int64_t depth = kDepth.of(w.channels);
  for (std::int64_t column = 0; column < w.padded; column += 4 * w.lanes) {
    const float* panel = w.panel(p.kernel, column, scratch);
    const std::int64_t width = w.width(column);
    for (std::int64_t a = 0; a < w.channels; a += depth) PLUMB_DISPATCH(convolution_tile)
    ({f.rows + a, w.channels, p.source, p.local, p.count, panel + a * width, std::min(depth, w.channels - a), width,
      sums + column, w.padded, later.data(), column == 0 ? std::ssize(later) : 0});
  }
}

}  // namespace

std::span<const std::int32_t> GatherPlan::widest(std::int64_t block) const {
  const std::vector<Run>& runs = runs_[index(block)];
  const auto most = std::max_element(runs.begin(), runs.end(),
                                     [](const Run& a, const Run& b) { return a.end - a.begin < b.end - b.begin; });
  if (most == runs.end()) return {};
  return {source_.data + most->begin, index(most->end - most->begin)};
}
std::int64_t GatherPlan::pairs(std::int64_t block) const {
  const std::vector<Run>& runs = runs_[index(block)];
  return runs.empty() ? 0 : runs.back().end - runs.front().begin;
}

// What a thread needs to compute blocks: two sets of sums. While those of a block are added up, the rows of the block
// before leave, some after each kernel row: stores past the caches wait for memory if they come all at once.
class GatherPlan::Lane {
 public:
  Lane(const GatherPlan& plan, std::span<const Factor> factors, const Take& take)
      : plan_(plan),
        factors_(factors),
        take_(take),
        padded_(factors[0].weights->padded),
        scratch_(factors[0].weights->channels * 4 * factors[0].weights->lanes),
        memory_(2 * plan.rows_ * padded_ + kLine),
        next_(at_line(memory_.data)),
        other_(next_ + plan.rows_ * padded_) {}

  // later: rows of X that the next block reads.
  void compute(std::int64_t block, const float* start, std::span<const std::int32_t> later) {
    const std::int64_t first = block * plan_.rows_, edges = plan_.pairs(block), leaving = leaving_.rows;
    const std::int64_t rows = std::min(plan_.rows_, std::ssize(plan_.order_) - first);
    const Sums sums{plan_.order_.data() + first, rows, next_, padded_};
    std::swap(next_, other_);
    PLUMB_DISPATCH(repeat_row)(start, padded_, sums.rows, sums.values);
    std::int64_t passed = 0, asked = 0, left = 0;
    plan_.each(block, [&](const Pairs& p) {
      passed += p.count;
      const std::int64_t ask = std::ssize(later) * passed / edges - asked;
      for (const Factor& f : factors_)
        add_pairs(p, f, later.subspan(index(asked), index(ask)), scratch_.data, sums.values);
      asked += ask;
      const std::int64_t leave = leaving * passed / edges - left;
      release(leave);
      left += leave;
    });
    finish();
    leaving_ = sums;
  }
  void finish() { release(leaving_.rows); }

 private:
  void release(std::int64_t rows) {
    if (rows == 0) return;
    take_({leaving_.order, rows, leaving_.values, padded_});
    leaving_ = {leaving_.order + rows, leaving_.rows - rows, leaving_.values + rows * padded_, padded_};
  }

  const GatherPlan& plan_;
  std::span<const Factor> factors_;
  const Take& take_;
  std::int64_t padded_;
  Block<float> scratch_, memory_;
  float *next_, *other_;
  Sums leaving_{};
};

void GatherPlan::run(std::span<const Factor> factors, std::span<const float> start, const Take& take) const {
  const std::int64_t blocks = std::ssize(runs_), lanes = std::min<std::int64_t>(small_limits() ? 3 : threads(), blocks);
  Room<float> first_sums(index(factors[0].weights->padded), 0.0F);
  std::copy(start.begin(), start.end(), first_sums.begin());
  std::atomic<std::int64_t> taken{0};
  parallel_for(lanes, 1, [&](std::int64_t begin, std::int64_t end) {
    if (begin == end) return;
    Lane lane(*this, factors, take);
    for (std::int64_t b = taken++, next; b < blocks; b = next) {
      // The last blocks are taken by whoever has time for them.
      const bool ahead = b + 2 * lanes < blocks;
      if (ahead) next = taken++;
      lane.compute(b, first_sums.data(), ahead && next < blocks ? widest(next) : std::span<const std::int32_t>());
      if (!ahead) next = taken++;
    }
    lane.finish();
    PLUMB_DISPATCH(end_streams)();
  });
}

std::function<void(const Sums&)> into_rows(const Tensor& to) {
  const std::int64_t columns = to.dim(1);
  if (to.dtype() == Dtype::f32)
    return [columns, p = to.write<float>()](const Sums& s) {
      PLUMB_DISPATCH(scatter_floats)(s.values, s.padded, s.order, s.rows, columns, p);
    };
  return [columns, p = to.write<std::uint16_t>()](const Sums& s) {
    PLUMB_DISPATCH(scatter_halves)(s.values, s.padded, s.order, s.rows, columns, p);
  };
}

void store_floats(const float* from, std::int64_t n, Dtype type, void* to, std::int64_t offset) {
  PLUMB_DISPATCH(from_floats)(from, n, element_of(type), static_cast<std::byte*>(to) + offset * info(type).bytes);
}

Order gather_order(const Call&) {
  Order o;
  o.fma = isa() != Isa::base;
  return o;
}

Route gather_route(std::string_view op, Prepare prepare, std::string_view name, Order (*order)(const Call&)) {
  return {.op = op,
          .name = name,
          .supports = {},
          .prefers = {},
          .order = order,
          .prepare = prepare,
          .prepares = "the relation"};
}

RelationKind targeted(RelationKind base, bool targets) {
  if (!targets) return base;
  return base == RelationKind::forward ? RelationKind::target : RelationKind::target_transposed;
}

CallRelation::CallRelation(const Call& call, RelationKind base) : coords(contiguous(call["coords"])) {
  const auto& names = call.op->inputs;
  const bool takes = std::any_of(names.begin(), names.end(), [](auto n) { return n.starts_with("target_coords"); });
  const bool given = takes && call.has("target_coords");
  in = rows(coords, call["active_rows"]);
  Rows to;
  if (given) {
    targets = contiguous(call["target_coords"]);
    to = rows(targets, call["target_active_rows"]);
  }
  edges = build(targeted(base, given), geometry(call), in, to);
}

WeightStrides weight_strides(const Request& r) {
  const Shape& w = r.shape(r.index("weight"));
  if (r.text("weight_layout") == "dense_5d") return {w[4], 1, w[1] * w[2] * w[3] * w[4]};
  return {w[1] * w[2], w[2], 1};
}

Support::Support(const Relation& r, Dtype coords)
    : coords_(index(4 * r.outputs * info(coords).bytes)),
      counts_{static_cast<std::int32_t>(r.edges), static_cast<std::int32_t>(r.outputs)} {
  const auto fill = [&](auto* to) {
    for (std::int64_t o = 0; o < r.outputs; ++o)
      for (int a = 0; a < 4; ++a) to[4 * o + a] = static_cast<std::remove_pointer_t<decltype(to)>>(r.out_rows.at(o, a));
  };
  coords == Dtype::i64 ? fill(reinterpret_cast<std::int64_t*>(coords_.data()))
                       : fill(reinterpret_cast<std::int32_t*>(coords_.data()));
}

void Support::store(const std::vector<Tensor>& out) const {
  if (!coords_.empty()) {
    std::byte* to = out[0].write<std::byte>();
    parallel_for(std::ssize(coords_), 1 << 18, [&](std::int64_t begin, std::int64_t end) {
      std::copy(coords_.begin() + begin, coords_.begin() + end, to + begin);
    });
  }
  std::copy_n(counts_, 2, out[2].write<std::int32_t>());
}

ConvolutionPlan::ConvolutionPlan(const Relation& r, const std::vector<Spec>& out)
    : outputs(by_output(r), nearby_order(r.out_rows), out[1].shape[1]), support(r, out[0].dtype) {}

}  // namespace plumb::cpu
