#include <gmock/gmock.h>

#include <cstdlib>

#include "conformance/judge_tests/fakes.h"
#include "core/limits.h"

int main(int argc, char** argv) {
  // What a run tells depends on its setting: these tests state their own.
  for (const char* name : {"PLUMB_THREADS", "PLUMB_ISA", "PLUMB_ROUTE"}) ::unsetenv(name);
  plumb::set_small_limits(false);
  ::testing::InitGoogleMock(&argc, argv);
  plumb::fakes::install();
  return RUN_ALL_TESTS();
}
