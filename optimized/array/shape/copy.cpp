// Copies as planes of two axes, shared out among threads; and the routes that are nothing but that.
#include "optimized/array/shape/copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "optimized/array/operand.h"
#include "optimized/array/shape/plane.h"
#include "plans/array/shape/routes.h"

namespace plumb::movement {
namespace {

constexpr Limit kBlockBytes{"shape.block_bytes", 1 << 16, 256};  // of a plane that one thread copies at once
constexpr Limit kBlockRows{"shape.block_rows", 256, 4};          // of one that is transposed
constexpr Limit kBlockColumns{"shape.block_columns", 4096, 8};
constexpr Limit kPastBytes{"shape.past_bytes", 24 << 20, 4096};  // a result of this size is not worth caching
constexpr std::int64_t kGrain = 1 << 15;                         // elements worth a thread

std::int64_t step_of(const LoopAxis& a) {
  return a.runs.size() == 1 ? std::abs(a.runs[0].step) : std::max<std::int64_t>(1, std::abs(a.runs[0].step));
}

// A piece with the two axes of its planes last: j, of the smallest stride of the output, and i before it, of the
// smallest stride of the input where that is smaller there than on j.
class Planes {
 public:
  Planes(const Piece& piece, std::int64_t bytes, const std::byte* x, std::byte* y, const std::byte* constant)
      : p_(merged(piece)), bytes_(bytes), x_(x), y_(y), constant_(constant) {
    while (p_.axes.size() < 2) p_.axes.insert(p_.axes.begin(), {1, 0, {{1, 0, 0}}});
    const auto smaller = [](const LoopAxis& a, const LoopAxis& b) { return std::abs(a.to) < std::abs(b.to); };
    const auto last = [&](auto chosen) { std::rotate(chosen, chosen + 1, p_.axes.end()); };
    last(std::min_element(p_.axes.begin(), p_.axes.end(), smaller));
    const auto row = row_axis();
    std::rotate(row, row + 1, p_.axes.end() - 1);
    cut();
  }

  void copy() {
    const std::int64_t units = outer_ * row_blocks_ * column_blocks_;
    if (units == 0) return;
    const std::int64_t elements = std::min(rows_, j().size) * std::min(columns_, i().size);
    parallel_for(units, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(elements, 1)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t u = begin; u < end; ++u) unit(u);
                 });
  }

 private:
  using Chosen = std::vector<LoopAxis>::iterator;
  const LoopAxis& i() const { return p_.axes.end()[-2]; }
  const LoopAxis& j() const { return p_.axes.back(); }

  Chosen row_axis() {
    const auto end = p_.axes.end() - 1;
    transposed_ = false;
    Chosen best = end - 1;
    if (j().runs.size() == 1 && j().runs[0].first == kConstant) return best;
    for (Chosen a = p_.axes.begin(); a != end; ++a) {
      const bool dense = a->runs.size() == 1 && a->runs[0].step == 1 && a->runs[0].first != kConstant;
      if (dense && step_of(j()) > 1) best = a, transposed_ = true;
    }
    return best;
  }

  void cut() {
    outer_ = 1;
    for (std::size_t d = 0; d + 2 < p_.axes.size(); ++d) outer_ *= p_.axes[d].size;
    columns_ = kBlockColumns.of(j().size);
    const std::int64_t row_bytes = std::max<std::int64_t>(1, std::min(j().size, columns_) * bytes_);
    rows_ = transposed_ ? kBlockRows.of(i().size)
                        : std::max<std::int64_t>(1, kBlockBytes.of(row_bytes * i().size) / row_bytes);
    row_blocks_ = (i().size + rows_ - 1) / rows_;
    column_blocks_ = (j().size + columns_ - 1) / columns_;
    const std::int64_t all = outer_ * i().size * j().size * bytes_;
    large_ = all >= kPastBytes.of(all);
  }

  struct At {
    std::int64_t from, to;
    bool constant = false;
    void enter(const LoopAxis& a, std::int64_t index) {
      const Place place = find(a, index);
      const Run& r = a.runs[place.run];
      to += index * a.to;
      if (r.first == kConstant) constant = true;
      else from += r.first + place.within * r.step;
    }
  };

  // One block of one plane: each run of its rows with each of its columns.
  void unit(std::int64_t u) const {
    At at{p_.from, p_.to};
    const std::int64_t column = u % column_blocks_ * columns_;
    u /= column_blocks_;
    const std::int64_t row = u % row_blocks_ * rows_;
    u /= row_blocks_;
    for (std::size_t d = p_.axes.size() - 2; d-- > 0; u /= p_.axes[d].size) at.enter(p_.axes[d], u % p_.axes[d].size);
    for_runs(i(), row, rows_, [&](std::int64_t i0, std::int64_t rows, std::int64_t i_step) {
      At line = at;
      line.enter(i(), i0);
      for_runs(j(), column, columns_, [&](std::int64_t j0, std::int64_t columns, std::int64_t j_step) {
        At first = line;
        first.enter(j(), j0);
        plane(first, {i_step, j_step}, rows, columns);
      });
    });
  }

