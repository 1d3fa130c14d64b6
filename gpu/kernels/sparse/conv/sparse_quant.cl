// Packed sparse weights: codes of BITS bits, little end first, with a scale s and a bias b per group of channels.
//   one kernel row   words (Cout, W), scales and biases (Cout, G)
//   several          words (K, W, Cout), scales and biases (K, G, Cout)
// A convolution is an implicit product Y[o] = bias + sum over k of X[map[o][k]] W[k]; a work-group decodes the weights
// of its tile into local memory, once for all of its rows. Rows come sorted by which kernel rows they meet.
//
// Options: QUANTIZE; DEQUANTIZE; SETUP, what comes before tiles; MMA, tiles for matrix units, with BITS and COLUMNS
// (all outputs); else tiles for every device, with X, f16 or f32, in which features are multiplied. Where a
// type is an argument, it is f16 or f32, too.

#include "unroll.cl"

#include "element.cl"

// Position of entry i of n (words or groups) of kernel row k and output c.
long place(int kernels, int out, int n, int k, int i, int c) {
  return kernels == 1 ? (long)c * n + i : ((long)k * n + i) * out + c;
}

#if defined(QUANTIZE) && PLUMB_FP64
int is_finite(float x) { return (as_uint(x) & 0x7F800000u) != 0x7F800000u; }

// Correctly rounded: the quotient of two floats, rounded to 53 bits and then to 24, is rounded as if once.
float divide(float a, float b) { return (float)((double)a / (double)b); }

// One work-item per kernel row, group and output, outputs fastest; channels from `in` on are zeros. Differences are
// taken of halves, which never overflow; what halving loses of subnormal numbers is far below the least step, 1e-7.
kernel void quantize(global const void* w, int type, global uint* codes, global void* scales, global void* biases,
                     int kernels, int in, int out, int groups, int group, int bits, long step_k, long step_a,
                     long step_c) {
  const long e = get_global_id(0);
  if (e >= (long)kernels * groups * out) return;
  const int c = (int)(e % out), g = (int)(e / out % groups), k = (int)(e / out / groups);
  const long from = k * step_k + c * step_c;
  float low = real_at(w, type, from + g * group * step_a), high = low;
  int good = is_finite(low);
  for (int a = g * group + 1; a < (g + 1) * group; ++a) {
    const float v = a < in ? real_at(w, type, from + a * step_a) : 0.0f;
    low = v < low ? v : low;
    high = v > high ? v : high;
    good &= is_finite(v);
  }
  const float n = (float)((1 << bits) - 1);
  float s = 2.0f * divide(0.5f * high - 0.5f * low, n);
  s = s > 1e-7f ? s : 1e-7f;
  const int from_low = fabs(low) > fabs(high);
  const float edge = from_low ? low : high;
  if (!from_low) s = -s;
  const float q0 = rint(divide(edge, s));
  const float b = q0 != 0.0f ? edge : 0.0f;
  // Of nearly equal numbers: float32 holds them, but not their number of steps.
  if (isinf(q0)) s = divide(edge * 0x1p-64f, divide(edge * 0x1p-64f, s));
  else if (q0 != 0.0f) s = divide(edge, q0);
  const long at = place(kernels, out, groups, k, g, c);
  put_float(scales, type, at, good ? s : NAN);
  put_float(biases, type, at, good ? b : NAN);
  const int per_word = 32 / bits, words = groups * group / per_word;
  for (int i = g * group / per_word; i < (g + 1) * group / per_word; ++i) {
    uint word = 0;
    for (int j = 0; j < per_word; ++j) {
      const int a = i * per_word + j;
      const float x = a < in ? real_at(w, type, from + a * step_a) : 0.0f;
      float q = good ? rint(divide(0.5f * x - 0.5f * b, 0.5f * s)) : 0.0f;
      q = q < n ? q : n;
      word |= (q > 0.0f ? (uint)q : 0u) << (j * bits);
    }
    codes[place(kernels, out, words, k, i, c)] = word;
  }
}
#endif

#ifdef DEQUANTIZE
// w = round(round(code s) + b), one work-item per element, in the order in which they lie.
kernel void dequantize(global const uint* codes, global const void* s, global const void* b, global void* w, int type,
                       int kernels, int in, int out, int groups, int group, int bits, long step_k, long step_a,
                       long step_c) {
  const long e = get_global_id(0);
  if (e >= (long)kernels * in * out) return;
  const int k = (int)(e / ((long)in * out)), rest = (int)(e % ((long)in * out));
  const int a = step_c == 1 ? rest / out : rest % in, c = step_c == 1 ? rest % out : rest / in;
  const int per_word = 32 / bits;
  const uint word = codes[place(kernels, out, groups * group / per_word, k, a / per_word, c)];
  const float code = (float)(word >> (a % per_word * bits) & ((1u << bits) - 1));
  const long g = place(kernels, out, groups, k, a / group, c);
  const float product = code * real_at(s, type, g);
  put_float(w, type, k * step_k + a * step_a + c * step_c, float_rounded(type, product) + real_at(b, type, g));
}
#endif

