// Functions of complex numbers, a line each: see scalar.cl. Numbers of binary32 in double: squares are exact, and
// nothing that a finite result is made of leaves the range. Special values are those of C's annex G.
#include "array/scalar/scalar.cl"

#ifdef LANE_C64
static inline int has_inf(double2 z) { return isinf(z.x) || isinf(z.y); }
static inline int is_wild(double y) { return isinf(y) || isnan(y); }
static inline double2 turned(double2 z) { return (double2)(-z.y, z.x); }       // i z
static inline double2 turned_back(double2 z) { return (double2)(z.y, -z.x); }  // -i z

// An infinite part outweighs a NaN.
static inline double size_of(double2 z) { return has_inf(z) ? INFINITY : sqrt(z.x * z.x + z.y * z.y); }

static inline double2 square_root(double2 z) {
  if (z.x == 0 && z.y == 0) return (double2)(0, z.y);
  if (isinf(z.y)) return (double2)(INFINITY, z.y);
  const double t = sqrt((fabs(z.x) + size_of(z)) * 0.5), other = z.y / (t + t);
  return z.x < 0 ? (double2)(fabs(other), copysign(t, z.y)) : (double2)(t, other);
}

static inline double2 inverse_root(double2 z) {
  if (z.x == 0 && z.y == 0) return (double2)(INFINITY, 0);
  if (has_inf(z)) return (double2)(0, 0);
  const double2 s = square_root(z);
  return (double2)(s.x, -s.y) / size_of(z);
}

// Near the unit circle by how far the square of the modulus is from 1.
static inline double log_size(double2 z) {
  const double off = (z.x - 1) * (z.x + 1) + z.y * z.y;
  if (has_inf(z)) return INFINITY;
  return fabs(off) < 0.5 ? 0.5 * log1p(off) : 0.5 * log(z.x * z.x + z.y * z.y);
}
static inline double2 logarithm(double2 z) { return (double2)(log_size(z), atan2(z.y, z.x)); }
static inline double2 logarithm1p(double2 z) {
  const double2 one = (double2)(1 + z.x, z.y);
  const double off = z.x * (2 + z.x) + z.y * z.y;
  return (double2)(fabs(off) < 0.5 ? 0.5 * log1p(off) : log_size(one), atan2(one.y, one.x));
}

// e^x (cos y + i sin y). A factor of 0 leaves 0 of whatever it meets.
static inline double2 exponential(double2 z) {
  if (isinf(z.x) && is_wild(z.y)) return z.x < 0 ? (double2)(0, 0) : (double2)(INFINITY, NAN);
  const double e = exp(z.x);
  return (double2)(e * cos(z.y), z.y == 0 ? z.y : e * sin(z.y));
}
static inline double2 hyperbolic_sine(double2 z) {
  if (isinf(z.x) && is_wild(z.y)) return (double2)(INFINITY, NAN);
  return (double2)(z.x == 0 ? z.x : sinh(z.x) * cos(z.y), z.y == 0 ? z.y : cosh(z.x) * sin(z.y));
}
static inline double2 hyperbolic_cosine(double2 z) {
  if (isinf(z.x) && is_wild(z.y)) return (double2)(INFINITY, NAN);
  return (double2)(cosh(z.x) * cos(z.y), z.x == 0 || z.y == 0 ? 0 : sinh(z.x) * sin(z.y));
}
// (sinh x cosh x + i sin y cos y) / (sinh^2 x + cos^2 y); far out +-1 + 4 i sin y cos y e^(-2 |x|)
static inline double2 hyperbolic_tangent(double2 z) {
  if (isinf(z.x)) return (double2)(copysign(1.0, z.x), 0);
  const double s = sin(z.y), c = cos(z.y), sh = sinh(z.x), ch = cosh(z.x);
  const double size = sh * sh + c * c;
  const double2 y = fabs(z.x) > 20 ? (double2)(copysign(1.0, z.x), 4 * s * c * exp(-2 * fabs(z.x)))
                                   : (double2)(sh * ch / size, s * c / size);
  return (double2)(z.x == 0 ? z.x : is_wild(z.y) ? NAN : y.x, z.y == 0 ? z.y : y.y);
}

// Kahan 1987: of the roots of 1 - z and 1 + z, whose parts add without cancellation.
static inline double2 inverse_sine(double2 z) {
  if (has_inf(z)) return (double2)(atan2(z.x, fabs(z.y)), copysign((double)INFINITY, z.y));
  const double2 a = square_root((double2)(1 - z.x, -z.y)), b = square_root((double2)(1 + z.x, z.y));
  return (double2)(z.x == 0 ? z.x : atan2(z.x, a.x * b.x - a.y * b.y), asinh(a.x * b.y - a.y * b.x));
}
static inline double2 inverse_cosine(double2 z) {
  if (has_inf(z)) return (double2)(atan2(fabs(z.y), z.x), -copysign((double)INFINITY, z.y));
  const double2 a = square_root((double2)(1 - z.x, -z.y)), b = square_root((double2)(1 + z.x, z.y));
  return (double2)(z.x == 0 ? 1.5707963267948966 : 2 * atan2(a.x, b.x), asinh(b.x * a.y - b.y * a.x));
}
static inline double2 inverse_hyperbolic_cosine(double2 z) {
  if (has_inf(z)) return (double2)(INFINITY, atan2(z.y, z.x));
  const double2 a = square_root((double2)(z.x - 1, z.y)), b = square_root((double2)(z.x + 1, z.y));
  const double turn = z.x == 0 && isnan(z.y) ? 1.5707963267948966 : 2 * atan2(a.y, b.x);
  return (double2)(asinh(a.x * b.x + a.y * b.y), turn);
}
// log1p(4 x / ((1 - x)^2 + y^2)) / 4 + i atan2(2 y, (1 - x) (1 + x) - y^2) / 2, by the size of x
static inline double2 inverse_hyperbolic_tangent(double2 z) {
  const double x = fabs(z.x), y = z.y;
  if (has_inf(z)) return (double2)(0, isnan(y) ? y : copysign(1.5707963267948966, y));
  const double re = 0.25 * log1p(4 * x / ((1 - x) * (1 - x) + y * y));
  const double im = 0.5 * atan2(y + y, (1 - x) * (1 + x) - y * y);
  return (double2)(z.x == 0 ? z.x : copysign(re, z.x), y == 0 && x <= 1 ? y : im);
}

EACH(sqrt, square_root(x))
EACH(rsqrt, inverse_root(x))
EACH(exp, exponential(x))
EACH(log, logarithm(x))
EACH(log2, logarithm(x) * 1.4426950408889634)
EACH(log10, logarithm(x) * 0.4342944819032518)
EACH(log1p, logarithm1p(x))
EACH(sin, hyperbolic_sine(x.yx).yx)
EACH(cos, hyperbolic_cosine(turned(x)))
EACH(tan, turned_back(hyperbolic_tangent(turned(x))))
EACH(sinh, hyperbolic_sine(x))
EACH(cosh, hyperbolic_cosine(x))
EACH(tanh, hyperbolic_tangent(x))
EACH(arcsin, inverse_sine(x))
EACH(arccos, inverse_cosine(x))
EACH(arctan, turned_back(inverse_hyperbolic_tangent(turned(x))))
EACH(arcsinh, turned_back(inverse_sine(turned(x))))
EACH(arccosh, inverse_hyperbolic_cosine(x))
EACH(arctanh, inverse_hyperbolic_tangent(x))
EACH(degrees, x * 57.29577951308232)
EACH(radians, x * 0.017453292519943295)
#endif
