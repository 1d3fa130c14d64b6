// Parts of a run: every operation is in one of them, they take about as long, and merged they are the whole run.
#include "core/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

TEST(Shard, EveryPieceIsInOneAndNoneHasMuchMore) {
  std::vector<double> seconds;
  for (int i = 0; i < 100; ++i) seconds.push_back(1 + i * i % 17);
  const double all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  std::vector<int> taken(100);
  for (std::size_t i = 1; i <= 7; ++i) {
    const std::vector<bool> own = of_shard(seconds, {i, 7});
    double sum = 0;
    for (std::size_t k = 0; k < 100; ++k) sum += own[k] ? seconds[k] : 0, taken[k] += own[k];
    EXPECT_LE(sum, all / 7 + 17) << i;
    EXPECT_GE(sum, all / 7 - 17) << i;
  }
  EXPECT_TRUE(std::all_of(taken.begin(), taken.end(), [](int times) { return times == 1; }));
  EXPECT_EQ(of_shard({1, 1, 1}, {1, 1}), std::vector<bool>(3, true));
  EXPECT_EQ(of_shard({1, 3, 1}, {1, 2}), (std::vector<bool>{false, true, false}));
}

Ran plumb(const std::string& arguments) {
  return run_shell("PLUMB_DEVICE=none PLUMB_THREADS=1 '" PLUMB_PROGRAM "' " + arguments);
}

void expect(const std::string& arguments, int code, const std::string& says) {
  const Ran ran = plumb(arguments + " 2>&1");
  EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.out;
  EXPECT_THAT(ran.out, HasSubstr(says)) << arguments;
}

Json read(const std::string& path) { return Json::parse(std::ifstream(path)); }

// Without what no two runs have in common.
Json timeless(Json report) {
  report["run"].erase("utc"), report["run"].erase("command");
  for (Json& t : report["check"]["tallies"]) t.erase("seconds");
  for (Json& r : report["bench"]["rows"])
    for (const char* key : {"seconds", "median", "mad", "min", "efficiency"}) r.erase(key);
  return report;
}

// The shards of a run over everything, in folders of their own.
struct Shards {
  Shards(const std::string& name, const std::string& arguments, int n) : folder(temporary(name)) {
    std::filesystem::remove_all(folder);
    (void)plumb("report " + arguments + " --out '" + folder + "/all' 2>&1");
    for (int i = 1; i <= n; ++i) {
      const std::string shard = std::to_string(i) + "/" + std::to_string(n);
      (void)plumb("report " + arguments + " --shard=" + shard + " --out '" + part(i) + "' 2>&1");
      parts += " '" + part(i) + "/report.json'";
    }
  }
  std::string part(int i) const { return folder + "/" + std::to_string(i); }
  std::string merged() const { return folder + "/merged"; }

  std::string folder, parts;
};

TEST(Merge, TheShardsOfARunAreTheRun) {
  const Shards s("shards_whole", "--budget=smoke --no-bench --salt=3", 3);
  expect("merge" + s.parts + " --out '" + s.merged() + "'", 1, "report.json");  // some routes are wrong
  const Json whole = read(s.folder + "/all/report.json"), merged = read(s.merged() + "/report.json");
  EXPECT_EQ(timeless(whole), timeless(merged)) << Json::diff(timeless(whole), timeless(merged)).dump(1);
  EXPECT_GT(whole["check"]["failures"].size(), 20U);
  EXPECT_TRUE(std::filesystem::exists(s.merged() + "/report.html"));
  for (int i = 1; i <= 3; ++i) EXPECT_GT(read(s.part(i) + "/report.json")["check"]["ran"], 0) << i;
  EXPECT_EQ(merged["run"]["command"].get<std::string>().find("--shard"), std::string::npos);
}

TEST(Merge, TimedRowsToo) {
  const Shards s("shards_timed",
                 "many@perfect root@perfect total@never --budget=smoke --min-time=0.001 --repetitions=2", 2);
  expect("merge" + s.parts + " --out '" + s.merged() + "'", 0, "report.json");
  const Json whole = read(s.folder + "/all/report.json"), merged = read(s.merged() + "/report.json");
  EXPECT_EQ(timeless(whole), timeless(merged)) << Json::diff(timeless(whole), timeless(merged)).dump(1);
  EXPECT_FALSE(merged["bench"]["rows"].empty());
  expect("compare '" + s.folder + "/all/report.json' '" + s.merged() + "/report.json'", 0, "0 vanished, 0 appeared");
}

