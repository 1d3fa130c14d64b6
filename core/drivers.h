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

}  // namespace plumb
