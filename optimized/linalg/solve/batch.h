// Batches of dense matrices: factored, and systems with them solved, many small ones side by side in the lanes of
// vectors or each by blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/route.h"

namespace plumb::solve {

// The first pivot of exactly 0, by matrix and then by place.
class FirstZero {
 public:
  void note(std::int64_t matrix, std::int64_t pivot);
  void raise(const Call&) const;  // Error(domain) if there is any

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> first_{kNone};
};

// A matrix t of `matrices`, m x n and dense, and where its results go.
template <class T>
struct Factoring {
  const T* a = nullptr;
  std::int64_t matrices = 0, m = 0, n = 0;
  T* lu = nullptr;                 // m n for each matrix, packed; may be a
  std::int32_t* pivots = nullptr;  // min(m, n) for each matrix
  std::int64_t steps() const { return m < n ? m : n; }
};
template <class T>
void factor_interleaved(const Factoring<T>&);  // m, n <= kSmall
template <class T>
void factor_blocked(const Factoring<T>&);

enum class Form : int { general, lower, upper, lower_gram, upper_gram };  // as in lanes.simd.cpp

// A x = b for every matrix of the batch, or its inverse; of a triangle; or the Gram matrix of a triangle's inverse.
template <class T>
struct Systems {
  Form form = Form::general;
  std::int64_t n = 0, k = 0, matrices = 0, distinct = 0;  // matrices of x, and of a
  const T* a = nullptr;
  const T* b = nullptr;                            // none: the identity
  std::vector<std::int64_t> a_of = {}, b_of = {};  // for each matrix of x
  T* x = nullptr;
};
template <class T>
void solve_interleaved(const Systems<T>&, FirstZero&);  // n, k <= kSmall
template <class T>
void solve_blocked(const Systems<T>&, FirstZero&);

inline constexpr std::int64_t kSmall = 32;

// The extents of one matrix, or of one system.
inline std::int64_t rows(const Call& c) { return c.shape(0)[c.shape(0).size() - 2]; }
inline std::int64_t columns(const Call& c) { return c.shape(0).back(); }
std::int64_t matrices(const Call& c);

// Every order of n terms passes each through no more than n roundings.
Order in_any_order(const Call& c);

// cpu.interleaved before cpu.blocked.
std::vector<Route> both_routes(std::string_view op, bool (*small)(const Call&, const Device&),
                               Job (*interleaved)(const Call&, const std::vector<Spec>&),
                               Job (*blocked)(const Call&, const std::vector<Spec>&));

}  // namespace plumb::solve
