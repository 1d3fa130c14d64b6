#include "core/op.h"

namespace plumb {
std::vector<Op> decomposition_ops() { return {}; }
}  // namespace plumb
