// Counts of rows among the inputs: each is a fact of its row, and one that is negative or beyond the rows is an error
// before anything is read, whoever asks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <set>

#include "cli/families.h"
#include "conformance/check.h"
#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"
#include "core/safetensors.h"
#include "core/signature.h"
#include "library/sparse.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;
using Rule = CountRule;

class Counts : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

Tensor count_of(std::int64_t n) { return tensor(Dtype::i32, {1}, {static_cast<double>(n)}); }

std::size_t position(const Op& op, std::string_view input) { return Request{&op, {}, {}}.index(input); }

bool gives(const Case& c, std::size_t input) { return input < c.in.size() && c.in[input].has_value(); }

// The value of an input that is the same everywhere.
std::optional<std::int64_t> constant(const Input& in) {
  if (!in.fill.starts_with("const-")) return std::nullopt;
  return std::stoll(in.fill.substr(6));
}

// With every count of every row, and the first case that gives it, of at least two rows.
void each_count(const std::function<void(const Op&, const RowCount&, const Case&)>& f) {
  std::size_t seen = 0;
  for (const Op& op : ops())
    for (const RowCount& count : op.row_counts) {
      const std::size_t at = position(op, count.count), of = position(op, count.of);
      const std::vector<Case> cases = op.cases();
      const auto good = std::find_if(cases.begin(), cases.end(), [&](const Case& c) {
        return gives(c, at) && gives(c, of) && c.in[of]->shape.at(0) > 1 && c.in[at]->shape.at(0) > 0;
      });
      ASSERT_NE(good, cases.end()) << op.name << " " << count.count;
      f(op, count, *good);
      ++seen;
    }
  EXPECT_GT(seen, 60U);
}

Case with_count(const Op& op, const RowCount& count, Case c, std::int64_t n) {
  c.in[position(op, count.count)]->fill = "const-" + std::to_string(n);
  return c;
}

// What the gate says, "" if the call passes.
std::string told(const std::function<void()>& make) {
  try {
    make();
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::domain) << e.what();
    return e.what();
  }
  return "";
}

std::string told(const Op& op, const Case& c) {
  return told([&] { (void)make_call(op, realize(op, c), c.attrs); });
}

// An input that is one int32, or that is called a count, is one.
TEST_F(Counts, EveryInputThatCountsIsAFactOfItsRow) {
  for (const Op& op : ops()) {
    std::set<std::string_view> named;
    for (const RowCount& c : op.row_counts) EXPECT_TRUE(named.insert(c.count).second) << op.name << " " << c.count;
    const std::vector<Case> cases = cases_of(op, Budget::ci);
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const std::string_view name = input_name(op.inputs[i]);
      bool counts = false, single = true;
      for (const char* end : {"active", "active_rows", "count", "counts"}) counts |= name.ends_with(end);
      for (const Case& c : cases)
        single &= !gives(c, i) || (c.in[i]->dtype == Dtype::i32 && c.in[i]->shape == Shape{1});
      EXPECT_EQ(named.contains(name), counts || single) << op.name << " " << name;
    }
  }
}

// None, all and some of the rows; never more, in benchmarks neither.
TEST_F(Counts, EveryCountHasCasesOfNoneOfAllAndOfSome) {
  each_count([](const Op& op, const RowCount& count, const Case&) {
    if (count.rule != Rule::leading) return;
    const std::size_t at = position(op, count.count), of = position(op, count.of);
    bool none = false, all = false, some = false;
    std::vector<Case> cases = op.cases();
    for (Case& c : op.bench()) cases.push_back(std::move(c));
    for (const Case& c : cases) {
      if (!gives(c, at)) continue;
      const std::int64_t rows = c.in[of]->shape.at(0);
      const std::optional<std::int64_t> n = constant(*c.in[at]);
      if (!n) continue;
      EXPECT_TRUE(*n >= 0 && *n <= rows) << id(op, c);
      none |= *n == 0 && rows > 0, all |= *n == rows && rows > 1, some |= *n > 0 && *n < rows;
    }
    EXPECT_TRUE(all && some) << op.name << " " << count.count;
    const bool maximum = op.name.starts_with("global_max_pool");  // of nothing: an error
    EXPECT_EQ(none, !maximum) << op.name << " " << count.count;
  });
}

