#include "plans/linalg/orthogonal/panels.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <sstream>

#include "core/text.h"

namespace plumb {
namespace {

constexpr const char* kName = "panel_qr";
constexpr std::int64_t kMostColumns = 128, kMostThreads = 1024, kWidth = 32;  // the execution width
constexpr std::int64_t kTiny = 8, kSmall = 32, kSmallThreads = 256;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// In f64, which holds the square of every extent well enough to compare.
double items(std::int64_t m, std::int64_t n) {
  const auto rows = static_cast<double>(m), columns = static_cast<double>(n);
  return rows * rows + 2 * rows * columns;
}

std::int64_t whole_widths(double threads, std::int64_t most) {
  const auto n = static_cast<std::int64_t>(std::min(threads, static_cast<double>(most)));
  return std::max<std::int64_t>(1, (n + kWidth - 1) / kWidth) * kWidth;
}

// Code 1 or 2, or 0.
int too_much(std::int64_t m, std::int64_t n, std::int64_t group, const PanelQr& o) {
  const std::int64_t most = std::max(m, n);
  if (most > o.most_extent) return 1;
  if (most > o.busy_extent || group == 0) return 2;
  return items(m, n) / static_cast<double>(group) > static_cast<double>(o.most_items) ? 2 : 0;
}

}  // namespace

void check(const PanelQr& o) {
  const auto fail = [](const std::string& why) { throw Error(kName, Reason::attribute, why); };
  if (o.panel < 1 || o.panel > kMostColumns) fail("panel is " + std::to_string(o.panel) + ", not 1 to 128");
  if (o.group && (*o.group < 0 || *o.group > kMostThreads))
    fail("group is " + std::to_string(*o.group) + ", not 0 to 1024");
  for (const double x : {o.tiny, o.drift, o.most_square})
    if (!(x >= 0)) fail("a threshold is " + shortest(x) + ", not 0 or above");
  if (std::isnan(o.timeout)) fail("timeout is no number");
}

std::int64_t planned_group(std::int64_t m, std::int64_t n) {
  const std::int64_t most = std::max(m, n), bound = whole_widths(items(m, n), kMostThreads);
  if (most <= kTiny) return kWidth;
  if (most <= kSmall) return std::min(bound, whole_widths(static_cast<double>(m * m + m * n), kSmallThreads));
  return bound;
}

PanelQrRun begin_run(std::int64_t m, std::int64_t n, const PanelQr& o) {
  PanelQrRun run;
  run.group = o.group.value_or(planned_group(m, n));
  run.panels = (std::min(m, n) + o.panel - 1) / o.panel;
  run.code = too_much(m, n, run.group, o);
  if (run.code != 0) run.value = static_cast<double>(std::max(m, n)), run.cause = "code " + std::to_string(run.code);
  run.debug[1] = static_cast<float>(m), run.debug[2] = static_cast<float>(n);
  run.debug[3] = static_cast<float>(std::min(m, n));
  return run;
}

void end_run(PanelQrRun& run) {
  run.debug[0] = run.code == 0 ? 1.0f : 0.0f, run.debug[12] = static_cast<float>(run.iterations);
  run.debug[13] = static_cast<float>(run.code), run.debug[14] = static_cast<float>(run.value);
  run.debug[15] = run.cause.empty() ? 1.0f : 0.0f;
}

PanelQr widened(PanelQr o) {
  o.norms = o.dots = PanelQr::Sum::strided;
  o.group = kWidth;
  o.tiny = 0;
  o.drift = o.most_square = std::numeric_limits<double>::infinity();
  o.most_iterations = std::numeric_limits<std::int64_t>::max();
  return o;
}

Deadline::Deadline(const PanelQr& o) : timeout_(o.timeout), begin_(0), clock_(o.clock ? o.clock : steady_seconds) {
  if (set()) begin_ = clock_();
}

void Deadline::check(std::int64_t column) const {
  if (!set() || clock_() - begin_ < timeout_) return;
  std::ostringstream why;
  why << timeout_ << " s had passed before column " << column;
  throw DeadlineError(kName, Reason::unsupported, why.str());
}

}  // namespace plumb
