#include "core/op.h"

namespace plumb {
std::vector<Op> relation_ops() { return {}; }
}  // namespace plumb
