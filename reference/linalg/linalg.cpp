// Dense products: their rows, shape rules, oracles and cases.
#include <algorithm>
#include <string>

#include "core/op.h"

namespace plumb {
namespace {

// A vector on the left is a row, a vector on the right a column; the result loses the axis again.
Shape as_left_matrix(const Shape& s) { return s.size() == 1 ? Shape{1, s[0]} : s; }
Shape as_right_matrix(const Shape& s) { return s.size() == 1 ? Shape{s[0], 1} : s; }
Shape batch_of(const Shape& s) { return Shape(s.begin(), s.end() - 2); }

// Not operator*: C++ recovers infinities from complex NaN, the sum of products does not.
double times(double a, double b) { return a * b; }
Double2 times(Double2 a, Double2 b) { return a * b; }
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// The index, among the matrices of `own`, of the one that batch element t of `all` reads.
std::int64_t matrix_of(std::int64_t t, const Shape& all, const Shape& own) {
  std::int64_t index = 0, scale = 1;
  for (std::size_t d = 0; d < all.size(); ++d) {
    const std::int64_t i = t % all[all.size() - 1 - d];
    t /= all[all.size() - 1 - d];
    if (d >= own.size()) continue;
    const std::int64_t extent = own[own.size() - 1 - d];
    index += extent == 1 ? 0 : i * scale;
    scale *= extent;
  }
  return index;
}

// c_ij = sum_p a_ip b_pj, for every matrix of the batch
template <class T>
Wide matmul_of(const Array<T>& a, const Array<T>& b, const Shape& out) {
  const Shape left = as_left_matrix(a.shape), right = as_right_matrix(b.shape);
  const std::int64_t M = left[left.size() - 2], K = left.back(), N = right.back();
  const Shape batch = broadcast("matmul", batch_of(left), batch_of(right));
  Array<T> c(out);
  for (std::int64_t t = 0; t < count(batch); ++t) {
    const std::int64_t a0 = matrix_of(t, batch, batch_of(left)) * M * K;
    const std::int64_t b0 = matrix_of(t, batch, batch_of(right)) * K * N;
    for (std::int64_t i = 0; i < M; ++i)
      for (std::int64_t j = 0; j < N; ++j) {
        T sum{};
        for (std::int64_t p = 0; p < K; ++p) sum += times(a[a0 + i * K + p], b[b0 + p * N + j]);
        c[(t * M + i) * N + j] = sum;
      }
  }
  return c;
}

std::vector<Wide> matmul(const Call& call) {
  const Spec out = output_specs(call)[0];
  const Wide a = widen_as(call[0], out.dtype), b = widen_as(call[1], out.dtype);
  if (out.dtype == Dtype::f64) return {matmul_of(std::get<Reals2>(a), std::get<Reals2>(b), out.shape)};
  if (out.dtype == Dtype::c64) return {matmul_of(complexes(a), complexes(b), out.shape)};
  return {matmul_of(reals(a), reals(b), out.shape)};
}

// A complex product is two real ones in each component.
std::int64_t matmul_terms(const Call& call) {
  const std::int64_t k = call.shape(0).back();
  return promote(call.dtype(0), call.dtype(1)) == Dtype::c64 ? 2 * k : k;
}

Cost matmul_cost(const Call& call) {
  const Spec out = output_specs(call)[0];
  const double per_term = out.dtype == Dtype::c64 ? 8 : 2;
  return {per_term * static_cast<double>(count(out.shape)) * static_cast<double>(call.shape(0).back()),
          input_bytes(call) + output_bytes(call)};
}

constexpr Dtype kFloats[] = {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64, Dtype::c64};

struct Sizes {
  std::int64_t m, k, n;
};

Case product(Dtype a, Shape as, Dtype b, Shape bs, const std::string& fill, Budget budget, Layout la = Layout::row,
             Layout lb = Layout::row) {
  return {{Input{a, std::move(as), la, fill}, Input{b, std::move(bs), lb, fill}}, {}, budget};
}
Case square(Dtype t, Sizes s, const std::string& fill, Budget budget, Layout la = Layout::row,
            Layout lb = Layout::row) {
  return product(t, {s.m, s.k}, t, {s.k, s.n}, fill, budget, la, lb);
}

void add_shapes(std::vector<Case>& to) {
  for (const Dtype t : kFloats)
    for (const char* fill : {"int-3", "uniform", "special"}) to.push_back(square(t, {3, 5, 4}, fill, Budget::smoke));
  const Shape pairs[][2] = {{{5}, {5}},
                            {{5}, {5, 3}},
                            {{3, 5}, {5}},
                            {{5}, {2, 5, 3}},
                            {{2, 3, 5}, {5}},
                            {{2, 1, 3, 5}, {4, 5, 2}},
                            {{1, 1}, {1, 1}},
                            {{3, 0}, {0, 4}},
                            {{0, 3}, {3, 4}},
                            {{4, 3}, {3, 0}},
                            {{0}, {0}},
                            {{0, 3, 2}, {2, 4}},
                            {{2, 3, 0}, {2, 0, 4}},
                            {{1, 3, 2}, {0, 2, 4}}};
  for (const auto& p : pairs)
    for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::c64})
      to.push_back(product(t, p[0], t, p[1], t == Dtype::f16 ? "int-3" : "uniform", Budget::smoke));
}