#if !defined(QUANTIZE) && !defined(DEQUANTIZE)

// The lowest code of a word as a number: an integer below 2^23 under the exponent of 2^23 is that integer plus 2^23.
float code_value(uint word, int bits) { return as_float((word & ((1u << bits) - 1)) | 0x4B000000u) - 8388608.0f; }

#ifdef SETUP

// Rows of features in the dtype of the product, widened to a whole number of tiles with zeros.
kernel void cast_rows(global const void* from, int from_type, global void* to, int to_type, long rows, int width,
                      int padded) {
  const long e = get_global_id(0);
  if (e >= rows * padded) return;
  const int c = (int)(e % padded);
  put_float(to, to_type, e, c < width ? real_at(from, from_type, e / padded * width + c) : 0.0f);
}

// What a launch begins with: the outputs that the preparation made (words and counted of them), scales, biases and the
// bias as floats, and no bad weight yet.
kernel void begin(global const int* coords, global int* coords_out, long words, global const int* counts,
                  global int* counts_out, int counted, global const void* scales, global const void* biases, int type,
                  long n, global float* s, global float* b, global const void* bias, int bias_type, int given, int out,
                  global float* bias_out, global int* bad) {
  const long e = get_global_id(0);
  if (e < words) coords_out[e] = coords[e];
  if (e < counted) counts_out[e] = counts[e];
  if (e < n) {
    s[e] = real_at(scales, type, e);
    b[e] = real_at(biases, type, e);
  }
  if (e < out) bias_out[e] = given ? real_at(bias, bias_type, e) : 0.0f;
  if (e == 0) bad[0] = 0;
}

// bad is set if a weight is not finite, for then absent rows, which tiles hold as zeros, would not be nothing; with
// half_weights, also if it is beyond the halves. None is too small for them: where s and b are halves, all are
// multiples of the least half.
kernel void check_weights(global const uint* words, global const float* s, global const float* b, int kernels, int in,
                          int out, int groups, int group, int bits, int half_weights, global int* bad) {
  const long e = get_global_id(0);
  if (e >= (long)kernels * in * out) return;
  const int c = (int)(e % out), a = (int)(e / out % in), k = (int)(e / out / in), per_word = 32 / bits;
  const uint word = words[place(kernels, out, groups * group / per_word, k, a / per_word, c)];
  const float code = code_value(word >> (a % per_word * bits), bits);
  const long g = place(kernels, out, groups, k, a / group, c);
  const float w = fma(code, s[g], b[g]);
  if (!isfinite(w) || (half_weights && fabs(w) >= 65520.0f)) atomic_or(bad, 1);
}

#else

#include "sparse/conv/gather.cl"

#ifndef MMA

// The rows that tiles may not compute, one element at a time: all of them if a weight is bad, else those that are
// marked.
kernel void compute_rows(global const X_t* x, global const uint* words, global const float* s, global const float* b,
                         global const float* bias, global void* y, int y_type, int kernels, int in, int out, int groups,
                         int group, int bits, int padded_c, global const int* map, int spread, long rows,
                         global const int* bad, global const int* marked, int merged, global const int* offsets,
                         global const int* edge_in, global const int* edge_kernel, global const int* active) {
  const int all = bad[0], per_word = 32 / bits, stored = groups * group / per_word;
  if (!all && !merged) return;
  for (long i = get_global_id(0); i < rows * out; i += get_global_size(0)) {
    const long o = i / out;
    const int c = (int)(i % out);
    if ((merged && o >= active[1]) || (!all && !marked[o])) continue;
    float sum = 0.0f;
    const int first = merged ? offsets[o] : 0, last = merged ? offsets[o + 1] : kernels;
    for (int j = first; j < last; ++j) {
      const int k = merged ? edge_kernel[j] : j;
      const long row = merged ? edge_in[j] : input_of(map, spread, kernels, o, k);
      if (row < 0) continue;
      for (int a = 0; a < in; ++a) {
        const uint word = words[place(kernels, out, stored, k, a / per_word, c)];
        const float code = code_value(word >> (a % per_word * bits), bits);
        const long g = place(kernels, out, groups, k, a / group, c);
        sum = fma(at_x(x, row * padded_c + a), fma(code, s[g], b[g]), sum);
      }
    }
    put_float(y, y_type, i, sum + bias[c]);
  }
}

