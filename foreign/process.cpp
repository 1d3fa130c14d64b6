#include "foreign/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/text.h"

namespace plumb::foreign {
namespace {

constexpr int kStepMs = 50;  // between two looks at a child whose children may hold its socket
constexpr std::size_t kPrinted = 64 << 10;
constexpr std::size_t kLines = 20;
constexpr int kFirstFd = 3, kFds = 4;  // requests, answers, inputs, outputs
constexpr const char* kKept[] = {"PATH", "HOME",       "LANG",        "LC_ALL",         "TMPDIR",
                                 "TZ",   "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"};
constexpr const char* kOneThread[] = {"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1",
                                      "NUMEXPR_NUM_THREADS=1"};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<std::string> environment_of(Threads threads) {
  std::vector<std::string> all{"PYTHONDONTWRITEBYTECODE=1"};
  for (const char* name : kKept)
    if (const char* value = std::getenv(name)) all.push_back(std::string(name) + "=" + value);
  if (threads == Threads::one) all.insert(all.end(), std::begin(kOneThread), std::end(kOneThread));
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& t : texts) all.push_back(t.data());
  all.push_back(nullptr);
  return all;
}

std::size_t physical_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(size) : 0;
}

void limit(int what, rlim_t most) {
  rlimit r{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(what), &r) != 0) return;
  r.rlim_cur = std::min(most, r.rlim_max);
  if (what == RLIMIT_CORE) r.rlim_max = 0;
  ::setrlimit(static_cast<__rlimit_resource_t>(what), &r);
}

struct Start {
  pid_t parent;
  std::array<int, kFds> shared;  // what becomes 3 to 6
  int print;
  rlim_t memory;
  char *const *argv, *const *environment;
};

// Between fork and exec, of a process that may have other threads: nothing here takes memory or a lock.
[[noreturn]] void become(Start s) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != s.parent) ::_exit(127);
  ::setpgid(0, 0);
  for (int n = 1; n < NSIG; ++n) ::signal(n, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 1024);
  limit(RLIMIT_AS, s.memory);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  constexpr int kAside = 64;  // beyond every number that is given out below
  for (int& fd : s.shared) fd = ::fcntl(fd, F_DUPFD, kAside);
  const int print = ::fcntl(s.print, F_DUPFD, kAside), nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO), ::dup2(print, STDOUT_FILENO), ::dup2(print, STDERR_FILENO);
  for (int i = 0; i < kFds; ++i) ::dup2(s.shared[static_cast<std::size_t>(i)], kFirstFd + i);
  ::close_range(kFirstFd + kFds, ~0U, 0);
  ::execvpe(s.argv[0], s.argv, s.environment);
  const char* why = std::strerror(errno);
  [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, why, std::strlen(why));
  ::_exit(127);
}

std::string text_of(int status) {
  if (!WIFSIGNALED(status)) return "ended with exit code " + std::to_string(WEXITSTATUS(status));
  const int s = WTERMSIG(status);
  const char *abbreviated = ::sigabbrev_np(s), *words = ::strsignal(s);
  return "died of SIG" + std::string(abbreviated ? abbreviated : std::to_string(s)) +
         (words ? " (" + std::string(words) + ")" : "");
}

}  // namespace

