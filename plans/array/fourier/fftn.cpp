#include "plans/array/fourier/fftn.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace plumb::fft {
namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

struct AxisPass {
  std::size_t axis;
  std::int64_t n, out;  // terms, and elements of the axis behind the pass
  bool half;
};

std::vector<AxisPass> named_axes(const Request& r, bool real_in, bool real_out) {
  const Shape& shape = r.shape(0);
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::vector<std::int64_t> axes(r.op->name.back() == '2' ? 2 : shape.size()), n;
  std::iota(axes.begin(), axes.end(), rank - static_cast<std::int64_t>(axes.size()));
  if (!r.none("axes")) axes = r.list("axes");
  if (!r.none("s")) n = r.list("s");
  std::vector<AxisPass> all;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const bool half = k + 1 == axes.size() && (real_in || real_out);
    const std::size_t d = at(axes[k] < 0 ? axes[k] + rank : axes[k]);
    const std::int64_t terms = !n.empty() ? n[k] : half && real_out ? 2 * (shape[d] - 1) : shape[d];
    all.push_back({d, terms, half && real_in ? terms / 2 + 1 : terms, half});
  }
  return all;
}

// How an axis changes the number of elements, so that the fewest are passed on.
bool grows_less(const Shape& shape, const AxisPass& a, const AxisPass& b) {
  const auto growth = [&](const AxisPass& p) {
    return static_cast<double>(p.out) / static_cast<double>(shape[p.axis]);
  };
  return growth(a) < growth(b);
}

Problem problem_of(const Shape& shape, const AxisPass& a, bool inverse, bool real_out) {
  Problem p;
  p.n = a.n, p.out = a.out, p.size = shape[a.axis];
  p.inverse = inverse;
  p.real_out = a.half && real_out;
  p.real_in = a.half && !real_out;
  p.used = std::min(p.size, p.real_out ? p.n / 2 + 1 : p.n);
  p.outer = p.inner = 1;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (d != a.axis) (d < a.axis ? p.outer : p.inner) *= shape[d];
  p.lines = p.outer * p.inner;
  return p;
}

std::vector<BlockAxis> block_axes(const Shape& shape, const std::vector<AxisPass>& transformed) {
  std::vector<BlockAxis> axes;
  std::int64_t blocks = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    const bool inside =
        std::any_of(transformed.begin(), transformed.end(), [&](const AxisPass& p) { return p.axis == d; });
    if (!axes.empty() && (axes.back().step == 0) == inside) axes.back().size *= shape[d];
    else axes.push_back({shape[d], inside ? 0 : blocks});
    if (!inside) blocks *= shape[d];
  }
  return axes;
}

}  // namespace

Passes passes(const Request& r) {
  const std::string_view op = r.op->name;
  const bool inverse = op[0] == 'i', real_in = op[0] == 'r', real_out = inverse && op[1] == 'r';
  std::vector<AxisPass> axes = named_axes(r, real_in, real_out);
  const std::vector<AxisPass> named = axes;
  Shape shape = r.shape(0);
  if (real_in) std::rotate(axes.begin(), axes.end() - 1, axes.end());
  std::stable_sort(axes.begin() + (real_in ? 1 : 0), axes.end() - (real_out ? 1 : 0),
                   [&](const AxisPass& a, const AxisPass& b) { return grows_less(shape, a, b); });
  Passes all;
  all.in = block_axes(shape, named);
  for (const BlockAxis& a : all.in) all.blocks *= a.step == 0 ? 1 : a.size;
  double terms = 1;
  for (const AxisPass& a : axes) {
    all.passes.push_back(problem_of(shape, a, inverse, real_out));
    shape[a.axis] = a.out;
    terms *= static_cast<double>(a.n);
  }
  all.out = block_axes(shape, named);
  const std::string& norm = r.text("norm");
  if (norm == "ortho") all.passes.back().scale = 1 / std::sqrt(terms);
  else if ((norm == "forward") != inverse) all.passes.back().scale = 1 / terms;
  return all;
}

std::int64_t block_of(const std::vector<BlockAxis>& axes, std::int64_t i) {
  std::int64_t block = 0;
  for (const BlockAxis& a : axes) {
    block += i % a.size * a.step;
    i /= a.size;
  }
  return block;
}

Order order_of(const Passes& all, double (*levels)(const Problem&), double twiddle_error) {
  double sum = all.passes.back().scale == 1 ? 0 : 1;
  for (const Problem& p : all.passes) sum += levels(p);
  return order_of(sum, 1, twiddle_error);
}

}  // namespace plumb::fft
