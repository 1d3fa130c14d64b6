// How an element lies in memory, for kernels that take several: one loader per type, exact, into lanes of a
// wider type. Plain enough for the files that are compiled once per instruction set.
#pragma once

#include "optimized/simd.h"

namespace plumb {

// The order of Dtype (core/dtype.h), so that a cast converts.
enum class Element : std::uint8_t { boolean, u8, u16, u32, u64, i8, i16, i32, i64, f16, bf16, f32, f64, c64 };

namespace PLUMB_ISA_NAME {

// Storage types that C++ lacks.
struct Half {
  std::uint16_t bits;
};
struct Bf16 {
  std::uint16_t bits;
};

template <class T, int N>
struct VectorOf {
  typedef T type __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));
};
template <class T>
using Lanes = typename VectorOf<T, kVectorBytes / static_cast<int>(sizeof(T))>::type;  // one register
template <class T>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

template <class A, class S>
static inline A element(const S* p) {
  return static_cast<A>(*p);
}
template <class A>
static inline A element(const Half* p) {
  return half_to_f32(p->bits);
}
template <class A>
static inline A element(const Bf16* p) {
  return bf16_to_f32(p->bits);
}

// kLanes<A> consecutive elements, converted to A.
template <class A, class S>
static inline Lanes<A> elements(const S* p) {
  typename VectorOf<S, kLanes<A>>::type v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Lanes<A>);
}
template <class A>
static inline Lanes<A> elements(const Half* p) {
  return load_half(&p->bits);
}
template <class A>
static inline Lanes<A> elements(const Bf16* p) {
  return load_bf16(&p->bits);
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
