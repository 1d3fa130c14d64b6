// Vector kernels of the transforms: one transform per lane, see fft_panel.h.
#include <algorithm>

#include "optimized/array/fft_panel.h"
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

PLUMB_FFT_KERNELS

namespace {

constexpr int kV = kF32;

struct Cv {
  f32v re, im;
};
inline Cv operator+(Cv a, Cv b) { return {a.re + b.re, a.im + b.im}; }
inline Cv operator-(Cv a, Cv b) { return {a.re - b.re, a.im - b.im}; }
inline Cv turn_back(Cv a) { return {a.im, -a.re}; }  // times -i
inline Cv times(Cv a, f32v re, f32v im) { return {fma(a.re, re, -(a.im * im)), fma(a.re, im, a.im * re)}; }
inline Cv times(Cv a, const float* w) { return times(a, splat(w[0]), splat(w[1])); }
inline Cv row(const float* p) { return {load(p), load(p + kV)}; }
inline void put(float* p, Cv a) {
  store(p, a.re);
  store(p + kV, a.im);
}

inline void dft4(Cv a, Cv b, Cv c, Cv d, Cv* y) {
  const Cv e = a + c, f = a - c, g = b + d, h = turn_back(b - d);
  y[0] = e + g;
  y[1] = f + h;
  y[2] = e - g;
  y[3] = f - h;
}

// y_k = sum over j < R of x_j e^(-2 pi i j k / R)
template <int R>
struct Butterfly {  // odd R: terms j and R - j share their products
  static inline void run(const Cv* x, const float* constants, Cv* y) {
    constexpr int kHalf = (R - 1) / 2;
    Cv sum[kHalf], difference[kHalf];
    y[0] = x[0];
    for (int j = 0; j < kHalf; ++j) {
      sum[j] = x[j + 1] + x[R - 1 - j];
      difference[j] = x[j + 1] - x[R - 1 - j];
      y[0] = y[0] + sum[j];
    }
    for (int k = 1; k <= kHalf; ++k) {
      Cv even = x[0], odd = {f32v{}, f32v{}};
      for (int j = 0; j < kHalf; ++j) {
        const int i = (j + 1) * k % R;
        const f32v c = splat(constants[i]), s = splat(constants[R + i]);
        even = {fma(sum[j].re, c, even.re), fma(sum[j].im, c, even.im)};
        odd = {fma(difference[j].re, s, odd.re), fma(difference[j].im, s, odd.im)};
      }
      y[k] = {even.re + odd.im, even.im - odd.re};
      y[R - k] = {even.re - odd.im, even.im + odd.re};
    }
  }
};
template <>
struct Butterfly<2> {
  static inline void run(const Cv* x, const float*, Cv* y) {
    y[0] = x[0] + x[1];
    y[1] = x[0] - x[1];
  }
};
template <>
struct Butterfly<4> {
  static inline void run(const Cv* x, const float*, Cv* y) { dft4(x[0], x[1], x[2], x[3], y); }
};
template <>
struct Butterfly<8> {
  static inline void run(const Cv* x, const float*, Cv* y) {
    const f32v h = splat(0.70710678118654752440f);
    Cv a[4], b[4];
    dft4(x[0], x[2], x[4], x[6], a);
    dft4(x[1], x[3], x[5], x[7], b);
    b[1] = {(b[1].re + b[1].im) * h, (b[1].im - b[1].re) * h};
    b[2] = turn_back(b[2]);
    b[3] = {(b[3].im - b[3].re) * h, -((b[3].re + b[3].im) * h)};
    for (int k = 0; k < 4; ++k) {
      y[k] = a[k] + b[k];
      y[k + 4] = a[k] - b[k];
    }
  }
};

template <int R, bool Twiddle>
void run_pass(const FftPass& pass, const float* x, float* y) {
  const std::int64_t m = pass.m, s = pass.s;
  for (std::int64_t p = 0; p < m; ++p) {
    const float* w = pass.twiddles + 2 * (R - 1) * p;
    for (std::int64_t q = 0; q < s; ++q) {
      Cv in[R], out[R];
      for (int j = 0; j < R; ++j) in[j] = row(x + (q + s * (p + m * j)) * 2 * kV);
      Butterfly<R>::run(in, pass.constants, out);
      float* to = y + (q + s * R * p) * 2 * kV;
      put(to, out[0]);
      for (int k = 1; k < R; ++k) put(to + s * k * 2 * kV, Twiddle ? times(out[k], w + 2 * (k - 1)) : out[k]);
    }
  }
}

template <int R>
void run_radix(const FftPass& pass, const float* x, float* y) {
  pass.m == 1 ? run_pass<R, false>(pass, x, y) : run_pass<R, true>(pass, x, y);
}

template <int... L>
struct Lanes {};
template <int N, int... L>
struct CountLanes : CountLanes<N - 1, N - 1, L...> {};
template <int... L>
struct CountLanes<0, L...> {
  using type = Lanes<L...>;
};
using AllLanes = CountLanes<kV>::type;

// The larger of two magnitudes as bits, which are not negative as signed integers either.
inline i32v larger(i32v most, f32v x) {
  const i32v bits = (i32v)x & 0x7fffffff;
  return most > bits ? most : bits;
}
inline i32v load_bits(const std::uint32_t* p) { return *reinterpret_cast<const i32v*>(p); }
inline void store_bits(std::uint32_t* p, i32v v) { *reinterpret_cast<i32v*>(p) = v; }

template <int H, int... L>
inline void exchange(f32v& a, f32v& b, Lanes<L...>) {  // blocks of H lanes: upper of a with lower of b
  const f32v low = __builtin_shufflevector(a, b, ((L & H) == 0 ? L : kV + L - H)...);
  const f32v high = __builtin_shufflevector(a, b, ((L & H) == 0 ? L + H : kV + L)...);
  a = low;
  b = high;
}
template <int H>
inline void transpose(f32v (&t)[kV]) {
  if constexpr (H > 0) {
    for (int i = 0; i < kV; ++i)
      if ((i & H) == 0) exchange<H>(t[i], t[i + H], AllLanes());
    transpose<H / 2>(t);
  }
}
template <int... L>
inline Cv split(f32v a, f32v b, Lanes<L...>) {
  return {__builtin_shufflevector(a, b, (2 * L)...), __builtin_shufflevector(a, b, (2 * L + 1)...)};
}
template <int... L>
inline void join(Cv c, f32v& a, f32v& b, Lanes<L...>) {
  a = __builtin_shufflevector(c.re, c.im, (L / 2 + (L & 1) * kV)...);
  b = __builtin_shufflevector(c.re, c.im, (kV / 2 + L / 2 + (L & 1) * kV)...);
}

}  // namespace

