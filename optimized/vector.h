// The vector of a scalar type, for kernels that are templates on it.
#pragma once

#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

template <class T>
struct Vector;
template <>
struct Vector<float> {
  typedef f32v type;
  static constexpr int lanes = kF32;
};
template <>
struct Vector<double> {
  typedef f64v type;
  static constexpr int lanes = kF64;
};

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