TEST_F(Counts, WhatIsNegativeOrBeyondTheRowsIsRefusedByName) {
  constexpr std::int64_t kMinI32 = std::numeric_limits<std::int32_t>::min(),
                         kMaxI32 = std::numeric_limits<std::int32_t>::max();
  each_count([](const Op& op, const RowCount& count, const Case& good) {
    const std::int64_t rows = good.in[position(op, count.of)]->shape[0];
    const std::string place = good.in[position(op, count.count)]->shape[0] > 1 ? " at 0" : "";
    for (const std::int64_t n : {kMinI32, std::int64_t{-1}, rows + 1, kMaxI32}) {
      if (n > 0 && count.rule == Rule::wish) continue;
      EXPECT_EQ(told(op, with_count(op, count, good, n)), "[" + std::string(op.name) + "] domain: input '" +
                                                              std::string(count.count) + "' is " + std::to_string(n) +
                                                              place + ", but '" + std::string(count.of) + "' has " +
                                                              std::to_string(rows) + " rows");
    }
  });
}

TEST_F(Counts, ExactlyAllAndNoneAreAccepted) {
  each_count([](const Op& op, const RowCount& count, const Case& good) {
    if (count.rule == Rule::parts) return;
    for (const std::int64_t n : {good.in[position(op, count.of)]->shape[0], std::int64_t{0}})
      EXPECT_EQ(told(op, with_count(op, count, good, n)), "");
  });
}

// What follows from the facts is asked by `check`, and refused before any route is.
TEST_F(Counts, EachIsAmongTheRejectsOfItsOperation) {
  for (const Op& op : ops()) {
    const std::vector<Reject> all = rejects_of(op);
    const std::size_t stated = op.rejects ? op.rejects().size() : 0;
    std::size_t wanted = 0;
    for (const RowCount& c : op.row_counts) wanted += c.rule == Rule::wish ? 2U : 4U;
    ASSERT_GE(all.size(), stated + wanted) << op.name;
    for (std::size_t i = stated; i < stated + wanted; ++i) {
      const Reject& reject = all[i];
      EXPECT_EQ(reject.reason, Reason::domain) << reject.why;
      const std::optional<Verdict> v = judge_gate(op, reject);
      ASSERT_TRUE(v.has_value()) << id(op, reject.call);
      EXPECT_EQ(v->status, Status::pass) << id(op, reject.call) << ": " << v->reason;
    }
  }
}

TEST_F(Counts, PartsAreAllTheRowsAndAWishMayBeLarger) {
  const Tensor features = tensor(Dtype::f32, {5, 1}, {1, 2, 3, 4, 5});
  const auto refusal = [&](std::vector<double> counts, std::vector<double> sizes) {
    const Tensor c = tensor(Dtype::i32, {std::ssize(counts)}, counts),
                 s = tensor(Dtype::i32, {std::ssize(sizes)}, sizes);
    return told([&] { (void)make_call("topk_rows", {features, c, s}); });
  };
  EXPECT_EQ(refusal({1, 99}, {2, 3}), "");
  EXPECT_EQ(refusal({1, -9}, {2, 3}), "[topk_rows] domain: input 'counts' is -9 at 1, but 'features' has 5 rows");
  const std::string sizes = "[topk_rows] domain: input 'batch_counts' ", there = ", but 'features' has 5 rows";
  EXPECT_EQ(refusal({1, 1}, {2, 2}), sizes + "adds up to 4" + there);
  EXPECT_EQ(refusal({1, 1}, {3, 3}), sizes + "adds up to 6" + there);
  EXPECT_EQ(refusal({1, 1}, {6, -1}), sizes + "is 6 at 0" + there);
  EXPECT_EQ(refusal({1, 1}, {-1, 6}), sizes + "is -1 at 0" + there);
  EXPECT_EQ(refusal({}, {}), sizes + "adds up to 0" + there);
}

