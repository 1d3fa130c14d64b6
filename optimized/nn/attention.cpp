// Attention on the CPU: a thread takes a few queries of one head of keys and goes through the keys in tiles. Scores are
// one product of matrices, softmax keeps a running maximum, and weights times values are another product; a tile's sums
// join those of the tiles before, scaled to the new maximum.
#include <algorithm>
#include <cmath>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/exp.h"
#include "optimized/linalg/gemm.h"
#include "optimized/nn/rows.h"

namespace plumb {

PLUMB_DECLARE_SIMD(float softmax_step(float* s, std::int64_t n, float* largest, float* total))
PLUMB_DECLARE_SIMD(double softmax_step_f64(double* s, std::int64_t n, double* largest, double* total))
PLUMB_DECLARE_SIMD(void scale_values(float* x, std::int64_t n, float factor))
PLUMB_DECLARE_SIMD(void scale_values_f64(double* x, std::int64_t n, double factor))
PLUMB_DECLARE_SIMD(void add_values(float* x, const float* y, std::int64_t n))
PLUMB_DECLARE_SIMD(void add_values_f64(double* x, const double* y, std::int64_t n))

namespace {

constexpr Limit kKeys{"attention.keys", 256, 16};      // of a tile
constexpr Limit kQueries{"attention.queries", 64, 3};  // that a thread takes together
constexpr std::int64_t kRegister = 16;                 // scores are read by whole registers

float softmax(float* s, std::int64_t n, float* m, float* total) { return PLUMB_DISPATCH(softmax_step)(s, n, m, total); }
double softmax(double* s, std::int64_t n, double* m, double* total) {
  return PLUMB_DISPATCH(softmax_step_f64)(s, n, m, total);
}
void scale(float* x, std::int64_t n, float f) { PLUMB_DISPATCH(scale_values)(x, n, f); }
void scale(double* x, std::int64_t n, double f) { PLUMB_DISPATCH(scale_values_f64)(x, n, f); }
void add(float* x, const float* y, std::int64_t n) { PLUMB_DISPATCH(add_values)(x, y, n); }
void add(double* x, const double* y, std::int64_t n) { PLUMB_DISPATCH(add_values_f64)(x, y, n); }

// The operands of a call, none of them copied that can be read in place.
struct Operands {
  std::int64_t B, H, G, L, S, D, E, group;
  Tensor q, k, v, mask, sinks;
  std::int64_t steps[4] = {};  // of the mask, along the axes of the scores
  double scale;
  bool causal, hides;  // hides: by truth values

  Operands(const Call& c, Dtype t)
      : B(c.size('B')),
        H(c.size('H')),
        G(c.size('G')),
        L(c.size('L')),
        S(c.size('S')),
        D(c.size('D')),
        E(c.size('E')),
        group(H / G),
        q(in(c[0], t)),
        k(in(c[1], t)),
        v(in(c[2], t)),
        scale(static_cast<double>(to_float(c.number("scale")))),
        causal(c.text("mask_mode") == "causal"),
        hides(c.has("mask") && c["mask"].dtype() == Dtype::boolean) {
    if (c.has("sinks")) sinks = contiguous(as_dtype(c["sinks"], Dtype::f64));
    if (!c.has("mask")) return;
    mask = hides ? c["mask"] : nn::operand(c["mask"], t);
    const auto rank = static_cast<std::size_t>(mask.rank());
    for (std::size_t d = 0; d < rank; ++d) steps[4 - rank + d] = mask.shape()[d] == 1 ? 0 : mask.strides()[d];
  }

  // Products take f64 beside f64 alone.
  static Tensor in(const Tensor& x, Dtype t) {
    return t == Dtype::f64 && x.dtype() != t ? as_dtype(x, t) : nn::operand(x, t);
  }
};

const std::byte* element(const Tensor& x, std::int64_t at) { return x.read<std::byte>() + at * info(x.dtype()).bytes; }
const std::byte* row_of(const Tensor& x, std::int64_t b, std::int64_t h, std::int64_t i) {
  return element(x, b * x.strides()[0] + h * x.strides()[1] + i * x.strides()[2]);
}

// Some queries of one head of keys.
template <class A>
class Block {
 public:
  Block(const Operands& o, std::int64_t most)
      : o_(o),
        pitch_((kKeys.now() + kRegister - 1) / kRegister * kRegister),
        queries_(most * o.D),
        scores_(most * pitch_),
        sums_(most * o.E),
        part_(most * o.E),
        line_(std::max(pitch_, o.E)),
        largest_(most),
        total_(most),
        seen_(most),
        kept_(pitch_) {}

