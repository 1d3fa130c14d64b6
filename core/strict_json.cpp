#include "core/strict_json.h"

#include <filesystem>
#include <fstream>
#include <new>
#include <set>
#include <system_error>
#include <vector>

#include "core/error.h"

namespace plumb {
namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& source, const std::string& what) {
  throw Error("plumb", Reason::file, source + ": " + what);
}

// Watches the parser: one entry per open object or list.
class Watch {
 public:
  Watch(const std::string& source, const JsonLimits& limits) : source_(source), limits_(limits) {}

  bool operator()(int, json::parse_event_t event, json& parsed) {
    using Event = json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) open(event == Event::array_start);
    if (event == Event::object_end || event == Event::array_end) open_.pop_back();
    if (event == Event::key) key(parsed.get<std::string>());
    if (event == Event::value) entry();
    return true;
  }

 private:
  struct Level {
    bool list;
    std::size_t entries = 0;
    std::set<std::string> keys;
  };

  void open(bool list) {
    entry();
    if (static_cast<int>(open_.size()) >= limits_.depth)
      fail(source_, "nested deeper than " + std::to_string(limits_.depth) + " levels");
    open_.push_back({list, 0, {}});
  }
  void entry() {
    if (open_.empty() || !open_.back().list) return;
    if (++open_.back().entries > limits_.list)
      fail(source_, "a list of more than " + std::to_string(limits_.list) + " entries");
  }
  void key(const std::string& name) {
    if (!open_.back().keys.insert(name).second) fail(source_, "the key \"" + name + "\" occurs twice");
  }

  const std::string& source_;
  JsonLimits limits_;
  std::vector<Level> open_;
};

template <class Is>
bool is_list(const json& value, Is&& is) {
  if (!value.is_array()) return false;
  for (const json& v : value)
    if (!is(v)) return false;
  return true;
}

bool fits_int64(const json& v) { return !v.is_number_unsigned() || v.get<std::uint64_t>() <= std::uint64_t{INT64_MAX}; }

}  // namespace

json parse_strict(std::string_view text, const std::string& source, const JsonLimits& limits) {
  Watch watch(source, limits);
  try {
    return json::parse(text.begin(), text.end(), std::ref(watch));
  } catch (const json::exception& e) {
    fail(source, std::string("not JSON: ") + e.what());
  }
}

std::string excerpt(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

Attr attr_of(const json& value) {
  if (value.is_null()) return kNone;
  if (value.is_boolean()) return Attr(value.get<bool>());
  if (value.is_number_integer() && fits_int64(value)) return Attr(value.get<std::int64_t>());
  if (value.is_number_float()) return Attr(value.get<double>());
  if (value.is_string()) return Attr(value.get<std::string>());
  if (is_list(value, [](const json& v) { return v.is_number_integer(); }))
    return Attr(value.get<std::vector<std::int64_t>>());
  if (is_list(value, [](const json& v) { return v.is_number(); })) return Attr(value.get<std::vector<double>>());
  return Attr(value.dump());
}

Attrs attrs_of(const json& object) {
  Attrs attrs;
  for (const auto& [name, value] : object.items()) attrs.set(name, attr_of(value));
  return attrs;
}

std::string read_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) fail(path, "no such file, or not a regular one");
  const auto size = std::filesystem::file_size(path, error);
  if (error) fail(path, error.message());
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, "cannot be opened for reading");
  try {
    std::string bytes(size, '\0');
    if (!in.read(bytes.data(), static_cast<std::streamsize>(size))) fail(path, "cannot be read");
    return bytes;
  } catch (const std::bad_alloc&) {
    fail(path, std::to_string(size) + " bytes do not fit into memory");
  }
}

void write_file(const std::string& path, std::string_view bytes) {
  const std::string part = path + ".part";
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.flush();
    if (!out) fail(part, "cannot be written");
  }
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) fail(path, error.message());
}

}  // namespace plumb
