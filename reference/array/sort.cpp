// Order along an axis. A family of comparisons: no arithmetic, so every route must agree bit for bit.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/op.h"

namespace plumb {
namespace {

// ---- The order ----

bool unordered(std::uint64_t) { return false; }
bool unordered(std::int64_t) { return false; }
bool unordered(double x) { return std::isnan(x); }
bool unordered(Double2 x) { return isnan(x); }
bool unordered(Complex x) { return std::isnan(x.real()) || std::isnan(x.imag()); }

template <class T>
bool below(T a, T b) {
  return a < b;
}
bool below(Complex a, Complex b) { return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag()); }

// a before b: NaN after everything and equal to NaN; -0 equal to +0.
template <class T>
bool before(T a, T b) {
  if (unordered(a)) return false;
  return unordered(b) || below(a, b);
}

// A line of n elements starts at base and steps by stride; lines are taken apart from a dense array.
struct Lines {
  std::int64_t outer = 1, n = 1, inner = 1;
};

Lines lines(const Request& r, const Shape& shape) {
  if (r.none("axis")) return {1, count(shape), 1};
  const std::int64_t axis = r.axis();
  Lines l;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(shape.size()); ++i) {
    const std::int64_t extent = shape[static_cast<std::size_t>(i)];
    (i < axis ? l.outer : i == axis ? l.n : l.inner) *= extent;
  }
  return l;
}

// out = p with x[p_0] <= x[p_1] <= ... along the axis, and p_i < p_(i+1) where the two are equal.
template <class T>
Unsigneds argsort_of(const Array<T>& x, const Lines& l, Shape shape) {
  Unsigneds out(std::move(shape));
  std::vector<std::int64_t> p(static_cast<std::size_t>(l.n));
  for (std::int64_t line = 0; line < l.outer * l.inner; ++line) {
    const std::int64_t base = line / l.inner * l.n * l.inner + line % l.inner;
    std::iota(p.begin(), p.end(), std::int64_t{0});
    std::stable_sort(p.begin(), p.end(), [&](std::int64_t a, std::int64_t b) {
      return before(x[base + a * l.inner], x[base + b * l.inner]);
    });
    for (std::int64_t i = 0; i < l.n; ++i) {
      out[base + i * l.inner] = static_cast<std::uint64_t>(p[static_cast<std::size_t>(i)]);
    }
  }
  return out;
}

std::vector<Spec> infer_argsort(const Request& r) {
  const Shape shape = r.none("axis") ? Shape{count(r.shape(0))} : r.shape(0);
  const std::int64_t n = lines(r, r.shape(0)).n;
  if (n > std::numeric_limits<std::uint32_t>::max()) {
    r.fail(Reason::unsupported, "a line of " + std::to_string(n) + " elements passes 32-bit indices");
  }
  return {{Dtype::u32, shape}};
}

std::vector<Wide> argsort(const Call& c) {
  const Lines l = lines(c, c.shape(0));
  const Shape shape = c.none("axis") ? Shape{l.n} : c.shape(0);
  return std::visit([&](const auto& x) -> std::vector<Wide> { return {argsort_of(x, l, shape)}; }, widen(c[0]));
}

// ---- Cases ----

std::vector<Dtype> every_dtype() {
  std::vector<Dtype> all;
  for (const DtypeInfo& i : all_dtypes()) all.push_back(i.dtype);
  return all;
}

Case one(Dtype t, Shape shape, Layout layout, const char* fill, Attr axis, Budget budget = Budget::ci) {
  return {{Input{t, std::move(shape), layout, fill}}, Attrs{{"axis", std::move(axis)}}, budget};
}

// Every dtype in every layout, on axes that are first, middle and last; a line as long as no other extent.
void add_layouts(std::vector<Case>& cases) {
  for (Dtype t : every_dtype()) {
    cases.push_back(one(t, {3, 17}, Layout::row, "order", -1, Budget::smoke));
    cases.push_back(one(t, {7, 2}, Layout::row, "int-3", 0, Budget::smoke));
    for (const char* fill : {"subnormal", "whole", "huge"})
      cases.push_back(one(t, {3, 70}, Layout::row, fill, -1, Budget::smoke));
    cases.push_back(one(t, {35, 34}, Layout::row, "lanes-35", -1));
    for (Layout layout : kLayouts) {
      const auto turn = static_cast<int>(layout) + static_cast<int>(t);
      const Attr axes[] = {0, 1, 2, kNone};
      const Budget budget = t == Dtype::f32 && layout == Layout::transposed ? Budget::smoke : Budget::ci;
      cases.push_back(one(t, {3, 41, 2}, layout, turn % 3 == 0 ? "int-3" : "order", axes[turn % 4], budget));
      if (turn % 4 != 1) cases.push_back(one(t, {2, 37, 3}, layout, "order", 1, budget));
    }
  }
}

