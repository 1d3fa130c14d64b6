// The cache of relations: what it may change, and what it may not.
#include <gmock/gmock.h>

#include "conformance/tests/library/lattice.h"
#include "core/route.h"

namespace plumb::lattice {
namespace {

using ::testing::ElementsAre;

// Calls that differ in exactly one attribute, on one tensor.
struct Variant {
  const char* what;
  std::function<SparseTensor(const SparseTensor&)> call;
};
std::vector<Variant> variants() {
  const auto conv = [](KernelSpec s) {
    return [s](const SparseTensor& x) { return conv3d(x, weight_of(s.size), {}, s); };
  };
  const auto up = [](KernelSpec s) {
    return [s](const SparseTensor& x) { return conv_transpose3d(x, weight_of(s.size), {}, s); };
  };
  const KernelSpec base{.size = {3, 1, 1}, .stride = {2, 1, 1}};
  const auto with = [&](auto change) {
    KernelSpec s = base;
    change(s);
    return s;
  };
  return {{"base", conv(base)},
          {"size", conv(with([](KernelSpec& s) { s.size[0] = 2; }))},
          {"shape of the same volume", conv(with([](KernelSpec& s) {
             s.size = {1, 3, 1};
           }))},
          {"stride", conv(with([](KernelSpec& s) { s.stride[0] = 3; }))},
          {"no stride", conv(with([](KernelSpec& s) { s.stride[0] = 1; }))},
          {"padding", conv(with([](KernelSpec& s) { s.padding[0] = 1; }))},
          {"dilation", conv(with([](KernelSpec& s) { s.dilation[0] = 2; }))},
          {"kind: transposed", up(base)},
          {"kind: generative",
           [=](const SparseTensor& x) {
             return generative_conv_transpose3d(x, weight_of(base.size), {}, base.size, base.stride);
           }},
          {"kind: target", [=](const SparseTensor& x) { return conv3d(x, weight_of(base.size), {}, base, line(3)); }},
          {"weights", [=](const SparseTensor& x) { return conv3d(x, weight_of(base.size, 99), {}, base); }}};
}

struct Result {
  std::vector<double> where, what;
  bool operator==(const Result&) const = default;
};
Result result(const Variant& v, const SparseTensor& x) {
  const SparseTensor y = v.call(x);
  return {places(y), features(y)};
}

// A,B,A and B,A,B on one tensor give what each gives on a tensor of its own; with the cache and without.
TEST(Cache, NeverChangesAResult) {
  const std::vector<Variant> all = variants();
  std::vector<Result> alone;
  for (const Variant& v : all) alone.push_back(result(v, line_tensor(7, {6, 6, 6})));
  for (std::size_t i = 1; i < all.size(); ++i)
    EXPECT_NE(alone[0], alone[i]) << all[i].what << " makes no difference: a poor test";
  for (const bool on : {true, false})
    for (std::size_t a = 0; a < all.size(); ++a)
      for (std::size_t b = 0; b < all.size(); ++b) {
        const SparseTensor x = line_tensor(7, {6, 6, 6});
        x.manager()->remember(on);
        for (const std::size_t i : {a, b, a})
          EXPECT_EQ(result(all[i], x), alone[i]) << all[a].what << " / " << all[b].what;
      }
}

// The same for edges, which depend on every attribute, also where output coordinates do not.
TEST(Cache, NeverChangesARelation) {
  const KernelSpec base{.size = {3, 1, 1}, .stride = {2, 1, 1}};
  std::vector<std::pair<KernelSpec, Kind>> all{
      {base, Kind::forward}, {base, Kind::transposed}, {base, Kind::generative}, {base, Kind::target}};
  for (std::size_t field = 0; field < 4; ++field)
    for (std::size_t axis = 0; axis < 3; ++axis) {
      KernelSpec s = base;
      Triple* fields[] = {&s.size, &s.stride, &s.padding, &s.dilation};
      ++(*fields[field])[axis];
      all.emplace_back(s, Kind::forward);
    }
  const Tensor c =
      sites({{0, 0, 0, 0}, {0, 1, 1, 1}, {0, 2, 0, 1}, {0, 3, 1, 0}, {0, 4, 2, 2}, {0, 5, 1, 2}, {1, 0, 0, 0}});
  const auto edges = [](CoordinateManager& m, const CoordinateKey& key, const std::pair<KernelSpec, Kind>& a) {
    std::optional<CoordinateKey> target;
    if (a.second == Kind::target) target = key;
    const std::vector<Tensor> out = m.relation({key, target, a.first, a.second});
    std::vector<double> found;
    for (const std::size_t column : {0u, 1u, 2u})
      for (std::int32_t e = 0; e < out[3].read<std::int32_t>()[0]; ++e)
        found.push_back(out[column].read<std::int32_t>()[e]);
    return found;
  };
  const auto alone = [&](const std::pair<KernelSpec, Kind>& a) {
    CoordinateManager m;
    return edges(m, m.insert(c), a);
  };
  for (const bool on : {true, false})
    for (const auto& a : all)
      for (const auto& b : all) {
        CoordinateManager m;
        m.remember(on);
        const CoordinateKey key = m.insert(c);
        for (const auto& which : {a, b, a}) ASSERT_EQ(edges(m, key, which), alone(which));
      }
}

TEST(Cache, KeepsRelationsOfOneStrideApart) {
  for (const bool swap : {false, true}) {
    const SparseTensor x = line_tensor(8);
    KernelSpec a{.size = {2, 1, 1}, .stride = {2, 1, 1}}, b{.size = {3, 1, 1}, .stride = {2, 1, 1}};
    if (swap) std::swap(a, b);
    const SparseTensor first = conv3d(x, weight_of(a.size), {}, a), second = conv3d(x, weight_of(b.size), {}, b);
    EXPECT_EQ(x.manager()->counters().builds, 2);
    EXPECT_FALSE(first.same_coords(second));
    x.manager()->remember(false);
    EXPECT_EQ(features(second), features(conv3d(x, weight_of(b.size), {}, b)));
  }
}

TEST(Cache, ForgetsWhenAsked) {
  const SparseTensor x = line_tensor(6);
  const KernelSpec s{.size = {2, 1, 1}, .stride = {2, 1, 1}};
  const SparseTensor a = conv3d(x, weight_of(s.size), {}, s);
  CoordinateManager& m = *x.manager();
  EXPECT_EQ(m.relations(), 1u);
  m.clear();
  EXPECT_EQ(m.relations(), 0u);
  EXPECT_TRUE(m.owns(a.key())) << "what tensors hold stays";
  const SparseTensor b = conv3d(x, weight_of(s.size), {}, s);
  EXPECT_FALSE(a.same_coords(b));
  EXPECT_EQ(m.counters().builds, 2);
  m.forget(b.key());
  EXPECT_FALSE(m.owns(b.key()));
  EXPECT_EQ(m.relations(), 0u) << "no relation leads to what is gone";
  EXPECT_EQ(reason([&] { (void)b.with_features(b.feats()); }), Reason::query);
  EXPECT_EQ(reason([&] { m.forget(b.key()); }), Reason::query);
  EXPECT_NE(conv3d(x, weight_of(s.size), {}, s).key(), b.key()) << "numbers are not used twice";
}

TEST(Cache, GivesEachRelationOnce) {
  const SparseTensor x = line_tensor(3);
  CoordinateManager& m = *x.manager();
  const KernelSpec s{.size = {3, 1, 1}};
  int runs = 0;
  const Runner counted = [&](const Call& c) {
    ++runs;
    return run(c);
  };
  const std::vector<Tensor> first = m.relation({x.key(), {}, s, Kind::forward}, counted);
  EXPECT_THAT(values(first[0].view({7, 1}, {1, 1}), 7), ElementsAre(0, 1, 0, 1, 2, 1, 2));
  (void)m.relation({x.key(), {}, s, Kind::forward}, counted);
  EXPECT_EQ(runs, 1);
  (void)m.relation({x.key(), {}, s, Kind::submanifold}, counted);
  (void)m.relation({x.key(), x.key(), s, Kind::target}, counted);
  (void)m.relation({x.key(), {}, s, Kind::transposed}, counted);
  (void)m.relation({x.key(), {}, s, Kind::generative}, counted);
  EXPECT_EQ(runs, 5);
  EXPECT_EQ(reason([&] {
              (void)m.relation({x.key(), x.key(), s, Kind::target_transposed}, counted);
            }),
            Reason::unsupported);
  EXPECT_EQ(reason([&] {
              (void)m.relation({x.key(), {}, {.size = {0, 1, 1}}, Kind::forward}, counted);
            }),
            Reason::attribute);
  m.remember(false);
  (void)m.relation({x.key(), {}, s, Kind::forward}, counted);
  (void)m.relation({x.key(), {}, s, Kind::forward}, counted);
  EXPECT_EQ(runs, 7);
}

// The relation of the first call is of other coordinates: an error, not an answer.
TEST(Cache, NoticesCoordinatesThatWereChangedInPlace) {
  Tensor c = line(4);
  const SparseTensor x(c, whole({4, 3}, 1));
  const KernelSpec s{.size = {2, 1, 1}, .stride = {2, 1, 1}};
  conv3d(x, weight_of(s.size), {}, s);
  c.write<std::int32_t>()[4 * 3 + 1] = 77;
  EXPECT_EQ(reason([&] { conv3d(x, weight_of(s.size), {}, s); }), Reason::domain) << "a row more";
  x.manager()->clear();
  EXPECT_EQ(conv3d(x, weight_of(s.size), {}, s).active_count(), 3);
  c.write<std::int32_t>()[4 * 3 + 1] = 99;
  EXPECT_EQ(reason([&] { conv3d(x, weight_of(s.size), {}, s); }), Reason::domain)
      << "as many rows, one of them elsewhere";
}

}  // namespace
}  // namespace plumb::lattice
