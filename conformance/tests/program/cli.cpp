// The program as its users meet it: exit codes, last lines, JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/replay.h"
#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"
#include "core/case.h"
#include "core/corpus.h"
#include "core/op.h"
#include "core/route.h"
#include "core/safetensors.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

Ran plumb(const std::string& arguments) { return run_shell("'" PLUMB_PROGRAM "' " + arguments + " 2>&1"); }

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

// Said is what was given: an empty entry is no entry left out, an empty value no option left out, and of two values
// for one attribute neither is the one that is meant.
TEST(Cli, NothingGivenIsPassedOver) {
  const std::pair<const char*, const char*> refused[] = {
      {"check add --threads=1,,2", "--threads: \"1,,2\" has an empty entry"},
      {"check add --threads=,", "--threads: \",\" has an empty entry"},
      {"check add --isa=base,", "--isa: \"base,\" has an empty entry"},
      {"repro add/-/- --isa=,base", "--isa: \",base\" has an empty entry"},
      {"repro add/-/- --threads=1,x", "--threads: Value x not in range 1 to "},
      {"bench add --threads=1,,2", "--threads: \"1,,2\" has an empty entry"},
      {"report add --threads 2,", "--threads: \"2,\" has an empty entry"},
      {"report add --out ''", "--out: \"\" is no value"},
      {"check add --save-failures ''", "--save-failures: \"\" is no value"},
      {"list ops ''", "query: \"\" is no value"},
      {"eval add --in '' --out b", "--in: \"\" is no value"},
      {"convert '' b.npy", "from: \"\" is no value"},
      {"explain argsort/f32.7.row.uniform/axis=-1,axis=0", "'axis=-1,axis=0': 'axis' is there twice"},
      {"explain argsort/f32.7.row.uniform/axis=-1,,axis=-1", "'axis' is there twice"},
      {"repro argsort/f32.7.row.uniform/-@", "no route is named ''"}};
  for (const auto& [arguments, says] : refused) {
    const Ran ran = plumb(arguments);
    EXPECT_EQ(2, ran.code) << arguments << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(says)) << arguments;
  }
  EXPECT_EQ(0, plumb("check abs --budget=smoke --route='cpu.*' --threads 1,2 --threads 1 reciprocal").code)
      << "what follows a list is a query";
}

// A call that a route refuses, as tensors, and what the refusal says.
struct Forced {
  const char *op, *attrs, *route, *says;
  TensorMap in;
};

Tensor ones(Dtype t, const Shape& shape) {
  return tensor(t, shape, std::vector<double>(static_cast<std::size_t>(count(shape)), 1));
}

std::vector<Forced> refused_calls() {
  std::vector<double> descending;
  for (int i = 1000; i > 0; --i) descending.push_back(i);
  const Tensor a = tensor(Dtype::i64, {1000}, descending), halves = ones(Dtype::f16, {1});
  const Tensor packed = tensor(Dtype::u32, {1, 4}, {0, 0, 0, 0}), scales = tensor(Dtype::u8, {1, 1}, {0});
  const char* mx = R"({"mode": "mxfp4", "group_size": 32, "bits": 4, "dtype": "F64"})";
  return {
      {"argsort", "{}", "cpu.network", "i64[1000]", {{"a", a}}},
      {"argsort", "{}", "gpu.network", "i64[1000]", {{"a", a}}},
      {"fft", "{}", "cpu.stockham", "f32[17]", {{"a", ones(Dtype::f32, {17})}}},
      {"fft", "{}", "gpu.stockham", "f32[17]", {{"a", ones(Dtype::f32, {17})}}},
      {"matmul", "{}", "cpu.vector", "f32[2,3]", {{"a", ones(Dtype::f32, {2, 3})}, {"b", ones(Dtype::f32, {3, 2})}}},
      {"matmul", "{}", "gpu.mma", "f32[2,3]", {{"a", ones(Dtype::f32, {2, 3})}, {"b", ones(Dtype::f32, {3, 2})}}},
      {"add", "{}", "gpu.flat", "bf16[1]", {{"a", halves}, {"b", ones(Dtype::bf16, {1})}}},
      {"dequantize", mx, "gpu.units", "mode=mxfp4", {{"w_q", packed}, {"scales", scales}}},
      {"dequantize", mx, "cpu.vector", "mode=mxfp4", {{"w_q", packed}, {"scales", scales}}}};
}

