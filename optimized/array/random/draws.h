// Words of a key in blocks that stay in the cache, handed to what makes numbers of them, and values that broadcast over
// what is drawn.
#pragma once

#include <cstdint>
#include <functional>

#include "core/room.h"
#include "core/tensor.h"
#include "optimized/array/operand.h"
#include "optimized/dispatch.h"
#include "optimized/nest.h"

namespace plumb {

// Words i and i + gap from the counters (i, i + gap), begin <= i < end: from `first` and `second` on, which need not be
// aligned.
PLUMB_DECLARE_SIMD(void threefry_words(std::uint32_t k0, std::uint32_t k1, std::int64_t begin, std::int64_t end,
                                       std::int64_t gap, unsigned char* first, unsigned char* second);
                   // The two words of one counter.
                   void threefry_pair(std::uint32_t k0, std::uint32_t k1, std::uint32_t c0, std::uint32_t c1,
                                      std::uint32_t* out))

namespace cpu {

inline constexpr std::int64_t kDrawPadding = 16;  // elements behind a block that vectors may read and write
std::int64_t draw_block(std::int64_t words);      // elements of a block, padding included

// Takes words first .. first + n - 1; they are its to overwrite, with the padding behind them.
using Sink = std::function<void(std::uint32_t* words, std::int64_t first, std::int64_t n)>;

// The `total` words of a key, to sinks of which each thread has one: make() with room for blocks of that size.
void draw(const Tensor& key, std::int64_t total, const std::function<Sink(std::int64_t block)>& make);

// Words first .. first + n - 1 alone; `other` has room for as many.
void draw_range(const std::uint32_t* key, std::int64_t total, std::int64_t first, std::int64_t n, std::uint32_t* out,
                std::uint32_t* other);

// A tensor that broadcasts over a shape. T is the type that its elements are stored as.
template <class T>
class Spread {
 public:
  Spread(Tensor t, const Shape& shape)
      : t_(std::move(t)),
        nest_(nest<1>(shape, {broadcast_strides(t_, shape)})),
        from_(t_.size() ? t_.read<T>() : nullptr) {}

  // What a thread reads it by: elements first .. first + n - 1 in row-major order of the shape.
  class Reader {
   public:
    Reader(const Spread& s, std::int64_t block) : s_(&s), room_(block), constant_(s.t_.size() == 1) {
      if (constant_) std::fill_n(room_.get(), block, *s.from_);
    }
    const T* operator()(std::int64_t first, std::int64_t n) {
      T* to = room_.get();
      if (constant_) return to;
      const std::int64_t step = s_->nest_.strides[0].back();
      for_runs(s_->nest_, first, first + n, [&](const auto& at, std::int64_t length) {
        const T* x = s_->from_ + at[0];
        for (std::int64_t i = 0; i < length; ++i) to[i] = x[i * step];
        to += length;
      });
      return room_.get();
    }

   private:
    const Spread* s_;
    RawRoom<T> room_;
    bool constant_;
  };
  Reader reader(std::int64_t block) const { return {*this, block}; }

 private:
  Tensor t_;
  Nest<1> nest_;
  const T* from_;
};

Spread<float> floats_of(const Tensor&, Dtype, const Shape&);  // rounded to the dtype, as floats
Tensor scalar(double, Dtype);

}  // namespace cpu
}  // namespace plumb
