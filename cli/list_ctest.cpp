// CTest entries from the tables: one per op, route and budget, and one per recorded family and route.
#include <algorithm>
#include <filesystem>

#include "cli/verbs.h"
#include "conformance/check.h"
#include "core/strict_json.h"

namespace plumb::cli {
namespace {

struct Entry {
  std::string test;
  std::vector<std::string> command, labels;
  int timeout_seconds;
  bool device;  // uses the one accelerator
};

// A bracket argument takes every character as it is.
std::string quoted(const std::string& text) { return "[==[" + text + "]==]"; }

std::string joined(const std::vector<std::string>& parts, const std::string& by) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : by) + part;
  return text;
}

std::string lines_of(const Entry& e) {
  std::string command;
  for (const std::string& word : e.command) command += " " + quoted(word);
  std::string properties = " SKIP_RETURN_CODE 77 TIMEOUT " + std::to_string(e.timeout_seconds);
  if (e.device) properties += " RESOURCE_LOCK gpu COST 1";  // one after another, so they begin before the others
  return "add_test(" + quoted(e.test) + command + ")\n" + "set_tests_properties(" + quoted(e.test) +
         " PROPERTIES LABELS " + quoted(joined(e.labels, ";")) + properties + ")\n";
}

Entry check_entry(const std::string& program, const Op& op, const Route& r, Budget budget) {
  const std::string o(op.name), route(r.name), b(name(budget));
  const std::string prefix = budget == Budget::smoke ? "smoke." : "check.";
  return {prefix + o + "." + route,
          {program, "check", o, "--budget=" + b, "--route=" + route, "-v"},
          {"op:" + o, "route:" + route, "tier:" + std::string(name(r.tier)), "budget:" + b},
          budget == Budget::smoke ? 300 : 900,
          r.needs != Tier::unavailable};
}

std::vector<std::string> families(const std::string& corpus) {
  std::vector<std::string> found;
  std::error_code error;
  if (!corpus.empty())
    for (const auto& entry : std::filesystem::directory_iterator(corpus, error))
      if (std::filesystem::exists(entry.path() / "cases.json")) found.push_back(entry.path().filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

Entry replay_entry(const CtestArgs& args, const std::string& family, const std::string& route) {
  return {"replay." + family + "." + route,
          {args.program, "replay", args.corpus + "/" + family, "--route=" + route},
          {"replay", "family:" + family, "route:" + route, "budget:smoke"},
          300,
          route != "reference"};
}

}  // namespace

int list_ctest(const CtestArgs& args) {
  std::string text = "# Written by `plumb list ctest`.\n";
  for (const Op& op : ops())
    for (const Route& route : routes(op))
      for (const Budget budget : {Budget::smoke, Budget::ci})
        text += lines_of(check_entry(args.program, op, route, budget));
  for (const std::string& family : families(args.corpus))
    for (const char* route : {"reference", "all"}) text += lines_of(replay_entry(args, family, route));
  write_file(args.out, text);
  return kGood;
}

}  // namespace plumb::cli
