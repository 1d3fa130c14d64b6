// Named peers that users could reach for instead: timed beside the routes, in the same run, on the same inputs.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/op.h"

namespace plumb {

struct Peer {
  std::string_view op, name;  // "matmul", "peer.openblas"
  std::string_view what;      // what it runs, one line
  bool threaded;              // takes a thread count; otherwise it runs on one
  bool (*takes)(const Call&);
  std::function<void()> (*bind)(const Call&, int threads);  // operands are bound, outputs allocated
  std::string (*missing)();  // why it cannot be timed here, or ""; the first question may load its library
};

std::span<const Peer> peers();

}  // namespace plumb
