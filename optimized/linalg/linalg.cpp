// CPU routes of the dense products.
#include <algorithm>
#include <complex>
#include <memory>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/floats.h"
#include "optimized/linalg/gemm.h"
#include "optimized/linalg/thin.h"

namespace plumb {

namespace {

Dtype accumulator_of(Dtype out) { return out == Dtype::f64 || out == Dtype::c64 ? out : Dtype::f32; }

// What the gemm cannot read by itself is converted first; f16 and bf16 become f32 while they are packed.
Tensor operand(const Tensor& t, Dtype out) {
  if (t.dtype() == out) return t;
  if (out == Dtype::f32 && (t.dtype() == Dtype::f16 || t.dtype() == Dtype::bf16)) return t;
  return narrow(widen_as(t, out), out);
}

// A product of two batches of matrices as strides: a vector is a matrix of one row or one column.
struct Product {
  Tensor a, b;  // keep the storage alive
  Dtype out;
  std::int64_t m, n, k;
  GemmOperand left, right;  // of the first matrices; their data after bind()
  Shape batch;
  Strides left_step, right_step;  // per axis of the batch, 0 where it is broadcast

  Product(const Tensor& a_, const Tensor& b_, const Spec& c) : a(a_), b(b_), out(c.dtype) {
    const bool row = a.rank() == 1, column = b.rank() == 1;
    m = row ? 1 : a.dim(-2);
    k = a.dim(-1);
    n = column ? 1 : b.dim(-1);
    left = {nullptr, a.dtype(), row ? 0 : a.strides()[a.strides().size() - 2], a.strides().back()};
    right = {nullptr, b.dtype(), column ? b.strides()[0] : b.strides()[b.strides().size() - 2],
             column ? 0 : b.strides().back()};
    batch = Shape(c.shape.begin(), c.shape.end() - (row ? 0 : 1) - (column ? 0 : 1));
    left_step = steps(a);
    right_step = steps(b);
    fold_batch();
  }

  void bind() {
    left.data = a.read<std::byte>();
    right.data = b.read<std::byte>();
  }

  // Operands of matrix t.
  GemmOperand left_of(std::int64_t t) const { return moved(left, left_step, t); }
  GemmOperand right_of(std::int64_t t) const { return moved(right, right_step, t); }

 private:
  Strides steps(const Tensor& t) const {
    Strides s(batch.size(), 0);
    const int axes = std::max(0, t.rank() - 2);
    for (int d = 0; d < axes; ++d) {
      const std::size_t to = batch.size() - static_cast<std::size_t>(axes - d);
      if (t.dim(d) != 1) s[to] = t.strides()[static_cast<std::size_t>(d)];
    }
    return s;
  }

  // One b for the whole batch and rows of a that follow each other at one distance: a taller matrix.
  void fold_batch() {
    while (!batch.empty()) {
      const std::int64_t extent = batch.back();
      const bool one_b = std::all_of(right_step.begin(), right_step.end(), [](std::int64_t s) { return s == 0; });
      if (!one_b || (m != 1 && extent != 1 && left_step.back() != m * left.row)) return;
      if (m == 1) left.row = left_step.back();
      m *= extent;
      batch.pop_back();
      left_step.pop_back();
      right_step.pop_back();
    }
  }

  GemmOperand moved(GemmOperand x, const Strides& step, std::int64_t t) const {
    std::int64_t offset = 0;
    for (std::size_t d = batch.size(); d-- > 0; t /= batch[d]) offset += t % batch[d] * step[d];
    x.data = static_cast<const char*>(x.data) + offset * info(x.dtype).bytes;
    return x;
  }
};

// The rows of f32 sums become 16-bit values.
void round_to(Dtype out, const float* from, std::uint16_t* to, std::int64_t count) {
  const Element t = element_of(out);
  parallel_for(count, 1 << 16, [&](std::int64_t i, std::int64_t end) {
    PLUMB_DISPATCH(from_floats)(from + i, end - i, t, to + i);
  });
}

void multiply(const Product& p, std::int64_t t, std::byte* c) {
  const GemmOperand a = p.left_of(t), b = p.right_of(t);
  c += t * p.m * p.n * info(p.out).bytes;
  if (p.out == Dtype::f64) return gemm(p.m, p.n, p.k, a, b, reinterpret_cast<double*>(c), p.n);
  if (p.out == Dtype::c64) return gemm(p.m, p.n, p.k, a, b, reinterpret_cast<std::complex<float>*>(c), p.n);
  if (p.out == Dtype::f32) return gemm(p.m, p.n, p.k, a, b, reinterpret_cast<float*>(c), p.n);
  const RawRoom<float> sums(p.m * p.n);
  gemm(p.m, p.n, p.k, a, b, sums.get(), p.n);
  round_to(p.out, sums.get(), reinterpret_cast<std::uint16_t*>(c), p.m * p.n);
}

constexpr Limit kShared{"linalg.shared", 1 << 23, 512};  // flops of a matrix that threads share

// Calls f(t) for every matrix of the batch. Matrices too small to share are dealt out whole, one thread each.
template <class F>
void for_each_matrix(const Product& p, F&& f) {
  const std::int64_t matrices = count(p.batch), flops = 2 * p.m * p.n * p.k;
  const auto some = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) f(t);
  };
  if (flops >= kShared.of(flops)) return some(0, matrices);
  parallel_for(matrices, std::max<std::int64_t>(1, (1 << 18) / std::max<std::int64_t>(1, flops)), some);
}

