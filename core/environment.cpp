#include "core/environment.h"

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/error.h"
#include "core/gate.h"
#include "core/number.h"
#include "core/text.h"

namespace plumb {
namespace {

[[noreturn]] void bad(const std::string& what) { throw Error("plumb", Reason::query, what); }

[[noreturn]] void bad_value(std::string_view name, std::string_view value, const std::string& is) {
  bad("the variable " + std::string(name) + " is \"" + std::string(value) + "\"; it is " + is);
}

std::string_view value_of(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

template <class T>
std::optional<T> number_wanted(const char* name, T least, T most) {
  const std::string_view value = value_of(name);
  if (value.empty()) return std::nullopt;
  const auto n = number_in<T>(value);
  if (!n || !(*n >= least && *n <= most))
    bad_value(name, value, "a number from " + shortest(least) + " to " + shortest(most));
  return n;
}

void check_threads(std::string_view) { (void)threads_wanted(); }
void check_isa(std::string_view) { (void)isa_wanted(); }

void check_limits(std::string_view value) {
  if (value != "small") bad_value("PLUMB_LIMITS", value, "small, or not set");
}

void check_cache(std::string_view value) {
  if (value != "off" && value != "on") bad_value("PLUMB_CACHE", value, "on, off, or not set");
}

void check_route(std::string_view value) {
  if (is_route(value)) return;
  std::vector<std::string_view> names;
  for (const Op& op : ops())
    for (const Route& r : routes(op)) names.push_back(r.name);
  bad_value("PLUMB_ROUTE", value, "the name of a route" + nearest(value, std::move(names)));
}

void check_device(std::string_view value) {
  if (value != "none") (void)current_device();
}

void check_probe(std::string_view) { (void)probe_seconds(); }

void anything(std::string_view) {}

struct Variable {
  std::string_view name;
  void (*check)(std::string_view value);
};

constexpr Variable kVariables[] = {
    {"PLUMB_CACHE", check_cache},
    {"PLUMB_DEVICE", check_device},
    {"PLUMB_ISA", check_isa},
    {"PLUMB_LIMITS", check_limits},
    {"PLUMB_PROBE_SECONDS", check_probe},
    {"PLUMB_ROUTE", check_route},
    {"PLUMB_THREADS", check_threads},
    // Of the test programs, which start this one.
    {"PLUMB_EXHAUSTIVE", anything},
    {"PLUMB_KILL_TABLE", anything},
    {"PLUMB_MUTANT", anything},
    {"PLUMB_MUTANTS_REACHED", anything},
};
constexpr std::size_t kForUsers = 7;  // of these, the first

[[noreturn]] void unknown(std::string_view name) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kForUsers; ++i) names.push_back(kVariables[i].name);
  bad("no variable is named " + std::string(name) + nearest(name, std::move(names)));
}

}  // namespace

std::optional<int> threads_wanted() { return number_wanted("PLUMB_THREADS", 1, kMaxThreads); }
double probe_seconds() { return number_wanted("PLUMB_PROBE_SECONDS", 0.1, 3600.0).value_or(kProbeSeconds); }

std::optional<Isa> isa_wanted() {
  const std::string_view value = value_of("PLUMB_ISA");
  if (value.empty()) return std::nullopt;
  for (const Isa i : {Isa::base, Isa::avx2, Isa::avx512})
    if (name(i) == value) return i;
  bad_value("PLUMB_ISA", value, "base, avx2 or avx512");
}

void check_environment() {
  constexpr std::string_view kOurs = "PLUMB_";
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with(kOurs)) continue;
    const auto equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : text.substr(equals + 1);
    const Variable* known = nullptr;
    for (const Variable& v : kVariables)
      if (v.name == name) known = &v;
    if (!known) unknown(name);
    if (!value.empty()) known->check(value);
  }
}

}  // namespace plumb
