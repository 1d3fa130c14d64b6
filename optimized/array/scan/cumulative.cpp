// Scans on the processor: lines in tiles of lanes, one after the other where the axis is dense, side by side in strips
// where another one is. A few long lines are cut into chunks: each is first joined by itself, then scanned from what
// lies before it. How lines are cut depends on shapes and strides alone.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/array/scan/kernels.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"
#include "optimized/exp.h"
#include "optimized/functions_ulps.h"
#include "optimized/nest.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void load_tile(Element t, const void* from, void* tile, std::int64_t n))
PLUMB_DECLARE_SIMD(void store_tile(Lane in, Element t, const void* tile, void* to, std::int64_t n))
PLUMB_DECLARE_SIMD(ScanKernel cumulative_kernel(Scan, Lane))
PLUMB_DECLARE_SIMD(ScanKernel log_kernel(Lane))

namespace {

constexpr Limit kTile{"scan.tile", kTileElements, 32};  // elements of a line scanned at once
constexpr Limit kStrip{"scan.strip", 512, 32};          // columns scanned at once
constexpr Limit kFewColumns{"scan.few_columns", 8, 3};  // fewer are scanned one by one
constexpr Limit kFewTasks{"scan.few_tasks", 8, 2};      // fewer lines or strips are cut into chunks
constexpr Limit kChunk{"scan.chunk", 1 << 14, 20};      // elements of a chunk
constexpr std::int64_t kGrain = 1 << 15;                // elements worth a thread
constexpr std::int64_t kWhole = 16;                     // elements: whole vectors of every lane

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

Scan scan_of(const Call& c) {
  const std::string_view name = c.op->name;
  return name == "cumsum"    ? Scan::sum
         : name == "cumprod" ? Scan::prod
         : name == "cummax"  ? Scan::max
         : name == "cummin"  ? Scan::min
                             : Scan::log;
}
// What elements are cast to before they are promoted to the output.
Dtype cast_of(const Call& c) {
  const Scan s = scan_of(c);
  return (s == Scan::sum || s == Scan::prod) ? c.dtype_attr("dtype").value_or(c.dtype(0)) : c.dtype(0);
}
Dtype dtype_of_result(const Call& c) { return output_specs(c)[0].dtype; }

ScanKernel kernel_of(const Call& c) {
  const Lane lane = lane_of(element_of(dtype_of_result(c)));
  return scan_of(c) == Scan::log ? PLUMB_DISPATCH(log_kernel)(lane)
                                 : PLUMB_DISPATCH(cumulative_kernel)(scan_of(c), lane);
}

// ---- geometry

// Lines of n elements, `in` and `out` apart; `rest` enumerates them, its last axis as strips where they lie side by
// side.
struct Plan {
  std::int64_t n = 0, in = 0, out = 0;
  Nest<2> rest;
  bool side_by_side = false;
  std::int64_t columns = 1, strip = 1, strips = 1, tasks = 1;
  std::int64_t chunk = 0;  // steps of one, or 0: whole lines
};

Plan plan_of(const Call& c) {
  const bool flat = c.none("axis");
  const Shape shape = flat ? Shape{c[0].size()} : c.shape(0);
  const Strides in = flat ? Strides{1} : c[0].strides(), out = row_major(shape);
  const auto axis = static_cast<std::size_t>(flat ? 0 : c.axis());
  Plan p{shape[axis], in[axis], out[axis], {}};
  Shape others;
  std::array<Strides, 2> steps;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (d != axis) others.push_back(shape[d]), steps[0].push_back(in[d]), steps[1].push_back(out[d]);
  p.rest = nest<2>(others, steps);
  p.side_by_side =
      p.rest.strides[1].back() == 1 && p.out != 1 && p.rest.shape.back() >= kFewColumns.of(p.rest.shape.back());
  if (p.side_by_side) p.columns = p.rest.shape.back(), p.strip = kStrip.of(p.columns);
  p.strips = ceil_div(p.columns, p.strip);
  p.tasks = p.rest.size() / std::max<std::int64_t>(1, p.columns) * p.strips;
  const std::int64_t wanted = std::max<std::int64_t>(1, kChunk.now() / std::min(p.strip, p.columns));
  if (p.tasks < kFewTasks.of(p.tasks) && p.n > (p.side_by_side ? wanted : kChunk.of(p.n))) p.chunk = wanted;
  return p;
}

// Within a vector, then from vector to vector; in the second pass what lies before a chunk passes its vectors too.
Order order(const Call& c) {
  const Plan p = plan_of(c);
  Order o;
  const Dtype t = dtype_of_result(c);
  const bool narrow = t == Dtype::f16 || t == Dtype::bf16 || t == Dtype::f32;
  o.accumulator = narrow ? Dtype::f32 : Dtype::f64;
  const std::int64_t lanes = p.side_by_side ? 1 : kernel_of(c).lanes;
  if (lanes > 1) o.shape = Order::Shape::lanes, o.lanes = lanes;
  o.block = p.chunk;
  if (p.chunk > 0) o.epilogue = static_cast<int>(ceil_div(p.chunk, lanes));
  constexpr FunctionUlps log = function_ulps("log");
  if (scan_of(c) == Scan::log) o.function_ulps = std::max(kExpUlps, narrow ? log.ulps32 : log.ulps64);
  return o;
}

// ---- elements

bool plain(Element t) { return t == Element::f32 || t == Element::f64 || t == Element::i64 || t == Element::u64; }

using Tile = std::array<std::byte, kTileBytes>;

struct Ends {
  const std::byte* x;
  std::byte* y;
  Dtype from, cast, to;
  Lane lane;
};
// A thread's way between the operands: elements as lanes, and back.
struct Passage : Ends {
  explicit Passage(const Ends& e) : Ends(e) {}
  alignas(64) std::array<std::byte, kTileElements * 8> first, second;
  alignas(64) Tile lanes, result;

