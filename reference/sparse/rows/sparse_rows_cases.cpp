// Sparse rows: the inputs worth trying, the calls to refuse, the sizes worth timing.
#include <limits>

#include "reference/sparse/rows/sparse_rows.h"

namespace plumb::rows {
namespace {

using List = std::vector<std::int64_t>;

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout = Layout::row) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}
std::optional<Input> one(std::int64_t n) { return input(Dtype::i32, {1}, "const-" + std::to_string(n)); }

constexpr Dtype kTypes[] = {Dtype::f32, Dtype::f16};
constexpr Dtype kWidths[] = {Dtype::i32, Dtype::i64};

struct Trial {
  std::int64_t n = 60, active = 55, channels = 5;
  std::string sites = "sites_negative", values = "order";
  Dtype type = Dtype::f32, coords = Dtype::i32;
  Layout layout = Layout::row;
  Budget budget = Budget::ci;
  Attrs attrs = {};
};

std::vector<std::optional<Input>> tensor_inputs(const Trial& t) {
  return {input(t.coords, {t.n, 4}, t.sites, t.layout), one(t.active),
          input(t.type, {t.n, t.channels}, t.values, t.layout)};
}

Case merge_case(const Trial& t, const char* reduction = "mean") {
  Case c{{input(t.coords, {t.n, 4}, t.sites, t.layout), input(t.type, {t.n, t.channels}, t.values, t.layout)},
         {{"duplicate_reduction", reduction}},
         t.budget};
  if (t.active >= 0) c.in.push_back(one(t.active));
  return c;
}

Case collate_case(const List& sizes, std::int64_t channels, Dtype type, Dtype coords, Layout layout = Layout::row,
                  Budget budget = Budget::ci) {
  Case c{{}, {}, budget};
  for (const std::int64_t n : sizes) {
    c.in.push_back(input(coords, {n, 3}, "order", layout));
    c.in.push_back(input(type, {n, channels}, "order", layout));
  }
  return c;
}

Case prune_case(const Trial& t, std::int64_t m, const std::string& picks) {
  Case c{tensor_inputs(t), {}, t.budget};
  c.in.push_back(input(Dtype::i32, {m}, picks, t.layout));
  return c;
}

Case mask_case(const Trial& t, const std::string& mask) {
  Case c{tensor_inputs(t), {}, t.budget};
  c.in.push_back(input(Dtype::boolean, {t.n}, mask, t.layout));
  return c;
}

Case crop_case(Trial t, List low, List high) {
  Case c{tensor_inputs(t), {{"min_coord", std::move(low)}, {"max_coord", std::move(high)}}, t.budget};
  return c;
}

Case topk_case(std::int64_t n, std::int64_t batches, const std::string& sizes, const std::string& counts, double rho,
               const std::string& values = "order", Dtype t = Dtype::f32, std::int64_t channels = 3,
               Layout l = Layout::row, Budget budget = Budget::ci) {
  return {{input(t, {n, channels}, values, l),
           input(Dtype::i32, {batches}, counts, l == Layout::broadcast ? Layout::row : l),
           input(Dtype::i32, {batches}, sizes, l == Layout::broadcast ? Layout::row : l)},
          {{"rho", rho}},
          budget};
}

using Change = void (*)(Case&);
struct Fault {
  Change change;
  Reason reason;
  const char* why;
};

std::vector<Reject> refused(const Case& good, std::initializer_list<Fault> faults) {
  std::vector<Reject> r;
  for (const Fault& f : faults) {
    Case c = good;
    f.change(c);
    r.push_back({c, f.reason, f.why});
  }
  return r;
}

Trial large(std::int64_t channels, Dtype t, const char* sites = "sites_surface-1") {
  return {.n = 150000, .active = 150000, .channels = channels, .sites = sites, .values = "uniform", .type = t};
}

}  // namespace

