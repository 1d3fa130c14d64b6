// What the oracles that draw share: the words of a key, and numbers between 0 and 1.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/op.h"

namespace plumb::reference {

using Word = std::uint32_t;
using Pair = std::array<Word, 2>;

// Words w_0 .. w_(W-1): with h = floor(W/2) and odd = W mod 2,
//   (w_i, w_(i+h+odd)) = threefry(key, (i, i+h+odd)) for i < h, and w_h = first word of threefry(key, (h, 0))
// if W is odd.
std::vector<Word> words(Pair key, std::int64_t total);
std::vector<Word> words(const Call&, std::int64_t total);  // of its input "key"

// Each to the nearest of the dtype.
Reals rounded(const Reals&, Dtype);

// u_i = min(w_i / 2^32, 1 - 2^-p) for the words of the call: w_i to the nearest of binary32, p the significant bits of
// the dtype and u_i to the nearest of it.
Reals units(const Call&, const Shape&, Dtype);

// u_i (high - low) + low in the dtype: the difference, the product and the sum are rounded each.
Reals between(const Call&, const Reals& low, const Reals& high, const Shape&, Dtype);

// u_i of binary32 between -(1 - 2^-24) and 1.
Reals symmetric(const Call&, const Shape&);

// The attribute shape: no extent is negative, and `words` words for `elements` elements are within those of a key.
Shape drawn_shape(const Request&, std::int64_t words = 1, std::int64_t elements = 1);
Shape drawn_shape(const Request&, const Shape& fallback);  // where the attribute may be none
// Refuses inputs that broadcast to anything but the shape.
void check_broadcast(const Request&, const Shape&);
// The attribute dtype: one of `accepted`, in words.
Dtype drawn_dtype(const Request&, const std::vector<Dtype>& accepted, const char* words);

}  // namespace plumb::reference
