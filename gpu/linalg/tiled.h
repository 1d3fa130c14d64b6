// The tiled Cholesky factorisation on the device (plans/linalg/tiled.h).
#pragma once

#include <memory>
#include <vector>

#include "core/route.h"
#include "plans/linalg/tiled.h"

namespace plumb::gpu {

// Factors of every matrix of a, as tiled_cholesky_on_cpu makes them, into `out`; to be run as often as one likes.
class DeviceCholesky {
 public:
  DeviceCholesky(const Tensor& a, bool upper, const TiledCholesky&, const Tensor& out);
  std::vector<TiledCholeskyRun> run() const;  // waits for the end

 private:
  struct Bound;
  std::shared_ptr<const Bound> bound_;
};

Route tiled_cholesky_gpu_route();  // cholesky by the usual values of the parameters

}  // namespace plumb::gpu
