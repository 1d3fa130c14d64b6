// One matrix by tiles: loops for the diagonal and the panel, products for the trailing tiles.
#include "optimized/linalg/tiled.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/linalg/gemm.h"
#include "optimized/linalg/orthogonal/source.h"

namespace plumb {
namespace {

constexpr Limit kRows{"tiled.rows", 64, 5};  // of a trailing tile
constexpr std::int64_t kGrain = 1 << 14;     // multiplications worth a thread

template <class T>
constexpr Dtype kType = sizeof(T) == 4 ? Dtype::f32 : Dtype::f64;

template <class T>
class Tiles {
 public:
  // w: n rows of n, of which the lower triangle is the matrix, and becomes the factor. floor: no pivot is at or below.
  Tiles(T* w, std::int64_t n, const TiledCholesky& o, T floor)
      : w_(w), n_(n), o_(o), floor_(floor), negated_(n * std::min(o.block, n)) {}

  // The first pivot that is none, or n.
  std::int64_t factor() {
    for (std::int64_t k = 0; k < n_; k += o_.block) {
      const std::int64_t e = std::min(k + o_.block, n_), good = diagonal(k, e);
      if (good < e) return good;
      panel(k, e);
      trailing(k, e);
    }
    return n_;
  }

  T pivot() const { return pivot_; }  // the last one that was looked at

 private:
  T* row(std::int64_t i) { return w_ + i * n_; }

  // a_ij - sum_(k<=p<j) l_ip l_jp
  T reduced(const T* li, const T* lj, std::int64_t k, std::int64_t j) const {
    T s = li[j];
    for (std::int64_t p = k; p < j; ++p) s -= li[p] * lj[p];
    return s;
  }

  std::int64_t diagonal(std::int64_t k, std::int64_t e) {
    for (std::int64_t j = k; j < e; ++j) {
      T* lj = row(j);
      pivot_ = reduced(lj, lj, k, j);
      if (!(pivot_ > floor_) || !std::isfinite(pivot_)) return j;
      lj[j] = std::sqrt(pivot_);
      const auto below = [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) row(j + 1 + i)[j] = reduced(row(j + 1 + i), lj, k, j) / lj[j];
      };
      if (o_.one_thread_diagonal) below(0, e - j - 1);
      else parallel_for(e - j - 1, 1 + kGrain / (j - k + 1), below);
    }
    return e;
  }

  void panel(std::int64_t k, std::int64_t e) {
    const std::int64_t b = e - k;
    parallel_for(n_ - e, 1 + kGrain / (b * b), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = e + first; i < e + last; ++i) {
        for (std::int64_t j = k; j < e; ++j) row(i)[j] = reduced(row(i), row(j), k, j) / row(j)[j];
        for (std::int64_t j = 0; j < b; ++j) negated_[(i - e) * b + j] = -row(i)[k + j];
      }
    });
  }

  // Rows of tiles, each up to the diagonal; what it writes beyond is never read.
  void trailing(std::int64_t k, std::int64_t e) {
    const std::int64_t b = e - k, rows = kRows.of(n_ - e), tiles = (n_ - e + rows - 1) / rows;
    const auto tile = [&](std::int64_t t) {
      const std::int64_t i = e + (tiles - 1 - t) * rows, last = std::min(i + rows, n_);  // the longest first
      gemm(last - i, last - e, b, {negated_.get() + (i - e) * b, kType<T>, b, 1}, {row(e) + k, kType<T>, 1, n_},
           row(i) + e, n_, true);
    };
    if (o_.parallel_trailing) return parallel_each(tiles, tile);
    for (std::int64_t t = 0; t < tiles; ++t) tile(t);
  }

  T* w_;
  std::int64_t n_;
  const TiledCholesky& o_;
  T floor_, pivot_ = 0;
  RawRoom<T> negated_;
};

struct Matrix {
  std::int64_t n, row, column;  // element (i, j) of the lower problem lies at i row + j column
};

template <class From, class T>
void load(const From* a, const Matrix& m, T* w) {
  for (std::int64_t i = 0; i < m.n; ++i)
    for (std::int64_t j = 0; j < m.n; ++j) w[i * m.n + j] = j > i ? T(0) : static_cast<T>(a[i * m.row + j * m.column]);
}

