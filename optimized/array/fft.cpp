// Transforms on the processor: Stockham passes over panels of one transform per vector lane, the four-step
// method for single long transforms, Bluestein's convolution for lengths with a large prime factor.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/fft_panel.h"
#include "optimized/array/fft_range.h"
#include "optimized/array/fourier/lines.h"
#include "optimized/array/operand.h"
#include "optimized/dispatch.h"
#include "plans/array/fft.h"

namespace plumb {

#if defined(__x86_64__)
namespace avx512 {
PLUMB_FFT_KERNELS
}
namespace avx2 {
PLUMB_FFT_KERNELS
}
#endif
namespace base {
PLUMB_FFT_KERNELS
}

namespace {

using fft::Problem;
using fft::Range;

constexpr int kMaxLanes = 16;
constexpr Limit kPanelRows{"fft.panel_rows", 4096, 64};  // a longer panel leaves the second-level cache
constexpr Limit kFewLines{"fft.few_lines", 1024, 32};    // lines from which empty lanes cost more than four steps

// Uninitialised floats on a page boundary.
struct PageFloats : RawRoom<float, 4096> {
  using RawRoom::RawRoom;
  operator float*() const { return get(); }  // NOLINT
};

int lanes() { return PLUMB_DISPATCH(fft_lanes)(); }

// Plans are built once per key and never change.
template <class Plan, class... Key>
std::shared_ptr<const Plan> cached(Key... key) {
  static std::mutex mutex;
  static std::map<std::tuple<Key...>, std::shared_ptr<const Plan>> known;
  const std::lock_guard lock(mutex);
  auto& entry = known[{key...}];
  if (!entry) entry = std::make_shared<const Plan>(key...);
  return entry;
}

const float* odd_constants(int radix) {
  struct Table {
    float value[2 * 13];
    explicit Table(int r) {
      for (int i = 0; i < r; ++i) {
        const auto w = fft::root(i, r);
        value[i] = static_cast<float>(w.real());
        value[r + i] = static_cast<float>(-w.imag());
      }
    }
  };
  static const Table three(3), five(5), seven(7), eleven(11), thirteen(13);
  switch (radix) {
    case 3: return three.value;
    case 5: return five.value;
    case 7: return seven.value;
    case 11: return eleven.value;
    case 13: return thirteen.value;
  }
  return nullptr;
}

// A smooth length, one transform per lane.
struct Panel {
  std::int64_t n;
  std::vector<FftPass> passes;
  Room<float> twiddles;

  explicit Panel(std::int64_t length) : n(length) {
    std::vector<std::size_t> begin;
    std::int64_t left = n, s = 1;
    for (int r : fft::radices(n)) {
      const std::int64_t m = left / r;
      begin.push_back(twiddles.size());
      for (std::int64_t p = 0; p < m; ++p)
        for (int k = 1; k < r; ++k) {
          const auto w = fft::root(p * k, left);
          twiddles.push_back(static_cast<float>(w.real()));
          twiddles.push_back(static_cast<float>(w.imag()));
        }
      passes.push_back({r, m, s, nullptr, odd_constants(r)});
      left = m;
      s *= r;
    }
    for (std::size_t i = 0; i < passes.size(); ++i) passes[i].twiddles = twiddles.data() + begin[i];
  }
  float* run(float* x, float* y) const {
    return PLUMB_DISPATCH(fft_run)(passes.data(), static_cast<int>(passes.size()), x, y);
  }
};

// One value in every lane.
struct Lanes {
  float value[kMaxLanes];
  explicit Lanes(float x) { std::fill_n(value, kMaxLanes, x); }
};

std::int64_t panel_floats(std::int64_t rows) { return rows * 2 * lanes(); }

// The two panels that passes alternate between. The second begins off the page boundary, so that a load
// from one and a store to the other do not share their low address bits.
struct Pair {
  PageFloats memory;
  float *x, *y;
  explicit Pair(std::int64_t rows)
      : memory(2 * panel_floats(rows) + 2048), x(memory), y(x + (panel_floats(rows) + 1023) / 1024 * 1024 + 528) {}
};

// e^(-2 pi i e / n) from two short tables, multiplied in binary64.
class Roots {
 public:
  explicit Roots(std::int64_t n) : step_(static_cast<std::int64_t>(std::sqrt(static_cast<double>(n))) + 1) {
    for (std::int64_t i = 0; i < step_; ++i) fine_.push_back(fft::root(i, n));
    for (std::int64_t i = 0; i < n; i += step_) coarse_.push_back(fft::root(i, n));
  }
  fft::Complex64 operator()(std::int64_t e) const {
    const auto a = coarse_[static_cast<std::size_t>(e / step_)], b = fine_[static_cast<std::size_t>(e % step_)];
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  }

