#include "reports/surroundings.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/cpu.h"
#include "core/pool.h"

namespace plumb::reports {
namespace {

std::string system_name() {
  utsname names{};
  if (uname(&names) != 0) return "";
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

// The most that the first core may run at; where nobody says, what the fastest core runs at now; 0 if that is unknown
// too.
double clock_mhz() {
  double khz = 0;
  if (std::ifstream("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq") >> khz && khz > 0) return khz / 1000;
  std::ifstream file("/proc/cpuinfo");
  double most = 0;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("cpu MHz") && line.find(':') != std::string::npos)
      most = std::max(most, std::strtod(line.c_str() + line.find(':') + 1, nullptr));
  return most;
}

bool matters(std::string_view variable) {
  constexpr std::array kBeginnings = {"PLUMB_", "OPENBLAS_", "GOTO_", "OMP_",  "GOMP_",   "KMP_",          "MKL_",
                                      "OCL_",   "OPENCL_",   "POCL_", "CUDA_", "MALLOC_", "XDG_CACHE_HOME"};
  return std::any_of(kBeginnings.begin(), kBeginnings.end(), [&](const char* b) { return variable.starts_with(b); });
}

}  // namespace

Json host() {
  Json out{{"processor", processor_name()}, {"isa", name(isa())}, {"threads", threads()}, {"system", system_name()}};
  if (const double mhz = clock_mhz(); mhz > 0) out["clock_mhz"] = mhz;
  return out;
}

Json environment() {
  std::map<std::string, std::string> found;  // in order of their names
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const std::size_t end = text.find('=');
    if (end != std::string_view::npos && matters(text.substr(0, end)))
      found.emplace(text.substr(0, end), text.substr(end + 1));
  }
  return found;
}

}  // namespace plumb::reports
