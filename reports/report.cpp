#include "reports/report.h"

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/drivers.h"
#include "core/family.h"
#include "core/ratio.h"
#include "generated/version.h"
#include "reports/surroundings.h"

namespace plumb::reports {
namespace {

Json device(const Device& d) {
  const DeviceFacts& f = d.facts;
  Json out{{"index", f.index},
           {"name", f.name},
           {"platform", f.platform},
           {"vendor", f.vendor},
           {"driver", f.driver},
           {"version", f.version},
           {"tier", name(d.tier)},
           {"is_cpu", f.is_cpu},
           {"compute_units", f.compute_units},
           {"global_bytes", f.global_bytes},
           {"local_bytes", f.local_bytes},
           {"verified",
            {{"fp64", d.fp64}, {"fp16", d.fp16}, {"matrix_f16", d.matrix_f16}, {"int64_atomics", d.int64_atomics}}},
           {"notes", d.notes}};
  if (f.clock_mhz > 0) out["clock_mhz"] = f.clock_mhz;
  return out;
}

Json conditions(const std::vector<Condition>& list) {
  Json out = Json::array();
  for (const Condition& c : list) out.push_back({{"stage", name(c.stage)}, {"refusal", c.refusal}});
  return out;
}

Json tally(const Tally& t) {
  Json out{{"op", t.op},           {"route", t.route},           {"tier", t.tier},
           {"ran", t.ran},         {"passed", t.passed},         {"failed", t.failed},
           {"refused", t.refused}, {"absent", t.absent},         {"mistrusted", t.mistrusted},
           {"vacant", t.vacant},   {"compared", t.compared},     {"rejects", t.rejects},
           {"worst", t.worst},     {"worst_case", t.worst_case}, {"seconds", t.seconds},
           {"reasons", t.reasons}};
  if (!t.causes.empty()) out["causes"] = t.causes;
  if (t.known > 0) out["known"] = t.known;
  return out;
}

Json failure(const Failure& f) {
  Json out{{"case", f.case_id}, {"op", f.op},           {"route", f.route},
           {"salt", f.salt},    {"message", f.message}, {"repro", f.repro}};
  if (f.cause != Cause::none) out["cause"] = name(f.cause);
  if (!f.log.empty()) out["log"] = f.log;
  if (!f.setting) return out;
  out["isa"] = name(f.setting->isa);
  out["threads"] = f.setting->threads;
  return out;
}

// What was not timed took an unknown time, not none.
Json bench_row(const BenchRow& r) {
  const auto known = [&](double value) { return r.seconds.empty() ? Json(nullptr) : Json(value); };
  Json row{{"op", r.op},           {"route", r.route},     {"case", r.case_id},         {"mode", r.mode},
           {"threads", r.threads}, {"seconds", r.seconds}, {"median", known(r.median)}, {"mad", known(r.mad)},
           {"min", known(r.min)},  {"flops", r.flops},     {"bytes", r.bytes}};
  if (r.once > 0) row["once"] = r.once;
  row["efficiency"] = r.efficiency ? Json(*r.efficiency) : Json(nullptr);
  row["bound"] = r.bound;
  row["null_reason"] = r.null_reason;
  row["verified"] = r.verified;
  row["error"] = r.error;
  return row;
}

Json run_facts(const Report& r) {
  Json out{{"utc", r.utc},
           {"command", r.command},
           {"budget", r.budget},
           {"salt", r.check.salt},
           {"version", kVersion},
           {"commit", *kCommit ? Json(kCommit) : Json(nullptr)},
           {"compiler", kCompiler},
           {"build_type", kBuildType},
           {"flags", kFlags},
           {"environment", environment()},
           {"settings", Json::object()}};
  for (const auto& [name, value] : r.settings) out["settings"][name] = value;
  return out;
}

Json coverage_rows(const Coverage& all) {
  Json out = Json::array();
  for (const auto& [where, times] : all)
    out.push_back({{"op", where[0]},
                   {"route", where[1]},
                   {"stage", where[2]},
                   {"refusal", where[3]},
                   {"seen_true", times.first},
                   {"seen_false", times.second}});
  return out;
}

Json extent(const Extent& e) { return {{"done", e.done}, {"total", e.total}}; }

}  // namespace

std::string utc() {
  char buffer[32];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return buffer;
}

Json devices() {
#ifdef PLUMB_GPU
  constexpr bool kOpencl = true;
#else
  constexpr bool kOpencl = false;
#endif
  const Device& current = current_device();
  Json out{{"version", kVersion},
           {"capabilities", {{"cpu", true}, {"opencl", kOpencl}}},  // what was compiled in; the tier says what is there
           {"host", host()},
           {"devices", Json::array()}};
  for (const Device& d : all_devices())
    if (d.facts.index >= 0) out["devices"].push_back(device(d));
  out["drivers"] = Json::array();
  for (const DriverNote& note : driver_notes()) out["drivers"].push_back(note.text);
  out["current"] = {{"device", current.facts.index >= 0 ? Json(current.facts.index) : Json(nullptr)},
                    {"name", current.facts.name},
                    {"tier", name(current.tier)},
                    {"notes", current.notes}};
  return out;
}

Json ops() {
  Json out = Json::array();
  for (const Op& op : plumb::ops()) {
    Json dtypes = Json::array(), attrs = Json::object();
    for (const Dtype t : op.dtypes) dtypes.push_back(name(t));
    for (const auto& [key, value] : op.attrs) attrs[key] = to_string(value);
    out.push_back({{"name", op.name},
                   {"family", family_of(op.name)},
                   {"inputs", op.inputs},
                   {"outputs", op.outputs},
                   {"attributes", attrs},
                   {"dtypes", dtypes},
                   {"signature", op.signature},
                   {"types", op.types},
                   {"tolerance", name(op.tolerance.kind)},
                   {"equation", op.equation},
                   {"meaning", op.meaning}});
  }
  return out;
}

Json routes() {
  Json out = Json::array();
  for (const Op& op : plumb::ops())
    for (const Route& r : plumb::routes(op))
      out.push_back({{"op", op.name},
                     {"name", r.name},
                     {"tier", name(r.tier)},
                     {"needs", name(r.needs)},
                     {"supports", conditions(r.supports)},
                     {"prefers", conditions(r.prefers)}});
  return out;
}

Json check(const CheckResult& result) {
  Json out{{"passed", result.passed},         {"failed", result.failed},
           {"skipped", result.skipped},       {"ran", result.ran},
           {"at_gate", result.at_gate},       {"salt", result.salt},
           {"mistrusted", result.mistrusted}, {"compared", result.compared},
           {"settings", Json::array()},       {"tallies", Json::array()},
           {"failures", Json::array()}};
  for (const Setting& s : result.settings) out["settings"].push_back({{"isa", name(s.isa)}, {"threads", s.threads}});
  for (const Tally& t : result.tallies) out["tallies"].push_back(tally(t));
  for (const Failure& f : result.failures) out["failures"].push_back(failure(f));
  if (result.known > 0) out["known"] = result.known;
  for (const Backend* b : backends())
    out["backends"].push_back({{"name", b->name()}, {"version", b->version()}, {"argument", b->argument()}});
  return out;
}

Coverage coverage() {
  Coverage out;
  for (const ConditionCount& c : plumb::coverage())
    out.push_back({{std::string(c.route->op), std::string(c.route->name), std::string(name(c.condition->stage)),
                    std::string(c.condition->refusal)},
                   {c.seen_true, c.seen_false}});
  return out;
}

Json bench(const BenchResult& result) {
  Json out{{"salt", result.salt}, {"refused", result.refused}, {"rows", Json::array()}, {"ceilings", Json::array()}};
  for (const BenchRow& r : result.rows) out["rows"].push_back(bench_row(r));
  for (const Ceiling& c : result.ceilings)
    if (c.value > 0)
      out["ceilings"].push_back(
          {{"name", c.name}, {"where", c.where}, {"threads", c.threads}, {"value", c.value}, {"unit", c.unit}});
    else
      out["unmeasured"].push_back(
          {{"name", c.name}, {"where", c.where}, {"threads", c.threads}, {"null_reason", c.null_reason}});
  return out;
}

Json replay(const ReplayResult& result) {
  Json out{{"passed", result.passed},     {"failed", result.failed},  {"skipped", result.skipped},
           {"by_route", result.by_route}, {"no_row", result.no_row},  {"skips", result.skips},
           {"refused", result.refused},   {"failures", Json::array()}};
  for (const ReplayFailure& f : result.failures)
    out["failures"].push_back(
        {{"case", f.case_id}, {"op", f.op}, {"route", f.route}, {"message", f.message}, {"repro", f.repro}});
  return out;
}

std::vector<std::string> bench_errors(const BenchResult& result) {
  std::vector<std::string> errors;
  for (const BenchRow& r : result.rows) {
    const std::string where = r.case_id + "@" + r.route + ": ";
    if (!r.error.empty()) errors.push_back(where + r.error);
    if (r.efficiency && *r.efficiency > kMaxEfficiency)
      errors.push_back(where + "efficiency " + ratio_text(*r.efficiency, kMaxEfficiency) +
                       " is more than the machine can do");
  }
  return errors;
}

std::string text_of(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string how_far(const Report& r) {
  const auto part = [](const Extent& e, const char* what, const char* done) {
    if (e.done == 0) return std::string("nothing ") + done;
    return std::to_string(e.done) + " of " + std::to_string(e.total) + " " + what + " " + done;
  };
  return part(r.checked, "operations", "judged") + ", " + part(r.timed, "cases", "timed");
}

Json document(const Report& r) {
  const Json facts = devices();
  return {{"schema", "plumb-report/1"},
          {"run", run_facts(r)},
          {"progress",
           {{"complete", r.complete}, {"runs", r.runs}, {"checked", extent(r.checked)}, {"timed", extent(r.timed)}}},
          {"host", facts["host"]},
          {"devices", facts["devices"]},
          {"drivers", facts["drivers"]},
          {"current", facts["current"]},
          {"ops", ops()},
          {"routes", routes()},
          {"check", check(r.check)},
          {"coverage", coverage_rows(r.coverage)},
          {"bench", bench(r.bench)}};
}

}  // namespace plumb::reports
