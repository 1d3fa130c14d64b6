// Normalisations of feature matrices, in float. Built for one type of feature: -DFROM_f16 or -DFROM_f32.
#pragma OPENCL FP_CONTRACT OFF

#ifdef FROM_f16
typedef ushort stored;
#define LOAD(p, i) vload_half(i, (global const half*)(p))
#define STORE(v, i, p) vstore_half_rte(v, i, (global half*)(p))
#else
typedef float stored;
#define LOAD(p, i) (p)[i]
#define STORE(v, i, p) (p)[i] = (v)
#endif

#define LANES 32     // neighbouring columns, or work-items that share a row
#define STRANDS 4    // work-items that share a column, or rows of a work-group
#ifndef BLOCK        // small limits: see norms.cpp
#define BLOCK 256    // rows of a column summed by one work-group
#endif

// Squares of what is large would pass the largest float. A line whose greatest magnitude lies beyond 2^40 is scaled so
// that it lies there, by a power of two, which rounds nothing but what is beyond all influence.
float factor_of(float peak) { return peak > 0x1p40f && isfinite(peak) ? ldexp(1.0f, 40 - ilogb(peak)) : 1.0f; }

// eps beside a scaled variance. Where it vanishes no variance but 0 is as small, and then the distances are 0 too.
float scaled_eps(float eps, float f) { return f < 1 ? fmax(eps * f * f, 0x1p-126f) : eps; }

// What sum_columns and join_blocks compute. A column is scaled only once its peak is known, and summed again only if
// it must be scaled.
#define SUMS 0      // the mean, and the factor by which the column must be scaled
#define AGAIN 1     // the mean of columns that are scaled
#define SQUARES 2   // the mean of the squared distances from the mean

// partial[block][c] = the sum over the rows of a block, peaks[block][c] the greatest magnitude. A work-item adds every
// fourth row; the four sums of a column are added pairwise.
kernel __attribute__((reqd_work_group_size(LANES, STRANDS, 1))) void sum_columns(
    global const stored* x, long rows, long channels, global const float* centre, global const float* factor, int mode,
    global float* partial, global float* peaks) {
  local float sums[STRANDS][LANES], most[STRANDS][LANES];
  const int i = get_local_id(0), j = get_local_id(1);
  const long c = get_global_id(0), block = get_group_id(1), end = min(rows, (block + 1) * BLOCK);
  const float f = mode != SUMS && c < channels ? factor[c] : 1.0f, m = mode == SQUARES && c < channels ? centre[c] : 0.0f;
  const int wanted = c < channels && (mode != AGAIN || f < 1);
  float sum = 0, peak = 0;
  for (long r = wanted ? block * BLOCK + j : end; r < end; r += STRANDS) {
    const float v = LOAD(x, r * channels + c), d = v * f - m;
    sum += mode == SQUARES ? d * d : d;
    peak = fmax(peak, fabs(v));
  }
  sums[j][i] = sum;
  most[j][i] = peak;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (j > 0 || !wanted) return;
  partial[block * channels + c] = (sums[0][i] + sums[2][i]) + (sums[1][i] + sums[3][i]);
  if (mode == SUMS) peaks[block * channels + c] = fmax(fmax(most[0][i], most[1][i]), fmax(most[2][i], most[3][i]));
}

// mean[c] = the sum of a column's blocks over n: a work-item adds every 128th block, their sums are added pairwise.
// `scaled` holds it as it was summed, `mean` as it is.
#define ITEMS (LANES * STRANDS)
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void join_blocks(
    global const float* partial, global const float* peaks, long blocks, long channels, long n, int mode,
    global float* factor, global float* scaled, global float* mean) {
  local float sums[ITEMS], most[ITEMS];
  const int i = get_local_id(0);
  const long c = get_group_id(0);
  float sum = 0, peak = 0;
  for (long b = i; b < blocks; b += ITEMS) {
    sum += partial[b * channels + c];
    if (mode == SUMS) peak = fmax(peak, peaks[b * channels + c]);
  }
  sums[i] = sum;
  most[i] = peak;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int step = ITEMS / 2; step > 0; step /= 2) {
    if (i < step) sums[i] += sums[i + step], most[i] = fmax(most[i], most[i + step]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (i > 0) return;
  const float f = mode == SUMS ? factor_of(most[0]) : factor[c], back = 1 / f, v = sums[0] / (float)n;
  if (mode == SUMS) factor[c] = f;
  if (mode == AGAIN && f == 1) return;
  scaled[c] = v;
  mean[c] = mode == SQUARES ? v * back * back : v * back;
}

kernel void scale_columns(global const stored* x, long n, long channels, float eps, global const float* factor,
                          global const float* mean, global const float* variance, global const float* scale,
                          global const float* bias, global stored* out) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const long c = e % channels;
  const float f = factor[c];
  STORE((LOAD(x, e) * f - mean[c]) * rsqrt(variance[c] + scaled_eps(eps, f)) * scale[c] + bias[c], e, out);
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

kernel __attribute__((reqd_work_group_size(LANES, STRANDS, 1))) void scale_rows(
    global const stored* x, long rows, long channels, int centred, float eps, global const float* scale,
    global const float* bias, global stored* out) {
  local float sums[STRANDS][LANES];
  const int i = get_local_id(0), j = get_local_id(1);
  const long r = get_global_id(1), columns = r < rows ? channels : 0;
  x += r < rows ? r * channels : 0;
  float f = 1, sum = 0, mean = 0;
#ifndef FROM_f16  // no half is beyond 2^40
  float peak = 0;
  for (long c = i; c < columns; c += LANES) peak = fmax(peak, fabs(x[c]));
  f = factor_of(joined(sums[j], peak, 1));
#endif
  if (centred) {
    for (long c = i; c < columns; c += LANES) sum += LOAD(x, c) * f;
    mean = joined(sums[j], sum, 0) / (float)channels;
  }
  sum = 0;
  for (long c = i; c < columns; c += LANES) {
    const float d = LOAD(x, c) * f - mean;
    sum += d * d;
  }
  const float s = rsqrt(joined(sums[j], sum, 0) / (float)channels + scaled_eps(eps, f));
  for (long c = i; c < columns; c += LANES)
    STORE((LOAD(x, c) * f - mean) * s * scale[c] + bias[c], r * channels + c, out);
}
