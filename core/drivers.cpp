#include "core/drivers.h"

#include <charconv>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace plumb {
namespace {

struct Notes {
  std::mutex lock;
  std::vector<DriverNote> all;
};

Notes& notes() {
  static Notes n;
  return n;
}

}  // namespace

void note_driver(DriverNote note) {
  const std::lock_guard hold(notes().lock);
  notes().all.push_back(std::move(note));
}

std::vector<DriverNote> driver_notes() {
  const std::lock_guard hold(notes().lock);
  return notes().all;
}

double probe_seconds() {
  const char* variable = std::getenv("PLUMB_PROBE_SECONDS");
  const std::string_view text = variable ? variable : "";
  if (text.empty()) return kProbeSeconds;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(seconds >= 0.1 && seconds <= 3600))
    throw Error("plumb", Reason::query,
                "the variable PLUMB_PROBE_SECONDS is \"" + std::string(text) + "\"; it is a number from 0.1 to 3600");
  return seconds;
}

}  // namespace plumb
