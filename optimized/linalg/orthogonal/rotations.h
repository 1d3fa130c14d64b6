// Rotations of rows on the processor, which svd, svdvals and pinv are made of: J A = W, the rows of W orthogonal and in
// descending order. Of a tall matrix A^H takes the place of A, so that there are no more rows than columns.
//
// A complex row is its real parts, then its imaginary parts: k x 2 l numbers. So the real part of an inner product, a
// rotation, and a turn of the phase are what they are for real rows.
#pragma once

#include <functional>
#include <vector>

#include "core/op.h"
#include "core/room.h"
#include "optimized/linalg/orthogonal/source.h"

namespace plumb {

inline constexpr int kSweeps = 60;  // quadratic convergence needs about ten

template <class T>
struct Rows {
  std::int64_t k, l, parts;  // parts: 1, of complex numbers 2
  bool tall;
  T factor = 1;  // A was multiplied by it, a power of 2
  RawRoom<T> w, j;
  std::vector<T> norms;
  std::vector<std::int64_t> order;  // row order[i] has the i-th largest norm
  bool finite = true, converged = true;

  Rows(const Source& from, bool complex, bool vectors)
      : k(std::min(from.m, from.n)),
        l(std::max(from.m, from.n)),
        parts(complex ? 2 : 1),
        tall(from.m > from.n),
        w(k * l * parts),
        j(vectors ? RawRoom<T>(k * k * parts) : RawRoom<T>()),
        norms(static_cast<std::size_t>(k)) {}
  std::int64_t count() const;  // of those that are not 0

  T* row(std::int64_t i) const { return w.get() + order[static_cast<std::size_t>(i)] * l * parts; }
  T* turned(std::int64_t i) const { return j.get() + order[static_cast<std::size_t>(i)] * k * parts; }
  T norm(std::int64_t i) const { return norms[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]; }
};

// Squares of norms up to which a row, of a matrix whose largest element is about 1, counts as 0: their rounding would
// not be relative any more, and a row that small is below every rounding of the others.
template <class T>
inline constexpr T kNull = sizeof(T) == 4 ? T(0x1p-100) : T(0x1p-900);

// Decomposes matrices first .. last of c[0] and hands each to `use`, on whatever threads.
// Throws the domain errors of the operation.
template <class T>
using UseRows = std::function<void(std::int64_t, Rows<T>&)>;
void each_rows(const Call& c, bool vectors, bool by_lanes, const UseRows<float>& use);
void each_rows(const Call& c, bool vectors, bool by_lanes, const UseRows<double>& use);

// l x l: the rows over their norms, then rows that complete them.
template <class T>
void unit_rows(const Rows<T>& x, T* v);

}  // namespace plumb
