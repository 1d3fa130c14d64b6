#include "conformance/replay.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/text.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

void print_counts(const char* title, const std::map<std::string, std::int64_t>& counts) {
  for (const auto& [what, times] : counts)
    std::printf("%s %lld: %s\n", title, static_cast<long long>(times), printable(what).c_str());
}

void print_missing(const std::map<std::string, std::int64_t>& ops) {
  if (ops.empty()) return;
  std::string text = "skipped, no such op here:";
  for (const auto& [op, times] : ops) text += " " + printable(op) + " " + std::to_string(times);
  std::printf("%s\n", text.c_str());
}

void print_result(const ReplayResult& result, const ReplayArgs& args) {
  const bool nothing = nothing_ran(result, args.route);
  for (const ReplayFailure& f : result.failures)
    std::printf("FAIL %s %s@%s\n     %s\n     %s\n", printable(f.case_id).c_str(), f.op.c_str(), f.route.c_str(),
                printable(f.message).c_str(), f.repro.c_str());
  print_counts("passed", result.by_route);
  if (args.verbose || nothing) print_counts("refused", result.refused);
  print_counts("skipped", result.skips);
  print_missing(result.no_row);
  if (nothing) std::puts("nothing was judged");
  std::printf("%lld elements compared\n", static_cast<long long>(result.compared));
  std::printf("%lld passed, %lld failed, %lld skipped\n", static_cast<long long>(result.passed),
              static_cast<long long>(result.failed), static_cast<long long>(result.skipped));
}

}  // namespace

int replay(const ReplayArgs& args) {
  Progress progress("replaying");
  const ReplayResult result =
      plumb::replay({args.folder, args.op, args.case_id, args.route, [&](const Step& step) { progress.show(step); }});
  progress.clear();
  if (args.json) std::puts(reports::text_of(reports::replay(result), 2).c_str());
  else print_result(result, args);
  if (nothing_ran(result, args.route)) return kSkipped;
  return result.passed > 0 && result.failed == 0 ? kGood : kFailed;
}

}  // namespace plumb::cli
