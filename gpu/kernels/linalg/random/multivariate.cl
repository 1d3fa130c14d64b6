// Vectors of normal numbers: what is done around the decomposition of the covariances (linalg/orthogonal/svd.cl) and
// the drawing of numbers (normal.cl).
#include "array/random/units.cl"

// Covariances of any dtype, as numbers of binary32 in double.
kernel void widened(global const void* cov, int type, long total, global double* out) {
  const long e = get_global_id(0);
  if (e < total) out[e] = float_at(cov, type, f32, e);
}

// R_ij = sum over k of u_ik sqrt(s_k) vt_kj of matrices n x n.
kernel void roots(global const double* u, global const double* s, global const double* vt, long n, long total,
                  global float* out) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long row = e / n, m = row / n, j = e % n;
  double sum = 0.0;
  for (long k = 0; k < n; ++k) sum = fma(u[row * n + k] * sqrt(s[m * n + k]), vt[(m * n + k) * n + j], sum);
  out[e] = (float)sum;
}

// x_j = mean_j + sum over i of z_i R_ij. One work-item per number; `means` and `matrices` say where mean_j and R_0j
// lie.
kernel void vectors(global const float* z, global const float* r, constant const long* matrices,
                    global const void* mean, int mean_type, constant const long* means, long n, long total,
                    global float* out) {
  const long e = get_global_id(0);
  if (e >= total) return;
  global const float* own = z + e / n * n;
  global const float* column = r + place(e, matrices, 0);
  float sum = float_at(mean, mean_type, f32, place(e, means, 0));
  for (long i = 0; i < n; ++i) sum = fma(own[i], column[i * n], sum);
  out[e] = sum;
}
