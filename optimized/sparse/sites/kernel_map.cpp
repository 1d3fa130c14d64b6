// Kernel offsets, and dense views of relations: the maps of relation_build.cpp with their masks, and maps whose rows
// are sorted by mask.
#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/sparse/sites/site_table.h"

namespace plumb {
namespace {

using namespace cpu;

constexpr std::int64_t kGrain = 4096;
constexpr Limit kChunk{"kernel_map.chunk", 256, 6};  // targets that are looked up together
constexpr Limit kRun{"kernel_map.run", 16384, 12};   // rows of a run of the counting sort

// ---- Offsets ----

template <bool centred>
void offsets(const Call& call, std::vector<Tensor>& out) {
  const Geometry g = geometry(call);
  std::array<std::int64_t, 3> first{};
  for (std::size_t a = 0; a < 3; ++a) first[a] = centred && g.size[a] % 2 == 1 ? -(g.size[a] / 2) * g.dilation[a] : 0;
  auto* to = out[0].write<std::int32_t>();
  parallel_for(g.size[0] * g.size[1], std::max<std::int64_t>(1, kGrain / g.size[2]),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t column = begin; column < end; ++column) {
                   const auto x = static_cast<std::int32_t>(first[0] + column / g.size[1] * g.dilation[0]);
                   const auto y = static_cast<std::int32_t>(first[1] + column % g.size[1] * g.dilation[1]);
                   std::int32_t* row = to + 3 * column * g.size[2];
                   for (std::int64_t z = 0; z < g.size[2]; ++z, row += 3)
                     row[0] = x, row[1] = y, row[2] = static_cast<std::int32_t>(first[2] + z * g.dilation[2]);
                 }
               });
}

// ---- The permutation of positions ----

// Positions [begin, end) as sites of batch 0.
template <class T>
void store_sites(const T* positions, std::int64_t begin, std::int64_t end, T* sites) {
  for (std::int64_t i = begin; i < end; ++i, sites += 4) {
    sites[0] = 0;
    std::copy_n(positions + 3 * i, 3, sites + 1);
  }
}

template <class T>
void permute(const Call& call, const Tensor& source, const Tensor& target, std::int32_t* to) {
  constexpr bool kWide = sizeof(T) == 8;
  const std::int64_t n = source.dim(0);
  const T *from = source.read<T>(), *wanted = target.read<T>();
  const Block<T> sites(4 * n);
  parallel_for(n, kGrain,
               [&](std::int64_t begin, std::int64_t end) { store_sites(from, begin, end, sites.data + 4 * begin); });
  const SiteTable table({sites.data, kWide, n});
  Room<std::uint8_t> left(static_cast<std::size_t>(n), 0);  // rows of the source that no target has taken
  table.mark_lowest(left.data());
  if (std::find(left.begin(), left.end(), 0) != left.end()) call.fail(Reason::domain, "the source repeats a position");
  std::atomic<bool> wrong = false;
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::array<T, 4 * kChunk.usual> chunk;
    const std::int64_t most = kChunk.of(end - begin);
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t m = std::min(most, end - first);
      store_sites(wanted, first, first + m, chunk.data());
      table.find({chunk.data(), kWide, m}, 0, m, [&](std::int64_t t, std::int32_t row) {
        to[first + t] = row;
        if (row < 0 || !std::atomic_ref(left[static_cast<std::size_t>(row)]).exchange(0, std::memory_order_relaxed))
          wrong = true;
      });
    }
  });
  if (wrong) call.fail(Reason::domain, "a position of the target is not in the source, or is repeated");
}

void permutation(const Call& call, std::vector<Tensor>& out) {
  const Tensor source = contiguous(call[0]), target = contiguous(call[1]);
  auto* to = out[0].write<std::int32_t>();
  call.dtype(0) == Dtype::i64 ? permute<std::int64_t>(call, source, target, to)
                              : permute<std::int32_t>(call, source, target, to);
}

// ---- Maps ----

// Bits of the entries of one row that are not negative, in words of 32.
void mask_row(const std::int32_t* row, std::int64_t kernels, std::int32_t* words) {
  for (std::int64_t first = 0; first < kernels; first += 32) {
    std::uint32_t bits = 0;
    for (std::int64_t k = first; k < std::min(kernels, first + 32); ++k)
      bits |= std::uint32_t{row[k] >= 0} << (k - first);
    *words++ = static_cast<std::int32_t>(bits);
  }
}

constexpr bool targeted(RelationKind kind) {
  return kind == RelationKind::target || kind == RelationKind::target_transposed;
}

template <RelationKind kind>
void map_of(const Call& call, std::vector<Tensor>& out) {
  const Tensor coords = contiguous(call[0]), target_coords = targeted(kind) ? contiguous(call[2]) : Tensor();
  const Rows in = rows(coords, call[1]), targets = targeted(kind) ? rows(target_coords, call[3]) : Rows{};
  auto *to = out[0].write<std::int32_t>(), *masks = out[1].write<std::int32_t>(),
       *counts = out[2].write<std::int32_t>();
  const Geometry g = geometry(call);
  const Map map = build_map(kind, g, in, targets, to);
  const std::int64_t outputs = map.out_rows.count, capacity = out[0].dim(0), words = out[1].dim(1);
  std::fill(to + outputs * g.volume, to + capacity * g.volume, -1);
  std::fill(masks + outputs * words, masks + capacity * words, 0);
  std::atomic<std::int64_t> edges = 0;
  parallel_for(outputs, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t here = 0;
    for (std::int64_t o = begin; o < end; ++o) mask_row(to + o * g.volume, g.volume, masks + o * words);
    for (std::int64_t w = begin * words; w < end * words; ++w)
      here += std::popcount(static_cast<std::uint32_t>(masks[w]));
    edges += here;
  });
  counts[0] = static_cast<std::int32_t>(edges);
  counts[1] = static_cast<std::int32_t>(outputs);
}

