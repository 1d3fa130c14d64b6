// Quantization of f16, bf16 and f32, whose dtypes are arguments; all arithmetic is f32.

#include "element.cl"

#include "quant/codes.cl"

// Elements that lie aligned.
static inline void put8(global void* p, int type, long i, float8 v) {
  if (type == f32) put8_f32((global float*)p, i, v);
  else if (type == f16) put8_f16((global ushort*)p, i, v);
  else put8_bf16((global ushort*)p, i, v);
}

#if PLUMB_FP64
static inline int is_finite(float x) { return (as_uint(x) & 0x7F800000u) != 0x7F800000u; }

// Correctly rounded: the quotient of two floats, rounded to 53 bits and then to 24, is rounded as if once.
static inline float divide(float a, float b) { return (float)((double)a / (double)b); }

// Scale and bias of a group of numbers from low to high; *good falls where the scale is none.
static inline float2 affine_of(float low, float high, int bits, int type, int* good) {
  // Differences are taken of halves, which never overflow; what halving loses of subnormal numbers is far below the
  // least step, 1e-7.
  const float n = (float)((1 << bits) - 1);
  float s = 2.0f * divide(0.5f * high - 0.5f * low, n), b = low;
  s = s > 1e-7f ? s : 1e-7f;
  *good &= is_finite(float_rounded(type, s));
  if (bits > 1) {
    const bool from_low = fabs(low) > fabs(high);
    const float e = from_low ? low : high;
    if (!from_low) s = -s;
    const float q0 = rint(divide(e, s));
    b = q0 != 0 ? e : 0;
    // Of nearly equal numbers: float32 holds them, but not their number of steps.
    if (isinf(q0)) s = divide(e * 0x1p-64f, divide(e * 0x1p-64f, s));
    else if (q0 != 0) s = divide(e, q0);
  }
  return (float2)(s, b);
}

