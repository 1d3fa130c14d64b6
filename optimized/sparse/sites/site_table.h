// Rows found by their coordinates, and rows kept in order: what the CPU routes of sparse rows are made of.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/sparse/sites/relation.h"

namespace plumb::cpu {

// As sites_colliding of reference/sparse/sites/site_fills.cpp expects it.
template <class T>
std::uint64_t site_hash(const T* site) {
  const auto word = [site](int a) { return static_cast<std::uint64_t>(std::int64_t{site[a]}); };
  std::uint64_t h = word(0) * 0x9E3779B97F4A7C15u + word(1);
  h = (h ^ h >> 29) * 0xBF58476D1CE4E5B9u + word(2);
  h = (h ^ h >> 32) * 0x94D049BB133111EBu + word(3);
  h = (h ^ h >> 29) * 0xD6E8FEB86659FD93u;
  return h ^ h >> 32;
}

// The lowest row of each site of a list, whose rows must outlive the table. Open addressing, linear probing. A slot
// is 32 bits of the hash above the row. Threads fill it together: a slot, once taken, stays with its site and settles
// on the site's lowest row, so that every lookup has one answer whatever the schedule was.
class SiteTable {
 public:
  // kept: optional flags, one a row; unflagged rows are skipped. first: optional output, for each row the lowest row
  // with the same site, -1 for skipped ones.
  explicit SiteTable(const Rows& rows, const std::uint8_t* kept = nullptr, std::int32_t* first = nullptr)
      : SiteTable(rows, std::bit_ceil(static_cast<std::uint64_t>(2 * rows.count + 2)), kept, first) {}
  // slots: a power of two above the number of rows.
  SiteTable(const Rows& rows, std::uint64_t slots, const std::uint8_t* kept = nullptr, std::int32_t* first = nullptr)
      : rows_(rows), mask_(slots - 1), slots_(static_cast<std::int64_t>(slots)) {
    assert(std::has_single_bit(slots) && slots > static_cast<std::uint64_t>(rows.count));
    parallel_for(static_cast<std::int64_t>(slots), 16 * kGrain, [this](std::int64_t begin, std::int64_t end) {
      std::fill(slots_.data + begin, slots_.data + end, kEmpty);
    });
    rows.wide ? fill<std::int64_t>(kept, first) : fill<std::int32_t>(kept, first);
  }

  std::int32_t find(const Coordinates& c) const {  // -1: nowhere
    const std::uint64_t h = site_hash(c.data());
    return probe(h, [&](std::int64_t row) { return coordinates(rows_, row) == c; });
  }

  // found(q, row) for the queries [begin, end), whose dtype is that of the table's rows. The slots of several queries
  // are on their way from memory at once, then the rows that they name.
  template <class Found>
  void find(const Rows& queries, std::int64_t begin, std::int64_t end, Found&& found) const {
    assert(queries.wide == rows_.wide);
    queries.wide ? find_all<std::int64_t>(queries, begin, end, found)
                 : find_all<std::int32_t>(queries, begin, end, found);
  }
  void find(const Rows& queries, std::int32_t* to) const {
    parallel_for(queries.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      find(queries, begin, end, [to](std::int64_t q, std::int32_t row) { to[q] = row; });
    });
  }

  // A lookup in three steps, for a caller that has many under way: the slot asked for, then the row that it names,
  // then the answer. The site has the dtype of the table's rows.
  template <class T>
  std::uint64_t ask(const T* site) const {
    const std::uint64_t h = site_hash(site);
    __builtin_prefetch(slots_.data + slot_of(h));
    return h;
  }
  template <class T>
  void ask_row(std::uint64_t h) const {
    if (const std::uint64_t slot = slots_[slot_of(h)]; slot != kEmpty) __builtin_prefetch(site<T>(rows_, row_of(slot)));
  }
  template <class T>
  std::int32_t answer(const T* wanted, std::uint64_t h) const {
    return probe(h, [&](std::int64_t row) { return same(site<T>(rows_, row), wanted); });
  }

