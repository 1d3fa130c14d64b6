// Recorded cases on made-up operations: how names are paired, which routes answer, what is counted and how it is told.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "conformance/judge_tests/mutants_fake.h"
#include "conformance/query.h"
#include "conformance/replay.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

Tensor values(const std::vector<double>& v) { return tensor(Dtype::f32, {static_cast<std::int64_t>(v.size())}, v); }

CorpusCase doubled(const std::string& id, const std::vector<double>& x, const std::vector<double>& y) {
  CorpusCase c;
  c.id = id, c.op = "twice", c.compare = "exact";
  c.inputs = {{"x", values(x)}};
  c.outputs = {{"y", values(y)}};
  return c;
}

CorpusCase refused(const std::string& id, std::int64_t n, const std::string& error) {
  CorpusCase c = doubled(id, std::vector<double>(static_cast<std::size_t>(n)), {});
  c.outputs.clear(), c.compare.clear(), c.error = error;
  return c;
}

class Recorded : public testing::Test {
 protected:
  Recorded() : folder_(temporary("mutants_replay")) { fs::remove_all(folder_); }
  ~Recorded() override { fs::remove_all(folder_); }

  ReplayResult replayed(const std::vector<CorpusCase>& cases, const std::string& route, const std::string& id = "*",
                        const std::string& op = "*") {
    write_corpus(folder_, cases);
    return replay({folder_, op, id, route, nullptr});
  }
  static std::string refusal_of(const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& e) {
      return std::string(name(e.reason())) + "|" + e.what();
    }
    return "accepted";
  }

  fake::Table table_;
  std::string folder_;
};

TEST_F(Recorded, RightAndWrongAnswersAreCountedByRoute) {
  const ReplayResult r = replayed({doubled("a.0", {1, 2}, {2, 4}), doubled("a.1", {1, 2}, {2, 5})}, "cpu.act");
  EXPECT_EQ(r.passed, 1);
  EXPECT_EQ(r.failed, 1);
  EXPECT_EQ(r.skipped, 0);
  EXPECT_EQ(r.by_route, (std::map<std::string, std::int64_t>{{"twice@cpu.act", 1}}));
  ASSERT_EQ(r.failures.size(), 1u);
  EXPECT_EQ(r.failures[0].case_id, "a.1");
  EXPECT_EQ(r.failures[0].op, "twice");
  EXPECT_EQ(r.failures[0].route, "cpu.act");
  EXPECT_EQ(r.failures[0].message, "output y: element 1 is 4 instead of 5 (1 of 2 elements are off)");
  EXPECT_EQ(r.failures[0].repro, "plumb replay " + folder_ + " --case=a.1 --route=cpu.act");
}

TEST_F(Recorded, NaturalIsTheFirstRouteThatRuns) {
  const std::vector<CorpusCase> cases{doubled("a.0", {1, 2, 3, 4}, {2, 4, 6, 8}), doubled("a.1", {1}, {2})};
  const ReplayResult r = replayed(cases, "natural");
  EXPECT_EQ(r.by_route, (std::map<std::string, std::int64_t>{{"twice@cpu.act", 1}, {"twice@cpu.four", 1}}));
  EXPECT_EQ(r.skipped, 0);
  EXPECT_TRUE(r.refused.empty());
}

TEST_F(Recorded, AllRoutesAnswerAndRefusalsAreListed) {
  const ReplayResult r = replayed({doubled("a.0", {1, 2, 3, 4}, {2, 4, 6, 8}), doubled("a.1", {1}, {2})}, "all");
  EXPECT_EQ(r.passed, 5);
  EXPECT_EQ(r.skipped, 0);
  EXPECT_EQ(r.by_route.at("twice@reference"), 2);
  EXPECT_EQ(r.refused.at("twice@cpu.four: x has not 4 elements"), 1);
  EXPECT_EQ(r.refused.at("twice@gpu.absent: needs tier gpu, this device is unavailable"), 2);
}

TEST_F(Recorded, ARouteThatWasAskedForAndRefusesIsSkipped) {
  const ReplayResult r = replayed({doubled("a.0", {1, 2, 3, 4}, {2, 4, 6, 8}), doubled("a.1", {1}, {2})}, "cpu.f*");
  EXPECT_EQ(r.passed, 1);
  EXPECT_EQ(r.skipped, 1);
  EXPECT_EQ(r.failed, 0);
}

