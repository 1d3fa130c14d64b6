// The program as its users meet it: exit codes, last lines, JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "conformance/replay.h"
#include "core/case.h"
#include "core/op.h"
#include "core/safetensors.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

struct Ran {
  int code;
  std::string out;  // stdout and stderr together
};

Ran plumb(const std::string& arguments) {
  FILE* pipe = popen(("'" PLUMB_PROGRAM "' " + arguments + " 2>&1").c_str(), "r");
  EXPECT_NE(nullptr, pipe);
  Ran ran{-1, ""};
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) ran.out.append(buffer.data(), n);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) ran.code = WEXITSTATUS(status);
  return ran;
}

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  return text.substr(text.rfind('\n', end) + 1, end - text.rfind('\n', end));
}

std::string first_case(const std::string& op) {
  const std::string out = plumb("list cases " + op + " --budget=smoke").out;
  return out.substr(0, out.find('\n'));
}

TEST(Cli, UnknownWordsAreErrors) {
  for (const char* arguments : {"",
                                "nosuch",
                                "list",
                                "list nosuch",
                                "list ops nosuch",
                                "list cases nosuch",
                                "list cases --budget=long",
                                "check nosuch",
                                "check add --route=nosuch",
                                "check add --budget=long",
                                "check --nosuch",
                                "explain add",
                                "explain nosuch/-",
                                "repro add/f32",
                                "replay /nosuch",
                                "bench nosuch",
                                "eval nosuch --in=a --out=b",
                                "eval add --in=/nosuch --out=b",
                                "report nosuch",
                                "check add --salt=-1",
                                "check add --salt=night",
                                "check add --salt=18446744073709551615",
                                "check add --isa=sse",
                                "check add --threads=0",
                                "repro add/-/- --salt=x"}) {
    const Ran ran = plumb(arguments);
    EXPECT_EQ(2, ran.code) << arguments << "\n" << ran.out;
  }
}

TEST(Cli, NearestNamesAreOffered) { EXPECT_THAT(plumb("check argsrt").out, HasSubstr("argsort")); }

TEST(Cli, EveryVerbTeachesByExample) {
  for (const char* verb : {"devices", "list", "explain", "check", "repro", "replay", "eval", "bench", "report"}) {
    const Ran ran = plumb(std::string(verb) + " --help");
    EXPECT_EQ(0, ran.code);
    EXPECT_THAT(ran.out, HasSubstr(std::string("  plumb ") + verb)) << verb;
  }
}

TEST(Cli, CheckEndsWithItsCounts) {
  const Ran ran = plumb("check add --budget=smoke --route=reference");
  EXPECT_EQ(0, ran.code);
  EXPECT_THAT(last_line(ran.out), MatchesRegex("[1-9][0-9]* passed, 0 failed, 0 skipped"));
}

TEST(Cli, TheSaltAndTheSettingsArePrinted) {
  const std::string check = "check add --budget=smoke --route='cpu.*' --salt=7";
  EXPECT_THAT(plumb(check).out, HasSubstr("\nsalt 7\n"));
  const auto json = nlohmann::json::parse(plumb(check + " --isa=base --threads=1,2 --json").out);
  EXPECT_EQ(7, json.at("salt"));
  const auto pair = [](int threads) { return nlohmann::json{{"isa", "base"}, {"threads", threads}}; };
  EXPECT_EQ((nlohmann::json{pair(1), pair(2)}), json.at("settings"));
  EXPECT_THAT(plumb("check add --budget=smoke --route='cpu.*' --salt=day").out, HasSubstr("\nsalt 20"));
}

TEST(Cli, EverySettingIsJudged) {
  const auto passed = [](const std::string& options) {
    const Ran ran = plumb("check argsort --budget=smoke --route='cpu.*' --json " + options);
    EXPECT_EQ(0, ran.code) << ran.out;
    const auto json = nlohmann::json::parse(ran.out);
    return json.at("passed").get<int>();
  };
  EXPECT_EQ(3 * passed("--isa=base"), passed("--isa=base --threads=1,2,3"));
}

