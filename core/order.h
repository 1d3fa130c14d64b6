// What a route declares about its arithmetic. The bounds of tolerance.h follow from it, mechanically.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/dtype.h"

namespace plumb {

// How n terms are summed. The longest path from a term to the result, in roundings, is depth(n).
//   split    the n terms are cut into `split` chunks whose partial sums are added in sequence
//   block    each chunk is cut into blocks of `block` terms (0: one block); block sums in sequence
//   shape    within a block: sequential; `lanes` interleaved partial sums joined by a tree; a tree
struct Order {
  enum class Shape : std::uint8_t { exact, sequential, lanes, pairwise };
  Shape shape = Shape::sequential;
  std::int64_t lanes = 1, block = 0, split = 1;
  bool tree = false;  // block and chunk sums are joined by trees, not in sequence
  Dtype accumulator = Dtype::f32;
  bool fma = false;                     // the product is not rounded on its own
  bool reciprocal = false;              // quotients are products with a rounded reciprocal
  bool truncating = false;              // adds by alignment and truncation (matrix units): u_acc doubles
  std::optional<Dtype> input_rounding;  // inputs are first rounded to this dtype
  std::optional<Dtype> partial;         // block or chunk sums are stored in this dtype
  int prologue = 0;                     // further roundings each term passes before it is summed
  int epilogue = 0;                     // further roundings of the sum before the final one
  double function_ulps = 0;             // stated error of the elementary functions used, in ulps
  double levels = 0;                    // normwise class: butterfly levels passed, see fft
  double twiddle_error = 0;             // normwise class: mu, absolute error of the twiddle factors
  double amplification = 1;             // normwise class: growth of the norm between input and output

  // The oracle's own: binary64 or wider, nothing rounded but the result, once.
  static Order oracle();

  double accumulator_roundoff() const;       // u_acc, doubled if truncating
  std::int64_t depth(std::int64_t n) const;  // h: the most roundings that a term passes on its way
};

std::string to_string(const Order&);  // "lanes 16 x block 256, fma, f32"

}  // namespace plumb
