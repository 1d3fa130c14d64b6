// The radix sort of optimized/array/sort.cpp, for routes that sort keys of their own.
#pragma once

#include <cstdint>
#include <functional>

namespace plumb::cpu {

// out = the positions 0 .. n-1 in the order of n keys, stable; n < 2^32. make(begin, end, keys) writes keys[begin] to
// keys[end - 1], on any thread.
void radix_argsort(std::int64_t n, const std::function<void(std::int64_t, std::int64_t, std::uint64_t*)>& make,
                   std::uint32_t* out);

}  // namespace plumb::cpu
