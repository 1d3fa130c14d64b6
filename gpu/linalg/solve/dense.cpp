#include "gpu/linalg/solve/dense.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace plumb::gpu::solve {
namespace {

constexpr std::int64_t kBlock = 32, kTile = 64, kGroup = 256;  // as in kernels/linalg/solve/dense_solve.cl
constexpr std::int64_t kWorthLaunch = 1 << 14;                 // elements

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A part of every matrix of a batch: element (i, j) of the t-th at t size + at + i row + j column.
struct Part {
  const BufferPtr& data;
  std::int64_t size, at, row, column = 1;
};

// c = a b, or c -= a b, for every matrix; `of` names that of a.
void product(Work& w, const Part& a, const BufferPtr& of, const Part& b, const Part& c, std::int64_t matrices,
             std::int64_t rows, std::int64_t columns, std::int64_t depth, bool subtract) {
  const std::int64_t tiles = divide_up(rows, kTile) * divide_up(columns, kTile);
  Kernel& k = w.steps.add(w.kernel("update"), tiles * matrices * kGroup, kGroup);
  k.arg(a.data).arg(of).arg(a.size).arg(a.at).arg(a.row).arg(a.column);
  k.arg(b.data).arg(b.size).arg(b.at).arg(b.row).arg(b.column);
  k.arg(c.data).arg(c.size).arg(c.at).arg(c.row).arg(rows).arg(columns).arg(depth).arg(std::int32_t{subtract});
}

// `size` rows of x solved with the triangle t, whose matrices `of` names.
void solve_block(Work& w, const Part& t, const BufferPtr& of, const Part& x, std::int64_t matrices, std::int64_t size,
                 std::int64_t columns, bool upper, bool unit) {
  const std::int64_t blocks = divide_up(columns, kSmall);
  Kernel& k = w.steps.add(w.kernel("solve_block"), matrices * blocks * kSmall, kSmall);
  k.arg(t.data).arg(of).arg(t.size).arg(t.at).arg(t.row).arg(x.data).arg(x.size).arg(x.at).arg(x.row);
  k.arg(static_cast<std::int32_t>(size)).arg(std::int32_t{upper}).arg(std::int32_t{unit}).arg(columns).arg(blocks);
}

void raise(const Call& c, const BufferPtr& flags, std::int64_t matrices) {
  std::vector<std::int32_t> failed(static_cast<std::size_t>(matrices));
  flags->download(reinterpret_cast<std::byte*>(failed.data()));
  const auto first = std::find_if(failed.begin(), failed.end(), [](std::int32_t f) { return f >= 0; });
  if (first == failed.end()) return;
  c.fail(Reason::domain, "matrix " + std::to_string(first - failed.begin()) + " is singular: pivot " +
                             std::to_string(*first) + " is 0");
}

}  // namespace

Kernel& Steps::add(Kernel kernel, std::int64_t items, std::int64_t group) {
  steps_.push_back({std::move(kernel), static_cast<std::size_t>(items), static_cast<std::size_t>(group)});
  return steps_.back().kernel;
}

void Steps::run() const {
  for (const Step& s : steps_) {
    if (s.group > 0) s.kernel.run({s.items}, {s.group});
    else s.kernel.run({s.items});
  }
}

Kernel Work::kernel(const char* name) const {
  return Kernel("dense_solve", name, {{"X", type}, {"WIDE", type == Dtype::f64}});
}

BufferPtr Work::room(std::int64_t elements) const {
  return scratch(static_cast<std::size_t>(elements * info(type).bytes));
}

void Work::load(const Tensor& from, const BufferPtr& of, std::int64_t part, const BufferPtr& to, std::int64_t total) {
  steps.add(kernel("load"), total).arg(dense(from)).arg(from.dtype()).arg(of).arg(part).arg(to).arg(total);
}

