// What surrounds transforms: frequencies of bins.
#pragma OPENCL FP_CONTRACT OFF

// One work-item per bin: k step 2^exponent, k = i for the first `rising` of them, then i - n.
kernel void frequencies(global float* out, long size, long n, long rising, float step, int exponent) {
  const long i = get_global_id(0);
  if (i < size) out[i] = ldexp((float)(i < rising ? i : i - n) * step, exponent);
}
