// Functions of complex numbers, a line each: see lanes.h. Numbers of binary32 in double: squares are exact, and nothing
// that a finite result is made of leaves the range. Special values are those of C's annex G.
#include "optimized/array/scalar/comparison.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// Once each, since most lines below need several.
#define PLUMB_ONCE(name) \
  static __attribute__((noinline)) F64 name##_lanes(F64 x) { return name##_of(x); }
PLUMB_ONCE(exp)
PLUMB_ONCE(log)
PLUMB_ONCE(log1p)
PLUMB_ONCE(sin)
PLUMB_ONCE(cos)
PLUMB_ONCE(sinh)
PLUMB_ONCE(cosh)
PLUMB_ONCE(arcsinh)
#undef PLUMB_ONCE
static __attribute__((noinline)) F64 angle(F64 y, F64 x) { return arctan2_of(y, x); }

constexpr double kInf = __builtin_inf(), kNan = __builtin_nan(""), kPi = 3.14159265358979323846;
typedef I64 Truth;

static inline Truth is_inf(F64 x) { return (Truth)(abs_of(x) == all<F64>(kInf)); }
static inline Truth is_inf(Pair z) { return is_inf(z.re) | is_inf(z.im); }
static inline Truth is_zero(F64 x) { return (Truth)(x == 0); }
static inline Pair turned(Pair z) { return {-z.im, z.re}; }       // i z
static inline Pair turned_back(Pair z) { return {z.im, -z.re}; }  // -i z
static inline Pair swapped(Pair z) { return {z.im, z.re}; }       // sin (x + i y) is sinh (y + i x) so
static inline Pair scaled(Pair z, double by) { return {z.re * by, z.im * by}; }

// The modulus; an infinite part outweighs a NaN.
static inline F64 size_of(Pair z) { return choose(is_inf(z), all<F64>(kInf), sqrt_of(z.re * z.re + z.im * z.im)); }

static inline Pair square_root(Pair z) {
  const F64 t = sqrt_of((abs_of(z.re) + size_of(z)) * 0.5), other = z.im / (t + t);
  const Truth left = (Truth)(z.re < 0);
  Pair y = {choose(left, abs_of(other), t), choose(left, with_sign(t, z.im), other)};
  y = choose(is_zero(z.re) & is_zero(z.im), Pair{F64{}, z.im}, y);
  return choose(is_inf(z.im), Pair{all<F64>(kInf), z.im}, y);
}

static inline Pair inverse_root(Pair z) {
  const Pair s = square_root(z);
  const F64 size = size_of(z), zero = {};
  Pair y = {s.re / size, -s.im / size};
  y = choose(is_inf(z), Pair{zero, zero}, y);
  return choose(is_zero(size), Pair{all<F64>(kInf), zero}, y);
}

// Near the unit circle by how far the square of the modulus is from 1.
static inline F64 log_size(Pair z) {
  const F64 square = z.re * z.re + z.im * z.im, off = (z.re - 1) * (z.re + 1) + z.im * z.im;
  const F64 near = log1p_lanes(off) * 0.5, far = log_lanes(square) * 0.5;
  return choose(is_inf(z), all<F64>(kInf), choose((Truth)(abs_of(off) < 0.5), near, far));
}
static inline Pair logarithm(Pair z) { return {log_size(z), angle(z.im, z.re)}; }

// log (1 + z), |1 + z|^2 = 1 + (x (2 + x) + y^2)
static inline Pair logarithm1p(Pair z) {
  const Pair one = {1 + z.re, z.im};
  const F64 off = z.re * (2 + z.re) + z.im * z.im, near = log1p_lanes(off) * 0.5;
  return {choose((Truth)(abs_of(off) < 0.5), near, log_size(one)), angle(one.im, one.re)};
}

// e^x (cos y + i sin y). A factor of 0 leaves 0 of whatever it meets.
static inline Pair exponential(Pair z) {
  const F64 e = exp_lanes(z.re), zero = {};
  Pair y = {e * cos_lanes(z.im), choose(is_zero(z.im), z.im, e * sin_lanes(z.im))};
  const Truth wild = is_inf(z.im) | is_nan(z.im);
  y = choose(wild & (Truth)(z.re == -kInf), Pair{zero, zero}, y);
  return choose(wild & (Truth)(z.re == kInf), Pair{all<F64>(kInf), all<F64>(kNan)}, y);
}

// sinh x cos y + i cosh x sin y
static inline Pair hyperbolic_sine(Pair z) {
  const Pair y = {choose(is_zero(z.re), z.re, sinh_lanes(z.re) * cos_lanes(z.im)),
                  choose(is_zero(z.im), z.im, cosh_lanes(z.re) * sin_lanes(z.im))};
  const Truth wild = is_inf(z.im) | is_nan(z.im);
  return choose(wild & is_inf(z.re), Pair{all<F64>(kInf), all<F64>(kNan)}, y);
}
// cosh x cos y + i sinh x sin y
static inline Pair hyperbolic_cosine(Pair z) {
  const F64 im = choose(is_zero(z.re) | is_zero(z.im), F64{}, sinh_lanes(z.re) * sin_lanes(z.im));
  const Pair y = {cosh_lanes(z.re) * cos_lanes(z.im), im};
  const Truth wild = is_inf(z.im) | is_nan(z.im);
  return choose(wild & is_inf(z.re), Pair{all<F64>(kInf), all<F64>(kNan)}, y);
}
// (sinh x cosh x + i sin y cos y) / (sinh^2 x + cos^2 y); far out +-1 + 4 i sin y cos y e^(-2 |x|)
static inline Pair hyperbolic_tangent(Pair z) {
  const F64 s = sin_lanes(z.im), c = cos_lanes(z.im), sh = sinh_lanes(z.re), ch = cosh_lanes(z.re);
  const F64 size = sh * sh + c * c, shrink = exp_lanes(-2 * abs_of(z.re)), zero = {};
  const Truth far = (Truth)(abs_of(z.re) > 20);
  Pair y = {choose(far, with_sign(all<F64>(1), z.re), sh * ch / size), choose(far, 4 * s * c * shrink, s * c / size)};
  y.re = choose(is_nan(s), s, y.re);  // of an angle that is none
  y = {choose(is_zero(z.re), z.re, y.re), choose(is_zero(z.im), z.im, y.im)};
  return choose(is_inf(z.re), Pair{with_sign(all<F64>(1), z.re), zero}, y);
}

