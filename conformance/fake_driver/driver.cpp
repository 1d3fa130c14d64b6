// An OpenCL driver as no one wants it: a library that an .icd file can name, with one fault, FAKE_DRIVER_FAULT. Each
// leaves a line in the file that the variable FAKE_DRIVER_MARK names as soon as it is loaded. The loader asks for two
// functions by name; no header is needed for them.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

enum Fault { dies, hangs, leaves, fails, prints, alone };
constexpr Fault kFault = FAKE_DRIVER_FAULT;
constexpr std::int32_t kNoPlatform = -1001, kOutOfHostMemory = -6;

__attribute__((constructor)) void loaded() {
  if (const char* mark = std::getenv("FAKE_DRIVER_MARK")) {
    if (std::FILE* f = std::fopen(mark, "a")) {
      std::fprintf(f, "%d\n", static_cast<int>(::getpid()));
      std::fclose(f);
    }
  }
  if (kFault == dies) std::fputs("this driver gives up\n", stderr), std::abort();
  if (kFault == prints) std::puts("this is not JSON");
  if (kFault != alone) return;
  if (std::getenv("FAKE_DRIVER_HERE")) std::abort();  // another one of this kind is in the process
  ::setenv("FAKE_DRIVER_HERE", "1", 1);
}

}  // namespace

extern "C" {

std::int32_t clIcdGetPlatformIDsKHR(std::uint32_t, void**, std::uint32_t*) {
  if (kFault == hangs)
    for (;;) ::pause();
  if (kFault == leaves) std::exit(3);
  return kFault == fails ? kOutOfHostMemory : kNoPlatform;
}

std::int32_t clGetPlatformInfo(void*, std::uint32_t, std::size_t, void*, std::size_t*) { return kOutOfHostMemory; }

// One that serves as long as it is alone stands for the driver that FAKE_DRIVER_REAL names.
void* clGetExtensionFunctionAddress(const char* name) {
  const char* real = kFault == alone ? std::getenv("FAKE_DRIVER_REAL") : nullptr;
  void* library = real ? ::dlopen(real, RTLD_LAZY | RTLD_LOCAL) : nullptr;
  void* function = library ? ::dlsym(library, "clGetExtensionFunctionAddress") : nullptr;
  return function ? reinterpret_cast<void* (*)(const char*)>(function)(name) : nullptr;
}
}
