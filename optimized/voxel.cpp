// Points and voxels on the CPU. A table of sites is cut into parts by hash: a part belongs to one thread, which meets
// the points of its voxels in ascending order, so that numbering and sums do not depend on the number of threads.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/relation.h"
#include "optimized/voxel_kernels.h"

namespace plumb {
namespace {

constexpr std::int64_t kGrain = 2048;
constexpr std::int64_t kCorners = 8;
constexpr std::int64_t kChunk = 64;  // points whose corners are looked up together

struct Site {
  std::int32_t batch, x, y, z;
};

constexpr std::uint8_t kNone = 255;  // the part of what is not valid
constexpr int kMostParts = 128;

std::uint64_t hash_of(const Site& s) {
  std::uint64_t a, b;
  std::memcpy(&a, &s.batch, 8);
  std::memcpy(&b, &s.y, 8);
  std::uint64_t h = a * 0x9E3779B97F4A7C15u ^ std::rotl(b * 0xC2B2AE3D27D4EB4Fu, 31);
  h = (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
  return h ^ h >> 29;
}

bool same(const Site& a, const Site& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// Sites by their lowest index. Bits 40 and up of a hash choose the part, the lower ones the slot.
class SiteTable {
 public:
  struct Part {
    std::vector<std::int32_t> members;  // the indices it owns, ascending
    std::vector<std::int32_t> firsts;   // those that show their site first
    std::vector<std::uint64_t> slots;   // such an index + 1 beside 32 bits of its hash; 0 where empty
    std::uint64_t mask = 0;
  };

  // valid: null if all are. first (n), if given: the lowest index of the site of each, -1 for those not valid.
  SiteTable(const Site* sites, const std::uint8_t* valid, std::int64_t n, std::int32_t* first) : sites_(sites) {
    const int parts = n < 2 * kGrain ? 1 : std::min(threads(), kMostParts);
    parts_.resize(static_cast<std::size_t>(parts));
    std::vector<std::uint8_t> part_of(static_cast<std::size_t>(n));
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(n));
    parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        hashes[at] = hash_of(sites[i]);
        part_of[at] = valid && !valid[i] ? kNone : static_cast<std::uint8_t>(part(hashes[at]));
        if (first && part_of[at] == kNone) first[i] = -1;
      }
    });
    parallel_each(parts, [&](std::int64_t p) { build(static_cast<std::size_t>(p), part_of, hashes, first); });
  }

  std::vector<Part> parts() && { return std::move(parts_); }

  void prefetch(std::uint64_t hash) const {
    const Part& p = parts_[part(hash)];
    __builtin_prefetch(&p.slots[hash & p.mask]);
  }
  void prefetch_site(std::uint64_t hash) const {
    const Part& p = parts_[part(hash)];
    if (const std::uint64_t entry = p.slots[hash & p.mask]; entry != 0) __builtin_prefetch(&sites_[index_in(entry)]);
  }
  // The lowest index of a site, or -1.
  std::int32_t find(const Site& s, std::uint64_t hash) const {
    const Part& p = parts_[part(hash)];
    for (std::uint64_t slot = hash & p.mask;; slot = (slot + 1) & p.mask) {
      const std::uint64_t entry = p.slots[slot];
      if (entry == 0) return -1;
      if (entry >> 32 != hash >> 32) continue;
      if (const std::int32_t first = index_in(entry); same(sites_[first], s)) return first;
    }
  }

 private:
  static std::int32_t index_in(std::uint64_t entry) { return static_cast<std::int32_t>((entry & 0xFFFFFFFFu) - 1); }
  std::size_t part(std::uint64_t hash) const { return (hash >> 40) * parts_.size() >> 24; }

