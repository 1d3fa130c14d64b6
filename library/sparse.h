// Sparse tensors above the rows: who owns coordinates, when two tensors share them, and which row an operation runs.
//
// Nothing here computes. Every feature and every coordinate comes out of a row's route, through the gate of
// make_call; this layer decides which row runs, on which coordinates, and what identity its result has. What each
// operation means is the `meaning` of its row (docs/ops/sparse.md).
//
// Shapes: N rows of room of which the first are active, C, Cin and Cout channels, K kernel rows counted z fastest.
// Coordinates are (N,4), rows (batch, x, y, z) of i32 or i64; features (N,C), f16 or f32 unless a row takes more.
// A wrong shape, dtype or attribute is an Error that names the row; nothing is computed then.
#pragma once

#include <array>
#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/op.h"

namespace plumb::lattice {

using Triple = std::array<std::int64_t, 3>;

// By axis x, y, z. Sizes, strides and dilations are at least 1, paddings at least 0: else Error(attribute).
struct KernelSpec {
  Triple size{3, 3, 3}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  bool is_pointwise() const;             // every size, stride and dilation 1, no padding
  bool is_centered_submanifold() const;  // stride 1, no padding, every size odd
  auto operator<=>(const KernelSpec&) const = default;
};

// What leads from one set of coordinates (or two) to another: a kernel, or a join.
enum class Kind : std::uint8_t {
  forward,
  submanifold,
  target,
  transposed,
  generative,
  target_transposed,
  inner,
  left,
  right,
  outer
};

// Names one set of coordinates of one manager. Compared by value.
struct CoordinateKey {
  std::int64_t id = -1;
  Triple stride{1, 1, 1};
  std::uint64_t manager = 0;
  auto operator<=>(const CoordinateKey&) const = default;
};

// How a call is run: on its natural route unless told otherwise.
// It gets the call of a row and returns that row's outputs.
using Runner = std::function<std::vector<Tensor>(const Call&)>;
std::vector<Tensor> naturally(const Call&);
// Forced where the op has this route: Error(unsupported) where the route refuses. Other ops run naturally. Throws
// Error(query) for a name that no op has.
Runner on_route(std::string_view name);

// Owns coordinate arrays and remembers what relations gave. Not for several threads at once.
class CoordinateManager {
 public:
  struct RelationKey {
    CoordinateKey source;
    std::optional<CoordinateKey> target;
    KernelSpec spec;
    Kind kind = Kind::forward;
    auto operator<=>(const RelationKey&) const = default;
  };
  struct Counters {
    std::int64_t builds = 0, hits = 0;
  };

  CoordinateManager();
  CoordinateManager(const CoordinateManager&) = delete;
  CoordinateManager& operator=(const CoordinateManager&) = delete;

  std::uint64_t id() const { return id_; }

  // The key of this very array (storage, place and shape, not values) at this stride; with the same count of
  // active rows, an array too, or without one. What is inserted is kept alive, so no other array can take its place.
  // Throws Error(domain) for a count that is negative or beyond the rows.
  CoordinateKey insert(const Tensor& coords, Triple stride = {1, 1, 1}, const Tensor& active_rows = {});
  bool owns(const CoordinateKey&) const;
  const Tensor& coords(const CoordinateKey&) const;  // these throw Error(query) for a key of another manager
  const Tensor& active_rows(const CoordinateKey&) const;

  // The key of the coordinates that a row computed for a relation: that of the first result while it is remembered.
  // Throws Error(domain) if a later result differs, because the source was changed in place.
  CoordinateKey output(const RelationKey&, Triple stride, const Tensor& coords, const Tensor& active_rows);

  // The outputs of the relation's row, run once while it is remembered. Throws Error(unsupported) where no row is.
  std::vector<Tensor> relation(const RelationKey&, const Runner& = naturally);

  void remember(bool on);             // off: every call builds and every output has a key of its own
  void clear();                       // forgets the relations
  void forget(const CoordinateKey&);  // and these coordinates with every relation of theirs
  Counters counters() const { return counters_; }
  std::size_t relations() const { return outputs_.size() + relations_.size(); }
  std::size_t sets() const { return sets_.size(); }