TEST_F(Recorded, ErrorsMustBeOfTheRecordedClass) {
  EXPECT_EQ(replayed({refused("e.0", 7, "invalid_argument")}, "cpu.act").passed, 1);
  EXPECT_EQ(replayed({refused("e.0", 7, "out_of_range")}, "cpu.act").passed, 1);
  const ReplayResult kept = replayed({refused("e.0", 3, "invalid_argument")}, "cpu.act");
  EXPECT_EQ(kept.failed, 1);
  EXPECT_EQ(kept.failures.at(0).message, "not rejected: invalid_argument was recorded");
  const ReplayResult thrown = replayed({doubled("e.1", {1, 2, 3, 4, 5, 6, 7}, {1, 2, 3, 4, 5, 6, 7})}, "cpu.act");
  EXPECT_EQ(thrown.failed, 1);
  EXPECT_EQ(thrown.failures.at(0).route, "gate");
  EXPECT_EQ(thrown.failures.at(0).message.substr(0, 6), "threw ");
  EXPECT_EQ(thrown.failures.at(0).repro, "plumb replay " + folder_ + " --case=e.1 --route=cpu.act");
  CorpusCase none = refused("e.2", 3, "out_of_range");  // an input is missing, which is no range
  none.inputs.clear();
  EXPECT_EQ(replayed({none}, "cpu.act").failed, 1);
  none.error = "invalid_argument";
  EXPECT_EQ(replayed({none}, "cpu.act").passed, 1);
}

TEST_F(Recorded, ARecordedReasonIsCompared) {
  CorpusCase c = refused("e.0", 7, "invalid_argument");
  c.reason = Reason::shape;
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
  c.reason = Reason::dtype;
  const ReplayResult r = replayed({c}, "cpu.act");
  ASSERT_EQ(r.failed, 1);
  EXPECT_EQ(r.failures[0].message, "threw [twice] shape: 7 elements; dtype was recorded");
  fake::act = [](const Call&, std::vector<Tensor>&) { throw Error("twice", Reason::domain, "made up"); };
  c = refused("e.1", 3, "runtime_error");
  c.reason = Reason::domain;
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
  c.reason = Reason::shape;
  EXPECT_EQ(replayed({c}, "cpu.act").failed, 1);
}

TEST_F(Recorded, ARouteThatTheOpLacksIsAReason) {
  install({fake::twice(), fake::about()}, fake::all_routes_of("about"));
  const ReplayResult r = replayed({doubled("a.0", {1}, {2})}, "cpu.act");
  EXPECT_EQ(r.skips, (std::map<std::string, std::int64_t>{{"twice: has no route cpu.act", 1}}));
  EXPECT_TRUE(nothing_ran(r, "cpu.act"));
}

TEST_F(Recorded, RejectionsAloneSayNothingOfOneRoute) {
  const std::vector<CorpusCase> cases{refused("e.0", 7, "invalid_argument"), doubled("a.0", {1}, {2})};
  const ReplayResult absent = replayed(cases, "gpu.absent");
  EXPECT_EQ(absent.passed, 1);
  EXPECT_EQ(absent.ran, 0);
  EXPECT_TRUE(nothing_ran(absent, "gpu.absent"));
  EXPECT_FALSE(nothing_ran(replayed(cases, "cpu.act"), "cpu.act"));
  EXPECT_FALSE(nothing_ran(replayed({cases[0]}, "natural"), "natural"));
}

TEST_F(Recorded, AReproLineIsAWordOfTheShellAndNamesOneCase) {
  const std::string id = "a'b\n$(touch x) *?\\c";
  const std::vector<CorpusCase> cases{doubled(id, {1}, {3}), doubled("a'b\n$(touch x) zz\\c", {1}, {3})};
  const ReplayResult r = replayed(cases, "cpu.act");
  ASSERT_EQ(r.failed, 2);
  EXPECT_EQ(r.failures[0].repro,
            "plumb replay " + folder_ + " '--case=a'\\''b?$(touch x) \\*\\?\\\\c' --route=cpu.act");
  EXPECT_EQ(replayed(cases, "cpu.act", glob_of(id)).failed, 1);
}

