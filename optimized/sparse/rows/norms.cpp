// Normalisations on the CPU: column sums in blocks of rows, rows one by one, all in binary64.
#include <algorithm>
#include <cmath>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(int norm_lanes())
PLUMB_DECLARE_SIMD(void column_sums(bool half, const void* x, std::int64_t rows, std::int64_t channels,
                                    const double* centre, double* sums))
PLUMB_DECLARE_SIMD(void column_norm(bool half, const void* x, std::int64_t rows, std::int64_t channels,
                                    const double* mean, const double* scale, const double* bias, void* out))
PLUMB_DECLARE_SIMD(void row_norm(bool half, const void* x, std::int64_t rows, std::int64_t channels, bool centred,
                                 double eps, const double* scale, const double* bias, void* out))

namespace {

constexpr Limit kBlockRows{"norms.block_rows", 256, 6};
constexpr std::int64_t kGrain = 1 << 14;  // elements worth a thread
constexpr std::size_t kBeyond = 16;       // vectors are read by whole registers

// Per channel in binary64, or a constant where it is not given.
Room<double> vector_of(const Call& call, std::size_t input, double otherwise) {
  const auto channels = static_cast<std::size_t>(call.shape(0)[1]);
  Room<double> v(channels + kBeyond, otherwise);
  if (!call.has(input)) return v;
  const Tensor t = contiguous(call[input]);
  for (std::size_t c = 0; c < channels; ++c)
    v[c] = t.dtype() == Dtype::f16 ? static_cast<double>(half_to_float(t.read<std::uint16_t>()[c]))
                                   : static_cast<double>(t.read<float>()[c]);
  return v;
}

double eps_of(const Call& call) { return static_cast<double>(to_float(call.number("eps"))); }

// A dense matrix of features.
struct Matrix {
  Tensor t;
  bool half;
  std::int64_t rows, channels, row_bytes;
  explicit Matrix(const Tensor& x)
      : t(contiguous(x)),
        half(x.dtype() == Dtype::f16),
        rows(x.dim(0)),
        channels(x.dim(1)),
        row_bytes(channels * info(x.dtype()).bytes) {}
  const std::byte* row(std::int64_t i) const { return t.read<std::byte>() + i * row_bytes; }
  std::int64_t grain() const { return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, channels)); }
};

// The mean over n rows of x, or of (x - centre)^2: blocks of rows, whose sums are added in order.
Room<double> column_means(const Matrix& x, std::int64_t n, const double* centre) {
  const std::int64_t each = kBlockRows.of(n), blocks = (n + each - 1) / each;
  const auto channels = static_cast<std::size_t>(x.channels);
  Room<double> parts(static_cast<std::size_t>(blocks) * channels), sums(channels + kBeyond, 0.0);
  parallel_for(blocks, std::max<std::int64_t>(1, x.grain() / each), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) PLUMB_DISPATCH(column_sums)
    (x.half, x.row(b * each), std::min(each, n - b * each), x.channels, centre,
     parts.data() + static_cast<std::size_t>(b) * channels);
  });
  for (std::size_t b = 0; b < static_cast<std::size_t>(blocks); ++b)
    for (std::size_t c = 0; c < channels; ++c) sums[c] += parts[b * channels + c];
  for (double& s : sums) s /= static_cast<double>(n);
  return sums;
}

void normalise_columns(const Matrix& x, double eps, const Room<double>& mean, const Room<double>& variance,
                       Room<double> scale, const Room<double>& bias, const Tensor& out) {
  for (std::size_t c = 0; c < scale.size(); ++c) scale[c] *= 1 / std::sqrt(variance[c] + eps);
  auto* to = out.write<std::byte>();
  parallel_for(x.rows, x.grain(), [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(column_norm)
    (x.half, x.row(begin), end - begin, x.channels, mean.data(), scale.data(), bias.data(), to + begin * x.row_bytes);
  });
}

void batch_norm_features(const Call& call, std::vector<Tensor>& out) {
  const Matrix x(call[0]);
  normalise_columns(x, eps_of(call), vector_of(call, 3, 0), vector_of(call, 4, 0), vector_of(call, 1, 1),
                    vector_of(call, 2, 0), out[0]);
}

void batch_norm(const Call& call, std::vector<Tensor>& out) {
  const Matrix x(call[0]);
  const std::int64_t n = call.has(1) ? call[1].read<std::int32_t>()[0] : x.rows;
  const Room<double> mean = column_means(x, n, nullptr), variance = column_means(x, n, mean.data());
  for (std::int64_t c = 0; c < x.channels; ++c) {
    out[1].write<float>()[c] = static_cast<float>(mean[static_cast<std::size_t>(c)]);
    out[2].write<float>()[c] = static_cast<float>(variance[static_cast<std::size_t>(c)]);
  }
  normalise_columns(x, eps_of(call), mean, variance, vector_of(call, 2, 1), vector_of(call, 3, 0), out[0]);
}

template <bool centred>
void row_norm(const Call& call, std::vector<Tensor>& out) {
  const Matrix x(call[0]);
  const Room<double> scale = vector_of(call, 1, 1),
                     bias = centred ? vector_of(call, 2, 0) : Room<double>(scale.size(), 0.0);
  auto* to = out[0].write<std::byte>();
  parallel_for(x.rows, x.grain(), [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(row_norm)
    (x.half, x.row(begin), end - begin, x.channels, centred, eps_of(call), scale.data(), bias.data(),
     to + begin * x.row_bytes);
  });
}

Order wide() {
  Order o;
  o.accumulator = Dtype::f64;
  o.function_ulps = 1;  // a root and a quotient, each rounded once
  o.epilogue = 1;       // the quotient by n
  return o;
}
Order column_order(const Call&) {
  Order o = wide();
  o.block = kBlockRows.now();
  return o;
}
Order row_order(const Call&) {
  Order o = wide();
  o.shape = Order::Shape::lanes;
  o.lanes = PLUMB_DISPATCH(norm_lanes)();
  return o;
}

template <void (*F)(const Call&, std::vector<Tensor>&)>
Route route(std::string_view op, std::string_view name, Order (*order)(const Call&)) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .order = order, .prepare = host<F>};
}

}  // namespace

std::vector<Route> norms_cpu_routes() {
  return {route<batch_norm_features>("batch_norm_features", "cpu.columns", column_order),
          route<batch_norm>("batch_norm", "cpu.columns", column_order),
          route<row_norm<true>>("layer_norm_features", "cpu.rows", row_order),
          route<row_norm<false>>("rms_norm_features", "cpu.rows", row_order)};
}

}  // namespace plumb