int fft_lanes() { return kV; }

std::uint32_t fft_largest(const float* x, std::int64_t n) {
  i32v most[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * kV <= n; i += 4 * kV)
    for (int r = 0; r < 4; ++r) most[r] = larger(most[r], load(x + i + r * kV));
  std::uint32_t largest = 0;
  for (int r = 0; r < 4; ++r)
    for (int l = 0; l < kV; ++l) largest = std::max(largest, static_cast<std::uint32_t>(most[r][l]));
  for (; i < n; ++i) largest = std::max(largest, to_bits(x[i]) & 0x7fffffffU);
  return largest;
}

float* fft_run(const FftPass* passes, int count, float* x, float* y) {
  for (int i = 0; i < count; ++i) {
    switch (passes[i].radix) {
      case 2: run_radix<2>(passes[i], x, y); break;
      case 3: run_radix<3>(passes[i], x, y); break;
      case 4: run_radix<4>(passes[i], x, y); break;
      case 5: run_radix<5>(passes[i], x, y); break;
      case 7: run_radix<7>(passes[i], x, y); break;
      case 8: run_radix<8>(passes[i], x, y); break;
      case 11: run_radix<11>(passes[i], x, y); break;
      case 13: run_radix<13>(passes[i], x, y); break;
    }
    float* t = x;
    x = y;
    y = t;
  }
  return x;
}

void fft_load_lines(const float* const* line, std::int64_t rows, bool swap, float* panel, std::uint32_t* largest) {
  constexpr int kRows = kV / 2;  // of a tile: kV floats of each line
  i32v most = load_bits(largest);
  std::int64_t j = 0;
  for (; j + kRows <= rows; j += kRows) {
    f32v t[kV];
    for (int l = 0; l < kV; ++l) t[l] = load(line[l] + 2 * j);
    transpose<kV / 2>(t);
    for (int i = 0; i < kV; ++i) {
      most = larger(most, t[i]);
      store(panel + j * 2 * kV + (swap ? i ^ 1 : i) * kV, t[i]);
    }
  }
  store_bits(largest, most);
  for (; j < rows; ++j)
    for (int l = 0; l < kV; ++l)
      for (int part = 0; part < 2; ++part) {
        const float x = line[l][2 * j + part];
        const std::uint32_t bits = to_bits(x) & 0x7fffffffU;
        if (bits > largest[l]) largest[l] = bits;
        panel[(2 * j + (part ^ int(swap))) * kV + l] = x;
      }
}

