// What the device's routes compute on the host of offsets and sizes, for shapes beyond 2^31 elements that no device
// here has room for. Kernels themselves: ci/kernel_indices.py.
#ifdef PLUMB_GPU
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/families.h"
#include "core/error.h"
#include "core/reserved.h"
#include "gpu/array/sort.h"
#include "gpu/copy.h"
#include "gpu/linalg/linalg.h"
#include "gpu/sparse/conv/convolution.h"
#include "gpu/sparse/conv/edge_product.h"

namespace plumb::gpu {
namespace {

constexpr std::int64_t kFar = std::int64_t{1} << 33;

TEST(DeviceIndices, AViewBeginsWhereItsStorageSays) {
  const ReservedOnly reserved;
  const Tensor all(Spec{Dtype::f32, {kFar + 8}});
  EXPECT_EQ(element_offset(all.view({3}, {1}, kFar + 5)), kFar + 5);
  EXPECT_EQ(element_offset(all.view({2}, {kFar}, 7)), 7);
}

TEST(DeviceIndices, MatricesOfABatchLieFarApart) {
  const Shape batch{3, 2};
  EXPECT_EQ(batch_offset(0, batch, {3, 2}, {kFar, 1}), 0);
  EXPECT_EQ(batch_offset(5, batch, {3, 2}, {kFar, kFar / 2}), 2 * kFar + kFar / 2);
  EXPECT_EQ(batch_offset(5, batch, {1, 2}, {kFar, kFar / 2}), kFar / 2) << "a broadcast axis does not move";
  EXPECT_EQ(batch_offset(5, batch, {2}, {kFar}), kFar);
  EXPECT_EQ(batch_offset(kFar + 1, {kFar + 2}, {kFar + 2}, {3}), 3 * kFar + 3);
}

TEST(DeviceIndices, AxesOfACopyMayBeLongAndFarApart) {
  using testing::ElementsAre;
  EXPECT_THAT(collapsed({kFar, 4}, {4, 1}), ElementsAre(CopyAxis{4 * kFar, 1}));
  EXPECT_THAT(collapsed({2, 1, 8}, {kFar, 1, 16}), ElementsAre(CopyAxis{8, 16}, CopyAxis{2, kFar}));
  EXPECT_TRUE(is_transposed({{16, kFar}, {16, 1}})) << "strides may be of any size";
  EXPECT_FALSE(is_transposed({{16, kFar}, {kFar, 1}})) << "tiles are counted in 32 bits";
  EXPECT_FALSE(is_transposed({{kFar, 16}, {16, 1}}));
}

TEST(DeviceIndices, SizesThatAKernelTakesAsIntAreNotCut) {
  EXPECT_EQ(small(INT32_MAX), INT32_MAX);
  EXPECT_EQ(small(INT32_MIN), INT32_MIN);
  for (const std::int64_t v : {kFar, std::int64_t{INT32_MAX} + 1, std::int64_t{INT32_MIN} - 1}) {
    try {
      small(v);
      ADD_FAILURE() << v << " was taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.reason(), Reason::memory);
      EXPECT_THAT(e.what(), testing::HasSubstr(std::to_string(v)));
    }
  }
}

TEST(DeviceIndices, TilesOfLongLinesAreCounted) {
  EXPECT_EQ(SortTiles(kFar).tiles, kFar / 2048);
  EXPECT_EQ(SortTiles(kFar + 1).tiles, kFar / 2048 + 1);
  EXPECT_EQ(runs_of(kFar + 1), kFar / 2048 + 1);
  EXPECT_EQ(rounded_up(kFar + 1, 128), kFar + 128);
}

TEST(DeviceIndices, ExtentsBeyond32BitsAreRefused) {
  install_families();
  const ReservedOnly reserved;
  const Op& op = find_op("add");
  const auto call = [&](const Shape& s) {
    const Tensor t(Spec{Dtype::u8, s});
    return make_call(op, {t, t}, {});
  };
  EXPECT_TRUE(extents_fit_int(call({INT32_MAX - 512, 2}))) << "it is the extents that count, not the elements";
  EXPECT_FALSE(extents_fit_int(call({INT32_MAX - 511})));
  EXPECT_FALSE(extents_fit_int(call({kFar})));
}

// Weights [kernel][channel][column], or [column][x][y][z][channel] where dense_5d is asked for.
TEST(DeviceIndices, StridesOfLargeWeights) {
  install_families();
  const ReservedOnly reserved;
  const auto strides = [](Shape weight, std::int64_t in, Attrs attrs) {
    const auto zeros = [](Dtype t, Shape s) { return Tensor(Spec{t, std::move(s)}); };
    return weight_strides(make_call(find_op("subm_conv3d"),
                                    {zeros(Dtype::i32, {1, 4}), zeros(Dtype::i32, {1}), zeros(Dtype::f32, {1, in}),
                                     zeros(Dtype::f32, std::move(weight))},
                                    std::move(attrs)));
  };
  const std::int64_t wide = std::int64_t{1} << 20;
  const WeightStrides packed = strides({27, wide, wide}, wide, {{"kernel_size", std::vector<std::int64_t>{3}}});
  EXPECT_EQ(packed.kernel, wide * wide);
  EXPECT_EQ(packed.channel, wide);
  const WeightStrides dense =
      strides({5, 3, 3, 3, kFar}, kFar, {{"kernel_size", std::vector<std::int64_t>{3}}, {"weight_layout", "dense_5d"}});
  EXPECT_EQ(dense.kernel, kFar);
  EXPECT_EQ(dense.column, 27 * kFar);
}

}  // namespace
}  // namespace plumb::gpu
#endif
