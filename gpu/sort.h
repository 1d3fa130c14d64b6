// The radix sort of gpu/sort.cpp, for routes that sort keys of their own.
#pragma once

#include <functional>

#include "gpu/runtime.h"

namespace plumb::gpu {

// What enqueues the stable order of n signed 64-bit keys, as int32 positions; n < 2^31. Work-groups of 256.
std::function<void()> radix_argsort(const BufferPtr& keys, std::int64_t n, const BufferPtr& order);

}  // namespace plumb::gpu
