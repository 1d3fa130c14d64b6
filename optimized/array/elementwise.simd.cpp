// Sums of two runs of elements of one type, and reciprocals of one run, with steps of 0 or 1 element.
#include "optimized/element_registers.h"
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// What a type adds in: halves in float, the rest in itself; integers unsigned, so that they wrap.
template <class S>
struct Sum {
  typedef S type;
};
template <>
struct Sum<Half> {
  typedef float type;
};
template <>
struct Sum<Bf16> {
  typedef float type;
};

template <class S>
inline void put(S* p, Lanes<S> v) {
  std::memcpy(p, &v, sizeof v);
}
inline void put(Half* p, f32v v) { store_half(&p->bits, v); }
inline void put(Bf16* p, f32v v) { store_bf16(&p->bits, v); }

template <class S>
inline void put_one(S* p, S v) {
  *p = v;
}
inline void put_one(Half* p, float v) { p->bits = f32_to_half(v); }
inline void put_one(Bf16* p, float v) { p->bits = f32_to_bf16(v); }

// Past the caches, to a destination aligned to the bytes written.
#if defined(__AVX512F__)
template <class S>
inline void put_past(S* p, Lanes<S> v) {
  _mm512_stream_si512((__m512i*)p, (__m512i)v);
}
inline void put_past(Half* p, f32v v) {
  _mm256_stream_si256((__m256i*)p, _mm512_maskz_cvtps_ph(0xFFFF, (__m512)v, _MM_FROUND_TO_NEAREST_INT));
}
#elif defined(__AVX2__)
template <class S>
inline void put_past(S* p, Lanes<S> v) {
  _mm256_stream_si256((__m256i*)p, (__m256i)v);
}
inline void put_past(Half* p, f32v v) {
  _mm_stream_si128((__m128i*)p, _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
}
#else
template <class S>
inline void put_past(S* p, Lanes<S> v) {
  put(p, v);
}
inline void put_past(Half* p, f32v v) { put(p, v); }
#endif
inline void put_past(Bf16* p, f32v v) { put(p, v); }

inline void settle() {  // what was written past the caches is in order again
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// out_i = a_i + next(i): `next` gives a vector or one element of the other operand, by the type asked for.
template <class S, class Many, class One>
void add_to(const S* a, Many many, One one, S* out, std::int64_t n, bool past) {
  typedef typename Sum<S>::type A;
  constexpr std::int64_t kStored = kLanes<A> * static_cast<std::int64_t>(sizeof(S));
  std::int64_t i = 0;
  if (past) {
    for (; i < n && reinterpret_cast<std::intptr_t>(out + i) % kStored != 0; ++i)
      put_one(out + i, static_cast<A>(element<A>(a + i) + one(i)));
    for (; i + kLanes<A> <= n; i += kLanes<A>) put_past(out + i, elements<A>(a + i) + many(i));
    settle();
  }
  for (; i + 2 * kLanes<A> <= n; i += 2 * kLanes<A>) {
    const Lanes<A> low = elements<A>(a + i) + many(i), high = elements<A>(a + i + kLanes<A>) + many(i + kLanes<A>);
    put(out + i, low);
    put(out + i + kLanes<A>, high);
  }
  for (; i < n; ++i) put_one(out + i, static_cast<A>(element<A>(a + i) + one(i)));
}

template <class S>
void add_one(const S* a, S b, S* out, std::int64_t n, bool past) {
  typedef typename Sum<S>::type A;
  const A y = element<A>(&b);
  const Lanes<A> all = y - Lanes<A>{};
  add_to(
      a, [&](std::int64_t) { return all; }, [&](std::int64_t) { return y; }, out, n, past);
}

template <class S>
void add_runs(const S* a, bool a_moves, const S* b, bool b_moves, S* out, std::int64_t n, bool past) {
  typedef typename Sum<S>::type A;
  if (a_moves && b_moves)
    return add_to(
        a, [&](std::int64_t i) { return elements<A>(b + i); }, [&](std::int64_t i) { return element<A>(b + i); }, out,
        n, past);
  if (a_moves) return add_one(a, *b, out, n, past);
  if (b_moves) return add_one(b, *a, out, n, past);
  for (std::int64_t i = 0; i < n; ++i) put_one(out + i, static_cast<A>(element<A>(a) + element<A>(b)));
}

// Complex numbers are pairs; only a run beside a single number differs from a run of twice as many floats.
void add_complex(const float* a, bool a_moves, const float* b, bool b_moves, float* out, std::int64_t n, bool past) {
  if (a_moves && b_moves) return add_runs(a, true, b, true, out, 2 * n, past);
  for (std::int64_t i = 0; i < n; ++i) {
    const float *x = a + (a_moves ? 2 * i : 0), *y = b + (b_moves ? 2 * i : 0);
    out[2 * i] = x[0] + y[0];
    out[2 * i + 1] = x[1] + y[1];
  }
}

void either(const std::uint8_t* a, bool a_moves, const std::uint8_t* b, bool b_moves, std::uint8_t* out,
            std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = a[a_moves ? i : 0] | b[b_moves ? i : 0];
}

template <class S>
void typed(const void* a, bool a_moves, const void* b, bool b_moves, void* out, std::int64_t n, bool past) {
  add_runs(static_cast<const S*>(a), a_moves, static_cast<const S*>(b), b_moves, static_cast<S*>(out), n, past);
}

template <class S>
void reciprocals(const void* from, bool moves, void* to, std::int64_t n) {
  typedef typename Sum<S>::type A;
  const auto* x = static_cast<const S*>(from);
  auto* out = static_cast<S*>(to);
  const Lanes<A> one = A{1} - Lanes<A>{};
  std::int64_t i = 0;
  for (; moves && i + kLanes<A> <= n; i += kLanes<A>) put(out + i, one / elements<A>(x + i));
  for (; i < n; ++i) put_one(out + i, static_cast<A>(A{1} / element<A>(x + (moves ? i : 0))));
}

// The rule where c^2 + d^2 is 0 or no number: an infinite part gives zeros with the signs of c and -d, + for a NaN;
// 0 gives inf with the sign of c, and NaN.
inline float special_reciprocal(float c, float d, float& im) {
  constexpr float kInf = __builtin_inff();
  if (__builtin_fabsf(c) == kInf || __builtin_fabsf(d) == kInf) {
    im = d != d ? 0.0F : __builtin_copysignf(0.0F, -d);
    return c != c ? 0.0F : __builtin_copysignf(0.0F, c);
  }
  im = __builtin_nanf("");
  return c == 0 && d == 0 ? 1 / c : im;
}

// 1 / (c + d i) = (c - d i) / (c^2 + d^2). In double the squares are exact and the quotients of ordinary size.
inline void reciprocal_pairs(const float* x, float* out, int n) {
  typedef float pairs __attribute__((vector_size(kF64 * sizeof(float)), aligned(4)));
  float re[kF64] = {}, im[kF64] = {};
  for (int i = 0; i < n; ++i) re[i] = x[2 * i], im[i] = x[2 * i + 1];
  pairs c, d;
  std::memcpy(&c, re, sizeof c), std::memcpy(&d, im, sizeof d);
  const f64v wide_c = __builtin_convertvector(c, f64v), wide_d = __builtin_convertvector(d, f64v);
  const f64v square = wide_c * wide_c + wide_d * wide_d;
  c = __builtin_convertvector(wide_c / square, pairs), d = __builtin_convertvector(-wide_d / square, pairs);
  for (int i = 0; i < n; ++i) {
    out[2 * i] = c[i], out[2 * i + 1] = d[i];
    const double s = square[i];
    if (!(s > 0 && s < __builtin_inf())) out[2 * i] = special_reciprocal(re[i], im[i], out[2 * i + 1]);
  }
}

void complex_reciprocals(const float* x, bool moves, float* out, std::int64_t n) {
  std::int64_t i = 0;
  for (; moves && i + kF64 <= n; i += kF64) reciprocal_pairs(x + 2 * i, out + 2 * i, kF64);
  for (; i < n; ++i) reciprocal_pairs(x + (moves ? 2 * i : 0), out + 2 * i, 1);
}

}  // namespace

// out_i = 1 / x_i for i in [0, n), in a float type or in pairs of float; an operand that does not move is one element.
void reciprocal_run(Element t, const void* x, bool moves, void* out, std::int64_t n) {
  if (t == Element::f16) return reciprocals<Half>(x, moves, out, n);
  if (t == Element::bf16) return reciprocals<Bf16>(x, moves, out, n);
  if (t == Element::f32) return reciprocals<float>(x, moves, out, n);
  if (t == Element::f64) return reciprocals<double>(x, moves, out, n);
  complex_reciprocals(static_cast<const float*>(x), moves, static_cast<float*>(out), n);
}

// out_i = a_i + b_i for i in [0, n); an operand that does not move is one element. `past`: the output is
// too large for the caches.
void add_run(Element t, const void* a, bool a_moves, const void* b, bool b_moves, void* out, std::int64_t n,
             bool past) {
  switch (t) {
    case Element::boolean:
      return either(static_cast<const std::uint8_t*>(a), a_moves, static_cast<const std::uint8_t*>(b), b_moves,
                    static_cast<std::uint8_t*>(out), n);
    case Element::u8:
    case Element::i8: return typed<std::uint8_t>(a, a_moves, b, b_moves, out, n, past);
    case Element::u16:
    case Element::i16: return typed<std::uint16_t>(a, a_moves, b, b_moves, out, n, past);
    case Element::u32:
    case Element::i32: return typed<std::uint32_t>(a, a_moves, b, b_moves, out, n, past);
    case Element::u64:
    case Element::i64: return typed<std::uint64_t>(a, a_moves, b, b_moves, out, n, past);
    case Element::f16: return typed<Half>(a, a_moves, b, b_moves, out, n, past);
    case Element::bf16: return typed<Bf16>(a, a_moves, b, b_moves, out, n, past);
    case Element::f32: return typed<float>(a, a_moves, b, b_moves, out, n, past);
    case Element::f64: return typed<double>(a, a_moves, b, b_moves, out, n, past);
    case Element::c64:
      return add_complex(static_cast<const float*>(a), a_moves, static_cast<const float*>(b), b_moves,
                         static_cast<float*>(out), n, past);
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
