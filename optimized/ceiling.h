// Loops that do nothing but saturate one unit of the processor: the ceilings that benchmarks are related to.
#pragma once

#include <cstddef>
#include <cstdint>

namespace plumb {

double fma_loop_f32(std::int64_t loops);  // runs in registers on the calling thread; returns the flops done
double fma_loop_f64(std::int64_t loops);
void stream_copy(std::byte* to, const std::byte* from, std::int64_t bytes);  // non-temporal stores; multiples of 64
void read_all(const std::byte* from, std::int64_t bytes);

}  // namespace plumb
