// Identity of coordinates: what has it, and which results share it.
#include "conformance/tests/library/lattice.h"

#include <gmock/gmock.h>

#include "core/route.h"

namespace plumb::lattice {
namespace {

using ::testing::ElementsAre;

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
  EXPECT_THAT(ran, ElementsAre("linear"));
  ran.clear();
  conv3d(x, w, {}, one, {}, watch);
  EXPECT_THAT(ran, ElementsAre("pointwise_projection"));
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
  const KernelSpec changed[] = {{.size = {1, 1, 1}, .stride = {2, 1, 1}},
                                {.size = {1, 1, 1}, .padding = {1, 0, 0}},
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
  const SparseTensor x = line_tensor(6),
                     coarse(line(3), whole({3, 1}, 2), {.stride = {2, 1, 1}, .manager = x.manager()});
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
  EXPECT_EQ(features(conv_transpose3d(x, w, {}, s, fine)),
            features(generative_conv_transpose3d(x, w, {}, s.size, s.stride, fine)));
  EXPECT_EQ(reason([&] { conv_transpose3d(x, w, {}, s, x); }), Reason::attribute);
}

// An odd kernel upward and downward by one map: the target path of the specification's example.
TEST(Results, MatchTheWorkedExamples) {
  const auto column = [](const std::vector<double>& v) { return tensor(Dtype::f32, {std::ssize(v), 1}, v); };
  const auto kernel = [](const std::vector<double>& v) { return tensor(Dtype::f32, {std::ssize(v), 1, 1}, v); };
  const SparseTensor x(line(3), column({1, 2, 3}));
  EXPECT_THAT(features(conv3d(x, kernel({1, 2, 3}), {}, {.size = {3, 1, 1}})), ElementsAre(8, 14, 8));
  EXPECT_THAT(features(conv3d(x, kernel({1, 2, 3}), {}, {.size = {3, 1, 1}}, sites({{0, 1, 0, 0}, {0, 3, 0, 0}}))),
              ElementsAre(14, 3));
  const SparseTensor coarse(line(2), column({1, 2}), {.stride = {2, 1, 1}});
  const KernelSpec up{.size = {3, 1, 1}, .stride = {2, 1, 1}, .padding = {1, 0, 0}};
  EXPECT_THAT(features(conv_transpose3d(coarse, kernel({1, 10, 100}), {}, up)), ElementsAre(1, 10, 102, 20, 200));
  EXPECT_THAT(features(conv_transpose3d(coarse, kernel({1, 10, 100}), {}, up, sites({{0, 1, 0, 0}}))),
              ElementsAre(102));
  EXPECT_THAT(features(generative_conv_transpose3d(coarse, kernel({1, 10, 100}), {}, {3, 1, 1}, {2, 1, 1})),
              ElementsAre(1, 10, 100, 2, 20, 200));
}

TEST(Results, OfPoolingShareTheRelationOfAConvolution) {
  const SparseTensor x(sites({{0, 0, 0, 0}, {0, 1, 0, 0}, {0, 2, 0, 0}, {0, 5, 0, 0}}),
                       tensor(Dtype::f32, {4, 1}, {1, 2, 3, 4}), {.batch_counts = {{4}}});
  const KernelSpec s{.size = {2, 1, 1}, .stride = {2, 1, 1}};
  const SparseTensor sum = pool3d(Pool::sum, x, s), max = pool3d(Pool::max, x, s), avg = pool3d(Pool::avg, x, s);
  EXPECT_THAT(features(sum), ElementsAre(3, 3, 4));
  EXPECT_THAT(features(max), ElementsAre(2, 3, 4));
  EXPECT_THAT(features(avg), ElementsAre(1.5, 3, 4));
  EXPECT_TRUE(sum.same_coords(max) && max.same_coords(avg));
  EXPECT_TRUE(sum.same_coords(conv3d(x, whole({2, 1, 1}, 1), {}, s))) << "one relation, whoever sums over it";
  EXPECT_FALSE(sum.same_coords(pool3d(Pool::sum, x, {.size = {3, 1, 1}, .stride = {2, 1, 1}}))) << "another one";
  EXPECT_FALSE(sum.batch_counts().has_value());
  EXPECT_EQ(sum.stride(), (Triple{2, 1, 1}));
  EXPECT_TRUE(pool_transpose3d(sum, s, x).same_coords(x));
  EXPECT_THAT(features(pool_transpose3d(sum, s, x)), ElementsAre(3, 3, 3, 4));
  EXPECT_EQ(pool_transpose3d(sum, s).stride(), (Triple{1, 1, 1}));
  EXPECT_EQ(reason([&] { pool_transpose3d(x, s); }), Reason::attribute);
  EXPECT_EQ(reason([&] { pool_transpose3d(sum, s, sum); }), Reason::attribute);
}

TEST(Results, OfUpsamplingAreInterpolated) {
  const SparseTensor x(line(2), tensor(Dtype::f32, {2, 1}, {4, 8}), {.stride = {2, 2, 2}});
  const SparseTensor fine(sites({{0, -1, 0, 0}, {0, 0, 0, 0}, {0, 1, 0, 0}, {0, 9, 0, 0}}), whole({4, 1}, 1),
                          {.manager = x.manager()});
  const SparseTensor y = trilinear_upsample3d(x, {2, 2, 2}, fine);
  EXPECT_TRUE(y.same_coords(fine));
  EXPECT_THAT(features(y), ElementsAre(4, 4, 6, 0));
  const SparseTensor grown = trilinear_upsample3d(x, {2, 1, 1});
  EXPECT_THAT(features(grown), ElementsAre(4, 4, 6, 8, 8));
  EXPECT_EQ(grown.stride(), (Triple{1, 2, 2}));
  EXPECT_EQ(reason([&] { trilinear_upsample3d(x, {3, 1, 1}); }), Reason::attribute);
}

TEST(Results, OfGlobalPoolingAreByCountsOrByColumn) {
  const Tensor c = sites({{0, 0, 0, 0}, {2, 0, 0, 0}, {0, 1, 0, 0}, {1, 9, 9, 9}}),
               f = tensor(Dtype::f32, {4, 1}, {1, 2, 3, 100});
  const SparseTensor by_column(c, f, {.active_rows = count(3)}), by_counts(c, f, {.batch_counts = {{2, 2}}});
  EXPECT_THAT(values(global_pool(Pool::sum, by_column), 3), ElementsAre(4, 0, 2)) << "padding is passed over";
  EXPECT_THAT(values(global_pool(Pool::avg, by_column, 2), 2), ElementsAre(2, 0));
  EXPECT_THAT(values(global_pool(Pool::max, by_counts), 2), ElementsAre(2, 100));
  EXPECT_EQ(reason([&] { (void)global_pool(Pool::sum, by_counts, 3); }), Reason::attribute);
  EXPECT_EQ(reason([&] { (void)global_pool(Pool::max, by_column); }), Reason::domain) << "batch 1 is empty";
  EXPECT_TRUE(activation(by_column, "relu").same_coords(by_column));
}

// The storage of a weight selects the row, and nothing else.
TEST(Results, OfPackedWeightsHaveTheIdentityOfDenseOnes) {
  const Tensor dense = whole({27, 32, 4}, 3), point = whole({4, 32}, 4);
  const auto pack = [](const Tensor& w) {
    const std::vector<Tensor> p = run(make_call("quantize_weight", {w}, {{"bits", 8}, {"group_size", 32}}));
    return Weight(p[0], p[1], p[2], 8);
  };
  std::vector<std::string_view> ran;
  const Runner watch = [&](const Call& c) {
    ran.push_back(c.op->name);
    return run(c);
  };
  const SparseTensor x(line(6), whole({6, 32}, 1), {.stride = {2, 2, 2}});
  const Weight w = pack(dense);
  const KernelSpec three, one{.size = {1, 1, 1}};
  EXPECT_TRUE(subm_conv3d(x, w, {}, three.size, {1, 1, 1}, watch).same_coords(x));
  EXPECT_TRUE(conv3d(x, pack(point), {}, one, {}, watch).same_coords(x));
  const SparseTensor packed = conv3d(x, w, {}, three, {}, watch), plain = conv3d(x, dense, {}, three);
  EXPECT_TRUE(packed.same_coords(plain)) << "one relation";
  EXPECT_TRUE(conv3d(x, w, {}, three, x, watch).same_coords(x));
  conv_transpose3d(x, w, {}, {.size = {3, 3, 3}, .stride = {2, 2, 2}}, {}, watch);
  EXPECT_THAT(ran, ElementsAre("quantized_subm_conv3d", "quantized_linear", "quantized_conv3d", "quantized_conv3d",
                               "quantized_conv_transpose3d"));
  const SparseTensor fine(line(6), whole({6, 1}, 2), {.manager = x.manager()});
  EXPECT_EQ(reason([&] {
              conv_transpose3d(x, w, {}, {.size = {3, 3, 3}, .stride = {2, 2, 2}}, fine);
            }),
            Reason::unsupported);
}

TEST(Results, OfNormalisedWeightsAreDividedByWhatWasMet) {
  const SparseTensor x(line(3), tensor(Dtype::f32, {3, 1}, {1, 2, 3}), {.stride = {2, 1, 1}});
  const Tensor w = tensor(Dtype::f32, {3, 1, 1}, {1, 2, 3}), point = tensor(Dtype::f32, {1, 1, 1}, {5});
  const SparseTensor y = subm_conv3d(x, Weight::normalized(w), {}, {3, 1, 1});
  EXPECT_TRUE(y.same_coords(x));
  EXPECT_THAT(features(y), ElementsAre(::testing::DoubleNear(2.218801, 1e-6), ::testing::DoubleNear(3.741657, 1e-6),
                                       ::testing::DoubleNear(3.577709, 1e-6)));
  EXPECT_THAT(features(subm_conv3d(x, Weight::normalized(point), {}, {1, 1, 1})), ElementsAre(5, 10, 15))
      << "a product";
  const KernelSpec up{.size = {1, 1, 1}, .stride = {2, 1, 1}};
  EXPECT_THAT(features(conv_transpose3d(x, Weight::normalized(point), {}, up)), ElementsAre(1, 2, 3)) << "no product";
  EXPECT_EQ(reason([&] { conv3d(x, Weight::normalized(w), {}, {.size = {3, 1, 1}}); }), Reason::unsupported);
  EXPECT_EQ(reason([&] { subm_conv3d(x, Weight::normalized(w, 0), {}, {3, 1, 1}); }), Reason::attribute);
}

SparseTensor column(const std::vector<int>& xs, const std::vector<double>& values, const ManagerPtr& manager) {
  std::vector<std::array<int, 4>> rows;
  for (const int x : xs) rows.push_back({0, x, 0, 0});
  const Shape shape{std::ssize(values), 1};
  return {sites(rows), tensor(Dtype::f32, shape, values), {.manager = manager}};
}

TEST(Algebra, JoinsByCoordinate) {
  const auto m = std::make_shared<CoordinateManager>();
  const SparseTensor l = column({2, 0, 1}, {1, 2, 3}, m), r = column({1, 5, 2}, {10, 20, 30}, m);
  EXPECT_THAT(features(l + r), ElementsAre(31, 2, 13, 20));
  EXPECT_THAT(features(l - r), ElementsAre(-29, 2, -7, -20));
  EXPECT_THAT(features(l * r), ElementsAre(30, 30));
  EXPECT_THAT(features(sparse_binary("maximum", l, r, {.kind = Kind::left, .rhs_fill = 5})), ElementsAre(30, 5, 10));
  EXPECT_TRUE((l + r).same_coords(l - r)) << "one join of one pair is one set of coordinates";
  EXPECT_FALSE((l + r).same_coords(l * r));
  EXPECT_FALSE((l + r).same_coords(r + l));
  EXPECT_THAT(features(sparse_cat(l, r)), ElementsAre(1, 30, 3, 10));
  EXPECT_THAT(features(reindex(l, r, -7)), ElementsAre(3, -7, 1));
  EXPECT_TRUE(reindex(l, r).same_coords(r));
}

TEST(Algebra, OfOneIdentityIsRowByRow) {
  const auto m = std::make_shared<CoordinateManager>();
  const SparseTensor l = column({2, 0, 1}, {1, 2, 3}, m), r = l.with_features(tensor(Dtype::f32, {3, 1}, {10, 20, 30}));
  std::vector<std::string_view> ran;
  const Runner watch = [&](const Call& c) {
    ran.push_back(c.op->name);
    return run(c);
  };
  const SparseTensor sum = sparse_binary("add", l, r, {.kind = Kind::inner, .lhs_fill = 99}, watch);
  EXPECT_THAT(features(sum), ElementsAre(11, 22, 33));
  EXPECT_THAT(ran, ElementsAre("add")) << "no coordinate is looked at";
  EXPECT_TRUE(sum.same_coords(l));
  for (const Kind kind : {Kind::inner, Kind::left, Kind::right, Kind::outer}) {
    const SparseTensor product = sparse_binary("mul", l, r, {.kind = kind, .lhs_fill = 99, .rhs_fill = 99});
    EXPECT_THAT(features(product), ElementsAre(10, 40, 90)) << "join and fills play no part";
    EXPECT_TRUE(product.same_coords(l));
    EXPECT_TRUE(sparse_cat(l, r, kind).same_coords(l));
  }
  EXPECT_THAT(features(sparse_cat(l, r)), ElementsAre(1, 10, 2, 20, 3, 30));
  EXPECT_THAT(features(reindex(r, l)), ElementsAre(10, 20, 30));
  const SparseTensor equal = column({2, 0, 1}, {10, 20, 30}, m);
  EXPECT_EQ((l + equal).capacity(), 6) << "equal values of another identity are joined";
}

TEST(Algebra, RefusesWhatDoesNotFit) {
  const auto m = std::make_shared<CoordinateManager>();
  const SparseTensor l = column({2, 0, 1}, {1, 2, 3}, m), r = column({1, 5}, {10, 20}, m);
  EXPECT_EQ(reason([&] { (void)(l + r.with_stride({2, 2, 2})); }), Reason::attribute);
  EXPECT_EQ(reason([&] { (void)reindex(l, r.with_stride({2, 2, 2})); }), Reason::attribute);
  EXPECT_EQ(reason([&] { (void)(l + r.with_features(whole({2, 2}, 1))); }), Reason::shape);
  EXPECT_EQ(reason([&] { (void)(l + l.with_features(whole({3, 2}, 1))); }), Reason::shape);
  EXPECT_EQ(reason([&] { (void)sparse_binary("div", l, r); }), Reason::attribute);
  EXPECT_EQ(reason([&] { (void)sparse_cat(l, r, Kind::target); }), Reason::attribute);
  EXPECT_EQ(reason([&] { linear(l, whole({2, 1, 1}, 1), {}); }), Reason::rank);
  const SparseTensor far = column({1, 9}, {10, 20}, std::make_shared<CoordinateManager>());
  EXPECT_EQ((l + far).manager(), m) << "the result is the left one's";
}

// Nothing that a call was given is written.
TEST(Inputs, AreLeftAsTheyWere) {
  const Tensor c = line(6), f = whole({6, 3}, 1), a = count(5), bias = whole({2}, 3),
               t = sites({{0, 1, 0, 0}, {0, 2, 0, 0}});
  const auto bytes = [](const Tensor& x) {
    return std::string(reinterpret_cast<const char*>(x.read<std::byte>()), x.storage().bytes());
  };
  const KernelSpec one{.size = {1, 1, 1}}, down{.size = {3, 1, 1}, .stride = {2, 1, 1}},
      up{.size = {2, 1, 1}, .stride = {2, 1, 1}};
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
