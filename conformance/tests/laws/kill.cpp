// The harness judged: faults planted in a perfect route, each of which every op's own cases must find.
//
// A planted route gives the oracle's answer and spoils one output or one input in one way. The oracle is asked once per
// case and data set, and all faults share its answers. The smallest cases come first, and a fault that was found is not
// asked again. A fault that changes nothing on any case asked (no NaN to lose, no float to round) does not apply to an
// op; conformance/kill.json lists those, so that one that no longer applies is an error, and one that newly does too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "conformance/check.h"
#include "core/fill.h"

namespace plumb {
namespace {

enum class Kind {
  stale,         // returns what was right for other values
  past_end,      // writes one element beyond the end
  before_start,  // writes one element before the start
  unwritten,     // leaves an element as it found it
  large,         // the same among more than 4096
  unsteady,      // another last bit on every second launch
  lost_nan,      // 0 where NaN belongs
  zero,          // all zeros
  shifted,       // every element from its left neighbour
  coarse,        // floats kept in bfloat16
  swapped,       // the first and the last active element exchanged
  wrong_shape,   // one axis too many
  input,         // changes a byte of an input
};
constexpr std::string_view kKinds[] = {"stale",    "past_end",    "before_start", "unwritten", "large",
                                       "unsteady", "lost_nan",    "zero",         "shifted",   "coarse",
                                       "swapped",  "wrong_shape", "input"};
enum class Place { first, middle, last, drawn };
constexpr std::string_view kPlaces[] = {"first", "middle", "last", "drawn"};
constexpr std::int64_t kMany = 4096;
constexpr std::size_t kCases = 24;  // of the budget ci, unless a fault that changes something needs more

struct Fault {
  Kind kind;
  std::size_t which;  // of the outputs, or inputs
  Place place = Place::last;
  std::string text(const Op& op) const {
    std::string s(kKinds[static_cast<std::size_t>(kind)]);
    if (kind == Kind::unwritten || kind == Kind::large || kind == Kind::input)
      s += "." + std::string(kPlaces[static_cast<std::size_t>(place)]);
    return s + "." + std::string((kind == Kind::input ? op.inputs : op.outputs)[which]);
  }
};

std::int64_t element(Place p, std::int64_t n) {
  if (p == Place::first) return 0;
  if (p == Place::middle) return n / 2;
  if (p == Place::last) return n - 1;
  return static_cast<std::int64_t>(draw(hash("kill"), static_cast<std::uint64_t>(n)) % static_cast<std::uint64_t>(n));
}

std::vector<Fault> faults_of(const Op& op) {
  std::vector<Fault> all;
  for (std::size_t i = 0; i < op.outputs.size(); ++i) {
    for (const Kind k : {Kind::stale, Kind::past_end, Kind::before_start, Kind::unsteady, Kind::lost_nan, Kind::zero,
                         Kind::shifted, Kind::coarse, Kind::swapped, Kind::wrong_shape})
      all.push_back({k, i});
    for (const Place p : {Place::first, Place::middle, Place::last, Place::drawn})
      all.push_back({Kind::unwritten, i, p}), all.push_back({Kind::large, i, p});
  }
  for (std::size_t i = 0; i < op.inputs.size(); ++i)
    for (const Place p : {Place::first, Place::middle, Place::last}) all.push_back({Kind::input, i, p});
  return all;
}

std::size_t width(const Tensor& t) { return static_cast<std::size_t>(info(t.dtype()).bytes); }
std::byte* bytes(const Tensor& t) { return t.write<std::byte>(); }
std::size_t length(const Tensor& t) { return static_cast<std::size_t>(t.size()) * width(t); }

Tensor copy(const Tensor& t) {
  Tensor c(t.spec());
  std::memcpy(bytes(c), t.read<std::byte>(), length(t));
  return c;
}

void lose_nan(const Tensor& t) {
  if (!is_real(t.dtype())) return;
  Wide w = widen(t);
  std::visit(
      []<class T>(Array<T>& a) {
        if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Double2>)
          for (T& x : a.data)
            if (std::isnan(double(x))) x = T(0.0);
      },
      w);
  std::memcpy(bytes(t), narrow(w, t.dtype()).read<std::byte>(), length(t));
}

void coarsen(const Tensor& t) {
  if (!is_inexact(t.dtype())) return;
  if (is_complex(t.dtype())) {
    auto* p = t.write<float>();
    for (std::int64_t i = 0; i < 2 * t.size(); ++i) p[i] = bf16_to_float(to_bf16(double(p[i])));
    return;
  }
  const Dtype low = t.dtype() == Dtype::bf16 ? Dtype::f16 : Dtype::bf16;
  std::memcpy(bytes(t), narrow(widen(narrow(widen(t), low)), t.dtype()).read<std::byte>(), length(t));
}

// Spoils one output with n active elements, in the given launch.
void spoil(const Fault& f, Tensor& t, std::int64_t n, int launch) {
  const std::size_t w = width(t), last = static_cast<std::size_t>(std::max<std::int64_t>(n, 1) - 1) * w;
  std::byte* p = bytes(t);
  if (f.kind == Kind::past_end) p[length(t)] ^= std::byte{1};
  if (f.kind == Kind::before_start) p[-1] ^= std::byte{1};
  if (f.kind == Kind::wrong_shape) {
    Shape shape = t.shape();
    Strides strides = t.strides();
    shape.push_back(1), strides.push_back(1);
    t = t.view(shape, strides);
  }
  if (n == 0) return;
  if (f.kind == Kind::lost_nan) lose_nan(t);
  if (f.kind == Kind::coarse) coarsen(t);
  if (f.kind == Kind::unwritten || (f.kind == Kind::large && n > kMany))
    std::memset(p + static_cast<std::size_t>(element(f.place, n)) * w, kPoisonByte, w);
  if (f.kind == Kind::unsteady && launch % 2 == 0) p[last] ^= std::byte{1};
  if (f.kind == Kind::zero) std::memset(p, 0, last + w);
  if (f.kind == Kind::shifted) std::memmove(p + w, p, last);
  if (f.kind == Kind::swapped && last > 0) std::swap_ranges(p, p + w, p + last);
}

// A data set of a case: its call and what is right for it.
struct Answer {
  Call call;
  std::vector<Tensor> right;
  std::vector<std::int64_t> elements;  // active ones of each output
};

Answer answer(const Op& op, const Case& c, std::uint64_t data) {
  Answer a{make_call(op, realize(op, c, data), c.attrs), {}, {}};
  const std::vector<Spec> specs = output_specs(a.call);
  const std::vector<Wide> wide = op.oracle(a.call);
  for (std::size_t i = 0; i < specs.size(); ++i) a.right.push_back(narrow(wide[i], specs[i].dtype));
  for (const Tensor& t : active(a.call, a.right)) a.elements.push_back(t.size());
  return a;
}

std::vector<Tensor> planted(const Fault* f, const Answer& a, const Answer& other, int launch) {
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < a.right.size(); ++i) {
    const bool stale = f && f->kind == Kind::stale && f->which == i && other.right[i].spec() == a.right[i].spec();
    out.push_back(copy(stale ? other.right[i] : a.right[i]));
  }
  if (f && f->kind != Kind::input && f->kind != Kind::stale) spoil(*f, out[f->which], a.elements[f->which], launch);
  return out;
}

