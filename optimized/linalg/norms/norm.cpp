// CPU routes of norms: folds of moduli in double, scaled where squares leave its range; singular values by Jacobi
// rotations.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/array/reduce/lines.h"
#include "optimized/dispatch.h"
#include "optimized/element_of.h"
#include "optimized/linalg/norms/norm_fold.h"
#include "optimized/linalg/norms/singular.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void fold_moduli(Element, const NormFold&, const void* x, const FoldCall&))

namespace {

using namespace reduction;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kPowUlps = 1;  // of the C library, binary64

// The order as a number of a vector norm along `lines`, then the extreme along `outer`.
struct Norm {
  std::vector<std::int64_t> lines;
  std::int64_t outer = -1;
  double p = 2;
  bool outer_least = false, singular = false, nuclear = false;
};

std::vector<std::int64_t> given_axes(const Call& c) {
  if (c.none("axis")) return c.axes();
  std::vector<std::int64_t> axes = c.list("axis");
  for (std::int64_t& d : axes) d += d < 0 ? c.rank(0) : 0;
  return axes;
}

Norm norm_of(const Call& c) {
  const std::vector<std::int64_t> axes = given_axes(c);
  Norm n{c.axes()};
  if (c.none("ord")) return n;
  const std::string* word = c.attrs.find("ord")->get<std::string>();
  if (word && word->find("inf") == std::string::npos) {
    n.singular = n.nuclear = *word == "nuc";
    return n;
  }
  n.p = !word ? c.number("ord") : *word == "inf" ? kInf : -kInf;
  if (axes.size() == 1) return n;
  n.singular = std::abs(n.p) == 2;
  if (n.singular) return n;
  const bool rows_first = std::abs(n.p) == 1;  // sums over rows
  n.lines = {axes[rows_first ? 0 : 1]}, n.outer = axes[rows_first ? 1 : 0];
  n.outer_least = n.p < 0, n.p = 1;
  return n;
}

bool singular(const Call& c) { return norm_of(c).singular; }

// ---- Folds ----

struct Input {
  Dtype type;
  Lines lines;
  Tensor x;
  std::size_t count;
};

Room<double> folded(const Input& in, const NormFold& how) {
  Folding f{info(in.type).bytes, sizeof(double), nullptr, nullptr, nullptr};
  const bool most = how.kind == NormFold::greatest, least = how.kind == NormFold::least;
  f.kernel = [&how, t = element_of(in.type)](const std::byte* from, const FoldCall& k) {
    PLUMB_DISPATCH(fold_moduli)(t, how, from, k);
  };
  f.join = [=](std::byte* into, const std::byte* from, std::int64_t n) {
    auto* a = reinterpret_cast<double*>(into);
    const auto* b = reinterpret_cast<const double*>(from);
    for (std::int64_t j = 0; j < n; ++j)
      if (!most && !least) a[j] += b[j];
      else if (!std::isnan(a[j]) && !(most ? a[j] >= b[j] : a[j] <= b[j])) a[j] = b[j];
  };
  f.clear = [=](std::byte* to, std::int64_t n) { std::fill_n(reinterpret_cast<double*>(to), n, least ? kInf : 0.0); };
  Room<double> out(in.count);
  if (in.count > 0) fold(plan_of(in.lines), f, in.x.read<std::byte>(), reinterpret_cast<std::byte*>(out.data()));
  return out;
}

// Squares of f64 may leave its range: where any sum is not well inside, the sums of those scaled down and up say it.
Room<double> roots(const Input& in) {
  constexpr double kAbove = 0x1p1000, kBelow = 0x1p-800, kScale = 0x1p600;
  Room<double> sums = folded(in, {NormFold::squares, 1});
  const auto inside = [&](double s) { return s >= kBelow && s <= kAbove; };
  const bool wide = in.type == Dtype::f64 && !std::all_of(sums.begin(), sums.end(), inside);
  if (wide) {
    const Room<double> down = folded(in, {NormFold::squares, 1 / kScale}), up = folded(in, {NormFold::squares, kScale});
    for (std::size_t i = 0; i < sums.size(); ++i)
      if (sums[i] < kBelow) sums[i] = std::sqrt(up[i]) / kScale;
      else sums[i] = inside(sums[i]) ? std::sqrt(sums[i]) : std::sqrt(down[i]) * kScale;
    return sums;
  }
  for (double& s : sums) s = std::sqrt(s);
  return sums;
}

// The moduli of n elements from the first on.
void moduli(Convert widen, Dtype t, const std::byte* x, std::int64_t n, double* to) {
  if (t == Dtype::c64) {
    const auto* z = reinterpret_cast<const float*>(x);
    for (std::int64_t i = 0; i < n; ++i) {
      const double re = z[2 * i], im = z[2 * i + 1];
      to[i] = std::isnan(re) || std::isnan(im) ? std::nan("") : std::hypot(re, im);
    }
    return;
  }
  widen(x, 1, to, n);
  for (std::int64_t i = 0; i < n; ++i) to[i] = std::abs(to[i]);
}

constexpr Limit kTerms{"norm.terms", 1024, 24};  // of a power sum, at once

// m (sum of (|x_i| / m)^p)^(1/p), m the extreme modulus of the line; lines lie one after the other.
Room<double> powers(const Input& in, double p) {
  Room<double> out = folded(in, {p < 0 ? NormFold::least : NormFold::greatest, 1});
  const std::int64_t n = in.lines.n, bytes = info(in.type).bytes, block = kTerms.of(n);
  const std::int64_t blocks = std::max<std::int64_t>(1, ceil_div(n, block));
  Room<double> sums(in.count * static_cast<std::size_t>(blocks));
  const std::byte* x = in.x.read<std::byte>();
  const Convert widen = converter(in.type, Dtype::f64);
  parallel_for(static_cast<std::int64_t>(sums.size()), 1 + 512 / block, [&](std::int64_t begin, std::int64_t end) {
    Room<double> v(static_cast<std::size_t>(block));
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t line = task / blocks, first = task % blocks * block, m = std::min(block, n - first);
      if (m <= 0) continue;
      moduli(widen, in.type, x + (line * n + first) * bytes, m, v.data());
      double s = 0;
      for (std::int64_t i = 0; i < m; ++i)
        s += std::pow(v[static_cast<std::size_t>(i)] / out[static_cast<std::size_t>(line)], p);
      sums[static_cast<std::size_t>(task)] = s;
    }
  });
  for (std::size_t l = 0; l < out.size(); ++l) {
    double s = 0;
    for (std::size_t b = 0; b < static_cast<std::size_t>(blocks); ++b)
      s += sums[l * static_cast<std::size_t>(blocks) + b];
    if (std::isnan(p)) out[l] = p;
    else if (out[l] != 0 && !std::isinf(out[l])) out[l] *= std::pow(s, 1 / p);
  }
  return out;
}

