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
    for (std::size_t k = 0; k < 4; ++k) coords(o, k) = a.site[o][k];
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
      const double left = a.lhs[o] < 0 ? lhs_fill : reals(x)(a.lhs[o], c);
      const double right = a.rhs[o] < 0 ? rhs_fill : reals(y)(a.rhs[o], c);
      out(o, c) = combined(call.text("op"), left, right);
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
    for (std::int64_t c = 0; c < A && a.lhs[o] >= 0; ++c) out[at + c] = reals(x)(a.lhs[o], c);
    for (std::int64_t c = 0; c < B && a.rhs[o] >= 0; ++c) out[at + A + c] = reals(y)(a.rhs[o], c);
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
    for (std::int64_t c = 0; c < C && rows[o] >= 0 && rows[o] < N; ++c) out(o, c) = X(rows[o], c);
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

constexpr const char* kInputs = R"(
  from   lhs={c}.{n}x4.{l}.{sites}+i32.1.row.const-{a}+{t}.{n}x{ch}.{l}.{x}
  from   n=60 a=55 m=50 b=47 ch=5 other=5 sites=sites_negative x=uniform t=f32 c=i32 l=row op= join= lf= rf=
)";

constexpr const char* kAligned = R"(
  # every join on every kind of sites, at sizes where threads, vectors and work-groups begin and end
  from   join={inner,left,right,outer} op= lf= rf=
  ci     n=200 a=190 m=170 b=170 sites={sites_negative,sites_negative-1,sites_box-2,sites_batches,sites_batches-3,
         sites_duplicates,sites_duplicates-40,sites_extremes,sites_block,sites_isolated-65536}
  ci     sites=sites_block x=int-3 n,a,m,b={0 0 0 0, 0 0 9 9, 9 9 0 0, 1 1 1 1, 7 0 5 5, 7 7 5 0, 5 0 6 0, 7 7 5 5,
         64 64 63 63, 129 128 65 64, 257 255 1030 1025, 2049 2048 300 299}
  ci     x=int-3 l={@layouts} t={f32,f16}
  ci     n=5000 a=4990 m=4500 b=4500 ch=3 other=3 sites=sites_box-2
  nightly n=9000 a=9000 m=8000 b=8000 ch=17 other=17 sites=sites_surface-1
)";

constexpr const char* kBinaryCases = R"(
  from   ops={add,sub,mul,maximum,minimum} joins={inner,left,right,outer}
  smoke  op={ops} join={joins} lf=-1.25 rf=0.1 t={f32,f16}
  ci     op={ops} join={joins} lf=-1.25 rf=0.1 t={f32,f16} n=80 a=77 m=90 b=90 ch=19 other=19 sites=sites_block
         x={order,wide,int-3,tiny,huge,subnormal,lanes}
  ci     ch={0,1,2,3,7,8,9,15,16,17,31,33,64,65} other={ch} sites=sites_block op={ch%2?'sub':'maximum'} t={f32,f16}
  ci     lf=1e6 rf=-1e-9
  ci     lf=1e6 rf=2049.0 t=f16     # inf, and a tie to even
)";

constexpr const char* kCatCases = R"(
  from   join={inner,left,right,outer}
  smoke  ch=3 other=4 x=order t={f32,f16}
  ci     ch={0,1,3,8,33} other=4 x=order t={f32,f16}
  ci     other={0,1,3,8,33} x=int-3 t={f32,f16}
  ci     ch={0,1,3,8,33} other={ch} x=subnormal t={f32,f16}
)";

constexpr const char* kReindexCases = R"(
  smoke  x=order t={f32,f16} fill={0.0,0.1,-3.0}
  ci     n=200 a=190 m=170 b=165 c={i32,i64} fill=2.5
         sites={sites_negative,sites_negative-1,sites_box-2,sites_batches,sites_batches-3,sites_duplicates,
         sites_duplicates-40,
         sites_extremes,sites_block,sites_isolated-65536}
  ci     sites=sites_isolated-1099511627776 c=i64
  ci     a=0 fill=9.0
  ci     n=200 a=190 sites=sites_block x={subnormal,lanes}
  ci     n={0,1,65,257,2049} a={(n+1)/2} m={0,1,64,300} b={m==64?0:m} ch=3 sites=sites_block x=int-3 fill=9.0
  ci     x=int-3 t={f32,f16} l={@layouts}
  ci     n=5000 a=4990 m=4500 b=4400 ch=3 sites=sites_box-2
)";

