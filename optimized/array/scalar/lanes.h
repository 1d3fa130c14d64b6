// Numbers of a tile as vectors, and the loops over it, for the lists of operations in unary.simd.cpp and
// binary.simd.cpp.
#pragma once

#include "optimized/array/scalar/kernels.h"
#include "optimized/functions.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// The vectors of simd.h without what a template argument would forget: that they lie anywhere in memory.
typedef float F32 __attribute__((vector_size(kVectorBytes)));
typedef double F64 __attribute__((vector_size(kVectorBytes)));
typedef std::int32_t I32 __attribute__((vector_size(kVectorBytes)));
typedef std::int64_t I64 __attribute__((vector_size(kVectorBytes)));
typedef std::uint64_t U64 __attribute__((vector_size(kVectorBytes)));

struct Pair {  // complex numbers
  F64 re, im;
};
static inline Pair operator-(Pair a, Pair b) { return {a.re - b.re, a.im - b.im}; }
static inline Pair operator-(Pair a) { return {-a.re, -a.im}; }
static inline Pair operator*(Pair a, Pair b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
static inline Pair operator/(Pair a, Pair b) {
  const F64 square = b.re * b.re + b.im * b.im;
  return {(a.re * b.re + a.im * b.im) / square, (a.im * b.re - a.re * b.im) / square};
}

// All bits or none of a lane.
template <class V>
struct MaskOf {
  typedef I64 type;
};
template <>
struct MaskOf<F32> {
  typedef I32 type;
};
template <class V>
using Mask = typename MaskOf<V>::type;

template <class V>
struct ScalarOf {
  typedef double type;
};
template <>
struct ScalarOf<F32> {
  typedef float type;
};
template <>
struct ScalarOf<I64> {
  typedef std::int64_t type;
};
template <>
struct ScalarOf<U64> {
  typedef std::uint64_t type;
};

// x everywhere.
template <class V>
static inline V all(double x) {
  return static_cast<typename ScalarOf<V>::type>(x) - V{};
}
template <class V, class M>
static inline V choose(M mask, V a, V b) {
  return (V)(((M)a & mask) | ((M)b & ~mask));
}

static inline Pair choose(I64 mask, Pair a, Pair b) { return {choose(mask, a.re, b.re), choose(mask, a.im, b.im)}; }

template <class V>
inline constexpr std::int64_t kWidth = static_cast<std::int64_t>(sizeof(V) / sizeof(typename ScalarOf<V>::type));
template <>
inline constexpr std::int64_t kWidth<Pair> = kF64;

template <class V>
static inline V at(const void* tile, std::int64_t i) {
  V v;
  std::memcpy(&v, static_cast<const typename ScalarOf<V>::type*>(tile) + i, sizeof v);
  return v;
}
template <>
inline Pair at<Pair>(const void* tile, std::int64_t i) {
  return {at<F64>(tile, i), at<F64>(tile, kTileElements + i)};
}
template <class V, class R>
static inline void set(void* tile, std::int64_t i, const R& v) {
  static_assert(sizeof(R) == kVectorBytes, "a result has as many lanes as its operands");
  std::memcpy(static_cast<typename ScalarOf<V>::type*>(tile) + i, &v, sizeof v);
}
template <class V>
static inline void set(void* tile, std::int64_t i, const Pair& v) {
  set<F64>(tile, i, v.re);
  set<F64>(tile, kTileElements + i, v.im);
}

template <class V, class F>
void each_of_one(const void* const* x, void* y, std::int64_t n, Element, const double*) {
  for (std::int64_t i = 0; i < n; i += kWidth<V>) set<V>(y, i, F{}(at<V>(x[0], i)));
}
template <class V, class F>
void each_of_two(const void* const* x, void* y, std::int64_t n, Element, const double*) {
  for (std::int64_t i = 0; i < n; i += kWidth<V>) set<V>(y, i, F{}(at<V>(x[0], i), at<V>(x[1], i)));
}
template <class V, class F>
void each_of_three(const void* const* x, void* y, std::int64_t n, Element, const double*) {
  for (std::int64_t i = 0; i < n; i += kWidth<V>) set<V>(y, i, F{}(at<V>(x[0], i), at<V>(x[1], i), at<V>(x[2], i)));
}
// Of what depends on the width of its elements.
template <class V, class F>
void each_of_words(const void* const* x, void* y, std::int64_t n, Element t, const double*) {
  for (std::int64_t i = 0; i < n; i += kWidth<V>) set<V>(y, i, F{}(at<V>(x[0], i), at<V>(x[1], i), t));
}

// Numbers that attributes give.
struct Given {
  const double* p;
  double operator[](int k) const { return p[k]; }
};
template <class V, class F>
void each_of_one_given(const void* const* x, void* y, std::int64_t n, Element, const double* p) {
  for (std::int64_t i = 0; i < n; i += kWidth<V>) set<V>(y, i, F{}(at<V>(x[0], i), Given{p}));
}
template <class V, class F>
void each_of_two_given(const void* const* x, void* y, std::int64_t n, Element, const double* p) {
  for (std::int64_t i = 0; i < n; i += kWidth<V>) set<V>(y, i, F{}(at<V>(x[0], i), at<V>(x[1], i), Given{p}));
}

template <class V, class F>
void each_of_three_given(const void* const* x, void* y, std::int64_t n, Element, const double* p) {
  for (std::int64_t i = 0; i < n; i += kWidth<V>)
    set<V>(y, i, F{}(at<V>(x[0], i), at<V>(x[1], i), at<V>(x[2], i), Given{p}));
}

// Null where the operation is not defined.
template <class V, class F>
constexpr TileFunction tile_function() {
  if constexpr (requires(F f, V x) { f(x); }) return each_of_one<V, F>;
  else if constexpr (requires(F f, V x) { f(x, x); }) return each_of_two<V, F>;
  else if constexpr (requires(F f, V x) { f(x, x, x); }) return each_of_three<V, F>;
  else if constexpr (requires(F f, V x, Element t) { f(x, x, t); }) return each_of_words<V, F>;
  else return nullptr;
}
template <class V, class F>
constexpr TileFunction given_function() {
  if constexpr (requires(F f, V x, Given p) { f(x, p); }) return each_of_one_given<V, F>;
  else if constexpr (requires(F f, V x, Given p) { f(x, x, p); }) return each_of_two_given<V, F>;
  else if constexpr (requires(F f, V x, Given p) { f(x, x, x, p); }) return each_of_three_given<V, F>;
  else return nullptr;
}
template <class F>
constexpr ScalarKernel scalar_kernel(const char* name, F) {
  return {name,
          {tile_function<F32, F>(), tile_function<F64, F>(), tile_function<Pair, F>(), tile_function<I64, F>(),
           tile_function<U64, F>()}};
}
template <class F>
constexpr ScalarKernel given_kernel(const char* name, F) {
  return {name,
          {given_function<F32, F>(), given_function<F64, F>(), given_function<Pair, F>(), given_function<I64, F>(),
           given_function<U64, F>()}};
}

constexpr ScalarKernel unsigned_words(ScalarKernel k) {
  k.lanes[static_cast<int>(Lane::i64)] = k.lanes[static_cast<int>(Lane::u64)];
  return k;
}

// A line of a list: the body is a type that the operands have, or the operation is not defined for them.
#define EACH(name, body) scalar_kernel(#name, [](auto x) -> decltype(body) { return body; })
#define EACH2(name, body) scalar_kernel(#name, [](auto a, auto b) -> decltype(body) { return body; })
// The same where whole numbers wrap: without a sign, which language and vectors leave undefined.
#define EACH_WRAPPING(name, body) unsigned_words(EACH(name, body))
#define EACH2_WRAPPING(name, body) unsigned_words(EACH2(name, body))
#define EACH3(name, body) scalar_kernel(#name, [](auto a, auto b, auto c) -> decltype(body) { return body; })
#define EACH_GIVEN(name, body) given_kernel(#name, [](auto x, Given p) -> decltype(body) { return body; })
#define EACH2_GIVEN(name, body) given_kernel(#name, [](auto a, auto b, Given p) -> decltype(body) { return body; })
#define EACH3_GIVEN(name, body) \
  given_kernel(#name, [](auto a, auto b, auto c, Given p) -> decltype(body) { return body; })
#define EACH_WORDS(name, body) scalar_kernel(#name, [](auto a, auto b, Element t) -> decltype(body) { return body; })

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
