// Relations on the device: hash tables and scans, no transfer but that of the counts of active rows.
#include "gpu/sparse/sites/relation.h"
#include "core/with_last.h"

#include <algorithm>
#include <bit>

namespace plumb {
namespace gpu {
namespace {

// As in relation.cl: work-items of a scan, elements of each, and edges per work-item of a counting sort.
constexpr Limit kScanItems{"gpu.relation.scan_items", 256, 16}, kScanEach{"gpu.relation.scan_each", 8, 2};
constexpr Limit kRun{"gpu.relation.run", 2048, 48};
constexpr Limit kLeastBits{"gpu.relation.least_bits", 8, 5}, kMostBits{"gpu.relation.most_bits", 18, 5};
// One size for all: a device that compiles a kernel anew for each group size does so once.
constexpr std::size_t kGroup = 128;

enum Mode : std::int32_t { kRows, kFloored, kReached };

// A table of n elements of rows.
Table add_table(Steps& s, const BufferPtr& rows, std::int32_t wide, Mode mode, std::int64_t kernels, std::int64_t n,
                const BufferPtr& geometry) {
  const std::uint64_t slots = std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(2 * n, 2)));
  Table t{scratch(8 * slots), static_cast<std::uint32_t>(slots - 1)};
  s.fill(t.slots, 0xFF);
  Kernel k = relation_kernel("insert");
  k.arg(rows).arg(wide).arg(std::int32_t{mode}).arg(static_cast<std::int32_t>(kernels)).arg(geometry).arg(n);
  s.run(k.arg(t.slots).arg(t.mask), n);
  return t;
}

// A table of blocks of sites, and the lowest row of each site in it.
struct Blocks {
  BufferPtr table, lowest;
  std::uint32_t mask = 0;
};

Blocks add_blocks(Steps& s, const Rows& rows) {
  const std::int64_t n = rows.active;
  const std::uint64_t slots = std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(2 * n, 2)));
  Blocks b{scratch(16 * slots), ints(n), static_cast<std::uint32_t>(slots - 1)};
  const BufferPtr slot_of = ints(n), used = ints(1);
  s.fill(b.table, 0);
  s.fill(b.lowest, 0xFF);
  s.fill(used, 0);
  s.run(relation_kernel("mark_blocks").arg(rows.data).arg(rows.wide).arg(n).arg(b.table).arg(b.mask).arg(slot_of), n);
  s.run(relation_kernel("place_blocks").arg(slot_of).arg(n).arg(b.table).arg(used), n);
  s.run(relation_kernel("number_cells").arg(rows.data).arg(rows.wide).arg(n).arg(b.table).arg(slot_of).arg(b.lowest),
        n);
  return b;
}

std::int64_t wrapped(std::uint64_t x) { return static_cast<std::int64_t>(x); }

// What each kernel row adds to an output's site: (index - centre) * dilation - padding, or the negative if `inverse`.
std::vector<std::int64_t> shifts(const Geometry& g, bool inverse) {
  const std::int64_t* size = g.values.data();
  std::vector<std::int64_t> f;
  f.reserve(static_cast<std::size_t>(3 * g.kernels));
  for (std::int64_t k = 0; k < g.kernels; ++k) {
    const std::int64_t index[3] = {k / (size[1] * size[2]), k / size[2] % size[1], k % size[2]};
    for (std::size_t a = 0; a < 3; ++a) {
      const auto i = static_cast<std::uint64_t>(index[a] - g.values[12 + a]),
                 d = static_cast<std::uint64_t>(g.values[9 + a]);
      const std::uint64_t v = i * d - static_cast<std::uint64_t>(g.values[6 + a]);
      f.push_back(wrapped(inverse ? 0 - v : v));
    }
  }
  return f;
}

// Five adjacent sites meet at most two blocks of four.
bool compact(const Geometry& g, bool inverse) {
  bool all = !inverse;
  for (std::size_t a = 0; a < 3; ++a)
    all = all && (g.values[a] == 1 || (g.values[a] <= 5 && (g.values[a] - 1) * g.values[9 + a] <= 4));
  return all;
}

