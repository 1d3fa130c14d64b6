// Identity of coordinates: which results share it, what the cache of relations may change, and what it may not.
#include "core/lattice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/fill.h"
#include "core/route.h"

namespace plumb::lattice {
namespace {

using ::testing::ElementsAre;

Tensor sites(const std::vector<std::array<int, 4>>& rows, Dtype t = Dtype::i32) {
  std::vector<double> values;
  for (const auto& r : rows) values.insert(values.end(), r.begin(), r.end());
  return tensor(t, {std::ssize(rows), 4}, values);
}
Tensor line(int n) {
  std::vector<std::array<int, 4>> rows;
  for (int x = 0; x < n; ++x) rows.push_back({0, x, 0, 0});
  return sites(rows);
}
Tensor count(int n) { return tensor(Dtype::i32, {1}, {static_cast<double>(n)}); }
Tensor whole(Shape s, std::uint64_t key) { return fill({Dtype::f32, std::move(s)}, "int-5", key); }

SparseTensor line_tensor(int n, Triple stride = {1, 1, 1}) { return {line(n), whole({n, 3}, 1), {.stride = stride}}; }
Tensor weight_of(const Triple& size, std::uint64_t key = 7) { return whole({size[0] * size[1] * size[2], 3, 2}, key); }

std::vector<double> values(const Tensor& t, std::int64_t rows) {
  const Tensor d = contiguous(t);
  const auto n = static_cast<std::size_t>(rows * d.dim(1));
  return d.dtype() == Dtype::f32 ? std::vector<double>(d.read<float>(), d.read<float>() + n)
                                 : std::vector<double>(d.read<std::int32_t>(), d.read<std::int32_t>() + n);
}
std::vector<double> features(const SparseTensor& x) { return values(x.feats(), x.active_count()); }
std::vector<double> places(const SparseTensor& x) { return values(x.coords(), x.active_count()); }

Reason reason(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.reason();
  }
  ADD_FAILURE() << "accepted";
  return Reason::query;
}
Reason refused(Tensor coords, Tensor feats, Metadata m = {}) {
  return reason([&] { SparseTensor(coords, feats, m); });
}

TEST(SparseTensors, RefuseWhatCannotBe) {
  const Tensor c = line(4), f = whole({4, 3}, 1);
  EXPECT_EQ(refused(whole({4, 4}, 1), f), Reason::dtype);
  EXPECT_EQ(refused(tensor(Dtype::i32, {4}, {0, 0, 0, 0}), f), Reason::rank);
  EXPECT_EQ(refused(tensor(Dtype::i32, {1, 3}, {0, 0, 0}), f), Reason::shape);
  EXPECT_EQ(refused({}, f), Reason::arity);
  EXPECT_EQ(refused(c, {}), Reason::arity);
  EXPECT_EQ(refused(c, whole({4, 3, 1}, 1)), Reason::rank);
  EXPECT_EQ(refused(c, whole({5, 3}, 1)), Reason::shape);
  EXPECT_EQ(refused(c, f, {.batch_counts = {{5, -1}}}), Reason::attribute);
  EXPECT_EQ(refused(c, f, {.batch_counts = {{2, 1}}}), Reason::shape);
  EXPECT_EQ(refused(c, f, {.active_rows = tensor(Dtype::i64, {1}, {4})}), Reason::dtype);
  EXPECT_EQ(refused(c, f, {.active_rows = tensor(Dtype::i32, {2}, {4, 4})}), Reason::shape);
  EXPECT_EQ(reason([&] { (void)SparseTensor(c, f, {.active_rows = count(-1)}).active_count(); }), Reason::domain);
}

TEST(SparseTensors, RefuseAKeyThatIsNotTheirs) {
  const Tensor c = line(4), f = whole({4, 3}, 1);
  const auto mine = std::make_shared<CoordinateManager>(), other = std::make_shared<CoordinateManager>();
  const CoordinateKey key = mine->insert(c);
  EXPECT_EQ(refused(c, f, {.key = key}), Reason::query) << "no manager";
  EXPECT_EQ(refused(c, f, {.manager = other, .key = key}), Reason::query) << "another manager's";
  EXPECT_EQ(refused(c, f, {.stride = {2, 2, 2}, .manager = mine, .key = key}), Reason::attribute) << "another stride";
  EXPECT_EQ(refused(line(4), f, {.manager = mine, .key = key}), Reason::query) << "equal values in another array";
  EXPECT_EQ(refused(c, f, {.manager = mine, .key = key, .active_rows = count(4)}), Reason::query) << "another count";
  EXPECT_EQ(SparseTensor(c, f, {.manager = mine, .key = key}).key(), key);
}

TEST(SparseTensors, ReadTheirActiveRows) {
  const Tensor c = sites({{0, 5, 0, 0}, {2, 1, 0, 0}, {0, 6, 0, 0}, {2, 2, 0, 0}, {1, 9, 9, 9}}), f = whole({5, 2}, 1);
  const SparseTensor x(c, f, {.active_rows = count(4)});
  EXPECT_EQ(x.active_count(), 4);
  EXPECT_EQ(x.capacity(), 5);
  EXPECT_THAT(x.batch_rows(), ElementsAre(ElementsAre(0, 2), ElementsAre(), ElementsAre(1, 3)));
  EXPECT_EQ(SparseTensor(c, f, {.active_rows = count(99)}).active_count(), 5) << "a count above N means N";
  EXPECT_TRUE(SparseTensor(c, f, {.active_rows = count(0)}).batch_rows().empty());
  EXPECT_EQ(SparseTensor(c, f, {.batch_counts = {{2, 1, 1, 1}}}).batch_rows().size(), 4u) << "as many as are declared";
}

TEST(Identity, IsThatOfTheArrayNotOfItsValues) {
  CoordinateManager m;
  const Tensor c = line(4), a = count(4);
  EXPECT_EQ(m.insert(c), m.insert(c));
  EXPECT_NE(m.insert(c), m.insert(line(4)));
  EXPECT_NE(m.insert(c), m.insert(c, {2, 2, 2}));
  EXPECT_NE(m.insert(c), m.insert(c, {1, 1, 1}, a)) << "with and without a count";
  EXPECT_EQ(m.insert(c, {1, 1, 1}, a), m.insert(c, {1, 1, 1}, a));
  EXPECT_NE(m.insert(c, {1, 1, 1}, a), m.insert(c, {1, 1, 1}, count(4)));
  EXPECT_NE(m.insert(c), m.insert(c.view({2, 4}, {4, 1}))) << "other rows of one storage";
  EXPECT_NE(m.insert(c.view({2, 4}, {4, 1})), m.insert(c.view({2, 4}, {4, 1}, 8)));
  EXPECT_NE(m.insert(c.view({2, 4}, {4, 1})), m.insert(c.view({2, 4}, {8, 1})));
}

TEST(Identity, OfAManagerIsUnknownToAnother) {
  CoordinateManager m, n;
  const CoordinateKey key = m.insert(line(3));
  EXPECT_TRUE(m.owns(key));
  EXPECT_FALSE(n.owns(key));
  n.insert(line(3));
  EXPECT_FALSE(n.owns(key)) << "the same number there";
  EXPECT_EQ(reason([&] { (void)n.coords(key); }), Reason::query);
  EXPECT_EQ(reason([&] { (void)n.active_rows(key); }), Reason::query);
  CoordinateKey strange = key;
  strange.stride = {2, 1, 1};
  EXPECT_FALSE(m.owns(strange));
}

TEST(Identity, SurvivesWhatChangesFeaturesOnly) {
  const SparseTensor x(line(4), whole({4, 3}, 1), {.batch_counts = {{4}}, .active_rows = count(3)});
  for (const SparseTensor& y : {x.with_features(whole({4, 9}, 2)), x.astype(Dtype::f16), x.with_stride({1, 1, 1})}) {
    EXPECT_TRUE(y.same_coords(x));
    EXPECT_EQ(y.active_count(), 3);
    EXPECT_TRUE(y.batch_counts().has_value());
  }
  EXPECT_EQ(x.astype(Dtype::f16).feats().dtype(), Dtype::f16);
}

TEST(Identity, IsNewForANewStrideOrNewCoordinates) {
  const SparseTensor x(line(4), whole({4, 3}, 1), {.batch_counts = {{4}}, .active_rows = count(3)});
  const SparseTensor strided = x.with_stride({2, 2, 2}), moved = x.with_coords(line(4));
  EXPECT_FALSE(strided.same_coords(x));
  EXPECT_FALSE(moved.same_coords(x));
  EXPECT_FALSE(strided.batch_counts() || moved.batch_counts());
  EXPECT_EQ(strided.active_count(), 3) << "padding is not woken by another stride";
  EXPECT_EQ(moved.active_count(), 4) << "new coordinates have counts of their own";
  EXPECT_EQ(strided.manager(), x.manager());
}

TEST(Identity, IsBorrowedOnlyByWhoHasIt) {
  const SparseTensor x(line(4), whole({4, 3}, 1), {.batch_counts = {{4}}});
  const SparseTensor bare(x.coords(), whole({4, 1}, 2), {.manager = x.manager()});
  EXPECT_TRUE(bare.same_coords(x)) << "one array, one stride, one manager";
  EXPECT_TRUE(bare.reuse_coords_from(x).batch_counts().has_value());
  EXPECT_EQ(reason([&] { bare.reuse_coords_from(line_tensor(4)); }), Reason::query) << "equal values are not identity";
}

// Which identity, stride and activity each operation gives its result.
TEST(Results, OfASubmanifoldConvolutionKeepIdentity) {
  const SparseTensor x(line(5), whole({5, 3}, 1), {.batch_counts = {{5}}, .active_rows = count(4)});
  const SparseTensor y = subm_conv3d(x, weight_of({3, 1, 1}), {}, {3, 1, 1});
  EXPECT_TRUE(y.same_coords(x));
  EXPECT_TRUE(y.batch_counts().has_value());
  EXPECT_EQ(y.active_count(), 4);
  EXPECT_EQ(reason([&] { subm_conv3d(x, weight_of({2, 1, 1}), {}, {2, 1, 1}); }), Reason::attribute) << "no centre";
}

TEST(Results, OfAPointwiseConvolutionKeepIdentityAndAreAProduct) {
  const SparseTensor x(line(5), whole({5, 3}, 1), {.batch_counts = {{5}}});
  const Tensor w = whole({2, 3}, 4), bias = whole({2}, 5);
  const KernelSpec one{.size = {1, 1, 1}};
  const Tensor as_rows = w.view({1, 3, 2}, {0, 1, 3}), as_dense = w.view({2, 1, 1, 1, 3}, {3, 3, 3, 3, 1});
  std::vector<std::string_view> ran;
  const Runner watch = [&](const Call& c) {
    ran.push_back(c.op->name);
    return run(c);
  };
  const SparseTensor y = conv3d(x, w, bias, one, {}, watch);
  EXPECT_THAT(ran, ElementsAre("matmul", "add"));
  EXPECT_TRUE(y.same_coords(x));
  EXPECT_TRUE(y.batch_counts().has_value());
  EXPECT_EQ(features(y), features(conv3d(x, as_rows, bias, one)));
  EXPECT_EQ(features(y), features(conv3d(x, as_dense, bias, one)));
  EXPECT_EQ(features(y), features(subm_conv3d(x, w, bias, {1, 1, 1})));
  EXPECT_EQ(features(y), features(conv3d(x, w, bias, one, x))) << "the relation of one kernel row gives the same";
}

// The shortcut needs every one of its conditions: without one, a product over rows is wrong.
TEST(Results, OfAKernelOfOneAreAProductOnlyIfNothingElseIsAskedOfIt) {
  const SparseTensor x = line_tensor(5);
  const Tensor w = whole({1, 3, 2}, 4);
  const KernelSpec changed[] = {{.size = {1, 1, 1}, .stride = {2, 1, 1}}, {.size = {1, 1, 1}, .padding = {1, 0, 0}},
                                {.size = {1, 1, 1}, .dilation = {2, 1, 1}}};
  for (const KernelSpec& s : changed) {
    EXPECT_FALSE(s.is_pointwise());
    std::vector<std::string_view> ran;
    conv3d(x, w, {}, s, {}, [&](const Call& c) {
      ran.push_back(c.op->name);
      return run(c);
    });
    EXPECT_THAT(ran, ElementsAre("conv3d"));
  }
  EXPECT_EQ(reason([&] { conv3d(x, whole({2, 3}, 4), {}, {.size = {1, 1, 1}, .stride = {2, 1, 1}}); }), Reason::rank);
}

TEST(Results, OfAStridedConvolutionHaveANewIdentity) {
  const SparseTensor x(line(5), whole({5, 3}, 1), {.stride = {1, 2, 1}, .batch_counts = {{5}}});
  const KernelSpec s{.size = {2, 2, 2}, .stride = {2, 2, 2}};
  const SparseTensor y = conv3d(x, weight_of(s.size), {}, s);
  EXPECT_FALSE(y.same_coords(x));
  EXPECT_EQ(y.manager(), x.manager());
  EXPECT_EQ(y.stride(), (Triple{2, 4, 2}));
  EXPECT_EQ(y.capacity(), 5);
  EXPECT_EQ(y.active_count(), 3);
  EXPECT_FALSE(y.batch_counts().has_value());
  const SparseTensor same = conv3d(x, weight_of({3, 3, 3}), {}, {});
  EXPECT_FALSE(same.same_coords(x)) << "the input's sites, but made anew: only subm and pointwise keep identity";
  EXPECT_EQ(places(same), places(x));
}

TEST(Results, OfTwoCallsWithOneRelationShareItsIdentity) {
  const SparseTensor x = line_tensor(6);
  const KernelSpec s{.size = {2, 1, 1}, .stride = {2, 1, 1}};
  const SparseTensor a = conv3d(x, weight_of(s.size, 1), {}, s), b = conv3d(x, weight_of(s.size, 2), {}, s);
  EXPECT_TRUE(a.same_coords(b));
  EXPECT_EQ(x.manager()->counters().builds, 1);
  EXPECT_EQ(x.manager()->counters().hits, 1);
  const std::size_t sets = x.manager()->sets();
  for (std::uint64_t i = 0; i < 10; ++i) conv3d(x, weight_of(s.size, i), {}, s);
  EXPECT_EQ(x.manager()->sets(), sets) << "repeated calls do not make the manager grow";
  x.manager()->remember(false);
  EXPECT_FALSE(conv3d(x, weight_of(s.size), {}, s).same_coords(conv3d(x, weight_of(s.size), {}, s)));
}

TEST(Results, AtATargetKeepTheTargetsIdentity) {
  const SparseTensor x = line_tensor(6);
  const KernelSpec s{.size = {3, 1, 1}};
  const SparseTensor t(sites({{0, 1, 0, 0}, {0, 3, 0, 0}, {0, 9, 0, 0}}), whole({3, 1}, 2),
                       {.manager = x.manager(), .batch_counts = {{3}}, .active_rows = count(2)});
  const SparseTensor y = conv3d(x, weight_of(s.size), {}, s, t);
  EXPECT_TRUE(y.same_coords(t));
  EXPECT_EQ(y.active_count(), 2);
  EXPECT_FALSE(y.batch_counts().has_value());
  EXPECT_TRUE(conv3d(x, weight_of(s.size), {}, s, t.key()).same_coords(t));
  const SparseTensor raw = conv3d(x, weight_of(s.size), {}, s, t.coords());
  EXPECT_FALSE(raw.same_coords(t)) << "an array alone has all of its rows active";
  EXPECT_EQ(raw.active_count(), 3);
  const SparseTensor own = conv3d(x, weight_of(s.size), {}, s, x);
  EXPECT_TRUE(own.same_coords(x));
  EXPECT_EQ(features(own), features(subm_conv3d(x, weight_of(s.size), {}, s.size)));
}

TEST(Results, AtATargetOfAnotherManagerBelongToTheInputs) {
  const SparseTensor x = line_tensor(6), t = line_tensor(3);
  const SparseTensor y = conv3d(x, weight_of({3, 1, 1}), {}, {.size = {3, 1, 1}}, t);
  EXPECT_EQ(y.manager(), x.manager());
  EXPECT_FALSE(y.same_coords(t));
  EXPECT_EQ(&y.coords().storage(), &t.coords().storage());
}

TEST(Results, RefuseATargetOfAnotherStrideOrManager) {
  const SparseTensor x = line_tensor(6), coarse(line(3), whole({3, 1}, 2), {.stride = {2, 1, 1}, .manager = x.manager()});
  const KernelSpec same{.size = {3, 1, 1}}, down{.size = {3, 1, 1}, .stride = {2, 1, 1}};
  const Tensor w = weight_of({3, 1, 1});
  EXPECT_EQ(reason([&] { conv3d(x, w, {}, same, coarse); }), Reason::attribute);
  EXPECT_EQ(reason([&] { conv3d(x, w, {}, same, coarse.key()); }), Reason::attribute);
  EXPECT_EQ(reason([&] { conv3d(x, w, {}, down, x); }), Reason::attribute);
  EXPECT_EQ(reason([&] { conv3d(x, w, {}, same, line_tensor(3).key()); }), Reason::query);
  EXPECT_EQ(reason([&] { conv3d(x, w, {}, same, sites({{0, 1, 0, 0}}, Dtype::i64)); }), Reason::dtype);
  EXPECT_TRUE(conv3d(x, w, {}, down, coarse).same_coords(coarse));
}

TEST(Results, OfATransposedConvolutionDivideTheStride) {
  const SparseTensor x = line_tensor(3, {2, 2, 2}), odd = line_tensor(3, {3, 2, 2});
  const KernelSpec s{.size = {2, 2, 2}, .stride = {2, 2, 2}};
  const Tensor w = weight_of(s.size);
  const SparseTensor y = conv_transpose3d(x, w, {}, s);
  EXPECT_EQ(y.stride(), (Triple{1, 1, 1}));
  EXPECT_EQ(y.capacity(), 3 * 8);
  EXPECT_EQ(y.active_count(), 24);
  EXPECT_EQ(reason([&] { conv_transpose3d(odd, w, {}, s); }), Reason::attribute);
  EXPECT_EQ(reason([&] { generative_conv_transpose3d(odd, w, {}, s.size, s.stride); }), Reason::attribute);
  EXPECT_EQ(reason([&] { conv_transpose3d(line_tensor(3), w, {}, s); }), Reason::attribute);
  const SparseTensor g = generative_conv_transpose3d(x, w, {}, s.size, s.stride);
  EXPECT_EQ(features(g), features(y)) << "direct: no two inputs reach one output";
  EXPECT_FALSE(g.same_coords(y)) << "another kind of relation";
  const SparseTensor fine(line(6), whole({6, 1}, 3), {.manager = x.manager()});
  EXPECT_TRUE(conv_transpose3d(x, w, {}, s, fine).same_coords(fine));
  EXPECT_EQ(features(conv_transpose3d(x, w, {}, s, fine)), features(generative_conv_transpose3d(x, w, {}, s.size, s.stride, fine)));
  EXPECT_EQ(reason([&] { conv_transpose3d(x, w, {}, s, x); }), Reason::attribute);
}

// An odd kernel upward and downward by one map: the target path of the specification's example.
TEST(Results, MatchTheWorkedExamples) {
  const auto column = [](std::vector<double> v) { return tensor(Dtype::f32, {std::ssize(v), 1}, v); };
  const auto kernel = [](std::vector<double> v) { return tensor(Dtype::f32, {std::ssize(v), 1, 1}, v); };
  const SparseTensor x(line(3), column({1, 2, 3}));
  EXPECT_THAT(features(conv3d(x, kernel({1, 2, 3}), {}, {.size = {3, 1, 1}})), ElementsAre(8, 14, 8));
  EXPECT_THAT(features(conv3d(x, kernel({1, 2, 3}), {}, {.size = {3, 1, 1}}, sites({{0, 1, 0, 0}, {0, 3, 0, 0}}))), ElementsAre(14, 3));
  const SparseTensor coarse(line(2), column({1, 2}), {.stride = {2, 1, 1}});
  const KernelSpec up{.size = {3, 1, 1}, .stride = {2, 1, 1}, .padding = {1, 0, 0}};
  EXPECT_THAT(features(conv_transpose3d(coarse, kernel({1, 10, 100}), {}, up)), ElementsAre(1, 10, 102, 20, 200));
  EXPECT_THAT(features(conv_transpose3d(coarse, kernel({1, 10, 100}), {}, up, sites({{0, 1, 0, 0}}))), ElementsAre(102));
  EXPECT_THAT(features(generative_conv_transpose3d(coarse, kernel({1, 10, 100}), {}, {3, 1, 1}, {2, 1, 1})),
              ElementsAre(1, 10, 100, 2, 20, 200));
}

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
          {"shape of the same volume", conv(with([](KernelSpec& s) { s.size = {1, 3, 1}; }))},
          {"stride", conv(with([](KernelSpec& s) { s.stride[0] = 3; }))},
          {"no stride", conv(with([](KernelSpec& s) { s.stride[0] = 1; }))},
          {"padding", conv(with([](KernelSpec& s) { s.padding[0] = 1; }))},
          {"dilation", conv(with([](KernelSpec& s) { s.dilation[0] = 2; }))},
          {"kind: transposed", up(base)},
          {"kind: generative", [=](const SparseTensor& x) {
             return generative_conv_transpose3d(x, weight_of(base.size), {}, base.size, base.stride);
           }},
          {"kind: target", [=](const SparseTensor& x) {
             return conv3d(x, weight_of(base.size), {}, base, line(3));
           }},
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
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_NE(alone[0], alone[i]) << all[i].what << " makes no difference: a poor test";
  for (const bool on : {true, false})
    for (std::size_t a = 0; a < all.size(); ++a)
      for (std::size_t b = 0; b < all.size(); ++b) {
        const SparseTensor x = line_tensor(7, {6, 6, 6});
        x.manager()->remember(on);
        for (const std::size_t i : {a, b, a}) EXPECT_EQ(result(all[i], x), alone[i]) << all[a].what << " / " << all[b].what;
      }
}

