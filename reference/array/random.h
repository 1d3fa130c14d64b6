// The words of a key, for the oracles that draw.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace plumb::reference {

using Word = std::uint32_t;
using Pair = std::array<Word, 2>;

// Words w_0 .. w_(W-1): with h = floor(W/2) and odd = W mod 2,
//   (w_i, w_(i+h+odd)) = threefry(key, (i, i+h+odd)) for i < h, and w_h = first word of threefry(key, (h, 0))
// if W is odd.
std::vector<Word> words(Pair key, std::int64_t total);

}  // namespace plumb::reference
