// Keys for draws that name none: a state that each draw splits, as MLX's implicit generator does.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace plumb {

// Not for several threads at once. The order of calls decides which draw has which key.
class KeySequence {
 public:
  explicit KeySequence(std::uint64_t seed = 0) { this->seed(seed); }

  void seed(std::uint64_t);  // begins anew with the key of that seed
  Tensor next();             // the key of the next draw: state, next = split(state)
  Tensor state() const { return state_; }
  void set_state(const Tensor& key);  // goes on from there; throws Error(dtype), Error(rank) or Error(shape)

 private:
  Tensor state_;
};

}  // namespace plumb
