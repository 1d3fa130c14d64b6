// Points and voxels on the CPU. The points of a voxel are met in ascending order, so that numbering and sums do not
// depend on the number of threads.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/limits.h"
#include "core/pool.h"
#include "core/route.h"
#include "optimized/sparse/points/voxel_kernels.h"
#include "optimized/sparse/sites/site_table.h"

namespace plumb {
namespace {

constexpr std::int64_t kGrain = 2048;
constexpr std::int64_t kCorners = 8;
constexpr Limit kChunk{"voxel.chunk", 64, 5};  // points whose corners are looked up together
constexpr Limit kTerms{"voxel.terms", 64, 3};  // of a sum that are looked up together

// Rows of features worth a thread.
std::int64_t row_grain(std::int64_t channels) { return std::max<std::int64_t>(1, 4096 / (channels + 1)); }

using Site = std::array<std::int32_t, 4>;  // batch, x, y, z

// The points of a call, dense, and where they lie in units of voxels.
struct Points {
  Tensor points, batch;
  std::array<float, 3> origin{}, size{};
  std::int64_t active = 0, capacity = 0;

  explicit Points(const Call& call) : points(contiguous(call[0])), batch(contiguous(call[1])) {
    capacity = points.dim(0);
    active = call[2].read<std::int32_t>()[0];
    read(call, "origin", origin);
    read(call, "voxel_size", size);
  }
  float position(const float* p, int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    const float moved = p[axis] - origin[a];
    return moved / size[a];
  }

 private:
  static void read(const Call& call, std::string_view attr, std::array<float, 3>& to) {
    const std::vector<double> v = call.numbers(attr);
    for (std::size_t a = 0; a < 3; ++a) to[a] = static_cast<float>(v.size() == 1 ? v[0] : v.at(a));
  }
};

// floor(u) as an int32 that saturates; u is finite.
std::int32_t floored(float u) {
  if (u >= 0x1p31F) return std::numeric_limits<std::int32_t>::max();
  if (u < -0x1p31F) return std::numeric_limits<std::int32_t>::min();
  const auto whole = static_cast<std::int32_t>(u);
  return whole - (static_cast<float>(whole) > u);
}

// u - floor(u): exactly 0 from 2^23 on, where floats are whole; never -0.
float fraction(float u, std::int32_t floor_u) {
  return std::abs(u) >= 0x1p23F ? 0.0F : u - static_cast<float>(floor_u) + 0.0F;
}

// The sites of the active points, and which of them have one.
struct PointSites {
  cpu::Block<Site> site;
  cpu::Block<std::uint8_t> valid;

  explicit PointSites(const Points& p) : site(p.active), valid(p.active) {
    const float* x = p.points.read<float>();
    const std::int32_t* batch = p.batch.read<std::int32_t>();
    parallel_for(p.active, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float u = p.position(x + 3 * i, 0), v = p.position(x + 3 * i, 1), w = p.position(x + 3 * i, 2);
        valid[i] = std::isfinite(u) && std::isfinite(v) && std::isfinite(w);
        site[i] = valid[i] ? Site{batch[i], floored(u), floored(v), floored(w)} : Site{};
      }
    });
  }
};

// Distinct voxels, numbered in the order in which their first points come, and the points of each.
struct Voxels {
  PointSites points;
  cpu::SiteGroups groups;

  explicit Voxels(const Points& p) : points(p), groups({points.site.data, false, p.active}, points.valid.data) {}
  std::int64_t count() const { return groups.sites; }
  void store(const Tensor& coords, const Tensor& active) const {
    auto* to = coords.write<std::int32_t>();
    active.write<std::int32_t>()[0] = static_cast<std::int32_t>(count());
    parallel_for(count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t v = begin; v < end; ++v)
        std::memcpy(to + 4 * v, &points.site[groups.members[groups.offsets[v]]], sizeof(Site));
    });
  }
};

