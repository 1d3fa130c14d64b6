// Elements of any real or whole dtype as a run of floats or doubles. Included by files that are compiled once per
// instruction set.
#pragma once

#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

template <class A, class S>
static inline const A* widened_as(const S* x, std::int64_t n, A* room) {
  for (std::int64_t i = 0; i < n; ++i) room[i] = static_cast<A>(x[i]);
  return room;
}
template <class A>
static inline const A* widened_as(const A* x, std::int64_t, A*) {
  return x;
}
static inline void put_floats(float* to, f32v v) { store(to, v); }
static inline void put_floats(double* to, f32v v) {
  const Values wide = wide_of(v);
  store(to, wide.part[0]);
  store(to + kF64, wide.part[1]);
}
template <class A, class S>
static inline const A* widened_half(const S* x, std::int64_t n, A* room) {
  std::int64_t i = 0;
  for (; i + kF32 <= n; i += kF32) put_floats(room + i, elements<float>(x + i));
  for (; i < n; ++i) room[i] = element<float>(x + i);
  return room;
}

// n elements as A: where they lie if that is their type, else in `room`.
template <class A>
static inline const A* widened(Element t, const void* x, std::int64_t n, A* room) {
  switch (t) {
    case Element::boolean:
    case Element::u8: return widened_as(static_cast<const std::uint8_t*>(x), n, room);
    case Element::u16: return widened_as(static_cast<const std::uint16_t*>(x), n, room);
    case Element::u32: return widened_as(static_cast<const std::uint32_t*>(x), n, room);
    case Element::u64: return widened_as(static_cast<const std::uint64_t*>(x), n, room);
    case Element::i8: return widened_as(static_cast<const std::int8_t*>(x), n, room);
    case Element::i16: return widened_as(static_cast<const std::int16_t*>(x), n, room);
    case Element::i32: return widened_as(static_cast<const std::int32_t*>(x), n, room);
    case Element::i64: return widened_as(static_cast<const std::int64_t*>(x), n, room);
    case Element::f16: return widened_half(static_cast<const Half*>(x), n, room);
    case Element::bf16: return widened_half(static_cast<const Bf16*>(x), n, room);
    case Element::f64: return widened_as(static_cast<const double*>(x), n, room);
    case Element::f32:
    case Element::c64: break;  // pairs of floats
  }
  return widened_as(static_cast<const float*>(x), n, room);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
