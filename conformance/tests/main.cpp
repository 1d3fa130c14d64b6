#include <gmock/gmock.h>

#include "cli/families.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  plumb::install_families();
  return RUN_ALL_TESTS();
}
