// Rows of a sparse tensor on the device: see kernels/sparse_rows.cl.
#include <algorithm>
#include <bit>

#include "gpu/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace gpu;

constexpr Limit kRun{"gpu.sparse_rows.run", 2048, 7};  // elements of a run of the radix sort, as in sparse_rows.cl

// X matters only to kernels that touch features.
Kernel kernel(std::string_view name, Dtype features = Dtype::f32) {
  return Kernel("sparse_rows", name, {{"X", features}, {"RUN", kRun}});
}

Job finished(const std::vector<Tensor>& out, const std::shared_ptr<Steps>& steps) {
  return job(out, [steps] { steps->enqueue(); });
}

// ---- sparse_from_coordinates

void add_means(Steps& s, const Call& call, const Rows& in, const std::vector<Tensor>& out) {
  const Dtype t = out[1].dtype();
  const std::int64_t n = in.active, channels = out[1].dim(1);
  const BufferPtr first = add_map(s, Geometry(call, RelationKind::target), in, in, in.capacity,
                                  scratch(static_cast<std::size_t>(in.capacity) * (in.wide ? 32 : 16)), ints(2));
  const BufferPtr flag = ints(n), number = ints(n + 1), degree = ints(n), starts = ints(n + 1), cursor = ints(n),
                  members = ints(n);
  const BufferPtr active = output(out[2]);
  s.run(kernel("flag_first").arg(first).arg(n).arg(flag), n);
  s.scan(flag, false, n, number);
  s.fill(degree, 0);
  s.run(kernel("write_sites")
            .arg(in.data)
            .arg(in.wide)
            .arg(first)
            .arg(number)
            .arg(n)
            .arg(output(out[0]))
            .arg(active)
            .arg(degree),
        std::max<std::int64_t>(n, 1));
  s.scan(degree, false, n, starts);
  s.run(relation_kernel("copy_ints").arg(starts).arg(cursor).arg(n), n);
  s.run(kernel("place_rows").arg(first).arg(number).arg(n).arg(cursor).arg(members), n);
  s.run(relation_kernel("sort_groups").arg(starts).arg(n).arg(members), n);
  s.run(kernel("mean_rows", t)
            .arg(dense(call[1]))
            .arg(starts)
            .arg(members)
            .arg(active)
            .arg(n)
            .arg(channels)
            .arg(output(out[1])),
        n * channels);
}

Job merge(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  Rows in;
  if (call.has(2)) {
    in = Rows(call[0], call[2]);
  } else {
    in.data = dense(call[0]);
    in.wide = call.dtype(0) == Dtype::i64;
    in.active = in.capacity = call.shape(0)[0];
  }
  if (call.text("duplicate_reduction") == "mean") {
    add_means(*steps, call, in, out);
    return finished(out, steps);
  }
  const std::int64_t channels = out[1].dim(1);
  Kernel k = kernel("copy_first", out[1].dtype());
  k.arg(in.data).arg(in.wide).arg(dense(call[1])).arg(in.active).arg(channels).arg(output(out[0])).arg(output(out[1]));
  steps->run(k.arg(output(out[2])), std::max<std::int64_t>(1, in.active * std::max<std::int64_t>(1, channels)));
  return finished(out, steps);
}

// The quotient is within 2.5 ulps where it is not correctly rounded.
Order mean_order(const Call&) {
  Order o;
  o.epilogue = 5;
  return o;
}

// ---- sparse_collate

Job collate(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const std::int64_t channels = out[1].dim(1);
  std::int64_t at = 0;
  for (std::int32_t b = 0; b < out[2].dim(0); ++b) {
    const std::size_t pair = 2 * static_cast<std::size_t>(b);
    const Tensor &coords = call[pair], &features = call[pair + 1];
    const std::int64_t n = coords.dim(0);
    Kernel k = kernel("collate", out[1].dtype());
    k.arg(dense(coords))
        .arg(std::int32_t{coords.dtype() == Dtype::i64})
        .arg(dense(features))
        .arg(n)
        .arg(channels)
        .arg(b);
    k.arg(at).arg(output(out[0])).arg(output(out[1])).arg(output(out[2]));
    steps->run(k, std::max<std::int64_t>(1, n * std::max<std::int64_t>(1, channels)));
    at += n;
  }
  return finished(out, steps);
}

