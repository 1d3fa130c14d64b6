#include "gpu/drivers.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "core/child.h"
#include "core/error.h"

namespace plumb::gpu {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVendors = "OCL_ICD_VENDORS";
constexpr const char* kVendorPath = "OPENCL_VENDOR_PATH";
constexpr const char* kFilenames = "OCL_ICD_FILENAMES";
constexpr const char* kUsualFolder = "/etc/OpenCL/vendors";
constexpr const char* kUnset = "\1";

std::string value_of(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

bool is_icd(const fs::path& p) { return p.extension() == ".icd"; }

Driver driver_of(const fs::path& file) {
  Driver d{file.string(), ""};
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return d;  // a FIFO would wait for ever
  std::ifstream in(file);
  std::getline(in, d.library);
  return d;
}

void add_folder(const fs::path& folder, std::vector<Driver>& all) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (is_icd(it->path())) files.push_back(it->path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) all.push_back(driver_of(file));
}

void add_named(const fs::path& named, std::vector<Driver>& all) {
  if (!named.empty()) all.push_back(is_icd(named) ? driver_of(named) : Driver{named.string(), named.string()});
}

std::string vendor_folder() {
  const std::string path = value_of(kVendorPath);
  return path.empty() ? kUsualFolder : path;
}

}  // namespace

std::string to_string(const Driver& d) {
  if (d.file == d.library) return d.file;
  return d.file + (d.library.empty() ? "" : " (" + d.library + ")");
}

std::string where_drivers_are_listed() {
  const std::string vendors = value_of(kVendors);
  return vendors.empty() ? vendor_folder() : vendors;
}

std::vector<Driver> listed_drivers() {
  std::vector<Driver> all;
  const std::string more = value_of(kFilenames), where = where_drivers_are_listed();
  for (std::size_t at = 0; at < more.size();) {
    const std::size_t end = std::min(more.find(':', at), more.size());
    add_named(more.substr(at, end - at), all);
    at = end + 1;
  }
  std::error_code error;
  if (fs::is_directory(where, error)) {
    add_folder(where, all);
  } else if (const fs::path inside = fs::path(vendor_folder()) / where;
             is_icd(where) && where.find('/') == std::string::npos && fs::exists(inside, error)) {
    add_named(inside, all);
  } else if (where != kUsualFolder) {
    add_named(where, all);
  }
  return all;
}

// One driver is named by the two variables that the two common loaders have for it; several lie in a folder of their
// own, for which both have the same variable.
OnlyDrivers::OnlyDrivers(const std::vector<Driver>& drivers) {
  if (drivers.empty()) return;
  set(kVendorPath, kUnset);
  if (drivers.size() == 1) {
    set(kVendors, drivers[0].file);
    set(kFilenames, drivers[0].library);
    return;
  }
  std::error_code error;
  const fs::path place = fs::temp_directory_path(error);
  std::string folder = ((error ? fs::path("/tmp") : place) / "plumb_drivers_XXXXXX").string();
  if (!::mkdtemp(folder.data()))
    throw Error("opencl", Reason::device, folder + ": no folder for several drivers: " + std::strerror(errno));
  folder_ = folder;
  for (std::size_t i = 0; i < drivers.size(); ++i)
    std::ofstream(fs::path(folder) / (std::to_string(100 + i) + ".icd")) << drivers[i].library << '\n';
  set(kVendors, folder);
  set(kFilenames, kUnset);
}

OnlyDrivers::~OnlyDrivers() {
  for (const auto& [name, value] : before_)
    value == kUnset ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

void OnlyDrivers::set(const char* name, const std::string& value) {
  const char* old = std::getenv(name);
  before_.emplace_back(name, old ? old : kUnset);
  value == kUnset ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1);
}

std::string identity(const DeviceFacts& f) { return f.platform + '\1' + f.name + '\1' + f.driver; }

namespace {

// What the child tells: a kind, then the rest of the line.
enum Kind : char { kStep = 's', kDevice = 'd', kOutcome = 'o', kError = 'e' };

// Asks the platform, and tells what was asked and what was answered.
class Telling : public Platform {
 public:
  Telling(Platform& inner, const Tell& tell) : inner_(inner), tell_(tell) {}

  std::vector<DeviceFacts> devices() override {
    tell_(std::string(1, kStep) + "when it was loaded and asked for its devices");
    return inner_.devices();
  }
  Outcome run(const DeviceFacts& facts, TestKernel kernel) override {
    tell_(std::string(1, kStep) + "in the test kernel " + std::string(name(kernel)) + " on " + facts.name);
    const Outcome o = inner_.run(facts, kernel);
    tell_(std::string(1, kOutcome) + static_cast<char>('0' + static_cast<int>(kernel)) + (o.ok ? '1' : '0') + o.why);
    return o;
  }

