#include "reports/across/merge.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/route.h"
#include "core/shard.h"

namespace plumb::reports {
namespace {

[[noreturn]] void misfit(const std::string& what) { throw Error("plumb", Reason::file, what); }

std::string text(const Json& j, const char* key) { return j.at(key).get<std::string>(); }

// ---- whether they fit

std::string kind_of(const Json& part) {
  return part.contains("run") ? "a report" : part.contains("check") ? "what check prints" : "what bench prints";
}

std::string shard_of(const Json& part) {
  if (part.contains("run")) return part["run"].at("settings").value("shard", std::string("1/1"));
  return part.begin().value().value("shard", std::string("1/1"));
}

bool timed(const Json& part) { return part.contains("bench") && !part["bench"].at("rows").empty(); }

// What parts must agree in, by name.
std::map<std::string, std::string> facts_of(const Json& part, bool machine) {
  static const std::set<std::string> kOfMachine{"processor", "instruction set", "threads", "device", "driver", "tier"};
  std::map<std::string, std::string> facts{{"kind", kind_of(part)}};
  for (const char* half : {"check", "bench"})
    if (part.contains(half)) facts[std::string("salt of ") + half] = part[half].at("salt").dump();
  if (!part.contains("run")) return facts;
  const Json& run = part["run"];
  for (const char* key : {"version", "commit", "compiler", "build_type", "flags", "budget"})
    facts[key] = run.at(key).dump();
  for (const auto& [name, value] : run.at("settings").items())
    if (name != "shard" && name != "program" && (machine || !kOfMachine.contains(name))) facts[name] = value.dump();
  return facts;
}

void require_same_run(const std::vector<Named>& parts) {
  const bool machine = std::any_of(parts.begin(), parts.end(), [](const Named& p) { return timed(p.findings); });
  const auto want = facts_of(parts[0].findings, machine);
  for (const Named& p : parts) {
    if (p.findings.contains("progress") && !p.findings["progress"].at("complete").get<bool>())
      misfit(p.name + " is unfinished: plumb report --resume goes on with it");
    const auto have = facts_of(p.findings, machine);
    for (const auto& [name, value] : want)
      if (const auto it = have.find(name); it == have.end() || it->second != value)
        misfit(p.name + " is not of the run of " + parts[0].name + ": " + name + " was " + value + ", is " +
               (it == have.end() ? "not said" : it->second));
  }
}

void require_every_shard(const std::vector<Named>& parts) {
  const std::size_t of = shard_named(shard_of(parts[0].findings)).of;
  std::map<std::size_t, std::string> seen;
  for (const Named& p : parts) {
    const Shard s = shard_named(shard_of(p.findings));
    if (s.of != of)
      misfit(p.name + " is the shard " + to_string(s) + ", " + parts[0].name + " is one of " + std::to_string(of));
    const auto [it, fresh] = seen.emplace(s.index, p.name);
    if (!fresh) misfit("the shard " + to_string(s) + " is there twice: " + it->second + " and " + p.name);
  }
  for (std::size_t i = 1; i <= of; ++i)
    if (!seen.contains(i)) misfit("the shard " + to_string(Shard{i, of}) + " is missing");
}

// ---- the parts of a report

void add(Json& sum, const Json& more, const char* key) {
  if (more.contains(key)) sum[key] = sum.value(key, std::int64_t{0}) + more[key].get<std::int64_t>();
}

// Places of operations in the tables, for an order like that of one run.
std::size_t place_of(const Json& entry) {
  static const std::map<std::string, std::size_t> places = [] {
    std::map<std::string, std::size_t> all;
    for (const Op& op : plumb::ops()) all.emplace(op.name, all.size());
    return all;
  }();
  const auto it = places.find(text(entry, "op"));
  return it == places.end() ? places.size() : it->second;
}

void in_order(Json& list) {
  std::stable_sort(list.begin(), list.end(), [](const Json& a, const Json& b) { return place_of(a) < place_of(b); });
}

// The entries of one part behind those of the others; `name_of` says what none may have that another one has.
template <class F>
void append(Json& all, const Json& more, std::map<std::string, std::string>& owner, const std::string& part,
            F&& name_of) {
  for (const Json& entry : more) {
    const std::string what = name_of(entry);
    const auto [it, fresh] = owner.emplace(what, part);
    if (!fresh && it->second != part) misfit(what + " is in " + it->second + " and in " + part);
    all.push_back(entry);
  }
}

Json merged_check(const std::vector<Named>& parts) {
  Json sum = parts[0].findings.at("check");
  sum.erase("shard");
  sum["tallies"] = sum["failures"] = Json::array();
  for (const char* key : {"passed", "failed", "skipped", "ran", "at_gate", "mistrusted", "compared", "known"})
    if (sum.contains(key)) sum[key] = 0;
  std::map<std::string, std::string> owner;
  std::int64_t passed = 0;
  for (const Named& p : parts) {
    const Json& check = p.findings.at("check");
    for (const char* key : {"failed", "skipped", "ran", "at_gate", "mistrusted", "compared", "known"})
      add(sum, check, key);
    append(sum["tallies"], check.at("tallies"), owner, p.name,
           [](const Json& t) { return text(t, "op") + "@" + text(t, "route"); });
    for (const Json& f : check.at("failures")) sum["failures"].push_back(f);
    for (const Json& t : check.at("tallies")) passed += t.at("passed").get<std::int64_t>();
  }
  // As check() counts: what is refused at the gate proves nothing where no case ran.
  const bool nothing = sum.at("ran") == 0 && sum.at("skipped") > 0 && sum.at("failed") == 0;
  sum["passed"] = passed + (nothing ? 0 : sum.at("at_gate").get<std::int64_t>());
  in_order(sum["tallies"]), in_order(sum["failures"]);
  return sum;
}

std::string ceiling_name(const Json& c) {
  return text(c, "name") + " " + text(c, "where") + " " + c.at("threads").dump();
}

// The highest of each, as one run takes them; unmeasured is what no part could measure.
void merge_ceilings(Json& sum, const Json& bench) {
  for (const Json& c : bench.at("ceilings")) {
    const auto same = std::find_if(sum["ceilings"].begin(), sum["ceilings"].end(),
                                   [&](const Json& o) { return ceiling_name(o) == ceiling_name(c); });
    if (same == sum["ceilings"].end()) sum["ceilings"].push_back(c);
    else if (c.at("value") > same->at("value")) (*same)["value"] = c["value"];
  }
  for (const Json& c : bench.value("unmeasured", Json::array())) sum["unmeasured"].push_back(c);
}

void drop_measured(Json& sum) {
  if (!sum.contains("unmeasured")) return;
  std::set<std::string> known;
  for (const Json& c : sum["ceilings"]) known.insert(ceiling_name(c));
  Json left = Json::array();
  for (const Json& c : sum["unmeasured"])
    if (known.insert(ceiling_name(c)).second) left.push_back(c);
  sum["unmeasured"] = left;
  if (left.empty()) sum.erase("unmeasured");
}

Json merged_bench(const std::vector<Named>& parts) {
  Json sum = parts[0].findings.at("bench");
  sum.erase("shard"), sum.erase("unmeasured");
  sum["rows"] = sum["ceilings"] = Json::array(), sum["refused"] = Json::object();
  std::map<std::string, std::string> owner;
  std::map<std::string, std::int64_t> refused;
  for (const Named& p : parts) {
    const Json& bench = p.findings.at("bench");
    append(sum["rows"], bench.at("rows"), owner, p.name, [](const Json& r) {
      return text(r, "case") + "@" + text(r, "route") + " " + text(r, "mode") + ", " + r.at("threads").dump() +
             " threads";
    });
    for (const auto& [what, times] : bench.at("refused").items()) refused[what] += times.get<std::int64_t>();
    merge_ceilings(sum, bench);
  }
  for (const auto& [what, times] : refused) sum["refused"][what] = times;
  drop_measured(sum);
  in_order(sum["rows"]);
  return sum;
}

Json merged_coverage(const std::vector<Named>& parts) {
  Json sum = parts[0].findings.at("coverage");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Json& more = parts[i].findings.at("coverage");
    if (more.size() != sum.size()) misfit(parts[i].name + " has other conditions than " + parts[0].name);
    for (std::size_t k = 0; k < sum.size(); ++k)
      for (const char* key : {"seen_true", "seen_false"}) add(sum[k], more[k], key);
  }
  return sum;
}

Json merged_progress(const std::vector<Named>& parts) {
  Json sum = parts[0].findings.at("progress");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Json& more = parts[i].findings.at("progress");
    sum["runs"] = std::max(sum.at("runs").get<int>(), more.at("runs").get<int>());
    for (const char* half : {"checked", "timed"})
      for (const char* key : {"done", "total"}) add(sum[half], more.at(half), key);
  }
  return sum;
}

// The command without the word that made it a part.
std::string without_shard(std::string command) {
  for (const std::string word : {" --shard=", " --shard "})
    if (const std::size_t at = command.find(word); at != std::string::npos)
      command.erase(at, command.find(' ', at + word.size()) - at);
  return command;
}

}  // namespace

Json merge(const std::vector<Named>& parts) try {
  require_same_run(parts);
  require_every_shard(parts);
  Json all = parts[0].findings;
  if (all.contains("check")) all["check"] = merged_check(parts);
  if (all.contains("bench")) all["bench"] = merged_bench(parts);
  if (!all.contains("run")) return all.begin().value();
  all["coverage"] = merged_coverage(parts);
  all["progress"] = merged_progress(parts);
  all["run"]["command"] = without_shard(text(all["run"], "command"));
  all["run"]["settings"]["shard"] = "1/1";
  return all;
} catch (const Json::exception& e) {
  misfit(parts[0].name + " or one beside it is not a whole report: " + e.what());
}

}  // namespace plumb::reports
