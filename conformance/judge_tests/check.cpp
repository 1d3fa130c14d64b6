// What a run over the tables counts, and what it refuses to run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/judge_tests/fakes.h"
#include "conformance/replay.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;

class Check : public testing::Test {
 protected:
  void SetUp() override { fakes::install(); }
  static CheckResult run(const std::string& op, const std::string& route, Budget budget = Budget::smoke) {
    CheckOptions o;
    o.queries = {op}, o.route = route, o.budget = budget;
    return check(o);
  }
};

TEST_F(Check, ABudgetHoldsItsOwnCasesAndThoseOfSmallerOnes) {
  struct Expected {
    Budget budget;
    std::int64_t cases, elements;
  };
  constexpr std::int64_t kSmall = 7 + 64 + 33;
  for (const Expected& e : {Expected{Budget::smoke, 4, kSmall}, Expected{Budget::ci, 5, kSmall + fakes::kLarge},
                            Expected{Budget::nightly, 6, kSmall + fakes::kLarge + 20011}}) {
    EXPECT_EQ(std::ssize(cases_of(find_op("many"), e.budget)), e.cases) << name(e.budget);
    const CheckResult r = run("many", "perfect", e.budget);
    ASSERT_EQ(r.tallies.size(), 1U);
    const Tally& t = r.tallies[0];
    EXPECT_EQ(t.passed, e.cases + 2) << "two calls that must be refused";
    EXPECT_EQ(t.rejects, 2);
    EXPECT_EQ(t.vacant, 1);
    EXPECT_EQ(t.compared, 3 * 5 * e.elements) << name(e.budget);
    EXPECT_EQ(r.compared, t.compared);
    EXPECT_EQ(r.passed, t.passed);
    EXPECT_EQ(r.failed + r.skipped + r.mistrusted, 0);
  }
}

TEST_F(Check, EveryFailureIsCountedToldAndReproducible) {
  CheckOptions o;
  o.queries = {"many"}, o.route = "wrong", o.budget = Budget::smoke;
  std::vector<std::string> told;
  o.failed = [&](const Failure& f) { told.push_back(f.case_id); };
  const CheckResult r = check(o);
  EXPECT_EQ(r.failed, 3);
  EXPECT_EQ(r.passed, 3) << "the case without elements, and two calls that must be refused";
  ASSERT_EQ(r.failures.size(), 3U);
  EXPECT_EQ(told.size(), 3U);
  EXPECT_EQ(r.tallies.at(0).failed, 3);
  EXPECT_EQ(r.tallies[0].compared, 5 * (7 + 64 + 33));
  for (const Failure& f : r.failures) {
    EXPECT_EQ(f.op, "many");
    EXPECT_EQ(f.route, "wrong");
    EXPECT_EQ(f.repro, "plumb repro '" + f.case_id + "@wrong'");
    EXPECT_THAT(f.message, HasSubstr("in output 0 at 0"));
  }
}

TEST_F(Check, RefusalsAndAbsenceAreSkippedWithTheirReasons) {
  const CheckResult never = run("many", "never");
  EXPECT_EQ(never.tallies.at(0).refused, 5);  // four cases, and the call that no gate refuses
  EXPECT_EQ(never.tallies[0].reasons.at("never holds"), 5);
  EXPECT_EQ(never.skipped, 5);
  EXPECT_EQ(never.passed, 1);
  const CheckResult absent = run("many", "gpu.perfect");
  EXPECT_EQ(absent.tallies.at(0).absent, 5);
  EXPECT_EQ(absent.skipped, 5);
  EXPECT_EQ(absent.compared, 0);
}

TEST_F(Check, AWrongRejectFails) {
  for (const char* route : {"accepts_13", "refuses_13_for_shape", "throws_at_13"}) {
    const CheckResult r = run("many", route);
    EXPECT_EQ(r.failed, 1) << route;
    EXPECT_EQ(r.tallies.at(0).rejects, 1) << route;
  }
}

