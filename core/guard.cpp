#include "core/guard.h"

#include <atomic>
#include <cstdint>

namespace plumb {
namespace {

std::size_t parity(const std::byte* p) { return reinterpret_cast<std::uintptr_t>(p) % 2; }

}  // namespace

// The second byte ends a word: the sign, and an exponent of ones. The first has the rest of the exponent of the widest
// type, and a mantissa that is neither 0, which were an infinity, nor all ones, as some devices make NaN.
GuardPair next_guard() {
  static std::atomic<unsigned> made{0};
  const unsigned n = made.fetch_add(1, std::memory_order_relaxed);
  return {static_cast<std::byte>(0xF1 + n % 14), std::byte{0xFF}};
}

void fill_guard(std::byte* band, std::size_t bytes, GuardPair pair) {
  const std::size_t odd = parity(band);
  for (std::size_t i = 0; i < bytes; ++i) band[i] = pair[(i + odd) % 2];
}

bool is_guard(const std::byte* band, std::size_t bytes, GuardPair pair) {
  const std::size_t odd = parity(band);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < bytes; ++i) wrong += band[i] != pair[(i + odd) % 2];
  return wrong == 0;
}

GuardPair guard_of(const std::byte* band) { return parity(band) == 0 ? GuardPair{band[0], band[1]} : GuardPair{band[1], band[0]}; }

}  // namespace plumb
