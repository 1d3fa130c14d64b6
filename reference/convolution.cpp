// Sparse convolutions: their rows, shape rules, oracle and cases. The geometry is that of reference/relation.h.
#include <algorithm>

#include "reference/conv_rows.h"

namespace plumb {
namespace {

using namespace reference;
using List = std::vector<std::int64_t>;

// Positions of the inputs, the same in every row; submanifold and generative rows have no targets.
enum : std::size_t { kCoords, kActive, kFeatures, kWeight, kBias, kTargets, kTargetActive };

template <RelationKind base>
std::vector<Spec> infer(const Request& r) {
  const ConvShape s = check_convolution(r, base, "bias");
  return {{r.dtype(kCoords), {s.M, 4}}, {r.dtype(kFeatures), {s.M, s.C}}, {Dtype::i32, {2}}};
}

// Y[o,c] = bias[c] + sum over edges (i,o,k), over a, of X[i,a] W[k,a,c]
template <RelationKind base>
std::vector<Wide> convolution(const Call& call) {
  const auto [K, A, C, N, M, dense] = check_convolution(call, base, "bias");
  const Relation r = relation_of(call, base);
  const Wide features = widen(call[kFeatures]), weight = widen(call[kWeight]);
  const Reals &X = reals(features), &W = reals(weight);
  Reals Y({M, C});
  if (call.has(kBias)) {
    const Wide bias = widen(call[kBias]);
    for (std::size_t o = 0; o < r.out.size(); ++o)
      for (std::int64_t c = 0; c < C; ++c) Y[static_cast<std::int64_t>(o) * C + c] = reals(bias)[c];
  }
  for (const Edge& e : r.edges)
    for (std::int64_t a = 0; a < A; ++a)
      for (std::int64_t c = 0; c < C; ++c)
        Y[e.out * C + c] += X[e.in * A + a] * (dense ? W[(c * K + e.kernel) * A + a] : W[(e.kernel * A + a) * C + c]);
  return {coords_of(r, M), Y, counts_of(r)};
}

// Products and a bias in the fullest output row: K of them where sites are unique, more where inputs repeat.
template <RelationKind base>
std::int64_t terms(const Call& call) {
  std::int64_t degree = geometry(call, kind_of(call, base)).volume;
  if (base == RelationKind::transposed && !call.has(kTargets)) {
    std::vector<std::int64_t> edges;
    const Relation r = relation_of(call, base);
    edges.resize(r.out.size());
    for (const Edge& e : r.edges) degree = std::max(degree, ++edges[static_cast<std::size_t>(e.out)]);
  }
  return degree * call.shape(kFeatures)[1] + (call.has(kBias) ? 1 : 0);
}

template <RelationKind base>
Cost cost(const Call& call) {
  const std::vector<Spec> specs = infer<base>(call);
  const Relation r = relation_of(call, base);
  const double edges = static_cast<double>(r.edges.size()), rows = static_cast<double>(r.out.size());
  const double in = static_cast<double>(call.shape(kFeatures)[1]), out = static_cast<double>(specs[1].shape[1]);
  double bytes = rows * (out * info(specs[1].dtype).bytes + 4 * info(specs[0].dtype).bytes);
  for (const auto& s : call.specs)
    if (s) bytes += static_cast<double>(count(s->shape) * info(s->dtype).bytes);
  return {2 * edges * in * out, bytes};
}

// One case, from defaults that each sweep changes in one or two places.
struct Trial {
  std::int64_t n = 60, active = 55, in = 3, out = 5;
  List size{3}, stride{1}, padding{0}, dilation{1};
  std::string sites = "sites_negative", values = "uniform", weights = "";
  Dtype coords = Dtype::i32, type = Dtype::f32;
  bool bias = false, dense = false;
  std::int64_t targets = -1;
  Layout layout = Layout::row;
  Budget budget = Budget::ci;

