// Neighbours on the CPU: nearest ones by rings of cells, those within a radius by looking up every offset of a ball or
// by cells, and their features.
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/limits.h"
#include "core/room.h"
#include "core/route.h"
#include "optimized/sparse/points/neighbor_cells.h"

namespace plumb {
namespace {

using namespace cpu;

constexpr Limit kChunk{"neighbor.chunk", 256, 6};  // queries per piece of work
constexpr Limit kRun{"neighbor.run", 512, 7};      // points whose distances are computed together
constexpr Limit kRoom{"neighbor.room", 64, 2};     // candidates beyond the k nearest before these are selected
constexpr std::int64_t kMaxOffsets = 1 << 16;      // of a ball that is looked up offset by offset
constexpr std::int64_t kWorthCells = 256;          // sources
constexpr std::int64_t kMaxRadius = 1 << 30;

enum : std::size_t { kSources, kActive, kQueries, kQueryActive };

// The bits of a squared distance, then the row: keys compare as (distance, row).
using Key = std::uint64_t;
Key key_of(float d2, std::int32_t row) {
  return Key{std::bit_cast<std::uint32_t>(d2)} << 32 | static_cast<std::uint32_t>(row);
}
float distance_of(Key k) { return std::bit_cast<float>(static_cast<std::uint32_t>(k >> 32)); }

struct Points {
  Tensor source_coords, query_coords;
  Rows sources, queries;
  explicit Points(const Call& call)
      : source_coords(contiguous(call[kSources])), sources(rows(source_coords, call[kActive])) {
    const bool own = call.has(kQueries);
    query_coords = own ? contiguous(call[kQueries]) : source_coords;
    queries = own ? rows(query_coords, call[kQueryActive]) : sources;
  }
  Box box() const {
    Box b;
    b.include(sources);
    if (queries.data != sources.data) b.include(queries);
    return b;
  }
};

// The results of a run of queries, one after another.
struct Found {
  std::vector<Key> keys;
  std::vector<std::size_t> ends;
};

void emit(const Found& found, std::int64_t first_query, std::int64_t e, const std::array<std::int32_t*, 5>& to,
          float* d2) {
  std::size_t i = 0;
  for (std::size_t q = 0; q < found.ends.size(); ++q)
    for (std::int32_t rank = 0; i < found.ends[q]; ++i, ++e, ++rank) {
      to[0][e] = static_cast<std::int32_t>(first_query) + static_cast<std::int32_t>(q);
      to[1][e] = static_cast<std::int32_t>(found.keys[i]);
      to[2][e] = rank;
      d2[e] = distance_of(found.keys[i]);
    }
}

// search(q, keys) appends the neighbours of query q in order.
template <class Search>
void list(const Points& p, std::vector<Tensor>& out, Search&& search) {
  const std::array<std::int32_t*, 5> to{out[0].write<std::int32_t>(), out[1].write<std::int32_t>(),
                                        out[2].write<std::int32_t>(), out[4].write<std::int32_t>(),
                                        out[5].write<std::int32_t>()};
  auto* d2 = out[3].write<float>();
  const std::int64_t n = p.queries.count, each = kChunk.of(n), chunks = (n + each - 1) / each;
  std::vector<Found> found(static_cast<std::size_t>(chunks));
  parallel_each(chunks, [&](std::int64_t c) {
    Found& f = found[static_cast<std::size_t>(c)];
    for (std::int64_t q = c * each; q < std::min(n, (c + 1) * each); ++q) {
      search(q, f.keys);
      f.ends.push_back(f.keys.size());
    }
  });
  std::vector<std::int64_t> first(static_cast<std::size_t>(chunks) + 1, 0);
  to[3][0] = 0;
  for (std::size_t c = 0; c < found.size(); ++c) {
    first[c + 1] = first[c] + std::ssize(found[c].keys);
    for (std::size_t q = 0; q < found[c].ends.size(); ++q)
      to[3][static_cast<std::int64_t>(c) * each + static_cast<std::int64_t>(q) + 1] =
          static_cast<std::int32_t>(first[c] + static_cast<std::int64_t>(found[c].ends[q]));
  }
  to[4][0] = static_cast<std::int32_t>(first.back());
  to[4][1] = static_cast<std::int32_t>(n);
  parallel_each(chunks, [&](std::int64_t c) {
    emit(found[static_cast<std::size_t>(c)], c * each, first[static_cast<std::size_t>(c)], to, d2);
  });
}

// The k least keys offered: those that could be among them gather, and from time to time the k least are selected.
class Nearest {
 public:
  explicit Nearest(std::int64_t k)
      : k_(static_cast<std::size_t>(k)), room_(k_ + std::max(k_, static_cast<std::size_t>(kRoom.of(k)))) {
    keys_.reserve(std::min<std::size_t>(room_, 256));
  }
  float limit() const { return limit_; }  // no key of a greater distance is among the k least
  void offer(Key k) {
    keys_.push_back(k);
    if (keys_.size() == room_) select();
  }
  void select() {
    if (keys_.size() < k_) return;
    const auto last = keys_.begin() + static_cast<std::ptrdiff_t>(k_) - 1;
    std::nth_element(keys_.begin(), last, keys_.end());
    keys_.resize(k_);
    limit_ = distance_of(keys_.back());
  }
  void append_to(std::vector<Key>& keys) {
    select();
    std::sort(keys_.begin(), keys_.end());
    keys.insert(keys.end(), keys_.begin(), keys_.end());
  }

