// Squared distances of many points to one.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

void squared_distances(const std::int32_t* x, const std::int32_t* y, const std::int32_t* z, std::int64_t n,
                       const std::int32_t* q, float* d) {
  const auto from = [](const std::int32_t* p, std::int32_t center) {
    i32v v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_convertvector(center - v, f32v);
  };
  for (std::int64_t i = 0; i < n; i += kF32) {
    const f32v dx = from(x + i, q[0]), dy = from(y + i, q[1]), dz = from(z + i, q[2]);
    const f32v xy = dx * dx + dy * dy;
    store(d + i, xy + dz * dz);
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
