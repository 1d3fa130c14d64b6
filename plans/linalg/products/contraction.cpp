#include "plans/linalg/products/contraction.h"

#include <algorithm>
#include <optional>

namespace plumb::products {
namespace {

bool among(int label, const Labels& labels) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }

// Some axes of a tensor, in an order of their own.
struct Axes {
  Shape shape;
  Strides strides;

  void add(const Term& t, int label) {
    const auto at = static_cast<std::size_t>(std::find(t.labels.begin(), t.labels.end(), label) - t.labels.begin());
    const bool there = at < t.labels.size();
    shape.push_back(there ? t.data.shape()[at] : 1);
    strides.push_back(there ? t.data.strides()[at] : 0);
  }
  void append(const Axes& other) {
    shape.insert(shape.end(), other.shape.begin(), other.shape.end());
    strides.insert(strides.end(), other.strides.begin(), other.strides.end());
  }
};

Axes axes_of(const Term& t, const Labels& labels) {
  Axes all;
  for (const int label : labels) all.add(t, label);
  return all;
}

// As one axis, if the elements follow each other at one distance.
std::optional<Axes> merged(const Axes& axes) {
  Axes one{{1}, {1}};
  if (count(axes.shape) == 0) return Axes{{0}, {1}};
  for (std::size_t d = axes.shape.size(); d-- > 0;) {
    if (axes.shape[d] == 1) continue;
    if (one.shape[0] == 1) one.strides[0] = axes.strides[d];
    else if (axes.strides[d] != one.shape[0] * one.strides[0]) return std::nullopt;
    one.shape[0] *= axes.shape[d];
  }
  return one;
}

// Kernels of the device walk rows or columns of adjacent elements, forwards.
bool suits(Side side, const Axes& rows, const Axes& columns) {
  if (side == Side::cpu) return true;
  const auto unit = [](const Axes& a) { return a.shape[0] <= 1 || a.strides[0] == 1; };
  return (unit(rows) || unit(columns)) && rows.strides[0] >= 0 && columns.strides[0] >= 0;
}

Tensor matrices(Pipeline& p, const Tensor& t, const Axes& batch, const Axes& rows, const Axes& columns) {
  const auto r = merged(rows), c = merged(columns);
  Axes all = batch;
  if (r && c && suits(p.side(), *r, *c)) {
    all.append(*r);
    all.append(*c);
    return t.view(all.shape, all.strides);
  }
  all.append(rows);
  all.append(columns);
  const Tensor dense = p.dense(t.view(all.shape, all.strides), t.dtype());
  Shape shape = batch.shape;
  shape.insert(shape.end(), {count(rows.shape), count(columns.shape)});
  return reshaped(dense, shape);
}

// The labels of a contraction by what they do.
struct Roles {
  Labels batch, left, right, sum;
  Roles(const Term& a, const Term& b, const Labels& keep) {
    for (const int label : keep) {
      const bool of_a = among(label, a.labels), of_b = among(label, b.labels);
      if (of_a && of_b) batch.push_back(label);
      else if (of_a) left.push_back(label);
      else if (of_b) right.push_back(label);
    }
    for (const int label : a.labels)
      if (!among(label, keep)) sum.push_back(label);
  }
};

// Neither is summed: each element of the one by those of the other.
Term side_by_side(Pipeline& p, const Term& a, const Term& b, const Labels& keep) {
  Labels labels;
  for (const int label : keep)
    if (among(label, a.labels) || among(label, b.labels)) labels.push_back(label);
  const Axes x = axes_of(a, labels), y = axes_of(b, labels);
  return {p.run("multiply", {a.data.view(x.shape, x.strides), b.data.view(y.shape, y.strides)}), labels};
}

}  // namespace

Term term(const Tensor& t, const Labels& labels, const Shape& sizes) {
  Axes axes;
  Labels distinct;
  for (std::size_t d = 0; d < labels.size(); ++d) {
    const std::int64_t size = sizes[static_cast<std::size_t>(labels[d])], own = t.shape()[d];
    const std::int64_t step = own == size ? t.strides()[d] : 0;
    const auto at = std::find(distinct.begin(), distinct.end(), labels[d]);
    if (at != distinct.end()) {
      axes.strides[static_cast<std::size_t>(at - distinct.begin())] += step;
      continue;
    }
    distinct.push_back(labels[d]);
    axes.shape.push_back(size);
    axes.strides.push_back(step);
  }
  return {t.view(axes.shape, axes.strides), distinct};
}

Term summed(Pipeline& p, const Term& t, const Labels& keep) {
  std::vector<std::int64_t> axes;
  Labels labels;
  for (std::size_t d = 0; d < t.labels.size(); ++d)
    if (among(t.labels[d], keep)) labels.push_back(t.labels[d]);
    else axes.push_back(static_cast<std::int64_t>(d));
  if (axes.empty()) return t;
  return {p.run("sum", {t.data}, {{"axis", axes}}), labels};
}

Term contracted(Pipeline& p, const Term& a, const Term& b, const Labels& keep) {
  const Roles r(a, b, keep);
  if (r.sum.empty()) return side_by_side(p, a, b, keep);
  // The result is wanted with the rows before the columns.
  const auto place = [&](const Labels& some) {
    return some.empty() ? keep.end() : std::find(keep.begin(), keep.end(), some[0]);
  };
  if (!r.right.empty() && !r.left.empty() && place(r.right) < place(r.left)) return contracted(p, b, a, keep);
  const Tensor left = matrices(p, a.data, axes_of(a, r.batch), axes_of(a, r.left), axes_of(a, r.sum));
  const Tensor right = matrices(p, b.data, axes_of(b, r.batch), axes_of(b, r.sum), axes_of(b, r.right));
  const Tensor product = p.run("matmul", {left, right});
  Axes shape = axes_of(a, r.batch);
  shape.append(axes_of(a, r.left));
  shape.append(axes_of(b, r.right));
  Labels labels = r.batch;
  labels.insert(labels.end(), r.left.begin(), r.left.end());
  labels.insert(labels.end(), r.right.begin(), r.right.end());
  return {reshaped(product, shape.shape), labels};
}

Tensor arranged(Pipeline& p, const Term& t, const Labels& order, Dtype to) {
  const bool result = !p.calls().empty();  // of a call, and not an input that must not be handed on
  if (t.labels == order && t.data.dtype() == to && result && t.data.is_row_major()) return t.data;
  const Axes axes = axes_of(t, order);
  return p.dense(t.data.view(axes.shape, axes.strides), to);
}

}  // namespace plumb::products
