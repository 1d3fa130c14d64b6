// CPU routes of conversions: runs of elements, through f32 for E4M3.
#include <array>

#include "core/limits.h"
#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/dense_runs.h"
#include "optimized/dispatch.h"
#include "optimized/nest.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void encode_e4m3(const float* x, std::uint8_t* codes, std::int64_t n))
PLUMB_DECLARE_SIMD(void decode_e4m3(const std::uint8_t* codes, float* x, std::int64_t n))

namespace {

constexpr Limit kBlock{"convert.block", 1024, 8};  // elements that stay in cache between two steps

void astype(const Call& c, std::vector<Tensor>& out) { convert_into(c[0], out[0].dtype(), out[0].write<std::byte>()); }

// By blocks: elements as f32 or bytes, then the step that remains.
void to_fp8(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Convert as_float = converter(c.dtype(0), Dtype::f32);
  const std::int64_t bytes = info(c.dtype(0)).bytes;
  for_dense_runs(c[0], info(out[0].dtype()).bytes, out[0].write<std::byte>(),
                 [&](const std::byte* from, std::int64_t step, std::byte* to, std::int64_t n) {
                   std::array<float, 1024> x;
                   const std::int64_t most = kBlock.of(n);
                   for (std::int64_t i = 0; i < n; i += most) {
                     const std::int64_t some = std::min(most, n - i);
                     as_float(from + i * step * bytes, step, x.data(), some);
                     PLUMB_DISPATCH(encode_e4m3)(x.data(), reinterpret_cast<std::uint8_t*>(to) + i, some);
                   }
                 });
}

void from_fp8(const Call& c, std::vector<Tensor>& out) {
  if (out[0].size() == 0) return;
  const Dtype t = out[0].dtype();
  const Convert bytes_of = converter(Dtype::u8, Dtype::u8), as_wanted = converter(Dtype::f32, t);
  for_dense_runs(c[0], info(out[0].dtype()).bytes, out[0].write<std::byte>(),
                 [&](const std::byte* from, std::int64_t step, std::byte* to, std::int64_t n) {
                   std::array<std::uint8_t, 1024> codes;
                   std::array<float, 1024> x;
                   const std::int64_t most = kBlock.of(n);
                   for (std::int64_t i = 0; i < n; i += most) {
                     const std::int64_t some = std::min(most, n - i);
                     bytes_of(from + i * step, step, codes.data(), some);
                     PLUMB_DISPATCH(decode_e4m3)(codes.data(), x.data(), some);
                     as_wanted(x.data(), 1, to + i * info(t).bytes, some);
                   }
                 });
}

Route route(const char* op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  Route r;
  r.op = op, r.name = "cpu.each", r.prepare = prepare;
  return r;
}

}  // namespace

std::vector<Route> convert_cpu_routes() {
  return {route("astype", host<astype>), route("to_fp8", host<to_fp8>), route("from_fp8", host<from_fp8>)};
}

}  // namespace plumb
