// The variables PLUMB_* of the environment. One that is empty is not set; every other value must name something.
#pragma once

#include <optional>
#include <string_view>

#include "core/cpu.h"

namespace plumb {

// Throws Error(query) for a variable PLUMB_* that there is not, and for a value that names nothing here. Routes must
// have been installed; devices are only looked for where PLUMB_DEVICE names one.
void check_environment();

// These throw Error(query) for a value that names nothing; no value where the variable is not set.
std::optional<int> threads_wanted();  // PLUMB_THREADS
std::optional<Isa> isa_wanted();      // PLUMB_ISA

inline constexpr int kMostThreads = 1024;

}  // namespace plumb
