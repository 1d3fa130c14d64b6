// Points and voxels on the device: see kernels/voxel.cl. No transfer but that of the counts of active rows.
#include <algorithm>
#include <array>
#include <bit>

#include "gpu/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr std::int64_t kCorners = 8;

Kernel voxel_kernel(std::string_view name) { return Kernel("voxel", name); }

struct Points {
  BufferPtr points, batch;
  std::array<float, 3> origin{}, size{};
  std::int64_t active = 0, capacity = 0;

  explicit Points(const Call& call) {
    points = dense(call[0]);
    batch = dense(call[1]);
    capacity = call.shape(0)[0];
    active = call[2].read<std::int32_t>()[0];
    read(call, "origin", origin);
    read(call, "voxel_size", size);
  }
  void pass(Kernel& k) const {
    k.arg(points).arg(batch).arg(origin[0]).arg(origin[1]).arg(origin[2]).arg(size[0]).arg(size[1]).arg(size[2]).arg(
        active);
  }

 private:
  static void read(const Call& call, std::string_view attr, std::array<float, 3>& to) {
    const std::vector<double> v = call.numbers(attr);
    for (std::size_t a = 0; a < 3; ++a) to[a] = static_cast<float>(v.size() == 1 ? v[0] : v.at(a));
  }
};

struct Table {
  BufferPtr slots;
  std::uint32_t mask = 0;
};

// At most half full. valid: empty if every site is.
Table add_table(Steps& s, const BufferPtr& sites, const BufferPtr& valid, std::int64_t n) {
  const std::uint64_t slots = std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(2 * n, 2)));
  Table t{scratch(4 * slots), static_cast<std::uint32_t>(slots - 1)};
  s.fill(t.slots, 0xFF);
  Kernel insert = voxel_kernel("insert_sites");
  insert.arg(sites).arg(std::int32_t{valid != nullptr}).arg(valid ? valid : sites).arg(n).arg(t.slots).arg(t.mask);
  s.run(insert, n);
  return t;
}

struct Voxels {
  BufferPtr coords, count, rows, counts;  // count: how many voxels; counts: of the points of each
};

void add_voxels(Steps& s, const Points& p, const Voxels& v) {
  const BufferPtr sites = ints(4 * p.active), valid = ints(p.active), first = ints(p.active), flag = ints(p.active);
  const BufferPtr number = ints(p.active + 1);
  Kernel locate = voxel_kernel("locate");
  p.pass(locate);
  s.run(locate.arg(sites).arg(valid), p.active);
  const Table t = add_table(s, sites, valid, p.active);
  Kernel find = voxel_kernel("first_points");
  s.run(find.arg(sites).arg(valid).arg(p.active).arg(t.slots).arg(t.mask).arg(first).arg(flag), p.active);
  s.scan(flag, false, p.active, number);
  s.fill(v.counts, 0);
  Kernel store = voxel_kernel("store_voxels");
  store.arg(sites)
      .arg(p.active)
      .arg(p.capacity)
      .arg(first)
      .arg(number)
      .arg(v.coords)
      .arg(v.count)
      .arg(v.rows)
      .arg(v.counts);
  s.run(store, std::max<std::int64_t>(p.capacity, 1));
}

// Members by group, ascending within one; degree is how many each has.
struct Groups {
  BufferPtr offsets, ids;
};

Groups add_groups(Steps& s, const BufferPtr& key, std::int64_t n, std::int64_t groups, const BufferPtr& degree) {
  const Groups g{ints(groups + 1), ints(n)};
  const BufferPtr cursor = ints(groups);
  s.scan(degree, false, groups, g.offsets);
  s.run(relation_kernel("copy_ints").arg(g.offsets).arg(cursor).arg(groups), groups);
  s.run(voxel_kernel("place_members").arg(key).arg(n).arg(groups).arg(cursor).arg(g.ids), n);
  s.run(relation_kernel("sort_groups").arg(g.offsets).arg(groups).arg(g.ids), groups);
  return g;
}

Job started(const std::vector<Tensor>& out, std::shared_ptr<Steps> steps) {
  return job(out, [steps = std::move(steps)] { steps->enqueue(); });
}

Job quantize(const Call& call, const std::vector<Spec>& specs) {
  const Points p(call);
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  add_voxels(*steps, p, {output(out[0]), output(out[1]), output(out[2]), output(out[3])});
  return started(out, steps);
}

Job voxelize(const Call& call, const std::vector<Spec>& specs) {
  const Points p(call);
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Voxels v{output(out[0]), output(out[2]), ints(p.capacity), ints(p.capacity)};
  add_voxels(*steps, p, v);
  const Groups g = add_groups(*steps, v.rows, p.active, p.capacity, v.counts);
  const std::int64_t channels = call.shape(3)[1];
  Kernel sum = voxel_kernel("sum_points");
  sum.arg(dense(call[3])).arg(channels).arg(g.offsets).arg(g.ids).arg(v.count).arg(p.capacity);
  steps->run(sum.arg(std::int32_t{call.text("reduction") == "mean"}).arg(output(out[1])), p.capacity * channels);
  return started(out, steps);
}

