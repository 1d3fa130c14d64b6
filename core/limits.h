// Inner constants: numbers that decide how a route cuts its work, and never what comes out.
//
// Blocks, panels, parts and thresholds are made for sizes that no test can afford, so what lies behind them would run
// in benchmarks alone. Each is a Limit with a second, small value: where small limits hold, small cases cross them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace plumb {

namespace detail {
extern std::atomic<bool> small_limits;
}

// Whether the small values hold: PLUMB_LIMITS=small, or as set. parallel_for then cuts whatever it can (core/pool.h).
inline bool small_limits() { return detail::small_limits.load(std::memory_order_relaxed); }
void set_small_limits(bool);

class Limit {
 public:
  // small is at most usual, so that `usual` may be the size of an array.
  constexpr Limit(const char* limit_name, std::int64_t usual_value, std::int64_t small_value)
      : name(limit_name), usual(usual_value), small(small_value) {}

  std::int64_t now() const { return small_limits() ? small : usual; }

  // The same, asked for the sake of an extent: on which side of the limit that lies is remembered.
  std::int64_t of(std::int64_t extent) const {
    const std::int64_t value = now();
    const auto side = static_cast<std::uint8_t>(extent > value ? kBeyond : kWithin);
    if ((seen_.load(std::memory_order_relaxed) & side) == 0) note(side);
    return value;
  }

  const char* const name;
  const std::int64_t usual, small;

 private:
  friend std::vector<struct LimitSides> limits_seen();
  friend void forget_limits();
  static constexpr std::uint8_t kWithin = 1, kBeyond = 2;
  void note(std::uint8_t side) const;
  mutable std::atomic<std::uint8_t> seen_{0};
};

// What was asked since the start, or since forget_limits(): by name, since vector code exists once per instruction set.
struct LimitSides {
  std::string name;
  bool within = false, beyond = false;
};
std::vector<LimitSides> limits_seen();

// Calls of parallel_for that gave work to several threads, as "file:line".
void note_split(const char* file, unsigned line);
std::vector<std::string> splits_seen();

void forget_limits();

}  // namespace plumb
