// The verbs of the program over the made-up tables: every exit code of every verb that judges, with the counts that it
// prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/judge_tests/fakes.h"
#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"
#include "core/corpus.h"

namespace plumb {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Ran plumb(const std::string& arguments, const std::string& device = "none") {
  const std::string before = "PLUMB_DEVICE=" + device + " '" PLUMB_PROGRAM "' ";
  return run_shell(before + arguments + " 2>&1");
}

struct Expected {
  const char* arguments;
  int code;
  const char* says;
  const char* device = "none";
};

void expect(std::initializer_list<Expected> all) {
  for (const Expected& e : all) {
    const Ran ran = plumb(e.arguments, e.device);
    EXPECT_EQ(ran.code, e.code) << e.arguments << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(e.says)) << e.arguments;
  }
}

TEST(Program, CheckEndsWithEveryCode) {
  expect({
      {"check many --route=perfect --budget=smoke", 0,
       "1560 elements compared, 0 cases mistrusted\n6 passed, 0 failed, 0 skipped"},
      {"check many --route=perfect", 0, "76605 elements compared, 0 cases mistrusted\n7 passed, 0 failed, 0 skipped"},
      {"check many --route=wrong --budget=smoke", 1,
       "520 elements compared, 0 cases mistrusted\n3 passed, 3 failed, 0 skipped"},
      {"check many --route=accepts_13 --budget=smoke", 1, "was accepted, but must be refused: 13"},
      {"check many --route=refuses_13_for_shape --budget=smoke", 1, "5 passed, 1 failed"},
      {"check total --route=boundless_once", 0,
       "216 elements compared, 1 cases mistrusted\n23 passed, 0 failed, 0 skipped"},
      {"check total --route=boundless_twice", 1, "2 of 24 cases have no finite bound"},
      {"check total --route=boundless", 1, "24 cases mistrusted\n0 passed, 1 failed, 0 skipped"},
      {"check 'total/f32.3x8.row.uniform/-@boundless'", 1, "1 of 1 cases have no finite bound"},
      {"check many --route=gpu.perfect --budget=smoke", 77,
       "0 elements compared, 0 cases mistrusted\n0 passed, 0 failed, 5 skipped"},
      {"check many --route=gpu.perfect --budget=smoke", 77,
       "0 cases ran on their routes, 1 calls were refused before any route, as they must be"},
      {"check many@never --budget=smoke", 77, "nothing ran: many@never ran no case: never holds"},
      {"check many --route=reference --budget=smoke", 0, "2 passed, 0 failed, 0 skipped"},
      {"check many --route=reference --budget=smoke", 0, "the reference is not judged by itself"},
      {"check many@perfect total@nosuch", 2, "'total@nosuch' matches nothing"},
      {"check many --route=gpu.perfect --budget=smoke", 0, "6 passed, 0 failed, 0 skipped", "Played"},
      {"check many --route=never --budget=smoke", 77, "never holds"},
      {"check many --route=picky --budget=smoke", 0, "2 passed, 0 failed, 4 skipped"},
      {"check nosuch", 2, "no op is named 'nosuch'"},
      {"check many --route=nosuch", 2, "no route matches 'nosuch'"},
      {"report many --timed=nosuch --out /nowhere", 2, "no route matches 'nosuch'"},
      {"check many --budget=long", 2, "no budget"},
      {"check --nosuch", 2, "--nosuch"},
      {"check many --route=perfect", 2, "is none of", "nosuch"},
  });
}

TEST(Program, CheckTellsWhatFailedAndHowToSeeItAgain) {
  const std::string folder = temporary("saved");
  std::filesystem::remove_all(folder);
  const Ran ran = plumb("check many --route=unsteady --budget=smoke --save-failures='" + folder + "'");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("FAIL many/f32.7.row.uniform/-@unsteady\n     on the second launch: "));
  EXPECT_THAT(ran.out, HasSubstr("plumb repro 'many/f32.7.row.uniform/-@unsteady'"));
  EXPECT_EQ(plumb("replay '" + folder + "' --route=perfect").code, 0);
  EXPECT_EQ(plumb("replay '" + folder + "' --route=wrong").code, 1);
}

