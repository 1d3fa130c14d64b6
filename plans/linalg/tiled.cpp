#include "plans/linalg/tiled.h"

#include <string>

#include "core/error.h"
#include "core/text.h"

namespace plumb {
namespace {

constexpr std::int64_t kMostColumns = 128;

}  // namespace

void check(const TiledCholesky& o) {
  const auto fail = [](const std::string& why) { throw Error("tiled_cholesky", Reason::attribute, why); };
  if (o.block < 1 || o.block > kMostColumns) fail("block is " + std::to_string(o.block) + ", not 1 to 128");
  if (!(o.guard >= 0) || o.guard - o.guard != 0) fail("guard is " + shortest(o.guard) + ", not 0 or above");
}

void require_factors(const Request& c, const std::vector<TiledCholeskyRun>& runs) {
  for (std::size_t m = 0; m < runs.size(); ++m)
    if (runs[m].status > 0)
      c.fail(Reason::domain, "matrix " + std::to_string(m) + " is not positive definite at pivot " +
                                 std::to_string(runs[m].status - 1));
}

}  // namespace plumb