#include "sparse/conv/row_tiles.cl"

// A work-item decodes 8 channels of one output: one word of 4 bits, two of 8. Without an order (sorted 0) rows are
// taken as they come.
kernel __attribute__((reqd_work_group_size(128, 1, 1))) void tiled(
    global const X_t* x, global const uint* words, global const float* s, global const float* b,
    global const float* bias, global void* y, int y_type, int kernels, int in, int out, int groups, int group, int bits,
    int padded_c, global const int* map, int spread, long rows, global const int* order, int sorted) {
  local float left[DEPTH][ROWS + 4];
  local float right[DEPTH][COLUMNS];
  local uint met;
  const int t = get_local_id(0), r0 = t / 8 * 4, n0 = t % 8 * 4, column = get_group_id(1) * COLUMNS;
  const int per_word = 32 / bits, stored = groups * group / per_word, mine_n = t % COLUMNS, mine_c = t / COLUMNS * 8;
  const long first = (long)get_group_id(0) * ROWS;
  const long o = first + t >= rows ? -1 : sorted ? order[first + t] : first + t;
  float sum[8][8];
  CLEAR(sum);
  for (int k0 = 0; k0 < kernels; k0 += 32) {
    for (uint open = kernel_rows_met(&met, map, spread, kernels, o, k0); open != 0; open &= open - 1) {
      const int k = k0 + 31 - clz(open & -open);
      const long row = o >= 0 ? input_of(map, spread, kernels, o, k) : -1;
      for (int c0 = 0; c0 < padded_c; c0 += DEPTH) {
        for (int c = 0; c < DEPTH; c += 4)
          hold(left, c, t, row >= 0 ? at4_x(x, row * padded_c + c0 + c) : (float4)(0.0f));
        const int a0 = c0 + mine_c, inside = column + mine_n < out;
        float scale = 0.0f, shift = 0.0f;
        ulong codes = 0;
        if (inside) {
          const long g = place(kernels, out, groups, k, a0 / group, column + mine_n);
          scale = s[g];
          shift = b[g];
          codes = words[place(kernels, out, stored, k, a0 / per_word, column + mine_n)];
          if (bits == 8) codes |= (ulong)words[place(kernels, out, stored, k, a0 / 4 + 1, column + mine_n)] << 32;
        }
        UNROLL for (int i = 0; i < 8; ++i)  // nothing is read of the padding
            right[mine_c + i][mine_n] =
                a0 + i < in ? fma(code_value((uint)(codes >> (i * bits)), bits), scale, shift) : 0.0f;
        barrier(CLK_LOCAL_MEM_FENCE);
        MULTIPLY_TILES(left, right, sum);
        barrier(CLK_LOCAL_MEM_FENCE);
      }
    }
  }
  UNROLL for (int i = 0; i < 8; ++i) {
    const long at = first + ROW(i);
    if (at >= rows) continue;
    const long to = sorted ? order[at] : at;
    UNROLL for (int j = 0; j < 8; ++j) {
      const int n = column + COLUMN(j);
      if (n < out) put_float(y, y_type, to * out + n, sum[i][j] + bias[n]);
    }
  }
}

#else  // MMA

#define DEPTH 32  // channels of a step

#include "fragments.cl"

#include "sparse/conv/row_fragments.cl"

// Two halves in a word, each rounded to nearest even.
#ifdef PLUMB_MATRIX_F16
uint halves(float low, float high) {
  uint r;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}
#else
uint halves(float low, float high) { return f16_word(low) | (uint)f16_word(high) << 16; }
#endif

#define PER_WORD (32 / BITS)
#define STEP_WORDS (DEPTH / PER_WORD)  // of one output
#define WORDS_EACH (COLUMNS * STEP_WORDS / ITEMS)

// What a work-item decodes for one step: words of one output, and the scale and the bias of their group.
typedef struct {
  uint word[WORDS_EACH];
  float scale, shift;
} Codes;

Codes fetch(global const uint* words, global const float* s, global const float* b, int chunks, int group, int k,
            int chunk, int t) {
  Codes f;
  const int n = t % COLUMNS;
  const long g = ((long)k * (chunks * DEPTH / group) + chunk * DEPTH / group) * COLUMNS + n;
  f.scale = s[g];
  f.shift = b[g];
  UNROLL for (int j = 0; j < WORDS_EACH; ++j) f.word[j] =
      words[(((long)k * chunks + chunk) * STEP_WORDS + (t + j * ITEMS) / COLUMNS) * COLUMNS + n];
  return f;
}

