#include "optimized/array/index/moves.h"
#include "optimized/array/operand.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/floats.h"

namespace plumb::cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 14;                                 // elements
constexpr Limit kPlaces{"index.places", 512, 3};                         // computed at once
constexpr Limit kTogether{"index.together", 1 << 14, 8};                 // updates that one thread makes sooner alone
constexpr Limit kStreamingBytes{"index.streaming_bytes", 24 << 20, 64};  // what is written around the caches
using Places = std::array<std::int64_t, 512>;

const std::byte* entries_of(const Tensor& t, std::int64_t offset) {
  return t.read<std::byte>() + offset * info(t.dtype()).bytes;
}

std::string value_of(const Tensor& t, std::int64_t offset) {
  const Tensor one = t.view({1}, {1}, offset);
  switch (t.dtype()) {
    case Dtype::u8: return std::to_string(*one.read<std::uint8_t>());
    case Dtype::u16: return std::to_string(*one.read<std::uint16_t>());
    case Dtype::u32: return std::to_string(*one.read<std::uint32_t>());
    case Dtype::u64: return std::to_string(*one.read<std::uint64_t>());
    case Dtype::i8: return std::to_string(*one.read<std::int8_t>());
    case Dtype::i16: return std::to_string(*one.read<std::int16_t>());
    case Dtype::i32: return std::to_string(*one.read<std::int32_t>());
    default: return std::to_string(*one.read<std::int64_t>());
  }
}

// The elements of one row from one place to another one may be parted among threads: f(first row, rows, first element,
// elements of each).
template <class F>
void in_parts(const MovedRows& rows, F&& f) {
  const std::int64_t size = rows.row().size;
  parallel_for(rows.count() * size, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end;) {
      const std::int64_t row = i / size, first = i % size, left = end - i;
      if (first != 0 || left < size) {
        const std::int64_t n = std::min(size - first, left);
        f(row, 1, first, n);
        i += n;
      } else {
        const std::int64_t n = std::min(left / size, kPlaces.of(left / size));
        f(row, n, 0, size);
        i += n * size;
      }
    }
  });
}

using Write = std::function<void(const std::int64_t* from, const std::int64_t* to, std::int64_t rows, const RowShape&)>;

Write writer(Combine how, Element t, std::int64_t bytes, std::byte* out, const std::byte* updates) {
  if (how == Combine::set)
    return [=](const std::int64_t* from, const std::int64_t* to, std::int64_t n, const RowShape& s) {
      PLUMB_DISPATCH(scatter_rows)(bytes, updates, from, to, n, s, out);
    };
  return [=](const std::int64_t* from, const std::int64_t* to, std::int64_t n, const RowShape& s) {
    PLUMB_DISPATCH(combine_rows)(t, how, updates, from, to, n, s, out);
  };
}

// Each thread makes the updates whose rows begin in its part of the output, in the order of all: no two threads meet,
// and neither order nor result depends on how many there are.
void write_owned(const MovedRows& rows, const Write& write, std::int64_t size, bool streaming) {
  const index::Axis& row = rows.row();
  const RowShape shape{row.size, row.step, row.update, streaming};
  const std::int64_t n = rows.count();
  const RawRoom<std::int64_t> to(n), from(n);
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    rows.places(begin, end, to.get() + begin, from.get() + begin);
  });
  const bool alone = n * row.size < kTogether.of(n * row.size);
  parallel_for(size, alone ? size : 1, [&](std::int64_t low, std::int64_t high) {
    if (low == 0 && high == size) return write(from.get(), to.get(), n, shape);
    Places ours_to, ours_from;
    const std::int64_t most = kPlaces.now();
    std::int64_t k = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      ours_to[static_cast<std::size_t>(k)] = to[i], ours_from[static_cast<std::size_t>(k)] = from[i];
      k += to[i] >= low && to[i] < high ? 1 : 0;
      if (k < most) continue;
      write(ours_from.data(), ours_to.data(), k, shape);
      k = 0;
    }
    write(ours_from.data(), ours_to.data(), k, shape);
  });
}

}  // namespace