TEST_F(Recorded, ReasonsStandForClassesOfErrors) {
  const auto passed = [&](Reason reason, const std::string& error) {
    fake::act = [reason](const Call&, std::vector<Tensor>&) { throw Error("twice", reason, "made up"); };
    return replayed({refused("e.0", 3, error)}, "cpu.act").passed == 1;
  };
  for (const Reason never : {Reason::device, Reason::file, Reason::query}) {
    EXPECT_FALSE(passed(never, "invalid_argument"));
    EXPECT_FALSE(passed(never, "out_of_range"));
  }
  for (const Reason range : {Reason::axis, Reason::attribute, Reason::shape})
    EXPECT_TRUE(passed(range, "out_of_range"));
  for (const Reason other : {Reason::arity, Reason::dtype, Reason::domain}) {
    EXPECT_FALSE(passed(other, "out_of_range"));
    EXPECT_TRUE(passed(other, "invalid_argument"));
  }
  for (const Reason when_made : {Reason::arity, Reason::attribute, Reason::axis, Reason::rank, Reason::shape})
    EXPECT_FALSE(passed(when_made, "runtime_error"));
  for (const Reason when_run : {Reason::domain, Reason::memory, Reason::dtype})
    EXPECT_TRUE(passed(when_run, "runtime_error"));
  fake::act = [](const Call&, std::vector<Tensor>&) { throw Error("twice", Reason::domain, "made up"); };
  EXPECT_EQ(replayed({doubled("e.0", {1}, {2})}, "cpu.act").failures.at(0).message, "threw [twice] domain: made up");
}

TEST_F(Recorded, WhatHasNoRowOrDoesNotFitIsSkippedWithTheReason) {
  CorpusCase unknown = doubled("a.0", {1}, {2}), attribute = doubled("a.1", {1}, {2}), none = doubled("a.2", {1}, {2}),
             invariant = doubled("a.4", {1}, {2});
  unknown.op = "thrice";
  attribute.attrs.set("alpha", 2);
  none.attrs.set("alpha", kNone);
  invariant.compare = "invariant", invariant.check = "sorted";
  const ReplayResult r = replayed({unknown, attribute, none, invariant}, "cpu.act");
  EXPECT_EQ(r.passed, 1);
  EXPECT_EQ(r.failed, 0);
  EXPECT_EQ(r.skipped, 3);
  EXPECT_EQ(r.no_row, (std::map<std::string, std::int64_t>{{"thrice", 1}}));
  EXPECT_EQ(r.skips, (std::map<std::string, std::int64_t>{{"twice: attribute alpha not in row", 1},
                                                          {"twice: no invariant check \"sorted\"", 1}}));
}

TEST_F(Recorded, AttributesOfOtherRowsMustBeNone) {
  CorpusCase c = doubled("a.0", {1}, {2});
  c.attrs.set("alpha", kNone);
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
  c.attrs.set("alpha", 2);
  EXPECT_EQ(replayed({c}, "cpu.act").skipped, 1);
}

TEST_F(Recorded, AttributesOfTheRowArePassedOn) {
  std::string mode;
  fake::act = [&](const Call& call, std::vector<Tensor>& out) {
    mode = call.text("mode");
    fake::right(call, out);
  };
  CorpusCase c = doubled("a.0", {1}, {2});
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
  EXPECT_EQ(mode, "plain");
  c.attrs.set("mode", "other");
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
  EXPECT_EQ(mode, "other");
}

// A wrong name is no answer to the question that was recorded, even where nothing else is left to stand for it.
TEST_F(Recorded, NamesThatTheOpLacksAreErrorsOfTheFile) {
  const auto told = [&](const CorpusCase& c) {
    fake::act = [](const Call&, std::vector<Tensor>&) { ADD_FAILURE() << "something ran"; };
    const CorpusCase first = doubled("a.0", {1, 2}, {2, 4});
    return refusal_of([&] { replayed({first, c}, "cpu.act"); });
  };
  const std::string where = "file|[replay] file: " + folder_ + "/cases.json: case a.1: twice has no ";
  CorpusCase c = doubled("a.1", {1, 2}, {2, 4});
  c.inputs = {{"array", values({1, 2})}};
  EXPECT_EQ(told(c), where + "input \"array\"; there are x b");
  c.inputs = {{"b", values({10, 20})}, {"q", values({1, 2})}};
  EXPECT_EQ(told(c), where + "input \"q\"; there are x b");
  c = doubled("a.1", {1, 2}, {2, 4});
  c.outputs = {{"total", values({2, 4})}};
  EXPECT_EQ(told(c), where + "output \"total\"; there are y");
  c = refused("a.1", 7, "invalid_argument");
  c.inputs.emplace("a\nb", values({1}));
  EXPECT_EQ(told(c), where + "input \"a\\nb\"; there are x b");
}

