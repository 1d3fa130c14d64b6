// Ranges and windows over vectors of doubles, a tile of which begins at some index.
#include "optimized/array/scalar/lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr double kLane[8] = {0, 1, 2, 3, 4, 5, 6, 7};

// f(i) for the indices from `first` on, as doubles or as floats; whole vectors of either.
template <class F>
void each(double first, std::int64_t n, bool narrow, void* y, F f) {
  const F64 lanes = at<F64>(kLane, 0);
  for (std::int64_t k = 0; k < n; k += kF32) {
    const F64 i = lanes + (first + static_cast<double>(k));
    const F64 low = f(i), high = f(i + kF64);
    if (!narrow) {
      set<F64>(y, k, low), set<F64>(y, k + kF64, high);
      continue;
    }
    const f32h half[2] = {__builtin_convertvector(low, f32h), __builtin_convertvector(high, f32h)};
    std::memcpy(static_cast<float*>(y) + k, half, sizeof half);
  }
}

}  // namespace

void whole_range(std::uint64_t start, std::uint64_t step, std::int64_t first, std::int64_t n, std::uint64_t* y) {
  for (std::int64_t k = 0; k < n; ++k) y[k] = start + static_cast<std::uint64_t>(first + k) * step;
}

void real_range(double start, double step, std::int64_t first, std::int64_t n, bool narrow, void* y) {
  each(static_cast<double>(first), n, narrow, y, [=](F64 i) { return start + i * step; });
}

void even_range(double start, double stop, double divisions, std::int64_t first, std::int64_t n, bool narrow, void* y) {
  each(static_cast<double>(first), n, narrow, y, [=](F64 i) {
    const F64 t = i / divisions;
    return (1.0 - t) * start + t * stop;
  });
}

// The index of the mirrored element, if that is less, over half the length: from 0 to 1.
static inline F64 rising(F64 i, double last) {
  const F64 other = last - i;
  return 2.0 * choose(i < other, i, other) / last;
}
void cosine_window(double a0, double a1, double a2, double last, std::int64_t first, std::int64_t n, void* y) {
  each(static_cast<double>(first), n, true, y, [=](F64 i) {
    const F64 t = rising(i, last) * 3.14159265358979323846;
    const F64 sum = a0 - a1 * cos_of(t);
    return a2 == 0 ? sum : sum + a2 * cos_of(2.0 * t);
  });
}
void triangle_window(double last, std::int64_t first, std::int64_t n, void* y) {
  each(static_cast<double>(first), n, true, y, [=](F64 i) { return rising(i, last); });
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
