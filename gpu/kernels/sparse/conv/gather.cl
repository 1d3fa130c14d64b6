// Which rows a tile of a sparse convolution gathers.

// The input row that output o meets under kernel row k, or -1. Without a map, output i * K + k meets input i.
int input_of(global const int* map, int spread, int kernels, long o, int k) {
  if (spread) return o % kernels == k ? (int)(o / kernels) : -1;
  return map[o * kernels + k];
}

// Of the 32 kernel rows from k0 on, as bits, those that some output of the work-group meets; o is this work-item's, or
// -1. All of its work-items call it, with one `met` in local memory.
uint kernel_rows_met(local uint* met, global const int* map, int spread, int kernels, long o, int k0) {
  barrier(CLK_LOCAL_MEM_FENCE);
  if (get_local_id(0) == 0) *met = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  uint mine = 0;
  for (int k = k0; o >= 0 && k < min(kernels, k0 + 32); ++k)
    mine |= (uint)(input_of(map, spread, kernels, o, k) >= 0) << (k - k0);
  if (mine) atomic_or(met, mine);
  barrier(CLK_LOCAL_MEM_FENCE);
  return *met;
}

#ifdef MMA  // after row_fragments.cl
// Steps of DEPTH channels of one kernel row run through STAGES buffers, two of them under way while one is used.
#define STAGES 3
#define STAGE ((ROWS + COLUMNS) * PITCH)
#define PIECES (DEPTH / 8)  // copies of 16 bytes in a row of a tile
#define LEFT_EACH (ROWS * PIECES / ITEMS)
#endif
