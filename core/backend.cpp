#include "core/backend.h"

#include <array>
#include <map>
#include <utility>

#include "core/gate.h"

namespace plumb {
namespace {

constexpr std::size_t kMost = 8;

std::vector<Backend*>& all() {
  static std::vector<Backend*> list;
  return list;
}

// Rows hold plain functions, which know the call and not the route: there is one set of them for each backend.
template <std::size_t N>
struct Of {
  static bool holds(const Call& call, const Device&) { return all()[N]->audited() || all()[N]->refuses(call).empty(); }
  static bool never(const Call&, const Device&) { return false; }
  static Order order(const Call& call) { return all()[N]->order(call); }
  static Job prepare(const Call& call, const std::vector<Spec>& out) { return all()[N]->prepare(call, out); }

  static Route route(std::string_view op) {
    Route r;
    r.op = op;
    r.name = all()[N]->name();
    r.supports = {{Stage::capability, "the backend refuses", holds}};
    r.prefers = {{Stage::capability, "a backend runs only by its name", never}};
    r.order = order;
    r.prepare = prepare;
    return r;
  }
};

using MakeRoute = Route (*)(std::string_view op);
template <std::size_t... N>
constexpr std::array<MakeRoute, sizeof...(N)> makers(std::index_sequence<N...>) {
  return {Of<N>::route...};
}
constexpr auto kMakers = makers(std::make_index_sequence<kMost>());

}  // namespace

std::string_view name(Cause c) {
  constexpr std::string_view names[] = {"",
                                        "value",
                                        "spec",
                                        "input changed",
                                        "out of bounds",
                                        "unwritten",
                                        "unrepeatable",
                                        "raised",
                                        "claims but refuses",
                                        "accepted invalid",
                                        "crashed",
                                        "timeout",
                                        "memory",
                                        "protocol"};
  return names[static_cast<std::size_t>(c)];
}

std::optional<Cause> cause_named(std::string_view text) {
  for (int c = 1; c <= static_cast<int>(Cause::protocol); ++c)
    if (name(static_cast<Cause>(c)) == text) return static_cast<Cause>(c);
  return std::nullopt;
}

void install_backend(Backend& backend) {
  const std::string named(backend.name());
  if (is_route(named)) throw Error("plumb", Reason::query, "there is a route named '" + named + "' already");
  if (all().size() == kMost)
    throw Error("plumb", Reason::query, "there is room for " + std::to_string(kMost) + " backends");
  all().push_back(&backend);
  std::vector<Route> more;
  for (const Op* op : backend.serves()) more.push_back(kMakers[all().size() - 1](op->name));
  install_more(std::move(more));
}

Backend* backend_of(const Route& route) {
  for (Backend* b : all())
    if (b->name() == route.name) return b;
  return nullptr;
}

const std::vector<Backend*>& backends() { return all(); }

}  // namespace plumb
