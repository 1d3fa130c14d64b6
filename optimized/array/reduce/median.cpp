// CPU route of median: selection among keys (keys.h). A long line is first counted into buckets of the leading bits of
// its keys, by all threads; what remains is the bucket or two that hold the middle.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/reduce/keys.h"
#include "optimized/array/reduce/lines.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void keys_of(const KeyRule&, const void* x, std::int64_t n, std::int64_t* keys))
PLUMB_DECLARE_SIMD(void key_values(const KeyRule&, const void* keys, std::int64_t n, void* out))

namespace {

using namespace reduction;

constexpr Limit kLongLine{"median.long_line", 1 << 16, 40};  // shared by all threads
constexpr std::int64_t kPiece = 2048;                        // elements whose keys are made at once

struct Middle {
  std::int64_t lower = 0, upper = 0;  // keys
  bool nan = false;
};

std::int64_t top_key(const KeyRule& r) { return std::numeric_limits<std::int64_t>::max() >> (64 - 8 * r.bytes); }

// The keys of ranks j and k = j or j + 1.
Middle select(std::int64_t* first, std::int64_t n, std::int64_t j, std::int64_t k) {
  std::nth_element(first, first + j, first + n);
  return {first[j], k == j ? first[j] : *std::min_element(first + j + 1, first + n), false};
}

Middle middle_of_short(const KeyRule& rule, bool floats, const std::byte* x, std::int64_t n, std::int64_t* keys) {
  PLUMB_DISPATCH(keys_of)(rule, x, n, keys);
  if (floats && std::find(keys, keys + n, top_key(rule)) != keys + n) return {0, 0, true};
  return select(keys, n, (n - 1) / 2, n / 2);
}

// f(keys, how many) for the pieces of a line, on all threads.
template <class F>
void each_piece(const KeyRule& rule, const std::byte* x, std::int64_t n, F&& f) {
  parallel_for(ceil_div(n, kPiece), 16, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t keys[kPiece];
    f([&](auto&& take) {
      for (std::int64_t p = begin; p < end; ++p) {
        const std::int64_t m = std::min(kPiece, n - p * kPiece);
        PLUMB_DISPATCH(keys_of)(rule, x + p * kPiece * rule.bytes, m, keys);
        for (std::int64_t i = 0; i < m; ++i) take(keys[i]);
      }
    });
  });
}

Middle middle_of_long(const KeyRule& rule, bool floats, const std::byte* x, std::int64_t n) {
  const int shift = std::max(0, 8 * rule.bytes - 16);
  const std::int64_t half = std::int64_t{1} << (std::min(8 * rule.bytes, 16) - 1), top = top_key(rule);
  const auto bucket = [=](std::int64_t key) { return static_cast<std::size_t>((key >> shift) + half); };
  Room<std::int64_t> counts(static_cast<std::size_t>(2 * half));
  bool nan = false;
  std::mutex together;
  each_piece(rule, x, n, [&](auto&& each_key) {
    Room<std::int64_t> mine(counts.size());
    bool found = false;
    each_key([&](std::int64_t key) { ++mine[bucket(key)], found |= key == top; });
    const std::lock_guard lock(together);
    for (std::size_t b = 0; b < counts.size(); ++b) counts[b] += mine[b];
    nan |= found;
  });
  if (nan && floats) return {0, 0, true};
  const std::int64_t j = (n - 1) / 2, k = n / 2;
  std::size_t low = 0;
  std::int64_t before = 0;
  while (before + counts[low] <= j) before += counts[low++];
  std::size_t high = low;
  for (std::int64_t sum = before; sum + counts[high] <= k;) sum += counts[high++];
  Room<std::int64_t> left;
  each_piece(rule, x, n, [&](auto&& each_key) {
    Room<std::int64_t> mine;
    each_key([&](std::int64_t key) {
      if (const std::size_t b = bucket(key); b == low || b == high) mine.push_back(key);
    });
    const std::lock_guard lock(together);
    left.insert(left.end(), mine.begin(), mine.end());
  });
  return select(left.data(), static_cast<std::int64_t>(left.size()), j - before, k - before);
}

// ---- from keys to the mean of two elements, rounded once

template <class T>
T element_of_key(const KeyRule& rule, std::int64_t key) {
  T x{};
  PLUMB_DISPATCH(key_values)(rule, &key, 1, &x);  // a key's low bytes are its word
  return x;
}

double mean_of(double a, double b) {
  const double s = a + b;
  return std::isinf(s) && std::isfinite(a) && std::isfinite(b) ? a * 0.5 + b * 0.5 : s * 0.5;
}

