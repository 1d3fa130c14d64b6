// Scalar operations over tiles: what the files that are compiled once per instruction set give to the routes.
//
// A tile holds up to 1024 elements as one of five kinds of lanes, padded to whole vectors with zeros. An operation
// is defined for some of them; elements of any dtype are brought to lanes and back beside it.
#pragma once

#include <cstdint>

#include "optimized/element.h"

namespace plumb {

inline constexpr std::int64_t kTileElements = 1024;
inline constexpr std::int64_t kTileBytes = 2 * 8 * kTileElements;  // complex numbers as two planes of double

enum class Lane : std::uint8_t { f32, f64, c64, i64, u64 };
inline constexpr int kLaneKinds = 5;

// The lanes that elements of a dtype are computed in: halves in f32, complex numbers in double, whole numbers in 64
// bits.
constexpr Lane lane_of(Element t) {
  switch (t) {
    case Element::f16:
    case Element::bf16:
    case Element::f32: return Lane::f32;
    case Element::f64: return Lane::f64;
    case Element::c64: return Lane::c64;
    case Element::i8:
    case Element::i16:
    case Element::i32:
    case Element::i64: return Lane::i64;
    default: return Lane::u64;
  }
}

// y_i = f(x_i, ..) for whole vectors from i = 0 to n or beyond, in place if y is an operand; p: what attributes give.
using TileFunction = void (*)(const void* const* x, void* y, std::int64_t n, Element type, const double* p);

struct ScalarKernel {
  const char* name;  // null: the end of a list
  TileFunction lanes[kLaneKinds];
};

}  // namespace plumb
