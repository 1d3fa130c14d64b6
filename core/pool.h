// A persistent pool of threads: workers spin briefly, then sleep.
#pragma once

#include <cstdint>
#include <functional>

namespace plumb {

// Where a call stands, as std::source_location, whose header not every parser of these files can read.
struct Place {
  const char* file = "";
  unsigned line = 0;
  static constexpr Place here(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    return {file, line};
  }
};

int threads();            // how many run at once, the caller included; PLUMB_THREADS or all cores
void set_threads(int n);  // 1 <= n; takes effect at the next parallel_for

// Calls f(begin, end) on disjoint ranges that cover [0, n), one range per thread at most; `grain` is
// the least work worth a thread, and nested calls run in the caller. Where small limits hold (core/limits.h), whatever
// can be cut is, by one thread if there is no other. The first exception is rethrown.
void parallel_for(std::int64_t n, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& f,
                  Place where = Place::here());

// Calls f(i) for i in [0, n), handed out one by one: for pieces of unequal cost.
void parallel_each(std::int64_t n, const std::function<void(std::int64_t)>& f);

}  // namespace plumb
