// Entropy coding on the CPU. Tables are made by all threads, rows side by side in the lanes of a vector; of a row that
// is encoded only the symbol's bounds are kept. The coders themselves are serial: they shift by as many bits as a
// step allows at once, divide by multiplication, and find symbols by halving.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(std::int64_t cdf_rows(const void* prob, int half, std::int64_t symbols, std::int64_t rows,
                                         std::uint16_t* out))

namespace {

constexpr Limit kBlock{"entropy.block", 64, 6};  // rows whose tables are made together
constexpr std::uint32_t kTotal = 65536;
constexpr std::size_t kRangeHeader = 18, kRansHeader = 22;

enum class Coder { range, rans };

constexpr std::string_view magic(Coder c) { return c == Coder::range ? "MLXGERNG01" : "MLXGERNS01"; }

// Where the probabilities or the tables of a call lie, dense.
struct Model {
  Tensor tensor;
  bool tables;
  std::int64_t rows, symbols;

  Model(const Call& call, bool given)
      : tensor(contiguous(call[0])), tables(given), rows(tensor.dim(0)), symbols(tensor.dim(1) - (given ? 1 : 0)) {}
  std::int64_t width() const { return symbols + 1; }

  // The tables of `n` rows from `begin` on: where they lie, or made in `room`. The first bad row, or -1, goes to `bad`.
  const std::uint16_t* bounds(std::int64_t begin, std::int64_t n, std::uint16_t* room, std::int64_t& bad) const {
    if (tables) {
      const auto* c = tensor.read<std::uint16_t>() + begin * width();
      bad = first_unordered(c, n);
      return c;
    }
    const bool half = tensor.dtype() == Dtype::f16;
    const auto* p = tensor.read<std::byte>() + begin * symbols * (half ? 2 : 4);
    bad = PLUMB_DISPATCH(cdf_rows)(p, half, symbols, n, room);
    return room;
  }

