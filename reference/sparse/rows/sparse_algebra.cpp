// Arithmetic between sparse tensors whose rows are matched by coordinate: rows, oracles and cases.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "reference/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace reference;

// Positions of the inputs of the rows that align two tensors.
enum : std::size_t { kLhs, kLhsActive, kLhsFeatures, kRhs, kRhsActive, kRhsFeatures };

// The number of rows that an alignment has room for.
std::int64_t aligned_capacity(const Request& r) {
  const std::int64_t n = r.size('N'), m = r.size('M');
  const std::string& join = r.text("join");
  if (join == "inner" || join == "left") return n;
  if (join == "right") return m;
  if (join != "outer") r.fail(Reason::attribute, "join " + join);
  if (n + m > std::numeric_limits<std::int32_t>::max())
    r.fail(Reason::memory, std::to_string(n + m) + " rows exceed 2^31");
  return n + m;
}

bool known_op(const std::string& op) {
  return op == "add" || op == "sub" || op == "mul" || op == "maximum" || op == "minimum";
}

std::vector<Spec> infer_binary(const Request& r) {
  const std::int64_t capacity = aligned_capacity(r);
  if (!known_op(r.text("op"))) r.fail(Reason::attribute, "op " + r.text("op"));
  return r.outputs({{'R', capacity}});
}

std::vector<Spec> infer_cat(const Request& r) { return r.outputs({{'R', aligned_capacity(r)}}); }

// Row o of the result lies at site[o], which is row lhs[o] of the left and row rhs[o] of the right tensor, or -1.
struct Alignment {
  std::vector<Site> site;
  std::vector<std::int64_t> lhs, rhs;
  void add(const Site& s, std::int64_t l, std::int64_t r) { site.push_back(s), lhs.push_back(l), rhs.push_back(r); }
};

std::map<Site, std::int64_t> lowest_rows(const std::vector<Site>& sites) {
  std::map<Site, std::int64_t> lowest;
  for (std::size_t i = 0; i < sites.size(); ++i) lowest.emplace(sites[i], static_cast<std::int64_t>(i));
  return lowest;
}

std::int64_t row_at(const std::map<Site, std::int64_t>& rows, const Site& s) {
  const auto hit = rows.find(s);
  return hit == rows.end() ? -1 : hit->second;
}

Alignment align(const Call& call) {
  const std::vector<Site> L = active_sites(call, kLhs, kLhsActive), R = active_sites(call, kRhs, kRhsActive);
  const auto in_L = lowest_rows(L), in_R = lowest_rows(R);
  const std::string& join = call.text("join");
  Alignment a;
  if (join != "right")
    for (std::size_t i = 0; i < L.size(); ++i)
      if (join != "inner" || in_R.count(L[i])) a.add(L[i], static_cast<std::int64_t>(i), row_at(in_R, L[i]));
  if (join == "right" || join == "outer")
    for (std::size_t j = 0; j < R.size(); ++j)
      if (join == "right" || !in_L.count(R[j])) a.add(R[j], row_at(in_L, R[j]), static_cast<std::int64_t>(j));
  return a;
}

// The value that a fill has in the dtype of the features.
double rounded(double fill, Dtype t) { return reals(widen(narrow(Reals({1}, fill), t)))[0]; }

std::vector<Wide> aligned(const std::vector<Spec>& specs, const Alignment& a, Reals features) {
  Integers coords(specs[0].shape), active(specs[2].shape), lhs(specs[3].shape), rhs(specs[4].shape);
  active[0] = static_cast<std::int64_t>(a.site.size());
  for (std::size_t o = 0; o < a.site.size(); ++o) {
    const auto row = static_cast<std::int64_t>(o);
    for (std::size_t k = 0; k < 4; ++k) coords[static_cast<std::int64_t>(4 * o + k)] = a.site[o][k];
    lhs[row] = a.lhs[o];
    rhs[row] = a.rhs[o];
  }
  return {coords, std::move(features), active, lhs, rhs};
}

