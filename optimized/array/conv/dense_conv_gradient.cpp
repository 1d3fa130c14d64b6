// CPU routes of the gradients of the dense convolutions. That of the input is a convolution of the adjoint geometry;
// that of the weight is, for each tap, a product over the pairs of output pixels and the input that the tap finds.
#include <algorithm>

#include "core/limits.h"
#include "core/pool.h"
#include "optimized/array/conv/conv_operands.h"
#include "optimized/element_of.h"
#include "optimized/floats.h"

namespace plumb {
namespace cpu {
namespace {

using conv::Geometry;
using conv::Triple;

constexpr Limit kChunk{"conv.gradient_pixels", 128, 7};  // pixels of one chain
constexpr Limit kRows{"conv.gradient_rows", 24, 2};      // input channels of a task

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

template <class T>
void input_gradient(const Call& c, const Tensor& out) {
  const Geometry g = conv::geometry(c);
  const RawRoom<T> w = converted<T>(c[1], out.dtype());
  const Tensor dense({Dtype::boolean, c.shape(1)});
  convolve<T>(g.adjoint(), ChannelsLast<T>(c[2]), w.get(), conv::adjoint_weight_strides(g, dense), out);
}

void conv_input_vjp(const Call& c, std::vector<Tensor>& out) {
  if (out[0].dtype() == Dtype::f64) input_gradient<double>(c, out[0]);
  else input_gradient<float>(c, out[0]);
}

// The cotangent as [group][pixel][column], columns filled up to whole vectors.
template <class T>
RawRoom<T> by_groups(const Geometry& g, const Tensor& cotangent, std::int64_t columns) {
  const RawRoom<T> dense = converted<T>(cotangent, cotangent.dtype());
  RawRoom<T> out(std::max<std::int64_t>(1, g.groups * g.pixels() * columns));
  parallel_for(g.groups * g.pixels(), 1 << 10, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* from = dense.get() + (i % g.pixels() * g.groups + i / g.pixels()) * g.out;
      std::fill(std::copy_n(from, g.out, out.get() + i * columns), out.get() + (i + 1) * columns, T{0});
    }
  });
  return out;
}

// Of each output pixel: where tap 0 would be.
struct Origin {
  std::int64_t batch;
  Triple at;
};

Room<Origin> origins(const Geometry& g) {
  Room<Origin> all(static_cast<std::size_t>(g.pixels()));
  std::size_t p = 0;
  for (std::int64_t b = 0; b < g.batch; ++b)
    for (std::int64_t i = 0; i < g.m[0]; ++i)
      for (std::int64_t j = 0; j < g.m[1]; ++j)
        for (std::int64_t k = 0; k < g.m[2]; ++k)
          all[p++] = {b, {i * g.stride[0] - g.low[0], j * g.stride[1] - g.low[1], k * g.stride[2] - g.low[2]}};
  return all;
}

// Pairs of a tap in a chunk of pixels: the input that it finds, and the pixel's cotangent.
template <class T>
struct Pairs {
  Room<const T*> x, g;
  std::int64_t count = 0;

  explicit Pairs(std::int64_t most) : x(static_cast<std::size_t>(most)), g(static_cast<std::size_t>(most)) {}

  void find(const Geometry& c, const ChannelsLast<T>& in, const Room<Origin>& from, const Triple& tap,
            std::int64_t first, std::int64_t n, const T* cotangent, std::int64_t columns) {
    count = 0;
    for (std::int64_t p = first; p < first + n; ++p) {
      const Origin& o = from[static_cast<std::size_t>(p)];
      Triple at;
      bool met = true;
      for (std::size_t d = 0; d < 3; ++d) {
        const std::int64_t place = o.at[d] + tap[d] * c.dilation[d];
        at[d] = c.spread[d] == 1 ? place : place / c.spread[d];
        met = met && place >= 0 && at[d] < c.n[d] && at[d] * c.spread[d] == place;
      }
      if (!met) continue;
      x[static_cast<std::size_t>(count)] = in.at(o.batch, at[0], at[1], at[2]);
      g[static_cast<std::size_t>(count++)] = cotangent + p * columns;
    }
  }
};

// The sums of one tap: [in][column] of a group, or of all groups where each has one channel.
template <class T, class F>
void for_chunks(const Geometry& g, const ChannelsLast<T>& x, const Room<Origin>& from, std::int64_t tap,
                const T* cotangent, std::int64_t columns, Pairs<T>& pairs, F&& f) {
  const Triple at{tap / (g.k[1] * g.k[2]), tap / g.k[2] % g.k[1], tap % g.k[2]};
  const std::int64_t chunk = kChunk.of(g.pixels());
  for (std::int64_t first = 0; first < g.pixels(); first += chunk) {
    pairs.find(g, x, from, at, first, std::min(chunk, g.pixels() - first), cotangent, columns);
    if (pairs.count > 0) f();
  }
}

// dw as [group][tap][in][column], from tasks of some input channels of a tap.
template <class T>
Room<T> weight_sums(const Geometry& g, const ChannelsLast<T>& x, const T* cotangent, std::int64_t columns) {
  Room<T> sums(static_cast<std::size_t>(g.groups * g.taps() * g.in * columns));
  const Room<Origin> from = origins(g);
  const std::int64_t parts = ceil_div(g.in, kRows.of(g.in)), rows = ceil_div(g.in, parts);
  parallel_for(g.groups * g.taps() * parts, 1, [&](std::int64_t begin, std::int64_t end) {
    Pairs<T> pairs(kChunk.now());
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t first = task % parts * rows, tap = task / parts % g.taps(), group = task / parts / g.taps();
      PairSums<T> s;
      s.rows = std::min(rows, g.in - first), s.columns = s.ld = columns;
      s.sums = sums.data() + ((group * g.taps() + tap) * g.in + first) * columns;
      Room<const T*> shifted(pairs.x.size());
      for_chunks(g, x, from, tap, cotangent + group * g.pixels() * columns, columns, pairs, [&] {
        for (std::int64_t p = 0; p < pairs.count; ++p)
          shifted[static_cast<std::size_t>(p)] = pairs.x[static_cast<std::size_t>(p)] + group * g.in + first;
        s.x = shifted.data(), s.g = pairs.g.data(), s.pairs = pairs.count;
        run(s);
      });
    }
  });
  return sums;
}

