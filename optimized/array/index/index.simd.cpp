// Index arrays read, rows moved and combined.
#include "optimized/array/index/kernels.h"

namespace plumb {

namespace PLUMB_ISA_NAME {
namespace {

// ---- index arrays

template <class T>
constexpr bool kSigned = static_cast<T>(-1) < T{0};

template <class T>
bool outside(T v, std::int64_t n, std::int64_t last, bool wraps) {
  if constexpr (kSigned<T>) {
    const std::int64_t x = v, from_start = x < 0 && wraps ? x + n : x;
    return from_start < 0 || from_start > last;
  } else {
    return last < 0 || static_cast<std::uint64_t>(v) > static_cast<std::uint64_t>(last);
  }
}

// Whole blocks without a branch, and the block that has one again.
template <class T>
std::int64_t first_outside_of(const T* p, std::int64_t step, std::int64_t n, const AxisOf& axis) {
  constexpr std::int64_t kBlock = 256;
  const std::int64_t last = axis.n - axis.width;
  for (std::int64_t b = 0; b < n; b += kBlock) {
    const std::int64_t end = b + kBlock < n ? b + kBlock : n;
    bool any = false;
    if (step == 1)
      for (std::int64_t i = b; i < end; ++i) any |= outside(p[i], axis.n, last, axis.wraps);
    else
      for (std::int64_t i = b; i < end; ++i) any |= outside(p[i * step], axis.n, last, axis.wraps);
    if (!any) continue;
    for (std::int64_t i = b; i < end; ++i)
      if (outside(p[i * step], axis.n, last, axis.wraps)) return i;
  }
  return n;
}

template <class T>
void add_positions_of(const T* p, std::int64_t step, std::int64_t n, std::int64_t extent, std::int64_t axis_step,
                      std::int64_t* at) {
  const auto place = [&](T v) {
    const auto x = static_cast<std::int64_t>(v);
    return (kSigned<T> && x < 0 ? x + extent : x) * axis_step;
  };
  if (step == 0) {
    const std::int64_t same = n > 0 ? place(p[0]) : 0;
    for (std::int64_t i = 0; i < n; ++i) at[i] += same;
  } else if (step == 1) {
    for (std::int64_t i = 0; i < n; ++i) at[i] += place(p[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) at[i] += place(p[i * step]);
  }
}

// f(pointer to the entries as what they are)
template <class F>
auto with_entries(Element t, const void* p, F&& f) {
  switch (t) {
    case Element::u8: return f(static_cast<const std::uint8_t*>(p));
    case Element::u16: return f(static_cast<const std::uint16_t*>(p));
    case Element::u32: return f(static_cast<const std::uint32_t*>(p));
    case Element::u64: return f(static_cast<const std::uint64_t*>(p));
    case Element::i8: return f(static_cast<const std::int8_t*>(p));
    case Element::i16: return f(static_cast<const std::int16_t*>(p));
    case Element::i32: return f(static_cast<const std::int32_t*>(p));
    default: return f(static_cast<const std::int64_t*>(p));
  }
}

// ---- rows

constexpr std::int64_t kAhead = 12;  // rows that are fetched before they are moved

void fetch(const char* p, std::int64_t bytes) {
  for (std::int64_t i = 0; i < bytes && i < 512; i += 64) __builtin_prefetch(p + i);
}

// Around the caches, where a row is whole lines of them. settle() before another thread reads it.
bool streams(const RowShape& s, std::int64_t bytes, const void* to) {
  return kVectorBytes >= 32 && s.streaming && bytes % 64 == 0 && reinterpret_cast<std::uintptr_t>(to) % 64 == 0;
}
void stream(char* to, const char* from, std::int64_t bytes) {
#if defined(__AVX2__)
  for (std::int64_t i = 0; i < bytes; i += kVectorBytes) {
    const f32v v = load(reinterpret_cast<const float*>(from + i));
#if defined(__AVX512F__)
    _mm512_stream_ps(reinterpret_cast<float*>(to + i), (__m512)v);
#else
    _mm256_stream_ps(reinterpret_cast<float*>(to + i), (__m256)v);
#endif
  }
#else
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
#endif
}
void settle() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

void move_row(char* to, const char* from, std::int64_t bytes, bool around) {
  if (around) stream(to, from, bytes);
  else std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

template <class W>
void gather_of(const W* a, const std::int64_t* at, std::int64_t rows, const RowShape& s, W* out) {
  if (s.size == 1) {
    for (std::int64_t r = 0; r < rows; ++r) out[r] = a[at[r]];
  } else if (s.step == 1) {
    const std::int64_t bytes = s.size * static_cast<std::int64_t>(sizeof(W));
    const bool around = streams(s, bytes, out);
    for (std::int64_t r = 0; r < rows; ++r) {
      if (r + kAhead < rows) fetch(reinterpret_cast<const char*>(a + at[r + kAhead]), bytes);
      move_row(reinterpret_cast<char*>(out + r * s.size), reinterpret_cast<const char*>(a + at[r]), bytes, around);
    }
    if (around) settle();
  } else {
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t i = 0; i < s.size; ++i) out[r * s.size + i] = a[at[r] + i * s.step];
  }
}

template <class W>
void scatter_of(const W* u, const std::int64_t* from, const std::int64_t* to, std::int64_t rows, const RowShape& s,
                W* out) {
  if (s.size == 1) {
    for (std::int64_t r = 0; r < rows; ++r) out[to[r]] = u[from[r]];
  } else if (s.step == 1 && s.update == 1) {
    const std::int64_t bytes = s.size * static_cast<std::int64_t>(sizeof(W));
    for (std::int64_t r = 0; r < rows; ++r) {
      const bool around = streams(s, bytes, out + to[r]);
      if (!around && r + kAhead < rows) fetch(reinterpret_cast<const char*>(out + to[r + kAhead]), bytes);
      move_row(reinterpret_cast<char*>(out + to[r]), reinterpret_cast<const char*>(u + from[r]), bytes, around);
    }
    if (s.streaming) settle();
  } else {
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t i = 0; i < s.size; ++i) out[to[r] + i * s.step] = u[from[r] + i * s.update];
  }
}

// ---- combined elements

struct Pair {
  float re, im;
};

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a + b);
  }
  Pair operator()(Pair a, Pair b) const { return {a.re + b.re, a.im + b.im}; }
};
struct Subtract {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a - b);
  }
  Pair operator()(Pair a, Pair b) const { return {a.re - b.re, a.im - b.im}; }
};
struct Divide {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (static_cast<T>(0.5) != 0) return a / b;
    else return a;  // of whole numbers nobody asks
  }
  Pair operator()(Pair a, Pair b) const {
    const double c = a.re, d = a.im, e = b.re, f = b.im, square = e * e + f * f;
    return {static_cast<float>((c * e + d * f) / square), static_cast<float>((d * e - c * f) / square)};
  }
};
struct Prod {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (sizeof(T) < 4) return static_cast<T>(static_cast<unsigned>(a) * static_cast<unsigned>(b));
    else return a * b;
  }
  Pair operator()(Pair a, Pair b) const {
    const double c = a.re, d = a.im, e = b.re, f = b.im;
    return {static_cast<float>(c * e - d * f), static_cast<float>(c * f + d * e)};
  }
};
// NaN beside any, the second of equals.
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

