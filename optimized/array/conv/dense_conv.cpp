// CPU routes of the dense convolutions. Output pixels are cut into blocks; for each a table says where every tap finds
// its input, so that nothing is unfolded: borders, strides, dilations and foreign layouts are a matter of the table.
#include <algorithm>
#include <atomic>
#include <numeric>

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
using conv::WeightStrides;

constexpr Limit kPixels{"conv.pixels", 96, 12};     // of a block
constexpr Limit kTable{"conv.table", 1 << 15, 64};  // pointers of a block's table
constexpr Limit kPhases{"conv.phases", 64, 3};      // ways in which taps may meet pixels that are told apart
constexpr std::int64_t kGrain = 1 << 14;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Output pixels in an order in which neighbours meet the same taps: where the input is spread, those of one phase
// follow each other.
class Pixels {
 public:
  explicit Pixels(const Geometry& g) : g_(g) {
    std::int64_t phases = 1;
    for (std::size_t d = 0; d < 3; ++d) {
      period_[d] = std::min(g.m[d], g.spread[d] / std::gcd(g.spread[d], g.stride[d]));
      phases *= period_[d];
    }
    if (phases > kPhases.of(phases)) period_ = {1, 1, 1}, phases = 1;
    for (std::int64_t p = 0; p < phases; ++p) {
      const Triple phase = parts(p, period_);
      begin_.push_back(begin_.back() + g.batch * extent(phase, 0) * extent(phase, 1) * extent(phase, 2));
    }
  }

  struct Place {
    std::int64_t batch;
    Triple at;
  };
  Place operator[](std::int64_t i) const {
    const auto phase = std::upper_bound(begin_.begin(), begin_.end(), i) - begin_.begin() - 1;
    const Triple first = parts(phase, period_);
    const Triple size{extent(first, 0), extent(first, 1), extent(first, 2)};
    std::int64_t rest = i - begin_[static_cast<std::size_t>(phase)];
    const std::int64_t each = size[0] * size[1] * size[2], b = rest / each;
    Triple at = parts(rest % each, size);
    for (std::size_t d = 0; d < 3; ++d) at[d] = first[d] + at[d] * period_[d];
    return {b, at};
  }

 private:
  static Triple parts(std::int64_t i, const Triple& size) {
    return {i / (size[1] * size[2]), i / size[2] % size[1], i % size[2]};
  }
  std::int64_t extent(const Triple& phase, std::size_t d) const { return ceil_div(g_.m[d] - phase[d], period_[d]); }

  const Geometry& g_;
  Triple period_{1, 1, 1};
  std::vector<std::int64_t> begin_{0};
};

// The weight as slivers of output channels, `columns` wide and filled up with zeros: [group][sliver][tap][in][column].
template <class T>
class Slivers {
 public:
  Slivers(const Geometry& g, const T* w, const WeightStrides& s, std::int64_t columns)
      : columns_(columns), each_(ceil_div(g.out, columns)), size_(g.taps() * g.in * columns) {
    data_ = RawRoom<T>(std::max<std::int64_t>(1, g.groups * each_ * size_));
    parallel_for(g.groups * each_, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, size_)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) pack(g, w, s, i);
                 });
  }
  std::int64_t count() const { return each_; }  // of a group
  const T* at(std::int64_t group, std::int64_t sliver) const { return data_.get() + (group * each_ + sliver) * size_; }
  bool finite() const { return finite_; }

 private:
  void pack(const Geometry& g, const T* w, const WeightStrides& s, std::int64_t i) {
    const std::int64_t first = i % each_ * columns_, n = std::min(columns_, g.out - first);
    const T* from = w + i / each_ * s.group + first * s.out;
    T* to = data_.get() + i * size_;
    bool finite = true;
    for (std::int64_t t = 0; t < g.taps(); ++t) {
      const std::int64_t k = g.flip ? g.taps() - 1 - t : t;
      const T* tap =
          from + k / (g.k[1] * g.k[2]) * s.axis[0] + k / g.k[2] % g.k[1] * s.axis[1] + k % g.k[2] * s.axis[2];
      for (std::int64_t c = 0; c < g.in; ++c, to += columns_) {
        for (std::int64_t f = 0; f < n; ++f) to[f] = tap[c * s.in + f * s.out];
        std::fill(to + n, to + columns_, T{0});
        for (std::int64_t f = 0; f < n; ++f) finite = finite && std::isfinite(to[f]);
      }
    }
    if (!finite) finite_ = false;
  }

  RawRoom<T> data_;
  std::int64_t columns_, each_, size_;
  std::atomic<bool> finite_{true};
};

// Where each tap of a block of pixels finds the input, and where their sums go.
template <class T>
class Table {
 public:
  Table(const Geometry& g, const ChannelsLast<T>& x, const Pixels& pixels, const T* zero, std::int64_t block)
      : g_(g),
        x_(x),
        pixels_(pixels),
        zero_(zero),
        at_(static_cast<std::size_t>(g.taps() * block)),
        places_(static_cast<std::size_t>(block)),
        step_(block) {}

