// Points and voxels: quantization, voxel features, and interpolation back to points. Their rows, shape rules, oracles
// and cases. Positions are float32 by definition; sums are wide.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/text.h"
#include "reference/sparse/points/voxel.h"
#include "reference/sparse/sites/relation.h"

namespace plumb {
namespace reference {

using Float3 = std::array<float, 3>;

Float3 float_triple(const Request& r, std::string_view attr, bool positive) {
  const std::vector<double> v = r.numbers(attr);
  if (v.size() != 1 && v.size() != 3) r.fail(Reason::attribute, std::string(attr) + " needs one or three values");
  Float3 t;
  for (std::size_t a = 0; a < 3; ++a) {
    const double x = v.size() == 1 ? v[0] : v[a];
    const bool fits = std::abs(x) <= std::numeric_limits<float>::max();
    t[a] = fits ? static_cast<float>(x) : 0.0F;
    if (!fits || (positive && !(t[a] > 0))) r.fail(Reason::attribute, std::string(attr) + " is " + shortest(x));
  }
  return t;
}

void check_grid(const Request& r) {
  (void)float_triple(r, "voxel_size", true);
  (void)float_triple(r, "origin", false);
}

void check_word(const Request& r, std::string_view attr, std::string_view one, std::string_view other) {
  const std::string& word = r.text(attr);
  if (word != one && word != other) r.fail(Reason::attribute, std::string(attr) + " " + word);
}

}  // namespace reference

namespace {

using namespace reference;

enum : std::size_t { kPoints, kBatch, kActive, kFeatures, kCotangent };  // of voxelize and its gradient
enum : std::size_t { kVoxelCoords = 3, kVoxelActive, kVoxelFeatures };   // of maps, after the points
enum : std::size_t { kTable, kRows, kWeights, kGradient };               // of interpolation
constexpr std::int64_t kCorners = 8;

// u = (p - o) / s per axis: one float32 subtraction, one float32 division.
std::vector<Float3> positions(const Call& call) {
  const Wide points = widen(call[kPoints]), active = widen(call[kActive]);
  const Float3 s = float_triple(call, "voxel_size", true), o = float_triple(call, "origin", false);
  std::vector<Float3> u(static_cast<std::size_t>(integers(active)[0]));
  for (std::size_t i = 0; i < u.size(); ++i)
    for (std::size_t a = 0; a < 3; ++a) {
      const auto p = static_cast<float>(reals(points)(i, a));
      const float t = p - o[a];
      u[i][a] = t / s[a];
    }
  return u;
}

bool finite(const Float3& u) { return std::isfinite(u[0]) && std::isfinite(u[1]) && std::isfinite(u[2]); }

std::int64_t saturated(float whole) {
  if (whole >= 0x1p31F) return std::numeric_limits<std::int32_t>::max();
  if (whole < -0x1p31F) return std::numeric_limits<std::int32_t>::min();
  return static_cast<std::int64_t>(whole);
}

// coords[v] = the distinct (batch, floor(u)), first seen first; row[p] = the voxel of p or -1; count[v] = its points
struct Quantized {
  std::vector<Site> coords;
  std::vector<std::int64_t> row, count;
};

Quantized quantized(const Call& call) {
  const std::vector<Float3> u = positions(call);
  const Wide batch = widen(call[kBatch]);
  Quantized q;
  q.row.assign(static_cast<std::size_t>(call.shape(kPoints)[0]), -1);
  std::map<Site, std::int64_t> seen;
  for (std::size_t p = 0; p < u.size(); ++p) {
    if (!finite(u[p])) continue;
    Site v{integers(batch)[static_cast<std::int64_t>(p)]};
    for (std::size_t a = 0; a < 3; ++a) v[a + 1] = saturated(std::floor(u[p][a]));
    q.row[p] = seen.emplace(v, static_cast<std::int64_t>(q.coords.size())).first->second;
    if (q.row[p] == static_cast<std::int64_t>(q.coords.size())) q.coords.push_back(v), q.count.push_back(0);
    ++q.count[static_cast<std::size_t>(q.row[p])];
  }
  return q;
}

Integers site_rows(const std::vector<Site>& sites, std::int64_t capacity) {
  Integers rows({capacity, 4});
  for (std::size_t i = 0; i < sites.size(); ++i)
    for (std::size_t a = 0; a < 4; ++a) rows(i, a) = sites[i][a];
  return rows;
}

Integers column(const std::vector<std::int64_t>& values, std::int64_t capacity) {
  Integers c({capacity});
  std::copy(values.begin(), values.end(), c.data.begin());
  return c;
}

Integers one(std::size_t count) { return column({static_cast<std::int64_t>(count)}, 1); }

std::vector<Spec> infer_quantize(const Request& r) {
  check_grid(r);
  return r.outputs();
}

std::vector<Wide> sparse_quantize(const Call& call) {
  const Quantized q = quantized(call);
  const std::int64_t n = call.shape(kPoints)[0];
  return {site_rows(q.coords, n), one(q.coords.size()), column(q.row, n), column(q.count, n)};
}

std::int64_t claimed(const Tensor& count, const Tensor& rows) {
  return std::clamp<std::int64_t>(count.read<std::int32_t>()[0], 0, rows.dim(0));
}

std::vector<std::int64_t> quantize_active(const Call&, const std::vector<Tensor>& out) {
  const std::int64_t v = claimed(out[1], out[0]);
  return {v, -1, -1, v};
}

std::vector<Spec> infer_voxelize(const Request& r) {
  check_grid(r);
  check_word(r, "reduction", "sum", "mean");
  return r.outputs();
}

// F[v] = sum of f[p] over the points p of v; for the mean divided by their number
Reals voxel_features(const Call& call, const Quantized& q, bool absolute_features) {
  const Wide features = widen(absolute_features ? absolute(call)[kFeatures] : call[kFeatures]);
  const Reals& f = reals(features);
  const std::int64_t C = f.shape[1];
  Reals F(f.shape);
  for (std::size_t p = 0; p < q.row.size(); ++p)
    for (std::int64_t c = 0; c < C && q.row[p] >= 0; ++c) F(q.row[p], c) += f(p, c);
  for (std::size_t v = 0; v < q.count.size() && call.text("reduction") == "mean"; ++v)
    for (std::int64_t c = 0; c < C; ++c) F(v, c) /= static_cast<double>(q.count[v]);
  return F;
}

template <bool absolute_features>
std::vector<Wide> voxelize(const Call& call) {
  const Quantized q = quantized(call);
  return {site_rows(q.coords, call.shape(kPoints)[0]), voxel_features(call, q, absolute_features),
          one(q.coords.size())};
}

std::vector<std::int64_t> voxelize_active(const Call&, const std::vector<Tensor>& out) {
  const std::int64_t v = claimed(out[2], out[0]);
  return {v, v, -1};
}

std::int64_t voxelize_terms(const Call& call) {
  const Quantized q = quantized(call);
  return q.count.empty() ? 1 : *std::max_element(q.count.begin(), q.count.end());
}

std::vector<Spec> infer_voxelize_vjp(const Request& r) {
  if (r.size('G') > r.size('N'))
    r.fail(Reason::shape, to_string(r.shape(kCotangent)) + " cotangents for " + to_string(r.shape(kFeatures)));
  return infer_voxelize(r);
}

// g[p] = G[v] for the voxel v of p, for the mean divided by the number of its points; 0 where there is none
std::vector<Wide> voxelize_vjp(const Call& call) {
  const Quantized q = quantized(call);
  const Wide cotangent = widen(call[kCotangent]);
  const Reals& G = reals(cotangent);
  const std::int64_t C = G.shape[1];
  Reals g(call.shape(kFeatures));
  for (std::size_t p = 0; p < q.row.size(); ++p) {
    if (q.row[p] < 0 || q.row[p] >= G.shape[0]) continue;
    const bool mean = call.text("reduction") == "mean";
    const double points = mean ? static_cast<double>(q.count[static_cast<std::size_t>(q.row[p])]) : 1;
    for (std::int64_t c = 0; c < C; ++c) g(p, c) = G(q.row[p], c) / points;
  }
  return {g};
}

std::vector<Spec> infer_map(const Request& r) {
  check_grid(r);
  check_word(r, "interpolation", "nearest", "linear");
  return r.outputs();
}

struct Map {
  Integers row;  // -1 where there is no voxel
  Reals weight;  // float32 values
};

// nearest: the voxel floor(u + 1/2), weight 1, alone in slot 0.
// linear: l = floor(u), f = u - l; slot j = bit 0 for x, bit 1 for y, bit 2 for z: the voxel l + bits, its weight
// (wx wy) wz with w = f where the bit is set and 1 - f where it is not. All in float32.
Map point_map(const Call& call) {
  const std::vector<Site> voxels = active_sites(call, kVoxelCoords, kVoxelActive);
  std::map<Site, std::int64_t> first;
  for (std::size_t v = 0; v < voxels.size(); ++v) first.emplace(voxels[v], static_cast<std::int64_t>(v));
  const std::vector<Float3> u = positions(call);
  const Wide batch = widen(call[kBatch]);
  const bool nearest = call.text("interpolation") == "nearest";
  const Shape shape{call.shape(kPoints)[0], kCorners};
  Map m{Integers(shape, -1), Reals(shape)};
  for (std::size_t p = 0; p < u.size(); ++p)
    for (std::int64_t j = 0; j < (nearest ? 1 : kCorners) && finite(u[p]); ++j) {
      Site v{integers(batch)[static_cast<std::int64_t>(p)]};
      Float3 w{1, 1, 1};
      for (std::size_t a = 0; a < 3; ++a) {
        const float half = u[p][a] + 0.5F, l = std::floor(nearest ? half : u[p][a]), f = u[p][a] - l, rest = 1.0F - f;
        const std::int64_t bit = j >> a & 1;
        v[a + 1] = saturated(l) + bit;
        if (!nearest) w[a] = bit ? f : rest;
      }
      const auto hit = first.find(v);
      if (hit == first.end()) continue;
      const float xy = w[0] * w[1], xyz = xy * w[2];
      m.row(p, j) = hit->second;
      m.weight(p, j) = static_cast<double>(xyz);
    }
  return m;
}

std::vector<Wide> point_voxel_map(const Call& call) {
  const Map m = point_map(call);
  return {m.row, m.weight};
}

// out[p] = sum over j of weight[p,j] V[row[p,j]], over the rows that exist
Reals interpolated(const Integers& row, const Reals& weight, const Reals& V) {
  const std::int64_t C = V.shape[1];
  Reals out({row.shape[0], C});
  for (std::int64_t e = 0; e < row.size(); ++e)
    for (std::int64_t c = 0; c < C && row[e] >= 0 && row[e] < V.shape[0]; ++c)
      out(e / kCorners, c) += weight[e] * V(row[e], c);
  return out;
}

std::vector<Wide> interpolate_point_features(const Call& call) {
  const Wide V = widen(call[kTable]), row = widen(call[kRows]), weight = widen(call[kWeights]);
  return {interpolated(integers(row), reals(weight), reals(V))};
}

// g[v] = sum of weight[p,j] G[p] over the (p,j) whose row is v
std::vector<Wide> interpolate_vjp(const Call& call) {
  const Wide row = widen(call[kRows]), weight = widen(call[kWeights]), cotangent = widen(call[kGradient]);
  const Integers& r = integers(row);
  const Reals& G = reals(cotangent);
  Reals g(call.shape(kTable));
  const std::int64_t C = g.shape[1];
  for (std::int64_t e = 0; e < r.size(); ++e)
    for (std::int64_t c = 0; c < C && r[e] >= 0 && r[e] < g.shape[0]; ++c)
      g(r[e], c) += reals(weight)[e] * G(e / kCorners, c);
  return {g};
}

std::int64_t interpolate_terms(const Call&) { return kCorners; }

std::int64_t interpolate_vjp_terms(const Call& call) {
  const Wide row = widen(call[kRows]);
  std::map<std::int64_t, std::int64_t> degree;
  std::int64_t most = 1;
  for (const std::int64_t r : integers(row).data) most = std::max(most, ++degree[r]);
  return most;
}

std::vector<Wide> devoxelize(const Call& call) {
  const Map m = point_map(call);
  const Wide V = widen(call[kVoxelFeatures]);
  return {interpolated(m.row, m.weight, reals(V))};
}

// Whole numbers as inputs do not make the weights whole, so the bound of a sum of 8 products stands as it is.
std::vector<Allowances> devoxelize_bound(const Call& call, const std::vector<Wide>& want, const Order& order) {
  const Map m = point_map(call);
  const Wide V = widen(absolute(call)[kVoxelFeatures]);
  const Reals G = interpolated(m.row, m.weight, reals(V));
  Allowances bound(G.shape);
  for (std::int64_t i = 0; i < bound.size(); ++i)
    bound[i] = {accumulate_bound(reals(want[0])[i], G[i], kCorners, order, Dtype::f32, 0x1p-53),
                may_overflow(G[i], kCorners, order)};
  return {bound};
}

constexpr std::string_view kPointsMeaning =
    "u = (p - origin) / voxel_size, every step rounded to float32; voxels are floored, not truncated, and saturate at "
    "the ends of int32; a point whose u is not finite lies in no voxel, as an inactive one; rows beyond the count of "
    "voxels are unspecified";
constexpr std::string_view kVoxelizeMeaning =
    "as sparse_quantize; the mean is the sum divided once, not a sum of terms scaled by a rounded reciprocal; "
    "cotangent "
    "rows that are missing count as 0";
constexpr std::string_view kMapMeaning =
    "a voxel's features lie at its lattice corner, not its centre; nearest is floor(u + 1/2) in float32; absent voxels "
    "have row -1, weight 0, and the others are not weighted up; a repeated voxel is its lowest row; positions as in "
    "sparse_quantize";
constexpr std::string_view kInterpolateMeaning = "a row outside the features adds nothing";

// More inputs after the points, then the outputs.
Op points_op(std::string_view op, const char* more, std::string_view equation, std::string_view meaning) {
  Op row;
  row.name = op;
  row.signature = "points f32[N,3], batch_indices i32[N], " + std::string(more);
  row.types = "8N < 2^31";
  row.attrs = {{"voxel_size", std::vector<double>{1, 1, 1}}, {"origin", std::vector<double>{0, 0, 0}}};
  row.equation = equation;
  row.meaning = meaning;
  return row;
}

Op quantize_row() {
  Op row = points_op(
      "sparse_quantize",
      "active_rows i32[1] counts N -> coords i32[N,4], active_rows i32[1], inverse_rows i32[N], counts i32[N]",
      "coords = the distinct (batch, floor((p - origin) / voxel_size)), first seen first; inverse_rows[p] = "
      "the row of p's voxel or -1; counts[v] = the points of v",
      kPointsMeaning);
  row.infer = infer_quantize;
  row.oracle = sparse_quantize;
  row.active = quantize_active;
  return row;
}

Op voxelize_row() {
  Op row = points_op(
      "voxelize",
      "active_rows i32[1] counts N, features f32[N,C] -> coords i32[N,4], features f32[N,C], active_rows i32[1]",
      "F[v] = sum of f[p] over the points p of voxel v; mean: divided by their number", kVoxelizeMeaning);
  row.attrs.set("reduction", "mean");
  row.infer = infer_voxelize;
  row.oracle = voxelize<false>;
  row.tolerance = {.kind = Tolerance::Class::accumulate, .terms = voxelize_terms, .magnitude = voxelize<true>};
  row.active = voxelize_active;
  return row;
}

Op voxelize_vjp_row() {
  Op row = points_op(
      "voxelize_vjp", "active_rows i32[1] counts N, features f32[N,C], cotangent f32[G,C] -> grad_features f32[N,C]",
      "g[p] = G[v] for the voxel v of p, 0 without one; mean: divided by the number of v's points", kVoxelizeMeaning);
  row.attrs.set("reduction", "mean");
  row.infer = infer_voxelize_vjp;
  row.oracle = voxelize_vjp;
  row.tolerance = {Tolerance::Class::rounded};
  return row;
}

Op map_row() {
  Op row = points_op(
      "point_voxel_map",
      "point_active_rows i32[1] counts N, voxel_coords i32[M,4], voxel_active_rows i32[1] counts M -> rows i32[N,8], "
      "weights f32[N,8]",
      "linear: slot j holds the voxel floor(u) + bits of j (bit 0 for x) and its weight (wx wy) wz, w = f where "
      "the bit is set else 1 - f, f = u - floor(u); nearest: slot 0 alone, floor(u + 1/2), weight 1",
      kMapMeaning);
  row.attrs.set("interpolation", "linear");
  row.infer = infer_map;
  row.oracle = point_voxel_map;
  return row;
}

Op devoxelize_row() {
  Op row =
      points_op("devoxelize",
                "point_active_rows i32[1] counts N, voxel_coords i32[M,4], voxel_active_rows i32[1] counts M, "
                "voxel_features f32[M,C] -> out f32[N,C]",
                "out[p] = sum over j of weights[p,j] V[rows[p,j]], rows and weights of point_voxel_map", kMapMeaning);
  row.attrs.set("interpolation", "linear");
  row.infer = infer_map;
  row.oracle = devoxelize;
  row.tolerance = {.kind = Tolerance::Class::inherited, .bound = devoxelize_bound};
  return row;
}

Op interpolate_row() {
  return {.name = "interpolate_point_features",
          .signature = "voxel_features f32[V,C], rows i32[N,8], weights f32[N,8] -> out f32[N,C]",
          .types = "8N < 2^31",
          .attrs = {},
          .equation = "out[p] = sum over j of weights[p,j] V[rows[p,j]]",
          .meaning = kInterpolateMeaning,
          .oracle = interpolate_point_features,
          .tolerance = {.kind = Tolerance::Class::accumulate, .terms = interpolate_terms}};
}

Op interpolate_vjp_row() {
  return {.name = "interpolate_point_features_vjp",
          .signature =
              "voxel_features f32[V,C], rows i32[N,8], weights f32[N,8], cotangent f32[N,C] -> "
              "grad_voxel_features f32[V,C]",
          .types = "8N < 2^31",
          .attrs = {},
          .equation = "g[v] = sum of weights[p,j] G[p] over the (p,j) with rows[p,j] = v",
          .meaning = kInterpolateMeaning,
          .oracle = interpolate_vjp,
          .tolerance = {.kind = Tolerance::Class::accumulate, .terms = interpolate_vjp_terms}};
}

}  // namespace

std::vector<Op> voxel_ops() {
  std::vector<Op> ops{quantize_row(),    voxelize_row(),        voxelize_vjp_row(), map_row(),
                      interpolate_row(), interpolate_vjp_row(), devoxelize_row()};
  for (Op& op : ops) add_voxel_cases(op);
  return ops;
}

}  // namespace plumb
