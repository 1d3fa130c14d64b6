// What the device routes of eigenvalues share: one work-group a matrix, and flags of those that have no answer.
#pragma once

#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu::eigen {

Options options(Dtype);  // X, WIDE or COMPLEX

// A kernel for so many work-groups, or for so many work-items.
struct Launch {
  Kernel kernel;
  std::int64_t count;
  bool groups;
};

// A job of these kernels in turn. failed[m], an int: 1 for a matrix that holds what is not finite, 2 where the
// iteration does not come to an end; the first such matrix is an error of domain.
Job checked(const Call&, std::vector<Tensor> out, const BufferPtr& failed, std::int64_t matrices,
            const std::vector<Launch>&);

Route route();  // tier, conditions, order

}  // namespace plumb::gpu::eigen
