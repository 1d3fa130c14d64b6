#include "optimized/linalg/gemm.h"

#include <algorithm>
#include <stdexcept>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/linalg/gemm_kernels.h"

namespace plumb {
namespace {

// Both packed blocks of a task stay within half of a 2 MiB second-level cache.
constexpr Limit kDepthF32{"gemm.depth_f32", 384, 16}, kDepthF64{"gemm.depth_f64", 256, 8},
    kDepthC64{"gemm.depth_c64", 192, 8};
constexpr Limit kBlockRows{"gemm.block_rows", 336, 5}, kBlockColumns{"gemm.block_columns", 512, 8};
// A pass packs at most this much of each operand before it computes.
constexpr Limit kPassRows{"gemm.pass_rows", 24 * kBlockRows.usual, 11},
    kPassColumns{"gemm.pass_columns", 16 * kBlockColumns.usual, 13};
constexpr Limit kThreadFlops{"gemm.thread_flops", 1 << 18, 256};  // the least work worth a thread

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

thread_local KeptRoom workspace;

template <class T>
struct Kernels {
  using Pack = void (*)(const void*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, T*);
  using Block = void (*)(std::int64_t, std::int64_t, std::int64_t, const T*, const T*, T*, std::int64_t, bool);
  int rows, columns, parts;  // parts: values of T per element
  const Limit* depth;
  Pack pack_a, pack_b;
  Block block;
};

struct Extents {
  int rows, columns_f32, columns_f64, complex_rows, complex_columns;
  Extents() { PLUMB_DISPATCH(gemm_extents)(&rows, &columns_f32, &columns_f64, &complex_rows, &complex_columns); }
};

Kernels<float>::Pack pack_f32(Dtype t) {
  if (t == Dtype::f16) return PLUMB_DISPATCH(gemm_pack_f16);
  if (t == Dtype::bf16) return PLUMB_DISPATCH(gemm_pack_bf16);
  if (t == Dtype::f32) return PLUMB_DISPATCH(gemm_pack_f32);
  throw std::logic_error("gemm: operand is not f32, f16 or bf16");
}

// One product over one range of k: pack both operands, then compute the tasks, each a block of c.
template <class T>
class Pass {
 public:
  Pass(const Kernels<T>& kernels, const GemmOperand& a, const GemmOperand& b, T* c, std::int64_t ldc)
      : g_(kernels), a_(a), b_(b), c_(c), ldc_(ldc) {}

  void run(std::int64_t i0, std::int64_t m, std::int64_t j0, std::int64_t n, std::int64_t p0, std::int64_t k,
           bool add) {
    i0_ = i0, m_ = m, j0_ = j0, n_ = n, p0_ = p0, k_ = k;
    cut();
    const std::int64_t columns = divide_up(n, g_.columns) * g_.columns;
    const std::int64_t a_size = (m * k * g_.parts + 15) / 16 * 16;
    KeptRoom::Lease<T> lease;
    packed_a_ = workspace.get(a_size + columns * k * g_.parts, lease);
    packed_b_ = packed_a_ + a_size;
    const bool alone = m * n * k < kThreadFlops.of(m * n * k) || threads() == 1;
    const auto each = [&](std::int64_t count, auto&& f) {
      if (!alone) return parallel_each(count, f);
      for (std::int64_t t = 0; t < count; ++t) f(t);
    };
    each(row_blocks_ + column_blocks_,
         [&](std::int64_t t) { t < row_blocks_ ? pack_rows(t) : pack_columns(t - row_blocks_); });
    each(row_blocks_ * column_blocks_, [&](std::int64_t t) { compute(t / column_blocks_, t % column_blocks_, add); });
  }

 private:
  // Blocks of at most the cache's size, and enough of them to keep every thread busy.
  void cut() {
    block_rows_ = divide_up(m_, divide_up(m_, kBlockRows.of(m_)));
    std::int64_t parts = divide_up(n_, kBlockColumns.of(n_));
    const std::int64_t slivers = divide_up(n_, g_.columns);
    row_blocks_ = divide_up(m_, block_rows_);
    parts = std::min(slivers, std::max(parts, divide_up(2 * threads(), row_blocks_)));
    block_columns_ = divide_up(slivers, parts) * g_.columns;
    column_blocks_ = divide_up(n_, block_columns_);
  }

  std::int64_t rows_of(std::int64_t r) const { return std::min(block_rows_, m_ - r * block_rows_); }
  std::int64_t columns_of(std::int64_t s) const { return std::min(block_columns_, n_ - s * block_columns_); }

  const char* at(const GemmOperand& x, std::int64_t i, std::int64_t j) const {
    return static_cast<const char*>(x.data) + (i * x.row + j * x.column) * info(x.dtype).bytes;
  }

