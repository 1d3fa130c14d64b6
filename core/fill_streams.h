// Generators for entropy coding: cumulative tables, and streams of equal symbols. The sizes in a stream's header are
// the parameter p = rows * 65536 + symbols.
#pragma once

#include "core/fill.h"

namespace plumb::streams {

Wide cdf(const Spec&, std::uint64_t key, double p);
Wide range(const Spec&, std::uint64_t key, double p);
Wide rans(const Spec&, std::uint64_t key, double p);

}  // namespace plumb::streams
