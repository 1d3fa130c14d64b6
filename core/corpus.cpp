#include "core/corpus.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/infinity.h"
#include "core/layout.h"
#include "core/strict_json.h"
#include "core/text.h"

namespace plumb {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error("corpus", Reason::file, printable(where) + ": " + what);
}

[[noreturn]] void mistyped(const json& value, const char* key, const std::string& where) {
  fail(where, std::string("\"") + key + "\" has the wrong type: " + excerpt(value));
}

const json& at(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) fail(where, std::string("no \"") + key + "\"");
  return *found;
}

template <class T>
T get(const json& object, const char* key, const std::string& where) {
  const json& value = at(object, key, where);
  try {
    return value.get<T>();
  } catch (const json::exception&) {
    mistyped(value, key, where);
  }
}

// What is found under the key, or within it: an object, a list or a text, without a copy.
template <class T>
const T& as(const json& value, const char* key, const std::string& where) {
  if (const auto* held = value.get_ptr<const T*>()) return *held;
  mistyped(value, key, where);
}
template <class T>
const T& view(const json& object, const char* key, const std::string& where) {
  return as<T>(at(object, key, where), key, where);
}

template <class T>
T get_or(const json& object, const char* key, const std::string& where, T otherwise) {
  return object.contains(key) ? get<T>(object, key, where) : otherwise;
}

// The tensors of a file that cases name, each read once. The file is opened for the first of them.
class Tensors {
 public:
  explicit Tensors(const std::function<Container()>& open) : open_(open) {}

  Container& file() {
    if (!file_) file_.emplace(open_());
    return *file_;
  }
  const Tensor& at(const std::string& key, const std::string& where) {
    const auto found = read_.find(key);
    if (found != read_.end()) return found->second;
    if (!file().has(key)) fail(where, "data.safetensors has no tensor " + excerpt(key));
    return read_.emplace(key, file().tensor(key)).first->second;
  }

 private:
  const std::function<Container()>& open_;
  std::optional<Container> file_;
  std::unordered_map<std::string, Tensor> read_;
};

std::string output_name(const std::string& key) {
  const auto at = key.rfind(".out.");
  return at == std::string::npos ? key : key.substr(at + 5);
}

std::string_view bytes_of(const Tensor& dense) {
  const auto n = static_cast<std::size_t>(dense.size() * info(dense.dtype()).bytes);
  return {n > 0 ? dense.read<char>() : "", n};
}

// Which of the keys of the format a case has. Throws for any other.
class Keys {
 public:
  Keys(const json& item, const std::string& where) {
    for (const auto& [key, unused] : item.get_ref<const json::object_t&>()) {
      const auto at = std::lower_bound(std::begin(kKnown), std::end(kKnown), key);
      if (at == std::end(kKnown) || *at != key)
        fail(where, "unknown key \"" + printable(key) + "\"" + nearest(key, {std::begin(kKnown), std::end(kKnown)}));
      has_[static_cast<std::size_t>(at - kKnown)] = true;
    }
  }
  bool has(std::string_view key) const {
    return has_[static_cast<std::size_t>(std::lower_bound(std::begin(kKnown), std::end(kKnown), key) - kKnown)];
  }

 private:
  static constexpr std::string_view kKnown[] = {"attributes", "check",  "compare",     "error",  "error_stage",
                                                "id",         "inputs", "layouts",     "note",   "op",
                                                "outputs",    "reason", "signed_zero", "source", "tol"};
  bool has_[std::size(kKnown)] = {};
};

// The word under a key that takes one of a few.
template <class Words>
std::string one_of(const json& item, const char* key, const std::string& where, const Words& words) {
  const auto word = get<std::string>(item, key, where);
  if (std::find(std::begin(words), std::end(words), word) != std::end(words)) return word;
  std::string known;
  for (const std::string_view w : words) known += (known.empty() ? "" : ", ") + std::string(w);
  fail(where, "\"" + std::string(key) + "\" is \"" + printable(word) + "\"; it is one of " + known);
}

void refuse_keys(const Keys& given, std::initializer_list<const char*> keys, const std::string& where,
                 const char* beside) {
  for (const char* key : keys)
    if (given.has(key)) fail(where, "\"" + std::string(key) + "\" has no meaning beside " + beside);
}