 private:
  std::int64_t step_;
  std::vector<fft::Complex64> fine_, coarse_;
};

// n = n1 n2: columns of length n1, a turn with twiddle factors, rows of length n2.
struct Split {
  std::int64_t n1, n2;
  std::shared_ptr<const Panel> column, row;
  Room<float> turn;  // laid out as the column panels are

  Split(std::int64_t n, int v) {
    std::tie(n1, n2) = fft::halves(n);
    column = cached<Panel>(n1);
    row = cached<Panel>(n2);
    const Roots root(n);
    const std::int64_t groups = (n2 + v - 1) / v;
    turn.resize(static_cast<std::size_t>(groups * n1 * 2 * v));
    for (std::int64_t g = 0; g < groups; ++g)
      for (std::int64_t k = 0; k < n1; ++k)
        for (int l = 0; l < v && g * v + l < n2; ++l) {
          const auto w = root((g * v + l) * k);
          const auto at = static_cast<std::size_t>((g * n1 + k) * 2 * v + l);
          turn[at] = static_cast<float>(w.real());
          turn[at + static_cast<std::size_t>(v)] = static_cast<float>(w.imag());
        }
  }
  std::int64_t scratch_floats(int v) const { return (n1 + v - 1) / v * panel_floats(n2); }
};

// One dense line of n = n1 n2 complex numbers through the four steps, both outer ones cut over threads: first the
// columns of the line times `by`. Returns the bits of its largest |part|.
std::uint32_t split_columns(const Split& plan, const float* in, bool swap, float by, float* scratch) {
  const int v = lanes();
  const std::int64_t n1 = plan.n1, n2 = plan.n2, each = panel_floats(n2);
  std::atomic<std::uint32_t> all{0};
  parallel_for((n2 + v - 1) / v, 1 + 8192 / n1, [&](std::int64_t begin, std::int64_t end) {
    const Pair pair(n1);
    const Lanes factors(by);
    std::uint32_t largest[kMaxLanes] = {};
    for (std::int64_t g = begin; g < end; ++g) {
      const int count = static_cast<int>(std::min<std::int64_t>(v, n2 - g * v));
      PLUMB_DISPATCH(fft_load_columns)(in + 2 * g * v, 2 * n2, n1, swap, count, pair.x, largest);
      if (by != 1) PLUMB_DISPATCH(fft_scale)(pair.x, n1, factors.value);
      const float* result = plan.column->run(pair.x, pair.y);
      PLUMB_DISPATCH(fft_turn)
      (result, plan.turn.data() + g * panel_floats(n1), n1, count, each, scratch + g * v * 2 * v);
    }
    const std::uint32_t found = *std::max_element(largest, largest + v);
    std::uint32_t known = all.load();
    while (found > known && !all.compare_exchange_weak(known, found)) {
    }
  });
  return all;
}

// Then the rows. Output k1 + n1 k2 times `scale` plus `poison` goes to out + 2 step (k1 + n1 k2).
void split_rows(const Split& plan, bool swap, float scale, float poison, std::int64_t step, float* out,
                float* scratch) {
  const int v = lanes();
  const std::int64_t n1 = plan.n1, n2 = plan.n2, each = panel_floats(n2);
  parallel_for((n1 + v - 1) / v, 1 + 8192 / n2, [&](std::int64_t begin, std::int64_t end) {
    const Pair pair(n2);
    const Lanes scales(scale), add(poison);
    for (std::int64_t h = begin; h < end; ++h) {
      const int count = static_cast<int>(std::min<std::int64_t>(v, n1 - h * v));
      const float* result = plan.row->run(scratch + h * each, pair.y);
      if (step == 1) {
        PLUMB_DISPATCH(fft_store_columns)
        (result, n2, swap, scales.value, add.value, count, 2 * n1, out + 2 * h * v);
        continue;
      }
      for (std::int64_t k = 0; k < n2; ++k)
        for (int l = 0; l < count; ++l)
          for (int part = 0; part < 2; ++part)
            out[2 * step * (h * v + l + n1 * k) + part] = result[(2 * k + (part ^ int(swap))) * v + l] * scale + poison;
    }
  });
}

// ---- from tensors to panels ----

std::uint32_t magnitude_bits(float x) { return std::bit_cast<std::uint32_t>(x) & 0x7fffffffU; }

// Lines of a dense complex array and where they go, gathered `lanes()` at a time.
struct Lines {
  Problem p;
  const float* in;
  float* out;
  int v;

