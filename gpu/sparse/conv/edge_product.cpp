#include "gpu/sparse/conv/edge_product.h"

#include <algorithm>

#include "gpu/sparse/conv/convolution.h"

namespace plumb::gpu {
namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

constexpr Limit kTile{"gpu.edge_product.tile", 128, 7};               // edges of a work-group at most
constexpr Limit kGroups{"gpu.edge_product.groups", 1056, 12};         // work-groups that occupy a large device
constexpr Limit kLeastEdges{"gpu.edge_product.least_edges", 512, 6};  // of a part
constexpr Limit kColumnRows{"gpu.edge_product.column_rows", 256, 8},
    kColumnParts{"gpu.edge_product.column_parts", 512, 2};

Kernel index_kernel(std::string_view name) { return Kernel("edge_product", name, {"INDEX"}); }

std::vector<std::int32_t> downloaded(const BufferPtr& b) {
  std::vector<std::int32_t> v(b->bytes() / sizeof(std::int32_t));
  b->download(reinterpret_cast<std::byte*>(v.data()));
  return v;
}

// Edge numbers by kernel row, then the rows of each edge in that order.
void add_kernel_groups(Steps& s, std::int64_t capacity, KernelEdges& e) {
  const std::int64_t kernels = e.geometry.kernels, runs = runs_of(capacity);
  const BufferPtr matrix = ints(kernels * runs), placed = ints(kernels * runs + 1), ids = ints(capacity);
  e.device_offsets = ints(kernels + 1), e.rank = ints(capacity), e.in = ints(capacity), e.out = ints(capacity);
  Kernel count = relation_kernel("count_keys"), place = relation_kernel("place_keys"),
         rank = index_kernel("rank_edges");
  count.arg(e.numbered.kernel).arg(e.counts).arg(small(kernels)).arg(small(runs)).arg(matrix);
  s.run(count, kernels, runs);
  s.scan(matrix, false, kernels * runs, placed);
  place.arg(e.numbered.kernel)
      .arg(e.counts)
      .arg(small(kernels))
      .arg(small(runs))
      .arg(placed)
      .arg(e.device_offsets)
      .arg(ids);
  s.run(place, kernels, runs);
  rank.arg(ids).arg(e.numbered.in).arg(e.numbered.out).arg(e.counts).arg(capacity).arg(e.rank).arg(e.in).arg(e.out);
  s.run(rank, capacity);
}

// Tiles of edges that share a kernel row: (kernel row, first edge, one past the last).
std::vector<std::int32_t> tiles_of(const KernelEdges& e) {
  std::vector<std::int32_t> tiles;
  for (std::size_t k = 0; k + 1 < e.offsets.size(); ++k) {
    const std::int32_t end = e.offsets[k + 1];
    const std::int32_t tile = small(kTile.of(end - e.offsets[k]));
    for (std::int32_t first = e.offsets[k]; first < end; first += std::min(tile, end - first))
      tiles.insert(tiles.end(), {small(static_cast<std::int64_t>(k)), first, first + std::min(tile, end - first)});
  }
  return tiles;
}

// The operands of products as kernels want them: whole steps of channels and whole panels of columns.
struct Panel {
  std::int64_t width, depth, padded_a, padded_n;
  std::string_view family;
  Options options;

  explicit Panel(const Sum& s)
      : width(s.columns <= 16   ? 16
              : s.columns <= 32 ? 32
                                : 64),
        depth(!s.matrix || s.channels <= 16 ? 16 : 32),
        padded_a(divide_up(s.channels, depth) * depth),
        padded_n(divide_up(s.columns, width) * width),
        family(s.matrix ? "edge_product_mma" : "edge_product"),
        options(s.matrix ? Options{{"COLUMNS", width}, {"DEPTH", depth}, {"BY_EIGHTS", s.channels % 8 == 0}}
                         : Options{{"X", s.dtype}, {"COLUMNS", width}, {"BY_FOURS", s.channels % 4 == 0}}) {}
};

// [kernel row][channel][column] in f32, or [kernel row][column][channel] in f16; zeros beyond.
BufferPtr add_packed(Steps& s, const KernelEdges& e, const Factor& f, const Sum& sum, const Panel& p) {
  const std::int64_t size = e.geometry.kernels * p.padded_a * p.padded_n;
  BufferPtr packed = scratch(static_cast<std::size_t>((sum.matrix ? 2 : 4) * size));
  Kernel k(p.family, "pack_weight", p.options);
  k.arg(f.weight).arg(packed).arg(size).arg(small(sum.channels)).arg(small(sum.columns)).arg(small(p.padded_a));
  s.run(k.arg(small(p.padded_n)).arg(f.strides.kernel).arg(f.strides.channel).arg(f.strides.column), size);
  return packed;
}

}  // namespace

