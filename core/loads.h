// Work that saturates one unit of the machine, to be timed: what ceilings are measured with. Each side gives its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/dtype.h"

namespace plumb {

struct HostLoads {
  double (*fma_f32)(std::int64_t loops) = nullptr;  // in registers, on the calling thread; returns the flops done
  double (*fma_f64)(std::int64_t loops) = nullptr;
  void (*copy)(std::byte* to, const std::byte* from, std::int64_t bytes) = nullptr;  // non-temporal; multiples of 64
  void (*read)(const std::byte* from, std::int64_t bytes) = nullptr;
};

struct Load {
  double work = 0;            // of one run; 0: there is no such unit
  std::function<void()> run;  // until the device is done
};

// Of the current device; null without device routes.
struct DeviceLoads {
  Load (*flops)(bool matrix, Dtype) = nullptr;  // in flops: fma in f32 or f64, or the matrix units
  Load (*copy)(std::int64_t bytes) = nullptr;   // in bytes, reads and writes counted
};

void install_loads(const HostLoads&, const DeviceLoads&);  // by whoever links the sides
const HostLoads& host_loads();
const DeviceLoads& device_loads();

}  // namespace plumb
