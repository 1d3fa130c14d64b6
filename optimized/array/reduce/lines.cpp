#include "optimized/array/reduce/lines.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "core/pool.h"
#include "core/room.h"
#include "optimized/nest.h"

namespace plumb::reduction {
namespace {

constexpr Limit kShort{"reduction.short", 16, 4};               // lines below this are folded in sequence
constexpr Limit kChunkBlocks{"reduction.chunk_blocks", 64, 3};  // blocks that one thread takes
constexpr Limit kStrip{"reduction.strip", 1024, 40};            // columns folded at once
constexpr Limit kFold{"reduction.fold", 256, 32};  // scalars of rows that lie side by side as one wider row

using Partials = RawRoom<std::byte, 64>;

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

Tensor dense(const Tensor& t) {
  if (t.is_row_major()) return t;
  Tensor packed(t.spec());
  copy(t, packed);
  return packed;
}

// Joins `parts` vectors of `width` in place and by pairs: the depth is ceil(log2 parts).
void join(const Folding& f, std::byte* v, std::int64_t parts, std::int64_t width) {
  const std::int64_t bytes = width * f.wide;
  for (std::int64_t step = 1; step < parts; step *= 2)
    for (std::int64_t i = 0; i + step < parts; i += 2 * step) f.join(v + i * bytes, v + (i + step) * bytes, width);
}

void copy_partials(const Folding& f, const std::byte* from, std::int64_t n, std::byte* to) {
  std::memcpy(to, from, static_cast<std::size_t>(n * f.wide));
}

// Lines one after the other: `chunks` parts of each are folded by themselves, then joined.
void fold_lines(const Plan& p, const Folding& f, const std::byte* x, std::byte* out) {
  const std::int64_t n = p.n * p.width, block = kBlock.of(n), chunk = block * kChunkBlocks.of(ceil_div(n, block)),
                     chunks = ceil_div(n, chunk), period = p.width, each = period * f.wide;
  if (n <= block)
    return parallel_for(p.outer, std::max<std::int64_t>(1, kGrain / n), [&](std::int64_t begin, std::int64_t end) {
      f.kernel(x + begin * n * f.in, {FoldCall::runs, end - begin, n, 0, period, out + begin * each});
    });
  const Partials parts(p.outer * chunks * each);
  parallel_for(p.outer * chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) std::byte blocks[2 * kChunkBlocks.usual * kWidest];
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t first = task % chunks * chunk, m = std::min(chunk, n - first);
      const std::byte* from = x + (task / chunks * n + first) * f.in;
      const std::int64_t whole = m / block, rest = m % block;
      f.kernel(from, {FoldCall::runs, whole, block, 0, period, blocks});
      if (rest > 0) f.kernel(from + whole * block * f.in, {FoldCall::runs, 1, rest, 0, period, blocks + whole * each});
      join(f, blocks, whole + (rest > 0), period);
      copy_partials(f, blocks, period, parts.get() + task * each);
    }
  });
  for (std::int64_t k = 0; k < p.outer; ++k) {
    std::byte* line = parts.get() + k * chunks * each;
    join(f, line, chunks, period);
    copy_partials(f, line, period, out + k * each);
  }
}

// n rows, `fold` of which lie side by side: blocks of wider rows, in chunks, in strips of columns.
struct Down {
  const Plan& p;
  const Folding& f;
  const std::byte* x;
  std::int64_t wide, rows, rest, each, chunk_blocks, chunk, chunks, strip;

  Down(const Plan& plan, const Folding& folding, const std::byte* from)
      : p(plan), f(folding), x(from), wide(p.width * p.fold), rows(p.n / p.fold), rest(p.n % p.fold * p.width) {
    each = kBlockRows.of(rows), chunk_blocks = kChunkBlocks.of(ceil_div(rows, each)), chunk = each * chunk_blocks;
    chunks = ceil_div(ceil_div(p.n, p.fold), chunk), strip = kStrip.of(wide);
  }

