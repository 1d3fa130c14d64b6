// The tiled Cholesky factorisation on the processor (plans/linalg/tiled.h).
#pragma once

#include <vector>

#include "core/route.h"
#include "plans/linalg/tiled.h"

namespace plumb {

// Factors of every matrix of a, of f32 or f64 and any strides, into `out`, row-major: of its lower triangle, or of its
// upper one.
std::vector<TiledCholeskyRun> tiled_cholesky_on_cpu(const Tensor& a, bool upper, const TiledCholesky&,
                                                    const Tensor& out);

Route tiled_cholesky_cpu_route();  // cholesky by the usual values of the parameters

}  // namespace plumb
