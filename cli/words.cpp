#include "cli/words.h"

#include <algorithm>
#include <ctime>
#include <random>

#include "conformance/check.h"
#include "core/alias.h"
#include "core/backend.h"
#include "core/number.h"

namespace plumb::cli {
namespace {

std::uint64_t today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  const std::int64_t year = parts.tm_year + 1900, month = parts.tm_mon + 1;
  return static_cast<std::uint64_t>(year * 10000 + month * 100 + parts.tm_mday);
}

Isa isa_named(const std::string& text) {
  for (const Isa i : {Isa::base, Isa::avx2, Isa::avx512})
    if (name(i) == text) return i;
  throw Error("plumb", Reason::query, "no instruction set \"" + text + "\"; there are base, avx2 and avx512");
}

}  // namespace

std::vector<const Op*> ops_matching(const std::string& query) {
  const std::vector<std::string> globs = asked(query.empty() ? "*" : query);
  for (const std::string& g : globs)
    if (std::none_of(ops().begin(), ops().end(), [&](const Op& op) { return glob(g, op.name); }))
      (void)find_op(g);  // throws, with the nearest names
  std::vector<const Op*> found;
  for (const Op& op : ops())
    if (std::any_of(globs.begin(), globs.end(), [&](const std::string& g) { return glob(g, op.name); }))
      found.push_back(&op);
  return found;
}

Budget budget_named(const std::string& text) {
  for (const Budget b : {Budget::smoke, Budget::ci, Budget::nightly})
    if (name(b) == text) return b;
  throw Error("plumb", Reason::query, "no budget \"" + text + "\"; there are smoke, ci and nightly");
}

bool is_drawn_salt(const std::string& text) { return text == "random" || (text.empty() && !backends().empty()); }

std::uint64_t salt_named(const std::string& text) {
  if (text == "day") return today();
  if (is_drawn_salt(text)) return std::random_device()();
  if (text.empty()) return 0;
  constexpr std::uint64_t kMaxSalt = UINT64_MAX / 2;  // data set B is number 2 salt + 1
  const auto salt = number_in<std::uint64_t>(text);
  if (!salt || *salt > kMaxSalt)
    throw Error("plumb", Reason::query,
                "no salt \"" + text + "\"; it is a number of at most " + std::to_string(kMaxSalt) + ", day or random");
  return *salt;
}

std::string route_named(const std::string& text) {
  return !text.empty() ? text : backends().empty() ? "all" : "backends";
}

std::string backend_texts() {
  std::string all;
  for (const Backend* b : backends())
    all += (all.empty() ? "" : ", ") + std::string(b->name()) + " " + std::string(b->version());
  return all.empty() ? "none" : all;
}

std::vector<Isa> isas_named(const std::vector<std::string>& texts) {
  std::vector<Isa> all;
  for (const std::string& text : texts) all.push_back(isa_named(text));
  return all;
}

Target target_of(const std::string& text) {
  const auto at = text.rfind('@');
  Target target{parse_case(text.substr(0, at)), at == std::string::npos ? "" : text.substr(at + 1)};
  if (at != std::string::npos) find_route(*target.parsed.op, target.route);
  return target;
}

std::vector<Target> targets_of(const std::string& text) {
  std::vector<Target> all;
  for (const std::string& one : asked(text)) all.push_back(target_of(one));
  return all;
}

std::string reason_of(const Op& op, const std::string& case_id) {
  for (const Cases* listed : {&op.cases, &op.bench})
    for (const Case& c : (*listed)())
      if (!c.reason.empty() && id(op, c) == case_id) return c.reason;
  for (const Reject& r : rejects_of(op))
    if (id(op, r.call) == case_id) return "must be refused: " + r.why;
  return "";
}

std::uint64_t day_of(const std::string& utc) {
  std::uint64_t day = 0;
  for (const char c : utc.substr(0, utc.find('T')))
    if (c >= '0' && c <= '9') day = 10 * day + static_cast<std::uint64_t>(c - '0');
  return day;
}

}  // namespace plumb::cli
