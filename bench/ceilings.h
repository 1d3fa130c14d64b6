// What the machine can do, measured in the same run as what is compared with it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "bench/bench.h"

namespace plumb {

class Ceilings {
 public:
  // flop/s of a fused multiply-add loop in registers; of the matrix units if `matrix`. One that cannot be measured, for
  // want of memory or of such a device, has no value and says why; the others are as good without it.
  const Ceiling& flops(bool on_device, bool matrix, Dtype, int threads);
  // bytes/s of the best of several copies, reads and fills over a working set of about `bytes`.
  const Ceiling& bytes(bool on_device, double bytes, int threads);
  // What runs faster than its ceiling shows that the ceiling was measured in a bad moment, or over a working set
  // that some cache holds less well: both are measured again, over `bytes` exactly, and the better values stay.
  void again(bool on_device, bool matrix, Dtype, double bytes, int threads);
  std::vector<Ceiling> measured() const;
  void take_over(const std::vector<Ceiling>&);  // what this machine was seen to do in an earlier part of the run

 private:
  using Key = std::tuple<bool, std::string, int>;
  std::map<Key, Ceiling> cache_;
  template <class F>
  const Ceiling& once(const Key&, const char* unit, F&& measure);
  template <class F>
  void raise(const Key&, const char* unit, F&& measure);
};

// The measurements themselves, each the best of several trials.
double host_flops(Dtype, int threads);  // f32 or f64
double host_bandwidth(std::int64_t bytes, int threads);

// The rate of several threads together. Measured again, it is no less than theirs one by one: another program that has
// a core meanwhile takes from several threads what it leaves to one.
enum class Trial { first, again };
double rate_of_threads(const std::function<double(int)>& rate, int threads, Trial);

}  // namespace plumb