  // m elements as lanes; whole vectors of them if `whole`.
  const void* elements(std::int64_t at, std::int64_t step, std::int64_t m, bool whole) {
    const std::byte* p = x + at * info(from).bytes;
    if (from != cast || step != 1) {
      converter(from, cast)(p, step, first.data(), m);
      p = first.data();
    }
    if (cast != to) {
      converter(cast, to)(p, 1, second.data(), m);
      p = second.data();
    }
    if (plain(element_of(to)) && (!whole || m % kWhole == 0)) return p;
    PLUMB_DISPATCH(load_tile)(element_of(to), p, lanes.data(), m);
    return lanes.data();
  }
  void* room(std::int64_t at, std::int64_t step, std::int64_t m, bool whole) {
    const bool direct = plain(element_of(to)) && step == 1 && (!whole || m % kWhole == 0);
    return direct ? y + at * info(to).bytes : result.data();
  }
  void store(const void* tile, std::int64_t at, std::int64_t step, std::int64_t m) {
    std::byte* p = y + at * info(to).bytes;
    if (tile == p) return;
    if (step == 1) return PLUMB_DISPATCH(store_tile)(lane, element_of(to), tile, p, m);
    PLUMB_DISPATCH(store_tile)(lane, element_of(to), tile, first.data(), m);
    const std::int64_t bytes = info(to).bytes;
    switch (bytes) {
      case 1: return apart<std::uint8_t>(p, step, m);
      case 2: return apart<std::uint16_t>(p, step, m);
      case 4: return apart<std::uint32_t>(p, step, m);
      default: return apart<std::uint64_t>(p, step, m);
    }
  }

