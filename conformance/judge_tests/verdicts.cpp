// Every verdict of the judge, on routes whose fault is known, with the number of elements that it compared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "conformance/judge_tests/fakes.h"
#include "core/fill.h"

namespace plumb {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::testing::Return;

class Verdicts : public testing::Test {
 protected:
  void SetUp() override { fakes::install(); }
};

Case with_y(std::int64_t n, Layout layout = Layout::row) {
  Case c = fakes::one(n, "uniform");
  c.in[0]->layout = layout;
  c.in.push_back(Input{Dtype::f32, {n}, Layout::row, "uniform"});
  return c;
}

std::int64_t elements(const Op& op, const Case& c, std::uint64_t data = 0) {
  const Call call = make_call(op, realize(op, c, data), c.attrs);
  std::vector<Tensor> right;
  for (const Wide& w : op.oracle(call)) right.push_back(narrow(w, output_specs(call)[right.size()].dtype));
  std::int64_t n = 0;
  for (const Tensor& t : active(call, right)) n += t.size();
  return n;
}

Verdict judged(std::string_view op, const Case& c, const Route& r) { return Judge(find_op(op), c).on(r, Device{}); }

TEST_F(Verdicts, EveryRouteIsJudgedAsItMustBe) {
  for (const fakes::Plan& p : fakes::plans()) {
    const Op& op = find_op(p.op);
    for (const Case& c : cases_of(op, Budget::ci)) {
      fakes::forget();
      const Verdict v = judged(p.op, c, find_route(op, p.name));
      if (p.order || elements(op, c) == 0) continue;  // mistrust and empty outputs have tests of their own
      EXPECT_EQ(v.status, p.says.empty() ? Status::pass : Status::fail)
          << id(op, c) << "@" << p.name << ": " << v.reason;
      EXPECT_THAT(v.reason, HasSubstr(std::string(p.says))) << id(op, c) << "@" << p.name;
    }
  }
}

TEST_F(Verdicts, ARouteThatIsRunByItsNameTellsOfMemoryByIt) {
  const Call call = make_call("many", {tensor(Dtype::f32, {7}, {1, 2, 3, 4, 5, 6, 7})}, {});
  try {
    (void)run(call, find_route(*call.op, "no_room"));
    FAIL() << "nothing was raised";
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::memory);  // 7 of f32 in, 7 each of f32, f16, u32, c64 and f64 out
    EXPECT_STREQ(e.what(),
                 "[many] memory: route no_room: an allocation failed; inputs and outputs alone are 210 bytes");
  }
}

TEST_F(Verdicts, ARightRouteHasEveryElementComparedInThreeLaunches) {
  for (const Op& op : ops())
    for (const Case& c : cases_of(op, Budget::ci)) {
      const Verdict v = judged(op.name, c, find_route(op, "perfect"));
      EXPECT_EQ(v.status, Status::pass) << id(op, c) << ": " << v.reason;
      EXPECT_EQ(v.reason, "");
      EXPECT_EQ(v.compared, 2 * elements(op, c) + elements(op, c, 1)) << id(op, c);
      EXPECT_EQ(v.vacant, elements(op, c) == 0) << id(op, c);
      EXPECT_EQ(v.worst.unbounded, 0);
    }
}

TEST_F(Verdicts, WhatWasComparedIsCountedWhereALaunchFails) {
  const auto compared = [](const char* route) {
    return judged("many", with_y(33), find_route(find_op("many"), route)).compared;
  };
  constexpr std::int64_t kAll = 5 * 33;
  EXPECT_EQ(compared("wrong"), kAll);
  EXPECT_EQ(compared("unsteady"), 2 * kAll);
  EXPECT_EQ(compared("lazy"), 2 * kAll);
  EXPECT_EQ(compared("stale"), 3 * kAll);
  EXPECT_EQ(compared("wrong_shape"), 0);
  EXPECT_EQ(compared("throws"), 0);
  EXPECT_EQ(compared("never"), 0);
  EXPECT_EQ(compared("gpu.perfect"), 0);
}