Process::Process(const std::vector<std::string>& argv, Threads threads, const Limits& limits)
    : inputs_(Arena::Use::inputs, limits.shared_bytes), outputs_(Arena::Use::outputs, limits.shared_bytes) {
  int talk[2], print[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) != 0)
    throw Error("plumb", Reason::memory, std::string("no socket for a backend: ") + std::strerror(errno));
  if (::pipe2(print, O_CLOEXEC) != 0) {
    ::close(talk[0]), ::close(talk[1]);
    throw Error("plumb", Reason::memory, std::string("no pipe for a backend: ") + std::strerror(errno));
  }
  std::vector<std::string> words = argv, settings = environment_of(threads);
  const std::vector<char*> arguments = pointers(words), environment = pointers(settings);
  const std::size_t memory = limits.memory_bytes ? limits.memory_bytes : physical_bytes() + 4 * limits.shared_bytes;
  const Start start{::getpid(),       {talk[1], talk[1], inputs_.fd(), outputs_.fd()},
                    print[1],         memory,
                    arguments.data(), environment.data()};
  pid_ = ::fork();
  if (pid_ == 0) become(start);
  const int error = errno;
  ::close(talk[1]), ::close(print[1]);
  socket_ = talk[0], print_ = print[0];
  if (pid_ < 0) {
    ::close(socket_), ::close(print_);
    throw Error("plumb", Reason::memory, std::string("no process for a backend: ") + std::strerror(error));
  }
  ::setpgid(pid_, pid_);  // whoever comes first of the two
  for (const int fd : {socket_, print_}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

Process::~Process() {
  end();
  for (const int fd : {socket_, print_}) ::close(fd);
}

void Process::queue(const Json& request) {
  outgoing_ += frame(request);
  ++expected_;
}

std::vector<Json> Process::ask(double seconds) {
  std::vector<Json> answers;
  double until = now() + seconds;
  try {
    if (!alive()) died();
    (void)receive_some();
    if (!reader_.empty()) nonsense("before it was asked");
    if (!outgoing_.empty() && !send_some()) died();
    while (answers.size() < expected_) {
      const std::size_t before = answers.size();
      exchange(until, answers);
      if (answers.size() > before) until = now() + seconds;  // each answer has its time
      if (answers.size() < expected_ && now() > until)
        throw Fault(Cause::timeout, "no answer within " + shortest(seconds) + " s");
    }
    if (!reader_.empty()) nonsense("more often than it was asked");
  } catch (const Fault& f) {
    end();
    throw;
  }
  expected_ = 0;
  return answers;
}

// One wait for whatever can be done next.
void Process::exchange(double until, std::vector<Json>& answers) {
  pollfd all[] = {{socket_, static_cast<short>(POLLIN | (outgoing_.empty() ? 0 : POLLOUT)), 0}, {print_, POLLIN, 0}};
  const double left = std::max(0.0, until - now());
  ::poll(all, 2, static_cast<int>(std::min<double>(kStepMs, left * 1000 + 1)));
  if (all[1].revents) listen();
  bool open = true;
  if (all[0].revents & POLLOUT) open = send_some();
  open = receive_some() && open;
  while (answers.size() < expected_) {
    std::optional<Json> one = reader_.next();
    if (!one) break;
    answers.push_back(std::move(*one));
  }
  if (answers.size() == expected_) return;
  siginfo_t info{};
  const bool gone =
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
  if (gone || !open) died();
}

bool Process::send_some() {
  const ssize_t n = ::send(socket_, outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL);
  if (n > 0) outgoing_.erase(0, static_cast<std::size_t>(n));
  return n >= 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// As much as a frame may have: a child that never stops cannot fill the judge's memory.
bool Process::receive_some() {
  char buffer[64 << 10];
  for (std::size_t part = 0; part <= kMaxAnswer / sizeof buffer; ++part) {
    const ssize_t n = ::recv(socket_, buffer, sizeof buffer, 0);
    if (n == 0) return false;
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    reader_.add(buffer, static_cast<std::size_t>(n));
    if (static_cast<std::size_t>(n) < sizeof buffer) return true;
  }
  return true;
}

void Process::listen() {
  char buffer[4096];
  for (int part = 0; part < 64; ++part) {
    const ssize_t n = ::read(print_, buffer, sizeof buffer);
    if (n <= 0) break;
    printed_.append(buffer, static_cast<std::size_t>(n));
  }
  if (printed_.size() > kPrinted) printed_.erase(0, printed_.size() - kPrinted);
}

std::deque<std::string> Process::take_printed() {
  listen();
  std::deque<std::string> lines;
  for (std::size_t begin = 0; begin < printed_.size();) {
    const std::size_t end = std::min(printed_.find('\n', begin), printed_.size());
    if (end > begin) lines.push_back(plain_text(printed_.substr(begin, end - begin)));
    if (lines.size() > kLines) lines.pop_front();
    begin = end + 1;
  }
  printed_.clear();
  return lines;
}

// A process that closed its socket has a moment to end by itself, so that its own exit code is told.
void Process::died() {
  if (alive())
    for (int step = 0; step < 20; ++step) {
      siginfo_t info{};
      if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0) break;
      ::poll(nullptr, 0, kStepMs);
    }
  const std::string how = buried();
  throw Fault(Cause::crashed, how);
}

std::string Process::buried() {
  if (!alive()) return "is no more";
  siginfo_t info{};
  const bool itself =
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
  end();
  return itself ? text_of(status_) : "closed its answers";
}

void Process::end() {
  if (!alive()) return;
  ::kill(-pid_, SIGKILL);  // while its number is still its own
  ::kill(pid_, SIGKILL);   // where it left the group
  // One that is stuck in a driver is left to the system.
  for (int step = 0; step < 40 && ::waitpid(pid_, &status_, WNOHANG) == 0; ++step) ::poll(nullptr, 0, kStepMs);
  listen();
  pid_ = 0;
}

std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  bool open = false;  // a word is begun
  char quote = 0;
  for (const char c : command) {
    if (quote ? c == quote : c == '\'' || c == '"') {
      quote = quote ? 0 : c;
      if (!open) words.emplace_back(), open = true;
    } else if (!quote && (c == ' ' || c == '\t')) {
      open = false;
    } else {
      if (!open) words.emplace_back(), open = true;
      words.back() += c;
    }
  }
  if (quote) throw Error("plumb", Reason::query, "a quote that does not end: " + printable(command));
  if (words.empty() || words[0].empty())
    throw Error("plumb", Reason::query, "no program: '" + printable(command) + "'");
  return words;
}

}  // namespace plumb::foreign
