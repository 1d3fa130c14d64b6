// The pages under docs/ that say what every operation is, made of the rows: an entry for each operation, a page for
// each wing, and the index.
#include "cli/list_pages.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include "cli/terminal.h"
#include "core/alias.h"
#include "core/family.h"
#include "core/files.h"
#include "core/route.h"

namespace plumb::cli {
namespace {

constexpr std::size_t kWidth = 120;

constexpr const char* kIndexHead =
    "# Operations\n\nEvery operation by wing and family, each a link to what it computes, what it takes and which "
    "routes it has.\nThese pages are written by `plumb list ops --pages docs`; a test holds them against the rows.\n";

constexpr const char* kPageHead =
    "An entry for each operation, made of its row by `plumb list ops --pages docs`.\n\n"
    "* The first line is the **signature**: a letter stands for one size, or one type, wherever it is; an input that "
    "ends in\n  `?` may be left out; `*B` is any number of axes, `...` axes that broadcast, `counts N` a number of "
    "leading rows of `N`\n  ([signatures.md](../signatures.md)). The letters of types follow it.\n"
    "* **Attributes** stand with their defaults, written as in a case id; `none` is: not given.\n"
    "* **Judged** says how far a route may be from the reference; an output of integers or bool is always exact\n"
    "  ([bounds.md](../bounds.md)).\n"
    "* **Routes** are in the order in which they are tried, each with its tier. One refuses a call that it cannot "
    "compute,\n  and yields one that another route computes better; a route `unavailable` needs no device. Last comes "
    "`reference`,\n  the oracle itself, which takes every call.\n";

// What may begin a line without being read as the mark of a list, a heading or a quotation.
bool begins_line(std::string_view word) {
  const char first = word.empty() ? ' ' : word[0];
  if (std::isdigit(static_cast<unsigned char>(first))) return word.find_first_of(".)") == std::string_view::npos;
  return std::isalpha(static_cast<unsigned char>(first)) || first == '(' || first == '[' || first == '`';
}

// "* text", cut at spaces into lines of at most kWidth where it can be.
std::string item(const std::string& text, std::size_t indent = 0) {
  std::string out(indent, ' ');
  out += "* ";
  std::size_t column = out.size();
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find(' ', begin);
    // What may not begin a line goes with the word before it.
    while (end != std::string::npos && !begins_line(std::string_view(text).substr(end + 1)))
      end = text.find(' ', end + 1);
    if (end == std::string::npos) end = text.size();
    if (begin > 0 && column + 1 + end - begin > kWidth) {
      out += "\n" + std::string(indent + 2, ' ');
      column = indent + 2;
    } else if (begin > 0) {
      out += " ", ++column;
    }
    out.append(text, begin, end - begin);
    column += end - begin;
    begin = end + 1;
  }
  return out + "\n";
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

// The class of the bound in words; core/tolerance.h has the formulas.
std::string_view in_words(Tolerance::Class c) {
  using enum Tolerance::Class;
  switch (c) {
    case exact: return "bit for bit";
    case rounded: return "the exact value, rounded once";
    case accumulate: return "a sum of rounded terms, bounded by the order that the route declares and the terms' size";
    case inherited: return "a bound for each element, carried along from the roundings of the steps before it";
    case residual:
      return "by a test of the row's own, where the result is not unique or depends on more than one rounding";
    case normwise: return "each line as a whole, by the norm of its error";
    case function: return "within as many ulps of the exact value as the route states of its function";
    case index: return "a choice is right if no other was better by more than the scores' own error";
  }
  return "";
}

std::string conditions(const std::vector<Condition>& all) {
  std::vector<std::string_view> refusals;
  for (const Condition& c : all) refusals.push_back(c.refusal);
  return join(refusals, "; ");
}

std::string route_item(const Route& r) {
  std::string text = code(r.name) + " (" + std::string(name(r.tier)) + ")";
  if (!r.supports.empty()) text += " refuses: " + conditions(r.supports);
  if (!r.prefers.empty()) text += (r.supports.empty() ? " yields: " : ". Yields: ") + conditions(r.prefers);
  return item(text, 2);
}

std::string attributes(const Op& op) {
  std::string out;
  for (const auto& [key, value] : op.attrs) out += (out.empty() ? "" : ", ") + code(key + "=" + to_string(value));
  return out;
}

struct Family {
  std::string wing, name;  // "sparse/conv", "convolution"
  std::vector<const Op*> ops;
};

// By the wing's own name, "sparse"; its families by parts of the wing, then in the order of the tables.
std::map<std::string, std::vector<Family>> families() {
  std::map<std::string, std::vector<Family>> wings;
  for (const Op& op : ops()) {
    const std::string wing(wing_of(op.name)), name(family_of(op.name));
    std::vector<Family>& of = wings[wing.substr(0, wing.find('/'))];
    auto found = of.begin();
    while (found != of.end() && (found->wing != wing || found->name != name)) ++found;
    if (found == of.end()) found = of.insert(of.end(), {wing, name, {}});
    found->ops.push_back(&op);
  }
  for (auto& [wing, all] : wings)
    std::stable_sort(all.begin(), all.end(), [](const Family& a, const Family& b) { return a.wing < b.wing; });
  return wings;
}

std::string page_of(const std::string& wing, const std::vector<Family>& all) {
  std::string out = "# Operations: " + wing + "\n\n" + kPageHead;
  for (const Family& f : all) {
    const std::string path = "reference/" + f.wing + "/" + f.name + ".cpp";
    out += "\n## Family " + f.name + "\n\nDefined in [" + path + "](../../" + path + ").\n";
    for (const Op* op : f.ops) out += "\n" + entry(*op);
  }
  return out;
}

// Of the names that are no row's.
std::string alias_list() {
  std::string out =
      "\n## Other names\n\nEvery verb takes them too; one that means several operations is each of them to a query.\n"
      "They stand in [cli/aliases.def](../cli/aliases.def).\n\n";
  for (const Alias& a : aliases()) {
    std::string rows;
    for (const std::string& row : meant_by(a.name)) {
      const std::string wing(wing_of(row));
      rows += (rows.empty() ? " [" : ", [") + row + "](ops/" + wing.substr(0, wing.find('/')) + ".md#" + row + ")";
    }
    out += item(code(a.name) + ":" + rows);
  }
  return out;
}

std::string index_of(const std::map<std::string, std::vector<Family>>& wings) {
  std::string out = kIndexHead;
  for (const auto& [wing, all] : wings) {
    const std::string page = "ops/" + wing + ".md";
    out += "\n## [" + wing + "](" + page + ")\n\n";
    for (const Family& f : all) {
      std::string line = f.wing + "/" + f.name + ":";
      for (const Op* op : f.ops) {
        const std::string name(op->name);
        line += " [" + name + "](" + page + "#" + name + ")" + (op == f.ops.back() ? "" : ",");
      }
      out += item(line);
    }
  }
  return out + alias_list();
}

}  // namespace

std::string entry(const Op& op) {
  std::string out = "### " + std::string(op.name) + "\n\n";
  out += item(code(op.signature) + (op.types.empty() ? "" : " with " + code(op.types)));
  out += item("**Equation:** " + code(op.equation));
  if (!op.meaning.empty()) out += item("**Meaning:** " + std::string(op.meaning));
  if (!op.attrs.empty()) out += item("**Attributes:** " + attributes(op));
  out += item("**Judged** " + std::string(name(op.tolerance.kind)) + ": " + std::string(in_words(op.tolerance.kind)));
  out += item(op.host_only ? "**Routes**, of the host only, since each step needs the one before:" : "**Routes:**");
  for (const Route& r : routes(op))
    if (r.name != kReference) out += route_item(r);
  return out;
}

void write_pages(const std::string& folder) {
  make_folder(folder + "/ops");
  const auto wings = families();
  for (const auto& [wing, all] : wings) write_file(folder + "/ops/" + wing + ".md", page_of(wing, all));
  write_file(folder + "/ops.md", index_of(wings));
}

}  // namespace plumb::cli
