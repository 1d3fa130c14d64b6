// Keys that values come back from, for routes that move values alone.
#pragma once

#include <vector>

#include "core/route.h"
#include "optimized/array/sort.h"

namespace plumb {

// Unsigned integers in the order of the values, and of zeros the negative first; every NaN is the greatest. Of all
// dtypes but c64; stride in elements; keys of at most four bytes go to `narrow`, others to `wide`. Returns
// kNegativeZero and kPositiveZero, as there are such values.
PLUMB_DECLARE_SIMD(int value_keys(Element, const unsigned char* x, std::int64_t stride, std::int64_t n,
                                  std::uint32_t* narrow, std::uint64_t* wide))
// And back; any NaN becomes one of them.
PLUMB_DECLARE_SIMD(void key_values(Element, const std::uint32_t* narrow, const std::uint64_t* wide, std::int64_t n,
                                   unsigned char* out, std::int64_t stride))

namespace cpu {

inline constexpr int kNegativeZero = 1, kPositiveZero = 2, kBothZeros = 3;

inline int value_keys_of(const SortLines& g, std::int64_t line, std::int64_t begin, std::int64_t end,
                         std::uint32_t* keys) {
  const Element type = element_of(g.x.dtype());
  return PLUMB_DISPATCH(value_keys)(type, element_at(g, line, begin), g.stride, end - begin, keys, nullptr);
}
inline int value_keys_of(const SortLines& g, std::int64_t line, std::int64_t begin, std::int64_t end,
                         std::uint64_t* keys) {
  const Element type = element_of(g.x.dtype());
  return PLUMB_DISPATCH(value_keys)(type, element_at(g, line, begin), g.stride, end - begin, nullptr, keys);
}

inline void values_of(Element type, const std::uint32_t* keys, std::int64_t n, unsigned char* out,
                      std::int64_t stride) {
  PLUMB_DISPATCH(key_values)(type, keys, nullptr, n, out, stride);
}
inline void values_of(Element type, const std::uint64_t* keys, std::int64_t n, unsigned char* out,
                      std::int64_t stride) {
  PLUMB_DISPATCH(key_values)(type, nullptr, keys, n, out, stride);
}

std::vector<Route> sort_value_routes();

// Short lines by networks: the last `kept` values of each sorted line. Not of c64.
void sort_values_by_networks(const SortLines&, std::int64_t kept, unsigned char* out);

}  // namespace cpu
}  // namespace plumb
