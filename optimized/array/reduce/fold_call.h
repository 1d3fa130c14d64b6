// What a kernel of a fold is asked for: see lines.h.
#pragma once

#include <cstdint>

namespace plumb {

struct FoldCall {
  enum Way : std::uint8_t {
    runs,        // out[k * period + j]: run k over i = j mod period; `count` runs of n lie one after the other
    short_runs,  // out[k]: run k, of few scalars
    rows,        // out[j], j < n: over `count` rows r of x[r * stride + j]
  } way = runs;
  std::int64_t count = 0, n = 0, stride = 0, period = 1;
  void* out = nullptr;
};

}  // namespace plumb
