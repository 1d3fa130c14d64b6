// The calls that a row lists: as text in the language of pattern.h, which may be written when it is first asked for, or
// as a function where that cannot say it.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/case.h"

namespace plumb {

// Case: lines begin with a budget. Reject: lines begin with the reason of the refusal, and say why behind a #.
template <class T>
class Listed {
 public:
  Listed();
  Listed(const char* text);                               // NOLINT: a row states its text as it is
  Listed(std::string text);                               // NOLINT
  Listed(std::initializer_list<std::string_view> parts);  // one behind the other
  // Not inline: every row has lists.
  Listed(const Listed&);
  Listed(Listed&&) noexcept;
  Listed& operator=(const Listed&);
  Listed& operator=(Listed&&) noexcept;
  ~Listed();
  template <class F>
  requires std::is_invocable_r_v<std::vector<T>, F> Listed(F make) : make_(std::move(make)) {}  // NOLINT
  template <class F>
  requires std::is_invocable_r_v<std::string, F> Listed(F write) : write_(std::move(write)) {}  // NOLINT

  explicit operator bool() const { return make_ || write_ || !text_.empty(); }
  std::string text() const { return write_ ? write_() : text_; }  // empty for a function

  // Expanded anew. Throws Error(query) that names the line.
  std::vector<T> operator()() const { return make_ ? make_() : expanded(); }
  std::string fault() const;  // what is wrong with the form of the text, "" if nothing is

 private:
  std::vector<T> expanded() const;

  std::string text_;
  std::function<std::string()> write_;
  std::function<std::vector<T>()> make_;
};

extern template class Listed<Case>;
extern template class Listed<Reject>;
using Cases = Listed<Case>;
using Rejects = Listed<Reject>;

}  // namespace plumb
