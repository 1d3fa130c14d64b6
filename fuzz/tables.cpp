#include "fuzz/tables.h"

#include <iterator>
#include <mutex>

#include "core/route.h"

namespace plumb {

#define PLUMB_FAMILY(wing, family) std::vector<Op> family##_ops();
#include "cli/families.def"
#undef PLUMB_FAMILY

namespace fuzz {
namespace {

void append(std::vector<Op>& to, std::vector<Op> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void install_rows() {
  static std::once_flag once;
  std::call_once(once, [] {
    std::vector<Op> ops;
#define PLUMB_FAMILY(wing, family) append(ops, family##_ops());
#include "cli/families.def"
#undef PLUMB_FAMILY
    install(std::move(ops), {});
  });
}

std::string some_case(unsigned draw) {
  install_rows();
  constexpr std::size_t kKept = 40;  // of each operation, spread over all of them
  static std::vector<std::vector<std::string>> ids(ops().size());
  const std::size_t i = draw % ids.size();
  const Op& op = ops()[i];
  if (ids[i].empty()) {
    const std::vector<Case> all = op.cases();
    const std::size_t step = all.size() / kKept + 1;
    for (std::size_t c = 0; c < all.size(); c += step) ids[i].push_back(id(op, all[c]));
    for (const Reject& r : op.rejects ? op.rejects() : std::vector<Reject>{}) ids[i].push_back(id(op, r.call));
  }
  return ids[i][draw / ids.size() % ids[i].size()];
}

void infer_outputs(const Op& op, const std::vector<std::optional<Input>>& in, const Attrs& attrs) {
  std::vector<std::optional<Spec>> specs;
  for (const auto& one : in) specs.push_back(one ? std::optional(Spec{one->dtype, one->shape}) : std::nullopt);
  const std::size_t n = output_specs(make_request(op, std::move(specs), attrs)).size();
  if (n == 0 || n > op.outputs.size()) __builtin_trap();  // the last ones may be left out
}

}  // namespace fuzz
}  // namespace plumb
