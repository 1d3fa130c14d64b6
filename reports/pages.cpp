#include "reports/pages.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.h"
#include "core/family.h"
#include "core/strict_json.h"
#include "reports/format.h"
#include "reports/summary.h"

namespace plumb::reports {
namespace {

#include "generated/page.inc"

void replace(std::string& page, std::string_view mark, std::string_view text) {
  const std::size_t at = page.find(mark);
  if (at != std::string::npos) page.replace(at, mark.size(), text);
}

std::string html(std::string_view text) {
  std::string out;
  for (const char c : visible(text)) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

// No element of the page can end within its data.
std::string embedded(const Json& data) {
  std::string out;
  for (const char c : data.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (c == '<') out += "\\u003c";
    else out += c;
  }
  return out;
}

// What the page shows: without the single repetitions of the timings, and with families where an older report has none.
Json shown(const Json& report) {
  Json out = report;
  for (Json& row : out.at("bench").at("rows")) row.erase("seconds");
  for (Json& op : out.at("ops"))
    if (!op.contains("family")) op["family"] = family_of(op.at("name").get_ref<const std::string&>());
  return out;
}

std::string title(const Json& report) {
  const std::string name = report.at("current").at("name");
  return "Plumbline on " + (name.empty() ? report.at("host").at("processor").get<std::string>() : name);
}

}  // namespace

std::string webpage(const Json& report) {
  const Summary summary = summarise(report);
  std::string page(kPage);
  // In the order of the page, so that nothing is looked for in what was put in.
  replace(page, "@TITLE@", html(title(report)));
  replace(page, "@STYLE@", kStyle);
  replace(page, "@VERDICT@", html(summary.headline + ": " + summary.counts));
  const std::size_t script = page.find("@SCRIPT@");
  page.replace(script, std::string_view("@SCRIPT@").size(), kScript);
  replace(page, "@DATA@", embedded({{"report", shown(report)}, {"summary", to_json(summary)}}));
  return page;
}

Json read_report(const std::string& path) {
  const std::string text = read_file(path);
  parse_strict(text, path);  // bounded nesting, no key twice
  Json report = Json::parse(text);
  if (!report.is_object() || report.value("schema", Json()) != "plumb-report/1")
    throw Error("plumb", Reason::file, path + ": is no report of this program");
  return report;
}

void write_pages(const Json& report, const std::string& base) try {
  const std::string page = webpage(report), text = markdown(report);
  write_file(base + ".md", text);
  write_file(base + ".html", page);
} catch (const Json::exception& e) {
  throw Error("plumb", Reason::file, base + ".json: is not a whole report: " + e.what());
}

}  // namespace plumb::reports
