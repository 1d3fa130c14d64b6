// Counter-based random words: the same bits on every route, for every number of threads.
#include "reference/array/random.h"

#include "core/op.h"

namespace plumb {
namespace reference {
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

}  // namespace reference

namespace {

using namespace reference;

std::vector<Spec> infer_bits(const Request& r) {
  const std::int64_t width = r.integer("width");
  if (width != 1 && width != 2 && width != 4) {
    r.fail(Reason::attribute, "width " + std::to_string(width) + " is not 1, 2 or 4");
  }
  const Shape shape = r.list("shape");
  for (std::int64_t extent : shape) {
    if (extent < 0) r.fail(Reason::shape, "negative extent in " + to_string(shape));
  }
  if (count(shape) > (std::int64_t{1} << 34) / width) {
    r.fail(Reason::unsupported, to_string(shape) + " passes the 2^32 words of one key");
  }
  return {{width == 1 ? Dtype::u8 : width == 2 ? Dtype::u16 : Dtype::u32, shape}};
}

// Element e is bytes e*width .. of the little-endian words.
std::vector<Wide> bits(const Call& c) {
  const Unsigneds key = unsigneds(widen(c[0]));
  const std::int64_t width = c.integer("width");
  Unsigneds out(c.list("shape"));
  const auto w = words({static_cast<Word>(key[0]), static_cast<Word>(key[1])}, (out.size() * width + 3) / 4);
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

}  // namespace

std::vector<Op> random_ops() {
  return {{
      .name = "random_bits",
      .signature = "key u32[2] -> out B[*S]",
      .types = "B: u8 u16 u32",
      .attrs = {{"shape", Shape{}}, {"width", 4}},
      .equation = "out = the first bytes of w, little-endian; (w_i, w_(i+h+o)) = threefry_2x32_20(key, (i, i+h+o)) "
                  "for i < h; w_h = threefry_2x32_20(key, (h, 0))_0 if W is odd; h = floor(W/2), o = W mod 2, "
                  "W = ceil(bytes / 4)",
      .meaning = "MLX's pairing of counters: it depends on the total number of words, so that the draws of two sizes "
                 "share no prefix; a batch of keys is a batch of calls",
      .infer = infer_bits,
      .oracle = bits,
      .cases = kCases,
      .rejects = kRejects,
      .bench = kBench,
      .tolerance = {.kind = Tolerance::Class::exact},
      .corpus = "bits",
  }};
}

}  // namespace plumb
