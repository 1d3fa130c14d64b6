#include "core/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

// A word travels behind its length; this length, without a word, says that the work returned.
constexpr std::uint32_t kDone = UINT32_MAX;
constexpr int kStepMs = 10;             // between two looks at children that say nothing
constexpr double kReapSeconds = 2;      // a killed process may be stuck in its driver: then it is left to the system
constexpr std::size_t kPrinted = 4096;  // what is kept of it

void write_all(int to, const void* data, std::size_t bytes) {
  const char* p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::write(to, p, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(1);  // nobody listens any more
    p += n, bytes -= static_cast<std::size_t>(n);
  }
}

void send(int to, const std::string& word) {
  const auto length = static_cast<std::uint32_t>(word.size());
  write_all(to, &length, sizeof length);
  write_all(to, word.data(), word.size());
}

// Nothing of the caller's may act here: no handler, no mask, no terminal, no core file, no life after the parent.
void shed(pid_t parent, int print) {
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (::getppid() != parent) ::_exit(1);
  ::setpgid(0, 0);
  for (int s = 1; s < NSIG; ++s) ::signal(s, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::dup2(print, STDOUT_FILENO);
  ::dup2(print, STDERR_FILENO);
}

[[noreturn]] void live(const Child& child, pid_t parent, int told, int print) {
  shed(parent, print);
  try {
    child.work([told](const std::string& word) { send(told, word); });
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    std::fflush(stderr);
    ::_exit(1);
  }
  write_all(told, &kDone, sizeof kDone);
  ::_exit(0);
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

std::string text_of(int status) {
  if (WIFSIGNALED(status)) {
    const int s = WTERMSIG(status);
    const char* words = ::strsignal(s);
    return "died of signal " + std::to_string(s) + (words ? " (" + std::string(words) + ")" : "");
  }
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

// One of them, seen from its parent.
class Watched {
 public:
  Watched(const Child& child, double seconds) : seconds_(seconds) {
    int told[2] = {-1, -1}, print[2] = {-1, -1};
    if (::pipe2(told, O_CLOEXEC) != 0 || ::pipe2(print, O_CLOEXEC) != 0) {
      cannot_begin(errno, told, print);
      return;
    }
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) live(child, parent, told[1], print[1]);
    const int error = errno;
    ::close(told[1]), ::close(print[1]);
    told[1] = print[1] = -1;
    if (pid_ < 0) {
      cannot_begin(error, told, print);
      return;
    }
    ::setpgid(pid_, pid_);  // whoever comes first of the two
    told_ = told[0], print_ = print[0];
    for (const int fd : {told_, print_}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    heard_ = Clock::now();
  }
  Watched(const Watched&) = delete;
  ~Watched() {
    for (const int fd : {told_, print_})
      if (fd >= 0) ::close(fd);
  }

  bool ended() const { return pid_ <= 0; }

  void add_to(std::vector<pollfd>& all) const {
    for (const int fd : {told_, print_})
      if (fd >= 0) all.push_back({fd, POLLIN, 0});
  }

  void look() {
    listen();
    siginfo_t info{};
    const bool unknown = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0;
    const double silent = std::chrono::duration<double>(Clock::now() - heard_).count();
    if (unknown || info.si_pid == pid_) return bury(unknown);
    if (!killed_ && silent > (done_ ? kReapSeconds : seconds_)) {
      if (!done_) end_.trouble = "hung: " + seconds_text(seconds_) + " without an answer";
      ::kill(-pid_, SIGKILL);
      killed_ = true, heard_ = Clock::now();
    } else if (killed_ && silent > kReapSeconds) {
      pid_ = 0;
    }
  }

  ChildEnd take() {
    while (!end_.printed.empty() && std::isspace(static_cast<unsigned char>(end_.printed.back())))
      end_.printed.pop_back();
    const auto at = end_.printed.rfind('\n');
    if (at != std::string::npos) end_.printed.erase(0, at + 1);
    return std::move(end_);
  }

 private:
  void cannot_begin(int error, const int (&told)[2], const int (&print)[2]) {
    end_.trouble = std::string("was not tried, since no process could be started: ") + std::strerror(error);
    for (const int fd : {told[0], told[1], print[0], print[1]})
      if (fd >= 0) ::close(fd);
  }

  // What it began goes with it, while its number is still its own. Where the caller ignores SIGCHLD nobody knows how it
  // ended.
  void bury(bool unknown) {
    listen();
    if (!unknown) ::kill(-pid_, SIGKILL);
    int status = 0;
    const bool seen = ::waitpid(pid_, &status, 0) == pid_;
    if (!done_ && end_.trouble.empty()) end_.trouble = seen ? text_of(status) : "ended without an answer";
    pid_ = 0;
  }

  // What lies in the pipe, a part of it where it never ends; false when nobody will write any more.
  static bool drain(int fd, std::string& to) {
    char buffer[4096];
    for (int part = 0; part < 64; ++part) {
      const ssize_t n = ::read(fd, buffer, sizeof buffer);
      if (n > 0) to.append(buffer, static_cast<std::size_t>(n));
      else if (n == 0) return false;
      else if (errno != EINTR) return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    return true;
  }

  void listen() {
    if (print_ >= 0 && !drain(print_, end_.printed)) ::close(print_), print_ = -1;
    if (end_.printed.size() > kPrinted) end_.printed.erase(0, end_.printed.size() - kPrinted);
    if (told_ >= 0 && !drain(told_, stream_)) ::close(told_), told_ = -1;
    for (std::uint32_t length = 0; stream_.size() >= sizeof length;) {
      std::memcpy(&length, stream_.data(), sizeof length);
      done_ = done_ || length == kDone;
      if (done_ || stream_.size() < sizeof length + length) break;
      end_.told.push_back(stream_.substr(sizeof length, length));
      stream_.erase(0, sizeof length + length);
      heard_ = Clock::now();
    }
  }

  double seconds_;
  pid_t pid_ = 0;
  int told_ = -1, print_ = -1;
  bool done_ = false, killed_ = false;
  std::string stream_;
  Clock::time_point heard_;
  ChildEnd end_;
};

}  // namespace

std::vector<ChildEnd> run_children(const std::vector<Child>& children, double seconds) {
  std::fflush(nullptr);  // what waits in a buffer would be written twice
  std::vector<std::unique_ptr<Watched>> all;
  for (const Child& c : children) all.push_back(std::make_unique<Watched>(c, seconds));
  for (;;) {
    std::vector<pollfd> open;
    bool waiting = false;
    for (const auto& w : all)
      if (!w->ended()) w->add_to(open), waiting = true;
    if (!waiting) break;
    ::poll(open.data(), open.size(), kStepMs);
    for (const auto& w : all)
      if (!w->ended()) w->look();
  }
  std::vector<ChildEnd> ends;
  for (const auto& w : all) ends.push_back(w->take());
  return ends;
}

}  // namespace plumb