  // flag[i] = 1 for each row that is the lowest of its site; the others are left as they are.
  void mark_lowest(std::uint8_t* flag) const {
    parallel_for(static_cast<std::int64_t>(mask_) + 1, 16 * kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t s = begin; s < end; ++s)
        if (slots_[s] != kEmpty) flag[row_of(slots_[s])] = 1;
    });
  }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // no row is 2^32 - 1
  static constexpr std::int64_t kGrain = 4096, kAhead = 32;
  static constexpr Limit kAlone{"site_table.alone", 2 * kGrain, 12};  // rows from which threads share the filling
  using Hashes = std::array<std::uint64_t, kAhead>;

  static std::int64_t row_of(std::uint64_t slot) { return static_cast<std::int64_t>(slot & 0xFFFFFFFF); }
  static std::uint64_t entry_of(std::uint64_t h, std::int64_t row) {
    return h >> 32 << 32 | static_cast<std::uint64_t>(row);
  }
  std::int64_t slot_of(std::uint64_t h) const { return static_cast<std::int64_t>(h & mask_); }
  template <class T>
  static const T* site(const Rows& rows, std::int64_t i) {
    return static_cast<const T*>(rows.data) + 4 * i;
  }
  template <class T>
  static bool same(const T* a, const T* b) {
    return std::memcmp(a, b, 4 * sizeof(T)) == 0;
  }

  // each(i, hash) in order, the slots of the next few sites asked for beforehand.
  template <class T, class Between, class Each>
  void ahead(const Rows& rows, std::int64_t begin, std::int64_t end, Between&& between, Each&& each) const {
    Hashes h;
    for (std::int64_t i = begin; i < end; i += kAhead) {
      const auto m = static_cast<std::size_t>(std::min(kAhead, end - i));
      for (std::size_t j = 0; j < m; ++j) h[j] = ask(site<T>(rows, i) + 4 * j);
      for (std::size_t j = 0; j < m; ++j) between(h[j]);
      for (std::size_t j = 0; j < m; ++j) each(i + static_cast<std::int64_t>(j), h[j]);
    }
  }

  template <class T>
  void fill(const std::uint8_t* kept, std::int32_t* first) {
    const auto nothing = [](std::uint64_t) {};
    const auto wanted = [kept](std::int64_t i) { return kept == nullptr || kept[i] != 0; };
    if (rows_.count < kAlone.of(rows_.count) || (threads() == 1 && !small_limits()))
      return ahead<T>(rows_, 0, rows_.count, nothing, [&](std::int64_t i, std::uint64_t h) {
        const std::int64_t lowest = wanted(i) ? insert_alone<T>(i, h) : -1;
        if (first) first[i] = static_cast<std::int32_t>(lowest);
      });
    parallel_for(rows_.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      ahead<T>(rows_, begin, end, nothing, [&](std::int64_t i, std::uint64_t h) {
        if (wanted(i)) insert_shared<T>(i, h);
      });
    });
    if (!first) return;
    parallel_for(rows_.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      find(rows_, begin, end, [&](std::int64_t i, std::int32_t row) { first[i] = wanted(i) ? row : -1; });
    });
  }

  // Rows come in ascending order: the first of a site stays. Gives it.
  template <class T>
  std::int64_t insert_alone(std::int64_t i, std::uint64_t h) {
    std::int64_t s = slot_of(h);
    for (; slots_[s] != kEmpty; s = slot_of(static_cast<std::uint64_t>(s) + 1))
      if (slots_[s] >> 32 == h >> 32 && same(site<T>(rows_, row_of(slots_[s])), site<T>(rows_, i)))
        return row_of(slots_[s]);
    slots_[s] = entry_of(h, i);
    return i;
  }

  template <class T>
  void insert_shared(std::int64_t i, std::uint64_t h) {
    const std::uint64_t entry = entry_of(h, i);
    for (std::int64_t s = slot_of(h);; s = slot_of(static_cast<std::uint64_t>(s) + 1)) {
      const std::atomic_ref<std::uint64_t> slot(slots_[s]);
      std::uint64_t seen = slot.load(std::memory_order_relaxed);
      if (seen == kEmpty && slot.compare_exchange_strong(seen, entry, std::memory_order_relaxed)) return;
      if (seen >> 32 != h >> 32 || !same(site<T>(rows_, row_of(seen)), site<T>(rows_, i))) continue;
      while (entry < seen && !slot.compare_exchange_weak(seen, entry, std::memory_order_relaxed)) {
      }
      return;
    }
  }

  template <class Same>
  std::int32_t probe(std::uint64_t h, Same&& same_site) const {
    for (std::int64_t s = slot_of(h); slots_[s] != kEmpty; s = slot_of(static_cast<std::uint64_t>(s) + 1))
      if (slots_[s] >> 32 == h >> 32 && same_site(row_of(slots_[s])))
        return static_cast<std::int32_t>(row_of(slots_[s]));
    return -1;
  }

  template <class T, class Found>
  void find_all(const Rows& queries, std::int64_t begin, std::int64_t end, Found&& found) const {
    ahead<T>(
        queries, begin, end, [this](std::uint64_t h) { ask_row<T>(h); },
        [&](std::int64_t q, std::uint64_t h) { found(q, answer(site<T>(queries, q), h)); });
  }

  Rows rows_;
  std::uint64_t mask_;
  Block<std::uint64_t> slots_;
};

