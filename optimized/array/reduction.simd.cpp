// Sums of runs and of rows, and the passes of softmax.
#include "optimized/element_registers.h"
#include "optimized/exp.h"
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// How many interleaved sums a run has: the same for every register width, so that the order is the same.
template <class A>
inline constexpr int kSums = 256 / static_cast<int>(sizeof(A));
template <class A>
inline constexpr int kRegisters = kSums<A> / kLanes<A>;

template <class A>
struct BitsOf {
  typedef std::int32_t type;
};
template <>
struct BitsOf<double> {
  typedef std::int64_t type;
};
template <>
struct BitsOf<std::uint64_t> {
  typedef std::int64_t type;
};
template <class A>
using Bits = typename BitsOf<A>::type;  // the integer as wide as A

// Calls f with the elements as their storage type, and a value of the type in which they are summed: halves
// in float, integers modulo 2^32 or 2^64, where a sign changes nothing. Complex numbers are pairs of floats.
template <class F>
inline void with_elements(Element t, const void* x, F&& f) {
  typedef std::uint32_t u32;
  typedef std::uint64_t u64;
  switch (t) {
    case Element::boolean:
    case Element::u8: return f(static_cast<const std::uint8_t*>(x), u32{});
    case Element::u16: return f(static_cast<const std::uint16_t*>(x), u32{});
    case Element::i8: return f(static_cast<const std::int8_t*>(x), u32{});
    case Element::i16: return f(static_cast<const std::int16_t*>(x), u32{});
    case Element::i32:
    case Element::u32: return f(static_cast<const u32*>(x), u32{});
    case Element::i64:
    case Element::u64: return f(static_cast<const u64*>(x), u64{});
    case Element::f16: return f(static_cast<const Half*>(x), float{});
    case Element::bf16: return f(static_cast<const Bf16*>(x), float{});
    case Element::c64:
    case Element::f32: return f(static_cast<const float*>(x), float{});
    case Element::f64: return f(static_cast<const double*>(x), double{});
  }
}

template <class I>
struct From {
  I lane[2 * 16] = {};
  constexpr From() {
    for (int i = 0; i < 2 * 16; ++i) lane[i] = i;
  }
};
template <class I>
constexpr From<I> kFrom;

// The upper half of the first 2 * half lanes, brought down; what the other lanes hold does not matter.
template <class A>
inline Lanes<A> brought_down(Lanes<A> v, int half) {
  typename VectorOf<Bits<A>, kLanes<A>>::type from;  // modulo the lanes
  std::memcpy(&from, kFrom<Bits<A>>.lane + half, sizeof from);
  return __builtin_shuffle(v, from);
}

// Joins all lanes of all registers by halves with `op`, down to the first `Left` lanes.
template <class A, int Left, class Op>
inline Lanes<A> folded(Lanes<A>* s, Op op) {
#pragma GCC unroll 8
  for (int r = kRegisters<A> / 2; r >= 1; r /= 2)
    for (int k = 0; k < r; ++k) s[k] = op(s[k], s[k + r]);
  Lanes<A> v = s[0];
#pragma GCC unroll 8
  for (int half = kLanes<A> / 2; half >= Left; half /= 2) v = op(v, brought_down<A>(v, half));
  return v;
}
template <class A, int Left = 1>
inline Lanes<A> total_of(Lanes<A>* s) {
  return folded<A, Left>(s, [](Lanes<A> a, Lanes<A> b) { return a + b; });
}

// The sums over i = j mod Period of x_i, in kSums interleaved sums that are joined by halves.
template <int Period, class A, class S>
inline Lanes<A> sum_run(const S* x, std::int64_t n) {
  Lanes<A> s[kRegisters<A>] = {};
  std::int64_t i = 0;
  for (; i + kSums<A> <= n; i += kSums<A>)
    for (int r = 0; r < kRegisters<A>; ++r) s[r] += elements<A>(x + i + r * kLanes<A>);
  if (i < n) {
    A rest[kSums<A>] = {};
    for (int j = 0; i < n; ++i, ++j) rest[j] = element<A>(x + i);
    for (int r = 0; r < kRegisters<A>; ++r) s[r] += elements<A>(rest + r * kLanes<A>);
  }
  return total_of<A, Period>(s);
}

