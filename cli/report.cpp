#include "reports/report.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/bench.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/words.h"
#include "core/strict_json.h"
#include "generated/version.h"

namespace plumb::cli {
namespace {

CheckResult checked(const ReportArgs& args) {
  Progress progress;
  CheckOptions options;
  options.queries = args.queries;
  options.budget = budget_named(args.budget);
  options.salt = salt_named(args.salt);
  options.progress = [&](const std::string&, const std::string& case_id, std::size_t done, std::size_t total) {
    progress.show(case_id, done, total);
  };
  return plumb::check(options);
}

// A word for the shell, whatever it holds.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Markdown and HTML need Python with matplotlib; without it the JSON stands alone.
void render(const std::string& json) {
  const std::string script = std::string(kSource) + "/reports/render.py";
  for (const std::string python : {"python3", "/usr/bin/python3"}) {
    if (std::system((python + " -c 'import matplotlib' 2>/dev/null").c_str()) != 0) continue;
    if (std::system((python + " " + quoted(script) + " " + quoted(json)).c_str()) == 0) return;
  }
  std::fprintf(stderr, "no pages: install python3-matplotlib, then run python3 %s %s\n", script.c_str(), json.c_str());
}

}  // namespace

int report(const ReportArgs& args) {
  const CheckResult check = checked(args);
  BenchArgs timing = args.bench;
  timing.queries = args.queries;
  timing.budget = args.budget;
  timing.salt = std::to_string(check.salt);  // the day may have changed
  const BenchResult bench = args.no_bench ? BenchResult{} : timed(timing);
  std::error_code error;
  std::filesystem::create_directories(args.out, error);
  const std::string path = args.out + "/report.json";
  const reports::Json document = reports::document(args.command, args.budget, check, bench);
  write_file(path, document.dump(1) + "\n");
  if (args.json) std::puts(document.dump(2).c_str());
  render(path);
  for (const Failure& f : check.failures)
    std::fprintf(stderr, "FAIL %s@%s: %s\n     %s\n", f.case_id.c_str(), f.route.c_str(), f.message.c_str(),
                 f.repro.c_str());
  const auto errors = reports::bench_errors(bench);
  for (const std::string& e : errors) std::fprintf(stderr, "ERROR %s\n", e.c_str());
  if (!args.json)
    std::printf("%s\n%lld passed, %lld failed, %lld skipped\n", path.c_str(), static_cast<long long>(check.passed),
                static_cast<long long>(check.failed), static_cast<long long>(check.skipped));
  return check.passed > 0 && check.failed == 0 && errors.empty() ? kGood : kFailed;
}

}  // namespace plumb::cli
