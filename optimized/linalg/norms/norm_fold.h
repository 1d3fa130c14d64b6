// What is folded of the moduli of a line.
#pragma once

#include <cstdint>

namespace plumb {

struct NormFold {
  enum Kind : std::uint8_t { sum, squares, greatest, least, nonzeros } kind = sum;
  double scale = 1;  // of each modulus before it is squared
};

}  // namespace plumb
