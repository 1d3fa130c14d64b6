// Work in a process of its own: whatever becomes of it, the caller hears of it and is whole.
#include "core/child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace plumb {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr double kLong = 20, kShort = 0.2;

ChildEnd one(const std::function<void(const Tell&)>& work, double seconds = kLong) {
  return run_children({{work}}, seconds).front();
}

void expect_no_children() {
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Child, TellsWordsInTheirOrder) {
  const std::string large(100'000, 'x'), odd("a\0b\n", 4);
  const ChildEnd end = one([&](const Tell& tell) { tell(large), tell(""), tell(odd); });
  EXPECT_EQ(end.trouble, "");
  EXPECT_THAT(end.told, ElementsAre(large, "", odd));
  expect_no_children();
}

TEST(Child, WhateverEndsItIsNamed) {
  EXPECT_EQ(one([](const Tell&) { std::abort(); }).trouble, "died of signal 6 (Aborted)");
  EXPECT_EQ(one([](const Tell&) { ::raise(SIGSEGV); }).trouble, "died of signal 11 (Segmentation fault)");
  EXPECT_EQ(one([](const Tell&) { ::_exit(3); }).trouble, "ended with exit code 3");
  EXPECT_EQ(one([](const Tell&) { ::_exit(0); }).trouble, "ended with exit code 0");
  expect_no_children();
}

TEST(Child, WhatWasToldBeforeTheEndIsKept) {
  const ChildEnd end = one([](const Tell& tell) { tell("here"), std::abort(); });
  EXPECT_THAT(end.told, ElementsAre("here"));
  EXPECT_EQ(end.trouble, "died of signal 6 (Aborted)");
}

TEST(Child, SilenceIsHangingAndAWordIsASignOfLife) {
  const ChildEnd end = one([](const Tell&) { ::pause(); }, kShort);
  EXPECT_EQ(end.trouble, "hung: 0.2 s without an answer");
  const ChildEnd slow = one(
      [](const Tell& tell) {
        for (int i = 0; i < 3; ++i) ::usleep(300'000), tell("still here");
      },
      0.8);
  EXPECT_EQ(slow.trouble, "");
  expect_no_children();
}

// A driver may ignore what it is asked to heed.
TEST(Child, OneThatIgnoresSignalsIsKilled) {
  const ChildEnd end = one(
      [](const Tell&) {
        ::signal(SIGTERM, SIG_IGN);
        for (;;) ::pause();
      },
      kShort);
  EXPECT_THAT(end.trouble, StartsWith("hung"));
  expect_no_children();
}

TEST(Child, TheyRunSideBySide) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<ChildEnd> ends = run_children({{[](const Tell&) { ::pause(); }},
                                                   {[](const Tell& tell) { tell("good"); }},
                                                   {[](const Tell&) { ::pause(); }},
                                                   {[](const Tell&) { std::abort(); }}},
                                                  0.5);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(950));
  ASSERT_EQ(ends.size(), 4u);
  EXPECT_THAT(ends[0].trouble, StartsWith("hung"));
  EXPECT_EQ(ends[1].trouble, "");
  EXPECT_THAT(ends[1].told, ElementsAre("good"));
  EXPECT_THAT(ends[2].trouble, StartsWith("hung"));
  EXPECT_THAT(ends[3].trouble, StartsWith("died"));
  expect_no_children();
}

TEST(Child, WhatItPrintsGoesNowhereButItsLastLineIsKept) {
  ::testing::internal::CaptureStdout();
  const ChildEnd end = one([](const Tell&) {
    std::puts("to stdout");
    std::fflush(stdout);
    std::fputs("first\nthe reason\n\n", stderr);
    std::abort();
  });
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(end.printed, "the reason");
  EXPECT_EQ(one([](const Tell&) { throw std::runtime_error("why not"); }).printed, "why not");
}

TEST(Child, OneThatPrintsWithoutEndHangs) {
  const ChildEnd end = one(
      [](const Tell&) {
        for (;;) std::fputs("and so on\n", stderr);
      },
      kShort);
  EXPECT_THAT(end.trouble, StartsWith("hung"));
  EXPECT_LT(end.printed.size(), 100u);
}

TEST(Child, ItReadsNothingAndRunsNoHandlerOfTheCaller) {
  ::signal(SIGUSR1, [](int) { std::abort(); });
  const ChildEnd end = one([](const Tell& tell) {
    char c;
    tell(std::to_string(::read(STDIN_FILENO, &c, 1)));
    ::signal(SIGUSR1, SIG_IGN) == SIG_DFL ? tell("usual") : tell("inherited");
  });
  ::signal(SIGUSR1, SIG_DFL);
  EXPECT_EQ(end.trouble, "");
  EXPECT_THAT(end.told, ElementsAre("0", "usual"));
}

// A pipe that the grandchild holds open must not keep anybody waiting, and it is killed with its parent.
TEST(Child, WhatItBeganGoesWithIt) {
  const ChildEnd end = one([](const Tell& tell) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0)
      for (;;) ::pause();
    tell(std::to_string(grandchild));
  });
  EXPECT_EQ(end.trouble, "");
  ASSERT_EQ(end.told.size(), 1u);
  const pid_t grandchild = std::stoi(end.told[0]);
  bool gone = false;
  for (int i = 0; i < 200 && !gone; ++i) {
    gone = ::kill(grandchild, 0) != 0;
    if (!gone) {  // a zombie that nobody reaps in this container is gone as well
      std::ifstream stat("/proc/" + end.told[0] + "/stat");
      std::string pid, name, state = "Z";
      stat >> pid >> name >> state;
      gone = state == "Z";
    }
    if (!gone) ::usleep(10'000);
  }
  EXPECT_TRUE(gone);
}

TEST(Child, ACallerThatIgnoresSigchldHearsTheWordsToo) {
  ::signal(SIGCHLD, SIG_IGN);
  const ChildEnd good = one([](const Tell& tell) { tell("good"); });
  const ChildEnd bad = one([](const Tell&) { std::abort(); });
  ::signal(SIGCHLD, SIG_DFL);
  EXPECT_EQ(good.trouble, "");
  EXPECT_THAT(good.told, ElementsAre("good"));
  EXPECT_EQ(bad.trouble, "ended without an answer");
}

TEST(Child, NoneIsNoWork) { EXPECT_THAT(run_children({}, kShort), IsEmpty()); }

}  // namespace
}  // namespace plumb
