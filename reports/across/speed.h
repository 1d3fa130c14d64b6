// How much longer what two runs timed took in the newer one, with an interval that holds the noise between runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb::reports {

// One row as each of the runs timed it, the newer run last.
struct Timed {
  std::string op;
  bool on_device = false;
  std::vector<double> seconds;  // medians of the repetitions, above 0
  double error = 0;             // of the logarithm of newer over older, by the repetitions alone
};

enum class Speed { faster, same, slower, ambiguous };
std::string_view name(Speed);

// Newer over older: 2 took twice as long.
struct Ratio {
  double value = 1, low = 1, high = 1;
  Speed verdict = Speed::ambiguous;
};

struct Speeds {
  std::vector<Ratio> rows;  // as they were given
  double shift = 1;         // newer over older of the row in the middle: the machine's, no row is blamed for it
  double noise = 0;         // of a ratio between the runs, and within one: the rows in the middle
  double within = 0;
};

// The rows in the order in which the newer run timed them. `margin` 0.1: what lies between 1 / 1.1 and 1.1 is the same.
//
// Two runs of one program differ by far more than the repetitions of either: what else the machine did lasted longer
// than a row. So the noise is taken from the rows themselves, most of which have not changed:
//
//   d(i)  the logarithm of newer over older
//   m(i)  the median of d over the rows of other operations that were timed next to i: what the machine did meanwhile
//   s(i)  the scale of d - m over the rows of other operations that take about as long as i; with several older runs
//         also of their differences from each other. No less than the scale over the rows next to i, or the error by
//         the repetitions
//   c     as many scales as noise reaches once in 20 such comparisons, in any of their rows: its tail goes on as
//         exponentially as it begins
//
// The interval is exp(d(i) - m(i) -+ c s(i)). Where it lies within the margin the row is the same, where it leaves 1
// out faster or slower. With few rows of other operations m is 0 and s is 0.1.
Speeds compare_speeds(const std::vector<Timed>&, double margin);

}  // namespace plumb::reports
