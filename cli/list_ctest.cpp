// CTest entries from the tables: one per op, and one per recorded family.
#include <algorithm>
#include <filesystem>
#include <set>

#include "cli/verbs.h"
#include "conformance/check.h"
#include "conformance/replay.h"
#include "core/files.h"

namespace plumb::cli {
namespace {

struct Entry {
  std::string test;
  std::vector<std::string> command, labels;
  int timeout_seconds;
  bool heavy;  // begins before the others
};

constexpr std::size_t kManyCases = 400;  // ops with more go first, so that none is left running alone at the end

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
  if (e.heavy) properties += " COST 1";
  return "add_test(" + quoted(e.test) + command + ")\n" + "set_tests_properties(" + quoted(e.test) +
         " PROPERTIES LABELS " + quoted(joined(e.labels, ";")) + properties + ")\n";
}

// One process asks each case once and judges every route by it: labels are those of all its routes.
Entry check_entry(const std::string& program, const Op& op) {
  const std::string o(op.name);
  std::set<std::string> labels{"op:" + o, "budget:ci"};
  for (const Route& r : routes(op)) {
    labels.insert("route:" + std::string(r.name));
    labels.insert("tier:" + std::string(name(r.tier)));
  }
  const bool heavy = cases_of(op, Budget::ci).size() > kManyCases;
  return {"check." + o, {program, "check", o, "--budget=ci", "-v"}, {labels.begin(), labels.end()}, 1800, heavy};
}

// What a backend says of one of its operations, by itself.
Entry backend_entry(const std::string& program, const Backend& backend, const Op& op) {
  const std::string o(op.name), b(backend.name());
  return {"foreign." + b + "." + o,
          {program, "check", o, "--budget=smoke", "--backend", backend.argument()},
          {"op:" + o, "backend:" + b, "budget:smoke"},
          600,
          false};
}

Entry replay_entry(const CtestArgs& args, const std::string& folder) {
  const std::string family = std::filesystem::path(folder).filename().string();
  return {"replay." + family,
          {args.program, "replay", folder, "--route=all"},
          {"replay", "family:" + family, "budget:smoke"},
          300,
          false};
}

}  // namespace

int list_ctest(const CtestArgs& args) {
  Output out(args.out);
  std::string text = "# Written by `plumb list ctest`.\n";
  for (const Op& op : ops()) text += lines_of(check_entry(args.program, op));
  for (const Backend* b : backends())
    for (const Op* op : b->serves()) text += lines_of(backend_entry(args.program, *b, *op));
  for (const std::string& corpus : args.corpora)
    for (const std::string& family : recorded_families(corpus)) text += lines_of(replay_entry(args, family));
  out.write(text);
  out.commit();
  return kGood;
}

}  // namespace plumb::cli
