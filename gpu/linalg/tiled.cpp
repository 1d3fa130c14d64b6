// The tiled Cholesky factorisation on the device: see kernels/linalg/tiled.cl.
#include "gpu/linalg/tiled.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "gpu/runtime.h"

namespace plumb::gpu {
namespace {

// Work-items of groups: a size of its own for each extent would be compiled each.
constexpr std::int64_t kDiagonal = 32, kRow = 64, kColumns = 128;
constexpr std::int64_t kTileRows = 8;           // ROWS of kernels/linalg/tiled.cl
constexpr std::int64_t kWorthLaunch = 1 << 14;  // elements

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// `count` squares of n, in one type, from the one at `first` of the input on.
struct Batch {
  std::int64_t n, count, first;
  Dtype type, outer;  // of the work; of the input and the output
};

Kernel kernel(const Batch& b, const char* name) { return Kernel("tiled", name, {{"X", b.type}, {"Y", b.outer}}); }

// What one batch is worked on with.
class Tiles {
 public:
  Tiles(const Batch& b, const TiledCholesky& o, const BufferPtr& a, bool upper, const BufferPtr& out)
      : b_(b), o_(o), load_(kernel(b, "load")), floors_(kernel(b, "floors")), store_(kernel(b, "store")) {
    const std::int64_t bytes = info(b.type).bytes, total = b.count * b.n * b.n, first = b.first * b.n * b.n;
    w_ = scratch(size(total * bytes));
    turned_ = scratch(size(b.count * o.block * b.n * bytes));
    limits_ = scratch(size(b.count * bytes)), pivots_ = scratch(size(b.count * bytes)),
    runs_ = scratch(size(4 * b.count));
    load_.arg(a).arg(w_).arg(first).arg(b.n).arg(std::int32_t{upper}).arg(total);
    floors_.arg(w_).arg(limits_).arg(b.n);
    b.type == Dtype::f32 ? floors_.arg(static_cast<float>(scaled<float>())) : floors_.arg(scaled<double>());
    floors_.arg(b.count);
    store_.arg(w_).arg(runs_).arg(out).arg(first).arg(b.n).arg(std::int32_t{upper}).arg(total);
  }

  void factor() {
    fill_zero(runs_);
    fill_zero(pivots_);
    load_.run({size(b_.count * b_.n * b_.n)}, {size(kRow)});
    floors_.run({size(b_.count)}, {size(kRow)});
    for (std::int64_t k = 0; k < b_.n; k += o_.block) step(k, std::min(k + o_.block, b_.n));
  }
  void store() const { store_.run({size(b_.count * b_.n * b_.n)}, {size(kRow)}); }

  // 0, or 1 + the first pivot of each matrix that is none; what stood there.
  std::vector<std::int32_t> runs() const { return read<std::int32_t>(runs_); }
  std::vector<double> pivots() const {
    if (b_.type == Dtype::f64) return read<double>(pivots_);
    const std::vector<float> p = read<float>(pivots_);
    return {p.begin(), p.end()};
  }

 private:
  template <class T>
  double scaled() const {
    return o_.guard * static_cast<double>(b_.n) * std::numeric_limits<T>::epsilon();
  }
  template <class T>
  std::vector<T> read(const BufferPtr& from) const {
    std::vector<T> all(size(b_.count));
    from->download(reinterpret_cast<std::byte*>(all.data()));
    return all;
  }

  void step(std::int64_t k, std::int64_t e) {
    Kernel diagonal = kernel(b_, "diagonal");
    diagonal.arg(w_).arg(limits_).arg(runs_).arg(pivots_).arg(b_.n).arg(k).arg(e);
    diagonal.arg(std::int32_t{o_.one_thread_diagonal}).run({size(b_.count * kDiagonal)}, {size(kDiagonal)});
    const std::int64_t rest = b_.n - e;
    if (rest == 0) return;
    Kernel panel = kernel(b_, "panel"), trailing = kernel(b_, "trailing");
    panel.arg(w_).arg(turned_).arg(runs_).arg(b_.n).arg(k).arg(e).arg(o_.block);
    panel.run({size(rest), size(b_.count)}, {size(kRow), 1});
    const std::int64_t tiles = (rest + kTileRows - 1) / kTileRows * ((rest + kColumns - 1) / kColumns);
    trailing.arg(w_).arg(turned_).arg(runs_).arg(b_.n).arg(e).arg(e - k).arg(o_.block);
    trailing.run({size((o_.parallel_trailing ? tiles : 1) * kColumns), size(b_.count)}, {size(kColumns), 1});
  }

