#include "optimized/nn/rows.h"

namespace plumb::nn {

Tensor operand(const Tensor& t, Dtype as) {
  if (is_real(t.dtype()) && promote(t.dtype(), as) == as) return t;
  return narrow(widen(t), as);
}

Lines::Lines(const Tensor& t)
    : n(t.dim(-1)),
      type(element_of(t.dtype())),
      bytes(info(t.dtype()).bytes),
      step(t.strides().back()),
      of_(t),
      first_(t.read<std::byte>()) {
  for (int d = 0; d + 1 < t.rank(); ++d) count *= t.dim(d);
}

const std::byte* Lines::line(std::int64_t l) const {
  std::int64_t at = 0;
  for (std::size_t d = of_.shape().size() - 1; d-- > 0; l /= of_.shape()[d])
    at += l % of_.shape()[d] * of_.strides()[d];
  return first_ + at * bytes;
}

std::vector<double> vector_or(const Tensor* t, Dtype as, std::int64_t n, double otherwise) {
  std::vector<double> v(static_cast<std::size_t>(n), otherwise);
  if (!t) return v;
  const Tensor given = operand(*t, as);
  read(element_of(given.dtype()), given.read<std::byte>(), given.strides()[0], n, v.data());
  return v;
}

}  // namespace plumb::nn
