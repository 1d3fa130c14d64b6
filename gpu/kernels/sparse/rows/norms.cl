// Normalisations of feature matrices, in float. Built for one type of feature: X, f16 or f32.

#include "element.cl"

#define LANES 32   // neighbouring columns, or work-items that share a row
#define STRANDS 4  // work-items that share a column, or rows of a work-group
#ifndef BLOCK      // small limits: see norms.cpp
#define BLOCK 256  // rows of a column summed by one work-group
#endif

// Squares of what is large would pass the largest float. A line whose greatest magnitude lies beyond 2^40 is scaled so
// that it lies there, by a power of two, which rounds nothing but what is beyond all influence.
float factor_of(float peak) { return peak > 0x1p40f && isfinite(peak) ? ldexp(1.0f, 40 - ilogb(peak)) : 1.0f; }

// eps beside a scaled variance. Where it vanishes no variance but 0 is as small, and then the distances are 0 too.
float scaled_eps(float eps, float f) { return f < 1 ? fmax(eps * f * f, 0x1p-126f) : eps; }

// What sum_columns and join_blocks compute. A column is scaled only once its peak is known, and summed again only if
// it must be scaled.
#define SUMS 0     // the mean, and the factor by which the column must be scaled
#define AGAIN 1    // the mean of columns that are scaled
#define SQUARES 2  // the mean distance from the first mean, and with it the variance
#define SPREAD 3   // the variance where the first mean was too far off for that: about the corrected one

// Values near 1e7 sum to a mean that is off by more than their distance from it. So the first mean only serves to be
// subtracted: distances from it are exact or nearly so, and their own mean corrects it. The centre is the sum of both,
// and stays two numbers.

// partial[block][c] = the sum over the rows of a block, peaks[block][c] the greatest magnitude; of SQUARES, the sum of
// the distances and that of their squares. A work-item adds every fourth row; the four sums of a column are added
// pairwise.
kernel __attribute__((reqd_work_group_size(LANES, STRANDS, 1))) void sum_columns(
    global const X_t* x, long rows, long channels, global const float* centre, global const float* correction,
    global const float* spread, global const float* factor, int mode, global float* partial, global float* peaks) {
  local float sums[STRANDS][LANES], others[STRANDS][LANES];
  const int i = get_local_id(0), j = get_local_id(1);
  const long c = get_global_id(0), block = get_group_id(1), end = min(rows, (block + 1) * BLOCK);
  const float f = mode != SUMS && c < channels ? factor[c] : 1.0f;
  const float m = mode >= SQUARES && c < channels ? centre[c] : 0.0f;
  const float lacks = mode == SPREAD && c < channels ? correction[c] : 0.0f;
  const int wanted = c < channels && (mode != AGAIN || f < 1) && (mode != SPREAD || spread[c] < 0);
  float sum = 0, other = 0;  // the squares, or the peak
  for (long r = wanted ? block * BLOCK + j : end; r < end; r += STRANDS) {
    const float v = at_x(x, r * channels + c), d = v * f - m - lacks;
    sum += d;
    other = mode >= SQUARES ? other + d * d : fmax(other, fabs(v));
  }
  sums[j][i] = sum;
  others[j][i] = other;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (j > 0 || !wanted) return;
  const float a = others[0][i], b = others[1][i], d = others[2][i], e = others[3][i];
  partial[block * channels + c] = (sums[0][i] + sums[2][i]) + (sums[1][i] + sums[3][i]);
  peaks[block * channels + c] = mode >= SQUARES ? (a + d) + (b + e) : fmax(fmax(a, b), fmax(d, e));
}