 private:
  struct Array {  // identity of an array: where it lies and how it is read
    const void* storage = nullptr;
    std::int64_t offset = 0;
    Shape shape;
    Strides strides;
    Dtype dtype = Dtype::i32;
    auto operator<=>(const Array&) const = default;
  };
  struct Identity {
    Array coords;
    std::optional<Array> active;
    Triple stride{};
    auto operator<=>(const Identity&) const = default;
  };
  struct Set {
    Identity identity;
    Tensor coords, active_rows;
  };
  static Array identity(const Tensor&);
  const Set& set(const CoordinateKey&) const;

  std::uint64_t id_;
  std::int64_t next_ = 0;
  bool remembers_ = true;
  std::map<std::int64_t, Set> sets_;
  std::map<Identity, std::int64_t> known_;
  std::map<RelationKey, CoordinateKey> outputs_;
  std::map<RelationKey, std::vector<Tensor>> relations_;
  Counters counters_;
};
using ManagerPtr = std::shared_ptr<CoordinateManager>;

struct Metadata {
  Triple stride{1, 1, 1};
  ManagerPtr manager = {};                          // none: one of its own
  std::optional<CoordinateKey> key = std::nullopt;  // of this manager; none: the coordinates are inserted
  std::optional<std::vector<std::int64_t>> batch_counts = std::nullopt;  // rows of each batch, all N of them
  Tensor active_rows = {};  // (1,) i32; undefined: that of the key, or all rows
};

// Coordinates (N,4) with features (N,C). Rows from the active count on are padding. Immutable.
class SparseTensor {
 public:
  // Throws Error of arity, rank, shape or dtype for coordinates, features, counts or batches that do not fit together,
  // Error(domain) for a count of active rows beyond N, Error(query) for a key that names other coordinates.
  SparseTensor(Tensor coords, Tensor feats, Metadata = {});

  const Tensor& coords() const { return coords_; }
  const Tensor& feats() const { return feats_; }
  const Triple& stride() const { return data_.stride; }
  const ManagerPtr& manager() const { return data_.manager; }
  const CoordinateKey& key() const { return *data_.key; }
  const std::optional<std::vector<std::int64_t>>& batch_counts() const { return data_.batch_counts; }
  const Tensor& active_rows() const { return data_.active_rows; }
  std::int64_t capacity() const { return coords_.dim(0); }
  std::int64_t channels() const { return feats_.dim(1); }

  std::int64_t active_count() const;                          // read; throws Error(domain) unless it is in [0, N]
  std::vector<std::vector<std::int64_t>> batch_rows() const;  // active rows of each batch, ascending

  // True iff manager and key are the same; values are never compared.
  bool same_coords(const SparseTensor&) const;
  SparseTensor reuse_coords_from(const SparseTensor&) const;  // throws Error(query) unless same_coords
  SparseTensor with_features(Tensor feats) const;             // keeps identity and metadata
  SparseTensor with_stride(Triple) const;                     // another key, the same rows active; no batch counts
  SparseTensor with_coords(Tensor coords, Tensor active_rows = {}) const;  // another key; no batch counts
  SparseTensor astype(Dtype) const;

 private:
  Tensor coords_, feats_;
  Metadata data_;
};

// Where the outputs lie, if not where the relation puts them: a tensor or a key of the output's stride, or an
// array of coordinates that is taken to be in units of that stride.
using Target = std::variant<std::monostate, SparseTensor, CoordinateKey, Tensor>;

// What a convolution multiplies by: a dense weight, also one whose norm over the rows that were met divides the sum;
// or codes with scales and biases.
struct Weight {
  Tensor values;  // (K,Cin,Cout), (Cout,Kx,Ky,Kz,Cin), pointwise (Cout,Cin); or u32 codes as quantize_weight packs them
  Tensor scales = {}, biases = {};  // of packed codes, as quantize_weight gives them; else undefined
  std::int64_t bits = 4;
  std::optional<double> eps = std::nullopt;  // normalised

