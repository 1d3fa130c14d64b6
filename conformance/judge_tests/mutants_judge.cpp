// What the judge owes to routes that are wrong in less usual ways, and to right ones that look wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>
#include <thread>

#include "conformance/judge_tests/fakes.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;
using Out = std::vector<Tensor>;

class JudgeOf : public testing::Test {
 protected:
  void SetUp() override { fakes::install(); }
  static Verdict of(std::string_view op, const Case& c, fakes::Act act) {
    return Judge(find_op(op), c).on(fakes::route_that(op, std::move(act)), Device{});
  }
};

// A route of `scaled`, whose results may differ by 2^-12.
TEST_F(JudgeOf, BitsThatDifferBetweenLaunchesFailWithinTheBound) {
  for (const std::int64_t at : {0, 60, 119}) {
    const Verdict v = of("scaled", fakes::rows(3, 40, "uniform"), [at](const Call& call, Out& out, int launch) {
      fakes::right(call, out);
      if (launch == 2) fakes::flip(out[0], at);
    });
    EXPECT_EQ(v.status, Status::fail);
    EXPECT_EQ(v.reason, "two launches differ in their bits") << at;
  }
}

TEST_F(JudgeOf, TheSaltNumbersTheDataSets) {
  const Op& op = find_op("many");
  const Case c = fakes::one(33, "uniform");
  std::vector<std::string> given;
  const auto bytes = [](const Tensor& t) {
    return std::string(reinterpret_cast<const char*>(t.read<std::byte>()), static_cast<std::size_t>(4 * t.size()));
  };
  Judge judge(op, c, 3);
  const Verdict v = judge.on(fakes::route_that("many",
                                               [&](const Call& call, Out& out, int) {
                                                 given.push_back(bytes(call.in[0]));
                                                 fakes::right(call, out);
                                               }),
                             Device{});
  EXPECT_EQ(v.status, Status::pass) << v.reason;
  const std::string a = bytes(realize(op, c, 6)[0]), b = bytes(realize(op, c, 7)[0]);
  EXPECT_EQ(given, (std::vector<std::string>{a, a, b}));
}

TEST_F(JudgeOf, TimeIsThatOfTheLaunches) {
  const Verdict v = of("many", fakes::one(3, "uniform"), [](const Call& call, Out& out, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    fakes::right(call, out);
  });
  EXPECT_GE(v.seconds, 0.006);
  EXPECT_LT(v.seconds, 60);
}

TEST_F(JudgeOf, WhatFailsIsNeitherVacantNorMistrusted) {
  const Verdict shape =
      Judge(find_op("many"), fakes::one(3, "uniform")).on(find_route(find_op("many"), "wrong_shape"), Device{});
  EXPECT_EQ(shape.status, Status::fail);
  EXPECT_EQ(shape.compared, 0);
  EXPECT_FALSE(shape.vacant);
  EXPECT_THAT(shape.worst.what, HasSubstr("instead of"));
  // A route without a finite bound that writes beside its output.
  Route r = fakes::route_that("total", [](const Call& call, Out& out, int) {
    fakes::right(call, out);
    *fakes::at(out[0], out[0].size()) = {};
  });
  r.order = find_route(find_op("total"), "boundless").order;
  const Verdict v = Judge(find_op("total"), fakes::rows(3, 8, "uniform")).on(r, Device{});
  EXPECT_EQ(v.status, Status::fail);
  EXPECT_GT(v.worst.unbounded, 0);
}

TEST_F(JudgeOf, OneElementWithoutABoundIsEnough) {
  static int asked = 0;
  asked = 0;
  Route r = find_route(find_op("total"), "perfect");
  static const Route& boundless = find_route(find_op("total"), "boundless");
  r.prepare = find_route(find_op("total"), "boundless").prepare;  // an ulp beside, so that the bound is asked
  r.order = [](const Call& call) {
    // the second launch has the bits of the first, and is not compared anew
    return ++asked == 2 ? boundless.order(call) : find_route(*call.op, "perfect").order(call);
  };
  Judge judge(find_op("total"), fakes::rows(1, 300, "uniform"));
  const Verdict v = judge.on(r, Device{});
  EXPECT_EQ(v.status, Status::mistrusted) << v.reason;
  EXPECT_EQ(v.reason, "no finite bound follows for 1 of 3 elements");
}

TEST_F(JudgeOf, EachBufferThatIsDamagedIsNamed) {
  const Verdict v = of("many", fakes::one(5, "uniform"), [](const Call& call, Out& out, int launch) {
    fakes::right(call, out);
    if (launch > 1) return;
    for (const std::int64_t n : {10, 20}) {
      const Tensor scratch(Spec{Dtype::u8, {n}});
      *fakes::at(scratch, n) = {};
    }
  });
  EXPECT_THAT(v.reason, HasSubstr("of 10 bytes was written outside"));
  EXPECT_THAT(v.reason, HasSubstr("; a host buffer of 20 bytes was written outside"));
  EXPECT_FALSE(v.reason.starts_with(";"));
}