bool by_powers(double p) { return p != 0 && p != 1 && p != 2 && !std::isinf(p); }

Room<double> of_lines(const Call& c, const Norm& n) {
  const bool powered = by_powers(n.p);
  Input in{c.dtype(0), lines_of(c.shape(0), n.lines), {}, 1};
  if (powered && in.lines.inner > 1) in.lines.adjacent = false, in.lines.outer *= std::exchange(in.lines.inner, 1);
  in.x = dense_lines(c[0], n.lines, in.lines);
  in.count = static_cast<std::size_t>(in.lines.outer * in.lines.inner);
  if (powered) return powers(in, n.p);
  if (n.p == 2) return roots(in);
  if (std::isinf(n.p)) return folded(in, {n.p > 0 ? NormFold::greatest : NormFold::least, 1});
  return folded(in, {n.p == 0 ? NormFold::nonzeros : NormFold::sum, 1});
}

// The extreme along the outer axis, one of those that the lines have left.
Room<double> across(const Call& c, const Norm& n, const Room<double>& x) {
  std::int64_t before = 1, after = 1;
  for (std::int64_t d = 0; d < c.rank(0); ++d)
    if (d != n.outer && d != n.lines[0]) (d < n.outer ? before : after) *= c.shape(0)[static_cast<std::size_t>(d)];
  const std::int64_t size = c.shape(0)[static_cast<std::size_t>(n.outer)];
  Room<double> out(static_cast<std::size_t>(before * after));
  for (std::int64_t i = 0; i < before * after; ++i) {
    double m = n.outer_least ? kInf : 0;
    for (std::int64_t k = 0; k < size; ++k) {
      const double v = x[static_cast<std::size_t>((i / after * size + k) * after + i % after)];
      if (!std::isnan(m) && !(n.outer_least ? m <= v : m >= v)) m = v;
    }
    out[static_cast<std::size_t>(i)] = m;
  }
  return out;
}

void put(const Tensor& out, const Room<double>& values) {  // one rounding
  if (out.size() == 0) return;
  if (out.dtype() == Dtype::c64) {
    auto* to = out.write<float>();
    for (std::size_t i = 0; i < values.size(); ++i) to[2 * i] = static_cast<float>(values[i]), to[2 * i + 1] = 0;
    return;
  }
  converter(Dtype::f64, out.dtype())(values.data(), 1, out.write<std::byte>(), out.size());
}

