#include "core/expression.h"

#include <cstdint>
#include <utility>

#include "core/error.h"
#include "core/number.h"

namespace plumb::pattern {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

// Reads and evaluates at once. While `idle`, names are not asked for and values mean nothing.
class Evaluation {
 public:
  Evaluation(std::string_view text, Names* names, std::vector<std::string>* seen)
      : text_(text), names_(names), seen_(seen), idle_(names == nullptr) {}

  std::string all() {
    std::string v = choice();
    if (at_ < text_.size()) wrong("'" + std::string(text_.substr(at_)) + "' is too much");
    return v;
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const {
    throw Error("pattern", Reason::query, "{" + std::string(text_) + "}: " + what);
  }

  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(std::string_view sign) {
    skip();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }

  std::int64_t number(const std::string& v) const {
    if (idle_) return 1;
    const auto n = number_in<std::int64_t>(v);
    if (!n) wrong("'" + v + "' is no whole number");
    return *n;
  }
  static bool truth(const std::string& v) { return !v.empty() && v != "0"; }

  std::string choice() {
    std::string condition = either();
    if (!take("?")) return condition;
    const bool idle = idle_, first = truth(condition);
    idle_ = idle || !first;
    std::string a = choice();
    if (!take(":")) wrong("a '?' needs its ':'");
    idle_ = idle || first;
    std::string b = choice();
    idle_ = idle;
    return first ? a : b;
  }

  std::string either() {
    std::string v = both();
    while (take("||")) {
      const bool idle = idle_, known = truth(v);
      idle_ = idle || known;
      const bool more = truth(both());
      idle_ = idle, v = known || more ? "1" : "0";
    }
    return v;
  }

  std::string both() {
    std::string v = comparison();
    while (take("&&")) {
      const bool idle = idle_, known = !truth(v);
      idle_ = idle || known;
      const bool more = truth(comparison());
      idle_ = idle, v = !known && more ? "1" : "0";
    }
    return v;
  }

  std::string comparison() {
    std::string a = sum();
    const auto flag = [](bool v) { return std::string(v ? "1" : "0"); };
    if (take("==")) return flag(a == sum());
    if (take("!=")) return flag(a != sum());
    if (take("<=")) return flag(number(a) <= number(sum()));
    if (take(">=")) return flag(number(a) >= number(sum()));
    if (take("<")) return flag(number(a) < number(sum()));
    if (take(">")) return flag(number(a) > number(sum()));
    return a;
  }

  std::string sum() {
    std::string v = product();
    for (;;) {
      const char sign = take("+") ? '+' : take("-") ? '-' : 0;
      if (!sign) return v;
      v = combined(sign, number(v), number(product()));
    }
  }

  std::string product() {
    std::string v = single();
    for (;;) {
      const char sign = take("*") ? '*' : take("/") ? '/' : take("%") ? '%' : 0;
      if (!sign) return v;
      v = combined(sign, number(v), number(single()));
    }
  }

  std::string combined(char sign, std::int64_t a, std::int64_t b) const {
    if (idle_) return "1";
    std::int64_t v = 0;
    bool over = false;
    if (sign == '+') over = __builtin_add_overflow(a, b, &v);
    else if (sign == '-') over = __builtin_sub_overflow(a, b, &v);
    else if (sign == '*') over = __builtin_mul_overflow(a, b, &v);
    else if (b == 0) wrong("a division by 0");
    else if (b == -1) over = __builtin_sub_overflow(0, a, &v), v = sign == '/' ? v : 0;
    else v = sign == '/' ? a / b : a % b;
    if (over) wrong("beyond 64 bits");
    return std::to_string(v);
  }

  std::string single() {
    skip();
    if (++depth_ > 64) wrong("too deep");
    std::string v = operand();
    --depth_;
    return v;
  }

  std::string operand() {
    if (take("-")) return combined('-', 0, number(single()));
    if (take("!")) return truth(single()) ? "0" : "1";
    if (take("(")) {
      std::string v = choice();
      if (!take(")")) wrong("a '(' needs its ')'");
      return v;
    }
    if (take("'")) {
      const auto end = text_.find('\'', at_);
      if (end == std::string_view::npos) wrong("a quote is not closed");
      const std::size_t begin = std::exchange(at_, end + 1);
      return std::string(text_.substr(begin, end - begin));
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]))) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word.empty()) wrong("a value is missing");
    if (digit(word[0])) return std::string(word);
    if (seen_) seen_->emplace_back(word);
    return idle_ ? "1" : (*names_)(word);
  }

  std::string_view text_;
  Names* names_;
  std::vector<std::string>* seen_;
  bool idle_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

bool is_name(std::string_view s) {
  if (s.empty() || !letter(s[0])) return false;
  for (const char c : s)
    if (!letter(c) && !digit(c)) return false;
  return true;
}

std::string evaluate(std::string_view expression, Names& names) {
  return is_name(expression) ? names(expression) : Evaluation(expression, &names, nullptr).all();
}

void check_expression(std::string_view expression) { (void)Evaluation(expression, nullptr, nullptr).all(); }

std::vector<std::string> names_in(std::string_view expression) {
  std::vector<std::string> names;
  (void)Evaluation(expression, nullptr, &names).all();
  return names;
}

}  // namespace plumb::pattern
