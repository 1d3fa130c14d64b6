// Entropy coding of symbols under a table of probabilities for each: cumulative tables, a range coder that works bit
// by bit, and a byte-wise asymmetric numeral system. Their rows, shape rules, oracles and cases.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/op.h"
#include "core/text.h"
#include "reference/sparse/rows/entropy_fills.h"

namespace plumb {
namespace {

constexpr std::int64_t kTotal = 65536;  // T: what the widths of a table add up to
constexpr std::string_view kRangeMagic = "MLXGERNG01", kRansMagic = "MLXGERNS01";

// Rows of S + 1 bounds: symbol s owns [c[s], c[s+1]).
using Tables = Array<std::int64_t>;
using Bytes = std::vector<std::uint64_t>;

void check_alphabet(const Request& r, std::int64_t symbols) {
  if (symbols < 2 || symbols >= kTotal) r.fail(Reason::shape, std::to_string(symbols) + " symbols");
}

// (R, S) of an input of probabilities, or of an input of tables.
struct Sizes {
  std::int64_t rows, symbols;
};

template <bool tables>
Sizes check_model(const Request& r) {
  const Sizes s{r.size('R'), r.size('S') - (tables ? 1 : 0)};
  check_alphabet(r, s.symbols);
  return s;
}

std::vector<Spec> infer_cdf(const Request& r) {
  (void)check_model<false>(r);
  return r.outputs();
}

// c[0] = 0, c[S] = T; c[j] = clamp(round(f32(run (T - S))) + j, j, T - S + j), run = the float32 sum of p[0..j-1]
// clamped to [0,1]; the product is rounded to float32 as well
Tables cumulative(const Call& call) {
  const Wide prob = widen(call[0]);
  const std::int64_t R = call.shape(0)[0], S = call.shape(0)[1];
  Tables c({R, S + 1});
  for (std::int64_t i = 0; i < R; ++i) {
    float run = 0;
    for (std::int64_t j = 1; j < S; ++j) {
      const auto p = static_cast<float>(reals(prob)[i * S + j - 1]);
      if (!std::isfinite(p))
        call.fail(Reason::domain, "probability " + shortest(static_cast<double>(p)) + " in row " + std::to_string(i));
      run = run + std::clamp(p, 0.0F, 1.0F);
      const float scaled = run * static_cast<float>(kTotal - S);
      c[i * (S + 1) + j] = std::clamp<std::int64_t>(std::llround(scaled) + j, j, kTotal - S + j);
    }
    c[i * (S + 1) + S] = kTotal;
  }
  return c;
}

std::vector<Wide> normalized_cdf(const Call& call) {
  Tables c = cumulative(call);
  for (std::int64_t& x : c.data) x = x == kTotal ? 0 : x;  // stored modulo 2^16
  return {c};
}

Tables given(const Call& call) {
  const Wide cdf = widen(call[0]);
  Tables c = integers(cdf);
  const std::int64_t R = c.shape[0], S = c.shape[1] - 1;
  for (std::int64_t i = 0; i < R; ++i)
    for (std::int64_t j = 0; j <= S; ++j) {
      std::int64_t& x = c[i * (S + 1) + j];
      x = j == S ? kTotal : x & 0xFFFF;
      if (j == 0 ? x != 0 : x <= c[i * (S + 1) + j - 1])
        call.fail(Reason::domain,
                  "table " + std::to_string(i) + " holds " + std::to_string(x) + " at " + std::to_string(j));
    }
  return c;
}

template <bool tables>
Tables model(const Call& call) {
  return tables ? given(call) : cumulative(call);
}

std::vector<std::int64_t> checked_symbols(const Call& call, std::int64_t S) {
  const Wide symbols = widen(call[1]);
  for (const std::int64_t s : integers(symbols).data)
    if (s < 0 || s >= S) call.fail(Reason::domain, "symbol " + std::to_string(s) + " of " + std::to_string(S));
  return integers(symbols).data;
}

void append(Bytes& to, std::string_view text) {
  for (const char ch : text) to.push_back(static_cast<unsigned char>(ch));
}
void append(Bytes& to, std::uint64_t word) {  // little-endian, four bytes
  for (int k = 0; k < 4; ++k) to.push_back(word >> (8 * k) & 255);
}
Bytes header(std::string_view magic, std::int64_t R, std::int64_t S) {
  Bytes b;
  append(b, magic);
  append(b, static_cast<std::uint64_t>(R));
  append(b, static_cast<std::uint64_t>(S));
  return b;
}

std::uint64_t word_at(const Bytes& b, std::size_t at) {
  return b[at] | b[at + 1] << 8 | b[at + 2] << 16 | b[at + 3] << 24;
}

// The payload, after a header that must be that of (magic, R, S) and `more` further bytes.
Bytes payload(const Call& call, std::string_view magic, Sizes s, std::size_t more) {
  const Wide stream = widen(call[1]);
  const Bytes& b = unsigneds(stream).data;
  const Bytes want = header(magic, s.rows, s.symbols);
  if (b.size() < want.size() + more) call.fail(Reason::domain, "a stream of " + std::to_string(b.size()) + " bytes");
  for (std::size_t i = 0; i < want.size(); ++i)
    if (b[i] != want[i])
      call.fail(Reason::domain, "byte " + std::to_string(i) + " of the header is " + std::to_string(b[i]));
  return {b.begin() + static_cast<std::ptrdiff_t>(want.size()), b.end()};
}

// Bits, the highest of a byte first.
struct BitWriter {
  Bytes bytes;
  int used = 8;
  std::int64_t pending = 0;
  void write(bool bit) {
    if (used == 8) bytes.push_back(0), used = 0;
    bytes.back() |= (bit ? 128U : 0U) >> used++;
  }
  void emit(bool bit) {
    write(bit);
    for (; pending > 0; --pending) write(!bit);
  }
};

constexpr std::uint64_t kHalf = std::uint64_t{1} << 31, kQuarter = kHalf / 2;

// low, high: the interval that is left, 32 bits. The part [lo, hi) of T of it is taken; then its halves are left behind
// bit by bit: 0, 1, or what the next bit will decide (pending).
struct Interval {
  std::uint64_t low = 0, high = 2 * kHalf - 1;
  std::uint64_t range() const { return high - low + 1; }
  void take(std::uint64_t lo, std::uint64_t hi) {
    const std::uint64_t r = range();
    high = low + r * hi / kTotal - 1;
    low = low + r * lo / kTotal;
  }
  enum Step { none, zero, one, undecided };
  Step step() const {
    if (high < kHalf) return zero;
    if (low >= kHalf) return one;
    return low >= kQuarter && high < 3 * kQuarter ? undecided : none;
  }
  void shift(Step s) {
    const std::uint64_t less = s == one ? kHalf : s == undecided ? kQuarter : 0;
    low = 2 * (low - less);
    high = 2 * (high - less) + 1;
  }
};

Bytes range_payload(const Tables& c, const std::vector<std::int64_t>& symbols) {
  const std::int64_t width = c.shape[1];
  BitWriter w;
  Interval in;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const std::int64_t at = static_cast<std::int64_t>(i) * width + symbols[i];
    in.take(static_cast<std::uint64_t>(c[at]), static_cast<std::uint64_t>(c[at + 1]));
    for (Interval::Step s = in.step(); s != Interval::none; s = in.step()) {
      if (s == Interval::undecided) ++w.pending;
      else w.emit(s == Interval::one);
      in.shift(s);
    }
  }
  ++w.pending;
  w.emit(in.low >= kQuarter);
  return w.bytes;
}

std::int64_t symbol_at(const Tables& c, std::int64_t row, std::int64_t slot) {
  const std::int64_t width = c.shape[1];
  std::int64_t s = 0;
  while (c[row * width + s + 1] <= slot) ++s;
  return s;
}

// Bits beyond the end are 0.
std::vector<std::int64_t> range_symbols(const Tables& c, const Bytes& body) {
  const std::int64_t width = c.shape[1];
  std::size_t next = 0;
  const auto bit = [&] {
    const std::size_t at = next++;
    return at / 8 < body.size() ? body[at / 8] >> (7 - at % 8) & 1 : 0;
  };
  Interval in;
  std::uint64_t code = 0;
  for (int k = 0; k < 32; ++k) code = 2 * code + bit();
  std::vector<std::int64_t> symbols;
  for (std::int64_t i = 0; i < c.shape[0]; ++i) {
    const auto slot = static_cast<std::int64_t>(((code - in.low + 1) * kTotal - 1) / in.range());
    symbols.push_back(symbol_at(c, i, slot));
    const std::int64_t at = i * width + symbols.back();
    in.take(static_cast<std::uint64_t>(c[at]), static_cast<std::uint64_t>(c[at + 1]));
    for (Interval::Step s = in.step(); s != Interval::none; s = in.step()) {
      code = 2 * (code - (s == Interval::one ? kHalf : s == Interval::undecided ? kQuarter : 0)) + bit();
      in.shift(s);
    }
  }
  return symbols;
}

constexpr std::uint64_t kLeast = std::uint64_t{1} << 23;  // L: states are in [L, 256 L)

Bytes rans_stream(const Tables& c, const std::vector<std::int64_t>& symbols) {
  const std::int64_t width = c.shape[1];
  std::uint64_t state = kLeast;
  Bytes pushed;
  for (std::size_t i = symbols.size(); i-- > 0;) {
    const std::int64_t at = static_cast<std::int64_t>(i) * width + symbols[i];
    const auto low = static_cast<std::uint64_t>(c[at]), f = static_cast<std::uint64_t>(c[at + 1]) - low;
    for (; state >= (kLeast >> 16 << 8) * f; state >>= 8) pushed.push_back(state & 255);
    state = (state / f << 16) + state % f + low;
  }
  Bytes b;
  append(b, state);
  b.insert(b.end(), pushed.rbegin(), pushed.rend());
  return b;
}

std::vector<std::int64_t> rans_symbols(const Call& call, const Tables& c, const Bytes& body) {
  const std::int64_t width = c.shape[1];
  std::uint64_t state = word_at(body, 0);
  if (state < kLeast || state >= 256 * kLeast) call.fail(Reason::domain, "a final state of " + std::to_string(state));
  std::size_t next = 4;
  std::vector<std::int64_t> symbols;
  for (std::int64_t i = 0; i < c.shape[0]; ++i) {
    const auto slot = static_cast<std::int64_t>(state % kTotal);
    symbols.push_back(symbol_at(c, i, slot));
    const std::int64_t at = i * width + symbols.back();
    state = static_cast<std::uint64_t>(c[at + 1] - c[at]) * (state >> 16) + static_cast<std::uint64_t>(slot - c[at]);
    for (; state < kLeast; ++next) {
      if (next == body.size()) call.fail(Reason::domain, "the stream ends at symbol " + std::to_string(i));
      state = state << 8 | body[next];
    }
  }
  return symbols;
}

enum class Coder { range, rans };

// Room for every stream of R symbols: 16 bits each, and what rounding adds.
template <bool tables>
std::vector<Spec> infer_encode(const Request& r) {
  const Sizes s = check_model<tables>(r);
  return r.outputs({{'L', 22 + 16 + 2 * s.rows + s.rows / 256}});
}

template <bool tables>
std::vector<Spec> infer_decode(const Request& r) {
  (void)check_model<tables>(r);
  return r.outputs();
}

template <Coder coder, bool tables>
std::vector<Wide> encode(const Call& call) {
  const Tables c = model<tables>(call);
  const std::int64_t S = c.shape[1] - 1;
  const std::vector<std::int64_t> symbols = checked_symbols(call, S);
  Bytes b = header(coder == Coder::range ? kRangeMagic : kRansMagic, c.shape[0], S);
  const Bytes body = coder == Coder::range ? range_payload(c, symbols) : rans_stream(c, symbols);
  b.insert(b.end(), body.begin(), body.end());
  Unsigneds stream(infer_encode<tables>(call)[0].shape);
  Integers bytes({1}, static_cast<std::int64_t>(b.size()));
  if (stream.data.size() < b.size()) throw std::logic_error("a stream longer than its capacity");
  std::copy(b.begin(), b.end(), stream.data.begin());
  return {stream, bytes};
}

template <Coder coder, bool tables>
std::vector<Wide> decode(const Call& call) {
  const Tables c = model<tables>(call);
  const Sizes s{c.shape[0], c.shape[1] - 1};
  const Bytes body = payload(call, coder == Coder::range ? kRangeMagic : kRansMagic, s, coder == Coder::range ? 0 : 4);
  Integers out({s.rows});
  out.data = coder == Coder::range ? range_symbols(c, body) : rans_symbols(call, c, body);
  if (body != (coder == Coder::range ? range_payload(c, out.data) : rans_stream(c, out.data)))
    call.fail(Reason::domain, "the stream is not that of the symbols it gives");
  return {out};
}

std::vector<std::int64_t> stream_active(const Call&, const std::vector<Tensor>& out) {
  return {std::clamp<std::int64_t>(out[1].read<std::int64_t>()[0], 0, out[0].dim(0)), -1};
}

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout = Layout::row) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}