  void build(std::size_t own, const std::vector<std::uint8_t>& part_of, const std::vector<std::uint64_t>& hashes,
             std::int32_t* first) {
    Part& p = parts_[own];
    p.members.reserve(part_of.size() / parts_.size() + 64);
    for (std::size_t i = 0; i < part_of.size(); ++i)
      if (part_of[i] == own) p.members.push_back(static_cast<std::int32_t>(i));
    p.mask = std::bit_ceil(2 * p.members.size() + 2) - 1;
    p.slots.assign(p.mask + 1, 0);
    constexpr std::size_t kAhead = 12;
    for (std::size_t k = 0; k < p.members.size(); ++k) {
      if (k + kAhead < p.members.size())
        __builtin_prefetch(&p.slots[hashes[static_cast<std::size_t>(p.members[k + kAhead])] & p.mask]);
      const std::int32_t i = p.members[k], lowest = insert(p, i, hashes[static_cast<std::size_t>(i)]);
      if (first) first[i] = lowest;
    }
  }

  std::int32_t insert(Part& p, std::int32_t i, std::uint64_t hash) const {
    for (std::uint64_t slot = hash & p.mask;; slot = (slot + 1) & p.mask) {
      const std::uint64_t entry = p.slots[slot];
      if (entry == 0) {
        p.firsts.push_back(i);
        p.slots[slot] = (hash >> 32 << 32) | static_cast<std::uint64_t>(i + 1);
        return i;
      }
      if (entry >> 32 != hash >> 32) continue;
      if (const std::int32_t first = index_in(entry); same(sites_[first], sites_[i])) return first;
    }
  }

  const Site* sites_;
  std::vector<Part> parts_;
};

// The points of a call, dense, and where they lie in units of voxels.
struct Points {
  Tensor points, batch;
  std::array<float, 3> origin{}, size{};
  std::int64_t active = 0, capacity = 0;

  explicit Points(const Call& call) : points(contiguous(call[0])), batch(contiguous(call[1])) {
    const std::int64_t n = call[2].read<std::int32_t>()[0];
    if (n < 0) call.fail(Reason::domain, "active rows " + std::to_string(n));
    capacity = points.dim(0);
    active = std::min(n, capacity);
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

// Distinct voxels, numbered in the order in which their first points come.
struct Quantized {
  std::vector<Site> sites;  // of each point
  std::vector<std::uint8_t> valid;
  std::vector<std::int32_t> first, row;  // of each active point: the first of its voxel; the voxel's number or -1
  std::vector<SiteTable::Part> parts;
  std::vector<std::int32_t> count;  // of the points of each voxel

  std::int32_t row_of(std::int32_t i) const { return row[static_cast<std::size_t>(i)]; }
  std::int64_t voxels() const { return std::ssize(count); }
};

void number_voxels(Quantized& q) {
  const auto n = static_cast<std::int64_t>(q.first.size());
  const std::int64_t runs = std::clamp<std::int64_t>(n / kGrain, 1, threads());
  std::vector<std::int64_t> starts(static_cast<std::size_t>(runs) + 1, 0);
  const auto each_first = [&](std::int64_t run, auto&& f) {
    for (std::int64_t i = n * run / runs; i < n * (run + 1) / runs; ++i)
      if (q.first[static_cast<std::size_t>(i)] == i) f(i);
  };
  parallel_each(runs, [&](std::int64_t run) {
    each_first(run, [&](std::int64_t) { ++starts[static_cast<std::size_t>(run) + 1]; });
  });
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  q.count.assign(static_cast<std::size_t>(starts.back()), 0);
  parallel_each(runs, [&](std::int64_t run) {
    auto next = static_cast<std::int32_t>(starts[static_cast<std::size_t>(run)]);
    each_first(run, [&](std::int64_t i) { q.row[static_cast<std::size_t>(i)] = next++; });
  });
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (q.first[at] != i) q.row[at] = q.first[at] < 0 ? -1 : q.row_of(q.first[at]);
    }
  });
  parallel_each(std::ssize(q.parts), [&](std::int64_t part) {
    for (const std::int32_t i : q.parts[static_cast<std::size_t>(part)].members)
      ++q.count[static_cast<std::size_t>(q.row_of(i))];
  });
}

