// What both sides of every comparison share: conversions, promotion, the wide scalar. Exhaustive where finite.
#include "core/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/tensor.h"

namespace plumb {
namespace {

struct Format {
  const char* name;
  std::uint16_t (*encode)(Double2);
  float (*decode)(std::uint16_t);
  std::uint16_t infinity;
};
const Format kFormats[] = {{"f16", to_half, half_to_float, 0x7C00}, {"bf16", to_bf16, bf16_to_float, 0x7F80}};

TEST(Dtype, EveryPatternOfSixteenBitsSurvivesTheRoundTrip) {
  for (const Format& f : kFormats)
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
      const auto word = static_cast<std::uint16_t>(bits);
      const double x = f.decode(word);
      if (std::isnan(x)) {
        EXPECT_TRUE(std::isnan(f.decode(f.encode(x)))) << f.name << " " << bits;
        EXPECT_EQ(f.encode(x) & 0x8000, word & 0x8000) << f.name << " " << bits;
      } else {
        EXPECT_EQ(f.encode(x), word) << f.name;
      }
    }
}

// Between each pair of neighbours: the tie goes to even, and the smallest nudge off the tie decides, also a
// nudge that a binary64 or a binary32 intermediate would lose.
TEST(Dtype, RoundsOnceToNearestEvenBetweenAllNeighbours) {
  for (const Format& f : kFormats)
    for (std::uint16_t low = 0; low + 1 < f.infinity; ++low) {
      const auto high = static_cast<std::uint16_t>(low + 1);
      const double a = f.decode(low), b = f.decode(high), middle = a + (b - a) / 2;
      const std::uint16_t even = low % 2 == 0 ? low : high;
      const double nudge = (b - a) * 0x1p-60;
      ASSERT_EQ(f.encode(middle), even) << f.name << " " << low;
      ASSERT_EQ(f.encode(Double2(middle, nudge)), high) << f.name << " " << low;
      ASSERT_EQ(f.encode(Double2(middle, -nudge)), low) << f.name << " " << low;
      ASSERT_EQ(f.encode(-middle), even | 0x8000) << f.name << " " << low;
      ASSERT_EQ(f.encode(Double2(-middle, -nudge)), high | 0x8000) << f.name << " " << low;
    }
}

TEST(Dtype, OverflowsAtHalfAnUlpBeyondTheLargest) {
  EXPECT_EQ(to_half(65519.999), 0x7BFF);
  EXPECT_EQ(to_half(65520.0), 0x7C00);
  EXPECT_EQ(to_half(-65520.0), 0xFC00);
  EXPECT_EQ(to_bf16(3.4e38), 0x7F80);
  EXPECT_EQ(to_bf16(0x1.fep127), 0x7F7F);
  EXPECT_EQ(to_half(0x1p-25), 0);  // a tie with zero
  EXPECT_EQ(to_half(0x1.8p-25), 1);
  EXPECT_EQ(to_half(-0.0), 0x8000);
}

TEST(Dtype, Binary32IsReachedInOneRounding) {
  const double tie = 1.0 + 0x1p-24;
  EXPECT_EQ(to_float(tie), 1.0F);
  EXPECT_EQ(to_float(Double2(tie, 0x1p-80)), 1.0F + 0x1p-23F);
  EXPECT_EQ(to_float(Double2(tie, -0x1p-80)), 1.0F);
}

// Row by row as MLX documents it; columns in enum order.
TEST(Dtype, PromotionTable) {
  const Dtype order[] = {Dtype::boolean, Dtype::u8,  Dtype::u16, Dtype::u32, Dtype::u64, Dtype::i8,   Dtype::i16,
                         Dtype::i32,     Dtype::i64, Dtype::f16, Dtype::f32, Dtype::f64, Dtype::bf16, Dtype::c64};
  const std::string rows[] = {"bool u8 u16 u32 u64 i8 i16 i32 i64 f16 f32 f64 bf16 c64",
                              "u8 u8 u16 u32 u64 i16 i16 i32 i64 f16 f32 f64 bf16 c64",
                              "u16 u16 u16 u32 u64 i32 i32 i32 i64 f16 f32 f64 bf16 c64",
                              "u32 u32 u32 u32 u64 i64 i64 i64 i64 f16 f32 f64 bf16 c64",
                              "u64 u64 u64 u64 u64 f32 f32 f32 f32 f16 f32 f64 bf16 c64",
                              "i8 i16 i32 i64 f32 i8 i16 i32 i64 f16 f32 f64 bf16 c64",
                              "i16 i16 i32 i64 f32 i16 i16 i32 i64 f16 f32 f64 bf16 c64",
                              "i32 i32 i32 i64 f32 i32 i32 i32 i64 f16 f32 f64 bf16 c64",
                              "i64 i64 i64 i64 f32 i64 i64 i64 i64 f16 f32 f64 bf16 c64",
                              "f16 f16 f16 f16 f16 f16 f16 f16 f16 f16 f32 f64 f32 c64",
                              "f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64 f32 c64",
                              "f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 c64",
                              "bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 f32 f32 f64 bf16 c64",
                              "c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c64"};
  for (std::size_t i = 0; i < std::size(order); ++i) {
    std::string row;
    for (const Dtype b : order) row += (row.empty() ? "" : " ") + std::string(name(promote(order[i], b)));
    EXPECT_EQ(row, rows[i]) << name(order[i]);
  }
}

TEST(Dtype, CastsWrapSaturateAndTruncate) {
  EXPECT_EQ(narrow(Integers({1}, 256), Dtype::u8).read<std::uint8_t>()[0], 0);
  EXPECT_EQ(narrow(Integers({1}, -1), Dtype::u32).read<std::uint32_t>()[0], 0xFFFFFFFFU);
  EXPECT_EQ(narrow(Reals({1}, -1.9), Dtype::i32).read<std::int32_t>()[0], -1);
  EXPECT_EQ(narrow(Reals({1}, 3e9), Dtype::i32).read<std::int32_t>()[0], INT32_MAX);
  EXPECT_EQ(narrow(Reals({1}, std::nan("")), Dtype::i32).read<std::int32_t>()[0], 0);
  EXPECT_EQ(narrow(Reals({1}, 1e-45), Dtype::boolean).read<std::uint8_t>()[0], 1);
  EXPECT_EQ(narrow(Integers({1}, 16777219), Dtype::f32).read<float>()[0], 16777220.0F);
  EXPECT_EQ(narrow(Unsigneds({1}, ~0ULL), Dtype::f64).read<double>()[0], 0x1p64);
  EXPECT_EQ(narrow(Reals2({1}, Double2(0x1p53, 1.0)), Dtype::i64).read<std::int64_t>()[0], 9007199254740993);
}

TEST(Double2, HoldsMoreThanTwiceTheBits) {
  const Double2 third = Double2(1.0) / Double2(3.0);
  EXPECT_LE(std::abs(double(third * Double2(3.0) - Double2(1.0))), 0x1p-100);
  EXPECT_EQ(double((Double2(1.0) + Double2(0x1p-90)) - Double2(1.0)), 0x1p-90);
  const Double2 root = sqrt(Double2(2.0));
  EXPECT_LE(std::abs(double(root * root - Double2(2.0))), 0x1p-100);
}

// e, e^-10 and ln 10 to 32 digits, split into two binary64 numbers by hand of the decimal expansion.
TEST(Double2, ExponentialAndLogarithm) {
  const Double2 e(0x1.5bf0a8b145769p+1, 0x1.4d57ee2b1013ap-53);
  EXPECT_LE(std::abs(double(exp(Double2(1.0)) - e)), 0x1p-98);
  for (const double x : {-500.0, -10.5, -1e-3, 0.3, 1.0, 42.0, 500.0}) {
    EXPECT_LE(std::abs(double(exp(Double2(x)) * exp(Double2(-x)) - Double2(1.0))), 0x1p-95) << x;
    if (x > 0) {
      EXPECT_LE(std::abs(double(exp(log(Double2(x))) / Double2(x) - Double2(1.0))), 0x1p-92) << x;
    }
  }
  EXPECT_EQ(double(exp(Double2(-1e4))), 0.0);
  EXPECT_TRUE(std::isinf(exp(Double2(1e4)).hi));
}

}  // namespace
}  // namespace plumb
