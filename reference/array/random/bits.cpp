// Keys and counter-based random words: the same bits on every route, for every number of threads.
#include <cstdint>

#include "core/number.h"
#include "reference/array/random/draws.h"

namespace plumb {
namespace {

using namespace reference;

std::vector<Spec> infer_bits(const Request& r) {
  const std::int64_t width = r.integer("width");
  if (width != 1 && width != 2 && width != 4) {
    r.fail(Reason::attribute, "width " + std::to_string(width) + " is not 1, 2 or 4");
  }
  const Shape shape = drawn_shape(r, width, 4);
  return {{width == 1 ? Dtype::u8 : width == 2 ? Dtype::u16 : Dtype::u32, shape}};
}

// Element e is bytes e*width .. of the little-endian words.
std::vector<Wide> bits(const Call& c) {
  const std::int64_t width = c.integer("width");
  Unsigneds out(c.list("shape"));
  const std::vector<Word> w = words(c, (out.size() * width + 3) / 4);
  for (std::int64_t e = 0; e < out.size(); ++e) {
    const std::int64_t byte = e * width;
    const Word word = w[static_cast<std::size_t>(byte / 4)];
    const std::uint64_t mask = (std::uint64_t{1} << (8 * width)) - 1;
    out[e] = (word >> (8 * (byte % 4))) & mask;
  }
  return {out};
}

constexpr const char* kCases = R"(
  call   u32.2.{l}.{x}/shape={s},width={w}
  from   l=row x=order w={1,2,4}
  smoke  s={:,0:,3:0:2}
  # byte counts that are no multiple of a word, odd and even numbers of words, both sides of a vector of counters, of a
  # work-group and of a thread's share
  smoke  s={1..9}:
  ci     s=3:5 l={@layouts}
  ci     s={15,16,17,31,32,33,34,35,63,64,65,66,67,127,129,255,256,257,511,513,1023,1025,2049,4099,32771,65537,131075}:
  ci     s=7:11:13
  nightly s=1048576:3
  smoke  s=4: x=const-0
)";

constexpr const char* kRejects = R"(
  call   {t}.{k}.row.order/shape={s},width={w}
  from   t=u32 k=2 s=2: w=4
  attribute w=3       # width 3
  attribute w=8       # width 8
  attribute w=0       # width 0
  shape  s=2:-1       # negative extent
)";

constexpr const char* kBench = R"(
  ci     u32.2.row.order/shape={16384:,1048576:,67108864:},width=4
  ci     u32.2.row.order/shape=67108864:,width=1
)";

// ---- key

std::uint64_t seed_of(const Request& r) {
  const Attr& seed = *r.attrs.find("seed");
  if (const auto* whole = seed.get<std::int64_t>(); whole && *whole >= 0) return static_cast<std::uint64_t>(*whole);
  if (const auto* digits = seed.get<std::string>())
    if (const auto value = number_in<std::uint64_t>(*digits)) return *value;
  r.fail(Reason::attribute, "seed " + to_string(seed) + " is not a whole number from 0 to 2^64 - 1");
}

std::vector<Spec> infer_key(const Request& r) {
  (void)seed_of(r);
  return r.outputs();
}

// key = (floor(seed / 2^32), seed mod 2^32)
std::vector<Wide> key(const Call& c) {
  const std::uint64_t seed = seed_of(c);
  Unsigneds out({2});
  out[0] = seed / (std::uint64_t{1} << 32);
  out[1] = seed % (std::uint64_t{1} << 32);
  return {out};
}

constexpr const char* kKeyCases = R"(
  call   -/seed={n}
  smoke  n={0,1,42,4294967295,4294967296,4294967297,9223372036854775807}
  ci     n={2,4294967298,1234567890123456789}
)";

constexpr const char* kKeyRejects = R"(
  call   -/seed={n}
  attribute n=-1                    # negative
  attribute n=18446744073709551616  # 2^64, beyond every seed
  attribute n=1.5                   # no whole number
  attribute n=many                  # no number
)";

