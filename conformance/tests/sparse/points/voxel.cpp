// What must hold between the voxel operations, on every route: gradients are adjoints, a translation by whole voxels
// moves the voxels and nothing else, interpolation at the voxels' own sites is the identity, results stay as they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cli/families.h"
#include "core/fill.h"
#include "core/route.h"

namespace plumb {
namespace {

constexpr std::int64_t kPoints = 5000, kVoxels = 1331, kChannels = 5;

struct Points {
  Tensor points = fill({Dtype::f32, {kPoints, 3}}, "borders-0.25", 1);
  Tensor batch = fill({Dtype::i32, {kPoints}}, "int-1", 2);
  Tensor active = tensor(Dtype::i32, {1}, {kPoints - 5});
};

template <class T>
std::vector<T> values(const Tensor& t) {
  const Tensor dense = contiguous(t);
  return {dense.read<T>(), dense.read<T>() + dense.size()};
}

double dot(const Tensor& a, const Tensor& b) {
  const std::vector<float> x = values<float>(a), y = values<float>(b);
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0, std::plus<>(),
                            [](float p, float q) { return static_cast<double>(p) * static_cast<double>(q); });
}

// Calls f(a route of the first op, the same route of the second) for every route that can run here.
template <class F>
void for_each_route(std::string_view op, std::string_view other, F&& f) {
  install_families();
  const auto here = routes(find_op(op)), there = routes(find_op(other));
  for (std::size_t i = 0; i < here.size(); ++i)
    if (current_device().tier >= here[i].needs) f(here[i], there[i]);
}

TEST(Voxel, TheGradientOfVoxelizeIsItsAdjoint) {
  for_each_route("voxelize", "voxelize_vjp", [](const Route& forward, const Route& backward) {
    const Points p;
    const Tensor f = fill({Dtype::f32, {kPoints, kChannels}}, "int-9", 3), G = fill(f.spec(), "int-9", 4);
    const Attrs sum{{"voxel_size", 0.5}, {"reduction", "sum"}};
    const Call call = make_call("voxelize", {p.points, p.batch, p.active, f}, sum);
    const Tensor F = active(call, run(call, forward))[1], part = G.view(F.shape(), G.strides());
    const Tensor g = run(make_call("voxelize_vjp", {p.points, p.batch, p.active, f, G}, sum), backward)[0];
    EXPECT_EQ(dot(F, part), dot(f, g)) << forward.name;
  });
}

TEST(Voxel, TheGradientOfInterpolationIsItsAdjoint) {
  for_each_route(
      "interpolate_point_features", "interpolate_point_features_vjp", [](const Route& forward, const Route& backward) {
        const Tensor V = fill({Dtype::f32, {kVoxels, kChannels}}, "int-9", 1),
                     G = fill({Dtype::f32, {kPoints, kChannels}}, "int-9", 2);
        const Tensor rows = fill({Dtype::i32, {kPoints, 8}}, "int-1400", 3),
                     weights = fill({Dtype::f32, {kPoints, 8}}, "int-3", 4);
        const Tensor out = run(make_call("interpolate_point_features", {V, rows, weights}), forward)[0];
        const Tensor g = run(make_call("interpolate_point_features_vjp", {V, rows, weights, G}), backward)[0];
        EXPECT_EQ(dot(out, G), dot(V, g)) << forward.name;
      });
}

TEST(Voxel, ATranslationByWholeVoxelsMovesTheVoxelsOnly) {
  for_each_route("sparse_quantize", "sparse_quantize", [](const Route& route, const Route&) {
    const Points p;
    const Tensor moved = tensor(Dtype::f32, {kPoints, 3}, [&] {
      std::vector<double> x;
      for (const float v : values<float>(fill({Dtype::f32, {kPoints, 3}}, "int-40", 1))) x.push_back(v / 8.0);
      return x;
    }());
    const Tensor still = tensor(Dtype::f32, {kPoints, 3}, [&] {
      std::vector<double> x;
      for (const float v : values<float>(moved)) x.push_back(v - 3.0);
      return x;
    }());
    const Call a = make_call("sparse_quantize", {moved, p.batch, p.active}, {{"voxel_size", 0.5}});
    const Call b = make_call("sparse_quantize", {still, p.batch, p.active}, {{"voxel_size", 0.5}});
    const std::vector<Tensor> x = active(a, run(a, route)), y = active(b, run(b, route));
    EXPECT_EQ(values<std::int32_t>(x[2]), values<std::int32_t>(y[2])) << route.name;
    EXPECT_EQ(values<std::int32_t>(x[3]), values<std::int32_t>(y[3])) << route.name;
    std::vector<std::int32_t> shifted = values<std::int32_t>(y[0]);
    for (std::size_t i = 0; i < shifted.size(); ++i) shifted[i] += i % 4 == 0 ? 0 : 6;
    EXPECT_EQ(values<std::int32_t>(x[0]), shifted) << route.name;
  });
}

TEST(Voxel, InterpolationAtTheVoxelsIsTheIdentity) {
  for_each_route("devoxelize", "devoxelize", [](const Route& route, const Route&) {
    const Tensor sites = fill({Dtype::i32, {kVoxels, 4}}, "sites_block", 1);
    std::vector<double> points, batch;
    const std::vector<std::int32_t> s = values<std::int32_t>(sites);
    for (std::size_t i = 0; i < s.size(); ++i) (i % 4 == 0 ? batch : points).push_back(s[i]);
    const Tensor V = fill({Dtype::f32, {kVoxels, kChannels}}, "uniform", 2), all = tensor(Dtype::i32, {1}, {kVoxels});
    for (const char* word : {"nearest", "linear"}) {
      const Call call = make_call(
          "devoxelize",
          {tensor(Dtype::f32, {kVoxels, 3}, points), tensor(Dtype::i32, {kVoxels}, batch), all, sites, all, V},
          {{"interpolation", word}});
      EXPECT_EQ(values<float>(V), values<float>(run(call, route)[0])) << route.name << " " << word;
    }
  });
}

TEST(Voxel, AResultStaysAsItIsWhenTheNextOneIsMade) {
  for_each_route("sparse_quantize", "sparse_quantize", [](const Route& route, const Route&) {
    const Points p;
    const Call first = make_call("sparse_quantize", {p.points, p.batch, p.active}, {{"voxel_size", 0.25}});
    const Call second = make_call("sparse_quantize", {p.points, p.batch, p.active}, {{"voxel_size", 1.5}});
    const std::vector<Tensor> kept = active(first, run(first, route));
    const std::vector<std::int32_t> coords = values<std::int32_t>(kept[0]), rows = values<std::int32_t>(kept[2]);
    (void)values<std::int32_t>(run(second, route)[0]);
    EXPECT_EQ(coords, values<std::int32_t>(kept[0])) << route.name;
    EXPECT_EQ(rows, values<std::int32_t>(kept[2])) << route.name;
  });
}

}  // namespace
}  // namespace plumb
