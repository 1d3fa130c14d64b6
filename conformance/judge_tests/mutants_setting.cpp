// Settings of CPU routes, and the globs of queries, in worked examples.
#include <gtest/gtest.h>

#include <thread>

#include "conformance/check.h"
#include "conformance/setting.h"
#include "core/text.h"

namespace plumb {
namespace {

TEST(SettingWords, NameBothParts) {
  EXPECT_EQ(to_string(Setting{Isa::base, 1}), "base, 1 thread");
  EXPECT_EQ(to_string(Setting{Isa::avx2, 2}), "avx2, 2 threads");
  EXPECT_EQ(options_text({Isa::avx512, 3}), " --isa=avx512 --threads=3");
}

TEST(SettingPlain, IsTheBestOfThisMachine) {
  const int all = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  EXPECT_TRUE(is_plain({best_isa(), all}));
  EXPECT_FALSE(is_plain({best_isa(), all + 1}));
  if (best_isa() != Isa::base) {
    EXPECT_FALSE(is_plain({Isa::base, all}));
  }
  EXPECT_EQ(why_absent({best_isa(), 1}), "");
  EXPECT_EQ(why_absent({Isa::base, 1}), "");
  if (best_isa() != Isa::avx512) {
    EXPECT_EQ(why_absent({Isa::avx512, 1}), "this processor has no avx512");
  }
}

TEST(SettingPairs, AreEveryPairOrTheCurrentOne) {
  const Setting now = current_setting();
  std::string told;
  for (const Setting& s : settings({Isa::base, Isa::avx2}, {1, 2})) told += to_string(s) + "; ";
  EXPECT_EQ(told, "base, 1 thread; avx2, 1 thread; base, 2 threads; avx2, 2 threads; ");
  const auto one = settings({}, {}), counts = settings({}, {7}), isas = settings({Isa::base}, {});
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(to_string(one[0]), to_string(now));
  EXPECT_EQ(to_string(counts.at(0)), to_string(Setting{now.isa, 7}));
  EXPECT_EQ(to_string(isas.at(0)), to_string(Setting{Isa::base, now.threads}));
}

TEST(SettingUnder, HoldsWhileItLives) {
  const Setting now = current_setting();
  {
    const Under under({Isa::base, now.threads + 1});
    EXPECT_EQ(to_string(current_setting()), to_string(Setting{Isa::base, now.threads + 1}));
  }
  EXPECT_EQ(to_string(current_setting()), to_string(now));
}

TEST(SettingAsked, OnceForDevicesAndTheReferenceElseForEach) {
  Route r;
  const auto asked = [&](std::string_view name, Tier needs) {
    r.name = name, r.needs = needs;
    std::string told;
    under_each(
        r, settings({Isa::base}, {1, 2}), [] { return Verdict{}; },
        [&](const Verdict& v, const std::optional<Setting>& s) {
          told += std::string(plumb::name(v.status)) + (s ? " " + to_string(*s) : "") + "; ";
        });
    return told;
  };
  EXPECT_EQ(asked("cpu.one", Tier::unavailable), "pass base, 1 thread; pass base, 2 threads; ");
  EXPECT_EQ(asked("gpu.one", Tier::gpu), "pass; ");
  EXPECT_EQ(asked(kReference, Tier::unavailable), "pass; ");
}

TEST(Salt, IsToldWhereItIsNotTheUsualOne) {
  EXPECT_EQ(salt_option(0), "");
  EXPECT_EQ(salt_option(7), " --salt=7");
}

TEST(Glob, StarsMeanAnyTextAndMarksOneCharacter) {
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},          {"*", ""},      {"**", ""},           {"*", "abc"},   {"a*", "a"},
           {"a*c", "abbc"},   {"a*c", "ac"},  {"*c", "ccc"},        {"a?c", "abc"}, {"?", "x"},
           {"*b*", "abc"},    {"*ab", "aab"}, {"a*b*c", "axbxbxc"}, {"a*?", "ab"},  {"*a?b", "aacaxb"},
           {"abc***", "abc"}, {"?*", "ab"},   {"*.*", "a.b"},       {"*", "*"},     {"a*", "a*b"}})
    EXPECT_TRUE(glob(pattern, text)) << pattern << " " << text;
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{{"", "a"},
                                                                                      {"a", ""},
                                                                                      {"?", ""},
                                                                                      {"a?", "a"},
                                                                                      {"a*c", "abb"},
                                                                                      {"abc", "abd"},
                                                                                      {"ab", "abc"},
                                                                                      {"abc", "ab"},
                                                                                      {"*b", "abc"},
                                                                                      {"a*b", "ac"},
                                                                                      {"?", "ab"},
                                                                                      {"*ab?", "ab"},
                                                                                      {"a*b*c", "acb"},
                                                                                      {"abc*d", "abc"}})
    EXPECT_FALSE(glob(pattern, text)) << pattern << " " << text;
  EXPECT_FALSE(glob(std::string_view("abc*").substr(0, 3), "abcd"));
  EXPECT_FALSE(glob(std::string_view("abc?").substr(0, 3), "abcd"));
  EXPECT_FALSE(glob(std::string_view("abcd").substr(0, 3), "abcd"));
  EXPECT_FALSE(glob("abc", std::string_view("abc").substr(0, 2)));
}

TEST(Glob, ABackslashTakesTheNextCharacterAsItIs) {
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{
           {"a\\*", "a*"}, {"\\?\\*", "?*"}, {"*\\**", "ab*c"}, {"a\\\\b", "a\\b"}, {"a\\", "a\\"}, {"\\a", "a"}})
    EXPECT_TRUE(glob(pattern, text)) << pattern << " " << text;
  for (const auto& [pattern, text] : std::vector<std::pair<std::string, std::string>>{
           {"a\\*", "ab"}, {"\\?", "x"}, {"*\\**", "abc"}, {"a\\\\b", "ab"}, {"\\*", ""}})
    EXPECT_FALSE(glob(pattern, text)) << pattern << " " << text;
}

TEST(Glob, OfATextMatchesItAndIsPrintable) {
  for (const std::string text : {"", "plain", "a*?\\", "tab\there", "\x1b[2J",
                                 "\xc2\x9b"
                                 "1m",
                                 "umlaut \xc3\xa4"}) {
    const std::string pattern = glob_of(text);
    EXPECT_TRUE(glob(pattern, text)) << text;
    EXPECT_EQ(pattern, printable(pattern));
    EXPECT_FALSE(glob(pattern, text + "x")) << text;
  }
  EXPECT_FALSE(glob(glob_of("a*"), "ab"));
}

}  // namespace
}  // namespace plumb
