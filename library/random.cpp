#include "library/random.h"

#include <string>

#include "core/route.h"

namespace plumb {
namespace {

Tensor split(const Tensor& key) { return run(make_call("random_split", {key}, {{"num", 2}})).front(); }
Tensor row(const Tensor& keys, std::int64_t i) { return contiguous(keys.view({2}, {1}, 2 * i)); }

}  // namespace

void KeySequence::seed(std::uint64_t seed) {
  state_ = run(make_call("key", {}, {{"seed", std::to_string(seed)}})).front();
}

Tensor KeySequence::next() {
  const Tensor keys = split(state_);
  state_ = row(keys, 0);
  return row(keys, 1);
}

void KeySequence::set_state(const Tensor& key) {
  (void)make_call("random_split", {key}, {{"num", 2}});  // what is no key is refused here, not at the next draw
  state_ = contiguous(key);
}

}  // namespace plumb