void run_folds(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Norm n = norm_of(c);
  const Room<double> lines = of_lines(c, n);
  put(out[0], n.outer < 0 ? lines : across(c, n, lines));
}

// ---- Singular values ----

// Columns of the smaller side, in double; parts of complex numbers one behind the other.
bool columns_of(const std::byte* x, Dtype t, std::int64_t M, std::int64_t N, double* to) {
  const std::int64_t rows = std::max(M, N), parts = t == Dtype::c64 ? 2 : 1;
  bool finite = true;
  for (std::int64_t i = 0; i < M * N; ++i) {
    const std::int64_t r = N > M ? i % N : i / N, column = N > M ? i / N : i % N;
    for (std::int64_t k = 0; k < parts; ++k) {
      const double v = t == Dtype::f64 ? reinterpret_cast<const double*>(x)[i]
                                       : static_cast<double>(reinterpret_cast<const float*>(x)[i * parts + k]);
      finite = finite && std::isfinite(v);
      to[(column * parts + k) * rows + r] = v;
    }
  }
  return finite;
}

void run_singular(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Norm n = norm_of(c);
  const std::int64_t M = c.shape(0)[static_cast<std::size_t>(n.lines[0])];
  const std::int64_t N = c.shape(0)[static_cast<std::size_t>(n.lines[1])], K = std::min(M, N);
  const Tensor x = contiguous(permuted(c[0], kept_first(c.shape(0), n.lines)));
  const Dtype t = c.dtype(0);
  const int parts = t == Dtype::c64 ? 2 : 1;
  const std::byte* from = x.read<std::byte>();
  Room<double> norms(static_cast<std::size_t>(out[0].size()));
  std::atomic<std::int64_t> bad{out[0].size()};
  parallel_for(K == 0 ? 0 : out[0].size(), 1 + (1 << 12) / (M * N * K + 1), [&](std::int64_t begin, std::int64_t end) {
    Room<double> columns(static_cast<std::size_t>(M * N * parts)), values(static_cast<std::size_t>(K));
    for (std::int64_t m = begin; m < end; ++m) {
      const bool finite = columns_of(from + m * M * N * info(t).bytes, t, M, N, columns.data());
      if (!finite || !norms::singular_values(columns.data(), std::max(M, N), K, parts, values.data())) {
        for (std::int64_t seen = bad; m < seen && !bad.compare_exchange_weak(seen, m);) {
        }
        continue;
      }
      double& y = norms[static_cast<std::size_t>(m)];
      y = n.p < 0 ? values.back() : values.front();
      for (std::size_t j = 1; n.nuclear && j < values.size(); ++j) y += values[j];
    }
  });
  if (bad < out[0].size())
    c.fail(Reason::domain, "matrix " + std::to_string(bad) + " holds a value that is not finite, or does not converge");
  put(out[0], norms);
}

// ---- Routes ----

Order order_of_folds(const Call& c) {
  const Norm n = norm_of(c);
  Order o;
  if (by_powers(n.p)) {
    o.block = kTerms.now(), o.accumulator = Dtype::f64;
  } else {
    o = order_of(plan_of(lines_of(c.shape(0), n.lines)), 8);
    o.accumulator = Dtype::f64;
  }
  o.function_ulps = kPowUlps;
  o.prologue = c.dtype(0) == Dtype::c64 ? 3 : 1;  // the modulus; whole numbers beyond 53 bits
  if (c.dtype(0) != Dtype::f64) o.epilogue = 8;
  return o;
}

Order doubles(const Call&) {
  Order o;
  o.accumulator = Dtype::f64;
  return o;
}

}  // namespace

std::vector<Route> norm_cpu_routes() {
  Route folds;
  folds.op = "norm", folds.name = "cpu.folds";
  folds.supports = {
      {Stage::family, "the norm is one of singular values", [](const Call& c, const Device&) { return !singular(c); }}};
  folds.order = order_of_folds, folds.prepare = host<run_folds>;
  Route rotations;
  rotations.op = "norm", rotations.name = "cpu.jacobi";
  rotations.supports = {
      {Stage::family, "the norm is none of singular values", [](const Call& c, const Device&) { return singular(c); }}};
  rotations.order = doubles, rotations.prepare = host<run_singular>;
  return {folds, rotations};
}

}  // namespace plumb
