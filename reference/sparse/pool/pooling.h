// The meaning of sparse pooling over windows, for its rows and for those of its derivatives. No route sees this file.
#pragma once

#include <vector>

#include "reference/sparse/sites/relation.h"

namespace plumb::reference {

// transposed and trilinear rows take targets; without them the transposed relation makes the outputs.
enum class Pooling { sum, max, avg, transposed, trilinear };
enum class Derivative { none, vjp, jvp };

// Positions of the inputs; the seed of a derivative is its cotangent or tangent.
namespace pool_input {
enum : std::size_t { kCoords, kActive, kFeatures, kSeed };
}

// Y[o] = (sum over edges (i,o,k) of w[k] X[i]) / D[o], 0 without edges; max: the greatest X[i]
struct Windows {
  Relation relation;
  std::vector<double> weight;   // w: 1, or (1-|k-(s-1)|/s) of each axis, multiplied
  std::vector<double> divisor;  // D: 1, or the sum of w over the edges of o
};
Windows windows(const Call&, Pooling);

Geometry pooling_geometry(const Request&, Pooling);  // throws Error(attribute)

// The rows that the result has room for; throws for what is wrong with the attributes.
std::int64_t check_pooling(const Request&, Pooling);

// Y of these features, one row for each output of the relation.
Reals pooled(const Windows&, Pooling, const Reals& features);

// The allowed error of weighted sums: that of class accumulate, whose order counts the roundings of weights and
// divisors too. Where the factors are multiples of 1/grain and all sums of whole numbers are exact, one rounding.
Allowances weighted_bound(const Call&, const Reals& want, const Reals& magnitude, std::int64_t terms, const Order&,
                          Dtype out, double grain);

// The least power of two that makes every factor whole; 0 if there is none up to 4096.
double grain_of(const std::vector<double>& factors);

Call absolute_in(const Call&, std::size_t input);  // |x| of one input, 0 where x is not finite

std::int64_t fullest(const std::vector<Edge>&, std::int64_t Edge::*end);  // most edges at one row, at least 1
Cost pooling_cost(const Call&, Pooling);
std::optional<Spot> channel_spot(const Call&, std::uint64_t key, std::size_t output);

// Whether a recorded call is of this kind; drops the attributes that say so.
bool recorded_pooling(Attrs&, Pooling);

Cases pooling_cases(Pooling, Derivative);
Rejects pooling_rejects(Pooling, Derivative);
Cases pooling_bench(Pooling, Derivative);

}  // namespace plumb::reference