  Weight(Tensor dense) : values(std::move(dense)) {}  // NOLINT: a tensor is a weight
  Weight(Tensor codes, Tensor s, Tensor b, std::int64_t of_bits)
      : values(std::move(codes)), scales(std::move(s)), biases(std::move(b)), bits(of_bits) {}
  static Weight normalized(Tensor dense, double eps = 1e-8);
  bool packed() const { return scales.defined(); }
};

// Convolutions. Features (N,Cin) become (R,Cout); bias is (Cout) or undefined. The result lies on the target if one is
// given, else where the relation puts it: subm_conv3d on the sites of x, conv3d on coarser ones (the stride of x times
// that of the spec), the transposed ones on finer ones (divided by it, Error(attribute) where it does not divide). A
// kernel of one point with nothing else asked is a linear map of each row. Error(unsupported): a normalised weight in
// conv3d, packed ones in a transposed convolution with a target.
SparseTensor conv3d(const SparseTensor& x, const Weight&, const Tensor& bias, const KernelSpec&, const Target& = {},
                    const Runner& = naturally);
SparseTensor subm_conv3d(const SparseTensor& x, const Weight&, const Tensor& bias, Triple size,
                         Triple dilation = {1, 1, 1}, const Runner& = naturally);
SparseTensor conv_transpose3d(const SparseTensor& x, const Weight&, const Tensor& bias, const KernelSpec&,
                              const Target& = {}, const Runner& = naturally);
SparseTensor generative_conv_transpose3d(const SparseTensor& x, const Weight&, const Tensor& bias, Triple size,
                                         Triple stride, const Target& = {}, const Runner& = naturally);

// Over the same relations without weights: (N,C) to (R,C). pool3d goes to coarser sites, the other two to finer ones.
enum class Pool : std::uint8_t { sum, max, avg };
SparseTensor pool3d(Pool, const SparseTensor& x, const KernelSpec& = {.size = {2, 2, 2}, .stride = {2, 2, 2}},
                    const Runner& = naturally);
SparseTensor pool_transpose3d(const SparseTensor& x, const KernelSpec& = {.size = {2, 2, 2}, .stride = {2, 2, 2}},
                              const Target& = {}, const Runner& = naturally);
SparseTensor trilinear_upsample3d(const SparseTensor& x, Triple stride = {2, 2, 2}, const Target& = {},
                                  const Runner& = naturally);

// X W^T + bias on every row; W is (Cout,Cin), or packed; bias (Cout) or undefined.
SparseTensor linear(const SparseTensor& x, const Weight&, const Tensor& bias, const Runner& = naturally);
// `kind`: a word that the attribute of that name of the row `activation` takes, such as relu, gelu or silu.
SparseTensor activation(const SparseTensor& x, std::string_view kind, const Runner& = naturally);

// (B,C): by the batch counts if there are any, else by column 0, up to the greatest batch if no size is given.
Tensor global_pool(Pool, const SparseTensor& x, std::optional<std::int64_t> batch_size = {}, const Runner& = naturally);

// Tensors of one stride (else Error(attribute)), joined by coordinate: inner, left, right or outer. What one of them
// lacks is filled in with a value. Where both have one identity the rows correspond as they are: join and fills play no
// part, and identity and batch counts are the left one's.
struct Join {
  Kind kind = Kind::outer;
  double lhs_fill = 0, rhs_fill = 0;
};
SparseTensor sparse_binary(std::string_view op, const SparseTensor& lhs, const SparseTensor& rhs, const Join& = {},
                           const Runner& = naturally);  // add, sub, mul, maximum, minimum
// (N,A) and (M,B) become (R,A+B).
SparseTensor sparse_cat(const SparseTensor& lhs, const SparseTensor& rhs, Kind join = Kind::inner,
                        const Runner& = naturally);
// The features of x on the sites of target, `fill` where x has none.
SparseTensor reindex(const SparseTensor& x, const SparseTensor& target, double fill = 0, const Runner& = naturally);

SparseTensor operator+(const SparseTensor&, const SparseTensor&);  // outer joins
SparseTensor operator-(const SparseTensor&, const SparseTensor&);
SparseTensor operator*(const SparseTensor&, const SparseTensor&);  // an inner join

}  // namespace plumb::lattice
