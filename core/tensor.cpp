#include "core/tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/error.h"
#include "core/unrounded.h"

namespace plumb {
namespace {

// Calls f(offset) for every element in logical row-major order; offset in elements.
template <class F>
void for_each_offset(const Shape& shape, const Strides& strides, F&& f) {
  const std::int64_t n = count(shape);
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    f(offset);
    for (std::size_t d = shape.size(); d-- > 0;) {
      offset += strides[d];
      if (++index[d] < shape[d]) break;
      offset -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

template <class T, class Stored, class Convert>
Array<T> read_as(const Tensor& t, Convert convert) {
  Array<T> a(t.shape());
  if (a.data.empty()) return a;
  const Stored* p = t.read<Stored>();
  std::size_t i = 0;
  for_each_offset(t.shape(), t.strides(), [&](std::int64_t at) { a.data[i++] = convert(p[at]); });
  return a;
}

template <class T, class Stored>
Array<T> read_as(const Tensor& t) {
  return read_as<T, Stored>(t, [](Stored v) { return static_cast<T>(v); });
}

// An exact Double2 of any wide value's real part, from which every float type is reached in one rounding.
Double2 exact(std::uint64_t v) {
  const auto hi = static_cast<double>(v >> 32) * 0x1p32;
  return Double2(hi) + Double2(static_cast<double>(v & 0xFFFFFFFFU));
}
Double2 exact(std::int64_t v) {
  return v < 0 ? -exact(std::uint64_t{0} - static_cast<std::uint64_t>(v)) : exact(static_cast<std::uint64_t>(v));
}
Double2 exact(double v) { return v; }
Double2 exact(Double2 v) { return v; }
Double2 exact(Complex v) { return v.real(); }

// Truncates toward zero, saturates, NaN gives 0.
template <class I>
I to_integer(Double2 x) {
  if (isnan(x)) return 0;
  const Double2 low = exact(static_cast<std::int64_t>(std::numeric_limits<I>::min()));
  const Double2 high = std::is_signed_v<I> ? exact(static_cast<std::int64_t>(std::numeric_limits<I>::max()))
                                           : exact(static_cast<std::uint64_t>(std::numeric_limits<I>::max()));
  if (x <= low) return std::numeric_limits<I>::min();
  if (x >= high) return std::numeric_limits<I>::max();
  const double hi = std::trunc(x.hi);
  std::uint64_t bits = hi < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(-hi) : static_cast<std::uint64_t>(hi);
  if (hi == x.hi) {  // hi is whole: the fraction, if any, is in lo
    const double lo = x.hi > 0 ? std::floor(x.lo) : std::ceil(x.lo);
    bits += static_cast<std::uint64_t>(static_cast<std::int64_t>(lo));
  }
  return static_cast<I>(bits);
}

template <class I, class T>
I integer_from(T v) {
  if constexpr (std::is_integral_v<T>) return static_cast<I>(v);  // modulo 2^bits
  else return to_integer<I>(exact(v));
}

template <class Stored, class T, class Convert>
void write_as(const Array<T>& a, const Tensor& t, Convert convert) {
  Stored* p = t.write<Stored>();
  for (std::size_t i = 0; i < a.data.size(); ++i) p[i] = convert(a.data[i]);
}

template <class T>
void write_array(const Array<T>& a, const Tensor& t) {
  switch (t.dtype()) {
    case Dtype::boolean:
      return write_as<std::uint8_t>(a, t, [](T v) {
        if constexpr (std::is_same_v<T, Complex>) return v != Complex();
        else return exact(v).hi != 0;  // so is NaN
      });
    case Dtype::u8: return write_as<std::uint8_t>(a, t, integer_from<std::uint8_t, T>);
    case Dtype::u16: return write_as<std::uint16_t>(a, t, integer_from<std::uint16_t, T>);
    case Dtype::u32: return write_as<std::uint32_t>(a, t, integer_from<std::uint32_t, T>);
    case Dtype::u64: return write_as<std::uint64_t>(a, t, integer_from<std::uint64_t, T>);
    case Dtype::i8: return write_as<std::int8_t>(a, t, integer_from<std::int8_t, T>);
    case Dtype::i16: return write_as<std::int16_t>(a, t, integer_from<std::int16_t, T>);
    case Dtype::i32: return write_as<std::int32_t>(a, t, integer_from<std::int32_t, T>);
    case Dtype::i64: return write_as<std::int64_t>(a, t, integer_from<std::int64_t, T>);
    case Dtype::f16: return write_as<std::uint16_t>(a, t, [](T v) { return to_half(exact(v)); });
    case Dtype::bf16: return write_as<std::uint16_t>(a, t, [](T v) { return to_bf16(exact(v)); });
    case Dtype::f32: return write_as<float>(a, t, [](T v) { return to_float(exact(v)); });
    case Dtype::f64: return write_as<double>(a, t, [](T v) { return exact(v).hi; });
    case Dtype::c64:
      return write_as<std::complex<float>>(a, t, [](T v) {
        if constexpr (std::is_same_v<T, Complex>) return std::complex<float>(to_float(v.real()), to_float(v.imag()));
        else return std::complex<float>(to_float(exact(v)), 0.0F);
      });
  }
}

template <class T>
const T& alternative(const Wide& w, const char* what) {
  if (const T* a = std::get_if<T>(&w)) return *a;
  throw std::logic_error(std::string("an oracle expected ") + what + ", alternative " + std::to_string(w.index()) +
                         " was given");
}

}  // namespace

std::int64_t count(const Shape& shape) {
  std::int64_t n = 1;
  bool zero = false;
  for (const std::int64_t d : shape) {
    if (d < 0) throw Error("tensor", Reason::shape, to_string(shape) + " has a negative size");
    zero |= d == 0;
    if (!zero && __builtin_mul_overflow(n, d, &n))
      throw Error("tensor", Reason::memory, to_string(shape) + " has more than 2^63 elements");
  }
  return zero ? 0 : n;
}

// Wraps for a shape that count() refuses: its strides are computed, never used.
Strides row_major(const Shape& shape) {
  Strides s(shape.size());
  std::uint64_t step = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    s[d] = static_cast<std::int64_t>(step);
    step *= static_cast<std::uint64_t>(std::max<std::int64_t>(shape[d], 1));
  }
  return s;
}

std::string to_string(const Shape& shape) {
  std::string s = "[";
  for (const std::int64_t d : shape) s += (s.size() > 1 ? "," : "") + std::to_string(d);
  return s + "]";
}

std::string to_string(const Spec& spec) { return std::string(name(spec.dtype)) + to_string(spec.shape); }

void wrong_rank(const Shape& shape, std::size_t indices) {
  throw std::logic_error(std::to_string(indices) + " indices into an array of shape " + to_string(shape));
}

Shape broadcast(std::string_view op, const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {  // i counts from the right
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      throw Error(op, Reason::shape, to_string(a) + " and " + to_string(b) + " do not broadcast");
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

Tensor::Tensor(const Tensor&) = default;
Tensor::Tensor(Tensor&&) noexcept = default;
Tensor& Tensor::operator=(const Tensor&) = default;
Tensor& Tensor::operator=(Tensor&&) noexcept = default;
Tensor::~Tensor() = default;

Tensor::Tensor(const Spec& spec) : dtype_(spec.dtype), shape_(spec.shape), strides_(row_major(spec.shape)) {
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(count(shape_), static_cast<std::int64_t>(info(dtype_).bytes), &bytes))
    throw Error("tensor", Reason::memory, to_string(spec) + " does not fit in memory");
  storage_ = std::make_shared<Storage>(static_cast<std::size_t>(bytes));
}

bool Tensor::is_row_major() const {
  if (size() == 0) return true;
  std::int64_t step = 1;
  for (std::size_t d = shape_.size(); d-- > 0;) {
    if (shape_[d] != 1 && strides_[d] != step) return false;
    step *= shape_[d];
  }
  return true;
}

// The range is computed wider than any extent or stride can make it: a wrapped one would pass.
Tensor Tensor::view(Shape shape, Strides strides, std::int64_t offset) const {
  __extension__ using Wider = __int128;
  const Wider bytes = info(dtype_).bytes;
  const Wider first = offset_ + offset * bytes;
  Wider low = first, high = first + bytes;
  for (std::size_t d = 0; d < shape.size(); ++d)
    (strides[d] < 0 ? low : high) += static_cast<Wider>(shape[d] - 1) * strides[d] * bytes;
  const bool empty = count(shape) == 0;
  if (!empty && (low < 0 || high > static_cast<Wider>(storage_->bytes())))
    throw Error("tensor", Reason::shape, "a view of " + to_string(shape) + " leaves its storage");
  Tensor t = *this;
  t.offset_ = empty ? offset_ : static_cast<std::int64_t>(first);
  t.shape_ = std::move(shape);
  t.strides_ = std::move(strides);
  return t;
}

Tensor contiguous(const Tensor& t) {
  if (t.is_row_major()) return t;
  Tensor out(t.spec());
  const auto bytes = static_cast<std::size_t>(info(t.dtype()).bytes);
  const std::byte* from = t.read<std::byte>();
  std::byte* to = out.write<std::byte>();
  for_each_offset(t.shape(), t.strides(), [&](std::int64_t at) {
    const std::byte* p = from + at * static_cast<std::int64_t>(bytes);
    std::copy(p, p + bytes, to);
    to += bytes;
  });
  return out;
}

Wide widen(const Tensor& t) {
  if (const Wide* known = before_rounding(t)) return *known;
  switch (t.dtype()) {
    case Dtype::boolean:
      return read_as<std::uint64_t, std::uint8_t>(t, [](std::uint8_t v) { return std::uint64_t{v != 0}; });
    case Dtype::u8: return read_as<std::uint64_t, std::uint8_t>(t);
    case Dtype::u16: return read_as<std::uint64_t, std::uint16_t>(t);
    case Dtype::u32: return read_as<std::uint64_t, std::uint32_t>(t);
    case Dtype::u64: return read_as<std::uint64_t, std::uint64_t>(t);
    case Dtype::i8: return read_as<std::int64_t, std::int8_t>(t);
    case Dtype::i16: return read_as<std::int64_t, std::int16_t>(t);
    case Dtype::i32: return read_as<std::int64_t, std::int32_t>(t);
    case Dtype::i64: return read_as<std::int64_t, std::int64_t>(t);
    case Dtype::f16: return read_as<double, std::uint16_t>(t, half_to_float);
    case Dtype::bf16: return read_as<double, std::uint16_t>(t, bf16_to_float);
    case Dtype::f32: return read_as<double, float>(t);
    case Dtype::f64: return read_as<Double2, double>(t);
    case Dtype::c64:
      return read_as<Complex, std::complex<float>>(t,
                                                   [](std::complex<float> v) { return Complex(v.real(), v.imag()); });
  }
  throw std::logic_error("no such dtype");
}

Tensor narrow(const Wide& w, Dtype dtype) {
  return std::visit(
      [&](const auto& a) {
        Tensor t(Spec{dtype, a.shape});
        if (!a.data.empty()) write_array(a, t);
        return t;
      },
      w);
}

Wide widen_as(const Tensor& t, Dtype dtype) {
  if (t.dtype() == dtype) return widen(t);
  const Wide* known = before_rounding(t);
  const bool wider = is_real(t.dtype()) && is_real(dtype) && promote(t.dtype(), dtype) == dtype;
  return known && wider ? alternative_of(*known, dtype) : widen(narrow(widen(t), dtype));
}

const Unsigneds& unsigneds(const Wide& w) { return alternative<Unsigneds>(w, "unsigned integers"); }
const Integers& integers(const Wide& w) { return alternative<Integers>(w, "signed integers"); }
const Reals& reals(const Wide& w) { return alternative<Reals>(w, "reals"); }
const Complexes& complexes(const Wide& w) { return alternative<Complexes>(w, "complex values"); }

Integers as_integers(const Wide& w) {
  if (const auto* i = std::get_if<Integers>(&w)) return *i;
  const Unsigneds& u = unsigneds(w);
  Integers out(u.shape);
  for (std::size_t k = 0; k < u.data.size(); ++k) out.data[k] = static_cast<std::int64_t>(u.data[k]);
  return out;
}

Shape shape_of(const Wide& w) {
  return std::visit([](const auto& a) { return a.shape; }, w);
}

Tensor tensor(Dtype dtype, Shape shape, const std::vector<double>& values) {
  Reals a(std::move(shape));
  if (a.data.size() != values.size()) throw std::logic_error("as many values as elements, please");
  a.data = values;
  return narrow(a, dtype);
}

}  // namespace plumb

template class std::vector<plumb::Spec>;
template class std::vector<plumb::Tensor>;
template class std::vector<plumb::Wide>;