// The same where each group has one channel in and one out: dw as [tap][group].
template <class T>
Room<T> depthwise_sums(const Geometry& g, const ChannelsLast<T>& x, const T* cotangent) {
  Room<T> sums(static_cast<std::size_t>(g.taps() * g.groups));
  const Room<Origin> from = origins(g);
  parallel_for(g.taps(), 1, [&](std::int64_t begin, std::int64_t end) {
    Pairs<T> pairs(kChunk.now());
    for (std::int64_t tap = begin; tap < end; ++tap)
      for_chunks(g, x, from, tap, cotangent, g.groups, pairs, [&] {
        run(PairProducts<T>{pairs.x.data(), pairs.g.data(), pairs.count, g.groups, sums.data() + tap * g.groups});
      });
  });
  return sums;
}

template <class T>
void round_row(const T* sums, std::int64_t n, const Tensor& out, std::int64_t at) {
  if constexpr (sizeof(T) == 8) std::copy_n(sums, n, out.write<double>() + at);
  else PLUMB_DISPATCH(from_floats)
  (sums, n, element_of(out.dtype()), out.write<std::byte>() + at * info(out.dtype()).bytes);
}

// out[f,k,c] from the sums; those of tap t belong to the tap k that it reads.
template <class T>
void write_weight(const Geometry& g, const Room<T>& sums, std::int64_t columns, const Tensor& out) {
  const bool depthwise = g.in == 1 && g.out == 1;
  Room<T> row(static_cast<std::size_t>(g.taps() * g.in));
  for (std::int64_t f = 0; f < g.groups * g.out; ++f) {
    const std::int64_t group = f / g.out;
    for (std::int64_t t = 0; t < g.taps(); ++t)
      for (std::int64_t c = 0; c < g.in; ++c) {
        const std::int64_t k = g.flip ? g.taps() - 1 - t : t;
        const std::int64_t at =
            depthwise ? t * g.groups + f : ((group * g.taps() + t) * g.in + c) * columns + f % g.out;
        row[static_cast<std::size_t>(k * g.in + c)] = sums[static_cast<std::size_t>(at)];
      }
    round_row(row.data(), g.taps() * g.in, out, f * g.taps() * g.in);
  }
}

template <class T>
void weight_gradient(const Call& c, const Tensor& out) {
  const Geometry g = conv::geometry(c);
  if (out.size() == 0) return;
  const ChannelsLast<T> x(c[0]);
  if (g.in == 1 && g.out == 1) {
    const RawRoom<T> cotangent = converted<T>(c[2], c.dtype(2));
    return write_weight(g, depthwise_sums(g, x, cotangent.get()), 1, out);
  }
  const std::int64_t lanes = ConvExtents<T>().lanes, columns = ceil_div(g.out, lanes) * lanes;
  const RawRoom<T> cotangent = by_groups<T>(g, c[2], columns);
  write_weight(g, weight_sums(g, x, cotangent.get(), columns), columns, out);
}

void conv_weight_vjp(const Call& c, std::vector<Tensor>& out) {
  if (out[0].dtype() == Dtype::f64) weight_gradient<double>(c, out[0]);
  else weight_gradient<float>(c, out[0]);
}

Order one_chain(const Call& c) { return conv_order(c.dtype(0)); }

Order by_chunks(const Call& c) {
  Order o = conv_order(c.dtype(0));
  o.block = kChunk.now();
  return o;
}

}  // namespace
}  // namespace cpu

std::vector<Route> dense_conv_gradient_cpu_routes() {
  Route input, weight;
  input.op = "conv_input_vjp";
  input.name = "cpu.tiles";
  input.order = cpu::one_chain;
  input.prepare = host<cpu::conv_input_vjp>;
  weight.op = "conv_weight_vjp";
  weight.name = "cpu.pairs";
  weight.order = cpu::by_chunks;
  weight.prepare = host<cpu::conv_weight_vjp>;
  return {input, weight};
}

}  // namespace plumb
