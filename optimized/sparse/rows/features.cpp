// Operations on feature matrices on the CPU: projection by the blocked product, activations and dropout in vectors.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/activation.h"
#include "optimized/array/random/draws.h"
#include "optimized/dispatch.h"
#include "optimized/linalg/gemm.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void add_bias_rows(bool half, const float* sums, const float* bias, std::int64_t rows,
                                      std::int64_t channels, void* out))
PLUMB_DECLARE_SIMD(void activate_run(const Activation& f, bool half, const void* x, std::int64_t n, void* out))
PLUMB_DECLARE_SIMD(void dropout_run(bool half, const void* x, const std::uint32_t* words, std::uint64_t least,
                                    float scale, std::int64_t n, void* out))

namespace {

constexpr std::int64_t kGrain = 1 << 14;  // elements worth a thread

// ---- linear

Room<float> bias_of(const Call& call, std::int64_t channels) {
  Room<float> bias(static_cast<std::size_t>(channels), 0.0F);
  if (!call.has(2)) return bias;
  const Tensor given = contiguous(call[2]);
  for (std::int64_t c = 0; c < channels; ++c)
    bias[static_cast<std::size_t>(c)] =
        given.dtype() == Dtype::f16 ? half_to_float(given.read<std::uint16_t>()[c]) : given.read<float>()[c];
  return bias;
}

GemmOperand operand(const Tensor& t, bool transposed) {
  const std::int64_t row = t.strides()[0], column = t.strides()[1];
  return {t.read<std::byte>(), t.dtype(), transposed ? column : row, transposed ? row : column};
}

void linear(const Call& call, std::vector<Tensor>& out) {
  const std::int64_t n = out[0].dim(0), channels = out[0].dim(1), depth = call.shape(0)[1];
  if (out[0].size() == 0) return;
  const Room<float> bias = bias_of(call, channels);
  const bool half = out[0].dtype() == Dtype::f16;
  const RawRoom<float> own = half ? RawRoom<float>(n * channels) : RawRoom<float>();
  float* sums = half ? own.get() : out[0].write<float>();
  if (depth == 0) std::fill_n(sums, n * channels, 0.0F);
  else gemm(n, channels, depth, operand(call[0], false), operand(call[1], true), sums, channels);
  if (!half && !call.has(2)) return;
  auto* to = out[0].write<std::byte>();
  const std::int64_t row = channels * info(out[0].dtype()).bytes;
  parallel_for(n, std::max<std::int64_t>(1, kGrain / channels), [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(add_bias_rows)
    (half, sums + begin * channels, call.has(2) ? bias.data() : nullptr, end - begin, channels, to + begin * row);
  });
}

Order linear_order(const Call& call) {
  Order o = gemm_order(Dtype::f32);
  o.epilogue += call.has(2) ? 1 : 0;
  return o;
}

// ---- activation

Activation activation_of(const Call& call) {
  constexpr std::string_view kinds[] = {"relu", "sigmoid", "tanh", "silu", "gelu", "leaky_relu", "softplus"};
  const std::string &kind = call.text("kind"), &way = call.text("approximate");
  Activation f;
  f.kind = static_cast<Activation::Kind>(std::find(std::begin(kinds), std::end(kinds), kind) - std::begin(kinds));
  if (kind == "gelu" && way == "tanh") f.kind = Activation::gelu_tanh;
  if (kind == "gelu" && way == "fast") f.kind = Activation::gelu_fast;
  f.alpha = call.number("alpha");
  f.beta = call.number("beta");
  f.cut = call.number("threshold") / f.beta;
  return f;
}

void activation(const Call& call, std::vector<Tensor>& out) {
  const Activation f = activation_of(call);
  const Tensor x = contiguous(call[0]);
  const bool half = x.dtype() == Dtype::f16;
  const std::int64_t bytes = info(x.dtype()).bytes;
  const auto* from = x.read<std::byte>();
  auto* to = out[0].write<std::byte>();
  parallel_for(x.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(activate_run)(f, half, from + begin * bytes, end - begin, to + begin * bytes);
  });
}

Order activation_order(const Call&) {
  Order o;
  o.accumulator = Dtype::f64;
  o.function_ulps = kActivationUlps;
  o.epilogue = 1;
  return o;
}

// ---- dropout

// One word per element, as random_bits gives them.
void fill_words(const std::uint32_t* key, std::int64_t n, std::uint32_t* out) {
  const std::int64_t h = n / 2, gap = h + n % 2;
  parallel_for(h, 1 << 13, [&](std::int64_t begin, std::int64_t end) {
    auto* bytes = reinterpret_cast<unsigned char*>(out);
    PLUMB_DISPATCH(threefry_words)(key[0], key[1], begin, end, gap, bytes + 4 * begin, bytes + 4 * (begin + gap));
  });
  if (n % 2 == 0) return;
  std::uint32_t w[2];
  PLUMB_DISPATCH(threefry_pair)(key[0], key[1], static_cast<std::uint32_t>(h), 0, w);
  out[h] = w[0];
}

void dropout(const Call& call, std::vector<Tensor>& out) {
  const Tensor x = contiguous(call[0]), key = contiguous(call[1]);
  const double p = call.number("p");
  const std::int64_t n = x.size(), bytes = info(x.dtype()).bytes;
  if (n == 0) return;
  const auto* from = x.read<std::byte>();
  auto* to = out[0].write<std::byte>();
  if (!call.flag("training") || p == 0) {
    std::memcpy(to, from, static_cast<std::size_t>(n * bytes));
    return;
  }
  const bool half = x.dtype() == Dtype::f16;
  const float scale = half ? half_to_float(to_half(1 / (1 - p))) : to_float(1 / (1 - p));
  const auto least = static_cast<std::uint64_t>(std::ceil(p * 0x1p32));
  const std::unique_ptr<std::uint32_t[]> words(new std::uint32_t[static_cast<std::size_t>(n)]);
  fill_words(key.read<std::uint32_t>(), n, words.get());
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(dropout_run)
    (half, from + begin * bytes, words.get() + begin, least, scale, end - begin, to + begin * bytes);
  });
}

template <void (*F)(const Call&, std::vector<Tensor>&)>
Route route(std::string_view op, std::string_view name, Order (*order)(const Call&)) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .order = order, .prepare = host<F>};
}

}  // namespace

std::vector<Route> features_cpu_routes() {
  return {route<linear>("linear", "cpu.blocked", linear_order),
          route<activation>("activation", "cpu.vector", activation_order),
          route<dropout>("dropout", "cpu.threefry", nullptr)};
}

}  // namespace plumb
