// What every verb does with a standard output that takes nothing, and with places that cannot be written to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"
#include "core/files.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// `after` redirects; it stands behind the arguments.
Ran shell(const std::string& line) {
  const std::string set = "export PYTHONHOME=/nonexistent PLUMB_DEVICE=none; ";
  return run_shell("/bin/bash -c '" + set + line + "'");
}

const std::string kProgram = "\"" PLUMB_PROGRAM "\" ";

std::vector<std::string> every_verb() {
  const std::string folder = temporary("verbs");
  (void)shell(kProgram + "repro total/f32.3x8.row.uniform/-@perfect --dump \"" + folder + "/dump\" >/dev/null");
  return {"--help",
          "--version",
          "devices",
          "devices --json",
          "list ops",
          "list ops --markdown",
          "list routes",
          "list cases --json",
          "list fills",
          "check total --budget=smoke --route=perfect",
          "check total --budget=smoke --route=perfect --json",
          "explain total/f32.3x8.row.uniform/-",
          "repro total/f32.3x8.row.uniform/-@perfect",
          "repro total/f32.3x8.row.uniform/-@perfect --json",
          "replay \"" + folder + "/dump\" --route=perfect",
          "report total --budget=smoke --no-bench --out \"" + folder + "/report\""};
}

TEST(Streams, AFullStandardOutputIsAnErrorOfEveryVerb) {
  for (const std::string& verb : every_verb()) {
    const Ran ran = shell(kProgram + verb + " 2>&1 >/dev/full");
    EXPECT_EQ(2, ran.code) << verb;
    EXPECT_THAT(ran.out, HasSubstr("standard output: No space left on device")) << verb;
  }
}

TEST(Streams, AClosedStandardOutputIsAnErrorOfEveryVerb) {
  for (const std::string& verb : every_verb()) {
    const Ran ran = shell(kProgram + verb + " 2>&1 >&-");
    EXPECT_EQ(2, ran.code) << verb;
    EXPECT_THAT(ran.out, HasSubstr("standard output: is closed")) << verb;
  }
}

TEST(Streams, APipeThatNobodyReadsIsAnErrorAndNoSignal) {
  for (const std::string& verb : every_verb()) {
    const Ran ran = shell("( sleep 0.02; exec " + kProgram + verb + " ) 2>&1 > >(exec >&- <&-) ; exit $?");
    EXPECT_EQ(2, ran.code) << verb;
    EXPECT_THAT(ran.out, HasSubstr("standard output: Broken pipe")) << verb;
  }
}

TEST(Streams, AClosedStreamIsTakenByNoFile) {
  const std::string folder = temporary("closed");
  const Ran ran = shell(kProgram + "repro total/f32.3x8.row.uniform/-@perfect --dump \"" + folder + "\" <&- 2>&-");
  EXPECT_EQ(0, ran.code);
  EXPECT_EQ('[', read_file(folder + "/cases.json").front());
}

TEST(Streams, PlacesAreTriedBeforeTheWork) {
  const std::string file = temporary("a_file");
  write_file(file, "kept");
  for (const char* verb : {"check total --budget=smoke --save-failures ",
                           "repro total/f32.3x8.row.uniform/-@perfect --dump ", "report total --no-bench --out "})
    for (const std::string& place : {file, file + "/deeper", std::string("/dev/null"), std::string("/proc/none")}) {
      const Ran ran = shell(kProgram + std::string(verb) + "\"" + place + "\" 2>&1");
      EXPECT_EQ(2, ran.code) << verb << place << "\n" << ran.out;
      EXPECT_THAT(ran.out, HasSubstr(place)) << verb;
      EXPECT_EQ(ran.out.find("passed"), std::string::npos) << verb << place << "\n" << ran.out;
    }
  EXPECT_EQ("kept", read_file(file));
}

TEST(Streams, TheTallyIsPrintedWhereFailuresCannotBeSaved) {
  const std::string folder = temporary("full");
  fs::create_directories(folder);
  fs::create_symlink("/dev/full", folder + "/cases.json");
  const Ran ran = shell(kProgram + "check many --route=wrong --budget=smoke --save-failures \"" + folder + "\" 2>&1");
  EXPECT_EQ(2, ran.code) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("3 passed, 3 failed, 0 skipped"));
  EXPECT_THAT(ran.out, HasSubstr("No space left on device"));
}

// A limit on the size of files, which the shell counts in kilobytes, is a disk that fills.
TEST(Streams, ADiskThatFillsLeavesTheOldFileAndNoPart) {
  const std::string folder = temporary("fills");
  fs::create_directories(folder);
  write_file(folder + "/tests", "old");
  const Ran ran = shell("ulimit -f 0; " + kProgram + "list ctest --program p --out \"" + folder + "/tests\" 2>&1");
  EXPECT_EQ(2, ran.code);
  EXPECT_THAT(ran.out, HasSubstr("File too large"));
  EXPECT_EQ("old", read_file(folder + "/tests"));
  EXPECT_EQ(1, std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace
}  // namespace plumb
