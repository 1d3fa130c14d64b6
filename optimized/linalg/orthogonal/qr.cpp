// QR factorisation on the processor: by panels with compact products of reflectors for one matrix, one matrix per
// vector lane for many small ones.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/linalg/gemm.h"
#include "optimized/linalg/orthogonal/panels.h"
#include "optimized/linalg/orthogonal/source.h"

namespace plumb {

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_QR(T, suffix)                                                                                           \
  PLUMB_DECLARE_SIMD(std::int64_t qr_width_##suffix())                                                                \
  PLUMB_DECLARE_SIMD(                                                                                                 \
      void qr_group_##suffix(const T* a, std::int64_t count, std::int64_t m, std::int64_t n, T* room, T* q, T* r))    \
  PLUMB_DECLARE_SIMD(void qr_panel_##suffix(T* panel, std::int64_t ld, std::int64_t m, std::int64_t width, T* column, \
                                            T* reflectors, std::int64_t n, T* tau))
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_QR(float, f32)
PLUMB_QR(double, f64)
#undef PLUMB_QR

namespace {

template <class T>
struct Kernels;
#define PLUMB_QR(T, suffix)                                                       \
  template <>                                                                     \
  struct Kernels<T> {                                                             \
    std::int64_t width = PLUMB_DISPATCH(qr_width_##suffix)();                     \
    decltype(&base::qr_group_##suffix) group = PLUMB_DISPATCH(qr_group_##suffix); \
    decltype(&base::qr_panel_##suffix) panel = PLUMB_DISPATCH(qr_panel_##suffix); \
    static constexpr Dtype dtype = Dtype::suffix;                                 \
  };
PLUMB_QR(float, f32)
PLUMB_QR(double, f64)
#undef PLUMB_QR

constexpr Limit kPanel{"qr.panel", 32, 3};          // columns that are reflected one by one
constexpr Limit kParallel{"qr.parallel", 256, 12};  // rows from which one matrix is worth several threads
constexpr std::int64_t kSmall = 32;                 // largest extent of the interleaved route

std::int64_t padded(std::int64_t n, std::int64_t width) { return (n + width - 1) / width * width; }

// ---- One matrix, by panels ----

// What one matrix is worked on with. v: reflectors, m x size, 1 on the diagonal; t: for each panel the upper triangle T
// with H_0 .. H_(b-1) = I - V T V^T.
template <class T>
struct Workspace {
  std::int64_t m, n, size, b, ld;
  RawRoom<T> w, v, t, panel, column, products, turned;
  std::vector<T> tau;
  std::vector<int> exponents;

  Workspace(std::int64_t rows, std::int64_t columns)
      : m(rows),
        n(columns),
        size(std::min(rows, columns)),
        b(kPanel.of(size)),
        ld(padded(b, Kernels<T>().width)),
        w(m * n),
        v(m * size),
        t(padded(size, b) * b),
        panel(m * ld),
        column(padded(m, Kernels<T>().width)),
        products(b * std::max(n, size)),
        turned(b * std::max({n, size, b})),
        tau(static_cast<std::size_t>(b)) {}

  GemmOperand reflectors(std::int64_t k) const { return {v.get() + k * size + k, Kernels<T>::dtype, size, 1}; }
  GemmOperand transposed(std::int64_t k) const { return {v.get() + k * size + k, Kernels<T>::dtype, 1, size}; }
  T* triangle(std::int64_t k) const { return t.get() + k * b; }
};

// T of the panel at k: t_jj = tau_j, t_(0..j) = -tau_j T V^T v_j. It is kept negated, since products are added.
template <class T>
void join_reflectors(const Workspace<T>& s, std::int64_t k, std::int64_t width) {
  T* g = s.products.get();
  T* t = s.triangle(k);
  gemm(width, width, s.m - k, s.transposed(k), s.reflectors(k), g, width);
  for (std::int64_t j = 0; j < width; ++j) {
    const T tau = s.tau[static_cast<std::size_t>(j)];
    for (std::int64_t i = 0; i < width; ++i) {
      T sum = 0;
      for (std::int64_t l = i; l < j; ++l) sum += t[i * s.b + l] * g[l * width + j];
      t[i * s.b + j] = i < j ? -tau * sum : i == j ? -tau : T(0);
    }
  }
}

// c -= V T V^T c, or with T^T: columns of the rows from k on, ldc apart.
template <class T>
void apply(const Workspace<T>& s, std::int64_t k, std::int64_t width, T* c, std::int64_t columns, std::int64_t ldc,
           bool transposed) {
  if (columns == 0) return;
  const Dtype d = Kernels<T>::dtype;
  const GemmOperand t{s.triangle(k), d, transposed ? 1 : s.b, transposed ? s.b : 1};
  gemm(width, columns, s.m - k, s.transposed(k), {c, d, ldc, 1}, s.products.get(), columns);
  gemm(width, columns, width, t, {s.products.get(), d, columns, 1}, s.turned.get(), columns);
  gemm(s.m - k, columns, width, s.reflectors(k), {s.turned.get(), d, columns, 1}, c, ldc, true);
}

template <class T>
void factor_panel(Workspace<T>& s, std::int64_t k, std::int64_t width) {
  const Kernels<T> kernels;
  const std::int64_t rows = s.m - k, ld = padded(width, kernels.width);
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* from = s.w.get() + (k + i) * s.n + k;
    T* to = s.panel.get() + i * ld;
    std::copy_n(from, width, to);
    std::fill(to + width, to + ld, T(0));
  }
  kernels.panel(s.panel.get(), ld, rows, width, s.column.get(), s.v.get() + k * s.size + k, s.size, s.tau.data());
  for (std::int64_t i = 0; i < std::min(width, rows); ++i)
    std::copy_n(s.panel.get() + i * ld, width, s.w.get() + (k + i) * s.n + k);
}

// The matrix with columns of about 1; false if an element is not finite.
template <class T>
bool load_scaled(Workspace<T>& s, const T* a, std::int64_t row, std::int64_t column) {
  std::vector<T> most(static_cast<std::size_t>(s.n), T(0));
  T undefined = 0;
  for (std::int64_t i = 0; i < s.m; ++i) {
    for (std::int64_t j = 0; j < s.n; ++j) {
      const T x = a[i * row + j * column];
      undefined += x - x;
      most[static_cast<std::size_t>(j)] = std::max(most[static_cast<std::size_t>(j)], std::abs(x));
      s.w[i * s.n + j] = x;
    }
  }
  if (undefined != 0) return false;
  s.exponents = exponents_of(most);
  const std::vector<T> down = powers_of<T>(s.exponents, -1);
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) s.w[i * s.n + j] *= down[static_cast<std::size_t>(j)];
  return true;
}

template <class T>
void store_triangle(const Workspace<T>& s, T* r) {
  const std::vector<T> up = powers_of<T>(s.exponents, 1);
  for (std::int64_t i = 0; i < s.size; ++i) {
    std::fill(r + i * s.n, r + i * s.n + i, T(0));
    for (std::int64_t j = i; j < s.n; ++j) r[i * s.n + j] = s.w[i * s.n + j] * up[static_cast<std::size_t>(j)];
  }
}

template <class T>
void undefined_factors(const Workspace<T>& s, T* q, T* r) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  std::fill(q, q + s.m * s.size, nan);
  for (std::int64_t i = 0; i < s.size; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) r[i * s.n + j] = j < i ? T(0) : nan;
}

template <class T>
void factor(Workspace<T>& s, T* q, T* r) {
  for (std::int64_t k = 0; k < s.size; k += s.b) {
    const std::int64_t width = std::min(s.b, s.size - k), next = k + width;
    factor_panel(s, k, width);
    join_reflectors(s, k, width);
    apply(s, k, width, s.w.get() + k * s.n + next, s.n - next, s.n, true);
  }
  store_triangle(s, r);
  std::fill(q, q + s.m * s.size, T(0));
  for (std::int64_t k = 0; k < s.size; ++k) q[k * s.size + k] = 1;
  for (std::int64_t k = (s.size - 1) / s.b * s.b; k >= 0; k -= s.b)
    apply(s, k, std::min(s.b, s.size - k), q + k * s.size + k, s.size - k, s.size, false);
}

template <class T>
void blocked(const Call& c, std::vector<Tensor>& out) {
  const Source from = source(c[0]);
  const std::int64_t size = std::min(from.m, from.n);
  T* q = out[0].write<T>();
  T* r = out[1].write<T>();
  if (size == 0) return;
  const T* a = c[0].read<T>();
  const auto matrices = [&](std::int64_t first, std::int64_t last) {
    Workspace<T> s(from.m, from.n);
    for (std::int64_t i = first; i < last; ++i) {
      T *own_q = q + i * from.m * size, *own_r = r + i * size * from.n;
      if (load_scaled(s, a + from.base(i), from.row, from.column)) factor(s, own_q, own_r);
      else undefined_factors(s, own_q, own_r);
    }
  };
  if (from.m < kParallel.of(from.m) || from.matrices >= threads()) {
    parallel_for(from.matrices, 1 + (1 << 15) / (from.m * from.n * size), matrices);
  } else {
    matrices(0, from.matrices);
  }
}

// ---- Many small matrices, one per lane ----

template <class T>
void interleaved(const Call& c, std::vector<Tensor>& out) {
  const Source from = source(c[0]);
  const std::int64_t m = from.m, n = from.n, size = std::min(m, n);
  T* q = out[0].write<T>();
  T* r = out[1].write<T>();
  if (size == 0 || from.matrices == 0) return;
  const Kernels<T> kernels;
  const Tensor dense = contiguous(c[0]);
  const T* a = dense.read<T>();
  const std::int64_t width = kernels.width, groups = (from.matrices + width - 1) / width;
  parallel_for(groups, 1 + (1 << 15) / (m * n * size * width), [&](std::int64_t first, std::int64_t last) {
    const RawRoom<T, 64> room((m * n + m * size + n + size) * width);
    for (std::int64_t g = first * width; g < std::min(last * width, from.matrices); g += width) {
      const std::int64_t count = std::min(width, from.matrices - g);
      kernels.group(a + g * m * n, count, m, n, room.get(), q + g * m * size, r + g * size * n);
    }
  });
}

// ---- Routes ----

void run_blocked(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? blocked<float>(c, out) : blocked<double>(c, out);
}
void run_interleaved(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? interleaved<float>(c, out) : interleaved<double>(c, out);
}

Order own_type(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0);
  o.fma = isa() != Isa::base;
  return o;
}

bool small(const Call& c, const Device&) {
  const Source s = source(c[0]);
  return s.m <= kSmall && s.n <= kSmall;
}

}  // namespace

std::vector<Route> qr_cpu_routes() {
  return {
      {
          .op = "qr",
          .name = "cpu.interleaved",
          .supports = {{Stage::shape_dtype, "an extent is above 32", small}},
          .prefers = {{Stage::shape_dtype, "under 4 matrices",
                       [](const Call& c, const Device&) { return source(c[0]).matrices >= 4; }}},
          .order = own_type,
          .prepare = host<run_interleaved>,
      },
      {
          .op = "qr",
          .name = "cpu.blocked",
          .supports = {},
          .prefers = {},
          .order = own_type,
          .prepare = host<run_blocked>,
      },
      panel_qr_cpu_route(),
  };
}

}  // namespace plumb
