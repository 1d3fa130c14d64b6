// Where elements go, for oracles that read and write by position: lists of places, made by the equation of each
// operation.
#pragma once

#include <vector>

#include "core/fill.h"
#include "core/op.h"
#include "reference/index.h"

namespace plumb::reference {

using Index = std::vector<std::int64_t>;  // one for each axis

Index unravel(std::int64_t i, const Shape&);
std::int64_t ravel(const Index&, const Shape&);
Shape flattened(const Request&, const Shape&);  // one axis if the call has no axis
std::int64_t axis_of(const Request&);           // 0 if it has none
Index part(const Index&, std::size_t begin, std::size_t end);
Index joined(Index, const Index&, const Index& = {});
Index broadcast_from(const Index& i, const Shape& shape);  // of the element that an operand of that shape repeats there

// The entries of an index array as positions on an axis of n elements, negative ones from the end, where windows of
// `width` have room. Throws Error(domain) for the first that has none.
Integers positions(const Call&, std::size_t input, std::int64_t n, std::int64_t width = 1);

// The starts of a dynamic slice of that shape: one for each axis of the array, 0 where none is given.
Index starts(const Call&, const Shape& size);

std::size_t index_arrays(const Request&, std::size_t first);  // how many are given from that input on; without a gap
Shape index_shape(const Request&, std::size_t first);         // what they broadcast to; Error(shape)

// The window of a static slice: its first element, steps and lengths.
struct Window {
  Index start, step;
  Shape length;
};
Window window(const Request&);  // throws Error(attribute) for lists that do not fit

// out[o] = a[from[o]]
Wide taken(const Tensor& a, const std::vector<std::int64_t>& from, Shape out);

// An element of the updates and where it goes, in the order in which they are applied.
struct Move {
  std::int64_t to, from;
};
using Moves = std::vector<Move>;

enum class Update { set, add, prod, max, min, subtract, divide };
Wide updated(const Wide& a, const Wide& updates, const Moves&, Update);
// What may be left of each element of the output where sums and products are rounded after each update, in that order.
Allowances running_bound(const Wide& a, const Wide& updates, const Moves&, Update, Dtype out, const Order&);

// What an update may be made of: subtract has no bool, divide whole numbers neither, and complex numbers no order.
std::string_view updated_types(Update);  // in the words of a signature
// The text of cases whose lists t,u={..} keep the pairs with such a first type.
std::string updated_cases(const std::string& text, Update);

// Positions on an axis of p elements from either end: in [-p, p); unsigned ones in [0, p).
std::vector<Fill> index_fills();

}  // namespace plumb::reference
