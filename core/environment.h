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

inline constexpr int kMaxThreads = 1024;

// How long a driver may take for one answer where it is tried (its devices, each test kernel): long enough for a
// machine of many accelerators that must wake first, and for a compiler on a busy one.
inline constexpr double kProbeSeconds = 10;
double probe_seconds();  // that, or PLUMB_PROBE_SECONDS

}  // namespace plumb
