// Kernel offsets, the permutation of positions, and dense views of relations: masks of a map, and a map whose rows are
// sorted by mask. The map itself is made by relation.cl, the order of rows by sort.cl.

#include "sparse/sites/sites.cl"

// One work-item per kernel row. first: the offset of index 0 on each axis.
kernel void list_offsets(global int* offsets, long rows, int y, int z, long first_x, long first_y, long first_z,
                         long step_x, long step_y, long step_z) {
  const long k = get_global_id(0);
  if (k >= rows) return;
  const long3 f = (long3)(first_x + k / z / y * step_x, first_y + k / z % y * step_y, first_z + k % z * step_z);
  vstore3(convert_int3(f), k, offsets);
}

long3 position_of(global const void* rows, int wide, long i) {
  return (long3)(coordinate(rows, wide, 3 * i), coordinate(rows, wide, 3 * i + 1), coordinate(rows, wide, 3 * i + 2));
}

int equal(long3 a, long3 b) { return a.x == b.x && a.y == b.y && a.z == b.z; }

uint slot_of(long3 p) {
  ulong h = (ulong)p.x * 0x9E3779B97F4A7C15ul + (ulong)p.y;
  h = (h ^ h >> 29) * 0xBF58476D1CE4E5B9ul + (ulong)p.z;
  h = (h ^ h >> 32) * 0x94D049BB133111EBul;
  return (uint)(h ^ h >> 29);
}

// table: a row per slot or -1; more slots than rows. wrong is set where a position repeats.
kernel void insert_positions(global const void* rows, int wide, long n, volatile global int* table, uint mask,
                             global int* wrong) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const long3 p = position_of(rows, wide, i);
  for (uint slot = slot_of(p) & mask;; slot = (slot + 1) & mask) {
    const int old = atomic_cmpxchg(&table[slot], -1, (int)i);
    if (old < 0) return;
    if (equal(position_of(rows, wide, old), p)) {
      *wrong = 1;
      return;
    }
  }
}

// permutation[t] = the row of target[t]; wrong is set where there is none, or two targets have the same.
kernel void find_positions(global const void* rows, global const void* target, int wide, long n,
                           global const int* table, uint mask, volatile global int* taken, global int* permutation,
                           global int* wrong) {
  const long t = get_global_id(0);
  if (t >= n) return;
  const long3 p = position_of(target, wide, t);
  int row;
  for (uint slot = slot_of(p) & mask;; slot = (slot + 1) & mask) {
    row = table[slot];
    if (row < 0 || equal(position_of(rows, wide, row), p)) break;
  }
  permutation[t] = row;
  if (row < 0 || atomic_xchg(&taken[row], 1) != 0) *wrong = 1;
}

// One work-item per row and word: hands out the map with its bits, and counts them.
#define GROUP 128

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void mask_rows(global const int* map, long rows, int kernels,
                                                                         int words, global int* out, global int* masks,
                                                                         volatile global int* counts) {
  local int total;
  if (get_local_id(0) == 0) total = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  const long e = get_global_id(0);
  if (e < rows * words) {
    const long row = e / words;
    const int first = (int)(e % words) * 32, last = min(kernels, first + 32);
    uint bits = 0;
    for (int k = first; k < last; ++k) {
      const int in = map[row * kernels + k];
      out[row * kernels + k] = in;
      bits |= (uint)(in >= 0) << (k - first);
    }
    masks[e] = (int)bits;
    atomic_add(&total, (int)popcount(bits));
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (get_local_id(0) == 0 && total > 0) atomic_add(counts, total);
}

// Keys in the order of signed masks, and the rows as they are.
kernel void key_rows(global const int* map, long rows, int kernels, global uint* key, global uint* index) {
  const long o = get_global_id(0);
  if (o >= rows) return;
  uint bits = kernels == 32 ? 0x80000000 : 0;
  for (int k = 0; k < kernels; ++k) bits ^= (uint)(map[o * kernels + k] >= 0) << k;
  key[o] = bits;
  index[o] = (uint)o;
}

// One work-group per 64 sorted rows: the rows, their transpose, and the bits of each 16 of them.
#define TILE 64
#define MOST 32

kernel __attribute__((reqd_work_group_size(256, 1, 1))) void gather_tiles(global const int* map,
                                                                          global const int* order, long rows,
                                                                          int kernels, global int* sorted,
                                                                          global int* columns, global int* tiles) {
  local int part[TILE * (MOST + 1)];
  local uint bits[TILE];
  const int t = get_local_id(0);
  const long first = (long)get_group_id(0) * TILE;
  const int here = (int)min((long)TILE, rows - first);
  if (t < TILE) bits[t] = 0;
  for (int i = t; i < here * kernels; i += 256) {
    const int in = map[(long)order[first + i / kernels] * kernels + i % kernels];
    part[i / kernels * (MOST + 1) + i % kernels] = in;
    sorted[first * kernels + i] = in;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = t; i < TILE * kernels; i += 256)
    if (i % TILE < here) columns[i / TILE * rows + first + i % TILE] = part[i % TILE * (MOST + 1) + i / TILE];
  if (t < here)
    for (int k = 0; k < kernels; ++k) bits[t] |= (uint)(part[t * (MOST + 1) + k] >= 0) << k;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (t < 4) {
    uint any = 0;
    for (int r = 0; r < TILE / 4; ++r) any |= bits[t * (TILE / 4) + r];
    tiles[get_group_id(0) * 4 + t] = (int)any;
  }
}
