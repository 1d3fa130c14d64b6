// Where things lie: a family has one path, and it is the same in every layer.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace plumb {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = PLUMB_SOURCE_DIR;

struct Family {
  std::string wing, name;
};

const std::vector<Family> kFamilies = {
#define PLUMB_FAMILY(wing, family) {#wing, #family},
#include "cli/families.def"
#undef PLUMB_FAMILY
};

// Without files of its own: what else has its recorded answers and the script that made them.
std::string recorded_as(const std::string& family) { return family == "pooling_gradient" ? "pooling" : family; }

TEST(Wings, AFamilyHasTheSamePathInEveryLayer) {
  for (const auto& [wing, name] : kFamilies) {
    for (const char* layer : {"reference", "optimized", "gpu"})
      EXPECT_TRUE(fs::exists(kSource / layer / wing / (name + ".cpp"))) << layer << " lacks " << wing << "/" << name;
    EXPECT_TRUE(fs::exists(kSource / "conformance/golden" / wing / (recorded_as(name) + ".py"))) << name;
    EXPECT_TRUE(fs::exists(kSource / "conformance/corpus" / wing / recorded_as(name) / "cases.json")) << name;
  }
}

TEST(Wings, NothingLiesInAWingThatNoFamilyHas) {
  std::set<std::string> wings{".", "functions"};  // what several wings of optimized/ compute with
  for (const Family& f : kFamilies)
    for (fs::path wing = f.wing; !wing.empty(); wing = wing.parent_path()) wings.insert(wing.string());
  for (const char* layer : {"reference", "plans", "optimized", "gpu", "gpu/kernels", "conformance/golden"})
    for (const auto& e : fs::recursive_directory_iterator(kSource / layer)) {
      const fs::path within = fs::relative(e.path(), kSource / layer);
      const bool another = layer == std::string("gpu") && *within.begin() == "kernels";
      const bool made = within.filename() == "__pycache__" || within.extension() == ".pyc";
      if (another || made || !e.is_regular_file()) continue;
      EXPECT_TRUE(wings.contains(within.has_parent_path() ? within.parent_path().string() : ".")) << e.path();
    }
}

}  // namespace
}  // namespace plumb
