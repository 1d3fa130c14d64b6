#include "core/pattern.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "core/case.h"
#include "core/dtype.h"
#include "core/expression.h"
#include "core/number.h"
#include "core/text.h"

namespace plumb::pattern {
namespace {

constexpr std::size_t kMaxCalls = 20'000;  // of one line: more are a slip

[[noreturn]] void wrong(const std::string& what) { throw Error("pattern", Reason::query, what); }

bool blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (blank(s.front()) || s.front() == '\n')) s.remove_prefix(1);
  while (!s.empty() && (blank(s.back()) || s.back() == '\n')) s.remove_suffix(1);
  return s;
}

// ---- Reading ----

bool opens(char c) { return c == '{' || c == '['; }
bool closes(char c) { return c == '}' || c == ']'; }

// The bracket that closes the one at `at`.
std::size_t closing(std::string_view s, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < s.size(); ++i) {
    if (s[i] == '\\') ++i;
    else if (opens(s[i])) ++depth;
    else if (closes(s[i]) && --depth == 0) return i;
  }
  wrong("'" + std::string(s.substr(at)) + "' is not closed");
}

// Parts between the characters that `at` accepts, outside of brackets; empty ones too.
template <class At>
std::vector<std::string_view> split(std::string_view s, At&& at) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '\\') ++i;
    else if (opens(s[i])) i = closing(s, i);
    else if (at(s[i])) parts.push_back(s.substr(begin, i - begin)), begin = i + 1;
  }
  parts.push_back(s.substr(std::min(begin, s.size())));
  return parts;
}

std::vector<std::string> set_named(std::string_view name) {
  std::vector<std::string> all;
  const auto add = [&](std::string_view s) { all.emplace_back(s); };
  if (name == "layouts")
    for (const Layout l : kLayouts) add(plumb::name(l));
  if (name == "floats")
    for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::bf16}) add(plumb::name(t));
  for (const DtypeInfo& t : all_dtypes())
    if (name == "all" || (name == "integers" && is_integer(t.dtype))) add(t.name);
  if (all.empty())
    wrong("no set '@" + std::string(name) + "'" + nearest(name, {"all", "floats", "integers", "layouts"}));
  return all;
}

// The names that an item of plain text stands for: @set, 64~, 1..9.
std::vector<std::string> names_of(std::string_view item) {
  if (item.starts_with('@')) return set_named(item.substr(1));
  const auto dots = item.find("..");
  const bool around = item.ends_with('~');
  if (!around && dots == std::string_view::npos) return {std::string(item)};
  const auto low = number_in<std::int64_t>(item.substr(0, around ? item.size() - 1 : dots));
  const auto high = around ? low : number_in<std::int64_t>(item.substr(dots + 2));
  if (!low || !high || *high < *low || *high - *low > static_cast<std::int64_t>(kMaxCalls) || *low == INT64_MIN ||
      *high == INT64_MAX)
    wrong("'" + std::string(item) + "' is no range: write 64~ or 1..9");
  std::vector<std::string> all;
  for (std::int64_t v = *low - around; v <= *high + around; ++v) all.push_back(std::to_string(v));
  return all;
}

bool stands_for_many(std::string_view item) {
  return item.starts_with('@') || item.ends_with('~') || item.find("..") != std::string_view::npos;
}

// The names that a text asks for.
void add_asked(const Text& text, std::vector<std::string>& names) {
  for (const Part& p : text) {
    if (p.kind == Part::Kind::expression)
      for (std::string& n : names_in(p.text)) names.push_back(std::move(n));
    for (const Text& item : p.items) add_asked(item, names);
  }
}

std::vector<std::string> asked(const Text& text) {
  std::vector<std::string> names;
  add_asked(text, names);
  return names;
}

class Reader {
 public:
  // Where {name=..} is kept; brackets are plain text in a query.
  Reader(std::vector<Binding>& own, bool query) : own_(own), query_(query) {}

