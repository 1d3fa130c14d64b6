// Orders and choices on the processor.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/random/draws.h"
#include "optimized/array/sort.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void scores_block(const std::uint32_t* w, const double* x, std::int64_t n, double* scores))

namespace {

constexpr std::int64_t kGrain = 1 << 12;      // elements worth a thread
constexpr std::int64_t kMoveGrain = 1 << 15;  // bytes worth a thread

// ---- permutation_n, permutation

void order_words(const Tensor& key, std::int64_t n, std::uint32_t* out) {
  const Tensor dense = contiguous(key);
  const auto* k = dense.read<std::uint32_t>();
  cpu::radix_argsort(
      n,
      [&](std::int64_t begin, std::int64_t end, std::uint64_t* keys) {
        const std::int64_t room = cpu::draw_block(end - begin), block = room - cpu::kDrawPadding;
        const RawRoom<std::uint32_t> words(room), other(room);
        for (std::int64_t i = begin; i < end; i += block) {
          const std::int64_t m = std::min(block, end - i);
          cpu::draw_range(k, n, i, m, words.get(), other.get());
          std::copy_n(words.get(), m, keys + i);
        }
      },
      out);
}

void permutation_n(const Call& c, std::vector<Tensor>& out) {
  order_words(c[0], out[0].size(), out[0].write<std::uint32_t>());
}

// Elements of T, `inner` together; lines of n such.
template <class T>
void move(const T* a, T* out, const std::uint32_t* p, std::int64_t n, std::int64_t inner, std::int64_t all) {
  parallel_for(all, std::max<std::int64_t>(1, kMoveGrain / (inner * static_cast<std::int64_t>(sizeof(T)))),
               [&](std::int64_t begin, std::int64_t end) {
                 std::int64_t line = begin / n, i = begin % n;
                 for (std::int64_t k = begin; k < end; ++k) {
                   const T* from = a + (line * n + p[i]) * inner;
                   if (inner == 1) out[k] = *from;
                   else std::copy_n(from, inner, out + k * inner);
                   if (++i == n) i = 0, ++line;
                 }
               });
}

void permutation(const Call& c, std::vector<Tensor>& out) {
  const Tensor a = contiguous(c[0]);
  const auto axis = static_cast<std::size_t>(c.axis());
  const std::int64_t n = a.shape()[axis];
  if (a.size() == 0) return;
  const RawRoom<std::uint32_t> p(n);
  order_words(c[1], n, p.get());
  const std::int64_t inner = count(Shape(a.shape().begin() + static_cast<std::ptrdiff_t>(axis) + 1, a.shape().end()));
  const auto as = [&]<class T>(T) { move(a.read<T>(), out[0].write<T>(), p.get(), n, inner, a.size() / inner); };
  switch (info(a.dtype()).bytes) {
    case 1: return as(std::uint8_t{});
    case 2: return as(std::uint16_t{});
    case 4: return as(std::uint32_t{});
    default: return as(std::uint64_t{});
  }
}

// ---- categorical

// Distributions of n entries `step` apart, and what is chosen of them: T = (outer, inner), the axis between the two.
struct Choice {
  Shape rest;  // the distributions, without the axis
  Strides strides;
  std::int64_t n = 0, step = 1, inner = 1;
  bool single = false;
};

Choice choice_of(const Call& c, const Shape& T) {
  Choice f;
  f.rest = c.shape(0);
  if (!c.none("num_samples")) f.rest.push_back(1);
  const auto axis = c.axis();
  f.strides = row_major(f.rest);
  f.n = f.rest[static_cast<std::size_t>(axis)], f.step = f.strides[static_cast<std::size_t>(axis)];
  f.rest.erase(f.rest.begin() + axis);
  f.strides.erase(f.strides.begin() + axis);
  const std::int64_t behind = static_cast<std::int64_t>(f.rest.size()) - axis;
  f.inner = count(Shape(T.end() - behind, T.end()));
  f.single = count(f.rest) == 1 && !T.empty();
  return f;
}

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

// The logits as they count, dense: NaN where an entry is never chosen, 0 where infinite ones are chosen alike.
RawRoom<double> counted(const Tensor& logits, const Choice& f) {
  const Tensor x = contiguous(as_dtype(logits, Dtype::f64));
  const auto* from = x.read<double>();
  RawRoom<double> to(x.size());
  double* y = to.get();
  parallel_for(x.size() / f.n, std::max<std::int64_t>(1, kGrain / f.n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t l = begin; l < end; ++l) {
      const std::int64_t first = l / f.step * f.step * f.n + l % f.step, last = first + f.n * f.step;
      double m = -std::numeric_limits<double>::infinity();
      for (std::int64_t i = first; i < last; i += f.step) m = std::max(m, from[i]);  // m where the other is NaN
      const bool infinite = std::isinf(m);
      for (std::int64_t i = first; i < last; i += f.step) {
        const double v = std::isnan(from[i]) ? -std::numeric_limits<double>::infinity() : from[i];
        if (infinite) y[i] = v == m ? 0 : kNever;
        else y[i] = std::isinf(v) ? kNever : v;
      }
    }
  });
  return to;
}