// IEEE 754-2019 maximum and minimum: NaN if either is, -0 < +0
double greater(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

double combined(const std::string& op, double a, double b) {
  if (op == "add") return a + b;
  if (op == "sub") return a - b;
  if (op == "mul") return a * b;
  return op == "maximum" ? greater(a, b) : -greater(-a, -b);
}

// Y[o,c] = op(a, b), a = lhs[l(o),c] or lhs_fill where l(o) = -1, b = rhs[r(o),c] or rhs_fill where r(o) = -1
std::vector<Wide> binary(const Call& call) {
  const std::vector<Spec> specs = infer_binary(call);
  const Alignment a = align(call);
  const Wide x = widen(call[kLhsFeatures]), y = widen(call[kRhsFeatures]);
  const Dtype t = specs[1].dtype;
  const double lhs_fill = rounded(call.number("lhs_fill"), t), rhs_fill = rounded(call.number("rhs_fill"), t);
  Reals out(specs[1].shape);
  const std::int64_t C = out.shape[1];
  for (std::size_t o = 0; o < a.site.size(); ++o)
    for (std::int64_t c = 0; c < C; ++c) {
      const double left = a.lhs[o] < 0 ? lhs_fill : reals(x)[a.lhs[o] * C + c];
      const double right = a.rhs[o] < 0 ? rhs_fill : reals(y)[a.rhs[o] * C + c];
      out[static_cast<std::int64_t>(o) * C + c] = combined(call.text("op"), left, right);
    }
  return aligned(specs, a, out);
}

// Y[o] = (lhs[l(o)], rhs[r(o)]), zeros for a side that has no row
std::vector<Wide> cat(const Call& call) {
  const std::vector<Spec> specs = infer_cat(call);
  const Alignment a = align(call);
  const Wide x = widen(call[kLhsFeatures]), y = widen(call[kRhsFeatures]);
  const std::int64_t A = reals(x).shape[1], B = reals(y).shape[1];
  Reals out(specs[1].shape);
  for (std::size_t o = 0; o < a.site.size(); ++o) {
    const std::int64_t at = static_cast<std::int64_t>(o) * (A + B);
    for (std::int64_t c = 0; c < A && a.lhs[o] >= 0; ++c) out[at + c] = reals(x)[a.lhs[o] * A + c];
    for (std::int64_t c = 0; c < B && a.rhs[o] >= 0; ++c) out[at + A + c] = reals(y)[a.rhs[o] * B + c];
  }
  return aligned(specs, a, out);
}

std::vector<std::int64_t> aligned_active(const Call&, const std::vector<Tensor>& out) {
  const std::int64_t rows = std::clamp<std::int64_t>(out[2].read<std::int32_t>()[0], 0, out[0].dim(0));
  return {rows, rows, -1, rows, rows};
}

// ---- gather and reindex

// Y[o] = X[rows[o]] for each row[o] selected
Reals selected(const Reals& X, const std::vector<std::int64_t>& rows, double fill) {
  const std::int64_t N = X.shape[0], C = X.shape[1];
  Reals out({static_cast<std::int64_t>(rows.size()), C}, fill);
  for (std::size_t o = 0; o < rows.size(); ++o)
    for (std::int64_t c = 0; c < C && rows[o] >= 0 && rows[o] < N; ++c)
      out[static_cast<std::int64_t>(o) * C + c] = X[rows[o] * C + c];
  return out;
}

std::vector<Wide> gather(const Call& call) {
  const Wide x = widen(call[0]), rows = widen(call[1]);
  return {selected(reals(x), integers(rows).data, rounded(call.number("fill"), call.dtype(0)))};
}

enum : std::size_t { kCoords, kActive, kFeatures, kTargets, kTargetActive };

// Y[t] = X[the lowest active row at target t], or fill
std::vector<Wide> reindex(const Call& call) {
  const auto rows = lowest_rows(active_sites(call, kCoords, kActive));
  const std::vector<Site> targets = active_sites(call, kTargets, kTargetActive);
  std::vector<std::int64_t> from(static_cast<std::size_t>(call.shape(kTargets)[0]), -1);
  for (std::size_t t = 0; t < targets.size(); ++t) from[t] = row_at(rows, targets[t]);
  const Wide x = widen(call[kFeatures]);
  return {selected(reals(x), from, rounded(call.number("fill"), call.dtype(kFeatures)))};
}

// ---- cases

std::optional<Input> input(Dtype t, Shape shape, std::string fill, Layout layout = Layout::row) {
  return Input{t, std::move(shape), layout, std::move(fill)};
}
std::optional<Input> rows(std::int64_t n) { return input(Dtype::i32, {1}, "const-" + std::to_string(n)); }

struct Trial {
  std::int64_t n = 60, active = 55, m = 50, target_active = 47, channels = 5, other = 5;
  std::string sites = "sites_negative", values = "uniform";
  Dtype type = Dtype::f32, coords = Dtype::i32;
  Attrs attrs = {};
  Layout layout = Layout::row;
  Budget budget = Budget::ci;
};

Case pair_case(const Trial& t) {
  return {{input(t.coords, {t.n, 4}, t.sites, t.layout), rows(t.active),
           input(t.type, {t.n, t.channels}, t.values, t.layout), input(t.coords, {t.m, 4}, t.sites, t.layout),
           rows(t.target_active), input(t.type, {t.m, t.other}, t.values, t.layout)},
          t.attrs,
          t.budget};
}

Case reindex_case(const Trial& t) {
  return {{input(t.coords, {t.n, 4}, t.sites, t.layout), rows(t.active),
           input(t.type, {t.n, t.channels}, t.values, t.layout), input(t.coords, {t.m, 4}, t.sites, t.layout),
           rows(t.target_active)},
          t.attrs,
          t.budget};
}

constexpr const char* kJoins[] = {"inner", "left", "right", "outer"};
constexpr const char* kOps[] = {"add", "sub", "mul", "maximum", "minimum"};
constexpr Dtype kTypes[] = {Dtype::f32, Dtype::f16};
const std::string kSites[] = {"sites_negative",  "sites_negative-1",    "sites_box-2",         "sites_batches",
                              "sites_batches-3", "sites_duplicates",    "sites_duplicates-40", "sites_extremes",
                              "sites_block",     "sites_isolated-65536"};

// Sizes about those at which threads, vectors and work-groups begin and end, for every join.
template <class Add>
void aligned_cases(Add&& add) {
  for (const char* join : kJoins) {
    const Attrs attrs{{"join", join}};
    for (const std::string& s : kSites)
      add({.n = 200, .active = 190, .m = 170, .target_active = 170, .sites = s, .attrs = attrs});
    struct {
      std::int64_t n, a, m, b;
    } const sizes[] = {{0, 0, 0, 0},     {0, 0, 9, 9},       {9, 9, 0, 0},           {1, 1, 1, 1},
                       {7, 0, 5, 5},     {7, 7, 5, 0},       {5, 0, 6, 0},           {7, 7, 5, 5},
                       {64, 64, 63, 63}, {129, 128, 65, 64}, {257, 255, 1030, 1025}, {2049, 2048, 300, 299}};
    for (const auto& z : sizes)
      add({.n = z.n,
           .active = z.a,
           .m = z.m,
           .target_active = z.b,
           .sites = "sites_block",
           .values = "int-3",
           .attrs = attrs});
    for (const Layout l : kLayouts)
      for (const Dtype t : kTypes) add({.values = "int-3", .type = t, .attrs = attrs, .layout = l});
    add({.n = 5000,
         .active = 4990,
         .m = 4500,
         .target_active = 4500,
         .channels = 3,
         .other = 3,
         .sites = "sites_box-2",
         .attrs = attrs});
    add({.n = 9000,
         .active = 9000,
         .m = 8000,
         .target_active = 8000,
         .channels = 17,
         .other = 17,
         .sites = "sites_surface-1",
         .attrs = attrs,
         .budget = Budget::nightly});
  }
}

std::vector<Case> binary_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Trial& t) { cases.push_back(pair_case(t)); };
  for (const char* op : kOps)
    for (const char* join : kJoins)
      for (const Dtype type : kTypes) {
        const Attrs attrs{{"op", op}, {"join", join}, {"lhs_fill", -1.25}, {"rhs_fill", 0.1}};
        add({.type = type, .attrs = attrs, .budget = Budget::smoke});
        for (const char* v : {"order", "wide", "int-3", "tiny", "huge", "subnormal", "lanes"})
          add({.n = 80,
               .active = 77,
               .m = 90,
               .target_active = 90,
               .channels = 19,
               .other = 19,
               .sites = "sites_block",
               .values = v,
               .type = type,
               .attrs = attrs});
      }
  for (const std::int64_t c : {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65})
    for (const Dtype type : kTypes)
      add({.channels = c,
           .other = c,
           .sites = "sites_block",
           .type = type,
           .attrs = {{"op", c % 2 ? "sub" : "maximum"}}});
  add({.attrs = {{"lhs_fill", 1e6}, {"rhs_fill", -1e-9}}});
  add({.type = Dtype::f16, .attrs = {{"lhs_fill", 1e6}, {"rhs_fill", 2049.0}}});  // inf, and a tie to even
  aligned_cases(add);
  return cases;
}

