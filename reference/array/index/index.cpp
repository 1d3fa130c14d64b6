#include "reference/array/index/index.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>

#include "core/error.h"

namespace plumb::reference {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// ---- One update applied to an element

std::uint64_t sum(std::uint64_t a, std::uint64_t b) { return a + b; }
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
// A pair of doubles has no sign of zero.
Double2 sum(Double2 a, Double2 b) { return a.hi == 0 && b.hi == 0 ? Double2(a.hi + b.hi) : a + b; }
template <class T>
T sum(T a, T b) {
  return a + b;
}

std::uint64_t difference(std::uint64_t a, std::uint64_t b) { return a - b; }
std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
template <class T>
T difference(T a, T b) {
  return a - b;
}

template <class T>
T quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) throw std::logic_error("whole numbers have no quotients here");
  else return a / b;
}
Double2 quotient(Double2 a, Double2 b) {  // one double at the ends of the range, where two would leave it
  const double q = a.hi / b.hi;
  if (std::abs(q) < 0x1p-900 || !std::isfinite(q) || std::abs(a.hi) > 0x1p1000) return q;
  return a / b;
}
Complex quotient(Complex a, Complex b) {  // (a + b i) / (c + d i) = ((ac + bd) + (bc - ad) i) / (c^2 + d^2)
  const double square = b.real() * b.real() + b.imag() * b.imag();
  return {(a.real() * b.real() + a.imag() * b.imag()) / square, (a.imag() * b.real() - a.real() * b.imag()) / square};
}

