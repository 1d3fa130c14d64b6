// Inner constants: each is listed in conformance/constants.json, and cases lie on both sides of it.
#include "core/limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/device.h"
#include "core/pool.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Names = std::set<std::string>;

const fs::path kSource = PLUMB_SOURCE_DIR;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

const Json& listed() {
  static const Json rows = Json::parse(text_of(kSource / "conformance/constants.json"));
  return rows;
}

// Code of routes, by its path in the source tree.
std::map<std::string, std::string> route_sources() {
  std::map<std::string, std::string> all;
  for (const char* folder : {"plans", "optimized", "gpu"})
    for (const auto& e : fs::recursive_directory_iterator(kSource / folder))
      if (e.is_regular_file()) all[fs::relative(e.path(), kSource).string()] = text_of(e.path());
  return all;
}

Names matches(const std::string& text, const std::regex& pattern) {
  Names found;
  for (std::sregex_iterator m(text.begin(), text.end(), pattern), end; m != end; ++m) found.insert(m->str(1));
  return found;
}

// Limits by the name that they are given, other constants that begin as a number by their own.
Names constants_of(const std::string& text) {
  static const std::regex limit(R"re(\bk[A-Z]\w*\{"([a-z_0-9.]+)")re");
  static const std::regex declaration(R"re(\bconstexpr\s+([^;()"]*\bk[A-Z][^;]*);)re");
  static const std::regex number(R"(\b(k[A-Z]\w*)(?:<[A-Za-z]+>)? = (?:std::u?int\d+_t\{|std::size_t\{)?~?[-(0-9k])");
  Names found = matches(text, limit);
  for (const std::string& d : matches(text, declaration)) found.merge(matches(d, number));
  return found;
}

// What a kernel defines as a number of two digits or more.
Names definitions_of(const std::string& text) {
  static const std::regex definition(R"(\n *#define ([A-Z][A-Z_]*) +[1-9][0-9]+\b)");
  return matches(text, definition);
}

// What is made of other constants alone, or of the width of a vector, crosses with them.
bool derived(const std::string& file, const std::string& name) {
  static const std::set<std::string> all{"kRegisters", "kLanes", "kColumns", "kComplexColumns", "kStored",
                                         "kV",         "kHalf",  "kParts",   "kWidth",          "kPerWord",
                                         "kSums",      "kF32",   "kF64",     "kMinusInf",       "kEnd"};
  return file.ends_with(".simd.cpp") || file == "optimized/simd.h" || file == "optimized/element.h" ? all.contains(name)
                                                                                                    : false;
}

TEST(Limits, EveryConstantOfARouteIsListed) {
  std::map<std::string, Names> want;
  for (const Json& row : listed()) {
    EXPECT_TRUE(want[row.at("file")].insert(row.at("name")).second) << row << " is there twice";
    const std::string kind = row.at("kind");
    EXPECT_TRUE(kind == "limit" || kind == "tile" ? row.contains("op") : !row.value("why", "").empty()) << row;
  }
  for (const auto& [file, text] : route_sources()) {
    Names& left = want[file];
    for (const std::string& name : file.ends_with(".cl") ? definitions_of(text) : constants_of(text))
      EXPECT_TRUE(left.erase(name) > 0 || derived(file, name)) << file << " has " << name << ", which is not listed";
    for (const std::string& name : left) ADD_FAILURE() << file << " has no " << name;
  }
}

// Every extent of an input, and every count of elements, in the cases of an operation.
std::set<std::int64_t> extents_of(const std::string& op) {
  std::set<std::int64_t> all;
  for (const Case& c : cases_of(find_op(op), Budget::ci))
    for (const auto& in : c.in)
      if (in) {
        all.insert(in->shape.begin(), in->shape.end());
        all.insert(count(in->shape));
      }
  return all;
}

// Shapes of registers, arrays and work-groups do not shrink: a case lies below each, and one beyond it ends within.
TEST(Limits, CasesLieOnBothSidesOfEachTile) {
  install_families();
  for (const Json& row : listed()) {
    if (row.at("kind") != "tile") continue;
    const std::set<std::int64_t> extents = extents_of(row.at("op"));
    for (const std::int64_t tile : row.at("values")) {
      const auto below = [tile](std::int64_t e) { return e > 0 && e < tile; };
      const auto ends_within = [tile](std::int64_t e) { return e > tile && (e % tile != 0 || tile == 1); };
      EXPECT_TRUE(tile == 1 || std::any_of(extents.begin(), extents.end(), below)) << row << ": none below " << tile;
      EXPECT_TRUE(std::any_of(extents.begin(), extents.end(), ends_within)) << row << ": none beyond " << tile;
    }
  }
}