struct Numbered {
  BufferPtr first, number;
};

// Numbers the distinct sites of n elements in first-seen order and stores them as the outputs.
Numbered add_numbers(Steps& s, const Geometry& g, const Rows& rows, Mode mode, std::int64_t n,
                     const BufferPtr& geometry, const BufferPtr& out_coords, const BufferPtr& counts) {
  const Table t = add_table(s, rows.data, rows.wide, mode, g.kernels, n, geometry);
  const BufferPtr flag = ints(n);
  Numbered r{ints(n), ints(n + 1)};
  const auto kernels = static_cast<std::int32_t>(g.kernels);
  Kernel find = relation_kernel("find_first");
  find.arg(rows.data).arg(rows.wide).arg(std::int32_t{mode}).arg(kernels).arg(geometry).arg(n);
  s.run(find.arg(t.slots).arg(t.mask).arg(r.first).arg(flag), n);
  s.scan(flag, false, n, r.number);
  Kernel store = relation_kernel("number_sites");
  store.arg(rows.data).arg(rows.wide).arg(std::int32_t{mode}).arg(kernels).arg(geometry).arg(n);
  s.run(store.arg(flag).arg(r.number).arg(out_coords).arg(counts), std::max<std::int64_t>(n, 1));
  return r;
}

void add_gathered(Steps& s, const Geometry& g, const Rows& in, const Rows& targets, std::int64_t out_capacity,
                  const Edges& e) {
  const BufferPtr map = add_map(s, g, in, targets, out_capacity, e.out_coords, e.counts);
  const std::int64_t cells = out_capacity * g.kernels;
  const BufferPtr position = ints(cells + 1);
  s.scan(map, true, cells, position);
  Kernel k = relation_kernel("list_edges");
  k.arg(map).arg(position).arg(out_capacity).arg(static_cast<std::int32_t>(g.kernels));
  s.run(k.arg(e.in).arg(e.out).arg(e.kernel).arg(e.offsets).arg(e.counts), cells + 1);
}

void add_spread(Steps& s, const Geometry& g, const Rows& in, const BufferPtr& geometry, const Edges& e) {
  Kernel k = relation_kernel("spread");
  k.arg(in.data).arg(in.wide).arg(static_cast<std::int32_t>(g.kernels)).arg(geometry).arg(in.active);
  s.run(k.arg(e.in).arg(e.out).arg(e.kernel).arg(e.counts).arg(e.offsets).arg(e.out_coords), in.active * g.kernels + 1);
}

BufferPtr add_merged(Steps& s, const Geometry& g, const Rows& in, const BufferPtr& geometry, const Edges& e) {
  const std::int64_t cells = in.active * g.kernels;
  const auto kernels = static_cast<std::int32_t>(g.kernels);
  const Numbered sites = add_numbers(s, g, in, kReached, cells, geometry, e.out_coords, e.counts);
  const BufferPtr output = ints(cells), degree = ints(cells), cursor = ints(cells), codes = ints(cells);
  s.fill(degree, 0);
  s.run(relation_kernel("merge_outputs")
            .arg(sites.first)
            .arg(sites.number)
            .arg(cells)
            .arg(output)
            .arg(degree)
            .arg(e.counts),
        std::max<std::int64_t>(cells, 1));
  s.scan(degree, false, cells, e.offsets);
  s.run(relation_kernel("copy_ints").arg(e.offsets).arg(cursor).arg(cells), cells);
  s.run(relation_kernel("place_candidates").arg(output).arg(in.active).arg(kernels).arg(cursor).arg(codes), cells);
  s.run(relation_kernel("sort_groups").arg(e.offsets).arg(cells).arg(codes), cells);
  BufferPtr position = ints(cells);
  Kernel list = relation_kernel("list_merged");
  list.arg(codes).arg(output).arg(in.active).arg(kernels).arg(e.in).arg(e.out).arg(e.kernel).arg(position);
  s.run(list, cells);
  return position;
}

}  // namespace