// Operands are converted first, so each pair is judged in the promoted type.
void add_mixed(std::vector<Case>& to) {
  const Dtype pairs[][2] = {{Dtype::i32, Dtype::f16}, {Dtype::boolean, Dtype::f32}, {Dtype::f16, Dtype::bf16},
                            {Dtype::f32, Dtype::f64}, {Dtype::f64, Dtype::c64},     {Dtype::bf16, Dtype::u8},
                            {Dtype::u64, Dtype::i8},  {Dtype::f32, Dtype::bf16},    {Dtype::f16, Dtype::f32}};
  for (const auto& p : pairs)
    for (const char* fill : {"int-3", "uniform"})
      to.push_back(product(p[0], {7, 19}, p[1], {19, 18}, fill, Budget::smoke));
}

// Around the extents of the tiles and blocks in use (6, 14, 16, 32, 64, 128, 192, 256, 336, 384, 512), never
// two equal, so that an exchanged extent cannot hide.
constexpr Sizes kRagged[] = {
    {1, 47, 129},   {2, 65, 33},    {129, 47, 2},  {47, 1, 65},   {33, 17, 47},   {5, 6, 7},      {6, 5, 15},
    {7, 3, 17},     {13, 15, 31},   {14, 16, 32},  {15, 17, 33},  {63, 31, 129},  {64, 32, 128},  {65, 33, 127},
    {127, 31, 63},  {128, 32, 64},  {129, 33, 65}, {257, 47, 99}, {99, 129, 257}, {335, 383, 17}, {337, 385, 15},
    {17, 193, 511}, {15, 255, 513}, {16, 257, 33}, {31, 769, 1},  {8, 100, 9},    {9, 64, 8},
};

void add_ragged(std::vector<Case>& to) {
  // The least tiles of matrix units, 16 x 64 x 16, several along each axis: rows on 16 bytes, and not.
  for (const Dtype t : {Dtype::f16, Dtype::bf16})
    for (const Sizes& s : {Sizes{33, 79, 131}, Sizes{34, 72, 136}})
      to.push_back(square(t, s, "uniform", Budget::smoke));
  for (const Dtype t : kFloats)
    for (const Sizes& s : kRagged) {
      const bool wide = t == Dtype::f64 || t == Dtype::c64;  // their oracles are slow
      const Budget large = wide && s.m * s.k * s.n > 1'500'000 ? Budget::nightly : Budget::ci;
      to.push_back(square(t, s, "int-3", large));
      to.push_back(square(t, s, "uniform", large));
    }
}

void add_layouts(std::vector<Case>& to) {
  for (const Layout l : kLayouts) {
    to.push_back(square(Dtype::f32, {5, 7, 6}, "uniform", Budget::smoke, l, l));
    for (const Dtype t : kFloats) {
      to.push_back(square(t, {33, 65, 47}, "int-3", Budget::ci, l, Layout::row));
      if (l != Layout::row) to.push_back(square(t, {33, 65, 47}, "int-3", Budget::ci, Layout::row, l));
      to.push_back(square(t, {66, 35, 20}, "uniform", Budget::ci, l, l));
      to.push_back(product(t, {3, 1, 18, 21}, t, {2, 21, 17}, "int-3", Budget::ci, l, l));
    }
    // A unit axis carries a foreign stride, and a vector is a matrix of one row or column.
    to.push_back(square(Dtype::f32, {1, 40, 35}, "int-3", Budget::ci, l, l));
    to.push_back(square(Dtype::f32, {35, 40, 1}, "int-3", Budget::ci, l, l));
    to.push_back(product(Dtype::f32, {40}, Dtype::f32, {3, 40, 17}, "int-3", Budget::ci, l, l));
    to.push_back(product(Dtype::f16, {3, 17, 40}, Dtype::f16, {40}, "int-3", Budget::ci, l, l));
  }
}

