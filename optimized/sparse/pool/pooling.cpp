// Sparse pooling on the CPU: each output row is one pass over its edges, output rows shared out among threads.
#include "optimized/sparse/pool/pooling.h"

#include <algorithm>
#include <cmath>

#include "core/pool.h"

namespace plumb {
namespace cpu {
namespace {

bool expands(Pooling kind) { return kind == Pooling::transposed || kind == Pooling::trilinear; }

Geometry pooling_geometry(const Request& r, Pooling kind) {
  Geometry g = geometry(r);
  if (kind != Pooling::trilinear) return g;
  g.volume = 1;
  for (std::size_t a = 0; a < 3; ++a) {
    g.size[a] = 2 * g.stride[a] - 1;
    g.padding[a] = g.stride[a] - 1;
    g.volume *= g.size[a];
  }
  return g;
}

// stride^3 times the weight of each kernel row: whole numbers
std::vector<std::int64_t> whole_weights(const Geometry& g) {
  std::vector<std::int64_t> w(static_cast<std::size_t>(g.volume));
  for (std::int64_t k = 0; k < g.volume; ++k) {
    const std::int64_t at[] = {k / (g.size[1] * g.size[2]), k / g.size[2] % g.size[1], k % g.size[2]};
    w[static_cast<std::size_t>(k)] = 1;
    for (std::size_t a = 0; a < 3; ++a)
      w[static_cast<std::size_t>(k)] *= g.stride[a] - std::abs(at[a] - (g.stride[a] - 1));
  }
  return w;
}

}  // namespace

Windows::Windows(const Call& call, Pooling kind)
    : coords(contiguous(call["coords"])), targeted(expands(kind) && call.has("target_coords")) {
  const Geometry g = pooling_geometry(call, kind);
  const Rows in = rows(coords, call["active_rows"]);
  Rows to;
  if (targeted) {
    targets = contiguous(call["target_coords"]);
    to = rows(targets, call["target_active_rows"]);
  }
  relation = build(!expands(kind) ? RelationKind::forward
                   : targeted     ? RelationKind::target_transposed
                                  : RelationKind::transposed,
                   g, in, to);
  if (kind == Pooling::sum || kind == Pooling::max) return;
  const auto first = [&](std::int64_t o) { return relation.offsets[static_cast<std::size_t>(o)]; };
  divisor.resize(static_cast<std::size_t>(relation.outputs));
  std::vector<std::int64_t> whole;
  const double unit =
      static_cast<double>(g.stride[0]) * static_cast<double>(g.stride[1]) * static_cast<double>(g.stride[2]);
  if (kind == Pooling::trilinear) {
    whole = whole_weights(g);
    for (const std::int64_t w : whole) weight.push_back(static_cast<float>(static_cast<double>(w) / unit));
  }
  parallel_for(relation.outputs, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      std::int64_t sum = whole.empty() ? first(o + 1) - first(o) : 0;
      for (std::int64_t e = first(o); !whole.empty() && e < first(o + 1); ++e)
        sum += whole[static_cast<std::size_t>(relation.kernel[e])];
      divisor[static_cast<std::size_t>(o)] = static_cast<float>(static_cast<double>(sum) / (whole.empty() ? 1 : unit));
    }
  });
}

PoolEdges Windows::edges() const {
  return {relation.offsets.data(), relation.in.data, relation.kernel.data, weight.empty() ? nullptr : weight.data(),
          divisor.empty() ? nullptr : divisor.data()};
}

PoolRows pool_rows(const Tensor& t) { return {t.size() > 0 ? t.read<std::byte>() : nullptr, t.dtype() == Dtype::f16}; }
PoolRows pool_output(const Tensor& t) {
  return {t.size() > 0 ? t.write<std::byte>() : nullptr, t.dtype() == Dtype::f16};
}

void run_rows(void (*kernel)(const PoolJob&), PoolJob job, std::int64_t n) {
  if (job.channels == 0) return;
  parallel_for(n, std::max<std::int64_t>(1, 8192 / job.channels), [&](std::int64_t begin, std::int64_t end) {
    PoolJob part = job;
    part.begin = begin, part.end = end;
    kernel(part);
  });
}

std::shared_ptr<std::vector<Tensor>> fresh(const std::vector<Spec>& specs) {
  auto out = std::make_shared<std::vector<Tensor>>();
  for (const Spec& s : specs) out->emplace_back(s);
  return out;
}

void store_counts(const Windows& w, const Tensor& counts) {
  std::int32_t* to = counts.write<std::int32_t>();
  to[0] = static_cast<std::int32_t>(w.relation.edges);
  to[1] = static_cast<std::int32_t>(w.relation.outputs);
}

}  // namespace cpu

namespace {

using namespace cpu;

template <class T>
void store_sites(const Rows& from, T* to) {
  parallel_for(from.count, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      for (int a = 0; a < 4; ++a) to[4 * i + a] = static_cast<T>(from.at(i, a));
  });
}

template <Pooling kind>
Job prepare(const Call& call, const std::vector<Spec>& specs) {
  const auto windows = std::make_shared<Windows>(call, kind);
  const auto out = fresh(specs);
  return {[call, windows, out] {
            const Rows& sites = windows->relation.out_rows;
            const Tensor& coords = (*out)[0];
            coords.dtype() == Dtype::i64 ? store_sites(sites, coords.write<std::int64_t>())
                                         : store_sites(sites, coords.write<std::int32_t>());
            store_counts(*windows, (*out)[2]);
            const Tensor features = contiguous(call["features"]);
            const PoolJob job{windows->edges(), pool_rows(features), pool_output((*out)[1]), features.dim(1), 0, 0};
            run_rows(kind == Pooling::max ? PLUMB_DISPATCH(pool_max) : PLUMB_DISPATCH(pool_sum), job,
                     windows->relation.outputs);
          },
          [] {}, [out] { return *out; }};
}

// Edge after edge; a weight is rounded once, its divisor once, the division once.
template <Pooling kind>
Order order(const Call&) {
  Order o;
  if (kind == Pooling::avg || kind == Pooling::transposed) o.epilogue = 1;
  if (kind == Pooling::trilinear) o.fma = isa() != Isa::base, o.prologue = 1, o.epilogue = 2;
  return o;
}

template <Pooling kind>
Route route(std::string_view op) {
  return {.op = op,
          .name = "cpu.rows",
          .supports = {},
          .prefers = {},
          .order = kind == Pooling::max ? nullptr : order<kind>,
          .prepare = prepare<kind>,
          .prepares = "the relation"};
}

}  // namespace

std::vector<Route> pooling_cpu_routes() {
  return {route<Pooling::sum>("sum_pool3d"), route<Pooling::max>("max_pool3d"), route<Pooling::avg>("avg_pool3d"),
          route<Pooling::transposed>("pool_transpose3d"), route<Pooling::trilinear>("trilinear_upsample3d")};
}

}  // namespace plumb
