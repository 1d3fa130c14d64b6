// CPU routes of sum and softmax: see reduce/lines.h for how lines are cut.
#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/reduce/lines.h"
#include "optimized/array/reduce/sum.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"
#include "optimized/exp.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void sum_runs(Element, const void* x, std::int64_t runs, std::int64_t n, int period, void* out))
PLUMB_DECLARE_SIMD(void sum_short_runs(Element, const void* x, std::int64_t runs, std::int64_t n, void* out))
PLUMB_DECLARE_SIMD(void sum_rows(Element, const void* x, std::int64_t rows, std::int64_t stride, std::int64_t width,
                                 void* out))
PLUMB_DECLARE_SIMD(void round_sums(Element, const float* sums, std::int64_t n, void* out))
PLUMB_DECLARE_SIMD(void softmax_rows(Element, const void* x, std::int64_t rows, std::int64_t n, void* e, void* y,
                                     bool streaming))
PLUMB_DECLARE_SIMD(void softmax_columns(Element, const void* x, std::int64_t n, std::int64_t stride, std::int64_t block,
                                        std::int64_t width, void* e, void* y))
PLUMB_DECLARE_SIMD(void softmax_largest(Element, const void* x, std::int64_t n, void* m))
PLUMB_DECLARE_SIMD(void softmax_exponentials(Element, const void* x, std::int64_t n, const void* m, void* e, void* sum))
PLUMB_DECLARE_SIMD(void softmax_divide(Element, const void* e, std::int64_t n, const void* sum, void* y,
                                       bool streaming))

namespace {

using namespace reduction;

constexpr Limit kFewLines{"reduction.few_lines", 8, 2};  // fewer long lines are shared by all threads
constexpr Limit kStreamingBytes{"reduction.streaming_bytes", 24 << 20,
                                256};  // an output of this size is not worth caching

// ---- sum

template <class A>
void add(A* into, const A* from, std::int64_t n) {
  for (std::int64_t j = 0; j < n; ++j) into[j] += from[j];
}

// Sums `parts` numbers in place and by pairs: the depth is ceil(log2 parts).
template <class A>
void join(A* v, std::int64_t parts) {
  for (std::int64_t step = 1; step < parts; step *= 2)
    for (std::int64_t i = 0; i + step < parts; i += 2 * step) v[i] += v[i + step];
}

Plan sum_plan(const Spec& x, const std::vector<std::int64_t>& axes) {  // of scalars: a complex number is two of them
  return plan_of(lines_of(x.shape, axes), is_complex(x.dtype) ? 2 : 1, 2);
}

Order sum_order(const Call& c) { return reduction::sum_order(c[0].spec(), c.axes()); }

template <class A>
void sum_as(const Plan& p, const Tensor& x, A* out) {
  const auto t = element_of(x.dtype());
  Folding f;
  f.in = is_complex(x.dtype()) ? 4 : info(x.dtype()).bytes, f.wide = sizeof(A);
  f.kernel = [t](const std::byte* from, const FoldCall& k) {
    if (k.way == FoldCall::rows) PLUMB_DISPATCH(sum_rows)(t, from, k.count, k.stride, k.n, k.out);
    else if (k.way == FoldCall::runs)
      PLUMB_DISPATCH(sum_runs)(t, from, k.count, k.n, static_cast<int>(k.period), k.out);
    else PLUMB_DISPATCH(sum_short_runs)(t, from, k.count, k.n, k.out);
  };
  f.join = [](std::byte* into, const std::byte* from, std::int64_t n) {
    add(reinterpret_cast<A*>(into), reinterpret_cast<const A*>(from), n);
  };
  f.clear = [](std::byte* to, std::int64_t n) { std::fill_n(reinterpret_cast<A*>(to), n, A{}); };
  fold(p, f, x.read<std::byte>(), reinterpret_cast<std::byte*>(out));
}

void sum(const Call& c, std::vector<Tensor>& out) { sum_along(c[0], c.axes(), out[0]); }

// ---- softmax

constexpr Limit kFewColumns{"reduction.few_columns", 16, 4};  // fewer are moved aside and computed as lines

Lines softmax_lines(const Call& c) {
  Lines l = lines_of(c.shape(0), c.axes());
  if (l.inner > 1 && l.inner < kFewColumns.of(l.inner)) {
    l.outer *= std::exchange(l.inner, 1);
    l.adjacent = false;
  }
  return l;
}

Order softmax_order(const Call& c) {
  const Lines l = softmax_lines(c);
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.function_ulps = kExpUlps;
  o.block = kBlockRows.now();
  if (l.inner > 1) return o;
  o.shape = Order::Shape::lanes;
  o.lanes = 256 / info(o.accumulator).bytes;
  o.block = kBlock.now();
  o.tree = true;
  return o;
}

using Exponentials = RawRoom<std::byte, 16>;

struct Softmax {
  Lines l;
  Element t;
  const std::byte* x;
  std::byte* y;
  std::int64_t in, out, wide;  // bytes of an element of the input, of the output, and as computed with
  bool streaming;
};

// Lines that are one block each, or several to a thread.
void softmax_short(const Softmax& s) {
  parallel_for(s.l.outer, std::max<std::int64_t>(1, kGrain / 4 / s.l.n), [&](std::int64_t begin, std::int64_t end) {
    const Exponentials e(s.l.n * s.wide);
    PLUMB_DISPATCH(softmax_rows)
    (s.t, s.x + begin * s.l.n * s.in, end - begin, s.l.n, e.get(), s.y + begin * s.l.n * s.out, s.streaming);
  });
}

// One long line, block by block; every pass ends before the next begins.
template <class A>
void softmax_long(const Softmax& s, const std::byte* x, std::byte* y, A* e) {
  const std::int64_t block = kBlock.of(s.l.n), blocks = ceil_div(s.l.n, block);
  Room<A> parts(static_cast<std::size_t>(blocks));
  const auto each_block = [&](auto f) {
    parallel_for(blocks, 4, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) f(b, b * block, std::min(block, s.l.n - b * block));
    });
  };
  const auto largest = PLUMB_DISPATCH(softmax_largest);
  const auto exponentials = PLUMB_DISPATCH(softmax_exponentials);
  const auto divide = PLUMB_DISPATCH(softmax_divide);
  each_block([&](std::int64_t b, std::int64_t i, std::int64_t n) {
    largest(s.t, x + i * s.in, n, &parts[static_cast<std::size_t>(b)]);
  });
  const A m = *std::max_element(parts.begin(), parts.end());
  each_block([&](std::int64_t b, std::int64_t i, std::int64_t n) {
    exponentials(s.t, x + i * s.in, n, &m, e + i, &parts[static_cast<std::size_t>(b)]);
  });
  join(parts.data(), blocks);
  const A total = parts[0];
  each_block(
      [&](std::int64_t, std::int64_t i, std::int64_t n) { divide(s.t, e + i, n, &total, y + i * s.out, s.streaming); });
}

