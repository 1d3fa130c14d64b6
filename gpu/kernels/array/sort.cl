// Stable argsort of lines: radix sort with 8-bit digits, and a bitonic network for lines that fit one group.
//
// Options of `network`: POINTS, a power of two; LINES per work-group; WIDE for keys of 64 bits.
//
// Radix: elements are pairs (a 32-bit window of the key, index). A line of n is cut into tiles of TILE.
//
//   count     tile -> how many of each digit                        counts[line][digit][tile]
//   scan      row of counts of one digit -> exclusive sums, total   totals[line][digit]
//   scatter   tile sorted by digit in local memory, then written where the sums say
//
// Every step keeps the order of equal digits: no atomics decide a place.

#include "element.cl"

#define GROUP 256
#ifndef ITEMS  // small limits: see sort.cpp
#define ITEMS 8
#define STEP GROUP  // sums that a work-group makes at once
#endif
#define TILE (GROUP * ITEMS)
#define DIGITS 256

// ---- Keys: unsigned integers in the order of the values, equal exactly for equal values ----

// Of a float's word: every NaN is the greatest key, both zeros are the one in the middle.
ulong float_key(const ulong x, const ulong top, const ulong infinity) {
  const ulong all = top | (top - 1), magnitude = x & (top - 1);
  if (magnitude > infinity) return all;
  if (magnitude == 0) return top;
  return (x & top) ? ~x & all : x | top;
}

// The real part decides before the imaginary; NaN in either is the greatest.
ulong complex_key(const ulong x) {
  const ulong all = 0xFFFFFFFF;
  const ulong re = float_key(x & all, 0x80000000, 0x7F800000), im = float_key(x >> 32, 0x80000000, 0x7F800000);
  return re == all || im == all ? ~(ulong)0 : re << 32 | im;
}

// Element i of a line, whose elements lie `inner` apart in a dense array.
ulong key_at(__global const void* x, const int type, const long line, const long i, const long n, const long inner) {
  const long at = (line / inner * n + i) * inner + line % inner;
  switch (type) {
    case boolean: return at_boolean(x, at) != 0;
    case u8:
    case u16:
    case u32:
    case u64: return whole_at(x, type, at);
    case i8: return at_u8(x, at) ^ 0x80;
    case i16: return at_u16(x, at) ^ 0x8000;
    case i32: return at_u32(x, at) ^ 0x80000000;
    case i64: return at_u64(x, at) ^ (ulong)1 << 63;
    case f16: return float_key(at_u16(x, at), 0x8000, 0x7C00);
    case bf16: return float_key(at_u16(x, at), 0x8000, 0x7F80);
    case f32: return float_key(at_u32(x, at), 0x80000000, 0x7F800000);
    case f64: return float_key(at_u64(x, at), (ulong)1 << 63, 0x7FF0000000000000);
    default: return complex_key(at_u64(x, at));
  }
}

// The low 32 bits of every key, with its index; lines one after another.
__kernel void keys(__global const void* x, __global uint* key, __global uint* index, const int type, const long n,
                   const long inner, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  key[e] = (uint)key_at(x, type, e / n, e % n, n, inner);
  index[e] = (uint)(e % n);
}

// Exchanges the low window of every key for the high one.
__kernel void high_keys(__global const void* x, __global uint* key, __global const uint* index, const int type,
                        const long n, const long inner, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  key[e] = (uint)(key_at(x, type, e / n, index[e], n, inner) >> 32);
}

// to[j] = from[i] of words of `bytes` bytes.
void move_word(__global const void* from, const long i, __global void* to, const long j, const int bytes) {
  switch (bytes) {
    case 1: ((__global uchar*)to)[j] = ((__global const uchar*)from)[i]; break;
    case 2: ((__global ushort*)to)[j] = ((__global const ushort*)from)[i]; break;
    case 4: ((__global uint*)to)[j] = ((__global const uint*)from)[i]; break;
    default: ((__global ulong*)to)[j] = ((__global const ulong*)from)[i];
  }
}

// The last `kept` elements of every line in a given order; elements are words of `bytes` bytes.
__kernel void take_ordered(__global const void* x, __global const uint* order, __global void* out, const int bytes,
                           const long n, const long kept, const long inner, const long total) {
  const long e = get_global_id(0);
  if (e >= total) return;
  const long first = e / inner / kept * n, place = first + n - kept + e / inner % kept;
  move_word(x, (first + order[place * inner + e % inner]) * inner + e % inner, out, e, bytes);
}

