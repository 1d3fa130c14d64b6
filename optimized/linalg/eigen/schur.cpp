// Reflections to a Hessenberg matrix, then implicit QR steps: of real matrices with two shifts, of complex ones with
// one.
#include "optimized/linalg/eigen/schur.h"

#include <algorithm>
#include <cmath>

#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void reflect_rows(double* x, std::int64_t step, std::int64_t ld, std::int64_t n, const double* v,
                                     double t, std::int64_t m, int parts))
PLUMB_DECLARE_SIMD(void reflect_columns(double* x, std::int64_t step, std::int64_t ld, std::int64_t rows,
                                        const double* v, double t, std::int64_t m, int parts))

namespace eigen {
namespace {

using Complex = std::complex<double>;
constexpr double kRoundoff = 0x1p-53;
constexpr int kSteps = 60;  // for an eigenvalue: three are many

double modulus(Complex z) { return std::hypot(z.real(), z.imag()); }

// Rows and columns that a reflection must reach: all where T is kept, else those of the block at work.
struct Reach {
  std::int64_t first_row, last_column;  // columns of row operations end before it
};

// H = I - t v v^H makes x = (x_0, tail) a multiple of e_0; v in place of x, m real parts and then imaginary ones.
double reflector(double* x, std::int64_t m, int parts) {
  double tail = 0;
  for (std::int64_t i = 1; i < m; ++i) tail += x[i] * x[i] + (parts == 2 ? x[m + i] * x[m + i] : 0);
  if (tail <= 0x1p-1000) return 0;
  const double im = parts == 2 ? x[m] : 0, head = std::hypot(x[0], im), norm = std::sqrt(tail + head * head);
  const double re = head > 0 ? x[0] / head : 1;
  x[0] += norm * re;
  if (parts == 2 && head > 0) x[m] += norm * (im / head);
  return 1 / (norm * (norm + head));
}

// H T H and Q H for rows and columns [first, first + m), of columns from `left` on and rows to `below`.
void reflect(const Schur& s, const Reach& r, std::int64_t first, std::int64_t m, double t, const double* v,
             std::int64_t left, std::int64_t below) {
  const std::int64_t n = s.n;
  PLUMB_DISPATCH(reflect_rows)(s.t + first * s.step() + left, s.step(), n, r.last_column - left, v, t, m, s.parts);
  PLUMB_DISPATCH(reflect_columns)
  (s.t + r.first_row * s.step() + first, s.step(), n, below - r.first_row, v, t, m, s.parts);
  if (!s.q) return;
  double* conjugate = s.room + 2 * n;
  for (std::int64_t k = 0; k < m; ++k) {
    conjugate[k] = v[k];
    if (s.parts == 2) conjugate[m + k] = -v[m + k];
  }
  PLUMB_DISPATCH(reflect_rows)(s.q + first * s.step(), s.step(), n, n, conjugate, t, m, s.parts);
}

void clear(const Schur& s, std::int64_t i, std::int64_t j) {
  s.re(i, j) = 0;
  if (s.parts == 2) s.im(i, j) = 0;
}

// Column j from row `first` on, m elements of it, becomes a multiple of its first one.
void reflect_column(const Schur& s, const Reach& r, std::int64_t j, std::int64_t first, std::int64_t m,
                    std::int64_t below) {
  double* v = s.room;
  for (std::int64_t k = 0; k < m; ++k) {
    v[k] = s.re(first + k, j);
    if (s.parts == 2) v[m + k] = s.im(first + k, j);
  }
  const double t = reflector(v, m, s.parts);
  if (t == 0) return;
  reflect(s, r, first, m, t, v, j, below);
  for (std::int64_t k = 1; k < m; ++k) clear(s, first + k, j);
}

// A reflection that begins with `start` at `first`, and those that make the block Hessenberg again.
void chase(const Schur& s, const Reach& r, std::int64_t first, std::int64_t last, const Complex* start, int width) {
  double* v = s.room;
  for (int k = 0; k < width; ++k) {
    v[k] = start[k].real();
    if (s.parts == 2) v[width + k] = start[k].imag();
  }
  const double t = reflector(v, width, s.parts);
  if (t != 0) reflect(s, r, first, width, t, v, first, std::min(first + width + 1, last + 1));
  for (std::int64_t k = first; k + 1 < last; ++k)
    reflect_column(s, r, k, k + 1, std::min<std::int64_t>(width, last - k), std::min(k + width + 2, last + 1));
}

void double_step(const Schur& s, const Reach& r, std::int64_t first, std::int64_t last, bool exceptional) {
  const auto t = [&](std::int64_t i, std::int64_t j) { return s.re(i, j); };
  const std::int64_t i = first;
  // Differences first: what is left of eigenvalues close to each other would be lost in their squares.
  double p = t(last - 1, last - 1) - t(i, i), q = t(last, last) - t(i, i);
  double product = t(last, last - 1) * t(last - 1, last);
  if (exceptional) {
    const double x = std::abs(t(last, last - 1)) + std::abs(t(last - 1, last - 2));
    p = q += 0.75 * x;
    product = -0.4375 * x * x;
  }
  const Complex start[3] = {t(i, i + 1) + (p * q - product) / t(i + 1, i), t(i + 1, i + 1) - t(i, i) - p - q,
                            t(i + 2, i + 1)};
  chase(s, r, first, last, start, 3);
}

void single_step(const Schur& s, const Reach& r, std::int64_t first, std::int64_t last, bool exceptional) {
  const Complex a = s.at(last - 1, last - 1), b = s.at(last - 1, last), c = s.at(last, last - 1), d = s.at(last, last);
  const Complex half = 0.5 * (a - d), root = std::sqrt(half * half + b * c);
  const Complex far = modulus(half + root) < modulus(half - root) ? half - root : half + root;
  const Complex shift = exceptional ? d + modulus(c) : modulus(far) > 0 ? d - b * c / far : d;
  const Complex start[2] = {s.at(first, first) - shift, s.at(first + 1, first)};
  chase(s, r, first, last, start, 2);
}

std::int64_t block_start(const Schur& s, std::int64_t last) {
  for (std::int64_t k = last; k > 0; --k) {
    const double near = modulus(s.at(k, k)) + modulus(s.at(k - 1, k - 1));
    if (modulus(s.at(k, k - 1)) > kRoundoff * (near + 1)) continue;
    clear(s, k, k - 1);
    return k;
  }
  return 0;
}

// Two real eigenvalues or a pair of a real block; the real ones are made triangular where T is kept.
void pair_of(const Schur& s, std::int64_t k, Complex* w) {
  const double a = s.re(k, k), b = s.re(k, k + 1), c = s.re(k + 1, k), d = s.re(k + 1, k + 1);
  const double half = (a - d) / 2, square = half * half + b * c;
  if (square < 0) {
    w[k] = {d + half, std::sqrt(-square)};
    w[k + 1] = std::conj(w[k]);
    return;
  }
  const double far = half + std::copysign(std::sqrt(square), half), size = std::hypot(far, c);
  w[k] = d + far, w[k + 1] = far != 0 ? d - b * c / far : d;
  if (!s.q || size == 0) return;
  // The reflection that takes the eigenvector (far, c) of w_k to a multiple of e_0.
  double v[2] = {far / size, c / size};
  const double t = reflector(v, 2, 1);
  if (t != 0) reflect(s, {0, s.n}, k, 2, t, v, k, k + 2);
  clear(s, k + 1, k);
  w[k] = s.re(k, k), w[k + 1] = s.re(k + 1, k + 1);
}

}  // namespace

bool reduce(const Schur& s, Complex* w) {
  const Reach all{0, s.n};
  for (std::int64_t k = 0; k + 2 < s.n; ++k) reflect_column(s, all, k, k + 1, s.n - k - 1, s.n);
  int step = 0;
  for (std::int64_t last = s.n - 1; last >= 0;) {
    const std::int64_t first = block_start(s, last), size = last - first + 1;
    if (size == 1) w[last] = s.at(last, last);
    else if (size == 2 && s.parts == 1) pair_of(s, first, w);
    else {
      if (++step > kSteps) return false;
      const Reach reach = s.q ? all : Reach{first, last + 1};
      if (s.parts == 1) double_step(s, reach, first, last, step % 10 == 0);
      else single_step(s, reach, first, last, step % 10 == 0);
      continue;
    }
    last = first - 1, step = 0;
  }
  return true;
}

}  // namespace eigen
}  // namespace plumb