  Text text(std::string_view s) {
    Text out;
    std::string plain;
    const auto flush = [&] {
      if (!plain.empty()) out.push_back({Part::Kind::plain, std::exchange(plain, ""), {}});
    };
    for (std::size_t i = 0; i < s.size(); ++i) {
      if (s[i] == '\\' && i + 1 < s.size()) {
        plain += s[i++];
        plain += s[i];
      } else if (s[i] == '{' || (s[i] == '[' && !query_)) {
        flush();
        const std::size_t end = closing(s, i);
        if (s[end] != (s[i] == '{' ? '}' : ']'))
          wrong("'" + std::string(s.substr(i, end - i + 1)) + "' ends otherwise");
        out.push_back(bracket(s.substr(i + 1, end - i - 1), s[i] == '['));
        i = end;
      } else if (s[i] == '}' || (s[i] == ']' && !query_)) {
        wrong("nothing opens the '" + std::string(1, s[i]) + "' of '" + std::string(s) + "'");
      } else {
        plain += s[i];
      }
    }
    flush();
    return out;
  }

 private:
  Part bracket(std::string_view inside, bool turn) {
    if (trimmed(inside).empty()) wrong("'{}' holds nothing");
    const auto items = split(inside, [](char c) { return c == ','; });
    if (items.size() > 1 || turn || stands_for_many(trimmed(inside))) return list(items, turn);
    const std::string_view expression = trimmed(inside);
    check_expression(expression);
    return {Part::Kind::expression, std::string(expression), {}};
  }

  Part list(std::vector<std::string_view> items, bool turn) {
    const auto equals = items[0].find('=');
    const std::string_view name = trimmed(items[0].substr(0, equals));
    if (equals != std::string_view::npos && is_name(name)) {
      items[0].remove_prefix(equals + 1);
      Text value{choice(items, turn)};
      std::vector<std::string> asks = asked(value);
      own_.push_back({{std::string(name)}, std::move(value), std::move(asks), true});
      return {Part::Kind::expression, std::string(name), {}};
    }
    return choice(items, turn);
  }

  Part choice(const std::vector<std::string_view>& items, bool turn) {
    Part part{turn ? Part::Kind::turn : Part::Kind::choice, "", {}};
    for (const std::string_view raw : items) {
      const std::string_view item = trimmed(raw);
      if (item.starts_with('!')) {
        take_out(part.items, item.substr(1));
      } else if (item.find_first_of("{[") != std::string_view::npos) {
        part.items.push_back(text(item));
        if (turn) require_one(part.items.back(), item);
      } else {
        for (std::string& one : names_of(item))
          part.items.push_back(one.empty() ? Text{} : Text{{Part::Kind::plain, std::move(one), {}}});
      }
    }
    if (part.items.empty()) wrong("a choice of nothing is left");
    return part;
  }

  static void require_one(const Text& text, std::string_view item) {
    for (const Part& p : text)
      if (p.kind != Part::Kind::plain && p.kind != Part::Kind::expression)
        wrong("what is taken in turn must not hold a choice, as '" + std::string(item) + "' does");
  }

  static void take_out(std::vector<Text>& items, std::string_view name) {
    for (const std::string& one : names_of(name))
      if (!std::erase_if(items, [&](const Text& t) {
            return t.size() == 1 && t[0].kind == Part::Kind::plain && t[0].text == one;
          }))
        wrong("'!" + one + "' takes out what is not there");
  }

  std::vector<Binding>& own_;
  bool query_;
};

// ---- Lines ----

struct Line {
  int number;
  std::string text, reason;
};

// Where a reason begins: a # at the front of a word.
std::size_t reason_of(std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i)
    if (s[i] == '#' && (i == 0 || blank(s[i - 1]))) return i;
  return std::string_view::npos;
}

int depth_of(std::string_view s) {
  int depth = 0;
  for (const char c : s) depth += opens(c) - closes(c);
  return depth;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words = split(line, blank);
  std::erase_if(words, [](std::string_view w) { return w.empty(); });
  return words;
}

