// Reads the two lines of a signature.
#include <algorithm>
#include <cctype>
#include <set>
#include <stdexcept>
#include <utility>

#include "core/signature.h"

namespace plumb {
namespace {

bool capital(char c) { return c >= 'A' && c <= 'Z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool of_name(char c) { return std::islower(static_cast<unsigned char>(c)) || digit(c) || c == '_'; }

class Reader {
 public:
  Reader(std::string_view text, const char* what) : text_(text), what_(what) {}

  [[noreturn]] void wrong(const std::string& why) const {
    throw std::logic_error(std::string(what_) + ", column " + std::to_string(at_ + 1) + ": " + why);
  }
  void spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  char next() {
    spaces();
    return at_ < text_.size() ? text_[at_] : 0;
  }
  bool end() { return next() == 0; }
  bool eat(std::string_view token) {
    spaces();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void need(std::string_view token) {
    if (!eat(token)) wrong("'" + std::string(token) + "' is missing");
  }
  std::string name() {
    spaces();
    const std::size_t from = at_;
    while (at_ < text_.size() && of_name(text_[at_])) ++at_;
    if (at_ == from) wrong("a name is missing");
    return std::string(text_.substr(from, at_ - from));
  }
  char letter() {
    if (!capital(next())) wrong("a capital letter is missing");
    return text_[at_++];
  }
  std::int64_t number() {
    std::int64_t n = 0;
    for (next(); at_ < text_.size() && digit(text_[at_]); ++at_) n = 10 * n + (text_[at_] - '0');
    return n;
  }
  std::size_t at() const { return at_; }
  // Whether `c` comes before the next ';'.
  bool ahead(char c) const { return text_.substr(at_, text_.find(';', at_) - at_).find(c) != std::string_view::npos; }
  std::string_view since(std::size_t from) const { return text_.substr(from, at_ - from); }

 private:
  std::string_view text_;
  const char* what_;
  std::size_t at_ = 0;
};

class Line {
 public:
  Line(std::string_view text, Signature& to, std::string used)
      : r_(text, "signature"), to_(to), declared_(std::move(used)) {}

  void read() {
    if (!r_.eat("->")) {
      do item();
      while (r_.eat(","));
      r_.need("->");
    }
    output_ = true;
    do to_.outputs.push_back(parameter(0));
    while (r_.eat(","));
    if (!r_.end()) r_.wrong("',' or the end is missing");
  }

 private:
  void item() {
    if (!r_.eat("(")) return to_.inputs.push_back(parameter(0));
    ++group_;
    do to_.inputs.push_back(parameter(group_));
    while (r_.eat(","));
    r_.need(")");
    r_.need("?");
  }

  Parameter parameter(std::size_t group) {
    Parameter p;
    p.name = p.marked = r_.name();
    if (!(output_ ? outputs_ : inputs_).insert(p.name).second) r_.wrong("'" + p.name + "' is there twice");
    p.group = group;
    if (r_.eat("?") || group > 0) p.marked += "?";
    type(p);
    const std::size_t from = (r_.spaces(), r_.at());
    r_.need("[");
    do p.shapes.push_back(axes());
    while (r_.eat("|"));
    r_.need("]");
    p.text = r_.since(from);
    if (!output_) counts(p);
    return p;
  }

  void type(Parameter& p) {
    if (capital(r_.next())) {
      p.variable = r_.letter();
      if (declared_.find(p.variable) == std::string::npos)
        r_.wrong(std::string("the type ") + p.variable + " is not declared");
      return;
    }
    const std::string word = r_.name();
    const auto t = dtype_named(word);
    if (!t) r_.wrong("'" + word + "' is no dtype");
    p.dtype = *t;
  }

  Axes axes() {
    Axes all;
    if (r_.next() == ']' || r_.next() == '|') return all;
    do all.push_back(axis(all));
    while (r_.eat(","));
    return all;
  }

  Axis axis(const Axes& before) {
    const auto several = [](const Axis& a) { return a.kind != Axis::Kind::size; };
    Axis a;
    if (r_.eat("...")) {
      a.kind = Axis::Kind::broadcast;
      if (!before.empty()) r_.wrong("'...' comes first");
      if (output_ && r_.eat("over ")) a.kind = Axis::Kind::reduced, to_.over = r_.name();
    } else if (r_.eat("*")) {
      a.kind = Axis::Kind::pack, a.letter = r_.letter();
      if (std::any_of(before.begin(), before.end(), several)) r_.wrong("a second axis of any number");
    } else {
      size(a);
    }
    return a;
  }

  void size(Axis& a) {
    do term(a);
    while (output_ && r_.eat("+"));
    const bool alone = a.terms.size() == 1 && a.terms[0].first == 1 && a.constant == 0;
    if (alone) a.letter = a.terms[0].second;
    if (!output_ && !alone && !a.terms.empty()) r_.wrong("an input has numbers and letters alone");
    if (alone && r_.eat("?")) a.kind = Axis::Kind::maybe;
  }

  void term(Axis& a) {
    const bool number = digit(r_.next());
    const std::int64_t n = number ? r_.number() : 1;
    if (!capital(r_.next())) {
      if (!number) r_.wrong("a size is missing");
      a.constant += n;
      return;
    }
    a.terms.emplace_back(n, r_.letter());
    if (declared_.find(a.terms.back().second) != std::string::npos)
      r_.wrong(std::string(1, a.terms.back().second) + " is a type");
  }

  void counts(Parameter& p) {
    constexpr std::pair<const char*, CountRule> rules[] = {
        {"counts ", CountRule::leading}, {"parts ", CountRule::parts}, {"wishes ", CountRule::wish}};
    for (const auto& [word, rule] : rules)
      if (r_.eat(word)) p.rule = rule, p.counts = r_.letter();
  }

  Reader r_;
  Signature& to_;
  std::string declared_;
  bool output_ = false;
  std::size_t group_ = 0;
  std::set<std::string> inputs_, outputs_;
};

void append(std::vector<Dtype>& to, Reader& r, const std::string& word) {
  const auto each = [&](auto&& belongs) {
    for (const DtypeInfo& d : all_dtypes())
      if (belongs(d.dtype)) to.push_back(d.dtype);
  };
  const auto t = dtype_named(word);
  if (t) to.push_back(*t);
  else if (word == "all") each([](Dtype) { return true; });
  else if (word == "integers") each([](Dtype d) { return is_integer(d); });
  else if (word == "floats") each([](Dtype d) { return is_real(d); });
  else r.wrong("'" + word + "' is no dtype and no word for several");
}

void accepted(Reader& r, TypeRule& rule) {
  std::vector<std::string> words;
  while (of_name(r.next())) {
    words.push_back(r.name());
    append(rule.accepted, r, words.back());
  }
  if (words.empty()) r.wrong("a dtype is missing");
  for (std::size_t i = 0; i < words.size(); ++i)
    rule.words += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
}

void follows(Reader& r, TypeRule& rule, const std::string& declared) {
  using Follows = TypeRule::Follows;
  constexpr std::pair<const char*, Follows> rules[] = {{"promote(", Follows::promote},
                                                       {"float(", Follows::at_least_float},
                                                       {"accumulator(", Follows::accumulator},
                                                       {"part(", Follows::part},
                                                       {"number(", Follows::number}};
  for (const auto& [word, f] : rules)
    if (r.eat(word)) rule.follows = f;
  if (rule.follows == Follows::nothing) r.wrong("promote, float, accumulator, part or number is missing");
  do {
    rule.from += r.letter();
    if (declared.find(rule.from.back()) == std::string::npos)
      r.wrong(std::string(1, rule.from.back()) + " is not declared before");
  } while (r.eat(","));
  r.need(")");
  if (rule.follows != Follows::promote && rule.from.size() != 1) r.wrong("one letter, please");
}

// "N, 8M, N+M < 2^31"
void limits(Reader& r, Signature& to) {
  do {
    const std::size_t from = (r.spaces(), r.at());
    SizeLimit limit;
    do {
      const bool number = digit(r.next());
      const std::int64_t n = number ? r.number() : 1;
      limit.terms.emplace_back(n, r.letter());
      limit.text = r.since(from);
    } while (r.eat("+"));
    to.limits.push_back(std::move(limit));
  } while (r.eat(","));
  r.need("< 2^31");
}

// The letters that are declared, in their order.
std::string read_types(std::string_view text, Signature& to) {
  Reader r(text, "types");
  std::string declared;
  while (!r.end()) {
    if (r.ahead('<')) {
      limits(r, to);
      if (!r.eat(";") && !r.end()) r.wrong("';' is missing");
      continue;
    }
    std::string letters;
    do {
      letters += r.letter();
      if (declared.find(letters.back()) != std::string::npos) r.wrong("a second declaration");
    } while (r.eat(","));
    TypeRule rule;
    if (r.eat("=")) follows(r, rule, declared);
    if (rule.follows == TypeRule::Follows::nothing) r.need(":"), accepted(r, rule);
    else if (r.eat(":")) accepted(r, rule);
    for (const char c : letters) {
      rule.letter = c;
      to.rules.push_back(rule);
    }
    declared += letters;
    if (!r.eat(";") && !r.end()) r.wrong("';' is missing");
  }
  return declared;
}

// Each letter of a type says something.
void check_used(const Signature& s) {
  for (const TypeRule& rule : s.rules) {
    const auto has = [&](const Parameter& p) { return p.variable == rule.letter; };
    const auto leads = [&](const TypeRule& r) { return r.from.find(rule.letter) != std::string::npos; };
    if (!std::any_of(s.inputs.begin(), s.inputs.end(), has) && !std::any_of(s.outputs.begin(), s.outputs.end(), has) &&
        !std::any_of(s.rules.begin(), s.rules.end(), leads))
      throw std::logic_error(std::string("types: ") + rule.letter + " is declared and not used");
  }
}

// What is counted must be the first axis of an input.
void check_counts(const Signature& s) {
  for (const Parameter& p : s.inputs)
    if (p.counts && !counted(s, p.counts))
      throw std::logic_error("signature: '" + p.name + "' counts " + p.counts + ", the first axis of no input");
}

}  // namespace

Signature parse_signature(std::string_view text, std::string_view types) {
  Signature s;
  s.text = text, s.types = types;
  const std::string declared = read_types(types, s);
  Line(text, s, declared).read();
  check_counts(s);
  check_used(s);
  return s;
}

}  // namespace plumb