void sparse_quantize(const Call& call, std::vector<Tensor>& out) {
  const Points points(call);
  const Voxels voxels(points);
  voxels.store(out[0], out[1]);
  auto *rows = out[2].write<std::int32_t>(), *counts = out[3].write<std::int32_t>();
  parallel_for(voxels.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t v = begin; v < end; ++v) counts[v] = voxels.groups.rows(v);
  });
  parallel_for(points.capacity, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      rows[i] = i < points.active && voxels.points.valid[i] ? voxels.groups.number[i] : -1;
  });
}

// The least power of two that is not below n, inverted: a sum of n terms scaled by it cannot overflow.
float shrink(std::int32_t n) {
  const auto exponent = static_cast<std::uint32_t>(127 - std::bit_width(static_cast<std::uint32_t>(n - 1)));
  return std::bit_cast<float>(exponent << 23);
}

// A mean leaves the range of its values by rounding only where all of them lie within its error, so the first one, too.
// Then it is brought back: to[c] of the features that `value` gives for each of n points.
template <class F>
void bring_into_range(float* to, std::int64_t channels, std::int32_t n, F&& value) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const float first = value(0, c), error = static_cast<float>(n + 2) * (0x1p-23F * std::abs(to[c]) + 0x1p-149F);
    if (to[c] == first || !(std::abs(to[c] - first) <= error)) continue;
    float least = first, most = first;
    for (std::int32_t j = 1; j < n; ++j) {
      least = std::min(least, value(j, c));
      most = std::max(most, value(j, c));
    }
    to[c] = std::clamp(to[c], least, most);
  }
}

// The first point of a voxel is copied, the others are added.
// mean = (sum of f s) / (n s): a power of two s changes no rounding.
void voxelize(const Call& call, std::vector<Tensor>& out) {
  const Voxels voxels{Points(call)};
  voxels.store(out[0], out[2]);
  const Tensor features = contiguous(call[3]);
  const std::int64_t channels = features.dim(1);
  const bool mean = call.text("reduction") == "mean";
  const float* f = features.read<float>();
  auto* F = out[1].write<float>();
  const auto &offsets = voxels.groups.offsets, &members = voxels.groups.members;
  parallel_for(voxels.count(), row_grain(channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t v = begin; v < end; ++v) {
      float* __restrict to = F + v * channels;
      const std::int32_t points = mean ? voxels.groups.rows(v) : 1;
      const float s = shrink(points), n = static_cast<float>(points) * s;
      for (std::int64_t j = offsets[v]; j < offsets[v + 1]; ++j) {
        const float* __restrict from = f + members[j] * channels;
        if (j == offsets[v])
          for (std::int64_t c = 0; c < channels; ++c) to[c] = from[c] * s;
        else
          for (std::int64_t c = 0; c < channels; ++c) to[c] += from[c] * s;
      }
      if (points == 1) continue;
      for (std::int64_t c = 0; c < channels; ++c) to[c] /= n;
      bring_into_range(to, channels, points,
                       [&](std::int32_t j, std::int64_t c) { return f[members[offsets[v] + j] * channels + c]; });
    }
  });
}

void voxelize_vjp(const Call& call, std::vector<Tensor>& out) {
  const Points points(call);
  const Voxels voxels(points);
  const bool mean = call.text("reduction") == "mean";
  const Tensor cotangent = contiguous(call[4]);
  const std::int64_t channels = cotangent.dim(1), given = std::min(cotangent.dim(0), voxels.count());
  const float* G = cotangent.read<float>();
  auto* g = out[0].write<float>();
  parallel_for(points.capacity, row_grain(channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i < points.active ? voxels.groups.number[i] : given;
      float* __restrict to = g + i * channels;
      if (row >= given) {
        std::fill_n(to, channels, 0.0F);
        continue;
      }
      const float* __restrict from = G + row * channels;
      const float n = mean ? static_cast<float>(voxels.groups.rows(row)) : 1.0F;
      for (std::int64_t c = 0; c < channels; ++c) to[c] = from[c] / n;
    }
  });
}

// Where the corners of points lie among voxels: rows and weights, eight per point.
class Mapper {
 public:
  explicit Mapper(const Call& call)
      : points_(call),
        coords_(contiguous(call[3])),
        nearest_(call.text("interpolation") == "nearest"),
        table_(cpu::rows(coords_, call[4])) {}