std::vector<Case> cat_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Trial& t) { cases.push_back(pair_case(t)); };
  for (const char* join : kJoins)
    for (const Dtype type : kTypes)
      for (const std::int64_t c : {0, 1, 3, 8, 33}) {
        const Budget budget = c == 3 ? Budget::smoke : Budget::ci;
        add({.channels = c, .other = 4, .values = "order", .type = type, .attrs = {{"join", join}}, .budget = budget});
        add({.channels = 5, .other = c, .values = "int-3", .type = type, .attrs = {{"join", join}}});
        add({.channels = c, .other = c, .values = "subnormal", .type = type, .attrs = {{"join", join}}});
      }
  aligned_cases(add);
  return cases;
}

Case gather_case(std::int64_t n, std::int64_t m, std::int64_t c, const std::string& picks, Dtype t, double fill,
                 const std::string& values = "order", Layout l = Layout::row, Budget budget = Budget::ci) {
  return {{input(t, {n, c}, values, l), input(Dtype::i32, {m}, picks, l)}, {{"fill", fill}}, budget};
}

std::vector<Case> gather_cases() {
  std::vector<Case> cases;
  for (const Dtype t : kTypes) {
    for (const double fill : {0.0, -2.5, 0.1, 1e6}) {
      cases.push_back(gather_case(20, 30, 5, "int-25", t, fill, "order", Layout::row, Budget::smoke));
      cases.push_back(gather_case(40, 300, 17, "int-40", t, fill));
    }
    for (const std::int64_t n : {0, 1, 2, 33})
      for (const std::int64_t m : {0, 1, 31, 257})
        for (const std::int64_t c : {0, 1, 4, 9}) cases.push_back(gather_case(n, m, c, "int-33", t, 0.5));
    for (const Layout l : kLayouts) cases.push_back(gather_case(20, 30, 6, "int-25", t, 0.0, "int-9", l));
    cases.push_back(gather_case(50, 5000, 3, "int-60", t, 0.0));
    for (const char* v : {"subnormal", "lanes"}) cases.push_back(gather_case(40, 300, 17, "int-40", t, 0.0, v));
    cases.push_back(gather_case(9, 40, 3, "order", t, 0.0));  // rows at both ends of int32
    cases.push_back(gather_case(9, 40, 3, "whole", t, 0.0));
  }
  return cases;
}

