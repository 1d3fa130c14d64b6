// Means of groups of feature rows: each sum in row order, in float.
#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

inline bool finite(f32v v) {
  const i32v bad = (i32v)(v - v != 0.0F);
  std::int64_t words[sizeof bad / 8], any = 0;
  std::memcpy(words, &bad, sizeof bad);
  for (const std::int64_t w : words) any |= w;
  return any == 0;
}

// Channels [c, c + n) of the mean of rows, n at most a vector.
template <class T>
void mean_of(const T* x, const std::int32_t* rows, std::int64_t count, std::int64_t channels, std::int64_t c,
             std::int64_t n, T* out) {
  f32v sum = load_values(x + rows[0] * channels + c, n), least = sum, most = sum;
  for (std::int64_t j = 1; j < count; ++j) {
    const f32v v = load_values(x + rows[j] * channels + c, n);
    sum = sum + v;
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  const f32v terms = splat(static_cast<float>(count));
  f32v mean = sum / terms;
  if (!finite(mean)) {  // such lanes are summed again, scaled
    f32v again = {};
    for (std::int64_t j = 0; j < count; ++j) again += load_values(x + rows[j] * channels + c, n) * splat(0x1p-32F);
    mean = mean - mean == 0.0F ? mean : again / terms * splat(0x1p32F);
  }
  // Rounding may leave the range of the values.
  mean = mean < least ? least : mean;
  store_values(out + c, mean > most ? most : mean, n);
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
  else means(static_cast<const float*>(x), starts, members, begin, end, channels, static_cast<float*>(out));
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
