// Normal numbers between two bounds, in double: see threefry.cl for which work-item has which.
#define FP64
#include "array/functions.cl"
#include "array/random/threefry.cl"
#include "array/random/units.cl"

// Q(z), the probability of a number beyond z.
static double tail(double z) { return 0.5 * erfc(z * M_SQRT1_2); }

// log Q(z), z > 0; from 20 on by an expansion in 1 / z^2.
static double log_tail(double z) {
  if (z < 20.0) return log(tail(z));
  if (isinf(z)) return -z;
  const double x = 1.0 / (z * z);
  const double series = x * (-1.0 + x * (3.0 + x * (-15.0 + x * (105.0 + x * (-945.0 + x * 10395.0)))));
  return -0.5 * z * z - log(z) - 0.91893853320467274 + log1p(series);
}

// The z >= least with log Q(z) = t by Newton's method; log Q is concave and bends little.
static double tail_quantile(double t, double least) {
  double z = least > 5.0 ? least + (log_tail(least) - t) / least : sqrt(fmax(0.0, -2.0 * (t + M_LN2)));
  for (int i = 0; i < 12; ++i) {
    const double h = log_tail(z), step = (h - t) * exp(h + 0.5 * z * z + 0.91893853320467274);
    z = fmax(least, z + step);
    if (!(fabs(step) > 1e-13 * z)) break;
  }
  return z;
}

static double beyond(double a, double b, double v) {
  const double from = log_tail(a);
  return tail_quantile(from + log1p(v * expm1(log_tail(b) - from)), a);
}

// The number before which lies the share v of the normal distribution between a and b.
static double truncated_of(double a, double b, double v) {
  if (isnan(a) || isnan(b)) return NAN;
  if (!(a < b) || v == 0.0) return a;
  const double from = erf(a * M_SQRT1_2), u = from + (erf(b * M_SQRT1_2) - from) * v;
  double z;
  if (fabs(u) < 1.0 - 0x1p-20) {
    z = M_SQRT2 * erfinv_double(u);
  } else if (a > 0.0) {
    z = beyond(a, b, v);
  } else if (b < 0.0) {
    z = -beyond(-b, -a, 1.0 - v);
  } else {
    const double above = (1.0 - v) * tail(a) + v * tail(b), below = (1.0 - v) * tail(-a) + v * tail(-b);
    z = above < below ? tail_quantile(log(above), 0.0) : -tail_quantile(log(below), 0.0);
  }
  return clamp(z, a, b);
}

struct Bounds {
  global const void *lower, *upper;
  int lower_type, upper_type;
  constant const long* geometry;
};

static void put_truncated(global void* out, int type, long i, uint word, const struct Bounds f) {
  const float a = float_at(f.lower, f.lower_type, type, place(i, f.geometry, 0));
  const float b = float_at(f.upper, f.upper_type, type, place(i, f.geometry, 1));
  put_float(out, type, i, (float)truncated_of(a, b, unit_of(type, word)));
}

kernel void truncated(global const uint* key, global const void* lower, int lower_type, global const void* upper,
                      int upper_type, constant const long* geometry, long h, long gap, int type, global void* out) {
  const long i = get_global_id(0);
  if (i >= gap) return;
  const struct Bounds f = {lower, upper, lower_type, upper_type, geometry};
  const uint2 w = words_of(key, i, h, gap);
  put_truncated(out, type, i, w.x, f);
  if (i != h) put_truncated(out, type, i + gap, w.y, f);
}
