// Keys sorted by parting them about one of them, from memory to memory, down to what a few registers hold. Those are
// sorted by a network: each lane by itself over the registers, then lanes are merged in pairs.
#include "optimized/array/order/quick.h"

#include "optimized/key_lanes.h"

namespace plumb {
namespace PLUMB_ISA_NAME {

#if defined(__AVX2__)
namespace {

// f(N<i>) for i = kFrom, kFrom + kBy, .. below kTo: loops over registers, which have no address.
template <int i>
struct N {
  static constexpr int value = i;
};
template <int kFrom, int kTo, int kBy, class F>
[[gnu::always_inline]] inline void each(const F& f) {
  if constexpr (kFrom < kTo) {
    f(N<kFrom>{});
    each<kFrom + kBy, kTo, kBy>(f);
  }
}

template <class K>
inline constexpr int kLanesOf = kVectorBytes / static_cast<int>(sizeof(K));

// Numbers of lanes, of two registers for a shuffle of both: l -> f(l).
template <class K, class F>
struct LaneTable {
  K lane[kLanesOf<K>];
  constexpr LaneTable() : lane() {
    for (int l = 0; l < kLanesOf<K>; ++l) lane[l] = static_cast<K>(F::of(l));
  }
};
template <class V, class K, class F>
V lane_table() {
  constexpr LaneTable<K, F> table;
  V v;
  std::memcpy(&v, table.lane, sizeof v);
  return v;
}
template <int kWith>
struct Across {
  static constexpr int of(int l) { return l ^ kWith; }
};
constexpr int top_bit(int x) {
  int top = 1;
  while (2 * top <= x) top *= 2;
  return top;
}
template <int kBit>
struct Above {
  static constexpr int of(int l) { return (l & kBit) != 0 ? -1 : 0; }
};
// Lanes of a second register count from where those of the first end.
template <int kBit, int kLanes>
struct EvenOfBoth {
  static constexpr int of(int l) { return (l & kBit) == 0 ? l : kLanes + (l ^ kBit); }
};
template <int kBit, int kLanes>
struct OddOfBoth {
  static constexpr int of(int l) { return (l & kBit) == 0 ? l | kBit : kLanes + l; }
};

// Keys in so many registers, at least as many as there are lanes.
template <class V, class K, int kRows>
struct Network {
  static constexpr int kLanes = kLanesOf<K>;
  alignas(kVectorBytes) V row[kRows];

  // Each lane sorted down the rows: Batcher's odd-even merge sort.
  template <int kFirst, int kCount, int kStep>
  [[gnu::always_inline]] void merge_down() {
    if constexpr (2 * kStep < kCount) {
      merge_down<kFirst, kCount, 2 * kStep>();
      merge_down<kFirst + kStep, kCount, 2 * kStep>();
      each<kFirst + kStep, kFirst + kCount - kStep, 2 * kStep>(
          [&](auto i) { exchange(row[i.value], row[i.value + kStep]); });
    } else {
      exchange(row[kFirst], row[kFirst + kStep]);
    }
  }
  template <int kFirst, int kCount>
  [[gnu::always_inline]] void sort_down() {
    if constexpr (kCount > 1) {
      sort_down<kFirst, kCount / 2>();
      sort_down<kFirst + kCount / 2, kCount / 2>();
      merge_down<kFirst, kCount, 1>();
    }
  }

