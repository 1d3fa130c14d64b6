// The language in which rows state their cases: what a text stands for, and what is said of a wrong one.
#include "core/pattern.h"

#include <gmock/gmock.h>

#include "core/listed.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::vector<std::string>;

Texts calls(const std::string& text) {
  constexpr std::string_view kVerbs[] = {"smoke", "ci"};
  Texts all;
  for (const pattern::Sweep& s : pattern::read(text, kVerbs))
    pattern::expand(s, [&](const std::string& call) { all.push_back(call); });
  return all;
}

std::string fault(const std::string& text) {
  try {
    (void)calls(text);
    return "none";
  } catch (const Error& e) {
    return e.detail();
  }
}

TEST(Pattern, TheLastListVariesFastest) {
  EXPECT_THAT(calls("ci {a,b}.{x,y}/-"), ElementsAre("a.x/-", "a.y/-", "b.x/-", "b.y/-"));
  EXPECT_THAT(calls("call {m}.{n}/-\nci n={1,2} m={3,4}"), ElementsAre("3.1/-", "4.1/-", "3.2/-", "4.2/-"));
}

TEST(Pattern, AParameterIsTheSameWhereverItStands) {
  EXPECT_THAT(calls("ci {n=1,2}x{n}x{2*n}/-"), ElementsAre("1x1x2/-", "2x2x4/-"));
  EXPECT_THAT(calls("call {r}.{s}/-\nfrom r={s} s=3\nci s={4,5}\nci r=6"), ElementsAre("4.4/-", "5.5/-", "6.3/-"));
}

TEST(Pattern, ListsHoldRangesNeighboursAndSets) {
  EXPECT_THAT(calls("ci {64~}/-"), ElementsAre("63/-", "64/-", "65/-"));
  EXPECT_THAT(calls("ci {1..3,9,-1~}/-"), ElementsAre("1/-", "2/-", "3/-", "9/-", "-2/-", "-1/-", "0/-"));
  EXPECT_THAT(calls("ci {@floats}/-"), ElementsAre("f32/-", "f16/-", "bf16/-"));
  EXPECT_EQ(calls("ci {@all}/-").size(), all_dtypes().size());
  EXPECT_EQ(calls("ci {@all,!c64,!@integers}/-").size(), all_dtypes().size() - 9);
  EXPECT_EQ(calls("ci {@layouts}/-").size(), std::size(kLayouts));
}

TEST(Pattern, TuplesGoTogetherAndTurnsGoRound) {
  EXPECT_THAT(calls("call {k}.{s}/-\nci k,s={3: 1:, 2: {2:,4:}}"), ElementsAre("3:.1:/-", "2:.2:/-", "2:.4:/-"));
  EXPECT_THAT(calls("ci {a,b,c}.[x,y]/-"), ElementsAre("a.x/-", "b.y/-", "c.x/-"));
}

TEST(Pattern, ArithmeticIsThatOfC) {
  const std::pair<const char*, const char*> worked[] = {{"1+2*3", "7"},
                                                        {"(1+2)*3", "9"},
                                                        {"7/2-7%4", "0"},
                                                        {"-n", "-5"},
                                                        {"n>4&&n<6", "1"},
                                                        {"n==4||!n", "0"},
                                                        {"n>4?n:1/0", "5"},
                                                        {"w=='row'?'a':'b'", "a"},
                                                        {"w!='row'?'a':w", "row"},
                                                        {"9223372036854775807", "9223372036854775807"}};
  for (const auto& [expression, value] : worked)
    EXPECT_THAT(calls(std::string("ci {") + expression + "}.{n}.{w}/- n=5 w=row"),
                ElementsAre(std::string(value) + ".5.row/-"))
        << expression;
}

TEST(Pattern, AConditionLeavesCallsOut) {
  EXPECT_THAT(calls("call {n}/-\nfrom if={n%2}\nci n={1..4}\nci n=2 if=1"), ElementsAre("1/-", "3/-", "2/-"));
}

TEST(Pattern, WhatComesOutEmptyIsLeftOut) {
  EXPECT_THAT(calls("call {a}+{b}/x={x},{y}\nfrom a=p b={,q,-} x={,1} y=-"),
              ElementsAre());  // a call and defaults alone stand for nothing
  EXPECT_THAT(calls("call {a}+{b}/x={x},{y}\nfrom a=p x= y=-\nci b={,q,-} \nci b=none x=1 y=z=2"),
              ElementsAre("p/-", "p+q/-", "p+none/x=1,z=2"));  // the same call twice is one
}

TEST(Pattern, LinesGoOnAndKeepTheirReasons) {
  constexpr std::string_view kVerbs[] = {"ci"};
  const auto sweeps = pattern::read(
      "# one\n# and more\ncall {n}.{m}/-\nfrom m=0\nci n={1,\n 2} # two\nci n=3\n  m=4\n\nci n=5 m=6\nci 7.8/- #9\n",
      kVerbs);
  EXPECT_THAT(fault("call {n}/-\nci n={1,\n2}\n  n=3"), HasSubstr("'n' is given twice"));
  ASSERT_EQ(sweeps.size(), 4U);
  EXPECT_EQ(sweeps[0].reason, "two");
  EXPECT_EQ(sweeps[1].reason, "one and more");
  EXPECT_EQ(sweeps[2].reason, "");
  EXPECT_EQ(sweeps[2].line, 10);
  EXPECT_EQ(sweeps[3].reason, "9");
}

