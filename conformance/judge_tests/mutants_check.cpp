// What a run over the tables asks, in which sequence, and what it tells of each operation and route.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "conformance/judge_tests/fakes.h"
#include "core/limits.h"
#include "core/pool.h"

namespace plumb {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::atomic<int> oracles{0};
std::atomic<int> launches{0};

CheckOptions asking(std::vector<std::string> queries, const std::string& route) {
  CheckOptions o;
  o.queries = std::move(queries), o.route = route, o.budget = Budget::smoke;
  return o;
}

Tally of(const CheckResult& r, std::string_view op, std::string_view route) {
  for (const Tally& t : r.tallies)
    if (t.op == op && t.route == route) return t;
  throw std::logic_error("no tally of " + std::string(op) + "@" + std::string(route));
}

// The tables with one operation changed, or with its routes left out.
void install_with(std::string_view name, const std::function<void(Op&)>& change, bool routes_too = true) {
  fakes::install();
  std::vector<Op> all(ops().begin(), ops().end());
  std::vector<Route> kept;
  for (Op& op : all) {
    for (const Route& r : plumb::routes(find_op(op.name)))
      if (r.name != kReference && (routes_too || op.name != name)) kept.push_back(r);
    if (op.name == name) change(op);
  }
  install(all, kept);
}

class RunOf : public testing::Test {
 protected:
  void SetUp() override { fakes::install(); }
};

TEST_F(RunOf, NoQueryAsksEveryOperation) {
  const CheckResult r = check(asking({}, "perfect"));
  std::set<std::string> seen;
  for (const Tally& t : r.tallies) {
    EXPECT_EQ(t.route, "perfect");
    EXPECT_EQ(t.failed, 0);
    EXPECT_GT(t.passed, 0) << t.op;
    EXPECT_TRUE(seen.insert(t.op).second) << t.op << " twice";
  }
  EXPECT_EQ(seen.size(), ops().size());
}

TEST_F(RunOf, AQueryIsAnOperationACaseOrEitherOnARoute) {
  const std::string first = id(find_op("many"), fakes::one(7, "uniform"));
  const auto judged = [](const std::string& query) {
    std::int64_t n = 0;
    for (const Tally& t : check(asking({query}, "all")).tallies)
      if (t.route == "perfect") n += t.ran;
    return n;
  };
  EXPECT_EQ(judged("many"), 4);
  EXPECT_EQ(judged("many@perfect"), 4);
  EXPECT_EQ(judged("m?ny@perfect"), 4);
  EXPECT_EQ(judged(first), 1);
  EXPECT_EQ(judged(first + "@perfect"), 1);
  EXPECT_EQ(judged("many/*@perfect"), 4);
  EXPECT_EQ(judged("many/*@wrong"), 0);
  EXPECT_EQ(judged("m?ny/*"), 4);
}

TEST_F(RunOf, SaltAndTierAreTold) {
  CheckOptions o = asking({"many"}, "all");
  o.salt = 9;
  const CheckResult r = check(o);
  EXPECT_EQ(r.salt, 9U);
  EXPECT_EQ(of(r, "many", "gpu.perfect").tier, "gpu");
  EXPECT_EQ(of(r, "many", "perfect").tier, "unavailable");
  EXPECT_GT(of(r, "many", "perfect").seconds, 0);
}

TEST_F(RunOf, TheReferenceIsJudgedByCallsThatItMustRefuseAlone) {
  const Tally t = of(check(asking({"many"}, "all")), "many", "reference");
  EXPECT_EQ(t.ran, 0);
  EXPECT_EQ(t.passed, 1) << "the other one is refused before any route is asked";
  EXPECT_EQ(t.rejects, 2);
  EXPECT_EQ(t.compared, 0);
}

TEST_F(RunOf, OperationsAreCountedApart) {
  const CheckResult r = check(asking({"many", "total"}, "perfect"));
  EXPECT_EQ(r.tallies.size(), 2U);
  EXPECT_EQ(of(r, "many", "perfect").passed, 5);
  EXPECT_EQ(of(r, "total", "perfect").passed, 24);
}

TEST_F(RunOf, MistrustIsToldOfItsOwnRowOnce) {
  const CheckResult r = check(asking({}, "boundless_twice"));
  EXPECT_EQ(r.failed, 1);
  const Tally t = of(r, "total", "boundless_twice");
  EXPECT_EQ(t.reasons.size(), 2U);
  for (const auto& [reason, count] : t.reasons) EXPECT_EQ(count, 1) << reason;
}

// 22 passed and 2 mistrusted are too many whatever was refused beside them.
TEST_F(RunOf, CallsThatMustBeRefusedDoNotCountAsCases) {
  install_with("total", [](Op& op) {
    op.infer = [](const Request& r) {
      if (r.shape(0)[0] == 7) r.fail(Reason::shape, "seven rows");
      return std::vector<Spec>{{r.dtype(0), {r.shape(0).at(0)}}};
    };
    op.rejects = [] {
      std::vector<Reject> all;
      for (std::int64_t n = 1; n <= 20; ++n) all.push_back({fakes::rows(7, n, "uniform"), Reason::shape, "seven"});
      return all;
    };
  });
  const CheckResult r = check(asking({"total"}, "boundless_twice"));
  EXPECT_EQ(of(r, "total", "boundless_twice").rejects, 20);
  ASSERT_EQ(r.failures.size(), 1U);
  EXPECT_EQ(r.failures[0].message, "2 of 24 cases have no finite bound");
}

TEST_F(RunOf, WhereTheOracleIsTheNaturalRouteNothingIsJudged) {
  install_with(
      "scaled", [](Op&) {}, false);
  const CheckResult r = check(asking({"scaled"}, "natural"));
  const Tally t = of(r, "scaled", "reference");
  EXPECT_EQ(t.refused, 1);
  EXPECT_EQ(r.skipped, 1);
  EXPECT_EQ(t.reasons.at("the oracle itself is the natural route"), 1);
  EXPECT_EQ(t.passed + t.failed, 0);
}

TEST_F(RunOf, RefusedIsNeitherMistrustedNorFailed) {
  const CheckResult r = check(asking({"many"}, "never"));
  EXPECT_EQ(r.mistrusted, 0);
  EXPECT_EQ(r.failed, 0);
}

TEST_F(RunOf, AFailureNamesItsSettingAndHowToRepeatIt) {
  const Setting here = current_setting();
  CheckResult r = check(asking({"many"}, "wrong"));
  for (const Failure& f : r.failures) {
    EXPECT_THAT(f.message, EndsWith(" (" + to_string(here) + ")"));
    EXPECT_THAT(f.repro, EndsWith("@wrong'")) << "the usual setting needs no words";
  }
  CheckOptions o = asking({"many"}, "wrong");
  o.isas = {Isa::base};
  for (const Failure& f : check(o).failures)
    EXPECT_THAT(f.repro, EndsWith(" --isa=base --threads=" + std::to_string(here.threads)));
  o.isas = {}, o.threads = {3};
  for (const Failure& f : check(o).failures)
    EXPECT_THAT(f.repro, EndsWith(" --isa=" + std::string(name(here.isa)) + " --threads=3"));
  o.threads = {here.threads};
  for (const Failure& f : check(o).failures) EXPECT_THAT(f.repro, HasSubstr(" --threads="));
  const Under under({here.isa, here.threads + 1});
  for (const Failure& f : check(asking({"many"}, "wrong")).failures)
    EXPECT_THAT(f.repro, EndsWith(" --threads=" + std::to_string(here.threads + 1)));
}

TEST_F(RunOf, TheBestInstructionSetIsNamedWhereItWasAsked) {
  CheckOptions o = asking({"many"}, "wrong");
  o.isas = {best_isa()};
  for (const Failure& f : check(o).failures) EXPECT_THAT(f.repro, HasSubstr(" --isa=" + std::string(name(best_isa()))));
}

TEST_F(RunOf, SmallLimitsArePartOfTheLine) {
  set_small_limits(true);
  const CheckResult r = check(asking({"many"}, "wrong"));
  set_small_limits(false);
  ASSERT_FALSE(r.failures.empty());
  for (const Failure& f : r.failures) EXPECT_TRUE(f.repro.starts_with("PLUMB_LIMITS=small plumb repro ")) << f.repro;
}

TEST_F(RunOf, ProgressCountsOperationsAndTheCasesOfAll) {
  CheckOptions o = asking({"many", "scaled", "kept"}, "perfect");
  std::vector<std::string> told;
  const auto text = [](const Step& s) {
    return s.op + " " + std::to_string(s.operation) + "/" + std::to_string(s.operations) + " " +
           std::to_string(s.done) + "/" + std::to_string(s.total);
  };
  o.progress = [&](const Step& s) {
    told.push_back(text(s));
    EXPECT_TRUE(s.case_id.starts_with(s.op + "/"));
  };
  o.op_done = [&](const CheckResult& r, const Step& s) {
    told.push_back("behind " + text(s) + " with " + std::to_string(r.tallies.size()));
  };
  (void)check(o);
  EXPECT_THAT(told, ElementsAre("many 1/3 0/6", "many 1/3 1/6", "many 1/3 2/6", "many 1/3 3/6",
                                "behind many 1/3 4/6 with 1", "scaled 2/3 4/6", "behind scaled 2/3 5/6 with 2",
                                "kept 3/3 5/6", "behind kept 3/3 6/6 with 3"));
}

// What an earlier run has of an operation is whole, and counts.
TEST_F(RunOf, OperationsOfAnEarlierRunAreNotJudgedAgain) {
  CheckResult first = check(asking({"many"}, "perfect"));
  first.tallies.at(0).passed = 70, first.passed = 70;
  CheckOptions o = asking({"many", "scaled"}, "perfect");
  o.begun = &first;
  std::vector<std::string> told;
  o.progress = [&](const Step& s) {
    told.push_back(s.op + " " + std::to_string(s.done) + "/" + std::to_string(s.total));
  };
  const CheckResult r = check(o);
  EXPECT_THAT(told, ElementsAre("scaled 4/5"));
  EXPECT_EQ(of(r, "many", "perfect").passed, 70);
  EXPECT_EQ(of(r, "scaled", "perfect").passed, 1);
  EXPECT_EQ(r.passed, 72) << "with the call of many that is refused before any route is asked";
}

TEST_F(RunOf, AFailureOfTheReferenceHasNoSetting) {
  install_with("scaled", [](Op& op) {
    op.rejects = [] { return std::vector<Reject>{{fakes::rows(3, 5, "uniform"), Reason::domain, "never"}}; };
  });
  const CheckResult r = check(asking({"scaled"}, "reference"));
  ASSERT_EQ(r.failures.size(), 1U);
  EXPECT_EQ(r.failures[0].message, "was accepted, but must be refused: never");
  EXPECT_FALSE(r.failures[0].setting.has_value());
  EXPECT_THAT(r.failures[0].repro, EndsWith("@reference'"));
}

// A processor that lacks the instructions judges nothing under them.
TEST_F(RunOf, AnInstructionSetThatIsNotHereIsAbsent) {
  if (best_isa() == Isa::avx512) GTEST_SKIP() << "this processor has every instruction set";
  CheckOptions o = asking({"many"}, "perfect");
  o.isas = {Isa::avx512};
  const Tally t = of(check(o), "many", "perfect");
  EXPECT_EQ(t.absent, 5);
  EXPECT_EQ(t.passed + t.compared, 0);
}

TEST_F(RunOf, TheWorstCaseIsTheWorst) {
  install_with("scaled", [](Op& op) {
    op.cases = [] {
      return std::vector<Case>{fakes::rows(3, 5, "uniform"), fakes::rows(3, 6, "uniform"),
                               fakes::rows(3, 7, "uniform")};
    };
  });
  fakes::route_that("scaled", [](const Call& call, std::vector<Tensor>& out, int) {
    fakes::right(call, out);
    if (call.shape(0)[1] == 6) out[0].write<float>()[0] *= 1 + 0x1p-13F;
  });
  const Tally t = of(check(asking({"scaled"}, "cpu.any")), "scaled", "cpu.any");
  EXPECT_NEAR(t.worst, 0.5, 0.01);
  EXPECT_THAT(t.worst_case, HasSubstr("f32.3x6."));
}

// Two oracles, of the data sets A and B, for each case; as many cases as threads before the first is judged.
TEST_F(RunOf, OraclesWorkAheadByTheNumberOfThreads) {
  static decltype(Op::oracle) plain;
  install_with("scaled", [](Op& op) {
    plain = op.oracle;
    op.oracle = [](const Call& call) {
      ++oracles;
      return plain(call);
    };
    op.cases = [] {
      std::vector<Case> all;
      for (std::int64_t n = 2; n < 26; ++n) all.push_back(fakes::rows(3, n, "uniform"));
      return all;
    };
  });
  static int at_first = 0;
  oracles = 0, launches = 0, at_first = 0;
  fakes::route_that("scaled", [](const Call& call, std::vector<Tensor>& out, int) {
    if (++launches == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      at_first = oracles;
    }
    out[0] = narrow(plain(call)[0], Dtype::f32);
  });
  const Under under({current_setting().isa, 2});
  EXPECT_EQ(of(check(asking({"scaled"}, "cpu.any")), "scaled", "cpu.any").passed, 24);
  EXPECT_LE(at_first, 4);
  EXPECT_EQ(oracles, 48);
}

}  // namespace
}  // namespace plumb
