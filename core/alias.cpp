#include "core/alias.h"

#include <algorithm>

#include "core/error.h"
#include "core/pattern.h"
#include "core/text.h"

namespace plumb {
namespace {

std::span<const Alias>& table() {
  static std::span<const Alias> all;
  return all;
}

const Alias* find(std::string_view name) {
  for (const Alias& a : table())
    if (a.name == name) return &a;
  return nullptr;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    all.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

// What is left of mx.fft.rfft without the modules; nothing is taken away from another name.
std::string_view without_modules(std::string_view name) {
  constexpr std::string_view kModules[] = {"mx.", "mlx.core.", "mlx.nn.", "nn.", "fast.", "fft.", "linalg.", "random."};
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view module : kModules)
      if (name.starts_with(module)) name.remove_prefix(module.size()), found = true;
  }
  return name;
}

}  // namespace

void install_aliases(std::span<const Alias> all) { table() = all; }
std::span<const Alias> aliases() { return table(); }

std::vector<std::string> meant_by(std::string_view name) {
  if (const Alias* a = find(name)) return words(a->rows);
  for (std::string_view rest = name; rest != without_modules(rest);) {  // random.split is no split
    rest.remove_prefix(rest.find('.') + 1);
    if (const Alias* a = find(rest)) return words(a->rows);
  }
  return {std::string(without_modules(name))};
}

std::string one_meant_by(std::string_view name) {
  const std::vector<std::string> rows = meant_by(name);
  if (rows.size() == 1) return rows.front();
  std::string text;
  for (const std::string& row : rows) text += (text.empty() ? "" : ", ") + row;
  throw Error("plumb", Reason::query, "'" + printable(name) + "' names several operations: " + text);
}

std::vector<std::string> asked(std::string_view query) {
  std::vector<std::string> all;
  for (const std::string& glob : pattern::alternatives(query)) {
    const std::size_t end = std::min(glob.find_first_of("/@"), glob.size());
    const std::string name = glob.substr(0, end);
    if (name.find_first_of("*?\\") != std::string::npos) {
      all.push_back(glob);
      continue;
    }
    for (const std::string& row : meant_by(name)) all.push_back(row + glob.substr(end));
  }
  return all;
}

}  // namespace plumb