  // Queries are numbered through the heads that share the keys.
  void run(std::int64_t b, std::int64_t g, std::int64_t first, std::int64_t rows, Dtype to, std::byte* out) {
    b_ = b, g_ = g, first_ = first, rows_ = rows;
    std::int64_t end = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      begin_query(r);
      end = std::max(end, visible(r));
    }
    const std::int64_t keys = kKeys.of(o_.S);
    for (std::int64_t j = 0; j < end; j += keys) tile(j, std::min(keys, o_.S - j));
    for (std::int64_t r = 0; r < rows; ++r) {
      if (seen_[r] == 0 && !o_.sinks.defined()) average(r, keys);
      scale(sums_.get() + r * o_.E, o_.E, 1 / total_[r]);
      const std::int64_t row = (b * o_.H + head(r)) * o_.L + place(r);
      nn::write(element_of(to), sums_.get() + r * o_.E, o_.E, out + row * o_.E * info(to).bytes);
    }
  }

 private:
  std::int64_t head(std::int64_t r) const { return g_ * o_.group + (first_ + r) / o_.L; }
  std::int64_t place(std::int64_t r) const { return (first_ + r) % o_.L; }
  std::int64_t visible(std::int64_t r) const {  // keys before the first that causal hides
    return o_.causal ? std::clamp<std::int64_t>(place(r) + o_.S - o_.L + 1, 0, o_.S) : o_.S;
  }

  void begin_query(std::int64_t r) {
    A* q = queries_.get() + r * o_.D;
    nn::read(element_of(o_.q.dtype()), row_of(o_.q, b_, head(r), place(r)), o_.q.strides()[3], o_.D, q);
    scale(q, o_.D, static_cast<A>(o_.scale));
    std::fill_n(sums_.get() + r * o_.E, o_.E, A{});
    const A sink = o_.sinks.defined() ? static_cast<A>(o_.sinks.read<double>()[head(r)]) : -infinity();
    largest_[r] = std::isnan(sink) ? -infinity() : sink;
    total_[r] = sink == -infinity() ? 0 : sink - sink + 1;  // e^0, or NaN
    seen_[r] = 0;
  }

  // The keys from j on: scores, weights, and their sums of values.
  void tile(std::int64_t j, std::int64_t n) {
    const Dtype t = sizeof(A) == 8 ? Dtype::f64 : Dtype::f32;
    if (o_.D == 0) std::fill_n(scores_.get(), rows_ * pitch_, A{});
    else
      gemm(rows_, n, o_.D, {queries_.get(), t, o_.D, 1},
           {row_of(o_.k, b_, g_, j), o_.k.dtype(), o_.k.strides()[3], o_.k.strides()[2]}, scores_.get(), pitch_);
    bool hidden = false;
    for (std::int64_t r = 0; r < rows_; ++r) {
      A* s = scores_.get() + r * pitch_;
      const std::int64_t shown = mask(r, j, n, s);
      seen_[r] += shown;
      hidden = hidden || shown < n;
      const A factor = softmax(s, n, &largest_[r], &total_[r]);
      if (factor != 1) scale(sums_.get() + r * o_.E, o_.E, factor);
      if (shown < n)
        for (std::int64_t k = 0; k < n; ++k)
          if (!kept_[k]) s[k] = A{-0.0};  // no weight is that
    }
    if (hidden && !finite_values(j, n)) return add_shown(j, n);
    gemm(rows_, o_.E, n, {scores_.get(), t, pitch_, 1}, values(j), part_.get(), o_.E);
    add(sums_.get(), part_.get(), rows_ * o_.E);
  }

  GemmOperand values(std::int64_t j) const {
    return {row_of(o_.v, b_, g_, j), o_.v.dtype(), o_.v.strides()[2], o_.v.strides()[3]};
  }

