// Rows of a sparse tensor on the CPU: merged through a hash table, kept by counting, ranked by partial sorting.
#include <algorithm>
#include <bit>

#include "core/room.h"
#include "core/route.h"
#include "optimized/dispatch.h"
#include "optimized/element.h"
#include "optimized/linalg/matrix_rows.h"
#include "optimized/sparse/sites/site_table.h"

namespace plumb {

PLUMB_DECLARE_SIMD(void mean_rows(bool half, const void* x, const std::int32_t* starts, const std::int32_t* members,
                                  std::int64_t begin, std::int64_t end, std::int64_t channels, void* out))

namespace {

using namespace cpu;

constexpr std::int64_t kGrain = 4096;

// ---- sparse_from_coordinates

void merge(const Call& call, std::vector<Tensor>& out) {
  const Tensor coords = contiguous(call[0]), features = contiguous(call[1]);
  const Rows in =
      call.has(2) ? rows(coords, call[2]) : Rows{coords.read<std::byte>(), coords.dtype() == Dtype::i64, coords.dim(0)};
  auto* active = out[2].write<std::int32_t>();
  const Matrix from = read_matrix(coords), to = write_matrix(out[0]);
  const std::int64_t channels = features.dim(1);
  if (call.text("duplicate_reduction") == "none") {
    active[0] = static_cast<std::int32_t>(in.count);
    const Matrix x = read_matrix(features), y = write_matrix(out[1]);
    parallel_for(in.count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) copy_row(from, i, to, i), copy_row(x, i, y, i);
    });
    return;
  }
  const SiteGroups g(in);
  active[0] = static_cast<std::int32_t>(g.sites);
  const auto* x = features.read<std::byte>();
  auto* y = out[1].write<std::byte>();
  parallel_for(g.sites, row_grain(channels), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) copy_row(from, g.members[g.offsets[o]], to, o);
    PLUMB_DISPATCH(mean_rows)
    (features.dtype() == Dtype::f16, x, g.offsets.data, g.members.data, begin, end, channels, y);
  });
}

Order mean_order(const Call&) {
  Order o;
  o.epilogue = 1;  // the quotient
  return o;
}

// ---- sparse_collate

template <class T>
void collate_coords(const Tensor& from, std::int64_t batch, T* to) {
  const T* c = from.read<T>();
  parallel_for(from.dim(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      to[4 * i] = static_cast<T>(batch);
      std::copy_n(c + 3 * i, 3, to + 4 * i + 1);
    }
  });
}

void collate(const Call& call, std::vector<Tensor>& out) {
  const std::int64_t width = out[1].dim(1) * info(out[1].dtype()).bytes;
  std::int64_t first = 0;
  for (std::size_t b = 0; 2 * b < call.in.size() && call.has(2 * b); ++b) {
    const Tensor coords = contiguous(call[2 * b]), features = contiguous(call[2 * b + 1]);
    const std::int64_t n = coords.dim(0);
    if (coords.dtype() == Dtype::i64)
      collate_coords(coords, static_cast<std::int64_t>(b), out[0].write<std::int64_t>() + 4 * first);
    else collate_coords(coords, static_cast<std::int64_t>(b), out[0].write<std::int32_t>() + 4 * first);
    const auto* x = features.read<std::byte>();
    auto* y = out[1].write<std::byte>() + first * width;
    parallel_for(n * width, 1 << 18,
                 [&](std::int64_t begin, std::int64_t end) { std::copy(x + begin, x + end, y + begin); });
    out[2].write<std::int32_t>()[b] = static_cast<std::int32_t>(n);
    first += n;
  }
}

// ---- prune, prune_mask, crop

struct SparseTensor {
  Tensor coords, features;
  Rows rows;
  Matrix c, x;
  explicit SparseTensor(const Call& call)
      : coords(contiguous(call[0])),
        features(contiguous(call[2])),
        rows(cpu::rows(coords, call[1])),
        c(read_matrix(coords)),
        x(read_matrix(features)) {}
};

void prune(const Call& call, std::vector<Tensor>& out) {
  const SparseTensor in(call);
  const Tensor chosen = contiguous(call[3]);
  const auto* row = chosen.read<std::int32_t>();
  for (std::int64_t o = 0; o < chosen.dim(0); ++o)
    if (row[o] < 0 || row[o] >= in.rows.count)
      call.fail(Reason::domain, "row " + std::to_string(row[o]) + " of " + std::to_string(in.rows.count));
  const Matrix coords = write_matrix(out[0]), features = write_matrix(out[1]);
  parallel_for(chosen.dim(0), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) copy_row(in.c, row[o], coords, o), copy_row(in.x, row[o], features, o);
  });
}