 private:
  std::size_t k_, room_;
  float limit_ = std::numeric_limits<float>::infinity();
  std::vector<Key> keys_;
};

template <class T>
void search_nearest(const Points& p, const Cells<T>& cells, std::int64_t k, std::vector<Tensor>& out) {
  list(p, out, [&](std::int64_t query, std::vector<Key>& keys) {
    const auto q = cells.point(p.queries, query);
    Nearest nearest(k);
    float d[kRun.usual + kBeyondEnd];
    const auto visit = [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t run = kRun.of(end - begin);
      for (std::int64_t first = begin; first < end; first += run) {
        const std::int64_t last = std::min(end, first + run);
        cells.distances(q, first, last, d);
        for (std::int64_t i = first; i < last; ++i)
          if (d[i - first] <= nearest.limit()) nearest.offer(key_of(d[i - first], cells.row(i)));
      }
    };
    // A farther cell may hold an equal distance with a lower row: only a greater bound ends the search.
    cells.outward(p.queries.at(query, 0), q, visit, [&](float left) {
      nearest.select();
      return left > nearest.limit();
    });
    nearest.append_to(keys);
  });
}

template <class Run>
void with_cells(const Points& p, const Room<std::int32_t>& members, double most, int least_shift, Run&& run) {
  const Box box = p.box();
  if (box.largest() < std::uint64_t{1} << 31) run(Cells<std::int32_t>(p.sources, members, box, most, least_shift));
  else run(Cells<std::int64_t>(p.sources, members, box, most, least_shift));
}

Room<std::int32_t> all_rows(const Rows& rows) {
  Room<std::int32_t> all(static_cast<std::size_t>(rows.count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// Cells of about k/4 points, if points filled their box evenly; on a surface they hold more.
template <bool grid>
void knn(const Call& call, std::vector<Tensor>& out) {
  const Points p(call);
  const std::int64_t k = call.integer("k");
  const double most = grid ? std::clamp(16.0 / static_cast<double>(k), 0.01, 4.0) : 0;
  with_cells(p, all_rows(p.sources), most, 0, [&](const auto& cells) { search_nearest(p, cells, k, out); });
}

// ---- Radius ----

// The largest squared distance between whole numbers that is within the radius.
std::int64_t reach_squared(const Call& call) {
  const double radius = call.number("radius");
  return static_cast<std::int64_t>(std::floor(static_cast<float>(radius * radius)));
}

struct Offset {
  std::array<std::int64_t, 3> d;
  std::int64_t d2;
};

// Every offset of the ball, by distance.
std::vector<Offset> ball(std::int64_t r2) {
  const auto reach = static_cast<std::int64_t>(std::sqrt(static_cast<double>(r2))) + 1;
  std::vector<Offset> all;
  for (std::int64_t x = -reach; x <= reach; ++x)
    for (std::int64_t y = -reach; y <= reach; ++y)
      for (std::int64_t z = -reach; z <= reach; ++z)
        if (const std::int64_t d2 = x * x + y * y + z * z; d2 <= r2) all.push_back({{x, y, z}, d2});
  std::stable_sort(all.begin(), all.end(), [](const Offset& a, const Offset& b) { return a.d2 < b.d2; });
  return all;
}

// How many there are, without listing them; kMaxOffsets + 1 for any number beyond it.
std::int64_t ball_size(const Call& call) {
  const std::int64_t r2 = reach_squared(call);
  if (r2 > 1000) return kMaxOffsets + 1;
  std::int64_t n = 0;
  for (std::int64_t x = 0; x * x <= r2; ++x)
    for (std::int64_t y = 0; x * x + y * y <= r2; ++y) {
      const auto z = static_cast<std::int64_t>(std::sqrt(static_cast<double>(r2 - x * x - y * y)));
      n += (x > 0 ? 2 : 1) * (y > 0 ? 2 : 1) * (2 * z + 1);
    }
  return std::min(n, kMaxOffsets + 1);
}

std::size_t most_neighbors(const Call& call) {
  return call.none("max_neighbors") ? std::numeric_limits<std::size_t>::max()
                                    : static_cast<std::size_t>(call.integer("max_neighbors"));
}

void look_up(const Call& call, std::vector<Tensor>& out) {
  const Points p(call);
  const std::vector<Offset> offsets = ball(reach_squared(call));
  const std::size_t most = most_neighbors(call);
  const SiteTable table(p.sources);
  list(p, out, [&](std::int64_t query, std::vector<Key>& keys) {
    const Coordinates q = coordinates(p.queries, query);
    const std::size_t before = keys.size();
    std::size_t shell = before;  // where the keys of the distance at hand begin
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      if (i > 0 && offsets[i].d2 != offsets[i - 1].d2) {
        std::sort(keys.begin() + static_cast<std::ptrdiff_t>(shell), keys.end());
        shell = keys.size();
        if (shell - before >= most) break;
      }
      Coordinates c = q;
      for (std::size_t a = 0; a < 3; ++a)
        c[a + 1] = static_cast<std::int64_t>(static_cast<std::uint64_t>(c[a + 1]) +
                                             static_cast<std::uint64_t>(offsets[i].d[a]));
      if (const std::int32_t row = table.find(c); row >= 0)
        keys.push_back(key_of(static_cast<float>(offsets[i].d2), row));
    }
    std::sort(keys.begin() + static_cast<std::ptrdiff_t>(shell), keys.end());
    if (keys.size() - before > most) keys.resize(before + most);
  });
}

Room<std::int32_t> lowest_rows(const Rows& rows) {
  const Block<std::int32_t> first(rows.count);
  SiteTable(rows, nullptr, first.data);
  Room<std::int32_t> lowest;
  for (std::int32_t i = 0; i < rows.count; ++i)
    if (first[i] == i) lowest.push_back(i);
  return lowest;
}

template <class T>
void search_within(const Points& p, const Cells<T>& cells, std::int64_t r2, std::size_t most,
                   std::vector<Tensor>& out) {
  const std::int64_t reach = std::min(kMaxRadius, static_cast<std::int64_t>(std::sqrt(static_cast<double>(r2))) + 1);
  list(p, out, [&](std::int64_t query, std::vector<Key>& keys) {
    const auto q = cells.point(p.queries, query);
    const std::size_t before = keys.size();
    cells.around(p.queries.at(query, 0), q, reach, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto d = cells.difference(q, i);
        if (std::any_of(d.begin(), d.end(), [&](std::int64_t c) { return c > reach || c < -reach; })) continue;
        if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] <= r2) keys.push_back(key_of(squared_distance(d), cells.row(i)));
      }
    });
    const auto first = keys.begin() + static_cast<std::ptrdiff_t>(before);
    const std::size_t kept = std::min(most, keys.size() - before);
    std::partial_sort(first, first + static_cast<std::ptrdiff_t>(kept), keys.end());
    keys.resize(before + kept);
  });
}

