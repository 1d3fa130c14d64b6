// Long work: reports that are stopped say so and are gone on with; progress is told to people, and in few words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// FAKES_STOP: see program/program.cpp.
Ran plumb(const std::string& arguments, const std::string& stop = "") {
  const std::string before = "FAKES_STOP='" + stop + "' PLUMB_DEVICE=none '" PLUMB_PROGRAM "' ";
  return run_shell(before + arguments + " 2>&1");
}

class Stopped : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(out_); }
  std::string command(const std::string& rest = "") const {
    return "report 'many@perfect' 'many@cpu.any' 'total@perfect' 'scaled@perfect' 'scaled@cpu.any' 'kept@perfect' "
           "--min-time=0.001 --repetitions=2 --threads=1 --out='" +
           out_ + "' " + rest;
  }
  json found() const {
    std::ifstream file(out_ + "/report.json");
    return json::parse(file);
  }

  const std::string out_ = temporary("stopped");
};

const char* const kMany = "report 'many*@perfect' 'many*@cpu.any' --min-time=0.001 --repetitions=2 --threads=1 --out=";

std::string ops_of(const json& report) {
  std::string all;
  for (const json& t : report.at("check").at("tallies"))
    if (const std::string op = t.at("op"); !all.ends_with(op)) all += " " + op;
  return all;
}

// What two runs of one command have in common, whenever they ran.
json lasting(json report) {
  for (json& t : report["check"]["tallies"]) t.erase("seconds");
  return {{"check", report["check"]}, {"coverage", report["coverage"]}, {"ops", report["ops"]}};
}

TEST_F(Stopped, BySignalsWhileItJudgesAndGoesOn) {
  ASSERT_EQ(plumb(command("--no-bench")).code, 0);
  const json whole = found();
  EXPECT_EQ(whole.at("progress"), json::parse(R"({"complete": true, "runs": 1, "checked": {"done": 4, "total": 4},
                                                  "timed": {"done": 0, "total": 0}})"));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::filesystem::remove_all(out_);
    const Ran ran = plumb(command("--no-bench"), "scaled 120 " + std::to_string(signal));
    EXPECT_EQ(ran.code, 128 + signal) << ran.out;
    EXPECT_THAT(ran.out, HasSubstr("2 of 4 operations judged, nothing timed"));
    EXPECT_THAT(ran.out, HasSubstr("to go on: plumb report many@perfect"));
    EXPECT_EQ(found().at("progress").at("complete"), false);
    EXPECT_EQ(ops_of(found()), " many total");
  }
  const Ran ran = plumb(command("--no-bench --resume"));
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_EQ(found().at("progress").at("runs"), 2);
  EXPECT_EQ(found().at("progress").at("complete"), true);
  EXPECT_EQ(lasting(found()), lasting(whole));
  EXPECT_EQ(found().at("run").at("command"), whole.at("run").at("command"));
}

TEST_F(Stopped, TwiceByWhatCannotBeCaughtWhileItTimes) {
  const std::string kill9 = "many 100 " + std::to_string(SIGKILL), folder = "'" + out_ + "'";
  EXPECT_EQ(plumb(kMany + folder, kill9).code, 128 + SIGKILL);
  json report = found();
  EXPECT_EQ(report.at("progress").at("complete"), false);
  EXPECT_EQ(report.at("progress").at("checked"), json::parse(R"({"done": 1, "total": 1})"));
  EXPECT_EQ(report.at("check").at("tallies").size(), 2U);
  const Ran stopped = plumb(kMany + folder + " --resume", "many 200 15");
  EXPECT_EQ(stopped.code, 128 + SIGTERM);
  EXPECT_THAT(stopped.out, HasSubstr("1 of 1 operations judged, 1 of 2 cases timed"));
  EXPECT_THAT(stopped.out, HasSubstr("to go on: plumb report 'many*@perfect' 'many*@cpu.any' --min-time=0.001"));
  report = found();
  EXPECT_EQ(report.at("progress").at("timed"), json::parse(R"({"done": 1, "total": 2})"));
  ASSERT_EQ(report.at("bench").at("rows").size(), 2U);
  const json row = report.at("bench").at("rows").at(0);
  EXPECT_EQ(row.at("case"), "many/f32.100.row.uniform/-");
  EXPECT_EQ(plumb(kMany + folder + " --resume").code, 0);
  report = found();
  EXPECT_EQ(report.at("progress").at("runs"), 3);
  ASSERT_EQ(report.at("bench").at("rows").size(), 4U);
  EXPECT_EQ(report.at("bench").at("rows").at(0), row);  // not timed again
  EXPECT_EQ(report.at("bench").at("rows").at(3).at("case"), "many/f32.200.row.uniform/-");
}

