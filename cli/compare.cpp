#include "cli/compare.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/files.h"
#include "core/text.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

void print_wrong(const char* title, const std::vector<reports::Wrong>& all) {
  for (const reports::Wrong& w : all)
    std::printf("%s %s\n     %s\n     %s\n", title, printable(w.what).c_str(), printable(w.message).c_str(),
                printable(w.repro).c_str());
}

void print_held(const char* title, const std::vector<reports::Held>& all) {
  for (const reports::Held& h : all)
    std::printf("%s %s: %lld before, %lld now%s\n", title, printable(h.what).c_str(), static_cast<long long>(h.older),
                static_cast<long long>(h.newer), h.why.empty() ? "" : (": " + printable(h.why)).c_str());
}

void print_paces(const reports::Comparison& c, bool all) {
  Table table({"verdict", "<case", "<route", "<mode", "threads", "older", "newer", "ratio", "low", "high"});
  std::size_t shown = 0;
  for (const reports::Pace& p : c.rows) {
    const reports::Speed s = p.ratio.verdict;
    if (!all && s != reports::Speed::slower && s != reports::Speed::faster) continue;
    ++shown;
    table.row({std::string(name(s)), printable(p.case_id), printable(p.route), printable(p.mode),
               p.threads ? std::to_string(p.threads) : "-", duration(p.older), duration(p.newer), number(p.ratio.value),
               number(p.ratio.low), number(p.ratio.high)});
  }
  if (shown > 0) table.print();
}

void print(const reports::Comparison& c, bool all) {
  for (const std::string& o : c.older) std::printf("older  %s\n", printable(o).c_str());
  std::printf("newer  %s\n", printable(c.newer).c_str());
  for (const std::string& o : c.otherwise) std::printf("otherwise: %s\n", printable(o).c_str());
  print_wrong("BROKE", c.broke);
  print_wrong("right again", c.mended);
  print_held("vanished", c.vanished);
  print_held("appeared", c.appeared);
  for (const std::string& r : c.redefined) std::printf("counts other work, not compared: %s\n", printable(r).c_str());
  print_paces(c, all);
  if (!c.rows.empty())
    std::printf(
        "noise between the runs %s %%, within one %s %%; all rows together took %s times as long, which is "
        "taken for the machine's\n",
        number(100 * c.noise).c_str(), number(100 * c.within).c_str(), number(c.shift).c_str());
  if (!c.anything) std::puts("the reports have nothing in common");
  std::printf("%s\n", reports::verdict(c).c_str());
}

}  // namespace

std::vector<reports::Named> read_reports(const std::vector<std::string>& paths) {
  std::vector<reports::Named> all;
  for (const std::string& path : paths) all.push_back({path, reports::read_findings(path)});
  return all;
}

int against(const std::vector<reports::Named>& older, const reports::Named& newer, const std::string& page, bool common,
            bool quiet) {
  const reports::Comparison c = reports::compare(older, newer, CompareArgs().margin);
  write_file(page, reports::markdown(c));
  if (!quiet) print(c, false);
  return c.worse(common) ? kFailed : kGood;
}

int compare(const CompareArgs& args) {
  std::vector<reports::Named> older = read_reports(args.reports);
  const reports::Named newer = std::move(older.back());
  older.pop_back();
  const reports::Comparison c = reports::compare(older, newer, args.margin);
  if (args.json) std::puts(reports::text_of(reports::to_json(c), 2).c_str());
  else if (args.markdown) std::fputs(reports::markdown(c).c_str(), stdout);
  else print(c, args.verbose);
  if (c.worse(args.common)) return kFailed;
  return c.anything ? kGood : kSkipped;
}

}  // namespace plumb::cli
