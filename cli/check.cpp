#include "conformance/check.h"

#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/words.h"
#include "conformance/record.h"
#include "core/files.h"
#include "core/ratio.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

void print_tallies(const CheckResult& result) {
  Table table({"op", "<route", "<tier", "ran", "passed", "failed", "refused", "absent", "mistrusted", "rejects",
               "worst ratio", "seconds"});
  for (const Tally& t : result.tallies)
    table.row({t.op, t.route, t.tier, std::to_string(t.ran), std::to_string(t.passed), std::to_string(t.failed),
               std::to_string(t.refused), std::to_string(t.absent), std::to_string(t.mistrusted),
               std::to_string(t.rejects), t.worst == 0 ? "-" : ratio_text(t.worst),
               t.seconds > 0 ? number(t.seconds) : "-"});
  table.print();
}

void print_reasons(const CheckResult& result) {
  for (const Tally& t : result.tallies)
    for (const auto& [reason, times] : t.reasons)
      std::printf("%s@%s not judged %lld: %s\n", t.op.c_str(), t.route.c_str(), static_cast<long long>(times),
                  reason.c_str());
  for (const Tally& t : result.tallies)
    if (t.worst > 0)
      std::printf("%s@%s worst %s: %s\n", t.op.c_str(), t.route.c_str(), ratio_text(t.worst).c_str(),
                  t.worst_case.c_str());
}

void print_failure(const Failure& f) {
  std::printf("FAIL %s@%s\n     %s\n     %s\n", f.case_id.c_str(), f.route.c_str(), f.message.c_str(), f.repro.c_str());
  for (const std::string& line : f.log) std::printf("     | %s\n", line.c_str());
}

std::string counted(const std::map<std::string, std::int64_t>& all) {
  std::string text;
  for (const auto& [what, times] : all)
    if (!what.empty()) text += (text.empty() ? "" : ", ") + what + " " + std::to_string(times);
  return text.empty() ? "" : " (" + text + ")";
}

// A line for each backend: what became of its cases and of the calls that it must refuse.
void print_backends(const CheckResult& result) {
  for (const Backend* b : backends()) {
    std::int64_t passed = 0, failed = 0, known = 0, refused = 0, mistrusted = 0;
    std::map<std::string, std::int64_t> causes;
    for (const Tally& t : result.tallies) {
      if (t.route != b->name()) continue;
      passed += t.passed, failed += t.failed, known += t.known, refused += t.refused, mistrusted += t.mistrusted;
      for (const auto& [cause, times] : t.causes) causes[cause] += times;
    }
    std::printf("%s %s: %lld passed, %lld failed%s, of them %lld as listed, %lld refused, %lld mistrusted\n",
                std::string(b->name()).c_str(), std::string(b->version()).c_str(), static_cast<long long>(passed),
                static_cast<long long>(failed) + known, counted(causes).c_str(), static_cast<long long>(known),
                static_cast<long long>(refused), static_cast<long long>(mistrusted));
  }
}

void print_settings(const CheckResult& result) {
  std::string text;
  for (const Setting& s : result.settings)
    text += (text.empty() ? "" : "; ") + to_string(s) + (why_absent(s).empty() ? "" : " (absent)");
  std::printf("CPU routes ran under each of: %s\n", text.c_str());
}

int exit_code(const CheckResult& result) {
  if (nothing_ran(result)) return kSkipped;
  return result.passed + result.known > 0 && result.failed == 0 ? kGood : kFailed;
}

}  // namespace

int check(const CheckArgs& args) {
  if (!args.save_failures.empty()) require_folder(args.save_failures);
  Progress progress("judging");
  CheckOptions options;
  options.queries = args.queries;
  options.budget = budget_named(args.budget);
  options.route = route_named(args.route);
  options.salt = salt_named(args.salt);
  options.shard = shard_named(args.shard);
  options.isas = isas_named(args.isas);
  options.threads = args.threads;
  for (const std::string& path : args.known) {
    std::vector<Known> more = read_known(path);
    std::move(more.begin(), more.end(), std::back_inserter(options.known));
  }
  options.progress = [&](const Step& step) { progress.show(step); };
  options.failed = [&](const Failure& f) {
    progress.clear();
    if (!args.json) print_failure(f);
  };
  const CheckResult result = plumb::check(options);
  progress.clear();
  const auto finish = [&] {
    if (!args.save_failures.empty()) save_failures(args.save_failures, result.failures);
    return exit_code(result);
  };
  if (args.json) {
    reports::Json json = reports::check(result);
    if (!options.shard.whole()) json["shard"] = to_string(options.shard);
    std::puts(reports::text_of(json, 2).c_str());
    return finish();
  }
  print_tallies(result);
  if (args.verbose) print_reasons(result);
  if (result.settings.size() > 1) print_settings(result);
  print_backends(result);
  if (result.salt) std::printf("salt %llu\n", static_cast<unsigned long long>(result.salt));
  if (nothing_ran(result)) std::printf("nothing ran: %s\n", why_nothing_ran(result).c_str());
  if (result.ran == 0 && !nothing_ran(result) && result.passed > 0)
    std::puts("calls that must be refused alone: the reference is not judged by itself, plumb replay asks it");
  std::printf("%lld cases ran on their routes, %lld calls were refused before any route, as they must be\n",
              static_cast<long long>(result.ran), static_cast<long long>(result.at_gate));
  std::printf("%lld elements compared, %lld cases mistrusted\n", static_cast<long long>(result.compared),
              static_cast<long long>(result.mistrusted));
  std::printf("%lld passed, %lld failed, %lld skipped\n", static_cast<long long>(result.passed),
              static_cast<long long>(result.failed), static_cast<long long>(result.skipped));
  return finish();
}

}  // namespace plumb::cli
