#include "bench/peers.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>
#include <numeric>
#include <vector>

#include "core/pool.h"
#include "core/route.h"

#ifdef PLUMB_PEERS
#include "bench/openblas.h"
#endif
#ifdef PLUMB_EIGEN
#include <Eigen/Cholesky>
#endif

namespace plumb {
namespace {

bool dense(const Tensor& t, Dtype dtype) { return t.defined() && t.dtype() == dtype && t.is_row_major(); }

bool dense_f32_line(const Call& c) { return dense(c[0], Dtype::f32) && c[0].rank() == 1; }

std::function<void()> std_sort_index(const Call& c, int) {
  const auto index = std::make_shared<std::vector<std::uint32_t>>(static_cast<std::size_t>(c[0].size()));
  const Tensor x = c[0];
  return [x, index] {
    const float* p = x.read<float>();
    std::iota(index->begin(), index->end(), 0U);
    std::sort(index->begin(), index->end(), [p](std::uint32_t i, std::uint32_t j) { return p[i] < p[j]; });
  };
}

// inv(A) b by our own routes, which is what solve is there to replace (docs/guidance.md).
bool with_columns(const Call& c) { return c.dtype(0) == c.dtype(1) && c.rank(0) == c.rank(1); }
Job natural(const Call& c) { return select(c, Device{}).route->prepare(c, output_specs(c)); }
std::function<void()> inverse_then_product(const Call& c, int threads) {
  const Job inverse = natural(make_call("inv", {c[0]}));
  inverse.launch();
  inverse.wait();
  const Job product = natural(make_call("matmul", {inverse.fetch()[0], c[1]}));
  return [=] {
    set_threads(threads);
    for (const Job& job : {inverse, product}) {
      job.launch();
      job.wait();
    }
  };
}

#ifdef PLUMB_PEERS
bool square_blas(const Call& c, Dtype dtype) {
  return c[0].rank() == 2 && c[1].rank() == 2 && dense(c[0], dtype) && dense(c[1], dtype);
}
bool sgemm_takes(const Call& c) { return square_blas(c, Dtype::f32); }
bool dgemm_takes(const Call& c) { return square_blas(c, Dtype::f64); }

struct Sizes {
  int m, n, k;
};
Sizes sizes(const Call& c) {
  return {static_cast<int>(c[0].dim(0)), static_cast<int>(c[1].dim(1)), static_cast<int>(c[0].dim(1))};
}

std::function<void()> sgemm(const Call& c, int threads) {
  const Sizes s = sizes(c);
  const Tensor a = c[0], b = c[1];
  const auto out = std::make_shared<std::vector<float>>(static_cast<std::size_t>(s.m) * static_cast<std::size_t>(s.n));
  return [=] {
    const OpenBlas& blas = openblas();
    blas.set_threads(threads);
    blas.sgemm(OpenBlas::kRowMajor, OpenBlas::kNoTrans, OpenBlas::kNoTrans, s.m, s.n, s.k, 1, a.read<float>(), s.k,
               b.read<float>(), s.n, 0, out->data(), s.n);
  };
}

std::function<void()> dgemm(const Call& c, int threads) {
  const Sizes s = sizes(c);
  const Tensor a = c[0], b = c[1];
  const auto out = std::make_shared<std::vector<double>>(static_cast<std::size_t>(s.m) * static_cast<std::size_t>(s.n));
  return [=] {
    const OpenBlas& blas = openblas();
    blas.set_threads(threads);
    blas.dgemm(OpenBlas::kRowMajor, OpenBlas::kNoTrans, OpenBlas::kNoTrans, s.m, s.n, s.k, 1, a.read<double>(), s.k,
               b.read<double>(), s.n, 0, out->data(), s.n);
  };
}

// The machine's own gemm rate on the same flops: a square product with as many.
bool f32_features(const Call& c) { return c["features"].dtype() == Dtype::f32; }
std::function<void()> same_flops(const Call& c, int threads) {
  const auto n = static_cast<int>(std::lround(std::cbrt(cost(c).flops / 2)));
  const auto data =
      std::make_shared<std::vector<float>>(3 * static_cast<std::size_t>(n) * static_cast<std::size_t>(n), 0.5F);
  return [=] {
    const OpenBlas& blas = openblas();
    blas.set_threads(threads);
    float* p = data->data();
    const std::size_t nn = static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
    blas.sgemm(OpenBlas::kRowMajor, OpenBlas::kNoTrans, OpenBlas::kNoTrans, n, n, n, 1, p, n, p + nn, n, 0, p + 2 * nn,
               n);
  };
}

bool one_f32_matrix(const Call& c) { return dense(c[0], Dtype::f32) && c[0].rank() == 2; }
std::function<void()> spotrf(const Call& c, int threads) {
  const Tensor a = c[0];
  const auto work = std::make_shared<std::vector<float>>(static_cast<std::size_t>(a.size()));
  return [=] {
    const OpenBlas& blas = openblas();
    blas.set_threads(threads);
    std::copy_n(a.read<float>(), work->size(), work->begin());
    const int n = static_cast<int>(a.dim(0));
    int info = 0;
    blas.spotrf("U", &n, work->data(), &n, &info);  // column-major upper is row-major lower
  };
}
#endif

#ifdef PLUMB_EIGEN
bool f32_matrices(const Call& c) { return dense(c[0], Dtype::f32) && c[0].rank() >= 2; }
std::function<void()> eigen_llt(const Call& c, int) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Tensor a = c[0];
  const auto out = std::make_shared<std::vector<float>>(static_cast<std::size_t>(a.size()));
  return [=] {
    const auto n = a.dim(-1);
    for (std::int64_t at = 0; at < a.size(); at += n * n) {
      const Eigen::Map<const Matrix> from(a.read<float>() + at, n, n);
      Eigen::Map<Matrix> to(out->data() + at, n, n);
      to = from.llt().matrixL();
    }
  };
}
#endif

std::string always() { return ""; }
#ifdef PLUMB_PEERS
std::string openblas_missing() { return openblas().missing; }
#endif

const Peer kPeers[] = {
    {"argsort", "peer.std_sort", "std::sort of an index by comparison", false, dense_f32_line, std_sort_index, always},
    {"solve", "peer.inverse", "inv, then matmul, by the routes of the processor", true, with_columns,
     inverse_then_product, always},
#ifdef PLUMB_PEERS
    {"matmul", "peer.openblas", "cblas_sgemm", true, sgemm_takes, sgemm, openblas_missing},
    {"matmul", "peer.openblas_f64", "cblas_dgemm", true, dgemm_takes, dgemm, openblas_missing},
    {"conv3d", "peer.openblas_flops", "cblas_sgemm of a square product with the same flops", true, f32_features,
     same_flops, openblas_missing},
    {"subm_conv3d", "peer.openblas_flops", "cblas_sgemm of a square product with the same flops", true, f32_features,
     same_flops, openblas_missing},
    {"cholesky", "peer.openblas", "spotrf", true, one_f32_matrix, spotrf, openblas_missing},
#endif
#ifdef PLUMB_EIGEN
    {"cholesky", "peer.eigen", "Eigen::LLT, one matrix after the other", false, f32_matrices, eigen_llt, always},
#endif
};

}  // namespace

std::span<const Peer> peers() { return kPeers; }

}  // namespace plumb