void within_radius(const Call& call, std::vector<Tensor>& out) {
  const Points p(call);
  const std::int64_t r2 = reach_squared(call);
  const int width = std::bit_width(static_cast<std::uint64_t>(std::sqrt(static_cast<double>(r2))));
  with_cells(p, lowest_rows(p.sources), 4, std::max(0, width - 1),
             [&](const auto& cells) { search_within(p, cells, r2, most_neighbors(call), out); });
}

// ---- Features ----

void gather(const Call& call, std::vector<Tensor>& out) {
  const Tensor features = contiguous(call[0]), picks = contiguous(call[1]), counts = contiguous(call[2]);
  const std::int64_t n = features.dim(0), edges = counts.read<std::int32_t>()[0];
  const std::int64_t bytes = features.dim(1) * info(features.dtype()).bytes;
  const auto* row = picks.read<std::int32_t>();
  const auto* from = features.read<std::byte>();
  auto* to = out[0].write<std::byte>();
  parallel_for(edges, std::max<std::int64_t>(1, 65536 / std::max<std::int64_t>(1, bytes)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t e = begin; e < end; ++e) {
                   if (row[e] < 0 || row[e] >= n)
                     call.fail(Reason::domain, "row " + std::to_string(row[e]) + " of " + std::to_string(n));
                   std::memcpy(to + e * bytes, from + row[e] * bytes, static_cast<std::size_t>(bytes));
                 }
               });
}

}  // namespace

std::vector<Route> neighbor_cpu_routes() {
  const Condition many{Stage::shape_dtype, "under 256 sources: one cell is as good",
                       [](const Call& c, const Device&) { return c.shape(kSources)[0] >= kWorthCells; }};
  const Condition small{Stage::shape_dtype, "the ball holds more than 65536 sites",
                        [](const Call& c, const Device&) { return ball_size(c) <= kMaxOffsets; }};
  const Condition sparse{Stage::shape_dtype, "the ball holds more than 7 sites: fewer cells do",
                         [](const Call& c, const Device&) { return ball_size(c) <= 7; }};
  return {
      {.op = "knn_relation", .name = "cpu.cells", .supports = {}, .prefers = {many}, .prepare = host<knn<true>>},
      {.op = "knn_relation", .name = "cpu.brute", .supports = {}, .prefers = {}, .prepare = host<knn<false>>},
      {.op = "radius_relation", .name = "cpu.hash", .supports = {small}, .prefers = {sparse}, .prepare = host<look_up>},
      {.op = "radius_relation", .name = "cpu.cells", .supports = {}, .prefers = {}, .prepare = host<within_radius>},
      {.op = "gather_neighbor_features", .name = "cpu.rows", .supports = {}, .prefers = {}, .prepare = host<gather>}};
}

}  // namespace plumb