TEST(Program, DevicesTellTheirClockAndJsonIsTextWhateverADriverSays) {
  const auto json = nlohmann::json::parse(plumb("devices --json", "Played").out);
  EXPECT_EQ(json.at("devices").at(0).at("clock_mhz"), 1980);
  EXPECT_EQ(json["devices"][0].at("vendor"), "Vendor \xEF\xBF\xBD of none");
  EXPECT_THAT(plumb("devices", "Played").out, HasSubstr("2 compute units at 1.98 GHz, "));
  const std::string folder = temporary("clock");
  EXPECT_EQ(plumb("report many@perfect --no-bench --out '" + folder + "'", "Played").code, 0);
  std::ifstream file(folder + "/report.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(page, HasSubstr("1.98 GHz"));
}

TEST(Program, CheckAsJsonHasEveryCount) {
  const auto json = nlohmann::json::parse(plumb("check total --route='boundless*' --json").out);
  EXPECT_EQ(json.at("failed"), 2);
  for (const auto& t : json.at("tallies")) {
    EXPECT_EQ(t.at("compared"), 216) << t;
    EXPECT_EQ(t.at("mistrusted").get<int>() + t.at("passed").get<int>(), 24) << t;
  }
  const auto failed = nlohmann::json::parse(plumb("check many --route=wrong --budget=smoke --json").out);
  EXPECT_EQ(failed.at("failures").size(), 3U);
}

TEST(Program, ReproEndsWithEveryCode) {
  expect({
      {"repro 'many/f32.7.row.uniform/-@perfect'", 0, "1 passed, 0 failed, 0 skipped"},
      {"repro 'many/f32.7.row.uniform/-@wrong'", 1, "in output 0 at 0: want "},
      {"repro 'many/f32.7.row.uniform/-@throws'", 1, "no room"},
      {"repro 'many/f32.5.row.const-13/-@perfect'", 0, "1 passed, 0 failed, 0 skipped"},
      {"repro 'many/f32.5.row.const-13/-@accepts_13'", 1, "was accepted"},
      {"repro 'total/f32.3x8.row.uniform/-@boundless'", 77, "no finite bound follows for 9 of 9 elements"},
      {"repro 'many/f32.33.row.uniform/-@picky'", 77, "0 passed, 0 failed, 1 skipped"},
      {"repro 'many/f32.7.row.uniform/-@gpu.perfect'", 77, "absent  gpu.perfect"},
      {"repro 'many/f32.7.row.uniform/-@gpu.perfect'", 0, "pass  gpu.perfect", "0"},
      {"repro 'many/f32.7.row.uniform/-'", 1, "fail  stale"},
      {"repro 'many/f32.7.row.uniform/-@throws_untyped'", 1, "raised oh"},
      {"repro 'many/f32.7.row.uniform/-@one_less'", 1, "4 outputs instead of 5"},
      {"repro 'many/f32.7.row.uniform/-@wrong_dtype'", 1, "instead of f64[7]"},
      {"repro 'many/f32.7.row.uniform/-@nosuch'", 2, "no route is named 'nosuch'"},
      {"repro 'many/f32'", 2, "a case is OP/INPUTS/ATTRIBUTES"},
  });
}

CorpusCase recorded(const std::string& id, double x, double third) {
  CorpusCase c;
  c.id = id, c.op = "scaled", c.compare = "close", c.tol = {{0, 0.25}};
  c.inputs = {{"x", tensor(Dtype::f32, {1, 1}, {x})}};
  c.outputs = {{"out", tensor(Dtype::f32, {1, 1}, {third})}};
  return c;
}

TEST(Program, ReplayEndsWithEveryCode) {
  const std::string root = temporary("judge_corpora");
  std::filesystem::remove_all(root);
  CorpusCase unknown = recorded("t.unknown", 10, 1), refused = recorded("t.refused", 10, 1);
  unknown.op = "nosuch";
  refused.outputs.clear(), refused.compare.clear(), refused.tol.clear(), refused.error = "invalid_argument";
  write_corpus(root + "/good", {recorded("t.0", 10, 1), recorded("t.1", 10, 1.25)});
  write_corpus(root + "/bad", {recorded("t.0", 10, 1), recorded("t.1", 10, 1.5)});
  write_corpus(root + "/unknown", {unknown});
  write_corpus(root + "/refused", {refused});
  std::filesystem::create_directories(root + "/broken");
  std::ofstream(root + "/broken/cases.json") << "{";
  const auto replayed = [&](const std::string& rest) { return plumb("replay " + root + rest); };
  const auto expect_code = [&](const std::string& rest, int code, const char* says) {
    const Ran ran = replayed(rest);
    EXPECT_EQ(ran.code, code) << rest << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(says)) << rest;
  };
  expect_code("/good --route=perfect", 0, "2 elements compared\n2 passed, 0 failed, 0 skipped");
  expect_code("/good", 0, "2 passed, 0 failed, 0 skipped");
  expect_code("/bad --route=perfect", 1, "1 passed, 1 failed, 0 skipped");
  expect_code("/bad --route=perfect", 1, "--case=t.1 --route=perfect");
  expect_code("/refused --route=perfect", 1, "not rejected: invalid_argument was recorded");
  expect_code("/unknown", 77, "skipped, no such op here: nosuch 1\nnothing was judged");
  expect_code("/unknown", 77, "0 passed, 0 failed, 1 skipped");
  expect_code("/good --route=gpu.perfect", 77, "refused 2: scaled@gpu.perfect: needs tier gpu");
  expect_code("/good --route=wrong", 77, "skipped 2: scaled: has no route wrong");
  expect_code("/good --route=gpu.perfect", 77, "0 elements compared\n0 passed, 0 failed, 2 skipped");
  expect_code("/nosuch", 2, "no such folder");
  expect_code("/broken", 2, "cases.json");
  expect_code("/good --route=nosuch", 2, "no route");
  expect_code("/good --op=nosuch", 2, "no case of op");
  expect_code("/good --case=nosuch", 2, "no case of op");
}