// Positions where a comparison that stops early, or looks at some outputs only, sees nothing.
std::vector<std::int64_t> positions(std::int64_t n) {
  std::vector<std::int64_t> at{0, 1, n / 2, n - 2, n - 1};
  for (const std::int64_t p : {63, 64, 255, 256, 1023, 1024, 4095, 4096})
    if (p < n) at.push_back(p);
  std::mt19937 random(20240229);
  for (int i = 0; i < 4; ++i) at.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)));
  return at;
}

TEST_F(Verdicts, OneWrongElementOfOneOutputFailsWhereverItIs) {
  Judge judge(find_op("many"), with_y(fakes::kLarge));
  for (std::size_t output = 0; output < 5; ++output)
    for (const std::int64_t i : positions(fakes::kLarge)) {
      const Verdict v = judge.on(fakes::route_that("many",
                                                   [=](const Call& call, std::vector<Tensor>& out, int) {
                                                     fakes::right(call, out);
                                                     fakes::flip(out[output], i);
                                                   }),
                                 Device{});
      EXPECT_EQ(v.status, Status::fail) << output << " " << i;
      EXPECT_THAT(v.reason, HasSubstr("in output " + std::to_string(output) + " at " + std::to_string(i) + ":"));
      EXPECT_EQ(v.worst.output, static_cast<int>(output));
      EXPECT_EQ(v.compared, 5 * fakes::kLarge);
    }
}

// One element of each class moved far beyond any bound.
TEST_F(Verdicts, OneWrongElementFailsInEveryClass) {
  for (const std::string_view op : {"total", "scaled", "root", "turned", "pick"}) {
    const Case c = fakes::rows(7, 713, "uniform");
    Judge judge(find_op(op), c);
    const std::int64_t n = elements(find_op(op), c);
    for (const std::int64_t i : positions(n)) {
      const Verdict v = judge.on(fakes::route_that(op,
                                                   [=](const Call& call, std::vector<Tensor>& out, int) {
                                                     fakes::right(call, out);
                                                     auto* p = reinterpret_cast<float*>(fakes::at(out[0], i));
                                                     *p = op == "pick" ? std::fmod(*p + 1, 713.0F) : *p + 5;
                                                   }),
                                 Device{});
      EXPECT_EQ(v.status, Status::fail) << op << " " << i << " " << to_string(v.worst);
      EXPECT_EQ(v.compared, n) << op;
    }
  }
}

TEST_F(Verdicts, RowsBeyondTheActiveOnesAreNeitherComparedNorCounted) {
  const Op& op = find_op("kept");
  const Case c = fakes::one(fakes::kLarge, "uniform");
  Judge judge(op, c);
  const std::int64_t rows = elements(op, c) - 1, other = elements(op, c, 1) - 1, most = std::max(rows, other);
  ASSERT_GT(rows, 1);
  ASSERT_LT(most, fakes::kLarge - 1);
  const auto on = [&](std::int64_t at) {
    return judge.on(fakes::route_that("kept",
                                      [=](const Call& call, std::vector<Tensor>& out, int) {
                                        fakes::right(call, out);
                                        fakes::flip(out[0], at);
                                      }),
                    Device{});
  };
  EXPECT_EQ(on(most).status, Status::pass) << "the first row that is not active";
  EXPECT_EQ(on(fakes::kLarge - 1).status, Status::pass);
  EXPECT_EQ(on(most).compared, 2 * (rows + 1) + other + 1);
  EXPECT_EQ(on(rows - 1).status, Status::fail) << "the last active row";
  const Verdict v = judge.on(fakes::route_that("kept",
                                               [](const Call& call, std::vector<Tensor>& out, int) {
                                                 fakes::right(call, out);
                                                 ++*out[1].write<std::uint32_t>();
                                               }),
                             Device{});
  EXPECT_THAT(v.reason, HasSubstr(std::to_string(rows + 1) + " active rows instead of " + std::to_string(rows)));
}

