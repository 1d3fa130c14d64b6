// Cholesky factorisation on the processor: right-looking over panels for one matrix, one matrix per vector lane for
// many small ones.
#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/linalg/tiled.h"

namespace plumb {

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_CHOLESKY(T, suffix)                                                                                      \
  PLUMB_DECLARE_SIMD(std::int64_t cholesky_lanes_##suffix())                                                           \
  PLUMB_DECLARE_SIMD(std::int64_t cholesky_width_##suffix())                                                           \
  PLUMB_DECLARE_SIMD(                                                                                                  \
      void cholesky_pack_##suffix(const T* w, std::int64_t ld, std::int64_t rows, std::int64_t width, T* strip))       \
  PLUMB_DECLARE_SIMD(void cholesky_unpack_##suffix(const T* strip, std::int64_t first, std::int64_t rows,              \
                                                   std::int64_t width, T* w, std::int64_t ld))                         \
  PLUMB_DECLARE_SIMD(std::int64_t cholesky_diagonal_##suffix(T* strips, std::int64_t stride, std::int64_t n))          \
  PLUMB_DECLARE_SIMD(void cholesky_solve_##suffix(const T* strips, std::int64_t stride, T* strip, std::int64_t n))     \
  PLUMB_DECLARE_SIMD(void cholesky_update_##suffix(const T* row, const T* column, std::int64_t k, T* c,                \
                                                   std::int64_t ldc, std::int64_t i0, std::int64_t j0,                 \
                                                   std::int64_t n))                                                    \
  PLUMB_DECLARE_SIMD(void cholesky_group_##suffix(const T* a, bool upper, std::int64_t count, std::int64_t n, T* room, \
                                                  T* out, std::int64_t* failed))
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_CHOLESKY(float, f32)
PLUMB_CHOLESKY(double, f64)
#undef PLUMB_CHOLESKY

namespace {

// The kernels of one type for the instruction set in use.
template <class T>
struct Kernels;
#define PLUMB_CHOLESKY(T, suffix)                                                                      \
  template <>                                                                                          \
  struct Kernels<T> {                                                                                  \
    std::int64_t lanes = PLUMB_DISPATCH(cholesky_lanes_##suffix)();                                    \
    std::int64_t width = PLUMB_DISPATCH(cholesky_width_##suffix)();                                    \
    decltype(&base::cholesky_pack_##suffix) pack = PLUMB_DISPATCH(cholesky_pack_##suffix);             \
    decltype(&base::cholesky_unpack_##suffix) unpack = PLUMB_DISPATCH(cholesky_unpack_##suffix);       \
    decltype(&base::cholesky_diagonal_##suffix) diagonal = PLUMB_DISPATCH(cholesky_diagonal_##suffix); \
    decltype(&base::cholesky_solve_##suffix) solve = PLUMB_DISPATCH(cholesky_solve_##suffix);          \
    decltype(&base::cholesky_update_##suffix) update = PLUMB_DISPATCH(cholesky_update_##suffix);       \
    decltype(&base::cholesky_group_##suffix) group = PLUMB_DISPATCH(cholesky_group_##suffix);          \
  };
PLUMB_CHOLESKY(float, f32)
PLUMB_CHOLESKY(double, f64)
#undef PLUMB_CHOLESKY

// Multiples of every strip's lanes, of which there are at most 48.
constexpr Limit kPanel{"decomposition.panel", 96, 48}, kWidePanel{"decomposition.wide_panel", 192, 96};
constexpr Limit kWide{"decomposition.wide", 768, 60};          // n from which wide panels pay
constexpr Limit kParallel{"decomposition.parallel", 320, 24};  // rows from which one matrix is worth several threads
constexpr std::int64_t kSmall = 32;                            // largest n of the interleaved route

std::int64_t panel(std::int64_t n) { return n < kWide.of(n) ? kPanel.of(n) : kWidePanel.of(n); }

// ---- Where the matrices lie ----

// Element (i, j), i >= j, of matrix m of the lower problem: of A, or of its transpose if U is asked for.
struct Source {
  Tensor a;
  std::int64_t n, matrices, row, column;
  Shape shape;  // of the batch
  Strides strides;

  std::int64_t base(std::int64_t m) const {
    std::int64_t offset = 0;
    for (std::size_t i = shape.size(); i-- > 0; m /= shape[i]) offset += m % shape[i] * strides[i];
    return offset;
  }
};

Source source(const Call& c) {
  const Shape& s = c[0].shape();
  const Strides& d = c[0].strides();
  const std::size_t r = s.size();
  Source out{c[0], s[r - 1], 0, d[r - 2], d[r - 1], Shape(s.begin(), s.end() - 2), Strides(d.begin(), d.end() - 2)};
  out.matrices = count(out.shape);
  if (c.flag("upper")) std::swap(out.row, out.column);
  return out;
}

// The first failure by matrix, then by pivot.
class Failure {
 public:
  void note(std::int64_t matrix, std::int64_t pivot) {
    const std::int64_t mine = matrix << 32 | pivot;
    std::int64_t seen = first_.load();
    while (mine < seen && !first_.compare_exchange_weak(seen, mine)) {
    }
  }
  void raise(const Call& c) const {
    const std::int64_t f = first_.load();
    if (f == kNone) return;
    c.fail(Reason::domain, "matrix " + std::to_string(f >> 32) + " is not positive definite at pivot " +
                               std::to_string(f & 0xFFFFFFFF));
  }

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> first_{kNone};
};

// ---- One matrix, by panels ----

constexpr Limit kTile{"decomposition.tile", 16, 3};  // squares in which rows and columns change places

// to[i n + j] = from[i row + j column] for j <= i, else 0.
template <class T>
void copy_lower(const T* from, std::int64_t row, std::int64_t column, std::int64_t n, T* to) {
  const std::int64_t tile = kTile.of(n);
  for (std::int64_t i0 = 0; i0 < n; i0 += tile) {
    const std::int64_t i1 = std::min(i0 + tile, n);
    for (std::int64_t j0 = 0; j0 < n; j0 += tile) {
      const std::int64_t j1 = std::min(j0 + tile, n);
      for (std::int64_t i = i0; i < i1; ++i) {
        const std::int64_t last = std::clamp(i + 1, j0, j1);
        for (std::int64_t j = j0; j < last; ++j) to[i * n + j] = from[i * row + j * column];
        for (std::int64_t j = last; j < j1; ++j) to[i * n + j] = T(0);
      }
    }
  }
}

template <class T>
void transpose(const T* from, std::int64_t n, T* to) {
  const std::int64_t tile = kTile.of(n);
  for (std::int64_t i0 = 0; i0 < n; i0 += tile) {
    for (std::int64_t j0 = 0; j0 < n; j0 += tile) {
      for (std::int64_t i = i0; i < std::min(i0 + tile, n); ++i) {
        for (std::int64_t j = j0; j < std::min(j0 + tile, n); ++j) to[i * n + j] = from[j * n + i];
      }
    }
  }
}

// Columns [k, k + width) of the rows from k on, transposed in strips.
template <class T>
struct Panel {
  const Kernels<T>& kernels;
  T* w;
  std::int64_t n, k, width;
  T* strips;

  std::int64_t stride() const { return width * kernels.lanes; }
  std::int64_t count() const { return (n - k + kernels.lanes - 1) / kernels.lanes; }
  std::int64_t row(std::int64_t s) const { return k + s * kernels.lanes; }  // the first of strip s
  T* strip(std::int64_t s) const { return strips + s * stride(); }
  T* place(std::int64_t s) const { return w + row(s) * n + k; }
  void pack(std::int64_t s) const { kernels.pack(place(s), n, n - row(s), width, strip(s)); }
  void unpack(std::int64_t s) const { kernels.unpack(strip(s), row(s) - k, n - row(s), width, place(s), n); }
};

template <class F>
void each(std::int64_t n, bool parallel, const F& f) {
  if (parallel) return parallel_each(n, f);
  for (std::int64_t i = 0; i < n; ++i) f(i);
}

// Factors the lower triangle of w in place; returns the first bad pivot, or n.
template <class T>
std::int64_t factor(T* w, std::int64_t n, T* strips) {
  const Kernels<T> kernels;
  for (std::int64_t k = 0; k < n; k += panel(n)) {
    const Panel<T> p{kernels, w, n, k, std::min(panel(n), n - k), strips};
    const std::int64_t own = (p.width + kernels.lanes - 1) / kernels.lanes;  // strips of the diagonal block
    const bool parallel = n - k >= kParallel.of(n - k);
    for (std::int64_t s = 0; s < own; ++s) p.pack(s);
    const std::int64_t good = kernels.diagonal(strips, p.stride(), p.width);
    if (good < p.width) return k + good;
    for (std::int64_t s = 0; s < own; ++s) p.unpack(s);
    each(p.count() - own, parallel, [&](std::int64_t i) {
      p.pack(own + i);
      kernels.solve(strips, p.stride(), p.strip(own + i), p.width);
      p.unpack(own + i);
    });
    each(p.count() - own, parallel, [&](std::int64_t i) {
      const std::int64_t row = p.count() - 1 - i;  // the longest first
      for (std::int64_t column = own; column <= row; ++column) {
        kernels.update(p.strip(row), p.strip(column), p.width, w, n, p.row(row), p.row(column), n);
      }
    });
  }
  return n;
}

template <class T>
struct Workspace {
  RawRoom<T> strips, square;
  Workspace(std::int64_t n, bool upper) {
    const std::int64_t lanes = Kernels<T>().lanes;
    strips = RawRoom<T>((n + lanes - 1) / lanes * lanes * panel(n));
    if (upper) square = RawRoom<T>(n * n);
  }
};

template <class T>
void blocked(const Call& c, std::vector<Tensor>& out) {
  const Source s = source(c);
  if (s.n == 0) return;
  const bool upper = c.flag("upper");
  const T* a = s.a.read<T>();
  T* l = out[0].write<T>();
  Failure failure;
  const auto matrices = [&](std::int64_t first, std::int64_t last) {
    const Workspace<T> room(s.n, upper);
    for (std::int64_t m = first; m < last; ++m) {
      T* w = upper ? room.square.get() : l + m * s.n * s.n;
      copy_lower(a + s.base(m), s.row, s.column, s.n, w);
      const std::int64_t good = factor(w, s.n, room.strips.get());
      if (good < s.n) return failure.note(m, good);
      if (upper) transpose(w, s.n, l + m * s.n * s.n);
    }
  };
  if (s.matrices >= threads() || s.n < kParallel.now()) {
    parallel_for(s.matrices, 1 + (1 << 15) / (s.n * s.n * s.n), matrices);
  } else {
    matrices(0, s.matrices);
  }
  failure.raise(c);
}

// ---- Many small matrices, one per lane ----

template <class T>
void interleaved(const Call& c, std::vector<Tensor>& out) {
  const Source s = source(c);
  if (s.n == 0 || s.matrices == 0) return;
  const Kernels<T> kernels;
  const Tensor dense = contiguous(c[0]);
  const T* a = dense.read<T>();
  T* l = out[0].write<T>();
  const std::int64_t square = s.n * s.n, groups = (s.matrices + kernels.width - 1) / kernels.width;
  Failure failure;
  parallel_for(groups, 1 + (1 << 15) / (square * s.n * kernels.width), [&](std::int64_t first, std::int64_t last) {
    Room<T> room(static_cast<std::size_t>(s.n * (s.n + 1) / 2 * kernels.width));
    std::vector<std::int64_t> failed(static_cast<std::size_t>(kernels.width));
    for (std::int64_t m = first * kernels.width; m < std::min(last * kernels.width, s.matrices); m += kernels.width) {
      const std::int64_t count = std::min(kernels.width, s.matrices - m);
      kernels.group(a + m * square, c.flag("upper"), count, s.n, room.data(), l + m * square, failed.data());
      for (std::int64_t i = 0; i < count; ++i) {
        if (failed[static_cast<std::size_t>(i)] >= 0) failure.note(m + i, failed[static_cast<std::size_t>(i)]);
      }
    }
  });
  failure.raise(c);
}

// ---- Routes ----

void run_blocked(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? blocked<float>(c, out) : blocked<double>(c, out);
}
void run_interleaved(const Call& c, std::vector<Tensor>& out) {
  c.dtype(0) == Dtype::f32 ? interleaved<float>(c, out) : interleaved<double>(c, out);
}

std::int64_t extent(const Call& c) { return c.shape(0).back(); }
std::int64_t batch(const Call& c) { return count(Shape(c.shape(0).begin(), c.shape(0).end() - 2)); }

Order sequential(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0);
  o.fma = isa() != Isa::base;
  return o;
}

// Within a panel one sum in sequence; panels are subtracted one after another.
Order by_panels(const Call& c) {
  Order o = sequential(c);
  o.block = panel(extent(c));
  return o;
}

}  // namespace

std::vector<Route> decomposition_cpu_routes() {
  return {
      {
          .op = "cholesky",
          .name = "cpu.interleaved",
          .supports = {{Stage::shape_dtype, "n is above 32",
                        [](const Call& c, const Device&) { return extent(c) <= kSmall; }}},
          .prefers = {{Stage::shape_dtype, "under 4 matrices",
                       [](const Call& c, const Device&) { return batch(c) >= 4; }}},
          .order = sequential,
          .prepare = host<run_interleaved>,
      },
      {
          .op = "cholesky",
          .name = "cpu.blocked",
          .supports = {},
          .prefers = {},
          .order = by_panels,
          .prepare = host<run_blocked>,
      },
      tiled_cholesky_cpu_route(),
  };
}

}  // namespace plumb
