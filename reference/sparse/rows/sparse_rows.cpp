// Rows of a sparse tensor merged, joined, kept and ranked: rows and oracles.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/text.h"
#include "reference/sparse/rows/sparse_rows.h"
#include "reference/sparse/sites/relation.h"

namespace plumb {
namespace {

using namespace reference;
using List = std::vector<std::int64_t>;

// Copies row `from` of a matrix to row `to` of another.
template <class T>
void copy_row(const Array<T>& x, std::int64_t from, Array<T>& y, std::int64_t to) {
  const std::int64_t C = y.shape[1];
  for (std::int64_t c = 0; c < C; ++c) y(to, c) = x(from, c);
}

std::vector<std::int64_t> counted(const std::vector<Tensor>& out, std::size_t count, List counted_outputs) {
  const std::int64_t rows = std::clamp<std::int64_t>(out[count].read<std::int32_t>()[0], 0, out[0].dim(0));
  for (std::int64_t& o : counted_outputs) o = o != 0 ? rows : -1;
  return counted_outputs;
}

// ---- sparse_from_coordinates

enum : std::size_t { kMergedCoords, kMergedFeatures, kMergedActive };

bool means(const Request& r) { return r.text("duplicate_reduction") == "mean"; }

std::vector<Spec> infer_merge(const Request& r) {
  if (!means(r) && r.text("duplicate_reduction") != "none")
    r.fail(Reason::attribute, "duplicate_reduction " + r.text("duplicate_reduction"));
  return r.outputs();
}

// The rows that share one site, for each site in first-seen order; each row by itself where nothing is merged.
std::vector<std::vector<std::int64_t>> groups(const Call& call) {
  const Integers coords = as_integers(widen(call[0]));
  std::int64_t n = coords.shape[0];
  if (call.has(kMergedActive)) n = std::ssize(active_sites(call, 0, kMergedActive));
  std::vector<std::vector<std::int64_t>> found;
  std::map<Site, std::size_t> group_of;
  for (std::int64_t i = 0; i < n; ++i) {
    const Site s{coords(i, 0), coords(i, 1), coords(i, 2), coords(i, 3)};
    std::size_t g = found.size();
    if (means(call)) g = group_of.emplace(s, g).first->second;
    if (g == found.size()) found.emplace_back();
    found[g].push_back(i);
  }
  return found;
}

// Y[o,c] = (sum of X[i,c] over the rows i of site o) / how many they are
std::vector<Wide> merge(const Call& call) {
  const std::vector<Spec> specs = infer_merge(call);
  const Integers coords = as_integers(widen(call[0]));
  const Wide features = widen(call[kMergedFeatures]);
  const auto found = groups(call);
  Integers sites(specs[0].shape), active(specs[2].shape);
  Reals out(specs[1].shape);
  const std::int64_t C = out.shape[1];
  for (std::size_t o = 0; o < found.size(); ++o) {
    const auto row = static_cast<std::int64_t>(o);
    copy_row(coords, found[o][0], sites, row);
    for (std::int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (const std::int64_t i : found[o]) sum += reals(features)(i, c);
      out(row, c) = found[o].size() == 1 ? reals(features)(found[o][0], c) : sum / static_cast<double>(found[o].size());
    }
  }
  active[0] = std::ssize(found);
  return {sites, out, active};
}

// A mean of n terms is their sum and a quotient: the bound of the sum over n, the quotient declared as an epilogue.
std::vector<Allowances> merge_bound(const Call& call, const std::vector<Wide>& want, const Order& order) {
  const Call magnitudes = absolute(call);
  const std::vector<Wide> G = merge(magnitudes);
  const auto found = groups(call);
  const Dtype t = call.dtype(kMergedFeatures);
  Allowances bound(shape_of(want[1]));
  const std::int64_t C = bound.shape[1];
  for (std::size_t o = 0; o < found.size(); ++o)
    for (std::int64_t c = 0; c < C && found[o].size() > 1; ++c) {
      const std::int64_t at = static_cast<std::int64_t>(o) * C + c, n = std::ssize(found[o]);
      const double g = reals(G[1])[at];
      bound[at] = {accumulate_bound(reals(want[1])[at], g, n, order, t, 0x1p-53), may_overflow(g, n, order)};
    }
  return {Allowances(), bound, Allowances()};
}

std::vector<std::int64_t> merge_active(const Call&, const std::vector<Tensor>& out) {
  return counted(out, 2, {1, 1, 0});
}

// ---- sparse_collate

constexpr std::size_t kMaxTensors = 4;

std::vector<Spec> infer_collate(const Request& r) {
  std::int64_t tensors = 0, rows = 0;
  for (std::size_t b = 0; b < kMaxTensors; ++b) {
    if (!r.has(2 * b)) continue;
    if (tensors++ < static_cast<std::int64_t>(b)) r.fail(Reason::arity, "tensors come without a gap");
    rows += r.shape(2 * b)[0];
  }
  if (rows > std::numeric_limits<std::int32_t>::max())
    r.fail(Reason::memory, std::to_string(rows) + " rows exceed 2^31");
  return r.outputs({{'R', rows}, {'B', tensors}});
}

// rows of tensor b follow those of tensor b-1, with b before their coordinates
std::vector<Wide> collate(const Call& call) {
  const std::vector<Spec> specs = infer_collate(call);
  Integers sites(specs[0].shape), counts(specs[2].shape);
  Reals out(specs[1].shape);
  std::int64_t o = 0;
  for (std::int64_t b = 0; b < counts.size(); ++b) {
    const Integers coords = as_integers(widen(call[static_cast<std::size_t>(2 * b)]));
    const Wide features = widen(call[static_cast<std::size_t>(2 * b + 1)]);
    counts[b] = coords.shape[0];
    for (std::int64_t i = 0; i < counts[b]; ++i, ++o) {
      sites(o, 0) = b;
      for (std::int64_t a = 0; a < 3; ++a) sites(o, a + 1) = coords(i, a);
      copy_row(reals(features), i, out, o);
    }
  }
  return {sites, out, counts};
}

// ---- prune, prune_mask, crop

enum : std::size_t { kCoords, kActive, kFeatures, kChoice };

std::vector<Spec> infer_crop(const Request& r) {
  const List low = r.list("min_coord"), high = r.list("max_coord");
  if (low.size() != 3 || high.size() != 3) r.fail(Reason::attribute, "a corner needs three coordinates");
  for (std::size_t a = 0; a < 3; ++a)
    if (low[a] > high[a])
      r.fail(Reason::attribute,
             "min_coord " + std::to_string(low[a]) + " is above max_coord " + std::to_string(high[a]));
  return r.outputs();
}

struct Taken {
  Integers coords;
  Reals features;
};

// row o of the result is row rows[o] of the tensor
Taken taken(const Call& call, const List& rows, std::int64_t capacity) {
  const Integers coords = as_integers(widen(call[kCoords]));
  const Wide features = widen(call[kFeatures]);
  Taken t{Integers({capacity, 4}), Reals({capacity, call.shape(kFeatures)[1]})};
  for (std::size_t o = 0; o < rows.size(); ++o) {
    copy_row(coords, rows[o], t.coords, static_cast<std::int64_t>(o));
    copy_row(reals(features), rows[o], t.features, static_cast<std::int64_t>(o));
  }
  return t;
}

std::vector<Wide> prune(const Call& call) {
  const std::int64_t active = std::ssize(active_sites(call, kCoords, kActive));
  const Wide chosen = widen(call[kChoice]);
  const List rows = integers(chosen).data;
  for (const std::int64_t row : rows)
    if (row < 0 || row >= active)
      call.fail(Reason::domain, "row " + std::to_string(row) + " of " + std::to_string(active));
  Taken t = taken(call, rows, std::ssize(rows));
  return {t.coords, t.features};
}

std::vector<Wide> kept(const Call& call, const List& rows) {
  const std::int64_t n = call.shape(kCoords)[0];
  Taken t = taken(call, rows, n);
  Integers active({1}), column({n});
  active[0] = std::ssize(rows);
  std::copy(rows.begin(), rows.end(), column.data.begin());
  return {t.coords, t.features, active, column};
}

// the rows i with mask[i], ascending
std::vector<Wide> prune_mask(const Call& call) {
  const std::int64_t active = std::ssize(active_sites(call, kCoords, kActive));
  const Wide mask = widen(call[kChoice]);
  List rows;
  for (std::int64_t i = 0; i < call.shape(kCoords)[0]; ++i) {
    if (unsigneds(mask)[i] == 0) continue;
    if (i >= active)
      call.fail(Reason::domain, "the mask keeps row " + std::to_string(i) + " of " + std::to_string(active));
    rows.push_back(i);
  }
  return kept(call, rows);
}

// the rows i with min <= (x,y,z) of i <= max on every axis, ascending
std::vector<Wide> crop(const Call& call) {
  const List low = call.list("min_coord"), high = call.list("max_coord");
  const std::vector<Site> sites = active_sites(call, kCoords, kActive);
  List rows;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    bool inside = true;
    for (std::size_t a = 0; a < 3; ++a) inside = inside && low[a] <= sites[i][a + 1] && sites[i][a + 1] <= high[a];
    if (inside) rows.push_back(static_cast<std::int64_t>(i));
  }
  return kept(call, rows);
}

std::vector<std::int64_t> kept_active(const Call&, const std::vector<Tensor>& out) {
  return counted(out, 2, {1, 1, 0, 1});
}

// ---- topk_rows

std::vector<Spec> infer_topk(const Request& r) {
  if (r.size('C') == 0) r.fail(Reason::shape, "features without a channel have no score");
  if (!(r.number("rho") > 0)) r.fail(Reason::attribute, "rho is " + shortest(r.number("rho")));
  return r.outputs();
}

bool score_below(double a, double b) { return a < b || (std::isnan(b) && !std::isnan(a)); }

// per batch of n rows: the last min(floor(counts[b] * rho), n) rows of a stable ascending sort by channel 0
std::vector<Wide> topk(const Call& call) {
  const Wide features = widen(call[0]), counts = widen(call[1]), sizes = widen(call[2]);
  const std::int64_t N = call.shape(0)[0], C = call.shape(0)[1];
  Integers out({N}), count({1});
  std::int64_t first = 0;
  for (std::int64_t b = 0; b < integers(sizes).size(); ++b) {
    const std::int64_t n = integers(sizes)[b], keep = integers(counts)[b];
    List rows(static_cast<std::size_t>(n));
    std::iota(rows.begin(), rows.end(), first);
    const auto score = [&](std::int64_t i) { return reals(features)[i * C]; };
    std::stable_sort(rows.begin(), rows.end(),
                     [&](std::int64_t i, std::int64_t j) { return score_below(score(i), score(j)); });
    const double wanted = std::floor(static_cast<double>(keep) * call.number("rho"));
    const std::int64_t k = wanted < static_cast<double>(n) ? static_cast<std::int64_t>(wanted) : n;
    for (std::int64_t j = n - k; j < n; ++j) out[count[0]++] = rows[static_cast<std::size_t>(j)];
    first += n;
  }
  return {out, count};
}

std::vector<std::int64_t> topk_active(const Call&, const std::vector<Tensor>& out) { return counted(out, 1, {1, 0}); }

constexpr const char* kTypes = "I: i32 i64; T: f16 f32";
constexpr const char* kKept = " -> out_coords I[N,4], features T[N,C], active i32[1], rows i32[N]";

Op merge_op() {
  return {.name = "sparse_from_coordinates",
          .signature =
              "coords I[N,4], features T[N,C], active_rows? i32[1] counts N -> out_coords I[N,4], "
              "features T[N,C], active i32[1]",
          .types = kTypes,
          .attrs = {{"duplicate_reduction", "none"}},
          .equation =
              "mean: distinct coordinates, first seen first, each with the mean of the features of its rows; none: the "
              "rows as they are",
          .meaning = "the sum and the quotient are wide and rounded once to the features' dtype, not after each row",
          .infer = infer_merge,
          .oracle = merge,
          .cases = rows::merge_cases(),
          .rejects = rows::merge_rejects(),
          .bench = rows::merge_bench(),
          .tolerance = {.kind = Tolerance::Class::inherited, .bound = merge_bound},
          .active = merge_active};
}

Op collate_op() {
  return {.name = "sparse_collate",
          .signature =
              "coords0 I[N,3], feats0 T[N,C], (coords1 I[M,3], feats1 T[M,C])?, "
              "(coords2 I[P,3], feats2 T[P,C])?, (coords3 I[Q,3], feats3 T[Q,C])? -> out_coords I[R,4], "
              "features T[R,C], batch_counts i32[B]",
          .types = kTypes,
          .attrs = {},
          .equation =
              "the rows of tensor 0, 1, ..: coordinates (b, x, y, z) and features; batch_counts[b] = rows of tensor b",
          .meaning = "lists of one to four tensors; a merge of duplicates is sparse_from_coordinates of the result",
          .infer = infer_collate,
          .oracle = collate,
          .cases = rows::collate_cases(),
          .rejects = rows::collate_rejects(),
          .bench = rows::collate_bench(),
          .tolerance = {Tolerance::Class::exact}};
}

Op prune_op() {
  return {.name = "prune",
          .signature = kSites + ", features T[N,C], rows i32[R] -> out_coords I[R,4], features T[R,C]",
          .types = kTypes,
          .attrs = {},
          .equation = "row o of the result is row rows[o]; order and repeats stay",
          .meaning = "a row outside [0, active) is an error",
          .oracle = prune,
          .cases = rows::prune_cases(),
          .rejects = rows::prune_rejects(),
          .bench = rows::prune_bench(),
          .tolerance = {Tolerance::Class::exact}};
}

Op mask_op() {
  return {.name = "prune_mask",
          .signature = kSites + ", features T[N,C], mask bool[N]" + kKept,
          .types = kTypes,
          .attrs = {},
          .equation = "the rows i with mask[i], ascending",
          .meaning = "a mask that keeps an inactive row is an error",
          .oracle = prune_mask,
          .cases = rows::mask_cases(),
          .rejects = rows::mask_rejects(),
          .bench = rows::mask_bench(),
          .tolerance = {Tolerance::Class::exact},
          .active = kept_active};
}

Op crop_op() {
  return {.name = "crop",
          .signature = kSites + ", features T[N,C]" + kKept,
          .types = kTypes,
          .attrs = {{"min_coord", List{0, 0, 0}}, {"max_coord", List{0, 0, 0}}},
          .equation = "the active rows i with min_coord <= (x,y,z)_i <= max_coord on every axis, ascending",
          .meaning = "both corners belong to the box; batches are not filtered",
          .infer = infer_crop,
          .oracle = crop,
          .cases = rows::crop_cases(),
          .rejects = rows::crop_rejects(),
          .bench = rows::crop_bench(),
          .tolerance = {Tolerance::Class::exact},
          .active = kept_active};
}

Op topk_op() {
  return {
      .name = "topk_rows",
      .signature = "features T[N,C], counts i32[B] wishes N, batch_counts i32[B] parts N -> rows i32[N], count i32[1]",
      .types = "T: f16 f32",
      .attrs = {{"rho", 1.0}},
      .equation =
          "per batch of n consecutive rows: the last min(floor(counts[b] * rho), n) of a stable ascending sort by "
          "channel 0",
      .meaning =
          "counts[b] * rho is rounded to binary64 before its floor, so that 10 * 0.7 keeps 7; scores ascend within a "
          "batch; NaN is the highest score, -0 equals 0, the later of equal rows ranks higher; batch_counts must add "
          "up to the rows, counts may ask for more than there are",
      .infer = infer_topk,
      .oracle = topk,
      .cases = rows::topk_cases(),
      .rejects = rows::topk_rejects(),
      .bench = rows::topk_bench(),
      .tolerance = {Tolerance::Class::exact},
      .active = topk_active};
}

}  // namespace

std::vector<Op> sparse_rows_ops() { return {merge_op(), collate_op(), prune_op(), mask_op(), crop_op(), topk_op()}; }

}  // namespace plumb