std::vector<Case> reindex_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Trial& t) { cases.push_back(reindex_case(t)); };
  for (const Dtype type : kTypes)
    for (const double fill : {0.0, 0.1, -3.0})
      add({.values = "order", .type = type, .attrs = {{"fill", fill}}, .budget = Budget::smoke});
  for (const Dtype coords : {Dtype::i32, Dtype::i64})
    for (const std::string& s : kSites)
      add({.n = 200,
           .active = 190,
           .m = 170,
           .target_active = 165,
           .sites = s,
           .coords = coords,
           .attrs = {{"fill", 2.5}}});
  add({.sites = "sites_isolated-1099511627776", .coords = Dtype::i64});
  add({.active = 0, .attrs = {{"fill", 9.0}}});
  for (const char* v : {"subnormal", "lanes"}) add({.n = 200, .active = 190, .sites = "sites_block", .values = v});
  for (const std::int64_t n : {0, 1, 65, 257, 2049})
    for (const std::int64_t m : {0, 1, 64, 300})
      add({.n = n,
           .active = (n + 1) / 2,
           .m = m,
           .target_active = m == 64 ? 0 : m,
           .channels = 3,
           .sites = "sites_block",
           .values = "int-3",
           .attrs = {{"fill", 9.0}}});
  for (const Layout l : kLayouts)
    for (const Dtype type : kTypes) add({.values = "int-3", .type = type, .layout = l});
  add({.n = 5000, .active = 4990, .m = 4500, .target_active = 4400, .channels = 3, .sites = "sites_box-2"});
  return cases;
}

std::vector<Reject> aligned_rejects() {
  Case join = pair_case({.n = 8, .active = 8, .m = 6, .target_active = 6});
  join.attrs.set("join", "cross");
  return {{join, Reason::attribute, "an unknown join"}};
}

std::vector<Reject> binary_rejects() {
  std::vector<Reject> r = aligned_rejects();
  r.push_back({pair_case({.attrs = {{"op", "div"}}}), Reason::attribute, "an unknown op"});
  return r;
}