 private:
  std::int64_t first_unordered(const std::uint16_t* c, std::int64_t n) const {
    for (std::int64_t i = 0; i < n; ++i, c += width()) {
      bool good = c[0] == 0;
      for (std::int64_t j = 1; j < symbols; ++j) good &= c[j] > c[j - 1];
      if (!good) return i;
    }
    return -1;
  }
};

// Calls f(begin, n, bounds) for blocks of rows, on all threads. Throws Error(domain) for the first bad row.
template <class F>
void each_block(const Call& call, const Model& m, F&& f) {
  std::atomic<std::int64_t> first_bad{m.rows};
  const std::int64_t each = kBlock.of(m.rows), blocks = (m.rows + each - 1) / each;
  parallel_for(blocks, std::max<std::int64_t>(1, 512 / m.width()), [&](std::int64_t from, std::int64_t to) {
    Room<std::uint16_t> room(static_cast<std::size_t>(m.tables ? 0 : each * m.width()));
    for (std::int64_t k = from; k < to; ++k) {
      const std::int64_t begin = k * each, n = std::min(each, m.rows - begin);
      std::int64_t bad = -1;
      const std::uint16_t* c = m.bounds(begin, n, room.data(), bad);
      if (bad < 0) {
        f(begin, n, c);
        continue;
      }
      std::int64_t known = first_bad.load();
      while (begin + bad < known && !first_bad.compare_exchange_weak(known, begin + bad)) {
      }
    }
  });
  if (first_bad < m.rows)
    call.fail(Reason::domain, (m.tables ? "table " : "a probability of row ") + std::to_string(first_bad.load()) +
                                  (m.tables ? " does not increase from 0" : " is not finite"));
}

void normalized_cdf(const Call& call, std::vector<Tensor>& out) {
  const Model m(call, false);
  auto* to = out[0].write<std::uint16_t>();
  const bool half = m.tensor.dtype() == Dtype::f16;
  std::atomic<std::int64_t> bad{-1};
  const std::int64_t each = kBlock.of(m.rows);
  parallel_for((m.rows + each - 1) / each, std::max<std::int64_t>(1, 512 / m.width()),
               [&](std::int64_t from, std::int64_t end) {
                 const std::int64_t begin = from * each, n = std::min(m.rows, end * each) - begin;
                 const auto* p = m.tensor.read<std::byte>() + begin * m.symbols * (half ? 2 : 4);
                 const std::int64_t row = PLUMB_DISPATCH(cdf_rows)(p, half, m.symbols, n, to + begin * m.width());
                 if (row >= 0) bad = begin + row;
               });
  if (bad >= 0) call.fail(Reason::domain, "a probability of row " + std::to_string(bad.load()) + " is not finite");
}

// The part [low, low + width) of 65536 that a symbol takes. state / width = state inverse >> 48 for states below 2^31:
// inverse width exceeds 2^48 by at most width, so the quotient is off by less than 2^-17.
struct Part {
  std::uint32_t low, width;
  std::uint64_t inverse;
};
constexpr int kInverseBits = 48;

std::vector<Part> parts_of(const Call& call, const Model& m, Coder coder) {
  const Tensor symbols = contiguous(call[1]);
  const auto* s = symbols.read<std::int32_t>();
  for (std::int64_t i = 0; i < m.rows; ++i)
    if (s[i] < 0 || s[i] >= m.symbols)
      call.fail(Reason::domain, "symbol " + std::to_string(s[i]) + " of " + std::to_string(m.symbols));
  std::vector<Part> parts(static_cast<std::size_t>(m.rows));
  each_block(call, m, [&](std::int64_t begin, std::int64_t n, const std::uint16_t* c) {
    for (std::int64_t i = 0; i < n; ++i, c += m.width()) {
      const std::int32_t at = s[begin + i];
      const std::uint32_t high = at + 1 == m.symbols ? kTotal : c[at + 1];
      const std::uint32_t width = high - c[at];
      const std::uint64_t inverse = coder == Coder::rans ? (std::uint64_t{1} << kInverseBits) / width + 1 : 0;
      parts[static_cast<std::size_t>(begin + i)] = {c[at], width, inverse};
    }
  });
  return parts;
}

void put_word(std::uint8_t* to, std::uint32_t word) {
  for (int k = 0; k < 4; ++k) to[k] = static_cast<std::uint8_t>(word >> (8 * k));
}
std::uint32_t word_at(const std::uint8_t* b) {
  return b[0] | std::uint32_t{b[1]} << 8 | std::uint32_t{b[2]} << 16 | std::uint32_t{b[3]} << 24;
}

void put_header(std::uint8_t* to, Coder coder, const Model& m) {
  std::memcpy(to, magic(coder).data(), 10);
  put_word(to + 10, static_cast<std::uint32_t>(m.rows));
  put_word(to + 14, static_cast<std::uint32_t>(m.symbols));
}

// Bits, the highest of a byte first, gathered in a word.
class BitWriter {
 public:
  explicit BitWriter(std::uint8_t* to) : to_(to) {}
  // The low n <= 32 bits of `bits`.
  void write(std::uint32_t bits, int n) {
    word_ = word_ << n | (n == 32 ? bits : bits & ((std::uint32_t{1} << n) - 1));
    held_ += n;
    for (; held_ >= 8; held_ -= 8) *to_++ = static_cast<std::uint8_t>(word_ >> (held_ - 8));
  }
  void repeat(bool bit, std::int64_t n) {
    for (; n > 0; n -= 32) write(bit ? ~std::uint32_t{0} : 0, static_cast<int>(std::min<std::int64_t>(n, 32)));
  }
  std::uint8_t* finish() {
    if (held_ > 0) write(0, 8 - held_);
    return to_;
  }

