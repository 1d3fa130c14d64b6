// Random words on the processor: vectors of counters, threads over ranges of them.
#include <algorithm>
#include <cstring>
#include <string>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/random/draws.h"

namespace plumb {

namespace {

constexpr std::int64_t kGrain = 1 << 13;  // counters worth a thread, about 20 us

// W words of which the last may be cut: whole pairs in vectors, then the pair that holds the last word, or the
// lone middle word.
void fill_words(const std::uint32_t* key, std::int64_t bytes, unsigned char* out) {
  const std::int64_t total = (bytes + 3) / 4, h = total / 2, odd = total % 2, gap = h + odd;
  const std::int64_t whole = bytes % 4 == 0 ? h : std::max<std::int64_t>(h - 1, 0);
  parallel_for(whole, kGrain, [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(threefry_words)(key[0], key[1], begin, end, gap, out + 4 * begin, out + 4 * (begin + gap));
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

void key(const Call& c, std::vector<Tensor>& out) {
  const Attr& seed = *c.attrs.find("seed");
  const auto* whole = seed.get<std::int64_t>();
  const std::uint64_t s = whole ? static_cast<std::uint64_t>(*whole) : std::stoull(c.text("seed"));
  auto* k = out[0].write<std::uint32_t>();
  k[0] = static_cast<std::uint32_t>(s >> 32);
  k[1] = static_cast<std::uint32_t>(s);
}

Route route(std::string_view op, std::string_view name, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .prepare = prepare};
}

}  // namespace

std::vector<Route> bits_cpu_routes() {
  return {route("random_bits", "cpu.threefry", host<bits>), route("random_split", "cpu.threefry", host<bits>),
          route("key", "cpu.seed", host<key>)};
}

}  // namespace plumb
