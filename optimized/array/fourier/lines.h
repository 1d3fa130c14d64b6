// Transforms of the lines of an array, for routes of more than one axis and of frames.
#pragma once

#include "core/tensor.h"
#include "plans/array/fft.h"

namespace plumb::fft {

// Dense complex numbers of any dtype and strides, or the tensor itself if it is that already; of real parts alone.
Tensor complex_input(const Tensor&, bool real_parts);

// All lines of dense complex numbers, [outer, size, inner] to [outer, out, inner], on the path that suits the length.
// `in` and `out` may be the same where size is out.
void transform_lines(const Problem&, const float* in, float* out);
// From half spectra to real numbers.
void transform_to_real(Problem, const float* half, float* out);

// What a path declares for one pass: a L of docs/bounds-fft.md.
double growth(const Problem&);

std::uint32_t largest_bits(const float* x, std::int64_t n);  // of |x|: fft_range.h

}  // namespace plumb::fft
