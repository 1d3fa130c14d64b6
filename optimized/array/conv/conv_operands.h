// Operands of the dense convolutions on the processor, in the type that sums are made in.
#pragma once

#include <cmath>

#include "core/room.h"
#include "core/route.h"
#include "optimized/array/conv/conv_kernels.h"
#include "plans/array/conv/geometry.h"

namespace plumb::cpu {

// [N, .., C] with adjacent channels: in place where a tensor has them and that type, else a copy.
template <class T>
class ChannelsLast {
 public:
  explicit ChannelsLast(const Tensor&);
  // The first channel of an element: batch b, spatial index.
  const T* at(std::int64_t b, std::int64_t i, std::int64_t j, std::int64_t k) const {
    return data_ + b * where_.batch + i * where_.axis[0] + j * where_.axis[1] + k * where_.axis[2];
  }

 private:
  Tensor kept_;
  RawRoom<T> copy_;
  const T* data_ = nullptr;
  conv::Strided where_;
};

// The elements in row-major order, each converted to `through` and then, exactly, to T.
template <class T>
RawRoom<T> converted(const Tensor&, Dtype through);

// The kernel of the instruction set in use for either type.
inline void run(const ConvTile<float>& t) { PLUMB_DISPATCH(conv_tiles_f32)(t); }
inline void run(const ConvTile<double>& t) { PLUMB_DISPATCH(conv_tiles_f64)(t); }
inline void run(const DepthwiseTile<float>& t) { PLUMB_DISPATCH(conv_depthwise_f32)(t); }
inline void run(const DepthwiseTile<double>& t) { PLUMB_DISPATCH(conv_depthwise_f64)(t); }
inline void run(const PairSums<float>& s) { PLUMB_DISPATCH(conv_pair_sums_f32)(s); }
inline void run(const PairSums<double>& s) { PLUMB_DISPATCH(conv_pair_sums_f64)(s); }
inline void run(const PairProducts<float>& s) { PLUMB_DISPATCH(conv_pair_products_f32)(s); }
inline void run(const PairProducts<double>& s) { PLUMB_DISPATCH(conv_pair_products_f64)(s); }
inline void run(const SlidingSum<float>& s) { PLUMB_DISPATCH(conv_slide_f32)(s); }
inline void run(const SlidingSum<double>& s) { PLUMB_DISPATCH(conv_slide_f64)(s); }

// Extents of the tiles of the instruction set in use.
template <class T>
struct ConvExtents {
  int rows = 0, columns = 0, lanes = 0;
  ConvExtents() {
    int f32 = 0, f64 = 0, lanes_f32 = 0, lanes_f64 = 0;
    PLUMB_DISPATCH(conv_extents)(&rows, &f32, &f64, &lanes_f32, &lanes_f64);
    columns = sizeof(T) == 4 ? f32 : f64, lanes = sizeof(T) == 4 ? lanes_f32 : lanes_f64;
  }
};

// out = the convolution of that geometry of x with the weight, which is read by those strides.
template <class T>
void convolve(const conv::Geometry&, const ChannelsLast<T>& x, const T* weight, const conv::WeightStrides&,
              const Tensor& out);

Order conv_order(Dtype out);  // one chain of all terms

}  // namespace plumb::cpu
