// CPU route of eig and eigvals: the Schur form of each matrix in double, eigenvectors by back substitution.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/linalg/eigen/rows.h"
#include "optimized/linalg/eigen/schur.h"

namespace plumb {
namespace {

using Complex = std::complex<double>;
constexpr double kRoundoff = 0x1p-53;

double modulus(Complex z) { return std::hypot(z.real(), z.imag()); }

// T and Q as complex rows, the 2 x 2 blocks of pairs made triangular.
struct Triangular {
  Room<double> t, q;  // rows of 2 n, imaginary parts behind the real ones; row j of q is column j of Q
  std::int64_t n;

  double* row(Room<double>& x, std::int64_t i) { return x.data() + i * 2 * n; }
  Complex at(std::int64_t i, std::int64_t j) { return {row(t, i)[j], row(t, i)[n + j]}; }
};

Room<double> complex_rows(const double* x, std::int64_t n, int parts) {
  Room<double> z(static_cast<std::size_t>(2 * n * n));
  for (std::int64_t i = 0; i < n; ++i) std::copy_n(x + i * n * parts, n * parts, z.data() + i * 2 * n);
  return z;
}

// x, y = conj(u) x + conj(v) y, u y - v x.
void turn(double* x, double* y, std::int64_t n, Complex u, Complex v) {
  for (std::int64_t j = 0; j < n; ++j) {
    const Complex p{x[j], x[n + j]}, q{y[j], y[n + j]}, a = std::conj(u) * p + std::conj(v) * q, b = u * q - v * p;
    x[j] = a.real(), x[n + j] = a.imag(), y[j] = b.real(), y[n + j] = b.imag();
  }
}

// Rows and columns k, k + 1 by the eigenvector (w - d, c) of w in their block.
void split(Triangular& s, std::int64_t k, Complex w) {
  const std::int64_t n = s.n;
  const Complex d = s.at(k + 1, k + 1), c = s.at(k + 1, k);
  const double size = std::hypot(modulus(w - d), modulus(c));
  const Complex u = (w - d) / size, v = c / size;
  turn(s.row(s.t, k), s.row(s.t, k + 1), n, u, v);
  turn(s.row(s.q, k), s.row(s.q, k + 1), n, std::conj(u), std::conj(v));
  for (std::int64_t i = 0; i < n; ++i) {
    double* t = s.row(s.t, i);
    const Complex x{t[k], t[n + k]}, y{t[k + 1], t[n + k + 1]}, a = x * u + y * v;
    const Complex b = y * std::conj(u) - x * std::conj(v);
    t[k] = a.real(), t[n + k] = a.imag(), t[k + 1] = b.real(), t[n + k + 1] = b.imag();
  }
}

// (T - w I) x = 0 with x_j = 1, divisors no smaller than negligible.
void back_substitute(Triangular& s, std::int64_t j, Complex w, double* x) {
  const auto dot = PLUMB_DISPATCH(row_product);
  const std::int64_t n = s.n;
  std::fill_n(x, 2 * n, 0.0);
  x[j] = 1;
  for (std::int64_t i = j - 1; i >= 0; --i) {
    const double *t = s.row(s.t, i) + i + 1, *y = x + i + 1;
    const std::int64_t m = j - i;
    const Complex sum{dot(t, y, m) - dot(t + n, y + n, m), dot(t, y + n, m) + dot(t + n, y, m)};
    Complex by = w - s.at(i, i);
    if (modulus(by) < kRoundoff) by = kRoundoff;
    const Complex v = sum / by;
    x[i] = v.real(), x[n + i] = v.imag();
    if (modulus(v) > 0x1p300)
      for (std::int64_t k = 0; k < 2 * n; ++k) x[k] *= 0x1p-300;
  }
}

// v = Q x of length 1, its largest element real; of a real matrix and eigenvalue the real part of it, which is an
// eigenvector as good, where negligible divisors left it complex.
void eigenvector(Triangular& s, std::int64_t j, const double* x, bool keep_real, double* v) {
  const auto combine = PLUMB_DISPATCH(row_combine);
  const std::int64_t n = s.n;
  std::fill_n(v, 2 * n, 0.0);
  for (std::int64_t k = 0; k <= j; ++k) {
    const double* q[] = {s.row(s.q, k), s.row(s.q, k) + n};
    const double real[] = {x[k], -x[n + k]}, imaginary[] = {x[n + k], x[k]};
    combine(v, n, real, q, 2);
    combine(v + n, n, imaginary, q, 2);
  }
  double largest = 0, square = 0;
  Complex head = 1;
  for (std::int64_t i = 0; i < n; ++i)
    if (const double size = std::hypot(v[i], v[n + i]); size > largest) largest = size, head = {v[i], v[n + i]};
  for (std::int64_t i = 0; i < n; ++i) {
    const Complex z = Complex{v[i], v[n + i]} / largest * (std::conj(head) / largest);
    v[i] = z.real(), v[n + i] = keep_real ? 0 : z.imag();
    square += v[i] * v[i] + v[n + i] * v[n + i];
  }
  for (std::int64_t i = 0; i < 2 * n; ++i) v[i] /= std::sqrt(square);
}

// The input and where the results go; strides as they are.
struct Problem {
  const std::byte* a;
  float *w, *v;
  Dtype type;
  std::int64_t n;
  int parts;

