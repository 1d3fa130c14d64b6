// Points of sparse rows in cells, for searches around a site: by rings of cells outward, or within a box.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "core/room.h"
#include "optimized/dispatch.h"
#include "optimized/sparse/sites/site_table.h"

namespace plumb {
// d[i] = (dx dx + dy dy) + dz dz in binary32, dx = float(qx - x[i]); reads and writes up to 16 elements beyond n.
PLUMB_DECLARE_SIMD(void squared_distances(const std::int32_t* x, const std::int32_t* y, const std::int32_t* z,
                                          std::int64_t n, const std::int32_t* q, float* d))

namespace cpu {

inline constexpr std::int64_t kBeyondEnd = 16;

inline float squared_distance(const std::array<std::int64_t, 3>& d) {
  const float x = static_cast<float>(d[0]), y = static_cast<float>(d[1]), z = static_cast<float>(d[2]);
  const float xx = x * x, yy = y * y, zz = z * z, xy = xx + yy;
  return xy + zz;
}

// The least box around rows of coordinates; empty if low exceeds high.
struct Box {
  Coordinates low, high;
  Box() {
    low.fill(std::numeric_limits<std::int64_t>::max());
    high.fill(std::numeric_limits<std::int64_t>::min());
  }
  void include(const Coordinates& c) {
    for (std::size_t a = 0; a < 4; ++a) low[a] = std::min(low[a], c[a]), high[a] = std::max(high[a], c[a]);
  }
  void include(const Rows& rows) {
    for (std::int64_t i = 0; i < rows.count; ++i) include(coordinates(rows, i));
  }
  std::uint64_t extent(std::size_t a) const {  // 0 if empty
    return low[a] > high[a] ? 0 : static_cast<std::uint64_t>(high[a]) - static_cast<std::uint64_t>(low[a]);
  }
  std::uint64_t largest() const { return std::max({extent(1), extent(2), extent(3)}); }
};

// T: std::int32_t where the box of all points and queries is narrower than 2^31, else std::int64_t. Each batch has a
// grid of its own, of at most `most` cells per point, each 2^shift wide; points lie in order of cells, then of rows.
template <class T>
class Cells {
 public:
  using Point = std::array<T, 3>;

  // members: the rows to hold, ascending. One cell per batch if most is 0, or if differences could wrap.
  Cells(const Rows& rows, const Room<std::int32_t>& members, const Box& box, double most, int least_shift)
      : origin_(box.low) {
    const Room<std::int32_t> batch_of = find_batches(rows, members);
    if (box.largest() >= std::uint64_t{1} << 62) most = 0;
    std::int64_t cells = 0;
    for (Batch& b : batches_) {
      b.divide(most, least_shift);
      b.base = cells;
      cells += b.cells[0] * b.cells[1] * b.cells[2];
    }
    place(rows, members, batch_of, cells);
  }

  // Calls visit(begin, end) for runs of points, nearest cells first, until done(d): d bounds from below what is
  // left, in the arithmetic of squared_distance, whose every step is monotone.
  template <class Visit, class Done>
  void outward(std::int64_t batch, const Point& q, Visit&& visit, Done&& done) const {
    const auto found = number_.find(batch);
    if (found == number_.end()) return;
    const Batch& b = batches_[static_cast<std::size_t>(found->second)];
    if (b.cells == Count{1, 1, 1}) return visit(start_[at(b.base)], start_[at(b.base + 1)]);
    Count c{};
    std::int64_t ring = 0;
    for (std::size_t a = 0; a < 3; ++a) {
      c[a] = (std::int64_t{q[a]} - b.low[a]) >> b.shift;
      ring = std::max({ring, -c[a], c[a] - (b.cells[a] - 1)});
    }
    for (;; ++ring) {
      visit_ring(b, c, ring, visit);
      const std::int64_t left = distance_beyond(b, c, ring, q);
      if (left < 0 || done(static_cast<float>(left) * static_cast<float>(left))) return;
    }
  }

