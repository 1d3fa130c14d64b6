// The pointwise projection on the CPU: products of the blocked gemm. A gradient of weights is a product with few rows
// and columns and a long sum, so it is cut into parts that run side by side.
#include <algorithm>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/linalg/gemm.h"
#include "optimized/sparse/conv/gather_product.h"

namespace plumb {
namespace {

enum : std::size_t { kFeatures, kWeight, kCotangent };

struct Matrix {
  std::int64_t rows, columns;
  GemmOperand operand;

  explicit Matrix(const Tensor& t)
      : rows(t.dim(0)),
        columns(t.dim(1)),
        operand{t.size() > 0 ? t.read<std::byte>() : nullptr, t.dtype(), t.strides()[0], t.strides()[1]} {}
  Matrix transposed() const {
    Matrix m = *this;
    std::swap(m.rows, m.columns);
    std::swap(m.operand.row, m.operand.column);
    return m;
  }
};

void store(const Room<float>& from, const Tensor& to) {
  cpu::store_floats(from.data(), to.size(), to.dtype(), to.write<std::byte>(), 0);
}

void multiply(const Matrix& a, const Matrix& b, const Tensor& out) {
  if (out.size() == 0) return;
  if (out.dtype() == Dtype::f32)
    return gemm(a.rows, b.columns, a.columns, a.operand, b.operand, out.write<float>(), b.columns);
  Room<float> sums(static_cast<std::size_t>(out.size()));
  gemm(a.rows, b.columns, a.columns, a.operand, b.operand, sums.data(), b.columns);
  store(sums, out);
}

constexpr Limit kRows{"pointwise.rows", 4096, 8}, kMaxParts{"pointwise.parts", 128, 3};  // rows of a part, and parts

// a^T b over the rows of both
void multiply_rows(const Matrix& a, const Matrix& b, const Tensor& out) {
  if (out.size() == 0) return;
  const std::int64_t n = a.rows, wanted = n / kRows.of(n),
                     parts = std::clamp<std::int64_t>(wanted, 1, kMaxParts.of(wanted)), cell = out.size();
  Room<float> partial(static_cast<std::size_t>(parts * cell)), sums(static_cast<std::size_t>(cell), 0.0F);
  const std::int64_t bytes = info(out.dtype()).bytes;
  const auto from = [bytes](const GemmOperand& o, std::int64_t row) {
    return GemmOperand{static_cast<const std::byte*>(o.data) + row * o.row * bytes, o.dtype, o.row, o.column};
  };
  parallel_each(parts, [&](std::int64_t p) {
    const std::int64_t first = n * p / parts, count = n * (p + 1) / parts - first;
    const GemmOperand left = from(a.operand, first);
    gemm(a.columns, b.columns, count, {left.data, left.dtype, left.column, left.row}, from(b.operand, first),
         partial.data() + p * cell, b.columns);
  });
  for (std::int64_t p = 0; p < parts; ++p)
    for (std::int64_t i = 0; i < cell; ++i)
      sums[static_cast<std::size_t>(i)] += partial[static_cast<std::size_t>(p * cell + i)];
  store(sums, out);
}

void projection(const Call& call, std::vector<Tensor>& out) {
  multiply(Matrix(call[kFeatures]), Matrix(call[kWeight]).transposed(), out[0]);
}

void projection_vjp(const Call& call, std::vector<Tensor>& out) {
  multiply(Matrix(call[kCotangent]), Matrix(call[kWeight]), out[0]);
  multiply_rows(Matrix(call[kCotangent]), Matrix(call[kFeatures]), out[1]);
}

Order order(const Call&) { return gemm_order(Dtype::f32); }

// One chain is the longest of the orders that occur: parts are added in fewer steps than there are terms.
Order vjp_order(const Call&) {
  Order o;
  o.fma = gemm_order(Dtype::f32).fma;
  return o;
}

}  // namespace

std::vector<Route> pointwise_cpu_routes() {
  return {{.op = "pointwise_projection",
           .name = "cpu.blocked",
           .supports = {},
           .prefers = {},
           .order = order,
           .prepare = host<projection>},
          {.op = "pointwise_projection_vjp",
           .name = "cpu.blocked",
           .supports = {},
           .prefers = {},
           .order = vjp_order,
           .prepare = host<projection_vjp>}};
}

}  // namespace plumb
