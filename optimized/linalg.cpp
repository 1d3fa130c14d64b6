// CPU routes of the dense products.
#include <algorithm>
#include <complex>
#include <memory>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/gemm.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void linalg_round_bf16(const float* from, std::uint16_t* to, std::int64_t n))
PLUMB_DECLARE_SIMD(void linalg_round_f16(const float* from, std::uint16_t* to, std::int64_t n))

namespace {

Dtype accumulator_of(Dtype out) { return out == Dtype::f64 || out == Dtype::c64 ? out : Dtype::f32; }

// What the gemm cannot read by itself is converted first; f16 and bf16 become f32 while they are packed.
Tensor operand(const Tensor& t, Dtype out) {
  if (t.dtype() == out) return t;
  if (out == Dtype::f32 && (t.dtype() == Dtype::f16 || t.dtype() == Dtype::bf16)) return t;
  return narrow(widen_as(t, out), out);
}

const void* first_element(const Tensor& t) { return t.read<std::byte>(); }

// A product of two batches of matrices as strides: a vector is a matrix of one row or one column.
struct Product {
  Tensor a, b;  // keep the storage alive
  Dtype out;
  std::int64_t m, n, k;
  GemmOperand left, right;
  Shape batch;
  Strides left_step, right_step;  // per axis of the batch, 0 where it is broadcast

  Product(const Call& call, const Tensor& c) : a(operand(call[0], c.dtype())), b(operand(call[1], c.dtype())) {
    const bool row = a.rank() == 1, column = b.rank() == 1;
    out = c.dtype();
    m = row ? 1 : a.dim(-2);
    k = a.dim(-1);
    n = column ? 1 : b.dim(-1);
    left = {first_element(a), a.dtype(), row ? 0 : a.strides()[a.strides().size() - 2], a.strides().back()};
    right = {first_element(b), b.dtype(), column ? b.strides()[0] : b.strides()[b.strides().size() - 2],
             column ? 0 : b.strides().back()};
    batch = Shape(c.shape().begin(), c.shape().end() - (row ? 0 : 1) - (column ? 0 : 1));
    left_step = steps(a);
    right_step = steps(b);
    fold_batch();
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
  const auto round = out == Dtype::f16 ? PLUMB_DISPATCH(linalg_round_f16) : PLUMB_DISPATCH(linalg_round_bf16);
  parallel_for(count, 1 << 16, [&](std::int64_t i, std::int64_t end) { round(from + i, to + i, end - i); });
}

void multiply(const Product& p, std::int64_t t, std::byte* c) {
  const GemmOperand a = p.left_of(t), b = p.right_of(t);
  c += t * p.m * p.n * info(p.out).bytes;
  if (p.out == Dtype::f64) return gemm(p.m, p.n, p.k, a, b, reinterpret_cast<double*>(c), p.n);
  if (p.out == Dtype::c64) return gemm(p.m, p.n, p.k, a, b, reinterpret_cast<std::complex<float>*>(c), p.n);
  if (p.out == Dtype::f32) return gemm(p.m, p.n, p.k, a, b, reinterpret_cast<float*>(c), p.n);
  const std::unique_ptr<float[]> sums(new float[static_cast<std::size_t>(p.m * p.n)]);
  gemm(p.m, p.n, p.k, a, b, sums.get(), p.n);
  round_to(p.out, sums.get(), reinterpret_cast<std::uint16_t*>(c), p.m * p.n);
}

// Matrices too small to share are dealt out whole, one thread each.
void blocked(const Call& call, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Product p(call, out[0]);
  std::byte* const c = out[0].write<std::byte>();
  const std::int64_t matrices = count(p.batch), flops = 2 * p.m * p.n * p.k;
  const auto some = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) multiply(p, t, c);
  };
  if (flops >= 1 << 23) return some(0, matrices);
  parallel_for(matrices, std::max<std::int64_t>(1, (1 << 18) / std::max<std::int64_t>(1, flops)), some);
}

Order blocked_order(const Call& call) {
  return gemm_order(accumulator_of(promote(call.dtype(0), call.dtype(1))));
}

}  // namespace

std::vector<Route> linalg_cpu_routes() {
  return {{.op = "matmul",
           .name = "cpu.blocked",
           .tier = Tier::unavailable,
           .needs = Tier::unavailable,
           .supports = {},
           .prefers = {},
           .order = blocked_order,
           .prepare = host<blocked>}};
}

}  // namespace plumb
