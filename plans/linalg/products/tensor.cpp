#include "plans/linalg/products/tensor.h"

#include <algorithm>
#include <numeric>

#include "plans/linalg/products/contraction.h"

namespace plumb::products {
namespace {

Labels upwards(int first, int n) {
  Labels labels(static_cast<std::size_t>(n));
  std::iota(labels.begin(), labels.end(), first);
  return labels;
}

// Which axes of a meet which of b.
struct Meeting {
  std::vector<std::int64_t> a, b;
};

std::int64_t from_front(std::int64_t axis, int rank) { return axis < 0 ? axis + rank : axis; }

// The numbers of a text such as "[[0, 2], [1, 0]]".
std::vector<std::int64_t> numbers_in(const std::string& text) {
  std::vector<std::int64_t> all;
  bool inside = false, negative = false;
  for (const char ch : text) {
    if (ch >= '0' && ch <= '9') {
      if (!inside) all.push_back(0);
      all.back() = all.back() * 10 + (negative ? '0' - ch : ch - '0');
      inside = true;
    } else {
      inside = false;
      negative = ch == '-';
    }
  }
  return all;
}

Meeting meeting(const Call& c) {
  if (c.op->name == "inner") return {{c.rank(0) - 1}, {c.rank(1) - 1}};
  const Attr& axes = *c.attrs.find("axes");
  Meeting m;
  if (const auto* n = axes.get<std::int64_t>()) {
    for (std::int64_t i = 0; i < *n; ++i) m.a.push_back(c.rank(0) - *n + i), m.b.push_back(i);
    return m;
  }
  const std::string* text = axes.get<std::string>();
  const std::vector<std::int64_t> all = text ? numbers_in(*text) : c.list("axes");
  const auto half = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  for (auto i = all.begin(); i != half; ++i) m.a.push_back(from_front(*i, c.rank(0)));
  for (auto i = half; i != all.end(); ++i) m.b.push_back(from_front(*i, c.rank(1)));
  return m;
}

Tensor contraction(Pipeline& p, const Call& c, Dtype out) {
  const Meeting m = meeting(c);
  const Labels a = upwards(0, c.rank(0));
  Labels b = upwards(c.rank(0), c.rank(1)), keep;
  for (std::size_t i = 0; i < m.a.size(); ++i)
    b[static_cast<std::size_t>(m.b[i])] = a[static_cast<std::size_t>(m.a[i])];
  const auto both = [&](int label) { return std::find(b.begin(), b.end(), label) != b.end(); };
  for (const int label : a)
    if (!both(label)) keep.push_back(label);
  for (const int label : b)
    if (label >= c.rank(0)) keep.push_back(label);
  return contracted(p, {p.as(c[0], out), a}, {p.as(c[1], out), b}, keep).data;
}

// The same as matrices of one row and of one column.
Tensor vecdot(Pipeline& p, const Call& c, Dtype out) {
  auto [a, b] = dotted(c, p.as(c[0], out), p.as(c[1], out));
  if (!is_inexact(out)) {
    const Tensor products = p.run("multiply", {a, b});
    return p.run("sum", {products}, {{"axis", -1}});
  }
  if (out == Dtype::c64) a = p.run("conjugate", {a});
  Labels labels = upwards(0, a.rank());
  Shape sizes = a.shape();
  for (std::size_t d = 0; d < sizes.size(); ++d)
    if (sizes[d] == 1) sizes[d] = b.shape()[d];
  const Labels keep(labels.begin(), labels.end() - 1);
  return contracted(p, term(a, labels, sizes), term(b, labels, sizes), keep).data;
}

}  // namespace

std::pair<Tensor, Tensor> dotted(const Call& c, const Tensor& a, const Tensor& b) {
  const int rank = std::max(a.rank(), b.rank());
  const int at = static_cast<int>(from_front(c.integer("axis"), rank));
  const auto turned = [&](const Tensor& t) {
    Shape shape(static_cast<std::size_t>(rank - t.rank()), 1);
    Strides strides(shape.size(), 0);
    shape.insert(shape.end(), t.shape().begin(), t.shape().end());
    strides.insert(strides.end(), t.strides().begin(), t.strides().end());
    std::rotate(shape.begin() + at, shape.begin() + at + 1, shape.end());
    std::rotate(strides.begin() + at, strides.begin() + at + 1, strides.end());
    return t.view(shape, strides);
  };
  return {turned(a), turned(b)};
}

std::pair<Tensor, Tensor> side_by_side(const Call& c) {
  Shape s, t;
  Strides of_s, of_t;
  const auto add = [](Shape& shape, Strides& strides, std::int64_t size, std::int64_t step) {
    shape.push_back(size);
    strides.push_back(step);
  };
  if (c.op->name == "kron") {
    const int rank = std::max(c.rank(0), c.rank(1));
    for (int d = -rank; d < 0; ++d) {
      const bool of_a = -d <= c.rank(0), of_b = -d <= c.rank(1);
      const auto stride = [&](int i) { return c[static_cast<std::size_t>(i)].strides().end()[d]; };
      add(s, of_s, of_a ? c[0].dim(d) : 1, of_a ? stride(0) : 0);
      add(s, of_s, 1, 0);
      add(t, of_t, 1, 0);
      add(t, of_t, of_b ? c[1].dim(d) : 1, of_b ? stride(1) : 0);
    }
    return {c[0].view(s, of_s), c[1].view(t, of_t)};
  }
  s = c.shape(0);
  of_s = c[0].strides();
  if (c.op->name == "outer") s.insert(s.end(), c.shape(1).size(), 1), of_s.insert(of_s.end(), c.shape(1).size(), 0);
  return {c[0].view(s, of_s), c[1]};
}

Tensor tensor_product(Pipeline& p, const Call& c) {
  const Dtype out = output_specs(c)[0].dtype;
  const bool elementwise =
      c.op->name == "outer" || c.op->name == "kron" || (c.op->name == "inner" && (c.rank(0) == 0 || c.rank(1) == 0));
  if (elementwise) {
    const auto [a, b] = side_by_side(c);
    return p.run("multiply", {a, b});
  }
  return c.op->name == "vecdot" ? vecdot(p, c, out) : contraction(p, c, out);
}

}  // namespace plumb::products
