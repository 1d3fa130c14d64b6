#include "reports/across/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "core/error.h"
#include "core/fill.h"
#include "core/strict_json.h"

namespace plumb::reports {
namespace {

std::string text(const Json& j, const char* key) { return j.at(key).get<std::string>(); }

const Json& part(const Json& findings, const char* first, const char* second) {
  static const Json none = Json::array();
  return findings.contains(first) ? findings.at(first).at(second) : none;
}

std::string setting_of(const Json& failure) {
  if (!failure.contains("isa")) return "";
  return " (" + text(failure, "isa") + ", " + std::to_string(failure.at("threads").get<int>()) + " threads)";
}

// ---- verdicts

std::map<std::string, Wrong> wrong_in(const Json& findings) {
  std::map<std::string, Wrong> all;
  for (const Json& f : part(findings, "check", "failures")) {
    const std::string what = text(f, "case") + "@" + text(f, "route") + setting_of(f);
    all[what] = {what, text(f, "message"), text(f, "repro")};
  }
  for (const Json& r : part(findings, "bench", "rows")) {
    const std::string what = text(r, "case") + "@" + text(r, "route") + " " + text(r, "mode"), error = text(r, "error");
    if (!error.empty()) all[what] = {what, error, "plumb bench '" + text(r, "case") + "@" + text(r, "route") + "'"};
  }
  return all;
}

// Cases that a verdict was reached for, of each operation and route.
std::map<std::string, std::int64_t> judged_in(const Json& findings) {
  std::map<std::string, std::int64_t> all;
  for (const Json& t : part(findings, "check", "tallies")) {
    const std::int64_t judged = t.at("passed").get<std::int64_t>() + t.at("failed").get<std::int64_t>();
    if (judged > 0) all[text(t, "op") + "@" + text(t, "route")] = judged;
  }
  return all;
}

void compare_verdicts(const Json& older, const Json& newer, Comparison& c) {
  const auto was = wrong_in(older), is = wrong_in(newer);
  for (const auto& [what, w] : is)
    if (was.contains(what)) ++c.still;
    else c.broke.push_back(w);
  for (const auto& [what, w] : was)
    if (!is.contains(what)) c.mended.push_back(w);
  const auto before = judged_in(older), now = judged_in(newer);
  for (const auto& [what, times] : before) {
    const auto it = now.find(what);
    const std::int64_t left = it == now.end() ? 0 : it->second;
    c.anything |= left > 0;
    if (left < times) c.vanished.push_back({what, times, left, ""});
  }
  for (const auto& [what, times] : now) {
    const auto it = before.find(what);
    const std::int64_t had = it == before.end() ? 0 : it->second;
    if (had < times) c.appeared.push_back({what, had, times, ""});
  }
}

// What was wrong and is in no tally any more is not right again, it has vanished with its route. The gate has no tally.
void keep_what_is_judged(const Json& older, const Json& newer, Comparison& c) {
  const auto now = judged_in(newer);
  std::set<std::string> gone;
  for (const Json& f : part(older, "check", "failures"))
    if (text(f, "route") != "gate" && !now.contains(text(f, "op") + "@" + text(f, "route")))
      gone.insert(text(f, "case") + "@" + text(f, "route") + setting_of(f));
  std::erase_if(c.mended, [&](const Wrong& w) { return gone.contains(w.what); });
}

// ---- times

// One row of one report.
struct Row {
  Pace pace;
  const Json* json = nullptr;
  bool on_device = false;
  std::string what() const {
    return pace.case_id + "@" + pace.route + " " + pace.mode +
           (pace.threads ? ", " + std::to_string(pace.threads) + " threads" : "");
  }
};

std::string key_of(const Pace& p) {
  char digits[20];
  const std::string whole = p.case_id + "\n" + p.route + "\n" + p.mode + "\n" + std::to_string(p.threads);
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash(whole)));
  return digits;
}

// A row on a device has no threads of the host, whatever an older version wrote there.
std::vector<Row> rows_of(const Json& findings) {
  std::set<std::string> device_routes;
  for (const Json& r : findings.contains("routes") ? findings.at("routes") : Json::array())
    if (text(r, "needs") != "unavailable") device_routes.insert(text(r, "op") + "@" + text(r, "name"));
  std::vector<Row> all;
  for (const Json& j : part(findings, "bench", "rows")) {
    Row row;
    row.json = &j;
    row.pace.op = text(j, "op"), row.pace.case_id = text(j, "case"), row.pace.route = text(j, "route");
    row.pace.mode = text(j, "mode"), j.at("threads").get_to(row.pace.threads);
    row.on_device = row.pace.threads == 0 || device_routes.contains(row.pace.op + "@" + row.pace.route);
    if (row.on_device) row.pace.threads = 0;
    row.pace.key = key_of(row.pace);
    all.push_back(std::move(row));
  }
  return all;
}

double seconds_of(const Row& row, const char* what) {
  const Json& value = row.json->at(what);
  return value.is_null() ? 0 : value.get<double>();
}

// A row that was launched once, for that took too long to be timed, has that time.
double time_of(const Row& row) {
  const double median = seconds_of(row, "median");
  return median > 0 ? median : row.json->value("once", 0.0);
}

bool timed(const Row& row) { return time_of(row) > 0; }

bool same_work(const Row& a, const Row& b) {
  return a.json->at("flops") == b.json->at("flops") && a.json->at("bytes") == b.json->at("bytes");
}

