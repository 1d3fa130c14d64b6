// CPU routes of sum and softmax. Inputs are made dense; what is left is one of
//
//   outer lines of n elements, one after the other        (inner = 1)
//   outer blocks of n rows of inner elements, summed down  (inner > 1)
//
// Blocks and chunks are cut by shape alone, so results do not depend on the number of threads.
#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"
#include "optimized/exp.h"
#include "optimized/nest.h"

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

constexpr Limit kShort{"reduction.short", 16, 4};               // lines below this are summed in sequence
constexpr Limit kBlock{"reduction.block", 4096, 24};            // elements of a line summed at once
constexpr Limit kBlockRows{"reduction.block_rows", 64, 4};      // rows summed at once
constexpr Limit kChunkBlocks{"reduction.chunk_blocks", 64, 3};  // blocks that one thread takes
constexpr Limit kStrip{"reduction.strip", 1024, 40};            // columns summed at once
constexpr Limit kFold{"reduction.fold", 256, 32};        // scalars of rows that lie side by side as one wider row
constexpr Limit kFewLines{"reduction.few_lines", 8, 2};  // fewer long lines are shared by all threads
constexpr std::int64_t kGrain = 1 << 15;                 // elements worth a thread
constexpr Limit kStreamingBytes{"reduction.streaming_bytes", 24 << 20,
                                256};  // an output of this size is not worth caching

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// ---- geometry

struct Lines {
  std::int64_t outer = 1, n = 1, inner = 1;
  bool adjacent = true;  // the reduced axes are one run; else they are first moved to the end
};

Lines lines_of(const Shape& shape, const std::vector<std::int64_t>& axes) {
  Lines l;
  bool begun = false, ended = false;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool reduced = std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d));
    if (shape[d] == 1) continue;
    if (reduced && ended) l.adjacent = false;
    if (reduced) begun = true, l.n *= shape[d];
    else if (!begun) l.outer *= shape[d];
    else ended = true, l.inner *= shape[d];
  }
  if (!l.adjacent) l.outer *= std::exchange(l.inner, 1);
  return l;
}

// The axes in the order kept, then reduced.
std::vector<std::size_t> kept_first(const Shape& shape, const std::vector<std::int64_t>& axes) {
  std::vector<std::size_t> order;
  for (const bool reduced : {false, true})
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) == reduced) order.push_back(d);
  return order;
}

Tensor permuted(const Tensor& t, const std::vector<std::size_t>& order) {
  Shape shape;
  Strides strides;
  for (const std::size_t d : order) shape.push_back(t.shape()[d]), strides.push_back(t.strides()[d]);
  return t.view(shape, strides);
}

template <class Word>
void copy_words(const Tensor& from, const Tensor& to) {
  const auto loops = nest<2>(to.shape(), {from.strides(), to.strides()});
  const Word* x = from.read<Word>();
  Word* y = to.write<Word>();
  const std::int64_t in = loops.strides[0].back(), out = loops.strides[1].back();
  parallel_for(to.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for_runs(loops, begin, end, [&](const std::array<std::int64_t, 2>& at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) y[at[1] + i * out] = x[at[0] + i * in];
    });
  });
}

// Copies between tensors of one shape and dtype, whatever their strides.
void copy(const Tensor& from, const Tensor& to) {
  if (to.size() == 0) return;
  switch (info(to.dtype()).bytes) {
    case 1: return copy_words<std::uint8_t>(from, to);
    case 2: return copy_words<std::uint16_t>(from, to);
    case 4: return copy_words<std::uint32_t>(from, to);
    default: return copy_words<std::uint64_t>(from, to);
  }
}

Tensor dense(const Tensor& t) {
  if (t.is_row_major()) return t;
  Tensor packed(t.spec());
  copy(t, packed);
  return packed;
}

// The input as `lines_of` describes it.
Tensor dense_lines(const Call& c, const Lines& l) {
  return dense(l.adjacent ? c[0] : permuted(c[0], kept_first(c.shape(0), c.axes())));
}

// ---- sum

