// Extremes by keys: see keys.h.
#include "optimized/array/reduce/keys.h"

#include "optimized/array/reduce/folds.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class W>
inline constexpr W kTop = static_cast<W>(~std::uint64_t{0} >> (65 - 8 * sizeof(W)));  // the greatest key

template <class W>
struct Greatest {
  typedef W Partial;
  static Lanes<W> join(Lanes<W> a, Lanes<W> b) { return a > b ? a : b; }
  static W join(W a, W b) { return a > b ? a : b; }
  static W none() { return static_cast<W>(-kTop<W> - 1); }
};

// Keys of words that are whole numbers or real ones.
template <class W>
struct Keys : Greatest<W> {
  W flip, magnitude, infinity, zeros;
  explicit Keys(const KeyRule& r)
      : flip(static_cast<W>(r.flip)),
        magnitude(static_cast<W>(r.magnitude)),
        infinity(static_cast<W>(r.infinity)),
        zeros(static_cast<W>(r.zeros)) {}

  Lanes<W> lanes(const W* x) const {
    Lanes<W> w;
    std::memcpy(&w, x, sizeof w);
    const Lanes<W> least = Lanes<W>{} + this->none();
    w &= ~((w == least) & zeros);
    const Lanes<W> k = w ^ ((w >> (8 * sizeof(W) - 1)) & magnitude) ^ flip;
    const Lanes<W> nan = (w & magnitude) > infinity;
    return nan ? Lanes<W>{} + kTop<W> : k;
  }
  W one(const W* x) const {
    W w = *x;
    if (w == this->none()) w = static_cast<W>(w & ~zeros);
    if (static_cast<W>(w & magnitude) > infinity) return kTop<W>;
    return static_cast<W>(w ^ (w < 0 ? magnitude : W{0}) ^ flip);
  }
  W value(W k) const {
    k = static_cast<W>(k ^ flip);
    return static_cast<W>(k ^ (k < 0 ? magnitude : W{0}));
  }
};

// Keys of pairs of floats: the real part's in the upper half.
struct ComplexKeys : Greatest<std::int64_t> {
  std::int64_t flip;
  explicit ComplexKeys(const KeyRule& r) : flip(r.flip) {}

  static std::uint32_t part(std::uint32_t w) {  // unsigned order
    if (w == 0x80000000U) w = 0;
    return w ^ (w >> 31 ? 0xFFFFFFFFU : 0x80000000U);
  }
  static std::uint32_t word(std::uint32_t k) { return k ^ (k >> 31 ? 0x80000000U : 0xFFFFFFFFU); }

  std::int64_t one(const std::int64_t* x) const {
    const auto w = static_cast<std::uint64_t>(*x);
    const auto re = static_cast<std::uint32_t>(w), im = static_cast<std::uint32_t>(w >> 32);
    if ((re & 0x7FFFFFFFU) > 0x7F800000U || (im & 0x7FFFFFFFU) > 0x7F800000U) return kTop<std::int64_t>;
    const std::uint64_t k = (std::uint64_t{part(re)} << 32 | part(im)) ^ 0x8000000000000000U;
    return static_cast<std::int64_t>(k) ^ flip;
  }
  Lanes<std::int64_t> lanes(const std::int64_t* x) const {
    Lanes<std::int64_t> k{};
    for (int i = 0; i < kLanes<std::int64_t>; ++i) k[i] = one(x + i);
    return k;
  }
  std::int64_t value(std::int64_t k) const {
    if (k == kTop<std::int64_t>) return 0x7FC000007FC00000;
    const std::uint64_t w = static_cast<std::uint64_t>(k ^ flip) ^ 0x8000000000000000U;
    return static_cast<std::int64_t>(std::uint64_t{word(static_cast<std::uint32_t>(w))} << 32 |
                                     word(static_cast<std::uint32_t>(w >> 32)));
  }
};

// f(keys, word) for the words of a rule.
template <class F>
inline void with_keys(const KeyRule& r, F&& f) {
  if (r.complex) f(ComplexKeys(r), std::int64_t{});
  else if (r.bytes == 1) f(Keys<std::int8_t>(r), std::int8_t{});
  else if (r.bytes == 2) f(Keys<std::int16_t>(r), std::int16_t{});
  else if (r.bytes == 4) f(Keys<std::int32_t>(r), std::int32_t{});
  else f(Keys<std::int64_t>(r), std::int64_t{});
}

