// Which OpenCL drivers this process may load. A driver is foreign code that may die, hang or print as soon as it is
// loaded, so they are tried in another process first, and those that do not serve are left out of this one.
// Private to gpu/.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/drivers.h"

namespace plumb::gpu {

// What an .icd file names, or what a variable of the loader names in its place.
struct Driver {
  std::string file;     // "/etc/OpenCL/vendors/pocl.icd"; the library where there is no such file
  std::string library;  // "libpocl.so.2"; empty if the file cannot be read
};
std::string to_string(const Driver&);  // "pocl.icd (libpocl.so.2)"

// As the loader finds them: OCL_ICD_VENDORS (a folder, one .icd file, a library), OPENCL_VENDOR_PATH,
// OCL_ICD_FILENAMES, else /etc/OpenCL/vendors. In order of their names.
std::vector<Driver> listed_drivers();
std::string where_drivers_are_listed();

// While it lives, the loader finds these drivers and no others. It looks once in a process, when first asked.
class OnlyDrivers {
 public:
  explicit OnlyDrivers(const std::vector<Driver>&);  // none: as the environment says
  ~OnlyDrivers();
  OnlyDrivers(const OnlyDrivers&) = delete;

 private:
  void set(const char* name, const std::string& value);
  std::vector<std::pair<std::string, std::string>> before_;  // "\1": was not set
  std::string folder_;
};

// A device as it was where it was tried.
struct TriedDevice {
  std::string identity;
  std::map<TestKernel, Outcome> outcomes;
};
std::string identity(const DeviceFacts&);

struct Trial {
  std::vector<Driver> use;           // that this process is to load; none: as the environment says
  std::vector<TriedDevice> devices;  // empty if no driver serves: then none may be loaded
  std::vector<DriverNote> notes;
};

// Tries them on `platform`, all at once as a program would load them. If that fails, each by itself, side by side.
Trial try_drivers(Platform& platform, double seconds);

}  // namespace plumb::gpu
