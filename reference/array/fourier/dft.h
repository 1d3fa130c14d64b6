// Discrete Fourier transforms along one axis for oracles, straight from the definition.
#pragma once

#include <string>

#include "core/tensor.h"

namespace plumb::reference {

enum class Form : std::uint8_t { forward, inverse, real_forward, real_inverse };

// s of a transform of n terms in all: 1, 1 / sqrt n or 1 / n.
double scale_of(Form, const std::string& norm, double n);

std::int64_t length_out(std::int64_t n, Form);  // of n terms: as many, or the half spectrum

// Every line along the axis, of n terms: its first entries, then zeros. A real forward transform takes real parts; a
// real inverse one takes the missing half as the conjugate of the given one, and bins 0 and n/2 by their real parts.
Complexes along(const Complexes& x, std::int64_t axis, std::int64_t n, Form, double scale);

}  // namespace plumb::reference