  // Masks the scores of one query; returns how many keys it sees, and which.
  std::int64_t mask(std::int64_t r, std::int64_t j, std::int64_t n, A* s) {
    const std::int64_t at = b_ * o_.steps[0] + head(r) * o_.steps[1] + place(r) * o_.steps[2] + j * o_.steps[3];
    if (o_.mask.defined() && !o_.hides) {
      nn::read(element_of(o_.mask.dtype()), element(o_.mask, at), o_.steps[3], n, line_.get());
      add(s, line_.get(), n);
    }
    std::int64_t shown = std::clamp<std::int64_t>(visible(r) - j, 0, n);
    if (shown == n && !o_.hides) return n;
    const auto* keep = o_.hides ? reinterpret_cast<const std::uint8_t*>(element(o_.mask, at)) : nullptr;
    for (std::int64_t k = 0; k < n; ++k) kept_[k] = keep ? keep[k * o_.steps[3]] != 0 : k < shown;
    if (keep) shown = std::count(kept_.get(), kept_.get() + n, true);
    for (std::int64_t k = 0; k < n; ++k)
      if (!kept_[k]) s[k] = -infinity();
    return shown;
  }

  bool finite_values(std::int64_t j, std::int64_t n) {
    for (std::int64_t k = 0; k < n; ++k) {
      read_values(j + k);
      A sum = 0;
      for (std::int64_t e = 0; e < o_.E; ++e) sum += line_[e] * 0;  // NaN of what is not finite
      if (std::isnan(sum)) return false;
    }
    return true;
  }
  void read_values(std::int64_t j) {
    nn::read(element_of(o_.v.dtype()), row_of(o_.v, b_, g_, j), o_.v.strides()[3], o_.E, line_.get());
  }

  // The same sums where 0 times what is not finite would count.
  void add_shown(std::int64_t j, std::int64_t n) {
    std::fill_n(part_.get(), rows_ * o_.E, A{});
    for (std::int64_t k = 0; k < n; ++k) {
      read_values(j + k);
      for (std::int64_t r = 0; r < rows_; ++r) {
        const A w = scores_[r * pitch_ + k];
        for (std::int64_t e = 0; e < o_.E && !std::signbit(w); ++e) part_[r * o_.E + e] += w * line_[e];
      }
    }
    add(sums_.get(), part_.get(), rows_ * o_.E);
  }

  // The mean of all values, by the same tiles.
  void average(std::int64_t r, std::int64_t keys) {
    const Dtype t = sizeof(A) == 8 ? Dtype::f64 : Dtype::f32;
    std::fill_n(scores_.get(), pitch_, A{1});
    for (std::int64_t j = 0; j < o_.S; j += keys) {
      gemm(1, o_.E, std::min(keys, o_.S - j), {scores_.get(), t, pitch_, 1}, values(j), part_.get(), o_.E);
      add(sums_.get() + r * o_.E, part_.get(), o_.E);
    }
    total_[r] = static_cast<A>(o_.S);
  }

  static A infinity() { return static_cast<A>(INFINITY); }

  const Operands& o_;
  std::int64_t pitch_, b_ = 0, g_ = 0, first_ = 0, rows_ = 0;
  RawRoom<A> queries_, scores_, sums_, part_, line_, largest_, total_;
  RawRoom<std::int64_t> seen_;
  RawRoom<bool> kept_;
};

template <class A>
void attend(const Call& c, const Tensor& out) {
  const Operands o(c, out.dtype());
  auto* to = out.write<std::byte>();  // asked once: it is made when it is first asked for
  const std::int64_t all = o.L * o.group, most = kQueries.of(all), blocks = (all + most - 1) / most;
  parallel_each(o.B * o.G * blocks, [&](std::int64_t task) {
    const std::int64_t first = task % blocks * most, head = task / blocks;
    Block<A>(o, std::min(most, all - first))
        .run(head / o.G, head % o.G, first, std::min(most, all - first), out.dtype(), to);
  });
}

void attention(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  out[0].dtype() == Dtype::f64 ? attend<double>(c, out[0]) : attend<float>(c, out[0]);
}

Order order(const Call& c) {
  Order o;
  o.accumulator = output_specs(c)[0].dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.block = kKeys.now();
  o.function_ulps = kExpUlps;
  return o;
}

}  // namespace

std::vector<Route> attention_cpu_routes() {
  return {{.op = "scaled_dot_product_attention",
           .name = "cpu.tiles",
           .supports = {},
           .prefers = {},
           .order = order,
           .prepare = host<attention>}};
}

}  // namespace plumb
