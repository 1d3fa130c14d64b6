#include "cli/families.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "core/alias.h"
#include "core/family.h"
#include "core/formula.h"
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

struct Family {
  std::string_view wing, name;
  std::vector<Op> (*ops)();
  std::vector<Route> (*cpu_routes)();
  std::vector<Route> (*gpu_routes)();  // null in a build without them
};

#ifdef PLUMB_GPU
#define PLUMB_FAMILY(wing, family) {#wing, #family, family##_ops, family##_cpu_routes, family##_gpu_routes},
#else
#define PLUMB_FAMILY(wing, family) {#wing, #family, family##_ops, family##_cpu_routes, nullptr},
#endif
constexpr Family kFamilies[] = {
#include "cli/families.def"
};
#undef PLUMB_FAMILY

constexpr Alias kAliases[] = {
#define PLUMB_ALIAS(name, rows) {name, rows},
#include "cli/aliases.def"
#undef PLUMB_ALIAS
};

constexpr std::size_t kRows = 256;  // about as many operations as there are: nothing is moved as the tables grow

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// What the sides give beside rows and routes.
void install_sides() {
  install_aliases(kAliases);
#ifdef PLUMB_GPU
  install_platform(gpu::platform());
  install_loads(ceiling_loads(), gpu::ceiling_loads());
#else
  install_loads(ceiling_loads(), {});
#endif
}

void install_all(std::span<const Family> families) {
  std::vector<Op> ops;
  std::vector<Route> routes;
  ops.reserve(families.size() > 1 ? kRows : 0), routes.reserve(families.size() > 1 ? 6 * kRows : 0);
  for (const Family& f : families)
    if (f.gpu_routes) append(routes, f.gpu_routes());
  for (const Family& f : families) {
    std::vector<Op> rows = f.ops();
    name_family(f.wing, f.name, rows);
    append(ops, std::move(rows));
    append(routes, f.cpu_routes());  // accelerator routes are tried before CPU routes
  }
  [[maybe_unused]] static const bool once = (install_sides(), true);
  install(std::move(ops), std::move(routes));
}

}  // namespace

void install_families() { [[maybe_unused]] static const bool done = (install_all(kFamilies), true); }

void install_family_of(std::string_view op) {
  install_aliases(kAliases);
  const std::vector<std::string> meant = meant_by(op);
  for (const Family& f : kFamilies) {
    const std::vector<Op> rows = f.ops();
    const auto asked =
        std::find_if(rows.begin(), rows.end(), [&](const Op& row) { return row.name == op || row.name == meant[0]; });
    if (asked == rows.end()) continue;
    if (has_formula(asked->name)) return install_all(kFamilies);  // its steps are rows of other families
    return install_all({&f, 1});
  }
  install_families();
}

}  // namespace plumb
