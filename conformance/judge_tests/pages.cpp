// The pages that the program makes of a report: which files it takes, what it writes, and what stands on the Markdown
// page. reports/page_test.py looks at the HTML page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

Ran run(const std::string& arguments) {
  return run_shell("PLUMB_DEVICE=none PLUMB_THREADS=1 '" PLUMB_PROGRAM "' report " + arguments + " 2>&1");
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A folder of its own with a report of one operation in it.
struct Folder {
  explicit Folder(const std::string& name) : path(temporary(name)) {
    fs::remove_all(path);
    const Ran ran = run("many --no-bench --budget=smoke --out='" + path.string() + "'");
    EXPECT_TRUE(fs::exists(path / "report.json")) << ran.out;
    report = Json::parse(text_of(path / "report.json"));
  }

  std::string file(const char* name) const { return (path / name).string(); }

  // Only the given report lies there, and the pages are made of it.
  Ran pages_of(const std::string& text) const {
    fs::remove(path / "report.md"), fs::remove(path / "report.html");
    std::ofstream(path / "report.json") << text;
    return run("--from '" + file("report.json") + "'");
  }

  std::string markdown_of(const Json& json) const {
    const Ran ran = pages_of(json.dump());
    EXPECT_EQ(ran.code, 0) << ran.out;
    return text_of(path / "report.md");
  }

  fs::path path;
  Json report;
};

TEST(Pages, AReportThatIsReadAgainGivesTheSameBytes) {
  const Folder folder("pages_again");
  const std::string page = text_of(folder.path / "report.html"), text = text_of(folder.path / "report.md");
  EXPECT_THAT(page, HasSubstr("</html>"));
  const std::string other = temporary("pages_elsewhere");
  const Ran ran = run("--from '" + folder.file("report.json") + "' --out '" + other + "'");
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_EQ(text_of(other + "/report.html"), page);
  EXPECT_EQ(text_of(other + "/report.md"), text);
}

TEST(Pages, WhatIsNoReportIsRefusedAndLeavesNothing) {
  const Folder folder("pages_refused");
  const auto refuse = [&](const std::string& text, const char* says) {
    const Ran ran = folder.pages_of(text);
    EXPECT_EQ(ran.code, 2) << text.substr(0, 80) << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(says));
    EXPECT_THAT(ran.out, HasSubstr("report.json")) << "the file is not named";
    EXPECT_FALSE(fs::exists(folder.path / "report.html")) << text.substr(0, 80);
    EXPECT_FALSE(fs::exists(folder.path / "report.md")) << text.substr(0, 80);
  };
  refuse("", "file");
  refuse("[]", "is no report of this program");
  refuse("{\"schema\": \"plumb-report/2\"}", "is no report of this program");
  refuse("{\"schema\": \"plumb-report/1\"}", "is not a whole report");
  for (const char* part : {"run", "host", "current", "ops", "routes", "check", "bench"}) {
    Json less = folder.report;
    less.erase(part);
    refuse(less.dump(), part);
  }
  Json wrong = folder.report;
  wrong["check"]["tallies"][0]["worst"] = "high";
  refuse(wrong.dump(), "is not a whole report");
  refuse(std::string(100000, '['), "file");
  EXPECT_EQ(run("--from '" + temporary("no such file") + "'").code, 2);
  EXPECT_EQ(run("many --from '" + folder.file("report.json") + "'").code, 2);
}

TEST(Pages, TheVerdictComesFirst) {
  const Folder folder("pages_verdict");
  const auto begins = [](const std::string& text) { return text.substr(0, text.find("\n## ")); };
  EXPECT_THAT(begins(folder.markdown_of(folder.report)), HasSubstr("failed**: on "));  // one of its routes is wrong
  EXPECT_LT(text_of(folder.path / "report.md").find("## Failures"),
            text_of(folder.path / "report.md").find("## Operations"));
  Json right = folder.report;
  right["check"]["failed"] = 0, right["check"]["failures"] = Json::array();
  for (Json& t : right["check"]["tallies"]) t["failed"] = 0, t["mistrusted"] = 0;
  EXPECT_THAT(begins(folder.markdown_of(right)), HasSubstr("**Right**: every call"));
  right["check"]["tallies"][0]["mistrusted"] = 2;
  EXPECT_THAT(begins(folder.markdown_of(right)), HasSubstr("**Right, but 2 cases mistrusted**"));
  right["progress"] = {{"complete", false},
                       {"runs", 1},
                       {"checked", {{"done", 3}, {"total", 9}}},
                       {"timed", {{"done", 0}, {"total", 4}}}};
  EXPECT_THAT(begins(folder.markdown_of(right)),
              HasSubstr("unfinished**: 3 of 9 operations judged, 0 of 4 cases timed"));
  right.erase("progress"), right["check"]["passed"] = 0;
  EXPECT_THAT(begins(folder.markdown_of(right)), HasSubstr("**Nothing ran**"));
}

TEST(Pages, TextIsOnlyTextAndNothingIsRoundedToOne) {
  const Folder folder("pages_text");
  Json report = folder.report;
  report["host"]["processor"] = "a\x1b[31m|b`<i>\x7f\u202e*";
  report["run"]["command"] = "plumb `report` | x";
  report["check"]["tallies"][0]["worst"] = 0.9999999;
  const std::string text = folder.markdown_of(report);
  EXPECT_THAT(text, HasSubstr("# Plumbline on a\\\\x1b\\[31m\\|b\\`\\<i\\>\\\\x7f\\\\u202e\\*\n"));
  EXPECT_THAT(text, HasSubstr("`` plumb `report` \\| x ``"));
  EXPECT_THAT(text, HasSubstr("| 0.999 |"));
  EXPECT_THAT(text, Not(HasSubstr("1.00")));
  EXPECT_EQ(text.find_first_of("\x1b\x7f"), std::string::npos);
  EXPECT_EQ(text_of(folder.path / "report.html").find_first_of("\x1b\x7f"), std::string::npos);
}

TEST(Pages, AReportSaysWhereItWasMade) {
  const Folder folder("pages_facts");
  EXPECT_EQ(folder.report.at("run").at("environment").at("PLUMB_DEVICE"), "none");
  EXPECT_EQ(folder.report.at("run").at("environment").at("PLUMB_THREADS"), "1");
  EXPECT_THAT(folder.report.at("host").at("system").get<std::string>(), HasSubstr(" "));
  EXPECT_THAT(text_of(folder.path / "report.md"), HasSubstr("`PLUMB_THREADS=1`"));
}

}  // namespace
}  // namespace plumb
