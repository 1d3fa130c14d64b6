// Names under which operations are asked for, beside their own: other names of one operation, and names of groups.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

struct Alias {
  std::string_view name;  // "concat", "random.split"
  std::string_view rows;  // the operations that carry its meaning, by blanks: "concatenate"
};

void install_aliases(std::span<const Alias>);  // kept by reference
std::span<const Alias> aliases();

// The rows that a name means: itself, unless it is an alias. A module before a name is passed over where it tells
// nothing: mx.fft.rfft is rfft.
std::vector<std::string> meant_by(std::string_view name);
// The one that it means; throws Error(query) that names them if there are several.
std::string one_meant_by(std::string_view name);

// What a query stands for, as pattern::alternatives has it, with an alias before / or @ or alone replaced by each of
// its rows.
std::vector<std::string> asked(std::string_view query);

}  // namespace plumb
