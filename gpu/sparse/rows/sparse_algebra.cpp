// Arithmetic between sparse tensors on the device: see kernels/sparse_algebra.cl. Rows meet as in a target relation
// of one kernel row, whose map is the lookup.
#include <algorithm>
#include <bit>

#include "gpu/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace gpu;

enum : std::size_t { kLhs, kLhsActive, kLhsFeatures, kRhs, kRhsActive, kRhsFeatures };
enum Join : std::int32_t { kInner, kLeft, kRight, kOuter };  // as in sparse_algebra.cl

template <class Names>
std::int32_t code(const Names& names, const std::string& text) {
  return static_cast<std::int32_t>(std::find(std::begin(names), std::end(names), text) - std::begin(names));
}
Join join_of(const Call& call) {
  constexpr std::string_view names[] = {"inner", "left", "right", "outer"};
  return static_cast<Join>(code(names, call.text("join")));
}
std::int32_t op_of(const Call& call) {
  constexpr std::string_view names[] = {"add", "sub", "mul", "maximum", "minimum"};
  return code(names, call.text("op"));
}

// X matters only to kernels that touch features.
Kernel kernel(std::string_view name, Dtype features = Dtype::f32) {
  return Kernel("sparse_algebra", name, {{"X", features}});
}

// in[j] = the lowest active row of `table` at row j of `queries`, or -1; for all rows of the capacity
BufferPtr add_lookup(Steps& s, const Call& call, const Rows& table, const Rows& queries) {
  const std::size_t site = queries.wide ? 32 : 16;
  return add_map(s, Geometry(call, RelationKind::target), table, queries, queries.capacity,
                 scratch(static_cast<std::size_t>(queries.capacity) * site), ints(2));
}

struct Aligned {
  BufferPtr l, r, active;
  std::int64_t capacity;
};

Aligned add_alignment(Steps& s, const Call& call, const std::vector<Tensor>& out) {
  const Rows lhs(call[kLhs], call[kLhsActive]), rhs(call[kRhs], call[kRhsActive]);
  const Join join = join_of(call);
  Aligned a{output(out[3]), output(out[4]), output(out[2]), out[0].dim(0)};
  const BufferPtr none = ints(1);
  const BufferPtr in_rhs = join == kRight ? none : add_lookup(s, call, rhs, lhs);
  const BufferPtr in_lhs = join == kRight || join == kOuter ? add_lookup(s, call, lhs, rhs) : none;
  const std::int64_t scanned = join == kInner ? lhs.active : rhs.active;
  BufferPtr position = none;
  if (join == kInner) {
    position = ints(scanned + 1);
    s.scan(in_rhs, true, scanned, position);
  } else if (join == kOuter) {
    const BufferPtr flag = ints(scanned);
    position = ints(scanned + 1);
    s.run(kernel("flag_missing").arg(in_lhs).arg(rhs.active).arg(scanned).arg(flag), scanned);
    s.scan(flag, false, scanned, position);
  }
  Kernel pair = kernel("pair_rows");
  pair.arg(std::int32_t{join}).arg(lhs.active).arg(rhs.active).arg(in_rhs).arg(in_lhs).arg(position).arg(scanned);
  s.run(pair.arg(a.l).arg(a.r).arg(a.active), std::max<std::int64_t>(1, lhs.active + rhs.active));
  Kernel write = kernel("write_coords");
  write.arg(lhs.data).arg(rhs.data).arg(a.l).arg(a.r).arg(a.active).arg(a.capacity).arg(output(out[0]));
  s.run(write, a.capacity);
  return a;
}

// A fill rounded to the features' dtype.
float rounded(double fill, Dtype t) { return t == Dtype::f16 ? half_to_float(to_half(fill)) : to_float(fill); }

Job binary(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Aligned a = add_alignment(*steps, call, out);
  const Dtype t = specs[1].dtype;
  const std::int64_t channels = specs[1].shape[1];
  Kernel k = kernel("combine", t);
  k.arg(op_of(call))
      .arg(dense(call[kLhsFeatures]))
      .arg(dense(call[kRhsFeatures]))
      .arg(rounded(call.number("lhs_fill"), t));
  k.arg(rounded(call.number("rhs_fill"), t)).arg(a.l).arg(a.r).arg(a.active).arg(a.capacity).arg(channels);
  steps->run(k.arg(output(out[1])), a.capacity * channels);
  return job(out, [steps] { steps->enqueue(); });
}

struct Selection {
  BufferPtr rows, count;  // count: null for all of `capacity`
  std::int64_t capacity = 0;
  double fill = 0;
};

void add_selection(Steps& s, const Tensor& x, const Selection& p, std::int64_t first, std::int64_t width,
                   const BufferPtr& to) {
  const std::int64_t channels = x.dim(1);
  Kernel k = kernel("select_rows", x.dtype());
  k.arg(dense(x)).arg(x.dim(0)).arg(p.rows).arg(p.count ? p.count : p.rows).arg(std::int32_t{p.count != nullptr});
  k.arg(p.capacity).arg(channels);
  k.arg(rounded(p.fill, x.dtype()));
  s.run(k.arg(first).arg(width).arg(to), p.capacity * channels);
}

Job cat(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Aligned a = add_alignment(*steps, call, out);
  const std::int64_t first = call.shape(kLhsFeatures)[1], width = specs[1].shape[1];
  const BufferPtr to = output(out[1]);
  add_selection(*steps, call[kLhsFeatures], {a.l, a.active, a.capacity}, 0, width, to);
  add_selection(*steps, call[kRhsFeatures], {a.r, a.active, a.capacity}, first, width, to);
  return job(out, [steps] { steps->enqueue(); });
}

Job gather(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Selection p{dense(call[1]), nullptr, specs[0].shape[0], call.number("fill")};
  add_selection(*steps, call[0], p, 0, specs[0].shape[1], output(out[0]));
  return job(out, [steps] { steps->enqueue(); });
}

Job reindex(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Rows in(call[0], call[1]), targets(call[3], call[4]);
  const Selection p{add_lookup(*steps, call, in, targets), nullptr, specs[0].shape[0], call.number("fill")};
  add_selection(*steps, call[2], p, 0, specs[0].shape[1], output(out[0]));
  return job(out, [steps] { steps->enqueue(); });
}

constexpr std::int64_t kWorthLaunch = 4096;  // rows

Route route(std::string_view op, std::string_view route_name, Job (*prepare)(const Call&, const std::vector<Spec>&),
            bool (*worth)(const Call&, const Device&)) {
  return {.op = op,
          .name = route_name,
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost, {Stage::shape_dtype, "under 4096 rows: the launches cost more", worth}},
          .prepare = prepare};
}

bool pair_worth(const Call& c, const Device&) { return c.shape(kLhs)[0] + c.shape(kRhs)[0] >= kWorthLaunch; }
bool gather_worth(const Call& c, const Device&) { return c.shape(1)[0] >= kWorthLaunch; }

}  // namespace

std::vector<Route> sparse_algebra_gpu_routes() {
  return {route("sparse_binary", "gpu.hash", binary, pair_worth),
          route("sparse_cat_aligned", "gpu.hash", cat, pair_worth),
          route("gather_aligned_features", "gpu.rows", gather, gather_worth),
          route("reindex_sparse", "gpu.hash", reindex, pair_worth)};
}

}  // namespace plumb
