// A folder of this process for what tests write: CTest runs many tests side by side, each in a process of its own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace plumb {

// The path of that name in the folder, which is gone when the process ends.
inline std::string temporary(const std::string& name) {
  static const struct Folder {
    std::filesystem::path path =
        std::filesystem::path(testing::TempDir()) / ("plumb_tests_" + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } folder;
  return (folder.path / name).string();
}

}  // namespace plumb