// A model input: random unless `fill` says otherwise.
std::optional<Input> model_input(bool tables, std::int64_t R, std::int64_t S, const std::string& fill, Dtype t,
                                 Layout l) {
  return tables ? input(Dtype::i16, {R, S + 1}, fill.empty() ? "cdf" : fill, l)
                : input(t, {R, S}, fill.empty() ? "positive-0.1" : fill, l);
}

constexpr std::int64_t kRows[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 257, 1025};
constexpr std::int64_t kSymbols[] = {2, 3, 4, 5, 15, 16, 17, 31, 33, 64, 65, 129, 256, 257, 1000};

constexpr const char* kBeyondHalf = "wide-30";  // infinite in f16

// Every (R, S, fill, dtype, layout) worth trying of a model.
template <class Add>
void sweep(bool tables, Add&& add) {
  for (const std::int64_t R : {0, 1, 9, 33}) add(R, std::int64_t{5}, "", Dtype::f32, Layout::row, Budget::smoke);
  for (const std::int64_t R : kRows)
    for (const std::int64_t S : {3, 17}) add(R, S, "", Dtype::f32, Layout::row, Budget::ci);
  for (const std::int64_t S : kSymbols) add(std::int64_t{19}, S, "", Dtype::f32, Layout::row, Budget::ci);
  add(std::int64_t{3}, std::int64_t{65535}, "", Dtype::f32, Layout::row, Budget::ci);
  for (const Layout l : kLayouts) add(std::int64_t{20}, std::int64_t{6}, "", Dtype::f32, l, Budget::ci);
  add(std::int64_t{20000}, std::int64_t{40}, "", Dtype::f32, Layout::row, Budget::nightly);
  if (tables) return add(std::int64_t{40}, std::int64_t{9}, "cdf-1", Dtype::f32, Layout::row, Budget::ci);
  for (const char* f :
       {"uniform", kBeyondHalf, "impulse", "const-0", "const-1", "const-0.25", "int-1", "pow2-9", "positive-1e3"})
    for (const std::int64_t S : {2, 9, 300})
      for (const Dtype t : {Dtype::f32, Dtype::f16})
        if (t == Dtype::f32 || f != std::string_view(kBeyondHalf))
          add(std::int64_t{40}, S, f, t, Layout::row, Budget::ci);
}

