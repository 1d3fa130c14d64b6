// How a Hadamard transform is taken apart: n = m 2^k, and the signs of the matrix of order m.
#pragma once

#include <cstdint>
#include <span>

#include "core/op.h"

namespace plumb::hadamard {

struct Length {
  std::int64_t n = 1, m = 1, p = 1;  // n = m p, p a power of two, m of 1, 12, 20, 28
  int twos = 0;                      // p = 2^twos
};
Length length_of(const Call&);

// Bit j of word i: the entry (i, j) is -1. Empty where m is 1.
std::span<const std::uint32_t> minus_signs(std::int64_t m);

double scale(const Call&);

// Sums that a term passes: one a power of two, m - 1 of the matrix of order m.
Order order(const Call&);

}  // namespace plumb::hadamard
