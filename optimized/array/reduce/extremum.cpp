// CPU routes of argmax and argmin: the greatest key of each block with the place where it was seen, then the first
// place of the line's. Keys are those of keys.h.
#include <algorithm>
#include <limits>

#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/reduce/keys.h"
#include "optimized/array/reduce/lines.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void fold_keys(const KeyRule&, const void* x, const FoldCall&))
PLUMB_DECLARE_SIMD(void greatest_keys(const KeyRule&, const void* x, std::int64_t rows, std::int64_t stride,
                                      std::int64_t width, std::int64_t* keys, std::int64_t* at))
PLUMB_DECLARE_SIMD(std::int64_t find_key(const KeyRule&, const void* x, std::int64_t n, std::int64_t stride,
                                         std::int64_t key))

namespace {

using namespace reduction;

// A key and a place at or before the first element that has it, in no other block; places count the dense input.
struct Best {
  std::int64_t key = std::numeric_limits<std::int64_t>::min(), at = std::numeric_limits<std::int64_t>::max();
};

std::int64_t key_in(const std::byte* keys, std::int64_t i, int bytes) {
  switch (bytes) {
    case 1: return reinterpret_cast<const std::int8_t*>(keys)[i];
    case 2: return reinterpret_cast<const std::int16_t*>(keys)[i];
    case 4: return reinterpret_cast<const std::int32_t*>(keys)[i];
    default: return reinterpret_cast<const std::int64_t*>(keys)[i];
  }
}

constexpr std::int64_t kTogether = 128;  // runs or columns whose keys wait to become results

// The greatest keys of runs; their place is where the run begins.
void best_of_runs(const KeyRule& rule, const std::byte* x, std::int64_t at, const FoldCall& k, Best* out) {
  alignas(64) std::byte keys[kTogether * 8];
  for (std::int64_t first = 0; first < k.count; first += kTogether) {
    const std::int64_t m = std::min(kTogether, k.count - first);
    PLUMB_DISPATCH(fold_keys)(rule, x + first * k.n * rule.bytes, {k.way, m, k.n, 0, 1, keys});
    for (std::int64_t j = 0; j < m; ++j) out[first + j] = {key_in(keys, j, rule.bytes), at + (first + j) * k.n};
  }
}

// The greatest keys of columns, with their very places.
void best_of_columns(const KeyRule& rule, const std::byte* x, std::int64_t at, const FoldCall& k, Best* out) {
  std::int64_t keys[kTogether], rows[kTogether];
  for (std::int64_t first = 0; first < k.n; first += kTogether) {
    const std::int64_t m = std::min(kTogether, k.n - first);
    PLUMB_DISPATCH(greatest_keys)(rule, x + first * rule.bytes, k.count, k.stride, m, keys, rows);
    for (std::int64_t j = 0; j < m; ++j) out[first + j] = {keys[j], at + first + j + rows[j] * k.stride};
  }
}

Folding best_of(const KeyRule& rule, const std::byte* x) {
  Folding f{rule.bytes, sizeof(Best), nullptr, nullptr, nullptr};
  f.kernel = [rule, x](const std::byte* from, const FoldCall& k) {
    const auto best = k.way == FoldCall::rows ? best_of_columns : best_of_runs;
    best(rule, from, (from - x) / rule.bytes, k, static_cast<Best*>(k.out));
  };
  f.join = [](std::byte* into, const std::byte* from, std::int64_t n) {
    auto* a = reinterpret_cast<Best*>(into);
    const auto* b = reinterpret_cast<const Best*>(from);
    for (std::int64_t j = 0; j < n; ++j)
      if (b[j].key > a[j].key || (b[j].key == a[j].key && b[j].at < a[j].at)) a[j] = b[j];
  };
  f.clear = [](std::byte* to, std::int64_t n) { std::fill_n(reinterpret_cast<Best*>(to), n, Best()); };
  return f;
}

template <bool Least>
void extremum(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t lines = out[0].size();
  if (lines == 0) return;
  const std::vector<std::int64_t> axes = c.axes();
  const Lines l = lines_of(c.shape(0), axes);
  const Plan p = plan_of(l);
  const Tensor dense = dense_lines(c[0], axes, l);
  const auto* x = dense.read<std::byte>();
  const KeyRule rule = key_rule(element_of(c.dtype(0)), Least, true);
  Room<Best> best(static_cast<std::size_t>(lines));
  fold(p, best_of(rule, x), x, reinterpret_cast<std::byte*>(best.data()));
  auto* y = out[0].write<std::uint32_t>();
  parallel_for(lines, std::max<std::int64_t>(1, kGrain / p.n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const Best b = best[static_cast<std::size_t>(k)];
      const std::int64_t row = b.at / p.width % p.n;
      const auto* from = x + b.at * rule.bytes;
      y[k] = static_cast<std::uint32_t>(row + PLUMB_DISPATCH(find_key)(rule, from, p.n - row, p.width, b.key));
    }
  });
}

}  // namespace

std::vector<Route> extremum_cpu_routes() {
  Route most;
  most.op = "argmax";
  most.name = "cpu.blocked";
  most.prepare = host<extremum<false>>;
  Route least = most;
  least.op = "argmin";
  least.prepare = host<extremum<true>>;
  return {most, least};
}

}  // namespace plumb