  Batch b_;
  TiledCholesky o_;
  BufferPtr w_, turned_, limits_, pivots_, runs_;
  Kernel load_, floors_, store_;
};

std::int64_t matrices(const Tensor& a) { return count(Shape(a.shape().begin(), a.shape().end() - 2)); }

}  // namespace

struct DeviceCholesky::Bound {
  Tensor result;
  BufferPtr a, out;
  bool upper;
  TiledCholesky options;
  Batch batch;

  // Of one matrix that its own type could not factor.
  TiledCholeskyRun wider(std::int64_t m) const {
    Tiles tiles({batch.n, 1, m, Dtype::f64, batch.outer}, unguarded(), a, upper, out);
    tiles.factor();
    tiles.store();
    return {.status = tiles.runs()[0], .wider = true};
  }
  TiledCholesky unguarded() const {
    TiledCholesky o = options;
    o.guard = 0;
    return o;
  }
};

DeviceCholesky::DeviceCholesky(const Tensor& a, bool upper, const TiledCholesky& o, const Tensor& out) {
  check(o);
  const Batch batch{a.dim(-1), a.dim(-1) == 0 ? 0 : matrices(a), 0, a.dtype(), a.dtype()};
  bound_ = std::make_shared<const Bound>(
      Bound{out, batch.count == 0 ? nullptr : dense(a), batch.count == 0 ? nullptr : output(out), upper, o, batch});
}

std::vector<TiledCholeskyRun> DeviceCholesky::run() const {
  const Bound& b = *bound_;
  std::vector<TiledCholeskyRun> runs(size(matrices(b.result)));
  if (b.batch.count == 0) return runs;
  (void)output(b.result);
  Tiles tiles(b.batch, b.options, b.a, b.upper, b.out);
  tiles.factor();
  tiles.store();
  const std::vector<std::int32_t> found = tiles.runs();
  const std::vector<double> pivots = tiles.pivots();
  for (std::size_t m = 0; m < runs.size(); ++m) {
    if (found[m] == 0) continue;
    if (b.options.wider && b.batch.type == Dtype::f32) runs[m] = b.wider(static_cast<std::int64_t>(m));
    else runs[m].status = found[m];
    runs[m].guarded = found[m] - 1, runs[m].value = pivots[m];
  }
  finish();
  return runs;
}

namespace {

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = outputs(specs);
  TiledCholesky usual;
  if (c.dtype(0) == Dtype::f64) usual.guard = 0;  // what the row calls positive definite
  const auto runs = std::make_shared<std::vector<TiledCholeskyRun>>();
  return {[runs, work = DeviceCholesky(c[0], c.flag("upper"), usual, out[0])] { *runs = work.run(); },
          [runs, c] { require_factors(c, *runs); }, [out = std::move(out)] { return out; }};
}

Order by_blocks(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0);
  o.block = TiledCholesky().block;
  o.fma = true;
  return o;
}

}  // namespace

Route tiled_cholesky_gpu_route() {
  return {.op = "cholesky",
          .name = "gpu.tiled",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {{Stage::device, "the device has no binary64, in which it would go on",
                        [](const Call&, const Device& d) { return d.fp64; }},
                       {Stage::device, "work-groups are smaller than 128",
                        [](const Call&, const Device& d) { return d.facts.max_work_group >= size(kColumns); }}},
          .prefers = {kNotHost,
                      {Stage::shape_dtype, "under 16384 elements: a launch costs more",
                       [](const Call& c, const Device&) { return c[0].size() >= kWorthLaunch; }}},
          .order = by_blocks,
          .prepare = prepare};
}

}  // namespace plumb::gpu
