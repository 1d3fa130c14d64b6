// Folds of runs and of rows by an operation F on lanes of F::Partial, in any order of the elements:
//
//   Lanes<A> lanes(const S*), A one(const S*)   elements as partial results
//   join(a, b)                                  of lanes and of numbers alike
//   A none()                                    what changes nothing
//
// Included by files that are compiled once per instruction set.
#pragma once

#include "optimized/array/reduce/fold_call.h"
#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

inline constexpr int kHeld = 256 / kVectorBytes;  // registers of a run

template <class A>
static inline A joined_lanes(Lanes<A> s, const auto& f) {
  A v[kLanes<A>];
  std::memcpy(v, &s, sizeof v);
  for (int half = kLanes<A> / 2; half >= 1; half /= 2)
    for (int j = 0; j < half; ++j) v[j] = f.join(v[j], v[j + half]);
  return v[0];
}

template <class F, class S>
static inline typename F::Partial fold_run(const F& f, const S* x, std::int64_t n) {
  typedef typename F::Partial A;
  Lanes<A> s[kHeld];
  for (int r = 0; r < kHeld; ++r) s[r] = Lanes<A>{} + f.none();
  std::int64_t i = 0;
  for (; i + kHeld * kLanes<A> <= n; i += kHeld * kLanes<A>)
    for (int r = 0; r < kHeld; ++r) s[r] = f.join(s[r], f.lanes(x + i + r * kLanes<A>));
  for (; i + kLanes<A> <= n; i += kLanes<A>) s[0] = f.join(s[0], f.lanes(x + i));
  for (int half = kHeld / 2; half >= 1; half /= 2)
    for (int r = 0; r < half; ++r) s[r] = f.join(s[r], s[r + half]);
  A total = joined_lanes<A>(s[0], f);
  for (; i < n; ++i) total = f.join(total, f.one(x + i));
  return total;
}

template <class F, class S>
static inline void fold_runs(const F& f, const S* x, std::int64_t runs, std::int64_t n, typename F::Partial* out) {
  for (std::int64_t k = 0; k < runs; ++k) out[k] = fold_run(f, x + k * n, n);
}

template <class F, class S>
static inline void fold_short_runs(const F& f, const S* x, std::int64_t runs, std::int64_t n,
                                   typename F::Partial* out) {
  for (std::int64_t k = 0; k < runs; ++k, x += n) {
    typename F::Partial s = f.none();
    for (std::int64_t i = 0; i < n; ++i) s = f.join(s, f.one(x + i));
    out[k] = s;
  }
}

template <int Rows, class F, class S>
static inline void join_rows(const F& f, const S* x, std::int64_t stride, std::int64_t width,
                             typename F::Partial* out) {
  typedef typename F::Partial A;
  std::int64_t j = 0;
  for (; j + kLanes<A> <= width; j += kLanes<A>) {
    Lanes<A> s;
    std::memcpy(&s, out + j, sizeof s);
    for (int r = 0; r < Rows; ++r) s = f.join(s, f.lanes(x + r * stride + j));
    std::memcpy(out + j, &s, sizeof s);
  }
  for (; j < width; ++j)
    for (int r = 0; r < Rows; ++r) out[j] = f.join(out[j], f.one(x + r * stride + j));
}

template <class F, class S>
static inline void fold_rows(const F& f, const S* x, std::int64_t rows, std::int64_t stride, std::int64_t width,
                             typename F::Partial* out) {
  for (std::int64_t j = 0; j < width; ++j) out[j] = f.none();
  std::int64_t r = 0;
  for (; r + 8 <= rows; r += 8) join_rows<8>(f, x + r * stride, stride, width, out);
  for (; r < rows; ++r) join_rows<1>(f, x + r * stride, stride, width, out);
}

template <class F, class S>
static inline void fold_as(const F& f, const S* x, const FoldCall& c) {
  auto* out = static_cast<typename F::Partial*>(c.out);
  if (c.way == FoldCall::rows) fold_rows(f, x, c.count, c.stride, c.n, out);
  else if (c.way == FoldCall::runs) fold_runs(f, x, c.count, c.n, out);
  else fold_short_runs(f, x, c.count, c.n, out);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
