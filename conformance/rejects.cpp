// Calls that must be refused: those that a row states, and those that follow from its counts of rows.
#include <algorithm>
#include <limits>
#include <stdexcept>

#include "conformance/check.h"
#include "core/signature.h"

namespace plumb {
namespace {

// The first case that gives both inputs, at least two rows and at least one count.
const Case* counting(const std::vector<Case>& cases, std::size_t count, std::size_t of) {
  for (const Case& c : cases) {
    if (c.in.size() <= std::max(count, of) || !c.in[count] || !c.in[of]) continue;
    if (c.in[of]->shape.at(0) > 1 && c.in[count]->shape.at(0) > 0) return &c;
  }
  return nullptr;
}

void add_miscounts(std::vector<Reject>& all, const Op& op, const std::vector<Case>& cases, const RowCount& count) {
  const Request names{&op, {}, {}};
  const std::size_t at = names.index(count.count), of = names.index(count.of);
  const Case* good = counting(cases, at, of);
  if (!good) throw std::logic_error(std::string(op.name) + " has no case with the count " + std::string(count.count));
  const std::int64_t rows = good->in[of]->shape[0];
  const auto refuse = [&](std::int64_t n, const char* why) {
    Case c = *good;
    c.in[at]->fill = "const-" + std::to_string(n);
    all.push_back({std::move(c), Reason::domain, std::string(count.count) + ": " + why});
  };
  refuse(-1, "less than none");
  refuse(std::numeric_limits<std::int32_t>::min(), "far less than none");
  if (count.rule == CountRule::wish) return;
  refuse(rows + 1, "one more than there are");
  refuse(std::numeric_limits<std::int32_t>::max(), "far more than there are");
}

}  // namespace

std::vector<Reject> rejects_of(const Op& op) {
  std::vector<Reject> all = op.rejects ? op.rejects() : std::vector<Reject>{};
  if (op.row_counts.empty()) return all;
  const std::vector<Case> cases = op.cases();
  for (const RowCount& count : op.row_counts) add_miscounts(all, op, cases, count);
  return all;
}

}  // namespace plumb
