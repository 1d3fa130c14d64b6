// Programs: embedded sources, a common prelude, and built binaries kept in memory and on disk.
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "gpu/opencl.h"

namespace plumb::gpu {
namespace {

namespace fs = std::filesystem;

constexpr std::pair<std::string_view, std::string_view> kSources[] = {
#include "kernels.inc"
};

std::string_view embedded(std::string_view name) {
  for (const auto& [known, source] : kSources) {
    if (known == name) return source;
  }
  throw Error("opencl", Reason::device, "no kernel source named " + std::string(name));
}

// A line `#include "FOLDER/sites.cl"` stands for that embedded source: the compiler sees no folder to look in.
std::string family_source(std::string_view family) {
  constexpr std::string_view kInclude = "#include \"", kEnd = ".cl\"\n";
  std::string text(embedded(family));
  for (std::size_t at = 0; (at = text.find(kInclude, at)) != std::string::npos;) {
    const std::size_t name = at + kInclude.size(), end = text.find(kEnd, name);
    if (end == std::string::npos) break;
    const std::string_view path = std::string_view(text).substr(name, end - name);
    text.replace(at, end + kEnd.size() - at, embedded(path.substr(path.rfind('/') + 1)));
  }
  return text;
}

// Only what the probe verified is defined, so that a kernel may rely on it.
std::string prelude(const Device& d) {
  std::string text = "#pragma OPENCL FP_CONTRACT OFF\n";
  if (d.fp64) text += "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#define PLUMB_FP64 1\n";
  if (d.fp16) text += "#pragma OPENCL EXTENSION cl_khr_fp16 : enable\n#define PLUMB_FP16 1\n";
  if (d.int64_atomics) {
    text += "#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable\n#define PLUMB_INT64_ATOMICS 1\n";
  }
  if (d.facts.is_cpu) text += "#define PLUMB_CPU_DEVICE 1\n";
  if (d.matrix_f16) text += "#ifndef PLUMB_PLAIN\n#define PLUMB_MATRIX_F16 1\n#endif\n";
  return text + "#line 1\n";
}

// Division and square root round correctly where the device can; nothing else departs from the defaults.
std::string build_options(cl_device_id device, const std::string& options) {
  cl_device_fp_config single = 0;
  check(clGetDeviceInfo(device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof single, &single, nullptr), "clGetDeviceInfo");
  std::string all = "-cl-std=CL1.2";
  if (single & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) all += " -cl-fp32-correctly-rounded-divide-sqrt";
  return options.empty() ? all : all + " " + options;
}

// FNV-1a, from a chosen start so that two of them make one wider key.
std::uint64_t hash(std::string_view text, std::uint64_t start) {
  std::uint64_t h = start;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return h;
}
constexpr std::uint64_t kHashStart = 0xCBF29CE484222325u, kOtherStart = 0x9E3779B97F4A7C15u;

std::string hex(std::uint64_t v) {
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; v >>= 4) text[i] = "0123456789abcdef"[v & 15];
  return text;
}

// PoCL keeps each kernel that it built, for each size of work-group, when it is launched. To hand out the binary of a
// program it builds kernels once more, for any size: half of those in a cache that the gate had filled.
bool keeps_its_own(const DeviceFacts& f) { return f.platform == "Portable Computing Language"; }

// The file of a program on disk, or nothing where there is no place, none is needed or PLUMB_CACHE=off.
std::optional<fs::path> cache_file(const std::string& key, const DeviceFacts& f) {
  const char* wish = std::getenv("PLUMB_CACHE");
  const std::string_view wanted = wish ? wish : "";
  if (wanted == "off" || (wanted != "on" && keeps_its_own(f))) return std::nullopt;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  fs::path base;
  if (cache && *cache == '/') {  // a relative one is to be ignored, says its specification
    base = cache;
  } else if (home && *home) {
    base = fs::path(home) / ".cache";
  } else {
    return std::nullopt;
  }
  return base / "plumb" / (hex(hash(key, kHashStart)) + hex(hash(key, kOtherStart)) + ".clbin");
}

// A stored binary lies behind its own checksum: drivers need not survive a damaged one.
constexpr std::size_t kHeaderBytes = 16;

// Whatever is no file with a whole binary is as good as absent.
std::optional<std::string> load(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  std::string text(kHeaderBytes, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size()))) return std::nullopt;
  std::ostringstream rest;
  if (!(rest << in.rdbuf())) return std::nullopt;
  std::string binary = std::move(rest).str();
  if (text != hex(hash(binary, kHashStart))) return std::nullopt;
  return binary;
}

// Nobody's work fails for it, but who waits for every build anew should know why.
void not_kept(const fs::path& where, int error) {
  static std::once_flag once;
  std::call_once(once, [&] {
    std::fprintf(stderr, "plumb: built kernels are not kept: %s: %s\n", where.c_str(), std::strerror(error));
  });
}

