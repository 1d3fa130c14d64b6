#include "reference/conv_rows.h"

#include <algorithm>

namespace plumb::reference {
namespace {

using List = std::vector<std::int64_t>;

std::string text(std::int64_t n) { return std::to_string(n); }

ConvShape weight_shape(const Request& r, const Geometry& g, const Shape& w) {
  const std::string& layout = r.text("weight_layout");
  if (layout != "kernel_major" && layout != "dense_5d") r.fail(Reason::attribute, "weight_layout " + layout);
  const bool dense = layout == "dense_5d";
  if (w.size() != (dense ? 5 : 3)) r.fail(Reason::rank, "a " + layout + " weight of rank " + text(std::ssize(w)));
  if (!dense && w[0] != g.volume)
    r.fail(Reason::shape, to_string(w) + " weights for " + text(g.volume) + " kernel rows");
  if (dense && (w[1] != g.size[0] || w[2] != g.size[1] || w[3] != g.size[2]))
    r.fail(Reason::shape, to_string(w) + " weights for a kernel of " + to_string(Shape(g.size.begin(), g.size.end())));
  return {g.volume, dense ? w[4] : w[1], dense ? w[0] : w[2], 0, 0, dense};
}

bool targeted(const Request& r, RelationKind base) { return takes_targets(base) && r.has("target_coords"); }

// M, from the coordinates and the targets
std::int64_t check_targets(const Request& r, RelationKind base, const Geometry& g, std::int64_t n) {
  const RelationKind kind = kind_of(r, base);
  if (takes_targets(base) && r.has("target_coords") != r.has("target_active_rows"))
    r.fail(Reason::arity, "targets and their count come together");
  if (!targeted(r, base)) return capacity(r, kind, g, n, 0);
  const std::int64_t m = check_rows(r, r.index("target_coords"), r.index("target_active_rows"));
  if (r.dtype(r.index("target_coords")) != r.dtype(0))
    r.fail(Reason::dtype, "targets differ from coordinates in dtype");
  return capacity(r, kind, g, n, m);
}

void check_bias(const Request& r, std::string_view bias, Dtype t, std::int64_t channels) {
  if (bias.empty() || !r.has(bias)) return;
  const Spec& b = r.spec(r.index(bias));
  if (b.dtype != t) r.fail(Reason::dtype, "the bias is " + std::string(name(b.dtype)));
  if (b.shape.size() != 1) r.fail(Reason::rank, "the bias has rank " + text(std::ssize(b.shape)));
  if (b.shape[0] != channels)
    r.fail(Reason::shape, to_string(b.shape) + " bias for " + text(channels) + " output channels");
}

}  // namespace

RelationKind kind_of(const Request& r, RelationKind base) {
  if (!targeted(r, base)) return base;
  return base == RelationKind::forward ? RelationKind::target : RelationKind::target_transposed;
}

ConvShape check_convolution(const Request& r, RelationKind base, std::string_view bias) {
  const Geometry g = geometry(r, kind_of(r, base));
  const std::int64_t n = check_rows(r, r.index("coords"), r.index("active_rows"));
  const std::int64_t m = check_targets(r, base, g, n);
  const Spec &x = r.spec(r.index("features")), &w = r.spec(r.index("weight"));
  if (x.dtype != Dtype::f16 && x.dtype != Dtype::f32)
    r.fail(Reason::dtype, "features are " + std::string(name(x.dtype)));
  if (w.dtype != x.dtype) r.fail(Reason::dtype, "weights are " + std::string(name(w.dtype)));
  if (x.shape.size() != 2) r.fail(Reason::rank, "features have rank " + text(std::ssize(x.shape)));
  ConvShape s = weight_shape(r, g, w.shape);
  s.N = n, s.M = m;
  if (x.shape[0] != n) r.fail(Reason::shape, to_string(x.shape) + " features for " + text(n) + " rows");
  if (x.shape[1] != s.A) r.fail(Reason::shape, to_string(x.shape) + " features for " + text(s.A) + " input channels");
  check_bias(r, bias, x.dtype, s.C);
  return s;
}

Relation relation_of(const Call& call, RelationKind base) {
  const RelationKind kind = kind_of(call, base);
  std::vector<Site> targets;
  if (targeted(call, base)) targets = active_sites(call, call.index("target_coords"), call.index("target_active_rows"));
  return relate(kind, geometry(call, kind), active_sites(call, call.index("coords"), call.index("active_rows")),
                targets);
}

double products(const Call& call, RelationKind base) {
  const ConvShape s = check_convolution(call, base);
  return static_cast<double>(relation_of(call, base).edges.size()) * static_cast<double>(s.A) *
         static_cast<double>(s.C);
}

Attrs conv_attrs(RelationKind base) {
  const List ones{1, 1, 1}, twos{2, 2, 2}, threes{3, 3, 3}, zeros{0, 0, 0};
  const bool spreads = base == RelationKind::transposed || base == RelationKind::generative;
  Attrs a{{"kernel_size", spreads ? twos : threes}};
  if (base != RelationKind::submanifold) a.set("stride", spreads ? twos : ones);
  if (takes_targets(base)) a.set("padding", zeros);
  if (base != RelationKind::generative) a.set("dilation", ones);
  a.set("weight_layout", "kernel_major");
  return a;
}

std::vector<std::string_view> with_targets(RelationKind base, std::vector<std::string_view> inputs) {
  if (takes_targets(base)) inputs.insert(inputs.end(), {"target_coords?", "target_active_rows?"});
  return inputs;
}

bool recorded_kind(RelationKind base, Attrs& attrs) {
  switch (base) {
    case RelationKind::forward: return drop_kind(attrs, {"forward", "target"});
    case RelationKind::submanifold: return drop_kind(attrs, {"submanifold"});
    case RelationKind::transposed: return drop_kind(attrs, {"transposed", "target_transposed"});
    default: return drop_kind(attrs, {"generative"});
  }
}

Integers coords_of(const Relation& r, std::int64_t rows) {
  Integers coords({rows, 4});
  for (std::size_t o = 0; o < r.out.size(); ++o)
    for (std::size_t a = 0; a < 4; ++a) coords[static_cast<std::int64_t>(4 * o + a)] = r.out[o][a];
  return coords;
}

Integers counts_of(const Relation& r) {
  Integers counts({2});
  counts[0] = static_cast<std::int64_t>(r.edges.size());
  counts[1] = static_cast<std::int64_t>(r.out.size());
  return counts;
}

std::vector<std::int64_t> active_outputs(const Call&, const std::vector<Tensor>& out) {
  const std::int64_t rows = std::clamp<std::int64_t>(out[2].read<std::int32_t>()[1], 0, out[0].dim(0));
  return {rows, rows, -1};
}

bool ConvTrial::valid(RelationKind base) const {
  return base != RelationKind::submanifold || std::none_of(size.begin(), size.end(), [](auto k) { return k % 2 == 0; });
}

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}
std::optional<Input> count_input(std::int64_t n) { return input(Dtype::i32, {1}, "const-" + std::to_string(n)); }

