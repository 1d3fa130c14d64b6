#include "plans/linalg/products/batched.h"

#include <algorithm>

namespace plumb::products {
namespace {

std::vector<std::int64_t> values(const Tensor& t) { return as_integers(widen(t)).data; }

// The positions that an index array names, or all of the batch in turn.
struct Indices {
  Shape shape;
  std::vector<std::int64_t> at;

  Indices(const Call& c, std::string_view name, const Shape& batch) : shape(batch) {
    const std::int64_t n = count(batch);
    if (!c.has(name)) {
      for (std::int64_t i = 0; i < n; ++i) at.push_back(i);
      return;
    }
    shape = c[name].shape();
    at = values(c[name]);
    for (std::size_t i = 0; i < at.size(); ++i)
      if (at[i] < 0 || at[i] >= n)
        c.fail(Reason::domain, std::string(name) + " holds " + std::to_string(at[i]) + " at " + std::to_string(i) +
                                   ", of " + std::to_string(n) + " matrices");
  }
  // Of element i of a shape to which it broadcasts.
  std::int64_t operator()(std::int64_t i, const Shape& all) const {
    std::int64_t place = 0, step = 1;
    for (std::size_t d = 0; d < all.size(); ++d) {
      const std::int64_t extent = all[all.size() - 1 - d], own = d < shape.size() ? shape[shape.size() - 1 - d] : 1;
      if (own != 1) place += i % extent * step;
      step *= own;
      i /= extent;
    }
    return at[static_cast<std::size_t>(place)];
  }
};

Tensor with_axis(const Tensor& t, std::size_t before_last) {
  if (t.rank() == 0) return t;
  Shape shape = t.shape();
  Strides strides = t.strides();
  const auto at = static_cast<std::ptrdiff_t>(before_last);
  shape.insert(shape.end() - at, 1);
  strides.insert(strides.end() - at, 0);
  return t.view(shape, strides);
}

}  // namespace

Dtype accumulator_of(Dtype t) { return t == Dtype::f64 || t == Dtype::c64 ? t : Dtype::f32; }

MatrixOperand::MatrixOperand(const Tensor& t, bool left) : data(t) {
  Shape shape = t.shape();
  Strides strides = t.strides();
  if (shape.size() == 1) {
    shape.insert(left ? shape.begin() : shape.end(), 1);
    strides.insert(left ? strides.begin() : strides.end(), 1);
  }
  rows = shape[shape.size() - 2], columns = shape.back();
  row = strides[strides.size() - 2], column = strides.back();
  batch = Shape(shape.begin(), shape.end() - 2);
  step = Strides(strides.begin(), strides.end() - 2);
}

std::int64_t MatrixOperand::place(std::int64_t t) const {
  std::int64_t offset = 0;
  for (std::size_t d = batch.size(); d-- > 0; t /= batch[d]) offset += t % batch[d] * step[d];
  return offset;
}

Pairs gathered(const Call& c, const MatrixOperand& a, const MatrixOperand& b) {
  const Indices left(c, "lhs_indices", a.batch), right(c, "rhs_indices", b.batch);
  const Shape all = broadcast(c.op->name, left.shape, right.shape);
  Pairs p;
  for (std::int64_t i = 0; i < count(all); ++i) {
    p.a.push_back(a.place(left(i, all)));
    p.b.push_back(b.place(right(i, all)));
  }
  return p;
}

Pairs segments(const Call& c, const MatrixOperand& a, const MatrixOperand& b) {
  const std::vector<std::int64_t> bounds = values(c["segments"]);
  Pairs p;
  for (std::size_t i = 0; i + 1 < bounds.size(); i += 2) {
    const std::int64_t begin = bounds[i], end = bounds[i + 1];
    if (begin < 0 || end < 0 || end > a.columns)
      c.fail(Reason::domain, "segment " + std::to_string(i / 2) + ", from " + std::to_string(begin) + " to " +
                                 std::to_string(end) + ", is not within " + std::to_string(a.columns) + " terms");
    const bool empty = end <= begin;
    p.k.push_back(empty ? 0 : end - begin);
    p.a.push_back(empty ? 0 : begin * a.column);
    p.b.push_back(empty ? 0 : begin * b.row);
  }
  return p;
}

Masks masks(Pipeline& p, const Call& c) {
  const Dtype out = promote(c.dtype(0), c.dtype(1));
  const bool row = c.rank(0) == 1, column = c.rank(1) == 1;
  const auto given = [&](std::string_view name, bool above, bool beside) {
    if (!c.has(name)) return Tensor();
    Tensor t = c[name];
    if (above) t = with_axis(t, beside ? 0 : 1);
    if (beside) t = with_axis(t, 0);
    return t;
  };
  Masks m{given("mask_out", row, column), given("mask_lhs", row, false), given("mask_rhs", false, column)};
  const auto is_bool = [](const Tensor& t) { return !t.defined() || t.dtype() == Dtype::boolean; };
  if (!is_bool(m.left) || !is_bool(m.right))
    for (Tensor* t : {&m.left, &m.right})
      if (t->defined()) *t = p.as(*t, out);
  if (!is_bool(m.out)) m.out = p.as(m.out, out);
  return m;
}

Shape batch_of(const Shape& s) {
  return Shape(s.begin(), s.end() - std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(s.size())));
}

Tensor unrounded_product(Pipeline& p, const Tensor& a, const Tensor& b, Dtype out) {
  const Dtype wide = accumulator_of(out);
  const auto brought = [&](const Tensor& t) { return t.dtype() == wide ? t : p.as(t, out); };
  Tensor left = brought(a), right = brought(b);
  const bool narrow = left.dtype() != wide && right.dtype() != wide;
  // The processor reads f16 and bf16 beside f32, so that one operand decides.
  if (p.side() == Side::device) left = p.as(left, wide), right = p.as(right, wide);
  else if (narrow && left.size() < right.size()) left = p.as(left, wide);
  else if (narrow) right = p.as(right, wide);
  return p.run("matmul", {left, right});
}

Shape masked_shape(const MatrixOperand& x, const Tensor& mask) {
  Shape shape = broadcast("block_masked_mm", x.batch, batch_of(mask.shape()));
  shape.insert(shape.end(), {x.rows, x.columns});
  return shape;
}

Tensor block_masked(Pipeline& p, const Call& c, const MaskBlocks& mask_blocks) {
  const Dtype t = output_specs(c)[0].dtype, wide = accumulator_of(t);
  const Masks m = masks(p, c);
  const auto side = [&](std::size_t i, const Tensor& mask) {
    const Tensor x = p.as(c[i], t);
    return mask.defined() ? mask_blocks(MatrixOperand(x, i == 0), mask, wide) : x;
  };
  const Tensor left = side(0, m.left), right = side(1, m.right), sums = unrounded_product(p, left, right, t);
  if (!m.out.defined()) return p.as(sums, t);
  const MatrixOperand a(left, true), b(right, false);
  Shape shape = broadcast("block_masked_mm", a.batch, b.batch);
  shape.insert(shape.end(), {a.rows, b.columns});
  return mask_blocks(MatrixOperand(reshaped(sums, shape), true), m.out, t);
}

}  // namespace plumb::products
