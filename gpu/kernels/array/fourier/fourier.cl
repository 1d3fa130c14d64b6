// What surrounds transforms: frequencies of bins, and the range of blocks.
#pragma OPENCL FP_CONTRACT OFF

// One work-item per bin: k step 2^exponent, k = i for the first `rising` of them, then i - n.
kernel void frequencies(global float* out, long size, long n, long rising, float step, int exponent) {
  const long i = get_global_id(0);
  if (i < size) out[i] = ldexp((float)(i < rising ? i : i - n) * step, exponent);
}

// ---- blocks: what a transform of several axes takes, whose sums shall stay in range ----

#define LARGE ((127u + 60u) << 23)  // bits of 2^60

// The block of element i: for each axis, innermost first, its size and its step in blocks.
long block_of(global const long* axes, int rank, long i) {
  long block = 0;
  for (int d = 0; d < rank; ++d) {
    const long size = axes[2 * d];
    block += i % size * axes[2 * d + 1];
    i /= size;
  }
  return block;
}

int is_large(float2 v) { return max(as_uint(v.x) & 0x7fffffffu, as_uint(v.y) & 0x7fffffffu) >= LARGE; }

kernel void find_large(global const float2* x, long count, volatile global int* large, global const long* axes,
                       int rank) {
  const long i = get_global_id(0);
  if (i < count && is_large(x[i])) atomic_or(&large[block_of(axes, rank, i)], 1);
}

kernel void scaled(global const float2* x, global float2* y, long count, global const int* large,
                   global const long* axes, int rank, float by) {
  const long i = get_global_id(0);
  if (i < count) y[i] = large[block_of(axes, rank, i)] ? x[i] * by : x[i];
}

// One work-item per float, `each` of them an element.
kernel void scale_back(global float* y, long count, int each, global const int* large, global const long* axes,
                       int rank, float by) {
  const long i = get_global_id(0);
  if (i < count && large[block_of(axes, rank, i / each)]) y[i] *= by;
}