TEST_F(Stopped, GoesOnAsOneRunOnly) {
  ASSERT_EQ(plumb(command("--no-bench"), "scaled 120 15").code, 128 + SIGTERM);
  const json before = found();
  const std::string again = command("--no-bench --resume");
  const auto refused = [&](const std::string& arguments, const char* says) {
    const Ran ran = plumb(arguments);
    EXPECT_EQ(ran.code, 2) << arguments;
    EXPECT_THAT(ran.out, HasSubstr(says)) << arguments;
    EXPECT_EQ(found(), before) << arguments;
  };
  refused(again + " --budget=smoke", "was begun otherwise: budget was ci, is smoke");
  refused(again + " --salt=7", "salt was 0, is 7");
  refused(again + " pick", "queries was ");
  refused(again + " --threads=2", "threads timed was 1, is 1,2");
  refused(command("--resume"), "timing was off, is on");
  refused("report --resume --out='" + out_ + "/nosuch'", "there is no ");
}

// With a backend that is every run whose command names no salt.
TEST_F(Stopped, GoesOnWithTheSaltThatWasDrawn) {
  ASSERT_EQ(plumb(command("--no-bench --salt=random"), "scaled 120 15").code, 128 + SIGTERM);
  const json drawn = found().at("run").at("settings").at("salt");
  const Ran ran = plumb(command("--no-bench --salt=random --resume"));
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_EQ(found().at("run").at("settings").at("salt"), drawn);
  EXPECT_EQ(found().at("progress").at("runs"), 2);
}

TEST_F(Stopped, OtherMachinesAndProgramsDoNotGoOn) {
  ASSERT_EQ(plumb(command("--no-bench"), "scaled 120 15").code, 128 + SIGTERM);
  for (const char* name : {"program", "processor", "threads", "instruction set", "device", "driver", "limits"}) {
    json report = found();
    const json kept = report;
    report["run"]["settings"][name] = "another";
    std::ofstream(out_ + "/report.json") << report;
    const Ran ran = plumb(command("--no-bench --resume"));
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.out, HasSubstr(std::string(name) + " was another, is ")) << name;
    std::ofstream(out_ + "/report.json") << kept;
  }
  for (const char* text : {"", "[]", "{}", R"({"schema": "plumb-report/1"})",
                           R"({"schema": "plumb-report/1", "progress": {"complete": 3}})"}) {
    std::ofstream(out_ + "/report.json") << text;
    const Ran ran = plumb(command("--no-bench --resume"));
    EXPECT_EQ(ran.code, 2) << text;
    EXPECT_THAT(ran.out, HasSubstr("report.json: ")) << text;
  }
}

TEST_F(Stopped, OlderReportsStayUntilThereIsSomethingNew) {
  ASSERT_EQ(plumb(command("--no-bench"), "scaled 120 15").code, 128 + SIGTERM);
  const json before = found();
  const Ran ran = plumb(command("--no-bench"), "many 7 15");
  EXPECT_EQ(ran.code, 128 + SIGTERM);
  EXPECT_THAT(ran.out, HasSubstr("was unfinished (2 of 4 operations judged, nothing timed) and is begun anew"));
  EXPECT_THAT(ran.out, HasSubstr("stopped by SIGTERM, nothing judged, nothing timed"));
  EXPECT_EQ(found(), before);
  EXPECT_EQ(plumb(command("--no-bench")).code, 0);
  const Ran complete = plumb(command("--no-bench --resume"));
  EXPECT_EQ(complete.code, 0) << complete.out;
  EXPECT_THAT(complete.out, HasSubstr("is complete, nothing is left to do"));
  EXPECT_EQ(found().at("progress").at("runs"), 1);
}

// The folder goes away in the middle: a place where nothing can be written any more.
TEST_F(Stopped, WhatCannotBeSavedIsPrintedAllTheSame) {
  std::filesystem::create_directories(out_);
  const std::string file = "'" + out_ + "/file'";
  ASSERT_EQ(std::system(("touch " + file).c_str()), 0);
  const Ran nowhere = plumb("report many@perfect --no-bench --out=" + file);
  EXPECT_EQ(nowhere.code, 2) << nowhere.out;  // found before the work
  EXPECT_THAT(nowhere.out, Not(HasSubstr("passed")));
  const std::string gone = "'" + out_ + "/gone'";
  const std::string spoil =
      "(while [ ! -e " + gone + "/report.json ]; do sleep 0.02; done; rm -r " + gone + "; touch " + gone + ") &";
  ASSERT_EQ(std::system(spoil.c_str()), 0);
  const Ran ran = plumb("report many@cpu.any --no-bench --budget=smoke --out=" + gone, "many 7 0");
  EXPECT_EQ(ran.code, 2) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("6 passed, 0 failed, 0 skipped"));
  EXPECT_THAT(ran.out, HasSubstr("the report is not saved: "));
}