std::vector<std::pair<double, double>> read_tolerances(const json& item, std::size_t outputs,
                                                       const std::string& where) {
  std::vector<std::pair<double, double>> tol;
  for (const json& pair : view<json::array_t>(item, "tol", where)) {
    const bool two = pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number();
    if (!two) fail(where, "\"tol\" holds " + excerpt(pair) + ", not [rtol, atol]");
    tol.emplace_back(pair[0].get<double>(), pair[1].get<double>());
    if (!(tol.back().first >= 0 && tol.back().second >= 0))
      fail(where, "\"tol\" holds " + excerpt(pair) + ", which is negative");
  }
  if (tol.size() != outputs)
    fail(where, "\"tol\": " + std::to_string(tol.size()) + " tolerances for " + std::to_string(outputs) + " outputs");
  return tol;
}

void read_outputs(CorpusCase& c, const json& item, Tensors& tensors, const std::string& where) {
  std::unordered_set<std::string_view> names;
  for (const json& value : view<json::array_t>(item, "outputs", where)) {
    const std::string& key = as<std::string>(value, "outputs", where);
    c.outputs.emplace_back(output_name(key), tensors.at(key, where));
  }
  for (const auto& [name, unused] : c.outputs)
    if (!names.insert(name).second) fail(where, "\"outputs\" has \"" + printable(name) + "\" twice");
  if (c.outputs.empty()) fail(where, "\"outputs\" is empty, so there is nothing to compare");
}

constexpr std::string_view kWays[] = {"exact", "close", "invariant"};  // to compare
constexpr std::string_view kStages[] = {"construct", "evaluate"};
constexpr std::string_view kErrors[] = {"invalid_argument", "out_of_range", "runtime_error"};

void read_expectation(CorpusCase& c, const json& item, const Keys& given, Tensors& tensors, const std::string& where) {
  refuse_keys(given, {"error_stage", "reason"}, where, "outputs: no \"error\" is recorded");
  read_outputs(c, item, tensors, where);
  c.compare = one_of(item, "compare", where, kWays);
  if (c.compare == "exact") refuse_keys(given, {"tol", "check"}, where, "\"exact\"");
  if (c.compare == "close") refuse_keys(given, {"check"}, where, "\"close\"");
  if (c.compare == "close" || given.has("tol")) c.tol = read_tolerances(item, c.outputs.size(), where);
}

// What a call can be rejected for; a broken device or file is never the user's error.
constexpr Reason kRejections[] = {Reason::arity, Reason::attribute, Reason::axis, Reason::domain,
                                  Reason::dtype, Reason::memory,    Reason::rank, Reason::shape};

void read_error(CorpusCase& c, const json& item, const Keys& given, const std::string& where) {
  refuse_keys(given, {"outputs", "tol", "check", "signed_zero"}, where, "\"error\"");
  if (given.has("compare")) (void)one_of(item, "compare", where, kWays);
  if (given.has("error_stage")) (void)one_of(item, "error_stage", where, kStages);
  c.error = one_of(item, "error", where, kErrors);
  if (!given.has("reason")) return;
  std::vector<std::string_view> names;
  for (const Reason r : kRejections) names.push_back(name(r));
  const std::string word = one_of(item, "reason", where, names);
  for (const Reason r : kRejections)
    if (name(r) == word) c.reason = r;
}

void lay_out_inputs(CorpusCase& c, const json& item, const std::string& where) {
  using Names = std::map<std::string, std::string>;
  for (const auto& [input, text] : get_or<Names>(item, "layouts", where, {})) {
    const auto layout = layout_named(text);
    if (!layout) fail(where, "input \"" + input + "\" has no layout \"" + text + "\"");
    const auto values = c.inputs.find(input);
    if (values == c.inputs.end()) fail(where, "a layout of \"" + input + "\", which is no input");
    const Tensor laid = lay_out(values->second, *layout);
    if (bytes_of(contiguous(laid)) != bytes_of(values->second))
      fail(where, "input \"" + input + "\" cannot lie " + text + ": its rows differ");
    values->second = laid;
    c.layouts.emplace(input, *layout);
  }
}

