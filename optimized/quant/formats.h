// How the codes of a call stand for numbers.
#pragma once

#include "core/op.h"
#include "optimized/quant/product_kernels.h"

namespace plumb::cpu {

CodeFormat code_format(const Request&);  // from mode, group_size and bits, which were checked

// What scale bytes of a mode stand for: powers of two, 255 for infinity, beside groups of 32; else E4M3.
void scale_values(const CodeFormat&, const std::uint8_t* bytes, std::int64_t n, float* out);

}  // namespace plumb::cpu
