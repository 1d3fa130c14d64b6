#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/words.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

struct Line {
  const Route* route;
  std::string_view verdict;  // take, cannot, yields, spare
  std::string_view stage;
  std::string reason;
};

// Refused routes in the order tried, the chosen one, then what the rest would have said.
std::vector<Line> lines_of(const Decision& decision, const Call& call) {
  std::vector<Line> lines;
  for (const Refusal& r : decision.refused)
    lines.push_back({r.route, r.preference ? "yields" : "cannot", name(r.stage), r.reason});
  lines.push_back({decision.route, "take", "", ""});
  for (const Route& r : routes(*call.op)) {
    const bool listed = std::any_of(lines.begin(), lines.end(), [&](const Line& l) { return l.route == &r; });
    if (listed) continue;
    const std::string why = refusal(r, call, current_device());
    lines.push_back({&r, why.empty() ? "spare" : "cannot", "", why.empty() ? "could run; comes later" : why});
  }
  return lines;
}

}  // namespace

int explain(const ExplainArgs& args) {
  const Target target = target_of(args.target);
  const Case& c = target.parsed.call;
  const Call call = make_call(*target.parsed.op, hollow(c), c.attrs);
  const Decision decision = select(call, current_device(), target.route);
  const std::vector<Line> lines = lines_of(decision, call);
  const Route& chosen = *decision.route;
  const std::string order = chosen.order ? to_string(chosen.order(call)) : "exact";
  const DeviceFacts& facts = current_device().facts;
  if (args.json) {
    reports::Json out{{"case", id(*call.op, c)}, {"device", facts.name}, {"tier", name(current_device().tier)},
                      {"chosen", chosen.name},   {"order", order},       {"routes", reports::Json::array()}};
    for (const Line& l : lines)
      out["routes"].push_back(
          {{"route", l.route->name}, {"verdict", l.verdict}, {"stage", l.stage}, {"reason", l.reason}});
    std::puts(reports::text_of(out, 2).c_str());
    return kGood;
  }
  std::printf("%s\n", id(*call.op, c).c_str());
  std::printf("on %s, tier %s\n", facts.index < 0 ? "the host alone" : facts.name.c_str(),
              std::string(name(current_device().tier)).c_str());
  Table table({"<verdict", "<route", "<stage", "<reason"});
  for (const Line& l : lines)
    table.row({std::string(l.verdict), std::string(l.route->name), std::string(l.stage), l.reason});
  table.print();
  std::printf("sums in the order: %s\n", order.c_str());
  return kGood;
}

}  // namespace plumb::cli
