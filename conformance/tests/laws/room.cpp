// Room within routes lies between guard bands while somebody watches, and the judge hears of damage to it.
#include "core/room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/memory.h"

namespace plumb {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

bool poisoned(const std::uint8_t* p, std::size_t n) {
  return std::all_of(p, p + n, [](std::uint8_t b) { return b == kPoisonByte; });
}

TEST(Room, OneElementTooFarOnEitherSideIsFound) {
  const MemoryWatch watch;
  (void)MemoryWatch::take_damage();
  for (const std::int64_t n : {0, 1, 3, 1000}) {
    { const RawRoom<float> whole(n); }
    EXPECT_THAT(MemoryWatch::take_damage(), IsEmpty()) << n;
    for (const std::int64_t at : {n, n + 100, std::int64_t{-1}}) {
      {
        const RawRoom<float> room(n);
        room[at] = 1;
      }
      EXPECT_THAT(MemoryWatch::take_damage(), SizeIs(1)) << n << " at " << at;
    }
  }
  {
    Room<double> values(5);
    values.data()[5] = 1;
  }
  EXPECT_THAT(MemoryWatch::take_damage(), SizeIs(1));
}

TEST(Room, FreshRoomIsPoisonedUnderAWatchAndAligned) {
  const MemoryWatch watch;
  const RawRoom<std::uint8_t> plain(100);
  const RawRoom<std::uint8_t, 4096> page(100);
  EXPECT_TRUE(poisoned(plain.get(), 100) && poisoned(page.get(), 100));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(page.get()) % 4096, 0U);
  EXPECT_EQ(Room<float>(3), (Room<float>{0, 0, 0})) << "a vector begins as zeros";
}

TEST(Room, RoomMayOutliveItsWatchAndBeOlderThanIt) {
  RawRoom<float> older(10);
  (void)MemoryWatch::take_damage();
  {
    RawRoom<float> watched;
    {
      const MemoryWatch watch;
      watched = RawRoom<float>(10);
      older = RawRoom<float>();
    }
    watched[10] = 1;
  }
  EXPECT_THAT(MemoryWatch::take_damage(), SizeIs(1));
}

TEST(Room, KeptRoomStaysAndIsFreshUnderAWatch) {
  KeptRoom kept;
  KeptRoom::Lease<float> lease;
  float* first = kept.get(1000, lease);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0U);
  EXPECT_EQ(kept.get(500, lease), first);
  (void)MemoryWatch::take_damage();
  {
    const MemoryWatch watch;
    KeptRoom::Lease<float> watched;
    float* p = kept.get(500, watched);
    EXPECT_NE(p, first);
    EXPECT_TRUE(poisoned(reinterpret_cast<std::uint8_t*>(p), 2000));
    p[500] = 1;
  }
  EXPECT_THAT(MemoryWatch::take_damage(), SizeIs(1));
}

std::int64_t overrun = 0;

// The oracle's answer, beside room that is written `overrun` elements too far.
void with_room(const Call& call, std::vector<Tensor>& out) {
  const std::vector<Wide> wide = call.op->oracle(call);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = narrow(wide[i], out[i].dtype());
  const RawRoom<float> room(7);
  std::fill_n(room.get(), 7 + overrun, 0.0F);
}

TEST(Room, TheJudgeHearsOfARoute) {
  install_families();
  const Op& op = find_op("add");
  Route route;
  route.op = op.name;
  route.name = "cpu.planted";
  route.prepare = host<with_room>;
  Judge judge(op, op.cases().front());
  overrun = 0;
  EXPECT_EQ(judge.on(route, Device()).status, Status::pass);
  overrun = 1;
  const Verdict v = judge.on(route, Device());
  EXPECT_EQ(v.status, Status::fail);
  EXPECT_THAT(v.reason, HasSubstr("28 bytes within the route"));
}

}  // namespace
}  // namespace plumb