 private:
  template <class Word>
  void apart(std::byte* p, std::int64_t step, std::int64_t m) {
    const auto* words = reinterpret_cast<const Word*>(first.data());
    auto* to_words = reinterpret_cast<Word*>(p);
    for (std::int64_t i = 0; i < m; ++i) to_words[i * step] = words[i];
  }
};

// ---- what is carried

template <class T>
void put(Tile& carry, std::int64_t plane, T value) {
  auto* to = reinterpret_cast<T*>(carry.data()) + plane * kTileElements;
  std::fill_n(to, kTileElements, value);
}

// The least value of a whole number's dtype, or the greatest.
void put_whole_end(Tile& carry, Dtype t, bool lowest) {
  const int bits = t == Dtype::boolean ? 1 : 8 * info(t).bytes;
  const std::int64_t top = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
  if (info(t).kind == Kind::signed_integer) put(carry, 0, lowest ? -top - 1 : top);
  else put(carry, 0, lowest ? std::uint64_t{0} : ~std::uint64_t{0} >> (64 - bits));
}

void put_reals(Tile& carry, Dtype t, double first, double second) {
  if (lane_of(element_of(t)) == Lane::f32)
    put(carry, 0, static_cast<float>(first)), put(carry, 1, static_cast<float>(second));
  else put(carry, 0, first), put(carry, 1, second);
}

// The identity of a scan, in every column.
void put_identity(Tile& carry, Scan scan, Dtype t) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  switch (scan) {
    case Scan::sum:
      if (is_inexact(t)) return put_reals(carry, t, 0, 0);
      return put(carry, 0, std::uint64_t{0});
    case Scan::prod:
      if (is_inexact(t)) return put_reals(carry, t, 1, 0);
      return put(carry, 0, std::uint64_t{1});
    case Scan::max:
      if (is_inexact(t)) return put_reals(carry, t, -kInf, -kInf);
      return put_whole_end(carry, t, true);
    case Scan::min:
      if (is_inexact(t)) return put_reals(carry, t, kInf, kInf);
      return put_whole_end(carry, t, false);
    case Scan::log: return put_reals(carry, t, -kInf, 0);
  }
}

// ---- scans

struct Work {
  Plan p;
  Ends ends;
  ScanKernel kernel;
  bool backward, exclusive;

  std::int64_t width(std::int64_t task) const {
    return p.side_by_side ? std::min(p.strip, p.columns - task % p.strips * p.strip) : 1;
  }
  // Where the first element of a task's line, or of its first column, lies in the input and in the output.
  std::array<std::int64_t, 2> place(std::int64_t task) const {
    std::array<std::int64_t, 2> at{};
    std::int64_t line = task / p.strips;
    if (p.side_by_side)
      for (std::size_t k = 0; k < 2; ++k) at[k] = task % p.strips * p.strip * p.rest.strides[k].back();
    for (std::size_t d = p.rest.shape.size() - (p.side_by_side ? 1 : 0); d-- > 0; line /= p.rest.shape[d])
      for (std::size_t k = 0; k < 2; ++k) at[k] += line % p.rest.shape[d] * p.rest.strides[k][d];
    return at;
  }

  // Steps begin to end of a task, in the order of the scan, from what is carried; without results if `total`.
  void steps(Passage& io, std::int64_t task, std::int64_t begin, std::int64_t end, Tile& carry, bool total) const {
    const std::array<std::int64_t, 2> at = place(task);
    if (p.side_by_side) {
      const std::int64_t m = width(task), step = p.rest.strides[0].back();
      for (std::int64_t k = begin; k < end; ++k) {
        const std::int64_t i = backward ? p.n - 1 - k : k, to = at[1] + i * p.out;
        void* y_tile = total ? nullptr : io.room(to, 1, m, true);
        kernel.down(io.elements(at[0] + i * p.in, step, m, true), y_tile, m, carry.data(), exclusive);
        if (!total) io.store(y_tile, to, 1, m);
      }
      return;
    }
    const std::int64_t most = kTile.of(end - begin);
    for (std::int64_t k = begin; k < end; k += most) {
      const std::int64_t m = std::min(most, end - k), i = backward ? p.n - k - m : k, to = at[1] + i * p.out;
      const void* x_tile = io.elements(at[0] + i * p.in, p.in, m, false);
      void* y_tile = total ? nullptr : io.room(to, p.out, m, false);
      if (total && kernel.total) kernel.total(x_tile, m, carry.data());
      else (backward ? kernel.backward : kernel.forward)(x_tile, y_tile, m, carry.data(), exclusive);
      if (!total) io.store(y_tile, to, p.out, m);
    }
  }
};

