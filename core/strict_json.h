// JSON from files that nobody vouches for: bounded nesting and lists, no duplicate keys, no surprises
// later. Every rejection is Error(file) that names the source.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/attrs.h"

namespace plumb {

struct JsonLimits {
  int depth = 64;                      // of nested objects and lists
  std::size_t list = std::size_t(-1);  // entries of one list
};

nlohmann::json parse_strict(std::string_view text, const std::string& source, const JsonLimits& = {});

// At most 80 characters of a value, for messages.
std::string excerpt(const nlohmann::json&);

// What has no form of its own among attributes (lists of lists, objects, huge integers) stays as its JSON
// text, so that a case of an unknown op can still be named.
Attr attr_of(const nlohmann::json&);
Attrs attrs_of(const nlohmann::json& object);

// The bytes of a regular file; throws Error(file).
std::string read_file(const std::string& path);
// Written beside, then renamed: readers see the old file or the whole new one. Throws Error(file).
void write_file(const std::string& path, std::string_view bytes);

}  // namespace plumb
