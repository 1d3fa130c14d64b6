// Vectors of normal numbers on the processor: the root of each covariance in binary64, then a product with the numbers
// drawn in binary32.
#include <cmath>

#include "core/pool.h"
#include "core/route.h"
#include "optimized/array/random/draws.h"
#include "optimized/functions_ulps.h"
#include "optimized/linalg/gemm.h"

namespace plumb {
namespace {

std::vector<Tensor> run_by(std::string_view op, std::string_view route, std::vector<Tensor> in, Attrs attrs = {}) {
  const Call call = make_call(op, std::move(in), std::move(attrs));
  return run(call, find_route(*call.op, route));
}

// U S V^T of the matrices, whose errors are told as those of this operation.
std::vector<Tensor> decomposed(const Call& c) {
  try {
    return run_by("svd", "cpu.rows", {as_dtype(as_dtype(c["cov"], Dtype::f32), Dtype::f64)});
  } catch (const Error& e) {
    c.fail(e.reason(), e.detail());
  }
}

// R = (U sqrt(S)) V^T of each matrix, rounded.
Tensor roots(const Call& c) {
  const std::vector<Tensor> d = decomposed(c);
  const std::int64_t n = c.size('N');
  const Tensor r({Dtype::f32, d[0].shape()});
  if (r.size() == 0) return r;
  const auto *u = d[0].read<double>(), *s = d[1].read<double>(), *vt = d[2].read<double>();
  auto* to = r.write<float>();
  parallel_each(r.size() / (n * n), [&](std::int64_t m) {
    const RawRoom<double> scaled(n * n), product(n * n);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t k = 0; k < n; ++k) scaled[i * n + k] = u[(m * n + i) * n + k] * std::sqrt(s[m * n + k]);
    gemm(n, n, n, {scaled.get(), Dtype::f64, n, 1}, {vt + m * n * n, Dtype::f64, n, 1}, product.get(), n);
    for (std::int64_t i = 0; i < n * n; ++i) to[m * n * n + i] = static_cast<float>(product[i]);
  });
  return r;
}

void put_means(const Call& c, const Tensor& out) {
  const cpu::Spread<float> mean = cpu::floats_of(c["mean"], Dtype::f32, out.shape());
  auto* to = out.write<float>();
  parallel_for(out.size(), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t block = cpu::draw_block(end - begin);
    auto read = mean.reader(block);
    for (std::int64_t i = begin; i < end; i += block) {
      const std::int64_t n = std::min(block, end - i);
      std::copy_n(read(i, n), n, to + i);
    }
  });
}

// Rows from `first` on that meet one matrix.
struct Rows {
  std::int64_t first, count, matrix;
};

std::vector<Rows> rows_by_matrix(const Tensor& roots, const Shape& out) {
  const Shape rows(out.begin(), out.end() - 1), batch(roots.shape().begin(), roots.shape().end() - 2);
  if (count(batch) == 1) return {{0, count(rows), 0}};
  Strides strides(rows.size(), 0);
  const Strides own = row_major(batch);
  for (std::size_t d = 0; d < batch.size(); ++d)
    if (batch[d] != 1) strides[rows.size() - batch.size() + d] = own[d];
  const Nest<1> walk = nest<1>(rows, {strides});
  std::vector<Rows> all;
  for_runs(walk, 0, count(rows), [&](const auto& at, std::int64_t length) {
    const std::int64_t step = walk.strides[0].back(), first = all.empty() ? 0 : all.back().first + all.back().count;
    if (step == 0) return all.push_back({first, length, at[0]});
    for (std::int64_t i = 0; i < length; ++i) all.push_back({first + i, 1, at[0] + i * step});
  });
  return all;
}

void multivariate_normal(const Call& c, std::vector<Tensor>& out) {
  const Tensor r = roots(c);
  const Shape& shape = out[0].shape();
  const std::int64_t n = c.size('N');
  if (out[0].size() == 0) return;
  put_means(c, out[0]);
  const Tensor z = run_by("normal", "cpu.blocks", {c["key"]}, {{"shape", shape}, {"dtype", "f32"}})[0];
  const auto *from = z.read<float>(), *root = r.read<float>();
  auto* to = out[0].write<float>();
  const std::vector<Rows> pieces = rows_by_matrix(r, shape);
  const auto product = [&](const Rows& p) {
    gemm(p.count, n, n, {from + p.first * n, Dtype::f32, n, 1}, {root + p.matrix * n * n, Dtype::f32, n, 1},
         to + p.first * n, n, true);
  };
  if (pieces.size() == 1) return product(pieces[0]);
  parallel_each(static_cast<std::int64_t>(pieces.size()),
                [&](std::int64_t i) { product(pieces[static_cast<std::size_t>(i)]); });
}

// The mean is one more term.
Order order(const Call&) {
  Order o = gemm_order(Dtype::f32);
  o.epilogue += 1;
  o.function_ulps = function_ulps("erfinv").ulps32;
  return o;
}

}  // namespace

std::vector<Route> multivariate_cpu_routes() {
  return {{.op = "multivariate_normal",
           .name = "cpu.roots",
           .supports = {},
           .prefers = {},
           .order = order,
           .prepare = host<multivariate_normal>}};
}

}  // namespace plumb
