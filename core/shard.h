// A part of a run: which operations are of it. Every part of a run by itself, on machines that know nothing of each
// other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

struct Shard {
  std::size_t index = 1, of = 1;  // the first is 1
  bool whole() const { return of == 1; }
};

// "2/3". Throws Error(query) for anything else than two whole numbers, 1 <= i <= n <= 1000.
Shard shard_named(std::string_view text);
std::string to_string(Shard);

// For each piece of work whether it is of the shard: the longest first, each to the shard that has least, so that none
// has more than the even share and one piece. The same for the same seconds.
std::vector<bool> of_shard(const std::vector<double>& seconds, Shard);

}  // namespace plumb
