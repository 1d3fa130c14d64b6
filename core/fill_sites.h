// Generators of sparse coordinates: rows (batch, x, y, z), one per row of the shape, in no useful order unless
// stated. Values depend on the key, the parameter and the number of rows only.
#pragma once

#include "core/fill.h"

namespace plumb::sites {

Wide box(const Spec&, std::uint64_t key, double p);
Wide batches(const Spec&, std::uint64_t key, double p);
Wide line(const Spec&, std::uint64_t key, double p);
Wide plane(const Spec&, std::uint64_t key, double p);
Wide block(const Spec&, std::uint64_t key, double p);
Wide surface(const Spec&, std::uint64_t key, double p);
Wide isolated(const Spec&, std::uint64_t key, double p);
Wide duplicates(const Spec&, std::uint64_t key, double p);
Wide negative(const Spec&, std::uint64_t key, double p);
Wide extremes(const Spec&, std::uint64_t key, double p);
Wide colliding(const Spec&, std::uint64_t key, double p);

Wide offsets(const Spec&, std::uint64_t key, double p);  // rows (x, y, z)

// In the order of their index, unlike most of the above: fill_layouts.cpp.
Wide scan(const Spec&, std::uint64_t key, double p);
Wide layout_isolated(const Spec&, std::uint64_t key, double p);
Wide layout_line(const Spec&, std::uint64_t key, double p);
Wide layout_plane(const Spec&, std::uint64_t key, double p);
Wide layout_grid(const Spec&, std::uint64_t key, double p);
Wide layout_block(const Spec&, std::uint64_t key, double p);

}  // namespace plumb::sites
