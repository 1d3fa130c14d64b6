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
  Attr(bool);                       // NOLINT: attributes are written as literals
  Attr(int);                        // NOLINT
  Attr(std::int64_t);               // NOLINT
  Attr(double);                     // NOLINT
  Attr(const char*);                // NOLINT
  Attr(std::string);                // NOLINT
  Attr(std::vector<std::int64_t>);  // NOLINT
  Attr(std::vector<double>);        // NOLINT
  // Not inline, here and below: every row has attributes, and would be compiled with all that they may hold.
  Attr(const Attr&);
  Attr(Attr&&) noexcept;
  Attr& operator=(const Attr&);
  Attr& operator=(Attr&&) noexcept;
  ~Attr();

  const Value& value() const { return value_; }
  bool none() const { return std::holds_alternative<std::monostate>(value_); }
  template <class T>
  const T* get() const {
    return std::get_if<T>(&value_);
  }
  bool operator==(const Attr&) const;

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
  Attrs(std::initializer_list<Item>);
  Attrs(const Attrs&);
  Attrs(Attrs&&) noexcept;
  Attrs& operator=(const Attrs&);
  Attrs& operator=(Attrs&&) noexcept;
  ~Attrs();

  const Attr* find(std::string_view name) const;  // null if absent
  void set(std::string_view name, Attr value);    // replaces or appends
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  bool operator==(const Attrs&) const;

 private:
  std::vector<Item> items_;  // a handful at most: linear search beats any map
};

std::string to_string(const Attrs&);  // "axis=-1,keepdims=true", "-" if empty

}  // namespace plumb
