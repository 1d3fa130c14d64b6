// Times of two runs held against each other: noise alone is nobody's fault, and what changed is seen.
#include "reports/across/speed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace plumb::reports {
namespace {

// Numbers between 0 and 1, the same on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 1) {}
  double next() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return (static_cast<double>(state_ >> 11) + 0.5) / 9007199254740992.0;
  }
  // Of a distribution with exponential tails on both sides, whose mean size is 1: wilder than a normal one.
  double wild() {
    const double size = -std::log(next());
    return next() < 0.5 ? size : -size;
  }

 private:
  std::uint64_t state_;
};

// 60 operations of 15 rows in `runs` runs, times from 1 us to 1 s; noise, and minutes in which the machine is slower.
std::vector<Timed> runs_of(std::uint64_t seed, double noise, std::size_t runs = 2) {
  Dice dice(seed);
  std::vector<Timed> rows;
  for (int op = 0; op < 60; ++op)
    for (int k = 0; k < 15; ++k) {
      Timed row{"op" + std::to_string(op), op % 3 == 0, {}, noise / 4};
      const double seconds = std::pow(10, -6 * dice.next());
      for (std::size_t run = 0; run < runs; ++run) {
        const double busy = run + 1 == runs && op >= 20 && op < 40 ? 0.3 : 0;
        row.seconds.push_back(seconds * std::exp(busy + noise * dice.wild()));
      }
      rows.push_back(std::move(row));
    }
  return rows;
}

std::int64_t count(const Speeds& all, Speed s) {
  return std::count_if(all.rows.begin(), all.rows.end(), [&](const Ratio& r) { return r.verdict == s; });
}

void slow_down(std::vector<Timed>& rows, const std::string& op, double times) {
  for (Timed& row : rows)
    if (row.op == op) row.seconds.back() *= times;
}

TEST(Speed, NoiseAloneIsNoChange) {
  std::int64_t runs_with_alarm = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Speeds all = compare_speeds(runs_of(seed, 0.1), 0.1);
    runs_with_alarm += count(all, Speed::slower) + count(all, Speed::faster) > 0;
    EXPECT_NEAR(all.noise, 0.2, 0.04) << seed;  // of a difference of two, each with a standard deviation of 0.14
  }
  EXPECT_LE(runs_with_alarm, 4) << "one in twenty was promised";
}

TEST(Speed, WhatIsSlowerOrFasterIsSeenAndNothingElse) {
  std::vector<Timed> rows = runs_of(7, 0.02);
  slow_down(rows, "op11", 2), slow_down(rows, "op30", 0.5);
  const Speeds all = compare_speeds(rows, 0.1);
  EXPECT_EQ(count(all, Speed::slower), 15);
  EXPECT_EQ(count(all, Speed::faster), 15);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Ratio& r = all.rows[i];
    EXPECT_LE(r.low, r.value);
    EXPECT_LE(r.value, r.high);
    const double was = rows[i].op == "op11" ? 2 : rows[i].op == "op30" ? 0.5 : 1;
    EXPECT_TRUE(r.low <= was && was <= r.high) << rows[i].op << " " << r.low << " " << r.high;
  }
}

TEST(Speed, SameNeedsAnIntervalWithinTheMargin) {
  const std::vector<Timed> quiet = runs_of(3, 0.002), loud = runs_of(3, 0.1);
  // Not those next to the moment in which the machine became slower, or was itself again.
  EXPECT_GE(count(compare_speeds(quiet, 0.1), Speed::same), 700);
  EXPECT_EQ(count(compare_speeds(quiet, 0.1), Speed::slower) + count(compare_speeds(quiet, 0.1), Speed::faster), 0);
  EXPECT_EQ(count(compare_speeds(loud, 0.1), Speed::same), 0);
  EXPECT_EQ(count(compare_speeds(loud, 0.1), Speed::ambiguous), 900);
  EXPECT_EQ(count(compare_speeds(quiet, 0.001), Speed::same), 0);
}

TEST(Speed, OlderRunsTellTheNoiseOfARow) {
  std::vector<Timed> rows = runs_of(5, 0.005, 4);
  rows[100].seconds = {1, 1.7, 1, 1.7};  // it never was steady
  rows[200].seconds = {1, 1, 1, 1.7};
  const Speeds all = compare_speeds(rows, 0.1);
  EXPECT_EQ(all.rows[100].verdict, Speed::ambiguous);
  EXPECT_EQ(all.rows[200].verdict, Speed::slower);
}

TEST(Speed, TheErrorOfTheRepetitionsIsTheLeast) {
  std::vector<Timed> rows = runs_of(5, 0.005);
  slow_down(rows, "op11", 1.5);
  for (Timed& row : rows)
    if (row.op == "op11") row.error = 0.3;
  const Speeds all = compare_speeds(rows, 0.1);
  EXPECT_EQ(count(all, Speed::slower), 0);
}

TEST(Speed, OfOneOperationOnlyLargeChangesAreTold) {
  std::vector<Timed> rows = runs_of(9, 0.01);
  rows.resize(15);
  EXPECT_EQ(count(compare_speeds(rows, 0.1), Speed::slower), 0);
  slow_down(rows, "op0", 1.2);
  EXPECT_EQ(count(compare_speeds(rows, 0.1), Speed::slower), 0) << "the machine may have been";
  slow_down(rows, "op0", 2.5);
  EXPECT_EQ(count(compare_speeds(rows, 0.1), Speed::slower), 15);
  EXPECT_TRUE(compare_speeds({}, 0.1).rows.empty());
}

TEST(Speed, AMachineThatIsSlowerThroughoutIsAShift) {
  std::vector<Timed> rows = runs_of(2, 0.01);
  for (Timed& row : rows) row.seconds.back() *= 1.5;
  const Speeds all = compare_speeds(rows, 0.1);
  EXPECT_EQ(count(all, Speed::slower), 0);
  EXPECT_NEAR(all.shift, 1.5, 0.1);
}

}  // namespace
}  // namespace plumb::reports
