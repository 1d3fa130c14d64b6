// Lines that are sorted one by one, each with buffers that are made once.
#pragma once

#include <memory>
#include <vector>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/radix.h"
#include "optimized/array/sort.h"

namespace plumb::cpu {

// Many lines: each thread its own; few long ones: all threads on each in turn. sort(g, line, chunks, scratch, out).
template <class Scratch, class Out, void (*sort)(const SortLines&, std::int64_t, std::int64_t, Scratch&, Out*)>
class EachLine {
 public:
  EachLine(const SortLines& g, bool worth_threads) : g_(g) {
    const bool together = worth_threads && g.lines < 2 * threads();
    slots_ = together ? 1 : std::clamp<std::int64_t>(g.lines, 1, threads());
    chunks_ = together ? threads() : 1;
    for (std::int64_t i = 0; i < slots_; ++i) scratch_.emplace_back(g.n);
  }

  void operator()(Out* out) {
    if (g_.n == 0) return;
    const auto lines_of = [&](std::int64_t slot) {
      const Range r = chunk(g_.lines, slots_, slot);
      for (std::int64_t l = r.begin; l < r.end; ++l)
        sort(g_, l, chunks_, scratch_[static_cast<std::size_t>(slot)], out);
    };
    if (slots_ == 1) return lines_of(0);
    parallel_each(slots_, lines_of);
  }

  static Job job(const SortLines& g, bool worth_threads, const Tensor& out) {
    const auto each = std::make_shared<EachLine>(g, worth_threads);
    return {[each, out] { (*each)(out.write<Out>()); }, [] {}, [out] { return std::vector<Tensor>{out}; }};
  }

 private:
  SortLines g_;
  std::int64_t slots_, chunks_;
  std::vector<Scratch> scratch_;
};

}  // namespace plumb::cpu