  // v beside lane ^ kWith of `other`: the smaller one stays in the lower lane of the two.
  template <int kWith>
  [[gnu::always_inline]] static V met(V v, V other) {
    V low = v, high = __builtin_shuffle(other, lane_table<V, K, Across<kWith>>());
    exchange(low, high);
    const V upper = lane_table<V, K, Above<top_bit(kWith)>>();
    return (high & upper) | (low & ~upper);
  }
  template <int kDistance>
  [[gnu::always_inline]] void clean_lanes() {
    if constexpr (kDistance > 0) {
      each<0, kRows, 1>([&](auto r) { row[r.value] = met<kDistance>(row[r.value], row[r.value]); });
      clean_lanes<kDistance / 2>();
    }
  }
  template <int kDistance>
  [[gnu::always_inline]] void clean_rows() {
    if constexpr (kDistance > 0) {
      each<0, kRows, 1>([&](auto r) {
        if constexpr ((r.value & kDistance) == 0) exchange(row[r.value], row[r.value + kDistance]);
      });
      clean_rows<kDistance / 2>();
    }
  }
  // Sorted groups of kGroup lanes, each lane behind the one before it, merged in pairs: one of two is met in reverse.
  template <int kGroup>
  [[gnu::always_inline]] void merge_lanes() {
    if constexpr (kGroup < kLanes) {
      each<0, kRows / 2, 1>([&](auto r) {
        const V first = row[r.value], last = row[kRows - 1 - r.value];
        row[r.value] = met<2 * kGroup - 1>(first, last);
        row[kRows - 1 - r.value] = met<2 * kGroup - 1>(last, first);
      });
      clean_lanes<kGroup / 2>();
      clean_rows<kRows / 2>();
      merge_lanes<2 * kGroup>();
    }
  }
  // Rows become lanes within each square of registers.
  template <int kBit>
  [[gnu::always_inline]] void turn() {
    if constexpr (kBit < kLanes) {
      each<0, kRows, 1>([&](auto r) {
        if constexpr ((r.value & kBit) == 0) {
          const V a = row[r.value], b = row[r.value + kBit];
          row[r.value] = __builtin_shuffle(a, b, lane_table<V, K, EvenOfBoth<kBit, kLanes>>());
          row[r.value + kBit] = __builtin_shuffle(a, b, lane_table<V, K, OddOfBoth<kBit, kLanes>>());
        }
      });
      turn<2 * kBit>();
    }
  }

  static void sort(const K* from, K* to) {
    Network n;
    each<0, kRows, 1>([&](auto r) { std::memcpy(&n.row[r.value], from + r.value * kLanes, sizeof(V)); });
    n.template sort_down<0, kRows>();
    n.template merge_lanes<1>();
    n.template turn<1>();
    each<0, kRows, 1>([&](auto r) {
      std::memcpy(to + r.value % kLanes * kRows + r.value / kLanes * kLanes, &n.row[r.value], sizeof(V));
    });
  }
};

template <class V, class K>
struct Quick {
  static constexpr int kLanes = kLanesOf<K>;
  static constexpr int kFew = kLanes > 8 ? kLanes : 8, kMany = 16;  // rows, in whole squares
  QuickLimits limits;
  SortedPart<K> done;
  void* context;
  int deepest = 0;

  template <int kRows>
  static void padded(const K* x, std::int64_t n, K* to) {
    alignas(64) K room[kRows * kLanes];
    std::memset(room, 0xFF, sizeof room);
    std::memcpy(room, x, static_cast<std::size_t>(n) * sizeof(K));
    Network<V, K, kRows>::sort(room, room);
    std::memcpy(to, room, static_cast<std::size_t>(n) * sizeof(K));
  }
  static void leaf(const K* x, std::int64_t n, K* to) {
    if (n <= kFew * kLanes) padded<kFew>(x, n, to);
    else padded<kMany>(x, n, to);
  }

  // y = those of x that are not above the bound (kBelow: that are below it), then the others; how many are first. A
  // register is stored at either end of the room that is left, which is two of them or more.
  template <bool kBelow>
  static std::int64_t part(const K* x, K* y, std::int64_t n, K bound) {
    constexpr unsigned all = (1U << kLanes) - 1;
    const V bounds = bound - V{};
    K *first = y, *last = y + n;
    std::int64_t i = 0;
    for (; i + 2 * kLanes <= n; i += kLanes) {
      V v;
      std::memcpy(&v, x + i, sizeof v);
      const unsigned lanes = kBelow ? below(v, bounds) : all & ~below(bounds, v);
      const V both = parted(v, lanes);
      std::memcpy(first, &both, sizeof both);
      std::memcpy(last - kLanes, &both, sizeof both);
      const int count = __builtin_popcount(lanes);
      first += count;
      last -= kLanes - count;
    }
    for (; i < n; ++i) {
      const K k = x[i];
      const bool goes_first = kBelow ? k < bound : k <= bound;
      *first = last[-1] = k;
      first += goes_first;
      last -= !goes_first;
    }
    return first - y;
  }

