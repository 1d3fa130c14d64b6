// Software of others behind `--backend`: what it does wrong is told by its name, and never harms the judge. The toy
// (conformance/backend_tests) adds, with one fault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kCase = "add/f32.5x7.row.uniform+f32.5x7.row.uniform/-";
const std::string kToy = "python3 " PLUMB_SOURCE_DIR "/conformance/backend_tests/toy.py ";

std::string backend(const std::string& fault) { return " --backend-timeout=1 --backend 'cmd:" + kToy + fault + "' "; }

Ran plumb(const std::string& arguments) {
  return run_shell("PLUMB_DEVICE=none '" PLUMB_PROGRAM "' " + arguments + " 2>&1");
}

// What becomes of one case on the toy.
json verdict(const std::string& fault, const std::string& more = "") {
  const Ran r = plumb("repro '" + kCase + "@toy' --json" + backend(fault) + more);
  const json all = json::parse(r.out, nullptr, false);
  if (all.is_discarded()) return {{"status", "none"}, {"cause", ""}, {"reason", r.out}};
  EXPECT_EQ(r.code, all["routes"][0]["status"] == "pass" ? 0 : 1);
  return all["routes"][0];
}

void expect_cause(const std::string& fault, const std::string& cause, const std::string& words = "") {
  const json v = verdict(fault);
  EXPECT_EQ(v["status"], "fail") << fault << ": " << v;
  EXPECT_EQ(v["cause"], cause) << fault << ": " << v;
  EXPECT_THAT(v["reason"].get<std::string>(), HasSubstr(words)) << fault;
}

TEST(Backends, OneWithoutAFaultPasses) {
  const Ran r = plumb("check --budget=smoke" + backend("none") + "add");
  EXPECT_EQ(r.code, 0) << r.out;
  EXPECT_THAT(r.out, HasSubstr("toy 1: "));
  EXPECT_THAT(r.out, HasSubstr(" 0 failed"));
  EXPECT_THAT(r.out, HasSubstr("\nsalt "));  // that of this run, which nobody knew before
  EXPECT_THAT(r.out, Not(HasSubstr("cpu.strided")));
  EXPECT_EQ(plumb("check --budget=smoke" + backend("protocol_1") + "add").code, 0);
}

// Frequencies have no input, and no transform's length.
TEST(Backends, AnOrderIsAssumedOfRowsWithoutInputs) {
  const Ran r = plumb("check 'fftfreq/*' 'rfftfreq/*' --budget=smoke" + backend("frequencies"));
  EXPECT_EQ(r.code, 0) << r.out;
  EXPECT_THAT(r.out, HasSubstr(" 0 failed"));
}

TEST(Backends, EachFaultHasItsCause) {
  expect_cause("value", "value", "allowed 0");
  expect_cause("half", "value");
  expect_cause("zeros", "value");
  expect_cause("previous", "value");
  expect_cause("shape", "spec", "f32[1,5,7] instead of f32[5,7]");
  expect_cause("dtype", "spec", "f16[5,7] instead of f32[5,7]");
  expect_cause("unknown_dtype", "spec", "f8[5,7]");
  expect_cause("nothing", "spec", "0 outputs instead of 1");
  expect_cause("input", "input changed");
  expect_cause("overrun", "out of bounds");
  expect_cause("underrun", "out of bounds");
  expect_cause("unwritten", "unwritten");
  expect_cause("late", "unwritten");      // what it says is there is written afterwards
  expect_cause("deferred", "unwritten");  // with what is asked next
  expect_cause("first_place", "unwritten", "on the second launch");
  expect_cause("third", "unrepeatable");
  expect_cause("threads", "unrepeatable", "its own number of threads");
  expect_cause("raise", "raised", "shape: the toy does not want to");
  expect_cause("claims", "claims but refuses", "not that one");
  expect_cause("memory", "memory");
  expect_cause("signal", "crashed", "SIGFPE");
  expect_cause("input_in_place", "crashed", "SIGSEGV");  // which no other than the kernel forbids
  expect_cause("exit", "crashed", "exit code 3");
  expect_cause("leaves", "crashed");
  expect_cause("sleep", "timeout");
  expect_cause("garbage", "protocol");
}

// A memo is right as long as it is of the values; a table is of the values of another run.
TEST(Backends, AnswersFromATableAreWrongUnderAnotherSalt) {
  EXPECT_EQ(verdict("memo")["status"], "pass");
  const std::string table = "table " + temporary("table.json");
  EXPECT_EQ(verdict(table, "--salt=1")["status"], "pass");
  EXPECT_EQ(verdict(table, "--salt=1")["status"], "pass");
  EXPECT_EQ(verdict(table)["cause"], "value");
}

TEST(Backends, InvalidCallsAreSentAsTheyAre) {
  const Ran list = plumb("check 'add/*' --budget=smoke --json" + backend("accepts"));
  const json all = json::parse(list.out, nullptr, false);
  ASSERT_FALSE(all.is_discarded()) << list.out;
  EXPECT_EQ(list.code, 1);
  std::size_t accepted = 0;
  for (const json& f : all["failures"]) accepted += f["cause"] == "accepted invalid";
  EXPECT_GT(accepted, 0u);
  EXPECT_EQ(accepted, all["failures"].size());
}

