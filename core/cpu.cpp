#include "core/cpu.h"

#include <algorithm>
#include <atomic>
#include <fstream>

#include "core/environment.h"

namespace plumb {
namespace {

// The best set for which there is code and whose registers this processor has.
Isa detect() {
#if defined(__x86_64__) && !defined(PLUMB_ONE_ISA)
  __builtin_cpu_init();  // tests feature bits and what the system saves on a context switch
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512) return Isa::avx512;
  if (avx2) return Isa::avx2;
#endif
  return Isa::base;
}

Isa initial() { return std::min(isa_wanted().value_or(Isa::avx512), best_isa()); }

std::atomic<Isa>& current() {
  static std::atomic<Isa> value{initial()};
  return value;
}

}  // namespace

std::string_view name(Isa i) { return i == Isa::base ? "base" : i == Isa::avx2 ? "avx2" : "avx512"; }

Isa best_isa() {
  static const Isa best = detect();
  return best;
}

Isa isa() { return current().load(std::memory_order_relaxed); }
void set_isa(Isa i) { current() = std::min(i, best_isa()); }

std::string processor_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown processor";
}

}  // namespace plumb
