// Cases, rejects and benchmark sizes of the voxel rows.
#include "reference/sparse/points/voxel.h"

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "core/fill.h"
#include "core/fill_values.h"

namespace plumb::reference {
namespace {

using Triple = std::vector<double>;

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout = Layout::row) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}
std::optional<Input> count_of(std::int64_t n) { return input(Dtype::i32, {1}, "const-" + std::to_string(n)); }

// One case, from defaults that each sweep changes in one or two places.
struct Trial {
  std::int64_t n = 60, active = 55, channels = 3, voxels = 300, active_voxels = 290;
  std::string points = "uniform-3", batch = "const-0", sites = "sites_negative", values = "uniform", word = "";
  Triple size{1}, origin{0};
  Layout layout = Layout::row;
  Budget budget = Budget::ci;
  std::int64_t cotangents = -1;
};

bool is_map(std::string_view op) { return op == "point_voxel_map" || op == "devoxelize"; }

Case described(std::string_view op, const Trial& t) {
  const Layout vector = t.layout == Layout::broadcast ? Layout::row : t.layout;
  Case c{
      {input(Dtype::f32, {t.n, 3}, t.points, t.layout), input(Dtype::i32, {t.n}, t.batch, vector), count_of(t.active)},
      {{"voxel_size", t.size}, {"origin", t.origin}},
      t.budget};
  const auto add = [&](std::optional<Input> i) { c.in.push_back(std::move(i)); };
  if (is_map(op)) add(input(Dtype::i32, {t.voxels, 4}, t.sites, vector)), add(count_of(t.active_voxels));
  if (op == "devoxelize") add(input(Dtype::f32, {t.voxels, t.channels}, t.values, t.layout));
  if (op == "voxelize" || op == "voxelize_vjp") add(input(Dtype::f32, {t.n, t.channels}, t.values, t.layout));
  if (op == "voxelize_vjp")
    add(input(Dtype::f32, {t.cotangents < 0 ? t.n : t.cotangents, t.channels}, t.values, t.layout));
  if (!t.word.empty()) c.attrs.set(is_map(op) ? "interpolation" : "reduction", t.word);
  return c;
}

class PointCases {
 public:
  explicit PointCases(std::string_view op) : op_(op) {
    if (is_map(op)) words_ = {"nearest", "linear"};
    if (op == "voxelize" || op == "voxelize_vjp") words_ = {"sum", "mean"};
  }

  std::vector<Case> all() {
    smoke();
    borders();
    rows();
    values();
    for (const Layout l : kLayouts) add({.points = "borders-0.5", .batch = "int-1", .values = "int-3", .layout = l});
    add({.n = 20000,
         .active = 19990,
         .channels = 17,
         .voxels = 20000,
         .active_voxels = 20000,
         .points = "shell-30",
         .sites = "sites_box",
         .budget = Budget::nightly});
    return std::move(cases_);
  }

 private:
  void add(Trial t) {
    for (const char* w : words_) {
      t.word = w;
      cases_.push_back(described(op_, t));
    }
  }

  void smoke() {
    for (const char* points : {"uniform-3", "borders-0.5", "int-3"})
      add({.points = points, .values = "int-3", .size = {0.5}, .budget = Budget::smoke});
    for (const char* points : {"special", "lanes", "huge", "subnormal", "tiny"})
      add({.points = points, .batch = "int-1", .budget = Budget::smoke});
    add({.points = "uniform-2", .size = {0.75, 1, 1.5}, .origin = {0.1, -0.2, 0}, .budget = Budget::smoke});
  }

  // On the borders of voxels and one unit in the last place to either side; on the grid; halfway.
  void borders() {
    for (const double size : {0.1, 0.05, 0.3, 0.7, 1.0, 3.0})
      for (const double origin : {0.0, 0.2}) {
        const std::string fill = "borders-" + std::to_string(size);
        add({.n = 300,
             .active = 300,
             .points = fill,
             .sites = "sites_block",
             .size = {size},
             .origin = {origin, -origin, 0}});
      }
    add({.n = 300, .active = 300, .points = "borders-0.5", .sites = "sites_block"});
    add({.n = 300,
         .active = 300,
         .voxels = 1331,
         .active_voxels = 1331,
         .points = "int-5",
         .batch = "int-1",
         .values = "int-3"});
  }