template <class Keep>
void keep_rows(const SparseTensor& in, std::vector<Tensor>& out, Keep&& keep) {
  const Matrix coords = write_matrix(out[0]), features = write_matrix(out[1]);
  auto* rows = out[3].write<std::int32_t>();
  const std::int64_t kept = compact(in.rows.count, 0, keep, [&](std::int64_t i, std::int64_t at) {
    copy_row(in.c, i, coords, at);
    copy_row(in.x, i, features, at);
    rows[at] = static_cast<std::int32_t>(i);
  });
  out[2].write<std::int32_t>()[0] = static_cast<std::int32_t>(kept);
}

void prune_mask(const Call& call, std::vector<Tensor>& out) {
  const SparseTensor in(call);
  const Tensor given = contiguous(call[3]);
  const auto* mask = given.read<std::uint8_t>();
  for (std::int64_t i = in.rows.count; i < given.dim(0); ++i)
    if (mask[i])
      call.fail(Reason::domain, "the mask keeps row " + std::to_string(i) + " of " + std::to_string(in.rows.count));
  keep_rows(in, out, [&](std::int64_t i) { return mask[i] != 0; });
}

void crop(const Call& call, std::vector<Tensor>& out) {
  const SparseTensor in(call);
  const std::vector<std::int64_t> low = call.list("min_coord"), high = call.list("max_coord");
  keep_rows(in, out, [&](std::int64_t i) {
    bool inside = true;
    for (int a = 0; a < 3; ++a) {
      const std::int64_t v = in.rows.at(i, a + 1);
      inside &= low[static_cast<std::size_t>(a)] <= v && v <= high[static_cast<std::size_t>(a)];
    }
    return inside;
  });
}

// ---- topk_rows

// A number whose unsigned order is that of scores: NaN above all, both zeros equal.
std::uint32_t score_key(float x) {
  if (x != x) return 0xFFFFFFFFU;
  const auto b = std::bit_cast<std::uint32_t>(x + 0.0F);  // -0 becomes 0
  return b >> 31 ? ~b : b | 0x80000000U;
}

struct Batch {
  std::int64_t first, rows, kept, at;  // at: of its first row in the result
};

std::vector<Batch> batches_of(const Call& call) {
  const Tensor counts = contiguous(call[1]), sizes = contiguous(call[2]);
  const double rho = call.number("rho");
  std::vector<Batch> batches;
  std::int64_t first = 0, at = 0;
  for (std::int64_t b = 0; b < sizes.dim(0); ++b) {
    const std::int64_t n = sizes.read<std::int32_t>()[b], keep = counts.read<std::int32_t>()[b];
    const double wanted = static_cast<double>(keep) * rho;
    const std::int64_t k = wanted < static_cast<double>(n) ? static_cast<std::int64_t>(wanted) : n;
    batches.push_back({first, n, k, at});
    first += n, at += k;
  }
  return batches;
}

void topk(const Call& call, std::vector<Tensor>& out) {
  const std::vector<Batch> batches = batches_of(call);
  const Tensor features = contiguous(call[0]);
  const std::int64_t channels = features.dim(1);
  const bool half = features.dtype() == Dtype::f16;
  auto* rows = out[0].write<std::int32_t>();
  const auto score = [&](std::int64_t i) {
    return half ? base::half_to_f32(features.read<std::uint16_t>()[i * channels])
                : features.read<float>()[i * channels];
  };
  parallel_each(std::ssize(batches), [&](std::int64_t which) {
    const Batch& b = batches[static_cast<std::size_t>(which)];
    if (b.kept == 0) return;
    Room<std::uint64_t> ranked(static_cast<std::size_t>(b.rows));
    for (std::int64_t i = 0; i < b.rows; ++i)
      ranked[static_cast<std::size_t>(i)] =
          std::uint64_t{score_key(score(b.first + i))} << 32 | static_cast<std::uint64_t>(b.first + i);
    const auto from = ranked.end() - b.kept;
    std::nth_element(ranked.begin(), from, ranked.end());
    std::sort(from, ranked.end());
    for (std::int64_t j = 0; j < b.kept; ++j) rows[b.at + j] = static_cast<std::int32_t>(from[j] & 0xFFFFFFFF);
  });
  out[1].write<std::int32_t>()[0] =
      static_cast<std::int32_t>(batches.empty() ? 0 : batches.back().at + batches.back().kept);
}

template <void (*F)(const Call&, std::vector<Tensor>&)>
Route route(std::string_view op, std::string_view name, Order (*order)(const Call&) = nullptr) {
  return {.op = op, .name = name, .supports = {}, .prefers = {}, .order = order, .prepare = host<F>};
}

}  // namespace

std::vector<Route> sparse_rows_cpu_routes() {
  return {route<merge>("sparse_from_coordinates", "cpu.hash", mean_order),
          route<collate>("sparse_collate", "cpu.copy"),
          route<prune>("prune", "cpu.copy"),
          route<prune_mask>("prune_mask", "cpu.compact"),
          route<crop>("crop", "cpu.compact"),
          route<topk>("topk_rows", "cpu.select")};
}

}  // namespace plumb
