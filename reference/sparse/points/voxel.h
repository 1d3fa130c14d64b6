// The cases of the voxel rows, which fill a file of their own.
#pragma once

#include "core/op.h"

namespace plumb::reference {

void add_voxel_cases(Op&);  // sets cases, rejects and bench by the row's name

}  // namespace plumb::reference
