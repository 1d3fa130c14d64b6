// The facts that the quantization rows share with their cases.
#pragma once

#include <string_view>
#include <vector>

#include "core/op.h"

namespace plumb::quant {

struct Mode {
  std::string_view name;
  std::int64_t group, bits;  // the defaults of affine; the only values of the others
};
inline constexpr Mode kModes[] = {{"affine", 64, 4}, {"mxfp4", 32, 4}, {"mxfp8", 32, 8}, {"nvfp4", 16, 4}};
inline constexpr std::int64_t kGroups[] = {32, 64, 128};
inline constexpr std::int64_t kBits[] = {1, 2, 3, 4, 5, 6, 8};

extern const char *const kQuantizeCases, *const kQuantizeRejects, *const kQuantizeBench;
extern const char *const kDequantizeCases, *const kDequantizeRejects, *const kDequantizeBench;
extern const char *const kProductCases, *const kProductRejects, *const kProductBench;
extern const char* const kWeightRejects;

}  // namespace plumb::quant
