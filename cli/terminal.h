// What verbs print with: aligned tables on stdout, progress on stderr: one line that changes on a terminal,
// a line every half minute in a log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb::cli {

class Progress {
 public:
  Progress();
  ~Progress();
  void show(const std::string& what, std::size_t done, std::size_t total);
  void clear();  // before anything else is printed

 private:
  bool terminal_, shown_ = false;
  double last_ = 0;
};

// The first column is aligned left, and so is every column whose header starts with '<'.
class Table {
 public:
  explicit Table(std::vector<std::string> headers);
  void row(std::vector<std::string> cells);
  void print() const;
  std::string markdown() const;

 private:
  std::vector<std::string> headers_;
  std::vector<bool> left_;
  std::vector<std::vector<std::string>> rows_;
};

std::string join(const std::vector<std::string_view>& parts, std::string_view separator);
std::string number(double value, int digits = 3);           // significant digits; "-" for 0
std::string quantity(double value, std::string_view unit);  // "12.3 Gflop/s"
std::string duration(double seconds);                       // "12.3 us"

}  // namespace plumb::cli