inline constexpr Limit kCompactRun{"site_table.compact_run", 4096, 6};  // elements of a run

// Keeps some of n elements in order, in two passes over runs of them: count(begin, end) says how much a run gives,
// write(begin, end, at) puts it at position `at` and behind. Gives the whole count.
template <class Count, class Write>
std::int64_t compact_runs(std::int64_t n, Count&& count, Write&& write) {
  const std::int64_t runs = std::clamp<std::int64_t>(n / kCompactRun.of(n), 1, 4 * threads());
  Room<std::int64_t> at(static_cast<std::size_t>(runs) + 1, 0);
  const auto begin = [&](std::int64_t run) { return n * run / runs; };
  parallel_each(runs,
                [&](std::int64_t run) { at[static_cast<std::size_t>(run) + 1] = count(begin(run), begin(run + 1)); });
  std::partial_sum(at.begin(), at.end(), at.begin());
  parallel_each(runs, [&](std::int64_t run) { write(begin(run), begin(run + 1), at[static_cast<std::size_t>(run)]); });
  return at.back();
}

// Calls place(i, at) for every i in [0, n) with keep(i), at = first, first + 1, ... in order of i; gives the next.
template <class Keep, class Place>
std::int64_t compact(std::int64_t n, std::int64_t first, Keep&& keep, Place&& place) {
  const auto count = [&](std::int64_t begin, std::int64_t end) {
    std::int64_t kept = 0;
    for (std::int64_t i = begin; i < end; ++i) kept += keep(i) ? 1 : 0;
    return kept;
  };
  return first + compact_runs(n, count, [&](std::int64_t begin, std::int64_t end, std::int64_t at) {
           for (std::int64_t i = begin; i < end; ++i)
             if (keep(i)) place(i, first + at++);
         });
}

// Rows by site: sites numbered as they come, the rows of each ascending.
struct SiteGroups {
  std::int64_t sites = 0;
  Block<std::int32_t> number;            // of each row's site; `sites` for a row that is not kept
  Block<std::int32_t> offsets, members;  // those not kept are a last group

  explicit SiteGroups(const Rows& rows, const std::uint8_t* kept = nullptr) : number(rows.count), members(rows.count) {
    const Block<std::int32_t> first(rows.count);
    SiteTable(rows, kept, first.data);
    sites = compact(
        rows.count, 0, [&](std::int64_t i) { return first[i] == i; },
        [&](std::int64_t i, std::int64_t at) { number[i] = static_cast<std::int32_t>(at); });
    parallel_for(rows.count, 4096, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        if (first[i] != i) number[i] = first[i] < 0 ? static_cast<std::int32_t>(sites) : number[first[i]];
    });
    offsets = Block<std::int32_t>(sites + 2);
    group_edges(number.data, rows.count, sites + 1, offsets.data, members.data);
  }
  std::int32_t rows(std::int64_t site) const { return offsets[site + 1] - offsets[site]; }
};

}  // namespace plumb::cpu
