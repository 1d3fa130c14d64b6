// `plumb` itself: starts at once, and hands what times to its neighbour.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "bench/bench.h"
#include "cli/timing.h"
#include "core/error.h"

namespace plumb {

BenchResult bench(const BenchOptions&) { throw std::logic_error("bench: this program does not time"); }
std::vector<std::string> with_benchmarks(const std::vector<std::string>&, Budget) {
  throw std::logic_error("with_benchmarks: this program does not time");
}
void require_benchmarks(const std::vector<std::string>&, const std::string&, Budget) {
  throw std::logic_error("require_benchmarks: this program does not time");
}

namespace cli {

void leave_for_timing(char** argv) {
  std::error_code error;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) self = argv[0];
  const std::string other = (self.parent_path() / PLUMB_TIMING).string();
  ::execv(other.c_str(), argv);
  throw Error("plumb", Reason::file,
              other + ": what times lies beside this program, and cannot be started: " + std::strerror(errno));
}

}  // namespace cli
}  // namespace plumb
