// Cases, rejections and benchmark sizes of the rows that take a packed sparse weight.
#include <algorithm>

#include "reference/sparse/conv/conv_rows.h"
#include "reference/sparse/conv/sparse_quant.h"

namespace plumb::sparse_quant {
namespace {

using reference::active_targets;
using reference::count_input;
using reference::input;
using reference::RelationKind;
using reference::takes_targets;
using List = std::vector<std::int64_t>;

// A packed weight, appended to the inputs of a case.
struct Packed {
  std::int64_t kernels = 1, in = 32, out = 32, group = 32, bits = 4, padding = 0;  // padding: whole groups nobody reads
  Dtype type = Dtype::f32;
  std::string scales = "uniform", biases = "uniform";
  Layout layout = Layout::row;
};

void append(Case& c, const Packed& p) {
  const std::int64_t groups = (p.in + p.group - 1) / p.group + p.padding, words = groups * p.group * p.bits / 32;
  const auto shape = [&](std::int64_t n) { return p.kernels == 1 ? Shape{1, p.out, n} : Shape{p.kernels, n, p.out}; };
  // A broadcast kernel row is one for all; where there is one only, it repeats nothing.
  c.in.push_back(input(Dtype::u32, shape(words), "bits", p.layout));
  c.in.push_back(input(p.type, shape(groups), p.scales, p.layout));
  c.in.push_back(input(p.type, shape(groups), p.biases, p.layout));
  c.attrs.set("bits", p.bits);
}

// One convolution, from defaults that each sweep changes in one or two places.
struct Trial {
  std::int64_t n = 50, active = 46, in = 3, out = 5, group = 32, bits = 4, padding = 0;
  List size{3}, stride{1}, pad{0}, dilation{1};
  std::string sites = "sites_negative", values = "uniform", scales = "uniform", biases = "uniform";
  Dtype coords = Dtype::i32, type = Dtype::f32, scale_type = Dtype::f32;
  bool bias = false;
  std::int64_t targets = -1;
  Layout layout = Layout::row;
  Budget budget = Budget::ci;

  std::int64_t at(std::size_t a) const { return size.size() == 1 ? size[0] : size[a]; }
};

// Whole numbers everywhere: every sum is exact in f32.
Trial exact(Trial t) {
  t.values = "int-2", t.scales = "int-2", t.biases = "int-5";
  return t;
}
Trial half(Trial t) {
  t.type = t.scale_type = Dtype::f16;
  return t;
}

Case described(RelationKind base, const Trial& t) {
  Attrs attrs{{"kernel_size", t.size}};
  if (base != RelationKind::submanifold) attrs.set("stride", t.stride);
  if (takes_targets(base)) attrs.set("padding", t.pad);
  if (base != RelationKind::generative) attrs.set("dilation", t.dilation);
  const Layout vector = t.layout == Layout::broadcast ? Layout::row : t.layout;
  Case c{{input(t.coords, {t.n, 4}, t.sites, vector), count_input(t.active),
          input(t.type, {t.n, t.in}, t.values, t.layout)},
         attrs,
         t.budget};
  append(c, {.kernels = t.at(0) * t.at(1) * t.at(2),
             .in = t.in,
             .out = t.out,
             .group = t.group,
             .bits = t.bits,
             .padding = t.padding,
             .type = t.scale_type,
             .scales = t.scales,
             .biases = t.biases,
             .layout = t.layout});
  if (t.bias || t.targets >= 0) c.in.push_back(t.bias ? input(t.type, {t.out}, t.values, vector) : std::nullopt);
  if (t.targets >= 0) {
    c.in.push_back(input(t.coords, {t.targets, 4}, t.sites));
    c.in.push_back(count_input(active_targets(t.n, t.active, t.targets)));
  }
  return c;
}

class ConvCases {
 public:
  explicit ConvCases(RelationKind base) : base_(base) {}

  std::vector<Case> all() {
    geometry_sweep();
    packing_sweep();
    channel_sweep();
    row_sweep();
    value_sweep();
    if (matrix_) matrix_sweep();
    for (const std::int64_t out : {32, 64})
      add(half({.n = 8000,
                .active = 7990,
                .in = 64,
                .out = out,
                .group = 64,
                .bits = out == 32 ? 8 : 4,
                .sites = "sites_surface-1",
                .budget = Budget::nightly}));
    return std::move(cases_);
  }

