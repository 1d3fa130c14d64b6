// Global pooling on the device: rows are sorted by batch while a job is prepared; a launch reduces them in levels of
// 64, so that the result does not depend on how work-items are scheduled. See kernels/global_pooling.cl.
#include <algorithm>

#include "core/with_last.h"
#include "gpu/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace gpu;

enum class Mode : std::int32_t { sum, avg, max };

constexpr Limit kEach{"gpu.global_pooling.each", 64, 3};  // elements that one work-item joins
constexpr Limit kRun{"gpu.global_pooling.run", 2048,
                     256};  // elements of a run of the radix sort, as in global_pooling.cl

using Ints = std::vector<std::int32_t>;

Kernel global_kernel(std::string_view name, Dtype t = Dtype::f32) {
  return Kernel("global_pooling", name, {{"X", t}, {"RUN", kRun}});
}

// The batch of each row (B for none), the rows by batch, and where each batch begins.
struct Batches {
  std::int64_t rows, batches, channels;
  BufferPtr batch, order, sizes;
  Ints offsets;

  Batches(const Call&, std::int64_t B);

 private:
  BufferPtr sorted(Steps&, BufferPtr key);
};

// A stable sort of the row numbers by batch, eight bits at a time; gives the sorted batches.
BufferPtr Batches::sorted(Steps& s, BufferPtr key) {
  constexpr std::int64_t kDigits = 256;  // as in global_pooling.cl
  const std::int64_t run = kRun.of(rows), runs = std::max<std::int64_t>(1, (rows + run - 1) / run);
  for (std::int32_t shift = 0; shift < 32 && batches >> shift != 0; shift += 8) {
    const BufferPtr matrix = ints(kDigits * runs), placed = ints(kDigits * runs + 1), key_out = ints(rows),
                    order_out = ints(rows);
    Kernel count = global_kernel("count_digits"), place = global_kernel("place_digits");
    count.arg(key).arg(rows).arg(shift).arg(static_cast<std::int32_t>(runs)).arg(matrix);
    s.add([count, runs] { count.run({static_cast<std::size_t>(runs * kDigits)}, {kDigits}); });
    s.scan(matrix, false, kDigits * runs, placed);
    place.arg(key)
        .arg(order)
        .arg(rows)
        .arg(shift)
        .arg(static_cast<std::int32_t>(runs))
        .arg(placed)
        .arg(key_out)
        .arg(order_out);
    s.add([place, runs] { place.run({static_cast<std::size_t>(runs * kDigits)}, {kDigits}); });
    key = key_out;
    order = order_out;
  }
  return key;
}

Batches::Batches(const Call& call, std::int64_t B)
    : rows(call.shape(0)[0]),
      batches(B),
      channels(call.shape(2)[1]),
      batch(ints(rows)),
      order(ints(rows)),
      offsets(static_cast<std::size_t>(B) + 1) {
  const Rows in(call["coords"], call["active_rows"]);
  const bool counted = !call.none("batch_counts");
  std::vector<std::int64_t> ends{0};
  if (counted)
    for (const std::int64_t n : call.list("batch_counts")) ends.push_back(ends.back() + n);
  Steps s;
  Kernel find = global_kernel("find_batches");
  find.arg(in.data).arg(in.wide).arg(rows).arg(in.active).arg(B).arg(std::int32_t{counted}).arg(constants(ends));
  s.run(find.arg(batch).arg(order), rows);
  const BufferPtr key = counted ? batch : sorted(s, batch), found = ints(B + 1);
  s.run(global_kernel("find_offsets").arg(key).arg(rows).arg(B).arg(found), B + 1);
  s.enqueue();
  finish();
  found->download(reinterpret_cast<std::byte*>(offsets.data()));
  Ints n(offsets.size(), 0);
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) n[b] = offsets[b + 1] - offsets[b];
  sizes = constants(n);
}

// Cuts each group into pieces of at most kEach: their bounds, and the groups that the pieces form.
struct Level {
  Ints bounds{0}, groups{0};
  explicit Level(const Ints& offsets) {
    for (std::size_t g = 0; g + 1 < offsets.size(); ++g) {
      std::int32_t at = offsets[g];
      for (const auto each = static_cast<std::int32_t>(kEach.of(offsets[g + 1] - at)); at < offsets[g + 1];) {
        at += std::min(each, offsets[g + 1] - at);
        bounds.push_back(at);
      }
      groups.push_back(static_cast<std::int32_t>(bounds.size()) - 1);
    }
  }
  std::int64_t count() const { return static_cast<std::int64_t>(bounds.size()) - 1; }
};

// Two numbers of each batch and channel: the sum of rows, and of rows scaled down; or the maximum and how often.
struct Partial {
  BufferPtr a, b;
};

