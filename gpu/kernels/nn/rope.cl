// Rotary position embedding. Built for X, f32 or f64, in which it computes; elements are of that type, or of f16 or
// bf16 beside f32.
//
// Angles are counted in turns of 2^64: a position times what it adds drops whole turns by itself, so that no position
// is too far from the first.

#include "nn/operand.cl"

kernel void turn_pairs(global const void* x, global void* y, int type, long total, long each, long features, long half_,
                       long positions, long of_batch, int traditional, global const ulong* turns,
                       global const float* defined, global const long* offsets, int by_batch) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long l = e / each, i = e % each;
  if (i >= half_) {  // beyond the features that turn
    const long at = l * features + half_ + i;
    put(y, type, at, fetch(x, type, at));
    return;
  }
  const ulong position = (ulong)(l % positions + offsets[by_batch ? l / of_batch : 0]);
  const X_v halves = (X_v)(long)(position * turns[i]) * (X_v)0x1p-63f;  // from -1 to 1
  const X_v c = cospi(halves) * (X_v)defined[i], s = sinpi(halves) * (X_v)defined[i];
  const long first = l * features + (traditional ? 2 * i : i), second = first + (traditional ? 1 : half_);
  const X_v u = fetch(x, type, first), v = fetch(x, type, second);
  put(y, type, first, u * c - v * s);
  put(y, type, second, u * s + v * c);
}