// "n=.." or "n,m=..": the names, and where the value begins; none for a call.
std::vector<std::string> names_before(std::string_view word, std::size_t& value) {
  const auto equals = word.find_first_of("={[");
  if (equals == std::string_view::npos || word[equals] != '=') return {};
  value = equals + 1;
  std::vector<std::string> names;
  for (const auto name : split(word.substr(0, equals), [](char c) { return c == ','; })) {
    if (!is_name(name)) return {};
    names.emplace_back(name);
  }
  return names;
}

bool goes_on(std::string_view line) {
  std::size_t value = 0;
  const auto end = std::find_if(line.begin(), line.end(), blank);
  return !names_before({line.begin(), end}, value).empty();
}

// A line goes on while a bracket is open, and in one that begins with a parameter. Lines that are nothing but a reason
// give it to those below, up to an empty one or the next such.
std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  std::string shared;
  int number = 0;
  bool open = false, saying = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    const std::size_t mark = reason_of(raw);
    const std::string_view said = trimmed(raw.substr(0, mark));
    const std::string_view reason = mark == std::string_view::npos ? "" : trimmed(raw.substr(mark + 1));
    if (open || (!lines.empty() && goes_on(said))) lines.back().text += " " + std::string(said);
    else if (said.empty()) shared = saying && !reason.empty() ? shared + " " + std::string(reason) : reason;
    else lines.push_back({number, std::string(said), shared});
    if (!said.empty() && !reason.empty()) lines.back().reason = reason;
    saying = said.empty();
    open = !lines.empty() && depth_of(lines.back().text) > 0;
  }
  return lines;
}

const Binding* find(const std::vector<Binding>& all, std::string_view name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const Binding& b) {
    return std::find(b.names.begin(), b.names.end(), name) != b.names.end();
  });
  return it == all.end() ? nullptr : &*it;
}

class File {
 public:
  explicit File(std::span<const std::string_view> verbs) : verbs_(verbs) {}

  void line(const Line& l) {
    const auto words = words_of(l.text);
    const std::string_view verb = words[0];
    if (verb == "call") return call(words);
    if (verb == "from") return from(words);
    if (std::find(verbs_.begin(), verbs_.end(), verb) == verbs_.end()) {
      std::vector<std::string_view> known(verbs_.begin(), verbs_.end());
      known.insert(known.end(), {"call", "from"});
      wrong("no line begins with '" + std::string(verb) + "'" + nearest(verb, std::move(known)));
    }
    sweep(l, words);
  }

  std::vector<Sweep> sweeps{};

 private:
  void call(const std::vector<std::string_view>& words) {
    if (words.size() != 2) wrong("a call is one word, INPUTS/ATTRIBUTES");
    inside_.clear();
    call_ = Reader(inside_, false).text(words[1]);
  }

  void from(const std::vector<std::string_view>& words) {
    std::vector<Binding> all = *defaults_;
    for (std::size_t i = 1; i < words.size(); ++i) {
      Binding b = binding(words[i], all);
      std::erase_if(all, [&](const Binding& old) { return old.names == b.names; });
      all.insert(all.begin(), std::move(b));  // the latest first
    }
    defaults_ = std::make_shared<const std::vector<Binding>>(std::move(all));
  }

  static Binding binding(std::string_view word, std::vector<Binding>& own) {
    std::size_t value = 0;
    std::vector<std::string> names = names_before(word, value);
    if (names.empty()) wrong("'" + std::string(word) + "' is no parameter, NAME=VALUE");
    Text text = Reader(own, false).text(word.substr(value));
    std::vector<std::string> asks = asked(text);
    return {std::move(names), std::move(text), std::move(asks), false};
  }

