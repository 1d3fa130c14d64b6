// A kernel of one's own on the device: the body in OpenCL C 1.2, and a call that brings tensors to it. The contract is
// that of MLX's fast.metal_kernel, in the language of this device.
//
// The signature is generated. An input x is `global const T* x`, of fewer than 8 elements `constant const T* x`, of no
// axis the value `const T x`; an output y is `global T* y`. T is uchar for bool, ushort for bf16, whose words these
// are, half for f16 (of which a kernel needs vload_half where the device has no arithmetic of halves), float2 for c64.
// Where the body or the header names them, there are also
//   x_shape, x_strides, x_ndim        of input x: constant const int*, constant const long*, int
//   thread_position_in_grid, thread_position_in_threadgroup, threadgroup_position_in_grid, threads_per_grid,
//   threads_per_threadgroup, dispatch_threads_per_threadgroup, threadgroups_per_grid       uint3
//   thread_index_in_threadgroup                                                            uint
// The grid counts threads. Its last groups on an axis are smaller where it is no multiple of the group, so that a
// barrier is reached by every thread of its group; threads_per_threadgroup is the size of the group at hand,
// dispatch_threads_per_threadgroup the one that was asked for. PLUMB_FP64, PLUMB_FP16 and PLUMB_INT64_ATOMICS are
// defined where the device was found to have them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/tensor.h"

namespace plumb {

class CustomKernel {
 public:
  // Names are identifiers of C, each once.
  struct Source {
    std::string name;
    std::vector<std::string> inputs, outputs;
    std::string body, header = {};
    bool ensure_row_contiguous = true;  // else inputs are read where they lie, by their strides
    bool atomic_outputs = false;        // volatile, of dtypes that atomic functions take
    enum class Math : std::uint8_t { safe, relaxed, fast } math = Math::safe;  // what the compiler may do to arithmetic
  };

  using Constant = std::variant<bool, std::int64_t, Dtype>;
  using Size = std::array<std::int64_t, 3>;

  struct Launch {
    std::vector<Spec> outputs;
    Size grid{1, 1, 1}, group{1, 1, 1};                            // in threads; a group is cut to the grid
    std::vector<std::pair<std::string, Constant>> constants = {};  // defined by name: true, 7, or float for Dtype::f32
    std::optional<double> init_value =
        {};  // of every output, rounded once; else what a kernel does not write is unspecified
  };

  explicit CustomKernel(Source);  // throws Error(attribute) for names that are none, and if there is no output

  // Runs, and waits for the end. Errors name the kernel. arity: lists of other lengths than the names; attribute: sizes
  // and constants that make no sense, a group beyond the device's largest; dtype: atomic outputs that cannot be;
  // unsupported: f64 or values of f16 that this device lacks; device: no device, or a source that does not build, with
  // its line and the compiler's log.
  std::vector<Tensor> operator()(const std::vector<Tensor>& inputs, const Launch&) const;

  std::string text(const std::vector<Tensor>& inputs, const Launch&) const;  // all that is compiled

 private:
  void check_call(const std::vector<Tensor>& inputs, const Launch&) const;
  bool names(const std::string& word) const;  // whether body or header hold it

  Source source_;
};

}  // namespace plumb