constexpr const char* kKeyBench = R"(
  ci     -/seed=42
)";

// ---- split

std::vector<Spec> infer_split(const Request& r) {
  const std::int64_t num = r.integer("num");
  if (num < 0) r.fail(Reason::attribute, "num " + std::to_string(num) + " is negative");
  if (num > std::int64_t{1} << 31) r.fail(Reason::unsupported, std::to_string(num) + " keys pass the words of one key");
  return r.outputs({{'R', num}});
}

// keys_(i,j) = w_(2 i + j)
std::vector<Wide> split(const Call& c) {
  Unsigneds keys(output_specs(c)[0].shape);
  const std::vector<Word> w = words(c, keys.size());
  for (std::int64_t i = 0; i < keys.shape[0]; ++i)
    for (std::int64_t j = 0; j < 2; ++j) keys(i, j) = w[static_cast<std::size_t>(2 * i + j)];
  return {keys};
}

constexpr const char* kSplitCases = R"(
  call   u32.2.{l}.{x}/num={n}
  from   l=row x=order
  smoke  n={0,1,2,3,4,17}
  ci     n=5 l={@layouts}
  ci     n={15,16,17,31,32,33,63,64,65,511,512,513,4099}
  smoke  n=2 x=const-0
)";

constexpr const char* kSplitRejects = R"(
  call   u32.2.row.order/num={n}
  attribute n=-1   # negative
)";

constexpr const char* kSplitBench = R"(
  ci     u32.2.row.order/num={16,1048576}
)";

}  // namespace

std::vector<Op> bits_ops() {
  return {
      {
          .name = "random_bits",
          .signature = "key u32[2] -> out B[*S]",
          .types = "B: u8 u16 u32",
          .attrs = {{"shape", Shape{}}, {"width", 4}},
          .equation = "out = the first bytes of w, little-endian; (w_i, w_(i+h+o)) = threefry_2x32_20(key, (i, i+h+o)) "
                      "for i < h; w_h = threefry_2x32_20(key, (h, 0))_0 if W is odd; h = floor(W/2), o = W mod 2, "
                      "W = ceil(bytes / 4)",
          .meaning = "MLX's pairing of counters: it depends on the total number of words, so that the draws of two "
                     "sizes share no prefix; a batch of keys is a batch of calls",
          .infer = infer_bits,
          .oracle = bits,
          .cases = kCases,
          .rejects = kRejects,
          .bench = kBench,
          .tolerance = {.kind = Tolerance::Class::exact},
          .corpus = "bits",
      },
      {
          .name = "key",
          .signature = "-> key u32[2]",
          .attrs = {{"seed", 0}},
          .equation = "key = (floor(seed / 2^32), seed mod 2^32)",
          .meaning = "seed from 0 to 2^64 - 1, as a number or as its decimal digits",
          .host_only = true,
          .infer = infer_key,
          .oracle = key,
          .cases = kKeyCases,
          .rejects = kKeyRejects,
          .bench = kKeyBench,
          .tolerance = {.kind = Tolerance::Class::exact},
      },
      {
          .name = "random_split",
          .signature = "key u32[2] -> keys u32[R,2]",
          .attrs = {{"num", 2}},
          .equation = "keys_(i,j) = w_(2 i + j), w = random_bits(key, [num, 2])",
          .meaning = "num keys; those of two numbers share no prefix, and num = 0 gives none",
          .infer = infer_split,
          .oracle = split,
          .cases = kSplitCases,
          .rejects = kSplitRejects,
          .bench = kSplitBench,
          .tolerance = {.kind = Tolerance::Class::exact},
          .corpus = "split",
          .corpus_call = [](Attrs& a) { return !a.find("sections"); },  // that of arrays
      },
  };
}

}  // namespace plumb
