#include "core/program.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "core/number.h"
#include "core/route.h"
#include "core/text.h"

namespace plumb {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// What an expression is while it is read: a number stays one until a step takes it.
using Term = std::variant<Value, Number>;

class Parser {
 public:
  Parser(std::string_view text, std::string_view name, const Attrs& attrs) : text_(text), attrs_(&attrs) {
    program_.name = name;
  }

  Program all(const std::vector<std::string>& outputs) {
    do statement();
    while (take(';'));
    if (skip(), at_ < text_.size()) wrong("'" + std::string(1, text_[at_]) + "' does not belong here");
    for (const std::string& o : outputs.empty() ? last_ : outputs) {
      const auto known = values_.find(o);
      if (known == values_.end()) wrong("no statement names the output '" + o + "'");
      program_.outputs.push_back(known->second);
    }
    order_inputs();
    return std::move(program_);
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const {
    throw Error(program_.name, Reason::query, "column " + std::to_string(at_ + 1) + " of its text: " + what);
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool sees(char sign) { return skip(), at_ < text_.size() && text_[at_] == sign; }
  bool take(char sign) { return sees(sign) && ++at_; }
  void need(char sign) {
    if (!take(sign)) wrong(std::string("'") + sign + "' is missing");
  }
  std::string word() {
    skip();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || (at_ > begin && digit(text_[at_])))) ++at_;
    if (at_ == begin) wrong("a name is missing");
    return std::string(text_.substr(begin, at_ - begin));
  }

  void statement() {
    std::vector<std::string> names{word()};
    while (take(',')) names.push_back(word());
    need('=');
    const Term t = sum();
    const auto* v = std::get_if<Value>(&t);
    if (!v) wrong("'" + names[0] + "' is a number and no step");
    const bool fresh = v->step >= 0 && program_.steps[static_cast<std::size_t>(v->step)].names.empty();
    if (fresh) name_outputs(program_.steps[static_cast<std::size_t>(v->step)], names);
    else if (names.size() > 1) wrong("'" + names[1] + "' names no output");
    for (std::size_t i = 0; i < names.size(); ++i) values_[names[i]] = {v->step, v->output + static_cast<int>(i)};
    last_ = names;
  }

  void name_outputs(Program::Step& s, const std::vector<std::string>& names) const {
    if (names.size() > s.op->outputs.size())
      wrong(std::string(s.op->name) + " has " + std::to_string(s.op->outputs.size()) + " outputs");
    s.names = names;
  }

  Term sum() {
    if (++depth_ > 64) wrong("too deep");
    Term v = product();
    for (;;) {
      if (take('+')) v = joined("add", v, product());
      else if (take('-')) v = joined("subtract", v, product());
      else break;
    }
    --depth_;
    return v;
  }

  Term product() {
    Term v = factor();
    for (;;) {
      if (take('*')) v = joined("multiply", v, factor());
      else if (take('/')) v = joined("divide", v, factor());
      else return v;
    }
  }

  Term factor() {
    bool minus = false;
    while (take('-')) minus = !minus;
    const Term v = single();
    if (!minus) return v;
    if (const auto* n = std::get_if<Number>(&v)) return Number{-n->value, n->whole};
    return call("negative", {v}, {});
  }

  Term single() {
    if (take('(')) {
      const Term v = sum();
      need(')');
      return v;
    }
    if (skip(), at_ < text_.size() && digit(text_[at_])) return number();
    const std::string name = word();
    if (take('(')) return called(name);
    const Attr* attr = attrs_->find(name);
    if (take('?')) return choice(name, attr);
    if (const auto known = values_.find(name); known != values_.end()) return known->second;
    if (!attr) return input(name);
    if (const auto* i = attr->get<std::int64_t>()) return Number{static_cast<double>(*i), true};
    if (const auto* d = attr->get<double>()) return Number{*d, false};
    wrong("the attribute '" + name + "' is no number");
  }

