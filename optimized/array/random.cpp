// Random words on the processor: vectors of counters, threads over ranges of them.
#include <algorithm>
#include <cstring>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/dispatch.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void threefry_words(std::uint32_t k0, std::uint32_t k1, std::int64_t begin, std::int64_t end,
                                       std::int64_t gap, unsigned char* out))
PLUMB_DECLARE_SIMD(void threefry_pair(std::uint32_t k0, std::uint32_t k1, std::uint32_t c0, std::uint32_t c1,
                                      std::uint32_t* out))

namespace {

constexpr std::int64_t kGrain = 1 << 13;  // counters worth a thread, about 20 us

// W words of which the last may be cut: whole pairs in vectors, then the pair that holds the last word, or the
// lone middle word.
void fill_words(const std::uint32_t* key, std::int64_t bytes, unsigned char* out) {
  const std::int64_t total = (bytes + 3) / 4, h = total / 2, odd = total % 2, gap = h + odd;
  const std::int64_t whole = bytes % 4 == 0 ? h : std::max<std::int64_t>(h - 1, 0);
  parallel_for(whole, kGrain, [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(threefry_words)(key[0], key[1], begin, end, gap, out);
  });
  const auto put = [&](std::int64_t word, std::uint32_t value) {
    std::memcpy(out + 4 * word, &value, static_cast<std::size_t>(std::min<std::int64_t>(4, bytes - 4 * word)));
  };
  std::uint32_t w[2];
  if (whole < h) {
    PLUMB_DISPATCH(threefry_pair)
    (key[0], key[1], static_cast<std::uint32_t>(whole), static_cast<std::uint32_t>(whole + gap), w);
    put(whole, w[0]);
    put(whole + gap, w[1]);
  }
  if (odd) {
    PLUMB_DISPATCH(threefry_pair)(key[0], key[1], static_cast<std::uint32_t>(h), 0, w);
    put(h, w[0]);
  }
}

void bits(const Call& c, std::vector<Tensor>& out) {
  const Tensor key = contiguous(c[0]);
  fill_words(key.read<std::uint32_t>(), out[0].size() * info(out[0].dtype()).bytes, out[0].write<unsigned char>());
}

}  // namespace

std::vector<Route> random_cpu_routes() {
  return {{
      .op = "random_bits",
      .name = "cpu.threefry",
      .supports = {},
      .prefers = {},
      .prepare = host<bits>,
  }};
}

}  // namespace plumb