// Words, options and variables that name nothing are told with the nearest that do, before anything runs.
TEST(Program, WhatNamesNothingIsToldBeforeAnythingRuns) {
  expect({
      {"chek", 2, "`plumb` has no verb \"chek\"; nearest: check"},
      {"list op", 2, "`plumb list` has no verb \"op\"; nearest: ops"},
      {"list", 2, "`plumb list` needs a verb: ops, routes, cases, fills"},
      {"", 2, "`plumb` needs a verb: devices, list, explain"},
      {"check many --budgt=smoke", 2, "`plumb check` has no option \"--budgt\"; nearest: --budget"},
      {"check many --budget smoke -w", 2, "`plumb check` has no option \"-w\""},
      {"check mny", 2, "no op is named 'mny'; nearest: many"},
      {"check many --route=perfct", 2, "no route matches 'perfct'; nearest: perfect"},
      {"bench many --min-time=-1", 2, "--min-time: \"-1\" is no number of seconds above 0"},
      {"bench many --min-time=0", 2, "--min-time"},
      {"bench many --min-time=nan", 2, "--min-time"},
      {"bench many --min-time=inf", 2, "--min-time"},
      {"bench many --min-time=1e9", 2, "at most 3600"},
      {"bench many --launch-limit=-1", 2, "--launch-limit"},
      {"bench many --launch-limit=0", 2, "--launch-limit"},
      {"bench many --launch-limit=nan", 2, "--launch-limit"},
      {"bench many --repetitions=0", 2, "--repetitions"},
      {"bench many --repetitions=-1", 2, "--repetitions"},
      {"bench many --repetitions=2.5", 2, "--repetitions"},
      {"bench many --threads=0", 2, "--threads"},
      {"bench many --threads=1,0", 2, "--threads"},
      {"bench many --threads=1025", 2, "--threads"},
      {"report many --threads=0", 2, "--threads"},
      {"report many --repetitions=0", 2, "--repetitions"},
      {"report many --min-time=nan", 2, "--min-time"},
      {"report many --launch-limit=-1", 2, "--launch-limit"},
  });
}

