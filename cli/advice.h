// What is wrong with a command line, in words that name the wrong one and the nearest right ones.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace plumb::cli {

// The first word that is no verb or no option of its verb; "" if each of them is one.
std::string misspelt(const CLI::App&, const std::vector<std::string>& words);

}  // namespace plumb::cli