  Number number() {
    const std::size_t begin = at_;
    bool whole = true;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool sign = (c == '-' || c == '+') && text_[at_ - 1] == 'e' && at_ > begin;
      if (!digit(c) && c != '.' && c != 'e' && !sign) break;
      whole = whole && digit(c), ++at_;
    }
    const auto value = number_in<double>(text_.substr(begin, at_ - begin));
    if (!value) wrong("'" + std::string(text_.substr(begin, at_ - begin)) + "' is no number");
    return {*value, whole};
  }

  // Both branches are read; the steps of the one that is left out are taken back.
  Term choice(const std::string& name, const Attr* attr) {
    const bool* flag = attr ? attr->get<bool>() : nullptr;
    if (!flag) wrong("'" + name + "' is no attribute that is true or false");
    const auto left_out = [&] {
      const Program before = program_;
      (void)sum();
      program_ = before;
    };
    if (!*flag) left_out();
    Term v = *flag ? sum() : Term();
    need(':');
    if (*flag) left_out();
    else v = sum();
    return v;
  }

  Term called(const std::string& name) {
    std::vector<Term> in;
    Attrs given;
    while (!sees(')')) {
      const std::size_t before = at_;
      if (skip(), at_ < text_.size() && letter(text_[at_])) {
        const std::string key = word();
        if (take('=')) given.set(key, attribute());
        else at_ = before;
      }
      if (at_ == before) {
        if (!given.empty()) wrong("inputs stand before attributes");
        in.push_back(sum());
      }
      if (!take(',')) break;
    }
    need(')');
    return call(name, in, given);
  }

  Attr attribute() {
    skip();
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ')' && text_[at_] != ' ') ++at_;
    const std::string_view value = text_.substr(begin, at_ - begin);
    const Attr* own = attrs_->find(value);
    return own ? *own : parse_attr(value);
  }

  Term joined(const char* op, const Term& a, const Term& b) {
    const auto *x = std::get_if<Number>(&a), *y = std::get_if<Number>(&b);
    if (!x || !y) return call(op, {a, b}, {});
    const std::string_view sign = op;
    const bool whole = x->whole && y->whole && sign != "divide";
    if (sign == "add") return Number{x->value + y->value, whole};
    if (sign == "subtract") return Number{x->value - y->value, whole};
    return Number{sign == "multiply" ? x->value * y->value : x->value / y->value, whole};
  }

  const Op& row(const std::string& name) const {
    try {
      return find_op(name);
    } catch (const Error& e) {
      wrong(e.detail());
    }
  }

  Term call(const std::string& name, const std::vector<Term>& in, const Attrs& given) {
    Program::Step s{&row(name), {}, {}, {}};
    if (in.size() > s.op->inputs.size()) wrong(name + " takes " + std::to_string(s.op->inputs.size()) + " inputs");
    for (const auto& [key, unused] : s.op->attrs) {
      const Attr* own = attrs_->find(key);
      if (const Attr* value = given.find(key)) s.attrs.set(key, *value);
      else if (key == "keepdims") s.attrs.set(key, true);
      else if (own) s.attrs.set(key, *own);
    }
    for (const auto& [key, unused] : given)
      if (!s.op->attrs.find(key))
        throw Error(program_.name, Reason::attribute, "'" + key + "' is not an attribute of " + name);
    for (const Term& t : in) s.in.push_back(as_value(t));
    program_.steps.push_back(std::move(s));
    return Value{static_cast<int>(program_.steps.size()) - 1, 0};
  }

  Value as_value(const Term& t) {
    if (const auto* v = std::get_if<Value>(&t)) return *v;
    program_.numbers.push_back(std::get<Number>(t));
    return {kNumber, static_cast<int>(program_.numbers.size()) - 1};
  }

  // Inputs in the order in which steps take them, which is that of text(), too.
  void order_inputs() {
    const std::vector<std::string> before = std::exchange(program_.inputs, {});
    const auto ordered = [&](Value& v) {
      if (v.step == kInput) v = input(before[static_cast<std::size_t>(v.output)]);
    };
    for (Program::Step& s : program_.steps) std::for_each(s.in.begin(), s.in.end(), ordered);
    std::for_each(program_.outputs.begin(), program_.outputs.end(), ordered);
  }

  Value input(const std::string& name) {
    auto& all = program_.inputs;
    const auto at = std::find(all.begin(), all.end(), name) - all.begin();
    if (at == std::ssize(all)) all.push_back(name);
    return {kInput, static_cast<int>(at)};
  }

  std::string_view text_;
  const Attrs* attrs_;
  Program program_;
  std::map<std::string, Value> values_;
  std::vector<std::string> last_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

