#include "optimized/linalg/orthogonal/rotations.h"

#include <atomic>
#include <complex>
#include <functional>
#include <limits>
#include <numeric>

#include "core/limits.h"
#include "core/pool.h"
#include "optimized/dispatch.h"

namespace plumb {

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_SVD(T, suffix)                                                                 \
  PLUMB_DECLARE_SIMD(std::int64_t svd_width_##suffix())                                      \
  PLUMB_DECLARE_SIMD(void svd_sums_##suffix(const T* x, const T* y, std::int64_t n, T* out)) \
  PLUMB_DECLARE_SIMD(void svd_rotate_##suffix(T* x, T* y, std::int64_t n, T c, T s))         \
  PLUMB_DECLARE_SIMD(                                                                        \
      bool svd_group_##suffix(T* w, T* j, std::int64_t k, std::int64_t l, T tolerance, T null, std::int64_t sweeps))
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_SVD(float, f32)
PLUMB_SVD(double, f64)
#undef PLUMB_SVD

namespace {

template <class T>
struct Kernels;
#define PLUMB_SVD(T, suffix)                                                           \
  template <>                                                                          \
  struct Kernels<T> {                                                                  \
    std::int64_t width = PLUMB_DISPATCH(svd_width_##suffix)();                         \
    decltype(&base::svd_sums_##suffix) sums = PLUMB_DISPATCH(svd_sums_##suffix);       \
    decltype(&base::svd_rotate_##suffix) rotate = PLUMB_DISPATCH(svd_rotate_##suffix); \
    decltype(&base::svd_group_##suffix) group = PLUMB_DISPATCH(svd_group_##suffix);    \
  };
PLUMB_SVD(float, f32)
PLUMB_SVD(double, f64)
#undef PLUMB_SVD

constexpr Limit kParallel{"svd.parallel", 192, 6};  // rows from which the pairs of a round are shared out

// Rows count as orthogonal when the cosine of their angle is this, a little more than their product may err by.
template <class T>
T tolerance(std::int64_t l) {
  return std::sqrt(static_cast<T>(l)) * std::numeric_limits<T>::epsilon();
}

// ---- One matrix ----

template <class T>
class Rotator {
 public:
  explicit Rotator(Rows<T>& rows) : x_(rows), tolerance_(tolerance<T>(rows.l)) {}

  // Whether no pair had to be turned: rounds of pairs that have no row in common, in the order of a tournament.
  bool sweep(bool parallel) {
    const std::int64_t players = x_.k + x_.k % 2, pairs = players / 2;
    std::atomic<bool> turned{false};
    for (std::int64_t round = 0; round + 1 < players; ++round) {
      const auto meet = [&](std::int64_t i) {
        const std::int64_t a = i == 0 ? players - 1 : (round + i) % (players - 1);
        const std::int64_t b = (round + players - 1 - i) % (players - 1);
        if (std::max(a, b) < x_.k && orthogonalize(std::min(a, b), std::max(a, b))) turned = true;
      };
      if (parallel) parallel_each(pairs, meet);
      else
        for (std::int64_t i = 0; i < pairs; ++i) meet(i);
    }
    return !turned;
  }

  T norm(std::int64_t p) const {
    T s[3];
    kernels_.sums(row(p), row(p), x_.l * x_.parts, s);
    return std::sqrt(s[0]);
  }

 private:
  T* row(std::int64_t p) const { return x_.w.get() + p * x_.l * x_.parts; }
  T* turned(std::int64_t p) const { return x_.j.get() + p * x_.k * x_.parts; }

  // The imaginary part of (x, y).
  T imaginary(const T* x, const T* y) const {
    T s[3], r[3];
    kernels_.sums(x + x_.l, y, x_.l, s);
    kernels_.sums(x, y + x_.l, x_.l, r);
    return s[2] - r[2];
  }

  // t^2 + 2 z t - 1 = 0, z = ((y, y) - (x, x)) / (2 |(x, y)|), c = 1 / sqrt(1 + t^2), s = c t
  bool orthogonalize(std::int64_t p, std::int64_t q) {
    T *x = row(p), *y = row(q), s[3];
    kernels_.sums(x, y, x_.l * x_.parts, s);
    const T im = x_.parts == 2 ? imaginary(x, y) : T(0);
    if (s[0] <= kNull<T> || s[1] <= kNull<T>) return false;
    const T g = x_.parts == 2 ? std::hypot(s[2], im) : s[2];
    if (std::abs(g) <= tolerance_ * std::sqrt(s[0]) * std::sqrt(s[1])) return false;
    if (x_.parts == 2) {
      kernels_.rotate(y, y + x_.l, x_.l, s[2] / g, im / g);
      if (x_.j) kernels_.rotate(turned(q), turned(q) + x_.k, x_.k, s[2] / g, im / g);
    }
    const T z = (s[1] - s[0]) / (2 * g), size = std::abs(z);
    const T r = size + (size > T(0x1p30) ? size : std::sqrt(1 + z * z));  // z^2 may overflow
    const T t = std::copysign(1 / r, z), c = 1 / std::sqrt(1 + t * t);
    kernels_.rotate(x, y, x_.l * x_.parts, c, c * t);
    if (x_.j) kernels_.rotate(turned(p), turned(q), x_.k * x_.parts, c, c * t);
    return true;
  }

  Rows<T>& x_;
  const Kernels<T> kernels_;
  const T tolerance_;
};

template <class T>
void sort_rows(Rows<T>& x) {
  x.order.resize(x.norms.size());
  std::iota(x.order.begin(), x.order.end(), 0);
  std::stable_sort(x.order.begin(), x.order.end(), [&](std::int64_t a, std::int64_t b) {
    return x.norms[static_cast<std::size_t>(a)] > x.norms[static_cast<std::size_t>(b)];
  });
}

template <class T>
void rotate_all(Rows<T>& x, bool parallel) {
  if (x.j) {
    std::fill_n(x.j.get(), x.k * x.k * x.parts, T(0));
    for (std::int64_t i = 0; i < x.k; ++i) x.j[i * x.k * x.parts + i] = 1;
  }
  Rotator<T> rotator(x);
  x.converged = false;
  for (int s = 0; s < kSweeps && !x.converged; ++s) x.converged = rotator.sweep(parallel);
  for (std::int64_t i = 0; i < x.k; ++i) x.norms[static_cast<std::size_t>(i)] = rotator.norm(i);
  sort_rows(x);
}

// Rows of A or of A^H, the largest element about 1.
template <class T>
void load_rows(Rows<T>& x, const T* a, const Source& from) {
  T most = 0, undefined = 0;
  const std::int64_t row = (x.tall ? from.column : from.row) * x.parts,
                     column = (x.tall ? from.row : from.column) * x.parts;
  for (std::int64_t i = 0; i < x.k; ++i) {
    for (std::int64_t p = 0; p < x.parts; ++p) {
      for (std::int64_t j = 0; j < x.l; ++j) {
        const T e = a[i * row + j * column + p];
        undefined += e - e;
        most = std::max(most, std::abs(e));
        x.w[(i * x.parts + p) * x.l + j] = x.tall && p == 1 ? -e : e;
      }
    }
  }
  x.finite = undefined == 0;
  x.factor = std::ldexp(T(1), -exponent_of(x.finite ? most : T(0)));
  for (std::int64_t e = 0; e < x.k * x.l * x.parts; ++e) x.w[e] *= x.factor;
}

// The first matrix that has no decomposition, and why.
class Failure {
 public:
  template <class T>
  bool note(std::int64_t matrix, const Rows<T>& x) {
    if (x.finite && x.converged) return false;
    const std::int64_t mine = 2 * matrix + (x.finite ? 1 : 0);
    std::int64_t seen = first_.load();
    while (mine < seen && !first_.compare_exchange_weak(seen, mine)) {
    }
    return true;
  }
  void raise(const Call& c) const {
    const std::int64_t f = first_.load();
    if (f == std::numeric_limits<std::int64_t>::max()) return;
    c.fail(Reason::domain, "matrix " + std::to_string(f / 2) +
                               (f % 2 == 0 ? std::string(" has an element that is not finite")
                                           : " has not converged in " + std::to_string(kSweeps) + " sweeps"));
  }

 private:
  std::atomic<std::int64_t> first_{std::numeric_limits<std::int64_t>::max()};
};

template <class T>
void one_by_one(const Call& c, const Source& from, const T* a, bool vectors, const UseRows<T>& use) {
  const bool complex = is_complex(c.dtype(0));
  Failure failure;
  const auto matrices = [&](std::int64_t first, std::int64_t last, bool parallel) {
    for (std::int64_t i = first; i < last; ++i) {
      Rows<T> x(from, complex, vectors);
      load_rows(x, a + from.base(i) * x.parts, from);
      if (x.finite) rotate_all(x, parallel);
      if (!failure.note(i, x)) use(i, x);
    }
  };
  const std::int64_t k = std::min(from.m, from.n);
  if (k >= kParallel.of(k) && from.matrices < threads()) matrices(0, from.matrices, true);
  else
    parallel_for(from.matrices, 1 + (1 << 12) / (k * from.m * from.n),
                 [&](std::int64_t first, std::int64_t last) { matrices(first, last, false); });
  failure.raise(c);
}

// ---- Many small ones, one per lane ----

template <class T>
struct Group {
  RawRoom<T, 64> w, j;
  Group(std::int64_t k, std::int64_t l, std::int64_t width, bool vectors)
      : w(k * l * width), j(vectors ? RawRoom<T, 64>(k * k * width) : RawRoom<T, 64>()) {}
};

// Lane by lane into w; lanes to spare repeat the first matrix, and one that is not finite counts as zeros.
template <class T>
void take_lane(const Rows<T>& x, Group<T>& g, std::int64_t width, std::int64_t lane) {
  for (std::int64_t e = 0; e < x.k * x.l; ++e) g.w[e * width + lane] = x.finite ? x.w[e] : T(0);
}

template <class T>
void give_lane(Rows<T>& x, const Group<T>& g, std::int64_t width, std::int64_t lane) {
  const Kernels<T> kernels;
  for (std::int64_t e = 0; e < x.k * x.l; ++e) x.w[e] = g.w[e * width + lane];
  for (std::int64_t e = 0; x.j && e < x.k * x.k; ++e) x.j[e] = g.j[e * width + lane];
  for (std::int64_t i = 0; i < x.k; ++i) {
    T s[3];
    kernels.sums(x.w.get() + i * x.l, x.w.get() + i * x.l, x.l, s);
    x.norms[static_cast<std::size_t>(i)] = std::sqrt(s[0]);
  }
  sort_rows(x);
}

template <class T>
void by_lanes(const Call& c, const Source& from, const T* a, bool vectors, const UseRows<T>& use) {
  const Kernels<T> kernels;
  const std::int64_t width = kernels.width, groups = (from.matrices + width - 1) / width;
  const std::int64_t k = std::min(from.m, from.n), l = std::max(from.m, from.n);
  Failure failure;
  parallel_for(groups, 1 + (1 << 12) / (k * k * l * width), [&](std::int64_t first, std::int64_t last) {
    Group<T> group(k, l, width, vectors);
    std::vector<Rows<T>> rows;
    for (std::int64_t i = 0; i < width; ++i) rows.emplace_back(from, false, vectors);
    for (std::int64_t g = first * width; g < std::min(last * width, from.matrices); g += width) {
      const std::int64_t here = std::min(width, from.matrices - g);
      for (std::int64_t i = 0; i < width; ++i) {
        Rows<T>& x = rows[static_cast<std::size_t>(i)];
        load_rows(x, a + from.base(g + (i < here ? i : 0)), from);
        take_lane(x, group, width, i);
      }
      const bool good = kernels.group(group.w.get(), group.j.get(), k, l, tolerance<T>(l), kNull<T>, kSweeps);
      for (std::int64_t i = 0; i < here; ++i) {
        Rows<T>& x = rows[static_cast<std::size_t>(i)];
        x.converged = good;
        if (x.finite) give_lane(x, group, width, i);
        if (!failure.note(g + i, x)) use(g + i, x);
      }
    }
  });
  failure.raise(c);
}

template <class T>
void each(const Call& c, bool vectors, bool lanes, const UseRows<T>& use) {
  const Source from = source(c[0]);
  if (from.m == 0 || from.n == 0) return;
  const T* a = c[0].read<T>();
  lanes ? by_lanes(c, from, a, vectors, use) : one_by_one(c, from, a, vectors, use);
}

// ---- Completion ----

// y -= f x of rows of n numbers, or of as many complex ones.
template <class T>
void subtract(T* y, const T* x, std::int64_t n, std::int64_t parts, T re, T im) {
  for (std::int64_t i = 0; i < n; ++i) {
    y[i] -= re * x[i] - (parts == 2 ? im * x[n + i] : T(0));
    if (parts == 2) y[n + i] -= re * x[n + i] + im * x[i];
  }
}

// (y, x)
template <class T>
std::complex<T> along(const T* y, const T* x, std::int64_t n, std::int64_t parts) {
  T re = 0, im = 0;
  for (std::int64_t i = 0; i < n * parts; ++i) re += y[i] * x[i];
  for (std::int64_t i = 0; parts == 2 && i < n; ++i) im += y[n + i] * x[i] - y[i] * x[n + i];
  return {re, im};
}

// Row c: the unit vector that the rows before it reach least, less what they reach of it, twice.
template <class T>
void complete(T* v, std::int64_t c, std::int64_t n, std::int64_t parts, std::vector<T>& reached) {
  const std::int64_t length = n * parts;
  T* y = v + c * length;
  const auto best = std::min_element(reached.begin(), reached.end()) - reached.begin();
  std::fill_n(y, length, T(0));
  y[best] = 1;
  for (int pass = 0; pass < 2; ++pass) {
    for (std::int64_t k = 0; k < c; ++k) {
      const std::complex<T> h = along(y, v + k * length, n, parts);
      subtract(y, v + k * length, n, parts, h.real(), h.imag());
    }
  }
  const T norm = std::sqrt(along(y, y, n, parts).real());
  for (std::int64_t i = 0; i < length; ++i) y[i] /= norm;
}

template <class T>
void reach(const T* y, std::int64_t n, std::int64_t parts, std::vector<T>& reached) {
  for (std::int64_t i = 0; i < n; ++i)
    reached[static_cast<std::size_t>(i)] += y[i] * y[i] + (parts == 2 ? y[n + i] * y[n + i] : T(0));
}

}  // namespace

template <class T>
std::int64_t Rows<T>::count() const {
  std::int64_t n = 0;
  while (n < k && norm(n) * norm(n) > kNull<T>) ++n;
  return n;
}

template <class T>
void unit_rows(const Rows<T>& x, T* v) {
  const std::int64_t length = x.l * x.parts, given = x.count();
  std::vector<T> reached(static_cast<std::size_t>(x.l), T(0));
  for (std::int64_t i = 0; i < x.l; ++i) {
    if (i < given)
      for (std::int64_t e = 0; e < length; ++e) v[i * length + e] = x.row(i)[e] / x.norm(i);
    else complete(v, i, x.l, x.parts, reached);
    reach(v + i * length, x.l, x.parts, reached);
  }
}

template struct Rows<float>;
template struct Rows<double>;
template void unit_rows(const Rows<float>&, float*);
template void unit_rows(const Rows<double>&, double*);

void each_rows(const Call& c, bool vectors, bool lanes, const UseRows<float>& use) { each(c, vectors, lanes, use); }
void each_rows(const Call& c, bool vectors, bool lanes, const UseRows<double>& use) { each(c, vectors, lanes, use); }

}  // namespace plumb
