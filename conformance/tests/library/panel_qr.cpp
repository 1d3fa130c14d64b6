// QR by panels: exact sums, every code, sizing, the deadline, what f64 answers, and the measures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <random>

#include "core/device.h"
#include "library/factor.h"
#include "optimized/linalg/orthogonal/limbs.h"

namespace plumb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Sum = PanelQr::Sum;

std::vector<On> sides() {
  if (current_device().tier == Tier::unavailable) return {On::cpu};
  return {On::cpu, On::device};
}

Tensor gaussian(std::int64_t m, std::int64_t n, std::uint64_t key = 1, double scale = 1) {
  std::mt19937_64 words(key);
  std::normal_distribution<double> normal;
  std::vector<double> x(static_cast<std::size_t>(m * n));
  for (double& v : x) v = scale * normal(words);
  return tensor(Dtype::f32, {m, n}, x);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.spec() == b.spec() &&
         std::memcmp(a.read<std::byte>(), b.read<std::byte>(), static_cast<std::size_t>(a.size() * 4)) == 0;
}

// LAPACK's ratios, of which 30 is the threshold: of the norms here, over m u.
void expect_good(const QrResult& r, std::int64_t m, const std::string& what) {
  const double u = 0x1p-24, extent = static_cast<double>(m);
  EXPECT_LE(r.measures[0].orthogonality, 30 * u) << what;
  EXPECT_EQ(r.measures[0].triangularity, 0) << what;
  EXPECT_LE(r.measures[0].reconstruction, 30 * extent * u) << what;
}

std::vector<std::uint32_t> limbs(const std::vector<std::uint32_t>& q) {
  Limbs l;
  for (const std::uint32_t x : q) l.add(x, x);
  l.carry();
  return {l.words().begin(), l.words().begin() + 5};
}

TEST(Limbs128, HoldSquaresExactly) {
  EXPECT_THAT(limbs({0xFFFFFFFF}), ElementsAre(1, 0, 0xFFFE, 0xFFFF, 0));
  EXPECT_THAT(limbs({0xFFFFFFFF, 0xFFFFFFFF}), ElementsAre(2, 0, 0xFFFC, 0xFFFF, 1));
  EXPECT_THAT(limbs({0x00010001}), ElementsAre(1, 2, 1, 0, 0));
  EXPECT_THAT(limbs({0x80000000}), ElementsAre(0, 0, 0, 0x4000, 0));
}

float of_sum(std::uint32_t a, std::uint32_t b, std::uint32_t minus = 0) {
  Limbs plus, less;
  plus.add(a, b), less.add(minus, 1);
  plus.carry(), less.carry();
  return Limbs::difference(plus, less, 0);
}

// 2^24 + 1 lies between two floats, and so does its neighbour; half a unit more or less decides.
TEST(Limbs128, AreRoundedOnceToNearestEven) {
  constexpr std::uint32_t kTie = (1 << 24) + 1;
  EXPECT_EQ(of_sum(kTie, 1), 0x1p24f);
  EXPECT_EQ(of_sum(kTie + 2, 1), 0x1p24f + 4);
  EXPECT_EQ(of_sum(kTie, 1 << 31), 0x1p55f);
  EXPECT_EQ(of_sum(kTie + 2, 1 << 31), 0x1p55f + 0x4p31f);
  EXPECT_EQ(of_sum(4 * kTie + 1, 1), 0x1p26f + 8);
  EXPECT_EQ(of_sum(4 * kTie - 1, 1), 0x1p26f);
  EXPECT_EQ(of_sum(0, 0, kTie), -0x1p24f);
  EXPECT_EQ(of_sum(1, 1, kTie + 3), -(0x1p24f + 4));
}

