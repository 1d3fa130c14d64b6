#include "reference/array/shape/movement.h"

#include <algorithm>

namespace plumb::reference {

std::int64_t position(const Index& i, const Shape& shape) {
  std::int64_t p = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) p = p * shape[d] + i[d];
  return p;
}

Index index_at(std::int64_t p, const Shape& shape) {
  Index i(shape.size());
  for (std::size_t d = shape.size(); d-- > 0; p /= shape[d]) i[d] = p % shape[d];
  return i;
}

Wide moved(const std::vector<Wide>& a, const Shape& out, const From& f, const Wide& constant) {
  return std::visit(
      [&]<class T>(const Array<T>& otherwise) -> Wide {
        Array<T> y(out);
        for (std::int64_t p = 0; p < y.size(); ++p) {
          const auto source = f(index_at(p, out));
          if (source) {
            const auto& x = std::get<Array<T>>(a[source->of]);
            y[p] = x[position(source->at, x.shape)];
          } else {
            y[p] = otherwise[0];
          }
        }
        return y;
      },
      constant);
}

std::vector<Wide> moved(const Call& c, const std::function<Index(const Index&)>& f) {
  const From from = [&](const Index& i) { return Source{f(i)}; };
  return {moved({widen(c[0])}, output_specs(c)[0].shape, from, constant(0, c.dtype(0)))};
}

Wide constant(double value, Dtype dtype) { return widen(narrow(Reals({}, value), dtype)); }

std::int64_t sum(const Request& r, std::int64_t a, std::int64_t b) {
  std::int64_t s = 0;
  if (__builtin_add_overflow(a, b, &s)) r.fail(Reason::memory, "a size of the result passes 2^63");
  return s;
}

std::int64_t product(const Request& r, std::int64_t a, std::int64_t b) {
  std::int64_t p = 0;
  if (__builtin_mul_overflow(a, b, &p)) r.fail(Reason::memory, "a size of the result passes 2^63");
  return p;
}

// i from max(0, -k) to min(rows, columns - k)
std::int64_t diagonal_length(std::int64_t rows, std::int64_t columns, std::int64_t k) {
  if (k >= columns || k <= -rows) return 0;
  return std::min(rows, columns - k) - std::max<std::int64_t>(0, -k);
}

std::int64_t normal(const Request& r, std::int64_t axis, std::int64_t rank) {
  if (axis < -rank || axis >= rank)
    r.fail(Reason::axis, std::to_string(axis) + " is out of range for rank " + std::to_string(rank));
  return axis < 0 ? axis + rank : axis;
}

std::vector<std::int64_t> normal(const Request& r, std::vector<std::int64_t> axes, std::int64_t rank) {
  for (std::int64_t& a : axes) a = normal(r, a, rank);
  std::vector<std::int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) r.fail(Reason::axis, std::to_string(*twice) + " is named twice");
  return axes;
}

std::vector<Spec> of_shape(const Request& r, Shape shape) {
  (void)count(shape);
  return {{r.dtype(0), std::move(shape)}};
}

Op movement(std::string_view name, Attrs attrs, std::string_view equation, Infer infer, Oracle oracle, Lists lists) {
  Op op;
  op.name = name;
  op.signature = "a T[*S] -> out T[*R]";
  op.types = "T: all";
  op.attrs = std::move(attrs);
  op.equation = equation;
  op.infer = infer;
  op.oracle = oracle;
  op.cases = std::move(lists.cases), op.rejects = std::move(lists.rejects), op.bench = std::move(lists.bench);
  op.tolerance.kind = Tolerance::Class::exact;
  return op;
}

}  // namespace plumb::reference