std::vector<Case> cdf_cases() {
  std::vector<Case> c;
  sweep(false, [&](std::int64_t R, std::int64_t S, const char* fill, Dtype t, Layout l, Budget b) {
    c.push_back({{model_input(false, R, S, fill, t, l)}, {}, b});
  });
  return c;
}

template <bool tables>
std::vector<Case> encode_cases() {
  std::vector<Case> c;
  sweep(tables, [&](std::int64_t R, std::int64_t S, const char* fill, Dtype t, Layout l, Budget b) {
    const Layout vector = l == Layout::broadcast ? Layout::row : l;
    c.push_back(
        {{model_input(tables, R, S, fill, t, l), input(Dtype::i32, {R}, "below-" + std::to_string(S), vector)}, {}, b});
  });
  return c;
}

// Under 2^bits equal symbols each takes that many bits, so the length of every stream is known.
template <Coder coder, bool tables>
Case uniform_stream(std::int64_t R, std::int64_t bits, Dtype t, Layout l, Budget b) {
  const std::int64_t S = std::int64_t{1} << bits, taken = bits * R;
  const std::int64_t range = 18 + (taken + 2 + 7) / 8, rans = 22 + taken / 8;
  const std::string share = std::to_string(1.0 / static_cast<double>(S));
  const std::string fill = (coder == Coder::range ? "range_stream-" : "rans_stream-") + std::to_string(R * kTotal + S);
  return {{model_input(tables, R, S, tables ? "cdf-1" : "const-" + share, t, l),
           input(Dtype::u8, {coder == Coder::range ? range : rans}, fill, l == Layout::broadcast ? Layout::row : l)},
          {},
          b};
}