  template <class F>
  static void for_runs(const LoopAxis& a, std::int64_t begin, std::int64_t most, F&& f) {
    const std::int64_t end = std::min(begin + most, a.size);
    Place place = find(a, begin);
    for (std::int64_t at = begin; at < end; ++place.run, place.within = 0) {
      const Run& r = a.runs[place.run];
      const std::int64_t n = std::min(end - at, r.size - place.within);
      f(at, n, r.step);
      at += n;
    }
  }

  void plane(const At& at, Steps from, std::int64_t rows, std::int64_t columns) const {
    const std::byte* x = at.constant ? constant_ : x_ + at.from * bytes_;
    copy_plane(bytes_, x, at.constant ? Steps{0, 0} : from, y_ + at.to * bytes_, {i().to, j().to}, rows, columns,
               large_);
  }

  Piece p_;
  std::int64_t bytes_;
  const std::byte* x_;
  std::byte* y_;
  const std::byte* constant_;
  bool transposed_ = false, large_ = false;
  std::int64_t outer_ = 1, rows_ = 1, columns_ = 1, row_blocks_ = 1, column_blocks_ = 1;
};

// The input in row-major order.
Piece in_order(const Tensor& t) {
  Piece p;
  const Strides to = row_major(t.shape());
  for (std::size_t d = 0; d < to.size(); ++d)
    p.axes.push_back({t.shape()[d], to[d], {{t.shape()[d], 0, t.strides()[d]}}});
  return p;
}

using Bytes = RawRoom<std::byte, 64>;

// The input in row-major order and of that dtype: where it lies, or in room of its own.
const std::byte* dense(const Tensor& t, Dtype dtype, std::vector<Bytes>& held) {
  const auto room = [&](Dtype type) { return held.emplace_back(t.size() * info(type).bytes).get(); };
  const std::byte* x = t.read<std::byte>();
  if (!t.is_row_major()) {
    std::byte* y = room(t.dtype());
    copy(in_order(t), info(t.dtype()).bytes, x, y, nullptr);
    x = y;
  }
  if (t.dtype() == dtype) return x;
  std::byte* y = room(dtype);
  const Convert convert = converter(t.dtype(), dtype);
  parallel_for(t.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    convert(x + begin * info(t.dtype()).bytes, 1, y + begin * info(dtype).bytes, end - begin);
  });
  return y;
}

// Rows of the output outside of the band are cleared there.
void clear_outside(const Band& b, std::int64_t bytes, std::byte* y, std::int64_t size) {
  const std::int64_t lines = b.columns == 0 ? 0 : size / b.columns;
  parallel_for(lines, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(b.columns, 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t l = begin; l < end; ++l) {
                   const std::int64_t row = l % b.rows;
                   std::byte* line = y + l * b.columns * bytes;
                   const auto edge = [&](std::int64_t diagonal) {  // its column in this row, within the row
                     return diagonal < -row ? 0 : diagonal > b.columns - row ? b.columns : row + diagonal;
                   };
                   const std::int64_t first = edge(b.lowest),
                                      behind = b.highest == INT64_MAX ? b.columns : edge(b.highest + 1);
                   std::memset(line, 0, static_cast<std::size_t>(first * bytes));
                   std::memset(line + behind * bytes, 0, static_cast<std::size_t>((b.columns - behind) * bytes));
                 }
               });
}

void copy_all(const Call& c, std::vector<Tensor>& out) {
  Tensor& y = out[0];
  if (y.size() == 0) return;
  const Plan made = plan(c, {y.spec()});
  std::byte* to = y.write<std::byte>();
  if (made.zeroed) std::memset(to, 0, static_cast<std::size_t>(y.size() * info(y.dtype()).bytes));
  const std::byte* constant = made.constant.defined() ? made.constant.read<std::byte>() : nullptr;
  std::vector<Bytes> held;
  for (const Piece& p : made.pieces) {
    const Tensor& x = c[p.input];
    if (x.size() == 0 && !constant) continue;
    const std::byte* from = p.dense ? dense(x, y.dtype(), held) : x.read<std::byte>();
    copy(p, info(p.dense ? y.dtype() : x.dtype()).bytes, from, to, constant);
  }
  if (made.band) clear_outside(*made.band, info(y.dtype()).bytes, to, y.size());
}

// No data is looked at: the outputs are the input, under other shapes and strides.
Job view(const Call& c, const std::vector<Spec>&) {
  return {[] {}, [] {}, [out = see(c)] { return out; }};
}

Route view_route(std::string_view op) {
  return {.op = op, .name = "cpu.view", .supports = {}, .prefers = {}, .prepare = view};
}
Route copy_route(std::string_view op) {
  return {.op = op, .name = "cpu.copy", .supports = {}, .prefers = {}, .prepare = host<copy_all>};
}

}  // namespace

void copy(const Piece& p, std::int64_t bytes, const std::byte* from, std::byte* to, const std::byte* constant) {
  Planes(p, bytes, from, to, constant).copy();
}

std::vector<Route> view_routes(const std::vector<std::string_view>& ops) { return one_each(ops, view_route); }
std::vector<Route> copy_routes(const std::vector<std::string_view>& ops) { return one_each(ops, copy_route); }
std::vector<Route> view_or_copy_routes(const std::vector<std::string_view>& ops) {
  return view_or_copy(ops, view_route, copy_route);
}

}  // namespace plumb::movement
