// Order-preserving integer keys, and networks that sort one line per lane.
#include "optimized/element.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// ---- Keys: unsigned integers in the order of the values, equal exactly for equal values ----

template <class U>
constexpr U kTop = static_cast<U>(U{1} << (8 * sizeof(U) - 1));

template <class U>
static inline U load_raw(const unsigned char* p) {
  U x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

struct Boolean {
  std::uint32_t operator()(std::uint8_t x) const { return x != 0; }
};
template <class U>
struct Unsigned {
  U operator()(U x) const { return x; }
};
template <class U>
struct Signed {
  U operator()(U x) const { return static_cast<U>(x ^ kTop<U>); }
};
// Every NaN is the greatest key, both zeros are the one in the middle.
template <class U, U kInfinity>
struct Floating {
  U operator()(U x) const {
    const U magnitude = static_cast<U>(x & ~kTop<U>);
    const U negative = static_cast<U>(~x), positive = static_cast<U>(x | kTop<U>);
    const U key = magnitude == 0 ? kTop<U> : (x & kTop<U>) != 0 ? negative : positive;
    return magnitude > kInfinity ? static_cast<U>(~U{0}) : key;
  }
};
// The real part decides before the imaginary; NaN in either is the greatest.
struct ComplexKey {
  std::uint64_t operator()(std::uint64_t x) const {
    const Floating<std::uint32_t, 0x7F800000u> part;
    const std::uint32_t re = part(static_cast<std::uint32_t>(x)), im = part(static_cast<std::uint32_t>(x >> 32));
    const bool nan = re == ~0u || im == ~0u;
    return nan ? ~std::uint64_t{0} : static_cast<std::uint64_t>(re) << 32 | im;
  }
};

template <class U, class Map, class K>
static void encode(const unsigned char* x, std::int64_t stride, std::int64_t n, K* keys) {
  const Map map;
  if (stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) keys[i] = map(load_raw<U>(x + i * static_cast<std::int64_t>(sizeof(U))));
    return;
  }
  const std::int64_t step = stride * static_cast<std::int64_t>(sizeof(U));
  for (std::int64_t i = 0; i < n; ++i) keys[i] = map(load_raw<U>(x + i * step));
}

// ---- Buckets ----

template <class V, class K>
static void classify(const K* keys, std::int64_t n, const K* splitters, int count, std::uint8_t* ids) {
  constexpr int lanes = kVectorBytes / static_cast<int>(sizeof(K));
  typedef std::uint8_t narrow __attribute__((vector_size(lanes)));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    V key, id{};
    std::memcpy(&key, keys + i, sizeof key);
    for (int s = 0; s < count; ++s) id -= (V)(key >= splitters[s]);
    const narrow out = __builtin_convertvector(id, narrow);
    std::memcpy(ids + i, &out, sizeof out);
  }
  for (; i < n; ++i) {
    int id = 0;
    for (int s = 0; s < count; ++s) id += keys[i] >= splitters[s];
    ids[i] = static_cast<std::uint8_t>(id);
  }
}

// ---- Networks ----

// (a, b) = (min, max) of packed values that are all different.
static inline void exchange(i64v& a, i64v& b) {
#if defined(__AVX512F__)
  const __m512i low = _mm512_maskz_min_epi64(0xFF, (__m512i)a, (__m512i)b);
  b = (i64v)_mm512_maskz_max_epi64(0xFF, (__m512i)a, (__m512i)b);
  a = (i64v)low;
#else
  const i64v swap = a > b, low = (b & swap) | (a & ~swap);
  b = (a & swap) | (b & ~swap);
  a = low;
#endif
}

static inline void swap_where(i64v swap, i64v& a, i64v& b) {
  const i64v low = (b & swap) | (a & ~swap);
  b = (a & swap) | (b & ~swap);
  a = low;
}

// Comparators on rows of kF64 lanes; a row is a packed value, or a key and its index.
static void run_packed(const std::uint16_t* pairs, std::int64_t count, i64v* rows) {
  for (std::int64_t c = 0; c < count; ++c) exchange(rows[pairs[2 * c]], rows[pairs[2 * c + 1]]);
}

static void run_wide(const std::uint16_t* pairs, std::int64_t count, i64v* keys, i64v* index) {
  for (std::int64_t c = 0; c < count; ++c) {
    i64v &ka = keys[pairs[2 * c]], &kb = keys[pairs[2 * c + 1]];
    i64v &ia = index[pairs[2 * c]], &ib = index[pairs[2 * c + 1]];
    const i64v swap = (ka > kb) | ((ka == kb) & (ia > ib));
    swap_where(swap, ka, kb);
    swap_where(swap, ia, ib);
  }
}

