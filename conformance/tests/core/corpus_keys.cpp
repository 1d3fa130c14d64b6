// What a recorded case may say: every key, word, name and number that means nothing is an error of its file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "conformance/tests/temporary.h"
#include "core/corpus.h"
#include "core/strict_json.h"

namespace plumb {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json list(std::initializer_list<json> all) { return json::array_t(all); }

json sum_case() {
  return {{"id", "k.sum.1"},
          {"op", "sum"},
          {"attributes", json::object()},
          {"inputs", {{"a", "a"}}},
          {"outputs", list({"o"})},
          {"compare", "exact"},
          {"note", ""},
          {"source", "by hand"}};
}

json error_case() {
  json c = sum_case();
  c.erase("outputs"), c.erase("compare");
  c["error"] = "out_of_range";
  return c;
}

std::vector<CorpusCase> read(const json& c) {
  const std::string folder = temporary("corpus_keys");
  std::filesystem::create_directories(folder);
  write_safetensors(folder + "/data.safetensors",
                    {{"a", tensor(Dtype::f32, {2}, {1, 2})}, {"o", tensor(Dtype::f32, {}, {3})}});
  write_file(folder + "/cases.json", json::array({c}).dump());
  return read_corpus(folder);
}

std::string refusal_of(const json& c) {
  try {
    (void)read(c);
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::file);
    EXPECT_THAT(e.what(), HasSubstr("corpus_keys/cases.json: case 0")) << "the file and the case are named";
    return e.what();
  }
  return "accepted: " + c.dump();
}

json with(json c, const char* key, const json& value) {
  c[key] = value;
  return c;
}

TEST(CorpusKeys, ThoseOfTheFormatAreRead) {
  EXPECT_EQ(read(sum_case()).size(), 1U);
  EXPECT_EQ(read(with(with(sum_case(), "compare", "close"), "tol", list({list({1e-3, 0})}))).at(0).tol.size(), 1U);
  EXPECT_EQ(read(with(with(sum_case(), "compare", "invariant"), "check", "qr")).at(0).check, "qr");
  EXPECT_TRUE(read(with(sum_case(), "signed_zero", true)).at(0).signed_zero);
  json c = with(with(error_case(), "reason", "axis"), "error_stage", "construct");
  EXPECT_EQ(read(c).at(0).reason, Reason::axis);
  EXPECT_EQ(read(with(error_case(), "compare", "exact")).at(0).error, "out_of_range");
  EXPECT_EQ(read(error_case()).at(0).reason, std::nullopt);
}

TEST(CorpusKeys, UnknownOnesAreErrors) {
  EXPECT_THAT(refusal_of(with(sum_case(), "signed_zeros", true)),
              HasSubstr("k.sum.1: unknown key \"signed_zeros\"; nearest: signed_zero"));
  EXPECT_THAT(refusal_of(with(error_case(), "Error", "runtime_error")),
              HasSubstr("unknown key \"Error\"; nearest: error"));
  EXPECT_THAT(refusal_of(with(sum_case(), "a\nb", 1)), HasSubstr("unknown key \"a\\nb\""));
  EXPECT_THAT(refusal_of(with(sum_case(), "id", "")), HasSubstr("\"id\" is empty"));
}

TEST(CorpusKeys, UnknownWordsAreErrors) {
  EXPECT_THAT(refusal_of(with(sum_case(), "compare", "Exact")),
              HasSubstr("\"compare\" is \"Exact\"; it is one of exact, close, invariant"));
  EXPECT_THAT(refusal_of(with(error_case(), "error", "ValueErorr")),
              HasSubstr("\"error\" is \"ValueErorr\"; it is one of invalid_argument, out_of_range, runtime_error"));
  EXPECT_THAT(refusal_of(with(error_case(), "reason", "shap")),
              HasSubstr("\"reason\" is \"shap\"; it is one of arity,"));
  for (const char* never : {"device", "file", "query", "unsupported"})
    EXPECT_THAT(refusal_of(with(error_case(), "reason", never)), HasSubstr("\"reason\" is")) << never;
  EXPECT_THAT(refusal_of(with(error_case(), "error_stage", "late")), HasSubstr("one of construct, evaluate"));
  EXPECT_THAT(refusal_of(with(error_case(), "compare", "roughly")), HasSubstr("\"compare\" is"));
}

TEST(CorpusKeys, WhatSaysNothingBesideAnotherKeyIsAnError) {
  for (const char* key : {"reason", "error_stage"})
    EXPECT_THAT(refusal_of(with(sum_case(), key, "axis")), HasSubstr("has no meaning beside outputs"));
  const std::pair<const char*, json> beside_error[] = {
      {"outputs", list({"o"})}, {"tol", list({list({0, 0})})}, {"check", "qr"}, {"signed_zero", true}};
  for (const auto& [key, value] : beside_error)
    EXPECT_THAT(refusal_of(with(error_case(), key, value)), HasSubstr("has no meaning beside \"error\"")) << key;
  EXPECT_THAT(refusal_of(with(sum_case(), "tol", list({list({0, 0})}))),
              HasSubstr("\"tol\" has no meaning beside \"exact\""));
  EXPECT_THAT(refusal_of(with(sum_case(), "check", "qr")), HasSubstr("\"check\" has no meaning beside \"exact\""));
}

TEST(CorpusKeys, OutputsMustBeThere) {
  EXPECT_THAT(refusal_of(with(sum_case(), "outputs", json::array())), HasSubstr("\"outputs\" is empty"));
  EXPECT_THAT(refusal_of(with(sum_case(), "outputs", list({"o", "o"}))), HasSubstr("\"outputs\" has \"o\" twice"));
  json c = sum_case();
  c.erase("outputs");
  EXPECT_THAT(refusal_of(c), HasSubstr("no \"outputs\""));
  EXPECT_THAT(refusal_of(with(sum_case(), "outputs", list({"p"}))), HasSubstr("no tensor \"p\""));
}

TEST(CorpusKeys, ATolerancePerOutputIsTwoNumbersFromZeroOn) {
  const auto tol = [](const json& t) { return refusal_of(with(with(sum_case(), "compare", "close"), "tol", t)); };
  EXPECT_THAT(tol(list({list({1e-3, 0, 5})})), HasSubstr("\"tol\" holds [0.001,0,5], not [rtol, atol]"));
  EXPECT_THAT(tol(json::array({json::array({1e-3})})), HasSubstr("not [rtol, atol]"));
  EXPECT_THAT(tol(json::array({1e-3})), HasSubstr("not [rtol, atol]"));
  EXPECT_THAT(tol(json::array({json::array({"1", "2"})})), HasSubstr("not [rtol, atol]"));
  EXPECT_THAT(tol(list({list({-1e-3, 0.5})})), HasSubstr("negative"));
  EXPECT_THAT(tol(list({list({0.5, 0.5}), list({0.5, 0.5})})), HasSubstr("2 tolerances for 1 outputs"));
  EXPECT_THAT(tol(json::array()), HasSubstr("0 tolerances for 1 outputs"));
  EXPECT_THAT(tol(7), HasSubstr("\"tol\" has the wrong type"));
  EXPECT_THAT(refusal_of(with(sum_case(), "compare", "close")), HasSubstr("no \"tol\""));
}

}  // namespace
}  // namespace plumb
