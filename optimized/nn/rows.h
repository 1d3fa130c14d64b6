// Lines along the last axis of an operand, read in place whatever its strides: what the routes of this wing share.
#pragma once

#include "core/tensor.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"

namespace plumb {

// n elements, `step` apart, as doubles or floats, exactly; from f32, f16 and bf16, doubles also from f64.
PLUMB_DECLARE_SIMD(void line_to_doubles(Element, const void* x, std::int64_t step, std::int64_t n, double* to))
PLUMB_DECLARE_SIMD(void line_to_floats(Element, const void* x, std::int64_t step, std::int64_t n, float* to))
// n consecutive elements, each rounded once.
PLUMB_DECLARE_SIMD(void line_of_doubles(Element, const double* from, std::int64_t n, void* y))
PLUMB_DECLARE_SIMD(void line_of_floats(Element, const float* from, std::int64_t n, void* y))

namespace nn {

// The operand as it is if its elements are values of the type, else its elements rounded to that.
Tensor operand(const Tensor&, Dtype as);

class Lines {
 public:
  explicit Lines(const Tensor&);  // of rank 1 at least

  std::int64_t count = 1, n = 0;
  Element type;
  std::int64_t bytes, step;  // of an element; from one of a line to the next

  const std::byte* line(std::int64_t l) const;  // in row-major order of the other axes

 private:
  Tensor of_;
  const std::byte* first_;
};

inline void read(Element t, const void* x, std::int64_t step, std::int64_t n, float* to) {
  PLUMB_DISPATCH(line_to_floats)(t, x, step, n, to);
}
inline void read(Element t, const void* x, std::int64_t step, std::int64_t n, double* to) {
  PLUMB_DISPATCH(line_to_doubles)(t, x, step, n, to);
}
inline void write(Element t, const float* from, std::int64_t n, void* y) {
  PLUMB_DISPATCH(line_of_floats)(t, from, n, y);
}
inline void write(Element t, const double* from, std::int64_t n, void* y) {
  PLUMB_DISPATCH(line_of_doubles)(t, from, n, y);
}

// All elements of a vector, or n times the same if there is none.
std::vector<double> vector_or(const Tensor*, Dtype as, std::int64_t n, double otherwise);

}  // namespace nn
}  // namespace plumb