std::byte* input_byte(const Fault& f, const Call& call) {
  Storage& s = call.in[f.which].storage();
  return s.host_write() + element(f.place, static_cast<std::int64_t>(s.bytes()));
}

// Whether a fault makes any difference on one of the two data sets.
bool changes(const Fault& f, const Answer& a, const Answer& b) {
  if (f.kind == Kind::past_end || f.kind == Kind::before_start || f.kind == Kind::wrong_shape) return true;
  if (f.kind == Kind::input) return a.call.in[f.which].defined() && a.call.in[f.which].storage().bytes() > 0;
  const auto differs = [&](const Answer& x, const Answer& y) {
    const std::size_t active = static_cast<std::size_t>(x.elements[f.which]) * width(x.right[f.which]);
    const Tensor t = planted(&f, x, y, 2)[f.which];
    return std::memcmp(t.read<std::byte>(), x.right[f.which].read<std::byte>(), active) != 0;
  };
  return (f.kind != Kind::stale && differs(a, b)) || differs(b, a);
}

// What the planted route does now; tests run in one thread.
struct Plant {
  const Fault* fault;  // none: a perfect route
  const Answer* data[2];
  int prepared = 0;
};
Plant* plant = nullptr;

Job prepare(const Call& call, const std::vector<Spec>&) {
  const Answer *a = plant->data[plant->prepared % 2], *other = plant->data[1 - plant->prepared % 2];
  ++plant->prepared;
  auto out = std::make_shared<std::vector<Tensor>>();
  auto launch = std::make_shared<int>(0);
  return {[call, out, launch, a, other, f = plant->fault] {
            *out = planted(f, *a, *other, ++*launch);
            if (f && f->kind == Kind::input) *input_byte(*f, call) ^= std::byte{1};
          },
          [] {}, [out] { return *out; }};
}

