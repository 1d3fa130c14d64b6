// Judges a matrix product of your own against the reference: every layout, special value and awkward size that the row
// of `matmul` states, each with the error bound that follows from what the kernel declares of its arithmetic.
#include <cmath>
#include <cstdio>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/gate.h"

using namespace plumb;

namespace {

// The kernel. c = a b, (m, k) x (k, n) -> (m, n), dense and row-major.
void my_gemm(const float* a, const float* b, float* c, std::int64_t m, std::int64_t k, std::int64_t n) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (std::int64_t p = 0; p < k; ++p) sum = std::fma(a[i * k + p], b[p * n + j], sum);
      c[i * n + j] = sum;
    }
}

// What connects it with a call: inputs come as tensors of any layout, outputs are row-major and not yet written.
void multiply(const Call& call, std::vector<Tensor>& out) {
  const Tensor a = contiguous(call["a"]), b = contiguous(call["b"]);
  my_gemm(a.read<float>(), b.read<float>(), out[0].write<float>(), a.dim(0), a.dim(1), b.dim(1));
}

// The same with a mistake that is made easily: sums begin with what the output happens to hold.
void accumulate(const Call& call, std::vector<Tensor>& out) {
  const Tensor a = contiguous(call["a"]), b = contiguous(call["b"]), old = contiguous(out[0]);
  const std::vector<float> before(old.read<float>(), old.read<float>() + old.size());
  multiply(call, out);
  for (std::size_t i = 0; i < before.size(); ++i) out[0].write<float>()[i] += before[i];
}

// A promise, from which the bound is derived: k terms one after the other in f32, product and sum rounded once.
Order one_after_the_other(const Call&) {
  Order order;
  order.shape = Order::Shape::sequential, order.accumulator = Dtype::f32, order.fma = true;
  return order;
}

// What the kernel is for. Calls outside are refused with these words, and are not judged.
const std::vector<Condition> kServes = {
    {Stage::shape_dtype, "an operand is not f32",
     [](const Call& c, const Device&) { return c.dtype(0) == Dtype::f32 && c.dtype(1) == Dtype::f32; }},
    {Stage::shape_dtype, "an operand is no matrix",
     [](const Call& c, const Device&) { return c.rank(0) == 2 && c.rank(1) == 2; }},
};

int failures_of(const Route& route) {
  int passed = 0, failed = 0, refused = 0;
  double worst = 0;
  const Op& op = find_op(route.op);
  for (const Case& c : cases_of(op, Budget::smoke)) {
    const Verdict v = Judge(op, c).on(route, device_of(route));
    if (v.status == Status::refused) ++refused;
    else if (v.status == Status::pass) ++passed, worst = std::fmax(worst, v.worst.ratio);
    else if (++failed == 1) std::printf("  first failure: %s\n    %s\n", id(op, c).c_str(), v.reason.c_str());
  }
  std::printf("%s: %d passed, %d failed, %d refused, largest error %.2g of the allowed one\n",
              std::string(route.name).c_str(), passed, failed, refused, worst);
  return passed > 0 ? failed : -1;
}

}  // namespace

int main() {
  install_families();
  Route mine;
  mine.op = "matmul", mine.name = "mine";
  mine.supports = kServes, mine.order = one_after_the_other;
  mine.prepare = host<multiply>;
  const bool right = failures_of(mine) == 0;
  mine.name = "mine, adding to old output";
  mine.prepare = host<accumulate>;
  return right && failures_of(mine) > 0 ? 0 : 1;
}
