// What the device routes of the dense convolutions hand to kernels/array/conv/dense_conv.cl.
#pragma once

#include "gpu/runtime.h"
#include "plans/array/conv/geometry.h"

namespace plumb::gpu {

inline constexpr std::int64_t kConvTile = 64, kConvItems = 256;  // as in the kernels

// An operand of a convolution, and where it lies.
struct ConvOperand {
  BufferPtr data, lies;
  Dtype type;
  explicit ConvOperand(const Tensor&);  // [N, .., C], or a vector
};

BufferPtr conv_geometry(const conv::Geometry&);
Kernel conv_kernel(std::string_view name, Dtype out);  // of the type that the sums of an output are made in

// out = the convolution of that geometry of x with the weight, read by those strides, which count its elements.
Job conv_job(const conv::Geometry&, const Tensor& x, const Tensor& weight, const conv::WeightStrides&,
             std::vector<Tensor> out, bool tiled);

Order conv_order(Dtype out);

inline constexpr Condition kConvDoubles{
    Stage::capability, "the device has no binary64",
    [](const Call& c, const Device& d) { return output_specs(c)[0].dtype != Dtype::f64 || d.fp64; }};
inline constexpr Condition kConvGroups{
    Stage::capability, "work-groups are smaller than 256",
    [](const Call&, const Device& d) { return d.facts.max_work_group >= kConvItems; }};

}  // namespace plumb::gpu