  std::int64_t at(std::size_t a) const { return size.size() == 1 ? size[0] : size[a]; }
};

template <RelationKind base>
Case described(const Trial& t) {
  const std::int64_t K = t.at(0) * t.at(1) * t.at(2);
  const Shape weight = t.dense ? Shape{t.out, t.at(0), t.at(1), t.at(2), t.in} : Shape{K, t.in, t.out};
  Attrs attrs{{"kernel_size", t.size}};
  if (base != RelationKind::submanifold) attrs.set("stride", t.stride);
  if (base == RelationKind::forward || base == RelationKind::transposed) attrs.set("padding", t.padding);
  if (base != RelationKind::generative) attrs.set("dilation", t.dilation);
  if (t.dense) attrs.set("weight_layout", "dense_5d");
  const Layout vector = t.layout == Layout::broadcast ? Layout::row : t.layout;
  Case c{{input(t.coords, {t.n, 4}, t.sites, vector), count_input(t.active), input(t.type, {t.n, t.in}, t.values, t.layout),
          input(t.type, weight, t.weights.empty() ? t.values : t.weights, t.layout)},
         attrs, t.budget};
  if (t.bias || t.targets >= 0) c.in.push_back(t.bias ? input(t.type, {t.out}, t.values, vector) : std::nullopt);
  if (t.targets >= 0) {
    c.in.push_back(input(t.coords, {t.targets, 4}, t.sites));
    c.in.push_back(count_input(std::max<std::int64_t>(0, t.targets - 1)));
  }
  return c;
}

constexpr std::int64_t kChannels[] = {1, 3, 15, 16, 17, 31, 32, 33, 64, 65};
constexpr Dtype kTypes[] = {Dtype::f32, Dtype::f16};

template <RelationKind base>
class Cases {
 public:
  std::vector<Case> all() {
    geometry_sweep();
    channel_sweep();
    row_sweep();
    value_sweep();
    impulses();
    nightly();
    return std::move(cases_);
  }

 private:
  static constexpr bool kTargeted = base == RelationKind::forward || base == RelationKind::transposed;

  void add(Trial t) {
    if (base == RelationKind::submanifold && std::any_of(t.size.begin(), t.size.end(), [](auto k) { return k % 2 == 0; })) return;
    cases_.push_back(described<base>(t));
  }
  void both(Trial t) {  // without and with targets
    add(t);
    t.targets = t.n / 2 + 3;
    if (kTargeted) add(t);
  }

  void geometry_sweep() {
    struct { List size, stride, padding, dilation; } const steps[] = {
        {{3}, {1}, {0}, {1}}, {{2}, {2}, {0}, {1}}, {{3}, {2}, {1}, {1}}, {{3}, {1}, {1}, {1}}, {{1}, {1}, {0}, {1}},
        {{1}, {2}, {0}, {1}}, {{3}, {1}, {0}, {2}}, {{2, 3, 1}, {1, 2, 1}, {0}, {1, 1, 2}},
        {{4, 2, 3}, {3, 2, 1}, {1, 0, 2}, {1, 1, 2}}, {{1, 3, 5}, {1}, {0}, {1, 2, 1}}};
    for (const auto& s : steps)
      for (const Dtype type : kTypes)
        for (const bool dense : {false, true})
          both({.size = s.size, .stride = s.stride, .padding = s.padding, .dilation = s.dilation, .values = dense ? "uniform" : "int-3",
                .type = type, .bias = dense, .dense = dense, .budget = Budget::smoke});
    both({.sites = "sites_batches", .values = "int-3", .budget = Budget::smoke});
    for (const std::string& f : {std::string("sites_batches"), std::string("sites_line"), std::string("sites_plane"),
                                 std::string("sites_block"), std::string("sites_surface-1"), std::string("sites_isolated"),
                                 std::string("sites_duplicates"), std::string("sites_extremes")})
      both({.n = 130, .active = 128, .in = 7, .out = 9, .sites = f, .values = "int-3"});
    for (const char* f : {"sites_negative", "sites_extremes"}) both({.sites = f, .values = "int-3", .coords = Dtype::i64});
  }

