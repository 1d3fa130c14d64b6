#include "core/drivers.h"

#include <mutex>
#include <utility>

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

}  // namespace plumb
