// The gated delta rule: 16 work-items share a row of a state, which lies in local memory, and take it through all
// steps.
#include "nn/operand.cl"

#define LANES 16
#define ROWS 4

// The sum over the lanes of a row, one after the other. `partial` must not be used again before another barrier.
float summed(local float (*partial)[LANES], float mine) {
  const int lane = get_local_id(0), row = get_local_id(1);
  partial[row][lane] = mine;
  barrier(CLK_LOCAL_MEM_FENCE);
  float sum = 0;
  for (int n = 0; n < LANES; ++n) sum += partial[row][n];
  return sum;
}

// s' = gamma s, r = beta (v - s' . k), s = s' + r k, out = s . q; a step that is hidden leaves s and gives 0.
kernel __attribute__((reqd_work_group_size(LANES, ROWS, 1))) void delta_rows(
    global const void* q, global const void* k, global const void* v, int type, global const void* gamma,
    global const void* beta, int gate, global const float* initial, int has_initial, global const uchar* mask,
    int has_mask, global void* out, global float* state, long L, long G, long H, long D, long E, local float* rows) {
  local float faded[ROWS][LANES], read[ROWS][LANES];
  const int lane = get_local_id(0);
  const long e = get_global_id(1), head = get_group_id(2), b = head / H, h = head % H, g = h / (H / G);
  const long first = (head * E + e) * D;
  local float* s = rows + get_local_id(1) * D;
  for (long d = lane; d < D; d += LANES) s[d] = has_initial && e < E ? initial[first + d] : 0.0f;
  for (long t = 0; t < L; ++t) {
    const long step = b * L + t, key = (step * G + g) * D, place = step * H + h;
    const int kept = !has_mask || mask[step] != 0;
    const long end = kept ? D : 0;  // a hidden step passes the same barriers
    const float fades = fetch(gamma, gate, place);
    float sum = 0;
    for (long d = lane; d < end; d += LANES) {
      s[d] *= fades;
      sum = fma(s[d], fetch(k, type, key + d), sum);
    }
    const float value = e < E ? fetch(v, type, place * E + e) : 0.0f;
    const float r = (value - summed(faded, sum)) * fetch(beta, gate, place);
    sum = 0;
    for (long d = lane; d < end; d += LANES) {
      s[d] = fma(r, fetch(k, type, key + d), s[d]);
      sum = fma(s[d], fetch(q, type, key + d), sum);
    }
    sum = summed(read, sum);
    if (lane == 0 && e < E) put(out, type, place * E + e, kept ? sum : 0.0f);
  }
  for (long d = lane; d < D && e < E; d += LANES) state[first + d] = s[d];
}