// One distribution: the last sum that is not beyond the share.
void by_sums(const Call& c, const Choice& f, const double* x, const Tensor& out) {
  RawRoom<double> sums(f.n + 1);
  double m = -std::numeric_limits<double>::infinity(), sum = 0;
  for (std::int64_t k = 0; k < f.n; ++k) m = std::max(m, x[k]);
  for (std::int64_t k = 0; k < f.n; ++k) {
    sums[k] = sum;
    if (!std::isnan(x[k])) sum += std::exp(x[k] - m);
  }
  const double *const begin = sums.get(), *const end = begin + f.n;
  auto* to = out.write<std::uint32_t>();
  cpu::draw(c["key"], out.size(), [&](std::int64_t) -> cpu::Sink {
    return [=](const std::uint32_t* w, std::int64_t first, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) {
        const float u = std::min(static_cast<float>(w[i]) * 0x1p-32F, 1 - 0x1p-24F);
        to[first + i] = static_cast<std::uint32_t>(std::upper_bound(begin, end, u * sum) - begin - 1);
      }
    };
  });
}

// The best entry of each of some choices so far.
struct Best {
  double score;
  std::uint32_t k;
  bool found;
  void offer(double s, std::int64_t of) {
    if (!(s > score) && (found || std::isnan(s))) return;
    score = s, k = static_cast<std::uint32_t>(of), found = true;
  }
};

// What a thread chooses with.
struct Chooser {
  const std::uint32_t* key;
  const Choice& f;
  const double* x;
  Nest<1> base;  // where the distribution of a choice begins
  std::int64_t total, block;
  RawRoom<std::uint32_t> words, other;
  RawRoom<double> numbers, scores;
  RawRoom<std::int64_t> bases;

  void score(std::int64_t first, std::int64_t n, const double* of) {
    cpu::draw_range(key, total, first, n, words.get(), other.get());
    PLUMB_DISPATCH(scores_block)(words.get(), of, n, scores.get());
  }

  // Entries side by side: a choice at a time.
  void line(std::int64_t t, std::uint32_t* out) {
    Best best{-std::numeric_limits<double>::infinity(), 0, false};
    std::int64_t from = 0;
    for_runs(base, t, t + 1, [&](const auto& at, std::int64_t) { from = at[0]; });
    for (std::int64_t k = 0; k < f.n; k += block) {
      const std::int64_t n = std::min(block, f.n - k);
      std::copy_n(x + from + k, n, numbers.get());
      score(t * f.n + k, n, numbers.get());
      for (std::int64_t i = 0; i < n; ++i) best.offer(scores[i], k + i);
    }
    out[t] = best.k;
  }

  // Choices first .. first + n - 1, of one outer index, side by side: an entry of all at a time.
  void side_by_side(std::int64_t first, std::int64_t n, std::uint32_t* out) {
    std::vector<Best> best(static_cast<std::size_t>(n), {-std::numeric_limits<double>::infinity(), 0, false});
    std::int64_t* b = bases.get();
    const std::int64_t step = base.strides[0].back();
    for_runs(base, first, first + n, [&](const auto& at, std::int64_t length) {
      for (std::int64_t i = 0; i < length; ++i) *b++ = at[0] + i * step;
    });
    const std::int64_t outer = first / f.inner, i0 = first % f.inner;
    for (std::int64_t k = 0; k < f.n; ++k) {
      for (std::int64_t i = 0; i < n; ++i) numbers[i] = x[bases[i] + k * f.step];
      score((outer * f.n + k) * f.inner + i0, n, numbers.get());
      for (std::int64_t i = 0; i < n; ++i) best[static_cast<std::size_t>(i)].offer(scores[i], k);
    }
    for (std::int64_t i = 0; i < n; ++i) out[first + i] = best[static_cast<std::size_t>(i)].k;
  }
};

Strides over(const Choice& f, const Shape& T) {
  Strides s(T.size(), 0);
  const std::size_t lead = T.size() - f.rest.size();
  for (std::size_t d = 0; d < f.rest.size(); ++d)
    if (f.rest[d] != 1) s[lead + d] = f.strides[d];
  return s;
}

void by_gumbel(const Call& c, const Choice& f, const double* x, const Tensor& out) {
  const Tensor key = contiguous(c["key"]);
  const Nest<1> base = nest<1>(out.shape(), {over(f, out.shape())});
  auto* to = out.write<std::uint32_t>();
  parallel_for(out.size(), std::max<std::int64_t>(1, kGrain / f.n), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t room = cpu::draw_block(f.inner == 1 ? f.n : f.inner), block = room - cpu::kDrawPadding;
    Chooser chooser{key.read<std::uint32_t>(),
                    f,
                    x,
                    base,
                    out.size() * f.n,
                    block,
                    RawRoom<std::uint32_t>(room),
                    RawRoom<std::uint32_t>(room),
                    RawRoom<double>(room),
                    RawRoom<double>(room),
                    RawRoom<std::int64_t>(room)};
    for (std::int64_t t = begin; t < end;) {
      const std::int64_t n = f.inner == 1 ? 1 : std::min({block, end - t, f.inner - t % f.inner});
      if (f.inner == 1) chooser.line(t, to);
      else chooser.side_by_side(t, n, to);
      t += n;
    }
  });
}

void categorical(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Choice f = choice_of(c, out[0].shape());
  const RawRoom<double> x = counted(c["logits"], f);
  if (f.single) by_sums(c, f, x.get(), out[0]);
  else by_gumbel(c, f, x.get(), out[0]);
}

Route route(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .prepare = prepare};
}

}  // namespace

std::vector<Route> choice_cpu_routes() {
  return {route("permutation_n", "cpu.radix", host<permutation_n>),
          route("permutation", "cpu.radix", host<permutation>), route("categorical", "cpu.blocks", host<categorical>)};
}

}  // namespace plumb
