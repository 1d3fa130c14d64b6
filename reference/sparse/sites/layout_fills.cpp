// Coordinates in the order of their index: a scanned surface, and layouts of known density.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "reference/sparse/sites/site_fills.h"

namespace plumb::reference {
namespace {

using Site = std::array<std::int64_t, 4>;

// conformance/geometry: breadth first, the mask of the children of every cell from the cube of 256 on.
constexpr std::uint8_t kScan[] = {
#include "scan.inc"
};
constexpr int kDepth = 8;

template <class Make>
Wide ordered(const Spec& spec, Make&& make) {
  if (spec.shape.size() != 2 || spec.shape[1] != 4)
    throw Error("case", Reason::query, "a fill of coordinates needs the shape (N,4)");
  Integers a(spec.shape);
  for (std::int64_t i = 0; i < spec.shape[0]; ++i) {
    const Site site = make(i);
    for (std::size_t c = 0; c < 4; ++c) a[4 * i + static_cast<std::int64_t>(c)] = site[c];
  }
  return a;
}

// Cells of 2^level mm about the origin, in Morton order.
std::vector<Site> scanned(int level) {
  std::vector<Site> cells{Site{}};
  const std::uint8_t* mask = kScan;
  for (int depth = 0; depth < kDepth - level; ++depth) {
    std::vector<Site> children;
    for (const Site& cell : cells) {
      for (std::int64_t c = 0; c < 8; ++c)
        if (*mask >> c & 1)
          children.push_back({0, 2 * cell[1] + (c & 1), 2 * cell[2] + (c >> 1 & 1), 2 * cell[3] + (c >> 2)});
      ++mask;
    }
    cells = std::move(children);
  }
  for (Site& cell : cells)
    for (std::size_t a = 1; a < 4; ++a) cell[a] -= (1 << kDepth >> level) / 2;
  return cells;
}

Wide scan(const Spec& spec, std::uint64_t, double p) {
  const std::vector<Site> cells = scanned(static_cast<int>(p));
  const std::int64_t n = std::ssize(cells);
  return ordered(spec, [&](std::int64_t i) {
    Site site = cells[static_cast<std::size_t>(i % n)];
    site[0] = i / n;
    return site;
  });
}

Wide layout_isolated(const Spec& spec, std::uint64_t, double p) {
  const auto step = static_cast<std::int64_t>(p);
  return ordered(spec, [&](std::int64_t i) { return Site{0, step * i, 0, 0}; });
}

Wide layout_line(const Spec& spec, std::uint64_t, double) {
  return ordered(spec, [](std::int64_t i) { return Site{0, i, 0, 0}; });
}

Wide layout_plane(const Spec& spec, std::uint64_t, double) {
  std::int64_t side = 1;
  while (!spec.shape.empty() && side * side < spec.shape[0]) ++side;
  return ordered(spec, [side](std::int64_t i) { return Site{0, i % side, i / side, 0}; });
}

Wide layout_grid(const Spec& spec, std::uint64_t, double p) {
  const auto side = static_cast<std::int64_t>(p);
  return ordered(spec, [side](std::int64_t i) { return Site{0, i % side, i / side % side, i / (side * side)}; });
}

// A site has ((3 s - 2) / s)^3 neighbours on average, itself included.
Wide layout_block(const Spec& spec, std::uint64_t, double p) {
  const auto side = static_cast<std::int64_t>(p);
  return ordered(spec, [side](std::int64_t i) {
    const std::int64_t cube = side * side * side, in = i % cube;
    return Site{0, i / cube * (side + 3) + in % side, in / side % side, in / (side * side)};
  });
}

}  // namespace

std::vector<Fill> layout_fills() {
  constexpr double kRows = 0x1p31;  // the end of counts
  constexpr Fill::Range kNone{0, 0};
  return {
      // clang-format off
      {"sites_scan",       "rows: a scanned surface at 2^p mm in Morton order, again in each batch",
       0, {0, 8}, scan},
      {"layout_isolated",  "rows: every p-th along x, in order", 3, {1, kRows}, layout_isolated},
      {"layout_line",      "rows: along x, in order", 0, kNone, layout_line},
      {"layout_plane",     "rows: a square, in order", 0, kNone, layout_plane},
      {"layout_grid",      "rows: a bar of p by p, in order", 97, {1, 0x1p20}, layout_grid},
      {"layout_block",     "rows: full cubes of side p apart along x, in order", 3, {1, 0x1p16}, layout_block},
      // clang-format on
  };
}

}  // namespace plumb::reference
