#include "core/attrs.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/number.h"
#include "core/text.h"

namespace plumb {
namespace {

std::string print(double v) {
  std::string s = shortest(v);
  if (std::isfinite(v) && s.find_first_of(".e") == std::string::npos) s += ".0";
  return s;
}

std::string print(std::int64_t v) { return std::to_string(v); }

template <class T>
std::string print(const std::vector<T>& v) {
  std::string s;
  for (const T x : v) s += (s.empty() ? "" : ":") + print(x);
  return v.size() < 2 ? s + ":" : s;
}

// Integers if all of them are.
Attr parse_list(std::string_view text) {
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  while (!text.empty() && text != ":") {
    const auto colon = text.find(':');
    const std::string_view item = text.substr(0, colon);
    if (const auto i = number_in<std::int64_t>(item)) integers.push_back(*i);
    const auto d = number_in<double>(item);
    if (!d) throw Error("case", Reason::query, "'" + std::string(item) + "' is not a number of a list");
    reals.push_back(*d);
    text = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  }
  return integers.size() == reals.size() ? Attr(std::move(integers)) : Attr(std::move(reals));
}

}  // namespace

Attr::Attr(bool v) : value_(v) {}
Attr::Attr(int v) : value_(std::int64_t{v}) {}
Attr::Attr(std::int64_t v) : value_(v) {}
Attr::Attr(double v) : value_(v) {}
Attr::Attr(const char* v) : value_(std::string(v)) {}
Attr::Attr(std::string v) : value_(std::move(v)) {}
Attr::Attr(std::vector<std::int64_t> v) : value_(std::move(v)) {}
Attr::Attr(std::vector<double> v) : value_(std::move(v)) {}
Attr::Attr(const Attr&) = default;
Attr::Attr(Attr&&) noexcept = default;
Attr& Attr::operator=(const Attr&) = default;
Attr& Attr::operator=(Attr&&) noexcept = default;
Attr::~Attr() = default;
bool Attr::operator==(const Attr&) const = default;

Attrs::Attrs(std::initializer_list<Item> items) : items_(items) {}
Attrs::Attrs(const Attrs&) = default;
Attrs::Attrs(Attrs&&) noexcept = default;
Attrs& Attrs::operator=(const Attrs&) = default;
Attrs& Attrs::operator=(Attrs&&) noexcept = default;
Attrs::~Attrs() = default;
bool Attrs::operator==(const Attrs&) const = default;

std::string to_string(const Attr& a) {
  struct {
    std::string operator()(std::monostate) const { return "none"; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return print(v); }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(const std::vector<std::int64_t>& v) const { return print(v); }
    std::string operator()(const std::vector<double>& v) const { return print(v); }
  } printer;
  return std::visit(printer, a.value());
}

Attr parse_attr(std::string_view text) {
  if (text == "none") return {};
  if (text == "true" || text == "false") return text == "true";
  if (const auto i = number_in<std::int64_t>(text)) return *i;
  if (const auto d = number_in<double>(text)) return *d;
  if (text.find(':') != std::string_view::npos) return parse_list(text);
  return std::string(text);
}

const Attr* Attrs::find(std::string_view name) const {
  const auto it = std::find_if(items_.begin(), items_.end(), [&](const Item& i) { return i.first == name; });
  return it == items_.end() ? nullptr : &it->second;
}

void Attrs::set(std::string_view name, Attr value) {
  for (Item& i : items_)
    if (i.first == name) {
      i.second = std::move(value);
      return;
    }
  items_.emplace_back(std::string(name), std::move(value));
}

std::string to_string(const Attrs& attrs) {
  std::string s;
  for (const auto& [name, value] : attrs) s += (s.empty() ? "" : ",") + name + "=" + to_string(value);
  return s.empty() ? "-" : s;
}

}  // namespace plumb
