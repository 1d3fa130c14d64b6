// The values of every fill, pinned: a case is only what it was if its data are. The table holds a digest per fill,
// dtype and shape; a failure prints the line that would be right, for a change that is meant.
#include <gtest/gtest.h>

#include <cstdio>

#include "core/error.h"
#include "core/fill.h"

namespace plumb {
namespace {

struct Pinned {
  std::string_view fill;
  Dtype dtype;
  Shape shape;
  std::uint64_t digest;
};

const Pinned kPinned[] = {
#include "conformance/judge_tests/fills.inc"
};

constexpr std::uint64_t kKey = 0x5eed;

// FNV-1a over the bytes, written out here: the test must not lean on what it tests.
std::uint64_t digest_of(const Tensor& t) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(t.read<std::byte>());
  std::uint64_t h = 0xcbf29ce484222325;
  for (std::int64_t i = 0; i < t.size() * info(t.dtype()).bytes; ++i) h = (h ^ bytes[i]) * 0x100000001b3;
  return h;
}

std::string line(const Pinned& p, std::uint64_t digest) {
  const std::string_view type = p.dtype == Dtype::boolean ? "boolean" : name(p.dtype);
  std::string s = "{\"" + std::string(p.fill) + "\", Dtype::" + std::string(type) + ", {";
  for (std::size_t i = 0; i < p.shape.size(); ++i) s += (i > 0 ? ", " : "") + std::to_string(p.shape[i]);
  char hex[24];
  std::snprintf(hex, sizeof hex, "0x%016llx", static_cast<unsigned long long>(digest));
  return s + "}, " + hex + "},";
}

class PinnedFill : public testing::TestWithParam<Fill> {};

TEST_P(PinnedFill, GivesTheValuesThatItGave) {
  int pinned = 0;
  for (const Pinned& p : kPinned) {
    if (p.fill.substr(0, p.fill.find('-')) != GetParam().name) continue;
    ++pinned;
    const std::uint64_t now = digest_of(fill({p.dtype, p.shape}, p.fill, kKey));
    if (now != p.digest) ADD_FAILURE() << "the values have changed; the line of fills.inc would be\n" << line(p, now);
  }
  EXPECT_GT(pinned, 0) << GetParam().name << ": no line of fills.inc";
}
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

TEST(Fills, CoordinatesAndTablesAskForTheirShape) {
  for (const Shape& shape : {Shape{5, 3}, Shape{4}, Shape{1, 2, 4}, Shape{5, 5}, Shape{}})
    for (const std::string_view sites : {"sites_box", "sites_surface", "sites_scan", "layout_plane", "layout_block"})
      EXPECT_NE(refused({Dtype::i32, shape}, sites).find("needs the shape (N,4)"), std::string::npos) << sites;
  for (const Shape& shape : {Shape{5, 4}, Shape{3}, Shape{1, 2, 3}, Shape{}})
    EXPECT_NE(refused({Dtype::i32, shape}, "offsets").find("needs the shape (K,3)"), std::string::npos);
  for (const Shape& shape : {Shape{5, 1}, Shape{3}, Shape{1, 2, 3}})
    EXPECT_NE(refused({Dtype::u16, shape}, "cdf").find("needs the shape (R,S+1)"), std::string::npos);
  EXPECT_EQ(refused({Dtype::u16, {1, 2}}, "cdf"), "accepted");
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