constexpr std::int64_t kMaxRows = 256;
constexpr std::uint64_t kBias = std::uint64_t{1} << 63;  // unsigned order as signed order

}  // namespace

// stride in elements. Keys of at most four bytes go to `narrow`, others to `wide`.
void order_keys(Element t, const unsigned char* x, std::int64_t stride, std::int64_t n, std::uint32_t* narrow,
                std::uint64_t* wide) {
  using std::uint16_t, std::uint32_t, std::uint64_t, std::uint8_t;
  switch (t) {
    case Element::boolean: return encode<uint8_t, Boolean>(x, stride, n, narrow);
    case Element::u8: return encode<uint8_t, Unsigned<uint8_t>>(x, stride, n, narrow);
    case Element::u16: return encode<uint16_t, Unsigned<uint16_t>>(x, stride, n, narrow);
    case Element::u32: return encode<uint32_t, Unsigned<uint32_t>>(x, stride, n, narrow);
    case Element::u64: return encode<uint64_t, Unsigned<uint64_t>>(x, stride, n, wide);
    case Element::i8: return encode<uint8_t, Signed<uint8_t>>(x, stride, n, narrow);
    case Element::i16: return encode<uint16_t, Signed<uint16_t>>(x, stride, n, narrow);
    case Element::i32: return encode<uint32_t, Signed<uint32_t>>(x, stride, n, narrow);
    case Element::i64: return encode<uint64_t, Signed<uint64_t>>(x, stride, n, wide);
    case Element::f16: return encode<uint16_t, Floating<uint16_t, 0x7C00>>(x, stride, n, narrow);
    case Element::bf16: return encode<uint16_t, Floating<uint16_t, 0x7F80>>(x, stride, n, narrow);
    case Element::f32: return encode<uint32_t, Floating<uint32_t, 0x7F800000u>>(x, stride, n, narrow);
    case Element::f64: return encode<uint64_t, Floating<uint64_t, 0x7FF0000000000000u>>(x, stride, n, wide);
    case Element::c64: return encode<uint64_t, ComplexKey>(x, stride, n, wide);
  }
}

// ids[i] = how many of the ascending splitters are at most keys[i].
void bucket_ids_narrow(const std::uint32_t* keys, std::int64_t n, const std::uint32_t* splitters, int count,
                       std::uint8_t* ids) {
  classify<u32v>(keys, n, splitters, count, ids);
}
void bucket_ids_wide(const std::uint64_t* keys, std::int64_t n, const std::uint64_t* splitters, int count,
                     std::uint8_t* ids) {
  classify<u64v>(keys, n, splitters, count, ids);
}

// Sorts `lines` <= kF64 lines of n <= 256 keys, each line one lane, by the comparators (pairs[2c], pairs[2c+1]).
// Line l lies at keys + l n; its indices, in order, go to out + l n.
void network_narrow(const std::uint32_t* keys, std::int64_t lines, std::int64_t n, const std::uint16_t* pairs,
                    std::int64_t count, std::uint32_t* out) {
  alignas(64) std::uint64_t packed[kMaxRows][kF64];
  for (int l = 0; l < kF64; ++l) {
    const std::uint32_t* k = keys + (l < lines ? l * n : 0);
    for (std::int64_t i = 0; i < n; ++i) {
      packed[i][l] = (static_cast<std::uint64_t>(k[i]) << 32 | static_cast<std::uint64_t>(i)) ^ kBias;
    }
  }
  run_packed(pairs, count, reinterpret_cast<i64v*>(packed));
  for (int l = 0; l < lines; ++l) {
    for (std::int64_t i = 0; i < n; ++i) out[l * n + i] = static_cast<std::uint32_t>(packed[i][l]);
  }
}

void network_wide(const std::uint64_t* keys, std::int64_t lines, std::int64_t n, const std::uint16_t* pairs,
                  std::int64_t count, std::uint32_t* out) {
  alignas(64) std::uint64_t key[kMaxRows][kF64], index[kMaxRows][kF64];
  for (int l = 0; l < kF64; ++l) {
    const std::uint64_t* k = keys + (l < lines ? l * n : 0);
    for (std::int64_t i = 0; i < n; ++i) {
      key[i][l] = k[i] ^ kBias;
      index[i][l] = static_cast<std::uint64_t>(i);
    }
  }
  run_wide(pairs, count, reinterpret_cast<i64v*>(key), reinterpret_cast<i64v*>(index));
  for (int l = 0; l < lines; ++l) {
    for (std::int64_t i = 0; i < n; ++i) out[l * n + i] = static_cast<std::uint32_t>(index[i][l]);
  }
}

std::int64_t network_lanes() { return kF64; }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
