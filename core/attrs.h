// Named, ordered, printable operator attributes. Defaults come from the op's row.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace plumb {

// monostate is "not given" (None, null). Dtype-valued attributes are strings that name a dtype.
class Attr {
 public:
  using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                             std::vector<double>>;
  Attr() = default;
  Attr(bool v) : value_(v) {}                                  // NOLINT: attributes are written as literals
  Attr(int v) : value_(std::int64_t{v}) {}                     // NOLINT
  Attr(std::int64_t v) : value_(v) {}                          // NOLINT
  Attr(double v) : value_(v) {}                                // NOLINT
  Attr(const char* v) : value_(std::string(v)) {}              // NOLINT
  Attr(std::string v) : value_(std::move(v)) {}                // NOLINT
  Attr(std::vector<std::int64_t> v) : value_(std::move(v)) {}  // NOLINT
  Attr(std::vector<double> v) : value_(std::move(v)) {}        // NOLINT

  const Value& value() const { return value_; }
  bool none() const { return std::holds_alternative<std::monostate>(value_); }
  template <class T>
  const T* get() const {
    return std::get_if<T>(&value_);
  }
  bool operator==(const Attr&) const = default;

 private:
  Value value_;
};

inline const Attr kNone;

// "none", "true", "-1", "0.5", "affine", "3:3:3", "0.5:1.0:1.0" (a list of one element is "3:").
std::string to_string(const Attr&);
Attr parse_attr(std::string_view text);  // the inverse; throws Error(query)

class Attrs {
 public:
  using Item = std::pair<std::string, Attr>;
  Attrs() = default;
  Attrs(std::initializer_list<Item> items) : items_(items) {}

  const Attr* find(std::string_view name) const;  // null if absent
  void set(std::string_view name, Attr value);    // replaces or appends
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  bool operator==(const Attrs&) const = default;

 private:
  std::vector<Item> items_;  // a handful at most: linear search beats any map
};

std::string to_string(const Attrs&);  // "axis=-1,keepdims=true", "-" if empty

}  // namespace plumb
