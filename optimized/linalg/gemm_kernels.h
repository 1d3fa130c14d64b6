// The compiled kernels of gemm.simd.cpp, per instruction set, for whoever blocks a product itself. A panel is
// a row of slivers: m rows are cut into ceil(m / rows) slivers of nearly equal height, n columns into slivers
// of exactly `columns`, the last one padded with zeros. Complex data counts two floats per element.
#pragma once

#include <cstdint>

#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void gemm_extents(int* rows, int* columns_f32, int* columns_f64, int* complex_rows,
                                     int* complex_columns))

// Packs one sliver: element (i, p), i < count, comes from from[i * minor + p * major] and goes to
// to[p * width + i]; for count <= i < width zeros are written.
#define PLUMB_GEMM_PACK(name, T)                                                                             \
  PLUMB_DECLARE_SIMD(void name(const void* from, std::int64_t minor, std::int64_t major, std::int64_t count, \
                               std::int64_t width, std::int64_t k, T* to))
PLUMB_GEMM_PACK(gemm_pack_f32, float)
PLUMB_GEMM_PACK(gemm_pack_f16, float)
PLUMB_GEMM_PACK(gemm_pack_bf16, float)
PLUMB_GEMM_PACK(gemm_pack_f64, double)
PLUMB_GEMM_PACK(gemm_pack_c64, float)
#undef PLUMB_GEMM_PACK

// c (m x n) = or += the product of two packed panels of k terms.
#define PLUMB_GEMM_BLOCK(name, T)                                                                            \
  PLUMB_DECLARE_SIMD(void name(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, const T* b, T* c, \
                               std::int64_t ldc, bool add))
PLUMB_GEMM_BLOCK(gemm_block_f32, float)
PLUMB_GEMM_BLOCK(gemm_block_f64, double)
PLUMB_GEMM_BLOCK(gemm_block_c64, float)
#undef PLUMB_GEMM_BLOCK

}  // namespace plumb