TEST_F(Verdicts, AChangedByteOfAnyInputFails) {
  for (const Layout layout : {Layout::row, Layout::padded})
    for (const std::size_t input : {0U, 1U})
      for (const std::size_t part : {0U, 1U, 2U, 3U, 4U}) {
        const Route& r = fakes::route_that("many", [=](const Call& call, std::vector<Tensor>& out, int) {
          fakes::right(call, out);
          Storage& s = call.in[input].storage();
          s.host_write()[part * (s.bytes() - 1) / 4] ^= std::byte{1};
        });
        const Verdict v = judged("many", with_y(33, layout), r);
        EXPECT_EQ(v.status, Status::fail) << name(layout) << " " << input << " " << part;
        EXPECT_THAT(v.reason, HasSubstr("an input was changed"));
      }
}

TEST_F(Verdicts, AWriteBesideAnInputFails) {
  for (const std::size_t input : {0U, 1U})
    for (const bool before : {true, false}) {
      const Route& r = fakes::route_that("many", [=](const Call& call, std::vector<Tensor>& out, int) {
        fakes::right(call, out);
        Storage& s = call.in[input].storage();
        s.host_write()[before ? std::ptrdiff_t{-1} : static_cast<std::ptrdiff_t>(s.bytes())] = {};
      });
      const Verdict v = judged("many", with_y(33), r);
      EXPECT_EQ(v.status, Status::fail) << input << before;
      EXPECT_THAT(v.reason, HasSubstr("outside its bounds"));
    }
}

TEST_F(Verdicts, AScratchBufferWrittenOutsideFails) {
  const Route& r = fakes::route_that("many", [](const Call& call, std::vector<Tensor>& out, int) {
    const Tensor scratch(Spec{Dtype::u8, {10}});
    *fakes::at(scratch, 10) = {};
    fakes::right(call, out);
  });
  EXPECT_THAT(judged("many", with_y(33), r).reason, HasSubstr("a host buffer of 10 bytes was written outside"));
}

TEST_F(Verdicts, TheSecondDataSetHasOtherValues) {
  std::set<std::string> values;
  const Route& r = fakes::route_that("many", [&](const Call& call, std::vector<Tensor>& out, int) {
    for (const Tensor& t : call.in)
      values.emplace(reinterpret_cast<const char*>(t.read<std::byte>()), static_cast<std::size_t>(4 * t.size()));
    fakes::right(call, out);
  });
  EXPECT_EQ(judged("many", with_y(33), r).status, Status::pass);
  EXPECT_EQ(values.size(), 4U) << "two inputs, two data sets";
}

TEST_F(Verdicts, NoFiniteBoundIsMistrustedAndCounted) {
  const Verdict v = judged("total", fakes::rows(3, 8, "uniform"), find_route(find_op("total"), "boundless"));
  EXPECT_EQ(v.status, Status::mistrusted);
  EXPECT_EQ(v.reason, "no finite bound follows for 9 of 9 elements");
  EXPECT_EQ(v.compared, 9);
  EXPECT_FALSE(v.vacant);
}

TEST_F(Verdicts, TheReasonOfARefusalIsTheRoutesOwn) {
  const Op& op = find_op("many");
  const Verdict refused = judged("many", with_y(33), find_route(op, "picky"));
  EXPECT_EQ(refused.status, Status::refused);
  EXPECT_EQ(refused.reason, "x has not 7 elements");
  const Verdict absent = judged("many", with_y(33), find_route(op, "gpu.perfect"));
  EXPECT_EQ(absent.status, Status::absent);
  EXPECT_EQ(absent.reason, "needs tier gpu, this device is unavailable");
}

class Machine : public Platform {
 public:
  MOCK_METHOD(std::vector<DeviceFacts>, devices, (), (override));
  MOCK_METHOD(Outcome, run, (const DeviceFacts&, TestKernel), (override));
};