std::uint64_t product(std::uint64_t a, std::uint64_t b) { return a * b; }
std::int64_t product(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
Complex product(Complex a, Complex b) {  // (a + b i)(c + d i) = (ac - bd) + (ad + bc) i
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}
Double2 product(Double2 a, Double2 b) { return a.hi * b.hi == 0 ? Double2(a.hi * b.hi) : a * b; }
template <class T>
T product(T a, T b) {
  return a * b;
}

template <class T>
bool is_nan(T) {
  return false;
}
bool is_nan(double x) { return std::isnan(x); }
bool is_nan(Double2 x) { return isnan(x); }

// NaN beside any; the second of equals.
template <class T>
T extreme(T a, T b, Update which) {
  if constexpr (std::is_same_v<T, Complex>) {
    throw std::logic_error("complex numbers have no order here");
  } else {
    if (is_nan(a) || is_nan(b)) return is_nan(a) ? a : b;
    return (which == Update::max ? a > b : a < b) ? a : b;
  }
}

template <class T>
T applied(T old, T update, Update how) {
  switch (how) {
    case Update::set: return update;
    case Update::add: return sum(old, update);
    case Update::prod: return product(old, update);
    case Update::subtract: return difference(old, update);
    case Update::divide: return quotient(old, update);
    default: return extreme(old, update, how);
  }
}

// ---- What rounding may do to a row of updates

// Of what is finite; a part that is not counts as 0, as docs/bounds.md has it.
double finite(double x) { return std::isfinite(x) ? x : 0; }
template <class T>
double modulus(T x) {
  return finite(std::abs(static_cast<double>(x)));
}
double modulus(Complex x) { return std::hypot(finite(x.real()), finite(x.imag())); }

template <class T>
bool is_infinite(T x) {
  return std::isinf(static_cast<double>(x));
}
bool is_infinite(Complex x) { return std::isinf(x.real()) || std::isinf(x.imag()); }

template <class T>
bool is_whole(T x) {
  return static_cast<double>(x) == std::trunc(static_cast<double>(x));
}
bool is_whole(Complex x) { return x.real() == std::trunc(x.real()) && x.imag() == std::trunc(x.imag()); }

// How far one element may be off after the updates so far, in the order in which they come. Of all numbers the finite
// parts count.
struct Running {
  double error = 0, magnitude = 0;  // magnitude: the sum of |x| or the largest product, for the oracle's own error
  std::int64_t terms = 1;
  bool whole = true, overflow = false;

  // o: null for the oracle, whose own error alone counts.
  template <class T>
  void add(Update how, T before, T after, T x, const Order* o, Dtype t) {
    ++terms;
    const double most = std::numeric_limits<double>::max() / 4;
    const bool sums = how == Update::add || how == Update::subtract;
    if (sums) magnitude = std::min(most, magnitude + modulus(x));
    magnitude = std::min(most, std::max(magnitude, modulus(after)));
    if (!o) return;
    if (sums) add_term(modulus(after), is_whole(x), *o);
    else if (how == Update::divide) add_divisor(modulus(before), modulus(after), modulus(x), is_complex(t), *o);
    else add_factor(modulus(before), modulus(after), modulus(x), is_infinite(x), is_complex(t), *o);
    if (modulus(after) + error > info(o->accumulator).max) overflow = true;
    error = finite(error);
  }

  // s' = s + x errs by u |s'|, and not at all while all are whole numbers that the accumulator holds.
  void add_term(double after, bool whole_number, const Order& o) {
    whole = whole && whole_number && magnitude <= std::ldexp(1.0, info(o.accumulator).precision);
    if (!whole) error += o.accumulator_roundoff() * (after + error);
  }

  // p' = p x errs by |x| times the error of p, and by u |p'|, of complex numbers sqrt 2 gamma_2 |p'|; below the normal
  // numbers by half the least one. A p that may have become 0 makes NaN of an infinity.
  void add_factor(double before, double after, double x, bool infinite, bool complex, const Order& o) {
    const double u = o.accumulator_roundoff() * (complex ? 2.83 : 1), eta = info(o.accumulator).min_subnormal;
    if (infinite && before <= error) overflow = true;
    error = error * x * (1 + u) + u * after + (complex ? 2 : 0.5) * eta;
  }

  // q' = q / x errs by the error of q over |x|, and by u |q'|, of complex numbers three times that; below the normal
  // numbers by half the least one. A q that may have become 0 makes NaN of a divisor 0, or one that may be infinite.
  void add_divisor(double before, double after, double x, bool complex, const Order& o) {
    const double u = o.accumulator_roundoff() * (complex ? 3 : 1), eta = info(o.accumulator).min_subnormal;
    if (x == 0 && before <= error) overflow = true;
    error = x == 0 ? 0 : error / x * (1 + u) + u * after + (complex ? 2 : 0.5) * eta;
  }

  Allowed allowed(double value, Dtype out, const Order& o) const {
    if (terms == 1) return {};
    const double wide = out == Dtype::f64 ? kDouble2Roundoff : 0x1p-53;
    double e = error * (1 + 0x1p-20) + 2 * static_cast<double>(terms) * wide * magnitude;
    e += static_cast<double>(terms) * std::numeric_limits<double>::denorm_min();
    if (o.shape == Order::Shape::exact || info(out).precision < info(o.accumulator).precision)
      e += info(out).unit_roundoff() * (value + e) + info(out).min_subnormal / 2;
    return {e, overflow};
  }
};

}  // namespace

std::string_view updated_types(Update how) {
  switch (how) {
    case Update::max:
    case Update::min: return "bool integers floats";
    case Update::subtract: return "integers floats c64";
    case Update::divide: return "floats c64";
    default: return "all";
  }
}

namespace {

bool takes(Update how, std::string_view type) {
  const auto one_of = [&](std::string_view all) {
    return (" " + std::string(all) + " ").find(" " + std::string(type) + " ") != std::string::npos;
  };
  if (how == Update::max || how == Update::min) return type != "c64";
  if (how == Update::subtract) return type != "bool";
  return how != Update::divide || one_of("f16 bf16 f32 f64 c64");
}

// Of "u8 u8, f32 f64" the pairs with a first type that is taken.
std::string taken_pairs(std::string_view list, Update how) {
  std::string out;
  while (!list.empty()) {
    const std::string_view pair = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), pair.size() + 1));
    const std::string_view trimmed = pair.substr(std::min(pair.size(), pair.find_first_not_of(" \n")));
    if (takes(how, trimmed.substr(0, trimmed.find(' ')))) out.append(out.empty() ? "" : ", ").append(trimmed);
  }
  return out;
}

}  // namespace

