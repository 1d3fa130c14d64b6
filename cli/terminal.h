// What verbs print with: aligned tables on stdout, progress on stderr: one line that changes on a terminal,
// a line every half minute in a log, and nothing of what takes less than two seconds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/step.h"

namespace plumb::cli {

class Progress {
 public:
  explicit Progress(std::string doing);  // "judging"
  ~Progress();
  void show(const Step&);
  void clear();  // before anything else is printed

 private:
  std::string doing_;
  bool terminal_, shown_ = false;
  double begin_, next_;     // seconds: of the first step, and before which nothing is shown
  std::uint64_t done_ = 0;  // before the first step
  bool begun_ = false;
};

// "timing operation 3 of 119, matmul, about 4 min left: CASE". `seconds` were spent on the work behind, less the first
// `before` of it; nothing is said of the time left while too little of it is known.
std::string progress_text(const std::string& doing, const Step&, double seconds, std::uint64_t before);

// The first column is aligned left, and so is every column whose header starts with '<'.
class Table {
 public:
  explicit Table(std::vector<std::string> headers);
  void row(std::vector<std::string> cells);
  void print() const;

 private:
  std::vector<std::string> headers_;
  std::vector<bool> left_;
  std::vector<std::vector<std::string>> rows_;
};

std::string join(const std::vector<std::string_view>& parts, std::string_view separator);
std::string number(double value, int digits = 3);           // significant digits
std::string quantity(double value, std::string_view unit);  // "12.3 Gflop/s"
std::string duration(double seconds);                       // "12.3 us"

}  // namespace plumb::cli
