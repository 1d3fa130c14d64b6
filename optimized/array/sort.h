// Sorting lines of a tensor on the processor: what the routes of several families share.
#pragma once

#include <cstdint>
#include <functional>

#include "core/op.h"
#include "core/room.h"
#include "core/tensor.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"

namespace plumb {

// Unsigned integers in the order of the values, equal exactly for equal values; stride in elements. Keys of at most
// four bytes go to `narrow`, others to `wide`.
PLUMB_DECLARE_SIMD(void order_keys(Element, const unsigned char* x, std::int64_t stride, std::int64_t n,
                                   std::uint32_t* narrow, std::uint64_t* wide))

namespace cpu {

// Where line l of an input begins, and where its result goes. One axis is sorted; all others enumerate lines in
// row-major order.
struct SortLines {
  Tensor x;
  std::int64_t n = 0, stride = 0, lines = 0, inner = 1;
  Shape shape;
  Strides strides;

  explicit SortLines(const Call&);  // of its first input, along its attribute `axis`
  SortLines(const Tensor&, std::int64_t axis);
  std::int64_t base(std::int64_t line) const;  // of the line's first element, in elements
  // The same in a dense result with `kept` elements in a line.
  std::int64_t out(std::int64_t line, std::int64_t kept) const { return line / inner * kept * inner + line % inner; }
  std::int64_t out(std::int64_t line) const { return out(line, n); }
};

inline const unsigned char* element_at(const SortLines& g, std::int64_t line, std::int64_t i) {
  return g.x.read<unsigned char>() + (g.base(line) + i * g.stride) * info(g.x.dtype()).bytes;
}

// Keys of the elements [begin, end) of a line.
inline void encode(const SortLines& g, std::int64_t line, std::int64_t begin, std::int64_t end, std::uint32_t* keys) {
  const Element type = element_of(g.x.dtype());
  PLUMB_DISPATCH(order_keys)(type, element_at(g, line, begin), g.stride, end - begin, keys, nullptr);
}
inline void encode(const SortLines& g, std::int64_t line, std::int64_t begin, std::int64_t end, std::uint64_t* keys) {
  const Element type = element_of(g.x.dtype());
  PLUMB_DISPATCH(order_keys)(type, element_at(g, line, begin), g.stride, end - begin, nullptr, keys);
}

inline bool wide_keys(Dtype t) { return info(t).bytes == 8; }

// The stable order of every line, as argsort gives it.
void argsort_lines(const SortLines&, std::uint32_t* out);
void argsort_by_networks(const SortLines&, std::uint32_t* out);  // of lines up to kNetworkRows

std::int64_t line_length(const Call&);  // of its first input, along its attribute `axis`

// Comparators (pairs[2c], pairs[2c+1]) of a network that sorts n elements.
Room<std::uint16_t> comparators(std::int64_t n);

// Lines that sorting networks are for: a line in each lane of a vector.
inline constexpr std::int64_t kNetworkRows = 256;  // the longest of them
inline constexpr std::int64_t kNetworkLines = 4;   // fewer leave most lanes idle

// out = the positions 0 .. n-1 in the order of n keys, stable; n < 2^32. make(begin, end, keys) writes keys[begin] to
// keys[end - 1], on any thread.
void radix_argsort(std::int64_t n, const std::function<void(std::int64_t, std::int64_t, std::uint64_t*)>& make,
                   std::uint32_t* out);
void radix_argsort(std::int64_t n, const std::function<void(std::int64_t, std::int64_t, std::uint32_t*)>& make,
                   std::uint32_t* out);

}  // namespace cpu
}  // namespace plumb
