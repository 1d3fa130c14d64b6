// Singular values, their vectors and the pseudo-inverse on the processor: rotations of rows, see rotations.h.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/cpu.h"
#include "core/route.h"
#include "optimized/linalg/gemm.h"
#include "optimized/linalg/orthogonal/rotations.h"

namespace plumb {
namespace {

constexpr std::int64_t kSmall = 16;  // largest extent of the interleaved routes

// Element (i, j) of a matrix of rows whose real parts stand before their imaginary ones, as it lies in an output.
template <class T>
void put_rows(const T* x, std::int64_t n, std::int64_t parts, T* out) {
  if (parts == 1) return void(std::copy_n(x, n * n, out));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t p = 0; p < 2; ++p) out[2 * (i * n + j) + p] = x[(2 * i + p) * n + j];
}

// The conjugate transpose.
template <class T>
void put_columns(const T* x, std::int64_t n, std::int64_t parts, T* out) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t i0 = 0; i0 < n; i0 += kTile)
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t i = i0; i < std::min(i0 + kTile, n); ++i)
        for (std::int64_t p = 0; p < parts; ++p)
          out[(j * n + i) * parts + p] = p == 1 ? -x[(i * parts + p) * n + j] : x[(i * parts + p) * n + j];
}

template <class T>
void put_values(const Rows<T>& x, T* s) {
  for (std::int64_t i = 0; i < x.k; ++i) s[i] = x.norm(i) / x.factor;
}

template <class T>
void identity(T* out, std::int64_t matrices, std::int64_t n, std::int64_t parts) {
  std::fill_n(out, matrices * n * n * parts, T(0));
  for (std::int64_t m = 0; m < matrices; ++m)
    for (std::int64_t i = 0; i < n; ++i) out[(m * n * n + i * n + i) * parts] = 1;
}

// A = J^H S V, or V^H S J where J works on A^H.
template <class T>
void vectors(const Call& c, std::vector<Tensor>& out, bool lanes) {
  const Source from = source(c[0]);
  const std::int64_t parts = is_complex(c.dtype(0)) ? 2 : 1;
  T *u = out[0].write<T>(), *s = out[1].write<T>(), *vt = out[2].write<T>();
  if (from.m == 0 || from.n == 0) {
    identity(u, from.matrices, from.m, parts);
    return identity(vt, from.matrices, from.n, parts);
  }
  each_rows(c, true, lanes, UseRows<T>([&](std::int64_t m, Rows<T>& x) {
              RawRoom<T> v(x.l * x.l * parts), j(x.k * x.k * parts);
              unit_rows(x, v.get());
              for (std::int64_t i = 0; i < x.k; ++i) std::copy_n(x.turned(i), x.k * parts, j.get() + i * x.k * parts);
              put_columns(x.tall ? v.get() : j.get(), from.m, parts, u + m * from.m * from.m * parts);
              put_rows(x.tall ? j.get() : v.get(), from.n, parts, vt + m * from.n * from.n * parts);
              put_values(x, s + m * x.k);
            }));
}

template <class T>
void values(const Call& c, std::vector<Tensor>& out, bool lanes) {
  T* s = out[0].write<T>();
  each_rows(c, false, lanes, UseRows<T>([&](std::int64_t m, Rows<T>& x) { put_values(x, s + m * x.k); }));
}

// A^+ = sum over s_i > cut-off of w_i j_i^T / s_i^2, transposed where A^T took the place of A.
template <class T>
void inverse(const Call& c, std::vector<Tensor>& out, bool lanes) {
  const Source from = source(c[0]);
  const Dtype d = c.dtype(0);
  T* p = out[0].write<T>();
  const T cutoff = 10 * static_cast<T>(std::max(from.m, from.n)) * std::numeric_limits<T>::epsilon();
  each_rows(c, true, lanes, UseRows<T>([&](std::int64_t m, Rows<T>& x) {
              std::int64_t rank = 0;
              while (rank < x.count() && x.norm(rank) > cutoff * x.norm(0)) ++rank;
              RawRoom<T> w(rank * x.l), j(rank * x.k);
              for (std::int64_t i = 0; i < rank; ++i) {
                const T s = x.norm(i);
                for (std::int64_t e = 0; e < x.l; ++e) w[i * x.l + e] = x.row(i)[e] / s;
                for (std::int64_t e = 0; e < x.k; ++e) j[i * x.k + e] = x.turned(i)[e] / s;
              }
              const GemmOperand by_w{(x.tall ? j : w).get(), d, 1, x.tall ? x.k : x.l};
              const GemmOperand by_j{(x.tall ? w : j).get(), d, x.tall ? x.l : x.k, 1};
              T* own = p + m * from.m * from.n;
              if (rank == 0) return void(std::fill_n(own, from.m * from.n, T(0)));
              gemm(from.n, from.m, rank, by_w, by_j, own, from.m);
              for (std::int64_t e = 0; e < from.m * from.n; ++e) own[e] *= x.factor;
            }));
}

template <bool Lanes>
void run_vectors(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f64 ? vectors<double>(c, out, Lanes) : vectors<float>(c, out, Lanes);
}
template <bool Lanes>
void run_values(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f64 ? values<double>(c, out, Lanes) : values<float>(c, out, Lanes);
}
template <bool Lanes>
void run_inverse(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f64 ? inverse<double>(c, out, Lanes) : inverse<float>(c, out, Lanes);
}

Order own_type(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = isa() != Isa::base;
  return o;
}

using Run = Job (*)(const Call&, const std::vector<Spec>&);

bool small(const Call& c, const Device&) { return std::max(c.size('M'), c.size('N')) <= kSmall; }
bool real(const Call& c, const Device&) { return !is_complex(c.dtype(0)); }

void add_routes(std::vector<Route>& all, std::string_view op, bool of_complex, Run interleaved, Run rows) {
  std::vector<Condition> supports{{Stage::shape_dtype, "an extent is above 16", small}};
  if (of_complex) supports.push_back({Stage::shape_dtype, "complex numbers", real});
  all.push_back({
      .op = op,
      .name = "cpu.interleaved",
      .supports = supports,
      .prefers = {{Stage::shape_dtype, "under 4 matrices",
                   [](const Call& c, const Device&) { return source(c[0]).matrices >= 4; }}},
      .order = own_type,
      .prepare = interleaved,
  });
  all.push_back({.op = op, .name = "cpu.rows", .supports = {}, .prefers = {}, .order = own_type, .prepare = rows});
}

}  // namespace

std::vector<Route> svd_cpu_routes() {
  std::vector<Route> all;
  add_routes(all, "svd", true, host<run_vectors<true>>, host<run_vectors<false>>);
  add_routes(all, "svdvals", true, host<run_values<true>>, host<run_values<false>>);
  add_routes(all, "pinv", false, host<run_inverse<true>>, host<run_inverse<false>>);
  return all;
}

}  // namespace plumb
