#include "bench/openblas.h"

#include <dlfcn.h>

#include "core/child.h"

namespace plumb {
namespace {

constexpr const char* kLibrary = "libopenblas.so.0";
constexpr double kLoadSeconds = 10;

std::string why_not() {
  const char* words = ::dlerror();
  return words ? words : "no reason is given";
}

void* load() { return ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL); }

// Why it does not load where nothing is lost by trying, or "".
std::string tried() {
  const ChildEnd end = run_children({{[](const Tell& tell) {
                                      if (!load()) tell(why_not());
                                    }}},
                                    kLoadSeconds)
                           .front();
  if (!end.told.empty()) return end.told.front();
  return end.trouble.empty() ? "" : std::string(kLibrary) + " " + end.trouble + " when it was loaded";
}

template <class F>
void find(void* library, const char* name, F& function, std::string& missing) {
  function = reinterpret_cast<F>(::dlsym(library, name));
  if (!function && missing.empty()) missing = std::string(kLibrary) + " has no function " + name;
}

OpenBlas open() {
  OpenBlas blas;
  blas.missing = tried();
  if (!blas.missing.empty()) return blas;
  void* library = load();
  if (!library) {
    blas.missing = why_not();
    return blas;
  }
  find(library, "cblas_sgemm", blas.sgemm, blas.missing);
  find(library, "cblas_dgemm", blas.dgemm, blas.missing);
  find(library, "spotrf_", blas.spotrf, blas.missing);
  find(library, "openblas_set_num_threads", blas.set_threads, blas.missing);
  return blas;
}

}  // namespace

const OpenBlas& openblas() {
  static const OpenBlas* blas = new OpenBlas(open());  // never closed: its threads live as long as the process
  return *blas;
}

}  // namespace plumb
