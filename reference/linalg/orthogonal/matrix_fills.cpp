#include "reference/linalg/orthogonal/matrix_fills.h"

#include <algorithm>
#include <cmath>

namespace plumb::reference {
namespace {

// One matrix as it is made: m x n, zero at first.
struct Matrix {
  std::int64_t m, n;
  std::uint64_t key;
  double parameter;
  double* a;
  double& operator()(std::int64_t i, std::int64_t j) const { return a[i * n + j]; }
  double at(std::int64_t i) const { return 2 * unit(key, static_cast<std::uint64_t>(i)) - 1; }  // in [-1, 1)
};

// A vector is a matrix of one row, so that a fill never fails: shapes are judged by the op.
template <void (*Make)(const Matrix&)>
Reals each(const Shape& shape, std::uint64_t key, double parameter) {
  Reals a(shape);
  const std::size_t r = shape.size();
  const std::int64_t m = r < 2 ? 1 : shape[r - 2], n = r < 1 ? 1 : shape[r - 1];
  for (std::int64_t i = 0; a.size() > 0 && i < a.size() / (m * n); ++i)
    Make({m, n, draw(key, static_cast<std::uint64_t>(i)), parameter, a.data.data() + i * m * n});
  return a;
}

template <void (*Make)(const Matrix&)>
Wide fill_with(const Spec& spec, std::uint64_t key, double parameter) {
  const Reals re = each<Make>(spec.shape, key, parameter);
  if (!is_complex(spec.dtype)) return re;
  const Reals im = each<Make>(spec.shape, draw(key, 1), parameter);
  Complexes z(spec.shape);
  for (std::int64_t i = 0; i < z.size(); ++i) z[i] = {re[i], im[i]};
  return z;
}

// x <- (I - 2 v v^T / v^T v) x for each column, or row, of a; v drawn.
void reflect(const Matrix& a, bool rows, std::int64_t from) {
  const std::int64_t length = rows ? a.n : a.m, lines = rows ? a.m : a.n;
  const auto x = [&](std::int64_t l, std::int64_t i) -> double& { return rows ? a(l, i) : a(i, l); };
  double squares = 0;
  for (std::int64_t i = 0; i < length; ++i) squares += a.at(from + i) * a.at(from + i);
  for (std::int64_t l = 0; l < lines; ++l) {
    double s = 0;
    for (std::int64_t i = 0; i < length; ++i) s += a.at(from + i) * x(l, i);
    for (std::int64_t i = 0; i < length; ++i) x(l, i) -= 2 * s / squares * a.at(from + i);
  }
}

// The diagonal hidden by two reflections from either side.
void hide(const Matrix& a) {
  reflect(a, false, 0);
  reflect(a, false, a.m);
  reflect(a, true, 2 * a.m);
  reflect(a, true, 2 * a.m + a.n);
}

void singular(const Matrix& a) {
  const std::int64_t k = std::min(a.m, a.n);
  for (std::int64_t i = 0; i < k; ++i)
    a(i, i) = std::pow(a.parameter, -static_cast<double>(i) / static_cast<double>(std::max<std::int64_t>(1, k - 1)));
  hide(a);
}

void twins(const Matrix& a) {
  const std::int64_t k = std::min(a.m, a.n);
  for (std::int64_t i = 0; i < k; ++i) a(i, i) = 2 * i < k ? 1 : 1 / a.parameter;
  hide(a);
}

// Products of whole numbers: the rank is exact.
void deficient(const Matrix& a) {
  const auto r = static_cast<std::int64_t>(a.parameter);
  const auto whole = [&](std::int64_t i) { return std::nearbyint(3 * a.at(i)); };
  for (std::int64_t i = 0; i < a.m; ++i)
    for (std::int64_t j = 0; j < a.n; ++j)
      for (std::int64_t k = 0; k < r; ++k) a(i, j) += whole(i * r + k) * whole((a.m + j) * r + k);
}

void graded(const Matrix& a) {
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, a.n - 1));
  for (std::int64_t i = 0; i < a.m * a.n; ++i) {
    const double place = 2 * static_cast<double>(i % a.n) / steps - 1;  // from -1 to 1
    a.a[i] = std::ldexp(a.at(i), static_cast<int>(place * a.parameter));
  }
}

void magnified(const Matrix& a) {
  for (std::int64_t i = 0; i < a.m * a.n; ++i) a.a[i] = std::ldexp(a.at(i), static_cast<int>(a.parameter));
}

void trapezoid(const Matrix& a) {
  for (std::int64_t i = 0; i < a.m; ++i)
    for (std::int64_t j = i; j < a.n; ++j) a(i, j) = a.at(i * a.n + j);
}

}  // namespace

std::vector<Fill> orthogonal_fills() {
  return {
      // clang-format off
      {"singular",  "m x n, singular values from 1 down to 1/p in equal ratios", 100, {1, 1e18}, fill_with<singular>},
      {"twins",     "m x n, half of the singular values 1, the others 1/p", 1000, {1, 1e18}, fill_with<twins>},
      {"deficient", "m x n whole numbers of rank p at most", 1, {0, 64}, fill_with<deficient>},
      {"graded",    "uniform, columns times powers of 2 from -p to p", 20, {0, 1074}, fill_with<graded>},
      {"magnified", "uniform, times 2^p", 0, {-1074, 1023}, fill_with<magnified>},
      {"trapezoid", "uniform on and above the diagonal, else 0", 0, {0, 0}, fill_with<trapezoid>},
      // clang-format on
  };
}

}  // namespace plumb::reference