constexpr const char* kGood = R"(
  from   coords={c}.{rows}.row.{f} c=i32 rows=8x4 f=sites_negative count={ct}.{cn}.row.const-8 ct=i32 cn=1
  from   x={t}.{xn}.row.uniform t=f32 xn=8x5 target={tc}.6x4.row.sites_negative+i32.1.row.const-6 tc=i32
)";

constexpr const char* kJoinRejects = R"(
  attribute join=cross         # an unknown join
)";

constexpr const char* kBinaryRejects = R"(
  from   lhs=i32.60x4.row.sites_negative+i32.1.row.const-55+f32.60x5.row.uniform
  from   rhs=i32.50x4.row.sites_negative+i32.1.row.const-47+f32.50x{yc}.row.uniform yc=5
  attribute {lhs}+{rhs}/op=div   # an unknown op
)";

constexpr const char* kBench = R"(
  ci     n=150000 a={n} m={n} b={n} ch,sites,t={32 sites_surface f32, 32 sites_surface-1 f32, 64 sites_box-2 f16}
         other={ch}
)";

constexpr const char* kGatherCases = R"(
  call   {t}.{n}x{c}.{l}.{x}+i32.{m}.{l}.{rows}/fill={fill}
  from   t={f32,f16} l=row x=order
  smoke  n=20 m=30 c=5 rows=int-25 fill={0.0,-2.5,0.1,1e6}
  ci     n=40 m=300 c=17 rows=int-40 fill={0.0,-2.5,0.1,1e6}
  ci     n={0,1,2,33} m={0,1,31,257} c={0,1,4,9} rows=int-33 fill=0.5
  ci     n=20 m=30 c=6 rows=int-25 fill=0.0 x=int-9 l={@layouts}
  ci     n=50 m=5000 c=3 rows=int-60 fill=0.0
  ci     n=40 m=300 c=17 rows=int-40 fill=0.0 x={subnormal,lanes}
  ci     n=9 m=40 c=3 rows={order,whole} fill=0.0    # rows at both ends of int32
)";

constexpr const char* kGatherBench = R"(
  ci     {t}.150000x{c}.row.uniform+i32.150000.row.int-150000/fill=0.0 t,c={f32 32, f16 64}
)";

constexpr const char* kPair = "call {lhs}+{c}.{m}x4.{l}.{sites}+i32.1.row.const-{b}+{t}.{m}x{other}.{l}.{x}/";
constexpr const char* kTargeted = "call {lhs}+{c}.{m}x4.{l}.{sites}+i32.1.row.const-{b}/fill={fill}";

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
  op.bench = {std::string(kPair) + "-", kInputs, kBench};
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
  op.cases = {std::string(kPair) + "op={op},join={join},lhs_fill={lf},rhs_fill={rf}", kInputs, kBinaryCases, kAligned};
  op.rejects = {"call {coords}+{count}+{x}+{target}+{y}/op={op},join={join}",
                "from y={u}.{yn}.row.uniform u=f32 yn=6x5 join= op=", kGood, kJoinRejects, kBinaryRejects};
  op.tolerance = {Tolerance::Class::rounded};
  return op;
}

Op cat_op() {
  Op op = aligned_row("sparse_cat_aligned", {"A", "B", "A+B"}, {{"join", "inner"}});
  op.equation = "Y[o] = (lhs[l(o)] or zeros, rhs[r(o)] or zeros); rows as in sparse_binary";
  op.meaning = "both sides have one dtype; the missing side is selected as +0, so that nothing of row 0 leaks into it";
  op.infer = infer_cat;
  op.oracle = cat;
  op.cases = {std::string(kPair) + "join={join}", kInputs, kCatCases, kAligned};
  op.rejects = {"call {coords}+{count}+{x}+{target}+{y}/join={join}",
                "from y={u}.{yn}.row.uniform u=f32 yn=6x5 join= op=", kGood, kJoinRejects};
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
           .cases = kGatherCases,
           .bench = kGatherBench,
           .tolerance = {Tolerance::Class::exact}},
          {.name = "reindex_sparse",
           .signature = reference::kSites + ", features T[N,C], " + reference::kTargets + " -> features T[M,C]",
           .types = "I: i32 i64; T: f16 f32",
           .attrs = {{"fill", 0.0}},
           .equation = "Y[t] = X[i], i the lowest active row with coords[i] = target[t], or fill where there is none",
           .meaning = "inactive targets are fill too, so that every row is defined",
           .oracle = reindex,
           .cases = {kTargeted, kInputs, "from fill=-", kReindexCases},
           .bench = {kTargeted, kInputs, "from fill=-", kBench},
           .tolerance = {Tolerance::Class::exact}}};
}

}  // namespace plumb