KernelEdges::KernelEdges(const Call& call, RelationKind base) : geometry(call, kind_of(call, base)) {
  inputs = Rows(call["coords"], call["active_rows"]);
  Rows to;
  if (given_targets(call)) to = Rows(call["target_coords"], call["target_active_rows"]);
  const bool spreads = geometry.scatters();
  const std::int64_t room = spreads               ? inputs.capacity * geometry.kernels
                            : given_targets(call) ? to.capacity
                                                  : inputs.capacity;
  const std::int64_t capacity = spreads ? room : room * geometry.kernels;
  coords = scratch(static_cast<std::size_t>(room * (inputs.wide ? 32 : 16)));
  counts = ints(2);
  numbered = {ints(capacity), ints(capacity), ints(capacity), counts, ints(room + 1), coords};
  Steps s;
  s.fill(counts, 0);
  position = add_edges(s, geometry, inputs, to, room, numbered);
  add_kernel_groups(s, capacity, *this);
  s.enqueue();
  const std::vector<std::int32_t> n = downloaded(counts);
  edges = n[0], outputs = n[1];
  offsets = downloaded(device_offsets);
}

Destinations by_output(const KernelEdges& e) { return {e.outputs, e.numbered.offsets, e.rank, e.numbered.kernel}; }

Destinations by_input(const KernelEdges& e) {
  Steps s;
  Destinations d{e.inputs.capacity, ints(e.inputs.capacity + 1), ints(e.edges), ints(e.edges)};
  const BufferPtr ids = ints(e.edges);
  add_input_groups(s, e.geometry, e.inputs, e.edges, e.numbered, e.position, d.offsets, ids);
  Kernel k = index_kernel("place_ranks");
  s.run(k.arg(ids).arg(e.rank).arg(e.numbered.kernel).arg(e.edges).arg(d.place).arg(d.kernel), e.edges);
  s.enqueue();
  finish();
  return d;
}

WeightStrides weight_strides(const Request& r) {
  const Shape& w = r.shape(r.index("weight"));
  if (r.text("weight_layout") == "dense_5d") return {w[4], 1, w[1] * w[2] * w[3] * w[4]};
  return {w[1] * w[2], w[2], 1};
}

// Columns in panels, so that the products of all edges of one panel are all that is held.
void add_sums(Steps& s, const KernelEdges& e, const Destinations& d, const Sum& sum) {
  if (d.rows == 0 || sum.columns == 0) return;
  const Panel p(sum);
  std::vector<BufferPtr> packed;
  for (const Factor& f : sum.factors) packed.push_back(add_packed(s, e, f, sum, p));
  const std::vector<std::int32_t> table = tiles_of(e);
  const BufferPtr tiles = constants(table), products = scratch(static_cast<std::size_t>(4 * e.edges * p.width));
  const auto groups = static_cast<std::size_t>(table.size() / 3 * 128);
  const bool pair = sum.factors.size() > 1;
  const Options options{{"X", sum.dtype}, {"COLUMNS", p.width}, {"NORMALIZED", sum.norms != nullptr}};
  for (std::int64_t column = 0; column < sum.columns; column += p.width) {
    Kernel multiply(p.family, "multiply_edges", p.options);
    multiply.arg(sum.factors[0].rows)
        .arg(packed[0])
        .arg(sum.factors[pair].rows)
        .arg(packed[pair])
        .arg(std::int32_t{pair ? 2 : 1});
    multiply.arg(sum.source)
        .arg(tiles)
        .arg(small(sum.channels))
        .arg(small(p.padded_a))
        .arg(small(p.padded_n))
        .arg(small(column));
    multiply.arg(products);
    s.add([multiply, groups] { multiply.run({groups}, {128}); });
    Kernel add("edge_product", "add_products", options);
    const std::int64_t quads = divide_up(std::min(p.width, sum.columns - column), 4);
    add.arg(products)
        .arg(d.offsets)
        .arg(d.place)
        .arg(d.rows)
        .arg(small(quads))
        .arg(small(sum.columns))
        .arg(small(column));
    add.arg(sum.bias ? sum.bias : tiles).arg(std::int32_t{sum.bias != nullptr}).arg(sum.y);
    if (sum.norms) add.arg(sum.norms).arg(d.kernel).arg(sum.eps);
    s.run(add, d.rows * quads);
  }
}

