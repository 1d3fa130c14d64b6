#include "foreign/frames.h"

#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/strict_json.h"
#include "core/text.h"

namespace plumb::foreign {
namespace {

constexpr std::size_t kMaxOutputs = 64;

Described described(const Json& one) {
  if (!one.is_object()) nonsense("an output that is no object");
  Described d;
  const std::string dtype = text_at(one, "dtype");
  Shape shape;
  for (const Json& n : list_at(one, "shape", kMaxRank)) {
    if (!n.is_number_integer() || n < 0 || n > std::numeric_limits<std::int64_t>::max())
      nonsense("\"shape\" holds " + excerpt(n));
    shape.push_back(n.get<std::int64_t>());
  }
  d.spec = dtype + to_string(shape);
  if (const auto known = dtype_named(dtype); known && name(*known) == dtype) d.ours = Spec{*known, std::move(shape)};
  d.offset = integer_at(one, "offset", 0, std::numeric_limits<std::int64_t>::max());
  return d;
}

}  // namespace

void nonsense(const std::string& what) { throw Fault(Cause::protocol, "the backend answered " + what); }

std::string frame(const Json& object) {
  const std::string text = object.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kMaxRequest)
    throw Error("plumb", Reason::memory, "a request of " + std::to_string(text.size()) + " bytes is too long");
  std::string all;
  for (int byte = 0; byte < 4; ++byte) all += static_cast<char>(text.size() >> (8 * byte) & 0xFF);
  return all + text;
}

std::optional<Json> FrameReader::next() {
  if (waiting_.size() < 4) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t byte = 0; byte < 4; ++byte)
    length |= static_cast<std::size_t>(static_cast<unsigned char>(waiting_[byte])) << (8 * byte);
  if (length == 0 || length > kMaxAnswer) nonsense("a frame of " + std::to_string(length) + " bytes");
  if (waiting_.size() < 4 + length) return std::nullopt;
  Json object;
  try {
    object = parse_strict({waiting_.data() + 4, length}, "a frame");
  } catch (const Error& e) {
    nonsense(plain_text(e.detail()));
  }
  waiting_.erase(0, 4 + length);
  if (!object.is_object()) nonsense(excerpt(object) + ", which is no object");
  return object;
}

std::string plain_text(const std::string& text) {
  const std::string all = printable(text.substr(0, 4 * kMaxText));
  std::size_t end = std::min(all.size(), kMaxText);
  while (end < all.size() && end > 0 && (static_cast<unsigned char>(all[end]) & 0xC0) == 0x80) --end;
  return all.substr(0, end) + (end < all.size() || text.size() > 4 * kMaxText ? "..." : "");
}

const Json& member(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end()) nonsense(excerpt(object) + ", which lacks \"" + key + "\"");
  return *it;
}

std::string text_at(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_string()) nonsense("a \"" + std::string(key) + "\" that is no text: " + excerpt(value));
  return plain_text(value.get_ref<const std::string&>());
}

std::int64_t integer_at(const Json& object, const char* key, std::int64_t least, std::int64_t most) {
  const Json& value = member(object, key);
  const bool fits = value.is_number_integer() && value >= least && value <= most;
  if (!fits) nonsense("a \"" + std::string(key) + "\" of " + excerpt(value));
  return value.get<std::int64_t>();
}

const Json& list_at(const Json& object, const char* key, std::size_t most) {
  const Json& value = member(object, key);
  if (!value.is_array() || value.size() > most) nonsense("a \"" + std::string(key) + "\" that is no such list");
  return value;
}

std::vector<Described> outputs_of(const Json& answer) {
  std::vector<Described> all;
  for (const Json& one : list_at(answer, "out", kMaxOutputs)) all.push_back(described(one));
  return all;
}

}  // namespace plumb::foreign
