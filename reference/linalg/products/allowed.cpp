#include "reference/linalg/products/allowed.h"

#include <algorithm>
#include <cmath>

#include "core/double2.h"

namespace plumb::reference {
namespace {

bool is_whole(double x) { return std::isfinite(x) && x == std::trunc(x); }

struct Whole {
  template <class T>
  bool operator()(const Array<T>& a) const {
    return std::all_of(a.data.begin(), a.data.end(), [](const T& x) {
      if constexpr (std::is_same_v<T, Complex>) return is_whole(x.real()) && is_whole(x.imag());
      else if constexpr (std::is_same_v<T, Double2>) return is_whole(x.hi) && is_whole(x.lo);
      else if constexpr (std::is_same_v<T, double>) return is_whole(x);
      else return true;
    });
  }
};

}  // namespace

double real_at(const Wide& w, std::int64_t i) {
  return std::visit(
      [&]<class T>(const Array<T>& a) {
        if constexpr (std::is_same_v<T, Complex>) return std::abs(a[i]);
        else if constexpr (std::is_same_v<T, Double2>) return a[i].hi;
        else return static_cast<double>(a[i]);
      },
      w);
}

bool whole(const Call& c) {
  return std::all_of(c.in.begin(), c.in.end(),
                     [](const Tensor& t) { return !t.defined() || std::visit(Whole{}, widen(t)); });
}

Allowances allowed(const Sums& s) {
  const Dtype part = s.out == Dtype::c64 ? Dtype::f32 : s.out;
  const double oracle = s.out == Dtype::f64 ? kDouble2Roundoff : 0x1p-53;
  const double limit = std::ldexp(1.0, info(s.order.accumulator).precision);
  Allowances all(shape_of(*s.want));
  for (std::int64_t i = 0; i < all.size(); ++i) {
    const double c = real_at(*s.want, i), G = real_at(*s.magnitude, i);
    const double most = s.passing ? std::max(G, real_at(*s.passing, i)) : G;
    all[i].overflow = may_overflow(most, s.terms, s.order);
    all[i].error = accumulate_bound(c, G, s.terms, s.order, part, oracle) + s.underflow;
    if (s.exact && most <= limit)
      all[i].error =
          info(part).precision < info(s.order.accumulator).precision ? info(part).unit_roundoff() * std::abs(c) : 0;
  }
  return all;
}

}  // namespace plumb::reference