  void sweep(const Line& l, const std::vector<std::string_view>& words) {
    Sweep s{l.number, std::string(words[0]), l.reason, l.text, call_, {}, defaults_};
    std::vector<Binding> inside = inside_;
    for (std::size_t i = 1; i < words.size(); ++i) {
      std::size_t value = 0;
      if (i == 1 && names_before(words[i], value).empty()) {
        inside.clear();
        s.call = Reader(inside, false).text(words[i]);
        continue;
      }
      Binding b = binding(words[i], inside);
      for (const std::string& name : b.names)
        if (find(s.own, name)) wrong("'" + name + "' is given twice");
      s.own.push_back(std::move(b));
    }
    s.own.insert(s.own.end(), inside.begin(), inside.end());
    require_names(s);
    sweeps.push_back(std::move(s));
  }

  // What a line gives must be asked for, or have a default that it changes; what is asked for must be given.
  static void require_names(const Sweep& s) {
    if (s.call.empty()) wrong("there is no call to make, neither here nor above");
    std::vector<std::string> names = asked(s.call);
    const auto follow = [&](const Binding& b) { names.insert(names.end(), b.asks.begin(), b.asks.end()); };
    std::for_each(s.own.begin(), s.own.end(), follow);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
          names.begin() + static_cast<std::ptrdiff_t>(i))
        continue;
      if (find(s.own, names[i])) continue;
      const Binding* b = find(*s.defaults, names[i]);
      if (!b) lacks(s, names[i]);
      follow(*b);
    }
    for (const Binding& b : s.own)
      for (const std::string& name : b.names)
        if (name != "if" && !find(*s.defaults, name) && std::find(names.begin(), names.end(), name) == names.end())
          wrong("'" + name + "' changes nothing in the call");
  }

  [[noreturn]] static void lacks(const Sweep& s, const std::string& name) {
    std::vector<std::string_view> known;
    for (const auto* all : {&s.own, s.defaults.get()})
      for (const Binding& b : *all) known.insert(known.end(), b.names.begin(), b.names.end());
    wrong("'" + name + "' has no value" + nearest(name, std::move(known)));
  }

  std::span<const std::string_view> verbs_;
  Text call_;
  std::vector<Binding> inside_;  // that the call binds itself
  std::shared_ptr<const std::vector<Binding>> defaults_ = std::make_shared<const std::vector<Binding>>();
};

[[noreturn]] void on_line(int line, std::string_view source, const Error& e) {
  throw Error("pattern", Reason::query,
              "line " + std::to_string(line) + ", '" + std::string(source) + "': " + e.detail());
}

// ---- Expanding ----

// The calls of a sweep one after another. Each choice that is met takes the digit in its turn; counting up the digits,
// the last one fastest, visits the product.
class Walk : public Names {
 public:
  Walk(const std::vector<Binding>& own, const std::vector<Binding>& defaults) : own_(own), defaults_(defaults) {}

  // No value where the line's condition does not hold.
  std::optional<std::string> next(const Text& call) {
    known_.clear();
    used_ = 0;
    for (const Binding& b : own_)
      if (!b.bound_inside) (void)value_of(b.names[0]);
    const bool kept = (!find(own_, "if") && !find(defaults_, "if")) || value_of("if") != "0";
    std::optional<std::string> made;
    if (kept) made = text(call);
    ++turn_;
    return made;
  }

  bool advance() {
    digits_.resize(used_);
    while (!digits_.empty() && digits_.back().at + 1 == digits_.back().of) digits_.pop_back();
    if (digits_.empty()) return false;
    ++digits_.back().at;
    return true;
  }

  std::string operator()(std::string_view name) override { return value_of(name); }

 private:
  struct Digit {
    std::size_t at, of;
  };
  struct Known {
    std::string_view name;
    std::string value;
    bool whole;  // false while it is being found
  };

  Known* known(std::string_view name) {
    const auto it = std::find_if(known_.begin(), known_.end(), [&](const Known& k) { return k.name == name; });
    return it == known_.end() ? nullptr : &*it;
  }

  const Binding& binding(std::string_view name) const {
    const Binding* b = find(own_, name);
    if (!b) b = find(defaults_, name);
    if (!b) wrong("'" + std::string(name) + "' has no value");
    return *b;
  }