  void fill(std::int64_t first, std::int64_t n) {
    std::fill(at_.begin(), at_.end(), zero_);
    const std::int64_t channels = g_.groups * g_.out;
    for (std::int64_t p = 0; p < n; ++p) {
      const Pixels::Place place = pixels_[first + p];
      const Triple& o = place.at;
      places_[static_cast<std::size_t>(p)] =
          (((place.batch * g_.m[0] + o[0]) * g_.m[1] + o[1]) * g_.m[2] + o[2]) * channels;
      meet(place, at_.data() + p);
    }
  }
  const T* const* at() const { return at_.data(); }
  const std::int64_t* places() const { return places_.data(); }
  std::int64_t step() const { return step_; }

 private:
  void meet(const Pixels::Place& p, const T** at) const {
    for (std::int64_t a = 0; a < g_.k[0]; ++a) {
      const std::int64_t i = g_.input(0, p.at[0], a);
      for (std::int64_t b = 0; b < g_.k[1]; ++b) {
        const std::int64_t j = i < 0 ? -1 : g_.input(1, p.at[1], b);
        for (std::int64_t c = 0; c < g_.k[2]; ++c, at += step_)
          if (const std::int64_t k = j < 0 ? -1 : g_.input(2, p.at[2], c); k >= 0) *at = x_.at(p.batch, i, j, k);
      }
    }
  }

  const Geometry& g_;
  const ChannelsLast<T>& x_;
  const Pixels& pixels_;
  const T* zero_;
  Room<const T*> at_;
  Room<std::int64_t> places_;
  std::int64_t step_;
};

// Pixels of a block: whole tiles, few enough that the table stays in the cache.
std::int64_t block_of(const Geometry& g, std::int64_t rows) {
  const std::int64_t most = std::min(kPixels.of(g.pixels()), kTable.of(g.taps() * rows) / g.taps());
  return std::max<std::int64_t>(1, most / rows) * rows;
}

// f(table, first pixel, pixels, part) over blocks of pixels, each in `parts` tasks.
template <class T, class F>
void for_blocks(const Geometry& g, const ChannelsLast<T>& x, const T* zero, std::int64_t rows, std::int64_t most_parts,
                F&& f) {
  const Pixels pixels(g);
  const std::int64_t block = block_of(g, rows), blocks = ceil_div(g.pixels(), block);
  const std::int64_t parts = std::min(most_parts, std::max<std::int64_t>(1, ceil_div(2 * threads(), blocks)));
  parallel_for(blocks * parts, 1, [&](std::int64_t begin, std::int64_t end) {
    Table<T> table(g, x, pixels, zero, block);
    for (std::int64_t task = begin, filled = -1; task < end; ++task) {
      const std::int64_t first = task / parts * block, n = std::min(block, g.pixels() - first);
      if (filled != first) table.fill(first, n);
      filled = first;
      f(table, n, task % parts, parts);
    }
  });
}

template <class T>
void depthwise(const Geometry& g, const ChannelsLast<T>& x, const T* w, const WeightStrides& s, const Tensor& out) {
  RawRoom<T> weight(g.taps() * g.groups);
  const Slivers<T> columns(g, w, s, 1);
  for (std::int64_t c = 0; c < g.groups; ++c)
    for (std::int64_t t = 0; t < g.taps(); ++t) weight[t * g.groups + c] = columns.at(c, 0)[t];
  const T zero = 0;
  void* y = out.write<std::byte>();
  for_blocks<T>(g, x, &zero, 1, 1, [&](const Table<T>& table, std::int64_t n, std::int64_t, std::int64_t) {
    const DepthwiseTile<T> tile{
        table.at(), table.step(),           n, g.taps(), g.groups, &zero, weight.get(), table.places(),
        y,          element_of(out.dtype())};
    run(tile);
  });
}

}  // namespace

