#include "reference/array/random/draws.h"

#include <algorithm>
#include <cmath>

#include "core/signature.h"
#include "reference/index.h"

namespace plumb::reference {
namespace {

Word rotate_left(Word x, int r) { return (x << r) | (x >> (32 - r)); }

// Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror & Shaw 2011): key (k0, k1), counter (c0, c1).
Pair threefry(Pair key, Pair counter) {
  constexpr int kRotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const Word k[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDAu};
  Word x0 = counter[0] + k[0], x1 = counter[1] + k[1];
  for (Word block = 0; block < 5; ++block) {
    for (int r : kRotations[block % 2]) {
      x0 += x1;
      x1 = rotate_left(x1, r) ^ x0;
    }
    x0 += k[(block + 1) % 3];
    x1 += k[(block + 2) % 3] + block + 1;
  }
  return {x0, x1};
}

}  // namespace

std::vector<Word> words(Pair key, std::int64_t total) {
  std::vector<Word> w(static_cast<std::size_t>(total));
  const std::int64_t h = total / 2, odd = total % 2;
  for (std::int64_t i = 0; i < h; ++i) {
    const std::int64_t j = i + h + odd;
    const Pair p = threefry(key, {static_cast<Word>(i), static_cast<Word>(j)});
    w[static_cast<std::size_t>(i)] = p[0];
    w[static_cast<std::size_t>(j)] = p[1];
  }
  if (odd) w[static_cast<std::size_t>(h)] = threefry(key, {static_cast<Word>(h), 0})[0];
  return w;
}

std::vector<Word> words(const Call& c, std::int64_t total) {
  const Wide wide = widen(c["key"]);
  const Unsigneds& key = unsigneds(wide);
  return words({static_cast<Word>(key[0]), static_cast<Word>(key[1])}, total);
}

Reals rounded(const Reals& x, Dtype t) {
  const Wide nearest = widen(narrow(x, t));
  return reals(nearest);
}

Reals units(const Call& c, const Shape& shape, Dtype t) {
  Reals u(shape);
  const std::vector<Word> w = words(c, u.size());
  const double most = 1 - std::ldexp(1.0, -info(t).precision);
  for (std::int64_t i = 0; i < u.size(); ++i) {
    const double v = static_cast<float>(w[static_cast<std::size_t>(i)]);
    u[i] = std::min(v / 0x1p32, most);
  }
  return rounded(u, t);
}

Reals between(const Call& c, const Reals& low, const Reals& high, const Shape& shape, Dtype t) {
  const auto at = [&](const Reals& x, std::int64_t i) { return x[broadcast_index(i, shape, x.shape)]; };
  const Reals u = units(c, shape, t);
  Reals y(shape);
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = at(high, i) - at(low, i);
  y = rounded(y, t);
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] *= u[i];
  y = rounded(y, t);
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] += at(low, i);
  return rounded(y, t);
}

Reals symmetric(const Call& c, const Shape& shape) {
  return between(c, Reals({}, -(1 - 0x1p-24)), Reals({}, 1), shape, Dtype::f32);
}

Shape drawn_shape(const Request& r, std::int64_t words, std::int64_t elements) {
  const Shape shape = r.list("shape");
  for (const std::int64_t extent : shape)
    if (extent < 0) r.fail(Reason::shape, "negative extent in " + to_string(shape));
  if (count(shape) > (elements << 32) / words)
    r.fail(Reason::unsupported, to_string(shape) + " passes the 2^32 words of one key");
  return shape;
}

Shape drawn_shape(const Request& r, const Shape& fallback) { return r.none("shape") ? fallback : drawn_shape(r); }

void check_broadcast(const Request& r, const Shape& shape) {
  const Shape& inputs = r.letters->broadcast;
  if (broadcast(r.op->name, shape, inputs) != shape)
    r.fail(Reason::shape, to_string(inputs) + " does not broadcast to " + to_string(shape));
}

Dtype drawn_dtype(const Request& r, const std::vector<Dtype>& accepted, const char* words) {
  const Dtype t = r.dtype_attr("dtype").value_or(accepted.front());
  if (std::find(accepted.begin(), accepted.end(), t) == accepted.end())
    r.fail(Reason::dtype, "dtype " + std::string(name(t)) + ": not " + words);
  return t;
}

}  // namespace plumb::reference