// Lines of several blocks: one thread takes a whole line if there are lines enough, else all share one,
// with the output itself as room where it is wide enough.
template <class A>
void softmax_lines_as(Softmax s) {
  const auto one = [&](std::int64_t k, std::byte* e) {
    std::byte* y = s.y + k * s.l.n * s.out;
    softmax_long(s, s.x + k * s.l.n * s.in, y, reinterpret_cast<A*>(e ? e : y));
  };
  const std::int64_t bytes = s.l.n * s.wide;
  if (s.l.outer < kFewLines.of(s.l.outer)) {
    const Exponentials e = s.wide == s.out ? Exponentials() : Exponentials(bytes);
    s.streaming &= static_cast<bool>(e);
    for (std::int64_t k = 0; k < s.l.outer; ++k) one(k, e.get());
    return;
  }
  parallel_for(s.l.outer, 1, [&](std::int64_t begin, std::int64_t end) {
    const Exponentials e(bytes);
    for (std::int64_t k = begin; k < end; ++k) one(k, e.get());
  });
}

void softmax_down(const Softmax& s) {
  const std::int64_t strip = 256 / s.wide, strips = ceil_div(s.l.inner, strip);
  parallel_for(s.l.outer * strips, 1, [&](std::int64_t begin, std::int64_t end) {
    const Exponentials e(s.l.n * 256);
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t column = task % strips * strip, at = task / strips * s.l.n * s.l.inner + column;
      PLUMB_DISPATCH(softmax_columns)
      (s.t, s.x + at * s.in, s.l.n, s.l.inner, kBlockRows.of(s.l.n), std::min(strip, s.l.inner - column), e.get(),
       s.y + at * s.out);
    }
  });
}

void softmax(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Lines l = softmax_lines(c);
  const std::vector<std::size_t> order = kept_first(c.shape(0), c.axes());
  const Tensor x = dense_lines(c[0], c.axes(), l), moved = permuted(out[0], order),
               y = l.adjacent ? out[0] : Tensor(moved.spec());
  Softmax s{l,
            element_of(x.dtype()),
            x.read<std::byte>(),
            y.write<std::byte>(),
            info(x.dtype()).bytes,
            info(y.dtype()).bytes,
            y.dtype() == Dtype::f64 ? 8 : 4,
            false};
  s.streaming = y.dtype() == Dtype::f32 && y.size() * s.out >= kStreamingBytes.of(y.size() * s.out);
  if (l.inner > 1) softmax_down(s);
  else if (l.n <= kBlock.of(l.n)) softmax_short(s);
  else if (s.wide == 8) softmax_lines_as<double>(s);
  else softmax_lines_as<float>(s);
  if (!l.adjacent) copy(y, moved);
}

}  // namespace

Order reduction::sum_order(const Spec& x, const std::vector<std::int64_t>& axes) {
  return order_of(sum_plan(x, axes), x.dtype == Dtype::f64 ? 8 : 4);
}

void reduction::sum_along(const Tensor& a, const std::vector<std::int64_t>& axes, const Tensor& s) {
  if (s.size() == 0) return;
  const Plan p = sum_plan(a.spec(), axes);
  const Tensor x = dense_lines(a, axes, lines_of(a.shape(), axes));
  switch (s.dtype()) {
    case Dtype::i32:
    case Dtype::u32: return sum_as(p, x, s.write<std::uint32_t>());
    case Dtype::i64:
    case Dtype::u64: return sum_as(p, x, s.write<std::uint64_t>());
    case Dtype::f64: return sum_as(p, x, s.write<double>());
    case Dtype::f32:
    case Dtype::c64: return sum_as(p, x, s.write<float>());
    default: break;
  }
  Room<float> sums(static_cast<std::size_t>(s.size()));
  sum_as(p, x, sums.data());
  PLUMB_DISPATCH(round_sums)(element_of(s.dtype()), sums.data(), s.size(), s.write<std::uint16_t>());
}

std::vector<Route> reduction_cpu_routes() {
  Route sum_route;
  sum_route.op = "sum";
  sum_route.name = "cpu.blocked";
  sum_route.order = sum_order;
  sum_route.prepare = host<sum>;
  Route softmax_route;
  softmax_route.op = "softmax";
  softmax_route.name = "cpu.fused";
  softmax_route.order = softmax_order;
  softmax_route.prepare = host<softmax>;
  return {sum_route, softmax_route};
}

}  // namespace plumb