TEST(Cli, NothingRunIsSkippedWithItsReason) {
  const std::string routes = plumb("list routes random_bits").out;
  if (routes.find("gpu.") == std::string::npos) GTEST_SKIP() << "built without device routes";
  setenv("PLUMB_DEVICE", "none", 1);
  const Ran ran = plumb("check random_bits --budget=smoke --route='gpu.*'");
  unsetenv("PLUMB_DEVICE");
  EXPECT_EQ(77, ran.code) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("nothing ran: "));
  EXPECT_THAT(last_line(ran.out), MatchesRegex("[0-9]* passed, 0 failed, [1-9][0-9]* skipped"));
}

TEST(Cli, JsonIsJson) {
  const std::string c = "'" + first_case("add") + "'";
  for (const std::string& arguments :
       {std::string("devices --json"), std::string("list ops --json"), std::string("list routes add --json"),
        std::string("list cases add --json"), std::string("list fills --json"),
        std::string("check add --budget=smoke --route=reference --json"), "explain " + c + " --json",
        "repro " + c + " --json"}) {
    const Ran ran = plumb(arguments);
    EXPECT_EQ(0, ran.code) << arguments;
    EXPECT_TRUE(nlohmann::json::accept(ran.out)) << arguments << "\n" << ran.out;
  }
}

TEST(Cli, AListedCaseExplainsAndReproduces) {
  const std::string c = first_case("argsort");
  EXPECT_THAT(plumb("explain '" + c + "'").out, HasSubstr("take"));
  EXPECT_THAT(plumb("explain '" + c + "@reference'").out, HasSubstr("reference"));
  const Ran ran = plumb("repro '" + c + "@reference'");
  EXPECT_EQ(0, ran.code) << ran.out;
  EXPECT_EQ("1 passed, 0 failed, 0 skipped", last_line(ran.out));
}

TEST(Cli, ADumpedCaseReplays) {
  const std::string folder = temporary("dump"), c = "argsort/f32.5x7.transposed.uniform/axis=-1";
  EXPECT_EQ(0, plumb("repro '" + c + "' --salt=7 --dump '" + folder + "'").code);
  const Ran ran = plumb("replay '" + folder + "' --route=all");
  EXPECT_EQ(0, ran.code) << ran.out;
  EXPECT_THAT(last_line(ran.out), MatchesRegex("[1-9][0-9]* passed, 0 failed, 0 skipped"));
  const std::vector<CorpusCase> cases = read_corpus(folder);
  ASSERT_EQ(2u, cases.size());
  EXPECT_EQ(c + "#14", cases[0].id);
  EXPECT_EQ(c + "#15", cases[1].id);
  const auto [op, described] = parse_case(c);
  for (const std::size_t i : {0u, 1u}) {
    const Tensor &got = cases[i].inputs.at("a"), want = realize(*op, described, 14 + i).at(0);
    EXPECT_EQ(want.strides(), got.strides());
    EXPECT_EQ("", compare_recorded(got, want, true, {0, 0}, true));
  }
}

TEST(Cli, ReplayOfUnknownOpsAloneIsNoSuccess) {
  const Ran ran = plumb("replay '" PLUMB_SOURCE_DIR "/conformance/corpus' --op=nosuch");
  EXPECT_EQ(2, ran.code) << ran.out;
}

TEST(Cli, EvalComputesFromAFile) {
  const std::string in = temporary("in.safetensors"),
                    out = temporary("out.safetensors");
  write_safetensors(in, {{"a", tensor(Dtype::f32, {3}, {3, 1, 2})}});
  const Ran ran = plumb("eval argsort --in '" + in + "' --attrs '{\"axis\": 0}' --out '" + out + "'");
  ASSERT_EQ(0, ran.code) << ran.out;
  const Tensor p = read_safetensors(out).at("out");
  const std::uint32_t* index = p.read<std::uint32_t>();
  EXPECT_THAT(std::vector<std::uint32_t>(index, index + 3), ::testing::ElementsAre(1, 2, 0));
  EXPECT_EQ(2, plumb("eval argsort --in '" + in + "' --attrs '{\"axes\": 0}' --out '" + out + "'").code);
  EXPECT_EQ(2, plumb("eval argsort --in '" + in + "' --attrs '[' --out '" + out + "'").code);
  EXPECT_EQ(2, plumb("eval add --in '" + in + "' --out '" + out + "'").code);
}

}  // namespace
}  // namespace plumb
