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
      const auto p = static_cast<float>(reals(prob)(i, j - 1));
      if (!std::isfinite(p))
        call.fail(Reason::domain, "probability " + shortest(static_cast<double>(p)) + " in row " + std::to_string(i));
      run = run + std::clamp(p, 0.0F, 1.0F);
      const float scaled = run * static_cast<float>(kTotal - S);
      c(i, j) = std::clamp<std::int64_t>(std::llround(scaled) + j, j, kTotal - S + j);
    }
    c(i, S) = kTotal;
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
      std::int64_t& x = c(i, j);
      x = j == S ? kTotal : x & 0xFFFF;
      if (j == 0 ? x != 0 : x <= c(i, j - 1))
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
  std::int64_t s = 0;
  while (c(row, s + 1) <= slot) ++s;
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

constexpr const char* kModels = R"(
  from   t=f32 l=row v={l=='broadcast'?'row':l}
  smoke  R={0,1,9,33} S=5
  ci     R={0,1,2,7,8,9,15,16,17,31,33,63,65,257,1025} S={3,17}
  ci     R=19 S={2,3,4,5,15,16,17,31,33,64,65,129,256,257,1000}
  ci     R=3 S=65535
  ci     R=20 S=6 l={@layouts}
  nightly R=20000 S=40
)";

constexpr const char* kTableModels = R"(
  ci     R=40 S=9 x=cdf-1
)";
constexpr const char* kProbabilityModels = R"(
  ci     R=40 S={2,9,300} t={f32,f16} x={uniform,impulse,const-0,const-1,const-0.25,int-1,pow2-9,positive-1e3}
  ci     R=40 S={2,9,300} x=wide-30     # infinite in f16
)";

constexpr const char* kTableRejects = R"(
  shape  S=2                            # one symbol
  shape  S=65537                        # more symbols than widths
  domain x=const-0                      # symbols without width
  domain x=const-3                      # tables that do not start at 0
)";

constexpr const char* kProbabilityRejects = R"(
  shape  S=1                            # one symbol
  shape  S=65536                        # more symbols than widths
  domain x=special-2                    # probabilities that are not finite
)";

constexpr const char* kFirstRowRejects = R"(
  domain R=1 S=9 x=special-1            # the first row is not finite
)";
constexpr const char* kSymbolRejects = R"(
  domain symbols=i32.20.row.const-5     # a symbol beyond the last
  domain symbols=i32.20.row.const--1    # a negative symbol
)";

// Under 2^bits equal symbols each takes that many bits, so the length of every stream is known.
constexpr const char* kStreams = R"(
  from   bits,S,share={1 2 0.500000, 2 4 0.250000, 3 8 0.125000, 4 16 0.062500, 5 32 0.031250, 6 64 0.015625}
  from   t=f32 l=row v={l=='broadcast'?'row':l}
  smoke  R={0,1,9,33} bits=2 S=4 share=0.250000
  ci     R={0,1,2,7,8,9,15,16,17,31,33,63,65,257,1025} bits,S,share={1 2 0.500000, 4 16 0.062500, 6 64 0.015625}
  ci     R=50 t={types}
  ci     R=20 bits=3 S=8 share=0.125000 l={@layouts}
  nightly R=20000 bits=6 S=64 share=0.015625
)";

constexpr const char* kStreamBench = R"(
  from   bits,S,share={1 2 0.500000, 2 4 0.250000, 3 8 0.125000, 4 16 0.062500, 5 32 0.031250, 6 64 0.015625}
  from   t=f32 l=row v=row
  ci     R,bits,S,share={65536 6 64 0.015625, 200000 2 4 0.250000}
)";