  void channel_sweep() {
    for (const std::int64_t in : kChannels)
      for (const std::int64_t out : kChannels) {
        const bool exact = (in + out) % 2 == 0;
        add({.n = 90, .active = 90, .in = in, .out = out, .sites = "sites_block", .values = exact ? "int-2" : "uniform",
             .type = in < out ? Dtype::f16 : Dtype::f32, .bias = exact});
      }
    for (const Dtype type : kTypes)
      for (const std::int64_t c : {16, 32, 64, 128, 48, 80, 130})
        add({.n = 200, .active = 190, .in = c, .out = c, .sites = "sites_surface-1", .type = type});
    for (const std::int64_t in : {0, 5}) add({.in = in, .out = 5 - in, .bias = true});
  }

  void row_sweep() {
    for (const std::int64_t n : {0, 1, 2, 5, 6, 7, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 513, 1025})
      for (const Dtype type : kTypes)
        both({.n = n, .active = n % 2 == 0 ? n : n + 9, .in = 16, .out = 16, .sites = "sites_block", .values = "int-3", .type = type});
    for (const Dtype type : kTypes) both({.n = 40, .active = 0, .type = type});
  }

  void value_sweep() {
    for (const Dtype type : kTypes) {
      for (const char* v : {"cancel", "wide", "special", "const-1", "int-9"})
        both({.n = 120, .active = 110, .in = 32, .out = 24, .sites = "sites_block", .values = v, .type = type, .bias = true});
      for (const char* w : {"special", "const-1"}) add({.in = 16, .out = 16, .values = "int-3", .weights = w, .type = type});
      // sums beyond 2^11, where an accumulator of half precision would stand still
      add({.n = 30, .active = 30, .in = 1024, .out = 16, .sites = "sites_block", .values = "const-1", .type = type});
      for (const Layout l : kLayouts)
        for (const bool dense : {false, true})
          both({.in = 4, .out = 6, .values = "int-3", .type = type, .bias = true, .dense = dense, .layout = l});
    }
  }

  // One site of value 1 under weights that count kernel rows.
  void impulses() {
    for (const std::int64_t x : {1, 2, 3, 4})
      for (const std::int64_t y : {1, 2, 3})
        for (const std::int64_t z : {1, 2, 5})
          add({.n = 1, .active = 1, .in = 1, .out = 1, .size = {x, y, z}, .values = "const-1", .weights = "ramp"});
  }

  void nightly() {
    for (const Dtype type : kTypes)
      for (const std::int64_t c : {33, 64})
        both({.n = 20000, .active = 19990, .in = c, .out = c, .sites = "sites_surface-1", .type = type, .budget = Budget::nightly});
    both({.n = 6250, .active = 6250, .in = 64, .out = 64, .size = {2, 2, 2}, .stride = {2}, .sites = "sites_block", .values = "const-1",
          .type = Dtype::f16, .budget = Budget::nightly});
  }

