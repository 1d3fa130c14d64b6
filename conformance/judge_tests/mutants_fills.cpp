// The values of every fill of core, pinned: a case is only what it was if its data are.
#include <gtest/gtest.h>

#include "conformance/tests/pinned.h"
#include "core/error.h"
#include "core/fill.h"

namespace plumb {
namespace {

using pinned::kKey;
using pinned::Pinned;

const Pinned kPinned[] = {
#include "conformance/judge_tests/fills.inc"
};

class PinnedFill : public testing::TestWithParam<Fill> {};

TEST_P(PinnedFill, GivesTheValuesThatItGave) { pinned::expect_pinned(GetParam(), kPinned); }
INSTANTIATE_TEST_SUITE_P(Table, PinnedFill, testing::ValuesIn(fills().begin(), fills().end()),
                         [](const auto& of) { return std::string(of.param.name); });

std::string refused(const Spec& spec, std::string_view text) {
  try {
    (void)fill(spec, text, kKey);
  } catch (const Error& e) {
    return e.reason() == Reason::query ? e.what() : "another reason";
  }
  return "accepted";
}

TEST(Fills, NamesAndParametersThatAreNoneAreRefused) {
  const Spec spec{Dtype::f32, {4}};
  const auto why = [&](std::string_view text) {
    const std::string said = refused(spec, text);
    return said.substr(said.find(": ") + 2);
  };
  for (const std::string_view none : {"none", "none-3", "-3", "-", ""})
    EXPECT_EQ(why(none), "no fill is named '" + std::string(none) + "'");
  for (const std::string_view digits : {"", "x", "3x", "-", "3-4", "1e+2"})
    EXPECT_EQ(why("int-" + std::string(digits)),
              "the parameter of the fill int is no number: '" + std::string(digits) + "'");
  EXPECT_EQ(why("bits-1"), "the fill bits takes no parameter, not 1");
  EXPECT_EQ(why("masked-9"), "the fill masked takes a parameter in [0, 8], not 9");
  EXPECT_EQ(why("masked--1"), "the fill masked takes a parameter in [0, 8], not -1");
  EXPECT_EQ(why("masked-nan"), "the fill masked takes a parameter in [0, 8], not nan");
  for (const std::string_view right : {"int-3", "masked-0", "masked-8", "bits-0", "bits", "const-nan", "const--1e300"})
    EXPECT_EQ(refused(spec, right), "accepted") << right;
  EXPECT_EQ(fill(spec, "const--2", kKey).read<float>()[3], -2);
  EXPECT_EQ(fill(spec, "const-2e1", kKey).read<float>()[3], 20);
  EXPECT_EQ(fill(spec, "const", kKey).read<float>()[3], 1);
}

TEST(Draw, IsTheFinalizerOfSplitMix64) {
  // The first outputs of SplitMix64 seeded with 0 and with 1234567, as published with it.
  EXPECT_EQ(draw(0, 0), 0xe220a8397b1dcdaf);
  EXPECT_EQ(draw(0, 1), 0x6e789e6aa1b965f4);
  EXPECT_EQ(draw(0, 2), 0x06c45d188009454f);
  EXPECT_EQ(draw(1234567, 0), 6457827717110365317U);
  EXPECT_EQ(draw(1234567, 1), 3203168211198807973U);
  EXPECT_EQ(draw(1234567, 4), 16408922859458223821U);
  EXPECT_EQ(unit(0, 0), static_cast<double>(0xe220a8397b1dcdaf >> 11) / 9007199254740992.0);
}

TEST(Hash, IsFowlerNollVo1a) {
  EXPECT_EQ(hash(""), 0xcbf29ce484222325);
  EXPECT_EQ(hash("a"), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(hash("foobar"), 0x85944171f73967e8);
  EXPECT_NE(hash("\xe9"), hash("\x69"));
}

}  // namespace
}  // namespace plumb