Route planted_route(const Op& op) {
  Route r;
  r.op = op.name, r.name = "planted", r.prepare = prepare;
  for (const Route& other : routes(op))  // judged by the order of a real CPU route
    if (other.needs == Tier::unavailable && other.order) r.order = other.order;
  return r;
}

// A case with everything that its faults share.
class Shared {
 public:
  Shared(const Op& op, const Case& c)
      : op_(op), c_(c), route_(planted_route(op)), a_(answer(op, c, 0)), b_(answer(op, c, 1)) {}

  bool changed_by(const Fault& f) const { return changes(f, a_, b_); }
  Verdict on(const Fault* f) {
    if (!judge_) judge_ = std::make_unique<Judge>(op_, c_);
    Plant now{f, {&a_, &b_}, 0};
    plant = &now;
    const Verdict v = judge_->on(route_, Device{});
    plant = nullptr;
    if (f && f->kind == Kind::input) judge_.reset();  // its inputs are spoilt
    return v;
  }

 private:
  const Op& op_;
  const Case& c_;
  Route route_;
  Answer a_, b_;
  std::unique_ptr<Judge> judge_;
};

std::int64_t largest_output(const Op& op, const Case& c) {
  std::int64_t most = 0;
  for (const Spec& s : output_specs(make_call(op, hollow(c), c.attrs))) most = std::max(most, count(s.shape));
  return most;
}

std::int64_t size_of(const Op& op, const Case& c) {
  std::int64_t n = 0;
  for (const auto& in : c.in) n += in ? count(in->shape) : 0;
  return n + largest_output(op, c);
}

