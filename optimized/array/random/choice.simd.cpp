// Scores of entries that a choice is made of. Every array has room for whole vectors behind its n elements.
#include "optimized/array/random/units.h"
#include "optimized/functions/log.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

// x - log(-log u)
void scores_block(const std::uint32_t* w, const double* x, std::int64_t n, double* scores) {
  for (std::int64_t i = 0; i < n; i += kF32) {
    const Halves u = widen(unit_of<float>(load_words(w + i)));
    store(scores + i, load(x + i) - log_of(-log_of(u.low)));
    store(scores + i + kF64, load(x + i + kF64) - log_of(-log_of(u.high)));
  }
}

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
