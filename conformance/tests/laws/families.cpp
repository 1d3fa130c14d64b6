// A process that asks for one operation installs its family alone: those rows and routes are the ones of the whole.
#include "cli/families.h"

#include <gtest/gtest.h>

#include <map>

#include "core/family.h"
#include "core/formula.h"
#include "core/route.h"

namespace plumb {
namespace {

using Names = std::map<std::string, std::vector<std::string>>;  // of the routes of each operation

Names installed() {
  Names all;
  for (const Op& op : ops())
    for (const Route& r : routes(op)) all[std::string(op.name)].emplace_back(r.name);
  return all;
}

// What the tables held, and holds again at the end.
class Whole {
 public:
  Whole() : ops_(ops().begin(), ops().end()) {
    for (const Op& op : ops())
      for (const Route& r : routes(op))
        if (r.name != kReference) routes_.push_back(r);
  }
  ~Whole() { install(ops_, routes_); }
  const std::vector<Op>& rows() const { return ops_; }

 private:
  std::vector<Op> ops_;
  std::vector<Route> routes_;
};

TEST(Families, OneAloneHasTheRowsAndRoutesThatItHasAmongAll) {
  const Names all = installed();
  const Whole whole;
  std::map<std::string, Names> by_family;
  for (const auto& [op, names] : all) by_family[std::string(family_of(op))][op] = names;
  EXPECT_GT(by_family.size(), 20U);
  for (const Op& op : whole.rows()) {
    install_family_of(op.name);
    // The steps of a formula are rows of other families, so that such a family is never alone.
    EXPECT_EQ(installed(), has_formula(op.name) ? all : by_family.at(std::string(family_of(op.name)))) << op.name;
  }
}

}  // namespace
}  // namespace plumb