 private:
  void add(Trial t) {
    const auto even = [](std::int64_t k) { return k % 2 == 0; };
    if (base_ == RelationKind::submanifold && std::any_of(t.size.begin(), t.size.end(), even)) return;
    cases_.push_back(described(base_, t));
  }
  void both(Trial t) {  // without and with targets
    add(t);
    t.targets = t.n / 2 + 3;
    if (base_ == RelationKind::forward) add(t);
  }

  void geometry_sweep() {
    struct {
      List size, stride, pad, dilation;
    } const steps[] = {{{3}, {1}, {0}, {1}},
                       {{2}, {2}, {0}, {1}},
                       {{3}, {2}, {1}, {1}},
                       {{3}, {1}, {1}, {1}},
                       {{1}, {1}, {0}, {1}},
                       {{1}, {2}, {0}, {1}},
                       {{3}, {1}, {0}, {2}},
                       {{2, 3, 1}, {1, 2, 1}, {0}, {1, 1, 2}},
                       {{1, 3, 5}, {1}, {0}, {1, 2, 1}}};
    for (const auto& s : steps) {
      const Trial t{.n = 24,
                    .active = 22,
                    .size = s.size,
                    .stride = s.stride,
                    .pad = s.pad,
                    .dilation = s.dilation,
                    .budget = Budget::smoke};
      both(exact(t));
      if (s.size.size() == 3 || s.stride[0] == 2) both(t);
      Trial h = half(t);
      h.bias = true, h.bits = 8, h.budget = Budget::ci;
      both(h);
    }
    for (const char* f :
         {"sites_batches", "sites_line", "sites_block", "sites_isolated", "sites_duplicates", "sites_extremes"})
      both(exact({.n = 70, .active = 68, .in = 5, .out = 7, .size = {3, 1, 3}, .sites = f}));
    for (const char* f : {"sites_negative", "sites_extremes"})
      both(exact({.size = {3, 3, 1}, .sites = f, .coords = Dtype::i64}));
    for (const reference::FarKernel& f : reference::far_kernels())
      both({.n = 30,
            .active = 27,
            .size = f.size,
            .stride = f.stride,
            .pad = f.padding,
            .dilation = f.dilation,
            .sites = f.sites,
            .coords = f.coords});
  }

  // One kernel row is stored in another order than several, on every path.
  void packing_sweep() {
    for (const std::int64_t bits : kBits)
      for (const std::int64_t group : kGroups)
        for (const List& size : {List{1}, List{3, 1, 1}})
          for (const std::int64_t in : {group - 3, group + 1})
            add({.n = 40,
                 .active = 40,
                 .in = in,
                 .out = 6,
                 .group = group,
                 .bits = bits,
                 .size = size,
                 .sites = "sites_block"});
    for (const List& size : {List{1}, List{1, 3, 1}})
      for (const Dtype type : {Dtype::f32, Dtype::f16})
        for (const Dtype scales : {Dtype::f32, Dtype::f16})
          add({.in = 9,
               .out = 4,
               .padding = 1,
               .size = size,
               .sites = "sites_block",
               .values = "uniform-3",
               .type = type,
               .scale_type = scales,
               .bias = true});
    for (const std::int64_t bits : kBits)
      both(exact({.in = 32, .out = 3, .bits = bits, .size = {1}, .stride = {2}, .sites = "sites_block"}));
  }

  // A row of codes is whole words of each output: any number of outputs must do.
  void channel_sweep() {
    for (const std::int64_t out : {1, 2, 3, 5, 15, 16, 17, 31, 33, 63, 64, 65, 130})
      add({.n = 40, .active = 40, .in = 17, .out = out, .size = {3, 1, 1}, .sites = "sites_block", .bias = true});
    for (const std::int64_t in : {1, 7, 8, 15, 16, 31, 32, 33, 127, 129, 160})
      add(half({.n = 40,
                .active = 40,
                .in = in,
                .out = 6,
                .bits = in % 2 == 0 ? 4 : 8,
                .size = {3, 1, 1},
                .sites = "sites_block"}));
  }

