// A comparison as JSON, as Markdown and in one line.
#include <nlohmann/json.hpp>

#include "reports/across/compare.h"
#include "reports/format.h"

namespace plumb::reports {
namespace {

Json wrongs(const std::vector<Wrong>& all) {
  Json out = Json::array();
  for (const Wrong& w : all) out.push_back({{"what", w.what}, {"message", w.message}, {"repro", w.repro}});
  return out;
}

Json held(const std::vector<Held>& all) {
  Json out = Json::array();
  for (const Held& h : all) {
    out.push_back({{"what", h.what}, {"older", h.older}, {"newer", h.newer}});
    if (!h.why.empty()) out.back()["why"] = h.why;
  }
  return out;
}

std::string section(const std::string& title, const Cells& headers, const std::vector<Cells>& rows) {
  return rows.empty() ? "" : "## " + title + "\n\n" + table(headers, rows);
}

std::vector<Cells> cells(const std::vector<Wrong>& all) {
  std::vector<Cells> out;
  for (const Wrong& w : all) out.push_back({code(w.what), plain(w.message), code(w.repro)});
  return out;
}

std::vector<Cells> cells(const std::vector<Held>& all) {
  std::vector<Cells> out;
  for (const Held& h : all) out.push_back({code(h.what), grouped(h.older), grouped(h.newer), plain(h.why)});
  return out;
}

std::vector<Cells> cells(const std::vector<Pace>& all, Speed which) {
  std::vector<Cells> out;
  for (const Pace& p : all)
    if (p.ratio.verdict == which)
      out.push_back({code(p.case_id), code(p.route), p.mode, p.threads ? std::to_string(p.threads) : "",
                     duration(p.older), duration(p.newer), ratio(p.ratio.value),
                     ratio(p.ratio.low) + " to " + ratio(p.ratio.high)});
  return out;
}

}  // namespace

Json to_json(const Comparison& c) {
  Json out{{"older", c.older},
           {"newer", c.newer},
           {"otherwise", c.otherwise},
           {"broke", wrongs(c.broke)},
           {"mended", wrongs(c.mended)},
           {"still_wrong", c.still},
           {"vanished", held(c.vanished)},
           {"appeared", held(c.appeared)},
           {"redefined", c.redefined},
           {"speed", {{"margin", c.margin}, {"shift", c.shift}, {"noise", c.noise}, {"within", c.within}}}};
  for (const Speed s : {Speed::slower, Speed::faster, Speed::same, Speed::ambiguous})
    out["speed"][std::string(name(s))] = c.count(s);
  out["speed"]["rows"] = Json::array();
  for (const Pace& p : c.rows)
    out["speed"]["rows"].push_back({{"key", p.key},
                                    {"op", p.op},
                                    {"case", p.case_id},
                                    {"route", p.route},
                                    {"mode", p.mode},
                                    {"threads", p.threads},
                                    {"older", p.older},
                                    {"newer", p.newer},
                                    {"ratio", p.ratio.value},
                                    {"low", p.ratio.low},
                                    {"high", p.ratio.high},
                                    {"verdict", name(p.ratio.verdict)}});
  return out;
}

std::string markdown(const Comparison& c) {
  std::string out = "# " + plain(verdict(c)) + "\n\n";
  for (const std::string& o : c.older) out += "* older: " + plain(o) + "\n";
  out += "* newer: " + plain(c.newer) + "\n";
  for (const std::string& o : c.otherwise) out += "* " + plain(o) + "\n";
  out += "\n";
  out += section("Broke", {"what", "message", "repro"}, cells(c.broke));
  const Cells paces{"case", "route", "mode", ">threads", ">older", ">newer", ">newer / older", "interval"};
  out += section("Slower", paces, cells(c.rows, Speed::slower));
  out += section("Vanished", {"what", ">older", ">newer", "why"}, cells(c.vanished));
  out += section("Right again", {"what", "message", "repro"}, cells(c.mended));
  out += section("Faster", paces, cells(c.rows, Speed::faster));
  out += section("Appeared", {"what", ">older", ">newer", "why"}, cells(c.appeared));
  if (!c.rows.empty())
    out += "Between the runs the rows differ by " + percent(c.noise) + ", within one by " + percent(c.within) +
           "; all of them together took " + ratio(c.shift) + " times as long, which is taken for the machine's.\n";
  return out;
}

std::string verdict(const Comparison& c) {
  const auto n = [](std::size_t count, const char* what) {
    return grouped(static_cast<std::int64_t>(count)) + " " + what;
  };
  return n(c.broke.size(), "broke, ") + n(c.mended.size(), "right again, ") + grouped(c.still) + " wrong as before, " +
         n(c.vanished.size(), "vanished, ") + n(c.appeared.size(), "appeared, ") + grouped(c.count(Speed::slower)) +
         " slower, " + grouped(c.count(Speed::faster)) + " faster, " + grouped(c.count(Speed::same)) + " the same, " +
         grouped(c.count(Speed::ambiguous)) + " ambiguous";
}

}  // namespace plumb::reports