template <class T>
float mean_of_whole(const KeyRule& rule, const Middle& m) {
  __extension__ typedef __int128 Exact;
  const auto a = element_of_key<T>(rule, m.lower), b = element_of_key<T>(rule, m.upper);
  return static_cast<float>(static_cast<Exact>(a) + static_cast<Exact>(b)) * 0.5F;
}

template <class T>
double real(const KeyRule& rule, std::int64_t key, float (*value)(T)) {
  return value(element_of_key<T>(rule, key));
}
float same(float x) { return x; }

void put(const KeyRule& rule, Dtype from, const Middle& m, const Tensor& out, std::int64_t i) {
  const auto floats = [&](auto value) { return mean_of(real(rule, m.lower, value), real(rule, m.upper, value)); };
  float* y = is_complex(from) || out.dtype() == Dtype::f32 ? out.write<float>() : nullptr;
  switch (from) {
    case Dtype::boolean:
    case Dtype::u8: y[i] = mean_of_whole<std::uint8_t>(rule, m); return;
    case Dtype::u16: y[i] = mean_of_whole<std::uint16_t>(rule, m); return;
    case Dtype::u32: y[i] = mean_of_whole<std::uint32_t>(rule, m); return;
    case Dtype::u64: y[i] = mean_of_whole<std::uint64_t>(rule, m); return;
    case Dtype::i8: y[i] = mean_of_whole<std::int8_t>(rule, m); return;
    case Dtype::i16: y[i] = mean_of_whole<std::int16_t>(rule, m); return;
    case Dtype::i32: y[i] = mean_of_whole<std::int32_t>(rule, m); return;
    case Dtype::i64: y[i] = mean_of_whole<std::int64_t>(rule, m); return;
    case Dtype::f16: out.write<std::uint16_t>()[i] = to_half(floats(half_to_float)); return;
    case Dtype::bf16: out.write<std::uint16_t>()[i] = to_bf16(floats(bf16_to_float)); return;
    case Dtype::f32: y[i] = static_cast<float>(floats(same)); return;
    case Dtype::f64:
      out.write<double>()[i] = mean_of(element_of_key<double>(rule, m.lower), element_of_key<double>(rule, m.upper));
      return;
    case Dtype::c64: break;
  }
  struct Parts {
    float re, im;
  };
  const auto a = element_of_key<Parts>(rule, m.lower), b = element_of_key<Parts>(rule, m.upper);
  y[2 * i] = static_cast<float>(mean_of(a.re, b.re));
  y[2 * i + 1] = static_cast<float>(mean_of(a.im, b.im));
}

void put_nan(const Tensor& out, std::int64_t i) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  switch (out.dtype()) {
    case Dtype::f16: out.write<std::uint16_t>()[i] = to_half(nan); break;
    case Dtype::bf16: out.write<std::uint16_t>()[i] = to_bf16(nan); break;
    case Dtype::f64: out.write<double>()[i] = nan; break;
    case Dtype::c64: out.write<float>()[2 * i] = out.write<float>()[2 * i + 1] = static_cast<float>(nan); break;
    default: out.write<float>()[i] = static_cast<float>(nan); break;
  }
}

void median(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t count = out[0].size();
  if (count == 0) return;
  const std::vector<std::int64_t> axes = c.axes();
  Lines l = lines_of(c.shape(0), axes);
  if (l.inner > 1) l.outer *= std::exchange(l.inner, 1), l.adjacent = false;
  const Tensor dense = dense_lines(c[0], axes, l);
  const auto* x = dense.read<std::byte>();
  const Dtype from = c.dtype(0);
  const KeyRule rule = key_rule(element_of(from), false, true);
  const bool floats = is_inexact(from);
  const auto give = [&](std::int64_t i, const Middle& m) {
    if (m.nan) put_nan(out[0], i);
    else put(rule, from, m, out[0], i);
  };
  if (l.n > kLongLine.of(l.n)) {
    for (std::int64_t i = 0; i < count; ++i) give(i, middle_of_long(rule, floats, x + i * l.n * rule.bytes, l.n));
    return;
  }
  (void)out[0].write<std::byte>();
  parallel_for(count, std::max<std::int64_t>(1, kGrain / 16 / l.n), [&](std::int64_t begin, std::int64_t end) {
    const RawRoom<std::int64_t> keys(l.n);
    for (std::int64_t i = begin; i < end; ++i)
      give(i, middle_of_short(rule, floats, x + i * l.n * rule.bytes, l.n, keys.get()));
  });
}

}  // namespace

std::vector<Route> median_cpu_routes() {
  Route r;
  r.op = "median";
  r.name = "cpu.select";
  r.prepare = host<median>;
  return {r};
}

}  // namespace plumb
