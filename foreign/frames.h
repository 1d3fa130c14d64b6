// Frames: a length, and a JSON object of so many bytes. What a child says in them is believed in nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/backend.h"
#include "core/tensor.h"

namespace plumb::foreign {

using Json = nlohmann::json;

inline constexpr std::size_t kMaxRequest = 16 << 20;
inline constexpr std::size_t kMaxAnswer = 1 << 20;
inline constexpr std::size_t kMaxText = 300;  // characters of a text that are kept
inline constexpr int kMaxRank = 64;

std::string frame(const Json&);  // throws Error(memory) for one that no child would take

// Cuts what arrives into frames.
class FrameReader {
 public:
  void add(const char* data, std::size_t bytes) { waiting_.append(data, bytes); }
  bool empty() const { return waiting_.empty(); }
  void clear() { waiting_.clear(); }
  // The next whole frame, an object; no value while there is none. Throws Fault(protocol) as soon as it cannot be one.
  std::optional<Json> next();

 private:
  std::string waiting_;
};

// Parts of an answer. Each throws Fault(protocol) that names the key.
std::string text_at(const Json&, const char* key);  // printable, of at most kMaxText characters
std::int64_t integer_at(const Json&, const char* key, std::int64_t least, std::int64_t most);
const Json& list_at(const Json&, const char* key, std::size_t most);
const Json& member(const Json&, const char* key);
[[noreturn]] void nonsense(const std::string& what);

std::string plain_text(const std::string&);  // as text_at has it

// One output as the child describes it.
struct Described {
  std::string spec;          // "f32[2,3]"
  std::optional<Spec> ours;  // no value for a dtype that we have not
  std::int64_t offset = 0;
};
std::vector<Described> outputs_of(const Json& answer);

}  // namespace plumb::foreign
