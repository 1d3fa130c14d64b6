// Points and voxels on the device. Voxels are the distinct sites of points, found by a table whose slots settle on the
// lowest point; sums run over lists of points or corners in ascending order: all outputs repeat.
//
// A point's position is one float32 subtraction and one correctly rounded division: the routes require the device to
// have it. Sites are rows (batch, x, y, z) of int.

#include "sparse/sites/sites.cl"

int4 site_at(global const int* sites, long i) { return vload4(i, sites); }

// e / n; in 32 bits where they fit, which is several times as fast
long quotient(long e, long n) { return (e | n) >> 32 ? e / n : (long)((uint)e / (uint)n); }

int equal(int4 a, int4 b) { return all(a == b); }

ulong site_hash(int4 s) { return hash_of(convert_long4(s)); }

float position(global const float* points, long i, int axis, float origin, float size) {
  const float moved = points[3 * i + axis] - origin;
  return moved / size;
}

// floor(u) that saturates; u is finite
int floor_of(float u) {
  const float l = floor(u);
  return l >= 0x1p31f ? INT_MAX : l < -0x1p31f ? INT_MIN : (int)l;
}

kernel void locate(global const float* points, global const int* batch, float ox, float oy, float oz, float sx,
                   float sy, float sz, long n, global int* sites, global int* valid) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const float x = position(points, i, 0, ox, sx), y = position(points, i, 1, oy, sy);
  const float z = position(points, i, 2, oz, sz);
  valid[i] = isfinite(x) && isfinite(y) && isfinite(z);
  if (valid[i]) vstore4((int4)(batch[i], floor_of(x), floor_of(y), floor_of(z)), i, sites);
}

// table: a row per slot, -1 where empty; mask + 1 slots, more than there are rows. checked: only rows that are valid.
kernel void insert_sites(global const int* sites, int checked, global const int* valid, long n,
                         volatile global int* table, uint mask) {
  const long i = get_global_id(0);
  if (i >= n || (checked && !valid[i])) return;
  const int4 s = site_at(sites, i);
  for (uint slot = (uint)site_hash(s) & mask;; slot = (slot + 1) & mask) {
    const int old = atomic_cmpxchg(&table[slot], -1, (int)i);
    if (old == -1) return;
    if (equal(site_at(sites, old), s)) {
      atomic_min(&table[slot], (int)i);
      return;
    }
  }
}

int row_at(int4 s, global const int* sites, global const int* table, uint mask) {
  for (uint slot = (uint)site_hash(s) & mask;; slot = (slot + 1) & mask) {
    const int row = table[slot];
    if (row < 0 || equal(site_at(sites, row), s)) return row;
  }
}

// first[i] = the lowest point of i's voxel, or -1; flag[i] = whether that is i
kernel void first_points(global const int* sites, global const int* valid, long n, global const int* table, uint mask,
                         global int* first, global int* flag) {
  const long i = get_global_id(0);
  if (i >= n) return;
  first[i] = valid[i] ? row_at(site_at(sites, i), sites, table, mask) : -1;
  flag[i] = first[i] == i;
}

// number is the scan of flag; counts are zero before
kernel void store_voxels(global const int* sites, long n, long capacity, global const int* first,
                         global const int* number, global int* coords, global int* voxels, global int* rows,
                         global int* counts) {
  const long i = get_global_id(0);
  if (i == 0) voxels[0] = number[n];
  if (i >= capacity) return;
  const int at = i < n ? first[i] : -1;
  rows[i] = at < 0 ? -1 : number[at];
  if (at < 0) return;
  atomic_inc(&counts[number[at]]);
  if (at == i) vstore4(site_at(sites, i), number[at], coords);
}

// degree[key[e]] += 1 for the keys within [0, groups)
kernel void count_members(global const int* key, long n, long groups, global int* degree) {
  const long e = get_global_id(0);
  if (e < n && key[e] >= 0 && key[e] < groups) atomic_inc(&degree[key[e]]);
}

// ids of a group's members, in any order: sort_groups follows
kernel void place_members(global const int* key, long n, long groups, global int* cursor, global int* ids) {
  const long e = get_global_id(0);
  if (e < n && key[e] >= 0 && key[e] < groups) ids[atomic_inc(&cursor[key[e]])] = (int)e;
}

