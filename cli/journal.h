// A report on its way: on disk as it grows, so that an end by a signal, a crash or a power cut loses little of it.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "conformance/step.h"
#include "reports/report.h"

namespace plumb::cli {

class Journal {
 public:
  // `begun`: an earlier part of the same run, or one with nothing in it.
  Journal(std::string path, reports::Report begun);

  const reports::Report& report() const { return report_; }
  const std::string& path() const { return path_; }

  // The arguments are good and the work begins. Where no report lies yet, this one is written, and so is one that is
  // gone on with; an older one stays until there is something to put in its place. Throws Error(file).
  void open();
  void checked(const CheckResult&, const Step&);  // an operation is behind
  void timed(const BenchResult&, const Step&);    // a case is behind
  // "", or why the report cannot be written: what was found is there to be printed all the same.
  std::string finish(const CheckResult&, const BenchResult&);

  // For an end in the middle: whether anything is there to go on with. No other call returns any more.
  bool stop();

 private:
  void grow(double after);  // written if the last time is so many seconds ago
  void write();

  const std::string path_;
  std::mutex mutex_;
  reports::Report report_;
  const reports::Coverage before_;  // of the earlier parts
  std::string op_;                  // that was timed last
  double written_ = 0, cost_ = 0;   // seconds: when, and what it took
  bool open_ = false, warned_ = false, grown_ = false;
};

// What an unfinished report was made under and is otherwise now, in words: "" if its run may go on.
std::string differences(const reports::Report& begun, const std::vector<std::pair<std::string, std::string>>& settings);

}  // namespace plumb::cli