std::vector<Case> merge_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Trial& t, const char* reduction = "mean") { cases.push_back(merge_case(t, reduction)); };
  const std::string sites[] = {"sites_duplicates", "sites_duplicates-3", "sites_duplicates-500", "sites_negative-1",
                               "sites_batches-3",  "sites_extremes",     "sites_block"};
  for (const Dtype type : kTypes)
    for (const Dtype coords : kWidths) {
      for (const char* reduction : {"none", "mean"})
        add({.sites = "sites_duplicates-3",
             .values = "special-40",
             .type = type,
             .coords = coords,
             .budget = Budget::smoke},
            reduction);
      add({.n = 30,
           .active = -1,
           .sites = "sites_duplicates",
           .values = "uniform",
           .type = type,
           .coords = coords,
           .budget = Budget::smoke});
      for (const std::string& s : sites)
        for (const char* v : {"uniform", "int-9", "cancel", "wide", "tiny", "huge", "subnormal", "lanes"})
          add({.n = 300, .active = 291, .channels = 7, .sites = s, .values = v, .type = type, .coords = coords});
    }
  for (const std::int64_t n : {0, 1, 2, 63, 64, 65, 257, 1025, 2049, 4097})
    for (const std::int64_t a : {n, std::int64_t{0}, n / 2, std::int64_t{-1}})
      add({.n = n, .active = a, .channels = 3, .sites = "sites_duplicates", .values = "int-3"});
  for (const std::int64_t c : {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65})
    for (const Dtype type : kTypes)
      add({.channels = c, .sites = "sites_duplicates", .values = "uniform", .type = type});
  for (const Layout l : kLayouts)
    for (const Dtype type : kTypes) add({.sites = "sites_duplicates", .values = "uniform", .type = type, .layout = l});
  add({.n = 5000,
       .active = 5000,
       .channels = 2,
       .sites = "sites_duplicates-5000",
       .values = "const-16",
       .type = Dtype::f16});
  return cases;
}

std::vector<Case> collate_cases() {
  std::vector<Case> cases;
  for (const Dtype type : kTypes)
    for (const Dtype coords : kWidths) {
      for (const List& sizes : {List{5}, List{4, 7}, List{3, 0, 2}, List{0, 0}, List{6, 1, 0, 9}, List{0}})
        cases.push_back(collate_case(sizes, 3, type, coords, Layout::row, Budget::smoke));
      for (const std::int64_t c : {0, 1, 2, 16, 33}) cases.push_back(collate_case({65, 64, 130}, c, type, coords));
      cases.push_back(collate_case({5000, 4097}, 3, type, coords));
      for (const Layout l : kLayouts) cases.push_back(collate_case({5, 9, 4}, 3, type, coords, l));
    }
  return cases;
}

std::vector<Case> prune_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Trial& t, std::int64_t m, const std::string& picks) {
    cases.push_back(prune_case(t, m, picks));
  };
  for (const Dtype type : kTypes)
    for (const Dtype coords : kWidths) {
      add({.type = type, .coords = coords, .budget = Budget::smoke}, 55, "ramp");
      add({.type = type, .coords = coords, .budget = Budget::smoke}, 40, "ramp-7");
      add({.type = type, .coords = coords, .budget = Budget::smoke}, 0, "ramp");
      for (const std::int64_t c : {0, 1, 3, 8, 33})
        add({.n = 130, .active = 101, .channels = c, .type = type, .coords = coords}, 300, "positive");
      add({.n = 130, .active = 101, .values = "subnormal", .type = type, .coords = coords}, 300, "ramp-101");
    }
  for (const std::int64_t n : {1, 2, 64, 257}) add({.n = n, .active = n}, n, "ramp");
  for (const std::int64_t a : {0, 5}) add({.n = 9, .active = a}, 0, "ramp");
  add({.n = 0, .active = 0}, 0, "ramp");
  add({.n = 5000, .active = 5000, .channels = 3}, 9000, "ramp-4999");
  for (const Layout l : kLayouts)
    for (const Dtype type : kTypes) add({.type = type, .layout = l}, 40, "ramp-50");
  return cases;
}

