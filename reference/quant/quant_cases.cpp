// Cases, rejections and benchmark sizes of the quantization rows.
#include "reference/quant/quant.h"

namespace plumb::quant {
namespace {

Attrs attributes(std::int64_t group, std::int64_t bits) { return {{"group_size", group}, {"bits", bits}}; }

Case quantize_case(Budget budget, Input w, std::int64_t group, std::int64_t bits) {
  return {{std::move(w)}, attributes(group, bits), budget};
}

// Groups that are lost, in one lane or in all, ranges that overflow float32, and ties.
void add_unusual(std::vector<Case>& cases) {
  const auto add = [&](Budget budget, Dtype t, Shape w, std::string_view fill, std::int64_t group, std::int64_t bits) {
    cases.push_back(quantize_case(budget, {t, std::move(w), Layout::row, std::string(fill)}, group, bits));
  };
  for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    const Budget budget = t == Dtype::f32 ? Budget::smoke : Budget::ci;
    for (const std::int64_t bits : kBits)
      for (const std::string_view fill :
           {std::string_view("special"), std::string_view("order"), std::string_view("huge-1")})
        add(budget, t, {4, 128}, fill, 32, bits);
    for (const std::int64_t bits : {1, 2, 8})
      for (const std::string_view fill : {"const-3e38", "const-6e4", "special-100", "int-2", "int-9"})
        add(budget, t, {4, 128}, fill, 64, bits);
    // NaN, infinities and extremes in each lane by turns, one to a group.
    for (const std::int64_t bits : {1, 4}) {
      add(budget, t, {225, 32}, "lanes-33", 32, bits);
      add(Budget::ci, t, {449, 64}, "lanes-65", 64, bits);
      add(Budget::ci, t, {897, 128}, "lanes-129", 128, bits);
    }
  }
}

}  // namespace

std::vector<Case> quantize_cases() {
  std::vector<Case> cases;
  const auto add = [&](Budget budget, Input w, std::int64_t group, std::int64_t bits) {
    cases.push_back(quantize_case(budget, std::move(w), group, bits));
  };
  for (const std::int64_t bits : kBits)
    for (const std::int64_t group : kGroups) {
      add(Budget::smoke, {Dtype::f32, {2, 2 * group}}, group, bits);
      for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
        add(Budget::ci, {t, {3, 3 * group}, Layout::row, "groups"}, group, bits);
        add(Budget::ci, {t, {2, 2, group}, Layout::row, "uniform-300"}, group, bits);
      }
    }
  for (const Layout layout : kLayouts)
    for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::bf16}) add(Budget::ci, {t, {5, 128}, layout}, 64, 3);
  // Around one work-group's share, 2048 elements, and around the least share of a thread.
  for (const std::int64_t rows : {63, 64, 65, 129})
    add(Budget::ci, {Dtype::f32, {rows, 32}, Layout::row, "int-9"}, 32, 5);
  for (const Shape& s : {Shape{0, 64}, Shape{3, 0}, Shape{0, 0}, Shape{1, 2, 0, 64}})
    for (const std::int64_t bits : {1, 2, 5}) add(Budget::smoke, {Dtype::f32, s}, 64, bits);
  for (const std::string_view f : {"wide", "cancel", "pow2-30", "const-0", "const-1", "ramp"})
    for (const std::int64_t bits : {1, 4})
      add(Budget::smoke, {Dtype::f32, {2, 64}, Layout::row, std::string(f)}, 32, bits);
  add(Budget::ci, {Dtype::f32, {129, 1024}}, 128, 6);
  add(Budget::nightly, {Dtype::f32, {1024, 4096}}, 64, 4);
  add_unusual(cases);
  for (const Mode& m : kModes)
    for (const Dtype t : {Dtype::f32, Dtype::f16, Dtype::bf16})
      for (const std::string_view f : {"uniform", "groups", "pow2-6", "int-9", "wide-30", "special", "order",
                                       "lanes-33", "const-3e38", "huge-1", "wide-140"})
        if (&m != kModes)
          cases.push_back(
              {{Input{t, {3, 64}, Layout::row, std::string(f)}}, {{"mode", std::string(m.name)}}, Budget::smoke});
  for (const Dtype t : {Dtype::f32, Dtype::bf16})
    cases.push_back(
        {{Input{t, {2, 48}}, Input{Dtype::f32, {1}, Layout::row, "const-3"}}, {{"mode", "nvfp4"}}, Budget::smoke});
  return cases;
}