TEST_F(Recorded, AnOptionalInputMayBeRecorded) {
  CorpusCase c = doubled("a.0", {1, 2}, {12, 24});
  c.inputs.emplace("b", values({10, 20}));
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
}

CorpusCase two_outputs(const std::vector<double>& y, const std::vector<double>& z) {
  CorpusCase c;
  c.id = "t.0", c.op = "about", c.compare = "close";
  c.inputs = {{"x", values({1, 2})}};
  c.outputs = {{"y", values(y)}, {"z", values(z)}};
  c.tol = {{0, 0.5}, {0, 0.25}};
  return c;
}

TEST_F(Recorded, EveryOutputHasItsOwnTolerance) {
  EXPECT_EQ(replayed({two_outputs({1.5, 2}, {-1.25, -2})}, "cpu.act").passed, 1);
  const ReplayResult r = replayed({two_outputs({1.5, 2}, {-1.5, -2})}, "cpu.act");
  EXPECT_EQ(r.failed, 1);
  EXPECT_EQ(r.failures.at(0).message.substr(0, 9), "output z:");
  CorpusCase c = two_outputs({1.5, 2}, {-1.25, -2});
  c.compare = "exact", c.tol.clear();
  EXPECT_EQ(replayed({c}, "cpu.act").failed, 1);
}

TEST_F(Recorded, OutputsArePairedByName) {
  CorpusCase c = two_outputs({1, 2}, {-1, -2});
  std::swap(c.outputs[0], c.outputs[1]);
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
  c.outputs.pop_back(), c.tol.pop_back();
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
}

TEST_F(Recorded, TheSignOfZeroIsAskedWhereItWasRecorded) {
  CorpusCase c = doubled("z.0", {0}, {-0.0});
  EXPECT_EQ(replayed({c}, "cpu.act").passed, 1);
  c.signed_zero = true;
  EXPECT_EQ(replayed({c}, "cpu.act").failed, 1);
}

TEST_F(Recorded, TheFailingRouteIsNamedAmongAll) {
  fake::act = [](const Call& call, std::vector<Tensor>& out) {
    fake::right(call, out);
    out[0].write<float>()[0] += call.shape(0) == Shape{1} ? 1 : 0;
  };
  const ReplayResult r = replayed({doubled("a.0", {1}, {2})}, "all");
  ASSERT_EQ(r.failed, 1);
  EXPECT_EQ(r.failures[0].repro, "plumb replay " + folder_ + " --case=a.0 --route=cpu.act");
  EXPECT_EQ(r.passed, 1);
  EXPECT_EQ(r.compared, 2);
}

TEST_F(Recorded, OldDamageIsNotBlamedOnACase) {
  MemoryWatch::damaged("before");
  EXPECT_EQ(replayed({doubled("a.0", {1}, {2})}, "cpu.act").passed, 1);
}

TEST_F(Recorded, ARowMayChooseAmongTheCallsOfItsName) {
  Op op = fake::twice();
  op.name = "twice_other", op.corpus = "twice";
  op.corpus_call = [](Attrs& a) {
    const bool mine = a.find("other") != nullptr;
    a = Attrs{};
    return mine;
  };
  install({fake::twice(), op}, fake::all_routes_of("twice"));
  CorpusCase c = doubled("a.0", {1}, {2});
  EXPECT_EQ(replayed({c}, "reference").by_route, (std::map<std::string, std::int64_t>{{"twice@reference", 1}}));
  c.attrs.set("other", true);
  const ReplayResult r = replayed({c}, "reference");
  EXPECT_EQ(r.by_route, (std::map<std::string, std::int64_t>{{"twice_other@reference", 1}}));
  EXPECT_EQ(r.skips.at("twice: attribute other not in row"), 1);
}