template <Coder coder, bool tables>
std::vector<Case> decode_cases() {
  std::vector<Case> c;
  const auto add = [&](std::int64_t R, std::int64_t bits, Dtype t, Layout l, Budget b) {
    c.push_back(uniform_stream<coder, tables>(R, bits, t, l, b));
  };
  for (const std::int64_t R : {0, 1, 9, 33}) add(R, 2, Dtype::f32, Layout::row, Budget::smoke);
  for (const std::int64_t R : kRows)
    for (const std::int64_t bits : {1, 4, 6}) add(R, bits, Dtype::f32, Layout::row, Budget::ci);
  for (const std::int64_t bits : {1, 2, 3, 4, 5, 6})
    for (const Dtype t : {Dtype::f32, Dtype::f16})
      if (t == Dtype::f32 || !tables) add(50, bits, t, Layout::row, Budget::ci);
  for (const Layout l : kLayouts) add(20, 3, Dtype::f32, l, Budget::ci);
  add(20000, 6, Dtype::f32, Layout::row, Budget::nightly);
  return c;
}

template <class Change>
void refuse(std::vector<Reject>& to, Case c, Reason reason, const char* why, Change&& change) {
  change(c);
  to.push_back({std::move(c), reason, why});
}

std::vector<Reject> model_rejects(const Case& good, bool tables) {
  std::vector<Reject> r;
  refuse(r, good, Reason::shape, "one symbol", [&](Case& c) { c.in[0]->shape[1] = tables ? 2 : 1; });
  refuse(r, good, Reason::shape, "more symbols than widths",
         [&](Case& c) { c.in[0]->shape[1] = tables ? 65537 : 65536; });
  if (tables) {
    refuse(r, good, Reason::domain, "symbols without width", [](Case& c) { c.in[0]->fill = "const-0"; });
    refuse(r, good, Reason::domain, "tables that do not start at 0", [](Case& c) { c.in[0]->fill = "const-3"; });
  } else {
    refuse(r, good, Reason::domain, "probabilities that are not finite", [](Case& c) { c.in[0]->fill = "special-2"; });
    if (good.in.size() == 1)
      refuse(r, good, Reason::domain, "the first row is not finite", [](Case& c) {
        c.in[0]->shape = {1, 9}, c.in[0]->fill = "special-1";
      });
  }
  return r;
}

