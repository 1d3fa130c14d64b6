// The greatest number of runs and of columns, and the sum of the exponentials of the distances from it.
#include "optimized/array/reduce/logsumexp.h"

#include "optimized/array/reduce/fold_call.h"
#include "optimized/array/reduce/wide.h"
#include "optimized/exp.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr std::int64_t kPiece = 512;  // elements that are widened at once

std::int64_t bytes_of(Element t) {
  constexpr std::int64_t kBytes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8};
  return kBytes[static_cast<int>(t)];
}

template <class A>
inline constexpr int kWays = 256 / static_cast<int>(sizeof(A));  // running results of a run, and columns of a strip
template <class A>
inline constexpr int kRegisters = kWays<A> / kLanes<A>;
template <class A>
constexpr A kInfinite = static_cast<A>(__builtin_inf());

// An infinity is no place to measure distances from: -inf makes none but 0 and NaN, of +inf the caller takes care.
template <class A>
inline A origin(A m) {
  return m == kInfinite<A> || m == -kInfinite<A> ? A{0} : m;
}

// f(kWays numbers) over a run of any length, filled up by -inf.
template <class A, class F>
inline void by_ways(Element t, const char* x, std::int64_t n, F&& f) {
  A room[kPiece];
  for (std::int64_t first = 0; first < n; first += kPiece) {
    const std::int64_t m = n - first < kPiece ? n - first : kPiece;
    const A* p = widened(t, x + first * bytes_of(t), m, room);
    std::int64_t i = 0;
    for (; i + kWays<A> <= m; i += kWays<A>) f(p + i);
    if (i == m) continue;
    A rest[kWays<A>];
    for (int j = 0; j < kWays<A>; ++j) rest[j] = i + j < m ? p[i + j] : -kInfinite<A>;
    f(rest);
  }
}

template <class A>
inline bool any_nan(Element t, const char* x, std::int64_t n) {
  bool nan = false;
  by_ways<A>(t, x, n, [&](const A* p) {
    for (int j = 0; j < kWays<A>; ++j) nan |= p[j] != p[j];
  });
  return nan;
}

template <class A>
inline Exponentials of_run(Element t, const char* x, std::int64_t n) {
  Lanes<A> m[kRegisters<A>], s[kRegisters<A>] = {};
  for (int r = 0; r < kRegisters<A>; ++r) m[r] = splat(-kInfinite<A>);
  by_ways<A>(t, x, n, [&](const A* p) {
    for (int r = 0; r < kRegisters<A>; ++r) m[r] = larger(load(p + r * kLanes<A>), m[r]);
  });
  for (int r = 1; r < kRegisters<A>; ++r) m[0] = larger(m[r], m[0]);
  A most = -kInfinite<A>;
  for (int j = 0; j < kLanes<A>; ++j) most = m[0][j] > most ? m[0][j] : most;
  if (most == kInfinite<A>) return {most, any_nan<A>(t, x, n) ? __builtin_nan("") : 1};
  const Lanes<A> from = splat(origin(most));
  by_ways<A>(t, x, n, [&](const A* p) {
    for (int r = 0; r < kRegisters<A>; ++r) s[r] += exp_nonpositive(load(p + r * kLanes<A>) - from);
  });
  A v[kWays<A>];
  std::memcpy(v, s, sizeof v);
  for (int half = kWays<A> / 2; half >= 1; half /= 2)
    for (int j = 0; j < half; ++j) v[j] += v[j + half];
  return {most, v[0]};
}

// f(kWays numbers) for each row of a strip of at most that many columns, filled up by -inf.
template <class A, class F>
inline void by_rows(Element t, const char* x, const FoldCall& k, std::int64_t width, F&& f) {
  A room[kWays<A>];
  for (int j = 0; j < kWays<A>; ++j) room[j] = -kInfinite<A>;
  for (std::int64_t r = 0; r < k.count; ++r) {
    const A* p = widened(t, x + r * k.stride * bytes_of(t), width, room);
    if (p != room && width < kWays<A>) {
      std::memcpy(room, p, static_cast<std::size_t>(width) * sizeof(A));
      p = room;
    }
    f(p);
  }
}

template <class A>
inline void of_strip(Element t, const char* x, const FoldCall& k, std::int64_t width, Exponentials* out) {
  Lanes<A> m[kRegisters<A>], s[kRegisters<A>] = {};
  for (int r = 0; r < kRegisters<A>; ++r) m[r] = splat(-kInfinite<A>);
  by_rows<A>(t, x, k, width, [&](const A* p) {
    for (int r = 0; r < kRegisters<A>; ++r) m[r] = larger(load(p + r * kLanes<A>), m[r]);
  });
  A most[kWays<A>], from[kWays<A>], sums[kWays<A>];
  bool nan[kWays<A>] = {}, infinite = false;
  std::memcpy(most, m, sizeof most);
  for (int j = 0; j < kWays<A>; ++j) from[j] = origin(most[j]), infinite |= most[j] == kInfinite<A>;
  by_rows<A>(t, x, k, width, [&](const A* p) {
    for (int r = 0; r < kRegisters<A>; ++r)
      s[r] += exp_nonpositive(load(p + r * kLanes<A>) - load(from + r * kLanes<A>));
  });
  if (infinite)
    by_rows<A>(t, x, k, width, [&](const A* p) {
      for (int j = 0; j < kWays<A>; ++j) nan[j] |= p[j] != p[j];
    });
  std::memcpy(sums, s, sizeof sums);
  for (std::int64_t j = 0; j < width; ++j)
    out[j] = {most[j], most[j] != kInfinite<A> ? sums[j] : nan[j] ? __builtin_nan("") : 1};
}

template <class A>
void fold_exponentials_as(Element t, const char* x, const FoldCall& k) {
  auto* out = static_cast<Exponentials*>(k.out);
  if (k.way != FoldCall::rows)
    for (std::int64_t run = 0; run < k.count; ++run) out[run] = of_run<A>(t, x + run * k.n * bytes_of(t), k.n);
  else
    for (std::int64_t j = 0; j < k.n; j += kWays<A>)
      of_strip<A>(t, x + j * bytes_of(t), k, k.n - j < kWays<A> ? k.n - j : kWays<A>, out + j);
}

}  // namespace

// In float, but f64.
void fold_exponentials(Element t, const void* x, const FoldCall& k) {
  if (t == Element::f64) fold_exponentials_as<double>(t, static_cast<const char*>(x), k);
  else fold_exponentials_as<float>(t, static_cast<const char*>(x), k);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