// One work-group takes 64 x 32 numbers, one work-item 32 of them: a group is 1, 2 or 4 neighbours.
#define ITEMS 64
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void quantize(global const void* w, int type,
                                                                        global uint* codes, global void* scales,
                                                                        global void* biases, int bits, int units,
                                                                        long total) {
  local float values[ITEMS * 33];  // 32 numbers and a gap, so that neighbours meet different banks
  local float lows[ITEMS], highs[ITEMS];
  local int finite[ITEMS];
  const int id = get_local_id(0);
  const long base = (long)get_group_id(0) * (ITEMS * 32), first = base + id * 32;
  for (int i = id; i < ITEMS * 32; i += ITEMS)
    if (base + i < total) values[i + i / 32] = real_at(w, type, base + i);
  barrier(CLK_LOCAL_MEM_FENCE);
  local const float* mine = values + id * 33;
  const bool inside = first < total;
  if (inside) {
    float low = mine[0], high = mine[0];
    int all = is_finite(low);
    for (int i = 1; i < 32; ++i) {
      low = mine[i] < low ? mine[i] : low;
      high = mine[i] > high ? mine[i] : high;
      all &= is_finite(mine[i]);
    }
    lows[id] = low, highs[id] = high, finite[id] = all;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (!inside) return;
  const int leader = id / units * units;
  float low = lows[leader], high = highs[leader];
  int good = finite[leader];
  for (int i = 1; i < units; ++i) {
    low = lows[leader + i] < low ? lows[leader + i] : low;
    high = highs[leader + i] > high ? highs[leader + i] : high;
    good &= finite[leader + i];
  }
  const float n = (float)((1 << bits) - 1);
  const float2 affine = affine_of(low, high, bits, type, &good);
  const float s = affine.x, b = affine.y;
  const long unit = first / 32;
  if (id == leader) {
    put_float(scales, type, unit / units, good ? s : NAN);
    put_float(biases, type, unit / units, good ? b : NAN);
  }
  ulong packed = 0;
  int filled = 0;
  global uint* word = codes + unit * bits;
  for (int i = 0; i < 32; ++i) {
    float q = good ? rint(divide(0.5f * mine[i] - 0.5f * b, 0.5f * s)) : 0.0f;
    q = q < n ? q : n;
    packed |= (ulong)(q > 0 ? (uint)q : 0u) << filled;
    filled += bits;
    if (filled >= 32) {
      *word++ = (uint)packed;
      packed >>= 32;
      filled -= 32;
    }
  }
}
#endif

// w = round(round(code s) + b) in `type`, then rounded to `to`; one work-item takes 8 codes.
kernel __attribute__((reqd_work_group_size(64, 1, 1))) void dequantize(global const uint* codes, global const void* s,
                                                                       global const void* b, int type, global void* w,
                                                                       int to, int bits, int group, long units) {
  const long unit = get_global_id(0);
  if (unit >= units) return;
  const ulong v = eight_codes(codes, unit, bits);
  const long g = unit * 8 / group;
  const float scale = real_at(s, type, g), bias = real_at(b, type, g);
  float w8[8];
  for (int i = 0; i < 8; ++i) {
    const float product = float_rounded(type, code_value(v, i, bits) * scale);
    w8[i] = float_rounded(type, product + bias);
  }
  put8(w, to, unit * 8, (float8)(w8[0], w8[1], w8[2], w8[3], w8[4], w8[5], w8[6], w8[7]));
}

// w = element scale, in float32 where there is a global scale, whose `factor` multiplies the scale, else in `to`; one
// work-item takes 8 codes.
kernel __attribute__((reqd_work_group_size(64, 1, 1))) void dequantize_blocks(global const uint* codes,
                                                                              global const uchar* s, global void* w,
                                                                              int to, int bits, int group, int mode,
                                                                              int wide, float factor, long units) {
  const long unit = get_global_id(0);
  if (unit >= units) return;
  const ulong v = eight_codes(codes, unit, bits);
  float scale = scale_byte(s, unit * 8 / group, mode);
  scale = wide ? scale * factor : float_rounded(to, scale);
  float w8[8];
  for (int i = 0; i < 8; ++i) w8[i] = element_of(v, i, bits) * scale;
  put8(w, to, unit * 8, (float8)(w8[0], w8[1], w8[2], w8[3], w8[4], w8[5], w8[6], w8[7]));
}

#if PLUMB_FP64
static inline uint to_e4m3(float y) {
  const float a = fabs(y);
  const uint b = as_uint(a), sign = as_uint(y) >> 31 << 7;
  if (!(a < 448.0f)) return sign | 0x7Eu;
  if (a < 0x1p-6f) return sign | (as_uint(a * 512.0f + 0x1p23f) & 15u);
  return sign | ((b + 0x7FFFFu + (b >> 20 & 1u)) >> 20) - (120u << 3);
}

// The E2M1 number at the least distance, which is rounded to `type`; of equals the smallest magnitude, 0
// without its sign.
static inline uint to_e2m1(float y, int type) {
  const float magnitude[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  const float a = fabs(y);
  float least = a;
  uint best = 0;
  for (uint code = 1; code < 8; ++code) {
    const float distance = fabs(float_rounded(type, a - magnitude[code]));
    if (distance < least) least = distance, best = code;
  }
  return best == 0 ? 0 : best | as_uint(y) >> 31 << 3;
}

// k = ceil(log2 r), the logarithm rounded to `type`, as a byte.
static inline uint power_of_two(float r, int type) {
  if (r == 0) return 127;
  const double l = log2((double)r);
  const float k = ceil(type == f16 ? f16_from_f64(l) : type == bf16 ? bf16_from_f64(l) : (float)l);
  return (uint)((int)clamp(k, -127.0f, 127.0f) + 127);
}

// One work-item takes one group, whose numbers wait in local memory: 32 or 16 of them.
#define BLOCKS 64
kernel __attribute__((reqd_work_group_size(BLOCKS, 1, 1))) void quantize_blocks(global const void* w, int type,
                                                                                global uint* codes,
                                                                                global uchar* scales, int bits,
                                                                                int group, int mode, int wide, float g,
                                                                                long groups) {
  local float values[BLOCKS * 33];
  const int id = get_local_id(0);
  const long base = (long)get_group_id(0) * BLOCKS, mine = base + id;
  for (int i = id; i < BLOCKS * group; i += BLOCKS)
    if (base * group + i < groups * group) values[i / group * 33 + i % group] = real_at(w, type, base * group + i);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (mine >= groups) return;
  local float* v = values + id * 33;
  float largest = 0;
  int good = 1;
  for (int i = 0; i < group; ++i) largest = fmax(largest, fabs(v[i])), good &= is_finite(v[i]);
  const float r = float_rounded(type, divide(largest, bits == 8 ? 448.0f : 6.0f)), relative = wide ? r * g : r;
  good &= is_finite(relative);
  uint byte = mode == nvfp4 ? to_e4m3(relative) : power_of_two(r, type);
  const float scale = mode == nvfp4 ? e4m3(byte) : e8m0(byte);
  for (int i = 0; i < group && good && scale != 0; ++i) {
    v[i] = float_rounded(type, divide(v[i], scale));
    if (wide) v[i] *= g;
    good &= is_finite(v[i]);
  }
  scales[mine] = good ? byte : mode == nvfp4 ? 0x7F : 0xFF;
  const int each = 32 / bits, some = good && scale != 0;
  for (int word = 0; word < group / each; ++word) {
    uint packed = 0;
    for (int i = 0; i < each && some; ++i) {
      const float y = v[word * each + i];
      packed |= (bits == 8 ? to_e4m3(y) : to_e2m1(y, wide ? f32 : type)) << (i * bits);
    }
    codes[mine * (group / each) + word] = packed;
  }
}
#endif
