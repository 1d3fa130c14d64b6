// Recorded cases: what is written is read back, and a broken index is refused by name.
#include "core/corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <limits>

#include "conformance/tests/temporary.h"
#include "core/error.h"
#include "core/layout.h"
#include "core/strict_json.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;

std::string folder(const std::string& name) { return temporary("corpus_" + name); }

CorpusCase good_case() {
  CorpusCase c;
  c.id = "t.op.000";
  c.op = "op";
  c.note = "a note";
  c.source = "by hand";
  c.attrs = {{"axis", kNone},
             {"n", 3},
             {"eps", 0.1},
             {"keep", true},
             {"mode", "affine"},
             {"list", std::vector<std::int64_t>{1, 2}},
             {"reals", std::vector<double>{0.1, 1, -2}}};
  c.inputs["a"] = tensor(Dtype::f32, {2}, {1, 2});
  c.outputs = {{"first", tensor(Dtype::f32, {2}, {3, 4})}, {"second", tensor(Dtype::i32, {}, {5})}};
  c.compare = "close";
  c.tol = {{1e-6, 0}, {0, 0}};
  c.signed_zero = true;
  return c;
}

TEST(Corpus, ReadsWhatItWrites) {
  CorpusCase wrong;
  wrong.id = "t.op.001";
  wrong.op = "op";
  wrong.error = "invalid_argument";
  write_corpus(folder("good"), {good_case(), wrong});
  const auto cases = read_corpus(folder("good"));
  ASSERT_EQ(2u, cases.size());
  const CorpusCase want = good_case(), &got = cases[0];
  EXPECT_EQ(want.id, got.id);
  for (const auto& [name, value] : want.attrs) {
    ASSERT_NE(nullptr, got.attrs.find(name)) << name;
    EXPECT_EQ(value, *got.attrs.find(name)) << name;
  }
  EXPECT_EQ(want.tol, got.tol);
  EXPECT_EQ("close", got.compare);
  EXPECT_TRUE(got.signed_zero);
  ASSERT_EQ(2u, got.outputs.size());
  EXPECT_EQ("first", got.outputs[0].first);
  EXPECT_EQ((Shape{2}), got.inputs.at("a").shape());
  EXPECT_EQ("invalid_argument", cases[1].error);
  EXPECT_TRUE(cases[1].outputs.empty());
}

TEST(Corpus, KeepsHowAnInputLies) {
  CorpusCase c = good_case();
  c.inputs["a"] = lay_out(tensor(Dtype::f32, {2, 3}, {1, 2, 3, 4, 5, 6}), Layout::transposed);
  c.layouts = {{"a", Layout::transposed}};
  write_corpus(folder("layouts"), {c});
  const auto cases = read_corpus(folder("layouts"));
  EXPECT_EQ(c.layouts, cases.at(0).layouts);
  const Tensor a = cases[0].inputs.at("a");
  EXPECT_EQ((Strides{1, 2}), a.strides());
  EXPECT_EQ(6, contiguous(a).read<float>()[5]);
  EXPECT_EQ(4, contiguous(a).read<float>()[3]);
}

TEST(Corpus, RefusesALayoutThatCannotBe) {
  const std::string path = folder("layout");
  CorpusCase c = good_case();
  c.layouts = {{"a", Layout::padded}};
  write_corpus(path, {c});
  const std::string whole = read_file(path + "/cases.json");
  for (const auto& [to, says] : {std::pair{R"({"a":"broadcast"})", "its rows differ"},
                                 {R"({"a":"woven"})", "no layout \"woven\""},
                                 {R"({"b":"padded"})", "which is no input"}}) {
    std::string text = whole;
    text.replace(text.find(R"({"a":"padded"})"), 14, to);
    write_file(path + "/cases.json", text);
    try {
      (void)read_corpus(path);
      ADD_FAILURE() << to << " was accepted";
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr(says));
    }
  }
}

TEST(Corpus, KeepsAttributesWithoutAForm) {
  EXPECT_EQ(Attr("[[1,2],[3,4]]"), attr_of(nlohmann::json::parse("[[1,2],[3,4]]")));
  EXPECT_EQ(Attr("[0.5,true]"), attr_of(nlohmann::json::parse("[0.5,true]")));
  EXPECT_EQ(Attr(std::vector<std::int64_t>{}), attr_of(nlohmann::json::parse("[]")));
  EXPECT_EQ(Attr("18446744073709551615"), attr_of(nlohmann::json::parse("18446744073709551615")));
}

