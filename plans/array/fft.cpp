#include "plans/array/fft.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>

namespace plumb::fft {

Problem problem(const Request& r) {
  const std::string_view op = r.op->name;
  Problem p;
  p.inverse = op == "ifft" || op == "irfft";
  p.real_in = op == "rfft";
  p.real_out = op == "irfft";
  const auto axis = static_cast<std::size_t>(r.axis());
  const Shape& shape = r.shape(0);
  p.size = shape[axis];
  p.n = !r.none("n") ? r.integer("n") : p.real_out ? 2 * (p.size - 1) : p.size;
  p.out = p.real_in ? p.n / 2 + 1 : p.n;
  p.used = std::min(p.size, p.real_out ? p.n / 2 + 1 : p.n);
  p.outer = p.inner = 1;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (d != axis) (d < axis ? p.outer : p.inner) *= shape[d];
  p.lines = p.outer * p.inner;
  const std::string& norm = r.text("norm");
  if (norm == "ortho") p.scale = 1 / std::sqrt(static_cast<double>(p.n));
  else if ((norm == "forward") != p.inverse) p.scale = 1 / static_cast<double>(p.n);
  return p;
}

// Symmetries bring the angle into the first octant, where the library's sine and cosine are good to an ulp.
Complex64 root(std::int64_t j, std::int64_t n) {
  j %= n;
  if (2 * j > n) return std::conj(root(n - j, n));
  if (4 * j > n) {
    const Complex64 mirrored = root(n - 2 * j, 2 * n);
    return {-mirrored.real(), mirrored.imag()};
  }
  const double turn = 2 * std::numbers::pi;
  if (8 * j > n) {
    const double a = turn * static_cast<double>(n - 4 * j) / (4.0 * static_cast<double>(n));
    return {std::sin(a), -std::cos(a)};
  }
  const double a = turn * static_cast<double>(j) / static_cast<double>(n);
  return {std::cos(a), -std::sin(a)};
}

namespace {

constexpr int kOddRadices[] = {3, 5, 7, 11, 13};

std::int64_t strip(std::int64_t n, std::vector<int>* out) {
  for (int r : kOddRadices)
    for (; n % r == 0; n /= r)
      if (out) out->push_back(r);
  int twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  if (out) {
    std::vector<int> even;
    for (; twos > 4 || twos == 3; twos -= 3) even.push_back(8);
    for (; twos >= 2; twos -= 2) even.push_back(4);
    if (twos) even.push_back(2);
    out->insert(out->begin(), even.begin(), even.end());
  }
  return n;
}

}  // namespace

std::vector<int> radices(std::int64_t n) {
  std::vector<int> out;
  if (strip(n, &out) != 1) out.clear();
  return out;
}

bool smooth(std::int64_t n) { return strip(n, nullptr) == 1; }

std::pair<std::int64_t, std::int64_t> halves(std::int64_t n) {
  auto d = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
  while (d * d > n) --d;
  while (d > 1 && n % d != 0) --d;
  return {n / d, d};
}

std::int64_t convolution_length(std::int64_t n, bool power_of_two) {
  const std::int64_t least = 2 * n - 1;
  std::int64_t best = 1;
  while (best < least) best *= 2;
  if (power_of_two || best < 64) return best;
  for (std::int64_t odd : {3, 5, 9, 15}) {
    std::int64_t m = 16 * odd;
    while (m < least) m *= 2;
    best = std::min(best, m);
  }
  return best;
}

namespace {

Complex64 product(Complex64 a, Complex64 b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// The forward transform of a smooth length in binary64, pass by pass.
void transform(std::vector<Complex64>& x) {
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<Complex64> y(x.size()), w(x.size());
  for (std::int64_t j = 0; j < n; ++j) w[static_cast<std::size_t>(j)] = root(j, n);
  const auto at = [&](std::int64_t i) { return static_cast<std::size_t>(i); };
  std::int64_t left = n, s = 1;
  for (int radix : radices(n)) {
    const std::int64_t m = left / radix;
    for (std::int64_t p = 0; p < m; ++p)
      for (std::int64_t k = 0; k < radix; ++k)
        for (std::int64_t q = 0; q < s; ++q) {
          Complex64 sum = 0;
          for (std::int64_t j = 0; j < radix; ++j)
            sum += product(x[at(q + s * (p + m * j))], w[at(j * k % radix * (n / radix))]);
          y[at(q + s * (radix * p + k))] = product(sum, w[at(p * k * s % n)]);
        }
    std::swap(x, y);
    left = m;
    s *= radix;
  }
}

Chirp make_chirp(std::int64_t n, std::int64_t m) {
  Chirp c{n, m, std::vector<Complex64>(static_cast<std::size_t>(n)),
          std::vector<Complex64>(static_cast<std::size_t>(m)), 1};
  for (std::int64_t j = 0; j < n; ++j) {
    const Complex64 v = root(j * j % (2 * n), 2 * n);  // j^2 passes 2^32 from n = 65536 on
    c.factor[static_cast<std::size_t>(j)] = v;
    c.spectrum[static_cast<std::size_t>(j)] = std::conj(v);
    if (j > 0) c.spectrum[static_cast<std::size_t>(m - j)] = std::conj(v);
  }
  transform(c.spectrum);
  double largest = 0;
  for (Complex64& v : c.spectrum) {
    largest = std::max(largest, std::abs(v));
    v /= static_cast<double>(m);
  }
  c.amplification = largest / std::sqrt(static_cast<double>(n));
  return c;
}

}  // namespace

std::shared_ptr<const Chirp> chirp(std::int64_t n, bool power_of_two) {
  static std::mutex mutex;
  static std::map<std::pair<std::int64_t, std::int64_t>, std::shared_ptr<const Chirp>> known;
  const std::int64_t m = convolution_length(n, power_of_two);
  const std::lock_guard lock(mutex);
  auto& entry = known[{n, m}];
  if (!entry) entry = std::make_shared<const Chirp>(make_chirp(n, m));
  return entry;
}

// A pass of radix 2^a counts a levels. A pass of odd radix R sums R terms in R + 3 over 2 roundings, one
// more for the constants, which is sqrt(2 R) gamma_h of the norm, and multiplies by one twiddle factor.
double levels(std::int64_t n) {
  const double u = 0x1p-24, e = u + gamma(4, u) * (std::numbers::sqrt2 + u);
  double sum = 0;
  for (int r : radices(n)) {
    if (r % 2 == 0) sum += std::log2(r);
    else sum += 1 + std::sqrt(2.0 * r) * gamma((r - 1) / 2 + 4, u) / e;
  }
  return sum;
}

Order order_of(double levels, double amplification, double twiddle_error) {
  Order o;
  o.fma = true;
  o.levels = levels;
  o.amplification = amplification;
  o.twiddle_error = twiddle_error;
  return o;
}

}  // namespace plumb::fft
