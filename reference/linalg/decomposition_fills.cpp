#include "reference/linalg/decomposition_fills.h"

#include <algorithm>
#include <limits>

namespace plumb::reference {
namespace {

constexpr std::int64_t kRank = 8;  // of the Gram matrix: more would cost more and test no better

struct Extents {
  std::int64_t batch, rows, columns;
};

// A vector is a matrix of one row, so that a fill never fails: shapes are judged by the op.
Extents extents(const Shape& s) {
  const std::size_t r = s.size();
  const Shape last{r < 2 ? 1 : s[r - 2], r < 1 ? 1 : s[r - 1]};
  const std::int64_t batch = count(Shape(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(r < 2 ? 0 : r - 2)));
  return {batch, last[0], last[1]};
}

// A = G G^T / r + d I with G n x r in [-1, 1): the largest eigenvalue is near trace / r, the others are d.
void gram(const Extents& e, std::uint64_t key, double condition, double* a) {
  const std::int64_t n = std::max(e.rows, e.columns);
  std::vector<double> g(static_cast<std::size_t>(n * kRank));
  double trace = 0;
  for (std::size_t i = 0; i < g.size(); ++i) {
    g[i] = 2 * unit(key, i) - 1;
    trace += g[i] * g[i] / kRank;
  }
  const double shift = std::max(trace, 1.0) / condition;
  for (std::int64_t i = 0; i < e.rows; ++i) {
    for (std::int64_t j = 0; j < e.columns; ++j) {
      double s = 0;
      for (std::int64_t k = 0; k < kRank; ++k) {
        s += g[static_cast<std::size_t>(i * kRank + k)] * g[static_cast<std::size_t>(j * kRank + k)] / kRank;
      }
      a[i * e.columns + j] = i == j ? s + shift : s;
    }
  }
}

// Symmetric positive definite, condition about `condition`; what is exact is exact in binary64.
Wide spd(const Spec& spec, std::uint64_t key, double condition) {
  Reals a(spec.shape);
  const Extents e = extents(spec.shape);
  for (std::int64_t m = 0; m < e.batch && a.size() > 0; ++m) {
    gram(e, draw(key, static_cast<std::uint64_t>(m)), condition, a.data.data() + m * e.rows * e.columns);
  }
  return a;
}

// Keeps one triangle with the diagonal: below (side = 1) or above (side = -1).
Wide triangle(const Spec& spec, std::uint64_t key, double condition, int side) {
  Reals a = std::get<Reals>(spd(spec, key, condition));
  const Extents e = extents(spec.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const std::int64_t row = i / e.columns % e.rows, column = i % e.columns;
    if (side * (row - column) < 0) a[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return a;
}

Wide spd_lower(const Spec& spec, std::uint64_t key, double condition) { return triangle(spec, key, condition, 1); }
Wide spd_upper(const Spec& spec, std::uint64_t key, double condition) { return triangle(spec, key, condition, -1); }

// L L^T of a lower triangular L of integers up to `largest`: a factorisation without one rounding.
Wide spd_integer(const Spec& spec, std::uint64_t key, double largest) {
  Reals a(spec.shape);
  const Extents e = extents(spec.shape);
  const auto p = static_cast<std::uint64_t>(largest);
  for (std::int64_t m = 0; m < e.batch && a.size() > 0; ++m) {
    const std::uint64_t matrix = draw(key, static_cast<std::uint64_t>(m));
    const auto l = [&](std::int64_t i, std::int64_t j) {
      const std::uint64_t d = draw(matrix, static_cast<std::uint64_t>(i * e.columns + j));
      return i == j ? static_cast<double>(1 + d % p) : static_cast<double>(d % (2 * p + 1)) - static_cast<double>(p);
    };
    const std::int64_t n = std::max(e.rows, e.columns);
    std::vector<double> rows(static_cast<std::size_t>(n * n), 0.0);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j <= i; ++j) rows[static_cast<std::size_t>(i * n + j)] = l(i, j);
    }
    for (std::int64_t i = 0; i < e.rows; ++i) {
      for (std::int64_t j = 0; j < e.columns; ++j) {
        double s = 0;
        for (std::int64_t k = 0; k <= std::min(i, j); ++k) {
          s += rows[static_cast<std::size_t>(i * n + k)] * rows[static_cast<std::size_t>(j * n + k)];
        }
        a[(m * e.rows + i) * e.columns + j] = s;
      }
    }
  }
  return a;
}

// spd, but in the last matrix the diagonal element `pivot` (-1: the last) is negative.
Wide indefinite(const Spec& spec, std::uint64_t key, double pivot) {
  Reals a = std::get<Reals>(spd(spec, key, 100));
  const Extents e = extents(spec.shape);
  const std::int64_t n = std::min(e.rows, e.columns);
  const std::int64_t k = pivot < 0 ? n - 1 : std::min(static_cast<std::int64_t>(pivot), n - 1);
  if (a.size() > 0) a[((e.batch - 1) * e.rows + k) * e.columns + k] = -1;
  return a;
}

}  // namespace

std::vector<Fill> decomposition_fills() {
  constexpr double kRows = 0x1p31;  // the end of counts
  return {
      // clang-format off
      {"spd",              "symmetric positive definite, condition about p", 100, {1, 1e18}, spd},
      {"spd_lower",        "the same, NaN above the diagonal", 100, {1, 1e18}, spd_lower},
      {"spd_upper",        "the same, NaN below the diagonal", 100, {1, 1e18}, spd_upper},
      {"spd_integer",      "L L^T, L of integers up to p: an exact factor", 3, {1, 0x1p20}, spd_integer},
      {"indefinite",       "spd, the last matrix with -1 at diagonal element p", -1, {-1, kRows}, indefinite},
      // clang-format on
  };
}

}  // namespace plumb::reference