// Around the ends of vector networks, work-group tiles and chunks: 256, 2048 and their neighbours.
void add_lengths(std::vector<Case>& cases) {
  for (std::int64_t n :
       {1, 2, 3, 15, 17, 31, 32, 33, 64, 65, 129, 255, 256, 257, 513, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4097}) {
    for (Dtype t : {Dtype::f32, Dtype::u8, Dtype::i64}) {
      const bool few = n < 20 || (t == Dtype::f32 && (n == 257 || n == 513));
      cases.push_back(one(t, {n}, Layout::row, "order", -1, few ? Budget::smoke : Budget::ci));
      if (n % 2 == 1) {
        cases.push_back(one(t, {9, n}, Layout::row, "order", -1));
      } else {
        cases.push_back(one(t, {2, n, 3}, Layout::row, "int-2", 1));
      }
    }
  }
  for (std::int64_t lines : {1, 2, 4, 7, 8, 9, 15, 16, 17, 31, 33}) {
    cases.push_back(one(Dtype::f32, {lines, 19}, Layout::row, "order", -1, lines == 33 ? Budget::smoke : Budget::ci));
    cases.push_back(one(Dtype::c64, {lines, 19}, Layout::row, "order", -1));
  }
}

void add_long(std::vector<Case>& cases) {
  for (Dtype t : every_dtype()) cases.push_back(one(t, {33000}, Layout::row, "order", -1));
  for (const char* fill : {"uniform", "order", "int-2", "ramp", "ramp-1000", "const"}) {
    cases.push_back(one(Dtype::f32, {70001}, Layout::row, fill, -1));
    cases.push_back(one(Dtype::f64, {32769}, Layout::row, fill, -1));
  }
  cases.push_back(one(Dtype::f32, {2, 32769, 4}, Layout::row, "order", 1));
  cases.push_back(one(Dtype::f16, {3, 32769}, Layout::reversed, "order", 1));
  cases.push_back(one(Dtype::i32, {131073}, Layout::stepped, "order", -1));
  for (Dtype t : {Dtype::f32, Dtype::u16, Dtype::u64, Dtype::c64}) {
    cases.push_back(one(t, {(1 << 20) + 1}, Layout::row, "order", -1, Budget::nightly));
  }
}

void add_edges(std::vector<Case>& cases) {
  for (Dtype t : {Dtype::f32, Dtype::u8, Dtype::c64}) {
    cases.push_back(one(t, {0}, Layout::row, "order", -1, Budget::smoke));
    cases.push_back(one(t, {3, 0}, Layout::row, "order", 1, Budget::smoke));
    cases.push_back(one(t, {3, 0}, Layout::row, "order", 0, Budget::smoke));
    cases.push_back(one(t, {0, 5}, Layout::row, "order", kNone, Budget::smoke));
    cases.push_back(one(t, {}, Layout::row, "order", kNone, Budget::smoke));
    cases.push_back(one(t, {1, 1, 5, 1}, Layout::row, "order", 2, Budget::smoke));
    cases.push_back(one(t, {4, 1}, Layout::row, "order", 1, Budget::smoke));
  }
}

std::vector<Case> argsort_cases() {
  std::vector<Case> cases;
  add_edges(cases);
  add_layouts(cases);
  add_lengths(cases);
  add_long(cases);
  return cases;
}

std::vector<Reject> argsort_rejects() {
  return {
      {one(Dtype::f32, {}, Layout::row, "order", -1), Reason::axis, "no axis to sort along"},
      {one(Dtype::f32, {4}, Layout::row, "order", 1), Reason::axis, "axis beyond the rank"},
      {one(Dtype::f32, {4, 3}, Layout::row, "order", -3), Reason::axis, "axis before the first"},
  };
}

std::vector<Case> argsort_bench() {
  return {
      one(Dtype::f32, {1000}, Layout::row, "uniform", -1),
      one(Dtype::f32, {1 << 20}, Layout::row, "uniform", -1),
      one(Dtype::f32, {1 << 24}, Layout::row, "uniform", -1),
      one(Dtype::u64, {1 << 20}, Layout::row, "order", -1),
      one(Dtype::f32, {1024, 1024}, Layout::row, "uniform", -1),
      one(Dtype::f32, {16384, 64}, Layout::row, "uniform", -1),
  };
}

}  // namespace

std::vector<Op> sort_ops() {
  return {{
      .name = "argsort",
      .signature = "a T[*A] -> out u32[*S]",
      .types = "T: all",
      .attrs = {{"axis", -1}},
      .equation = "out = p with a[p_0] <= a[p_1] <= ... along the axis, lower index first among equals; "
                  "axis none: of the flattened array",
      .meaning = "NaN after everything and equal to NaN; -0 equals +0; complex by real, then imaginary part; "
                 "a line of length 0 gives an empty result",
      .infer = infer_argsort,
      .oracle = argsort,
      .cases = argsort_cases,
      .rejects = argsort_rejects,
      .bench = argsort_bench,
      .tolerance = {.kind = Tolerance::Class::exact},
  }};
}

}  // namespace plumb
