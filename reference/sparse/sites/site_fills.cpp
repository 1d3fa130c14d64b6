#include "reference/sparse/sites/site_fills.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "core/error.h"

namespace plumb::reference {
namespace {

using Site = std::array<std::int64_t, 4>;

std::int64_t rows(const Spec& spec) {
  if (spec.shape.size() != 2 || spec.shape[1] != 4)
    throw Error("case", Reason::query, "a fill of coordinates needs the shape (N,4)");
  return spec.shape[0];
}

Wide stored(const Spec& spec, const std::vector<Site>& sites) {
  Integers a(spec.shape);
  for (std::size_t i = 0; i < sites.size(); ++i)
    for (std::size_t c = 0; c < 4; ++c) a[static_cast<std::int64_t>(4 * i + c)] = sites[i][c];
  return a;
}

// Fisher & Yates, by the generator's draws.
void shuffle(std::vector<Site>& sites, std::uint64_t key) {
  for (std::size_t i = sites.size(); i > 1; --i) std::swap(sites[i - 1], sites[draw(key, i) % i]);
}

// The least side of a cube (or square) that holds n cells.
std::int64_t side(std::int64_t n, int dimensions) {
  std::int64_t s = 1;
  const auto cells = [&] { return dimensions == 2 ? s * s : s * s * s; };
  while (cells() < n) ++s;
  return s;
}

// Cell i of a cube that lies about the origin.
Site cell(std::int64_t batch, std::int64_t i, std::int64_t s) {
  return {batch, i / (s * s) - s / 2, i / s % s - s / 2, i % s - s / 2};
}

template <class Make>
Wide made(const Spec& spec, std::uint64_t key, Make&& make) {
  std::vector<Site> sites(static_cast<std::size_t>(rows(spec)));
  for (std::size_t i = 0; i < sites.size(); ++i) sites[i] = make(static_cast<std::int64_t>(i));
  shuffle(sites, key ^ 0x7368756666);
  return stored(spec, sites);
}

// x, y, z on alternate bits, for coordinates within +-2^20
std::uint64_t morton(const Site& c) {
  std::uint64_t code = 0;
  for (int bit = 0; bit < 21; ++bit)
    for (std::size_t a = 0; a < 3; ++a)
      code |= (static_cast<std::uint64_t>(c[a + 1] + (1 << 20)) >> bit & 1) << (3 * bit + static_cast<int>(a));
  return code;
}

// The hash by which the tables of both sides place a site, in two steps.
std::uint64_t first_half(std::uint64_t batch, std::uint64_t x) {
  const std::uint64_t h = batch * 0x9E3779B97F4A7C15u + x;
  return (h ^ h >> 29) * 0xBF58476D1CE4E5B9u;
}
std::uint64_t table_hash(const Site& c) {
  std::uint64_t h =
      first_half(static_cast<std::uint64_t>(c[0]), static_cast<std::uint64_t>(c[1])) + static_cast<std::uint64_t>(c[2]);
  h = (h ^ h >> 32) * 0x94D049BB133111EBu + static_cast<std::uint64_t>(c[3]);
  h = (h ^ h >> 29) * 0xD6E8FEB86659FD93u;
  return h ^ h >> 32;
}

// The voxels of a bumpy sphere, a little more than one layer thick.
std::vector<Site> shell(double radius) {
  constexpr double kThickness = 1.27;
  const auto reach = static_cast<std::int64_t>(1.4 * radius + 3);
  std::vector<Site> found;
  for (std::int64_t x = -reach; x <= reach; ++x)
    for (std::int64_t y = -reach; y <= reach; ++y) {
      if (x * x + y * y > reach * reach) continue;
      for (std::int64_t z = -reach; z <= reach; ++z) {
        const auto dx = static_cast<double>(x), dy = static_cast<double>(y), dz = static_cast<double>(z);
        const double r = std::sqrt(dx * dx + dy * dy + dz * dz) + 1e-9, u = dx / r, v = dy / r, w = dz / r;
        const double bump = 0.15 * (u * u * u - v * v * v + w * u) + 0.25 * u * v * w;
        if (std::abs(r - radius * (1 + bump)) < kThickness / 2) found.push_back({0, x, y, z});
      }
    }
  return found;
}

// One site in each run of p cells of a cube.
Wide box(const Spec& spec, std::uint64_t key, double p) {
  const auto run = static_cast<std::int64_t>(p);
  const std::int64_t s = side(rows(spec) * run, 3);
  return made(spec, key, [&](std::int64_t i) {
    return cell(
        0,
        i * run + static_cast<std::int64_t>(draw(key, static_cast<std::uint64_t>(i)) % static_cast<std::uint64_t>(run)),
        s);
  });
}

// p batches of the same sites; batch 1 of three or more is empty.
Wide batches(const Spec& spec, std::uint64_t key, double p) {
  const auto n = static_cast<std::int64_t>(p);
  const std::int64_t s = side(4 * (rows(spec) / n + 1), 3);
  return made(spec, key, [&](std::int64_t i) {
    const std::int64_t batch = i % n;
    return cell(n > 2 && batch > 0 ? batch + 1 : batch, 4 * (i / n), s);
  });
}

Wide line(const Spec& spec, std::uint64_t key, double p) {
  return made(spec, key, [&](std::int64_t i) { return Site{0, i - static_cast<std::int64_t>(p), 0, 0}; });
}

Wide plane(const Spec& spec, std::uint64_t key, double) {
  const std::int64_t s = side(rows(spec), 2);
  return made(spec, key, [&](std::int64_t i) { return Site{0, i / s - s / 2, 1, i % s - s / 2}; });
}

Wide block(const Spec& spec, std::uint64_t key, double) {
  const std::int64_t s = side(rows(spec), 3);
  return made(spec, key, [&](std::int64_t i) { return cell(0, i, s); });
}

// In Morton order, or shuffled if p is not 0. About 12.7 neighbours within 3x3x3 in the middle of it.
Wide surface(const Spec& spec, std::uint64_t key, double p) {
  const auto n = static_cast<std::size_t>(rows(spec));
  double radius = std::sqrt(static_cast<double>(n) / (4 * std::numbers::pi * 1.35));
  std::vector<Site> found = shell(radius);
  while (found.size() < n) found = shell(radius = 1.02 * radius + 0.3);
  std::vector<std::pair<std::uint64_t, Site>> coded;
  for (const Site& c : found) coded.emplace_back(morton(c), c);
  std::sort(coded.begin(), coded.end());
  found.resize(n);
  for (std::size_t i = 0; i < n; ++i) found[i] = coded[i].second;
  if (p != 0) shuffle(found, key);
  return stored(spec, found);
}

// Further apart than any kernel here reaches, at multiples of p: a power of two strains a hash by low bits.
Wide isolated(const Spec& spec, std::uint64_t key, double p) {
  const std::int64_t s = side(rows(spec), 3), step = static_cast<std::int64_t>(p);
  return made(spec, key, [&](std::int64_t i) {
    Site c = cell(0, i, s);
    for (std::size_t a = 1; a < 4; ++a)  // modulo 2^64, as coordinates are
      c[a] = static_cast<std::int64_t>(static_cast<std::uint64_t>(c[a]) * static_cast<std::uint64_t>(step));
    return c;
  });
}

// Each site about p times.
Wide duplicates(const Spec& spec, std::uint64_t key, double p) {
  const auto distinct = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(rows(spec)) / p));
  const std::int64_t s = side(static_cast<std::int64_t>(distinct), 3);
  return made(spec, key, [&](std::int64_t i) {
    return cell(0, static_cast<std::int64_t>(draw(key, static_cast<std::uint64_t>(i)) % distinct), s);
  });
}

