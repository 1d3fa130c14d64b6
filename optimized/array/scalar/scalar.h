// Routes of scalar operations: a list of kernels by name, and how they are run over any dtypes and strides.
#pragma once

#include <span>
#include <vector>

#include "core/cpu.h"
#include "core/route.h"
#include "optimized/array/scalar/kernels.h"

namespace plumb {

// The list of the instruction set in use, as `list()`, which the files *.simd.cpp define once for each.
#if defined(__x86_64__)
#define PLUMB_SCALAR_KERNELS(list)                                                             \
  namespace base {                                                                             \
  extern const ScalarKernel list[];                                                            \
  }                                                                                            \
  namespace avx2 {                                                                             \
  extern const ScalarKernel list[];                                                            \
  }                                                                                            \
  namespace avx512 {                                                                           \
  extern const ScalarKernel list[];                                                            \
  }                                                                                            \
  namespace {                                                                                  \
  const ScalarKernel* kernels() {                                                              \
    return isa() == Isa::avx512 ? avx512::list : isa() == Isa::avx2 ? avx2::list : base::list; \
  }                                                                                            \
  }
#else
#define PLUMB_SCALAR_KERNELS(list)                     \
  namespace base {                                     \
  extern const ScalarKernel list[];                    \
  }                                                    \
  namespace {                                          \
  const ScalarKernel* kernels() { return base::list; } \
  }
#endif

// One route, cpu.each, for each operation of a list. What `kernels` gives is asked for again when a call is prepared.
using KernelList = const ScalarKernel* (*)();
template <KernelList kernels>
std::vector<Route> scalar_routes();

// What the template needs.
Route scalar_route(const ScalarKernel&);
void run_scalar(const Call&, const ScalarKernel* list, std::vector<Tensor>& out);

template <KernelList kernels>
void run_listed(const Call& c, std::vector<Tensor>& out) {
  run_scalar(c, kernels(), out);
}
template <KernelList kernels>
std::vector<Route> scalar_routes() {
  std::vector<Route> routes;
  for (const ScalarKernel* k = kernels(); k->name; ++k) {
    routes.push_back(scalar_route(*k));
    routes.back().prepare = host<run_listed<kernels>>;
  }
  return routes;
}

}  // namespace plumb
