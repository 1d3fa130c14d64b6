// Every op on every route, and every recorded case: what the sanitizers look at.
#include <gtest/gtest.h>

#include "conformance/check.h"
#include "conformance/replay.h"

namespace plumb {
namespace {

void smoke(const std::string& routes) {
  CheckOptions options;
  options.budget = Budget::smoke;
  options.route = routes;
  options.isas = {Isa::base, Isa::avx2, Isa::avx512};  // those that were built, and are here
  options.failed = [](const Failure& f) { ADD_FAILURE() << f.case_id << "@" << f.route << ": " << f.message; };
  EXPECT_GT(check(options).passed, 0);
}

TEST(Everything, OfTheHostRuns) { smoke("cpu.*"); }

TEST(Everything, OfTheDeviceRuns) {
  if (current_device().tier == Tier::unavailable) GTEST_SKIP() << "no device";
  smoke("gpu.*");
}

TEST(Everything, RecordedIsReplayed) {
  for (const char* folder : {"/conformance/corpus", "/conformance/found"}) {
    const ReplayResult result = replay({std::string(PLUMB_SOURCE_DIR) + folder, "*", "*", "all", nullptr});
    EXPECT_GT(result.passed, 0) << folder;
    for (const ReplayFailure& f : result.failures) ADD_FAILURE() << f.case_id << "@" << f.route << ": " << f.message;
  }
}

}  // namespace
}  // namespace plumb