  // Rows of the matrix at an offset, scaled by 2^-e: e, or nothing where it holds what is not finite.
  bool load(std::int64_t offset, std::int64_t row, std::int64_t column, double* t, int* e) const {
    double largest = 0;
    bool finite = true;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        for (int k = 0; k < parts; ++k) {
          const std::int64_t at = (offset + i * row + j * column) * parts + k;
          const double x = type == Dtype::f64 ? reinterpret_cast<const double*>(a)[at]
                                              : static_cast<double>(reinterpret_cast<const float*>(a)[at]);
          finite = finite && std::isfinite(x);
          largest = std::max(largest, std::abs(x));
          t[(i * parts + k) * n + j] = x;
        }
    *e = finite && largest > 0 ? std::ilogb(largest) : 0;
    for (std::int64_t i = 0; finite && i < n * n * parts; ++i) t[i] = std::scalbn(t[i], -*e);
    return finite;
  }

  void put(std::int64_t m, const Complex* values, int e) const {
    for (std::int64_t j = 0; j < n; ++j) {
      w[2 * (m * n + j)] = static_cast<float>(std::scalbn(values[j].real(), e));
      w[2 * (m * n + j) + 1] = static_cast<float>(std::scalbn(values[j].imag(), e));
    }
  }

  void put_vector(std::int64_t m, std::int64_t j, const double* x, bool real, bool conjugate) const {
    for (std::int64_t i = 0; i < n; ++i) {
      float* to = v + 2 * ((m * n + i) * n + j);
      to[0] = static_cast<float>(x[i]);
      to[1] = real ? 0.0F : static_cast<float>(conjugate ? -x[n + i] : x[n + i]);
    }
  }
};

void vectors(const Problem& p, std::int64_t m, const eigen::Schur& schur, const Complex* w) {
  const std::int64_t n = p.n;
  const bool real = p.parts == 1;
  Triangular s{complex_rows(schur.t, n, p.parts), complex_rows(schur.q, n, p.parts), n};
  for (std::int64_t k = 0; real && k < n; ++k)
    if (w[k].imag() > 0) split(s, k, w[k]);
  Room<double> x(static_cast<std::size_t>(4 * n));
  for (std::int64_t j = 0; j < n; ++j) {
    const bool pair = real && w[j].imag() != 0;
    back_substitute(s, j, w[j], x.data());
    eigenvector(s, j, x.data(), real && !pair, x.data() + 2 * n);
    p.put_vector(m, j, x.data() + 2 * n, real && !pair, false);
    if (pair) p.put_vector(m, ++j, x.data() + 2 * n, false, true);
  }
}

bool one_matrix(const Problem& p, std::int64_t m, std::int64_t offset, std::int64_t row, std::int64_t column,
                Room<double>& room) {
  const std::int64_t n = p.n, square = n * n * p.parts;
  double *t = room.data(), *q = t + square;
  std::vector<Complex> w(static_cast<std::size_t>(n));
  int e = 0;
  if (!p.load(offset, row, column, t, &e)) return false;
  const eigen::Schur s{t, p.v ? q : nullptr, n, p.parts, q + (p.v ? square : 0)};
  if (p.v) {
    std::fill_n(q, square, 0.0);
    for (std::int64_t i = 0; i < n; ++i) q[i * s.step() + i] = 1;
  }
  if (!eigen::reduce(s, w.data())) return false;
  p.put(m, w.data(), e);
  if (p.v) vectors(p, m, s, w.data());
  return true;
}

void schur(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const std::int64_t n = c.shape(0).back(), matrices = c[0].size() / (n * n);
  const int parts = c.dtype(0) == Dtype::c64 ? 2 : 1;
  const Problem p{c[0].read<std::byte>(),
                  out[0].write<float>(),
                  out.size() > 1 ? out[1].write<float>() : nullptr,
                  c.dtype(0),
                  n,
                  parts};
  const Strides& strides = c[0].strides();
  const std::size_t rank = strides.size();
  std::atomic<std::int64_t> bad{matrices};
  parallel_for(matrices, 1 + (1 << 12) / (n * n * n), [&](std::int64_t begin, std::int64_t end) {
    Room<double> room(static_cast<std::size_t>(n * n * parts * (p.v ? 2 : 1) + 4 * n));
    for (std::int64_t m = begin; m < end; ++m) {
      std::int64_t offset = 0;
      for (std::size_t d = rank - 2, rest = static_cast<std::size_t>(m); d-- > 0;) {
        const auto size = static_cast<std::size_t>(c.shape(0)[d]);
        offset += static_cast<std::int64_t>(rest % size) * strides[d];
        rest /= size;
      }
      if (one_matrix(p, m, offset, strides[rank - 2], strides[rank - 1], room)) continue;
      for (std::int64_t seen = bad; m < seen && !bad.compare_exchange_weak(seen, m);) {
      }
    }
  });
  if (bad < matrices)
    c.fail(Reason::domain, "matrix " + std::to_string(bad) + " holds a value that is not finite, or does not converge");
}

Order doubles(const Call&) {
  Order o;
  o.accumulator = Dtype::f64;
  return o;
}

Route route(std::string_view op) {
  Route r;
  r.op = op, r.name = "cpu.schur";
  r.order = doubles, r.prepare = host<schur>;
  return r;
}

}  // namespace

std::vector<Route> general_cpu_routes() { return {route("eig"), route("eigvals")}; }

}  // namespace plumb