// The float nearest to a whole number of 128 bits, which the C++ compiler's own long division finds.
float nearest(unsigned __int128 x, int e) {
  int drop = 0;
  while ((x >> drop) >> 24 != 0) ++drop;
  unsigned __int128 top = x >> drop;
  const unsigned __int128 one = 1, rest = drop == 0 ? 0 : x & ((one << drop) - 1),
                          half = drop == 0 ? 1 : one << (drop - 1);
  if (rest > half || (rest == half && drop > 0 && (top & 1) != 0)) ++top;
  return std::ldexp(static_cast<float>(top), drop + e);
}

// A column of m numbers between 1/2 and 1, of either sign: nothing of it is lost in 31 bits.
std::vector<double> column(std::int64_t m) {
  std::mt19937_64 words(9);
  std::vector<double> x(static_cast<std::size_t>(m));
  for (double& v : x) {
    const double bits = std::ldexp(static_cast<double>((1u << 23) | (words() >> 41)), -24);
    v = words() % 2 == 0 ? bits : -bits;
  }
  return x;
}

// r_00 of one column is the norm: the root of the sum of squares, rounded once each.
TEST(PanelQr, TheNormIsExact) {
  for (const On on : sides())
    for (const std::int64_t m : {2, 33, 1000, 20000}) {
      const std::vector<double> x = column(m);
      unsigned __int128 sum = 0;
      for (const double v : x) {
        const auto q = static_cast<std::uint64_t>(std::ldexp(std::abs(v), 31));
        sum += static_cast<unsigned __int128>(q) * q;
      }
      const float norm = std::sqrt(nearest(sum, -62));
      PanelQr o{.group = 1, .full = false, .busy_extent = 20000, .most_items = 1000000000};
      o.most_extent = 20000;
      const QrResult r = panel_qr(tensor(Dtype::f32, {m, 1}, x), o, on);
      EXPECT_EQ(r.runs[0].code, 0);
      EXPECT_EQ(std::abs(r.r.read<float>()[0]), norm) << m;
    }
}

TEST(PanelQr, GroupsOfEverySizeGiveTheSameBits) {
  for (const On on : sides()) {
    const Tensor a = gaussian(70, 40);
    const auto with = [&](std::int64_t group) {
      return panel_qr(a, {.panel = 16, .group = group, .most_items = 1 << 20}, on);
    };
    const QrResult one = with(1);
    expect_good(one, 70, "one thread");
    EXPECT_EQ(one.runs[0].code, 0);
    for (const std::int64_t group : {7, 32, 33, 1024}) {
      const QrResult r = with(group);
      EXPECT_EQ(r.answered(0), on == On::cpu ? "cpu.limbs" : "gpu.limbs");
      EXPECT_EQ(r.runs[0].group, group);
      EXPECT_TRUE(same_bits(r.q, one.q) && same_bits(r.r, one.r)) << group;
    }
  }
}

// What sums in f32 do: another result for another group, of norms and of the signed products each.
TEST(PanelQr, SumsInF32DriftAndExactOnesDoNot) {
  for (const On on : sides()) {
    const Tensor a = gaussian(200, 8);
    const auto with = [&](Sum norms, Sum dots, std::int64_t group) {
      const QrResult r = panel_qr(a, {.group = group, .norms = norms, .dots = dots, .most_items = 1 << 20}, on);
      EXPECT_EQ(r.runs[0].cause, "");
      return r.r;
    };
    for (const auto& [norms, dots] : {std::pair{Sum::strided, Sum::exact}, std::pair{Sum::exact, Sum::strided}})
      EXPECT_FALSE(same_bits(with(norms, dots, 1), with(norms, dots, 33)));
    EXPECT_TRUE(same_bits(with(Sum::exact, Sum::exact, 1), with(Sum::exact, Sum::exact, 33)));
  }
}

