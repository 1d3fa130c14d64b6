#include "core/guard.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>

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

// Every buffer of every call has two bands: both are written and compared by the block, and not by the byte.
void fill_guard(std::byte* band, std::size_t bytes, GuardPair pair) {
  const std::size_t odd = parity(band);
  band[odd] = pair[0], band[1 - odd] = pair[1];
  for (std::size_t done = 2; done < bytes; done *= 2) std::memcpy(band + done, band, std::min(done, bytes - done));
}

bool is_guard(const std::byte* band, std::size_t bytes, GuardPair pair) {
  return guard_of(band) == pair && std::memcmp(band, band + 2, bytes - 2) == 0;
}

GuardPair guard_of(const std::byte* band) {
  const std::size_t odd = parity(band);
  return {band[odd], band[1 - odd]};
}

}  // namespace plumb
