// Made-up operations, one for each class of tolerance, and routes that are right or wrong in one known way.
//
//   many    a = x + y (f32), b = x / 3 (f16), c = i (u32), d = x - y i (c64), e = x - y (f64); rounded; y is optional
//   total   the sum of each row; accumulate
//   scaled  x / 10, within 2^-12 of it; inherited
//   root    sqrt(abs(x)), its square within 2^-16 of abs(x); residual
//   turned  each row backwards, complex; normwise
//   pick    the position of a greatest value of each row, scores within 2^-10; index
//   kept    the values above 0 in front, and their number; exact, the rest of the rows is not active
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "conformance/check.h"

namespace plumb::fakes {

// What a route does in the given launch of one job, counted from 1.
using Act = std::function<void(const Call&, std::vector<Tensor>& out, int launch)>;

// A route of the table. `says` is a part of the reason for which the judge fails it on every case of its operation
// that has elements; empty for one that must pass.
struct Plan {
  std::string_view op, name;
  Act act;
  std::string_view says = "";
  Order (*order)(const Call&) = nullptr;
};
const std::vector<Plan>& plans();
const Plan& plan(std::string_view op, std::string_view name);

void install();  // replaces the tables, and forgets what the routes remember
void forget();

// The route cpu.any of an operation, which does this until the next call.
Route route_that(std::string_view op, Act);

// The right answer, into outputs that are there.
void right(const Call&, std::vector<Tensor>& out, int launch = 1);
void flip(const Tensor&, std::int64_t element);      // its lowest bit
std::byte* at(const Tensor&, std::int64_t element);  // row-major

Case one(std::int64_t n, std::string_view fill, Budget budget = Budget::smoke);
Case rows(std::int64_t r, std::int64_t n, std::string_view fill, Budget budget = Budget::smoke);

inline constexpr std::int64_t kLarge = 5003;  // of many, at ci; greater than every power of two that a loop may end at

}  // namespace plumb::fakes