void check_positions(const Call& c, const index::Plan& plan) {
  for (const index::Positions& p : plan.positions) {
    const Tensor t = contiguous(c[p.input]);
    const std::int64_t first = p.entry < 0 ? 0 : p.entry, n = p.entry < 0 ? t.size() : 1;
    std::atomic<std::int64_t> found{n};
    parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t i = begin + PLUMB_DISPATCH(first_outside)(element_of(t.dtype()), entries_of(t, first + begin),
                                                                   1, end - begin, {p.n, p.width, p.wraps});
      std::int64_t least = found.load();
      while (i < end && i < least && !found.compare_exchange_weak(least, i)) {
      }
    });
    if (found < n) c.fail(Reason::domain, index::outside(c, p, value_of(t, first + found), first + found));
  }
}

MovedRows::MovedRows(const Call& c, index::Plan plan) : call_(c), plan_(std::move(plan)) {
  if (!plan_.axes.empty() && plan_.axes.back().free()) {
    row_ = std::move(plan_.axes.back());
    plan_.axes.pop_back();
  } else {
    row_ = {1, 1, 1, {}};
  }
  count_ = row_.size == 0 ? 0 : plan_.size();
}

void MovedRows::run(const std::vector<std::int64_t>& index, std::int64_t n, std::int64_t* at,
                    std::int64_t* update) const {
  std::int64_t place = plan_.offset, from = 0;
  for (std::size_t d = 0; d < index.size(); ++d)
    place += index[d] * plan_.axes[d].step, from += index[d] * plan_.axes[d].update;
  const index::Axis* inner = plan_.axes.empty() ? nullptr : &plan_.axes.back();  // without axes there is one row
  const std::int64_t step = inner ? inner->step : 0, update_step = inner ? inner->update : 0;
  for (std::int64_t i = 0; i < n; ++i) at[i] = place + i * step;
  for (std::int64_t i = 0; update && i < n; ++i) update[i] = from + i * update_step;
  for (std::size_t k = 0; k < plan_.positions.size(); ++k) {
    const index::Positions& p = plan_.positions[k];
    std::int64_t entry = p.entry < 0 ? 0 : p.entry * p.entry_step;
    for (std::size_t d = 0; d < index.size(); ++d) entry += index[d] * plan_.axes[d].entries[k];
    const Tensor& t = call_[p.input];
    PLUMB_DISPATCH(add_positions)
    (element_of(t.dtype()), entries_of(t, entry), inner ? inner->entries[k] : 0, n, p.n, p.step, at);
  }
}

void MovedRows::places(std::int64_t begin, std::int64_t end, std::int64_t* at, std::int64_t* update) const {
  if (begin >= end) return;
  std::vector<std::int64_t> index(plan_.axes.size());
  std::int64_t rest = begin;
  for (std::size_t d = index.size(); d-- > 0; rest /= plan_.axes[d].size) index[d] = rest % plan_.axes[d].size;
  for (std::int64_t i = begin; i < end;) {
    const std::int64_t left = index.empty() ? 1 : plan_.axes.back().size - index.back(), n = std::min(end - i, left);
    run(index, n, at + (i - begin), update ? update + (i - begin) : nullptr);
    i += n;
    if (index.empty()) break;
    index.back() += n;
    for (std::size_t d = index.size(); d-- > 1 && index[d] == plan_.axes[d].size;) index[d] = 0, ++index[d - 1];
  }
}

void read_rows(const MovedRows& rows, const std::byte* a, std::int64_t bytes, std::byte* out) {
  const std::int64_t size = rows.row().size, step = rows.row().step, written = rows.count() * size * bytes;
  const bool streaming = written > kStreamingBytes.of(written);
  in_parts(rows, [&](std::int64_t row, std::int64_t n, std::int64_t first, std::int64_t length) {
    Places at;
    rows.places(row, row + n, at.data(), nullptr);
    PLUMB_DISPATCH(gather_rows)
    (bytes, a + first * step * bytes, at.data(), n, {length, step, 0, streaming}, out + (row * size + first) * bytes);
  });
}

