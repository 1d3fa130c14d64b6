#include "core/family.h"

#include <map>

namespace plumb {
namespace {

struct Place {
  std::string wing, family;
};

std::map<std::string, Place, std::less<>>& places() {
  static std::map<std::string, Place, std::less<>> by_op;
  return by_op;
}

std::string_view part(std::string_view op, std::string Place::*which) {
  const auto found = places().find(op);
  return found == places().end() ? std::string_view() : found->second.*which;
}

}  // namespace

void name_family(std::string_view wing, std::string_view family, const std::vector<Op>& ops) {
  for (const Op& op : ops)
    places().insert_or_assign(std::string(op.name), Place{std::string(wing), std::string(family)});
}

std::string_view family_of(std::string_view op) { return part(op, &Place::family); }
std::string_view wing_of(std::string_view op) { return part(op, &Place::wing); }

}  // namespace plumb
