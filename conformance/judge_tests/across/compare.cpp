// `plumb compare` and `report --against`: every verdict and every exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::Not;

Ran plumb(const std::string& arguments) { return run_shell("PLUMB_DEVICE=none '" PLUMB_PROGRAM "' " + arguments); }

std::string file(const std::string& name, const Json& json) {
  std::string path = temporary("compare_" + name);
  std::ofstream(path) << json.dump();
  return path;
}

Ran compare(const Json& older, const Json& newer, const std::string& more = "") {
  return plumb("compare '" + file("old.json", older) + "' '" + file("new.json", newer) + "' " + more + " 2>&1");
}

Json tally(const char* op, const char* route, int passed, int failed) {
  return {{"op", op}, {"route", route}, {"passed", passed}, {"failed", failed}};
}

Json failure(const char* route, const char* message) {
  return {{"case", "add/f32.7"}, {"op", "add"}, {"route", route}, {"message", message}, {"repro", "plumb repro 'x'"}};
}

Json verdicts(std::initializer_list<Json> tallies, std::initializer_list<Json> failures) {
  return {{"tallies", Json(tallies)}, {"failures", Json(failures)}};
}

// 30 operations of four rows each, on one thread; between two of them the times differ by about a hundredth.
Json times(int seed) {
  Json all{{"rows", Json::array()}, {"ceilings", Json::array()}};
  for (int i = 0; i < 120; ++i) {
    const double median = 1e-3 * (1 + i % 7) * (1 + 0.002 * ((i * 37 + seed * 53) % 11 - 5));
    all["rows"].push_back({{"op", "op" + std::to_string(i / 4)},
                           {"case", "op" + std::to_string(i / 4) + "/" + std::to_string(i % 4)},
                           {"route", "cpu.any"},
                           {"mode", "hot"},
                           {"threads", 1},
                           {"seconds", {median, median, median}},
                           {"median", median},
                           {"mad", 0},
                           {"flops", 100},
                           {"bytes", 200},
                           {"error", ""},
                           {"null_reason", ""}});
  }
  return all;
}

void expect(const Ran& ran, int code, const std::string& says) {
  EXPECT_EQ(ran.code, code) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr(says));
}

TEST(Compare, WhatBrokeWhatIsRightAgainAndWhatIsAsBefore) {
  const Json right = verdicts({tally("add", "cpu.a", 3, 0)}, {}),
             wrong = verdicts({tally("add", "cpu.a", 2, 1)}, {failure("cpu.a", "off by one")});
  expect(compare(right, right), 0, "0 broke, 0 right again, 0 wrong as before");
  expect(compare(right, wrong), 1, "BROKE add/f32.7@cpu.a\n     off by one\n     plumb repro 'x'");
  expect(compare(wrong, right), 0, "right again add/f32.7@cpu.a");
  expect(compare(wrong, wrong), 0, "0 broke, 0 right again, 1 wrong as before");
  Json other = wrong;
  other["failures"][0]["isa"] = "avx2", other["failures"][0]["threads"] = 3;
  expect(compare(wrong, other), 1, "BROKE add/f32.7@cpu.a (avx2, 3 threads)");
}

TEST(Compare, WhatIsJudgedNoMoreIsNoLessThanWrong) {
  const Json both = verdicts({tally("add", "cpu.a", 3, 0), tally("add", "cpu.b", 2, 1)}, {failure("cpu.b", "no")}),
             one = verdicts({tally("add", "cpu.a", 3, 0)}, {}), fewer = verdicts({tally("add", "cpu.a", 1, 0)}, {});
  const Ran gone = compare(both, one);
  expect(gone, 1, "vanished add@cpu.b: 3 before, 0 now");
  EXPECT_THAT(gone.out, HasSubstr("0 right again")) << "a failure of a route that is gone";
  expect(compare(both, one, "--common"), 0, "1 vanished");
  expect(compare(one, fewer), 1, "vanished add@cpu.a: 3 before, 1 now");
  expect(compare(one, both, "--common"), 1, "appeared add@cpu.b: 0 before, 3 now");
  expect(compare(one, verdicts({tally("sum", "cpu.a", 1, 0)}, {}), "--common"), 77, "nothing in common");
}

TEST(Compare, TheGateHasNoTally) {
  const Json bad = verdicts({tally("add", "cpu.a", 3, 0)}, {failure("gate", "was accepted")}),
             good = verdicts({tally("add", "cpu.a", 3, 0)}, {});
  expect(compare(bad, good), 0, "right again add/f32.7@gate");
}

