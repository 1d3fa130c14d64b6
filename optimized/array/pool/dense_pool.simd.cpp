// Windows of pooling, vectors of channels at a time.
#include "optimized/array/pool/pool_kernels.h"
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

template <class T>
struct Best {
  Vec<T> value;
  Taps<T> tap;
};

// What is greater, or the first NaN, takes the place of what was.
template <class T>
void take(Best<T>& best, Vec<T> x, Tap<T> tap) {
  const Taps<T> takes = (Taps<T>)((x > best.value) | ((x != x) & (best.value == best.value)));
  best.value = (Vec<T>)((takes & (Taps<T>)x) | (~takes & (Taps<T>)best.value));
  best.tap = (takes & (tap - Taps<T>{})) | (~takes & best.tap);
}

// Lanes of channels from c on: load(i) is the i-th row's.
template <class T, class Load>
void window_lanes(const PoolWindow<T>& w, Load&& row, T* values, Tap<T>* taken) {
  if (!w.max) {
    Vec<T> sum = {};
    for (std::int64_t i = 0; i < w.count; ++i) sum += row(i);
    return store(values, sum / splat(static_cast<T>(w.taps)));
  }
  Best<T> best{splat(-static_cast<T>(__builtin_inf())), ~Taps<T>{}};
  if (w.count > 0) best = {row(0), static_cast<Tap<T>>(w.tap[0]) - Taps<T>{}};
  for (std::int64_t i = 1; i < w.count; ++i) take<T>(best, row(i), static_cast<Tap<T>>(w.tap[i]));
  store(values, best.value);
  if (taken) std::memcpy(taken, &best.tap, sizeof best.tap);
}

template <class T, class S>
void window(const PoolWindow<T>& w) {
  constexpr int lanes = Vector<T>::lanes;
  std::int64_t c = 0;
  for (; c + lanes <= w.channels; c += lanes)
    window_lanes<T>(
        w, [&](std::int64_t i) { return (Vec<T>)elements<T>(static_cast<const S*>(w.rows[i]) + c); }, w.values + c,
        w.taken ? w.taken + c : nullptr);
  const std::int64_t n = w.channels - c;
  if (n == 0) return;
  T values[lanes];
  Tap<T> taken[lanes];
  window_lanes<T>(
      w,
      [&](std::int64_t i) {
        S rest[lanes] = {};
        std::memcpy(rest, static_cast<const S*>(w.rows[i]) + c, static_cast<std::size_t>(n) * sizeof(S));
        return (Vec<T>)elements<T>(static_cast<const S*>(rest));
      },
      values, taken);
  std::memcpy(w.values + c, values, static_cast<std::size_t>(n) * sizeof(T));
  if (w.taken) std::memcpy(w.taken + c, taken, static_cast<std::size_t>(n) * sizeof(Tap<T>));
}

// `width` channels from c on; those behind the last are 0, of tap 0.
template <class T>
Vec<T> return_lanes(const PoolReturn<T>& r, std::int64_t c, std::size_t width) {
  Vec<T> sum = {};
  for (std::int64_t i = 0; i < r.count; ++i) {
    Vec<T> g = {};
    std::memcpy(&g, r.cotangents[i] + c, width * sizeof(T));
    if (r.taken) {
      Taps<T> taken = {};
      std::memcpy(&taken, r.taken[i] + c, width * sizeof(T));
      g = (Vec<T>)((Taps<T>)g & (Taps<T>)(taken == static_cast<Tap<T>>(r.tap[i]) - Taps<T>{}));
    }
    sum += g;
  }
  return r.taps > 0 ? sum / splat(static_cast<T>(r.taps)) : sum;
}

template <class T>
void return_all(const PoolReturn<T>& r) {
  constexpr int lanes = Vector<T>::lanes;
  std::int64_t c = 0;
  for (; c + lanes <= r.channels; c += lanes) store(r.sums + c, return_lanes<T>(r, c, lanes));
  const auto rest = static_cast<std::size_t>(r.channels - c);
  if (rest == 0) return;
  const Vec<T> last = return_lanes<T>(r, c, rest);
  std::memcpy(r.sums + c, &last, rest * sizeof(T));
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
