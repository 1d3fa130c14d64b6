#include "reports/summary.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "reports/format.h"

namespace plumb::reports {
namespace {

bool is_peer(const Json& row) { return row.at("route").get_ref<const std::string&>().starts_with("peer."); }
bool is_hot(const Json& row) { return row.at("mode") == "hot"; }
// 0 for what was not timed.
double median(const Json& row) {
  const Json& seconds = row.at("median");
  return seconds.is_null() ? 0 : seconds.get<double>();
}

// Operation and route of those that run on a device.
std::set<std::pair<std::string, std::string>> device_routes(const Json& report) {
  std::set<std::pair<std::string, std::string>> routes;
  for (const Json& r : report.at("routes"))
    if (r.at("needs") != "unavailable") routes.emplace(r.at("op"), r.at("name"));
  return routes;
}

template <class Key>
std::vector<std::size_t> ordered(std::vector<std::size_t> positions, Key&& key) {
  std::stable_sort(positions.begin(), positions.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return positions;
}

template <class Keep>
std::vector<std::size_t> positions(const Json& list, Keep&& keep) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (keep(list[i])) kept.push_back(i);
  return kept;
}

std::vector<std::size_t> slowest(const Json& report) {
  const Json& rows = report.at("bench").at("rows");
  const auto on_device = device_routes(report);
  std::map<std::pair<std::string, bool>, std::size_t> best;
  const auto share = [&](std::size_t i) { return rows[i].at("efficiency").get<double>(); };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& r = rows[i];
    if (!is_hot(r) || is_peer(r) || r.at("efficiency").is_null() || r.at("error") != "") continue;
    const std::string op = r.at("op");
    const auto [at, fresh] = best.try_emplace({op, on_device.contains({op, r.at("route")})}, i);
    if (!fresh && share(i) > share(at->second)) at->second = i;
  }
  std::vector<std::size_t> all;
  for (const auto& [key, i] : best) all.push_back(i);
  return ordered(std::move(all), share);
}

// Each peer beside the fastest CPU route of its case with as many threads.
std::vector<Beside> beside_peers(const Json& report) {
  const Json& rows = report.at("bench").at("rows");
  const auto on_device = device_routes(report);
  std::map<std::pair<std::string, int>, std::size_t> fastest;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& r = rows[i];
    if (!is_hot(r) || is_peer(r) || median(r) <= 0 || on_device.contains({r.at("op"), r.at("route")})) continue;
    const auto [at, fresh] = fastest.try_emplace({r.at("case"), r.at("threads").get<int>()}, i);
    if (!fresh && median(r) < median(rows[at->second])) at->second = i;
  }
  std::vector<Beside> all;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!is_peer(rows[i]) || median(rows[i]) <= 0) continue;
    const auto found = fastest.find({rows[i].at("case"), rows[i].at("threads").get<int>()});
    if (found == fastest.end()) continue;
    all.push_back({found->second, i, median(rows[i]) / median(rows[found->second])});
  }
  std::stable_sort(all.begin(), all.end(), [](const Beside& a, const Beside& b) { return a.ratio < b.ratio; });
  return all;
}

// What failed stays the first word about a run that was stopped.
void unfinished(const Json& progress, Summary& s) {
  const auto part = [&](const char* name, const char* what) {
    const Json& e = progress.at(name);
    return grouped(e.at("done").get<std::int64_t>()) + " of " + grouped(e.at("total").get<std::int64_t>()) + what;
  };
  s.headline += s.verdict == "right" ? " so far, unfinished" : ", unfinished";
  if (s.verdict != "failed") s.verdict = "partial";
  s.detail =
      part("checked", " operations judged, ") + part("timed", " cases timed; the same command with --resume goes on");
}

std::string where_failed(const Json& tallies) {
  std::set<std::string> ops;
  std::int64_t routes = 0;
  for (const Json& t : tallies)
    if (t.at("failed") > 0) ++routes, ops.insert(t.at("op"));
  return "on " + plural(routes, "route") + " of " + plural(std::ssize(ops), "operation");
}

void judge(const Json& report, Summary& s) {
  const Json& check = report.at("check");
  const auto passed = check.at("passed").get<std::int64_t>(), failed = check.at("failed").get<std::int64_t>();
  std::int64_t doubted = 0;
  for (const Json& t : check.at("tallies")) doubted += t.value("mistrusted", std::int64_t{0});
  const auto wrong = std::ssize(s.errors);
  if (failed || wrong) {
    s.verdict = "failed";
    s.headline = failed ? plural(failed, "case") + " failed" : "";
    if (wrong) s.headline += (failed ? ", " : "") + plural(wrong, "timing") + " went wrong";
    if (failed) s.detail = where_failed(check.at("tallies"));
  } else if (!passed) {
    s.verdict = "empty", s.headline = "Nothing ran", s.detail = "no call was judged on any route";
  } else if (doubted) {
    s.verdict = "doubted", s.headline = "Right, but " + plural(doubted, "case") + " mistrusted";
    s.detail = "no finite bound follows for some of their elements";
  } else {
    s.verdict = "right", s.headline = "Right", s.detail = "every call that a route serves agreed with the reference";
  }
  s.counts = grouped(passed) + " passed, " + grouped(failed) + " failed, " + grouped(doubted) + " mistrusted, " +
             grouped(check.at("skipped").get<std::int64_t>()) + " refused or absent";
  if (report.contains("progress") && !report["progress"].at("complete").get<bool>()) unfinished(report["progress"], s);
}

}  // namespace

Summary summarise(const Json& report) {
  const Json& tallies = report.at("check").at("tallies");
  const Json& rows = report.at("bench").at("rows");
  const auto trusted = [&](std::size_t i) { return -tallies[i].value("mistrusted", std::int64_t{0}); };
  const auto room = [&](std::size_t i) { return -tallies[i].at("worst").get<double>(); };
  Summary s;
  s.errors = positions(rows, [](const Json& r) { return r.at("error") != ""; });
  s.mistrusted = ordered(positions(tallies, [](const Json& t) { return t.value("mistrusted", 0) > 0; }), trusted);
  s.closest = ordered(positions(tallies, [](const Json& t) { return t.at("worst") > 0; }), room);
  s.slowest = slowest(report);
  s.untimed = positions(rows, [](const Json& r) { return is_hot(r) && median(r) <= 0 && r.at("error") == ""; });
  s.peers = beside_peers(report);
  judge(report, s);
  return s;
}

Json to_json(const Summary& s) {
  Json peers = Json::array();
  for (const Beside& b : s.peers) peers.push_back({{"row", b.row}, {"peer", b.peer}, {"ratio", b.ratio}});
  return {{"verdict", s.verdict}, {"headline", s.headline}, {"detail", s.detail},   {"counts", s.counts},
          {"errors", s.errors},   {"closest", s.closest},   {"slowest", s.slowest}, {"mistrusted", s.mistrusted},
          {"untimed", s.untimed}, {"peers", peers}};
}

}  // namespace plumb::reports