// ---- Maps sorted by mask ----

struct Masked {
  std::uint32_t mask;
  std::int32_t row;
};

// One pass of a stable counting sort by 11 bits, over runs of rows: the result does not depend on how many.
void sort_digit(const Room<Masked>& from, Room<Masked>& to, int shift) {
  constexpr std::uint32_t kDigits = 1 << 11;
  const std::int64_t n = std::ssize(from), runs = std::clamp<std::int64_t>(n / kRun.of(n), 1, threads());
  Room<std::int64_t> next(static_cast<std::size_t>(runs) * kDigits, 0);
  const auto at = [&](std::int64_t run, const Masked& m) -> std::int64_t& {
    return next[static_cast<std::size_t>(run) * kDigits + (m.mask >> shift & (kDigits - 1))];
  };
  parallel_each(runs, [&](std::int64_t run) {
    for (std::int64_t i = n * run / runs; i < n * (run + 1) / runs; ++i) ++at(run, from[static_cast<std::size_t>(i)]);
  });
  std::int64_t before = 0;
  for (std::size_t d = 0; d < kDigits; ++d)
    for (std::size_t run = 0; run < static_cast<std::size_t>(runs); ++run)
      before += std::exchange(next[run * kDigits + d], before);
  parallel_each(runs, [&](std::int64_t run) {
    for (std::int64_t i = n * run / runs; i < n * (run + 1) / runs; ++i) {
      const Masked& m = from[static_cast<std::size_t>(i)];
      to[static_cast<std::size_t>(at(run, m)++)] = m;
    }
  });
}

// Masks in ascending order as signed words: the sign is flipped, so that unsigned digits sort them.
Room<Masked> sorted_masks(const std::int32_t* map, std::int64_t n, std::int64_t kernels) {
  const std::uint32_t sign = kernels == 32 ? 1U << 31 : 0;
  Room<Masked> rows(static_cast<std::size_t>(n)), other(rows.size());
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      std::int32_t mask = 0;
      mask_row(map + o * kernels, kernels, &mask);
      rows[static_cast<std::size_t>(o)] = {static_cast<std::uint32_t>(mask) ^ sign, static_cast<std::int32_t>(o)};
    }
  });
  for (int shift = 0; shift < kernels; shift += 11) {
    sort_digit(rows, other, shift);
    rows.swap(other);
  }
  for (Masked& m : rows) m.mask ^= sign;
  return rows;
}

void sorted_view(const Call& call, std::vector<Tensor>& out) {
  constexpr std::int64_t kTile = 64, kPart = 16;
  const Tensor map = contiguous(call[0]);
  const std::int64_t n = map.dim(0), kernels = map.dim(1);
  const auto* from = map.read<std::int32_t>();
  auto *reorder = out[0].write<std::int32_t>(), *sorted = out[1].write<std::int32_t>();
  auto *columns = out[2].write<std::int32_t>(), *tiles = out[3].write<std::int32_t>();
  const Room<Masked> order = sorted_masks(from, n, kernels);
  std::fill(tiles, tiles + out[3].size(), 0);
  parallel_for((n + kTile - 1) / kTile, kTile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin * kTile; first < std::min(n, end * kTile); first += kTile) {
      const std::int64_t last = std::min(n, first + kTile);
      for (std::int64_t i = first; i < last; ++i) {
        const Masked& m = order[static_cast<std::size_t>(i)];
        reorder[i] = m.row;
        std::copy_n(from + m.row * kernels, kernels, sorted + i * kernels);
        tiles[i / kPart] = static_cast<std::int32_t>(static_cast<std::uint32_t>(tiles[i / kPart]) | m.mask);
      }
      for (std::int64_t k = 0; k < kernels; ++k)
        for (std::int64_t i = first; i < last; ++i) columns[k * n + i] = sorted[i * kernels + k];
    }
  });
}

template <void (*F)(const Call&, std::vector<Tensor>&)>
Route route(std::string_view op, std::string_view name) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .prepare = host<F>};
}

}  // namespace

std::vector<Route> kernel_map_cpu_routes() {
  return {route<offsets<true>>("kernel_offsets", "cpu.columns"),
          route<offsets<false>>("indexed_kernel_offsets", "cpu.columns"),
          route<permutation>("kernel_row_permutation", "cpu.hash"),
          route<map_of<RelationKind::forward>>("forward_map", "cpu.merge"),
          route<map_of<RelationKind::submanifold>>("submanifold_map", "cpu.merge"),
          route<map_of<RelationKind::target>>("target_map", "cpu.merge"),
          route<map_of<RelationKind::target_transposed>>("target_transposed_map", "cpu.merge"),
          route<sorted_view>("sorted_implicit_gemm_view", "cpu.radix")};
}

}  // namespace plumb
