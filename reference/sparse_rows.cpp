// Rows of a sparse tensor merged, joined, kept and ranked: rows and oracles.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/signature.h"
#include "core/text.h"
#include "reference/relation.h"
#include "reference/sparse_rows.h"

namespace plumb {
namespace {

using namespace reference;
using List = std::vector<std::int64_t>;

std::int64_t check_features(const Request& r, std::size_t features, std::int64_t rows) {
  const Dtype t = r.dtype(features);
  if (t != Dtype::f16 && t != Dtype::f32)
    r.fail(Reason::dtype, "features are " + std::string(name(t)) + ", not f16 or f32");
  if (r.rank(features) != 2) r.fail(Reason::rank, "features have rank " + std::to_string(r.rank(features)));
  if (r.shape(features)[0] != rows)
    r.fail(Reason::shape, to_string(r.shape(features)) + " features for " + std::to_string(rows) + " rows");
  return r.shape(features)[1];
}

void check_vector(const Request& r, std::size_t at, Dtype t) {
  const std::string what(r.op->inputs[at]);
  if (r.dtype(at) != t)
    r.fail(Reason::dtype, what + " are " + std::string(name(r.dtype(at))) + ", not " + std::string(name(t)));
  if (r.rank(at) != 1) r.fail(Reason::rank, what + " have rank " + std::to_string(r.rank(at)));
}

Spec rows_of(std::int64_t n) { return {Dtype::i32, {n}}; }

// Copies row `from` of a matrix to row `to` of another.
template <class T>
void copy_row(const Array<T>& x, std::int64_t from, Array<T>& y, std::int64_t to) {
  const std::int64_t C = y.shape[1];
  for (std::int64_t c = 0; c < C; ++c) y[to * C + c] = x[from * C + c];
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
  if (r.rank(0) != 2) r.fail(Reason::rank, "coordinates have rank " + std::to_string(r.rank(0)));
  if (r.shape(0)[1] != 4) r.fail(Reason::shape, "coordinates are " + to_string(r.shape(0)) + ", not (N,4)");
  if (r.has(kMergedActive)) (void)check_rows(r, 0, kMergedActive);
  const std::int64_t n = r.shape(0)[0], channels = check_features(r, kMergedFeatures, n);
  return {{r.dtype(0), {n, 4}}, {r.dtype(kMergedFeatures), {n, channels}}, rows_of(1)};
}

// The rows that share one site, for each site in first-seen order; each row by itself where nothing is merged.
std::vector<std::vector<std::int64_t>> groups(const Call& call) {
  const Integers coords = as_integers(widen(call[0]));
  std::int64_t n = coords.shape[0];
  if (call.has(kMergedActive)) n = std::ssize(active_sites(call, 0, kMergedActive));
  std::vector<std::vector<std::int64_t>> found;
  std::map<Site, std::size_t> group_of;
  for (std::int64_t i = 0; i < n; ++i) {
    const Site s{coords[4 * i], coords[4 * i + 1], coords[4 * i + 2], coords[4 * i + 3]};
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
      for (const std::int64_t i : found[o]) sum += reals(features)[i * C + c];
      out[row * C + c] =
          found[o].size() == 1 ? reals(features)[found[o][0] * C + c] : sum / static_cast<double>(found[o].size());
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

constexpr std::size_t kMostTensors = 4;

std::size_t tensors_of(const Request& r) {
  std::size_t n = 0;
  while (n < kMostTensors && r.has(2 * n)) ++n;
  for (std::size_t i = 0; i < 2 * kMostTensors; ++i)
    if (r.has(i) != (i < 2 * n)) r.fail(Reason::arity, "coordinates and features come in pairs, without a gap");
  return n;
}

std::vector<Spec> infer_collate(const Request& r) {
  const std::size_t tensors = tensors_of(r);
  std::int64_t rows = 0, channels = 0;
  for (std::size_t b = 0; b < tensors; ++b) {
    const std::size_t coords = 2 * b, features = 2 * b + 1;
    if (r.rank(coords) != 2) r.fail(Reason::rank, "coordinates have rank " + std::to_string(r.rank(coords)));
    if (r.shape(coords)[1] != 3) r.fail(Reason::shape, "coordinates are " + to_string(r.shape(coords)) + ", not (N,3)");
    const std::int64_t c = check_features(r, features, r.shape(coords)[0]);
    if (r.dtype(coords) != r.dtype(0)) r.fail(Reason::dtype, "coordinates differ in dtype");
    if (r.dtype(features) != r.dtype(1)) r.fail(Reason::dtype, "features differ in dtype");
    if (b > 0 && c != channels)
      r.fail(Reason::shape, std::to_string(channels) + " and " + std::to_string(c) + " channels");
    rows += r.shape(coords)[0], channels = c;
  }
  if (rows > std::numeric_limits<std::int32_t>::max())
    r.fail(Reason::memory, std::to_string(rows) + " rows exceed 2^31");
  return {{r.dtype(0), {rows, 4}}, {r.dtype(1), {rows, channels}}, rows_of(static_cast<std::int64_t>(tensors))};
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
      sites[4 * o] = b;
      for (std::int64_t a = 0; a < 3; ++a) sites[4 * o + a + 1] = coords[3 * i + a];
      copy_row(reals(features), i, out, o);
    }
  }
  return {sites, out, counts};
}

// ---- prune, prune_mask, crop

enum : std::size_t { kCoords, kActive, kFeatures, kChoice };

std::int64_t check_tensor(const Request& r) {
  const std::int64_t n = check_rows(r, kCoords, kActive);
  (void)check_features(r, kFeatures, n);
  return n;
}

std::vector<Spec> infer_prune(const Request& r) {
  (void)check_tensor(r);
  check_vector(r, kChoice, Dtype::i32);
  const std::int64_t m = r.shape(kChoice)[0];
  return {{r.dtype(kCoords), {m, 4}}, {r.dtype(kFeatures), {m, r.shape(kFeatures)[1]}}};
}

std::vector<Spec> kept_specs(const Request& r) {
  const std::int64_t n = check_tensor(r);
  return {{r.dtype(kCoords), {n, 4}}, {r.dtype(kFeatures), {n, r.shape(kFeatures)[1]}}, rows_of(1), rows_of(n)};
}

std::vector<Spec> infer_mask(const Request& r) {
  std::vector<Spec> specs = kept_specs(r);
  check_vector(r, kChoice, Dtype::boolean);
  if (r.shape(kChoice) != Shape{r.shape(kCoords)[0]})
    r.fail(Reason::shape, to_string(r.shape(kChoice)) + " mask for " + std::to_string(r.shape(kCoords)[0]) + " rows");
  return specs;
}

std::vector<Spec> infer_crop(const Request& r) {
  const List low = r.list("min_coord"), high = r.list("max_coord");
  if (low.size() != 3 || high.size() != 3) r.fail(Reason::attribute, "a corner needs three coordinates");
  for (std::size_t a = 0; a < 3; ++a)
    if (low[a] > high[a])
      r.fail(Reason::attribute,
             "min_coord " + std::to_string(low[a]) + " is above max_coord " + std::to_string(high[a]));
  return kept_specs(r);
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
  if (r.rank(0) != 2) r.fail(Reason::rank, "features have rank " + std::to_string(r.rank(0)));
  (void)check_features(r, 0, r.shape(0)[0]);
  if (r.shape(0)[1] == 0) r.fail(Reason::shape, "features without a channel have no score");
  for (const std::size_t i : {1, 2}) check_vector(r, i, Dtype::i32);
  if (r.shape(1) != r.shape(2))
    r.fail(Reason::shape, to_string(r.shape(1)) + " counts for " + to_string(r.shape(2)) + " batches");
  if (!(r.number("rho") > 0)) r.fail(Reason::attribute, "rho is " + shortest(r.number("rho")));
  return {rows_of(r.shape(0)[0]), rows_of(1)};
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

const std::vector<Dtype> kWidths{Dtype::i32, Dtype::i64};
const std::vector<std::string_view> kKeptOutputs{"out_coords", "features", "active", "rows"};

Op merge_op() {
  return {.name = "sparse_from_coordinates",
          .inputs = {"coords", "features", "active_rows?"},
          .row_counts = site_counts(false),
          .outputs = {"out_coords", "features", "active"},
          .attrs = {{"duplicate_reduction", "none"}},
          .dtypes = kWidths,
          .equation =
              "mean: distinct coordinates, first seen first, each with the mean of the features of its rows; none: the "
              "rows as they are",
          .meaning = "the sum and the quotient are wide and rounded once to the features' dtype, not after each row",
          .infer = infer_merge,
          .oracle = merge,
          .cases = rows::merge_cases,
          .rejects = rows::merge_rejects,
          .bench = rows::merge_bench,
          .tolerance = {.kind = Tolerance::Class::inherited, .bound = merge_bound},
          .active = merge_active};
}

Op collate_op() {
  return {.name = "sparse_collate",
          .inputs = {"coords0", "feats0", "coords1?", "feats1?", "coords2?", "feats2?", "coords3?", "feats3?"},
          .outputs = {"out_coords", "features", "batch_counts"},
          .attrs = {},
          .dtypes = kWidths,
          .equation =
              "the rows of tensor 0, 1, ..: coordinates (b, x, y, z) and features; batch_counts[b] = rows of tensor b",
          .meaning = "lists of one to four tensors; a merge of duplicates is sparse_from_coordinates of the result",
          .infer = infer_collate,
          .oracle = collate,
          .cases = rows::collate_cases,
          .rejects = rows::collate_rejects,
          .bench = rows::collate_bench,
          .tolerance = {Tolerance::Class::exact}};
}

Op prune_op() {
  return {.name = "prune",
          .inputs = {"coords", "active_rows", "features", "rows"},
          .row_counts = site_counts(false),
          .outputs = {"out_coords", "features"},
          .attrs = {},
          .dtypes = kWidths,
          .equation = "row o of the result is row rows[o]; order and repeats stay",
          .meaning = "a row outside [0, active) is an error",
          .infer = infer_prune,
          .oracle = prune,
          .cases = rows::prune_cases,
          .rejects = rows::prune_rejects,
          .bench = rows::prune_bench,
          .tolerance = {Tolerance::Class::exact}};
}

Op mask_op() {
  return {.name = "prune_mask",
          .inputs = {"coords", "active_rows", "features", "mask"},
          .row_counts = site_counts(false),
          .outputs = kKeptOutputs,
          .attrs = {},
          .dtypes = kWidths,
          .equation = "the rows i with mask[i], ascending",
          .meaning = "a mask that keeps an inactive row is an error",
          .infer = infer_mask,
          .oracle = prune_mask,
          .cases = rows::mask_cases,
          .rejects = rows::mask_rejects,
          .bench = rows::mask_bench,
          .tolerance = {Tolerance::Class::exact},
          .active = kept_active};
}

Op crop_op() {
  return {.name = "crop",
          .inputs = {"coords", "active_rows", "features"},
          .row_counts = site_counts(false),
          .outputs = kKeptOutputs,
          .attrs = {{"min_coord", List{0, 0, 0}}, {"max_coord", List{0, 0, 0}}},
          .dtypes = kWidths,
          .equation = "the active rows i with min_coord <= (x,y,z)_i <= max_coord on every axis, ascending",
          .meaning = "both corners belong to the box; batches are not filtered",
          .infer = infer_crop,
          .oracle = crop,
          .cases = rows::crop_cases,
          .rejects = rows::crop_rejects,
          .bench = rows::crop_bench,
          .tolerance = {Tolerance::Class::exact},
          .active = kept_active};
}

Op topk_op() {
  return {
      .name = "topk_rows",
      .inputs = {"features", "counts", "batch_counts"},
      .row_counts = {{"counts", "features", CountRule::wish}, {"batch_counts", "features", CountRule::parts}},
      .outputs = {"rows", "count"},
      .attrs = {{"rho", 1.0}},
      .dtypes = {Dtype::f16, Dtype::f32},
      .equation =
          "per batch of n consecutive rows: the last min(floor(counts[b] * rho), n) of a stable ascending sort by "
          "channel 0",
      .meaning =
          "counts[b] * rho is rounded to binary64 before its floor, so that 10 * 0.7 keeps 7; scores ascend within a "
          "batch; NaN is the highest score, -0 equals 0, the later of equal rows ranks higher; batch_counts must add "
          "up to the rows, counts may ask for more than there are",
      .infer = infer_topk,
      .oracle = topk,
      .cases = rows::topk_cases,
      .rejects = rows::topk_rejects,
      .bench = rows::topk_bench,
      .tolerance = {Tolerance::Class::exact},
      .active = topk_active};
}

}  // namespace

std::vector<Op> sparse_rows_ops() { return {merge_op(), collate_op(), prune_op(), mask_op(), crop_op(), topk_op()}; }

}  // namespace plumb