Quantized quantized(const Points& p) {
  Quantized q;
  const auto n = static_cast<std::size_t>(p.active);
  q.sites.resize(n), q.valid.resize(n), q.first.resize(n), q.row.resize(n);
  const float* x = p.points.read<float>();
  const std::int32_t* batch = p.batch.read<std::int32_t>();
  parallel_for(p.active, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float u = p.position(x + 3 * i, 0), v = p.position(x + 3 * i, 1), w = p.position(x + 3 * i, 2);
      const auto at = static_cast<std::size_t>(i);
      q.valid[at] = std::isfinite(u) && std::isfinite(v) && std::isfinite(w);
      q.sites[at] = q.valid[at] ? Site{batch[i], floored(u), floored(v), floored(w)} : Site{};
    }
  });
  q.parts = SiteTable(q.sites.data(), q.valid.data(), p.active, q.first.data()).parts();
  number_voxels(q);
  return q;
}

void store_voxels(const Quantized& q, const Tensor& coords, const Tensor& active) {
  auto* site = coords.write<std::int32_t>();
  active.write<std::int32_t>()[0] = static_cast<std::int32_t>(q.voxels());
  parallel_each(std::ssize(q.parts), [&](std::int64_t part) {
    for (const std::int32_t i : q.parts[static_cast<std::size_t>(part)].firsts)
      std::memcpy(site + 4 * std::int64_t{q.row_of(i)}, &q.sites[static_cast<std::size_t>(i)], sizeof(Site));
  });
}

void sparse_quantize(const Call& call, std::vector<Tensor>& out) {
  const Points points(call);
  const Quantized q = quantized(points);
  store_voxels(q, out[0], out[1]);
  std::copy(q.count.begin(), q.count.end(), out[3].write<std::int32_t>());
  auto* rows = out[2].write<std::int32_t>();
  std::copy(q.row.begin(), q.row.end(), rows);
  std::fill(rows + points.active, rows + points.capacity, -1);
}

// The least power of two that is not below n, inverted: a sum of n terms scaled by it cannot overflow.
float shrink(std::int32_t n) {
  const auto exponent = static_cast<std::uint32_t>(127 - std::bit_width(static_cast<std::uint32_t>(n - 1)));
  return std::bit_cast<float>(exponent << 23);
}

// A part owns its voxels and meets their points in order: the first is copied, the others are added.
// mean = (sum of f s) / (n s): a power of two s changes no rounding.
void voxelize(const Call& call, std::vector<Tensor>& out) {
  const Quantized q = quantized(Points(call));
  store_voxels(q, out[0], out[2]);
  const Tensor features = contiguous(call[3]);
  const std::int64_t channels = features.dim(1);
  const bool mean = call.text("reduction") == "mean";
  const float* f = features.read<float>();
  auto* F = out[1].write<float>();
  const auto points_of = [&](std::int32_t i) { return mean ? q.count[static_cast<std::size_t>(q.row_of(i))] : 1; };
  parallel_each(std::ssize(q.parts), [&](std::int64_t part) {
    const SiteTable::Part& p = q.parts[static_cast<std::size_t>(part)];
    for (const std::int32_t i : p.members) {
      const float* __restrict from = f + i * channels;
      float* __restrict to = F + q.row_of(i) * channels;
      const float s = shrink(points_of(i));
      if (q.first[static_cast<std::size_t>(i)] == i)
        for (std::int64_t c = 0; c < channels; ++c) to[c] = from[c] * s;
      else
        for (std::int64_t c = 0; c < channels; ++c) to[c] += from[c] * s;
    }
    for (const std::int32_t i : p.firsts) {
      float* to = F + q.row_of(i) * channels;
      const std::int32_t points = points_of(i);
      const float n = static_cast<float>(points) * shrink(points);
      for (std::int64_t c = 0; c < channels && points > 1; ++c) to[c] /= n;
    }
  });
}

