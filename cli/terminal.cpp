#include "cli/terminal.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>

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

std::string escaped(const std::string& cell) {
  std::string out;
  for (const char c : cell) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO)), last_(terminal_ ? 0 : now()) {}
Progress::~Progress() { clear(); }

void Progress::show(const std::string& what, std::size_t done, std::size_t total) {
  const double every = terminal_ ? 0.05 : 30;  // seconds between redraws, or between lines of a log
  if (now() - last_ < every) return;
  last_ = now();
  shown_ = terminal_;
  std::fprintf(stderr, terminal_ ? "\r\033[K%zu/%zu %.100s" : "%zu/%zu %.300s\n", done, total, what.c_str());
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

std::string Table::markdown() const {
  const auto line = [](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (const std::string& cell : cells) text += " " + escaped(cell) + " |";
    return text + "\n";
  };
  std::string text = line(headers_) + "|";
  for (const bool left : left_) text += left ? "---|" : "---:|";
  text += "\n";
  for (const auto& cells : rows_) text += line(cells);
  return text;
}

std::string join(const std::vector<std::string_view>& parts, std::string_view separator) {
  std::string text;
  for (const std::string_view part : parts) text += (text.empty() ? "" : std::string(separator)) + std::string(part);
  return text;
}

std::string number(double value, int digits) {
  if (value == 0) return "-";
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