  bool columns() const { return p.inner >= v / 2 && p.inner > 1; }  // lanes are neighbours in memory
  std::int64_t per_outer() const { return (p.inner + v - 1) / v; }
  std::int64_t groups() const { return columns() ? p.outer * per_outer() : (p.lines + v - 1) / v; }
  const float* from(std::int64_t line) const { return in + 2 * (line / p.inner * p.size * p.inner + line % p.inner); }
  float* to(std::int64_t line) const { return out + 2 * (line / p.inner * p.out * p.inner + line % p.inner); }
  std::int64_t first(std::int64_t group) const {
    return columns() ? group / per_outer() * p.inner + group % per_outer() * v : group * v;
  }
  int count(std::int64_t group) const {
    const std::int64_t left = columns() ? p.inner - group % per_outer() * v : p.lines - group * v;
    return static_cast<int>(std::min<std::int64_t>(v, left));
  }

  // What is done to the lanes of a panel while they are stored.
  struct Ranges {
    float scale[kMaxLanes], poison[kMaxLanes];
  };

  // The first `used` elements of each lane in a range that the transform can bear, then zeros up to `rows`.
  Ranges load(std::int64_t group, std::int64_t rows, float* panel) const {
    const std::int64_t line = first(group);
    const int n = count(group);
    std::uint32_t largest[kMaxLanes] = {};
    if (columns()) {
      PLUMB_DISPATCH(fft_load_columns)(from(line), 2 * p.inner, p.used, p.inverse, n, panel, largest);
    } else {
      const float* at[kMaxLanes];
      for (int l = 0; l < v; ++l) at[l] = from(line + std::min(l, n - 1));
      if (p.inner == 1) PLUMB_DISPATCH(fft_load_lines)(at, p.used, p.inverse, panel, largest);
      else gather(at, panel, largest);
    }
    std::fill_n(panel + p.used * 2 * v, (rows - p.used) * 2 * v, 0.0f);
    return bring_into_range(panel, largest);
  }
  Ranges bring_into_range(float* panel, const std::uint32_t* largest) const {
    Ranges r;
    float by[kMaxLanes];
    bool ordinary = true;
    for (int l = 0; l < kMaxLanes; ++l) {
      const Range range = fft::range_of(largest[l]);
      ordinary &= range.ordinary();
      by[l] = range.in;
      r.scale[l] = static_cast<float>(p.scale) * range.out;
      r.poison[l] = range.poison;
    }
    if (!ordinary) PLUMB_DISPATCH(fft_scale)(panel, p.used, by);
    return r;
  }
  void gather(const float* const* at, float* panel, std::uint32_t* largest) const {
    for (std::int64_t j = 0; j < p.used; ++j)
      for (int l = 0; l < v; ++l)
        for (int part = 0; part < 2; ++part) {
          const float x = at[l][2 * j * p.inner + part];
          largest[l] = std::max(largest[l], magnitude_bits(x));
          panel[(2 * j + (part ^ int(p.inverse))) * v + l] = x;
        }
  }
  void store(std::int64_t group, const float* panel, const Ranges& r) const {
    const std::int64_t line = first(group);
    const int n = count(group);
    if (columns()) {
      PLUMB_DISPATCH(fft_store_columns)
      (panel, p.out, p.inverse, r.scale, r.poison, n, 2 * p.inner, to(line));
      return;
    }
    float* at[kMaxLanes];
    for (int l = 0; l < n; ++l) at[l] = to(line + l);
    if (p.inner == 1) PLUMB_DISPATCH(fft_store_lines)(panel, p.out, p.inverse, r.scale, r.poison, n, at);
    else scatter(panel, r, n, at);
  }
  void scatter(const float* panel, const Ranges& r, int n, float* const* at) const {
    for (std::int64_t k = 0; k < p.out; ++k)
      for (int l = 0; l < n; ++l)
        for (int part = 0; part < 2; ++part)
          at[l][2 * k * p.inner + part] = panel[(2 * k + (part ^ int(p.inverse))) * v + l] * r.scale[l] + r.poison[l];
  }
  // One line, dense and padded: itself, or a copy at `buffer`.
  const float* dense(std::int64_t line, float* buffer) const {
    if (p.inner == 1 && p.used == p.n) return from(line);
    const float* x = from(line);
    for (std::int64_t j = 0; j < p.used; ++j) {
      buffer[2 * j] = x[2 * j * p.inner];
      buffer[2 * j + 1] = x[2 * j * p.inner + 1];
    }
    std::fill(buffer + 2 * p.used, buffer + 2 * p.n, 0.0f);
    return buffer;
  }
};

void stockham(const Lines& t) {
  const auto plan = cached<Panel>(t.p.n);
  parallel_for(t.groups(), 1 + 512 / t.p.n, [&](std::int64_t begin, std::int64_t end) {
    const Pair pair(t.p.n);
    for (std::int64_t g = begin; g < end; ++g) {
      const Lines::Ranges ranges = t.load(g, t.p.n, pair.x);
      t.store(g, plan->run(pair.x, pair.y), ranges);
    }
  });
}

void four_step(const Lines& t) {
  const auto plan = cached<Split>(t.p.n, t.v);
  const auto scale = static_cast<float>(t.p.scale);
  const bool direct = t.p.out == t.p.n;  // else the line is made apart and its first part copied
  parallel_for(t.p.lines, 1 + 65536 / t.p.n, [&](std::int64_t begin, std::int64_t end) {
    const PageFloats scratch(plan->scratch_floats(t.v)), buffer(2 * t.p.n), made(direct ? 1 : 2 * t.p.n);
    for (std::int64_t l = begin; l < end; ++l) {
      const float* x = t.dense(l, buffer);
      const Range range = fft::range_of(split_columns(*plan, x, t.p.inverse, 1, scratch));
      if (!range.ordinary()) split_columns(*plan, x, t.p.inverse, range.in, scratch);
      split_rows(*plan, t.p.inverse, scale * range.out, range.poison, direct ? t.p.inner : 1, direct ? t.to(l) : made,
                 scratch);
      for (std::int64_t k = 0; !direct && k < t.p.out; ++k)
        for (int part = 0; part < 2; ++part) t.to(l)[2 * k * t.p.inner + part] = made[2 * k + part];
    }
  });
}

struct Convolution {
  std::int64_t n, m;
  Room<float> factor, spectrum;  // (re, im)
  explicit Convolution(std::int64_t length) : n(length) {
    const auto chirp = fft::chirp(n, false);
    m = chirp->m;
    for (const auto& w : chirp->factor) append(factor, w);
    for (const auto& w : chirp->spectrum) append(spectrum, w);
  }
  static void append(Room<float>& to, fft::Complex64 w) {
    to.push_back(static_cast<float>(w.real()));
    to.push_back(static_cast<float>(w.imag()));
  }
};

// The inverse transform of the convolution is a forward one between exchanges of re and im.
void bluestein_panels(const Lines& t) {
  const auto c = cached<Convolution>(t.p.n);
  const auto plan = cached<Panel>(c->m);
  parallel_for(t.groups(), 1 + 128 / t.p.n, [&](std::int64_t begin, std::int64_t end) {
    const Pair pair(c->m);
    for (std::int64_t g = begin; g < end; ++g) {
      const Lines::Ranges ranges = t.load(g, c->m, pair.x);
      PLUMB_DISPATCH(fft_multiply)(pair.x, c->factor.data(), t.p.used, false, false);
      float* x = plan->run(pair.x, pair.y);
      PLUMB_DISPATCH(fft_multiply)(x, c->spectrum.data(), c->m, false, true);
      x = plan->run(x, x == pair.x ? pair.y : pair.x);
      PLUMB_DISPATCH(fft_multiply)(x, c->factor.data(), t.p.out, true, false);
      t.store(g, x, ranges);
    }
  });
}

// y_j = by x_j w_j for dense complex lines; exchanges re and im before or after.
void multiply(const float* x, float by, const float* w, std::int64_t n, bool swap_before, bool swap_after, float* y) {
  for (std::int64_t j = 0; j < n; ++j) {
    const float a = by * x[2 * j + (swap_before ? 1 : 0)], b = by * x[2 * j + (swap_before ? 0 : 1)];
    const float re = a * w[2 * j] - b * w[2 * j + 1], im = a * w[2 * j + 1] + b * w[2 * j];
    y[2 * j + (swap_after ? 1 : 0)] = re;
    y[2 * j + (swap_after ? 0 : 1)] = im;
  }
}

Range range_of_line(const float* x, std::int64_t n) {
  std::uint32_t largest = 0;
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, magnitude_bits(x[i]));
  return fft::range_of(largest);
}

void bluestein_lines(const Lines& t) {
  const auto c = cached<Convolution>(t.p.n);
  const auto plan = cached<Split>(c->m, t.v);
  parallel_for(t.p.lines, 1 + 32768 / t.p.n, [&](std::int64_t begin, std::int64_t end) {
    const PageFloats scratch(plan->scratch_floats(t.v)), x(2 * c->m), y(2 * c->m);
    const auto transform = [&](const float* from, float* to) {
      split_columns(*plan, from, false, 1, scratch);
      split_rows(*plan, false, 1, 0, 1, to, scratch);
    };
    for (std::int64_t l = begin; l < end; ++l) {
      const float* in = t.dense(l, x);
      const Range range = range_of_line(in, 2 * t.p.n);
      multiply(in, range.in, c->factor.data(), t.p.n, t.p.inverse, false, x);
      std::fill(x + 2 * t.p.n, x + 2 * c->m, 0.0f);
      transform(x, y);
      multiply(y, 1, c->spectrum.data(), c->m, false, true, y);
      transform(y, x);
      multiply(x, 1, c->factor.data(), t.p.out, true, t.p.inverse, x);
      const float scale = static_cast<float>(t.p.scale) * range.out;
      for (std::int64_t k = 0; k < t.p.out; ++k)
        for (int part = 0; part < 2; ++part) t.to(l)[2 * k * t.p.inner + part] = x[2 * k + part] * scale + range.poison;
    }
  });
}

// ---- whole calls ----

// The n bins of which a half spectrum gives the first n/2 + 1.
void whole_spectrum(const float* x, Problem& p, float* y) {
  parallel_for(p.outer * p.n, 1 + (1 << 14) / p.inner, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const std::int64_t o = r / p.n, k = r % p.n, j = std::min(k, p.n - k);
      float* to = y + 2 * r * p.inner;
      if (j >= p.used) {
        std::fill_n(to, 2 * p.inner, 0.0f);
        continue;
      }
      const float* from = x + 2 * (o * p.size + j) * p.inner;
      const float sign = 2 * j % p.n == 0 ? 0.0f : k == j ? 1.0f : -1.0f;
      for (std::int64_t i = 0; i < p.inner; ++i) {
        to[2 * i] = from[2 * i];
        to[2 * i + 1] = sign == 0 ? 0 : sign * from[2 * i + 1];
      }
    }
  });
  p.size = p.used = p.n;
}

