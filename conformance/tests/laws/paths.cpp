// Which route the dispatcher takes on either side of each boundary, on machines of every tier: docs/paths.md by row.
#ifdef PLUMB_GPU
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/device.h"
#include "core/error.h"
#include "core/op.h"
#include "core/route.h"

namespace plumb {
namespace {

using List = std::vector<std::int64_t>;

// A platform whose test kernels all answer rightly, but for matrix units where there are none.
class Machine : public Platform {
 public:
  explicit Machine(bool matrix_units, bool fp64 = true) : matrix_(matrix_units), fp64_(fp64) {}
  std::vector<DeviceFacts> devices() override {
    DeviceFacts f;
    f.index = 0;
    f.name = "a card";
    f.local_bytes = 64 << 10;
    f.global_bytes = f.max_allocation_bytes = std::uint64_t{64} << 30;
    f.max_work_group = 1024;
    f.claims_fp64 = fp64_;
    if (fp64_) f.extensions = {"cl_khr_fp64", "cl_khr_int64_base_atomics"};
    return {f};
  }
  Outcome run(const DeviceFacts&, TestKernel kernel) override {
    return kernel == TestKernel::matrix_f16 && !matrix_ ? Outcome{false, "no matrix units"} : Outcome{true, ""};
  }

 private:
  bool matrix_, fp64_;
};

Device probed(Machine machine) { return choose(probe_all(machine), ""); }
const Device& none() {
  static const Device d;
  return d;
}
const Device& gpu() {
  static const Device d = probed(Machine(false));
  return d;
}
const Device& neural() {
  static const Device d = probed(Machine(true));
  return d;
}
Device host_processor() {
  Device d = neural();
  d.facts.is_cpu = true;
  return d;
}

TEST(Paths, TheMachinesAreOfTheirTiers) {
  EXPECT_EQ(none().tier, Tier::unavailable);
  EXPECT_EQ(gpu().tier, Tier::gpu);
  EXPECT_EQ(neural().tier, Tier::neural_accelerator);
}

// Calls without data: a decision reads specs and attributes only.
Tensor of(Dtype t, Shape s) { return Tensor(Spec{t, std::move(s)}); }
Tensor one() { return of(Dtype::i32, {1}); }

struct Shapes {
  std::int64_t n = 2000, in = 64, out = 64;
  Dtype type = Dtype::f32, coords = Dtype::i32;
  List size{3, 3, 3};
  Attrs attrs = {};
  std::int64_t volume() const { return size[0] * size[1] * size[2]; }
};

Call conv(std::string_view op, const Shapes& s) {
  Attrs attrs = s.attrs;
  attrs.set("kernel_size", s.size);
  return make_call(op, {of(s.coords, {s.n, 4}), one(), of(s.type, {s.n, s.in}), of(s.type, {s.volume(), s.in, s.out})},
                   attrs);
}

// Codes of `bits` in groups of 32; `stored` channels, of which the features have `in`.
Call packed(std::string_view op, const Shapes& s, std::int64_t bits = 4, std::int64_t stored = 0) {
  Attrs attrs = s.attrs;
  attrs.set("kernel_size", s.size);
  attrs.set("bits", bits);
  const std::int64_t channels = stored ? stored : s.in, K = s.volume();
  const Tensor scales = of(s.type, {K, channels / 32, s.out});
  return make_call(op,
                   {of(s.coords, {s.n, 4}), one(), of(s.type, {s.n, s.in}),
                    of(Dtype::u32, {K, channels * bits / 32, s.out}), scales, of(s.type, scales.shape())},
                   attrs);
}

Call rows_of(std::string_view op, std::int64_t n, Dtype coords = Dtype::i32, Attrs attrs = {}) {
  return make_call(op, {of(coords, {n, 4}), one()}, std::move(attrs));
}
Call pooled(std::string_view op, std::int64_t n, std::int64_t c, Dtype type = Dtype::f32, Dtype coords = Dtype::i32) {
  return make_call(op, {of(coords, {n, 4}), one(), of(type, {n, c})});
}
Call pointwise(std::int64_t n, std::int64_t in, std::int64_t out, Dtype type) {
  return make_call("pointwise_projection", {of(type, {n, in}), of(type, {out, in})});
}
Call joined(std::string_view op, std::int64_t n, std::int64_t m) {
  return make_call(op, {of(Dtype::i32, {n, 4}), one(), of(Dtype::f32, {n, 3}), of(Dtype::i32, {m, 4}), one(),
                        of(Dtype::f32, {m, 3})});
}

void expect(const Call& call, const Device& device, std::string_view route, const char* what = "") {
  const Decision d = select(call, device);
  EXPECT_EQ(d.route->name, route) << call.op->name << " on tier " << name(device.tier) << " " << what << "\n"
                                  << explain(d);
}

// On the three tiers, in their order.
void tiers(const Call& call, std::string_view cpu, std::string_view on_gpu, std::string_view on_neural,
           const char* what = "") {
  expect(call, none(), cpu, what);
  expect(call, gpu(), on_gpu, what);
  expect(call, neural(), on_neural, what);
}

Reason refused(const std::function<Call()>& make) {
  try {
    (void)make();
  } catch (const Error& e) {
    return e.reason();
  }
  ADD_FAILURE() << "accepted";
  return Reason::query;
}

// ---- Device ----

TEST(Paths, TheDeviceDecidesFirst) {
  const Call large = conv("subm_conv3d", {.n = 2000, .type = Dtype::f16});
  tiers(large, "cpu.gather", "gpu.tiled", "gpu.mma_sorted");
  expect(large, host_processor(), "cpu.gather", "the device is the host processor");
  EXPECT_EQ(select(large, choose({}, "")).route->name, "cpu.gather");
  const Decision d = select(large, none());
  ASSERT_FALSE(d.refused.empty());
  EXPECT_EQ(d.refused[0].stage, Stage::device);
}

// ---- Convolutions ----

TEST(Paths, PointwiseIsAProduct) {
  tiers(pointwise(1024, 64, 64, Dtype::f32), "cpu.blocked", "gpu.tiled", "gpu.tiled", "2^22 products");
  tiers(pointwise(1023, 64, 64, Dtype::f32), "cpu.blocked", "cpu.blocked", "cpu.blocked", "under 2^22 products");
  tiers(pointwise(1024, 64, 64, Dtype::f16), "cpu.blocked", "gpu.tiled", "gpu.mma");
  tiers(pointwise(1 << 14, 32, 32, Dtype::f32), "cpu.blocked", "gpu.tiled", "gpu.tiled",
        "32 to 32 channels are no case of their own");
  Device small = neural();
  small.facts.local_bytes = 32 << 10;
  expect(pointwise(1024, 64, 64, Dtype::f16), small, "gpu.tiled", "local memory does not hold the tiles");
}

TEST(Paths, EveryRelationTakesTheSameRoutes) {
  for (const char* op : {"conv3d", "subm_conv3d", "conv_transpose3d", "generative_conv_transpose3d"}) {
    tiers(conv(op, {.n = 1024, .type = Dtype::f32}), "cpu.gather", "gpu.tiled", "gpu.tiled", "65536 features");
    tiers(conv(op, {.n = 1023, .type = Dtype::f32}), "cpu.gather", "cpu.gather", "cpu.gather", "under 65536 features");
    tiers(conv(op, {.n = 1024, .type = Dtype::f16}), "cpu.gather", "gpu.tiled", "gpu.mma_sorted");
  }
}

TEST(Paths, TargetsChangeNoRoute) {
  for (const char* op : {"conv3d", "conv_transpose3d"}) {
    Call c = conv(op, {.n = 1024, .type = Dtype::f16});
    std::vector<Tensor> in = c.in;
    in.resize(7);
    in[5] = of(Dtype::i32, {9, 4}), in[6] = one();
    tiers(make_call(op, in, c.attrs), "cpu.gather", "gpu.tiled", "gpu.mma_sorted");
  }
}

// The sorted route asks for halves and eight channels, for no kernel volume and no list of channel counts.
TEST(Paths, SortedTilesTakeEveryKernelAndChannelCount) {
  const auto half = [](std::int64_t in, std::int64_t out, List size) {
    return conv("conv3d", {.n = 65536, .in = in, .out = out, .type = Dtype::f16, .size = std::move(size)});
  };
  for (const List& size : {List{3, 3, 3}, List{27, 1, 1}, List{2, 2, 2}, List{5, 1, 1}, List{1, 1, 2}, List{5, 5, 5}})
    expect(half(32, 32, size), neural(), "gpu.mma_sorted");
  for (const std::int64_t in : {8, 16, 31, 32, 33, 48, 64, 128})
    for (const std::int64_t out : {1, 16, 31, 32, 48, 64, 128})
      expect(half(in, out, {3, 3, 3}), neural(), "gpu.mma_sorted");
  expect(half(7, 64, {3, 3, 3}), neural(), "gpu.tiled", "under 8 channels");
  expect(half(64, 64, {3, 3, 3}), gpu(), "gpu.tiled", "no matrix units");
  expect(conv("conv3d", {.n = 65536}), neural(), "gpu.tiled", "f32");
}

// Thresholds of other software at which nothing changes here.
TEST(Paths, CapacityHasOneThreshold) {
  for (const std::int64_t threshold : {4096, 32768, 50000, 100000})
    for (const std::int64_t n : {threshold - 1, threshold, threshold + 1}) {
      for (const std::int64_t c : {16, 32, 64}) {
        if (n * c < 1 << 16) continue;
        tiers(conv("subm_conv3d", {.n = n, .in = c, .out = c}), "cpu.gather", "gpu.tiled", "gpu.tiled");
        tiers(conv("subm_conv3d", {.n = n, .in = c, .out = c, .type = Dtype::f16}), "cpu.gather", "gpu.tiled",
              "gpu.mma_sorted");
      }
      expect(conv("conv3d", {.n = n, .in = 17, .out = 3}), gpu(), n * 17 < 1 << 16 ? "cpu.gather" : "gpu.tiled");
    }
}

TEST(Paths, DenseWeightsTakeTheSameRoutes) {
  const Tensor coords = of(Dtype::i32, {2000, 4});
  for (const Dtype t : {Dtype::f32, Dtype::f16}) {
    const Call c = make_call("subm_conv3d", {coords, one(), of(t, {2000, 64}), of(t, {64, 3, 3, 3, 64})},
                             {{"kernel_size", List{3, 3, 3}}, {"weight_layout", "dense_5d"}});
    tiers(c, "cpu.gather", "gpu.tiled", t == Dtype::f16 ? "gpu.mma_sorted" : "gpu.tiled");
  }
}

TEST(Paths, GradientsHaveOneRouteEach) {
  for (const std::int64_t n : {1023, 1024, 32768, 50000, 100000}) {
    for (const std::int64_t c : {16, 32, 64}) {
      const Call v = make_call(
          "subm_conv3d_vjp",
          {of(Dtype::i32, {n, 4}), one(), of(Dtype::f32, {n, c}), of(Dtype::f32, {27, c, c}), of(Dtype::f32, {n, c})},
          {{"kernel_size", List{3, 3, 3}}});
      const char* on_device = n * c < 1 << 16 ? "cpu.gather" : "gpu.edges";
      tiers(v, "cpu.gather", on_device, on_device);
    }
  }
}

// ---- Packed weights ----

TEST(Paths, PackedWeightsTakeSortedTilesWhereTheyFit) {
  const Shapes half{.n = 2048, .in = 32, .out = 64, .type = Dtype::f16};
  const auto with = [&](auto change) {
    Shapes s = half;
    change(s);
    return s;
  };
  for (const char* op : {"quantized_conv3d", "quantized_subm_conv3d"}) {
    tiers(packed(op, half), "cpu.packed", "gpu.tiled", "gpu.mma_sorted");
    for (const std::int64_t in : {32, 64})
      for (const std::int64_t out : {32, 64})
        expect(packed(op, with([&](Shapes& s) { s.in = in, s.out = out; })), neural(), "gpu.mma_sorted");
    expect(packed(op, half, 8), neural(), "gpu.mma_sorted", "int8");
    expect(packed(op, with([](Shapes& s) { s.n = 2047; })), neural(), "cpu.packed", "under 65536 features");
    expect(packed(op, with([](Shapes& s) { s.type = Dtype::f32; })), neural(), "gpu.tiled", "f32");
    expect(packed(op, with([](Shapes& s) { s.size = {3, 3, 1}; })), neural(), "gpu.tiled", "nine kernel rows");
    expect(packed(op, with([](Shapes& s) {
                    s.size = {27, 1, 1};
                  })),
           neural(), "gpu.mma_sorted", "27 rows of another shape");
    expect(packed(op, with([](Shapes& s) { s.in = 96; })), neural(), "gpu.tiled", "96 input channels");
    expect(packed(op, with([](Shapes& s) { s.out = 48; })), neural(), "gpu.tiled", "48 output channels");
    expect(packed(op, half, 4, 64), neural(), "gpu.tiled", "32 channels stored as 64");
  }
  for (const char* op : {"quantized_conv_transpose3d", "quantized_generative_conv_transpose3d"})
    tiers(packed(op, half), "cpu.packed", "gpu.tiled", "gpu.tiled", "never sorted");
  EXPECT_EQ(refused([&] { return packed("quantized_conv3d", half, 3); }), Reason::attribute);
  EXPECT_EQ(refused([&] { return packed("quantized_conv3d", with([](Shapes& s) { s.type = Dtype::bf16; })); }),
            Reason::dtype);
}

// ---- Relations, pooling, coordinates, neighbours, joins ----

TEST(Paths, RelationsGoToTheDeviceFrom4096Rows) {
  for (const char* op : {"forward_relation", "submanifold_relation", "transposed_relation", "generative_relation"})
    for (const Dtype coords : {Dtype::i32, Dtype::i64}) {
      tiers(rows_of(op, 4096, coords), "cpu.merge", "gpu.hash", "gpu.hash");
      tiers(rows_of(op, 4095, coords), "cpu.merge", "cpu.merge", "cpu.merge");
    }
}

TEST(Paths, PoolingTakesBothTypesOnEveryTier) {
  for (const char* op : {"sum_pool3d", "max_pool3d", "avg_pool3d"})
    for (const Dtype type : {Dtype::f32, Dtype::f16})
      for (const Dtype coords : {Dtype::i32, Dtype::i64}) {
        tiers(pooled(op, 4096, 16, type, coords), "cpu.rows", "gpu.rows", "gpu.rows");
        tiers(pooled(op, 4095, 16, type, coords), "cpu.rows", "cpu.rows", "cpu.rows");
      }
  EXPECT_EQ(refused([] { return pooled("sum_pool3d", 10, 4, Dtype::bf16); }), Reason::dtype);
  EXPECT_EQ(refused([] { return pooled("max_pool3d", 10, 4, Dtype::i32); }), Reason::dtype);
}

TEST(Paths, GlobalPoolingSumsByLevels) {
  const auto global = [](std::string_view op, std::int64_t n, std::int64_t c) {
    return make_call(op, {of(Dtype::i32, {n, 4}), one(), of(Dtype::f32, {n, c})}, {{"batch_size", 4}});
  };
  for (const char* op : {"global_sum_pool", "global_avg_pool", "global_max_pool"}) {
    tiers(global(op, 4096, 16), "cpu.chunks", "gpu.levels", "gpu.levels");
    tiers(global(op, 4095, 16), "cpu.chunks", "cpu.chunks", "cpu.chunks");
  }
  expect(global("global_avg_pool", (1 << 24) + 1, 1), gpu(), "cpu.chunks", "f32 cannot count the rows");
  expect(global("global_sum_pool", (1 << 24) + 1, 1), gpu(), "gpu.levels");
}

TEST(Paths, CoordinatesOfEitherWidthGoToTheDevice) {
  for (const Dtype coords : {Dtype::i32, Dtype::i64}) {
    expect(conv("conv3d", {.n = 4096, .coords = coords}), gpu(), "gpu.tiled");
    const auto sets = [&](std::int64_t n) { return make_call("downsample_coords", {of(coords, {n, 4})}); };
    expect(sets(4096), gpu(), "gpu.hash");
    expect(sets(4095), gpu(), select(sets(4095), none()).route->name);
  }
  EXPECT_EQ(refused([] { return conv("conv3d", {.coords = Dtype::i16}); }), Reason::dtype);
}

TEST(Paths, PointsAreF32AndNeedExactDivision) {
  const auto quantize = [](std::int64_t n, Dtype t) {
    return make_call("sparse_quantize", {of(t, {n, 3}), of(Dtype::i32, {n}), one()});
  };
  Device exact = gpu(), loose = gpu();
  exact.facts.ieee_f32 = true;
  loose.facts.ieee_f32 = false;
  expect(quantize(4096, Dtype::f32), none(), "cpu.hash");
  expect(quantize(4096, Dtype::f32), exact, "gpu.hash");
  expect(quantize(4095, Dtype::f32), exact, "cpu.hash");
  expect(quantize(4096, Dtype::f32), loose, "cpu.hash", "a quotient may be one voxel off");
  EXPECT_EQ(refused([&] { return quantize(4096, Dtype::f16); }), Reason::dtype);
}

TEST(Paths, NeighboursAreSearchedInCells) {
  const auto knn = [](std::int64_t n) { return rows_of("knn_relation", n, Dtype::i32, {{"k", 8}}); };
  tiers(knn(4096), "cpu.cells", "gpu.cells", "gpu.cells");
  tiers(knn(4095), "cpu.cells", "gpu.tiled", "gpu.tiled", "2^20 distances and more");
  tiers(knn(1024), "cpu.cells", "gpu.tiled", "gpu.tiled");
  tiers(knn(1023), "cpu.cells", "cpu.cells", "cpu.cells");
  tiers(knn(256), "cpu.cells", "cpu.cells", "cpu.cells");
  tiers(knn(255), "cpu.brute", "cpu.brute", "cpu.brute");
  tiers(rows_of("knn_relation", 513, Dtype::i32, {{"k", 17}}), "cpu.cells", "cpu.cells", "cpu.cells",
        "512 and 16 are no bounds here");
}

TEST(Paths, JoinsGoToTheDeviceFrom4096RowsTogether) {
  for (const char* op : {"sparse_binary", "sparse_cat_aligned"}) {
    tiers(joined(op, 2048, 2048), "cpu.hash", "gpu.hash", "gpu.hash");
    tiers(joined(op, 2048, 2047), "cpu.hash", "cpu.hash", "cpu.hash");
  }
  EXPECT_EQ(refused([] {
              return make_call("sparse_binary", {of(Dtype::i64, {4, 4}), one(), of(Dtype::f32, {4, 3}),
                                                 of(Dtype::i64, {4, 4}), one(), of(Dtype::f32, {4, 3})});
            }),
            Reason::dtype);
}

// Each route of these families is somebody's natural choice: none is there in vain.
TEST(Paths, AForcedRouteOverridesPreferenceAndNeverSupport) {
  const Call small = conv("conv3d", {.n = 4, .in = 4, .out = 4});
  EXPECT_EQ(select(small, neural(), "gpu.tiled").route->name, "gpu.tiled");
  EXPECT_EQ(select(small, neural(), "gpu.mma_sorted").route->name, "cpu.gather") << "f32 is not what it can";
  EXPECT_EQ(select(small, none(), "gpu.tiled").route->name, "cpu.gather");
  EXPECT_EQ(select(conv("conv3d", {.n = 4, .type = Dtype::f16}), gpu(), "gpu.mma_sorted").route->name, "gpu.mma_sorted")
      << "written for matrix units, runs without";
}

}  // namespace
}  // namespace plumb
#endif
