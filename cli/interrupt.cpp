#include "cli/interrupt.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "core/error.h"

namespace plumb::cli {
namespace {

int ends[2];  // a pipe from the handler to the thread: its write is all that a handler may do

extern "C" void tell(int signal) {
  const int error = errno;
  const auto byte = static_cast<unsigned char>(signal);
  (void)!write(ends[1], &byte, 1);
  errno = error;
}

void wait_for_signal(const std::function<void(int)>& last_words) {
  unsigned char signal = 0;
  ssize_t n;
  while ((n = read(ends[0], &signal, 1)) < 0 && errno == EINTR) continue;
  if (n != 1 || signal == 0) return;
  try {
    last_words(signal);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "plumb: %s\n", e.what());
  }
  std::fflush(stderr);
  _exit(128 + signal);  // other threads are in the middle of their work: nothing of theirs is taken down
}

}  // namespace

Interrupt::Interrupt(std::function<void(int)> last_words) {
  if (pipe(ends) != 0) throw Error("plumb", Reason::memory, std::string("no pipe: ") + std::strerror(errno));
  watch_ = std::thread([words = std::move(last_words)] { wait_for_signal(words); });
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {
    }, before{};
    now.sa_handler = tell;
    now.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;
    sigaction(signal, &now, nullptr);
    before_.emplace_back(signal, before);
  }
}

Interrupt::~Interrupt() {
  for (const auto& [signal, before] : before_) sigaction(signal, &before, nullptr);
  const unsigned char end = 0;
  (void)!write(ends[1], &end, 1);
  watch_.join();
  close(ends[0]), close(ends[1]);
}

}  // namespace plumb::cli
