// Sums and moments in double of runs and of rows of any dtype, pair-wise interleaved for complex numbers.
#include "optimized/array/reduce/moments.h"

#include "optimized/array/reduce/fold_call.h"
#include "optimized/array/reduce/wide.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kWays = 32;             // running sums of a run, the same for every register width
constexpr std::int64_t kPiece = 512;  // elements that are widened at once
constexpr int kRegisters = kWays / kF64;

std::int64_t bytes_of(Element t) {
  constexpr std::int64_t kBytes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 4};
  return kBytes[static_cast<int>(t)];
}

// f(x_i) summed over i = j mod `period` for j < period, f on registers; complex: period 2.
template <class F>
inline void sum_run(Element t, const char* x, std::int64_t n, int period, const F& f, double* out) {
  double room[kPiece];
  f64v s[kRegisters] = {};
  for (std::int64_t first = 0; first < n; first += kPiece) {
    const std::int64_t m = n - first < kPiece ? n - first : kPiece;
    const double* p = widened(t, x + first * bytes_of(t), m, room);
    std::int64_t i = 0;
    for (; i + kWays <= m; i += kWays)
      for (int r = 0; r < kRegisters; ++r) s[r] += f(load(p + i + r * kF64));
    if (i < m) {
      double rest[kWays] = {}, counts[kWays] = {};
      for (int j = 0; i < m; ++i, ++j) rest[j] = p[i], counts[j] = 1;
      for (int r = 0; r < kRegisters; ++r) {
        const f64v used = load(counts + r * kF64), v = f(load(rest + r * kF64));
        s[r] += used != 0 ? v : f64v{};
      }
    }
  }
  double v[kWays];
  for (int r = 0; r < kRegisters; ++r) store(v + r * kF64, s[r]);
  for (int half = kWays / 2; half >= period; half /= 2)
    for (int j = 0; j < half; ++j) v[j] += v[j + half];
  for (int j = 0; j < period; ++j) out[j] = v[j];
}

inline void moments_of_run(Element t, const char* x, std::int64_t n, int period, Moments* out) {
  double sums[2], squares[2];
  sum_run(
      t, x, n, period, [](f64v v) { return v; }, sums);
  const double each = static_cast<double>(n / period);
  double m[kF64];
  for (int j = 0; j < kF64; ++j) m[j] = sums[j % period] / each;
  const f64v means = load(m);
  sum_run(
      t, x, n, period,
      [means](f64v v) {
        const f64v d = v - means;
        return d * d;
      },
      squares);
  for (int j = 0; j < period; ++j) out[j] = {each, m[j], squares[j]};
}

// f(row, its numbers) for at most kPiece columns of each row.
template <class F>
inline void each_row(Element t, const char* x, std::int64_t rows, std::int64_t stride, std::int64_t width, F&& f) {
  double room[kPiece];
  for (std::int64_t r = 0; r < rows; ++r) f(widened(t, x + r * stride * bytes_of(t), width, room));
}

// Floats are widened on their way into a sum, eight rows per visit of it.
inline void add_floats(const float* x, std::int64_t rows, std::int64_t stride, std::int64_t width, double* sums) {
  constexpr int kRows = 8;
  std::int64_t r = 0;
  for (; r + kRows <= rows; r += kRows, x += kRows * stride)
    for (std::int64_t j = 0; j < width; ++j) {
      double s = sums[j];
      for (int k = 0; k < kRows; ++k) s += x[k * stride + j];
      sums[j] = s;
    }
  for (; r < rows; ++r, x += stride)
    for (std::int64_t j = 0; j < width; ++j) sums[j] += x[j];
}

inline void sum_down(Element t, const char* x, std::int64_t rows, std::int64_t stride, std::int64_t width,
                     double* sums) {
  for (std::int64_t j = 0; j < width; ++j) sums[j] = 0;
  if (t == Element::f32 || t == Element::c64)
    return add_floats(reinterpret_cast<const float*>(x), rows, stride, width, sums);
  each_row(t, x, rows, stride, width, [=](const double* p) {
    for (std::int64_t j = 0; j < width; ++j) sums[j] += p[j];
  });
}

inline void moments_down(Element t, const char* x, std::int64_t rows, std::int64_t stride, std::int64_t width,
                         Moments* out) {
  double mean[kPiece], squares[kPiece] = {};
  sum_down(t, x, rows, stride, width, mean);
  for (std::int64_t j = 0; j < width; ++j) mean[j] /= static_cast<double>(rows);
  each_row(t, x, rows, stride, width, [&](const double* p) {
    for (std::int64_t j = 0; j < width; ++j) squares[j] += (p[j] - mean[j]) * (p[j] - mean[j]);
  });
  for (std::int64_t j = 0; j < width; ++j) out[j] = {static_cast<double>(rows), mean[j], squares[j]};
}

}  // namespace

void fold_doubles(Element t, const void* x, const FoldCall& k) {
  const auto* from = static_cast<const char*>(x);
  auto* out = static_cast<double*>(k.out);
  if (k.way != FoldCall::rows) {
    for (std::int64_t run = 0; run < k.count; ++run)
      sum_run(
          t, from + run * k.n * bytes_of(t), k.n, static_cast<int>(k.period), [](f64v v) { return v; },
          out + run * k.period);
    return;
  }
  for (std::int64_t j = 0; j < k.n; j += kPiece)
    sum_down(t, from + j * bytes_of(t), k.count, k.stride, k.n - j < kPiece ? k.n - j : kPiece, out + j);
}

void fold_moments(Element t, const void* x, const FoldCall& k) {
  const auto* from = static_cast<const char*>(x);
  auto* out = static_cast<Moments*>(k.out);
  if (k.way != FoldCall::rows) {
    for (std::int64_t run = 0; run < k.count; ++run)
      moments_of_run(t, from + run * k.n * bytes_of(t), k.n, static_cast<int>(k.period), out + run * k.period);
    return;
  }
  for (std::int64_t j = 0; j < k.n; j += kPiece)
    moments_down(t, from + j * bytes_of(t), k.count, k.stride, k.n - j < kPiece ? k.n - j : kPiece, out + j);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
