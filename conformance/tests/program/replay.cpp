// The comparison of recorded cases, and that every op has a recorded answer of other software.
#include "conformance/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "conformance/tests/temporary.h"
#include "core/error.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = INFINITY;

std::string exact(const std::vector<double>& got, const std::vector<double>& want, bool signed_zero = false) {
  const Shape shape{static_cast<std::int64_t>(want.size())};
  return compare_recorded(tensor(Dtype::f32, shape, got), tensor(Dtype::f32, shape, want), true, {0, 0}, signed_zero);
}

std::string close(const std::vector<double>& got, const std::vector<double>& want, double rtol, double atol) {
  const Shape shape{static_cast<std::int64_t>(want.size())};
  return compare_recorded(tensor(Dtype::f32, shape, got), tensor(Dtype::f32, shape, want), false, {rtol, atol}, false);
}

TEST(Compare, ExactMeansEqualValues) {
  EXPECT_EQ("", exact({1, 2, kNan, kInf, 0.0}, {1, 2, kNan, kInf, -0.0}));
  EXPECT_THAT(exact({1, 2}, {1, 3}), HasSubstr("element 1 is 2 instead of 3"));
  EXPECT_NE("", exact({0.0}, {-0.0}, true));
  EXPECT_NE("", exact({kNan}, {1}));
  EXPECT_NE("", exact({1}, {kNan}));
  EXPECT_NE("", exact({-kInf}, {kInf}));
}

TEST(Compare, CloseIsAbsolutePlusRelative) {
  EXPECT_EQ("", close({1.5}, {1}, 0.25, 0.25));
  EXPECT_NE("", close({1.75}, {1}, 0.25, 0.25));
  EXPECT_NE("", close({kNan}, {1}, 100, 100));
  EXPECT_NE("", close({1}, {kNan}, 100, 100));
  EXPECT_NE("", close({3e38}, {kInf}, 100, 100));
  EXPECT_NE("", close({kInf}, {3e38}, 100, 100));
  EXPECT_EQ("", close({-kInf, kNan}, {-kInf, kNan}, 0, 0));
}

TEST(Compare, IntegersAreExactWhateverTheTolerance) {
  const Tensor two = tensor(Dtype::i32, {1}, {2}), three = tensor(Dtype::i32, {1}, {3});
  EXPECT_NE("", compare_recorded(two, three, false, {10, 10}, false));
  EXPECT_EQ("", compare_recorded(two, two, false, {0, 0}, false));
}

TEST(Compare, DtypeAndShapeMustMatch) {
  const Tensor a = tensor(Dtype::i32, {1}, {2});
  EXPECT_THAT(compare_recorded(a, tensor(Dtype::i64, {1}, {2}), true, {0, 0}, false), HasSubstr("i64[1]"));
  EXPECT_THAT(compare_recorded(a, tensor(Dtype::i32, {}, {2}), true, {0, 0}, false), HasSubstr("i32[]"));
}

// A small recording of add, right and wrong.
CorpusCase addition(const std::string& id, double answer) {
  CorpusCase c;
  c.id = id;
  c.op = "add";
  c.inputs = {{"a", tensor(Dtype::f32, {1}, {1})}, {"b", tensor(Dtype::f32, {1}, {2})}};
  c.outputs = {{"out", tensor(Dtype::f32, {1}, {answer})}};
  c.compare = "exact";
  return c;
}

ReplayResult replayed(const std::vector<CorpusCase>& cases, const std::string& route) {
  const std::string folder = temporary("replay");
  write_corpus(folder, cases);
  return replay({folder, "*", "*", route, nullptr});
}

TEST(Replay, CountsWhatHeldWhatDidNotAndWhatIsUnknown) {
  CorpusCase unknown = addition("t.000", 3), attribute = addition("t.001", 3), rejected = addition("t.002", 3);
  unknown.op = "frobnicate";
  attribute.attrs.set("alpha", 2);
  rejected.outputs.clear();
  rejected.compare.clear();
  rejected.error = "invalid_argument";
  const ReplayResult r =
      replayed({addition("t.right", 3), addition("t.wrong", 4), unknown, attribute, rejected}, "reference");
  EXPECT_EQ(1, r.passed);
  EXPECT_EQ(2, r.failed);
  EXPECT_EQ(2, r.skipped);
  EXPECT_EQ(1, r.no_row.at("frobnicate"));
  EXPECT_EQ(1, r.skips.at("add: attribute alpha not in row"));
  EXPECT_THAT(r.failures.at(0).repro, HasSubstr("--case=t.wrong --route=reference"));
  EXPECT_THAT(r.failures.at(1).message, HasSubstr("not rejected"));
}

TEST(Replay, AbsentAttributesAreNotGiven) {
  CorpusCase c = addition("t.000", 3);
  c.attrs.set("alpha", kNone);
  EXPECT_EQ(1, replayed({c}, "natural").passed);
}

TEST(Replay, RefusesWhatNamesNothing) {
  EXPECT_THROW(replay({"/nosuch", "*", "*", "natural", nullptr}), Error);
  EXPECT_THROW(replayed({addition("t.000", 3)}, "gpu.nosuch"), Error);
  const std::string folder = temporary("replay");
  EXPECT_THROW(replay({folder, "nosuch", "*", "natural", nullptr}), Error);
}

// An oracle without an independent answer is its own judge.
TEST(Recorded, EveryOpHasOne) {
  const std::filesystem::path corpus = PLUMB_SOURCE_DIR "/conformance/corpus";
  ASSERT_TRUE(std::filesystem::is_directory(corpus));
  std::set<const Op*> answered;
  for (const std::string& family : recorded_families(corpus.string()))
    for (const CorpusCase& c : read_corpus(family))
      for (const Op& op : ops()) {
        Attrs attrs = c.attrs;
        if (!c.error && op.corpus_name() == c.op && (!op.corpus_call || op.corpus_call(attrs))) answered.insert(&op);
      }
  for (const Op& op : ops()) EXPECT_TRUE(answered.count(&op)) << op.name << " has no recorded case";
}

}  // namespace
}  // namespace plumb