// The mean of a column: a work-item adds every 128th block, their sums are added pairwise. Of the column as it was
// summed, centre[c] is the first mean, correction[c] what it lacks, spread[c] the variance; mean and variance are those
// of the column as it is.
#define ITEMS (LANES * STRANDS)
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void join_blocks(
    global const float* partial, global const float* peaks, long blocks, long channels, long n, int mode,
    global float* factor, global float* centre, global float* correction, global float* spread, global float* mean,
    global float* variance) {
  local float sums[ITEMS], others[ITEMS];
  const int i = get_local_id(0);
  const long c = get_group_id(0);
  float sum = 0, other = 0;
  for (long b = i; b < blocks; b += ITEMS) {
    const float next = peaks[b * channels + c];
    sum += partial[b * channels + c];
    other = mode >= SQUARES ? other + next : fmax(other, next);
  }
  sums[i] = sum;
  others[i] = other;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int step = ITEMS / 2; step > 0; step /= 2) {
    if (i < step) {
      sums[i] += sums[i + step];
      others[i] = mode >= SQUARES ? others[i] + others[i + step] : fmax(others[i], others[i + step]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (i > 0) return;
  const float f = mode == SUMS ? factor_of(others[0]) : factor[c], back = 1 / f, m = sums[0] / (float)n;
  if (mode == SUMS) factor[c] = f;
  if ((mode == AGAIN && f == 1) || (mode == SPREAD && !(spread[c] < 0))) return;
  if (mode < SQUARES) {
    centre[c] = m;
    return;
  }
  float v = others[0] / (float)n;
  if (mode == SQUARES) {
    v = m * m > v * 0x1p-10f ? -1.0f : v - m * m;
    correction[c] = m;
    mean[c] = (isfinite(centre[c]) ? centre[c] + m : centre[c]) * back;
  }
  spread[c] = v;
  variance[c] = v * back * back;
}

kernel void scale_columns(global const X_t* x, long n, long channels, float eps, global const float* factor,
                          global const float* centre, global const float* correction, global const float* variance,
                          global const float* scale, global const float* bias, global X_t* out) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const long c = e % channels;
  const float f = factor[c];
  const float d = at_x(x, e) * f - centre[c] - correction[c];
  put_x(out, e, d * rsqrt(variance[c] + scaled_eps(eps, f)) * scale[c] + bias[c]);
}

// The sum over the work-items of a row, or the greatest, pairwise; every one of them gets it.
float joined(local float* values, float value, int greatest) {
  const int i = get_local_id(0);
  values[i] = value;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int step = LANES / 2; step > 0; step /= 2) {
    if (i < step) values[i] = greatest ? fmax(values[i], values[i + step]) : values[i] + values[i + step];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const float all = values[0];
  barrier(CLK_LOCAL_MEM_FENCE);
  return all;
}

kernel __attribute__((reqd_work_group_size(LANES, STRANDS, 1))) void scale_rows(global const X_t* x, long rows,
                                                                                long channels, int centred, float eps,
                                                                                global const float* scale,
                                                                                global const float* bias,
                                                                                global X_t* out) {
  local float sums[STRANDS][LANES];
  const int i = get_local_id(0), j = get_local_id(1);
  const long r = get_global_id(1), columns = r < rows ? channels : 0;
  x += r < rows ? r * channels : 0;
  float f = 1, sum = 0, mean = 0, correction = 0;
  if (X != f16) {  // no half is beyond 2^40
    float peak = 0;
    for (long c = i; c < columns; c += LANES) peak = fmax(peak, fabs(at_x(x, c)));
    f = factor_of(joined(sums[j], peak, 1));
  }
  if (centred) {
    for (long c = i; c < columns; c += LANES) sum += at_x(x, c) * f;
    mean = joined(sums[j], sum, 0) / (float)channels;
    sum = 0;
    for (long c = i; c < columns; c += LANES) sum += at_x(x, c) * f - mean;
    correction = joined(sums[j], sum, 0) / (float)channels;
  }
  sum = 0;
  for (long c = i; c < columns; c += LANES) {
    const float d = at_x(x, c) * f - mean - correction;
    sum += d * d;
  }
  const float s = rsqrt(joined(sums[j], sum, 0) / (float)channels + scaled_eps(eps, f));
  for (long c = i; c < columns; c += LANES)
    put_x(out, r * channels + c, (at_x(x, c) * f - mean - correction) * s * scale[c] + bias[c]);
}
