// A route is one implementation of one op, with the conditions under which it may and should run.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/device.h"
#include "core/op.h"
#include "core/order.h"

namespace plumb {

// The order in which a decision is taken and explained.
enum class Stage : std::uint8_t { device, family, relation, storage, shape_dtype, capability };
std::string_view name(Stage);

// A predicate that answers in words: "" never stands here, `refusal` is given when `holds` is false.
struct Condition {
  Stage stage;
  std::string_view refusal;                   // worded for a report: "K is not 27"
  bool (*holds)(const Call&, const Device&);  // reads specs, strides and attributes, never data
};

// Work that has been bound to its buffers. Timing launch + wait excludes transfers; timing launch alone
// would measure nothing but the queue. launch may be called again after wait, and gives the same result.
struct Job {
  std::function<void()> launch;                // enqueues
  std::function<void()> wait;                  // until everything launched has completed; errors surface here
  std::function<std::vector<Tensor>()> fetch;  // the outputs; reading them downloads
};

struct Route {
  std::string_view op, name;              // "matmul", "gpu.tiled"
  Tier tier = Tier::unavailable;          // written for: below it the route is not preferred
  Tier needs = Tier::unavailable;         // runs on: below it the route cannot run
  std::vector<Condition> supports;        // correctness: outside them the route must not run
  std::vector<Condition> prefers;         // speed: outside them another route is the better choice
  Order (*order)(const Call&) = nullptr;  // the declared arithmetic; null for exact ops
  Job (*prepare)(const Call&, const std::vector<Spec>& out) = nullptr;
  std::string_view prepares = "";  // what prepare does once that a cold run must pay: "the relation"
};

// Every op's last route is the oracle itself, "reference", which accepts every call.
inline constexpr std::string_view kReference = "reference";

// The tables. The one list of families installs them (cli/families.cpp); everything reads them.
// Throws std::logic_error for a route that names a missing op, a duplicate, or an incomplete row.
void install(std::vector<Op> ops, std::vector<Route> routes);
std::span<const Op> ops();
const Op& find_op(std::string_view name);                   // throws Error(query), with the nearest names
std::span<const Route> routes(const Op&);                   // in order of preference; the reference is last
const Route& find_route(const Op&, std::string_view name);  // throws Error(query)

// The arithmetic that a route declares; for ops that nothing but the result is rounded in, that of the oracle.
Order order_of(const Route&, const Call&);

struct Refusal {
  const Route* route;
  Stage stage;
  std::string reason;
  bool preference;  // the route could run, but another is the better choice
};
struct Decision {
  const Route* route = nullptr;
  std::vector<Refusal> refused;  // in the order tried
};

// "" if the route can run the call on the device; else the first refusal, in decision order.
std::string refusal(const Route&, const Call&, const Device&);

// The first route that can run and is preferred. `forced` (or PLUMB_ROUTE) overrides preference, never
// support. Each condition's outcome is counted, see coverage().
Decision select(const Call&, const Device&, std::string_view forced = {});
std::string explain(const Decision&);  // a line for each route that was asked

std::vector<Tensor> run(const Call&, const Route&);  // prepare, launch, wait, fetch; Error(unsupported) if it refuses
std::vector<Tensor> run(const Call&);                // on the natural route of the current device

// How often each condition was seen true and false, and each route chosen by preference.
struct ConditionCount {
  const Route* route;
  const Condition* condition;
  std::int64_t seen_true = 0, seen_false = 0;
};
std::vector<ConditionCount> coverage();
bool observe(const Condition&, const Call&, const Device&);  // its answer, counted
std::int64_t times_chosen(const Route&);

// Adapts a plain function over host tensors: `void f(const Call&, std::vector<Tensor>& out)`.
Job host_job(void (*f)(const Call&, std::vector<Tensor>&), const Call&, const std::vector<Spec>&);
template <void (*F)(const Call&, std::vector<Tensor>&)>
Job host(const Call& call, const std::vector<Spec>& specs) {
  return host_job(F, call, specs);
}

}  // namespace plumb

extern template class std::vector<plumb::Condition>;  // in route.cpp
extern template class std::vector<plumb::Route>;