// Sums `parts` vectors of `width`, in place and by pairs: the depth is ceil(log2 parts).
template <class A>
void join(A* v, std::int64_t parts, std::int64_t width) {
  for (std::int64_t step = 1; step < parts; step *= 2)
    for (std::int64_t i = 0; i + step < parts; i += 2 * step)
      for (std::int64_t j = 0; j < width; ++j) v[i * width + j] += v[(i + step) * width + j];
}

// How a sum is cut. The elements are scalars: a complex number is two of them.
struct SumPlan {
  std::int64_t outer = 1, n = 1, width = 1;  // n rows of width scalars, summed down, for each of outer
  std::int64_t fold = 1;                     // rows that lie side by side as one wider row
  enum class Way : std::uint8_t { in_sequence, runs, rows } way = Way::rows;
  std::int64_t block() const { return way == Way::runs ? kBlock.now() / width : kBlockRows.now() * fold; }  // terms
};

SumPlan sum_plan(const Call& c) {
  const Lines l = lines_of(c.shape(0), c.axes());
  SumPlan p{l.outer, l.n, l.inner * (is_complex(c.dtype(0)) ? 2 : 1)};
  if (p.width == 0 || (p.width == 1 && p.n < kShort.of(p.n)))
    p.way = SumPlan::Way::in_sequence;  // no columns: nothing to cut
  else if (p.width <= 2) p.way = SumPlan::Way::runs;
  else if (const std::int64_t fold = kFold.of(p.n * p.width / 2); p.width < fold / 2 && p.n >= 2 * (fold / p.width))
    p.fold = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(fold / p.width)));
  return p;
}

template <class A>
Order sum_order_of(const SumPlan& p) {
  Order o;
  o.accumulator = sizeof(A) == 8 ? Dtype::f64 : Dtype::f32;
  if (p.way == SumPlan::Way::in_sequence) return o;
  o.shape = p.way == SumPlan::Way::rows && p.fold == 1 ? Order::Shape::sequential : Order::Shape::lanes;
  o.lanes = p.way == SumPlan::Way::runs ? 256 / static_cast<std::int64_t>(sizeof(A)) / p.width : p.fold;
  o.block = p.block();
  o.split = std::max<std::int64_t>(1, ceil_div(p.n, p.block() * kChunkBlocks.now()));
  o.tree = true;
  return o;
}

Order sum_order(const Call& c) {
  const SumPlan p = sum_plan(c);
  return c.dtype(0) == Dtype::f64 ? sum_order_of<double>(p) : sum_order_of<float>(p);
}

// Lines one after the other: `chunks` parts of each are summed by themselves, then joined.
template <class A>
void sum_lines(const SumPlan& p, Element t, const std::byte* x, std::int64_t bytes, A* out) {
  const std::int64_t n = p.n * p.width, block = kBlock.of(n), chunk = block * kChunkBlocks.of(ceil_div(n, block)),
                     chunks = ceil_div(n, chunk);
  const auto runs = PLUMB_DISPATCH(sum_runs);
  const int period = static_cast<int>(p.width);
  if (n <= block)
    return parallel_for(p.outer, std::max<std::int64_t>(1, kGrain / n), [&](std::int64_t begin, std::int64_t end) {
      runs(t, x + begin * n * bytes, end - begin, n, period, out + begin * period);
    });
  Room<A> parts(static_cast<std::size_t>(p.outer * chunks * period));
  parallel_for(p.outer * chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    A sums[2 * kChunkBlocks.usual];
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t first = task % chunks * chunk, m = std::min(chunk, n - first);
      const std::byte* from = x + (task / chunks * n + first) * bytes;
      const std::int64_t whole = m / block, rest = m % block;
      runs(t, from, whole, block, period, sums);
      if (rest > 0) runs(t, from + whole * block * bytes, 1, rest, period, sums + whole * period);
      join(sums, whole + (rest > 0), period);
      std::copy_n(sums, period, parts.begin() + task * period);
    }
  });
  for (std::int64_t k = 0; k < p.outer; ++k) {
    A* line = parts.data() + k * chunks * period;
    join(line, chunks, period);
    std::copy_n(line, period, out + k * period);
  }
}

