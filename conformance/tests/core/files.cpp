// Where bytes come from and go to: links, FIFOs, devices, streams, modes, full and unwritable places.
#include "core/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "conformance/tests/temporary.h"
#include "core/error.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A new folder that is empty.
fs::path place(const std::string& name) {
  const fs::path folder = temporary(name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(Reason::file, e.reason()) << e.what();
    return e.what();
  }
  return "";
}

unsigned mode(const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()); }

TEST(Files, AFileIsReplacedWithItsModeAndNothingBesideIt) {
  const fs::path folder = place("replaced"), file = folder / "y";
  write_file(file, "old");
  fs::permissions(file, fs::perms{0640});
  const auto before = fs::file_size(file);
  std::ifstream reader(file);
  write_file(file, "the new one");
  std::string seen;
  reader >> seen;
  EXPECT_EQ(3u, before);
  EXPECT_EQ("old", seen) << "who has the old file open keeps it";
  EXPECT_EQ("the new one", read_file(file));
  EXPECT_EQ(0640u, mode(file));
  EXPECT_EQ(1u, entries(folder));
}

TEST(Files, WhatIsNotCommittedLeavesNothing) {
  const fs::path folder = place("dropped");
  write_file(folder / "y", "old");
  {
    Output out(folder / "y");
    out.write(std::string(3 << 20, 'x'));
    EXPECT_EQ(2u, entries(folder));
  }
  EXPECT_EQ(1u, entries(folder));
  EXPECT_EQ("old", read_file(folder / "y"));
}

TEST(Files, LinksAreFollowed) {
  const fs::path folder = place("links");
  fs::create_directory(folder / "far");
  write_file(folder / "far" / "file", "old");
  fs::create_symlink("far/file", folder / "one");
  fs::create_symlink(folder / "one", folder / "two");
  fs::create_symlink("far/new", folder / "dangling");
  fs::create_symlink("loop", folder / "loop");
  write_file(folder / "two", "through two links");
  write_file(folder / "dangling", "made");
  EXPECT_EQ("through two links", read_file(folder / "far" / "file"));
  EXPECT_EQ("made", read_file(folder / "far" / "new"));
  for (const char* link : {"one", "two", "dangling"}) EXPECT_TRUE(fs::is_symlink(folder / link)) << link;
  EXPECT_THAT(refusal([&] { Output out(folder / "loop"); }), HasSubstr("symbolic links"));
  EXPECT_EQ(5u, entries(folder));
}

TEST(Files, ADeviceOrFifoIsWrittenIntoAndStays) {
  const fs::path folder = place("nodes"), fifo = folder / "fifo", link = folder / "null";
  ASSERT_EQ(0, mkfifo(fifo.c_str(), 0600));
  fs::create_symlink("/dev/null", link);
  write_file("/dev/null", "gone");
  write_file(link, "gone");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_symlink(link));
  std::string got;
  std::thread reader([&] { got = read_file(fifo); });
  write_file(fifo, std::string(300000, 'x'));
  reader.join();
  EXPECT_EQ(std::string(300000, 'x'), got);
  EXPECT_TRUE(fs::is_fifo(fifo));
}

TEST(Files, ADescriptorIsAStreamAndNoFile) {
  const fs::path file = place("stream") / "log";
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(2, write(descriptor, "a ", 2));
  struct stat before {
  }, after{};
  fstat(descriptor, &before);
  write_file("/dev/fd/" + std::to_string(descriptor), "b");
  write_file("/proc/self/fd/" + std::to_string(descriptor), " c");
  stat(file.c_str(), &after);
  close(descriptor);
  EXPECT_EQ("a b c", read_file(file));
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_THAT(refusal([] { Output out("/dev/fd/987"); }), HasSubstr("Bad file descriptor"));
}

TEST(Files, ARefusalIsInWordsAndComesBeforeTheWork) {
  const fs::path folder = place("refused");
  write_file(folder / "file", "x");
  EXPECT_THAT(refusal([&] { Output out(folder); }), HasSubstr("is a folder"));
  EXPECT_THAT(refusal([&] { Output out(folder / "no" / "y"); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(refusal([&] { Output out(folder / "file" / "y"); }), HasSubstr("Not a directory"));
  EXPECT_THAT(refusal([&] { Output out((folder / "new").string() + "/"); }), HasSubstr("Is a directory"));
  EXPECT_THAT(refusal([&] { Output out(folder / std::string(300, 'n')); }), HasSubstr("File name too long"));
  EXPECT_THAT(refusal([] { Output out(""); }), HasSubstr("names no file"));
  EXPECT_THAT(refusal([&] { (void)read_file(folder); }), HasSubstr("is a folder"));
  EXPECT_THAT(refusal([&] { (void)read_file(folder / "no"); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(refusal([&] { require_folder(folder / "file"); }), HasSubstr("is no folder"));
  EXPECT_THAT(refusal([&] { require_folder(folder / "file" / "a" / "b"); }), HasSubstr("is no folder"));
  require_folder(folder / "a" / "b");
  EXPECT_EQ(1u, entries(folder)) << "asking makes nothing";
}

TEST(Files, AFullDeviceIsAnError) {
  EXPECT_THAT(refusal([] { write_file("/dev/full", "x"); }), HasSubstr("No space left on device"));
}

TEST(Files, AStreamIsReadNoFurtherThanAsked) {
  const fs::path fifo = place("reach") / "fifo";
  ASSERT_EQ(0, mkfifo(fifo.c_str(), 0600));
  std::thread writer([&] { write_file(fifo, "0123456789"); });
  ByteSource source(fifo);
  EXPECT_EQ(4u, source.reach(4));
  EXPECT_EQ(10u, source.reach(100));
  writer.join();
  char three[3];
  source.read(5, 3, three);
  EXPECT_EQ("567", std::string(three, 3));
  EXPECT_THAT(refusal([&] { source.read(8, 3, three); }), HasSubstr("ends early"));
}

}  // namespace
}  // namespace plumb