__kernel void take_all(__global const void* x, __global void* out, const int bytes, const long total) {
  const long e = get_global_id(0);
  if (e < total) move_word(x, e, out, e, bytes);
}

// ---- A bitonic network: a work-group sorts LINES lines of n <= POINTS, padded with what sorts last ----

#ifdef POINTS
#define HALF (POINTS / 2)

__kernel __attribute__((reqd_work_group_size(LINES * HALF, 1, 1))) void network(__global const void* x,
                                                                                __global uint* out, const int type,
                                                                                const long n, const long inner,
                                                                                const long lines) {
  __local ulong keys_of[LINES * POINTS];
#ifdef WIDE
  __local uint indices_of[LINES * POINTS];
  __local uint* index = indices_of + get_local_id(0) / HALF * POINTS;
#endif
  __local ulong* key = keys_of + get_local_id(0) / HALF * POINTS;
  const uint t = get_local_id(0) % HALF;
  const long line = (long)get_group_id(0) * LINES + get_local_id(0) / HALF;
  const long here = line < lines ? n : 0;
  for (uint i = t; i < POINTS; i += HALF) {
    const ulong k = i < here ? key_at(x, type, line, i, n, inner) : ~(ulong)0;
#ifdef WIDE
    key[i] = k;
    index[i] = i;
#else
    key[i] = k << 32 | i;
#endif
  }
  for (uint size = 2; size <= POINTS; size *= 2) {
    for (uint stride = size / 2; stride > 0; stride /= 2) {
      barrier(CLK_LOCAL_MEM_FENCE);
      const uint a = 2 * t - (t & (stride - 1)), b = a + stride;
      const ulong ka = key[a], kb = key[b];
      bool above = ka > kb;
#ifdef WIDE
      const uint ia = index[a], ib = index[b];
      above = above || (ka == kb && ia > ib);
#endif
      if (above == ((a & size) == 0)) {
        key[a] = kb;
        key[b] = ka;
#ifdef WIDE
        index[a] = ib;
        index[b] = ia;
#endif
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint i = t; i < here; i += HALF) {
#ifdef WIDE
    const uint from = index[i];
#else
    const uint from = (uint)key[i];
#endif
    out[(line / inner * n + i) * inner + line % inner] = from;
  }
}
#endif

// ---- Radix passes ----

// Exclusive sums over the group of one value per work-item; *total their sum. Sums of 16, then over those.
#define SIDE 16
#define ROOM (GROUP + 2 * SIDE)
#define CELL(i) ((i) + ((i) >> 4))
uint group_scan(__local uint* room, const uint value, uint* total) {
  const uint t = get_local_id(0);
  __local uint* sums = room + GROUP + SIDE;
  room[CELL(t)] = value;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (t < SIDE) {
    uint sum = 0;
    for (uint i = CELL(t * SIDE); i < CELL(t * SIDE) + SIDE; ++i) {
      const uint v = room[i];
      room[i] = sum;
      sum += v;
    }
    sums[t] = sum;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (t == 0) {
    for (uint i = 1; i < SIDE; ++i) sums[i] += sums[i - 1];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const uint before = room[CELL(t)] + (t < SIDE ? 0 : sums[t / SIDE - 1]);
  *total = sums[SIDE - 1];
  barrier(CLK_LOCAL_MEM_FENCE);
  return before;
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void count(__global const uint* key, __global uint* counts,
                                                                       const long n, const int tiles, const int shift) {
  __local uint seen[DIGITS];
  const uint t = get_local_id(0);
  const long line = get_group_id(0) / tiles, tile = get_group_id(0) % tiles;
  seen[t] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (long i = tile * TILE + t; i < min(n, (tile + 1) * TILE); i += GROUP) {
    atomic_inc(&seen[key[line * n + i] >> shift & (DIGITS - 1)]);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  counts[(line * DIGITS + t) * tiles + tile] = seen[t];
}

// The same sums for few tiles: one work-item per line and digit.
__kernel void scan_few(__global uint* counts, __global uint* totals, const int tiles, const long rows) {
  const long r = get_global_id(0);
  if (r >= rows) return;
  uint before = 0;
  for (long i = r * tiles; i < (r + 1) * tiles; ++i) {
    const uint value = counts[i];
    counts[i] = before;
    before += value;
  }
  totals[r] = before;
}

// One group per line and digit.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void scan(__global uint* counts, __global uint* totals,
                                                                      const int tiles) {
  __local uint room[ROOM];
  const uint t = get_local_id(0);
  __global uint* row = counts + (long)get_group_id(0) * tiles;
  uint before = 0;
  for (int first = 0; first < tiles; first += STEP) {
    const int i = first + (int)t;
    const bool mine = t < STEP && i < tiles;
    const uint value = mine ? row[i] : 0;
    uint sum;
    const uint at = group_scan(room, value, &sum);
    if (mine) row[i] = before + at;
    before += sum;
  }
  if (t == 0) totals[get_group_id(0)] = before;
}

// Places of this work-item's ITEMS digits of 4 bits in the tile, stable. `bins` holds 16 GROUP counters, one
// column per work-item, padded so that neither rows nor columns meet in one bank.
#define BIN(i) ((i) + ((i) >> 4))
void rank_nibbles(__local uint* bins, __local uint* room, const uint* nibble, uint* place) {
  const uint t = get_local_id(0);
  for (uint d = 0; d < 16; ++d) bins[BIN(d * GROUP + t)] = 0;
  for (uint k = 0; k < ITEMS; ++k) {
    const uint bin = BIN(nibble[k] * GROUP + t);
    place[k] = bins[bin];
    bins[bin] = place[k] + 1;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  uint sum = 0, total;
  for (uint d = 0; d < 16; ++d) sum += bins[BIN(16 * t + d)];
  uint before = group_scan(room, sum, &total);
  for (uint d = 0; d < 16; ++d) {
    const uint c = bins[BIN(16 * t + d)];
    bins[BIN(16 * t + d)] = before;
    before += c;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint k = 0; k < ITEMS; ++k) place[k] += bins[BIN(nibble[k] * GROUP + t)];
  barrier(CLK_LOCAL_MEM_FENCE);
}

// `last`: only the indices are written, to their places in the result.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void scatter(
    __global const uint* key, __global const uint* index, __global uint* key_out, __global uint* index_out,
    __global const uint* counts, __global const uint* totals, const long n, const int tiles, const int shift,
    const int last, const long inner) {
  __local uint tile_key[TILE + TILE / 32], tile_index[TILE + TILE / 32];
  __local uint bins[16 * GROUP + GROUP], room[ROOM], start[DIGITS], to[DIGITS];
  const uint t = get_local_id(0);
  const long line = get_group_id(0) / tiles, tile = get_group_id(0) % tiles;
  const long first = tile * TILE;
  const uint here = (uint)min((long)TILE, n - first);
  uint k[ITEMS], v[ITEMS], nibble[ITEMS], place[ITEMS], sum;
#define AT(p) ((p) + ((p) >> 5))
  for (uint i = t; i < TILE; i += GROUP) {  // beyond the end: the greatest digit, behind everything
    tile_key[AT(i)] = i < here ? key[line * n + first + i] : 0xFFFFFFFF;
    tile_index[AT(i)] = i < here ? index[line * n + first + i] : 0;
  }
  start[t] = 0;
  to[t] = group_scan(room, totals[line * DIGITS + t], &sum) + counts[(line * DIGITS + t) * tiles + tile];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_digit = 0; half_digit < 2; ++half_digit) {
    for (uint i = 0; i < ITEMS; ++i) {
      const uint p = t * ITEMS + i;
      k[i] = tile_key[AT(p)];
      v[i] = tile_index[AT(p)];
      nibble[i] = k[i] >> (shift + 4 * half_digit) & 15;
    }
    rank_nibbles(bins, room, nibble, place);
    for (uint i = 0; i < ITEMS; ++i) {
      tile_key[AT(place[i])] = k[i];
      tile_index[AT(place[i])] = v[i];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (uint p = t; p < TILE; p += GROUP) {  // where each digit begins in the sorted tile
    const uint digit = tile_key[AT(p)] >> shift & (DIGITS - 1);
    if (p > 0 && digit != (tile_key[AT(p - 1)] >> shift & (DIGITS - 1))) start[digit] = p;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint p = t; p < here; p += GROUP) {
    const uint word = tile_key[AT(p)], digit = word >> shift & (DIGITS - 1);
    const long place_out = (long)to[digit] + (p - start[digit]);
    if (last) {
      index_out[(line / inner * n + place_out) * inner + line % inner] = tile_index[AT(p)];
    } else {
      key_out[line * n + place_out] = word;
      index_out[line * n + place_out] = tile_index[AT(p)];
    }
  }
}