std::vector<Reject> quantize_rejects() {
  const auto call = [](Input w, Attrs attrs) { return Case{{std::move(w)}, std::move(attrs), Budget::smoke}; };
  const Input good{Dtype::f32, {2, 64}};
  Case scaled = call(good, {{"mode", "mxfp4"}}), two = call(good, {{"mode", "nvfp4"}});
  scaled.in.push_back(Input{Dtype::f32, {}});
  two.in.push_back(Input{Dtype::f32, {2}});
  return {
      {call(good, {{"mode", "mxfp5"}}), Reason::attribute, "unknown mode"},
      {call({Dtype::f32, {2, 48}}, {{"group_size", 32}}), Reason::shape, "ragged last group"},
      {call(good, {{"group_size", 0}}), Reason::attribute, "empty groups"},
      {call({Dtype::f32, {2, 96}}, {{"group_size", 48}}), Reason::attribute, "no such group size"},
      {call(good, {{"bits", 7}}), Reason::attribute, "no such width"},
      {call(good, {{"bits", 0}}), Reason::attribute, "no bits"},
      {call(good, {{"mode", "mxfp4"}, {"group_size", 64}}), Reason::attribute, "the mode fixes the group size"},
      {call(good, {{"mode", "mxfp8"}, {"bits", 4}}), Reason::attribute, "the mode fixes the width"},
      {call({Dtype::f32, {2, 64}}, {{"mode", "nvfp4"}, {"group_size", 32}}), Reason::attribute, "as above"},
      {scaled, Reason::arity, "a global scale without nvfp4"},
      {two, Reason::shape, "two global scales"},
  };
}

namespace {

// Codes of full words, and scales and biases for them, appended to the inputs of a case.
struct Weight {
  Shape batch;
  std::int64_t rows, columns;  // unpacked
  std::int64_t group = 64, bits = 4;
  Dtype scales = Dtype::f32, biases = Dtype::f32;
  std::string scale_fill = "uniform", bias_fill = "uniform", code_fill = "bits";
  Layout layout = Layout::row;
};

void append(Case& c, const Weight& w) {
  Shape codes = w.batch, groups = w.batch;
  codes.insert(codes.end(), {w.rows, w.columns * w.bits / 32});
  groups.insert(groups.end(), {w.rows, w.columns / w.group});
  c.in.push_back(Input{Dtype::u32, codes, w.layout, w.code_fill});
  c.in.push_back(Input{w.scales, groups, w.layout, w.scale_fill});
  if (w.scales == Dtype::u8) return;
  c.in.push_back(Input{w.biases, groups, w.layout, w.bias_fill});
}

Case dequantize_case(Budget budget, const Weight& w, Attrs more = {}) {
  Case c{{}, std::move(more), budget};
  if (w.scales != Dtype::u8) c.attrs.set("group_size", w.group), c.attrs.set("bits", w.bits);
  append(c, w);
  return c;
}

constexpr Dtype kHalves[] = {Dtype::f32, Dtype::f16, Dtype::bf16};

}  // namespace

namespace {

// The modes with scales of a byte, whatever its bits.
void add_byte_scales(std::vector<Case>& cases) {
  for (const Mode& m : kModes)
    for (const std::string_view to : {"none", "f32", "f16", "bf16", "f64"}) {
      if (&m == kModes) continue;
      Attrs attrs{{"mode", std::string(m.name)}};
      if (to != "none") attrs.set("dtype", std::string(to));
      const Weight w{.batch = {},
                     .rows = 3,
                     .columns = 64,
                     .group = m.group,
                     .bits = m.bits,
                     .scales = Dtype::u8,
                     .scale_fill = "bits"};
      cases.push_back(dequantize_case(Budget::smoke, w, attrs));
      if (m.name != "nvfp4") continue;
      cases.push_back(dequantize_case(Budget::smoke, w, attrs));
      cases.back().in.push_back(std::nullopt);
      cases.back().in.push_back(Input{Dtype::f32, {}, Layout::row, "const-5"});
    }
}

}  // namespace