// The error of one signed product whose terms nearly cancel: r_01 of columns with v^T y far below |v|^T |y|.
TEST(PanelQr, SumsInF32LoseWhatCancels) {
  const std::int64_t m = 4096;
  const std::vector<double> x = column(m);
  std::vector<double> a;
  for (std::int64_t i = 0; i < m; ++i) {  // the second is the first with its halves exchanged, one of them negated
    const std::int64_t half = m / 2, twin = i ^ half;
    a.push_back(x[static_cast<std::size_t>(i)]);
    a.push_back(i % half == 0 ? 0
                              : (i < half ? 1 : -1) * x[static_cast<std::size_t>(twin)] + (i % 64 == 1 ? 0x1p-13 : 0));
  }
  double truth = 0, norm = 0;
  for (std::int64_t i = 0; i < m; ++i) {
    const auto at = static_cast<std::size_t>(2 * i);
    truth += a[at] * static_cast<double>(static_cast<float>(a[at + 1])), norm += a[at] * a[at];
  }
  truth = std::abs(truth) / std::sqrt(norm);  // |r_01| = |q_0 . a_1|
  for (const On on : sides()) {
    const auto error = [&](Sum dots) {
      PanelQr o{.group = 1, .dots = dots, .full = false, .busy_extent = 5000, .most_items = 100000000};
      const QrResult r = panel_qr(tensor(Dtype::f32, {m, 2}, a), o, on);
      EXPECT_EQ(r.answered(0), on == On::cpu ? "cpu.limbs" : "gpu.limbs");
      return std::abs(static_cast<double>(std::abs(r.r.read<float>()[1])) - truth);
    };
    EXPECT_LT(4 * error(Sum::exact), error(Sum::strided));
  }
}

// A norm of 20000 terms that one thread sums in f32 is off by more than reflectors may be: they are made anew.
TEST(PanelQr, APanelThatDriftsIsReflectedAnew) {
  PanelQr o{.group = 1, .norms = Sum::strided, .full = false, .drift = 1e-6};
  o.most_extent = o.busy_extent = 20000, o.most_items = 1000000000;
  const Tensor a = gaussian(20000, 2);
  for (const On on : sides()) {
    const QrResult r = panel_qr(a, o, on);
    EXPECT_EQ(r.runs[0].reorthogonalised, 1);
    EXPECT_EQ(r.reorthogonalised, 1);
    EXPECT_FALSE(r.runs[0].wider);
    EXPECT_EQ(r.runs[0].iterations, 2);
    EXPECT_LE(r.runs[0].drift, 1e-6);
    PanelQr exact = o;
    exact.norms = Sum::exact;
    EXPECT_EQ(panel_qr(a, exact, on).reorthogonalised, 0);
    o.drift = 0;  // nothing is that good: f64 answers
    const QrResult wide = panel_qr(a, o, on);
    EXPECT_EQ(wide.runs[0].cause, "orthogonality");
    EXPECT_TRUE(wide.runs[0].wider);
    expect_good(wide, 20000, "in f64");
    o.drift = 1e-6;
  }
}

TEST(PanelQr, EveryPanelAndShape) {
  for (const On on : sides())
    for (const auto& [m, n] : {std::pair{1, 1}, {8, 8}, {4, 8}, {8, 4}, {33, 32}, {150, 140}, {40, 150}})
      for (const std::int64_t panel : {1, 8, 32, 128})
        for (const bool full : {false, true}) {
          if (m < 33 && panel > 8) continue;
          const PanelQr o{.panel = panel, .group = 32, .full = full};  // one group: each is compiled on the device
          const QrResult r = panel_qr(gaussian(m, n), o, on);
          EXPECT_EQ(r.q.shape(), Shape({m, full ? m : std::min(m, n)}));
          EXPECT_EQ(r.runs[0].panels, (std::min(m, n) + panel - 1) / panel);
          expect_good(r, m, to_string(r.q.shape()) + " by " + std::to_string(panel));
        }
}

struct Coded {
  PanelQr options;
  int code;
};

