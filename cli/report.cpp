#include "reports/report.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/bench.h"
#include "cli/compare.h"
#include "cli/interrupt.h"
#include "cli/journal.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/words.h"
#include "core/device.h"
#include "core/files.h"
#include "core/fill.h"
#include "core/limits.h"
#include "core/pool.h"
#include "core/strict_json.h"
#include "core/text.h"
#include "generated/version.h"
#include "reports/pages.h"

namespace plumb::cli {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// A commit does not name a program that was built with changes; its bytes do.
std::string program() {
  std::string text = std::string(kVersion) + " " + kCommit;
  char build[32];
  std::snprintf(build, sizeof build, " build %08llx",
                static_cast<unsigned long long>(hash(read_file("/proc/self/exe")) & 0xffffffff));
  return text + build;
}

std::string plain(double value) { return reports::Json(value).dump(); }

std::string threads_timed(const std::vector<int>& all) {
  std::string text;
  for (const int t : all) text += (text.empty() ? "" : ",") + std::to_string(t);
  return text;
}

Settings settings_of(const ReportArgs& args, std::uint64_t salt) {
  const DeviceFacts& device = current_device().facts;
  std::string queries;
  for (const std::string& q : args.queries) queries += (queries.empty() ? "" : " ") + shell_word(q);
  return {{"program", program()},
          {"processor", processor_name()},
          {"instruction set", std::string(name(isa()))},
          {"threads", std::to_string(threads())},
          {"limits", small_limits() ? "small" : "usual"},
          {"device", device.name},
          {"driver", device.index < 0 ? "" : device.platform + ", " + device.version + ", " + device.driver},
          {"tier", std::string(name(current_device().tier))},
          {"queries", queries},
          {"budget", args.budget},
          {"salt", std::to_string(salt)},
          {"timing", args.no_bench ? "off" : "on"},
          {"routes timed", route_named(args.bench.route)},
          {"backends", backend_texts()},
          {"min-time", plain(args.bench.min_time)},
          {"launch-limit", plain(args.bench.launch_limit)},
          {"repetitions", std::to_string(args.bench.repetitions)},
          {"threads timed", threads_timed(args.bench.threads)},
          {"peers", args.bench.no_peers ? "off" : "on"},
          {"shard", to_string(shard_named(args.bench.shard))}};
}

reports::Report fresh(const ReportArgs& args) {
  reports::Report r;
  r.utc = reports::utc(), r.command = args.command, r.budget = args.budget;
  r.check.salt = r.bench.salt = salt_named(args.salt);
  r.settings = settings_of(args, r.check.salt);
  return r;
}

void warn_of_unfinished(const std::string& path) try {
  if (!std::filesystem::exists(path)) return;
  const reports::Report old = reports::parse(read_file(path), path);
  if (!old.complete)
    std::fprintf(stderr, "plumb: %s was unfinished (%s) and is begun anew; --resume would have gone on with it\n",
                 path.c_str(), reports::how_far(old).c_str());
} catch (const Error&) {
  return;  // what cannot be read cannot be gone on with either
}

// Of the day on which it began, and the one that was drawn then.
std::uint64_t salt_to_resume(const std::string& text, const reports::Report& begun) {
  if (is_drawn_salt(text)) return begun.check.salt;
  return text == "day" ? day_of(begun.utc) : salt_named(text);
}

// What --resume goes on with. Throws Error(query) if it would not be one run.
reports::Report begun_before(const ReportArgs& args, const std::string& path) {
  if (!std::filesystem::exists(path))
    throw Error("plumb", Reason::query, "--resume: there is no " + path + " to go on with");
  reports::Report r = reports::parse(read_file(path), path);
  const std::string wrong = differences(r, settings_of(args, salt_to_resume(args.salt, r)));
  if (!wrong.empty()) throw Error("plumb", Reason::query, "--resume: " + path + " was begun otherwise: " + wrong);
  if (r.complete) std::fprintf(stderr, "plumb: %s is complete, nothing is left to do\n", path.c_str());
  else ++r.runs;
  return r;
}

CheckResult checked(const ReportArgs& args, Journal& journal) {
  Progress progress("judging");
  const reports::Report& begun = journal.report();
  const CheckResult before = begun.check;
  CheckOptions options;
  options.queries = args.queries;
  options.budget = budget_named(args.budget);
  options.salt = before.salt;
  options.shard = shard_named(args.bench.shard);
  options.route = route_named("");
  if (!before.tallies.empty()) options.begun = &before;
  options.progress = [&](const Step& step) { journal.open(), progress.show(step); };
  options.op_done = [&](const CheckResult& result, const Step& step) { journal.checked(result, step); };
  return plumb::check(options);
}

BenchResult timed(const ReportArgs& args, Journal& journal) {
  if (args.no_bench) return journal.report().bench;
  BenchArgs timing = args.bench;
  timing.queries = with_benchmarks(args.queries, budget_named(args.budget));
  timing.budget = args.budget;
  if (timing.queries.empty() && !args.queries.empty()) {
    std::fprintf(stderr, "nothing is timed: no benchmark matches the query\n");
    return journal.report().bench;
  }
  const BenchResult before = journal.report().bench;
  timing.salt = std::to_string(before.salt);  // the day may have changed
  return timed(timing, &before, [&](const BenchResult& result, const Step& step) { journal.timed(result, step); });
}

std::string without_extension(std::filesystem::path path) { return path.replace_extension().string(); }

// "", or why there are no pages: the JSON stands without them.
std::string write_pages(const reports::Json& document, const std::string& base) try {
  reports::write_pages(document, base);
  return "";
} catch (const Error& e) {
  return e.what();
}

// Only the pages, from a report that was written before.
int pages(const ReportArgs& args) {
  const reports::Json document = reports::read_report(args.from);
  std::filesystem::path base = without_extension(args.from);
  if (!args.out.empty()) {
    make_folder(args.out);
    base = std::filesystem::path(args.out) / base.filename();
  }
  reports::write_pages(document, base.string());
  if (args.json) std::puts(reports::text_of(document, 2).c_str());
  else std::printf("%s.md\n%s.html\n", base.c_str(), base.c_str());
  return kGood;
}

void last_words(Journal& journal, int signal) {
  const bool any = journal.stop();
  const reports::Report& r = journal.report();
  std::fprintf(stderr, "%splumb: stopped by SIG%s, %s\n", isatty(STDERR_FILENO) ? "\n" : "", sigabbrev_np(signal),
               reports::how_far(r).c_str());
  if (!any) return;
  std::fprintf(stderr, "what was found is in %s; to go on: %s --resume\n", journal.path().c_str(), r.command.c_str());
  const std::string unsaved = write_pages(reports::document(r), without_extension(journal.path()));
  if (!unsaved.empty()) std::fprintf(stderr, "plumb: no pages: %s\n", unsaved.c_str());
}

void print_failures(const CheckResult& check, const std::vector<std::string>& errors) {
  for (const Failure& f : check.failures)
    std::fprintf(stderr, "FAIL %s@%s: %s\n     %s\n", f.case_id.c_str(), f.route.c_str(), f.message.c_str(),
                 f.repro.c_str());
  for (const std::string& e : errors) std::fprintf(stderr, "ERROR %s\n", e.c_str());
}

}  // namespace

