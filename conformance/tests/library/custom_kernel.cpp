// Kernels whose text the caller brings: signatures, positions, sizes, and what is wrong with a call or a text.
#include "library/custom_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/device.h"
#include "core/error.h"

namespace plumb {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Not;

using Source = CustomKernel::Source;

template <class T>
std::vector<T> values(const Tensor& t) {
  const Tensor dense = contiguous(t);
  const auto* p = dense.read<T>();
  return {p, p + dense.size()};
}

Tensor floats(Shape shape, const std::vector<double>& v) { return tensor(Dtype::f32, std::move(shape), v); }
Tensor ramp(Shape shape) {
  std::vector<double> v(static_cast<std::size_t>(count(shape)));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<double>(i);
  return floats(std::move(shape), v);
}

// The reason and the words of the error that a call throws.
template <class F>
std::pair<Reason, std::string> error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return {e.reason(), e.what()};
  }
  return {Reason::query, "no error"};
}

class CustomKernelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (current_device().tier == Tier::unavailable) GTEST_SKIP() << "no device";
  }
};

TEST_F(CustomKernelTest, ElementsOfBothSidesOfTheConstantSpace) {
  const CustomKernel twice({.name = "twice",
                            .inputs = {"x", "factor"},
                            .outputs = {"y"},
                            .body = "const uint i = thread_position_in_grid.x;\ny[i] = x[i] * factor + (T)OFFSET;"});
  for (const std::int64_t n : {7, 8, 128}) {
    const CustomKernel::Launch launch{.outputs = {{Dtype::f32, {n}}},
                                      .grid = {n, 1, 1},
                                      .group = {8, 1, 1},
                                      .constants = {{"T", Dtype::f32}, {"OFFSET", std::int64_t{5}}}};
    const Tensor x = ramp({n}), two = floats({}, {2});
    EXPECT_THAT(twice.text({x, two}, launch), HasSubstr(n < 8 ? "constant const float* x" : "global const float* x"));
    const auto y = values<float>(twice({x, two}, launch)[0]);
    for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(y[static_cast<std::size_t>(i)], static_cast<float>(2 * i + 5)) << n;
  }
}

