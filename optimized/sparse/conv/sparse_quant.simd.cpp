// Codes of a kernel row, outputs adjacent, as a panel of weights.
#include "optimized/quant/decode.h"

#include "optimized/sparse/conv/sparse_quant_kernels.h"

namespace plumb {
namespace PLUMB_ISA_NAME {
namespace {

// The first n lanes of a vector, zeros behind them.
template <class V, class T>
inline V leading(const T* p, std::int64_t n) {
  V v = {};
  if (n >= kF32) std::memcpy(&v, p, sizeof v);
  else std::memcpy(&v, p, static_cast<std::size_t>(n) * sizeof(T));
  return v;
}

template <int bits>
void panel(const PackedPanel& p) {
  constexpr int kPerWord = 32 / bits;
  for (std::int64_t j = 0; j < p.width; j += kF32) {
    const std::int64_t lanes = p.used > j ? p.used - j : 0;
    f32v s = {}, b = {};
    for (std::int64_t a = 0; a < p.channels; a += kPerWord) {
      if (a % p.group == 0) {  // a group is a multiple of a word
        s = leading<f32v>(p.scales + a / p.group * p.pitch + j, lanes);
        b = leading<f32v>(p.biases + a / p.group * p.pitch + j, lanes);
      }
      const u32v word = leading<u32v>(p.words + a / kPerWord * p.pitch + j, lanes);
      const int used = p.channels - a < kPerWord ? static_cast<int>(p.channels - a) : kPerWord;
      for (int i = 0; i < used; ++i) {
        const i32v code = (i32v)(word >> (i * bits) & ((1U << bits) - 1));
        store(p.panel + (a + i) * p.width + j, decoded(__builtin_convertvector(code, f32v), s, b));
      }
    }
  }
}

}  // namespace

void packed_panel(const PackedPanel& p) { p.bits == 4 ? panel<4>(p) : panel<8>(p); }

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
