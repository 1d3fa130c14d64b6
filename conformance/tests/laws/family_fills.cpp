// The values of the fills of families, pinned as those of core are (conformance/judge_tests/mutants_fills.cpp).
#include <gtest/gtest.h>

#include <set>

#include "cli/families.h"
#include "conformance/tests/pinned.h"
#include "core/error.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

using pinned::Pinned;

const Pinned kPinned[] = {
#include "conformance/tests/laws/fills.inc"
};

TEST(FamilyFills, GiveTheValuesThatTheyGave) {
  install_families();
  std::size_t fills = 0;
  for (const Op& op : ops()) {
    if (!op.fills) continue;
    for (const Fill& f : op.fills()) pinned::expect_pinned(f, kPinned), ++fills;
  }
  std::set<std::string_view> names;
  for (const Pinned& p : kPinned) names.insert(p.fill.substr(0, p.fill.find('-')));
  EXPECT_EQ(fills, names.size());
}

std::string refused(const Spec& spec, std::string_view text) {
  try {
    (void)fill(spec, text, pinned::kKey);
  } catch (const Error& e) {
    return e.reason() == Reason::query ? e.what() : "another reason";
  }
  return "accepted";
}

TEST(FamilyFills, CoordinatesAndTablesAskForTheirShape) {
  for (const Shape& shape : {Shape{5, 3}, Shape{4}, Shape{1, 2, 4}, Shape{5, 5}, Shape{}})
    for (const std::string_view sites : {"sites_box", "sites_surface", "sites_scan", "layout_plane", "layout_block"})
      EXPECT_NE(refused({Dtype::i32, shape}, sites).find("needs the shape (N,4)"), std::string::npos) << sites;
  for (const Shape& shape : {Shape{5, 4}, Shape{3}, Shape{1, 2, 3}, Shape{}})
    EXPECT_NE(refused({Dtype::i32, shape}, "offsets").find("needs the shape (K,3)"), std::string::npos);
  for (const Shape& shape : {Shape{5, 1}, Shape{3}, Shape{1, 2, 3}})
    EXPECT_NE(refused({Dtype::u16, shape}, "cdf").find("needs the shape (R,S+1)"), std::string::npos);
  EXPECT_EQ(refused({Dtype::u16, {1, 2}}, "cdf"), "accepted");
}

}  // namespace
}  // namespace plumb