void voxelize_vjp(const Call& call, std::vector<Tensor>& out) {
  const Points points(call);
  const Quantized q = quantized(points);
  const bool mean = call.text("reduction") == "mean";
  const Tensor cotangent = contiguous(call[4]);
  const std::int64_t channels = cotangent.dim(1), given = cotangent.dim(0);
  const float* G = cotangent.read<float>();
  auto* g = out[0].write<float>();
  parallel_for(points.capacity, std::max<std::int64_t>(1, 16384 / (channels + 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int32_t row = i < points.active ? q.row[static_cast<std::size_t>(i)] : -1;
                   float* __restrict to = g + i * channels;
                   if (row < 0 || row >= given) {
                     std::fill_n(to, channels, 0.0F);
                     continue;
                   }
                   const float* __restrict from = G + row * channels;
                   const float n = mean ? static_cast<float>(q.count[static_cast<std::size_t>(row)]) : 1.0F;
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
        table_(coords_.read<Site>(), nullptr, cpu::rows(call, coords_, call[4]).count, nullptr) {}

  // The points in [begin, end), at most kChunk of them; rows and weights begin at the first of these.
  void map(std::int64_t begin, std::int64_t end, std::int32_t* rows, float* weights) const {
    std::array<Site, kChunk * kCorners> site;
    std::array<std::uint64_t, kChunk * kCorners> hash;
    const std::int64_t n = (end - begin) * kCorners;
    std::fill_n(rows, n, -1);
    std::fill_n(weights, n, 0.0F);
    std::int64_t wanted = 0;
    std::array<std::int32_t, kChunk * kCorners> slot;  // where each wanted corner's answer goes
    for (std::int64_t i = begin; i < std::min(end, points_.active); ++i) {
      const std::int64_t added =
          corners(i, (i - begin) * kCorners, site.data() + wanted, slot.data() + wanted, weights);
      for (std::int64_t k = wanted; k < wanted + added; ++k) {
        hash[static_cast<std::size_t>(k)] = hash_of(site[static_cast<std::size_t>(k)]);
        table_.prefetch(hash[static_cast<std::size_t>(k)]);
      }
      wanted += added;
    }
    for (std::int64_t k = 0; k < wanted; ++k) table_.prefetch_site(hash[static_cast<std::size_t>(k)]);
    for (std::int64_t k = 0; k < wanted; ++k) {
      const auto at = static_cast<std::size_t>(k);
      const std::int32_t row = table_.find(site[at], hash[at]);
      rows[slot[at]] = row;
      if (row < 0) weights[slot[at]] = 0.0F;
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
  SiteTable table_;
};

template <class F>
void each_chunk(std::int64_t n, F&& f) {
  parallel_for((n + kChunk - 1) / kChunk, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) f(k * kChunk, std::min(n, (k + 1) * kChunk));
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
    std::array<std::int32_t, kChunk * kCorners> rows;
    std::array<float, kChunk * kCorners> weights;
    mapper.map(begin, end, rows.data(), weights.data());
    PLUMB_DISPATCH(interpolate_rows)
    (table, channels, mapper.voxels(), rows.data(), weights.data(), 0, end - begin, to + begin * channels);
  });
}

std::int64_t row_grain(std::int64_t channels) { return std::max<std::int64_t>(1, 4096 / (channels + 1)); }

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
    PLUMB_DISPATCH(sum_groups)(G, channels, offsets.data, ids.data, w, begin, end, to);
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

}  // namespace

std::vector<Route> voxel_cpu_routes() {
  return {
      {.op = "sparse_quantize", .name = "cpu.hash", .supports = {}, .prefers = {}, .prepare = host<sparse_quantize>},
      {.op = "voxelize",
       .name = "cpu.hash",
       .supports = {},
       .prefers = {},
       .order = then_divided,
       .prepare = host<voxelize>},
      {.op = "voxelize_vjp",
       .name = "cpu.hash",
       .supports = {kCountsFit},
       .prefers = {},
       .prepare = host<voxelize_vjp>},
      {.op = "point_voxel_map", .name = "cpu.hash", .supports = {}, .prefers = {}, .prepare = host<point_voxel_map>},
      {.op = "devoxelize",
       .name = "cpu.hash",
       .supports = {},
       .prefers = {},
       .order = in_order,
       .prepare = host<devoxelize>},
      {.op = "interpolate_point_features",
       .name = "cpu.gather",
       .supports = {},
       .prefers = {},
       .order = in_order,
       .prepare = host<interpolate>},
      {.op = "interpolate_point_features_vjp",
       .name = "cpu.grouped",
       .supports = {},
       .prefers = {},
       .order = in_order,
       .prepare = host<interpolate_vjp>}};
}

}  // namespace plumb