std::vector<Case> dequantize_cases() {
  std::vector<Case> cases;
  const auto add = [&](Budget budget, const Weight& w, Attrs more = {}) {
    cases.push_back(dequantize_case(budget, w, std::move(more)));
  };
  for (const std::int64_t bits : kBits)
    for (const std::int64_t group : kGroups) {
      add(Budget::smoke, {.batch = {}, .rows = 2, .columns = 2 * group, .group = group, .bits = bits});
      for (const Dtype t : kHalves) {
        Weight w{.batch = {2}, .rows = 3, .columns = group, .group = group, .bits = bits, .scales = t, .biases = t};
        add(Budget::ci, w);
        w.scale_fill = w.bias_fill = "special";
        add(Budget::ci, w);
      }
    }
  for (const Dtype scales : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::f64})
    for (const Dtype biases : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::f64})
      for (const std::string_view to : {"none", "f32", "f16", "bf16", "f64"})
        add(Budget::smoke,
            {.batch = {},
             .rows = 1,
             .columns = 64,
             .group = 32,
             .bits = 5,
             .scales = scales,
             .biases = biases,
             .scale_fill = "uniform-9"},
            to == "none" ? Attrs{} : Attrs{{"dtype", std::string(to)}});
  for (const Layout layout : kLayouts)
    for (const std::int64_t bits : {3, 4})
      add(Budget::ci, {.batch = {2}, .rows = 5, .columns = 192, .group = 64, .bits = bits, .layout = layout});
  for (const std::int64_t rows : {0, 1, 7, 31, 33, 65})
    add(Budget::ci, {.batch = {},
                     .rows = rows,
                     .columns = 96,
                     .group = 32,
                     .bits = 6,
                     .scale_fill = "int-2",
                     .bias_fill = "int-5"});
  add(Budget::smoke, {.batch = {}, .rows = 3, .columns = 0});
  add(Budget::ci, {.batch = {}, .rows = 129, .columns = 1024, .group = 128, .bits = 3});
  add(Budget::nightly, {.batch = {}, .rows = 1024, .columns = 4096});
  add_byte_scales(cases);
  return cases;
}

namespace {

// Calls whose weights are refused, for both ops that take some; `lead` holds the inputs before them.
std::vector<Reject> weight_rejects(const std::vector<std::optional<Input>>& lead) {
  std::vector<Reject> rejects;
  const auto refuse = [&](const Weight& w, Attrs attrs, Reason reason, std::string why, auto&& change) {
    Case c{lead, std::move(attrs), Budget::smoke};
    append(c, w);
    change(c.in, c.in.size() - (w.scales == Dtype::u8 ? 2 : 3));
    rejects.push_back({c, reason, std::move(why)});
  };
  using Inputs = std::vector<std::optional<Input>>;
  const Weight good{.batch = {}, .rows = 3, .columns = 64};
  const Weight bytes{
      .batch = {}, .rows = 3, .columns = 64, .group = 32, .bits = 4, .scales = Dtype::u8, .scale_fill = "bits"};
  const auto as_is = [](Inputs&, std::size_t) {};
  refuse(good, {{"mode", "mxfp5"}}, Reason::attribute, "unknown mode", as_is);
  refuse(good, {{"bits", 7}}, Reason::attribute, "no such width", as_is);
  refuse(good, {{"bits", -4}}, Reason::attribute, "a negative width", as_is);
  refuse(good, {{"group_size", 0}}, Reason::attribute, "empty groups", as_is);
  refuse(good, {{"group_size", 16}}, Reason::attribute, "no such group size", as_is);
  refuse(good, {{"group_size", 32}}, Reason::shape, "too few scales", as_is);
  refuse(good, {{"bits", 8}}, Reason::shape, "too many scales", as_is);
  refuse(good, {}, Reason::arity, "no biases", [](Inputs& in, std::size_t) { in.pop_back(); });
  refuse(good, {}, Reason::dtype, "integer scales",
         [](Inputs& in, std::size_t w) { in[w + 1]->dtype = in[w + 2]->dtype = Dtype::i32; });
  refuse(good, {{"mode", "mxfp4"}, {"group_size", 32}}, Reason::arity, "biases in mode mxfp4", as_is);
  refuse(bytes, {{"mode", "mxfp4"}}, Reason::dtype, "scales are not bytes",
         [](Inputs& in, std::size_t w) { in[w + 1]->dtype = Dtype::f32; });
  refuse(bytes, {{"mode", "mxfp4"}, {"bits", 8}}, Reason::attribute, "the mode fixes the width", as_is);
  refuse(bytes, {{"mode", "nvfp4"}, {"group_size", 32}}, Reason::attribute, "the mode fixes the group size", as_is);
  return rejects;
}

}  // namespace

