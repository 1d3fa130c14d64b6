// Rotary position embedding: tables of cosines and sines, and lines that are turned by them.
#include "optimized/functions.h"

#include "optimized/element.h"
#include "optimized/vector.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// The pairs of a line whose two features lie h apart: both halves are runs.
template <class A>
void turn_halves(A* x, std::int64_t h, const A* cosine, const A* sine) {
  constexpr int lanes = Vector<A>::lanes;
  std::int64_t i = 0;
  for (; i + lanes <= h; i += lanes) {
    const auto u = load(x + i), v = load(x + h + i), c = load(cosine + i), s = load(sine + i);
    store(x + i, u * c - v * s);
    store(x + h + i, u * s + v * c);
  }
  for (; i < h; ++i) {
    const A u = x[i], v = x[h + i];
    x[i] = u * cosine[i] - v * sine[i];
    x[h + i] = u * sine[i] + v * cosine[i];
  }
}

template <class A>
void turn_neighbours(A* x, std::int64_t h, const A* cosine, const A* sine) {
  for (std::int64_t i = 0; i < h; ++i) {
    const A u = x[2 * i], v = x[2 * i + 1];
    x[2 * i] = u * cosine[i] - v * sine[i];
    x[2 * i + 1] = u * sine[i] + v * cosine[i];
  }
}

}  // namespace

// cosine[i] and sine[i] of position * rate[i], for i < n.
void angles_of(double position, const double* rate, std::int64_t n, double* cosine, double* sine) {
  for (std::int64_t i = 0; i < n; i += kF64) {
    double a[kF64] = {}, c[kF64], s[kF64];
    const std::int64_t m = n - i < kF64 ? n - i : kF64;
    for (std::int64_t j = 0; j < m; ++j) a[j] = position * rate[i + j];
    store(c, cos_of(load(a)));
    store(s, sin_of(load(a)));
    std::memcpy(cosine + i, c, static_cast<std::size_t>(m) * sizeof(double));
    std::memcpy(sine + i, s, static_cast<std::size_t>(m) * sizeof(double));
  }
}

void turn_floats(float* x, std::int64_t h, bool traditional, const float* cosine, const float* sine) {
  traditional ? turn_neighbours(x, h, cosine, sine) : turn_halves(x, h, cosine, sine);
}
void turn_doubles(double* x, std::int64_t h, bool traditional, const double* cosine, const double* sine) {
  traditional ? turn_neighbours(x, h, cosine, sine) : turn_halves(x, h, cosine, sine);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
