// Fills of sparse coordinates: rows (batch, x, y, z), one per row of the shape, in no useful order unless stated.
// Values depend on the key, the parameter and the number of rows only.
#pragma once

#include <vector>

#include "core/fill.h"

namespace plumb::reference {

std::vector<Fill> site_fills();    // offsets of a kernel too: rows (x, y, z)
std::vector<Fill> layout_fills();  // in the order of their index: a scanned surface, and layouts of known density

}  // namespace plumb::reference