std::vector<Reject> dequantize_rejects() {
  std::vector<Reject> rejects = weight_rejects({});
  const Weight good{.batch = {}, .rows = 3, .columns = 64};
  rejects.push_back(
      {dequantize_case(Budget::smoke, good, {{"dtype", "i32"}}), Reason::attribute, "integers asked for"});
  rejects.push_back({dequantize_case(Budget::smoke, good, {{"dtype", "c64"}}), Reason::attribute, "complex asked for"});
  Case scaled = dequantize_case(Budget::smoke, good);
  scaled.in.push_back(Input{Dtype::f32, {}});
  rejects.push_back({scaled, Reason::arity, "a global scale in mode affine"});
  return rejects;
}

namespace {

Case product_case(Budget budget, Input x, const Weight& w, bool transpose, std::string_view mode = "affine") {
  Case c{{std::move(x)}, {}, budget};
  if (!transpose) c.attrs.set("transpose", false);
  if (mode == "affine") {
    if (w.group != 64) c.attrs.set("group_size", w.group);
    if (w.bits != 4) c.attrs.set("bits", w.bits);
  } else {
    c.attrs.set("mode", std::string(mode));
  }
  append(c, w);
  return c;
}

// x (m, k) with a weight that makes n columns; integers small enough for exact sums, or uniform numbers.
Case plain_product(Budget budget, Dtype t, std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t group,
                   std::int64_t bits, bool transpose, bool integers, Layout layout = Layout::row) {
  Weight w{.batch = {},
           .rows = transpose ? n : k,
           .columns = transpose ? k : n,
           .group = group,
           .bits = bits,
           .scales = t,
           .biases = t,
           .layout = layout};
  if (integers) w.scale_fill = "int-2", w.bias_fill = "int-3";
  return product_case(budget, {t, {m, k}, layout, integers ? "int-3" : "uniform"}, w, transpose);
}

// The grid: every width, group and orientation, ragged on the free axes.
void add_grid(std::vector<Case>& cases) {
  for (const std::int64_t bits : kBits)
    for (const std::int64_t group : kGroups)
      for (const bool transpose : {true, false}) {
        const auto sizes = [&](Budget budget, Dtype t, std::int64_t m, std::int64_t free, std::int64_t packed,
                               bool ints) {
          cases.push_back(plain_product(budget, t, m, transpose ? free : packed, transpose ? packed : free, group, bits,
                                        transpose, ints));
        };
        sizes(Budget::smoke, Dtype::f32, 1, 3, group, true);
        sizes(Budget::smoke, Dtype::f32, 2, 5, 2 * group, false);
        for (const std::int64_t m : {1, 9, 33}) sizes(Budget::ci, Dtype::f32, m, 33, 3 * group, true);
        sizes(Budget::ci, Dtype::f16, 3, 7, 2 * group, false);
        sizes(Budget::ci, Dtype::bf16, 17, 31, group, false);
        sizes(Budget::ci, Dtype::f16, 65, 9, group, true);
      }
}

// Sizes around tiles and thresholds, each axis on its own.
void add_ragged(std::vector<Case>& cases) {
  for (const std::int64_t m : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129})
    for (const bool transpose : {true, false})
      cases.push_back(plain_product(Budget::ci, Dtype::f32, m, 96, 128, 32, 4, transpose, m % 2 == 1));
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 63, 64, 65, 96, 127, 129, 131})
    for (const std::int64_t m : {1, 17}) {
      cases.push_back(plain_product(Budget::ci, Dtype::f32, m, n, 64, 32, 5, true, true));
      cases.push_back(plain_product(Budget::ci, Dtype::f32, m, 64, n, 32, 6, false, false));
    }
  for (const std::int64_t k : {32, 64, 2048 + 32, 1024 + 32, 736, 768, 800})
    for (const std::int64_t m : {1, 3, 12})
      for (const bool integers : {true, false}) {
        cases.push_back(plain_product(Budget::ci, Dtype::f32, m, 9, k, 32, 3, true, integers));
        cases.push_back(plain_product(Budget::ci, Dtype::f32, m, 32, k + 1, 32, 8, false, integers));
      }
  for (const std::int64_t n : {224, 256, 288})
    for (const std::int64_t m : {1, 16})
      cases.push_back(plain_product(Budget::ci, Dtype::f32, m, n, 33, 32, 2, false, true));
}

