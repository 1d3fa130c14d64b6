// CPU routes of products, extremes and tests for zero: see lines.h for how lines are cut, keys.h for what is greater.
#include <algorithm>
#include <complex>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/reduce/keys.h"
#include "optimized/array/reduce/lines.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void fold_product(Element, const void* x, const FoldCall&))
PLUMB_DECLARE_SIMD(void fold_count(int bytes, std::uint64_t mask, const void* x, const FoldCall&))
PLUMB_DECLARE_SIMD(void fold_seen(int bytes, std::uint64_t mask, bool zero, const void* x, const FoldCall&))
PLUMB_DECLARE_SIMD(void fold_keys(const KeyRule&, const void* x, const FoldCall&))
PLUMB_DECLARE_SIMD(void join_keys(const KeyRule&, void* into, const void* from, std::int64_t n))
PLUMB_DECLARE_SIMD(void key_values(const KeyRule&, const void* keys, std::int64_t n, void* out))
PLUMB_DECLARE_SIMD(void round_sums(Element, const float* sums, std::int64_t n, void* out))

namespace {

using namespace reduction;

template <class A>
A* as(std::byte* p) {
  return reinterpret_cast<A*>(p);
}
template <class A>
const A* as(const std::byte* p) {
  return reinterpret_cast<const A*>(p);
}

// The input of a call as lines, and how they are cut.
struct Input {
  Tensor x;
  Plan plan;
  Element type;
  const std::byte* data() const { return x.read<std::byte>(); }
  std::int64_t bytes() const { return info(x.dtype()).bytes; }
  std::int64_t count() const { return plan.outer * plan.width; }
};
Input input_of(const Call& c) {
  const std::vector<std::int64_t> axes = c.axes();
  const Lines l = lines_of(c.shape(0), axes);
  return {dense_lines(c[0], axes, l), plan_of(l), element_of(c.dtype(0))};
}

// A fold whose partial results are numbers A that `op` joins.
template <class A, class Op, class Kernel>
Folding numbers(std::int64_t in, A none, Op op, Kernel kernel) {
  Folding f{in, sizeof(A), kernel, nullptr, nullptr};
  f.join = [op](std::byte* into, const std::byte* from, std::int64_t n) {
    A* a = as<A>(into);
    const A* b = as<A>(from);
    for (std::int64_t j = 0; j < n; ++j) a[j] = op(a[j], b[j]);
  };
  f.clear = [none](std::byte* to, std::int64_t n) { std::fill_n(as<A>(to), n, none); };
  return f;
}

// ---- products

template <class A>
void product_as(const Input& in, std::byte* out) {
  const Element t = in.type;
  const auto f = numbers<A>(
      in.bytes(), A{1}, [](A a, A b) { return a * b; },
      [t](const std::byte* x, const FoldCall& k) {
        PLUMB_DISPATCH(fold_product)
        (t, x, k);
      });
  fold(in.plan, f, in.data(), out);
}

// Products of two are four products and two sums, as written: the library's own would look for infinities.
using Pair = std::complex<float>;
Pair times(Pair a, Pair b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// Eight running products of a run, for none waits for the one before it.
Pair pair_run(const Pair* z, std::int64_t n) {
  constexpr std::int64_t kWays = 8;
  Pair p[kWays];
  for (std::int64_t j = 0; j < kWays; ++j) p[j] = j < n ? z[j] : Pair(1);
  std::int64_t i = kWays;
  for (; i + kWays <= n; i += kWays)
    for (std::int64_t j = 0; j < kWays; ++j) p[j] = times(p[j], z[i + j]);
  for (; i < n; ++i) p[i % kWays] = times(p[i % kWays], z[i]);
  const std::int64_t used = std::min(n, kWays);
  for (std::int64_t j = 1; j < used; ++j) p[0] = times(p[0], p[j]);
  return p[0];
}

void pair_kernel(const std::byte* x, const FoldCall& k) {
  const Pair* z = as<Pair>(x);
  Pair* out = static_cast<Pair*>(k.out);
  if (k.way != FoldCall::rows) {
    for (std::int64_t run = 0; run < k.count; ++run) out[run] = pair_run(z + run * k.n, k.n);
    return;
  }
  std::copy_n(z, k.n, out);
  for (std::int64_t r = 1; r < k.count; ++r)
    for (std::int64_t j = 0; j < k.n; ++j) out[j] = times(out[j], z[r * k.stride + j]);
}

void prod(const Call& c, std::vector<Tensor>& out) {
  Tensor& p = out[0];
  if (p.size() == 0) return;
  const Input in = input_of(c);
  switch (p.dtype()) {
    case Dtype::i32:
    case Dtype::u32: return product_as<std::uint32_t>(in, p.write<std::byte>());
    case Dtype::i64:
    case Dtype::u64: return product_as<std::uint64_t>(in, p.write<std::byte>());
    case Dtype::f32: return product_as<float>(in, p.write<std::byte>());
    case Dtype::f64: return product_as<double>(in, p.write<std::byte>());
    case Dtype::c64:
      return fold(in.plan, numbers<Pair>(8, Pair(1), times, pair_kernel), in.data(), p.write<std::byte>());
    default: break;
  }
  Room<float> wide(static_cast<std::size_t>(p.size()));
  product_as<float>(in, as<std::byte>(reinterpret_cast<std::byte*>(wide.data())));
  PLUMB_DISPATCH(round_sums)(in.type, wide.data(), p.size(), p.write<std::uint16_t>());
}

Order product_order(const Call& c) {
  Order o;
  o.accumulator = c.dtype(0) == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  return o;
}

// ---- extremes

Folding keyed(const KeyRule& rule) {
  Folding f{rule.bytes, rule.bytes, nullptr, nullptr, nullptr};
  f.kernel = [rule](const std::byte* x, const FoldCall& k) { PLUMB_DISPATCH(fold_keys)(rule, x, k); };
  f.join = [rule](std::byte* into, const std::byte* from, std::int64_t n) {
    PLUMB_DISPATCH(join_keys)(rule, into, from, n);
  };
  f.clear = [rule](std::byte* to, std::int64_t n) {  // the least key: its highest bit alone
    std::fill_n(to, n * rule.bytes, std::byte{0});
    for (std::int64_t j = 0; j < n; ++j) to[(j + 1) * rule.bytes - 1] = std::byte{0x80};
  };
  return f;
}

void values_of(const KeyRule& rule, const std::byte* keys, std::int64_t n, std::byte* out) {
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(key_values)(rule, keys + begin * rule.bytes, end - begin, out + begin * rule.bytes);
  });
}