template <class A, class S>
void sum_runs_of(const S* x, std::int64_t runs, std::int64_t n, int period, A* out) {
  if (period == 1) {
    for (std::int64_t k = 0; k < runs; ++k) out[k] = sum_run<1, A>(x + k * n, n)[0];
    return;
  }
  for (std::int64_t k = 0; k < runs; ++k) {
    const Lanes<A> s = sum_run<2, A>(x + k * n, n);
    out[2 * k] = s[0];
    out[2 * k + 1] = s[1];
  }
}

template <class A, class S>
void sum_short_runs_of(const S* x, std::int64_t runs, std::int64_t n, A* out) {
  for (std::int64_t k = 0; k < runs; ++k, x += n) {
    A s = 0;
    for (std::int64_t i = 0; i < n; ++i) s += element<A>(x + i);
    out[k] = s;
  }
}

// sums[j] += x[0][j], then x[1][j] and so on: eight rows per visit of a sum.
template <int Rows, class A, class S>
inline void add_rows(const S* x, std::int64_t stride, std::int64_t width, A* sums) {
  std::int64_t j = 0;
  for (; j + kLanes<A> <= width; j += kLanes<A>) {
    Lanes<A> s = elements<A>(sums + j);
    for (int r = 0; r < Rows; ++r) s += elements<A>(x + r * stride + j);
    std::memcpy(sums + j, &s, sizeof s);
  }
  for (; j < width; ++j)
    for (int r = 0; r < Rows; ++r) sums[j] += element<A>(x + r * stride + j);
}

template <class A, class S>
void sum_rows_of(const S* x, std::int64_t rows, std::int64_t stride, std::int64_t width, A* sums) {
  for (std::int64_t j = 0; j < width; ++j) sums[j] = 0;
  std::int64_t r = 0;
  for (; r + 8 <= rows; r += 8) add_rows<8>(x + r * stride, stride, width, sums);
  for (; r < rows; ++r) add_rows<1>(x + r * stride, stride, width, sums);
}

template <class A>
inline constexpr A kMinusInf = static_cast<A>(-__builtin_inf());

// kSums elements of which the first n count; the others are -inf.
template <class A, class S>
inline void padded(const S* x, std::int64_t n, A* full) {
  for (std::int64_t j = 0; j < kSums<A>; ++j) full[j] = j < n ? element<A>(x + j) : kMinusInf<A>;
}

template <class A, class S>
inline A largest(const S* x, std::int64_t n) {
  Lanes<A> m[kRegisters<A>];
  for (int r = 0; r < kRegisters<A>; ++r) m[r] = kMinusInf<A> - Lanes<A>{};
  const auto take = [&](const auto* p) {
    for (int r = 0; r < kRegisters<A>; ++r) m[r] = larger(elements<A>(p + r * kLanes<A>), m[r]);
  };
  std::int64_t i = 0;
  for (; i + kSums<A> <= n; i += kSums<A>) take(x + i);
  if (i < n) {
    A rest[kSums<A>];
    padded(x + i, n - i, rest);
    take(rest);
  }
  return folded<A, 1>(m, [](Lanes<A> a, Lanes<A> b) { return larger(a, b); })[0];
}

// e_i = exp(x_i - m); returns their sum, in kSums interleaved sums joined by halves.
template <class A, class S>
inline A exponentials(const S* x, std::int64_t n, A m, A* e) {
  Lanes<A> s[kRegisters<A>] = {};
  const auto take = [&](const auto* from, A* to) {
    for (int r = 0; r < kRegisters<A>; ++r) {
      const Lanes<A> v = exp_nonpositive(elements<A>(from + r * kLanes<A>) - m);
      std::memcpy(to + r * kLanes<A>, &v, sizeof v);
      s[r] += v;
    }
  };
  std::int64_t i = 0;
  for (; i + kSums<A> <= n; i += kSums<A>) take(x + i, e + i);
  if (i < n) {
    A rest[kSums<A>];
    padded(x + i, n - i, rest);
    take(rest, rest);
    std::memcpy(e + i, rest, static_cast<std::size_t>(n - i) * sizeof(A));
  }
  return total_of<A>(s)[0];
}

template <class A, class T>
inline void scaled(const A* e, std::int64_t n, A factor, T* y) {
  std::int64_t i = 0;
  for (; i + kLanes<A> <= n; i += kLanes<A>) store_elements(y + i, elements<A>(e + i) * factor);
  for (; i < n; ++i) store_element(y + i, e[i] * factor);
}

