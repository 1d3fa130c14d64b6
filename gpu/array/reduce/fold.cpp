// OpenCL routes of products, extremes and tests for zero: see kernels/array/reduce/fold.cl.
#include <memory>

#include "gpu/array/reduce/lines.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr std::int64_t kSerial = 4;  // elements that a lane takes before its line gets more lanes

std::int32_t narrow_int(std::int64_t v) { return static_cast<std::int32_t>(v); }

// A kernel on lines of x, from its element `first` on; y is given one value for each part of a line.
std::shared_ptr<Kernel> bound(const char* name, const Options& options, const BufferPtr& x, Dtype from,
                              std::int64_t first, const BufferPtr& y, Dtype to, const LinePlan& p, std::int64_t n) {
  auto k = std::make_shared<Kernel>("fold", name, options);
  k->arg(x).arg(from).arg(first).arg(y).arg(to).arg(constants(p.geometry)).arg(n);
  k->arg(narrow_int(p.lanes)).arg(narrow_int(p.splits)).arg(std::int32_t{p.columns_first});
  return k;
}

struct Launch {
  std::shared_ptr<Kernel> kernel;
  std::size_t items;
  void run() const { kernel->run({items}, {static_cast<std::size_t>(kLineGroup)}); }
};

// ---- products

Dtype wide_of(Dtype out) { return out == Dtype::f16 || out == Dtype::bf16 ? Dtype::f32 : out; }

Options product_options(Dtype wide) {
  const Dtype x = wide == Dtype::i32 ? Dtype::u32 : wide == Dtype::i64 ? Dtype::u64 : wide;
  return {"PRODUCT", {"X", x}, {"PAIRS", is_complex(wide)}};
}

Job prod(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  const std::int64_t count = out[0].size();
  if (count == 0) return job(std::move(out), [] {});
  const Lines l = lines_of(c);
  const LinePlan p = plan_splits(l, kSerial);
  const Dtype to = specs[0].dtype, wide = wide_of(to);
  const Options options = product_options(wide);
  const BufferPtr x = input(c[0]), y = output(out[0]);
  const auto lines = [&](const BufferPtr& from, Dtype type, std::int64_t first, const BufferPtr& into, Dtype result,
                         const LinePlan& plan, std::int64_t n) {
    return Launch{bound("product_lines", options, from, type, first, into, result, plan, n), plan.items()};
  };
  if (p.splits == 1) {
    const Launch whole = lines(x, c.dtype(0), element_offset(c[0]), y, to, p, l.n);
    return job(std::move(out), [whole] { whole.run(); });
  }
  const BufferPtr parts = scratch(static_cast<std::size_t>(count * p.splits * info(wide).bytes));
  const LinePlan rest = plan_lines(together(count, p.splits), kSerial);
  const Launch split = lines(x, c.dtype(0), element_offset(c[0]), parts, wide, p, l.n);
  const Launch join = lines(parts, wide, 0, y, to, rest, p.splits);
  return job(std::move(out), [split, join] { split.run(), join.run(); });
}

Order product_order(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

// ---- extremes and counts

enum Fold : std::int32_t { kGreatest, kLeast, kNonzero, kZero, kSum };                              // as in fold.cl
enum Write : std::int32_t { kPartial, kGreatestValue, kLeastValue, kCount, kNothing, kSomething };  // as in fold.cl

std::vector<Launch> folds(const Call& c, const Tensor& out, Fold fold, Write write) {
  const Lines l = lines_of(c);
  const LinePlan p = plan_splits(l, kSerial);
  const BufferPtr x = input(c[0]), y = output(out);
  const auto lines = [&](const BufferPtr& from, Dtype type, std::int64_t first, const BufferPtr& into,
                         const LinePlan& plan, std::int64_t n, Fold what, Write how) {
    auto k = bound("fold_lines", {}, from, type, first, into, out.dtype(), plan, n);
    k->arg(std::int32_t{what}).arg(std::int32_t{how});
    return Launch{k, plan.items()};
  };
  if (p.splits == 1) return {lines(x, c.dtype(0), element_offset(c[0]), y, p, l.n, fold, write)};
  const BufferPtr parts = scratch(static_cast<std::size_t>(out.size() * p.splits * 8));
  const LinePlan rest = plan_lines(together(out.size(), p.splits), kSerial);
  return {lines(x, c.dtype(0), element_offset(c[0]), parts, p, l.n, fold, kPartial),
          lines(parts, Dtype::u64, 0, y, rest, p.splits, fold >= kNonzero ? kSum : kGreatest, write)};
}

struct Result {
  Fold fold;
  Write write;
};

template <Result... results>
Job folded(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  if (out[0].size() == 0) return job(std::move(out), [] {});
  std::vector<Launch> all;
  std::size_t i = 0;
  for (const Result r : {results...})
    for (Launch& launch : folds(c, out[i++], r.fold, r.write)) all.push_back(std::move(launch));
  return job(std::move(out), [all] {
    for (const Launch& launch : all) launch.run();
  });
}

Route route(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op;
  r.name = "gpu.lanes";
  r.tier = r.needs = Tier::gpu;
  r.supports = {kFewLineAxes};
  r.prefers = {kNotHost, kWorthLines};
  r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> fold_gpu_routes() {
  constexpr Result kMax{kGreatest, kGreatestValue}, kMin{kLeast, kLeastValue}, kAll{kZero, kNothing},
      kAny{kNonzero, kSomething}, kTotal{kNonzero, kCount};
  Route product = route("prod", prod);
  product.supports.push_back(kHasFp64);
  product.order = product_order;
  return {product,
          route("max", folded<kMax>),
          route("min", folded<kMin>),
          route("minmax", folded<kMin, kMax>),
          route("all", folded<kAll>),
          route("any", folded<kAny>),
          route("count_nonzero", folded<kTotal>)};
}

}  // namespace plumb