  void row_sweep() {
    for (const std::int64_t n : {0, 1, 2, 127, 128, 129, 257})
      both(exact({.n = n, .active = n, .in = 8, .out = 8, .size = {1, 3, 1}, .sites = "sites_block"}));
    both(exact({.n = 20, .active = 0, .size = {3, 1, 1}}));
  }

  void value_sweep() {
    const Trial t{.n = 30, .active = 28, .in = 40, .out = 12, .size = {3, 3, 1}, .sites = "sites_block", .bias = true};
    for (const char* v : {"cancel", "wide", "special", "const-1", "int-9", "tiny", "huge", "subnormal", "lanes-41"})
      for (Trial u : {t, half(t)}) {
        u.values = v;
        add(u);
      }
    // Weights beyond the largest float, infinite biases beside them, and features that are 0; few of them to a sum, so
    // that not every sum is NaN.
    for (const std::int64_t in : {1, 3})
      for (const List& size : {List{1}, List{3}})
        for (const char* scales : {"order", "const-3e38"})
          for (Trial u : {Trial{.n = 90, .active = 86}, half({.n = 90, .active = 86})}) {
            u.in = in, u.size = size, u.scales = scales, u.biases = "order", u.values = "int-1";
            add(u);
          }
    for (Trial u : {half(t), t}) {  // scales that are not finite: a row without edges keeps its bias
      u.scales = u.biases = u.type == Dtype::f16 ? "special" : "wide", u.values = "int-3";
      add(u);
    }
    // sums beyond 2^11, where an accumulator of half precision would stand still
    add(half({.n = 20,
              .active = 20,
              .in = 512,
              .out = 4,
              .size = {3, 1, 1},
              .sites = "sites_block",
              .values = "const-1",
              .scales = "const-0",
              .biases = "const-1"}));
    for (const Layout l : kLayouts)
      both(exact({.n = 20, .active = 18, .in = 4, .out = 6, .size = {1, 3, 1}, .layout = l}));
  }

  // Both sides of every condition of the routes for matrix units.
  void matrix_sweep() {
    const Trial t = half({.n = 70, .active = 66, .in = 32, .out = 32, .sites = "sites_block"});
    for (const std::int64_t in : {32, 64})
      for (const std::int64_t out : {32, 64}) {
        Trial u = t;
        u.in = in, u.out = out, u.bits = out == 32 ? 4 : 8, u.group = in;
        u.budget = in + out == 64 ? Budget::smoke : Budget::ci;
        add(u);
      }
    Trial two = t;  // two groups to a row
    two.in = 64, two.n = 200, two.active = 190, two.sites = "sites_surface-1", two.bias = true;
    add(two);
    Trial whole = exact(t);
    whole.values = "int-1";
    both(whole);
    Trial f32 = t;
    f32.type = Dtype::f32;  // rounded to f16, as the scales are
    add(f32);
    f32.type = Dtype::f16, f32.scale_type = Dtype::f32;
    add(f32);
    for (const char* s : {"special", "wide-20", "const-60000"}) {  // weights beyond or below what f16 holds
      Trial u = t;
      u.n = u.active = 27, u.scales = s, u.bias = true;
      add(u);
    }
    for (const std::int64_t in : {31, 48, 96}) add(with(t, [&](Trial& u) { u.in = in; }));
    for (const std::int64_t out : {16, 31, 48, 96}) add(with(t, [&](Trial& u) { u.out = out; }));
    add(with(t, [](Trial& u) { u.group = 64; }));  // half of what is stored is padding
    add(with(t, [](Trial& u) { u.padding = 1; }));
    add(with(t, [](Trial& u) { u.size = {3, 3, 1}; }));
    add(with(t, [](Trial& u) { u.size = {5, 3, 1}; }));
    add(with(t, [](Trial& u) { u.size = {27, 1, 1}; }));
    add(with(t, [](Trial& u) { u.dilation = {2}; }));
    add(with(t, [](Trial& u) {
      u.n = 1;
      u.active = 1;
    }));
    add(with(t, [](Trial& u) {
      u.n = 0;
      u.active = 0;
    }));
    add(with(t, [](Trial& u) { u.values = "special"; }));
    for (const std::int64_t n : {127, 128, 129})
      add(with(t, [&](Trial& u) {
        u.n = u.active = n;
        u.values = "int-1";
      }));
  }

  template <class F>
  static Trial with(Trial t, F&& change) {
    change(t);
    return t;
  }