// All of the cube [-5, 5]^3 in random order, then the next batch; batches count from -p.
Wide negative(const Spec& spec, std::uint64_t key, double p) {
  const std::int64_t n = rows(spec), cells = 11 * 11 * 11;
  std::vector<Site> all;
  for (std::int64_t i = 0; i < (n + cells - 1) / cells * cells; ++i)
    all.push_back(cell(i / cells - static_cast<std::int64_t>(p), i % cells, 11));
  shuffle(all, key);
  all.resize(static_cast<std::size_t>(n));
  return stored(spec, all);
}

// Distinct sites of the largest, the smallest and the middle values of the dtype.
Wide extremes(const Spec& spec, std::uint64_t key, double) {
  const bool wide = spec.dtype == Dtype::i64;
  const std::int64_t high = wide ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int32_t>::max();
  const std::array<std::int64_t, 7> values{0, -1, high, -high - 1, 1, high - 1, -high};
  return made(spec, key, [&](std::int64_t i) {
    const auto at = [&](std::int64_t digit) { return values[static_cast<std::size_t>(digit % 7)]; };
    return Site{i / 343, at(i), at(i / 7), at(i / 49)};
  });
}

// The first positions of a cube whose corner is at p, in random order.
Wide offsets(const Spec& spec, std::uint64_t key, double p) {
  if (spec.shape.size() != 2 || spec.shape[1] != 3)
    throw Error("case", Reason::query, "a fill of offsets needs the shape (K,3)");
  const std::int64_t n = spec.shape[0], s = side(n, 3), corner = static_cast<std::int64_t>(p);
  std::vector<Site> cells;
  for (std::int64_t i = 0; i < n; ++i) cells.push_back({0, i / (s * s) + corner, i / s % s + corner, i % s + corner});
  shuffle(cells, key ^ 0x6f666673);
  Integers a(spec.shape);
  for (std::int64_t i = 0; i < 3 * n; ++i)
    a[i] = cells[static_cast<std::size_t>(i / 3)][static_cast<std::size_t>(i % 3) + 1];
  return a;
}

