// Planning shared by the CPU and the device routes of transforms of several axes: as transforms of one axis after the
// other, and the blocks whose range they keep (docs/bounds-fft.md).
#pragma once

#include <vector>

#include "plans/array/fft.h"

namespace plumb::fft {

// Neighbouring axes of a dense array that are all transformed, or none of them, as one; innermost first.
struct BlockAxis {
  std::int64_t size = 1;
  std::int64_t step = 0;  // in block numbers; 0: transformed, one block
};

struct Passes {
  std::vector<Problem> passes;  // each from dense complex numbers to the next; the factor is that of the last
  std::vector<BlockAxis> in, out;
  std::int64_t blocks = 1;
};

// Axes that are cut go first, axes that are padded last. Of real forward transforms the first pass is the real one, of
// real inverse ones the last.
Passes passes(const Request&);

// The block of element i of a dense array.
std::int64_t block_of(const std::vector<BlockAxis>&, std::int64_t i);

// Passes that err by a_i L_i e / (1 - L_i e) each, one after the other, err by no more than levels sum a_i L_i say.
Order order_of(const Passes&, double (*levels)(const Problem&), double twiddle_error);

}  // namespace plumb::fft