void real_parts(const float* x, std::int64_t n, float* y) {
  parallel_for(n, 1 << 15, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = x[2 * i];
  });
}

template <class F>
void to_real(Problem p, const float* half, float* out, F&& lines) {
  const PageFloats x(2 * p.lines * p.n);
  whole_spectrum(half, p, x);
  lines(Lines{p, x, x, lanes()});
  real_parts(x, p.lines * p.n, out);
}

template <void (*F)(const Lines&)>
void with_lines(const Call& call, std::vector<Tensor>& out) {
  const Problem p = fft::problem(call);
  if (p.lines == 0) return;
  const Tensor x = fft::complex_input(call[0], p.real_in);
  float* y = out[0].write<float>();
  if (p.real_out) to_real(p, x.read<float>(), y, F);
  else F({p, x.read<float>(), y, lanes()});
}

// ---- conditions ----

constexpr double kTwiddleError = 0x1p-24;  // both parts rounded from binary64: at most u / sqrt 2

double scaling(const Problem& p) { return p.scale == 1 ? 0 : 1; }
Order stockham_order(const Call& c) {
  const Problem p = fft::problem(c);
  return fft::order_of(fft::levels(p.n) + scaling(p), 1, kTwiddleError);
}
Order four_step_order(const Call& c) {
  const Problem p = fft::problem(c);
  return fft::order_of(fft::levels(p.n) + 1 + scaling(p), 1, kTwiddleError);
}
// In panels or in lines, whose middle step costs each transform one more level.
void bluestein(const Lines& t) {
  const std::int64_t m = fft::convolution_length(t.p.n, false);
  const bool lines = m > kPanelRows.of(m) || (m >= kFewLines.of(m) && t.p.lines < t.v / 4);
  lines ? bluestein_lines(t) : bluestein_panels(t);
}
double bluestein_levels(const fft::Chirp& chirp) { return 2 * (fft::levels(chirp.m) + 1) + 3; }
Order bluestein_order(const Call& c) {
  const Problem p = fft::problem(c);
  const auto chirp = fft::chirp(p.n, false);
  return fft::order_of(bluestein_levels(*chirp) + scaling(p), chirp->amplification, kTwiddleError);
}