// ---- prune, prune_mask, crop

// Row o of the results is row rows[o]; `count` tells how many there are, null: all.
void add_take(Steps& s, const Call& call, const Rows& in, const BufferPtr& rows, const BufferPtr& count,
              const std::vector<Tensor>& out) {
  const std::int64_t capacity = out[0].dim(0), channels = out[1].dim(1);
  Kernel k = kernel("take_rows", out[1].dtype());
  k.arg(in.data)
      .arg(in.wide)
      .arg(dense(call[2]))
      .arg(rows)
      .arg(count ? count : rows)
      .arg(std::int32_t{count != nullptr});
  k.arg(capacity).arg(channels).arg(output(out[0])).arg(output(out[1]));
  s.run(k, capacity * std::max<std::int64_t>(1, channels));
}

Job prune(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Rows in(call[0], call[1]);
  const Tensor chosen = contiguous(call[3]);
  for (std::int64_t o = 0; o < chosen.dim(0); ++o)
    if (const std::int32_t row = chosen.read<std::int32_t>()[o]; row < 0 || row >= in.active)
      call.fail(Reason::domain, "row " + std::to_string(row) + " of " + std::to_string(in.active));
  add_take(*steps, call, in, dense(call[3]), nullptr, out);
  return finished(out, steps);
}

Job keep_rows(const Call& call, const Rows& in, const std::vector<Tensor>& out, const std::shared_ptr<Steps>& steps,
              const BufferPtr& flag) {
  const BufferPtr position = ints(in.active + 1), rows = output(out[3]), active = output(out[2]);
  steps->scan(flag, false, in.active, position);
  steps->run(kernel("list_kept").arg(flag).arg(position).arg(in.active).arg(rows).arg(active),
             std::max<std::int64_t>(1, in.active));
  add_take(*steps, call, in, rows, active, out);
  return finished(out, steps);
}

Job prune_mask(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Rows in(call[0], call[1]);
  const Tensor mask = contiguous(call[3]);
  for (std::int64_t i = in.active; i < mask.dim(0); ++i)
    if (mask.read<std::uint8_t>()[i])
      call.fail(Reason::domain, "the mask keeps row " + std::to_string(i) + " of " + std::to_string(in.active));
  const BufferPtr flag = ints(in.active);
  steps->run(kernel("flag_mask").arg(dense(call[3])).arg(in.active).arg(flag), in.active);
  return keep_rows(call, in, out, steps, flag);
}

Job crop(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Rows in(call[0], call[1]);
  std::vector<std::int64_t> corners = call.list("min_coord"), high = call.list("max_coord");
  corners.insert(corners.end(), high.begin(), high.end());
  const BufferPtr flag = ints(in.active);
  steps->run(kernel("flag_inside").arg(in.data).arg(in.wide).arg(in.active).arg(constants(corners)).arg(flag),
             in.active);
  return keep_rows(call, in, out, steps, flag);
}

// ---- topk_rows

struct Batches {
  std::vector<std::int64_t> starts, ends, at;  // at: of the first row of each in the result, and their number
};

Batches batches_of(const Call& call) {
  const Tensor counts = contiguous(call[1]), sizes = contiguous(call[2]);
  Batches b;
  std::int64_t first = 0, at = 0;
  for (std::int64_t i = 0; i < sizes.dim(0); ++i) {
    const std::int64_t n = sizes.read<std::int32_t>()[i], keep = counts.read<std::int32_t>()[i];
    const double wanted = static_cast<double>(keep) * call.number("rho");
    b.starts.push_back(first);
    b.at.push_back(at);
    first += n;
    at += wanted < static_cast<double>(n) ? static_cast<std::int64_t>(wanted) : n;
    b.ends.push_back(first);
  }
  b.at.push_back(at);
  return b;
}