// Small limits for a while, and nothing remembered.
class SmallLimits {
 public:
  explicit SmallLimits(int threads = 1) {
    set_threads(threads);
    set_small_limits(true);
    forget_limits();
  }
  ~SmallLimits() {
    set_small_limits(false);
    set_threads(before_);
  }

 private:
  int before_ = threads();
};

std::string first_of(const CheckResult& r) {
  return r.failures.empty() ? "" : r.failures[0].case_id + "@" + r.failures[0].route + ": " + r.failures[0].message;
}

// The limits of one side, and the operations whose smallest cases cross them.
struct Asked {
  Names limits, ops;
  explicit Asked(bool device) {
    for (const Json& row : listed()) {
      const std::string name = row.at("name");
      if (row.at("kind") != "limit" || name.starts_with("gpu.") != device) continue;
      limits.insert(name);
      ops.insert(row.at("op"));
    }
  }
};

void check_cases(const Names& queries, const std::string& routes) {
  CheckOptions options;
  options.queries = {queries.begin(), queries.end()};
  options.budget = Budget::smoke;
  options.route = routes;
  const CheckResult result = check(options);
  EXPECT_EQ(result.failed, 0) << first_of(result);
  EXPECT_GT(result.passed, 0) << routes;
}

void expect_both_sides(const Asked& asked) {
  std::map<std::string, LimitSides> seen;
  for (const LimitSides& s : limits_seen()) seen[s.name] = s;
  for (const std::string& name : asked.limits) {
    EXPECT_TRUE(seen[name].within) << name << ": nothing lies within it";
    EXPECT_TRUE(seen[name].beyond) << name << ": nothing lies beyond it";
  }
}

// Calls of parallel_for in code of routes, as "optimized/sum.cpp:12".
Names parallel_calls() {
  Names all;
  for (const auto& [file, text] : route_sources()) {
    std::istringstream lines(text);
    std::string line;
    for (int n = 1; std::getline(lines, line); ++n)
      if (file.starts_with("optimized/") && line.find("parallel_for(") != std::string::npos)
        all.insert(file + ":" + std::to_string(n));
  }
  return all;
}

TEST(Limits, CasesLieOnBothSidesOnTheProcessor) {
  install_families();
  const Asked asked(false);
  const SmallLimits small;
  check_cases({}, "cpu.*");
  set_small_limits(false);
  check_cases(asked.ops, "cpu.*");
  expect_both_sides(asked);
  Names split;
  for (const std::string& where : splits_seen())
    if (const std::size_t at = where.rfind("optimized/"); at != std::string::npos) split.insert(where.substr(at));
  for (const std::string& call : parallel_calls())
    EXPECT_TRUE(split.contains(call)) << call << ": no smallest case is cut into pieces here";
}

#ifdef PLUMB_GPU
const Names kOfMatrixTiles{"gpu.linalg.mma_rows", "gpu.linalg.panel", "gpu.linalg.stages"};

TEST(DeviceLimits, CasesLieOnBothSides) {
  install_families();
  if (current_device().tier == Tier::unavailable) GTEST_SKIP() << "no device";
  const Asked asked(true);
  const SmallLimits small;
  check_cases(asked.ops, "gpu.*");
  expect_both_sides(asked);
}

// Products of matrix units have a plain body, which small limits choose on every device, with tiles of one warp.
TEST(MatrixTiles, ThePlainBodyIsRightInTheLeastTiles) {
  install_families();
  if (current_device().tier == Tier::unavailable) GTEST_SKIP() << "no device";
  const SmallLimits small;
  // One case in either kind of rows is enough, and less to compile.
  check_cases({"matmul/f16.3x5.*", "matmul/f16.33x79.*", "matmul/bf16.34x72.*"}, "gpu.mma");
  Asked asked(true);
  std::erase_if(asked.limits, [](const std::string& name) { return !kOfMatrixTiles.contains(name); });
  EXPECT_EQ(asked.limits, kOfMatrixTiles);
  expect_both_sides(asked);
}
#endif

TEST(Limits, ALimitRemembersItsSidesAndBecomesSmall) {
  static constexpr Limit limit{"test.limit", 100, 4};
  const SmallLimits small;
  const auto sides = [] {
    for (const LimitSides& s : limits_seen())
      if (s.name == "test.limit") return s;
    return LimitSides{};
  };
  EXPECT_EQ(limit.now(), 4);
  EXPECT_TRUE(sides().name.empty()) << "a value that is only read is on no side";
  EXPECT_EQ(limit.of(4), 4);
  EXPECT_TRUE(sides().within && !sides().beyond);
  EXPECT_EQ(limit.of(5), 4);
  EXPECT_TRUE(sides().within && sides().beyond);
  set_small_limits(false);
  EXPECT_EQ(limit.of(5), 100);
  forget_limits();
  EXPECT_TRUE(sides().name.empty());
}

}  // namespace
}  // namespace plumb
