// Cases, rejections and benchmark sizes of quantize_weight.
#include "reference/sparse/conv/conv_rows.h"
#include "reference/sparse/conv/sparse_quant.h"

namespace plumb::sparse_quant {

using reference::input;

std::vector<Case> quantize_cases() {
  std::vector<Case> cases;
  const auto add = [&](Dtype t, Shape w, const char* fill, std::int64_t group, std::int64_t bits,
                       Layout layout = Layout::row, Budget budget = Budget::ci) {
    Attrs attrs{{"bits", bits}};
    if (group > 0) attrs.set("group_size", group);
    cases.push_back({{input(t, std::move(w), fill, layout)}, attrs, budget});
  };
  for (const Dtype t : {Dtype::f32, Dtype::f16})
    for (const std::int64_t bits : kBits)
      for (const std::int64_t group : {0, 32, 64, 128})
        for (const Shape& w : {Shape{3, 70}, Shape{4, 33, 5}, Shape{3, 1, 2, 2, 40}})
          add(t, w, "uniform", group, bits, Layout::row, t == Dtype::f32 ? Budget::smoke : Budget::ci);
  // The default group, and one kernel row in each layout.
  for (const std::int64_t in : {1, 31, 32, 63, 64, 65, 129}) add(Dtype::f32, {5, in}, "uniform", 0, 4);
  for (const Shape& w :
       {Shape{1, 33, 6}, Shape{6, 1, 1, 1, 33}, Shape{1, 1, 1}, Shape{1, 1}, Shape{2, 1, 1}, Shape{1, 2, 1, 1, 1}})
    add(Dtype::f32, w, "uniform", 0, 8);
  for (const char* f : {"groups", "groups-64", "const-0", "const--2", "const-1", "ramp", "pow2-12", "wide", "cancel",
                        "int-9", "positive"})
    for (const Dtype t : {Dtype::f32, Dtype::f16})
      for (const Shape& w : {Shape{24, 64}, Shape{2, 96, 3}}) add(t, w, f, 32, f[0] == 'g' ? 8 : 4);
  for (const Dtype t : {Dtype::f32, Dtype::f16})
    for (const Shape& w : {Shape{24, 64}, Shape{2, 96, 3}, Shape{1, 40, 70}}) {
      for (const char* f : {"special", "special-100", "order", "const-3e38"}) add(t, w, f, 32, 4);
      add(t, w, "huge-1", 32, 8);
    }
  for (const Dtype t : {Dtype::f32, Dtype::f16})  // NaN, infinities and extremes in each lane by turns, one to a group
    add(t, {225, 32}, "lanes-33", 32, 4, Layout::row, t == Dtype::f32 ? Budget::smoke : Budget::ci);
  for (const Layout l : kLayouts)
    for (const Shape& w : {Shape{5, 40}, Shape{3, 40, 4}, Shape{4, 2, 1, 3, 33}})
      add(Dtype::f32, w, "uniform", 32, 4, l);
  for (const std::int64_t out : {15, 16, 17, 63, 64, 65, 129})
    for (const bool one : {true, false}) add(Dtype::f16, one ? Shape{out, 32} : Shape{2, 32, out}, "uniform", 32, 8);
  return cases;
}

std::vector<Reject> quantize_rejects() {
  const auto call = [](Dtype t, Shape w, Attrs attrs) {
    return Case{{input(t, std::move(w), "uniform")}, std::move(attrs), Budget::smoke};
  };
  return {
      {call(Dtype::f32, {4, 64}, {{"bits", 5}}), Reason::attribute, "no such width"},
      {call(Dtype::f32, {4, 64}, {{"bits", 2}}), Reason::attribute, "no such width"},
      {call(Dtype::f32, {4, 64}, {{"group_size", 16}}), Reason::attribute, "no such group"},
      {call(Dtype::f32, {4, 64}, {{"group_size", 256}}), Reason::attribute, "no such group"},
      {call(Dtype::f32, {0, 64}, {}), Reason::shape, "no outputs"},
      {call(Dtype::f32, {4, 0}, {}), Reason::shape, "no inputs"},
      {call(Dtype::f32, {0, 4, 4}, {}), Reason::shape, "no kernel rows"},
  };
}

std::vector<Case> quantize_bench() {
  return {{{input(Dtype::f32, {27, 256, 256}, "uniform")}, {{"group_size", 64}, {"bits", 4}}},
          {{input(Dtype::f16, {256, 3, 3, 3, 256}, "uniform")}, {{"group_size", 64}, {"bits", 8}}}};
}

}  // namespace plumb::sparse_quant
