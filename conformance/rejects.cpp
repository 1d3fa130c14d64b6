// Calls that must be refused: those that a row states, those that follow from its counts of rows, and those that follow
// from its signature. The latter are read off the letters, and not asked of the gate: where a letter stands twice, one
// of the two is changed; what the signature says is the reason.
#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

#include "conformance/check.h"
#include "core/signature.h"

namespace plumb {
namespace {

// The first case that gives both inputs, at least two rows and at least one count.
const Case* counting(const std::vector<Case>& cases, std::size_t count, std::size_t of) {
  for (const Case& c : cases) {
    if (c.in.size() <= std::max(count, of) || !c.in[count] || !c.in[of]) continue;
    if (c.in[of]->shape.at(0) > 1 && c.in[count]->shape.at(0) > 0) return &c;
  }
  return nullptr;
}

void add_miscounts(std::vector<Reject>& all, const Op& op, const std::vector<Case>& cases, const RowCount& count) {
  const Request names{&op, {}, {}};
  const std::size_t at = names.index(count.count), of = names.index(count.of);
  const Case* good = counting(cases, at, of);
  if (!good) throw std::logic_error(std::string(op.name) + " has no case with the count " + std::string(count.count));
  const std::int64_t rows = good->in[of]->shape[0];
  const auto refuse = [&](std::int64_t n, const char* why) {
    Case c = *good;
    c.in[at]->fill = "const-" + std::to_string(n);
    all.push_back({std::move(c), Reason::domain, std::string(count.count) + ": " + why});
  };
  refuse(-1, "less than none");
  refuse(std::numeric_limits<std::int32_t>::min(), "far less than none");
  if (count.rule == CountRule::wish) return;
  refuse(rows + 1, "one more than there are");
  refuse(std::numeric_limits<std::int32_t>::max(), "far more than there are");
}

using On = Axis::Kind;

bool gives(const Case& c, std::size_t input) { return input < c.in.size() && c.in[input].has_value(); }

// The choice of axes that has so many, by counting them.
std::optional<std::size_t> chosen(const Parameter& p, std::size_t rank) {
  for (std::size_t i = 0; i < p.shapes.size(); ++i) {
    const auto axes = [&](On kind) {
      return static_cast<std::size_t>(
          std::count_if(p.shapes[i].begin(), p.shapes[i].end(), [&](const Axis& a) { return a.kind == kind; }));
    };
    const bool any = axes(On::pack) + axes(On::broadcast) > 0;
    if (rank == axes(On::size) || rank == axes(On::size) + axes(On::maybe) || (any && rank > axes(On::size))) return i;
  }
  return std::nullopt;
}

// The positions of inputs that no case before gave, or not with this choice of axes.
std::set<std::size_t> news(const Signature& s, const Case& c, std::set<std::pair<std::size_t, std::size_t>>& seen) {
  std::set<std::size_t> inputs;
  for (std::size_t i = 0; i < s.inputs.size(); ++i)
    if (gives(c, i) && seen.emplace(i, chosen(s.inputs[i], c.in[i]->shape.size()).value()).second) inputs.insert(i);
  return inputs;
}

// Small, and every size at least 2, so that one less is a size and no other letter's.
bool handy(const Case& c) {
  for (const auto& in : c.in)
    if (in && (std::any_of(in->shape.begin(), in->shape.end(), [](std::int64_t n) { return n < 2; }) &&
               in->shape != Shape{1}))
      return false;
  return std::all_of(c.in.begin(), c.in.end(), [](const auto& in) { return !in || count(in->shape) < 100000; });
}

// Calls that differ from a valid one in one place.
class Faults {
 public:
  // Faults of these inputs; with those of the whole call where it is the first.
  Faults(const Op& op, const Case& good, std::set<std::size_t> inputs, std::vector<Reject>& to)
      : op_(op), s_(*op.parsed), good_(good), asked_(std::move(inputs)), to_(to), count_(s_.inputs.size()) {
    good_.in.resize(count_);
    for (const Parameter& p : s_.inputs)
      if (p.shapes.size() > 1 && in(p)) choice_ = chosen(p, in(p)->shape.size()).value();
  }

  void all(bool first) {
    if (first) whole();
    for (const std::size_t i : asked_) {
      missing(i);
      types(i);
      ranks(i);
      sizes(i);
    }
    for (const TypeRule& rule : s_.rules) types_together(rule);
  }

