#include "cli/families.h"

#include <iterator>
#include <mutex>

#include "core/family.h"
#include "core/loads.h"
#include "core/route.h"
#include "optimized/ceiling.h"
#ifdef PLUMB_GPU
#include "gpu/ceiling.h"
#include "gpu/runtime.h"
#endif

namespace plumb {

// One function per family and side, defined at the bottom of <side>/<wing>/<family>.cpp.
#define PLUMB_FAMILY(wing, family)          \
  std::vector<Op> family##_ops();           \
  std::vector<Route> family##_cpu_routes(); \
  std::vector<Route> family##_gpu_routes();
#include "cli/families.def"
#undef PLUMB_FAMILY

namespace {
constexpr std::size_t kRows = 256;  // about as many operations as there are: nothing is moved as the tables grow

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void declare(std::string_view family, std::vector<Op> rows, std::vector<Op>& to) {
  name_family(family, rows);
  append(to, std::move(rows));
}
}  // namespace

void install_families() {
  static std::once_flag once;
  std::call_once(once, [] {
    std::vector<Op> ops;
    std::vector<Route> gpu, cpu;
    ops.reserve(kRows), gpu.reserve(3 * kRows), cpu.reserve(3 * kRows);
#ifdef PLUMB_GPU
#define PLUMB_FAMILY(wing, family) append(gpu, family##_gpu_routes());
#include "cli/families.def"
#undef PLUMB_FAMILY
    install_platform(gpu::platform());
    install_loads(ceiling_loads(), gpu::ceiling_loads());
#else
    install_loads(ceiling_loads(), {});
#endif
#define PLUMB_FAMILY(wing, family)       \
  declare(#family, family##_ops(), ops); \
  append(cpu, family##_cpu_routes());
#include "cli/families.def"
#undef PLUMB_FAMILY
    append(gpu, std::move(cpu));  // accelerator routes are tried before CPU routes
    install(std::move(ops), std::move(gpu));
  });
}

}  // namespace plumb
