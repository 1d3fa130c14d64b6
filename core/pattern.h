// The language in which rows state their calls: case ids with what varies in braces (docs/patterns.md).
//
//   call   {t}.{rows}.{l}.{x}/group_size={g},bits={b}
//   from   t=f32 l=row x=uniform b={2,3,4,8} g={32,64,128}
//   smoke  rows=2x{2*g}
//   ci     rows={n}x32 n={64~,129} x=int-9 g=32     # around one work-group's share
//
// A text is read where its row is installed, which is where a mistake in its form is told; it is expanded where its
// calls are asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::pattern {

// Text with what varies in it.
struct Part;
using Text = std::vector<Part>;
struct Part {
  enum class Kind : std::uint8_t { plain, choice, turn, expression };
  Kind kind = Kind::plain;
  std::string text;         // plain, or an expression
  std::vector<Text> items;  // of a choice (each of them) or a turn (the next one)
};

// One parameter, or several that vary together, with their value.
struct Binding {
  std::vector<std::string> names;
  Text value;
  std::vector<std::string> asks;  // the names that the value asks for
  bool bound_inside = false;      // by {name=..}, not by a word of the line
};

// A line that stands for calls, with all that it needs.
struct Sweep {
  int line;  // counted from 1
  std::string verb, reason, source;
  Text call;
  std::vector<Binding> own;
  std::shared_ptr<const std::vector<Binding>> defaults;
};

// The sweeps of a text whose lines begin with one of these verbs, or with call or from. Throws Error(query) that
// names the line.
std::vector<Sweep> read(std::string_view text, std::span<const std::string_view> verbs);

// Each call of a sweep once, as INPUTS/ATTRIBUTES of a case id. Throws Error(query) that names the line.
void expand(const Sweep&, const std::function<void(const std::string& call)>& take);

// What a query with braces stands for; itself if there are none. A backslash takes the character behind it as it is.
// Throws Error(query).
std::vector<std::string> alternatives(std::string_view query);

}  // namespace plumb::pattern