// Only what the equation reads is asked: the second number of `counts` belongs to the relation.
TEST_F(Counts, OfTwoNumbersTheFirstCountsEdges) {
  const Tensor features = tensor(Dtype::f32, {2, 1}, {1, 2}), rows = tensor(Dtype::i32, {3}, {0, 1, 1});
  const auto refusal = [&](double edges, double queries) {
    return told([&] {
      (void)make_call("gather_neighbor_features", {features, rows, tensor(Dtype::i32, {2}, {edges, queries})});
    });
  };
  EXPECT_EQ(refusal(3, 7), "");
  EXPECT_THAT(refusal(4, 1), HasSubstr("input 'counts' is 4 at 0, but 'source_rows' has 3 rows"));
}

// Bytes of a device that nobody has downloaded.
class Elsewhere : public DeviceSide {
 public:
  explicit Elsewhere(std::int32_t n) : n_(n) {}
  void download(std::byte* host) override { std::memcpy(host, &n_, sizeof n_); }
  void upload(const std::byte*) override {}
  bool guards_intact() override { return true; }

 private:
  std::int32_t n_;
};

TEST_F(Counts, AreReadWhereverTheyLie) {
  const Tensor coords = tensor(Dtype::i32, {3, 4}, std::vector<double>(12, 0));
  const auto refusal = [&](const Tensor& n) {
    return told([&] { (void)make_call("occupancy_downsample", {coords, n}); });
  };
  const Tensor several = tensor(Dtype::i32, {4}, {9, 3, 4, -1});
  EXPECT_EQ(refusal(several.view({1}, {1}, 1)), "");
  EXPECT_THAT(refusal(several.view({1}, {-2}, 2)), HasSubstr("is 4, but 'coords' has 3 rows"));
  EXPECT_THAT(refusal(several.view({1}, {0}, 3)), HasSubstr("is -1, but 'coords' has 3 rows"));
  for (const std::int32_t n : {3, 4}) {
    const Tensor made(Spec{Dtype::i32, {1}});
    (void)made.storage().device_write([n](std::size_t) { return std::make_shared<Elsewhere>(n); });
    EXPECT_EQ(refusal(made).empty(), n == 3);
  }
  EXPECT_EQ(refusal(Tensor(Spec{Dtype::i32, {1}})), "") << "nothing to read: a question of dispatch";
}

TEST_F(Counts, OfOneOperationAreHeldAgainstTheRowsOfTheNext) {
  const Tensor points = tensor(Dtype::f32, {3, 3}, {0, 0, 0, 5, 5, 5, 9, 9, 9}),
               batch = tensor(Dtype::i32, {3}, {0, 0, 0});
  const Call first = make_call("sparse_quantize", {points, batch, count_of(3)});
  const std::vector<Tensor> voxels = run(first, *select(first, Device()).route);
  const Tensor two = voxels[0].view({2, 4}, {4, 1});
  EXPECT_EQ(told([&] { (void)make_call("forward_map", {voxels[0], voxels[1]}); }), "");
  EXPECT_THAT(told([&] {
                (void)make_call("forward_map", {two, voxels[1]});
              }),
              HasSubstr("is 3, but 'coords' has 2 rows"));
}

