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

struct Format {
  const Mode* mode;
  std::int64_t group, bits;
  bool affine() const { return mode == kModes; }
  bool is(std::string_view name) const { return mode->name == name; }
};
Format format(const Request&);  // from mode, group_size and bits

// What codes, scales and biases must satisfy together: at these places among the inputs. The dtype of the numbers they
// stand for, if affine.
Dtype check_weight(const Request&, const Format&, std::size_t codes, std::size_t scales, std::size_t biases);
Dtype product_dtype(const Request&, const Format&, Dtype weight);  // of x, input 0, times such weights

// Of a product, whose inputs 1 to 3 are codes, scales and biases: the weights w = code s + b, or element times scale,
// not rounded, but infinite where float32 would be. Sign::dropped: code |s| + |b|, or |w|, and 0 where w is not finite.
enum class Sign : std::uint8_t { kept, dropped };
Reals weights(const Call&, const Format&, Sign);

extern const char *const kQuantizeCases, *const kQuantizeRejects, *const kQuantizeBench;
extern const char *const kDequantizeCases, *const kDequantizeRejects, *const kDequantizeBench;
extern const char *const kProductCases, *const kProductRejects, *const kProductBench;
extern const char* const kWeightRejects;
extern const char *const kGatherCases, *const kGatherRejects, *const kGatherBench;

}  // namespace plumb::quant