// Stable, eight bits at a time.
class RadixSort {
 public:
  RadixSort(Steps& s, std::int64_t n)
      : s_(s), n_(n), key_(ints(n)), row_(ints(n)), key_out_(ints(n)), row_out_(ints(n)) {}
  const BufferPtr& keys() const { return key_; }
  const BufferPtr& rows() const { return row_; }
  void sort(int bits) {
    constexpr std::int64_t kDigits = 256;  // as in sparse_rows.cl
    const std::int64_t run = kRun.of(n_), runs = (n_ + run - 1) / run;
    const auto run_count = static_cast<std::int32_t>(runs);
    for (std::int32_t shift = 0; shift < bits && n_ > 0; shift += 8) {
      const BufferPtr matrix = ints(kDigits * runs), placed = ints(kDigits * runs + 1);
      Kernel count = kernel("count_digits"), place = kernel("place_digits");
      count.arg(key_).arg(n_).arg(shift).arg(run_count).arg(matrix);
      s_.add([count, runs] { count.run({static_cast<std::size_t>(runs * kDigits)}, {kDigits}); });
      s_.scan(matrix, false, kDigits * runs, placed);
      place.arg(key_).arg(row_).arg(n_).arg(shift).arg(run_count).arg(placed).arg(key_out_).arg(row_out_);
      s_.add([place, runs] { place.run({static_cast<std::size_t>(runs * kDigits)}, {kDigits}); });
      std::swap(key_, key_out_);
      std::swap(row_, row_out_);
    }
  }

 private:
  Steps& s_;
  std::int64_t n_;
  BufferPtr key_, row_, key_out_, row_out_;
};

Job topk(const Call& call, const std::vector<Spec>& specs) {
  const std::vector<Tensor> out = outputs(specs);
  const auto steps = std::make_shared<Steps>();
  const Batches b = batches_of(call);
  const Dtype t = call.dtype(0);
  const std::int64_t n = call.shape(0)[0], channels = call.shape(0)[1], kept = b.at.back();
  const auto batches = static_cast<std::int32_t>(b.starts.size());
  RadixSort sorted(*steps, n);
  steps->run(kernel("score_keys", t).arg(dense(call[0])).arg(n).arg(channels).arg(sorted.keys()).arg(sorted.rows()), n);
  sorted.sort(32);
  if (batches > 1) {
    steps->run(kernel("batch_keys").arg(sorted.rows()).arg(n).arg(constants(b.starts)).arg(batches).arg(sorted.keys()),
               n);
    sorted.sort(std::bit_width(static_cast<std::uint32_t>(batches - 1)));
  }
  Kernel take = kernel("take_best");
  take.arg(sorted.rows()).arg(constants(b.ends)).arg(constants(b.at)).arg(batches).arg(kept).arg(output(out[0]));
  steps->run(take.arg(output(out[1])), std::max<std::int64_t>(1, kept));
  return finished(out, steps);
}

constexpr std::int64_t kWorthLaunch = 4096;  // rows

Route route(std::string_view op, std::string_view route_name, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {.op = op,
          .name = route_name,
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {},
          .prefers = {kNotHost,
                      {Stage::shape_dtype, "under 4096 rows: the launches cost more",
                       [](const Call& c, const Device&) { return c.shape(0)[0] >= kWorthLaunch; }}},
          .prepare = prepare};
}

}  // namespace

std::vector<Route> sparse_rows_gpu_routes() {
  Route mean = route("sparse_from_coordinates", "gpu.hash", merge);
  mean.order = mean_order;
  return {mean,
          route("sparse_collate", "gpu.copy", collate),
          route("prune", "gpu.copy", prune),
          route("prune_mask", "gpu.scan", prune_mask),
          route("crop", "gpu.scan", crop),
          route("topk_rows", "gpu.radix", topk)};
}

}  // namespace plumb
