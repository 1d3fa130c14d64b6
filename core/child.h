// Work that may die, hang or print, done in processes of its own: what happens there leaves the caller whole.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace plumb {

// What a child says to its parent. Each word is a sign of life.
using Tell = std::function<void(const std::string&)>;

struct Child {
  std::function<void(const Tell&)> work;  // runs in a copy of this process, with the one thread that called
};

struct ChildEnd {
  std::vector<std::string> told;  // in order, whatever came of the child later
  std::string trouble;  // "" if the work returned; "died of signal 6 (Aborted)", "hung: 10 s without an answer"
  std::string printed;  // the last line that it wrote to stdout or stderr
};

// Runs all of them side by side and waits. A child that says nothing for so many seconds is killed, with what it began.
// None outlives the call or the caller, reads stdin, leaves a core file, or runs a handler or destructor of the caller.
std::vector<ChildEnd> run_children(const std::vector<Child>&, double seconds);

}  // namespace plumb
