#include "conformance/query.h"

#include <algorithm>

#include "core/alias.h"
#include "core/backend.h"
#include "core/text.h"

namespace plumb {
namespace {

constexpr std::string_view kBackends = "backends";

template <class T, class F>
bool any_of(const std::vector<T>& all, F&& f) {
  return std::any_of(all.begin(), all.end(), f);
}

bool is_glob(std::string_view text) { return text.find_first_of("*?\\") != std::string_view::npos; }

bool label_matches(const std::string& query, const Op& op, std::string_view case_id, std::string_view route) {
  const std::string at = "@" + std::string(route);
  return glob(query, std::string(case_id) + at) || glob(query, case_id) || glob(query, std::string(op.name) + at) ||
         glob(query, op.name);
}

// What stands before the case or the route: the name of an op, or a glob on what may go on beyond it.
std::string_view op_part(std::string_view query) { return query.substr(0, query.find_first_of("/@")); }

bool may_be_of(std::string_view query, const Op& op) { return is_glob(op_part(query)) || op_part(query) == op.name; }

// Nearest names for the route that a dead query names without wildcards.
std::string nearest_routes(const std::string& query) {
  const auto at = query.rfind('@');
  if (at == std::string::npos || is_glob(query.substr(at))) return "";
  const std::string wanted = query.substr(at + 1);
  std::vector<std::string_view> names;
  for (const Op& op : ops())
    if (glob(op_part(query), op.name))
      for (const Route& r : routes(op)) names.push_back(r.name);
  return std::find(names.begin(), names.end(), wanted) == names.end() ? nearest(wanted, std::move(names)) : "";
}

}  // namespace

Queries::Queries(const std::vector<std::string>& queries, std::string route) : route_(std::move(route)) {
  for (const std::string& q : queries) queries_.push_back({q, asked(q)});
}

bool Queries::match(const Op& op, std::string_view case_id, std::string_view route) const {
  return queries_.empty() || any_of(queries_, [&](const Query& q) {
           return any_of(q.globs, [&](const std::string& g) { return label_matches(g, op, case_id, route); });
         });
}

bool Queries::may_name(const Op& op) const {
  return queries_.empty() || any_of(queries_, [&](const Query& q) {
           return any_of(q.globs, [&](const std::string& g) { return may_be_of(g, op); });
         });
}

bool Queries::glob_on(std::string_view route) const {
  if (route_ != kBackends) return glob(route_, route);
  return any_of(backends(), [&](const Backend* b) { return b->name() == route; });
}

bool Queries::alive(const Query& query, Ids ids, Budget budget) const {
  for (const Op& op : ops()) {
    if (!any_of(query.globs, [&](const std::string& g) { return may_be_of(g, op); })) continue;
    for (const std::string& text : ids(op, budget))
      for (const Route& r : routes(op))
        if (on(r.name) && any_of(query.globs, [&](const auto& g) { return label_matches(g, op, text, r.name); }))
          return true;
  }
  return false;
}

bool Queries::any(Ids ids, Budget budget) const {
  return any_of(queries_, [&](const Query& q) { return alive(q, ids, budget); });
}

void Queries::require(Ids ids, Budget budget) const {
  if (!open()) require_route(route_);
  for (const Query& q : queries_) {
    for (const std::string& g : q.globs)
      if (!is_glob(op_part(g))) (void)find_op(op_part(g));
    if (alive(q, ids, budget)) continue;
    std::string what =
        "the query '" + printable(q.text) + "' matches nothing in the budget " + std::string(name(budget));
    if (!open()) what += " on the route '" + route_ + "'";
    for (const Budget larger : {Budget::ci, Budget::nightly})
      if (larger > budget && alive(q, ids, larger))
        throw Error("plumb", Reason::query, what + "; it does in " + std::string(name(larger)));
    throw Error("plumb", Reason::query, what + nearest_routes(q.globs.front()));
  }
}

bool glob(std::string_view p, std::string_view t) {
  std::size_t i = 0, j = 0, star = std::string_view::npos, mark = 0;
  const auto step = [&] { return p[i] == '\\' && i + 1 < p.size() ? 2 : 1; };  // of the pattern, for one character
  const auto meets = [&] { return p[i] == '?' || (p[i] != '*' && p[i + step() - 1] == t[j]); };
  while (j < t.size()) {
    if (i < p.size() && meets()) i += step(), ++j;
    else if (i < p.size() && p[i] == '*') star = i++, mark = j;
    else if (star != std::string_view::npos) i = star + 1, j = ++mark;
    else return false;
  }
  while (i < p.size() && p[i] == '*') ++i;
  return i == p.size();
}

std::string glob_of(std::string_view text) {
  std::string s;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c < 0x20 || c == 0x7F) s += '?';
    else if (c1) s += "??", ++i;
    else if (std::string_view("*?\\{}").find(text[i]) != std::string_view::npos) s += {'\\', text[i]};
    else s += text[i];
  }
  return s;
}

void require_route(const std::string& wanted) {
  if (wanted == kBackends && !backends().empty()) return;
  std::vector<std::string_view> names{"all", "natural"};
  for (const Op& op : ops())
    for (const Route& r : routes(op)) {
      if (glob(wanted, r.name)) return;
      names.push_back(r.name);
    }
  throw Error("plumb", Reason::query,
              "no route matches '" + printable(wanted) + "'" + nearest(wanted, std::move(names)));
}

}  // namespace plumb