std::string updated_cases(const std::string& text, Update how) {
  constexpr std::string_view kList = "t,u={";
  std::string out;
  std::size_t at = 0;
  for (std::size_t from = text.find(kList); from != std::string::npos; from = text.find(kList, at)) {
    const std::size_t first = from + kList.size(), last = text.find('}', first);
    out += text.substr(at, first - at) + taken_pairs(text.substr(first, last - first), how);
    at = last;
  }
  return out + text.substr(at);
}

Index unravel(std::int64_t i, const Shape& shape) {
  Index x(shape.size());
  for (std::size_t d = shape.size(); d-- > 0; i /= shape[d]) x[d] = i % shape[d];
  return x;
}

std::int64_t ravel(const Index& x, const Shape& shape) {
  std::int64_t i = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) i = i * shape[d] + x[d];
  return i;
}

Shape flattened(const Request& r, const Shape& shape) { return r.none("axis") ? Shape{count(shape)} : shape; }
std::int64_t axis_of(const Request& r) { return r.none("axis") ? 0 : r.axis(); }

Index part(const Index& x, std::size_t begin, std::size_t end) {
  return {x.begin() + static_cast<std::ptrdiff_t>(begin), x.begin() + static_cast<std::ptrdiff_t>(end)};
}
Index joined(Index x, const Index& y, const Index& z) {
  x.insert(x.end(), y.begin(), y.end());
  x.insert(x.end(), z.begin(), z.end());
  return x;
}

Index broadcast_from(const Index& i, const Shape& shape) {
  Index x(shape.size());
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::ptrdiff_t of_i = static_cast<std::ptrdiff_t>(d) + std::ssize(i) - std::ssize(shape);
    x[d] = shape[d] == 1 || of_i < 0 ? 0 : i[static_cast<std::size_t>(of_i)];
  }
  return x;
}

Integers positions(const Call& c, std::size_t input, std::int64_t n, std::int64_t width) {
  Integers x = as_integers(widen(c[input]));
  const bool has_sign = info(c.dtype(input)).kind == Kind::signed_integer;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t given = x[i];
    if (has_sign && given < 0) x[i] += n;
    if (x[i] >= 0 && x[i] <= n - width) continue;
    const std::string value = has_sign ? std::to_string(given) : std::to_string(static_cast<std::uint64_t>(given));
    c.fail(Reason::domain, std::string(input_name(c.op->inputs[input])) + " holds " + value + " at " +
                               std::to_string(i) + ": outside an axis of " + std::to_string(n) +
                               (width == 1 ? "" : " for windows of " + std::to_string(width)));
  }
  return x;
}

Index starts(const Call& c, const Shape& size) {
  const std::size_t input = c.index("start");
  const Integers given = as_integers(widen(c[input]));
  const auto axes = c.list("axes");
  Index start(size.size());
  for (std::size_t j = 0; j < axes.size(); ++j) {
    const std::size_t d = at(axes[j] < 0 ? axes[j] + c.rank(0) : axes[j]);
    const std::int64_t n = c.shape(0)[d], s = given[static_cast<std::int64_t>(j)];
    const bool has_sign = info(c.dtype(input)).kind == Kind::signed_integer;
    if (s < 0 || s > n - size[d])
      c.fail(Reason::domain, "start holds " +
                                 (has_sign ? std::to_string(s) : std::to_string(static_cast<std::uint64_t>(s))) +
                                 " at " + std::to_string(j) + ": outside an axis of " + std::to_string(n) +
                                 (size[d] == 1 ? "" : " for windows of " + std::to_string(size[d])));
    start[d] = s;
  }
  return start;
}

std::size_t index_arrays(const Request& r, std::size_t first) {
  std::size_t n = 0;
  for (std::size_t i = first; i < r.op->inputs.size(); ++i) {
    if (!r.has(i)) continue;
    if (i != first + n) r.fail(Reason::arity, "index arrays come without a gap");
    ++n;
  }
  return n;
}

