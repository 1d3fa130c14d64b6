// Sites packed into one integer that keeps their order, where that fits in 63 bits: sorted, and grouped by equality.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "core/pool.h"
#include "core/room.h"
#include "optimized/array/sort.h"
#include "optimized/sparse/sites/relation.h"

namespace plumb::cpu {

using Int128 = __int128;

// Inclusive ranges per axis, exact for any int64 coordinates.
struct SiteRange {
  std::array<Int128, 4> low, high;
  SiteRange() {
    low.fill(Int128{1} << 120);
    high.fill(-(Int128{1} << 120));
  }
  void include(const SiteRange& r) {
    for (std::size_t a = 0; a < 4; ++a) low[a] = std::min(low[a], r.low[a]), high[a] = std::max(high[a], r.high[a]);
  }
};

inline SiteRange range(const Rows& rows) {
  std::array<std::int64_t, 4> low, high;
  low.fill(std::numeric_limits<std::int64_t>::max());
  high.fill(std::numeric_limits<std::int64_t>::min());
  for (std::int64_t i = 0; i < rows.count; ++i)
    for (int a = 0; a < 4; ++a) {
      const std::int64_t c = rows.at(i, a);
      const auto at = static_cast<std::size_t>(a);
      low[at] = std::min(low[at], c), high[at] = std::max(high[at], c);
    }
  SiteRange r;
  for (std::size_t a = 0; a < 4 && rows.count > 0; ++a) r.low[a] = low[a], r.high[a] = high[a];
  return r;
}

// Packs sites of a range into one integer whose order is the order of sites.
struct Frame {
  std::array<std::int64_t, 4> low{};
  std::array<int, 4> shift{};
  int bits = 0;
  bool fits = true;

  explicit Frame(const SiteRange& r) {
    for (std::size_t a = 4; a-- > 0;) {
      if (r.low[a] > r.high[a]) continue;  // no rows
      fits = fits && r.low[a] >= std::numeric_limits<std::int64_t>::min() &&
             r.high[a] <= std::numeric_limits<std::int64_t>::max() && r.high[a] - r.low[a] < (Int128{1} << 62);
      if (!fits) return;
      low[a] = static_cast<std::int64_t>(r.low[a]);
      shift[a] = bits;
      bits += std::bit_width(static_cast<std::uint64_t>(r.high[a] - r.low[a]));
      fits = bits <= 63;
    }
  }
  std::uint64_t field(std::size_t a, std::int64_t c) const {
    return (static_cast<std::uint64_t>(c) - static_cast<std::uint64_t>(low[a])) << shift[a];
  }
  std::uint64_t key(const Coordinates& s) const {
    return field(0, s[0]) | field(1, s[1]) | field(2, s[2]) | field(3, s[3]);
  }
  std::uint64_t step(std::size_t a, std::int64_t by) const { return static_cast<std::uint64_t>(by) << shift[a]; }
};

// Packed sites in ascending order, equal ones by row.
struct Sorted {
  Room<std::uint64_t> keys;
  Room<std::int32_t> rows;
};

// make(i): the key of element i.
template <class Make>
Sorted sorted(std::int64_t n, Make&& make) {
  Room<std::uint64_t> keys(static_cast<std::size_t>(n));
  parallel_for(n, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) keys[static_cast<std::size_t>(i)] = make(i);
  });
  Room<std::int32_t> rows(keys.size());
  if (std::is_sorted(keys.begin(), keys.end())) {
    std::iota(rows.begin(), rows.end(), 0);
    return {std::move(keys), std::move(rows)};
  }
  const auto hand_over = [&](std::int64_t begin, std::int64_t end, std::uint64_t* to) {
    std::copy(keys.begin() + begin, keys.begin() + end, to + begin);
  };
  radix_argsort(n, hand_over, reinterpret_cast<std::uint32_t*>(rows.data()));
  Room<std::uint64_t> ascending(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) ascending[i] = keys[static_cast<std::size_t>(rows[i])];
  return {std::move(ascending), std::move(rows)};
}

// Groups of equal sites: order lists the rows by group, and by row within a group.
struct Groups {
  Room<std::int32_t> order;
  std::vector<std::int64_t> starts;  // of each group in order, then the end
};

// What is grouped: element i stands for make(i), an element of a range.
template <class Make>
Groups group(std::int64_t n, const SiteRange& range, Make&& make) {
  const Frame frame(range);
  Sorted packed;
  std::vector<Coordinates> sites(static_cast<std::size_t>(frame.fits ? 0 : n));
  Groups g;
  if (frame.fits) {
    packed = sorted(n, [&](std::int64_t i) { return frame.key(make(i)); });
    g.order = std::move(packed.rows);
  } else {
    for (std::size_t i = 0; i < sites.size(); ++i) sites[i] = make(static_cast<std::int64_t>(i));
    g.order.resize(sites.size());
    std::iota(g.order.begin(), g.order.end(), 0);
    std::stable_sort(g.order.begin(), g.order.end(), [&](std::int32_t a, std::int32_t b) {
      return sites[static_cast<std::size_t>(a)] < sites[static_cast<std::size_t>(b)];
    });
  }
  const auto differ = [&](std::size_t i) {
    return frame.fits ? packed.keys[i] != packed.keys[i - 1]
                      : sites[static_cast<std::size_t>(g.order[i])] != sites[static_cast<std::size_t>(g.order[i - 1])];
  };
  for (std::size_t i = 0; i < g.order.size(); ++i)
    if (i == 0 || differ(i)) g.starts.push_back(static_cast<std::int64_t>(i));
  g.starts.push_back(n);
  return g;
}

}  // namespace plumb::cpu