template <bool Least>
void extreme(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Input in = input_of(c);
  const KeyRule rule = key_rule(in.type, Least, false);
  std::byte* y = out[0].write<std::byte>();
  fold(in.plan, keyed(rule), in.data(), y);
  values_of(rule, y, out[0].size(), y);
}

// Both from one reading: of each block of elements the least keys, then the greatest, side by side for each line.
constexpr std::int64_t kTogether = 128;  // lines whose keys wait to be put side by side

Folding keyed_both(const KeyRule& least, const KeyRule& greatest) {
  const std::int64_t b = least.bytes;
  Folding f = keyed(least);
  f.wide = 2 * b;
  f.kernel = [least, greatest, b](const std::byte* x, const FoldCall& k) {
    const bool rows = k.way == FoldCall::rows;
    const std::int64_t lines = rows ? k.n : k.count;
    alignas(64) std::byte keys[kTogether * 8];
    auto* to = static_cast<std::byte*>(k.out);
    for (std::int64_t first = 0; first < lines; first += kTogether) {
      const std::int64_t m = std::min(kTogether, lines - first);
      FoldCall part = k;
      (rows ? part.n : part.count) = m, part.out = keys;
      const std::byte* from = x + first * (rows ? 1 : k.n) * b;
      for (const KeyRule* rule : {&least, &greatest}) {
        PLUMB_DISPATCH(fold_keys)(*rule, from, part);
        std::byte* place = to + (2 * first + (rule == &greatest)) * b;
        for (std::int64_t j = 0; j < m; ++j) std::copy_n(keys + j * b, b, place + 2 * j * b);
      }
    }
  };
  f.join = [least](std::byte* into, const std::byte* from, std::int64_t n) {
    PLUMB_DISPATCH(join_keys)(least, into, from, 2 * n);
  };
  f.clear = [clear = f.clear](std::byte* to, std::int64_t n) { clear(to, 2 * n); };
  return f;
}

