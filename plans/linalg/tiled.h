// The tiled Cholesky factorisation with its parameters: what may be asked of it, on either side, and what it tells.
//
//   for k = 0, b, 2 b, ..   e = min(k + b, n)
//     diagonal   l_jj = sqrt(d), d = a_jj - sum_(k<=p<j) l_jp^2; l_ij for the rows i < e below it
//     panel      l_ij = (a_ij - sum_(k<=p<j) l_ip l_jp) / l_jj for the rows i >= e, each by itself
//     trailing   a_ij -= sum_(k<=p<e) l_ip l_jp for e <= j <= i, tile by tile
#pragma once

#include <cstdint>
#include <vector>

#include "core/op.h"

namespace plumb {

struct TiledCholesky {
  std::int64_t block = 32;          // b: 1 to 128 columns
  bool one_thread_diagonal = true;  // else the rows below a pivot are divided side by side
  bool parallel_trailing = true;    // else tiles are updated one after another
  double guard = 1;                 // d <= guard n eps max_i a_ii is no pivot; 0: every positive one is
  bool wider = true;                // where a pivot of f32 is none, that matrix is factored anew in f64, unguarded
};

// What one matrix met. Rows of its factor from `status - 1` on are NaN.
struct TiledCholeskyRun {
  std::int64_t status = 0;    // 0, or 1 + the pivot at which the answer ends
  std::int64_t guarded = -1;  // the pivot that the guard refused in the matrix's own type; -1: none
  double value = 0;           // d, there
  bool wider = false;         // f64 answered
};

void check(const TiledCholesky&);  // throws Error(attribute) for a block or a guard that is none
// Throws Error(domain) for the first matrix that has no factor, as the row cholesky says it.
void require_factors(const Request&, const std::vector<TiledCholeskyRun>&);

}  // namespace plumb