  void pack_rows(std::int64_t r) {
    const std::int64_t m = rows_of(r), slivers = divide_up(m, g_.rows), base = m / slivers, extra = m % slivers;
    for (std::int64_t s = 0, i = r * block_rows_; s < slivers; ++s) {
      const std::int64_t rows = base + (s < extra);
      g_.pack_a(at(a_, i0_ + i, p0_), a_.row, a_.column, rows, rows, k_, packed_a_ + i * k_ * g_.parts);
      i += rows;
    }
  }

  void pack_columns(std::int64_t s) {
    const std::int64_t first = s * block_columns_, last = first + columns_of(s);
    for (std::int64_t j = first; j < last; j += g_.columns)
      g_.pack_b(at(b_, p0_, j0_ + j), b_.column, b_.row, std::min<std::int64_t>(g_.columns, last - j), g_.columns, k_,
                packed_b_ + j * k_ * g_.parts);
  }

  void compute(std::int64_t r, std::int64_t s, bool add) {
    const std::int64_t i = r * block_rows_, j = s * block_columns_;
    g_.block(rows_of(r), columns_of(s), k_, packed_a_ + i * k_ * g_.parts, packed_b_ + j * k_ * g_.parts,
             c_ + ((i0_ + i) * ldc_ + j0_ + j) * g_.parts, ldc_, add);
  }

  const Kernels<T>& g_;
  const GemmOperand &a_, &b_;
  T* c_;
  std::int64_t ldc_;
  std::int64_t i0_ = 0, m_ = 0, j0_ = 0, n_ = 0, p0_ = 0, k_ = 0;
  std::int64_t block_rows_ = 0, block_columns_ = 0, row_blocks_ = 0, column_blocks_ = 0;
  T *packed_a_ = nullptr, *packed_b_ = nullptr;
};

template <class T>
void multiply(const Kernels<T>& g, std::int64_t m, std::int64_t n, std::int64_t k, const GemmOperand& a,
              const GemmOperand& b, T* c, std::int64_t ldc, bool accumulate) {
  if (m == 0 || n == 0) return;
  if (k == 0 && !accumulate)
    for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * ldc * g.parts, n * g.parts, T{0});
  if (k == 0) return;
  Pass<T> pass(g, a, b, c, ldc);
  const std::int64_t depth = divide_up(k, divide_up(k, g.depth->of(k)));  // nearly equal blocks, none above the depth
  const std::int64_t rows = kPassRows.of(m), columns = kPassColumns.of(n);
  for (std::int64_t i = 0; i < m; i += rows)
    for (std::int64_t j = 0; j < n; j += columns)
      for (std::int64_t p = 0; p < k; p += depth)
        pass.run(i, std::min(rows, m - i), j, std::min(columns, n - j), p, std::min(depth, k - p), accumulate || p > 0);
}

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const GemmOperand& a, const GemmOperand& b, float* c,
          std::int64_t ldc, bool accumulate) {
  const Extents e;
  const Kernels<float> g{
      e.rows, e.columns_f32, 1, &kDepthF32, pack_f32(a.dtype), pack_f32(b.dtype), PLUMB_DISPATCH(gemm_block_f32)};
  multiply(g, m, n, k, a, b, c, ldc, accumulate);
}

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const GemmOperand& a, const GemmOperand& b, double* c,
          std::int64_t ldc, bool accumulate) {
  const Extents e;
  const auto pack = PLUMB_DISPATCH(gemm_pack_f64);
  multiply({e.rows, e.columns_f64, 1, &kDepthF64, pack, pack, PLUMB_DISPATCH(gemm_block_f64)}, m, n, k, a, b, c, ldc,
           accumulate);
}

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const GemmOperand& a, const GemmOperand& b,
          std::complex<float>* c, std::int64_t ldc, bool accumulate) {
  const Extents e;
  const auto pack = PLUMB_DISPATCH(gemm_pack_c64);
  const Kernels<float> g{e.complex_rows, e.complex_columns, 2, &kDepthC64, pack, pack, PLUMB_DISPATCH(gemm_block_c64)};
  multiply(g, m, n, k, a, b, reinterpret_cast<float*>(c), ldc, accumulate);
}

std::int64_t gemm_depth(Dtype accumulator) {
  return (accumulator == Dtype::f64 ? kDepthF64 : accumulator == Dtype::c64 ? kDepthC64 : kDepthF32).now();
}

Order gemm_order(Dtype accumulator) {
  Order o;
  o.block = gemm_depth(accumulator) * (accumulator == Dtype::c64 ? 2 : 1);
  o.accumulator = accumulator == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = isa() != Isa::base;
  return o;
}

}  // namespace plumb