 private:
  std::uint8_t* to_;
  std::uint64_t word_ = 0;
  int held_ = 0;
};

// The interval [low, high] of 32 bits that is left.
struct Interval {
  std::uint32_t low = 0, high = ~std::uint32_t{0};
  std::uint64_t range() const { return std::uint64_t{high} - low + 1; }
  void take(std::uint32_t lo, std::uint32_t hi) {
    const std::uint64_t r = range();
    high = static_cast<std::uint32_t>(low + (r * hi >> 16) - 1);
    low = static_cast<std::uint32_t>(low + (r * lo >> 16));
  }
  int decided() const { return std::countl_zero(low ^ high); }  // leading bits that both ends share
  void drop(int n) {
    low = low << n;
    high = high << n | ((std::uint32_t{1} << n) - 1);
  }
  // After drop: low begins 0, high begins 1. How many bits from the second on are 1 in low and 0 in high.
  int undecided() const { return std::countl_one((low & ~high) << 1); }
  void skip(int n) {
    low = low << n & 0x7FFFFFFFu;
    high = high << n | ((std::uint32_t{1} << n) - 1) | 0x80000000u;
  }
};

std::uint8_t* put_range(const std::vector<Part>& parts, std::uint8_t* to) {
  BitWriter w(to);
  Interval in;
  std::int64_t pending = 0;
  for (const Part& p : parts) {
    in.take(p.low, p.low + p.width);
    if (const int n = in.decided(); n > 0) {
      const bool first = in.low >> 31;
      w.write(first, 1);
      w.repeat(!first, pending);
      pending = 0;
      w.write(in.low >> (32 - n), n - 1);
      in.drop(n);
    }
    const int n = in.undecided();
    pending += n;
    in.skip(n);
  }
  const bool last = in.low >> 30 & 1;
  w.write(last, 1);
  w.repeat(!last, pending + 1);
  return w.finish();
}

constexpr std::uint32_t kLeast = 1u << 23;  // states are in [2^23, 2^31)

// Bytes come last first: they are written downwards from the end of the room and then moved.
std::uint8_t* put_rans(const std::vector<Part>& parts, std::uint8_t* to, std::uint8_t* end) {
  std::uint32_t state = kLeast;
  std::uint8_t* at = end;
  for (std::size_t i = parts.size(); i-- > 0;) {
    const Part p = parts[i];
    for (const std::uint64_t limit = std::uint64_t{p.width} << 15; state >= limit; state >>= 8)
      *--at = static_cast<std::uint8_t>(state);
    const auto q = static_cast<std::uint32_t>(static_cast<unsigned __int128>(state) * p.inverse >> kInverseBits);
    state = (q << 16) + (state - q * p.width) + p.low;
  }
  put_word(to, state);
  std::memmove(to + 4, at, static_cast<std::size_t>(end - at));
  return to + 4 + (end - at);
}

template <Coder coder, bool tables>
void encode(const Call& call, std::vector<Tensor>& out) {
  const Model m(call, tables);
  const std::vector<Part> parts = parts_of(call, m, coder);
  auto* b = out[0].write<std::uint8_t>();
  put_header(b, coder, m);
  std::uint8_t* body = b + kRangeHeader;
  std::uint8_t* end = coder == Coder::range ? put_range(parts, body) : put_rans(parts, body, b + out[0].size());
  out[1].write<std::int64_t>()[0] = end - b;
}

// All tables of a model, bounds beside each other, the last one missing.
struct Tables {
  Room<std::uint16_t> made;
  const std::uint16_t* data;
  std::int64_t width, symbols;

  Tables(const Call& call, const Model& m)
      : made(static_cast<std::size_t>(m.tables ? 0 : m.rows * m.width())), width(m.width()), symbols(m.symbols) {
    each_block(call, m, [&](std::int64_t begin, std::int64_t n, const std::uint16_t* c) {
      if (!m.tables) std::copy_n(c, n * width, made.begin() + begin * width);
    });
    data = m.tables ? m.tensor.read<std::uint16_t>() : made.data();
  }
  // The symbol of a row whose part holds the slot: the last bound that is not above it.
  std::int32_t find(std::int64_t row, std::uint32_t slot, Part& part) const {
    const std::uint16_t* c = data + row * width;
    const std::uint16_t* at = c;
    for (std::int64_t n = symbols; n > 1;) {
      const std::int64_t half = n / 2;
      at = at[half] <= slot ? at + half : at;
      n -= half;
    }
    const std::uint32_t high = at + 1 == c + symbols ? kTotal : at[1];
    part = {*at, high - *at, 0};
    return static_cast<std::int32_t>(at - c);
  }
};

// The payload of a stream whose header is that of the model; throws Error(domain).
struct Payload {
  Tensor stream;
  const std::uint8_t *begin, *end;

