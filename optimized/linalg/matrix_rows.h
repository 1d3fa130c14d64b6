// Rows of matrices as bytes, for the CPU routes that move them.
#pragma once

#include <algorithm>
#include <cstring>

#include "core/op.h"

namespace plumb::cpu {

struct Matrix {
  std::byte* data;
  std::int64_t bytes;  // from one row to the next
};
inline Matrix read_matrix(const Tensor& t) {
  return {const_cast<std::byte*>(t.read<std::byte>()), t.dim(1) * info(t.dtype()).bytes};
}
inline Matrix write_matrix(const Tensor& t) { return {t.write<std::byte>(), t.dim(1) * info(t.dtype()).bytes}; }

// Row i of `from` becomes row o of `to`, or begins it where that is longer.
inline void copy_row(const Matrix& from, std::int64_t i, const Matrix& to, std::int64_t o) {
  if (from.bytes > 0)
    std::memcpy(to.data + o * to.bytes, from.data + i * from.bytes, static_cast<std::size_t>(from.bytes));
}

// Rows of features worth a thread.
inline std::int64_t row_grain(std::int64_t channels) {
  return std::max<std::int64_t>(1, (1 << 15) / std::max<std::int64_t>(1, channels));
}

}  // namespace plumb::cpu