Job voxelize_vjp(const Call& call, const std::vector<Spec>& specs) {
  const Points p(call);
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Voxels v{ints(4 * p.capacity), ints(1), ints(p.capacity), ints(p.capacity)};
  add_voxels(*steps, p, v);
  const std::int64_t given = call.shape(4)[0], channels = call.shape(4)[1];
  Kernel spread = voxel_kernel("spread_gradient");
  spread.arg(dense(call[4])).arg(given).arg(channels).arg(v.rows).arg(v.counts);
  spread.arg(std::int32_t{call.text("reduction") == "mean"}).arg(p.capacity).arg(output(out[0]));
  steps->run(spread, p.capacity * channels);
  return started(out, steps);
}

void add_map(Steps& s, const Call& call, const BufferPtr& rows, const BufferPtr& weights) {
  const Points p(call);
  const Rows voxels(call[3], call[4]);
  const Table t = add_table(s, voxels.data, nullptr, voxels.active);
  Kernel map = voxel_kernel("map_corners");
  p.pass(map);
  map.arg(p.capacity)
      .arg(std::int32_t{call.text("interpolation") == "nearest"})
      .arg(voxels.data)
      .arg(t.slots)
      .arg(t.mask);
  s.run(map.arg(rows).arg(weights), p.capacity * kCorners);
}

Job point_voxel_map(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  add_map(*steps, call, output(out[0]), output(out[1]));
  return started(out, steps);
}

void add_interpolation(Steps& s, const Tensor& features, const BufferPtr& rows, const BufferPtr& weights,
                       const Tensor& out) {
  const std::int64_t points = out.dim(0), channels = out.dim(1);
  Kernel k = voxel_kernel("interpolate");
  k.arg(dense(features)).arg(features.dim(0)).arg(channels).arg(rows).arg(weights).arg(points).arg(output(out));
  s.run(k, points * channels);
}

Job devoxelize(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const std::int64_t corners = call.shape(0)[0] * kCorners;
  const BufferPtr rows = ints(corners), weights = scratch(static_cast<std::size_t>(4 * corners));
  add_map(*steps, call, rows, weights);
  add_interpolation(*steps, call[5], rows, weights, out[0]);
  return started(out, steps);
}

Job interpolate(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  add_interpolation(*steps, call[0], dense(call[1]), dense(call[2]), out[0]);
  return started(out, steps);
}

Job interpolate_vjp(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const std::int64_t voxels = out[0].dim(0), channels = out[0].dim(1), corners = call[1].size();
  const BufferPtr key = dense(call[1]), degree = ints(voxels);
  steps->fill(degree, 0);
  steps->run(voxel_kernel("count_members").arg(key).arg(corners).arg(voxels).arg(degree), corners);
  const Groups g = add_groups(*steps, key, corners, voxels, degree);
  Kernel sum = voxel_kernel("sum_corners");
  sum.arg(dense(call[3])).arg(channels).arg(g.offsets).arg(g.ids).arg(dense(call[2])).arg(voxels).arg(output(out[0]));
  steps->run(sum, voxels * channels);
  return started(out, steps);
}

// Terms in order. Fused, but a sum of tiny products may still underflow, which the bound allows to unfused ones only.
Order chain(const Call&) { return {}; }

// Points in order, then one division by a count, which may itself be rounded.
Order then_divided(const Call& call) {
  Order o;
  o.epilogue = call.text("reduction") == "mean" ? 2 : 0;
  return o;
}

const Condition kIeee{Stage::capability, "the device does not divide f32 as IEEE 754 has it",
                      [](const Call&, const Device& d) { return d.facts.ieee_f32; }};
const Condition kCountsFit{Stage::shape_dtype, "over 2^24 points: a count may be no float32",
                           [](const Call& c, const Device&) { return c.shape(0)[0] <= 1 << 24; }};
const Condition kWorthLaunch{Stage::shape_dtype, "under 4096 points: the launches cost more",
                             [](const Call& c, const Device&) { return c.shape(0)[0] >= 4096; }};
const Condition kWorthRows{Stage::shape_dtype, "under 4096 points: the launches cost more",
                           [](const Call& c, const Device&) { return c.shape(1)[0] >= 4096; }};

using Prepare = Job (*)(const Call&, const std::vector<Spec>&);

Route hashed(std::string_view op, Prepare prepare, Order (*order)(const Call&), std::vector<Condition> supports) {
  return {.op = op,
          .name = "gpu.hash",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = std::move(supports),
          .prefers = {kNotHost, kWorthLaunch},
          .order = order,
          .prepare = prepare};
}

Route gathered(std::string_view op, std::string_view name, Prepare prepare) {
  return {.op = op,
          .name = name,
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost, kWorthRows},
          .order = chain,
          .prepare = prepare};
}

}  // namespace

std::vector<Route> voxel_gpu_routes() {
  return {hashed("sparse_quantize", quantize, nullptr, {kIeee}),
          hashed("voxelize", voxelize, then_divided, {kIeee}),
          hashed("voxelize_vjp", voxelize_vjp, nullptr, {kIeee, kCountsFit}),
          hashed("point_voxel_map", point_voxel_map, nullptr, {kIeee}),
          hashed("devoxelize", devoxelize, chain, {kIeee}),
          gathered("interpolate_point_features", "gpu.gather", interpolate),
          gathered("interpolate_point_features_vjp", "gpu.grouped", interpolate_vjp)};
}

}  // namespace plumb
