#include "gpu/ceiling.h"

#include <algorithm>

#include "gpu/runtime.h"

namespace plumb::gpu {
namespace {

constexpr std::size_t kGroup = 256;

Load load(double work, const Kernel& k, std::size_t items, std::size_t group) {
  return {work, [k, items, group] {
            k.run({items}, {group});
            finish();
          }};
}

Load flops_load(bool matrix, Dtype dtype) {
  const Device& d = current_device();
  if ((matrix && !d.matrix_f16) || (dtype == Dtype::f64 && !d.fp64)) return {};
  const std::size_t group = std::min(kGroup, d.facts.max_work_group);
  const std::size_t groups = static_cast<std::size_t>(d.facts.compute_units) * (d.facts.is_cpu ? 1 : 32);
  const std::int32_t loops = d.facts.is_cpu ? 64 : matrix ? 2048 : dtype == Dtype::f64 ? 1024 : 4096;
  const BufferPtr sink = scratch(groups * group * 8);
  Kernel k("ceiling", matrix ? "matrix_loop" : dtype == Dtype::f64 ? "fma_loop_f64" : "fma_loop_f32");
  k.arg(sink).arg(loops);
  // fma: 8 chains of 16-wide vectors on a CPU device, of scalars elsewhere. matrix: 4 products of 16x8x16 per warp.
  const double lanes = static_cast<double>(groups * group), each = d.facts.is_cpu ? 16 : 1;
  const double work = matrix ? lanes / 32 * loops * 4 * 2 * 16 * 8 * 16 : lanes * loops * 8 * 2 * each;
  return load(work, k, groups * group, group);
}

Load copy_load(std::int64_t bytes) {
  const Device& d = current_device();
  const auto limit = static_cast<std::int64_t>(d.facts.max_allocation_bytes / 4);
  const std::int64_t half = std::min(std::max<std::int64_t>(bytes / 2, 4096), limit) / 4096 * 4096;
  const BufferPtr a = scratch(static_cast<std::size_t>(half)), b = scratch(static_cast<std::size_t>(half));
  fill_zero(a);
  Kernel k("ceiling", "copy_vectors");
  k.arg(a).arg(b).arg(half / 16);
  const std::size_t group = std::min(kGroup, d.facts.max_work_group);
  return load(2.0 * static_cast<double>(half), k, static_cast<std::size_t>(half / 16), group);
}

}  // namespace

DeviceLoads ceiling_loads() { return {flops_load, copy_load}; }

}  // namespace plumb::gpu