  // The points in [begin, end), a chunk at most; rows and weights begin at the first of these.
  void map(std::int64_t begin, std::int64_t end, std::int32_t* rows, float* weights) const {
    std::array<Site, kChunk.usual * kCorners> site;
    std::array<std::uint64_t, kChunk.usual * kCorners> asked;
    std::array<std::int32_t, kChunk.usual * kCorners> slot;  // where each wanted corner's answer goes
    const std::int64_t n = (end - begin) * kCorners;
    std::fill_n(rows, n, -1);
    std::fill_n(weights, n, 0.0F);
    std::size_t wanted = 0;
    for (std::int64_t i = begin; i < std::min(end, points_.active); ++i)
      for (std::int64_t added = corners(i, (i - begin) * kCorners, &site[wanted], &slot[wanted], weights); added > 0;
           --added, ++wanted)
        asked[wanted] = table_.ask(site[wanted].data());
    for (std::size_t k = 0; k < wanted; ++k) table_.ask_row<std::int32_t>(asked[k]);
    for (std::size_t k = 0; k < wanted; ++k) {
      const std::int32_t row = table_.answer(site[k].data(), asked[k]);
      rows[slot[k]] = row;
      if (row < 0) weights[slot[k]] = 0.0F;
    }
  }

  std::int64_t capacity() const { return points_.capacity; }
  std::int64_t voxels() const { return coords_.dim(0); }

 private:
  // The sites that point i asks for, the slots their answers go to, and the weights of these.
  std::int64_t corners(std::int64_t i, std::int64_t first_slot, Site* site, std::int32_t* slot, float* weights) const {
    const float* x = points_.points.read<float>() + 3 * i;
    const std::int32_t batch = points_.batch.read<std::int32_t>()[i];
    std::array<float, 3> u, f;
    std::array<std::int32_t, 3> l;
    for (std::size_t a = 0; a < 3; ++a) {
      u[a] = points_.position(x, static_cast<int>(a));
      if (!std::isfinite(u[a])) return 0;
      l[a] = floored(nearest_ ? u[a] + 0.5F : u[a]);
      f[a] = fraction(u[a], l[a]);
    }
    std::int64_t n = 0;
    for (std::int32_t j = 0; j < (nearest_ ? 1 : kCorners); ++j) {
      const std::array<std::int32_t, 3> bit{j & 1, j >> 1 & 1, j >> 2};
      constexpr std::int32_t kEnd = std::numeric_limits<std::int32_t>::max();
      if ((bit[0] && l[0] == kEnd) || (bit[1] && l[1] == kEnd) || (bit[2] && l[2] == kEnd)) continue;
      const auto weight = [&](std::size_t a) { return bit[a] ? f[a] : 1.0F - f[a]; };
      site[n] = {batch, l[0] + bit[0], l[1] + bit[1], l[2] + bit[2]};
      slot[n++] = static_cast<std::int32_t>(first_slot) + j;
      weights[first_slot + j] = nearest_ ? 1.0F : weight(0) * weight(1) * weight(2);
    }
    return n;
  }

  Points points_;
  Tensor coords_;
  bool nearest_;
  cpu::SiteTable table_;
};

template <class F>
void each_chunk(std::int64_t n, F&& f) {
  const std::int64_t each = kChunk.of(n);
  parallel_for((n + each - 1) / each, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) f(k * each, std::min(n, (k + 1) * each));
  });
}

void point_voxel_map(const Call& call, std::vector<Tensor>& out) {
  const Mapper mapper(call);
  auto* rows = out[0].write<std::int32_t>();
  auto* weights = out[1].write<float>();
  each_chunk(mapper.capacity(), [&](std::int64_t begin, std::int64_t end) {
    mapper.map(begin, end, rows + begin * kCorners, weights + begin * kCorners);
  });
}

