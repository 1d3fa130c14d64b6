// OpenCL routes of mean, variance and standard deviation: see kernels/array/reduce/moments.cl. A variance takes two
// readings, the second about the mean of the first.
#include <algorithm>
#include <memory>

#include "gpu/array/reduce/lines.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr std::int64_t kSums = 4;      // running sums of a lane
constexpr double kRootUlps = 3;        // OpenCL 1.2, section 7.4: sqrt in the full profile
constexpr int kQuotientRoundings = 4;  // 2.5 ulps of a quotient are 5 roundings, one of which is counted anyway

enum What : std::int32_t { kValues, kSquares, kDifferences };   // as in moments.cl
enum Write : std::int32_t { kSum, kQuotient, kRoot, kBeyond };  // as in moments.cl

std::int32_t narrow_int(std::int64_t v) { return static_cast<std::int32_t>(v); }
Dtype wide_of(Dtype t) { return t == Dtype::f64 ? Dtype::f64 : Dtype::f32; }

struct Launch {
  std::shared_ptr<Kernel> kernel;
  std::size_t items;
};

// Results of lines, `step` apart from `start` on.
struct Target {
  BufferPtr y;
  Dtype type;
  std::int64_t step, start;
};
struct Source {
  BufferPtr x;
  Dtype type;
  std::int64_t first;
};

// A complex input is two sets of lines of floats.
struct Input {
  Lines lines;
  LinePlan plan;
  std::int64_t parts;
  Dtype wide;
};
Input input_of(const Call& c) {
  Input in{lines_of(c), {}, is_complex(c.dtype(0)) ? 2 : 1, wide_of(c.dtype(0))};
  for (auto* axes : {&in.lines.kept, &in.lines.reduced})
    for (LineAxis& a : *axes) a.in *= in.parts;
  in.plan = plan_splits(in.lines, kSums);
  return in;
}
Source source(const Call& c, const Input& in, std::int64_t part) {
  return {input(c[0]), in.parts == 2 ? Dtype::f32 : c.dtype(0), element_offset(c[0]) * in.parts + part};
}

Launch lines(const Input& in, const LinePlan& p, std::int64_t n, const Source& from, const Target& to, What what,
             Write write, double divisor, const Target& means) {
  auto k = std::make_shared<Kernel>("moments", "moment_lines", Options{{"X", in.wide}});
  k->arg(from.x).arg(from.type).arg(from.first).arg(to.y).arg(to.type).arg(constants(p.geometry)).arg(n);
  k->arg(narrow_int(p.lanes)).arg(narrow_int(p.splits)).arg(std::int32_t{p.columns_first});
  k->arg(to.step).arg(to.start).arg(std::int32_t{what}).arg(std::int32_t{write});
  if (in.wide == Dtype::f64) k->arg(divisor);
  else k->arg(static_cast<float>(divisor));
  k->arg(means.y).arg(means.step).arg(means.start);
  return {k, p.items()};
}

std::size_t room(const Input& in, std::int64_t values) {
  return static_cast<std::size_t>(std::max<std::int64_t>(1, values) * info(in.wide).bytes);
}

// The parts of lines and of numbers summed by themselves, then together: y[line] of the sum over all.
void add_together(std::vector<Launch>& all, const Call& c, const Input& in, const Target& to, What what, Write write,
                  double divisor, const Target& means) {
  const std::int64_t pieces = in.parts * in.plan.splits;
  const auto of_part = [&](std::int64_t part) {
    Target m = means;
    m.start = part;
    return m;
  };
  if (pieces == 1) {
    all.push_back(lines(in, in.plan, in.lines.n, source(c, in, 0), to, what, write, divisor, of_part(0)));
    return;
  }
  const BufferPtr partial = scratch(room(in, in.lines.count * pieces));
  for (std::int64_t part = 0; part < in.parts; ++part)
    all.push_back(lines(in, in.plan, in.lines.n, source(c, in, part), {partial, in.wide, pieces, part * in.plan.splits},
                        what, kSum, 1, of_part(part)));
  const LinePlan rest = plan_lines(together(in.lines.count, pieces), kSums);
  all.push_back(lines(in, rest, pieces, {partial, in.wide, 0}, to, kValues, write, divisor, of_part(0)));
}

// Means of lines, those of complex ones part by part.
void add_means(std::vector<Launch>& all, const Call& c, const Input& in, const BufferPtr& y, Dtype type) {
  const auto n = static_cast<double>(in.lines.n);
  const LinePlan rest = plan_lines(together(in.lines.count, in.plan.splits), kSums);
  for (std::int64_t part = 0; part < in.parts; ++part) {
    const Target to{y, type, in.parts, part};
    if (in.plan.splits == 1) {
      all.push_back(lines(in, in.plan, in.lines.n, source(c, in, part), to, kValues, kQuotient, n, to));
      continue;
    }
    const Target partial{scratch(room(in, in.lines.count * in.plan.splits)), in.wide, in.plan.splits, 0};
    all.push_back(lines(in, in.plan, in.lines.n, source(c, in, part), partial, kValues, kSum, 1, partial));
    all.push_back(lines(in, rest, in.plan.splits, {partial.y, in.wide, 0}, to, kValues, kQuotient, n, partial));
  }
}

Job all_of(std::vector<Tensor> out, std::vector<Launch> all) {
  return job(std::move(out), [all = std::move(all)] {
    for (const Launch& l : all) l.kernel->run({l.items}, {static_cast<std::size_t>(kLineGroup)});
  });
}

Job mean(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  std::vector<Launch> all;
  const Dtype type = is_complex(specs[0].dtype) ? Dtype::f32 : specs[0].dtype;
  if (out[0].size() > 0) add_means(all, c, input_of(c), output(out[0]), type);
  return all_of(std::move(out), std::move(all));
}

template <bool Root>
Job deviation(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  std::vector<Launch> all;
  if (out[0].size() == 0) return all_of(std::move(out), {});
  const Input in = input_of(c);
  const std::int64_t n = in.lines.n, left = n - c.integer(c.none("correction") ? "ddof" : "correction");
  const Target to{output(out[0]), specs[0].dtype, 1, 0};
  if (n > 0 && left <= 0) {
    add_together(all, c, in, to, kDifferences, kBeyond, 1, to);
    return all_of(std::move(out), std::move(all));
  }
  const Target means{scratch(room(in, in.lines.count * in.parts)), in.wide, in.parts, 0};
  add_means(all, c, in, means.y, in.wide);
  const double divisor = n == 0 ? 0 : static_cast<double>(left);
  add_together(all, c, in, to, kSquares, Root ? kRoot : kQuotient, divisor, means);
  return all_of(std::move(out), std::move(all));
}

// In f32 or f64: whole numbers of more bits are rounded on their way, and so is the divisor.
Order order(const Call& c) {
  const Input in = input_of(c);
  Order o;
  o.shape = Order::Shape::lanes;
  o.lanes = kSums * in.plan.lanes * in.plan.splits;
  o.accumulator = in.wide;
  o.function_ulps = kRootUlps;
  o.prologue = is_integer(c.dtype(0)) && info(c.dtype(0)).bytes >= 4 ? 1 : 0;
  o.epilogue = kQuotientRoundings + 1;
  return o;
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op;
  r.name = "gpu.lanes";
  r.tier = r.needs = Tier::gpu;
  r.supports = {kFewLineAxes, kHasFp64};
  r.prefers = {kNotHost, kWorthLines};
  r.order = order;
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> moments_gpu_routes() {
  return {route("mean", mean), route("var", deviation<false>), route("std", deviation<true>)};
}

}  // namespace plumb
