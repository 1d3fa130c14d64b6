#include "conformance/setting.h"

#include <algorithm>
#include <thread>

#include "core/pool.h"

namespace plumb {

Setting current_setting() { return {isa(), threads()}; }

std::string to_string(const Setting& s) {
  return std::string(name(s.isa)) + ", " + std::to_string(s.threads) + (s.threads == 1 ? " thread" : " threads");
}

std::string options_text(const Setting& s) {
  return " --isa=" + std::string(name(s.isa)) + " --threads=" + std::to_string(s.threads);
}

bool is_plain(const Setting& s) {
  return s.isa == best_isa() && s.threads == static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::string why_absent(const Setting& s) {
  return s.isa > best_isa() ? "this processor has no " + std::string(name(s.isa)) : "";
}

std::vector<Setting> settings(const std::vector<Isa>& isas, const std::vector<int>& counts) {
  const Setting now = current_setting();
  std::vector<Setting> all;
  for (const int n : counts.empty() ? std::vector<int>{now.threads} : counts)
    for (const Isa i : isas.empty() ? std::vector<Isa>{now.isa} : isas) all.push_back({i, n});
  return all;
}

Under::Under(const Setting& s) : before_(current_setting()) {
  set_isa(s.isa);
  set_threads(s.threads);
}

Under::~Under() {
  set_isa(before_.isa);
  set_threads(before_.threads);
}

}  // namespace plumb
