// The bands on both sides of watched memory: NaN in every float type, no valid index, and not the same for any two
// pieces of memory that are made one after the other. Were they the same, a route that reads beyond its input and
// writes beyond its output would carry a NaN, payload and all, from one band into the other, where it changes nothing.
#pragma once

#include <array>
#include <cstddef>

namespace plumb {

// The bytes that a band repeats: the first lies at even addresses (on a device: offsets).
using GuardPair = std::array<std::byte, 2>;
GuardPair next_guard();  // another one than the thirteen before

// A band has at least two bytes.
void fill_guard(std::byte* band, std::size_t bytes, GuardPair);
bool is_guard(const std::byte* band, std::size_t bytes, GuardPair);
GuardPair guard_of(const std::byte* band);

}  // namespace plumb
