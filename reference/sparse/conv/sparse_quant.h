// The facts that the rows of packed sparse weights share with their cases.
#pragma once

#include <vector>

#include "reference/sparse/sites/relation.h"

namespace plumb::sparse_quant {

inline constexpr std::int64_t kGroups[] = {32, 64, 128};
inline constexpr std::int64_t kBits[] = {4, 8};

// Positions of the inputs of a convolution; only quantized_conv3d has targets.
enum : std::size_t { kCoords, kActive, kFeatures, kWeight, kScales, kBiases, kBias, kTargets, kTargetActive };

std::vector<Case> conv_cases(reference::RelationKind), conv_bench(reference::RelationKind);
std::vector<Reject> conv_rejects(reference::RelationKind);
std::vector<Case> linear_cases(), linear_bench();
std::vector<Reject> linear_rejects();
std::vector<Case> quantize_cases(), quantize_bench();
std::vector<Reject> quantize_rejects();
std::vector<Case> dequantize_cases(), dequantize_bench();
std::vector<Reject> dequantize_rejects();

}  // namespace plumb::sparse_quant