// Each thread writes where it stands; groups at the ends are smaller, and their barriers hold for them.
TEST_F(CustomKernelTest, AGridThatIsNoMultipleOfItsGroup) {
  const CustomKernel where({.name = "where", .inputs = {}, .outputs = {"at", "of", "turned"}, .body = R"(
  const uint3 p = thread_position_in_grid, g = threads_per_grid;
  const uint i = (p.z * g.y + p.y) * g.x + p.x;
  const uint3 q = threadgroup_position_in_grid, n = threadgroups_per_grid, m = threads_per_threadgroup;
  at[i] = (q.z * n.y + q.y) * n.x + q.x;
  of[i] = m.x * m.y * m.z * 1000 + dispatch_threads_per_threadgroup.x;
  local uint line[64];
  const uint t = thread_index_in_threadgroup, last = m.x * m.y * m.z - 1;
  line[t] = i;
  barrier(CLK_LOCAL_MEM_FENCE);
  turned[i] = line[last - t];)"});
  const std::int64_t gx = 7, gy = 5, gz = 2, x = 3, y = 2, z = 1;
  const Spec words{Dtype::u32, {gz, gy, gx}};
  const auto out = where({}, {.outputs = {words, words, words}, .grid = {gx, gy, gz}, .group = {x, y, z}});
  const auto at = values<std::uint32_t>(out[0]), of = values<std::uint32_t>(out[1]),
             back = values<std::uint32_t>(out[2]);
  const std::int64_t nx = 3, ny = 3;
  const auto index = [&](std::int64_t a, std::int64_t b, std::int64_t c) { return (c * gy + b) * gx + a; };
  for (std::int64_t c = 0; c < gz; ++c)
    for (std::int64_t b = 0; b < gy; ++b)
      for (std::int64_t a = 0; a < gx; ++a) {
        const auto i = static_cast<std::size_t>(index(a, b, c));
        const std::int64_t mx = std::min(x, gx - a / x * x), my = std::min(y, gy - b / y * y),
                           mz = std::min(z, gz - c / z * z);
        EXPECT_EQ(at[i], (c / z * ny + b / y) * nx + a / x);
        EXPECT_EQ(of[i], mx * my * mz * 1000 + x);
        EXPECT_EQ(back[i], index(a / x * x + mx - 1 - a % x, b / y * y + my - 1 - b % y, c / z * z + mz - 1 - c % z));
      }
}

TEST_F(CustomKernelTest, StridesWhereTheyAreAskedFor) {
  const Tensor x = ramp({3, 4}).view({4, 3}, {1, 4});  // transposed
  const CustomKernel::Launch launch{.outputs = {{Dtype::f32, {4, 3}}}, .grid = {12, 1, 1}, .group = {4, 1, 1}};
  const auto run = [&](const Tensor& t, bool contiguous, const char* place) {
    const CustomKernel k({.name = "copied",
                          .inputs = {"x"},
                          .outputs = {"y"},
                          .body = "const int i = get_global_id(0);\ny[i] = x[" + std::string(place) + "];",
                          .ensure_row_contiguous = contiguous});
    return values<float>(k({t}, launch)[0]);
  };
  const auto expected = values<float>(x);
  const char* by_strides = "i / x_shape[1] * x_strides[0] + i % x_shape[1] * x_strides[x_ndim - 1]";
  EXPECT_EQ(run(x, true, "i"), expected);
  EXPECT_EQ(run(x, true, by_strides), expected);
  EXPECT_EQ(run(x, false, by_strides), expected);
  EXPECT_NE(run(x, false, "i"), expected);
  const Tensor back = x.view({4, 3}, {-1, 4}, 3);  // from the end of its first axis
  EXPECT_EQ(run(back, false, by_strides), values<float>(back));
}

TEST_F(CustomKernelTest, InitialValuesAndAtomicOutputs) {
  const CustomKernel counts({.name = "counts",
                             .inputs = {"x"},
                             .outputs = {"bins"},
                             .body = "atomic_inc(&bins[x[get_global_id(0)]]);",
                             .atomic_outputs = true});
  constexpr std::int64_t n = 7 * 32 * 33;
  std::vector<double> x(n);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i * i % 7);
  std::vector<std::uint32_t> expected(8, 100);
  for (const double v : x) ++expected[static_cast<std::size_t>(v)];
  for (const std::int64_t group : {1, 7, 32, 33, 672}) {
    const auto out =
        counts({tensor(Dtype::i32, {n}, x)},
               {.outputs = {{Dtype::u32, {8}}}, .grid = {n, 1, 1}, .group = {group, 1, 1}, .init_value = 100.0});
    EXPECT_THAT(values<std::uint32_t>(out[0]), ElementsAreArray(expected)) << group;
  }
  const CustomKernel nothing({.name = "nothing", .inputs = {}, .outputs = {"y"}, .body = ""});
  const auto none = nothing({}, {.outputs = {{Dtype::f16, {3}}}, .grid = {0, 1, 1}, .init_value = 1.5});
  EXPECT_THAT(values<std::uint16_t>(none[0]), ElementsAre(0x3E00, 0x3E00, 0x3E00));
}

TEST_F(CustomKernelTest, AHeaderAndTextsOfOneName) {
  for (const char* sign : {"+", "-"}) {
    const CustomKernel k({.name = "same",
                          .inputs = {"x"},
                          .outputs = {"y"},
                          .body = "y[get_global_id(0)] = helper(x[get_global_id(0)]);",
                          .header = std::string("static float helper(float v) { return v ") + sign + " 1.0f; }"});
    const float step = *sign == '+' ? 1 : -1;
    const CustomKernel::Launch launch{.outputs = {{Dtype::f32, {2}}}, .grid = {2, 1, 1}};
    EXPECT_THAT(values<float>(k({ramp({2})}, launch)[0]), ElementsAre(step, 1 + step));
  }
}

