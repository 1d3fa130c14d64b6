// Means of groups of feature rows: each sum in row order, in float.
#include "optimized/float_values.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// Channels [c, c + n) of the mean of rows, n at most a vector.
template <class T>
void mean_of(const T* x, const std::int32_t* rows, std::int64_t count, std::int64_t channels, std::int64_t c,
             std::int64_t n, T* out) {
  f32v sum = {};
  for (std::int64_t j = 0; j < count; ++j) {
    const f32v v = load_values(x + rows[j] * channels + c, n);
    sum = j == 0 ? v : sum + v;
  }
  store_values(out + c, sum / splat(static_cast<float>(count)), n);
}

template <class T>
void means(const T* x, const std::int32_t* starts, const std::int32_t* members, std::int64_t begin, std::int64_t end,
           std::int64_t channels, T* out) {
  for (std::int64_t o = begin; o < end; ++o) {
    const std::int32_t* rows = members + starts[o];
    const std::int64_t count = starts[o + 1] - starts[o];
    if (count == 1 && channels > 0) {
      std::memcpy(out + o * channels, x + rows[0] * channels, static_cast<std::size_t>(channels) * sizeof(T));
      continue;
    }
    for (std::int64_t c = 0; c < channels; c += kF32)
      mean_of(x, rows, count, channels, c, channels - c < kF32 ? channels - c : kF32, out + o * channels);
  }
}

}  // namespace

void mean_rows(bool half, const void* x, const std::int32_t* starts, const std::int32_t* members, std::int64_t begin,
               std::int64_t end, std::int64_t channels, void* out) {
  if (half)
    means(static_cast<const std::uint16_t*>(x), starts, members, begin, end, channels,
          static_cast<std::uint16_t*>(out));
  else
    means(static_cast<const float*>(x), starts, members, begin, end, channels, static_cast<float*>(out));
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
