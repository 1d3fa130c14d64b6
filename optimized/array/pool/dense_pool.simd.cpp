// Windows of pooling, vectors of channels at a time.
#include "optimized/array/pool/pool_kernels.h"
#include "optimized/element_registers.h"
#include "optimized/exp.h"
#include "optimized/vector.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class T>
using Vec = typename Vector<T>::type;

// One register of numbers of taps, and what a comparison of a register of T gives.
typedef i32v Taps32;
typedef i64v Taps64;
inline Taps32 taps_of(f32v) { return Taps32{}; }
inline Taps64 taps_of(f64v) { return Taps64{}; }
template <class T>
using Taps = decltype(taps_of(Vec<T>{}));

// Where x takes the place of what was: it is greater, or the first NaN.
template <class T>
Taps<T> taken_by(Vec<T> best, Vec<T> x) {
  return (Taps<T>)((x > best) | ((x != x) & (best == best)));
}

// So many registers of channels from c on, side by side: each row is visited once for all of them.
constexpr int kBlock = 4;

template <class T, int kVectors, class S>
void averages(const PoolWindow<T>& w, std::int64_t c, T* values) {
  constexpr int lanes = Vector<T>::lanes;
  Vec<T> sum[kVectors] = {};
  for (std::int64_t i = 0; i < w.count; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[v] += (Vec<T>)elements<T>(static_cast<const S*>(w.rows[i]) + c + v * lanes);
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) store(values + v * lanes, sum[v] / splat(static_cast<T>(w.taps)));
}

// Values alone: of equal ones the first, and a NaN.
template <class T, int kVectors, class S>
void maxima(const PoolWindow<T>& w, std::int64_t c, T* values) {
  constexpr int lanes = Vector<T>::lanes;
  Vec<T> best[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) best[v] = splat(-static_cast<T>(__builtin_inf()));
  for (std::int64_t i = 0; i < w.count; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const auto x = (Vec<T>)elements<T>(static_cast<const S*>(w.rows[i]) + c + v * lanes);
      best[v] = x != x ? x : larger(x, best[v]);
    }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) store(values + v * lanes, best[v]);
}

template <class T, int kVectors, class S>
void choices(const PoolWindow<T>& w, std::int64_t c, T* values, Tap<T>* taken) {
  constexpr int lanes = Vector<T>::lanes;
  Vec<T> best[kVectors];
  Taps<T> taps[kVectors];
  // The first element takes a place that nothing has.
  const Vec<T> low = splat(-static_cast<T>(__builtin_inf()));
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) best[v] = low, taps[v] = ~Taps<T>{};
  for (std::int64_t i = 0; i < w.count; ++i) {
    const Taps<T> tap = static_cast<Tap<T>>(w.tap[i]) - Taps<T>{};
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const auto x = (Vec<T>)elements<T>(static_cast<const S*>(w.rows[i]) + c + v * lanes);
      const Taps<T> takes = taken_by<T>(best[v], x) | (taps[v] < 0);
      best[v] = takes ? x : best[v];
      taps[v] = takes ? tap : taps[v];
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    store(values + v * lanes, best[v]);
    std::memcpy(taken + v * lanes, &taps[v], sizeof taps[v]);
  }
}

template <class T, int kVectors, class S>
void channels_of(const PoolWindow<T>& w, std::int64_t c, T* values, Tap<T>* taken) {
  if (!w.max) averages<T, kVectors, S>(w, c, values);
  else if (w.taken) choices<T, kVectors, S>(w, c, values, taken);
  else maxima<T, kVectors, S>(w, c, values);
}

// The last n channels, fewer than a register holds: of rows that end there.
template <class T, class S>
void rest_of(const PoolWindow<T>& w, std::int64_t c, std::int64_t n) {
  constexpr int lanes = Vector<T>::lanes;
  Vec<T> sum = {};
  Vec<T> best = splat(-static_cast<T>(__builtin_inf()));
  Taps<T> taps = ~Taps<T>{};
  for (std::int64_t i = 0; i < w.count; ++i) {
    S rest[lanes] = {};
    std::memcpy(rest, static_cast<const S*>(w.rows[i]) + c, static_cast<std::size_t>(n) * sizeof(S));
    const auto x = (Vec<T>)elements<T>(static_cast<const S*>(rest));
    sum += x;
    const Taps<T> takes = taken_by<T>(best, x) | (taps < 0);
    best = takes ? x : best;
    taps = takes ? static_cast<Tap<T>>(w.tap[i]) - Taps<T>{} : taps;
  }
  const Vec<T> values = w.max ? best : sum / splat(static_cast<T>(w.taps));
  std::memcpy(w.values + c, &values, static_cast<std::size_t>(n) * sizeof(T));
  if (w.taken) std::memcpy(w.taken + c, &taps, static_cast<std::size_t>(n) * sizeof(Tap<T>));
}

template <class T, class S>
void window(const PoolWindow<T>& w) {
  constexpr int lanes = Vector<T>::lanes;
  const auto taken = [&](std::int64_t c) { return w.taken ? w.taken + c : nullptr; };
  std::int64_t c = 0;
  for (; c + kBlock * lanes <= w.channels; c += kBlock * lanes) channels_of<T, kBlock, S>(w, c, w.values + c, taken(c));
  for (; c + lanes <= w.channels; c += lanes) channels_of<T, 1, S>(w, c, w.values + c, taken(c));
  if (c < w.channels) rest_of<T, S>(w, c, w.channels - c);
}

// Registers of channels from c on of the cotangents that come back.
template <class T, int kVectors>
void return_lanes(const PoolReturn<T>& r, std::int64_t c) {
  constexpr int lanes = Vector<T>::lanes;
  Vec<T> sum[kVectors] = {};
  for (std::int64_t i = 0; i < r.count; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      Vec<T> g = load(r.cotangents[i] + c + v * lanes);
      if (r.taken) {
        Taps<T> taken;
        std::memcpy(&taken, r.taken[i] + c + v * lanes, sizeof taken);
        g = (Vec<T>)((Taps<T>)g & (Taps<T>)(taken == static_cast<Tap<T>>(r.tap[i]) - Taps<T>{}));
      }
      sum[v] += g;
    }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v)
    store(r.sums + c + v * lanes, r.taps > 0 ? sum[v] / splat(static_cast<T>(r.taps)) : sum[v]);
}

template <class T>
void return_all(const PoolReturn<T>& r) {
  constexpr int lanes = Vector<T>::lanes;
  std::int64_t c = 0;
  for (; c + kBlock * lanes <= r.channels; c += kBlock * lanes) return_lanes<T, kBlock>(r, c);
  for (; c + lanes <= r.channels; c += lanes) return_lanes<T, 1>(r, c);
  for (; c < r.channels; ++c) {
    T sum = 0;
    for (std::int64_t i = 0; i < r.count; ++i)
      if (!r.taken || r.taken[i][c] == static_cast<Tap<T>>(r.tap[i])) sum += r.cotangents[i][c];
    r.sums[c] = r.taps > 0 ? sum / static_cast<T>(r.taps) : sum;
  }
}

}  // namespace

void pool_window_f32(const PoolWindow<float>& w) {
  with_small_float(w.type, [&]<class S>(S) { window<float, S>(w); });
}
void pool_window_f64(const PoolWindow<double>& w) { window<double, double>(w); }
void pool_return_f32(const PoolReturn<float>& r) { return_all(r); }
void pool_return_f64(const PoolReturn<double>& r) { return_all(r); }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