std::vector<Reject> cdf_rejects() {
  return model_rejects({{model_input(false, 20, 5, "", Dtype::f32, Layout::row)}, {}}, false);
}

template <bool tables>
std::vector<Reject> encode_rejects() {
  const Case good{{model_input(tables, 20, 5, "", Dtype::f32, Layout::row), input(Dtype::i32, {20}, "below-5")}, {}};
  std::vector<Reject> r = model_rejects(good, tables);
  refuse(r, good, Reason::domain, "a symbol beyond the last", [](Case& c) { c.in[1]->fill = "const-5"; });
  refuse(r, good, Reason::domain, "a negative symbol", [](Case& c) { c.in[1]->fill = "const--1"; });
  return r;
}

template <Coder coder, bool tables>
std::vector<Reject> decode_rejects() {
  const Case good = uniform_stream<coder, tables>(20, 3, Dtype::f32, Layout::row, Budget::ci);
  const std::string prefix = coder == Coder::range ? "range_stream-" : "rans_stream-",
                    wrong = coder == Coder::range ? "rans_stream-" : "range_stream-";
  std::vector<Reject> r = model_rejects(good, tables);
  refuse(r, good, Reason::domain, "the last byte is missing", [](Case& c) { --c.in[1]->shape[0]; });
  refuse(r, good, Reason::domain, "a byte is left over", [](Case& c) { ++c.in[1]->shape[0]; });
  refuse(r, good, Reason::domain, "half a header", [](Case& c) { c.in[1]->shape = {17}; });
  refuse(r, good, Reason::domain, "no stream", [](Case& c) { c.in[1]->shape = {0}; });
  refuse(r, good, Reason::domain, "bytes of no encoder",
         [&](Case& c) { c.in[0]->fill = tables ? "cdf" : "positive-0.1"; });
  refuse(r, good, Reason::domain, "no header", [](Case& c) { c.in[1]->fill = "bits"; });
  refuse(r, good, Reason::domain, "of the other coder",
         [&](Case& c) { c.in[1]->fill = wrong + std::to_string(20 * kTotal + 8); });
  refuse(r, good, Reason::domain, "another number of rows",
         [&](Case& c) { c.in[1]->fill = prefix + std::to_string(21 * kTotal + 8); });
  refuse(r, good, Reason::domain, "another alphabet",
         [&](Case& c) { c.in[1]->fill = prefix + std::to_string(20 * kTotal + 9); });
  return r;
}

