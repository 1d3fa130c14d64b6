// Where a run over many cases stands, for whoever shows it.
#pragma once

#include <cstdint>
#include <string>

namespace plumb {

struct Step {
  std::string within;                         // what the operations are counted in, if it is a part: "family 2 of 25"
  std::string op, case_id;                    // what comes next
  std::size_t operation = 0, operations = 0;  // k of n, the first is 1
  std::uint64_t done = 0, total = 0;          // the work behind, and all of it, in cases or bytes
};

}  // namespace plumb