TEST(Cli, EvalRefusesWhatTheRouteRefuses) {
  const std::string in = temporary("forced.safetensors"), out = temporary("forced_out.safetensors");
  for (const Forced& f : refused_calls()) {
    const auto& all = routes(find_op(f.op));
    if (std::none_of(all.begin(), all.end(), [&](const Route& r) { return r.name == f.route; })) continue;  // no OpenCL
    write_safetensors(in, f.in);
    const Ran ran = plumb(std::string("eval ") + f.op + " --in '" + in + "' --attrs '" + f.attrs + "' --out '" + out +
                          "' --route=" + f.route);
    EXPECT_EQ(2, ran.code) << f.op << " " << f.route << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr("[" + std::string(f.op) + "] unsupported: route " + f.route + " refuses: "));
    EXPECT_THAT(ran.out, HasSubstr(f.says)) << f.op << " " << f.route;
    EXPECT_FALSE(std::filesystem::exists(out)) << "nothing is written";
  }
}

TEST(Cli, ADeadQueryBesideALiveOneIsNamed) {
  const std::pair<const char*, const char*> dead[] = {
      {"check add@cpu.strided 'matmul/nosuch*' --budget=smoke", "'matmul/nosuch*' matches nothing"},
      {"check add reciprocal@cpu.nosuch --budget=smoke", "'reciprocal@cpu.nosuch' matches nothing"},
      {"bench add 'matmul/nosuch*' --budget=smoke", "'matmul/nosuch*' matches nothing"},
      {"report add reciprocal@cpu.nosuch --budget=smoke --no-bench", "'reciprocal@cpu.nosuch' matches nothing"}};
  for (const auto& [arguments, says] : dead) {
    const Ran ran = plumb(arguments);
    EXPECT_EQ(2, ran.code) << arguments << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(says)) << arguments;
  }
}

TEST(Cli, MessagesHaveWholeNumbersAndDtypes) {
  const std::pair<const char*, const char*> told[] = {
      {"repro 'dropout/f32.2x3.row.uniform+u32.2.row.bits/p=1.0000000001'", "p is 1.0000000001"},
      {"repro 'rms_norm_features/f32.2x3.row.uniform+f32.3.row.uniform/eps=1e-50'", "eps is 1e-50"},
      {"repro 'range_encode/i16.1x3.row.const-0+i16.1.row.const-0/-'", "symbols i16: not i32"}};
  for (const auto& [arguments, says] : told) EXPECT_THAT(plumb(arguments).out, HasSubstr(says)) << arguments;
}

TEST(Cli, WhatCannotBeReadIsPrintable) {
  const std::string folder = temporary("utf16");
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/cases.json", std::ios::binary) << "\xff\xfe[" << '\0' << "{\x1b[2J";
  const Ran ran = plumb("replay '" + folder + "'");
  EXPECT_EQ(2, ran.code) << ran.out;
  for (const char c : ran.out) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F)) << static_cast<int>(c);
}

TEST(Cli, NearestNamesAreOffered) { EXPECT_THAT(plumb("check argsrt").out, HasSubstr("argsort")); }

TEST(Cli, EveryVerbTeachesByExample) {
  for (const char* verb :
       {"devices", "list", "explain", "check", "repro", "replay", "eval", "bench", "report", "merge", "compare"}) {
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
    return json.at("ran").get<int>();
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

// A path is bytes, JSON is text.
TEST(Cli, JsonIsJsonWhateverBytesAPathHas) {
  const std::string folder = temporary("bytes") + "\xff";
  std::filesystem::create_directories(folder);
  write_safetensors(folder + "/in.safetensors", {{"a", ones(Dtype::f32, {2})}, {"b", ones(Dtype::f32, {2})}});
  CorpusCase wrong;
  wrong.id = "add.wrong", wrong.op = "add", wrong.compare = "exact";
  wrong.inputs = {{"a", ones(Dtype::f32, {2})}, {"b", ones(Dtype::f32, {2})}};
  wrong.outputs = {{"out", ones(Dtype::f32, {2})}};
  write_corpus(folder, {wrong});
  const std::string quoted = "'" + folder;
  const auto expect_text = [](const std::string& arguments, int code, const char* pointer) {
    const Ran ran = run_shell(arguments + " 2>&1");
    EXPECT_EQ(ran.code, code) << arguments << "\n" << ran.out;
    const auto json = nlohmann::json::parse(ran.out, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << arguments << "\n" << ran.out;
    if (*pointer) {
      EXPECT_THAT(json.at(nlohmann::json::json_pointer(pointer)).get<std::string>(), HasSubstr("\xEF\xBF\xBD"));
    }
  };
  const std::string program = "'" PLUMB_PROGRAM "' ";
  expect_text(program + "eval add --in=" + quoted + "/in.safetensors' --out=" + quoted + "/out.safetensors' --json", 0,
              "/out");
  expect_text(program + "replay " + quoted + "' --route=reference --json", 1, "/failures/0/repro");
  expect_text("OCL_ICD_VENDORS=" + quoted + "' " + program + "devices --json", 0, "");
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
  const std::string in = temporary("in.safetensors"), out = temporary("out.safetensors");
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
