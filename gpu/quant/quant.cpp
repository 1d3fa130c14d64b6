// OpenCL routes of quantization.
#include <string>
#include <vector>

#include "gpu/quant/product.h"
#include "gpu/runtime.h"

namespace plumb {
namespace {

using gpu::Kernel;

bool small_float(Dtype t) { return t == Dtype::f32 || t == Dtype::f16 || t == Dtype::bf16; }

// Rows hold whole groups and whole words, so the whole tensor is one line of groups.
Job quantize(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t total = c[0].size();
  Kernel kernel("quant", "quantize");
  kernel.arg(gpu::dense(c[0])).arg(c.dtype(0));
  for (const Tensor& t : out) kernel.arg(gpu::output(t));
  const gpu::QuantFormat f = gpu::quant_format(c);
  kernel.arg(f.bits).arg(f.group / 32).arg(total);
  return gpu::job(out, [kernel, total] { kernel.run({static_cast<std::size_t>((total + 31) / 32)}, {64}); });
}

Job dequantize(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t units = out[0].size() / 8;
  Kernel kernel("quant", "dequantize");
  kernel.arg(gpu::dense(c[0])).arg(gpu::dense(c[1])).arg(gpu::dense(c[2])).arg(c.dtype(1));
  kernel.arg(gpu::output(out[0])).arg(out[0].dtype());
  const gpu::QuantFormat f = gpu::quant_format(c);
  kernel.arg(f.bits).arg(f.group).arg(units);
  return gpu::job(out, [kernel, units] { kernel.run({static_cast<std::size_t>(units)}, {64}); });
}

Job quantize_blocks(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t groups = out[1].size();
  const bool wide = c.has("global_scale");
  const float g = wide ? 2688 / c["global_scale"].read<float>()[0] : 1;
  const gpu::QuantFormat f = gpu::quant_format(c);
  Kernel kernel("quant", "quantize_blocks");
  kernel.arg(gpu::dense(c[0]))
      .arg(c.dtype(0))
      .arg(gpu::output(out[0]))
      .arg(gpu::output(out[1]))
      .arg(f.bits)
      .arg(f.group)
      .arg(f.mode);
  kernel.arg(std::int32_t{wide}).arg(g).arg(groups);
  return gpu::job(out, [kernel, groups] { kernel.run({static_cast<std::size_t>(groups)}, {64}); });
}

Job dequantize_blocks(const Call& c, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t units = out[0].size() / 8;
  const bool wide = c.has("global_scale");
  const float factor = wide ? c["global_scale"].read<float>()[0] / 2688 : 1;
  const gpu::QuantFormat f = gpu::quant_format(c);
  Kernel kernel("quant", "dequantize_blocks");
  kernel.arg(gpu::dense(c[0])).arg(gpu::dense(c[1])).arg(gpu::output(out[0])).arg(out[0].dtype());
  kernel.arg(f.bits).arg(f.group).arg(f.mode).arg(std::int32_t{wide}).arg(factor).arg(units);
  return gpu::job(out, [kernel, units] { kernel.run({static_cast<std::size_t>(units)}, {64}); });
}

Job quantize_any(const Call& c, const std::vector<Spec>& specs) {
  return c.text("mode") == "affine" ? quantize(c, specs) : quantize_blocks(c, specs);
}
Job dequantize_any(const Call& c, const std::vector<Spec>& specs) {
  return c.text("mode") == "affine" ? dequantize(c, specs) : dequantize_blocks(c, specs);
}

// ---------------------------------------------------------------------------- conditions

const Condition kDoubles{Stage::capability, "the device has no fp64, whose division rounds correctly",
                         [](const Call&, const Device& d) { return d.fp64; }};
const Condition kPlainScales{
    Stage::shape_dtype, "scales, biases and result are not f32, f16 or bf16, the first two alike",
    [](const Call& c, const Device&) {
      const auto to = c.dtype_attr("dtype");
      const bool affine = c.text("mode") == "affine";
      return (!to || small_float(*to)) && (!affine || (small_float(c.dtype(1)) && c.dtype(1) == c.dtype(2)));
    }};
const Condition kManyNumbers{Stage::shape_dtype, "under 65536 numbers", [](const Call& c, const Device&) {
                               return c[0].size() * 32 / gpu::quant_format(c).bits >= 65536;
                             }};
const Condition kManyInputs{Stage::shape_dtype, "under 65536 numbers",
                            [](const Call& c, const Device&) { return c[0].size() >= 65536; }};

}  // namespace

std::vector<Route> quant_gpu_routes() {
  constexpr auto gpu = Tier::gpu;
  std::vector<Route> all{
      {"quantize", "gpu.units", gpu, gpu, {kDoubles}, {gpu::kNotHost, kManyInputs}, nullptr, quantize_any},
      {"dequantize", "gpu.units", gpu, gpu, {kPlainScales}, {gpu::kNotHost, kManyNumbers}, nullptr, dequantize_any},
  };
  for (Route& r : gpu::quantized_products("quantized_matmul")) all.push_back(std::move(r));
  return all;
}

}  // namespace plumb