namespace {
// partial (kernels, parts, rows, columns) to the output's dtype and layout
void add_parts(Steps& s, const BufferPtr& partial, std::int64_t parts, std::int64_t kernels, std::int64_t rows,
               std::int64_t columns, const WeightStrides& to, const Tensor& out, const Options& options) {
  Kernel k("edge_product", "add_parts", options);
  const std::int64_t size = kernels * rows * columns;
  k.arg(partial)
      .arg(small(parts))
      .arg(size)
      .arg(small(rows))
      .arg(small(columns))
      .arg(to.kernel)
      .arg(to.channel)
      .arg(to.column);
  s.run(k.arg(output(out)), size);
}
}  // namespace

void add_row_products(Steps& s, const RowProducts& p, const WeightStrides& to, const Tensor& out) {
  if (out.size() == 0) return;
  const std::int64_t widest = std::max(p.rows, p.columns), tile = widest <= 16 && !p.matrix ? 16
                                                                  : widest <= 32            ? 32
                                                                                            : 64;
  const std::int64_t tiles = divide_up(p.rows, tile) * divide_up(p.columns, tile);
  // Enough work-groups for a large device, and enough edges for each of them.
  const std::int64_t worth = std::max<std::int64_t>(1, p.longest / kLeastEdges.of(p.longest));
  const std::int64_t parts =
      std::clamp<std::int64_t>(kGroups.of(tiles * p.kernels * worth) / (tiles * p.kernels), 1, worth);
  const Options options{{"X", p.dtype}, {"TILE", tile}, {"EVERY_ROW", p.x_rows == nullptr}};
  const BufferPtr partial = scratch(static_cast<std::size_t>(4 * p.kernels * parts * p.rows * p.columns));
  Options matrix = options;
  matrix.add({"DEPTH", 32}).add({"BY_EIGHTS", (p.rows | p.columns) % 8 == 0});
  Kernel k(p.matrix ? "edge_product_mma" : "edge_product", "multiply_parts", p.matrix ? matrix : options);
  k.arg(p.x).arg(p.g).arg(p.x_rows ? p.x_rows : p.offsets).arg(p.g_rows ? p.g_rows : p.offsets).arg(p.offsets);
  k.arg(small(parts)).arg(small(p.rows)).arg(small(p.columns)).arg(partial);
  const auto x = static_cast<std::size_t>(128 * tiles), y = static_cast<std::size_t>(p.kernels * parts);
  s.add([k, x, y] { k.run({x, y}, {128, 1}); });
  add_parts(s, partial, parts, p.kernels, p.rows, p.columns, to, out, options);
}

void add_column_sums(Steps& s, const BufferPtr& g, std::int64_t rows, Dtype dtype, const Tensor& out) {
  const std::int64_t columns = out.size();
  if (columns == 0) return;
  const std::int64_t wanted = rows / kColumnRows.of(rows);
  const std::int64_t parts = std::clamp<std::int64_t>(wanted, 1, kColumnParts.of(wanted));
  const Options options{{"X", dtype}, {"TILE", 16}};
  const BufferPtr partial = scratch(static_cast<std::size_t>(4 * parts * columns));
  Kernel k("edge_product", "sum_columns", options);
  s.run(k.arg(g).arg(rows).arg(small(columns)).arg(small(parts)).arg(partial), parts * columns);
  add_parts(s, partial, parts, 1, 1, columns, {0, 0, 1}, out, options);
}

namespace {
void add_copy(Steps& s, const BufferPtr& from, const Tensor& to) {
  const auto words = static_cast<std::int64_t>(to.storage().bytes() / sizeof(std::int32_t));
  s.run(relation_kernel("copy_ints").arg(from).arg(output(to)).arg(words), words);
}
}  // namespace

Sum begin_outputs(Steps& s, const Call& call, const KernelEdges& e, const std::vector<Tensor>& out) {
  add_copy(s, e.coords, out[0]);
  add_copy(s, e.counts, out[2]);
  Sum sum;
  sum.source = e.in;
  sum.channels = call.shape(call.index("features"))[1], sum.columns = out[1].dim(1);
  sum.dtype = out[1].dtype();
  sum.y = output(out[1]);
  return sum;
}

}  // namespace plumb::gpu
