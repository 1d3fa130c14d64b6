// A signal that asks a long run to end: the work on hand is dropped, what it is worth is saved first.
#pragma once

#include <csignal>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace plumb::cli {

// While it lives, SIGINT, SIGTERM and SIGHUP call `last_words`, on a thread of its own beside the work, and end the
// program with 128 + the signal. A second one ends it at once. Signals that are ignored stay ignored.
class Interrupt {
 public:
  explicit Interrupt(std::function<void(int signal)> last_words);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  std::vector<std::pair<int, struct sigaction>> before_;
  std::thread watch_;
};

}  // namespace plumb::cli
