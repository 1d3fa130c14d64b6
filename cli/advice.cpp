#include "cli/advice.h"

#include <CLI/CLI.hpp>

#include "core/text.h"

namespace plumb::cli {
namespace {

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
  return names;
}

// "plumb list cases"
std::string full_name(const CLI::App& app) {
  return (app.get_parent() ? full_name(*app.get_parent()) + " " : "") + app.get_name();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

std::string no_verb(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> names = verbs_of(app);
  return "`" + full_name(app) + "` has no verb \"" + printable(word) + "\"" +
         nearest(word, {names.begin(), names.end()}) + "; there are " + joined(names);
}

std::string no_option(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* o : app.get_options())
    for (const std::string& n : o->get_lnames()) names.push_back("--" + n);
  return "`" + full_name(app) + "` has no option \"" + printable(word) + "\"" +
         nearest(word, {names.begin(), names.end()});
}

const CLI::App* verb_named(const CLI::App& app, const std::string& word) {
  for (const CLI::App* sub : app.get_subcommands({}))
    if (sub->check_name(word)) return sub;
  return nullptr;
}

}  // namespace

std::string misspelt(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const std::string& word = words[i];
    if (word.size() > 1 && word[0] == '-') {
      const std::string name = word[1] == '-' ? word.substr(0, word.find('=')) : word.substr(0, 2);
      const CLI::Option* option = at->get_option_no_throw(name);
      if (!option) return no_option(*at, name);
      if (option->get_items_expected_min() > 0 && word.size() == name.size()) ++i;  // its value is no word of ours
    } else if (!at->get_subcommands({}).empty()) {
      const CLI::App* sub = verb_named(*at, word);
      if (!sub) return no_verb(*at, word);
      at = sub;
    }
  }
  return at->get_subcommands({}).empty() ? "" : "`" + full_name(*at) + "` needs a verb: " + joined(verbs_of(*at));
}

}  // namespace plumb::cli