Trial large(std::int64_t channels, const char* sites, Dtype t, Attrs attrs = {}) {
  return {.n = 150000,
          .active = 150000,
          .m = 150000,
          .target_active = 150000,
          .channels = channels,
          .other = channels,
          .sites = sites,
          .type = t,
          .attrs = std::move(attrs)};
}

template <Case (*make)(const Trial&)>
std::vector<Case> bench() {
  return {make(large(32, "sites_surface", Dtype::f32)), make(large(32, "sites_surface-1", Dtype::f32)),
          make(large(64, "sites_box-2", Dtype::f16))};
}

std::vector<Case> gather_bench() {
  return {gather_case(150000, 150000, 32, "int-150000", Dtype::f32, 0.0, "uniform"),
          gather_case(150000, 150000, 64, "int-150000", Dtype::f16, 0.0, "uniform")};
}

// channels: of the left features, the right ones and the result
Op aligned_row(std::string_view name, const std::array<std::string, 3>& channels, Attrs attrs) {
  Op op;
  op.name = name;
  op.signature = "lhs_coords i32[N,4], lhs_active i32[1] counts N, lhs_feats T[N," + channels[0] +
                 "], rhs_coords i32[M,4], rhs_active i32[1] counts M, rhs_feats T[M," + channels[1] +
                 "] -> out_coords i32[R,4], features T[R," + channels[2] +
                 "], active i32[1], lhs_rows i32[R], rhs_rows i32[R]";
  op.types = "T: f16 f32";
  op.attrs = std::move(attrs);
  op.rejects = aligned_rejects;
  op.bench = bench<pair_case>;
  op.active = aligned_active;
  return op;
}

Op binary_op() {
  Op op = aligned_row("sparse_binary", {"C", "C", "C"},
                      {{"op", "add"}, {"join", "outer"}, {"lhs_fill", 0.0}, {"rhs_fill", 0.0}});
  op.equation =
      "Y[o] = op(lhs[l(o)] or lhs_fill, rhs[r(o)] or rhs_fill); inner: rows of lhs that rhs has; left: rows of lhs; "
      "right: rows of rhs; outer: rows of lhs, then rows of rhs that lhs lacks";
  op.meaning =
      "always a join by value: a shared identity of coordinates is the caller's shortcut; a repeated site is its "
      "lowest "
      "row on the side that is looked up and stays on the side that drives; maximum and minimum as in IEEE 754-2019 "
      "(NaN wins, -0 < +0); fills are rounded to the features' dtype";
  op.infer = infer_binary;
  op.oracle = binary;
  op.cases = binary_cases;
  op.rejects = binary_rejects;
  op.tolerance = {Tolerance::Class::rounded};
  return op;
}

Op cat_op() {
  Op op = aligned_row("sparse_cat_aligned", {"A", "B", "A+B"}, {{"join", "inner"}});
  op.equation = "Y[o] = (lhs[l(o)] or zeros, rhs[r(o)] or zeros); rows as in sparse_binary";
  op.meaning = "both sides have one dtype; the missing side is selected as +0, so that nothing of row 0 leaks into it";
  op.infer = infer_cat;
  op.oracle = cat;
  op.cases = cat_cases;
  op.tolerance = {Tolerance::Class::exact};
  return op;
}

}  // namespace

std::vector<Op> sparse_algebra_ops() {
  return {binary_op(),
          cat_op(),
          {.name = "gather_aligned_features",
           .signature = "features T[N,C], rows i32[R] -> out T[R,C]",
           .types = "T: f16 f32",
           .attrs = {{"fill", 0.0}},
           .equation = "Y[o] = X[rows[o]], or fill where rows[o] is no row of X",
           .meaning =
               "the fill is selected, never multiplied by a mask: NaN and inf of row 0 stay out of missing rows, and a "
               "fill of 0 is +0",
           .oracle = gather,
           .cases = gather_cases,
           .bench = gather_bench,
           .tolerance = {Tolerance::Class::exact}},
          {.name = "reindex_sparse",
           .signature = reference::kSites + ", features T[N,C], " + reference::kTargets + " -> features T[M,C]",
           .types = "I: i32 i64; T: f16 f32",
           .attrs = {{"fill", 0.0}},
           .equation = "Y[t] = X[i], i the lowest active row with coords[i] = target[t], or fill where there is none",
           .meaning = "inactive targets are fill too, so that every row is defined",
           .oracle = reindex,
           .cases = reindex_cases,
           .bench = bench<reindex_case>,
           .tolerance = {Tolerance::Class::exact}}};
}

}  // namespace plumb
