// Sums down feature columns, normalisation by column statistics, and of rows by their own; all in binary64.
#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class T>
void sums_down(const T* x, std::int64_t rows, std::int64_t channels, const double* centre, double* sums) {
  for (std::int64_t c = 0; c < channels; ++c) sums[c] = 0;
  for (std::int64_t r = 0; r < rows; ++r, x += channels) {
    std::int64_t c = 0;
    for (; c + kF32 <= channels; c += kF32) {
      const Values v = load_wide(x + c);
      for (int h = 0; h < 2; ++h) {
        double* s = sums + c + h * kF64;
        const f64v d = centre ? v.part[h] - load(centre + c + h * kF64) : v.part[h];
        store(s, load(s) + (centre ? d * d : d));
      }
    }
    if (c == channels) continue;
    double rest[kF32];
    std::memcpy(rest, load_wide(x + c, channels - c).part, sizeof rest);
    for (std::int64_t j = 0; c < channels; ++c, ++j) {
      const double d = centre ? rest[j] - centre[c] : rest[j];
      sums[c] += centre ? d * d : d;
    }
  }
}

template <class T>
void scale_columns(const T* x, std::int64_t rows, std::int64_t channels, const double* mean, const double* scale,
                   const double* bias, T* out) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, out += channels)
    for (std::int64_t c = 0; c < channels; c += kF32) {
      const std::int64_t n = channels - c;
      Values v = load_wide(x + c, n);
      for (int h = 0; h < 2; ++h) {  // the vectors reach to a whole register
        const std::int64_t at = c + h * kF64;
        v.part[h] = (v.part[h] - load(mean + at)) * load(scale + at) + load(bias + at);
      }
      store_wide(out + c, v, n);
    }
}

// The sum of all lanes, pairwise.
double total(const Values& v) {
  double s[kF32];
  std::memcpy(s, v.part, sizeof s);
  for (int step = kF32 / 2; step > 0; step /= 2)
    for (int i = 0; i < step; ++i) s[i] += s[i + step];
  return s[0];
}

// The sum of x - centre, or of its square, over a row, in kF32 interleaved sums.
template <bool squared, class T>
double row_sum(const T* x, std::int64_t channels, double centre) {
  Values sum = {};
  std::int64_t c = 0;
  for (; c + kF32 <= channels; c += kF32) {
    const Values v = load_wide(x + c);
    for (int h = 0; h < 2; ++h) {
      const f64v d = v.part[h] - centre;
      sum.part[h] += squared ? d * d : d;
    }
  }
  if (c < channels) {
    double rest[kF32], more[kF32] = {};
    std::memcpy(rest, load_wide(x + c, channels - c).part, sizeof rest);
    for (std::int64_t j = 0; j < channels - c; ++j)
      more[j] = squared ? (rest[j] - centre) * (rest[j] - centre) : rest[j] - centre;
    Values last;
    std::memcpy(last.part, more, sizeof more);
    for (int h = 0; h < 2; ++h) sum.part[h] += last.part[h];
  }
  return total(sum);
}

template <class T>
void rows_normalised(const T* x, std::int64_t rows, std::int64_t channels, bool centred, double eps,
                     const double* scale, const double* bias, T* out) {
  const auto n = static_cast<double>(channels);
  for (std::int64_t r = 0; r < rows; ++r, x += channels, out += channels) {
    const double m = centred ? row_sum<false>(x, channels, 0) / n : 0;
    const double s = 1.0 / __builtin_sqrt(row_sum<true>(x, channels, m) / n + eps);
    for (std::int64_t c = 0; c < channels; c += kF32) {
      Values v = load_wide(x + c, channels - c);
      for (int h = 0; h < 2; ++h) {
        const std::int64_t at = c + h * kF64;
        v.part[h] = (v.part[h] - m) * s * load(scale + at) + load(bias + at);
      }
      store_wide(out + c, v, channels - c);
    }
  }
}

}  // namespace

int norm_lanes() { return kF32; }

// sums[c] = sum over the rows of x - centre squared, or of x if there is no centre
void column_sums(bool half, const void* x, std::int64_t rows, std::int64_t channels, const double* centre,
                 double* sums) {
  if (half) sums_down(static_cast<const std::uint16_t*>(x), rows, channels, centre, sums);
  else sums_down(static_cast<const float*>(x), rows, channels, centre, sums);
}

// out = (x - mean) * scale + bias by columns. The vectors are readable up to a whole register.
void column_norm(bool half, const void* x, std::int64_t rows, std::int64_t channels, const double* mean,
                 const double* scale, const double* bias, void* out) {
  if (half)
    scale_columns(static_cast<const std::uint16_t*>(x), rows, channels, mean, scale, bias,
                  static_cast<std::uint16_t*>(out));
  else scale_columns(static_cast<const float*>(x), rows, channels, mean, scale, bias, static_cast<float*>(out));
}

// out = (x - m) / sqrt(v + eps) * scale + bias, m and v of each row; m = 0 unless centred.
void row_norm(bool half, const void* x, std::int64_t rows, std::int64_t channels, bool centred, double eps,
              const double* scale, const double* bias, void* out) {
  if (half)
    rows_normalised(static_cast<const std::uint16_t*>(x), rows, channels, centred, eps, scale, bias,
                    static_cast<std::uint16_t*>(out));
  else
    rows_normalised(static_cast<const float*>(x), rows, channels, centred, eps, scale, bias, static_cast<float*>(out));
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
