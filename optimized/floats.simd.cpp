// See floats.h.
#include "optimized/element_registers.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

void to_floats(Element t, const void* x, std::int64_t n, float* out) {
  with_small_float(t, [&](auto s) {
    const auto* p = static_cast<const decltype(s)*>(x);
    std::int64_t i = 0;
    for (; i + kF32 <= n; i += kF32) store(out + i, elements<float>(p + i));
    for (; i < n; ++i) out[i] = element<float>(p + i);
  });
}

void from_floats(const float* x, std::int64_t n, Element t, void* out) {
  with_small_float(t, [&](auto s) {
    auto* p = static_cast<decltype(s)*>(out);
    std::int64_t i = 0;
    for (; i + kF32 <= n; i += kF32) store_elements(p + i, load(x + i));
    for (; i < n; ++i) store_element(p + i, x[i]);
  });
}

void round_floats(const float* x, std::int64_t n, Element t, float* out) {
  with_small_float(t, [&](auto s) {
    decltype(s) nearest[kF32];
    std::int64_t i = 0;
    for (; i + kF32 <= n; i += kF32) {
      store_elements(nearest, load(x + i));
      store(out + i, elements<float>(nearest));
    }
    for (; i < n; ++i) {
      store_element(nearest, x[i]);
      out[i] = element<float>(nearest);
    }
  });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
