// Kernel offsets and dense views of relations on the device: see kernels/kernel_map.cl.
#include <algorithm>
#include <bit>

#include "core/with_last.h"
#include "gpu/array/sort.h"
#include "gpu/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr std::int64_t kGroup = 256, kDigits = 256;  // as in kernels/sort.cl
constexpr std::int64_t kTile = 64;                   // as in kernels/kernel_map.cl
constexpr std::int64_t kWorthLaunch = 4096;          // rows

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
std::int32_t narrow(std::int64_t n) { return static_cast<std::int32_t>(n); }
Kernel kernel(std::string_view name) { return Kernel("kernel_map", name); }

template <bool centred>
Job prepare_offsets(const Call& call, const std::vector<Spec>& specs) {
  const Geometry g(call, centred ? RelationKind::forward : RelationKind::transposed);
  const std::vector<Tensor> out = outputs(specs);
  constexpr std::size_t kDilation = 9, kCentre = 12;  // of Geometry::values
  Kernel k = kernel("list_offsets");
  k.arg(output(out[0])).arg(g.kernels).arg(narrow(g.values[1])).arg(narrow(g.values[2]));
  for (std::size_t a = 0; a < 3; ++a) k.arg(-g.values[kCentre + a] * g.values[kDilation + a]);
  for (std::size_t a = 0; a < 3; ++a) k.arg(g.values[kDilation + a]);
  return job(out, [k, n = g.kernels] { k.run({size(n)}); });
}

// The job's wait raises what the kernels found.
Job prepare_permutation(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const std::int64_t n = call.shape(0)[0];
  const std::int32_t wide = call.dtype(0) == Dtype::i64;
  const std::uint64_t slots = std::bit_ceil(static_cast<std::uint64_t>(2 * n + 1));
  const BufferPtr table = scratch(4 * slots), taken = ints(std::max<std::int64_t>(n, 1)), wrong = ints(1);
  const BufferPtr source = dense(call[0]), target = dense(call[1]);
  const auto mask = static_cast<std::uint32_t>(slots - 1);
  const auto steps = std::make_shared<Steps>();
  steps->fill(table, 0xFF);
  steps->fill(taken, 0);
  steps->fill(wrong, 0);
  steps->run(kernel("insert_positions").arg(source).arg(wide).arg(n).arg(table).arg(mask).arg(wrong), n);
  Kernel find = kernel("find_positions");
  find.arg(source).arg(target).arg(wide).arg(n).arg(table).arg(mask).arg(taken).arg(output(out[0])).arg(wrong);
  steps->run(find, n);
  Job j = job(out, [steps] { steps->enqueue(); });
  j.wait = [call, wrong, done = j.wait] {
    done();
    std::int32_t found = 0;
    wrong->download(reinterpret_cast<std::byte*>(&found));
    if (found) call.fail(Reason::domain, "source and target do not hold the same positions, each once");
  };
  return j;
}

constexpr bool targeted(RelationKind kind) {
  return kind == RelationKind::target || kind == RelationKind::target_transposed;
}

Job prepare_map(const Call& call, const std::vector<Spec>& specs, RelationKind kind) {
  const Geometry g(call, kind);
  const Rows in(call[0], call[1]), targets = targeted(kind) ? Rows(call[2], call[3]) : Rows();
  const std::vector<Tensor> out = outputs(specs);
  const std::int64_t rows = specs[0].shape[0], words = specs[1].shape[1];
  const BufferPtr counts = output(out[2]);
  const BufferPtr coords = scratch(size(std::max<std::int64_t>(1, rows) * 4 * info(call.dtype(0)).bytes));
  const auto steps = std::make_shared<Steps>();
  steps->fill(counts, 0);
  const BufferPtr map = add_map(*steps, g, in, targets, rows, coords, counts);
  Kernel mask = kernel("mask_rows");
  mask.arg(map).arg(rows).arg(narrow(g.kernels)).arg(narrow(words)).arg(output(out[0])).arg(output(out[1])).arg(counts);
  steps->run(mask, rows * words);
  return job(out, [steps] { steps->enqueue(); });
}