  // The same for every run that meets the box within `reach` of q.
  template <class Visit>
  void around(std::int64_t batch, const Point& q, std::int64_t reach, Visit&& visit) const {
    const auto found = number_.find(batch);
    if (found == number_.end()) return;
    const Batch& b = batches_[static_cast<std::size_t>(found->second)];
    if (b.cells == Count{1, 1, 1}) return visit(start_[at(b.base)], start_[at(b.base + 1)]);
    Count first{}, last{};
    for (std::size_t a = 0; a < 3; ++a) {
      first[a] = std::max<std::int64_t>(0, (std::int64_t{q[a]} - reach - b.low[a]) >> b.shift);
      last[a] = std::min(b.cells[a] - 1, (std::int64_t{q[a]} + reach - b.low[a]) >> b.shift);
    }
    for (std::int64_t x = first[0]; x <= last[0]; ++x)
      for (std::int64_t y = first[1]; y <= last[1]; ++y) column(b, x, y, first[2], last[2], visit);
  }

  Point point(const Rows& rows, std::int64_t i) const {
    Point p;
    for (std::size_t a = 0; a < 3; ++a)
      p[a] = static_cast<T>(static_cast<std::uint64_t>(rows.at(i, static_cast<int>(a) + 1)) -
                            static_cast<std::uint64_t>(origin_[a + 1]));
    return p;
  }
  std::array<std::int64_t, 3> difference(const Point& q, std::int64_t i) const {
    std::array<std::int64_t, 3> d;
    for (std::size_t a = 0; a < 3; ++a)
      d[a] = static_cast<std::int64_t>(static_cast<std::uint64_t>(q[a]) - static_cast<std::uint64_t>(axis_[a][at(i)]));
    return d;
  }
  std::int32_t row(std::int64_t i) const { return row_[at(i)]; }

  // d[i - begin] for the points of a run
  void distances(const Point& q, std::int64_t begin, std::int64_t end, float* d) const {
    if constexpr (sizeof(T) == 4) {
      PLUMB_DISPATCH(squared_distances)
      (axis_[0].data() + begin, axis_[1].data() + begin, axis_[2].data() + begin, end - begin, q.data(), d);
    } else {
      for (std::int64_t i = begin; i < end; ++i) d[i - begin] = squared_distance(difference(q, i));
    }
  }

 private:
  using Count = std::array<std::int64_t, 3>;
  struct Batch {
    Point low, high;
    std::int64_t points = 0, base = 0;
    int shift = 0;
    Count cells{1, 1, 1};

    void divide(double most, int least_shift) {
      const double limit = std::max(1.0, most * static_cast<double>(points));
      for (shift = most == 0 ? 63 : least_shift; shift < 63; ++shift) {
        double all = 1;
        for (std::size_t a = 0; a < 3; ++a) {
          cells[a] = ((std::int64_t{high[a]} - low[a]) >> shift) + 1;
          all *= static_cast<double>(cells[a]);
        }
        if (all <= limit) return;
      }
      cells = {1, 1, 1};
    }
    std::int64_t cell(const Point& p) const {
      if (cells == Count{1, 1, 1}) return base;
      Count c;
      for (std::size_t a = 0; a < 3; ++a) c[a] = (std::int64_t{p[a]} - low[a]) >> shift;
      return base + (c[0] * cells[1] + c[1]) * cells[2] + c[2];
    }
  };

  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

  Room<std::int32_t> find_batches(const Rows& rows, const Room<std::int32_t>& members) {
    Room<std::int32_t> batch_of(members.size());
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::int64_t id = rows.at(members[m], 0);
      if (m > 0 && id == rows.at(members[m - 1], 0)) {
        batch_of[m] = batch_of[m - 1];
      } else {
        batch_of[m] = number_.emplace(id, static_cast<std::int32_t>(number_.size())).first->second;
      }
      const Point p = point(rows, members[m]);
      if (at(batch_of[m]) == batches_.size()) batches_.push_back({p, p});
      Batch& b = batches_[at(batch_of[m])];
      ++b.points;
      for (std::size_t a = 0; a < 3; ++a) b.low[a] = std::min(b.low[a], p[a]), b.high[a] = std::max(b.high[a], p[a]);
    }
    return batch_of;
  }

