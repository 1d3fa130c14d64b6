#include "core/listed.h"

#include <algorithm>
#include <iterator>

#include "core/pattern.h"

namespace plumb {
namespace {

constexpr Budget kBudgets[] = {Budget::smoke, Budget::ci, Budget::nightly};
constexpr Reason kReasons[] = {Reason::arity, Reason::attribute, Reason::axis, Reason::device, Reason::domain,
                               Reason::dtype, Reason::memory,    Reason::rank, Reason::shape,  Reason::unsupported};

std::vector<std::string_view> verbs(const Case*) {
  std::vector<std::string_view> all;
  for (const Budget b : kBudgets) all.push_back(name(b));
  return all;
}
std::vector<std::string_view> verbs(const Reject*) {
  std::vector<std::string_view> all;
  for (const Reason r : kReasons) all.push_back(name(r));
  return all;
}

void add(std::vector<Case>& all, const pattern::Sweep& s, Case call) {
  for (const Budget b : kBudgets)
    if (name(b) == s.verb) call.budget = b;
  call.reason = s.reason;
  all.push_back(std::move(call));
}

void add(std::vector<Reject>& all, const pattern::Sweep& s, Case call) {
  const auto* reason =
      std::find_if(std::begin(kReasons), std::end(kReasons), [&](Reason r) { return name(r) == s.verb; });
  if (reason != std::end(kReasons)) all.push_back({std::move(call), *reason, s.reason});
}

}  // namespace

template <class T>
Listed<T>::Listed() = default;
template <class T>
Listed<T>::Listed(const char* text) : text_(text ? text : "") {}
template <class T>
Listed<T>::Listed(std::string text) : text_(std::move(text)) {}
template <class T>
Listed<T>::Listed(std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) text_.append(part).append("\n");
}
template <class T>
Listed<T>::Listed(const Listed&) = default;
template <class T>
Listed<T>::Listed(Listed&&) noexcept = default;
template <class T>
Listed<T>& Listed<T>::operator=(const Listed&) = default;
template <class T>
Listed<T>& Listed<T>::operator=(Listed&&) noexcept = default;
template <class T>
Listed<T>::~Listed() = default;

template <class T>
std::vector<T> Listed<T>::expanded() const {
  std::vector<T> all;
  const std::string lines = text();
  for (const pattern::Sweep& s : pattern::read(lines, verbs(static_cast<T*>(nullptr))))
    pattern::expand(s, [&](const std::string& call) { add(all, s, parse_call(call)); });
  return all;
}

template <class T>
std::string Listed<T>::fault() const try {
  const std::string lines = text();
  for (const pattern::Sweep& s : pattern::read(lines, verbs(static_cast<T*>(nullptr))))
    if (std::is_same_v<T, Reject> && s.reason.empty())
      return "line " + std::to_string(s.line) + ", '" + s.source + "': nothing says why it is refused";
  return "";
} catch (const Error& e) {
  return e.detail();
}

template class Listed<Case>;
template class Listed<Reject>;

}  // namespace plumb
