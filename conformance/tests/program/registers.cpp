// What a route leaves behind in the processor: a unit of floating point that others can still use.
#include <gtest/gtest.h>

#include <cmath>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/cpu.h"
#include "core/device.h"
#include "core/error.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

// Eight numbers on the x87 unit's stack at once. Whoever has used MMX registers, which share its place, and has not
// said so leaves the stack full: every long double is NaN from there on.
bool long_doubles_work() {
  volatile long double x = 2;
  const long double sum = std::sqrt(x) * std::log(x + 1) + std::exp(x) * (std::sin(x) + std::cos(x) / std::atan(x));
  return std::isfinite(sum);
}

int run_on_processor(const Op& op) {
  int ran = 0;
  for (const Case& c : cases_of(op, Budget::smoke)) {
    const Call call = make_call(op, realize(op, c), c.attrs);
    for (const Route& r : routes(op)) {
      if (r.needs != Tier::unavailable || !refusal(r, call, current_device()).empty()) continue;
      (void)run(call, r);
      EXPECT_TRUE(long_doubles_work()) << id(op, c) << "@" << r.name << ", " << name(isa());
      ++ran;
    }
  }
  return ran;
}

// The other instruction sets have vectors that no MMX register could hold a half of.
TEST(Registers, EveryRouteOfTheProcessorLeavesTheX87UnitUsable) {
  install_families();
  set_isa(Isa::base);
  for (const Op& op : ops()) EXPECT_GT(run_on_processor(op), 0) << op.name;
  set_isa(best_isa());
}

}  // namespace
}  // namespace plumb