 private:
  std::optional<Input>& in(const Parameter& p) { return good_.in[static_cast<std::size_t>(&p - s_.inputs.data())]; }
  const Axes& axes(std::size_t i) const { return s_.inputs[i].shapes[s_.inputs[i].shapes.size() > 1 ? choice_ : 0]; }

  void add(Case c, Reason reason, std::string why) {
    while (!c.in.empty() && !c.in.back()) c.in.pop_back();
    to_.push_back({std::move(c), reason, std::move(why)});
  }

  // A changed input holds ones, which fit every type and shape.
  template <class Change>
  void with(std::size_t i, Reason reason, const std::string& why, Change&& change) {
    Case c = good_;
    change(*c.in[i]);
    c.in[i]->fill = "const-1";
    add(std::move(c), reason, s_.inputs[i].name + ": " + why);
  }

  void missing(std::size_t i) {
    const Parameter& p = s_.inputs[i];
    if (p.optional() && p.group == 0) return;
    Case c = good_;
    c.in[i].reset();
    add(std::move(c), Reason::arity, p.name + " is missing");
  }

  void whole() {
    Case c = good_;
    c.in.push_back(Input{Dtype::f32, {1}, Layout::row, "const-1"});
    add(std::move(c), Reason::arity, "one input too many");
    const auto with_attr = [&](const std::string& key, Attr value, const char* why) {
      Case wrong = good_;
      wrong.attrs.set(key, std::move(value));
      add(std::move(wrong), Reason::attribute, key + why);
    };
    with_attr("no_such_attribute", 1, " is not one");
    for (const auto& [key, fallback] : op_.attrs) {
      if (fallback.get<bool>()) with_attr(key, 1, " is a truth value");
      if (fallback.get<std::string>()) with_attr(key, 1, " is a word");
      if (fallback.get<double>()) with_attr(key, true, " is a number");
    }
  }

  // How many of the given inputs have this letter for a type.
  std::size_t typed(char letter) const {
    std::size_t n = 0;
    for (std::size_t i = 0; i < count_; ++i) n += good_.in[i] && s_.inputs[i].variable == letter;
    return n;
  }

  void types(std::size_t i) {
    const Parameter& p = s_.inputs[i];
    const TypeRule* rule = s_.rule(p.variable);
    for (const DtypeInfo& d : all_dtypes()) {
      const bool accepted =
          rule ? std::find(rule->accepted.begin(), rule->accepted.end(), d.dtype) != rule->accepted.end()
               : d.dtype == p.dtype;
      const bool alone = !rule || typed(p.variable) == 1;
      if (d.dtype == good_.in[i]->dtype || (accepted && alone)) continue;
      with(i, Reason::dtype, std::string(d.name), [&](Input& x) { x.dtype = d.dtype; });
    }
  }

  // All inputs of a letter, where they are several: each type outside. Of a type that follows: all that it follows
  // from.
  void types_together(const TypeRule& rule) {
    if (rule.accepted.empty()) return;
    const std::string letters = rule.from.empty() ? std::string(1, rule.letter) : rule.from;
    std::size_t given = 0;
    for (const char c : letters) given += typed(c);
    const bool asked = std::any_of(asked_.begin(), asked_.end(), [&](std::size_t i) {
      return s_.inputs[i].variable && letters.find(s_.inputs[i].variable) != std::string::npos;
    });
    if (given < 2 || !asked) return;
    for (const DtypeInfo& d : all_dtypes()) {
      if (std::find(rule.accepted.begin(), rule.accepted.end(), d.dtype) != rule.accepted.end()) continue;
      Case c = good_;
      for (std::size_t i = 0; i < count_; ++i)
        if (c.in[i] && letters.find(s_.inputs[i].variable) != std::string::npos && s_.inputs[i].variable)
          c.in[i]->dtype = d.dtype, c.in[i]->fill = "const-1";
      add(std::move(c), Reason::dtype, letters + " is " + std::string(d.name));
    }
  }

  void ranks(std::size_t i) {
    const Shape shape = good_.in[i]->shape;
    const auto other = [&](std::size_t rank) {
      if (!chosen(s_.inputs[i], rank))
        with(i, Reason::rank, "rank " + std::to_string(rank), [&](Input& x) { x.shape.resize(rank, 1); });
    };
    other(shape.size() + 1);
    for (std::size_t less = shape.size(); less-- > 0;) other(less);
  }