// Only inputs of gathering kinds have a varying number of edges.
void add_input_groups(Steps& s, const Geometry& g, const Rows& in, std::int64_t edge_capacity, const Edges& e,
                      const BufferPtr& position, const BufferPtr& offsets, const BufferPtr& ids) {
  if (g.scatters()) {
    const std::int64_t cells = in.active * g.kernels;
    s.run(relation_kernel("full_offsets")
              .arg(in.active)
              .arg(in.capacity)
              .arg(static_cast<std::int32_t>(g.kernels))
              .arg(offsets),
          in.capacity + 1);
    s.run(relation_kernel("copy_ints").arg(position ? position : e.out).arg(ids).arg(cells), cells);
    if (position) s.run(relation_kernel("sort_groups").arg(offsets).arg(in.active).arg(ids), in.active);
    return;
  }
  const BufferPtr degree = ints(in.capacity), cursor = ints(in.capacity);
  s.fill(degree, 0);
  s.run(relation_kernel("count_groups").arg(e.in).arg(e.counts).arg(edge_capacity).arg(degree), edge_capacity);
  s.scan(degree, false, in.capacity, offsets);
  s.run(relation_kernel("copy_ints").arg(offsets).arg(cursor).arg(in.capacity), in.capacity);
  s.run(relation_kernel("place_groups").arg(e.in).arg(e.counts).arg(edge_capacity).arg(cursor).arg(ids), edge_capacity);
  s.run(relation_kernel("sort_groups").arg(offsets).arg(in.capacity).arg(ids), in.capacity);
}

namespace {

void add_kernel_groups(Steps& s, const Geometry& g, std::int64_t edge_capacity, const Edges& e,
                       const BufferPtr& offsets, const BufferPtr& ids) {
  const std::int64_t runs = runs_of(edge_capacity);
  const auto keys = static_cast<std::int32_t>(g.kernels);
  const BufferPtr matrix = ints(g.kernels * runs), placed = ints(g.kernels * runs + 1);
  s.run(relation_kernel("count_keys")
            .arg(e.kernel)
            .arg(e.counts)
            .arg(keys)
            .arg(static_cast<std::int32_t>(runs))
            .arg(matrix),
        g.kernels, runs);
  s.scan(matrix, false, g.kernels * runs, placed);
  Kernel place = relation_kernel("place_keys");
  place.arg(e.kernel).arg(e.counts).arg(keys).arg(static_cast<std::int32_t>(runs)).arg(placed).arg(offsets).arg(ids);
  s.run(place, g.kernels, runs);
}

}  // namespace

Geometry::Geometry(const Request& r, RelationKind k) : kind(k) {
  const std::pair<std::string_view, std::int64_t> attrs[] = {
      {"kernel_size", 1}, {"stride", 1}, {"padding", 0}, {"dilation", 1}};
  for (const auto& [attr, fallback] : attrs) {
    std::vector<std::int64_t> v{fallback};
    if (r.attrs.find(attr)) v = r.list(attr);
    if (v.size() == 1) v.assign(3, v[0]);
    values.insert(values.end(), v.begin(), v.end());
  }
  const bool centred = !scatters() && kind != RelationKind::target_transposed;
  for (std::size_t a = 0; a < 3; ++a) {
    kernels *= values[a];
    values.push_back(centred && values[a] % 2 == 1 ? values[a] / 2 : 0);
  }
}

bool Geometry::identity() const {
  if (kind == RelationKind::submanifold) return true;
  bool unit = kind == RelationKind::forward;
  for (std::size_t a = 0; a < 3; ++a) unit = unit && values[3 + a] == 1 && values[6 + a] == 0;
  return unit;
}

bool Geometry::merges() const {
  bool apart = true;
  for (std::size_t a = 0; a < 3; ++a) apart = apart && values[3 + a] > (values[a] - 1) * values[9 + a];
  return kind == RelationKind::transposed && !apart;
}

Rows::Rows(const Tensor& coords, const Tensor& count) {
  data = dense(coords);
  wide = coords.dtype() == Dtype::i64;
  capacity = coords.dim(0);
  active = count.read<std::int32_t>()[0];
}

