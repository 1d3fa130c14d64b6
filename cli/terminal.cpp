#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/text.h"

namespace plumb::cli {
namespace {

double now() {
  using std::chrono::duration;
  return duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Columns of a terminal, not bytes: continuation bytes of UTF-8 do not count.
std::size_t width(const std::string& text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

std::string padded(const std::string& text, std::size_t to, bool left) {
  const std::string space(to > width(text) ? to - width(text) : 0, ' ');
  return left ? text + space : space + text;
}

// Whether what was written can be taken back.
bool rewrites(int fd) {
  const char* term = std::getenv("TERM");
  return isatty(fd) && term && std::string_view(term) != "dumb";
}

std::size_t columns(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

// At most so many characters, which are not bytes.
std::string cut(const std::string& text, std::size_t most) {
  std::size_t end = 0, n = 0;
  for (; end < text.size(); ++end)
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && n++ == most) break;
  return text.substr(0, end);
}

// Ids of recorded cases are what their file says.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

std::string rough(double seconds) {
  const auto whole = [](double x) { return std::to_string(static_cast<long long>(std::ceil(x))); };
  if (seconds < 60) return whole(seconds) + " s";
  if (seconds < 90 * 60) return whole(seconds / 60) + " min";
  return whole(seconds / 3600) + " h";
}

}  // namespace

std::string progress_text(const std::string& doing, const Step& step, double seconds, std::uint64_t before) {
  std::string text = doing + " ";
  if (!step.within.empty()) text += step.within + ", ";
  text += "operation " + std::to_string(step.operation) + " of " + std::to_string(step.operations) + ", " +
          printable(step.op);
  if (step.done > before && step.total >= step.done && seconds >= 1) {
    const double left = seconds / static_cast<double>(step.done - before) * static_cast<double>(step.total - step.done);
    text += ", about " + rough(left) + " left";
  }
  return text + ": " + printable(step.case_id);
}

Progress::Progress(std::string doing)
    : doing_(std::move(doing)),
      terminal_(rewrites(STDERR_FILENO)),
      begin_(now()),
      next_(begin_ + (terminal_ ? 2 : 30)) {}
Progress::~Progress() { clear(); }

void Progress::show(const Step& step) {
  const double at = now();
  if (!begun_) begun_ = true, begin_ = at, done_ = step.done;
  if (at < next_) return;
  next_ = at + (terminal_ ? 0.1 : 30);
  const std::string text = printable(progress_text(doing_, step, at - begin_, done_));
  if (terminal_) std::fprintf(stderr, "\r\033[K%s", cut(text, columns(STDERR_FILENO) - 1).c_str());
  else std::fprintf(stderr, "%s\n", cut(text, 300).c_str());
  shown_ = terminal_;
  std::fflush(stderr);
}

void Progress::clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

Table::Table(std::vector<std::string> headers) : headers_(std::move(headers)) {
  for (std::string& h : headers_) {
    const bool marked = h.starts_with('<');
    if (marked) h.erase(0, 1);
    left_.push_back(marked || left_.empty());
  }
}

void Table::row(std::vector<std::string> cells) {
  cells.resize(headers_.size());
  rows_.push_back(std::move(cells));
}

void Table::print() const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < headers_.size(); ++c) {
    widths.push_back(width(headers_[c]));
    for (const auto& cells : rows_) widths[c] = std::max(widths[c], width(cells[c]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t c = 0; c < cells.size(); ++c) text += (c ? "  " : "") + padded(cells[c], widths[c], left_[c]);
    text.erase(text.find_last_not_of(' ') + 1);
    std::puts(text.c_str());
  };
  line(headers_);
  for (const auto& cells : rows_) line(cells);
}

std::string join(const std::vector<std::string_view>& parts, std::string_view separator) {
  std::string text;
  for (const std::string_view part : parts) text += (text.empty() ? "" : std::string(separator)) + std::string(part);
  return text;
}

std::string number(double value, int digits) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
  return buffer;
}

std::string quantity(double value, std::string_view unit) {
  constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P"};
  int step = 0;
  while (std::abs(value) >= 1000 && step < 5) value /= 1000, ++step;
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, kPrefixes[step]);
  return buffer + std::string(unit);
}

std::string duration(double seconds) {
  constexpr const char* kUnits[] = {"s", "ms", "us", "ns"};
  int step = 0;
  while (seconds > 0 && seconds < 1 && step < 3) seconds *= 1000, ++step;
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.*f %s", seconds < 10 ? 2 : seconds < 100 ? 1 : 0, seconds, kUnits[step]);
  return buffer;
}

}  // namespace plumb::cli