std::vector<Case> mask_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Trial& t, const std::string& mask) { cases.push_back(mask_case(t, mask)); };
  for (const Dtype type : kTypes)
    for (const Dtype coords : kWidths)
      for (const char* mask : {"int-1", "const-0", "const-1", "ramp-3"}) {
        add({.active = 60, .type = type, .coords = coords, .budget = Budget::smoke}, mask);
        add({.n = 300, .active = 300, .channels = 17, .type = type, .coords = coords}, mask);
      }
  for (const std::int64_t n : {0, 1, 2, 63, 64, 65, 255, 2047, 2048, 2049, 4096, 4097, 9000})
    add({.n = n, .active = n, .channels = 2, .values = "int-3"}, "int-1");
  for (const std::int64_t n : {33, 65, 2049, 4097})  // the one inactive row is not kept
    add({.n = n, .active = n - 1, .channels = 2, .values = "int-3"}, "ramp-" + std::to_string(n - 1));
  add({.n = 70, .active = 0}, "const-0");
  for (const std::int64_t c : {0, 1, 31, 64}) add({.active = 60, .channels = c}, "int-1");
  for (const Layout l : kLayouts)
    for (const Dtype type : kTypes) add({.active = 60, .type = type, .layout = l}, "int-1");
  return cases;
}

std::vector<Case> crop_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Trial& t, List low, List high) {
    cases.push_back(crop_case(t, std::move(low), std::move(high)));
  };
  struct {
    List low, high;
  } const boxes[] = {{{-2, -5, 0}, {3, 5, 4}},  {{0, 0, 0}, {0, 0, 0}},   {{-5, -5, -5}, {5, 5, 5}},
                     {{-9, 1, -3}, {-1, 1, 9}}, {{6, -5, -5}, {9, 5, 5}}, {{-5, -5, -5}, {-5, 5, 5}}};
  for (const Dtype type : kTypes)
    for (const Dtype coords : kWidths)
      for (const auto& b : boxes) {
        add({.type = type, .coords = coords, .budget = Budget::smoke}, b.low, b.high);
        add({.n = 1400, .active = 1390, .channels = 2, .sites = "sites_negative-1", .type = type, .coords = coords},
            b.low, b.high);
      }
  const std::int64_t top = std::numeric_limits<std::int32_t>::max(), most = std::numeric_limits<std::int64_t>::max();
  for (const Dtype coords : kWidths) {
    add({.n = 343, .active = 340, .sites = "sites_extremes", .coords = coords}, {-top - 1, -1, 0}, {top, top, 1});
    add({.n = 343, .active = 343, .sites = "sites_extremes", .coords = coords}, {-most - 1, -most - 1, 0},
        {most, most, most});
    add({.n = 343, .active = 343, .sites = "sites_extremes", .coords = coords}, {top, -top, -top - 1},
        {top, top - 1, top - 1});
  }
  for (const std::int64_t n : {0, 1, 64, 65, 2048, 2049, 4097, 9000})
    for (const std::int64_t a : {n, n / 2, std::int64_t{0}})
      add({.n = n, .active = a, .channels = 3, .sites = "sites_block", .values = "int-3"}, {-3, -9, -1}, {4, 0, 9});
  for (const Layout l : kLayouts)
    for (const Dtype type : kTypes) add({.type = type, .layout = l}, boxes[0].low, boxes[0].high);
  return cases;
}

std::vector<Case> topk_cases() {
  std::vector<Case> cases;
  const auto add = [&](auto... args) { cases.push_back(topk_case(args...)); };
  for (const Dtype t : kTypes) {
    for (const char* v : {"order", "int-3", "uniform", "const-2", "subnormal", "huge", "lanes"}) {
      for (const double rho : {1.0, 0.5, 2.5, 1e300})
        add(60, 3, "const-20", "const-7", rho, v, t, 2, Layout::row, Budget::smoke);
      add(45, 10, "ramp", "positive", 0.3, v, t);  // batches of 0, 1, .. 9 rows
      add(241, 34, "ramp-16", "const-4", 1.0, v, t);
      add(3000, 300, "const-10", "const-3", 1.0, v, t);
      add(5000, 1, "const-5000", "const-700", 1.0, v, t);
      add(2200, 2, "const-1100", "const-1099", 1.0, v, t);
    }
    for (const std::int64_t n : {0, 1, 2, 255, 256, 257, 2047, 2048, 2049})
      add(n, 1, "const-" + std::to_string(n), "const-100", 1.0, "int-9", t, 1, Layout::row,
          n == 2 ? Budget::smoke : Budget::ci);
    for (const Layout l : kLayouts) add(45, 10, "ramp", "ramp", 1.0, "order", t, 4, l);
  }
  add(0, 0, "const-0", "const-0", 1.0);
  add(0, 3, "const-0", "const-5", 1.0);
  add(10, 1, "const-10", "const-0", 1.0);
  add(10, 1, "const-10", "const-3", 0.99);  // floor(2.97)
  return cases;
}

