#include "cli/words.h"

#include "conformance/check.h"

namespace plumb::cli {

std::vector<const Op*> ops_matching(const std::string& query) {
  std::vector<const Op*> found;
  for (const Op& op : ops())
    if (query.empty() || glob(query, op.name)) found.push_back(&op);
  if (found.empty()) found.push_back(&find_op(query));  // throws, with the nearest names
  return found;
}

Budget budget_named(const std::string& text) {
  for (const Budget b : {Budget::smoke, Budget::ci, Budget::nightly})
    if (name(b) == text) return b;
  throw Error("plumb", Reason::query, "no budget \"" + text + "\"; there are smoke, ci and nightly");
}

Target target_of(const std::string& text) {
  const auto at = text.rfind('@');
  Target target{parse_case(text.substr(0, at)), at == std::string::npos ? "" : text.substr(at + 1)};
  if (!target.route.empty()) find_route(*target.parsed.op, target.route);
  return target;
}

std::string input_name(std::string_view input) {
  return std::string(input.ends_with('?') ? input.substr(0, input.size() - 1) : input);
}

}  // namespace plumb::cli
