#include "core/device.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "core/drivers.h"
#include "core/error.h"

namespace plumb {
namespace {

constexpr std::string_view kNoDevice = "none";  // PLUMB_DEVICE: no driver is loaded

// The platform and what was found on it. The device list is computed once, under the lock.
struct Machine {
  std::mutex lock;
  std::unique_ptr<Platform> platform;
  std::unique_ptr<std::vector<Device>> devices;
  std::unique_ptr<Device> current;
};

Machine& machine() {
  static Machine* m = new Machine;  // never destroyed: device libraries may already be gone at exit
  return *m;
}

Outcome attempt(Platform& platform, const DeviceFacts& facts, TestKernel kernel) {
  try {
    return platform.run(facts, kernel);
  } catch (const std::exception& e) {
    return {false, std::string("fails: ") + e.what()};
  }
}

// Notes read "claims cl_khr_fp64, but its test kernel does not build: ..." or "no fp16: ...".
bool verify(Platform& platform, Device& device, TestKernel kernel, std::string_view extension, bool claimed) {
  const Outcome o = attempt(platform, device.facts, kernel);
  if (o.ok) return true;
  const std::string lead = claimed ? "claims " + std::string(extension) + ", but its test kernel "
                                   : "no " + std::string(name(kernel)) + ": ";
  device.notes.push_back(lead + o.why);
  return false;
}

bool verify_listed(Platform& platform, Device& device, TestKernel kernel, std::string_view extension, bool listed) {
  if (listed) return verify(platform, device, kernel, extension, true);
  device.notes.push_back("no " + std::string(name(kernel)) + ": " + std::string(extension) + " is not listed");
  return false;
}

Device absent(std::string why) {
  Device d;
  d.notes.push_back(std::move(why));
  return d;
}

bool better(const Device& a, const Device& b) {
  if (a.tier != b.tier) return a.tier > b.tier;
  return !a.facts.is_cpu && b.facts.is_cpu;
}

std::string known(const std::vector<Device>& devices) {
  std::string text = "none";
  for (const Device& d : devices) {
    if (d.facts.index >= 0) text += ", " + std::to_string(d.facts.index) + " (" + d.facts.name + ")";
  }
  for (const DriverNote& note : driver_notes()) text += "; " + note.text;
  return text;
}

const Device* named(const std::vector<Device>& devices, std::string_view wanted) {
  int index = -1;
  const char* end = wanted.data() + wanted.size();
  const bool number = std::from_chars(wanted.data(), end, index).ptr == end;
  for (const Device& d : devices) {
    if (d.facts.index < 0) continue;
    if (number ? d.facts.index == index : d.facts.name.find(wanted) != std::string::npos) return &d;
  }
  return nullptr;
}

std::string_view wanted_device() {
  const char* text = std::getenv("PLUMB_DEVICE");
  return text ? text : "";
}

const std::vector<Device>& devices_locked(Machine& m) {
  if (!m.devices) {
    m.devices = std::make_unique<std::vector<Device>>();
    if (m.platform && wanted_device() != kNoDevice) *m.devices = probe_all(*m.platform);
  }
  return *m.devices;
}

// With why there is none, as far as the drivers gave reason.
Device chosen(Machine& m) {
  const std::string_view wanted = wanted_device();
  if (!m.platform && (wanted.empty() || wanted == kNoDevice)) return absent("built without OpenCL");
  Device device = choose(devices_locked(m), wanted);
  if (device.facts.index < 0)
    for (const DriverNote& note : driver_notes()) device.notes.push_back(note.text);
  return device;
}

}  // namespace

std::string_view name(Tier t) {
  switch (t) {
    case Tier::unavailable: return "unavailable";
    case Tier::gpu: return "gpu";
    case Tier::neural_accelerator: return "neural_accelerator";
  }
  throw std::logic_error("name(Tier): not a tier");
}

std::string_view name(TestKernel k) {
  switch (k) {
    case TestKernel::add: return "add";
    case TestKernel::fp64: return "fp64";
    case TestKernel::fp16: return "fp16";
    case TestKernel::matrix_f16: return "matrix_f16";
    case TestKernel::int64_atomics: return "int64_atomics";
  }
  throw std::logic_error("name(TestKernel): not a test kernel");
}

bool DeviceFacts::has(std::string_view extension) const {
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

Device probe(Platform& platform, const DeviceFacts& facts) {
  Device d;
  d.facts = facts;
  const Outcome add = attempt(platform, facts, TestKernel::add);
  if (!add.ok) {
    d.notes.push_back("unusable: the test kernel " + add.why);
    return d;
  }
  d.fp64 = verify_listed(platform, d, TestKernel::fp64, "cl_khr_fp64", facts.claims_fp64);
  d.fp16 = verify(platform, d, TestKernel::fp16, "cl_khr_fp16", facts.has("cl_khr_fp16"));
  d.int64_atomics = verify_listed(platform, d, TestKernel::int64_atomics, "cl_khr_int64_base_atomics",
                                  facts.has("cl_khr_int64_base_atomics"));
  d.matrix_f16 = verify(platform, d, TestKernel::matrix_f16, "", false);
  d.tier = d.matrix_f16 ? Tier::neural_accelerator : Tier::gpu;
  return d;
}

std::vector<Device> probe_all(Platform& platform) {
  try {
    std::vector<Device> found;
    for (const DeviceFacts& facts : platform.devices()) found.push_back(probe(platform, facts));
    return found;
  } catch (const std::exception& e) {
    return {absent(std::string("the device platform is unusable: ") + e.what())};
  }
}

Device choose(const std::vector<Device>& devices, std::string_view wanted) {
  if (wanted == kNoDevice) return absent("PLUMB_DEVICE=none");
  if (!wanted.empty()) {
    if (const Device* d = named(devices, wanted)) return *d;
    throw Error("device", Reason::query, "PLUMB_DEVICE=" + std::string(wanted) + " is none of: " + known(devices));
  }
  if (devices.empty()) return absent("no OpenCL device found");
  return *std::min_element(devices.begin(), devices.end(), better);
}

const Device& current_device() {
  Machine& m = machine();
  const std::lock_guard hold(m.lock);
  if (m.current) return *m.current;
  m.current = std::make_unique<Device>(chosen(m));
  return *m.current;
}

const std::vector<Device>& all_devices() {
  Machine& m = machine();
  const std::lock_guard hold(m.lock);
  return devices_locked(m);
}

void install_platform(std::unique_ptr<Platform> platform) {
  Machine& m = machine();
  const std::lock_guard hold(m.lock);
  if (m.devices || m.current) throw std::logic_error("install_platform: the devices were already asked for");
  m.platform = std::move(platform);
}

}  // namespace plumb