TEST_F(Verdicts, ARouteRunsOnADeviceWhoseTestKernelIsRight) {
  Machine machine;
  EXPECT_CALL(machine, devices).WillRepeatedly(Return(std::vector<DeviceFacts>(1)));
  EXPECT_CALL(machine, run(_, _)).WillRepeatedly(Return(Outcome{false, "no"}));
  EXPECT_CALL(machine, run(_, TestKernel::add))
      .WillOnce(Return(Outcome{true, ""}))
      .WillOnce(Return(Outcome{false, "no"}));
  Judge judge(find_op("many"), with_y(33));
  const Route& r = find_route(find_op("many"), "gpu.perfect");
  const Verdict here = judge.on(r, probe_all(machine).at(0));
  EXPECT_EQ(here.status, Status::pass) << here.reason;
  EXPECT_EQ(here.compared, 3 * 5 * 33);
  EXPECT_EQ(judge.on(r, probe_all(machine).at(0)).status, Status::absent);
}

class Rejects : public Verdicts {
 protected:
  const Reject two_axes{fakes::rows(2, 3, "uniform"), Reason::rank, "two axes"};
  const Reject thirteen{fakes::one(5, "const-13"), Reason::domain, "13"};
  Verdict of(const Reject& reject, std::string_view route) {
    return judge_reject(find_op("many"), reject, find_route(find_op("many"), route), Device{});
  }
};

TEST_F(Rejects, AreRefusedForTheirOwnReason) {
  for (const char* route : {"perfect", "reference", "accepts_13"})
    EXPECT_EQ(of(two_axes, route).status, Status::pass) << "the gate stands before every route";
  EXPECT_EQ(of(thirteen, "perfect").status, Status::pass);
  EXPECT_EQ(of(thirteen, "reference").status, Status::pass);
  EXPECT_EQ(of(thirteen, "never").status, Status::refused);
  EXPECT_EQ(of(thirteen, "gpu.perfect").status, Status::absent);
  EXPECT_EQ(of(thirteen, "accepts_13").status, Status::fail);
  EXPECT_EQ(of(thirteen, "accepts_13").reason, "was accepted, but must be refused: 13");
  EXPECT_THAT(of(thirteen, "refuses_13_for_shape").reason,
              HasSubstr("for another reason than domain: [many] shape: no"));
  EXPECT_EQ(of(thirteen, "throws_at_13").status, Status::fail);
  EXPECT_EQ(of(thirteen, "throws_at_13").reason, "raised an untyped error: oh");
}

TEST_F(Rejects, NoReasonStandsForAnother) {
  const Reason all[] = {Reason::arity,  Reason::attribute, Reason::axis,  Reason::device,
                        Reason::domain, Reason::dtype,     Reason::file,  Reason::memory,
                        Reason::query,  Reason::rank,      Reason::shape, Reason::unsupported};
  for (const Reason wanted : all)
    for (const Reason given : all) {
      const Route& r =
          fakes::route_that("many", [given](const Call& call, std::vector<Tensor>&, int) { call.fail(given, "no"); });
      const Verdict v = judge_reject(find_op("many"), {fakes::one(5, "const-13"), wanted, "13"}, r, Device{});
      EXPECT_EQ(v.status, wanted == given ? Status::pass : Status::fail) << name(wanted) << " " << name(given);
    }
}

// What the judge relies on: the fill that makes special values makes each of them.
TEST(Fills, SpecialHoldsEveryKindOfValue) {
  for (const Dtype t : {Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64}) {
    const Wide w = widen(fill({t, {512}}, "special-4", 7));
    std::set<std::string> kinds;
    std::visit(
        [&]<class T>(const Array<T>& a) {
          if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Double2>)
            for (const T& e : a.data) {
              const double v = double(e);
              const std::string sign = std::signbit(v) ? "-" : "+";
              if (std::isnan(v)) kinds.insert("nan");
              else if (std::isinf(v)) kinds.insert(sign + "inf");
              else if (v == 0) kinds.insert(sign + "0");
              else if (std::abs(v) < info(t).min_normal) kinds.insert("subnormal");
              else if (std::abs(v) == info(t).max) kinds.insert("max");
            }
        },
        w);
    EXPECT_THAT(kinds, ::testing::IsSupersetOf({"nan", "+inf", "-inf", "+0", "-0", "subnormal", "max"})) << name(t);
  }
}

}  // namespace
}  // namespace plumb
