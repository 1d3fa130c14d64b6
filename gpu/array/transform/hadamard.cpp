// Hadamard transforms on the device: an axis that local memory holds at once, or several one after the other, of which
// the last one has the matrix of order m. See kernels/array/transform/hadamard.cl.
#include <algorithm>

#include "gpu/runtime.h"
#include "plans/array/transform/hadamard.h"

namespace plumb {
namespace {

constexpr std::int64_t kGroup = 256, kHeld = 4096;            // work-items, scalars held, as in the kernel
constexpr Limit kLongest{"gpu.hadamard.longest", kHeld, 64};  // rows of one pass
constexpr std::int64_t kWide = 16;                            // columns of a pass whose rows lie apart
constexpr std::int64_t kWorthDevice = 1 << 16;                // elements

struct Pass {
  std::int64_t inner, r, m;
};

// Powers of two as one axis after the other, innermost first; the matrix of order m goes with the last one.
std::vector<Pass> passes(const hadamard::Length& l, std::int64_t scalars) {
  std::vector<Pass> all;
  std::int64_t done = 1;
  const std::int64_t most = kLongest.of(l.n);
  const auto room = [&] { return done * scalars == 1 ? most : most / kWide; };
  while (l.n / done > room()) {
    const std::int64_t r = std::min(room(), l.p / done);
    if (r <= 1) break;
    all.push_back({done * scalars, r, 1});
    done *= r;
  }
  if (l.n > done || all.empty()) all.push_back({done * scalars, l.p / done, l.m});
  return all;
}

Job prepare(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t size = out[0].size();
  if (size == 0) return gpu::job(std::move(out), [] {});
  const hadamard::Length l = hadamard::length_of(c);
  const bool complex = is_complex(specs[0].dtype), wide = specs[0].dtype == Dtype::f64;
  const Dtype via = wide ? Dtype::f64 : Dtype::f32, to = complex ? Dtype::f32 : specs[0].dtype;
  const std::int64_t scalars = complex ? 2 : 1;
  const std::vector<Pass> all = passes(l, scalars);
  const auto minus = hadamard::minus_signs(l.m);
  std::vector<std::uint32_t> words(minus.begin(), minus.end());
  words.resize(static_cast<std::size_t>(l.m));
  const gpu::BufferPtr signs = gpu::constants(words);
  const gpu::BufferPtr y = gpu::output(out[0]);
  const bool direct = via == to;  // what passes leave for the next fits the output
  const gpu::BufferPtr between =
      all.size() == 1 || direct ? y : gpu::scratch(static_cast<std::size_t>(size * scalars * info(via).bytes));
  std::vector<std::pair<gpu::Kernel, std::size_t>> launches;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Pass p = all[i];
    const bool begins = i == 0, ends = i + 1 == all.size();
    const std::int64_t rows = p.r * p.m, total = size * scalars / rows;
    const std::int64_t columns = std::clamp<std::int64_t>(kHeld / rows, 1, std::min<std::int64_t>(total, kHeld));
    gpu::Kernel k("hadamard", "hadamard", {{"X", via}});
    k.arg(begins ? gpu::dense(c[0]) : between).arg(begins ? (complex ? Dtype::f32 : c.dtype(0)) : via);
    k.arg(ends ? y : between).arg(ends ? to : via).arg(total).arg(p.inner);
    k.arg(static_cast<std::int32_t>(p.r)).arg(static_cast<std::int32_t>(p.m));
    k.arg(static_cast<std::int32_t>(columns)).arg(signs);
    const double factor = ends ? hadamard::scale(c) : 1;
    if (wide) k.arg(factor);
    else k.arg(static_cast<float>(factor));
    launches.emplace_back(k, static_cast<std::size_t>((total + columns - 1) / columns * kGroup));
  }
  return gpu::job(std::move(out), [launches] {
    for (const auto& [k, items] : launches) k.run({items}, {static_cast<std::size_t>(kGroup)});
  });
}

bool has_fp64(const Call& c, const Device& d) { return d.fp64 || c.dtype(0) != Dtype::f64; }
bool large(const Call& c, const Device&) { return c[0].size() >= kWorthDevice; }

}  // namespace

std::vector<Route> hadamard_gpu_routes() {
  return {{.op = "hadamard_transform",
           .name = "gpu.local",
           .tier = Tier::gpu,
           .needs = Tier::gpu,
           .supports = {{Stage::capability, "the device has no f64 arithmetic", has_fp64}},
           .prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements", large}},
           .order = hadamard::order,
           .prepare = prepare}};
}

}  // namespace plumb
