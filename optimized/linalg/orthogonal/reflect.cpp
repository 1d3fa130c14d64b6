#include "optimized/linalg/orthogonal/reflect.h"

#include <algorithm>
#include <cmath>

#include "core/room.h"
#include "optimized/linalg/orthogonal/limbs.h"
#include "optimized/linalg/orthogonal/source.h"

namespace plumb {
namespace {

constexpr int kBits = 31;    // of an element that is a whole number
constexpr int kLeast = -60;  // a column of smaller numbers is held by units of 2^-91

// e with |x| <= 2^e for all elements.
template <class T>
int ceiling(T most) {
  return std::max(kLeast, exponent_of(most) + 1);
}

template <class T>
T most_of(const T* x, std::int64_t n) {
  T most = 0;
  for (std::int64_t i = 0; i < n; ++i) most = std::max(most, std::abs(x[i]));
  return most;
}

// round(|x| 2^(31 - e)), to even.
std::uint32_t whole(float x, float scale) { return static_cast<std::uint32_t>(std::nearbyint(std::abs(x) * scale)); }

// x . y of n elements by `group` threads, thread t every group-th term from the t-th on.
float exact_dot(const float* x, int ex, const float* y, int ey, std::int64_t n, std::int64_t group) {
  const float sx = std::ldexp(1.0f, kBits - ex), sy = std::ldexp(1.0f, kBits - ey);
  Limbs plus, minus;
  for (std::int64_t t = 0; t < std::min(group, n); ++t) {
    Limbs own[2];
    std::int64_t terms = 0;
    for (std::int64_t i = t; i < n; i += group) {
      own[std::signbit(x[i]) != std::signbit(y[i])].add(whole(x[i], sx), whole(y[i], sy));
      if (++terms % Limbs::kTerms == 0) own[0].carry(), own[1].carry();
    }
    for (Limbs& l : own) l.carry();
    plus.add(own[0]), minus.add(own[1]);
  }
  plus.carry(), minus.carry();
  return Limbs::difference(plus, minus, ex + ey - 2 * kBits);
}

template <class T>
T strided_dot(const T* x, const T* y, std::int64_t n, std::int64_t group) {
  T sum = 0;
  for (std::int64_t t = 0; t < std::min(group, n); ++t) {
    T own = 0;
    for (std::int64_t i = t; i < n; i += group) own += x[i] * y[i];
    sum += own;
  }
  return sum;
}

template <class T>
class Reflector {
 public:
  Reflector(const ReflectedPanel<T>& p, const PanelQr& o, PanelQrRun& run) : p_(p), o_(o), run_(run) {}

  bool column(std::int64_t c) {
    x_ = p_.columns + c * p_.rows + c, v_ = p_.v + c * p_.rows + c, n_ = p_.rows - c, at_ = p_.first + c;
    std::fill(p_.v + c * p_.rows, p_.v + (c + 1) * p_.rows, T(0));
    p_.tau[c] = 0;
    if (++run_.iterations > o_.most_iterations) return ends(3, static_cast<double>(run_.iterations));
    if (most_of(x_ + 1, n_ - 1) == 0) return true;  // nothing lies below: H = I
    const T most = most_of(x_, n_);
    if (static_cast<double>(most) <= o_.tiny) return skip(most);
    return reflect(c, most);
  }

 private:
  bool ends(int code, double value) {
    run_.code = code, run_.value = value;
    return ends("code " + std::to_string(code));
  }
  bool ends(std::string cause) {
    run_.cause = std::move(cause), run_.column = at_, run_.panel = at_ / o_.panel;
    return false;
  }

  // What is left is rounding noise of a column that began at about 1.
  bool skip(T most) {
    ++run_.skipped;
    std::fill(x_ + 1, x_ + n_, T(0));
    if (!o_.wider) return true;
    run_.value = static_cast<double>(most);
    return ends("tiny norm");
  }

  T dot(PanelQr::Sum sum, const T* y, int ev, int ey) const {
    if constexpr (sizeof(T) == 4)
      if (sum == PanelQr::Sum::exact) return exact_dot(v_, ev, y, ey, n_, run_.group);
    return strided_dot(v_, y, n_, sizeof(T) == 4 ? run_.group : 1);
  }

  bool reflect(std::int64_t c, T most) {
    const int power = exponent_of(most) + 1;
    const T down = std::ldexp(T(1), -power);
    for (std::int64_t i = 0; i < n_; ++i) v_[i] = x_[i] * down;
    const T norm = std::sqrt(dot(o_.norms, v_, 0, 0));
    if (!std::isfinite(norm)) return ends(4, static_cast<double>(norm));
    const T signed_norm = std::signbit(v_[0]) ? -norm : norm;
    v_[0] += signed_norm;
    const int e = ceiling(most_of(v_, n_));
    const T square = dot(o_.norms, v_, e, e);
    if (!std::isfinite(square) || static_cast<double>(square) > o_.most_square)
      return ends(5, static_cast<double>(square));
    p_.tau[c] = T(2) / square;
    x_[0] = std::ldexp(-signed_norm, power);
    std::fill(x_ + 1, x_ + n_, T(0));
    for (std::int64_t j = c + 1; j < p_.width; ++j) {
      T* y = p_.columns + j * p_.rows + c;
      const T s = p_.tau[c] * dot(o_.dots, y, e, ceiling(most_of(y, n_)));
      for (std::int64_t i = 0; i < n_; ++i) y[i] -= s * v_[i];
    }
    return true;
  }

  const ReflectedPanel<T>& p_;
  const PanelQr& o_;
  PanelQrRun& run_;
  T *x_ = nullptr, *v_ = nullptr;  // the column from its diagonal on, and its reflector
  std::int64_t n_ = 0, at_ = 0;
};

template <class T>
bool reflect_all(const ReflectedPanel<T>& p, const PanelQr& o, const Deadline& deadline, PanelQrRun& run) {
  Reflector<T> reflector(p, o, run);
  for (std::int64_t c = 0; c < p.width; ++c) {
    deadline.check(p.first + c);
    if (!reflector.column(c)) return false;
  }
  return true;
}

}  // namespace

bool reflect(const ReflectedPanel<float>& p, const PanelQr& o, const Deadline& d, PanelQrRun& run) {
  return reflect_all(p, o, d, run);
}
bool reflect(const ReflectedPanel<double>& p, const PanelQr& o, const Deadline& d, PanelQrRun& run) {
  return reflect_all(p, o, d, run);
}

}  // namespace plumb
