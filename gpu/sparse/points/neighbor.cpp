// Neighbours on the device: see kernels/neighbor.cl.
#include <algorithm>
#include <bit>
#include <cmath>

#include "gpu/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr std::int64_t kTile = 128, kBounds = 256;             // work-groups, as in kernels/neighbor.cl
constexpr Limit kParts{"gpu.neighbor.parts", 64, 1};           // work-groups that look for the bounds
constexpr Limit kRegisters{"gpu.neighbor.registers", 32, 32};  // neighbours that are kept in registers, at most
constexpr std::int64_t kMostOffsets = 1 << 16;                 // of a ball that is looked up offset by offset
constexpr std::int64_t kMostRadius = 1 << 30;
constexpr std::int64_t kWorthLaunch = 4096;    // rows
constexpr std::int64_t kWorthPairs = 1 << 20;  // distances

enum : std::size_t { kSources, kActive, kQueries, kQueryActive };

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
std::int32_t narrow(std::int64_t n) { return static_cast<std::int32_t>(n); }

BufferPtr no_geometry() { return constants(std::vector<std::int64_t>(15, 0)); }

struct Points {
  Rows sources, queries;
  explicit Points(const Call& c)
      : sources(c[kSources], c[kActive]), queries(c.has(kQueries) ? Rows(c[kQueries], c[kQueryActive]) : sources) {}
};

// What the searches fill, a list of keys and a count per query, and how it becomes edges.
struct Lists {
  std::int64_t most;
  BufferPtr keys, found;
  Lists(const Points& p, std::int64_t most_)
      : most(most_),
        keys(scratch(size(std::max<std::int64_t>(1, 8 * most * p.queries.capacity)))),
        found(ints(p.queries.capacity)) {}
  Kernel search(std::string_view name) const {
    const std::int64_t all = kRegisters.of(most), held = most <= all / 2 ? all / 2 : all;
    return Kernel("neighbor", name, most <= held ? Options{{"MOST", held}} : Options());
  }
};

Job listed(const std::shared_ptr<Steps>& steps, const Points& p, const Lists& l, const std::vector<Tensor>& out) {
  const std::int64_t m = p.queries.active, capacity = p.queries.capacity;
  const BufferPtr offsets = output(out[4]);
  steps->scan(l.found, false, capacity, offsets);
  Kernel k("neighbor", "list_edges");
  k.arg(l.keys).arg(l.found).arg(offsets).arg(m).arg(capacity).arg(narrow(l.most));
  k.arg(output(out[0])).arg(output(out[1])).arg(output(out[2])).arg(output(out[3])).arg(output(out[5]));
  steps->run(k, std::max<std::int64_t>(1, m * l.most));
  return job(out, [steps] { steps->enqueue(); });
}

// ---- Radius ----

// The largest squared distance between whole numbers that is within the radius.
std::int64_t reach_squared(const Call& c) {
  const double radius = c.number("radius");
  return static_cast<std::int64_t>(std::floor(static_cast<float>(radius * radius)));
}

// (x, y, z, square) of every offset of the ball, by square.
std::vector<std::int32_t> ball(std::int64_t r2) {
  std::vector<std::array<std::int32_t, 4>> all;
  const auto reach = narrow(static_cast<std::int64_t>(std::sqrt(static_cast<double>(r2))) + 1);
  for (std::int32_t x = -reach; x <= reach; ++x)
    for (std::int32_t y = -reach; y <= reach; ++y)
      for (std::int32_t z = -reach; z <= reach; ++z)
        if (const std::int32_t square = x * x + y * y + z * z; square <= r2) all.push_back({x, y, z, square});
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a[3] < b[3]; });
  std::vector<std::int32_t> flat;
  for (const auto& offset : all) flat.insert(flat.end(), offset.begin(), offset.end());
  return flat;
}

// How many there are, without listing them; kMostOffsets + 1 for any number beyond it.
std::int64_t ball_size(const Call& c) {
  const std::int64_t r2 = reach_squared(c);
  if (r2 > 1000) return kMostOffsets + 1;
  std::int64_t n = 0;
  for (std::int64_t x = 0; x * x <= r2; ++x)
    for (std::int64_t y = 0; x * x + y * y <= r2; ++y) {
      const auto z = static_cast<std::int64_t>(std::sqrt(static_cast<double>(r2 - x * x - y * y)));
      n += (x > 0 ? 2 : 1) * (y > 0 ? 2 : 1) * (2 * z + 1);
    }
  return std::min(n, kMostOffsets + 1);
}