// Distinct sites that a table cannot tell apart: in int64 the whole hash is one, since y can make up for x; in int32
// the sites are searched for. The key only orders them, so that two inputs share sites.
Wide colliding(const Spec& spec, std::uint64_t key, double p) {
  constexpr std::uint64_t kOneHash = 0x123456789ABCDEF, kLowBits = 1023;
  const auto skip = static_cast<std::size_t>(p);
  std::vector<Site> found;
  for (std::uint64_t i = 0; found.size() < skip + static_cast<std::size_t>(rows(spec)); ++i) {
    const auto at = [&](std::uint64_t axis) { return static_cast<std::int64_t>(draw(axis, i) % 4001) - 2000; };
    Site c{0, at(1), at(2), at(3)};
    const bool wide = spec.dtype == Dtype::i64;
    if (wide) c = {0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(kOneHash - first_half(0, i)), 0};
    if (wide || (table_hash(c) & kLowBits) == 0) found.push_back(c);
  }
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(skip));
  shuffle(found, key);
  return stored(spec, found);
}

}  // namespace

std::vector<Fill> site_fills() {
  constexpr double kRows = 0x1p31;   // the end of counts
  constexpr double kWhole = 0x1p62;  // the end of whole numbers
  constexpr Fill::Range kNone{0, 0};
  return {
      // clang-format off
      {"sites_box",        "rows (b,x,y,z): one in each run of p cells of a cube", 8, {1, 0x1p20}, box},
      {"sites_batches",    "rows: p batches of equal sites, one batch between empty", 2, {1, kRows}, batches},
      {"sites_line",       "rows: consecutive along x, from -p", 0, {-kWhole, kWhole}, line},
      {"sites_plane",      "rows: a full square", 0, kNone, plane},
      {"sites_block",      "rows: a full cube", 0, kNone, block},
      {"sites_surface",    "rows: a bumpy sphere in Morton order; shuffled if p", 0, {0, 1}, surface},
      {"sites_isolated",   "rows: multiples of p, no two are neighbours", 65536, {-kWhole, kWhole}, isolated},
      {"sites_duplicates", "rows: each site about p times", 2, {1, kRows}, duplicates},
      {"sites_negative",   "rows: within -5..5, batches from -p", 0, {-kWhole, kWhole}, negative},
      {"sites_extremes",   "rows: the largest and smallest values of the dtype", 0, kNone, extremes},
      {"offsets",          "rows (x,y,z): the first of a cube at p, shuffled", 0, {-kWhole, kWhole}, offsets},
      {"sites_colliding",  "rows: one hash (int32: its low 10 bits), from the p-th", 0, {0, 0x1p16}, colliding},
      // clang-format on
  };
}

}  // namespace plumb::reference
