// A = Q T Q^H by reflections H_k = I - t v v^H, t = 2 / v^H v, then T = Z diag(w) Z^T by implicit QL steps (Wilkinson's
// shift); V = Q D Z, D the phases that make T real.
#include "optimized/linalg/eigen/tridiagonal.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/linalg/eigen/rows.h"

namespace plumb::eigen {
namespace {

constexpr Limit kParallel{"eigen.parallel", 256, 12};  // rows from which one matrix is worth several threads
constexpr int kSteps = 60;                             // QL steps for an eigenvalue: three are many

struct Complex {
  double re = 0, im = 0;
};

template <class F>
void each_row(std::int64_t first, std::int64_t last, const F& f) {
  if (last - first < kParallel.of(last - first)) {
    for (std::int64_t i = first; i < last; ++i) f(i);
    return;
  }
  parallel_for(last - first, 32, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = first + begin; i < first + end; ++i) f(i);
  });
}

// x^H y over the elements from `first` on.
Complex product(const double* x, const double* y, std::int64_t first, std::int64_t n, int parts) {
  const auto dot = PLUMB_DISPATCH(row_product);
  const std::int64_t m = n - first;
  const double *xr = x + first, *yr = y + first, *xi = xr + n, *yi = yr + n;
  if (parts == 1) return {dot(xr, yr, m), 0};
  return {dot(xr, yr, m) + dot(xi, yi, m), dot(xr, yi, m) - dot(xi, yr, m)};
}

// y += f x over the elements from `first` on.
void add(double* y, Complex f, const double* x, std::int64_t first, std::int64_t n, int parts) {
  const auto combine = PLUMB_DISPATCH(row_combine);
  const double *xr = x + first, *xi = xr + n, *both[] = {xr, xi};
  const double real[] = {f.re, -f.im}, imaginary[] = {f.im, f.re};
  combine(y + first, n - first, real, both, parts);
  if (parts == 2) combine(y + n + first, n - first, imaginary, both, 2);
}

// What is left of A after k columns, its rows and columns from k + 1 on: A - v q^H - q v^H, p = t A v,
// q = p - (t / 2) (p^H v) v.
void update(const Hermitian& h, const double* v, double* q, double t, std::int64_t first) {
  const std::int64_t n = h.n, row = n * h.parts;
  each_row(first, n, [&](std::int64_t i) {  // row i of A is the conjugate of column i
    const Complex s = product(h.a + i * row, v, first, n, h.parts);
    if (h.parts == 1) {
      q[i] = t * s.re;
      return;
    }
    const auto dot = PLUMB_DISPATCH(row_product);
    const double *re = h.a + i * row + first, *im = re + n;
    const std::int64_t m = n - first;
    q[i] = t * (dot(re, v + first, m) - dot(im, v + n + first, m));
    q[n + i] = t * (dot(re, v + n + first, m) + dot(im, v + first, m));
  });
  const Complex s = product(q, v, first, n, h.parts);
  add(q, {-t / 2 * s.re, -t / 2 * s.im}, v, first, n, h.parts);
  each_row(first, n, [&](std::int64_t i) {  // a_ij -= v_i conj(q_j) + q_i conj(v_j)
    const auto combine = PLUMB_DISPATCH(row_combine);
    double* a = h.a + i * row + first;
    const double* of[] = {q + first, v + first, q + n + first, v + n + first};
    const double vi = h.parts == 2 ? v[n + i] : 0, qi = h.parts == 2 ? q[n + i] : 0;
    const double real[] = {-v[i], -q[i], -vi, -qi}, imaginary[] = {-vi, -qi, v[i], q[i]};
    combine(a, n - first, real, of, 2 * h.parts);
    if (h.parts == 2) combine(a + n, n - first, imaginary, of, 4);
  });
}

// Column k below the diagonal becomes one element; v stays in row k of A from k + 1 on, t beside it.
Complex reflect(const Hermitian& h, std::int64_t k, double* t, double* q) {
  const std::int64_t n = h.n, row = n * h.parts;
  double* v = h.a + k * row;  // conj of row k right of the diagonal is column k
  if (h.parts == 2)
    for (std::int64_t j = k + 1; j < n; ++j) v[n + j] = -v[n + j];
  const Complex head{v[k + 1], h.parts == 2 ? v[n + k + 1] : 0};
  const double tail = k + 2 < n ? product(v, v, k + 2, n, h.parts).re : 0, size = std::hypot(head.re, head.im);
  *t = 0;
  if (tail <= 0x1p-120) return head;
  const double norm = std::sqrt(tail + size * size);
  const Complex phase = size > 0 ? Complex{head.re / size, head.im / size} : Complex{1, 0};
  v[k + 1] += norm * phase.re;
  if (h.parts == 2) v[n + k + 1] += norm * phase.im;
  *t = 1 / (norm * (norm + size));
  update(h, v, q, *t, k + 1);
  return {-norm * phase.re, -norm * phase.im};
}

