// OpenCL routes of norms: see kernels/linalg/norms/norm.cl and singular.cl.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "gpu/array/reduce/lines.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr double kInf = std::numeric_limits<double>::infinity();
// OpenCL 1.2, section 7.4, in ulps: pow, and roots of f32; hypot in roundings.
constexpr double kPowUlps = 16, kRootUlps = 3;
constexpr int kHypotRoundings = 8;
constexpr std::size_t kMatrixGroup = 64;  // as in singular.cl

enum Kind : std::int32_t { sum, squares, greatest, least, count, power };  // as in norm.cl

struct Norm {
  Kind kind = squares;
  double p = 2;
  std::vector<std::int64_t> lines;
  std::int64_t outer = -1;
  Kind of_outer = greatest;
  bool singular = false;
  std::int32_t of_singular = 0;  // as in singular.cl: the greatest, the least, their sum
};

Kind kind_of(double p) {
  if (std::isinf(p)) return p > 0 ? greatest : least;
  return p == 0 ? Kind::count : p == 1 ? sum : p == 2 ? squares : power;
}

Norm norm_of(const Call& c) {
  std::vector<std::int64_t> axes = c.axes();
  Norm n;
  n.lines = axes;
  if (c.none("ord")) return n;
  if (!c.none("axis")) axes = c.list("axis");
  for (std::int64_t& d : axes) d += d < 0 ? c.rank(0) : 0;
  const std::string* word = c.attrs.find("ord")->get<std::string>();
  if (word && *word != "inf" && *word != "-inf") {
    n.singular = *word == "nuc", n.of_singular = 2;
    return n;
  }
  n.p = !word ? c.number("ord") : *word == "inf" ? kInf : -kInf;
  if (axes.size() == 1) {
    n.kind = kind_of(n.p);
    return n;
  }
  n.singular = std::abs(n.p) == 2, n.of_singular = n.p < 0;
  if (n.singular) return n;
  const bool over_rows = std::abs(n.p) == 1;
  n.kind = sum, n.of_outer = n.p < 0 ? least : greatest;
  n.lines = {axes[over_rows ? 0 : 1]}, n.outer = axes[over_rows ? 1 : 0];
  return n;
}

Dtype wide_of(Dtype t) { return t == Dtype::f64 ? Dtype::f64 : Dtype::f32; }
std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// Lines in the order of the axes that they leave, the outer one innermost.
gpu::Lines lines_of_norm(const Call& c, const Norm& n) {
  Strides out(size(c.rank(0)), 0);
  std::int64_t step = 1;
  if (n.outer >= 0) out[size(n.outer)] = 1, step = std::max<std::int64_t>(1, c.shape(0)[size(n.outer)]);
  for (std::int64_t d = c.rank(0); d-- > 0;) {
    if (d == n.outer || std::binary_search(n.lines.begin(), n.lines.end(), d)) continue;
    out[size(d)] = step;
    step *= std::max<std::int64_t>(1, c.shape(0)[size(d)]);
  }
  return lines_of(c[0], n.lines, out);
}

// One fold of lines to a value each: the passes over the parts, then what brings them together.
struct Fold {
  std::vector<Kernel> passes;
  std::size_t items = 0, lines = 0;
  void run() const {
    for (std::size_t i = 0; i + 1 < passes.size(); ++i) passes[i].run({items}, {size(kLineGroup)});
    passes.back().run({lines});
  }
};

struct From {
  BufferPtr x;
  Dtype type;
  std::int64_t offset;
};

void arg_real(Kernel& k, Dtype wide, double v) {
  if (wide == Dtype::f64) k.arg(v);
  else k.arg(static_cast<float>(v));
}

Fold fold_of(const From& from, const gpu::Lines& l, Kind kind, double p, Dtype wide, const BufferPtr& to, Dtype type) {
  const LinePlan plan = plan_runs(l);
  const Options options{{"X", wide}, {"WIDE", wide == Dtype::f64}};
  const std::int64_t all = l.count * plan.splits, bytes = info(wide).bytes;
  const BufferPtr parts = scratch(size(3 * all * bytes));
  const BufferPtr extremes = kind == power ? scratch(size(all * bytes)) : parts;
  const auto pass = [&](const char* name) {
    Kernel k("norm", name, options);
    k.arg(from.x).arg(from.type).arg(from.offset).arg(constants(plan.geometry)).arg(l.n).arg(plan.part);
    k.arg(static_cast<std::int32_t>(plan.lanes)).arg(static_cast<std::int32_t>(plan.splits));
    return k.arg(std::int32_t{plan.columns_first});
  };
  Fold f{{}, plan.items(), size(l.count)};
  const Kind first = kind != power ? kind : p < 0 ? least : greatest;
  f.passes.push_back(pass("fold_moduli").arg(std::int32_t{first}).arg(l.count).arg(extremes));
  if (kind == power) {
    Kernel k = pass("fold_powers");
    arg_real(k, wide, p);
    f.passes.push_back(k.arg(extremes).arg(parts));
  }
  Kernel values("norm", "norm_values", options);
  values.arg(extremes).arg(parts).arg(std::int32_t{kind});
  arg_real(values, wide, p);
  f.passes.push_back(values.arg(static_cast<std::int32_t>(plan.splits)).arg(l.count).arg(to).arg(type));
  return f;
}