TEST(Program, VariablesMustNameSomething) {
  const auto expect_code = [](const std::string& variable, int code, const char* says) {
    const Ran r =
        run_shell("PLUMB_DEVICE=none " + variable + " '" PLUMB_PROGRAM "' check many@perfect --budget=smoke 2>&1");
    EXPECT_EQ(r.code, code) << variable << "\n" << r.out;
    EXPECT_THAT(r.out, HasSubstr(says)) << variable;
  };
  expect_code("PLUMB_THREADS=2", 0, "6 passed");
  expect_code("PLUMB_THREADS= PLUMB_ISA= PLUMB_ROUTE= PLUMB_LIMITS= PLUMB_CACHE=", 0, "6 passed");
  expect_code("PLUMB_ISA=base PLUMB_ROUTE=perfect PLUMB_LIMITS=small PLUMB_CACHE=off", 0, "6 passed");
  for (const char* bad : {"0", "-1", "two", "2x", "1025", "99999999999999999999", "1.5", "' 2'"})
    expect_code(std::string("PLUMB_THREADS=") + bad, 2, "the variable PLUMB_THREADS is \"");
  for (const char* bad : {"sse", "AVX2", "avx512,", "all"})
    expect_code(std::string("PLUMB_ISA=") + bad, 2, "it is base, avx2 or avx512");
  expect_code("PLUMB_ROUTE=perfct", 2,
              "the variable PLUMB_ROUTE is \"perfct\"; it is the name of a route; nearest: perfect");
  expect_code("PLUMB_LIMITS=tiny", 2, "the variable PLUMB_LIMITS is \"tiny\"");
  expect_code("PLUMB_CACHE=yes", 2, "the variable PLUMB_CACHE is \"yes\"");
  expect_code("PLUMB_DEVICE=nosuch", 2, "PLUMB_DEVICE=nosuch is none of");
  expect_code("PLUMB_DEVICE=7", 2, "PLUMB_DEVICE=7 is none of");
  expect_code("PLUMB_THREAD=2", 2, "no variable is named PLUMB_THREAD; nearest: PLUMB_THREADS");
  expect_code("PLUMB_=2", 2, "no variable is named PLUMB_;");
}

const char* const kQuick = " --min-time=0.001 --repetitions=2 --threads=1";

TEST(Program, BenchEndsWithEveryCode) {
  const auto expect_code = [](const std::string& arguments, int code, const char* says) {
    const Ran ran = plumb("bench " + arguments + kQuick);
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(says)) << arguments;
  };
  expect_code("many --route=perfect --budget=smoke", 0, "many/f32.100.row.uniform/-");
  expect_code("many --route=perfect", 0, "many/f32.200.row.uniform/-");
  expect_code("many --route=wrong --budget=smoke", 1, "in output 0 at 0: want");
  expect_code("many --route=lazy --budget=smoke", 0, "lazy");  // nothing is poisoned where time is taken
  expect_code("many --route=throws --budget=smoke", 1, "no room");
  expect_code("many --route=no_room --budget=smoke", 1, "[many] memory: route no_room: an allocation failed");
  expect_code("many --route=no_room_later --budget=smoke", 1,
              "while it was timed: [many] memory: route no_room_later: an allocation failed");
  expect_code("many --route=one_less --budget=smoke", 1, "outputs instead of 5");
  expect_code("total --route=perfect", 1, "of the measured compute ceiling");
  expect_code("many --route=never", 77, "nothing was timed\nrefused 2: many@never: never holds");
  expect_code("many --route=perfect --launch-limit=1e-300", 77, "nothing was timed");
  expect_code("scaled", 2, "the query 'scaled' matches nothing");
  expect_code("many@perfect total/nosuch*", 2, "'total/nosuch*' matches nothing");
  expect_code("nosuch", 2, "no op is named 'nosuch'");
}

TEST(Program, ACeilingThatCouldNotBeMeasuredCostsItsSharesAlone) {
  const std::string folder = temporary("unmeasured"), why = "memory: cannot allocate 7 bytes";
  const std::string row = "many --route=perfect --budget=smoke --no-peers --min-time=0.001 --repetitions=2";
  ASSERT_EQ(::setenv("FAKES_CEILINGS", "lost", 1), 0);
  const Ran bench = plumb("bench " + row);
  const Ran report =
      plumb("report many@perfect --budget=smoke --min-time=0.001 --repetitions=2 --out '" + folder + "'");
  ::unsetenv("FAKES_CEILINGS");
  EXPECT_EQ(bench.code, 0) << bench.out;
  EXPECT_THAT(bench.out, HasSubstr("ceiling copy_64KiB on the host, 1 threads: not measured: " + why));
  EXPECT_THAT(bench.out, HasSubstr("ceiling fma_played on the host, 1 threads: 100000 Pflop/s"));
  ASSERT_EQ(report.code, 0) << report.out;
  const auto json = nlohmann::json::parse(std::ifstream(folder + "/report.json")).at("bench");
  EXPECT_EQ(json.at("ceilings").size(), 1U);
  EXPECT_EQ(json.at("unmeasured").at(0).at("null_reason"), why);
  const auto& first = json.at("rows").at(0);
  EXPECT_GT(first.at("median"), 0);
  EXPECT_TRUE(first.at("efficiency").is_null());
  EXPECT_EQ(first.at("null_reason"), "no ceiling copy_64KiB: " + why);
  std::ifstream file(folder + "/report.md");
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(file), {}), HasSubstr("not measured: " + why));
}