// As under nohup.
TEST_F(Stopped, IgnoredSignalsStayIgnored) {
  const std::string ignoring = "trap '' HUP; FAKES_STOP='scaled 120 1' PLUMB_DEVICE=none '";
  EXPECT_EQ(std::system((ignoring + PLUMB_PROGRAM "' " + command("--no-bench") + " >/dev/null 2>&1").c_str()), 0);
  EXPECT_EQ(found().at("progress").at("complete"), true);
}

TEST_F(Stopped, WhatIsNotTimedTookAnUnknownTime) {
  const std::string slow = "'many*@cpu.any' --budget=smoke --repetitions=1 --min-time=0.001 --launch-limit=0.1";
  const Ran ran = plumb("bench " + slow, "many 100 0");
  EXPECT_THAT(ran.out, HasSubstr("not timed"));
  EXPECT_THAT(ran.out, Not(HasSubstr("0.00 ns")));
  ASSERT_EQ(plumb("report " + slow + " --out='" + out_ + "'", "many 100 0").code, 0);
  const json report = found();
  const json& row = report.at("bench").at("rows").at(0);
  EXPECT_TRUE(row.at("median").is_null() && row.at("mad").is_null() && row.at("min").is_null()) << row;
  EXPECT_THAT(row.at("null_reason"), HasSubstr("one launch takes"));
}

TEST(BenchBudget, TheLeastOfEachOperationIsThereInEveryBudget) {
  const auto timed = [](const std::string& budget) {
    json rows =
        json::parse(plumb("bench 'root*@perfect' --repetitions=1 --min-time=0.001 --json --budget=" + budget).out);
    std::vector<std::string> cases;
    for (const json& row : rows.at("rows")) cases.push_back(row.at("case"));
    return cases;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(timed("smoke"), ElementsAre("root/f32.3x9.row.uniform/-"));
  EXPECT_THAT(timed("ci"), ElementsAre("root/f32.3x50.row.uniform/-", "root/f32.3x9.row.uniform/-"));
  EXPECT_THAT(timed("nightly"),
              ElementsAre("root/f32.3x50.row.uniform/-", "root/f32.3x9.row.uniform/-", "root/f32.3x2.row.uniform/-"));
}

TEST(Progress, SaysOperationAndTimeLeft) {
  const Step step{"", "fft", "fft/c64.8.row.uniform/-", 3, 119, 30, 90};
  EXPECT_EQ(cli::progress_text("judging", step, 100, 0),
            "judging operation 3 of 119, fft, about 4 min left: fft/c64.8.row.uniform/-");
  EXPECT_EQ(cli::progress_text("judging", step, 10, 20),
            "judging operation 3 of 119, fft, about 1 min left: fft/c64.8.row.uniform/-");
  EXPECT_EQ(cli::progress_text("timing", step, 10, 0),
            "timing operation 3 of 119, fft, about 20 s left: fft/c64.8.row.uniform/-");
  EXPECT_EQ(cli::progress_text("timing", step, 7200, 0),
            "timing operation 3 of 119, fft, about 4 h left: fft/c64.8.row.uniform/-");
  EXPECT_EQ(cli::progress_text("judging", step, 100, 30), "judging operation 3 of 119, fft: fft/c64.8.row.uniform/-");
  EXPECT_EQ(cli::progress_text("replaying", {"family 2 of 5", "add", "a.1", 1, 2, 0, 9}, 0, 0),
            "replaying family 2 of 5, operation 1 of 2, add: a.1");
}

// Everything that a command prints where all three streams are a terminal of 60 columns.
std::string on_terminal(const std::string& arguments, const std::string& stop) {
  int here = -1;
  const winsize size{24, 60, 0, 0};
  const pid_t child = forkpty(&here, nullptr, nullptr, &size);
  if (child == 0) {
    const std::string line = "TERM=xterm PLUMB_DEVICE=none FAKES_STOP='" + stop + "' '" PLUMB_PROGRAM "' " + arguments;
    execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    _exit(127);
  }
  std::string all;
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = read(here, buffer.data(), buffer.size())) > 0;)
    all.append(buffer.data(), static_cast<std::size_t>(n));
  close(here);
  waitpid(child, nullptr, 0);
  return all;
}

TEST(Progress, IsForTerminalsAndLongWork) {
  EXPECT_THAT(on_terminal("check 'many@perfect'", ""), Not(HasSubstr("judging")));
  // The first of four cases takes its time in each of four launches and more.
  const std::string seen = on_terminal("check many@cpu.any --budget=smoke", "many 7 0");
  EXPECT_THAT(seen, HasSubstr("\r\033[Kjudging operation 1 of 1, many"));
  EXPECT_THAT(seen, HasSubstr("\r\033[Kop "));  // taken back before the table
}

}  // namespace
}  // namespace plumb
