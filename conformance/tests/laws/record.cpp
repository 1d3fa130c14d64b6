// What is dumped comes back: a case of every row, and every call that must be refused, recorded and replayed.
#include "conformance/record.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/replay.h"
#include "conformance/tests/temporary.h"

namespace plumb {
namespace {

struct Dump {
  std::string folder;
  std::map<std::string, std::int64_t> cases;  // by row
  std::int64_t total = 0;
};

// The cases of each row that `pick` gives, as `plumb repro --dump` writes them.
Dump dumped(const std::string& name, const std::function<std::vector<Case>(const Op&)>& pick) {
  Dump dump{temporary(name), {}, 0};
  std::vector<CorpusCase> all;
  for (const Op& op : ops())
    for (const Case& c : pick(op))
      for (CorpusCase& one : recorded(op, c, 0, 0, "")) {
        all.push_back(std::move(one));
        ++dump.cases[std::string(op.name)];
      }
  dump.total = std::ssize(all);
  write_corpus(dump.folder, all);
  return dump;
}

std::string text(const std::map<std::string, std::int64_t>& counts) {
  std::string all;
  for (const auto& [what, times] : counts) all += "\n  " + what + ": " + std::to_string(times);
  return all;
}

void expect_judged(const Dump& dump, const std::string& route) {
  const ReplayResult r = replay({dump.folder, "*", "*", route, nullptr});
  for (const ReplayFailure& f : r.failures) ADD_FAILURE() << f.case_id << "@" << f.route << ": " << f.message;
  EXPECT_EQ(r.skipped, 0) << route << text(r.skips) << text(r.no_row);
  EXPECT_EQ(r.passed, dump.total) << route;
  std::map<std::string, std::int64_t> judged;
  for (const auto& [label, times] : r.by_route) judged[label.substr(0, label.find('@'))] += times;
  EXPECT_EQ(judged, dump.cases) << route;
}

bool has_elements(const Case& c) {
  return std::all_of(c.in.begin(), c.in.end(), [](const auto& in) { return !in || count(in->shape) > 0; });
}

TEST(Dumped, TheFirstCaseOfEveryRowIsJudged) {
  const Dump dump = dumped("dumped_cases", [](const Op& op) {
    const std::vector<Case> smoke = cases_of(op, Budget::smoke);
    const auto first = std::find_if(smoke.begin(), smoke.end(), has_elements);
    return first == smoke.end() ? std::vector<Case>{} : std::vector<Case>{*first};
  });
  EXPECT_EQ(std::size(dump.cases), ops().size());
  expect_judged(dump, "reference");
  expect_judged(dump, "natural");
}

// The last small call for each reason: rejects that follow from the row's facts come behind those that it states.
TEST(Dumped, ACallOfEveryRowAndReasonIsRefused) {
  const Dump dump = dumped("dumped_rejects", [](const Op& op) {
    std::map<Reason, Case> last;
    for (const Reject& r : rejects_of(op)) {
      std::int64_t elements = 0;
      for (const auto& in : r.call.in) elements += in ? count(in->shape) : 0;
      if (elements < 2000) last.insert_or_assign(r.reason, r.call);
    }
    std::vector<Case> calls;
    for (const auto& [reason, call] : last) calls.push_back(call);
    return calls;
  });
  EXPECT_EQ(std::size(dump.cases), ops().size());
  expect_judged(dump, "natural");
}

}  // namespace
}  // namespace plumb
