// The class accumulate for the elements of one output: what is the same for all of them is worked out once. Products
// with the least numbers take a processor a hundred times as long as others.
#pragma once

#include <cstdint>

#include "core/order.h"

namespace plumb {

class SumBound {
 public:
  // Of sums of n terms in that order, rounded to `out`; the oracle's own sums have the unit roundoff that is given.
  SumBound(std::int64_t n, const Order&, Dtype out, double oracle_roundoff);

  // |d| of an element whose exact value is c and whose terms have the sum G of absolute values; infinity: none follows.
  double error(double c, double G) const;

  // Whether such sums may pass the largest number on their way.
  bool may_overflow(double G) const;

 private:
  double terms_;
  bool exact_;                // no sum is rounded on its way
  double relative_, oracle_;  // of G: by the route, by the oracle
  double underflow_, least_;  // beside it: of the route, of the oracle
  double growth_;             // of a partial sum beyond G
  double largest_;            // that every stage holds
  bool rounded_;              // to the output, at the end
  double roundoff_, half_;    // what that adds
};

}  // namespace plumb