// Of the logarithm of the time. 1.48 mad is the scale of repetitions, and their median has 1.25 of the error of a mean;
// of a single launch nothing is known.
double error_squared(const Row& row) {
  constexpr double kOfOne = 0.5;
  const double median = seconds_of(row, "median");
  if (median <= 0) return kOfOne * kOfOne;
  const double relative = 1.25 * 1.48 * seconds_of(row, "mad") / median;
  return relative * relative / static_cast<double>(std::max<std::size_t>(row.json->at("seconds").size(), 1));
}

std::map<std::string, Row> by_key(const Json& findings) {
  std::map<std::string, Row> all;
  for (Row& row : rows_of(findings)) all.emplace(row.pace.key, row);
  return all;
}

void note_rows(const std::map<std::string, Row>& was, const std::map<std::string, Row>& is, Comparison& c) {
  for (const auto& [key, row] : was) {
    const auto it = is.find(key);
    if (timed(row) && (it == is.end() || !timed(it->second)))
      c.vanished.push_back({row.what(), 1, 0, it == is.end() ? "" : text(*it->second.json, "null_reason")});
  }
  for (const auto& [key, row] : is) {
    const auto it = was.find(key);
    if (timed(row) && (it == was.end() || !timed(it->second))) c.appeared.push_back({row.what(), 0, 1, ""});
    if (it != was.end() && timed(row) && !same_work(row, it->second)) c.redefined.push_back(row.what());
  }
}

void compare_times(const std::vector<Named>& older, const Json& newer, Comparison& c) {
  std::vector<std::map<std::string, Row>> before;
  for (const Named& o : older) before.push_back(by_key(o.findings));
  const auto now = by_key(newer);
  note_rows(before.back(), now, c);
  std::vector<Timed> pairs;
  std::set<std::string> taken;  // a case that is listed twice is one
  for (const Row& row : rows_of(newer)) {
    Timed pair{row.pace.op, row.on_device, {}, 0};
    double squares = timed(row) ? error_squared(row) : 0;
    for (const auto& old : before)
      if (const auto it = old.find(row.pace.key); it != old.end() && timed(it->second) && same_work(row, it->second)) {
        pair.seconds.push_back(time_of(it->second));
        squares += error_squared(it->second) / static_cast<double>(older.size() * older.size());
      }
    if (!timed(row) || pair.seconds.size() != older.size() || !taken.insert(row.pace.key).second) continue;
    c.rows.push_back(row.pace);
    c.rows.back().older = pair.seconds.back(), c.rows.back().newer = time_of(row);
    pair.seconds.push_back(c.rows.back().newer);
    pair.error = std::sqrt(squares);
    pairs.push_back(std::move(pair));
  }
  const Speeds speeds = compare_speeds(pairs, c.margin);
  for (std::size_t i = 0; i < pairs.size(); ++i) c.rows[i].ratio = speeds.rows[i];
  c.shift = speeds.shift, c.noise = speeds.noise, c.within = speeds.within;
  c.anything |= !c.rows.empty();
}

// ---- the reports themselves

std::string title(const Named& n) {
  if (!n.findings.contains("run")) return n.name;
  const Json& run = n.findings.at("run");
  const Json commit = run.value("commit", Json());
  return n.name + ", of " + text(run, "utc") + ", version " + text(run, "version") +
         (commit.is_string() ? " " + commit.get<std::string>() : "");
}

// Programs differ, that is what is compared; what else a run was made under should not.
void note_settings(const Json& older, const Json& newer, Comparison& c) {
  if (!older.contains("run") || !newer.contains("run")) return;
  const Json none = Json::object();
  const Json &was = older["run"].contains("settings") ? older["run"]["settings"] : none,
             &is = newer["run"].contains("settings") ? newer["run"]["settings"] : none;
  for (const auto& [name, value] : is.items()) {
    if (name == "program" || !was.contains(name) || was.at(name) == value) continue;
    const auto said = [](const Json& j) { return j == "" ? std::string("none") : j.get<std::string>(); };
    c.otherwise.push_back(name + " was " + said(was.at(name)) + ", is " + said(value));
  }
}

}  // namespace

std::int64_t Comparison::count(Speed s) const {
  return std::count_if(rows.begin(), rows.end(), [&](const Pace& p) { return p.ratio.verdict == s; });
}

bool Comparison::worse(bool common) const {
  return !broke.empty() || count(Speed::slower) > 0 || (!common && !vanished.empty());
}

Json read_findings(const std::string& path) {
  const std::string bytes = read_file(path);
  parse_strict(bytes, path);  // bounded nesting, no key twice
  Json j = Json::parse(bytes);
  const auto has = [&](const char* a, const char* b) { return j.is_object() && j.contains(a) && j.contains(b); };
  if (has("schema", "check") && j["schema"] == "plumb-report/1" && j.contains("bench")) return j;
  if (has("tallies", "failures")) return {{"check", std::move(j)}};
  if (has("rows", "ceilings")) return {{"bench", std::move(j)}};
  throw Error("plumb", Reason::file, path + ": is no report, and not what check or bench print with --json");
}

Comparison compare(const std::vector<Named>& older, const Named& newer, double margin) try {
  Comparison c;
  for (const Named& o : older) c.older.push_back(title(o));
  c.newer = title(newer), c.margin = margin;
  const Json& last = older.back().findings;
  note_settings(last, newer.findings, c);
  compare_verdicts(last, newer.findings, c);
  keep_what_is_judged(last, newer.findings, c);
  compare_times(older, newer.findings, c);
  return c;
} catch (const Json::exception& e) {
  throw Error("plumb", Reason::file, newer.name + " or what it is held against is not a whole report: " + e.what());
}

}  // namespace plumb::reports
