#include "optimized/ceiling.h"

#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(double fma_f32(std::int64_t))
PLUMB_DECLARE_SIMD(double fma_f64(std::int64_t))
PLUMB_DECLARE_SIMD(void copy_streaming(std::byte*, const std::byte*, std::int64_t))
PLUMB_DECLARE_SIMD(void read_bytes(const std::byte*, std::int64_t))

namespace {

double f32_loop(std::int64_t loops) { return PLUMB_DISPATCH(fma_f32)(loops); }
double f64_loop(std::int64_t loops) { return PLUMB_DISPATCH(fma_f64)(loops); }
void copy(std::byte* to, const std::byte* from, std::int64_t n) { PLUMB_DISPATCH(copy_streaming)(to, from, n); }
void read(const std::byte* from, std::int64_t n) { PLUMB_DISPATCH(read_bytes)(from, n); }

}  // namespace

HostLoads ceiling_loads() { return {f32_loop, f64_loop, copy, read}; }

}  // namespace plumb
