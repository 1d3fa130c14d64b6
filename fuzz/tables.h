// The rows of every operation, with no route but the reference: what is fuzzed reads calls and runs none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace plumb::fuzz {

void install_rows();

// The id of one of the rows' own cases: a new operation is begun from without a seed of its own.
std::string some_case(unsigned draw);

// What libFuzzer mutates next: now and then one of the given texts in place of the input.
std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t most, unsigned draw,
                   std::string (*text)(unsigned));

}  // namespace plumb::fuzz
