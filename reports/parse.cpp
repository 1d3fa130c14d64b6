// A report that was written before, read back so that its run can go on.
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/strict_json.h"
#include "reports/report.h"

namespace plumb::reports {
namespace {

using In = nlohmann::json;

Isa isa_of(const In& text) {
  for (const Isa i : {Isa::base, Isa::avx2, Isa::avx512})
    if (text == name(i)) return i;
  throw Error("plumb", Reason::file, "no instruction set " + text.dump());
}

Setting setting(const In& j) { return {isa_of(j.at("isa")), j.at("threads").get<int>()}; }

Tally tally(const In& j) {
  Tally t;
  j.at("op").get_to(t.op), j.at("route").get_to(t.route), j.at("tier").get_to(t.tier);
  j.at("ran").get_to(t.ran), j.at("passed").get_to(t.passed), j.at("failed").get_to(t.failed);
  j.at("refused").get_to(t.refused);
  j.at("absent").get_to(t.absent), j.at("mistrusted").get_to(t.mistrusted), j.at("rejects").get_to(t.rejects);
  j.at("vacant").get_to(t.vacant), j.at("compared").get_to(t.compared), j.at("worst").get_to(t.worst);
  j.at("worst_case").get_to(t.worst_case), j.at("seconds").get_to(t.seconds), j.at("reasons").get_to(t.reasons);
  t.known = j.value("known", std::int64_t{0});
  if (j.contains("causes")) j["causes"].get_to(t.causes);
  return t;
}

Failure failure(const In& j) {
  Failure f;
  j.at("case").get_to(f.case_id), j.at("op").get_to(f.op), j.at("route").get_to(f.route);
  j.at("message").get_to(f.message), j.at("repro").get_to(f.repro), j.at("salt").get_to(f.salt);
  if (j.contains("isa")) f.setting = setting(j);
  if (j.contains("cause")) f.cause = cause_named(j["cause"].get<std::string>()).value_or(Cause::none);
  if (j.contains("log")) j["log"].get_to(f.log);
  return f;
}

CheckResult check_of(const In& j) {
  CheckResult r;
  j.at("passed").get_to(r.passed), j.at("failed").get_to(r.failed), j.at("skipped").get_to(r.skipped);
  j.at("mistrusted").get_to(r.mistrusted), j.at("compared").get_to(r.compared), j.at("salt").get_to(r.salt);
  j.at("ran").get_to(r.ran), j.at("at_gate").get_to(r.at_gate);
  r.known = j.value("known", std::int64_t{0});
  for (const In& s : j.at("settings")) r.settings.push_back(setting(s));
  for (const In& t : j.at("tallies")) r.tallies.push_back(tally(t));
  for (const In& f : j.at("failures")) r.failures.push_back(failure(f));
  return r;
}

BenchRow bench_row(const In& j) {
  BenchRow r;
  j.at("op").get_to(r.op), j.at("route").get_to(r.route), j.at("case").get_to(r.case_id), j.at("mode").get_to(r.mode);
  j.at("threads").get_to(r.threads), j.at("seconds").get_to(r.seconds);
  if (!r.seconds.empty()) j.at("median").get_to(r.median), j.at("mad").get_to(r.mad), j.at("min").get_to(r.min);
  j.at("flops").get_to(r.flops), j.at("bytes").get_to(r.bytes);
  if (!j.at("efficiency").is_null()) r.efficiency = j["efficiency"].get<double>();
  j.at("bound").get_to(r.bound), j.at("null_reason").get_to(r.null_reason);
  r.once = j.value("once", 0.0);
  j.at("verified").get_to(r.verified), j.at("error").get_to(r.error);
  return r;
}

BenchResult bench_of(const In& j) {
  BenchResult r;
  j.at("salt").get_to(r.salt), j.at("refused").get_to(r.refused);
  for (const In& row : j.at("rows")) r.rows.push_back(bench_row(row));
  for (const In& c : j.at("ceilings"))
    r.ceilings.push_back({c.at("name"), c.at("where"), c.at("threads"), c.at("value"), c.at("unit")});
  return r;
}

Coverage coverage_of(const In& j) {
  Coverage all;
  for (const In& c : j)
    all.push_back(
        {{c.at("op"), c.at("route"), c.at("stage"), c.at("refusal")}, {c.at("seen_true"), c.at("seen_false")}});
  return all;
}

Extent extent(const In& j) { return {j.at("done").get<std::uint64_t>(), j.at("total").get<std::uint64_t>()}; }

Report report_of(const In& j) {
  Report r;
  const In &run = j.at("run"), &progress = j.at("progress");
  run.at("utc").get_to(r.utc), run.at("command").get_to(r.command), run.at("budget").get_to(r.budget);
  for (const auto& [name, value] : run.at("settings").items()) r.settings.emplace_back(name, value.get<std::string>());
  progress.at("complete").get_to(r.complete), progress.at("runs").get_to(r.runs);
  r.checked = extent(progress.at("checked")), r.timed = extent(progress.at("timed"));
  r.check = check_of(j.at("check"));
  r.bench = bench_of(j.at("bench"));
  r.coverage = coverage_of(j.at("coverage"));
  return r;
}

}  // namespace

Report parse(const std::string& text, const std::string& source) try {
  const In j = parse_strict(text, source);
  if (!j.is_object() || j.value("schema", In()) != "plumb-report/1")
    throw Error("plumb", Reason::file, source + ": is no report of this program");
  if (!j.contains("progress"))
    throw Error("plumb", Reason::file, source + ": was written by a version that could not go on");
  return report_of(j);
} catch (const In::exception& e) {
  throw Error("plumb", Reason::file, source + ": is not a whole report: " + e.what());
}

}  // namespace plumb::reports
