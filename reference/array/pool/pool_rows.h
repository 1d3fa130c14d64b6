// What the rows of dense pooling and of its gradients share.
#pragma once

#include <cmath>

#include "reference/array/conv/windows.h"

namespace plumb::reference {

enum class DensePooling : std::uint8_t { max, avg };

// Of the input element that each output element takes, or -1 where its window holds none: the first of the greatest,
// a NaN being greater than any number.
template <class T>
std::vector<std::int64_t> chosen(const DensePool& p, const Array<T>& x) {
  const std::int64_t N = p.axis[0].n * p.axis[1].n * p.axis[2].n;
  std::vector<std::int64_t> all;
  for (std::int64_t b = 0; b < p.batch; ++b)
    for_each_position(p.axis, [&](const auto& o) {
      for (std::int64_t c = 0; c < p.channels; ++c) {
        std::int64_t best = -1;
        for_each_tap(p.axis, o, [&](std::int64_t, std::int64_t i) {
          const std::int64_t at = (b * N + i) * p.channels + c;
          const bool nan = x[at] != x[at];
          if (best < 0 || x[at] > x[best] || (nan && x[best] == x[best])) best = at;
        });
        all.push_back(best);
      }
    });
  return all;
}

// A sum by the number of taps; far above, by way of smaller numbers, since the parts of a Double2 would overflow.
inline double quotient(double sum, std::int64_t taps) { return sum / static_cast<double>(taps); }
inline Double2 quotient(Double2 sum, std::int64_t taps) {
  if (!std::isfinite(sum.hi)) return sum;
  const Double2 n(static_cast<double>(taps));
  return std::abs(sum.hi) < 0x1p900 ? sum / n : sum * Double2(0x1p-64) / n * Double2(0x1p64);
}

// f(output element, input element) of every window, element by element
template <class F>
void for_each_member(const DensePool& p, F&& f) {
  const std::int64_t N = p.axis[0].n * p.axis[1].n * p.axis[2].n;
  std::int64_t at = 0;
  for (std::int64_t b = 0; b < p.batch; ++b)
    for_each_position(p.axis, [&](const auto& o) {
      for (std::int64_t c = 0; c < p.channels; ++c, ++at)
        for_each_tap(p.axis, o, [&](std::int64_t, std::int64_t i) { f(at, (b * N + i) * p.channels + c); });
    });
}

// Sums of at most n terms whose quotient by the taps has that value and magnitude.
std::vector<Allowances> mean_bound(const Wide& want, const Wide& G, std::int64_t n, std::int64_t taps, const Order&,
                                   Dtype out);

// Patterns: {pooled} the attributes; extents of one, two or three axes.
extern const char* const kPoolExtents[3];
extern const char* const kPoolSignature[3];  // "input T[N,L,C] "
extern const char* const kPoolOutput[3];     // "T[N,R,C]"
extern const char* const kPoolRefusals;
const Attrs& pool_attrs();

}  // namespace plumb::reference
