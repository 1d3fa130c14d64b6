// Elements to lanes of a tile, and back.
#include "optimized/array/scalar/lanes.h"
#include "optimized/element_registers.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// n dense elements as lanes of A; the rest of the last vector is 0.
template <class S, class A>
void load(const void* from, void* tile, std::int64_t n) {
  const auto* x = static_cast<const S*>(from);
  auto* y = static_cast<A*>(tile);
  std::int64_t i = 0;
  for (; i + kLanes<A> <= n; i += kLanes<A>) {
    const Lanes<A> v = elements<A>(x + i);
    std::memcpy(y + i, &v, sizeof v);
  }
  for (; i < n; ++i) y[i] = element<A>(x + i);
  for (; i % kLanes<A> != 0; ++i) y[i] = 0;
}

void load_pairs(const void* from, void* tile, std::int64_t n) {
  const auto* x = static_cast<const float*>(from);
  auto *re = static_cast<double*>(tile), *im = re + kTileElements;
  std::int64_t i = 0;
  for (; i < n; ++i) re[i] = x[2 * i], im[i] = x[2 * i + 1];
  for (; i % kF64 != 0; ++i) re[i] = im[i] = 0;
}

template <class S>
void store_words(const void* tile, void* to, std::int64_t n) {
  const auto* x = static_cast<const std::uint64_t*>(tile);
  auto* y = static_cast<S*>(to);
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<S>(x[i]);
}

// A mask, or numbers that are counted modulo 2, as bool: the last bit.
template <class W>
void store_bit(const void* tile, std::uint8_t* y, std::int64_t n) {
  const auto* x = static_cast<const W*>(tile);
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] & 1;
}

template <class S>
void store_halves(const float* x, void* to, std::int64_t n) {
  auto* y = static_cast<S*>(to);
  std::int64_t i = 0;
  for (; i + kF32 <= n; i += kF32) store_elements(y + i, at<F32>(x, i));
  for (; i < n; ++i) store_element(y + i, x[i]);
}
void store_pairs(const double* re, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    y[2 * i] = static_cast<float>(re[i]), y[2 * i + 1] = static_cast<float>(re[kTileElements + i]);
}
void store_real_parts(const double* re, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(re[i]);
}

}  // namespace

void load_tile(Element t, const void* from, void* tile, std::int64_t n) {
  switch (t) {
    case Element::boolean:
    case Element::u8: return load<std::uint8_t, std::uint64_t>(from, tile, n);
    case Element::u16: return load<std::uint16_t, std::uint64_t>(from, tile, n);
    case Element::u32: return load<std::uint32_t, std::uint64_t>(from, tile, n);
    case Element::u64: return load<std::uint64_t, std::uint64_t>(from, tile, n);
    case Element::i8: return load<std::int8_t, std::int64_t>(from, tile, n);
    case Element::i16: return load<std::int16_t, std::int64_t>(from, tile, n);
    case Element::i32: return load<std::int32_t, std::int64_t>(from, tile, n);
    case Element::i64: return load<std::int64_t, std::int64_t>(from, tile, n);
    case Element::f16: return load<Half, float>(from, tile, n);
    case Element::bf16: return load<Bf16, float>(from, tile, n);
    case Element::f32: return load<float, float>(from, tile, n);
    case Element::f64: return load<double, double>(from, tile, n);
    case Element::c64: return load_pairs(from, tile, n);
  }
}

// Lanes of `in` as elements of t: of their own type, as bool, or the real parts of complex numbers.
void store_tile(Lane in, Element t, const void* tile, void* to, std::int64_t n) {
  const auto* f = static_cast<const float*>(tile);
  const auto* d = static_cast<const double*>(tile);
  if (t == Element::boolean && in == Lane::f32)
    return store_bit<std::uint32_t>(tile, static_cast<std::uint8_t*>(to), n);
  switch (t) {
    case Element::boolean: return store_bit<std::uint64_t>(tile, static_cast<std::uint8_t*>(to), n);
    case Element::u8:
    case Element::i8: return store_words<std::uint8_t>(tile, to, n);
    case Element::u16:
    case Element::i16: return store_words<std::uint16_t>(tile, to, n);
    case Element::u32:
    case Element::i32: return store_words<std::uint32_t>(tile, to, n);
    case Element::u64:
    case Element::i64: return store_words<std::uint64_t>(tile, to, n);
    case Element::f16: return store_halves<Half>(f, to, n);
    case Element::bf16: return store_halves<Bf16>(f, to, n);
    case Element::f32:
      if (in == Lane::c64) return store_real_parts(d, static_cast<float*>(to), n);
      std::memcpy(to, tile, static_cast<std::size_t>(n) * sizeof(float));
      return;
    case Element::f64: std::memcpy(to, tile, static_cast<std::size_t>(n) * sizeof(double)); return;
    case Element::c64: return store_pairs(d, static_cast<float*>(to), n);
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
