// The table of sites on the processor: full, with every site in one bucket, filled by several threads.
#include "optimized/sparse/sites/site_table.h"

#include <gtest/gtest.h>

#include <map>

#include "core/fill.h"

namespace plumb::cpu {
namespace {

Rows rows_of(const Tensor& t) { return {t.read<std::byte>(), t.dtype() == Dtype::i64, t.dim(0)}; }

// Every row, and one that is not there, against an ordered map.
void expect_lowest_rows(const SiteTable& table, const Rows& rows) {
  std::map<Coordinates, std::int32_t> lowest;
  for (std::int64_t i = 0; i < rows.count; ++i) lowest.emplace(coordinates(rows, i), static_cast<std::int32_t>(i));
  std::vector<std::uint8_t> flag(static_cast<std::size_t>(rows.count), 0);
  table.mark_lowest(flag.data());
  table.find(rows, 0, rows.count, [&](std::int64_t i, std::int32_t row) {
    const std::int32_t wanted = lowest.at(coordinates(rows, i));
    EXPECT_EQ(row, wanted);
    EXPECT_EQ(table.find(coordinates(rows, i)), wanted);
    EXPECT_EQ(flag[static_cast<std::size_t>(i)], wanted == i);
  });
  EXPECT_EQ(table.find({77, 77, 77, 77}), -1);
}

TEST(SiteTable, OneEmptySlotIsEnough) {
  for (const char* fill_name : {"sites_block", "sites_colliding", "sites_duplicates-2", "sites_extremes", "const--1"})
    for (const Dtype t : {Dtype::i32, Dtype::i64}) {
      const Tensor sites = fill({t, {255, 4}}, fill_name, 3);
      expect_lowest_rows(SiteTable(rows_of(sites), 256), rows_of(sites));
    }
}

TEST(SiteTable, AnEmptyTableFindsNothing) {
  const Tensor sites = fill({Dtype::i32, {0, 4}}, "sites_block", 3);
  expect_lowest_rows(SiteTable(rows_of(sites)), rows_of(sites));
}

// How many rows are not answered by the lowest row of their site, which `lowest` gives.
std::int64_t mistaken(const Rows& rows, const std::vector<std::int32_t>& lowest) {
  std::int64_t wrong = 0;
  SiteTable(rows).find(rows, 0, rows.count,
                       [&](std::int64_t i, std::int32_t row) { wrong += row != lowest[static_cast<std::size_t>(i)]; });
  return wrong;
}

TEST(SiteTable, TheLowestRowStaysWhateverTheThreadsDo) {
  const int before = threads();
  for (const char* fill_name : {"sites_duplicates-3", "sites_duplicates-20000", "const--1"})
    for (const Dtype t : {Dtype::i32, Dtype::i64}) {
      const Tensor sites = fill({t, {60000, 4}}, fill_name, 5);
      const Rows rows = rows_of(sites);
      set_threads(1);
      std::vector<std::int32_t> lowest(static_cast<std::size_t>(rows.count));
      const SiteTable alone(rows);
      alone.find(rows, 0, rows.count,
                 [&](std::int64_t i, std::int32_t row) { lowest[static_cast<std::size_t>(i)] = row; });
      set_threads(4);
      for (int i = 0; i < 25; ++i) EXPECT_EQ(mistaken(rows, lowest), 0) << fill_name;
    }
  set_threads(before);
}

// Groups of rows of which every fifth is left out, against an ordered map.
void expect_groups(const Rows& rows) {
  std::vector<std::uint8_t> kept(static_cast<std::size_t>(rows.count));
  std::map<Coordinates, std::vector<std::int32_t>> of;
  std::vector<Coordinates> order;
  for (std::int64_t i = 0; i < rows.count; ++i) {
    if (i % 5 == 0) continue;
    kept[static_cast<std::size_t>(i)] = 1;
    std::vector<std::int32_t>& members = of[coordinates(rows, i)];
    if (members.empty()) order.push_back(coordinates(rows, i));
    members.push_back(static_cast<std::int32_t>(i));
  }
  const SiteGroups groups(rows, kept.data());
  ASSERT_EQ(groups.sites, std::ssize(order));
  for (std::int64_t site = 0; site < groups.sites; ++site) {
    const auto* begin = groups.members.data + groups.offsets[site];
    EXPECT_EQ(std::vector(begin, begin + groups.rows(site)), of[order[static_cast<std::size_t>(site)]]);
    for (std::int32_t j = 0; j < groups.rows(site); ++j) EXPECT_EQ(groups.number[begin[j]], site);
  }
  for (std::int64_t i = 0; i < rows.count; i += 5) EXPECT_EQ(groups.number[i], groups.sites);
}

TEST(SiteTable, GroupsAreNumberedAsTheirSitesCome) {
  const int before = threads();
  for (const int count : {1, 4}) {
    set_threads(count);
    for (const char* fill_name : {"sites_duplicates-3", "sites_duplicates-20000", "sites_colliding", "const-0"})
      for (const std::int64_t n : {0, 1, 7, 300, 20000}) {
        if (n > 300 && std::string_view(fill_name) == "sites_colliding") continue;
        for (const Dtype t : {Dtype::i32, Dtype::i64}) expect_groups(rows_of(fill({t, {n, 4}}, fill_name, 5)));
      }
  }
  set_threads(before);
}

// What the fill promises to the cases of every family that looks sites up.
TEST(SiteTable, CollidingSitesAreDistinctAndShareTheirHash) {
  const Tensor wide = fill({Dtype::i64, {300, 4}}, "sites_colliding", 7),
               narrow = fill({Dtype::i32, {300, 4}}, "sites_colliding", 7);
  const auto* w = wide.read<std::int64_t>();
  const auto* n = narrow.read<std::int32_t>();
  for (std::int64_t i = 1; i < 300; ++i) {
    EXPECT_EQ(site_hash(w + 4 * i), site_hash(w));
    EXPECT_EQ(site_hash(n + 4 * i) & 1023, 0u);
    EXPECT_NE(coordinates(rows_of(wide), i), coordinates(rows_of(wide), i - 1));
    EXPECT_NE(coordinates(rows_of(narrow), i), coordinates(rows_of(narrow), i - 1));
  }
}

}  // namespace
}  // namespace plumb::cpu