void Work::factor(const BufferPtr& a, const BufferPtr& pivots, std::int64_t matrices, std::int64_t m, std::int64_t n,
                  bool small) {
  if (small) {
    Kernel& k = steps.add(kernel("factor_small"), matrices * kSmall, kSmall);
    k.arg(a).arg(pivots).arg(static_cast<std::int32_t>(m)).arg(static_cast<std::int32_t>(n));
    return;
  }
  const BufferPtr same = each_in_turn(matrices);
  for (std::int64_t k = 0; k < std::min(m, n); k += kBlock) {
    const std::int64_t next = std::min({k + kBlock, m, n});
    steps.add(kernel("factor_panel"), matrices * kGroup, kGroup).arg(a).arg(pivots).arg(m).arg(n).arg(k);
    if (next == n) break;
    const std::int64_t size = m * n;
    const Part right{a, size, k * n + next, n};  // the rows of U beside the block
    solve_block(*this, {a, size, k * n + k, n}, same, right, matrices, next - k, n - next, false, true);
    if (next == m) break;
    product(*this, {a, size, next * n + k, n}, same, right, {a, size, next * n + next, n}, matrices, m - next, n - next,
            next - k, true);
  }
}

void Work::substitute(const BufferPtr& t, const BufferPtr& of, bool upper, bool unit, const BufferPtr& x,
                      std::int64_t matrices, std::int64_t n, std::int64_t k) {
  const std::int64_t blocks = divide_up(n, kBlock);
  for (std::int64_t step = 0; step < blocks; ++step) {
    const std::int64_t first = (upper ? blocks - 1 - step : step) * kBlock, last = std::min(first + kBlock, n);
    solve_block(*this, {t, n * n, first * n + first, n}, of, {x, n * k, first * k, k}, matrices, last - first, k, upper,
                unit);
    const std::int64_t from = upper ? 0 : last, rows = upper ? first : n - last;
    if (rows > 0)
      product(*this, {t, n * n, from * n + first, n}, of, {x, n * k, first * k, k}, {x, n * k, from * k, k}, matrices,
              rows, k, last - first, true);
  }
}

void Work::gram(const BufferPtr& x, const BufferPtr& of, bool upper, const BufferPtr& s, std::int64_t matrices,
                std::int64_t n) {
  const Part rows{x, n * n, 0, n, 1}, columns{x, n * n, 0, 1, n}, out{s, n * n, 0, n};
  product(*this, upper ? rows : columns, of, upper ? columns : rows, out, matrices, n, n, n, false);
}

Job Work::checked(const Call& c, std::vector<Tensor> out, const BufferPtr& a, std::int64_t matrices, std::int64_t n) {
  const BufferPtr flags = scratch(static_cast<std::size_t>(4 * matrices));
  steps.add(kernel("zeros"), matrices).arg(a).arg(flags).arg(n).arg(matrices);
  Job job = gpu::job(std::move(out), [all = steps] { all.run(); });
  job.wait = [c, flags, matrices, done = job.wait] {
    done();
    raise(c, flags, matrices);
  };
  return job;
}

BufferPtr each_in_turn(std::int64_t matrices) {
  std::vector<std::int64_t> of(static_cast<std::size_t>(std::max<std::int64_t>(matrices, 1)));
  std::iota(of.begin(), of.end(), std::int64_t{0});
  return constants(of);
}

std::int64_t matrices(const Call& c) { return count(Shape(c.shape(0).begin(), c.shape(0).end() - 2)); }

Order in_any_order(const Call& c) {
  Order o;
  o.accumulator = output_specs(c).back().dtype == Dtype::f64 || c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = true;
  o.function_ulps = 4;  // of a logarithm
  return o;
}

const Condition kDoubles{Stage::device, "the device has no binary64", [](const Call& c, const Device& d) {
                           return in_any_order(c).accumulator == Dtype::f32 || d.fp64;
                         }};
const Condition kGroups{Stage::device, "work-groups are smaller than 256",
                        [](const Call&, const Device& d) { return d.facts.max_work_group >= kGroup; }};
const Condition kLarge{Stage::shape_dtype, "under 16384 elements: a launch costs more",
                       [](const Call& c, const Device&) { return c[0].size() >= kWorthLaunch; }};

Route route(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op,
          .name = name,
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {kDoubles, kGroups, kExtentsFitInt},
          .prefers = {kNotHost, kLarge},
          .order = in_any_order,
          .prepare = prepare};
}

}  // namespace plumb::gpu::solve
