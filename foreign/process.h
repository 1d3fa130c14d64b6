// One child: started, asked, watched, and ended with all that it began.
#pragma once

#include <sys/types.h>

#include <deque>
#include <string>
#include <vector>

#include "foreign/frames.h"
#include "foreign/memory.h"

namespace plumb::foreign {

struct Limits {
  double seconds = 10;                              // for an answer, at the least
  double start_seconds = 60;                        // for what comes before the first call, and for `supports`
  std::size_t shared_bytes = std::size_t{1} << 30;  // of inputs, and of outputs
  std::size_t memory_bytes = 0;                     // of its address space; 0: what the machine has, and what is shared
  int restarts = 50;
  bool audit = false;       // calls that it refuses are tried too
  std::string judge = "0";  // the version of this program
};

class Process {
 public:
  // Starts it. Throws Error(memory) where that cannot be.
  Process(const std::vector<std::string>& argv, Threads, const Limits&);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Arena& inputs() { return inputs_; }
  Arena& outputs() { return outputs_; }
  bool alive() const { return pid_ > 0; }
  void end();  // it and its group, by its own number

  void queue(const Json& request);  // goes out with the next ask()
  // Sends what is queued, and gives its answers in order; each may take so long. Throws Fault(crashed, timeout,
  // protocol), after which the child is no more.
  std::vector<Json> ask(double seconds);
  std::deque<std::string> take_printed();  // its last lines since the last call

 private:
  void exchange(double until, std::vector<Json>& answers);
  bool send_some();
  bool receive_some();
  void listen();
  std::string buried();
  [[noreturn]] void died();

  Arena inputs_, outputs_;
  pid_t pid_ = 0;
  int socket_ = -1, print_ = -1;
  std::string outgoing_;
  std::size_t expected_ = 0;
  FrameReader reader_;
  std::string printed_;
  int status_ = 0;
};

// The words of a command line: by blanks, '..' and ".." hold them; nothing else has a meaning. Throws Error(query).
std::vector<std::string> words_of(const std::string& command);

}  // namespace plumb::foreign
