// The meaning of sparse kernels, for the rows of the sparse families: geometry, shape rules, and the oracle of
// every relation. No route sees this file.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/op.h"

namespace plumb::reference {

using Triple = std::array<std::int64_t, 3>;
using Site = std::array<std::int64_t, 4>;  // batch, x, y, z

enum class RelationKind { forward, submanifold, target, transposed, generative, target_transposed };

struct Geometry {
  Triple size{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  std::int64_t volume = 1;
};

// Reads the attributes that the row has; throws Error(attribute), or Error(memory) for a volume beyond int32.
Geometry geometry(const Request&, RelationKind);

// The inputs of a signature that say which sites there are, and which ones a result has.
inline const std::string kSites = "coords I[N,4], active_rows i32[1] counts N";
inline const std::string kTargets = "target_coords I[M,4], target_active_rows i32[1] counts M";

// Rows that the result has room for; throws Error(memory) if rows or edges could not be numbered in int32.
std::int64_t capacity(const Request&, RelationKind, const Geometry&, std::int64_t rows, std::int64_t targets);

struct Edge {
  std::int64_t in, out, kernel;
};
struct Relation {
  std::vector<Edge> edges;  // by output row, then kernel row, then input row
  std::vector<Site> out;
};

// The rows of a coordinate input that its count says are active.
std::vector<Site> active_sites(const Call&, std::size_t coords, std::size_t active);

Relation relate(RelationKind, const Geometry&, const std::vector<Site>& in, const std::vector<Site>& targets);

// Cases as text: a call with these inputs, the attributes of a kernel of this kind as {k} {s} {p} {d}, and more of
// them; and the condition on its {K} kernel rows, since no submanifold kernel is even.
std::string kernel_call(RelationKind, std::string_view inputs, std::string_view more = "");

// {far}: kernels of more rows than a word has bits, dilations beyond the stride and reaches of five and more, each with
// sites to try it on: dense ones, negative ones, repeated ones and the ends of the coordinates.
extern const char* const kFarKernels;

// For recorded calls: drops the attribute `kind` if it is one of these.
bool drop_kind(Attrs&, std::initializer_list<std::string_view> kinds);

}  // namespace plumb::reference
