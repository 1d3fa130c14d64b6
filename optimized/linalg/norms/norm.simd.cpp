// Folds of moduli in double: floats and doubles as they lie, all else widened a piece at a time.
#include "optimized/linalg/norms/norm_fold.h"

#include "optimized/array/reduce/folds.h"
#include "optimized/array/reduce/wide.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

constexpr std::int64_t kPiece = 512;  // elements that are widened at once

typedef Lanes<double> Doubles;

static inline Doubles modulus(Doubles v) { return (Doubles)((i64v)v & 0x7FFFFFFFFFFFFFFF); }
static inline double modulus(double v) { return __builtin_fabs(v); }
static inline double root(double v) {
#if defined(__x86_64__)
  return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(v)));
#else
  return __builtin_sqrt(v);
#endif
}

// A fold of moduli v: first made a term by F, then joined. A NaN stays.
template <class F>
struct Moduli : F {
  typedef double Partial;
  template <class S>
  Doubles lanes(const S* x) const {
    return F::term(modulus(elements<double>(x)));
  }
  template <class S>
  double one(const S* x) const {
    return F::term(modulus(element<double>(x)));
  }
};

struct Sum {
  template <class T>
  static T term(T v) {
    return v;
  }
  template <class T>
  static T join(T a, T b) {
    return a + b;
  }
  static double none() { return 0; }
};
struct Squares : Sum {
  double scale;
  template <class T>
  T term(T v) const {
    return v * scale * (v * scale);
  }
};
struct Count : Sum {
  static double term(double v) { return v != 0 ? 1.0 : 0.0; }
  static Doubles term(Doubles v) { return (Doubles)((v != 0) & (i64v)(Doubles{} + 1.0)); }
};
struct Greatest {
  template <class T>
  static T term(T v) {
    return v;
  }
  template <class T>
  static T join(T a, T b) {
    return (a >= b) | (a != a) ? a : b;
  }
  static double none() { return 0; }
};
struct Least : Greatest {
  template <class T>
  static T join(T a, T b) {
    return (a <= b) | (a != a) ? a : b;
  }
  static double none() { return __builtin_inf(); }
};

std::int64_t bytes_of(Element t) {
  constexpr std::int64_t kBytes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8};
  return kBytes[static_cast<int>(t)];
}

// n <= kPiece elements as doubles with the same moduli.
const double* doubles(Element t, const char* x, std::int64_t n, double* room) {
  if (t != Element::c64) return widened(t, x, n, room);
  const auto* z = reinterpret_cast<const float*>(x);
  for (std::int64_t i = 0; i < n; ++i) {
    const double re = z[2 * i], im = z[2 * i + 1];
    const double nan = re - re + (im - im), square = re * re + im * im;
    room[i] = nan != nan && (re != re || im != im) ? nan : root(square);
  }
  return room;
}

template <class F>
void fold_pieces(const F& f, Element t, const char* x, const FoldCall& c) {
  const std::int64_t bytes = bytes_of(t);
  double room[kPiece];
  auto* out = static_cast<double*>(c.out);
  if (c.way == FoldCall::rows) {
    for (std::int64_t j = 0; j < c.n; ++j) out[j] = f.none();
    for (std::int64_t r = 0; r < c.count; ++r)
      for (std::int64_t j = 0; j < c.n; j += kPiece) {
        const std::int64_t m = c.n - j < kPiece ? c.n - j : kPiece;
        join_rows<1>(f, doubles(t, x + (r * c.stride + j) * bytes, m, room), 0, m, out + j);
      }
    return;
  }
  const std::int64_t together = c.n < kPiece ? kPiece / c.n : 1;  // short runs of one piece
  for (std::int64_t k = 0; k < c.count; k += together) {
    const std::int64_t runs = c.count - k < together ? c.count - k : together;
    if (c.n <= kPiece) {
      fold_short_runs(f, doubles(t, x + k * c.n * bytes, runs * c.n, room), runs, c.n, out + k);
      continue;
    }
    out[k] = f.none();
    for (std::int64_t i = 0; i < c.n; i += kPiece) {
      const std::int64_t m = c.n - i < kPiece ? c.n - i : kPiece;
      out[k] = f.join(out[k], fold_run(f, doubles(t, x + (k * c.n + i) * bytes, m, room), m));
    }
  }
}

template <class F>
void fold_by(const F& f, Element t, const void* x, const FoldCall& c) {
  if (t == Element::f32) fold_as(f, static_cast<const float*>(x), c);
  else if (t == Element::f64) fold_as(f, static_cast<const double*>(x), c);
  else fold_pieces(f, t, static_cast<const char*>(x), c);
}

}  // namespace

void fold_moduli(Element t, const NormFold& n, const void* x, const FoldCall& c) {
  Moduli<Squares> squares;
  squares.scale = n.scale;
  switch (n.kind) {
    case NormFold::sum: return fold_by(Moduli<Sum>{}, t, x, c);
    case NormFold::squares: return fold_by(squares, t, x, c);
    case NormFold::greatest: return fold_by(Moduli<Greatest>{}, t, x, c);
    case NormFold::least: return fold_by(Moduli<Least>{}, t, x, c);
    case NormFold::nonzeros: return fold_by(Moduli<Count>{}, t, x, c);
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
