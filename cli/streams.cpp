#include "cli/streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/error.h"

namespace plumb::cli {
namespace {

[[noreturn]] void fail(const std::string& what) { throw Error("plumb", Reason::file, "standard output: " + what); }

// A handler, unlike SIG_IGN, is not what programs that are started from here begin with.
void let_the_write_fail(int signal_number) {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

void guard_streams() {
  const int mode = fcntl(STDOUT_FILENO, F_GETFL);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) < 0) {
      // The lowest free number is this one. Standard input stays a stream that cannot be read.
      const int other = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
      [[maybe_unused]] const int taken = open("/dev/null", other);
    }
  let_the_write_fail(SIGPIPE);
  let_the_write_fail(SIGXFSZ);
  if (mode < 0) fail("is closed");
  if ((mode & O_ACCMODE) == O_RDONLY) fail("is not open for writing");
}

void finish_output() {
  int error = std::fflush(stdout) == 0 ? 0 : errno;
  if (error == 0 && std::ferror(stdout) == 0) return;
  if (error == 0) {  // an earlier write failed: one more says why
    std::clearerr(stdout);
    error = std::putchar('\n') == EOF || std::fflush(stdout) != 0 ? errno : EIO;
  }
  fail(std::strerror(error));
}

}  // namespace plumb::cli
