// Sparse convolutions: their rows, shape rules, oracle and cases. The geometry is that of
// reference/sparse/sites/relation.h.
#include "reference/sparse/conv/conv_rows.h"

namespace plumb {
namespace {

using namespace reference;

constexpr std::size_t kFeatures = 2, kWeight = 3, kBias = 4;  // positions of inputs

template <RelationKind base>
std::vector<Spec> infer(const Request& r) {
  return r.outputs({{'R', check_convolution(r, base).M}});
}

// Y[o,c] = bias[c] + sum over edges (i,o,k), over a, of X[i,a] W[k,a,c]
template <RelationKind base>
std::vector<Wide> convolution(const Call& call) {
  const auto [K, A, C, N, M, dense] = check_convolution(call, base);
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

template <RelationKind base>
Case case_of(const ConvTrial& t) {
  Case c = described(base, t);
  add_bias_and_targets(c, t);
  return c;
}

constexpr std::int64_t kRows = 60, kActive = 55;
constexpr std::int64_t kChannels[] = {1, 3, 15, 16, 17, 31, 32, 33, 64, 65};
constexpr Dtype kTypes[] = {Dtype::f32, Dtype::f16};

class Sweep : public ConvCases<ConvTrial> {
 public:
  std::vector<Case> all() {
    geometry_sweep();
    channel_sweep();
    row_sweep();
    value_sweep();
    impulses();
    nightly();
    return std::move(cases);
  }

 private:
  void geometry_sweep() {
    const ConvKernel kernels[] = {{{3}, {1}, {0}, {1}},
                                  {{2}, {2}, {0}, {1}},
                                  {{3}, {2}, {1}, {1}},
                                  {{3}, {1}, {1}, {1}},
                                  {{1}, {1}, {0}, {1}},
                                  {{1}, {2}, {0}, {1}},
                                  {{3}, {1}, {0}, {2}},
                                  {{2, 3, 1}, {1, 2, 1}, {0}, {1, 1, 2}},
                                  {{4, 2, 3}, {3, 2, 1}, {1, 0, 2}, {1, 1, 2}},
                                  {{1, 3, 5}, {1}, {0}, {1, 2, 1}}};
    for (const ConvKernel& kernel : kernels)
      for (const Dtype type : kTypes)
        for (const bool dense : {false, true})
          both({.n = kRows,
                .active = kActive,
                .kernel = kernel,
                .values = dense ? "uniform" : "int-3",
                .type = type,
                .bias = dense,
                .dense = dense,
                .budget = Budget::smoke});
    for (const char* f : {"sites_batches", "sites_duplicates"})
      both({.n = kRows, .active = kActive, .sites = f, .budget = Budget::smoke});
    far({.values = "uniform", .bias = true});
    far({.values = "int-3", .type = Dtype::f16});
    for (const char* f : {"sites_batches", "sites_line", "sites_plane", "sites_block", "sites_surface-1",
                          "sites_isolated", "sites_duplicates", "sites_extremes"})
      both({.n = 130, .active = 128, .in = 7, .out = 9, .sites = f});
    for (const char* f : {"sites_negative", "sites_extremes"})
      both({.n = kRows, .active = kActive, .sites = f, .coords = Dtype::i64});
  }

  void channel_sweep() {
    for (const std::int64_t in : kChannels)
      for (const std::int64_t out : kChannels) {
        const bool exact = (in + out) % 2 == 0;
        add({.n = 90,
             .active = 90,
             .in = in,
             .out = out,
             .sites = "sites_block",
             .values = exact ? "int-2" : "uniform",
             .type = in < out ? Dtype::f16 : Dtype::f32,
             .bias = exact});
      }
    for (const Dtype type : kTypes)
      for (const std::int64_t c : {16, 32, 64, 128, 48, 80, 130})
        add({.n = 200,
             .active = 190,
             .in = c,
             .out = c,
             .sites = "sites_surface-1",
             .values = "uniform",
             .type = type});
    for (const std::int64_t in : {0, 5})
      add({.n = kRows, .active = kActive, .in = in, .out = 5 - in, .values = "uniform", .bias = true});
  }

  void row_sweep() {
    for (const std::int64_t n : {0, 1, 2, 5, 6, 7, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 513, 1025})
      for (const Dtype type : kTypes)
        both({.n = n,
              .active = n,
              .in = 16,
              .out = 16,
              .sites = "sites_block",
              .type = type,
              .budget = n == 6 && type == Dtype::f32 ? Budget::smoke : Budget::ci});
    for (const Dtype type : kTypes) both({.n = 40, .active = 0, .values = "uniform", .type = type});
  }

  void value_sweep() {
    for (const Dtype type : kTypes) {
      for (const char* v : {"cancel", "wide", "special", "const-1", "int-9", "tiny", "huge", "subnormal", "lanes-33"})
        both({.n = 120,
              .active = 110,
              .in = 32,
              .out = 24,
              .sites = "sites_block",
              .values = v,
              .type = type,
              .bias = true});
      for (const char* w : {"special", "const-1"})
        add({.n = kRows, .active = kActive, .in = 16, .out = 16, .weights = w, .type = type});
      // more targets than edges, all of them computed anew where a weight is not finite
      both({.n = 130, .active = 2, .in = 7, .out = 9, .sites = "sites_line", .weights = "special", .type = type});
      // sums beyond 2^11, where an accumulator of half precision would stand still
      add({.n = 30, .active = 30, .in = 1024, .out = 16, .sites = "sites_block", .values = "const-1", .type = type});
      for (const Layout l : kLayouts)
        for (const bool dense : {false, true})
          both({.n = kRows,
                .active = kActive,
                .in = 4,
                .out = 6,
                .type = type,
                .bias = true,
                .dense = dense,
                .layout = l});
    }
  }

  // One site of value 1 under weights that count kernel rows.
  void impulses() {
    for (const std::int64_t x : {1, 2, 3, 4})
      for (const std::int64_t y : {1, 2, 3})
        for (const std::int64_t z : {1, 2, 5})
          add({.n = 1, .active = 1, .in = 1, .out = 1, .kernel = {{x, y, z}}, .values = "const-1", .weights = "ramp"});
  }

  void nightly() {
    for (const Dtype type : kTypes)
      for (const std::int64_t c : {33, 64})
        both({.n = 20000,
              .active = 19990,
              .in = c,
              .out = c,
              .sites = "sites_surface-1",
              .values = "uniform",
              .type = type,
              .budget = Budget::nightly});
    both({.n = 6250,
          .active = 6250,
          .in = 64,
          .out = 64,
          .kernel = {{2, 2, 2}, {2}},
          .sites = "sites_block",
          .values = "const-1",
          .type = Dtype::f16,
          .budget = Budget::nightly});
  }
};

template <RelationKind base>
std::vector<Case> cases() {
  return Sweep{{base, case_of<base>}}.all();
}

template <RelationKind base>
std::vector<Reject> rejects() {
  const Case good = case_of<base>({.n = 8, .active = 8, .values = "uniform", .bias = true});
  std::vector<Reject> r = conv_rejects(base, good);
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = good;
    change(c);
    r.push_back({c, reason, why});
  };
  with(
      [](Case& c) {
        c.attrs.set("weight_layout", "dense_5d");
        c.in[kWeight]->shape = {5, 1, 9, 3, 3};
      },
      Reason::shape, "27 kernel rows, of another kernel");
  return r;
}

// Down and up: a surface, and a scan to where it came from.
template <RelationKind base>
std::vector<Case> strided_bench() {
  const ConvKernel halving{{2}, {2}};
  std::vector<Case> c;
  for (const Dtype type : kTypes)
    c.push_back(
        case_of<base>(timed(base == RelationKind::forward ? 200000 : 25000, 64, type, "sites_surface", halving)));
  if (base == RelationKind::forward) c.push_back(case_of<base>(timed(170232, 64, Dtype::f32, "sites_scan-0", halving)));
  if (base == RelationKind::transposed) {
    c.push_back(case_of<base>(timed(14965, 64, Dtype::f32, "sites_scan-2", halving)));
    c.back().in.insert(c.back().in.end(),
                       {std::nullopt, input(Dtype::i32, {57809, 4}, "sites_scan-1"), count_input(57809)});
  }
  return c;
}

std::vector<Case> submanifold_bench() {
  std::vector<Case> c;
  const auto add = [&](std::int64_t n, std::int64_t channels, Dtype type, const char* sites) {
    c.push_back(case_of<RelationKind::submanifold>(timed(n, channels, type, sites, {})));
  };
  for (const Dtype type : kTypes)
    for (const std::int64_t channels : {16, 32, 64, 128}) add(200000, channels, type, "sites_surface");
  for (const std::int64_t channels : {32, 64, 128}) add(200000, channels, Dtype::f32, "sites_surface-1");
  for (const std::int64_t channels : {16, 64, 128}) add(50000, channels, Dtype::f32, "sites_surface");
  for (const std::int64_t channels : {16, 32, 64, 128}) add(1000000, channels, Dtype::f16, "sites_surface");
  for (const std::int64_t channels : {16, 32, 64}) add(1000000, channels, Dtype::f32, "sites_surface");
  add(170232, 64, Dtype::f32, "sites_scan-0");  // every voxel of a scan at 1, 2 and 4 mm
  add(57809, 64, Dtype::f32, "sites_scan-1");
  add(14965, 64, Dtype::f32, "sites_scan-2");
  add(170232, 64, Dtype::f16, "sites_scan-0");
  c.back().budget = Budget::nightly;
  for (const char* layout : {"layout_isolated", "layout_line", "layout_plane", "layout_grid", "layout_block-2",
                             "layout_block-3", "layout_block-4", "layout_block-8"})
    add(100000, 64, Dtype::f32, layout);
  for (Case& k : c)
    if (k.in[2]->shape.back() != 64 || k.in[0]->shape.front() > 200000 || k.in[0]->shape.front() == 50000 ||
        k.in[0]->fill.starts_with("layout_"))
      k.budget = Budget::nightly;
  return c;
}

template <RelationKind base>
std::vector<Case> bench() {
  return base == RelationKind::submanifold ? submanifold_bench() : strided_bench<base>();
}

constexpr std::string_view kMeaning =
    "f16 is summed in at least f32 and rounded once; the sizes of a dense_5d weight must be those of the kernel; rows "
    "beyond "
    "counts[1] are unspecified; relations as in the relation rows";

template <RelationKind base>
Op row(std::string_view name, std::string_view equation) {
  return {
      .name = name,
      .signature = conv_signature(base, kWeighted + ", bias? T[C]", kConvOutputs),
      .types = kConvTypes,
      .attrs = conv_attrs(base),
      .equation = equation,
      .meaning = kMeaning,
      .infer = infer<base>,
      .oracle = convolution<base>,
      .cases = cases<base>,
      .rejects = rejects<base>,
      .bench = bench<base>,
      .cost = [](const Call& c) { return conv_cost(c, base, infer<base>(c), 2); },
      .tolerance = {.kind = Tolerance::Class::accumulate, .terms = [](const Call& c) { return conv_terms(c, base); }},
      .active = active_outputs,
      .spot = [](const Call& c, std::uint64_t key) { return output_channels(c, {"weight"}, "bias", key); },
      .corpus = "sparse_conv",
      .corpus_call = [](Attrs& a) { return recorded_kind(base, a); }};
}

}  // namespace

std::vector<Op> convolution_ops() {
  using enum RelationKind;
  return {
      row<forward>("conv3d",
                   "Y[o] = bias + sum over edges (i,o,k) of the forward relation of X[i] W[k]; of the target relation "
                   "if targets are given"),
      row<submanifold>("subm_conv3d", "Y[o] = bias + sum over edges (i,o,k) of the submanifold relation of X[i] W[k]"),
      row<transposed>("conv_transpose3d",
                      "Y[o] = bias + sum over edges (i,o,k) of the transposed relation of X[i] W[k]; with targets, "
                      "edges where target[o] + padding - f[k] = in[i] * stride, f = 0..size-1 times dilation"),
      row<generative>("generative_conv_transpose3d",
                      "Y[o] = bias + X[i] W[k] for the edge (i,o,k) of the generative relation"),
  };
}

}  // namespace plumb
