// Fills whose values are pinned: a table holds a digest per fill, dtype and shape; a failure prints the line that would
// be right, for a change that is meant.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <span>
#include <string>

#include "core/fill.h"

namespace plumb::pinned {

struct Pinned {
  std::string_view fill;
  Dtype dtype;
  Shape shape;
  std::uint64_t digest;
};

inline constexpr std::uint64_t kKey = 0x5eed;

// FNV-1a over the bytes, written out here: the test must not lean on what it tests.
inline std::uint64_t digest_of(const Tensor& t) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(t.read<std::byte>());
  std::uint64_t h = 0xcbf29ce484222325;
  for (std::int64_t i = 0; i < t.size() * info(t.dtype()).bytes; ++i) h = (h ^ bytes[i]) * 0x100000001b3;
  return h;
}

inline std::string line(const Pinned& p, std::uint64_t digest) {
  const std::string_view type = p.dtype == Dtype::boolean ? "boolean" : name(p.dtype);
  std::string s = "{\"" + std::string(p.fill) + "\", Dtype::" + std::string(type) + ", {";
  for (std::size_t i = 0; i < p.shape.size(); ++i) s += (i > 0 ? ", " : "") + std::to_string(p.shape[i]);
  char hex[24];
  std::snprintf(hex, sizeof hex, "0x%016llx", static_cast<unsigned long long>(digest));
  return s + "}, " + hex + "},";
}

// Holds the lines of a fill against the values that it gives now.
inline void expect_pinned(const Fill& f, std::span<const Pinned> table) {
  int pinned = 0;
  for (const Pinned& p : table) {
    if (p.fill.substr(0, p.fill.find('-')) != f.name) continue;
    ++pinned;
    const std::uint64_t now = digest_of(fill({p.dtype, p.shape}, p.fill, kKey));
    if (now != p.digest) ADD_FAILURE() << "the values have changed; the line of fills.inc would be\n" << line(p, now);
  }
  EXPECT_GT(pinned, 0) << f.name << ": no line of fills.inc";
}

}  // namespace plumb::pinned
