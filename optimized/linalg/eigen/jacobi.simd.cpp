// Eigenvalues and eigenvectors of small Hermitian matrices, one in each lane of a register, by cyclic Jacobi rotations.
#include "optimized/simd.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr int kSweeps = 40;              // convergence is quadratic: eight are many
constexpr double kNegligible = 0x1p-56;  // of an element off the diagonal, the largest of the matrix being 1
constexpr std::int64_t kAbsolute = 0x7FFFFFFFFFFFFFFF;

static inline f64v root(f64v v) {
#if defined(__AVX512F__)
  return (f64v)_mm512_maskz_sqrt_pd(0xFF, (__m512d)v);
#elif defined(__AVX2__)
  return (f64v)_mm256_sqrt_pd((__m256d)v);
#elif defined(__x86_64__)
  return (f64v)_mm_sqrt_pd((__m128d)v);
#else
  for (int i = 0; i < kF64; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
#endif
}
static inline f64v absolute(f64v v) { return (f64v)((i64v)v & kAbsolute); }
static inline bool any(i64v mask) {
  std::int64_t all = 0;
  for (int i = 0; i < kF64; ++i) all |= mask[i];
  return all != 0;
}

// Matrices with element (i, j) of every lane side by side, the parts of a complex one one after the other.
struct Matrices {
  f64v* x;
  std::int64_t n;
  int parts;
  f64v& re(std::int64_t i, std::int64_t j) const { return x[(i * n + j) * parts]; }
  f64v& im(std::int64_t i, std::int64_t j) const { return x[(i * n + j) * parts + 1]; }
};

// y is taken times re - i im. A lane that needs no turn keeps its bits, signs of zeros too: it must not show what else
// lies in the register.
struct Turn {
  i64v needed;
  f64v c, s, re, im;
};

static inline void turn(const Matrices& m, std::int64_t k, std::int64_t p, std::int64_t q, const Turn& t) {
  const f64v x = m.re(k, p), y = m.re(k, q);
  if (m.parts == 1) {
    const f64v w = t.re * y;
    m.re(k, p) = t.needed ? t.c * x - t.s * w : x;
    m.re(k, q) = t.needed ? t.s * x + t.c * w : y;
    return;
  }
  const f64v xi = m.im(k, p), yi = m.im(k, q), w = t.re * y + t.im * yi, wi = t.re * yi - t.im * y;
  m.re(k, p) = t.needed ? t.c * x - t.s * w : x;
  m.re(k, q) = t.needed ? t.s * x + t.c * w : y;
  m.im(k, p) = t.needed ? t.c * xi - t.s * wi : xi;
  m.im(k, q) = t.needed ? t.s * xi + t.c * wi : yi;
}

// Turns a_pq to 0 where it is not negligible: see the row of eigh. Whether any lane was turned.
inline bool rotate(const Matrices& a, const Matrices& v, std::int64_t p, std::int64_t q) {
  const f64v one = f64v{} + 1.0, re = a.re(p, q), im = a.parts == 2 ? a.im(p, q) : f64v{};
  const f64v size = a.parts == 2 ? root(re * re + im * im) : absolute(re);
  const i64v needed = (i64v)(size > kNegligible);
  if (!any(needed)) return false;
  const f64v z = (a.re(q, q) - a.re(p, p)) / (size + size);
  const f64v away = one / (absolute(z) + root(one + z * z)), t = needed ? (z < 0 ? -away : away) : f64v{};
  const f64v c = one / root(one + t * t);
  const Turn by{needed, c, c * t, needed ? re / size : one, needed ? im / size : f64v{}};
  for (std::int64_t k = 0; k < a.n; ++k) {
    turn(v, k, p, q, by);
    if (k == p || k == q) continue;
    turn(a, k, p, q, by);
    a.re(p, k) = a.re(k, p), a.re(q, k) = a.re(k, q);
    if (a.parts == 2) a.im(p, k) = -a.im(k, p), a.im(q, k) = -a.im(k, q);
  }
  a.re(p, p) -= t * size;
  a.re(q, q) = needed ? a.re(q, q) + t * size : a.re(q, q);
  a.re(p, q) = a.re(q, p) = needed ? f64v{} : re;
  if (a.parts == 2) a.im(p, q) = needed ? f64v{} : im, a.im(q, p) = -a.im(p, q);
  return true;
}

}  // namespace

std::int64_t jacobi_lanes() { return kF64; }

// a and v hold n x n elements of `parts` registers each. The diagonals of a become the eigenvalues, columns of v their
// vectors. Whether all came to an end.
bool jacobi_group(double* a, double* v, std::int64_t n, int parts) {
  const Matrices of{reinterpret_cast<f64v*>(a), n, parts}, to{reinterpret_cast<f64v*>(v), n, parts};
  for (std::int64_t i = 0; i < n * n * parts; ++i) to.x[i] = f64v{};
  for (std::int64_t i = 0; i < n; ++i) to.re(i, i) = f64v{} + 1.0;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    bool turned = false;
    for (std::int64_t p = 0; p < n; ++p)
      for (std::int64_t q = p + 1; q < n; ++q) turned |= rotate(of, to, p, q);
    if (!turned) return true;
  }
  return false;
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
