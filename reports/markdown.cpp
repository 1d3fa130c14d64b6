// The report as Markdown: the verdict first, then what is worst, then the tables.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/family.h"
#include "reports/format.h"
#include "reports/pages.h"
#include "reports/summary.h"

namespace plumb::reports {
namespace {

constexpr std::size_t kFirst = 20;  // of a list of what is worst

std::string text(const Json& j) { return j.get<std::string>(); }
double number(const Json& j) { return j.is_null() ? 0 : j.get<double>(); }

std::string heading(const std::string& words) { return "## " + words + "\n\n"; }

// ---- worst first

std::string share_text(const Json& row) {
  if (row.at("error") != "") return "ERROR: " + plain(text(row.at("error")));
  if (row.at("efficiency").is_null()) return plain(text(row.at("null_reason")));
  return percent(row["efficiency"].get<double>()) + " of " + text(row.at("bound"));
}

std::string failures(const Json& report) {
  std::vector<Cells> rows;
  for (const Json& f : report.at("check").at("failures"))
    rows.push_back(
        {code(text(f.at("case"))), code(text(f.at("route"))), plain(text(f.at("message"))), code(text(f.at("repro")))});
  return rows.empty() ? "" : heading("Failures") + table({"case", "route", "what", "repro"}, rows);
}

std::string timing_errors(const Json& report, const Summary& s) {
  std::vector<Cells> rows;
  for (const std::size_t i : s.errors) {
    const Json& r = report.at("bench").at("rows")[i];
    rows.push_back({code(text(r.at("case"))), code(text(r.at("route"))), plain(text(r.at("error")))});
  }
  return rows.empty() ? "" : heading("Timings that went wrong") + table({"case", "route", "what"}, rows);
}

std::string mistrusted(const Json& report, const Summary& s) {
  std::vector<Cells> rows;
  for (const std::size_t i : s.mistrusted) {
    const Json& t = report.at("check").at("tallies")[i];
    rows.push_back(
        {code(text(t.at("op")) + "@" + text(t.at("route"))), grouped(t.at("mistrusted").get<std::int64_t>())});
  }
  if (rows.empty()) return "";
  return heading("Mistrusted") +
         "Cases for some elements of which no finite bound follows: neither right nor wrong.\n\n" +
         table({"route", ">cases"}, rows);
}

std::set<std::string> device_routes(const Json& report) {
  std::set<std::string> all;
  for (const Json& r : report.at("routes"))
    if (r.at("needs") != "unavailable") all.insert(text(r.at("op")) + "@" + text(r.at("name")));
  return all;
}

std::string slow(const Json& report, const Summary& s, bool on_device) {
  const Json& all = report.at("bench").at("rows");
  const auto device = device_routes(report);
  std::vector<Cells> rows;
  for (const std::size_t i : s.slowest) {
    const std::string route = text(all[i].at("op")) + "@" + text(all[i].at("route"));
    if (device.contains(route) == on_device && rows.size() < kFirst)
      rows.push_back({code(route), duration(number(all[i].at("median"))), share_text(all[i])});
  }
  if (rows.empty()) return "";
  return heading(on_device ? "Slowest on the device" : "Slowest on the CPU") +
         "The best timing of each operation there, as a share of the ceiling that binds.\n\n" +
         table({"route", ">time", ">share of the ceiling"}, rows);
}

std::string behind(const Json& report, const Summary& s) {
  const Json& all = report.at("bench").at("rows");
  std::vector<Cells> rows;
  for (const Beside& b : s.peers)
    rows.push_back({code(text(all[b.row].at("case"))), code(text(all[b.row].at("route"))),
                    duration(number(all[b.row].at("median"))), code(text(all[b.peer].at("route"))),
                    duration(number(all[b.peer].at("median"))), ratio(b.ratio)});
  if (rows.empty()) return "";
  return heading("Beside other libraries") +
         "Ratio: time of the peer over time of the best CPU route; below 1 the route is slower.\n\n" +
         table({"case", "route", ">time", "peer", ">time", ">ratio"}, rows);
}

std::string closest(const Json& report, const Summary& s) {
  std::vector<Cells> rows;
  for (const std::size_t i : s.closest) {
    const Json& t = report.at("check").at("tallies")[i];
    rows.push_back({code(text(t.at("op")) + "@" + text(t.at("route"))), ratio(number(t.at("worst"))),
                    code(text(t.at("worst_case")))});
  }
  return heading("Nearest to its bound") +
         "Error divided by what the bound of the route's own declared order allows, largest over its passing cases. "
         "Routes that are not listed were exact.\n\n" +
         table({"route", ">error / allowed", "case"}, rows);
}

// ---- tables

std::string verdict_of(const Json& t) {
  const auto failed = t.at("failed").get<std::int64_t>(), passed = t.at("passed").get<std::int64_t>();
  const auto doubted = t.value("mistrusted", std::int64_t{0});
  if (failed) return "**FAIL " + grouped(failed) + " of " + grouped(failed + passed) + "**";
  if (doubted) return grouped(passed) + ", " + grouped(doubted) + " mistrusted";
  if (passed) return grouped(passed);
  return t.at("absent").get<std::int64_t>() ? "absent" : "refused";
}

std::string family(const Json& op) {
  return op.contains("family") ? text(op["family"]) : std::string(family_of(text(op.at("name"))));
}

// Operations down, tiers across; a cell is the number of cases that passed. The reference is the judge: what it shows
// is that wrong calls are rejected.
std::string matrix(const Json& report) {
  constexpr const char* kTiers[] = {"reference", "unavailable", "gpu", "neural_accelerator"};
  std::map<std::string, std::map<std::string, std::string>> cells;
  for (const Json& t : report.at("check").at("tallies")) {
    const std::string route = text(t.at("route")), op = text(t.at("op"));
    std::string& cell = cells[op][route == "reference" ? route : text(t.at("tier"))];
    const bool judge = route == "reference" && !t.at("failed").get<std::int64_t>();
    cell += cell.empty() ? "" : "<br>";
    cell += judge ? grouped(t.at("rejects").get<std::int64_t>()) : plain(route) + ": " + verdict_of(t);
  }
  std::string out = heading("Operations by route and tier") + "Cases that passed.\n\n", last;
  std::vector<Cells> rows;
  for (const Json& op : report.at("ops")) {
    const auto found = cells.find(text(op.at("name")));
    if (found == cells.end()) continue;
    Cells row{family(op) == last ? "" : plain(family(op)), code(found->first)};
    last = family(op);
    for (const char* tier : kTiers) row.push_back(found->second.contains(tier) ? found->second[tier] : "-");
    rows.push_back(row);
  }
  return out +
         table({"family", "operation", ">calls rejected", "CPU routes", "gpu routes", "neural_accelerator routes"},
               rows);
}

std::string rate(const Json& row, const char* work, const char* unit) {
  const double median = number(row.at("median")), done = number(row.at(work));
  return median > 0 && done > 0 ? quantity(done / median, unit) : "-";
}

std::string timings(const Json& report) {
  const auto device = device_routes(report);
  std::vector<Cells> rows;
  for (const Json& r : report.at("bench").at("rows")) {
    const bool on_device = device.contains(text(r.at("op")) + "@" + text(r.at("route")));
    const double median = number(r.at("median"));
    rows.push_back({code(text(r.at("case"))), plain(text(r.at("route"))), text(r.at("mode")),
                    on_device ? "" : std::to_string(r.at("threads").get<int>()),
                    median > 0 ? duration(median) : "not timed", median > 0 ? duration(number(r.at("mad"))) : "",
                    rate(r, "flops", "flop/s"), rate(r, "bytes", "B/s"), share_text(r)});
  }
  if (rows.empty()) return heading("Timings") + "No timings in this run.\n\n";
  return heading("Timings") +
         table({"case", "route", "mode", ">threads", ">median", ">MAD", ">rate", ">traffic", ">share of the ceiling"},
               rows);
}

std::string refusals(const Json& report) {
  std::map<std::string, std::pair<std::int64_t, std::string>> by_reason;
  for (const Json& t : report.at("check").at("tallies"))
    for (const auto& [reason, n] : t.at("reasons").items()) {
      auto& [times, where] = by_reason[reason];
      times += n.get<std::int64_t>();
      where += (where.empty() ? "" : ", ") + plain(text(t.at("op")) + "@" + text(t.at("route")));
    }
  std::vector<std::pair<std::int64_t, Cells>> ranked;
  for (const auto& [reason, entry] : by_reason)
    ranked.push_back({-entry.first, {plain(reason), grouped(entry.first), entry.second}});
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Cells> rows;
  for (auto& [order, cells] : ranked) rows.push_back(cells);
  return heading("Refusals by reason") + table({"reason", ">cases", "routes"}, rows);
}

// ---- facts

// copy_65536KiB: 65536; arithmetic before all copies.
long long working_set(const std::string& ceiling) {
  return ceiling.starts_with("copy_") ? std::atoll(ceiling.c_str() + 5) : 0;
}

std::string ceilings(const Json& report) {
  const Json& bench = report.at("bench");
  std::vector<Json> all(bench.at("ceilings").begin(), bench.at("ceilings").end());
  if (bench.contains("unmeasured")) all.insert(all.end(), bench["unmeasured"].begin(), bench["unmeasured"].end());
  const auto key = [](const Json& c) {
    const std::string name = text(c.at("name"));
    return std::tuple(text(c.at("where")), c.at("threads").get<int>(), working_set(name), name);
  };
  std::sort(all.begin(), all.end(), [&](const Json& a, const Json& b) { return key(a) < key(b); });
  std::vector<Cells> rows;
  for (const Json& c : all)
    rows.push_back({plain(text(c.at("name"))), text(c.at("where")),
                    c.at("where") == "device" ? "" : std::to_string(c.at("threads").get<int>()),
                    c.contains("value") ? quantity(number(c.at("value")), c.at("unit") == "flop/s" ? "flop/s" : "B/s")
                                        : plain("not measured: " + text(c.at("null_reason")))});
  return heading("Measured ceilings") + table({"ceiling", "where", ">threads", ">measured"}, rows);
}

std::string clock(const Json& of) {
  const double mhz = of.contains("clock_mhz") ? number(of["clock_mhz"]) : 0;
  return mhz > 0 ? quantity(mhz * 1e6, "Hz") : "";
}

Cells device_row(const Json& d, bool used) {
  std::string verified, notes;
  for (const auto& [what, holds] : d.at("verified").items())
    if (holds.get<bool>()) verified += (verified.empty() ? "" : ", ") + plain(what);
  for (const Json& n : d.at("notes")) notes += (notes.empty() ? "" : "; ") + plain(text(n));
  return {std::to_string(d.at("index").get<int>()) + (used ? " (used)" : ""),
          plain(text(d.at("name"))),
          plain(text(d.at("platform"))),
          plain(text(d.at("driver"))),
          plain(text(d.at("version"))),
          clock(d),
          text(d.at("tier")),
          verified,
          notes};
}

std::string environment(const Json& run) {
  if (!run.contains("environment")) return "";
  std::string out;
  for (const auto& [name, value] : run["environment"].items())
    out += (out.empty() ? "" : ", ") + code(name + "=" + text(value));
  return out.empty() ? "no variable that matters was set" : out;
}

std::string facts(const Json& report) {
  const Json &run = report.at("run"), &host = report.at("host");
  std::vector<Cells> rows{
      {"date", text(run.at("utc"))},
      {"command", code(text(run.at("command")))},
      {"version", plain(text(run.at("version")) + " " + (run.at("commit").is_null() ? "" : text(run["commit"])))},
      {"build", plain(text(run.at("compiler")) + ", " + text(run.at("build_type")) + ", " + text(run.at("flags")))},
      {"host", plain(text(host.at("processor")) + ", " + text(host.at("isa")) + ", " +
                     plural(host.at("threads").get<std::int64_t>(), "thread") +
                     (host.contains("system") ? ", " + text(host["system"]) : ""))},
      {"host clock", clock(host)},
      {"environment", environment(run)}};
  std::erase_if(rows, [](const Cells& r) { return r[1].empty(); });
  std::vector<Cells> devices;
  for (const Json& d : report.at("devices"))
    devices.push_back(device_row(d, d.at("index") == report.at("current").at("device")));
  std::string drivers;
  for (const Json& note : report.value("drivers", Json::array())) drivers += "* Driver: " + plain(text(note)) + "\n";
  return heading("Facts") + table({"", ""}, rows) + (drivers.empty() ? "" : drivers + "\n") +
         table({"device", "name", "platform", "driver", "version", "clock", "tier", "verified", "notes"}, devices);
}

}  // namespace

std::string markdown(const Json& report) {
  const Summary s = summarise(report);
  const Json &current = report.at("current"), &run = report.at("run");
  const std::string name = current.at("name") == "" ? text(report.at("host").at("processor")) : text(current["name"]);
  return "# Plumbline on " + plain(name) + "\n\n**" + plain(s.headline) + "**" +
         plain(s.detail.empty() ? "" : ": " + s.detail) + ". " + plain(s.counts) + ".\n\nTier " +
         text(current.at("tier")) + ", " + text(run.at("utc")) + ", budget " + text(run.at("budget")) +
         ". The page report.html beside this one has plots, a filter and columns that sort.\n\n" + failures(report) +
         timing_errors(report, s) + mistrusted(report, s) + slow(report, s, true) + slow(report, s, false) +
         behind(report, s) + matrix(report) + timings(report) + closest(report, s) + refusals(report) +
         ceilings(report) + facts(report);
}

}  // namespace plumb::reports