constexpr const char* kStreamRejects = R"(
  domain bytes={L-1}                       # the last byte is missing
  domain bytes={L+1}                       # a byte is left over
  domain bytes=17                       # half a header
  domain bytes=0                        # no stream
  domain x={unlike}                       # bytes of no encoder
  domain stream=bits                    # no header
  domain stream={other}_stream-{20*65536+8}     # of the other coder
  domain stream={own}_stream-{21*65536+8}    # another number of rows
  domain stream={own}_stream-{20*65536+9}    # another alphabet
)";

constexpr const char* kTables = "from model=i16.{R}x{S+1}.{l}.{x} x=cdf";
constexpr const char* kProbabilities = "from model={t}.{R}x{S}.{l}.{x} x=positive-0.1";
constexpr const char* kRefusedTables = "from model={mt}.{R}x{S}.row.{x} mt=i16 R=20 S=6 x=cdf";
constexpr const char* kRefusedProbabilities = "from model={mt}.{R}x{S}.row.{x} mt=f32 R=20 S=5 x=positive-0.1";
constexpr const char* kEncodeCall = "call {model}+i32.{R}.{v}.below-{S}/-";

template <Coder coder, bool tables>
std::string decode_call() {
  const std::string model = tables ? "i16.{R}x{S+1}.{l}.cdf-1" : "{t}.{R}x{S}.{l}.const-{share}";
  return "call " + model +
         (coder == Coder::range ? "+u8.{18+(bits*R+9)/8}.{v}.range_stream-{R*65536+S}/-"
                                : "+u8.{22+bits*R/8}.{v}.rans_stream-{R*65536+S}/-") +
         (tables ? "\nfrom types=f32" : "\nfrom types={f32,f16}");
}

template <Coder coder, bool tables>
Rejects decode_rejects() {
  return {"call {model}+{bt}.{bytes}.row.{stream}/-\nfrom bt=u8 bytes={L} stream={own}_stream-{20*65536+8}",
          coder == Coder::range ? "from L=26 own=range other=rans" : "from L=29 own=rans other=range",
          tables ? kRefusedTables : kRefusedProbabilities,
          tables ? "from S=9 x=cdf-1 unlike=cdf" : "from S=8 x=const-0.125000 unlike=positive-0.1",
          tables ? kTableRejects : kProbabilityRejects,
          kStreamRejects};
}

constexpr std::string_view kCdfMeaning =
    "f16 is summed in float32; each sum and each product is rounded to float32; probabilities need not sum to 1; the "
    "last of a row is never read; bounds are uint16 in "
    "int16";
constexpr std::string_view kRangeMeaning =
    "the last bound of a table stands for 65536 whatever it holds; a stream that is not the encoding of what it gives "
    "is "
    "refused (the source reads zeros beyond the end and ignores what is left over); serial, so for the host only";
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
          .cases = {"call {model}/-", kProbabilities, kModels, kProbabilityModels},
          .fills = reference::entropy_fills,
          .rejects = {"call {model}/-", kRefusedProbabilities, kProbabilityRejects, kFirstRowRejects},
          .bench = "ci {t}.{s}.row.positive-0.1/- s={65536x64,4096x1024} t={f32,f16}",
          .tolerance = {Tolerance::Class::exact}};
}

template <Coder coder, bool tables>
Op encode_row(std::string_view op) {
  return {
      .name = op,
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
      .cases = {kEncodeCall, tables ? kTables : kProbabilities, kModels, tables ? kTableModels : kProbabilityModels},
      .rejects = {"call {model}+{symbols}/-\nfrom symbols=i32.20.row.below-5",
                  tables ? kRefusedTables : kRefusedProbabilities, tables ? kTableRejects : kProbabilityRejects,
                  kSymbolRejects},
      .bench = {kEncodeCall, tables ? kTables : kProbabilities, "from t=f32 l=row v=row",
                "ci R,S={65536 64, 16384 256}"},
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
          .cases = {decode_call<coder, tables>(), kStreams},
          .rejects = decode_rejects<coder, tables>(),
          .bench = {decode_call<coder, tables>(), kStreamBench},
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