std::string number_text(const Number& n) {
  std::string s = shortest(n.value);
  if (!n.whole && s.find_first_of(".en") == std::string::npos) s += ".0";
  return s;
}

// Names under which the outputs of each step are known: its own, where nothing else has them.
std::vector<std::vector<std::string>> names_of(const Program& p) {
  std::set<std::string> taken(p.inputs.begin(), p.inputs.end());
  const auto fresh = [&](const std::string& wanted) {
    std::string name = wanted;
    for (int k = 2; !taken.insert(name).second; ++k) name = wanted + "_" + std::to_string(k);
    return name;
  };
  for (const Program::Step& s : p.steps) taken.insert(s.names.begin(), s.names.end());
  std::set<std::string> used(p.inputs.begin(), p.inputs.end());
  std::vector<std::vector<std::string>> all;
  for (const Program::Step& s : p.steps) {
    const std::size_t outputs = std::max<std::size_t>(1, s.names.size());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < outputs; ++i) {
      const std::string own = s.names.empty() ? "" : s.names[i];
      names.push_back(!own.empty() && used.insert(own).second ? own : fresh(own.empty() ? "t" : own));
    }
    all.push_back(std::move(names));
  }
  return all;
}

std::string text_of(const Program& p, std::size_t step, const std::vector<std::vector<std::string>>& names) {
  const Program::Step& s = p.steps[step];
  std::string out;
  for (const std::string& n : names[step]) out += (out.empty() ? "" : ", ") + n;
  out += " = " + std::string(s.op->name) + "(";
  std::string between;
  for (const Value v : s.in) {
    const auto at = static_cast<std::size_t>(v.output);
    out += between;
    if (v.step == kInput) out += p.inputs[at];
    else if (v.step == kNumber) out += number_text(p.numbers[at]);
    else out += names[static_cast<std::size_t>(v.step)][at];
    between = ", ";
  }
  for (const auto& [key, value] : s.attrs) out += std::exchange(between, ", ") + key + "=" + to_string(value);
  return out + ")";
}

}  // namespace

Program parse_program(std::string_view text, std::string_view name, const Attrs& attrs,
                      const std::vector<std::string>& outputs) {
  return Parser(text, name, attrs).all(outputs);
}

std::string text(const Program& p, std::size_t step) { return text_of(p, step, names_of(p)); }

std::string text(const Program& p) {
  const auto names = names_of(p);
  std::string out;
  for (std::size_t i = 0; i < p.steps.size(); ++i) out += (i == 0 ? "" : "; ") + text_of(p, i, names);
  return out;
}

void in_step(const Program& p, std::size_t step, const std::function<void()>& f) try { f(); } catch (const Error& e) {
  throw Error(e.op(), e.reason(),
              e.detail() + " (step " + std::to_string(step + 1) + " of " + p.name + ": " + text(p, step) + ")");
}

Dtype number_dtype(const std::vector<Dtype>& others, const Number& n) {
  std::optional<Dtype> t;
  for (const Dtype d : others) t = t ? promote(*t, d) : d;
  if (!t) return n.whole ? Dtype::i32 : Dtype::f32;
  const bool fits = n.whole && *t != Dtype::boolean;
  return fits ? *t : n.whole ? Dtype::i32 : at_least_float(*t);
}

std::vector<Spec> infer(const Program& p, const std::vector<Spec>& inputs) {
  return follow(
      p, inputs,
      [](const Number&, Dtype t) {
        return Spec{t, {}};
      },
      [&](std::size_t i, const std::vector<Spec>& in) {
        return output_specs(make_request(*p.steps[i].op, {in.begin(), in.end()}, p.steps[i].attrs));
      });
}

}  // namespace plumb
