// What the rows about sparse convolutions share: inputs by name, shape rules, the
// relation of a call, and cases drawn from one description. No route sees this file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/relation.h"

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

  std::int64_t at(std::int64_t k, std::int64_t a, std::int64_t c) const {
    return dense ? (c * K + k) * A + a : (k * A + a) * C + c;
  }
};

// Checks coordinates, counts, features, weight, targets, and the bias under the given name if the row has one.
ConvShape check_convolution(const Request&, RelationKind base, std::string_view bias = "");

Relation relation_of(const Call&, RelationKind base);

// (K,A,C) products of a call's edges, for costs
double products(const Call&, RelationKind base);

// The attributes of a base kind with its defaults.
Attrs conv_attrs(RelationKind base);
std::vector<std::string_view> with_targets(RelationKind base, std::vector<std::string_view> inputs);

bool recorded_kind(RelationKind base, Attrs&);

// The coordinates and counts of outputs: outputs 0 and 2 of every forward-shaped row.
Integers coords_of(const Relation&, std::int64_t rows);
Integers counts_of(const Relation&);
std::vector<std::int64_t> active_outputs(const Call&, const std::vector<Tensor>& out);

// One case, from defaults that each sweep changes in one or two places.
struct ConvTrial {
  using List = std::vector<std::int64_t>;
  std::int64_t n = 30, active = 27, in = 3, out = 5;
  List size{3}, stride{1}, padding{0}, dilation{1};
  std::string sites = "sites_negative", values = "int-3", weights = "";
  Dtype coords = Dtype::i32, type = Dtype::f32;
  bool dense = false;
  std::int64_t targets = -1;
  Layout layout = Layout::row;
  Budget budget = Budget::ci;

  std::int64_t at(std::size_t a) const { return size.size() == 1 ? size[0] : size[a]; }
  std::int64_t volume() const { return at(0) * at(1) * at(2); }
  Layout vector_layout() const { return layout == Layout::broadcast ? Layout::row : layout; }
  Shape weight_shape() const { return dense ? Shape{out, at(0), at(1), at(2), in} : Shape{volume(), in, out}; }
  bool valid(RelationKind base) const;  // no even submanifold kernel
};

std::optional<Input> input(Dtype, Shape, std::string fill, Layout = Layout::row);
std::optional<Input> count_input(std::int64_t n);

// coords, active_rows, features, weight and the attributes
Case described(RelationKind base, const ConvTrial&);
void add_targets(Case&, std::size_t at, const ConvTrial&);  // if the trial has any, as inputs at and at + 1

// Calls that every such row refuses. `good` describes a valid call of 8 rows, 3 channels to 5.
std::vector<Reject> conv_rejects(RelationKind base, const Case& good);

}  // namespace plumb::reference