void Steps::run(Kernel kernel, std::int64_t items) {
  add([kernel = std::move(kernel), items] { kernel.run({static_cast<std::size_t>(items)}, {kGroup}); });
}
void Steps::run(Kernel kernel, std::int64_t x, std::int64_t y) {
  add([kernel = std::move(kernel), x, y] {
    kernel.run({static_cast<std::size_t>(x), static_cast<std::size_t>(y)}, {kGroup / 8, 8});
  });
}
void Steps::fill(const BufferPtr& b, std::uint8_t byte) {
  add([b, byte] { fill_byte(b, byte); });
}

void Steps::scan(const BufferPtr& in, bool present, std::int64_t n, const BufferPtr& out) {
  const std::int64_t items = kScanItems.of(n + 1), each = items * kScanEach.of((n + items) / items);
  const std::int64_t length = n + 1, groups = (length + each - 1) / each;
  const BufferPtr sums = ints(groups);
  Kernel blocks = relation_kernel("scan_blocks");
  blocks.arg(in).arg(std::int32_t{present}).arg(n).arg(out).arg(sums).arg(length);
  add([blocks, items = static_cast<std::size_t>(items), n_groups = static_cast<std::size_t>(groups)] {
    blocks.run({n_groups * items}, {items});
  });
  if (groups == 1) return;
  const BufferPtr before = ints(groups + 1);
  scan(sums, false, groups, before);
  run(relation_kernel("add_blocks").arg(out).arg(before).arg(length), length);
}

Table add_table(Steps& s, const BufferPtr& rows, std::int32_t wide, std::int64_t n) {
  return add_table(s, rows, wide, kRows, 1, n, constants(std::vector<std::int64_t>{0}));
}

Kernel relation_kernel(std::string_view name) {
  return Kernel("relation", name, {{"ITEMS", kScanItems}, {"EACH", kScanEach}, {"RUN", kRun}});
}

std::int64_t runs_of(std::int64_t edges) {
  const std::int64_t run = kRun.of(edges);
  return std::max<std::int64_t>(1, (edges + run - 1) / run);
}

BufferPtr ints(std::int64_t n) { return scratch(static_cast<std::size_t>(4 * n)); }

BufferPtr add_map(Steps& s, const Geometry& g, const Rows& in, const Rows& targets, std::int64_t out_capacity,
                  const BufferPtr& out_coords, const BufferPtr& counts, const Ordering* ordering) {
  const BufferPtr geometry = constants(g.values);
  const bool targeted = g.kind == RelationKind::target || g.kind == RelationKind::target_transposed;
  const Rows& given = targeted ? targets : in;
  const bool numbered = g.kind == RelationKind::forward && !g.identity();
  if (numbered) add_numbers(s, g, in, kFloored, in.active, geometry, out_coords, counts);
  else if (out_coords != given.data)
    s.run(relation_kernel("copy_sites").arg(given.data).arg(given.wide).arg(given.active).arg(out_coords).arg(counts),
          std::max<std::int64_t>(given.active, 1));
  const Blocks blocks = add_blocks(s, in);
  BufferPtr map = ints(out_capacity * g.kernels), none = ints(2);
  const bool inverse = g.kind == RelationKind::target_transposed, ordered = ordering && ordering->bits > 0;
  Kernel k = relation_kernel("map_inputs");
  k.arg(out_coords)
      .arg(counts)
      .arg(std::int64_t{numbered ? -1 : given.active})
      .arg(out_capacity)
      .arg(in.data)
      .arg(in.wide);
  k.arg(static_cast<std::int32_t>(g.kernels))
      .arg(geometry)
      .arg(constants(shifts(g, inverse)))
      .arg(std::int32_t{inverse});
  k.arg(std::int32_t{compact(g, inverse)}).arg(blocks.table).arg(blocks.mask).arg(blocks.lowest).arg(map);
  k.arg(ordering ? ordering->bits : std::int32_t{-1})
      .arg(ordered ? ordering->histogram : none)
      .arg(ordered ? ordering->place : none);
  s.run(k, std::max<std::int64_t>(out_capacity, 1));
  return map;
}