// What is carried in the columns of a task, padded to whole vectors.
void copy(const Work& w, std::int64_t task, const Tile& from, Tile& to) {
  const std::size_t number = w.ends.lane == Lane::f32 ? 4 : 8;
  const auto bytes = static_cast<std::size_t>(ceil_div(w.width(task), kWhole) * kWhole) * number;
  std::memcpy(to.data(), from.data(), bytes);
  std::memcpy(to.data() + number * kTileElements, from.data() + number * kTileElements, bytes);
}

void whole_lines(const Work& w, const Tile& identity) {
  const std::int64_t work = w.p.n * std::min(w.p.strip, w.p.columns) + 1;
  parallel_for(w.p.tasks, ceil_div(kGrain, work), [&](std::int64_t begin, std::int64_t end) {
    Passage io(w.ends);
    alignas(64) Tile carry;
    for (std::int64_t task = begin; task < end; ++task) {
      copy(w, task, identity, carry);
      w.steps(io, task, 0, w.p.n, carry, false);
    }
  });
}

// Chunks are taken in order, and each thread waits for what lies before its chunk only once it has the chunk's total:
// so nobody waits for one that was not begun, and the scan finds the chunk in the cache.
void chunks_of_lines(const Work& w, const Tile& identity) {
  const std::int64_t items = w.p.tasks * ceil_div(w.p.n, w.p.chunk);
  const RawRoom<Tile> carries(w.p.tasks);
  std::vector<std::atomic<std::int64_t>> before(static_cast<std::size_t>(w.p.tasks));  // chunks that a carry holds
  for (std::int64_t task = 0; task < w.p.tasks; ++task) copy(w, task, identity, carries[task]);
  std::atomic<std::int64_t> next{0};
  parallel_each(std::min<std::int64_t>(threads(), items), [&](std::int64_t) {
    Passage io(w.ends);
    alignas(64) Tile mine, total;
    for (std::int64_t i; (i = next.fetch_add(1)) < items;) {
      const std::int64_t task = i % w.p.tasks, k = i / w.p.tasks, begin = k * w.p.chunk;
      const std::int64_t end = std::min(w.p.n, begin + w.p.chunk);
      copy(w, task, identity, total);
      if (end < w.p.n) w.steps(io, task, begin, end, total, true);
      auto& turn = before[static_cast<std::size_t>(task)];
      while (turn.load(std::memory_order_acquire) != k) std::this_thread::yield();
      copy(w, task, carries[task], mine);
      w.kernel.join(carries[task].data(), total.data(), w.width(task));
      turn.store(k + 1, std::memory_order_release);
      w.steps(io, task, begin, end, mine, false);
    }
  });
}

void scan(const Call& c, std::vector<Tensor>& out) {
  Tensor& y = out[0];
  if (y.size() == 0) return;
  const Tensor x = c.none("axis") ? contiguous(c[0]).view({c[0].size()}, {1}) : c[0];
  const Ends ends{x.read<std::byte>(), y.write<std::byte>(),          x.dtype(), cast_of(c),
                  y.dtype(),           lane_of(element_of(y.dtype()))};
  const Work w{plan_of(c), ends, kernel_of(c), c.flag("reverse"), !c.flag("inclusive")};
  alignas(64) Tile identity;
  put_identity(identity, scan_of(c), y.dtype());
  if (w.p.chunk > 0) chunks_of_lines(w, identity);
  else whole_lines(w, identity);
}

}  // namespace

std::vector<Route> cumulative_cpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"}) {
    Route& r = routes.emplace_back();
    r.op = op;
    r.name = "cpu.scan";
    r.order = order;
    r.prepare = host<scan>;
  }
  return routes;
}

}  // namespace plumb