bool is_smooth(const Call& c, const Device&) { return fft::smooth(fft::problem(c).n); }
bool splits(const Call& c, const Device&) { return fft::halves(fft::problem(c).n).second > 1; }
// A panel of whole lines no longer stays in the second-level cache, or lanes would go empty.
bool leaves_cache(const Problem& p) {
  return p.n > kPanelRows.now() || (p.n >= kFewLines.now() && p.lines < lanes() / 4);
}
bool wants_split(const Call& c, const Device&) { return leaves_cache(fft::problem(c)); }
bool has_large_prime(const Call& c, const Device& d) { return !is_smooth(c, d); }

void any_lines(const Lines& t) {
  if (!fft::smooth(t.p.n)) bluestein(t);
  else if (leaves_cache(t.p) && fft::halves(t.p.n).second > 1) four_step(t);
  else stockham(t);
}

constexpr Condition kSmooth{Stage::shape_dtype, "the length has a prime factor above 13", is_smooth};

}  // namespace

namespace fft {

Tensor complex_input(const Tensor& t, bool real_parts) {
  if (t.dtype() == Dtype::c64 && real_parts) return complex_input(as_dtype(t, Dtype::f32), false);
  if (t.dtype() == Dtype::c64 && t.is_row_major()) return t;
  Tensor c(Spec{Dtype::c64, t.shape()});
  convert_into(t, Dtype::c64, c.write<std::byte>());
  return c;
}

void transform_lines(const Problem& p, const float* in, float* out) {
  if (p.lines > 0) any_lines({p, in, out, lanes()});
}
void transform_to_real(Problem p, const float* half, float* out) {
  if (p.lines > 0) to_real(p, half, out, any_lines);
}

double growth(const Problem& p) {
  if (smooth(p.n)) return levels(p.n) + 1;
  const auto c = chirp(p.n, false);
  return c->amplification * bluestein_levels(*c);
}

std::uint32_t largest_bits(const float* x, std::int64_t n) { return PLUMB_DISPATCH(fft_largest)(x, n); }

}  // namespace fft

std::vector<Route> fft_cpu_routes() {
  std::vector<Route> routes;
  for (std::string_view op : {"fft", "ifft", "rfft", "irfft"}) {
    Route split;
    split.op = op;
    split.name = "cpu.four_step";
    split.supports = {kSmooth, {Stage::shape_dtype, "the length is prime", splits}};
    split.prefers = {{Stage::shape_dtype, "short lines that fill the lanes stay in cache", wants_split}};
    split.order = four_step_order;
    split.prepare = host<with_lines<four_step>>;
    Route direct;
    direct.op = op;
    direct.name = "cpu.stockham";
    direct.supports = {kSmooth};
    direct.order = stockham_order;
    direct.prepare = host<with_lines<stockham>>;
    Route chirp;
    chirp.op = op;
    chirp.name = "cpu.bluestein";
    chirp.prefers = {{Stage::shape_dtype, "the length has no prime factor above 13", has_large_prime}};
    chirp.order = bluestein_order;
    chirp.prepare = host<with_lines<bluestein>>;
    routes.insert(routes.end(), {split, direct, chirp});
  }
  return routes;
}

}  // namespace plumb
