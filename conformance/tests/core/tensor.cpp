// Strided views, layouts, guards and storage that knows its sides.
#include "core/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <type_traits>

#include "cli/families.h"
#include "core/case.h"
#include "core/error.h"
#include "core/route.h"

namespace plumb {
namespace {

TEST(Tensor, ViewsMustStayInTheirStorage) {
  const Tensor t(Spec{Dtype::f32, {4, 6}});
  EXPECT_NO_THROW((void)t.view({4, 6}, {6, 1}));
  EXPECT_NO_THROW((void)t.view({24}, {-1}, 23));
  EXPECT_THROW((void)t.view({25}, {1}), Error);
  EXPECT_THROW((void)t.view({2}, {-1}), Error);
  EXPECT_THROW((void)t.view({4, 6}, {6, 1}, 1), Error);
}

TEST(Tensor, SizesThatOverflowAreRefusedBeforeAllocation) {
  EXPECT_THROW((void)Tensor(Spec{Dtype::f64, {std::int64_t{1} << 62, 8}}), Error);
  EXPECT_THROW((void)Tensor(Spec{Dtype::f64, {-1}}), Error);
  EXPECT_EQ(count({0, std::int64_t{1} << 62, std::int64_t{1} << 62}), 0);
  Tensor huge(Spec{Dtype::u8, {std::int64_t{1} << 60}});  // no memory until it is touched
  EXPECT_THROW((void)huge.write<std::uint8_t>(), Error);
}

TEST(Tensor, EveryLayoutShowsTheSameShapeAndItsOwnStrides) {
  install_families();
  const Op& op = find_op("add");
  for (const Layout layout : kLayouts) {
    const Case c{{Input{Dtype::i32, {3, 4}, layout, "ramp"}, Input{Dtype::i32, {}, Layout::row, "const-0"}}, {}};
    const Tensor t = realize(op, c).at(0);
    EXPECT_EQ(t.shape(), (Shape{3, 4})) << name(layout);
    EXPECT_EQ(t.is_row_major(), layout == Layout::row || layout == Layout::offset) << name(layout);
    const Tensor dense = contiguous(t);
    for (std::int64_t i = 0; i < 12; ++i)
      EXPECT_EQ(dense.read<std::int32_t>()[i], layout == Layout::broadcast ? i % 4 : i) << name(layout);
  }
}

// A route that reads beyond its inputs reads NaN, and what it makes of them and writes beyond its output is seen.
TEST(Memory, ANaNCarriedFromBandToBandIsSeen) {
  const auto carried = [](Dtype type, auto zero) {
    using T = decltype(zero);
    const Tensor x(Spec{type, {5}}), y(Spec{type, {5}}), out(Spec{type, {5}});
    const auto *a = x.write<T>(), *b = y.write<T>();
    auto* to = out.write<T>();
    if constexpr (std::is_floating_point_v<T>) {
      EXPECT_TRUE(std::isnan(a[5]) && std::isnan(a[-1])) << name(type);
      to[5] = a[5] + b[5];
    } else {
      EXPECT_TRUE(std::isnan(type == Dtype::f16 ? half_to_float(a[5]) : bf16_to_float(a[5]))) << name(type);
      to[5] = a[5];
    }
    return !out.storage().guards_intact();
  };
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(carried(Dtype::f32, 0.0F));
    EXPECT_TRUE(carried(Dtype::f64, 0.0));
    EXPECT_TRUE(carried(Dtype::f16, std::uint16_t{0}));
    EXPECT_TRUE(carried(Dtype::bf16, std::uint16_t{0}));
  }
}

TEST(Memory, DamagedGuardsAreSeen) {
  const MemoryWatch watch;
  (void)MemoryWatch::take_damage();
  {
    Tensor t(Spec{Dtype::u8, {16}});
    t.write<std::uint8_t>()[16] = 0;
    EXPECT_FALSE(t.storage().guards_intact());
  }
  EXPECT_EQ(MemoryWatch::take_damage().size(), 1U);
  {
    Tensor t(Spec{Dtype::u8, {16}});
    t.write<std::uint8_t>()[15] = 0;
    EXPECT_TRUE(t.storage().guards_intact());
  }
  EXPECT_TRUE(MemoryWatch::take_damage().empty());
}

TEST(Memory, NewStorageIsPoisonedUnderAWatch) {
  const MemoryWatch watch;
  const Tensor t(Spec{Dtype::f32, {3}});
  EXPECT_LT(t.read<float>()[1], -1e36F);
}

// A device that counts what is moved.
class Counting : public DeviceSide {
 public:
  explicit Counting(std::size_t n) : bytes(n) {}
  void download(std::byte* to) override { ++downloads, std::memcpy(to, bytes.data(), bytes.size()); }
  void upload(const std::byte* from) override { ++uploads, std::memcpy(bytes.data(), from, bytes.size()); }
  bool guards_intact() override { return true; }
  std::vector<std::byte> bytes;
  int uploads = 0, downloads = 0;
};

TEST(Memory, BytesMoveOnlyWhenTheOtherSideIsNewer) {
  Storage s(8);
  const auto make = [](std::size_t n) { return std::make_shared<Counting>(n); };
  std::memset(s.host_write(), 7, 8);
  const auto device = std::dynamic_pointer_cast<Counting>(s.device_read(make));
  (void)s.device_read(make);
  EXPECT_EQ(device->uploads, 1);
  (void)s.device_write(make);
  device->bytes.assign(8, std::byte{9});
  EXPECT_EQ(s.host_read()[3], std::byte{9});
  (void)s.host_read();
  EXPECT_EQ(device->downloads, 1);
  (void)s.host_write();
  (void)s.device_read(make);
  EXPECT_EQ(device->uploads, 2);
}

}  // namespace
}  // namespace plumb