// The same with stores that go around the caches, for outputs beyond them; settle() before another thread reads these.
inline void scaled_streaming(const float* e, std::int64_t n, float factor, float* y) {
#if defined(__AVX2__)
  std::int64_t i = 0;
  for (; i < n && reinterpret_cast<std::uintptr_t>(y + i) % kVectorBytes != 0; ++i) y[i] = e[i] * factor;
  for (; i + kF32 <= n; i += kF32) {
    const f32v v = load(e + i) * factor;
#if defined(__AVX512F__)
    _mm512_stream_ps(y + i, (__m512)v);
#else
    _mm256_stream_ps(y + i, (__m256)v);
#endif
  }
  for (; i < n; ++i) y[i] = e[i] * factor;
#else
  scaled(e, n, factor, y);
#endif
}
inline void settle() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

template <class A, class T>
inline void divided(const A* e, std::int64_t n, A factor, T* y, bool streaming) {
  if constexpr (sizeof(A) == 4 && sizeof(T) == 4)
    if (streaming) return scaled_streaming(e, n, factor, y);
  scaled(e, n, factor, y);
}

template <class A, class S, class T>
void softmax_rows_of(const S* x, std::int64_t rows, std::int64_t n, A* e, T* y, bool streaming) {
  for (std::int64_t k = 0; k < rows; ++k, x += n, y += n)
    divided(e, n, A{1} / exponentials(x, n, largest<A>(x, n), e), y, streaming);
  settle();
}

// Rows of one strip, at most kSums columns wide, copied side by side; returns the largest of each column.
template <class A, class S>
inline void gather_strip(const S* x, std::int64_t n, std::int64_t stride, std::int64_t width, A* e, Lanes<A>* m) {
  for (int r = 0; r < kRegisters<A>; ++r) m[r] = kMinusInf<A> - Lanes<A>{};
  for (std::int64_t i = 0; i < n; ++i, x += stride, e += kSums<A>) {
    if (width < kSums<A>) padded(x, width, e);
    for (int r = 0; r < kRegisters<A>; ++r) {
      const Lanes<A> v = width < kSums<A> ? elements<A>(e + r * kLanes<A>) : elements<A>(x + r * kLanes<A>);
      std::memcpy(e + r * kLanes<A>, &v, sizeof v);
      m[r] = larger(v, m[r]);
    }
  }
}

template <class A, class S, class T>
void softmax_strip(const S* x, std::int64_t n, std::int64_t stride, std::int64_t block, std::int64_t width, A* e,
                   T* y) {
  Lanes<A> m[kRegisters<A>], total[kRegisters<A>] = {};
  gather_strip(x, n, stride, width, e, m);
  for (std::int64_t first = 0; first < n; first += block) {
    Lanes<A> s[kRegisters<A>] = {};
    for (std::int64_t i = first; i < n && i < first + block; ++i)
      for (int r = 0; r < kRegisters<A>; ++r) {
        A* at = e + i * kSums<A> + r * kLanes<A>;
        const Lanes<A> v = exp_nonpositive(elements<A>(at) - m[r]);
        std::memcpy(at, &v, sizeof v);
        s[r] += v;
      }
    for (int r = 0; r < kRegisters<A>; ++r) total[r] += s[r];
  }
  for (int r = 0; r < kRegisters<A>; ++r) total[r] = A{1} / total[r];
  for (std::int64_t i = 0; i < n; ++i, y += stride, e += kSums<A>) {
    if (width == kSums<A>)
      for (int r = 0; r < kRegisters<A>; ++r)
        store_elements(y + r * kLanes<A>, elements<A>(e + r * kLanes<A>) * total[r]);
    else
      for (std::int64_t j = 0; j < width; ++j) store_element(y + j, e[j] * total[j / kLanes<A>][j % kLanes<A>]);
  }
}

// Calls f with the elements of a softmax's input, a pointer of its output's type, and a value of the type
// in which it computes.
template <class F>
inline void with_softmax_types(Element t, const void* x, void* y, F&& f) {
  const auto in_float = [&](const auto* in) { f(in, static_cast<float*>(y), float{}); };
  switch (t) {
    case Element::boolean:
    case Element::u8: return in_float(static_cast<const std::uint8_t*>(x));
    case Element::u16: return in_float(static_cast<const std::uint16_t*>(x));
    case Element::i8: return in_float(static_cast<const std::int8_t*>(x));
    case Element::i16: return in_float(static_cast<const std::int16_t*>(x));
    case Element::i32: return in_float(static_cast<const std::int32_t*>(x));
    case Element::u32: return in_float(static_cast<const std::uint32_t*>(x));
    case Element::i64: return in_float(static_cast<const std::int64_t*>(x));
    case Element::u64: return in_float(static_cast<const std::uint64_t*>(x));
    case Element::c64:
    case Element::f32: return in_float(static_cast<const float*>(x));
    case Element::f16: return f(static_cast<const Half*>(x), static_cast<Half*>(y), float{});
    case Element::bf16: return f(static_cast<const Bf16*>(x), static_cast<Bf16*>(y), float{});
    case Element::f64: return f(static_cast<const double*>(x), static_cast<double*>(y), double{});
  }
}

}  // namespace