  std::vector<Case> cases_;
};

template <RelationKind base>
std::vector<Case> cases() { return Cases<base>().all(); }

template <RelationKind base>
std::vector<Reject> rejects() {
  std::vector<Reject> r;
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = described<base>({.n = 8, .active = 8, .bias = true});
    change(c);
    r.push_back({c, reason, why});
  };
  with([](Case& c) { c.attrs.set("kernel_size", List{0, 1, 1}); }, Reason::attribute, "a kernel without extent");
  with([](Case& c) { c.attrs.set("weight_layout", "last"); }, Reason::attribute, "an unknown layout");
  with([](Case& c) { c.attrs.set("weight_layout", "dense_5d"); }, Reason::rank, "three axes where five are needed");
  with([](Case& c) {
    c.attrs.set("weight_layout", "dense_5d");
    c.in[kWeight]->shape = {5, 1, 9, 3, 3};
  }, Reason::shape, "27 kernel rows, of another kernel");
  with([](Case& c) { c.in[kWeight]->shape[0] = 26; }, Reason::shape, "a kernel row is missing");
  with([](Case& c) { c.in[kWeight]->shape[1] = 4; }, Reason::shape, "input channels differ");
  with([](Case& c) { c.in[kWeight]->dtype = Dtype::f16; }, Reason::dtype, "weights of another dtype");
  with([](Case& c) { c.in[kFeatures]->dtype = c.in[kWeight]->dtype = c.in[kBias]->dtype = Dtype::bf16; }, Reason::dtype,
       "bfloat16 features");
  with([](Case& c) { c.in[kFeatures]->shape[0] = 7; }, Reason::shape, "a row of features is missing");
  with([](Case& c) { c.in[kFeatures]->shape = {8, 3, 1}; }, Reason::rank, "features of rank 3");
  with([](Case& c) { c.in[kBias]->shape = {6}; }, Reason::shape, "a bias of another length");
  with([](Case& c) { c.in[kBias]->shape = {5, 1}; }, Reason::rank, "a bias of rank 2");
  with([](Case& c) { c.in[kBias]->dtype = Dtype::f16; }, Reason::dtype, "a bias of another dtype");
  with([](Case& c) { c.in[kCoords] = input(Dtype::i32, {8, 3}, "int-3"); }, Reason::shape, "three columns");
  with([](Case& c) { c.in[kActive]->fill = "const--1"; }, Reason::domain, "a negative count");
  if (base == RelationKind::submanifold)
    with([](Case& c) { c.attrs.set("kernel_size", List{2, 3, 3}); }, Reason::attribute, "an even size has no centre");
  if (base == RelationKind::forward || base == RelationKind::transposed)
    with([](Case& c) { c.in.push_back(input(Dtype::i32, {4, 4}, "sites_box")); }, Reason::arity, "targets without a count");
  if (base == RelationKind::forward || base == RelationKind::transposed)
    with([](Case& c) { c.in.insert(c.in.end(), {input(Dtype::i64, {4, 4}, "sites_box"), count_input(4)}); }, Reason::dtype,
         "targets of another dtype");
  return r;
}

template <RelationKind base>
std::vector<Case> bench() {
  std::vector<Case> c;
  const auto add = [&](std::int64_t n, std::int64_t channels, Dtype type, const char* sites, const List& size,
                       const List& stride) {
    c.push_back(described<base>({.n = n, .active = n, .in = channels, .out = channels, .size = size, .stride = stride,
                                 .sites = sites, .type = type}));
  };
  if (base != RelationKind::submanifold) {
    for (const Dtype type : kTypes) add(base == RelationKind::forward ? 200000 : 25000, 64, type, "sites_surface", {2}, {2});
    if (base == RelationKind::forward) add(170232, 64, Dtype::f32, "sites_scan-0", {2}, {2});  // a scan, downward
    if (base == RelationKind::transposed) {                                                    // and up to where it came from
      add(14965, 64, Dtype::f32, "sites_scan-2", {2}, {2});
      c.back().in.insert(c.back().in.end(), {std::nullopt, input(Dtype::i32, {57809, 4}, "sites_scan-1"), count_input(57809)});
    }
    return c;
  }
  for (const Dtype type : kTypes)
    for (const std::int64_t channels : {16, 32, 64, 128}) add(200000, channels, type, "sites_surface", {3}, {1});
  for (const std::int64_t channels : {32, 64, 128}) add(200000, channels, Dtype::f32, "sites_surface-1", {3}, {1});
  for (const std::int64_t channels : {32, 64, 128}) add(1000000, channels, Dtype::f16, "sites_surface", {3}, {1});
  add(1000000, 64, Dtype::f32, "sites_surface", {3}, {1});
  add(170232, 64, Dtype::f32, "sites_scan-0", {3}, {1});  // every voxel of a scan at 1, 2 and 4 mm
  add(57809, 64, Dtype::f32, "sites_scan-1", {3}, {1});
  add(14965, 64, Dtype::f32, "sites_scan-2", {3}, {1});
  add(170232, 64, Dtype::f16, "sites_scan-0", {3}, {1});
  c.back().budget = Budget::nightly;
  for (const char* layout : {"layout_isolated", "layout_line", "layout_plane", "layout_grid", "layout_block-2", "layout_block-3",
                             "layout_block-4", "layout_block-8"})
    add(100000, 64, Dtype::f32, layout, {3}, {1});
  for (Case& k : c)
    if (k.in[2]->shape.back() != 64 || k.in[0]->shape.front() > 200000 || k.in[0]->fill.starts_with("layout_"))
      k.budget = Budget::nightly;
  return c;
}

template <RelationKind base>
bool recorded(Attrs& attrs) {
  return recorded_kind(base, attrs);
}

// Four output channels of many; the relation is whole.
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  const int channels = c.text("weight_layout") == "dense_5d" ? 0 : -1;
  std::vector<Tensor> in = c.in;
  Tensor& weight = in[c.index("weight")];
  weight = spaced(weight, channels, 4, key);
  if (c.has("bias")) in[c.index("bias")] = spaced(c["bias"], 0, 4, key);
  return Spot{make_call(*c.op, std::move(in), c.attrs), [key](const std::vector<Tensor>& out) {
                std::vector<Tensor> part = out;
                part[1] = spaced(out[1], -1, 4, key);
                return part;
              }};
}

