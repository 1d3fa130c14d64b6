// The radix sort of gpu/array/sort.cpp, for routes that sort keys of their own.
#pragma once

#include <functional>
#include <string>

#include "gpu/runtime.h"

namespace plumb::gpu {

// How sort.cl is built and cut: its options, the elements of a tile, and up to how many tiles one work-item makes the
// sums alone.
struct SortTiles {
  Options options;
  std::int64_t tiles;
  bool few;
  explicit SortTiles(std::int64_t n);  // for lines of n
};

// Lines of a call's first input along its attribute `axis`, dense and `inner` apart; axis none is one line.
struct SortLines {
  std::int64_t n, inner, lines;
  explicit SortLines(const Call&);
  SortLines(std::int64_t length, std::int64_t apart, std::int64_t number) : n(length), inner(apart), lines(number) {}
  std::int64_t total() const { return n * lines; }
};

inline constexpr std::int64_t kMostPoints = 512;  // the longest line of a network

// What enqueues the stable order of each line of x, which takes the place of its elements: by networks in local memory
// for lines up to kMostPoints, in work-groups of up to 256, and by radix sort.
std::function<void()> network_order(const BufferPtr& x, Dtype, const SortLines&, const BufferPtr& order);
std::function<void()> radix_order(const BufferPtr& x, Dtype, const SortLines&, const BufferPtr& order);

// What enqueues out = the last `kept` elements of each line of x in that order.
std::function<void()> take_ordered(const BufferPtr& x, Dtype, const SortLines&, const BufferPtr& order,
                                   std::int64_t kept, const BufferPtr& out);

// What enqueues out = x.
std::function<void()> take_all(const BufferPtr& x, Dtype, const SortLines&, const BufferPtr& out);

inline constexpr Condition kSortGroups{Stage::device, "work-groups are smaller than 256",
                                       [](const Call&, const Device& d) { return d.facts.max_work_group >= 256; }};
inline constexpr Condition kSortPoints{Stage::shape_dtype, "a line is longer than 512",
                                       [](const Call& c, const Device&) { return SortLines(c).n <= kMostPoints; }};
inline constexpr Condition kWorthSort{Stage::shape_dtype, "under 32768 elements: a launch costs more",
                                      [](const Call& c, const Device&) { return c[0].size() >= 1 << 15; }};

// What enqueues the stable order of n signed 64-bit keys, as int32 positions; n < 2^31. Work-groups of 256.
std::function<void()> radix_argsort(const BufferPtr& keys, std::int64_t n, const BufferPtr& order);

}  // namespace plumb::gpu
