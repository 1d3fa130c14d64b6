// Many small matrices: groups of as many as a vector has lanes, shared out among threads.
#include <algorithm>
#include <string>

#include "core/pool.h"
#include "core/room.h"
#include "optimized/dispatch.h"
#include "optimized/linalg/solve/batch.h"

namespace plumb {

// NOLINTBEGIN(bugprone-macro-parentheses): a type
#define PLUMB_LANES(T, suffix)                                                                                         \
  PLUMB_DECLARE_SIMD(std::int64_t solve_width_##suffix())                                                              \
  PLUMB_DECLARE_SIMD(void factor_lanes_##suffix(const T* const* a, std::int64_t count, int m, int n, T* room,          \
                                                T* const* lu, std::int32_t* pivots))                                   \
  PLUMB_DECLARE_SIMD(void solve_lanes_##suffix(const T* const* a, const T* const* b, std::int64_t count, int n, int k, \
                                               int form, T* room, T* const* x, std::int64_t* failed))
// NOLINTEND(bugprone-macro-parentheses)
PLUMB_LANES(float, f32)
PLUMB_LANES(double, f64)
#undef PLUMB_LANES

namespace solve {
namespace {

template <class T>
struct Kernels;
#define PLUMB_LANES(T, suffix)                                                             \
  template <>                                                                              \
  struct Kernels<T> {                                                                      \
    std::int64_t width = PLUMB_DISPATCH(solve_width_##suffix)();                           \
    decltype(&base::factor_lanes_##suffix) factor = PLUMB_DISPATCH(factor_lanes_##suffix); \
    decltype(&base::solve_lanes_##suffix) solve = PLUMB_DISPATCH(solve_lanes_##suffix);    \
  };
PLUMB_LANES(float, f32)
PLUMB_LANES(double, f64)
#undef PLUMB_LANES

constexpr std::int64_t kMostLanes = 16;
constexpr std::int64_t kThreadWork = 1 << 15;  // multiplications worth a thread

// f(first, count, room) for each group of `width` matrices, with room for `elements` of each.
template <class T, class F>
void each_group(std::int64_t matrices, std::int64_t width, std::int64_t elements, std::int64_t work, const F& f) {
  const std::int64_t groups = (matrices + width - 1) / width;
  parallel_for(groups, 1 + kThreadWork / (1 + work * width), [&](std::int64_t begin, std::int64_t end) {
    const RawRoom<T, 64> room(elements * width);
    for (std::int64_t g = begin; g < end; ++g) f(g * width, std::min(width, matrices - g * width), room.get());
  });
}

}  // namespace

template <class T>
void factor_interleaved(const Factoring<T>& f) {
  const Kernels<T> kernels;
  const std::int64_t size = f.m * f.n;
  each_group<T>(f.matrices, kernels.width, size, size * f.steps(),
                [&](std::int64_t first, std::int64_t count, T* room) {
                  const T* from[kMostLanes] = {};
                  T* to[kMostLanes] = {};
                  for (std::int64_t i = 0; i < count; ++i) {
                    from[i] = f.a + (first + i) * size;
                    to[i] = f.lu + (first + i) * size;
                  }
                  kernels.factor(from, count, static_cast<int>(f.m), static_cast<int>(f.n), room, to,
                                 f.pivots + first * f.steps());
                });
}

template <class T>
void solve_interleaved(const Systems<T>& s, FirstZero& zero) {
  const Kernels<T> kernels;
  const std::int64_t size = s.n * s.n, part = s.n * s.k;
  const std::int64_t work = size * (s.n + s.k);
  each_group<T>(s.matrices, kernels.width, size + part, work, [&](std::int64_t first, std::int64_t count, T* room) {
    const T *a[kMostLanes] = {}, *b[kMostLanes] = {};
    T* x[kMostLanes] = {};
    std::int64_t failed[kMostLanes] = {};
    for (std::int64_t i = 0; i < count; ++i) {
      const auto t = static_cast<std::size_t>(first + i);
      a[i] = s.a + s.a_of[t] * size;
      b[i] = s.b ? s.b + s.b_of[t] * part : nullptr;
      x[i] = s.x + (first + i) * part;
    }
    kernels.solve(a, s.b ? b : nullptr, count, static_cast<int>(s.n), static_cast<int>(s.k), static_cast<int>(s.form),
                  room, x, failed);
    for (std::int64_t i = 0; i < count; ++i)
      if (failed[i] >= 0) zero.note(s.a_of[static_cast<std::size_t>(first + i)], failed[i]);
  });
}

template void factor_interleaved(const Factoring<float>&);
template void factor_interleaved(const Factoring<double>&);
template void solve_interleaved(const Systems<float>&, FirstZero&);
template void solve_interleaved(const Systems<double>&, FirstZero&);

// ---- What all routes of the wing share ----

void FirstZero::note(std::int64_t matrix, std::int64_t pivot) {
  const std::int64_t mine = matrix << 32 | pivot;
  std::int64_t seen = first_.load();
  while (mine < seen && !first_.compare_exchange_weak(seen, mine)) {
  }
}

void FirstZero::raise(const Call& c) const {
  const std::int64_t f = first_.load();
  if (f == kNone) return;
  c.fail(Reason::domain,
         "matrix " + std::to_string(f >> 32) + " is singular: pivot " + std::to_string(f & 0xFFFFFFFF) + " is 0");
}

std::int64_t matrices(const Call& c) { return count(Shape(c.shape(0).begin(), c.shape(0).end() - 2)); }

Order in_any_order(const Call& c) {
  Order o;
  o.accumulator = output_specs(c).back().dtype == Dtype::f64 || c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = isa() != Isa::base;
  return o;
}

std::vector<Route> both_routes(std::string_view op, bool (*small)(const Call&, const Device&),
                               Job (*interleaved)(const Call&, const std::vector<Spec>&),
                               Job (*blocked)(const Call&, const std::vector<Spec>&)) {
  return {{.op = op,
           .name = "cpu.interleaved",
           .supports = {{Stage::shape_dtype, "an extent is above 32", small}},
           .prefers = {{Stage::shape_dtype, "under 4 matrices",
                        [](const Call& c, const Device&) { return matrices(c) >= 4; }}},
           .order = in_any_order,
           .prepare = interleaved},
          {.op = op, .name = "cpu.blocked", .supports = {}, .prefers = {}, .order = in_any_order, .prepare = blocked}};
}

}  // namespace solve
}  // namespace plumb
