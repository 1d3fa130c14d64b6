// A command line of the shell, and what came of it.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace plumb {

struct Ran {
  int code = -1;    // of the exit; -1 where a signal ended it
  std::string out;  // what went to its standard output
};

inline Ran run_shell(const std::string& line) {
  FILE* pipe = popen(line.c_str(), "r");
  EXPECT_NE(nullptr, pipe) << line;
  Ran r;
  if (!pipe) return r;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) r.out.append(buffer.data(), n);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) r.code = WEXITSTATUS(status);
  return r;
}

}  // namespace plumb
