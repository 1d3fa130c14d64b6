// CPU routes of the elementwise operations: any dtypes, any strides, in runs along the innermost axis.
#include <algorithm>
#include <bit>
#include <type_traits>

#include "core/limits.h"
#include "core/pool.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/element.h"
#include "optimized/nest.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void add_run(Element t, const void* a, bool a_moves, const void* b, bool b_moves, void* out,
                                std::int64_t n, bool past))

PLUMB_DECLARE_SIMD(void reciprocal_run(Element t, const void* x, bool moves, void* out, std::int64_t n))

namespace {

constexpr Limit kTile{"elementwise.tile", 1024, 8};                  // elements converted at once
constexpr std::int64_t kGrain = 1 << 15;                             // elements worth a thread
constexpr Limit kPastBytes{"elementwise.past_bytes", 24 << 20, 96};  // an output of this size is not worth caching

using base::Bf16;
using base::Half;
struct Pair {
  float re, im;
};

// Calls f with a value of the type that an element of the dtype is stored as.
template <class F>
void with_stored(Dtype t, F&& f) {
  switch (t) {
    case Dtype::boolean: return f(bool{});
    case Dtype::u8: return f(std::uint8_t{});
    case Dtype::u16: return f(std::uint16_t{});
    case Dtype::u32: return f(std::uint32_t{});
    case Dtype::u64: return f(std::uint64_t{});
    case Dtype::i8: return f(std::int8_t{});
    case Dtype::i16: return f(std::int16_t{});
    case Dtype::i32: return f(std::int32_t{});
    case Dtype::i64: return f(std::int64_t{});
    case Dtype::f16: return f(Half{});
    case Dtype::bf16: return f(Bf16{});
    case Dtype::f32: return f(float{});
    case Dtype::f64: return f(double{});
    case Dtype::c64: return f(Pair{});
  }
}

// A whole number as the nearest float whose rounding to fewer bits equals that of the number itself: what
// does not fit into 24 bits leaves its trace in the last one.
template <class I>
float traced(I v) {
  const bool negative = v < I{0};
  std::uint64_t m = negative ? std::uint64_t{0} - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
  const int drop = std::max(0, 40 - std::countl_zero(m));
  const std::uint64_t rest = m & ((std::uint64_t{1} << drop) - 1);
  m = (m >> drop) | (rest != 0 ? 1 : 0);
  const float x = static_cast<float>(m) * base::from_bits(static_cast<std::uint32_t>(127 + drop) << 23);
  return negative ? -x : x;
}

// The promoted types are few: no value is ever narrowed, except whole numbers into floats and f64 into c64.
template <class To, class From>
To converted(From v) {
  if constexpr (std::is_same_v<To, From>) return v;
  else if constexpr (std::is_same_v<To, Pair>) return {converted<float>(v), 0.0F};
  else if constexpr (std::is_same_v<To, Half> && std::is_integral_v<From>) return {base::f32_to_half(traced(v))};
  else if constexpr (std::is_same_v<To, Bf16> && std::is_integral_v<From>) return {base::f32_to_bf16(traced(v))};
  else if constexpr (std::is_same_v<From, Half> && std::is_floating_point_v<To>) return base::half_to_f32(v.bits);
  else if constexpr (std::is_same_v<From, Bf16> && std::is_floating_point_v<To>) return base::bf16_to_f32(v.bits);
  else if constexpr (std::is_arithmetic_v<From> && std::is_arithmetic_v<To>) return static_cast<To>(v);
  else return {};  // never promoted so
}

using Convert = void (*)(const void* from, std::int64_t step, void* to, std::int64_t n);

template <class From, class To>
void convert(const void* from, std::int64_t step, void* to, std::int64_t n) {
  const auto* x = static_cast<const From*>(from);
  auto* y = static_cast<To*>(to);
  if (step == 1)
    for (std::int64_t i = 0; i < n; ++i) y[i] = converted<To>(x[i]);
  else
    for (std::int64_t i = 0; i < n; ++i) y[i] = converted<To>(x[i * step]);
}

Convert converter(Dtype from, Dtype to) {
  Convert found = nullptr;
  with_stored(from, [&](auto f) { with_stored(to, [&](auto t) { found = convert<decltype(f), decltype(t)>; }); });
  return found;
}

// One operand as the kernel wants it: of the promoted dtype, and at rest or moving by single elements.
struct Operand {
  const std::byte* first;
  std::int64_t bytes, step;  // of a stored element; innermost stride
  Convert convert;           // null: usable where it lies
  bool moves;
  alignas(64) std::array<std::byte, kTile.usual * 8> tile;

