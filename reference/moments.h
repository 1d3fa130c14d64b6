// What a route may make of values that are normalised by their moments: docs/bounds.md, "A normalisation". For the rows
// of several wings.
#pragma once

#include <cstdint>

#include "core/order.h"
#include "core/tolerance.h"

namespace plumb::reference {

// The arithmetic of a route, or of the oracle itself.
struct Arithmetic {
  double u, f, eta, max;  // roundoff; error of root and reciprocal; smallest and largest number
  double h, q;            // depth of the sums; roundings of a quotient
  bool corrected;         // the mean is the sum of two numbers
};
Arithmetic arithmetic_of(const Order&, std::int64_t terms);

// m and v of a group of values, and what is known of their errors: the same sums of magnitudes.
struct Moments {
  double mean = 0, variance = 0;
  double magnitude = 0, distance = 0;  // the mean of |x|, and of |x - m|
  std::int64_t terms = 0;              // 0: m and v are given
  bool centred = true;                 // v is about m; otherwise about 0, and m is 0
};

struct MomentErrors {
  double mean = 0, variance = 0;
  double first = 0;  // of the first of two numbers whose sum the mean is
};
MomentErrors moment_errors(const Moments&, const Arithmetic&);

// |y^ - y| of y = (x - m) / sqrt(v + eps) * w + b where m and v stray by the given errors and every further operation
// rounds; n is how many values m and v are of, infinity if x is not one of them.
Allowed strayed(double x, const Moments&, double eps, double w, double y, double n, const MomentErrors&,
                const Arithmetic&);

// With the rounding to an output that is narrower than the accumulator.
double rounded_once(double c, double error, Dtype out, Dtype accumulator);

}  // namespace plumb::reference