// out[k * period + j] = sum of x_i of run k over i = j mod period; runs lie one after the other.
void sum_runs(Element t, const void* x, std::int64_t runs, std::int64_t n, int period, void* out) {
  with_elements(t, x, [&](const auto* p, auto a) { sum_runs_of(p, runs, n, period, static_cast<decltype(a)*>(out)); });
}

// out[k] = sum of the n elements of run k, in sequence.
void sum_short_runs(Element t, const void* x, std::int64_t runs, std::int64_t n, void* out) {
  with_elements(t, x, [&](const auto* p, auto a) { sum_short_runs_of(p, runs, n, static_cast<decltype(a)*>(out)); });
}

// out[j] = sum over rows r of x[r * stride + j], in sequence, for j < width.
void sum_rows(Element t, const void* x, std::int64_t rows, std::int64_t stride, std::int64_t width, void* out) {
  with_elements(t, x,
                [&](const auto* p, auto a) { sum_rows_of(p, rows, stride, width, static_cast<decltype(a)*>(out)); });
}

// Rounds sums to the halves that they are stored as.
void round_sums(Element t, const float* sums, std::int64_t n, void* out) {
  if (t == Element::f16) scaled(sums, n, 1.0F, static_cast<Half*>(out));
  else scaled(sums, n, 1.0F, static_cast<Bf16*>(out));
}

// y = softmax of each row of n, the sum of a row being one block; e is room for n numbers of the computing type.
void softmax_rows(Element t, const void* x, std::int64_t rows, std::int64_t n, void* e, void* y, bool streaming) {
  with_softmax_types(t, x, y, [&](const auto* in, auto* out, auto a) {
    softmax_rows_of(in, rows, n, static_cast<decltype(a)*>(e), out, streaming);
  });
}

// y = softmax of each of `width` columns of n rows, `block` of which are summed in sequence; e is room for n rows of
// 256 bytes.
void softmax_columns(Element t, const void* x, std::int64_t n, std::int64_t stride, std::int64_t block,
                     std::int64_t width, void* e, void* y) {
  with_softmax_types(t, x, y, [&](const auto* in, auto* out, auto a) {
    typedef decltype(a) A;
    for (std::int64_t j = 0; j < width; j += kSums<A>)
      softmax_strip(in + j, n, stride, block, width - j < kSums<A> ? width - j : kSums<A>, static_cast<A*>(e), out + j);
  });
}

// The three passes by themselves, for rows that are cut into blocks: the largest element, the exponentials
// e_i = e^(x_i - m) and their sum, and y_i = e_i / sum. m and the sums are of the computing type.
void softmax_largest(Element t, const void* x, std::int64_t n, void* m) {
  with_softmax_types(t, x, nullptr, [&](const auto* in, auto*, auto a) {
    *static_cast<decltype(a)*>(m) = largest<decltype(a)>(in, n);
  });
}
void softmax_exponentials(Element t, const void* x, std::int64_t n, const void* m, void* e, void* sum) {
  with_softmax_types(t, x, nullptr, [&](const auto* in, auto*, auto a) {
    typedef decltype(a) A;
    *static_cast<A*>(sum) = exponentials(in, n, *static_cast<const A*>(m), static_cast<A*>(e));
  });
}
void softmax_divide(Element t, const void* e, std::int64_t n, const void* sum, void* y, bool streaming) {
  with_softmax_types(t, nullptr, y, [&](const auto*, auto* out, auto a) {
    typedef decltype(a) A;
    divided(static_cast<const A*>(e), n, A{1} / *static_cast<const A*>(sum), out, streaming);
    settle();
  });
}

// y_i = e^(x_i) for x_i <= 0.
void exp_f32(const float* x, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i + kF32 <= n; i += kF32) store(y + i, exp_nonpositive(load(x + i)));
}
void exp_f64(const double* x, std::int64_t n, double* y) {
  for (std::int64_t i = 0; i + kF64 <= n; i += kF64) store(y + i, exp_nonpositive(load(x + i)));
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
