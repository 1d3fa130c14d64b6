#include "cli/journal.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/strict_json.h"
#include "reports/pages.h"

namespace plumb::cli {
namespace {

constexpr double kEvery = 10;  // seconds between two writes while an operation is timed
constexpr double kShare = 10;  // after a write, at least so many times as long without one

double now() {
  using std::chrono::duration;
  return duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

reports::Coverage sum(const reports::Coverage& before, reports::Coverage now) {
  std::map<std::vector<std::string>, std::pair<std::int64_t, std::int64_t>> old(before.begin(), before.end());
  for (auto& [where, times] : now)
    if (const auto it = old.find(where); it != old.end())
      times.first += it->second.first, times.second += it->second.second;
  return now;
}

}  // namespace

Journal::Journal(std::string path, reports::Report begun)
    : path_(std::move(path)), report_(std::move(begun)), before_(report_.coverage) {}

void Journal::open() {
  const std::lock_guard lock(mutex_);
  if (open_) return;
  open_ = true;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  if (report_.checked.done == 0 && std::filesystem::exists(path_, error)) return;
  report_.coverage = sum(before_, reports::coverage());
  write();
}

void Journal::checked(const CheckResult& result, const Step& step) {
  const std::lock_guard lock(mutex_);
  report_.check = result;
  report_.checked = {step.operation, step.operations};
  grow(report_.checked.whole() ? 0 : kShare * cost_);
}

void Journal::timed(const BenchResult& result, const Step& step) {
  const std::lock_guard lock(mutex_);
  report_.bench = result;
  report_.timed = {step.done, step.total};
  const bool other = step.op != op_;
  op_ = step.op;
  grow(other ? kShare * cost_ : kEvery);
}

// A report that cannot be written now may be at the end; the work goes on.
void Journal::grow(double after) {
  report_.coverage = sum(before_, reports::coverage());
  grown_ = true;
  if (now() - written_ < after) return;
  try {
    write();
  } catch (const Error& e) {
    if (!warned_) std::fprintf(stderr, "plumb: the report so far is not saved: %s\n", e.what());
    warned_ = true;
  }
}

void Journal::write() {
  const double begin = now();
  write_file(path_, reports::text_of(reports::document(report_), 1) + "\n");
  written_ = now();
  cost_ = written_ - begin;
}

std::string Journal::finish(const CheckResult& check, const BenchResult& bench) {
  const std::lock_guard lock(mutex_);
  report_.check = check, report_.bench = bench;
  report_.coverage = sum(before_, reports::coverage());
  report_.complete = true;
  try {
    write();
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

bool Journal::stop() {
  mutex_.lock();
  if (grown_) write();
  return report_.checked.done > 0;
}

std::string differences(const reports::Report& begun,
                        const std::vector<std::pair<std::string, std::string>>& settings) {
  const std::map<std::string, std::string> old(begun.settings.begin(), begun.settings.end());
  std::string text;
  for (const auto& [name, value] : settings) {
    const auto it = old.find(name);
    const std::string was = it == old.end() ? "not known" : it->second.empty() ? "none" : it->second;
    if (it == old.end() || it->second != value)
      text += (text.empty() ? "" : "; ") + name + " was " + was + ", is " + (value.empty() ? "none" : value);
  }
  return text;
}

}  // namespace plumb::cli
