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

  std::int64_t at(std::int64_t k, std::int64_t a, std::int64_t c) const {
    return dense ? (c * K + k) * A + a : (k * A + a) * C + c;
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

struct ConvKernel {
  using List = std::vector<std::int64_t>;
  List size{3}, stride{1}, padding{0}, dilation{1};

  std::int64_t at(std::size_t a) const { return size.size() == 1 ? size[0] : size[a]; }
  std::int64_t volume() const { return at(0) * at(1) * at(2); }
};

// One case, from defaults that each sweep changes in one or two places.
struct ConvTrial {
  std::int64_t n = 30, active = 27, in = 3, out = 5;
  ConvKernel kernel{};
  std::string sites = "sites_negative", values = "int-3", weights = "";
  Dtype coords = Dtype::i32, type = Dtype::f32;
  bool bias = false, dense = false;
  std::int64_t targets = -1;
  Layout layout = Layout::row;
  Budget budget = Budget::ci;

  Layout vector_layout() const { return layout == Layout::broadcast ? Layout::row : layout; }
  Shape weight_shape() const;
  bool valid(RelationKind base) const;  // no even submanifold kernel
};

std::optional<Input> input(Dtype, Shape, std::string fill, Layout = Layout::row);
std::optional<Input> count_input(std::int64_t n);

// coords, active_rows, features, weight and the attributes
Case described(RelationKind base, const ConvTrial&);
void add_targets(Case&, const ConvTrial&);  // and their count, if the trial has any
void add_bias_and_targets(Case&, const ConvTrial&);

// Cases of a base kind in the making.
template <class Trial>
struct ConvCases {
  RelationKind base;
  Case (*make)(const Trial&);
  std::vector<Case> cases{};

  void add(const Trial& t) {
    if (t.valid(base)) cases.push_back(make(t));
  }
  void both(Trial t) {  // without and with targets
    add(t);
    t.targets = t.n / 2 + 3;
    if (takes_targets(base)) add(t);
  }
  void far(Trial t) {
    for (const FarKernel& f : far_kernels()) {
      t.kernel = {f.size, f.stride, f.padding, f.dilation}, t.sites = f.sites, t.coords = f.coords;
      both(t);
    }
  }
};

// A size worth timing: every row active, as many channels out as in.
ConvTrial timed(std::int64_t n, std::int64_t channels, Dtype, std::string sites, const ConvKernel&);

// Calls that every such row refuses. `good` describes a valid call of 8 rows, 3 channels to 5.
std::vector<Reject> conv_rejects(RelationKind base, const Case& good);

}  // namespace plumb::reference
