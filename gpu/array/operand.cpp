#include "gpu/array/operand.h"

#include <algorithm>
#include <utility>

namespace plumb::gpu {
namespace {

std::int64_t stride_along(const Tensor& t, std::size_t back) {  // back: axes counted from the last
  if (back >= t.shape().size() || t.shape()[t.shape().size() - 1 - back] == 1) return 0;
  return t.strides()[t.shape().size() - 1 - back];
}

bool continues(const OperandAxis& inner, const OperandAxis& outer) {
  for (std::size_t k = 0; k < inner.steps.size(); ++k)
    if (outer.steps[k] != inner.steps[k] * inner.size) return false;
  return true;
}

}  // namespace

std::vector<OperandAxis> operand_axes(const std::vector<Tensor>& operands, const Shape& out) {
  std::vector<OperandAxis> axes;
  for (std::size_t back = 0; back < out.size(); ++back) {
    OperandAxis x{out[out.size() - 1 - back], {}};
    if (x.size == 1) continue;
    for (const Tensor& t : operands) x.steps.push_back(stride_along(t, back));
    if (!axes.empty() && continues(axes.back(), x)) axes.back().size *= x.size;
    else axes.push_back(std::move(x));
  }
  return axes;
}

BufferPtr geometry(const std::vector<OperandAxis>& axes, std::size_t operands) {
  std::vector<std::int64_t> all((1 + operands) * kOperandAxes, 0);
  std::fill_n(all.begin(), kOperandAxes, 1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    all[i] = axes[i].size;
    for (std::size_t k = 0; k < operands; ++k) all[(1 + k) * kOperandAxes + i] = axes[i].steps[k];
  }
  return constants(all);
}

}  // namespace plumb::gpu
