#include "plans/linalg/tiled.h"

#include <string>

#include "core/error.h"

namespace plumb {
namespace {

constexpr std::int64_t kMostColumns = 128;

}  // namespace

void check(const TiledCholesky& o) {
  const auto fail = [](const std::string& why) { throw Error("tiled_cholesky", Reason::attribute, why); };
  if (o.block < 1 || o.block > kMostColumns) fail("block is " + std::to_string(o.block) + ", not 1 to 128");
  if (!(o.guard >= 0) || o.guard - o.guard != 0) fail("guard is " + std::to_string(o.guard) + ", not 0 or above");
}

}  // namespace plumb
