#include "optimized/array/conv/conv_operands.h"

#include "core/pool.h"
#include "optimized/array/operand.h"
#include "optimized/element_of.h"
#include "optimized/floats.h"
#include "optimized/nest.h"

namespace plumb::cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 15;  // elements worth a thread

// Row-major copies, each element by one conversion.
void copy_as(const Tensor& t, Dtype to, void* out) {
  const auto loops = nest<2>(t.shape(), {t.strides(), row_major(t.shape())});
  const Convert f = converter(t.dtype(), to);
  const std::int64_t from_bytes = info(t.dtype()).bytes, to_bytes = info(to).bytes;
  const auto* x = t.read<std::byte>();
  auto* y = static_cast<std::byte*>(out);
  parallel_for(t.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for_runs(loops, begin, end, [&](const std::array<std::int64_t, 2>& at, std::int64_t n) {
      f(x + at[0] * from_bytes, loops.strides[0].back(), y + at[1] * to_bytes, n);
    });
  });
}

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
    copy_as(t, through, half.write<std::byte>());
    copy_as(half, kType<T>, out.get());
  } else if (halves && sizeof(T) == 4 && t.is_row_major()) {
    const auto* x = t.read<std::byte>();
    parallel_for(t.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      PLUMB_DISPATCH(to_floats)
      (element_of(through), x + 2 * begin, end - begin, reinterpret_cast<float*>(out.get()) + begin);
    });
  } else {
    copy_as(t, kType<T>, out.get());
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