TEST(PanelQr, EveryCodeAndWhoAnswersThen) {
  Coded all[] = {{{}, 1}, {{}, 2}, {{}, 2}, {{}, 2}, {{}, 3}, {{}, 5}};
  all[0].options.most_extent = 11;
  all[1].options.busy_extent = 11;
  all[2].options.group = 0;
  all[3].options.most_items = 1;
  all[4].options.most_iterations = 4;
  all[5].options.most_square = 0.5;
  const Tensor a = gaussian(12, 7);
  for (const On on : sides())
    for (Coded c : all) {
      const QrResult wide = panel_qr(a, c.options, on);
      EXPECT_EQ(wide.runs[0].code, c.code);
      EXPECT_EQ(wide.runs[0].cause, "code " + std::to_string(c.code));
      EXPECT_EQ(wide.answered(0), on == On::cpu ? "cpu.limbs in f64" : "gpu.limbs in f64");
      EXPECT_EQ(wide.wider, 1);
      expect_good(wide, 12, "code " + std::to_string(c.code));
      const auto& debug = wide.runs[0].debug;
      EXPECT_THAT(std::vector<float>(debug.begin(), debug.begin() + 4), ElementsAre(0, 12, 7, 7));
      EXPECT_EQ(debug[13], static_cast<float>(c.code));
      EXPECT_EQ(debug[14], static_cast<float>(wide.runs[0].value));
      c.options.wider = false;
      const QrResult alone = panel_qr(a, c.options, on);
      EXPECT_EQ(alone.answered(0), "");
      EXPECT_EQ(alone.failed, 1);
      EXPECT_TRUE(std::isnan(alone.q.read<float>()[0]) && std::isnan(alone.measures[0].orthogonality));
      EXPECT_EQ(alone.r.read<float>()[7], 0);
    }
}

TEST(PanelQr, Code4IsWhatIsNotFinite) {
  for (const On on : sides())
    for (const double x : {NAN, INFINITY, -INFINITY})
      for (const std::size_t at : {0u, 8u, 14u}) {  // columns 0, 3 and 4, of which Q has none
        std::vector<double> v(15, 1.0);
        for (std::size_t i = 0; i < 15; ++i) v[i] = static_cast<double>((i * 7) % 5);
        v[at] = x;
        const QrResult r = panel_qr(tensor(Dtype::f32, {3, 5}, v), {.panel = 2}, on);
        EXPECT_EQ(r.runs[0].code, 4);
        EXPECT_EQ(r.runs[0].column, static_cast<std::int64_t>(at % 5));
        EXPECT_EQ(r.runs[0].panel, static_cast<std::int64_t>(at % 5 / 2));
        EXPECT_EQ(r.answered(0), "");
      }
}

// Columns far apart in size have no code; one that is the sum of others, but for less than f32 holds, is of tiny norm.
TEST(PanelQr, TinyNormsAndScaledColumns) {
  for (const On on : sides()) {
    std::vector<double> v;
    for (int i = 0; i < 6; ++i)
      for (const double scale : {1e-20, 1.0, 1e20}) v.push_back(scale * std::cos(1.0 + i * (1 + scale / 1e20)));
    const QrResult scaled = panel_qr(tensor(Dtype::f32, {6, 3}, v), {}, on);
    EXPECT_EQ(scaled.runs[0].code, 0);
    EXPECT_FALSE(scaled.runs[0].wider);
    EXPECT_LE(scaled.measures[0].orthogonality, 30 * 0x1p-24);
    const Tensor tail = tensor(Dtype::f32, {3, 2}, {1, 1, 0, 0x1p-40, 0, 0x1p-41});
    const QrResult wide = panel_qr(tail, {}, on);
    EXPECT_EQ(wide.runs[0].cause, "tiny norm");
    EXPECT_EQ(wide.runs[0].column, 1);
    EXPECT_EQ(wide.answered(0), on == On::cpu ? "cpu.limbs in f64" : "gpu.limbs in f64");
    expect_good(wide, 3, "tiny");
    const QrResult kept = panel_qr(tail, {.wider = false}, on);
    EXPECT_EQ(kept.runs[0].skipped, 1);
    EXPECT_EQ(kept.failed, 0);
    EXPECT_EQ(kept.r.read<float>()[3], 0x1p-40f);
    const QrResult zero = panel_qr(tensor(Dtype::f32, {3, 2}, std::vector<double>(6, 0.0)), {}, on);
    EXPECT_EQ(zero.runs[0].cause, "");
    EXPECT_EQ(zero.measures[0].orthogonality, 0);
  }
}