template <class T>
void convolve(const Geometry& g, const ChannelsLast<T>& x, const T* w, const WeightStrides& s, const Tensor& out) {
  if (out.size() == 0) return;
  if (g.in == 1 && g.out == 1) return depthwise(g, x, w, s, out);
  const ConvExtents<T> e;
  const Slivers<T> slivers(g, w, s, e.columns);
  const Room<T> zero(static_cast<std::size_t>(std::max<std::int64_t>(1, g.groups * g.in)));
  const std::int64_t all = g.groups * slivers.count();
  auto* y = out.write<std::byte>();
  const std::int64_t bytes = info(out.dtype()).bytes;
  for_blocks<T>(g, x, zero.data(), e.rows, all,
                [&](const Table<T>& table, std::int64_t n, std::int64_t part, std::int64_t parts) {
                  ConvTile<T> tile{table.at(), table.step(), n, g.taps(), g.in, 0, zero.data()};
                  tile.finite = slivers.finite(), tile.places = table.places(), tile.type = element_of(out.dtype());
                  for (std::int64_t i = part * all / parts; i < (part + 1) * all / parts; ++i) {
                    const std::int64_t group = i / slivers.count(), first = i % slivers.count() * e.columns;
                    tile.shift = group * g.in;
                    tile.weight = slivers.at(group, i % slivers.count());
                    tile.columns = std::min<std::int64_t>(e.columns, g.out - first);
                    tile.out = y + (group * g.out + first) * bytes;
                    run(tile);
                  }
                });
}
template void convolve(const Geometry&, const ChannelsLast<float>&, const float*, const WeightStrides&, const Tensor&);
template void convolve(const Geometry&, const ChannelsLast<double>&, const double*, const WeightStrides&,
                       const Tensor&);

Order conv_order(Dtype out) {
  Order o;
  o.accumulator = out == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.fma = isa() != Isa::base;
  return o;
}

namespace {

// Dense tensors' strides, whatever those of the weight were before it was converted.
Tensor dense_like(const Tensor& t) { return Tensor({Dtype::boolean, t.shape()}); }

template <class T>
void forward(const Call& c, const Tensor& out) {
  const Geometry g = conv::geometry(c);
  const RawRoom<T> w = converted<T>(c[1], out.dtype());
  convolve<T>(g, ChannelsLast<T>(c[0]), w.get(), conv::weight_strides(g, dense_like(c[1])), out);
}

void dense_conv(const Call& c, std::vector<Tensor>& out) {
  if (out[0].dtype() == Dtype::f64) forward<double>(c, out[0]);
  else forward<float>(c, out[0]);
}

// ---- convolve

// One sum where v is not finite: what x does not have is skipped.
template <class T>
T overlap(const T* x, std::int64_t n, const T* v, std::int64_t m, std::int64_t first) {
  const bool fused = isa() != Isa::base;
  T sum = 0;
  for (std::int64_t k = std::max<std::int64_t>(0, -first); k < std::min(m, n - first); ++k)
    sum = fused ? std::fma(x[first + k], v[k], sum) : sum + x[first + k] * v[k];
  return sum;
}

template <class T>
void vectors(const Call& c, const Tensor& out) {
  const Geometry g = conv::geometry(c);
  const bool swap = conv::swaps(c);
  const std::int64_t n = g.n[2], m = g.k[2], total = g.m[2];
  const RawRoom<T> a = converted<T>(c[swap], out.dtype()), b = converted<T>(c[!swap], out.dtype());
  RawRoom<T> sums(total);
  Room<T> v(static_cast<std::size_t>(m)), x(static_cast<std::size_t>(n + 2 * m + 64));
  for (std::int64_t k = 0; k < m; ++k) v[static_cast<std::size_t>(k)] = b[m - 1 - k];
  const bool finite = std::all_of(v.begin(), v.end(), [](T e) { return std::isfinite(e); });
  std::copy_n(a.get(), n, x.begin() + m);
  parallel_for(total, std::max<std::int64_t>(64, kGrain / m), [&](std::int64_t begin, std::int64_t end) {
    const SlidingSum<T> s{x.data() + m - g.low[2] + begin, v.data(), m, end - begin, sums.get() + begin};
    if (finite) return run(s);
    for (std::int64_t j = begin; j < end; ++j) sums[j] = overlap(a.get(), n, v.data(), m, j - g.low[2]);
  });
  void* y = out.write<std::byte>();
  if constexpr (sizeof(T) == 8) std::copy_n(sums.get(), total, static_cast<double*>(y));
  else PLUMB_DISPATCH(from_floats)(sums.get(), total, element_of(out.dtype()), y);
}

void convolve_vectors(const Call& c, std::vector<Tensor>& out) {
  if (out[0].dtype() == Dtype::f64) vectors<double>(c, out[0]);
  else vectors<float>(c, out[0]);
}

Order one_chain(const Call& c) { return conv_order(output_specs(c)[0].dtype); }

}  // namespace
}  // namespace cpu

std::vector<Route> dense_conv_cpu_routes() {
  std::vector<Route> routes;
  for (const char* op : {"dense_conv1d", "dense_conv2d", "dense_conv3d", "dense_conv_general", "dense_conv_transpose1d",
                         "dense_conv_transpose2d", "dense_conv_transpose3d"}) {
    Route& r = routes.emplace_back();
    r.op = op;
    r.name = "cpu.tiles";
    r.order = cpu::one_chain;
    r.prepare = host<cpu::dense_conv>;
  }
  Route& r = routes.emplace_back();
  r.op = "convolve";
  r.name = "cpu.slide";
  r.order = cpu::one_chain;
  r.prepare = host<cpu::convolve_vectors>;
  return routes;
}

}  // namespace plumb
