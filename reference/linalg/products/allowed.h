// What a route may give in place of a sum of products that is scaled, or one of several in a row.
#pragma once

#include "core/op.h"

namespace plumb::reference {

double real_at(const Wide&, std::int64_t i);  // of complex numbers the modulus
bool whole(const Call&);                      // every element of every input

struct Sums {
  const Wide* want = nullptr;
  const Wide* magnitude = nullptr;  // G
  const Wide* passing = nullptr;    // the largest that a partial result may be on its way, if not G
  std::int64_t terms = 0;
  Order order;
  Dtype out = Dtype::f32;
  bool exact = false;    // all that is added is whole, so that sums up to 2^p are exact
  double underflow = 0;  // beyond that of the terms
};
Allowances allowed(const Sums&);

}  // namespace plumb::reference