TEST(Pattern, ABadLineIsToldWithItsNumber) {
  const std::pair<const char*, const char*> faults[] = {
      {"call a/-\nci\nsmok", "line 3, 'smok': no line begins with 'smok'; nearest: smoke"},
      {"ci a=1", "there is no call"},
      {"ci a", "'a' is no call, INPUTS/ATTRIBUTES"},
      {"call a/- b", "a call is one word"},
      {"call {n}/-\nci m=1 n=2", "'m' changes nothing in the call"},
      {"call {n}/-\nci", "'n' has no value"},
      {"call {n}/-\nfrom n={m} m={n}\nci", "is said by itself"},
      {"call {n}/-\nci n=1 n=2", "'n' is given twice"},
      {"ci {a/-", "'{a/-' is not closed"},
      {"ci a}/-", "nothing opens the '}'"},
      {"ci {a,b]/-", "ends otherwise"},
      {"ci {}/-", "holds nothing"},
      {"ci {@flots}/-", "no set '@flots'; nearest: floats"},
      {"ci {9..1,2}/-", "'9..1' is no range"},
      {"ci {a~}/-", "'a~' is no range"},
      {"ci {@all,!f33}/-", "'!f33' takes out what is not there"},
      {"ci {1+}/-", "{1+}: a value is missing"},
      {"ci {1/0}/-", "a division by 0"},
      {"ci {n*n*n}/- n=9999999999", "beyond 64 bits"},
      {"ci {w+1}/- w=row", "'row' is no whole number"},
      {"call {k}.{s}/-\nci k,s={1 2, 3}", "'3' does not give 2 values"},
      {"ci {1..20001}/-", "more than 20000 calls"},
      {"ci {1..1000}{1..1000}/-", "more than 20000 calls"},
      {"call {n}/-\nci n=[{a,b},c] ", "must not hold a choice"}};
  for (const auto& [text, what] : faults) EXPECT_THAT(fault(text), HasSubstr(what)) << text;
}

TEST(Pattern, TheFormOfATextIsCheckedWithoutExpandingIt) {
  EXPECT_EQ(Cases("ci {1..9999}{1..9999}/-").fault(), "");
  EXPECT_THAT(Cases("ci {a/-").fault(), HasSubstr("line 1"));
  EXPECT_THAT(Rejects("ci a/-").fault(), HasSubstr("no line begins with 'ci'"));
  EXPECT_THAT(Rejects("dtype a/-").fault(), HasSubstr("nothing says why"));
  EXPECT_EQ(Rejects("dtype a/- # a reason").fault(), "");
}

TEST(Pattern, CasesAndRefusalsAreReadAsTheIdsThatTheyAre) {
  const auto cases = Cases("smoke f32.2x{3,4}.row.int-3/axis={0,1} # why")();
  ASSERT_EQ(cases.size(), 4U);
  EXPECT_EQ(cases[2].in[0]->shape, (Shape{2, 4}));
  EXPECT_EQ(cases[1].reason, "why");
  EXPECT_EQ(cases[1].budget, Budget::smoke);
  const auto rejects = Rejects("axis f32.2.row.int-3/axis=2 # beyond")();
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].reason, Reason::axis);
  EXPECT_EQ(rejects[0].why, "beyond");
  EXPECT_THROW((void)Cases("ci f33.2.row.int-3/-")(), Error);
}

TEST(Pattern, AQueryIsAllThatItStandsFor) {
  EXPECT_THAT(pattern::alternatives("add/*"), ElementsAre("add/*"));
  EXPECT_THAT(pattern::alternatives("{add,sum}@cpu.*"), ElementsAre("add@cpu.*", "sum@cpu.*"));
  EXPECT_THAT(pattern::alternatives("a/{n=1,2}x{n}[?"), ElementsAre("a/1x1[?", "a/2x2[?"));
  EXPECT_THAT(pattern::alternatives("a\\{b{1,2}\\}"), ElementsAre("a\\{b1\\}", "a\\{b2\\}"));
  for (const char* wrong : {"a{", "a{b", "{f32}", "{a,b", "{1..9999999}"})
    EXPECT_THROW((void)pattern::alternatives(wrong), Error) << wrong;
}

// What a start reads and what it leaves alone.
TEST(Pattern, EveryRowStatesItsCallsAsText) {
  for (const Op& op : ops()) {
    EXPECT_FALSE(op.cases.text().empty() || op.bench.text().empty()) << op.name;
    EXPECT_EQ(op.rejects.text().empty(), !op.rejects) << op.name;
    EXPECT_EQ(op.cases.fault() + op.rejects.fault() + op.bench.fault(), "") << op.name;
  }
}

}  // namespace
}  // namespace plumb
