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
    EXPECT_EQ(t.ran, e.cases);
    EXPECT_EQ(t.passed, e.cases + 1) << "a call that the route itself must refuse";
    EXPECT_EQ(t.rejects, 2);
    EXPECT_EQ(r.at_gate, 1) << "and one that is refused before";
    EXPECT_EQ(t.vacant, 1);
    EXPECT_EQ(t.compared, 3 * 5 * e.elements) << name(e.budget);
    EXPECT_EQ(r.compared, t.compared);
    EXPECT_EQ(r.passed, t.passed + 1);
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

// The oracle of `total`, where there is room for it.
std::vector<Wide> total_with_room(const Call& call) {
  if (call.shape(0)[1] == 9) throw std::bad_alloc();
  const Reals x = reals(widen(call.in[0]));
  Reals s({x.shape[0]});
  for (std::int64_t i = 0; i < x.size(); ++i) s[i / x.shape[1]] += x[i];
  return {s};
}

TEST_F(Check, ACaseThatTheReferenceHasNoRoomForFailsAlone) {
  std::vector<Op> rows(ops().begin(), ops().end());
  std::vector<Route> given;
  for (const Op& op : rows)
    for (const Route& r : routes(op))
      if (r.name != kReference) given.push_back(r);
  const std::int64_t before = run("total", "perfect").passed;
  for (Op& op : rows)
    if (op.name == "total") op.oracle = total_with_room;
  install(std::move(rows), std::move(given));
  const CheckResult r = run("total", "perfect");
  EXPECT_EQ(before, 24);
  EXPECT_EQ(r.passed, 23);
  EXPECT_EQ(r.failed, 1);
  ASSERT_EQ(r.failures.size(), 1U);
  EXPECT_EQ(r.failures[0].case_id, "total/f32.3x9.row.uniform/-");
  EXPECT_EQ(r.failures[0].route, "reference");
  EXPECT_EQ(r.failures[0].message,
            "gave no answer to judge by: [total] memory: an allocation failed; inputs and outputs alone are 240 bytes");
  EXPECT_EQ(r.failures[0].repro, "plumb repro 'total/f32.3x9.row.uniform/-'");
}

TEST_F(Check, ARouteWithoutRoomFailsByItsNameAndTheOthersAreJudged) {
  CheckOptions o;
  o.queries = {"many@no_room", "many@perfect"}, o.budget = Budget::smoke, o.route = "all";
  const CheckResult r = check(o);
  EXPECT_EQ(r.failed, 3) << "each case that has elements";
  for (const Failure& f : r.failures) {
    EXPECT_EQ(f.route, "no_room");
    EXPECT_THAT(f.message, HasSubstr("raised [many] memory: route no_room: an allocation failed; inputs and outputs"));
  }
  for (const Tally& t : r.tallies) EXPECT_EQ(t.ran, 4) << t.route;
}

TEST_F(Check, RefusalsAndAbsenceAreSkippedWithTheirReasons) {
  const CheckResult never = run("many", "never");
  EXPECT_EQ(never.tallies.at(0).refused, 5);  // four cases, and the call that no gate refuses
  EXPECT_EQ(never.tallies[0].reasons.at("never holds"), 5);
  EXPECT_EQ(never.skipped, 5);
  EXPECT_EQ(never.passed, 0) << "a call refused before any route was asked is no pass of a route that never ran";
  EXPECT_EQ(never.tallies[0].rejects, 1);
  EXPECT_EQ(never.tallies[0].ran, 0);
  EXPECT_TRUE(nothing_ran(never));
  EXPECT_EQ(why_nothing_ran(never), "many@never ran no case: never holds");
  const CheckResult absent = run("many", "gpu.perfect");
  EXPECT_EQ(absent.tallies.at(0).absent, 5);
  EXPECT_EQ(absent.skipped, 5);
  EXPECT_EQ(absent.compared, 0);
}

TEST_F(Check, AWrongRejectFails) {
  for (const char* route : {"accepts_13", "refuses_13_for_shape", "throws_at_13"}) {
    const CheckResult r = run("many", route);
    EXPECT_EQ(r.failed, 1) << route;
    EXPECT_EQ(r.tallies.at(0).rejects, 1) << route << ": the one at the gate";
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
  EXPECT_EQ(r.tallies[0].passed, 5);
  EXPECT_EQ(r.passed, 6 + std::ssize(r.tallies) - 7) << "but perfect, three that fail and three that refuse the call";
  EXPECT_EQ(r.compared, r.tallies[0].compared);
  for (const Tally& t : r.tallies) EXPECT_LE(t.rejects + t.failed + t.refused + t.absent, 2) << t.route;
}

TEST_F(Check, WordsThatNameNothingAreErrors) {
  EXPECT_THROW(run("nosuch", "all"), Error);
  EXPECT_THROW(run("many", "nosuch"), Error);
  EXPECT_THROW(run("n*such", "all"), Error);
  EXPECT_THROW(run("many/nosuch*", "perfect"), Error);
}

std::string query_error(const std::vector<std::string>& queries, const std::string& route, Budget budget) {
  CheckOptions o;
  o.queries = queries, o.route = route, o.budget = budget;
  try {
    (void)check(o);
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::query);
    return e.detail();
  }
  return "";
}

