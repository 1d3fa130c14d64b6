// Small sparse tensors, for tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "core/fill.h"
#include "library/sparse.h"

namespace plumb::lattice {

inline Tensor sites(const std::vector<std::array<int, 4>>& rows, Dtype t = Dtype::i32) {
  std::vector<double> values;
  for (const auto& r : rows) values.insert(values.end(), r.begin(), r.end());
  return tensor(t, {std::ssize(rows), 4}, values);
}
inline Tensor line(int n) {
  std::vector<std::array<int, 4>> rows;
  for (int x = 0; x < n; ++x) rows.push_back({0, x, 0, 0});
  return sites(rows);
}
inline Tensor count(int n) { return tensor(Dtype::i32, {1}, {static_cast<double>(n)}); }
inline Tensor whole(Shape s, std::uint64_t key) { return fill({Dtype::f32, std::move(s)}, "int-5", key); }

inline SparseTensor line_tensor(int n, Triple stride = {1, 1, 1}) {
  return {line(n), whole({n, 3}, 1), {.stride = stride}};
}
inline Tensor weight_of(const Triple& size, std::uint64_t key = 7) {
  return whole({size[0] * size[1] * size[2], 3, 2}, key);
}

inline std::vector<double> values(const Tensor& t, std::int64_t rows) {
  const Tensor d = contiguous(t);
  const auto n = static_cast<std::size_t>(rows * d.dim(1));
  return d.dtype() == Dtype::f32 ? std::vector<double>(d.read<float>(), d.read<float>() + n)
                                 : std::vector<double>(d.read<std::int32_t>(), d.read<std::int32_t>() + n);
}
inline std::vector<double> features(const SparseTensor& x) { return values(x.feats(), x.active_count()); }
inline std::vector<double> places(const SparseTensor& x) { return values(x.coords(), x.active_count()); }

inline Reason reason(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.reason();
  }
  ADD_FAILURE() << "accepted";
  return Reason::query;
}

}  // namespace plumb::lattice
