// LU factorisation on the processor: packed first, then taken apart.
#include <algorithm>
#include <numeric>

#include "core/pool.h"
#include "core/room.h"
#include "optimized/linalg/solve/batch.h"

namespace plumb {
namespace {

using namespace solve;

template <class T>
using Factor = void (*)(const Factoring<T>&);

template <class T>
Factoring<T> factoring(const Call& c, const Tensor& dense) {
  return {dense.read<T>(), columns(c) == 0 || rows(c) == 0 ? 0 : matrices(c), rows(c), columns(c)};
}

// L and U of one packed matrix.
template <class T>
void take_apart(const T* lu, std::int64_t m, std::int64_t n, T* l, T* u) {
  const std::int64_t k = std::min(m, n);
  for (std::int64_t i = 0; i < m; ++i, lu += n) {
    const std::int64_t below = std::min(i, k);
    std::copy_n(lu, below, l + i * k);
    std::fill_n(l + i * k + below, k - below, T(0));
    if (i >= k) continue;
    l[i * k + i] = T(1);
    std::fill_n(u + i * n, i, T(0));
    std::copy(lu + i, lu + n, u + i * n + i);
  }
}

// The exchanges backwards take rows of L to those of A.
void rows_back(const std::int32_t* pivots, std::int64_t k, std::int64_t m, std::uint32_t* p) {
  std::iota(p, p + m, 0U);
  for (std::int64_t j = k; j-- > 0;) std::swap(p[j], p[pivots[j]]);
}

template <class T, Factor<T> F>
void lu_of(const Call& c, std::vector<Tensor>& out) {
  const Tensor dense = contiguous(c[0]);
  Factoring<T> f = factoring<T>(c, dense);
  std::uint32_t* p = out[0].write<std::uint32_t>();
  T *l = out[1].write<T>(), *u = out[2].write<T>();
  const std::int64_t m = f.m, n = f.n, k = f.steps();
  if (k == 0) {  // nothing to eliminate, but rows keep their places
    for (std::int64_t i = 0; i < out[0].size(); ++i) p[i] = static_cast<std::uint32_t>(i % m);
    return;
  }
  const RawRoom<T, 64> packed(f.matrices * m * n);
  const RawRoom<std::int32_t> pivots(f.matrices * k);
  f.lu = packed.get();
  f.pivots = pivots.get();
  F(f);
  parallel_for(f.matrices, 1 + (1 << 14) / (m * n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      take_apart(packed.get() + t * m * n, m, n, l + t * m * k, u + t * k * n);
      rows_back(pivots.get() + t * k, k, m, p + t * m);
    }
  });
}

template <class T, Factor<T> F>
void packed_of(const Call& c, std::vector<Tensor>& out) {
  const Tensor dense = contiguous(c[0]);
  Factoring<T> f = factoring<T>(c, dense);
  f.lu = out[0].write<T>();
  f.pivots = reinterpret_cast<std::int32_t*>(out[1].write<std::uint32_t>());
  if (f.matrices > 0) F(f);
}

void lu_interleaved(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? lu_of<float, factor_interleaved>(c, out) : lu_of<double, factor_interleaved>(c, out);
}
void lu_blocked(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? lu_of<float, factor_blocked>(c, out) : lu_of<double, factor_blocked>(c, out);
}
void packed_interleaved(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? packed_of<float, factor_interleaved>(c, out)
                           : packed_of<double, factor_interleaved>(c, out);
}
void packed_blocked(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? packed_of<float, factor_blocked>(c, out) : packed_of<double, factor_blocked>(c, out);
}

bool small(const Call& c, const Device&) { return std::max(rows(c), columns(c)) <= kSmall; }

}  // namespace

std::vector<Route> lu_cpu_routes() {
  std::vector<Route> all = both_routes("lu", small, host<lu_interleaved>, host<lu_blocked>);
  for (Route& r : both_routes("lu_factor", small, host<packed_interleaved>, host<packed_blocked>))
    all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