  RelationKind base_;
  bool matrix_ = base_ == RelationKind::forward || base_ == RelationKind::submanifold;
  std::vector<Case> cases_;
};

// What every row that takes a packed weight refuses; `good` has it at input `weight`, for five output channels.
template <class Add>
void packing_rejects(Add&& with, std::size_t weight, bool pointwise) {
  const std::size_t out = pointwise ? 1 : 2, last = pointwise ? 2 : 1;
  for (const std::int64_t bits : {5, 2, 0, 16})
    with([=](Case& c) { c.attrs.set("bits", bits); }, Reason::attribute, "no such width");
  for (const std::int64_t group : {48, 16, 0})
    with([=](Case& c) { c.attrs.set("group_size", group); }, Reason::attribute, "no such group");
  with([=](Case& c) { c.attrs.set("group_size", 64); }, Reason::shape, "groups of another size");
  with([=](Case& c) { c.attrs.set("storage_in_channels", 64); }, Reason::shape, "another number of stored channels");
  with([=](Case& c) { c.attrs.set("in_channels", 0); }, Reason::attribute, "no input channels");
  with([=](Case& c) { c.attrs.set("in_channels", 33); }, Reason::shape, "more channels than are stored");
  with([=](Case& c) { c.attrs.set("out_channels", 6); }, Reason::shape, "another number of outputs");
  with([=](Case& c) { c.attrs.set("out_channels", -5); }, Reason::attribute, "fewer than no outputs");
  with([=](Case& c) { c.in[weight]->shape[last] = 12; }, Reason::shape, "more words than the groups have");
  with([=](Case& c) { c.in[weight]->shape[last] = 0; }, Reason::shape, "no words");
  with(
      [=](Case& c) {
        for (std::size_t i = weight; i < weight + 3; ++i) c.in[i]->shape[out] = 0;
      },
      Reason::shape, "no outputs");
  with([=](Case& c) { std::swap(c.in[weight]->shape[1], c.in[weight]->shape[2]); }, Reason::shape,
       "the other order of axes");
  with([=](Case& c) { c.in[weight + 1]->shape[out] = c.in[weight + 2]->shape[out] = 4; }, Reason::shape,
       "scales for fewer outputs");
}

Case linear_case(std::int64_t n, const Packed& p, Dtype type, std::string values, Budget budget = Budget::ci) {
  Case c{{input(type, {n, p.in}, std::move(values), p.layout)}, {}, budget};
  append(c, p);
  return c;
}

}  // namespace

std::vector<Case> conv_cases(RelationKind base) { return ConvCases(base).all(); }

std::vector<Reject> conv_rejects(RelationKind base) {
  std::vector<Reject> r;
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = described(base, {.n = 8, .active = 8, .size = {3, 1, 1}, .bias = true});
    change(c);
    r.push_back({c, reason, why});
  };
  packing_rejects(with, kWeight, false);
  with([](Case& c) { c.attrs.set("kernel_size", List{0, 1, 1}); }, Reason::attribute, "a kernel without extent");
  with([](Case& c) { c.attrs.set("kernel_size", List{5, 1, 1}); }, Reason::shape, "another kernel");
  with([](Case& c) { c.in[kFeatures]->shape[1] = 33; }, Reason::shape, "more channels than are stored");
  with([](Case& c) { c.in[kFeatures]->shape[1] = 0; }, Reason::shape, "no channels");
  with([](Case& c) { c.attrs.set("in_channels", 4); }, Reason::shape, "features of other channels");
  with([](Case& c) { c.in[kBias]->shape = {6}; }, Reason::shape, "a bias of another length");
  if (base == RelationKind::submanifold)
    with([](Case& c) { c.attrs.set("kernel_size", List{2, 3, 3}); }, Reason::attribute, "an even size has no centre");
  if (base != RelationKind::forward)
    with(
        [](Case& c) {
          c.in.insert(c.in.end(), {input(Dtype::i32, {4, 4}, "sites_box"), count_input(4)});
        },
        Reason::arity, "targets");
  return r;
}

