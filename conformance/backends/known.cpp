#include "conformance/known.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "conformance/query.h"
#include "core/alias.h"
#include "core/error.h"
#include "core/files.h"
#include "core/strict_json.h"
#include "core/text.h"

namespace plumb {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kKinds[] = {"defect", "meaning", "precision", "ours"};

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error("plumb", Reason::file, printable(path) + ": " + what);
}

std::string text_of(const Json& object, const char* key, const std::string& path) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string() || it->get_ref<const std::string&>().empty())
    fail(path, "an entry without the text \"" + std::string(key) + "\": " + excerpt(object));
  return it->get<std::string>();
}

void only(const Json& object, std::initializer_list<std::string_view> keys, const std::string& path) {
  for (const auto& [key, value] : object.items())
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) fail(path, "the key \"" + key + "\" is none");
}

Known one(const Json& entry, const std::string& path) {
  if (!entry.is_object()) fail(path, "an entry that is no object: " + excerpt(entry));
  only(entry, {"case", "cause", "class", "reason"}, path);
  Known k;
  k.pattern = text_of(entry, "case", path);
  k.globs = asked(k.pattern);
  const std::string cause = text_of(entry, "cause", path);
  const std::optional<Cause> named = cause_named(cause);
  if (!named) fail(path, "no cause is named \"" + cause + "\"");
  k.cause = *named;
  k.kind = text_of(entry, "class", path);
  if (std::find(std::begin(kKinds), std::end(kKinds), k.kind) == std::end(kKinds))
    fail(path, "no class is named \"" + k.kind + "\"");
  k.reason = text_of(entry, "reason", path);
  return k;
}

void require_version(const std::string& library, const std::string& version, const std::string& path) {
  for (const Backend* b : backends()) {
    if (b->name() != library) continue;
    if (b->version() == version) return;
    throw Error("plumb", Reason::query,
                printable(path) + " is of " + library + " " + version + ", and this is " + std::string(b->version()));
  }
  throw Error("plumb", Reason::query, printable(path) + " is of " + library + ", and no --backend is");
}

}  // namespace

std::vector<Known> read_known(const std::string& path) {
  const Json file = parse_strict(read_file(path), printable(path));
  if (!file.is_object()) fail(path, "no object");
  only(file, {"library", "version", "departures"}, path);
  const std::string library = text_of(file, "library", path), version = text_of(file, "version", path);
  require_version(library, version, path);
  const auto list = file.find("departures");
  if (list == file.end() || !list->is_array()) fail(path, "no list of \"departures\"");
  std::vector<Known> all;
  for (const Json& entry : *list) {
    Known k = one(entry, path);
    k.library = library, k.version = version;
    all.push_back(std::move(k));
  }
  return all;
}

const Known* known_of(const std::vector<Known>& all, std::string_view route, const std::string& case_id) {
  for (const Known& k : all)
    if (k.library == route &&
        std::any_of(k.globs.begin(), k.globs.end(), [&](const std::string& g) { return glob(g, case_id); }))
      return &k;
  return nullptr;
}

}  // namespace plumb
