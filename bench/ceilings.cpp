#include "bench/ceilings.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <exception>
#include <new>

#include "core/device.h"
#include "core/loads.h"
#include "core/memory.h"
#include "core/pool.h"

namespace plumb {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The best rate of several trials that together last a fifth of a second or more.
template <class F>
double best_rate(double work, F&& trial) {
  trial();
  double best = 0;
  const double start = now();
  for (int i = 0; i < 100 && (i < 5 || now() - start < 0.2); ++i) {
    const double t = now();
    trial();
    best = std::max(best, work / (now() - t));
  }
  return best;
}

}  // namespace

double host_flops(Dtype dtype, int count) {
  set_threads(count);
  constexpr std::int64_t kLoops = 1 << 20;  // some milliseconds: waking the threads must not count
  std::vector<double> flops(static_cast<std::size_t>(count));
  const auto loop = dtype == Dtype::f64 ? host_loads().fma_f64 : host_loads().fma_f32;
  const auto trial = [&] {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) flops[static_cast<std::size_t>(i)] = loop(kLoops);
    });
  };
  trial();
  return best_rate(flops[0] * count, trial);
}

// Over memory of the kind that tensors have: pages matter.
double host_bandwidth(std::int64_t bytes, int count) {
  set_threads(count);
  const std::int64_t half = std::max<std::int64_t>(bytes / 2, 4096) / 64 * 64;
  const HostBlock a = host_block(static_cast<std::size_t>(half)), b = host_block(static_cast<std::size_t>(half));
  if (!a || !b) throw Error("plumb", Reason::memory, "cannot allocate " + std::to_string(2 * half) + " bytes");
  std::memset(a.get(), 1, static_cast<std::size_t>(half));
  const auto over = [&](auto&& f) {
    return [&, f] {
      parallel_for(half / 64, 1024, [&](std::int64_t lo, std::int64_t hi) { f(lo * 64, (hi - lo) * 64); });
    };
  };
  const auto both = static_cast<double>(2 * half), one = static_cast<double>(half);
  const double copied = best_rate(both, over([&](std::int64_t at, std::int64_t n) {
                                    std::memcpy(b.get() + at, a.get() + at, static_cast<std::size_t>(n));
                                  }));
  const double streamed =
      best_rate(both, over([&](std::int64_t at, std::int64_t n) { host_loads().copy(b.get() + at, a.get() + at, n); }));
  const double read =
      best_rate(one, over([&](std::int64_t at, std::int64_t n) { host_loads().read(a.get() + at, n); }));
  const double filled = best_rate(
      one, over([&](std::int64_t at, std::int64_t n) { std::memset(b.get() + at, 2, static_cast<std::size_t>(n)); }));
  return std::max({copied, streamed, read, filled});
}

double rate_of_threads(const std::function<double(int)>& rate, int count, Trial trial) {
  const double together = rate(count);
  return trial == Trial::again && count > 1 ? std::max(together, count * rate(1)) : together;
}

namespace {

constexpr const char* kFlops = "flop/s";
constexpr const char* kBytes = "bytes/s";

double device_rate(const Load& load) { return load.work > 0 ? best_rate(load.work, load.run) : 0; }

std::string flops_name(bool matrix, Dtype dtype) {
  return matrix ? "matrix_f16" : dtype == Dtype::f64 ? "fma_f64" : "fma_f32";
}

// A device that is the host processor can do what the host can, whatever its launches cost.
double measure_flops(bool on_device, bool matrix, Dtype dtype, int count, Trial trial) {
  const Dtype wide = dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  const auto host = [&](int n) { return rate_of_threads([&](int k) { return host_flops(wide, k); }, n, trial); };
  if (!on_device) return host(count);
  if (!device_loads().flops) return 0;
  const double beside = current_device().facts.is_cpu ? host(plumb::threads()) : 0;
  return std::max(beside, device_rate(device_loads().flops(matrix, wide)));
}

// Working sets are measured in powers of four: a set that fits a cache has that cache's ceiling.
std::int64_t working_set(double bytes) {
  std::int64_t set = 64 << 10;
  while (static_cast<double>(set) * 2 < bytes && set < (std::int64_t{1} << 30)) set *= 4;
  return set;
}

double measure_bytes(bool on_device, std::int64_t set, int count, Trial trial) {
  const auto host = [&](int n) { return rate_of_threads([&](int k) { return host_bandwidth(set, k); }, n, trial); };
  if (!on_device) return host(count);
  if (!device_loads().copy) return 0;
  const double beside = current_device().facts.is_cpu ? host(plumb::threads()) : 0;
  return std::max(beside, device_rate(device_loads().copy(set)));
}

}  // namespace

template <class F>
void Ceilings::raise(const Key& key, const char* unit, F&& measure) {
  const int before = plumb::threads();
  double value = 0;
  std::string why = "nothing here measures it";
  try {
    value = measure();
  } catch (const std::bad_alloc&) {
    why = "memory: an allocation failed while it was measured";
  } catch (const std::exception& e) {
    why = e.what();
  }
  set_threads(before);
  const auto& [on_device, what, count] = key;
  Ceiling& c = cache_.try_emplace(key, Ceiling{what, on_device ? "device" : "host", count, 0, unit}).first->second;
  c.value = std::max(c.value, value);
  c.null_reason = c.value > 0 ? "" : why;
}

template <class F>
const Ceiling& Ceilings::once(const Key& key, const char* unit, F&& measure) {
  if (!cache_.contains(key)) raise(key, unit, measure);
  return cache_.at(key);
}

const Ceiling& Ceilings::flops(bool on_device, bool matrix, Dtype dtype, int count) {
  return once({on_device, flops_name(matrix, dtype), on_device ? 0 : count}, kFlops,
              [&] { return measure_flops(on_device, matrix, dtype, count, Trial::first); });
}

const Ceiling& Ceilings::bytes(bool on_device, double size, int count) {
  const std::int64_t set = working_set(size);
  return once({on_device, "copy_" + std::to_string(set >> 10) + "KiB", on_device ? 0 : count}, kBytes,
              [&] { return measure_bytes(on_device, set, count, Trial::first); });
}

void Ceilings::again(bool on_device, bool matrix, Dtype dtype, double size, int count) {
  raise({on_device, flops_name(matrix, dtype), on_device ? 0 : count}, kFlops,
        [&] { return measure_flops(on_device, matrix, dtype, count, Trial::again); });
  raise({on_device, "copy_" + std::to_string(working_set(size) >> 10) + "KiB", on_device ? 0 : count}, kBytes,
        [&] { return measure_bytes(on_device, static_cast<std::int64_t>(size), count, Trial::again); });
}

std::vector<Ceiling> Ceilings::measured() const {
  std::vector<Ceiling> all;
  for (const auto& [key, c] : cache_) all.push_back(c);
  return all;
}

void Ceilings::take_over(const std::vector<Ceiling>& all) {
  for (const Ceiling& c : all) cache_.try_emplace({c.where == "device", c.name, c.threads}, c);
}

}  // namespace plumb