std::vector<Case> cdf_bench() {
  std::vector<Case> c;
  for (const auto& [R, S] : {std::pair<std::int64_t, std::int64_t>{65536, 64}, {4096, 1024}})
    for (const Dtype t : {Dtype::f32, Dtype::f16}) c.push_back({{model_input(false, R, S, "", t, Layout::row)}, {}});
  return c;
}

template <bool tables>
std::vector<Case> encode_bench() {
  std::vector<Case> c;
  for (const auto& [R, S] : {std::pair<std::int64_t, std::int64_t>{65536, 64}, {16384, 256}})
    c.push_back(
        {{model_input(tables, R, S, "", Dtype::f32, Layout::row), input(Dtype::i32, {R}, "below-" + std::to_string(S))},
         {}});
  return c;
}

template <Coder coder, bool tables>
std::vector<Case> decode_bench() {
  return {uniform_stream<coder, tables>(65536, 6, Dtype::f32, Layout::row, Budget::ci),
          uniform_stream<coder, tables>(200000, 2, Dtype::f32, Layout::row, Budget::ci)};
}

constexpr std::string_view kCdfMeaning =
    "f16 is summed in float32; each sum and each product is rounded to float32; probabilities need not sum to 1; the "
    "last of a row is never read; bounds are uint16 in "
    "int16";
