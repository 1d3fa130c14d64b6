// Products with quantized matrices that indices choose.
#include <cmath>

#include "reference/index.h"
#include "reference/quant/quant.h"

namespace plumb {
namespace {

using namespace quant;
using namespace reference;

// The matrices of both operands lie flat over their batch axes; batch: the axes of the result before its matrices.
struct Product {
  Shape batch, x_batch, w_batch;
  std::int64_t m, n, k;
  bool vector, gathers;
};

constexpr std::size_t kLhs = 4, kRhs = 5;

Product product(const Request& r, const Format& f) {
  const Shape &x = r.shape(0), &w = r.shape(1);
  Product p;
  p.vector = x.size() == 1;
  p.gathers = r.has(kLhs) || r.has(kRhs);
  if (p.vector && p.gathers) r.fail(Reason::rank, "x " + to_string(x) + " is no matrix, but there are indices");
  const std::int64_t rows = w[w.size() - 2], columns = 32 * w.back() / f.bits;
  p.m = p.vector ? 1 : x[x.size() - 2];
  p.n = r.flag("transpose") ? rows : columns;
  p.k = r.flag("transpose") ? columns : rows;
  if (x.back() != p.k)
    r.fail(Reason::shape, "the last axis of x " + to_string(x) + " is not the inner size " + std::to_string(p.k));
  if (!p.vector) p.x_batch.assign(x.begin(), x.end() - 2);
  p.w_batch.assign(w.begin(), w.end() - 2);
  p.batch = broadcast(r.op->name, r.has(kLhs) ? r.shape(kLhs) : p.x_batch, r.has(kRhs) ? r.shape(kRhs) : p.w_batch);
  return p;
}

std::vector<Spec> infer(const Request& r) {
  const Format f = format(r);
  const Dtype out = product_dtype(r, f, check_weight(r, f, 1, 2, 3));
  const Product p = product(r, f);
  Shape shape = p.batch;
  if (!p.vector) shape.push_back(p.m);
  shape.push_back(p.n);
  return {{out, shape}};
}

// Which matrix of an operand meets matrix i of the result: without indices, the one at the same place of its batch.
Array<std::int64_t> chosen(const Call& c, std::size_t indices, const Shape& batch, const Shape& own) {
  Array<std::int64_t> at(batch);
  const std::int64_t there = count(own);
  const Integers given = c.has(indices) ? as_integers(widen(c[indices])) : Integers();
  for (std::int64_t i = 0; i < at.size(); ++i) {
    if (!c.has(indices)) {
      at[i] = broadcast_index(i, batch, own);
      continue;
    }
    const std::int64_t place = broadcast_index(i, batch, given.shape);
    at[i] = given[place];
    if (at[i] >= 0 && at[i] < there) continue;
    const bool has_sign = info(c.dtype(indices)).kind == Kind::signed_integer;
    const std::string value = has_sign ? std::to_string(at[i]) : std::to_string(static_cast<std::uint64_t>(at[i]));
    c.fail(Reason::domain, std::string(input_name(c.op->inputs[indices])) + " holds " + value + " at " +
                               std::to_string(place) + ": there are " + std::to_string(there) + " matrices");
  }
  return at;
}

// out_imn = sum_k x_(l_i)mk w_(r_i)nk with transpose, sum_k x_(l_i)mk w_(r_i)kn without
Reals product_of(const Call& c, const Product& p, const Reals& x, const Reals& w) {
  const Array<std::int64_t> l = chosen(c, kLhs, p.batch, p.x_batch), r = chosen(c, kRhs, p.batch, p.w_batch);
  const bool transpose = c.flag("transpose");
  Reals out(infer(c)[0].shape);
  for (std::int64_t i = 0; i < l.size(); ++i) {
    const auto xi = matrix(x, l[i], p.m, p.k);
    const auto wi = transpose ? matrix(w, r[i], p.n, p.k) : matrix(w, r[i], p.k, p.n);
    const auto oi = matrix(out, i, p.m, p.n);
    for (std::int64_t m = 0; m < p.m; ++m)
      for (std::int64_t n = 0; n < p.n; ++n)
        for (std::int64_t k = 0; k < p.k; ++k) oi(m, n) += xi(m, k) * (transpose ? wi(n, k) : wi(k, n));
  }
  return out;
}

std::vector<Wide> gather_qmm(const Call& c) {
  const Format f = format(c);
  const Reals x = reals(widen_as(c[0], infer(c)[0].dtype));
  return {product_of(c, product(c, f), x, weights(c, f, Sign::kept))};
}

std::vector<Wide> gather_magnitude(const Call& c) {
  const Format f = format(c);
  Reals x = reals(widen_as(c[0], infer(c)[0].dtype));
  for (double& v : x.data) v = std::isfinite(v) ? std::abs(v) : 0.0;
  return {product_of(c, product(c, f), x, weights(c, f, Sign::dropped))};
}

std::int64_t inner(const Call& c) { return c.shape(0).back(); }

// Four products of a line of indices, each with eight rows of x.
std::optional<Spot> spot(const Call& c, std::uint64_t key) {
  if (!c.has(kLhs) || !c.has(kRhs) || c.rank(kLhs) != 1 || c.shape(kLhs) != c.shape(kRhs)) return std::nullopt;
  std::vector<Tensor> in = c.in;
  in[0] = spaced(c[0], -2, 8, key);
  for (const std::size_t i : {kLhs, kRhs}) in[i] = spaced(c[i], 0, 4, key);
  return Spot{make_call(*c.op, std::move(in), c.attrs), [key](const std::vector<Tensor>& out) {
                return std::vector<Tensor>{spaced(spaced(out[0], -2, 8, key), 0, 4, key)};
              }};
}

Cost gather_cost(const Call& c) {
  const double products = static_cast<double>(count(infer(c)[0].shape) * inner(c));
  return {2 * products, input_bytes(c) + output_bytes(c)};
}

}  // namespace

std::vector<Op> gather_qmm_ops() {
  Op op;
  op.name = "gather_qmm";
  op.signature =
      "x T[*A,K], w_q u32[*B,R,W], scales U[*B,R,G], biases? V[*B,R,G], lhs_indices? I[*I], rhs_indices? J[*J] -> "
      "out P[*O]";
  op.types = "T: bool integers f16 bf16 f32; U, V: bool integers floats; I, J: integers; P: f16 bf16 f32";
  op.attrs = {
      {"transpose", true}, {"group_size", kNone}, {"bits", kNone}, {"mode", "affine"}, {"sorted_indices", false}};
  op.equation =
      "out_imn = sum_k x_(l_i)mk (w_q s + b)_(r_i)nk with transpose, sum_k x_(l_i)mk (w_q s + b)_(r_i)kn without; l "
      "and "
      "r: lhs_indices and rhs_indices, broadcast";
  op.meaning =
      "weights, types and rounding as in quantized_matmul; indices count matrices flat over the batch axes of x or w; "
      "one that is left out is every matrix in the shape of its batch, and without both this is quantized_matmul; an "
      "index that is negative or beyond the matrices is an error of domain, which upstream leaves undefined; "
      "sorted_indices is a promise that changes no result, also where it is not kept";
  op.infer = infer, op.oracle = gather_qmm;
  op.cases = kGatherCases, op.bench = kGatherBench;
  op.rejects = {"from lead={x} x=f32.1x2x64.row.uniform", kWeightRejects, kGatherRejects};
  op.cost = gather_cost, op.spot = spot;
  op.tolerance.kind = Tolerance::Class::accumulate, op.tolerance.terms = inner;
  op.tolerance.magnitude = gather_magnitude;
  return {op};
}

}  // namespace plumb