// Written beside under a name that no other process has, then renamed: a reader sees all of it or nothing.
void store(const fs::path& file, const std::string& binary) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error) return not_kept(file.parent_path(), error.value());
  std::string beside = file.string() + ".XXXXXX";
  const int fd = ::mkstemp(beside.data());
  if (fd < 0) return not_kept(file.parent_path(), errno);
  const std::string all = hex(hash(binary, kHashStart)) + binary;
  ssize_t n = 0;
  for (std::size_t at = 0; at < all.size() && n >= 0; at += static_cast<std::size_t>(n))
    n = ::write(fd, all.data() + at, all.size() - at);
  bool whole = n >= 0;
  int why = errno;
  if (::close(fd) != 0 && whole) whole = false, why = errno;
  if (whole && ::rename(beside.c_str(), file.c_str()) == 0) return;
  if (whole) why = errno;
  ::unlink(beside.c_str());
  not_kept(file, why);
}

ProgramHandle from_binary(const Session& s, const std::string& binary, const std::string& options) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(binary.data());
  const std::size_t length = binary.size();
  cl_int status = CL_SUCCESS;
  ProgramHandle p(clCreateProgramWithBinary(s.context.get(), 1, &s.device, &length, &bytes, nullptr, &status));
  if (status != CL_SUCCESS) return nullptr;
  if (clBuildProgram(p.get(), 1, &s.device, options.c_str(), nullptr, nullptr) != CL_SUCCESS) return nullptr;
  return p;
}

std::string binary_of(cl_program p) {
  std::size_t length = 0;
  if (clGetProgramInfo(p, CL_PROGRAM_BINARY_SIZES, sizeof length, &length, nullptr) != CL_SUCCESS) return "";
  std::string binary(length, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(binary.data());
  if (clGetProgramInfo(p, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, nullptr) != CL_SUCCESS) return "";
  return binary;
}

ProgramHandle make_program(std::string_view family, const std::string& options) {
  const Session& s = session();
  const Device& device = current_device();
  const std::string source = prelude(device) + family_source(family);
  const std::string all = build_options(s.device, options);
  const DeviceFacts& f = device.facts;
  std::string key;
  for (const std::string& part : {source, all, f.platform, f.name, f.version, f.driver}) key += part + '\0';
  const std::optional<fs::path> file = cache_file(key, f);
  if (file) {
    if (const auto binary = load(*file)) {
      if (ProgramHandle p = from_binary(s, *binary, all)) return p;
    }
  }
  ProgramHandle p = build(s.context.get(), s.device, source, all);
  if (file) {
    if (const std::string binary = binary_of(p.get()); !binary.empty()) store(*file, binary);
  }
  return p;
}

}  // namespace

namespace {

using KernelPtr = std::shared_ptr<std::remove_pointer_t<cl_kernel>>;

// A built program, and its kernels that nobody holds: creating one costs as much as launching it.
struct Program {
  ProgramHandle built;
  std::mutex lock;
  std::multimap<std::string, KernelHandle> spare;

  KernelHandle take(const std::string& name) {
    const std::lock_guard hold(lock);
    const auto it = spare.find(name);
    if (it == spare.end()) return nullptr;
    KernelHandle k = std::move(it->second);
    spare.erase(it);
    return k;
  }
  void give(const std::string& name, cl_kernel kernel) {
    const std::lock_guard hold(lock);
    spare.emplace(name, kernel);
  }
};

struct Programs {
  std::mutex lock;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Program>> all;  // by family and options
};

Programs& programs() {
  static Programs* p = new Programs;  // never destroyed, as the session
  return *p;
}

// Where small limits hold, kernels for matrix units run their plain bodies, on devices that have such units too.
std::string with_bodies(const std::string& options) {
  return options + (small_limits() && current_device().matrix_f16 ? " -DPLUMB_PLAIN" : "");
}

// One build at a time, under the lock. A program that failed is tried again at the next use.
std::shared_ptr<Program> find_program(std::string_view family, const std::string& options) {
  Programs& p = programs();
  const std::lock_guard hold(p.lock);
  std::shared_ptr<Program>& program = p.all[{std::string(family), options}];
  if (!program) program = std::make_shared<Program>();
  if (!program->built) program->built = make_program(family, options);
  return program;
}

}  // namespace

KernelPtr create_kernel(std::string_view family, const std::string& options, const std::string& name) {
  if (take(Fault::build)) check(CL_BUILD_PROGRAM_FAILURE, "clBuildProgram", "injected");
  const std::shared_ptr<Program> program = find_program(family, with_bodies(options));
  KernelHandle kernel = program->take(name);
  if (!kernel) {
    cl_int status = CL_SUCCESS;
    kernel.reset(clCreateKernel(program->built.get(), name.c_str(), &status));
    check(status, "clCreateKernel", name);
  }
  return {kernel.release(), [program, name](cl_kernel k) { program->give(name, k); }};
}

void forget_programs() {
  Programs& p = programs();
  const std::lock_guard hold(p.lock);
  p.all.clear();
}

}  // namespace plumb::gpu
