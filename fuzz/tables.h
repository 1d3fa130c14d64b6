// The rows of every operation, with no route but the reference: what is fuzzed reads calls and runs none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/op.h"

namespace plumb::fuzz {

void install_rows();

// The id of one of the rows' own cases: a new operation is begun from without a seed of its own.
std::string some_case(unsigned draw);

// Infers the outputs of a case; ends the program if they are none, or more than the row has. Throws Error.
void infer_outputs(const Op&, const std::vector<std::optional<Input>>& in, const Attrs&);

// What libFuzzer mutates next: now and then one of the given texts in place of the input.
std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t most, unsigned draw,
                   std::string (*text)(unsigned));

}  // namespace plumb::fuzz