TEST_F(CustomKernelTest, ATextThatDoesNotCompileIsToldWithItsLine) {
  const auto build = [](const std::string& body, const std::string& header) {
    const CustomKernel k({.name = "broken", .inputs = {"x"}, .outputs = {"y"}, .body = body, .header = header});
    return error_of([&] { (void)k({ramp({9})}, {.outputs = {{Dtype::f32, {9}}}}); });
  };
  const auto [reason, what] = build("const int i = 0;\ny[i] = nobody(x[i]);\n", "");
  EXPECT_EQ(reason, Reason::device);
  EXPECT_THAT(what, HasSubstr("[broken] device: line 2 of the source, 'y[i] = nobody(x[i]);', clBuildProgram"));
  EXPECT_THAT(what, HasSubstr("nobody"));
  EXPECT_THAT(build("y[0] = f(x[0]);", "\n\nfloat f(float v) { return w; }").second,
              HasSubstr("line 3 of the header, 'float f(float v) { return w; }'"));
  EXPECT_EQ(build("y[0] = x[0];", "").second, "no error");  // the device goes on
}

TEST_F(CustomKernelTest, AGroupBeyondTheDevice) {
  const CustomKernel k({.name = "wide", .inputs = {}, .outputs = {"y"}, .body = "y[0] = 1;"});
  const auto run = [&](CustomKernel::Size grid) {
    return error_of([&] { (void)k({}, {.outputs = {{Dtype::f32, {1}}}, .grid = grid, .group = {1 << 20, 1024, 1}}); });
  };
  EXPECT_EQ(run({1 << 20, 1024, 1}).first, Reason::attribute);
  EXPECT_EQ(run({2, 1, 1}).second, "no error");  // cut to the grid
}

TEST(CustomKernel, RefusesNamesAndLists) {
  const auto made = [](const Source& s) { return error_of([&] { const CustomKernel k(s); }); };
  EXPECT_EQ(made({.name = "k", .inputs = {"x"}, .outputs = {}, .body = ""}).second,
            "[k] attribute: there is no output");
  EXPECT_EQ(made({.name = "k", .inputs = {"x"}, .outputs = {"x"}, .body = ""}).second,
            "[k] attribute: 'x' stands twice");
  EXPECT_EQ(made({.name = "k", .inputs = {"1x"}, .outputs = {"y"}, .body = ""}).first, Reason::attribute);
  EXPECT_EQ(made({.name = "", .inputs = {}, .outputs = {"y"}, .body = ""}).first, Reason::attribute);
  const CustomKernel k({.name = "k", .inputs = {"x"}, .outputs = {"y"}, .body = ""});
  const Spec y{Dtype::f32, {1}};
  const auto called = [&](const std::vector<Tensor>& in, const CustomKernel::Launch& l) {
    return error_of([&] { (void)k.text(in, l); });
  };
  EXPECT_EQ(called({}, {.outputs = {y}}).second, "[k] arity: 0 inputs for 1 names");
  EXPECT_EQ(called({ramp({2})}, {.outputs = {y, y}}).second, "[k] arity: 2 outputs for 1 names");
  EXPECT_EQ(called({Tensor()}, {.outputs = {y}}).first, Reason::arity);
  EXPECT_EQ(called({ramp({2})}, {.outputs = {y}, .grid = {-1, 1, 1}}).second, "[k] attribute: grid holds -1");
  EXPECT_EQ(called({ramp({2})}, {.outputs = {y}, .group = {1, 0, 1}}).second, "[k] attribute: group holds 0");
  EXPECT_EQ(called({ramp({2})}, {.outputs = {y}, .constants = {{"a b", true}}}).first, Reason::attribute);
  const CustomKernel atomic({.name = "k", .inputs = {}, .outputs = {"y"}, .body = "", .atomic_outputs = true});
  EXPECT_EQ(error_of([&] { (void)atomic.text({}, {.outputs = {{Dtype::f16, {1}}}}); }).first, Reason::dtype);
}

TEST(CustomKernel, OnlyWhatIsNamedIsPassed) {
  const CustomKernel k({.name = "k", .inputs = {"x"}, .outputs = {"y"}, .body = "y[0] = x_ndim;"});
  const std::string text = k.text({ramp({9})}, {.outputs = {{Dtype::i32, {1}}}});
  EXPECT_THAT(text, HasSubstr("const int x_ndim"));
  EXPECT_THAT(text, Not(HasSubstr("x_shape")));
  EXPECT_THAT(text, Not(HasSubstr("thread_position_in_grid")));
}

}  // namespace
}  // namespace plumb
