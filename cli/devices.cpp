#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/cpu.h"
#include "core/device.h"
#include "core/drivers.h"
#include "core/pool.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

std::string verified(const Device& d) {
  std::vector<std::string_view> parts;
  if (d.fp64) parts.push_back("fp64");
  if (d.fp16) parts.push_back("fp16");
  if (d.matrix_f16) parts.push_back("matrix_f16");
  if (d.int64_atomics) parts.push_back("int64_atomics");
  return parts.empty() ? "-" : join(parts, " ");
}

void print_notes(const Device& d) {
  for (const std::string& note : d.notes) std::printf("      %s\n", note.c_str());
}

void print_device(const Device& d) {
  const DeviceFacts& f = d.facts;
  const bool current = f.index == current_device().facts.index;
  std::printf("%s %d  %s  [%s]%s\n", current ? "*" : " ", f.index, f.name.c_str(), std::string(name(d.tier)).c_str(),
              f.is_cpu ? "  the host processor" : "");
  std::printf("      %s, %s, driver %s\n", f.platform.c_str(), f.version.c_str(), f.driver.c_str());
  const std::string clock = f.clock_mhz > 0 ? " at " + quantity(f.clock_mhz * 1e6, "Hz") : "";
  std::printf("      %d compute units%s, %sB global, %sB local\n", f.compute_units, clock.c_str(),
              quantity(static_cast<double>(f.global_bytes), "").c_str(),
              quantity(static_cast<double>(f.local_bytes), "").c_str());
  std::printf("      verified: %s\n", verified(d).c_str());
  print_notes(d);
}

void print_drivers() {
  for (const DriverNote& note : driver_notes()) std::printf("      %s\n", note.text.c_str());
}

}  // namespace

int devices(const DevicesArgs& args) {
  if (args.json) {
    std::puts(reports::text_of(reports::devices(), 2).c_str());
    return kGood;
  }
  std::printf("host  %s, %s, %d threads\n", processor_name().c_str(), std::string(name(isa())).c_str(), threads());
  const std::string tier(name(current_device().tier));
  std::printf("tier  %s\n", tier.c_str());
  for (const Device& d : all_devices())
    if (d.facts.index >= 0) print_device(d);
  if (current_device().facts.index < 0) print_notes(current_device());
  else print_drivers();
  return kGood;
}

}  // namespace plumb::cli
