// Operations on coordinates on the device: see kernels/coordinates.cl. Tables, scans and sorts are those of
// relations and of argsort; nothing is transferred but the counts of active rows.
#include <algorithm>
#include <array>

#include "gpu/array/sort.h"
#include "gpu/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace gpu;

Kernel kernel(std::string_view name) { return Kernel("coordinates", name); }

// Every row of a coordinate input.
Rows every(const Tensor& t) {
  Rows r;
  r.data = dense(t);
  r.wide = t.dtype() == Dtype::i64;
  r.active = r.capacity = t.dim(0);
  return r;
}

// A kernel whose first arguments are rows, and how many.
Kernel over(std::string_view name, const Rows& r) {
  Kernel k = kernel(name);
  k.arg(r.data).arg(r.wide).arg(r.active);
  return k;
}

std::int64_t at_least_one(std::int64_t n) { return std::max<std::int64_t>(n, 1); }

Table add_table(Steps& s, const Rows& r) { return add_table(s, r.data, r.wide, r.active); }

// Rows of the same width as r, for n of them, to be written by a kernel.
Rows fresh(const Rows& r, std::int64_t n) {
  Rows made = r;
  made.data = scratch(static_cast<std::size_t>(4 * n * (r.wide ? 8 : 4)));
  made.active = made.capacity = n;
  return made;
}

// A flag per row, all 0.
BufferPtr add_flags(Steps& s, std::int64_t n) {
  const BufferPtr flag = ints(n);
  s.fill(flag, 0);
  return flag;
}

BufferPtr add_lowest_flags(Steps& s, const Rows& r, const Table& t) {
  const BufferPtr flag = add_flags(s, r.active);
  const std::int64_t slots = std::int64_t{t.mask} + 1;
  s.run(kernel("mark_lowest").arg(t.slots).arg(slots).arg(flag), slots);
  return flag;
}

// Stores the flagged rows in order, with their count; gives their numbers.
BufferPtr add_flagged(Steps& s, const Rows& r, const BufferPtr& flag, const BufferPtr& out, const BufferPtr& count) {
  const BufferPtr number = ints(r.active + 1);
  s.scan(flag, false, r.active, number);
  s.run(over("store_flagged", r).arg(flag).arg(number).arg(out).arg(count), at_least_one(r.active));
  return number;
}

void add_distinct(Steps& s, const Rows& r, const BufferPtr& out, const BufferPtr& count) {
  add_flagged(s, r, add_lowest_flags(s, r, add_table(s, r)), out, count);
}

// What a row enqueues, given its inputs and its outputs on the device.
using Buffers = std::vector<BufferPtr>;
using Plan = void (*)(Steps&, const Call&, const Buffers& out);

template <Plan plan>
Job prepare(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  Buffers b;
  for (const Tensor& t : out) b.push_back(output(t));
  const auto steps = std::make_shared<Steps>();
  plan(*steps, call, b);
  return job(out, [steps] { steps->enqueue(); });
}

// ---- Sets ----

void unique(Steps& s, const Call& call, const Buffers& out) { add_distinct(s, every(call[0]), out[0], out[1]); }

void downsample(Steps& s, const Call& call, const Buffers& out) {
  const Rows in = every(call[0]), coarse = fresh(in, in.active);
  const std::vector<std::int64_t> v = call.list("stride");
  Kernel k = over("floor_rows", in);
  for (std::size_t a = 0; a < 3; ++a) k.arg(v.size() == 1 ? v[0] : v[a]);
  s.run(k.arg(coarse.data), in.active);
  add_distinct(s, coarse, out[0], out[1]);
}

void unite(Steps& s, const Call& call, const Buffers& out) {
  const Rows lhs = every(call[0]), rhs = every(call[1]), both = fresh(lhs, lhs.active + rhs.active);
  s.run(over("append_rows", lhs).arg(std::int64_t{0}).arg(both.data), lhs.active);
  s.run(over("append_rows", rhs).arg(lhs.active).arg(both.data), rhs.active);
  add_distinct(s, both, out[0], out[1]);
}

void intersect(Steps& s, const Call& call, const Buffers& out) {
  const Rows lhs = every(call[0]), rhs = every(call[1]);
  const Table t = add_table(s, lhs);
  const BufferPtr met = add_flags(s, lhs.active);
  s.run(over("mark_met", rhs).arg(lhs.data).arg(t.slots).arg(t.mask).arg(met), rhs.active);
  add_flagged(s, lhs, met, out[0], out[1]);
}

// ---- Lookups ----

void add_lookup(Steps& s, std::string_view name, const Rows& rows, const Rows& queries, const BufferPtr& out) {
  const Table t = add_table(s, rows);
  s.run(over(name, queries).arg(rows.data).arg(t.slots).arg(t.mask).arg(out), queries.active);
}

void lookup(Steps& s, const Call& call, const Buffers& out) {
  add_lookup(s, "look_up", every(call[0]), every(call[1]), out[0]);
}
void contains(Steps& s, const Call& call, const Buffers& out) {
  add_lookup(s, "contain", every(call[0]), every(call[1]), out[0]);
}

// ---- Morton's order ----

void morton_codes(Steps& s, const Call& call, const Buffers& out) {
  const Rows in = every(call[0]);
  s.run(over("morton_codes", in).arg(out[0]), in.active);
}

void add_order(Steps& s, const Rows& in, const BufferPtr& order) {
  const BufferPtr codes = scratch(static_cast<std::size_t>(8 * in.active));
  s.run(over("morton_codes", in).arg(codes), in.active);
  s.add(radix_argsort(codes, in.active, order));
}