void blocked(const Call& call, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  Product p(operand(call[0], out[0].dtype()), operand(call[1], out[0].dtype()), out[0].spec());
  p.bind();
  std::byte* const c = out[0].write<std::byte>();
  for_each_matrix(p, [&](std::int64_t t) { multiply(p, t, c); });
}

Order blocked_order(const Call& call) { return gemm_order(accumulator_of(promote(call.dtype(0), call.dtype(1)))); }

Product product_of(const Call& call) { return Product(call[0], call[1], output_specs(call)[0]); }

template <class T>
struct Thin;
template <>
struct Thin<float> {
  static auto direct() { return PLUMB_DISPATCH(linalg_direct_f32); }
  static auto sum_rows() { return PLUMB_DISPATCH(linalg_sum_rows_f32); }
  static auto dot_rows() { return PLUMB_DISPATCH(linalg_dot_rows_f32); }
};
template <>
struct Thin<double> {
  static auto direct() { return PLUMB_DISPATCH(linalg_direct_f64); }
  static auto sum_rows() { return PLUMB_DISPATCH(linalg_sum_rows_f64); }
  static auto dot_rows() { return PLUMB_DISPATCH(linalg_dot_rows_f64); }
};

template <class T>
void direct_of(const Product& p, T* c) {
  const auto f = Thin<T>::direct();
  const std::int64_t grain = std::max<std::int64_t>(8, (1 << 18) / (p.n * p.k));
  for_each_matrix(p, [&](std::int64_t t) {
    const GemmOperand a = p.left_of(t), b = p.right_of(t);
    parallel_for(p.m, grain, [&](std::int64_t i, std::int64_t end) {
      f(end - i, p.n, p.k, static_cast<const T*>(a.data) + i * a.row, a.row, a.column, static_cast<const T*>(b.data),
        b.row, c + (t * p.m + i) * p.n);
    });
  });
}

// A matrix times a vector, or the reverse, read as lines of the matrix: line l holds the terms of output l
// if `along`, else it is what term l adds to all outputs.
struct Lines {
  GemmOperand matrix, x;
  std::int64_t outputs, line, x_step;
  bool along;
};

bool adjacent(std::int64_t extent, std::int64_t stride) { return extent <= 1 || stride == 1; }

Lines lines_of(const Product& p, const GemmOperand& a, const GemmOperand& b) {
  if (p.n == 1) {
    const bool along = adjacent(p.k, a.column);
    return {a, b, p.m, along ? a.row : a.column, b.row, along};
  }
  const bool along = !adjacent(p.n, b.column);
  return {b, a, p.n, along ? b.column : b.row, a.column, along};
}

constexpr Limit kColumnBytes{"linalg.column_bytes", 4096, 16};  // of sums that stay in the first cache