void fft_store_lines(const float* panel, std::int64_t rows, bool swap, const float* scale, const float* poison,
                     int lanes, float* const* line) {
  constexpr int kRows = kV / 2;
  const f32v by = load(scale), bad = load(poison);
  std::int64_t j = 0;
  for (; j + kRows <= rows; j += kRows) {
    f32v t[kV];
    for (int i = 0; i < kV; ++i) t[i] = fma(load(panel + j * 2 * kV + (swap ? i ^ 1 : i) * kV), by, bad);
    transpose<kV / 2>(t);
    if (lanes == kV)
      for (int l = 0; l < kV; ++l) store(line[l] + 2 * j, t[l]);
    else
      for (int l = 0; l < lanes; ++l) store(line[l] + 2 * j, t[l]);
  }
  for (; j < rows; ++j)
    for (int l = 0; l < lanes; ++l)
      for (int part = 0; part < 2; ++part)
        line[l][2 * j + part] = panel[(2 * j + (part ^ int(swap))) * kV + l] * scale[l] + poison[l];
}

void fft_load_columns(const float* base, std::int64_t step, std::int64_t rows, bool swap, int lanes, float* panel,
                      std::uint32_t* largest) {
  i32v most = load_bits(largest);
  for (std::int64_t j = 0; j < rows; ++j, base += step, panel += 2 * kV) {
    float partial[2 * kV] = {};
    const float* from = base;
    if (lanes < kV) {
      for (int l = 0; l < 2 * lanes; ++l) partial[l] = base[l];
      from = partial;
    }
    const Cv c = split(load(from), load(from + kV), AllLanes());
    most = larger(larger(most, c.re), c.im);
    put(panel, swap ? Cv{c.im, c.re} : c);
  }
  store_bits(largest, most);
}

void fft_store_columns(const float* panel, std::int64_t rows, bool swap, const float* scale, const float* poison,
                       int lanes, std::int64_t step, float* base) {
  const f32v by = load(scale), bad = load(poison);
  for (std::int64_t j = 0; j < rows; ++j, base += step, panel += 2 * kV) {
    Cv c = row(panel);
    c = {fma(c.re, by, bad), fma(c.im, by, bad)};
    f32v a, b;
    join(swap ? Cv{c.im, c.re} : c, a, b, AllLanes());
    if (lanes == kV) {
      store(base, a);
      store(base + kV, b);
      continue;
    }
    float partial[2 * kV];
    store(partial, a);
    store(partial + kV, b);
    for (int l = 0; l < 2 * lanes; ++l) base[l] = partial[l];
  }
}

void fft_scale(float* panel, std::int64_t rows, const float* by) {
  const f32v factor = load(by);
  for (std::int64_t i = 0; i < 2 * rows; ++i) store(panel + i * kV, load(panel + i * kV) * factor);
}

void fft_multiply(float* panel, const float* factor, std::int64_t rows, bool swap_before, bool swap_after) {
  for (std::int64_t j = 0; j < rows; ++j, panel += 2 * kV) {
    Cv c = row(panel);
    if (swap_before) c = {c.im, c.re};
    c = times(c, factor + 2 * j);
    put(panel, swap_after ? Cv{c.im, c.re} : c);
  }
}

void fft_turn(const float* panel, const float* twiddles, std::int64_t rows, int lanes, std::int64_t panel_floats,
              float* to) {
  for (std::int64_t k = 0; k < rows; k += kV, to += panel_floats) {
    f32v re[kV], im[kV];
    for (int i = 0; i < kV; ++i) {
      re[i] = im[i] = f32v{};
      if (k + i >= rows) continue;
      const Cv w = row(twiddles + (k + i) * 2 * kV);
      const Cv c = times(row(panel + (k + i) * 2 * kV), w.re, w.im);
      re[i] = c.re;
      im[i] = c.im;
    }
    transpose<kV / 2>(re);
    transpose<kV / 2>(im);
    for (int l = 0; l < lanes; ++l) put(to + l * 2 * kV, {re[l], im[l]});
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
