// Two containers, one for each side of a comparison.
//
//   Tensor    what routes exchange: any dtype, strided, cheap to copy, shares its storage, knows on
//             which side (host or device) its bytes are current.
//   Array<T>  what oracles compute with: dense, row-major, owning, one of the wide types.
//
// A strided or half-precision tensor never reaches an oracle, so oracles contain mathematics only.
#pragma once

#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/dtype.h"
#include "core/memory.h"

namespace plumb {

using Shape = std::vector<std::int64_t>;
using Strides = std::vector<std::int64_t>;  // in elements; 0 broadcasts, negative reverses

std::int64_t count(const Shape&);  // product; throws Error(memory) on overflow, Error(shape) if negative
Strides row_major(const Shape&);
std::string to_string(const Shape&);                               // "[2,3]"
Shape broadcast(std::string_view op, const Shape&, const Shape&);  // NumPy's rule; throws Error(shape)

// Dtype and shape without data: the input and the result of shape inference.
struct Spec {
  Dtype dtype = Dtype::f32;
  Shape shape;
  bool operator==(const Spec&) const = default;
};
std::string to_string(const Spec&);  // "f32[2,3]"

[[noreturn]] void wrong_rank(const Shape&, std::size_t indices);

template <class T>
struct Array {
  Shape shape;
  std::vector<T> data;

  explicit Array(Shape s = {}, T fill = {}) : shape(std::move(s)), data(static_cast<std::size_t>(count(shape)), fill) {}
  std::int64_t size() const { return static_cast<std::int64_t>(data.size()); }
  T& operator[](std::int64_t i) { return data[static_cast<std::size_t>(i)]; }
  const T& operator[](std::int64_t i) const { return data[static_cast<std::size_t>(i)]; }

  // x(i, j): the element at an index for every axis. Throws std::logic_error if there are more or fewer of them.
  template <std::integral... I>
  T& operator()(I... i) {
    return data[place({static_cast<std::int64_t>(i)...})];
  }
  template <std::integral... I>
  const T& operator()(I... i) const {
    return data[place({static_cast<std::int64_t>(i)...})];
  }

 private:
  std::size_t place(std::initializer_list<std::int64_t> index) const {
    if (index.size() != shape.size()) wrong_rank(shape, index.size());
    std::int64_t at = 0;
    const std::int64_t* extent = shape.data();
    for (const std::int64_t i : index) at = at * *extent++ + i;
    return static_cast<std::size_t>(at);
  }
};

using Complex = std::complex<double>;
using Unsigneds = Array<std::uint64_t>;  // bool, u8 to u64
using Integers = Array<std::int64_t>;    // i8 to i64
using Reals = Array<double>;             // f16, bf16, f32
using Reals2 = Array<Double2>;           // f64
using Complexes = Array<Complex>;        // c64
using Wide = std::variant<Unsigneds, Integers, Reals, Reals2, Complexes>;

class Tensor {
 public:
  Tensor() = default;                 // undefined: an optional input that was not given
  explicit Tensor(const Spec& spec);  // row-major, contents unspecified; throws Error(memory), or (shape) if negative
  // Not inline: tensors are handed about in every file.
  Tensor(const Tensor&);
  Tensor(Tensor&&) noexcept;
  Tensor& operator=(const Tensor&);
  Tensor& operator=(Tensor&&) noexcept;
  ~Tensor();

  bool defined() const { return storage_ != nullptr; }
  Dtype dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  const Strides& strides() const { return strides_; }
  std::int64_t dim(int axis) const { return shape_[static_cast<std::size_t>(axis < 0 ? axis + rank() : axis)]; }
  int rank() const { return static_cast<int>(shape_.size()); }
  std::int64_t size() const { return count(shape_); }
  bool is_row_major() const;  // dense in logical order (strides of unit axes do not matter)
  Spec spec() const { return {dtype_, shape_}; }

  // First element, host side. read() brings the host side up to date; write() also makes the device
  // side stale. The caller states the stored type: float for f32, std::uint16_t for f16 and bf16,
  // bool as std::uint8_t, c64 as std::complex<float>.
  template <class T>
  const T* read() const {
    return reinterpret_cast<const T*>(storage_->host_read() + offset_);
  }
  template <class T>
  T* write() const {
    return reinterpret_cast<T*>(storage_->host_write() + offset_);
  }

  // Same storage, other geometry: a stride for each axis, offset in elements from this tensor's first element.
  // Throws Error(shape) if any element would lie outside the storage.
  Tensor view(Shape shape, Strides strides, std::int64_t offset = 0) const;

  Storage& storage() const { return *storage_; }
  std::int64_t offset_bytes() const { return offset_; }

 private:
  Dtype dtype_ = Dtype::f32;
  Shape shape_;
  Strides strides_;
  std::int64_t offset_ = 0;  // bytes
  std::shared_ptr<Storage> storage_;
};

Tensor contiguous(const Tensor&);  // itself if row-major, else a dense copy; host side, plain loop

// The only two places where a dtype becomes a C++ type outside a kernel.
Wide widen(const Tensor&);          // exact; row-major whatever the strides
Tensor narrow(const Wide&, Dtype);  // one rounding to nearest even; integers wrap modulo 2^bits;
                                    // real to integer truncates, saturates, NaN gives 0;
                                    // complex to real takes the real part; to bool: x != 0

// Converts a tensor to a dtype through the wide side, rounded once as by narrow: what precedes a promoted op.
Wide widen_as(const Tensor&, Dtype);

// Gets one alternative; throws std::logic_error naming what was there. For oracles of one kind.
const Unsigneds& unsigneds(const Wide&);
const Integers& integers(const Wide&);
const Reals& reals(const Wide&);
const Complexes& complexes(const Wide&);
Integers as_integers(const Wide&);  // Unsigneds or Integers, as signed values modulo 2^64
Shape shape_of(const Wide&);

// A tensor from its values in row-major order, each rounded once. Throws std::logic_error if they are too many or few.
Tensor tensor(Dtype, Shape, const std::vector<double>& values);

}  // namespace plumb

// Compiled in tensor.cpp alone.
extern template class std::vector<plumb::Spec>;
extern template class std::vector<plumb::Tensor>;
extern template class std::vector<plumb::Wide>;
