// CPU routes of quantization.
#include <algorithm>
#include <vector>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/floats.h"
#include "optimized/quant/formats.h"
#include "optimized/quant/product.h"
#include "optimized/quant/quant_kernels.h"

namespace plumb {
namespace {

using cpu::Floats;

bool small_float(Dtype t) { return t == Dtype::f32 || t == Dtype::f16 || t == Dtype::bf16; }

// The kernels of the instruction set in use.
struct Kernels {
  decltype(&base::to_floats) to_floats = PLUMB_DISPATCH(to_floats);
  decltype(&base::from_floats) from_floats = PLUMB_DISPATCH(from_floats);
  decltype(&base::round_floats) round_floats = PLUMB_DISPATCH(round_floats);
  decltype(&base::quant_weights) weights = PLUMB_DISPATCH(quant_weights);
  decltype(&base::quant_expand) expand = PLUMB_DISPATCH(quant_expand);
  decltype(&base::quant_encode_blocks) encode_blocks = PLUMB_DISPATCH(quant_encode_blocks);
  decltype(&base::quant_encode) encode = PLUMB_DISPATCH(quant_encode);
};

std::int64_t group_of(const Request& r) { return r.none("group_size") ? 64 : r.integer("group_size"); }
int bits_of(const Request& r) { return r.none("bits") ? 4 : static_cast<int>(r.integer("bits")); }

// A result as bytes: taken once, before any thread writes to it.
struct Target {
  std::byte* data;
  Element type;
  std::int64_t bytes;
  explicit Target(const Tensor& t)
      : data(t.write<std::byte>()), type(element_of(t.dtype())), bytes(info(t.dtype()).bytes) {}
  std::byte* at(std::int64_t element) const { return data + element * bytes; }
};

// ---------------------------------------------------------------------------- quantize, dequantize

constexpr Limit kBatch{"quant.batch", 64, 2};  // groups converted at a time

// Rows hold whole groups and whole words, so the whole tensor is one line of groups.
void quantize(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t group = group_of(c), groups = c[0].size() / group;
  const int bits = bits_of(c);
  const Element t = element_of(c.dtype(0));
  const Tensor w = contiguous(c[0]);
  auto* codes = out[0].write<std::uint8_t>();
  const auto* words = w.read<std::byte>();
  const Target scales(out[1]), biases(out[2]);
  const std::int64_t bytes = info(c.dtype(0)).bytes;
  const Kernels simd;
  parallel_for(groups, 1 << 14 >> (group / 64), [&](std::int64_t from, std::int64_t to) {
    const std::int64_t batch = kBatch.of(to - from);
    Room<float> values(static_cast<std::size_t>(batch * group));
    float s[kBatch.usual], b[kBatch.usual];
    for (std::int64_t g = from; g < to; g += batch) {
      const std::int64_t n = std::min(batch, to - g);
      simd.to_floats(t, words + g * group * bytes, n * group, values.data());
      simd.encode(values.data(), n, group, bits, quant_scale_limit(t), codes + g * group * bits / 8, s, b);
      simd.from_floats(s, n, t, scales.at(g));
      simd.from_floats(b, n, t, biases.at(g));
    }
  });
}

void dequantize(const Call& c, std::vector<Tensor>& out) {
  const std::int64_t group = group_of(c), groups = out[0].size() / group;
  const int bits = bits_of(c);
  const Element product = element_of(c.dtype(1)), sum = element_of(promote(c.dtype(1), c.dtype(2)));
  const Target w(out[0]);
  const Tensor codes = contiguous(c[0]);
  const Floats s(c[1]), b(c[2]);
  const auto* bytes = codes.read<std::uint8_t>();
  const Kernels simd;
  parallel_for(groups, 256, [&](std::int64_t from, std::int64_t to) {
    simd.expand(bytes + from * group * bits / 8, bits, group, s.data() + from, b.data() + from, (to - from) * group,
                product, sum, w.type, w.at(from * group));
  });
}

// The modes whose scales are bytes.
void quantize_blocks(const Call& c, std::vector<Tensor>& out) {
  const CodeFormat f = cpu::code_format(c);
  const std::int64_t groups = out[1].size(), bytes = info(c.dtype(0)).bytes;
  const Element t = element_of(c.dtype(0));
  const bool global = c.has("global_scale");
  const float g = global ? 2688 / c["global_scale"].read<float>()[0] : 0;
  const Tensor w = contiguous(c[0]);
  auto *codes = out[0].write<std::uint8_t>(), *scales = out[1].write<std::uint8_t>();
  const auto* words = w.read<std::byte>();
  const Kernels simd;
  parallel_for(groups, 256, [&](std::int64_t from, std::int64_t to) {
    const std::int64_t batch = kBatch.of(to - from);
    Room<float> values(static_cast<std::size_t>(batch * f.group));
    for (std::int64_t i = from; i < to; i += batch) {
      const std::int64_t n = std::min(batch, to - i);
      simd.to_floats(t, words + i * f.group * bytes, n * f.group, values.data());
      simd.encode_blocks(values.data(), n, f, t, global, g, codes + i * f.group * f.bits / 8, scales + i);
    }
  });
}

void quantize_any(const Call& c, std::vector<Tensor>& out) {
  c.text("mode") == "affine" ? quantize(c, out) : quantize_blocks(c, out);
}

// Scales rounded to the dtype of the weights; under a global scale all is float32 until the end.
void dequantize_blocks(const Call& c, std::vector<Tensor>& out) {
  const CodeFormat f = cpu::code_format(c);
  const std::int64_t groups = c[1].size();
  const bool global = c.has("global_scale");
  const float factor = global ? c["global_scale"].read<float>()[0] / 2688 : 1;
  const Target w(out[0]);
  const Element t = global ? Element::f32 : w.type;
  const Tensor codes = contiguous(c[0]), scales = contiguous(c[1]);
  const auto *bytes = codes.read<std::uint8_t>(), *scale_bytes = scales.read<std::uint8_t>();
  const Kernels simd;
  parallel_for(groups, 256, [&](std::int64_t from, std::int64_t to) {
    const std::int64_t batch = kBatch.of(to - from);
    Room<float> values(static_cast<std::size_t>(batch * f.group)), s(static_cast<std::size_t>(batch));
    for (std::int64_t i = from; i < to; i += batch) {
      const std::int64_t n = std::min(batch, to - i);
      cpu::scale_values(f, scale_bytes + i, n, s.data());
      for (std::int64_t j = 0; global && j < n; ++j) s[static_cast<std::size_t>(j)] *= factor;
      simd.round_floats(s.data(), n, t, s.data());
      simd.weights(bytes + i * f.group * f.bits / 8, f, s.data(), s.data(), n * f.group, values.data());
      simd.from_floats(values.data(), n * f.group, w.type, w.at(i * f.group));
    }
  });
}

void dequantize_any(const Call& c, std::vector<Tensor>& out) {
  c.text("mode") == "affine" ? dequantize(c, out) : dequantize_blocks(c, out);
}

// ---------------------------------------------------------------------------- conditions

const Condition kSmallFloats{
    Stage::shape_dtype, "an operand or the result is not f32, f16 or bf16", [](const Call& c, const Device&) {
      const auto to = c.dtype_attr("dtype");
      const bool affine = c.text("mode") == "affine";
      return (!to || small_float(*to)) && (!affine || (small_float(c.dtype(1)) && small_float(c.dtype(2))));
    }};

}  // namespace

std::vector<Route> quant_cpu_routes() {
  constexpr auto cpu = Tier::unavailable;
  std::vector<Route> all{
      {"quantize", "cpu.vector", cpu, cpu, {}, {}, nullptr, host<quantize_any>},
      {"dequantize", "cpu.vector", cpu, cpu, {kSmallFloats}, {}, nullptr, host<dequantize_any>},
  };
  for (Route& r : cpu::quantized_products("quantized_matmul")) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
