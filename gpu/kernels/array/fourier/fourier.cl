// What surrounds transforms: frequencies of bins, the range of blocks, and frames.
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

// ---- frames: frame f of a signal holds its samples from f hop - pad on, n of them ----

enum { CONSTANT, EDGE, REFLECT, SYMMETRIC };

// Where sample p of a signal of `samples` that goes on beyond its ends is found; -1: it is 0.
long place(int beyond, long p, long samples) {
  if (p >= 0 && p < samples) return p;
  if (beyond == CONSTANT) return -1;
  if (beyond == EDGE) return p < 0 ? 0 : samples - 1;
  const long last = beyond == REFLECT ? 2 * (samples - 1) : 2 * samples - 1;
  const long period = beyond == REFLECT ? last : last + 1;
  if (period == 0) return 0;
  const long phase = (p % period + period) % period;
  return phase < samples ? phase : last - phase;
}

// Factor i of n: those of the window, or 1, from `front` on; 0 around them.
float factor_of(global const float2* window, int given, long front, long size, long i) {
  if (i < front || i >= front + size) return 0.0f;
  return given ? window[i - front].x : 1.0f;
}

// One work-item per element of [batch, n, frames].
kernel void frames(global const float2* x, global float2* y, long count, global const float2* window, int given,
                   long front, long size, long n, long hop, long pad, long samples, long frames, int beyond) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long f = t % frames, i = t / frames % n, batch = t / (frames * n);
  const long at = place(beyond, f * hop + i - pad, samples);
  y[t] = at < 0 ? (float2)(0.0f, 0.0f) : x[batch * samples + at] * factor_of(window, given, front, size, i);
}

// One work-item per sample of [batch, samples]: the frames that hold it, by factors relative to the largest, so that no
// square of one underflows. y is [batch, n, frames], `parts` floats each.
kernel void add_up(global const float* y, global float* out, long count, global const float2* window, int given,
                   long front, long size, long n, long hop, long pad, long samples, long frames, long parts) {
  const long t = get_global_id(0);
  if (t >= count) return;
  const long batch = t / samples, s = t % samples + pad;
  const long first = s < n ? 0 : (s - n) / hop + 1, last = min(frames - 1, s / hop);
  float most = 0.0f, sum = 0.0f, squares = 0.0f;
  for (long f = first; f <= last; ++f) {
    const float w = factor_of(window, given, front, size, s - f * hop);
    most = fmax(most, isnan(w) ? INFINITY : fabs(w));
  }
  for (long f = first; f <= last && most > 0.0f; ++f) {
    const long i = s - f * hop;
    const float w = factor_of(window, given, front, size, i) / most;
    sum += w * y[((batch * n + i) * frames + f) * parts];
    squares += w * w;
  }
  out[t] = most > 0.0f ? sum / squares / most : 0.0f;
}
