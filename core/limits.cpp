#include "core/limits.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

namespace plumb {
namespace {

bool asked_for_small() {
  const char* text = std::getenv("PLUMB_LIMITS");
  return text != nullptr && std::string_view(text) == "small";
}

// Limits are listed here when they are first asked, so that nothing depends on the order of initialisation.
struct Known {
  std::mutex mutex;
  std::set<const Limit*> limits;
  std::set<std::pair<const char*, unsigned>>
      splits;  // literals of one file may differ in address: duplicates do no harm
};
Known& known() {
  static Known* k = new Known;  // never destroyed: worker threads may outlive statics
  return *k;
}

}  // namespace

std::atomic<bool> detail::small_limits{asked_for_small()};

void set_small_limits(bool small) { detail::small_limits = small; }

void Limit::note(std::uint8_t side) const {
  seen_.fetch_or(side, std::memory_order_relaxed);
  const std::lock_guard lock(known().mutex);
  known().limits.insert(this);
}

std::vector<LimitSides> limits_seen() {
  const std::lock_guard lock(known().mutex);
  std::map<std::string, LimitSides> all;
  for (const Limit* l : known().limits) {
    LimitSides& s = all[l->name];
    const std::uint8_t seen = l->seen_.load(std::memory_order_relaxed);
    s.name = l->name;
    s.within |= (seen & Limit::kWithin) != 0;
    s.beyond |= (seen & Limit::kBeyond) != 0;
  }
  std::vector<LimitSides> out;
  for (auto& [name, sides] : all) out.push_back(std::move(sides));
  return out;
}

void note_split(const char* file, unsigned line) {
  const std::lock_guard lock(known().mutex);
  known().splits.emplace(file, line);
}

std::vector<std::string> splits_seen() {
  const std::lock_guard lock(known().mutex);
  std::set<std::string> all;
  for (const auto& [file, line] : known().splits) all.insert(std::string(file) + ":" + std::to_string(line));
  return {all.begin(), all.end()};
}

void forget_limits() {
  const std::lock_guard lock(known().mutex);
  for (const Limit* l : known().limits) l->seen_ = 0;
  known().limits.clear();
  known().splits.clear();
}

}  // namespace plumb
