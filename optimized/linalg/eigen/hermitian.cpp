// CPU routes of eigh and eigvalsh: many small matrices one in each lane, else each reduced to a tridiagonal one. All in
// double, scaled by a power of two.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/linalg/eigen/tridiagonal.h"

namespace plumb {

PLUMB_DECLARE_SIMD(std::int64_t jacobi_lanes())
PLUMB_DECLARE_SIMD(bool jacobi_group(double* a, double* v, std::int64_t n, int parts))

namespace {

constexpr std::int64_t kSmall = 16;  // largest n of the interleaved route

std::int64_t extent(const Call& c) { return c.shape(0).back(); }
std::int64_t batch(const Call& c) { return count(Shape(c.shape(0).begin(), c.shape(0).end() - 2)); }

// The named triangles of the input, read where they lie.
struct Source {
  Dtype type;
  int parts;
  bool upper;
  std::int64_t n, matrices, row, column;
  Shape shape;
  Strides strides;
  const std::byte* x;

  explicit Source(const Call& c)
      : type(c.dtype(0)),
        parts(type == Dtype::c64 ? 2 : 1),
        upper(c.text("uplo") == "U"),
        n(extent(c)),
        matrices(batch(c)),
        row(c[0].strides().end()[-2]),
        column(c[0].strides().end()[-1]),
        shape(c.shape(0).begin(), c.shape(0).end() - 2),
        strides(c[0].strides().begin(), c[0].strides().end() - 2),
        x(c[0].size() > 0 ? c[0].read<std::byte>() : nullptr) {}

  std::int64_t base(std::int64_t m) const {
    std::int64_t offset = 0;
    for (std::size_t d = shape.size(); d-- > 0; m /= shape[d]) offset += m % shape[d] * strides[d];
    return offset;
  }

  // put(i, j, re, im) for i >= j of the lower matrix; 0 for an imaginary part on the diagonal. The largest part, or
  // NaN.
  template <class F>
  double each(std::int64_t m, const F& put) const {
    const std::int64_t first = base(m);
    double largest = 0;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j <= i; ++j) {
        const std::int64_t at = first + (upper ? j * row + i * column : i * row + j * column);
        double re = 0, im = 0;
        if (type == Dtype::f64) re = reinterpret_cast<const double*>(x)[at];
        else re = static_cast<double>(reinterpret_cast<const float*>(x)[at * parts]);
        if (parts == 2 && i != j) im = static_cast<double>(reinterpret_cast<const float*>(x)[at * 2 + 1]);
        const double part = std::max(std::abs(re), std::abs(im));
        if (!std::isfinite(re) || !std::isfinite(im)) largest = std::nan("");
        else if (largest < part) largest = part;
        put(i, j, re, upper ? -im : im);
      }
    return largest;
  }
};

// The results, written from several threads.
struct Target {
  Dtype type;
  std::int64_t n;
  std::byte *w, *v;

  Target(const Call& c, const std::vector<Tensor>& out)
      : type(c.dtype(0)),
        n(extent(c)),
        w(out[0].write<std::byte>()),
        v(out.size() > 1 ? out[1].write<std::byte>() : nullptr) {}
  void value(std::int64_t m, std::int64_t i, double x) const {
    if (type == Dtype::f64) reinterpret_cast<double*>(w)[m * n + i] = x;
    else reinterpret_cast<float*>(w)[m * n + i] = static_cast<float>(x);
  }
  void element(std::int64_t m, std::int64_t i, std::int64_t j, double re, double im) const {
    const std::int64_t at = (m * n + i) * n + j;
    if (type == Dtype::f64) reinterpret_cast<double*>(v)[at] = re;
    else if (type == Dtype::f32) reinterpret_cast<float*>(v)[at] = static_cast<float>(re);
    else
      reinterpret_cast<float*>(v)[2 * at] = static_cast<float>(re),
                                      reinterpret_cast<float*>(v)[2 * at + 1] = static_cast<float>(im);
  }
};

// The first matrix that has no answer.
class Failure {
 public:
  void note(std::int64_t matrix) {
    for (std::int64_t seen = first_; matrix < seen && !first_.compare_exchange_weak(seen, matrix);) {
    }
  }
  void raise(const Call& c) const {
    if (first_ < kNone)
      c.fail(Reason::domain,
             "matrix " + std::to_string(first_) + " holds a value that is not finite, or does not converge");
  }