// Kahan 1987: of the roots of 1 - z and 1 + z, whose parts add without cancellation.
static inline Pair inverse_sine(Pair z) {
  const Pair a = square_root({1 - z.re, -z.im}), b = square_root({1 + z.re, z.im});
  Pair y = {angle(z.re, a.re * b.re - a.im * b.im), arcsinh_lanes(a.re * b.im - a.im * b.re)};
  y.re = choose(is_zero(z.re), z.re, y.re);
  return choose(is_inf(z), Pair{angle(z.re, abs_of(z.im)), with_sign(all<F64>(kInf), z.im)}, y);
}
static inline Pair inverse_cosine(Pair z) {
  const Pair a = square_root({1 - z.re, -z.im}), b = square_root({1 + z.re, z.im});
  Pair y = {2 * angle(a.re, b.re), arcsinh_lanes(b.re * a.im - b.im * a.re)};
  y.re = choose(is_zero(z.re), all<F64>(kPi / 2), y.re);
  return choose(is_inf(z), Pair{angle(abs_of(z.im), z.re), -with_sign(all<F64>(kInf), z.im)}, y);
}
static inline Pair inverse_hyperbolic_cosine(Pair z) {
  const Pair a = square_root({z.re - 1, z.im}), b = square_root({z.re + 1, z.im});
  Pair y = {arcsinh_lanes(a.re * b.re + a.im * b.im), 2 * angle(a.im, b.re)};
  y.im = choose(is_zero(z.re) & is_nan(z.im), all<F64>(kPi / 2), y.im);
  return choose(is_inf(z), Pair{all<F64>(kInf), angle(z.im, z.re)}, y);
}
// log1p(4 x / ((1 - x)^2 + y^2)) / 4 + i atan2(2 y, (1 - x) (1 + x) - y^2) / 2, by the size of x
static inline Pair inverse_hyperbolic_tangent(Pair z) {
  const F64 x = abs_of(z.re), y = z.im, zero = {};
  const F64 re = log1p_lanes(4 * x / ((1 - x) * (1 - x) + y * y)) * 0.25;
  const F64 im = angle(y + y, (1 - x) * (1 + x) - y * y) * 0.5;
  const Pair v = {choose(is_zero(z.re), z.re, with_sign(re, z.re)), choose(is_zero(y) & (Truth)(x <= 1), y, im)};
  const Pair far = {zero, choose(is_nan(y), y, with_sign(all<F64>(kPi / 2), y))};
  return choose(is_inf(z), far, v);
}

#define EACH_COMPLEX(name, body) scalar_kernel(#name, [](Pair x) -> Pair { return body; })

extern const ScalarKernel complex_kernels[];
const ScalarKernel complex_kernels[] = {
    EACH_COMPLEX(sqrt, square_root(x)),
    EACH_COMPLEX(rsqrt, inverse_root(x)),
    EACH_COMPLEX(exp, exponential(x)),
    EACH_COMPLEX(log, logarithm(x)),
    EACH_COMPLEX(log2, scaled(logarithm(x), 1.44269504088896340736)),
    EACH_COMPLEX(log10, scaled(logarithm(x), 0.43429448190325182765)),
    EACH_COMPLEX(log1p, logarithm1p(x)),
    EACH_COMPLEX(sin, swapped(hyperbolic_sine(swapped(x)))),
    EACH_COMPLEX(cos, hyperbolic_cosine(turned(x))),
    EACH_COMPLEX(tan, turned_back(hyperbolic_tangent(turned(x)))),
    EACH_COMPLEX(sinh, hyperbolic_sine(x)),
    EACH_COMPLEX(cosh, hyperbolic_cosine(x)),
    EACH_COMPLEX(tanh, hyperbolic_tangent(x)),
    EACH_COMPLEX(arcsin, inverse_sine(x)),
    EACH_COMPLEX(arccos, inverse_cosine(x)),
    EACH_COMPLEX(arctan, turned_back(inverse_hyperbolic_tangent(turned(x)))),
    EACH_COMPLEX(arcsinh, turned_back(inverse_sine(turned(x)))),
    EACH_COMPLEX(arccosh, inverse_hyperbolic_cosine(x)),
    EACH_COMPLEX(arctanh, inverse_hyperbolic_tangent(x)),
    EACH_COMPLEX(degrees, scaled(x, 180 / kPi)),
    EACH_COMPLEX(radians, scaled(x, kPi / 180)),
    {nullptr, {}},
};

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
