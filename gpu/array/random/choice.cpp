// Orders and choices on the device: see kernels/array/random/choice.cl and categorical.cl.
#include "gpu/array/random/draws.h"
#include "gpu/array/sort.h"

namespace plumb {
namespace {

constexpr std::int64_t kSortGroup = 256;   // as radix_argsort has it
constexpr std::int64_t kChoiceGroup = 64;  // as in categorical.cl
constexpr std::int64_t kSumsGroup = 256;   // also there

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// ---- permutation_n, permutation

// What enqueues the order of n words.
std::function<void()> order_words(const Call& c, std::int64_t n, const gpu::BufferPtr& order) {
  if (n == 0) return [] {};
  const gpu::Pairs p(n);
  const gpu::BufferPtr keys = gpu::scratch(size(8 * n));
  gpu::Kernel words("choice", "word_keys");
  words.arg(gpu::dense(c["key"])).arg(p.h).arg(p.gap).arg(keys);
  return [=, sort = gpu::radix_argsort(keys, n, order)] {
    words.run({size(p.gap)}, {gpu::kDrawGroup});
    sort();
  };
}

Job prepare_permutation_n(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const gpu::BufferPtr order = gpu::output(out[0]);
  return gpu::job(out, order_words(c, out[0].size(), order));
}

Job prepare_permutation(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const std::int64_t total = out[0].size();
  if (total == 0) return gpu::job(out, [] {});
  const auto axis = c.axis();
  const Shape& s = c.shape(0);
  const std::int64_t n = s[size(axis)], inner = count(Shape(s.begin() + axis + 1, s.end()));
  const gpu::BufferPtr order = gpu::scratch(size(4 * n));
  gpu::Kernel move("choice", "reorder");
  move.arg(gpu::dense(c[0])).arg(order).arg(n).arg(inner).arg(std::int32_t{info(c.dtype(0)).bytes}).arg(total);
  move.arg(gpu::output(out[0]));
  return gpu::job(out, [=, sort = order_words(c, n, order)] {
    sort();
    move.run({size(total)}, {gpu::kDrawGroup});
  });
}

// ---- categorical

Job prepare_categorical(const Call& c, const std::vector<Spec>& specs) {
  std::vector<Tensor> out = gpu::outputs(specs);
  const Shape& T = specs[0].shape;
  const std::int64_t choices = out[0].size();
  if (choices == 0) return gpu::job(out, [] {});
  Shape rest = c.shape(0);
  if (!c.none("num_samples")) rest.push_back(1);
  const auto axis = c.axis();
  const Strides strides = row_major(rest);
  const std::int64_t n = rest[size(axis)], step = strides[size(axis)];
  const gpu::BufferPtr key = gpu::dense(c["key"]), x = gpu::dense(c["logits"]);
  if (count(rest) == n && !T.empty()) {
    const gpu::Pairs p(choices);
    const gpu::BufferPtr table = gpu::scratch(size(8 * (n + 1)));
    gpu::Kernel sums("categorical", "sums"), choose("categorical", "by_sums");
    sums.arg(x).arg(c.dtype(0)).arg(n).arg(table);
    choose.arg(key).arg(table).arg(n).arg(p.h).arg(p.gap).arg(gpu::output(out[0]));
    return gpu::job(out, [=] {
      sums.run({size(kSumsGroup)}, {size(kSumsGroup)});
      choose.run({size(p.gap)}, {gpu::kDrawGroup});
    });
  }
  Strides apart = strides;
  rest.erase(rest.begin() + axis);
  apart.erase(apart.begin() + axis);
  const std::int64_t behind = static_cast<std::int64_t>(rest.size()) - axis,
                     inner = count(Shape(T.end() - behind, T.end()));
  gpu::Kernel choose("categorical", "by_gumbel");
  choose.arg(key).arg(x).arg(c.dtype(0)).arg(gpu::spread(T, rest, apart)).arg(n).arg(step).arg(inner).arg(choices);
  choose.arg(gpu::output(out[0]));
  return gpu::job(out, [=] { choose.run({size(choices * kChoiceGroup)}, {size(kChoiceGroup)}); });
}

// ---- routes

bool sorts(const Call&, const Device& d) { return d.facts.max_work_group >= kSortGroup; }
const Condition kSorts{Stage::device, "work-groups are smaller than 256", sorts};

bool worth(const Call& c, const Device& d) {
  if (gpu::drawn_large(c, d)) return true;
  const Shape& s = c.shape(0);
  return count(output_specs(c)[0].shape) * s[size(c.axis())] >= gpu::kWorthLaunch;
}

Route ordering(std::string_view op, Job (*prepare)(const Call&, const std::vector<Spec>&)) {
  return {
      .op = op,
      .name = "gpu.radix",
      .tier = Tier::gpu,
      .needs = Tier::gpu,
      .supports = {kSorts},
      .prefers = {gpu::kNotHost, {Stage::shape_dtype, "under 65536 elements: a launch costs more", gpu::drawn_large}},
      .prepare = prepare,
  };
}

Route choosing() {
  Route r = gpu::drawing("categorical", "gpu.groups", prepare_categorical, {});
  r.supports.back() = gpu::kHasFp64;
  r.supports.push_back(kSorts);
  r.prefers.back() = {Stage::shape_dtype, "under 65536 entries: a launch costs more", worth};
  return r;
}

}  // namespace

std::vector<Route> choice_gpu_routes() {
  return {ordering("permutation_n", prepare_permutation_n), ordering("permutation", prepare_permutation), choosing()};
}

}  // namespace plumb