constexpr std::string_view kRangeMeaning =
    "the last bound of a table stands for 65536 whatever it holds; a stream that is not the encoding of what it gives "
    "is refused (the source reads zeros beyond the end and ignores what is left over); serial, so for the host only";
constexpr std::string_view kRansMeaning =
    "a stream that is not the encoding of what it gives is refused, the first state included; serial, so for the host "
    "only";

Op cdf_row() {
  return {.name = "normalized_cdf",
          .signature = "prob T[R,S] -> cdf i16[R,S+1]",
          .types = "T: f16 f32; 4R < 2^31",
          .attrs = {},
          .equation =
              "c[j] = clamp(round(f32(run (65536 - S))) + j, j, 65536 - S + j), run the float32 sum of the first j "
              "probabilities clamped to [0,1]; the product is rounded to float32 too, to nearest even, and then to an "
              "integer, ties away from 0; c[0] = 0, c[S] = 65536, stored as 0",
          .meaning = kCdfMeaning,
          .infer = infer_cdf,
          .oracle = normalized_cdf,
          .cases = cdf_cases,
          .fills = reference::entropy_fills,
          .rejects = cdf_rejects,
          .bench = cdf_bench,
          .tolerance = {Tolerance::Class::exact}};
}

template <Coder coder, bool tables>
Op encode_row(std::string_view op) {
  return {.name = op,
          .signature = tables ? "cdf i16[R,S], symbols i32[R] -> stream u8[L], bytes i64[1]"
                              : "prob T[R,S], symbols i32[R] -> stream u8[L], bytes i64[1]",
          .types = tables ? "4R < 2^31" : "T: f16 f32; 4R < 2^31",
          .attrs = {},
          .equation = coder == Coder::range ? "header (magic, R, S), then bits: of an interval of 32 bits each symbol "
                                              "takes the part [c[s], c[s+1]) / 65536"
                                            : "header (magic, R, S, state), then bytes: from the last symbol, state = "
                                              "(state / f << 16) + state % f + c[s], "
                                              "f = c[s+1] - c[s], after low bytes are put out while state >= 32768 f",
          .meaning = coder == Coder::range ? kRangeMeaning : kRansMeaning,
          .host_only = true,
          .infer = infer_encode<tables>,
          .oracle = encode<coder, tables>,
          .cases = encode_cases<tables>,
          .rejects = encode_rejects<tables>,
          .bench = encode_bench<tables>,
          .tolerance = {Tolerance::Class::exact},
          .active = stream_active};
}

template <Coder coder, bool tables>
Op decode_row(std::string_view op) {
  return {.name = op,
          .signature =
              tables ? "cdf i16[R,S], stream u8[L] -> symbols i32[R]" : "prob T[R,S], stream u8[L] -> symbols i32[R]",
          .types = tables ? "4R < 2^31" : "T: f16 f32; 4R < 2^31",
          .attrs = {},
          .equation = coder == Coder::range ? "the symbols whose range coding is the stream"
                                            : "the symbols whose rans coding is the stream",
          .meaning = coder == Coder::range ? kRangeMeaning : kRansMeaning,
          .host_only = true,
          .infer = infer_decode<tables>,
          .oracle = decode<coder, tables>,
          .cases = decode_cases<coder, tables>,
          .rejects = decode_rejects<coder, tables>,
          .bench = decode_bench<coder, tables>,
          .tolerance = {Tolerance::Class::exact}};
}

}  // namespace

std::vector<Op> entropy_ops() {
  return {cdf_row(),
          encode_row<Coder::range, true>("range_encode"),
          decode_row<Coder::range, true>("range_decode"),
          encode_row<Coder::range, false>("range_encode_from_prob"),
          decode_row<Coder::range, false>("range_decode_from_prob"),
          encode_row<Coder::rans, false>("rans_encode_from_prob"),
          decode_row<Coder::rans, false>("rans_decode_from_prob")};
}

}  // namespace plumb