// A dead word beside a live one would be a case that nobody notices is never asked.
TEST_F(Check, EachQueryMustMatchSomething) {
  const auto smoke = [](const std::vector<std::string>& queries, const std::string& route = "all") {
    return query_error(queries, route, Budget::smoke);
  };
  EXPECT_EQ(smoke({"many@perfect", "total/nosuch*"}), "the query 'total/nosuch*' matches nothing in the budget smoke");
  EXPECT_THAT(smoke({"many@perfect", "total@perfekt"}),
              HasSubstr("the query 'total@perfekt' matches nothing in the budget smoke; nearest: perfect"));
  EXPECT_EQ(smoke({"many@perfect", "many/f32.20011*"}),
            "the query 'many/f32.20011*' matches nothing in the budget smoke; it does in nightly");
  EXPECT_EQ(smoke({"many", "scaled"}, "wrong"),
            "the query 'scaled' matches nothing in the budget smoke on the route 'wrong'");
  EXPECT_THAT(smoke({"many@perfect", ""}), HasSubstr("no op is named ''"));
  EXPECT_THAT(smoke({"many@perfect", "totl"}), HasSubstr("no op is named 'totl'; nearest: total"));
  EXPECT_THAT(smoke({"{many,totl}@perfect"}), HasSubstr("no op is named 'totl'; nearest: total"));
  EXPECT_EQ(smoke({"total/{nosuch,other}*"}), "the query 'total/{nosuch,other}*' matches nothing in the budget smoke");
  EXPECT_THAT(smoke({"many/{f32,f16"}), HasSubstr("the query 'many/{f32,f16': '{f32,f16' is not closed"));
}

TEST_F(Check, ARowWithABadPatternIsNotInstalled) {
  Op op = find_op("many");
  op.cases = "smoke f32.7.row.uniform/-\nci f32.{n}.row.uniform/-";
  const auto installing = [&] { install({op}, {}); };
  EXPECT_THAT(installing, testing::ThrowsMessage<std::logic_error>(HasSubstr(
                              "the row of many has bad cases: line 2, 'ci f32.{n}.row.uniform/-': 'n' has no value")));
}

TEST_F(Check, LabelsAreWholeAndOfFourKinds) {
  const auto routes_of = [](const std::string& query) {
    CheckOptions o;
    o.queries = {query}, o.budget = Budget::smoke;
    std::string told;
    for (const Tally& t : check(o).tallies)
      if (t.ran > 0) told += t.op + "@" + t.route + " ";
    return told;
  };
  EXPECT_EQ(routes_of("many/f32.7.row.uniform/-@perfect"), "many@perfect ");
  EXPECT_EQ(routes_of("many@perfect"), "many@perfect ");
  EXPECT_EQ(routes_of("{many,total}@perfect"), routes_of("many@perfect") + routes_of("total@perfect"));
  EXPECT_EQ(routes_of("many/f32.{n=7,9}.row.uniform/-@{perfect,nosuch}"), "many@perfect ");
  EXPECT_EQ(routes_of("man?@per*"), "many@perfect ");
  EXPECT_EQ(routes_of("*/f32.7.row*@perfect"), "many@perfect ");
  EXPECT_EQ(routes_of("scale?"), routes_of("scaled"));
  EXPECT_EQ(routes_of("*@perfect"),
            "many@perfect total@perfect scaled@perfect root@perfect turned@perfect pick@perfect "
            "kept@perfect ");
}

// A reject is a case like others to whoever names it.
TEST_F(Check, ARejectCanBeAskedForByItsId) {
  CheckOptions o;
  o.queries = {"many/f32.5.row.const-13/-@perfect"}, o.budget = Budget::smoke;
  const CheckResult r = check(o);
  EXPECT_EQ(r.passed, 1);
  EXPECT_EQ(r.tallies.at(0).rejects, 1);
  o.queries = {"many/f32.2x3.row.uniform/-"};
  EXPECT_EQ(check(o).at_gate, 1);
}

TEST_F(Check, NaturalRunsOnlyWhatTheQueryNames) {
  CheckOptions o;
  o.queries = {"many@wrong"}, o.route = "natural", o.budget = Budget::smoke;
  const CheckResult r = check(o);
  EXPECT_EQ(r.ran, 0);
  EXPECT_EQ(r.skipped, 4);
  EXPECT_EQ(why_nothing_ran(r), "many@wrong ran no case: the natural route is perfect");
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
