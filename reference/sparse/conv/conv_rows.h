// What the rows about sparse convolutions share: inputs by name, shape rules, the
// relation of a call, and cases drawn from one description. No route sees this file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/sparse/sites/relation.h"

namespace plumb::reference {

// Whether a base kind may be given target coordinates, and the meaning that a call then has.
constexpr bool takes_targets(RelationKind base) {
  return base == RelationKind::forward || base == RelationKind::transposed;
}
RelationKind kind_of(const Request&, RelationKind base);

// K kernel rows from A input channels to C output channels; N input rows, room for M output rows.
struct ConvShape {
  std::int64_t K, A, C, N, M;
  bool dense;  // a weight of (C,Kx,Ky,Kz,A); else (K,A,C)

  // A weight as the equations speak of it, W(k, a, c), however it lies.
  template <class Array>
  auto weight(Array& w) const {
    return [&w, s = *this ](std::int64_t k, std::int64_t a, std::int64_t c) -> auto& {
      return w[s.dense ? (c * s.K + k) * s.A + a : (k * s.A + a) * s.C + c];
    };
  }
};

// Checks what the attributes say of kernel and weight.
ConvShape check_convolution(const Request&, RelationKind base);

// The part of it that holds for any weight: N input rows, room for M output rows.
struct ConvSites {
  Geometry g;
  std::int64_t N, M;
};
ConvSites check_sites(const Request&, RelationKind base);

Relation relation_of(const Call&, RelationKind base);

// Edges of the fullest output row.
std::int64_t fullest_output(const Relation&);

// Products and a bias in the fullest output row: K of them where sites are unique, more where inputs repeat.
std::int64_t conv_terms(const Call&, RelationKind base);

// The cost of a forward-shaped row with these outputs, at so many flops for each product of its definition.
Cost conv_cost(const Call&, RelationKind base, const std::vector<Spec>& out, double flops);

// Four output channels of many; the relation is whole. The weights lie as weight_layout says.
std::optional<Spot> output_channels(const Call&, std::initializer_list<const char*> weights, const char* bias,
                                    std::uint64_t key);

// The attributes of a base kind with its defaults; conv_attrs: with the layout of a weight.
Attrs kernel_attrs(RelationKind base);
Attrs conv_attrs(RelationKind base);

// Sites, these inputs, and targets where the kind takes them. R is the room for output rows.
inline const std::string kWeighted = "features T[N,A], weight T[K,A,C | C,X,Y,Z,A]";
inline constexpr const char* kConvTypes = "I: i32 i64; T: f16 f32";
inline constexpr const char* kConvOutputs = "out_coords I[R,4], features T[R,C], counts i32[2]";
std::string conv_signature(RelationKind base, const std::string& inputs, const char* outputs);

bool recorded_kind(RelationKind base, Attrs&);

// The coordinates and counts of outputs: outputs 0 and 2 of every forward-shaped row.
Integers coords_of(const Relation&, std::int64_t rows);
Integers counts_of(const Relation&);
std::vector<std::int64_t> active_outputs(const Call&, const std::vector<Tensor>& out);

// Cases as text. What stands for the inputs of a row: {sites_in} coordinates and count, {x_in} features, {w_in} weight,
// {bias_in}, {goal_in} targets and count; and what it is made of, with a default for each.
extern const char* const kConvInputs;
// The call of a row of this kind, where {both} goes without and with targets if it takes them.
std::string conv_call(RelationKind base, std::string_view inputs, std::string_view more = "");
// Sizes worth timing, as every row active and as many channels out as in.
extern const char* const kConvTimed;
// Calls that every such row refuses, of {coords}, {x} and {w}; their values are {y}.
std::string conv_refusals(RelationKind base, std::string_view inputs, std::string_view more = "");

}  // namespace plumb::reference
