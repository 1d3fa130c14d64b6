// Elements of f32, f16 and bf16 as floats, and floats as such elements, rounded once.
#pragma once

#include <span>
#include <string_view>

#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void to_floats(Element, const void* x, std::int64_t n, float* out);
                   void from_floats(const float* x, std::int64_t n, Element, void* out);
                   // Each to the nearest of the dtype; in place if out is x.
                   void round_floats(const float* x, std::int64_t n, Element, float* out))

namespace cpu {

// The elements of a tensor in row-major order as floats: in place if they are that already. `rounded`: each to the
// nearest of that dtype.
class Floats {
 public:
  explicit Floats(const Tensor&, Dtype rounded = Dtype::f32);
  Floats(const Call&, std::string_view input);  // none, if an optional input is not given
  const float* data() const { return data_; }
  std::span<const float> values() const { return {data_, static_cast<std::size_t>(data_ ? dense_.size() : 0)}; }

 private:
  Tensor dense_;
  RawRoom<float> copy_;
  const float* data_ = nullptr;
};

}  // namespace cpu
}  // namespace plumb
