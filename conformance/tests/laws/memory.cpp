// A budget of memory: what a large convolution needs, in a process of its own. CTest runs it as nightly.memory.
#include "core/memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>

#include "core/fill.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

constexpr double kGiB = 1 << 30;

double resident_peak_gib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / kGiB;
}

// Whole numbers in [-3, 3], written in place: a wide copy of the features would be the largest array of all.
Tensor small_numbers(Shape shape) {
  Tensor t(Spec{Dtype::f32, std::move(shape)});
  float* to = t.write<float>();
  for (std::int64_t i = 0; i < t.size(); ++i)
    to[i] = static_cast<float>(draw(7, static_cast<std::uint64_t>(i)) % 7) - 3.0f;
  return t;
}

// Features and results are 256 MB each. The rest is the relation, its plan and what building them takes.
TEST(MemoryBudget, AMillionVoxelsOf64ChannelsFitIntoTwoGiB) {
  constexpr std::int64_t n = 1000000, c = 64;
  const Tensor coords = fill({Dtype::i32, {n, 4}}, "sites_surface", 1);
  const Tensor active = tensor(Dtype::i32, {1}, {static_cast<double>(n)});
  const Call call = make_call("subm_conv3d", {coords, active, small_numbers({n, c}), small_numbers({27, c, c})});
  const double before = resident_peak_gib();
  reset_host_bytes_peak();
  const std::vector<Tensor> out = run(call, find_route(*call.op, "cpu.gather"));
  const double tensors = static_cast<double>(host_bytes_peak()) / kGiB, resident = resident_peak_gib();
  std::printf("peak: %.3f GiB of tensors, %.3f GiB resident (%.3f before the convolution)\n", tensors, resident,
              before);
  EXPECT_GT(out[2].read<std::int32_t>()[0], 12 * n) << "a surface of about 12.7 edges per voxel";
  EXPECT_LT(tensors, 0.6) << "inputs and outputs, nothing besides";
  EXPECT_LT(resident, 2.0);
}

}  // namespace
}  // namespace plumb