std::vector<Reject> merge_rejects() {
  return refused(merge_case({.n = 8, .active = 8}), {{[](Case& c) { c.attrs.set("duplicate_reduction", "sum"); },
                                                      Reason::attribute, "an unknown reduction"}});
}

std::vector<Reject> collate_rejects() {
  return refused(collate_case({4, 5}, 3, Dtype::f32, Dtype::i32),
                 {{[](Case& c) {
                     c.in.insert(c.in.begin() + 2, {std::nullopt, std::nullopt});
                   },
                   Reason::arity, "a gap"}});
}

std::vector<Reject> prune_rejects() {
  return refused(prune_case({.n = 8, .active = 6}, 4, "ramp"),
                 {{[](Case& c) { c.in[3]->fill = "const-6"; }, Reason::domain, "an inactive row"},
                  {[](Case& c) { c.in[3]->fill = "const--1"; }, Reason::domain, "a negative row"}});
}

std::vector<Reject> mask_rejects() {
  return refused(mask_case({.n = 8, .active = 6}, "const-0"),
                 {{[](Case& c) { c.in[3]->fill = "const-1"; }, Reason::domain, "a mask over inactive rows"}});
}

std::vector<Reject> crop_rejects() {
  return refused(crop_case({.n = 8, .active = 6}, {0, 0, 0}, {1, 1, 1}), {{[](Case& c) {
                                                                             c.attrs.set("min_coord", List{0, 2, 0});
                                                                           },
                                                                           Reason::attribute, "an empty axis"},
                                                                          {[](Case& c) {
                                                                             c.attrs.set("max_coord", List{1, 1});
                                                                           },
                                                                           Reason::attribute, "two coordinates"}});
}

std::vector<Reject> topk_rejects() {
  return refused(topk_case(12, 2, "const-6", "const-3", 1.0),
                 {{[](Case& c) { c.attrs.set("rho", 0.0); }, Reason::attribute, "rho of 0"},
                  {[](Case& c) { c.attrs.set("rho", -1.0); }, Reason::attribute, "a negative rho"},
                  {[](Case& c) { c.in[2]->fill = "const-5"; }, Reason::domain, "batches that miss rows"},
                  {[](Case& c) { c.in[2]->fill = "const-7"; }, Reason::domain, "batches of more rows than there are"},
                  {[](Case& c) {
                     c.in[0]->shape = {12, 0};
                   },
                   Reason::shape, "no channel to rank by"}});
}

std::vector<Case> merge_bench() {
  return {merge_case(large(32, Dtype::f32)), merge_case(large(32, Dtype::f32, "sites_duplicates-4")),
          merge_case(large(64, Dtype::f16, "sites_duplicates"))};
}
std::vector<Case> collate_bench() {
  return {collate_case({50000, 40000, 60000}, 32, Dtype::f32, Dtype::i32),
          collate_case({75000, 75000}, 64, Dtype::f16, Dtype::i32)};
}
std::vector<Case> prune_bench() {
  return {prune_case(large(32, Dtype::f32), 100000, "ramp"), prune_case(large(64, Dtype::f16), 100000, "ramp-77777")};
}
std::vector<Case> mask_bench() {
  return {mask_case(large(32, Dtype::f32), "int-1"), mask_case(large(64, Dtype::f16), "ramp-8")};
}
std::vector<Case> crop_bench() {
  return {crop_case(large(32, Dtype::f32), {-1000, 0, -1000}, {1000, 1000, 1000}),
          crop_case(large(64, Dtype::f16), {-20, -20, -1000}, {20, 20, 1000})};
}
std::vector<Case> topk_bench() {
  return {topk_case(150000, 1, "const-150000", "const-50000", 1.0, "uniform", Dtype::f32, 1),
          topk_case(160000, 8, "const-20000", "const-5000", 1.0, "uniform", Dtype::f16, 4)};
}

}  // namespace plumb::rows