  void rows() {
    for (const std::int64_t n : {0, 1, 2, 7, 8, 63, 64, 65, 255, 257, 2047, 2049, 4095, 4097})
      add({.n = n, .active = n, .voxels = n, .active_voxels = n, .sites = "sites_block", .values = "int-3"});
    add({.active = 0});
    add({.active = 1, .active_voxels = 1});
    add({.active_voxels = 0});
    add({.voxels = 0, .active_voxels = 0});
    for (const std::int64_t c : {0, 1, 2, 4, 7, 8, 9, 16, 31, 33, 64, 67})
      add({.n = 40,
           .active = 40,
           .channels = c,
           .voxels = 27,
           .active_voxels = 27,
           .points = "int-1",
           .sites = "sites_block"});
    for (const char* fill : {"sites_batches-3", "sites_duplicates", "sites_extremes", "sites_line", "sites_isolated-2"})
      add({.n = 200, .active = 199, .batch = "int-2", .sites = fill, .values = "int-3"});
    add({.n = 500, .active = 500, .points = "const-0.25", .batch = "const--7"});  // one voxel
    add({.n = 500, .active = 500, .points = "const-0.25", .batch = "ramp"});      // one voxel in each batch
    if (op_ == "voxelize_vjp") add({.points = "int-1", .cotangents = 5});
  }

  void values() {
    for (const char* v : {"special", "wide", "cancel", "const-1", "int-9"})
      add({.n = 200, .active = 190, .points = "uniform-2", .values = v});
    for (const char* p : {"special-2", "wide-40", "bits", "borders-1e30"})
      add({.n = 300, .active = 300, .points = p, .sites = "sites_extremes"});
    add({.n = 300, .active = 300, .points = "pow2-40", .sites = "sites_extremes", .size = {1e-3}});
    add({.n = 200, .active = 200, .points = "special-2", .size = {1e-40}});  // beneath the normal numbers
    add({.n = 200, .active = 200, .points = "uniform-3", .size = {3e38}});
  }

  std::string_view op_;
  std::vector<const char*> words_{""};
  std::vector<Case> cases_;
};

std::vector<Reject> point_rejects(std::string_view op) {
  std::vector<Reject> r;
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = described(op, {.n = 8, .active = 8, .voxels = 9, .active_voxels = 9});
    change(c);
    r.push_back({c, reason, why});
  };
  with([](Case& c) { c.attrs.set("voxel_size", Triple{0}); }, Reason::attribute, "voxels without extent");
  with([](Case& c) { c.attrs.set("voxel_size", Triple{1, 1, -1}); }, Reason::attribute, "a negative extent");
  with([](Case& c) { c.attrs.set("voxel_size", Triple{1e-60}); }, Reason::attribute, "0 as float32");
  with([](Case& c) { c.attrs.set("voxel_size", Triple{1, 1}); }, Reason::attribute, "two extents for three axes");
  with([](Case& c) { c.attrs.set("origin", Triple{0, 1e39, 0}); }, Reason::attribute, "infinite as float32");
  if (is_map(op))
    with([](Case& c) { c.attrs.set("interpolation", "cubic"); }, Reason::attribute, "an unknown interpolation");
  if (op == "voxelize" || op == "voxelize_vjp")
    with([](Case& c) { c.attrs.set("reduction", "max"); }, Reason::attribute, "an unknown reduction");
  if (op == "voxelize_vjp")
    with([](Case& c) { c.in[4]->shape = {9, 3}; }, Reason::shape, "more cotangents than points");
  return r;
}

std::vector<Case> point_bench(std::string_view op) {
  std::vector<Case> c;
  const bool features = op != "sparse_quantize" && op != "point_voxel_map";
  for (const std::int64_t channels : features ? std::vector<std::int64_t>{4, 64} : std::vector<std::int64_t>{4})
    for (const std::int64_t n : {200000, 1000000}) {
      if (channels == 64 && n > 200000) continue;
      c.push_back(described(op, {.n = n,
                                 .active = n,
                                 .channels = channels,
                                 .voxels = 200000,
                                 .active_voxels = 200000,
                                 .points = is_map(op) ? "shell-108" : "shell-90",
                                 .sites = "sites_surface"}));
      if (n > 200000) c.back().budget = Budget::nightly;
    }
  return c;
}

Case interpolation(std::string_view op, std::int64_t n, std::int64_t voxels, std::int64_t channels,
                   const std::string& rows, const std::string& weights, const std::string& values,
                   Layout layout = Layout::row, Budget budget = Budget::ci) {
  Case c{{input(Dtype::f32, {voxels, channels}, values, layout), input(Dtype::i32, {n, 8}, rows, layout),
          input(Dtype::f32, {n, 8}, weights, layout)},
         {},
         budget};
  if (op == "interpolate_point_features_vjp") c.in.push_back(input(Dtype::f32, {n, channels}, values, layout));
  return c;
}