 private:
  Platform& inner_;
  const Tell& tell_;
};

std::string why_empty(const std::vector<Driver>& drivers) {
  if (drivers.size() == 1 && !drivers[0].library.empty() && !::dlopen(drivers[0].library.c_str(), RTLD_LAZY)) {
    const char* words = ::dlerror();
    return "cannot be loaded: " + std::string(words ? words : "no reason is given");
  }
  return "has no device here";
}

// `only`: what the loader is to find, none: as the environment says. `listed`: what it then finds.
Child child_of(Platform& platform, std::vector<Driver> only, std::vector<Driver> listed) {
  return {[&platform, only = std::move(only), listed = std::move(listed)](const Tell& tell) {
    const OnlyDrivers limited(only);
    Telling telling(platform, tell);
    try {
      const std::vector<DeviceFacts> devices = telling.devices();
      if (devices.empty()) tell(std::string(1, kError) + why_empty(listed));
      for (const DeviceFacts& facts : devices) {
        tell(std::string(1, kDevice) + identity(facts));
        (void)probe(telling, facts);
      }
    } catch (const Error& e) {
      tell(std::string(1, kError) + "fails: " + e.detail());
    }
  }};
}

struct Tried {
  std::vector<TriedDevice> devices;
  std::string trouble;  // "" if it serves
  bool fatal = false;
};

Tried tried(const ChildEnd& end) {
  Tried t;
  std::string step;
  for (const std::string& word : end.told) {
    const std::string rest = word.substr(1);
    switch (word[0]) {
      case kStep: step = rest; break;
      case kError: t.trouble = rest; break;
      case kDevice: t.devices.push_back({rest, {}}); break;
      case kOutcome:
        t.devices.back().outcomes[static_cast<TestKernel>(rest[0] - '0')] = {rest[1] == '1', rest.substr(2)};
        break;
      default: break;
    }
  }
  t.fatal = !end.trouble.empty();
  if (t.fatal) t.trouble = end.trouble + (step.empty() ? "" : " " + step);
  if (t.fatal && end.trouble.starts_with("hung")) t.trouble += " (PLUMB_PROBE_SECONDS gives it longer)";
  if (!t.trouble.empty() && !end.printed.empty()) t.trouble += "; it printed: " + end.printed;
  return t;
}

DriverNote note(const std::string& what, const Tried& t) {
  return {"OpenCL driver " + what + " " + t.trouble, t.fatal};
}

// The folder of several drivers is made here, and not where a dying child would leave it.
Tried try_together(Platform& platform, const std::vector<Driver>& only, const std::vector<Driver>& listed,
                   double seconds) {
  const OnlyDrivers limited(only);
  return tried(run_children({child_of(platform, {}, listed)}, seconds).front());
}

// Those that cannot even be asked get their note at once.
std::vector<Driver> readable(const std::vector<Driver>& listed, std::vector<DriverNote>& notes) {
  std::vector<Driver> kept;
  for (const Driver& d : listed)
    if (!d.library.empty()) kept.push_back(d);
    else notes.push_back({"OpenCL driver " + to_string(d) + " is no file that names a library", false});
  return kept;
}

// Each by itself, side by side: those that serve, and a note of every other.
Trial serving(Platform& platform, const std::vector<Driver>& listed, double seconds) {
  Trial trial;
  std::vector<Child> children;
  const std::vector<Driver> drivers = readable(listed, trial.notes);
  for (const Driver& d : drivers) children.push_back(child_of(platform, {d}, {d}));
  const std::vector<ChildEnd> ends = run_children(children, seconds);
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    Tried t = tried(ends[i]);
    if (!t.trouble.empty()) {
      trial.notes.push_back(note(to_string(drivers[i]), t));
    } else {
      if (trial.use.empty()) trial.devices = std::move(t.devices);
      trial.use.push_back(drivers[i]);
    }
  }
  return trial;
}

// Drivers that serve alone may still not bear each other, as when two bring the same compiler.
Trial try_each(Platform& platform, const std::vector<Driver>& listed, double seconds) {
  Trial trial = serving(platform, listed, seconds);
  if (trial.use.size() < 2) return trial;
  Tried all;
  try {
    all = try_together(platform, trial.use, trial.use, seconds);
  } catch (const Error& e) {
    all.trouble = e.detail();
  }
  if (all.trouble.empty()) {
    trial.devices = std::move(all.devices);
    return trial;
  }
  trial.use.resize(1);
  trial.notes.push_back({"of the OpenCL drivers that serve alone only " + to_string(trial.use[0]) +
                             " is loaded, since together: " + all.trouble,
                         all.fatal});
  return trial;
}

}  // namespace

Trial try_drivers(Platform& platform, double seconds) {
  const std::vector<Driver> listed = listed_drivers();
  Tried all = try_together(platform, {}, listed, seconds);
  if (all.trouble.empty()) return {{}, std::move(all.devices), {}};
  if (listed.size() > 1) return try_each(platform, listed, seconds);
  if (listed.empty()) {
    const std::string why = "no OpenCL driver is listed: " + where_drivers_are_listed() + " holds no .icd file";
    return {{}, {}, {{all.fatal ? why + "; the loader " + all.trouble : why, all.fatal}}};
  }
  Trial trial;
  if (!readable(listed, trial.notes).empty()) trial.notes.push_back(note(to_string(listed[0]), all));
  return trial;
}

}  // namespace plumb::gpu