TEST(PanelQr, PlansThreads) {
  EXPECT_EQ(planned_group(8, 8), 32);
  EXPECT_EQ(planned_group(5, 3), 32);
  EXPECT_EQ(planned_group(16, 16), 256);
  EXPECT_EQ(planned_group(32, 4), 256);
  EXPECT_EQ(planned_group(9, 2), 128);
  EXPECT_EQ(planned_group(33, 1), 1024);
  EXPECT_EQ(planned_group(512, 256), 1024);
  EXPECT_EQ(planned_group(std::int64_t{1} << 40, std::int64_t{1} << 40), 1024);
  for (std::int64_t m = 1; m < 70; ++m)
    for (std::int64_t n = 1; n < 70; ++n) {
      EXPECT_EQ(planned_group(m, n) % 32, 0);
      EXPECT_TRUE(planned_group(m, n) >= 32 && planned_group(m, n) <= 1024);
    }
}

// A clock that goes on by 10 ms each time that somebody looks.
std::function<double()> ticking(std::int64_t& looks) {
  return [&looks] { return 0.01 * static_cast<double>(looks++); };
}

TEST(PanelQr, ADeadlineBelowOneSecondIsAskedWithinTheWork) {
  const Tensor a = gaussian(60, 50);
  for (const On on : sides()) {
    std::int64_t looks = 0;
    try {
      (void)panel_qr(a, {.timeout = 0.055, .clock = ticking(looks)}, on);
      ADD_FAILURE() << "no error";
    } catch (const DeadlineError& e) {
      EXPECT_THAT(e.what(), HasSubstr("0.055 s had passed before column 5"));
    }
    EXPECT_EQ(looks, 7);  // the start, columns 0 to 4, and the one too late
    looks = 0;
    expect_good(panel_qr(a, {.timeout = 1000, .clock = ticking(looks)}, on), 60, "in time");
    EXPECT_GT(looks, 50);
    looks = 0;
    expect_good(panel_qr(a, {.timeout = 0, .clock = ticking(looks)}, on), 60, "without a limit");
    EXPECT_EQ(looks, 0);
  }
}

TEST(PanelQr, ADeadlineOfTheSteadyClockIsKept) {
  PanelQr o{.full = false, .timeout = 0.02};
  o.busy_extent = o.most_iterations = 5000;
  for (const On on : sides()) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THROW((void)panel_qr(gaussian(2000, 1500), o, on), DeadlineError);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(20));
    expect_good(panel_qr(gaussian(20, 10), {}, on), 20, "afterwards");
  }
}

TEST(PanelQr, ParametersThatMakeNoSense) {
  for (const PanelQr& o : {PanelQr{.panel = 0}, PanelQr{.panel = 129}, PanelQr{.group = -1}, PanelQr{.group = 1025},
                           PanelQr{.tiny = -1}, PanelQr{.drift = NAN}, PanelQr{.timeout = NAN}})
    for (const On on : sides()) try {
        (void)panel_qr(gaussian(3, 3), o, on);
        ADD_FAILURE();
      } catch (const Error& e) {
        EXPECT_EQ(e.reason(), Reason::attribute);
      }
  for (const On on : sides()) {
    EXPECT_THROW((void)panel_qr(tensor(Dtype::f64, {1, 1}, {1}), {}, on), Error);
    const QrResult none = panel_qr(Tensor(Spec{Dtype::f32, {2, 3, 0}}), {}, on);
    EXPECT_EQ(none.q.shape(), Shape({2, 3, 3}));
    EXPECT_EQ(none.q.read<float>()[9], 1);
    EXPECT_EQ(none.q.read<float>()[10], 0);
  }
}

}  // namespace
}  // namespace plumb