// What was not timed has no time, in any form, and says why.
TEST(Program, PeersObeyTheLaunchLimitAndAbsentOnesSaySo) {
  const std::string bench = "bench many --route=perfect --budget=smoke --min-time=0.001 --repetitions=2 --threads=1";
  const auto row_of = [](const Ran& ran, const std::string& route) {
    EXPECT_EQ(ran.code, 0) << ran.out;
    const auto json = nlohmann::json::parse(ran.out);
    for (const auto& row : json.at("rows"))
      if (row.at("route") == route) return row;
    return nlohmann::json();
  };
  setenv("FAKES_PEERS", "1", 1);
  const Ran usual = plumb(bench + " --json"), strict = plumb(bench + " --launch-limit=0.002 --json");
  EXPECT_EQ(row_of(usual, "peer.slow").at("seconds").size(), 2U);
  EXPECT_GT(row_of(usual, "peer.slow").at("median"), 0.004);
  const auto slow = row_of(strict, "peer.slow"), gone = row_of(usual, "peer.gone");
  for (const auto& row : {slow, gone}) {
    EXPECT_TRUE(row.at("seconds").empty());
    for (const char* time : {"median", "mad", "min", "efficiency"}) EXPECT_TRUE(row.at(time).is_null()) << row;
  }
  EXPECT_THAT(slow.at("null_reason").get<std::string>(), HasSubstr("one launch takes 0.00"));
  EXPECT_EQ(gone.at("null_reason"), "libgone.so.0 is not here");
  const std::string text = plumb(bench).out;
  unsetenv("FAKES_PEERS");
  EXPECT_THAT(text, AllOf(HasSubstr("not timed"), HasSubstr("libgone.so.0 is not here")));
  EXPECT_THAT(text, Not(HasSubstr(" 0 ns ")));
}

TEST(Program, ADeviceCanBeDemanded) {
  for (const char* verb :
       {"devices", "check many --route=perfect --budget=smoke", "repro 'many/f32.7.row.uniform/-@perfect'",
        "bench many --route=perfect --budget=smoke", "report many --no-bench --budget=smoke", "replay /nosuch"}) {
    const Ran ran = plumb(std::string(verb) + " --require-device");
    EXPECT_EQ(ran.code, 1) << verb << "\n" << ran.out;
    EXPECT_EQ(ran.out, "plumb: --require-device: PLUMB_DEVICE=none\n");
  }
  EXPECT_EQ(plumb("check many --route=perfect --budget=smoke --require-device", "0").code, 0);
}

TEST(Program, ReportEndsWithEveryCode) {
  const std::string out = temporary("judge_report");
  const auto expect_code = [&](const std::string& arguments, int code, const char* says) {
    std::filesystem::remove_all(out);
    const Ran ran = plumb("report " + arguments + " --budget=smoke --out='" + out + "'" + kQuick);
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(says)) << arguments;
    EXPECT_EQ(std::filesystem::exists(out + "/report.json"), code != 2) << arguments;
  };
  expect_code("many@perfect --no-bench", 0, "6 passed, 0 failed, 0 skipped");
  expect_code("'many*@perfect'", 0, "6 passed, 0 failed, 0 skipped");
  expect_code("many@wrong --no-bench", 1, "3 passed, 3 failed, 0 skipped");
  expect_code("'total*@perfect'", 1, "of the measured compute ceiling");
  expect_code("many@never --no-bench", 77, "0 passed, 0 failed, 5 skipped");
  expect_code("many@never", 77, "nothing ran: many@never ran no case: never holds");
  expect_code("scaled@perfect", 0, "nothing is timed: no benchmark matches the query");
  expect_code("many@perfect total/nosuch*", 2, "'total/nosuch*' matches nothing");
  expect_code("nosuch --no-bench", 2, "nosuch");
  (void)plumb("report many@wrong --no-bench --budget=smoke --out='" + out + "'");
  std::ifstream file(out + "/report.json");
  const auto json = nlohmann::json::parse(file);
  EXPECT_EQ(json.at("check").at("failed"), 3);
  EXPECT_EQ(json.at("check").at("tallies").at(0).at("compared"), 520);
  EXPECT_EQ(json.at("current").at("tier"), "unavailable");
}

}  // namespace
}  // namespace plumb