TEST(Merge, WhatDoesNotFitIsRefusedByName) {
  const Shards s("shards_misfit", "many@perfect root@perfect --budget=smoke --no-bench", 2);
  const std::string one = "'" + s.part(1) + "/report.json'", two = "'" + s.part(2) + "/report.json'",
                    all = "'" + s.folder + "/all/report.json'", out = " --out '" + s.merged() + "'";
  expect("merge " + one + out, 2, "the shard 2/2 is missing");
  expect("merge " + two + out, 2, "the shard 1/2 is missing");
  expect("merge " + one + " " + one + out, 2, "the shard 1/2 is there twice: ");
  expect("merge " + one + " " + all + out, 2, "is the shard 1/1");
  expect("merge " + one + " " + two, 2, "--out");
  EXPECT_FALSE(std::filesystem::exists(s.merged()));
  const auto changed = [&](const std::function<void(Json&)>& change) {
    Json j = read(s.part(2) + "/report.json");
    change(j);
    std::ofstream(s.folder + "/changed.json") << j.dump();
    return "merge " + one + " '" + s.folder + "/changed.json'" + out;
  };
  expect(changed([](Json& j) { j["run"]["version"] = "9"; }), 2, "version was \"0.1.0\", is \"9\"");
  expect(changed([](Json& j) { j["check"]["salt"] = 5; }), 2, "salt of check was 0, is 5");
  expect(changed([](Json& j) { j["run"]["settings"]["queries"] = "sum"; }), 2, "queries was ");
  expect(changed([](Json& j) { j["run"]["settings"].erase("limits"); }), 2, "limits was \"usual\", is not said");
  expect(changed([](Json& j) { j["progress"]["complete"] = false; }), 2, "is unfinished");
  expect(changed([](Json& j) { j["run"]["settings"]["shard"] = "x"; }), 2, "--shard: \"x\" is none");
  expect(changed([](Json& j) { j["coverage"].erase(0); }), 2, "has other conditions");
  expect(changed([](Json& j) { j["check"].erase("tallies"); }), 2, "is not a whole report");
  expect(changed([](Json& j) { j["run"]["settings"]["processor"] = "other"; }), 0, "report.json");
  expect(changed([&](Json& j) {
           j["check"]["tallies"].push_back(read(s.part(1) + "/report.json")["check"]["tallies"][0]);
         }),
         2, "@perfect is in ");
}

TEST(Merge, WhatCheckAndBenchPrint) {
  const std::string a = temporary("shard_a"), b = temporary("shard_b"), quoted = "'" + a + "' '" + b + "'";
  const std::string check = "check many@perfect root@perfect --budget=smoke --json --shard=";
  ASSERT_EQ(plumb(check + "1/2 > '" + a + "'").code, 0);
  ASSERT_EQ(plumb(check + "2/2 > '" + b + "'").code, 0);
  Json whole = Json::parse(plumb("check many@perfect root@perfect --budget=smoke --json").out),
       merged = Json::parse(plumb("merge " + quoted).out);
  for (Json* j : {&whole, &merged})
    for (Json& t : (*j)["tallies"]) t.erase("seconds");
  EXPECT_EQ(whole, merged);
  expect("merge '" + a + "'", 2, "the shard 2/2 is missing");
  const std::string bench =
      "bench many --route=perfect --budget=smoke --min-time=0.001 --repetitions=2 --json --shard=";
  EXPECT_EQ(plumb(bench + "1/2 > '" + a + "'").code, 0);
  EXPECT_EQ(plumb(bench + "2/2 > '" + b + "'").code, 77) << "no operation is left for it";
  EXPECT_EQ(Json::parse(plumb("merge " + quoted).out)["rows"].size(), 1U);
}

TEST(Merge, WordsThatAreNoShard) {
  for (const char* bad : {"0/2", "3/2", "1", "/", "1/", "a/b", "1/2/3", "-1/2", "1/1001", "+1/2"})
    expect(std::string("check many@perfect --budget=smoke --shard=") + bad, 2, "it is i/n");
  expect("check many@perfect --budget=smoke --shard=2/2", 2, "no operation is left for the shard 2/2");
  expect("report many@perfect --budget=smoke --no-bench --shard=2/2 --out '" + temporary("shard_none") + "'", 2, "2/2");
}

}  // namespace
}  // namespace plumb