TEST_F(JudgeOf, OldDamageIsNotTheRoutes) {
  const MemoryWatch watch;
  MemoryWatch::damaged("something earlier");
  const Verdict v =
      of("many", fakes::one(5, "uniform"), [](const Call& call, Out& out, int) { fakes::right(call, out); });
  EXPECT_EQ(v.status, Status::pass) << v.reason;
}

// Work that is done, and errors that are raised, by wait or fetch.
Job late(const Call& call, const std::vector<Spec>& specs, bool in_fetch) {
  auto out = std::make_shared<Out>();
  for (const Spec& s : specs) out->emplace_back(s);
  const auto work = [call, out] { fakes::right(call, *out); };
  const auto nothing = [] {};
  return {nothing, in_fetch ? std::function<void()>(nothing) : work, [out, work, in_fetch] {
            if (in_fetch) work();
            return *out;
          }};
}

TEST_F(JudgeOf, WorkMayBeDoneByWaitAndRaisedThere) {
  Route r = find_route(find_op("many"), "perfect");
  const Reject thirteen{fakes::one(5, "const-13"), Reason::domain, "13"};
  r.prepare = [](const Call& c, const std::vector<Spec>& s) { return late(c, s, false); };
  EXPECT_EQ(Judge(find_op("many"), fakes::one(5, "uniform")).on(r, Device{}).reason, "");
  EXPECT_EQ(judge_reject(find_op("many"), thirteen, r, Device{}).reason, "");
  r.prepare = [](const Call& c, const std::vector<Spec>& s) { return late(c, s, true); };
  EXPECT_EQ(judge_reject(find_op("many"), thirteen, r, Device{}).reason, "");
}

// A residual that looks at a part of what it is given.
TEST_F(JudgeOf, ARowThatLooksAtAPartFails) {
  Op op = find_op("root");
  op.tolerance.residual = [](const Call&, const std::vector<Tensor>& got, const Order&) {
    Deviation d;
    d.compared = got[0].size() - 1;
    return d;
  };
  const Verdict v = Judge(op, fakes::rows(3, 40, "uniform")).on(find_route(find_op("root"), "perfect"), Device{});
  EXPECT_EQ(v.status, Status::fail);
  EXPECT_EQ(v.reason, "119 of 120 elements were compared");
}

TEST_F(JudgeOf, TheFirstTroubleIsTold) {
  const auto wrong = [](const Call& call, Out& out) {
    fakes::right(call, out);
    fakes::flip(out[0], 1);
  };
  const Case c = fakes::one(5, "uniform");
  EXPECT_EQ(of("many", c,
               [&](const Call& call, Out& out, int) {
                 wrong(call, out);
                 *fakes::at(out[1], out[1].size()) = {};
               })
                .reason,
            "output 1 was written outside its bounds");
  const Verdict v = of("many", c, [&](const Call& call, Out& out, int) {
    wrong(call, out);
    call.in[0].write<float>()[4] += 1;
  });
  EXPECT_EQ(v.reason, "an input was changed") << "bounds of other inputs say nothing of the element";
  EXPECT_EQ(v.compared, 0);
}

// An output that is a view of an input is not poisoned between launches, or the input would change.
TEST_F(JudgeOf, AnOutputMayBeTheInput) {
  Op op = find_op("scaled");
  op.tolerance = {}, op.tolerance.kind = Tolerance::Class::exact;
  op.oracle = [](const Call& call) { return std::vector<Wide>{widen(call.in[0])}; };
  Route r = find_route(find_op("scaled"), "perfect");
  r.prepare = [](const Call& call, const std::vector<Spec>&) -> Job {
    return {[] {}, [] {}, [call] { return Out{call.in[0]}; }};
  };
  const Verdict v = Judge(op, fakes::rows(3, 40, "uniform")).on(r, Device{});
  EXPECT_EQ(v.status, Status::pass) << v.reason;
}

// The worst of all launches, whichever has it.
TEST_F(JudgeOf, TheWorstElementIsKept) {
  for (const bool first : {true, false}) {
    const Op& op = find_op("scaled");
    const Case c = fakes::rows(3, 40, "uniform");
    const Tensor of_a = realize(op, c, 0)[0];
    const Verdict v = of("scaled", c, [&](const Call& call, Out& out, int) {
      fakes::right(call, out);
      const bool is_a = std::equal(of_a.read<float>(), of_a.read<float>() + 120, call.in[0].read<float>());
      if (is_a == first) out[0].write<float>()[7] *= 1 + 0x1p-13F;
    });
    EXPECT_EQ(v.status, Status::pass) << v.reason;
    EXPECT_NEAR(v.worst.ratio, 0.5, 0.01) << first;
    EXPECT_EQ(v.worst.at, 7) << first;
  }
}

}  // namespace
}  // namespace plumb