// One pass of the stable sort of sort.cl over 8 bits of the keys.
struct Order {
  BufferPtr key, index;
};
void add_pass(Steps& s, const Order& from, const Order& to, std::int64_t rows, std::int32_t shift, bool last) {
  const SortTiles cut(rows);
  const std::int64_t tiles = cut.tiles;
  const bool few = cut.few;
  const BufferPtr counts = ints(tiles * kDigits), totals = ints(kDigits);
  Kernel count("sort", "count", cut.options), scan("sort", few ? "scan_few" : "scan", cut.options),
      scatter("sort", "scatter", cut.options);
  count.arg(from.key).arg(counts).arg(rows).arg(narrow(tiles)).arg(shift);
  scan.arg(counts).arg(totals).arg(narrow(tiles));
  if (few) scan.arg(kDigits);
  scatter.arg(from.key).arg(from.index).arg(to.key).arg(to.index).arg(counts).arg(totals).arg(rows).arg(narrow(tiles));
  scatter.arg(shift).arg(std::int32_t{last}).arg(std::int64_t{1});
  s.add([=] {
    count.run({size(tiles * kGroup)}, {size(kGroup)});
    scan.run({size(few ? kDigits : kDigits * kGroup)}, {size(kGroup)});
    scatter.run({size(tiles * kGroup)}, {size(kGroup)});
  });
}

Job prepare_sorted(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const std::int64_t rows = specs[1].shape[0], kernels = specs[1].shape[1];
  if (rows == 0) return job(out, [] {});
  const BufferPtr map = dense(call[0]), reorder = output(out[0]);
  const auto steps = std::make_shared<Steps>();
  Order order[2] = {{ints(rows), ints(rows)}, {ints(rows), ints(rows)}};
  Kernel keys = kernel("key_rows");
  steps->run(keys.arg(map).arg(rows).arg(narrow(kernels)).arg(order[0].key).arg(order[0].index), rows);
  const int passes = std::max(1, static_cast<int>((kernels + 7) / 8));
  for (int p = 0; p < passes; ++p) {
    const bool last = p + 1 == passes;
    const Order to{order[1 - p % 2].key, last ? reorder : order[1 - p % 2].index};
    add_pass(*steps, order[p % 2], to, rows, 8 * p, last);
  }
  Kernel gather = kernel("gather_tiles");
  gather.arg(map)
      .arg(reorder)
      .arg(rows)
      .arg(narrow(kernels))
      .arg(output(out[1]))
      .arg(output(out[2]))
      .arg(output(out[3]));
  const std::int64_t tiles = (rows + kTile - 1) / kTile;
  steps->add([gather, tiles] { gather.run({size(tiles * kGroup)}, {size(kGroup)}); });
  return job(out, [steps] { steps->enqueue(); });
}

const Condition kManyRows{Stage::shape_dtype, "under 4096 rows: the launches cost more",
                          [](const Call& c, const Device&) { return c.shape(0)[0] >= kWorthLaunch; }};
const Condition kManyKernels{
    Stage::shape_dtype, "under 4096 kernel rows: the launch costs more",
    [](const Call& c, const Device&) { return Geometry(c, RelationKind::forward).kernels >= kWorthLaunch; }};

Route route(std::string_view op, std::string_view name, const Condition& large,
            Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op,
          .name = name,
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost, large},
          .prepare = prepare};
}

Route sorted_route() {
  Route r = route("sorted_implicit_gemm_view", "gpu.radix", kManyRows, prepare_sorted);
  r.supports = {{Stage::device, "work-groups are smaller than 256", [](const Call&, const Device& d) {
                   return d.facts.max_work_group >= static_cast<std::size_t>(kGroup);
                 }}};
  return r;
}

}  // namespace

std::vector<Route> kernel_map_gpu_routes() {
  return {
      route("kernel_offsets", "gpu.rows", kManyKernels, prepare_offsets<true>),
      route("indexed_kernel_offsets", "gpu.rows", kManyKernels, prepare_offsets<false>),
      route("kernel_row_permutation", "gpu.hash", kManyRows, prepare_permutation),
      route("forward_map", "gpu.hash", kManyRows, with_last<prepare_map, RelationKind::forward>),
      route("submanifold_map", "gpu.hash", kManyRows, with_last<prepare_map, RelationKind::submanifold>),
      route("target_map", "gpu.hash", kManyRows, with_last<prepare_map, RelationKind::target>),
      route("target_transposed_map", "gpu.hash", kManyRows, with_last<prepare_map, RelationKind::target_transposed>),
      sorted_route()};
}

}  // namespace plumb