TEST_F(Counts, OfSparseTensorsAreHeldAgainstTheirRowsWhereTheyEnter) {
  const Tensor coords = tensor(Dtype::i32, {3, 4}, std::vector<double>(12, 0)),
               features = tensor(Dtype::f32, {3, 1}, {1, 2, 3});
  for (const std::int64_t n : {-1, 4}) {
    const std::string why =
        "[sparse_tensor] domain: active_rows is " + std::to_string(n) + ", but the coordinates have 3 rows";
    lattice::CoordinateManager manager;
    EXPECT_EQ(told([&] { (void)manager.insert(coords, {1, 1, 1}, count_of(n)); }), why);
    EXPECT_EQ(manager.sets(), 0U);
    EXPECT_EQ(told([&] { (void)lattice::SparseTensor(coords, features, {.active_rows = count_of(n)}); }), why);
  }
  for (const std::int64_t n : {0, 3})
    EXPECT_EQ(lattice::SparseTensor(coords, features, {.active_rows = count_of(n)}).active_count(), n);
  const Tensor later = count_of(3);  // written again after it was inserted
  const lattice::SparseTensor x(coords, features, {.active_rows = later});
  later.write<std::int32_t>()[0] = 4;
  EXPECT_THAT(told([&] { (void)x.active_count(); }), HasSubstr("active_rows is 4"));
  EXPECT_THAT(told([&] { (void)x.batch_rows(); }), HasSubstr("active_rows is 4"));
}

// PLUMB stands for the program.
Ran shell(std::string line) {
  for (std::size_t at; (at = line.find("PLUMB ")) != std::string::npos;)
    line.replace(at, 6, "PLUMB_DEVICE=none '" PLUMB_PROGRAM "' ");
  return run_shell("{ " + line + "; } 2>&1");
}

TEST_F(Counts, EvalRefusesThemOnEveryRouteAndWritesNothing) {
  const std::string in = temporary("counts_in.safetensors"), out = temporary("counts_out.safetensors");
  const auto eval = [&](std::string_view route, std::int64_t n) {
    write_safetensors(in, {{"coords", tensor(Dtype::i32, {2, 4}, {0, 0, 0, 0, 0, 2, 0, 0})},
                           {"active_rows", count_of(n)},
                           {"features", tensor(Dtype::f32, {2, 1}, {1, 2})},
                           {"weight", tensor(Dtype::f32, {27, 1, 1}, std::vector<double>(27, 1))}});
    write_file(out, "before");
    return shell("PLUMB eval conv3d --in " + in + " --out " + out + " --route=" + std::string(route));
  };
  for (const Route& r : routes(find_op("conv3d")))
    for (const std::int64_t n : {-1, 3}) {
      const Ran ran = eval(r.name, n);
      EXPECT_EQ(ran.code, 2) << r.name;
      EXPECT_THAT(ran.out, HasSubstr("[conv3d] domain: input 'active_rows' is " + std::to_string(n) +
                                     ", but 'coords' has 2 rows"));
      EXPECT_EQ(read_file(out), "before") << r.name;
    }
  for (const std::int64_t n : {0, 2}) {
    EXPECT_EQ(eval("natural", n).code, 0);
    EXPECT_EQ(read_safetensors(out).at("features").dim(0), n);
  }
}

TEST_F(Counts, ReproDumpAndReplayAgreeThatItIsAnError) {
  const Op& op = find_op("crop");
  const std::vector<Reject> all = rejects_of(op);
  const auto counted = std::find_if(all.begin(), all.end(), [](const Reject& r) { return r.reason == Reason::domain; });
  ASSERT_NE(counted, all.end());
  const std::string c = id(op, counted->call), folder = temporary("counts_dump");
  const Ran repro = shell("PLUMB repro '" + c + "' --dump " + folder);
  EXPECT_EQ(repro.code, 0) << repro.out;
  const Ran replay = shell("PLUMB replay " + folder + " --route=all");
  EXPECT_EQ(replay.code, 0) << replay.out;
  EXPECT_THAT(replay.out, HasSubstr("2 passed, 0 failed"));
}

}  // namespace
}  // namespace plumb
