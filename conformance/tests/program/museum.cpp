// docs/museum.md against the suite: each id is there, each case that it names is one of its row, each test is written.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/route.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = PLUMB_SOURCE_DIR;

// The families of exhibits, with the numbers of each.
const char* const kIds[] = {"FF01 FF02 FF05 FF07 FF08 FF09 FF10 FF11 FF12 FF16",
                            "SC01 SC02 SC03 SC04 SC06 SC07 SC08 SC09 SC11",
                            "RD01 RD03 RD04 RD05 RD06 RD09 RD10 RD14 RD15 RD16 RD17",
                            "SO01 SO02 SO04 SO05 SO06 SO09 SO10",
                            "SM01 SM02 SM03 SM05 SM09 SM10 SM12",
                            "GS01 GS02 GS04 GS06 GS07 GS08 GS11 GS13 GS14",
                            "GS16 GS18 EW02 EW03 EW05 EW08 RN01 RN02 RN05 RN06",
                            "CV01 CV03 CV05 CV08 CV09 CV10 CV12 CV13",
                            "MM01 MM03 MM04 MM05 MM06 MM08 MM10 MM13 MM21",
                            "QM01 QM02 QM04 QM05 QM06 QM07 QM09 QM10 QM12",
                            "QM14 QM18 QM21 QM24 LA01 LA02 LA03 LA04 LA07",
                            "GM01 GM02 GM03 GM04 GM05 GM08 GM09 GM11",
                            "B01 B02 B03 B04 B05 B06 B07 B08 B10 B11 B12 B13 B14 B15",
                            "B16 B17 B18 B19 B20 B21 B22 B23 B24 B25 B26",
                            "B27 B28 B29 B30 B31 B32 B35 B36"};

std::string text_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

struct Exhibit {
  std::string id;
  std::vector<std::string> asked_by;
};

std::vector<Exhibit> exhibits() {
  static const std::regex row(R"(\n\| ([A-Z]+[0-9]+) \| [^|]+ \| ([^|\n]+) \|)"), code("`([^`]+)`");
  const std::string page = text_of(kSource / "docs/museum.md");
  std::vector<Exhibit> all;
  for (std::sregex_iterator r(page.begin(), page.end(), row), end; r != end; ++r) {
    Exhibit e{(*r)[1], {}};
    const std::string by = (*r)[2];
    for (std::sregex_iterator c(by.begin(), by.end(), code); c != end; ++c) e.asked_by.push_back((*c)[1]);
    all.push_back(e);
  }
  return all;
}

// The ids of the calls of an operation that are run or must be refused.
std::set<std::string> calls_of(const Op& op) {
  std::set<std::string> all;
  for (const Case& c : cases_of(op, Budget::nightly)) all.insert(id(op, c));
  for (const Reject& r : rejects_of(op)) all.insert(id(op, r.call));
  return all;
}

std::string all_tests() {
  std::string text;
  for (const char* folder : {"conformance/tests", "conformance/judge_tests"})
    for (const auto& entry : fs::recursive_directory_iterator(kSource / folder))
      if (entry.path().extension() == ".cpp") text += text_of(entry.path());
  return text;
}

bool has_test(const std::string& tests, const std::string& name) {
  const auto dot = name.find('.');
  const std::string words = name.substr(0, dot) + ", " + name.substr(dot + 1) + ")";
  for (const char* macro : {"TEST(", "TEST_F(", "TEST_P("})
    if (tests.find(macro + words) != std::string::npos) return true;
  return false;
}

TEST(Museum, HasEveryIdOnce) {
  std::set<std::string> have;
  for (const Exhibit& e : exhibits()) {
    EXPECT_TRUE(have.insert(e.id).second) << e.id << " stands twice";
    EXPECT_FALSE(e.asked_by.empty()) << e.id << " is asked by nothing";
  }
  for (const char* line : kIds) {
    std::istringstream words(line);
    for (std::string id; words >> id;) EXPECT_TRUE(have.contains(id)) << id << " is missing";
  }
}

TEST(Museum, NamesCasesAndTestsThatThereAre) {
  install_families();
  const std::string tests = all_tests();
  std::map<std::string, std::set<std::string>> calls;
  for (const Exhibit& e : exhibits())
    for (const std::string& by : e.asked_by) {
      const auto slash = by.find('/');
      if (slash == std::string::npos) {
        EXPECT_TRUE(has_test(tests, by)) << e.id << ": no test " << by;
        continue;
      }
      const Op& op = find_op(by.substr(0, slash));
      std::set<std::string>& ids = calls[std::string(op.name)];
      if (ids.empty()) ids = calls_of(op);
      EXPECT_TRUE(ids.contains(by)) << e.id << ": no case " << by;
    }
}

}  // namespace
}  // namespace plumb
