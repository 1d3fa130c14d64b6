// What a CPU route may depend on beside its call: the instruction set and the number of threads.
#pragma once

#include <string>
#include <vector>

#include "core/cpu.h"

namespace plumb {

struct Setting {
  Isa isa;
  int threads;
};

Setting current_setting();
std::string to_string(const Setting&);     // "avx2, 3 threads"
std::string options_text(const Setting&);  // " --isa=avx2 --threads=3"
bool is_plain(const Setting&);             // what a process has that nothing limits
std::string why_absent(const Setting&);    // "" if this processor has the instructions

// Every pair; of a list that is empty, the current one. Neighbours differ in the instruction set where they can:
// another number of threads makes a new pool.
std::vector<Setting> settings(const std::vector<Isa>&, const std::vector<int>& threads);

// Holds while it lives.
class Under {
 public:
  explicit Under(const Setting&);
  ~Under();
  Under(const Under&) = delete;
  Under& operator=(const Under&) = delete;

 private:
  Setting before_;
};

}  // namespace plumb
