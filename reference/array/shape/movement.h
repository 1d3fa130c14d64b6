// Movement for oracles: every element of a result is one of an operand, or a constant.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "core/op.h"

namespace plumb::reference {

using Index = std::vector<std::int64_t>;  // one number for each axis

struct Source {
  Index at;
  std::size_t of = 0;  // which operand
};
using From = std::function<std::optional<Source>(const Index& i)>;  // nothing: the constant

// out[i] = a[of][at] for every index i of the shape, with (at, of) = f(i); all operands are of one type, and so is the
// constant, of one element.
Wide moved(const std::vector<Wide>& a, const Shape& out, const From& f, const Wide& constant);
// The same of one operand, all of whose places are given.
std::vector<Wide> moved(const Call&, const std::function<Index(const Index&)>& f);

std::int64_t position(const Index&, const Shape&);    // in row-major order
Index index_at(std::int64_t position, const Shape&);  // the inverse

Wide constant(double value, Dtype);  // rounded toward zero for whole numbers

// Sizes of results: throw Error(memory) for what passes 2^63.
std::int64_t sum(const Request&, std::int64_t a, std::int64_t b);
std::int64_t product(const Request&, std::int64_t a, std::int64_t b);

// How many elements (i, i + k) a matrix has.
std::int64_t diagonal_length(std::int64_t rows, std::int64_t columns, std::int64_t k);

std::int64_t normal(const Request&, std::int64_t axis, std::int64_t rank);  // in [0, rank); throws Error(axis)
// Of a list; throws Error(axis) for one that stands twice.
std::vector<std::int64_t> normal(const Request&, std::vector<std::int64_t> axes, std::int64_t rank);

// One output of the input's dtype; throws Error(memory) where there are too many elements to number.
std::vector<Spec> of_shape(const Request&, Shape);

// What all rows of this wing have in common: of any dtype, exact to the bit.
struct Lists {
  Cases cases;      // those of kEveryInput follow
  Rejects rejects;  // may be empty
  Cases bench;
};
Op movement(std::string_view name, Attrs attrs, std::string_view equation, Infer infer, Oracle oracle, Lists lists);

// Behind a `from` with t, l and x: every dtype, every layout.
inline constexpr const char* kEveryInput = R"(
  smoke  t={@all} x=bits
  smoke  l={@layouts}
  ci     t={u8,f16,f32,c64} l={@layouts} x=bits
)";

}  // namespace plumb::reference