// The same for edges, which depend on every attribute, also where output coordinates do not.
TEST(Cache, NeverChangesARelation) {
  const KernelSpec base{.size = {3, 1, 1}, .stride = {2, 1, 1}};
  std::vector<std::pair<KernelSpec, Kind>> all{{base, Kind::forward}, {base, Kind::transposed}, {base, Kind::generative}, {base, Kind::target}};
  for (std::size_t field = 0; field < 4; ++field)
    for (std::size_t axis = 0; axis < 3; ++axis) {
      KernelSpec s = base;
      Triple* fields[] = {&s.size, &s.stride, &s.padding, &s.dilation};
      ++(*fields[field])[axis];
      all.emplace_back(s, Kind::forward);
    }
  const Tensor c = sites({{0, 0, 0, 0}, {0, 1, 1, 1}, {0, 2, 0, 1}, {0, 3, 1, 0}, {0, 4, 2, 2}, {0, 5, 1, 2}, {1, 0, 0, 0}});
  const auto edges = [](CoordinateManager& m, const CoordinateKey& key, const std::pair<KernelSpec, Kind>& a) {
    std::optional<CoordinateKey> target;
    if (a.second == Kind::target) target = key;
    const std::vector<Tensor> out = m.relation({key, target, a.first, a.second});
    std::vector<double> found;
    for (const std::size_t column : {0u, 1u, 2u})
      for (std::int32_t e = 0; e < out[3].read<std::int32_t>()[0]; ++e) found.push_back(out[column].read<std::int32_t>()[e]);
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
  EXPECT_EQ(reason([&] { (void)m.relation({x.key(), x.key(), s, Kind::target_transposed}, counted); }), Reason::unsupported);
  EXPECT_EQ(reason([&] { (void)m.relation({x.key(), {}, {.size = {0, 1, 1}}, Kind::forward}, counted); }), Reason::attribute);
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
  EXPECT_EQ(reason([&] { conv3d(x, weight_of(s.size), {}, s); }), Reason::domain);
  x.manager()->clear();
  EXPECT_EQ(conv3d(x, weight_of(s.size), {}, s).active_count(), 3);
}

// Nothing that a call was given is written.
TEST(Inputs, AreLeftAsTheyWere) {
  const Tensor c = line(6), f = whole({6, 3}, 1), a = count(5), bias = whole({2}, 3), t = sites({{0, 1, 0, 0}, {0, 2, 0, 0}});
  const auto bytes = [](const Tensor& x) {
    return std::string(reinterpret_cast<const char*>(x.read<std::byte>()), x.storage().bytes());
  };
  const KernelSpec one{.size = {1, 1, 1}}, down{.size = {3, 1, 1}, .stride = {2, 1, 1}}, up{.size = {2, 1, 1}, .stride = {2, 1, 1}};
  const Tensor w1 = whole({2, 3}, 4), w3 = weight_of({3, 1, 1}), w2 = weight_of({2, 1, 1});
  const std::vector<Tensor> all{c, f, a, bias, t, w1, w2, w3};
  std::vector<std::string> before;
  for (const Tensor& x : all) before.push_back(bytes(x));
  for (const char* route : {"", "reference"}) {
    const Runner r = *route ? on_route(route) : Runner(naturally);
    const SparseTensor x(c, f, {.stride = {2, 1, 1}, .active_rows = a});
    conv3d(x, w1, bias, one, {}, r);
    subm_conv3d(x, w3, bias, {3, 1, 1}, {1, 1, 1}, r);
    conv3d(x, w3, bias, down, {}, r);
    conv3d(x, w3, bias, {.size = {3, 1, 1}}, t, r);
    conv_transpose3d(x, w2, bias, up, {}, r);
    conv_transpose3d(x, w2, bias, up, t, r);
    generative_conv_transpose3d(x, w2, bias, up.size, up.stride, {}, r);
  }
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(bytes(all[i]), before[i]) << i;
}

TEST(Specs, SayWhichShortcutsHold) {
  EXPECT_TRUE((KernelSpec{.size = {1, 1, 1}}.is_pointwise()));
  EXPECT_FALSE((KernelSpec{.size = {1, 1, 3}}.is_pointwise()));
  EXPECT_TRUE((KernelSpec{.size = {3, 1, 5}, .dilation = {2, 2, 2}}.is_centered_submanifold()));
  EXPECT_FALSE((KernelSpec{.size = {2, 1, 1}}.is_centered_submanifold()));
  EXPECT_FALSE((KernelSpec{.padding = {1, 1, 1}}.is_centered_submanifold()));
  EXPECT_FALSE((KernelSpec{.stride = {1, 1, 2}}.is_centered_submanifold()));
}

}  // namespace
}  // namespace plumb::lattice