// n rows, `fold` of which lie side by side: blocks of wider rows, in chunks, in strips of columns.
template <class A>
void sum_down(const SumPlan& p, Element t, const std::byte* x, std::int64_t bytes, A* out) {
  const std::int64_t wide = p.width * p.fold, rows = p.n / p.fold, rest = p.n % p.fold * p.width;
  const std::int64_t each = kBlockRows.of(rows), chunk_blocks = kChunkBlocks.of(ceil_div(rows, each));
  const std::int64_t chunk = each * chunk_blocks, chunks = ceil_div(ceil_div(p.n, p.fold), chunk);
  const std::int64_t strip = kStrip.of(wide), strips = ceil_div(wide, strip);
  const auto add_up = PLUMB_DISPATCH(sum_rows);
  Room<A> parts(static_cast<std::size_t>(p.outer * chunks * wide));
  const auto one_chunk = [&](std::int64_t k, std::int64_t c, std::int64_t column, Room<A>& sums) {
    const std::int64_t width = std::min(strip, wide - column);
    std::int64_t blocks = 0;
    for (std::int64_t r = c * chunk; r < std::min((c + 1) * chunk, rows); r += each, ++blocks)
      add_up(t, x + (k * p.n * p.width + r * wide + column) * bytes, std::min({each, rows - r, (c + 1) * chunk - r}),
             wide, width, sums.data() + blocks * width);
    if (c == chunks - 1 && rest > 0) {  // the rows that fill no wider row; one strip only, as fold > 1
      A* last = sums.data() + blocks * width;
      std::fill_n(last, width, A{});
      add_up(t, x + (k * p.n * p.width + rows * wide) * bytes, 1, rest, rest, last);
      if (rows % each == 0) ++blocks;
      else join(last - width, 2, width);
    }
    join(sums.data(), blocks, width);
    std::copy_n(sums.begin(), width, parts.begin() + (k * chunks + c) * wide + column);
  };
  const std::int64_t work = std::min(rows, chunk) * std::min(wide, strip) + 1;
  parallel_for(p.outer * chunks * strips, ceil_div(kGrain, work), [&](std::int64_t begin, std::int64_t end) {
    Room<A> sums(static_cast<std::size_t>((chunk_blocks + 1) * std::min(wide, strip)));
    for (std::int64_t task = begin; task < end; ++task)
      one_chunk(task / strips / chunks, task / strips % chunks, task % strips * strip, sums);
  });
  for (std::int64_t k = 0; k < p.outer; ++k) {
    A* sums = parts.data() + k * chunks * wide;
    join(sums, chunks, wide);
    for (std::int64_t half = p.fold / 2; half >= 1; half /= 2)
      for (std::int64_t j = 0; j < half * p.width; ++j) sums[j] += sums[j + half * p.width];
    std::copy_n(sums, p.width, out + k * p.width);
  }
}

template <class A>
void sum_as(const SumPlan& p, const Tensor& x, A* out) {
  const auto t = element_of(x.dtype());
  const std::int64_t bytes = is_complex(x.dtype()) ? 4 : info(x.dtype()).bytes;
  const auto* from = x.read<std::byte>();
  if (p.n == 0) std::fill_n(out, p.outer * p.width, A{});
  else if (p.way == SumPlan::Way::runs) sum_lines(p, t, from, bytes, out);
  else if (p.way == SumPlan::Way::rows) sum_down(p, t, from, bytes, out);
  else
    parallel_for(p.outer, std::max<std::int64_t>(1, kGrain / p.n), [&](std::int64_t begin, std::int64_t end) {
      PLUMB_DISPATCH(sum_short_runs)(t, from + begin * p.n * bytes, end - begin, p.n, out + begin);
    });
}

void sum(const Call& c, std::vector<Tensor>& out) {
  Tensor& s = out[0];
  if (s.size() == 0) return;
  const SumPlan p = sum_plan(c);
  const Tensor x = dense_lines(c, lines_of(c.shape(0), c.axes()));
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
  join(parts.data(), blocks, 1);
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
  const Tensor x = dense_lines(c, l), moved = permuted(out[0], order), y = l.adjacent ? out[0] : Tensor(moved.spec());
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
