#include "optimized/array/conv/conv_operands.h"

#include "core/pool.h"
#include "optimized/array/operand.h"
#include "optimized/element_of.h"
#include "optimized/floats.h"

namespace plumb::cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 15;  // elements worth a thread

template <class T>
constexpr Dtype kType = sizeof(T) == 8 ? Dtype::f64 : Dtype::f32;

}  // namespace

template <class T>
RawRoom<T> converted(const Tensor& t, Dtype through) {
  RawRoom<T> out(t.size());
  if (t.size() == 0) return out;
  const bool halves = info(through).bytes == 2;
  if (halves && t.dtype() != through) {  // whole numbers are rounded to the half first
    const Tensor half({through, t.shape()});
    convert_into(t, through, half.write<std::byte>());
    convert_into(half, kType<T>, reinterpret_cast<std::byte*>(out.get()));
  } else if (halves && sizeof(T) == 4 && t.is_row_major()) {
    const auto* x = t.read<std::byte>();
    parallel_for(t.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      PLUMB_DISPATCH(to_floats)
      (element_of(through), x + 2 * begin, end - begin, reinterpret_cast<float*>(out.get()) + begin);
    });
  } else {
    convert_into(t, kType<T>, reinterpret_cast<std::byte*>(out.get()));
  }
  return out;
}

template <class T>
ChannelsLast<T>::ChannelsLast(const Tensor& t) : kept_(t), where_(conv::strided(t)) {
  if (t.dtype() == kType<T> && (where_.channel == 1 || t.dim(-1) <= 1 || t.rank() == 1)) {
    data_ = t.read<T>();
    return;
  }
  copy_ = converted<T>(t, t.dtype());
  data_ = copy_.get();
  const Strides dense = row_major(t.shape());
  const std::int64_t rank = t.rank() - 2;
  where_ = {};
  if (rank < 0) where_.axis[2] = 1;
  else where_.batch = dense[0];
  for (std::int64_t d = 0; d < rank; ++d)
    where_.axis[static_cast<std::size_t>(3 - rank + d)] = dense[static_cast<std::size_t>(1 + d)];
}

template class ChannelsLast<float>;
template class ChannelsLast<double>;
template RawRoom<float> converted(const Tensor&, Dtype);
template RawRoom<double> converted(const Tensor&, Dtype);

}  // namespace plumb::cpu
