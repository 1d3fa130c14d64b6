// How an operation that only moves elements is taken apart, for the CPU and the device alike: as strided views of its
// input, which need no copy, or as pieces to be copied.
#pragma once

#include <optional>
#include <vector>

#include "core/op.h"

namespace plumb::movement {

// A part of a tensor, in elements from its first one.
struct View {
  Shape shape;
  Strides strides;
  std::int64_t offset = 0;
};

// Along an axis: `size` elements of the input at first, first + step, ..; kConstant: none, but the plan's constant.
struct Run {
  std::int64_t size, first, step;
};
inline constexpr std::int64_t kConstant = INT64_MIN;  // as `first` of a run

struct LoopAxis {
  std::int64_t size = 0, to = 0;  // `to`: stride of the output
  std::vector<Run> runs;          // which make up the size
};

struct Piece {
  std::size_t input = 0;
  std::int64_t from = 0, to = 0;  // where the first element lies
  std::vector<LoopAxis> axes;     // outermost first
  bool dense = false;             // strides are those of the input in row-major order and of the output's dtype
};

// Elements of the last two axes of the output that are kept: lowest <= column - row <= highest.
struct Band {
  std::int64_t rows, columns, lowest, highest;
};

struct Plan {
  std::vector<Piece> pieces;
  bool zeroed = false;       // the pieces do not cover the output: the rest is zero
  std::optional<Band> band;  // what lies outside is zero
  Tensor constant;           // one element of the output's dtype; undefined if no run asks for it
};

// The outputs as views of input 0, or nothing if a copy is needed. Reads strides, never data.
std::optional<std::vector<View>> views(const Call&);
std::vector<Tensor> see(const Call&);  // those views; there must be any

// The elements (i, i + offset) of two axes, as the last axis.
View diagonal_view(const Tensor&, std::int64_t rows, std::int64_t columns, std::int64_t offset);

Plan plan(const Call&, const std::vector<Spec>& out);

// The same piece with as few axes as can be: none of size 1, neighbours that continue each other as one.
Piece merged(Piece);

// The first run that reaches beyond `at`, and how far `at` lies in it.
struct Place {
  std::size_t run;
  std::int64_t within;
};
Place find(const LoopAxis&, std::int64_t at);

// Other sizes over the same elements, or nothing where no strides can say it.
std::optional<Strides> reshaped(const Shape&, const Strides&, const Shape& to);

}  // namespace plumb::movement