template <class T, class F>
void combine_of(F f, const void* updates, const std::int64_t* from, const std::int64_t* to, std::int64_t rows,
                const RowShape& s, void* out) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* __restrict u = static_cast<const T*>(updates) + from[r];
    T* __restrict y = static_cast<T*>(out) + to[r];
    if (s.step == 1 && s.update == 1)
      for (std::int64_t i = 0; i < s.size; ++i) y[i] = f(y[i], u[i]);
    else
      for (std::int64_t i = 0; i < s.size; ++i) y[i * s.step] = f(y[i * s.step], u[i * s.update]);
  }
}

template <class F>
void combine_any(F f, Element t, const void* u, const std::int64_t* from, const std::int64_t* to, std::int64_t rows,
                 const RowShape& s, void* out) {
  constexpr bool kModular = !__is_same(F, Max) && !__is_same(F, Min);  // the same bits whatever the sign
  switch (t) {
    case Element::f32: return combine_of<float>(f, u, from, to, rows, s, out);
    case Element::f64: return combine_of<double>(f, u, from, to, rows, s, out);
    case Element::boolean:
    case Element::u8: return combine_of<std::uint8_t>(f, u, from, to, rows, s, out);
    case Element::u16: return combine_of<std::uint16_t>(f, u, from, to, rows, s, out);
    case Element::u32: return combine_of<std::uint32_t>(f, u, from, to, rows, s, out);
    case Element::u64: return combine_of<std::uint64_t>(f, u, from, to, rows, s, out);
    default: break;
  }
  if constexpr (kModular) {
    switch (t) {
      case Element::i8: return combine_of<std::uint8_t>(f, u, from, to, rows, s, out);
      case Element::i16: return combine_of<std::uint16_t>(f, u, from, to, rows, s, out);
      case Element::i32: return combine_of<std::uint32_t>(f, u, from, to, rows, s, out);
      case Element::i64: return combine_of<std::uint64_t>(f, u, from, to, rows, s, out);
      default: return combine_of<Pair>(f, u, from, to, rows, s, out);
    }
  } else {
    switch (t) {
      case Element::i8: return combine_of<std::int8_t>(f, u, from, to, rows, s, out);
      case Element::i16: return combine_of<std::int16_t>(f, u, from, to, rows, s, out);
      case Element::i32: return combine_of<std::int32_t>(f, u, from, to, rows, s, out);
      default: return combine_of<std::int64_t>(f, u, from, to, rows, s, out);
    }
  }
}

}  // namespace

