#include "core/unrounded.h"

#include <algorithm>

namespace plumb {
namespace {

thread_local const Unrounded* innermost = nullptr;

}  // namespace

const Wide* before_rounding(const Tensor& t) { return innermost ? innermost->find(t) : nullptr; }

Unrounded::Unrounded(const std::vector<Tensor>& tensors, const std::vector<Wide>& values)
    : tensors_(tensors), values_(values), outer_(innermost) {
  innermost = this;
}
Unrounded::~Unrounded() { innermost = outer_; }

const Wide* Unrounded::find(const Tensor& t) const {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& known = tensors_[i];
    const bool same = known.defined() && &known.storage() == &t.storage() && known.dtype() == t.dtype() &&
                      known.offset_bytes() == t.offset_bytes() && known.shape() == t.shape() &&
                      known.strides() == t.strides();
    if (same) return &values_[i];
  }
  return nullptr;
}

Wide alternative_of(const Wide& w, Dtype dtype) {
  if (const auto* a = std::get_if<Reals>(&w); a && dtype == Dtype::f64) {
    Reals2 wide(a->shape);
    std::copy(a->data.begin(), a->data.end(), wide.data.begin());
    return wide;
  }
  if (const auto* a = std::get_if<Reals2>(&w); a && is_real(dtype) && dtype != Dtype::f64) {
    Reals narrower(a->shape);
    for (std::int64_t i = 0; i < narrower.size(); ++i) narrower[i] = (*a)[i].hi;
    return narrower;
  }
  return w;
}

}  // namespace plumb
