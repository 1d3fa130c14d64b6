// Rows found by their coordinates, and rows kept in order: what the CPU routes of sparse rows are made of.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <memory>

#include "core/pool.h"
#include "optimized/relation.h"

namespace plumb::cpu {

using Coordinates = std::array<std::int64_t, 4>;

inline Coordinates coordinates(const Rows& rows, std::int64_t i) {
  return {rows.at(i, 0), rows.at(i, 1), rows.at(i, 2), rows.at(i, 3)};
}

// The lowest row of each site of a list. Threads fill it together: a slot, once taken, stays with its site and
// settles on the site's lowest row, so that every lookup has one answer whatever the schedule was.
class SiteTable {
 public:
  explicit SiteTable(const Rows& rows)
      : rows_(rows),
        mask_(std::bit_ceil(static_cast<std::uint64_t>(2 * rows.count + 2)) - 1),
        slots_(std::make_unique<std::atomic<std::uint64_t>[]>(mask_ + 1)) {
    parallel_for(rows.count, kGrain, [this](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) insert(i);
    });
  }

  std::int32_t find(const Coordinates& c) const {  // -1: nowhere
    const std::uint64_t h = hashed(c);
    for (std::uint64_t at = h & mask_;; at = (at + 1) & mask_) {
      const std::uint64_t slot = slots_[at].load(std::memory_order_relaxed);
      if (slot == 0) return -1;
      if (holds(slot, h, c)) return static_cast<std::int32_t>(row_of(slot));
    }
  }

 private:
  static constexpr std::int64_t kGrain = 4096;

  static std::uint64_t hashed(const Coordinates& c) {
    std::uint64_t h = 0;
    for (const std::int64_t v : c) {
      h = (h ^ static_cast<std::uint64_t>(v)) * 0x9E3779B97F4A7C15;
      h ^= h >> 29;
    }
    h *= 0xBF58476D1CE4E5B9;
    return h ^ h >> 32;
  }

  // A slot is 0, or the upper half of the site's hash and one more than its row.
  static std::int64_t row_of(std::uint64_t slot) { return static_cast<std::int64_t>(slot & 0xFFFFFFFF) - 1; }
  bool holds(std::uint64_t slot, std::uint64_t h, const Coordinates& c) const {
    return slot >> 32 == h >> 32 && coordinates(rows_, row_of(slot)) == c;
  }

  void insert(std::int64_t i) {
    const Coordinates c = coordinates(rows_, i);
    const std::uint64_t h = hashed(c), entry = (h >> 32 << 32) | static_cast<std::uint64_t>(i + 1);
    for (std::uint64_t at = h & mask_;; at = (at + 1) & mask_) {
      std::uint64_t slot = slots_[at].load(std::memory_order_relaxed);
      if (slot == 0 && slots_[at].compare_exchange_strong(slot, entry, std::memory_order_relaxed)) return;
      if (!holds(slot, h, c)) continue;
      while (entry < slot && !slots_[at].compare_exchange_weak(slot, entry, std::memory_order_relaxed)) {
      }
      return;
    }
  }

  Rows rows_;
  std::uint64_t mask_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> slots_;
};

// Calls place(i, at) for every i in [0, n) with keep(i), at = first, first + 1, ... in order of i; gives the next.
template <class Keep, class Place>
std::int64_t compact(std::int64_t n, std::int64_t first, Keep&& keep, Place&& place) {
  constexpr std::int64_t kChunk = 4096;
  const std::int64_t chunks = (n + kChunk - 1) / kChunk;
  std::vector<std::int64_t> start(static_cast<std::size_t>(chunks) + 1, first);
  const auto each = [&](auto&& f) {
    parallel_each(chunks, [&](std::int64_t c) { f(c, c * kChunk, std::min(n, (c + 1) * kChunk)); });
  };
  each([&](std::int64_t c, std::int64_t begin, std::int64_t end) {
    std::int64_t kept = 0;
    for (std::int64_t i = begin; i < end; ++i) kept += keep(i);
    start[static_cast<std::size_t>(c) + 1] = kept;
  });
  for (std::size_t c = 0; c + 1 < start.size(); ++c) start[c + 1] += start[c];
  each([&](std::int64_t c, std::int64_t begin, std::int64_t end) {
    std::int64_t at = start[static_cast<std::size_t>(c)];
    for (std::int64_t i = begin; i < end; ++i)
      if (keep(i)) place(i, at++);
  });
  return start.back();
}

}  // namespace plumb::cpu
