// Elimination and substitution of many small matrices: one in each lane, element (i, j) of all of them one vector.
#include "optimized/linalg/lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

static inline bool any(i32v x) {
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask((__m512i)x, (__m512i)x) != 0;
#elif defined(__AVX2__)
  return _mm256_testz_si256((__m256i)x, (__m256i)x) == 0;
#else
  return _mm_movemask_epi8((__m128i)x) != 0;
#endif
}
static inline bool any(i64v x) { return any((i32v)x); }

static inline f32v magnitude(f32v x) { return (f32v)((i32v)x & 0x7FFFFFFF); }
static inline f64v magnitude(f64v x) { return (f64v)((i64v)x & 0x7FFFFFFFFFFFFFFF); }

// Rows i and j of n vectors change places in the lanes of the mask.
template <class V, class I>
static inline void exchange(V* a, int i, int j, int n, I lanes) {
  V *x = a + i * n, *y = a + j * n;
  for (int c = 0; c < n; ++c) {
    const V s = x[c], t = y[c];
    x[c] = lanes ? t : s;
    y[c] = lanes ? s : t;
  }
}

// Partial pivoting: the first of the largest magnitudes of a column, none of them a NaN but where it stands.
template <class T>
static void eliminate(typename LaneTypes<T>::V* a, int m, int n, typename LaneTypes<T>::V* x, int k,
                      typename LaneTypes<T>::I* pivots) {
  typedef typename LaneTypes<T>::V V;
  typedef typename LaneTypes<T>::I I;
  I row{};
  for (int j = 0; j < m && j < n; ++j, row += 1) {
    V best = magnitude(a[j * n + j]);
    I at = row, here = row;
    for (int i = j + 1; i < m; ++i) {
      here += 1;
      const V v = magnitude(a[i * n + j]);
      const I more = (I)(v > best);
      best = more ? v : best;
      at = more ? here : at;
    }
    pivots[j] = at;
    here = row;
    for (int i = j + 1; i < m; ++i) {
      here += 1;
      const I lanes = (I)(at == here);
      if (!any(lanes)) continue;
      exchange(a, i, j, n, lanes);
      exchange(x, i, j, k, lanes);
    }
    const V* u = a + j * n;
    const I zero = (I)(u[j] == V{});
    for (int i = j + 1; i < m; ++i) {
      V* r = a + i * n;
      const V l = zero ? r[j] : r[j] / u[j];
      r[j] = l;
      for (int c = j + 1; c < n; ++c) r[c] = fma(-l, u[c], r[c]);
    }
  }
}

// x_i = (x_i - sum t_ij x_j) / t_ii over the columns j before i (lower) or behind it (upper); x has k columns.
template <class T>
static void substitute(const typename LaneTypes<T>::V* t, int n, bool upper, bool unit, typename LaneTypes<T>::V* x,
                       int k) {
  typedef typename LaneTypes<T>::V V;
  for (int step = 0; step < n; ++step) {
    const int i = upper ? n - 1 - step : step;
    V* own = x + i * k;
    for (int j = upper ? i + 1 : 0; j < (upper ? n : i); ++j) {
      const V l = t[i * n + j];
      for (int c = 0; c < k; ++c) own[c] = fma(-l, x[j * k + c], own[c]);
    }
    if (unit) continue;
    const V d = t[i * n + i];
    for (int c = 0; c < k; ++c) own[c] = own[c] / d;
  }
}

// The first zero of each diagonal, or -1.
template <class T>
static void zeros(const typename LaneTypes<T>::V* a, int n, std::int64_t count, std::int64_t* failed) {
  typedef typename LaneTypes<T>::I I;
  I first = I{} - 1, here{};
  for (int j = 0; j < n; ++j, here += 1) {
    const I fresh = (I)(a[j * n + j] == typename LaneTypes<T>::V{}) & (I)(first < 0);
    first = fresh ? here : first;
  }
  for (std::int64_t m = 0; m < count; ++m) failed[m] = first[m];
}

// X^T X of a lower triangle, X X^T of an upper one, into s.
template <class T>
static void gram(const typename LaneTypes<T>::V* x, int n, bool upper, typename LaneTypes<T>::V* s) {
  typedef typename LaneTypes<T>::V V;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      V sum{};
      for (int k = i; !upper && k < n; ++k) sum = fma(x[k * n + i], x[k * n + j], sum);
      for (int k = i; upper && k < n; ++k) sum = fma(x[i * n + k], x[j * n + k], sum);
      s[i * n + j] = s[j * n + i] = sum;
    }
}

// The factors of `count` matrices, packed, with their pivots as T's whole numbers, k for each matrix.
template <class T>
static void factor_lanes(const T* const* a, std::int64_t count, int m, int n, T* room, T* const* lu,
                         std::int32_t* pivots) {
  typedef typename LaneTypes<T>::V V;
  typedef typename LaneTypes<T>::I I;
  V* w = reinterpret_cast<V*>(room);
  const int k = m < n ? m : n;
  I at[32];
  pack_lanes(a, count, m * n, w);
  eliminate<T>(w, m, n, w, 0, at);
  unpack_lanes(w, count, m * n, lu);
  for (std::int64_t t = 0; t < count; ++t)
    for (int j = 0; j < k; ++j) pivots[t * k + j] = static_cast<std::int32_t>(at[j][t]);
}

enum Form { general, lower, upper, lower_gram, upper_gram };  // as in batch.cpp

template <class T>
static void solve_lanes(const T* const* a, const T* const* b, std::int64_t count, int n, int k, int form, T* room,
                        T* const* x, std::int64_t* failed) {
  typedef typename LaneTypes<T>::V V;
  V *w = reinterpret_cast<V*>(room), *y = w + n * n;
  typename LaneTypes<T>::I at[32];
  pack_lanes(a, count, n * n, w);
  if (b) pack_lanes(b, count, n * k, y);
  for (int e = 0; !b && e < n * n; ++e) y[e] = e % (n + 1) == 0 ? splat(T(1)) : V{};
  if (form == general) {
    eliminate<T>(w, n, n, y, k, at);
    substitute<T>(w, n, false, true, y, k);
  }
  zeros<T>(w, n, count, failed);
  const bool above = form == general || form == upper || form == upper_gram;
  substitute<T>(w, n, above, false, y, k);
  if (form == lower_gram || form == upper_gram) {
    gram<T>(y, n, above, w);
    return unpack_lanes(w, count, n * n, x);
  }
  for (int i = 0; form != general && !b && i < n; ++i)
    for (int j = 0; j < n; ++j)
      if (above ? j < i : j > i) y[i * n + j] = V{};
  unpack_lanes(y, count, n * k, x);
}

}  // namespace

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_LANES(T, suffix)                                                                                         \
  std::int64_t solve_width_##suffix() { return LaneTypes<T>::kWidth; }                                                 \
  void factor_lanes_##suffix(const T* const* a, std::int64_t count, int m, int n, T* room, T* const* lu,               \
                             std::int32_t* pivots) {                                                                   \
    factor_lanes<T>(a, count, m, n, room, lu, pivots);                                                                 \
  }                                                                                                                    \
  void solve_lanes_##suffix(const T* const* a, const T* const* b, std::int64_t count, int n, int k, int form, T* room, \
                            T* const* x, std::int64_t* failed) {                                                       \
    solve_lanes<T>(a, b, count, n, k, form, room, x, failed);                                                          \
  }
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_LANES(float, f32)
PLUMB_LANES(double, f64)
#undef PLUMB_LANES

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