  Payload(const Call& call, Coder coder, const Model& m) : stream(contiguous(call[1])) {
    const auto* b = stream.read<std::uint8_t>();
    const std::size_t size = static_cast<std::size_t>(stream.size()),
                      header = coder == Coder::range ? kRangeHeader : kRansHeader;
    if (size < header) call.fail(Reason::domain, "a stream of " + std::to_string(size) + " bytes");
    std::uint8_t want[kRangeHeader];
    put_header(want, coder, m);
    if (std::memcmp(b, want, kRangeHeader) != 0) call.fail(Reason::domain, "a header of another coder or model");
    begin = b + kRangeHeader;
    end = b + size;
  }
};

// Bits as they were written; beyond the end they are 0.
class BitReader {
 public:
  explicit BitReader(const Payload& p) : at_(p.begin), end_(p.end) {}
  std::uint32_t read(int n) {  // n <= 32
    if (n == 0) return 0;
    for (; held_ < n; held_ += 8) word_ = word_ << 8 | (at_ < end_ ? *at_++ : 0);
    held_ -= n;
    return static_cast<std::uint32_t>(word_ >> held_ & ((std::uint64_t{1} << n) - 1));
  }

 private:
  const std::uint8_t *at_, *end_;
  std::uint64_t word_ = 0;
  int held_ = 0;
};

void get_range(const Call& call, const Tables& tables, const Payload& payload, std::int64_t rows,
               std::int32_t* symbols) {
  BitReader bits(payload);
  Interval in;
  std::uint32_t code = bits.read(32);
  std::int64_t shifts = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto slot = static_cast<std::uint32_t>(((std::uint64_t{code - in.low} + 1) * kTotal - 1) / in.range());
    Part p;
    symbols[i] = tables.find(i, slot, p);
    in.take(p.low, p.low + p.width);
    if (const int n = in.decided(); n > 0) {
      in.drop(n);
      code = code << n | bits.read(n);
      shifts += n;
    }
    if (const int n = in.undecided(); n > 0) {
      in.skip(n);
      code = (code << n ^ 0x80000000u) | bits.read(n);
      shifts += n;
    }
  }
  // The encoder ends with two bits that name a quarter inside the interval, and zeros up to a whole byte.
  const std::int64_t want = (shifts + 2 + 7) / 8, got = payload.end - payload.begin;
  if (got != want)
    call.fail(Reason::domain, std::to_string(got) + " bytes instead of " + std::to_string(want) + " after the header");
  if (code != (in.low >> 30 & 1 ? 0x80000000u : 0x40000000u))
    call.fail(Reason::domain, "the stream is not that of the symbols it gives");
}

void get_rans(const Call& call, const Tables& tables, const Payload& payload, std::int64_t rows,
              std::int32_t* symbols) {
  std::uint32_t state = word_at(payload.begin);
  if (state < kLeast || state >> 31) call.fail(Reason::domain, "a final state of " + std::to_string(state));
  const std::uint8_t* at = payload.begin + 4;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::uint32_t slot = state & (kTotal - 1);
    Part p;
    symbols[i] = tables.find(i, slot, p);
    state = p.width * (state >> 16) + slot - p.low;
    for (; state < kLeast; state = state << 8 | *at++)
      if (at == payload.end) call.fail(Reason::domain, "the stream ends at symbol " + std::to_string(i));
  }
  if (at != payload.end) call.fail(Reason::domain, std::to_string(payload.end - at) + " bytes are left over");
  if (state != kLeast) call.fail(Reason::domain, "a first state of " + std::to_string(state));
}

template <Coder coder, bool given>
void decode(const Call& call, std::vector<Tensor>& out) {
  const Model m(call, given);
  const Tables tables(call, m);
  const Payload payload(call, coder, m);
  auto* symbols = out[0].write<std::int32_t>();
  (coder == Coder::range ? get_range : get_rans)(call, tables, payload, m.rows, symbols);
}

template <void (*F)(const Call&, std::vector<Tensor>&)>
Route route(std::string_view op, std::string_view name) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .prepare = host<F>};
}

}  // namespace

std::vector<Route> entropy_cpu_routes() {
  return {route<normalized_cdf>("normalized_cdf", "cpu.rows"),
          route<encode<Coder::range, true>>("range_encode", "cpu.wide_shifts"),
          route<decode<Coder::range, true>>("range_decode", "cpu.wide_shifts"),
          route<encode<Coder::range, false>>("range_encode_from_prob", "cpu.wide_shifts"),
          route<decode<Coder::range, false>>("range_decode_from_prob", "cpu.wide_shifts"),
          route<encode<Coder::rans, false>>("rans_encode_from_prob", "cpu.bytes"),
          route<decode<Coder::rans, false>>("rans_decode_from_prob", "cpu.bytes")};
}

}  // namespace plumb