 private:
  static constexpr std::int64_t kNone = std::int64_t{1} << 62;
  std::atomic<std::int64_t> first_{kNone};
};

// ---- One matrix at a time ----

bool one_matrix(const Source& s, const Target& to, std::int64_t m, const eigen::Hermitian& h) {
  const std::int64_t n = s.n, row = n * s.parts;
  const double largest = s.each(m, [&](std::int64_t i, std::int64_t j, double re, double im) {
    h.a[i * row + j] = h.a[j * row + i] = re;
    if (s.parts == 2) h.a[i * row + n + j] = im, h.a[j * row + n + i] = -im;
  });
  if (std::isnan(largest)) return false;
  const int e = largest > 0 ? std::ilogb(largest) : 0;
  for (std::int64_t i = 0; i < n * row; ++i) h.a[i] = std::scalbn(h.a[i], -e);
  if (!eigen::solve(h)) return false;
  for (std::int64_t j = 0; j < n; ++j) to.value(m, j, std::scalbn(h.w[j], e));
  for (std::int64_t i = 0; h.v && i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) to.element(m, i, j, h.v[j * row + i], s.parts == 2 ? h.v[j * row + n + i] : 0);
  return true;
}

void tridiagonal(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Source s(c);
  const Target to(c, out);
  Failure failure;
  const auto matrices = [&](std::int64_t first, std::int64_t last) {
    const std::int64_t square = s.n * s.n * s.parts;
    Room<double> a(static_cast<std::size_t>(square)), v(static_cast<std::size_t>(to.v ? square : 0));
    Room<double> w(static_cast<std::size_t>(s.n)), room(static_cast<std::size_t>(8 * s.n));
    const eigen::Hermitian h{a.data(), s.n, s.parts, w.data(), to.v ? v.data() : nullptr, room.data()};
    for (std::int64_t m = first; m < last; ++m)
      if (!one_matrix(s, to, m, h)) failure.note(m);
  };
  if (s.matrices >= threads()) parallel_for(s.matrices, 1 + (1 << 14) / (s.n * s.n * s.n), matrices);
  else matrices(0, s.matrices);
  failure.raise(c);
}

// ---- One matrix in each lane ----

void lanes_of_one_group(const Source& s, const Target& to, std::int64_t first, double* a, double* v, Failure& failure) {
  const std::int64_t lanes = PLUMB_DISPATCH(jacobi_lanes)(), n = s.n, parts = s.parts;
  const std::int64_t used = std::min(lanes, s.matrices - first);
  int exponents[16] = {};
  std::fill_n(a, n * n * parts * lanes, 0.0);
  const auto at = [&](std::int64_t i, std::int64_t j, std::int64_t part, std::int64_t lane) {
    return ((i * n + j) * parts + part) * lanes + lane;
  };
  for (std::int64_t lane = 0; lane < used; ++lane) {
    const double largest = s.each(first + lane, [&](std::int64_t i, std::int64_t j, double re, double im) {
      a[at(i, j, 0, lane)] = a[at(j, i, 0, lane)] = re;
      if (parts == 2) a[at(i, j, 1, lane)] = im, a[at(j, i, 1, lane)] = -im;
    });
    if (std::isnan(largest)) failure.note(first + lane);
    exponents[lane] = largest > 0 ? std::ilogb(largest) : 0;
    for (std::int64_t i = 0; i < n * n * parts; ++i) {
      double& x = a[i * lanes + lane];
      x = std::isnan(largest) ? 0 : std::scalbn(x, -exponents[lane]);
    }
  }
  if (!PLUMB_DISPATCH(jacobi_group)(a, v, n, s.parts)) failure.note(first);
  for (std::int64_t lane = 0; lane < used; ++lane) {
    std::int64_t order[kSmall];
    std::iota(order, order + n, 0);
    std::stable_sort(order, order + n,
                     [&](std::int64_t i, std::int64_t j) { return a[at(i, i, 0, lane)] < a[at(j, j, 0, lane)]; });
    for (std::int64_t j = 0; j < n; ++j) {
      to.value(first + lane, j, std::scalbn(a[at(order[j], order[j], 0, lane)], exponents[lane]));
      for (std::int64_t i = 0; to.v && i < n; ++i)
        to.element(first + lane, i, j, v[at(i, order[j], 0, lane)], parts == 2 ? v[at(i, order[j], 1, lane)] : 0);
    }
  }
}

void interleaved(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Source s(c);
  const Target to(c, out);
  const std::int64_t lanes = PLUMB_DISPATCH(jacobi_lanes)(), groups = (s.matrices + lanes - 1) / lanes;
  const std::int64_t square = s.n * s.n * s.parts * lanes;
  Failure failure;
  parallel_for(groups, 1 + (1 << 10) / square, [&](std::int64_t begin, std::int64_t end) {
    RawRoom<double, 64> a(square), v(square);
    for (std::int64_t g = begin; g < end; ++g) lanes_of_one_group(s, to, g * lanes, a.get(), v.get(), failure);
  });
  failure.raise(c);
}

Order doubles(const Call&) {
  Order o;
  o.accumulator = Dtype::f64;
  return o;
}

Route route(std::string_view op, bool lanes) {
  Route r;
  r.op = op, r.name = lanes ? "cpu.interleaved" : "cpu.tridiagonal";
  r.order = doubles, r.prepare = lanes ? host<interleaved> : host<tridiagonal>;
  if (!lanes) return r;
  r.supports = {
      {Stage::shape_dtype, "n is above 16", [](const Call& c, const Device&) { return extent(c) <= kSmall; }}};
  r.prefers = {{Stage::shape_dtype, "under 4 matrices", [](const Call& c, const Device&) { return batch(c) >= 4; }}};
  return r;
}

}  // namespace

std::vector<Route> hermitian_cpu_routes() {
  return {route("eigh", true), route("eigh", false), route("eigvalsh", true), route("eigvalsh", false)};
}

}  // namespace plumb
