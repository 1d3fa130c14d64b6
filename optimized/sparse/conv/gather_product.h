// Sums over the edges of a relation, Y[d] = sum over edges (s,d,k) of X[s] W[k], for any grouping of the edges by a
// destination: outputs for a convolution or its tangent, inputs for its gradient.
//
// Order of the terms of one element: edge after edge, channel after channel, one fma each (with a product rounded on
// its own under Isa::base).
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/room.h"
#include "core/route.h"
#include "optimized/floats.h"
#include "optimized/sparse/sites/relation.h"

namespace plumb::cpu {

// Edges by destination.
struct Incidence {
  std::int64_t kernels = 1;
  Room<std::int32_t> offsets;  // of the edges of each destination
  Room<std::int32_t> source, kernel;
};
Incidence by_output(const Relation&);
Incidence by_input(const Relation&, std::int64_t inputs);

// Element (k, a, n) of a weight lies at k * kernel + a * channel + n * column.
struct WeightStrides {
  std::int64_t kernel, channel, column;
};

// The weights of a sum, by panels of at most four vectors: (channels, width), zero beyond the last column.
struct Weights {
  std::int64_t lanes, channels, columns, padded;

  Weights(std::int64_t channels, std::int64_t columns);
  virtual ~Weights() = default;
  std::int64_t width(std::int64_t column) const { return std::min(padded - column, 4 * lanes); }
  // Panel of kernel row k from `column` on, unpacked into `scratch` (room for one panel) unless it is stored unpacked.
  virtual const float* panel(std::int64_t k, std::int64_t column, float* scratch) const = 0;
};

// Weights that lie as panels: [k][column block][a][lane].
class Panels : public Weights {
 public:
  Panels(const float* w, WeightStrides, std::int64_t kernels, std::int64_t channels, std::int64_t columns);
  const float* panel(std::int64_t k, std::int64_t column, float*) const override {
    return values_ + (k * padded + column) * channels;
  }

 private:
  Block<float> memory_;
  float* values_;  // at a cache line
};

// X and W; several of them add up in one sum.
struct Factor {
  const float* rows;
  const Weights* weights;
};

// Sums of a block: row i belongs to destination order[i] and has the weights' padded width.
struct Sums {
  const std::int32_t* order;
  std::int64_t rows;
  float* values;
  std::int64_t padded;
};

// Destinations in blocks that lie near each other, the edges of a block by kernel row, so that a kernel row's weights
// stay in cache while a block's edges pass.
class GatherPlan {
 public:
  // order: destinations that are computed, each once.
  GatherPlan(const Incidence&, Room<std::int32_t> order, std::int64_t columns);

  std::int64_t blocks() const { return std::ssize(runs_); }

  // Pairs of one kernel row within one block: source[i] and destination order[local[i]], each of these once.
  struct Pairs {
    std::int32_t kernel;
    std::int64_t count;
    const std::int32_t *source, *local, *order;
  };
  template <class F>
  void each(std::int64_t block, F&& f) const {
    for (const Run& r : runs_[static_cast<std::size_t>(block)])
      f(Pairs{r.kernel, r.end - r.begin, source_.data + r.begin, local_.data + r.begin, order_.data() + block * rows_});
  }

  // Calls take for all rows of a block, some at a time; it may change the sums. They begin with `start`, a row of
  // columns, or with zero.
  using Take = std::function<void(const Sums&)>;
  void run(std::span<const Factor>, std::span<const float> start, const Take& take) const;

 private:
  class Lane;
  struct Run {
    std::int32_t kernel;
    std::int64_t begin, end;
  };
  // One run for each count that is not 0, from `at` on; the counts become where they begin.
  static std::vector<Run> runs_of(std::vector<std::int64_t>& counts, std::int64_t at);
  void build(const Incidence&, std::int64_t block, std::int64_t at);
  bool repeats(const Run&) const;
  void split(std::vector<Run>&);  // of one block
  std::int64_t pairs(std::int64_t block) const;
  // The sources of the kernel row with the most pairs of a block: for a submanifold all of the block's own rows.
  std::span<const std::int32_t> widest(std::int64_t block) const;

  std::int64_t rows_ = 1;
  Room<std::int32_t> order_;
  std::vector<std::vector<Run>> runs_;  // of each block
  Block<std::int32_t> source_, local_;  // of each pair
};

// Rounds the columns of each sum to its row of `to`, (destinations, columns) of f16 or f32. `to` is made writable once,
// here: what comes back is called from many threads.
std::function<void(const Sums&)> into_rows(const Tensor& to);

// Rounds `n` sums to f16 or f32 elements at `to`, offset in elements.
void store_floats(const float* from, std::int64_t n, Dtype, void* to, std::int64_t offset);

Order gather_order(const Call&);

// A route of these sums, whose relation is built before.
using Prepare = Job (*)(const Call&, const std::vector<Spec>&);
Route gather_route(std::string_view op, Prepare, std::string_view name = "cpu.gather",
                   Order (*)(const Call&) = gather_order);

RelationKind targeted(RelationKind base, bool targets);
// The relation of a call that names its inputs as convolutions do. Holds no reference to the call's tensors but
// those it is given to keep.
struct CallRelation {
  Tensor coords, targets;
  Rows in;
  Relation edges;
  CallRelation(const Call&, RelationKind base);
};

WeightStrides weight_strides(const Request&);  // channel: input channels, column: output channels

// Outputs 0 and 2 of rows that have a convolution's outputs: coordinates, and the numbers of edges and outputs.
class Support {
 public:
  Support(const Relation&, Dtype coords);
  void store(const std::vector<Tensor>& out) const;

 private:
  Room<std::byte> coords_;  // (outputs, 4)
  std::int32_t counts_[2];
};

// A row whose outputs are those of a convolution: its relation is built before, `convolve` is what a launch does.
struct ConvolutionPlan {
  GatherPlan outputs;
  Support support;
  ConvolutionPlan(const Relation&, const std::vector<Spec>& out);
};
template <class Plan>
using Convolve = void (*)(const Call&, const Plan&, const std::vector<Tensor>& out);
template <class Plan>
Job convolution_job(const Call& call, const std::vector<Spec>& specs, RelationKind base, Convolve<Plan> convolve) {
  const auto plan = std::make_shared<Plan>(CallRelation(call, base).edges, specs);
  const auto out = std::make_shared<std::vector<Tensor>>(specs.begin(), specs.end());
  return {[call, plan, out, convolve] { convolve(call, *plan, *out); }, [] {}, [out] { return *out; }};
}

}  // namespace plumb::cpu