std::vector<Case> interpolation_cases(std::string_view op) {
  std::vector<Case> c;
  const auto add = [&](auto... a) { c.push_back(interpolation(op, a...)); };
  for (const char* values : {"int-3", "uniform", "special"})
    c.push_back(interpolation(op, 33, 20, 5, "int-22", values, values, Layout::row, Budget::smoke));
  c.push_back(interpolation(op, 40, 9, 67, "const-7", "uniform", "uniform", Layout::row, Budget::smoke));  // one voxel
  for (const std::int64_t n : {0, 1, 2, 7, 63, 64, 65, 257, 513, 4097})
    add(n, std::int64_t{50}, std::int64_t{3}, "int-60", "int-3", "int-3");
  for (const std::int64_t v : {0, 1, 2, 255, 257, 4097})
    add(std::int64_t{40}, v, std::int64_t{3}, "int-300", "uniform", "uniform");
  for (const std::int64_t ch : {0, 1, 2, 4, 7, 8, 9, 16, 31, 33, 64, 67})
    add(std::int64_t{40}, std::int64_t{20}, ch, "int-20", "positive", "uniform");
  for (const char* v : {"special", "wide", "cancel", "const-1", "int-9"})
    add(std::int64_t{130}, std::int64_t{30}, std::int64_t{9}, "int-31", "uniform", v);
  for (const char* w : {"special", "wide", "const-0.125"})
    add(std::int64_t{130}, std::int64_t{30}, std::int64_t{9}, "int-31", w, "int-3");
  add(std::int64_t{300}, std::int64_t{30}, std::int64_t{9}, "const-7", "uniform", "uniform");
  add(std::int64_t{300}, std::int64_t{30}, std::int64_t{9}, "const--1", "uniform", "uniform");
  add(std::int64_t{300}, std::int64_t{30}, std::int64_t{9}, "bits", "uniform", "uniform");
  for (const Layout l : kLayouts)
    add(std::int64_t{40}, std::int64_t{30}, std::int64_t{6}, "int-31", "int-3", "int-3", l);
  c.push_back(interpolation(op, 20000, 9000, 33, "int-9000", "uniform", "uniform", Layout::row, Budget::nightly));
  return c;
}

std::vector<Case> interpolation_bench(std::string_view op) {
  std::vector<Case> c;
  for (const std::int64_t channels : {4, 64})
    c.push_back(interpolation(op, 200000, 100000, channels, "int-100000", "positive", "uniform"));
  return c;
}

constexpr std::string_view kOps[] = {"sparse_quantize",
                                     "voxelize",
                                     "voxelize_vjp",
                                     "point_voxel_map",
                                     "devoxelize",
                                     "interpolate_point_features",
                                     "interpolate_point_features_vjp"};

template <int i>
void fill_in(Op& op) {
  if constexpr (i < 5) {
    op.cases = [] { return PointCases(kOps[i]).all(); };
    op.rejects = [] { return point_rejects(kOps[i]); };
    op.bench = [] { return point_bench(kOps[i]); };
  } else {
    op.cases = [] { return interpolation_cases(kOps[i]); };
    op.bench = [] { return interpolation_bench(kOps[i]); };
  }
}

// Multiples of p in float32, one third each: the multiple, the next number above, the next below.
Wide borders(const Spec& spec, std::uint64_t key, double p) {
  return real_fill(spec, [&](std::int64_t i) {
    const std::uint64_t d = draw(key, static_cast<std::uint64_t>(i));
    const float on = (static_cast<float>(d % 17) - 8) * static_cast<float>(p);
    constexpr float kFar = std::numeric_limits<float>::max();
    const float way = (d >> 8) % 3 == 0 ? on : (d >> 8) % 3 == 1 ? kFar : -kFar;
    return static_cast<double>(std::nextafter(on, way));
  });
}

// Points (x, y, z) within 2% of a sphere of radius p, in no order.
Wide shell(const Spec& spec, std::uint64_t key, double p) {
  const std::int64_t axes = spec.shape.empty() ? 1 : spec.shape.back();
  return real_fill(spec, [&](std::int64_t i) {
    const auto point = static_cast<std::uint64_t>(i / std::max<std::int64_t>(1, axes));
    const double z = 2 * unit(key, 3 * point) - 1, turn = 2 * std::numbers::pi * unit(key, 3 * point + 1);
    const double radius = p * (1 + 0.04 * (unit(key, 3 * point + 2) - 0.5)), flat = std::sqrt(1 - z * z);
    return radius * (i % axes == 0 ? flat * std::cos(turn) : i % axes == 1 ? flat * std::sin(turn) : z);
  });
}

std::vector<Fill> point_fills() {
  return {
      // clang-format off
      {"borders",          "multiples of p in float32, and one ulp to either side", 1, {-3e38, 3e38}, borders},
      {"shell",            "points (x,y,z) near a sphere of radius p", 100, {0, 1e30}, shell},
      // clang-format on
  };
}

}  // namespace

void add_voxel_cases(Op& op) {
  constexpr void (*kFill[])(Op&) = {fill_in<0>, fill_in<1>, fill_in<2>, fill_in<3>, fill_in<4>, fill_in<5>, fill_in<6>};
  for (std::size_t i = 0; i < std::size(kOps); ++i)
    if (op.name == kOps[i]) kFill[i](op);
  if (op.name == kOps[0]) op.fills = point_fills;
}

}  // namespace plumb::reference
