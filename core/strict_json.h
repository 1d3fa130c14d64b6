// JSON from files that nobody vouches for: bounded nesting, no duplicate keys, time linear in the text, no surprises
// later. Every rejection is Error(file) that names the source.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/attrs.h"
#include "core/files.h"

namespace plumb {

inline constexpr int kJsonDepth = 64;  // of nested objects and lists

// The parts of a JSON text in order. Depth, keys that occur twice and bytes that are no text are found before.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual void open(bool list) = 0;  // an object, or a list
  virtual void close() = 0;
  virtual void key(std::string&) = 0;
  virtual void text(std::string&) = 0;
  virtual void plain(const nlohmann::json&) = 0;  // null, a boolean or a number
};
void read_strict(std::string_view text, const std::string& source, JsonEvents&, int depth = kJsonDepth);

// The whole text as one value.
nlohmann::json parse_strict(std::string_view text, const std::string& source);
// A list whose entries are used one by one, each gone before the next: f(number, entry).
void parse_strict_list(std::string_view text, const std::string& source,
                       const std::function<void(std::size_t, const nlohmann::json&)>& f);

// At most 80 characters of a value, for messages; all of them can be printed.
std::string excerpt(const nlohmann::json&);

// What has no form of its own among attributes (lists of lists, objects, huge integers) stays as its JSON
// text, so that a case of an unknown op can still be named.
Attr attr_of(const nlohmann::json&);
Attrs attrs_of(const nlohmann::json& object);
nlohmann::json json_of(const Attr&);  // which attr_of reads back: numbers that JSON has not are words

}  // namespace plumb
