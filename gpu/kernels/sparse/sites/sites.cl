// Rows of coordinates and the table that finds them, for every family that looks sites up.
//
// Coordinates are rows (batch, x, y, z) of int or long (`wide`), computed with as long, wrapping modulo 2^64.
// geometry: size, stride, padding, dilation and centre, three values each.

#define SIZE 0
#define STRIDE 3
#define PADDING 6
#define DILATION 9
#define CENTRE 12

typedef long4 Site;  // batch, x, y, z

long coordinate(global const void* rows, int wide, long at) {
  return wide ? ((global const long*)rows)[at] : (long)((global const int*)rows)[at];
}

Site row_of(global const void* rows, int wide, long i) {
  return (Site)(coordinate(rows, wide, 4 * i), coordinate(rows, wide, 4 * i + 1), coordinate(rows, wide, 4 * i + 2),
                coordinate(rows, wide, 4 * i + 3));
}

int same(Site a, Site b) { return a.x == b.x && a.y == b.y && a.z == b.z && a.w == b.w; }

long floored(long a, long s) { return a / s - (a % s < 0 ? 1 : 0); }

long affine(long c, long scale, long shift) { return (long)((ulong)c * (ulong)scale + (ulong)shift); }

// The kernel index (0..size-1 per axis) of kernel row k.
long4 index_of(int k, constant const long* g) {
  const long z = g[SIZE + 2], y = g[SIZE + 1];
  return (long4)(0, k / (y * z), k / z % y, k % z);
}

// c * stride + (index - centre) * dilation - padding
Site reached(Site c, int k, constant const long* g) {
  const long4 i = index_of(k, g);
  return (Site)(c.x, affine(c.y, g[STRIDE], (i.y - g[CENTRE]) * g[DILATION] - g[PADDING]),
                affine(c.z, g[STRIDE + 1], (i.z - g[CENTRE + 1]) * g[DILATION + 1] - g[PADDING + 1]),
                affine(c.w, g[STRIDE + 2], (i.w - g[CENTRE + 2]) * g[DILATION + 2] - g[PADDING + 2]));
}

// What element e of a table stands for.
#define ROWS 0     // row e
#define FLOORED 1  // row e, divided by the stride
#define REACHED 2  // what row e / K reaches under kernel row e % K

Site site_of(global const void* rows, int wide, long e, int mode, int kernels, constant const long* g) {
  if (mode == REACHED) return reached(row_of(rows, wide, e / kernels), (int)(e % kernels), g);
  const Site c = row_of(rows, wide, e);
  if (mode == ROWS) return c;
  return (Site)(c.x, floored(c.y, g[STRIDE]), floored(c.z, g[STRIDE + 1]), floored(c.w, g[STRIDE + 2]));
}

ulong hash_of(Site s) {
  ulong h = (ulong)s.x * 0x9E3779B97F4A7C15ul + (ulong)s.y;
  h = (h ^ h >> 29) * 0xBF58476D1CE4E5B9ul + (ulong)s.z;
  h = (h ^ h >> 32) * 0x94D049BB133111EBul + (ulong)s.w;
  h = (h ^ h >> 29) * 0xD6E8FEB86659FD93ul;
  return h ^ h >> 32;
}

// table: (row, tag) per slot, row -1 where empty; mask + 1 slots, more than there are elements.
kernel void insert(global const void* rows, int wide, int mode, int kernels, constant const long* g, long n,
                   volatile global int* table, uint mask) {
  const long e = get_global_id(0);
  if (e >= n) return;
  const Site s = site_of(rows, wide, e, mode, kernels, g);
  const ulong h = hash_of(s);
  for (uint slot = (uint)h & mask;; slot = (slot + 1) & mask) {
    const int old = atomic_cmpxchg(&table[2 * (ulong)slot], -1, (int)e);
    if (old == -1) {
      table[2 * (ulong)slot + 1] = (int)(h >> 32);
      return;
    }
    if (same(site_of(rows, wide, old, mode, kernels, g), s)) {
      atomic_min(&table[2 * (ulong)slot], (int)e);
      return;
    }
  }
}

int find(Site s, global const void* rows, int wide, int mode, int kernels, constant const long* g,
         global const int2* table, uint mask) {
  const ulong h = hash_of(s);
  for (uint slot = (uint)h & mask;; slot = (slot + 1) & mask) {
    const int2 entry = table[slot];
    if (entry.x < 0) return -1;
    if (entry.y == (int)(h >> 32) && same(site_of(rows, wide, entry.x, mode, kernels, g), s)) return entry.x;
  }
}

void store_site(global void* out, int wide, long o, Site s) {
  if (wide) {
    vstore4(s, o, (global long*)out);
  } else {
    vstore4(convert_int4(s), o, (global int*)out);
  }
}
