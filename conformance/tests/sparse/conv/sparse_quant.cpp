// What must hold between the rows of packed sparse weights, on every route: a packed product is the product with the
// decoded weight, and what a packed weight stores beyond its channels is never read.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/families.h"
#include "core/fill.h"
#include "core/route.h"

namespace plumb {
namespace {

using List = std::vector<std::int64_t>;

class SparseQuant : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

struct Packed {
  std::int64_t kernels, in, out, group, bits;
  Tensor words, scales, biases;

  // Whole numbers that f16 and every sum in f32 hold exactly.
  Packed(std::int64_t k, std::int64_t channels, std::int64_t outputs, std::int64_t per_group, std::int64_t width,
         std::int64_t spare = 0)
      : kernels(k), in(channels), out(outputs), group(per_group), bits(width) {
    const std::int64_t groups = (in + group - 1) / group + spare;
    words = fill({Dtype::u32, shape(groups * group * bits / 32)}, "bits", 1);
    scales = fill({Dtype::f32, shape(groups)}, "int-2", 2);
    biases = fill({Dtype::f32, shape(groups)}, "int-5", 3);
  }
  Shape shape(std::int64_t n) const { return kernels == 1 ? Shape{1, out, n} : Shape{kernels, n, out}; }
  Attrs attrs(Attrs more = {}) const {
    more.set("bits", bits);
    more.set("group_size", group);
    return more;
  }
};

std::vector<double> values(const Tensor& t) { return reals(widen(t)).data; }

Tensor first_output(std::string_view op, const std::vector<Tensor>& in, const Attrs& attrs, std::size_t output) {
  const Call call = make_call(op, in, attrs);
  return active(call, run(call, find_route(*call.op, kReference)))[output];
}

// The same output of every route that can run here.
template <class F>
void on_every_route(std::string_view op, const std::vector<Tensor>& in, const Attrs& attrs, std::size_t output, F&& f) {
  const Call call = make_call(op, in, attrs);
  for (const Route& r : routes(*call.op))
    if (refusal(r, call, current_device()).empty()) f(active(call, run(call, r))[output], r.name);
}

Tensor decoded(const Packed& p, const List& size) {
  return first_output("dequantize_weight", {p.words, p.scales, p.biases},
                      p.attrs({{"kernel_size", size}, {"in_channels", p.in}}), 0);
}

TEST_F(SparseQuant, AConvolutionIsThatWithTheDecodedWeight) {
  struct Pair {
    const char *packed, *plain;
    List size;
  };
  const Pair pairs[] = {{"quantized_conv3d", "conv3d", {2, 3, 1}},
                        {"quantized_conv3d", "conv3d", {1, 1, 1}},
                        {"quantized_subm_conv3d", "subm_conv3d", {3, 1, 3}},
                        {"quantized_subm_conv3d", "subm_conv3d", {1, 1, 1}},
                        {"quantized_conv_transpose3d", "conv_transpose3d", {3, 3, 1}},
                        {"quantized_generative_conv_transpose3d", "generative_conv_transpose3d", {1, 1, 1}},
                        {"quantized_generative_conv_transpose3d", "generative_conv_transpose3d", {2, 2, 1}}};
  const Tensor coords = fill({Dtype::i32, {40, 4}}, "sites_negative", 4), active_rows = tensor(Dtype::i32, {1}, {37});
  for (const Pair& pair : pairs)
    for (const std::int64_t bits : {4, 8}) {
      const Packed p(pair.size[0] * pair.size[1] * pair.size[2], 35, 7, 32, bits);
      const Tensor x = fill({Dtype::f32, {40, p.in}}, "int-2", 5);
      Attrs geometry{{"kernel_size", pair.size}};
      if (find_op(pair.plain).attrs.find("stride")) geometry.set("stride", 2);
      const Tensor want = first_output(pair.plain, {coords, active_rows, x, decoded(p, pair.size)}, geometry, 1);
      on_every_route(pair.packed, {coords, active_rows, x, p.words, p.scales, p.biases}, p.attrs(geometry), 1,
                     [&](const Tensor& got, std::string_view route) {
                       EXPECT_EQ(values(got), values(want)) << pair.packed << " of " << bits << " bits on " << route;
                     });
    }
}

TEST_F(SparseQuant, ALinearProductIsTheConvolutionOfOneKernelRow) {
  const Packed p(1, 70, 9, 64, 4);
  const Tensor coords = fill({Dtype::i32, {30, 4}}, "sites_box", 6), all = tensor(Dtype::i32, {1}, {30});
  const Tensor x = fill({Dtype::f32, {30, p.in}}, "int-2", 7);
  const Tensor want = first_output("quantized_subm_conv3d", {coords, all, x, p.words, p.scales, p.biases},
                                   p.attrs({{"kernel_size", 1}}), 1);
  on_every_route("quantized_linear", {x, p.words, p.scales, p.biases}, p.attrs(), 0,
                 [&](const Tensor& got, std::string_view route) { EXPECT_EQ(values(got), values(want)) << route; });
}

// A spare group of NaN, and other codes in it.
TEST_F(SparseQuant, WhatIsStoredBeyondTheChannelsIsNeverRead) {
  const Tensor coords = fill({Dtype::i32, {30, 4}}, "sites_box", 8), all = tensor(Dtype::i32, {1}, {30});
  const Tensor x = fill({Dtype::f32, {30, 20}}, "uniform", 9);
  for (const std::int64_t kernels : {1, 3}) {
    Packed p(kernels, 20, 5, 32, 8, 1);
    const int axis = kernels == 1 ? 2 : 1;
    Shape half = p.scales.shape();
    half[static_cast<std::size_t>(axis)] = 1;
    const std::int64_t step = p.scales.strides()[static_cast<std::size_t>(axis)];
    const Tensor spare = p.scales.view(half, p.scales.strides(), step);
    const Attrs attrs = p.attrs({{"kernel_size", List{kernels, 1, 1}}});
    const auto call = [&](const char* op, auto&& f) {
      on_every_route(op, {coords, all, x, p.words, p.scales, p.biases}, attrs, 1, f);
    };
    std::vector<std::vector<double>> before;
    call("quantized_subm_conv3d", [&](const Tensor& y, std::string_view) { before.push_back(values(y)); });
    auto* scales = spare.write<float>();
    for (std::int64_t i = 0; i < count(half); ++i)
      scales[i / p.out * p.scales.strides()[0] + i % p.out * (kernels == 1 ? 2 : 1)] =
          std::numeric_limits<float>::quiet_NaN();
    std::size_t at = 0;
    call("quantized_subm_conv3d", [&](const Tensor& y, std::string_view route) {
      EXPECT_EQ(values(y), before[at++]) << kernels << " on " << route;
    });
  }
}

// Zero is a code, so that half a step is the error of every weight but those at the far end, which may be cut by
// another half.
TEST_F(SparseQuant, AWeightComesBackWithinItsStep) {
  for (const std::int64_t bits : {4, 8}) {
    const Tensor w = fill({Dtype::f32, {3, 50, 6}}, "uniform", 10);
    const Call call = make_call("quantize_weight", {w}, {{"bits", bits}, {"group_size", 32}});
    for (const Route& r : routes(*call.op)) {
      if (!refusal(r, call, current_device()).empty()) continue;
      const std::vector<Tensor> q = run(call, r);
      const Tensor back = first_output("dequantize_weight", q,
                                       {{"bits", bits}, {"kernel_size", List{3, 1, 1}}, {"in_channels", 50}}, 0);
      const std::vector<double> want = values(w), got = values(back), s = values(q[1]);
      for (std::size_t i = 0; i < want.size(); ++i) {
        const std::size_t k = i / 300, group = i / 6 % 50 / 32, c = i % 6;
        EXPECT_LE(std::abs(want[i] - got[i]), 1.0001 * std::abs(s[(k * 2 + group) * 6 + c])) << r.name << " at " << i;
      }
    }
  }
}

}  // namespace
}  // namespace plumb
