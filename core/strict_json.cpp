#include "core/strict_json.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/infinity.h"

namespace plumb {
namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& source, const std::string& what) {
  throw Error("plumb", Reason::file, source + ": " + what);
}

// The keys of one open object. Those in rising order are compared with the last one only; the others are sorted when
// the object ends, so that no choice of keys makes this slow.
class Keys {
 public:
  void clear() { used_ = 0, rising_ = true; }
  void add(const std::string& key) {
    if (used_ == keys_.size()) keys_.emplace_back();
    keys_[used_++] = key;
    if (used_ > 1 && !(keys_[used_ - 2] < keys_[used_ - 1])) rising_ = false;
  }
  // One that occurs twice, or null.
  const std::string* twice() {
    if (rising_) return nullptr;
    const auto end = keys_.begin() + static_cast<std::ptrdiff_t>(used_);
    std::sort(keys_.begin(), end);
    const auto found = std::adjacent_find(keys_.begin(), end);
    return found == end ? nullptr : &*found;
  }

 private:
  std::vector<std::string> keys_;  // kept for the next object at this depth
  std::size_t used_ = 0;
  bool rising_ = true;
};

std::string printable(const std::string& text) {
  constexpr std::size_t kMaxShown = 200;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    if (out.size() > kMaxShown) return out + "...";
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 0x7F) out += c;
    else out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

// What the parser calls; its names are the parser's.
class Strict {
 public:
  Strict(const std::string& source, JsonEvents& events, int depth)
      : source_(source), events_(events), keys_(static_cast<std::size_t>(depth)) {}

  bool null() { return plain(nullptr); }
  bool boolean(bool v) { return plain(v); }
  bool number_integer(std::int64_t v) { return plain(v); }
  bool number_unsigned(std::uint64_t v) { return plain(v); }
  bool number_float(double v, const std::string&) { return plain(v); }
  bool string(std::string& v) { return events_.text(v), true; }
  bool binary(json::binary_t&) { return false; }
  bool key(std::string& v) {
    keys_[depth_ - 1].add(v);
    return events_.key(v), true;
  }
  bool start_object(std::size_t) { return open(false); }
  bool start_array(std::size_t) { return open(true); }
  bool end_object() {
    if (const std::string* twice = keys_[depth_ - 1].twice())
      fail(source_, "the key " + excerpt(*twice) + " occurs twice");
    return end_array();
  }
  bool end_array() { return --depth_, events_.close(), true; }
  bool parse_error(std::size_t, const std::string&, const json::exception& e) {
    fail(source_, "not JSON: " + printable(e.what()));
  }

 private:
  bool plain(const json& v) { return events_.plain(v), true; }
  bool open(bool list) {
    if (depth_ == keys_.size()) fail(source_, "nested deeper than " + std::to_string(keys_.size()) + " levels");
    keys_[depth_++].clear();
    return events_.open(list), true;
  }

  const std::string& source_;
  JsonEvents& events_;
  std::vector<Keys> keys_;  // by depth
  std::size_t depth_ = 0;
};

// Builds a value of the events.
class Builder : public JsonEvents {
 public:
  void open(bool list) override { open_.push_back(&place(list ? json::array() : json::object())); }
  void close() override { open_.pop_back(); }
  void key(std::string& name) override { key_.swap(name); }
  void text(std::string& value) override { place(std::move(value)); }
  void plain(const json& value) override { place(value); }
  json take() { return std::move(root_); }

 private:
  // An entry stays where it is while it is open: its list or object takes no other until then.
  json& place(json value) {
    if (open_.empty()) return root_ = std::move(value);
    json& in = *open_.back();
    if (in.is_object())
      return in.get_ref<json::object_t&>().insert_or_assign(std::move(key_), std::move(value)).first->second;
    in.push_back(std::move(value));
    return in.back();
  }

  json root_;
  std::vector<json*> open_;
  std::string key_;
};

// The entries of the outer list, each built by itself. Of a text that is no list nothing is built.
class Entries : public JsonEvents {
 public:
  explicit Entries(const std::function<void(std::size_t, const json&)>& f) : f_(f) {}

  bool is_list() const { return list_; }

  void open(bool list) override {
    if (depth_++ == 0) list_ = list;
    else if (list_) entry_.open(list);
  }
  void close() override {
    if (--depth_ > 0 && list_) entry_.close(), done();
  }
  void key(std::string& name) override {
    if (list_) entry_.key(name);
  }
  void text(std::string& value) override {
    if (list_) entry_.text(value), done();
  }
  void plain(const json& value) override {
    if (list_) entry_.plain(value), done();
  }

 private:
  void done() {
    if (depth_ == 1) f_(number_++, entry_.take());
  }

  const std::function<void(std::size_t, const json&)>& f_;
  Builder entry_;
  std::size_t number_ = 0;
  int depth_ = 0;
  bool list_ = false;
};

// JSON has no infinities: the words stand for them, where a number is wanted.
std::optional<double> number_of(const json& v) {
  if (v.is_number()) return v.get<double>();
  return v.is_string() ? infinity_named(v.get_ref<const std::string&>()) : std::nullopt;
}

bool fits_int64(const json& v) { return !v.is_number_unsigned() || v.get<std::uint64_t>() <= std::uint64_t{INT64_MAX}; }

Attr list_of(const json& list) {
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  for (const json& v : list) {
    const auto number = number_of(v);
    if (!number || (v.is_number_integer() && !fits_int64(v))) return Attr(list.dump());
    if (v.is_number_integer()) integers.push_back(v.get<std::int64_t>());
    reals.push_back(*number);
  }
  return integers.size() == reals.size() ? Attr(std::move(integers)) : Attr(std::move(reals));
}

json number_or_word(double v) { return std::isfinite(v) ? json(v) : json(infinity_name(v)); }

json number_or_word(const std::vector<double>& list) {
  json all = json::array();
  for (const double v : list) all.push_back(number_or_word(v));
  return all;
}

}  // namespace

void read_strict(std::string_view text, const std::string& source, JsonEvents& events, int depth) {
  // The parser takes a NUL for the end of the text, whatever follows.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    fail(source, "not JSON: byte " + std::to_string(nul) + " is a NUL");
  Strict strict(source, events, depth);
  try {
    json::sax_parse(text.begin(), text.end(), &strict);
  } catch (const std::bad_alloc&) {
    fail(source, "what its " + std::to_string(text.size()) + " bytes of JSON hold does not fit into memory");
  }
}

json parse_strict(std::string_view text, const std::string& source) {
  Builder builder;
  read_strict(text, source, builder);
  return builder.take();
}

void parse_strict_list(std::string_view text, const std::string& source,
                       const std::function<void(std::size_t, const json&)>& f) {
  Entries entries(f);
  read_strict(text, source, entries);
  if (!entries.is_list()) fail(source, "not a list");
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
  return value.is_array() ? list_of(value) : Attr(value.dump());
}

Attrs attrs_of(const json& object) {
  // Far above any row: they are kept in a list that is searched from its front.
  constexpr std::size_t kMaxAttributes = 1000;
  if (object.size() > kMaxAttributes)
    fail("attributes", std::to_string(object.size()) + " of them, over the limit of 1000");
  Attrs attrs;
  for (const auto& [name, value] : object.items()) attrs.set(name, attr_of(value));
  return attrs;
}

json json_of(const Attr& attr) {
  return std::visit(
      [](const auto& v) -> json {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::monostate>) return nullptr;
        else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::vector<double>>)
          return number_or_word(v);
        else return v;
      },
      attr.value());
}

}  // namespace plumb
