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

reports::Json to_json(const Call& call, const std::string& case_id, const Decision& decision,
                      const std::string& order) {
  reports::Json out{{"case", case_id},
                    {"device", current_device().facts.name},
                    {"tier", name(current_device().tier)},
                    {"chosen", decision.route->name},
                    {"order", order},
                    {"routes", reports::Json::array()}};
  if (const std::string why = reason_of(*call.op, case_id); !why.empty()) out["why"] = why;
  for (const Line& l : lines_of(decision, call))
    out["routes"].push_back(
        {{"route", l.route->name}, {"verdict", l.verdict}, {"stage", l.stage}, {"reason", l.reason}});
  return out;
}

void print(const Call& call, const std::string& case_id, const Decision& decision, const std::string& order) {
  const DeviceFacts& facts = current_device().facts;
  std::printf("%s\n", case_id.c_str());
  if (const std::string why = reason_of(*call.op, case_id); !why.empty()) std::printf("why: %s\n", why.c_str());
  std::printf("on %s, tier %s\n", facts.index < 0 ? "the host alone" : facts.name.c_str(),
              std::string(name(current_device().tier)).c_str());
  Table table({"<verdict", "<route", "<stage", "<reason"});
  for (const Line& l : lines_of(decision, call))
    table.row({std::string(l.verdict), std::string(l.route->name), std::string(l.stage), l.reason});
  table.print();
  std::printf("sums in the order: %s\n", order.c_str());
}

}  // namespace

int explain(const ExplainArgs& args) {
  reports::Json all = reports::Json::array();
  for (const Target& target : targets_of(args.target)) {
    const Case& c = target.parsed.call;
    const Call call = make_call(*target.parsed.op, hollow(c), c.attrs);
    const Decision decision = select(call, current_device(), target.route);
    const Route& chosen = *decision.route;
    const std::string order = chosen.order ? to_string(chosen.order(call)) : "exact", case_id = id(*call.op, c);
    if (args.json) all.push_back(to_json(call, case_id, decision, order));
    else print(call, case_id, decision, order);
  }
  if (args.json) std::puts(reports::text_of(all.size() == 1 ? all[0] : all, 2).c_str());
  return kGood;
}

}  // namespace plumb::cli
