// Names that are no row's: each of them answers with the rows that carry its meaning, whatever verb it is given to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cli/families.h"
#include "conformance/query.h"
#include "conformance/tests/ran.h"
#include "core/alias.h"
#include "core/case.h"
#include "core/route.h"

namespace plumb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Aliases : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

bool is_row(std::string_view name) {
  return std::any_of(ops().begin(), ops().end(), [&](const Op& op) { return op.name == name; });
}

Ran plumb(const std::string& arguments) { return run_shell("'" PLUMB_PROGRAM "' " + arguments + " 2>&1"); }

TEST_F(Aliases, AreNoRowsAndMeanRows) {
  std::set<std::string_view> names;
  for (const Alias& a : aliases()) {
    EXPECT_FALSE(is_row(a.name)) << a.name;
    EXPECT_TRUE(names.insert(a.name).second) << a.name << " stands twice";
    EXPECT_FALSE(meant_by(a.name).empty()) << a.name;
    for (const std::string& row : meant_by(a.name)) EXPECT_TRUE(is_row(row)) << a.name << " means " << row;
  }
  EXPECT_GT(names.size(), 50U);
}

TEST_F(Aliases, NameTheirRowOrSayWhichThereAre) {
  for (const Alias& a : aliases()) {
    const std::vector<std::string> rows = meant_by(a.name);
    if (rows.size() == 1) {
      EXPECT_EQ(find_op(a.name).name, rows[0]);
      const Op& op = find_op(rows[0]);
      const std::string one = id(op, op.cases().front());
      EXPECT_EQ(parse_case(std::string(a.name) + one.substr(one.find('/'))).op, &op) << a.name;
      continue;
    }
    try {
      (void)find_op(a.name);
      FAIL() << a.name << " is taken for one operation";
    } catch (const Error& e) {
      for (const std::string& row : rows) EXPECT_THAT(e.what(), HasSubstr(row)) << a.name;
    }
  }
}

TEST_F(Aliases, AreEachOfTheirRowsToAQuery) {
  for (const Alias& a : aliases()) {
    const std::vector<std::string> rows = meant_by(a.name);
    const std::string name(a.name);
    const Queries alone({name}, "all"), on_route({name + "@reference"}, "all");
    for (const Op& op : ops()) {
      const bool meant = std::find(rows.begin(), rows.end(), op.name) != rows.end();
      EXPECT_EQ(alone.may_name(op), meant) << name << " and " << op.name;
      EXPECT_EQ(on_route.match(op, "of any case", kReference), meant) << name << " and " << op.name;
    }
  }
}

TEST_F(Aliases, ModulesArePassedOver) {
  EXPECT_THAT(meant_by("mx.fft.rfft"), ElementsAre("rfft"));
  EXPECT_THAT(meant_by("mlx.core.linalg.cholesky"), ElementsAre("cholesky"));
  EXPECT_THAT(meant_by("mx.random.split"), ElementsAre("random_split"));
  EXPECT_THAT(meant_by("mx.split"), ElementsAre("split"));
  EXPECT_THAT(meant_by("mx.concat"), ElementsAre("concatenate"));
  EXPECT_THAT(asked("{concat,add}@cpu.*"), ElementsAre("concatenate@cpu.*", "add@cpu.*"));
  EXPECT_THAT(asked("con*"), ElementsAre("con*"));
}

// One process a verb: the table itself is walked above.
TEST_F(Aliases, VerbsTakeThem) {
  for (const char* arguments :
       {"list ops atan2", "list cases atan2 --budget=smoke", "explain 'atan2/f32.3.row.uniform+f32.3.row.uniform/-'",
        "repro 'mx.atan2/f32.3.row.uniform+f32.3.row.uniform/-@cpu.each'", "check atan2@cpu.each --budget=smoke"}) {
    const Ran ran = plumb(arguments);
    EXPECT_EQ(ran.code, 0) << arguments << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr("arctan2")) << arguments;
  }
  EXPECT_THAT(plumb("list ops scan").out, ::testing::AllOf(HasSubstr("cumsum"), HasSubstr("logcumsumexp")));
  EXPECT_THAT(plumb("explain scan/f32.3.row.uniform/-").out, HasSubstr("cumprod"));
  EXPECT_THAT(plumb("eval scan --in=a --out=b").out, HasSubstr("names several operations: cumsum"));
}

}  // namespace
}  // namespace plumb