  std::string value_of(std::string_view name) {
    if (const Known* k = known(name)) {
      if (!k->whole) wrong("'" + std::string(name) + "' is said by itself");
      return k->value;
    }
    const Binding& b = binding(name);
    for (const std::string& n : b.names)
      if (&binding(n) == &b) known_.push_back({n, "", false});
    const std::string all = text(b.value);
    const auto parts = b.names.size() == 1 ? std::vector<std::string_view>{all} : words_of(all);
    if (parts.size() != b.names.size())
      wrong("'" + all + "' does not give " + std::to_string(b.names.size()) + " values");
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (Known* k = known(b.names[i]); k && !k->whole) k->value = parts[i], k->whole = true;
    return known(name)->value;
  }

  std::string text(const Text& t) {
    std::string out;
    for (const Part& p : t) switch (p.kind) {
        case Part::Kind::plain: out += p.text; break;
        case Part::Kind::choice: out += text(p.items[digit(p.items.size())]); break;
        case Part::Kind::turn: out += text(p.items[turn_ % p.items.size()]); break;
        case Part::Kind::expression: out += evaluate(p.text, *this); break;
      }
    return out;
  }

  std::size_t digit(std::size_t of) {
    if (used_ == digits_.size()) digits_.push_back({0, of});
    if (digits_[used_].of != of) wrong("what is taken in turn must not hold a choice");
    return digits_[used_++].at;
  }

  const std::vector<Binding>&own_, &defaults_;
  std::vector<Digit> digits_;
  std::vector<Known> known_;
  std::size_t used_ = 0, turn_ = 0;
};

// Inputs and attributes that came out empty, or as a dash, are left out.
std::string without_gaps(const std::string& call) {
  const auto slash = call.find('/');
  if (slash == std::string::npos) wrong("'" + call + "' is no call, INPUTS/ATTRIBUTES");
  const auto joined = [](std::string_view all, char by, auto&& kept) {
    std::string out;
    for (const std::string_view item : split(all, [&](char c) { return c == by; }))
      if (!item.empty() && item != "-" && kept(item))
        out += (out.empty() ? "" : std::string(1, by)) + std::string(item);
    return out.empty() ? "-" : out;
  };
  return joined(std::string_view(call).substr(0, slash), '+', [](auto) { return true; }) + "/" +
         joined(std::string_view(call).substr(slash + 1), ',',
                [](auto item) { return !item.ends_with('=') && !item.ends_with("=-"); });
}

}  // namespace

std::vector<Sweep> read(std::string_view text, std::span<const std::string_view> verbs) {
  File file(verbs);
  for (const Line& l : lines_of(text)) {
    try {
      file.line(l);
    } catch (const Error& e) {
      on_line(l.number, l.text, e);
    }
  }
  return std::move(file.sweeps);
}

void expand(const Sweep& s, const std::function<void(const std::string&)>& take) try {
  Walk walk(s.own, *s.defaults);
  std::unordered_set<std::string> seen;
  std::size_t calls = 0;
  do {
    if (++calls > kMaxCalls) wrong("more than " + std::to_string(kMaxCalls) + " calls");
    const std::optional<std::string> call = walk.next(s.call);
    if (!call) continue;
    const auto [made, fresh] = seen.insert(without_gaps(*call));
    if (fresh) take(*made);
  } while (walk.advance());
} catch (const Error& e) {
  on_line(s.line, s.source, e);
}

std::vector<std::string> alternatives(std::string_view query) try {
  if (query.find('{') == std::string_view::npos) return {std::string(query)};
  std::vector<Binding> own;
  const Text text = Reader(own, true).text(query);
  std::vector<std::string> all;
  const std::vector<Binding> none;
  Walk walk(own, none);
  do {
    if (all.size() == kMaxCalls) wrong("more than " + std::to_string(kMaxCalls) + " alternatives");
    all.push_back(walk.next(text).value());
  } while (walk.advance());
  return all;
} catch (const Error& e) {
  throw Error("plumb", Reason::query, "the query '" + printable(query) + "': " + e.detail());
}

}  // namespace plumb::pattern
