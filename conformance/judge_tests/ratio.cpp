#include "core/ratio.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace plumb {
namespace {

TEST(Ratio, ShowsOnWhichSideOfItsBorderItLies) {
  EXPECT_EQ(ratio_text(0.5), "0.5");
  EXPECT_EQ(ratio_text(0.996), "0.996");
  EXPECT_EQ(ratio_text(0.9996), "0.9996");
  EXPECT_EQ(ratio_text(0.99996), "0.99996");
  EXPECT_EQ(ratio_text(1), "1");
  EXPECT_EQ(ratio_text(1.0004), "1.0004");
  EXPECT_EQ(ratio_text(1.00000001, 1, 9), "1.00000001");
  EXPECT_EQ(ratio_text(1.23456), "1.23");
  EXPECT_EQ(ratio_text(1.0200004, 1.02), "1.0200004");
  EXPECT_EQ(ratio_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(std::stod(ratio_text(std::nextafter(1.0, 2.0))), std::nextafter(1.0, 2.0));
  EXPECT_EQ(std::stod(ratio_text(std::nextafter(1.0, 0.0))), std::nextafter(1.0, 0.0));
}

}  // namespace
}  // namespace plumb