// The factor, zeros above it, and NaN in the rows from `whole` on; transposed where U is asked for.
template <class From, class T>
void store(const From* w, std::int64_t n, std::int64_t whole, bool upper, T* out) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      out[upper ? j * n + i : i * n + j] = j > i ? T(0) : i < whole ? static_cast<T>(w[i * n + j]) : nan;
}

template <class T>
T guard_of(const T* w, std::int64_t n, double guard) {
  T most = 0;
  for (std::int64_t i = 0; i < n; ++i) most = std::max(most, w[i * n + i]);
  return static_cast<T>(guard * static_cast<double>(n) * std::numeric_limits<T>::epsilon()) * most;
}

// In f64, whatever is positive being a pivot.
template <class T>
TiledCholeskyRun wider(const T* a, const Matrix& m, bool upper, const TiledCholesky& o, T* out) {
  const RawRoom<double> w(m.n * m.n);
  load(a, m, w.get());
  const std::int64_t good = Tiles<double>(w.get(), m.n, o, 0).factor();
  store(w.get(), m.n, good, upper, out);
  return {.status = good < m.n ? good + 1 : 0, .wider = true};
}

template <class T>
TiledCholeskyRun factor(const T* a, const Matrix& m, bool upper, const TiledCholesky& o, T* out) {
  const RawRoom<T> w(m.n * m.n);
  load(a, m, w.get());
  Tiles<T> tiles(w.get(), m.n, o, guard_of(w.get(), m.n, o.guard));
  const std::int64_t good = tiles.factor();
  TiledCholeskyRun run;
  if (good == m.n || !o.wider || sizeof(T) == 8) store(w.get(), m.n, good, upper, out);
  else run = wider(a, m, upper, o, out);
  if (good == m.n) return run;
  if (!run.wider) run.status = good + 1;
  run.guarded = good, run.value = static_cast<double>(tiles.pivot());
  return run;
}

template <class T>
std::vector<TiledCholeskyRun> factor_all(const Tensor& a, bool upper, const TiledCholesky& o, const Tensor& out) {
  const Source s = source(a);
  std::vector<TiledCholeskyRun> runs(static_cast<std::size_t>(s.matrices));
  if (s.n == 0) return runs;
  const Matrix m{s.n, upper ? s.column : s.row, upper ? s.row : s.column};
  const T* from = a.read<T>();
  T* to = out.write<T>();
  const auto some = [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      runs[static_cast<std::size_t>(i)] = factor(from + s.base(i), m, upper, o, to + i * s.n * s.n);
  };
  if (s.matrices >= threads()) parallel_for(s.matrices, 1 + kGrain / (s.n * s.n), some);
  else some(0, s.matrices);
  return runs;
}

// A guard that is positive would refuse in f64 what the row calls positive definite. Whether the rows below a pivot are
// divided changes no bit: they are, where there are enough.
TiledCholesky usual(Dtype t) {
  TiledCholesky o;
  o.one_thread_diagonal = false;
  if (t == Dtype::f64) o.guard = 0;
  return o;
}

void run(const Call& c, std::vector<Tensor>& out) {
  require_factors(c, tiled_cholesky_on_cpu(c[0], c.flag("upper"), usual(c.dtype(0)), out[0]));
}

// Within a block one sum in sequence; blocks are subtracted one after another.
Order by_blocks(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0);
  o.block = TiledCholesky().block;
  return o;
}

}  // namespace

std::vector<TiledCholeskyRun> tiled_cholesky_on_cpu(const Tensor& a, bool upper, const TiledCholesky& o,
                                                    const Tensor& out) {
  check(o);
  return a.dtype() == Dtype::f32 ? factor_all<float>(a, upper, o, out) : factor_all<double>(a, upper, o, out);
}

Route tiled_cholesky_cpu_route() {
  return {
      .op = "cholesky", .name = "cpu.tiled", .supports = {}, .prefers = {}, .order = by_blocks, .prepare = host<run>};
}

}  // namespace plumb
