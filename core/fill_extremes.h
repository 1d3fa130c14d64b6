// Fills at the ends of each dtype: where products underflow, where sums overflow, below the normal numbers, whole
// numbers up to the last exact one, and special values that pass through every lane of a vector.
#pragma once

#include "core/fill.h"

namespace plumb::extremes {

Wide tiny(const Spec&, std::uint64_t key, double p);
Wide huge(const Spec&, std::uint64_t key, double p);
Wide subnormal(const Spec&, std::uint64_t key, double p);
Wide whole(const Spec&, std::uint64_t key, double p);
Wide lanes(const Spec&, std::uint64_t key, double p);
Wide apart(const Spec&, std::uint64_t key, double p);
Wide near(const Spec&, std::uint64_t key, double p);

}  // namespace plumb::extremes