  static K median(K a, K b, K c) {
    const K low = a < b ? a : b, high = a < b ? b : a, rest = high < c ? high : c;
    return low < rest ? rest : low;
  }
  // Some key with about as many above as below it.
  static K drawn(const K* x, std::int64_t n) {
    constexpr int kSample = kFew * kLanes;
    if (n < 32 * kSample) {
      const auto three = [&](std::int64_t at) { return median(x[at], x[at + n / 9], x[at + 2 * (n / 9)]); };
      return median(three(0), three(3 * (n / 9)), three(6 * (n / 9)));
    }
    K sample[kSample];
    for (int i = 0; i < kSample; ++i) sample[i] = x[n / kSample * i];
    Network<V, K, kFew>::sort(sample, sample);
    return sample[kSample / 2];
  }
  static K middle(const K* x, std::int64_t n) {
    K least = x[0], most = x[0];
    for (std::int64_t i = 1; i < n; ++i) least = x[i] < least ? x[i] : least, most = x[i] > most ? x[i] : most;
    return static_cast<K>(least + (most - least) / 2);
  }

  // The keys of x, sorted, to y if `over`, else to x; the other one is room. They are the begin-th ones of all.
  void sort(K* x, K* y, std::int64_t n, bool over, std::int64_t begin, int level, bool in_cache) {
    if (!in_cache && n <= limits.cached) {
      sort(x, y, n, over, begin, level, true);
      return done(context, over ? y : x, begin, n);
    }
    deepest = level > deepest ? level : deepest;
    if (n <= limits.leaf) return leaf(x, n, over ? y : x);
    const K bound = level < limits.luck ? drawn(x, n) : middle(x, n);
    std::int64_t first = part<false>(x, y, n, bound);
    if (first < n) {
      sort(y, x, first, !over, begin, level + 1, in_cache);
      return sort(y + first, x + first, n - first, !over, begin + first, level + 1, in_cache);
    }
    first = part<true>(x, y, n, bound);  // nothing is above: what is not below is the bound itself
    K* to = over ? y : x;
    for (std::int64_t i = first; i < n; ++i) to[i] = bound;
    if (first > 0) sort(y, x, first, !over, begin, level + 1, in_cache);
    if (!in_cache) done(context, to + first, begin + first, n - first);
  }
};

template <class V, class K>
int quick(K* keys, K* room, std::int64_t n, QuickLimits limits, SortedPart<K> done, void* context) {
  constexpr std::int64_t most = Quick<V, K>::kMany * kLanesOf<K>;
  limits.leaf = limits.leaf < most ? limits.leaf : most;
  limits.cached = limits.cached > limits.leaf ? limits.cached : limits.leaf;
  Quick<V, K> q{limits, done, context};
  q.sort(keys, room, n, false, 0, 0, false);
  return q.deepest;
}

template <class V, class K>
std::int64_t part_about(const K* x, K* y, std::int64_t n, K bound) {
  return Quick<V, K>::template part<false>(x, y, n, bound);
}

}  // namespace

int quick_sort_narrow(std::uint32_t* keys, std::uint32_t* room, std::int64_t n, const QuickLimits& limits,
                      SortedPart<std::uint32_t> done, void* context) {
  return quick<u32v>(keys, room, n, limits, done, context);
}
int quick_sort_wide(std::uint64_t* keys, std::uint64_t* room, std::int64_t n, const QuickLimits& limits,
                    SortedPart<std::uint64_t> done, void* context) {
  return quick<u64v>(keys, room, n, limits, done, context);
}
std::int64_t part_narrow(const std::uint32_t* x, std::uint32_t* y, std::int64_t n, std::uint32_t bound) {
  return part_about<u32v>(x, y, n, bound);
}
std::int64_t part_wide(const std::uint64_t* x, std::uint64_t* y, std::int64_t n, std::uint64_t bound) {
  return part_about<u64v>(x, y, n, bound);
}
#else
int quick_sort_narrow(std::uint32_t*, std::uint32_t*, std::int64_t, const QuickLimits&, SortedPart<std::uint32_t>,
                      void*) {
  return -1;
}
int quick_sort_wide(std::uint64_t*, std::uint64_t*, std::int64_t, const QuickLimits&, SortedPart<std::uint64_t>,
                    void*) {
  return -1;
}
std::int64_t part_narrow(const std::uint32_t*, std::uint32_t*, std::int64_t, std::uint32_t) { return -1; }
std::int64_t part_wide(const std::uint64_t*, std::uint64_t*, std::int64_t, std::uint64_t) { return -1; }
#endif

}  // namespace PLUMB_ISA_NAME
}  // namespace plumb