void morton_order(Steps& s, const Call& call, const Buffers& out) { add_order(s, every(call[0]), out[0]); }

void morton_sort(Steps& s, const Call& call, const Buffers& out) {
  const Rows in = every(call[0]);
  add_order(s, in, out[1]);
  s.run(over("permute_rows", in).arg(out[1]).arg(out[0]).arg(out[2]), in.active);
}

// ---- Octants ----

void occupancy_downsample(Steps& s, const Call& call, const Buffers& out) {
  const Rows in(call[0], call[1]);
  Rows parents = in;
  parents.wide = 0;
  parents.data = ints(4 * in.active);
  s.run(over("parents_of", in).arg(parents.data), in.active);
  const Table t = add_table(s, parents);
  const BufferPtr number = add_flagged(s, parents, add_lowest_flags(s, parents, t), out[0], out[1]);
  s.fill(out[2], 0);
  s.run(over("occupy", in).arg(parents.data).arg(number).arg(t.slots).arg(t.mask).arg(out[2]), in.active);
}

void occupancy_expand(Steps& s, const Call& call, const Buffers& out) {
  const Rows in(call[0], call[1]);
  const BufferPtr occupancy = dense(call[2]), count = ints(in.active), start = ints(in.active + 1);
  s.run(kernel("count_children").arg(occupancy).arg(in.active).arg(count), in.active);
  s.scan(count, false, in.active, start);
  Kernel k = over("expand", in).arg(occupancy).arg(start);
  s.run(k.arg(out[0]).arg(out[1]).arg(out[2]).arg(out[3]), at_least_one(8 * in.active));
}

void child_coords(Steps& s, const Call& call, const Buffers& out) {
  const Rows in = every(call[0]);
  s.run(over("child_rows", in).arg(dense(call[1])).arg(out[0]), in.active);
}

// ---- Joins ----

enum Keep : std::int32_t { kAll, kMet, kAlone };  // as in coordinates.cl

// The rows of one side that stay, from output position `from` on. own and other: the rows of the two sides.
void add_side(Steps& s, const Rows& side, const Rows& against, Keep keep, std::int64_t from, const Buffers& out,
              const BufferPtr& own, const BufferPtr& other) {
  const BufferPtr match = ints(side.active), flag = ints(side.active), number = ints(side.active + 1);
  add_lookup(s, "look_up", against, side, match);
  if (keep != kAll) {
    s.run(kernel("flag_kept").arg(match).arg(side.active).arg(std::int32_t{keep}).arg(flag), side.active);
    s.scan(flag, false, side.active, number);
  }
  Kernel k = kernel("join_side");
  k.arg(side.data).arg(side.active).arg(match).arg(std::int32_t{keep}).arg(flag).arg(number).arg(from);
  s.run(k.arg(out[0]).arg(own).arg(other).arg(out[1]), at_least_one(side.active));
}

void alignment(Steps& s, const Call& call, const Buffers& out) {
  const Rows lhs(call[0], call[1]), rhs(call[2], call[3]);
  const std::string& join = call.text("join");
  if (join == "inner") return add_side(s, lhs, rhs, kMet, 0, out, out[2], out[3]);
  if (join == "right") return add_side(s, rhs, lhs, kAll, 0, out, out[3], out[2]);
  add_side(s, lhs, rhs, kAll, 0, out, out[2], out[3]);
  if (join == "outer") add_side(s, rhs, lhs, kAlone, lhs.active, out, out[3], out[2]);
}

// ---- Routes ----

constexpr std::int64_t kWorthLaunch = 4096;  // rows
constexpr std::int64_t kSortGroup = 256;     // as in gpu/array/sort.cpp

template <Plan plan>
Route route(std::string_view op, std::string_view name) {
  return {
      .op = op,
      .name = name,
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {},
      .prefers =
          {
              kNotHost,
              {Stage::shape_dtype, "under 4096 rows: the launches cost more",
               [](const Call& c, const Device&) { return c.shape(0)[0] >= kWorthLaunch; }},
          },
      .prepare = prepare<plan>,
  };
}

template <Plan plan>
Route sorting_route(std::string_view op) {
  Route r = route<plan>(op, "gpu.radix");
  r.supports = {{Stage::device, "work-groups are smaller than 256",
                 [](const Call&, const Device& d) { return d.facts.max_work_group >= kSortGroup; }}};
  return r;
}

}  // namespace

std::vector<Route> coordinates_gpu_routes() {
  return {route<downsample>("downsample_coords", "gpu.hash"),
          route<unite>("union_coords", "gpu.hash"),
          route<intersect>("intersection_coords", "gpu.hash"),
          route<unique>("unique_coords", "gpu.hash"),
          route<lookup>("lookup_coords", "gpu.hash"),
          route<contains>("contains_coords", "gpu.hash"),
          route<lookup>("inverse_map", "gpu.hash"),
          route<morton_codes>("morton_codes", "gpu.spread"),
          sorting_route<morton_order>("morton_order"),
          sorting_route<morton_sort>("morton_sort_coords"),
          route<occupancy_downsample>("occupancy_downsample", "gpu.hash"),
          route<occupancy_expand>("occupancy_expand", "gpu.scan"),
          route<child_coords>("child_coords_from_indices", "gpu.rows"),
          route<alignment>("sparse_alignment", "gpu.hash")};
}

}  // namespace plumb