void minmax(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t n = out[0].size();
  if (n == 0) return;
  const Input in = input_of(c);
  const KeyRule rules[] = {key_rule(in.type, true, false), key_rule(in.type, false, false)};
  const std::int64_t b = in.bytes();
  const RawRoom<std::byte, 64> keys(2 * n * b);
  fold(in.plan, keyed_both(rules[0], rules[1]), in.data(), keys.get());
  for (std::int64_t k = 0; k < 2; ++k) {
    auto* y = out[static_cast<std::size_t>(k)].write<std::byte>();
    for (std::int64_t j = 0; j < n; ++j) std::copy_n(keys.get() + (2 * j + k) * b, b, y + j * b);
    values_of(rules[k], y, n, y);
  }
}

// ---- zero or not

// The bits of an element of which none is set if it is 0: all but the signs of floats.
std::uint64_t value_bits(Dtype t) {
  const std::uint64_t all = ~std::uint64_t{0} >> (64 - 8 * info(t).bytes);
  if (is_complex(t)) return all & 0x7FFFFFFF7FFFFFFF;
  return is_real(t) ? all >> 1 : all;
}

// f(y, x) for each place of the output and its partial result A of the fold.
template <class A, class Kernel, class F>
void tested_as(const Input& in, Kernel kernel, bool count, F&& f) {
  Room<A> found(static_cast<std::size_t>(in.count()));
  const auto join = [count](A a, A b) { return count ? a + b : a | b; };
  fold(in.plan, numbers<A>(in.bytes(), A{0}, join, kernel), in.data(), reinterpret_cast<std::byte*>(found.data()));
  for (std::int64_t j = 0; j < in.count(); ++j) f(j, found[static_cast<std::size_t>(j)]);
}
template <class Kernel, class F>
void tested(const Input& in, Kernel kernel, bool count, F&& f) {
  if (in.bytes() == 8) tested_as<std::uint64_t>(in, kernel, count, f);
  else tested_as<std::uint32_t>(in, kernel, count, f);
}

void count_nonzero(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Input in = input_of(c);
  auto* y = out[0].write<std::int32_t>();
  const auto kernel = [bytes = static_cast<int>(in.bytes()), bits = value_bits(c.dtype(0))](const std::byte* x,
                                                                                            const FoldCall& k) {
    PLUMB_DISPATCH(fold_count)
    (bytes, bits, x, k);
  };
  tested(in, kernel, true, [y](std::int64_t j, auto n) { y[j] = static_cast<std::int32_t>(n); });
}

// any: some element that is not 0 is seen; all: none that is.
template <bool All>
void seen(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Input in = input_of(c);
  auto* y = out[0].write<std::uint8_t>();
  const auto kernel = [bytes = static_cast<int>(in.bytes()), bits = value_bits(c.dtype(0))](const std::byte* x,
                                                                                            const FoldCall& k) {
    PLUMB_DISPATCH(fold_seen)
    (bytes, bits, All, x, k);
  };
  tested(in, kernel, false, [y](std::int64_t j, auto found) { y[j] = (found != 0) != All; });
}

}  // namespace

std::vector<Route> fold_cpu_routes() {
  const auto route = [](std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
    Route r;
    r.op = op;
    r.name = "cpu.blocked";
    r.prepare = prepare;
    return r;
  };
  std::vector<Route> all = {
      route("prod", host<prod>),
      route("max", host<extreme<false>>),
      route("min", host<extreme<true>>),
      route("minmax", host<minmax>),
      route("all", host<seen<true>>),
      route("any", host<seen<false>>),
      route("count_nonzero", host<count_nonzero>),
  };
  all[0].order = product_order;
  return all;
}

}  // namespace plumb
