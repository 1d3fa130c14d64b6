#include "core/budget.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>

namespace plumb {
namespace {

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

// The whole numbers that a file begins with, or those behind a word in it; nothing where it says "max" or is not there.
std::uint64_t number_in(const char* path, const std::string& word, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(word)) continue;
    unsigned long long value = 0;
    return std::sscanf(line.c_str() + word.size(), "%llu", &value) == 1 ? value : otherwise;
  }
  return otherwise;
}

std::uint64_t difference(std::uint64_t limit, std::uint64_t used) { return limit > used ? limit - used : 0; }

std::uint64_t system_free() {
  const std::uint64_t kilobytes = number_in("/proc/meminfo", "MemAvailable:", kAny);
  if (kilobytes == kAny) return kAny;
  return 1024 * (kilobytes + number_in("/proc/meminfo", "SwapFree:", 0));
}

// Pages of files count as used there, though they make way.
std::uint64_t group_free(const char* limit, const char* used, const char* facts) {
  const std::uint64_t most = number_in(limit, "", kAny), now = number_in(used, "", 0);
  return most == kAny ? kAny : difference(most, now) + std::min(now, number_in(facts, "inactive_file", 0));
}

std::uint64_t limit_free() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kAny;
  const std::uint64_t pages = number_in("/proc/self/statm", "", 0);
  return difference(limit.rlim_cur, pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
}

std::string digits(double bytes) {
  char text[40];
  std::snprintf(text, sizeof text, bytes < 1e18 ? "%.0f" : "%.3g", bytes);
  return text;
}

// Elements as a double: a product that overflows an integer is large all the same.
double elements(const Shape& shape) {
  double n = 1;
  for (const std::int64_t d : shape) n *= static_cast<double>(d);
  return n;
}

double element_bytes(Dtype t, Held held) {
  if (held == Held::stored) return info(t).bytes;
  return t == Dtype::f64 ? sizeof(Double2) : t == Dtype::c64 ? sizeof(Complex) : sizeof(double);
}

std::string on_route(std::string_view route) { return route.empty() ? "" : "route " + std::string(route) + ": "; }

}  // namespace

std::uint64_t bytes_free() {
  const std::uint64_t two =
      group_free("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat");
  const std::uint64_t one =
      group_free("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
                 "/sys/fs/cgroup/memory/memory.stat");
  return std::min({system_free(), two, one, limit_free()});
}

void require_memory(std::string_view op, const std::string& what, double bytes) {
  constexpr double kSmall = 1 << 26;
  if (bytes < kSmall) return;
  const std::uint64_t free = bytes_free();
  if (bytes > static_cast<double>(free))
    throw Error(op, Reason::memory, what + ": " + digits(bytes) + " bytes, " + std::to_string(free) + " are free");
}

double call_bytes(const Request& call, Held held) {
  double bytes = 0;
  for (const auto& spec : call.specs)
    if (spec) bytes += elements(spec->shape) * element_bytes(spec->dtype, held);
  for (const Spec& spec : output_specs(call)) bytes += elements(spec.shape) * element_bytes(spec.dtype, held);
  return bytes;
}

// Stored inputs are there already; wide ones are made.
void require_memory(const Request& call, Held held) {
  double bytes = 0;
  if (held == Held::wide) bytes = call_bytes(call, held);
  else
    for (const Spec& spec : output_specs(call)) bytes += elements(spec.shape) * element_bytes(spec.dtype, held);
  require_memory(call.op->name, held == Held::wide ? "inputs and outputs in wide types" : "outputs", bytes);
}

void rethrow_as_memory(const Request& call, Held held, std::string_view route, std::string_view what) {
  throw Error(call.op->name, Reason::memory,
              on_route(route) + std::string(what) + "; inputs and outputs alone are " + digits(call_bytes(call, held)) +
                  " bytes");
}

void rethrow_named(std::string_view op, std::string_view route, const Error& e) {
  const std::string where = on_route(route);
  if (e.reason() == Reason::memory && (e.op() != op || !e.detail().starts_with(where)))
    throw Error(op, Reason::memory, where + e.detail());
  throw;
}

}  // namespace plumb