  void sizes(std::size_t i) {
    const Axes& all = axes(i);
    const Shape& shape = good_.in[i]->shape;
    std::size_t fixed = 0;
    for (const Axis& a : all) fixed += a.kind == On::size;
    const bool maybe =
        shape.size() > fixed && std::any_of(all.begin(), all.end(), [](const Axis& a) { return a.kind == On::maybe; });
    const std::size_t several = shape.size() - fixed - (maybe ? 1 : 0);
    std::size_t at = 0;
    for (const Axis& a : all) {
      if (a.kind == On::size) {
        if (!a.letter || stands(On::size, a.letter) > 1) off_by_one(i, at);
        ++at;
      } else if (a.kind == On::maybe) {
        at += maybe ? 1 : 0;
      } else {
        for (std::size_t k = 0; k < several; ++k)
          if (a.kind == On::pack ? stands(On::pack, a.letter) > 1 : meets(i, several - k)) off_by_one(i, at + k);
        at += several;
      }
    }
  }

  void off_by_one(std::size_t i, std::size_t axis) {
    for (const int by : {1, -1}) {
      const std::int64_t n = good_.in[i]->shape[axis] + by;
      if (n < 0 || (n < 2 && broadcasts(i))) continue;
      with(i, Reason::shape, "axis " + std::to_string(axis) + " is " + std::to_string(n),
           [&](Input& x) { x.shape[axis] = n; });
    }
  }

  // How often a letter stands as a size, or as a pack, in all given inputs.
  std::size_t stands(On kind, char letter) const {
    std::size_t n = 0;
    for (std::size_t i = 0; i < count_; ++i)
      if (good_.in[i])
        for (const Axis& a : axes(i)) n += a.kind == kind && a.letter == letter;
    return n;
  }

  bool broadcasts(std::size_t i) const { return !axes(i).empty() && axes(i)[0].kind == On::broadcast; }

  // How many axes of an input broadcast.
  std::size_t free_axes(std::size_t i) const {
    std::size_t named = 0;
    for (const Axis& a : axes(i)) named += a.kind == On::size || a.kind == On::maybe;
    const std::size_t rank = good_.in[i]->shape.size();
    return rank > named ? rank - named : 0;
  }

  // Whether the broadcast axis so far from the last one meets one of another input, both larger than 1.
  bool meets(std::size_t i, std::size_t back) const {
    const auto extent = [&](std::size_t k) { return good_.in[k]->shape[free_axes(k) - back]; };
    if (extent(i) < 2) return false;
    for (std::size_t k = 0; k < count_; ++k)
      if (k != i && good_.in[k] && broadcasts(k) && free_axes(k) >= back && extent(k) > 1) return true;
    return false;
  }

  const Op& op_;
  const Signature& s_;
  Case good_;
  std::set<std::size_t> asked_;
  std::vector<Reject>& to_;
  std::size_t count_, choice_ = 0;
};

// Those that differ from what is there already.
void add_new(std::vector<Reject>& all, const Op& op, std::vector<Reject> more) {
  std::set<std::string> known;
  for (const Reject& r : all) known.insert(id(op, r.call));
  for (Reject& r : more)
    if (known.insert(id(op, r.call)).second) all.push_back(std::move(r));
}

std::vector<Reject> rejects_of_signature(const Op& op, const std::vector<Case>& cases) {
  std::vector<Reject> all;
  if (!op.parsed) return all;
  std::set<std::pair<std::size_t, std::size_t>> seen;
  bool first = true;
  for (const bool choosy : {true, false})
    for (const Case& good : cases) {
      if (choosy && !handy(good)) continue;
      std::set<std::size_t> inputs = news(*op.parsed, good, seen);
      if (!first && inputs.empty()) continue;
      Faults(op, good, std::move(inputs), all).all(first);
      first = false;
    }
  return all;
}

}  // namespace

std::vector<Reject> rejects_of_signature(const Op& op) { return rejects_of_signature(op, op.cases()); }

std::vector<Reject> rejects_of(const Op& op) {
  std::vector<Reject> all = op.rejects ? op.rejects() : std::vector<Reject>{};
  const std::vector<Case> cases = op.cases();
  for (const RowCount& count : op.row_counts) add_miscounts(all, op, cases, count);
  add_new(all, op, rejects_of_signature(op, cases));
  return all;
}

}  // namespace plumb