  Operand(const Tensor& t, Dtype to, std::int64_t inner)
      : first(t.read<std::byte>()), bytes(info(t.dtype()).bytes), step(inner), moves(inner != 0) {
    convert = t.dtype() == to && (step == 0 || step == 1) ? nullptr : converter(t.dtype(), to);
  }
  const void* at(std::int64_t offset, std::int64_t n) {
    const std::byte* from = first + offset * bytes;
    if (!convert) return from;
    convert(from, step, tile.data(), moves ? n : 1);
    return tile.data();
  }
};

Strides broadcast_strides(const Tensor& t, const Shape& shape) {
  Strides s(shape.size(), 0);
  const std::size_t lead = shape.size() - t.shape().size();
  for (std::size_t d = lead; d < shape.size(); ++d)
    if (t.shape()[d - lead] != 1) s[d] = t.strides()[d - lead];
  return s;
}

void add(const Call& c, std::vector<Tensor>& out) {
  const Tensor& z = out[0];
  if (z.size() == 0) return;
  const auto loops = nest<3>(
      z.shape(), {broadcast_strides(c[0], z.shape()), broadcast_strides(c[1], z.shape()), row_major(z.shape())});
  const Dtype t = z.dtype();
  const std::int64_t bytes = info(t).bytes;
  const bool past = z.size() * bytes >= kPastBytes.of(z.size() * bytes) && loops.shape.back() >= kTile.now();
  std::byte* to = z.write<std::byte>();
  const Operand a(c[0], t, loops.strides[0].back()), b(c[1], t, loops.strides[1].back());
  const bool tiled = a.convert || b.convert;
  const auto run = PLUMB_DISPATCH(add_run);
  parallel_for(z.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    Operand x = a, y = b;  // each thread has its own tiles
    for_runs(loops, begin, end, [&](const std::array<std::int64_t, 3>& at, std::int64_t length) {
      const std::int64_t most = tiled ? kTile.of(length) : length;
      for (std::int64_t i = 0; i < length; i += most) {
        const std::int64_t n = std::min(most, length - i);
        run(static_cast<Element>(t), x.at(at[0] + i * x.step, n), x.moves, y.at(at[1] + i * y.step, n), y.moves,
            to + (at[2] + i) * bytes, n, past);
      }
    });
  });
}

void reciprocal(const Call& c, std::vector<Tensor>& out) {
  const Tensor& z = out[0];
  if (z.size() == 0) return;
  const auto loops = nest<2>(z.shape(), {c[0].strides(), row_major(z.shape())});
  const Dtype t = z.dtype();
  std::byte* to = z.write<std::byte>();
  const Operand whole(c[0], t, loops.strides[0].back());
  const auto run = PLUMB_DISPATCH(reciprocal_run);
  parallel_for(z.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    Operand x = whole;  // each thread has its own tile
    for_runs(loops, begin, end, [&](const std::array<std::int64_t, 2>& at, std::int64_t length) {
      const std::int64_t most = kTile.of(length);
      for (std::int64_t i = 0; i < length; i += most) {
        const std::int64_t n = std::min(most, length - i);
        run(static_cast<Element>(t), x.at(at[0] + i * x.step, n), x.moves, to + (at[1] + i) * info(t).bytes, n);
      }
    });
  });
}

// Complex quotients are taken in double.
Order in_double(const Call&) {
  Order o;
  o.accumulator = Dtype::f64;
  return o;
}

}  // namespace

std::vector<Route> elementwise_cpu_routes() {
  Route strided;
  strided.op = "add";
  strided.name = "cpu.strided";
  strided.prepare = host<add>;
  Route each;
  each.op = "reciprocal";
  each.name = "cpu.strided";
  each.order = in_double;
  each.prepare = host<reciprocal>;
  return {strided, each};
}

}  // namespace plumb