std::vector<Case> conv_bench(RelationKind base) {
  std::vector<Case> c;
  const auto add = [&](std::int64_t n, std::int64_t channels, std::int64_t bits, Dtype type, std::int64_t size,
                       std::int64_t stride) {
    c.push_back(described(base, {.n = n,
                                 .active = n,
                                 .in = channels,
                                 .out = channels,
                                 .group = std::min<std::int64_t>(64, channels),
                                 .bits = bits,
                                 .size = {size},
                                 .stride = {stride},
                                 .sites = "sites_surface",
                                 .type = type,
                                 .scale_type = type}));
  };
  if (base != RelationKind::submanifold) {
    add(base == RelationKind::forward ? 200000 : 25000, 64, 4, Dtype::f16, 2, 2);
    add(base == RelationKind::forward ? 200000 : 25000, 64, 8, Dtype::f32, 2, 2);
    return c;
  }
  for (const std::int64_t bits : kBits) add(200000, 64, bits, Dtype::f16, 3, 1);
  add(200000, 32, 4, Dtype::f16, 3, 1);
  add(200000, 64, 4, Dtype::f32, 3, 1);
  for (Case& k : c)
    if (k.in[kFeatures]->shape.back() != 64) k.budget = Budget::nightly;
  return c;
}

std::vector<Case> linear_cases() {
  std::vector<Case> cases;
  for (const std::int64_t bits : kBits)
    for (const std::int64_t group : kGroups)
      for (const std::int64_t in : {group - 3, 2 * group + 1})
        cases.push_back(
            linear_case(9, {.in = in, .out = 7, .group = group, .bits = bits}, Dtype::f32, "uniform", Budget::smoke));
  for (const Dtype type : {Dtype::f32, Dtype::f16})
    for (const Dtype scales : {Dtype::f32, Dtype::f16})
      for (const int bias : {0, 1, 2}) {
        const std::int64_t rows = bias == 1 ? 2 : 12;
        Case c =
            linear_case(rows, {.in = 33, .out = 5, .padding = 1, .type = scales}, type, "uniform-3", Budget::smoke);
        if (bias > 0) c.in.push_back(input(bias == 1 ? Dtype::f32 : Dtype::f16, {5}, "uniform"));
        cases.push_back(c);
      }
  const Packed whole{.in = 40, .out = 33, .scales = "int-2", .biases = "int-5"};
  for (const std::int64_t n : {0, 1, 2, 127, 128, 129, 300})
    cases.push_back(linear_case(n, whole, Dtype::f32, "int-2"));
  for (const std::int64_t out : {1, 3, 15, 16, 17, 63, 64, 65, 127, 129})
    cases.push_back(linear_case(20, {.in = 64, .out = out, .group = 64, .bits = 8}, Dtype::f16, "uniform"));
  for (const char* v : {"cancel", "wide", "special", "const-1", "int-9", "tiny", "huge", "subnormal", "lanes-101"})
    for (const Dtype type : {Dtype::f32, Dtype::f16})
      cases.push_back(linear_case(20, {.in = 100, .out = 12, .type = type}, type, v));
  cases.push_back(linear_case(6, {.in = 40, .out = 9, .type = Dtype::f16, .scales = "special", .biases = "special"},
                              Dtype::f16, "int-3"));
  for (const char* s : {"order", "const-3e38"})  // weights beyond the largest float, also of features that are 0
    for (const std::int64_t in : {1, 3, 40})
      for (const Dtype type : {Dtype::f32, Dtype::f16})
        cases.push_back(
            linear_case(20, {.in = in, .out = 9, .type = type, .scales = s, .biases = "order"}, type, "int-1"));
  cases.push_back(
      linear_case(3, {.in = 4096, .out = 4, .group = 128, .type = Dtype::f16, .scales = "const-0", .biases = "const-1"},
                  Dtype::f16, "const-1"));
  for (const Layout l : kLayouts) {
    Packed p = whole;
    p.layout = l;
    cases.push_back(linear_case(9, p, Dtype::f32, "int-2"));
  }
  cases.push_back(linear_case(3000, {.in = 256, .out = 200, .group = 64}, Dtype::f16, "uniform", Budget::nightly));
  return cases;
}