void decode(local ushort* to, Codes f, int t) {
  UNROLL for (int j = 0; j < WORDS_EACH; ++j) {
    uint pair[PER_WORD / 2];
    UNROLL for (int i = 0; i < PER_WORD / 2; ++i) pair[i] =
        halves(fma(code_value(f.word[j] >> (2 * i * BITS), BITS), f.scale, f.shift),
               fma(code_value(f.word[j] >> ((2 * i + 1) * BITS), BITS), f.scale, f.shift));
    local ushort* at = to + t % COLUMNS * PITCH + (t + j * ITEMS) / COLUMNS * PER_WORD;
#if BITS == 4
    *(local uint4*)at = (uint4)(pair[0], pair[1], pair[2], pair[3]);
#else
    *(local uint2*)at = (uint2)(pair[0], pair[1]);
#endif
  }
}

// Codes are fetched one step before they are decoded. At most 32 kernel rows.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void mma_sorted(
    global const ushort* x, global const uint* words, global const float* s, global const float* b,
    global const float* bias, global void* y, int y_type, int kernels, int chunks, int group, global const int* map,
    global const int* order, long rows) {
  local ushort stage[STAGES * STAGE] __attribute__((aligned(16)));
  local uint met;
  local int list[32];  // the kernel rows that some row of the tile meets
  const int t = get_local_id(0), lane = t % 32, warp = t / 32;
  const long first = (long)get_group_id(0) * ROWS;
  float sum[2][COLUMNS / 8][4];
  CLEAR(sum);
  long owned[LEFT_EACH];  // the output rows whose inputs this work-item copies
  UNROLL for (int j = 0; j < LEFT_EACH; ++j) {
    const long at = first + (t + j * ITEMS) / PIECES;
    owned[j] = at < rows ? order[at] : -1;
  }
  const uint all = kernel_rows_met(&met, map, 0, kernels, first + t < rows ? order[first + t] : -1, 0);
  if (t < 32 && (all >> t & 1)) list[popcount(all & ((1u << t) - 1))] = t;
  barrier(CLK_LOCAL_MEM_FENCE);
  const int steps = popcount(all) * chunks, wide = chunks - 1;  // of one or two chunks
  Codes next = {{0}, 0, 0};
  if (steps > 0) next = fetch(words, s, b, chunks, group, list[0], 0, t);
  for (int step = -(STAGES - 1); step < steps; ++step) {
    if (step >= 0) {
      wait_copies();
      barrier(CLK_LOCAL_MEM_FENCE);  // every copy has arrived, and the buffer of the step before is free
    }
    const int ahead = step + STAGES - 1;
    if (ahead < steps) {  // start a later step
      local ushort* to = stage + ahead % STAGES * STAGE;
      const int k = list[ahead >> wide], chunk = ahead & wide;
      UNROLL for (int j = 0; j < LEFT_EACH; ++j) {
        const int row = (t + j * ITEMS) / PIECES, piece = t % PIECES;
        const long input = owned[j] >= 0 ? map[owned[j] * kernels + k] : -1;
        start_copy(to + row * PITCH + piece * 8, x + (max(input, 0l) * chunks + chunk) * DEPTH + piece * 8, input >= 0);
      }
      decode(to + ROWS * PITCH, next, t);
      if (ahead + 1 < steps) next = fetch(words, s, b, chunks, group, list[(ahead + 1) >> wide], (ahead + 1) & wide, t);
    }
    close_copies();
    if (step < 0) continue;
    const local ushort* now = stage + step % STAGES * STAGE;
    MULTIPLY_TILES(now, now + ROWS * PITCH, sum);
  }
  UNROLL for (int i = 0; i < 4; ++i) {
    const long at = first + warp * 32 + i * 8 + lane / 4;
    if (at >= rows) continue;
    const long to = (long)order[at] * COLUMNS;
    UNROLL for (int n = 0; n < COLUMNS / 8; ++n) UNROLL for (int j = 0; j < 2; ++j) {
      const int c = n * 8 + lane % 4 * 2 + j;
      put_float(y, y_type, to + c, sum[i / 2][n][i % 2 * 2 + j] + bias[c]);
    }
  }
}
#endif  // MMA
#endif  // SETUP
#endif  // QUANTIZE, DEQUANTIZE