// Nothing that it says or leaves unsaid ends the judge, or is believed.
TEST(Backends, AHostileOneDoesNoHarm) {
  for (const char* fault : {"giant", "long", "empty", "no_json", "list", "deep", "twice", "text", "outside", "negative",
                            "inside", "no_word"})
    expect_cause(fault, "protocol");
  expect_cause("flood", "protocol");
  expect_cause("half_frame", "timeout");
  expect_cause("few", "protocol");
  expect_cause("cut", "input changed");  // a refused system call of its own
  EXPECT_EQ(verdict("print")["status"], "pass");
  EXPECT_EQ(verdict("control")["status"], "pass");
  const Ran refused = plumb("repro 'add/f16.s.row.uniform+f16.s.row.uniform/-@toy'" + backend("control"));
  EXPECT_THAT(refused.out, HasSubstr("\\x1b[31monly"));
  EXPECT_THAT(refused.out, Not(HasSubstr("\x1b")));
}

TEST(Backends, OneThatDoesNotBeginIsAnError) {
  for (const char* fault : {"unknown_key", "bad_order", "unknown_op"}) {
    const Ran r = plumb("check add --budget=smoke" + backend(fault));
    EXPECT_EQ(r.code, 2) << r.out;
    EXPECT_THAT(r.out, HasSubstr("does not begin")) << r.out;
  }
  EXPECT_THAT(plumb("check add --backend cmd:/nosuch").out, HasSubstr("exit code 127"));
  EXPECT_EQ(plumb("check add --backend mine").code, 2);
  EXPECT_EQ(plumb("check add --backend \"cmd:a 'b\"").code, 2);
}

// A crash costs its case and no other one, until there were too many.
TEST(Backends, ACrashCostsOneCase) {
  const std::string query = "check '" + kCase + "' 'add/f32.3x33.row.bits+f32.3x33.row.bits/-' ";
  const Ran r = plumb(query + "--json" + backend("signal"));
  const json all = json::parse(r.out, nullptr, false);
  ASSERT_FALSE(all.is_discarded()) << r.out;
  EXPECT_EQ(all["failures"].size(), 2u) << r.out;
  const Ran none = plumb(query + "--max-restarts=0" + backend("signal"));
  EXPECT_THAT(none.out, HasSubstr("started again 0 times, and not once more")) << none.out;
}

void write(const std::string& path, const json& departures, const std::string& version = "1") {
  std::ofstream(path) << json{{"library", "toy"}, {"version", version}, {"departures", departures}};
}

TEST(Backends, AKnownListIsGreenIfExactlyThatDiffers) {
  const std::string path = temporary("known.json"), run = "check '" + kCase + "' --known " + path;
  const auto entry = [](const std::string& cause) {
    const json one{{"case", "add/f32.5x7.row.*"}, {"cause", cause}, {"class", "defect"}, {"reason", "one more"}};
    return json::array({one});
  };
  write(path, entry("value"));
  EXPECT_EQ(plumb(run + backend("value")).code, 0);
  const Ran passes = plumb(run + backend("none"));
  EXPECT_EQ(passes.code, 1);
  EXPECT_THAT(passes.out, HasSubstr("is listed as a departure (value: one more), and is now: pass"));
  EXPECT_EQ(plumb(run + backend("shape")).code, 1);
  write(path, json::array());
  EXPECT_EQ(plumb(run + backend("value")).code, 1);
  write(path, entry("value"), "2");
  EXPECT_EQ(plumb(run + backend("value")).code, 2);
  write(path, entry("bad luck"));
  EXPECT_EQ(plumb(run + backend("value")).code, 2);
}

TEST(Backends, CallsThatAreRefusedCanBeAudited) {
  const std::string call = "repro 'add/f32.5x7.row.uniform+f32.7.row.uniform/-@toy' --json";
  EXPECT_THAT(plumb(call + backend("none")).out, HasSubstr("\"refused\""));
  const Ran r = plumb(call + backend("none") + "--audit");
  EXPECT_THAT(r.out, HasSubstr("refused, and rightly")) << r.out;
}

TEST(Backends, EveryVerbTakesThem) {
  // Never the natural route, and one by its name.
  EXPECT_THAT(plumb("explain '" + kCase + "'" + backend("none")).out, HasSubstr("spare    toy"));
  EXPECT_THAT(plumb("explain '" + kCase + "@toy'" + backend("none")).out, HasSubstr("take     toy"));
  const std::string bench = "bench add --budget=smoke --min-time=0.001 --repetitions=1 --no-peers";
  EXPECT_THAT(plumb(bench + backend("none")).out, HasSubstr("toy"));
  const std::string out = temporary("entries.cmake");
  EXPECT_EQ(plumb("list ctest --program plumb --out " + out + backend("none")).code, 0);
  std::ifstream file(out);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(text, HasSubstr("foreign.toy.add"));
  EXPECT_THAT(text, HasSubstr("backend:toy"));
}

}  // namespace
}  // namespace plumb