int report(const ReportArgs& args) {
  if (!args.from.empty()) return pages(args);
  if (!args.no_bench)
    require_benchmarks(with_benchmarks(args.queries, budget_named(args.budget)), route_named(args.bench.route),
                       budget_named(args.budget));
  const std::string folder = args.out.empty() ? "out" : args.out, path = folder + "/report.json";
  require_folder(folder);
  const std::vector<reports::Named> older = read_reports(args.against);
  if (!args.resume) warn_of_unfinished(path);
  Journal journal(path, args.resume ? begun_before(args, path) : fresh(args));
  std::string unsaved;
  {
    const Interrupt interrupt([&](int signal) { last_words(journal, signal); });
    const CheckResult check = checked(args, journal);
    journal.open();
    unsaved = journal.finish(check, timed(args, journal));
  }
  const reports::Report& r = journal.report();
  const reports::Json document = reports::document(r);
  if (args.json) std::puts(reports::text_of(document, 2).c_str());
  if (nothing_ran(r.check)) std::fprintf(stderr, "nothing ran: %s\n", why_nothing_ran(r.check).c_str());
  const auto errors = reports::bench_errors(r.bench);
  print_failures(r.check, errors);
  if (unsaved.empty()) unsaved = write_pages(document, folder + "/report");
  if (!args.json && unsaved.empty()) std::puts(path.c_str());
  if (!args.json)
    std::printf("%lld passed, %lld failed, %lld skipped\n", static_cast<long long>(r.check.passed),
                static_cast<long long>(r.check.failed), static_cast<long long>(r.check.skipped));
  if (!unsaved.empty()) {
    std::fprintf(stderr, "plumb: the report is not saved: %s\n", unsaved.c_str());
    return kBad;
  }
  const bool part = !args.queries.empty() || args.no_bench ||
                    !shard_named(args.bench.shard).whole();  // of what the older ones may hold
  const int worse = older.empty() ? kGood : against(older, {path, document}, folder + "/against.md", part, args.json);
  if (nothing_ran(r.check) && errors.empty()) return kSkipped;
  return r.check.passed > 0 && r.check.failed == 0 && errors.empty() ? worse : kFailed;
}

}  // namespace plumb::cli
