// Where input values come from: named generators, counter-based, keyed by the case's own id.
//
// A fill is written "name" or "name-parameter". Values depend on (key, logical index) only.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace plumb {

// A counter-based generator: the i-th draw of a key, with no state (SplitMix64 finalizer,
// Steele, Lea & Flood 2014).
std::uint64_t draw(std::uint64_t key, std::uint64_t i);
double unit(std::uint64_t key, std::uint64_t i);  // [0, 1), 53 bits

std::uint64_t hash(std::string_view text);  // FNV-1a, 64 bit

struct Fill {
  struct Range {
    double low, high;  // of the parameter; equal: it takes none; infinite: any number, NaN too
  };
  std::string_view name;
  std::string_view what;  // one line for `plumb list fills`
  double fallback;        // the parameter when none is written
  Range range;
  Wide (*make)(const Spec&, std::uint64_t key, double parameter);
};

std::span<const Fill> fills();               // those of core, then those of families
void install_fills(std::vector<Fill> more);  // of families: what their rows give to install()

struct FillCall {
  const Fill* fill;
  double parameter;
};
FillCall parse_fill(std::string_view text);  // throws Error(query) for a name or a parameter that it does not take

Tensor fill(const Spec&, std::string_view fill, std::uint64_t key);  // row-major; throws Error(query)

}  // namespace plumb