// The same rows on both sides of each threshold on the number of rows.
void add_rows(std::vector<Case>& to) {
  for (const std::int64_t m : {1, 2, 3, 8, 9, 16, 17, 32, 33})
    for (const Dtype t : {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64})
      to.push_back(square(t, {m, 96, 80}, "uniform", Budget::ci));
  for (const Dtype t : {Dtype::f32, Dtype::f16})
    for (const Layout l : {Layout::row, Layout::transposed}) {
      to.push_back(square(t, {1, 1031, 517}, "uniform", Budget::ci, Layout::row, l));
      to.push_back(square(t, {517, 1031, 1}, "uniform", Budget::ci, l, Layout::row));
      to.push_back(square(t, {4, 1031, 133}, "int-3", Budget::ci, Layout::row, l));
    }
  const Shape batches[][2] = {{{3, 9, 10}, {3, 10, 11}},    {{2, 3, 9, 10}, {10, 11}},
                              {{9, 10}, {4, 10, 11}},       {{2, 1, 2, 9, 10}, {3, 1, 10, 11}},
                              {{64, 16, 17}, {64, 17, 18}}, {{5, 64, 65}, {5, 65, 63}}};
  for (const auto& b : batches)
    for (const Dtype t : kFloats) to.push_back(product(t, b[0], t, b[1], "int-3", Budget::ci));
}

// What betrays a narrow accumulator, rounded inputs, a lost term or an early narrowing of an extent.
void add_precision(std::vector<Case>& to) {
  for (const Dtype t : {Dtype::f16, Dtype::bf16}) {
    for (const std::int64_t m : {1, 2, 17}) to.push_back(square(t, {m, 8192, 33}, "const-1", Budget::ci));
    to.push_back(square(t, {1, t == Dtype::f16 ? 20000 : 70000, 2}, "const-1", Budget::ci));
    to.push_back(square(t, {2, 1024, 3}, "const-8", Budget::ci));  // f16: the sum overflows
    to.push_back(square(t, {3, 4225, 2}, "uniform", Budget::ci));
  }
  for (const Dtype t : kFloats) {
    for (const char* fill : {"uniform", "positive", "wide", "cancel", "pow2"})
      to.push_back(square(t, {19, 13, 37}, fill, Budget::ci));
    to.push_back(square(t, {18, 1040, 34}, "positive", Budget::ci));
    to.push_back(square(t, {2, 4097, 18}, "wide-4", Budget::ci));
    to.push_back(square(t, {2, 4098, 3}, "cancel", Budget::ci));
    to.push_back(square(t, {20, 70, 36}, "special", Budget::ci));
    for (const char* fill : {"tiny", "huge", "subnormal", "whole"})
      to.push_back(square(t, {19, 13, 37}, fill, Budget::ci));
    to.push_back(square(t, {35, 34, 5}, "lanes-35", Budget::ci));
  }
  for (const Dtype t : {Dtype::f16, Dtype::f32}) {
    to.push_back(square(t, {32768 + 129, 4, 3}, "int-3", Budget::ci));
    to.push_back(square(t, {3, 4, 32768 + 129}, "int-3", Budget::ci));
    to.push_back(product(t, {32768 + 129, 2, 3}, t, {3, 2}, "int-3", Budget::nightly));
  }
  for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    to.push_back(square(t, {257, 300, 259}, "uniform", Budget::ci));
    to.push_back(square(t, {520, 700, 530}, "uniform", Budget::nightly));
    to.push_back(square(t, {700, 390, 1030}, "int-3", Budget::nightly));
  }
}

