// Where values stand in a sorted sequence: halving without branches, some values side by side, so that their loads
// overlap. The sequence becomes keys first where there are many values; for few of them only what is looked at does.
#include <cstring>

#include "core/route.h"
#include "optimized/array/operand.h"
#include "optimized/array/radix.h"
#include "optimized/array/sort.h"

namespace plumb {
namespace {

using namespace cpu;

constexpr std::int64_t kTogether = 8;          // values that are searched side by side
constexpr std::int64_t kPiece = 1024;          // elements that become keys at once
constexpr Limit kShare{"search.share", 8, 1};  // elements of the sequence for each value from which it pays to take all
constexpr std::int64_t kGrain = 512;           // values worth a thread

// Elements of one axis as keys of the common dtype.
template <class K>
class Keys {
 public:
  Keys(const Tensor& x, Dtype common)
      : x_(x), common_(common), convert_(x.dtype() == common ? nullptr : converter(x.dtype(), common)) {}

  std::int64_t size() const { return x_.dim(0); }
  void operator()(std::int64_t begin, std::int64_t end, K* keys) const {
    const std::int64_t step = x_.strides()[0];
    const auto* from = x_.read<unsigned char>() + begin * step * info(x_.dtype()).bytes;
    if (!convert_) return map(from, step, end - begin, keys);
    alignas(16) unsigned char room[kPiece * 8];
    const std::int64_t bytes = info(x_.dtype()).bytes;
    for (std::int64_t i = 0; i < end - begin; i += kPiece) {
      const std::int64_t n = std::min(kPiece, end - begin - i);
      convert_(from + i * step * bytes, step, room, n);
      map(room, 1, n, keys + i);
    }
  }

 private:
  void map(const unsigned char* from, std::int64_t step, std::int64_t n, K* keys) const {
    if constexpr (sizeof(K) == 4) PLUMB_DISPATCH(order_keys)(element_of(common_), from, step, n, keys, nullptr);
    else PLUMB_DISPATCH(order_keys)(element_of(common_), from, step, n, nullptr, keys);
  }

  Tensor x_;
  Dtype common_;
  Convert convert_;
};

// Whether a key of the sequence stands before a value's place.
template <bool kRight, class K>
bool passed(K key, K value) {
  return kRight ? key <= value : key < value;
}

// out[j] = how many of n > 0 keys are passed by value j; at(i) is key i.
template <bool kRight, class K, class At>
void search(const At& at, std::int64_t n, const K* values, std::int64_t count, std::uint32_t* out) {
  for (std::int64_t j = 0; j < count; j += kTogether) {
    K v[kTogether];
    std::int64_t first[kTogether] = {};
    const std::int64_t here = std::min(kTogether, count - j);
    for (std::int64_t t = 0; t < kTogether; ++t) v[t] = values[j + std::min(t, here - 1)];
    for (std::int64_t left = n; left > 1;) {
      const std::int64_t half = left / 2;
      for (std::int64_t t = 0; t < kTogether; ++t) first[t] += passed<kRight>(at(first[t] + half - 1), v[t]) ? half : 0;
      left -= half;
    }
    for (std::int64_t t = 0; t < here; ++t)
      out[j + t] = static_cast<std::uint32_t>(first[t] + passed<kRight>(at(first[t]), v[t]));
  }
}

// Keys of all the sequence, or none where values are few.
template <class K>
Block<K> all_keys(const Keys<K>& sequence, std::int64_t values) {
  const std::int64_t n = sequence.size();
  if (n > values * kShare.of(n / std::max<std::int64_t>(values, 1))) return nullptr;
  Block<K> keys = block<K>(n);
  parallel_for(n, 1 << 14, [&](std::int64_t begin, std::int64_t end) { sequence(begin, end, keys.get() + begin); });
  return keys;
}

template <bool kRight, class K>
void search_all(const Keys<K>& sequence, const Keys<K>& values, std::uint32_t* out) {
  const std::int64_t n = sequence.size();
  if (n == 0) {
    std::fill_n(out, values.size(), 0U);
    return;
  }
  const Block<K> keys = all_keys(sequence, values.size());
  const auto one = [&](std::int64_t i) {
    K key;
    sequence(i, i + 1, &key);
    return key;
  };
  const auto lying = [&](std::int64_t i) { return keys[static_cast<std::size_t>(i)]; };
  parallel_for(values.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    K piece[kPiece];
    for (std::int64_t j = begin; j < end; j += kPiece) {
      const std::int64_t count = std::min(kPiece, end - j);
      values(j, j + count, piece);
      if (keys) search<kRight>(lying, n, piece, count, out + j);
      else search<kRight>(one, n, piece, count, out + j);
    }
  });
}

template <class K>
void searchsorted_in(const Call& c, Dtype common, std::uint32_t* out) {
  const Keys<K> sequence(c[0], common), values(contiguous(c[1]).view({c[1].size()}, {1}), common);
  if (c.text("side") == "right") search_all<true>(sequence, values, out);
  else search_all<false>(sequence, values, out);
}

void searchsorted(const Call& c, std::vector<Tensor>& out) {
  const Dtype common = promote(c.dtype(0), c.dtype(1));
  auto* to = out[0].write<std::uint32_t>();
  if (wide_keys(common)) searchsorted_in<std::uint64_t>(c, common, to);
  else searchsorted_in<std::uint32_t>(c, common, to);
}

}  // namespace

std::vector<Route> search_cpu_routes() {
  return {{.op = "searchsorted", .name = "cpu.halving", .supports = {}, .prefers = {}, .prepare = host<searchsorted>}};
}

}  // namespace plumb