std::vector<Reject> linear_rejects() {
  std::vector<Reject> r;
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = linear_case(8, {.in = 3, .out = 5}, Dtype::f32, "uniform");
    c.in.push_back(input(Dtype::f32, {5}, "uniform"));
    change(c);
    r.push_back({c, reason, why});
  };
  packing_rejects(with, 1, true);
  with([](Case& c) { c.in[0]->shape = {8, 33}; }, Reason::shape, "more channels than are stored");
  with([](Case& c) { c.in[0]->shape = {8, 0}; }, Reason::shape, "no channels");
  with([](Case& c) { c.attrs.set("in_channels", 4); }, Reason::shape, "features of other channels");
  return r;
}

std::vector<Case> linear_bench() {
  std::vector<Case> c;
  for (const std::int64_t bits : kBits)
    c.push_back(linear_case(200000, {.in = 64, .out = 64, .group = 64, .bits = bits, .type = Dtype::f16}, Dtype::f16,
                            "uniform"));
  c.push_back(linear_case(100000, {.in = 256, .out = 256, .group = 64}, Dtype::f32, "uniform"));
  return c;
}

namespace {

Case dequantize_case(const Packed& p, const char* layout, const List& size, bool all, Budget budget = Budget::ci) {
  Case c{{}, {{"layout", layout}}, budget};
  append(c, p);
  c.attrs.set("kernel_size", size);
  if (!all) c.attrs.set("in_channels", p.in);
  return c;
}

}  // namespace

std::vector<Case> dequantize_cases() {
  std::vector<Case> cases;
  struct {
    const char* layout;
    List size;
  } const forms[] = {
      {"linear", {1}}, {"kernel_major", {1}}, {"dense_5d", {1}}, {"kernel_major", {3, 2, 1}}, {"dense_5d", {2, 1, 3}}};
  for (const auto& f : forms)
    for (const std::int64_t bits : kBits) {
      const std::int64_t kernels = f.size.size() == 1 ? 1 : 6;
      for (const Dtype t : {Dtype::f32, Dtype::f16})
        for (const std::int64_t group : kGroups) {
          const Packed p{.kernels = kernels, .in = group + 5, .out = 7, .group = group, .bits = bits, .type = t};
          cases.push_back(dequantize_case(p, f.layout, f.size, false, t == Dtype::f32 ? Budget::smoke : Budget::ci));
          cases.push_back(dequantize_case(p, f.layout, f.size, true));
        }
      for (const char* v : {"special", "order", "wide", "int-9", "uniform-900"})
        for (const Dtype t : {Dtype::f32, Dtype::f16})
          cases.push_back(dequantize_case(
              {.kernels = kernels, .in = 33, .out = 4, .bits = bits, .type = t, .scales = v, .biases = v}, f.layout,
              f.size, false));
      for (const Layout l : kLayouts)
        cases.push_back(dequantize_case({.kernels = kernels, .in = 33, .out = 5, .bits = bits, .layout = l}, f.layout,
                                        f.size, false));
      for (const std::int64_t out : {1, 16, 65})
        cases.push_back(dequantize_case({.kernels = kernels, .in = 1, .out = out, .bits = bits, .padding = 1}, f.layout,
                                        f.size, false));
    }
  return cases;
}

std::vector<Reject> dequantize_rejects() {
  std::vector<Reject> r;
  const auto with = [&](auto change, Reason reason, const char* why) {
    Case c = dequantize_case({.kernels = 3, .in = 3, .out = 5}, "kernel_major", {3, 1, 1}, false);
    change(c);
    r.push_back({c, reason, why});
  };
  packing_rejects(with, 0, false);
  with([](Case& c) { c.attrs.set("layout", "last"); }, Reason::attribute, "an unknown layout");
  with([](Case& c) { c.attrs.set("layout", "linear"); }, Reason::attribute, "three kernel rows in a matrix");
  with([](Case& c) { c.attrs.set("kernel_size", List{3, 0, 1}); }, Reason::attribute, "a kernel without extent");
  with([](Case& c) { c.attrs.set("kernel_size", List{3, 2, 1}); }, Reason::shape, "another kernel");
  return r;
}

std::vector<Case> dequantize_bench() {
  return {dequantize_case({.kernels = 27, .in = 256, .out = 256, .group = 64, .type = Dtype::f16}, "kernel_major", {3},
                          true),
          dequantize_case({.kernels = 27, .in = 256, .out = 256, .group = 64, .bits = 8}, "dense_5d", {3}, true)};
}

}  // namespace plumb::sparse_quant
