#include "reference/linalg/products/labelled.h"

#include <cmath>
#include <numeric>

namespace plumb::reference {
namespace {

// Not operator* of complex numbers: C++ recovers infinities from NaN, the sum of products does not.
template <class T>
T times(T a, T b) {
  return a * b;
}
std::int64_t times(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
Double2 times(Double2 a, Double2 b) {
  const double zero = a.hi * b.hi;  // with its sign
  return zero == 0 ? Double2(zero, zero) : a * b;
}
Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

template <class T>
T plus(T a, T b) {
  return a + b;
}
std::int64_t plus(std::int64_t a, std::int64_t b) {  // modulo 2^64
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// Of each label, how far apart the elements of an operand are along its axes: a diagonal moves along all of them.
Strides steps(const Shape& shape, const Labels& labels, std::size_t count) {
  Strides s(count, 0);
  const Strides own = row_major(shape);
  for (std::size_t d = 0; d < labels.size(); ++d)
    if (shape[d] != 1) s[labels[d]] += own[d];
  return s;
}

// The next index of the labels given, the last one fastest; false behind the last.
bool advance(Shape& index, const Labels& labels, const Shape& sizes) {
  for (std::size_t d = labels.size(); d-- > 0;) {
    if (++index[labels[d]] < sizes[labels[d]]) return true;
    index[labels[d]] = 0;
  }
  return false;
}

std::int64_t place(const Shape& index, const Strides& step) {
  return std::inner_product(index.begin(), index.end(), step.begin(), std::int64_t{0});
}

// What is left of a sum of f64 products that pass the range of the oracle: each operand by 2^-512, then the sum by as
// much again. Where nothing passes it the sum stands.
constexpr double kDown = 0x1p-512, kUp = 0x1p512;

template <class T>
class Sums {
 public:
  Sums(const std::vector<Wide>& operands, const std::vector<Labels>& labels, const Labels& result, const Shape& sizes)
      : result_(result), sizes_(sizes), index_(sizes.size(), 0) {
    std::vector<bool> kept(sizes.size(), false);
    for (const std::size_t label : result) kept[label] = true;
    for (std::size_t label = 0; label < sizes.size(); ++label)
      if (!kept[label]) rest_.push_back(label), some_ &= sizes[label] > 0;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      x_.push_back(&std::get<Array<T>>(operands[k]));
      steps_.push_back(steps(x_[k]->shape, labels[k], sizes.size()));
    }
  }

  Wide all() {
    Shape shape;
    for (const std::size_t label : result_) shape.push_back(sizes_[label]);
    Array<T> out(shape);
    for (std::int64_t i = 0; i < out.size() && some_; ++i, advance(index_, result_, sizes_)) {
      out[i] = one(false);
      if constexpr (std::is_same_v<T, Double2>)
        if (isnan(out[i]) && x_.size() > 1) out[i] = beyond();
    }
    return out;
  }

 private:
  T factor(std::size_t k, bool scaled) const {
    const T x = (*x_[k])[place(index_, steps_[k])];
    if constexpr (std::is_same_v<T, Double2>)
      if (scaled) return Double2(x.hi * kDown, std::isfinite(x.hi) ? x.lo * kDown : 0.0);
    return x;
  }
  // out_l for the index of the result that holds.
  T one(bool scaled) {
    T sum{};
    do {
      T product = factor(0, scaled);
      for (std::size_t k = 1; k < x_.size(); ++k) product = times(product, factor(k, scaled));
      sum = rest_.empty() ? product : plus(sum, product);  // a single -0 keeps its sign
    } while (advance(index_, rest_, sizes_));
    return sum;
  }
  Double2 beyond() {
    double sum = one(true).hi;
    for (std::size_t k = 0; k < x_.size(); ++k) sum *= kUp;
    return sum;
  }

  const Labels& result_;
  const Shape& sizes_;
  Shape index_;
  Labels rest_;
  bool some_ = true;
  std::vector<const Array<T>*> x_;
  std::vector<Strides> steps_;
};

}  // namespace

Wide sum_of_products(const std::vector<Wide>& operands, const std::vector<Labels>& labels, const Labels& result,
                     const Shape& sizes) {
  return std::visit([&]<class T>(const Array<T>&) { return Sums<T>(operands, labels, result, sizes).all(); },
                    operands[0]);
}

Labels upwards(std::size_t first, std::size_t n) {
  Labels labels(n);
  std::iota(labels.begin(), labels.end(), first);
  return labels;
}

std::int64_t real_terms(std::int64_t n, Dtype t) { return t == Dtype::c64 ? 2 * n : n; }

Wide with_shape(Wide w, const Shape& shape) {
  std::visit([&](auto& a) { a.shape = shape; }, w);
  return w;
}

}  // namespace plumb::reference