void add_layouts_and_batches(std::vector<Case>& cases) {
  for (const Layout layout : kLayouts)
    for (const bool transpose : {true, false})
      for (const std::int64_t m : {2, 19})
        for (const std::int64_t bits : {4, 5})
          cases.push_back(plain_product(Budget::ci, Dtype::f32, m, 64, 64, 32, bits, transpose, true, layout));
  const auto batch = [&](Budget budget, Shape x, Shape w, bool transpose, Layout layout = Layout::row) {
    const Weight weight{.batch = std::move(w),
                        .rows = transpose ? 6 : 64,
                        .columns = transpose ? 64 : 96,
                        .group = 32,
                        .bits = 4,
                        .scale_fill = "int-2",
                        .bias_fill = "int-3",
                        .layout = layout};
    cases.push_back(product_case(budget, {Dtype::f32, std::move(x), Layout::row, "int-3"}, weight, transpose));
  };
  for (const bool transpose : {true, false}) {
    for (const Shape& x :
         {Shape{64}, Shape{2, 64}, Shape{3, 2, 64}, Shape{3, 1, 64}, Shape{2, 1, 9, 64}, Shape{0, 2, 64}}) {
      batch(Budget::smoke, x, {}, transpose);
      batch(Budget::ci, x, {1}, transpose);
      if (x.size() < 3 || x[0] != 0) batch(Budget::ci, x, x.size() == 3 ? Shape{3} : Shape{2}, transpose);
    }
    batch(Budget::ci, {3, 9, 64}, {3}, transpose, Layout::broadcast);
    batch(Budget::ci, {3, 2, 64}, {3}, transpose, Layout::broadcast);
    batch(Budget::ci, {2, 1, 2, 64}, {3}, transpose);
    batch(Budget::ci, {2, 1, 17, 64}, {1, 3}, transpose);
    batch(Budget::smoke, {2, 3, 2, 64}, {2, 3}, transpose);
  }
}

void add_values(std::vector<Case>& cases) {
  for (const std::string_view fill :
       {"cancel", "wide", "const-1", "pow2-4", "special", "tiny", "huge", "subnormal", "lanes-513"})
    for (const std::int64_t m : {1, 11})
      for (const bool transpose : {true, false}) {
        Case c = plain_product(Budget::ci, Dtype::f32, m, 64, 512, 64, 4, transpose, false);
        c.in[0]->fill = std::string(fill);
        cases.push_back(c);
      }
  // Scales and biases that are not finite, weights beyond the largest float, and features that are 0 there; short sums,
  // so that not every one is NaN.
  for (const std::string_view fill : {"special-40", "order", "const-3e38"})
    for (const Dtype t : kHalves)
      for (const std::int64_t m : {1, 11, 60})
        for (const bool transpose : {true, false}) {
          Case c = plain_product(Budget::ci, t, m, transpose ? 64 : 32, transpose ? 32 : 2, 32, m == 1 ? 1 : 4,
                                 transpose, true);
          c.in[0]->fill = "int-1", c.in[2]->fill = std::string(fill), c.in[3]->fill = std::string(fill);
          cases.push_back(c);
        }
  // Sums that a 16-bit accumulator would lose: all weights are 1.
  for (const Dtype t : {Dtype::f16, Dtype::bf16})
    for (const std::int64_t m : {1, 12})
      for (const bool transpose : {true, false}) {
        Case c = plain_product(Budget::ci, t, m, 32, 4096, 32, 4, transpose, true);
        for (std::size_t i : {0, 2}) c.in[i]->fill = "const-1";
        c.in[1]->fill = "const-286331153", c.in[3]->fill = "const-0";
        cases.push_back(c);
      }
  for (const Dtype x : kHalves)
    for (const Dtype scales : kHalves)
      for (const Dtype biases : kHalves)
        for (const std::int64_t m : {1, 10}) {
          Case c = plain_product(Budget::ci, x, m, 5, 64, 32, 6, true, false);
          c.in[2]->dtype = scales, c.in[3]->dtype = biases;
          cases.push_back(c);
        }
  for (const Dtype t :
       {Dtype::boolean, Dtype::u8, Dtype::u16, Dtype::u32, Dtype::u64, Dtype::i8, Dtype::i16, Dtype::i32, Dtype::i64})
    for (const Dtype scales : kHalves) {
      Case c = plain_product(Budget::smoke, Dtype::f32, 2, 3, 32, 32, 2, true, true);
      c.in[0]->dtype = t, c.in[2]->dtype = c.in[3]->dtype = scales;
      cases.push_back(c);
    }
}

