#include "core/family.h"

#include <map>

namespace plumb {
namespace {

std::map<std::string, std::string, std::less<>>& families() {
  static std::map<std::string, std::string, std::less<>> by_op;
  return by_op;
}

}  // namespace

void name_family(std::string_view family, const std::vector<Op>& ops) {
  for (const Op& op : ops) families().insert_or_assign(std::string(op.name), std::string(family));
}

std::string_view family_of(std::string_view op) {
  const auto found = families().find(op);
  return found == families().end() ? std::string_view() : found->second;
}

}  // namespace plumb
