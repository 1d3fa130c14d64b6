// How far a route may stray from the oracle, as a class whose bound is derived, never a number.
//
// u is the unit roundoff of the output, u_acc that of the accumulator, h = Order::depth(n),
// gamma_h(u) = h u / (1 - h u), G the oracle on absolute values, eta the smallest positive value.
//
//   exact       bit for bit; any NaN equals any NaN
//   rounded     the output is the exact value rounded once, to nearest even
//   accumulate  |d| <= gamma_h(u_acc) G + n eta/2 + u (|c| + gamma_h G)      Higham 2002, section 3.1
//               and exactly 0 if all inputs are integers and G <= 2^p_acc
//   inherited   |d| <= the row's own running bound per element
//   residual    the row's own componentwise test, for results that are not unique or ill-conditioned
//   normwise    ||d||_2 <= levels e/(1 - levels e) ||c||_2, e = mu + gamma_4(sqrt 2 + mu)
//                                                                            Higham 2002, Theorem 24.2
//   function    |d| <= k ulp_acc(c) + u (|c| + k ulp_acc(c)) + eta/2, k = Order::function_ulps, ulp_acc(c) the distance
//   of
//               numbers of the accumulator around c (of complex c, of its modulus); the last two terms where the output
//               is narrower than the accumulator. The exact value rounded once, to the bit, where k <= 1/2
//   index       an index i is right if s_i >= max s - (b_i + b_j)
//
// Integer and bool outputs are exact, but in the class residual, which knows properties of them. Every bound that uses
// the oracle's value adds the oracle's own error. NaN in the expected value must meet NaN, an infinity the same
// infinity. A finite value may meet an infinity only where it rounds to one within its bound, and an infinity or NaN
// where a partial result may overflow. Where no finite bound follows nothing is judged: such elements are counted, and
// a case that has any is mistrusted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/order.h"
#include "core/tensor.h"

namespace plumb {

struct Call;

double gamma(double h, double u);  // +inf when h u >= 1/2: no bound can be given

// What a route may give in place of one exact value.
struct Allowed {
  double error = 0;       // |d|; infinity: no bound follows
  bool overflow = false;  // a partial result may pass the largest number, so that infinity or NaN may come instead
};
using Allowances = Array<Allowed>;

// What a comparison found. ratio is error / allowed: at most 1 passes, and reports rank by it.
struct Deviation {
  double ratio = 0;
  int output = 0;
  std::int64_t at = -1;  // flat index of the worst element in logical order; -1: a norm-wise verdict
  double want = 0, got = 0, allowed = 0;
  std::string what;            // empty, or what failed when it is not a value: "shape [2] instead of [3]"
  std::int64_t compared = 0;   // active elements of all outputs that were looked at
  std::int64_t unbounded = 0;  // those of them for which no finite bound follows
  bool ok() const { return ratio <= 1 && what.empty(); }
};
std::string to_string(const Deviation&);

struct Tolerance {
  enum class Class : std::uint8_t { exact, rounded, accumulate, inherited, residual, normwise, function, index };
  Class kind = Class::exact;
  // The class of a call, where it depends on element types: what is rounded once of reals may be a sum of complex
  // parts.
  Class (*when)(const Call&) = nullptr;
  Class of(const Call& call) const { return when ? when(call) : kind; }
  // accumulate: n, the number of terms summed into one output element (2 K for complex products).
  std::int64_t (*terms)(const Call&) = nullptr;
  // accumulate: G where the oracle on absolute inputs is none: signs that lie in codes. Null: absolute inputs.
  std::vector<Wide> (*magnitude)(const Call&) = nullptr;
  // accumulate: whole numbers among the inputs are values, not positions or counts, so that G takes |x| of them too.
  bool signed_values = false;
  // normwise: the axis whose lines are judged one by one; null: the whole output at once.
  std::int64_t (*axis)(const Call&) = nullptr;
  // inherited: what is allowed of every element of every inexact output, rounding to the output included.
  std::vector<Allowances> (*bound)(const Call&, const std::vector<Wide>& want, const Order&) = nullptr;
  // residual: error / allowed of the whole result. May use the oracle's value or the inputs.
  Deviation (*residual)(const Call&, const std::vector<Tensor>& got, const Order&) = nullptr;
};
std::string_view name(Tolerance::Class);

// The oracle's inputs with |x| for every inexact input, and for integers where they are values; 0 where x is not
// finite: what G is computed from.
// For c64 the modulus, so that G bounds the real and the imaginary part alike.
Call absolute(const Call&);

// Compares the active part of a route's outputs with the oracle's. `G` is what
// magnitude(call) gives.
Deviation compare(const Call&, const std::vector<Wide>& want, const std::vector<Wide>& G, const Order&,
                  const std::vector<Tensor>& got);

// Whether sums with magnitude G in the declared order may pass the largest number on their way.
bool may_overflow(double G, std::int64_t n, const Order&);

// The bound of the class accumulate for one element; exposed for rows that compose it.
double accumulate_bound(double c, double G, std::int64_t n, const Order&, Dtype out, double oracle_roundoff);

// G of every output, or nothing where the class does not need it.
std::vector<Wide> magnitude(const Call&);

// The class normwise: relative bound in the 2-norm for the declared levels, mu and amplification.
double normwise_bound(const Order&);

// The class function: what is allowed of one element, an output or a part of one, whose exact value has that modulus.
double function_bound(double modulus, const Order&, Dtype out, double oracle_roundoff);

// The class index: error / allowed of choosing scores[chosen] as the greatest, bounds being b.
double index_ratio(const std::vector<double>& scores, const std::vector<double>& bounds, std::size_t chosen);

}  // namespace plumb