// JSON has no infinities; an integer that is none here is refused in a list as it is alone.
TEST(Corpus, KeepsInfinitiesAndRefusesHugeIntegers) {
  const double inf = std::numeric_limits<double>::infinity();
  CorpusCase c = good_case();
  c.attrs = {{"a", inf}, {"b", -inf}, {"c", std::vector<double>{inf, 1, -inf}}, {"d", std::vector<double>{1, 2.5}}};
  write_corpus(folder("infinite"), {c});
  const Attrs read = read_corpus(folder("infinite")).at(0).attrs;
  EXPECT_EQ(Attr("inf"), *read.find("a"));
  EXPECT_EQ(Attr("-inf"), *read.find("b"));
  for (const char* list : {"c", "d"}) EXPECT_EQ(*c.attrs.find(list), *read.find(list)) << list;
  EXPECT_EQ(Attr("[18446744073709551615]"), attr_of(nlohmann::json::parse("[18446744073709551615]")));
  EXPECT_EQ(Attr("[1.5,9223372036854775808]"), attr_of(nlohmann::json::parse("[1.5,9223372036854775808]")));
}

// Seconds of processor time to read so many cases.
double seconds_of_cases(int many) {
  const std::string path = folder("many");
  write_corpus(path, {good_case()});
  std::string text = "[\n";
  for (int i = 0; i < many; ++i)
    text += (i ? ",\n" : "") + std::string(R"({"id":"t.op.)") + std::to_string(i) +
            R"(","op":"op","attributes":{"axis":-1},"inputs":{"a":"t.op.000.in.a"},)" +
            R"("outputs":["t.op.000.out.first"],"compare":"exact","note":"","source":""})";
  write_file(path + "/cases.json", text + "\n]\n");
  const std::clock_t begin = std::clock();
  EXPECT_EQ(static_cast<std::size_t>(many), read_corpus(path).size());
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// About a second where nothing else runs. What grows with the square takes a hundred times as long for ten times as
// many.
TEST(Corpus, ManyCasesTakeLittle) {
  const double few = seconds_of_cases(10000), many = seconds_of_cases(100000);
  EXPECT_LT(many, 30 * few);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(many, 4);
#endif
}

TEST(Corpus, ReadsTheListsItPrints) {
  for (const Attr& a : {Attr(std::vector<std::int64_t>{3, -1}), Attr(std::vector<double>{0.1, 1, -2}),
                        Attr(std::vector<double>{1e300}), Attr(std::vector<std::int64_t>{})})
    EXPECT_EQ(a, parse_attr(to_string(a))) << to_string(a);
  EXPECT_EQ(Attr(std::vector<double>{0.5, 2}), parse_attr("0.5:2"));
  EXPECT_THROW((void)parse_attr("0.5:two"), Error);
}

TEST(Corpus, RefusesABrokenIndex) {
  const std::string path = folder("broken");
  write_corpus(path, {good_case()});
  const std::string whole = read_file(path + "/cases.json");
  struct Edit {
    std::string from, to, says;
  };
  const Edit edits[] = {
      {"\"op\":\"op\"", "\"op\":3", "\"op\" has the wrong type: 3"},
      {"\"t.op.000.in.a\"", "\"nothing\"", "no tensor \"nothing\""},
      {"\"close\"", "\"near\"", "near"},
      {"[1e-06,0.0]", "[-1,0.0]", "negative"},
      {",[0.0,0.0]", "", "1 tolerances for 2 outputs"},
      {"\"attributes\":{", "\"attributes\":7,\"layouts\":{", "not an object: 7"},
      {"[\n{", "{\"a\":{", "not JSON"},
      {"[\n{", "[3,{", "not an object: 3"},
      {"[\n{", std::string("[\n\0{", 4), "is a NUL"},
      {"[\n{", "[" + std::string(100, '['), "nested deeper than 64"},
      {"\"id\":\"t.op.000\",", "", "no \"id\""},
  };
  for (const Edit& e : edits) {
    std::string text = whole;
    ASSERT_NE(std::string::npos, text.find(e.from)) << e.from << " in " << text;
    write_file(path + "/cases.json", text.replace(text.find(e.from), e.from.size(), e.to));
    try {
      read_corpus(path);
      ADD_FAILURE() << "accepted: " << e.to;
    } catch (const Error& error) {
      EXPECT_EQ(Reason::file, error.reason());
      EXPECT_THAT(error.what(), HasSubstr(e.says));
      EXPECT_THAT(error.what(), HasSubstr("cases.json"));
    }
  }
}

TEST(Corpus, RefusesToWriteWhatIsNoText) {
  CorpusCase c = good_case();
  c.attrs.set("mode", std::string("\xff"));
  try {
    write_corpus(folder("no_text"), {c});
    FAIL() << "was written";
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::file);
    EXPECT_THAT(e.what(), HasSubstr("the case \"t.op.000\" has text that is not UTF-8"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder("no_text")));
}

TEST(Corpus, RefusesTwoCasesOfOneName) {
  EXPECT_THROW(write_corpus(folder("twice"), {good_case(), good_case()}), Error);
}

TEST(Corpus, SurvivesTruncationOfTheIndex) {
  const std::string path = folder("cut");
  write_corpus(path, {good_case()});
  const std::string whole = read_file(path + "/cases.json");
  for (std::size_t n = 0; n + 2 < whole.size(); ++n) {
    write_file(path + "/cases.json", whole.substr(0, n));
    EXPECT_THROW(read_corpus(path), Error) << n;
  }
}

}  // namespace
}  // namespace plumb
