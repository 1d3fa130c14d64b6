#include "reference/linalg/solve/solve_fills.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace plumb::reference {
namespace {

struct Place {
  std::int64_t matrix, row, column, rows, columns, matrices;
  std::int64_t side() const { return std::max(rows, columns); }
};

// A value for each place; a vector is a matrix of one row, so that a fill never fails.
template <class F>
Wide by_place(const Spec& spec, F&& value) {
  Reals a(spec.shape);
  const std::size_t r = spec.shape.size();
  const std::int64_t rows = r < 2 ? 1 : spec.shape[r - 2], columns = r < 1 ? 1 : spec.shape[r - 1];
  const std::int64_t size = rows * columns;
  for (std::int64_t i = 0; i < a.size(); ++i)
    a[i] = value(Place{i / size, i % size / columns, i % columns, rows, columns, a.size() / size});
  return a;
}

double sign(std::uint64_t key, std::int64_t i) { return draw(key, static_cast<std::uint64_t>(i)) % 2 == 0 ? 1 : -1; }

// H D G with reflections H = I - 2 v v^T, G = I - 2 w w^T of vectors of signs / sqrt n: singular values d_i.
template <class Value>
Wide with_spectrum(const Spec& spec, std::uint64_t key, Value&& value) {
  std::vector<double> d;
  double mixed = 0;  // v^T D w, of the matrix that is being written
  return by_place(spec, [&](const Place& p) {
    const std::uint64_t k = draw(key, static_cast<std::uint64_t>(p.matrix));
    const auto n = static_cast<double>(p.side());
    const auto v = [&](std::int64_t i) { return sign(k, i); };
    const auto w = [&](std::int64_t j) { return sign(k + 1, j); };
    if (p.row == 0 && p.column == 0) {
      d.clear();
      mixed = 0;
      for (std::int64_t i = 0; i < p.side(); ++i) {
        d.push_back(value(i, p.side()));
        mixed += v(i) * d.back() * w(i);
      }
    }
    const double row = d[static_cast<std::size_t>(p.row)], column = d[static_cast<std::size_t>(p.column)];
    return (p.row == p.column ? row : 0) - 2 / n * (v(p.row) * v(p.column) * column + row * w(p.row) * w(p.column)) +
           4 / (n * n) * v(p.row) * mixed * w(p.column);
  });
}

Wide spectrum(const Spec& spec, std::uint64_t key, double condition) {
  return with_spectrum(spec, key, [&](std::int64_t i, std::int64_t n) {
    return n < 2 ? 1.0 : std::pow(condition, -static_cast<double>(i) / static_cast<double>(n - 1));
  });
}

Wide cluster(const Spec& spec, std::uint64_t key, double condition) {
  return with_spectrum(spec, key, [&](std::int64_t i, std::int64_t n) { return i + 1 < n ? 1 : 1 / condition; });
}

// Row i has one element, at column i - shift modulo n: the permutation is a single cycle where n and shift agree on
// no divisor. Powers of two, so that nothing is rounded.
Wide cycle(const Spec& spec, std::uint64_t, double shift) {
  const auto s = static_cast<std::int64_t>(shift);
  return by_place(spec, [&](const Place& p) {
    const std::int64_t n = p.side();
    return p.column == (p.row + n - s % n) % n ? std::ldexp(1.0, static_cast<int>(p.row % 3)) : 0.0;
  });
}

Wide hilbert(const Spec& spec, std::uint64_t, double) {
  return by_place(spec, [](const Place& p) { return 1 / static_cast<double>(p.row + p.column + 1); });
}

double entry(std::uint64_t key, const Place& p) {
  return 2 * unit(key, static_cast<std::uint64_t>((p.matrix * p.rows + p.row) * p.columns + p.column)) - 1;
}

double dominant(double x, const Place& p) {
  return p.row == p.column ? std::copysign(1 + std::abs(x), x) : x / static_cast<double>(p.side());
}

// Diagonally dominant, with one of `period` elements NaN, an infinity or its negative by turns.
Wide nonfinite(const Spec& spec, std::uint64_t key, double period) {
  constexpr double kInf = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();
  const auto every = static_cast<std::int64_t>(period);
  return by_place(spec, [&](const Place& p) {
    const std::int64_t i = (p.matrix * p.rows + p.row) * p.columns + p.column;
    if (i % every != every / 2) return dominant(entry(key, p), p);
    return i / every % 3 == 0 ? kNaN : i / every % 3 == 1 ? kInf : -kInf;
  });
}

// Diagonally dominant, times 2^p; whole numbers without a sign are none below 0.
Wide scaled(const Spec& spec, std::uint64_t key, double exponent) {
  const bool sign = info(spec.dtype).kind != Kind::unsigned_integer && info(spec.dtype).kind != Kind::boolean;
  return by_place(spec, [&](const Place& p) {
    const double x = sign ? entry(key, p) : std::abs(entry(key, p));
    return std::ldexp(dominant(x, p), static_cast<int>(exponent));
  });
}

// Diagonal elements of magnitude 1 to 2, others up to p / n; what lies beyond the triangle is NaN.
double triangular(std::uint64_t key, const Place& p, double scale, bool upper) {
  if (upper ? p.row > p.column : p.row < p.column) return std::numeric_limits<double>::quiet_NaN();
  const double x = entry(key, p);
  return p.row == p.column ? std::copysign(1 + std::abs(x), x) : scale * x / static_cast<double>(p.side());
}

Wide lower(const Spec& spec, std::uint64_t key, double scale) {
  return by_place(spec, [&](const Place& p) { return triangular(key, p, scale, false); });
}
Wide upper(const Spec& spec, std::uint64_t key, double scale) {
  return by_place(spec, [&](const Place& p) { return triangular(key, p, scale, true); });
}

// The last matrix has zeros in column p, -1: in the last column.
Wide zero_column(const Spec& spec, std::uint64_t key, double column) {
  return by_place(spec, [&](const Place& p) {
    const std::int64_t zero = column < 0 ? p.columns - 1 : std::min(static_cast<std::int64_t>(column), p.columns - 1);
    return p.matrix + 1 == p.matrices && p.column == zero ? 0 : entry(key, p);
  });
}

}  // namespace

std::vector<Fill> solve_fills() {
  constexpr double kLimit = 0x1p31, kExponent = 1000;
  return {
      // clang-format off
      {"spectrum",    "singular values from 1 down to 1/p, in geometric steps", 100, {1, 1e18}, spectrum},
      {"cluster",     "singular values 1, and one of 1/p", 100, {1, 1e18}, cluster},
      {"cycle",       "a permutation: rows moved by p, times 1, 2 or 4", 1, {0, kLimit}, cycle},
      {"hilbert",     "1 / (i + j + 1)", 0, {0, 0}, hilbert},
      {"nonfinite",   "diagonally dominant; one in p is NaN, inf or -inf by turns", 7, {1, kLimit}, nonfinite},
      {"scaled",      "diagonally dominant, times 2^p", 0, {-kExponent, kExponent}, scaled},
      {"lower",       "lower triangle, elements off its diagonal up to p/n, NaN above", 1, {0, kLimit}, lower},
      {"upper",       "upper triangle, elements off its diagonal up to p/n, NaN below", 1, {0, kLimit}, upper},
      {"zero_column", "uniform, but the last matrix has zeros in column p", -1, {-1, kLimit}, zero_column},
      // clang-format on
  };
}

}  // namespace plumb::reference
