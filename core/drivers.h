// What became of the drivers in which devices were looked for. gpu/ tells it, verbs ask.
#pragma once

#include <string>
#include <vector>

namespace plumb {

// Of a driver that was looked at and does not serve.
struct DriverNote {
  std::string text;    // one line: which one, and why
  bool fatal = false;  // it died or hung where it was tried, and would have taken this process with it
};
void note_driver(DriverNote);
std::vector<DriverNote> driver_notes();  // nothing is loaded for the question

// How long a driver may take for one answer where it is tried (its devices, each test kernel): long enough for a
// machine of many accelerators that must wake first, and for a compiler on a busy one.
inline constexpr double kProbeSeconds = 10;
double probe_seconds();  // that, or PLUMB_PROBE_SECONDS; throws Error(query) if it is no time

}  // namespace plumb
