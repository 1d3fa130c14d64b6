// Distinct values on the processor: positions in the order of their keys; where a key is another than the one before, a
// group begins. Threads take stretches of the order, once to count groups and once to give them their places.
#include <cstring>
#include <numeric>

#include "core/route.h"
#include "optimized/array/radix.h"
#include "optimized/array/sort.h"

namespace plumb {
namespace {

using namespace cpu;

constexpr Limit kParallel{"unique.parallel", 1 << 15, 12};  // elements worth several threads

// The fill as one element of the input's dtype.
Tensor fill_element(const Call& c) {
  const auto* whole = c.attrs.find("fill_value")->get<std::int64_t>();
  return narrow(whole ? Wide(Integers({1}, *whole)) : Wide(Reals({1}, c.number("fill_value"))), c.dtype(0));
}

struct Outputs {
  unsigned char* values;
  std::uint32_t *indices, *inverse;
  std::int32_t* counts;
  std::int64_t size;
};

// The order of the elements, and where in it groups begin.
template <class K>
class Groups {
 public:
  explicit Groups(const SortLines& g)
      : n_(g.n),
        order_(block<std::uint32_t>(g.n)),
        keys_(block<K>(g.n)),
        parts_(g.n >= kParallel.of(g.n) ? threads() : 1) {
    const int unused =
        8 * (static_cast<int>(sizeof(K)) - std::min(info(g.x.dtype()).bytes, static_cast<int>(sizeof(K))));
    if (is_inexact(g.x.dtype())) nan_ = static_cast<K>(~K{0}) >> unused;
    radix_argsort(
        n_,
        [&](std::int64_t begin, std::int64_t end, K* keys) {
          encode(g, 0, begin, end, keys + begin);
          std::copy(keys + begin, keys + end, keys_.get() + begin);
        },
        order_.get());
  }

  const std::uint32_t* order() const { return order_.get(); }
  bool begins(std::int64_t p) const {
    if (p == 0) return true;
    const K key = keys_[order_[static_cast<std::size_t>(p)]];
    return key != keys_[order_[static_cast<std::size_t>(p - 1)]] || (nan_ != 0 && key == nan_);
  }

  // f(p, group, begins) in stretches, each in ascending order of p; returns how many groups there are.
  template <class F>
  std::int64_t walk(const F& f) const {
    std::vector<std::int64_t> before(static_cast<std::size_t>(parts_) + 1, 0);
    parallel_each(parts_, [&](std::int64_t part) {
      const Range r = chunk(n_, parts_, part);
      std::int64_t count = 0;
      for (std::int64_t p = r.begin; p < r.end; ++p) count += begins(p);
      before[static_cast<std::size_t>(part) + 1] = count;
    });
    std::partial_sum(before.begin(), before.end(), before.begin());
    parallel_each(parts_, [&](std::int64_t part) {
      const Range r = chunk(n_, parts_, part);
      std::int64_t group = before[static_cast<std::size_t>(part)] - 1;
      for (std::int64_t p = r.begin; p < r.end; ++p) {
        const bool first = begins(p);
        group += first;
        f(p, group, first);
      }
    });
    return before.back();
  }

 private:
  std::int64_t n_;
  Block<std::uint32_t> order_;
  Block<K> keys_;
  std::int64_t parts_;
  K nan_ = 0;  // of NaN; 0 where there is none
};

template <class K>
void unique_of(const SortLines& g, const Outputs& to, const unsigned char* fill) {
  const auto bytes = static_cast<std::size_t>(info(g.x.dtype()).bytes);
  const unsigned char* x = g.x.read<unsigned char>();
  const Groups<K> groups(g);
  const std::uint32_t* order = groups.order();
  Room<std::int64_t> starts(static_cast<std::size_t>(to.size) + 1);
  const auto last = static_cast<std::uint32_t>(std::max<std::int64_t>(to.size - 1, 0));
  const std::int64_t found = groups.walk([&](std::int64_t p, std::int64_t group, bool first) {
    const std::uint32_t i = order[p];
    to.inverse[i] = static_cast<std::uint32_t>(std::min<std::int64_t>(group, last));
    if (!first || group > to.size) return;
    starts[static_cast<std::size_t>(group)] = p;
    if (group == to.size) return;
    to.indices[group] = i;
    std::memcpy(to.values + static_cast<std::size_t>(group) * bytes, x + i * bytes, bytes);
  });
  const std::int64_t shown = std::min(found, to.size);
  if (found <= to.size) starts[static_cast<std::size_t>(found)] = g.n;
  for (std::int64_t k = 0; k < shown; ++k) {
    const auto at = static_cast<std::size_t>(k);
    to.counts[k] = static_cast<std::int32_t>(starts[at + 1] - starts[at]);
  }
  for (std::int64_t k = shown; k < to.size; ++k) {
    to.counts[k] = 0;
    to.indices[k] = g.n > 0 ? order[0] : 0;
    std::memcpy(to.values + static_cast<std::size_t>(k) * bytes, fill ? fill : x + order[0] * bytes, bytes);
  }
}

void unique(const Call& c, std::vector<Tensor>& out) {
  const SortLines g(contiguous(c[0]).view({c[0].size()}, {1}), 0);
  const Outputs to{out[0].write<unsigned char>(), out[1].write<std::uint32_t>(), out[2].write<std::uint32_t>(),
                   out[3].write<std::int32_t>(), c.integer("size")};
  const Tensor fill = c.none("fill_value") ? Tensor() : fill_element(c);
  const unsigned char* one = fill.defined() ? fill.read<unsigned char>() : nullptr;
  if (wide_keys(c.dtype(0))) unique_of<std::uint64_t>(g, to, one);
  else unique_of<std::uint32_t>(g, to, one);
}

}  // namespace

std::vector<Route> unique_cpu_routes() {
  return {{.op = "unique", .name = "cpu.groups", .supports = {}, .prefers = {}, .prepare = host<unique>}};
}

}  // namespace plumb