Case described(RelationKind base, const ConvTrial& t) {
  Attrs attrs{{"kernel_size", t.size}};
  if (base != RelationKind::submanifold) attrs.set("stride", t.stride);
  if (takes_targets(base)) attrs.set("padding", t.padding);
  if (base != RelationKind::generative) attrs.set("dilation", t.dilation);
  if (t.dense) attrs.set("weight_layout", "dense_5d");
  return {{input(t.coords, {t.n, 4}, t.sites, t.vector_layout()), count_input(t.active),
           input(t.type, {t.n, t.in}, t.values, t.layout),
           input(t.type, t.weight_shape(), t.weights.empty() ? t.values : t.weights, t.layout)},
          attrs,
          t.budget};
}

void add_targets(Case& c, std::size_t at, const ConvTrial& t) {
  if (t.targets < 0) return;
  c.in.resize(at);
  c.in.push_back(input(t.coords, {t.targets, 4}, t.sites));
  c.in.push_back(count_input(std::max<std::int64_t>(0, t.targets - 1)));
}

std::vector<Reject> conv_rejects(RelationKind base, const Case& good) {
  enum : std::size_t { kCoords, kActive, kFeatures, kWeight };
  std::vector<Reject> r;
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = good;
    change(c);
    r.push_back({c, reason, why});
  };
  with([](Case& c) { c.attrs.set("kernel_size", List{0, 1, 1}); }, Reason::attribute, "a kernel without extent");
  with([](Case& c) { c.attrs.set("weight_layout", "last"); }, Reason::attribute, "an unknown layout");
  with([](Case& c) { c.attrs.set("weight_layout", "dense_5d"); }, Reason::rank, "three axes where five are needed");
  with([](Case& c) { c.in[kWeight]->shape[0] = 26; }, Reason::shape, "a kernel row is missing");
  with([](Case& c) { c.in[kWeight]->shape[1] = 4; }, Reason::shape, "input channels differ");
  with([](Case& c) { c.in[kWeight]->dtype = Dtype::f16; }, Reason::dtype, "weights of another dtype");
  with(
      [](Case& c) {
        for (std::size_t i = kFeatures; i < c.in.size(); ++i) c.in[i]->dtype = Dtype::bf16;
      },
      Reason::dtype, "bfloat16 features");
  with([](Case& c) { c.in[kFeatures]->shape[0] = 7; }, Reason::shape, "a row of features is missing");
  with([](Case& c) { c.in[kFeatures]->shape = {8, 3, 1}; }, Reason::rank, "features of rank 3");
  with([](Case& c) { c.in[kCoords] = input(Dtype::i32, {8, 3}, "int-3"); }, Reason::shape, "three columns");
  with([](Case& c) { c.in[kActive]->fill = "const--1"; }, Reason::domain, "a negative count");
  if (base == RelationKind::submanifold)
    with([](Case& c) { c.attrs.set("kernel_size", List{2, 3, 3}); }, Reason::attribute, "an even size has no centre");
  return r;
}

}  // namespace plumb::reference
