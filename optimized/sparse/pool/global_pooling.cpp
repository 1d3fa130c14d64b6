// Global pooling on the CPU: rows listed by batch, lists cut into chunks of fixed length, chunks shared out among
// threads, and the partial results of a batch joined in order.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/sparse/pool/pooling.h"

namespace plumb {
namespace {

using namespace cpu;

enum class Mode { sum, avg, max };

constexpr Limit kChunk{"global_pooling.chunk", 1024, 6};  // rows of a batch that are reduced in sequence

// Which rows belong to which batch, and the chunks that they are summed in.
struct Batches {
  std::int64_t batches, channels;
  Room<std::int32_t> of;             // of each row, -1 for none
  Room<std::int32_t> rows, offsets;  // rows by batch, ascending
  Room<std::int32_t> chunks{0};      // bounds of chunks within `rows`
  Room<std::int32_t> chunk_batch, batch_chunks{0}, numbers;

  Batches(const Call&, std::int64_t B, std::int64_t C);
  std::int64_t chunk_count() const { return std::ssize(chunks) - 1; }
  std::int64_t size(std::int64_t b) const {
    return offsets[static_cast<std::size_t>(b) + 1] - offsets[static_cast<std::size_t>(b)];
  }
};

// The batch of each row up to the active count.
Room<std::int32_t> batch_of_rows(const Call& call, std::int64_t B) {
  const Tensor coords = contiguous(call["coords"]);
  const Rows in = rows(coords, call["active_rows"]);
  Room<std::int32_t> of(static_cast<std::size_t>(coords.dim(0)), -1);
  if (call.none("batch_counts")) {
    for (std::int64_t r = 0; r < in.count; ++r)
      if (const std::int64_t b = in.at(r, 0); b >= 0 && b < B)
        of[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(b);
    return of;
  }
  std::int64_t r = 0;
  std::int32_t b = 0;
  for (const std::int64_t n : call.list("batch_counts")) {
    for (const std::int64_t end = r + n; r < end; ++r)
      if (r < in.count) of[static_cast<std::size_t>(r)] = b;
    ++b;
  }
  return of;
}

Batches::Batches(const Call& call, std::int64_t B, std::int64_t C)
    : batches(B), channels(C), of(batch_of_rows(call, B)) {
  Room<std::int32_t> group = of;
  std::replace(group.begin(), group.end(), -1, static_cast<std::int32_t>(B));
  offsets.resize(static_cast<std::size_t>(B) + 2);
  rows.resize(of.size());
  group_edges(group.data(), std::ssize(of), B + 1, offsets.data(), rows.data());
  for (std::int64_t b = 0; b < B; ++b) {
    const std::int32_t end = offsets[static_cast<std::size_t>(b) + 1];
    std::int32_t at = offsets[static_cast<std::size_t>(b)];
    for (const auto most = static_cast<std::int32_t>(kChunk.of(end - at)); at < end;) {
      at = std::min(end, at + most);
      chunks.push_back(at);
      chunk_batch.push_back(static_cast<std::int32_t>(b));
    }
    batch_chunks.push_back(static_cast<std::int32_t>(chunk_count()));
  }
  numbers.resize(chunk_batch.size());
  std::iota(numbers.begin(), numbers.end(), 0);
}

// Y[b] in f32, chunk by chunk; with `scale`, of the rows times that.
Room<float> reduced(const Batches& b, const Tensor& features, Mode mode, float scale = 1) {
  Room<float> partial(static_cast<std::size_t>(b.chunk_count() * b.channels)),
      y(static_cast<std::size_t>(b.batches * b.channels));
  const Room<float> scales(scale == 1 ? 0 : b.rows.size(), scale);
  const auto kernel = mode == Mode::max ? PLUMB_DISPATCH(pool_max) : PLUMB_DISPATCH(pool_sum);
  PoolJob job{{b.chunks.data(), b.rows.data(), nullptr, scales.empty() ? nullptr : scales.data(), nullptr},
              pool_rows(features),
              {partial.data(), false},
              b.channels,
              0,
              0};
  parallel_each(b.channels > 0 ? b.chunk_count() : 0, [&](std::int64_t chunk) {
    PoolJob part = job;
    part.begin = chunk, part.end = chunk + 1;
    kernel(part);
  });
  run_rows(kernel,
           {{b.batch_chunks.data(), b.numbers.data(), nullptr, nullptr, nullptr},
            {partial.data(), false},
            {y.data(), false},
            b.channels,
            0,
            0},
           b.batches);
  return y;
}

// A float that rounds to the half (or is the float) nearest to q: what is inexact keeps an odd last bit.
float before_rounding(double q, bool half) {
  float f = static_cast<float>(q);
  if (!half || !std::isfinite(f) || static_cast<double>(f) == q) return f;
  std::uint32_t bits;
  std::memcpy(&bits, &f, sizeof bits);
  bits = (bits - (std::abs(q) < std::abs(static_cast<double>(f)))) | 1U;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

// A mean leaves the range of its values by rounding only where all of them lie within its error, so the first one, too.
template <class T>
double in_range(double mean, const Batches& b, const T* x, std::int64_t batch, std::int64_t c, float (*value)(T)) {
  const auto at = [&](std::int32_t row) {
    return static_cast<double>(value(x[b.rows[static_cast<std::size_t>(row)] * b.channels + c]));
  };
  const auto begin = b.offsets[static_cast<std::size_t>(batch)], end = b.offsets[static_cast<std::size_t>(batch) + 1];
  const double first = at(begin), error = (end - begin + 2) * (0x1p-23 * std::abs(mean) + 0x1p-149);
  if (mean == first || !(std::abs(mean - first) <= error)) return mean;
  double least = first, most = first;
  for (std::int32_t row = begin + 1; row < end; ++row) {
    least = std::min(least, at(row));
    most = std::max(most, at(row));
  }
  return std::clamp(mean, least, most);
}

double in_range(double mean, const Batches& b, const Tensor& features, std::int64_t i) {
  const std::int64_t batch = i / b.channels, c = i % b.channels;
  if (features.dtype() == Dtype::f16) return in_range(mean, b, features.read<std::uint16_t>(), batch, c, half_to_float);
  constexpr auto as_it_is = +[](float v) { return v; };
  return in_range(mean, b, features.read<float>(), batch, c, as_it_is);
}

// y / n of each batch, once; sums that overflow are taken again of scaled rows.
void divide(Room<float>& y, const Batches& b, const Tensor& features) {
  const bool half = features.dtype() == Dtype::f16;
  const auto n = [&](std::size_t i) { return static_cast<double>(b.size(static_cast<std::int64_t>(i) / b.channels)); };
  Room<float> again;
  if (!std::all_of(y.begin(), y.end(), [](float v) { return std::isfinite(v); }))
    again = reduced(b, features, Mode::sum, 0x1p-32F);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (n(i) == 0) continue;
    const double sum = std::isfinite(y[i]) ? static_cast<double>(y[i]) : static_cast<double>(again[i]) * 0x1p32;
    y[i] = before_rounding(in_range(sum / n(i), b, features, static_cast<std::int64_t>(i)), half);
  }
}

// A copy of each, rounded to the dtype of out: the sum of one, or where a zero has its sign the greatest of one.
void store(const Room<float>& y, const Tensor& out, Mode mode) {
  if (y.empty()) return;
  const Room<std::int32_t> zeros(1, 0);
  Room<std::int32_t> bounds(2, 0);
  bounds[1] = 1;
  run_rows(mode == Mode::max ? PLUMB_DISPATCH(pool_max) : PLUMB_DISPATCH(pool_sum),
           {{bounds.data(), zeros.data(), nullptr, nullptr, nullptr},
            {y.data(), false},
            pool_output(out),
            static_cast<std::int64_t>(y.size()),
            0,
            0},
           1);
}

void check_filled(const Call& call, const Batches& b) {
  for (std::int64_t i = 0; i < b.batches; ++i)
    if (b.size(i) == 0) call.fail(Reason::domain, "batch " + std::to_string(i) + " is empty");
}

template <Mode mode>
std::shared_ptr<Batches> batches_of(const Call& call, std::int64_t B) {
  auto b = std::make_shared<Batches>(call, B, call["features"].dim(1));
  if (mode == Mode::max) check_filled(call, *b);
  return b;
}

template <Mode mode>
Job prepare(const Call& call, const std::vector<Spec>& specs) {
  const auto b = batches_of<mode>(call, specs[0].shape[0]);
  const auto out = fresh(specs);
  return {[call, b, out] {
            const Tensor features = contiguous(call["features"]);
            Room<float> y = reduced(*b, features, mode);
            if (mode == Mode::avg) divide(y, *b, features);
            store(y, (*out)[0], mode);
          },
          [] {}, [out] { return *out; }};
}

// How many rows of each batch have its greatest value.
Room<double> ties(const Batches& b, const Tensor& features, const Room<float>& best) {
  Room<float> partial(static_cast<std::size_t>(b.chunk_count() * b.channels));
  PoolJob job{{b.chunks.data(), b.rows.data(), b.chunk_batch.data(), nullptr, nullptr},
              pool_rows(features),
              {partial.data(), false},
              b.channels,
              0,
              0};
  job.bests = best.data();
  run_rows(PLUMB_DISPATCH(pool_count), job, b.chunk_count());
  Room<double> total(best.size());
  for (std::int64_t chunk = 0; chunk < b.chunk_count(); ++chunk)
    for (std::int64_t c = 0; c < b.channels; ++c)
      total[static_cast<std::size_t>(b.chunk_batch[static_cast<std::size_t>(chunk)] * b.channels + c)] +=
          static_cast<double>(partial[static_cast<std::size_t>(chunk * b.channels + c)]);
  return total;
}

template <Mode mode>
void gradient(const Call& call, const Batches& b, const Tensor& out) {
  const Tensor features = contiguous(call["features"]);
  const Wide seeds = widen(call["cotangent"]);
  const Reals& G = reals(seeds);
  const Room<float> best = mode == Mode::max ? reduced(b, features, mode) : Room<float>();
  const Room<double> many = mode == Mode::max ? ties(b, features, best) : Room<double>();
  Room<float> share(G.data.size());
  for (std::size_t i = 0; i < share.size(); ++i) {
    double n = 1;
    if (mode == Mode::avg) n = static_cast<double>(b.size(static_cast<std::int64_t>(i) / b.channels));
    if (mode == Mode::max) n = many[i];
    share[i] = before_rounding(n > 0 ? G.data[i] / n : 0, features.dtype() == Dtype::f16);
  }
  PoolJob job{
      {nullptr, b.of.data(), nullptr, nullptr, nullptr}, pool_rows(features), pool_output(out), b.channels, 0, 0};
  job.share = share.data();
  job.bests = mode == Mode::max ? best.data() : nullptr;
  run_rows(PLUMB_DISPATCH(pool_pick), job, out.dim(0));
}

template <Mode mode>
Job prepare_vjp(const Call& call, const std::vector<Spec>& specs) {
  const auto b = batches_of<mode>(call, call["cotangent"].dim(0));
  const auto out = fresh(specs);
  return {[call, b, out] { gradient<mode>(call, *b, (*out)[0]); }, [] {}, [out] { return *out; }};
}

template <Mode mode>
Order order(const Call&) {
  Order o;
  o.block = kChunk.now();
  o.epilogue = mode == Mode::avg ? 1 : 0;
  return o;
}

template <Mode mode>
Route route(std::string_view op) {
  return {.op = op,
          .name = "cpu.chunks",
          .supports = {},
          .prefers = {},
          .order = mode == Mode::max ? nullptr : order<mode>,
          .prepare = prepare<mode>,
          .prepares = "the batches"};
}

template <Mode mode>
Route vjp_route(std::string_view op) {
  return {.op = op,
          .name = "cpu.chunks",
          .supports = {},
          .prefers = {},
          .prepare = prepare_vjp<mode>,
          .prepares = "the batches"};
}

}  // namespace

std::vector<Route> global_pooling_cpu_routes() {
  return {route<Mode::sum>("global_sum_pool"),         route<Mode::avg>("global_avg_pool"),
          route<Mode::max>("global_max_pool"),         vjp_route<Mode::sum>("global_sum_pool_vjp"),
          vjp_route<Mode::avg>("global_avg_pool_vjp"), vjp_route<Mode::max>("global_max_pool_vjp")};
}

}  // namespace plumb
