#include "foreign/manifest.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/strict_json.h"
#include "core/text.h"

namespace plumb::foreign {
namespace {

constexpr std::int64_t kMostLanes = 1 << 20;
constexpr double kMostUlps = 1e6;

Dtype dtype_in(const Json& value, const std::string& key) {
  if (value.is_string())
    if (const auto known = dtype_named(value.get_ref<const std::string&>())) return *known;
  nonsense("the manifest's \"" + key + "\" of " + excerpt(value) + ", which is no dtype");
}

template <class T>
T word_in(const Json& value, const std::string& key, const std::map<std::string, T>& words) {
  if (value.is_string())
    if (const auto it = words.find(value.get_ref<const std::string&>()); it != words.end()) return it->second;
  nonsense("the manifest's \"" + key + "\" of " + excerpt(value));
}

bool flag_in(const Json& value, const std::string& key) {
  if (!value.is_boolean()) nonsense("the manifest's \"" + key + "\" of " + excerpt(value));
  return value.get<bool>();
}

void read_order(Claim& c, const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  const auto number_behind = [&](std::string_view head) {
    const std::string digits = text.substr(head.size());
    const bool plain =
        !digits.empty() && digits.size() < 8 && digits.find_first_not_of("0123456789") == std::string::npos;
    const std::int64_t n = plain ? std::stoll(digits) : 0;
    if (n < 1 || n > kMostLanes) nonsense("the manifest's \"order\" of " + excerpt(value));
    return n;
  };
  if (text == "any") c.shape = Order::Shape::sequential;
  else if (text == "pairwise") c.shape = Order::Shape::pairwise;
  else if (text.rfind("lanes:", 0) == 0) c.shape = Order::Shape::lanes, c.lanes = number_behind("lanes:");
  else if (text.rfind("blocks:", 0) == 0) c.block = number_behind("blocks:");
  else nonsense("the manifest's \"order\" of " + excerpt(value));
}

void read_accumulator(Claim& c, const Json& value) {
  if (value == "same") {
    c.same_accumulator = true;
    return;
  }
  c.accumulator = dtype_in(value, "accumulator");
  if (!is_real(*c.accumulator)) nonsense("the manifest's \"accumulator\" of " + excerpt(value));
}

void read_ulps(Claim& c, const Json& value) {
  if (!value.is_object()) nonsense("the manifest's \"ulps\" of " + excerpt(value));
  for (const auto& [function, ulps] : value.items()) {
    if (!ulps.is_number() || !(ulps.get<double>() >= 0 && ulps.get<double>() <= kMostUlps))
      nonsense("the manifest's \"ulps\" of " + excerpt(ulps));
    c.ulps[plain_text(function)] = ulps.get<double>();
  }
}

void read_dtypes(Claim& c, const Json& value) {
  if (!value.is_array()) nonsense("the manifest's \"dtypes\" of " + excerpt(value));
  for (const Json& one : value) c.dtypes.push_back(dtype_in(one, "dtypes"));
}

using Read = void (*)(Claim&, const Json&);
const std::map<std::string, Read> kKeys = {
    {"dtypes", read_dtypes},
    {"accumulator", read_accumulator},
    {"order", read_order},
    {"ulps", read_ulps},
    {"fma", [](Claim& c, const Json& v) { c.fma = flag_in(v, "fma"); }},
    {"truncating", [](Claim& c, const Json& v) { c.truncating = flag_in(v, "truncating"); }},
    {"inputs", [](Claim& c, const Json& v) { c.inputs = dtype_in(v, "inputs"); }},
    {"partials", [](Claim& c, const Json& v) { c.partials = dtype_in(v, "partials"); }},
    {"fft",
     [](Claim& c, const Json& v) {
       c.fft = word_in<Fft>(
           v, "fft", {{"mixed_radix", Fft::mixed_radix}, {"bluestein", Fft::bluestein}, {"direct", Fft::direct}});
     }},
    {"deterministic",
     [](Claim& c, const Json& v) {
       c.repeats = word_in<Repeats>(
           v, "deterministic",
           {{"process", Repeats::in_process}, {"bitwise", Repeats::everywhere}, {"bounded", Repeats::within_bounds}});
     }},
};

Claim claim_of(const std::string& op, const Json& value) {
  if (!value.is_object()) nonsense("a manifest whose entry of " + op + " is no object");
  Claim c;
  for (const auto& [key, one] : value.items()) {
    const auto known = kKeys.find(key);
    if (known == kKeys.end())
      nonsense("a manifest with the key \"" + plain_text(key) + "\" of " + op + ", which is none");
    known->second(c, one);
    if (key != "dtypes") c.declared += (c.declared.empty() ? "" : ", ") + key + " " + excerpt(one);
  }
  c.declared = plain_text(c.declared);
  return c;
}

}  // namespace

Manifest manifest_of(const Json& answer) {
  (void)integer_at(answer, "plumb", 1, 1);
  const Json& rows = member(answer, "ops");
  if (!rows.is_object()) nonsense("a manifest whose \"ops\" are no object");
  for (const auto& [key, value] : answer.items())
    if (key != "plumb" && key != "ops") nonsense("a manifest with the key \"" + plain_text(key) + "\", which is none");
  std::set<std::string_view> known;
  for (const Op& op : ops()) known.insert(op.name);
  Manifest all;
  for (const auto& [op, value] : rows.items()) {
    if (!known.contains(op))
      nonsense("a manifest with the operation \"" + plain_text(op) + "\", which is none" +
               nearest(op, {known.begin(), known.end()}));
    all.emplace(op, claim_of(op, value));
  }
  return all;
}

}  // namespace plumb::foreign