TEST_F(Recorded, ACallThatNoRowOfItsNameTakesIsOfTheRowNamedSo) {
  Op first = fake::twice(), second = fake::twice();
  first.corpus_call = [](Attrs&) { return false; };
  second.name = "twice_other", second.corpus = "twice", second.corpus_call = first.corpus_call;
  install({first, second}, {});
  CorpusCase c = doubled("a.0", {1}, {2});
  EXPECT_EQ(replayed({c}, "reference").by_route, (std::map<std::string, std::int64_t>{{"twice@reference", 1}}));
  c.op = "twice_other";
  EXPECT_EQ(replayed({c}, "reference").by_route, (std::map<std::string, std::int64_t>{{"twice_other@reference", 1}}));
  c.op = "twice_third";
  EXPECT_EQ(replayed({c}, "reference").no_row.at("twice_third"), 1);
  // Other software has an operation of its own by our row's name: skipped, and no error of the file.
  c.op = "twice_other", c.inputs = {{"input", values({1})}};
  EXPECT_EQ(replayed({c}, "reference").no_row.at("twice_other"), 1);
}

TEST_F(Recorded, RowsThatEachHaveSomeOutputsAnswerACallTogether) {
  Op other = fake::twice();
  other.name = "twice_other", other.corpus = "twice", other.outputs = {"z"};
  install({fake::twice(), other}, {});
  CorpusCase c = doubled("a.0", {1}, {2});
  c.outputs.emplace_back("z", values({2}));
  EXPECT_EQ(replayed({c}, "reference").by_route,
            (std::map<std::string, std::int64_t>{{"twice@reference", 1}, {"twice_other@reference", 1}}));
  c.outputs[1].second = values({3});
  EXPECT_EQ(replayed({c}, "reference").failures.at(0).op, "twice_other");
  c.outputs.emplace_back("w", values({2}));  // which no row has
  EXPECT_THROW(replayed({c}, "reference"), Error);
}

CorpusCase bounded(const std::vector<double>& y) {
  CorpusCase c = doubled("a.0", {4}, y);
  c.op = "about", c.compare = "invariant", c.check = kBoundCheck;
  return c;
}

TEST_F(Recorded, ABoundIsThatOfTheRouteAndTheReferenceAnswersAsRecorded) {
  double error = 0;
  fake::act = [&error](const Call& call, std::vector<Tensor>& out) {
    fake::right(call, out);
    out[0].write<float>()[0] += static_cast<float>(error);
  };
  const double allowed = normwise_bound(fake::loose({})) * 4;
  ReplayResult r = replayed({bounded({4})}, "all");
  EXPECT_EQ(r.passed, 2);
  EXPECT_EQ(r.compared, 3);  // both outputs of the route, the one that is recorded of the reference
  error = 0.99 * allowed;
  EXPECT_EQ(replayed({bounded({4})}, "cpu.act").passed, 1);
  error = 1.01 * allowed;
  r = replayed({bounded({4})}, "cpu.act");
  ASSERT_EQ(r.failed, 1);
  EXPECT_EQ(r.failures[0].message.find("error/allowed = 1.01"), 0U) << r.failures[0].message;
  CorpusCase c = bounded({4.5});
  EXPECT_EQ(replayed({c}, "reference").failed, 1);
  c.tol = {{0, 0.5}};
  EXPECT_EQ(replayed({c}, "reference").passed, 1);
}

TEST_F(Recorded, WhatNoBoundFollowsForIsSkipped) {
  fake::act = [](const Call& call, std::vector<Tensor>& out) {
    fake::right(call, out);
    out[0].write<float>()[0] += 1;
  };
  const auto endless = [](const Call&) {
    Order o;
    o.levels = 1, o.twiddle_error = 1e9;
    return o;
  };
  std::vector<Route> all = fake::all_routes_of("about");
  for (Route& route : all) route.order = endless;
  install({fake::about()}, std::move(all));
  const ReplayResult r = replayed({bounded({4})}, "cpu.act");
  EXPECT_EQ(r.passed + r.failed, 0);
  EXPECT_EQ(r.skipped, 1);
  EXPECT_EQ(r.skips.at("about@cpu.act: no finite bound follows for 1 elements"), 1);
}