void devoxelize(const Call& call, std::vector<Tensor>& out) {
  const Mapper mapper(call);
  const Tensor features = contiguous(call[5]);
  const std::int64_t channels = features.dim(1);
  const float* table = features.read<float>();
  auto* to = out[0].write<float>();
  each_chunk(mapper.capacity(), [&](std::int64_t begin, std::int64_t end) {
    std::array<std::int32_t, kChunk.usual * kCorners> rows;
    std::array<float, kChunk.usual * kCorners> weights;
    mapper.map(begin, end, rows.data(), weights.data());
    PLUMB_DISPATCH(interpolate_rows)
    (table, channels, mapper.voxels(), rows.data(), weights.data(), 0, end - begin, to + begin * channels);
  });
}

void interpolate(const Call& call, std::vector<Tensor>& out) {
  const Tensor features = contiguous(call[0]), rows = contiguous(call[1]), weights = contiguous(call[2]);
  const std::int64_t channels = features.dim(1);
  const auto *table = features.read<float>(), *w = weights.read<float>();
  const auto* row = rows.read<std::int32_t>();
  auto* to = out[0].write<float>();
  parallel_for(rows.dim(0), row_grain(channels), [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(interpolate_rows)(table, channels, features.dim(0), row, w, begin, end, to);
  });
}

// Corners grouped by their row, ascending within one; a last group takes those without.
void interpolate_vjp(const Call& call, std::vector<Tensor>& out) {
  const Tensor rows = contiguous(call[1]), weights = contiguous(call[2]), cotangent = contiguous(call[3]);
  const std::int64_t channels = cotangent.dim(1), voxels = out[0].dim(0), corners = rows.size();
  cpu::Block<std::int32_t> key(corners), offsets(voxels + 2), ids(corners);
  const auto* row = rows.read<std::int32_t>();
  parallel_for(corners, 8 * kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t e = begin; e < end; ++e)
      key[e] = row[e] >= 0 && row[e] < voxels ? row[e] : static_cast<std::int32_t>(voxels);
  });
  cpu::group_edges(key.data, corners, voxels + 1, offsets.data, ids.data);
  const auto *G = cotangent.read<float>(), *w = weights.read<float>();
  auto* to = out[0].write<float>();
  parallel_for(voxels, row_grain(channels), [&](std::int64_t begin, std::int64_t end) {
    std::int32_t longest = 0;
    for (std::int64_t v = begin; v < end; ++v) longest = std::max(longest, offsets[v + 1] - offsets[v]);
    PLUMB_DISPATCH(sum_groups)(G, channels, offsets.data, ids.data, w, begin, end, kTerms.of(longest), to);
  });
}

// Points, or corners, one after the other. The lesser instruction sets round products on their own.
Order in_order(const Call&) { return {}; }

// The same, then one division by a count, which may itself be rounded.
Order then_divided(const Call& call) {
  Order o;
  o.epilogue = call.text("reduction") == "mean" ? 2 : 0;
  return o;
}

const Condition kCountsFit{Stage::shape_dtype, "over 2^24 points: a count may be no float32",
                           [](const Call& c, const Device&) { return c.shape(0)[0] <= 1 << 24; }};

template <void (*F)(const Call&, std::vector<Tensor>&)>
Route route(std::string_view op, std::string_view name, Order (*order)(const Call&) = nullptr,
            const std::vector<Condition>& supports = {}) {
  return {.op = op, .name = name, .supports = supports, .prefers = {}, .order = order, .prepare = host<F>};
}

}  // namespace

std::vector<Route> voxel_cpu_routes() {
  return {route<sparse_quantize>("sparse_quantize", "cpu.hash"),
          route<voxelize>("voxelize", "cpu.hash", then_divided),
          route<voxelize_vjp>("voxelize_vjp", "cpu.hash", nullptr, {kCountsFit}),
          route<point_voxel_map>("point_voxel_map", "cpu.hash"),
          route<devoxelize>("devoxelize", "cpu.hash", in_order),
          route<interpolate>("interpolate_point_features", "cpu.gather", in_order),
          route<interpolate_vjp>("interpolate_point_features_vjp", "cpu.grouped", in_order)};
}

}  // namespace plumb
