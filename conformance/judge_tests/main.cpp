#include <gmock/gmock.h>

#include "conformance/judge_tests/fakes.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  plumb::fakes::install();
  return RUN_ALL_TESTS();
}