TEST_F(Check, OneCaseInTwentyMayBeMistrusted) {
  EXPECT_FALSE(too_many(0, 0));
  EXPECT_FALSE(too_many(1, 20));
  EXPECT_TRUE(too_many(1, 19));
  EXPECT_FALSE(too_many(5, 100));
  EXPECT_TRUE(too_many(6, 100));
  const CheckResult once = run("total", "boundless_once");
  EXPECT_EQ(once.mistrusted, 1);
  EXPECT_EQ(once.failed, 0);
  EXPECT_EQ(once.passed, 23);
  const CheckResult twice = run("total", "boundless_twice");
  EXPECT_EQ(twice.mistrusted, 2);
  EXPECT_EQ(twice.passed, 22);
  ASSERT_EQ(twice.failed, 1);
  EXPECT_EQ(twice.failures.at(0).message, "2 of 24 cases have no finite bound");
  EXPECT_EQ(twice.compared, 3 * 3 * 24);
}

// The worst ratio is that of passing cases.
TEST_F(Check, TheWorstRatioIsKept) {
  const Tally near = run("total", "near").tallies.at(0);
  EXPECT_GT(near.worst, 0.5);
  EXPECT_LE(near.worst, 1);
  EXPECT_THAT(near.worst_case, HasSubstr("total/"));
  EXPECT_EQ(run("total", "perfect").tallies.at(0).failed, 0);
  EXPECT_EQ(run("total", "far").failed, 24);
}

// The others are asked to refuse what must be refused, and nothing else.
TEST_F(Check, TheNaturalRouteIsTheFirstThatRuns) {
  const CheckResult r = run("many", "natural");
  ASSERT_GE(r.tallies.size(), 1U);
  EXPECT_EQ(r.tallies[0].route, "perfect");
  EXPECT_EQ(r.tallies[0].passed, 6);
  EXPECT_EQ(r.compared, r.tallies[0].compared);
  for (const Tally& t : r.tallies) EXPECT_LE(t.rejects + t.failed + t.refused + t.absent, 2) << t.route;
}

TEST_F(Check, WordsThatNameNothingAreErrors) {
  EXPECT_THROW(run("nosuch", "all"), Error);
  EXPECT_THROW(run("many", "nosuch"), Error);
  EXPECT_THROW(run("n*such", "all"), Error);
  EXPECT_THROW(run("many/nosuch*", "perfect"), Error);
}

CorpusCase large(std::int64_t wrong_output, std::int64_t wrong_element) {
  const Op& op = find_op("many");
  const Case c = fakes::one(fakes::kLarge, "uniform");
  const Call call = make_call(op, realize(op, c));
  CorpusCase r;
  r.id = "t." + std::to_string(wrong_output) + "." + std::to_string(wrong_element);
  r.op = "many", r.compare = "exact";
  r.inputs = {{"x", call.in[0]}};
  std::vector<Tensor> out = run(call, find_route(op, kReference));
  if (wrong_output >= 0) fakes::flip(out[static_cast<std::size_t>(wrong_output)], wrong_element);
  for (std::size_t i = 0; i < out.size(); ++i) r.outputs.emplace_back(std::string(op.outputs[i]), out[i]);
  return r;
}

TEST_F(Check, AReplayComparesEveryElementOfEveryOutput) {
  std::vector<CorpusCase> cases{large(-1, 0)};
  for (const std::int64_t output : {0, 1, 2, 3, 4})
    for (const std::int64_t i : {std::int64_t{0}, std::int64_t{64}, std::int64_t{4096}, fakes::kLarge - 1})
      cases.push_back(large(output, i));
  const std::string folder = temporary("judge_replay");
  write_corpus(folder, cases);
  const ReplayResult r = replay({folder, "*", "*", "perfect", nullptr});
  EXPECT_EQ(r.passed, 1);
  EXPECT_EQ(r.failed, 20);
  EXPECT_EQ(r.compared, (5 + 4 * (1 + 2 + 3 + 4 + 5)) * fakes::kLarge) << "up to the output that is wrong, in full";
  ASSERT_EQ(r.failures.size(), 20U);
  for (const ReplayFailure& f : r.failures) {
    const std::string element = f.case_id.substr(4);
    EXPECT_THAT(f.message, HasSubstr("element " + element + " is")) << f.case_id;
    EXPECT_THAT(f.message, HasSubstr("(1 of " + std::to_string(fakes::kLarge) + " elements are off)"));
  }
}

}  // namespace
}  // namespace plumb
