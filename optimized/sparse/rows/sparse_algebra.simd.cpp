// Two aligned feature rows made one, channel by channel.
#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

enum Op : int { kAdd, kSub, kMul, kMaximum, kMinimum };

// Equal numbers differ at most in the sign of a zero: `and` keeps the positive one, `or` the negative one.
template <int op>
static inline f32v combined(f32v a, f32v b) {
  if constexpr (op == kAdd) return a + b;
  if constexpr (op == kSub) return a - b;
  if constexpr (op == kMul) return a * b;
  const f32v zero = op == kMaximum ? (f32v)((i32v)a & (i32v)b) : (f32v)((i32v)a | (i32v)b);
  f32v r = (op == kMaximum ? a > b : a < b) ? a : b;  // b where it is NaN
  r = a == b ? zero : r;
  return a != a ? a : r;
}

template <int op, class T>
void combine_row(const T* a, const T* b, std::int64_t n, T* out) {
  std::int64_t c = 0;
  for (; c + kF32 <= n; c += kF32) store_values(out + c, combined<op>(load_values(a + c), load_values(b + c)));
  if (c < n) store_values(out + c, combined<op>(load_values(a + c, n - c), load_values(b + c, n - c)), n - c);
}

struct Job {
  const void *lhs, *rhs, *lhs_fill, *rhs_fill;
  const std::int32_t *l, *r;
  std::int64_t begin, end, channels;
  void* out;
};

template <int op, class T>
void combine(const Job& j) {
  const auto row = [&](const void* from, const void* fill, std::int32_t at) {
    return at < 0 ? static_cast<const T*>(fill) : static_cast<const T*>(from) + at * j.channels;
  };
  for (std::int64_t o = j.begin; o < j.end; ++o)
    combine_row<op>(row(j.lhs, j.lhs_fill, j.l[o]), row(j.rhs, j.rhs_fill, j.r[o]), j.channels,
                    static_cast<T*>(j.out) + o * j.channels);
}

template <class T>
void combine_as(int op, const Job& j) {
  switch (op) {
    case kAdd: return combine<kAdd, T>(j);
    case kSub: return combine<kSub, T>(j);
    case kMul: return combine<kMul, T>(j);
    case kMaximum: return combine<kMaximum, T>(j);
    default: return combine<kMinimum, T>(j);
  }
}

}  // namespace

void combine_rows(int op, bool half, const void* lhs, const void* rhs, const void* lhs_fill, const void* rhs_fill,
                  const std::int32_t* l, const std::int32_t* r, std::int64_t begin, std::int64_t end,
                  std::int64_t channels, void* out) {
  const Job j{lhs, rhs, lhs_fill, rhs_fill, l, r, begin, end, channels, out};
  half ? combine_as<std::uint16_t>(op, j) : combine_as<float>(op, j);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