// Those of smoke, then those of ci, each from small to large.
std::vector<Case> in_order(const Op& op) {
  std::vector<std::pair<std::pair<bool, std::int64_t>, Case>> all;
  for (const Case& c : cases_of(op, Budget::ci)) all.push_back({{c.budget != Budget::smoke, size_of(op, c)}, c});
  std::stable_sort(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<Case> cases;
  for (auto& [key, c] : all) cases.push_back(std::move(c));
  return cases;
}

// Whether a fault may change anything, by what is known without the oracle.
bool possible(const Fault& f, const Case& c, const std::vector<Spec>& out) {
  if (f.kind == Kind::input) return f.which < c.in.size() && c.in[f.which] && count(c.in[f.which]->shape) > 0;
  if (f.which >= out.size()) return false;  // some calls have fewer outputs than the row has names
  const Spec& s = out[f.which];
  if (f.kind == Kind::lost_nan) return is_real(s.dtype);
  if (f.kind == Kind::coarse) return is_inexact(s.dtype);
  return f.kind != Kind::large || count(s.shape) > kMany;
}

struct Fates {
  std::vector<Fault> open, survived;  // changed nothing yet; changed something that was never found
  std::size_t killed = 0;
};

// Asks one case about the faults that are not found yet.
void ask(const Op& op, const Case& c, Fates& fates, const std::function<bool(const Fault&)>& wanted) {
  const std::vector<Spec> specs = output_specs(make_call(op, hollow(c), c.attrs));
  const auto may = [&](const Fault& f) { return wanted(f) && possible(f, c, specs); };
  if (std::none_of(fates.open.begin(), fates.open.end(), may) &&
      std::none_of(fates.survived.begin(), fates.survived.end(), may))
    return;
  Shared shared(op, c);
  bool first = true;
  for (std::vector<Fault>* list : {&fates.open, &fates.survived}) {
    std::vector<Fault> asked = std::move(*list);
    list->clear();
    for (const Fault& f : asked) {
      if (!may(f) || !shared.changed_by(f)) {
        list->push_back(f);
        continue;
      }
      if (first) {
        const Verdict v = shared.on(nullptr);
        EXPECT_NE(v.status, Status::fail) << id(op, c) << ": the perfect route fails: " << v.reason;
      }
      first = false;
      if (shared.on(&f).status == Status::fail) ++fates.killed;
      else fates.survived.push_back(f);
    }
  }
}

Fates fates_of(const Op& op) {
  Fates fates{faults_of(op), {}, 0};
  std::size_t asked = 0;
  const std::vector<Case> cases = in_order(op);
  for (const Case& c : cases) {
    const bool more = c.budget == Budget::smoke || asked < kCases;
    asked += c.budget != Budget::smoke;
    const auto any = [](const std::vector<Fault>& list) {
      return std::any_of(list.begin(), list.end(), [](const Fault& f) { return f.kind != Kind::large; });
    };
    if (any(fates.survived) || (more && any(fates.open))) ask(op, c, fates, [](const Fault&) { return true; });
  }
  std::vector<const Case*> large;
  for (const Case& c : cases)
    if (largest_output(op, c) > kMany) large.push_back(&c);
  std::stable_sort(large.begin(), large.end(),
                   [&](const Case* x, const Case* y) { return size_of(op, *x) < size_of(op, *y); });
  for (std::size_t i = 0; i < std::min<std::size_t>(2, large.size()); ++i)
    ask(op, *large[i], fates, [](const Fault& f) { return f.kind == Kind::large; });
  return fates;
}

using Json = nlohmann::json;  // names in order

// One op a line.
void write_table(const std::string& path, const Json& table) {
  std::ofstream file(path);
  file << "{\n";
  for (auto it = table.begin(); it != table.end(); ++it)
    file << "  " << Json(it.key()).dump() << ": " << it.value().dump() << (std::next(it) == table.end() ? "\n" : ",\n");
  file << "}\n";
}

// In parts, so that they run side by side.
constexpr std::size_t kParts = 4;
class Kill : public testing::TestWithParam<std::size_t> {
 protected:
  static Json seen;
  static void TearDownTestSuite() {
    if (const char* path = std::getenv("PLUMB_KILL_TABLE")) write_table(path, seen);
  }
};
Json Kill::seen = Json::object();

TEST_P(Kill, EveryPlantedFaultIsFoundByEveryOpsOwnCases) {
  std::ifstream file(PLUMB_SOURCE_DIR "/conformance/kill.json");
  const Json pinned = Json::parse(file);
  for (std::size_t i = GetParam(); i < ops().size(); i += kParts) {
    const Op& op = ops()[i];
    const Fates fates = fates_of(op);
    for (const Fault& f : fates.survived) ADD_FAILURE() << op.name << " lets '" << f.text(op) << "' pass";
    Json row{{"killed", fates.killed}, {"does not apply", Json::array()}};
    for (const Fault& f : fates.open) row["does not apply"].push_back(f.text(op));
    std::sort(row["does not apply"].begin(), row["does not apply"].end());
    seen[std::string(op.name)] = row;
    EXPECT_EQ(pinned.value(std::string(op.name), Json()), row)
        << op.name << ": other faults apply than conformance/kill.json says. If that is meant:\n"
        << "  PLUMB_KILL_TABLE=conformance/kill.json conformance_tests --gtest_filter='*Kill*'";
  }
}
INSTANTIATE_TEST_SUITE_P(Parts, Kill, testing::Range<std::size_t>(0, kParts));

TEST(KillTable, NamesNoOpThatIsGone) {
  std::ifstream file(PLUMB_SOURCE_DIR "/conformance/kill.json");
  const Json pinned = Json::parse(file);
  for (auto it = pinned.begin(); it != pinned.end(); ++it) EXPECT_NO_THROW(find_op(it.key())) << it.key();
}

}  // namespace
}  // namespace plumb
