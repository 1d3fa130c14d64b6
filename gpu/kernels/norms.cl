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
#define BLOCK 256    // rows of a column summed by one work-group

// partial[block][c] = sum of x - centre squared over the rows of a block, of x itself without a centre. A work-item
// adds every fourth row; the four sums of a column are added pairwise.
kernel __attribute__((reqd_work_group_size(LANES, STRANDS, 1))) void sum_columns(
    global const stored* x, long rows, long channels, global const float* centre, int centred, global float* partial) {
  local float sums[STRANDS][LANES];
  const int i = get_local_id(0), j = get_local_id(1);
  const long c = get_global_id(0), block = get_group_id(1), end = min(rows, (block + 1) * BLOCK);
  float sum = 0;
  if (c < channels) {
    const float m = centred ? centre[c] : 0.0f;
    for (long r = block * BLOCK + j; r < end; r += STRANDS) {
      const float d = LOAD(x, r * channels + c) - m;
      sum += centred ? d * d : d;
    }
  }
  sums[j][i] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (j == 0 && c < channels) partial[block * channels + c] = (sums[0][i] + sums[2][i]) + (sums[1][i] + sums[3][i]);
}

// mean[c] = the sum of a column's blocks over n: a work-item adds every 128th block, their sums are added pairwise
#define ITEMS (LANES * STRANDS)
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void join_blocks(global const float* partial, long blocks,
                                                                         long channels, long n, global float* mean) {
  local float sums[ITEMS];
  const int i = get_local_id(0);
  const long c = get_group_id(0);
  float sum = 0;
  for (long b = i; b < blocks; b += ITEMS) sum += partial[b * channels + c];
  sums[i] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int step = ITEMS / 2; step > 0; step /= 2) {
    if (i < step) sums[i] += sums[i + step];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (i == 0) mean[c] = sums[0] / (float)n;
}

kernel void scale_columns(global const stored* x, long n, long channels, float eps, global const float* mean,
                          global const float* variance, global const float* scale, global const float* bias,
                          global stored* out) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const long c = e % channels;
  STORE((LOAD(x, e) - mean[c]) * rsqrt(variance[c] + eps) * scale[c] + bias[c], e, out);
}

// The sum over the work-items of a row, pairwise; every one of them gets it.
float total(local float* sums, float sum) {
  const int i = get_local_id(0);
  sums[i] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int step = LANES / 2; step > 0; step /= 2) {
    if (i < step) sums[i] += sums[i + step];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const float all = sums[0];
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
  float sum = 0, mean = 0;
  if (centred) {
    for (long c = i; c < columns; c += LANES) sum += LOAD(x, c);
    mean = total(sums[j], sum) / (float)channels;
  }
  sum = 0;
  for (long c = i; c < columns; c += LANES) {
    const float d = LOAD(x, c) - mean;
    sum += d * d;
  }
  const float s = rsqrt(total(sums[j], sum) / (float)channels + eps);
  for (long c = i; c < columns; c += LANES) STORE((LOAD(x, c) - mean) * s * scale[c] + bias[c], r * channels + c, out);
}
