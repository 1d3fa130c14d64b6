// OpenCL routes of scalar operations: how calls reach the kernels of kernels/array/scalar/, by the operation's name.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu {

// What a kernel states of its function, in ulps: the figures that OpenCL asks of every device for f32 and f64, or what
// follows from them. Half an ulp: rounded once.
struct ScalarFunction {
  enum Kind : std::uint8_t { any, divides, words };  // divides: a quotient or a root must be rounded once
  std::string_view name;
  double ulps32 = 0.5, ulps64 = 0.5;
  Kind kind = any;  // words: whole numbers and bool alone
};

// One route, gpu.each, for each line; `prepare` of a family calls prepare_scalar with its kernels.
std::vector<Route> scalar_routes(std::span<const ScalarFunction>, Order (*order)(const Call&),
                                 Job (*prepare)(const Call&, const std::vector<Spec>&));
Job prepare_scalar(std::string_view kernels, const Call&, const std::vector<Spec>&);
// What enqueues kernel each_<name> over the operands of a call and an output.
std::function<void()> scalar_launch(std::string_view kernels, std::string_view name, const Call&, const Tensor& to);
Order scalar_order(std::span<const ScalarFunction>, const Call&);

}  // namespace plumb::gpu
