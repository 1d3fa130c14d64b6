// Distinct values of an array whose elements have been ordered (sort.cl): groups of equal ones begin where a key is
// another than the one before, or none at all (NaN). The order is cut into tiles of TILE.
//
//   count_groups   tile -> how many groups begin in it               counts[tile], summed up by `scan` of sort.cl
//   place_groups   each element's group; the first of a group is its value
//   finish_groups  how many a group has; what lies beyond the last one

#include "array/sort.cl"

bool begins(__global const void* x, const int type, __global const uint* order, const long p, const long n) {
  if (p == 0) return true;
  const ulong key = key_at(x, type, 0, order[p], n, 1);
  ulong none;
  switch (type) {
    case f16:
    case bf16: none = 0xFFFF; break;
    case f32: none = 0xFFFFFFFF; break;
    case f64:
    case c64: none = ~(ulong)0; break;
    default: return key != key_at(x, type, 0, order[p - 1], n, 1);
  }
  return key == none || key != key_at(x, type, 0, order[p - 1], n, 1);
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void count_groups(__global const void* x, const int type,
                                                                              __global const uint* order,
                                                                              __global uint* counts, const long n) {
  __local uint room[ROOM];
  const long first = (long)get_group_id(0) * TILE + get_local_id(0) * ITEMS;
  uint mine = 0, total;
  for (long p = first; p < min(n, first + ITEMS); ++p) mine += begins(x, type, order, p, n);
  group_scan(room, mine, &total);
  if (get_local_id(0) == 0) counts[get_group_id(0)] = total;
}

// starts has room for one group more than `size`.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void place_groups(
    __global const void* x, const int type, const int bytes, __global const uint* order, __global const uint* counts,
    __global void* values, __global uint* indices, __global uint* inverse, __global uint* starts, const long size,
    const long n) {
  __local uint room[ROOM];
  const long first = (long)get_group_id(0) * TILE + get_local_id(0) * ITEMS, last = min(n, first + ITEMS);
  uint mine = 0, total;
  for (long p = first; p < last; ++p) mine += begins(x, type, order, p, n);
  long group = (long)counts[get_group_id(0)] + group_scan(room, mine, &total) - 1;
  for (long p = first; p < last; ++p) {
    const uint i = order[p];
    const bool first_of = begins(x, type, order, p, n);
    group += first_of;
    inverse[i] = (uint)max(min(group, size - 1), 0L);
    if (!first_of || group > size) continue;
    starts[group] = (uint)p;
    if (group == size) continue;
    indices[group] = i;
    move_word(x, i, values, group, bytes);
  }
}

// One work-item per value. fill: one element; `filled`: it is what lies beyond the groups, else the smallest value.
__kernel void finish_groups(__global const void* x, const int bytes, __global const uint* order,
                            __global const uint* groups, __global const uint* starts, __global const void* fill,
                            const int filled, __global void* values, __global uint* indices, __global int* counts,
                            const long size, const long n) {
  const long g = get_global_id(0);
  if (g >= size) return;
  const long found = groups[0];
  if (g < found) {
    counts[g] = (int)((g + 1 < found ? (long)starts[g + 1] : n) - starts[g]);
    return;
  }
  const uint smallest = n > 0 ? order[0] : 0;
  counts[g] = 0;
  indices[g] = smallest;
  if (filled) move_word(fill, 0, values, g, bytes);
  else move_word(x, smallest, values, g, bytes);
}
