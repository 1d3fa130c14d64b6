#include "optimized/linalg/products/vecdot.h"

#include <algorithm>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/array/operand.h"
#include "optimized/dispatch.h"
#include "optimized/linalg/thin.h"
#include "plans/linalg/products/tensor.h"

namespace plumb {
namespace {

// Vectors of adjacent elements of T, copied there if they are something else.
template <class T>
class Vectors {
 public:
  Vectors(const Tensor& t, Dtype as)
      : t_(t), data_(t.read<std::byte>()), bytes_(info(t.dtype()).bytes), step_(t.strides().back()), k_(t.dim(-1)) {
    if (t.dtype() != as || (step_ != 1 && k_ > 1)) convert_ = converter(t.dtype(), as);
  }
  // Of the pair whose number in row-major order of the batch is i.
  const T* at(std::int64_t i, const Shape& batch, RawRoom<T>& room) const {
    std::int64_t offset = 0;
    for (std::size_t d = batch.size(); d-- > 0; i /= batch[d])
      if (t_.shape()[d] != 1) offset += i % batch[d] * t_.strides()[d];
    const std::byte* from = data_ + offset * bytes_;
    if (!convert_) return reinterpret_cast<const T*>(from);
    convert_(from, step_, room.get(), k_);
    return room.get();
  }

 private:
  const Tensor& t_;
  const std::byte* data_;
  std::int64_t bytes_, step_, k_;
  Convert convert_ = nullptr;
};

constexpr Limit kPairElements{"vecdot.pair_elements", 1 << 15, 16};  // worth a thread

template <class T, class Dot>
void each(const Tensor& a, const Tensor& b, const Spec& out, Dot dot, T* y) {
  const Dtype as = sizeof(T) == 4 ? Dtype::f32 : Dtype::f64;
  const Vectors<T> left(a, as), right(b, as);
  const std::int64_t k = a.dim(-1), n = count(out.shape);
  const std::int64_t grain = std::max<std::int64_t>(1, kPairElements.of(n * k) / std::max<std::int64_t>(1, k));
  parallel_for(n, grain, [&](std::int64_t i, std::int64_t end) {
    RawRoom<T> x(k), z(k);
    for (; i < end; ++i) dot(1, k, left.at(i, out.shape, x), k, right.at(i, out.shape, z), y + i);
  });
}

void vecdot(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const auto [a, b] = products::dotted(c, c[0], c[1]);
  const Spec spec = out[0].spec();
  if (spec.dtype == Dtype::f64)
    return each<double>(a, b, spec, PLUMB_DISPATCH(linalg_dot_rows_f64), out[0].write<double>());
  if (spec.dtype == Dtype::f32)
    return each<float>(a, b, spec, PLUMB_DISPATCH(linalg_dot_rows_f32), out[0].write<float>());
  const Tensor sums(Spec{Dtype::f32, spec.shape});
  each<float>(a, b, spec, PLUMB_DISPATCH(linalg_dot_rows_f32), sums.write<float>());
  convert_into(sums, spec.dtype, out[0].write<std::byte>());
}

Order lanes(const Call& c) {
  Order o;
  o.accumulator = output_specs(c)[0].dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = isa() != Isa::base;
  o.shape = Order::Shape::lanes;
  o.lanes = PLUMB_DISPATCH(linalg_dot_lanes)(o.accumulator == Dtype::f64);
  return o;
}

// The elements of an operand are exact in the type of the sum, without the rounding of a promotion.
bool exact(Dtype t, Dtype out) { return t == out || (out == Dtype::f32 && (t == Dtype::f16 || t == Dtype::bf16)); }

constexpr Condition kReal{Stage::shape_dtype, "the result is neither f16, bf16, f32 nor f64",
                          [](const Call& c, const Device&) {
                            const Dtype t = output_specs(c)[0].dtype;
                            return is_inexact(t) && t != Dtype::c64;
                          }};
constexpr Condition kExact{Stage::shape_dtype, "an operand is rounded first", [](const Call& c, const Device&) {
                             const Dtype t = output_specs(c)[0].dtype;
                             return exact(c.dtype(0), t) && exact(c.dtype(1), t);
                           }};

}  // namespace

Route vecdot_cpu_route() {
  Route r;
  r.op = "vecdot", r.name = "cpu.lanes";
  r.supports = {kReal, kExact};
  r.order = lanes;
  r.prepare = host<vecdot>;
  return r;
}

}  // namespace plumb
