#include "core/order.h"

#include <algorithm>
#include <cmath>

namespace plumb {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::int64_t ceil_log2(std::int64_t n) {
  std::int64_t k = 0;
  while ((std::int64_t{1} << k) < n) ++k;
  return k;
}

// Roundings on the longest path through one block of m terms.
std::int64_t block_depth(const Order& o, std::int64_t m) {
  switch (o.shape) {
    case Order::Shape::exact: return 0;
    case Order::Shape::sequential: return m;
    case Order::Shape::lanes: return ceil_div(m, o.lanes) + ceil_log2(o.lanes);
    case Order::Shape::pairwise: return 1 + ceil_log2(m);
  }
  return m;
}

}  // namespace

Order Order::oracle() {
  Order o;
  o.shape = Shape::exact, o.accumulator = Dtype::f64, o.function_ulps = 1, o.epilogue = 1;
  return o;
}

double Order::accumulator_roundoff() const { return info(accumulator).unit_roundoff() * (truncating ? 2 : 1); }

std::int64_t Order::depth(std::int64_t n) const {
  if (n <= 0 || shape == Shape::exact) return 0;
  const std::int64_t chunk = ceil_div(n, std::max<std::int64_t>(split, 1));
  const std::int64_t m = block > 0 ? std::min(block, chunk) : chunk;
  const auto joined = [&](std::int64_t parts) { return tree ? ceil_log2(parts) : parts - 1; };
  return block_depth(*this, m) + joined(ceil_div(chunk, m)) + joined(std::max<std::int64_t>(split, 1)) + prologue +
         epilogue;
}

std::string to_string(const Order& o) {
  std::string s;
  switch (o.shape) {
    case Order::Shape::exact: return "exact";
    case Order::Shape::sequential: s = "sequential"; break;
    case Order::Shape::lanes: s = "lanes " + std::to_string(o.lanes); break;
    case Order::Shape::pairwise: s = "pairwise"; break;
  }
  if (o.block > 0) s += ", blocks of " + std::to_string(o.block);
  if (o.split > 1) s += ", split " + std::to_string(o.split);
  if (o.tree && (o.block > 0 || o.split > 1)) s += " joined by a tree";
  s += ", " + std::string(name(o.accumulator)) + (o.fma ? " fma" : "");
  if (o.reciprocal) s += ", quotients by reciprocals";
  if (o.truncating) s += ", truncating";
  if (o.input_rounding) s += ", inputs rounded to " + std::string(name(*o.input_rounding));
  if (o.partial) s += ", partial sums in " + std::string(name(*o.partial));
  return s;
}

}  // namespace plumb
