#include "core/signature.h"

#include <algorithm>
#include <stdexcept>

namespace plumb {
namespace {

using On = Axis::Kind;

template <class T>
const T* found(const std::vector<T>& all, char letter) {
  for (const T& one : all)
    if (one.letter == letter) return &one;
  return nullptr;
}

// How many axes a choice takes: from least on, to most unless any number may follow.
struct Ranks {
  std::size_t least = 0, most = 0;
  bool any = false;

  bool fit(std::size_t rank) const { return rank >= least && (any || rank <= most); }
};

Ranks ranks_of(const Axes& axes) {
  Ranks r;
  for (const Axis& a : axes) {
    r.least += a.kind == On::size, r.most += a.kind == On::size || a.kind == On::maybe;
    r.any |= a.kind == On::pack || a.kind == On::broadcast;
  }
  return r;
}

class Match {
 public:
  Match(std::string_view op, const Signature& s, const Specs& specs) : op_(op), s_(s), specs_(specs) {}

  Letters all() {
    each(&Match::type);
    follow();
    each(&Match::rank);
    each(&Match::sizes);
    for (const SizeLimit& limit : s_.limits) check(limit);
    return std::move(l_);
  }

 private:
  void each(void (Match::*step)(const Parameter&, const Spec&)) {
    for (std::size_t i = 0; i < s_.inputs.size() && i < specs_.size(); ++i)
      if (specs_[i]) (this->*step)(s_.inputs[i], *specs_[i]);
  }

  // "[dropout] dtype: key i32: not u32"
  [[noreturn]] void fail(Reason reason, const Parameter& p, const std::string& is, const std::string& why) const {
    throw Error(op_, reason, p.name + " " + is + ": " + why);
  }

  void type(const Parameter& p, const Spec& spec) {
    const std::string is(name(spec.dtype));
    if (!p.variable) {
      if (spec.dtype != p.dtype) fail(Reason::dtype, p, is, "not " + std::string(name(p.dtype)));
      return;
    }
    const TypeRule& rule = *s_.rule(p.variable);
    if (std::find(rule.accepted.begin(), rule.accepted.end(), spec.dtype) == rule.accepted.end())
      fail(Reason::dtype, p, is, std::string(1, p.variable) + " is " + rule.words);
    const Letters::Type* known = l_.type(p.variable);
    if (!known) return l_.types.push_back({p.variable, spec.dtype, &p});
    if (known->value != spec.dtype)
      fail(Reason::dtype, p, is,
           std::string(1, p.variable) + " is " + std::string(name(known->value)) + " in " + known->from->name);
  }

  void follow() {
    for (const TypeRule& rule : s_.rules) {
      std::optional<Dtype> t;
      for (const char from : rule.from)
        if (const Letters::Type* known = l_.type(from)) t = t ? promote(*t, known->value) : known->value;
      if (!t) continue;
      if (rule.follows == TypeRule::Follows::at_least_float) t = at_least_float(*t);
      if (rule.follows == TypeRule::Follows::accumulator) t = accumulator(*t);
      if (rule.follows == TypeRule::Follows::part && t == Dtype::c64) t = Dtype::f32;
      if (rule.follows == TypeRule::Follows::number && t == Dtype::boolean) t = Dtype::u8;
      const auto& ok = rule.accepted;
      if (!ok.empty() && std::find(ok.begin(), ok.end(), *t) == ok.end())
        throw Error(op_, Reason::dtype,
                    "the result would be " + std::string(name(*t)) + ": " + rule.letter + " is " + rule.words);
      l_.types.push_back({rule.letter, *t, nullptr});
    }
  }

  void rank(const Parameter& p, const Spec& spec) {
    const auto fits = choice_of(p, spec.shape.size());
    const bool chosen = p.shapes.size() > 1;
    if (!fits || (chosen && choice_ && *choice_ != *fits))
      fail(Reason::rank, p, to_string(spec.shape), "not " + wanted(p, chosen));
    if (chosen) choice_ = l_.choice = *fits;
  }

  std::string wanted(const Parameter& p, bool chosen) const {
    return p.text + (chosen && choice_ ? ", choice " + std::to_string(*choice_ + 1) : "");
  }

  void sizes(const Parameter& p, const Spec& spec) {
    const Axes& axes = p.shapes[p.shapes.size() > 1 ? l_.choice : 0];
    const Ranks ranks = ranks_of(axes);
    const Shape& shape = spec.shape;
    const bool whole = shape.size() >= ranks.most;  // an axis that may be missing is there
    std::size_t at = 0;
    for (const Axis& a : axes) {
      const std::size_t several = shape.size() - (whole ? ranks.most : ranks.least);
      if (a.kind == On::size || (a.kind == On::maybe && whole)) size(p, shape, a, shape[at++]);
      else if (a.kind == On::pack || a.kind == On::broadcast) {
        const auto from = shape.begin() + static_cast<std::ptrdiff_t>(at);
        const Shape part(from, from + static_cast<std::ptrdiff_t>(several));
        if (a.kind == On::broadcast) l_.broadcast = broadcast(op_, l_.broadcast, part);
        else pack(p, shape, a.letter, part);
        at += several;
      }
    }
  }

  void size(const Parameter& p, const Shape& shape, const Axis& a, std::int64_t n) {
    if (!a.letter) {
      if (n != a.constant) fail(Reason::shape, p, to_string(shape), "not " + p.text);
      return;
    }
    const Letters::Size* known = l_.size(a.letter);
    if (!known) return l_.sizes.push_back({a.letter, n, &p});
    if (known->value != n)
      fail(Reason::shape, p, to_string(shape),
           std::string(1, a.letter) + " is " + std::to_string(known->value) + " in " + known->from->name);
  }

