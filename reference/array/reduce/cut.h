// Lines of a tensor along any axes, for the oracles of reductions, and the cases and refusals that these share.
#pragma once

#include <vector>

#include "core/op.h"

namespace plumb::reference {

// The elements of a tensor, cut into lines along the listed axes: every element belongs to one line.
struct Cut {
  std::int64_t lines = 1, length = 1;
  std::vector<std::int64_t> line_of;  // per element in logical order
};
Cut cut(const Shape&, const std::vector<std::int64_t>& axes);
Cut cut(const Call&);  // its first input, along the attribute axis

std::int64_t line_length(const Call&);

// f(l, x) for each line l with its elements x in logical order.
template <class T, class F>
void for_lines(const Array<T>& a, const Cut& c, F&& f) {
  std::vector<std::vector<T>> lines(static_cast<std::size_t>(c.lines));
  for (std::int64_t i = 0; i < a.size(); ++i)
    lines[static_cast<std::size_t>(c.line_of[static_cast<std::size_t>(i)])].push_back(a[i]);
  for (std::size_t l = 0; l < lines.size(); ++l) f(static_cast<std::int64_t>(l), lines[l]);
}

// For infer: throws Error(shape) where an axis of size 0 is reduced, of which there is no `what`.
void refuse_empty_lines(const Request&, std::string_view what);

Cost line_cost(const Call&);  // an operation for each element; each input and output once

// Lines of patterns that follow `call` and `from types= x1= x2= x3=` of a row: dtypes, and fills by turns. All have the
// parameters t, s, l, x, axis and keep.
extern const char* const kLineCases;
extern const char* const kAxisRejects;  // of attribute axis, with parameters a, axis and more

}  // namespace plumb::reference