  void one_chunk(std::int64_t k, std::int64_t c, std::int64_t column, std::byte* room, std::byte* parts) const {
    const std::int64_t width = std::min(strip, wide - column), bytes = width * f.wide;
    const std::byte* block = x + k * p.n * p.width * f.in;
    std::int64_t blocks = 0;
    for (std::int64_t r = c * chunk; r < std::min((c + 1) * chunk, rows); r += each, ++blocks)
      f.kernel(block + (r * wide + column) * f.in, {FoldCall::rows, std::min({each, rows - r, (c + 1) * chunk - r}),
                                                    width, wide, 1, room + blocks * bytes});
    if (c == chunks - 1 && rest > 0) {  // the rows that fill no wider row; one strip only, as fold > 1
      std::byte* last = room + blocks * bytes;
      f.clear(last, width);
      f.kernel(block + rows * wide * f.in, {FoldCall::rows, 1, rest, rest, 1, last});
      if (rows % each == 0) ++blocks;
      else f.join(last - bytes, last, width);
    }
    join(f, room, blocks, width);
    copy_partials(f, room, width, parts + ((k * chunks + c) * wide + column) * f.wide);
  }
};

void fold_down(const Plan& p, const Folding& f, const std::byte* x, std::byte* out) {
  const Down d(p, f, x);
  const std::int64_t strips = ceil_div(d.wide, d.strip);
  const Partials parts(p.outer * d.chunks * d.wide * f.wide);
  const std::int64_t work = std::min(d.rows, d.chunk) * std::min(d.wide, d.strip) + 1;
  parallel_for(p.outer * d.chunks * strips, ceil_div(kGrain, work), [&](std::int64_t begin, std::int64_t end) {
    const Partials room((d.chunk_blocks + 1) * std::min(d.wide, d.strip) * f.wide);
    for (std::int64_t task = begin; task < end; ++task)
      d.one_chunk(task / strips / d.chunks, task / strips % d.chunks, task % strips * d.strip, room.get(), parts.get());
  });
  for (std::int64_t k = 0; k < p.outer; ++k) {
    std::byte* line = parts.get() + k * d.chunks * d.wide * f.wide;
    join(f, line, d.chunks, d.wide);
    for (std::int64_t half = p.fold / 2; half >= 1; half /= 2)
      f.join(line, line + half * p.width * f.wide, half * p.width);
    copy_partials(f, line, p.width, out + k * p.width * f.wide);
  }
}

}  // namespace

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

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

void copy(const Tensor& from, const Tensor& to) {
  if (to.size() == 0) return;
  switch (info(to.dtype()).bytes) {
    case 1: return copy_words<std::uint8_t>(from, to);
    case 2: return copy_words<std::uint16_t>(from, to);
    case 4: return copy_words<std::uint32_t>(from, to);
    default: return copy_words<std::uint64_t>(from, to);
  }
}

Tensor dense_lines(const Tensor& x, const std::vector<std::int64_t>& axes, const Lines& l) {
  return dense(l.adjacent ? x : permuted(x, kept_first(x.shape(), axes)));
}

std::int64_t Plan::block() const { return way == Way::runs ? kBlock.now() / width : kBlockRows.now() * fold; }

Plan plan_of(const Lines& l, std::int64_t scalars, std::int64_t period) {
  Plan p{l.outer, l.n, l.inner * scalars};
  if (p.width == 0 || (p.width == 1 && p.n < kShort.of(p.n)))
    p.way = Plan::Way::in_sequence;  // no columns: nothing to cut
  else if (p.width <= period) p.way = Plan::Way::runs;
  else if (const std::int64_t fold = kFold.of(p.n * p.width / 2); p.width < fold / 2 && p.n >= 2 * (fold / p.width))
    p.fold = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(fold / p.width)));
  return p;
}

Order order_of(const Plan& p, std::int64_t bytes) {
  Order o;
  o.accumulator = bytes == 8 ? Dtype::f64 : Dtype::f32;
  if (p.way == Plan::Way::in_sequence) return o;
  o.shape = p.way == Plan::Way::rows && p.fold == 1 ? Order::Shape::sequential : Order::Shape::lanes;
  o.lanes = p.way == Plan::Way::runs ? 256 / bytes / p.width : p.fold;
  o.block = p.block();
  o.split = std::max<std::int64_t>(1, ceil_div(p.n, p.block() * kChunkBlocks.now()));
  o.tree = true;
  return o;
}

void fold(const Plan& p, const Folding& f, const std::byte* x, std::byte* out) {
  if (p.n == 0) f.clear(out, p.outer * p.width);
  else if (p.way == Plan::Way::runs) fold_lines(p, f, x, out);
  else if (p.way == Plan::Way::rows) fold_down(p, f, x, out);
  else
    parallel_for(p.outer, std::max<std::int64_t>(1, kGrain / p.n), [&](std::int64_t begin, std::int64_t end) {
      f.kernel(x + begin * p.n * f.in, {FoldCall::short_runs, end - begin, p.n, 0, 1, out + begin * f.wide});
    });
}

}  // namespace plumb::reduction