CorpusCase read_case(const json& item, Tensors& tensors, const std::string& where) {
  CorpusCase c;
  c.id = view<std::string>(item, "id", where);
  const std::string here = where + " " + c.id;
  if (c.id.empty()) fail(where, "\"id\" is empty");
  const Keys given(item, here);
  c.op = view<std::string>(item, "op", here);
  if (given.has("note")) c.note = view<std::string>(item, "note", here);
  if (given.has("source")) c.source = view<std::string>(item, "source", here);
  if (given.has("check")) c.check = get<std::string>(item, "check", here);
  if (given.has("signed_zero")) c.signed_zero = get<bool>(item, "signed_zero", here);
  const json& attributes = at(item, "attributes", here);
  if (!attributes.is_object()) fail(here, "\"attributes\" is not an object: " + excerpt(attributes));
  c.attrs = attrs_of(attributes);
  for (const auto& [name, key] : view<json::object_t>(item, "inputs", here))
    c.inputs.emplace(name, tensors.at(as<std::string>(key, "inputs", here), here));
  if (given.has("layouts")) lay_out_inputs(c, item, here);
  if (given.has("error")) read_error(c, item, given, here);
  else read_expectation(c, item, given, tensors, here);
  return c;
}

ordered_json write_case(const CorpusCase& c, TensorMap& tensors) {
  ordered_json item{{"id", c.id}, {"op", c.op}};
  item["attributes"] = ordered_json::object();
  for (const auto& [name, value] : c.attrs) item["attributes"][name] = json_of(value);
  item["inputs"] = ordered_json::object();
  for (const auto& [name, value] : c.inputs) {
    const std::string key = c.id + ".in." + name;
    item["inputs"][name] = key;
    tensors.emplace(key, contiguous(value));
  }
  for (const auto& [input, layout] : c.layouts) item["layouts"][input] = name(layout);
  if (c.error) {
    item["error"] = *c.error;
    if (c.reason) item["reason"] = name(*c.reason);
  } else {
    item["outputs"] = ordered_json::array();
    for (const auto& [name, value] : c.outputs) {
      const std::string key = c.id + ".out." + name;
      item["outputs"].push_back(key);
      tensors.emplace(key, value);
    }
    item["compare"] = c.compare;
    if (!c.tol.empty()) item["tol"] = c.tol;
    if (!c.check.empty()) item["check"] = c.check;
    if (c.signed_zero) item["signed_zero"] = true;
  }
  item["note"] = c.note;
  item["source"] = c.source;
  return item;
}

// What is recorded must be read back as it is, so that no byte of it may be replaced.
std::string text_of(const std::string& folder, const CorpusCase& c, TensorMap& tensors) try {
  return write_case(c, tensors).dump();
} catch (const json::exception&) {
  fail(folder, "the case " + excerpt(c.id) + " has text that is not UTF-8");
}

}  // namespace

std::vector<CorpusCase> read_corpus(const std::string& folder) {
  const std::string path = folder + "/cases.json";
  const std::string text = read_file(path);
  return parse_corpus(
      text, [&] { return Container(folder + "/data.safetensors"); }, path);
}

std::vector<CorpusCase> parse_corpus(std::string_view text, const std::function<Container()>& data,
                                     const std::string& path) {
  Tensors tensors(data);
  std::vector<CorpusCase> cases;
  std::unordered_set<std::string> ids;
  parse_strict_list(text, path, [&](std::size_t i, const json& item) {
    const std::string where = path + ": case " + std::to_string(i);
    if (!item.is_object()) fail(where, "not an object: " + excerpt(item));
    cases.push_back(read_case(item, tensors, where));
    if (!ids.insert(cases.back().id).second) fail(where, "the id " + excerpt(cases.back().id) + " occurs twice");
  });
  (void)tensors.file();  // which belongs to the folder though no case may name a tensor
  return cases;
}

void write_corpus(const std::string& folder, const std::vector<CorpusCase>& cases) {
  TensorMap tensors;
  std::set<std::string> ids;
  std::string text;
  for (const CorpusCase& c : cases)
    if (!ids.insert(c.id).second) fail(folder, "the id \"" + c.id + "\" occurs twice");
  for (const CorpusCase& c : cases) text += (text.empty() ? "[\n" : ",\n") + text_of(folder, c, tensors);
  make_folder(folder);
  Output data(folder + "/data.safetensors"), list(folder + "/cases.json");
  write_safetensors(data, tensors);
  list.write(text.empty() ? "[]\n" : text + "\n]\n");
  data.commit();  // only now, so that neither is new where the other could not be written
  list.commit();
}

}  // namespace plumb
