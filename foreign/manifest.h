// What a backend declares of its operations, and what is assumed of what it does not declare.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/frames.h"

namespace plumb::foreign {

enum class Fft : std::uint8_t { undeclared, mixed_radix, bluestein, direct };

// Of one operation.
struct Claim {
  std::vector<Dtype> dtypes;                      // of the first input; empty: all
  std::optional<Dtype> accumulator;               // no value: undeclared
  bool same_accumulator = false;                  // that of the output
  Order::Shape shape = Order::Shape::sequential;  // any order has at most the depth of one after the other
  std::int64_t lanes = 1, block = 0;
  bool fma = false, truncating = false;
  std::optional<Dtype> inputs, partials;
  std::map<std::string, double> ulps;  // by function
  Fft fft = Fft::undeclared;
  Repeats repeats = Repeats::in_process;
  std::string declared;  // in the words of the manifest; "" for nothing
};

using Manifest = std::map<std::string, Claim>;  // by operation

// Throws Fault(protocol) for a key that is unknown, a value that is none, an operation that is none.
Manifest manifest_of(const Json& answer);

// The arithmetic by which an answer is judged.
Order order_of(const Claim&, const Call&);

// The largest error that OpenCL's full profile allows of a function that the row names, in ulps; 4 where it names none.
double assumed_ulps(const Op&);

}  // namespace plumb::foreign
