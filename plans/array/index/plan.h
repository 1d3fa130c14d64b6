// How a call that reads or writes by position is taken apart: axes to walk, with the steps that each takes in every
// array, and the index arrays that add to them. Shapes and strides alone; both sides compute addresses from it.
#pragma once

#include <string>
#include <vector>

#include "core/op.h"

namespace plumb::index {

// Of updates that do not meet: one operation; complex products in double, each part rounded to it once and then to f32.
Order once(const Call&);

// How an array lies.
struct Strided {
  Shape shape;
  Strides strides;
};
Strided strided(const Tensor&);
Strided dense(const Shape&);

// An index array, or one entry of it: positions of windows of `width` on an axis of n.
struct Positions {
  std::size_t input = 0;
  std::int64_t n = 0, width = 1;
  std::int64_t step = 0;        // of that axis, in the indexed array
  bool wraps = true;            // negative ones count from the end
  std::int64_t entry = -1;      // of a list of starts, the one that counts; -1: every one
  std::int64_t entry_step = 0;  // of the list

  std::int64_t least() const { return wraps ? -n : 0; }
  // Whether a value of a signed type is one.
  bool holds(std::int64_t v) const { return v >= least() && (v < 0 ? v + n : v) <= n - width; }
};

struct Axis {
  std::int64_t size = 1;
  std::int64_t step = 0;              // in the indexed array
  std::int64_t update = 0;            // in what is written to it
  std::vector<std::int64_t> entries;  // in each index array
  bool shared = false;                // two places along it may lead to one element

  bool free() const;  // neither shared nor steps of an index array
};

struct Plan {
  std::vector<Axis> axes;  // outermost first; unit axes dropped, neighbours merged that continue each other
  std::vector<Positions> positions;
  std::int64_t offset = 0;  // in the indexed array

  std::int64_t size() const;
  bool collides() const;  // whether an element may be met twice
};

Plan merged(Plan);  // so

// Of what lies in an array `a` of those strides: the elements of the output in row-major order. The index arrays are
// those of the call, in its order.
Plan reading(const Request&, const Strided& a, const std::vector<Strided>& indices);

// Of an output that is dense: the elements of the updates in row-major order, of these strides before they broadcast.
Plan writing(const Request&, const Strided& update, const std::vector<Strided>& indices);

// The inputs that hold positions.
std::vector<std::size_t> index_inputs(const Request&);
bool flattened(const Request&);       // axis none: the array is one line
Shape indexed_shape(const Request&);  // of the array, flattened where the call says so
Shape written_shape(const Request&);  // of the output of a write, flattened too
std::size_t update_input(const Request&);

// What is told of a position: "indices holds 7 at 3: outside an axis of 4".
std::string outside(const Request&, const Positions&, const std::string& value, std::int64_t at);

// Start, steps and lengths of a static slice.
struct Window {
  Shape start, step, length;
};
Window window(const Request&);

}  // namespace plumb::index
