// Integer keys that values come back from, and networks that sort keys alone, one line per lane.
#include "optimized/element.h"
#include "optimized/key_lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

template <class U>
constexpr U kTop = static_cast<U>(U{1} << (8 * sizeof(U) - 1));

struct Boolean {
  static constexpr bool zeros = false;
  std::uint8_t key(std::uint8_t x) const { return x != 0; }
  std::uint8_t value(std::uint8_t k) const { return k; }
};
template <class U>
struct Unsigned {
  static constexpr bool zeros = false;
  U key(U x) const { return x; }
  U value(U k) const { return k; }
};
template <class U>
struct Signed {
  static constexpr bool zeros = false;
  U key(U x) const { return static_cast<U>(x ^ kTop<U>); }
  U value(U k) const { return static_cast<U>(k ^ kTop<U>); }
};
// -0 just before +0.
template <class U, U kInfinity>
struct Floating {
  static constexpr bool zeros = true;
  U key(U x) const {
    const U key = static_cast<U>((x & kTop<U>) != 0 ? ~x : x | kTop<U>);
    return static_cast<U>(x & ~kTop<U>) > kInfinity ? static_cast<U>(~U{0}) : key;
  }
  U value(U k) const { return static_cast<U>((k & kTop<U>) != 0 ? k ^ kTop<U> : ~k); }
};

template <class U, class Map, class K>
static int encode(const unsigned char* x, std::int64_t stride, std::int64_t n, K* keys) {
  const Map map;
  const std::int64_t step = stride * static_cast<std::int64_t>(sizeof(U));
  U raw;
  if (stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) {
      std::memcpy(&raw, x + i * static_cast<std::int64_t>(sizeof(U)), sizeof raw);
      keys[i] = map.key(raw);
    }
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      std::memcpy(&raw, x + i * step, sizeof raw);
      keys[i] = map.key(raw);
    }
  }
  if constexpr (!Map::zeros) return 0;
  K negative = 0, positive = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    negative |= keys[i] == kTop<U> - 1;
    positive |= keys[i] == kTop<U>;
  }
  return static_cast<int>(negative | positive << 1);
}

template <class U, class Map, class K>
static int decode(const K* keys, std::int64_t n, unsigned char* out, std::int64_t stride) {
  const Map map;
  const std::int64_t step = stride * static_cast<std::int64_t>(sizeof(U));
  if (stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) {
      const U v = map.value(static_cast<U>(keys[i]));
      std::memcpy(out + i * static_cast<std::int64_t>(sizeof(U)), &v, sizeof v);
    }
    return 0;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const U v = map.value(static_cast<U>(keys[i]));
    std::memcpy(out + i * step, &v, sizeof v);
  }
  return 0;
}

// f(U{}, Map{}, keys) for the words and the map of a type, and the keys of its width.
template <class N, class W, class F>
static int with_map(Element t, N* narrow, W* wide, F&& f) {
  using std::uint16_t, std::uint32_t, std::uint64_t, std::uint8_t;
  switch (t) {
    case Element::boolean: return f(uint8_t{}, Boolean{}, narrow);
    case Element::u8: return f(uint8_t{}, Unsigned<uint8_t>{}, narrow);
    case Element::u16: return f(uint16_t{}, Unsigned<uint16_t>{}, narrow);
    case Element::u32: return f(uint32_t{}, Unsigned<uint32_t>{}, narrow);
    case Element::u64: return f(uint64_t{}, Unsigned<uint64_t>{}, wide);
    case Element::i8: return f(uint8_t{}, Signed<uint8_t>{}, narrow);
    case Element::i16: return f(uint16_t{}, Signed<uint16_t>{}, narrow);
    case Element::i32: return f(uint32_t{}, Signed<uint32_t>{}, narrow);
    case Element::i64: return f(uint64_t{}, Signed<uint64_t>{}, wide);
    case Element::f16: return f(uint16_t{}, Floating<uint16_t, 0x7C00>{}, narrow);
    case Element::bf16: return f(uint16_t{}, Floating<uint16_t, 0x7F80>{}, narrow);
    case Element::f32: return f(uint32_t{}, Floating<uint32_t, 0x7F800000u>{}, narrow);
    case Element::f64: return f(uint64_t{}, Floating<uint64_t, 0x7FF0000000000000u>{}, wide);
    case Element::c64: break;  // its order is none of words
  }
  return 0;
}

constexpr std::int64_t kMaxRows = 256;

template <class V, class K>
static void network(K* keys, std::int64_t lines, std::int64_t n, const std::uint16_t* pairs, std::int64_t count) {
  constexpr int lanes = kVectorBytes / static_cast<int>(sizeof(K));
  alignas(64) K rows[kMaxRows][lanes];
  for (int l = 0; l < lanes; ++l) {
    const K* k = keys + (l < lines ? l * n : 0);
    for (std::int64_t i = 0; i < n; ++i) rows[i][l] = k[i];
  }
  V* row = reinterpret_cast<V*>(rows);
  for (std::int64_t c = 0; c < count; ++c) exchange(row[pairs[2 * c]], row[pairs[2 * c + 1]]);
  for (int l = 0; l < lines; ++l) {
    for (std::int64_t i = 0; i < n; ++i) keys[l * n + i] = rows[i][l];
  }
}

}  // namespace

int value_keys(Element t, const unsigned char* x, std::int64_t stride, std::int64_t n, std::uint32_t* narrow,
               std::uint64_t* wide) {
  return with_map(t, narrow, wide,
                  [&]<class U, class Map, class K>(U, Map, K* keys) { return encode<U, Map>(x, stride, n, keys); });
}

void key_values(Element t, const std::uint32_t* narrow, const std::uint64_t* wide, std::int64_t n, unsigned char* out,
                std::int64_t stride) {
  with_map(t, narrow, wide,
           [&]<class U, class Map, class K>(U, Map, K* keys) { return decode<U, Map>(keys, n, out, stride); });
}

// Sorts `lines` lines of n <= 256 keys, each line one lane, by the comparators (pairs[2c], pairs[2c+1]); at most as
// many lines as there are lanes. Line l lies at keys + l n.
void network_keys_narrow(std::uint32_t* keys, std::int64_t lines, std::int64_t n, const std::uint16_t* pairs,
                         std::int64_t count) {
  network<u32v>(keys, lines, n, pairs, count);
}
void network_keys_wide(std::uint64_t* keys, std::int64_t lines, std::int64_t n, const std::uint16_t* pairs,
                       std::int64_t count) {
  network<u64v>(keys, lines, n, pairs, count);
}

std::int64_t network_keys_lanes(std::int64_t bytes) { return kVectorBytes / bytes; }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
