#include "optimized/ceiling.h"

#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(double fma_f32(std::int64_t))
PLUMB_DECLARE_SIMD(double fma_f64(std::int64_t))
PLUMB_DECLARE_SIMD(void copy_streaming(std::byte*, const std::byte*, std::int64_t))
PLUMB_DECLARE_SIMD(void read_bytes(const std::byte*, std::int64_t))

double fma_loop_f32(std::int64_t loops) { return PLUMB_DISPATCH(fma_f32)(loops); }
double fma_loop_f64(std::int64_t loops) { return PLUMB_DISPATCH(fma_f64)(loops); }
void stream_copy(std::byte* to, const std::byte* from, std::int64_t n) { PLUMB_DISPATCH(copy_streaming)(to, from, n); }
void read_all(const std::byte* from, std::int64_t n) { PLUMB_DISPATCH(read_bytes)(from, n); }

}  // namespace plumb
