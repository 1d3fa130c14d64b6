#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/list_pages.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/words.h"
#include "conformance/check.h"
#include "conformance/query.h"
#include "core/alias.h"
#include "core/fill.h"
#include "core/gate.h"
#include "reports/report.h"

namespace plumb::cli {
namespace {

std::string attributes_of(const Op& op) { return op.attrs.empty() ? "" : to_string(op.attrs); }

std::string refusals_of(const std::vector<Condition>& conditions) {
  std::vector<std::string_view> texts;
  for (const Condition& c : conditions) texts.push_back(c.refusal);
  return join(texts, "; ");
}

Table ops_table(const std::vector<const Op*>& rows) {
  Table table({"op", "<signature", "<types", "<attributes", "<judged", "<equation"});
  for (const Op* op : rows)
    table.row({std::string(op->name), op->signature, op->types, attributes_of(*op),
               std::string(name(op->tolerance.kind)), std::string(op->equation)});
  return table;
}

// The declared order of a route on the first of the op's cases that it can run. That of a device's route may depend on
// the device, which no list asks for.
std::string order_of(const Op& op, const Route& route) {
  if (!route.order) return "exact";
  if (route.needs != Tier::unavailable) return "the device's";
  for (const Case& c : cases_of(op, Budget::ci)) {
    const Call call = make_call(op, hollow(c), c.attrs);
    bool fits = true;
    for (const Condition& condition : route.supports)
      fits = fits && (condition.stage == Stage::device || condition.holds(call, device_of(route)));
    if (fits) return to_string(route.order(call));
  }
  return "";
}

Table routes_table(const std::vector<const Op*>& rows) {
  Table table({"op", "<route", "<tier", "<refuses when", "<yields when", "<order of its sums"});
  for (const Op* op : rows)
    for (const Route& r : routes(*op))
      table.row({std::string(op->name), std::string(r.name), std::string(name(r.tier)), refusals_of(r.supports),
                 refusals_of(r.prefers), order_of(*op, r)});
  return table;
}

void print_json(const reports::Json& all, const char* key, const std::vector<const Op*>& rows) {
  reports::Json out = reports::Json::array();
  for (const auto& item : all)
    if (std::any_of(rows.begin(), rows.end(), [&](const Op* op) { return item[key] == op->name; })) out.push_back(item);
  std::puts(reports::text_of(out, 2).c_str());
}

bool takes_parameter(const Fill& f) { return f.range.low != f.range.high; }

std::string plain(double v) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

std::string range_of(const Fill& f) {
  if (std::isinf(f.range.low)) return "any number";
  return "[" + plain(f.range.low) + ", " + plain(f.range.high) + "]";
}

reports::Json end_of(double v) { return std::isinf(v) ? reports::Json(plain(v)) : reports::Json(v); }

// The text that a row states its cases in, without the lines that only part its pieces.
std::string lines_of(const Cases& cases) {
  std::string out;
  std::istringstream in(cases.text());
  for (std::string line; std::getline(in, line);)
    if (line.find_first_not_of(" \t") != std::string::npos) out += (line.starts_with("  ") ? "" : "  ") + line + "\n";
  return out;
}

int list_patterns(const ListArgs& args) {
  reports::Json all = reports::Json::array();
  for (const Op* op : ops_matching(args.query)) {
    const std::string lines = lines_of(op->cases);
    if (args.json)
      all.push_back({{"op", op->name}, {"patterns", lines.empty() ? reports::Json() : reports::Json(lines)}});
    else std::printf("%s\n%s", std::string(op->name).c_str(), lines.empty() ? "  a function\n" : lines.c_str());
  }
  if (args.json) std::puts(reports::text_of(all, 2).c_str());
  return kGood;
}

}  // namespace

int list_ops(const ListArgs& args) {
  if (!args.pages.empty()) return write_pages(args.pages), kGood;
  const auto rows = ops_matching(args.query);
  if (args.json) print_json(reports::ops(), "name", rows);
  else if (!args.markdown) ops_table(rows).print();
  else
    for (const Op* op : rows) std::printf("%s%s", op == rows.front() ? "" : "\n", entry(*op).c_str());
  return kGood;
}

int list_routes(const ListArgs& args) {
  const auto rows = ops_matching(args.query);
  if (args.json) print_json(reports::routes(), "op", rows);
  else routes_table(rows).print();
  return kGood;
}

int list_cases(const ListArgs& args) {
  if (args.patterns) return list_patterns(args);
  const Budget budget = budget_named(args.budget);
  const std::vector<std::string> globs = asked(args.query.empty() ? "*" : args.query);
  const Queries queries(args.query.empty() ? std::vector<std::string>{} : std::vector{args.query}, "all");
  reports::Json ids = reports::Json::array();
  for (const Op& op : ops()) {
    if (!queries.may_name(op)) continue;
    for (const Case& c : cases_of(op, budget)) {
      const std::string text = id(op, c);
      if (std::any_of(globs.begin(), globs.end(),
                      [&](const std::string& g) { return glob(g, op.name) || glob(g, text); }))
        ids.push_back(text);
    }
  }
  if (ids.empty()) {
    find_op(globs[0].substr(0, globs[0].find('/')));  // throws if it is the op that is unknown
    throw Error("plumb", Reason::query, "no case matches \"" + args.query + "\" in the budget " + args.budget);
  }
  if (args.json) {
    std::puts(reports::text_of(ids, 2).c_str());
    return kGood;
  }
  for (const auto& text : ids) std::puts(text.get_ref<const std::string&>().c_str());
  return kGood;
}

int list_fills(const ListArgs& args) {
  if (args.json) {
    reports::Json out = reports::Json::array();
    for (const Fill& f : fills()) {
      reports::Json one{{"name", f.name}, {"what", f.what}};
      if (takes_parameter(f)) one["parameter"] = f.fallback, one["range"] = {end_of(f.range.low), end_of(f.range.high)};
      out.push_back(one);
    }
    std::puts(reports::text_of(out, 2).c_str());
    return kGood;
  }
  Table table({"fill", "parameter p", "<its range", "<values"});
  for (const Fill& f : fills()) {
    const bool takes = takes_parameter(f);
    table.row({std::string(f.name), takes ? plain(f.fallback) : "", takes ? range_of(f) : "", std::string(f.what)});
  }
  table.print();
  return kGood;
}

}  // namespace plumb::cli