Job prepare_lines(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  if (out[0].size() == 0) return job(std::move(out), [] {});
  const Norm n = norm_of(c);
  const Dtype wide = wide_of(c.dtype(0));
  const gpu::Lines l = lines_of_norm(c, n);
  const From x{input(c[0]), c.dtype(0), element_offset(c[0])};
  const BufferPtr result = output(out[0]);
  if (n.outer < 0) {
    const Fold f = fold_of(x, l, n.kind, n.p, wide, result, specs[0].dtype);
    return job(std::move(out), [f] { f.run(); });
  }
  const BufferPtr sums = scratch(size(l.count * info(wide).bytes));
  const std::int64_t across = c.shape(0)[size(n.outer)];
  const Fold f = fold_of(x, l, n.kind, n.p, wide, sums, wide);
  const Fold g =
      fold_of({sums, wide, 0}, together(l.count / across, across), n.of_outer, 1, wide, result, specs[0].dtype);
  return job(std::move(out), [f, g] {
    f.run();
    g.run();
  });
}

// The matrices one after the other, the axes that are left in order.
Tensor matrices_of(const Tensor& x, const std::vector<std::int64_t>& last) {
  Shape shape;
  Strides strides;
  for (const bool in_matrix : {false, true})
    for (std::size_t d = 0; d < x.shape().size(); ++d)
      if (std::binary_search(last.begin(), last.end(), static_cast<std::int64_t>(d)) == in_matrix)
        shape.push_back(x.shape()[d]), strides.push_back(x.strides()[d]);
  return x.view(shape, strides);
}

Job prepare_singular(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t matrices = out[0].size();
  if (matrices == 0) return job(std::move(out), [] {});
  const Norm n = norm_of(c);
  const std::int64_t M = c.shape(0)[size(n.lines[0])], N = c.shape(0)[size(n.lines[1])];
  Options options{{"X", wide_of(c.dtype(0))}, {"WIDE", c.dtype(0) == Dtype::f64}};
  if (c.dtype(0) == Dtype::c64) options.add("COMPLEX");
  const BufferPtr work = scratch(size(std::max<std::int64_t>(1, matrices * M * N) * info(c.dtype(0)).bytes));
  const BufferPtr failed = scratch(size(4 * matrices));
  Kernel k("singular", "singular_norms", options);
  k.arg(dense(matrices_of(c[0], n.lines))).arg(work).arg(M).arg(N).arg(n.of_singular);
  k.arg(output(out[0])).arg(specs[0].dtype).arg(failed);
  Job j = job(std::move(out), [k, matrices] { k.run({size(matrices) * kMatrixGroup}, {kMatrixGroup}); });
  j.wait = [c, failed, matrices, done = j.wait] {
    done();
    std::vector<std::int32_t> bad(size(matrices));
    failed->download(reinterpret_cast<std::byte*>(bad.data()));
    const auto first = std::find_if(bad.begin(), bad.end(), [](std::int32_t b) { return b != 0; });
    if (first != bad.end())
      c.fail(Reason::domain, "matrix " + std::to_string(first - bad.begin()) +
                                 (*first == 1 ? " holds a value that is not finite" : " does not converge"));
  };
  return j;
}

Order order_of_lines(const Call& c) {
  const Norm n = norm_of(c);
  const LinePlan p = plan_runs(lines_of_norm(c, n));
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = p.lanes, o.split = p.splits;
  o.accumulator = wide_of(c.dtype(0));
  o.function_ulps = n.kind == power ? kPowUlps : kRootUlps;
  o.prologue = c.dtype(0) == Dtype::c64 ? kHypotRoundings : 1;
  return o;
}

Order plain(const Call& c) {
  Order o;
  o.accumulator = wide_of(c.dtype(0));
  return o;
}

bool few_axes_of(const Call& c, const Device&) {
  const Norm n = norm_of(c);
  return few_axes(n.singular ? lines_of(c) : lines_of_norm(c, n));
}

}  // namespace

std::vector<Route> norm_gpu_routes() {
  const Condition few{Stage::storage, "more than 8 axes that cannot be merged", few_axes_of};
  Route lines;
  lines.op = "norm", lines.name = "gpu.lanes";
  lines.tier = lines.needs = Tier::gpu;
  lines.supports = {{Stage::family, "the norm is one of singular values",
                     [](const Call& c, const Device&) { return !norm_of(c).singular; }},
                    few,
                    kHasFp64};
  lines.prefers = {kNotHost, kWorthLines};
  lines.order = order_of_lines, lines.prepare = prepare_lines;
  Route rotations = lines;
  rotations.name = "gpu.jacobi";
  rotations.supports = {{Stage::family, "the norm is none of singular values",
                         [](const Call& c, const Device&) { return norm_of(c).singular; }},
                        kHasFp64};
  rotations.order = plain, rotations.prepare = prepare_singular;
  return {lines, rotations};
}

}  // namespace plumb
