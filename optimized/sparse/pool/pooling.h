// Windows of sparse pooling, built once for the CPU routes of pooling and of its derivatives.
#pragma once

#include <vector>

#include "core/room.h"
#include "core/route.h"
#include "optimized/sparse/pool/pooling_kernels.h"
#include "optimized/sparse/sites/relation.h"

namespace plumb::cpu {

enum class Pooling { sum, max, avg, transposed, trilinear };

struct Windows {
  Tensor coords, targets;  // what the relation's output rows may lie in
  Relation relation;
  Room<float> weight;   // of each kernel row; empty: all 1
  Room<float> divisor;  // of each output row; empty: none
  bool targeted = false;

  Windows(const Call&, Pooling);
  PoolEdges edges() const;
};

PoolRows pool_rows(const Tensor&);    // a dense one, to be read
PoolRows pool_output(const Tensor&);  // a fresh one, to be written

// Runs a kernel over rows [0, n) with all threads.
void run_rows(void (*kernel)(const PoolJob&), PoolJob, std::int64_t n);

std::shared_ptr<std::vector<Tensor>> fresh(const std::vector<Spec>&);
void store_counts(const Windows&, const Tensor& counts);

}  // namespace plumb::cpu
