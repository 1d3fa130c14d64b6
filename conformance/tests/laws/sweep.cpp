// Salts, instruction sets and thread counts: what changes with them, and that a fault in one of them alone is found
// there and named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "conformance/check.h"
#include "core/pool.h"

namespace plumb {
namespace {

using ::testing::ElementsAre;

constexpr const char* kCase = "add/f32.7.row.uniform+f32.7.row.uniform/-";

std::vector<Tensor> right(const Call& call) { return run(call, find_route(*call.op, kReference)); }

template <std::vector<Tensor> (*F)(const Call&)>
Route route() {
  Route r;
  r.op = "add";
  r.name = "cpu.planted";
  r.prepare = [](const Call& call, const std::vector<Spec>&) -> Job {
    auto out = std::make_shared<std::vector<Tensor>>();
    return {[call, out] { *out = F(call); }, [] {}, [out] { return *out; }};
  };
  return r;
}

std::vector<Tensor> spoilt(const Call& call) {
  std::vector<Tensor> out = right(call);
  out[0].write<float>()[6] += 1;
  return out;
}

std::vector<Tensor> wrong_with_three_of_avx2(const Call& call) {
  return isa() == Isa::avx2 && threads() == 3 ? spoilt(call) : right(call);
}

std::uint32_t first_word(const Call& call) {
  std::uint32_t word;
  std::memcpy(&word, call.in[0].read<std::byte>(), sizeof word);
  return word;
}

std::uint32_t word_of(std::uint64_t data) {
  const auto [op, c] = parse_case(kCase);
  return first_word(make_call(*op, realize(*op, c, data), c.attrs));
}

// Wrong for data set B of salt 7 alone.
std::vector<Tensor> wrong_for_one_data_set(const Call& call) {
  return first_word(call) == word_of(15) ? spoilt(call) : right(call);
}

std::vector<std::string> failing(const Route& r, const std::vector<Setting>& all) {
  const auto [op, c] = parse_case(kCase);
  Judge judge(*op, c);
  std::vector<std::string> found;
  under_each(
      r, all, [&] { return judge.on(r, Device{}); },
      [&](const Verdict& v, const std::optional<Setting>& s) {
        if (v.status != Status::pass) found.push_back(std::string(name(v.status)) + " " + to_string(*s));
      });
  return found;
}

TEST(Sweep, AFaultUnderOneSettingIsFoundThere) {
  if (best_isa() < Isa::avx2) GTEST_SKIP() << "this processor has no avx2";
  const Setting before = current_setting();
  const auto all = settings({Isa::base, Isa::avx2}, {1, 2, 3});
  EXPECT_EQ(6u, all.size());
  EXPECT_THAT(failing(route<wrong_with_three_of_avx2>(), all), ElementsAre("fail avx2, 3 threads"));
  EXPECT_THAT(failing(route<right>(), all), ElementsAre());
  EXPECT_EQ(before.isa, current_setting().isa);
  EXPECT_EQ(before.threads, current_setting().threads);
}

TEST(Sweep, AnInstructionSetThatIsMissingIsAbsent) {
  const Isa beyond = static_cast<Isa>(static_cast<int>(best_isa()) + 1);
  EXPECT_NE("", why_absent({beyond, 1}));
  EXPECT_EQ("", why_absent({best_isa(), 1}));
  int asked = 0;
  Status status = Status::pass;
  under_each(
      route<right>(), {{beyond, 1}}, [&] { return ++asked, Verdict{}; },
      [&](const Verdict& v, const std::optional<Setting>&) { status = v.status; });
  EXPECT_EQ(0, asked);
  EXPECT_EQ(Status::absent, status);
}

TEST(Sweep, ADeviceRouteRunsOnce) {
  Route r = route<right>();
  r.needs = Tier::gpu;
  int asked = 0;
  under_each(
      r, settings({}, {1, 2, 3}), [&] { return ++asked, Verdict{}; },
      [&](const Verdict&, const std::optional<Setting>& s) { EXPECT_FALSE(s); });
  EXPECT_EQ(1, asked);
}

TEST(Sweep, EveryPairOfTheListsOnce) {
  std::vector<std::string> texts;
  for (const Setting& s : settings({Isa::base, Isa::avx512}, {1, 3})) texts.push_back(to_string(s));
  EXPECT_THAT(texts, ElementsAre("base, 1 thread", "avx512, 1 thread", "base, 3 threads", "avx512, 3 threads"));
  EXPECT_EQ(" --isa=avx512 --threads=3", options_text({Isa::avx512, 3}));
  EXPECT_EQ(1u, settings({}, {}).size());
}

Status with_salt(std::uint64_t salt) {
  const auto [op, c] = parse_case(kCase);
  return Judge(*op, c, salt).on(route<wrong_for_one_data_set>(), Device{}).status;
}

TEST(Salt, ChoosesBothDataSets) {
  EXPECT_EQ(Status::fail, with_salt(7));
  for (const std::uint64_t salt : {0, 6, 8, 14, 15}) EXPECT_EQ(Status::pass, with_salt(salt)) << salt;
}

TEST(Salt, StandsInTheReproLineWhereItIsNotTheUsualOne) {
  EXPECT_EQ("", salt_option(0));
  EXPECT_EQ(" --salt=7", salt_option(7));
}

}  // namespace
}  // namespace plumb
