// Sums over the edges of a relation, Y[d] = sum over edges (s,d,k) of X[s] W[k], for any grouping of the edges by a
// destination: outputs for a convolution or its tangent, inputs for its gradient.
//
// Order of the terms of one element: edge after edge, channel after channel, one fma each (with a product rounded on
// its own under Isa::base).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/op.h"
#include "core/order.h"
#include "optimized/relation.h"

namespace plumb::cpu {

// Edges by destination.
struct Incidence {
  std::int64_t kernels = 1;
  std::vector<std::int32_t> offsets;  // of the edges of each destination
  std::vector<std::int32_t> source, kernel;
};
Incidence by_output(const Relation&);
Incidence by_input(const Relation&, std::int64_t inputs);

// A tensor's elements in row-major order as floats: in place if they are that already.
class Floats {
 public:
  explicit Floats(const Tensor&);
  const float* data() const { return data_; }

 private:
  Tensor dense_;
  Block<float> copy_;
  const float* data_ = nullptr;
};

// Element (k, a, n) of a weight lies at k * kernel + a * channel + n * column.
struct WeightStrides {
  std::int64_t kernel, channel, column;
};

// Weights as panels of at most four vectors: [k][column block][a][lane], zero beyond the last column.
struct Panels {
  std::int64_t lanes = 1, channels = 0, padded = 0;
  std::vector<float> values;

  Panels(const float* w, WeightStrides, std::int64_t kernels, std::int64_t channels, std::int64_t columns);
  std::int64_t width(std::int64_t column) const { return std::min(padded - column, 4 * lanes); }
  const float* at(std::int64_t k, std::int64_t column) const {
    return values.data() + (k * padded + column) * channels;
  }
};

// X and W; several of them add up in one sum.
struct Factor {
  const float* rows;
  const Panels* weights;
};

// Destinations in blocks that lie near each other, the edges of a block by kernel row, so that a kernel row's weights
// stay in cache while a block's edges pass.
class GatherPlan {
 public:
  // order: destinations that are computed, each once.
  GatherPlan(const Incidence&, std::vector<std::int32_t> order, std::int64_t columns);

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
      f(Pairs{r.kernel, r.end - r.begin, source_.data() + r.begin, local_.data() + r.begin,
              order_.data() + block * rows_});
  }

  // Calls store(d, sums) once for each destination; sums has the panels' padded width, and may be changed.
  void run(std::span<const Factor>, const std::function<void(std::int64_t d, float* sums)>& store) const;

 private:
  struct Run {
    std::int32_t kernel;
    std::int64_t begin, end;
  };
  void build(const Incidence&, std::int64_t block, std::int64_t at);

  std::int64_t rows_ = 1;
  std::vector<std::int32_t> order_;
  std::vector<std::vector<Run>> runs_;        // of each block
  std::vector<std::int32_t> source_, local_;  // of each pair
};

// Rounds `n` sums to f16 or f32 elements at `to`, offset in elements.
void store_floats(const float* from, std::int64_t n, Dtype, void* to, std::int64_t offset);

Order gather_order();

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

// Outputs 0 and 2 of rows that have a convolution's outputs.
struct Support {
  std::vector<std::int64_t> coords;
  std::int32_t counts[2];
  explicit Support(const Relation&);
  void store(const std::vector<Tensor>& out) const;
};

}  // namespace plumb::cpu
