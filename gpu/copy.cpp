// Row-major copies of strided tensors, made on the device.
#include "gpu/copy.h"

#include <algorithm>
#include <cstdlib>

#include "gpu/opencl.h"

namespace plumb::gpu {
namespace {

constexpr std::size_t kAxes = 8;  // as in kernels/copy.cl

constexpr Limit kWorthTile{"gpu.copy.worth_tile", 8, 2}, kMostGroups{"gpu.copy.most_groups", 65535, 2};

void transpose(const Tensor& t, const std::vector<CopyAxis>& a, const BufferPtr& to, const std::string& suffix) {
  const CopyAxis batch = a.size() == 3 ? a[2] : CopyAxis{1, 0};
  Kernel("copy", "transpose" + suffix)
      .arg(input(t))
      .arg(to)
      .arg(element_offset(t))
      .arg(batch.stride)
      .arg(a[1].stride)
      .arg(a[0].stride)
      .arg(static_cast<std::int32_t>(a[1].size))
      .arg(static_cast<std::int32_t>(a[0].size))
      .run({static_cast<std::size_t>(a[1].size), static_cast<std::size_t>(a[0].size),
            static_cast<std::size_t>(batch.size)},
           {16, 16, 1});
}

void gather(const Tensor& t, const std::vector<CopyAxis>& axes, const BufferPtr& to, const std::string& suffix) {
  std::vector<std::int64_t> geometry(2 * kAxes, 1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    geometry[i] = axes[i].size;
    geometry[kAxes + i] = axes[i].stride;
  }
  Kernel("copy", "copy" + suffix)
      .arg(input(t))
      .arg(to)
      .arg(constants(geometry))
      .arg(element_offset(t))
      .arg(t.size())
      .run({static_cast<std::size_t>(t.size())});
}

}  // namespace

std::vector<CopyAxis> collapsed(const Shape& shape, const Strides& strides) {
  std::vector<CopyAxis> axes;
  for (std::size_t i = shape.size(); i-- > 0;) {
    const CopyAxis a{shape[i], strides[i]};
    if (a.size == 1) continue;
    if (!axes.empty() && a.stride == axes.back().stride * axes.back().size) {
      axes.back().size *= a.size;
    } else {
      axes.push_back(a);
    }
  }
  return axes;
}

bool is_transposed(const std::vector<CopyAxis>& a) {
  if (a.size() < 2 || a.size() > 3 || a[0].size < kWorthTile.of(a[0].size) || a[1].size < kWorthTile.of(a[1].size))
    return false;
  if (a[0].size > INT32_MAX / 2 || a[1].size > INT32_MAX / 2) return false;
  if (a.size() == 3 && a[2].size > kMostGroups.of(a[2].size)) return false;
  return a[1].size > 0 && std::abs(a[1].stride) < std::abs(a[0].stride) && a[1].stride != 0;
}

BufferPtr dense(const Tensor& t) {
  if (t.is_row_major() && t.offset_bytes() == 0) return input(t);
  const std::size_t width = static_cast<std::size_t>(info(t.dtype()).bytes);
  const std::vector<CopyAxis> axes = collapsed(t.shape(), t.strides());
  if (axes.size() > kAxes) return input(contiguous(t));
  BufferPtr to = scratch(static_cast<std::size_t>(t.size()) * width);
  if (t.size() == 0) return to;
  if (is_transposed(axes)) {
    transpose(t, axes, to, std::to_string(width));
  } else {
    gather(t, axes, to, std::to_string(width));
  }
  return to;
}

}  // namespace plumb::gpu