// Neighbours that a query has room for.
std::int64_t room(const std::vector<Spec>& specs) {
  const std::int64_t queries = specs[4].shape[0] - 1;
  return queries > 0 ? specs[0].shape[0] / queries : 1;
}

Job prepare_offsets(const Call& c, const std::vector<Spec>& specs) {
  const Points p(c);
  const std::vector<Tensor> out = outputs(specs);
  const Lists l(p, room(specs));
  const auto steps = std::make_shared<Steps>();
  const Table t = add_table(*steps, p.sources.data, p.sources.wide, p.sources.active);
  const std::vector<std::int32_t> offsets = ball(reach_squared(c));
  Kernel k("neighbor", "search_offsets");
  k.arg(p.sources.data).arg(p.sources.wide).arg(no_geometry()).arg(t.slots).arg(t.mask).arg(p.queries.data);
  k.arg(p.queries.active).arg(p.queries.capacity).arg(constants(offsets)).arg(narrow(std::ssize(offsets) / 4));
  steps->run(k.arg(narrow(l.most)).arg(l.keys).arg(l.found), p.queries.capacity);
  return listed(steps, p, l, out);
}

// ---- Every source against each query ----

template <bool radius>
Job prepare_tiled(const Call& c, const std::vector<Spec>& specs) {
  const Points p(c);
  const std::vector<Tensor> out = outputs(specs);
  const Lists l(p, room(specs));
  const auto steps = std::make_shared<Steps>();
  BufferPtr counted = ints(1);
  std::int64_t reach = -1, r2 = 0;
  if (radius) {
    const Table t = add_table(*steps, p.sources.data, p.sources.wide, p.sources.active);
    counted = ints(p.sources.active);
    r2 = reach_squared(c);
    reach = std::min(kMostRadius, static_cast<std::int64_t>(std::sqrt(static_cast<double>(r2))) + 1);
    Kernel mark("neighbor", "mark_lowest");
    mark.arg(p.sources.data)
        .arg(p.sources.wide)
        .arg(no_geometry())
        .arg(p.sources.active)
        .arg(t.slots)
        .arg(t.mask)
        .arg(counted);
    steps->run(mark, p.sources.active);
  }
  Kernel k = l.search("search_all");
  k.arg(p.sources.data)
      .arg(p.sources.wide)
      .arg(p.sources.active)
      .arg(counted)
      .arg(std::int32_t{radius})
      .arg(p.queries.data);
  k.arg(p.queries.active).arg(p.queries.capacity).arg(reach).arg(r2).arg(narrow(l.most)).arg(l.keys).arg(l.found);
  steps->add([k, n = p.queries.capacity] { k.run({size(n)}, {size(kTile)}); });
  return listed(steps, p, l, out);
}

// ---- Cells ----

struct Cells {
  BufferPtr grid, start, points, numbers;
  std::uint32_t mask = 0;
};

Cells add_cells(Steps& s, const Rows& rows, std::int64_t most) {
  const std::int64_t n = rows.active;
  const auto buckets =
      static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(1, n))));
  Cells c{scratch(9 * 8), ints(buckets + 1), scratch(size(std::max<std::int64_t>(1, n) * 32)),
          ints(std::max<std::int64_t>(1, n)), static_cast<std::uint32_t>(buckets - 1)};
  const std::int64_t wanted = (n + kBounds - 1) / kBounds,
                     parts = std::clamp<std::int64_t>(wanted, 1, kParts.of(wanted));
  const BufferPtr part = scratch(size(parts * 64)), degree = ints(buckets), cursor = ints(buckets);
  if (n == 0) return c;
  Kernel bounds("neighbor", "find_bounds"), plan("neighbor", "plan_cells"), count("neighbor", "count_cells");
  Kernel place("neighbor", "place_cells");
  bounds.arg(rows.data).arg(rows.wide).arg(n).arg(part);
  s.add([bounds, parts] { bounds.run({size(parts * kBounds)}, {size(kBounds)}); });
  s.run(plan.arg(part).arg(narrow(parts)).arg(n).arg(narrow(most)).arg(c.grid), 1);
  s.fill(degree, 0);
  s.run(count.arg(rows.data).arg(rows.wide).arg(n).arg(c.grid).arg(c.mask).arg(degree), n);
  s.scan(degree, false, buckets, c.start);
  s.run(relation_kernel("copy_ints").arg(c.start).arg(cursor).arg(buckets), buckets);
  s.run(place.arg(rows.data).arg(rows.wide).arg(n).arg(c.grid).arg(c.mask).arg(cursor).arg(c.points).arg(c.numbers), n);
  return c;
}

