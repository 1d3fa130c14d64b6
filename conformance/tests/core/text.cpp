// Words for people and for shells.
#include "core/text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "conformance/tests/ran.h"

namespace plumb {
namespace {

TEST(Text, NearestNamesComeInTheOrderOfTheirDistance) {
  EXPECT_EQ(nearest("argsrt", {"sort", "argsort", "add", "argmax"}), "; nearest: argsort, argmax, sort");
  EXPECT_EQ(nearest("x", {"y", "y"}), "; nearest: y");
  EXPECT_EQ(nearest("x", {}), "");
  EXPECT_EQ(nearest(std::string(1 << 20, 'a'), {"a"}), "; nearest: a") << "and a long word costs no square";
}

TEST(Text, PrintableHasNoControlCharacters) {
  EXPECT_EQ(printable("plain"), "plain");
  EXPECT_EQ(printable("a\nb\tc\x1b[0m\x7f"), "a\\nb\\tc\\x1b[0m\\x7f");
  EXPECT_EQ(printable(std::string("\0x", 2)), "\\x00x");
  EXPECT_EQ(printable("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"), "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(printable("\xff\xfe{"), "\\xff\\xfe{") << "UTF-16";
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "a control sequence in two bytes";
  EXPECT_EQ(printable("\xc0\x8a"), "\\xc0\\x8a") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond the last";
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82") << "cut";
}

std::string shell(const std::string& line) {
  const Ran r = run_shell(line);
  EXPECT_EQ(r.code, 0) << line;
  return r.out;
}

TEST(Text, AShellWordIsThatTextToAShell) {
  for (const std::string text : {"plain-1.0/x:y=z,%", "a@b", "a+b", "a b", "a'b", "$(echo no) `echo no` $HOME", "*",
                                 "?", "", "~", "#x", "\"", "\\", "!1", "a;b|c&d>e<f(g)h{i}[j]", "'", "''"})
    EXPECT_EQ(shell("printf %s " + shell_word(text)), text);
  EXPECT_EQ(shell_word("plain"), "plain");
  EXPECT_EQ(shell_path("/a/b"), "/a/b");
  EXPECT_EQ(shell_path("/a\n'b"), "'/a'?''\\''b'");
}

TEST(Text, NumbersAreTheShortestThatReadBack) {
  EXPECT_EQ(shortest(1e-50), "1e-50");
  EXPECT_EQ(shortest(1.0000000001), "1.0000000001");
  EXPECT_EQ(shortest(0), "0");
  EXPECT_EQ(shortest(-0.0), "-0");
  EXPECT_EQ(shortest(NAN), "nan");
  EXPECT_EQ(shortest(-INFINITY), "-inf");
}

}  // namespace
}  // namespace plumb