// Of each column the greatest key of at most 127 rows, and the first of the rows that has it.
template <class K, class W>
inline void greatest_rows(const K& f, const W* x, std::int64_t rows, std::int64_t stride, std::int64_t width, W* keys,
                          W* at) {
  for (std::int64_t j = 0; j < width; ++j) keys[j] = f.one(x + j), at[j] = 0;
  std::int64_t j = 0;
  for (; j + kLanes<W> <= width; j += kLanes<W>) {
    Lanes<W> best, row{};
    std::memcpy(&best, keys + j, sizeof best);
    for (std::int64_t r = 1; r < rows; ++r) {
      const Lanes<W> k = f.lanes(x + r * stride + j), better = k > best;
      best = better ? k : best;
      row = better ? Lanes<W>{} + static_cast<W>(r) : row;
    }
    std::memcpy(keys + j, &best, sizeof best);
    std::memcpy(at + j, &row, sizeof row);
  }
  for (; j < width; ++j)
    for (std::int64_t r = 1; r < rows; ++r)
      if (const W k = f.one(x + r * stride + j); k > keys[j]) keys[j] = k, at[j] = static_cast<W>(r);
}

template <class W>
inline bool any_lane(Lanes<W> mask) {
  std::uint64_t words[kVectorBytes / 8], any = 0;
  std::memcpy(words, &mask, sizeof words);
  for (const std::uint64_t w : words) any |= w;
  return any != 0;
}

}  // namespace

void fold_keys(const KeyRule& rule, const void* x, const FoldCall& call) {
  with_keys(rule, [&](const auto& keys, auto w) { fold_as(keys, static_cast<const decltype(w)*>(x), call); });
}

// into = the greater of two keys, place by place.
void join_keys(const KeyRule& rule, void* into, const void* from, std::int64_t n) {
  with_keys(rule, [&](const auto& keys, auto w) {
    auto* a = static_cast<decltype(w)*>(into);
    const auto* b = static_cast<const decltype(w)*>(from);
    for (std::int64_t j = 0; j < n; ++j) a[j] = keys.join(a[j], b[j]);
  });
}

// The elements that have these keys.
void key_values(const KeyRule& rule, const void* keys, std::int64_t n, void* out) {
  with_keys(rule, [&](const auto& f, auto w) {
    const auto* k = static_cast<const decltype(w)*>(keys);
    auto* y = static_cast<decltype(w)*>(out);
    for (std::int64_t j = 0; j < n; ++j) y[j] = f.value(k[j]);
  });
}

void keys_of(const KeyRule& rule, const void* x, std::int64_t n, std::int64_t* keys) {
  with_keys(rule, [&](const auto& f, auto w) {
    const auto* p = static_cast<const decltype(w)*>(x);
    for (std::int64_t j = 0; j < n; ++j) keys[j] = f.one(p + j);
  });
}

void greatest_keys(const KeyRule& rule, const void* x, std::int64_t rows, std::int64_t stride, std::int64_t width,
                   std::int64_t* keys, std::int64_t* at) {
  constexpr std::int64_t kColumns = 256;
  with_keys(rule, [&](const auto& f, auto w) {
    typedef decltype(w) W;
    W k[kColumns], r[kColumns];
    for (std::int64_t j = 0; j < width; j += kColumns) {
      const std::int64_t m = width - j < kColumns ? width - j : kColumns;
      greatest_rows(f, static_cast<const W*>(x) + j, rows, stride, m, k, r);
      for (std::int64_t i = 0; i < m; ++i) keys[j + i] = k[i], at[j + i] = r[i];
    }
  });
}

// The place of the first element, among those `stride` apart, whose key is this; there is one.
std::int64_t find_key(const KeyRule& rule, const void* x, std::int64_t n, std::int64_t stride, std::int64_t key) {
  std::int64_t at = 0;
  with_keys(rule, [&](const auto& f, auto w) {
    typedef decltype(w) W;
    const auto* p = static_cast<const W*>(x);
    const auto wanted = static_cast<W>(key);
    if (stride == 1)
      while (at + kLanes<W> <= n && !any_lane<W>(f.lanes(p + at) == wanted)) at += kLanes<W>;
    while (f.one(p + at * stride) != wanted) ++at;
  });
  return at;
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
