#include "reference/linalg/eigen/spectra.h"

#include <algorithm>
#include <cmath>

namespace plumb::reference {
namespace {

// A vector is a matrix of one row, so that a fill never fails: shapes are judged by the op.
struct Extents {
  std::int64_t batch, rows, columns;
};
Extents extents(const Shape& s) {
  const std::size_t r = s.size();
  const std::int64_t rows = r < 2 ? 1 : s[r - 2], columns = r < 1 ? 1 : s[r - 1];
  return {rows * columns == 0 ? 0 : count(s) / (rows * columns), rows, columns};
}

// Eigenvalue i of n of a kind.
double eigenvalue(std::int64_t i, std::int64_t n, int kind) {
  switch (kind) {
    case 0: return i < n / 2 ? 2 : 1;                                                        // two, repeated
    case 1: return i == 0 ? -1 : 1 + 0x1p-20 * static_cast<double>(i);                       // a cluster and one apart
    case 2: return std::scalbn(1.0, -static_cast<int>(std::min<std::int64_t>(2 * i, 600)));  // graded
    case 3: return i == 0 ? 3 : 0;                                                           // rank one
    default: return (i % 2 ? -1.0 : 1.0) * static_cast<double>(1 + i / 2);                   // pairs of both signs
  }
}

std::vector<Complex> unit_vector(std::int64_t n, std::uint64_t key, bool complex) {
  std::vector<Complex> v(static_cast<std::size_t>(n));
  double square = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    v[i] = {2 * unit(key, 2 * i) - 1, complex ? 2 * unit(key, 2 * i + 1) - 1 : 0};
    square += std::norm(v[i]);
  }
  for (Complex& x : v) x /= std::sqrt(square);
  return v;
}

// D, reflected from both sides by I - 2 v v^H, twice.
void similar(std::vector<Complex>& a, std::int64_t n, std::uint64_t key, bool complex) {
  const auto at = [&](std::int64_t i, std::int64_t j) -> Complex& { return a[static_cast<std::size_t>(i * n + j)]; };
  for (std::uint64_t turn = 0; turn < 2; ++turn) {
    const std::vector<Complex> v = unit_vector(n, draw(key, turn), complex);
    for (const bool rows : {true, false})
      for (std::int64_t i = 0; i < n; ++i) {
        Complex s = 0;
        for (std::int64_t k = 0; k < n; ++k)
          s += rows ? at(i, k) * v[static_cast<std::size_t>(k)] : std::conj(v[static_cast<std::size_t>(k)]) * at(k, i);
        for (std::int64_t k = 0; k < n; ++k)
          if (rows) at(i, k) -= 2.0 * s * std::conj(v[static_cast<std::size_t>(k)]);
          else at(k, i) -= 2.0 * s * v[static_cast<std::size_t>(k)];
      }
  }
}

// The matrices that f(square, n, key) makes, cut to the rows and columns there are.
template <class F>
Wide matrices(const Spec& spec, std::uint64_t key, const F& f) {
  const Extents e = extents(spec.shape);
  const std::int64_t n = std::max(e.rows, e.columns);
  Complexes z(spec.shape);
  for (std::int64_t m = 0; m < e.batch; ++m) {
    std::vector<Complex> a(static_cast<std::size_t>(n * n));
    f(a, n, draw(key, static_cast<std::uint64_t>(m)));
    for (std::int64_t i = 0; i < e.rows; ++i)
      for (std::int64_t j = 0; j < e.columns; ++j)
        z[(m * e.rows + i) * e.columns + j] = a[static_cast<std::size_t>(i * n + j)];
  }
  if (is_complex(spec.dtype)) return z;
  Reals x(spec.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x[i] = z[i].real();
  return x;
}

Wide spectrum(const Spec& spec, std::uint64_t key, double kind) {
  return matrices(spec, key, [&](std::vector<Complex>& a, std::int64_t n, std::uint64_t own) {
    for (std::int64_t i = 0; i < n; ++i)
      a[static_cast<std::size_t>(i * n + i)] = eigenvalue(i, n, static_cast<int>(kind));
    similar(a, n, own, is_complex(spec.dtype));
  });
}

// x^n - 1 for kind 0; (x - 1)(x - 2) .. (x - n) divided by growing powers else: ill-conditioned.
Wide companion(const Spec& spec, std::uint64_t key, double kind) {
  return matrices(spec, key, [&](std::vector<Complex>& a, std::int64_t n, std::uint64_t) {
    std::vector<double> p{1};  // coefficients, the constant one last
    for (std::int64_t r = 1; r <= n; ++r) {
      p.push_back(0);
      for (std::size_t k = p.size() - 1; k > 0; --k) p[k] -= p[k - 1] * static_cast<double>(r) / static_cast<double>(n);
    }
    for (std::int64_t j = 0; j < n; ++j)
      a[static_cast<std::size_t>(j)] = kind > 0 ? -p[static_cast<std::size_t>(j + 1)] : j == n - 1 ? 1.0 : 0.0;
    for (std::int64_t i = 1; i < n; ++i) a[static_cast<std::size_t>(i * n + i - 1)] = 1;
  });
}

// One eigenvalue, 1, and p above it: a single eigenvector.
Wide jordan(const Spec& spec, std::uint64_t key, double p) {
  return matrices(spec, key, [&](std::vector<Complex>& a, std::int64_t n, std::uint64_t) {
    for (std::int64_t i = 0; i < n; ++i) {
      a[static_cast<std::size_t>(i * n + i)] = 1;
      if (i + 1 < n) a[static_cast<std::size_t>(i * n + i + 1)] = p;
    }
  });
}

}  // namespace

std::vector<Fill> spectra() {
  return {
      {"hermitian",
       "Hermitian: eigenvalues 0 repeated, 1 a cluster, 2 graded, 3 of rank one, 4 of both signs",
       0,
       {0, 4},
       spectrum},
      {"companion", "of a polynomial: 0 of x^n - 1, 1 of roots 1/n to 1", 0, {0, 1}, companion},
      {"jordan", "eigenvalue 1 alone, p above the diagonal", 1, {-1e6, 1e6}, jordan},
  };
}

}  // namespace plumb::reference
