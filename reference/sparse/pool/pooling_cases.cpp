// What sparse pooling and its derivatives are tried on, refused for and timed with.
#include <algorithm>

#include "reference/sparse/pool/pooling.h"

namespace plumb::reference {
namespace {

using List = std::vector<std::int64_t>;
using namespace pool_input;

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout = Layout::row) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}
std::optional<Input> rows(std::int64_t n) { return input(Dtype::i32, {1}, "const-" + std::to_string(n)); }

// One case, from defaults that each sweep changes in one or two places.
struct Trial {
  std::int64_t n = 60, active = 55, channels = 5;
  List size{2}, stride{2}, padding{0}, dilation{1};
  std::string sites = "sites_negative", values = "uniform", seeds = "";
  Dtype coords = Dtype::i32, type = Dtype::f32;
  std::int64_t targets = -1;
  Layout layout = Layout::row;
  Budget budget = Budget::ci;
};

class Cases {
 public:
  Cases(Pooling kind, Derivative d) : kind_(kind), derivative_(d) {}

  Case described(const Trial& t) const {
    const Layout plain = t.layout == Layout::broadcast ? Layout::row : t.layout;
    Case c{{input(t.coords, {t.n, 4}, t.sites, plain), rows(t.active),
            input(t.type, {t.n, t.channels}, t.values, t.layout)},
           attrs(t),
           t.budget};
    const std::int64_t seeds = derivative_ == Derivative::jvp ? t.n : t.targets >= 0 ? t.targets : capacity(t);
    if (derivative_ != Derivative::none)
      c.in.push_back(input(t.type, {seeds, t.channels}, t.seeds.empty() ? t.values : t.seeds, t.layout));
    if (t.targets >= 0) {
      c.in.push_back(input(t.coords, {t.targets, 4}, t.sites));
      c.in.push_back(rows(active_targets(t.n, t.active, t.targets)));
    }
    return c;
  }

  std::vector<Case> all() {
    geometry_sweep();
    site_sweep();
    size_sweep();
    value_sweep();
    for (const Dtype type : kTypes)
      both({.n = 5000,
            .active = 4990,
            .channels = 33,
            .sites = "sites_surface-1",
            .type = type,
            .budget = Budget::nightly});
    return std::move(cases_);
  }

 private:
  static constexpr Dtype kTypes[] = {Dtype::f32, Dtype::f16};

  bool expands() const { return kind_ == Pooling::transposed || kind_ == Pooling::trilinear; }
  std::int64_t capacity(const Trial& t) const {
    std::int64_t K = 1;
    for (std::size_t a = 0; a < 3; ++a) {
      const List& v = kind_ == Pooling::trilinear ? t.stride : t.size;
      const std::int64_t k = v.size() == 1 ? v[0] : v[a];
      K *= kind_ == Pooling::trilinear ? 2 * k - 1 : k;
    }
    return expands() ? t.n * K : t.n;
  }
  Attrs attrs(const Trial& t) const {
    if (kind_ == Pooling::trilinear) return {{"stride", t.stride}};
    return {{"kernel_size", t.size}, {"stride", t.stride}, {"padding", t.padding}, {"dilation", t.dilation}};
  }

  void add(const Trial& t) { cases_.push_back(described(t)); }
  // Without and with targets.
  void both(Trial t) {
    const std::int64_t most = kind_ == Pooling::trilinear ? 20 : 40;  // inputs of a kind that makes many outputs
    if (expands() && t.n > most && t.budget != Budget::nightly) {
      t.active = t.active * most / t.n;
      t.n = most;
    }
    add(t);
    t.targets = t.n / 2 + 3;
    if (expands()) add(t);
  }

  // Windows that tile, overlap, leave gaps (inputs lost, outputs without edges), shift, dilate.
  void geometry_sweep() {
    struct Step {
      List size, stride, padding, dilation;
    };
    std::vector<Step> steps{{{2}, {2}, {0}, {1}},
                            {{3}, {2}, {0}, {1}},
                            {{3}, {2}, {1}, {1}},
                            {{3}, {4}, {0}, {1}},
                            {{1}, {1}, {0}, {1}},
                            {{3}, {1}, {0}, {1}},
                            {{3}, {1}, {1}, {2}},
                            {{2, 3, 1}, {2, 1, 3}, {0, 1, 0}, {1, 2, 1}},
                            {{4, 2, 3}, {3, 2, 1}, {1, 0, 2}, {1, 1, 2}}};
    if (kind_ == Pooling::trilinear)
      steps = {{{}, {2}, {}, {}}, {{}, {1}, {}, {}}, {{}, {3}, {}, {}}, {{}, {2, 1, 3}, {}, {}}};
    Dtype whole = Dtype::f32;  // the type whose smallest cases are of whole numbers, by turns
    for (const Step& s : steps) {
      whole = whole == Dtype::f32 ? Dtype::f16 : Dtype::f32;
      for (const Dtype type : kTypes)
        for (const char* values : {"uniform", "int-1"})
          both({.n = 40,
                .active = 37,
                .channels = 3,
                .size = s.size,
                .stride = s.stride,
                .padding = s.padding,
                .dilation = s.dilation,
                .values = values,
                .type = type,
                .budget = (values[0] == 'i') == (type == whole) ? Budget::smoke : Budget::ci});
    }
  }

