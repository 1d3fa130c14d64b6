// The tables as a whole: complete rows, cases that print and parse, dispatch that reaches every route.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/fill.h"
#include "core/gate.h"

namespace plumb {
namespace {

class Tables : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

TEST_F(Tables, EveryCaseIdReadsBack) {
  for (const Op& op : ops()) {
    for (const Case& c : cases_of(op, Budget::nightly)) {
      const std::string text = id(op, c);
      const Parsed p = parse_case(text);
      EXPECT_EQ(p.op, &op);
      EXPECT_EQ(id(op, p.call), text);
    }
  }
}

TEST_F(Tables, EveryOpHasCasesRejectsAndBenchmarks) {
  for (const Op& op : ops()) {
    EXPECT_FALSE(cases_of(op, Budget::smoke).empty()) << op.name;
    EXPECT_FALSE(rejects_of(op).empty()) << op.name;
    EXPECT_FALSE(op.bench().empty()) << op.name;
    EXPECT_GT(cases_of(op, Budget::ci).size(), cases_of(op, Budget::smoke).size()) << op.name;
  }
}

// Six digits behind a point are std::to_string's, which shows 1e-50 as 0.000000.
TEST_F(Tables, NumbersInMessagesAreTheShortestThatReadBack) {
  const std::regex six("[0-9]\\.[0-9]{6}($|[^0-9])");
  std::int64_t told = 0;
  for (const Op& op : ops())
    for (const Reject& reject : op.rejects ? op.rejects() : std::vector<Reject>{}) {
      std::vector<std::optional<Spec>> specs;
      for (const auto& in : reject.call.in)
        specs.push_back(in ? std::optional(Spec{in->dtype, in->shape}) : std::nullopt);
      try {
        (void)output_specs(make_request(op, std::move(specs), reject.call.attrs));
      } catch (const Error& e) {
        ++told;
        EXPECT_FALSE(std::regex_search(e.what(), six)) << id(op, reject.call) << ": " << e.what();
      }
    }
  EXPECT_GT(told, 1000);
}

TEST_F(Tables, EveryOpHasACpuRouteAndUnlessForTheHostOnlyAGpuRoute) {
  for (const Op& op : ops()) {
    int cpu = 0, gpu = 0;
    for (const Route& r : routes(op)) (r.needs == Tier::unavailable ? cpu : gpu) += r.name != kReference;
    EXPECT_GT(cpu, 0) << op.name;
#ifdef PLUMB_GPU
    EXPECT_EQ(gpu == 0, op.host_only) << op.name;
#endif
  }
}

TEST_F(Tables, DataDependsOnTheCaseAndTheSaltOnly) {
  const auto bytes = [](const char* text, std::uint64_t salt) {
    const Parsed p = parse_case(text);
    const Tensor t = contiguous(realize(*p.op, p.call, salt).at(0));
    return std::string(reinterpret_cast<const char*>(t.read<std::byte>()), t.storage().bytes());
  };
  const char* row = "add/f32.7.row.uniform+f32.7.row.uniform/-";
  const char* reversed = "add/f32.7.reversed.uniform+f32.7.row.uniform/-";
  const std::string plain = bytes(row, 0), salted = bytes(row, 7);
  EXPECT_NE(plain, salted);
  EXPECT_NE(bytes(row, 8), salted);
  EXPECT_NE(bytes(reversed, 0), plain);
  EXPECT_EQ(bytes(row, 0), plain) << "whatever was made in between";
  EXPECT_EQ(bytes(row, 7), salted);
}

TEST_F(Tables, WrongNamesAreErrorsThatHelp) {
  try {
    (void)find_op("matmull");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::query);
    EXPECT_NE(std::string(e.what()).find("matmul"), std::string::npos);
  }
  EXPECT_THROW((void)find_route(find_op("add"), "gpu.nosuch"), Error);
  EXPECT_THROW((void)parse_case("add/f32.3.row.nosuch"), Error);
  EXPECT_THROW((void)parse_case("add/f33.3.row.uniform+f32.3.row.uniform/-"), Error);
  CheckOptions o;
  o.queries = {"nosuch*"};
  EXPECT_THROW((void)check(o), Error);
  o.queries = {"add"};
  o.route = "nosuch";
  EXPECT_THROW((void)check(o), Error);
}

// Machines to dispatch on: none, a plain GPU, one without binary64 or IEEE division, one with matrix units, the
// host as a device.
std::vector<Device> machines() {
  std::vector<Device> all(5);
  for (std::size_t i = 1; i < all.size(); ++i) {
    Device& d = all[i];
    d.tier = Tier::gpu;
    d.fp64 = d.fp16 = d.int64_atomics = true;
    d.facts.compute_units = 64;
    d.facts.max_work_group = 1024;
    d.facts.local_bytes = 48 << 10;
    d.facts.max_allocation_bytes = std::uint64_t{1} << 34;
    d.facts.global_bytes = std::uint64_t{1} << 36;
    d.facts.warp = 32;
    d.facts.ieee_f32 = i != 2;
  }
  all[2].fp64 = all[2].fp16 = all[2].int64_atomics = false;
  all[2].facts.local_bytes = 16 << 10;
  all[2].facts.max_work_group = 64;
  all[3].tier = Tier::neural_accelerator;
  all[3].matrix_f16 = true;
  all[4].facts.is_cpu = true;
  return all;
}

// Every condition of a route, also those behind one that already refuses.
void evaluate(const Route& r, const Call& call, const Device& d) {
  for (const auto* list : {&r.supports, &r.prefers})
    for (const Condition& c : *list) (void)observe(c, call, d);
}

void decide(const Op& op, const Case& c) {
  const Call call = make_call(op, hollow(c), c.attrs);
  for (const Device& d : machines()) {
    (void)select(call, d);
    for (const Route& r : routes(op))
      if (d.tier >= r.needs) evaluate(r, call, d);
  }
}

// The case with one extent, wherever it occurs, made huge: beyond 32-bit sizes, without memory for the values.
std::vector<Case> inflated(const Case& c) {
  std::set<std::int64_t> extents;
  for (const auto& in : c.in)
    if (in) extents.insert(in->shape.begin(), in->shape.end());
  std::vector<Case> out;
  for (const std::int64_t extent : extents)
    for (const std::int64_t huge :
         {std::int64_t{1} << 26, (std::int64_t{1} << 31) + (1 << 16), std::int64_t{1} << 33}) {
      if (extent < 2) continue;
      Case large = c;
      for (auto& in : large.in)
        if (in) std::replace(in->shape.begin(), in->shape.end(), extent, huge);
      out.push_back(large);
    }
  return out;
}

void decide_everything() {
  for (const Op& op : ops()) {
    std::vector<Case> cases = op.cases();
    for (const Case& c : op.bench()) cases.push_back(c);
    for (const Case& c : cases) decide(op, c);
    for (const Case& c : cases_of(op, Budget::ci))
      for (const Case& large : inflated(c)) try {
          decide(op, large);
        } catch (const Error&) {  // sizes that no longer fit together
        }
  }
}

// "OP ROUTE" of those that stand behind a faster one which takes all that they take: for whoever names them.
std::set<std::string> named_routes() {
  std::ifstream in(PLUMB_SOURCE_DIR "/conformance/named_routes.json");
  std::set<std::string> all;
  for (const auto& row : nlohmann::json::parse(in)) {
    EXPECT_FALSE(row.value("why", "").empty()) << row;
    all.insert(row.at("op").get<std::string>() + " " + row.at("route").get<std::string>());
  }
  return all;
}

TEST_F(Tables, TheNaturalDispatcherReachesEveryRouteAndEachConditionGoesBothWays) {
  decide_everything();
  std::set<std::string> named = named_routes();
  for (const Op& op : ops())
    for (const Route& r : routes(op).first(routes(op).size() - 1))  // all but the oracle, which waits behind them
      if (named.erase(std::string(op.name) + " " + std::string(r.name)) > 0)
        EXPECT_EQ(times_chosen(r), 0) << op.name << " takes " << r.name << " by itself";
      else EXPECT_GT(times_chosen(r), 0) << op.name << " never takes " << r.name << " by itself";
  for (const std::string& n : named) ADD_FAILURE() << "there is no route " << n;
  for (const ConditionCount& n : coverage()) {
    EXPECT_GT(n.seen_true, 0) << n.route->op << " " << n.route->name << ": never true: " << n.condition->refusal;
    EXPECT_GT(n.seen_false, 0) << n.route->op << " " << n.route->name << ": never false: " << n.condition->refusal;
  }
}

int bits_of(Dtype t) { return info(t == Dtype::c64 ? Dtype::f32 : t).precision; }

int most_bits(const std::vector<Spec>& outputs) {
  int most = 0;
  for (const Spec& s : outputs)
    if (is_inexact(s.dtype)) most = std::max(most, bits_of(s.dtype));
  return most;
}

bool takes(const Route& r, const Call& call) {
  return std::all_of(r.supports.begin(), r.supports.end(), [&](const Condition& c) {
    return c.stage == Stage::device || c.stage == Stage::capability || c.holds(call, Device{});
  });
}

// An order that is looser than the arithmetic passes what is wrong: no route may declare, for any case that it takes, a
// sum kept in fewer bits than the result has.
TEST_F(Tables, NoDeclaredSumIsNarrowerThanItsResult) {
  std::int64_t asked = 0;
  for (const Op& op : ops())
    for (const Case& c : cases_of(op, Budget::ci)) {
      const Call call = make_call(op, hollow(c), c.attrs);
      const int most = most_bits(output_specs(call));
      for (const Route& r : routes(op)) {
        if (most == 0 || r.name == kReference || !r.order || !takes(r, call)) continue;
        const Order o = r.order(call);
        ++asked;
        ASSERT_GE(std::min(bits_of(o.accumulator), bits_of(o.partial.value_or(o.accumulator))), most)
            << id(op, c) << "@" << r.name;
      }
    }
  EXPECT_GT(asked, 10000);
}

TEST_F(Tables, ForcingARouteForcesPreferenceNeverSupport) {
  const Device none;
  for (const Op& op : ops()) {
    const Case c = op.cases().front();
    const Call call = make_call(op, hollow(c), c.attrs);
    for (const Route& r : routes(op)) {
      const Decision d = select(call, none, r.name);
      if (!refusal(r, call, none).empty()) {
        EXPECT_NE(d.route, &r) << op.name << " " << r.name;
      } else {
        EXPECT_EQ(d.route, &r) << op.name << " " << r.name;
      }
    }
  }
}

// What admit and run say of a call that a route refuses: the op, the route, the condition and the call.
void expect_refused(const Route& r, const Call& call, const Device& d, const std::string& why) {
  const auto told = [&](const std::function<void()>& f) {
    try {
      f();
      ADD_FAILURE() << r.op << " " << r.name << " is let through where " << why;
    } catch (const Error& e) {
      EXPECT_EQ(e.reason(), Reason::unsupported) << e.what();
      EXPECT_EQ(e.op(), r.op);
      EXPECT_NE(e.detail().find("route " + std::string(r.name) + " refuses: " + why), std::string::npos) << e.what();
      EXPECT_NE(e.detail().find(describe(call)), std::string::npos) << e.what();
    }
  };
  told([&] { admit(r, call, d); });
  if (const std::string here = refusal(r, call, device_of(r)); here == why) told([&] { (void)run(call, r); });
}

// Every route is asked for a call that each of its conditions refuses, by name, through the gate that all verbs pass.
TEST_F(Tables, EachConditionOfAForcedRouteRefusesAtTheGate) {
  std::set<const Condition*> asked;
  const auto ask = [&](const Op& op, const Case& c) {
    const Call call = make_call(op, hollow(c), c.attrs);
    for (const Device& d : machines())
      for (const Route& r : routes(op)) {
        if (d.tier < r.needs) continue;
        bool fresh = false;
        for (const Condition& s : r.supports) fresh |= !s.holds(call, d) && asked.insert(&s).second;
        if (fresh) expect_refused(r, call, d, refusal(r, call, d));
      }
  };
  for (const Op& op : ops()) {
    std::vector<Case> cases = op.cases();
    for (const Case& c : op.bench()) cases.push_back(c);
    for (const Case& c : cases) ask(op, c);
    for (const Case& c : cases_of(op, Budget::ci))
      for (const Case& large : inflated(c)) try {
          ask(op, large);
        } catch (const Error&) {  // sizes that no longer fit together
        }
    for (const Route& r : routes(op))
      for (const Condition& c : r.supports)
        EXPECT_TRUE(asked.contains(&c)) << op.name << " " << r.name
                                        << ": never asked for what it refuses: " << c.refusal;
  }
}

TEST_F(Tables, ARouteThatNeedsADeviceIsRefusedWithoutOne) {
  const Device none;
  for (const Op& op : ops())
    for (const Route& r : routes(op)) {
      if (r.needs == Tier::unavailable) continue;
      const Case c = op.cases().front();
      expect_refused(r, make_call(op, hollow(c), c.attrs), none,
                     "needs tier " + std::string(name(r.needs)) + ", this device is unavailable");
    }
}

TEST_F(Tables, UnknownAttributesMissingInputsAndTooManyAreRefused) {
  for (const Op& op : ops()) {
    const Case c = op.cases().front();
    const auto refused = [&](std::vector<Tensor> in, Attrs attrs, Reason reason) {
      try {
        (void)make_call(op, std::move(in), std::move(attrs));
        ADD_FAILURE() << op.name << " accepted what it must refuse for its " << name(reason);
      } catch (const Error& e) {
        EXPECT_EQ(e.reason(), reason) << e.what();
        EXPECT_EQ(e.op(), op.name);
      }
    };
    refused(hollow(c), {{"nosuch", 1}}, Reason::attribute);
    if (!op.inputs.empty()) refused({}, c.attrs, Reason::arity);
    std::vector<Tensor> many = hollow(c);
    many.resize(op.inputs.size(), Tensor());
    many.push_back(tensor(Dtype::f32, {1}, {0}));
    refused(many, c.attrs, Reason::arity);
  }
}

}  // namespace
}  // namespace plumb
