// Routes of scalar operations: a list of kernels by name, and how they are run over any dtypes and strides.
#pragma once

#include <vector>

#include "core/route.h"
#include "optimized/array/scalar/kernels.h"

namespace plumb {

// One route, cpu.each, for each operation of a list. What `kernels` gives is asked for again when a call is prepared.
using KernelList = const ScalarKernel* (*)();
template <KernelList kernels>
std::vector<Route> scalar_routes();

// That of a function of so many ulps in f32 and in f64.
Order scalar_order(const Call&, double ulps32, double ulps64);

// What the template needs.
Route scalar_route(const ScalarKernel&);
void run_scalar(const Call&, const ScalarKernel* list, std::string_view name, const Tensor& out);

template <KernelList kernels>
void run_listed(const Call& c, std::vector<Tensor>& out) {
  run_scalar(c, kernels(), c.op->name, out[0]);
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