std::int64_t first_outside(Element t, const void* entries, std::int64_t step, std::int64_t n, const AxisOf& axis) {
  return with_entries(t, entries, [&](const auto* p) { return first_outside_of(p, step, n, axis); });
}

void add_positions(Element t, const void* entries, std::int64_t step, std::int64_t n, std::int64_t extent,
                   std::int64_t axis_step, std::int64_t* at) {
  with_entries(t, entries, [&](const auto* p) { add_positions_of(p, step, n, extent, axis_step, at); });
}

void gather_rows(std::int64_t bytes, const void* a, const std::int64_t* at, std::int64_t rows, const RowShape& s,
                 void* out) {
  const auto move = [&](auto w) {
    gather_of(static_cast<const decltype(w)*>(a), at, rows, s, static_cast<decltype(w)*>(out));
  };
  if (bytes == 1) move(std::uint8_t{});
  else if (bytes == 2) move(std::uint16_t{});
  else if (bytes == 4) move(std::uint32_t{});
  else move(std::uint64_t{});
}

void scatter_rows(std::int64_t bytes, const void* updates, const std::int64_t* from, const std::int64_t* to,
                  std::int64_t rows, const RowShape& s, void* out) {
  const auto move = [&](auto w) {
    scatter_of(static_cast<const decltype(w)*>(updates), from, to, rows, s, static_cast<decltype(w)*>(out));
  };
  if (bytes == 1) move(std::uint8_t{});
  else if (bytes == 2) move(std::uint16_t{});
  else if (bytes == 4) move(std::uint32_t{});
  else move(std::uint64_t{});
}

void combine_rows(Element t, Combine how, const void* u, const std::int64_t* from, const std::int64_t* to,
                  std::int64_t rows, const RowShape& s, void* out) {
  if (t == Element::boolean) how = how == Combine::add || how == Combine::max ? Combine::max : Combine::min;  // or, and
  switch (how) {
    case Combine::add: return combine_any(Add{}, t, u, from, to, rows, s, out);
    case Combine::prod: return combine_any(Prod{}, t, u, from, to, rows, s, out);
    case Combine::subtract: return combine_any(Subtract{}, t, u, from, to, rows, s, out);
    case Combine::divide: return combine_any(Divide{}, t, u, from, to, rows, s, out);
    case Combine::max: return combine_any(Max{}, t, u, from, to, rows, s, out);
    default: return combine_any(Min{}, t, u, from, to, rows, s, out);
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