Job prepare_cells(const Call& c, const std::vector<Spec>& specs) {
  const Points p(c);
  const std::vector<Tensor> out = outputs(specs);
  const Lists l(p, room(specs));
  const auto steps = std::make_shared<Steps>();
  const Cells cells = add_cells(*steps, p.sources, l.most);
  Kernel k = l.search("search_cells");
  k.arg(cells.points).arg(cells.numbers).arg(p.sources.active).arg(cells.grid).arg(cells.start).arg(cells.mask);
  k.arg(p.queries.data).arg(p.queries.wide).arg(p.queries.active).arg(p.queries.capacity).arg(narrow(l.most));
  steps->run(k.arg(l.keys).arg(l.found), p.queries.capacity);
  return listed(steps, p, l, out);
}

// ---- Features ----

Job prepare_gather(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const std::int64_t edges = c[2].read<std::int32_t>()[0], bytes = c.shape(0)[1] * info(c.dtype(0)).bytes;
  const std::int64_t unit = bytes == 0 ? 0 : bytes % 16 == 0 ? 16 : bytes % 4 == 0 ? 4 : 2;
  const std::int64_t width = bytes == 0 ? 1 : bytes / unit;
  const BufferPtr wrong = ints(1);
  const auto steps = std::make_shared<Steps>();
  steps->fill(wrong, 0);
  Kernel k("neighbor", "gather_rows");
  k.arg(dense(c[0])).arg(narrow(unit)).arg(c.shape(0)[0]).arg(narrow(width)).arg(dense(c[1])).arg(edges);
  steps->run(k.arg(output(out[0])).arg(wrong), edges * width);
  Job j = job(out, [steps] { steps->enqueue(); });
  j.wait = [c, wrong, done = j.wait] {
    done();
    std::int32_t found = 0;
    wrong->download(reinterpret_cast<std::byte*>(&found));
    if (found) c.fail(Reason::domain, "a row is none of " + std::to_string(c.shape(0)[0]));
  };
  return j;
}

std::int64_t queries(const Call& c) { return c.shape(c.has(kQueries) ? kQueries : kSources)[0]; }

const Condition kManyOfBoth{
    Stage::shape_dtype, "under 4096 sources or queries: cells cost more than they save",
    [](const Call& c, const Device&) { return std::min(c.shape(kSources)[0], queries(c)) >= kWorthLaunch; }};
const Condition kManyQueries{Stage::shape_dtype, "under 4096 queries: the launches cost more",
                             [](const Call& c, const Device&) { return queries(c) >= kWorthLaunch; }};
const Condition kManyPairs{Stage::shape_dtype, "under 2^20 distances: the launches cost more",
                           [](const Call& c, const Device&) {
                             const std::int64_t n = queries(c);
                             return n > 0 && c.shape(kSources)[0] >= (kWorthPairs + n - 1) / n;
                           }};
const Condition kLargeGroups{Stage::device, "work-groups are smaller than 256",
                             [](const Call&, const Device& d) { return d.facts.max_work_group >= size(kBounds); }};
const Condition kSmallBall{Stage::shape_dtype, "the ball holds more than 65536 sites",
                           [](const Call& c, const Device&) { return ball_size(c) <= kMostOffsets; }};
const Condition kManyElements{Stage::shape_dtype, "under 2^16 elements: the launch costs more",
                              [](const Call& c, const Device&) {
                                const std::int64_t channels = std::max<std::int64_t>(1, c.shape(0)[1]);
                                return c.shape(1)[0] >= ((1 << 16) + channels - 1) / channels;
                              }};

Route route(std::string_view op, std::string_view name, std::vector<Condition> supports, const Condition& large,
            Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op,
          .name = name,
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = std::move(supports),
          .prefers = {kNotHost, large},
          .prepare = prepare};
}

}  // namespace

std::vector<Route> neighbor_gpu_routes() {
  return {route("knn_relation", "gpu.cells", {kLargeGroups}, kManyOfBoth, prepare_cells),
          route("knn_relation", "gpu.tiled", {}, kManyPairs, prepare_tiled<false>),
          route("radius_relation", "gpu.hash", {kSmallBall}, kManyQueries, prepare_offsets),
          route("radius_relation", "gpu.tiled", {}, kManyPairs, prepare_tiled<true>),
          route("gather_neighbor_features", "gpu.rows", {kExtentsFitInt}, kManyElements, prepare_gather)};
}

}  // namespace plumb
