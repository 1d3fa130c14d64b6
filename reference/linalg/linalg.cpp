// Dense products: their rows, shape rules, oracles and cases.
#include <algorithm>
#include <string>

#include "core/op.h"
#include "reference/index.h"

namespace plumb {
namespace {

using namespace reference;

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

// c_ij = sum_p a_ip b_pj, for every matrix t of the batch
template <class T>
Wide matmul_of(const Array<T>& a, const Array<T>& b, const Shape& out) {
  const Shape left = as_left_matrix(a.shape), right = as_right_matrix(b.shape);
  const std::int64_t M = left[left.size() - 2], K = left.back(), N = right.back();
  const Shape batch = broadcast("matmul", batch_of(left), batch_of(right));
  Array<T> c(out);
  for (std::int64_t t = 0; t < count(batch); ++t) {
    const auto at = matrix(a, broadcast_index(t, batch, batch_of(left)), M, K);
    const auto bt = matrix(b, broadcast_index(t, batch, batch_of(right)), K, N);
    const auto ct = matrix(c, t, M, N);
    for (std::int64_t i = 0; i < M; ++i)
      for (std::int64_t j = 0; j < N; ++j)
        for (std::int64_t p = 0; p < K; ++p) ct(i, j) += times(at(i, p), bt(p, j));
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

constexpr const char* kCases = R"(
  call   {t}.{a}.{l}.{x}+{u}.{b}.{k}.{x}/-
  from   t=f32 u={t} l=row k=row x=int-3 a={m}x{p} b={p}x{n} floats={f16,bf16,f32,f64,c64}
  smoke  t={floats} m=3 p=5 n=4 x={int-3,uniform,special}
  # vectors, batches that broadcast, and nothing
  smoke  a,b={5 5, 5 5x3, 3x5 5, 5 2x5x3, 2x3x5 5, 2x1x3x5 4x5x2, 1x1 1x1, 3x0 0x4, 0x3 3x4, 4x3 3x0, 0 0, 0x3x2 2x4,
         2x3x0 2x0x4, 1x3x2 0x2x4} t,x={f32 uniform, f16 int-3, c64 uniform}
  # operands are converted first, so each pair is judged in the promoted type
  smoke  t,u={i32 f16, bool f32, f16 bf16, f32 f64, f64 c64, bf16 u8, u64 i8, f32 bf16, f16 f32} m=7 p=19 n=18
         x={int-3,uniform}
  # the least tiles of matrix units, 16 x 64 x 16, several along each axis: rows on 16 bytes, and not
  smoke  t={f16,bf16} m,p,n={33 79 131, 34 72 136} x=uniform
  # around the extents of tiles and blocks (6, 14, 16, 32, 64, 128, 192, 256, 336, 384, 512), never two equal, so that
  # an
  # exchanged extent cannot hide; f64 and c64, whose oracles are slow, at night if they are large
  from   m,p,n={1 47 129, 2 65 33, 129 47 2, 47 1 65, 33 17 47, 5 6 7, 6 5 15, 7 3 17, 13 15 31, 14 16 32, 15 17 33,
         63 31 129, 64 32 128, 65 33 127, 127 31 63, 128 32 64, 129 33 65, 257 47 99, 99 129 257, 335 383 17, 337 385
         15,
         17 193 511, 15 255 513, 16 257 33, 31 769 1, 8 100 9, 9 64 8}
  ci     t={floats} x={int-3,uniform} if={m*p*n<=1500000||t!='f64'&&t!='c64'}
  nightly t={f64,c64} x={int-3,uniform} if={m*p*n>1500000}
  # every layout of either operand, and of both
  from   l={@layouts} k={l}
  smoke  m=5 p=7 n=6 x=uniform
  ci     t={floats} m=33 p=65 n=47 k=row
  ci     t={floats} m=33 p=65 n=47 l=row k={@layouts}
  ci     t={floats} m=66 p=35 n=20 x=uniform
  ci     t={floats} a=3x1x18x21 b=2x21x17
  ci     m,n={1 35, 35 1} p=40    # a unit axis carries a foreign stride, and a vector is a matrix of one row or column
  ci     t,a,b={f32 40 3x40x17, f16 3x17x40 40}
  from   l=row k=row
  # on both sides of each threshold on the number of rows
  ci     t={f16,bf16,f32,f64} m={1,2,3,8,9,16,17,32,33} p=96 n=80 x=uniform
  ci     t={f32,f16} m=1 p=1031 n=517 k={row,transposed} x=uniform
  ci     t={f32,f16} m=517 p=1031 n=1 l={row,transposed} x=uniform
  ci     t={f32,f16} m=4 p=1031 n=133 k={row,transposed}
  ci     t={floats} a,b={3x9x10 3x10x11, 2x3x9x10 10x11, 9x10 4x10x11, 2x1x2x9x10 3x1x10x11, 64x16x17 64x17x18,
         5x64x65 5x65x63}
  # what betrays a narrow accumulator, rounded inputs, a lost term or an early narrowing of an extent
  ci     t={f16,bf16} m={1,2,17} p=8192 n=33 x=const-1
  ci     t,p={f16 20000, bf16 70000} m=1 n=2 x=const-1
  ci     t={f16,bf16} m=2 p=1024 n=3 x=const-8    # f16: the sum overflows
  ci     t={f16,bf16} m=3 p=4225 n=2 x=uniform
  ci     t={floats} m=19 p=13 n=37 x={uniform,positive,wide,cancel,pow2,tiny,huge,subnormal,whole}
  ci     t={floats} m,p,n,x={18 1040 34 positive, 2 4097 18 wide-4, 2 4098 3 cancel, 20 70 36 special, 35 34 5 lanes-35}
  ci     t={f16,f32} p=4 m,n={32897 3, 3 32897}
  nightly t={f16,f32} a=32897x2x3 b=3x2
  ci     t={f32,f16,bf16} m=257 p=300 n=259 x=uniform
  nightly t={f32,f16,bf16} m,p,n,x={520 700 530 uniform, 700 390 1030 int-3}
  # enough of c to fill large tiles, with rows that begin on 16 bytes and rows that do not
  ci     x={int-3,uniform} t,m,p,n={f32 1300 24 1292, f32 650 40 648, f64 650 24 648, c64 650 19 645}
  ci     t,m,p,n={f32 1290 21 1299, f64 645 19 650, bf16 1030 70 2053}
  ci     t=f16 m=1033 p=72 n=2056 x=uniform
  ci     t={f16,bf16} m,p,n,x={130 136 72 uniform, 66 120 136 int-3}
  ci     t={f16,bf16} a=3x70x80 b=3x80x64
)";

constexpr const char* kRejects = R"(
  call   {t}.{a}.row.int-3+{t}.{b}.row.int-3/-
  from   t=f32 a=2x3 b=3x2
  shape  a=3x1 b=2x4       # an inner size of 1 does not broadcast
  shape  a=2x3x4 b=3x4x5   # batches of 2 and 3
)";

constexpr const char* kBench = R"(
  call   {t}.{a}.row.uniform+{t}.{b}.row.uniform/-
  from   a={n}x{n} b={a}
  ci     t,n={f32 256, f32 1024}
  nightly t=f32 n=4096
  ci     t,n={f64 1024, c64 512, f16 1024}
  nightly t={f16,bf16} n=4096
  ci     t=f32 a=1x4096 b=4096x4096
  ci     t=f32 a=256x64x64
)";

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
           .cases = kCases,
           .rejects = kRejects,
           .bench = kBench,
           .cost = matmul_cost,
           .tolerance = {.kind = Tolerance::Class::accumulate, .terms = matmul_terms, .signed_values = true},
           .spot = matmul_spot}};
}

}  // namespace plumb
