// Filled arrays on the processor: runs of one value, runs that are copied, and diagonals.
#include <algorithm>
#include <cstring>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/nest.h"

namespace plumb {
namespace {

constexpr std::int64_t kGrain = 1 << 15;  // elements worth a thread

// Calls f with a word as wide as an element.
template <class F>
void with_word(Dtype t, F&& f) {
  switch (info(t).bytes) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    default: return f(std::uint64_t{});
  }
}

// y = x, whose strides along the axes of y are given.
void spread(const Tensor& x, const Strides& strides, const Tensor& y) {
  if (y.size() == 0) return;
  const auto loops = nest<2>(y.shape(), {strides, row_major(y.shape())});
  const std::int64_t step = loops.strides[0].back();
  with_word(y.dtype(), [&]<class Word>(Word) {
    const Word* from = x.read<Word>();
    Word* to = y.write<Word>();
    parallel_for(y.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for_runs(loops, begin, end, [&](const std::array<std::int64_t, 2>& at, std::int64_t n) {
        if (step == 0) std::fill_n(to + at[1], n, from[at[0]]);
        else if (step == 1) std::copy_n(from + at[0], n, to + at[1]);
        else
          for (std::int64_t i = 0; i < n; ++i) to[at[1] + i] = from[at[0] + i * step];
      });
    });
  });
}

void full(const Call& c, std::vector<Tensor>& out) { spread(c[0], broadcast_strides(c[0], out[0].shape()), out[0]); }

void meshgrid(const Call& c, std::vector<Tensor>& out) {
  for (std::size_t k = 0; k < 2; ++k) {
    const std::int64_t step = c[k].strides()[0];
    const bool rows = (c.text("indexing") == "xy") == (k == 1);
    spread(c[k], rows ? Strides{step, 0} : Strides{0, step}, out[k]);
  }
}

// Ones where first <= j - i <= last.
void ones(const Tensor& y, std::int64_t first, std::int64_t last) {
  if (y.size() == 0) return;
  const std::int64_t columns = y.dim(1);
  const Tensor one = tensor(y.dtype(), {}, {1.0});
  with_word(y.dtype(), [&]<class Word>(Word) {
    const Word value = *one.read<Word>();
    Word* to = y.write<Word>();
    parallel_for(y.dim(0), std::max<std::int64_t>(1, kGrain / columns), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t from = std::clamp<std::int64_t>(i + first, 0, columns),
                           to_end = std::clamp<std::int64_t>(i + last + 1, from, columns);
        Word* row = to + i * columns;
        std::fill_n(row, from, Word{0});
        std::fill(row + from, row + to_end, value);
        std::fill(row + to_end, row + columns, Word{0});
      }
    });
  });
}

// Of every matrix: no element lies beyond these diagonals.
constexpr std::int64_t kFar = std::int64_t{1} << 40;

std::int64_t diagonal(const Call& c) { return std::clamp(c.integer("k"), -kFar, kFar); }

void eye(const Call& c, std::vector<Tensor>& out) { ones(out[0], diagonal(c), diagonal(c)); }
void identity(const Call&, std::vector<Tensor>& out) { ones(out[0], 0, 0); }
void tri(const Call& c, std::vector<Tensor>& out) { ones(out[0], -2 * kFar, diagonal(c)); }

}  // namespace

std::vector<Route> grids_cpu_routes() {
  std::vector<Route> routes;
  const auto add = [&](std::string_view op, auto prepare) {
    routes.push_back({.op = op, .name = "cpu.runs", .supports = {}, .prefers = {}, .prepare = prepare});
  };
  add("full", host<full>);
  add("eye", host<eye>);
  add("identity", host<identity>);
  add("tri", host<tri>);
  add("meshgrid", host<meshgrid>);
  return routes;
}

}  // namespace plumb
