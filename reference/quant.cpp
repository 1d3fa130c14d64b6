#include "core/op.h"

namespace plumb {
std::vector<Op> quant_ops() { return {}; }
}  // namespace plumb