void add_modes(std::vector<Case>& cases) {
  for (const Mode& m : kModes)
    for (const Dtype t : kHalves)
      for (const bool transpose : {true, false})
        for (const std::int64_t rows : {1, 4}) {
          if (&m == kModes) continue;
          const Weight w{.batch = {},
                         .rows = 5,
                         .columns = 64,
                         .group = m.group,
                         .bits = m.bits,
                         .scales = Dtype::u8,
                         .scale_fill = "int-9"};
          cases.push_back(product_case(Budget::smoke, {t, {rows, transpose ? 64 : 5}}, w, transpose, m.name));
        }
}

}  // namespace

std::vector<Case> quantized_matmul_cases() {
  std::vector<Case> cases;
  add_grid(cases);
  add_ragged(cases);
  add_layouts_and_batches(cases);
  add_values(cases);
  add_modes(cases);
  for (const bool transpose : {true, false}) {
    cases.push_back(plain_product(Budget::smoke, Dtype::f32, 0, 32, 32, 32, 4, transpose, true));
    cases.push_back(plain_product(Budget::smoke, Dtype::f32, 2, 32, 0, 32, 4, transpose, true));
    cases.push_back(plain_product(Budget::smoke, Dtype::f32, 2, 0, 32, 32, 4, transpose, true));
    for (const std::int64_t m : {1, 4, 128}) {
      cases.push_back(plain_product(Budget::nightly, Dtype::f32, m, 1024, 1024, 64, 4, transpose, false));
      cases.push_back(plain_product(Budget::nightly, Dtype::f16, m, 512, 2048, 128, 3, transpose, false));
    }
  }
  return cases;
}

std::vector<Reject> quantized_matmul_rejects() {
  std::vector<Reject> rejects = weight_rejects({Input{Dtype::f32, {2, 64}}});
  const auto refuse = [&](Input x, Weight w, Reason reason, std::string why) {
    rejects.push_back({product_case(Budget::smoke, std::move(x), w, true), reason, std::move(why)});
  };
  const Weight good{.batch = {}, .rows = 3, .columns = 64};
  Weight wide = good, batched = good;
  wide.scales = Dtype::f64, batched.batch = {2};
  refuse({Dtype::f32, {2, 128}}, good, Reason::shape, "inner sizes differ");
  refuse({Dtype::f32, {3, 2, 64}}, batched, Reason::shape, "batches do not broadcast");
  refuse({Dtype::f32, {2, 64}}, wide, Reason::dtype, "f64 scales");
  const Weight bytes{
      .batch = {}, .rows = 3, .columns = 64, .group = 32, .bits = 4, .scales = Dtype::u8, .scale_fill = "bits"};
  rejects.push_back({product_case(Budget::smoke, {Dtype::i32, {2, 64}}, bytes, true, "mxfp4"), Reason::dtype,
                     "integer x with a result of its own dtype"});
  return rejects;
}

std::vector<Case> quantize_bench() {
  std::vector<Case> cases;
  for (const std::int64_t bits : {4, 8})
    cases.push_back(quantize_case(Budget::ci, {Dtype::f32, {4096, 4096}}, 64, bits));
  cases.push_back(quantize_case(Budget::ci, {Dtype::f16, {4096, 4096}}, 64, 3));
  return cases;
}

std::vector<Case> dequantize_bench() {
  std::vector<Case> cases;
  for (const std::int64_t bits : {4, 8, 3})
    for (const Dtype t : {Dtype::f32, Dtype::f16})
      cases.push_back(dequantize_case(
          Budget::ci, {.batch = {}, .rows = 4096, .columns = 4096, .bits = bits, .scales = t, .biases = t}));
  return cases;
}

std::vector<Case> quantized_matmul_bench() {
  std::vector<Case> cases;
  const auto add = [&](std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t bits, bool transpose, Dtype t) {
    cases.push_back(plain_product(Budget::ci, t, m, n, k, 64, bits, transpose, false));
  };
  for (const std::int64_t m : {1, 4, 16, 128}) add(m, 4096, 4096, 4, true, Dtype::f32);
  for (const std::int64_t m : {128, 512}) add(m, 1024, 1024, 4, true, Dtype::f32);
  for (const std::int64_t m : {1, 128}) add(m, 1024, 1024, 8, true, Dtype::f32);
  for (const std::int64_t m : {1, 128}) add(m, 4096, 4096, 4, false, Dtype::f32);
  for (const std::int64_t m : {1, 128}) add(m, 4096, 4096, 4, true, Dtype::f16);
  return cases;
}

}  // namespace plumb::quant
