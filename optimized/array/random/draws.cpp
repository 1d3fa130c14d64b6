#include "optimized/array/random/draws.h"

#include <memory>

#include "core/limits.h"
#include "core/pool.h"

namespace plumb::cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 13;           // counters worth a thread, about 20 us
constexpr Limit kBlock{"random.block", 1024, 16};  // words of each half of a pair

}  // namespace

std::int64_t draw_block(std::int64_t words) { return kBlock.of(words) + kDrawPadding; }

void draw(const Tensor& key, std::int64_t total, const std::function<Sink(std::int64_t block)>& make) {
  const Tensor dense = contiguous(key);
  const auto* k = dense.read<std::uint32_t>();
  const std::int64_t h = total / 2, gap = total - h;
  parallel_for(h, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t room = draw_block(end - begin), block = room - kDrawPadding;
    const RawRoom<std::uint32_t> first(room), second(room);
    const Sink sink = make(room);
    for (std::int64_t i = begin; i < end; i += block) {
      const std::int64_t n = std::min(block, end - i);
      PLUMB_DISPATCH(threefry_words)
      (k[0], k[1], i, i + n, gap, reinterpret_cast<unsigned char*>(first.get()),
       reinterpret_cast<unsigned char*>(second.get()));
      sink(first.get(), i, n);
      sink(second.get(), i + gap, n);
    }
  });
  if (total % 2 == 0) return;
  const RawRoom<std::uint32_t> lone(1 + kDrawPadding);
  PLUMB_DISPATCH(threefry_pair)(k[0], k[1], static_cast<std::uint32_t>(h), 0, lone.get());
  make(1 + kDrawPadding)(lone.get(), h, 1);
}

void draw_range(const std::uint32_t* key, std::int64_t total, std::int64_t first, std::int64_t n, std::uint32_t* out,
                std::uint32_t* other) {
  const std::int64_t h = total / 2, gap = total - h, end = first + n;
  const auto words = [&](std::int64_t begin, std::int64_t stop, void* firsts, void* seconds) {
    PLUMB_DISPATCH(threefry_words)
    (key[0], key[1], begin, stop, gap, static_cast<unsigned char*>(firsts), static_cast<unsigned char*>(seconds));
  };
  if (first < h) words(first, std::min(end, h), out, other);
  if (h < gap && first <= h && h < end) {
    std::uint32_t lone[2];
    PLUMB_DISPATCH(threefry_pair)(key[0], key[1], static_cast<std::uint32_t>(h), 0, lone);
    out[h - first] = lone[0];
  }
  const std::int64_t from = std::max(first, gap);
  if (from < end) words(from - gap, end - gap, other, out + (from - first));
}

Spread<float> floats_of(const Tensor& t, Dtype to, const Shape& shape) {
  return {as_dtype(as_dtype(t, to), Dtype::f32), shape};
}

Tensor scalar(double value, Dtype t) { return tensor(t, {}, {value}); }

}  // namespace plumb::cpu