// Enough of c to fill large tiles, with rows that begin on 16 bytes and rows that do not.
void add_large(std::vector<Case>& to) {
  for (const char* fill : {"int-3", "uniform"}) {
    to.push_back(square(Dtype::f32, {1300, 24, 1292}, fill, Budget::ci));
    to.push_back(square(Dtype::f32, {650, 40, 648}, fill, Budget::ci));
    to.push_back(square(Dtype::f64, {650, 24, 648}, fill, Budget::ci));
    to.push_back(square(Dtype::c64, {650, 19, 645}, fill, Budget::ci));
  }
  to.push_back(square(Dtype::f32, {1290, 21, 1299}, "int-3", Budget::ci));
  to.push_back(square(Dtype::f64, {645, 19, 650}, "int-3", Budget::ci));
  to.push_back(square(Dtype::f16, {1033, 72, 2056}, "uniform", Budget::ci));
  to.push_back(square(Dtype::bf16, {1030, 70, 2053}, "int-3", Budget::ci));
  for (const Dtype t : {Dtype::f16, Dtype::bf16}) {
    to.push_back(square(t, {130, 136, 72}, "uniform", Budget::ci));
    to.push_back(square(t, {66, 120, 136}, "int-3", Budget::ci));
    to.push_back(product(t, {3, 70, 80}, t, {3, 80, 64}, "int-3", Budget::ci));
  }
}

std::vector<Case> matmul_cases() {
  std::vector<Case> cases;
  add_shapes(cases);
  add_mixed(cases);
  add_ragged(cases);
  add_layouts(cases);
  add_rows(cases);
  add_precision(cases);
  add_large(cases);
  return cases;
}

std::vector<Reject> matmul_rejects() {
  const auto call = [](Dtype a, Shape as, Dtype b, Shape bs) {
    return product(a, std::move(as), b, std::move(bs), "int-3", Budget::smoke);
  };
  const Dtype f = Dtype::f32;
  return {
      {call(f, {3, 1}, f, {2, 4}), Reason::shape, "an inner size of 1 does not broadcast"},
      {call(f, {2, 3, 4}, f, {3, 4, 5}), Reason::shape, "batches of 2 and 3"},
  };
}

std::vector<Case> matmul_bench() {
  const auto cube = [](Dtype t, std::int64_t n) {
    return square(t, {n, n, n}, "uniform", n > 1024 ? Budget::nightly : Budget::ci);
  };
  return {cube(Dtype::f32, 256),
          cube(Dtype::f32, 1024),
          cube(Dtype::f32, 4096),
          cube(Dtype::f64, 1024),
          cube(Dtype::c64, 512),
          cube(Dtype::f16, 1024),
          cube(Dtype::f16, 4096),
          cube(Dtype::bf16, 4096),
          square(Dtype::f32, {1, 4096, 4096}, "uniform", Budget::ci),
          product(Dtype::f32, {256, 64, 64}, Dtype::f32, {256, 64, 64}, "uniform", Budget::ci)};
}

// Eight rows of a and eight columns of b give 64 elements of each matrix.
std::optional<Spot> matmul_spot(const Call& call, std::uint64_t key) {
  if (call.rank(0) < 2 || call.rank(1) < 2 || matmul_cost(call).flops < 1e9) return std::nullopt;
  Call part = make_call(*call.op, {spaced(call[0], -2, 8, key), spaced(call[1], -1, 8, key)});
  return Spot{std::move(part), [key](const std::vector<Tensor>& out) {
                return std::vector<Tensor>{spaced(spaced(out[0], -2, 8, key), -1, 8, key)};
              }};
}

}  // namespace

std::vector<Op> linalg_ops() {
  return {{.name = "matmul",
           .signature = "a T[...,M?,K], b U[...,K,N?] -> out P[...,M?,N?]",
           .types = "T, U: all; P = promote(T, U): floats c64",
           .attrs = {},
           .equation = "c_ij = sum_p a_ip b_pj; a vector is a row on the left, a column on the right",
           .meaning = "operands are promoted first and the result must be inexact; complex products do not conjugate; "
                      "f16 and bf16 are summed in f32 and rounded once",
           .oracle = matmul,
           .cases = matmul_cases,
           .rejects = matmul_rejects,
           .bench = matmul_bench,
           .cost = matmul_cost,
           .tolerance = {.kind = Tolerance::Class::accumulate, .terms = matmul_terms, .signed_values = true},
           .spot = matmul_spot}};
}

}  // namespace plumb