Ordering begin_order(Steps& s, const Geometry& g, std::int64_t rows) {
  if (g.kernels > 32) return {};
  const int counted = std::bit_width(static_cast<std::uint64_t>(rows));
  const int wanted =
      std::clamp<int>(counted, static_cast<int>(kLeastBits.of(counted)), static_cast<int>(kMostBits.of(counted)));
  Ordering o;
  o.bits = std::min(static_cast<std::int32_t>(g.kernels), wanted);
  o.histogram = ints(std::int64_t{1} << o.bits);
  o.place = ints(2 * rows);
  s.fill(o.histogram, 0);
  return o;
}

void bucket_outputs(Steps& s, const Geometry& g, const Ordering& o, const BufferPtr& map, bool spread,
                    std::int64_t rows) {
  if (o.bits == 0) return;
  Kernel k = relation_kernel("bucket_outputs");
  k.arg(map).arg(std::int32_t{spread}).arg(static_cast<std::int32_t>(g.kernels)).arg(rows).arg(o.bits);
  s.run(k.arg(o.histogram).arg(o.place), rows);
}

BufferPtr end_order(Steps& s, const Ordering& o, std::int64_t rows) {
  BufferPtr order = ints(rows);
  if (o.bits == 0) {
    s.run(relation_kernel("count_up").arg(order).arg(rows), rows);
    return order;
  }
  const std::int64_t buckets = std::int64_t{1} << o.bits;
  const BufferPtr start = ints(buckets + 1);
  s.scan(o.histogram, false, buckets, start);
  s.run(relation_kernel("place_outputs").arg(start).arg(o.place).arg(rows).arg(order), rows);
  return order;
}

BufferPtr add_edges(Steps& s, const Geometry& g, const Rows& in, const Rows& targets, std::int64_t out_capacity,
                    const Edges& e) {
  if (!g.scatters()) return add_gathered(s, g, in, targets, out_capacity, e), nullptr;
  const BufferPtr geometry = constants(g.values);
  if (g.merges()) return add_merged(s, g, in, geometry, e);
  add_spread(s, g, in, geometry, e);
  return nullptr;
}

}  // namespace gpu

namespace {

using namespace gpu;

Job prepare(const Call& call, const std::vector<Spec>& specs, RelationKind kind) {
  const Geometry g(call, kind);
  const Rows in(call[0], call[1]), targets = kind == RelationKind::target ? Rows(call[2], call[3]) : Rows();
  const std::vector<Tensor> out = outputs(specs);
  std::vector<BufferPtr> b;
  for (const Tensor& t : out) b.push_back(output(t));
  const auto steps = std::make_shared<Steps>();
  const Edges e{b[0], b[1], b[2], b[3], b[4], b[5]};
  const std::int64_t edge_capacity = out[0].dim(0);
  const BufferPtr position = add_edges(*steps, g, in, targets, out[5].dim(0), e);
  add_input_groups(*steps, g, in, edge_capacity, e, position, b[6], b[7]);
  add_kernel_groups(*steps, g, edge_capacity, e, b[8], b[9]);
  return job(out, [steps] { steps->enqueue(); });
}

constexpr std::int64_t kWorthLaunch = 4096;  // rows

template <RelationKind kind>
Route route(std::string_view op) {
  return {
      .op = op,
      .name = "gpu.hash",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {},
      .prefers =
          {
              kNotHost,
              {Stage::shape_dtype, "under 4096 rows: the launches cost more",
               [](const Call& c, const Device&) { return c.shape(0)[0] >= kWorthLaunch; }},
          },
      .prepare = with_last<prepare, kind>,
  };
}

}  // namespace

std::vector<Route> relation_gpu_routes() {
  return {route<RelationKind::forward>("forward_relation"), route<RelationKind::submanifold>("submanifold_relation"),
          route<RelationKind::target>("target_relation"), route<RelationKind::transposed>("transposed_relation"),
          route<RelationKind::generative>("generative_relation")};
}

}  // namespace plumb