TEST(Compare, SlowerIsAFailureFasterIsNone) {
  const Json old = times(1);
  expect(compare(old, times(2)), 0, "0 slower, 0 faster, 120 the same, 0 ambiguous");
  Json slow = times(2);
  slow["rows"][17]["median"] = 0.1;
  expect(compare(old, slow), 1, "slower   op4/1  cpu.any  hot");
  expect(compare(slow, old), 0, "1 faster");
  const Json json = Json::parse(compare(old, slow, "--json").out);
  EXPECT_EQ(json.at("speed").at("slower"), 1);
  const Json& row = json.at("speed").at("rows").at(17);
  EXPECT_EQ(row.at("verdict"), "slower");
  EXPECT_LT(row.at("low"), row.at("ratio"));
  EXPECT_EQ(row.at("key").get<std::string>().size(), 16U);
  const Ran page = compare(old, slow, "--markdown");
  expect(page, 1, "## Slower\n\n| case | route | mode | threads |");
  EXPECT_THAT(page.out, Not(HasSubstr("## Broke")));
  slow["rows"][17]["mad"] = 0.09;  // nearly the time itself
  expect(compare(old, slow), 0, "1 ambiguous");
}

TEST(Compare, RowsThatAreNotTimedAnyMoreOrMeanOtherWork) {
  const Json old = times(1);
  Json less = times(2);
  less["rows"][5]["median"] = nullptr, less["rows"][5]["null_reason"] = "no room";
  expect(compare(old, less), 1, "vanished op1/1@cpu.any hot, 1 threads: 1 before, 0 now: no room");
  expect(compare(less, old), 0, "appeared op1/1@cpu.any hot, 1 threads");
  less["rows"][5]["once"] = 0.5;  // too slow to be timed is slow, and not gone
  expect(compare(old, less), 1, "0 vanished, 0 appeared, 1 slower");
  Json other = times(2);
  other["rows"][5]["flops"] = 101, other["rows"][5]["median"] = 1;
  expect(compare(old, other), 0, "counts other work, not compared: op1/1@cpu.any hot");
  Json wrong = times(2);
  wrong["rows"][5]["error"] = "in output 0";
  expect(compare(old, wrong), 1, "BROKE op1/1@cpu.any hot\n     in output 0");
}

TEST(Compare, SeveralOlderReportsTellTheNoise) {
  Json one = times(1), two = times(2), now = times(3);
  one["rows"][9]["median"] = 0.001, two["rows"][9]["median"] = 0.002, now["rows"][9]["median"] = 0.002;
  expect(compare(one, now), 1, "1 slower");
  const std::string three = "compare '" + file("a", one) + "' '" + file("b", two) + "' '" + file("c", now) + "' 2>&1";
  expect(plumb(three), 0, "0 slower");
}

TEST(Compare, RowsOnADeviceHaveNoThreadsWhateverAnOldReportSays) {
  Json old = times(1), now = times(2);
  old["rows"][3]["threads"] = 8;
  expect(compare(old, now), 1, "1 vanished, 1 appeared");
  const Json run{{"utc", "u"}, {"version", "0"}, {"commit", nullptr}, {"settings", Json::object()}};
  const auto report = [&](Json bench, int threads) {
    bench["rows"][3]["threads"] = threads;
    Json r{{"schema", "plumb-report/1"}, {"run", run}, {"check", verdicts({}, {})}, {"bench", std::move(bench)}};
    r["run"]["settings"]["threads"] = std::to_string(threads + 1);
    r["routes"] = {{{"op", "op0"}, {"name", "cpu.any"}, {"needs", threads ? "gpu" : "unavailable"}}};
    return r;
  };
  for (Json* all : {&old, &now})
    for (int i : {0, 1, 2}) (*all)["rows"][i]["threads"] = 0;
  const Ran ran = compare(report(old, 8), report(now, 0));
  expect(ran, 0, "0 vanished, 0 appeared");
  EXPECT_THAT(ran.out, HasSubstr("otherwise: threads was 9, is 1"));
}

TEST(Compare, WhatIsNoReportIsRefused) {
  const std::string good = "'" + file("good", times(1)) + "'";
  expect(plumb("compare " + good + " 2>&1"), 2, "reports");
  expect(plumb("compare " + good + " /nosuch 2>&1"), 2, "/nosuch");
  expect(compare(times(1), Json::array()), 2, "is no report");
  expect(compare(times(1), {{"rows", {{{"op", 1}}}}, {"ceilings", 1}}), 2, "is not a whole report");
  expect(compare(times(1), times(1), "--margin=0"), 2, "--margin");
}

TEST(Compare, AReportIsHeldAgainstAnOlderOne) {
  const std::string out = temporary("compare_against"), newer = out + "/newer";
  std::filesystem::remove_all(out);
  const std::string small = " --no-bench --budget=smoke ";
  ASSERT_EQ(plumb("report many@perfect" + small + "--out '" + out + "'").code, 0);
  const std::string against = small + "--out '" + newer + "' --against '" + out + "/report.json' 2>&1";
  expect(plumb("report many@perfect" + against), 0, "0 broke");
  EXPECT_TRUE(std::filesystem::exists(newer + "/against.md"));
  expect(plumb("report many@wrong" + against), 1, "BROKE many/f32.7.row.uniform/-@wrong");
  expect(plumb("report many@perfect --against /nosuch" + small + "--out '" + newer + "' 2>&1"), 2, "/nosuch");
}

}  // namespace
}  // namespace plumb