  void place(const Rows& rows, const Room<std::int32_t>& members, const Room<std::int32_t>& batch_of,
             std::int64_t cells) {
    std::vector<std::int64_t> cell(members.size());
    start_.assign(at(cells) + 2, 0);
    for (std::size_t m = 0; m < members.size(); ++m) {
      cell[m] = batches_[at(batch_of[m])].cell(point(rows, members[m]));
      ++start_[at(cell[m]) + 2];
    }
    for (std::size_t c = 2; c < start_.size(); ++c) start_[c] += start_[c - 1];
    row_.resize(members.size());
    for (auto& axis : axis_) axis.assign(members.size() + kBeyondEnd, 0);
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::size_t to = at(start_[at(cell[m]) + 1]++);
      const Point p = point(rows, members[m]);
      row_[to] = members[m];
      for (std::size_t a = 0; a < 3; ++a) axis_[a][to] = p[a];
    }
  }

  template <class Visit>
  void column(const Batch& b, std::int64_t x, std::int64_t y, std::int64_t first, std::int64_t last,
              Visit&& visit) const {
    if (first > last) return;
    const std::int64_t cell = b.base + (x * b.cells[1] + y) * b.cells[2];
    const std::int64_t begin = start_[at(cell + first)], end = start_[at(cell + last) + 1];
    if (begin < end) visit(begin, end);
  }

  // The cells at Chebyshev distance `ring` from cell c, those there are.
  template <class Visit>
  void visit_ring(const Batch& b, const Count& c, std::int64_t ring, Visit&& visit) const {
    Count first, last;
    for (std::size_t a = 0; a < 3; ++a) {
      first[a] = std::max<std::int64_t>(0, c[a] - ring);
      last[a] = std::min(b.cells[a] - 1, c[a] + ring);
    }
    const auto faces = [&](std::size_t a) { return first[a] == c[a] - ring || last[a] == c[a] + ring; };
    const bool y_faces = faces(1), z_faces = faces(2);
    for (std::int64_t x = first[0]; x <= last[0]; ++x) {
      const bool x_face = std::abs(x - c[0]) == ring;
      if (!x_face && !y_faces && !z_faces) x = std::max(x, last[0] - 1);  // nothing between the ends
      for (std::int64_t y = first[1]; y <= last[1]; ++y) {
        if (x_face || std::abs(y - c[1]) == ring) {
          column(b, x, y, first[2], last[2], visit);
        } else if (!z_faces) {
          y = std::max(y, last[1] - 1);
        } else {
          if (first[2] == c[2] - ring) column(b, x, y, first[2], first[2], visit);
          if (last[2] == c[2] + ring && ring > 0) column(b, x, y, last[2], last[2], visit);
        }
      }
    }
  }

  // The least difference on one axis between q and a point of the cells beyond a ring; -1 if there are none.
  std::int64_t distance_beyond(const Batch& b, const Count& c, std::int64_t ring, const Point& q) const {
    std::int64_t least = -1;
    const auto offer = [&](std::int64_t d) { least = least < 0 ? d : std::min(least, d); };
    for (std::size_t a = 0; a < 3; ++a) {
      const std::int64_t at_q = std::int64_t{q[a]} - b.low[a];
      if (c[a] - ring > 0) offer(at_q - (((c[a] - ring) << b.shift) - 1));
      if (c[a] + ring < b.cells[a] - 1) offer(((c[a] + ring + 1) << b.shift) - at_q);
    }
    return least;
  }

  Coordinates origin_;
  std::vector<Batch> batches_;
  std::unordered_map<std::int64_t, std::int32_t> number_;
  std::vector<std::int64_t> start_;  // of each cell, then the end
  Room<std::int32_t> row_;
  std::array<Room<T>, 3> axis_;
};

}  // namespace cpu
}  // namespace plumb