// out[v] = the sum of the points of v, in order; the mean is (sum of f s) / (n s), where the power of two s keeps
// the sum from overflowing and changes no rounding
kernel void sum_points(global const float* features, long channels, global const int* offsets, global const int* ids,
                       global const int* voxels, long capacity, int mean, global float* out) {
  const long e = get_global_id(0);
  if (e >= capacity * channels) return;
  const long v = quotient(e, channels), c = e - v * channels;
  if (v >= voxels[0]) return;
  const int begin = offsets[v], end = offsets[v + 1];
  const float s = mean && end - begin > 1 ? as_float((127 - (32 - (int)clz(end - begin - 1))) << 23) : 1.0f;
  float least = features[(long)ids[begin] * channels + c], most = least, sum = least * s;
  for (int k = begin + 1; k < end; ++k) {
    const float v = features[(long)ids[k] * channels + c];
    sum += v * s;
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  const float m = sum / ((float)(end - begin) * s);  // rounding may leave the range of the values
  out[e] = mean ? (m < least ? least : m > most ? most : m) : sum;
}

kernel void spread_gradient(global const float* gradient, long given, long channels, global const int* rows,
                            global const int* counts, int mean, long capacity, global float* out) {
  const long e = get_global_id(0);
  if (e >= capacity * channels) return;
  const long i = quotient(e, channels);
  const int row = rows[i];
  const float g = row >= 0 && row < given ? gradient[row * channels + e - i * channels] : 0.0f;
  out[e] = mean && row >= 0 ? g / (float)counts[row] : g;
}

// One corner of one point: its row among the voxels or -1, and its weight.
kernel void map_corners(global const float* points, global const int* batch, float ox, float oy, float oz, float sx,
                        float sy, float sz, long n, long capacity, int nearest, global const int* sites,
                        global const int* table, uint mask, global int* rows, global float* weights) {
  const long e = get_global_id(0);
  if (e >= capacity * 8) return;
  const long i = e / 8;
  const int j = (int)(e % 8), bx = j & 1, by = j >> 1 & 1, bz = j >> 2;
  rows[e] = -1;
  weights[e] = 0.0f;
  if (i >= n || (nearest && j > 0)) return;
  const float x = position(points, i, 0, ox, sx), y = position(points, i, 1, oy, sy);
  const float z = position(points, i, 2, oz, sz);
  if (!isfinite(x) || !isfinite(y) || !isfinite(z)) return;
  const float half_way = nearest ? 0.5f : 0.0f;
  const int4 l = (int4)(batch[i], floor_of(x + half_way), floor_of(y + half_way), floor_of(z + half_way));
  if ((bx && l.y == INT_MAX) || (by && l.z == INT_MAX) || (bz && l.w == INT_MAX)) return;
  const int row = row_at(l + (int4)(0, bx, by, bz), sites, table, mask);
  if (row < 0) return;
  rows[e] = row;
  const float fx = x - floor(x), fy = y - floor(y), fz = z - floor(z);
  weights[e] = nearest ? 1.0f : (bx ? fx : 1.0f - fx) * (by ? fy : 1.0f - fy) * (bz ? fz : 1.0f - fz);
}

kernel void interpolate(global const float* features, long count, long channels, global const int* rows,
                        global const float* weights, long points, global float* out) {
  const long e = get_global_id(0);
  if (e >= points * channels) return;
  const long i = quotient(e, channels), c = e - i * channels;
  float sum = 0.0f;
  for (int j = 0; j < 8; ++j) {
    const int row = rows[8 * i + j];
    if (row >= 0 && row < count) sum = fma(weights[8 * i + j], features[row * channels + c], sum);
  }
  out[e] = sum;
}

// out[v] = the weighted sum of the corners of v, in order
kernel void sum_corners(global const float* gradient, long channels, global const int* offsets, global const int* ids,
                        global const float* weights, long voxels, global float* out) {
  const long e = get_global_id(0);
  if (e >= voxels * channels) return;
  const long v = quotient(e, channels), c = e - v * channels;
  float sum = 0.0f;
  for (int k = offsets[v]; k < offsets[v + 1]; ++k)
    sum = fma(weights[ids[k]], gradient[ids[k] / 8 * channels + c], sum);
  out[e] = sum;
}