constexpr std::string_view kMeaning =
    "f16 is summed in at least f32 and rounded once; the sizes of a dense_5d weight must be those of the kernel; rows beyond "
    "counts[1] are unspecified; relations as in the relation rows";

template <RelationKind base>
Op row(std::string_view name, Attrs attrs, std::string_view equation) {
  std::vector<std::string_view> inputs{"coords", "active_rows", "features", "weight", "bias?"};
  if (base == RelationKind::forward || base == RelationKind::transposed)
    inputs.insert(inputs.end(), {"target_coords?", "target_active_rows?"});
  attrs.set("weight_layout", "kernel_major");
  return {.name = name,
          .inputs = inputs,
          .outputs = {"out_coords", "features", "counts"},
          .attrs = std::move(attrs),
          .dtypes = {Dtype::i32, Dtype::i64},
          .equation = equation,
          .meaning = kMeaning,
          .infer = infer<base>,
          .oracle = convolution<base>,
          .cases = cases<base>,
          .rejects = rejects<base>,
          .bench = bench<base>,
          .cost = cost<base>,
          .tolerance = {.kind = Tolerance::Class::accumulate, .terms = terms<base>},
          .active = active_outputs,
          .spot = spot,
          .corpus = "sparse_conv",
          .corpus_call = recorded<base>};
}

}  // namespace

std::vector<Op> convolution_ops() {
  const List ones{1, 1, 1}, twos{2, 2, 2}, threes{3, 3, 3}, zeros{0, 0, 0};
  return {
      row<RelationKind::forward>("conv3d", {{"kernel_size", threes}, {"stride", ones}, {"padding", zeros}, {"dilation", ones}},
          "Y[o] = bias + sum over edges (i,o,k) of the forward relation of X[i] W[k]; of the target relation if targets are given"),
      row<RelationKind::submanifold>("subm_conv3d", {{"kernel_size", threes}, {"dilation", ones}},
          "Y[o] = bias + sum over edges (i,o,k) of the submanifold relation of X[i] W[k]"),
      row<RelationKind::transposed>("conv_transpose3d",
          {{"kernel_size", twos}, {"stride", twos}, {"padding", zeros}, {"dilation", ones}},
          "Y[o] = bias + sum over edges (i,o,k) of the transposed relation of X[i] W[k]; with targets, edges where "
          "target[o] + padding - f[k] = in[i] * stride, f = 0..size-1 times dilation"),
      row<RelationKind::generative>("generative_conv_transpose3d", {{"kernel_size", twos}, {"stride", twos}},
          "Y[o] = bias + X[i] W[k] for the edge (i,o,k) of the generative relation"),
  };
}

}  // namespace plumb
