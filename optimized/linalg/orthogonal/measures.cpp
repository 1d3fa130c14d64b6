// How well Q R is A, Q is orthogonal and R is triangular.
#include <cmath>

#include "core/room.h"
#include "optimized/linalg/gemm.h"
#include "optimized/linalg/orthogonal/panels.h"
#include "optimized/linalg/orthogonal/source.h"

namespace plumb {
namespace {

double norm(const RawRoom<double>& x, std::int64_t n) {
  double square = 0;
  for (std::int64_t i = 0; i < n; ++i) square += x[i] * x[i];
  return std::sqrt(square);
}

QrMeasures measured(const float* a, const Source& s, const float* q, const float* r, std::int64_t columns) {
  const std::int64_t m = s.m, n = s.n;
  const RawRoom<double> wide_q(m * columns), wide_r(columns * n), gram(columns * columns), rest(m * n);
  std::copy_n(q, m * columns, wide_q.get());
  QrMeasures out;
  for (std::int64_t i = 0; i < columns; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      const double x = wide_r[i * n + j] = static_cast<double>(r[i * n + j]);
      if (j < i) out.triangularity += x * x;
    }
  out.triangularity = std::sqrt(out.triangularity);
  const GemmOperand left{wide_q.get(), Dtype::f64, columns, 1}, turned{wide_q.get(), Dtype::f64, 1, columns};
  gemm(columns, columns, m, turned, left, gram.get(), columns);
  for (std::int64_t i = 0; i < columns; ++i) gram[i * columns + i] -= 1;
  out.orthogonality = columns == 0 ? 0 : norm(gram, columns * columns) / static_cast<double>(columns);
  gemm(m, n, columns, left, {wide_r.get(), Dtype::f64, n, 1}, rest.get(), n);
  double whole = 0;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      const double x = static_cast<double>(a[i * s.row + j * s.column]);
      whole += x * x, rest[i * n + j] -= x;
    }
  out.reconstruction = norm(rest, m * n) / (whole == 0 ? 1 : std::sqrt(whole));
  return out;
}

}  // namespace

std::vector<QrMeasures> measure_qr(const Tensor& a, const Tensor& q, const Tensor& r) {
  const Source s = source(a);
  const std::int64_t columns = q.dim(-1);
  std::vector<QrMeasures> all(static_cast<std::size_t>(s.matrices));
  if (s.m == 0 || s.n == 0) return all;
  for (std::int64_t i = 0; i < s.matrices; ++i)
    all[static_cast<std::size_t>(i)] = measured(a.read<float>() + s.base(i), s, q.read<float>() + i * s.m * columns,
                                                r.read<float>() + i * columns * s.n, columns);
  return all;
}

}  // namespace plumb
