#include "reference/array/fourier/blocks.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace plumb::reference {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }
bool finite(Complex z) { return std::isfinite(z.real()) && std::isfinite(z.imag()); }

// Of each element in row-major order: the number of its block.
std::vector<std::size_t> blocks_of(const Shape& shape, const std::vector<std::int64_t>& axes) {
  std::vector<std::size_t> step(shape.size(), 0);
  std::size_t blocks = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end()) continue;
    step[d] = blocks;
    blocks *= at(shape[d]);
  }
  std::vector<std::size_t> block(at(count(shape)), 0);
  for (std::size_t i = 0; i < block.size(); ++i) {
    std::size_t rest = i;
    for (std::size_t d = shape.size(); d-- > 0; rest /= at(shape[d])) block[i] += rest % at(shape[d]) * step[d];
  }
  return block;
}

// How often an element of the input counts: not at all where its axis is cut; twice in a half spectrum, except for the
// bins that are their own images.
double weight(const Transforms& t, const Shape& shape, std::size_t i) {
  double times = 1;
  for (std::size_t d = shape.size(), rest = i; d-- > 0; rest /= at(shape[d])) {
    const auto k = std::find(t.axes.begin(), t.axes.end(), static_cast<std::int64_t>(d));
    if (k == t.axes.end()) continue;
    const auto j = static_cast<std::int64_t>(rest % at(shape[d]));
    const std::int64_t n = t.lengths[static_cast<std::size_t>(k - t.axes.begin())];
    const bool half = t.form == Form::real_inverse && k + 1 == t.axes.end();
    if (j >= (half ? n / 2 + 1 : n)) return 0;
    if (half && 2 * j % n != 0) times *= 2;
  }
  return times;
}

// Parseval: the norm of a block of the result is s sqrt N of that of the block that it is made from, before anything is
// dropped.
std::vector<double> norms_of(const Call& c, const Transforms& t, std::size_t blocks) {
  const Complexes x = complexes(widen_as(c[0], Dtype::c64));
  const std::vector<std::size_t> block = blocks_of(x.shape, t.axes);
  std::vector<double> norms(blocks, 0.0);
  for (std::size_t i = 0; i < block.size(); ++i) {
    const Complex v = t.form == Form::real_forward ? Complex(x.data[i].real(), 0) : x.data[i];
    const double times = weight(t, x.shape, i);
    if (times > 0) norms[block[i]] += times * std::norm(v);
  }
  for (double& v : norms) v = t.scale * std::sqrt(t.terms) * std::sqrt(v);
  return norms;
}

// What is allowed of the norm of a block's error. Each pass of n terms may lose n eta of a line to underflow, which
// later ones carry along; the oracle's sums of n products in binary64 err by n sqrt n 2^-53.
std::vector<double> allowed_of(const Transforms& t, std::vector<double> norms, const Order& order) {
  const DtypeInfo& out = info(Dtype::f32);
  double relative = relative_of(order);
  for (const std::int64_t n : t.lengths) relative += std::pow(static_cast<double>(n), 1.5) * 0x1p-53;
  const double underflow = static_cast<double>(t.lengths.size()) * t.terms * out.min_subnormal;
  for (double& v : norms) v = relative * v + underflow;
  return norms;
}

Complexes as_complexes(const Wide& w) {
  if (const auto* z = std::get_if<Complexes>(&w)) return *z;
  const Reals& x = reals(w);
  Complexes z(x.shape);
  for (std::int64_t i = 0; i < x.size(); ++i) z[i] = {x[i], 0};
  return z;
}

// A value that is not finite may stand where one was wanted that rounds to it within what is allowed.
bool may_be(double got, double want, double allowed) {
  if (std::isfinite(got)) return true;
  return std::isinf(got) && (got > 0) == (want > 0) && std::abs(want) + allowed >= info(Dtype::f32).max;
}

void keep(Deviation& worst, double ratio, std::int64_t i, double want, double got, double allowed) {
  if (ratio <= worst.ratio) return;
  worst.ratio = ratio, worst.at = i, worst.want = want, worst.got = got, worst.allowed = allowed;
}

}  // namespace

Deviation judge_norms(const Complexes& want, const Complexes& given, const std::vector<std::size_t>& block,
                      const std::vector<double>& allowed) {
  std::vector<double> squares(allowed.size(), 0.0);
  Deviation worst;
  worst.compared = want.size();
  for (std::int64_t i = 0; i < want.size(); ++i) {
    const std::size_t b = block[at(i)];
    const Complex w = want[i], g = given[i];
    if (!finite(w)) keep(worst, finite(g) ? kInf : 0, i, w.real(), g.real(), 0);
    else if (finite(g)) squares[b] += std::norm(g - w);
    else if (!may_be(g.real(), w.real(), allowed[b]) || !may_be(g.imag(), w.imag(), allowed[b]))
      keep(worst, kInf, i, w.real(), g.real(), allowed[b]);
  }
  for (std::size_t b = 0; b < squares.size(); ++b) {
    const double error = std::sqrt(squares[b]);
    if (error > 0 && std::isinf(allowed[b])) worst.unbounded = want.size();
    else if (error > 0) keep(worst, error / allowed[b], -1, 0, error, allowed[b]);
  }
  return worst;
}

double relative_of(const Order& order) {
  const double relative = normwise_bound(order);
  return relative + (order.shape == Order::Shape::exact ? info(Dtype::f32).unit_roundoff() * (1 + relative) : 0);
}

Deviation judge_blocks(const Call& c, const std::vector<Tensor>& got, const Order& order) {
  const Transforms t = transforms_of(c);
  const Complexes want = as_complexes(c.op->oracle(c)[0]), given = as_complexes(widen(got.at(0)));
  const std::vector<std::size_t> block = blocks_of(want.shape, t.axes);
  const std::size_t blocks = block.empty() ? 0 : *std::max_element(block.begin(), block.end()) + 1;
  return judge_norms(want, given, block, allowed_of(t, norms_of(c, t, blocks), order));
}

}  // namespace plumb::reference
