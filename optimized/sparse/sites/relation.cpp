// Relations on the CPU: the edges of relation_build.cpp, and the same edges grouped by input and by kernel row.
#include "optimized/sparse/sites/relation.h"

#include <algorithm>
#include <numeric>

#include "core/limits.h"
#include "core/pool.h"
#include "core/room.h"
#include "core/route.h"

namespace plumb {
namespace {

constexpr Limit kRun{"relation.run", 65536, 16};  // edges of a run

// A stable counting sort in two passes over runs of edges: ids of equal groups stay ascending, whatever the
// number of threads. offsets has groups + 1 entries.
class Grouping {
 public:
  Grouping(const std::int32_t* group_of, std::int64_t edges, std::int64_t groups, std::int32_t* offsets,
           std::int32_t* ids)
      : group_of_(group_of), edges_(edges), groups_(groups), offsets_(offsets), ids_(ids) {
    runs_ = std::clamp<std::int64_t>(edges / kRun.of(edges), 1, threads());
    next_.assign(static_cast<std::size_t>(runs_ * groups), 0);
    parallel_each(runs_, [this](std::int64_t run) { count(run); });
    place();
    parallel_each(runs_, [this](std::int64_t run) { fill(run); });
  }

 private:
  static constexpr std::int64_t kAhead = 24;  // edges: rows in random order send their ids all over, out of the cache

  std::int64_t begin(std::int64_t run) const { return edges_ * run / runs_; }
  std::int32_t* next(std::int64_t run) { return next_.data() + run * groups_; }
  void count(std::int64_t run) {
    std::int32_t* n = next(run);
    for (std::int64_t e = begin(run); e < begin(run + 1); ++e) ++n[group_of_[e]];
  }
  void place() {
    std::int32_t at = 0;
    for (std::int64_t g = 0; g < groups_; ++g) {
      offsets_[g] = at;
      for (std::int64_t run = 0; run < runs_; ++run) at += std::exchange(next(run)[g], at);
    }
    offsets_[groups_] = at;
  }
  void fill(std::int64_t run) {
    std::int32_t* n = next(run);
    const std::int64_t last = begin(run + 1);
    for (std::int64_t e = begin(run); e < last; ++e) {
      if (e + kAhead < last) __builtin_prefetch(ids_ + n[group_of_[e + kAhead]], 1);
      ids_[n[group_of_[e]]++] = static_cast<std::int32_t>(e);
    }
  }

  const std::int32_t* group_of_;
  std::int64_t edges_, groups_, runs_;
  std::int32_t *offsets_, *ids_;
  Room<std::int32_t> next_;
};

}  // namespace

namespace cpu {

void group_edges(const std::int32_t* group_of, std::int64_t edges, std::int64_t groups, std::int32_t* offsets,
                 std::int32_t* ids) {
  Grouping(group_of, edges, groups, offsets, ids);
}

}  // namespace cpu

namespace {

using namespace cpu;

template <class T>
void store_rows(const Rows& from, T* to) {
  parallel_for(from.count, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      for (int a = 0; a < 4; ++a) to[4 * i + a] = static_cast<T>(from.at(i, a));
  });
}

void store_sites(const Rows& from, const Tensor& to) {
  to.dtype() == Dtype::i64 ? store_rows(from, to.write<std::int64_t>()) : store_rows(from, to.write<std::int32_t>());
}

template <RelationKind kind>
void relation(const Call& call, std::vector<Tensor>& out) {
  const Tensor coords = contiguous(call[0]);
  const Tensor target_coords = kind == RelationKind::target ? contiguous(call[2]) : Tensor();
  const Rows in = rows(coords, call[1]);
  const Rows targets = kind == RelationKind::target ? rows(target_coords, call[3]) : Rows{};
  std::array<std::int32_t*, 10> to{};
  for (std::size_t i = 0; i < 10; ++i)
    if (i != 5) to[i] = out[i].write<std::int32_t>();
  const Relation r = build(kind, geometry(call), in, targets, to[0], to[2]);
  parallel_for(r.outputs, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o)
      std::fill(to[1] + r.offsets[static_cast<std::size_t>(o)], to[1] + r.offsets[static_cast<std::size_t>(o) + 1],
                static_cast<std::int32_t>(o));
  });
  to[3][0] = static_cast<std::int32_t>(r.edges);
  to[3][1] = static_cast<std::int32_t>(r.outputs);
  std::copy(r.offsets.begin(), r.offsets.end(), to[4]);
  store_sites(r.out_rows, out[5]);
  group_edges(to[0], r.edges, coords.dim(0), to[6], to[7]);
  group_edges(to[2], r.edges, r.kernels, to[8], to[9]);
}

template <RelationKind kind>
Route route(std::string_view op) {
  return {.op = op, .name = "cpu.merge", .supports = {}, .prefers = {}, .prepare = host<relation<kind>>};
}

}  // namespace

std::vector<Route> relation_cpu_routes() {
  return {route<RelationKind::forward>("forward_relation"), route<RelationKind::submanifold>("submanifold_relation"),
          route<RelationKind::target>("target_relation"), route<RelationKind::transposed>("transposed_relation"),
          route<RelationKind::generative>("generative_relation")};
}

}  // namespace plumb