Shape index_shape(const Request& r, std::size_t first) {
  Shape s;
  for (std::size_t k = 0; k < index_arrays(r, first); ++k) s = broadcast(r.op->name, s, r.shape(first + k));
  return s;
}

Window window(const Request& r) {
  const Shape& n = r.shape(0);
  const Index start = r.list("start"), stop = r.list("stop");
  const Index strides = r.none("strides") ? Index(n.size(), 1) : r.list("strides");
  if (start.size() != n.size() || stop.size() != n.size() || strides.size() != n.size())
    r.fail(Reason::attribute,
           "start, stop and strides are lists of " + std::to_string(n.size()) + ", one for each axis");
  Window w;
  for (std::size_t d = 0; d < n.size(); ++d) {
    if (strides[d] == 0) r.fail(Reason::attribute, "a stride of 0");
    std::int64_t s = start[d] < 0 ? start[d] + n[d] : start[d], e = stop[d] < 0 ? stop[d] + n[d] : stop[d];
    std::int64_t length = 0;
    if (strides[d] > 0) {
      s = std::min(std::max<std::int64_t>(s, 0), n[d]);
      for (std::int64_t i = s; i < std::min(e, n[d]); ++length)
        if (__builtin_add_overflow(i, strides[d], &i)) i = n[d];
    } else {
      s = std::min(s, n[d] - 1);
      for (std::int64_t i = s; i > std::max<std::int64_t>(e, -1); ++length)
        if (__builtin_add_overflow(i, strides[d], &i)) i = -1;
    }
    w.start.push_back(s), w.step.push_back(strides[d]), w.length.push_back(length);
  }
  return w;
}

Wide taken(const Tensor& a, const std::vector<std::int64_t>& from, Shape out) {
  return std::visit(
      [&]<class T>(const Array<T>& x) -> Wide {
        Array<T> y(std::move(out));
        for (std::int64_t o = 0; o < y.size(); ++o) y[o] = x[from[at(o)]];
        return y;
      },
      widen(a));
}

Wide updated(const Wide& a, const Wide& updates, const Moves& moves, Update how) {
  Wide out = a;
  std::visit(
      [&]<class T>(Array<T>& y) {
        const Array<T>& u = std::get<Array<T>>(updates);
        for (const Move& m : moves) y[m.to] = applied(y[m.to], u[m.from], how);
      },
      out);
  return out;
}

Allowances running_bound(const Wide& a, const Wide& updates, const Moves& moves, Update how, Dtype out,
                         const Order& o) {
  const bool exact = o.shape == Order::Shape::exact;
  return std::visit(
      [&]<class T>(Array<T> y) {
        const Array<T>& u = std::get<Array<T>>(updates);
        std::vector<Running> all(y.data.size());
        for (std::int64_t i = 0; i < y.size(); ++i)
          all[at(i)].magnitude = modulus(y[i]), all[at(i)].whole = is_whole(y[i]);
        for (const Move& m : moves) {
          const T before = y[m.to];
          y[m.to] = applied(before, u[m.from], how);
          all[at(m.to)].add(how, before, y[m.to], u[m.from], exact ? nullptr : &o, out);
        }
        Allowances allowed(y.shape);
        for (std::int64_t i = 0; i < y.size(); ++i) allowed[i] = all[at(i)].allowed(modulus(y[i]), out, o);
        return allowed;
      },
      a);
}

namespace {

Wide positions_fill(const Spec& spec, std::uint64_t key, double p) {
  const bool has_sign = info(spec.dtype).kind == Kind::signed_integer;
  const auto n = static_cast<std::uint64_t>(std::max(p, 1.0));
  Integers a(spec.shape);
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    a[i] = static_cast<std::int64_t>(d / 2 % n) - (has_sign && d % 2 != 0 ? static_cast<std::int64_t>(n) : 0);
  }
  return a;
}

}  // namespace

std::vector<Fill> index_fills() {
  return {{"positions", "whole numbers in [-p, p); unsigned in [0, p)", 1, {1, 0x1p31}, positions_fill}};
}

}  // namespace plumb::reference