Partial add_reduction(Steps& s, const Batches& w, const BufferPtr& x, Dtype type, Mode mode) {
  const Level first(w.offsets), second(first.groups);
  const auto channels = static_cast<std::int32_t>(w.channels);
  const auto partial = [&](std::int64_t n) { return Partial{ints(n * w.channels), ints(n * w.channels)}; };
  const Partial p = partial(first.count()), q = partial(second.count());
  Partial all = partial(w.batches);
  Kernel rows = global_kernel("reduce_rows", type);
  rows.arg(x)
      .arg(w.order)
      .arg(constants(first.bounds))
      .arg(first.count())
      .arg(channels)
      .arg(std::int32_t{mode == Mode::max});
  s.run(rows.arg(p.a).arg(p.b), first.count() * w.channels);
  const auto join = [&](const Partial& from, const Ints& bounds, std::int64_t n, const Partial& to) {
    Kernel k = global_kernel("reduce_partials");
    k.arg(from.a).arg(from.b).arg(constants(bounds)).arg(n).arg(channels).arg(std::int32_t{mode == Mode::max});
    s.run(k.arg(to.a).arg(to.b), n * w.channels);
  };
  join(p, second.bounds, second.count(), q);
  join(q, second.groups, w.batches, all);
  return all;
}

void check_filled(const Call& call, const Batches& w, Mode mode) {
  for (std::size_t b = 0; mode == Mode::max && b + 1 < w.offsets.size(); ++b)
    if (w.offsets[b + 1] == w.offsets[b]) call.fail(Reason::domain, "batch " + std::to_string(b) + " is empty");
}

Job prepare(const Call& call, const std::vector<Spec>& specs, Mode mode) {
  const std::vector<Tensor> out = outputs(specs);
  const Batches w(call, specs[0].shape[0]);
  check_filled(call, w, mode);
  const auto steps = std::make_shared<Steps>();
  const BufferPtr x = dense(call["features"]);
  const Partial p = add_reduction(*steps, w, x, specs[0].dtype, mode);
  Kernel k = global_kernel("finish", specs[0].dtype);
  k.arg(x)
      .arg(w.order)
      .arg(constants(w.offsets))
      .arg(p.a)
      .arg(p.b)
      .arg(w.sizes)
      .arg(w.batches)
      .arg(static_cast<std::int32_t>(w.channels))
      .arg(std::int32_t{mode == Mode::avg});
  steps->run(k.arg(output(out[0])), w.batches * w.channels);
  return job(out, [steps] { steps->enqueue(); });
}

Job prepare_vjp(const Call& call, const std::vector<Spec>& specs, Mode mode) {
  const std::vector<Tensor> out = outputs(specs);
  const Batches w(call, call["cotangent"].dim(0));
  check_filled(call, w, mode);
  const auto steps = std::make_shared<Steps>();
  const BufferPtr x = dense(call["features"]);
  Partial p{w.sizes, w.sizes};
  if (mode == Mode::max) p = add_reduction(*steps, w, x, specs[0].dtype, mode);
  Kernel k = global_kernel("share", specs[0].dtype);
  k.arg(x).arg(dense(call["cotangent"])).arg(w.batch).arg(w.sizes).arg(p.a).arg(p.b).arg(w.rows).arg(w.batches);
  k.arg(static_cast<std::int32_t>(w.channels)).arg(static_cast<std::int32_t>(mode)).arg(output(out[0]));
  steps->run(k, w.rows * w.channels);
  return job(out, [steps] { steps->enqueue(); });
}

// 64 rows, 64 such sums, and the sums of 4096 rows each: the last in sequence however many there are.
template <Mode mode>
Order order(const Call& call) {
  const std::int64_t each = kEach.now(), second = each * each;
  Order o;
  o.block = each;
  o.split = std::max<std::int64_t>(1, (call.shape(0)[0] + second - 1) / second);
  o.epilogue = static_cast<int>(each) + (mode == Mode::avg ? 1 : 0);  // a chunk is full although the last one is not
  return o;
}

const Condition kWorthLaunch{Stage::shape_dtype, "under 65536 features: the launches cost more",
                             [](const Call& c, const Device&) { return count(c.shape(2)) >= 1 << 16; }};
const Condition kCountable{Stage::shape_dtype, "over 2^24 rows: f32 cannot count them",
                           [](const Call& c, const Device&) { return c.shape(0)[0] <= 1 << 24; }};

template <Mode mode>
Route route(std::string_view op, bool vjp) {
  Route r{.op = op,
          .name = "gpu.levels",
          .tier = Tier::gpu,
          .needs = Tier::gpu,
          .supports = {kExtentsFitInt},
          .prefers = {kNotHost, kWorthLaunch},
          .order = mode == Mode::max || vjp ? nullptr : order<mode>,
          .prepare = with_last<prepare, mode>,
          .prepares = "the batches"};
  if (vjp) r.prepare = with_last<prepare_vjp, mode>;
  if (mode == Mode::avg || (mode == Mode::max && vjp)) r.supports.push_back(kCountable);
  return r;
}

}  // namespace

std::vector<Route> global_pooling_gpu_routes() {
  return {route<Mode::sum>("global_sum_pool", false),    route<Mode::avg>("global_avg_pool", false),
          route<Mode::max>("global_max_pool", false),    route<Mode::sum>("global_sum_pool_vjp", true),
          route<Mode::avg>("global_avg_pool_vjp", true), route<Mode::max>("global_max_pool_vjp", true)};
}

}  // namespace plumb