TEST_F(Recorded, WritingBesideTheOutputIsAFailure) {
  fake::act = [](const Call& call, std::vector<Tensor>& out) {
    fake::right(call, out);
    out[0].write<float>()[out[0].size()] = 1;
  };
  const ReplayResult r = replayed({doubled("a.0", {1}, {2})}, "cpu.act");
  ASSERT_EQ(r.failed, 1);
  EXPECT_EQ(r.failures[0].message, "a host buffer of 4 bytes was written outside");
  fake::act = nullptr;
  EXPECT_EQ(replayed({doubled("a.0", {1}, {2})}, "cpu.act").passed, 1);
}

TEST_F(Recorded, OnlyWhatWasAskedForRuns) {
  const std::vector<CorpusCase> cases{doubled("a.0", {1}, {2}), doubled("a.1", {1}, {2}),
                                      two_outputs({1, 2}, {-1, -2})};
  EXPECT_EQ(replayed(cases, "cpu.act").passed, 3);
  EXPECT_EQ(replayed(cases, "cpu.act", "a.*").passed, 2);
  EXPECT_EQ(replayed(cases, "cpu.act", "*", "about").passed, 1);
  EXPECT_EQ(refusal_of([&] { replayed(cases, "cpu.act", "b.*"); }),
            "query|[replay] query: " + folder_ + ": no case of op \"*\" and id \"b.*\"");
  EXPECT_EQ(refusal_of([&] { replayed(cases, "cpu.act", "*", "none"); }),
            "query|[replay] query: " + folder_ + ": no case of op \"none\" and id \"*\"");
  EXPECT_EQ(refusal_of([&] { replayed(cases, "cpu.none"); }),
            "query|[plumb] query: no route matches 'cpu.none'; nearest: cpu.four, cpu.act, gpu.absent");
}

TEST_F(Recorded, ProgressNamesEachCaseBeforeItRuns) {
  write_corpus(folder_, {doubled("a.0", {1}, {2}), doubled("a.1", {1}, {2})});
  std::string told;
  replay({folder_, "*", "*", "cpu.act", [&](const Step& s) {
            told += s.within + s.op + " " + std::to_string(s.operation) + "/" + std::to_string(s.operations) + " " +
                    s.case_id + " " + std::to_string((2 * s.done + 1) / s.total) + "/2; ";
          }});
  EXPECT_EQ(told, "twice 1/1 a.0 0/2; twice 1/1 a.1 1/2; ");
}

TEST_F(Recorded, AFolderOfFamiliesIsAFolderToo) {
  write_corpus(folder_ + "/two", {doubled("b.0", {1}, {2})});
  write_corpus(folder_ + "/one", {doubled("a.0", {1}, {3})});
  fs::create_directories(folder_ + "/other");
  const ReplayResult r = replay({folder_, "*", "*", "cpu.act", nullptr});
  EXPECT_EQ(r.passed, 1);
  EXPECT_EQ(r.failures.at(0).repro, "plumb replay " + folder_ + "/one --case=a.0 --route=cpu.act");
}

TEST_F(Recorded, FamiliesRunInTheOrderOfTheirNames) {
  for (const std::string family : {"c", "a", "d", "b"})
    write_corpus(folder_ + "/" + family, {doubled(family, {1}, {2})});
  std::string told;
  replay({folder_, "*", "*", "cpu.act", [&](const Step& s) {
            told += s.within + " " + s.case_id + " " + std::to_string(4 * s.done / s.total) + "/4; ";
          }});
  EXPECT_EQ(told, "family 1 of 4 a 0/4; family 2 of 4 b 1/4; family 3 of 4 c 2/4; family 4 of 4 d 3/4; ");
}

TEST_F(Recorded, FoldersWithoutCasesAreRefused) {
  EXPECT_EQ(refusal_of([&] {
              replay({folder_, "*", "*", "all", nullptr});
            }),
            "file|[replay] file: " + folder_ + ": no such folder");
  fs::create_directories(folder_ + "/empty");
  EXPECT_EQ(refusal_of([&] {
              replay({folder_, "*", "*", "all", nullptr});
            }),
            "file|[replay] file: " + folder_ + ": holds no cases.json, nor does any folder in it");
}

}  // namespace
}  // namespace plumb
