// Keys: whole numbers as wide as an element whose order is that in which a reduction prefers elements.
//
// A greater key is a preferred element: greater, or with `least` smaller, -0 below +0 or equal to it. Any NaN has the
// greatest key, of complex numbers one with a NaN in either part. Complex keys order by the real, then the imaginary
// part, and take -0 for +0. No branch depends on a value.
#pragma once

#include "optimized/element.h"

namespace plumb {

struct KeyRule {
  int bytes = 1;
  bool complex = false;
  // Of the word w: k = (w ^ (w < 0 ? magnitude : 0)) ^ flip, the greatest number where (w & magnitude) > infinity.
  std::int64_t flip = 0, magnitude = 0, infinity = 0;
  std::int64_t zeros = 0;  // -1: -0 counts as +0
};

constexpr KeyRule key_rule(Element t, bool least, bool equal_zeros) {
  constexpr int kBytes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8};
  KeyRule r{kBytes[static_cast<int>(t)], t == Element::c64, 0, 0, 0, 0};
  const std::int64_t top = static_cast<std::int64_t>(~std::uint64_t{0} >> (65 - 8 * r.bytes));
  r.infinity = top;
  if (t <= Element::u64) r.flip = -top - 1;
  switch (t) {
    case Element::f16: r.infinity = 0x7C00; break;
    case Element::bf16: r.infinity = 0x7F80; break;
    case Element::f32: r.infinity = 0x7F800000; break;
    case Element::f64: r.infinity = 0x7FF0000000000000; break;
    default: break;
  }
  if (t >= Element::f16 && !r.complex) r.magnitude = top, r.zeros = equal_zeros ? -1 : 0;
  if (least) r.flip = ~r.flip;
  return r;
}

}  // namespace plumb