  void pack(const Parameter& p, const Shape& shape, char letter, const Shape& part) {
    const Letters::Pack* known = l_.pack(letter);
    if (!known) return l_.packs.push_back({letter, part, &p});
    if (known->value != part)
      fail(Reason::shape, p, to_string(shape),
           std::string("*") + letter + " is " + to_string(known->value) + " in " + known->from->name);
  }

  void check(const SizeLimit& limit) const {
    std::int64_t sum = 0;
    for (const auto& [factor, letter] : limit.terms) {
      const Letters::Size* known = l_.size(letter);
      std::int64_t product = 0;
      if (__builtin_mul_overflow(factor, known ? known->value : 0, &product) ||
          __builtin_add_overflow(sum, product, &sum))
        throw Error(op_, Reason::memory, limit.text + " is beyond 2^63, not below 2^31");
    }
    if (sum >= std::int64_t{1} << 31)
      throw Error(op_, Reason::memory, limit.text + " is " + std::to_string(sum) + ", not below 2^31");
  }

  std::string_view op_;
  const Signature& s_;
  const Specs& specs_;
  std::optional<std::size_t> choice_;
  Letters l_;
};

// Adds n times the size of a letter; one that nothing has given is the signature's fault.
std::int64_t plus(std::string_view op, std::int64_t sum, const Axis::Term& term, const Letters& l) {
  const Letters::Size* known = l.size(term.second);
  if (!known)
    throw std::logic_error("nothing says what " + std::string(1, term.second) + " is among the outputs of " +
                           std::string(op));
  std::int64_t product = 0;
  if (__builtin_mul_overflow(term.first, known->value, &product) || __builtin_add_overflow(sum, product, &sum))
    throw Error(op, Reason::memory, std::string("a size of ") + term.second + " passes 2^63");
  return sum;
}

void append(Shape& to, const Shape& more) { to.insert(to.end(), more.begin(), more.end()); }

void append_reduced(Shape& to, const Shape& all, const Reduction& r) {
  for (std::size_t d = 0; d < all.size(); ++d) {
    const bool reduced = std::find(r.axes.begin(), r.axes.end(), static_cast<std::int64_t>(d)) != r.axes.end();
    if (!reduced) to.push_back(all[d]);
    else if (r.keep) to.push_back(1);
  }
}

Shape shape_of(std::string_view op, const Axes& axes, const Letters& l, const Reduction& r) {
  Shape s;
  for (const Axis& a : axes) switch (a.kind) {
      case On::broadcast: append(s, l.broadcast); break;
      case On::reduced: append_reduced(s, l.broadcast, r); break;
      case On::pack: append(s, l.pack(a.letter)->value); break;
      case On::maybe:
        if (const Letters::Size* known = l.size(a.letter)) s.push_back(known->value);
        break;
      case On::size: {
        std::int64_t n = a.constant;
        for (const Axis::Term& term : a.terms) n = plus(op, n, term, l);
        s.push_back(n);
      }
    }
  return s;
}

}  // namespace

const TypeRule* Signature::rule(char letter) const { return found(rules, letter); }

const Letters::Size* Letters::size(char letter) const { return found(sizes, letter); }
const Letters::Type* Letters::type(char letter) const { return found(types, letter); }
const Letters::Pack* Letters::pack(char letter) const { return found(packs, letter); }

std::optional<std::size_t> choice_of(const Parameter& p, std::size_t rank) {
  for (std::size_t i = 0; i < p.shapes.size(); ++i)
    if (ranks_of(p.shapes[i]).fit(rank)) return i;
  return std::nullopt;
}

const Parameter* counted(const Signature& s, char letter) {
  for (const Parameter& p : s.inputs)
    for (const Axes& axes : p.shapes)
      if (!axes.empty() && axes[0].kind == On::size && axes[0].letter == letter) return &p;
  return nullptr;
}

Letters match(std::string_view op, const Signature& s, const Specs& specs) { return Match(op, s, specs).all(); }

void give(std::string_view op, const Signature& s, const Specs& specs, Letters& l, char letter, std::int64_t size) {
  const Letters::Size* known = l.size(letter);
  if (!known) return l.sizes.push_back({letter, size, nullptr});
  if (known->value == size) return;
  if (!known->from)
    throw std::logic_error("two sizes are given for " + std::string(1, letter) + " of " + std::string(op));
  const auto at = static_cast<std::size_t>(known->from - s.inputs.data());
  throw Error(op, Reason::shape,
              known->from->name + " " + to_string(specs.at(at)->shape) + ": " + letter + " is " + std::to_string(size));
}

std::vector<Spec> outputs_of(std::string_view op, const Signature& s, const Letters& l, const Reduction& r) {
  std::vector<Spec> all;
  for (const Parameter& p : s.outputs) {
    const Letters::Type* known = l.type(p.variable);
    if (p.variable && !known) throw std::logic_error("nothing says what " + std::string(1, p.variable) + " is");
    const Axes& axes = p.shapes[p.shapes.size() > 1 ? l.choice : 0];
    all.push_back({known ? known->value : p.dtype, shape_of(op, axes, l, r)});
  }
  return all;
}

Dtype accumulator(Dtype t) {
  switch (t) {
    case Dtype::boolean:
    case Dtype::i8:
    case Dtype::i16: return Dtype::i32;
    case Dtype::u8:
    case Dtype::u16: return Dtype::u32;
    default: return t;
  }
}

}  // namespace plumb
