// The facts that the rows of packed sparse weights share with their cases.
#pragma once

#include <vector>

#include "reference/sparse/sites/relation.h"

namespace plumb::sparse_quant {

inline constexpr std::int64_t kGroups[] = {32, 64, 128};
inline constexpr std::int64_t kBits[] = {4, 8};

// Positions of the inputs of a convolution; only quantized_conv3d has targets.
enum : std::size_t { kCoords, kActive, kFeatures, kWeight, kScales, kBiases, kBias, kTargets, kTargetActive };

Cases conv_cases(reference::RelationKind), conv_bench(reference::RelationKind);
Rejects conv_rejects(reference::RelationKind);
Cases linear_cases(), linear_bench();
Rejects linear_rejects();
extern const char *const kQuantizeCases, *const kQuantizeRejects, *const kQuantizeBench;
Cases dequantize_cases(), dequantize_bench();
Rejects dequantize_rejects();

}  // namespace plumb::sparse_quant