void copy_elements(const Tensor& from, std::byte* to) {
  index::Plan plan;
  for (std::size_t d = 0; d < from.shape().size(); ++d)
    if (from.shape()[d] != 1) plan.axes.push_back({from.shape()[d], from.strides()[d], 0, {}});
  const Call none;
  read_rows(MovedRows(none, index::merged(std::move(plan))), from.read<std::byte>(), info(from.dtype()).bytes, to);
}

void write_rows(const MovedRows& rows, Combine how, Element t, std::int64_t bytes, std::byte* out, std::int64_t size,
                const std::byte* updates) {
  if (rows.count() == 0) return;
  const bool streaming = size * bytes > kStreamingBytes.of(size * bytes);
  if (rows.collides()) return write_owned(rows, writer(how, t, bytes, out, updates), size, streaming);
  const index::Axis& row = rows.row();
  in_parts(rows, [&](std::int64_t r, std::int64_t n, std::int64_t first, std::int64_t length) {
    Places to, from;
    rows.places(r, r + n, to.data(), from.data());
    writer(how, t, bytes, out + first * row.step * bytes, updates + first * row.update * bytes)(
        from.data(), to.data(), n, {length, row.step, row.update, streaming});
  });
}

Tensor indexed(const Call& c) {
  if (!index::flattened(c)) return c[0];
  const Tensor line = contiguous(c[0]);
  return line.view({line.size()}, {1});
}

std::vector<index::Strided> index_arrays(const Call& c) {
  std::vector<index::Strided> all;
  for (const std::size_t i : index::index_inputs(c)) all.push_back(index::strided(c[i]));
  return all;
}

namespace {

// Halves are combined in f32 and rounded once.
void update_halves(const MovedRows& rows, std::vector<Tensor>& out, Combine how, const Tensor& updates) {
  const Element t = element_of(out[0].dtype());
  const std::int64_t n = out[0].size();
  auto* halves = out[0].write<std::uint16_t>();
  const Floats from(updates);
  const RawRoom<float> sums(n);
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(to_floats)(t, halves + begin, end - begin, sums.get() + begin);
  });
  write_rows(rows, how, Element::f32, 4, reinterpret_cast<std::byte*>(sums.get()), n,
             reinterpret_cast<const std::byte*>(from.data()));
  parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    PLUMB_DISPATCH(from_floats)(sums.get() + begin, end - begin, t, halves + begin);
  });
}

// a as the output has it: repeated along axes where that is longer.
Tensor before(const Call& c, const Shape& out) {
  const Shape& a = c.shape(0);
  if (a == out) return c[0];
  Strides s = c[0].strides();
  for (std::size_t d = 0; d < out.size(); ++d)
    if (a[d] == 1) s[d] = 0;
  return c[0].view(out, s);
}

}  // namespace

void update(const Call& c, std::vector<Tensor>& out, Combine how) {
  const Dtype t = c.dtype(0);
  const bool halves = how != Combine::set && (t == Dtype::f16 || t == Dtype::bf16);
  Tensor updates = as_dtype(c[index::update_input(c)], t);
  if (halves) updates = contiguous(updates);
  const index::Plan plan = index::writing(c, index::strided(updates), index_arrays(c));
  check_positions(c, plan);
  copy_elements(before(c, out[0].shape()), out[0].write<std::byte>());
  const MovedRows rows(c, plan);
  if (halves) return update_halves(rows, out, how, updates);
  write_rows(rows, how, element_of(t), info(t).bytes, out[0].write<std::byte>(), out[0].size(),
             updates.read<std::byte>());
}

}  // namespace plumb::cpu