// One implicit QL step on the block [first, last] of d, e (e_i between i and i + 1), rotating rows of z.
void ql_step(double* d, double* e, std::int64_t first, std::int64_t last, double* z, std::int64_t n) {
  const auto rotate = PLUMB_DISPATCH(row_rotate);
  double g = (d[first + 1] - d[first]) / (2 * e[first]), r = std::hypot(g, 1.0);
  g = d[last] - d[first] + e[first] / (g + std::copysign(r, g));
  double c = 1, s = 1, p = 0;
  for (std::int64_t i = last - 1; i >= first; --i) {
    const double f = s * e[i], b = c * e[i];
    r = std::hypot(f, g);
    e[i + 1] = r;
    if (r == 0) {  // the block has come apart
      d[i + 1] -= p;
      e[last] = 0;
      return;
    }
    s = f / r, c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    if (z) rotate(z + i * n, z + (i + 1) * n, c, s, n);
  }
  d[first] -= p, e[first] = g, e[last] = 0;
}

bool ql(double* d, double* e, std::int64_t n, double* z) {
  constexpr double kRoundoff = 0x1p-53;
  e[n - 1] = 0;
  for (std::int64_t first = 0; first < n; ++first)
    for (int step = 0;; ++step) {
      std::int64_t last = first;
      while (last + 1 < n && std::abs(e[last]) > kRoundoff * (std::abs(d[last]) + std::abs(d[last + 1]))) ++last;
      if (last == first) break;
      if (step == kSteps) return false;
      ql_step(d, e, first, last, z, n);
    }
  return true;
}

// Row j of v is D z_j, then H_0 .. H_(n-3) of it, the last one first.
void back(const Hermitian& h, const std::vector<Complex>& phase, const double* t) {
  const std::int64_t n = h.n, row = n * h.parts;
  each_row(0, n, [&](std::int64_t j) {
    double* x = h.v + j * row;
    for (std::int64_t i = 0; i < n; ++i) {
      const Complex f = phase[static_cast<std::size_t>(i)];
      if (h.parts == 2) x[n + i] = x[i] * f.im;
      x[i] *= f.re;
    }
    for (std::int64_t k = n - 3; k >= 0; --k) {
      if (t[k] == 0) continue;
      const double* v = h.a + k * row;
      const Complex s = product(v, x, k + 1, n, h.parts);
      add(x, {-t[k] * s.re, -t[k] * s.im}, v, k + 1, n, h.parts);
    }
  });
}

}  // namespace

bool solve(const Hermitian& h) {
  const std::int64_t n = h.n, row = n * h.parts;
  double *d = h.room, *e = d + n, *t = e + n, *q = t + n;  // q: 2 n
  std::vector<Complex> phase(static_cast<std::size_t>(n), Complex{1, 0});
  for (std::int64_t k = 0; k < n; ++k) {
    e[k] = t[k] = 0;
    if (k + 1 < n) {
      const Complex below = reflect(h, k, t + k, q);
      e[k] = std::hypot(below.re, below.im);
      const Complex turn = e[k] > 0 ? Complex{below.re / e[k], below.im / e[k]} : Complex{1, 0};
      const Complex from = phase[static_cast<std::size_t>(k)];
      phase[static_cast<std::size_t>(k + 1)] = {from.re * turn.re - from.im * turn.im,
                                                from.re * turn.im + from.im * turn.re};
    }
    d[k] = h.a[k * row + k];
  }
  Room<double> z(static_cast<std::size_t>(h.v ? n * n : 0));
  for (std::int64_t i = 0; h.v && i < n; ++i) z[static_cast<std::size_t>(i * n + i)] = 1;
  if (!ql(d, e, n, h.v ? z.data() : nullptr)) return false;
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) { return d[i] < d[j]; });
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t from = order[static_cast<std::size_t>(j)];
    h.w[j] = d[from];
    if (h.v) std::copy_n(z.data() + from * n, n, h.v + j * row);
  }
  if (h.v) back(h, phase, t);
  return true;
}

}  // namespace plumb::eigen
