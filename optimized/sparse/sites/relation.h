// The edges of a sparse kernel, built once for the CPU routes of relations and of convolutions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/op.h"
#include "core/room.h"

namespace plumb::cpu {

enum class RelationKind { forward, submanifold, target, transposed, generative, target_transposed };

// Kernel rows count x outermost, z fastest.
struct Geometry {
  std::array<std::int64_t, 3> size{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  std::int64_t volume = 1;
};
Geometry geometry(const Request&);

// Rows of (batch, x, y, z) in either integer width.
struct Rows {
  const void* data = nullptr;
  bool wide = false;
  std::int64_t count = 0;
  std::int64_t at(std::int64_t row, int axis) const {
    const std::int64_t i = 4 * row + axis;
    return wide ? static_cast<const std::int64_t*>(data)[i] : static_cast<const std::int32_t*>(data)[i];
  }
};

using Coordinates = std::array<std::int64_t, 4>;
inline Coordinates coordinates(const Rows& rows, std::int64_t i) {
  return {rows.at(i, 0), rows.at(i, 1), rows.at(i, 2), rows.at(i, 3)};
}

// The active rows of a dense coordinate tensor.
Rows rows(const Tensor& coords, const Tensor& active);

// Memory that is not cleared first: large, and written before it is read.
template <class T>
struct Block {
  RawRoom<T> own;
  T* data = nullptr;
  explicit Block(std::int64_t n = 0, T* given = nullptr)
      : own(given ? RawRoom<T>() : RawRoom<T>(n)), data(given ? given : own.get()) {}
  T& operator[](std::int64_t i) const { return data[i]; }
};

struct Relation {
  std::int64_t kernels = 1, outputs = 0, edges = 0;
  Room<std::int32_t> offsets;            // of the edges of each output row
  Block<std::int32_t> in, kernel;        // of each edge; by output row, then kernel row, then input row
  std::vector<std::int64_t> out_coords;  // (outputs, 4), empty if the outputs are `out_rows` themselves
  Rows out_rows;                         // the output coordinates
};

// Edge columns go to `in` and `kernel` if these are given: room for every edge that could be.
Relation build(RelationKind, const Geometry&, const Rows& in, const Rows& targets, std::int32_t* in_column = nullptr,
               std::int32_t* kernel_column = nullptr);

// Edge numbers by group, ascending within one: offsets (groups + 1), ids (edges).
void group_edges(const std::int32_t* group_of, std::int64_t edges, std::int64_t groups, std::int32_t* offsets,
                 std::int32_t* ids);

// The gathering kinds as a dense map: rows[o * K + k] = the input row that output o meets under kernel row k, or -1.
struct Map {
  std::vector<std::int64_t> out_coords;  // (outputs, 4), empty if the outputs are `out_rows` themselves
  Rows out_rows;                         // the output coordinates
  Block<std::int32_t> rows;
};

// The rows go to `given` if it is there: room for every output that could be.
Map build_map(RelationKind, const Geometry&, const Rows& in, const Rows& targets, std::int32_t* given = nullptr);

// The rows in an order that keeps neighbours in space near each other (Morton's).
Room<std::int32_t> nearby_order(const Rows&);

}  // namespace plumb::cpu