  void site_sweep() {
    for (const FarKernel& f : far_kernels())
      both({.n = 30,
            .active = 27,
            .channels = 3,
            .size = f.size,
            .stride = f.stride,
            .padding = f.padding,
            .dilation = f.dilation,
            .sites = f.sites,
            .coords = f.coords});
    for (const char* f :
         {"sites_batches", "sites_batches-3", "sites_line", "sites_plane", "sites_block", "sites_surface-1",
          "sites_isolated", "sites_duplicates", "sites_duplicates-40", "sites_extremes"})
      both({.n = 130, .active = 128, .channels = 4, .size = {3}, .sites = f, .values = "int-2"});
    for (const char* f : {"sites_negative-1", "sites_extremes", "sites_isolated-1099511627776"})
      both({.size = {3}, .sites = f, .coords = Dtype::i64});
    both({.size = {3}, .stride = {1}, .sites = "sites_duplicates-3"});  // repeated outputs, of repeated inputs
  }

  void size_sweep() {
    for (const std::int64_t c : {0, 1, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 130})
      for (const Dtype type : kTypes)
        add({.n = kind_ == Pooling::trilinear ? 5 : 30,
             .active = kind_ == Pooling::trilinear ? 5 : 30,
             .channels = c,
             .sites = "sites_block",
             .type = type});
    for (const std::int64_t n : {0, 1, 2, 127, 128, 129, 513})
      both({.n = n, .active = n, .channels = 3, .sites = "sites_block", .values = "int-3"});
    for (const std::int64_t a : {0, 1}) both({.active = a, .type = a == 0 ? Dtype::f16 : Dtype::f32});
  }

  // All below zero, all ones (the divisor), ties, what is not finite, what cancels; windows of nothing but -inf, some
  // of them beside others (masked-7) and all (masked-8).
  void value_sweep() {
    for (const Dtype type : kTypes) {
      for (const char* v : {"const--2", "const-1", "special", "cancel", "wide", "masked", "masked-7", "masked-8",
                            "tiny", "huge", "subnormal", "lanes"})
        both({.n = 50, .active = 45, .channels = 6, .size = {3}, .sites = "sites_block", .values = v, .type = type});
      if (derivative_ != Derivative::none)
        for (const char* v : {"const--2", "special", "masked-7", "masked-8", "int-1"})
          both({.n = 50,
                .active = 45,
                .size = {3},
                .sites = "sites_block",
                .values = v,
                .seeds = "uniform",
                .type = type});
      for (const Layout l : kLayouts) both({.n = 24, .active = 20, .values = "int-3", .type = type, .layout = l});
    }
    if (expands()) return;
    // sums beyond 2^11, where an accumulator of half precision would stand still
    add({.n = 343,
         .active = 343,
         .channels = 2,
         .size = {7},
         .stride = {7},
         .sites = "sites_block",
         .values = "const-24",
         .type = Dtype::f16});
  }

  Pooling kind_;
  Derivative derivative_;
  std::vector<Case> cases_;
};

class Rejects {
 public:
  Rejects(Pooling kind, Derivative d) : kind_(kind), derivative_(d) {}

  std::vector<Reject> all() {
    geometry();
    if (derivative_ == Derivative::vjp) seeds();
    return std::move(rejects_);
  }

 private:
  template <class F>
  void with(F change, Reason reason, const char* why) {
    Case c = Cases(kind_, derivative_).described({.n = 8, .active = 8, .channels = 3});
    change(c);
    rejects_.push_back({c, reason, why});
  }
  void attr(const char* name, List value, Reason reason, const char* why) {
    with([&](Case& c) { c.attrs.set(name, value); }, reason, why);
  }

  void geometry() {
    attr("stride", {0}, Reason::attribute, "a stride of zero");
    attr("stride", {1, 2}, Reason::attribute, "two strides");
    if (kind_ == Pooling::trilinear) return attr("stride", {2000}, Reason::memory, "kernel rows beyond 2^31");
    attr("kernel_size", {2, 0, 2}, Reason::attribute, "a kernel without extent");
    attr("kernel_size", {2000}, Reason::memory, "kernel rows beyond 2^31");
    attr("padding", {-1}, Reason::attribute, "a negative padding");
    attr("dilation", {0}, Reason::attribute, "a dilation of zero");
  }

  void seeds() {
    with([](Case& c) { ++c.in[kSeed]->shape[0]; }, Reason::shape, "more seeds than there can be rows");
    with([](Case& c) { c.in[kSeed]->shape[0] = 0; }, Reason::domain, "a cotangent without the active rows");
  }

  Pooling kind_;
  Derivative derivative_;
  std::vector<Reject> rejects_;
};

}  // namespace

std::vector<Case> pooling_cases(Pooling kind, Derivative d) { return Cases(kind, d).all(); }
std::vector<Reject> pooling_rejects(Pooling kind, Derivative d) { return Rejects(kind, d).all(); }

std::vector<Case> pooling_bench(Pooling kind, Derivative d) {
  const bool expands = kind == Pooling::transposed || kind == Pooling::trilinear;
  const std::int64_t n = kind == Pooling::trilinear ? 10000 : expands ? 50000 : 200000;
  std::vector<Case> c;
  for (const Dtype type : {Dtype::f32, Dtype::f16})
    c.push_back(
        Cases(kind, d).described({.n = n, .active = n, .channels = 64, .sites = "sites_surface", .type = type}));
  if (!expands)
    c.push_back(
        Cases(kind, d).described({.n = n, .active = n, .channels = 32, .size = {3}, .sites = "sites_surface-1"}));
  return c;
}

}  // namespace plumb::reference