template <class T>
void vector_of(const Product& p, T* y) {
  for (std::int64_t t = 0; t < count(p.batch); ++t, y += p.m * p.n) {
    const Lines l = lines_of(p, p.left_of(t), p.right_of(t));
    const T *matrix = static_cast<const T*>(l.matrix.data), *x = static_cast<const T*>(l.x.data);
    const std::int64_t grain = std::max<std::int64_t>(64, (1 << 17) / p.k);
    const auto bytes = static_cast<std::int64_t>(sizeof(T)), width = kColumnBytes.of(l.outputs * bytes) / bytes;
    Room<T> dense(l.along && l.x_step != 1 ? static_cast<std::size_t>(p.k) : 0);
    for (std::size_t i = 0; i < dense.size(); ++i) dense[i] = x[static_cast<std::int64_t>(i) * l.x_step];
    if (!dense.empty()) x = dense.data();
    parallel_for(l.outputs, grain, [&](std::int64_t i, std::int64_t end) {
      if (l.along) Thin<T>::dot_rows()(end - i, p.k, matrix + i * l.line, l.line, x, y + i);
      else Thin<T>::sum_rows()(end - i, p.k, x, l.x_step, matrix + i, l.line, width, y + i);
    });
  }
}

template <auto F32, auto F64>
void thin(const Call& call, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  Product p(call[0], call[1], out[0].spec());
  p.bind();
  if (out[0].dtype() == Dtype::f32) F32(p, out[0].write<float>());
  else F64(p, out[0].write<double>());
}

Order chain_order(const Call& call) {
  Order o;
  o.accumulator = call.dtype(0);
  o.fma = isa() != Isa::base;
  return o;
}

Order vector_order(const Call& call) {
  Order o = chain_order(call);
  const Product p = product_of(call);
  if (!lines_of(p, p.left, p.right).along) return o;
  o.shape = Order::Shape::lanes;
  o.lanes = PLUMB_DISPATCH(linalg_dot_lanes)(o.accumulator == Dtype::f64);
  return o;
}

bool is_thin(const Call& c) {
  return c.dtype(0) == c.dtype(1) && (c.dtype(0) == Dtype::f32 || c.dtype(0) == Dtype::f64);
}
bool has_terms(const Call& c) { return c.shape(0).back() > 0; }

bool is_vector(const Call& c) {
  const Product p = product_of(c);
  return p.m == 1 || p.n == 1;
}
bool has_lines(const Call& c) {
  const Product p = product_of(c);
  const GemmOperand& x = p.n == 1 ? p.left : p.right;
  return adjacent(p.n == 1 ? p.m : p.k, x.row) || adjacent(p.n == 1 ? p.k : p.n, x.column);
}
bool has_adjacent_columns(const Call& c) {
  const Product p = product_of(c);
  return adjacent(p.n, p.right.column);
}
// b stays in the second-level cache, and a is read in the order in which it lies.
bool is_small(const Call& c) {
  const Product p = product_of(c);
  constexpr std::int64_t elements = 1 << 14;
  return p.k * p.n <= elements && (adjacent(p.k, p.left.column) || p.m * p.k <= elements);
}

constexpr Condition kThin{Stage::shape_dtype, "the operands are neither both f32 nor both f64",
                          [](const Call& c, const Device&) { return is_thin(c); }};
constexpr Condition kTerms{Stage::shape_dtype, "there is nothing to add up",
                           [](const Call& c, const Device&) { return has_terms(c); }};
constexpr Condition kVector{Stage::shape_dtype, "neither operand is a vector",
                            [](const Call& c, const Device&) { return is_vector(c); }};
constexpr Condition kLines{Stage::storage, "neither rows nor columns of the matrix are adjacent in memory",
                           [](const Call& c, const Device&) { return has_lines(c); }};
constexpr Condition kColumns{Stage::storage, "the columns of b are not adjacent in memory",
                             [](const Call& c, const Device&) { return has_adjacent_columns(c); }};
constexpr Condition kSmall{Stage::shape_dtype, "b, or a whose columns are not adjacent, exceeds 2^14 elements",
                           [](const Call& c, const Device&) { return is_small(c); }};

}  // namespace

std::vector<Route> linalg_cpu_routes() {
  return {{.op = "matmul",
           .name = "cpu.vector",
           .supports = {kThin, kTerms, kVector, kLines},
           .prefers = {},
           .order = vector_order,
           .prepare = host<thin<vector_of<float>, vector_of<double>>>},
          {.op = "matmul",
           .name = "cpu.direct",
           .supports = {kThin, kTerms, kColumns},
           .prefers = {kSmall},
           .order = chain_order,
           .prepare = host<thin<direct_of<float>, direct_of<double>>>},
          {.op = "matmul",
           .name = "cpu.blocked",
           .supports = {},
           .prefers = {},
           .order = blocked_order,
           .prepare = host<blocked>}};
}

}  // namespace plumb
